//! Documents, broken: lines deleted, doubled, swapped and cut, pieces of one put into another, marks that mean
//! something where nobody expects them.

use crate::Random;
use anyhow::{Context, Result};
use std::path::Path;

/// The longest document that is made, in bytes.
const LONGEST: usize = 60_000;

/// Pieces that a reader of Markdown or of the language may stumble over.
const HOSTILE: [&str; 56] = [
    "`",
    "``",
    "```",
    "~~~",
    "\"",
    "“",
    "[",
    "]",
    "[TBD]",
    "???",
    "…",
    "(",
    ")",
    "{",
    "}",
    "|",
    "||",
    "\\",
    "<!--",
    "-->",
    "<b>",
    "&#0;",
    "&amp;",
    "&lt;",
    "\t",
    "\r",
    "\r\n",
    "\n\n",
    "\u{0}",
    "\u{feff}",
    "\u{200b}",
    "\u{202e}",
    "é",
    "🦀",
    "İ",
    "ß",
    "→",
    "──▶",
    "│",
    "# ",
    "#### Operation: `",
    "### Entity: `",
    "**Fields:**",
    "**Behavior:**",
    "- ",
    "1. ",
    "> ",
    "    ",
    "---",
    "===",
    "| a | b |\n|---|---|\n",
    "`x == `",
    "`1/0`",
    "-9223372036854775808",
    "99999999999999999999999999",
    "\u{1b}[31m",
];

/// Pieces that are repeated to nest or lengthen something.
const REPEATED: [&str; 16] =
    ["- ", "> ", "1. ", "(", "[", "{", "`", "*", "**", "!", "- a\n  ", "#", "|", "&", "x", "`a` or "];

/// The documents to begin with, by path: examples, documents and fixtures of the repository, and what once failed.
pub fn seeds(repository: &Path) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for folder in ["examples", "docs", "crates", "tests", "bench", "fuzz/crashes"] {
        collect(&repository.join(folder), &mut found)?;
    }
    found.sort();
    found.retain(|(_, text)| !text.is_empty());
    Ok(found)
}

fn collect(folder: &Path, found: &mut Vec<(String, String)>) -> Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "md")
            && let Ok(text) = std::fs::read_to_string(&path)
        {
            found.push((path.display().to_string(), text));
        }
    }
    Ok(())
}

/// Makes documents.
pub struct Documents {
    seeds: Vec<String>,
}

impl Documents {
    /// From these.
    pub fn new(seeds: Vec<String>) -> Self {
        Self { seeds }
    }

    /// The next one.
    pub fn next(&self, random: &mut Random) -> String {
        let mut text = random.one_of(&self.seeds).cloned().unwrap_or_default();
        for _ in 0..=random.below(8) {
            text = self.change(text, random);
            if text.len() > LONGEST {
                let end = boundary(&text, LONGEST);
                text.truncate(end);
            }
        }
        text
    }

    fn change(&self, text: String, random: &mut Random) -> String {
        match random.below(11) {
            0 => with_lines(&text, random, |lines, from, to| drop(lines.drain(from..to))),
            1 => with_lines(&text, random, |lines, from, to| {
                let copy = lines[from..to].to_vec();
                lines.splice(to..to, copy);
            }),
            2 => with_lines(&text, random, |lines, from, to| {
                let last = lines.len() - 1;
                lines.swap(from, to.min(last));
            }),
            3 => with_lines(&text, random, |lines, from, to| {
                let moved: Vec<&str> = lines.drain(from..to).collect();
                lines.extend(moved);
            }),
            4 => text[..boundary(&text, random.below(text.len() + 1))].to_owned(),
            5 => text[boundary(&text, random.below(text.len() + 1))..].to_owned(),
            6 => {
                let other = random.one_of(&self.seeds).cloned().unwrap_or_default();
                let from = boundary(&other, random.below(other.len() + 1));
                let to = boundary(&other, from + random.below(400));
                insert(text, &other[from..to], random)
            }
            7 => {
                let piece = random.one_of(&REPEATED).copied().unwrap_or_default();
                let many = 1 << random.below(12);
                insert(text, &piece.repeat(many), random)
            }
            8 => {
                let characters: String = (0..random.below(20))
                    .filter_map(|_| char::from_u32(random.below(0x3000) as u32))
                    .collect();
                insert(text, &characters, random)
            }
            9 => {
                let from = boundary(&text, random.below(text.len() + 1));
                let to = boundary(&text, from + random.below(12));
                format!("{}{}", &text[..from], &text[to..])
            }
            _ => {
                let piece = random.one_of(&HOSTILE).copied().unwrap_or_default();
                insert(text, piece, random)
            }
        }
    }
}

/// Changes the lines of a text; the range that is handed over has at least one line.
fn with_lines(text: &str, random: &mut Random, change: impl FnOnce(&mut Vec<&str>, usize, usize)) -> String {
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    if lines.is_empty() {
        return String::new();
    }
    let from = random.below(lines.len());
    let to = (from + 1 + random.below(6)).min(lines.len());
    change(&mut lines, from, to);
    lines.concat()
}

fn insert(mut text: String, piece: &str, random: &mut Random) -> String {
    let at = boundary(&text, random.below(text.len() + 1));
    text.insert_str(at, piece);
    text
}

/// The next place at which a text can be cut.
fn boundary(text: &str, at: usize) -> usize {
    (at.min(text.len())..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len())
}
