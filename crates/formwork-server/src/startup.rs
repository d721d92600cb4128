//! What `run` prints at start: how each operation is served, one curl line each, and promises not yet enforced.

use crate::mock::matching;
use formwork_check::Analysis;
use formwork_language::behaviour::Inference;
use formwork_language::program::{InputField, Mode, Operation, PathPart, Program, SignatureRule, Surface};
use formwork_model::Model;
use formwork_model::facts::Location;
use formwork_model::sections::observability::MetricKind;
use formwork_model::values::Type;
use std::net::SocketAddr;

/// A line of the table of operations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModeRow {
    /// Its name.
    pub name: String,
    /// `GET /links/{slug}`
    pub route: String,
    /// `public` or `internal`.
    pub listener: &'static str,
    /// `executed`, `inferred` or `mocked`.
    pub mode: &'static str,
    /// Why it is in that mode: one clause.
    pub why: String,
    /// Who may call it: `anyone`, `any key`, `who signs`, or the roles.
    pub callers: String,
}

/// How each operation is served, in the order of the document.
pub fn mode_table(analysis: &Analysis) -> Vec<ModeRow> {
    let why = |index: usize| {
        let behaviours = &analysis.compiled.behaviours;
        let found =
            behaviours.iter().find(|behaviour| behaviour.program.is_some_and(|at| at as usize == index));
        match found.map(|behaviour| &behaviour.inference) {
            Some(Inference::Steps(inferred)) => inferred.summary.to_string(),
            Some(Inference::Refused(reason)) => reason.to_string(),
            Some(Inference::NotNeeded) | None => "its steps".to_owned(),
        }
    };
    let row = |(index, operation): (usize, &Operation)| ModeRow {
        why: match operation.mode {
            Mode::Mocked => format!("{}; made up, nothing is kept", why(index)),
            Mode::Executed | Mode::Inferred => why(index),
        },
        name: operation.name.to_string(),
        route: format!("{} {}", operation.method, route(operation)),
        listener: match operation.surface {
            Surface::Public => "public",
            Surface::Internal => "internal",
        },
        mode: match operation.mode {
            Mode::Executed => "executed",
            Mode::Inferred => "inferred",
            Mode::Mocked => "mocked",
        },
        callers: callers(operation),
    };
    analysis.compiled.program.operations.iter().enumerate().map(row).collect()
}

/// The roles that meet every demand of an operation.
fn callers(operation: &Operation) -> String {
    let access = &operation.access;
    if access.public {
        return "anyone".to_owned();
    }
    if access.signed && access.roles.is_empty() {
        return "who signs".to_owned();
    }
    let Some((first, others)) = access.roles.split_first() else {
        return match operation.surface {
            Surface::Public => "any key".to_owned(),
            Surface::Internal => "components".to_owned(),
        };
    };
    let roles = first.iter().filter(|role| others.iter().all(|any| any.contains(role)));
    let names = roles.map(|role| &**role).collect::<Vec<_>>().join(", ");
    if names.is_empty() { "nobody".to_owned() } else { names }
}

/// The path of an operation as the document writes it.
pub(crate) fn route(operation: &Operation) -> String {
    let mut path = String::new();
    for part in &operation.path {
        path.push('/');
        match part {
            PathPart::Fixed(text) => path.push_str(text),
            PathPart::Parameter(name) => path.push_str(&format!("{{{name}}}")),
        }
    }
    if path.is_empty() { "/".to_owned() } else { path }
}

/// A curl line that calls the operation with plausible input from types and rules: the required fields, and texts of
/// a pattern, which are names that the other lines refer to. The key is `$KEY`; what a signature line of its own asks
/// for is made by the shell.
pub fn curl_line(program: &Program, operation: &Operation, address: SocketAddr) -> String {
    let located = |wanted: &Location| -> Vec<&InputField> {
        let needed = |field: &&InputField| {
            let required = !field.optional && field.default.is_none();
            let names =
                *wanted == Location::Body && field.ty == Type::String && field.rules.pattern.is_some();
            field.location == *wanted && (required || names) && !is_hidden(field, operation)
        };
        operation.input.fields.iter().filter(needed).collect()
    };
    let mut path = String::new();
    for part in &operation.path {
        path.push('/');
        match part {
            PathPart::Fixed(text) => path.push_str(text),
            PathPart::Parameter(name) => {
                let field = operation.input.fields.iter().find(|field| field.name == *name);
                path.push_str(&field.map_or("1".to_owned(), plain_example));
            }
        }
    }
    let query: Vec<String> = located(&Location::Query)
        .into_iter()
        .map(|field| format!("{}={}", field.name, plain_example(field)))
        .collect();
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    let path = if path.is_empty() { "/" } else { &path };
    let mut line = String::from("curl -s");
    if &*operation.method != "GET" {
        line.push_str(&format!(" -X {}", operation.method));
    }
    line.push_str(&format!(" '{}'", quoted(&format!("http://{address}{path}{query}"))));
    let signature = program.signatures.iter().find(|rule| rule.is_of(&operation.name));
    let takes_key = !operation.access.public && !operation.access.signed;
    if takes_key && operation.surface == Surface::Public {
        line.push_str(&format!(" -H \"{}: $KEY\"", program.api_key_header));
    }
    for field in &operation.input.fields {
        if let Location::Header(name) = &field.location
            && !field.optional
        {
            line.push_str(&format!(" -H '{}'", quoted(&format!("{name}: {}", plain_example(field)))));
        }
    }
    let body = located(&Location::Body);
    let members: Vec<String> =
        body.into_iter().map(|field| format!("\"{}\":{}", field.name, example(field))).collect();
    let body = if members.is_empty() { String::new() } else { quoted(&format!("{{{}}}", members.join(","))) };
    match signature {
        Some(rule) => signed(rule, &line, &body),
        None if body.is_empty() => line,
        None => format!("{line} -H 'content-type: application/json' -d '{body}'"),
    }
}

/// A line of curl that signs its request as the rule of its operation says.
fn signed(rule: &SignatureRule, line: &str, body: &str) -> String {
    let mut text = String::new();
    let mut headers = String::new();
    if let Some(id) = rule.id_header() {
        text.push_str("msg_$now.");
        headers.push_str(&format!(" -H \"{id}: msg_$now\""));
    }
    if let Some(time) = rule.time_header() {
        text.push_str("$now.");
        headers.push_str(&format!(" -H \"{time}: $now\""));
    }
    let code = format!("printf %s \"{text}$body\" | openssl dgst -sha256 -hmac \"${}\"", rule.secret);
    let code = match rule.header {
        Some(_) => format!("$({code} -hex | sed 's/.* //')"),
        None => format!("v1,$({code} -binary | base64)"),
    };
    let header = rule.header();
    let sent = match body.is_empty() {
        true => "",
        false => " -H 'content-type: application/json' -d \"$body\"",
    };
    format!("now=$(date +%s) body='{body}'; {line}{sent}{headers} -H \"{header}: {code}\"")
}

/// The page's own inputs are optional by nature.
fn is_hidden(field: &InputField, operation: &Operation) -> bool {
    let last = operation.input.fields.iter().rev().take(2);
    matches!(&*field.name, "cursor" | "limit") && last.into_iter().any(|other| other.name == field.name)
}

/// Inside single quotes of a shell.
fn quoted(text: &str) -> String {
    text.replace('\'', "'\\''")
}

/// A plausible value as it stands in a path, query or header.
fn plain_example(field: &InputField) -> String {
    let json = example(field);
    let text = serde_json::from_str::<String>(&json).unwrap_or(json);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// A plausible value as JSON.
fn example(field: &InputField) -> String {
    if let Some(first) = field.rules.one_of.as_ref().and_then(|texts| texts.first()) {
        return format!("\"{first}\"");
    }
    match &field.ty {
        Type::String => format!("\"{}\"", text_example(field)),
        Type::Integer | Type::Double => number_example(field),
        Type::Decimal { .. } => format!("\"{}\"", number_example(field)),
        ty => type_example(ty),
    }
}

fn type_example(ty: &Type) -> String {
    match ty {
        Type::String => "\"text\"".to_owned(),
        Type::Integer | Type::Double => "1".to_owned(),
        Type::Decimal { .. } => "\"1\"".to_owned(),
        Type::Boolean => "true".to_owned(),
        Type::Uuid => "\"01890a5d-ac96-774b-bcce-b302099a8057\"".to_owned(),
        Type::Timestamp => "\"2035-01-01T00:00:00Z\"".to_owned(),
        Type::Date => "\"2035-01-01\"".to_owned(),
        Type::Time => "\"09:30:00\"".to_owned(),
        Type::Duration => "\"90s\"".to_owned(),
        Type::Bytes => "\"AAEC\"".to_owned(),
        Type::Uri => "\"https://example.com/\"".to_owned(),
        Type::Email => "\"someone@example.com\"".to_owned(),
        Type::List(of) => format!("[{}]", type_example(of)),
        Type::Enum(values) => format!("\"{}\"", values.first().map_or("", |first| first)),
        Type::Object(members) => {
            let members: Vec<String> =
                members.iter().map(|(name, ty)| format!("\"{name}\":{}", type_example(ty))).collect();
            format!("{{{}}}", members.join(","))
        }
        Type::Json | Type::Named(_) | Type::Unknown(_) => "{}".to_owned(),
    }
}

/// The first of a few texts that the field's rules accept.
fn text_example(field: &InputField) -> String {
    let name = field.name.replace('_', "-");
    let shortest = usize::try_from(field.rules.length.0.unwrap_or(0)).unwrap_or(0).min(1000);
    let candidates = [
        format!("my-{name}"),
        name,
        "abc".into(),
        "a1".into(),
        "A1".into(),
        "12345".into(),
        "a".repeat(shortest),
    ];
    let fits = |text: &&String| {
        let value = formwork_language::value::Value::Text(text.as_str().into());
        text.len() >= shortest && field.rules.violations(&value).is_empty()
    };
    let from_pattern = || field.rules.pattern.as_ref().and_then(|pattern| matching(pattern.as_str()));
    let found = candidates.iter().find(fits).cloned();
    found.or_else(from_pattern).unwrap_or_else(|| candidates[0].clone())
}

/// A whole number within the field's bounds.
fn number_example(field: &InputField) -> String {
    let whole = |bound: &formwork_language::value::Decimal| {
        bound.units.div_euclid(10_i128.checked_pow(u32::from(bound.scale)).unwrap_or(i128::MAX))
    };
    let least = field.rules.min.as_ref().map(|(bound, _)| whole(bound) + 1);
    let most = field.rules.max.as_ref().map(|(bound, _)| whole(bound));
    let number = 1.max(least.unwrap_or(1)).min(most.unwrap_or(i128::MAX));
    number.to_string()
}

/// What sections 8 to 10 promise and Formwork does not enforce yet, one line each.
pub fn not_yet_enforced(model: &Model) -> Vec<String> {
    let mut lines = Vec::new();
    let mut say = |what: &str, text: &str| lines.push(format!("{what}: {}", text.trim()));
    for metric in model.metrics.iter().filter(|metric| metric.kind == Some(MetricKind::Gauge)) {
        say("metric", &format!("gauge `{}`", metric.name.value));
    }
    for trace in &model.traces {
        let spans: Vec<String> = trace.spans.iter().map(|span| format!("`{}`", span.value)).collect();
        say("trace", &spans.join(" → "));
    }
    lines
}
