//! What both stores ask of programs and rows: the rules of fields, tested of rows whose new values are known only
//! after a statement has computed them, and how many statements a piece of code may run.

use formwork_engine::StoreError;
use formwork_language::program::{Code, EntityId, Instruction, Schema};
use formwork_language::value::Value;

/// The first rule that a row breaks after a computed update.
pub(crate) fn broken_rule(schema: &Schema, entity: EntityId, values: &[Value]) -> Option<StoreError> {
    let fields = &schema.entities.get(usize::from(entity))?.fields;
    for (at, (field, value)) in (0..).zip(fields.iter().zip(values)) {
        if matches!(value, Value::Null) {
            continue;
        }
        if formwork_engine::fit(value.clone(), &field.ty).is_err() {
            let detail = format!("must be a {}", field.ty);
            return Some(StoreError::Invalid { entity, field: at, code: "type", detail });
        }
        if let Some(violation) = field.rules.violations(value).into_iter().next() {
            let (code, detail) = (violation.code, violation.detail);
            return Some(StoreError::Invalid { entity, field: at, code, detail });
        }
    }
    None
}

/// Whether code runs more than one statement that reads: these must see one snapshot.
pub(crate) fn runs_many(code: &Code) -> bool {
    let reads = |instruction: &&Instruction| {
        matches!(
            instruction,
            Instruction::ReadValue { .. }
                | Instruction::ReadRow { .. }
                | Instruction::ReadRows { .. }
                | Instruction::ReadPage { .. }
                | Instruction::ReadQuery { .. }
                | Instruction::NextElement(_)
        )
    };
    let loops = code
        .instructions
        .iter()
        .any(|one| matches!(one, Instruction::LoopStart { .. } | Instruction::NextElement(_)));
    let reading = code.instructions.iter().filter(reads).count();
    reading > 1 || (loops && reading > 0)
}
