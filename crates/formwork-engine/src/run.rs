//! The interpreter: runs the instructions of one call in one transaction.
//!
//! It decides nothing about tables, files or time: statements go to the [`Transaction`], the clock and the seed come
//! with the [`Call`]. A refusal leaves undoing to whoever opened the transaction.

mod answers;
mod auditing;
mod calling;
mod costs;
mod elements;
mod given;
mod many;
mod operands;
mod parts;
mod reading;
mod rules;
mod start;
mod telling;
mod writing;

pub use telling::MOST_LINKS;

use crate::assign::given;
use crate::host::CallHost;
use crate::ids::IdSource;
use crate::outcome::{Answer, Body, Call, ConflictKind, Ended, FieldFault, Refusal, What};
use crate::parts::{Part, Pending, Resume};
use crate::ports::{StoreError, Transaction};
use crate::precondition::{Precondition, Seen};
use crate::rows::{Rows, key};
use formwork_language::eval::{EvaluationError, Scope, evaluate};
use formwork_language::expression::Expression;
use formwork_language::program::{Code, Instruction, Label, Program, Slot};
use formwork_language::value::{RowIndex, Value};

/// Most rows that one statement without a limit of its own may give, and most rounds of a loop.
pub const MAX_ROWS_READ: usize = 10_000;
/// Most rows that one call may hold, however many statements read them: loops that read are bounded with it.
pub const MAX_ROWS_HELD: usize = 100_000;
/// Most rows that one transaction may write.
pub const MAX_ROWS_WRITTEN: u64 = 10_000;

/// Runs an operation or a job in an open transaction.
///
/// `overdue` is asked at every statement and jump whether the time for this call is up. When the result is a
/// refusal, the caller undoes the transaction; counters and observations stay.
pub fn run(
    program: &Program,
    call: Call,
    transaction: &mut dyn Transaction,
    ids: &mut IdSource,
    overdue: &dyn Fn() -> bool,
) -> Ended {
    run_from(program, call, None, transaction, ids, overdue)
}

/// Like [`run`], for a job that goes on where its last transaction ended.
pub fn run_from(
    program: &Program,
    call: Call,
    resume: Option<Resume>,
    transaction: &mut dyn Transaction,
    ids: &mut IdSource,
    overdue: &dyn Fn() -> bool,
) -> Ended {
    let nothing = Code::default();
    let found = match call.what {
        What::Rows(_) | What::RowsAtStart | What::Stored | What::Invariants => Some((&nothing, true)),
        What::Operation(index) => {
            program.operations.get(index as usize).map(|operation| (&operation.code, operation.writes))
        }
        What::Job(index) => program.jobs.get(index as usize).map(|job| (&job.code, true)),
        What::Handler { handler, .. } => {
            program.handlers.get(handler as usize).map(|handler| (&handler.code, true))
        }
    };
    let Some((code, writes)) = found else {
        return Ended::refused(Refusal::Internal("there is no such operation or job".into()));
    };
    let mut part = call.part;
    let resume = resume.or_else(|| part.as_mut().and_then(|part| part.resume.take()).map(|resume| *resume));
    let was_kept = resume.as_ref().filter(|resume| resume.kept).map(|resume| resume.step);
    let (start, mut slots, rows, after, pages, pending) = match resume {
        Some(resume) => {
            let rows = match resume.pending {
                Pending::Batch => Rows::restored(&program.schema, resume.rows),
                _ => Rows::copied(resume.rows, writes),
            };
            (resume.at, resume.slots, rows, resume.after, resume.pages, Some(resume.pending))
        }
        None => (0, call.slots, Rows::new(writes), None, Vec::new(), None),
    };
    slots.resize(usize::from(code.slots).max(slots.len()), Value::Absent);
    let mut run = Run {
        program,
        code,
        transaction,
        overdue,
        slots,
        rows,
        host: CallHost::new(call.now, call.seed, ids),
        pages,
        counts: Vec::new(),
        observations: Vec::new(),
        written: 0,
        touched: rules::Touched::default(),
        is_job: matches!(call.what, What::Job(_)),
        placed: matches!(call.what, What::Rows(_)),
        after,
        again: None,
        precondition: call.precondition,
        seen: Seen::default(),
        links: if let What::Handler { links, .. } = call.what { links } else { 0 },
        tells: !matches!(call.what, What::Rows(_) | What::RowsAtStart),
        made: Vec::new(),
        part,
        pending,
        emitted: false,
        recorded: Run::recorded(program, call.what),
        written_rows: Vec::new(),
        reserved: false,
    };
    let result = match call.what {
        What::Rows(entity) => run.put_rows(entity),
        What::RowsAtStart => run.rows_at_start(),
        What::Stored => run.stored_rows(),
        What::Invariants => run.invariants(),
        What::Operation(_) | What::Job(_) | What::Handler { .. } => run.instructions(code, start),
    };
    let mut result =
        result.and_then(|answer| run.end().and_then(|()| run.as_known()).and_then(|()| run.for_good(answer)));
    let resume = match &result {
        Ok(_) => run.end_part(call.what, was_kept),
        Err(_) => Ok(None),
    };
    let resume = resume.unwrap_or_else(|refusal| {
        result = Err(refusal);
        None
    });
    if let Ok(answer) = &result {
        let status = resume.is_none().then_some(answer.status);
        if let Err(refusal) = run.write_audit(call.what, status) {
            result = Err(refusal);
        }
    }
    let resume = resume.filter(|_| result.is_ok());
    Ended {
        again: resume.is_some(),
        resume: resume.map(Box::new),
        result,
        rows: run.rows.into_all(),
        counts: run.counts,
        observations: run.observations,
    }
}

/// One call under way.
struct Run<'a> {
    program: &'a Program,
    code: &'a Code,
    transaction: &'a mut dyn Transaction,
    overdue: &'a dyn Fn() -> bool,
    slots: Vec<Value>,
    rows: Rows,
    host: CallHost<'a>,
    /// For each slot that holds a page: the order's values of its last row when there are more.
    pages: Vec<(Slot, Option<Vec<Value>>)>,
    counts: Vec<(u16, f64)>,
    observations: Vec<(u16, f64)>,
    written: u64,
    /// What the end of the transaction must test.
    touched: rules::Touched,
    is_job: bool,
    /// Whether rows are put in place by a test, in whatever state.
    placed: bool,
    /// Behind which row the first update of many rows goes on.
    after: Option<Vec<Value>>,
    /// What the caller knows of the row that it wants to change, and what was seen of it.
    precondition: Option<Box<Precondition>>,
    seen: Seen,
    /// The rows that this call has made, which no caller can know.
    made: Vec<RowIndex>,
    /// Where it goes on in another transaction.
    again: Option<Again>,
    /// Which operation it is, when it has several parts.
    part: Option<Box<Part>>,
    /// What happened between the part before and this one, until the step that asked for it has seen it.
    pending: Option<Pending>,
    /// Whether an event was appended.
    emitted: bool,
    /// Whether money is kept back.
    reserved: bool,
    /// How many links the chain of events has that this call is told of.
    links: u8,
    /// What the audit trail has of the call itself, and what it has written that is recorded.
    recorded: Option<formwork_language::program::Recorded>,
    written_rows: Vec<auditing::Written>,
    /// Whether handlers are told: not of rows that a test puts in place.
    tells: bool,
}

/// Where a run goes on in another transaction, and what happens before.
struct Again {
    at: Label,
    after: Option<Vec<Value>>,
    pending: Pending,
}

/// Where a run goes on.
enum Next {
    Following,
    At(Label),
    Ended(Answer),
}

const NOTHING: Answer = Answer { status: 204, body: Body::Nothing, headers: Vec::new() };

impl Run<'_> {
    fn instructions(&mut self, code: &Code, start: Label) -> Result<Answer, Refusal> {
        let mut at = start as usize;
        while let Some(instruction) = code.instructions.get(at) {
            match self.step(instruction, at as Label)? {
                Next::Following => at += 1,
                Next::At(label) => {
                    // Only a jump can repeat; statements are checked where they run.
                    self.in_time()?;
                    at = label as usize;
                }
                Next::Ended(answer) => return Ok(answer),
            }
        }
        Ok(NOTHING)
    }

    fn step(&mut self, instruction: &Instruction, at: Label) -> Result<Next, Refusal> {
        match instruction {
            Instruction::FailIf { condition, failure } => {
                if self.is_true(condition)? {
                    return Err(self.failure(failure)?);
                }
            }
            Instruction::Fail { failure } => return Err(self.failure(failure)?),
            Instruction::Jump { target } => return Ok(Next::At(*target)),
            Instruction::JumpUnless { condition, target } => {
                if !self.is_true(condition)? {
                    return Ok(Next::At(*target));
                }
            }
            Instruction::JumpIfPresent { slot, target } => {
                if !matches!(self.slot(*slot), Value::Absent | Value::Null) {
                    return Ok(Next::At(*target));
                }
            }
            Instruction::Let { slot, value } => {
                let value = self.evaluate(value)?;
                self.bind(*slot, value);
            }
            Instruction::Accept { slot, value, field, of } => {
                let value = self.evaluate(value)?;
                let value = given(self.stored(value), field, of)?;
                self.bind(*slot, value);
            }
            Instruction::LoopStart { list, position, items, item, number, end } => {
                return self.next_round(list, [*position, *items, *item], *number, *end);
            }
            Instruction::ReadValue { .. }
            | Instruction::ReadRow { .. }
            | Instruction::ReadRows { .. }
            | Instruction::ReadQuery { .. }
            | Instruction::ReadPage { .. } => self.read(instruction)?,
            Instruction::Insert { .. }
            | Instruction::Update { .. }
            | Instruction::Delete { .. }
            | Instruction::Emit { .. } => self.write(instruction)?,
            Instruction::Schedule { handler, data, due } => self.schedule(*handler, data, due)?,
            Instruction::WriteMany { statement, parameters, batch } => {
                let full = self.write_many(*statement, parameters, *batch)?;
                self.again = full.map(|after| Again { at, after, pending: Pending::Batch });
                if self.again.is_some() {
                    return Ok(Next::Ended(NOTHING));
                }
            }
            Instruction::Count { metric, by } => {
                let by = by.as_ref().map_or(Ok(Some(1.0)), |by| self.number(by))?;
                self.counts.extend(by.map(|by| (*metric, by)));
            }
            Instruction::Observe { metric, value } => {
                let value = self.number(value)?;
                self.observations.extend(value.map(|value| (*metric, value)));
            }
            Instruction::Reserve(reserve) => self.reserve(reserve)?,
            Instruction::Settle(settle) => self.settle(settle)?,
            Instruction::Return { status, body, headers } => {
                return self.answer(*status, body, headers).map(Next::Ended);
            }
            Instruction::Redirect { status, to } => return self.redirect(*status, to).map(Next::Ended),
            Instruction::Stop => return Ok(Next::Ended(NOTHING)),
            Instruction::NextElement(next) => return self.next_element(next, at),
            Instruction::Commit => return Ok(self.ends_part(at + 1, Pending::Commit)),
            Instruction::Call(call) => return self.call(call, at),
            Instruction::Wait { statement, parameters, at_most } => {
                return self.wait(*statement, parameters, at_most, at);
            }
        }
        Ok(Next::Following)
    }

    /// Begins the next round of a loop, or leaves it and makes it ready to be begun anew.
    fn next_round(
        &mut self,
        list: &Expression,
        [position, items, item]: [Slot; 3],
        number: Option<Slot>,
        end: Label,
    ) -> Result<Next, Refusal> {
        let at = match self.slot(position) {
            Value::Integer(at) => usize::try_from(*at).unwrap_or(usize::MAX),
            _ => {
                let list = match self.evaluate(list)? {
                    Value::Map(members) => Value::List(members.iter().map(|(key, _)| key.clone()).collect()),
                    list => list,
                };
                if matches!(&list, Value::List(list) if list.len() > MAX_ROWS_READ) {
                    return Err(Refusal::TooManyRows);
                }
                self.bind(items, list);
                0
            }
        };
        let next = match self.slot(items) {
            Value::List(list) => list.get(at).cloned(),
            _ => None,
        };
        let Some(next) = next else {
            self.bind(position, Value::Absent);
            self.bind(items, Value::Absent);
            return Ok(Next::At(end));
        };
        let following = i64::try_from(at).unwrap_or(i64::MAX).saturating_add(1);
        self.bind(item, next);
        self.bind(position, Value::Integer(following));
        if let Some(number) = number {
            self.bind(number, Value::Integer(following));
        }
        Ok(Next::Following)
    }

    fn slot(&self, slot: Slot) -> &Value {
        self.slots.get(usize::from(slot)).unwrap_or(&Value::Absent)
    }

    fn bind(&mut self, slot: Slot, value: Value) {
        if let Some(place) = self.slots.get_mut(usize::from(slot)) {
            *place = value;
        }
    }

    /// The row that a slot holds, if it holds one.
    fn row_in(&self, slot: Slot) -> Option<RowIndex> {
        match self.slot(slot) {
            Value::Row(index) => Some(*index),
            _ => None,
        }
    }

    fn evaluate(&mut self, expression: &Expression) -> Result<Value, Refusal> {
        match expression {
            // The two that most parameters are need no scope.
            Expression::Constant(value) => return Ok(value.clone()),
            Expression::Slot(slot) => return Ok(self.slot(*slot).clone()),
            _ => {}
        }
        let mut scope = Scope { slots: &self.slots, rows: self.rows.all(), host: &mut self.host };
        evaluate(expression, &mut scope).map_err(failed)
    }

    fn all(&mut self, expressions: &[Expression]) -> Result<Vec<Value>, Refusal> {
        expressions
            .iter()
            .map(|expression| self.evaluate(expression).map(|value| self.stored(value)))
            .collect()
    }

    /// A value as tables keep it: a row by its key, when that is one field.
    fn stored(&self, value: Value) -> Value {
        let Value::Row(index) = value else { return value };
        let Some(row) = self.rows.all().get(index as usize) else { return Value::Null };
        match <[Value; 1]>::try_from(key(&self.program.schema, row)) {
            Ok([key]) => key,
            Err(_) => Value::Null,
        }
    }

    fn is_true(&mut self, condition: &Expression) -> Result<bool, Refusal> {
        Ok(matches!(self.evaluate(condition)?, Value::Boolean(true)))
    }

    /// A number for a metric; nothing for an absent one.
    fn number(&mut self, expression: &Expression) -> Result<Option<f64>, Refusal> {
        Ok(match self.evaluate(expression)? {
            Value::Integer(number) => Some(number as f64),
            Value::Unsigned(number) => Some(number as f64),
            Value::Double(number) => Some(number),
            Value::Decimal(number) => Some(number.units as f64 / 10_f64.powi(i32::from(number.scale))),
            // Metrics count time in seconds.
            Value::Duration(micros) => Some(micros as f64 / 1e6),
            _ => None,
        })
    }

    /// Notes the state of a row that is about to be updated or deleted.
    fn touches(&mut self, row: RowIndex) {
        if self.made.contains(&row) {
            return;
        }
        if let (Some(condition), Some(row)) = (&self.precondition, self.rows.all().get(row as usize)) {
            self.seen.touch(condition, &self.program.schema, row);
        }
    }

    /// Refuses when no row was as the caller knows it. Asked at the end, so that every refusal of the steps wins.
    fn as_known(&self) -> Result<(), Refusal> {
        let holds = self.precondition.as_ref().is_none_or(|condition| self.seen.holds(condition));
        if holds { Ok(()) } else { Err(Refusal::Precondition) }
    }

    /// An answer whose effects hold; of a rehearsal nothing does.
    fn for_good(&self, answer: Answer) -> Result<Answer, Refusal> {
        match &self.precondition {
            Some(condition) if condition.rehearsal => Err(Refusal::Rehearsed(Box::new(answer))),
            _ => Ok(answer),
        }
    }

    fn in_time(&self) -> Result<(), Refusal> {
        if (self.overdue)() { Err(Refusal::TooMuchWork) } else { Ok(()) }
    }
}

/// What an expression without a value means for the caller.
fn failed(error: EvaluationError) -> Refusal {
    match error {
        EvaluationError::Arithmetic(what) => Refusal::Arithmetic(what),
        EvaluationError::TooMuchWork => Refusal::TooMuchWork,
        EvaluationError::Invalid(detail) => Refusal::Unacceptable(detail),
        EvaluationError::NoOverload(what) => {
            Refusal::Unacceptable(format!("`{what}` does not take values of these types"))
        }
    }
}

/// What a fault of the store means for the caller.
fn refusal(error: StoreError) -> Refusal {
    match error {
        StoreError::Unique { entity, fields } => {
            Refusal::Conflict { entity, fields, kind: ConflictKind::Unique }
        }
        StoreError::MissingReference { entity, fields } => {
            Refusal::Conflict { entity, fields, kind: ConflictKind::MissingReference }
        }
        StoreError::Referenced { entity } => {
            Refusal::Conflict { entity, fields: Vec::new(), kind: ConflictKind::Referenced }
        }
        StoreError::Invalid { entity, field, code, detail } => {
            Refusal::Invalid(vec![FieldFault { entity, field, code, detail }])
        }
        StoreError::Arithmetic => Refusal::Arithmetic("a number is beyond what its field keeps"),
        StoreError::TooMuchWork => Refusal::TooMuchWork,
        StoreError::MovedOn => Refusal::MovedOn,
        StoreError::Unavailable(_) => Refusal::Unavailable,
        StoreError::Internal(what) => Refusal::Internal(what),
    }
}
