//! The matrix of roles and operations is what is served, and a system that lets others in is found out.

use formwork_check::{Analysis, analyse, analyse_fragment};
use formwork_documents::systems::Systems;
use formwork_language::program::{Surface, matrix};
use formwork_prove::{ConditionReport, ContractReport, Provoked, run_contract};
use std::path::Path;

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    std::fs::read_to_string(path).expect("a document is UTF-8")
}

/// Notes with conditions, scopes, mocked and inferred operations.
fn notes() -> String {
    read("crates/formwork-server/tests/documents/access.md")
}

/// Holds what serves one document against another.
fn held(document: &Analysis, served: &Analysis) -> ContractReport {
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    runtime.block_on(run_contract(document, &Systems { analysis: served })).expect("a system")
}

#[test]
fn every_pair_of_the_examples_is_let_in_or_refused_as_granted() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let listed = std::fs::read_dir(folder).expect("the examples");
    let paths = listed.map(|entry| entry.expect("listed").path());
    let mut documents = 0;
    for path in paths.filter(|path| path.extension().is_some_and(|it| it == "md")) {
        let document = analyse(std::fs::read_to_string(&path).expect("UTF-8").into());
        let report = held(&document, &document);
        assert!(report.is_fine(), "{}", report.to_text(&path.display().to_string()));
        let program = &document.compiled.program;
        let public = program.operations.iter().filter(|it| it.surface == Surface::Public).count();
        assert!(report.pairs.len() >= public * (program.roles.len() + 2), "{}", path.display());
        documents += 1;
    }
    assert!(documents >= 3, "only {documents} examples were read");
}

#[test]
fn conditions_and_scopes_are_told_and_held() {
    let document = analyse_fragment(notes().into());
    let report = held(&document, &document);
    assert!(report.is_fine(), "{}", report.to_text("notes"));
    let model = formwork_export::model(&document);
    let rows = model["access"].as_array().expect("a matrix");
    assert_eq!(rows.len(), matrix(&document.compiled.program).len());
    let of = |name: &str| rows.iter().find(|row| row["operation"] == name).expect("an operation");
    let read = of("read_note");
    assert_eq!(read["anonymous"]["access"], "refused");
    assert_eq!(read["no_role"]["access"], "refused");
    assert_eq!(read["roles"]["admin"]["access"], "allowed");
    assert_eq!(read["roles"]["member"]["access"], "allowed_when");
    assert_eq!(read["roles"]["member"]["when"][0], "note.owner == caller.id");
    assert_eq!(of("see_poster")["anonymous"]["access"], "allowed");
    assert_eq!(of("count_notes")["no_role"]["scopes"][0], "notes:count");
    assert_eq!(of("audit_notes")["roles"]["admin"]["scopes"][0], "notes:audit");
    assert_eq!(of("audit_notes")["roles"]["member"]["access"], "refused");
    assert_eq!(of("forgotten")["roles"]["admin"]["access"], "refused");
    assert_eq!(of("hours")["anonymous"]["access"], "allowed");
    assert!(model["access"][0]["roles"].get("visitor").is_none(), "a word for anyone is no role");
    let open = of("open_note");
    assert_eq!(open["anonymous"], open["no_role"]);
    assert_eq!(open["anonymous"]["access"], "allowed_when");
    assert_eq!(open["anonymous"]["when"][0], "note.shelf == \"window\"");
    assert_eq!(open["roles"]["member"]["when"].as_array().map(Vec::len), Some(2));
    let described = formwork_export::openapi(&document);
    assert_eq!(described["paths"]["/hours"]["get"]["security"][0], serde_json::json!({}));
}

#[test]
fn a_system_that_lets_others_in_or_keeps_them_out_falls_short() {
    let document = analyse_fragment(notes().into());
    for (from, to, operation) in [
        ("- `admin` may `write_note`,", "- `admin` may `forgotten`, `write_note`,", "forgotten"),
        ("`clear_shelf`\n", "`list_notes`\n", "clear_shelf"),
        ("1. Anyone may call this.", "1. Requires a signed-in caller.", "see_poster"),
        ("- scope `notes:count`", "- scope `notes:other`", "count_notes"),
    ] {
        assert!(notes().contains(from), "{from}");
        let other = analyse_fragment(notes().replacen(from, to, 1).into());
        let report = held(&document, &other);
        let wrong: Vec<_> = report.pairs.iter().filter(|pair| !pair.holds).collect();
        assert!(wrong.iter().any(|pair| pair.operation == operation), "{from}: {wrong:?}");
        assert!(wrong.iter().all(|pair| pair.operation == operation), "{from}: {wrong:?}");
    }
}

#[test]
fn a_row_that_meets_a_condition_is_served_and_one_that_does_not_is_refused() {
    let document = analyse_fragment(notes().into());
    let report = held(&document, &document);
    assert!(report.is_fine(), "{}", report.to_text("notes"));
    let open: Vec<&str> = report
        .conditions
        .iter()
        .filter(|it| it.verdict != Provoked::Held)
        .map(|it| it.operation.as_str())
        .collect();
    // One clears a shelf, whatever lies there; of the other nobody may end the first part.
    assert_eq!(open, ["clear_shelf", "stamp_note"], "{}", report.to_text("notes"));
    assert_eq!(report.conditions.len(), 18);
    let told = report.to_text("notes");
    assert!(told.ends_with("16 of 18 conditions serve a row that meets them and refuse one that does not"));
}

#[test]
fn a_system_that_does_not_hold_a_condition_is_found_out() {
    let document = analyse_fragment(notes().into());
    for (from, to, operation) in [
        (
            "`stamp_note` when `note.owner == caller.id`",
            "`stamp_note` when `note.owner != \"\"`",
            "read_note",
        ),
        (
            "`stamp_note` when `note.owner == caller.id`",
            "`stamp_note` when `note.owner != \"\"`",
            "list_notes",
        ),
        ("when `poster.owner == caller.id`", "when `poster.text != \"\"`", "delete_poster"),
        ("when `note.shelf == \"window\"`", "when `note.shelf != \"\"`", "open_note"),
        ("when `input.name == caller.id`", "when `input.name != \"\"`", "greet"),
    ] {
        assert!(notes().contains(from), "{from}");
        let other = analyse_fragment(notes().replacen(from, to, 1).into());
        let report = held(&document, &other);
        assert!(!report.is_fine());
        let broken = |it: &&ConditionReport| matches!(it.verdict, Provoked::Broken(_));
        let wrong: Vec<_> = report.conditions.iter().filter(broken).map(|it| &*it.operation).collect();
        assert!(wrong.contains(&operation), "{operation}: {}", report.to_text("notes"));
    }
}
