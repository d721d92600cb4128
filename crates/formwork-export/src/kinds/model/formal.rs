//! Sections 4 to 7: operations, endpoints, entities, relationships, flows.

use super::{Out, class, number, value};
use formwork_language::behaviour::{Actor, Behaviour, FlowAction, FlowStep};
use formwork_language::program::Mode;
use formwork_model::Class;
use formwork_model::facts::{Constraint, Field, Location, OnDelete, Outcome, StepItem};
use formwork_model::sections::commands::{Argument, ExitCode, Flag};
use formwork_model::sections::data_model::{
    Entity, EntityRuleKind, Index, IndexKind, Relationship, RelationshipKind,
};
use formwork_model::sections::flows::Flow;
use formwork_model::sections::interface::{Operation, OutputKind};
use formwork_model::sections::table_rules::TableRuleKind;
use formwork_model::values::Type;
use formwork_syntax::{Fence, Spanned};
use serde_json::{Map, Value, json};

pub(super) fn write(out: &Out<'_>) -> Map<String, Value> {
    let model = &out.analysis.model;
    let behaviour = |at: usize| out.analysis.compiled.behaviours.get(at);
    let operations =
        model.operations.iter().enumerate().map(|(at, each)| operation(out, each, behaviour(at)));
    let first = model.operations.len();
    let endpoints =
        model.endpoints.iter().enumerate().map(|(at, each)| operation(out, each, behaviour(first + at)));
    let flows = model.flows.iter().enumerate().map(|(at, each)| flow(out, each, at));
    let mut object = Map::new();
    let mut put = |key: &str, value: Value| object.insert(key.to_owned(), value);
    put("operations", operations.collect());
    put("endpoints", endpoints.collect());
    put("entities", model.entities.iter().map(|each| entity(out, each)).collect());
    put("relationships", model.relationships.iter().map(|each| relationship(out, each)).collect());
    put("flows", flows.collect());
    object
}

fn operation(out: &Out<'_>, operation: &Operation, behaviour: Option<&Behaviour>) -> Value {
    let input = &operation.input;
    json!({
        "name": operation.name.value,
        "group": operation.group,
        "method": value(operation.method.as_ref()),
        "path": value(operation.path.as_ref()),
        "input": fields(out, &input.fields),
        "input_reference": value(input.reference.as_ref()),
        "ignores_other_fields": input.ignores_others,
        "output": output(out, operation),
        "errors": errors(out, operation, behaviour),
        "behavior": steps(out, operation, behaviour),
        "mode": mode(operation, behaviour),
        "examples": operation.examples.iter().map(|fence| example(out, fence)).collect::<Vec<_>>(),
        "purpose": value(operation.purpose.as_ref()),
        "transport": value(operation.transport.as_ref()),
        "command": operation.command.then(|| command(out, operation)),
        "span": out.span(operation.span),
    })
}

/// What a command takes and how it ends; `common` is what the section says of all commands.
fn command(out: &Out<'_>, operation: &Operation) -> Value {
    let own = &operation.command_facts;
    let common = &out.analysis.model.common_command;
    let flag = |flag: &Flag, common: bool| {
        json!({
            "name": flag.name.value,
            "short": value(flag.short.as_ref()),
            "value": flag.value,
            "required": flag.required,
            "repeatable": flag.repeatable,
            "description": value(flag.description.as_ref()),
            "common": common,
            "span": out.span(flag.name.span),
        })
    };
    let exit = |exit: &ExitCode, common: bool| {
        json!({
            "code": exit.code.value,
            "meaning": value(exit.meaning.as_ref()),
            "common": common,
            "span": out.span(exit.code.span),
        })
    };
    let argument = |argument: &Argument| {
        json!({
            "name": argument.name.value,
            "optional": argument.optional,
            "repeatable": argument.repeatable,
            "span": out.span(argument.name.span),
        })
    };
    let flags =
        own.flags.iter().map(|it| flag(it, false)).chain(common.flags.iter().map(|it| flag(it, true)));
    let exits = own
        .exit_codes
        .iter()
        .map(|it| exit(it, false))
        .chain(common.exit_codes.iter().map(|it| exit(it, true)));
    json!({
        "synopsis": value(operation.command_line.as_ref()),
        "flags": flags.collect::<Vec<_>>(),
        "arguments": own.arguments.iter().map(argument).collect::<Vec<_>>(),
        "exit_codes": exits.collect::<Vec<_>>(),
    })
}

fn mode(operation: &Operation, behaviour: Option<&Behaviour>) -> &'static str {
    if operation.command {
        return "command";
    }
    if operation.procedure {
        return "procedure";
    }
    match behaviour.map(|behaviour| behaviour.mode) {
        Some(Mode::Executed) => "executed",
        Some(Mode::Inferred) => "inferred",
        Some(Mode::Mocked) | None => "mocked",
    }
}

fn output(out: &Out<'_>, operation: &Operation) -> Value {
    let output = &operation.output;
    let (kind, of) = match &output.kind {
        OutputKind::Missing => return Value::Null,
        OutputKind::Row(of) => ("row", Some(of)),
        OutputKind::List(of) => ("list", Some(of)),
        OutputKind::Page(of) => ("page", Some(of)),
        OutputKind::Fields => ("fields", None),
        OutputKind::Redirect => ("redirect", None),
        OutputKind::Nothing => ("nothing", None),
        OutputKind::Prose => ("prose", None),
    };
    json!({
        "kind": kind,
        "of": value(of),
        "status": value(output.status.as_ref()),
        "fields": fields(out, &output.fields),
        "text": output.text.as_ref().map(|text| text.plain(&out.analysis.source)),
        "span": output.span.map(|span| out.span(span)),
    })
}

/// Errors listed in the document, then those that the steps raise; `step` counts the steps from 1.
fn errors(out: &Out<'_>, operation: &Operation, behaviour: Option<&Behaviour>) -> Vec<Value> {
    let error = |outcome: &Outcome, step: Option<usize>, span| json!({"status": outcome.status, "code": outcome.code, "step": step, "span": out.span(span)});
    let listed = operation.errors.iter().map(|listed| error(&listed.value, None, listed.span));
    let raised = behaviour
        .into_iter()
        .flat_map(|behaviour| behaviour.steps.iter().enumerate())
        .flat_map(|(at, step)| step.errors.iter().map(move |outcome| (at + 1, outcome, step.span)));
    listed.chain(raised.map(|(at, outcome, span)| error(outcome, Some(at), span))).collect()
}

/// The sentences of a behaviour as the language took them, or its items where it has none.
fn steps(out: &Out<'_>, operation: &Operation, behaviour: Option<&Behaviour>) -> Vec<Value> {
    let compiled = behaviour.map(|behaviour| behaviour.steps.as_slice()).unwrap_or_default();
    if compiled.is_empty() {
        return operation.behavior.iter().map(|item| narrative(out, item)).collect();
    }
    compiled
        .iter()
        .map(|step| json!({"text": out.written(step.span), "class": class(step.class), "span": out.span(step.span)}))
        .collect()
}

fn narrative(out: &Out<'_>, item: &StepItem) -> Value {
    json!({"text": out.written(item.text.span), "class": "narrative", "span": out.span(item.span)})
}

fn example(out: &Out<'_>, fence: &Fence) -> Value {
    let text: String = fence.lines.iter().map(|line| out.written(*line)).collect();
    let parsed: Option<Value> = serde_json::from_str(&text).ok();
    json!({
        "language": out.written(fence.info),
        "text": text.trim_end(),
        "value": parsed,
        "span": out.span(fence.span),
    })
}

fn entity(out: &Out<'_>, entity: &Entity) -> Value {
    let rules = entity.rules.iter().map(|rule| {
        let kind = match rule.kind {
            EntityRuleKind::Constraint => "constraint",
            EntityRuleKind::Invariant => "invariant",
            EntityRuleKind::Transitions => "transitions",
            EntityRuleKind::AppendOnly => "append_only",
            EntityRuleKind::RowsAtStart => "rows_at_start",
        };
        json!({"kind": kind, "text": out.written(rule.text.span), "span": out.span(rule.span)})
    });
    // A rule of a table of SQL is shown as the language reads it where it is an expression.
    let table_rules = entity.table_rules.iter().map(|rule| {
        let text = match &rule.kind {
            TableRuleKind::Check(formula) => formula.text.as_str(),
            TableRuleKind::Unique { .. } | TableRuleKind::NoOverlap { .. } => out.written(rule.span),
        };
        json!({"kind": "constraint", "text": text, "span": out.span(rule.span)})
    });
    json!({
        "name": entity.name.value,
        "description": value(entity.description.as_ref()),
        "fields": fields(out, &entity.fields),
        "indexes": entity.indexes.iter().map(|each| index(out, each)).collect::<Vec<_>>(),
        "rules": rules.chain(table_rules).collect::<Vec<_>>(),
        "span": out.span(entity.span),
    })
}

fn index(out: &Out<'_>, index: &Index) -> Value {
    let kind = match index.kind {
        IndexKind::Primary => "primary_key",
        IndexKind::Unique => "unique",
        IndexKind::Plain => "index",
    };
    let fields =
        index.fields.iter().map(|(name, descending)| json!({"name": name.value, "descending": descending}));
    json!({
        "kind": kind,
        "fields": fields.collect::<Vec<_>>(),
        "where": index.filter.as_ref().map(|filter| filter.code.text(&out.analysis.source)),
        "otherwise": index.otherwise.as_ref().map(outcome),
        "span": out.span(index.span),
    })
}

pub(super) fn outcome(outcome: &Outcome) -> Value {
    json!({"status": outcome.status, "code": outcome.code})
}

fn relationship(out: &Out<'_>, relationship: &Relationship) -> Value {
    let kind = match relationship.kind {
        RelationshipKind::OneToMany => "one_to_many",
        RelationshipKind::ManyToOne => "many_to_one",
        RelationshipKind::ManyToMany => "many_to_many",
        RelationshipKind::OneToOne => "one_to_one",
        RelationshipKind::Mentions => "mentions",
    };
    json!({
        "from": relationship.from.value,
        "to": relationship.to.value,
        "kind": kind,
        "via": value(relationship.via.as_ref()),
        "span": out.span(relationship.span),
    })
}

pub(super) fn fields(out: &Out<'_>, fields: &[Field]) -> Vec<Value> {
    fields.iter().map(|each| field(out, each)).collect()
}

fn field(out: &Out<'_>, field: &Field) -> Value {
    let place = field.location.as_ref().map(|location| match &location.value {
        Location::Path => json!({"in": "path"}),
        Location::Query => json!({"in": "query"}),
        Location::Body => json!({"in": "body"}),
        Location::Header(name) => json!({"in": "header", "name": name}),
    });
    let mut object = json!({
        "name": field.name.value,
        "type": field.ty.as_ref().map(|ty| ty.value.to_string()),
        "optional": field.optional,
        "description": value(field.description.as_ref()),
        "constraints": field.constraints.iter().map(|each| constraint(out, each)).collect::<Vec<_>>(),
        "span": out.span(field.span),
    });
    if let (Some(place), Some(object)) = (place, object.as_object_mut()) {
        object.insert("location".to_owned(), place);
    }
    if let (Some(Type::Enum(values)), Some(object)) =
        (field.ty.as_ref().map(|ty| &ty.value), object.as_object_mut())
    {
        object.insert("values".to_owned(), json!(values.iter().map(|value| &**value).collect::<Vec<&str>>()));
    }
    object
}

fn constraint(out: &Out<'_>, constraint: &Spanned<Constraint>) -> Value {
    let plain = |kind: &str| json!({"kind": kind});
    let bound = |kind: &str, value: Value| json!({"kind": kind, "value": value});
    let mut object = match &constraint.value {
        Constraint::PrimaryKey => plain("primary_key"),
        Constraint::Required => plain("required"),
        Constraint::Optional => plain("optional"),
        Constraint::Unique(with) => {
            json!({"kind": "unique", "with": with.iter().map(|name| &name.value).collect::<Vec<_>>()})
        }
        Constraint::Indexed => plain("indexed"),
        Constraint::Default(text) => bound("default", json!(text.value)),
        Constraint::Generated => plain("generated"),
        Constraint::OnCreate => plain("on_create"),
        Constraint::OnUpdate => plain("on_update"),
        Constraint::Immutable => plain("immutable"),
        Constraint::Min { value, exclusive } => {
            json!({"kind": "min", "value": number(value), "exclusive": exclusive})
        }
        Constraint::Max { value, exclusive } => {
            json!({"kind": "max", "value": number(value), "exclusive": exclusive})
        }
        Constraint::MinLength(count) => bound("min_length", json!(count)),
        Constraint::MaxLength(count) => bound("max_length", json!(count)),
        Constraint::MinItems(count) => bound("min_items", json!(count)),
        Constraint::MaxItems(count) => bound("max_items", json!(count)),
        Constraint::OneOf(values) => json!({"kind": "one_of", "values": values}),
        Constraint::Pattern(pattern) => bound("pattern", json!(pattern)),
        Constraint::Format(format) => bound("format", json!(format)),
        Constraint::References { entity, field, on_delete } => json!({
            "kind": "references",
            "entity": entity.value,
            "field": value(field.as_ref()),
            "on_delete": match on_delete {
                OnDelete::Restrict => "restrict",
                OnDelete::Cascade => "cascade",
                OnDelete::SetNull => "set_null",
            },
        }),
        Constraint::WriteOnly => plain("write_only"),
        Constraint::Secret => plain("secret"),
        Constraint::Personal => plain("personal"),
        Constraint::Computed(expression) => bound("computed", json!(expression.value)),
        Constraint::Prose(text) => json!({"kind": "prose", "text": text}),
    };
    if let Some(object) = object.as_object_mut() {
        object.insert("span".to_owned(), out.span(constraint.span));
    }
    object
}

fn flow(out: &Out<'_>, flow: &Flow, at: usize) -> Value {
    let compiled = out.analysis.compiled.flows.get(at);
    let list = |compiled: Option<&[FlowStep]>, items: &[StepItem]| -> Vec<Value> {
        let compiled: Vec<&FlowStep> = compiled.unwrap_or_default().iter().flat_map(FlowStep::all).collect();
        items.iter().map(|item| flow_item(out, item, &compiled)).collect()
    };
    json!({
        "name": flow.name.value,
        "steps": list(compiled.map(|flow| flow.steps.as_slice()), &flow.steps),
        "errors": list(compiled.map(|flow| flow.errors.as_slice()), &flow.errors),
        "span": out.span(flow.span),
    })
}

/// One item of the document as one step, whatever number of sentences it holds; items below it are its own steps.
fn flow_item(out: &Out<'_>, item: &StepItem, compiled: &[&FlowStep]) -> Value {
    let place = item.text.span;
    let begins_here = |step: &&FlowStep| place.start <= step.span.start && step.span.start < place.end;
    let own: Vec<&FlowStep> = compiled.iter().copied().filter(begins_here).collect();
    let nested: Vec<Value> = item.nested.iter().map(|below| flow_item(out, below, compiled)).collect();
    let mut value = match own.as_slice() {
        [only] => flow_step(out, only),
        // What the call before it must give: `gets `201``.
        [] => match compiled.iter().find(|step| step.span.contains(place)) {
            Some(step) => {
                json!({"text": out.written(place), "class": class(step.class), "actor": null, "span": out.span(item.span)})
            }
            None => narrative(out, item),
        },
        several => {
            let classes = [Class::NotUnderstood, Class::Understood, Class::Unfinished];
            let found = classes.into_iter().find(|class| several.iter().any(|step| step.class == *class));
            let text: Vec<&str> = several.iter().map(|step| &*step.text).collect();
            let actors = several.iter().map(|step| flow_step(out, step)["actor"].take());
            let actor = actors.into_iter().find(|actor| !actor.is_null()).unwrap_or(Value::Null);
            let class = class(found.unwrap_or(Class::Narrative));
            json!({"text": text.join(" "), "class": class, "actor": actor, "span": out.span(item.text.span)})
        }
    };
    if let (Some(object), false) = (value.as_object_mut(), nested.is_empty()) {
        object.insert("steps".to_owned(), nested.into());
    }
    value
}

fn flow_step(out: &Out<'_>, step: &FlowStep) -> Value {
    let call = match &step.action {
        Some(FlowAction::Call { call, .. } | FlowAction::AtOnce { call, .. }) => Some(call),
        _ => None,
    };
    let actor = call.map(|call| match &call.actor {
        Actor::Anonymous => anonymous(&step.text).to_owned(),
        Actor::Role { role, .. } => role.to_string(),
        Actor::Component(name) => name.to_string(),
    });
    json!({"text": step.text, "class": class(step.class), "actor": actor, "span": out.span(step.span)})
}

/// A caller without a key by the word of the step.
fn anonymous(text: &str) -> &'static str {
    let word = text.split_whitespace().next().unwrap_or_default();
    ["visitor", "anyone"].into_iter().find(|name| word.eq_ignore_ascii_case(name)).unwrap_or("anonymous")
}
