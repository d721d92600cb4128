//! What the operator may read: refusals without the values that callers and rows brought, and rows named without
//! personal data.
//!
//! A caller is told what was wrong with what it sent. A log, and what is kept of a handler that failed, outlive the
//! call and are read by others: there a refusal is its status, its code, its rule and its fields, and nothing else.
//! Source: language reference, *Personal data*.

use crate::outcome::{ConflictKind, Refusal};
use formwork_language::program::{EntityId, FieldId, Schema};
use formwork_language::value::Value;
use std::fmt::Write;

/// What stands for a value that is not shown.
pub const MASK: &str = "***";

impl Refusal {
    /// One line for the operator, without any value.
    pub fn without_values(&self, schema: &Schema) -> String {
        let names = |entity: EntityId, fields: &[FieldId]| names(schema, entity, fields);
        match self {
            Self::Step { status, code, .. } => coded(*status, code.as_deref()),
            Self::Invalid(faults) => {
                let mut line = String::from("422 invalid:");
                for (at, fault) in faults.iter().take(20).enumerate() {
                    let comma = if at > 0 { "," } else { "" };
                    let field = names(fault.entity, &[fault.field]);
                    let _ = write!(line, "{comma} {field} {}", fault.code);
                }
                line
            }
            Self::Rule(fault) => {
                let answer = fault.outcome.as_ref();
                let answer = answer
                    .map_or(String::new(), |outcome| coded(outcome.status, outcome.code.as_deref()) + ": ");
                format!("{answer}{} of {}", fault.kind.code(), names(fault.entity, &fault.fields))
            }
            Self::Conflict { entity, fields, kind } => {
                let kind = match kind {
                    ConflictKind::Unique => "unique",
                    ConflictKind::MissingReference => "references",
                    ConflictKind::Referenced => "referenced",
                };
                format!("409 conflict: {kind} of {}", names(*entity, fields))
            }
            Self::Precondition => "412 precondition_failed".to_owned(),
            Self::Rehearsed(answer) => answer.status.to_string(),
            Self::Arithmetic(what) => format!("500 arithmetic: {what}"),
            Self::TooMuchWork => "500 too_much_work".to_owned(),
            Self::TooManyRows => "500 too_many_rows".to_owned(),
            Self::Unacceptable(_) => "422 invalid".to_owned(),
            Self::Unavailable => "503 unavailable".to_owned(),
            Self::Unsure | Self::MovedOn => "504 outcome_unknown".to_owned(),
            Self::Overloaded => "503 overloaded".to_owned(),
            Self::Internal(cause) => format!("500 internal: {cause}"),
        }
    }
}

fn coded(status: u16, code: Option<&str>) -> String {
    match code {
        Some(code) => format!("{status} {code}"),
        None => status.to_string(),
    }
}

fn names(schema: &Schema, entity: EntityId, fields: &[FieldId]) -> String {
    let Some(entity) = schema.entities.get(usize::from(entity)) else { return String::new() };
    let fields = fields.iter().filter_map(|field| entity.fields.get(usize::from(*field)));
    let fields: Vec<&str> = fields.map(|field| &*field.name).collect();
    match fields.is_empty() {
        true => format!("`{}`", entity.name),
        false => format!("`{}.{}`", entity.name, fields.join(", ")),
    }
}

/// The values of fields in words, those that are personal, secret or write-only masked.
pub(crate) fn shown(schema: &Schema, entity: EntityId, fields: &[FieldId], values: &[Value]) -> String {
    let entity = schema.entities.get(usize::from(entity));
    let shown = fields.iter().zip(values).map(|(field, value)| {
        let field = entity.and_then(|entity| entity.fields.get(usize::from(*field)));
        match field {
            Some(field) if !(field.personal || field.hidden) => value.to_plain(),
            _ => MASK.to_owned(),
        }
    });
    shown.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::{FieldFault, RuleFault, RuleKind};
    use formwork_language::program::{EntitySchema, FieldSchema};

    /// A user with `id`, `mail` (personal), `pin` (write-only) and `name`.
    fn schema() -> Schema {
        let field = |name: &str, personal, hidden| FieldSchema {
            name: name.into(),
            ty: formwork_model::values::Type::String,
            optional: false,
            default: None,
            generated: false,
            on_create: false,
            on_update: false,
            immutable: false,
            hidden,
            secret: false,
            personal,
            computed: false,
            references: None,
            rules: Default::default(),
        };
        let fields = vec![
            field("id", false, false),
            field("mail", true, false),
            field("pin", false, true),
            field("name", false, false),
        ];
        let user = EntitySchema {
            name: "user".into(),
            fields,
            primary_key: vec![0],
            unique: Vec::new(),
            indexes: Vec::new(),
            rules: Default::default(),
            span: Default::default(),
        };
        Schema { entities: vec![user], ..Schema::default() }
    }

    #[test]
    fn a_refusal_tells_the_operator_no_value() {
        let schema = schema();
        let step = Refusal::Step {
            status: 409,
            code: Some("taken".into()),
            message: Some("ann@example.com is taken.".to_owned()),
            members: vec![("mail".into(), Value::Text("ann@example.com".into()))],
        };
        let fault = |field, code| FieldFault { entity: 0, field, code, detail: "ann@example.com".to_owned() };
        let rule = RuleFault {
            kind: RuleKind::Invariant,
            entity: 0,
            fields: vec![1, 3],
            detail: "it is 3 for ann@example.com".to_owned(),
            outcome: None,
        };
        let lines = [
            step,
            Refusal::Invalid(vec![fault(1, "format"), fault(3, "max_length")]),
            Refusal::Rule(Box::new(rule)),
            Refusal::Conflict { entity: 0, fields: vec![1], kind: ConflictKind::Unique },
            Refusal::Unacceptable("`ann@example.com` is no timestamp".to_owned()),
        ]
        .map(|refusal| refusal.without_values(&schema));
        assert_eq!(
            lines,
            [
                "409 taken",
                "422 invalid: `user.mail` format, `user.name` max_length",
                "invariant of `user.mail, name`",
                "409 conflict: unique of `user.mail`",
                "422 invalid",
            ]
        );
    }

    #[test]
    fn what_is_personal_or_hidden_is_masked_where_rows_are_named() {
        let values = [Value::Integer(7), Value::Text("ann@example.com".into()), Value::Text("1234".into())];
        assert_eq!(shown(&schema(), 0, &[0, 1, 2], &values), "7, ***, ***");
    }
}
