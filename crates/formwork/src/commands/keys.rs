//! `formwork keys`: makes, lists and revokes the keys of a system, running or not.

use crate::ending::Ending;
use crate::terminal::Terminal;
use anyhow::Result;
use clap::{Args, Subcommand};
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
    #[command(after_help = "Example:\n  formwork keys create --data .formwork/shortlink --role member --id alice")]
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
    /// The roles that it bears
    #[arg(long = "role", value_name = "ROLE", required = true, num_args = 1..)]
    roles: Vec<String>,
    /// `caller.id`; the first role's name by default
    #[arg(long)]
    id: Option<String>,
    /// A scope that it bears; may be repeated
    #[arg(long = "scope", value_name = "S")]
    scopes: Vec<String>,
    /// A claim that it bears, with a JSON value; may be repeated
    #[arg(long = "claim", value_name = "NAME=JSON")]
    claims: Vec<String>,
}

#[derive(Args)]
struct List {
    /// Where the data lies
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
}

#[derive(Args)]
struct Revoke {
    /// Where the data lies
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The key's id, as `list` shows it
    #[arg(value_name = "KEY_ID")]
    key: String,
}

/// Carries the action out.
pub(crate) fn run(arguments: &Arguments, _terminal: &Terminal) -> Result<Ending> {
    match &arguments.action {
        Action::Create(Create { data: _, roles: _, id: _, scopes: _, claims: _ }) => anyhow::bail!("not yet"),
        Action::List(List { data: _ }) => anyhow::bail!("not yet"),
        Action::Revoke(Revoke { data: _, key: _ }) => anyhow::bail!("not yet"),
    }
}
