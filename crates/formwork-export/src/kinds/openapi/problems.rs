//! What an operation can be refused with: by its steps and its rows' rules, and by the edge before and around them.
//! Problems are those of RFC 9457, told apart by `code`. Source: HTTP reference, *The order of refusals*.

use super::Cx;
use super::answers::header;
use formwork_language::program::{AccessRule, Instruction, Mode, Operation};
use formwork_model::facts::{Location, Outcome};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The problems by status.
pub(super) fn problems(cx: &Cx<'_>, index: u32, operation: &Operation) -> Map<String, Value> {
    let mut found: BTreeMap<u16, BTreeSet<String>> = BTreeMap::new();
    let mut add = |status: u16, code: &str| {
        found.entry(status).or_default().insert(code.to_owned());
    };
    edge(cx, index, operation, &mut add);
    super::limits::refusals(cx, index, &mut add);
    if operation.mode != Mode::Mocked {
        run(cx, operation, &mut add);
    }
    for Outcome { status, code } in &operation.errors {
        let usual = usual_code(*status);
        add(*status, code.as_deref().unwrap_or(&usual));
    }
    let mut all: Map<String, Value> =
        found.into_iter().map(|(status, codes)| (status.to_string(), response(status, &codes))).collect();
    let rules = rules_of_rows(cx, operation);
    if let (Some(invalid), false) = (all.get_mut("422"), rules.is_empty()) {
        // What no schema of the input says.
        invalid["x-rules"] = json!(rules);
    }
    all
}

/// What is refused before a step is reached.
fn edge(cx: &Cx<'_>, index: u32, operation: &Operation, add: &mut impl FnMut(u16, &str)) {
    add(401, "unauthenticated");
    if operation.access != AccessRule::default() && !operation.access.public {
        add(403, "forbidden");
    }
    if cx.deprecation(operation).is_some_and(|line| line.ends.is_some()) {
        add(410, "gone");
    }
    let signatures = &cx.program.signatures;
    if operation.access.signed || signatures.iter().any(|rule| rule.operations.is_empty()) {
        add(409, "signature_used");
    }
    add(400, "malformed");
    if operation.page().is_some() {
        add(400, "cursor_invalid");
    }
    add(406, "not_acceptable");
    add(429, "too_many_failures");
    add(431, "headers_too_large");
    add(500, "internal");
    add(503, "overloaded");
    // A body is read, and judged, also where none is declared.
    add(408, "request_timeout");
    add(413, "content_too_large");
    add(414, "uri_too_long");
    add(415, "unsupported_media_type");
    let takes = |location: &Location| operation.input.fields.iter().any(|field| field.location == *location);
    let strict = !operation.input.ignores_query || takes(&Location::Query);
    if strict || !operation.input.fields.is_empty() {
        add(422, "invalid");
    }
    if super::headers::is_cached(cx, index) {
        add(504, "not_kept");
    }
    if operation.writes && &*operation.method != "GET" {
        add(422, "idempotency_key_reused");
        if cx.program.once_rule(index).required {
            add(400, "idempotency_key_required");
        }
    }
}

/// What can go wrong while the steps run.
fn run(cx: &Cx<'_>, operation: &Operation, add: &mut impl FnMut(u16, &str)) {
    for code in ["arithmetic", "too_much_work", "too_many_rows"] {
        add(500, code);
    }
    add(503, "unavailable");
    add(422, "invalid");
    if &*operation.method == "GET" {
        add(412, "precondition_failed");
    }
    // The database may be lost while it commits, or the time of the request be over.
    if operation.writes || operation.code.has_parts() {
        add(504, "outcome_unknown");
    }
    if !operation.writes {
        return;
    }
    if &*operation.method != "GET" {
        add(412, "precondition_failed");
    }
    if cx.program.schema.invariants.iter().any(|one| one.quota.is_none()) {
        add(500, "invariant");
    }
    if operation.code.instructions.iter().any(Instruction::writes_rows) {
        add(409, "conflict");
    }
}

/// The rules over several fields of the rows that it writes, as the document says them.
fn rules_of_rows(cx: &Cx<'_>, operation: &Operation) -> BTreeSet<String> {
    let written = operation.code.instructions.iter().filter_map(|instruction| match instruction {
        Instruction::Insert { entity, .. } | Instruction::Update { entity, .. } => Some(*entity),
        _ => None,
    });
    written
        .filter_map(|entity| cx.program.schema.entities.get(usize::from(entity)))
        .flat_map(|entity| entity.rules.checks.iter().map(|check| check.text.to_string()))
        .collect()
}

fn response(status: u16, codes: &BTreeSet<String>) -> Value {
    let said: Vec<String> = codes.iter().map(|code| format!("`{code}`")).collect();
    let mut headers = json!({"X-Request-Id": header("Names the request")});
    match status {
        401 => headers["WWW-Authenticate"] = header("The scheme that would be accepted"),
        429 | 503 => headers["Retry-After"] = header("After how many seconds to try again"),
        _ => {}
    }
    json!({
        "description": said.join(", "),
        "headers": headers,
        "content": {"application/problem+json": {"schema": {
            "allOf": [
                {"$ref": "#/components/schemas/Problem"},
                {"type": "object", "properties": {
                    "status": {"const": status},
                    "code": {"enum": codes},
                }},
            ],
        }}},
    })
}

/// The code of a status that stands alone.
fn usual_code(status: u16) -> String {
    let known = match status {
        400 => "malformed",
        401 => "unauthenticated",
        402 => "payment_required",
        403 => "forbidden",
        404 => "not_found",
        409 => "conflict",
        410 => "gone",
        422 => "invalid",
        429 => "rate_limited",
        500 => "internal_server_error",
        501 => "not_implemented",
        502 => "bad_gateway",
        503 => "overloaded",
        504 => "gateway_timeout",
        _ => return format!("status_{status}"),
    };
    known.to_owned()
}

/// The schema of every problem.
pub(super) fn problem() -> Value {
    json!({
        "type": "object",
        "description": "A refusal (RFC 9457)",
        "properties": {
            "type": {"type": "string", "format": "uri-reference"},
            "title": {"type": "string"},
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": {"type": "string"},
            "instance": {"type": "string", "format": "uri-reference"},
            "code": {"type": "string"},
            "trace_id": {"type": "string", "description": "The trace of the request (W3C Trace Context)"},
            "errors": {"type": "array", "items": {"$ref": "#/components/schemas/Fault"}},
        },
        "required": ["type", "title", "status", "detail", "instance", "code"],
    })
}

/// The schema of one fault of an input.
pub(super) fn fault() -> Value {
    json!({
        "type": "object",
        "description": "What is wrong with one value, at a place of the body or of a parameter",
        "properties": {
            "detail": {"type": "string"},
            "code": {"type": "string"},
            "pointer": {"type": "string", "description": "A JSON Pointer into the body, as a fragment"},
            "in": {"enum": ["path", "query", "header"]},
            "name": {"type": "string"},
        },
        "required": ["detail", "code"],
    })
}
