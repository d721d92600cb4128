//! What an operation answers: its Output part, and the errors that are listed beside the behaviour.
//!
//! Source: language reference, *Operations and endpoints*.

use super::interface::{Operation, Output, OutputKind, RowPart};
use crate::facts::Outcome;
use crate::fields;
use crate::inputs;
use crate::model::Class;
use crate::reader::{Entry, Reader, entries, fences};
use crate::tables;
use crate::tokens::{Token, TokenKind, find_words};
use crate::typed_fences;
use crate::values::parse_outcome;
use formwork_syntax::{Block, Node, Part, Spanned, Text};

pub(super) fn read_output(reader: &mut Reader<'_>, operation: &mut Operation, part: &Part) {
    let mut output = Output { span: Some(part.title.span), ..Output::default() };
    if reader.is_placeholder(&part.inline) {
        reader.model.classes.push((part.inline.span, Class::Unfinished));
    } else if !part.inline.is_blank(reader.source) {
        let tokens = reader.tokens(&part.inline);
        output.status = tokens.iter().find_map(status);
        output.kind = output_kind(reader, &tokens, output.status.as_ref().map(|status| status.value));
        if begins_with_field(reader, &part.inline, &tokens) {
            output.fields = inputs::sentence(reader, &part.inline);
            output.kind = OutputKind::Fields;
        }
        if matches!(output.kind, OutputKind::Row(_)) {
            output.parts = parts(&tokens);
        }
        output.text = Some(part.inline.clone());
        let class = if output.kind == OutputKind::Prose { Class::Narrative } else { Class::Understood };
        reader.model.classes.push((part.inline.span, class));
    }
    let listed = Part { inline: Text::empty(part.inline.span.end), ..part.clone() };
    for entry in entries(reader.source, &listed) {
        read_output_entry(reader, operation, &mut output, &entry);
    }
    for block in listed.blocks().filter(|block| matches!(block, Block::Table(_))) {
        let table = Part { children: vec![Node::Block(block.clone())], ..listed.clone() };
        output.fields.extend(fields::fields(reader, &table));
    }
    for fence in fences(&part.children) {
        let takes = output.fields.is_empty() && !matches!(output.kind, OutputKind::Row(_));
        match typed_fences::object(reader, fence).filter(|_| takes) {
            Some(found) => output.fields = found,
            None => operation.examples.push(fence.clone()),
        }
    }
    if !output.fields.is_empty() && matches!(output.kind, OutputKind::Missing | OutputKind::Prose) {
        output.kind = OutputKind::Fields;
    }
    operation.output = output;
}

/// Whether a sentence names the members of an object: `` `rooms` (list of `room`), `total` (integer) ``.
fn begins_with_field(reader: &Reader<'_>, text: &Text, tokens: &[Token<'_>]) -> bool {
    let is_status = |token: &&Token<'_>| status(token).is_some() || token.is_word("with");
    let rest = &tokens[tokens.iter().take_while(is_status).count()..];
    let [name, open, inside @ ..] = rest else { return false };
    let is_named = name.is_code() && is_identifier(&name.text) && open.is_mark("(");
    let end = inside.iter().position(|token| token.is_mark(")"));
    is_named && end.is_some_and(|end| fields::is_type(reader, text, &inside[..end]))
}

/// An item below Output: an error, a status with what it answers, or a field.
fn read_output_entry(
    reader: &mut Reader<'_>,
    operation: &mut Operation,
    output: &mut Output,
    entry: &Entry<'_>,
) {
    if let Some(error) = error(reader, entry).filter(|error| error.value.status >= 400) {
        operation.errors.push(error);
        return reader.class(entry, Class::Understood);
    }
    let tokens = reader.tokens(entry.text);
    let found = tokens.iter().find_map(status);
    let kind = output_kind(reader, &tokens, found.as_ref().map(|status| status.value));
    let is_shape = !matches!(kind, OutputKind::Prose | OutputKind::Missing | OutputKind::Row(_));
    if found.is_some() || is_shape || !entry.is_item {
        output.status = output.status.take().or(found);
        if output.kind == OutputKind::Missing {
            output.kind = kind;
            output.text = Some(entry.text.clone());
        }
        return reader.class(entry, Class::Understood);
    }
    match fields::field(reader, entry) {
        Some(field) => {
            output.fields.push(field);
            reader.class(entry, Class::Understood);
        }
        None => {
            if output.kind == OutputKind::Missing {
                output.kind = kind;
                output.text = Some(entry.text.clone());
            }
            reader.class(entry, Class::Narrative);
        }
    }
}

/// The rows behind *with its*: `` `order_line` as `lines`, its `payment` and its `refund` as `refunds` ``.
fn parts(tokens: &[Token<'_>]) -> Vec<RowPart> {
    let Some(from) = find_words(tokens, &["with", "its"]) else { return Vec::new() };
    let mut parts = Vec::new();
    let mut rest = &tokens[from + 2..];
    while let Some((entity, behind)) = rest.split_first().filter(|(first, _)| first.is_code()) {
        let entity = entity.spanned();
        rest = behind;
        let mut name = entity.clone();
        if let [word, code, others @ ..] = rest
            && word.is_word("as")
            && code.is_code()
        {
            (name, rest) = (code.spanned(), others);
        }
        parts.push(RowPart { entity, name });
        let joins = |token: &&Token<'_>| {
            token.is_mark(",") || ["and", "its", "with"].iter().any(|word| token.is_word(word))
        };
        rest = &rest[rest.iter().take_while(joins).count()..];
    }
    parts
}

/// A status of success or redirection.
fn status(token: &Token<'_>) -> Option<Spanned<u16>> {
    let is_written = matches!(token.kind, TokenKind::Code | TokenKind::Word);
    let outcome = parse_outcome(&token.text).filter(|outcome| is_written && outcome.code.is_none())?;
    (200..400).contains(&outcome.status).then(|| Spanned::new(outcome.status, token.span))
}

fn output_kind(reader: &Reader<'_>, tokens: &[Token<'_>], status: Option<u16>) -> OutputKind {
    let codes: Vec<&Token<'_>> =
        tokens.iter().filter(|token| token.is_code() && parse_outcome(&token.text).is_none()).collect();
    let first_after = |at: usize| tokens[at..].iter().find(|token| token.is_code()).map(Token::spanned);
    if let Some(at) = find_words(tokens, &["page", "of"]) {
        return first_after(at).map_or(OutputKind::Prose, OutputKind::Page);
    }
    if let Some(at) = find_words(tokens, &["list", "of"]).or_else(|| find_words(tokens, &["array", "of"])) {
        return first_after(at).map_or(OutputKind::Prose, OutputKind::List);
    }
    let says = |words: &[&str]| words.iter().any(|word| tokens.iter().any(|token| token.is_word(word)));
    let is_redirect = status.is_some_and(|status| (300..400).contains(&status) && status != 304);
    if is_redirect || says(&["redirect", "redirects"]) {
        return OutputKind::Redirect;
    }
    let row = codes.iter().find(|code| reader.declared.find(&code.text).is_some());
    if let Some(row) = row {
        return OutputKind::Row(row.spanned());
    }
    let is_nothing = find_words(tokens, &["no", "content"]).is_some() || says(&["nothing", "none"]);
    if (is_nothing || status == Some(204)) && codes.is_empty() {
        return OutputKind::Nothing;
    }
    match codes.as_slice() {
        [only] if find_words(tokens, &["the"]).is_some() && is_identifier(&only.text) => {
            OutputKind::Row(only.spanned())
        }
        _ => OutputKind::Prose,
    }
}

fn is_identifier(text: &str) -> bool {
    text.chars().all(|character| character.is_alphanumeric() || character == '_')
        && text.starts_with(|first: char| first.is_alphabetic())
}

pub(super) fn read_errors(reader: &mut Reader<'_>, operation: &mut Operation, part: &Part) {
    let part = tables::as_lists(reader.source, part, &[]);
    for entry in entries(reader.source, &part) {
        let found = outcomes(reader, &entry);
        match found.is_empty() {
            false => {
                operation.errors.extend(found);
                reader.class(&entry, Class::Understood);
            }
            true => reader.class(&entry, Class::Narrative),
        }
    }
}

/// The outcomes of failure that an entry names: `` `409 taken`, `410` ``, `409 when …`, `` `taken` (409) ``.
fn outcomes(reader: &Reader<'_>, entry: &Entry<'_>) -> Vec<Spanned<Outcome>> {
    let tokens = reader.tokens(entry.text);
    let is_failure = |outcome: &Outcome| outcome.status >= 400;
    let in_code = tokens.iter().filter(|token| token.is_code()).filter_map(|token| {
        let outcome = parse_outcome(&token.text).filter(is_failure)?;
        Some(Spanned::new(outcome, token.span))
    });
    let mut found: Vec<Spanned<Outcome>> = in_code.collect();
    if found.is_empty() || entry.is_item {
        found.truncate(1);
    }
    // A bare status, and the code that stands beside it.
    let status = tokens.iter().find(|token| {
        token.kind == TokenKind::Word
            && parse_outcome(&token.text).is_some_and(|outcome| is_failure(&outcome))
    });
    if let (true, Some(status)) = (found.is_empty(), status) {
        let code = tokens.iter().find(|token| token.is_code() && is_identifier(&token.text));
        let outcome = parse_outcome(&status.text)
            .map(|outcome| Outcome { code: code.map(|code| code.text.to_string()), ..outcome });
        found.extend(outcome.map(|outcome| Spanned::new(outcome, status.span)));
    }
    found
}

/// The outcome that an item begins with.
fn error(reader: &Reader<'_>, entry: &Entry<'_>) -> Option<Spanned<Outcome>> {
    let tokens = reader.tokens(entry.text);
    let first = tokens.first()?;
    parse_outcome(&first.text).map(|outcome| Spanned::new(outcome, first.span))
}
