//! The program: what `formwork-engine` runs. Names are slots, conditions are portable operators, and every
//! statement is known before the first request.
//!
//! An operation is a graph of segments: a segment is what one transaction runs without waiting for anything
//! outside the store. `Every` jobs are operations without a request.

use crate::constraint::FieldRules;
use crate::expression::Expression;
use crate::rules::{EntityRules, Invariant, RowByRow, StartRow};
use crate::value::Value;
use formwork_model::facts::{OnDelete, Outcome};
use formwork_model::values::Type;
use formwork_syntax::Span;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Index into [`Program::statements`].
pub type StatementId = u32;
/// Index into [`Schema::entities`].
pub type EntityId = u16;
/// Index into [`EntitySchema::fields`].
pub type FieldId = u16;
/// Index into an operation's slots. The first [`slots::INPUT`] are fixed, see [`slots`].
pub type Slot = u16;
/// Index into [`Code::instructions`].
pub type Label = u32;

/// The fixed slots of every operation, before its input fields (in the order of [`InputShape::fields`]) and its
/// variables. For an operation with a page, the last two input fields are the hidden `cursor` and `limit`.
pub mod slots {
    use super::Slot;
    /// `caller.id`: text, or absent in a public operation.
    pub const CALLER_ID: Slot = 0;
    /// `caller.roles`: list of text.
    pub const CALLER_ROLES: Slot = 1;
    /// `caller.scopes`: list of text.
    pub const CALLER_SCOPES: Slot = 2;
    /// `caller.claims`: map.
    pub const CALLER_CLAIMS: Slot = 3;
    /// `request.id`: text.
    pub const REQUEST_ID: Slot = 4;
    /// `request.ip`: text.
    pub const REQUEST_IP: Slot = 5;
    /// `request.headers`: map of lower-case names.
    pub const REQUEST_HEADERS: Slot = 6;
    /// The first input field.
    pub const INPUT: Slot = 7;
    /// In a handler, `event`: a map of `id` and, for an emitted event or something scheduled, `data`.
    pub const EVENT: Slot = 7;
    /// In a handler of changes, the row as it is after the change, or was before it was deleted: a map of its fields.
    pub const CHANGED: Slot = 8;
    /// In a handler of changes, `before`: the row as it was; absent for one that was created.
    pub const BEFORE: Slot = 9;
}

/// Everything that runs.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// Tables.
    pub schema: Schema,
    /// Statements that operations and jobs use.
    pub statements: Vec<Statement>,
    /// Every operation of sections 4 and 5 that is served over HTTP, in the order of the document, whatever its mode.
    pub operations: Vec<Operation>,
    /// Procedures: what several operations share. Where one is carried out, its instructions stand in the operation.
    pub procedures: Vec<Procedure>,
    /// Standing steps that run by the clock.
    pub jobs: Vec<Job>,
    /// What runs after a commit: standing steps that begin with *When*, and what is scheduled.
    pub handlers: Vec<Handler>,
    /// Events that steps emit or section 10 declares; `Emit` refers by index.
    pub events: Vec<EventShape>,
    /// Counters and histograms that steps fill; `Count` refers by index.
    pub metrics: Vec<MetricShape>,
    /// Roles that section 9 or *Requires* name, sorted, without `system`, `internal`, `anonymous`.
    pub roles: Vec<Arc<str>>,
    /// The header that carries API keys; `x-api-key` by default. Lower case.
    pub api_key_header: Arc<str>,
    /// What the document says of `Idempotency-Key`; an operation that is not named has
    /// [`OnceRule::usual`].
    pub once: Vec<OnceRule>,
    /// Statements over many rows of tables whose rows the engine must see, and how they are done one by one.
    pub row_by_row: FxHashMap<StatementId, RowByRow>,
    /// The external components of section 3; calls refer by index.
    pub upstreams: Vec<Upstream>,
    /// The names that `secret("…")` reads, each once, sorted.
    pub secrets: Vec<Arc<str>>,
}

/// How an operation takes `Idempotency-Key`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OnceRule {
    /// Index into [`Program::operations`].
    pub operation: u32,
    /// Whether a request without one is refused.
    pub required: bool,
    /// How long an answer is kept, in microseconds; absent: for ever.
    pub kept: Option<i64>,
}

impl OnceRule {
    /// A key may be sent, and its answer is kept for 24 h.
    pub const fn usual(operation: u32) -> Self {
        Self { operation, required: false, kept: Some(86_400_000_000) }
    }
}

impl Program {
    /// How an operation takes `Idempotency-Key`.
    pub fn once_rule(&self, operation: u32) -> OnceRule {
        let found = self.once.iter().find(|rule| rule.operation == operation);
        found.copied().unwrap_or(OnceRule::usual(operation))
    }
}

/// The tables of the document.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    /// In the order of the document.
    pub entities: Vec<EntitySchema>,
    /// What must hold over groups of rows at the end of each transaction.
    pub invariants: Vec<Invariant>,
    /// Rows that are there from the start.
    pub rows_at_start: Vec<StartRow>,
}

/// A table.
#[derive(Clone, Debug)]
pub struct EntitySchema {
    /// Its name as written.
    pub name: Arc<str>,
    /// Its columns. An entity without a primary key has a first field `id` (uuid, generated) of its own.
    pub fields: Vec<FieldSchema>,
    /// The fields of its primary key.
    pub primary_key: Vec<FieldId>,
    /// Unique keys other than the primary key.
    pub unique: Vec<UniqueKey>,
    /// Indexes for speed.
    pub indexes: Vec<PlainIndex>,
    /// What must hold over several fields or rows.
    pub rules: EntityRules,
    /// Where it is declared.
    pub span: Span,
}

/// A column.
#[derive(Clone, Debug)]
pub struct FieldSchema {
    /// Its name as written.
    pub name: Arc<str>,
    /// Its type; a reference by name is resolved to the type of the other's key.
    pub ty: Type,
    /// Whether it may be null.
    pub optional: bool,
    /// Value of a new row when none is given. A constant, or calls such as `now()`.
    pub default: Option<Expression>,
    /// A uuid made on create.
    pub generated: bool,
    /// Set to `now()` on create.
    pub on_create: bool,
    /// Set to `now()` on create and update.
    pub on_update: bool,
    /// May not be changed by an update.
    pub immutable: bool,
    /// Never returned.
    pub hidden: bool,
    /// Stored as its digest, and compared by value.
    pub secret: bool,
    /// Masked in logs.
    pub personal: bool,
    /// Whether its value follows from other fields, see [`EntityRules::computed`].
    pub computed: bool,
    /// Whom it references.
    pub references: Option<Reference>,
    /// What must hold of its value.
    pub rules: FieldRules,
}

impl FieldSchema {
    /// Whether a new row has a value for it, or may go without one, when none is given.
    pub fn may_be_left_out(&self) -> bool {
        let filled = self.default.is_some() || self.generated || self.computed;
        self.optional || filled || self.on_create || self.on_update
    }
}

/// A foreign key of one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The other table.
    pub entity: EntityId,
    /// Its field.
    pub field: FieldId,
    /// What happens when the other row goes.
    pub on_delete: OnDelete,
}

/// A unique key.
#[derive(Clone, Debug)]
pub struct UniqueKey {
    /// Its fields.
    pub fields: Vec<FieldId>,
    /// Which rows it covers; without parameters.
    pub filter: Option<Condition>,
    /// How a broken one is answered; else `409 conflict`.
    pub otherwise: Option<Outcome>,
}

/// An index.
#[derive(Clone, Debug)]
pub struct PlainIndex {
    /// Its fields; `true` for descending.
    pub fields: Vec<(FieldId, bool)>,
    /// Which rows it covers; without parameters.
    pub filter: Option<Condition>,
}

/// A statement that a store prepares once. Parameters are numbered from 0 in each statement.
#[derive(Clone, Debug)]
pub enum Statement {
    /// Whole rows: all fields in order, then the version.
    Select(Select),
    /// Rows of what the document's own SQL gives.
    Query(Query),
    /// One row with one value: the number of rows.
    Count {
        /// Which table.
        entity: EntityId,
        /// Which rows; all when absent.
        filter: Option<Condition>,
    },
    /// One row with one boolean.
    Exists {
        /// Which table.
        entity: EntityId,
        /// Which rows; any when absent.
        filter: Option<Condition>,
    },
    /// One row with one value; `Null` over nothing but for the sum, which is 0 of the field's type.
    Aggregate {
        /// What is computed.
        function: Aggregate,
        /// Which table.
        entity: EntityId,
        /// Over which field.
        field: FieldId,
        /// Which rows; all when absent.
        filter: Option<Condition>,
    },
    /// Parameters: every field in order. The version becomes 1.
    Insert {
        /// Which table.
        entity: EntityId,
    },
    /// Updates the row with a given primary key; the version grows by one. Parameters: the new values of `fields`
    /// in order, then the primary key. Gives the number of rows touched.
    UpdateByKey {
        /// Which table.
        entity: EntityId,
        /// The columns set.
        fields: Vec<FieldId>,
    },
    /// Updates every row that fits; versions grow by one. Gives the number of rows touched.
    UpdateWhere {
        /// Which table.
        entity: EntityId,
        /// The columns set; operands may be fields (old values) and parameters.
        assignments: Vec<(FieldId, Operand)>,
        /// Which rows; all when absent.
        filter: Option<Condition>,
        /// At most so many rows, in primary-key order.
        limit: Option<u32>,
    },
    /// Deletes the row with a given primary key. Parameters: the primary key. Gives the number of rows touched.
    DeleteByKey {
        /// Which table.
        entity: EntityId,
    },
    /// Deletes every row that fits. Gives the number of rows touched, those of a cascade not counted.
    DeleteWhere {
        /// Which table.
        entity: EntityId,
        /// Which rows; all when absent.
        filter: Option<Condition>,
        /// At most so many rows, in primary-key order.
        limit: Option<u32>,
        /// When set, not the rows that fit go but the rows of another table at the end of a chain of cascading
        /// references `(child entity, its referencing field)`, first the one nearest to `entity`.
        through: Vec<(EntityId, FieldId)>,
    },
}

/// A read of whole rows.
#[derive(Clone, Debug)]
pub struct Select {
    /// Which table.
    pub entity: EntityId,
    /// Which rows; all when absent.
    pub filter: Option<Condition>,
    /// In which order; `true` for descending. Ends with the primary key whenever more than one row may come.
    /// Null values sort last in both directions.
    pub order: Vec<(FieldId, bool)>,
    /// How many rows.
    pub limit: Limit,
    /// Continue after a row: the values of `order`'s fields are the parameters from this one on. `Null` values are
    /// possible for optional fields.
    pub after: Option<u16>,
    /// Whether the rows are locked until the transaction ends, in primary-key order. A store with a single writer has
    /// nothing to do for it.
    pub lock: Lock,
}

/// How a [`Select`] locks its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Lock {
    /// Not at all.
    #[default]
    None,
    /// `locking it`, `locking them`: waits for each row, and reads its newest state.
    Wait,
    /// `skipping those taken by others`: takes rows that are free, and passes over the rest.
    SkipTaken,
}

/// A read in the document's own SQL. Its tables, columns and parameters are known to exist; whether the database takes
/// it shows when it is prepared.
#[derive(Clone, Debug)]
pub struct Query {
    /// Its text for SQLite, parameters as `?1`.
    pub sqlite: Arc<str>,
    /// Its text for PostgreSQL, parameters as `$1`.
    pub postgres: Arc<str>,
    /// The type of each parameter, in whose storage form it is passed.
    pub parameters: Vec<Type>,
    /// What each row has, by the names of the columns that the text gives; read in the storage form of its type.
    pub columns: Vec<QueryColumn>,
    /// The tables that it reads.
    pub reads: Vec<EntityId>,
}

/// A column of a [`Query`].
#[derive(Clone, Debug)]
pub struct QueryColumn {
    /// Its name.
    pub name: Arc<str>,
    /// Its type.
    pub ty: Type,
    /// Whether it may be null.
    pub optional: bool,
}

/// How many rows a [`Select`] gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// At most so many.
    Rows(u32),
    /// At most as many as this parameter says (an integer; 0 or less gives none).
    Parameter(u16),
}

/// The aggregates of a [`Statement::Aggregate`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aggregate {
    /// Sum; exact for integers (checked) and decimals.
    Sum,
    /// Smallest.
    Smallest,
    /// Largest.
    Largest,
    /// Average: double of doubles, else a decimal with 6 digits behind the point, half to even.
    Average,
}

/// A condition in negation normal form over the fields of one table. Source: language reference, *SQL*.
///
/// Meaning of absent values (null columns and null parameters): a positive comparison with one is false; `Not` of a
/// comparison is exactly the opposite and so true.
#[derive(Clone, Debug)]
pub enum Condition {
    /// All of them.
    All(Vec<Condition>),
    /// Any of them.
    Any(Vec<Condition>),
    /// Exactly the opposite: `(…) IS NOT TRUE`.
    Not(Box<Condition>),
    /// A comparison; false when either side is null.
    Compare(Comparison, Operand, Operand),
    /// Is null.
    IsNull(Operand),
    /// Is not null.
    IsNotNull(Operand),
    /// The operand is a member of the list parameter.
    InList(Operand, u16),
    /// The operand is one of these constants or parameters.
    InOperands(Operand, Vec<Operand>),
    /// `startsWith`, `endsWith`, `contains`: by code points, literal.
    TextTest(TextTest, Operand, Operand),
    /// A boolean operand that is true.
    IsTrue(Operand),
}

/// The comparisons of a [`Condition`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=` of two present values.
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// The text tests of a [`Condition`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextTest {
    /// `startsWith`
    StartsWith,
    /// `endsWith`
    EndsWith,
    /// `contains`
    Contains,
}

/// A value in SQL.
#[derive(Clone, Debug)]
pub enum Operand {
    /// A field of the searched table.
    Field(FieldId),
    /// A parameter. The expression behind it has no fields and was computed before.
    Parameter(u16),
    /// A constant.
    Constant(Value),
    /// Arithmetic on integers or decimals; `scale` is the result's (0 for integers). Overflow is an error.
    Arithmetic {
        /// `+`, `-` or `*`.
        operator: ArithmeticOperator,
        /// Left side.
        left: Box<Operand>,
        /// Right side.
        right: Box<Operand>,
        /// Scale of the left operand, of the right operand, and of the result.
        scales: (u8, u8, u8),
    },
    /// A timestamp plus or minus a duration; both in microseconds.
    ShiftTime {
        /// The timestamp.
        timestamp: Box<Operand>,
        /// The duration.
        duration: Box<Operand>,
        /// Whether it is subtracted.
        minus: bool,
    },
    /// `lower` / `upper` of ASCII letters, `size` of a text in code points.
    Function(SqlFunction, Box<Operand>),
    /// `a ?? b`
    Coalesce(Box<Operand>, Box<Operand>),
    /// `c ? a : b`
    Choose(Box<Condition>, Box<Operand>, Box<Operand>),
}

/// See [`Operand::Arithmetic`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArithmeticOperator {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
}

/// See [`Operand::Function`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SqlFunction {
    /// `lower`
    Lower,
    /// `upper`
    Upper,
    /// `size`
    Size,
}

/// How an operation is served. Source: product description, *Ways to run one operation*.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Its steps are run.
    Executed,
    /// Its steps are prose or missing; those that its other facts determine are run.
    Inferred,
    /// Answers that fit the declared output, marked as mocked.
    Mocked,
}

impl Mode {
    /// Whether it has code that runs.
    pub fn runs(self) -> bool {
        !matches!(self, Self::Mocked)
    }
}

/// Where an operation is served.
pub use formwork_model::sections::interface::Surface;

/// An operation that is served over HTTP.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Its name.
    pub name: Arc<str>,
    /// Upper case.
    pub method: Arc<str>,
    /// The route.
    pub path: Vec<PathPart>,
    /// Which listener.
    pub surface: Surface,
    /// How it is served.
    pub mode: Mode,
    /// What it accepts.
    pub input: InputShape,
    /// Who may call it.
    pub access: AccessRule,
    /// What it does.
    pub code: Code,
    /// Whether it writes (then it runs on the store's writer).
    pub writes: bool,
    /// What it answers.
    pub output: OutputShape,
    /// Every error that a step can raise.
    pub errors: Vec<Outcome>,
    /// Where it is declared.
    pub span: Span,
}

/// Steps without a route, as they run by themselves.
#[derive(Clone, Debug)]
pub struct Procedure {
    /// Its name.
    pub name: Arc<str>,
    /// What it accepts.
    pub input: InputShape,
    /// What it does. Who may call is not asked.
    pub code: Code,
    /// Whether it writes.
    pub writes: bool,
    /// Every error that a step can raise.
    pub errors: Vec<Outcome>,
    /// Where it is declared.
    pub span: Span,
}

/// A piece of a route between slashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathPart {
    /// Literal text.
    Fixed(Arc<str>),
    /// `{name}`
    Parameter(Arc<str>),
}

/// Who may call an operation: decided by the edge before the input is read, from section 9 and the leading
/// *Requires* of role or scope, or *Anyone may call this*.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessRule {
    /// Anyone, also without a key (a key that is sent must still be valid).
    pub public: bool,
    /// Each of these lists must have a role of the caller: one per *Requires role*, one for section 9's grants.
    pub roles: Vec<Vec<Arc<str>>>,
    /// Scopes that are required.
    pub scopes: Vec<Arc<str>>,
}

/// What an operation accepts.
#[derive(Clone, Debug, Default)]
pub struct InputShape {
    /// The fields, in slot order from [`slots::INPUT`].
    pub fields: Vec<InputField>,
    /// Undeclared body members are ignored instead of refused.
    pub ignores_others: bool,
    /// Undeclared query parameters are ignored (public `GET`).
    pub ignores_query: bool,
}

/// An input field.
#[derive(Clone, Debug)]
pub struct InputField {
    /// Its name.
    pub name: Arc<str>,
    /// Its type.
    pub ty: Type,
    /// Whether it may be left out (or be null).
    pub optional: bool,
    /// Value when it is left out.
    pub default: Option<Expression>,
    /// Where it travels.
    pub location: formwork_model::facts::Location,
    /// What must hold of it.
    pub rules: FieldRules,
    /// Where it is declared.
    pub span: Span,
}

/// What an operation answers.
#[derive(Clone, Debug, Default)]
pub struct OutputShape {
    /// The status of an answer that names none.
    pub status: Option<u16>,
    /// For rows of an entity: the fields sent, in order; absent for all that are not hidden.
    pub projection: Option<Vec<Arc<str>>>,
    /// The entity of the answered row, list items or page items, when it is known.
    pub entity: Option<EntityId>,
    /// For a 201: the GET operation (index into [`Program::operations`]) whose path is determined by the row, with
    /// the field of the row for each of its path parameters in order.
    pub location: Option<(u32, Vec<FieldId>)>,
}

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

/// What an instruction does. Slots hold variables; a bound row is [`Value::Row`].
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
        /// Index into [`Program::handlers`].
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
    /// Appends an event to the outbox.
    Emit {
        /// Index into [`Program::events`].
        event: u16,
        /// Its data, in the order of the event's fields.
        data: Vec<(Arc<str>, Expression)>,
        /// The row that it is about, for the order per row.
        about: Option<Slot>,
    },
    /// Adds 1 to a counter, once per request, also when the operation fails later.
    Count {
        /// Index into [`Program::metrics`].
        metric: u16,
        /// `by`
        by: Option<Expression>,
    },
    /// Records a value in a histogram.
    Observe {
        /// Index into [`Program::metrics`].
        metric: u16,
        /// The value.
        value: Expression,
    },
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
    /// Whether it ends its transaction and the operation goes on in another.
    pub fn parts(&self) -> bool {
        matches!(self, Self::Commit | Self::Call(_) | Self::Wait { .. })
    }
}

impl Code {
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

/// A standing step.
#[derive(Clone, Debug)]
pub struct Job {
    /// The component and the number of its standing step: `Sweeper/1`.
    pub name: Arc<str>,
    /// The component.
    pub component: Arc<str>,
    /// When it runs.
    pub schedule: Schedule,
    /// What it does. `caller.id` is `system`.
    pub code: Code,
    /// Where it is declared.
    pub span: Span,
}

/// What runs after the commit of what it is told of, once, in a transaction of its own.
#[derive(Clone, Debug)]
pub struct Handler {
    /// The component and the number of its standing step, `Mailer/1`; the operation's name for what is scheduled.
    pub name: Arc<str>,
    /// The component; empty for what is scheduled.
    pub component: Arc<str>,
    /// What it is told of.
    pub trigger: Trigger,
    /// The members of `event.data`, or the fields of the row, with their types.
    pub members: Vec<Told>,
    /// What it does. `caller.id` is `system`; see [`slots::EVENT`].
    pub code: Code,
    /// Where it is declared.
    pub span: Span,
}

/// A member of what a handler is told.
#[derive(Clone, Debug)]
pub struct Told {
    /// Its name.
    pub name: Arc<str>,
    /// Its type.
    pub ty: Type,
    /// Whether it may be absent.
    pub optional: bool,
}

/// What a handler is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trigger {
    /// ``When `event` is emitted:``; an index into [`Program::events`].
    Event(u16),
    /// ``When a `E` is created / updated / deleted:``
    Change(Change, EntityId),
    /// Something scheduled.
    Scheduled,
}

/// What becomes of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// It is created.
    Created,
    /// It is updated.
    Updated,
    /// It is deleted.
    Deleted,
}

/// When a job runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// At multiples of an interval since 1970-01-01T00:00:00Z, shifted by `offset`. Both in microseconds.
    Interval {
        /// How often.
        every: i64,
        /// `starting at`
        offset: i64,
    },
    /// By the calendar.
    Calendar {
        /// Which days.
        days: CalendarDays,
        /// Time of day in microseconds since midnight.
        at: i64,
        /// IANA zone; `UTC` when none is named.
        zone: Arc<str>,
    },
    /// Once, when the system starts.
    StartUp,
}

/// The days of a [`Schedule::Calendar`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CalendarDays {
    /// Every day.
    Every,
    /// Monday is 1, Sunday 7.
    Weekday(u8),
    /// The day of the month; a month without it is skipped.
    DayOfMonth(u8),
}

/// An event.
#[derive(Clone, Debug)]
pub struct EventShape {
    /// Its name.
    pub name: Arc<str>,
    /// Names of its data's members.
    pub data: Vec<Arc<str>>,
}

/// A metric that steps fill.
#[derive(Clone, Debug)]
pub struct MetricShape {
    /// Its name.
    pub name: Arc<str>,
    /// Whether it is a histogram (else a counter).
    pub histogram: bool,
    /// What it measures.
    pub help: Arc<str>,
}

mod upstream;

pub use upstream::{AnswerField, AnswerShape, NoAnswer, TargetPart, Upstream, UpstreamCall};
