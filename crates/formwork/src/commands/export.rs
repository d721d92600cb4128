//! `formwork export`: a document to an artefact.

use crate::documents;
use crate::ending::Ending;
use crate::terminal::Terminal;
use anyhow::Result;
use clap::{Args, ValueEnum};
use formwork_check::analyse;

/// What `formwork export` takes.
#[derive(Args)]
#[command(after_help = "Example:\n  formwork export model shortlink.md > model.json")]
pub(crate) struct Arguments {
    /// What to write
    #[arg(value_enum)]
    kind: Kind,
    /// The document; `-` is standard input
    #[arg(value_name = "DOC")]
    document: String,
}

/// The artefacts.
#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    /// The typed model as JSON
    Model,
}

/// Writes the artefact to standard output, even of a document with errors.
pub(crate) fn run(arguments: &Arguments, _terminal: &Terminal) -> Result<Ending> {
    let source = documents::read(&arguments.document)?;
    let _analysis = analyse(source.text);
    match arguments.kind {
        Kind::Model => anyhow::bail!("not yet"),
    }
}
