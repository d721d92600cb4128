//! One file per command; `run` is their list.

pub(crate) mod audit;
pub(crate) mod budget;
pub(crate) mod check;
pub(crate) mod explain;
pub(crate) mod export;
pub(crate) mod fmt;
pub(crate) mod keys;
pub(crate) mod new;
pub(crate) mod run;
pub(crate) mod test;

use crate::arguments::Command;
use crate::ending::Ending;
use crate::terminal::Terminal;
use anyhow::Result;

/// Carries a command out.
pub(crate) fn run(command: Command, terminal: &Terminal) -> Result<Ending> {
    match command {
        Command::New(arguments) => new::run(&arguments, terminal),
        Command::Check(arguments) => check::run(&arguments, terminal),
        Command::Fmt(arguments) => fmt::run(&arguments, terminal),
        Command::Explain(arguments) => explain::run(&arguments, terminal),
        Command::Export(arguments) => export::run(&arguments, terminal),
        Command::Run(arguments) => run::run(&arguments, terminal),
        Command::Keys(arguments) => keys::run(&arguments, terminal),
        Command::Audit(arguments) => audit::run(&arguments, terminal),
        Command::Budget(arguments) => budget::run(&arguments, terminal),
        Command::Test(arguments) => test::run(&arguments, terminal),
    }
}
