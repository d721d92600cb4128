//! The `formwork` binary: parses arguments and dispatches to one file per command.
fn main() {}
