//! Carries out thousands of random runs of a document, each a pure function of its seed, and holds every state and every
//! answer against what the document promises.
//!
//! A run is the real server with its store, parts, jobs, handlers and deliveries, on one thread whose time is paused.
//! A seed decides who calls what and when, which calls meet in a transaction, which commits fail, whose answers are lost,
//! when the node is killed and how external components misbehave. Beside it, the rows are read in plain SQL after each
//! commit and tested in memory, so that engine and store are not their own judges. [`simulate`] gives a [`Report`].
//! Source: docs/reference/simulation.md.

mod answers;
mod audited;
mod callers;
mod conditions;
mod dice;
mod history;
mod partners;
mod plan;
mod report;
mod rules;
mod stage;
mod texts;
mod values;
mod world;

pub use report::{Failure, Report};
pub use world::Counts;

use crate::plan::Plan;
use crate::stage::{Ran, Stage};
use formwork_check::Analysis;
use parking_lot::Mutex;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How much is simulated.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The seed of the first run; the next ones have the next numbers.
    pub seed: u64,
    /// At most so many runs.
    pub runs: Option<u64>,
    /// At most so long; a run that has begun is carried out.
    pub within: Option<Duration>,
    /// What is broken on purpose, to see that it is found.
    pub tamper: Tamper,
}

impl Options {
    /// One run of a seed.
    pub fn one(seed: u64) -> Self {
        Self { seed, runs: Some(1), within: None, tamper: Tamper::default() }
    }
}

/// What is broken on purpose, to see that it is found. A simulation that finds nothing in a broken system is worth nothing.
#[derive(Clone, Copy, Debug)]
pub struct Tamper {
    /// Done to the database before the first run; each run has a copy.
    pub at_first: fn(&Path),
    /// Done to the database of a run each time its node was killed.
    pub between_lives: fn(&Path),
    /// Whether the store now and then says that it has committed what it has not.
    pub lies: bool,
}

impl Default for Tamper {
    fn default() -> Self {
        Self { at_first: |_| {}, between_lives: |_| {}, lies: false }
    }
}

/// Why a document could not be simulated at all. What was found in it is in the report.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    /// The world does not play along.
    #[error("the simulation cannot run: {0}")]
    World(String),
}

/// Simulates a document until something is found or the options are exhausted; `tell` is told how many runs are done.
pub fn simulate(
    analysis: &Analysis,
    options: &Options,
    tell: &(dyn Fn(u64) + Sync),
) -> Result<Report, SimulateError> {
    let began = Instant::now();
    let stage = Stage::new(analysis, options.tamper)?;
    let (next, done, stop) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
    let found: Mutex<Option<(u64, Ran)>> = Mutex::new(None);
    let counts = Mutex::new(Counts::default());
    let failed: Mutex<Option<SimulateError>> = Mutex::new(None);
    let goes_on = |number: u64| {
        let in_time = options.within.is_none_or(|within| began.elapsed() < within);
        in_time && options.runs.is_none_or(|runs| number < runs) && !stop.load(Ordering::Relaxed)
    };
    let work = || loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if !goes_on(number) {
            return;
        }
        let seed = options.seed.wrapping_add(number);
        match stage.run(Plan::of(seed)) {
            Ok(ran) => {
                counts.lock().add(&ran.counts);
                if ran.finding.is_some() {
                    stop.store(true, Ordering::Relaxed);
                    // Of several the first seed is told, whichever thread was faster.
                    let mut found = found.lock();
                    if found.as_ref().is_none_or(|(other, _)| *other > seed) {
                        *found = Some((seed, ran));
                    }
                }
            }
            Err(error) => {
                stop.store(true, Ordering::Relaxed);
                failed.lock().get_or_insert(error);
            }
        }
        tell(done.fetch_add(1, Ordering::Relaxed) + 1);
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(16);
    let threads = options.runs.map_or(threads, |runs| threads.min(usize::try_from(runs).unwrap_or(threads)));
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
    if let Some(error) = failed.into_inner() {
        return Err(error);
    }
    let counts = counts.into_inner();
    let failure = match found.into_inner() {
        Some((seed, ran)) => Some(shrunk(&stage, seed, ran)?),
        None => None,
    };
    let program = &analysis.compiled.program;
    let served = program.operations.iter().filter(|operation| operation.mode.runs());
    let fine = |name: &str| counts.operations.get(name).is_some_and(|[fine, ..]| *fine > 0);
    let never = served.filter(|operation| !fine(&operation.name)).map(|it| it.name.to_string()).collect();
    let runs = done.into_inner();
    Ok(Report { seed: options.seed, runs, took: began.elapsed(), counts, never, failure })
}

/// Everything that happens in the run of a seed, line by line.
pub fn trace(analysis: &Analysis, seed: u64) -> Result<Vec<String>, SimulateError> {
    Ok(Stage::new(analysis, Tamper::default())?.run(Plan::of(seed))?.trace)
}

/// Runs that were tried at most to make a run smaller.
const MOST_TRIES: usize = 150;

/// The smallest run that shows that something is wrong, starting from one that does.
fn shrunk(stage: &Stage<'_>, seed: u64, ran: Ran) -> Result<Failure, SimulateError> {
    let (mut plan, mut best) = (Plan::of(seed), ran);
    let mut tries = 0;
    'smaller: loop {
        for smaller in plan.smaller() {
            tries += 1;
            if tries > MOST_TRIES {
                break 'smaller;
            }
            let ran = stage.run(smaller)?;
            if ran.finding.is_some() {
                (plan, best) = (smaller, ran);
                continue 'smaller;
            }
        }
        break;
    }
    let (clients, requests) = (plan.clients, plan.requests);
    let plan = format!("{clients} callers, {requests} requests of each; {}", plan.troubles());
    Ok(Failure { seed, finding: best.finding.unwrap_or_default(), plan, trace: best.trace })
}
