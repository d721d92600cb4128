//! The rules of the house that no compiler checks; each function gives one line per fault.

use crate::unsafe_code::unsafe_code;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The rooms, lowest first. A room may import only rooms that stand before it; `formwork-export`, `formwork-engine`
/// and `formwork-prove` import no room between `formwork-check` and themselves beyond those listed in [`BARRED`].
const ROOMS: &[&str] = &[
    "formwork-syntax",
    "formwork-model",
    "formwork-language",
    "formwork-check",
    "formwork-export",
    "formwork-format",
    "formwork-engine",
    "formwork-store",
    "formwork-server",
    "formwork-prove",
    "formwork-simulate",
    "formwork",
];

/// Edges that point down the list and are barred all the same.
const BARRED: &[(&str, &str)] = &[
    ("formwork-engine", "formwork-check"),
    ("formwork-engine", "formwork-export"),
    ("formwork-engine", "formwork-format"),
    ("formwork-store", "formwork-check"),
    ("formwork-store", "formwork-export"),
    ("formwork-store", "formwork-format"),
    ("formwork-server", "formwork-export"),
    ("formwork-server", "formwork-format"),
    ("formwork-prove", "formwork-export"),
    ("formwork-prove", "formwork-format"),
    ("formwork-prove", "formwork-engine"),
    ("formwork-prove", "formwork-store"),
    ("formwork-prove", "formwork-server"),
    ("formwork-simulate", "formwork-export"),
    ("formwork-simulate", "formwork-format"),
    ("formwork-simulate", "formwork-prove"),
];

/// A foreign library is known by one room (and by `bench` and tests).
const KNOWN_BY_ONE: &[(&str, &str)] = &[
    ("pulldown-cmark", "formwork-syntax"),
    ("annotate-snippets", "formwork-check"),
    ("rusqlite", "formwork-store"),
    ("clap", "formwork"),
    ("anyhow", "formwork"),
];

/// Rooms that touch no file, clock, network, environment or global state.
const PURE: &[&str] = &[
    "formwork-syntax",
    "formwork-model",
    "formwork-language",
    "formwork-check",
    "formwork-export",
    "formwork-format",
];

/// What a pure room must not name.
const IMPURE: &[&str] = &[
    "std::fs",
    "std::net",
    "std::env::",
    "SystemTime",
    "Instant::now",
    "std::process",
    "Timestamp::now",
    "Zoned::now",
];

/// Marks of unfinished work.
const UNFINISHED: &[&str] = &["todo!(", "unimplemented!(", "FIXME", "XXX", "#[ignore"];

/// Suites that a second one runs word for word on PostgreSQL: folder, the second one's, and what only a file can break.
const TWINS: &[(&str, &str, &[&str])] = &[
    ("crates/formwork-store/tests/suite", "suite_postgres", &["durability", "folder", "vfs"]),
    ("crates/formwork-server/tests/http", "http_postgres", &[]),
];

/// Every fault of the repository.
pub(crate) fn run() -> Vec<String> {
    let mut faults = edges();
    faults.extend(unsafe_code());
    for (folder, twin, of_files) in TWINS {
        faults.extend(left_out(Path::new(folder), twin, of_files));
    }
    for file in files(Path::new(".")) {
        let Ok(text) = std::fs::read_to_string(&file) else { continue };
        let name = file.display().to_string();
        let name = name.trim_start_matches("./");
        match file.extension().and_then(|extension| extension.to_str()) {
            Some("rs") => faults.extend(source(name, &text)),
            Some("md") => faults.extend(paths(name, &text)),
            _ => {}
        }
    }
    faults
}

fn edges() -> Vec<String> {
    let output =
        Command::new("cargo").args(["metadata", "--no-deps", "--format-version", "1", "--offline"]).output();
    let Ok(output) = output else { return vec!["cargo metadata does not run".into()] };
    let Ok(metadata) = serde_json::from_slice::<serde_json::Value>(&output.stdout) else {
        return vec!["cargo metadata gives no JSON".into()];
    };
    let mut faults = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        let Some(rank) = ROOMS.iter().position(|room| *room == name) else { continue };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let used = dependency["name"].as_str().unwrap_or_default();
            let for_tests = dependency["kind"].as_str() == Some("dev");
            let above = ROOMS.iter().position(|room| *room == used).is_some_and(|other| other >= rank);
            if above && !for_tests {
                faults.push(format!("{name} imports {used}, which stands above it"));
            }
            if BARRED.contains(&(name, used)) && !for_tests {
                faults.push(format!("{name} imports {used}; that edge is barred"));
            }
            if let Some((_, room)) = KNOWN_BY_ONE.iter().find(|(library, _)| *library == used)
                && *room != name
                && !for_tests
            {
                faults.push(format!("{name} imports {used}, which {room} alone knows"));
            }
        }
    }
    faults
}

/// The modules of a suite that the second one does not name.
fn left_out(folder: &Path, twin: &str, of_files: &[&str]) -> Vec<String> {
    let main = folder.with_file_name(twin).join("main.rs");
    let Ok(named) = std::fs::read_to_string(&main) else {
        return vec![format!("{} cannot be read", main.display())];
    };
    let suite = folder.file_name().unwrap_or_default().to_string_lossy();
    let modules = files(folder).into_iter().filter_map(|file| {
        let is_module = file.extension().is_some_and(|extension| extension == "rs");
        is_module.then(|| file.file_stem().unwrap_or_default().to_string_lossy().into_owned())
    });
    // Where the rows are is each suite's own.
    let shared = modules.filter(|module| !["main", "place"].contains(&&**module));
    let missing = shared.filter(|module| {
        !of_files.contains(&&**module) && !named.contains(&format!("\"../{suite}/{module}.rs\""))
    });
    missing.map(|module| format!("{}: does not run `{suite}/{module}.rs`", main.display())).collect()
}

fn source(name: &str, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if name.starts_with("xtask/") {
        return faults;
    }
    if !text.starts_with("//!") {
        faults.push(format!("{name}: does not open by saying what it is (`//!`)"));
    }
    let pure = PURE.iter().any(|room| name.starts_with(&format!("crates/{room}/src/")));
    for (number, line) in text.lines().enumerate() {
        for mark in UNFINISHED.iter().filter(|mark| line.contains(**mark)) {
            faults.push(format!("{name}:{}: unfinished: {mark}", number + 1));
        }
        for call in IMPURE.iter().filter(|call| pure && line.contains(**call)) {
            faults.push(format!("{name}:{}: a pure room names {call}", number + 1));
        }
    }
    faults
}

/// Every path of the repository that a page names in backticks must exist.
fn paths(name: &str, text: &str) -> Vec<String> {
    let roots = ["crates/", "docs/", "bench/", "examples/", "xtask/"];
    let mut faults = Vec::new();
    let is_page = name.starts_with("docs/") || !name.contains('/');
    if !is_page || name == "CHANGELOG.md" {
        return faults;
    }
    for (number, line) in text.lines().enumerate() {
        for code in line.split('`').skip(1).step_by(2) {
            let named =
                roots.iter().any(|root| code.starts_with(root)) && !code.contains(['<', '{', '*', ' ', '…']);
            if named && !Path::new(code.trim_end_matches('/')).exists() {
                faults.push(format!("{name}:{}: `{code}` does not exist", number + 1));
            }
        }
    }
    faults
}

/// Files of the repository, without what is built and what is hidden, sorted.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if path.is_dir() {
                if !name.starts_with('.') && name != "target" && name != "node_modules" {
                    folders.push(path);
                }
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
