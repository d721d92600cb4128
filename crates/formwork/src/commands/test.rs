//! `formwork test`: holds a document's promises against the system that it describes.

use crate::documents;
use crate::ending::Ending;
use crate::findings;
use crate::system::FreshSystems;
use crate::terminal::Terminal;
use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use formwork_prove::report::Verdict;
use formwork_prove::{Options, run_flows};

/// What `formwork test` takes.
#[derive(Args)]
#[command(
    after_help = "Example:\n  formwork test shortlink.md --only flows\n  formwork test shortlink.md --flow \"A link expires\""
)]
pub(crate) struct Arguments {
    /// The document; `-` is standard input
    #[arg(value_name = "DOC")]
    pub(crate) document: String,
    /// Which promises
    #[arg(long, value_enum, value_delimiter = ',')]
    pub(crate) only: Vec<Part>,
    /// Only the flow of this name
    #[arg(long, value_name = "NAME")]
    pub(crate) flow: Option<String>,
    /// How to show the result
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// What can be held against a system.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// The flows of section 7
    Flows,
}

/// How the result is shown.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Reads like the document
    Text,
    /// For programs
    Json,
    /// For continuous integration
    Junit,
}

/// Tests the document.
pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Ending> {
    let source = documents::read(&arguments.document)?;
    let Some(analysis) = findings::executable(source, terminal) else { return Ok(Ending::FallsShort) };
    if arguments.only.is_empty() {
        terminal.remark("only the flows of section 7 are held against the system so far");
    }
    let options = Options { flow: arguments.flow.clone(), seed: 0 };
    let runtime = tokio::runtime::Runtime::new().context("cannot start threads")?;
    let report = runtime.block_on(run_flows(&analysis, &FreshSystems { analysis: &analysis }, &options))?;
    let text = match arguments.format {
        Format::Text => report.to_text(&arguments.document, terminal.colour_on_output()),
        Format::Json => report.to_json().to_string(),
        Format::Junit => report.to_junit(&arguments.document),
    };
    terminal.result(&text)?;
    Ok(Ending::fine_if(report.verdict() == Verdict::Pass))
}
