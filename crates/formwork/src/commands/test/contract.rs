//! `formwork test --only contract`: every role and operation, let in or refused as section 9 says.

use super::{Arguments, Format};
use crate::ending::Ending;
use crate::system::FreshSystems;
use crate::terminal::Terminal;
use anyhow::{Context, Result, bail};
use formwork_check::Analysis;
use formwork_prove::run_contract;

/// Holds a fresh system against the matrix of roles and operations.
pub(super) fn run(arguments: &Arguments, analysis: &Analysis, terminal: &Terminal) -> Result<Ending> {
    let barred = [
        (arguments.flow.is_some(), "--flow"),
        (arguments.target.is_some(), "--target"),
        (arguments.format == Format::Junit, "--format junit"),
    ];
    if let Some((_, option)) = barred.into_iter().find(|(is_given, _)| *is_given) {
        bail!("{option} is of the flows; the contract is held against a system of its own");
    }
    let runtime = tokio::runtime::Runtime::new().context("cannot start threads")?;
    let launcher = FreshSystems::new(analysis, arguments.database.clone());
    let report = runtime.block_on(run_contract(analysis, &launcher))?;
    let text = match arguments.format {
        Format::Json => {
            let mut told = report.to_json();
            told["version"] = 1.into();
            told.to_string()
        }
        Format::Text | Format::Junit => report.to_text(&arguments.document),
    };
    terminal.result(&text)?;
    Ok(Ending::fine_if(report.is_fine()))
}
