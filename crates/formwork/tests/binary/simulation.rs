//! `formwork test --only simulation` with the real binary: a fault that only a race shows is found and told with its seed,
//! the seed finds it again, and a sound document passes and tells how far it is.

use crate::process::{Place, formwork};
use serde_json::Value;

/// Two callers who both see that a table is free, and sit down in a transaction of its own each: the invariant stops the
/// second one, with an answer that no caller should ever get.
const RACY: &str = "# Tables – Technical Architecture

## 4) Primary Interface/API

#### Operation: `sit_down` — `POST /seats`

**Input:**
- `table` (string) | where | required, one of \"window\", \"door\"

**Output:** `201` with the `seat`

**Behavior:**
1. Anyone may call this.
2. Lets `sitting` be the number of `seat` where `table == input.table`.
3. Fails with `409 taken` when `sitting > 0`.
4. Creates a `wish` with `table = input.table`.
5. Commits.
6. Creates a `seat` with `table = input.table`.
7. Returns `201` with the `seat`.

## 6) Data Model

### Entity: `wish`

**Fields:**
- `id` (uuid) | identity | primary key, generated
- `table` (string) | where | required

### Entity: `seat`

**Fields:**
- `id` (uuid) | identity | primary key, generated
- `table` (string) | where | required

**Invariant:** the number of `seat` per `table` is at most `1`
";

/// The same in one transaction: who comes second sees the first.
fn sound() -> String {
    assert!(RACY.contains("5. Commits.\n6. Creates a `seat`"));
    RACY.replace("5. Commits.\n6. Creates", "5. Creates").replace("7. Returns", "6. Returns")
}

fn simulate(place: &Place, more: &[&str]) -> crate::process::Ended {
    let document = place.document.to_str().expect("UTF-8");
    formwork(&[&["test", document, "--only", "simulation"], more].concat())
}

#[test]
fn a_race_is_found_and_its_seed_finds_it_again() {
    let place = Place::with(RACY);
    let ended = simulate(&place, &["--seed", "1", "--runs", "500"]);
    assert_eq!(ended.code, 1, "{}\n{}", ended.output, ended.errors);
    let line = ended.output.lines().find(|line| line.starts_with("✗ seed ")).expect("a finding");
    let (seed, finding) = line["✗ seed ".len()..].split_once(": ").expect("a seed and what was found");
    assert!(finding.contains("500"), "{line}");
    assert!(ended.output.contains(&format!("--only simulation --seed {seed}")), "{}", ended.output);

    let again = simulate(&place, &["--seed", seed]);
    assert_eq!(again.code, 1, "{}", again.output);
    let trace = |text: &str| text.split_once("It happens again with").map(|(trace, _)| trace.to_owned());
    assert_eq!(trace(&ended.output), trace(&again.output), "to the byte of its trace");

    let as_json = simulate(&place, &["--seed", seed, "--format", "json"]);
    assert_eq!(as_json.code, 1, "{}", as_json.output);
    let told: Value = serde_json::from_str(&as_json.output).expect("JSON");
    assert_eq!(told["verdict"], "fail", "{told}");
    assert_eq!(told["simulation"]["failure"]["seed"].to_string(), seed, "{told}");
    assert_eq!(told["simulation"]["failure"]["finding"], finding, "{told}");
}

#[test]
fn a_sound_document_passes_and_progress_is_told_meanwhile() {
    let place = Place::with(&sound());
    let ended = simulate(&place, &["--seconds", "3"]);
    assert_eq!(ended.code, 0, "{}\n{}", ended.output, ended.errors);
    assert!(ended.errors.contains(" runs done after "), "{}", ended.errors);
    let told = simulate(&place, &["--seed", "7", "--runs", "40", "--format", "json"]);
    assert_eq!(told.code, 0, "{}", told.output);
    let told: Value = serde_json::from_str(&told.output).expect("JSON");
    assert_eq!(told["verdict"], "pass", "{told}");
    assert_eq!(told["simulation"]["runs"], 40, "{told}");
    assert_eq!(told["simulation"]["seed"], 7, "{told}");
}

#[test]
fn what_a_simulation_cannot_take_is_exit_code_2() {
    let place = Place::with(&sound());
    for more in [&["--flow", "Any"][..], &["--database", "postgres://a@b/c"], &["--format", "junit"]] {
        let ended = simulate(&place, more);
        assert_eq!(ended.code, 2, "{more:?}: {}", ended.errors);
        assert!(ended.errors.contains(more[0]), "{more:?}: {}", ended.errors);
    }
}
