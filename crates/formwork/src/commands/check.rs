//! `formwork check`: documents to findings.

mod baseline;
mod fix;
mod listing;
mod watch;

use crate::documents;
use crate::ending::Ending;
use crate::findings;
use crate::terminal::Terminal;
use anyhow::Result;
use clap::{Args, ValueEnum};
use formwork_check::{
    Analysis, CheckedFile, Form, Severity, analyse_with, render_github, render_json, render_sarif,
    render_text,
};
use std::path::PathBuf;
use std::sync::Arc;

/// What `formwork check` takes.
#[derive(Args)]
#[command(
    after_help = "Example:\n  formwork check --strict docs/*.md\n  cat shortlink.md | formwork check -\n  formwork check --baseline old.json --format github docs/*.md"
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
    /// A template in brackets that takes the place of the form that ships with Formwork
    #[arg(long, value_name = "FILE")]
    form: Option<String>,
    /// List the comments that allow findings, instead of the findings
    #[arg(long, conflicts_with_all = ["fix", "format"])]
    suppressions: bool,
    /// Hide the findings that were written to this file
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Write the findings to this file, for --baseline, and end well
    #[arg(long, value_name = "FILE", conflicts_with = "baseline")]
    write_baseline: Option<PathBuf>,
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
    /// For code scanning: SARIF 2.1.0
    Sarif,
    /// For the annotations of GitHub's workflows
    Github,
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
    let form = arguments.form.as_ref().map(|path| documents::read(path)).transpose()?;
    let form = form.map(|template| Form::read(&template.text));
    let form = form.as_ref().unwrap_or_else(|| Form::shipped());
    let known = arguments.baseline.as_deref().map(baseline::read).transpose()?;
    let analyse = |text: Arc<str>| analyse_with(text, form);
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
    if let Some(known) = known {
        baseline::hide(&known, &mut files, terminal);
    }
    if arguments.suppressions {
        files.iter().try_for_each(|(path, it)| terminal.result(&listing::allowances(path, it)))?;
        return Ok(if unreadable { Ending::CouldNot } else { Ending::fine_if(true) });
    }
    if !files.is_empty() {
        show(&files, arguments, terminal)?;
    }
    if let (Some(path), false) = (&arguments.write_baseline, unreadable) {
        baseline::write(path, &checked(&files), terminal)?;
        return Ok(Ending::fine_if(true));
    }
    if unreadable {
        return Ok(Ending::CouldNot);
    }
    let falls_short = |(_, analysis): &(String, Analysis)| {
        analysis.has_errors() || (arguments.strict && findings::count(analysis, Severity::Warning) > 0)
    };
    let is_fine = !files.iter().any(falls_short);
    if !arguments.watch {
        // The process ends now: giving its memory back piece by piece would take a tenth of the whole check.
        std::mem::forget(files);
    }
    Ok(Ending::fine_if(is_fine))
}

fn show(files: &[(String, Analysis)], arguments: &Arguments, terminal: &Terminal) -> Result<()> {
    let checked = checked(files);
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
        Format::Sarif => say(&render_sarif(&checked))?,
        Format::Github => {
            let lines = render_github(&checked);
            if !lines.is_empty() {
                say(&lines)?;
            }
        }
        Format::Text => {
            say(&render_text(&checked, colour))?;
            if arguments.coverage {
                files.iter().try_for_each(|(path, it)| say(&listing::understood(path, it)))?;
            }
        }
    }
    Ok(())
}

fn checked(files: &[(String, Analysis)]) -> Vec<CheckedFile<'_>> {
    files.iter().map(|(path, analysis)| CheckedFile { path, analysis }).collect()
}
