//! Puts an answer in the place of its prompt.

use super::{Kind, Question};
use crate::edits::apply;
use formwork_check::Edit;
use formwork_syntax::Span;

/// The text with the answer in its place, and the place, in bytes, from which to ask on. An answer without words
/// changes nothing and is passed over.
pub fn answered(source: &str, question: &Question, answer: &str) -> (String, u32) {
    let lines: Vec<&str> = answer.lines().map(str::trim_end).collect();
    let has_words = lines.iter().any(|line| !line.trim().is_empty());
    if !has_words {
        return (source.to_owned(), question.span.end);
    }
    let mut edits: Vec<Edit> = question.hints.iter().map(|hint| removed(source, *hint)).collect();
    let taken: u32 = edits.iter().map(|edit| edit.span.len()).sum();
    let start = question.span.start - taken;
    if question.kind == Kind::Names {
        edits.extend(named(source, question, &lines));
        return (apply(source, &edits), start + 1);
    }
    let (span, text) = markdown(source, question, &lines);
    let end = start - (question.span.start - span.start) + text.len() as u32;
    edits.push(Edit { span, text });
    (apply(source, &edits), end)
}

/// An instruction with the blank lines behind it.
fn removed(source: &str, hint: Span) -> Edit {
    let rest = &source[hint.end as usize..];
    let blanks = rest.len() - rest.trim_start_matches(['\n', '\r', ' ']).len();
    Edit { span: Span::new(hint.start, hint.end + blanks as u32), text: String::new() }
}

/// What stands there instead, and of which place.
fn markdown(source: &str, question: &Question, lines: &[&str]) -> (Span, String) {
    let span = question.span;
    let filled: Vec<&str> = lines.iter().map(|line| line.trim()).filter(|line| !line.is_empty()).collect();
    let behind_label = || {
        let before = &source[..span.start as usize];
        Span::new(before.trim_end_matches(' ').len() as u32, span.end)
    };
    match question.kind {
        Kind::Line | Kind::Names => (span, filled.join(" ")),
        Kind::Code => (span, lines.join("\n")),
        Kind::Text => (span, paragraphs(lines)),
        Kind::List => (span, list(&filled)),
        Kind::Numbered => (span, numbered(&filled)),
        Kind::Steps => (behind_label(), format!("\n{}", numbered(&filled))),
        Kind::Facts if filled.len() == 1 && !is_item(filled[0]) => (span, filled[0].to_owned()),
        Kind::Facts => (behind_label(), format!("\n{}", list(&filled))),
    }
}

fn is_item(line: &str) -> bool {
    line.starts_with("- ") || line.starts_with("* ") || line.starts_with("+ ")
}

fn list(lines: &[&str]) -> String {
    let items: Vec<String> = lines
        .iter()
        .map(|line| if is_item(line) { (*line).to_owned() } else { format!("- {line}") })
        .collect();
    items.join("\n")
}

fn numbered(lines: &[&str]) -> String {
    let text = |line: &str| {
        let digits = line.bytes().take_while(u8::is_ascii_digit).count();
        let behind = line[digits..].strip_prefix(['.', ')']).filter(|_| digits > 0);
        behind.unwrap_or(line).trim_start().to_owned()
    };
    let items: Vec<String> =
        lines.iter().enumerate().map(|(at, line)| format!("{}. {}", at + 1, text(line))).collect();
    items.join("\n")
}

/// One paragraph a line; lists, tables and fences stay together.
fn paragraphs(lines: &[&str]) -> String {
    let mut text = String::new();
    let mut in_fence = false;
    let mut was_block = false;
    for line in lines {
        let is_fence = line.trim_start().starts_with("```");
        let is_block =
            in_fence || is_fence || is_item(line.trim_start()) || line.starts_with(['|', '>', ' ']);
        if !text.is_empty() {
            text.push_str(if is_block && was_block { "\n" } else { "\n\n" });
        }
        in_fence ^= is_fence;
        was_block = is_block && (in_fence || !is_fence);
        text.push_str(line);
    }
    text
}

/// The item once for each name: the first where it stands, the others behind it.
fn named(source: &str, question: &Question, lines: &[&str]) -> Vec<Edit> {
    let mut names = lines.iter().map(|line| line.trim()).filter(|line| !line.is_empty());
    let Some(first) = names.next() else { return Vec::new() };
    let is_code = source[..question.span.start as usize].ends_with('`');
    let mut edits = vec![Edit { span: question.span, text: title(first, is_code) }];
    let Some(item) = question.item else { return edits };
    let text = item.slice(source);
    let from = (question.span.start - item.start) as usize;
    let to = (question.span.end - item.start) as usize;
    let copies: String =
        names.map(|name| format!("\n\n{}{}{}", &text[..from], title(name, is_code), &text[to..])).collect();
    edits.push(Edit { span: Span::new(item.end, item.end), text: copies });
    edits
}

/// A name for its title; `create_link POST /links` becomes a name and a route where the title has a code span.
fn title(name: &str, is_code: bool) -> String {
    let name = name.trim_matches('`');
    match name.split_once(' ') {
        Some((name, route)) if is_code && route.contains('/') && !name.chars().all(char::is_uppercase) => {
            let route = route.trim_matches([' ', '`', '—', '–', '-']);
            format!("{}` — `{route}", name.trim_end_matches('`'))
        }
        _ => name.to_owned(),
    }
}
