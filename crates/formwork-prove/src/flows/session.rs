//! What one run of a flow carries along: its system, keys, variables, external components and last calls.

use super::Options;
use super::admin::Admin;
use super::checked::Trouble;
use super::host::FlowHost;
use super::partners::Partner;
use super::request::Prepared;
use crate::client::Request;
use crate::json as values;
use crate::target::Target as Elsewhere;
use crate::{LaunchError, Launcher, ProveError, Stop, Wanted};
use formwork_check::Analysis;
use formwork_language::behaviour::{Actor, Flow, FlowAction, FlowStep, Target, flow_slots};
use formwork_language::eval::{EvaluationError, Scope, evaluate};
use formwork_language::expression::Expression;
use formwork_language::program::{Program, SignatureRule, Signed, Surface, signing_key};
use formwork_language::value::Value;
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// One run in one system.
pub(super) struct Session<'a> {
    /// The document.
    pub(super) analysis: &'a Analysis,
    /// What is run.
    pub(super) program: &'a Program,
    options: &'a Options,
    place: Place,
    partners: Vec<Partner>,
    host: FlowHost,
    slots: Vec<Value>,
    keys: BTreeMap<String, String>,
    last: BTreeMap<String, Prepared>,
    /// How many requests were signed, so that no two have the same signature.
    signed: i64,
    folder: Option<tempfile::TempDir>,
    /// The system's own components that fail at present.
    failing: Vec<String>,
}

/// Where a session's system is.
enum Place {
    /// Started for this session.
    Fresh { public: SocketAddr, internal: SocketAddr, admin: Admin, stop: Stop },
    /// A running one.
    Elsewhere(Elsewhere),
}

impl<'a> Session<'a> {
    /// Starts a fresh system for a flow, or takes the running one.
    pub(super) async fn start<L: Launcher>(
        analysis: &'a Analysis,
        launcher: &L,
        options: &'a Options,
        flow: &Flow,
    ) -> Result<Self, ProveError> {
        let (place, partners, now) = match &options.target {
            Some(target) => (Place::Elsewhere(target.clone()), Vec::new(), crate::target::now()),
            None => launch(analysis, launcher, flow).await?,
        };
        Ok(Self {
            analysis,
            program: &analysis.compiled.program,
            options,
            place,
            partners,
            host: FlowHost::new(now, options.seed),
            slots: vec![Value::Absent; usize::from(flow_slots::FIRST)],
            keys: BTreeMap::new(),
            last: BTreeMap::new(),
            signed: 0,
            folder: None,
            failing: Vec::new(),
        })
    }

    /// Makes a component of the system fail, or work again.
    pub(super) async fn fault(&mut self, component: &str, works: bool, fault: Json) -> Result<(), Trouble> {
        self.control()?.fault(fault).await?;
        self.failing.retain(|failing| failing != component);
        if !works {
            self.failing.push(component.to_owned());
        }
        Ok(())
    }

    /// Makes every component of the system work again.
    pub(super) async fn mend(&mut self) -> Result<(), Trouble> {
        for component in std::mem::take(&mut self.failing) {
            self.control()?.fault(json!({"component": component, "available": true})).await?;
        }
        Ok(())
    }

    /// Ends the system, if it was started for this session.
    pub(super) async fn end(self) {
        if let Place::Fresh { stop, .. } = self.place {
            stop().await;
        }
    }

    /// Whether the system was not started for this session.
    pub(super) const fn is_elsewhere(&self) -> bool {
        matches!(self.place, Place::Elsewhere(_))
    }

    /// The control plane of the system.
    pub(super) fn control(&self) -> Result<&Admin, Trouble> {
        match &self.place {
            Place::Fresh { admin, .. } => Ok(admin),
            Place::Elsewhere(_) => Err(Trouble::NotTestable(
                "not testable against a running system: it looks behind the interface".to_owned(),
            )),
        }
    }

    /// Where a surface answers.
    pub(super) fn address(&self, surface: Surface) -> Result<SocketAddr, Trouble> {
        match (&self.place, surface) {
            (Place::Fresh { public, .. }, Surface::Public) => Ok(*public),
            (Place::Fresh { internal, .. }, Surface::Internal) => Ok(*internal),
            (Place::Elsewhere(target), Surface::Public) => Ok(target.address),
            (Place::Elsewhere(_), Surface::Internal) => Err(Trouble::NotTestable(
                "not testable against a running system: it calls the internal listener".to_owned(),
            )),
        }
    }

    /// The header that proves who calls; none for an anonymous caller. Keys are made when first needed.
    pub(super) async fn proof(&mut self, actor: &Actor) -> Result<Option<(String, String)>, Trouble> {
        let Actor::Role { role, id, scopes, claims } = actor else { return Ok(None) };
        let header = self.program.api_key_header.to_string();
        if let Place::Elsewhere(target) = &self.place {
            return target.key(role, id).map(|key| Some((header, key)));
        }
        let mut members = Map::new();
        for (name, value) in claims {
            let value = self.evaluate(value)?;
            members.insert(name.to_string(), values::to_json(&value, None).unwrap_or(Json::Null));
        }
        let claims = Json::Object(members);
        let caller = format!("{role:?} {id:?} {scopes:?} {claims}");
        let key = match self.keys.get(&caller) {
            Some(key) => key.clone(),
            None => {
                let made = self.control()?.create_key(role, id, scopes, claims).await?;
                self.keys.entry(caller).or_insert(made).clone()
            }
        };
        Ok(Some((header, key)))
    }

    /// The headers by which somebody outside signs a request, as section 9 says.
    pub(super) fn signature(
        &mut self,
        name: &str,
        target: &Target,
        request: &Request,
    ) -> Result<Vec<(String, String)>, Trouble> {
        let operation = match target {
            Target::Operation(index) => self.program.operations.get(*index as usize),
            Target::Path { .. } => None,
        };
        let own = operation.filter(|operation| operation.access.signed).map(|operation| &*operation.name);
        let takes = |rule: &&SignatureRule| {
            *rule.caller == *name && own.map_or(rule.operations.is_empty(), |own| rule.is_of(own))
        };
        let rule = self.program.signatures.iter().find(takes).ok_or_else(|| {
            Trouble::NotTestable(format!("no line of section 9 says how `{name}` signs this call"))
        })?;
        let secret = match &self.place {
            Place::Elsewhere(elsewhere) => elsewhere.key(name, name)?,
            Place::Fresh { .. } => format!("test-{}", rule.secret),
        };
        let key = signing_key(&secret).ok_or_else(|| format!("the secret of `{name}` is no base64"))?;
        self.signed += 1;
        let id = format!("msg_{}", self.signed);
        // The clock of a flow stands still: a name, or else a millisecond of its own, tells two requests apart.
        let time = match rule.id_header() {
            Some(_) => self.now() / 1_000_000,
            None => self.now() / 1_000 - self.signed,
        };
        let body = request.body.as_ref().map(Json::to_string).unwrap_or_default();
        let prefix = match &self.place {
            Place::Elsewhere(elsewhere) => elsewhere.base.as_str(),
            Place::Fresh { .. } => "",
        };
        let target = format!("{prefix}{}", request.target);
        let (time, method, body) = (&*time.to_string(), &*request.method, body.as_bytes());
        Ok(rule.sign(&key, &Signed { id: &id, time, method, target: &target, body }))
    }

    /// The external component of this name, which the test plays.
    pub(super) fn partner(&self, name: &str) -> Result<&Partner, Trouble> {
        self.partners.iter().find(|partner| partner.name == name).ok_or_else(|| {
            Trouble::NotTestable(
                "not testable against a running system: the test does not play its external components"
                    .to_owned(),
            )
        })
    }

    /// The last call of an external component that no step speaks of, since this was asked.
    pub(super) fn take_unscripted(&self) -> Option<String> {
        self.partners.iter().find_map(|partner| {
            partner.take_unscripted().map(|call| format!("`{}` was called `{call}`", partner.name))
        })
    }

    /// Puts what a running system wants into a request: its own name, and what stands before every path.
    pub(super) fn address_to(&self, request: &mut Request) {
        if let Place::Elsewhere(target) = &self.place {
            request.target = format!("{}{}", target.base, request.target);
            request.headers.push(("host".to_owned(), target.host.clone()));
        }
    }

    /// Seed of what is drawn at random.
    pub(super) const fn seed(&self) -> u64 {
        self.options.seed
    }

    /// A copy of the variables, for what is computed later.
    pub(super) fn slots(&self) -> Vec<Value> {
        self.slots.clone()
    }

    /// The present time of the system's clock.
    pub(super) const fn now(&self) -> i64 {
        self.host.now
    }

    /// The folder in which the flow's commands run, made when first needed and gone with the session.
    pub(super) fn folder(&mut self) -> Result<PathBuf, String> {
        let folder = match self.folder.take() {
            Some(folder) => folder,
            None => tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?,
        };
        Ok(self.folder.insert(folder).path().to_owned())
    }

    /// Moves the clock on, by microseconds; by none, waits until all that is due is done.
    pub(super) async fn advance(&mut self, micros: i64) -> Result<i64, Trouble> {
        if self.is_elsewhere() && micros == 0 {
            self.host.now = crate::target::now();
            return Ok(self.host.now);
        }
        self.host.now = self.control()?.advance(micros).await?;
        Ok(self.host.now)
    }

    /// The variables that a condition over rows may name, as JSON.
    pub(super) fn known(&self, variables: &[(Arc<str>, u16)]) -> Json {
        let mut known = Map::new();
        for (name, slot) in variables {
            if let Some(value) = values::to_json(self.variable(*slot), None) {
                known.insert(name.to_string(), value);
            }
        }
        Json::Object(known)
    }

    /// The value of an expression over the flow's variables.
    pub(super) fn evaluate(&mut self, expression: &Expression) -> Result<Value, String> {
        let mut scope = Scope { slots: &self.slots, rows: &[], host: &mut self.host };
        evaluate(expression, &mut scope).map_err(|error| match error {
            EvaluationError::Arithmetic(what) => format!("cannot be computed: {what}"),
            EvaluationError::TooMuchWork => "cannot be computed: too much work".to_owned(),
            EvaluationError::Invalid(what) => format!("cannot be computed: {what}"),
            EvaluationError::NoOverload(what) => {
                format!("cannot be computed: {what} does not take these values")
            }
        })
    }

    /// Whether a condition holds; an absent one does not.
    pub(super) fn holds(&mut self, condition: &Expression) -> Result<bool, String> {
        Ok(matches!(self.evaluate(condition)?, Value::Boolean(true)))
    }

    /// Binds a variable.
    pub(super) fn bind(&mut self, slot: u16, value: Value) {
        let slot = usize::from(slot);
        if self.slots.len() <= slot {
            self.slots.resize(slot + 1, Value::Absent);
        }
        self.slots[slot] = value;
    }

    /// A variable's value.
    pub(super) fn variable(&self, slot: u16) -> &Value {
        self.slots.get(usize::from(slot)).unwrap_or(&Value::Absent)
    }

    /// The request last sent to a target, for *again*.
    pub(super) fn last(&self, target: &Target) -> Option<Prepared> {
        self.last.get(&name_of(target)).cloned()
    }

    /// Remembers a request for *again*.
    pub(super) fn remember(&mut self, target: &Target, prepared: &Prepared) {
        self.last.insert(name_of(target), prepared.clone());
    }
}

fn name_of(target: &Target) -> String {
    match target {
        Target::Operation(index) => index.to_string(),
        Target::Path { method, path } => format!("{method} {path}"),
    }
}

/// A fresh system whose clock starts where the flow says, and whose external components the test plays.
async fn launch<L: Launcher>(
    analysis: &Analysis,
    launcher: &L,
    flow: &Flow,
) -> Result<(Place, Vec<Partner>, i64), ProveError> {
    let mut partners = Vec::new();
    for component in analysis.model.components.iter().filter(|component| component.external) {
        let started = Partner::start(&component.name.value).await;
        partners.push(
            started.map_err(|error| LaunchError(format!("no port for an external component: {error}")))?,
        );
    }
    let upstreams = partners.iter().map(|partner| (partner.name.clone(), partner.address)).collect();
    let wanted = Wanted { clock: clock_at_start(&flow.steps), upstreams };
    let system = launcher.launch(&wanted).await?;
    let admin = Admin::new(system.admin, system.admin_key);
    match admin.advance(0).await {
        Ok(now) => {
            let (public, internal, stop) = (system.public, system.internal, system.stop);
            Ok((Place::Fresh { public, internal, admin, stop }, partners, now))
        }
        Err(cause) => {
            (system.stop)().await;
            Err(ProveError::Admin(cause))
        }
    }
}

/// Where the clock stands when the flow begins, if its first step says so.
fn clock_at_start(steps: &[FlowStep]) -> Option<i64> {
    match steps.iter().find_map(|step| step.action.as_ref())? {
        FlowAction::ClockStands { at, .. } => *at,
        FlowAction::Begins { steps, .. } => clock_at_start(steps),
        _ => None,
    }
}
