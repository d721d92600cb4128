//! The laws of the catalogue: codes, pages, and that every page does what it says.

use formwork_check::{CATALOGUE, Diagnostic, Entry, Severity, analyse, analyse_fragment, explain};
use std::collections::BTreeSet;
use std::path::Path;

/// Codes whose examples are judged as whole documents: they are about what is missing.
const ABOUT_THE_WHOLE: [&str; 5] = ["FW0101", "FW0417", "FW1602", "FW1603", "FW1604"];

/// The code whose example is too long for a page, which has a recipe of it.
const GENERATED: &str = "FW0413";

/// The code that no document can raise: it is kept for a word of the language that has no entry of its own, and
/// `every_word_of_the_language_has_an_entry_of_its_own` holds that there is none. It is raised from a note of its own
/// in `src/gate.rs`; no other code may stand here.
const UNREACHABLE: &str = "FW2013";

fn with_example() -> impl Iterator<Item = &'static Entry> {
    CATALOGUE.iter().copied().filter(|entry| entry.code != GENERATED && entry.code != UNREACHABLE)
}

#[test]
fn codes_are_unique_sorted_and_well_formed() {
    let codes: Vec<&str> = CATALOGUE.iter().map(|entry| entry.code).collect();
    assert!(codes.windows(2).all(|pair| pair[0] < pair[1]), "{codes:?}");
    for code in codes {
        assert!(code.len() == 6 && code.starts_with("FW"), "{code}");
        assert!(code[2..].chars().all(|digit| digit.is_ascii_digit()), "{code}");
    }
}

#[test]
fn every_code_has_a_page_that_names_it_and_shows_before_and_after() {
    for entry in CATALOGUE {
        assert!(entry.page.starts_with(&format!("# {}: {}\n", entry.code, entry.title)), "{}", entry.code);
        assert_eq!(explain(&entry.code.to_lowercase()), Some(entry.page));
    }
    for entry in with_example() {
        assert!(!example(entry, "Before").trim().is_empty(), "{}", entry.code);
        assert!(!example(entry, "After").trim().is_empty(), "{}", entry.code);
    }
    assert_eq!(explain("FW0000"), None);
}

#[test]
fn before_raises_exactly_its_code_and_after_nothing() {
    let mut wrong = Vec::new();
    for entry in with_example() {
        let before: BTreeSet<&str> = judged(entry, "Before").iter().map(|found| found.code).collect();
        if before != BTreeSet::from([entry.code]) {
            wrong.push(format!("{} before: {before:?}", entry.code));
        }
        let after = judged(entry, "After");
        if !after.is_empty() {
            let said: Vec<String> =
                after.iter().map(|found| format!("{} {}", found.code, found.message)).collect();
            wrong.push(format!("{} after: {said:?}", entry.code));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_example_too_long_for_its_page_is_written_out_from_its_recipe() {
    let entry = CATALOGUE.iter().find(|entry| entry.code == GENERATED).unwrap();
    let codes = |heading| {
        let found = diagnostics(entry, &written_out(recipe(entry, heading)));
        found.iter().map(|found| (found.code, found.message.clone())).collect::<Vec<_>>()
    };
    assert_eq!(codes("After"), []);
    let before = codes("Before");
    let [(GENERATED, message)] = before.as_slice() else { panic!("{before:?}") };
    assert!(message.contains("`6554"), "{message}");
}

/// The recipe below a heading of the page.
fn recipe<'a>(entry: &'a Entry, heading: &str) -> &'a str {
    let below = entry.page.split(&format!("\n## {heading}\n")).nth(1).expect("the page has the heading");
    let inside = below.split("````recipe\n").nth(1).expect("the heading has a recipe");
    inside.split("````").next().expect("split gives one piece")
}

/// A recipe with each line `repeat N: …` as N lines, `{n}` counting from 1.
fn written_out(recipe: &str) -> String {
    let mut text = String::new();
    for line in recipe.lines() {
        let repeated = line.strip_prefix("repeat ").and_then(|rest| rest.split_once(": "));
        let (count, line) =
            repeated.map_or((1, line), |(count, line)| (count.parse().expect("a number"), line));
        for number in 1..=count {
            text.push_str(&line.replace("{n}", &number.to_string()));
            text.push('\n');
        }
    }
    text
}

#[test]
fn every_word_of_the_language_has_an_entry_of_its_own() {
    let gate = include_str!("../src/gate.rs");
    let mut words = BTreeSet::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../formwork-language/src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let after = text.split("entry: \"").skip(1);
            words.extend(after.map(|rest| rest.split('"').next().unwrap().to_owned()));
        }
    }
    assert!(words.len() > 15, "{words:?}");
    let without: Vec<&String> = words.iter().filter(|word| !gate.contains(&format!("\"{word}\""))).collect();
    assert!(without.is_empty(), "{without:?}");
}

#[test]
fn messages_name_the_thing_on_one_narrow_line_and_errors_come_with_help() {
    for entry in with_example() {
        for found in judged(entry, "Before") {
            let message = &found.message;
            assert!(message.matches('`').count() >= 2, "{}: {message}", found.code);
            assert!(!message.ends_with('.') && !message.contains('\n'), "{}: {message}", found.code);
            assert!(message.chars().count() <= 100, "{}: {message}", found.code);
            assert!(found.severity != Severity::Error || found.help.is_some(), "{}: {message}", found.code);
        }
    }
}

#[test]
fn a_fix_mends_what_it_was_offered_for() {
    for entry in with_example() {
        for found in judged(entry, "Before") {
            let Some(fix) = &found.fix else { continue };
            let mut text = example(entry, "Before").to_owned();
            let mut edits = fix.edits.clone();
            edits.sort_by_key(|edit| std::cmp::Reverse(edit.span.start));
            edits.iter().for_each(|edit| text.replace_range(edit.span.range(), &edit.text));
            let again = diagnostics(entry, &text);
            assert!(!again.contains(&found), "{}: {text}", found.code);
        }
    }
}

fn judged(entry: &Entry, heading: &str) -> Vec<Diagnostic> {
    diagnostics(entry, example(entry, heading))
}

fn diagnostics(entry: &Entry, text: &str) -> Vec<Diagnostic> {
    if ABOUT_THE_WHOLE.contains(&entry.code) {
        analyse(text.into()).diagnostics
    } else {
        analyse_fragment(text.into()).diagnostics
    }
}

/// The fence below a heading of the page.
fn example<'a>(entry: &'a Entry, heading: &str) -> &'a str {
    let below = entry.page.split(&format!("\n## {heading}\n")).nth(1).expect("the page has the heading");
    let inside = below.split("````markdown\n").nth(1).expect("the heading has an example");
    inside.split("````").next().expect("split gives one piece")
}
