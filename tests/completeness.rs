//! Nothing that runs goes unmentioned: every form of step, every function and every code of a refusal stands in the
//! reference.

use formwork_check::{CATALOGUE, analyse_fragment};
use formwork_language::functions::FUNCTIONS;
use formwork_language::step_forms;

const LANGUAGE: &str = include_str!("../docs/reference/language.md");
const EXPRESSIONS: &str = include_str!("../docs/reference/expressions.md");
const DURABILITY: &str = include_str!("../docs/reference/durability.md");
const POSTGRES: &str = include_str!("../docs/reference/postgres.md");

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
    let table =
        |page: &'static str| page.split("\n## What proves it\n").nth(1).expect("the section is there");
    let tables = [DURABILITY, POSTGRES].map(table);
    let mut named = 0;
    for row in tables
        .iter()
        .flat_map(|table| table.lines())
        .filter(|line| line.starts_with("| ") && line.contains(".rs`"))
    {
        let code: Vec<&str> = row.split('`').skip(1).step_by(2).collect();
        let [file, test] = code[..] else { panic!("{row}: expected a file and a test") };
        let source =
            std::fs::read_to_string(root.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(source.contains(&format!("fn {test}(")), "{file}: no {test}");
        named += 1;
    }
    assert!(named > 30, "only {named} tests were found in the table");
}

/// The rows of the first table behind a heading, each as its cells.
fn table(page: &str, heading: &str) -> Vec<Vec<String>> {
    let below = page.split(&format!("\n{heading}\n")).nth(1).expect("the heading is there");
    let rows =
        below.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    let cells = |row: &str| {
        let whole = row.trim_matches('|').replace("\\|", "\u{1}");
        whole.split('|').map(|cell| cell.trim().replace('\u{1}', "|")).collect()
    };
    rows.skip(2).map(cells).collect()
}

/// The code spans of a cell.
fn codes(cell: &str) -> Vec<String> {
    let double: Vec<&str> = cell.split("``").collect();
    let plain = double.iter().step_by(2);
    plain.flat_map(|part| part.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

#[test]
fn every_title_of_a_section_is_found_as_it() {
    let section_of = |title: &str| {
        let analysis = analyse_fragment(format!("# A\n\n## {title}\n\nWords.\n").into());
        analysis.model.sections.first().map(|(section, _)| *section)
    };
    let rows = table(LANGUAGE, "## Finding the places");
    assert_eq!(rows.len(), 16);
    for row in rows {
        let section = section_of(&row[0]);
        assert!(section.is_some(), "{}", row[0]);
        for title in row[1].split(", ") {
            assert_eq!(section_of(title), section, "{title}");
        }
    }
}

#[test]
fn every_word_for_a_type_is_one() {
    let rows = table(LANGUAGE, "### Types");
    let mut read = 0;
    for word in rows.iter().flat_map(|row| codes(&row[0])) {
        let word = word.replace("(n)", "(8)").replace("(p,s)", "(8,2)").replace('T', "string");
        if word == "p" || word.starts_with("one of") {
            continue;
        }
        let text =
            format!("## Data Model\n\n### Entity: `a`\n\n**Fields:**\n- `x` ({word}) | y | one of \"a\"\n");
        let analysis = analyse_fragment(text.into());
        let wrong: Vec<_> = analysis.diagnostics.iter().filter(|found| found.code == "FW0601").collect();
        assert!(wrong.is_empty(), "{word}: {wrong:?}");
        assert!(analysis.model.entities[0].fields[0].ty.is_some(), "{word}");
        read += 1;
    }
    assert!(read > 30, "only {read} words were found in the table");
}

#[test]
fn every_code_of_a_finding_that_a_page_names_is_one() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    for page in ["reference", "guide"] {
        for entry in std::fs::read_dir(folder.join(page)).expect("the folder is there") {
            let path = entry.expect("it can be listed").path();
            let text = std::fs::read_to_string(&path).expect("a page is UTF-8");
            for code in text.split("FW").skip(1).filter_map(|rest| rest.get(..4)) {
                if code.chars().all(|digit| digit.is_ascii_digit()) {
                    let known = CATALOGUE.iter().any(|entry| entry.code.ends_with(code));
                    assert!(known, "{}: FW{code}", path.display());
                }
            }
        }
    }
}
