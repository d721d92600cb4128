//! How entities relate, as people write it: ``has many `b`, one `c` ``, `` `a` 1 → N `b` ``, a table of pairs, an ER drawing.
//!
//! Source: language reference, *Relationships*. An entity that a verb or a number speaks of is taken even if it is
//! declared nowhere, so that `check` can say so; other names only if they are declared.

use super::data_model::{Relationship, RelationshipKind};
use crate::model::Class;
use crate::names::same_name;
use crate::reader::{Entry, Reader, entries, fences};
use crate::tables::{self, Columns};
use crate::tokens::{Token, TokenKind, closing, outer};
use formwork_syntax::{Fence, Part, Span, Spanned, Table, Text};

/// Reads a part; `of` is the entity below whose heading it stands.
pub(crate) fn read(reader: &mut Reader<'_>, part: &Part, of: Option<&Spanned<String>>) {
    for entry in entries(reader.source, part) {
        read_entry(reader, &entry, of);
    }
    for table in tables::tables(&part.children) {
        read_table(reader, table, of);
    }
    let drawings: Vec<Fence> = fences(&part.children).cloned().collect();
    for fence in &drawings {
        read_drawing(reader, fence);
    }
    for below in part.parts() {
        // `**order:** has many …` below a common heading: the label is the subject.
        let subject = declared(reader, &below.title.plain(reader.source))
            .map(|name| Spanned::new(name, below.title.span));
        read(reader, below, subject.as_ref().or(of));
    }
}

/// Keeps what a paragraph outside *Relationships* says of two declared entities (`A ride belongs to one bike.`), until
/// it is known whether a formal place says the same.
pub(super) fn mention(reader: &mut Reader<'_>, text: &Text, of: Option<&Spanned<String>>) {
    const VERBS: [&[&str]; 7] = [
        &["belongs", "to"],
        &["belong", "to"],
        &["has", "many"],
        &["have", "many"],
        &["has", "one"],
        &["many", "to", "many"],
        &["many-to-many"],
    ];
    let tokens = reader.tokens(text);
    let mut found = Vec::new();
    for sentence in sentences(&tokens) {
        let speaks = VERBS.iter().any(|verb| crate::tokens::find_words(sentence, verb).is_some());
        if !speaks {
            continue;
        }
        found.extend(sentence_pairs(reader, sentence, of).into_iter().filter(|pair| {
            let is_declared = |name: &str| reader.declared.find(name).is_some();
            pair.kind != RelationshipKind::Mentions
                && is_declared(&pair.from.value)
                && is_declared(&pair.to.value)
                && !same_name(&pair.from.value, &pair.to.value)
        }));
    }
    reader.loose_relationships.extend(found);
}

/// Adds what paragraphs say and no formal place does.
pub(super) fn add_loose(reader: &mut Reader<'_>) {
    for pair in std::mem::take(&mut reader.loose_relationships) {
        let is_same = |other: &Relationship| {
            same_name(&other.from.value, &pair.from.value) && same_name(&other.to.value, &pair.to.value)
        };
        if !reader.model.relationships.iter().any(is_same) {
            reader.model.relationships.push(pair);
        }
    }
}

fn read_entry(reader: &mut Reader<'_>, entry: &Entry<'_>, of: Option<&Spanned<String>>) {
    let tokens = reader.tokens(entry.text);
    let subject = entry.label.and_then(|label| {
        let name = declared(reader, &label.title.plain(reader.source))?;
        Some(Spanned::new(name, label.title.span))
    });
    let own = entry.label.filter(|_| subject.is_some()).map(|label| reader.tokens(&label.rest));
    let mut found = Vec::new();
    for sentence in sentences(own.as_deref().unwrap_or(&tokens)) {
        found.extend(sentence_pairs(reader, sentence, subject.as_ref().or(of)));
    }
    let says_none = tokens.first().is_some_and(|first| first.is_word("none") || first.is_word("no"));
    let is_fact = says_none || found.iter().any(|found| found.kind != RelationshipKind::Mentions);
    reader.model.relationships.extend(found);
    reader.class(entry, if is_fact { Class::Understood } else { Class::Narrative });
    for below in crate::reader::node_entries(entry.children) {
        read_entry(reader, &below, subject.as_ref().or(of));
    }
}

/// Sentences end at a point or semicolon outside parentheses.
fn sentences<'a, 't>(tokens: &'a [Token<'t>]) -> Vec<&'a [Token<'t>]> {
    crate::tokens::split(tokens, |token| token.is_mark(";") || token.is_mark("."))
}

/// The declared entity or interface that a name means.
fn declared(reader: &Reader<'_>, name: &str) -> Option<String> {
    reader.declared.find(name).map(str::to_owned)
}

/// An entity that a sentence names.
struct Named {
    name: Spanned<String>,
    /// Its first token.
    at: usize,
    /// Behind its last token.
    end: usize,
}

fn sentence_pairs(
    reader: &Reader<'_>,
    tokens: &[Token<'_>],
    of: Option<&Spanned<String>>,
) -> Vec<Relationship> {
    let Some(span) = outer(tokens) else { return Vec::new() };
    let named = named(reader, tokens);
    let first_head = (0..tokens.len()).find(|at| head(&tokens[*at..]).is_some());
    let arrow = (0..tokens.len()).find(|at| is_arrow_at(tokens, *at));
    let turn = match (first_head, arrow) {
        (Some(head), Some(arrow)) => Some(head.min(arrow)),
        (head, arrow) => head.or(arrow),
    };
    // What stands before the verb or the arrow is the subject.
    let subject = turn.and_then(|turn| named.iter().find(|named| named.end <= turn));
    let from = match (subject, of) {
        (Some(subject), _) => subject.name.clone(),
        (None, Some(of)) => of.clone(),
        (None, None) => return Vec::new(),
    };
    let targets = named.iter().filter(|named| subject.is_none_or(|subject| named.at >= subject.end));
    let mut found: Vec<Relationship> = Vec::new();
    for target in targets {
        let said = said_of(tokens, target);
        let is_self = target.name.value == from.value;
        if is_self && said.is_none() {
            continue;
        }
        found.push(Relationship {
            from: from.clone(),
            to: target.name.clone(),
            kind: said.unwrap_or(RelationshipKind::Mentions),
            via: via(tokens, target),
            span,
        });
    }
    found
}

fn is_arrow(token: &Token<'_>) -> bool {
    ["→", "->", "⟶", "↔", "=>", "←", "<-", "⇒"].iter().any(|arrow| token.is_mark(arrow))
}

/// An arrow, or a dash between two numbers: `Doctor 1—* Slot`.
fn is_arrow_at(tokens: &[Token<'_>], at: usize) -> bool {
    let number = |at: Option<usize>| at.and_then(|at| tokens.get(at)).and_then(multiplicity).is_some();
    let is_dash = ["—", "–", "-"].iter().any(|dash| tokens[at].is_mark(dash));
    // `many `bed` to one `ward``
    let is_counted = tokens[at].is_word("to")
        && number(at.checked_sub(2))
        && !number(at.checked_sub(1))
        && number(at.checked_add(1))
        && head(&tokens[at - 1..]).is_none();
    is_arrow(&tokens[at]) || is_counted || (is_dash && number(at.checked_sub(1)) && number(at.checked_add(1)))
}

/// Words that tell what carries a relationship, and what follows them is no entity.
const VIA: [&str; 6] = ["through", "via", "by", "using", "on", "where"];

/// The entities that a sentence names outside parentheses: in code or in words.
fn named(reader: &Reader<'_>, tokens: &[Token<'_>]) -> Vec<Named> {
    let mut found = Vec::new();
    let mut at = 0;
    let mut carried = false;
    while at < tokens.len() {
        let token = &tokens[at];
        if token.is_mark("(") {
            at = closing(tokens, at).map_or(at + 1, |end| end + 1);
            continue;
        }
        if let Some((_, used)) = head(&tokens[at..]) {
            carried = false;
            at += used;
            continue;
        }
        carried = (carried && !token.is_mark(",") && !is_arrow(token))
            || (is_via(token) && !is_passive(tokens, at) && !counts_things(tokens, at));
        let is_new = token.is_code() || is_expected(tokens, at);
        if !carried
            && is_new
            && let Some((name, used)) = entity_at(reader, tokens, at)
        {
            let place = outer(&tokens[at..at + used]).unwrap_or(token.span);
            let span = if token.is_code() { token.span } else { place };
            found.push(Named { name: Spanned::new(name, span), at, end: at + used });
            at += used;
            continue;
        }
        at += 1;
    }
    found
}

fn is_via(token: &Token<'_>) -> bool {
    VIA.iter().any(|word| token.is_word(word))
}

/// ``stands on exactly one `field` ``: what follows *on* is the other side.
fn counts_things(tokens: &[Token<'_>], at: usize) -> bool {
    let next = tokens.get(at + 1);
    tokens[at].is_word("on")
        && next
            .is_some_and(|next| ["exactly", "one", "many", "several"].iter().any(|word| next.is_word(word)))
}

/// `used by`, `owned by`: the *by* of a verb, and what follows is an entity.
fn is_passive(tokens: &[Token<'_>], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| tokens.get(before));
    tokens[at].is_word("by")
        && before
            .is_some_and(|word| word.text.ends_with("ed") || word.is_word("known") || word.is_word("held"))
}

/// The entity at a place, and how many tokens name it.
fn entity_at(reader: &Reader<'_>, tokens: &[Token<'_>], at: usize) -> Option<(String, usize)> {
    let token = &tokens[at];
    if token.is_code() {
        let is_declared = declared(reader, &token.text);
        let is_name = token.text.starts_with(|first: char| first.is_alphabetic())
            && token.text.chars().all(|character| character.is_alphanumeric() || "_-".contains(character));
        // `Matches up to `count` `Finding``: the number's own code is no entity.
        let is_counted = tokens.get(at + 1).is_some_and(Token::is_code);
        return match is_declared {
            Some(_) => Some((token.text.to_string(), 1)),
            None => (is_name && !is_counted && is_expected(tokens, at)).then(|| (token.text.to_string(), 1)),
        };
    }
    (1..=3).rev().filter(|count| at + count <= tokens.len()).find_map(|count| {
        let words = &tokens[at..at + count];
        let all_words = words.iter().all(|word| word.kind == TokenKind::Word);
        let joined = words.iter().map(|word| &*word.text).collect::<Vec<_>>().join(" ");
        all_words.then(|| declared(reader, &joined)).flatten().map(|name| (name, count))
    })
}

/// Whether a verb, a number or an arrow stands directly before a place, or it begins the sentence.
fn is_expected(tokens: &[Token<'_>], at: usize) -> bool {
    let Some(before) = at.checked_sub(1).map(|before| &tokens[before]) else { return true };
    let is_verb = (1..=3).any(|length| {
        at.checked_sub(length)
            .is_some_and(|start| head(&tokens[start..at]).is_some_and(|(_, used)| used == length))
    });
    let is_article =
        ["a", "an", "the", "its", "each", "every", "and", "to", "of"].iter().any(|word| before.is_word(word));
    is_verb
        || multiplicity(before).is_some()
        || is_arrow(before)
        || is_article
        || before.is_word("by")
        || before.is_mark(",")
}

/// Verbs, and numbers of things, that speak of an entity.
const HEADS: [(&[&str], Option<RelationshipKind>); 26] = [
    (&["many", "to", "many", "with"], Some(RelationshipKind::ManyToMany)),
    (&["many", "to", "many"], Some(RelationshipKind::ManyToMany)),
    (&["many-to-many", "with"], Some(RelationshipKind::ManyToMany)),
    (&["many-to-many"], Some(RelationshipKind::ManyToMany)),
    (&["one-to-many"], Some(RelationshipKind::OneToMany)),
    (&["many-to-one"], Some(RelationshipKind::ManyToOne)),
    (&["one-to-one"], Some(RelationshipKind::OneToOne)),
    (&["has", "many"], Some(RelationshipKind::OneToMany)),
    (&["have", "many"], Some(RelationshipKind::OneToMany)),
    (&["has", "several"], Some(RelationshipKind::OneToMany)),
    (&["owns", "many"], Some(RelationshipKind::OneToMany)),
    (&["belongs", "to"], Some(RelationshipKind::ManyToOne)),
    (&["belong", "to"], Some(RelationshipKind::ManyToOne)),
    (&["refers", "to"], Some(RelationshipKind::ManyToOne)),
    (&["points", "to"], Some(RelationshipKind::ManyToOne)),
    (&["references"], Some(RelationshipKind::ManyToOne)),
    (&["has", "one"], Some(RelationshipKind::OneToOne)),
    (&["has", "exactly", "one"], Some(RelationshipKind::OneToOne)),
    (&["has", "at", "most", "one"], Some(RelationshipKind::OneToOne)),
    (&["has", "zero", "or", "one"], Some(RelationshipKind::OneToOne)),
    (&["has"], None),
    (&["have"], None),
    (&["contains"], Some(RelationshipKind::OneToMany)),
    (&["owns"], Some(RelationshipKind::OneToMany)),
    (&["stores"], Some(RelationshipKind::OneToMany)),
    (&["holds"], Some(RelationshipKind::OneToMany)),
];

/// The verb at the start of the tokens, and how many it takes.
fn head(tokens: &[Token<'_>]) -> Option<(Option<RelationshipKind>, usize)> {
    HEADS
        .iter()
        .filter(|(words, _)| crate::tokens::starts_with_words(tokens, words))
        .max_by_key(|(words, _)| words.len())
        .map(|(words, kind)| (*kind, words.len()))
}

/// How many of a side there are: `Some(true)` for many.
fn multiplicity(token: &Token<'_>) -> Option<bool> {
    if !matches!(token.kind, TokenKind::Word | TokenKind::Mark) {
        return None;
    }
    match &*token.text.to_lowercase() {
        "1" | "one" | "zero" | "0" | "single" | "a" | "an" | "exactly" | "?" => Some(false),
        "n" | "m" | "*" | "many" | "several" | "multiple" | "any" | "more" => Some(true),
        _ => None,
    }
}

/// What the sentence says of a named entity: the multiplicity beside an arrow or in parentheses, or the verb and the
/// number before it.
fn said_of(tokens: &[Token<'_>], target: &Named) -> Option<RelationshipKind> {
    if let Some(kind) = in_parentheses(&tokens[target.end..]) {
        return Some(kind);
    }
    let before = &tokens[..target.at];
    if let Some(arrow) = (0..before.len()).rev().find(|at| is_arrow_at(tokens, *at)) {
        let left = before[..arrow].iter().rev().take(3).find_map(multiplicity);
        let right = before[arrow + 1..].iter().rev().find_map(multiplicity);
        return Some(kind_of(left, right).unwrap_or(RelationshipKind::ManyToOne));
    }
    let verb_at = (0..before.len()).rev().find(|at| head(&before[*at..]).is_some());
    let verb = verb_at.and_then(|at| head(&before[at..]).map(|(kind, used)| (kind, at + used)));
    let from = verb.map_or(0, |(_, end)| end);
    let start = before.len().saturating_sub(4).max(from);
    let number = before[start..].iter().rev().find_map(multiplicity);
    match (verb, number) {
        (Some((Some(kind @ (RelationshipKind::ManyToOne | RelationshipKind::ManyToMany)), _)), _) => {
            Some(kind)
        }
        (Some(_), Some(true)) => Some(RelationshipKind::OneToMany),
        (Some((Some(RelationshipKind::OneToMany), end)), Some(false)) if end < before.len() => {
            Some(RelationshipKind::OneToOne)
        }
        (Some((None, _)), Some(false)) => Some(RelationshipKind::OneToOne),
        (Some((kind, _)), _) => kind,
        (None, Some(true)) => Some(RelationshipKind::OneToMany),
        (None, _) => None,
    }
}

/// `(1:N)`, `(one to many)` directly behind an entity.
fn in_parentheses(behind: &[Token<'_>]) -> Option<RelationshipKind> {
    let [open, ..] = behind else { return None };
    let end = closing(behind, 0).filter(|_| open.is_mark("("))?;
    cardinality(&behind[1..end])
}

/// A cardinality on its own: `1:N`, `N : 1`, `0..1 to many`, `one-to-many`.
fn cardinality(tokens: &[Token<'_>]) -> Option<RelationshipKind> {
    let words = tokens.iter().map(|token| token.text.to_lowercase()).collect::<Vec<_>>().join(" ");
    let words = words
        .replace(['-', '–'], " ")
        .replace("0 .. 1", "1")
        .replace("0 .. ", "")
        .replace("1 .. ", "")
        .replace(" or 1", "");
    let parts: Vec<&str> = words
        .split([' ', ':', '/', '→'])
        .filter(|word| !word.is_empty() && !matches!(*word, "to" | "->" | "x"))
        .collect();
    let side = |word: &str| match word {
        "1" | "one" | "zero" | "0" | "0..1" | "1..1" => Some(false),
        "n" | "m" | "*" | "many" | "0..n" | "1..n" | "0..*" | "1..*" => Some(true),
        _ => None,
    };
    match parts.as_slice() {
        [left, right, ..] => kind_of(Some(side(left)?), Some(side(right)?)),
        _ => None,
    }
}

fn kind_of(left: Option<bool>, right: Option<bool>) -> Option<RelationshipKind> {
    Some(match (left, right) {
        (Some(true), Some(true)) => RelationshipKind::ManyToMany,
        (Some(true), _) => RelationshipKind::ManyToOne,
        (_, Some(true)) => RelationshipKind::OneToMany,
        (Some(false), Some(false)) => RelationshipKind::OneToOne,
        _ => return None,
    })
}

/// The field or link entity that carries it: behind the entity, before the next one.
fn via(tokens: &[Token<'_>], target: &Named) -> Option<Spanned<String>> {
    let behind = &tokens[target.end..];
    let at = behind.iter().position(is_via)?;
    let is_own = behind[..at].iter().all(|token| !token.is_code() && !token.is_mark(","));
    behind[at..].iter().find(|token| token.is_code()).filter(|_| is_own).map(Token::spanned)
}

/// A table of pairs: ``| From | To | Cardinality | Via |``, or of the others below an entity's heading.
fn read_table(reader: &mut Reader<'_>, table: &Table, of: Option<&Spanned<String>>) {
    let source = reader.source;
    let columns = Columns::new(source, table);
    let to = columns.exactly(&[
        "to",
        "target",
        "child",
        "related entity",
        "related",
        "other",
        "with",
        "references",
        "to entity",
        "entity b",
        "right",
    ]);
    let from = columns.exactly(&[
        "from",
        "source",
        "parent",
        "entity",
        "from entity",
        "entity a",
        "left",
        "subject",
    ]);
    let (from, to) = match (from, to, of) {
        (from, Some(to), _) => (from, Some(to)),
        (Some(only), None, Some(_)) => (None, Some(only)),
        // `Entity | Relationship | Entity`: the last column is the other side.
        (Some(first), None, None) => {
            let last =
                columns.titles().filter(|(at, title)| *at != first && title.starts_with("entity")).last();
            (Some(first), last.map(|(at, _)| at))
        }
        (None, None, _) => (None, None),
    };
    let kind =
        columns.find(&["cardinality", "type", "kind", "relationship", "relation", "multiplicity", "how"]);
    let via = columns.find(&["via", "through", "key", "foreign key", "field", "by", "column"]);
    let Some(to) = to else { return read_rows(reader, table, of) };
    for row in &table.rows {
        let name = |at: Option<usize>| {
            tables::cell(source, row, at).and_then(|text| crate::titles::name(source, text))
        };
        let (Some(to), Some(from)) = (name(Some(to)), name(from).or_else(|| of.cloned())) else {
            reader.model.classes.push((row.span, Class::Narrative));
            continue;
        };
        let said = tables::cell(source, row, kind).map(|text| reader.tokens(text)).unwrap_or_default();
        let verb = (0..said.len()).find_map(|at| head(&said[at..])).and_then(|(kind, _)| kind);
        let kind = cardinality(&said).or(verb).unwrap_or(RelationshipKind::Mentions);
        let via = name(via);
        reader.model.relationships.push(Relationship { from, to, kind, via, span: row.span });
        reader.model.classes.push((row.span, Class::Understood));
    }
}

/// A table whose columns are not named as pairs: each row is a sentence.
fn read_rows(reader: &mut Reader<'_>, table: &Table, of: Option<&Spanned<String>>) {
    for (text, span) in crate::shapes::row_texts(reader.source, table, &[]) {
        let tokens = reader.tokens(&text);
        let found = sentence_pairs(reader, &tokens, of);
        let class = if found.is_empty() { Class::Narrative } else { Class::Understood };
        reader.model.classes.push((span, class));
        reader.model.relationships.extend(found);
    }
}

/// An `erDiagram` of Mermaid: `ORDER ||--o{ ORDER_LINE : has`.
fn read_drawing(reader: &mut Reader<'_>, fence: &Fence) {
    let source = reader.source;
    let is_drawing = fence.info.slice(source).trim_start().starts_with("mermaid")
        && fence.lines.iter().any(|line| line.slice(source).trim() == "erDiagram");
    if !is_drawing {
        return;
    }
    for line in &fence.lines {
        let Some((from, ends, to)) = drawn_pair(source, *line) else { continue };
        let many = |end: &str| Some(end.contains(['{', '}']));
        let kind = ends.split_once(['-', '.']).and_then(|(left, right)| kind_of(many(left), many(right)));
        let kind = kind.unwrap_or(RelationshipKind::Mentions);
        let named = |name: Spanned<String>| {
            let value = declared(reader, &name.value).unwrap_or(name.value);
            Spanned::new(value, name.span)
        };
        let (from, to) = (named(from), named(to));
        let span = from.span.to(to.span);
        reader.model.relationships.push(Relationship { from, to, kind, via: None, span });
    }
}

fn drawn_pair(source: &str, line: Span) -> Option<(Spanned<String>, &str, Spanned<String>)> {
    let text = line.slice(source);
    let mut words = text.split(':').next()?.split_whitespace();
    let (from, ends, to) = (words.next()?, words.next()?, words.next()?);
    let is_line = (ends.contains("--") || ends.contains("..")) && ends.contains(['|', 'o', '{', '}']);
    let place = |word: &str| {
        let at = (word.as_ptr() as usize).checked_sub(text.as_ptr() as usize)? as u32;
        Some(Spanned::new(word.trim_matches('"').to_owned(), line.part(at, at + word.len() as u32)))
    };
    (is_line && words.next().is_none()).then_some(())?;
    Some((place(from)?, ends, place(to)?))
}
