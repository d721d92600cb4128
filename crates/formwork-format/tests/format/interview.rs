//! The interview: what is asked, in which order, and what answers look like in the document.

use formwork_format::{Kind, Question, answered, blank, next_question};

fn ask(text: &str, from: u32) -> Question {
    next_question(text, from).expect("something is open")
}

#[test]
fn the_first_question_of_the_blank_form_is_the_name() {
    let form = blank(None);
    let question = ask(&form, 0);
    assert_eq!((question.prompts, question.kind), (vec!["Project Name".to_owned()], Kind::Line));
}

#[test]
fn an_interview_goes_through_the_whole_form_and_leaves_nothing_to_ask() {
    let mut text = blank(Some("Ledger"));
    let mut from = 0;
    let mut asked = 0;
    while let Some(question) = next_question(&text, from) {
        asked += 1;
        assert!(asked < 200, "the interview does not end: {question:?}");
        assert!(question.span.start >= from);
        (text, from) = answered(&text, &question, "An answer");
    }
    assert!(asked > 40, "{asked}");
    assert_eq!(next_question(&text, 0), None, "{text}");
    assert!(!text.contains("**["), "{text}");
}

#[test]
fn skipping_everything_changes_nothing_and_ends() {
    let form = blank(None);
    let (mut from, mut asked) = (0, 0);
    while let Some(question) = next_question(&form, from) {
        let (text, next) = answered(&form, &question, " \n");
        assert_eq!(text, form);
        assert!(next > from || asked == 0);
        from = next;
        asked += 1;
    }
    assert!(asked > 40, "{asked}");
}

fn after(text: &str, answer: &str) -> String {
    answered(text, &ask(text, 0), answer).0
}

#[test]
fn a_prompt_for_a_list_becomes_its_items() {
    let text =
        "## 1) Goals / Non-Goals\n\n### Goals\n**[List 4-6 primary objectives]**\n\n### Non-Goals\n- x\n";
    assert_eq!(
        after(text, "be fast\n- be exact"),
        "## 1) Goals / Non-Goals\n\n### Goals\n- be fast\n- be exact\n\n### Non-Goals\n- x\n"
    );
}

#[test]
fn a_prompt_goes_with_the_list_that_explains_it() {
    let text = "## 0) Executive Summary\n\n**[Write 2-3 paragraphs explaining:]**\n- What problem?\n- Which solution?\n\n---\n";
    assert_eq!(after(text, "One.\nTwo."), "## 0) Executive Summary\n\nOne.\n\nTwo.\n\n---\n");
}

#[test]
fn items_that_are_prompts_are_one_question() {
    let text =
        "### Link\n\n**Responsibilities:**\n- [Key responsibility 1]\n- [Key responsibility 2]\n\nend\n";
    assert_eq!(ask(text, 0).prompts.len(), 2);
    assert_eq!(after(text, "Owns links"), "### Link\n\n**Responsibilities:**\n- Owns links\n\nend\n");
}

#[test]
fn steps_are_numbered_below_their_label() {
    let text = "#### Operation: `a`\n\n**Behavior:** [What happens?]\n";
    assert_eq!(
        after(text, "Finds the `link`.\n2. Returns it."),
        "#### Operation: `a`\n\n**Behavior:**\n1. Finds the `link`.\n2. Returns it.\n"
    );
}

#[test]
fn facts_behind_a_label_are_one_line_or_a_list() {
    let text = "#### Operation: `a`\n\n**Input:** [What?]\n";
    assert_eq!(after(text, "None"), "#### Operation: `a`\n\n**Input:** None\n");
    assert_eq!(
        after(text, "`a` (string)\n`b` (uuid)"),
        "#### Operation: `a`\n\n**Input:**\n- `a` (string)\n- `b` (uuid)\n"
    );
}

#[test]
fn an_item_is_written_once_for_each_name_and_its_instruction_goes() {
    let text = "## 6) Data Model\n\n**[For each major data entity, define:]**\n\n### Entity: `entity_name`\n\n**Relationships:** [How?]\n\n---\n\n## 7) Canonical Flows\n";
    let (named, from) = answered(text, &ask(text, 0), "link\nvisit");
    assert_eq!(
        named,
        "## 6) Data Model\n\n### Entity: `link`\n\n**Relationships:** [How?]\n\n### Entity: `visit`\n\n**Relationships:** [How?]\n\n---\n\n## 7) Canonical Flows\n"
    );
    let next = ask(&named, from);
    assert_eq!(next.place, ["6) Data Model", "Entity: link", "Relationships"]);
}

#[test]
fn a_name_may_come_with_its_route() {
    let text = "## 4) Primary Interface/API\n\n#### Operation: `operation_name`\n";
    assert!(
        after(text, "create_link POST /links").ends_with("#### Operation: `create_link` — `POST /links`\n")
    );
    let text = "## 5) Internal Service APIs\n\n### API Endpoint: `METHOD /path`\n";
    assert!(after(text, "GET /internal/x").ends_with("### API Endpoint: `GET /internal/x`\n"));
}

#[test]
fn what_is_complete_asks_nothing() {
    for example in formwork_format::EXAMPLES {
        assert_eq!(next_question(example.text, 0), None);
    }
}
