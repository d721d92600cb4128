//! Every example of `docs/` is true of the binary's rooms, and every link of a page leads somewhere.

use formwork_documents::judge;
use std::path::{Path, PathBuf};

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

/// The pages for authors: those of the index, `reference` and `guide`.
fn pages() -> Vec<(String, String)> {
    let mut paths = vec![docs().join("README.md")];
    for folder in ["reference", "guide"] {
        let listed = std::fs::read_dir(docs().join(folder)).expect("the folder is there");
        paths.extend(listed.map(|entry| entry.expect("it can be listed").path()));
    }
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    paths.sort();
    let read = |path: PathBuf| {
        let name = path.strip_prefix(docs()).expect("it is below").display().to_string();
        (name, std::fs::read_to_string(&path).expect("a page is UTF-8"))
    };
    paths.into_iter().map(read).collect()
}

#[test]
fn every_example_is_true() {
    let only = std::env::var("PAGE").unwrap_or_default();
    let mut faults = Vec::new();
    let mut held = 0;
    for (path, text) in pages().iter().filter(|(path, _)| path.contains(&only)) {
        let judged = judge::page(path, text);
        held += judged.held;
        faults.extend(judged.faults);
    }
    assert!(faults.is_empty(), "{} of {held} examples are not true:\n{}", faults.len(), faults.join("\n"));
    assert!(!only.is_empty() || held > 60, "only {held} examples were read");
}

#[test]
fn every_link_of_a_page_leads_to_a_file_and_a_heading() {
    let mut faults = Vec::new();
    for (path, text) in pages() {
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.contains("://") || link.contains(' ') {
                continue;
            }
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let here = docs().join(&path);
            let target = if file.is_empty() { here } else { here.parent().expect("a folder").join(file) };
            match std::fs::read_to_string(&target) {
                Err(_) if !target.is_dir() => faults.push(format!("{path}: {link}: no such file")),
                Ok(there) if !heading.is_empty() && !headings(&there).contains(&heading.to_owned()) => {
                    faults.push(format!("{path}: {link}: no such heading"));
                }
                _ => {}
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The anchors of a page's headings, as forges make them.
fn headings(page: &str) -> Vec<String> {
    let anchor = |title: &str| {
        let kept = title.trim().to_lowercase();
        kept.chars()
            .filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'))
            .map(|letter| if letter == ' ' { '-' } else { letter })
            .collect()
    };
    page.lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| anchor(line.trim_start_matches('#')))
        .collect()
}
