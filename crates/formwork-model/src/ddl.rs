//! `CREATE TABLE` and `CREATE INDEX` in a fence to entities, fields, keys and references.
//!
//! Only what declares data is read; other statements are passed over. A check that is no bound and no list of values, and
//! a reference over several columns, are kept by nobody: their places are given, so that they can be told. Source: language reference, *Data model*.

use crate::facts::{Constraint, Field, OnDelete};
use crate::fields;
use crate::json::place_of;
use crate::reader::Declared;
use crate::sections::data_model::{self, Entity, Index, IndexKind};
use crate::values::Type;
use crate::values::type_words::read_type;
use formwork_syntax::{Fence, Span, Spanned};
use std::sync::Arc;

/// A piece of SQL.
#[derive(Clone, Copy, Debug)]
struct Token<'s> {
    /// Without the quotes of a name or string.
    text: &'s str,
    span: Span,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Word,
    /// A quoted name.
    Name,
    String,
    Mark,
    /// What stands behind `--`, without it.
    Comment,
}

impl Token<'_> {
    fn is(&self, word: &str) -> bool {
        matches!(self.kind, Kind::Word | Kind::Mark) && self.text.eq_ignore_ascii_case(word)
    }

    fn is_name(&self) -> bool {
        matches!(self.kind, Kind::Word | Kind::Name)
    }

    fn spanned(&self) -> Spanned<String> {
        Spanned::new(self.text.to_owned(), self.span)
    }
}

/// Whether a fence declares tables.
pub(crate) fn declares(source: &str, fence: &Fence) -> bool {
    !names(source, fence).is_empty()
}

/// The names of the tables that a fence declares.
pub(crate) fn names(source: &str, fence: &Fence) -> Vec<String> {
    let all = cut(source, fence);
    statements(&all).filter_map(|statement| table_name(statement)).map(|(name, _)| name.value).collect()
}

/// The entities that a fence declares.
///
/// What a table says that is not read goes to `unread`.
pub(crate) fn read(source: &str, fence: &Fence, declared: &Declared, unread: &mut Vec<Span>) -> Vec<Entity> {
    let all = cut(source, fence);
    let mut found: Vec<Entity> = Vec::new();
    for statement in statements(&all) {
        if let Some((name, from)) = table_name(statement) {
            found.push(table(name, &statement[from..], declared, unread));
        } else if let Some((name, index)) = index(statement) {
            let table = found.iter_mut().find(|entity| entity.name.value.eq_ignore_ascii_case(name));
            if let Some(table) = table {
                table.indexes.push(index);
            }
        }
    }
    found
}

fn cut<'s>(source: &'s str, fence: &Fence) -> Vec<Token<'s>> {
    let Some(place) = place_of(fence) else { return Vec::new() };
    let text = place.slice(source);
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let (kind, skipped, length, closed) = match first {
            _ if first.is_whitespace() => {
                at += first.len_utf8();
                continue;
            }
            '-' if rest.starts_with("--") => {
                (Kind::Comment, 2, rest.find('\n').unwrap_or(rest.len()).max(2) - 2, 0)
            }
            '/' if rest.starts_with("/*") => {
                at += rest.find("*/").map_or(rest.len(), |end| end + 2);
                continue;
            }
            '"' | '`' | '\'' => {
                let end = rest[1..].find(first).map_or(rest.len() - 1, |end| end);
                let kind = if first == '\'' { Kind::String } else { Kind::Name };
                (kind, 1, end, usize::from(1 + end < rest.len()))
            }
            _ if first.is_alphanumeric() || first == '_' => {
                let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '$');
                (Kind::Word, 0, rest.find(|c| !is_word(c)).unwrap_or(rest.len()), 0)
            }
            '<' | '>' if rest[1..].starts_with('=') => (Kind::Mark, 0, 2, 0),
            _ => (Kind::Mark, 0, first.len_utf8(), 0),
        };
        let (from, to) = (at + skipped, at + skipped + length);
        found.push(Token { text: &text[from..to], span: place.part(from as u32, to as u32), kind });
        at = to + closed;
    }
    found
}

fn statements<'a, 's>(tokens: &'a [Token<'s>]) -> impl Iterator<Item = &'a [Token<'s>]> {
    tokens.split(|token| token.is(";")).filter(|statement| !statement.is_empty())
}

/// The statement without the comments before it.
fn uncommented<'a, 's>(statement: &'a [Token<'s>]) -> &'a [Token<'s>] {
    let from = statement.iter().position(|token| token.kind != Kind::Comment).unwrap_or(statement.len());
    &statement[from..]
}

/// The name of the table that a statement creates, without its schema, and where its parenthesis opens.
fn table_name(statement: &[Token<'_>]) -> Option<(Spanned<String>, usize)> {
    let own = uncommented(statement);
    let skipped = statement.len() - own.len();
    if !own.first()?.is("create") {
        return None;
    }
    let at = own.iter().take(4).position(|token| token.is("table"))?;
    let is_kind = |token: &Token<'_>| {
        ["temp", "temporary", "unlogged", "global", "local"].iter().any(|word| token.is(word))
    };
    if !own[1..at].iter().all(is_kind) {
        return None;
    }
    let open = own.iter().position(|token| token.is("("))?;
    let name = own[at + 1..open].iter().rfind(|token| token.is_name())?;
    let bare = name.text.rsplit('.').next().unwrap_or(name.text);
    let from = (name.text.len() - bare.len()) as u32;
    let place = name.span.part(from, name.text.len() as u32);
    (!bare.is_empty()).then(|| (Spanned::new(bare.to_owned(), place), skipped + open))
}

/// The parts between commas inside the parenthesis at the start, and how many tokens it takes.
fn list<'a, 's>(tokens: &'a [Token<'s>]) -> (Vec<&'a [Token<'s>]>, usize) {
    let mut parts = Vec::new();
    let mut depth = 0usize;
    let mut start = 1;
    for (at, token) in tokens.iter().enumerate() {
        if token.is("(") {
            depth += 1;
        } else if token.is(")") {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                parts.push(&tokens[start.min(at)..at]);
                return (parts, at + 1);
            }
        } else if token.is(",") && depth == 1 {
            parts.push(&tokens[start..at]);
            start = at + 1;
        }
    }
    parts.push(tokens.get(start..).unwrap_or_default());
    (parts, tokens.len())
}

fn table(name: Spanned<String>, body: &[Token<'_>], declared: &Declared, unread: &mut Vec<Span>) -> Entity {
    let span = body.last().map_or(name.span, |last| name.span.to(last.span));
    let mut entity = data_model::empty(name, span);
    let (parts, _) = list(body);
    for part in parts {
        // A comment behind the comma speaks of the column before it; one on a line of its own does not tell.
        let comments = part.iter().take_while(|token| token.kind == Kind::Comment).count();
        if let (Some(comment), Some(last)) = (part[..comments].first(), entity.fields.last_mut())
            && comments == 1
            && last.description.is_none()
        {
            last.description = describe(comment);
        }
        let own = &part[comments..];
        let said: Vec<Token<'_>> = own.iter().copied().filter(|token| token.kind != Kind::Comment).collect();
        if said.is_empty() || constraint_of_table(&mut entity, &said, unread) {
            continue;
        }
        if let Some(mut field) = column(&said, declared, unread) {
            field.description = own.iter().rfind(|token| token.kind == Kind::Comment).and_then(describe);
            entity.fields.push(field);
        }
    }
    let keys: Vec<String> = entity
        .indexes
        .iter()
        .filter(|index| index.kind == IndexKind::Primary)
        .flat_map(|index| index.fields.iter().map(|(name, _)| name.value.to_lowercase()))
        .collect();
    for field in &mut entity.fields {
        let is_key = keys.contains(&field.name.value.to_lowercase())
            || field.constraints.iter().any(|constraint| constraint.value == Constraint::PrimaryKey);
        let is_required = field.constraints.iter().any(|constraint| constraint.value == Constraint::Required);
        field.optional = !is_key && !is_required;
    }
    entity
}

fn describe(comment: &Token<'_>) -> Option<Spanned<String>> {
    let text = comment.text.trim();
    let from = (comment.text.len() - comment.text.trim_start().len()) as u32;
    (!text.is_empty())
        .then(|| Spanned::new(text.to_owned(), comment.span.part(from, from + text.len() as u32)))
}

/// Words that end a column's type.
const ENDS: [&str; 17] = [
    "primary",
    "not",
    "null",
    "unique",
    "default",
    "references",
    "check",
    "constraint",
    "generated",
    "auto_increment",
    "autoincrement",
    "collate",
    "comment",
    "identity",
    "on",
    "as",
    "charset",
];

fn column(tokens: &[Token<'_>], declared: &Declared, unread: &mut Vec<Span>) -> Option<Field> {
    let (name, rest) = tokens.split_first().filter(|(name, _)| name.is_name())?;
    let mut end = 0;
    let mut depth = 0usize;
    for token in rest {
        let is_end = depth == 0 && token.kind == Kind::Word && ENDS.iter().any(|word| token.is(word));
        if is_end {
            break;
        }
        match token.text {
            "(" if token.kind == Kind::Mark => depth += 1,
            ")" if token.kind == Kind::Mark => depth = depth.saturating_sub(1),
            _ => {}
        }
        end += 1;
    }
    let (ty, tail) = rest.split_at(end);
    let span = name.span.to(tokens.last().unwrap_or(name).span);
    let mut field = fields::new_field(name.spanned(), span);
    let place = ty.first()?.span.to(ty.last()?.span);
    let read = read_type(&type_text(ty), declared);
    field.constraints.extend(read.constraints.into_iter().map(|value| Spanned::new(value, place)));
    // A type of some database that the language does not have is kept as JSON, as everywhere.
    field.ty = Some(Spanned::new(read.ty, place));
    constraints(&mut field, tail, unread);
    Some(field)
}

/// The words of a type in the notation of the language.
fn type_text(ty: &[Token<'_>]) -> String {
    let mut text = String::new();
    for token in ty {
        let is_glued = token.kind == Kind::Mark || text.ends_with(['(', ',', '[']) || text.is_empty();
        if !is_glued {
            text.push(' ');
        }
        text.push_str(token.text);
    }
    text
}

fn constraints(field: &mut Field, tail: &[Token<'_>], unread: &mut Vec<Span>) {
    let mut at = 0;
    while let Some(token) = tail.get(at) {
        let next = tail.get(at + 1);
        let is_next = |word: &str| next.is_some_and(|next| next.is(word));
        let mut add = |constraint, span| field.constraints.push(Spanned::new(constraint, span));
        let mut used = 1;
        if token.is("primary") && is_next("key") {
            add(Constraint::PrimaryKey, token.span);
            used = 2;
        } else if token.is("not") && is_next("null") {
            add(Constraint::Required, token.span);
            used = 2;
        } else if token.is("unique") {
            add(Constraint::Unique(Vec::new()), token.span);
        } else if token.is("auto_increment") || token.is("autoincrement") || token.is("identity") {
            add(Constraint::Generated, token.span);
        } else if token.is("generated") {
            add(Constraint::Generated, token.span);
            used = tail[at..].iter().position(|token| token.is("identity")).map_or(1, |end| end + 1);
        } else if token.is("default") {
            used = 1 + default(field, &tail[at + 1..]);
        } else if token.is("references") {
            let (reference, taken) = reference(&tail[at + 1..]);
            used = 1 + taken;
            if let Some(reference) = reference {
                add(reference, token.span);
            }
        } else if token.is("check") {
            let taken = list(&tail[at + 1..]).1;
            used = 1 + taken;
            // The values of `IN (a, b)` stand in a list of their own.
            let inside = tail.get(at + 2..(at + taken).max(at + 2)).unwrap_or_default();
            if !check(field, inside) {
                unread.push(token.span.to(inside.last().unwrap_or(token).span));
            }
        }
        at += used.max(1);
    }
}

/// What a column has when nothing is given; returns how many tokens that takes.
fn default(field: &mut Field, rest: &[Token<'_>]) -> usize {
    let Some(value) = rest.first() else { return 0 };
    let is_call = rest.get(1).is_some_and(|next| next.is("("));
    let used = if is_call { 1 + list(&rest[1..]).1 } else { 1 };
    let word = value.text.to_ascii_lowercase();
    let constraint = match (value.kind, word.as_str()) {
        (Kind::String, _) => {
            Some(Constraint::Default(Spanned::new(format!("\"{}\"", value.text), value.span)))
        }
        (_, "now" | "current_timestamp" | "getdate" | "sysdate" | "clock_timestamp" | "current_date") => {
            Some(Constraint::OnCreate)
        }
        (_, "null") => None,
        (_, "true" | "false") => Some(Constraint::Default(Spanned::new(word, value.span))),
        (Kind::Word, _) if is_call => Some(Constraint::Generated),
        (Kind::Word, _) if value.text.starts_with(|c: char| c.is_ascii_digit()) => {
            Some(Constraint::Default(value.spanned()))
        }
        _ => None,
    };
    field.constraints.extend(constraint.map(|constraint| Spanned::new(constraint, value.span)));
    // `'x'::text`
    let is_cast = rest.get(used).is_some_and(|next| next.is(":"));
    if is_cast { used + 3 } else { used }
}

/// `tariff (tariff_id) ON DELETE CASCADE`, and how many tokens it takes.
fn reference(rest: &[Token<'_>]) -> (Option<Constraint>, usize) {
    let Some(target) = rest.first().filter(|target| target.is_name()) else { return (None, 0) };
    let bare = target.text.rsplit('.').next().unwrap_or(target.text);
    let mut used = 1;
    let mut field = None;
    if rest.get(1).is_some_and(|next| next.is("(")) {
        let (columns, taken) = list(&rest[1..]);
        used += taken;
        field = columns.first().and_then(|column| column.first()).map(Token::spanned);
    }
    let mut on_delete = OnDelete::default();
    if let Some([on, delete, action, ..]) = rest.get(used..)
        && on.is("on")
        && delete.is("delete")
    {
        on_delete = match action {
            action if action.is("cascade") => OnDelete::Cascade,
            action if action.is("set") => OnDelete::SetNull,
            _ => OnDelete::Restrict,
        };
        used += 3;
    }
    let from = (target.text.len() - bare.len()) as u32;
    let entity = Spanned::new(bare.to_owned(), target.span.part(from, target.text.len() as u32));
    (Some(Constraint::References { entity, field, on_delete }), used)
}

fn is_number(token: &Token<'_>) -> bool {
    token.kind == Kind::Word && token.text.starts_with(|c: char| c.is_ascii_digit())
}

/// `season IN ('a', 'b')` and `price >= 0`, for the column itself. Says whether it was one of them.
fn check(field: &mut Field, tokens: &[Token<'_>]) -> bool {
    let [name, rest @ ..] = tokens else { return true };
    if !name.text.eq_ignore_ascii_case(&field.name.value) {
        return false;
    }
    match rest {
        [word, values @ ..] if word.is("in") => {
            let (values, _) = list(values);
            let values: Vec<String> =
                values.iter().filter_map(|value| value.first()).map(|value| value.text.to_owned()).collect();
            if values.len() > 1 {
                let ty = Type::Enum(values.iter().map(|value| Arc::from(value.as_str())).collect());
                let place = field.ty.as_ref().map_or(name.span, |ty| ty.span);
                let is_text = field.ty.as_ref().is_some_and(|ty| ty.value == Type::String);
                field.constraints.retain(|constraint| !matches!(constraint.value, Constraint::MaxLength(_)));
                if is_text {
                    field.ty = Some(Spanned::new(ty, place));
                }
            }
        }
        [sign, .., bound]
            if is_number(bound) && (rest.len() == 2 || (rest.len() == 3 && rest[1].is("-"))) =>
        {
            let minus = if rest.len() == 3 { "-" } else { "" };
            let (value, span) = (format!("{minus}{}", bound.text), name.span.to(bound.span));
            let exclusive = matches!(sign.text, "<" | ">");
            let constraint = match sign.text {
                ">" | ">=" => Constraint::Min { value, exclusive },
                "<" | "<=" => Constraint::Max { value, exclusive },
                _ => return false,
            };
            field.constraints.push(Spanned::new(constraint, span));
        }
        _ => return false,
    }
    true
}

/// A key, reference or check of the table itself. Says whether it was one.
fn constraint_of_table(entity: &mut Entity, tokens: &[Token<'_>], unread: &mut Vec<Span>) -> bool {
    let mut own = tokens;
    if own.first().is_some_and(|first| first.is("constraint")) {
        own = own.get(2..).unwrap_or_default();
    }
    let Some(first) = own.first().filter(|first| first.kind == Kind::Word) else {
        return own.len() < tokens.len();
    };
    let second = own.get(1);
    let is_second = |word: &str| second.is_some_and(|second| second.is(word));
    let columns_at = |from: usize| own.get(from..).map(columns).unwrap_or_default();
    if first.is("primary") && is_second("key") {
        push_key(entity, IndexKind::Primary, columns_at(2), first.span);
    } else if first.is("unique") {
        let open = own.iter().position(|token| token.is("(")).unwrap_or(own.len());
        push_key(entity, IndexKind::Unique, columns_at(open), first.span);
    } else if (first.is("key") || first.is("index")) && own.iter().any(|token| token.is("(")) {
        let open = own.iter().position(|token| token.is("(")).unwrap_or(own.len());
        push_key(entity, IndexKind::Plain, columns_at(open), first.span);
    } else if first.is("foreign") && is_second("key") {
        let own_columns = columns_at(2);
        let at = own.iter().position(|token| token.is("references"));
        let reference = at.and_then(|at| reference(&own[at + 1..]).0);
        if let ([(only, _)], Some(reference)) = (own_columns.as_slice(), reference)
            && let Some(field) = entity.fields.iter_mut().find(|field| field.name.value == only.value)
        {
            field.constraints.push(Spanned::new(reference, only.span));
        } else {
            unread.push(first.span.to(own.last().unwrap_or(first).span));
        }
    } else if first.is("check") {
        let taken = own.get(1..).map_or(0, |rest| list(rest).1);
        let inside = own.get(2..taken.max(2)).unwrap_or_default();
        let named = |field: &&mut Field| {
            inside.first().is_some_and(|name| field.name.value.eq_ignore_ascii_case(name.text))
        };
        let is_read = entity.fields.iter_mut().find(named).is_some_and(|field| check(field, inside));
        if !is_read {
            unread.push(first.span.to(inside.last().unwrap_or(first).span));
        }
    } else if first.is("exclude") {
        unread.push(first.span.to(own.last().unwrap_or(first).span));
    } else if !(first.is("like") || own.len() < tokens.len()) {
        return false;
    }
    true
}

fn push_key(entity: &mut Entity, kind: IndexKind, fields: Vec<(Spanned<String>, bool)>, span: Span) {
    if !fields.is_empty() {
        entity.indexes.push(Index { kind, fields, filter: None, otherwise: None, span });
    }
}

/// The columns in the parenthesis at the start; `true` for descending.
fn columns(tokens: &[Token<'_>]) -> Vec<(Spanned<String>, bool)> {
    let (parts, _) = list(tokens);
    let named = parts.iter().filter_map(|part| {
        let name = part.first().filter(|name| name.is_name())?;
        Some((name.spanned(), part.iter().any(|token| token.is("desc"))))
    });
    named.collect()
}

/// `CREATE [UNIQUE] INDEX name ON table (a, b DESC)`: the table and the index.
fn index<'s>(statement: &[Token<'s>]) -> Option<(&'s str, Index)> {
    let own = uncommented(statement);
    let at = own.iter().take(4).position(|token| token.is("index"))?;
    let on = own.iter().position(|token| token.is("on"))?;
    if !own.first()?.is("create") || own.iter().any(|token| token.is("where")) {
        return None;
    }
    let table = own.get(on + 1).filter(|table| table.is_name())?;
    let open = own.iter().position(|token| token.is("("))?;
    let kind =
        if own[..at].iter().any(|token| token.is("unique")) { IndexKind::Unique } else { IndexKind::Plain };
    let fields = columns(&own[open..]);
    let span = own.first()?.span.to(own.last()?.span);
    let name = table.text.rsplit('.').next().unwrap_or(table.text);
    (!fields.is_empty()).then_some((name, Index { kind, fields, filter: None, otherwise: None, span }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_table_says_is_read_or_given_back_as_unread() {
        let source = "```sql\nCREATE TABLE trip (\n  id uuid PRIMARY KEY,\n  starts integer,\n  ends integer CHECK (ends % 2 = 1),\n  \
                      seats integer CHECK (seats > 0),\n  CHECK (starts < ends),\n  CONSTRAINT few CHECK (seats <= 9),\n  \
                      UNIQUE (starts, ends),\n  FOREIGN KEY (starts) REFERENCES stop (id),\n  \
                      FOREIGN KEY (starts, ends) REFERENCES leg (a, b)\n);\n```\n";
        let document = formwork_syntax::parse(source, &crate::is_label);
        let fence = crate::reader::fences(&document.root.children).next().unwrap();
        let mut unread = Vec::new();
        let found = read(source, fence, &Declared::default(), &mut unread);
        let unread: Vec<&str> = unread.iter().map(|place| place.slice(source)).collect();
        assert_eq!(
            unread,
            [
                "CHECK (ends % 2 = 1",
                "CHECK (starts < ends",
                "FOREIGN KEY (starts, ends) REFERENCES leg (a, b)"
            ]
        );
        let of =
            |field: usize| found[0].fields[field].constraints.iter().map(|it| &it.value).collect::<Vec<_>>();
        assert!(matches!(of(1)[..], [Constraint::References { .. }]), "{:?}", of(1));
        assert!(matches!(of(3)[..], [Constraint::Min { .. }, Constraint::Max { .. }]), "{:?}", of(3));
        assert_eq!(found[0].indexes.iter().filter(|index| index.kind == IndexKind::Unique).count(), 1);
    }
}
