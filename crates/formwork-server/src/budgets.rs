//! The budgets of a system as `formwork budget` and `GET /budgets` of the admin listener show them: what is spent, kept
//! back and left, for each key and period.
//!
//! The engine decides on budgets, the store keeps them; here they are only read. Source: docs/reference/cost.md.

use crate::json::write_text;
use crate::keys::{KeyError, on_data, remote};
use formwork_language::program::{Budget, Program, period_start};
use formwork_language::value::text::format_decimal;
use formwork_store::{Store, StoredBudget};
use serde::Deserialize;
use std::path::Path;

/// Accounts that are shown at most.
const MOST: u32 = 10_000;

/// An account as it is shown; amounts are exact decimals.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct BudgetLine {
    /// The budget's name: `USD per team_id per month`.
    pub budget: String,
    /// For whom; empty for everybody together.
    pub key: String,
    /// When its period began; absent for one that never begins anew.
    pub since: Option<String>,
    /// Whether its period is the present one.
    pub current: bool,
    /// ISO 4217; absent for a budget that the document has no longer, like the next two.
    pub currency: Option<String>,
    /// How much it is.
    pub limit: Option<String>,
    /// What is neither spent nor kept back.
    pub left: Option<String>,
    /// What was charged.
    pub spent: String,
    /// What calls under way keep back.
    pub reserved: String,
}

#[derive(Deserialize)]
struct Listed {
    budgets: Vec<BudgetLine>,
}

/// How the budgets stand: those of the present periods, or all periods of the one that is named. Asks the admin listener
/// where `run.json` names a server that answers, else the data.
pub fn budgets(data: &Path, database: Option<&str>, name: Option<&str>) -> Result<Vec<BudgetLine>, KeyError> {
    let text = match remote::server(data) {
        Some(server) => server.budgets(name)?,
        None => offline(data, database, name)?,
    };
    let listed: Result<Listed, _> = serde_json::from_str(&text);
    listed.map(|listed| listed.budgets).map_err(|error| KeyError::Data(error.to_string()))
}

fn offline(data: &Path, database: Option<&str>, name: Option<&str>) -> Result<String, KeyError> {
    on_data(data, database, async |store, program| {
        report(store, program, crate::clock::Clock::System.now(), name)
            .map_err(|error| KeyError::Data(format!("the store refused: {error}")))
    })
}

/// The body of `GET /budgets`.
pub(crate) fn report(
    store: &Store,
    program: &Program,
    now: i64,
    name: Option<&str>,
) -> Result<String, formwork_engine::StoreError> {
    let mut out = b"{\"version\":1,\"budgets\":[".to_vec();
    let mut is_first = true;
    for stored in store.budgets(name, MOST)? {
        let budget = program.budgets.iter().find(|budget| budget.name == stored.account.budget);
        let current = budget.is_some_and(|budget| period_start(budget.period, now) == stored.account.since);
        if current || name.is_some() {
            if !std::mem::take(&mut is_first) {
                out.push(b',');
            }
            write_line(&mut out, &stored, budget, current);
        }
    }
    out.extend_from_slice(b"]}");
    // What was written are texts and punctuation.
    Ok(String::from_utf8_lossy(&out).into_owned())
}

fn write_line(out: &mut Vec<u8>, stored: &StoredBudget, budget: Option<&Budget>, current: bool) {
    let StoredBudget { account, standing } = stored;
    let limit = budget.and_then(|budget| budget.limit);
    let left = limit.and_then(|limit| standing.left(limit)).map(format_decimal);
    let since = (account.since != 0).then(|| crate::forms::format_timestamp(account.since));
    let members = [
        ("budget", Some(account.budget.to_string())),
        ("key", Some(account.key.to_string())),
        ("since", since),
        ("currency", budget.map(|budget| budget.currency.to_string())),
        ("limit", limit.map(format_decimal)),
        ("spent", Some(format_decimal(standing.spent))),
        ("reserved", Some(format_decimal(standing.reserved))),
        ("left", left),
    ];
    out.push(b'{');
    for (name, value) in members {
        write_text(out, name);
        out.push(b':');
        match value {
            Some(value) => write_text(out, &value),
            None => out.extend_from_slice(b"null"),
        }
        out.push(b',');
    }
    out.extend_from_slice(format!("\"current\":{current}}}").as_bytes());
}
