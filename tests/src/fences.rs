//! The fences of a page: their info string, text and line.

/// A fenced block of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fence {
    /// What stands behind the opening marks.
    pub info: String,
    /// What stands between the marks, every line with its end.
    pub text: String,
    /// The line of the opening marks, from 1.
    pub line: usize,
}

impl Fence {
    /// The words of the info string.
    pub fn words(&self) -> Vec<&str> {
        self.info.split_whitespace().collect()
    }
}

/// Every fence of a page that stands at the start of a line, in order. One that never closes ends with the page.
pub fn fences(page: &str) -> Vec<Fence> {
    let mut found: Vec<Fence> = Vec::new();
    let mut open: Option<(usize, Fence)> = None;
    for (number, line) in page.lines().enumerate() {
        let marks = line.len() - line.trim_start_matches('`').len();
        match &mut open {
            Some((wanted, _)) if marks >= *wanted && line.trim_end().len() == marks => {
                found.extend(open.take().map(|(_, fence)| fence));
            }
            Some((_, fence)) => {
                fence.text.push_str(line);
                fence.text.push('\n');
            }
            None if marks >= 3 => {
                let info = line[marks..].trim().to_owned();
                open = Some((marks, Fence { info, text: String::new(), line: number + 1 }));
            }
            None => {}
        }
    }
    found.extend(open.map(|(_, fence)| fence));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_longer_fence_may_hold_a_shorter_one() {
        let page = "a\n````markdown run\n```json\n{}\n```\n````\n```sh\nls\n```\n";
        let found = fences(page);
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].line, &*found[0].text), (2, "```json\n{}\n```\n"));
        assert_eq!(found[0].words(), ["markdown", "run"]);
        assert_eq!((found[1].line, &*found[1].info), (7, "sh"));
    }
}
