//! `formwork run`: a document to a running system.

use crate::addresses::parse_address;
use crate::ending::Ending;
use crate::terminal::Terminal;
use anyhow::Result;
use clap::{Args, ValueEnum};
use std::net::SocketAddr;
use std::path::PathBuf;

/// What `formwork run` takes.
#[derive(Args)]
#[command(after_help = "Example:\n  formwork run shortlink.md\n  formwork run shortlink.md --listen 127.0.0.1:0")]
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
    /// `test`: a clock that starts at 2030-01-01T00:00:00Z and moves only when told
    #[arg(long, value_enum)]
    pub(crate) clock: Option<Clock>,
}

/// Clocks other than the system's.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Clock {
    /// Moves only when told
    Test,
}

/// Runs until told to stop.
pub(crate) fn run(_arguments: &Arguments, _terminal: &Terminal) -> Result<Ending> {
    anyhow::bail!("not yet")
}
