//! `bench-load`: measures a Formwork server beside the hand-written baseline, in one run on one machine.
//!
//! Each module knows one thing: `servers` starts and stops the two, `client` speaks HTTP/1.1, `workload` says
//! what to ask, `closed` and `open` are the two loops, `probe` shows that the answers are right before any is
//! timed, `compare` is the order of events, `stores` that of Formwork on
//! either database, `report` and `readme` write down what came out.

mod client;
mod closed;
mod compare;
mod disk;
mod machine;
mod open;
mod probe;
mod readme;
mod report;
mod rows;
mod schedule;
mod servers;
mod statistics;
mod stores;
mod workload;

use clap::{Parser, Subcommand};

/// Benchmark of shortlink's operations, Formwork beside a hand-written service
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measure both servers and print the tables as Markdown
    #[command(
        after_help = "Example: bench-load compare --formwork target/release/formwork --write bench/README.md"
    )]
    Compare(compare::Options),
    /// Measure Formwork on SQLite and on PostgreSQL, beside each other
    #[command(after_help = "Example: bench-load stores --formwork target/release/formwork")]
    Stores(stores::Options),
    /// Serve the baseline, as `compare` does when no other program is named
    Baseline(bench_baseline::Options),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Compare(options) => compare::run(&options),
        Command::Stores(options) => stores::run(&options),
        Command::Baseline(options) => bench_baseline::run(&options),
    }
}
