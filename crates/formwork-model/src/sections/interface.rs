//! Sections 4 and 5: operations and internal endpoints. Both have one shape.

use super::commands::{self, CommandLine};
use super::{operation_tables, outputs};
use crate::facts::{Field, Outcome, Prose, StepItem};
use crate::fields;
use crate::inputs;
use crate::labels::{begins_with, normal};
use crate::model::Class;
use crate::notes::NoteKind;
use crate::reader::{Entry, Reader, entries, fences, steps};
use crate::routes::{self, Found, METHODS};
use crate::shapes;
use crate::tables;
use crate::titles;
use crate::typed_fences;
use formwork_syntax::{Block, Fence, Node, Part, PartKind, Span, Spanned, Text};
use std::borrow::Cow;

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
    /// Whether it is a procedure (``Procedure: `name` ``): steps that operations share, without a route.
    pub procedure: bool,
    /// The command line as written, from a *Command* label (`tool check [PATHS]…`).
    pub command_line: Option<Spanned<String>>,
    /// What it takes and how it ends, if it is a command.
    pub command_facts: CommandLine,
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
    /// The rows that are sent with a row: ``the `order` with its `order_line` as `lines` ``.
    pub parts: Vec<RowPart>,
    /// The text behind the label.
    pub text: Option<Text>,
    /// The label *Output* or *Response*; absent when the operation has none.
    pub span: Option<Span>,
}

/// Rows that belong to the answered row, under a name of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowPart {
    /// The entity of the rows.
    pub entity: Spanned<String>,
    /// The member that holds them; the entity's name unless *as* gives another.
    pub name: Spanned<String>,
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
const KINDS: [&str; 10] = [
    "operation",
    "api endpoint",
    "internal endpoint",
    "internal interface",
    "endpoint",
    "cli command",
    "command",
    "procedure",
    "method",
    "rpc",
];

/// Of these, the words that are also labels of an operation.
const LABEL_KINDS: [&str; 3] = ["endpoint", "command", "method"];

const INPUT: [&str; 11] = [
    "input",
    "inputs",
    "request",
    "parameters",
    "body",
    "arguments",
    "payload",
    "path parameters",
    "query parameters",
    "query",
    "headers",
];
const OUTPUT: [&str; 6] = ["output", "outputs", "response", "responses", "returns", "result"];
const BEHAVIOR: [&str; 5] = ["behavior", "behaviour", "steps", "logic", "processing"];
const EXAMPLES: [&str; 4] = ["example", "examples", "schema", "sample"];
const ERRORS: [&str; 3] = ["errors", "error", "failure"];
const ROUTE: [&str; 4] = ["endpoint", "route", "http", "url"];
const PURPOSE: [&str; 3] = ["purpose", "description", "summary"];

/// What authors also say of an operation; kept as prose.
const REMARKS: [&str; 21] = [
    "access",
    "auth",
    "authentication",
    "authorization",
    "called by",
    "caller",
    "callers",
    "consumer",
    "consumers",
    "exit codes",
    "flags",
    "idempotency",
    "note",
    "notes",
    "permissions",
    "postconditions",
    "preconditions",
    "rate limit",
    "remark",
    "side effects",
    "status codes",
];

/// The labels of an operation, for proposals.
const LABELS: [&str; 11] = [
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
    "Command",
];

pub(crate) fn read_public(reader: &mut Reader<'_>, part: &Part) {
    read_group(reader, part, Surface::Public, None);
}

pub(crate) fn read_internal(reader: &mut Reader<'_>, part: &Part) {
    read_group(reader, part, Surface::Internal, None);
}

fn read_group(reader: &mut Reader<'_>, part: &Part, surface: Surface, group: Option<&str>) {
    let part = regrouped(reader.source, part);
    for entry in entries(reader.source, &part) {
        if !read_listed(reader, &entry, surface, group) {
            let is_common = !entry.is_item && commands::read_common(reader, entry.text);
            reader.class(&entry, if is_common { Class::Understood } else { Class::Narrative });
        }
    }
    for below in part.parts() {
        if is_operation(reader, below) {
            read_operation(reader, below, surface, group);
        } else if commands::is_label(&reader.title(&below.title)) {
            let mut found = CommandLine::default();
            match begins_with(&reader.title(&below.title), &commands::EXIT_CODES) {
                true => commands::read_exits(reader, below, &mut found),
                false => commands::read_flags(reader, below, &mut found),
            }
            commands::add_common(reader, found);
        } else {
            let title = below.title.plain(reader.source);
            read_group(reader, below, surface, Some(&title));
        }
    }
    for table in tables::tables(&part.children) {
        if commands::is_table(reader.source, table) {
            let mut found = CommandLine::default();
            commands::read_table(reader, table, &mut found);
            commands::add_common(reader, found);
        } else {
            operation_tables::read(reader, table, surface, group);
        }
    }
}

/// The part with the labels of each bold title below it. `**Command:** …` and the like are labels where other bold
/// titles stand, and titles where none does.
fn regrouped<'d>(source: &str, part: &'d Part) -> Cow<'d, Part> {
    let is_label_kind = |below: &Part| LABEL_KINDS.contains(&normal(&below.title.plain(source)).as_str());
    let is_strong = |below: &Part| is_bold_title(source, below) && !is_label_kind(below);
    let found = shapes::regroup(source, part, &is_strong);
    let has_strong = found.parts().any(is_strong);
    if has_strong { found } else { shapes::regroup(source, part, &|below| is_bold_title(source, below)) }
}

/// Whether a bold part is the title of an operation, and the labels that follow belong to it.
fn is_bold_title(source: &str, part: &Part) -> bool {
    let is_lone = part.inline.is_blank(source);
    let starts_with_code =
        part.title.codes().next().is_some_and(|(piece, _)| piece.span.start == part.title.span.start);
    part.kind == PartKind::Emphasized
        && (titles::has_kind(source, part, &KINDS)
            || routes::begins(source, &part.title)
            || (starts_with_code && is_lone))
}

/// Whether a part declares an operation: by its title, or by the labels that it holds.
fn is_operation(reader: &Reader<'_>, part: &Part) -> bool {
    let source = reader.source;
    if is_bold_title(source, part) {
        return true;
    }
    let is_heading = matches!(part.kind, PartKind::Heading(_));
    let unnumbered = titles::without_kind(source, &part.title, &KINDS);
    let starts_with_code =
        unnumbered.codes().next().is_some_and(|(piece, _)| piece.span.start == unnumbered.span.start);
    let has_title = titles::has_kind(source, part, &KINDS) || routes::begins(source, &unnumbered);
    // `#### Search`, and on a line of its own below it the method and path.
    let opens_with_route = || match part.children.first() {
        Some(Node::Block(Block::Paragraph(text))) => routes::line(source, text).is_some(),
        _ => false,
    };
    if has_title || (is_heading && (starts_with_code || opens_with_route())) {
        return true;
    }
    let is_group = part.parts().any(|below| {
        let is_label = LABEL_KINDS.contains(&normal(&below.title.plain(source)).as_str());
        is_bold_title(source, below) && !is_label
    });
    let is_list_of_endpoints = part.parts().filter(|below| is_bold_title(source, below)).count() > 1;
    let is_label =
        |label: &str| [&INPUT[..], &OUTPUT, &BEHAVIOR].iter().any(|names| begins_with(label, names));
    let promoted = shapes::promote(source, part, &is_label);
    let has_labels = promoted.parts().any(|below| is_label(&reader.title(&below.title)));
    let holds_operations = part.parts().any(|below| {
        matches!(below.kind, PartKind::Heading(_))
            && !is_label(&reader.title(&below.title))
            && is_operation(reader, below)
    });
    // A paragraph that is an operation's title with a remark is found only when the labels are put below it.
    let holds_titles = || regrouped(source, part).parts().any(|below| is_bold_operation(source, below));
    has_labels && !is_group && !is_list_of_endpoints && !holds_operations && !holds_titles()
}

/// Whether a bold line says of itself that it is an operation, and is no label of one.
fn is_bold_operation(source: &str, part: &Part) -> bool {
    part.kind == PartKind::Emphasized
        && part.inline.is_blank(source)
        && !LABEL_KINDS.contains(&normal(&part.title.plain(source)).as_str())
        && (titles::has_kind(source, part, &KINDS) || routes::begins(source, &part.title))
}

/// A list item outside operations that is one: ``- `POST /links`: makes a link``.
fn read_listed(reader: &mut Reader<'_>, entry: &Entry<'_>, surface: Surface, group: Option<&str>) -> bool {
    let source = reader.source;
    if !entry.is_item && !opens_with_route(source, entry.text) {
        return false;
    }
    let named = entry.label.is_some_and(|label| {
        routes::find(source, label.title.span).is_some() || routes::begins(source, &label.rest)
    });
    let is_listed =
        named || routes::begins(source, entry.text) || begins_with_name_and_route(source, entry.text);
    if !is_listed {
        return false;
    }
    let (title, inline) = split_listed(source, entry.text);
    let part = shapes::labelled(title, inline, entry.children.to_vec(), entry.span);
    reader.model.classes.push((entry.span, Class::Understood));
    read_operation(reader, &part, surface, group);
    true
}

/// Whether a paragraph begins with a method and path in code, and a colon or dash behind them.
fn opens_with_route(source: &str, text: &Text) -> bool {
    let Some((piece, code)) = text.codes().next() else { return false };
    let behind = Span::new(piece.span.end, text.span.end.max(piece.span.end)).slice(source);
    let behind = behind.trim_start_matches(['`', '*', '_', ' ']);
    piece.span.start <= text.span.start + 2
        && routes::find(source, code.span()).is_some()
        && behind.starts_with([':', '—', '–'])
}

/// `` `create_link` (`POST /links`)`` at the start.
fn begins_with_name_and_route(source: &str, text: &Text) -> bool {
    let mut codes = text.codes();
    let starts = codes.next().filter(|(piece, _)| piece.span.start <= text.span.start + 2);
    let between =
        |from: u32, to: u32| Span::new(from, to.max(from)).slice(source).trim().chars().count() <= 2;
    match (starts, codes.next()) {
        (Some((first, _)), Some((second, code))) => {
            routes::find(source, code.span()).is_some() && between(first.span.end, second.span.start)
        }
        _ => false,
    }
}

/// The name and route of a listed operation, and what is said of it.
fn split_listed(source: &str, text: &Text) -> (Text, Text) {
    let route_end = routes::find(source, text.span).map_or(text.span.start, |found| found.end);
    let behind = Span::new(route_end, text.span.end).slice(source);
    let skipped =
        behind.len() - behind.trim_start_matches(['`', '*', ')', ' ', ':', '—', '–', '-', '|']).len();
    let from = route_end + skipped as u32;
    (text.slice(source, text.span.start, from), text.slice(source, from, text.span.end))
}

fn read_operation(reader: &mut Reader<'_>, part: &Part, surface: Surface, group: Option<&str>) {
    let title = titles::of_item(reader.source, part, &KINDS);
    let Some(mut operation) = titled(reader.source, &title, surface, part.span) else {
        return reader.note(NoteKind::NotUnderstood { expected: "operation" }, part.title.span);
    };
    operation.group = group.map(str::to_owned);
    operation.procedure = operation.path.is_none() && titles::has_kind(reader.source, part, &["procedure"]);
    let mut part = shapes::promote(reader.source, part, &is_label);
    if title.span == part.inline.span {
        part.to_mut().inline = Text::empty(part.inline.span.end);
    }
    operation.examples.extend(fences(&part.children).cloned());
    read_unlabelled(reader, &mut operation, &part);
    for below in part.parts() {
        read_label(reader, &mut operation, below);
    }
    if operation.command {
        commands::read_synopsis(&mut operation);
        for table in tables::tables(&part.children).filter(|table| commands::is_table(reader.source, table)) {
            commands::read_table(reader, table, &mut operation.command_facts);
        }
    }
    add(reader, operation);
}

pub(super) fn is_label(title: &str) -> bool {
    let title = spelled_out(title);
    let known: [&[&str]; 9] =
        [&INPUT, &OUTPUT, &BEHAVIOR, &EXAMPLES, &ERRORS, &ROUTE, &PURPOSE, &REMARKS, &LABEL_KINDS];
    known.iter().any(|names| begins_with(title, names))
        || commands::is_label(title)
        || matches!(title, "transport" | "path" | "usage" | "synopsis")
}

pub(super) fn add(reader: &mut Reader<'_>, operation: Operation) {
    let what = match operation.surface {
        Surface::Public => "operation",
        Surface::Internal => "endpoint",
    };
    reader.declared_twice(what, &operation.name);
    match operation.surface {
        Surface::Public => reader.model.operations.push(operation),
        Surface::Internal => reader.model.endpoints.push(operation),
    }
}

/// What stands below the title without a label: a line with method and path, else what the operation is for.
fn read_unlabelled(reader: &mut Reader<'_>, operation: &mut Operation, part: &Part) {
    for entry in entries(reader.source, part) {
        let found = routes::line(reader.source, entry.text).filter(|_| operation.path.is_none());
        if let Some(found) = found {
            set_route(operation, found);
            reader.class(&entry, Class::Understood);
            continue;
        }
        reader.class(&entry, Class::Narrative);
        if reader.is_placeholder(entry.text) {
            continue;
        }
        let said = reader.prose(entry.text);
        operation.purpose = Some(match operation.purpose.take() {
            Some(before) => {
                Spanned::new(format!("{}\n{}", before.value, said.value), before.span.to(said.span))
            }
            None => said,
        });
    }
}

pub(super) fn set_route(operation: &mut Operation, found: Found) {
    operation.method = Some(found.method);
    operation.path = Some(found.path);
}

/// The operation that a title names, still empty.
pub(super) fn titled(source: &str, title: &Text, surface: Surface, span: Span) -> Option<Operation> {
    let mut operation = empty(titles::name(source, title)?, surface, span);
    let mut name = None;
    for (piece, code) in title.codes() {
        let text = code.text(source);
        match routes::find(source, code.span()) {
            Some(found) if operation.path.is_none() => set_route(&mut operation, found),
            Some(_) => {}
            None if name.is_none() && !is_method_or_path(&text) => {
                let place = (piece.span.start, code.span());
                name = Some((place.0, named(&text, place.1, &mut operation.command)));
                // A title that is the whole synopsis.
                if operation.command && commands::name_length(&text) < text.len() {
                    operation.command_line = Some(Spanned::new(text.into_owned(), place.1));
                }
            }
            None => {}
        }
    }
    if operation.path.is_none()
        && let Some(found) = routes::find(source, title.span)
    {
        set_route(&mut operation, found);
    }
    let route_start = operation.method.as_ref().map(|method| method.span.start);
    let before_route = route_start.and_then(|at| words_before(source, title, at));
    // `Ingest → Index: POST /x` says who calls whom, `POST /x — make_it` what it is called.
    let before_route =
        before_route.filter(|words| !words.value.contains(['→', '⟶']) && !words.value.contains("->"));
    let behind = operation.path.as_ref().and_then(|path| name_behind(source, title, path.span.end));
    operation.name =
        match (name, before_route.or(behind), &operation.method, &operation.path) {
            (Some((_, name)), None, _, _) => name,
            (Some((at, name)), Some(words), _, _) => {
                if at <= words.span.end || at < route_start.unwrap_or(0) { name } else { words }
            }
            (None, Some(words), _, _) => words,
            (None, None, Some(method), Some(path)) => {
                Spanned::new(format!("{} {}", method.value, path.value), method.span.to(path.span))
            }
            _ => operation.name,
        };
    Some(operation)
}

fn is_method_or_path(text: &str) -> bool {
    METHODS.contains(&text.trim()) || text.starts_with('/')
}

/// The words of a title before its method and path.
fn words_before(source: &str, title: &Text, at: u32) -> Option<Spanned<String>> {
    let before = title.slice(source, title.span.start, at);
    let has_words = before.shown(source).any(|(_, character)| character.is_alphanumeric());
    has_words.then(|| titles::words(source, &before)).flatten()
}

/// A name behind the path: one word that is written as code is, `make_it` or `makeIt`.
fn name_behind(source: &str, title: &Text, from: u32) -> Option<Spanned<String>> {
    let behind = Span::new(from, title.span.end.max(from)).slice(source);
    let skipped = behind.len()
        - behind.trim_start_matches(['`', '*', '_', ' ', ':', '—', '–', '-', '·', '|', '(', ')']).len();
    let word = behind[skipped..].trim_end_matches(['`', '*', ')', ' ']);
    let is_inner = |window: &[u8]| {
        window[1] == b'_' || (window[0].is_ascii_lowercase() && window[1].is_ascii_uppercase())
    };
    let is_name = is_identifier(word) && word.as_bytes().windows(2).any(is_inner);
    let start = from + skipped as u32;
    (skipped > 0 && is_name)
        .then(|| Spanned::new(word.to_owned(), Span::new(start, start + word.len() as u32)))
}

fn is_identifier(word: &str) -> bool {
    word.starts_with(|first: char| first.is_ascii_lowercase())
        && word.chars().all(|character| character.is_ascii_alphanumeric() || character == '_')
}

/// An operation of which only the name is known.
pub(super) fn empty(name: Spanned<String>, surface: Surface, span: Span) -> Operation {
    Operation {
        name,
        group: None,
        surface,
        method: None,
        path: None,
        command: false,
        procedure: false,
        command_line: None,
        command_facts: CommandLine::default(),
        input: Input::default(),
        output: Output::default(),
        errors: Vec::new(),
        behavior: Vec::new(),
        behavior_span: None,
        examples: Vec::new(),
        purpose: None,
        transport: None,
        span,
    }
}

/// `create_link`, `createLink(input)`, or a command line, which holds a blank.
fn named(text: &str, span: Span, command: &mut bool) -> Spanned<String> {
    let name = text.split('(').next().unwrap_or(text).trim_end();
    *command = name.contains(' ');
    // Flags and arguments of a command line are no part of its name.
    let end = if *command { commands::name_length(name) } else { name.len() };
    Spanned::new(name[..end].to_owned(), span.part(0, end as u32))
}

pub(super) fn read_label(reader: &mut Reader<'_>, operation: &mut Operation, part: &Part) {
    let title = reader.title(&part.title);
    let title = spelled_out(&title).to_owned();
    let route = routes::line(reader.source, &part.inline);
    if let Some(found) = route.filter(|_| operation.path.is_none() && is_label(&title)) {
        set_route(operation, found);
        reader.model.classes.push((part.inline.span, Class::Understood));
    } else if begins_with(&title, &EXAMPLES) {
        operation.examples.extend(fences(&part.children).cloned());
        reader.prose_list(part, Class::Narrative);
    } else if title == "method" || title == "http method" {
        read_method(reader, operation, part);
    } else if title == "command" || title == "usage" || title == "synopsis" {
        read_command(reader, operation, part);
    } else if begins_with(&title, &ERRORS) {
        outputs::read_errors(reader, operation, part);
    } else if title == "path" || begins_with(&title, &ROUTE) {
        read_route(reader, operation, part);
    } else if begins_with(&title, &INPUT) {
        let own = match operation.command {
            true => commands::take_flags(reader, part, &mut operation.command_facts),
            false => Cow::Borrowed(part),
        };
        let mut more = read_input(reader, &own);
        for fence in fences(&part.children) {
            match typed_fences::fields(reader, fence).filter(|_| more.fields.is_empty()) {
                Some(found) => more.fields = found,
                None => operation.examples.push(fence.clone()),
            }
        }
        merge_input(&mut operation.input, more);
    } else if begins_with(&title, &OUTPUT) {
        outputs::read_output(reader, operation, part);
        if operation.command {
            commands::read_output(reader, part, &mut operation.command_facts);
        }
    } else if commands::is_label(&title) {
        match begins_with(&title, &commands::EXIT_CODES) {
            true => commands::read_exits(reader, part, &mut operation.command_facts),
            false => commands::read_flags(reader, part, &mut operation.command_facts),
        }
    } else if begins_with(&title, &BEHAVIOR) {
        operation.behavior.extend(steps(reader.source, part));
        operation.behavior_span = Some(part.title.span);
    } else if begins_with(&title, &PURPOSE) {
        operation.purpose = reader.prose_of(part, Class::Narrative);
    } else if begins_with(&title, &["transport"]) {
        operation.transport = reader.prose_of(part, Class::Narrative);
    } else {
        if matches!(part.kind, PartKind::Emphasized) && !begins_with(&title, &REMARKS) {
            super::unknown_label(reader, part, &LABELS);
        }
        reader.prose_list(part, Class::Narrative);
    }
}

/// `in` and `out` stand for Input and Output.
fn spelled_out(title: &str) -> &str {
    match title {
        "in" => "input",
        "out" => "output",
        _ => title,
    }
}

/// A second Input part (`**Path parameters:**` beside `**Body:**`) adds to the first.
fn merge_input(input: &mut Input, more: Input) {
    input.fields.extend(more.fields);
    input.reference = input.reference.take().or(more.reference);
    input.none = (input.none || more.none) && input.fields.is_empty();
    input.ignores_others |= more.ignores_others;
    input.span = input.span.or(more.span);
}

fn read_method(reader: &mut Reader<'_>, operation: &mut Operation, part: &Part) {
    let method = part.inline.plain(reader.source).trim().to_ascii_uppercase();
    if METHODS.contains(&method.as_str()) {
        let place = part.inline.codes().next().map_or(part.inline.span, |(_, code)| code.span());
        operation.method = Some(Spanned::new(method, place));
        reader.model.classes.push((part.inline.span, Class::Understood));
    } else {
        reader.prose_list(part, Class::Narrative);
    }
}

fn read_command(reader: &mut Reader<'_>, operation: &mut Operation, part: &Part) {
    let found = entries(reader.source, part).iter().find_map(|entry| {
        let (_, code) = entry.text.codes().next()?;
        Some(Spanned::new(code.text(reader.source).into_owned(), code.span()))
    });
    operation.command = true;
    operation.command_line = operation.command_line.take().or(found);
    reader.prose_list(part, Class::Understood);
}

fn read_route(reader: &mut Reader<'_>, operation: &mut Operation, part: &Part) {
    for entry in entries(reader.source, part) {
        let found = routes::find(reader.source, entry.text.span);
        let path = routes::path(reader.source, entry.text).filter(|_| found.is_none());
        match (found, path) {
            (Some(found), _) => set_route(operation, found),
            (None, Some(path)) => operation.path = Some(path),
            (None, None) if reader.title(&part.title) == "endpoint" => {
                reader.not_understood(&entry, "method and path");
                continue;
            }
            (None, None) => {
                reader.class(&entry, Class::Narrative);
                continue;
            }
        }
        reader.class(&entry, Class::Understood);
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
    for entry in entries(reader.source, &listed).iter().filter(|entry| !entry.is_item) {
        input.fields.extend(inputs::sentence(reader, entry.text));
    }
    for field in fields::fields(reader, &listed) {
        // A paragraph that is one field was read as a sentence already.
        let is_known = |own: &&Field| own.name.span == field.name.span;
        if input.fields.iter().find(is_known).is_none() {
            input.fields.push(field);
        }
    }
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
    input.fields.extend(inputs::sentence(reader, &part.inline));
    let is_fact = input.ignores_others || !input.fields.is_empty();
    reader.class(&entry, if is_fact { Class::Understood } else { Class::Narrative });
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
        let is_declared = reader.declared.find(&name).is_some();
        is_declared.then(|| Spanned::new(name.into_owned(), code.span()))
    })
}
