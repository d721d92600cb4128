//! Formwork on SQLite beside Formwork on PostgreSQL: the same document and workloads, in turn. The PostgreSQL server is a
//! temporary one on the same disk that flushes every commit; what its processes take is counted beside Formwork's own.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, ensure};
use formwork_temporary_postgres as postgres;

use crate::closed::{self, ClosedRun, Timing};
use crate::compare::{cases, say};
use crate::servers::{GENERATOR_CORE, Server, Subject};
use crate::statistics::median;
use crate::workload::{Traffic, preload};
use crate::{machine, rows};

/// What `stores` is asked for.
#[derive(clap::Args, Debug)]
pub(crate) struct Options {
    /// The formwork program
    #[arg(long, value_name = "PATH")]
    formwork: PathBuf,
    /// The document that formwork runs
    #[arg(long, value_name = "PATH", default_value = "bench/shortlink-bench.md")]
    document: PathBuf,
    /// Folder for the data folders
    #[arg(long, value_name = "DIR", default_value = "target/bench")]
    work: PathBuf,
    /// Rounds of which the medians are taken
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Links made before measuring
    #[arg(long, default_value_t = 2_000)]
    preload: u64,
    /// Seconds measured per loop
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0)]
    closed: f64,
}

/// One loop: what was found, and what the database's processes took per request.
type Measured = (ClosedRun, f64);

/// Measures and reports.
///
/// # Errors
/// When a server answers wrongly, loses an acknowledged write, or cannot be started or stopped.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let measure = Duration::try_from_secs_f64(options.closed).context("a positive number of seconds")?;
    let timing = Timing { warm_up: (measure / 4).min(Duration::from_millis(300)), measure };
    ensure!(options.rounds > 0, "at least one round is needed");
    let pinned = machine::pin(std::process::id(), GENERATOR_CORE);
    let folder = options.work.join(format!("stores-{}", std::process::id()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let work = measured(options, timing, &folder, pinned);
    let found = runtime.block_on(tokio::task::LocalSet::new().run_until(work))?;
    std::fs::remove_dir_all(&folder)?;
    let text = report(options, &found);
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(())
}

/// By case: the rounds on SQLite and those on PostgreSQL.
async fn measured(
    options: &Options,
    timing: Timing,
    folder: &Path,
    pinned: bool,
) -> anyhow::Result<Vec<[Vec<Measured>; 2]>> {
    let server = postgres::Server::start_durable();
    let ticks = machine::ticks_per_second();
    let mut found: Vec<[Vec<Measured>; 2]> = cases().map(|_| Default::default()).collect();
    for round in 0..options.rounds {
        say(&format!("round {} of {}", round + 1, options.rounds));
        let database = server.make_database();
        let subject = |database| Subject::Formwork {
            program: options.formwork.clone(),
            document: options.document.clone(),
            database,
        };
        let subjects = [subject(None), subject(Some(server.url_of("postgres", &database)))];
        let mut running: Vec<(Server, Rc<Traffic>)> = Vec::new();
        for (index, subject) in subjects.iter().enumerate() {
            let started = subject.start(folder.join(format!("{round}-{index}")), pinned)?;
            let traffic = Rc::new(Traffic::new(started.target.clone()));
            preload(&traffic, options.preload).await?;
            running.push((started, traffic));
        }
        for ((workload, connections), pair) in cases().zip(&mut found) {
            for ((_, traffic), runs) in running.iter().zip(pair) {
                let before = machine::children_time(server.process(), ticks)?;
                let run = closed::run(traffic, workload, connections, timing, ticks).await?;
                let took = machine::children_time(server.process(), ticks)?.saturating_sub(before);
                // The warm-up is asked at the same pace.
                let answered = run.per_second * (timing.measure + timing.warm_up).as_secs_f64();
                runs.push((run, took.as_secs_f64() * 1e6 / answered.max(1.0)));
            }
        }
        for ((started, traffic), in_database) in running.into_iter().zip([None, Some(&database)]) {
            let acknowledged = traffic.acknowledged();
            let folder = started.stop()?;
            match in_database {
                None => ensure!(rows::count(&folder)?.links == acknowledged, "SQLite has lost a link"),
                // It ends the program when the count is another.
                Some(name) => server.carry_out(
                    name,
                    &format!(
                        "DO $$ BEGIN ASSERT (SELECT count(*) FROM link) = {acknowledged}; \
                        ASSERT (SELECT count(*) FROM _outbox) = {acknowledged}; END $$"
                    ),
                ),
            }
            std::fs::remove_dir_all(folder)?;
        }
    }
    Ok(found)
}

fn report(options: &Options, found: &[[Vec<Measured>; 2]]) -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split_whitespace().next().unwrap_or("unknown");
    let date = jiff::Timestamp::now().strftime("%Y-%m-%d");
    let mut text = format!(
        "{date}, {}, load {load} at the end; medians of {} rounds of {} s.\n\n\
        | workload | connections | SQLite req/s | PostgreSQL req/s | SQLite CPU µs/req | PostgreSQL: Formwork CPU µs/req | \
        its processes | generator busy |\n|---|--:|--:|--:|--:|--:|--:|--:|\n",
        machine::describe(),
        options.rounds,
        options.closed,
    );
    for ((workload, connections), pair) in cases().zip(found) {
        let of = |side: usize, figure: &dyn Fn(&Measured) -> f64| median(pair[side].iter().map(figure));
        // Nothing can go wrong: it is a text.
        let _ = writeln!(
            text,
            "| {} | {connections} | {:.0} | {:.0} | {:.1} | {:.1} | {:.1} | {:.0} / {:.0} % |",
            workload.name(),
            of(0, &|it| it.0.per_second),
            of(1, &|it| it.0.per_second),
            of(0, &|it| it.0.server_micros),
            of(1, &|it| it.0.server_micros),
            of(1, &|it| it.1),
            of(0, &|it| it.0.generator_busy * 100.0),
            of(1, &|it| it.0.generator_busy * 100.0),
        );
    }
    text
}
