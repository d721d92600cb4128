//! Limits that the document states and nobody would enforce: `run` refuses to start over them.

use formwork_check::Analysis;

/// The findings of `check` about limits that limit nothing, or not what they say.
const CODES: [&str; 2] = ["FW0904", "FW0914"];

/// The first limit of section 9 that is not enforced, as one line that names its place and the way out.
pub fn unenforced_limit(analysis: &Analysis) -> Option<String> {
    let found = analysis.diagnostics.iter().find(|found| CODES.contains(&found.code))?;
    let line = analysis.lines.position(&analysis.source, found.span.start).line;
    let help = found.help.as_deref().unwrap_or("name what it limits");
    Some(format!("line {line}: {} [{}]; {help}", found.message, found.code))
}
