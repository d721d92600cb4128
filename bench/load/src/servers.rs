//! Starts the two servers, each pinned to the server's core with fresh data, and stops them again.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

/// The generator has the other one.
pub(crate) const SERVER_CORE: usize = 0;
/// The core of the generator itself.
pub(crate) const GENERATOR_CORE: usize = 1;
const START_WITHIN: Duration = Duration::from_secs(30);
const STOP_WITHIN: Duration = Duration::from_secs(20);
const BASELINE_KEY: &str = "bench-baseline-key-0123456789abcdef";

/// A server that can be started.
#[derive(Debug, Clone)]
pub(crate) enum Subject {
    /// This program's own `baseline`, or another program that takes the same arguments.
    Baseline { name: &'static str, program: Option<PathBuf> },
    Formwork {
        program: PathBuf,
        document: PathBuf,
        /// Where its rows are, when not in its data folder.
        database: Option<String>,
    },
}

/// Where a running server is, and how to be let in.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) name: &'static str,
    pub(crate) address: SocketAddr,
    pub(crate) key: String,
    pub(crate) pid: u32,
}

/// A running server; killed when it is dropped without being stopped.
pub(crate) struct Server {
    child: Child,
    folder: PathBuf,
    pub(crate) target: Target,
}

impl Subject {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Baseline { name, .. } => name,
            Self::Formwork { database: None, .. } => "formwork",
            Self::Formwork { .. } => "formwork on PostgreSQL",
        }
    }

    /// What the program calls itself.
    pub(crate) fn version(&self) -> String {
        match self {
            Self::Baseline { program: None, .. } => format!("bench-baseline {}", env!("CARGO_PKG_VERSION")),
            Self::Baseline { program: Some(program), .. } | Self::Formwork { program, .. } => {
                crate::machine::version_of(program).unwrap_or_else(|| "unknown version".to_owned())
            }
        }
    }

    /// Starts the server on an empty folder and waits until it answers.
    pub(crate) fn start(&self, folder: PathBuf, pinned: bool) -> anyhow::Result<Server> {
        std::fs::create_dir_all(&folder)?;
        let data = folder.join("data");
        let log = folder.join("stderr.log");
        let mut command = pinned_command(&self.program()?, pinned);
        match self {
            Self::Baseline { program, .. } => {
                command.args(program.is_none().then_some("baseline"));
                command.args(["--listen", "127.0.0.1:0", "--key", BASELINE_KEY]);
            }
            Self::Formwork { document, database, .. } => {
                command.arg("run").arg(document);
                command.args(database.iter().flat_map(|url| ["--database", url]));
                for listener in ["--listen", "--internal-listen", "--admin-listen"] {
                    command.args([listener, "127.0.0.1:0"]);
                }
            }
        }
        command.arg("--data").arg(&data);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(File::create(&log)?);
        let mut child = command.spawn().with_context(|| format!("cannot start {}", self.name()))?;
        let address = match read_address(&mut child) {
            Ok(address) => address,
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                let said = std::fs::read_to_string(&log).unwrap_or_default();
                return Err(error.context(format!("{} did not start; it said:\n{said}", self.name())));
            }
        };
        let pid = child.id();
        let target = Target { name: self.name(), address, key: String::new(), pid };
        let mut server = Server { child, folder, target };
        server.target.key = self.make_key(&data)?;
        Ok(server)
    }

    fn program(&self) -> anyhow::Result<PathBuf> {
        match self {
            Self::Baseline { program: None, .. } => Ok(std::env::current_exe()?),
            Self::Baseline { program: Some(program), .. } | Self::Formwork { program, .. } => {
                Ok(program.clone())
            }
        }
    }

    fn make_key(&self, data: &Path) -> anyhow::Result<String> {
        let Self::Formwork { program, database, .. } = self else { return Ok(BASELINE_KEY.to_owned()) };
        let mut command = Command::new(program);
        command.args(["keys", "create", "--role", "member", "--data"]).arg(data);
        command.args(database.iter().flat_map(|url| ["--database", url]));
        let output = command.output().context("cannot run `formwork keys create`")?;
        let key = String::from_utf8(output.stdout)?.trim().to_owned();
        if !output.status.success() || key.is_empty() {
            bail!("`formwork keys create` failed: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(key)
    }
}

fn pinned_command(program: &Path, pinned: bool) -> Command {
    if !pinned {
        return Command::new(program);
    }
    let mut command = Command::new("taskset");
    command.args(["-c", &SERVER_CORE.to_string()]).arg(program);
    command
}

/// The address in the line that a server prints when it answers; whatever it prints later is read and dropped.
fn read_address(child: &mut Child) -> anyhow::Result<SocketAddr> {
    let stdout = child.stdout.take().context("no standard output")?;
    let (sender, lines) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            // Nobody listens after the first line.
            let _ = sender.send(line);
        }
    });
    let line = lines.recv_timeout(START_WITHIN).context("it printed no line `listening on …`")?;
    let address =
        line.strip_prefix("listening on http://").with_context(|| format!("it printed `{line}`"))?;
    address.parse().with_context(|| format!("`{address}` is no address"))
}

impl Server {
    /// Asks the server to end, waits for it, and returns the folder with its data.
    ///
    /// # Errors
    /// When it does not end in time or does not end with success.
    pub(crate) fn stop(mut self) -> anyhow::Result<PathBuf> {
        let pid = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &pid]).status().context("cannot run `kill`")?;
        let deadline = Instant::now() + STOP_WITHIN;
        loop {
            match self.child.try_wait()? {
                Some(status) if status.success() => return Ok(std::mem::take(&mut self.folder)),
                Some(status) => bail!("{} ended with {status}", self.target.name),
                None if Instant::now() > deadline => bail!("{} did not end on SIGTERM", self.target.name),
                None => std::thread::sleep(Duration::from_millis(5)),
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
