//! `formwork fmt`: documents to the same documents in canonical notation.

use crate::documents::{self, Source};
use crate::ending::Ending;
use crate::replace::replace;
use crate::terminal::Terminal;
use anyhow::Result;
use clap::Args;
use std::sync::Arc;

/// What `formwork fmt` takes.
#[derive(Args)]
#[command(
    after_help = "Example:\n  formwork fmt docs/*.md\n  formwork fmt --check ARCHITECTURE.md\n\nProse is never touched, and what the document says stays the same."
)]
pub(crate) struct Arguments {
    /// Documents; `-` is standard input, and its result standard output
    #[arg(required = true, value_name = "DOC")]
    documents: Vec<String>,
    /// Write nothing; name the documents that would change, and fail when there are any
    #[arg(long)]
    check: bool,
    /// Write the result to standard output instead of the file
    #[arg(long, conflicts_with = "check")]
    stdout: bool,
}

/// Formats each document; an unreadable one does not keep the others from being formatted.
pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Ending> {
    let mut could_not = false;
    let mut differs = false;
    for path in &arguments.documents {
        match documents::read(path).and_then(|source| one(&source, arguments, terminal)) {
            Ok(changed) => differs |= changed,
            Err(error) if crate::ending::is_closed_pipe(&error) => return Err(error),
            Err(error) => {
                terminal.error(&error);
                could_not = true;
            }
        }
    }
    if could_not {
        return Ok(Ending::CouldNot);
    }
    Ok(Ending::fine_if(!(arguments.check && differs)))
}

/// Formats one document; says whether it changed.
fn one(source: &Source, arguments: &Arguments, terminal: &Terminal) -> Result<bool> {
    let formatted = formwork_format::format(Arc::clone(&source.text));
    let changed = *formatted.text != *source.text;
    if formatted.left_out > 0 {
        let (number, path) = (formatted.left_out, &source.path);
        terminal
            .detail(&format!("{path}: {number} left out, which would have changed what the document says"));
    }
    if arguments.check {
        if changed {
            terminal.result(&format!("{} is not in canonical notation", source.path))?;
        }
    } else if arguments.stdout || source.path == "-" {
        terminal.exact(&formatted.text)?;
    } else if changed {
        replace(&source.path, &formatted.text)?;
        terminal.remark(&format!("formatted {}", source.path));
    }
    Ok(changed)
}
