//! `formwork audit`: lists, verifies and exports the audit trail of a system, running or not.
//!
//! It reads the database itself, in one state of it, and asks nobody: what a running system says of its own trail would
//! be no proof.

use crate::ending::Ending;
use crate::table::table;
use crate::terminal::Terminal;
use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use formwork_language::value::text::{format_timestamp, parse_timestamp};
use formwork_store::{Anchor, AuditError, AuditFilter, AuditTrail, StoredAudit, Verified};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

/// The database's file in a data folder.
const DATABASE: &str = "formwork.db";

/// What `formwork audit` takes.
#[derive(Args)]
#[command(
    after_help = "Example:\n  formwork audit list --data .formwork/shortlink --entity link\n  formwork audit verify --data .formwork/shortlink"
)]
pub(crate) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Show entries, in the order of the chain
    #[command(
        after_help = "Example:\n  formwork audit list --data .formwork/shortlink --actor alice --since 2026-11-01"
    )]
    List(List),
    /// Find out whether an entry was changed, removed or put elsewhere; exit code 1 when one was
    #[command(
        after_help = "Example:\n  formwork audit verify --data .formwork/shortlink\n  formwork audit verify --data .formwork/shortlink --expect 42:9f86d0…"
    )]
    Verify(Verify),
    /// Write all entries, each with what proves it
    #[command(
        after_help = "Example:\n  formwork audit export --data .formwork/shortlink --format csv > audit.csv"
    )]
    Export(Export),
}

#[derive(Args)]
struct Place {
    /// Where the data lies
    #[arg(long, value_name = "DIR", required_unless_present = "database")]
    data: Option<PathBuf>,
    /// Where the rows are, when not in the data folder: `postgres://user@host/database`
    #[arg(long, value_name = "URL", env = "FORMWORK_DATABASE", hide_env_values = true)]
    database: Option<String>,
}

#[derive(Args)]
struct Wanted {
    /// Not before this: `2026-11-01` or `2026-11-01T08:00:00Z`
    #[arg(long, value_name = "TIME", value_parser = instant)]
    since: Option<i64>,
    /// Before this
    #[arg(long, value_name = "TIME", value_parser = instant)]
    until: Option<i64>,
    /// Of this caller (`caller.id`)
    #[arg(long, value_name = "ID")]
    actor: Option<String>,
    /// Of this operation or standing step
    #[arg(long, value_name = "NAME")]
    operation: Option<String>,
    /// Of rows of this entity
    #[arg(long, value_name = "NAME")]
    entity: Option<String>,
    /// Of the row with this primary key
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
}

#[derive(Args)]
struct List {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    wanted: Wanted,
    /// How to show them
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Args)]
struct Verify {
    #[command(flatten)]
    place: Place,
    /// A head that was kept elsewhere and must be in the chain, as `verify` printed it; may be repeated
    #[arg(long, value_name = "HEAD", visible_alias = "from-hash", value_parser = anchor)]
    expect: Vec<Anchor>,
    /// How to show what was found
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Args)]
struct Export {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    wanted: Wanted,
    /// In which form
    #[arg(long, value_enum, default_value_t = Form::Jsonl)]
    format: Form,
}

/// How entries are shown.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

/// How entries are exported.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// A JSON object on each line
    Jsonl,
    /// For spreadsheets
    Csv,
}

fn instant(text: &str) -> Result<i64, String> {
    let found = parse_timestamp(text).or_else(|| parse_timestamp(&format!("{text}T00:00:00Z")));
    found.ok_or_else(|| "write a day or an instant: 2026-11-01 or 2026-11-01T08:00:00Z".to_owned())
}

fn anchor(text: &str) -> Result<Anchor, String> {
    text.parse()
}

/// Carries the action out.
pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Ending> {
    match &arguments.action {
        Action::List(list) => show(list, terminal),
        Action::Verify(verify) => hold(verify, terminal),
        Action::Export(export) => write_out(export),
    }
}

fn open(place: &Place) -> Result<AuditTrail> {
    let file = place.data.as_deref().unwrap_or_else(|| "".as_ref()).join(DATABASE);
    if let (None, Some(data)) = (&place.database, &place.data)
        && !file.is_file()
    {
        bail!("no data in {}: start the system first, or name another folder with --data", data.display());
    }
    Ok(AuditTrail::open(&file, place.database.as_deref(), None)?)
}

impl Wanted {
    fn filter(&self) -> AuditFilter {
        AuditFilter {
            since: self.since,
            until: self.until,
            actor: self.actor.clone(),
            operation: self.operation.clone(),
            entity: self.entity.clone(),
            key: self.key.clone(),
        }
    }
}

fn all(place: &Place, wanted: &Wanted) -> Result<Vec<StoredAudit>> {
    let mut all = Vec::new();
    open(place)?.each(&wanted.filter(), |stored| {
        all.push(stored);
        Ok::<(), AuditError>(())
    })?;
    Ok(all)
}

fn show(list: &List, terminal: &Terminal) -> Result<Ending> {
    let found = all(&list.place, &list.wanted)?;
    if list.format == Format::Json {
        let entries: Vec<Value> = found.iter().map(as_json).collect();
        terminal.result(&json!({"version": 1, "entries": entries}).to_string())?;
        return Ok(Ending::Fine);
    }
    let row = |stored: &StoredAudit| {
        let entry = &stored.entry;
        let what = entry.object.as_ref().map_or(String::new(), |(entity, key)| format!("{entity} {key}"));
        let result = [entry.status.map(|status| status.to_string()), entry.code.clone()];
        [
            stored.place.map_or("-".to_owned(), |place| place.to_string()),
            format_timestamp(entry.time),
            plain(entry.actor.as_deref().unwrap_or(&entry.kind)),
            entry.action.to_string(),
            entry.operation.clone(),
            plain(&what),
            result.into_iter().flatten().collect::<Vec<_>>().join(" "),
        ]
    };
    let head = ["Place", "Time", "Actor", "Action", "Operation", "Row", "Result"].map(str::to_owned);
    terminal.result(&table(&head, &found.iter().map(row).collect::<Vec<_>>()))?;
    Ok(Ending::Fine)
}

/// A text of a caller on one line, with nothing that a terminal would carry out.
fn plain(text: &str) -> String {
    text.chars().map(|one| if one.is_control() { '\u{fffd}' } else { one }).collect()
}

/// Every member, in this order; `before` and `after` as they were written.
fn as_json(stored: &StoredAudit) -> Value {
    let entry = &stored.entry;
    let object = |text: &Option<String>| {
        text.as_ref().map(|text| serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone())))
    };
    let hash = stored.hash.map(|hash| {
        hash.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    });
    json!({
        "place": stored.place,
        "time": format_timestamp(entry.time),
        "actor": entry.actor,
        "kind": &*entry.kind,
        "roles": entry.roles,
        "action": &*entry.action,
        "operation": entry.operation,
        "entity": entry.object.as_ref().map(|(entity, _)| entity),
        "key": entry.object.as_ref().map(|(_, key)| key),
        "before": object(&entry.before),
        "after": object(&entry.after),
        "request_id": entry.request,
        "address": entry.address,
        "status": entry.status,
        "code": entry.code,
        "kept_until": entry.until.map(format_timestamp),
        "hash": hash,
        "canonical": stored.canonical,
    })
}

fn hold(verify: &Verify, terminal: &Terminal) -> Result<Ending> {
    let found = open(&verify.place)?.verify(&verify.expect)?;
    let ending = Ending::fine_if(found.wrong == 0);
    if verify.format == Format::Json {
        terminal.result(&verified_json(&found).to_string())?;
        return Ok(ending);
    }
    let mut said = String::new();
    for fault in &found.faults {
        let _ = writeln!(said, "{fault}");
    }
    let more = found.wrong.saturating_sub(found.faults.len() as u64);
    if more > 0 {
        let _ = writeln!(said, "and {more} faults more");
    }
    let how = if found.wrong == 0 { ", all as they were written" } else { " fit" };
    let _ =
        writeln!(said, "{} entries{how}; {} removed when their time was over", found.entries, found.removed);
    if let Some(since) = found.unchained_since {
        let since = format_timestamp(since);
        let _ = writeln!(said, "{} entries are not chained yet, the oldest of {since}", found.unchained);
    }
    match found.head {
        Some(head) => {
            let _ = writeln!(said, "head {head}");
        }
        None => said.push_str("no head: nothing is chained yet\n"),
    }
    terminal.result(&said)?;
    Ok(ending)
}

fn verified_json(found: &Verified) -> Value {
    json!({
        "version": 1,
        "fits": found.wrong == 0,
        "entries": found.entries,
        "removed": found.removed,
        "unchained": found.unchained,
        "unchained_since": found.unchained_since.map(format_timestamp),
        "head": found.head.map(|head| head.to_string()),
        "faults": found.faults.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "wrong": found.wrong,
    })
}

/// Why an export ended early.
enum Stopped {
    Trail(AuditError),
    Output(std::io::Error),
}

impl From<AuditError> for Stopped {
    fn from(error: AuditError) -> Self {
        Self::Trail(error)
    }
}

fn write_out(export: &Export) -> Result<Ending> {
    let mut trail = open(&export.place)?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    let columns = [
        "place",
        "time",
        "actor",
        "kind",
        "roles",
        "action",
        "operation",
        "entity",
        "key",
        "before",
        "after",
        "request_id",
        "address",
        "status",
        "code",
        "kept_until",
        "hash",
        "canonical",
    ];
    if export.format == Form::Csv {
        write!(out, "{}\r\n", columns.join(","))?;
    }
    let written = trail.each(&export.wanted.filter(), |stored| {
        let entry = as_json(&stored);
        let line = match export.format {
            Form::Jsonl => format!("{entry}\n"),
            Form::Csv => format!("{}\r\n", columns.map(|column| cell(&entry[column])).join(",")),
        };
        out.write_all(line.as_bytes()).map_err(Stopped::Output)
    });
    match written {
        Ok(()) => {}
        Err(Stopped::Trail(error)) => return Err(error.into()),
        Err(Stopped::Output(error)) => return Err(error.into()),
    }
    out.flush().context("cannot write the export")?;
    Ok(Ending::Fine)
}

/// A cell as RFC 4180 has it. One that a spreadsheet would calculate is a text there by an apostrophe in front.
fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let guarded = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text };
    match guarded.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", guarded.replace('"', "\"\"")),
        false => guarded,
    }
}
