//! OpenAPI 3.1 of the operations of section 4: what `GET /openapi.json` answers and `export openapi` writes.
//!
//! Everything that a caller can send, get or be refused with follows from the program: parameters and bodies from Input,
//! answers from Output and the steps, problems from the steps and from the edge's fixed order of refusals. Source: HTTP
//! reference; OpenAPI Specification 3.1.1.

mod answers;
mod headers;
mod limits;
mod parameters;
mod problems;

use super::schema::{Schemas, safe};
use formwork_check::Analysis;
use formwork_language::program::{InputField, Mode, Operation, PathPart, Program, SignatureRule, Surface};
use formwork_model::facts::Location;
use formwork_model::sections::edge::Deprecation;
use formwork_model::sections::interface;
use formwork_syntax::Fence;
use serde_json::{Map, Value, json};

/// The version of the specification.
const VERSION: &str = "3.1.1";

/// Where named schemas stand.
const SCHEMAS: &str = "#/components/schemas/";

/// The name of the security scheme of keys.
const KEY: &str = "api_key";

/// The name of the security scheme of tokens.
const TOKEN: &str = "bearer";

/// Paths of the process itself, unless the document has an operation there.
const OURS: [(&str, &str); 3] = [
    ("/healthz", "Whether the system can do its work"),
    ("/readyz", "Whether the system can do its work"),
    ("/livez", "Whether the process answers"),
];

/// What is said of one operation is said with.
struct Cx<'a> {
    analysis: &'a Analysis,
    program: &'a Program,
    schemas: Schemas<'a>,
}

/// The description of a document's public operations.
pub fn openapi(analysis: &Analysis) -> Value {
    let program = &analysis.compiled.program;
    let schemas = Schemas::new(&analysis.model, &program.schema.entities, SCHEMAS);
    let cx = Cx { analysis, program, schemas };
    let mut paths: Map<String, Value> = Map::new();
    for (index, operation) in (0..).zip(&program.operations) {
        if operation.surface != Surface::Public {
            continue;
        }
        let path = template(&operation.path);
        let item = paths.entry(path).or_insert_with(|| json!({}));
        if let Some(item) = item.as_object_mut() {
            let method = operation.method.to_lowercase();
            // Of two operations with one route the first is served.
            item.entry(method).or_insert_with(|| cx.operation(index, operation));
        }
    }
    let with_headers = |mut operation: Value| {
        headers::describe_own(&cx, &mut operation["responses"]);
        json!({"get": operation})
    };
    for (path, about) in OURS {
        paths.entry(path.to_owned()).or_insert_with(|| with_headers(own(path, about)));
    }
    paths.entry("/openapi.json").or_insert_with(|| with_headers(itself()));
    let model = &analysis.model;
    let title = model.title.as_ref().map_or("Untitled", |title| &title.value);
    let mut info = json!({"title": title, "version": "1"});
    if let Some(summary) = model.summary.first() {
        info["description"] = json!(summary.value);
    }
    json!({
        "openapi": VERSION,
        "info": info,
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": cx.named_schemas(),
            "headers": headers::named(),
            "securitySchemes": cx.schemes(),
        },
    })
}

impl Cx<'_> {
    fn operation(&self, index: u32, operation: &Operation) -> Value {
        let declared = self.declared(operation);
        let mut object = Map::new();
        object.insert("operationId".to_owned(), json!(self.id(index, operation)));
        if let Some(purpose) = declared.and_then(|declared| declared.purpose.as_ref()) {
            object.insert("summary".to_owned(), json!(purpose.value.trim()));
        }
        if let Some(group) = declared.and_then(|declared| declared.group.as_ref()) {
            object.insert("tags".to_owned(), json!([group]));
        }
        let parameters = parameters::parameters(self, index, operation);
        if !parameters.is_empty() {
            object.insert("parameters".to_owned(), Value::Array(parameters));
        }
        if let Some(body) = self.body(operation, declared) {
            object.insert("requestBody".to_owned(), body);
        }
        let mut responses = answers::answers(self, operation, declared);
        responses.extend(problems::problems(self, index, operation));
        headers::describe(self, index, operation, &mut responses);
        object.insert("responses".to_owned(), Value::Object(responses));
        object.insert("security".to_owned(), self.security(operation));
        if let Some(line) = self.deprecation(operation) {
            object.insert("deprecated".to_owned(), json!(true));
            if let Some(ends) = &line.ends {
                object.insert("x-sunset".to_owned(), json!(ends.text));
            }
        }
        limits::describe(self, index, &mut object);
        if operation.mode == Mode::Mocked {
            object.insert("x-formwork-mode".to_owned(), json!("mocked"));
        }
        Value::Object(object)
    }

    /// What the document says of the end of an operation, when it says since when.
    fn deprecation(&self, operation: &Operation) -> Option<&Deprecation> {
        let lines = &self.analysis.model.deprecations;
        lines.iter().find(|line| line.operation.value == *operation.name && line.since.is_some())
    }

    /// What the document says of an operation.
    fn declared(&self, operation: &Operation) -> Option<&interface::Operation> {
        self.analysis.model.operations.iter().find(|declared| declared.span == operation.span)
    }

    /// The operation's name, with method and path where another has the same.
    fn id(&self, index: u32, operation: &Operation) -> String {
        let first = self.program.operations.iter().position(|other| other.name == operation.name);
        match first.is_some_and(|first| u32::try_from(first) == Ok(index)) {
            true => operation.name.to_string(),
            false => format!("{} {} {}", operation.name, operation.method, template(&operation.path)),
        }
    }

    fn body(&self, operation: &Operation, declared: Option<&interface::Operation>) -> Option<Value> {
        let fields: Vec<&InputField> =
            operation.input.fields.iter().filter(|field| field.location == Location::Body).collect();
        let open = operation.input.ignores_others;
        if fields.is_empty() && !(open && *operation.method != *"GET") {
            return None;
        }
        let in_body = |field: &InputField| field.location == Location::Body;
        let schema = self.schemas.sent(operation, &self.program.schema, in_body);
        let mut content = json!({"schema": schema});
        let fits = |value: &Value| {
            let given = value.as_object();
            given.is_some_and(|given| {
                given.keys().all(|name| fields.iter().any(|field| *field.name == **name))
                    && fields.iter().all(|field| field.optional || given.contains_key(&*field.name))
            })
        };
        let example = declared.and_then(|declared| self.examples(declared).find(fits));
        if let Some(example) = example.filter(|_| !fields.is_empty()) {
            content["example"] = example;
        }
        let mut all = json!({"application/json": content});
        if &*operation.method == "PATCH" {
            all["application/merge-patch+json"] = content;
        }
        Some(json!({"required": fields.iter().any(|field| !field.optional), "content": all}))
    }

    /// The JSON fences under *Example Schema*.
    fn examples<'d>(&'d self, declared: &'d interface::Operation) -> impl Iterator<Item = Value> + 'd {
        let text = |fence: &Fence| -> String {
            fence.lines.iter().map(|line| line.slice(&self.analysis.source)).collect()
        };
        declared.examples.iter().filter_map(move |fence| serde_json::from_str(&text(fence)).ok())
    }

    /// How a caller says who it is: by a key, and by a token where the document names an issuer.
    fn schemes(&self) -> Value {
        let mut schemes = json!({
            (KEY): {
                "type": "apiKey",
                "in": "header",
                "name": &*self.program.api_key_header,
                "description": "A key made by `formwork keys create`",
            },
        });
        if self.takes_tokens() {
            schemes[TOKEN] = json!({"type": "http", "scheme": "bearer", "bearerFormat": "JWT"});
        }
        for (index, rule) in self.program.signatures.iter().enumerate() {
            schemes[signature(index)] = json!({
                "type": "apiKey",
                "in": "header",
                "name": rule.header(),
                "description": signed_as(rule),
            });
        }
        schemes
    }

    fn takes_tokens(&self) -> bool {
        !self.program.tokens.is_empty()
    }

    /// Who may call: with a key or token that has one of the roles; without one where anyone may.
    fn security(&self, operation: &Operation) -> Value {
        let access = &operation.access;
        // Each list must have a role of the caller: a role of all of them is enough.
        let first: &[_] = access.roles.first().map_or(&[], Vec::as_slice);
        let enough = |role: &&str| access.roles.iter().all(|list| list.iter().any(|other| **other == **role));
        let mut roles: Vec<&str> = first.iter().map(|role| &**role).filter(enough).collect();
        if roles.is_empty() {
            roles = first.iter().map(|role| &**role).collect();
        }
        let by = |takes: &dyn Fn(&SignatureRule) -> bool| -> Vec<Value> {
            let rules = self.program.signatures.iter().enumerate().filter(|(_, rule)| takes(rule));
            rules.map(|(index, _)| json!({(signature(index)): []})).collect()
        };
        if access.signed {
            return Value::Array(by(&|rule| rule.is_of(&operation.name)));
        }
        let mut ways = Vec::new();
        if access.public {
            ways.push(json!({}));
        }
        ways.push(json!({(KEY): roles}));
        if self.takes_tokens() {
            ways.push(json!({(TOKEN): roles}));
        }
        ways.extend(by(&|rule| rule.operations.is_empty()));
        Value::Array(ways)
    }

    fn named_schemas(&self) -> Value {
        let mut named = Map::new();
        for entity in &self.program.schema.entities {
            named.insert(safe(&entity.name), self.schemas.row(entity, None, &self.analysis.model));
        }
        named.insert("Problem".to_owned(), problems::problem());
        named.insert("Fault".to_owned(), problems::fault());
        Value::Object(named)
    }
}

/// The name of the security scheme of a line about signatures.
fn signature(index: usize) -> String {
    match index {
        0 => "signature".to_owned(),
        _ => format!("signature_{}", index + 1),
    }
}

/// How a request is signed, for people.
fn signed_as(rule: &SignatureRule) -> String {
    let named = [rule.id_header(), rule.time_header()].into_iter().flatten();
    let mut parts: Vec<String> = named.map(|name| format!("`{name}`")).collect();
    if rule.operations.is_empty() {
        parts.push("`METHOD TARGET` with a line feed before the raw body".to_owned());
    } else {
        parts.push("the raw body".to_owned());
    }
    let joined = if parts.len() > 1 { ", joined by points" } else { "" };
    let form = if rule.header.is_none() { "base64 behind `v1,`" } else { "hexadecimal digits or base64" };
    let kept = match rule.time_header() {
        Some(_) => format!("; at most {} s old, and taken once", rule.oldest / 1_000_000),
        None => String::new(),
    };
    let (parts, caller) = (parts.join(", "), &rule.caller);
    format!("HMAC-SHA256 of {parts}{joined}, with the secret of `{caller}`, as {form}{kept}")
}

/// A path as OpenAPI writes it.
fn template(path: &[PathPart]) -> String {
    let mut text = String::new();
    for part in path {
        text.push('/');
        match part {
            PathPart::Fixed(fixed) => text.push_str(fixed),
            PathPart::Parameter(name) => text.push_str(&format!("{{{name}}}")),
        }
    }
    if text.is_empty() { "/".to_owned() } else { text }
}

/// The path of this description.
fn itself() -> Value {
    json!({
        "operationId": "openapi.json",
        "summary": "This description",
        "responses": {"200": {
            "description": "OpenAPI 3.1",
            "content": {"application/json": {"schema": {"type": "object", "required": ["openapi"]}}},
        }},
        "security": [{}],
    })
}

/// A path of the process itself.
fn own(path: &str, about: &str) -> Value {
    let health = json!({
        "description": about,
        "content": {"application/health+json": {"schema": {
            "type": "object",
            "properties": {"status": {"enum": ["pass", "fail"]}},
            "required": ["status"],
        }}},
    });
    let mut responses = json!({"200": health});
    if path != "/livez" {
        responses["503"] = health;
    }
    json!({
        "operationId": path.trim_start_matches('/'),
        "summary": about,
        "responses": responses,
        "security": [{}],
    })
}
