//! Ports and folders that do not play along: one clear line each, exit code 2.

use crate::process::{Ended, Place, formwork};
use std::net::TcpListener;

fn run(place: &Place, listen: &str) -> Ended {
    let any = "127.0.0.1:0";
    let document = place.document.to_str().expect("UTF-8");
    formwork(&[
        "run",
        document,
        "--quiet",
        "--listen",
        listen,
        "--internal-listen",
        any,
        "--admin-listen",
        any,
        "--data",
        place.data_text(),
    ])
}

fn is_one_clear_line(ended: &Ended) {
    assert_eq!((ended.code, ended.output.as_str()), (2, ""), "{}", ended.errors);
    assert_eq!(ended.errors.lines().count(), 1, "{}", ended.errors);
}

#[test]
fn a_taken_port_is_named_and_nothing_is_created() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("bound").to_string();
    let place = Place::new();
    let ended = run(&place, &address);
    is_one_clear_line(&ended);
    assert!(ended.errors.contains(address.rsplit(':').next().expect("a port")), "{}", ended.errors);
    assert!(!place.data.exists());
}

#[test]
fn a_data_folder_in_use_is_refused_and_its_owner_lives_on() {
    let place = Place::new();
    let server = place.start();
    let ended = run(&place, "127.0.0.1:0");
    is_one_clear_line(&ended);
    assert!(ended.errors.contains("in use"), "{}", ended.errors);
    assert_eq!(server.call("", "GET", "/nothing-here", None).status, 404);
    assert!(place.data.join("run.json").exists(), "the owner's run.json is not touched");
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    // A file where the folder's parent should be: refuses the superuser too, unlike permissions.
    let mut place = Place::new();
    let file = place.folder.path().join("file");
    std::fs::write(&file, "").expect("writable");
    place.data = file.join("data");
    let ended = run(&place, "127.0.0.1:0");
    is_one_clear_line(&ended);
    assert!(ended.errors.contains(place.data_text()) || ended.errors.contains("file"), "{}", ended.errors);
}

#[test]
fn a_read_only_data_folder_is_named() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    let place = Place::new();
    let mode = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("ours");
    };
    std::fs::create_dir(&place.data).expect("writable");
    mode(&place.data, 0o555);
    mode(place.folder.path(), 0o755);
    let any = "127.0.0.1:0";
    let document = place.document.to_str().expect("UTF-8");
    let arguments = ["run", document, "--quiet", "--listen", any, "--internal-listen", any];
    let mut command = crate::process::command(&arguments);
    command.args(["--admin-listen", any, "--data", place.data_text()]);
    // The superuser may write anywhere, so it asks somebody else, who may not reach the binary where it lies.
    if std::fs::write(place.data.join("probe"), "").is_ok() {
        std::fs::remove_file(place.data.join("probe")).expect("just written");
        let copy = place.folder.path().join("formwork");
        std::fs::copy(env!("CARGO_BIN_EXE_formwork"), &copy).expect("room for it");
        let mut other = std::process::Command::new(copy);
        other.args(command.get_args()).uid(65_534).gid(65_534);
        command = other;
    }
    let ended = Ended::from(command.output().expect("starts"));
    is_one_clear_line(&ended);
    assert!(ended.errors.contains(place.data_text()), "{}", ended.errors);
}

#[test]
fn a_database_of_a_newer_version_is_refused() {
    let place = Place::new();
    place.start().stop();
    let file = database(&place);
    let connection = rusqlite::Connection::open(&file).expect("a database");
    let newer = "UPDATE _formwork SET value = '1000000' WHERE name = 'format'";
    assert_eq!(connection.execute(newer, []).expect("writable"), 1);
    connection.close().expect("closed");
    let ended = run(&place, "127.0.0.1:0");
    is_one_clear_line(&ended);
    assert!(ended.errors.contains("newer"), "{}", ended.errors);
}

#[test]
fn the_data_lies_beside_the_document_by_default() {
    let place = Place::new();
    let any = "127.0.0.1:0";
    let mut child = crate::process::command(&["run"])
        .arg(&place.document)
        .args(["--listen", any, "--internal-listen", any, "--admin-listen", any])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("starts");
    let mut line = String::new();
    let mut output = std::io::BufReader::new(child.stdout.take().expect("piped"));
    std::io::BufRead::read_line(&mut output, &mut line).expect("readable");
    assert!(place.folder.path().join(".formwork/shortlink/run.json").exists(), "{line}");
    crate::process::signal(child.id(), "INT");
    assert_eq!(child.wait().expect("ends").code(), Some(0));
}

/// The database file in a data folder.
pub(crate) fn database(place: &Place) -> std::path::PathBuf {
    let files = std::fs::read_dir(&place.data).expect("there").map(|entry| entry.expect("there").path());
    let is_database = |path: &std::path::PathBuf| {
        std::fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"SQLite format 3\0"))
    };
    files.into_iter().find(is_database).expect("a database in the folder")
}
