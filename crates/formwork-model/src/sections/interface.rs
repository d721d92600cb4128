//! Sections 4 and 5: operations and internal endpoints. Both have one shape.

use crate::facts::{Field, Outcome, Prose, StepItem};
use crate::fields;
use crate::labels::{begins_with, normal};
use crate::model::Class;
use crate::names;
use crate::notes::NoteKind;
use crate::reader::{Entry, Reader, entries, fences, steps};
use crate::titles;
use crate::tokens::{Token, TokenKind, find_words};
use crate::values::parse_outcome;
use formwork_syntax::{Block, Fence, Node, Part, PartKind, Span, Spanned, Text};

/// Where an operation is declared, and so on which listener it is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surface {
    /// Section 4: the public listener.
    Public,
    /// Section 5: the internal listener.
    Internal,
}

/// An operation of section 4 or an endpoint of section 5.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Its name; an endpoint without one is named by method and path (`GET /internal/links`).
    pub name: Spanned<String>,
    /// The heading that groups it, such as *Links*.
    pub group: Option<String>,
    /// Where it is declared.
    pub surface: Surface,
    /// Upper-case HTTP method; absent when the document gives none.
    pub method: Option<Spanned<String>>,
    /// Path with `{name}` parameters (also from `:name`); absent when the document gives none.
    pub path: Option<Spanned<String>>,
    /// Whether it is a command line (`` `tool check` ``), not served over HTTP.
    pub command: bool,
    /// What goes in.
    pub input: Input,
    /// What comes out.
    pub output: Output,
    /// Errors that are listed outside the behaviour.
    pub errors: Vec<Spanned<Outcome>>,
    /// What happens: the items of *Behavior*.
    pub behavior: Vec<StepItem>,
    /// The label *Behavior* itself, when there is one.
    pub behavior_span: Option<Span>,
    /// Fences under *Example Schema*.
    pub examples: Vec<Fence>,
    /// *Purpose* (section 5) or the paragraph below the heading.
    pub purpose: Option<Prose>,
    /// *Transport* (section 5).
    pub transport: Option<Prose>,
    /// Heading to last line.
    pub span: Span,
}

/// What an operation accepts.
#[derive(Clone, Debug, Default)]
pub struct Input {
    /// Its fields.
    pub fields: Vec<Field>,
    /// An entity or interface that it refers to.
    pub reference: Option<Spanned<String>>,
    /// Whether the document says that there is none.
    pub none: bool,
    /// `Other fields are ignored.`
    pub ignores_others: bool,
    /// The label *Input* or *Request*; absent when the operation has none.
    pub span: Option<Span>,
}

/// What an operation answers.
#[derive(Clone, Debug, Default)]
pub struct Output {
    /// Its shape.
    pub kind: OutputKind,
    /// The status in it.
    pub status: Option<Spanned<u16>>,
    /// Fields that are listed.
    pub fields: Vec<Field>,
    /// The text behind the label.
    pub text: Option<Text>,
    /// The label *Output* or *Response*; absent when the operation has none.
    pub span: Option<Span>,
}

/// The shapes of [`Output`].
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum OutputKind {
    /// No Output part, or an empty one.
    #[default]
    Missing,
    /// ``the `link` ``
    Row(Spanned<String>),
    /// ``a list of `link` ``
    List(Spanned<String>),
    /// ``a page of `link` ``
    Page(Spanned<String>),
    /// Fields.
    Fields,
    /// A redirect.
    Redirect,
    /// Nothing.
    Nothing,
    /// Prose.
    Prose,
}

/// The words before a title's colon that say what it is.
const KINDS: [&str; 8] =
    ["operation", "api endpoint", "endpoint", "cli command", "command", "procedure", "method", "rpc"];

/// The methods of HTTP that a title may name.
const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

const INPUT: [&str; 5] = ["input", "inputs", "request", "parameters", "body"];
const OUTPUT: [&str; 5] = ["output", "outputs", "response", "responses", "returns"];
const BEHAVIOR: [&str; 4] = ["behavior", "behaviour", "steps", "logic"];
const EXAMPLES: [&str; 2] = ["example", "examples"];
const ERRORS: [&str; 2] = ["errors", "error"];

/// The labels of an operation, for proposals.
const LABELS: [&str; 10] = [
    "Input",
    "Output",
    "Behavior",
    "Example Schema",
    "Errors",
    "Request",
    "Response",
    "Purpose",
    "Transport",
    "Endpoint",
];

pub(crate) fn read_public(reader: &mut Reader<'_>, part: &Part) {
    read_group(reader, part, Surface::Public, None);
}

pub(crate) fn read_internal(reader: &mut Reader<'_>, part: &Part) {
    read_group(reader, part, Surface::Internal, None);
}

fn read_group(reader: &mut Reader<'_>, part: &Part, surface: Surface, group: Option<&str>) {
    reader.prose_list(part, Class::Narrative);
    for below in part.parts() {
        if is_operation(reader, below) {
            read_operation(reader, below, surface, group);
        } else {
            let title = below.title.plain(reader.source);
            read_group(reader, below, surface, Some(&title));
        }
    }
}

/// Whether a part declares an operation: by its title, or by the labels that it holds.
fn is_operation(reader: &Reader<'_>, part: &Part) -> bool {
    let title = part.title.plain(reader.source);
    let lower = title.to_lowercase();
    let has_kind = KINDS.iter().any(|kind| {
        lower.strip_prefix(kind).is_some_and(|rest| rest.trim_start().starts_with([':', '—', '–']))
    });
    let has_route = METHODS.iter().any(|method| title.starts_with(&format!("{method} /")));
    let has_labels = part.parts().any(|below| {
        let label = reader.title(&below.title);
        [&INPUT[..], &OUTPUT, &BEHAVIOR].iter().any(|names| begins_with(&label, names))
    });
    let starts_with_code =
        part.title.codes().next().is_some_and(|(piece, _)| piece.span.start == part.title.span.start);
    has_kind || has_route || has_labels || (starts_with_code && matches!(part.kind, PartKind::Heading(_)))
}

fn read_operation(reader: &mut Reader<'_>, part: &Part, surface: Surface, group: Option<&str>) {
    let title = titles::without_kind(reader.source, &part.title, &KINDS);
    let Some(mut operation) = titled(reader.source, &title, surface, part.span) else {
        return reader.note(NoteKind::NotUnderstood { expected: "operation" }, part.title.span);
    };
    operation.group = group.map(str::to_owned);
    operation.purpose = reader.prose_of(part, Class::Narrative);
    operation.examples.extend(fences(&part.children).cloned());
    for below in part.parts() {
        read_label(reader, &mut operation, below);
    }
    let others = match surface {
        Surface::Public => &reader.model.operations,
        Surface::Internal => &reader.model.endpoints,
    };
    let declared: Vec<_> = others.iter().map(|other| other.name.clone()).collect();
    reader.declared_twice("operation", &operation.name, &declared);
    match surface {
        Surface::Public => reader.model.operations.push(operation),
        Surface::Internal => reader.model.endpoints.push(operation),
    }
}

/// The operation that a title names, still empty.
fn titled(source: &str, title: &Text, surface: Surface, span: Span) -> Option<Operation> {
    let mut operation = Operation {
        name: titles::name(source, title)?,
        group: None,
        surface,
        method: None,
        path: None,
        command: false,
        input: Input::default(),
        output: Output::default(),
        errors: Vec::new(),
        behavior: Vec::new(),
        behavior_span: None,
        examples: Vec::new(),
        purpose: None,
        transport: None,
        span,
    };
    let mut name = None;
    for (_, code) in title.codes() {
        let text = code.text(source);
        match route(&text, code.span()) {
            Some((method, path)) => {
                operation.method = Some(method);
                operation.path = Some(path);
            }
            None if name.is_none() => name = Some(named(&text, code.span(), &mut operation.command)),
            None => {}
        }
    }
    if operation.method.is_none()
        && name.is_none()
        && let Some((method, path)) = route(title.span.slice(source), title.span)
    {
        operation.method = Some(method);
        operation.path = Some(path);
    }
    operation.name = match (name, &operation.method, &operation.path) {
        (Some(name), _, _) => name,
        (None, Some(method), Some(path)) => {
            Spanned::new(format!("{} {}", method.value, path.value), method.span.to(path.span))
        }
        _ => operation.name,
    };
    Some(operation)
}

/// `create_link`, `createLink(input)`, or a command line, which holds a blank.
fn named(text: &str, span: Span, command: &mut bool) -> Spanned<String> {
    let name = text.split('(').next().unwrap_or(text).trim_end();
    *command = name.contains(' ');
    Spanned::new(name.to_owned(), span.part(0, name.len() as u32))
}

/// Method and path of `POST /links`; the place of both in `span`.
fn route(text: &str, span: Span) -> Option<(Spanned<String>, Spanned<String>)> {
    let (method, rest) = text.split_once(' ')?;
    let path = rest.trim();
    if !METHODS.contains(&method.to_ascii_uppercase().as_str())
        || !path.starts_with('/')
        || path.contains(' ')
    {
        return None;
    }
    let at = (text.len() - rest.trim_start().len()) as u32;
    let method_span = span.part(0, method.len() as u32);
    let path_span = span.part(at, at + path.len() as u32);
    Some((Spanned::new(method.to_ascii_uppercase(), method_span), Spanned::new(braced(path), path_span)))
}

/// A path with `{name}` for every `:name`.
fn braced(path: &str) -> String {
    let segment = |segment: &str| match segment.strip_prefix(':') {
        Some(name) if !name.is_empty() => format!("{{{name}}}"),
        _ => segment.to_owned(),
    };
    path.split('/').map(segment).collect::<Vec<_>>().join("/")
}

fn read_label(reader: &mut Reader<'_>, operation: &mut Operation, part: &Part) {
    let title = reader.title(&part.title);
    if begins_with(&title, &EXAMPLES) {
        operation.examples.extend(fences(&part.children).cloned());
        reader.prose_list(part, Class::Narrative);
    } else if begins_with(&title, &INPUT) {
        operation.input = read_input(reader, part);
    } else if begins_with(&title, &OUTPUT) {
        read_output(reader, operation, part);
    } else if begins_with(&title, &BEHAVIOR) {
        operation.behavior.extend(steps(reader.source, part));
        operation.behavior_span = Some(part.title.span);
    } else if begins_with(&title, &ERRORS) {
        read_errors(reader, operation, part);
    } else if begins_with(&title, &["purpose", "description"]) {
        operation.purpose = reader.prose_of(part, Class::Narrative);
    } else if begins_with(&title, &["transport"]) {
        operation.transport = reader.prose_of(part, Class::Narrative);
    } else if begins_with(&title, &["endpoint", "route"]) {
        read_route(reader, operation, part);
    } else {
        if matches!(part.kind, PartKind::Emphasized) && !begins_with(&title, &["note", "notes", "remark"]) {
            super::unknown_label(reader, part, &LABELS);
        }
        reader.prose_list(part, Class::Narrative);
    }
}

fn read_route(reader: &mut Reader<'_>, operation: &mut Operation, part: &Part) {
    for entry in entries(reader.source, part) {
        let code = entry.text.codes().find_map(|(_, code)| route(&code.text(reader.source), code.span()));
        match code.or_else(|| route(entry.text.span.slice(reader.source), entry.text.span)) {
            Some((method, path)) => {
                operation.method = Some(method);
                operation.path = Some(path);
                reader.class(&entry, Class::Understood);
            }
            None => reader.not_understood(&entry, "method and path"),
        }
    }
}

fn read_input(reader: &mut Reader<'_>, part: &Part) -> Input {
    let mut input = Input { span: Some(part.title.span), ..Input::default() };
    if !part.inline.is_blank(reader.source) {
        read_input_text(reader, &mut input, part);
    }
    let mut listed = Part { inline: Text::empty(part.inline.span.end), ..part.clone() };
    let is_none = |reader: &Reader<'_>, entry: &Entry<'_>| says_none(&entry.text.plain(reader.source));
    let items = entries(reader.source, &listed);
    if let [only] = items.as_slice()
        && is_none(reader, only)
    {
        input.none = true;
        reader.class(only, Class::Understood);
        return input;
    }
    let ignoring: Vec<Span> =
        items.iter().filter(|entry| ignores_others(reader, entry)).map(|entry| entry.span).collect();
    for entry in items.iter().filter(|entry| ignoring.contains(&entry.span)) {
        input.ignores_others = true;
        reader.class(entry, Class::Understood);
    }
    listed.children.retain_mut(|node| match node {
        Node::Block(Block::Paragraph(text)) => !ignoring.contains(&text.span),
        Node::Block(Block::List(list)) => {
            list.items.retain(|item| !ignoring.contains(&item.span));
            true
        }
        _ => true,
    });
    input.fields.extend(fields::fields(reader, &listed));
    input
}

/// What stands behind the label: `None`, a reference, or one field.
fn read_input_text(reader: &mut Reader<'_>, input: &mut Input, part: &Part) {
    let text = part.inline.plain(reader.source);
    let entry = Entry {
        text: &part.inline,
        label: None,
        children: &[],
        number: None,
        span: part.inline.span,
        is_item: false,
    };
    input.ignores_others = ignores_others(reader, &entry);
    if says_none(&text) {
        input.none = true;
        return reader.class(&entry, Class::Understood);
    }
    let reference = reference(reader, &part.inline);
    if let Some(name) = reference.filter(|_| part.inline.codes().count() == 1) {
        input.reference = Some(name);
        return reader.class(&entry, Class::Understood);
    }
    match fields::field(reader, &entry) {
        Some(field) => {
            input.fields.push(field);
            reader.class(&entry, Class::Understood);
        }
        None if input.ignores_others => reader.class(&entry, Class::Understood),
        None => reader.class(&entry, Class::Narrative),
    }
}

fn says_none(text: &str) -> bool {
    ["none", "nothing", "no input", "empty", "no body", "n a"].contains(&normal(text).as_str())
}

fn ignores_others(reader: &Reader<'_>, entry: &Entry<'_>) -> bool {
    normal(&entry.text.plain(reader.source)).contains("other fields are ignored")
}

/// The first code span that names an entity or interface.
fn reference(reader: &Reader<'_>, text: &Text) -> Option<Spanned<String>> {
    text.codes().find_map(|(_, code)| {
        let name = code.text(reader.source);
        let is_declared = reader.declared.iter().any(|declared| names::same_name(declared, &name));
        is_declared.then(|| Spanned::new(name.into_owned(), code.span()))
    })
}

fn read_output(reader: &mut Reader<'_>, operation: &mut Operation, part: &Part) {
    let mut output = Output { span: Some(part.title.span), ..Output::default() };
    if reader.is_placeholder(&part.inline) {
        reader.model.classes.push((part.inline.span, Class::Unfinished));
    } else if !part.inline.is_blank(reader.source) {
        let tokens = reader.tokens(&part.inline);
        output.status = tokens.iter().find_map(status);
        output.kind = output_kind(reader, &tokens, output.status.as_ref().map(|status| status.value));
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
    if !output.fields.is_empty() && matches!(output.kind, OutputKind::Missing | OutputKind::Prose) {
        output.kind = OutputKind::Fields;
    }
    operation.examples.extend(fences(&part.children).cloned());
    operation.output = output;
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
    let row = codes
        .iter()
        .find(|code| reader.declared.iter().any(|declared| names::same_name(declared, &code.text)));
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

fn read_errors(reader: &mut Reader<'_>, operation: &mut Operation, part: &Part) {
    for entry in entries(reader.source, part) {
        match error(reader, &entry) {
            Some(error) => {
                operation.errors.push(error);
                reader.class(&entry, Class::Understood);
            }
            None if entry.is_item => reader.not_understood(&entry, "error"),
            None => reader.class(&entry, Class::Narrative),
        }
    }
}

/// The outcome that an item begins with.
fn error(reader: &Reader<'_>, entry: &Entry<'_>) -> Option<Spanned<Outcome>> {
    let tokens = reader.tokens(entry.text);
    let first = tokens.first()?;
    parse_outcome(&first.text).map(|outcome| Spanned::new(outcome, first.span))
}
