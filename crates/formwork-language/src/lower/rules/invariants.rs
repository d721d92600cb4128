//! ``**Invariant:** the sum of `E.f` / number of `E` [per `g`] [where …] is / is at most / is at least `EXPR` ``.

use super::{Rules, more, otherwise, shown};
use crate::expression::{self, Ast, BinaryOperator, Expression, Kind, Names};
use crate::lower::schema::add_index;
use crate::notes::NoteKind;
use crate::program::{
    Aggregate, Comparison, Condition, EntityId, FieldId, Limit, Lock, Operand, PlainIndex, Select, Statement,
    StatementId,
};
use crate::rules::{Invariant, ROW, RightRow};
use crate::steps::clause::{Misread, Reader};
use formwork_model::values::Type;
use formwork_syntax::{Code, Span};

const NOTATION: &str = "the sum of `E.f` or the number of `E`, [per `g`] [where `EXPR`] \
    is / is at most / is at least `EXPR`";

/// How many rows are looked at with one statement where all groups are tested.
const PAGE: u32 = 1_000;

/// What is computed over a group.
pub(super) struct Counted {
    pub(super) entity: EntityId,
    pub(super) sum: Option<FieldId>,
}

impl Rules<'_> {
    /// Every invariant of a line.
    pub(super) fn invariants(&mut self, at: EntityId, reader: &mut Reader<'_>) -> Result<(), Misread> {
        let mut any = false;
        while more(reader) {
            any = true;
            self.invariant(at, reader)?;
        }
        if any { Ok(()) } else { Err(reader.misread(NOTATION)) }
    }

    fn invariant(&mut self, at: EntityId, reader: &mut Reader<'_>) -> Result<(), Misread> {
        let begins = reader.peek().map(|token| token.span);
        let counted = self.counted(at, reader)?;
        let entity = counted.as_ref().map_or(at, |counted| counted.entity);
        let mut per = Vec::new();
        if reader.word("per") {
            per = reader.codes("the fields that make a group, in backticks")?;
        }
        let filter = self.where_rows(entity, reader)?;
        let comparison = comparison(reader)?;
        let (right, right_span) = self.right(reader)?;
        let outcome = otherwise(reader, self.source)?;
        let (Some(counted), Ok(filter), Some(right)) = (counted, filter, right) else { return Ok(()) };
        let per: Option<Vec<FieldId>> = per.iter().map(|code| self.field(entity, code)).collect();
        let Some(per) = per else { return Ok(()) };
        let span = begins.map_or(right_span, |begins| begins.to(right_span));
        let text = shown(self.source, span);
        let filter = filter.map(|(_, condition)| condition);
        let Some((right, right_row)) = self.right_side(&counted, &per, &right, comparison) else {
            return Ok(());
        };
        self.index_group(entity, &per);
        let (value, rows) = self.of_group(&counted, &per, filter.as_ref());
        let all = self.pages(entity, &per, filter);
        self.schema.invariants.push(Invariant {
            text,
            entity,
            sum: counted.sum,
            per,
            quota: None,
            value,
            rows,
            right_row,
            comparison,
            right,
            all,
            otherwise: outcome,
        });
        Ok(())
    }

    /// ``sum of `E.f` `` or ``number of `E` ``; nothing when a name is wrong.
    fn counted(&mut self, at: EntityId, reader: &mut Reader<'_>) -> Result<Option<Counted>, Misread> {
        let is_sum = reader.word("sum");
        if !is_sum && !reader.word("number") && !reader.word("count") || !reader.word("of") {
            return Err(reader.misread(NOTATION));
        }
        let code =
            reader.code(if is_sum { "`E.f`, the field that is summed" } else { "`E`, what is counted" })?;
        let text = code.text(self.source);
        let name = text.trim();
        if !is_sum {
            return Ok(self.entity_named(name, code.span()).map(|entity| Counted { entity, sum: None }));
        }
        let (entity, field) = match name.split_once('.') {
            Some((entity, field)) => (self.entity_named(entity, code.span()), field),
            None => (Some(at), name),
        };
        let Some(entity) = entity else { return Ok(None) };
        let Some(field) = self.field_named(entity, field, code.span()) else { return Ok(None) };
        let ty = self.schema.entities[usize::from(entity)].fields[usize::from(field)].ty.clone();
        if !matches!(ty, Type::Integer | Type::Decimal { .. }) {
            let (expected, found) = ("integer or decimal".to_owned(), ty.to_string());
            let context = "the sum of an invariant".to_owned();
            self.note(NoteKind::TypeMismatch { expected, found, context }, code.span());
            return Ok(None);
        }
        Ok(Some(Counted { entity, sum: Some(field) }))
    }

    /// The expression behind the comparison; numbers may stand without backticks.
    fn right(&mut self, reader: &mut Reader<'_>) -> Result<(Option<Ast>, Span), Misread> {
        let place = reader.peek().map(|token| token.span);
        if let Some(code) = reader.opt_code() {
            let code: Code = code;
            return Ok((self.parse_code(&code), place.unwrap_or(code.span())));
        }
        let before = reader.position();
        let number = reader.number("an expression in backticks")?;
        reader.rewind(before);
        let span = reader.take_any().map_or(Span::default(), |token| token.span);
        Ok((self.parse(&number.to_string(), &|_| span.start), span))
    }

    /// The right side, compiled with the row that a lone reference of the group points to, if it speaks of it.
    fn right_side(
        &mut self,
        counted: &Counted,
        per: &[FieldId],
        ast: &Ast,
        comparison: BinaryOperator,
    ) -> Option<(Expression, Option<RightRow>)> {
        self.is_steady(ast)?;
        let fields = &self.schema.entities[usize::from(counted.entity)].fields;
        let reference = match per {
            [one] => fields[usize::from(*one)].references,
            _ => None,
        };
        let mut names = Names::new(self.schema);
        if let Some(reference) = reference {
            let name = self.schema.entities[usize::from(reference.entity)].name.clone();
            let row = names.row(reference.entity).required();
            names.bind(&name, ROW, row);
        }
        let first = self.notes.len();
        let typed = expression::compile(ast, &names, self.notes);
        // There are no variables here: what is meant is a field of a row, by the row's name.
        for note in self.notes.iter_mut().skip(first) {
            if let NoteKind::UnknownName { what: what @ "variable", .. } = &mut note.kind {
                *what = "row";
            }
        }
        let typed = typed?;
        let number = match counted.sum.map(|field| &fields[usize::from(field)].ty) {
            Some(Type::Decimal { .. }) => matches!(typed.ty.kind, Kind::Integer | Kind::Decimal(_)),
            _ => matches!(typed.ty.kind, Kind::Integer | Kind::Decimal(_)),
        };
        if !number {
            let (expected, found) = ("integer or decimal".to_owned(), typed.ty.kind.to_string());
            let context = format!("an invariant with `{}`", symbol(comparison));
            self.note(NoteKind::TypeMismatch { expected, found, context }, ast.span);
            return None;
        }
        let mut speaks = false;
        super::conditions::walk(ast, &mut |part| speaks |= part.name().is_some());
        let right_row = reference.filter(|_| speaks).map(|reference| {
            let entity = reference.entity;
            let filter = Some(equal(&[reference.field]));
            let one = Select {
                entity,
                filter,
                order: Vec::new(),
                limit: Limit::Rows(1),
                after: None,
                lock: Lock::None,
            };
            let select = self.statements.add(Statement::Select(one));
            RightRow { entity, field: reference.field, select, all: self.pages(entity, &[], None) }
        });
        Some((typed.expression, right_row))
    }

    pub(super) fn index_group(&mut self, entity: EntityId, per: &[FieldId]) {
        let table = &mut self.schema.entities[usize::from(entity)];
        let is_reference = matches!(per, [one] if table.fields[usize::from(*one)].references.is_some());
        if !per.is_empty() && !is_reference {
            let fields = per.iter().map(|field| (*field, false)).collect();
            add_index(table, PlainIndex { fields, filter: None });
        }
    }

    /// The statements for the number of a group, and for how many rows it has.
    pub(super) fn of_group(
        &mut self,
        counted: &Counted,
        per: &[FieldId],
        filter: Option<&Condition>,
    ) -> (StatementId, StatementId) {
        let entity = counted.entity;
        let filter = match (per.is_empty(), filter) {
            (true, filter) => filter.cloned(),
            (false, None) => Some(equal(per)),
            (false, Some(filter)) => Some(Condition::All(vec![equal(per), filter.clone()])),
        };
        let rows = self.statements.add(Statement::Count { entity, filter: filter.clone() });
        let value = match counted.sum {
            None => rows,
            Some(field) => {
                let function = Aggregate::Sum;
                self.statements.add(Statement::Aggregate { function, entity, field, filter })
            }
        };
        (value, rows)
    }

    /// All rows in pages, sorted by some fields and then the primary key.
    pub(super) fn pages(
        &mut self,
        entity: EntityId,
        by: &[FieldId],
        filter: Option<Condition>,
    ) -> (StatementId, StatementId) {
        let key = &self.schema.entities[usize::from(entity)].primary_key;
        let mut order: Vec<(FieldId, bool)> = by.iter().map(|field| (*field, false)).collect();
        order.extend(key.iter().filter(|field| !by.contains(field)).map(|field| (*field, false)));
        let first = Select { entity, filter, order, limit: Limit::Rows(PAGE), after: None, lock: Lock::None };
        let behind = Select { after: Some(0), ..first.clone() };
        (self.statements.add(Statement::Select(first)), self.statements.add(Statement::Select(behind)))
    }
}

/// That fields equal the first parameters.
pub(super) fn equal(fields: &[FieldId]) -> Condition {
    let one = |(number, field): (u16, &FieldId)| {
        Condition::Compare(Comparison::Equal, Operand::Field(*field), Operand::Parameter(number))
    };
    let mut all: Vec<Condition> = (0..).zip(fields).map(one).collect();
    match all.len() {
        1 => all.remove(0),
        _ => Condition::All(all),
    }
}

/// `is`, `is at most`, `is at least`.
fn comparison(reader: &mut Reader<'_>) -> Result<BinaryOperator, Misread> {
    reader.sign(',');
    if !(reader.word("is") || reader.word("stays")) {
        return Err(reader.misread("`is`, `is at most` or `is at least`"));
    }
    reader.word("always");
    if reader.word("at") {
        if reader.word("most") {
            return Ok(BinaryOperator::LessOrEqual);
        }
        if reader.word("least") {
            return Ok(BinaryOperator::GreaterOrEqual);
        }
        return Err(reader.misread("`is at most` or `is at least`"));
    }
    if reader.sign('≤') {
        return Ok(BinaryOperator::LessOrEqual);
    }
    if reader.sign('≥') {
        return Ok(BinaryOperator::GreaterOrEqual);
    }
    reader.word("exactly");
    Ok(BinaryOperator::Equal)
}

const fn symbol(comparison: BinaryOperator) -> &'static str {
    match comparison {
        BinaryOperator::LessOrEqual => "is at most",
        BinaryOperator::GreaterOrEqual => "is at least",
        _ => "is",
    }
}
