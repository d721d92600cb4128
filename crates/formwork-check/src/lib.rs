//! The catalogue of diagnostics and the rules behind them; [`analyse`] is the front end's one entrance.

mod analysis;
mod diagnostic;

pub use analysis::{Analysis, analyse};
pub use diagnostic::{Diagnostic, Edit, Fix, Related, Severity};
