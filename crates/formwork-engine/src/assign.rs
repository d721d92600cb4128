//! The values of a row about to be written: what was given, what follows by itself, and every rule that is broken.
//! Source: language reference, *Constraints*.

use crate::fit::{Misfit, fit};
use crate::outcome::{FieldFault, Refusal};
use formwork_language::constraint::Violation;
use formwork_language::program::{EntityId, FieldId, FieldSchema, InputField};
use formwork_language::value::Value;
use formwork_model::values::Type;

/// Brings one field's value to its type and tests its rules; faults are gathered, so that all come at once.
pub(crate) fn accept(
    value: Value,
    field: &FieldSchema,
    at: (EntityId, FieldId),
    faults: &mut Vec<FieldFault>,
) -> Result<Value, Refusal> {
    let mut fault = |code, detail| faults.push(FieldFault { entity: at.0, field: at.1, code, detail });
    let value = match fit(value, &field.ty) {
        Ok(value) => value,
        Err(Misfit::Arithmetic(what)) => return Err(Refusal::Arithmetic(what)),
        Err(Misfit::Invalid(code, detail)) => {
            fault(code, detail);
            return Ok(Value::Null);
        }
    };
    if matches!(value, Value::Null) {
        if !field.optional {
            fault("required", "is required".to_owned());
        }
        return Ok(value);
    }
    let value = field.rules.completed(value);
    for violation in field.rules.violations(&value) {
        fault(violation.code, placed(&violation));
    }
    match value {
        Value::Text(plain) if field.secret => Ok(Value::Text(formwork_language::functions::digest(&plain))),
        value => Ok(value),
    }
}

/// What a rule says, with the place inside the value that breaks it.
fn placed(violation: &Violation) -> String {
    match violation.pointer.as_str() {
        "" => violation.detail.clone(),
        pointer => format!("{} at `{pointer}`", violation.detail),
    }
}

/// Brings what is given to an input of something that is carried out to its type and tests its rules.
pub(crate) fn given(value: Value, field: &InputField, of: &str) -> Result<Value, Refusal> {
    let broken = |detail: &str| Refusal::Unacceptable(format!("`{}` of `{of}` {detail}", field.name));
    if matches!(value, Value::Absent | Value::Null) {
        return if field.optional { Ok(value) } else { Err(broken("is required")) };
    }
    let value = match fit(value, &field.ty) {
        Ok(value) => value,
        Err(Misfit::Arithmetic(what)) => return Err(Refusal::Arithmetic(what)),
        Err(Misfit::Invalid(_, detail)) => return Err(broken(&detail)),
    };
    let value = field.rules.completed(value);
    match field.rules.violations(&value).into_iter().next() {
        Some(violation) => Err(broken(&placed(&violation))),
        None => Ok(value),
    }
}

/// `now()` as a field's type keeps it.
pub(crate) fn instant(now: i64, ty: &Type) -> Value {
    const DAY: i64 = 86_400_000_000;
    match ty {
        Type::Date => Value::Date(i32::try_from(now.div_euclid(DAY)).unwrap_or(i32::MAX)),
        Type::Time => Value::Time(now.rem_euclid(DAY)),
        _ => Value::Timestamp(now),
    }
}

/// A generated identity as a field's type keeps it.
pub(crate) fn identity(id: [u8; 16], ty: &Type) -> Value {
    if matches!(ty, Type::Uuid) {
        return Value::Uuid(id);
    }
    Value::Text(formwork_language::value::text::format_uuid(&id).into())
}
