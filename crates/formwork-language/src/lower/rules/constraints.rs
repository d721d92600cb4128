//! ``**Constraint:** `EXPR` ``, ``no two `E` with the same `f` overlap in `a`..`b` ``, ``unique (`f`) where `EXPR` ``.

use super::conditions::joined;
use super::{Rules, more, otherwise, shown};
use crate::expression::Ast;
use crate::lower::schema::{add_index, add_unique};
use crate::program::{Comparison, Condition, EntityId, FieldId, Operand, PlainIndex, Statement, UniqueKey};
use crate::rules::{Check, Overlap};
use crate::steps::clause::{Misread, Reader};
use formwork_model::facts::Outcome;
use formwork_model::values::Type;
use formwork_syntax::{Code, Span};
use std::sync::Arc;

const NOTATION: &str = "`EXPR`, `unique (`f`) where `EXPR``, or \
    no two `E` with the same `f` overlap in `starts`..`ends`";

impl Rules<'_> {
    /// Every constraint of a line.
    pub(super) fn constraints(&mut self, at: EntityId, reader: &mut Reader<'_>) -> Result<(), Misread> {
        let mut any = false;
        while more(reader) {
            any = true;
            if reader.word("no") {
                self.overlap(at, reader)?;
            } else if reader.word("unique") {
                self.unique(at, reader)?;
            } else {
                self.check(at, reader)?;
            }
        }
        if any { Ok(()) } else { Err(reader.misread(NOTATION)) }
    }

    fn check(&mut self, at: EntityId, reader: &mut Reader<'_>) -> Result<(), Misread> {
        if reader.peek().is_none_or(|token| token.code().is_none()) {
            return Err(reader.misread(NOTATION));
        }
        let conditions = reader.open_conditions()?;
        let outcome = otherwise(reader, self.source)?;
        let span = conditions.codes.iter().map(Code::span).reduce(Span::to).unwrap_or_default();
        let asts: Option<Vec<Ast>> = conditions.codes.iter().map(|code| self.parse_code(code)).collect();
        let Some(ast) = asts.and_then(|asts| joined(asts, conditions.any)) else { return Ok(()) };
        self.add_check(at, &ast, shown(self.source, span).replace('`', "").into(), outcome);
        Ok(())
    }

    /// Adds a condition over a row; [`None`] if it does not fit, which has been noted.
    pub(super) fn add_check(
        &mut self,
        at: EntityId,
        ast: &Ast,
        text: Arc<str>,
        otherwise: Option<Outcome>,
    ) -> Option<()> {
        let condition = self.condition_over_row(at, ast)?;
        let (fields, tested) = self.named_fields(at, ast);
        let table = &mut self.schema.entities[usize::from(at)];
        let is_optional = |field: &FieldId| table.fields[usize::from(*field)].optional;
        let needs =
            fields.iter().copied().filter(|field| is_optional(field) && !tested.contains(field)).collect();
        table.rules.checks.push(Check { text, condition, fields, needs, otherwise });
        Some(())
    }

    /// ``unique (`a`, `b`) [where `EXPR`]``
    fn unique(&mut self, at: EntityId, reader: &mut Reader<'_>) -> Result<(), Misread> {
        reader.sign('(');
        let codes = reader.codes("the fields of the key in backticks")?;
        reader.sign(')');
        let filter = self.where_rows(at, reader)?;
        let outcome = otherwise(reader, self.source)?;
        let fields: Option<Vec<FieldId>> = codes.iter().map(|code| self.field(at, code)).collect();
        let (Some(fields), Ok(filter)) = (fields, filter) else { return Ok(()) };
        let filter = filter.map(|(_, condition)| condition);
        let table = &mut self.schema.entities[usize::from(at)];
        add_unique(table, UniqueKey { fields, filter, otherwise: outcome });
        Ok(())
    }

    /// ``where `EXPR` `` as syntax and as a condition over rows; an inner error has been noted.
    pub(super) fn where_rows(
        &mut self,
        at: EntityId,
        reader: &mut Reader<'_>,
    ) -> Result<Result<Option<(Ast, Condition)>, ()>, Misread> {
        let before = reader.position();
        reader.sign(',');
        if !reader.word("where") {
            reader.rewind(before);
            return Ok(Ok(None));
        }
        let conditions = reader.open_conditions()?;
        let asts: Option<Vec<Ast>> = conditions.codes.iter().map(|code| self.parse_code(code)).collect();
        let Some(ast) = asts.and_then(|asts| joined(asts, conditions.any)) else { return Ok(Err(())) };
        Ok(self.condition_over_rows(at, &ast).map(|condition| Some((ast, condition))).ok_or(()))
    }

    /// ``two `E` [with the same `f` and `g`] overlap in `a`..`b` [where `EXPR`]``
    fn overlap(&mut self, at: EntityId, reader: &mut Reader<'_>) -> Result<(), Misread> {
        let first = reader.position();
        if !reader.word("two") {
            return Err(reader.misread("`two`: no two `E` with the same `f` overlap in `starts`..`ends`"));
        }
        let named = reader.opt_code();
        let mut group = Vec::new();
        if reader.word("with") {
            if !reader.word("same") {
                return Err(reader.misread("`the same`: no two `E` with the same `f` overlap"));
            }
            group = reader.codes("the fields that are the same, in backticks")?;
        }
        if !(reader.word("overlap") || reader.word("overlaps")) || !reader.word("in") {
            return Err(reader.misread("`overlap in `starts`..`ends``"));
        }
        let bounds = bounds(reader, self.source)?;
        let filter = self.where_rows(at, reader)?;
        let outcome = otherwise(reader, self.source)?;
        let entity = match &named {
            Some(code) => match self.entity_named(code.text(self.source).trim(), code.span()) {
                Some(entity) => entity,
                None => return Ok(()),
            },
            None => at,
        };
        let group: Option<Vec<FieldId>> = group.iter().map(|code| self.field(entity, code)).collect();
        let [starts, ends] =
            bounds.map(|(name, span)| self.field_named(entity, &name, span).map(|field| (field, span)));
        let (Some(group), Some((starts, span)), Some((ends, _)), Ok(filter)) = (group, starts, ends, filter)
        else {
            return Ok(());
        };
        debug_assert!(first < reader.position());
        self.add_overlap(entity, group, (starts, ends, span), filter, outcome);
        Ok(())
    }

    /// Adds a rule that intervals do not overlap; [`None`] if it does not fit, which has been noted.
    pub(super) fn add_overlap(
        &mut self,
        entity: EntityId,
        group: Vec<FieldId>,
        (starts, ends, span): (FieldId, FieldId, Span),
        filter: Option<(Ast, Condition)>,
        otherwise: Option<Outcome>,
    ) -> Option<()> {
        if !self.are_bounds(entity, starts, ends, span) {
            return None;
        }
        let statement = self.overlapping(entity, &group, (starts, ends), filter.as_ref().map(|(_, it)| it));
        let filter = match filter {
            Some((ast, _)) => Some(self.condition_over_row(entity, &ast)?),
            None => None,
        };
        let indexed: Vec<(FieldId, bool)> =
            group.iter().chain([&starts]).map(|field| (*field, false)).collect();
        let table = &mut self.schema.entities[usize::from(entity)];
        add_index(table, PlainIndex { fields: indexed, filter: None });
        let text = {
            let same: Vec<String> =
                group.iter().map(|field| format!("`{}`", table.fields[usize::from(*field)].name)).collect();
            let same =
                if same.is_empty() { String::new() } else { format!(" with the same {}", same.join(", ")) };
            let [starts, ends] = [starts, ends].map(|field| &table.fields[usize::from(field)].name);
            format!("no two `{}`{same} overlap in `{starts}`..`{ends}`", table.name).into()
        };
        table.rules.overlaps.push(Overlap { text, group, starts, ends, filter, statement, otherwise });
        Some(())
    }

    /// Whether two fields bound an interval: of one type that has an order.
    fn are_bounds(&mut self, entity: EntityId, starts: FieldId, ends: FieldId, span: Span) -> bool {
        let fields = &self.schema.entities[usize::from(entity)].fields;
        let [first, second] = [starts, ends].map(|field| fields[usize::from(field)].ty.clone());
        let ordered = matches!(
            first,
            Type::Timestamp | Type::Date | Type::Time | Type::Integer | Type::Decimal { .. } | Type::Duration
        );
        let fits = ordered && first == second;
        if !fits {
            let kind = crate::notes::NoteKind::TypeMismatch {
                expected: "two timestamps, dates, times, durations or numbers".to_owned(),
                found: format!("{first} and {second}"),
                context: "`overlap in`".to_owned(),
            };
            self.note(kind, span);
        }
        fits
    }

    /// Another row of the group whose interval is not empty and overlaps.
    fn overlapping(
        &mut self,
        entity: EntityId,
        group: &[FieldId],
        (starts, ends): (FieldId, FieldId),
        filter: Option<&Condition>,
    ) -> crate::program::StatementId {
        let key = &self.schema.entities[usize::from(entity)].primary_key;
        let compare = |how, field: FieldId, parameter: usize| {
            Condition::Compare(how, Operand::Field(field), Operand::Parameter(parameter as u16))
        };
        let mut all: Vec<Condition> =
            (0..).zip(group).map(|(at, field)| compare(Comparison::Equal, *field, at)).collect();
        let interval = group.len();
        all.push(compare(Comparison::Less, starts, interval + 1));
        all.push(compare(Comparison::Greater, ends, interval));
        all.push(Condition::Compare(Comparison::Less, Operand::Field(starts), Operand::Field(ends)));
        let own: Vec<Condition> =
            (interval + 2..).zip(key).map(|(at, field)| compare(Comparison::Equal, *field, at)).collect();
        all.push(Condition::Not(Box::new(Condition::All(own))));
        all.extend(filter.cloned());
        self.statements.add(Statement::Exists { entity, filter: Some(Condition::All(all)) })
    }
}

type Bound = (String, Span);

/// `` `starts_at`..`ends_at` ``, also in one code span or with *to*.
fn bounds(reader: &mut Reader<'_>, source: &str) -> Result<[Bound; 2], Misread> {
    const EXPECTED: &str = "the two fields of the interval: `starts`..`ends`";
    let code = reader.code(EXPECTED)?;
    let text = code.text(source);
    if let Some((first, second)) = text.split_once("..") {
        let span = code.span();
        return Ok([first, second].map(|name| (name.trim().to_owned(), span)));
    }
    while reader.sign('.') || reader.sign('…') || reader.sign('–') || reader.sign('-') || reader.word("to")
    {
    }
    let other = reader.code(EXPECTED)?;
    Ok([code, other].map(|code| (code.text(source).trim().to_owned(), code.span())))
}
