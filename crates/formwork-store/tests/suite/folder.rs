//! The data folder: one user at a time, nothing of others touched, for its owner only.

use crate::opening::notes;
use formwork_language::program::Program;
use formwork_store::{OpenError, Options, Store};
use std::path::Path;
use std::sync::Arc;

fn open(folder: &Path, program: Arc<Program>) -> Result<Store, OpenError> {
    Store::open(Options::new(folder.join("data.sqlite")), program)
}

fn refused(folder: &Path, program: Arc<Program>) -> OpenError {
    open(folder, program).expect_err("the store must not open")
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
