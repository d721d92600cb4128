//! What once broke a promise breaks none today, a short run of new documents neither, and the work of the front end
//! grows as the document does.

use formwork_check::analyse;
use formwork_fuzz::{Documents, Random, Work, promises, seeds};
use formwork_syntax::threads;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

fn repository() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn documents_that_failed_before_keep_every_promise() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("crashes");
    let mut replayed = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "md") {
            let text = std::fs::read_to_string(&path).unwrap();
            assert_eq!(promises(&text), Ok(()), "{}", path.display());
            replayed += 1;
        }
    }
    assert!(replayed > 0);
}

#[test]
fn a_few_broken_documents_keep_every_promise() {
    let documents = Documents::new(seeds(&repository()).unwrap().into_iter().map(|(_, text)| text).collect());
    let mut random = Random::new(1);
    for _ in 0..60 {
        let text = documents.next(&mut random);
        assert_eq!(promises(&text), Ok(()), "{text}");
    }
}

/// What is measured of a text: prepares it, and gives the processor time of the rest.
type Measure = fn(Arc<str>) -> Duration;

fn checked(source: Arc<str>) -> Duration {
    let work = Work::begin();
    let analysis = analyse(source);
    let done = work.done();
    drop(analysis);
    done
}

fn exported(source: Arc<str>) -> Duration {
    let analysis = analyse(source);
    let work = Work::begin();
    assert!(serde_json::to_string(&formwork_export::model(&analysis)).is_ok_and(|text| text.len() > 2));
    work.done()
}

fn formatted(source: Arc<str>) -> Duration {
    let work = Work::begin();
    assert!(!formwork_format::format(source).text.is_empty());
    work.done()
}

/// The least of several runs: others use the machine's memory and caches too.
fn time(measure: Measure, text: &str) -> Duration {
    let source: Arc<str> = text.into();
    // The clock sees one thread.
    let measured = || threads::alone(|| measure(source.clone()));
    (0..4).map(|_| measured()).fold(Duration::MAX, Duration::min)
}

/// Four times the text may take at most eight times as long; the square would take sixteen times.
fn grows_with_its_length(name: &str, measure: Measure, make: impl Fn(usize) -> String) {
    let (small, large) = (make(1), make(4));
    let ratio = || time(measure, &large).as_secs_f64() / time(measure, &small).as_secs_f64().max(0.001);
    let mut ratios = Vec::new();
    // One that holds is enough: nothing makes a quadratic reader look like a linear one.
    while ratios.len() < 3 && ratios.last().is_none_or(|last| *last >= 8.0) {
        ratios.push(ratio());
    }
    assert!(ratios.last().is_some_and(|last| *last < 8.0), "{name}: {ratios:?}");
}

/// Looks at every byte for each byte.
fn looked_at_again_and_again(source: Arc<str>) -> Duration {
    let work = Work::begin();
    let seen =
        source.bytes().map(|one| source.bytes().filter(|other| std::hint::black_box(*other) == one).count());
    assert!(seen.sum::<usize>() > 0);
    work.done()
}

#[test]
#[should_panic(expected = "a reader that takes the square")]
fn a_time_that_grows_with_the_square_is_seen() {
    grows_with_its_length("a reader that takes the square", looked_at_again_and_again, |times| {
        "word ".repeat(300 * times)
    });
}

#[test]
fn the_time_of_a_valid_document_grows_with_its_length() {
    grows_with_its_length("teams", checked, |times| bench_front_end::document(40 * times));
}

#[test]
fn the_time_to_export_and_to_format_grows_with_the_length() {
    grows_with_its_length("export", exported, |times| bench_front_end::document(15 * times));
    grows_with_its_length("format", formatted, |times| bench_front_end::document(10 * times));
}

#[test]
fn the_time_of_many_variables_in_one_behaviour_grows_with_their_number() {
    grows_with_its_length("variables", checked, |times| {
        let steps: String = (1..1_000 * times)
            .map(|number| format!("{number}. Lets `v{number}` be `v{} + 1`.\n", number - 1))
            .collect();
        let head =
            "## 4) Primary Interface/API\n\n#### Operation: `count` — `POST /counts`\n\n**Behavior:**\n";
        format!("{head}0. Lets `v0` be `1`.\n{steps}")
    });
}

#[test]
fn the_time_of_a_document_full_of_faults_grows_with_its_length() {
    let example = std::fs::read_to_string(repository().join("examples/shortlink.md")).unwrap();
    grows_with_its_length("the example, repeated", checked, |times| example.repeat(20 * times));
}

#[test]
fn the_time_of_many_unknown_names_grows_with_their_number() {
    grows_with_its_length("unknown names", checked, |times| {
        let grants: String =
            (0..400 * times).map(|number| format!("- `role{number}`: `do_thing_{number}`\n")).collect();
        let entities: String = (0..300 * times)
            .map(|number| {
                format!(
                    "### Entity: `thing{number}`\n\n**Fields:**\n- `id` (thign{number}) | x | required\n\n"
                )
            })
            .collect();
        format!("## 6) Data Model\n\n{entities}\n## 9) Security\n\n### Authorization (AuthZ)\n{grants}")
    });
}

/// As many operations, tables and lines of sections 8 and 9, each about one of them.
fn governed(number_of_operations: usize) -> String {
    let each = |make: &dyn Fn(usize) -> String| (0..number_of_operations).map(make).collect::<String>();
    let operations = each(&|it| {
        format!(
            "#### Operation: `list_{it}` — `GET /things{it}`\n\n**Output:** `200`\n\n**Behavior:**\n1. Lists `thing{it}` \
             by `id`.\n2. Returns `200` with the page.\n\n"
        )
    });
    let entities = each(&|it| {
        format!("### Entity: `thing{it}`\n\n**Fields:**\n- `id` (uuid) | generated | primary key\n\n")
    });
    let caches = each(&|it| {
        format!(
            "**Layer:** Cache {it} (in memory)\n- **What:** answers of `list_{it}`\n- **TTL:** 60 s\n- **Invalidation:** on a write to `thing{it}`\n\n"
        )
    });
    let grants = each(&|it| format!("- `role{it}`: `list_{it}`\n"));
    let limits = each(&|it| format!("- `list_{it}`: 60 requests per minute per caller\n"));
    let audits = each(&|it| format!("- every write to `thing{it}`: who, when, before and after\n"));
    let costs = each(&|it| {
        format!(
            "- each `list_{it}` costs `0.0001` USD\n- budget 5 USD for `list_{it}` per caller per month, refuse with `402 budget_exhausted` at 100%\n"
        )
    });
    format!(
        "## 4) Primary Interface/API\n\n{operations}## 6) Data Model\n\n{entities}## 8) Performance\n\n### Caching \
         Strategy\n{caches}## 9) Security\n\n### Authentication (AuthN)\n- API keys in header `X-API-Key`\n\n### \
         Authorization (AuthZ)\n{grants}\n### Quotas & Rate Limits\n{limits}\n### Audit Trail\n{audits}\n### Cost \
         Controls\n{costs}"
    )
}

#[test]
fn the_time_of_many_governed_operations_grows_with_their_number() {
    grows_with_its_length("governed operations", checked, |times| governed(100 * times));
}
