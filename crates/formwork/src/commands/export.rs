//! `formwork export`: a document to an artefact.

use crate::documents;
use crate::ending::Ending;
use crate::terminal::Terminal;
use anyhow::{Context, Result};
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser};
use formwork_check::analyse;
use formwork_export::KINDS;

/// What `formwork export` takes.
#[derive(Args)]
#[command(after_help = "Example:\n  formwork export model shortlink.md > model.json")]
pub(crate) struct Arguments {
    /// What to write
    #[arg(value_name = "KIND", value_parser = kinds())]
    kind: String,
    /// The document; `-` is standard input
    #[arg(value_name = "DOC")]
    document: String,
}

fn kinds() -> PossibleValuesParser {
    PossibleValuesParser::new(KINDS.iter().map(|kind| PossibleValue::new(kind.name).help(kind.about)))
}

/// Writes the artefact to standard output, even of a document with errors.
pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Ending> {
    let source = documents::read(&arguments.document)?;
    let kind =
        KINDS.iter().find(|kind| kind.name == arguments.kind).context("the kind was checked before")?;
    let artefact = (kind.export)(&analyse(source.text));
    terminal.result(&serde_json::to_string_pretty(&artefact)?)?;
    Ok(Ending::Fine)
}
