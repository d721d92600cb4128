//! The order of events: probe both servers, measure closed loops, set the rates by them, measure open loops,
//! report. The two servers take turns within every round, and each round begins with fresh servers and data.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use crate::closed::{self, ClosedRun, Timing};
use crate::open::{self, OpenRun};
use crate::report::{ClosedRow, OpenRow, Report};
use crate::servers::{GENERATOR_CORE, Server, Subject};
use crate::statistics::median;
use crate::workload::{Traffic, Workload, preload};
use crate::{disk, machine, probe, readme, rows};

pub(crate) const CONNECTIONS: [usize; 3] = [1, 16, 64];
const LOAD_PERCENTS: [u32; 2] = [50, 80];
/// A run of which the generator sent more than this share late is measured again, …
const LAGGED_MAX: f64 = 0.01;
/// … and so is one during which others used more than this part of a core, …
const OTHERS_MAX: f64 = 0.10;
/// … at most this often, …
const RETRIES_PER_RUN: usize = 2;
/// … and at most this often in all, so that a busy machine cannot make the benchmark endless.
const RETRIES_IN_ALL: usize = 24;

/// What `compare` is asked for.
#[derive(clap::Args, Debug)]
pub(crate) struct Options {
    /// The formwork program; without it the baseline is compared with itself
    #[arg(long, value_name = "PATH")]
    formwork: Option<PathBuf>,
    /// The document that formwork runs
    #[arg(long, value_name = "PATH", default_value = "bench/shortlink-bench.md")]
    document: PathBuf,
    /// Another baseline program; without it this program's own `baseline`
    #[arg(long, value_name = "PATH")]
    baseline: Option<PathBuf>,
    /// Folder for the databases, on the disk that is to be measured
    #[arg(long, value_name = "DIR", default_value = "target/bench")]
    work: PathBuf,
    /// Rounds of which the medians are taken [default: 3, with --quick 1]
    #[arg(long)]
    rounds: Option<usize>,
    /// Links made before measuring [default: 10000, with --quick 1000]
    #[arg(long)]
    preload: Option<u64>,
    /// Seconds measured per closed loop [default: 2, with --quick 0.3]
    #[arg(long, value_name = "SECONDS")]
    closed: Option<f64>,
    /// Seconds measured per open loop [default: 2, with --quick 0.3]
    #[arg(long, value_name = "SECONDS")]
    open: Option<f64>,
    /// One short round, to see that everything works
    #[arg(long)]
    quick: bool,
    /// Put the tables between the markers of this file as well
    #[arg(long, value_name = "README")]
    write: Option<PathBuf>,
}

/// The options with their defaults filled in.
#[derive(Debug, Clone, Copy)]
struct Plan {
    rounds: usize,
    preload: u64,
    closed: Timing,
    open: Timing,
    flushes: usize,
}

impl Options {
    fn plan(&self) -> anyhow::Result<Plan> {
        let seconds = |given: Option<f64>| {
            Duration::try_from_secs_f64(given.unwrap_or(if self.quick { 0.3 } else { 2.0 }))
                .context("a time must be a positive number of seconds")
        };
        let timing =
            |measure: Duration| Timing { warm_up: (measure / 4).min(Duration::from_millis(300)), measure };
        let rounds = self.rounds.unwrap_or(if self.quick { 1 } else { 3 });
        ensure!(rounds > 0, "at least one round is needed");
        Ok(Plan {
            rounds,
            preload: self.preload.unwrap_or(if self.quick { 1_000 } else { 10_000 }).max(1),
            closed: timing(seconds(self.closed)?),
            open: timing(seconds(self.open)?),
            flushes: if self.quick { 100 } else { 1_000 },
        })
    }

    fn subjects(&self) -> [Subject; 2] {
        let baseline = |name| Subject::Baseline { name, program: self.baseline.clone() };
        let second = match &self.formwork {
            Some(program) => Subject::Formwork {
                program: program.clone(),
                document: self.document.clone(),
                database: None,
            },
            None => baseline("baseline again"),
        };
        [baseline("baseline"), second]
    }
}

/// Measures and reports.
///
/// # Errors
/// When a server answers wrongly, loses an acknowledged write, or cannot be started or stopped.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let plan = options.plan()?;
    let folder = options.work.join(format!("run-{}", std::process::id()));
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let bench = Bench {
        plan,
        subjects: options.subjects(),
        folder: folder.clone(),
        pinned: machine::pin(std::process::id(), GENERATOR_CORE),
        ticks_per_second: machine::ticks_per_second(),
        retries_left: RETRIES_IN_ALL,
    };
    let report = runtime.block_on(tokio::task::LocalSet::new().run_until(bench.run()));
    std::fs::remove_dir_all(&folder)?;
    let text = report?.to_markdown();
    std::io::stdout().lock().write_all(text.as_bytes())?;
    match &options.write {
        Some(path) => readme::write_results(path, &text),
        None => Ok(()),
    }
}

impl ClosedRun {
    /// Whether the machine did something else meanwhile.
    pub(crate) fn is_disturbed(&self) -> bool {
        self.others_busy > OTHERS_MAX
    }
}

impl OpenRun {
    /// Whether the generator was late, or the machine did something else meanwhile.
    pub(crate) fn is_disturbed(&self) -> bool {
        self.lagged > LAGGED_MAX || self.others_busy > OTHERS_MAX
    }

    /// Each measure in parts of what is allowed.
    fn disturbance(&self) -> f64 {
        (self.lagged / LAGGED_MAX).max(self.others_busy / OTHERS_MAX)
    }
}

struct Bench {
    plan: Plan,
    subjects: [Subject; 2],
    folder: PathBuf,
    pinned: bool,
    ticks_per_second: u32,
    retries_left: usize,
}

/// A pair of figures: the baseline's and the other's.
type Pair<T> = [Vec<T>; 2];

impl Bench {
    async fn run(mut self) -> anyhow::Result<Report> {
        let started = Instant::now();
        for (index, subject) in self.subjects.iter().enumerate() {
            say(&format!("probing {}", subject.name()));
            probe::run(subject, self.folder.join(format!("probe-{index}")), self.pinned).await?;
        }
        let flush = disk::measure_flush(&self.folder, self.plan.flushes)?;
        let closed = self.measure_closed().await?;
        let open = self.measure_open(&closed).await?;
        Ok(Report {
            names: [self.subjects[0].name(), self.subjects[1].name()],
            versions: [self.subjects[0].version(), self.subjects[1].version()],
            date: jiff::Timestamp::now().strftime("%Y-%m-%d").to_string(),
            machine: machine::describe(),
            compiler: machine::version_of(Path::new("rustc")),
            arguments: std::env::args().skip(1).collect(),
            pinned: self.pinned,
            rounds: self.plan.rounds,
            preloaded: self.plan.preload,
            seconds: [self.plan.closed.measure.as_secs_f64(), self.plan.open.measure.as_secs_f64()],
            took: started.elapsed(),
            flush,
            closed,
            open,
        })
    }

    async fn measure_closed(&mut self) -> anyhow::Result<Vec<ClosedRow>> {
        let mut found: Vec<Pair<ClosedRun>> = cases().map(|_| Pair::default()).collect();
        for round in 0..self.plan.rounds {
            say(&format!("closed loops, round {} of {}", round + 1, self.plan.rounds));
            let servers = self.start(&format!("closed-{round}")).await?;
            for ((workload, connections), pair) in cases().zip(&mut found) {
                for ((_, traffic), runs) in servers.iter().zip(pair) {
                    runs.push(self.closed_run(traffic, workload, connections).await?);
                }
            }
            stop(servers)?;
        }
        Ok(cases().zip(&found).map(|(case, pair)| ClosedRow::from_rounds(case, pair)).collect())
    }

    async fn measure_open(&mut self, closed: &[ClosedRow]) -> anyhow::Result<Vec<OpenRow>> {
        let cases: Vec<_> = closed
            .iter()
            .flat_map(|row| {
                LOAD_PERCENTS.map(|percent| (row.case, percent, row.slower() * f64::from(percent) / 100.0))
            })
            .collect();
        let mut found: Vec<Pair<OpenRun>> = cases.iter().map(|_| Pair::default()).collect();
        for round in 0..self.plan.rounds {
            say(&format!("open loops, round {} of {}", round + 1, self.plan.rounds));
            let servers = self.start(&format!("open-{round}")).await?;
            for (&((workload, connections), _, rate), pair) in cases.iter().zip(&mut found) {
                for ((_, traffic), runs) in servers.iter().zip(pair) {
                    runs.push(self.open_run(traffic, workload, connections, rate).await?);
                }
            }
            stop(servers)?;
        }
        Ok(cases
            .iter()
            .zip(&found)
            .map(|(&(case, percent, rate), pair)| OpenRow::from_rounds(case, percent, rate, pair))
            .collect())
    }

    /// One closed loop, again when others disturbed it; the least disturbed of the tries counts.
    async fn closed_run(
        &mut self,
        traffic: &Rc<Traffic>,
        workload: Workload,
        connections: usize,
    ) -> anyhow::Result<ClosedRun> {
        let (timing, ticks) = (self.plan.closed, self.ticks_per_second);
        let mut best = closed::run(traffic, workload, connections, timing, ticks).await?;
        for _ in 0..RETRIES_PER_RUN {
            if !best.is_disturbed() || !self.may_retry() {
                break;
            }
            let again = closed::run(traffic, workload, connections, timing, ticks).await?;
            if again.others_busy < best.others_busy {
                best = again;
            }
        }
        Ok(best)
    }

    /// One open loop, again when it was disturbed; the least disturbed of the tries counts.
    async fn open_run(
        &mut self,
        traffic: &Rc<Traffic>,
        workload: Workload,
        connections: usize,
        rate: f64,
    ) -> anyhow::Result<OpenRun> {
        let (timing, ticks) = (self.plan.open, self.ticks_per_second);
        let mut best = open::run(traffic, workload, connections, rate, timing, ticks).await?;
        for _ in 0..RETRIES_PER_RUN {
            if !best.is_disturbed() || !self.may_retry() {
                break;
            }
            let again = open::run(traffic, workload, connections, rate, timing, ticks).await?;
            if again.disturbance() < best.disturbance() {
                best = again;
            }
        }
        Ok(best)
    }

    /// Takes one from the retries that are left.
    fn may_retry(&mut self) -> bool {
        let left = self.retries_left.checked_sub(1);
        self.retries_left = left.unwrap_or(0);
        left.is_some()
    }

    async fn start(&self, name: &str) -> anyhow::Result<Vec<(Server, Rc<Traffic>)>> {
        let mut servers = Vec::new();
        for (index, subject) in self.subjects.iter().enumerate() {
            let server = subject.start(self.folder.join(format!("{name}-{index}")), self.pinned)?;
            let traffic = Rc::new(Traffic::new(server.target.clone()));
            preload(&traffic, self.plan.preload).await?;
            servers.push((server, traffic));
        }
        Ok(servers)
    }
}

/// Stops the servers and compares what they kept with what they acknowledged.
fn stop(servers: Vec<(Server, Rc<Traffic>)>) -> anyhow::Result<()> {
    for (server, traffic) in servers {
        let name = server.target.name;
        let folder = server.stop()?;
        let kept = rows::count(&folder)?;
        let acknowledged = traffic.acknowledged();
        ensure!(
            kept.links == acknowledged && kept.events == acknowledged,
            "{name} acknowledged {acknowledged} links and kept {kept:?}"
        );
        std::fs::remove_dir_all(folder)?;
    }
    Ok(())
}

pub(crate) fn cases() -> impl Iterator<Item = (Workload, usize)> {
    Workload::ALL.into_iter().flat_map(|workload| CONNECTIONS.map(|connections| (workload, connections)))
}

/// Progress, for whoever waits; the results go to standard output.
pub(crate) fn say(text: &str) {
    // Nothing is lost when nobody listens.
    let _ = writeln!(std::io::stderr(), "bench-load: {text}");
}

/// The median of one figure over rounds, for each of the pair.
pub(crate) fn medians<T>(pair: &[Vec<T>; 2], figure: impl Fn(&T) -> f64) -> [f64; 2] {
    [0, 1].map(|side| median(pair[side].iter().map(&figure)))
}
