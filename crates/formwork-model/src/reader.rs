//! What every section's reader needs: the text, the model that grows, and the entries of a part.
//!
//! An [`Entry`] is a list item, a paragraph or the text behind a label: the unit in which facts are written.

use crate::facts::{Prose, StepItem};
use crate::labels::normal;
use crate::model::{Class, Model};
use crate::names::NameIndex;
use crate::notes::{Note, NoteKind};
use crate::sections::data_model::{Index, Relationship};
use crate::tokens::{Token, tokens};
use crate::unfinished;
use formwork_syntax::{Block, Fence, Label, Node, Part, Span, Spanned, Table, Text};
use rustc_hash::{FxHashMap, FxHashSet};

/// The state of one reading.
pub(crate) struct Reader<'s> {
    pub(crate) source: &'s str,
    pub(crate) model: Model,
    /// Names of entities and interfaces, which are types.
    pub(crate) declared: Declared,
    /// Names of inputs that a sentence gives without a type, which is no mistake there.
    pub(crate) untyped: FxHashSet<Span>,
    /// Relationships that paragraphs speak of.
    pub(crate) loose_relationships: Vec<Relationship>,
    /// Keys that stand elsewhere than their entities, with the entities' names.
    pub(crate) loose_keys: Vec<(String, Index)>,
}

/// A list item, a paragraph, or the text behind a label.
#[derive(Clone, Copy)]
pub(crate) struct Entry<'d> {
    pub(crate) text: &'d Text,
    pub(crate) label: Option<&'d Label>,
    pub(crate) children: &'d [Node],
    pub(crate) number: Option<u64>,
    pub(crate) span: Span,
    /// Whether it is a list item.
    pub(crate) is_item: bool,
}

impl<'s> Reader<'s> {
    /// What a reader sees of a text, with its place.
    pub(crate) fn prose(&self, text: &Text) -> Prose {
        Spanned::new(text.plain(self.source), text.span)
    }

    /// The tokens of a text.
    pub(crate) fn tokens<'t>(&self, text: &'t Text) -> Vec<Token<'t>>
    where
        's: 't,
    {
        tokens(self.source, text)
    }

    /// A title, normalised for comparing, without the number that counts it (`9.3 Rate limits`).
    pub(crate) fn title(&self, text: &Text) -> String {
        let plain = text.plain(self.source);
        let number = plain.len() - plain.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').len();
        let behind = plain[number..].trim_start_matches(')');
        let is_counted = plain.starts_with(|c: char| c.is_ascii_digit()) && behind.starts_with(' ');
        if is_counted { normal(behind) } else { normal(&plain) }
    }

    /// Notes something.
    pub(crate) fn note(&mut self, kind: NoteKind, span: Span) {
        self.model.notes.push(Note { kind, span, related: None });
    }

    /// Says how an entry was taken; a placeholder is unfinished, whatever its reader made of it.
    pub(crate) fn class(&mut self, entry: &Entry<'_>, class: Class) {
        let class = if self.is_placeholder(entry.text) { Class::Unfinished } else { class };
        self.model.classes.push((entry.span, class));
    }

    /// Says that the rows of a table hold no facts.
    pub(crate) fn narrative_rows(&mut self, table: &Table) {
        self.model.classes.extend(table.rows.iter().map(|row| (row.span, Class::Narrative)));
    }

    /// Says that an entry of a formal list was not understood.
    pub(crate) fn not_understood(&mut self, entry: &Entry<'_>, expected: &'static str) {
        if unfinished::is_within(self.source, entry.text) {
            return self.model.classes.push((entry.span, Class::Unfinished));
        }
        self.note(NoteKind::NotUnderstood { expected }, entry.span);
        self.class(entry, Class::NotUnderstood);
    }

    /// Whether a text is a placeholder or stand-in and nothing else.
    pub(crate) fn is_placeholder(&self, text: &Text) -> bool {
        !unfinished::is_too_long(text.span.slice(self.source))
            && unfinished::is_placeholder(&text.plain(self.source))
    }

    /// All entries of a part as prose, each classed; placeholders are left out.
    pub(crate) fn prose_list(&mut self, part: &Part, class: Class) -> Vec<Prose> {
        let found = entries(self.source, part);
        found
            .iter()
            .filter_map(|entry| {
                self.class(entry, class);
                (!self.is_placeholder(entry.text)).then(|| self.prose(entry.text))
            })
            .collect()
    }

    /// All that stands under a label, joined to one prose.
    pub(crate) fn prose_of(&mut self, part: &Part, class: Class) -> Option<Prose> {
        let all = self.prose_list(part, class);
        let span = all.first()?.span.to(all.last()?.span);
        let value = all.into_iter().map(|prose| prose.value).collect::<Vec<_>>().join("\n");
        Some(Spanned::new(value, span))
    }

    /// Notes a name that was declared before in the document, compared without case.
    pub(crate) fn declared_twice(&mut self, what: &'static str, name: &Spanned<String>) {
        let mut first = self.declared.first.remove(what).unwrap_or_default();
        self.declared_twice_in(&mut first, what, name);
        self.declared.first.insert(what, first);
    }

    /// The same among the names that `first` remembers, such as the fields of one entity.
    pub(crate) fn declared_twice_in(
        &mut self,
        first: &mut FirstPlaces,
        what: &'static str,
        name: &Spanned<String>,
    ) {
        self.declared_before(first, what, name);
        first.entry(name.value.to_lowercase()).or_insert(name.span);
    }

    /// Notes a name that `first` remembers.
    pub(crate) fn declared_before(
        &mut self,
        first: &FirstPlaces,
        what: &'static str,
        name: &Spanned<String>,
    ) {
        let before = first.get(&name.value.to_lowercase()).copied();
        if before.is_some() && !unfinished::is_placeholder(&name.value) {
            let kind = NoteKind::DeclaredTwice { what, name: name.value.clone() };
            self.model.notes.push(Note { kind, span: name.span, related: before });
        }
    }
}

/// Where each name, in lower case, was first declared.
pub(crate) type FirstPlaces = FxHashMap<String, Span>;

/// What the document declares: the names that are types, and where names were first seen.
#[derive(Default)]
pub(crate) struct Declared {
    names: Vec<String>,
    index: NameIndex,
    /// Positions of the entities in the model, by name in lower case.
    pub(crate) entities: FxHashMap<String, usize>,
    /// The enumerations of `CREATE TYPE` that were read so far.
    pub(crate) enums: crate::ddl::Enums,
    first: FxHashMap<&'static str, FirstPlaces>,
}

impl Declared {
    /// With these types.
    pub(crate) fn of(names: Vec<String>) -> Self {
        let index = NameIndex::new(names.iter().map(String::as_str));
        Self { names, index, ..Self::default() }
    }

    /// The type of this name: an exact one wins, else one that differs in case, separators or plural.
    pub(crate) fn find(&self, name: &str) -> Option<&str> {
        self.index.find(name).map(|at| self.names[at].as_str())
    }
}

impl std::ops::Deref for Declared {
    type Target = [String];

    fn deref(&self) -> &[String] {
        &self.names
    }
}

/// The entries directly in a part: the text behind its label, its paragraphs and its list items.
pub(crate) fn entries<'d>(source: &str, part: &'d Part) -> Vec<Entry<'d>> {
    let mut found = Vec::new();
    if !part.inline.is_blank(source) {
        found.push(plain(&part.inline));
    }
    push_entries(&part.children, &mut found);
    found
}

/// The entries among nodes, with those in quotes.
pub(crate) fn node_entries(nodes: &[Node]) -> Vec<Entry<'_>> {
    let mut found = Vec::new();
    push_entries(nodes, &mut found);
    found
}

fn plain(text: &Text) -> Entry<'_> {
    Entry { text, label: None, children: &[], number: None, span: text.span, is_item: false }
}

fn push_entries<'d>(nodes: &'d [Node], found: &mut Vec<Entry<'d>>) {
    for node in nodes {
        match node {
            Node::Block(Block::Paragraph(text)) => found.push(plain(text)),
            Node::Block(Block::Quote(quote)) => push_entries(&quote.children, found),
            Node::Block(Block::List(list)) => found.extend(list.items.iter().map(|item| Entry {
                text: &item.text,
                label: item.label.as_ref(),
                children: &item.children,
                number: item.number,
                span: item.span,
                is_item: true,
            })),
            _ => {}
        }
    }
}

/// The fences directly among nodes.
pub(crate) fn fences(nodes: &[Node]) -> impl Iterator<Item = &Fence> {
    nodes.iter().filter_map(|node| match node {
        Node::Block(Block::Fence(fence)) => Some(fence),
        _ => None,
    })
}

/// The steps of a part, with what is nested below them.
pub(crate) fn steps(source: &str, part: &Part) -> Vec<StepItem> {
    entries(source, part).iter().map(step).collect()
}

/// One entry as a step.
pub(crate) fn step(entry: &Entry<'_>) -> StepItem {
    let mut nested: Vec<StepItem> = node_entries(entry.children).iter().map(step).collect();
    for node in entry.children {
        if let Node::Part(part) = node {
            nested.extend(part_steps(part));
        }
    }
    StepItem {
        text: entry.text.clone(),
        number: entry.number,
        nested,
        fences: fences(entry.children).cloned().collect(),
        span: entry.span,
    }
}

/// A labelled line below a step: the label with its text as one step, then what stands below.
fn part_steps(part: &Part) -> Vec<StepItem> {
    let mut text = part.title.clone();
    text.span = text.span.to(part.inline.span);
    text.pieces.extend(part.inline.pieces.iter().cloned());
    let head = Entry { children: &part.children, ..plain(&text) };
    vec![step(&head)]
}
