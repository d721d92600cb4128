//! `formwork keys`: makes, lists and revokes the keys of a system, running or not.

use crate::ending::Ending;
use crate::table::table;
use crate::terminal::Terminal;
use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use formwork_language::value::text::{format_timestamp, parse_duration};
use formwork_server::{KeyCommand, KeyOutcome, KeySummary, NewKey, keys};
use std::path::PathBuf;

/// What `formwork keys` takes.
#[derive(Args)]
#[command(
    after_help = "Example:\n  formwork keys create --data .formwork/shortlink --role member --id alice\n  formwork keys list --data .formwork/shortlink"
)]
pub(crate) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Make a key and print it, once
    #[command(
        after_help = "Example:\n  formwork keys create --data .formwork/shortlink --role member --id alice --expires 90d"
    )]
    Create(Create),
    /// Show all keys, without their secrets
    #[command(after_help = "Example:\n  formwork keys list --data .formwork/shortlink --format json")]
    List(List),
    /// Take a key back, at once
    #[command(after_help = "Example:\n  formwork keys revoke --data .formwork/shortlink KEY_ID")]
    Revoke(Revoke),
}

#[derive(Args)]
struct Create {
    /// Where the data lies
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Where the rows are, when not in the data folder: `postgres://user@host/database`
    #[arg(long, value_name = "URL", env = "FORMWORK_DATABASE", hide_env_values = true)]
    database: Option<String>,
    /// The roles that it bears
    #[arg(long = "role", value_name = "ROLE", required = true, num_args = 1..)]
    roles: Vec<String>,
    /// `caller.id`; the key's own id by default
    #[arg(long)]
    id: Option<String>,
    /// A scope that it bears; may be repeated
    #[arg(long = "scope", value_name = "S")]
    scopes: Vec<String>,
    /// A claim that it bears, with a JSON value; may be repeated
    #[arg(long = "claim", value_name = "NAME=JSON")]
    claims: Vec<String>,
    /// How long it holds, such as `90d` or `12h`; for ever by default
    #[arg(long, value_name = "DURATION", value_parser = read_lasting)]
    expires: Option<i64>,
}

#[derive(Args)]
struct List {
    /// Where the data lies
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Where the rows are, when not in the data folder: `postgres://user@host/database`
    #[arg(long, value_name = "URL", env = "FORMWORK_DATABASE", hide_env_values = true)]
    database: Option<String>,
    /// How to show them
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// How keys are listed.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

#[derive(Args)]
struct Revoke {
    /// Where the data lies
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Where the rows are, when not in the data folder: `postgres://user@host/database`
    #[arg(long, value_name = "URL", env = "FORMWORK_DATABASE", hide_env_values = true)]
    database: Option<String>,
    /// The key's id, as `list` shows it
    #[arg(value_name = "KEY_ID")]
    key: String,
}

/// Carries the action out.
pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Ending> {
    match &arguments.action {
        Action::Create(create) => make(create, terminal),
        Action::List(list) => show(list, terminal),
        Action::Revoke(revoke) => take_back(revoke, terminal),
    }
}

/// The key stands alone on standard output, so that a script can take it from there.
fn make(create: &Create, terminal: &Terminal) -> Result<Ending> {
    let key = NewKey {
        id: create.id.clone(),
        roles: create.roles.clone(),
        scopes: create.scopes.clone(),
        claims: create.claims.iter().map(|claim| read_claim(claim)).collect::<Result<_>>()?,
        lasts: create.expires,
    };
    if let KeyOutcome::Created { id, key } =
        keys(&create.data, create.database.as_deref(), &KeyCommand::Create(key))?
    {
        terminal.result(&key)?;
        terminal.detail(&format!("its id, for `formwork keys revoke`: {id}"));
    }
    Ok(Ending::Fine)
}

/// Whole seconds of a duration.
fn read_lasting(text: &str) -> Result<i64, String> {
    let seconds = parse_duration(text).map(|microseconds| microseconds / 1_000_000);
    seconds
        .filter(|seconds| *seconds > 0)
        .ok_or_else(|| "that is no duration of a second or more, such as `90d`".into())
}

fn read_claim(claim: &str) -> Result<(String, String)> {
    let (name, value) = claim
        .split_once('=')
        .with_context(|| format!("the claim `{claim}` is not NAME=JSON, as in team=\"blue\""))?;
    serde_json::from_str::<serde_json::Value>(value)
        .with_context(|| format!("the value of the claim `{name}` is not JSON"))?;
    Ok((name.to_owned(), value.to_owned()))
}

fn show(list: &List, terminal: &Terminal) -> Result<Ending> {
    let KeyOutcome::List(found) = keys(&list.data, list.database.as_deref(), &KeyCommand::List)? else {
        return Ok(Ending::Fine);
    };
    if list.format == Format::Json {
        let all: Vec<serde_json::Value> = found.iter().map(as_json).collect();
        terminal.result(&serde_json::json!({"version": 1, "keys": all}).to_string())?;
        return Ok(Ending::Fine);
    }
    let instant = |at: Option<i64>| at.map_or_else(|| "never".to_owned(), format_timestamp);
    let rows: Vec<[String; 7]> = found
        .into_iter()
        .map(|key| {
            let (roles, scopes) = (key.roles.join(", "), key.scopes.join(", "));
            let (made, expires, used) =
                (format_timestamp(key.created), instant(key.expires), instant(key.used));
            [key.id, key.caller, roles, scopes, made, expires, used]
        })
        .collect();
    let head = ["Key", "Caller", "Roles", "Scopes", "Made", "Expires", "Last used"].map(str::to_owned);
    terminal.result(&table(&head, &rows))?;
    Ok(Ending::Fine)
}

fn as_json(key: &KeySummary) -> serde_json::Value {
    serde_json::json!({
        "id": key.id,
        "caller": key.caller,
        "roles": key.roles,
        "scopes": key.scopes,
        "created_at": format_timestamp(key.created),
        "expires_at": key.expires.map(format_timestamp),
        "last_used_at": key.used.map(format_timestamp),
    })
}

fn take_back(revoke: &Revoke, terminal: &Terminal) -> Result<Ending> {
    let command = KeyCommand::Revoke(revoke.key.clone());
    let found = keys(&revoke.data, revoke.database.as_deref(), &command)? == KeyOutcome::Revoked(true);
    if !found {
        bail!("there is no key `{}`; `formwork keys list` shows their ids", revoke.key);
    }
    terminal.remark(&format!("{} is revoked", revoke.key));
    Ok(Ending::Fine)
}
