//! That `unsafe` stands in its one place, and that every package denies it elsewhere.

use crate::tidy::files;
use std::path::Path;

/// The files that may allow `unsafe`, which the workspace denies. CONTRIBUTING.md names them.
const UNSAFE: &[&str] = &["crates/formwork-store/tests/suite/vfs.rs"];

/// Files that allow `unsafe` and are not the one, and packages for which it is not denied.
pub(crate) fn unsafe_code() -> Vec<String> {
    let mut faults = Vec::new();
    for file in files(Path::new(".")) {
        let name = file.display().to_string();
        let name = name.trim_start_matches("./").to_owned();
        let Ok(text) = std::fs::read_to_string(&file) else { continue };
        let allows = text
            .lines()
            .any(|line| line.trim_start().starts_with("#") && line.contains("allow(unsafe_code)"));
        if name.ends_with(".rs") && allows && !UNSAFE.contains(&&*name) {
            faults.push(format!("{name} allows `unsafe`"));
        }
        if name.ends_with("/Cargo.toml") && !text.contains("[lints]\nworkspace = true") {
            faults.push(format!("{name} does not take over the lints of the workspace, which deny `unsafe`"));
        }
        if name == "Cargo.toml" && !text.contains("\nunsafe_code = \"deny\"\n") {
            faults.push(format!("{name} does not deny `unsafe`"));
        }
    }
    faults
}
