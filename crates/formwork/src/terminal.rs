//! Where words go: results to standard output, remarks to standard error, each as loud as asked.
//!
//! Colour is written only where a terminal reads it and `NO_COLOR` is not set; `anstream` sees to that.

use std::io::Write;

/// The two streams of the process and how much is said on the second.
pub(crate) struct Terminal {
    quiet: bool,
    verbose: bool,
}

impl Terminal {
    /// `quiet` silences remarks, `verbose` adds detail.
    pub(crate) const fn new(quiet: bool, verbose: bool) -> Self {
        Self { quiet, verbose }
    }

    /// Writes a result to standard output, with a line end.
    pub(crate) fn result(&self, text: &str) -> std::io::Result<()> {
        let mut stream = anstream::stdout().lock();
        stream.write_all(text.as_bytes())?;
        if !text.ends_with('\n') {
            stream.write_all(b"\n")?;
        }
        stream.flush()
    }

    /// Writes a text to standard output byte for byte, whatever it holds.
    pub(crate) fn exact(&self, text: &str) -> std::io::Result<()> {
        let mut stream = std::io::stdout().lock();
        stream.write_all(text.as_bytes())?;
        stream.flush()
    }

    /// Writes a remark to standard error, unless quiet. That nobody reads it is no fault.
    pub(crate) fn remark(&self, text: &str) {
        if !self.quiet {
            say(text);
        }
    }

    /// Writes what only the curious want to know.
    pub(crate) fn detail(&self, text: &str) {
        if self.verbose && !self.quiet {
            say(text);
        }
    }

    /// Writes what must be seen even when quiet (diagnostics that stop a run).
    pub(crate) fn must_say(&self, text: &str) {
        say(text);
    }

    /// Writes one clear line for an error and what led to it.
    pub(crate) fn error(&self, error: &anyhow::Error) {
        let chain: Vec<String> = error.chain().map(|cause| cause.to_string().replace('\n', " ")).collect();
        say(&format!("\u{1b}[1;31merror\u{1b}[0m: {}", chain.join(": ")));
    }

    /// Whether standard output understands colour.
    pub(crate) fn colour_on_output(&self) -> bool {
        anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never
    }

    /// Whether standard error understands colour.
    pub(crate) fn colour_on_error(&self) -> bool {
        anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never
    }
}

/// Says in one line that a mistake is ours; whoever reports it finds the place in it.
pub(crate) fn own_fault(what: &str) {
    let line = what.split_whitespace().collect::<Vec<_>>().join(" ");
    say(&format!("error: a mistake in formwork {}, please report it: {line}", env!("CARGO_PKG_VERSION")));
}

fn say(text: &str) {
    let mut stream = anstream::stderr().lock();
    let _ = stream.write_all(text.as_bytes());
    if !text.ends_with('\n') {
        let _ = stream.write_all(b"\n");
    }
    let _ = stream.flush();
}
