//! `formwork check`: documents to findings.

use crate::documents;
use crate::ending::Ending;
use crate::findings;
use crate::terminal::Terminal;
use anyhow::Result;
use clap::{Args, ValueEnum};
use formwork_check::{Analysis, Severity, analyse};

/// What `formwork check` takes.
#[derive(Args)]
#[command(after_help = "Example:\n  formwork check --strict docs/*.md\n  cat shortlink.md | formwork check -")]
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
    show(&files, arguments, terminal)?;
    if unreadable {
        return Ok(Ending::CouldNot);
    }
    let (errors, warnings) = totals(&files);
    Ok(Ending::fine_if(errors == 0 && (warnings == 0 || !arguments.strict)))
}

fn show(files: &[(String, Analysis)], arguments: &Arguments, terminal: &Terminal) -> Result<()> {
    if arguments.format == Format::Json {
        return Ok(());
    }
    for (path, analysis) in files {
        let text = findings::text(analysis, path, terminal.colour_on_output());
        if !text.is_empty() {
            terminal.result(&text)?;
        }
    }
    let (errors, warnings) = totals(files);
    if !files.is_empty() {
        terminal.remark(&format!("{errors} errors, {warnings} warnings in {} documents", files.len()));
    }
    Ok(())
}

fn totals(files: &[(String, Analysis)]) -> (usize, usize) {
    let total = |severity| files.iter().map(|(_, analysis)| findings::count(analysis, severity)).sum();
    (total(Severity::Error), total(Severity::Warning))
}
