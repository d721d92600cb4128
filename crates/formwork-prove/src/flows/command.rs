//! Carries out a step that runs a command line: in the flow's own folder, without a shell, held against its exit code
//! and what it prints.

use super::checked::Checked;
use super::session::Session;
use formwork_language::behaviour::{CommandCheck, Stream};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

/// How long a command may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How much of what it printed a report shows, in characters.
const SHOWN: usize = 300;

/// Runs the command. It sees the variables `PATH`, `HOME` (its folder) and `NO_COLOR` alone.
pub(super) async fn carry_out(
    session: &mut Session<'_>,
    arguments: &[Arc<str>],
    exit: i32,
    checks: &[CommandCheck],
) -> Checked {
    let expected = expected(exit, checks);
    match run(session, arguments).await {
        Err(cause) => Checked::fell(expected, cause),
        Ok(ended) => {
            let holds = |check: &CommandCheck| {
                let text = match check.stream {
                    Stream::Output => &ended.output,
                    Stream::Errors => &ended.errors,
                };
                text.contains(&*check.contains)
            };
            let held = ended.exit == Some(exit) && checks.iter().all(holds);
            Checked::of(held, expected, ended.shown())
        }
    }
}

/// How a command ended.
struct Ended {
    /// Absent when a signal ended it.
    exit: Option<i32>,
    output: String,
    errors: String,
}

impl Ended {
    fn shown(&self) -> String {
        let exit = self.exit.map_or("no exit code".to_owned(), |exit| format!("exit code {exit}"));
        let stream = |name: &str, text: &str| match text.trim() {
            "" => String::new(),
            text => format!("; {name}: {}", text.chars().take(SHOWN).collect::<String>()),
        };
        format!("{exit}{}{}", stream("output", &self.output), stream("errors", &self.errors))
    }
}

async fn run(session: &mut Session<'_>, arguments: &[Arc<str>]) -> Result<Ended, String> {
    let folder = session.folder()?;
    let Some((tool, rest)) = arguments.split_first() else { return Err("no command".to_owned()) };
    let mut command = tokio::process::Command::new(&**tool);
    command
        .args(rest.iter().map(|argument| &**argument))
        .current_dir(&folder)
        .env_clear()
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .env("HOME", &folder)
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let ended = tokio::time::timeout(PATIENCE, command.output()).await;
    let ended = ended.map_err(|_| format!("`{tool}` did not end within {} s", PATIENCE.as_secs()))?;
    let ended = ended.map_err(|error| format!("`{tool}` cannot be started: {error}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Ended { exit: ended.status.code(), output: text(&ended.stdout), errors: text(&ended.stderr) })
}

fn expected(exit: i32, checks: &[CommandCheck]) -> String {
    let checks = checks.iter().map(|check| {
        let stream = match check.stream {
            Stream::Output => "output",
            Stream::Errors => "errors",
        };
        format!(" and {stream} containing `{}`", check.contains)
    });
    format!("exit code {exit}{}", checks.collect::<String>())
}
