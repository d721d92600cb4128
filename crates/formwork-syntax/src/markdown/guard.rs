//! Keeps pulldown-cmark linear: hides list and quote marks that would nest absurdly deep.
//!
//! For every line pulldown-cmark walks all containers that are open, so a text with 100,000 nested quotes and
//! as many lines takes quadratic time. A container is opened only by a mark, and every container around that
//! mark takes at least one `>` or two columns of blanks before it on the same line. So hiding a mark that has
//! more than [`LIMIT`] of these before it bounds the walk. The mark is replaced by a letter in a copy that
//! only pulldown-cmark sees: offsets stay, and the text is sliced from the source.
//!
//! `LIMIT` is so high that a hidden mark is either inside a container that [`crate::MAX_DEPTH`] has already
//! turned into text (32 list items take at most 14 columns each), or is no mark at all.

use std::borrow::Cow;

/// How many containers a line may open or continue.
const LIMIT: usize = 256;

/// A line needs this many bytes before its marks can count more than [`LIMIT`] (a tab counts two).
const SHORTEST: usize = LIMIT / 2;

/// The text for pulldown-cmark: the source itself, or a copy of the same length with some marks hidden.
pub(super) fn limit_nesting(source: &str) -> Cow<'_, str> {
    let bytes = source.as_bytes();
    let mut hidden = Vec::new();
    let mut start = 0;
    for end in memchr::memchr2_iter(b'\n', b'\r', bytes).chain([bytes.len()]) {
        let line = &bytes[start..end];
        if line.len() > SHORTEST
            && let Some(at) = mark_beyond_limit(line)
        {
            hidden.push(start + at);
        }
        start = end + 1;
    }
    if hidden.is_empty() {
        return Cow::Borrowed(source);
    }
    let mut copy = String::with_capacity(source.len());
    for at in hidden {
        copy.push_str(&source[copy.len()..at]);
        copy.push('x');
    }
    copy.push_str(&source[copy.len()..]);
    Cow::Owned(copy)
}

/// The first list or quote mark of a line with more than [`LIMIT`] containers before it.
fn mark_beyond_limit(line: &[u8]) -> Option<usize> {
    let rule = rule_start(line);
    let mut half_containers = 0;
    let mut at = 0;
    while at < rule {
        let length = match line[at] {
            b' ' => {
                half_containers += 1;
                1
            }
            b'\t' => {
                half_containers += 4;
                1
            }
            b'>' => 0,
            b'-' | b'+' | b'*' if is_blank(line, at + 1) => 0,
            b'0'..=b'9' => {
                let digits = line[at..].iter().take(10).take_while(|byte| byte.is_ascii_digit()).count();
                let closed = matches!(line.get(at + digits), Some(b'.' | b')'));
                if !closed || !is_blank(line, at + digits + 1) {
                    return None;
                }
                half_containers += 2;
                if half_containers > 2 * LIMIT {
                    return Some(at + digits);
                }
                digits + 1
            }
            _ => return None,
        };
        if length > 0 {
            at += length;
            continue;
        }
        half_containers += 2;
        if half_containers > 2 * LIMIT {
            return Some(at);
        }
        at += 1;
    }
    None
}

/// Where the line's last part begins that is a thematic break and therefore opens no list.
fn rule_start(line: &[u8]) -> usize {
    let Some(mark) = line.iter().rev().find(|byte| !byte.is_ascii_whitespace()) else { return line.len() };
    if !matches!(mark, b'-' | b'*') {
        return line.len();
    }
    let length = line.iter().rev().take_while(|byte| *byte == mark || byte.is_ascii_whitespace()).count();
    let start = line.len() - length;
    let marks = line[start..].iter().filter(|byte| *byte == mark).count();
    if marks < 3 { line.len() } else { start }
}

fn is_blank(line: &[u8], at: usize) -> bool {
    line.get(at).is_none_or(|byte| matches!(byte, b' ' | b'\t'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_texts_are_not_copied() {
        let text = format!("- a\n  - b\n{}- - x\n{}\n", " ".repeat(400), "-".repeat(2000));
        assert!(matches!(limit_nesting(&text), Cow::Borrowed(_)));
        assert!(matches!(limit_nesting(&"- ".repeat(5000)), Cow::Borrowed(_)), "a thematic break");
    }

    #[test]
    fn the_mark_beyond_the_limit_is_hidden() {
        for mark in [">", "> ", "- ", "* ", "1. ", "123) "] {
            let text = format!("é\r\n{}a\n{}a", mark.repeat(2000), mark.repeat(2000));
            let copy = limit_nesting(&text);
            let differing: Vec<_> =
                text.bytes().zip(copy.bytes()).filter(|(left, right)| left != right).collect();
            assert_eq!(copy.len(), text.len());
            assert_eq!(differing.len(), 2, "{mark:?}");
        }
    }
}
