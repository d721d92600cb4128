//! The operations of a program: where they are served, what they take and what they answer.

use super::{Code, EntityId, FieldId, Instruction, Schema, Slot, StatementId, slots};
use crate::constraint::FieldRules;
use crate::expression::Expression;
use formwork_model::facts::Outcome;
use formwork_model::sections::interface::Surface;
use formwork_model::values::Type;
use formwork_syntax::Span;
use std::sync::Arc;

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

/// The page that an operation answers: which statement reads it, and by which inputs it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageShape {
    /// The statement without a cursor.
    pub first: StatementId,
    /// Index of the hidden input `cursor` among the fields of [`InputShape`].
    pub cursor: usize,
    /// Index of the hidden input `limit`.
    pub limit: usize,
    /// Rows per page unless the caller asks for another number.
    pub per_page: u32,
}

impl Operation {
    /// The page that it answers, when it answers one.
    pub fn page(&self) -> Option<PageShape> {
        let field = |slot: Slot| {
            let index = usize::from(slot.checked_sub(slots::INPUT)?);
            (index < self.input.fields.len()).then_some(index)
        };
        self.code.instructions.iter().find_map(|instruction| match instruction {
            Instruction::ReadPage { first, cursor, limit, per_page, .. } => Some(PageShape {
                first: *first,
                cursor: field(*cursor)?,
                limit: field(*limit)?,
                per_page: *per_page,
            }),
            _ => None,
        })
    }

    /// The optional inputs that are written as they are into a field that every row has: they may be left out, and
    /// null is refused with the row. Indices among the fields of [`InputShape`].
    pub fn never_null(&self, schema: &Schema) -> Vec<usize> {
        let mut found = Vec::new();
        for instruction in &self.code.instructions {
            let (Instruction::Insert { entity, assignments, .. }
            | Instruction::Update { entity, assignments, .. }) = instruction
            else {
                continue;
            };
            let Some(table) = schema.entities.get(usize::from(*entity)) else { continue };
            for (field, value) in assignments {
                let required = table.fields.get(usize::from(*field)).is_some_and(|field| !field.optional);
                if let (true, Expression::Slot(slot)) = (required, value)
                    && let Some(index) = slot.checked_sub(slots::INPUT).map(usize::from)
                    && self.input.fields.get(index).is_some_and(|field| field.optional)
                {
                    found.push(index);
                }
            }
        }
        found
    }
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
    /// What section 9 grants: one of them must hold. Absent where section 9 says nothing of the operation.
    pub grants: Option<Vec<Granted>>,
    /// Section 9 has a signature line of the operation's own: it takes that and no other proof.
    pub signed: bool,
}

impl AccessRule {
    /// Every scope that it names, of *Requires* and of grants.
    pub fn all_scopes(&self) -> impl Iterator<Item = &Arc<str>> {
        self.scopes.iter().chain(self.grants.iter().flatten().flat_map(|grant| &grant.scopes))
    }
}

/// One way in which section 9 lets callers in: all that it names must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Granted {
    /// The role, unless the grant is to whoever bears a scope.
    pub role: Option<Arc<str>>,
    /// The scopes.
    pub scopes: Vec<Arc<str>>,
    /// The condition as written; the operation's own code holds it.
    pub condition: Option<Arc<str>>,
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

/// What the body of an answer is, as far as Output says it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BodyShape {
    /// Nothing, or prose.
    #[default]
    Unsaid,
    /// No body.
    Nothing,
    /// No body, but an address.
    Redirect,
    /// A row or an object.
    One,
    /// A list of them.
    Many,
    /// A page of them.
    Page,
}

/// What an operation answers.
#[derive(Clone, Debug, Default)]
pub struct OutputShape {
    /// The status of an answer that names none.
    pub status: Option<u16>,
    /// For rows of an entity: the fields sent, in order; absent for all that are not hidden.
    pub projection: Option<Vec<Arc<str>>>,
    /// What Output says the body is.
    pub body: BodyShape,
    /// The fields that Output lists, or those of the interface that it names.
    pub fields: Vec<InputField>,
    /// Lists of rows that are sent with a row, each by its name.
    pub parts: Vec<(Arc<str>, EntityId)>,
    /// The entity of the answered row, list items or page items, when it is known.
    pub entity: Option<EntityId>,
    /// For a 201: the GET operation (index into [`Program::operations`](super::Program::operations)) whose path is determined by the row, with
    /// the field of the row for each of its path parameters in order.
    pub location: Option<(u32, Vec<FieldId>)>,
}
