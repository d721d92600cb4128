//! Markdown that nobody writes by hand ends in bounded time and memory, whatever is asked of it: `check`,
//! `export model` and `fmt`, as a user runs them.
//!
//! Time is that of the child's processor, so that other work on the machine does not count; memory is the most that it
//! had at once. Both come from `/proc`, so that elsewhere than on Linux only the ending is held against the promise.

use crate::process::{command, formwork_with_input, signal};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// The documents are as large as the promise says in a release build; a debug build is some twenty times slower.
const LARGE: usize = if cfg!(debug_assertions) { 20 } else { 1 };

/// The most processor time of one command, several times what it takes.
const MOST_TIME: Duration = Duration::from_secs(25);

/// The most memory of one command, as `docs/reference/check.md` says: for each byte of the document, where one is
/// written anew as well, and beside it.
const MOST_BYTES_FOR_EACH: u64 = 256;
const MOST_BYTES_WRITING: u64 = 640;
const MOST_BYTES_BESIDE: u64 = 64 << 20;

/// How long a command may hang before it is ended.
const PATIENCE: Duration = Duration::from_secs(400);

/// One document at a time: some take more than a gigabyte.
static ALONE: Mutex<()> = Mutex::new(());

/// What a command took.
struct Taken {
    code: Option<i32>,
    time: Duration,
    memory: u64,
}

/// Runs a command to its end and looks at it meanwhile. The kernel tells what a process has used only as long as there
/// is one, so that there is no event to wait for.
fn taken(arguments: &[&str]) -> Taken {
    let mut child =
        command(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    let (mut time, mut memory) = (Duration::ZERO, 0);
    let begin = Instant::now();
    while let Some((state, so_far)) = state(&child) {
        time = so_far;
        memory = peak(&child).unwrap_or(0).max(memory);
        if state == 'Z' {
            break;
        }
        if begin.elapsed() > PATIENCE {
            signal(child.id(), "KILL");
        }
        std::thread::sleep(Duration::from_millis(3));
    }
    Taken { code: child.wait().expect("it ends").code(), time, memory }
}

/// The most memory that a process had so far, in bytes.
fn peak(child: &Child) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? * 1024)
}

/// The state of a process, and its processor time, which the kernel counts in hundredths of a second.
fn state(child: &Child) -> Option<(char, Duration)> {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).ok()?;
    // The name of the program stands in parentheses before the rest and may hold anything.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: u64 = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    Some((fields.first()?.chars().next()?, Duration::from_millis(ticks * 10)))
}

/// Every command ends well with the document, or says that it has errors, and takes no more than is promised.
fn ends(name: &str, text: &str) {
    let _alone = ALONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("odd.md");
    std::fs::write(&path, text).expect("writable");
    let path: &str = path.to_str().expect("UTF-8");
    for arguments in [&["check", path][..], &["export", "model", path], &["fmt", "--check", path]] {
        let taken = taken(arguments);
        let what = format!("{name}, {}: {:?}, {} MiB", arguments[0], taken.time, taken.memory >> 20);
        assert!(matches!(taken.code, Some(0 | 1)), "{what}: {:?}", taken.code);
        assert!(taken.time < MOST_TIME, "{what}");
        let for_each = if arguments[0] == "check" { MOST_BYTES_FOR_EACH } else { MOST_BYTES_WRITING };
        let most = MOST_BYTES_BESIDE + for_each * text.len() as u64;
        assert!(taken.memory < most, "{what}, at most {} MiB", most >> 20);
    }
}

fn many(number: usize, piece: impl Fn(usize) -> String) -> String {
    (0..number / LARGE).map(piece).collect()
}

#[test]
fn lists_10_000_deep_and_other_nesting() {
    ends("lists on one line", &format!("{}x\n", "- ".repeat(10_000)));
    ends(
        "lists",
        &(0..10_000 / LARGE.max(5)).map(|depth| format!("{}- x\n", "  ".repeat(depth))).collect::<String>(),
    );
    ends("numbered lists", &format!("{}x\n", "1. ".repeat(10_000)));
    ends("quotes", &format!("{}x\n", "> ".repeat(100_000)));
    ends("quotes on many lines", &format!("{}x\n", "> ".repeat(64)).repeat(20_000 / LARGE));
}

#[test]
fn inline_marks_that_never_close() {
    let many = 300_000 / LARGE;
    for piece in
        ["[", "(", "`a", "*a ", "**a_b ", "<a ", "<!-- ", "[a](b", "![", "\\", "\"a ", "a: ", "&amp;", "a\r"]
    {
        ends(piece, &piece.repeat(many));
    }
    ends("brackets", &format!("{}{}", "[".repeat(many), "]".repeat(many)));
    ends("emphasis", &format!("{}b{}", "*a **a ".repeat(many / 4), " a** a*".repeat(many / 4)));
    ends("code", &(1..3_000 / LARGE).map(|ticks| "`".repeat(ticks) + " ").collect::<String>());
}

#[test]
fn one_line_of_50_megabytes() {
    ends("one line", &"word `a` (b) ".repeat(50_000_000 / 13 / LARGE));
}

#[test]
fn a_table_of_100_000_columns_and_one_of_as_many_rows() {
    let row = |cell: &str| format!("|{}\n", format!("{cell}|").repeat(100_000 / LARGE));
    ends("columns", &[row("a"), row("-"), row("b")].concat());
    ends("short rows", &[row("a"), row("-"), "|b|\n".repeat(2_000)].concat());
    ends("rows", &format!("|a|b|\n|-|-|\n{}", "|x|y|\n".repeat(100_000 / LARGE)));
    let fields = "## 6) Data Model\n\n### Entity: `thing`\n\n**Fields:**\n\n";
    ends("a table of fields", &[fields, &row("a"), &row("-"), &row("b")].concat());
}

#[test]
fn entities_fields_operations_and_flows_by_the_100_000() {
    let data = "## 6) Data Model\n\n";
    let entity =
        |number| format!("### Entity: `thing{number}`\n\n**Fields:**\n- `id` (uuid) | x | primary key\n\n");
    ends("entities", &[data, &many(100_000, entity)].concat());
    let field = |number| format!("- `f{number}` (strnig{number}) | x | required, default `now`\n");
    ends("fields", &[data, &entity(1), &many(100_000, field)].concat());
    let relation = |number| format!("- `a{number}` has many `b{number}`\n");
    ends("relationships", &[data, &entity(1), "### Relationships\n", &many(100_000, relation)].concat());
    let operation = |number| {
        format!(
            "#### Operation: `op{number}` — `GET /a{number}`\n\n**Behavior:**\n1. Finds the `thign{number}` where `id == 1`, or fails with `404 x`.\n\n"
        )
    };
    let public = "## 4) Primary Interface/API\n\n";
    ends("operations", &[public, &many(10_000, operation), data, &many(10_000, entity)].concat());
    let flow = |number| format!("### Flow: f{number}\n\n1. `user` calls `op{number}` → `200`\n\n");
    ends("flows", &["## 7) Canonical Flows\n\n", &many(30_000, flow)].concat());
    let grant = |number| format!("- `role{number}`: `do_{number}`\n");
    ends("grants", &["## 9) Security\n\n### Authorization (AuthZ)\n", &many(100_000, grant)].concat());
}

#[test]
fn one_behaviour_of_100_000_steps() {
    let head = "## 4) Primary Interface/API\n\n#### Operation: `a` — `POST /a`\n\n**Behavior:**\n";
    let steps = |step: &dyn Fn(usize) -> String| [head, &many(100_000, step)].concat();
    ends("failing", &steps(&|_| "1. Fails with `409 x`.\n".to_owned()));
    ends("choosing", &steps(&|number| format!("1. If `{number} == 1`, fails with `409 x`.\n")));
    ends("naming", &steps(&|number| format!("1. Lets `v{number}` be `{number} + 1`.\n")));
    ends(
        "deep expression",
        &format!("{head}1. Requires `{}1{}`.\n", "(".repeat(100_000), ")".repeat(100_000)),
    );
    ends("long expression", &format!("{head}1. Requires `{}1 > 1`.\n", "1 + ".repeat(100_000)));
}

#[test]
fn headings_labels_and_definitions_by_the_million() {
    ends("link definitions", &many(1_000_000, |number| format!("[a{number}]: /x\n")));
    ends("headings", &many(300_000, |number| format!("{} h\n", "#".repeat(number % 6 + 1))));
    ends("labels", &many(100_000, |_| "**Goals:** x\n\n".to_owned()));
    ends(
        "sections",
        &many(30_000, |number| format!("## {}) Data Model\n\n### Entity: `a{number}`\n\n", number % 16)),
    );
    ends("placeholders", &many(100_000, |_| "- [Something here] TBD\n".to_owned()));
    let diagram = many(100_000, |number| format!("a{number} --> b{number}\n"));
    ends("diagram", &format!("## 2) System Overview\n\n```mermaid\ngraph LR\n{diagram}```\n"));
    let boxes = ["┌──┐", "│ab│", "└──┘", "-->x"].map(|piece| piece.repeat(500) + "\n").concat();
    ends("boxes", &format!("## 2) System Overview\n\n```\n{}```\n", boxes.repeat(200 / LARGE)));
}

#[test]
fn a_document_over_the_limit_is_refused_in_words() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("huge.md");
    // A file with a hole: as large as it says, and nothing on the disk.
    std::fs::File::create(&path).and_then(|file| file.set_len(200 << 20)).expect("writable");
    let refused = |arguments: &[&str]| {
        let ended = formwork_with_input(arguments, b"");
        assert_eq!(ended.code, 2, "{}", ended.errors);
        assert!(ended.errors.contains("larger than 128 MiB, the most that is read"), "{}", ended.errors);
        assert_eq!(ended.output, "");
    };
    let path: &Path = &path;
    let path = path.to_str().expect("UTF-8");
    refused(&["check", path]);
    refused(&["export", "model", path]);
    refused(&["fmt", path]);
    // A pipe does not tell its length beforehand.
    let piped = formwork_with_input(&["check", "-"], &vec![b'\n'; (128 << 20) + 1]);
    assert_eq!(piped.code, 2, "{}", piped.errors);
    assert!(piped.errors.contains("standard input is larger than 128 MiB"), "{}", piped.errors);
}
