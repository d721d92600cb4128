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
pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Ending> {
    let Some(page) = formwork_check::explain(&arguments.code) else {
        bail!("there is no diagnostic `{}`; codes look like FW0601", arguments.code)
    };
    terminal.result(page)?;
    Ok(Ending::Fine)
}
