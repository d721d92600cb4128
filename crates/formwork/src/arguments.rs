//! The command line. Source: interfaces, *Command line*.

use crate::commands::{audit, budget, check, explain, export, fmt, keys, new, run, test};
use clap::{Parser, Subcommand};

/// Checks, runs, proves and exports what an architecture document describes.
#[derive(Parser)]
#[command(
    name = "formwork",
    version,
    about,
    after_help = "Example:\n  formwork check ARCHITECTURE.md\n  formwork run shortlink.md",
    propagate_version = true
)]
pub(crate) struct Arguments {
    /// Say only what was asked for and what went wrong
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Say more
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands, in the order of a document's life.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Begin a document: blank, as an example, or by questions
    New(new::Arguments),
    /// Report what is missing, contradictory or unfinished in documents
    Check(check::Arguments),
    /// Write documents in canonical notation, prose untouched
    Fmt(fmt::Arguments),
    /// Explain a diagnostic's code
    Explain(explain::Arguments),
    /// Write an artefact that a document determines
    Export(export::Arguments),
    /// Run the system that a document describes
    Run(Box<run::Arguments>),
    /// Make, list and revoke keys of a system
    Keys(keys::Arguments),
    /// List, verify and export the audit trail of a system
    Audit(audit::Arguments),
    /// Show what is spent, kept back and left of a system's budgets
    Budget(budget::Arguments),
    /// Hold a document's promises against the running system
    Test(test::Arguments),
}
