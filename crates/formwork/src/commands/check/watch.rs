//! `--watch`: checks again whenever a document changes, until the process is ended.
//!
//! The files are looked at, not listened to: that works on every disk and network share, and an editor that writes a
//! new file and renames it is seen like any other.

use crate::terminal::Terminal;
use anyhow::{Result, bail};
use std::io::IsTerminal;
use std::time::{Duration, SystemTime};

/// How often the files are looked at, and how long one must have been left alone to be checked.
const INTERVAL: Duration = Duration::from_millis(50);

/// When a file was last changed and how long it is; absent while there is none.
type State = Vec<Option<(SystemTime, u64)>>;

/// Checks now and after each change of one of the files. Ends only with an error of the output.
pub(super) fn run(
    documents: &[String],
    terminal: &Terminal,
    check: &dyn Fn() -> Result<()>,
) -> Result<std::convert::Infallible> {
    if documents.iter().any(|path| path == "-") {
        bail!("standard input cannot be watched; name a file");
    }
    let mut first = true;
    loop {
        separate(documents, terminal, first)?;
        let before = state(documents);
        check()?;
        terminal.remark("watching; end with Ctrl-C");
        first = false;
        wait_for_change(documents, before);
    }
}

/// A clear screen on a terminal, elsewhere a line before each further run.
fn separate(documents: &[String], terminal: &Terminal, first: bool) -> Result<()> {
    if std::io::stdout().is_terminal() {
        terminal.exact("\u{1b}[2J\u{1b}[3J\u{1b}[H")?;
    } else if !first {
        terminal.result(&format!("──── {}", documents.join(" ")))?;
    }
    Ok(())
}

fn wait_for_change(documents: &[String], before: State) {
    loop {
        std::thread::sleep(INTERVAL);
        let mut now = state(documents);
        if now == before {
            continue;
        }
        // Whoever saves may write in several steps.
        loop {
            std::thread::sleep(INTERVAL);
            let later = state(documents);
            if later == now {
                return;
            }
            now = later;
        }
    }
}

fn state(documents: &[String]) -> State {
    let of = |path: &String| {
        let metadata = std::fs::metadata(path).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    };
    documents.iter().map(of).collect()
}
