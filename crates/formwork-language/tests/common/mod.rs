//! A small world for expressions: one table, one row, some variables, and a host that always says the same.

#![allow(dead_code, reason = "each test binary uses its part")]

use formwork_language::eval::{EvaluationError, Host, Scope, evaluate};
use formwork_language::expression::{Equals, Kind, Names, StaticType, compile, parse};
use formwork_language::notes::{Note, NoteKind};
use formwork_language::program::{EntitySchema, FieldSchema, Schema};
use formwork_language::value::{Decimal, Row, Value, json};
use formwork_model::values::Type;

/// A host that stands still.
pub(crate) struct Still;

impl Host for Still {
    fn now(&self) -> i64 {
        1_795_435_200_000_000
    }

    fn random(&mut self, buffer: &mut [u8]) {
        buffer.fill(7);
    }

    fn uuid(&mut self) -> [u8; 16] {
        [1; 16]
    }
}

fn field(name: &str, ty: Type, optional: bool) -> FieldSchema {
    FieldSchema {
        name: name.into(),
        ty,
        optional,
        default: None,
        generated: false,
        on_create: false,
        on_update: false,
        immutable: false,
        hidden: false,
        secret: false,
        personal: false,
        computed: false,
        references: None,
        rules: formwork_language::constraint::FieldRules::default(),
    }
}

/// The fields of `article`, in order.
pub(crate) fn schema() -> Schema {
    let states = Type::Enum(["draft".into(), "published".into()].into());
    let fields = vec![
        field("id", Type::Uuid, false),
        field("title", Type::String, false),
        field("subtitle", Type::String, true),
        field("state", states, false),
        field("likes", Type::Integer, false),
        field("price", Type::Decimal { precision: 12, scale: 2 }, true),
        field("at", Type::Timestamp, false),
        field("score", Type::Double, true),
        field("hidden", Type::Boolean, true),
        field("tags", Type::List(Type::String.into()), false),
        field("more", Type::Json, true),
    ];
    let entity = EntitySchema {
        name: "article".into(),
        fields,
        primary_key: vec![0],
        unique: Vec::new(),
        indexes: Vec::new(),
        rules: Default::default(),
        span: formwork_syntax::Span::default(),
    };
    Schema { entities: vec![entity], ..Schema::default() }
}

/// The variables, and their values in the order of their slots.
pub(crate) fn variables() -> Vec<(&'static str, StaticType, Value)> {
    vec![
        ("none", Kind::Integer.optional(), Value::Absent),
        ("nothing", Kind::Integer.optional(), Value::Null),
        ("number", Kind::Integer.required(), Value::Integer(42)),
        ("flag", Kind::Boolean.optional(), Value::Absent),
        ("text", Kind::Text.required(), Value::text("spring")),
        ("text_absent", Kind::Text.optional(), Value::Absent),
        ("numbers_absent", Kind::Integer.list().optional(), Value::Absent),
        ("row", Kind::Row(0, "article".into()).required(), Value::Row(0)),
        ("row_absent", Kind::Row(0, "article".into()).optional(), Value::Absent),
        ("amount", Kind::Decimal(Some(2)).required(), Value::Decimal(Decimal { units: 1250, scale: 2 })),
        ("json", Kind::Dynamic.required(), Value::Json(r#"{"a": [1, 2.5], "b": null}"#.into())),
        ("words", Kind::Text.list().required(), Value::List([Value::text("a"), Value::text("b")].into())),
        ("maybe", Kind::Text.optional(), Value::text("here")),
    ]
}

/// The input's fields: sent, sent as null, left out.
pub(crate) fn inputs() -> Vec<(&'static str, StaticType, Value)> {
    vec![
        ("sent", Kind::Text.optional(), Value::text("yes")),
        ("nulled", Kind::Text.optional(), Value::Null),
        ("left_out", Kind::Text.optional(), Value::Absent),
    ]
}

fn row() -> Row {
    let mut id = [0; 16];
    id[15] = 42;
    let values = vec![
        Value::Uuid(id),
        Value::text("First"),
        Value::Null,
        Value::text("draft"),
        Value::Integer(3),
        Value::Decimal(Decimal { units: 1999, scale: 2 }),
        Value::Timestamp(Still.now()),
        Value::Double(0.5),
        Value::Null,
        Value::List([Value::text("new")].into()),
        Value::Null,
    ];
    Row { entity: 0, values, version: 1, deleted: false }
}

/// The names of the world.
pub(crate) fn names(schema: &Schema) -> Names<'_> {
    let mut names = Names::new(schema);
    let variables = variables();
    for (slot, (name, ty, _)) in variables.iter().enumerate() {
        names.bind(name, slot as u16, ty.clone());
    }
    let first = variables.len();
    let inputs = inputs().into_iter().enumerate().map(|(at, (name, ty, _))| {
        formwork_language::expression::Bound { name: name.into(), slot: (first + at) as u16, ty }
    });
    names.input = Some(inputs.collect());
    names
}

/// The values behind [`names`].
pub(crate) fn slots() -> Vec<Value> {
    variables().into_iter().chain(inputs()).map(|(_, _, value)| value).collect()
}

/// Reads, types and computes in the world.
pub(crate) fn run(source: &str) -> Result<Value, Outcome> {
    let schema = schema();
    let ast = parse(source, Equals::Refused, &|at| at).map_err(|problem| Outcome::Syntax(problem.problem))?;
    let mut notes = Vec::new();
    let typed = compile(&ast, &names(&schema), &mut notes);
    let typed = typed.ok_or(Outcome::Notes(notes))?;
    let slots = slots();
    let rows = [row()];
    evaluate(&typed.expression, &mut Scope { slots: &slots, rows: &rows, host: &mut Still })
        .map_err(Outcome::Failed)
}

/// Why there is no value.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It does not parse.
    Syntax(String),
    /// It does not compile.
    Notes(Vec<Note>),
    /// It fails.
    Failed(EvaluationError),
}

/// Asserts the value, as JSON; `absent` for none.
#[track_caller]
pub(crate) fn gives(source: &str, expected: &str) {
    let shown = match run(source) {
        Ok(Value::Absent | Value::Null) => "absent".to_owned(),
        Ok(Value::Decimal(value)) => formwork_language::value::text::format_decimal(value),
        Ok(value) => json::to_json(&value),
        Err(outcome) => format!("{outcome:?}"),
    };
    assert_eq!(shown, expected, "{source}");
}

/// Asserts that computing fails with this kind of error.
#[track_caller]
pub(crate) fn fails(source: &str, expected: &str) {
    match run(source) {
        Err(Outcome::Failed(error)) => {
            assert!(format!("{error:?}").starts_with(expected), "{source}: {error:?}")
        }
        other => panic!("{source}: {other:?}"),
    }
}

/// What is wrong with an expression, in short.
pub(crate) fn notes_of(source: &str) -> Vec<String> {
    match run(source) {
        Err(Outcome::Syntax(problem)) => vec![format!("syntax {problem}")],
        Err(Outcome::Notes(notes)) => notes.iter().map(|note| shown(&note.kind)).collect(),
        other => vec![format!("{other:?}")],
    }
}

/// A note in short.
pub(crate) fn shown(kind: &NoteKind) -> String {
    let near = |nearest: &Option<String>| nearest.clone().unwrap_or_else(|| "nothing".to_owned());
    match kind {
        NoteKind::UnknownName { what, name, nearest } => {
            format!("UnknownName {what} {name} -> {}", near(nearest))
        }
        NoteKind::UnknownField { of, field, nearest } => {
            format!("UnknownField {of}.{field} -> {}", near(nearest))
        }
        NoteKind::TypeMismatch { expected, found, context } => {
            format!("TypeMismatch {expected} {found} {context}")
        }
        NoteKind::Other { entry, subject } => format!("Other {entry} {subject}"),
        other => format!("{other:?}"),
    }
}
