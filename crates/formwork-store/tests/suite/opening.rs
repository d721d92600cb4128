//! Opening: what only adds is applied, anything else is refused with its reason.

use crate::harness::{Room, answer, document, field, program, text};
use crate::place::Place;
use formwork_language::program::Program;
use formwork_language::value::{Value, same};
use formwork_store::{OpenError, Store};
use std::sync::Arc;

pub(crate) fn notes(more_fields: &str, more_entities: &str) -> Arc<Program> {
    program(&document(
        "### Operation: `add` — `POST /notes`\n\n**Input:**\n- `name` (string) | its name | required\n\n\
         **Output:** `201` with the `note`\n\n**Behavior:**\n1. Anyone may call this.\n\
         2. Creates a `note` with `name = input.name`.\n3. Returns `201` with the `note`.\n\n\
         ### Operation: `read` — `GET /notes/{name}`\n\n**Input:**\n- `name` (string) | its name | required\n\n\
         **Output:** the `note`\n\n**Behavior:**\n1. Anyone may call this.\n\
         2. Finds the `note` where `name == input.name`, or fails with `404 no_note`.\n3. Returns the `note`.\n",
        &format!(
            "### Entity: `note`\n\n**Fields:**\n- `id` (uuid) | identity | primary key, generated\n\
             - `name` (string) | its name | required, unique\n{more_fields}\n\n{more_entities}"
        ),
    ))
}

fn open(place: &Place, program: Arc<Program>) -> Result<Store, OpenError> {
    Store::open(place.options(), program)
}

fn refused(place: &Place, program: Arc<Program>) -> OpenError {
    open(place, program).expect_err("the store must not open")
}

#[tokio::test]
async fn what_only_adds_is_applied_at_the_next_start() {
    let room = Room::new(notes("", ""));
    answer(&room.run("add", &[("name", text("old"))]).await);
    let more = "- `rank` (integer) | its rank | required, default 7\n- `label` (string) | a label | optional, indexed";
    let tag = "### Entity: `tag`\n\n**Fields:**\n- `id` (uuid) | identity | primary key, generated\n\
        - `note_id` (uuid) | the note | required, references `note.id`\n";
    let room = room.reopened(notes(more, tag)).await;
    let read = room.run("read", &[("name", text("old"))]).await;
    assert!(same(&field(&room, &read, "rank"), &Value::Integer(7)));
    assert!(same(&field(&room, &read, "label"), &Value::Null));
    assert_eq!(room.count("tag"), 0);
    answer(&room.run("add", &[("name", text("new"))]).await);
    // And a third time, when nothing is left to add.
    let room = room.reopened(notes(more, tag)).await;
    assert_eq!(room.count("note"), 2);
}

/// A program of one table and no operation that its required fields could hinder.
fn table(fields: &str) -> Arc<Program> {
    program(&document(
        "",
        &format!("### Entity: `note`\n\n**Fields:**\n- `id` (uuid) | identity | primary key\n{fields}\n"),
    ))
}

#[test]
fn what_does_more_than_add_is_refused_with_every_difference() {
    let place = &Place::new();
    drop(open(place, table("- `rank` (integer) | its rank | optional")).unwrap());
    let changed =
        table("- `rank` (string) | its rank | required\n- `size` (integer) | its size | required, unique");
    let OpenError::SchemaChanged(lines) = refused(place, changed) else { panic!() };
    let expected = [
        "`note.rank` was `integer` and is `string` now",
        "`note.rank` was optional and is required now",
        "`note.size` is new and required, and rows that exist have no value for it",
        "`note` has a new key: unique note(size) (that alone would be added)",
    ];
    assert_eq!(lines, expected);
    let OpenError::SchemaChanged(lines) = refused(place, table("")) else { panic!() };
    assert_eq!(lines, ["`note.rank` is gone from the document"]);
    assert!(open(place, table("- `rank` (integer) | its rank | optional")).is_ok());
}

#[test]
fn values_may_be_added_to_an_enum_but_not_taken_away() {
    let place = &Place::new();
    drop(open(place, table("- `state` (enum(a, b)) | its state | required")).unwrap());
    drop(open(place, table("- `state` (enum(a, c, b)) | its state | required")).unwrap());
    let error = refused(place, table("- `state` (enum(a, b)) | its state | required"));
    assert!(matches!(error, OpenError::SchemaChanged(_)), "{error}");
}
