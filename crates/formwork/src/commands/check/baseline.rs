//! The file of old findings: read, written, and what it hides taken out of the report.

use crate::terminal::Terminal;
use anyhow::{Context, Result};
use formwork_check::{Analysis, Baseline, CheckedFile};
use std::path::Path;

/// Reads a file that [`write()`] wrote.
pub(super) fn read(path: &Path) -> Result<Baseline> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the baseline {}", path.display()))?;
    Baseline::parse(&text).with_context(|| path.display().to_string())
}

/// Writes the findings of the files.
pub(super) fn write(path: &Path, files: &[CheckedFile<'_>], terminal: &Terminal) -> Result<()> {
    let text = format!("{}\n", Baseline::of(files).to_json());
    std::fs::write(path, text).with_context(|| format!("cannot write the baseline {}", path.display()))?;
    let number: usize = files.iter().map(|file| file.analysis.diagnostics.len()).sum();
    let plural = if number == 1 { "" } else { "s" };
    terminal.remark(&format!("{number} finding{plural} written to {}", path.display()));
    Ok(())
}

/// Takes the known findings out, and says on standard error how many.
pub(super) fn hide(known: &Baseline, files: &mut [(String, Analysis)], terminal: &Terminal) {
    let hidden: usize = files.iter_mut().map(|(path, analysis)| known.hide(path, analysis)).sum();
    if hidden > 0 {
        let plural = if hidden == 1 { "" } else { "s" };
        terminal.remark(&format!("{hidden} finding{plural} of the baseline hidden"));
    }
}
