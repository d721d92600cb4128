//! A short text that matches a regular expression.

use regex_syntax::hir::{Class, Hir, HirKind};

/// The most characters that are made.
const LONGEST: usize = 1_000;

/// The first short text that a pattern allows; absent when it is not read or the text would be long.
pub(crate) fn matching(pattern: &str) -> Option<String> {
    let hir = regex_syntax::parse(pattern).ok()?;
    let mut text = String::new();
    write(&hir, &mut text)?;
    Some(text)
}

fn write(hir: &Hir, text: &mut String) -> Option<()> {
    if text.len() > LONGEST {
        return None;
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => text.push_str(std::str::from_utf8(&literal.0).ok()?),
        HirKind::Class(Class::Unicode(class)) => {
            let of = |wanted: &dyn Fn(char) -> bool| {
                class.iter().find(|range| wanted(range.start())).map(|range| range.start())
            };
            let plain = |letter: char| letter.is_ascii_alphanumeric();
            let letter = of(&|letter| letter.is_ascii_alphabetic()).or_else(|| of(&plain));
            let any = || class.iter().any(|range| range.start() <= 'a' && 'a' <= range.end()).then_some('a');
            text.push(letter.or_else(any).or_else(|| of(&|_| true))?);
        }
        HirKind::Class(Class::Bytes(class)) => text.push(char::from(class.iter().next()?.start())),
        HirKind::Repetition(repeated) => {
            for _ in 0..repeated.min.max(u32::from(repeated.max != Some(0))) {
                write(&repeated.sub, text)?;
            }
        }
        HirKind::Capture(capture) => write(&capture.sub, text)?,
        HirKind::Concat(parts) => {
            for part in parts {
                write(part, text)?;
            }
        }
        HirKind::Alternation(parts) => write(parts.first()?, text)?,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::matching;

    #[test]
    fn what_is_made_matches() {
        for pattern in [
            "^[a-z0-9-]{3,32}$",
            r"^\d{4}-\d{2}$",
            "^(a|b)+c{0}$",
            "[^a-z]",
            r"^\w+@\w+\.com$",
            "^ORD-[0-9A-F]{8}$",
            "",
            "é",
        ] {
            let text = matching(pattern).expect(pattern);
            assert!(regex::Regex::new(pattern).expect("a pattern").is_match(&text), "{pattern}: {text}");
        }
    }

    #[test]
    fn a_pattern_that_wants_much_is_left() {
        assert_eq!(matching("^(a{1000}){1000}$"), None);
        assert_eq!(matching("("), None);
    }
}
