//! `formwork test --only simulation`: random runs of the document, each from a seed that makes it happen again.

use super::{Arguments, Format, PATIENCE, Part};
use crate::ending::Ending;
use crate::terminal::Terminal;
use anyhow::{Result, bail};
use formwork_check::Analysis;
use formwork_simulate::{Options, Tamper, simulate};
use serde_json::json;
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How long it takes when nobody says anything.
const USUAL: Duration = Duration::from_secs(10);

/// Simulates the document.
pub(super) fn run(arguments: &Arguments, analysis: &Analysis, terminal: &Terminal) -> Result<Ending> {
    if arguments.only.contains(&Part::Flows) {
        bail!("--only flows and --only simulation are two tests; run one after the other");
    }
    let barred = [
        (arguments.flow.is_some(), "--flow"),
        (arguments.target.is_some(), "--target"),
        (arguments.database.is_some(), "--database"),
        (arguments.format == Format::Junit, "--format junit"),
    ];
    if let Some((_, option)) = barred.into_iter().find(|(is_given, _)| *is_given) {
        bail!("{option} is of the flows; a simulation runs in a world of its own");
    }
    let within = arguments.seconds.map(Duration::from_secs);
    let (runs, within) = match (arguments.runs, within, arguments.seed) {
        (None, None, Some(_)) => (Some(1), None),
        (None, None, None) => (None, Some(USUAL)),
        (runs, within, _) => (runs, within),
    };
    let seed = arguments.seed.unwrap_or_else(fresh);
    let options = Options { seed, runs, within, tamper: Tamper::default() };
    let (began, told) = (Instant::now(), Mutex::new(Instant::now()));
    let tell = |done: u64| {
        if let Ok(mut last) = told.lock()
            && last.elapsed() >= PATIENCE
        {
            *last = Instant::now();
            terminal.remark(&format!("{done} runs done after {} s", began.elapsed().as_secs()));
        }
    };
    let report = simulate(analysis, &options, &tell)?;
    let verdict = if report.is_fine() { "pass" } else { "fail" };
    let text = match arguments.format {
        Format::Json => json!({
            "version": 1,
            "verdict": verdict,
            "seed": report.seed,
            "flows": [],
            "claims": [],
            "simulation": report.to_json(),
        })
        .to_string(),
        Format::Text | Format::Junit => report.to_text(&arguments.document),
    };
    terminal.result(&text)?;
    Ok(Ending::fine_if(report.is_fine()))
}

/// A seed that nobody has chosen, small enough to be typed.
fn fresh() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    (u64::from(since.subsec_nanos()) ^ since.as_secs()) % 1_000_000_000
}
