//! The bar that Formwork is measured against: shortlink's `create_link`, `get_link` and `follow_link`, written
//! by hand with axum and rusqlite for one machine and one SQLite file.
//!
//! It does the work that `examples/shortlink.md` describes and no more: keys and roles, checked input, the
//! columns and indexes of section 6, one outbox row per event in the same transaction, and an answer to a
//! write only after the flush that covers it. Left to Formwork: everything that a document may ask for beyond
//! these three operations. The design (one writer, group commit, readers beside it) is the one that Formwork
//! uses as well, so that the comparison shows what the engine costs and not what a design costs.

mod http;
mod ids;
mod input;
mod keys;
mod problem;
mod serve;
mod store;
mod writer;

use std::net::SocketAddr;
use std::path::PathBuf;

pub use serve::run;

/// Set here, so that every program that serves the baseline has the same allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What the service is started with.
#[derive(clap::Args, Debug, Clone)]
pub struct Options {
    /// Address to answer on; port 0 picks a free one
    #[arg(long, default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// Folder of the database, made when absent
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// The one API key, of a caller with the role `member`
    #[arg(long)]
    pub key: String,
}
