//! Opening: what only adds is applied, anything else is refused with its reason, and the folder has one user.

use crate::harness::{Room, answer, document, field, program, text};
use formwork_language::program::Program;
use formwork_language::value::{Value, same};
use formwork_store::{OpenError, Options, Store};
use std::path::Path;
use std::sync::Arc;

fn notes(more_fields: &str, more_entities: &str) -> Arc<Program> {
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

fn open(folder: &Path, program: Arc<Program>) -> Result<Store, OpenError> {
    Store::open(Options::new(folder.join("data.sqlite")), program)
}

fn refused(folder: &Path, program: Arc<Program>) -> OpenError {
    open(folder, program).expect_err("the store must not open")
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
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    drop(open(folder, table("- `rank` (integer) | its rank | optional")).unwrap());
    let changed =
        table("- `rank` (string) | its rank | required\n- `size` (integer) | its size | required, unique");
    let OpenError::SchemaChanged(lines) = refused(folder, changed) else { panic!() };
    let expected = [
        "`note.rank` was `integer` and is `string` now",
        "`note.rank` was optional and is required now",
        "`note.size` is new and required, and rows that exist have no value for it",
        "`note` has a new key: unique note(size)",
    ];
    assert_eq!(lines, expected);
    let OpenError::SchemaChanged(lines) = refused(folder, table("")) else { panic!() };
    assert_eq!(lines, ["`note.rank` is gone from the document"]);
    assert!(open(folder, table("- `rank` (integer) | its rank | optional")).is_ok());
}

#[test]
fn values_may_be_added_to_an_enum_but_not_taken_away() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    drop(open(folder, table("- `state` (enum(a, b)) | its state | required")).unwrap());
    drop(open(folder, table("- `state` (enum(a, c, b)) | its state | required")).unwrap());
    let error = refused(folder, table("- `state` (enum(a, b)) | its state | required"));
    assert!(matches!(error, OpenError::SchemaChanged(_)), "{error}");
}

#[test]
fn a_folder_has_one_user_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path(), notes("", "")).unwrap();
    assert!(matches!(refused(folder.path(), notes("", "")), OpenError::InUse(_)));
    drop(first);
    assert!(open(folder.path(), notes("", "")).is_ok());
}

#[test]
fn what_is_no_database_of_ours_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.sqlite");
    std::fs::write(
        &path,
        "certainly no database, but long enough to have a header of one hundred bytes ".repeat(4),
    )
    .unwrap();
    assert!(matches!(refused(folder.path(), notes("", "")), OpenError::NotADatabase(_)));
    std::fs::remove_file(&path).unwrap();
    let foreign = rusqlite::Connection::open(&path).unwrap();
    foreign.execute_batch("CREATE TABLE other (x)").unwrap();
    drop(foreign);
    let before = std::fs::read(&path).unwrap();
    assert!(matches!(refused(folder.path(), notes("", "")), OpenError::NotADatabase(_)));
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn a_database_of_a_newer_version_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path(), notes("", "")).unwrap());
    let connection = rusqlite::Connection::open(folder.path().join("data.sqlite")).unwrap();
    connection.execute(r#"UPDATE "_formwork" SET "value" = '2' WHERE "name" = 'format'"#, []).unwrap();
    drop(connection);
    let error = refused(folder.path(), notes("", ""));
    assert!(matches!(error, OpenError::Newer { found: 2, known: 1, .. }), "{error}");
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    // A file where the folder should be: permissions do not stop every user.
    std::fs::write(folder.path().join("blocked"), "").unwrap();
    let error = refused(&folder.path().join("blocked"), notes("", ""));
    assert!(matches!(error, OpenError::NotWritable { .. }), "{error}");
    assert!(error.to_string().contains("blocked"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_folder_that_is_made_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let above = tempfile::tempdir().expect("a folder");
    let folder = above.path().join("data").join("notes");
    drop(open(&folder, notes("", "")).expect("a store"));
    for made in [folder.as_path(), folder.parent().expect("a folder above")] {
        let mode = std::fs::metadata(made).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{}", made.display());
    }
}
