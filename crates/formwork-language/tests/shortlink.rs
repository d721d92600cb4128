//! The example document compiles without a note, and every step of it is understood.

use formwork_language::behaviour::Compiled;
use formwork_language::program::Mode;
use formwork_model::Class;

const SOURCE: &str = include_str!("../../../examples/shortlink.md");

fn shortlink() -> Compiled {
    let document = formwork_syntax::parse(SOURCE, &|label| formwork_model::is_label(label));
    formwork_language::compile(SOURCE, &formwork_model::read(SOURCE, &document))
}

#[test]
fn nothing_in_shortlink_is_worth_a_note() {
    let notes: Vec<String> = shortlink()
        .notes
        .iter()
        .map(|note| format!("{:?} at {:?}", note.kind, note.span.slice(SOURCE)))
        .collect();
    assert_eq!(notes, Vec::<String>::new());
}

#[test]
fn every_step_of_shortlink_is_understood() {
    let compiled = shortlink();
    assert_eq!(compiled.behaviours.len(), 7);
    assert!(compiled.behaviours.iter().all(|behaviour| behaviour.mode == Mode::Executed));
    let steps = compiled.behaviours.iter().flat_map(|behaviour| &behaviour.steps);
    let standing = compiled.standing.iter().flat_map(|standing| &standing.steps);
    for step in steps.chain(standing) {
        assert_eq!(step.class, Class::Understood, "{}", step.span.slice(SOURCE));
    }
    assert_eq!(compiled.program.jobs.len(), 1);
}

#[test]
fn every_flow_step_of_shortlink_is_carried_out() {
    let compiled = shortlink();
    assert_eq!(compiled.flows.len(), 4);
    for step in compiled.flows.iter().flat_map(|flow| flow.steps.iter().chain(&flow.errors)) {
        assert!(step.action.is_some(), "{}", step.text);
    }
}
