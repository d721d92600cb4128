//! What `run` prints at start: how each operation is served, one curl line each, and promises not yet enforced.

use formwork_check::Analysis;
use formwork_language::program::Operation;
use formwork_model::Model;
use std::net::SocketAddr;

/// A line of the table of operations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModeRow {
    /// Its name.
    pub name: String,
    /// `GET /links/{slug}`
    pub route: String,
    /// `public` or `internal`.
    pub listener: &'static str,
    /// `executed`, `mocked`, …
    pub mode: &'static str,
    /// Who may call it: `anyone`, or the roles.
    pub callers: String,
}

/// How each operation is served, in the order of the document.
pub fn mode_table(analysis: &Analysis) -> Vec<ModeRow> {
    let _ = analysis;
    Vec::new()
}

/// A curl line that calls the operation with plausible input; the key is `$KEY`.
pub fn curl_line(operation: &Operation, address: SocketAddr, api_key_header: &str) -> String {
    let _ = (operation, api_key_header);
    format!("curl http://{address}/")
}

/// What sections 8 to 10 promise and Formwork does not enforce yet, one line each.
pub fn not_yet_enforced(model: &Model) -> Vec<String> {
    let _ = model;
    Vec::new()
}
