//! What a command line takes and how it ends: its flags, arguments and exit codes, from its synopsis
//! (`tool issue NAME [--days N]`), its *Flags* and *Exit codes*, and sentences of its behaviour.
//!
//! What the section says of all commands (`Global flags: …`) stands apart. Source: language reference, *Operations*.

use super::interface::Operation;
use crate::facts::Prose;
use crate::labels::begins_with;
use crate::model::Class;
use crate::reader::{Entry, Reader, entries, node_entries};
use crate::tables;
use crate::tokens::{Token, TokenKind, outer, split};
use crate::typed_fences::plain;
use formwork_syntax::{Block, Node, Part, PieceKind, Row, Span, Spanned, Table, Text};
use std::borrow::Cow;

/// What a command takes and how it ends.
#[derive(Clone, Debug, Default)]
pub struct CommandLine {
    /// Its flags.
    pub flags: Vec<Flag>,
    /// Its arguments, in their order.
    pub arguments: Vec<Argument>,
    /// How it may end, as declared.
    pub exit_codes: Vec<ExitCode>,
}

/// A flag.
#[derive(Clone, Debug)]
pub struct Flag {
    /// With its dashes: `--days`.
    pub name: Spanned<String>,
    /// Its short form: `-d`.
    pub short: Option<Spanned<String>>,
    /// The word for its value (`N`, `text|json`); absent when it takes none.
    pub value: Option<String>,
    /// Whether the command cannot be run without it.
    pub required: bool,
    /// Whether it may be given several times.
    pub repeatable: bool,
    /// What it does.
    pub description: Option<Prose>,
}

/// An argument.
#[derive(Clone, Debug)]
pub struct Argument {
    /// As in the synopsis: `NAME`.
    pub name: Spanned<String>,
    /// Whether it may be left out.
    pub optional: bool,
    /// Whether there may be several.
    pub repeatable: bool,
}

/// A way in which a command ends.
#[derive(Clone, Debug)]
pub struct ExitCode {
    /// From 0 to 255.
    pub code: Spanned<u8>,
    /// When.
    pub meaning: Option<Prose>,
}

/// The words for flags and exit codes, as labels and as headings of columns.
pub(super) const FLAGS: [&str; 6] = ["flags", "options", "flag", "option", "switches", "global flags"];
pub(super) const EXIT_CODES: [&str; 5] =
    ["exit codes", "exit code", "exit status", "exit statuses", "returns code"];

impl CommandLine {
    /// Adds a flag; one that is known gets what is said of it besides.
    fn add_flag(&mut self, flag: Flag) {
        let is_same = |own: &&mut Flag| {
            own.name.value == flag.name.value
                || flag.short.as_ref().is_some_and(|short| short.value == own.name.value)
        };
        match self.flags.iter_mut().find(is_same) {
            Some(own) => {
                own.name = if own.name.value.starts_with("--") { own.name.clone() } else { flag.name };
                own.short = own.short.take().or(flag.short);
                own.value = own.value.take().or(flag.value);
                own.description = own.description.take().or(flag.description);
                own.required |= flag.required;
                own.repeatable |= flag.repeatable;
            }
            None => self.flags.push(flag),
        }
    }

    fn add_exit(&mut self, exit: ExitCode) {
        match self.exit_codes.iter_mut().find(|own| own.code.value == exit.code.value) {
            Some(own) => own.meaning = own.meaning.take().or(exit.meaning),
            None => self.exit_codes.push(exit),
        }
    }
}

/// How many words of a command line name the command: those before the first flag, bracket or argument.
pub(super) fn name_length(line: &str) -> usize {
    let mut at = 0;
    let mut end = 0;
    for word in line.split(' ') {
        let is_argument = word.starts_with(['[', '<', '-', '(', '{', '…', '.', '"', '\''])
            || (word.len() > 1
                && word.chars().any(|c| c.is_ascii_uppercase())
                && !word.chars().any(|c| c.is_ascii_lowercase()));
        if is_argument && at > 0 {
            break;
        }
        end = at + word.len();
        at = end + 1;
    }
    end.min(line.len())
}

/// Reads the synopsis of a command, if it has one.
pub(super) fn read_synopsis(operation: &mut Operation) {
    let Some(line) = operation.command_line.clone() else { return };
    let from = name_length(&line.value);
    if line.value.len() != line.span.len() as usize {
        return;
    }
    let mut words = Words { text: &line.value, place: line.span, at: from };
    let mut pending: Option<Flag> = None;
    let command = &mut operation.command_facts;
    while let Some(word) = words.next() {
        if word.name.value.starts_with('-') {
            if let Some(flag) = pending.take() {
                command.add_flag(flag);
            }
            pending = Some(flag_of(&word));
            continue;
        }
        // The value of the flag before it, if both stand in one bracket or none.
        if let Some(mut flag) = pending.take() {
            let is_value = word.follows_flag && flag.value.is_none();
            if is_value {
                flag.value = Some(word.name.value.clone());
                flag.repeatable |= word.repeatable;
            }
            command.add_flag(flag);
            if is_value {
                continue;
            }
        }
        let bare = word.name.value.trim_matches(['<', '>']).to_owned();
        let is_name = bare.chars().next().is_some_and(char::is_alphabetic);
        let is_general = bare.eq_ignore_ascii_case("options") || bare.eq_ignore_ascii_case("flags");
        if is_name && !is_general {
            let from = word.name.value.find(&bare).unwrap_or_default() as u32;
            let span = word.name.span.part(from, from + bare.len() as u32);
            command.arguments.push(Argument {
                name: Spanned::new(bare, span),
                optional: word.depth > 0,
                repeatable: word.repeatable,
            });
        }
    }
    if let Some(flag) = pending {
        command.add_flag(flag);
    }
}

/// A word of a synopsis.
struct Word {
    name: Spanned<String>,
    /// In how many brackets it stands.
    depth: usize,
    repeatable: bool,
    /// Whether nothing but a blank or `=` stands between it and the word before it.
    follows_flag: bool,
}

struct Words<'a> {
    text: &'a str,
    place: Span,
    at: usize,
}

impl Words<'_> {
    fn next(&mut self) -> Option<Word> {
        let mut is_direct = true;
        loop {
            let rest = &self.text[self.at..];
            let first = rest.chars().next()?;
            if matches!(first, '[' | ']' | '(' | ')' | '.' | '…' | '|') {
                is_direct = false;
            } else if !(first.is_whitespace() || first == '=') {
                break;
            }
            self.at += first.len_utf8();
        }
        let before = &self.text[..self.at];
        let depth = before.matches('[').count().saturating_sub(before.matches(']').count());
        let rest = &self.text[self.at..];
        let end = rest
            .find(|c: char| c.is_whitespace() || matches!(c, '[' | ']' | '=' | '(' | ')'))
            .unwrap_or(rest.len());
        let shown = rest[..end].trim_end_matches(['.', '…']);
        let behind = rest[shown.len()..].trim_start_matches([']', ' ']);
        let (from, to) = (self.at as u32, (self.at + shown.len()) as u32);
        self.at += end.max(1).min(rest.len());
        while !self.text.is_char_boundary(self.at) {
            self.at += 1;
        }
        Some(Word {
            name: Spanned::new(shown.to_owned(), self.place.part(from, to)),
            depth,
            repeatable: behind.starts_with("...") || behind.starts_with('…'),
            follows_flag: is_direct,
        })
    }
}

fn flag_of(word: &Word) -> Flag {
    Flag {
        name: word.name.clone(),
        short: None,
        value: None,
        required: word.depth == 0,
        repeatable: word.repeatable,
        description: None,
    }
}

/// Reads a label of flags: a list, a table or a sentence.
pub(super) fn read_flags(reader: &mut Reader<'_>, part: &Part, to: &mut CommandLine) {
    for entry in entries(reader.source, part) {
        let found = flags_in(reader, &entry);
        reader.class(&entry, if found.is_empty() { Class::Narrative } else { Class::Understood });
        found.into_iter().for_each(|flag| to.add_flag(flag));
        for below in node_entries(entry.children) {
            reader.class(&below, Class::Narrative);
        }
    }
    for table in tables::tables(&part.children) {
        read_flag_table(reader, table, to);
    }
}

/// The Input of a command without its flags, which are taken out of lists, tables and sentences.
pub(super) fn take_flags<'p>(reader: &mut Reader<'_>, part: &'p Part, to: &mut CommandLine) -> Cow<'p, Part> {
    let is_flag =
        |text: &Text| text.codes().next().is_some_and(|(_, code)| code.text(reader.source).starts_with('-'));
    let begins = |text: &Text| {
        is_flag(text) && text.pieces.first().is_some_and(|piece| !matches!(piece.kind, PieceKind::Text))
    };
    let in_cells = |row: &Row| row.cells.first().is_some_and(begins);
    let has_flags = entries(reader.source, part)
        .iter()
        .any(|entry| entry.text.codes().any(|(_, code)| code.text(reader.source).starts_with('-')))
        || tables::tables(&part.children).any(|table| table.rows.iter().any(in_cells));
    if !has_flags {
        return Cow::Borrowed(part);
    }
    let flags: Vec<Entry<'_>> = entries(reader.source, part)
        .into_iter()
        .filter(|entry| !entry.is_item || begins(entry.text))
        .collect();
    let mut own = part.clone();
    for node in &mut own.children {
        match node {
            Node::Block(Block::List(list)) => list.items.retain(|item| !begins(&item.text)),
            Node::Block(Block::Table(table)) => table.rows.retain(|row| !in_cells(row)),
            _ => {}
        }
    }
    for entry in &flags {
        let found = flags_in(reader, entry);
        if entry.is_item {
            reader.class(entry, if found.is_empty() { Class::Narrative } else { Class::Understood });
        }
        found.into_iter().for_each(|flag| to.add_flag(flag));
    }
    for table in tables::tables(&part.children).filter(|table| table.rows.iter().any(in_cells)) {
        let mut flags = table.clone();
        flags.rows.retain(in_cells);
        read_flag_table(reader, &flags, to);
    }
    Cow::Owned(own)
}

/// The exit codes that the Output of a command tells of: a table of them, or a sentence (`Exits 0, or 5 if locked`).
pub(super) fn read_output(reader: &mut Reader<'_>, part: &Part, to: &mut CommandLine) {
    for table in tables::tables(&part.children) {
        if tables::Columns::new(reader.source, table).exactly(&EXIT_CODES).is_some() {
            read_exit_table(reader, table, to);
        }
    }
    for entry in entries(reader.source, part) {
        let tokens = reader.tokens(entry.text);
        let is_exit = |token: &Token<'_>| ["exit", "exits"].iter().any(|word| token.is_word(word));
        let Some(at) = tokens.iter().position(is_exit) else { continue };
        let is_glue = |token: &&Token<'_>| {
            ["code", "codes", "status", "with", "is"].iter().any(|word| token.is_word(word))
                || token.is_mark(":")
        };
        let behind = &tokens[at + 1..];
        let behind = &behind[behind.iter().take_while(is_glue).count()..];
        if behind.first().and_then(exit_code).is_none() {
            continue;
        }
        let Some(place) = outer(behind) else { continue };
        let text = entry.text.slice(reader.source, place.start, place.end);
        let sentence = Entry { text: &text, label: None, children: &[], is_item: false, ..entry };
        exits_in(reader, &sentence).into_iter().for_each(|exit| to.add_exit(exit));
    }
}

/// The flags that an entry declares: those in code at its start; in a sentence, each in code.
fn flags_in(reader: &Reader<'_>, entry: &Entry<'_>) -> Vec<Flag> {
    let tokens = reader.tokens(entry.text);
    let mut found: Vec<Flag> = Vec::new();
    let mut end = 0;
    for (at, token) in tokens.iter().enumerate() {
        let is_flag = token.is_code() && token.text.starts_with('-') && token.text.len() > 1;
        let is_glue = token.is_mark(",") || token.is_mark("/") || token.is_word("or");
        if entry.is_item && !is_flag && !is_glue {
            break;
        }
        if is_flag {
            found.extend(flag_in_code(token));
            end = at + 1;
        }
    }
    if !entry.is_item {
        return found;
    }
    // `-q`, `--quiet`: two spellings of one flag.
    let behind = tokens.get(end..).unwrap_or_default();
    let about = behind.iter().position(|token| token.kind != TokenKind::Mark || token.is_mark("("));
    let about = about.and_then(|at| crate::tokens::prose(reader.source, entry.text, &behind[at..]));
    merged(found).map(|flag| Flag { description: about, ..flag }).into_iter().collect()
}

/// Several spellings as one flag; the long one names it.
fn merged(found: Vec<Flag>) -> Option<Flag> {
    let mut found = found.into_iter();
    let mut flag = found.next()?;
    for other in found {
        if other.name.value.starts_with("--") && !flag.name.value.starts_with("--") {
            flag = Flag { short: Some(flag.name), value: other.value.or(flag.value), ..other };
        } else if flag.short.is_none() && !other.name.value.starts_with("--") {
            flag.short = Some(other.name);
            flag.value = flag.value.or(other.value);
        }
    }
    Some(flag)
}

/// `--out FILE`, `-q, --quiet`, `--format=text|json`.
fn flag_in_code(token: &Token<'_>) -> Option<Flag> {
    if token.text.len() != token.span.len() as usize {
        return None;
    }
    let mut words = Words { text: &token.text, place: token.span, at: 0 };
    let mut found: Vec<Flag> = Vec::new();
    while let Some(word) = words.next() {
        let name = word.name.value.trim_end_matches(',').to_owned();
        if name.starts_with('-') {
            let span = word.name.span.part(0, name.len() as u32);
            found.push(Flag { name: Spanned::new(name, span), required: false, ..flag_of(&word) });
        } else if let Some(flag) = found.last_mut() {
            flag.value = flag.value.take().or(Some(name));
        }
    }
    merged(found)
}

/// Whether the columns of a table are those of flags or of exit codes.
pub(super) fn is_table(source: &str, table: &Table) -> bool {
    let columns = tables::Columns::new(source, table);
    columns.exactly(&FLAGS).is_some() || columns.exactly(&EXIT_CODES).is_some()
}

/// Reads a table of flags or exit codes.
pub(super) fn read_table(reader: &mut Reader<'_>, table: &Table, to: &mut CommandLine) {
    let columns = tables::Columns::new(reader.source, table);
    if columns.exactly(&FLAGS).is_some() {
        read_flag_table(reader, table, to);
    } else {
        read_exit_table(reader, table, to);
    }
}

fn read_flag_table(reader: &mut Reader<'_>, table: &Table, to: &mut CommandLine) {
    let source = reader.source;
    let columns = tables::Columns::new(source, table);
    let name = columns.exactly(&FLAGS).or_else(|| columns.exactly(&["name"])).unwrap_or(0);
    let about = columns.find(&["meaning", "description", "effect", "purpose", "what"]);
    for row in &table.rows {
        let cell = |at: Option<usize>| tables::cell(source, row, at);
        let named = cell(Some(name)).map(|text| reader.tokens(text)).unwrap_or_default();
        let found = named.iter().filter(|token| token.is_code()).filter_map(flag_in_code).collect();
        let flag = merged(found);
        let class = if flag.is_some() { Class::Understood } else { Class::Narrative };
        reader.model.classes.push((row.span, class));
        if let Some(flag) = flag {
            to.add_flag(Flag { description: cell(about).map(|text| reader.prose(text)), ..flag });
        }
    }
}

/// Reads a label of exit codes: a list, a table or a sentence.
pub(super) fn read_exits(reader: &mut Reader<'_>, part: &Part, to: &mut CommandLine) {
    for entry in entries(reader.source, part) {
        let found = exits_in(reader, &entry);
        reader.class(&entry, if found.is_empty() { Class::Narrative } else { Class::Understood });
        found.into_iter().for_each(|exit| to.add_exit(exit));
    }
    for table in tables::tables(&part.children) {
        read_exit_table(reader, table, to);
    }
}

fn read_exit_table(reader: &mut Reader<'_>, table: &Table, to: &mut CommandLine) {
    let source = reader.source;
    let columns = tables::Columns::new(source, table);
    let code =
        columns.exactly(&EXIT_CODES).or_else(|| columns.exactly(&["code", "status", "value"])).unwrap_or(0);
    let about = columns.find(&["meaning", "description", "when", "what"]);
    for row in &table.rows {
        let cell = |at: Option<usize>| tables::cell(source, row, at);
        let found = cell(Some(code)).and_then(|text| reader.tokens(text).first().and_then(exit_code));
        reader
            .model
            .classes
            .push((row.span, if found.is_some() { Class::Understood } else { Class::Narrative }));
        if let Some(code) = found {
            to.add_exit(ExitCode { code, meaning: cell(about).map(|text| reader.prose(text)) });
        }
    }
}

/// An item is one code; a sentence has one at the start of each clause (`0, or 3 when the vault is locked`).
fn exits_in(reader: &Reader<'_>, entry: &Entry<'_>) -> Vec<ExitCode> {
    let tokens = reader.tokens(entry.text);
    let is_separator = |token: &Token<'_>| {
        [",", ";", "."].iter().any(|mark| token.is_mark(mark)) || token.is_word("or") || token.is_word("and")
    };
    let clauses = if entry.is_item { vec![tokens.as_slice()] } else { split(&tokens, is_separator) };
    let one = |clause: &[Token<'_>]| {
        let (first, rest) = clause.split_first()?;
        let code = exit_code(first)?;
        let rest = match rest {
            [mark, behind @ ..] if mark.kind == TokenKind::Mark && !mark.is_mark("(") => behind,
            _ => rest,
        };
        Some(ExitCode { code, meaning: crate::tokens::prose(reader.source, entry.text, rest) })
    };
    clauses.into_iter().filter_map(one).collect()
}

fn exit_code(token: &Token<'_>) -> Option<Spanned<u8>> {
    let code = token.text.parse().ok().filter(|_| token.kind != TokenKind::Mark)?;
    Some(Spanned::new(code, token.span))
}

/// The exit codes that a text speaks of: `exit 2`, `exits with 3`, `the exit code is 1`, `exit code of 4`.
pub fn exits_spoken_of(source: &str, place: Span) -> Vec<Spanned<u8>> {
    let text = plain(place);
    let tokens = crate::tokens::tokens(source, &text);
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let is_exit = ["exit", "exits", "exited", "exiting"].iter().any(|word| token.is_word(word));
        if !is_exit {
            continue;
        }
        let is_glue = |token: &&Token<'_>| {
            [
                "code", "codes", "status", "with", "is", "of", "non-zero", "a", "the", "was", "equals",
                "must", "be",
            ]
            .iter()
            .any(|word| token.is_word(word))
                || ["`", ":", "="].iter().any(|mark| token.is_mark(mark))
        };
        let behind = &tokens[at + 1..];
        let used = behind.iter().take_while(is_glue).count();
        found.extend(behind.get(used).and_then(exit_code));
    }
    found
}

/// What a paragraph of the section says of all commands: `Global flags: …`, `Exit codes are the same for all …`.
pub(super) fn read_common(reader: &mut Reader<'_>, text: &Text) -> bool {
    let tokens = reader.tokens(text);
    let mut found = CommandLine::default();
    for sentence in split(&tokens, |token| token.is_mark(".") || token.is_mark(";")) {
        let says = |words: &[&str]| words.iter().any(|word| sentence.iter().any(|token| token.is_word(word)));
        if says(&["flags", "options"]) {
            let flags =
                sentence.iter().filter(|token| token.is_code()).filter(|token| token.text.starts_with('-'));
            flags.filter_map(flag_in_code).for_each(|flag| found.add_flag(flag));
        }
        if says(&["exit"]) && says(&["codes", "code", "status"]) {
            let codes = sentence.iter().filter(|token| token.is_code()).filter_map(exit_code);
            codes.for_each(|code| found.add_exit(ExitCode { code, meaning: None }));
        }
    }
    let is_any = !found.flags.is_empty() || !found.exit_codes.is_empty();
    add_common(reader, found);
    is_any
}

/// Adds what holds for every command.
pub(super) fn add_common(reader: &mut Reader<'_>, found: CommandLine) {
    let common = &mut reader.model.common_command;
    found.flags.into_iter().for_each(|flag| common.add_flag(flag));
    found.exit_codes.into_iter().for_each(|exit| common.add_exit(exit));
}

/// Whether a title is one of the parts that tell of flags or exit codes.
pub(super) fn is_label(title: &str) -> bool {
    begins_with(title, &FLAGS) || begins_with(title, &EXIT_CODES)
}
