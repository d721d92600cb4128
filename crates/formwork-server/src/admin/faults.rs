//! `POST /faults`: a component of the document fails, is slow, answers something else, or is back; for flows.
//!
//! What a component is to this server decides what its failing means: the database answers nothing any more, endpoints
//! of section 5 under its name answer as the fault says, its standing steps do not run until it is back. External
//! components are played by the test itself.

use crate::forms::parse_duration;
use crate::json::{self, Json, written};
use crate::problems::{INVALID, MALFORMED, NOT_FOUND, Problem, UNAVAILABLE};
use crate::respond::Reply;
use crate::shared::Shared;
use formwork_check::Analysis;
use formwork_model::names::same_name;
use formwork_model::sections::components::Component;
use http::{HeaderName, HeaderValue, StatusCode};
use parking_lot::RwLock;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

/// Says how much later an answer comes, by the test clock, which no answer can move itself.
const LATER: HeaderName = HeaderName::from_static("formwork-test-after");

/// What is wrong with a component.
#[derive(Clone, Debug)]
enum Fault {
    /// It does not answer.
    Unavailable,
    /// Its answers come later by so many microseconds.
    Slow(i64),
    /// It answers everything so.
    Answers(StatusCode, Vec<u8>),
}

/// The components of a document and what is wrong with them; nothing at all but in a test.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    /// The components that are the database.
    databases: Vec<String>,
    /// For each operation that is an endpoint: its component.
    endpoints: BTreeMap<usize, String>,
    /// The components with standing steps.
    standing: Vec<String>,
    /// Whether any is set, so that a request without faults pays one load.
    any: AtomicBool,
    set: RwLock<BTreeMap<String, Fault>>,
}

impl Faults {
    /// What each component of a document is to this server.
    pub(crate) fn new(analysis: &Analysis) -> Self {
        let model = &analysis.model;
        let name = |component: &Component| component.name.value.clone();
        let declared =
            model.endpoints.iter().zip(analysis.compiled.behaviours.iter().skip(model.operations.len()));
        let endpoints = declared.filter_map(|(endpoint, behaviour)| {
            let group = endpoint.group.as_deref()?;
            let component = model.components.iter().find(|it| same_name(&it.name.value, group))?;
            Some((usize::try_from(behaviour.program?).ok()?, name(component)))
        });
        Self {
            databases: model.components.iter().filter(|it| is_database(analysis, it)).map(name).collect(),
            endpoints: endpoints.collect(),
            standing: analysis.compiled.program.jobs.iter().map(|job| job.component.to_string()).collect(),
            ..Self::default()
        }
    }

    /// What comes in the place of an operation's answer, when its component fails.
    pub(crate) fn instead(&self, operation: usize) -> Option<Result<Reply, Problem>> {
        let set = self.of_operation(operation)?;
        match set {
            Fault::Unavailable => Some(Err(Problem::of(&UNAVAILABLE))),
            Fault::Answers(status, body) => Some(Ok(Reply::json(status, body))),
            Fault::Slow(_) => None,
        }
    }

    /// The header of an answer that comes later.
    pub(crate) fn later(&self, operation: usize) -> Option<(HeaderName, HeaderValue)> {
        let Some(Fault::Slow(by)) = self.of_operation(operation) else { return None };
        let text = formwork_language::value::text::format_duration(by);
        HeaderValue::from_str(&text).ok().map(|value| (LATER, value))
    }

    fn of_operation(&self, operation: usize) -> Option<Fault> {
        if !self.any.load(Ordering::Relaxed) {
            return None;
        }
        self.set.read().get(self.endpoints.get(&operation)?).cloned()
    }

    /// Whether a component's standing steps wait until it is back.
    pub(crate) fn stops(&self, component: &str) -> bool {
        self.any.load(Ordering::Relaxed)
            && matches!(self.set.read().get(component), Some(Fault::Unavailable | Fault::Answers(..)))
    }
}

/// Whether a component keeps the rows: by its title, or by the database that its technology names.
fn is_database(analysis: &Analysis, component: &Component) -> bool {
    const TITLES: [&str; 4] = ["database", "db", "store", "storage"];
    const PRODUCTS: [&str; 3] = ["sqlite", "postgres", "database"];
    if component.external {
        return false;
    }
    let title = component.name.value.to_lowercase();
    let technology = component.technology.as_ref().map(|it| it.span.slice(&analysis.source).to_lowercase());
    title.split(|letter: char| !letter.is_alphanumeric()).any(|word| TITLES.contains(&word))
        || technology.is_some_and(|text| PRODUCTS.iter().any(|product| text.contains(product)))
}

/// Sets or mends a fault.
pub(super) fn set(shared: &Shared, body: &[u8]) -> Result<Reply, Problem> {
    let json = json::read(body).map_err(|malformed| Problem::with(&MALFORMED, malformed.0))?;
    let (name, fault) = question(&json).ok_or_else(|| {
        Problem::with(
            &INVALID,
            "Send `{\"component\": \"Store\", \"available\": false}`, or `\"slow\": \"2s\"`, or `\"answers\": 503`.",
        )
    })?;
    let faults = &shared.faults;
    let database = faults.databases.iter().any(|it| it == name);
    let known = database
        || faults.standing.iter().any(|it| it == name)
        || faults.endpoints.values().any(|it| it == name);
    if !known {
        let detail = format!(
            "`{name}` does nothing here that could fail: it is no database, has no standing steps and no endpoints."
        );
        return Err(Problem::with(&NOT_FOUND, detail));
    }
    if database {
        match &fault {
            None => shared.store.set_available(true),
            Some(Fault::Unavailable) => shared.store.set_available(false),
            Some(_) => {
                let detail = format!("`{name}` is the database: it can be unavailable, and back.");
                return Err(Problem::with(&INVALID, detail));
            }
        }
    }
    let mut set = faults.set.write();
    match fault {
        Some(fault) => set.insert(name.to_owned(), fault),
        None => set.remove(name),
    };
    faults.any.store(!set.is_empty(), Ordering::Relaxed);
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

/// The component, and what is wrong with it; nothing when it works again.
fn question<'j>(json: &'j Json<'_>) -> Option<(&'j str, Option<Fault>)> {
    let Json::Object(members, _) = json else { return None };
    let (mut component, mut fault, mut body) = (None, None, Vec::new());
    for (name, value) in members {
        match (&**name, value) {
            ("component", Json::Text(text)) => component = Some(&**text),
            ("available", Json::Boolean(available)) => {
                fault = Some(if *available { None } else { Some(Fault::Unavailable) });
            }
            ("slow", Json::Text(text)) => {
                fault = Some(Some(Fault::Slow(parse_duration(text).filter(|by| *by >= 0)?)));
            }
            ("answers", Json::Number(status)) => {
                let status = StatusCode::from_u16(status.parse().ok()?).ok()?;
                fault = Some(Some(Fault::Answers(status, Vec::new())));
            }
            ("body", Json::Null) => {}
            ("body", value) => body = written(value).into_bytes(),
            _ => return None,
        }
    }
    if let Some(Some(Fault::Answers(_, answer))) = &mut fault {
        *answer = body;
    }
    component.zip(fault)
}
