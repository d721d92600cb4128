//! `formwork run`: a document to a running system.

use crate::addresses::parse_address;
use crate::amounts::{parse_bytes, parse_some_time, parse_time};
use crate::documents;
use crate::ending::Ending;
use crate::findings;
use crate::table::table;
use crate::terminal::Terminal;
use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use formwork_check::Analysis;
use formwork_language::program::Surface;
use formwork_server::{
    ClockChoice, Config, Limits, Means, Origins, Running, Secrets, TlsFiles, TokenSource, UpstreamAddress,
    curl_line, mode_table, not_yet_enforced, start_within, unkept,
};
use formwork_store::VariablesKey;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// What `formwork run` takes.
#[derive(Args)]
#[command(
    after_help = "Example:\n  formwork run shortlink.md\n  formwork run shortlink.md --listen 127.0.0.1:0"
)]
pub(crate) struct Arguments {
    /// The document; `-` is standard input
    #[arg(value_name = "DOC")]
    pub(crate) document: String,
    /// Where the operations of section 4 answer
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080", value_parser = parse_address)]
    pub(crate) listen: SocketAddr,
    /// Where the endpoints of section 5 answer
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8081", value_parser = parse_address)]
    pub(crate) internal_listen: SocketAddr,
    /// Where metrics and the control plane answer
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8082", value_parser = parse_address)]
    pub(crate) admin_listen: SocketAddr,
    /// Where the data lies; `.formwork/NAME/` beside the document by default
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Keep the rows in PostgreSQL, not in the data folder: `postgres://user@host/database`
    #[arg(long, value_name = "URL", env = "FORMWORK_DATABASE", hide_env_values = true)]
    pub(crate) database: Option<String>,
    /// `test`: a clock that starts at 2030-01-01T00:00:00Z and moves only when told
    #[arg(long, value_enum)]
    pub(crate) clock: Option<Clock>,
    /// Reach an external component elsewhere than the document says; may be repeated
    #[arg(long = "upstream", value_name = "COMPONENT=URL")]
    pub(crate) upstreams: Vec<UpstreamAddress>,
    /// Who makes the bearer tokens that are taken (`iss`), where the document leaves it open
    #[arg(long, value_name = "NAME", env = "FORMWORK_TOKEN_ISSUER")]
    pub(crate) token_issuer: Option<String>,
    /// Where the public keys of that issuer are (JWKS): `https://…`
    #[arg(long, value_name = "URL", env = "FORMWORK_TOKEN_KEYS")]
    pub(crate) token_keys: Option<String>,
    /// Whom the tokens must be for (`aud`)
    #[arg(long, value_name = "NAME", env = "FORMWORK_TOKEN_AUDIENCE")]
    pub(crate) token_audience: Option<String>,
    /// An origin whose pages may call from browsers (`https://app.example.com`, or `*`), instead of those that the document
    /// lists; may be repeated
    #[arg(long = "cors-origin", value_name = "ORIGIN")]
    pub(crate) cors_origins: Vec<String>,
    /// The certificate of the public listener, as PEM, followed by those that vouch for it: it speaks TLS then
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_certificate: Option<PathBuf>,
    /// The private key of that certificate, as PEM
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Certificates, as PEM, of those who vouch for upstreams, beside those that this machine trusts
    #[arg(long, value_name = "FILE")]
    pub(crate) upstream_ca: Option<PathBuf>,
    /// How long a request may take, its answer included; what is not over by then is cut off
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = parse_some_time)]
    pub(crate) request_time: Duration,
    /// What the bodies of all requests under way may take up together; beyond it they are refused with 503
    #[arg(long, value_name = "SIZE", default_value = "64MiB", value_parser = parse_bytes)]
    pub(crate) body_room: usize,
    /// What all answers that are not read yet may take up together; beyond it requests are refused with 503
    #[arg(long, value_name = "SIZE", default_value = "256MiB", value_parser = parse_bytes)]
    pub(crate) answer_room: usize,
    /// How many proofs that do not hold an address may send in a minute; further ones are refused with 429
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    pub(crate) failed_proofs: u32,
    /// How long after SIGTERM requests are still accepted while `/readyz` says 503 already; `0s` for not at all
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = parse_time)]
    pub(crate) drain_delay: Duration,
}

/// Clocks other than the system's.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Clock {
    /// Moves only when told
    Test,
}

/// Runs until SIGTERM or Ctrl-C.
pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Ending> {
    let source = documents::read(&arguments.document)?;
    let Some(analysis) = findings::executable(source, terminal) else { return Ok(Ending::FallsShort) };
    let mut origins = Origins::default();
    for origin in &arguments.cors_origins {
        origins.add(origin).map_err(anyhow::Error::msg)?;
    }
    let config = Config {
        public: arguments.listen,
        internal: arguments.internal_listen,
        admin: arguments.admin_listen,
        data: arguments.data.clone().unwrap_or_else(|| beside(&arguments.document)),
        database: arguments.database.clone(),
        schema: None,
        durable: true,
        clock: arguments.clock.map_or(ClockChoice::System, |Clock::Test| ClockChoice::Test),
        upstreams: arguments.upstreams.clone(),
        secrets: Secrets::Environment,
        token_source: TokenSource {
            issuer: arguments.token_issuer.clone(),
            key_set: arguments.token_keys.clone(),
            audience: arguments.token_audience.clone(),
        },
        variables_key: variables_key()?,
        origins,
        tls: arguments.tls_certificate.clone().zip(arguments.tls_key.clone()).map(files),
        upstream_authorities: arguments.upstream_ca.clone(),
        description: Some(formwork_export::openapi(&analysis).to_string().into()),
    };
    let unkept = unkept(&analysis, Means { tokens: &config.token_source, secrets: config.secrets });
    for one in &unkept {
        terminal.error(&anyhow::anyhow!("{}: {one}", arguments.document));
    }
    if !unkept.is_empty() {
        return Ok(Ending::FallsShort);
    }
    let mut pending = not_yet_enforced(&analysis.model);
    if config.database.is_some() && config.variables_key.is_none() && analysis.compiled.program.has_parts() {
        pending.push(format!(
            "encryption of variables between parts: set {VARIABLES_KEY}, the same on every node"
        ));
    }
    let runtime = tokio::runtime::Runtime::new().context("cannot start threads")?;
    let limits = Limits {
        request: arguments.request_time,
        bodies: arguments.body_room,
        answers: arguments.answer_room,
        failed_proofs: arguments.failed_proofs,
        ..Limits::default()
    };
    runtime.block_on(serve(config, limits, &analysis, (&pending, arguments.drain_delay), terminal))?;
    Ok(Ending::Fine)
}

/// The environment variable with the key for what is kept between two parts. Command lines are seen by others.
const VARIABLES_KEY: &str = "FORMWORK_VARIABLES_KEY";

fn variables_key() -> Result<Option<VariablesKey>> {
    let Some(text) = std::env::var_os(VARIABLES_KEY) else { return Ok(None) };
    let digits =
        text.to_str().filter(|text| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let digits = digits.with_context(|| {
        format!("{VARIABLES_KEY} is not 64 hexadecimal digits, as `openssl rand -hex 32` gives them")
    })?;
    let mut key = [0; 32];
    for (place, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&digits[2 * place..2 * place + 2], 16).context("hexadecimal digits")?;
    }
    Ok(Some(VariablesKey(key)))
}

async fn serve(
    config: Config,
    limits: Limits,
    analysis: &Analysis,
    (pending, drain_delay): (&[String], Duration),
    terminal: &Terminal,
) -> Result<()> {
    // Listened for before the line that says we are ready: who reads it may stop us at once.
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
    let mut hangup = signal(SignalKind::hangup()).context("cannot wait for SIGHUP")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for Ctrl-C")?;
    let data = config.data.display().to_string();
    let running = start_within(config, limits, analysis).await?;
    introduce(&running, analysis, pending, &data, terminal);
    // A reader that went away is no reason to stop serving.
    let _ = terminal.result(&format!("listening on {}://{}", scheme(&running), running.addresses().public));
    let by_hand = loop {
        tokio::select! {
            _ = terminate.recv() => break false,
            _ = interrupt.recv() => break true,
            // By custom what is configured in files is read again.
            _ = hangup.recv() => running.reload(),
        }
    };
    running.retire();
    if !by_hand && !drain_delay.is_zero() {
        terminal.remark("stopping: not ready any more, and still answering");
        tokio::select! {
            () = tokio::time::sleep(drain_delay) => {}
            // Who says it twice means now.
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }
    terminal.remark("stopping: finishing what runs");
    running.shutdown().await;
    Ok(())
}

fn files((certificate, key): (PathBuf, PathBuf)) -> TlsFiles {
    TlsFiles { certificate, key }
}

/// `.formwork/NAME/` beside the document.
pub(super) fn beside(document: &str) -> PathBuf {
    let path = Path::new(document);
    let name = match document {
        "-" => "stdin".as_ref(),
        _ => path.file_stem().unwrap_or("document".as_ref()),
    };
    path.parent().unwrap_or(Path::new("")).join(".formwork").join(name)
}

/// What one needs to know to use the system, on standard error.
fn introduce(running: &Running, analysis: &Analysis, pending: &[String], data: &str, terminal: &Terminal) {
    let addresses = running.addresses();
    terminal.remark(&operations(analysis));
    let calls = calls(analysis, running);
    if !calls.is_empty() {
        terminal.remark(&calls);
    }
    if !pending.is_empty() {
        terminal.remark(&format!("Read, checked, and not yet enforced:\n{}", indented(pending)));
    }
    if !running.first_keys().is_empty() {
        let keys: Vec<String> =
            running.first_keys().iter().map(|key| format!("{}  {}", key.role, key.key)).collect();
        terminal.must_say(&format!("Keys, shown this once (try KEY=…):\n{}", indented(&keys)));
    }
    let database = running.database().map(|place| format!("Database  {place}\n")).unwrap_or_default();
    terminal.remark(&format!(
        "Public    {}://{}\nOpenAPI   {}://{}/openapi.json\nInternal  http://{}\nAdmin     http://{}/metrics\nData      {data}\n{database}Isolation {}",
        scheme(running),
        addresses.public,
        scheme(running),
        addresses.public,
        addresses.internal,
        addresses.admin,
        isolation(running.database().is_some())
    ));
}

/// Which store keeps the rows, and what it guarantees of them.
fn isolation(is_shared: bool) -> &'static str {
    if is_shared {
        "PostgreSQL: each transaction is serialisable, and repeated on conflict (a claim that locks every row it reads: read committed); \
         committed with synchronous_commit=on before it is answered"
    } else {
        "embedded SQLite: each transaction is serialisable, one write after the other; on disk (fsync) before it is answered"
    }
}

/// How the public listener is spoken to.
fn scheme(running: &Running) -> &'static str {
    if running.is_secure() { "https" } else { "http" }
}

fn operations(analysis: &Analysis) -> String {
    let rows: Vec<[String; 6]> = mode_table(analysis)
        .into_iter()
        .map(|row| [row.name, row.route, row.listener.to_owned(), row.mode.to_owned(), row.callers, row.why])
        .collect();
    let commands = analysis.model.operations.iter().filter(|operation| operation.command).count();
    let unserved = match commands {
        0 => String::new(),
        1 => "One operation is a command, which is not served over HTTP.\n".to_owned(),
        _ => format!("{commands} operations are commands, which are not served over HTTP.\n"),
    };
    if rows.is_empty() {
        return format!("No operation is served over HTTP: only health checks answer.\n{unserved}");
    }
    let head = ["Operation", "Route", "Listener", "Mode", "Callers", "Why"].map(str::to_owned);
    table(&head, &rows) + &unserved
}

fn calls(analysis: &Analysis, running: &Running) -> String {
    let addresses = running.addresses();
    let program = &analysis.compiled.program;
    let lines: Vec<String> = program
        .operations
        .iter()
        .map(|operation| {
            let address = match operation.surface {
                Surface::Public => addresses.public,
                Surface::Internal => addresses.internal,
            };
            let line = curl_line(program, operation, address);
            match operation.surface {
                Surface::Public if running.is_secure() => line.replacen("http://", "https://", 1),
                _ => line,
            }
        })
        .collect();
    if lines.is_empty() { String::new() } else { format!("Try:\n{}", indented(&lines)) }
}

fn indented(lines: &[String]) -> String {
    lines.iter().map(|line| format!("  {line}\n")).collect()
}
