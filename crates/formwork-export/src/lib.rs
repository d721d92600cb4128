//! An analysed document to the forms in which others want it. Pure: an [`Analysis`] in, a value out.
//!
//! One file per kind in [`kinds`]. Source: interfaces, *The model as JSON*.

pub mod kinds;

pub use kinds::{KINDS, Kind, json_schema, model, openapi};

#[doc(no_inline)]
pub use formwork_check::Analysis;
