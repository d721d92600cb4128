//! Holds a system against the matrix of roles and operations: for every pair a real request is made and must be let in
//! or refused exactly as the document says.
//!
//! The request bears a body that nothing reads (`text/plain`), so that what is let in is refused behind the decision and
//! before any step: nothing is changed, and a `403` is the edge's own. Conditions on rows are held by the steps; of a
//! pair that has some, the request must come as far as them, and then they are [`provoked`]. Source: authorization
//! reference, *The matrix*.

mod demands;
mod provoked;
mod samples;

pub use provoked::{ConditionReport, Provoked};

use crate::client::{self, Answer, Request, percent_encode};
use crate::flows::Admin;
use crate::{Launcher, ProveError, Wanted};
use formwork_check::Analysis;
use formwork_language::program::{Access, Calling, Cell, Operation, PathPart, matrix};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

/// One pair, and how it came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairReport {
    /// The operation.
    pub operation: String,
    /// Who called: ``role `member` ``, `no role`, `anonymous`, with its scopes.
    pub caller: String,
    /// What the matrix says.
    pub expected: &'static str,
    /// What came: the status.
    pub got: String,
    /// Whether that is the same.
    pub holds: bool,
}

/// How a system came out against the matrix.
#[derive(Clone, Debug, Default)]
pub struct ContractReport {
    /// Every pair, by operation.
    pub pairs: Vec<PairReport>,
    /// Every condition of a pair.
    pub conditions: Vec<ConditionReport>,
}

impl ContractReport {
    /// Whether every pair holds, and no condition was found broken.
    pub fn is_fine(&self) -> bool {
        let is_broken = |it: &ConditionReport| matches!(it.verdict, Provoked::Broken(_));
        self.pairs.iter().all(|pair| pair.holds) && !self.conditions.iter().any(is_broken)
    }

    /// What fell short, and a line that counts.
    pub fn to_text(&self, path: &str) -> String {
        let mut text = String::new();
        for pair in self.pairs.iter().filter(|pair| !pair.holds) {
            text.push_str(&format!(
                "fail  `{}` called by {}: the document says {}, the system answers {}\n",
                pair.operation, pair.caller, pair.expected, pair.got
            ));
        }
        let held = self.pairs.iter().filter(|pair| pair.holds).count();
        text.push_str(&format!(
            "{path}: {held} of {} calls are let in or refused as granted",
            self.pairs.len()
        ));
        self.tell_conditions(path, &mut text);
        text
    }

    fn tell_conditions(&self, path: &str, text: &mut String) {
        if self.conditions.is_empty() {
            return;
        }
        for one in &self.conditions {
            let (operation, caller, condition) = (&one.operation, &one.caller, &one.condition);
            match &one.verdict {
                Provoked::Held => {}
                Provoked::Broken(status) => text.push_str(&format!(
                    "\nfail  `{operation}` called by {caller}: what does not meet `{condition}` is answered {status}"
                )),
                Provoked::Open(why) => text.push_str(&format!(
                    "\nopen  `{operation}` called by {caller}: `{condition}` was not provoked: {why}"
                )),
            }
        }
        let held = self.conditions.iter().filter(|one| one.verdict == Provoked::Held).count();
        let all = self.conditions.len();
        text.push_str(&format!(
            "\n{path}: {held} of {all} conditions serve a row that meets them and refuse one that does not"
        ));
    }

    /// For programs.
    pub fn to_json(&self) -> Json {
        let pair = |pair: &PairReport| {
            json!({
                "operation": pair.operation, "caller": pair.caller, "expected": pair.expected,
                "got": pair.got, "verdict": if pair.holds { "pass" } else { "fail" },
            })
        };
        let condition = |one: &ConditionReport| {
            let (verdict, why) = match &one.verdict {
                Provoked::Held => ("pass", Json::Null),
                Provoked::Broken(status) => ("fail", json!(format!("answered {status}"))),
                Provoked::Open(why) => ("open", json!(why)),
            };
            json!({
                "operation": one.operation, "caller": one.caller, "condition": one.condition,
                "verdict": verdict, "why": why,
            })
        };
        json!({
            "verdict": if self.is_fine() { "pass" } else { "fail" },
            "conditions": self.conditions.iter().map(condition).collect::<Vec<_>>(),
            "pairs": self.pairs.iter().map(pair).collect::<Vec<_>>(),
        })
    }
}

/// Makes a request for every pair of the matrix, in one fresh system.
pub async fn run_contract<L: Launcher>(
    analysis: &Analysis,
    launcher: &L,
) -> Result<ContractReport, ProveError> {
    let program = &analysis.compiled.program;
    let system = launcher.launch(&Wanted::default()).await?;
    let held = Held {
        address: system.public,
        admin: Admin::new(system.admin, system.admin_key),
        header: program.api_key_header.to_string(),
        keys: BTreeMap::new(),
        unnamed: unnamed(&program.roles),
    };
    let report = held.all(analysis).await;
    (system.stop)().await;
    report
}

/// A role that the document does not name.
fn unnamed(roles: &[Arc<str>]) -> String {
    let mut name = "nobody".to_owned();
    while roles.iter().any(|role| **role == *name) {
        name.push('_');
    }
    name
}

struct Held {
    address: SocketAddr,
    admin: Admin,
    header: String,
    keys: BTreeMap<(String, Vec<Arc<str>>), String>,
    unnamed: String,
}

impl Held {
    async fn all(mut self, analysis: &Analysis) -> Result<ContractReport, ProveError> {
        let mut report = ContractReport::default();
        for row in matrix(&analysis.compiled.program) {
            for cell in &row.cells {
                if !cell.scopes.is_empty() {
                    report.pairs.push(self.pair(row.operation, cell, &[], false).await?);
                }
                let is_open = cell.access != Access::Refused;
                report.pairs.push(self.pair(row.operation, cell, &cell.scopes, is_open).await?);
            }
        }
        let mut samples = samples::Samples::of(analysis);
        for row in matrix(&analysis.compiled.program) {
            for cell in &row.cells {
                let found =
                    provoked::conditions(&mut self, analysis, &mut samples, row.operation, cell).await?;
                report.conditions.extend(found);
            }
        }
        Ok(report)
    }

    async fn pair(
        &mut self,
        operation: &Operation,
        cell: &Cell,
        scopes: &[Arc<str>],
        is_open: bool,
    ) -> Result<PairReport, ProveError> {
        let key = self.key(&cell.calling, scopes).await?;
        let answer = self.ask(operation, key).await.map_err(ProveError::Admin)?;
        // What demands a signature takes no key in its place.
        let is_unproven = cell.calling == Calling::Anonymous || operation.access.signed;
        let refusal = if is_unproven { 401 } else { 403 };
        let (expected, holds) = match (is_open, cell.access) {
            (false, _) => ("refused", answer.status == refusal),
            (true, access) => {
                let told =
                    if access == Access::AllowedWhen { "allowed under a condition" } else { "allowed" };
                (told, is_let_in(answer.status))
            }
        };
        let code = answer.json().and_then(|body| Some(body.get("code")?.as_str()?.to_owned()));
        let bearing = scopes.iter().map(|scope| format!(" with scope `{scope}`")).collect::<String>();
        Ok(PairReport {
            operation: operation.name.to_string(),
            caller: format!("{}{bearing}", named(&cell.calling)),
            expected,
            got: format!("{} {}", answer.status, code.unwrap_or_default()).trim().to_owned(),
            holds,
        })
    }

    /// The key of a caller; made when it is needed first.
    async fn key(&mut self, calling: &Calling, scopes: &[Arc<str>]) -> Result<Option<String>, ProveError> {
        let role = match calling {
            Calling::Anonymous => return Ok(None),
            Calling::NoRole => self.unnamed.clone(),
            Calling::Role(role) => role.to_string(),
        };
        let wanted = (role, scopes.to_vec());
        if let Some(key) = self.keys.get(&wanted) {
            return Ok(Some(key.clone()));
        }
        let made = self.admin.create_key(&wanted.0, &wanted.0, scopes, json!({})).await;
        let key = made.map_err(ProveError::Admin)?;
        self.keys.insert(wanted, key.clone());
        Ok(Some(key))
    }

    async fn ask(&self, operation: &Operation, key: Option<String>) -> Result<Answer, String> {
        let mut headers = vec![("content-type".to_owned(), "text/plain".to_owned())];
        headers.extend(key.map(|key| (self.header.clone(), key)));
        let request = Request {
            method: operation.method.to_string(),
            target: target(operation),
            headers,
            body: Some(json!("nothing reads this")),
        };
        self.send(&request).await
    }

    async fn send(&self, request: &Request) -> Result<Answer, String> {
        let mut answer = client::send(self.address, request).await.map_err(|error| error.to_string())?;
        if answer.status == 429 {
            // A limit of section 9: with the test clock its window is over at once.
            self.admin.advance(A_DAY).await?;
            answer = client::send(self.address, request).await.map_err(|error| error.to_string())?;
        }
        Ok(answer)
    }
}

const A_DAY: i64 = 86_400_000_000;

/// What only the edge behind the decision answers: the body is of a kind that it does not read.
fn is_let_in(status: u16) -> bool {
    matches!(status, 400 | 406 | 413 | 415 | 422)
}

fn named(calling: &Calling) -> String {
    match calling {
        Calling::Anonymous => "anonymous".to_owned(),
        Calling::NoRole => "a key without such a role".to_owned(),
        Calling::Role(role) => format!("role `{role}`"),
    }
}

/// The path of an operation with a value for each of its parameters.
fn target(operation: &Operation) -> String {
    let mut target = String::new();
    for part in &operation.path {
        target.push('/');
        match part {
            PathPart::Fixed(text) => target.push_str(&percent_encode(text)),
            PathPart::Parameter(_) => target.push('1'),
        }
    }
    if target.is_empty() { "/".to_owned() } else { target }
}
