//! `formwork check`: documents to findings.

use crate::documents;
use crate::ending::Ending;
use crate::findings;
use crate::terminal::Terminal;
use anyhow::Result;
use clap::{Args, ValueEnum};
use formwork_check::{Analysis, CheckedFile, Severity, analyse, classes, coverage, render_json, render_text};

/// What `formwork check` takes.
#[derive(Args)]
#[command(
    after_help = "Example:\n  formwork check --strict docs/*.md\n  cat shortlink.md | formwork check -"
)]
pub(crate) struct Arguments {
    /// Documents; `-` is standard input
    #[arg(required = true, value_name = "DOC")]
    documents: Vec<String>,
    /// How to show the findings
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Say how much of each document was understood
    #[arg(long)]
    coverage: bool,
    /// Warnings count as errors
    #[arg(long)]
    strict: bool,
}

/// How findings are shown.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

/// Checks each document; an unreadable one does not keep the others from being checked.
pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Ending> {
    let mut files: Vec<(String, Analysis)> = Vec::new();
    let mut unreadable = false;
    for path in &arguments.documents {
        match documents::read(path) {
            Ok(source) => files.push((source.path, analyse(source.text))),
            Err(error) => {
                terminal.error(&error);
                unreadable = true;
            }
        }
    }
    if !files.is_empty() {
        show(&files, arguments, terminal)?;
    }
    if unreadable {
        return Ok(Ending::CouldNot);
    }
    let falls_short = |(_, analysis): &(String, Analysis)| {
        analysis.has_errors() || (arguments.strict && findings::count(analysis, Severity::Warning) > 0)
    };
    Ok(Ending::fine_if(!files.iter().any(falls_short)))
}

fn show(files: &[(String, Analysis)], arguments: &Arguments, terminal: &Terminal) -> Result<()> {
    let checked: Vec<CheckedFile<'_>> =
        files.iter().map(|(path, analysis)| CheckedFile { path, analysis }).collect();
    match arguments.format {
        Format::Json => terminal.result(&render_json(&checked, arguments.coverage))?,
        Format::Text => {
            terminal.result(&render_text(&checked, terminal.colour_on_output()))?;
            if arguments.coverage {
                files.iter().try_for_each(|(path, analysis)| terminal.result(&understood(path, analysis)))?;
            }
        }
    }
    Ok(())
}

fn understood(path: &str, analysis: &Analysis) -> String {
    let counts = coverage(&classes(analysis));
    format!(
        "{path}: {} understood, {} narrative, {} unfinished, {} not understood",
        counts.understood, counts.narrative, counts.unfinished, counts.not_understood
    )
}
