//! What one run of a flow carries along: its system, keys, variables and last calls.

use super::admin::Admin;
use super::host::FlowHost;
use super::request::Prepared;
use crate::{Launcher, ProveError, Stop};
use formwork_check::Analysis;
use formwork_language::behaviour::{Actor, Target, flow_slots};
use formwork_language::eval::{EvaluationError, Scope, evaluate};
use formwork_language::expression::Expression;
use formwork_language::program::{Program, Surface};
use formwork_language::value::Value;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

/// One run in one system.
pub(super) struct Session<'a> {
    /// What is run.
    pub(super) program: &'a Program,
    /// The control plane.
    pub(super) admin: Admin,
    host: FlowHost,
    public: SocketAddr,
    internal: SocketAddr,
    slots: Vec<Value>,
    keys: BTreeMap<(String, String), String>,
    last: BTreeMap<String, Prepared>,
    stop: Stop,
    folder: Option<tempfile::TempDir>,
}

impl<'a> Session<'a> {
    /// Starts a fresh system.
    pub(super) async fn start<L: Launcher>(
        analysis: &'a Analysis,
        launcher: &L,
        seed: u64,
    ) -> Result<Self, ProveError> {
        let system = launcher.launch().await?;
        let admin = Admin::new(system.admin, system.admin_key);
        let now = match admin.advance(0).await {
            Ok(now) => now,
            Err(cause) => {
                (system.stop)().await;
                return Err(ProveError::Admin(cause));
            }
        };
        Ok(Self {
            program: &analysis.compiled.program,
            admin,
            host: FlowHost::new(now, seed),
            public: system.public,
            internal: system.internal,
            slots: vec![Value::Absent; usize::from(flow_slots::FIRST)],
            keys: BTreeMap::new(),
            last: BTreeMap::new(),
            stop: system.stop,
            folder: None,
        })
    }

    /// Ends the system.
    pub(super) async fn end(self) {
        (self.stop)().await;
    }

    /// Where a surface answers.
    pub(super) const fn address(&self, surface: Surface) -> SocketAddr {
        match surface {
            Surface::Public => self.public,
            Surface::Internal => self.internal,
        }
    }

    /// The header that proves who calls; none for an anonymous caller. Keys are made when first needed.
    pub(super) async fn proof(&mut self, actor: &Actor) -> Result<Option<(String, String)>, String> {
        let Actor::Role { role, id } = actor else { return Ok(None) };
        let caller = (role.to_string(), id.to_string());
        let key = match self.keys.get(&caller) {
            Some(key) => key.clone(),
            None => self.keys.entry(caller).or_insert(self.admin.create_key(role, id).await?).clone(),
        };
        Ok(Some((self.program.api_key_header.to_string(), key)))
    }

    /// The folder in which the flow's commands run, made when first needed and gone with the session.
    pub(super) fn folder(&mut self) -> Result<PathBuf, String> {
        let folder = match self.folder.take() {
            Some(folder) => folder,
            None => tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?,
        };
        Ok(self.folder.insert(folder).path().to_owned())
    }

    /// Moves the clock on, by microseconds.
    pub(super) async fn advance(&mut self, micros: i64) -> Result<i64, String> {
        self.host.now = self.admin.advance(micros).await?;
        Ok(self.host.now)
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
