//! Nothing that runs goes unmentioned: every form of step, every function and every code of a refusal stands in the
//! reference.

use formwork_language::functions::FUNCTIONS;
use formwork_language::step_forms;

const LANGUAGE: &str = include_str!("../docs/reference/language.md");
const EXPRESSIONS: &str = include_str!("../docs/reference/expressions.md");
const DURABILITY: &str = include_str!("../docs/reference/durability.md");

#[test]
fn every_form_of_step_that_runs_has_a_heading_of_its_own() {
    let missing: Vec<&str> = step_forms()
        .filter(|form| form.runs && !LANGUAGE.contains(&format!("\n#### {}\n", form.name)))
        .map(|form| form.name)
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_form_of_step_that_is_refused_is_in_the_list_of_what_is() {
    let list = LANGUAGE.split("\n## Not supported yet\n").nth(1).expect("the section is there");
    let missing: Vec<&str> = step_forms()
        .filter(|form| !form.runs && !list.contains(&format!("*{}*", form.name)))
        .map(|form| form.name)
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    let runs: Vec<&str> = step_forms()
        .filter(|form| form.runs && list.contains(&format!("*{}*", form.name)))
        .map(|form| form.name)
        .collect();
    assert!(runs.is_empty(), "these run: {runs:?}");
}

#[test]
fn every_function_is_in_the_table_of_functions() {
    let table = EXPRESSIONS.split("\n## Functions\n").nth(1).expect("the section is there");
    let missing: Vec<&str> = FUNCTIONS
        .iter()
        .map(|function| function.name)
        .filter(|name| !name.starts_with('/'))
        .filter(|name| !table.contains(&format!("`{name}(")) && !table.contains(&format!(".{name}(")))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_test_that_is_named_as_a_proof_exists() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let table = DURABILITY.split("\n## What proves it\n").nth(1).expect("the section is there");
    let mut named = 0;
    for row in table.lines().filter(|line| line.starts_with("| ") && line.contains(".rs`")) {
        let code: Vec<&str> = row.split('`').skip(1).step_by(2).collect();
        let [file, test] = code[..] else { panic!("{row}: expected a file and a test") };
        let source =
            std::fs::read_to_string(root.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(source.contains(&format!("fn {test}(")), "{file}: no {test}");
        named += 1;
    }
    assert!(named > 10, "only {named} tests were found in the table");
}
