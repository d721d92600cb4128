//! The interview: one open prompt after the other, each answer written into the file at once.
//!
//! The file is the only state: stopping at any point loses nothing, and starting again asks what is left.

use super::shown;
use crate::documents;
use crate::ending::Ending;
use crate::replace::{create, replace};
use crate::terminal::Terminal;
use anyhow::{Context, Result, bail};
use formwork_format::{Kind, Question, answered, next_question, open_questions};
use std::io::{BufRead, ErrorKind, Write};

/// What the person said.
enum Said {
    Answer(String),
    Skip,
    /// Stop, after taking this answer.
    Quit(String),
}

/// Asks until nothing is left or the person stops. A file that is there is continued; `force` begins it anew.
pub(super) fn run(file: &str, blank: &str, force: bool, terminal: &Terminal) -> Result<Ending> {
    if file == "-" {
        bail!("an interview writes each answer into a file; name one with --output");
    }
    let mut text = begin(file, blank, force, terminal)?;
    terminal.remark("Answer each question; :skip passes it over, :quit stops. The file keeps every answer.");
    let mut input = std::io::stdin().lock();
    let mut from = 0;
    while let Some(question) = next_question(&text, from) {
        show(&question, open_questions(&text, from))?;
        let (answer, stops) = match hear(&mut input, question.kind)? {
            Said::Answer(answer) => (answer, false),
            Said::Quit(answer) => (answer, true),
            Said::Skip => (String::new(), false),
        };
        let (after, next) = answered(&text, &question, &answer);
        if after != text {
            replace(file, &after)?;
            text = after;
        }
        from = next;
        if stops {
            break;
        }
    }
    end(file, open_questions(&text, 0), terminal);
    Ok(Ending::Fine)
}

fn begin(file: &str, blank: &str, force: bool, terminal: &Terminal) -> Result<String> {
    match create(file, blank) {
        Ok(()) => Ok(blank.to_owned()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists && force => {
            replace(file, blank)?;
            Ok(blank.to_owned())
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            terminal.remark(&format!("continuing {file}"));
            Ok(documents::read(file)?.text.to_string())
        }
        Err(error) => Err(error).with_context(|| format!("cannot write {file}")),
    }
}

fn end(file: &str, open: usize, terminal: &Terminal) {
    let file = shown(file);
    terminal.remark(&match open {
        0 => format!("nothing is left to ask; see what else it needs: formwork check {file}"),
        1 => format!("1 question is left; go on: formwork new --interview --output {file}"),
        open => format!("{open} questions are left; go on: formwork new --interview --output {file}"),
    });
}

/// Where the question belongs, what is asked, and how an answer ends.
fn show(question: &Question, open: usize) -> Result<()> {
    let plain = |text: &str| text.chars().filter(|character| !character.is_control()).collect::<String>();
    let mut shown = format!("\n\u{1b}[1m{}\u{1b}[0m ({open} left)\n", plain(&question.place.join(" › ")));
    for prompt in &question.prompts {
        shown.push_str(&format!("  {}\n", plain(prompt)));
    }
    shown.push_str(match question.kind {
        Kind::Line => "",
        Kind::Names => "  One name a line, an empty line ends. Each gets a part of its own.\n",
        Kind::Text => "  One paragraph a line, an empty line ends.\n",
        Kind::Steps | Kind::Numbered => "  One step a line, an empty line ends.\n",
        Kind::Facts | Kind::List => "  One a line, an empty line ends.\n",
        Kind::Code => "  An empty line ends.\n",
    });
    shown.push_str("> ");
    let mut stream = anstream::stderr().lock();
    stream.write_all(shown.as_bytes())?;
    Ok(stream.flush()?)
}

/// Reads an answer: one line, or several up to an empty one outside a fence.
fn hear(input: &mut impl BufRead, kind: Kind) -> Result<Said> {
    let mut answer = String::new();
    let mut in_fence = false;
    loop {
        let mut line = String::new();
        let read = input.read_line(&mut line).context("cannot read the answer")?;
        let line: String =
            line.chars().filter(|character| *character == '\t' || !character.is_control()).collect();
        match line.trim() {
            _ if read == 0 => return Ok(Said::Quit(answer)),
            ":quit" => return Ok(Said::Quit(answer)),
            ":skip" => return Ok(Said::Skip),
            "" if !in_fence => return Ok(if answer.is_empty() { Said::Skip } else { Said::Answer(answer) }),
            _ => {}
        }
        in_fence ^= line.trim_start().starts_with("```");
        answer.push_str(&line);
        if !kind.has_lines() {
            return Ok(Said::Answer(answer));
        }
        answer.push('\n');
    }
}
