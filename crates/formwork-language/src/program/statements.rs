//! The statements of a program: what a store prepares once, with portable operators in place of SQL.

use super::{EntityId, FieldId};
use crate::value::{Value, Written};
use formwork_model::values::Type;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// A statement that a store prepares once. Parameters are numbered from 0 in each statement.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
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
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct QueryColumn {
    /// Its name.
    pub name: Arc<str>,
    /// Its type.
    pub ty: Type,
    /// Whether it may be null.
    pub optional: bool,
}

/// How many rows a [`Select`] gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limit {
    /// At most so many.
    Rows(u32),
    /// At most as many as this parameter says (an integer; 0 or less gives none).
    Parameter(u16),
}

/// The aggregates of a [`Statement::Aggregate`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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

impl PartialEq for Operand {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Field(one), Self::Field(other)) => one == other,
            (Self::Parameter(one), Self::Parameter(other)) => one == other,
            (Self::Constant(one), Self::Constant(other)) => Written(one) == Written(other),
            (
                Self::Arithmetic { operator, left, right, scales },
                Self::Arithmetic { operator: other, left: first, right: second, scales: others },
            ) => operator == other && left == first && right == second && scales == others,
            (
                Self::ShiftTime { timestamp, duration, minus },
                Self::ShiftTime { timestamp: other, duration: by, minus: back },
            ) => timestamp == other && duration == by && minus == back,
            (Self::Function(one, of), Self::Function(other, over)) => one == other && of == over,
            (Self::Coalesce(one, or), Self::Coalesce(other, otherwise)) => one == other && or == otherwise,
            (Self::Choose(condition, yes, no), Self::Choose(other, first, second)) => {
                condition == other && yes == first && no == second
            }
            _ => false,
        }
    }
}

impl Eq for Operand {}

impl Hash for Operand {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        match self {
            Self::Field(field) => field.hash(state),
            Self::Parameter(parameter) => parameter.hash(state),
            Self::Constant(value) => Written(value).hash(state),
            Self::Arithmetic { operator, left, right, scales } => (operator, left, right, scales).hash(state),
            Self::ShiftTime { timestamp, duration, minus } => (timestamp, duration, minus).hash(state),
            Self::Function(function, of) => (function, of).hash(state),
            Self::Coalesce(one, or) => (one, or).hash(state),
            Self::Choose(condition, yes, no) => (condition, yes, no).hash(state),
        }
    }
}

/// See [`Operand::Arithmetic`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ArithmeticOperator {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
}

/// See [`Operand::Function`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SqlFunction {
    /// `lower`
    Lower,
    /// `upper`
    Upper,
    /// `size`
    Size,
}
