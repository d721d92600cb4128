//! Puts the results between the markers of a Markdown file and leaves all else as it is.

use std::path::Path;

use anyhow::Context;

const BEGIN: &str = "<!-- results -->";
const END: &str = "<!-- /results -->";

/// Replaces what stands between the markers of the file.
///
/// # Errors
/// When the file cannot be read or written, or has not each marker once, in order; it is left unchanged then.
pub(crate) fn write_results(path: &Path, results: &str) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let spliced = splice(&text, results)
        .with_context(|| format!("{} needs `{BEGIN}` and after it `{END}`, once each", path.display()))?;
    std::fs::write(path, spliced).with_context(|| format!("cannot write {}", path.display()))
}

fn splice(text: &str, results: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    if before.contains(END) || after.contains(END) || rest.contains(BEGIN) {
        return None;
    }
    Some(format!("{before}{BEGIN}\n{}\n{END}{after}", results.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lies_between_the_markers_changes() {
        let text = "# Bench\n\n<!-- results -->\nold\n<!-- /results -->\n\nMore.\n";
        let expected = "# Bench\n\n<!-- results -->\nnew\n<!-- /results -->\n\nMore.\n";
        assert_eq!(splice(text, "new\n").as_deref(), Some(expected));
        assert_eq!(splice(expected, "new\n").as_deref(), Some(expected));
    }

    #[test]
    fn a_file_without_its_markers_once_and_in_order_is_refused() {
        for text in [
            "nothing",
            "<!-- results --> no end",
            "<!-- /results --> <!-- results -->",
            "<!-- /results --> <!-- results --> <!-- /results -->",
            "<!-- results --> <!-- results --> <!-- /results -->",
        ] {
            assert_eq!(splice(text, "new"), None, "{text}");
        }
    }
}
