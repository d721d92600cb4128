//! The repository's own checks: `cargo run --release -p xtask -- tidy`.
//!
//! What a compiler does not see: which room may import which, that every file says what it is, that every path
//! that a page names exists, and that nothing unfinished is left in the code.

mod tidy;
mod unsafe_code;

use std::process::ExitCode;

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("tidy") => report("tidy", &tidy::run()),
        _ => {
            say("usage: cargo run --release -p xtask -- tidy");
            ExitCode::from(2)
        }
    }
}

fn report(what: &str, faults: &[String]) -> ExitCode {
    for fault in faults {
        say(fault);
    }
    if faults.is_empty() {
        say(&format!("{what}: nothing to mend"));
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn say(line: &str) {
    use std::io::Write;
    // A closed pipe is the reader's wish, not a fault.
    let _ = writeln!(std::io::stderr(), "{line}");
}
