//! Sections 11 to 15, and what is unfinished.

use super::{Out, number, schema, section, value};
use serde_json::{Map, Value, json};

pub(super) fn write(out: &Out<'_>) -> Map<String, Value> {
    let model = &out.analysis.model;
    let mut object = Map::new();
    let mut put = |key: &str, value: Value| object.insert(key.to_owned(), value);
    put("deployment", deployment(out));
    put("release", release(out));
    put("recovery", recovery(out));
    let testing = &model.testing;
    put(
        "tests",
        json!({
            "unit": out.texts(&testing.unit),
            "quality": out.texts(&testing.quality),
            "resilience": out.texts(&testing.resilience),
            "load": out.texts(&testing.load),
        }),
    );
    let interfaces = model.interfaces.iter().map(|interface| {
        json!({
            "name": interface.name.value,
            "schema": schema::of_interface(out, interface),
            "span": out.span(interface.span),
        })
    });
    put("interfaces", interfaces.collect());
    let roadmap = model.roadmap.iter().map(|phase| {
        let deliverables = out.texts(&phase.deliverables);
        json!({"phase": phase.name.value, "deliverables": deliverables, "span": out.span(phase.span)})
    });
    put("roadmap", roadmap.collect());
    let deprecations = model.deprecations.iter().map(|it| {
        json!({
            "operation": it.operation.value,
            "since": it.since.as_ref().map(|day| &day.text),
            "ends": it.ends.as_ref().map(|day| &day.text),
            "instead": value(it.instead.as_ref()),
            "text": it.text.value,
            "span": out.span(it.text.span),
        })
    });
    if !model.deprecations.is_empty() {
        put("deprecations", deprecations.collect());
    }
    put("open_questions", questions(out));
    let unfinished = model.unfinished.iter().map(|unfinished| {
        json!({
            "text": unfinished.text,
            "section": unfinished.section.map(section),
            "span": out.span(unfinished.span),
        })
    });
    put("unfinished", unfinished.collect());
    object
}

fn deployment(out: &Out<'_>) -> Value {
    let deployment = &out.analysis.model.deployment;
    if deployment.statements.is_empty() {
        return Value::Null;
    }
    json!({
        "replicas": deployment.replicas,
        "stateless": deployment.stateless,
        "environments": deployment.environments,
        "statements": out.texts(&deployment.statements),
        "span": place(out, &deployment.statements),
    })
}

fn release(out: &Out<'_>) -> Value {
    let release = &out.analysis.model.release;
    if release.statements.is_empty() {
        return Value::Null;
    }
    json!({
        "canary_percent": release.canary_percent.iter().map(|step| number(step)).collect::<Vec<_>>(),
        "step_seconds": release.step_seconds,
        "statements": out.texts(&release.statements),
        "span": place(out, &release.statements),
    })
}

fn recovery(out: &Out<'_>) -> Value {
    let recovery = &out.analysis.model.recovery;
    if recovery.statements.is_empty() {
        return Value::Null;
    }
    json!({
        "backup_interval_seconds": recovery.backup_interval_seconds,
        "backup_kept_seconds": recovery.backup_kept_seconds,
        "rpo_seconds": recovery.rpo_seconds,
        "rto_seconds": recovery.rto_seconds,
        "statements": out.texts(&recovery.statements),
        "span": place(out, &recovery.statements),
    })
}

/// From the first to the last statement.
fn place(out: &Out<'_>, statements: &[formwork_model::facts::Prose]) -> Value {
    let ends = statements.first().zip(statements.last());
    ends.map_or(Value::Null, |(first, last)| out.span(first.span.to(last.span)))
}

fn questions(out: &Out<'_>) -> Value {
    let questions = out.analysis.model.questions.iter().map(|question| {
        json!({
            "text": question.text.value,
            "context": value(question.context.as_ref()),
            "options": value(question.options.as_ref()),
            "decides": value(question.decides.as_ref()),
            "span": out.span(question.span),
        })
    });
    questions.collect()
}
