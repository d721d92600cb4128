//! Sections 0 to 3: title, summary, goals, diagram, components.

use super::{Out, class, value};
use formwork_model::names::{is_anyone, same_name};
use formwork_model::sections::components::{Component, is_standing};
use formwork_model::sections::overview::Diagram;
use serde_json::{Map, Value, json};

pub(super) fn write(out: &Out<'_>) -> Map<String, Value> {
    let model = &out.analysis.model;
    let overview = &model.overview;
    let summary: Vec<&str> = model.summary.iter().map(|prose| prose.value.as_str()).collect();
    let summary_span = model.summary.first().zip(model.summary.last());
    let mut object = Map::new();
    let mut put = |key: &str, value: Value| object.insert(key.to_owned(), value);
    put("title", value(model.title.as_ref()));
    put("title_span", model.title.as_ref().map_or(Value::Null, |title| out.span(title.span)));
    put("summary", if summary.is_empty() { Value::Null } else { json!(summary.join("\n\n")) });
    put("summary_span", summary_span.map_or(Value::Null, |(first, last)| out.span(first.span.to(last.span))));
    put("goals", out.texts(&model.goals));
    put("non_goals", out.texts(&model.non_goals));
    put("diagram", overview.diagram.as_ref().map_or(Value::Null, |drawing| diagram(out, drawing)));
    put("control_plane", overview.control_plane.as_ref().map_or(Value::Null, |prose| out.text(prose)));
    put("data_plane", overview.data_plane.as_ref().map_or(Value::Null, |prose| out.text(prose)));
    put("components", model.components.iter().map(|each| component(out, each)).collect());
    object
}

fn diagram(out: &Out<'_>, diagram: &Diagram) -> Value {
    let model = &out.analysis.model;
    let nodes = diagram.nodes.iter().map(|node| {
        let component =
            model.components.iter().find(|component| same_name(&component.name.value, &node.name));
        let is_actor = is_anyone(&node.name)
            || model.authorization.grants.iter().any(|grant| same_name(&grant.role.value, &node.name));
        json!({
            "name": node.name,
            "component": component.map(|component| &component.name.value),
            "external": component.map_or(is_actor, |component| component.external),
            "span": out.span(node.span),
        })
    });
    let edges = diagram.edges.iter().map(
        |edge| json!({"from": edge.from, "to": edge.to, "label": edge.label, "span": out.span(edge.span)}),
    );
    json!({
        "nodes": nodes.collect::<Vec<_>>(),
        "edges": edges.collect::<Vec<_>>(),
        "span": out.span(diagram.span),
    })
}

fn component(out: &Out<'_>, component: &Component) -> Value {
    let source = &out.analysis.source;
    let items = component.responsibilities.iter().map(|item| (item, item.text.plain(source)));
    let (standing, plain): (Vec<_>, Vec<_>) = items.partition(|(_, text)| is_standing(text));
    let responsibilities =
        plain.iter().map(|(item, text)| json!({"text": text, "span": out.span(item.span)}));
    let mut compiled =
        out.analysis.compiled.standing.iter().filter(|step| *step.component == component.name.value);
    let standing_steps = standing.iter().map(|(item, text)| {
        let steps = compiled.next().map(|step| step.steps.as_slice()).unwrap_or_default();
        let head = steps.first().map_or("narrative", |step| class(step.class));
        let nested = steps.iter().skip(1).map(|step| {
            json!({"text": out.written(step.span), "class": class(step.class), "span": out.span(step.span)})
        });
        json!({"text": text, "class": head, "steps": nested.collect::<Vec<_>>(), "span": out.span(item.span)})
    });
    json!({
        "name": component.name.value,
        "purpose": value(component.purpose.as_ref()),
        "responsibilities": responsibilities.collect::<Vec<_>>(),
        "technology": value(component.technology.as_ref()),
        "external": component.external,
        "standing_steps": standing_steps.collect::<Vec<_>>(),
        "span": out.span(component.span),
    })
}
