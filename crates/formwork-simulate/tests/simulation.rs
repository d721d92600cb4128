//! A seed makes a run happen again to the byte; and a simulation finds what is broken, since one that cannot is worth nothing.

use formwork_check::Analysis;
use formwork_simulate::{Options, Report, Tamper, simulate, trace};
use std::path::Path;

/// A document with a unique key, a rule over a field, an append-only table, and an operation of several parts.
const DOCUMENT: &str = r#"
## 4) Primary Interface/API

#### Operation: `make_thing` — `POST /things`

**Input:**
- `name` (string) | what it is called | required, max 20 chars
- `size` (integer) | how large | required, 1 to 9

**Output:** `201` with the `thing`

**Behavior:**
1. Anyone may call this.
2. Creates a `thing` with `name = input.name`, `size = input.size`, or fails with `409 taken`.
3. Creates a `note` with `text = input.name`.
4. Returns `201` with the `thing`.

#### Operation: `grow_thing` — `POST /things/{id}/grow`

**Input:**
- `id` (uuid) | which | required

**Output:** the `thing`

**Behavior:**
1. Anyone may call this.
2. Finds the `thing` where `id == input.id`, or fails with `404 thing_not_found`.
3. Updates the `thing` with `grown = thing.grown + 1`.
4. Commits.
5. Creates a `note` with `text = "grown"`.
6. Returns the `thing`.

#### Operation: `get_thing` — `GET /things/{id}`

**Input:**
- `id` (uuid) | which | required

**Output:** the `thing`

**Behavior:**
1. Anyone may call this.
2. Finds the `thing` where `id == input.id`, or fails with `404 thing_not_found`.
3. Returns the `thing`.

## 6) Data Model

### Entity: `thing`

**Fields:**
- `id` (uuid) | identity | primary key, generated
- `name` (string) | what it is called | required, unique, max 20 chars
- `size` (integer) | how large | required, 1 to 9
- `grown` (integer) | how often it has grown | required, default 0

### Entity: `note`

**Fields:**
- `id` (uuid) | identity | primary key, generated
- `text` (string) | what happened | required

**Constraints:**
- append-only
"#;

fn document() -> Analysis {
    let analysis = formwork_check::analyse_fragment(DOCUMENT.into());
    assert!(
        !analysis.has_errors(),
        "{}",
        analysis.diagnostics.iter().map(|one| format!("{one:?}\n")).collect::<String>()
    );
    analysis
}

/// The same with an audit trail.
fn recorded() -> Analysis {
    let trail = "\n## 9) Security, Governance, Cost Controls\n\n### Audit Trail\n\n- every write to `thing`, `note`\n- denials\n";
    let analysis = formwork_check::analyse_fragment(format!("{DOCUMENT}{trail}").into());
    assert!(!analysis.has_errors() && analysis.compiled.program.audit.records());
    analysis
}

#[test]
fn each_committed_write_has_one_entry_in_the_audit_trail_whatever_is_killed() {
    let options = Options { seed: 1, runs: Some(40), within: None, tamper: Tamper::default() };
    let report = simulate(&recorded(), &options, &|_| {}).expect("a simulation");
    assert!(report.is_fine(), "{}", report.to_text("-"));
    assert!(report.counts.crashes > 0 && report.counts.failed > 0, "{:?}", report.counts);
}

#[test]
fn an_entry_that_is_lost_or_that_nobody_wrote_is_found() {
    let tampered = |statements: fn(&Path), words: &str| {
        let tamper = Tamper { between_lives: statements, ..Tamper::default() };
        let options = Options { seed: 1, runs: Some(40), within: None, tamper };
        let failure = simulate(&recorded(), &options, &|_| {}).expect("a simulation").failure;
        let failure = failure.expect("something is found");
        assert!(failure.finding.contains(words), "{}", failure.finding);
    };
    tampered(|path| sql(path, r#"DELETE FROM "_audit" WHERE "action" = 'created'"#), "created 0 times");
    tampered(
        |path| {
            let twice = r#"INSERT INTO "_audit" ("time", "kind", "roles", "action", "operation", "entity", "key")
                SELECT "time", "kind", "roles", 'updated', "operation", "entity", "key" FROM "_audit" LIMIT 1"#;
            sql(path, twice);
        },
        "entries",
    );
}

fn example(name: &str) -> Analysis {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name);
    formwork_check::analyse(std::fs::read_to_string(path).expect("an example").into())
}

fn simulated(tamper: Tamper, runs: u64) -> Report {
    let options = Options { seed: 1, runs: Some(runs), within: None, tamper };
    simulate(&document(), &options, &|_| {}).expect("a simulation")
}

/// Runs SQL on a database behind its store's back.
fn sql(path: &Path, statements: &str) {
    let connection = rusqlite::Connection::open(path).expect("a database");
    connection.execute_batch(statements).expect("SQL");
}

fn found(tamper: Tamper, runs: u64, words: &str) {
    let report = simulated(tamper, runs);
    let failure = report.failure.expect("something is found");
    assert!(failure.finding.contains(words), "{}\n{}", failure.finding, failure.trace.join("\n"));
    // The seed alone makes it happen again.
    let again = Options { tamper, ..Options::one(failure.seed) };
    let again = simulate(&document(), &again, &|_| {}).expect("a simulation").failure.expect("again");
    assert_eq!(again.trace, failure.trace);
}

#[test]
fn what_is_sound_is_found_sound() {
    let report = simulated(Tamper::default(), 40);
    assert!(report.is_fine(), "{}", report.to_text("-"));
    assert!(report.never.is_empty(), "{:?}", report.never);
    assert!(
        report.counts.crashes > 0 && report.counts.failed > 0 && report.counts.parts > 0,
        "{:?}",
        report.counts
    );
}

#[test]
fn one_seed_gives_one_trace() {
    for analysis in [document(), example("orders.md"), example("job-queue.md")] {
        for seed in [3, 4] {
            let first = trace(&analysis, seed).expect("a trace");
            let second = trace(&analysis, seed).expect("a trace");
            // Only where they part is of interest.
            for (at, (left, right)) in first.iter().zip(&second).enumerate() {
                assert_eq!(left, right, "seed {seed}, behind {:?}", &first[at.saturating_sub(3)..at]);
            }
            assert_eq!(first.len(), second.len());
        }
        assert!(trace(&analysis, 3).expect("a trace") != trace(&analysis, 4).expect("a trace"));
    }
}

#[test]
fn the_examples_are_sound() {
    for name in [
        "shortlink",
        "job-queue",
        "points-ledger",
        "room-booking",
        "orders",
        "feature-flags",
        "model-gateway",
    ] {
        let options = Options { runs: Some(6), ..Options::one(40) };
        let report = simulate(&example(&format!("{name}.md")), &options, &|_| {}).expect("a simulation");
        assert!(report.is_fine(), "{}", report.to_text(name));
    }
}

/// An order needs lines, their articles and one currency that fit together; without one nothing of the rest is reached.
#[test]
fn what_fits_together_only_in_a_flow_is_sent_together() {
    let options = Options { runs: Some(6), ..Options::one(1) };
    let report = simulate(&example("orders.md"), &options, &|_| {}).expect("a simulation");
    assert!(report.is_fine(), "{}", report.to_text("orders"));
    for operation in ["create_order", "get_order"] {
        assert!(!report.never.contains(&operation.to_owned()), "{}", report.to_text("orders"));
    }
}

#[test]
fn a_store_that_drops_commits_is_found() {
    let report = simulated(Tamper { lies: true, ..Tamper::default() }, 40);
    assert!(!report.is_fine());
}

#[test]
fn a_store_that_ignores_a_unique_key_is_found() {
    let at_first = |path: &Path| {
        let names = {
            let connection = rusqlite::Connection::open(path).expect("a database");
            let mut all = connection
                .prepare("SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = 'thing' AND sql IS NOT NULL")
                .expect("SQL");
            let names = all.query_map([], |row| row.get::<_, String>(0)).expect("names");
            names.collect::<Result<Vec<_>, _>>().expect("names")
        };
        assert!(!names.is_empty());
        names.iter().for_each(|name| sql(path, &format!("DROP INDEX \"{name}\"")));
    };
    found(Tamper { at_first, ..Tamper::default() }, 40, "two `thing` have the same `name`");
}

#[test]
fn rows_that_break_a_rule_of_their_field_are_found() {
    let at_first = |path: &Path| {
        sql(
            path,
            "CREATE TRIGGER t AFTER INSERT ON thing BEGIN UPDATE thing SET size = 12 WHERE id = new.id; END",
        );
    };
    found(Tamper { at_first, ..Tamper::default() }, 20, "`size` of `thing`");
}

#[test]
fn rows_of_an_append_only_table_that_change_are_found() {
    let at_first = |path: &Path| {
        sql(path, "CREATE TRIGGER t AFTER UPDATE ON thing BEGIN UPDATE note SET text = 'other'; END");
    };
    found(Tamper { at_first, ..Tamper::default() }, 40, "append-only");
}

#[test]
fn operations_that_nobody_carries_to_their_end_are_found() {
    let between_lives = |path: &Path| sql(path, "DELETE FROM _operations");
    found(Tamper { between_lives, ..Tamper::default() }, 200, "nobody has carried it to its end");
}

#[test]
fn answers_that_are_not_kept_with_their_effect_are_found() {
    let between_lives = |path: &Path| sql(path, "DELETE FROM _answers");
    let report = simulated(Tamper { between_lives, ..Tamper::default() }, 40);
    let finding = report.failure.expect("something is found").finding;
    assert!(finding.contains("was carried out 2 times") || finding.contains("does not know it"), "{finding}");
}
