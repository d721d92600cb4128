//! Which tables a piece of code reads and writes.

use super::{Code, EntityId, Instruction, Program, Statement, StatementId};
use std::collections::BTreeMap;

/// A table that code uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableUse {
    /// Which table.
    pub entity: EntityId,
    /// Whether rows of it are made, changed or removed, by the code or by what hangs on other rows.
    pub writes: bool,
}

impl Program {
    /// The tables that code uses, each once.
    pub fn uses(&self, code: &Code) -> Vec<TableUse> {
        let mut uses = BTreeMap::new();
        for statement in code.instructions.iter().flat_map(Instruction::statements) {
            let Some(statement) = self.statements.get(statement as usize) else { continue };
            let (read, written) = statement.tables();
            for entity in read {
                uses.entry(entity).or_insert(false);
            }
            for entity in written {
                uses.insert(entity, true);
                if matches!(statement, Statement::DeleteByKey { .. } | Statement::DeleteWhere { .. }) {
                    uses.extend(self.schema.taken_along(entity).into_iter().map(|along| (along, true)));
                }
            }
        }
        uses.into_iter().map(|(entity, writes)| TableUse { entity, writes }).collect()
    }
}

impl Instruction {
    /// The statements that it runs.
    pub fn statements(&self) -> Vec<StatementId> {
        match self {
            Self::ReadValue { statement, .. }
            | Self::ReadRow { statement, .. }
            | Self::ReadRows { statement, .. }
            | Self::ReadQuery { statement, .. }
            | Self::Insert { statement, .. }
            | Self::Update { statement, .. }
            | Self::Delete { statement, .. }
            | Self::WriteMany { statement, .. }
            | Self::Wait { statement, .. } => vec![*statement],
            Self::ReadPage { first, after, .. } => vec![*first, *after],
            Self::NextElement(next) => {
                next.rows.as_ref().map_or(Vec::new(), |rows| vec![rows.first, rows.behind])
            }
            _ => Vec::new(),
        }
    }
}

impl Statement {
    /// The tables that it reads, and those that it writes.
    pub(crate) fn tables(&self) -> (Vec<EntityId>, Vec<EntityId>) {
        match self {
            Self::Select(select) => (vec![select.entity], Vec::new()),
            Self::Query(query) => (query.reads.clone(), Vec::new()),
            Self::Count { entity, .. } | Self::Exists { entity, .. } | Self::Aggregate { entity, .. } => {
                (vec![*entity], Vec::new())
            }
            Self::Insert { entity }
            | Self::UpdateByKey { entity, .. }
            | Self::UpdateWhere { entity, .. }
            | Self::DeleteByKey { entity }
            | Self::DeleteWhere { entity, .. } => (Vec::new(), vec![*entity]),
        }
    }
}
