//! What must hold of a field: `required`, `max 2048 chars`, `matches /…/`, `references e.f`, …
//!
//! Source: language reference, *Constraints*. Words that are no constraint stay as prose.

use crate::facts::{Constraint, Field, OnDelete};
use crate::notes::NoteKind;
use crate::reader::Reader;
use crate::tokens::{Token, TokenKind, closing, outer, split};
use crate::values::{parse_comparator, parse_count, parse_number};
use formwork_syntax::Spanned;

/// What a part of the constraints is.
pub(crate) enum Reading {
    /// A constraint.
    Constraint(Constraint),
    /// What follows a reference: `on delete …`.
    OnDelete(OnDelete),
    /// It begins like a constraint and does not parse; with the nearest form.
    Broken(&'static str),
    /// Words of no constraint.
    Prose,
}

/// The parts between commas and semicolons; the values after `one of` stay together.
pub(crate) fn parts<'a, 't>(column: &'a [Token<'t>]) -> Vec<&'a [Token<'t>]> {
    let mut parts: Vec<&'a [Token<'t>]> = Vec::new();
    let mut start = 0;
    // A sentence ends a part, too; a point inside a number or word is none.
    for part in split(column, |token| [",", ";", "."].iter().any(|mark| token.is_mark(mark))) {
        let end = start + part.len();
        let is_value = matches!(part, [value] if value.is_code() || value.kind == TokenKind::Quoted)
            || matches!(part, [or, _] if or.is_word("or"));
        match parts.last_mut().filter(|last| is_value && is_list_of_values(last)) {
            Some(last) => {
                let from = start - last.len() - 1;
                *last = &column[from..end];
            }
            None if !part.is_empty() => parts.push(part),
            None => {}
        }
        start = end + 1;
    }
    parts
}

fn is_list_of_values(part: &[Token<'_>]) -> bool {
    matches!(part, [one, of, ..] if one.is_word("one") && of.is_word("of"))
}

/// Reads a part and adds what it says to the field.
pub(crate) fn add(reader: &mut Reader<'_>, field: &mut Field, part: &[Token<'_>]) {
    let Some(span) = outer(part) else { return };
    let text = span.slice(reader.source);
    if let Some(bounds) = both_bounds(part) {
        field.constraints.extend(bounds.map(|bound| Spanned::new(bound, span)));
        return;
    }
    match read(part) {
        Reading::Constraint(constraint) => field.constraints.push(Spanned::new(constraint, span)),
        Reading::OnDelete(action) => match field.constraints.last_mut().map(|last| &mut last.value) {
            Some(Constraint::References { on_delete, .. }) => *on_delete = action,
            _ => broken(reader, text, "references `entity.field`, on delete cascade", span),
        },
        Reading::Broken(nearest) => broken(reader, text, nearest, span),
        Reading::Prose => {
            if !crate::unfinished::is_placeholder(text) {
                field.constraints.push(Spanned::new(Constraint::Prose(text.to_owned()), span));
            }
        }
    }
}

fn broken(reader: &mut Reader<'_>, text: &str, nearest: &'static str, span: formwork_syntax::Span) {
    let kind = NoteKind::ConstraintNotUnderstood { text: text.to_owned(), nearest: Some(nearest) };
    reader.note(kind, span);
}

/// What a part says.
pub(crate) fn read(part: &[Token<'_>]) -> Reading {
    // `` `required` | `optional` `` are values, whatever they say.
    let is_value = |token: &Token<'_>| token.is_code() || token.is_mark("|");
    if part.len() > 2 && part.iter().all(is_value) {
        return Reading::Prose;
    }
    if let Some(constraint) = fixed(part) {
        return Reading::Constraint(constraint);
    }
    let [first, rest @ ..] = part else { return Reading::Prose };
    let word = first.text.to_ascii_lowercase();
    match &*word {
        "default" | "defaults" if is_in_words(rest) => Reading::Prose,
        "default" | "defaults" => or_broken(default(rest), "default `VALUE`"),
        "matches" | "pattern" => or_broken(pattern(rest), "matches `/…/`"),
        "format" => or_broken(format(rest), "format email"),
        "one" if rest.first().is_some_and(|of| of.is_word("of")) => {
            or_broken(one_of(&rest[1..]), "one of \"a\", \"b\"")
        }
        "unique" => or_broken(unique_with(rest), "unique with (`a`, `b`)"),
        "references" | "→" | "->" => or_broken(references(rest), "references `entity.field`"),
        "fk" => or_broken(references(after_to(rest)), "FK to `entity.field`"),
        "foreign" => or_broken(references(after_to(after(rest, "key"))), "foreign key to `entity`"),
        "computed" => or_broken(computed(after(rest, "as")), "computed as `EXPRESSION`"),
        "otherwise" => Reading::Broken("otherwise `STATUS code` after a key or rule of the entity"),
        "on" if rest.first().is_some_and(|word| word.is_word("delete")) => on_delete(&rest[1..]),
        _ => match both_bounds(part) {
            Some([low, _]) => Reading::Constraint(low),
            None => match range(part) {
                Some(constraint) => Reading::Constraint(constraint),
                None if is_bound(part) => Reading::Broken("max 100 chars, at most 20 items or ≥ 0"),
                None => Reading::Prose,
            },
        },
    }
}

/// Whether a part begins like a bound; `over` and `under` may begin prose.
fn is_bound(part: &[Token<'_>]) -> bool {
    let is_sign = part
        .first()
        .is_some_and(|first| ["≤", "≥", "<", ">", "<=", ">="].iter().any(|sign| first.is_mark(sign)));
    let heads: [&[&str]; 4] = [&["max"], &["min"], &["at", "most"], &["at", "least"]];
    is_sign || heads.iter().any(|head| crate::tokens::starts_with_words(part, head))
}

fn or_broken(constraint: Option<Constraint>, nearest: &'static str) -> Reading {
    constraint.map_or(Reading::Broken(nearest), Reading::Constraint)
}

/// Constraints that are nothing but words.
fn fixed(part: &[Token<'_>]) -> Option<Constraint> {
    if part.len() > 6 || part.iter().any(|token| token.kind == TokenKind::Quoted) {
        return None;
    }
    let words: Vec<String> = part.iter().map(|token| token.text.to_ascii_lowercase()).collect();
    Some(match &*words.join(" ") {
        "primary key" | "pk" => Constraint::PrimaryKey,
        "required" | "not null" | "non-null" | "mandatory" => Constraint::Required,
        "optional" | "nullable" => Constraint::Optional,
        "unique" => Constraint::Unique(Vec::new()),
        "indexed" | "index" => Constraint::Indexed,
        "generated" | "auto-generated" | "server-generated" => Constraint::Generated,
        "set to now on create" | "set to now on creation" => Constraint::OnCreate,
        "set to now on update" => Constraint::OnUpdate,
        "immutable" | "read-only" => Constraint::Immutable,
        "write-only" => Constraint::WriteOnly,
        "secret" => Constraint::Secret,
        "personal data" | "pii" => Constraint::Personal,
        "positive" => Constraint::Min { value: "0".to_owned(), exclusive: true },
        "non-negative" | "not negative" => Constraint::Min { value: "0".to_owned(), exclusive: false },
        _ => return None,
    })
}

/// A default in words: `default: a week ago`.
fn is_in_words(rest: &[Token<'_>]) -> bool {
    let rest = match rest {
        [mark, others @ ..] if mark.is_mark(":") => others,
        _ => rest,
    };
    rest.len() > 1 && rest.iter().all(|token| token.kind == TokenKind::Word)
}

fn default(rest: &[Token<'_>]) -> Option<Constraint> {
    let rest = match rest {
        [word, others @ ..] if word.is_mark(":") || word.is_mark("=") || word.is_word("to") => others,
        _ => rest,
    };
    match rest {
        [value] if value.kind == TokenKind::Quoted => {
            Some(Constraint::Default(Spanned::new(format!("\"{}\"", value.text), value.outer)))
        }
        [value] if value.kind != TokenKind::Mark => Some(Constraint::Default(value.spanned())),
        [sign, value] if sign.is_mark("-") && value.kind == TokenKind::Word => {
            Some(Constraint::Default(Spanned::new(format!("-{}", value.text), sign.span.to(value.span))))
        }
        [name, open, .., close]
            if name.kind == TokenKind::Word && open.is_mark("(") && close.is_mark(")") =>
        {
            let inside: String = rest[2..rest.len() - 1].iter().map(|token| &*token.text).collect();
            Some(Constraint::Default(Spanned::new(format!("{}({inside})", name.text), outer(rest)?)))
        }
        [open, close] if open.is_mark("[") && close.is_mark("]") => {
            Some(Constraint::Default(Spanned::new("[]".to_owned(), outer(rest)?)))
        }
        _ => None,
    }
}

fn pattern(rest: &[Token<'_>]) -> Option<Constraint> {
    let rest = if rest.first().is_some_and(|token| token.is_mark(":")) { &rest[1..] } else { rest };
    let [value] = rest else { return None };
    let text = &*value.text;
    let expression = text.strip_prefix('/').and_then(|text| text.strip_suffix('/')).unwrap_or(text);
    (value.is_code() || value.kind == TokenKind::Quoted).then(|| Constraint::Pattern(expression.to_owned()))
}

fn format(rest: &[Token<'_>]) -> Option<Constraint> {
    match rest {
        [value] if value.kind != TokenKind::Mark => Some(Constraint::Format(value.text.to_string())),
        _ => None,
    }
}

fn one_of(rest: &[Token<'_>]) -> Option<Constraint> {
    let rest = if rest.first().is_some_and(|token| token.is_mark(":")) { &rest[1..] } else { rest };
    let is_glue = |token: &&Token<'_>| {
        !(token.is_word("or") || [",", "|", "(", ")", "{", "}"].iter().any(|mark| token.is_mark(mark)))
    };
    let values: Vec<&Token<'_>> = rest.iter().filter(is_glue).collect();
    let is_plain = values.iter().all(|value| value.kind != TokenKind::Mark);
    (is_plain && !values.is_empty()).then(|| {
        Constraint::OneOf(values.iter().map(|value| value.text.trim_matches('"').to_owned()).collect())
    })
}

fn unique_with(rest: &[Token<'_>]) -> Option<Constraint> {
    let rest = after(rest, "together");
    let [with, fields @ ..] = rest else { return None };
    let is_glue =
        |token: &Token<'_>| ["(", ")", ","].iter().any(|mark| token.is_mark(mark)) || token.is_word("and");
    let names: Vec<_> = fields.iter().filter(|token| !is_glue(token)).collect();
    let is_names = names.iter().all(|token| token.is_code() || token.kind == TokenKind::Word);
    (with.is_word("with") && is_names && !names.is_empty())
        .then(|| Constraint::Unique(names.iter().map(|name| name.spanned()).collect()))
}

fn references(rest: &[Token<'_>]) -> Option<Constraint> {
    let [target, tail @ ..] = rest else { return None };
    if !(target.is_code() || target.kind == TokenKind::Word) {
        return None;
    }
    let (entity, field) = match target.text.split_once('.') {
        Some((entity, field)) => (entity, Some(field)),
        None => (&*target.text, None),
    };
    let start = target.span.start;
    let entity_end = start + entity.len() as u32;
    let place = |text: &str, from: u32| {
        let span = formwork_syntax::Span::new(from, from + text.len() as u32);
        Spanned::new(text.to_owned(), span)
    };
    let mut field = field.map(|field| place(field, entity_end + 1));
    let mut tail = tail;
    if let [open, inner, close, others @ ..] = tail
        && open.is_mark("(")
        && close.is_mark(")")
    {
        field = Some(inner.spanned());
        tail = others;
    }
    let on_delete = match tail {
        [] => OnDelete::default(),
        [on, delete, action @ ..] if on.is_word("on") && delete.is_word("delete") => {
            match on_delete(action) {
                Reading::OnDelete(action) => action,
                _ => return None,
            }
        }
        _ => return None,
    };
    Some(Constraint::References { entity: place(entity, start), field, on_delete })
}

fn on_delete(action: &[Token<'_>]) -> Reading {
    match action {
        [word] if word.is_word("cascade") => Reading::OnDelete(OnDelete::Cascade),
        [word] if word.is_word("restrict") => Reading::OnDelete(OnDelete::Restrict),
        [set, null] if set.is_word("set") && null.is_word("null") => Reading::OnDelete(OnDelete::SetNull),
        _ => Reading::Broken("on delete cascade, restrict or set null"),
    }
}

fn computed(rest: &[Token<'_>]) -> Option<Constraint> {
    match rest {
        [code] if code.is_code() => Some(Constraint::Computed(code.spanned())),
        _ => None,
    }
}

/// `≥ 0`, `1 to 100`, `1..64 chars`, `max 2048 chars`, `at most 20 items`.
fn range(part: &[Token<'_>]) -> Option<Constraint> {
    let part = match part {
        [open, inner @ .., _] if open.is_mark("(") && closing(part, 0) == Some(part.len() - 1) => inner,
        _ => part,
    };
    let (comparator, used) = comparator(part)?;
    let (value, taken) = number(&part[used..])?;
    let unit = &part[used + taken..];
    let unit = match unit {
        [word] => unit_of(&word.text)?,
        [word, long] if long.is_word("long") => unit_of(&word.text)?,
        [] => Unit::None,
        _ => return None,
    };
    let exclusive = matches!(comparator, "<" | ">");
    let is_upper = comparator.starts_with('<');
    Some(match (unit, is_upper) {
        (Unit::None, true) => Constraint::Max { value, exclusive },
        (Unit::None, false) => Constraint::Min { value, exclusive },
        (Unit::Characters, true) => {
            Constraint::MaxLength(parse_count(&value)?.checked_sub(u64::from(exclusive))?)
        }
        (Unit::Characters, false) => Constraint::MinLength(parse_count(&value)? + u64::from(exclusive)),
        (Unit::Items, true) => Constraint::MaxItems(parse_count(&value)?.checked_sub(u64::from(exclusive))?),
        (Unit::Items, false) => Constraint::MinItems(parse_count(&value)? + u64::from(exclusive)),
    })
}

/// The two bounds of `1 to 100` or `1..64 chars`.
pub(crate) fn both_bounds(part: &[Token<'_>]) -> Option<[Constraint; 2]> {
    let part = match part {
        [open, inner @ .., _] if open.is_mark("(") && closing(part, 0) == Some(part.len() - 1) => inner,
        _ => part,
    };
    let (low, taken) = number(part)?;
    let [to, rest @ ..] = &part[taken..] else { return None };
    if !(to.is_word("to") || to.is_mark("..") || to.is_mark("–") || to.is_mark("-")) {
        return None;
    }
    let (high, used) = number(rest)?;
    let unit = match &rest[used..] {
        [] => Unit::None,
        [word] => unit_of(&word.text)?,
        _ => return None,
    };
    Some(match unit {
        Unit::None => [
            Constraint::Min { value: low, exclusive: false },
            Constraint::Max { value: high, exclusive: false },
        ],
        Unit::Characters => {
            [Constraint::MinLength(parse_count(&low)?), Constraint::MaxLength(parse_count(&high)?)]
        }
        Unit::Items => [Constraint::MinItems(parse_count(&low)?), Constraint::MaxItems(parse_count(&high)?)],
    })
}

enum Unit {
    None,
    Characters,
    Items,
}

fn unit_of(word: &str) -> Option<Unit> {
    match &*word.to_ascii_lowercase() {
        "char" | "chars" | "character" | "characters" => Some(Unit::Characters),
        "item" | "items" | "entries" | "elements" => Some(Unit::Items),
        _ => None,
    }
}

/// A comparator of one to five tokens, and how many it takes.
pub(crate) fn comparator(tokens: &[Token<'_>]) -> Option<(&'static str, usize)> {
    let [first, rest @ ..] = tokens else { return None };
    if matches!(first.kind, TokenKind::Code | TokenKind::Quoted) {
        return None;
    }
    let mut words = first.text.to_string();
    let mut found = parse_comparator(&words).map(|found| (found, 1));
    // The longest wins: `no more than`, `less than or equal to`.
    for (at, next) in rest.iter().take(4).enumerate().filter(|(_, next)| !next.is_code()) {
        words.push(' ');
        words.push_str(&next.text);
        found = parse_comparator(&words).map(|longer| (longer, at + 2)).or(found);
    }
    found
}

/// A number with a sign before it, and how many tokens it takes.
fn number(tokens: &[Token<'_>]) -> Option<(String, usize)> {
    match tokens {
        [sign, value, ..] if sign.is_mark("-") || sign.is_mark("−") => {
            Some((format!("-{}", parse_number(&value.text)?), 2))
        }
        [value, ..] if value.kind != TokenKind::Quoted => Some((parse_number(&value.text)?, 1)),
        _ => None,
    }
}

fn after<'a, 't>(tokens: &'a [Token<'t>], word: &str) -> &'a [Token<'t>] {
    match tokens {
        [first, rest @ ..] if first.is_word(word) => rest,
        _ => tokens,
    }
}

fn after_to<'a, 't>(tokens: &'a [Token<'t>]) -> &'a [Token<'t>] {
    match tokens {
        [first, rest @ ..] if first.is_word("to") || first.is_mark("→") || first.is_mark("->") => rest,
        _ => tokens,
    }
}
