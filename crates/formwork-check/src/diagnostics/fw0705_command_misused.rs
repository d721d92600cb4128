//! FW0705: a flow that runs a command in a way that section 4 does not declare: a flag, an exit code, a subcommand.

use crate::catalogue::Entry;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::prose;
use crate::words::quoted;
use formwork_model::facts::StepItem;
use formwork_model::names::nearest;
use formwork_model::sections::commands::exits_spoken_of;
use formwork_model::sections::interface::Operation;
use formwork_syntax::{Code, Span};
use std::collections::BTreeSet;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0705",
    severity: Severity::Warning,
    title: "a command that is run as it cannot be",
    page: include_str!("../pages/FW0705.md"),
    rule: Some(rule),
};

/// What every command understands.
const GENERAL: [&str; 4] = ["--help", "-h", "--version", "-V"];

/// Finds it in every flow, executed or not.
fn rule(cx: &Context<'_>) -> Vec<Diagnostic> {
    let commands: Vec<&Operation> =
        cx.model.operations.iter().filter(|operation| operation.command).collect();
    if commands.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for flow in &cx.model.flows {
        let mut open: Vec<&StepItem> = flow.steps.iter().chain(&flow.errors).rev().collect();
        while let Some(item) = open.pop() {
            step(cx, &commands, item, &mut found);
            open.extend(item.nested.iter().rev());
        }
    }
    found
}

/// The commands of a step, and the exit code that it expects of them.
fn step(cx: &Context<'_>, commands: &[&Operation], item: &StepItem, found: &mut Vec<Diagnostic>) {
    let mut run: Vec<&Operation> = Vec::new();
    for (_, code) in item.text.codes() {
        let line = code.text(cx.source);
        match command_of(commands, &line) {
            Some(command) => {
                flags(cx, command, code, &line, found);
                run.push(command);
            }
            None => found.extend(misspelt(cx, commands, code, &line)),
        }
    }
    let [command] = run.as_slice() else { return };
    let known = exit_codes(cx, command);
    for exit in exits_spoken_of(cx.source, item.text.span) {
        if !known.is_empty() && !known.contains(&exit.value) {
            let message =
                format!("{} does not end with exit code `{}`", quoted(&command.name.value), exit.value);
            let listed = known.iter().map(|code| format!("`{code}`")).collect::<Vec<_>>().join(", ");
            found.push(
                ENTRY
                    .at(exit.span, message)
                    .help(format!("section 4 lists {listed}; expect one of them, or list it")),
            );
        }
    }
}

/// The command whose name the line begins with, the longest first.
fn command_of<'c>(commands: &[&'c Operation], line: &str) -> Option<&'c Operation> {
    let begins = |command: &&&Operation| {
        let name = name_of(command);
        line.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    };
    commands.iter().filter(begins).max_by_key(|command| name_of(command).len()).copied()
}

/// The words that name a command: of its synopsis those before the first flag or argument.
fn name_of(command: &Operation) -> &str {
    match &command.command_line {
        Some(line) => {
            let words = line.value.split(' ').take_while(|word| {
                word.starts_with(|first: char| first.is_ascii_lowercase() || first == '.' || first == '/')
            });
            let length = words.map(|word| word.len() + 1).sum::<usize>();
            line.value.get(..length.saturating_sub(1)).unwrap_or(&command.name.value)
        }
        None => &command.name.value,
    }
}

/// Flags of the line that the command does not declare; a command without any declared flag is not judged.
fn flags(cx: &Context<'_>, command: &Operation, code: &Code, line: &str, found: &mut Vec<Diagnostic>) {
    let own = command.command_facts.flags.iter().chain(&cx.model.common_command.flags);
    let known: Vec<&str> = own
        .flat_map(|flag| [Some(&flag.name), flag.short.as_ref()])
        .flatten()
        .map(|name| name.value.as_str())
        .collect();
    let is_declared = command.command_line.is_some() || !command.command_facts.flags.is_empty();
    if !is_declared {
        return;
    }
    for word in line.split_whitespace().take_while(|word| *word != "--") {
        let flag = word.split('=').next().unwrap_or(word);
        let is_flag = flag.starts_with('-')
            && flag.trim_start_matches('-').starts_with(|first: char| first.is_ascii_alphabetic());
        if !is_flag || known.contains(&flag) || GENERAL.contains(&flag) {
            continue;
        }
        let near = nearest(flag, known.iter().copied());
        let message = format!("{} has no flag {}", quoted(&command.name.value), quoted(flag));
        let place = place_of(cx, code, flag);
        found.push(ENTRY.at(place, message).nearest(
            cx,
            flag,
            near,
            "declare it in section 4, or use one that is",
        ));
    }
}

/// A subcommand that is one slip away from one that there is.
fn misspelt(cx: &Context<'_>, commands: &[&Operation], code: &Code, line: &str) -> Option<Diagnostic> {
    let mut words = line.split(' ');
    let (tool, sub) = (words.next()?, words.next()?);
    let is_of_tool = |name: &&str| name.split(' ').next() == Some(tool);
    let subs: BTreeSet<&str> = commands
        .iter()
        .map(|command| name_of(command))
        .filter(is_of_tool)
        .filter_map(|name| name.split(' ').nth(1))
        .collect();
    let near = nearest(sub, subs.iter().copied()).filter(|_| !subs.contains(sub))?;
    let message = format!("there is no command {}", quoted(&format!("{tool} {sub}")));
    Some(ENTRY.at(place_of(cx, code, sub), message).nearest(cx, sub, Some(near), ""))
}

fn place_of(cx: &Context<'_>, code: &Code, word: &str) -> Span {
    let span = code.span();
    let at = span.slice(cx.source).find(word).unwrap_or_default() as u32;
    Span::new(span.start + at, (span.start + at + word.len() as u32).min(span.end))
}

/// What the command may end with: as listed for it or for all, and as sentences about it say.
fn exit_codes(cx: &Context<'_>, command: &Operation) -> BTreeSet<u8> {
    let listed = command.command_facts.exit_codes.iter().chain(&cx.model.common_command.exit_codes);
    let mut known: BTreeSet<u8> = listed.map(|exit| exit.code.value).collect();
    if known.is_empty() {
        return known;
    }
    for sentence in prose::sentences(cx.source, command.span) {
        known.extend(exits_spoken_of(cx.source, sentence.span).into_iter().map(|exit| exit.value));
    }
    known
}
