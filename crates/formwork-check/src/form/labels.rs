//! The labels that a piece of a document has, whatever their style: headings, bold and plain labels, labels of list
//! items, column headings.

use crate::words;

/// Longest beginning of a line that is looked at as a label, in bytes.
const LONGEST: usize = 60;

/// Whether some line of a text begins with a label that has one of the words.
pub(crate) fn has(text: &str, wanted: &[String]) -> bool {
    text.lines().any(|line| {
        let line = line.trim_start();
        if line.starts_with('|') {
            return line.split('|').any(|cell| cell.len() <= LONGEST && names(cell, wanted));
        }
        label(line).is_some_and(|label| names(label, wanted))
    })
}

/// What stands before a colon, or the whole of a heading or bold line.
fn label(line: &str) -> Option<&str> {
    let is_heading = line.starts_with(['#', '*', '_']);
    let bare = line.trim_start_matches(['#', '*', '_', '-', '+', '>', ' ']);
    let label = match bare.split_once(':') {
        Some((label, _)) => label,
        None if is_heading && !line.starts_with("* ") => bare,
        None => return None,
    };
    (label.len() <= LONGEST).then_some(label)
}

fn names(label: &str, wanted: &[String]) -> bool {
    let said = words::stems(label);
    wanted.iter().any(|wanted| said.iter().any(|word| is_alike(word, wanted)))
}

/// Whether two words are forms of one: equal, or with a common beginning (`caching` and `cache`, `tech` and
/// `technology`).
fn is_alike(one: &str, other: &str) -> bool {
    let common = one.chars().zip(other.chars()).take_while(|(one, other)| one == other).count();
    let (one_length, other_length) = (one.chars().count(), other.chars().count());
    let (short, long) = (one_length.min(other_length), one_length.max(other_length));
    // `authn` and `authz` begin alike and mean two things: short words must begin one another.
    one == other || (common >= 4 && (common == short || (long > 5 && common * 2 >= long)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, label: &str) -> bool {
        has(text, &words::stems(label))
    }

    #[test]
    fn a_label_is_found_in_every_style() {
        for text in [
            "### Technology",
            "**Technology/Implementation:** Go",
            "Tech: Go",
            "- *Technology:* Go",
            "| Component | Technology |",
            "**Technology**",
        ] {
            assert!(found(text, "Technology/Implementation"), "{text}");
        }
        assert!(!found("The technology is old.", "Technology/Implementation"));
        assert!(found("Caching:", "Caching Strategy") && found("#### Cache", "Caching Strategy"));
        assert!(!found("Retention: 3 d", "Recovery"));
        assert!(!found("### AuthN", "AuthZ"));
    }
}
