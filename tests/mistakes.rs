//! Errors that teach: each form of step, each form of step of a flow, each kind of standing step and each rule over rows
//! has, in the reference, three mistakes that authors make, with the diagnostic that they get. That the diagnostic is the
//! one named is held by `pages.rs`.

use formwork_documents::fences;
use formwork_language::{flow_forms, step_forms};
use formwork_model::sections::data_model::EntityRuleKind;
use std::collections::BTreeMap;

const LANGUAGE: &str = include_str!("../docs/reference/language.md");
const FLOWS: &str = include_str!("../docs/reference/flows.md");
const MISTAKES: &str = include_str!("../docs/reference/mistakes.md");
const RULES: &str = include_str!("../docs/reference/rules.md");

/// Fields that promise something beyond their own value.
const FIELDS: [&str; 5] = ["Computed", "Secret", "Write-only", "Personal data", "Nested objects"];

/// The mistakes of a page, by the heading that they stand under.
fn mistakes(page: &str) -> BTreeMap<String, Vec<String>> {
    let fences = fences::fences(page);
    let lines: Vec<&str> = page.lines().collect();
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for fence in fences.iter().filter(|fence| fence.words().get(1) == Some(&"refused")) {
        let outside = |line: usize| {
            !fences.iter().any(|it| it.line <= line + 1 && line < it.line + it.text.lines().count() + 1)
        };
        let heading = (0..fence.line).rev().find(|at| lines[*at].starts_with('#') && outside(*at));
        let title = heading.map_or("", |at| lines[at].trim_start_matches('#').trim());
        found.entry(title.to_owned()).or_default().push(fence.text.clone());
    }
    found
}

#[test]
fn every_form_of_step_has_three_mistakes_that_are_its_own() {
    let (language, others) = (mistakes(LANGUAGE), mistakes(MISTAKES));
    let (mut counted, mut lacking) = (0, Vec::new());
    for form in step_forms().filter(|form| form.runs) {
        let all = [&language, &others].into_iter().filter_map(|page| page.get(form.name)).flatten();
        // The step that is wrong is of the form, or a way to write it that is none.
        let verb = form.heads[0].split(' ').next().unwrap_or_default().to_owned();
        let own = all.filter(|text| text.to_lowercase().contains(&verb)).count();
        if own < 3 {
            lacking.push(format!("{}: {own} of three mistakes", form.name));
        }
        counted += 1;
    }
    assert!(lacking.is_empty(), "{lacking:?}");
    assert!(counted > 30, "only {counted} forms were found");
}

#[test]
fn every_form_of_step_of_a_flow_has_three_mistakes_of_one_step_each() {
    let flows = mistakes(FLOWS);
    let named = |form: &str| {
        let same = |title: &&String| title.eq_ignore_ascii_case(form.trim_end_matches(':'));
        flows.iter().find(|(title, _)| same(title)).map_or(&[][..], |(_, found)| found)
    };
    let mut forms = 0;
    for form in flow_forms() {
        // So that a diagnostic is that of the mistake, an example makes one.
        let steps = |text: &str| text.lines().filter(|line| line.starts_with(char::is_numeric)).count();
        let found = named(form);
        let single = found.iter().filter(|text| steps(text) == 1 || form == "Begins where").count();
        assert!(found.len() >= 3 && single == found.len(), "{form}: {} of three mistakes", found.len());
        forms += 1;
    }
    // None is declared and not listed.
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/formwork-language/src/flows");
    let declared = std::fs::read_dir(folder).expect("a folder").map(|entry| {
        let text = std::fs::read_to_string(entry.expect("an entry").path()).expect("UTF-8");
        text.matches(": Form = Form {").count()
    });
    assert_eq!(declared.sum::<usize>(), forms);
}

#[test]
fn standing_steps_and_handlers_have_three_mistakes_each() {
    let language = mistakes(LANGUAGE);
    for title in ["Standing steps", "Handlers"] {
        let count = language.get(title).map_or(0, Vec::len);
        assert!(count >= 3, "{title}: {count} of three mistakes");
    }
}

#[test]
fn every_rule_over_rows_and_every_field_with_a_promise_has_three_mistakes() {
    let rules = mistakes(RULES);
    let labels = EntityRuleKind::ALL.map(|kind| kind.label());
    for title in labels.into_iter().chain(["Overlap"]).chain(FIELDS) {
        let count = rules.get(title).map_or(0, Vec::len);
        assert!(count >= 3, "{title}: {count} of three mistakes");
    }
}
