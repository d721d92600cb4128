//! Cuts a long text into pieces that can be read one after the other, so that pulldown-cmark's tree of one piece at
//! a time is in memory and stays in the processor's cache. What is read is the same as of the whole text.
//!
//! CommonMark lets a text be cut before a heading that stands behind an empty line and is not indented: it ends every
//! paragraph, list, quote and table. Two things reach over it: what is open until its own end (a fence, some HTML),
//! and definitions of links, which hold everywhere. So fences are followed, and where the text leaves a doubt whether
//! one is open, the rest is one piece; a text with definitions is one piece as a whole.

use crate::spans::Span;
use memchr::memmem::{self, Finder};

/// A piece has at least this many bytes, unless it is the last.
pub(super) const SHORTEST: usize = 1 << 16;

/// The pieces of `text`, in order, each of `shortest` bytes or more; `base` is the place of the text's first byte.
pub(super) fn pieces(text: &str, base: u32, shortest: usize) -> Vec<Span> {
    let mut cuts = Vec::new();
    let is_long = text.len() > shortest;
    if is_long
        && memchr::memchr(b'\r', text.as_bytes()).is_none()
        && memmem::find(text.as_bytes(), b"]:").is_none()
    {
        find_cuts(text.as_bytes(), shortest, &mut cuts);
    }
    cuts.push(text.len());
    let mut start = 0;
    let piece = |end: usize| {
        let piece = Span::new(base + start as u32, base + end as u32);
        start = end;
        piece
    };
    cuts.into_iter().map(piece).collect()
}

/// What a line is inside of, as far as it matters for fences.
enum State {
    /// Nothing that reaches over an empty line.
    Open,
    /// HTML that an empty line ends; a mark of a fence in it is none.
    Html,
    /// A fence: its mark, how many of them, and the blanks before it.
    Fence(u8, usize, usize),
}

/// Finds the cuts up to the first line that leaves a doubt.
fn find_cuts(text: &[u8], shortest: usize, cuts: &mut Vec<usize>) {
    let (backticks, tildes) = (Finder::new(b"```"), Finder::new(b"~~~"));
    let mut state = State::Open;
    let (mut start, mut last, mut was_empty) = (0, 0, false);
    for end in memchr::memchr_iter(b'\n', text) {
        let line = &text[start..end];
        let here = std::mem::replace(&mut start, end + 1);
        let blanks = line.iter().take_while(|byte| **byte == b' ').count();
        let content = &line[blanks..];
        let is_empty = content.iter().all(|byte| matches!(byte, b' ' | b'\t'));
        if let State::Fence(mark, length, before) = state {
            let marks = content.iter().take_while(|byte| **byte == mark).count();
            let is_bare = content[marks..].iter().all(|byte| matches!(byte, b' ' | b'\t'));
            match (before, marks >= length && is_bare) {
                // One that is not indented ends as it does anywhere.
                (0, true) if blanks < 4 => state = State::Open,
                // An indented one may stand in a list, which a line further left ends, or be no fence at all.
                (1.., true) if blanks == before => state = State::Open,
                (1.., _) if !is_empty && blanks < before => return,
                _ => {}
            }
            was_empty = false;
            continue;
        }
        if was_empty && here - last >= shortest && is_heading(line) && matches!(state, State::Open) {
            cuts.push(here);
            last = here;
        }
        was_empty = line.is_empty();
        if is_empty {
            state = State::Open;
            continue;
        }
        match html(line) {
            Html::None => {}
            Html::ToEmptyLine => state = State::Html,
            Html::ToItsEnd => return,
        }
        if backticks.find(line).is_none() && tildes.find(line).is_none() {
            continue;
        }
        let mark = content.first().copied().unwrap_or_default();
        let length = content.iter().take_while(|byte| **byte == mark).count();
        let is_fence = matches!(mark, b'`' | b'~') && length >= 3;
        let info = &content[length.min(content.len())..];
        // A mark elsewhere on a line may begin a fence behind a list's mark, or end nothing but a code span.
        if !is_fence || matches!(state, State::Html) || memchr::memchr2(b'`', b'~', info).is_some() {
            return;
        }
        state = State::Fence(mark, length, blanks);
    }
}

/// Whether a line that is not indented is a heading.
fn is_heading(line: &[u8]) -> bool {
    let marks = line.iter().take_while(|byte| **byte == b'#').count();
    (1..=6).contains(&marks) && line.get(marks) == Some(&b' ')
}

/// What a line begins that is HTML.
enum Html {
    None,
    ToEmptyLine,
    /// To a mark of its own, perhaps behind empty lines.
    ToItsEnd,
}

/// What HTML a line may begin, behind blanks and the marks of lists and quotes.
fn html(line: &[u8]) -> Html {
    let is_before = |byte: &u8| {
        matches!(byte, b' ' | b'\t' | b'>' | b'-' | b'+' | b'*' | b'.' | b')') || byte.is_ascii_digit()
    };
    let before = line.iter().take_while(|byte| is_before(byte)).count();
    let Some(tag) = line[before..].strip_prefix(b"<") else { return Html::None };
    if let Some(comment) = tag.strip_prefix(b"!--") {
        let is_closed = memmem::find(comment, b"-->").is_some() && memmem::find(comment, b"<!").is_none();
        return if is_closed { Html::ToEmptyLine } else { Html::ToItsEnd };
    }
    let begins =
        |name: &str| tag.get(..name.len()).is_some_and(|it| it.eq_ignore_ascii_case(name.as_bytes()));
    match tag.first() {
        Some(b'!' | b'?') => Html::ToItsEnd,
        _ if ["script", "pre", "style", "textarea"].into_iter().any(begins) => Html::ToItsEnd,
        _ => Html::ToEmptyLine,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<&str> {
        pieces(text, 0, 1).into_iter().map(|piece| piece.slice(text)).collect()
    }

    #[test]
    fn a_text_is_cut_before_headings_behind_empty_lines() {
        assert_eq!(cut("# a\n\ntext\n# b\n\n## c\n\n # d\n"), ["# a\n\ntext\n# b\n\n", "## c\n\n # d\n"]);
        assert_eq!(cut("- a\n\n  ```\n  # b\n\n  ```\n\n# c\n").len(), 2);
        assert_eq!(cut("a\n\n```sh\n# b\n\n# c\n```\n\n# d\n").len(), 2);
    }

    #[test]
    fn what_may_be_open_is_not_cut() {
        for text in [
            "a\n\n```\n\n# b\n",
            "a\n\n~~~\n```\n\n# b\n",
            "- ```\n  a\n\n# b\n",
            "- a\n\n  ```\n b\n  ```\n\n# c\n",
            "<pre>\n\n# b\n",
            "<!-- a\n\n# b\n",
            "<div>\n```\n</div>\n\n# b\n```\n\n# c\n",
            "[a]: b\n\n# [a]\n",
            "a\r\n\n# b\n",
        ] {
            assert_eq!(cut(text), [text]);
        }
    }
}
