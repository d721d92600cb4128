//! The external components of a document, played: they answer what its flows have them answer, or what its calls expect,
//! and are late, silent, unreachable or broken as the plan allows. One request, known by its `Idempotency-Key`, keeps to
//! one outcome, whatever becomes of its answers.

use crate::values::Source;
use crate::world::World;
use bytes::Bytes;
use formwork_check::Analysis;
use formwork_language::behaviour::{FlowAction, FlowCall, FlowStep, PartnerAnswer, Target};
use formwork_language::constraint::FieldRules;
use formwork_language::eval::{Host, Scope, evaluate};
use formwork_language::program::{AnswerField, AnswerShape, Code, Instruction, Program, TargetPart};
use formwork_language::value::{Value, json};
use formwork_server::simulated::{Partners, Unanswered};
use formwork_store::Waiting;
use http::{Request, Response};
use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// An answer that a flow or a call of the document knows.
#[derive(Clone, Debug)]
struct Known {
    component: Arc<str>,
    method: Arc<str>,
    /// Pieces of the path; absent for a parameter.
    path: Vec<Option<String>>,
    answers: Vec<Answers>,
}

#[derive(Clone, Debug)]
enum Answers {
    /// As a flow says it.
    Body(u16, Option<String>),
    /// As a call reads it.
    Shape(AnswerShape),
}

/// What the partners of a document may say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Script {
    known: Vec<Known>,
    words: Words,
}

/// What the flows of a document send.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sayings {
    /// By the names of inputs.
    pub(crate) by_name: BTreeMap<String, Vec<Value>>,
    /// By operation, the members of each call that depend on nothing before it: values that only fit together.
    pub(crate) by_operation: BTreeMap<u32, Vec<BTreeMap<String, Value>>>,
}

/// What the flows of a document send, for all who draw from it.
pub(crate) type Words = Arc<Sayings>;

impl Script {
    /// Reads the flows and the calls of a document.
    pub(crate) fn read(analysis: &Analysis) -> Self {
        let mut script = Self::default();
        for flow in &analysis.compiled.flows {
            script.steps(flow.steps.iter().chain(&flow.errors));
        }
        let program = &analysis.compiled.program;
        for code in all_code(program) {
            for instruction in &code.instructions {
                let Instruction::Call(call) = instruction else { continue };
                let Some(upstream) = program.upstreams.get(usize::from(call.upstream)) else { continue };
                let mut path = String::new();
                for part in &call.target {
                    match part {
                        TargetPart::Text(text) => path.push_str(text),
                        TargetPart::Member(name) => path.push_str(&format!("{{{name}}}")),
                    }
                }
                let answers = Answers::Shape(call.answer.clone());
                script.note((&upstream.name, &call.method, &path), answers);
            }
        }
        script
    }

    fn steps<'s>(&mut self, steps: impl IntoIterator<Item = &'s FlowStep>) {
        for step in steps {
            match &step.action {
                Some(FlowAction::PartnerAnswers {
                    component, method, path, answer: Some(answer), ..
                }) => {
                    if let Some(answers) = constant(answer) {
                        self.note((component, method, path), answers);
                    }
                }
                Some(FlowAction::Call { call, .. } | FlowAction::AtOnce { call, .. }) => self.sends(call),
                Some(
                    FlowAction::Repeat { steps, .. }
                    | FlowAction::Steps(steps)
                    | FlowAction::Together { branches: steps },
                ) => self.steps(steps),
                _ => {}
            }
        }
    }

    /// What the flows of the document send, by the names of inputs.
    pub(crate) fn words(&self) -> Words {
        Arc::clone(&self.words)
    }

    /// Takes in what a call sends that depends on nothing before it.
    fn sends(&mut self, call: &FlowCall) {
        let sent = call.input.as_ref().and_then(|input| constant_of_flow(input, 1));
        let Some(Value::Map(members)) = sent else { return };
        let words = Arc::make_mut(&mut self.words);
        let mut together = BTreeMap::new();
        for (name, value) in members.iter() {
            let Value::Text(name) = name else { continue };
            if !value.is_absent() && is_whole(value) {
                words.by_name.entry(name.to_string()).or_default().push(value.clone());
                together.insert(name.to_string(), value.clone());
            }
        }
        if let Target::Operation(operation) = &call.target {
            words.by_operation.entry(*operation).or_default().push(together);
        }
    }

    fn note(&mut self, (component, method, path): (&Arc<str>, &Arc<str>, &str), answers: Answers) {
        let path = pieces(path);
        let same = |known: &&mut Known| {
            known.component.eq_ignore_ascii_case(component) && known.method == *method && known.path == path
        };
        match self.known.iter_mut().find(same) {
            // What a flow has seen is better than what a call would read.
            Some(known) => match answers {
                Answers::Shape(_) => {}
                body @ Answers::Body(..) => known.answers.push(body),
            },
            None => {
                let (component, method) = (Arc::clone(component), Arc::clone(method));
                self.known.push(Known { component, method, path, answers: vec![answers] });
            }
        }
    }

    fn find(&self, component: &str, method: &str, path: &str) -> &[Answers] {
        let sent: Vec<&str> = path.split('/').filter(|piece| !piece.is_empty()).collect();
        let fits = |known: &&Known| {
            known.component.eq_ignore_ascii_case(component)
                && *known.method == *method
                && known.path.len() == sent.len()
                && known
                    .path
                    .iter()
                    .zip(&sent)
                    .all(|(known, sent)| known.as_deref().is_none_or(|it| it == *sent))
        };
        // A piece that is written out says more than a parameter.
        let parameters = |known: &&Known| known.path.iter().filter(|piece| piece.is_none()).count();
        let found = self.known.iter().filter(fits).min_by_key(parameters);
        found.map_or(&[], |known| &known.answers)
    }
}

/// Whether nothing in a value depends on what came before.
fn is_whole(value: &Value) -> bool {
    match value {
        Value::Absent | Value::Row(_) => false,
        Value::List(items) => items.iter().all(is_whole),
        Value::Map(members) => members.iter().all(|(_, value)| is_whole(value)),
        _ => true,
    }
}

/// All code of a program.
pub(crate) fn all_code(program: &Program) -> impl Iterator<Item = &Code> {
    let operations = program.operations.iter().map(|operation| &operation.code);
    let jobs = program.jobs.iter().map(|job| &job.code);
    operations.chain(jobs).chain(program.handlers.iter().map(|handler| &handler.code))
}

fn pieces(path: &str) -> Vec<Option<String>> {
    let path = path.split('?').next().unwrap_or_default();
    let piece = |piece: &str| (!piece.starts_with('{')).then(|| piece.to_owned());
    path.split('/').filter(|piece| !piece.is_empty()).map(piece).collect()
}

/// An answer that depends on nothing of its request.
fn constant(answer: &PartnerAnswer) -> Option<Answers> {
    let body = match &answer.body {
        None => None,
        Some(body) => {
            let mut host = Fixed;
            let value = evaluate(body, &mut Scope { slots: &[], rows: &[], host: &mut host }).ok()?;
            Some(json::to_json(&value))
        }
    };
    Some(Answers::Body(answer.status, body))
}

/// What a flow's constants may ask for.
struct Fixed;

impl Host for Fixed {
    fn now(&self) -> i64 {
        crate::world::START
    }

    fn random(&mut self, buffer: &mut [u8]) {
        buffer.fill(0);
    }

    fn uuid(&mut self) -> [u8; 16] {
        [0; 16]
    }
}

/// A value that a flow gives to a field, when it depends on nothing but the number of the row.
pub(crate) fn constant_of_flow(
    expression: &formwork_language::expression::Expression,
    number: i64,
) -> Option<Value> {
    let mut slots = vec![Value::Absent; 64];
    slots[usize::from(formwork_language::behaviour::flow_slots::N)] = Value::Integer(number);
    let value = evaluate(expression, &mut Scope { slots: &slots, rows: &[], host: &mut Fixed }).ok()?;
    (!value.is_absent()).then_some(value)
}

/// The partners of one world.
pub(crate) struct Played {
    /// What they may say.
    pub(crate) script: Arc<Script>,
    /// Where.
    pub(crate) world: Weak<World>,
}

/// What has become of a request.
type Outcomes = BTreeMap<String, (u16, String)>;

/// What partners remember, by request.
#[derive(Debug, Default)]
pub(crate) struct Memory(Outcomes);

impl Partners for Played {
    fn answer(
        &self,
        component: &str,
        request: Request<Bytes>,
    ) -> Waiting<Result<Response<Bytes>, Unanswered>> {
        let Some(world) = self.world.upgrade() else {
            return Box::pin(async { Err(Unanswered::NotReached) });
        };
        let (method, path) = (request.method().as_str(), request.uri().path());
        let shown = format!("{component} {method} {path}");
        let key = request.headers().get("idempotency-key").map(|key| format!("{key:?}")).unwrap_or_default();
        let what = format!("{shown} {key} {}", String::from_utf8_lossy(request.body()));
        let mood = world.mood();
        if mood == Mood::Away {
            world.say(&format!("{shown} is not reached"));
            return Box::pin(async { Err(Unanswered::NotReached) });
        }
        if mood == Mood::Broken {
            world.say(&format!("{shown} answers 500"));
            let delay = world.delay();
            return Box::pin(async move {
                tokio::time::sleep(delay).await;
                Ok(response(500, "{}"))
            });
        }
        let (status, body) = world.outcome(&what, || {
            let answers = self.script.find(component, method, path);
            world.with_source(|source| {
                let chosen = source.dice.pick(answers).cloned();
                match chosen {
                    Some(Answers::Body(status, body)) => (status, body.unwrap_or_default()),
                    Some(Answers::Shape(shape)) => (200, shaped(&shape, source)),
                    None => (200, "{}".to_owned()),
                }
            })
        });
        let later = match mood {
            Mood::Slow => Duration::from_secs(30),
            _ => world.delay(),
        };
        let said = match mood {
            Mood::Silent => format!("{shown} does {status}, and its answer is lost"),
            Mood::Slow => format!("{shown} does {status}, and answers too late"),
            _ => format!("{shown} answers {status} {body}"),
        };
        world.say(&said);
        Box::pin(async move {
            tokio::time::sleep(later).await;
            if mood == Mood::Silent { Err(Unanswered::Lost) } else { Ok(response(status, &body)) }
        })
    }
}

/// How a partner takes one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// It answers.
    Well,
    /// It is not reached.
    Away,
    /// It does what it is asked for, and its answer is lost.
    Silent,
    /// The same, and its answer comes too late.
    Slow,
    /// It answers 500, and has done nothing.
    Broken,
}

impl Memory {
    /// The outcome of a request: that of the first time.
    pub(crate) fn outcome(&self, what: &str) -> Option<(u16, String)> {
        self.0.get(what).cloned()
    }

    /// Keeps the outcome of a request.
    pub(crate) fn keep(&mut self, what: &str, outcome: (u16, String)) {
        self.0.insert(what.to_owned(), outcome);
    }
}

fn response(status: u16, body: &str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body.to_owned()));
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::OK);
    let json = http::HeaderValue::from_static("application/json");
    response.headers_mut().insert(http::header::CONTENT_TYPE, json);
    response
}

/// A body as a call reads it.
fn shaped(shape: &AnswerShape, source: &mut Source<'_>) -> String {
    let mut object = |fields: &[AnswerField]| {
        let member = |field: &AnswerField| {
            let value = source.value(&field.name, &field.ty, &FieldRules::default());
            (Value::Text(field.name.clone()), value)
        };
        Value::Map(fields.iter().map(member).collect())
    };
    match shape {
        AnswerShape::Anything => "{}".to_owned(),
        AnswerShape::Object(fields) => json::to_json(&object(fields)),
        AnswerShape::List(fields) => json::to_json(&Value::List([object(fields)].into())),
    }
}
