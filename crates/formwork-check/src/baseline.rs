//! Findings that a document begins with: written once, hidden from then on, so that only new ones are told.
//!
//! A finding is known again by its code, its message and the text of the line on which it stands, not by its place:
//! edits elsewhere do not revive it. Of several alike, as many are hidden as were written.

use crate::analysis::Analysis;
use crate::diagnostic::Diagnostic;
use crate::render::CheckedFile;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// Old findings, by document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baseline {
    version: u8,
    /// By the path as it was given, then by fingerprint: how many.
    files: BTreeMap<String, BTreeMap<String, usize>>,
}

/// Why a text is no baseline.
#[derive(Debug)]
pub struct BaselineError(String);

impl fmt::Display for BaselineError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "not a baseline of `formwork check`: {}", self.0)
    }
}

impl std::error::Error for BaselineError {}

impl Baseline {
    /// The findings of the files.
    pub fn of(files: &[CheckedFile<'_>]) -> Self {
        let mut known: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
        for file in files {
            let findings = known.entry(file.path.to_owned()).or_default();
            for found in &file.analysis.diagnostics {
                *findings.entry(fingerprint(&file.analysis.source, found)).or_default() += 1;
            }
        }
        Self { version: 1, files: known }
    }

    /// Reads what [`to_json`](Self::to_json) wrote. Fails on anything else, and on a version that is not known.
    pub fn parse(text: &str) -> Result<Self, BaselineError> {
        let baseline: Self = serde_json::from_str(text).map_err(|error| BaselineError(error.to_string()))?;
        match baseline.version {
            1 => Ok(baseline),
            other => Err(BaselineError(format!("version {other} is not known"))),
        }
    }

    /// As JSON, one finding on a line, so that changes of it can be read.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Takes the findings of the baseline out of an analysis, and says how many.
    pub fn hide(&self, path: &str, analysis: &mut Analysis) -> usize {
        let Some(known) = self.files.get(path) else { return 0 };
        let mut left = known.clone();
        let source = analysis.source.clone();
        let before = analysis.diagnostics.len();
        analysis.diagnostics.retain(|found| match left.get_mut(&fingerprint(&source, found)) {
            Some(count) if *count > 0 => {
                *count -= 1;
                false
            }
            _ => true,
        });
        before - analysis.diagnostics.len()
    }
}

/// What a finding is known by: code, message, and the text of its line without the blanks around it. The first two
/// stay readable, the line becomes a number.
pub(crate) fn fingerprint(source: &str, found: &Diagnostic) -> String {
    let start = (found.span.start as usize).min(source.len());
    let from = source.get(..start).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
    let rest = source.get(from..).unwrap_or_default();
    let line = rest.lines().next().unwrap_or_default().trim();
    format!("{} {} #{:016x}", found.code, found.message, hash(line))
}

/// FNV-1a, 64 bit: the same on every machine and in every version.
fn hash(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
