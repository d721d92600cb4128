//! Limits of section 9 as an API description can say them: the headers of answers, the refusals, and what they are in
//! the extension `x-rate-limit`, since OpenAPI has no place for them. Source: limits reference.

use super::Cx;
use super::answers::header;
use formwork_language::program::{CountedBy, LimitRule, Limited};
use serde_json::{Map, Value, json};

/// The limits that an operation must keep to.
pub(super) fn of<'p>(cx: &Cx<'p>, index: u32) -> impl Iterator<Item = &'p LimitRule> {
    cx.program.limits.iter().filter(move |rule| rule.operations.contains(&index))
}

/// Status and code of each refusal for coming too often, or with too much.
pub(super) fn refusals(cx: &Cx<'_>, index: u32, add: &mut impl FnMut(u16, &str)) {
    for rule in of(cx, index) {
        let (status, usual) = match rule.kind {
            Limited::Size(_) => (413, "content_too_large"),
            Limited::Rate { .. } | Limited::InProgress { .. } => (429, "rate_limited"),
        };
        match &rule.otherwise {
            Some(outcome) => add(outcome.status, outcome.code.as_deref().unwrap_or(usual)),
            None => add(status, usual),
        }
    }
}

/// `x-rate-limit`, and the headers on each answer.
pub(super) fn describe(cx: &Cx<'_>, index: u32, object: &mut Map<String, Value>) {
    let said: Vec<Value> = of(cx, index).map(said).collect();
    if said.is_empty() {
        return;
    }
    object.insert("x-rate-limit".to_owned(), Value::Array(said));
    if of(cx, index).all(|rule| matches!(rule.kind, Limited::Size(_))) {
        return;
    }
    let responses = object.get_mut("responses").and_then(Value::as_object_mut);
    for (status, response) in responses.into_iter().flatten() {
        // What is refused before the limits are asked says nothing of them.
        if matches!(&**status, "401" | "403" | "405" | "431") {
            continue;
        }
        if let Some(response) = response.as_object_mut() {
            let headers = response.entry("headers").or_insert_with(|| json!({}));
            headers["RateLimit-Policy"] = header("The limits: name, quota `q`, window `w` in seconds");
            headers["RateLimit"] = header("What is left of them: `r` requests within `t` seconds");
        }
    }
}

fn said(rule: &LimitRule) -> Value {
    let mut said = match &rule.kind {
        Limited::Rate { count, window, burst, per, role } => json!({
            "requests": count, "seconds": window / 1_000_000, "burst": burst, "per": by(per), "role": role.as_deref(),
        }),
        Limited::InProgress { count, per } => json!({"at_a_time": count, "per": by(per)}),
        Limited::Size(bytes) => json!({"bytes": bytes}),
    };
    if let Some(said) = said.as_object_mut() {
        said.retain(|_, value| !value.is_null());
    }
    said
}

fn by(per: &CountedBy) -> Value {
    match per {
        CountedBy::Everybody => Value::Null,
        CountedBy::Caller => json!("caller"),
        CountedBy::Key => json!("key"),
        CountedBy::Address => json!("address"),
        CountedBy::Claim(path) => json!(format!("caller.claims.{}", path.join("."))),
        CountedBy::Input(name) => json!(format!("input.{name}")),
    }
}
