//! The instructions of an operation, a job or a handler, and the answers and refusals that they end in.

use super::{EntityId, FieldId, InputField, Label, Reserve, Settle, Slot, StatementId, UpstreamCall};
use crate::expression::Expression;
use formwork_model::facts::Outcome;
use formwork_syntax::Span;
use std::sync::Arc;

/// Instructions of an operation or job.
#[derive(Clone, Debug, Default)]
pub struct Code {
    /// Run from the first on.
    pub instructions: Vec<Instruction>,
    /// The step that each instruction came from.
    pub spans: Vec<Span>,
    /// How many slots it needs, the fixed ones and the inputs included.
    pub slots: u16,
}

/// A refusal that a step raises.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Status and code.
    pub outcome: Outcome,
    /// The message; expressions are put in as text.
    pub message: Vec<MessagePart>,
    /// Further members of the problem.
    pub members: Vec<(Arc<str>, Expression)>,
}

/// A piece of a failure's message.
#[derive(Clone, Debug)]
pub enum MessagePart {
    /// As written.
    Text(Arc<str>),
    /// `{expr}`
    Expression(Expression),
}

/// What an instruction does. Slots hold variables; a bound row is [`Value::Row`](crate::value::Value::Row).
#[derive(Clone, Debug)]
pub enum Instruction {
    /// Fails when the condition is true (`unless` is lowered to a negation; absent counts as false).
    FailIf {
        /// The condition.
        condition: Expression,
        /// The refusal.
        failure: Failure,
    },
    /// Fails.
    Fail {
        /// The refusal.
        failure: Failure,
    },
    /// Goes on at `target`.
    Jump {
        /// Where.
        target: Label,
    },
    /// Goes on at `target` unless the condition is true.
    JumpUnless {
        /// The condition.
        condition: Expression,
        /// Where.
        target: Label,
    },
    /// Binds a value.
    Let {
        /// The variable.
        slot: Slot,
        /// Its value.
        value: Expression,
    },
    /// Binds an input of what is carried out: brought to its type, its rules tested. A broken one fails the operation
    /// with `422 invalid`.
    Accept {
        /// The variable.
        slot: Slot,
        /// The value given.
        value: Expression,
        /// Type and rules.
        field: Arc<InputField>,
        /// The name of what is carried out.
        of: Arc<str>,
    },
    /// Binds the one value of a Count, Exists or Aggregate statement.
    ReadValue {
        /// The statement.
        statement: StatementId,
        /// Its parameters.
        parameters: Vec<Expression>,
        /// The variable.
        slot: Slot,
    },
    /// Binds the first row, or `Absent` when there is none.
    ReadRow {
        /// The statement, a Select.
        statement: StatementId,
        /// Its parameters.
        parameters: Vec<Expression>,
        /// The variable.
        slot: Slot,
    },
    /// Goes on at `target` if the slot is bound to a row or value (not `Absent` or `Null`).
    JumpIfPresent {
        /// The variable.
        slot: Slot,
        /// Where.
        target: Label,
    },
    /// Binds a list of rows; more than 10,000 without a limit of their own are `500 too_many_rows`.
    ReadRows {
        /// The statement, a Select.
        statement: StatementId,
        /// Its parameters.
        parameters: Vec<Expression>,
        /// The variable.
        slot: Slot,
    },
    /// Binds a list of objects, one for each row of a Query; more than 10,000 are `500 too_many_rows`.
    ReadQuery {
        /// The statement, a Query.
        statement: StatementId,
        /// Its parameters.
        parameters: Vec<Expression>,
        /// The variable.
        slot: Slot,
    },
    /// Binds a page of rows. `first` is used without a cursor, `after` (whose last parameters are the cursor's
    /// values) with one; the last parameter before the cursor's values is the number of rows wanted plus one.
    ReadPage {
        /// Without a cursor.
        first: StatementId,
        /// With a cursor.
        after: StatementId,
        /// The parameters that both share, without limit and cursor.
        parameters: Vec<Expression>,
        /// The input slot of the hidden `cursor`: a list of the order's values, decoded by the edge.
        cursor: Slot,
        /// The input slot of the hidden `limit`: an integer, already clamped, or absent.
        limit: Slot,
        /// Rows per page unless the caller asks for another number.
        per_page: u32,
        /// The variable: list of rows. The engine remembers the page's cursor beside it.
        slot: Slot,
    },
    /// Makes a row. Fields that no assignment sets take default, generated or on-create values.
    Insert {
        /// Which table.
        entity: EntityId,
        /// The statement, an Insert.
        statement: StatementId,
        /// The values given; an absent value counts as not given. With a later entry for the same field, the later
        /// one holds.
        assignments: Vec<(FieldId, Expression)>,
        /// The variable, if one is bound.
        slot: Option<Slot>,
        /// `…, or fails with`: for a broken unique key.
        on_conflict: Option<Failure>,
    },
    /// Changes a bound row (all variables bound to it show it), and sets on-update fields.
    Update {
        /// The variable that holds the row; absent: nothing happens.
        slot: Slot,
        /// Which table.
        entity: EntityId,
        /// The statement, an UpdateByKey of exactly these fields plus the on-update ones, in field order.
        statement: StatementId,
        /// The values given. `Absent` leaves a field of `from_input` as it is.
        assignments: Vec<(FieldId, Expression)>,
        /// `…, or fails with`: for a broken unique key.
        on_conflict: Option<Failure>,
    },
    /// Deletes a bound row.
    Delete {
        /// The variable that holds the row; absent: nothing happens.
        slot: Slot,
        /// The statement, a DeleteByKey.
        statement: StatementId,
    },
    /// Has a handler run later, as the system: `Schedules`.
    Schedule {
        /// Index into [`Program::handlers`](super::Program::handlers).
        handler: u16,
        /// Its data, in the order of the handler's members.
        data: Vec<(Arc<str>, Expression)>,
        /// When: a timestamp, or a duration from now on.
        due: Expression,
    },
    /// Runs an UpdateWhere or DeleteWhere.
    WriteMany {
        /// The statement.
        statement: StatementId,
        /// Its parameters.
        parameters: Vec<Expression>,
        /// In a job: run again, each time in a transaction of its own, until it touches fewer rows than this.
        batch: Option<u32>,
    },
    /// Begins a loop over a list: binds `item` (and `number`, from 1) and goes on, or leaves at `end`.
    LoopStart {
        /// The list.
        list: Expression,
        /// A slot that keeps the position (starts at `Absent`).
        position: Slot,
        /// A slot that keeps the list, computed once.
        items: Slot,
        /// The variable.
        item: Slot,
        /// `numbered n`
        number: Option<Slot>,
        /// The first instruction behind the loop.
        end: Label,
    },
    /// Begins the next element of a loop whose elements are transactions of their own.
    NextElement(Box<NextElement>),
    /// Appends an event to the outbox.
    Emit {
        /// Index into [`Program::events`](super::Program::events).
        event: u16,
        /// Its data, in the order of the event's fields.
        data: Vec<(Arc<str>, Expression)>,
        /// The row that it is about, for the order per row.
        about: Option<Slot>,
    },
    /// Adds 1 to a counter, once per request, also when the operation fails later.
    Count {
        /// Index into [`Program::metrics`](super::Program::metrics).
        metric: u16,
        /// `by`
        by: Option<Expression>,
    },
    /// Records a value in a histogram.
    Observe {
        /// Index into [`Program::metrics`](super::Program::metrics).
        metric: u16,
        /// The value.
        value: Expression,
    },
    /// Keeps back what the operation may cost; fails when a budget does not suffice.
    Reserve(Box<Reserve>),
    /// Charges what the operation did cost.
    Settle(Box<Settle>),
    /// Answers.
    Return {
        /// The status.
        status: u16,
        /// The body: a row, a list of rows or any value.
        body: Answered,
        /// Further headers.
        headers: Vec<(Arc<str>, Expression)>,
    },
    /// Answers with a redirect.
    Redirect {
        /// 301, 302, 303, 307 or 308.
        status: u16,
        /// Where to.
        to: Expression,
    },
    /// Ends the operation or job; an operation answers 204.
    Stop,
    /// Ends the transaction; what follows runs in another.
    Commit,
    /// Ends the transaction, asks an external component, and goes on with its answer in another.
    Call(Box<UpstreamCall>),
    /// Ends the transaction and goes on in another when rows exist, or when the time is up.
    Wait {
        /// The statement, an Exists.
        statement: StatementId,
        /// Its parameters, evaluated with the present time at each look.
        parameters: Vec<Expression>,
        /// How long at most: a duration.
        at_most: Expression,
    },
}

impl Instruction {
    /// Whether it makes, changes or removes rows.
    pub fn writes_rows(&self) -> bool {
        matches!(
            self,
            Self::Insert { .. } | Self::Update { .. } | Self::Delete { .. } | Self::WriteMany { .. }
        )
    }

    /// Whether it leaves something behind when its transaction is committed, other than money that is kept back.
    pub fn lasts(&self) -> bool {
        self.writes_rows() || matches!(self, Self::Schedule { .. } | Self::Emit { .. })
    }

    /// Whether it ends its transaction and the operation goes on in another.
    pub fn parts(&self) -> bool {
        matches!(
            self,
            Self::Commit
                | Self::Call(_)
                | Self::Wait { .. }
                | Self::NextElement(_)
                | Self::WriteMany { batch: Some(_), .. }
        )
    }
}

/// What [`Instruction::NextElement`] does: it ends the transaction; the next one goes on behind the instruction, or at
/// `end` when there is no further element. What fails in an element undoes that element, and the next one begins.
#[derive(Clone, Debug)]
pub struct NextElement {
    /// Keeps what is still to come: a list, or for rows the keys of a page of them.
    pub left: Slot,
    /// Keeps how many elements have begun; absent before the first.
    pub begun: Slot,
    /// The variable of a list's item; for rows a slot for each field of the key.
    pub binds: Vec<Slot>,
    /// `numbered n`
    pub number: Option<Slot>,
    /// For rows, where they come from.
    pub rows: Option<PagedRows>,
    /// The variables of an element, which end with it: from the first one to before the second.
    pub inside: (Slot, Slot),
    /// The first instruction behind the loop.
    pub end: Label,
}

/// Rows that are read in pages, each page in the transaction before its first row.
#[derive(Clone, Debug)]
pub struct PagedRows {
    /// The statement for the first page, a Select with a limit.
    pub first: StatementId,
    /// The same behind a row, whose values of the order are its last parameters.
    pub behind: StatementId,
    /// The parameters of both.
    pub parameters: Vec<Expression>,
    /// Keeps the order's values of the page's last row; absent behind the last page.
    pub last: Slot,
    /// Holds how many rows at most.
    pub at_most: Option<Slot>,
}

impl Code {
    /// Where the element goes on to the next one that an instruction belongs to: the innermost one.
    pub fn element_around(&self, at: Label) -> Option<Label> {
        let before = self.instructions.get(..at as usize)?;
        let head = before.iter().rposition(
            |instruction| matches!(instruction, Instruction::NextElement(next) if at < next.end),
        )?;
        Label::try_from(head).ok()
    }

    /// Whether it runs in more than one transaction.
    pub fn has_parts(&self) -> bool {
        self.instructions.iter().any(Instruction::parts)
    }
}

/// The body of an answer.
#[derive(Clone, Debug)]
pub enum Answered {
    /// None (204).
    Nothing,
    /// A value: a row, a list of rows, a map, ….
    Value(Expression),
    /// A row with rows that belong to it, each list under its name.
    RowWith {
        /// The row.
        row: Expression,
        /// The lists.
        parts: Vec<(Arc<str>, Slot)>,
    },
    /// The page that a `ReadPage` bound to this slot: `{"items": […], "next_cursor": … or null}`.
    Page(Slot),
}
