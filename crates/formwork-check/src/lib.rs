//! The catalogue of diagnostics and the rules behind them; [`analyse`] is the front end's one entrance.
//!
//! Notes of syntax, model and language, and findings of rules over model and program, become [`Diagnostic`]s with
//! code, severity, words and corrections. Nothing else in the house has words for what is wrong. Reading files and
//! choosing colours is left to the binary. Source: language reference, *Diagnostics*.

mod analysis;
mod baseline;
mod cascades;
mod catalogue;
mod context;
mod corrections;
mod coverage;
mod diagnostic;
mod diagnostics;
mod form;
mod gate;
mod instead;
mod lexicon;
mod measures;
mod names;
mod prose;
mod render;
mod strictness;
mod suppress;
mod words;

pub use analysis::{Analysis, analyse, analyse_fragment, analyse_with};
pub use baseline::{Baseline, BaselineError};
pub use catalogue::{CATALOGUE, Entry, explain};
pub use coverage::{Coverage, classes, coverage, coverage_by_section};
pub use diagnostic::{Diagnostic, Edit, Fix, Related, Severity};
pub use form::Form;
pub use form::blank_form;
pub use render::{CheckedFile, render_github, render_json, render_sarif, render_text, summary};
pub use suppress::Allowance;
