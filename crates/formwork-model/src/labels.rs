//! The words that the form uses before a colon, and how a label is compared with them.
//!
//! Source: language reference, *Finding the places*.

/// Labels of the form and what people also write for them, normalised as by [`normal`].
const LABELS: [&str; 125] = [
    "acceptance",
    "access patterns",
    "actors",
    "alerts",
    "alternatives",
    "append only",
    "arguments",
    "attributes",
    "auth",
    "behavior",
    "behaviour",
    "body",
    "business metrics",
    "cached",
    "called by",
    "columns",
    "command",
    "constraint",
    "constraints",
    "consumers",
    "context",
    "control plane",
    "data",
    "data plane",
    "decider",
    "decides",
    "deliverables",
    "description",
    "edge cases",
    "endpoint",
    "endpoints",
    "error",
    "error cases",
    "error handling",
    "error scenarios",
    "errors",
    "event",
    "events",
    "eviction",
    "example",
    "example request",
    "example response",
    "example schema",
    "examples",
    "exit codes",
    "failure cases",
    "failure modes",
    "failures",
    "fields",
    "foreign keys",
    "goals",
    "happy path",
    "headers",
    "http",
    "implementation",
    "in scope",
    "indexes",
    "indexes keys",
    "infrastructure metrics",
    "input",
    "inputs",
    "invalidation",
    "invariant",
    "keys",
    "layer",
    "lifetime",
    "logic",
    "main flow",
    "main path",
    "method",
    "metric",
    "metrics",
    "non functional targets",
    "non goals",
    "notes",
    "optimizations",
    "options",
    "out of scope",
    "output",
    "outputs",
    "parameters",
    "path",
    "path parameters",
    "payload",
    "percentile",
    "permissions",
    "postconditions",
    "preconditions",
    "primary key",
    "purpose",
    "query parameters",
    "recommendation",
    "relationship",
    "relationships",
    "request",
    "request body",
    "response",
    "responses",
    "responsibilities",
    "returns",
    "roles",
    "route",
    "rows at start",
    "schema",
    "side effects",
    "slo targets",
    "slos",
    "status codes",
    "steps",
    "success path",
    "system metrics",
    "target",
    "technology",
    "technology implementation",
    "transitions",
    "transport",
    "trigger",
    "ttl",
    "unhappy path",
    "upstream",
    "url",
    "usage",
    "what",
    "why",
    "window",
];

/// Whether a plain word or phrase before a colon is a label of the form.
pub fn is_label(word: &str) -> bool {
    word.len() <= 80 && LABELS.binary_search(&normal(word).as_str()).is_ok()
}

/// A title for comparing: lower case, words and digits separated by one blank, without remarks in parentheses.
pub(crate) fn normal(title: &str) -> String {
    if title.is_ascii() {
        return normal_ascii(title);
    }
    let mut normal = String::with_capacity(title.len());
    let mut depth = 0usize;
    for character in title.chars() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            _ if character.is_ascii_alphanumeric() => normal.push(character.to_ascii_lowercase()),
            _ if character.is_alphanumeric() => normal.extend(character.to_lowercase()),
            _ if !normal.is_empty() && !normal.ends_with(' ') => normal.push(' '),
            _ => {}
        }
    }
    normal.truncate(normal.trim_end().len());
    normal
}

/// As [`normal`], of a title in ASCII, which almost all are.
fn normal_ascii(title: &str) -> String {
    let mut normal = Vec::with_capacity(title.len());
    let mut depth = 0usize;
    let mut is_parted = false;
    for byte in title.bytes() {
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            _ if byte.is_ascii_alphanumeric() => {
                if std::mem::take(&mut is_parted) && !normal.is_empty() {
                    normal.push(b' ');
                }
                normal.push(byte.to_ascii_lowercase());
            }
            _ => is_parted = true,
        }
    }
    String::from_utf8(normal).unwrap_or_default()
}

/// A title as [`normal`], and without a number before it.
pub(crate) fn unnumbered(title: &str) -> String {
    let rest = title.trim_start_matches(|character: char| {
        character.is_ascii_digit()
            || character.is_whitespace()
            || matches!(character, '.' | ')' | '(' | ':' | '§' | '#')
    });
    normal(rest)
}

/// Whether a normalised title is one of the names, or begins with one and has further words.
pub(crate) fn begins_with(title: &str, names: &[&str]) -> bool {
    names
        .iter()
        .any(|name| title.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(' ')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vocabulary_is_sorted_for_searching() {
        assert!(LABELS.is_sorted());
        assert!(LABELS.iter().all(|label| normal(label) == *label));
    }

    #[test]
    fn labels_are_found_in_any_case_and_with_remarks() {
        assert!(is_label("Relationships"));
        assert!(is_label("Technology/Implementation"));
        assert!(is_label("Input (JSON)"));
        assert!(!is_label("Elsewhere"));
    }

    #[test]
    fn titles_in_ascii_are_compared_as_others_are() {
        let title = |text: &str| (normal(text), normal(&format!("{text}é")));
        for text in
            ["Input (JSON) and Output", " a--b  c ", "(x) y", "y) z(", "", "--", "A1_b", "a (b) (c) d "]
        {
            let (ascii, other) = title(text);
            assert_eq!(ascii, other.trim_end_matches('é').trim_end(), "{text}");
        }
    }

    #[test]
    fn numbers_before_a_title_do_not_count() {
        assert_eq!(unnumbered("4) Primary Interface/API"), "primary interface api");
        assert_eq!(unnumbered("4.2. **API**"), "api");
        assert!(begins_with("roadmap for 2030", &["roadmap"]));
        assert!(!begins_with("roadmaps", &["roadmap"]));
    }
}
