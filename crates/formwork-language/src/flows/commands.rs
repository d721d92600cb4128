//! Command lines that a flow runs: ``CI runs `tool check` and gets exit code `0` with `output contains "fine"`.``
//!
//! Only a tool that section 4 declares is run, and only where the step says which exit code it expects: a sentence
//! that merely tells of a command starts nothing.

use super::Reading;
use super::names::Scope;
use crate::behaviour::{CommandCheck, FlowAction, Stream};
use crate::steps::clause::{Misread, Reader};
use crate::steps::{Form, Grammar};
use crate::tokens::{Sentence, Token};
use std::sync::Arc;

/// The form, for messages.
pub(super) static FORM: Form = Form {
    name: "runs a command",
    heads: &[],
    notation: "Actor runs `tool arguments` and gets exit code `N` [with `output contains \"x\"`].",
    tails: &[],
    grammar: Grammar::Unsupported,
};

/// Reads a sentence.
pub(super) fn read(scope: &Scope<'_>, sentence: &Sentence) -> Reading {
    let tokens = &sentence.tokens;
    let verb = tokens.iter().position(|token| token.is("runs") || token.is("run"))?;
    let line = tokens.get(verb + 1)?.code()?;
    let rest = tokens.get(verb + 2..)?;
    let at = rest.iter().position(|token| token.is("exit"))?;
    let joined =
        |token: &Token| token.is_sign(',') || ["and", "gets", "an", "the"].iter().any(|word| token.is(word));
    if !rest[..at].iter().all(joined) || !rest.get(at + 1).is_some_and(|token| token.is("code")) {
        return None;
    }
    let source = scope.world.source;
    let arguments = split(&line.text(source));
    let tool = arguments.first()?;
    if !tools(scope).any(|known| known == &**tool) {
        return Some(Err(Misread {
            word: Some(tool.to_string()),
            expected: "a command that section 4 declares".to_owned(),
            span: line.span(),
        }));
    }
    let mut reader = Reader::over(source, scope.world.names(), &rest[at + 2..], sentence.span);
    Some(expectations(&mut reader, source).map(|(exit, checks)| {
        Some(FlowAction::RunCommand {
            arguments: arguments.into_iter().map(Arc::from).collect(),
            exit,
            checks,
        })
    }))
}

/// The exit code, and what the streams must hold.
fn expectations(reader: &mut Reader<'_>, source: &str) -> Result<(i32, Vec<CommandCheck>), Misread> {
    let before = reader.position();
    let exit = reader.number("an exit code from 0 to 255")?;
    let Some(exit) = i32::try_from(exit).ok().filter(|exit| *exit < 256) else {
        reader.rewind(before);
        return Err(reader.misread("an exit code from 0 to 255"));
    };
    let mut checks = Vec::new();
    reader.sign(',');
    if reader.word("with") {
        for code in reader.codes("`output contains \"x\"`")? {
            let text = code.text(source);
            let check = check(text.trim()).ok_or_else(|| Misread {
                word: Some(text.into_owned()),
                expected: "`output contains \"x\"` or `errors contains \"x\"`".to_owned(),
                span: code.span(),
            })?;
            checks.push(check);
        }
    }
    reader.end("`with` or the end of the sentence")?;
    Ok((exit, checks))
}

/// `output contains "x"`, `errors contains "x"`
fn check(text: &str) -> Option<CommandCheck> {
    let (stream, rest) = text.split_once(" contains ")?;
    let stream = match stream.trim() {
        "output" => Stream::Output,
        "errors" => Stream::Errors,
        _ => return None,
    };
    let quoted = rest.trim().strip_prefix('"')?.strip_suffix('"')?;
    Some(CommandCheck { stream, contains: quoted.into() })
}

/// The first words of the command lines of section 4.
fn tools<'w>(scope: &Scope<'w>) -> impl Iterator<Item = &'w str> {
    let commands = scope.world.model.operations.iter().filter(|operation| operation.command);
    commands.filter_map(|operation| {
        let line = operation.command_line.as_ref().unwrap_or(&operation.name);
        line.value.split_whitespace().next()
    })
}

/// The words of a command line; a text in quotes is one of them. Nothing else has a meaning: no shell is started.
fn split(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote): (Vec<String>, Option<String>, Option<char>) =
        (Vec::new(), None, None);
    for letter in line.chars() {
        match quote {
            Some(open) if letter == open => quote = None,
            Some(_) => word.get_or_insert_default().push(letter),
            None if letter == '"' || letter == '\'' => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            None if letter.is_whitespace() => words.extend(word.take()),
            None => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn a_command_line_is_words_and_quoted_texts() {
        assert_eq!(split("docs lint  --title 'a b' \"\""), ["docs", "lint", "--title", "a b", ""]);
        assert_eq!(split("a$HOME;rm *"), ["a$HOME;rm", "*"]);
        assert!(split("  ").is_empty());
    }
}
