//! Regular expressions of the language: linear time, `\d \w \s \b` over ASCII, unanchored.

use regex::{Regex, RegexBuilder};

/// Bytes that a compiled pattern may take.
const SIZE_LIMIT: usize = 1 << 20;

/// Compiles a pattern; the error is one line for the author.
pub fn pattern(text: &str) -> Result<Regex, String> {
    RegexBuilder::new(&with_ascii_classes(text)).size_limit(SIZE_LIMIT).nest_limit(50).build().map_err(
        |error| {
            let text = error.to_string();
            let last =
                text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("not a regular expression");
            last.trim().trim_start_matches("error: ").to_owned()
        },
    )
}

/// Writes the Perl classes out, because the library's are those of all of Unicode.
fn with_ascii_classes(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    let mut in_class = 0u32;
    while let Some(character) = characters.next() {
        if character != '\\' {
            match character {
                '[' => in_class += 1,
                ']' => in_class = in_class.saturating_sub(1),
                _ => {}
            }
            written.push(character);
            continue;
        }
        let Some(escaped) = characters.next() else {
            written.push('\\');
            break;
        };
        match (escaped, in_class > 0) {
            ('d', true) => written.push_str("0-9"),
            ('w', true) => written.push_str("0-9A-Za-z_"),
            ('s', true) => written.push_str(r"\t\n\x0B\x0C\r "),
            ('d', false) => written.push_str("[0-9]"),
            ('w', false) => written.push_str("[0-9A-Za-z_]"),
            ('s', false) => written.push_str(r"[\t\n\x0B\x0C\r ]"),
            ('D', _) => written.push_str("[^0-9]"),
            ('W', _) => written.push_str("[^0-9A-Za-z_]"),
            ('S', _) => written.push_str(r"[^\t\n\x0B\x0C\r ]"),
            ('b', false) => written.push_str(r"(?-u:\b)"),
            // JavaScript's way of writing a pattern between slashes.
            ('/', _) => written.push('/'),
            (other, _) => {
                written.push('\\');
                written.push(other);
            }
        }
    }
    written
}
