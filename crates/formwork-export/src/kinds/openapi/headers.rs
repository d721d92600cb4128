//! The headers that answers have beside what they say: those that protect browsers, those of caches, and those for pages of
//! other origins and for operations that will go. Source: HTTP, edge and caching references.

use super::Cx;
use formwork_language::program::Operation;
use serde_json::{Map, Value, json};

/// What every answer has.
const ALWAYS: [&str; 6] = [
    "Cache-Control",
    "Content-Security-Policy",
    "Referrer-Policy",
    "Server-Timing",
    "X-Content-Type-Options",
    "X-Frame-Options",
];

/// What answers to listed origins have.
const FOR_PAGES: [&str; 2] = ["Access-Control-Allow-Origin", "Access-Control-Expose-Headers"];

/// What stands once, under `components/headers`.
pub(super) fn named() -> Value {
    let fixed = |about: &str, value: &str| json!({"description": about, "required": true, "schema": {"type": "string", "const": value}});
    let always = |about: &str| json!({"description": about, "required": true, "schema": {"type": "string", "minLength": 1}});
    let text = |about: &str| json!({"description": about, "schema": {"type": "string"}});
    json!({
        "Cache-Control": always("Who may keep the answer, and for how long"),
        "Content-Security-Policy": fixed("Nobody shows it within a page", "frame-ancestors 'none'"),
        "Referrer-Policy": fixed("Nobody is told where it was read", "no-referrer"),
        "Server-Timing": always("The trace that the request belongs to, as `trace;desc=TRACEPARENT`"),
        "X-Content-Type-Options": fixed("It is of the type that it says", "nosniff"),
        "X-Frame-Options": fixed("Nobody shows it within a page", "DENY"),
        "Vary": text("The headers of the request that the answer follows from"),
        "Age": json!({
            "description": "How many seconds ago a kept answer was made",
            "schema": {"type": "integer", "minimum": 0},
        }),
        "Cache-Status": text("Whether a kept answer was given, and why not (RFC 9211)"),
        "Access-Control-Allow-Origin": text("The origin whose pages may read the answer"),
        "Access-Control-Expose-Headers": text("The headers that they may read"),
        "Access-Control-Allow-Credentials": text("`true` where they may send what the browser keeps"),
        "Deprecation": text("Since when the operation is deprecated (RFC 9745)"),
        "Sunset": text("When the operation ends (RFC 8594)"),
        "Link": text("What to use instead, as `rel=\"successor-version\"`"),
    })
}

/// Adds them to the answers of an operation.
pub(super) fn describe(cx: &Cx<'_>, index: u32, operation: &Operation, responses: &mut Map<String, Value>) {
    let is_cached = is_cached(cx, index);
    let is_get = &*operation.method == "GET";
    let mut all = of_all(cx);
    if let Some(line) = cx.deprecation(operation) {
        all.push("Deprecation");
        all.extend(line.ends.as_ref().map(|_| "Sunset"));
        all.extend(line.instead.as_ref().map(|_| "Link"));
    }
    for (status, response) in responses {
        add(response, &all);
        let answers = status.starts_with('2') || status == "304";
        if answers && is_cached {
            add(response, &["Age", "Cache-Status", "Vary"]);
        }
        // What is read may be compressed for those who take it.
        if answers && is_get {
            add(response, &["Vary"]);
        }
    }
}

/// Adds what all answers have to those of a path of the process itself.
pub(super) fn describe_own(cx: &Cx<'_>, responses: &mut Value) {
    let all = of_all(cx);
    for response in responses.as_object_mut().into_iter().flat_map(Map::values_mut) {
        add(response, &all);
    }
}

/// Whether answers of an operation are kept.
pub(super) fn is_cached(cx: &Cx<'_>, index: u32) -> bool {
    cx.program.cached.iter().any(|rule| rule.operation == index)
}

fn of_all(cx: &Cx<'_>) -> Vec<&'static str> {
    let mut all = ALWAYS.to_vec();
    let origins = &cx.analysis.model.cors;
    if !origins.is_empty() {
        all.extend(FOR_PAGES);
        all.push("Vary");
        if origins.iter().any(|line| line.credentials) {
            all.push("Access-Control-Allow-Credentials");
        }
    }
    all
}

fn add(response: &mut Value, names: &[&str]) {
    let Some(response) = response.as_object_mut() else { return };
    let headers = response.entry("headers").or_insert_with(|| json!({}));
    for name in names {
        headers[*name] = json!({"$ref": format!("#/components/headers/{name}")});
    }
}
