//! What a cache layer saves of a read and what a rate limit costs one: the same program runs the same document three
//! times, as it is, with a layer, and with a limit, side by side in one run, and answers the same point reads.

use std::io::Write;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, ensure};

use crate::closed::{self, ClosedRun, Timing};
use crate::compare::{CONNECTIONS, say, stop};
use crate::machine;
use crate::servers::{GENERATOR_CORE, Server, Subject};
use crate::statistics::median;
use crate::workload::{Traffic, Workload, preload};

/// What stands before a section of the document, and what is put there.
const VARIANTS: [(&str, Option<(&str, &str)>); 4] = [
    ("as it is", None),
    (
        "cached",
        Some((
            "### SLO Targets",
            "### Caching Strategy\n\n**Layer:** Link cache\n- **What:** responses of `get_link`\n- **TTL:** 1 h\n\
             - **Invalidation:** on a write to `link`\n\n",
        )),
    ),
    (
        "limited per second",
        Some((
            "## 10) Observability",
            "### Quotas & Rate Limits\n- `get_link`: 1,000,000 requests per second per caller\n\n",
        )),
    ),
    (
        "limited per minute",
        Some((
            "## 10) Observability",
            "### Quotas & Rate Limits\n- `get_link`: 30,000,000 requests per minute per caller\n\n",
        )),
    ),
];

/// What `reads` is asked for.
#[derive(clap::Args, Debug)]
pub(crate) struct Options {
    /// The formwork program
    #[arg(long, value_name = "PATH")]
    formwork: PathBuf,
    /// The document that is run, as it is and with a cache layer or a limit
    #[arg(long, value_name = "PATH", default_value = "bench/shortlink-bench.md")]
    document: PathBuf,
    /// Folder for the databases
    #[arg(long, value_name = "DIR", default_value = "target/bench")]
    work: PathBuf,
    /// Rounds of which the medians are taken
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Links that are read: all of them fit into the layer
    #[arg(long, default_value_t = 1_000)]
    links: u64,
    /// Seconds measured per run
    #[arg(long, value_name = "SECONDS", default_value_t = 2.0)]
    seconds: f64,
}

/// Measures and prints a table.
///
/// # Errors
/// When a server answers wrongly, or cannot be started or stopped.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    ensure!(options.rounds > 0, "at least one round is needed");
    let folder = options.work.join(format!("reads-{}", std::process::id()));
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let table = runtime.block_on(tokio::task::LocalSet::new().run_until(measure(options, folder.clone())));
    std::fs::remove_dir_all(&folder)?;
    std::io::stdout().lock().write_all(table?.as_bytes())?;
    Ok(())
}

async fn measure(options: &Options, folder: PathBuf) -> anyhow::Result<String> {
    let measure = Duration::try_from_secs_f64(options.seconds).context("a time must be positive")?;
    // The layer is filled before anything is counted.
    let timing = Timing { warm_up: measure / 2, measure };
    let pinned = machine::pin(std::process::id(), GENERATOR_CORE);
    let ticks = machine::ticks_per_second();
    let text = std::fs::read_to_string(&options.document)
        .with_context(|| format!("cannot read {}", options.document.display()))?;
    let mut subjects = Vec::new();
    for (index, (name, change)) in VARIANTS.iter().enumerate() {
        let path = folder.join(format!("variant-{index}.md"));
        let changed = match change {
            Some((before, lines)) => {
                ensure!(text.contains(before), "the document has no `{before}` for {name}");
                text.replacen(before, &format!("{lines}{before}"), 1)
            }
            None => text.clone(),
        };
        std::fs::write(&path, changed)?;
        subjects.push(Subject::Formwork { program: options.formwork.clone(), document: path });
    }
    let mut found: Vec<Vec<Vec<ClosedRun>>> = vec![vec![Vec::new(); VARIANTS.len()]; CONNECTIONS.len()];
    for round in 0..options.rounds {
        say(&format!("reads, round {} of {}", round + 1, options.rounds));
        let mut servers: Vec<(Server, Rc<Traffic>)> = Vec::new();
        for (index, subject) in subjects.iter().enumerate() {
            let server = subject.start(folder.join(format!("{round}-{index}")), pinned)?;
            let traffic = Rc::new(Traffic::new(server.target.clone()));
            preload(&traffic, options.links).await?;
            servers.push((server, traffic));
        }
        for (at, connections) in CONNECTIONS.into_iter().enumerate() {
            for ((_, traffic), runs) in servers.iter().zip(&mut found[at]) {
                runs.push(closed::run(traffic, Workload::Reads, connections, timing, ticks).await?);
            }
        }
        stop(servers)?;
    }
    Ok(table(&found))
}

fn table(found: &[Vec<Vec<ClosedRun>>]) -> String {
    let mut text = String::from("| connections |");
    VARIANTS.iter().for_each(|(name, _)| text.push_str(&format!(" {name} req/s | CPU µs/req |")));
    text.push_str(" others busy |\n|--:|");
    text.push_str(&"--:|".repeat(VARIANTS.len() * 2 + 1));
    text.push('\n');
    for (connections, variants) in CONNECTIONS.iter().zip(found) {
        text.push_str(&format!("| {connections} |"));
        let of = |runs: &Vec<ClosedRun>, figure: fn(&ClosedRun) -> f64| median(runs.iter().map(figure));
        for runs in variants {
            let (rate, micros) = (of(runs, |run| run.per_second), of(runs, |run| run.server_micros));
            text.push_str(&format!(" {rate:.0} | {micros:.1} |"));
        }
        let others = variants.iter().map(|runs| of(runs, |run| run.others_busy)).fold(0.0, f64::max);
        text.push_str(&format!(" {:.0} % |\n", others * 100.0));
    }
    text
}
