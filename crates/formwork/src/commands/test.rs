//! `formwork test`: holds a document's promises against the system that it describes.

mod contract;
mod simulation;

use crate::documents;
use crate::ending::Ending;
use crate::findings;
use crate::system::FreshSystems;
use crate::terminal::Terminal;
use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use formwork_prove::report::Verdict;
use formwork_prove::{Options, Progress, Target, run_contract, run_flows_telling};
use std::cell::Cell;
use std::time::{Duration, Instant};

/// What `formwork test` takes.
#[derive(Args)]
#[command(
    after_help = "Example:\n  formwork test shortlink.md --only flows\n  formwork test shortlink.md --flow \"A link expires\"\n  formwork test shortlink.md --only simulation --seconds 60\n  formwork test shortlink.md --only simulation --seed 4711"
)]
pub(crate) struct Arguments {
    /// The document; `-` is standard input
    #[arg(value_name = "DOC")]
    pub(crate) document: String,
    /// Which promises
    #[arg(long, value_enum, value_delimiter = ',')]
    pub(crate) only: Vec<Part>,
    /// Only the flow of this name
    #[arg(long, value_name = "NAME")]
    pub(crate) flow: Option<String>,
    /// Hold a running system against the flows instead of fresh ones
    #[arg(long, value_name = "URL")]
    pub(crate) target: Option<String>,
    /// With --target: the key of an actor, by its id or its role; may be repeated
    #[arg(long = "key", value_name = "ACTOR=KEY", requires = "target")]
    pub(crate) keys: Vec<String>,
    /// Test on PostgreSQL, `postgres://user@host/database`: each flow in a schema of its own, dropped at its end
    #[arg(long, value_name = "URL", conflicts_with = "target")]
    pub(crate) database: Option<String>,
    /// With --only simulation: the seed of the first run; alone, of the only one
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// With --only simulation: at most so many runs
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) runs: Option<u64>,
    /// With --only simulation: for so long; 10 s without --seed and --runs
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) seconds: Option<u64>,
    /// How to show the result
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// What can be held against a system.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// The flows of section 7
    Flows,
    /// Thousands of random runs, with crashes and lost answers, against everything that is declared
    Simulation,
    /// Every role and operation of section 9: let in or refused as the matrix says
    Contract,
}

/// How the result is shown.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Reads like the document
    Text,
    /// For programs
    Json,
    /// For continuous integration
    Junit,
}

/// Tests the document.
pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Ending> {
    let source = documents::read(&arguments.document)?;
    let Some(analysis) = findings::executable(source, terminal) else { return Ok(Ending::FallsShort) };
    if arguments.only.contains(&Part::Simulation) {
        return simulation::run(arguments, &analysis, terminal);
    }
    if arguments.seed.or(arguments.runs).or(arguments.seconds).is_some() {
        anyhow::bail!("--seed, --runs and --seconds belong to --only simulation");
    }
    if arguments.only.is_empty() {
        terminal.remark("flows and contract are held against the system; --only simulation simulates it");
    }
    if arguments.only == [Part::Contract] {
        return contract::run(arguments, &analysis, terminal);
    }
    let runtime = tokio::runtime::Runtime::new().context("cannot start threads")?;
    let target = match &arguments.target {
        Some(url) => Some(runtime.block_on(Target::find(url, keys(arguments)?))?),
        None => None,
    };
    let options = Options { flow: arguments.flow.clone(), target, ..Options::default() };
    let launcher = FreshSystems::new(&analysis, arguments.database.clone());
    let progress = Progressing::new(terminal);
    let tell = |step| progress.tell(step);
    let report = runtime.block_on(run_flows_telling(&analysis, &launcher, &options, &tell))?;
    progress.end();
    // One flow, and a running system, are no place for keys of every role.
    let is_whole = arguments.flow.is_none() && arguments.target.is_none();
    let wants_contract = arguments.only.is_empty() || arguments.only.contains(&Part::Contract);
    let contract = match is_whole && wants_contract {
        true => Some(runtime.block_on(run_contract(&analysis, &launcher))?),
        false => None,
    };
    let mut text = match arguments.format {
        Format::Text => report.to_text(&arguments.document, terminal.colour_on_output()),
        Format::Json => {
            let mut told = report.to_json();
            if let Some(contract) = &contract {
                told["contract"] = contract.to_json();
            }
            told.to_string()
        }
        Format::Junit => report.to_junit(&arguments.document),
    };
    if let Some(contract) = &contract {
        match arguments.format {
            Format::Text => text = format!("{}\n{}", text.trim_end(), contract.to_text(&arguments.document)),
            Format::Junit if !contract.is_fine() => terminal.must_say(&contract.to_text(&arguments.document)),
            Format::Json | Format::Junit => {}
        }
    }
    terminal.result(&text)?;
    let is_granted = contract.is_none_or(|contract| contract.is_fine());
    Ok(Ending::fine_if(report.verdict() == Verdict::Pass && is_granted))
}

/// The keys of actors as `--key` names them.
fn keys(arguments: &Arguments) -> Result<Vec<(String, String)>> {
    let pair = |text: &String| {
        let (actor, key) =
            text.split_once('=').with_context(|| format!("--key {text}: write it as ACTOR=KEY"))?;
        Ok((actor.trim().to_owned(), key.trim().to_owned()))
    };
    arguments.keys.iter().map(pair).collect()
}

/// A test that takes its time says how far it is, once a second, and only then.
struct Progressing<'t> {
    terminal: &'t Terminal,
    began: Instant,
    told: Cell<Option<Instant>>,
}

/// Nobody waits impatiently for less.
const PATIENCE: Duration = Duration::from_secs(1);

impl<'t> Progressing<'t> {
    fn new(terminal: &'t Terminal) -> Self {
        Self { terminal, began: Instant::now(), told: Cell::new(None) }
    }

    fn tell(&self, progress: Progress) {
        let last = self.told.get().unwrap_or(self.began);
        if last.elapsed() >= PATIENCE && progress.done < progress.of {
            self.told.set(Some(Instant::now()));
            let seconds = self.began.elapsed().as_secs();
            self.terminal
                .remark(&format!("{} of {} runs done after {seconds} s", progress.done, progress.of));
        }
    }

    fn end(&self) {
        let took = self.began.elapsed();
        if self.told.get().is_some() {
            self.terminal.remark(&format!("all runs done after {:.1} s", took.as_secs_f64()));
        }
    }
}
