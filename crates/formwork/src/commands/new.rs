//! `formwork new`: a document to begin with, blank, filled in as an example, or asked for prompt by prompt.

mod interview;

use crate::ending::Ending;
use crate::replace::{create, replace};
use crate::terminal::Terminal;
use anyhow::{Context, Result, bail};
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser};
use formwork_format::{EXAMPLES, blank};
use std::io::ErrorKind;

/// What `formwork new` takes.
#[derive(Args)]
#[command(
    after_help = "Example:\n  formwork new Shortlink\n  formwork new --example shortlink --output links.md\n  formwork new Shortlink --interview\n\nAn interview can be stopped at any time; the same command continues it."
)]
pub(crate) struct Arguments {
    /// The name of what is described; it goes into the title and names the file
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// Write a complete example instead of the blank form
    #[arg(long, value_name = "EXAMPLE", value_parser = examples(), conflicts_with_all = ["name", "interview"])]
    example: Option<String>,
    /// Ask for what the form wants, prompt by prompt, and write each answer into the file at once
    #[arg(long)]
    interview: bool,
    /// The file, instead of one named after NAME; `-` is standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<String>,
    /// Replace the file if there is one
    #[arg(long)]
    force: bool,
}

fn examples() -> PossibleValuesParser {
    PossibleValuesParser::new(EXAMPLES.iter().map(|example| PossibleValue::new(example.name)))
}

/// Writes the document; never over a file that is there, unless forced.
pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Ending> {
    let name = arguments.name.as_deref().map(str::trim).filter(|name| !name.is_empty());
    if name.is_some_and(|name| name.chars().any(char::is_control)) {
        bail!("a name is one line of text");
    }
    let text = match &arguments.example {
        Some(name) => {
            EXAMPLES.iter().find(|example| example.name == name).map(|example| example.text.to_owned())
        }
        None => Some(blank(name)),
    };
    let text = text.context("the example was checked before")?;
    let file = arguments.output.clone().unwrap_or_else(|| file_name(name.or(arguments.example.as_deref())));
    if arguments.interview {
        return interview::run(&file, &text, arguments.force, terminal);
    }
    if file == "-" {
        terminal.exact(&text)?;
        return Ok(Ending::Fine);
    }
    write(&file, &text, arguments.force)?;
    terminal.remark(&format!("wrote {file}; see what it still needs: formwork check {}", shown(&file)));
    Ok(Ending::Fine)
}

fn write(file: &str, text: &str, force: bool) -> Result<()> {
    match create(file, text) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists && force => replace(file, text),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            bail!("{file} is there already; write another file with --output, or replace it with --force")
        }
        written => written.with_context(|| format!("cannot write {file}")),
    }
}

/// `Ledger & Co` as `ledger-co.md`; `architecture.md` without a name.
fn file_name(name: Option<&str>) -> String {
    let mut file = String::new();
    for character in name.unwrap_or("architecture").chars() {
        if character.is_alphanumeric() {
            file.extend(character.to_lowercase());
        } else if !file.is_empty() && !file.ends_with('-') {
            file.push('-');
        }
    }
    let stem = file.trim_end_matches('-');
    format!("{}.md", if stem.is_empty() { "architecture" } else { stem })
}

/// A file's name as a shell takes it.
fn shown(file: &str) -> String {
    let is_plain = file.chars().all(|character| character.is_alphanumeric() || "./_-".contains(character));
    if is_plain { file.to_owned() } else { format!("'{}'", file.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_after_what_it_describes() {
        assert_eq!(file_name(Some("Ledger & Co.")), "ledger-co.md");
        assert_eq!(file_name(Some("Überweisung")), "überweisung.md");
        assert_eq!(file_name(Some("../..")), "architecture.md");
        assert_eq!(file_name(None), "architecture.md");
    }
}
