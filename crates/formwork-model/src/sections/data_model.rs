//! Section 6: entities, their fields, relationships and indexes.

use crate::facts::{Field, Outcome, Prose, RawExpression};
use crate::fields;
use crate::labels::{begins_with, normal};
use crate::model::Class;
use crate::reader::{Entry, Reader, entries};
use crate::titles;
use crate::tokens::{Token, find_words, outer, split, starts_with_words};
use crate::values::parse_outcome;
use formwork_syntax::{Block, Part, PartKind, Span, Spanned, Text};

/// An entity.
#[derive(Clone, Debug)]
pub struct Entity {
    /// Its name.
    pub name: Spanned<String>,
    /// What it is.
    pub description: Option<Prose>,
    /// Its fields, in the order of the text.
    pub fields: Vec<Field>,
    /// Its primary key, unique keys and indexes from *Indexes/Keys*.
    pub indexes: Vec<Index>,
    /// Constraints over several fields (`**Constraint:** …`).
    pub rules: Vec<EntityRule>,
    /// Heading to last line.
    pub span: Span,
}

/// A key or index over fields.
#[derive(Clone, Debug)]
pub struct Index {
    /// What it is.
    pub kind: IndexKind,
    /// Its fields; `true` for descending.
    pub fields: Vec<(Spanned<String>, bool)>,
    /// Which rows it covers.
    pub filter: Option<RawExpression>,
    /// How a broken unique key is answered.
    pub otherwise: Option<Outcome>,
    /// Where.
    pub span: Span,
}

/// The kinds of [`Index`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IndexKind {
    /// The primary key.
    Primary,
    /// A unique key.
    Unique,
    /// For speed only.
    Plain,
}

/// A rule over several fields or rows, kept as written; the language reads it.
#[derive(Clone, Debug)]
pub struct EntityRule {
    /// Which label it bears.
    pub kind: EntityRuleKind,
    /// What follows the label.
    pub text: Text,
    /// Where.
    pub span: Span,
}

/// The kinds of [`EntityRule`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntityRuleKind {
    /// `**Constraint:**`
    Constraint,
    /// `**Invariant:**`
    Invariant,
    /// `**Transitions:**`
    Transitions,
    /// `**Append only.**`
    AppendOnly,
    /// `**Rows at start:**`
    RowsAtStart,
}

/// How two entities relate.
#[derive(Clone, Debug)]
pub struct Relationship {
    /// The entity that it is said of.
    pub from: Spanned<String>,
    /// The other one.
    pub to: Spanned<String>,
    /// How.
    pub kind: RelationshipKind,
    /// The field or link entity that carries it.
    pub via: Option<Spanned<String>>,
    /// The sentence.
    pub span: Span,
}

/// The kinds of [`Relationship`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelationshipKind {
    /// *has many*
    OneToMany,
    /// *belongs to*
    ManyToOne,
    /// *many to many*
    ManyToMany,
    /// *has one*
    OneToOne,
    /// Only mentioned in prose.
    Mentions,
}

/// The words before a title's colon.
const KINDS: [&str; 4] = ["entity", "table", "model", "collection"];

/// The labels of an entity, for proposals.
const LABELS: [&str; 9] = [
    "Fields",
    "Relationships",
    "Indexes/Keys",
    "Constraint",
    "Invariant",
    "Transitions",
    "Append only",
    "Rows at start",
    "Description",
];

/// The names of the entities of a section, before anything else of it is read.
pub(crate) fn names(source: &str, part: &Part) -> Vec<String> {
    let mut found = Vec::new();
    for below in part.parts().filter(|below| matches!(below.kind, PartKind::Heading(_))) {
        if is_entity(source, below) {
            let title = titles::without_kind(source, &below.title, &KINDS);
            found.extend(titles::name(source, &title).map(|name| name.value));
        } else {
            found.extend(names(source, below));
        }
    }
    found
}

/// Whether a heading declares an entity: it has the kind word, its title begins with code, or it holds fields.
fn is_entity(source: &str, part: &Part) -> bool {
    let title = part.title.plain(source).to_lowercase();
    let has_kind = KINDS
        .iter()
        .any(|kind| title.strip_prefix(kind).is_some_and(|rest| rest.trim_start().starts_with(':')));
    let starts_with_code =
        part.title.codes().next().is_some_and(|(piece, _)| piece.span.start == part.title.span.start);
    let has_fields = part
        .parts()
        .any(|below| begins_with(&normal(&below.title.plain(source)), &["fields", "columns", "attributes"]));
    has_kind || starts_with_code || has_fields
}

pub(crate) fn read(reader: &mut Reader<'_>, part: &Part) {
    let title = reader.title(&part.title);
    if begins_with(&title, &["relationships", "relationship", "relations"]) {
        return read_relationships(reader, part, None);
    }
    reader.prose_list(part, Class::Narrative);
    for below in part.parts() {
        if matches!(below.kind, PartKind::Heading(_)) && is_entity(reader.source, below) {
            read_entity(reader, below);
        } else {
            read(reader, below);
        }
    }
}

fn read_entity(reader: &mut Reader<'_>, part: &Part) {
    let title = titles::without_kind(reader.source, &part.title, &KINDS);
    let Some(name) = titles::name(reader.source, &title) else { return };
    let mut entity = Entity {
        name,
        description: None,
        fields: Vec::new(),
        indexes: Vec::new(),
        rules: Vec::new(),
        span: part.span,
    };
    read_unlabelled(reader, &mut entity, part);
    for below in part.parts() {
        read_label(reader, &mut entity, below);
    }
    let declared: Vec<_> = reader.model.entities.iter().map(|other| other.name.clone()).collect();
    reader.declared_twice("entity", &entity.name, &declared);
    reader.model.entities.push(entity);
}

/// What stands below the heading without a label: the description, fields, and rules.
fn read_unlabelled(reader: &mut Reader<'_>, entity: &mut Entity, part: &Part) {
    let mut fields_only = part.clone();
    fields_only
        .children
        .retain(|node| matches!(node, formwork_syntax::Node::Block(Block::List(_) | Block::Table(_))));
    for block in part.blocks() {
        let Block::Paragraph(text) = block else { continue };
        let entry = paragraph(text);
        if is_append_only(&text.plain(reader.source)) {
            push_rule(reader, entity, EntityRuleKind::AppendOnly, text, &entry);
        } else {
            reader.class(&entry, Class::Narrative);
            entity.description = entity.description.take().or_else(|| Some(reader.prose(text)));
        }
    }
    read_fields(reader, entity, &fields_only);
}

fn paragraph(text: &Text) -> Entry<'_> {
    Entry { text, label: None, children: &[], number: None, span: text.span, is_item: false }
}

fn is_append_only(text: &str) -> bool {
    normal(text) == "append only"
}

/// Fields, and among their items rules with a label of their own.
fn read_fields(reader: &mut Reader<'_>, entity: &mut Entity, part: &Part) {
    let rules: Vec<Span> = entries(reader.source, part)
        .iter()
        .filter(|entry| read_rule_item(reader, entity, entry))
        .map(|entry| entry.span)
        .collect();
    let mut without = part.clone();
    for node in &mut without.children {
        if let formwork_syntax::Node::Block(Block::List(list)) = node {
            list.items.retain(|item| !rules.contains(&item.span));
        }
    }
    let declared: Vec<_> = entity.fields.iter().map(|field| field.name.clone()).collect();
    for field in fields::fields(reader, &without) {
        reader.declared_twice("field", &field.name, &declared);
        entity.fields.push(field);
    }
}

fn read_rule_item(reader: &mut Reader<'_>, entity: &mut Entity, entry: &Entry<'_>) -> bool {
    if is_append_only(&entry.text.plain(reader.source)) {
        push_rule(reader, entity, EntityRuleKind::AppendOnly, entry.text, entry);
        return true;
    }
    let kind = entry.label.and_then(|label| Some((rule_kind(&reader.title(&label.title))?, &label.rest)));
    if let Some((kind, text)) = kind {
        push_rule(reader, entity, kind, text, entry);
    }
    kind.is_some()
}

fn rule_kind(title: &str) -> Option<EntityRuleKind> {
    Some(match title {
        "constraint" | "constraints" => EntityRuleKind::Constraint,
        "invariant" | "invariants" => EntityRuleKind::Invariant,
        "transitions" | "transition" => EntityRuleKind::Transitions,
        "append only" => EntityRuleKind::AppendOnly,
        "rows at start" => EntityRuleKind::RowsAtStart,
        _ => return None,
    })
}

fn push_rule(
    reader: &mut Reader<'_>,
    entity: &mut Entity,
    kind: EntityRuleKind,
    text: &Text,
    entry: &Entry<'_>,
) {
    reader.class(entry, Class::Understood);
    entity.rules.push(EntityRule { kind, text: text.clone(), span: entry.span });
}

fn read_label(reader: &mut Reader<'_>, entity: &mut Entity, part: &Part) {
    let title = reader.title(&part.title);
    if let Some(kind) = rule_kind(&title) {
        if kind == EntityRuleKind::AppendOnly && part.inline.is_blank(reader.source) {
            entity.rules.push(EntityRule { kind, text: part.title.clone(), span: part.span });
        }
        for entry in entries(reader.source, part) {
            push_rule(reader, entity, kind, entry.text, &entry);
        }
    } else if begins_with(&title, &["fields", "columns", "attributes"]) {
        read_fields(reader, entity, part);
    } else if begins_with(&title, &["relationships", "relationship", "relations"]) {
        read_relationships(reader, part, Some(&entity.name.clone()));
    } else if begins_with(&title, &["indexes", "keys", "indices", "index"]) {
        read_indexes(reader, entity, part);
    } else if begins_with(&title, &["description", "purpose"]) {
        entity.description = reader.prose_of(part, Class::Narrative);
    } else {
        if !begins_with(&title, &["note", "notes", "remark"]) {
            super::unknown_label(reader, part, &LABELS);
        }
        reader.prose_list(part, Class::Narrative);
    }
}

fn read_indexes(reader: &mut Reader<'_>, entity: &mut Entity, part: &Part) {
    for entry in entries(reader.source, part) {
        let tokens = reader.tokens(entry.text);
        if says_none(&tokens) {
            reader.class(&entry, Class::Understood);
            continue;
        }
        let parts = split(&tokens, |token| token.is_mark(";"));
        let found: Vec<Option<Index>> =
            parts.iter().filter(|part| !part.is_empty()).map(|part| index(part)).collect();
        if found.iter().any(Option::is_none) {
            reader.not_understood(&entry, "primary key, unique or index");
        } else {
            reader.class(&entry, Class::Understood);
        }
        entity.indexes.extend(found.into_iter().flatten());
    }
}

fn says_none(tokens: &[Token<'_>]) -> bool {
    matches!(tokens, [only] if only.is_word("none"))
}

/// ``unique (`team_id`, `slug`) where `EXPR`, otherwise `409 taken` ``
fn index(tokens: &[Token<'_>]) -> Option<Index> {
    let kind = if starts_with_words(tokens, &["primary", "key"]) || starts_with_words(tokens, &["pk"]) {
        IndexKind::Primary
    } else if starts_with_words(tokens, &["unique"]) {
        IndexKind::Unique
    } else if starts_with_words(tokens, &["index"]) || starts_with_words(tokens, &["indexed"]) {
        IndexKind::Plain
    } else {
        return None;
    };
    let tail = tokens
        .iter()
        .position(|token| token.is_word("where") || token.is_word("otherwise"))
        .unwrap_or(tokens.len());
    let (own, tail) = tokens.split_at(tail);
    let mut fields = Vec::new();
    for (at, token) in own.iter().enumerate().filter(|(_, token)| token.is_code()) {
        let descending =
            own.get(at + 1).is_some_and(|next| next.is_word("desc") || next.is_word("descending"));
        fields.extend(columns(token, descending));
    }
    let filter = code_after(tail, "where")
        .and_then(|token| token.code.map(|code| RawExpression { code: code.clone(), span: token.span }));
    let otherwise = code_after(tail, "otherwise").and_then(|token| parse_outcome(&token.text));
    let span = outer(tokens)?;
    (!fields.is_empty()).then_some(Index { kind, fields, filter, otherwise, span })
}

/// The fields of one code span: almost always one, but also `owner_id, created_at desc`.
fn columns(token: &Token<'_>, descending: bool) -> Vec<(Spanned<String>, bool)> {
    let mut found = Vec::new();
    let mut at = 0;
    for part in token.text.split(',') {
        let trimmed = part.trim_start();
        let start = (at + part.len() - trimmed.len()) as u32;
        at += part.len() + 1;
        let mut words = trimmed.split_whitespace();
        let Some(name) = words.next() else { continue };
        let is_descending = words.next().is_some_and(|word| word.eq_ignore_ascii_case("desc"));
        let span = token.span.part(start, start + name.len() as u32);
        found.push((Spanned::new(name.to_owned(), span), is_descending || descending));
    }
    found
}

fn code_after<'a, 't>(tokens: &'a [Token<'t>], word: &str) -> Option<&'a Token<'t>> {
    let at = tokens.iter().position(|token| token.is_word(word))?;
    tokens.get(at + 1).filter(|token| token.is_code())
}

fn read_relationships(reader: &mut Reader<'_>, part: &Part, of: Option<&Spanned<String>>) {
    for entry in entries(reader.source, part) {
        let tokens = reader.tokens(entry.text);
        let mut understood = says_none(&tokens);
        for sentence in split(&tokens, |token| token.is_mark(";") || token.is_mark(".")) {
            let found = relationships(reader, sentence, of);
            understood |= found.iter().any(|found| found.kind != RelationshipKind::Mentions);
            reader.model.relationships.extend(found);
        }
        reader.class(&entry, if understood { Class::Understood } else { Class::Narrative });
    }
}

/// Kind and verb of a sentence: where the verb begins and ends.
fn verb(tokens: &[Token<'_>]) -> Option<(RelationshipKind, usize, usize)> {
    const VERBS: [(&[&str], RelationshipKind); 7] = [
        (&["many", "to", "many"], RelationshipKind::ManyToMany),
        (&["many-to-many"], RelationshipKind::ManyToMany),
        (&["has", "many"], RelationshipKind::OneToMany),
        (&["have", "many"], RelationshipKind::OneToMany),
        (&["belongs", "to"], RelationshipKind::ManyToOne),
        (&["belong", "to"], RelationshipKind::ManyToOne),
        (&["has", "one"], RelationshipKind::OneToOne),
    ];
    VERBS.iter().find_map(|(words, kind)| find_words(tokens, words).map(|at| (*kind, at, at + words.len())))
}

/// The kind in parentheses behind an arrow.
fn arrow_kind(tokens: &[Token<'_>]) -> RelationshipKind {
    const KINDS: [(&[&str], RelationshipKind); 4] = [
        (&["one", "to", "many"], RelationshipKind::OneToMany),
        (&["many", "to", "many"], RelationshipKind::ManyToMany),
        (&["one", "to", "one"], RelationshipKind::OneToOne),
        (&["many", "to", "one"], RelationshipKind::ManyToOne),
    ];
    let dashed = |kind: &str| tokens.iter().any(|token| token.is_word(&kind.replace(' ', "-")));
    KINDS
        .iter()
        .find(|(words, _)| find_words(tokens, words).is_some() || dashed(&words.join(" ")))
        .map_or(RelationshipKind::ManyToOne, |(_, kind)| *kind)
}

fn relationships(
    reader: &Reader<'_>,
    tokens: &[Token<'_>],
    of: Option<&Spanned<String>>,
) -> Vec<Relationship> {
    let Some(span) = outer(tokens) else { return Vec::new() };
    let code_in = |range: &[Token<'_>]| range.iter().find(|token| token.is_code()).map(Token::spanned);
    let via_at =
        tokens.iter().position(|token| ["through", "via", "by"].iter().any(|word| token.is_word(word)));
    let via = via_at.and_then(|at| code_in(&tokens[at..]));
    let arrow = tokens.iter().position(|token| token.is_mark("→") || token.is_mark("->"));
    let shape = verb(tokens).or_else(|| arrow.map(|at| (arrow_kind(tokens), at, at + 1)));
    if let Some((kind, start, end)) = shape {
        let from = code_in(&tokens[..start]).or_else(|| of.cloned());
        let until = via_at.filter(|at| *at >= end).unwrap_or(tokens.len());
        if let (Some(from), Some(to)) = (from, code_in(&tokens[end..until])) {
            return vec![Relationship { from, to, kind, via, span }];
        }
    }
    let Some(from) = of else { return Vec::new() };
    let is_entity =
        |name: &str| reader.declared.iter().any(|declared| declared == name) && *name != from.value;
    tokens
        .iter()
        .filter(|token| token.is_code() && is_entity(&token.text))
        .map(|token| Relationship {
            from: from.clone(),
            to: token.spanned(),
            kind: RelationshipKind::Mentions,
            via: None,
            span,
        })
        .collect()
}
