//! `CREATE TABLE`, `CREATE TYPE … AS ENUM`, `CREATE INDEX` and `ALTER TABLE … ADD` in a fence to entities, fields, keys,
//! references and rules.
//!
//! Only what declares data is read; other statements are passed over. What a table promises and the language has no
//! words for, such as a reference over several columns, is kept by nobody: its place is given, so that it can be told.
//! Source: language reference, *Data model*.

mod columns;
mod conditions;
mod table;
mod tokens;

use crate::facts::Constraint;
use crate::reader::Declared;
use crate::sections::data_model::{self, Entity, IndexKind};
use crate::values::Type;
use formwork_syntax::{Fence, Span, Spanned};
use rustc_hash::FxHashMap;
use std::sync::Arc;
use tokens::{Kind, Token, all_of, cut, list, statements, uncommented};

/// The enumerations that `CREATE TYPE` declares, by name in lower case.
pub(crate) type Enums = FxHashMap<String, Arc<[Arc<str>]>>;

/// What a fence declares.
#[derive(Default)]
pub(crate) struct Declarations {
    pub(crate) entities: Vec<Entity>,
    pub(crate) enums: Enums,
    /// What is promised and not read.
    pub(crate) unread: Vec<Span>,
}

/// The types that a column may name.
struct Types<'t> {
    declared: &'t Declared,
    enums: &'t Enums,
}

impl Types<'_> {
    fn resolved(&self, ty: Type) -> Type {
        match ty {
            Type::Unknown(name) => {
                let bare = name.rsplit('.').next().unwrap_or_default().to_lowercase();
                let known = self.enums.get(&bare).or_else(|| self.declared.enums.get(&bare));
                known.map_or(Type::Unknown(name), |values| Type::Enum(values.clone()))
            }
            Type::List(of) => Type::List(Arc::new(self.resolved((*of).clone()))),
            other => other,
        }
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

/// What a fence declares; `declared` is what stands before it.
pub(crate) fn read(source: &str, fence: &Fence, declared: &Declared) -> Declarations {
    let all = cut(source, fence);
    let mut found = Declarations::default();
    for statement in statements(&all) {
        if let Some((name, from)) = table_name(statement) {
            let types = Types { declared, enums: &found.enums };
            let entity = table(name, &statement[from..], &types, &mut found.unread);
            found.entities.push(entity);
            continue;
        }
        let said: Vec<Token<'_>> =
            statement.iter().copied().filter(|token| token.kind != Kind::Comment).collect();
        let [first, second, ..] = said.as_slice() else { continue };
        if first.is("create") && second.is("type") {
            found.enums.extend(enumeration(&said));
        } else if first.is("create") && said.iter().take(4).any(|token| token.is("index")) {
            if let Some(entity) = table_of(&said, "on").and_then(|name| named(&mut found.entities, &name)) {
                table::index(entity, &said, &mut found.unread);
            }
        } else if first.is("alter") && second.is("table") {
            alter(&said, declared, &mut found);
        }
    }
    found
}

/// The table that the first name behind a word names.
fn table_of(said: &[Token<'_>], word: &str) -> Option<String> {
    let at = said.iter().position(|token| token.is(word))?;
    let is_name = |token: &&Token<'_>| token.is_name() && !token.is_one_of(&["only", "if", "exists"]);
    said[at + 1..].iter().find(is_name).map(|name| name.bare().value)
}

fn named<'e>(entities: &'e mut [Entity], name: &str) -> Option<&'e mut Entity> {
    entities.iter_mut().find(|entity| entity.name.value.eq_ignore_ascii_case(name))
}

/// `CREATE TYPE state AS ENUM ('open', 'closed')`.
fn enumeration(said: &[Token<'_>]) -> Option<(String, Arc<[Arc<str>]>)> {
    let name = said.get(2)?.bare().value.to_lowercase();
    let at = said.iter().position(|token| token.is("enum"))?;
    let (values, _) = list(&said[at + 1..]);
    let values: Arc<[Arc<str>]> = values
        .iter()
        .filter_map(|value| value.first())
        .filter(|value| value.kind == Kind::String)
        .map(|value| Arc::from(value.text.replace("''", "'")))
        .collect();
    (!values.is_empty()).then_some((name, values))
}

/// `ALTER TABLE t ADD CONSTRAINT c …, ADD COLUMN x integer`: what it adds to a table of the fence.
fn alter(said: &[Token<'_>], declared: &Declared, found: &mut Declarations) {
    let Declarations { entities, enums, unread } = found;
    let Some(from) = said.iter().position(|token| token.is("add")) else { return };
    let Some(entity) = table_of(said, "table").and_then(|name| named(entities, &name)) else { return };
    for action in actions(&said[from..]) {
        let [add, added @ ..] = action else { continue };
        if !add.is("add") {
            continue;
        }
        let is_column = added.first().is_some_and(|word| word.is("column"));
        let added = if is_column { &added[1..] } else { added };
        if is_column || !table::add(entity, added, unread) {
            add_column(entity, added, &Types { declared, enums }, unread);
        }
    }
}

/// The parts between the commas that stand in no parenthesis.
fn actions<'a, 's>(tokens: &'a [Token<'s>]) -> Vec<&'a [Token<'s>]> {
    let mut depth = 0usize;
    tokens
        .split(|token| {
            depth += usize::from(token.is("("));
            depth = depth.saturating_sub(usize::from(token.is(")")));
            depth == 0 && token.is(",")
        })
        .collect()
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
    let name = name.bare();
    (!name.value.is_empty()).then_some((name, skipped + open))
}

fn table(name: Spanned<String>, body: &[Token<'_>], types: &Types<'_>, unread: &mut Vec<Span>) -> Entity {
    let span = body.last().map_or(name.span, |last| name.span.to(last.span));
    let mut entity = data_model::empty(name, span);
    let (parts, _) = list(body);
    let mut checks = Vec::new();
    let mut rules = Vec::new();
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
        if said.is_empty() {
            continue;
        }
        if table::begins(&said) {
            rules.push(said);
        } else if let Some(mut field) = columns::read(&said, types, &mut checks) {
            field.description = own.iter().rfind(|token| token.kind == Kind::Comment).and_then(describe);
            entity.fields.push(field);
        }
    }
    // Rules may name columns that stand behind them, and a condition asks which columns may be null.
    let (conditions, keys): (Vec<_>, Vec<_>) =
        rules.into_iter().partition(|rule| rule.iter().any(|token| token.is_one_of(&["check", "exclude"])));
    for key in keys {
        table::add(&mut entity, &key, unread);
    }
    mark_optional(&mut entity);
    add_checks(&mut entity, checks, unread);
    for condition in conditions {
        table::add(&mut entity, &condition, unread);
    }
    entity
}

fn add_column(entity: &mut Entity, tokens: &[Token<'_>], types: &Types<'_>, unread: &mut Vec<Span>) {
    let mut checks = Vec::new();
    entity.fields.extend(columns::read(tokens, types, &mut checks));
    mark_optional(entity);
    add_checks(entity, checks, unread);
}

/// What columns set, once all of them are known.
fn add_checks(entity: &mut Entity, checks: Vec<Vec<Token<'_>>>, unread: &mut Vec<Span>) {
    for check in checks {
        let is_check = check.first().is_some_and(|first| first.is("check"));
        let is_kept = is_check && table::check(entity, &check).is_some();
        unread.extend(all_of(&check).filter(|_| !is_kept));
    }
}

/// A column is optional unless it is `NOT NULL` or in the primary key.
fn mark_optional(entity: &mut Entity) {
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
}

fn describe(comment: &Token<'_>) -> Option<Spanned<String>> {
    let text = comment.text.trim();
    let from = (comment.text.len() - comment.text.trim_start().len()) as u32;
    (!text.is_empty())
        .then(|| Spanned::new(text.to_owned(), comment.span.part(from, from + text.len() as u32)))
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
        let Declarations { entities: found, unread, .. } = read(source, fence, &Declared::default());
        let unread: Vec<&str> = unread.iter().map(|place| place.slice(source)).collect();
        assert_eq!(unread, ["FOREIGN KEY (starts, ends) REFERENCES leg (a, b)"]);
        let of =
            |field: usize| found[0].fields[field].constraints.iter().map(|it| &it.value).collect::<Vec<_>>();
        assert!(matches!(of(1)[..], [Constraint::References { .. }]), "{:?}", of(1));
        assert!(matches!(of(3)[..], [Constraint::Min { .. }, Constraint::Max { .. }]), "{:?}", of(3));
        assert_eq!(found[0].indexes.iter().filter(|index| index.kind == IndexKind::Unique).count(), 1);
    }
}
