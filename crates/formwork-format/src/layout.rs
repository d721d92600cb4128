//! Layout: list marks, headings, blanks at the ends of lines, blank lines. What a reader sees stays the same.

use crate::written::{OuterKind, Written};
use formwork_check::Edit;
use formwork_syntax::{List, Span};

/// The changes of layout.
pub(crate) fn edits(written: &Written<'_>) -> Vec<Edit> {
    let newline = if written.source.contains("\r\n") { "\r\n" } else { "\n" };
    let mut edits: Vec<Edit> = written.lists.iter().flat_map(|list| marks(written.source, list)).collect();
    edits.extend(written.headings.keys().filter_map(|start| heading(written.source, *start)));
    edits.extend(spaces_between(written, newline));
    edits.extend(lines(written, newline));
    edits
}

fn edit(start: usize, end: usize, text: impl Into<String>) -> Edit {
    Edit { span: Span::new(start as u32, end as u32), text: text.into() }
}

/// `*` and `+` become `-`, and `1)` becomes `1.`.
fn marks(source: &str, list: &List) -> Vec<Edit> {
    let mark = |start: u32| {
        let start = start as usize;
        let rest = source.get(start..)?;
        if !list.ordered {
            return rest.starts_with(['*', '+']).then(|| edit(start, start + 1, "-"));
        }
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let is_bracket = digits > 0 && rest[digits..].starts_with(')');
        is_bracket.then(|| edit(start + digits, start + digits + 1, "."))
    };
    list.items.iter().filter_map(|item| mark(item.span.start)).collect()
}

/// One blank behind the marks of a heading, and none of them at its end.
fn heading(source: &str, start: u32) -> Option<Edit> {
    let start = start as usize;
    let line = source.get(start..)?.lines().next()?;
    let level = line.bytes().take_while(|byte| *byte == b'#').count();
    let text = line[level..].trim();
    if level == 0 || text.is_empty() {
        return None;
    }
    let bare = text.trim_end_matches('#');
    let is_closed = bare.len() < text.len() && bare.ends_with([' ', '\t']);
    let text = if is_closed { bare.trim_end() } else { text };
    let canonical = format!("{} {text}", "#".repeat(level));
    (!text.is_empty() && canonical != line.trim_end())
        .then(|| edit(start, start + line.trim_end().len(), canonical))
}

/// A blank line before each heading, and between blocks that stand on neighbouring lines.
fn spaces_between(written: &Written<'_>, newline: &str) -> Vec<Edit> {
    let pairs = written.outer.windows(2).filter(|pair| {
        use OuterKind::{Closed, Heading, Html, Label, Open, Paragraph};
        match (pair[0].kind, pair[1].kind) {
            (Html, _) | (_, Html) => false,
            (_, Heading) | (Closed, _) => true,
            (Heading | Label, _) | (Paragraph | Open, Label | Paragraph) => false,
            (Paragraph, Open | Closed) => !pair[0].span.slice(written.source).ends_with(':'),
            (Open, Open | Closed) => true,
        }
    });
    pairs
        .filter_map(|pair| {
            let between = Span::new(pair[0].span.end, pair[1].span.start.max(pair[0].span.end));
            let text = between.slice(written.source);
            let last = text.rfind('\n')?;
            (text.matches('\n').count() == 1).then(|| {
                let at = between.start as usize + last + 1;
                edit(at, at, newline)
            })
        })
        .collect()
}

/// No blanks at the ends of lines, no two blank lines together, none at the start, one line end at the end.
fn lines(written: &Written<'_>, newline: &str) -> Vec<Edit> {
    let source = written.source;
    let mut edits = Vec::new();
    let mut verbatim = written.verbatim.iter().peekable();
    let mut blank_before = true;
    let mut start = 0;
    let mut lines = source.split_inclusive('\n').peekable();
    while let Some(line) = lines.next() {
        let end = start + line.len();
        while verbatim.next_if(|span| span.end as usize <= start).is_some() {}
        let is_verbatim = verbatim.peek().is_some_and(|span| (span.start as usize) < end);
        let content = line.trim_end_matches(['\n', '\r']);
        let is_blank = content.trim_matches([' ', '\t']).is_empty();
        if is_verbatim {
            blank_before = false;
        } else if is_blank {
            let is_last = source[end..].trim_matches([' ', '\t', '\r', '\n']).is_empty();
            if blank_before || is_last {
                edits.push(edit(start, end, ""));
            } else if !content.is_empty() {
                edits.push(edit(start, start + content.len(), ""));
            }
            blank_before = true;
        } else {
            blank_before = false;
            let next = lines.peek().is_some_and(|next| !next.trim().is_empty());
            edits.extend(trailing(content, next).map(|kept| edit(start + kept, start + content.len(), "")));
            if content.len() == line.len() {
                edits.push(edit(end, end, newline));
            }
        }
        start = end;
    }
    edits
}

/// How much of a line stays when blanks at its end go. Two blanks before another line are a line break and stay.
fn trailing(content: &str, has_next: bool) -> Option<usize> {
    let kept = content.trim_end_matches([' ', '\t']).len();
    let is_break = has_next && content.ends_with("  ") && !content.trim_start().starts_with('#');
    (kept < content.len() && !is_break).then_some(kept)
}
