//! `formwork explain`: a diagnostic's code to its page.

use crate::ending::Ending;
use crate::terminal::Terminal;
use anyhow::{Result, bail};
use clap::Args;

/// What `formwork explain` takes.
#[derive(Args)]
#[command(after_help = "Example:\n  formwork explain FW0601")]
pub(crate) struct Arguments {
    /// The code, as shown beside a finding
    #[arg(value_name = "CODE")]
    code: String,
}

/// Prints the page of a code.
pub(crate) fn run(arguments: &Arguments, _terminal: &Terminal) -> Result<Ending> {
    bail!("there is no diagnostic `{}`", arguments.code)
}
