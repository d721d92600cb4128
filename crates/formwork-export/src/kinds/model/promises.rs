//! Sections 8 to 10: SLOs, protection, budgets, metrics, traces, events.

use super::formal::outcome;
use super::{Out, number, value};
use formwork_model::facts::Prose;
use formwork_model::sections::audit::AuditScope;
use formwork_model::sections::edge::Cors;
use formwork_model::sections::observability::MetricKind;
use formwork_model::sections::performance::Slo;
use formwork_model::sections::security::{
    Authentication, AuthenticationKind, Budget, BudgetKind, Grant, Kept, KeyRule, Limit, LimitKind,
    SignatureRule, TokenRule,
};
use formwork_syntax::Spanned;
use serde_json::{Map, Value, json};

/// What can be measured of one operation, and of all together.
const MEASURED: [&str; 5] = ["latency", "availability", "error_rate", "throughput", "cache_hit_ratio"];

/// Built-in metrics that need no line in section 10.
const BUILT_IN: [&str; 1] = ["http.server.request.duration"];

pub(super) fn write(out: &Out<'_>) -> Map<String, Value> {
    let model = &out.analysis.model;
    let mut object = Map::new();
    let mut put = |key: &str, value: Value| object.insert(key.to_owned(), value);
    put("slos", model.slos.iter().map(|each| slo(out, each)).collect());
    put("caches", super::caches::write(out));
    put("optimizations", out.texts(&model.optimizations));
    put("authn", model.authentication.iter().map(|each| authentication(out, each)).collect());
    if !model.cors.is_empty() {
        put("cors", model.cors.iter().map(|each| cors(out, each)).collect());
    }
    put("authz", authorization(out));
    put("limits", model.limits.iter().map(|each| limit(out, each)).collect());
    put("audit", audit(out));
    put("budgets", model.budgets.iter().map(|each| budget(out, each)).collect());
    put("metrics", metrics(out));
    put("traces", traces(out));
    put("events", events(out));
    object
}

fn slo(out: &Out<'_>, slo: &Slo) -> Value {
    json!({
        "metric": slo.metric.value,
        "comparator": slo.comparator,
        "value": number(&slo.value),
        "unit": slo.unit,
        "percentile": slo.percentile,
        "window": slo.window_seconds,
        "operation": value(slo.operation.as_ref()),
        "measured_by": measured_by(out, &slo.metric.value),
        "span": out.span(slo.span),
    })
}

/// The metric itself when something measures it: an operation, the whole, a built-in metric or one of section 10.
fn measured_by<'m>(out: &Out<'_>, metric: &'m str) -> Option<&'m str> {
    let model = &out.analysis.model;
    let of_operation = metric.rsplit_once('.').is_some_and(|(name, what)| {
        let mut operations = model.operations.iter().chain(&model.endpoints);
        MEASURED.contains(&what) && operations.any(|operation| operation.name.value == name)
    });
    let declared = model.metrics.iter().any(|declared| declared.name.value == metric);
    (of_operation || declared || MEASURED.contains(&metric) || BUILT_IN.contains(&metric)).then_some(metric)
}

/// A number of seconds or days without a needless `.0`.
pub(super) fn whole(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < 9e15 { json!(number as i64) } else { json!(number) }
}

/// A fact of section 9: its kind, what was read, and the text with its place.
fn fact(out: &Out<'_>, kind: &str, text: &Prose, more: Value) -> Value {
    let mut object = json!({"kind": kind, "text": text.value, "span": out.span(text.span)});
    if let (Some(object), Value::Object(more)) = (object.as_object_mut(), more) {
        object.extend(more);
    }
    object
}

fn cors(out: &Out<'_>, cors: &Cors) -> Value {
    let origins: Vec<&str> = cors.origins.iter().map(|origin| origin.value.as_str()).collect();
    json!({
        "origins": origins,
        "any": cors.any,
        "credentials": cors.credentials,
        "seconds": cors.seconds,
        "text": cors.text.value,
        "span": out.span(cors.text.span),
    })
}

fn authentication(out: &Out<'_>, authentication: &Authentication) -> Value {
    let (kind, more) = match &authentication.kind {
        AuthenticationKind::ApiKey { header } => ("api_key", json!({"header": header})),
        AuthenticationKind::BearerJwt(rule) => ("bearer_jwt", token_rule(rule)),
        AuthenticationKind::Hmac(rule) => ("hmac", signature_rule(rule)),
        AuthenticationKind::MutualTls => ("mtls", Value::Null),
        AuthenticationKind::IdempotencyKey(rule) => ("idempotency_key", key_rule(rule)),
        AuthenticationKind::Prose => ("prose", Value::Null),
    };
    fact(out, kind, &authentication.text, more)
}

/// What is written of bearer tokens; what is not is absent.
fn token_rule(rule: &TokenRule) -> Value {
    let mut more = serde_json::Map::new();
    if !rule.algorithms.is_empty() {
        let names: Vec<&str> = rule.algorithms.iter().map(|name| name.value.as_str()).collect();
        more.insert("algorithms".to_owned(), json!(names));
    }
    let written = [("issuer", &rule.issuer), ("jwks", &rule.key_set), ("audience", &rule.audience)];
    for (name, value) in written {
        more.extend(value.as_ref().map(|value| (name.to_owned(), json!(value.value))));
    }
    if more.is_empty() { Value::Null } else { Value::Object(more) }
}

/// What is written of signed requests; what is not is absent.
fn signature_rule(rule: &SignatureRule) -> Value {
    let mut more = serde_json::Map::new();
    let texts = |all: &[Spanned<String>]| json!(all.iter().map(|text| &text.value).collect::<Vec<_>>());
    for (name, all) in [("operations", &rule.operations), ("roles", &rule.roles)] {
        if !all.is_empty() {
            more.insert(name.to_owned(), texts(all));
        }
    }
    let written = [
        ("header", &rule.header),
        ("time_header", &rule.time),
        ("secret", &rule.secret),
        ("from", &rule.from),
    ];
    for (name, value) in written {
        more.extend(value.as_ref().map(|value| (name.to_owned(), json!(value.value))));
    }
    more.extend(rule.oldest.map(|micros| ("oldest_seconds".to_owned(), json!(micros as f64 / 1e6))));
    if rule.timeless {
        more.insert("timeless".to_owned(), json!(true));
    }
    if more.is_empty() { Value::Null } else { Value::Object(more) }
}

fn key_rule(rule: &KeyRule) -> Value {
    let operations: Vec<&str> = rule.operations.iter().map(|name| name.value.as_str()).collect();
    let kept = match rule.kept {
        Kept::Micros(micros) => json!(micros as f64 / 1e6),
        Kept::ForEver => json!("for ever"),
        Kept::Unsaid | Kept::NotUnderstood(_) => Value::Null,
    };
    json!({"required": rule.required, "operations": operations, "kept_seconds": kept})
}

fn authorization(out: &Out<'_>) -> Value {
    let authorization = &out.analysis.model.authorization;
    let roles = authorization.grants.iter().map(|each| grant(out, each, "role"));
    let scoped = authorization.scoped.iter().map(|each| grant(out, each, "scope"));
    let grants = roles.chain(scoped);
    let prose = authorization.prose.iter().map(|prose| fact(out, "prose", prose, Value::Null));
    grants.chain(prose).collect()
}

fn grant(out: &Out<'_>, grant: &Grant, to: &str) -> Value {
    let mut told = json!({
        "kind": "grant",
        (to): grant.role.value,
        "operations": grant.operations.iter().map(|operation| &operation.value).collect::<Vec<_>>(),
        "all": grant.all,
        "condition": value(grant.condition.as_ref()),
        "span": out.span(grant.span),
    });
    if !grant.scopes.is_empty() {
        told["scopes"] = grant.scopes.iter().map(|scope| scope.value.as_str()).collect();
    }
    told
}

fn limit(out: &Out<'_>, limit: &Limit) -> Value {
    let operations: Vec<&str> = limit.operations.iter().map(|name| name.value.as_str()).collect();
    let (kind, mut more) = match &limit.kind {
        LimitKind::Rate { count, window_seconds, per, burst, role } => (
            "rate",
            json!({
                "operations": operations, "count": count, "window_seconds": window_seconds, "per": per.name(),
                "burst": burst, "role": value(role.as_ref()),
            }),
        ),
        LimitKind::Rows { entity, count, per, .. } => {
            // One field as itself, as most have it.
            let per: Vec<&str> = per.iter().map(|field| field.value.as_str()).collect();
            let per = if let [one] = per.as_slice() { json!(one) } else { json!(per) };
            let per = if per.as_array().is_some_and(Vec::is_empty) { Value::Null } else { per };
            ("rows", json!({"entity": entity.value, "count": count, "per": per}))
        }
        LimitKind::RequestSize { bytes } => {
            ("request_size", json!({"operations": operations, "bytes": bytes}))
        }
        LimitKind::Concurrency { count, per } => {
            ("concurrency", json!({"operations": operations, "count": count, "per": per.name()}))
        }
        LimitKind::NotUnderstood => ("not_understood", json!({})),
        LimitKind::Prose => ("prose", json!({})),
    };
    if let (Some(refusal), Some(more)) = (&limit.otherwise, more.as_object_mut()) {
        more.insert("otherwise".to_owned(), outcome(refusal));
    }
    fact(out, kind, &limit.text, more)
}

fn audit(out: &Out<'_>) -> Value {
    let audit = out.analysis.model.audit.iter().map(|audit| {
        let subjects: Vec<_> = audit.subjects.iter().map(|subject| &subject.value).collect();
        let is_fact = !matches!(audit.scope, AuditScope::Prose | AuditScope::Nothing);
        let kind = if is_fact { "audit" } else { "prose" };
        fact(out, kind, &audit.text, json!({"subjects": subjects, "kept_days": audit.kept_days.map(whole)}))
    });
    audit.collect()
}

fn budget(out: &Out<'_>, budget: &Budget) -> Value {
    let (kind, more) = match &budget.kind {
        BudgetKind::Cost { operations, amount, at_most, currency } => (
            "cost",
            json!({
                "operations": operations.iter().map(|name| &name.value).collect::<Vec<_>>(),
                "amount": amount.value, "at_most": at_most.as_ref().map(|most| &most.value),
                "currency": currency,
            }),
        ),
        BudgetKind::Budget { operations, amount, currency, per, period, alerts, event, refusal } => (
            "budget",
            json!({
                "operations": operations.iter().map(|name| &name.value).collect::<Vec<_>>(),
                "amount": amount, "currency": currency, "per": per.as_ref().map(|per| &per.value),
                "period": period.name(),
                "alerts": alerts.iter().map(|alert| number(alert)).collect::<Vec<_>>(),
                "event": event.as_ref().map(|event| &event.value),
                "refusal": refusal.as_ref().map(outcome),
            }),
        ),
        BudgetKind::NotUnderstood { .. } => ("not_understood", Value::Null),
        BudgetKind::Prose => ("prose", Value::Null),
    };
    fact(out, kind, &budget.text, more)
}

fn metrics(out: &Out<'_>) -> Value {
    let metrics = out.analysis.model.metrics.iter().map(|metric| {
        let kind = metric.kind.map(|kind| match kind {
            MetricKind::Counter => "counter",
            MetricKind::Gauge => "gauge",
            MetricKind::Histogram => "histogram",
        });
        json!({
            "name": metric.name.value,
            "kind": kind,
            "description": value(metric.description.as_ref()),
            "group": metric.group,
            "span": out.span(metric.span),
        })
    });
    metrics.collect()
}

fn traces(out: &Out<'_>) -> Value {
    let traces = out.analysis.model.traces.iter().map(|trace| {
        let spans: Vec<_> = trace.spans.iter().map(|span| &span.value).collect();
        json!({"spans": spans, "span": out.span(trace.span)})
    });
    traces.collect()
}

fn events(out: &Out<'_>) -> Value {
    let events = out.analysis.model.events.iter().map(|event| {
        json!({
            "name": event.name.value,
            "when": value(event.when.as_ref()),
            "data": event.data.iter().map(|field| &field.value).collect::<Vec<_>>(),
            "span": out.span(event.span),
        })
    });
    events.collect()
}
