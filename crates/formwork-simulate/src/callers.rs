//! Callers that send random requests, repeat what was not answered, and hold every answer against the history of the rows.

use crate::answers;
use crate::dice::Dice;
use crate::history::Moment;
use crate::world::{Kept, World};
use bytes::Bytes;
use formwork_language::constraint::from_input;
use formwork_language::program::{Operation, PathPart, Surface};
use formwork_language::value::{Row, Value, json};
use formwork_model::facts::Location;
use formwork_server::simulated::Door;
use http::{HeaderName, HeaderValue, Method, Request, Response};
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// A key and what it lets its bearer do.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    /// `caller.id`
    pub(crate) id: String,
    /// Its text.
    pub(crate) text: String,
    /// Its roles.
    pub(crate) roles: Vec<String>,
}

/// The door of the node that runs.
#[derive(Debug, Default)]
pub(crate) struct Place {
    /// The door; absent while no node runs.
    door: Mutex<Option<Door>>,
    /// Told when a node is killed. A channel would wake its waiters in an order of its own.
    killed: Notify,
}

impl Place {
    /// There is a node.
    pub(crate) fn opens(&self, door: Door) {
        *self.door.lock() = Some(door);
    }

    /// There is none any more; who waits for it waits no longer.
    pub(crate) fn closes(&self) {
        *self.door.lock() = None;
        self.killed.notify_waiters();
    }
}

/// A caller at work.
pub(crate) struct Caller {
    pub(crate) number: usize,
    pub(crate) world: Arc<World>,
    pub(crate) keys: Arc<[Key]>,
    pub(crate) place: Arc<Place>,
    pub(crate) dice: Dice,
    /// What was sent under keys by all callers, to be repeated.
    pub(crate) sent: Arc<Mutex<Vec<Sent>>>,
}

/// A request that can be sent again.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    operation: usize,
    surface: Surface,
    request: Request<Bytes>,
    /// Scope and key, when it has one and its bearer is known.
    key: Option<String>,
    shown: String,
}

/// How long an answer may take before it is never coming: longer than a run.
const LONGEST_WAIT: Duration = Duration::from_secs(30 * 86_400);
/// How often a request is repeated that nobody answered.
const PATIENCE: usize = 4;

impl Caller {
    /// Sends its requests.
    pub(crate) async fn run(mut self) {
        for _ in 0..self.world.plan.requests {
            self.think().await;
            if self.world.is_over() {
                return;
            }
            let again = match self.dice.chance(12) {
                true => self.dice.pick(&self.sent.lock()).cloned(),
                false => None,
            };
            let Some(sent) = again.or_else(|| self.draw()) else { continue };
            self.send(&sent).await;
        }
    }

    async fn think(&mut self) {
        let milliseconds = match self.dice.below(20) {
            0..=11 => self.dice.below(5),
            12..=16 => self.dice.below(300),
            17 | 18 => self.dice.below(8_000),
            _ => self.dice.below(90_000),
        };
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    }

    /// Sends a request until it is answered, or patience ends.
    async fn send(&mut self, sent: &Sent) {
        let first = sent.key.as_deref().map(|key| self.world.sends(key)).unwrap_or_default();
        for _ in 0..PATIENCE {
            let began = self.world.moment();
            let answer = self.exchange(sent).await;
            let program = Arc::clone(&self.world.program);
            let Some(operation) = program.operations.get(sent.operation) else { return };
            let status = answer.as_ref().map(|answer| answer.status().as_u16());
            let at = match status {
                Some(200..=399) => 0,
                Some(400..=499) => 1,
                _ => 2,
            };
            self.world.count(|counts| {
                counts.requests += 1;
                counts.operations.entry(operation.name.to_string()).or_default()[at] += 1;
            });
            if let Some(answer) = &answer {
                self.judge(sent, operation, answer, (began, first));
            }
            let unanswered = matches!(status, None | Some(502..=504));
            // Without a key a repeat of what writes is another request.
            let harmless = sent.key.is_some() || !operation.writes;
            if self.world.is_over() || !unanswered || !harmless || self.dice.chance(20) {
                return;
            }
            self.think().await;
        }
    }

    /// One request and its answer; nothing when the node is gone, or goes meanwhile.
    async fn exchange(&mut self, sent: &Sent) -> Option<Response<Bytes>> {
        let name = format!("caller {}", self.number);
        self.world.say(&format!("{name} → {}", sent.shown));
        let door = self.place.door.lock().clone();
        let answer = match door {
            None => None,
            Some(door) => {
                let losses = self.world.plan.losses;
                let patience = match losses && self.dice.chance(6) {
                    true => Duration::from_millis(self.dice.below(30)),
                    false => LONGEST_WAIT,
                };
                let is_lost = losses && self.dice.chance(6);
                tokio::select! {
                    biased;
                    () = self.place.killed.notified() => None,
                    // The caller hangs up.
                    () = tokio::time::sleep(patience) => None,
                    answer = door.request(sent.surface, sent.request.clone()) => answer.filter(|_| !is_lost),
                }
            }
        };
        let said = match &answer {
            None => "nobody answers".to_owned(),
            Some(answer) => {
                let body = String::from_utf8_lossy(answer.body());
                let shown: String = body.chars().take(400).collect();
                let known =
                    if answer.headers().contains_key("idempotent-replayed") { " (known)" } else { "" };
                format!("{}{known} {shown}", answer.status().as_u16())
            }
        };
        self.world.say(&format!("{name} ← {said}"));
        answer
    }

    /// Holds an answer against what must be; its request was sent at `began`, and its key first at `first`.
    fn judge(
        &self,
        sent: &Sent,
        operation: &Operation,
        answer: &Response<Bytes>,
        (began, first): (Moment, i64),
    ) {
        let status = answer.status().as_u16();
        if status == 500 {
            let detail = String::from_utf8_lossy(answer.body()).into_owned();
            return self.world.find(format!("`{}` was answered 500: {detail}", operation.name));
        }
        let replayed = answer.headers().contains_key("idempotent-replayed");
        if let (Some(key), 200..=399) = (&sent.key, status) {
            let program = &self.world.program;
            let rule = program.once_rule(u32::try_from(sent.operation).unwrap_or(u32::MAX));
            let now = self.world.now();
            let kept = Kept {
                status,
                body: answer.body().to_vec(),
                until: rule.kept.map(|kept| first.saturating_add(kept)),
            };
            if let Some(before) = self.world.answered(key, &kept)
                && (before.status != kept.status || before.body != kept.body)
            {
                if before.until.is_none_or(|until| until > now) {
                    let what = format!("`{}` was answered otherwise when it was repeated", operation.name);
                    return self.world.find(format!("{what} under the key `{key}`"));
                }
                self.world.forget(key);
                let _ = self.world.answered(key, &kept);
            }
        }
        if (200..300).contains(&status) {
            // What is repeated may tell what was when it was first carried out.
            let from = if replayed || sent.key.is_some() { 0 } else { began };
            let until = self.world.moment();
            let found = self.world.with_history(|history| {
                answers::unknown(&self.world.program, history, operation, answer.body(), (from, until))
            });
            if let Some(found) = found {
                self.world.find(found);
            }
        }
    }

    /// A request by chance.
    fn draw(&mut self) -> Option<Sent> {
        let program = Arc::clone(&self.world.program);
        let runs = |operation: &&(usize, &Operation)| operation.1.mode.runs();
        let all: Vec<(usize, &Operation)> =
            program.operations.iter().enumerate().filter(|it| runs(&it)).collect();
        let (index, operation) = *self.dice.pick(&all)?;
        let about = self.about(operation);
        let anchor = about.and_then(|about| self.anchor(about));
        let key = self.bearer(operation, anchor.as_deref());
        let mut headers: Vec<(String, String)> = Vec::new();
        if let Some(key) = &key {
            headers.push((program.api_key_header.to_string(), key.text.clone()));
        }
        let (mut path_values, mut query, mut body) = (Vec::new(), Vec::new(), Vec::new());
        let page = operation
            .code
            .instructions
            .iter()
            .any(|it| matches!(it, formwork_language::program::Instruction::ReadPage { .. }));
        let fields = &operation.input.fields;
        let count = if page { fields.len().saturating_sub(2) } else { fields.len() };
        // What fits together only as a flow has put it, such as the lines and the currency of an order, is hardly met by chance.
        let together = match self.dice.chance(35) {
            true => self.world.call_of_flow(index, &mut self.dice),
            false => None,
        };
        for field in fields.iter().take(count) {
            let may_go = field.optional || field.default.is_some();
            let said = together.as_ref().and_then(|together| together.get(&*field.name));
            let said = said.and_then(|value| from_input(&field.ty, value.clone()).ok());
            let is_left_out = if together.is_some() { said.is_none() } else { self.dice.chance(55) };
            if may_go && field.location != Location::Path && is_left_out {
                continue;
            }
            let drawn = said.filter(|_| field.location != Location::Path);
            let value = drawn.unwrap_or_else(|| {
                self.world.with_source_of(&mut self.dice, (about, anchor.clone()), |source| {
                    source.value(&field.name, &field.ty, &field.rules)
                })
            });
            match &field.location {
                Location::Path => path_values.push((field.name.clone(), value.to_plain())),
                Location::Query => query.push(format!("{}={}", field.name, encoded(&value.to_plain()))),
                Location::Header(name) => headers.push((name.to_ascii_lowercase(), value.to_plain())),
                Location::Body => body.push((Value::Text(field.name.clone()), value)),
            }
        }
        let mut path = String::new();
        for part in &operation.path {
            path.push('/');
            match part {
                PathPart::Fixed(text) => path.push_str(text),
                PathPart::Parameter(name) => {
                    let value = path_values.iter().find(|(other, _)| other == name);
                    path.push_str(&encoded(value.map_or("", |(_, value)| value)));
                }
            }
        }
        if path.is_empty() {
            path.push('/');
        }
        if !query.is_empty() {
            path.push_str(&format!("?{}", query.join("&")));
        }
        let rule = program.once_rule(u32::try_from(index).unwrap_or(u32::MAX));
        let own_key = headers.iter().any(|(name, _)| name == "idempotency-key");
        if operation.writes
            && &*operation.method != "GET"
            && !own_key
            && (rule.required || self.dice.chance(50))
        {
            headers.push((
                "idempotency-key".to_owned(),
                format!("key-{:08x}", self.dice.below(u64::from(u32::MAX))),
            ));
        }
        let has_body = fields.iter().take(count).any(|field| field.location == Location::Body);
        let body = if has_body { json::to_json(&Value::Map(body.into())) } else { String::new() };
        let who = key.as_ref().map_or("anyone", |key| &key.id);
        let once = headers.iter().find(|(name, _)| name == "idempotency-key").map(|(_, key)| key.clone());
        let shown_key = once.as_ref().map(|key| format!(" under {key}")).unwrap_or_default();
        let shown = format!("{} {path} {body} as {who}{shown_key}", operation.method);
        let request = request(&operation.method, &path, &headers, body)?;
        let once = once.filter(|_| operation.writes && &*operation.method != "GET");
        let scoped = once.zip(key.as_ref()).map(|(once, key)| format!("caller {} {once}", key.id));
        let sent = Sent { operation: index, surface: operation.surface, request, key: scoped, shown };
        if sent.key.is_some() {
            self.sent.lock().push(sent.clone());
        }
        Some(sent)
    }

    /// Who sends it: mostly somebody who may.
    fn bearer(&mut self, operation: &Operation, anchor: Option<&Row>) -> Option<Key> {
        let access = &operation.access;
        let may = |key: &&Key| {
            access.roles.iter().all(|any| any.iter().any(|role| key.roles.iter().any(|own| **own == **role)))
        };
        if access.public && self.dice.chance(40)
            || operation.surface == Surface::Internal && self.dice.chance(70)
        {
            return None;
        }
        let fitting: Vec<&Key> = self.keys.iter().filter(may).collect();
        // Who is named in the row that is meant is the one to whom most of it happens.
        let named = |key: &&&Key| {
            let is_id = |value: &Value| matches!(value, Value::Text(text) if **text == *key.id);
            anchor.is_some_and(|row| row.values.iter().any(is_id))
        };
        let named: Vec<&Key> = fitting.iter().filter(named).copied().collect();
        if !named.is_empty() && self.dice.chance(70) {
            return self.dice.pick(&named).map(|key| (*key).clone());
        }
        match self.dice.chance(97) && !fitting.is_empty() {
            true => self.dice.pick(&fitting).map(|key| (*key).clone()),
            false => self.dice.pick(&self.keys).cloned(),
        }
    }

    /// The row that a request is about.
    fn anchor(&mut self, about: u16) -> Option<Arc<Row>> {
        let latest = self.dice.chance(40);
        self.world.with_history(|history| match latest {
            true => history.latest(about).cloned(),
            false => self.dice.pick(&history.rows(about)).map(|row| Arc::clone(row)),
        })
    }

    /// The entity that an operation is about: that of its answer, or the one that its path names.
    fn about(&self, operation: &Operation) -> Option<u16> {
        let named = operation.path.iter().filter_map(|part| match part {
            PathPart::Fixed(text) => Some(text.to_ascii_lowercase().replace('-', "_")),
            PathPart::Parameter(_) => None,
        });
        let named: Vec<String> = named.collect();
        let entities = || (0..).zip(&self.world.program.schema.entities);
        let of_path = entities().find(|(_, entity)| {
            let name = entity.name.to_ascii_lowercase();
            named
                .iter()
                .any(|part| *part == name || *part == format!("{name}s") || *part == format!("{name}es"))
        });
        of_path.map(|(id, _)| id).or(operation.output.entity)
    }
}

fn request(method: &str, path: &str, headers: &[(String, String)], body: String) -> Option<Request<Bytes>> {
    let mut request = Request::new(Bytes::from(body));
    *request.method_mut() = Method::from_bytes(method.as_bytes()).ok()?;
    *request.uri_mut() = path.parse().ok()?;
    if !request.body().is_empty() {
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(http::header::CONTENT_TYPE, json);
    }
    for (name, value) in headers {
        let header = HeaderName::from_bytes(name.as_bytes()).ok().zip(HeaderValue::from_str(value).ok());
        let (name, value) = header?;
        request.headers_mut().insert(name, value);
    }
    Some(request)
}

fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
