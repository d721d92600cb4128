//! Starts the binary: for one command, or as a server on free ports with a folder of its own.

use crate::http::{self, Answer};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;
use tempfile::TempDir;

/// How long a command may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a command gave.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) output: String,
    pub(crate) errors: String,
}

/// The binary with these arguments.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_formwork"));
    command.args(arguments);
    command
}

/// Runs a command to its end.
pub(crate) fn formwork(arguments: &[&str]) -> Ended {
    formwork_with_input(arguments, b"")
}

/// Runs a command to its end with more in its environment.
pub(crate) fn formwork_in(arguments: &[&str], environment: &[(&str, &str)]) -> Ended {
    let mut command = command(arguments);
    command.envs(environment.iter().copied());
    carried_out(command, b"")
}

/// Runs a command to its end with something on its standard input.
pub(crate) fn formwork_with_input(arguments: &[&str], input: &[u8]) -> Ended {
    carried_out(command(arguments), input)
}

fn carried_out(mut command: Command, input: &[u8]) -> Ended {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut stdin = child.stdin.take().expect("piped");
    // A command that does not read its input closes the pipe; that is its right.
    let _ = stdin.write_all(input);
    drop(stdin);
    let (ended, waiting) = std::sync::mpsc::channel::<()>();
    let id = child.id();
    // One that does not end by itself is ended, so that its test fails instead of hanging.
    let watchdog = std::thread::spawn(move || {
        if waiting.recv_timeout(PATIENCE).is_err_and(|error| error == RecvTimeoutError::Timeout) {
            signal(id, "KILL");
        }
    });
    let output = child.wait_with_output();
    drop(ended);
    watchdog.join().expect("no panic");
    output.expect("the binary ends").into()
}

impl From<std::process::Output> for Ended {
    fn from(ended: std::process::Output) -> Self {
        Self {
            code: ended.status.code().unwrap_or(-1),
            output: String::from_utf8(ended.stdout).expect("UTF-8"),
            errors: String::from_utf8(ended.stderr).expect("UTF-8"),
        }
    }
}

/// The document that the repository runs, checks and tests.
pub(crate) fn shortlink() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/shortlink.md")
}

/// A folder with a copy of the shortlink document, without its limits and budgets: these tests call it more often
/// than any caller may.
pub(crate) struct Place {
    pub(crate) folder: TempDir,
    pub(crate) document: PathBuf,
    pub(crate) data: PathBuf,
}

impl Place {
    pub(crate) fn new() -> Self {
        let text = std::fs::read_to_string(shortlink()).expect("the example is there");
        let kept = |line: &&str| {
            ![
                "- `create_link`: 60 requests",
                "- at most 10,000",
                "- each `create_link` costs",
                "- budget 5 USD",
            ]
            .iter()
            .any(|limit| line.starts_with(limit))
        };
        let text: Vec<&str> = text.lines().filter(kept).collect();
        Self::with(&text.join("\n"))
    }

    pub(crate) fn with(text: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let document = folder.path().join("shortlink.md");
        std::fs::write(&document, text).expect("writable");
        let data = folder.path().join("data");
        Self { folder, document, data }
    }

    pub(crate) fn start(&self) -> Server {
        Server::start(&self.document, &self.data, &[])
    }

    pub(crate) fn data_text(&self) -> &str {
        self.data.to_str().expect("UTF-8")
    }

    /// Makes a key through the command.
    pub(crate) fn key(&self, role: &str, id: &str) -> String {
        let made = formwork(&["keys", "create", "--data", self.data_text(), "--role", role, "--id", id]);
        assert_eq!(made.code, 0, "{}", made.errors);
        made.output.trim_end().to_owned()
    }
}

/// A running `formwork run`; killed when dropped.
pub(crate) struct Server {
    child: Child,
    /// `127.0.0.1:PORT`
    pub(crate) public: String,
    pub(crate) internal: String,
    pub(crate) admin: String,
    pub(crate) admin_key: String,
    errors: Arc<Mutex<String>>,
    collector: Option<JoinHandle<()>>,
    rest: BufReader<std::process::ChildStdout>,
}

impl Server {
    pub(crate) fn start(document: &Path, data: &Path, more: &[&str]) -> Self {
        Self::start_with(document, data, more, &[])
    }

    /// With more in its environment.
    pub(crate) fn start_with(
        document: &Path,
        data: &Path,
        more: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        let any = "127.0.0.1:0";
        let mut child = command(&["run"])
            .arg(document)
            .args(["--listen", any, "--internal-listen", any, "--admin-listen", any, "--data"])
            .arg(data)
            .args(if more.contains(&"--drain-delay") { &[][..] } else { &["--drain-delay", "0s"] })
            .args(more)
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let errors = Arc::default();
        let collector = collect(child.stderr.take().expect("piped"), &errors);
        let mut rest = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = String::new();
        rest.read_line(&mut line).expect("readable");
        let Some(public) = line.trim_end().strip_prefix("listening on http://") else {
            let code = child.wait().expect("ends");
            collector.join().expect("no panic");
            panic!("not listening ({code}): {line}{}", errors.lock().expect("no panic while locked"));
        };
        let run: Value = serde_json::from_slice(&std::fs::read(data.join("run.json")).expect("run.json"))
            .expect("run.json is JSON");
        let named = |name: &str| run[name].as_str().expect("a text").trim_start_matches("http://").to_owned();
        Self {
            public: public.to_owned(),
            internal: named("internal"),
            admin: named("admin"),
            admin_key: named("admin_key"),
            child,
            errors,
            collector: Some(collector),
            rest,
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// A request to the public listener with a key, as `curl` would send it.
    pub(crate) fn call(&self, key: &str, method: &str, target: &str, body: Option<Value>) -> Answer {
        self.try_call(key, method, target, body).expect("an answer")
    }

    pub(crate) fn try_call(
        &self,
        key: &str,
        method: &str,
        target: &str,
        body: Option<Value>,
    ) -> std::io::Result<Answer> {
        call(&self.public, key, method, target, body)
    }

    /// SIGKILL, at once.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it lives");
        self.child.wait().expect("it ends");
    }

    /// SIGTERM; gives the exit code, what else stood on standard output, and all of standard error.
    pub(crate) fn stop(mut self) -> Ended {
        signal(self.id(), "TERM");
        let status = self.child.wait().expect("it ends");
        let mut output = String::new();
        self.rest.read_to_string(&mut output).expect("readable");
        if let Some(collector) = self.collector.take() {
            collector.join().expect("no panic");
        }
        let errors = self.errors.lock().expect("no panic while locked").clone();
        Ended { code: status.code().unwrap_or(-1), output, errors }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A request with a key and a JSON body; an empty key sends none.
pub(crate) fn call(
    address: &str,
    key: &str,
    method: &str,
    target: &str,
    body: Option<Value>,
) -> std::io::Result<Answer> {
    let body = body.map(|body| body.to_string().into_bytes());
    let mut headers = Vec::new();
    if !key.is_empty() {
        headers.push(("X-API-Key", key));
    }
    if body.is_some() {
        headers.push(("Content-Type", "application/json"));
    }
    http::send(address, method, target, &headers, body.as_deref())
}

/// Sends a signal by name.
pub(crate) fn signal(process: u32, name: &str) {
    let sent = Command::new("kill").args(["-s", name, &process.to_string()]).status().expect("kill exists");
    assert!(sent.success());
}

/// Writes down what comes, so that the pipe never fills.
fn collect(stream: impl Read + Send + 'static, text: &Arc<Mutex<String>>) -> JoinHandle<()> {
    let text = Arc::clone(text);
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let mut text = text.lock().expect("no panic while locked");
            text.push_str(&line);
            text.push('\n');
        }
    })
}
