//! Lowers what section 6 says of rows: constraints over several fields, overlaps, invariants, transitions, computed
//! fields, rows at start. Each becomes data of the schema and a few portable statements; the engine tests them.
//!
//! Source: language reference, *Rules over rows*.

mod computed;
mod conditions;
mod constraints;
mod invariants;
mod many;
mod quotas;
mod start;
mod tables;
mod transitions;

pub(super) use many::{changed, row_by_row};

use crate::lower::world::Statements;
use crate::notes::{Note, NoteKind};
use crate::program::{EntityId, FieldId, Schema};
use crate::steps::NO_NAMES;
use crate::steps::clause::{Misread, Reader};
use crate::tokens::{Token, sentences};
use formwork_model::Model;
use formwork_model::facts::Outcome;
use formwork_model::names::nearest;
use formwork_model::sections::data_model::{EntityRule, EntityRuleKind};
use formwork_syntax::{Code, Span};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Reads the rules of every entity into the schema.
pub(super) fn lower(
    source: &str,
    model: &Model,
    schema: &mut Schema,
    statements: &mut Statements,
    notes: &mut Vec<Note>,
) {
    let mut cx = Rules { source, schema, statements, notes };
    for (at, entity) in (0..).zip(&model.entities) {
        cx.computed(at, entity);
    }
    for (at, entity) in (0..).zip(&model.entities) {
        for rule in &entity.rules {
            cx.rule(at, rule);
        }
        for rule in &entity.table_rules {
            cx.table_rule(at, rule);
        }
    }
    cx.quotas(model);
    cx.secrets(model);
    many::mark(&mut cx, model);
}

/// What reading the rules needs.
struct Rules<'r> {
    source: &'r str,
    schema: &'r mut Schema,
    statements: &'r mut Statements,
    notes: &'r mut Vec<Note>,
}

impl<'r> Rules<'r> {
    fn rule(&mut self, at: EntityId, rule: &EntityRule) {
        let tokens: Vec<Token> =
            sentences(self.source, &rule.text).into_iter().flat_map(|sentence| sentence.tokens).collect();
        let mut reader = Reader::over(self.source, &NO_NAMES, tokens, rule.span);
        let read = match rule.kind {
            EntityRuleKind::Constraint => self.constraints(at, &mut reader),
            EntityRuleKind::Invariant => self.invariants(at, &mut reader),
            EntityRuleKind::Transitions => self.transitions(at, &mut reader),
            EntityRuleKind::RowsAtStart => self.rows_at_start(at, &mut reader),
            EntityRuleKind::AppendOnly => {
                self.schema.entities[usize::from(at)].rules.append_only = true;
                Ok(())
            }
        };
        if let Err(Misread { word, expected, span }) = read {
            let found = word.map_or_else(String::new, |word| format!(", found {word}"));
            self.other("rule_not_understood", format!("{expected}{found}"), span);
        }
    }

    /// Notes a mistake that the catalogue knows by a word.
    fn other(&mut self, entry: &'static str, subject: String, span: Span) {
        self.note(NoteKind::Other { entry, subject }, span);
    }

    fn note(&mut self, kind: NoteKind, span: Span) {
        self.notes.push(Note { kind, span, related: None, fix: None });
    }

    /// The field that a code span names.
    fn field(&mut self, entity: EntityId, code: &Code) -> Option<FieldId> {
        let name = code.text(self.source).trim().to_owned();
        self.field_named(entity, &name, code.span())
    }

    fn field_named(&mut self, entity: EntityId, name: &str, span: Span) -> Option<FieldId> {
        let table = &self.schema.entities[usize::from(entity)];
        let found = table.fields.iter().position(|field| *field.name == *name);
        if found.is_none() {
            let near = nearest(name, table.fields.iter().map(|field| &*field.name)).map(str::to_owned);
            let of = table.name.to_string();
            self.note(NoteKind::UnknownField { of, field: name.to_owned(), nearest: near }, span);
        }
        FieldId::try_from(found?).ok()
    }

    /// The table that a name means.
    fn entity_named(&mut self, name: &str, span: Span) -> Option<EntityId> {
        let names = self.schema.entities.iter().map(|entity| &*entity.name);
        let found = names.clone().position(|known| *known == *name);
        if found.is_none() {
            let nearest = nearest(name, names).map(str::to_owned);
            self.note(NoteKind::UnknownName { what: "entity", name: name.to_owned(), nearest }, span);
        }
        EntityId::try_from(found?).ok()
    }

    /// A secret is kept as the digest of a text; other types have none.
    fn secrets(&mut self, model: &Model) {
        use formwork_model::values::Type;
        for (at, entity) in model.entities.iter().enumerate() {
            let is_text = |ty: &Type| matches!(ty, Type::String | Type::Uri | Type::Email);
            let columns = &self.schema.entities[at].fields;
            let wrong: FxHashMap<&str, String> = columns
                .iter()
                .filter(|column| column.secret && !is_text(&column.ty))
                .map(|column| (&*column.name, format!("secret on a {}", column.ty)))
                .collect();
            let found = entity.fields.iter().filter_map(|field| {
                let subject = wrong.get(&*field.name.value)?.clone();
                Some((subject, field.span))
            });
            for (subject, span) in found.collect::<Vec<_>>() {
                self.other("rule_not_supported", subject, span);
            }
        }
    }
}

/// ``, otherwise `STATUS code` `` behind a rule.
fn otherwise(reader: &mut Reader<'_>, source: &str) -> Result<Option<Outcome>, Misread> {
    let before = reader.position();
    reader.sign(',');
    if !reader.word("otherwise") {
        reader.rewind(before);
        return Ok(None);
    }
    let code = reader.code("a status and a code, such as `409 conflict`")?;
    match formwork_model::values::parse_outcome(&code.text(source)) {
        Some(outcome) if outcome.status >= 400 => Ok(Some(outcome)),
        _ => Err(Misread {
            word: Some(code.text(source).into_owned()),
            expected: "a status from 400 to 599 and a code, such as `409 conflict`".to_owned(),
            span: code.span(),
        }),
    }
}

/// Skips what separates rules of one line; gives whether more follows.
fn more(reader: &mut Reader<'_>) -> bool {
    loop {
        let skipped = reader.sign(';')
            || reader.sign(',')
            || reader.sign('.')
            || reader.sign(':')
            || reader.word("and");
        if !skipped {
            return !reader.is_done();
        }
    }
}

/// A text of the document without the white space of broken lines, as refusals show it.
fn shown(source: &str, span: Span) -> Arc<str> {
    span.slice(source).split_whitespace().collect::<Vec<_>>().join(" ").into()
}
