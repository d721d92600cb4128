//! `formwork check`: documents to findings.

mod fix;
mod watch;

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
    /// Make the corrections that are mechanical, in the file itself; of `-`, to standard output
    #[arg(long)]
    fix: bool,
    /// Check again whenever a document changes, until ended with Ctrl-C
    #[arg(long)]
    watch: bool,
}

/// How findings are shown.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

/// Checks each document, once or for as long as it is watched.
pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Ending> {
    if arguments.watch {
        match watch::run(&arguments.documents, terminal, &|| once(arguments, terminal).map(drop))? {}
    }
    once(arguments, terminal)
}

/// Checks each document; an unreadable one does not keep the others from being checked.
fn once(arguments: &Arguments, terminal: &Terminal) -> Result<Ending> {
    let mut files: Vec<(String, Analysis)> = Vec::new();
    let mut unreadable = false;
    for path in &arguments.documents {
        let source = documents::read(path);
        let mended = match arguments.fix {
            true => source.and_then(|source| fix::mended(source, &analyse, terminal)),
            false => source,
        };
        match mended {
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
    // A mended document takes the place of the findings on standard output.
    let aside = arguments.fix && files.iter().any(|(path, _)| path == "-");
    let colour = if aside { terminal.colour_on_error() } else { terminal.colour_on_output() };
    let say = |text: &str| -> Result<()> {
        match aside {
            true => terminal.must_say(text),
            false => terminal.result(text)?,
        }
        Ok(())
    };
    match arguments.format {
        Format::Json => say(&render_json(&checked, arguments.coverage))?,
        Format::Text => {
            say(&render_text(&checked, colour))?;
            if arguments.coverage {
                files.iter().try_for_each(|(path, analysis)| say(&understood(path, analysis)))?;
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
