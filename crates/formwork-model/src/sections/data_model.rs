//! Section 6: entities, their fields, relationships and indexes.

use super::table_rules::TableRule;
use super::{entity_tables, listed_entities as listed, relationships};
use crate::ddl;
use crate::facts::{Constraint, Field, Outcome, Prose, RawExpression};
use crate::fields;
use crate::labels::{begins_with, normal};
use crate::model::Class;
use crate::names::same_name;
use crate::notes::NoteKind;
use crate::reader::{Entry, FirstPlaces, Reader, entries, fences};
use crate::shapes;
use crate::tables;
use crate::titles;
use crate::tokens::{Token, TokenKind, outer, split, starts_with_words};
use crate::typed_fences;
use crate::values::parse_outcome;
use formwork_syntax::{Block, Fence, Node, Part, PartKind, Span, Spanned, Text};
use rustc_hash::FxHashSet;

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
    /// What a table of SQL sets for its rows.
    pub table_rules: Vec<TableRule>,
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

impl EntityRuleKind {
    /// Every kind.
    pub const ALL: [Self; 5] =
        [Self::Constraint, Self::Invariant, Self::Transitions, Self::AppendOnly, Self::RowsAtStart];

    /// The label that it is written under.
    pub fn label(self) -> &'static str {
        match self {
            Self::Constraint => "Constraint",
            Self::Invariant => "Invariant",
            Self::Transitions => "Transitions",
            Self::AppendOnly => "Append only",
            Self::RowsAtStart => "Rows at start",
        }
    }
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
pub(super) const KINDS: [&str; 4] = ["entity", "table", "model", "collection"];

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

/// The words for the parts of an entity.
const FIELDS: [&str; 5] = ["fields", "columns", "attributes", "properties", "schema"];
const RELATIONSHIPS: [&str; 4] = ["relationships", "relationship", "relations", "associations"];
const INDEXES: [&str; 8] =
    ["indexes", "keys", "indices", "index", "key", "primary key", "unique", "constraints and indexes"];
const ABOUT: [&str; 3] = ["description", "purpose", "stores"];
const REMARKS: [&str; 8] =
    ["note", "notes", "remark", "retention", "lifecycle", "owner", "volume", "storage"];

pub(super) fn is_label(title: &str) -> bool {
    let known: [&[&str]; 4] = [&FIELDS, &RELATIONSHIPS, &INDEXES, &ABOUT];
    known.iter().any(|names| begins_with(title, names)) || rule_kind(title).is_some()
}

/// The names of the entities of a section, before anything else of it is read.
pub(crate) fn names(source: &str, part: &Part) -> Vec<String> {
    let mut found = Vec::new();
    let introduced = listed::introduced(source, part);
    let part = introduced.as_ref().unwrap_or(part);
    let part = &shapes::regroup(source, part, &|below| {
        below.kind == PartKind::Emphasized && is_entity(source, below)
    });
    for below in part.parts() {
        if is_entity(source, below) {
            let title = titles::of_item(source, below, &KINDS);
            found.extend(titles::name(source, &title).map(|name| name.value));
        } else if !is_label(&normal(&below.title.plain(source))) {
            found.extend(names(source, below));
        }
    }
    for table in tables::tables(&part.children) {
        found.extend(entity_tables::names(source, table));
    }
    found.extend(listed::names(source, part));
    for fence in fences(&part.children) {
        found.extend(ddl::names(source, fence));
        found.extend(typed_fences::names(source, fence));
    }
    found
}

/// Whether a part declares an entity: it has the kind word, its title begins with code, or it holds fields.
fn is_entity(source: &str, part: &Part) -> bool {
    let is_heading = matches!(part.kind, PartKind::Heading(_));
    if titles::has_kind(source, part, &KINDS) {
        return is_heading || part.kind == PartKind::Emphasized;
    }
    let is_lone = part.inline.is_blank(source);
    let starts_with_code =
        part.title.codes().next().is_some_and(|(piece, _)| piece.span.start <= part.title.span.start + 2);
    let title = normal(&part.title.plain(source));
    if is_label(&title) || (!is_heading && !is_lone) || part.kind == PartKind::Plain {
        return false;
    }
    if starts_with_code || declares_in_fence(source, part) {
        return true;
    }
    let is_fields = |below: &Part| begins_with(&normal(&below.title.plain(source)), &FIELDS);
    let is_bold_title =
        |below: &Part| below.kind == PartKind::Emphasized && titles::has_kind(source, below, &KINDS);
    let holds_titles = || shapes::regroup(source, part, &is_bold_title).parts().any(is_bold_title);
    let declares_rows = tables::tables(&part.children).any(|table| entity_tables::declares(source, table));
    if declares_rows || holds_titles() {
        return false;
    }
    let holds_entities =
        part.parts().any(|below| matches!(below.kind, PartKind::Heading(_)) && is_entity(source, below));
    let promoted = shapes::promote(source, part, &is_label);
    let has_fields = promoted.parts().any(is_fields)
        || tables::tables(&part.children).any(|table| fields::is_field_table(source, table));
    (has_fields || (is_heading && lists_fields(source, part))) && !holds_entities
}

/// Whether a fence directly below a heading declares its fields, or a table of its name.
fn declares_in_fence(source: &str, part: &Part) -> bool {
    let title = titles::of_item(source, part, &KINDS);
    let name = titles::name(source, &title).map(|name| name.value).unwrap_or_default();
    let mut own = fences(&part.children).peekable();
    let is_alone = part.parts().all(|below| !matches!(below.kind, PartKind::Heading(_)));
    own.peek().is_some()
        && is_alone
        && own.any(|fence| match ddl::names(source, fence).as_slice() {
            [] => typed_fences::declares(source, fence),
            tables => tables.iter().any(|table| same_name(table, &name)),
        })
}

/// Whether a list of fields stands directly below: every item names a field with a type.
fn lists_fields(source: &str, part: &Part) -> bool {
    let items: Vec<Entry<'_>> = entries(source, part).into_iter().filter(|entry| entry.is_item).collect();
    let is_field = |entry: &Entry<'_>| {
        let tokens = crate::tokens::tokens(source, entry.text);
        let is_typed = |rest: &[Token<'_>]| {
            let first = split(rest, |token| [",", ";", "|"].iter().any(|mark| token.is_mark(mark)))[0];
            let written = outer(first).map(|place| place.slice(source)).unwrap_or_default();
            crate::values::type_words::is_type(written)
        };
        tokens.first().is_some_and(Token::is_code)
            && match &tokens[1..] {
                [mark, ..] if mark.is_mark("(") => true,
                [mark, rest @ ..] if mark.is_mark(":") => is_typed(rest),
                _ => false,
            }
    };
    !items.is_empty() && items.iter().all(is_field)
}

pub(crate) fn read(reader: &mut Reader<'_>, part: &Part) {
    read_part(reader, part);
    relationships::add_loose(reader);
    for (entity, key) in std::mem::take(&mut reader.loose_keys) {
        let named = |own: &&mut Entity| same_name(&own.name.value, &entity);
        if let Some(entity) = reader.model.entities.iter_mut().find(named) {
            entity.indexes.push(key);
        }
    }
}

fn read_part(reader: &mut Reader<'_>, part: &Part) {
    let title = reader.title(&part.title);
    if begins_with(&title, &RELATIONSHIPS) {
        return relationships::read(reader, part, None);
    }
    if begins_with(&title, &INDEXES) && !is_entity(reader.source, part) {
        return read_loose_keys(reader, part);
    }
    let introduced = listed::introduced(reader.source, part);
    let part = introduced.as_ref().unwrap_or(part);
    let part = shapes::regroup(reader.source, part, &|below| {
        below.kind == PartKind::Emphasized && is_entity(reader.source, below)
    });
    for entry in entries(reader.source, &part) {
        match listed::titled(reader.source, &entry) {
            Some(below) => read_entity(reader, &below),
            None => {
                reader.class(&entry, Class::Narrative);
                relationships::mention(reader, entry.text, None);
            }
        }
    }
    for below in part.parts() {
        if is_entity(reader.source, below) {
            read_entity(reader, below);
        } else {
            read_part(reader, below);
        }
    }
    for table in tables::tables(&part.children) {
        entity_tables::read(reader, table);
    }
    for fence in fences(&part.children) {
        match typed_fences::names(reader.source, fence).is_empty() {
            true => drop(add_tables(reader, fence, None)),
            false => add_shapes(reader, fence),
        }
    }
}

/// Adds the shapes that a fence below no entity's heading declares: `interface Room { … }`.
fn add_shapes(reader: &mut Reader<'_>, fence: &Fence) {
    for shape in typed_fences::lines(reader, fence) {
        let Some(name) = shape.name else { continue };
        let span = shape.fields.last().map_or(name.span, |last| name.span.to(last.span));
        let mut entity = empty(name, span);
        entity.fields = shape.fields;
        add(reader, entity);
    }
}

/// Adds the tables that a fence of SQL creates; that of the entity under whose heading it stands is returned.
fn add_tables(reader: &mut Reader<'_>, fence: &Fence, own: Option<&str>) -> Option<Entity> {
    let mut found = None;
    let ddl::Declarations { entities: tables, enums, unread } =
        ddl::read(reader.source, fence, &reader.declared);
    reader.declared.enums.extend(enums);
    for place in unread {
        let text = place.slice(reader.source).to_owned();
        let nearest = Some("**Constraint:** `EXPR` below the table, or a reference of one field");
        reader.note(NoteKind::ConstraintNotUnderstood { text, nearest }, place);
    }
    let is_only = tables.len() == 1;
    for table in tables {
        reader.model.classes.extend(table.fields.iter().map(|field| (field.span, Class::Understood)));
        if found.is_none() && own.is_some_and(|own| is_only || same_name(own, &table.name.value)) {
            found = Some(table);
        } else {
            add(reader, table);
        }
    }
    found
}

/// What the fences of an entity declare.
fn read_fences(reader: &mut Reader<'_>, entity: &mut Entity, part: &Part) {
    for fence in fences(&part.children) {
        let name = entity.name.value.clone();
        let table = add_tables(reader, fence, Some(&name));
        let mut fields = Vec::new();
        if let Some(table) = table {
            fields = table.fields;
            entity.indexes.extend(table.indexes);
            entity.table_rules.extend(table.table_rules);
        } else if !ddl::declares(reader.source, fence) {
            let found = typed_fences::object(reader, fence);
            fields = found.unwrap_or_else(|| {
                let shapes = typed_fences::lines(reader, fence);
                let is_own = |shape: &&typed_fences::Shape| {
                    shapes.len() == 1 || shape.name.as_ref().is_none_or(|own| same_name(&own.value, &name))
                };
                shapes.iter().find(is_own).map(|shape| shape.fields.clone()).unwrap_or_default()
            });
        }
        let known: FxHashSet<String> =
            entity.fields.iter().map(|field| field.name.value.to_lowercase()).collect();
        fields.retain(|field| !known.contains(&field.name.value.to_lowercase()));
        entity.fields.extend(fields);
    }
}

/// Adds an entity, and notes one that was declared before.
pub(crate) fn add(reader: &mut Reader<'_>, entity: Entity) {
    reader.declared_twice("entity", &entity.name);
    let at = reader.model.entities.len();
    reader.declared.entities.entry(entity.name.value.to_ascii_lowercase()).or_insert(at);
    reader.model.entities.push(entity);
}

/// An entity of which only the name is known.
pub(crate) fn empty(name: Spanned<String>, span: Span) -> Entity {
    Entity {
        name,
        description: None,
        fields: Vec::new(),
        indexes: Vec::new(),
        rules: Vec::new(),
        table_rules: Vec::new(),
        span,
    }
}

fn read_entity(reader: &mut Reader<'_>, part: &Part) {
    let title = titles::of_item(reader.source, part, &KINDS);
    let Some(name) = titles::name(reader.source, &title) else { return };
    let mut entity = empty(name, part.span);
    let part = shapes::promote(reader.source, part, &is_label);
    read_unlabelled(reader, &mut entity, &part);
    for below in part.parts() {
        read_label(reader, &mut entity, below);
    }
    add(reader, entity);
}

/// What stands below the heading without a label: the description, fields, and rules.
fn read_unlabelled(reader: &mut Reader<'_>, entity: &mut Entity, part: &Part) {
    let is_listed = |node: &&Node| matches!(node, Node::Block(Block::List(_) | Block::Table(_)));
    let mut fields_only = shapes::without_children(part);
    fields_only.children.extend(part.children.iter().filter(is_listed).cloned());
    for block in part.blocks() {
        let Block::Paragraph(text) = block else { continue };
        let entry = paragraph(text);
        if is_append_only(&text.plain(reader.source)) {
            push_rule(reader, entity, EntityRuleKind::AppendOnly, text, &entry);
        } else {
            reader.class(&entry, Class::Narrative);
            relationships::mention(reader, text, Some(&entity.name));
            entity.description = entity.description.take().or_else(|| Some(reader.prose(text)));
        }
    }
    read_fields(reader, entity, &fields_only);
    read_fences(reader, entity, part);
}

fn paragraph(text: &Text) -> Entry<'_> {
    Entry { text, label: None, children: &[], number: None, span: text.span, is_item: false }
}

fn is_append_only(text: &str) -> bool {
    // Only a remark in parentheses, which is left out, could stand before the `a`.
    let first = text.chars().find(|character| character.is_alphanumeric() || *character == '(');
    matches!(first, Some('a' | 'A' | '(')) && normal(text) == "append only"
}

/// Fields, and among their items rules with a label of their own.
fn read_fields(reader: &mut Reader<'_>, entity: &mut Entity, part: &Part) {
    let rules: FxHashSet<Span> = entries(reader.source, part)
        .iter()
        .filter(|entry| read_rule_item(reader, entity, entry))
        .map(|entry| entry.span)
        .collect();
    let without = (!rules.is_empty()).then(|| {
        let mut without = part.clone();
        for node in &mut without.children {
            if let Node::Block(Block::List(list)) = node {
                list.items.retain(|item| !rules.contains(&item.span));
            }
        }
        without
    });
    let before = entity.fields.iter().map(|field| (field.name.value.to_lowercase(), field.name.span));
    let before: FirstPlaces = before.rev().collect();
    for field in fields::fields(reader, without.as_ref().unwrap_or(part)) {
        // Those of one list are compared where the list is read.
        reader.declared_before(&before, "field", &field.name);
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
            // An item below may bear a label of its own.
            if !read_rule_item(reader, entity, &entry) {
                push_rule(reader, entity, kind, entry.text, &entry);
            }
        }
    } else if begins_with(&title, &FIELDS) {
        read_fields(reader, entity, part);
        read_fences(reader, entity, part);
    } else if begins_with(&title, &RELATIONSHIPS) {
        relationships::read(reader, part, Some(&entity.name.clone()));
    } else if begins_with(&title, &INDEXES) {
        read_indexes(reader, entity, part);
    } else if begins_with(&title, &ABOUT) {
        entity.description = reader.prose_of(part, Class::Narrative);
    } else {
        if !begins_with(&title, &REMARKS) {
            super::unknown_label(reader, part, &LABELS);
        }
        reader.prose_list(part, Class::Narrative);
    }
}

fn read_indexes(reader: &mut Reader<'_>, entity: &mut Entity, part: &Part) {
    let part = tables::as_lists(reader.source, part, &[]);
    // The label itself may say which: `**Primary key:** `id``.
    let label = Some(reader.tokens(&part.title))
        .filter(|tokens| index_kind(tokens).is_some_and(|(kind, _)| kind != IndexKind::Plain));
    for entry in entries(reader.source, &part) {
        let own = reader.tokens(entry.text);
        let tokens = match &label {
            Some(label) if index_kind(&own).is_none() => [label.clone(), own].concat(),
            _ => own,
        };
        let is_end = |token: &Token<'_>| token.is_mark(";") || token.is_mark(".");
        let mut found: Vec<Option<Index>> = Vec::new();
        let mut is_known = says_none(&tokens);
        for sentence in split(&tokens, is_end) {
            for part in keys(sentence) {
                let Some((kind, used)) = index_kind(part) else { continue };
                is_known = true;
                // `on` may be skipped as glue already.
                let from = (1..=used).find(|at| owner(reader, &part[*at..], entity).is_some());
                if let Some((at, owner)) = from.and_then(|at| Some((at, owner(reader, &part[at..], entity)?)))
                {
                    let key = index(kind, &part[at + 2..], part, entity);
                    reader.loose_keys.extend(key.map(|key| (owner, key)));
                    continue;
                }
                found.push(index(kind, &part[used..], part, entity));
            }
        }
        if found.iter().any(Option::is_none) {
            reader.not_understood(&entry, "primary key, unique or index");
        } else {
            reader.class(&entry, if is_known { Class::Understood } else { Class::Narrative });
        }
        entity.indexes.extend(found.into_iter().flatten());
    }
}

/// Keys and indexes that stand below no entity: each says of itself whose it is.
fn read_loose_keys(reader: &mut Reader<'_>, part: &Part) {
    let tokens = reader.tokens(&part.title);
    let part = tables::as_lists(reader.source, part, &[]);
    let mut nobody = empty(Spanned::new(String::new(), part.title.span), part.span);
    if tokens.is_empty() || part.parts().next().is_some() {
        return part.parts().for_each(|below| read_part(reader, below));
    }
    read_indexes(reader, &mut nobody, &part);
}

/// The entity behind `of`, `on` or a dot, if a key names one that is not the entity it stands below.
fn owner(reader: &Reader<'_>, rest: &[Token<'_>], entity: &Entity) -> Option<String> {
    let [word, name, ..] = rest else { return None };
    let is_of = ["of", "on", "for"].iter().any(|of| word.is_word(of));
    let declared = reader.declared.find(&name.text).filter(|_| is_of && name.kind != TokenKind::Mark)?;
    let is_field = entity.fields.iter().any(|field| field.name.value == name.text);
    (!is_field && !same_name(declared, &entity.name.value)).then(|| declared.to_owned())
}

fn says_none(tokens: &[Token<'_>]) -> bool {
    tokens.first().is_some_and(|first| first.is_word("none"))
}

/// The keys of a sentence: a comma before the word for a key begins another.
fn keys<'a, 't>(sentence: &'a [Token<'t>]) -> Vec<&'a [Token<'t>]> {
    let mut found: Vec<&'a [Token<'t>]> = Vec::new();
    let mut start = 0;
    let mut depth = 0usize;
    for (at, token) in sentence.iter().enumerate() {
        match &*token.text {
            "(" if token.is_mark("(") => depth += 1,
            ")" if token.is_mark(")") => depth = depth.saturating_sub(1),
            _ => {}
        }
        let joint = token.is_mark(",") || token.is_word("and");
        if depth == 0 && joint && index_kind(&sentence[at + 1..]).is_some() {
            found.push(&sentence[start..at]);
            start = at + 1;
        }
    }
    found.push(&sentence[start..]);
    found
}

/// The words that begin a key or index, and how many there are.
fn index_kind(tokens: &[Token<'_>]) -> Option<(IndexKind, usize)> {
    const HEADS: [(&[&str], IndexKind); 14] = [
        (&["primary", "key"], IndexKind::Primary),
        (&["pk"], IndexKind::Primary),
        (&["unique"], IndexKind::Unique),
        (&["unique", "index"], IndexKind::Unique),
        (&["unique", "key"], IndexKind::Unique),
        (&["unique", "constraint"], IndexKind::Unique),
        (&["partial", "unique"], IndexKind::Unique),
        (&["partial", "unique", "index"], IndexKind::Unique),
        (&["index"], IndexKind::Plain),
        (&["indexed"], IndexKind::Plain),
        (&["partial", "index"], IndexKind::Plain),
        (&["composite", "index"], IndexKind::Plain),
        (&["secondary", "index"], IndexKind::Plain),
        (&["key"], IndexKind::Primary),
    ];
    let starts = HEADS.iter().filter(|(words, _)| starts_with_words(tokens, words));
    let (words, kind) = starts.max_by_key(|(words, _)| words.len())?;
    let behind = tokens[words.len()..].iter();
    let glue = behind.take_while(|token| {
        token.is_word("on") || token.is_word("over") || token.is_word("by") || token.is_mark(":")
    });
    Some((*kind, words.len() + glue.count()))
}

/// What begins the condition of a key or index.
const CONDITION: [&str; 3] = ["where", "when", "if"];

/// ``unique (`team_id`, `slug`) where `EXPR`, otherwise `409 taken` ``
fn index(kind: IndexKind, rest: &[Token<'_>], whole: &[Token<'_>], entity: &Entity) -> Option<Index> {
    let tail = rest
        .iter()
        .position(|token| ["otherwise", "for"].iter().chain(&CONDITION).any(|word| token.is_word(word)))
        .unwrap_or(rest.len());
    let (own, tail) = rest.split_at(tail);
    let mut fields = Vec::new();
    for (at, token) in own.iter().enumerate() {
        let is_field =
            |name: &str| entity.fields.iter().any(|field| field.name.value.eq_ignore_ascii_case(name));
        let is_plain = token.kind == TokenKind::Word && is_field(&token.text);
        let descending =
            own.get(at + 1).is_some_and(|next| next.is_word("desc") || next.is_word("descending"));
        if token.is_code() {
            fields.extend(columns(token, descending));
        } else if is_plain {
            fields.push((token.spanned(), descending));
        }
    }
    // `pk` alone: the fields say of themselves which is the key.
    if own.is_empty() && kind == IndexKind::Primary {
        let is_key = |field: &&Field| field.constraints.iter().any(|c| c.value == Constraint::PrimaryKey);
        fields.extend(entity.fields.iter().filter(is_key).map(|field| (field.name.clone(), false)));
    }
    let filter = CONDITION
        .iter()
        .find_map(|word| code_after(tail, word))
        .and_then(|token| token.code.map(|code| RawExpression { code: code.clone(), span: token.span }));
    let otherwise = code_after(tail, "otherwise").and_then(|token| parse_outcome(&token.text));
    let span = outer(whole)?;
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
