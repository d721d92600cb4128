//! `--fix`: makes the mechanical corrections of the findings, in the file itself.

use crate::documents::Source;
use crate::replace::replace;
use crate::terminal::Terminal;
use anyhow::Result;
use formwork_check::Analysis;
use std::sync::Arc;

/// The document after its fixes. A file is replaced; what was read from standard input goes to standard output.
pub(super) fn mended(
    source: Source,
    check: &dyn Fn(Arc<str>) -> Analysis,
    terminal: &Terminal,
) -> Result<Source> {
    let fixed = formwork_format::fix(Arc::clone(&source.text), check);
    if source.path == "-" {
        terminal.exact(&fixed.text)?;
    } else if *fixed.text != *source.text {
        replace(&source.path, &fixed.text)?;
    }
    for one in &fixed.mended {
        terminal.remark(&format!("fixed {}:{}: {}: {}", source.path, one.line, one.message, one.title));
    }
    Ok(Source { path: source.path, text: fixed.text.into() })
}
