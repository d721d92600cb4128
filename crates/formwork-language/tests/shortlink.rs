//! The example document compiles without a note, every step of it is understood, and its program is as reviewed.

mod outline;

use formwork_language::program::Mode;
use formwork_model::Class;

const SOURCE: &str = include_str!("../../../examples/shortlink.md");

#[test]
fn nothing_in_shortlink_is_worth_a_note() {
    assert_eq!(outline::notes(SOURCE, &outline::compile(SOURCE)), "");
}

#[test]
fn every_step_of_shortlink_is_understood() {
    let compiled = outline::compile(SOURCE);
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
    let compiled = outline::compile(SOURCE);
    assert_eq!(compiled.flows.len(), 4);
    for step in compiled.flows.iter().flat_map(|flow| flow.steps.iter().chain(&flow.errors)) {
        assert!(step.action.is_some(), "{}", step.text);
    }
}

#[test]
fn the_program_of_shortlink_is_as_reviewed() {
    let compiled = outline::compile(SOURCE);
    insta::assert_snapshot!(outline::program(&compiled.program));
}

#[test]
fn the_flows_of_shortlink_are_as_reviewed() {
    insta::assert_snapshot!(outline::flows(&outline::compile(SOURCE)));
}
