//! What an author does to a document with the binary: `new`, `fmt`, `check --fix` and `check --watch`.

use crate::process::{Ended, command, formwork, formwork_with_input, shortlink};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use tempfile::TempDir;

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> String {
        std::fs::write(self.path(name), text).expect("writable");
        self.name(name)
    }

    fn name(&self, name: &str) -> String {
        self.path(name).to_str().expect("UTF-8").to_owned()
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).expect("readable")
    }

    fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).expect("readable");
        entries
            .map(|entry| entry.expect("readable").file_name().to_str().expect("UTF-8").to_owned())
            .collect()
    }
}

fn example() -> String {
    std::fs::read_to_string(shortlink()).expect("the example is there")
}

const UNTIDY: &str =
    "# T\n\n## 6) Data Model\n### Entity: `link`\n\n**Fields:**\n* `slug` (text): the name\n";
const TIDY: &str =
    "# T\n\n## 6) Data Model\n\n### Entity: `link`\n\n**Fields:**\n- `slug` (string) | the name\n";

#[test]
fn fmt_writes_the_canonical_notation_into_the_file_and_nothing_beside_it() {
    let folder = Folder::new();
    let file = folder.write("untidy.md", UNTIDY);
    let ended = formwork(&["fmt", &file]);
    assert_eq!((ended.code, ended.output.as_str()), (0, ""), "{}", ended.errors);
    assert_eq!(ended.errors, format!("formatted {file}\n"));
    assert_eq!(folder.read("untidy.md"), TIDY);
    assert_eq!(folder.files(), ["untidy.md"]);
    let again = formwork(&["fmt", &file]);
    assert_eq!((again.code, again.output.as_str(), again.errors.as_str()), (0, "", ""));
}

#[test]
fn fmt_check_writes_nothing_and_fails_where_something_would_change() {
    let folder = Folder::new();
    let (untidy, tidy) = (folder.write("untidy.md", UNTIDY), folder.write("tidy.md", TIDY));
    let ended = formwork(&["fmt", "--check", &tidy, &untidy]);
    assert_eq!(ended.code, 1);
    assert_eq!(ended.output, format!("{untidy} is not in canonical notation\n"));
    assert_eq!(folder.read("untidy.md"), UNTIDY);
    assert_eq!(formwork(&["fmt", "--check", &tidy]).code, 0);
}

#[test]
fn fmt_to_standard_output_leaves_the_file_alone() {
    let folder = Folder::new();
    let file = folder.write("untidy.md", UNTIDY);
    assert_eq!(formwork(&["fmt", "--stdout", &file]).output, TIDY);
    assert_eq!(folder.read("untidy.md"), UNTIDY);
    assert_eq!(formwork_with_input(&["fmt", "-"], UNTIDY.as_bytes()).output, TIDY);
    let escapes = "# T\n\n\u{1b}[31mred\u{1b}[0m\n";
    assert_eq!(formwork_with_input(&["fmt", "-"], escapes.as_bytes()).output, escapes);
}

#[test]
fn fmt_goes_on_behind_a_file_that_cannot_be_read() {
    let folder = Folder::new();
    let file = folder.write("untidy.md", UNTIDY);
    let ended = formwork(&["fmt", "/does/not/exist.md", &file]);
    assert_eq!(ended.code, 2);
    assert!(ended.errors.contains("/does/not/exist.md"), "{}", ended.errors);
    assert_eq!(folder.read("untidy.md"), TIDY);
}

#[cfg(unix)]
#[test]
fn fmt_keeps_permissions_and_follows_links() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = Folder::new();
    folder.write("untidy.md", UNTIDY);
    std::fs::set_permissions(folder.path("untidy.md"), std::fs::Permissions::from_mode(0o640))
        .expect("settable");
    symlink(folder.path("untidy.md"), folder.path("link.md")).expect("a link");
    assert_eq!(formwork(&["fmt", &folder.name("link.md")]).code, 0);
    let metadata = std::fs::symlink_metadata(folder.path("untidy.md")).expect("there");
    assert_eq!(metadata.permissions().mode() & 0o777, 0o640);
    assert!(std::fs::symlink_metadata(folder.path("link.md")).expect("there").is_symlink());
    assert_eq!(folder.read("untidy.md"), TIDY);
}

fn slipped() -> String {
    example().replacen("Finds the `link` where", "Finds the `lnik` where", 1)
}

#[test]
fn check_fix_mends_the_file_and_says_what_it_did() {
    let folder = Folder::new();
    let file = folder.write("slipped.md", &slipped());
    let ended = formwork(&["check", "--fix", &file]);
    assert_eq!((ended.code, ended.output.as_str()), (0, "no findings\n"), "{}", ended.errors);
    assert!(ended.errors.starts_with(&format!("fixed {file}:")), "{}", ended.errors);
    assert!(ended.errors.contains("there is no entity `lnik`"), "{}", ended.errors);
    assert_eq!(folder.read("slipped.md"), example());
    let again = formwork(&["check", "--fix", &file]);
    assert_eq!((again.code, again.errors.as_str()), (0, ""));
}

#[test]
fn check_fix_of_standard_input_answers_the_document() {
    let ended = formwork_with_input(&["check", "--fix", "-"], slipped().as_bytes());
    assert_eq!((ended.code, ended.output), (0, example()));
    assert!(ended.errors.ends_with("no findings\n"), "{}", ended.errors);
}

#[test]
fn check_without_fix_changes_nothing() {
    let folder = Folder::new();
    let file = folder.write("slipped.md", &slipped());
    assert_eq!(formwork(&["check", &file]).code, 1);
    assert_eq!(folder.read("slipped.md"), slipped());
}

/// A `check --watch`, with its lines; ended when dropped.
struct Watch(Child, BufReader<std::process::ChildStdout>);

impl Watch {
    fn start(file: &str) -> Self {
        let mut child = command(&["--quiet", "check", "--watch", file])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary starts");
        let output = child.stdout.take().expect("piped");
        Self(child, BufReader::new(output))
    }

    /// The next summary; waits for it.
    fn summary(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert!(self.1.read_line(&mut line).expect("readable") > 0, "the watch ended");
            let is_summary = line == "no findings\n" || line.contains(" error") && !line.contains("error[");
            if is_summary {
                return line.trim().to_owned();
            }
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn check_watch_checks_again_after_each_change() {
    let folder = Folder::new();
    let file = folder.write("watched.md", &slipped());
    let mut watch = Watch::start(&file);
    assert_eq!(watch.summary(), "1 error");
    folder.write("watched.md", &example());
    assert_eq!(watch.summary(), "no findings");
    folder.write("other.md", &slipped());
    std::fs::rename(folder.path("other.md"), folder.path("watched.md")).expect("renamed");
    assert_eq!(watch.summary(), "1 error");
}

#[test]
fn check_watch_cannot_watch_standard_input() {
    let ended = formwork_with_input(&["check", "--watch", "-"], b"# T\n");
    assert_eq!(ended.code, 2);
    assert_eq!(ended.errors, "error: standard input cannot be watched; name a file\n");
}

#[test]
fn new_writes_the_form_with_the_name_and_never_over_a_file() {
    let folder = Folder::new();
    let file = folder.name("ledger.md");
    let made = formwork(&["new", "Ledger", "--output", &file]);
    assert_eq!((made.code, made.output.as_str()), (0, ""), "{}", made.errors);
    assert!(folder.read("ledger.md").starts_with("# Ledger – Technical Architecture\n"));
    let checked = formwork(&["check", &file]);
    assert_eq!(checked.code, 0, "{}", checked.output);
    let again = formwork(&["new", "Other", "--output", &file]);
    assert_eq!(again.code, 2);
    assert!(again.errors.contains("is there already"), "{}", again.errors);
    assert!(folder.read("ledger.md").contains("Ledger"));
    assert_eq!(formwork(&["new", "Other", "--force", "--output", &file]).code, 0);
    assert!(folder.read("ledger.md").starts_with("# Other – "));
}

#[test]
fn new_names_the_file_after_the_name() {
    let folder = Folder::new();
    let ended: Ended =
        command(&["new", "My Shop"]).current_dir(folder.0.path()).output().expect("the binary ends").into();
    assert_eq!(ended.code, 0, "{}", ended.errors);
    assert_eq!(folder.files(), ["my-shop.md"]);
}

#[test]
fn new_writes_the_example_which_is_sound() {
    let made = formwork(&["new", "--example", "shortlink", "--output", "-"]);
    assert_eq!((made.code, made.output), (0, example()));
    assert_eq!(formwork(&["new", "--example", "nothing"]).code, 2);
}

fn interview(folder: &Folder, input: &str) -> Ended {
    formwork_with_input(&["new", "--interview", "--output", &folder.name("a.md")], input.as_bytes())
}

#[test]
fn an_interview_puts_answers_in_the_file_and_goes_on_where_it_stopped() {
    let folder = Folder::new();
    let first = interview(&folder, "Ledger\nIt keeps accounts.\nIt never forgets.\n\n:quit\n");
    assert_eq!(first.code, 0, "{}", first.errors);
    assert!(first.errors.contains("What problem does this system solve?"), "{}", first.errors);
    let text = folder.read("a.md");
    let expected = "# Ledger – Technical Architecture\n\n## 0) Executive Summary\n\nIt keeps accounts.\n\nIt never forgets.\n\n---\n";
    assert!(text.starts_with(expected), "{text}");

    let second = interview(&folder, ":skip\nbe everything\n\n");
    assert!(second.errors.contains("continuing"), "{}", second.errors);
    assert!(!second.errors.contains("What problem does this system solve?"), "{}", second.errors);
    let text = folder.read("a.md");
    assert!(
        text.contains("### Goals\n**[List 4-6 primary objectives the system MUST achieve]**\n"),
        "{text}"
    );
    assert!(text.contains("### Non-Goals\n- be everything\n"), "{text}");

    let third = interview(&folder, "be exact\nbe fast\n\n");
    assert!(folder.read("a.md").contains("### Goals\n- be exact\n- be fast\n"), "{}", third.errors);
    assert_eq!(folder.files(), ["a.md"]);
}

#[test]
fn an_interview_makes_a_part_for_each_name() {
    let folder = Folder::new();
    folder.write(
        "a.md",
        "# A\n\n## 3) Core Components\n\n**[For each major component, create a section with:]**\n\n### Component Name\n\n**Purpose:** [What does this component do?]\n",
    );
    let ended = interview(&folder, "Ledger\nReporter\n\nKeeps accounts.\nReports.\n");
    assert_eq!(ended.code, 0, "{}", ended.errors);
    assert!(ended.errors.contains("nothing is left to ask"), "{}", ended.errors);
    assert_eq!(
        folder.read("a.md"),
        "# A\n\n## 3) Core Components\n\n### Ledger\n\n**Purpose:** Keeps accounts.\n\n### Reporter\n\n**Purpose:** Reports.\n"
    );
}

#[test]
fn an_interview_needs_a_file() {
    let ended = formwork(&["new", "--interview", "--output", "-"]);
    assert_eq!(ended.code, 2);
    assert!(ended.errors.contains("name one with --output"), "{}", ended.errors);
}
