//! `formwork budget`: shows what is spent, kept back and left of the budgets of a system, running or not.

use crate::ending::Ending;
use crate::table::table;
use crate::terminal::Terminal;
use anyhow::{Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use formwork_server::{BudgetLine, budgets};
use std::path::PathBuf;

/// What `formwork budget` takes.
#[derive(Args)]
#[command(
    after_help = "Example:\n  formwork budget list gateway.md\n  formwork budget show gateway.md \"USD per team_id per month\""
)]
pub(crate) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Show every budget in its present period
    #[command(after_help = "Example:\n  formwork budget list gateway.md --format json")]
    List(List),
    /// Show one budget in all its periods
    #[command(
        after_help = "Example:\n  formwork budget show gateway.md \"USD per team_id per month\" --key search"
    )]
    Show(Show),
}

#[derive(Args)]
struct Place {
    /// The document that the system runs
    #[arg(value_name = "DOC")]
    document: String,
    /// Where the data lies; `.formwork/NAME/` beside the document by default
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where the rows are, when not in the data folder: `postgres://user@host/database`
    #[arg(long, value_name = "URL", env = "FORMWORK_DATABASE", hide_env_values = true)]
    database: Option<String>,
    /// How to show them
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Args)]
struct List {
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
struct Show {
    #[command(flatten)]
    place: Place,
    /// The budget, as `list` names it
    #[arg(value_name = "BUDGET")]
    budget: String,
    /// For whom
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
}

/// How budgets are shown.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

/// Carries the action out.
pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Ending> {
    match &arguments.action {
        Action::List(list) => show(&list.place, &found(&list.place, None)?, terminal),
        Action::Show(one) => {
            let mut lines = found(&one.place, Some(&one.budget))?;
            if lines.is_empty() {
                bail!(
                    "nothing is spent of a budget `{}`; `formwork budget list` shows their names",
                    one.budget
                );
            }
            lines.retain(|line| one.key.as_ref().is_none_or(|key| *key == line.key));
            show(&one.place, &lines, terminal)
        }
    }
}

fn found(place: &Place, name: Option<&str>) -> Result<Vec<BudgetLine>> {
    let data = place.data.clone().unwrap_or_else(|| super::run::beside(&place.document));
    Ok(budgets(&data, place.database.as_deref(), name)?)
}

fn show(place: &Place, lines: &[BudgetLine], terminal: &Terminal) -> Result<Ending> {
    if place.format == Format::Json {
        let all: Vec<serde_json::Value> = lines.iter().map(as_json).collect();
        terminal.result(&serde_json::json!({"version": 1, "budgets": all}).to_string())?;
        return Ok(Ending::Fine);
    }
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    let rows: Vec<[String; 7]> = lines
        .iter()
        .map(|line| {
            [
                line.budget.clone(),
                line.key.clone(),
                text(&line.since),
                line.spent.clone(),
                line.reserved.clone(),
                text(&line.left),
                text(&line.limit),
            ]
        })
        .collect();
    let head = ["Budget", "Key", "Since", "Spent", "Reserved", "Left", "Limit"].map(str::to_owned);
    terminal.result(&table(&head, &rows))?;
    Ok(Ending::Fine)
}

fn as_json(line: &BudgetLine) -> serde_json::Value {
    serde_json::json!({
        "budget": line.budget,
        "key": line.key,
        "since": line.since,
        "current": line.current,
        "currency": line.currency,
        "limit": line.limit,
        "spent": line.spent,
        "reserved": line.reserved,
        "left": line.left,
    })
}
