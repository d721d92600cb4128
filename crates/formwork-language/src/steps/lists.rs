//! Reading many rows: ``Lists the `E` where …, newest first, 50 per page.``

use crate::expression::Expression;
use crate::lower::{Answer, AnswerKind, Lowering};
use crate::notes::NoteKind;
use crate::program::{EntityId, FieldId, Instruction, Limit, Lock, Select, Slot, Statement, slots};
use crate::steps::clause::{Clause, Joined, Misread, TailKind};
use crate::steps::finds::rows;
use crate::steps::{Action, Form, Grammar};
use crate::tokens::Token;
use crate::value::Value;
use formwork_model::values::Type;
use formwork_syntax::{Code, Span};

/// How many rows a list that names no bound of its own may have; one more is read to notice it.
pub(crate) const MOST_ROWS: u32 = 10_000;

/// ``Lists the `E` …``
pub(crate) static LISTS: Form = Form {
    name: "Lists",
    heads: &["lists"],
    notation: "Lists the `E` [where `EXPR`] [, sorted by `f` descending / newest first] \
               [, at most N / N per page] [as `xs`].",
    tails: &[
        TailKind::As,
        TailKind::SortedBy,
        TailKind::ThenBy,
        TailKind::NewestFirst,
        TailKind::OldestFirst,
        TailKind::AtMost,
        TailKind::PerPage,
        TailKind::Locking,
        TailKind::Skipping,
    ],
    grammar: Grammar::Tails(read),
};

#[derive(Debug)]
struct Lists {
    rows: Selection,
    per_page: Option<u32>,
    variable: Option<Code>,
}

fn read(clause: &mut Clause<'_>) -> Result<Box<dyn Action>, Misread> {
    let mut reader = clause.take_object();
    let entity = reader.code("the name of an entity in backticks")?;
    reader.end("`where`, `sorted by`, `newest first`, `at most`, `per page` or `as`")?;
    let variable = clause.one_code(TailKind::As, "the variable in backticks")?;
    let per_page = bound(clause, TailKind::PerPage)?;
    let rows = Selection::read(clause, entity)?;
    if rows.at_most.is_some() && per_page.is_some() {
        return Err(clause.missing("either `at most` or `per page`, not both"));
    }
    Ok(Box::new(Lists { rows, per_page, variable }))
}

/// Which rows of an entity, in which order, and how many at most.
#[derive(Debug)]
pub(crate) struct Selection {
    entity: Code,
    filter: Option<Joined>,
    sorting: Sorting,
    at_most: Option<Bound>,
    lock: Lock,
}

impl Selection {
    /// Takes the tails that say which rows out of a step.
    pub(crate) fn read(clause: &mut Clause<'_>, entity: Code) -> Result<Self, Misread> {
        Ok(Self {
            entity,
            filter: clause.conditions(TailKind::Where)?,
            sorting: Sorting::read(clause)?,
            at_most: at_most(clause)?,
            lock: lock(clause)?,
        })
    }

    /// Appends the reading of the rows: their entity, and the slot of the list.
    pub(crate) fn lower(&self, cx: &mut Lowering<'_>) -> Option<(EntityId, Slot)> {
        let entity = cx.entity(&self.entity)?;
        let (select, parameters) = self.select(cx, entity)?;
        let statement = cx.statement(Statement::Select(select));
        let slot = cx.hidden_slot();
        cx.push(Instruction::ReadRows { statement, parameters, slot });
        Some((entity, slot))
    }

    /// The rows without the bound, and the bound: absent where there is none.
    pub(crate) fn unbounded(
        &self,
        cx: &mut Lowering<'_>,
    ) -> Option<(Select, Vec<Expression>, Option<Expression>)> {
        let entity = cx.entity(&self.entity)?;
        let (select, parameters) = self.ordered(cx, entity)?;
        let at_most = match &self.at_most {
            None => None,
            Some(Bound::Number(rows)) => Some(Expression::Constant(Value::Integer(i64::from(*rows)))),
            Some(Bound::Value(code)) => Some(cx.value_of(code, &Type::Integer, "`at most`")?),
        };
        Some((select, parameters, at_most))
    }

    fn ordered(&self, cx: &mut Lowering<'_>, entity: EntityId) -> Option<(Select, Vec<Expression>)> {
        cx.reads(entity);
        cx.locks(self.lock);
        let filter = cx.filter(entity, self.filter.as_ref());
        let order = self.sorting.lower(cx, entity);
        let ((filter, parameters), order) = (filter?, order?);
        let limit = Limit::Rows(MOST_ROWS + 1);
        Some((Select { entity, filter, order, limit, after: None, lock: self.lock }, parameters))
    }

    fn select(&self, cx: &mut Lowering<'_>, entity: EntityId) -> Option<(Select, Vec<Expression>)> {
        let (select, mut parameters) = self.ordered(cx, entity)?;
        let limit = self.limit(cx, &mut parameters)?;
        Some((Select { limit, ..select }, parameters))
    }
}

/// `locking them`, `skipping those taken by others`
pub(crate) fn lock(clause: &mut Clause<'_>) -> Result<Lock, Misread> {
    let waits = clause.take_flag(TailKind::Locking)?;
    Ok(match clause.take_flag(TailKind::Skipping)? {
        true => Lock::SkipTaken,
        false if waits => Lock::Wait,
        false => Lock::None,
    })
}

/// How many rows a list has at most.
#[derive(Debug)]
enum Bound {
    Number(u32),
    Value(Code),
}

/// A number of rows, or an expression that gives one.
fn at_most(clause: &mut Clause<'_>) -> Result<Option<Bound>, Misread> {
    let tail = clause.tails.iter().find(|tail| tail.kind == TailKind::AtMost);
    let code = tail.and_then(|tail| tail.tokens.iter().find_map(Token::code)).cloned();
    let is_number =
        |code: &Code| code.text(clause.source).chars().all(|digit| digit.is_ascii_digit() || digit == ',');
    match code.filter(|code| !is_number(code)) {
        Some(code) => {
            clause.one_code(TailKind::AtMost, "a whole number")?;
            Ok(Some(Bound::Value(code)))
        }
        None => Ok(bound(clause, TailKind::AtMost)?.map(Bound::Number)),
    }
}

/// A number of rows from 1 to 10,000.
fn bound(clause: &mut Clause<'_>, kind: TailKind) -> Result<Option<u32>, Misread> {
    let Some(tail) = clause.take(kind) else { return Ok(None) };
    let mut reader = clause.reader(tail.tokens, tail.span);
    let number = reader.number("a whole number")?;
    let fits = u32::try_from(number).ok().filter(|number| (1..=MOST_ROWS).contains(number));
    let Some(number) = fits else {
        return Err(Misread {
            word: Some(number.to_string()),
            expected: "a number from 1 to 10,000".to_owned(),
            span: tail.span,
        });
    };
    reader.end("a comma or the end of the sentence")?;
    Ok(Some(number))
}

impl Selection {
    fn limit(&self, cx: &mut Lowering<'_>, parameters: &mut Vec<Expression>) -> Option<Limit> {
        match &self.at_most {
            None => Some(Limit::Rows(MOST_ROWS + 1)),
            Some(Bound::Number(rows)) => Some(Limit::Rows(*rows)),
            Some(Bound::Value(code)) => {
                let number = u16::try_from(parameters.len()).ok()?;
                parameters.push(cx.value_of(code, &Type::Integer, "`at most`")?);
                Some(Limit::Parameter(number))
            }
        }
    }
}

impl Lists {
    /// Two statements for a page: without a cursor and behind one.
    fn page(
        &self,
        cx: &mut Lowering<'_>,
        select: Select,
        parameters: Vec<Expression>,
        per_page: u32,
    ) -> Option<u16> {
        let (cursor, limit) = cx.page_inputs()?;
        let count = u16::try_from(parameters.len()).ok()?;
        let first = Select { limit: Limit::Parameter(count), ..select };
        let after = Select { after: Some(count + 1), ..first.clone() };
        let (first, after) = (cx.statement(Statement::Select(first)), cx.statement(Statement::Select(after)));
        let slot = cx.hidden_slot();
        cx.push(Instruction::ReadPage { first, after, parameters, cursor, limit, per_page, slot });
        Some(slot)
    }
}

impl Action for Lists {
    fn pages(&self) -> bool {
        self.per_page.is_some()
    }

    fn lower(&self, cx: &mut Lowering<'_>) {
        let Some(entity) = cx.entity(&self.rows.entity) else { return };
        let bound = match self.per_page {
            Some(per_page) => self.rows.select(cx, entity).and_then(|(select, parameters)| {
                Some((self.page(cx, select, parameters, per_page)?, AnswerKind::Page))
            }),
            None => self.rows.lower(cx).map(|(_, slot)| (slot, AnswerKind::List)),
        };
        let slot = bound.map(|(slot, _)| slot);
        if let Some((slot, kind)) = bound {
            cx.answer(Answer { kind, entity, slot });
        }
        if let Some(variable) = &self.variable {
            let ty = rows(cx.row(entity)).required();
            // Bound even when the list itself is wrong, so that one mistake gives one note.
            let slot = slot.unwrap_or(slots::CALLER_ID);
            cx.bind_slot(variable, slot, ty);
        }
    }
}

/// `sorted by`, `then by`, `newest first`, `oldest first`.
#[derive(Debug, Default)]
pub(crate) struct Sorting {
    fields: Vec<(Code, bool)>,
    by_age: Option<(bool, Span)>,
}

impl Sorting {
    /// Takes the order out of a step.
    pub(crate) fn read(clause: &mut Clause<'_>) -> Result<Self, Misread> {
        let mut sorting = Self::default();
        for kind in [TailKind::SortedBy, TailKind::ThenBy] {
            while let Some(tail) = clause.take(kind) {
                let mut reader = clause.reader(tail.tokens, tail.span);
                loop {
                    let field = reader.code("a field in backticks")?;
                    let descending = reader.word("descending") || reader.word("desc");
                    let _ = !descending && (reader.word("ascending") || reader.word("asc"));
                    sorting.fields.push((field, descending));
                    let more = reader.sign(',') | reader.word("and");
                    if !more || reader.is_done() {
                        break;
                    }
                }
                reader.end("`descending`, another field, or the end of the sentence")?;
            }
        }
        for (kind, newest) in [(TailKind::NewestFirst, true), (TailKind::OldestFirst, false)] {
            let span = clause.tails.iter().find(|tail| tail.kind == kind).map(|tail| tail.span);
            if let (true, Some(span)) = (clause.take_flag(kind)?, span) {
                if !sorting.is_empty() {
                    return Err(clause.missing("one order: `sorted by`, `newest first` or `oldest first`"));
                }
                sorting.by_age = Some((newest, span));
            }
        }
        Ok(sorting)
    }

    /// Whether nothing says how to sort.
    pub(crate) fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.by_age.is_none()
    }

    /// The fields in order; ends with the primary key.
    pub(crate) fn lower(&self, cx: &mut Lowering<'_>, entity: EntityId) -> Option<Vec<(FieldId, bool)>> {
        let mut order = Vec::new();
        for (code, descending) in &self.fields {
            order.push((cx.field(entity, code)?, *descending));
        }
        if let Some((newest, span)) = self.by_age {
            match cx.created_at(entity) {
                Some(field) => order.push((field, newest)),
                None => {
                    let subject = cx.entity_name(entity);
                    cx.note(NoteKind::Other { entry: "no_age", subject }, span);
                }
            }
        }
        let descending = self.by_age.is_some_and(|(newest, _)| newest);
        for field in cx.primary_key(entity) {
            if order.iter().all(|(other, _)| *other != field) {
                order.push((field, descending));
            }
        }
        Some(order)
    }
}
