//! A page's host document: a small document with named gaps that fragments are put into.
//!
//! A gap is a line `<!-- steps -->`, or `<!-- steps: 1. Stops. -->` with what stands there when no fragment does.

use std::ops::Range;

/// A document with gaps.
#[derive(Clone, Debug)]
pub struct Host {
    text: String,
}

/// A host with fragments in its gaps.
#[derive(Clone, Debug)]
pub struct Filled {
    /// The document.
    pub text: String,
    /// Where the fragments stand, in bytes.
    pub fragments: Vec<Range<usize>>,
}

impl Host {
    /// A host with the gaps that its comments name.
    pub fn new(text: &str) -> Self {
        Self { text: text.to_owned() }
    }

    /// The names of its gaps.
    pub fn gaps(&self) -> Vec<&str> {
        self.text.lines().filter_map(gap).map(|(name, _)| name).collect()
    }

    /// The document with each fragment in the gap of its name, and the other gaps closed by what they name.
    pub fn fill(&self, fragments: &[(&str, &str)]) -> Filled {
        let mut filled = Filled { text: String::new(), fragments: Vec::new() };
        for line in self.text.lines() {
            let Some((name, otherwise)) = gap(line) else {
                filled.text.push_str(line);
                filled.text.push('\n');
                continue;
            };
            let mut inside = fragments.iter().filter(|(wanted, _)| *wanted == name).peekable();
            if inside.peek().is_none() && !otherwise.is_empty() {
                filled.text.push_str(otherwise);
                filled.text.push('\n');
            }
            for (_, fragment) in inside {
                let start = filled.text.len();
                filled.text.push_str(fragment);
                filled.fragments.push(start..filled.text.len());
            }
        }
        filled
    }
}

/// The gap that a line is: its name, and what stands there otherwise.
fn gap(line: &str) -> Option<(&str, &str)> {
    let comment = line.trim().strip_prefix("<!-- ")?.strip_suffix(" -->")?;
    let (name, otherwise) = comment.split_once(": ").unwrap_or((comment, ""));
    name.chars().all(|letter| letter.is_ascii_lowercase()).then_some((name, otherwise))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fragments_stand_where_their_gap_was() {
        let host = Host::new("# A\n<!-- steps: 1. Stops. -->\n## B\n<!-- flow -->\n");
        assert_eq!(host.gaps(), ["steps", "flow"]);
        let filled = host.fill(&[("steps", "1. One.\n")]);
        assert_eq!(filled.text, "# A\n1. One.\n## B\n");
        assert_eq!(&filled.text[filled.fragments[0].clone()], "1. One.\n");
        assert_eq!(host.fill(&[]).text, "# A\n1. Stops.\n## B\n");
    }
}
