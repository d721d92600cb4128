//! The `formwork` binary: parses arguments and dispatches to one file per command.
//!
//! Results go to standard output, everything else to standard error; the exit code says how it ended (see
//! [`ending::Ending`]). Source: interfaces, *Command line*.

mod addresses;
mod amounts;
mod arguments;
mod commands;
mod documents;
mod ending;
mod findings;
mod replace;
mod system;
mod table;
mod terminal;

use clap::Parser;
use std::panic::AssertUnwindSafe;
use std::process::ExitCode;

/// Measured faster than the system's allocator under load.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = arguments::Arguments::parse();
    let terminal = terminal::Terminal::new(arguments.quiet, arguments.verbose);
    std::panic::set_hook(Box::new(|panic| terminal::own_fault(&panic.to_string())));
    let ended = std::panic::catch_unwind(AssertUnwindSafe(|| commands::run(arguments.command, &terminal)));
    match ended.unwrap_or_else(|_| Ok(ending::Ending::CouldNot)) {
        Ok(ending) => ending.into(),
        Err(error) if ending::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            terminal.error(&error);
            ending::Ending::CouldNot.into()
        }
    }
}
