//! `formwork test`: holds a document's promises against the system that it describes.

use crate::ending::Ending;
use crate::terminal::Terminal;
use anyhow::Result;
use clap::{Args, ValueEnum};

/// What `formwork test` takes.
#[derive(Args)]
#[command(after_help = "Example:\n  formwork test shortlink.md --only flows\n  formwork test shortlink.md --flow \"A link expires\"")]
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
pub(crate) fn run(_arguments: &Arguments, _terminal: &Terminal) -> Result<Ending> {
    anyhow::bail!("not yet")
}
