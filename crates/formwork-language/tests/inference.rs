//! Behaviours in prose whose steps the other facts determine, and those that are left alone, each with its reason.

mod outline;

use formwork_language::behaviour::{Behaviour, Compiled, Inference};
use formwork_language::program::Mode;

/// The data model of a small library, with an operation before it.
fn library(operation: &str) -> String {
    format!(
        "## 4) Primary Interface/API\n\n{operation}\n\n## 6) Data Model\n\n\
         ### Entity: `rack`\n\n**Fields:**\n\
         - `id` (uuid) | identity | primary key, generated\n\
         - `name` (string) | what it is called | required, unique\n\
         - `room` (string) | where it stands | required\n\
         - `note` (string) | remarks | optional\n\
         - `placed_at` (timestamp) | when it was put up | set to now on create\n\n\
         ### Entity: `book`\n\n**Fields:**\n\
         - `isbn` (string) | identity | primary key\n\
         - `title` (string) | title | required\n\
         - `rack_id` (uuid) | where it stands | required, references `rack.id`\n\n\
         ### Entity: `loan`\n\n**Fields:**\n\
         - `loan_id` (uuid) | identity | primary key\n\
         - `reader` (string) | who has it | required\n\
         - `due_on` (date) | when it is back | required\n\
         - `created_at` (timestamp) | when it was lent | required\n"
    )
}

fn compile(operation: &str) -> (Compiled, Behaviour) {
    let compiled = outline::compile(&library(operation));
    let behaviour = compiled.behaviours.first().expect("an operation").clone();
    (compiled, behaviour)
}

/// The steps inferred of an operation, one a line.
#[track_caller]
fn steps(operation: &str) -> String {
    let (compiled, behaviour) = compile(operation);
    match &behaviour.inference {
        Inference::Steps(inferred) => {
            assert_eq!(behaviour.mode, Mode::Inferred);
            let program = compiled.program.operations.first().expect("an operation");
            assert!(!program.code.instructions.is_empty(), "what is shown is what runs");
            inferred.steps.join("\n")
        }
        other => panic!("{operation}\n{other:?}"),
    }
}

/// Why an operation is not inferred.
#[track_caller]
fn reason(operation: &str) -> String {
    let (compiled, behaviour) = compile(operation);
    match &behaviour.inference {
        Inference::Refused(reason) => {
            assert_eq!(behaviour.mode, Mode::Mocked);
            assert!(compiled.program.operations[0].code.instructions.is_empty(), "nothing to enforce");
            reason.to_string()
        }
        other => panic!("{operation}\n{other:?}"),
    }
}

const PUT_UP: &str = "### Operation: `create_rack` — `POST /racks`\n\n\
    **Input:**\n- `name` (string) | name | required\n- `room` (string) | room | required\n- `note` (string) | note | optional\n\n\
    **Output:** `201` with the `rack`\n\n";

#[test]
fn create_takes_the_row_from_the_input() {
    assert_eq!(
        steps(&format!(
            "{PUT_UP}**Behavior:** Stores the rack, an important thing in any country. Answers `409 name_taken` when the name is already used."
        )),
        "Creates a `rack` from the input, or fails with `409 name_taken`.\nReturns `201` with the `rack`."
    );
}

#[test]
fn a_missing_behaviour_is_inferred_like_prose() {
    assert_eq!(steps(PUT_UP), "Creates a `rack` from the input.\nReturns `201` with the `rack`.");
}

#[test]
fn a_key_and_an_age_that_only_the_system_can_give_are_given() {
    let lend = "### Operation: `createLoan`\n\n`POST /loans`\n\n\
        **Input:**\n- `reader` (string) | who | required\n- `due_on` (date) | until | required\n\n**Output:** the loan\n";
    assert_eq!(
        steps(lend),
        "Creates a `loan` from the input with `loan_id = uuid()`, `created_at = now()`.\nReturns `201` with the `loan`."
    );
}

#[test]
fn read_finds_the_row_by_its_key() {
    let get = |path: &str, name: &str| {
        format!(
            "### Operation: `{name}` — `GET {path}`\n\n**Output:** the `rack`\n\n**Behavior:** Looks it up."
        )
    };
    let by_id =
        "Finds the `rack` where `id == input.id`, or fails with `404 rack_not_found`.\nReturns the `rack`.";
    assert_eq!(steps(&get("/racks/{id}", "get_rack")), by_id);
    assert_eq!(steps(&get("/v1/racks/{rack_id}", "fetchRack")), by_id.replace("input.id", "input.rack_id"));
    assert_eq!(
        steps(&get("/racks/{name}", "get_rack_by_name")),
        by_id.replace("id == input.id", "name == input.name")
    );
    assert_eq!(
        steps(
            "### Operation: `get_book` — `GET /books/{isbn}`\n\n**Output:** the book\n\n**Behavior:** `404 no_such_book` if nobody has it."
        ),
        "Finds the `book` where `isbn == input.isbn`, or fails with `404 no_such_book`.\nReturns the `book`."
    );
}

#[test]
fn list_filters_by_the_inputs_that_are_fields() {
    let list = "### Operation: `list_racks` — `GET /racks`\n\n\
        **Input:**\n- `room` (string) | where | optional\n\n**Output:** a page of `rack`\n\n**Behavior:** The newest come first.";
    assert_eq!(
        steps(list),
        "Lists the `rack` where `input.room == null || room == input.room`, newest first, 50 per page, as `found`.\n\
         Returns the `found`."
    );
    let below = "### `GET /racks/{rack_id}/books`\n\n**Output:** a list of `book`\n";
    assert_eq!(
        steps(below),
        "Lists the `book` where `rack_id == input.rack_id`, as `found`.\nReturns the `found`."
    );
}

#[test]
fn a_collection_inside_another_belongs_to_it() {
    let add = "### Operation: `add_book` — `POST /racks/{id}/books`\n\n\
        **Input:**\n- `isbn` (string) | number | required\n- `title` (string) | title | required\n\n**Output:** the book\n";
    assert_eq!(
        steps(add),
        "Creates a `book` from the input with `rack_id = input.id`.\nReturns `201` with the `book`."
    );
}

#[test]
fn update_changes_what_was_sent_and_delete_answers_nothing() {
    let update = "### Operation: `update_rack` — `PATCH /racks/{id}`\n\n\
        **Input:**\n- `room` (string) | where | optional\n- `note` (string) | note | optional\n\n**Output:** the updated rack\n";
    assert_eq!(
        steps(update),
        "Finds the `rack` where `id == input.id`, or fails with `404 rack_not_found`.\n\
         Updates the `rack` from the input.\nReturns the `rack`."
    );
    assert_eq!(
        steps("### Operation: `delete_rack` — `DELETE /racks/{id}`\n\n**Output:** nothing\n"),
        "Finds the `rack` where `id == input.id`, or fails with `404 rack_not_found`.\n\
         Deletes the `rack`.\nReturns nothing."
    );
}

#[test]
fn what_the_prose_promises_beyond_the_deed_is_not_left_out() {
    for (prose, word) in [
        ("Only librarians may do this.", "only"),
        ("Stores the rack and sends a letter to the reader.", "sends"),
        ("A full room is `422 room_full`.", "422 room_full"),
        ("Stores it unless the room is closed.", "unless"),
        ("It is part of `racks_total`.", "racks_total"),
        ("Stores the rack. Finds `who` has it.", "begins like a step"),
    ] {
        let reason = reason(&format!("{PUT_UP}**Behavior:** {prose}"));
        assert!(reason.contains(word), "{prose}: {reason}");
    }
}

#[test]
fn what_is_not_determined_says_why() {
    let lacking = "### Operation: `create_rack` — `POST /racks`\n\n**Input:**\n- `name` (string) | name | required\n\n**Output:** the `rack`\n";
    assert_eq!(reason(lacking), "`rack` needs `room`, which nothing gives");
    let loose = PUT_UP.replace("| room | required", "| room | optional");
    assert_eq!(reason(&loose), "`room` is required and input may leave it out");
    let more = PUT_UP.replace("`note` (string) | note", "`colour` (string) | colour");
    assert_eq!(reason(&more), "input `colour` is no field of `rack`");
    for (operation, expected) in [
        (
            "### Operation: `paint_rack` — `POST /racks/{id}/paint`\n\n**Output:** the `rack`\n",
            "`paint_rack` is not create, read, list, update or delete",
        ),
        (
            "### Operation: `get_rack` — `POST /racks/{id}`\n\n**Output:** the `rack`\n",
            "`POST` does not fit the name `get_rack`",
        ),
        (
            "### Operation: `get_rack` — `GET /books/{isbn}`\n\n**Output:** the `book`\n",
            "it is about `rack` and `book`",
        ),
        (
            "### Operation: `get_rack` — `GET /racks/{colour}`\n\n**Output:** the `rack`\n",
            "input `colour` is no field of `rack`",
        ),
        (
            "### Operation: `get_rack` — `GET /racks/{room}`\n\n**Output:** the `rack`\n",
            "no input is a key of `rack`",
        ),
        (
            "### Operation: `get_reader` — `GET /readers/{id}`\n\n**Output:** the reader\n",
            "the data model has no entity `reader`",
        ),
        (
            "### Operation: `list_racks` — `GET /me/racks`\n\n**Output:** a list of `rack`\n",
            "`me` of the path says more than which `racks`",
        ),
        (
            "### Operation: `get_rack` — `GET /racks/{id}`\n\n**Output:** the rack with its weight\n",
            "its Output says more than the `rack`: “weight”",
        ),
        (
            "### Operation: `list_books` — `GET /books`\n\n**Output:** a page of `book`, newest first\n",
            "no field of `book` says which is the newest",
        ),
        ("### Operation: `list_racks`\n", "neither a route nor an Output says what is answered"),
    ] {
        assert_eq!(reason(operation), expected);
    }
}

#[test]
fn who_may_call_is_kept_and_nothing_is_opened() {
    let (compiled, _) =
        compile(&format!("{PUT_UP}**Behavior:** Requires role `librarian`. Stores the rack."));
    let rule = &compiled.program.operations[0].access;
    assert!(!rule.public);
    assert_eq!(rule.roles, [vec!["librarian".into()]]);
    let (compiled, behaviour) =
        compile(&format!("{PUT_UP}**Behavior:** Requires `input.room != \"cellar\"`. Stores it."));
    assert_eq!(behaviour.mode, Mode::Inferred);
    let code = format!("{:?}", compiled.program.operations[0].code.instructions);
    assert!(code.contains("403"), "the condition is a step of what runs: {code}");
    let (compiled, _) = compile(PUT_UP);
    assert!(!compiled.program.operations[0].access.public, "no rule makes it public");
}

#[test]
fn rows_are_kept_from_callers_whom_only_prose_refuses() {
    let with = |grants: &str| {
        let section = "## 9) Security, Governance, Cost Controls\n\n### Authorization (AuthZ)\n";
        let compiled = outline::compile(&format!("{}\n{section}{grants}\n", library(PUT_UP)));
        let operation = &compiled.program.operations[0];
        (operation.mode, operation.access.public, operation.access.roles.clone())
    };
    assert_eq!(with("- Readers see their own loans, librarians everything."), (Mode::Mocked, false, vec![]));
    let librarian: Vec<std::sync::Arc<str>> = vec!["librarian".into()];
    assert_eq!(with("- `librarian`: `create_rack`"), (Mode::Inferred, false, vec![librarian]));
}

#[test]
fn a_demand_that_is_understood_holds_for_a_mocked_operation_too() {
    let paint = "### Operation: `paint_rack` — `POST /racks/{id}/paint`\n\n**Input:**\n- `colour` (string) | colour | required\n\n\
        **Output:** the `rack`\n\n**Behavior:** Requires `input.colour != \"red\"`, or fails with `403 not_red`. Paints it.";
    let (compiled, behaviour) = compile(paint);
    assert_eq!(behaviour.mode, Mode::Mocked);
    let operation = &compiled.program.operations[0];
    assert!(format!("{:?}", operation.code.instructions).contains("not_red"));
    assert!(operation.errors.iter().any(|error| error.status == 403));
    assert!(!operation.writes);
}

#[test]
fn a_parameter_of_the_path_has_the_type_of_the_key_that_it_names() {
    let (compiled, _) =
        compile("### Operation: `list_books` — `GET /racks/{id}/books`\n\n**Output:** a list of `book`\n");
    assert_eq!(compiled.program.operations[0].input.fields[0].ty.to_string(), "uuid");
}

#[test]
fn written_steps_need_no_input_that_the_path_says_already() {
    let source = library(
        "### Operation: `get_rack` — `GET /racks/{rack_id}`\n\n**Output:** the rack\n\n**Behavior:** Looks it up.\n",
    );
    let written = with_steps(&source);
    let after = outline::compile(&written);
    assert_eq!((&after.notes, after.behaviours[0].mode), (&vec![], Mode::Executed), "{written}");
}

/// The document with the steps written into it.
fn with_steps(source: &str) -> String {
    let compiled = outline::compile(source);
    let Inference::Steps(inferred) = &compiled.behaviours[0].inference else { panic!("inferred") };
    let mut text = source.to_owned();
    for (span, insert) in inferred.edits.iter().rev() {
        text.replace_range(span.range(), insert);
    }
    text
}

#[test]
fn steps_written_into_the_document_are_executed_and_mean_the_same() {
    for behaviour in [
        "",
        "**Behavior:**\n",
        "**Behavior:** Stores the rack. The name is the reader's word for it\n",
        "**Behavior:**\n1. Requires role `librarian`.\n2. Stores the rack\n",
        "**Behavior:**\n- Stores the rack.\n- Every rack has a name.\n\n**Example Schema:**\n```json\n{\"name\": \"A\", \"room\": \"1\"}\n```\n",
        "#### Behavior\n\nStores the rack.\n\nEvery rack\nhas a name.\n",
    ] {
        let source = library(&format!("{PUT_UP}{behaviour}"));
        let (before, written) = (outline::compile(&source), with_steps(&source));
        let after = outline::compile(&written);
        assert_eq!(after.notes, [], "{written}");
        assert_eq!(after.behaviours[0].mode, Mode::Executed, "{written}");
        let (before, after) = (&before.program.operations[0], &after.program.operations[0]);
        let code =
            |operation: &formwork_language::program::Operation| format!("{:?}", operation.code.instructions);
        assert_eq!(code(before), code(after), "{written}");
        assert_eq!(before.access, after.access);
        assert_eq!(before.errors, after.errors);
    }
}

#[test]
fn what_something_else_carries_is_not_served() {
    let endpoint = |transport: &str| {
        let source = format!(
            "## 5) Internal Service APIs\n\n### Internal interface: label reader\n\n**Request:** the picture\n\n\
             **Response:** the text on it\n\n**Transport:** {transport}\n"
        );
        let compiled = outline::compile(&source);
        let paths = compiled.program.operations.iter().map(|operation| format!("{:?}", operation.path));
        (paths.collect::<Vec<_>>(), compiled.behaviours[0].program)
    };
    assert_eq!(endpoint("Function call."), (vec![], None));
    assert_eq!(
        endpoint("HTTP on the internal listener"),
        (vec!["[Fixed(\"label_reader\")]".into()], Some(0))
    );
}

#[test]
fn what_is_declared_twice_leaves_a_schema_that_a_store_can_hold() {
    let source = "## 6) Data Model\n\n### Entity: `note`\n\n**Fields:**\n- `text` (string) | a | required\n- `Text` (integer) | b | required\n\n\
        ### Entity: `Note`\n\n**Fields:**\n- `kind` (enum) | c | required, one of `short`, `long`\n- `state` (enum) | d | required\n";
    let schema = outline::compile(source).program.schema;
    let tables: Vec<String> = schema
        .entities
        .iter()
        .map(|entity| {
            let fields: Vec<String> =
                entity.fields.iter().map(|field| format!("{} {}", field.name, field.ty)).collect();
            format!("{}: {}", entity.name, fields.join(", "))
        })
        .collect();
    assert_eq!(
        tables,
        ["note: id uuid, text string", "Note (2): id uuid, kind enum(short, long), state string"]
    );
}
