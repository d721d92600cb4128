//! Calls that will write one row wait for each other here, before they begin: in the database they would only find
//! out afterwards that they were in each other's way.
//!
//! A call's row is known before it runs when the first row that it reads is found by a whole key whose values come
//! from the input, and is then changed or deleted.

use formwork_engine::{Call, What};
use formwork_language::expression::Expression;
use formwork_language::program::{
    Code, Comparison, Condition, EntityId, EntitySchema, FieldId, Instruction, Operand, Operation, Program,
    Select, Slot, Statement, StatementId,
};
use formwork_language::value::{Value, json};
use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use tokio::sync::{Mutex, MutexGuard};

/// Rows share this many places, so that memory is bounded; two rows in one place only wait needlessly.
const PLACES: usize = 4096;

/// Who may begin.
pub(crate) struct Turns {
    places: Vec<Mutex<()>>,
    /// The same for accounts of budgets.
    accounts: Vec<Mutex<()>>,
    /// By operation: the budgets that it spends, each with the slot that holds its key, where that is the caller's own.
    budgets: Vec<Vec<(u16, Option<Slot>)>>,
    /// By operation: the entity and the slots that hold the key.
    rows: Vec<Option<(EntityId, Vec<Slot>)>>,
    /// By operation and behind them by job: for calls that were in each other's way without a known row.
    kinds: Vec<Mutex<()>>,
    jobs_from: usize,
}

impl Turns {
    /// Those of a program.
    pub(crate) fn new(program: &Program) -> Self {
        let rows = program.operations.iter().map(|operation| {
            let inputs = usize::from(formwork_language::program::slots::INPUT) + operation.input.fields.len();
            if operation.writes { row_written(program, &operation.code, inputs) } else { None }
        });
        let kinds = program.operations.len() + program.jobs.len();
        Self {
            places: (0..PLACES).map(|_| Mutex::default()).collect(),
            accounts: (0..PLACES).map(|_| Mutex::default()).collect(),
            budgets: program.operations.iter().map(spent).collect(),
            rows: rows.collect(),
            kinds: (0..kinds).map(|_| Mutex::default()).collect(),
            jobs_from: program.operations.len(),
        }
    }

    /// Waits until no other call of this process writes the same row, when it is known which.
    pub(crate) async fn of_row(&self, call: &Call) -> Option<MutexGuard<'_, ()>> {
        let What::Operation(operation) = call.what else { return None };
        let (entity, slots) = self.rows.get(operation as usize)?.as_ref()?;
        let mut hasher = DefaultHasher::new();
        entity.hash(&mut hasher);
        for slot in slots {
            let value = call.slots.get(usize::from(*slot)).unwrap_or(&Value::Absent);
            json::to_json(value).hash(&mut hasher);
        }
        let place = self.places.get(hasher.finish() as usize % PLACES)?;
        Some(place.lock().await)
    }

    /// Waits until no other call of this process spends of the same accounts, as far as they are known before.
    pub(crate) async fn of_budgets(&self, call: &Call) -> Vec<MutexGuard<'_, ()>> {
        let What::Operation(operation) = call.what else { return Vec::new() };
        let Some(budgets) = self.budgets.get(operation as usize).filter(|all| !all.is_empty()) else {
            return Vec::new();
        };
        let place = |(budget, slot): &(u16, Option<Slot>)| {
            let mut hasher = DefaultHasher::new();
            budget.hash(&mut hasher);
            // A later part has its variables elsewhere.
            let value = slot.and_then(|slot| call.slots.get(usize::from(slot)));
            json::to_json(value.unwrap_or(&Value::Absent)).hash(&mut hasher);
            hasher.finish() as usize % PLACES
        };
        // In one order, so that no two wait for each other.
        let places: BTreeSet<usize> = budgets.iter().map(place).collect();
        let mut turns = Vec::with_capacity(places.len());
        for place in places.into_iter().filter_map(|place| self.accounts.get(place)) {
            turns.push(place.lock().await);
        }
        turns
    }

    /// Waits until no other call of the same operation that has met a conflict is under way.
    pub(crate) async fn of_kind(&self, what: What) -> Option<MutexGuard<'_, ()>> {
        let at = match what {
            What::Operation(operation) => operation as usize,
            What::Job(job) => self.jobs_from + job as usize,
            What::Rows(_) | What::RowsAtStart | What::Stored | What::Invariants | What::Handler { .. } => {
                return None;
            }
        };
        Some(self.kinds.get(at)?.lock().await)
    }
}

fn spent(operation: &Operation) -> Vec<(u16, Option<Slot>)> {
    let inputs = usize::from(formwork_language::program::slots::INPUT) + operation.input.fields.len();
    let own = |key: &Option<Expression>| match key {
        Some(Expression::Slot(slot)) if usize::from(*slot) < inputs => Some(*slot),
        _ => None,
    };
    let reserves = operation.code.instructions.iter().filter_map(|one| match one {
        Instruction::Reserve(reserve) => Some(&reserve.charges),
        _ => None,
    });
    let budgets = reserves.flatten().flat_map(|charge| &charge.budgets);
    budgets.map(|(budget, key)| (*budget, own(key))).collect()
}

fn row_written(program: &Program, code: &Code, inputs: usize) -> Option<(EntityId, Vec<Slot>)> {
    let (statement, parameters, slot) = code.instructions.iter().find_map(|one| match one {
        Instruction::ReadRow { statement, parameters, slot } => Some((*statement, parameters, *slot)),
        _ => None,
    })?;
    let changed = code.instructions.iter().any(|one| match one {
        Instruction::Update { slot: written, .. } | Instruction::Delete { slot: written, .. } => {
            *written == slot
        }
        _ => false,
    });
    let select = changed.then(|| selected(program, statement)).flatten()?;
    let entity = program.schema.entities.get(usize::from(select.entity))?;
    let fixed = fixed_fields(select.filter.as_ref()?);
    let keys = entity.unique.iter().filter(|key| key.filter.is_none()).map(|key| &key.fields);
    let mut keys = std::iter::once(&entity.primary_key).chain(keys);
    let slots = keys.find_map(|key| key_slots(key, entity, &fixed, parameters, inputs))?;
    Some((select.entity, slots))
}

fn selected(program: &Program, statement: StatementId) -> Option<&Select> {
    match program.statements.get(statement as usize) {
        Some(Statement::Select(select)) => Some(select),
        _ => None,
    }
}

/// The fields that a condition pins to a parameter.
fn fixed_fields(condition: &Condition) -> Vec<(FieldId, u16)> {
    match condition {
        Condition::All(parts) => parts.iter().flat_map(fixed_fields).collect(),
        Condition::Compare(Comparison::Equal, Operand::Field(field), Operand::Parameter(parameter))
        | Condition::Compare(Comparison::Equal, Operand::Parameter(parameter), Operand::Field(field)) => {
            vec![(*field, *parameter)]
        }
        _ => Vec::new(),
    }
}

/// The input slots of a key, when all of its fields are pinned to the caller's input as it came.
fn key_slots(
    key: &[FieldId],
    _: &EntitySchema,
    fixed: &[(FieldId, u16)],
    parameters: &[Expression],
    inputs: usize,
) -> Option<Vec<Slot>> {
    let slot = |field: &FieldId| {
        let (_, parameter) = fixed.iter().find(|(fixed, _)| fixed == field)?;
        match parameters.get(usize::from(*parameter))? {
            Expression::Slot(slot) if usize::from(*slot) < inputs => Some(*slot),
            _ => None,
        }
    };
    key.iter().map(slot).collect()
}
