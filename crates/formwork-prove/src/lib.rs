//! Holds a document's promises against a running system: today its flows, section 7.
//!
//! Speaks HTTP and the admin API only, so that our own runtime and anybody else's are tested on the same path.
//! Starts nothing itself: a [`Launcher`] gives it fresh systems. [`run_flows`] carries the flows out and gives a
//! [`report::Report`], which renders itself as text, JSON and JUnit. Source: language reference, *Flows*.

pub mod client;
mod contract;
mod flows;
mod json;
mod launcher;
pub mod report;
mod target;

pub use contract::{ConditionReport, ContractReport, PairReport, Provoked, run_contract};
pub use flows::{Options, Progress, run_flows, run_flows_telling};
pub use launcher::{LaunchError, Launcher, Stop, System, Wanted};
pub use target::Target;

/// Why a document could not be tested at all. What merely falls short is in the report.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    /// No system could be started.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// The control plane did not do what flows need.
    #[error("the admin API does not answer as expected: {0}")]
    Admin(String),
    /// The running system cannot be reached by its address.
    #[error("{url} is no target: {problem}")]
    Target {
        /// As given.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
    /// There is no flow of that name.
    #[error("there is no flow `{name}`{}", nearest.as_ref().map(|other| format!("; did you mean `{other}`?")).unwrap_or_default())]
    UnknownFlow {
        /// As asked for.
        name: String,
        /// The one that resembles it most.
        nearest: Option<String>,
    },
}
