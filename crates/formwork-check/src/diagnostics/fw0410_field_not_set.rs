//! FW0410: a created row whose required field nothing sets.

use crate::catalogue::Entry;
use crate::context::{Context, Place};
use crate::diagnostic::{Diagnostic, Edit, Fix, Severity};
use crate::words::quoted;
use formwork_model::facts::Constraint;
use formwork_model::values::Type;
use formwork_syntax::Span;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0410",
    severity: Severity::Error,
    title: "a required field that nothing sets",
    page: include_str!("../pages/FW0410.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(cx: &Context<'_>, place: &Place, entity: &str, field: &str) -> Diagnostic {
    let key = unmade_key(cx, entity, field);
    let name = quoted(field);
    let name = name.trim_matches('`');
    let help = match key {
        Some(_) => {
            format!("let it be made: mark `{name}` as `generated`; or set it in the step: with `{name} = …`")
        }
        None if place.span.slice(cx.source).starts_with(['{', '[']) => {
            format!("give it there: `\"{name}\": …`; or mark it `optional`, or give it a default")
        }
        None => format!("set it in the step: with `{name} = …`; or give the field a default"),
    };
    let mark = key.map(|end| Fix {
        title: "mark the key as `generated`".to_owned(),
        edits: vec![Edit { span: Span::new(end, end), text: ", generated".to_owned() }],
    });
    ENTRY
        .at(place.span, format!("this {} is created without its required {}", quoted(entity), quoted(field)))
        .related(place.related, "declared here")
        .help(help)
        .fix_of(place)
        .mended_by(mark)
}

/// The end of the words `primary key` of a uuid that nothing is said to make: the one thing that can be meant.
fn unmade_key(cx: &Context<'_>, entity: &str, field: &str) -> Option<u32> {
    let entity = cx.model.entities.iter().find(|it| it.name.value == entity)?;
    let field = entity.fields.iter().find(|it| it.name.value == field)?;
    let is_uuid = field.ty.as_ref().is_some_and(|ty| ty.value == Type::Uuid);
    let key = field.constraints.iter().find(|it| it.value == Constraint::PrimaryKey)?;
    is_uuid.then_some(key.span.end)
}
