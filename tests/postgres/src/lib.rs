//! A PostgreSQL server of a test process's own: made in a temporary folder, reached over a socket in it, gone with
//! the process however that ends.
//!
//! Never one that runs already. Without PostgreSQL on the machine the tests that need it fail and say so.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// The role that must give a password, [`PASSWORD`]; made by whoever tests that.
pub const GUARDED: &str = "guarded";
/// The password that tests give it.
pub const PASSWORD: &str = "open sesame";

/// The authority of the certificate that [`Server::encrypt`] uses; made for these tests, and trusted by nobody else.
pub const AUTHORITY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tls/ca.pem");

/// Starts the server, tells when it answers, waits until nobody holds the other end of the pipe, and cleans up.
const SUPERVISOR: &str = r#"
folder=$1; bin=$2; flushes=$3
"$bin/initdb" --pgdata="$folder/data" --username=postgres --encoding=UTF8 --locale=C --auth=trust --no-sync \
    --no-instructions >"$folder/log" 2>&1 || { cat "$folder/log"; rm -rf "$folder"; exit 1; }
printf 'local all guarded scram-sha-256\n%s\n' "$(cat "$folder/data/pg_hba.conf")" >"$folder/hba"
cat "$folder/hba" >"$folder/data/pg_hba.conf"
"$bin/pg_ctl" start --wait --silent --pgdata="$folder/data" --log="$folder/log" --options="-k '$folder' \
    -c listen_addresses='' -c fsync=$flushes -c full_page_writes=$flushes -c max_connections=400 -c shared_buffers=64MB \
    -c max_pred_locks_per_transaction=256 -c max_locks_per_transaction=256" >>"$folder/log" 2>&1 \
    || { cat "$folder/log"; rm -rf "$folder"; exit 1; }
echo ready
cat >/dev/null
"$bin/pg_ctl" stop --mode=immediate --silent --pgdata="$folder/data" >/dev/null 2>&1
rm -rf "$folder"
"#;

/// A server. Dropped it stops; the one of [`server`] lives as long as the process.
#[derive(Debug)]
pub struct Server {
    folder: PathBuf,
    binaries: PathBuf,
    supervisor: Child,
    /// The supervisor reads from it until its end.
    lifeline: Option<ChildStdin>,
}

/// The server of this process, started when it is first asked for.
pub fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(Server::start)
}

/// A name that no other test of this process has.
pub fn fresh_name() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

impl Server {
    /// Makes and starts a server.
    ///
    /// Panics when that fails: a test that needs PostgreSQL must not pass without it.
    pub fn start() -> Self {
        Self::begin("off")
    }

    /// [`Server::start`] of one that flushes what it commits, as one that is not for tests does.
    ///
    /// Panics when that fails.
    pub fn start_durable() -> Self {
        Self::begin("on")
    }

    /// Its first process, whose children do its work.
    ///
    /// Panics when it does not run.
    pub fn process(&self) -> u32 {
        let text = std::fs::read_to_string(self.folder.join("data/postmaster.pid")).expect("it runs");
        text.lines().next().and_then(|line| line.parse().ok()).expect("a process")
    }

    fn begin(flushes: &str) -> Self {
        let binaries = binaries();
        let folder =
            tempfile::Builder::new().prefix("formwork-postgres-").tempdir().expect("a folder").keep();
        let mut command = as_user(&folder);
        command.args(["sh", "-c", SUPERVISOR, "sh"]).arg(&folder).arg(&binaries).arg(flushes);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        // An interrupt of the terminal ends the tests, and the end of the tests the server.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut supervisor = own(command).spawn().expect("a shell starts");
        let lifeline = supervisor.stdin.take();
        let mut said = String::new();
        let mut output = BufReader::new(supervisor.stdout.take().expect("its output is a pipe"));
        while said.lines().last() != Some("ready") {
            if output.read_line(&mut said).expect("it speaks UTF-8") == 0 {
                let _ = output.read_to_string(&mut said);
                panic!("PostgreSQL did not start:\n{said}");
            }
        }
        Self { folder, binaries, supervisor, lifeline }
    }

    /// The address of its database `postgres`, as its superuser.
    pub fn url(&self) -> String {
        self.url_of("postgres", "postgres")
    }

    /// The address of a database for a user, perhaps with a password: `name` or `name:password`.
    pub fn url_of(&self, user: &str, database: &str) -> String {
        let folder = self.folder.display().to_string().replace('/', "%2F");
        format!("postgres://{user}@{folder}/{database}")
    }

    /// Makes an empty database; gives its name.
    ///
    /// Panics when the server refuses.
    pub fn make_database(&self) -> String {
        let name = fresh_name();
        let mut command = as_user(&self.folder);
        command
            .arg(self.binaries.join("createdb"))
            .arg("-h")
            .arg(&self.folder)
            .args(["-U", "postgres", &name]);
        let status = own(command).stdin(Stdio::null()).status().expect("createdb runs");
        assert!(status.success(), "createdb {name}");
        name
    }

    /// Carries out a statement in a database, as whoever has its password might.
    ///
    /// Panics when the server refuses.
    pub fn carry_out(&self, database: &str, statement: &str) {
        let mut command = as_user(&self.folder);
        command.arg(self.binaries.join("psql")).arg("-h").arg(&self.folder);
        command.args(["-U", "postgres", "-q", "-v", "ON_ERROR_STOP=1", "-c", statement, database]);
        let status = own(command).stdin(Stdio::null()).status().expect("psql runs");
        assert!(status.success(), "{statement}");
    }

    /// Lets the server answer on `localhost` too, encrypted and with a certificate of [`AUTHORITY`]; gives the port.
    ///
    /// Panics when it does not start again so.
    pub fn encrypt(&self) -> u16 {
        let data = self.folder.join("data");
        for (name, text) in [
            ("server.crt", include_str!("../tls/server.pem")),
            ("server.key", include_str!("../tls/server.key")),
        ] {
            let path = data.join(name);
            std::fs::write(&path, text).expect("the folder takes a file");
            #[cfg(unix)]
            {
                use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
                std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))
                    .expect("a file of ours");
                let owner = std::fs::metadata(&data).expect("there").uid();
                // Only root has to, and only root may.
                let _ = chown(&path, Some(owner), None);
            }
        }
        self.control(&["stop", "--mode=fast"]);
        for _ in 0..20 {
            // Free now; another process may take it before the server does, and then the next one is tried.
            let port =
                TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
            let more = format!(
                "-c ssl=on -c listen_addresses=127.0.0.1 -c port={port} -c ssl_cert_file=server.crt -c ssl_key_file=server.key"
            );
            if self.try_start(&more) {
                return port;
            }
        }
        panic!("PostgreSQL does not start with TLS");
    }

    /// Stops the server's work at once, as a power cut would.
    pub fn stop(&self) {
        self.control(&["stop", "--mode=immediate"]);
    }

    /// Starts it again after [`Server::stop`]; gives when it answers.
    ///
    /// Panics when it does not.
    pub fn start_again(&self) {
        assert!(self.try_start("-c listen_addresses=''"), "PostgreSQL does not start again");
    }

    fn try_start(&self, more: &str) -> bool {
        let log = format!("--log={}", self.folder.join("log").display());
        let options = format!("--options=-k '{}' -c fsync=off {more}", self.folder.display());
        self.controlled(&["start", "--wait", &log, &options])
    }

    fn control(&self, arguments: &[&str]) {
        assert!(self.controlled(arguments), "pg_ctl {arguments:?}");
    }

    fn controlled(&self, arguments: &[&str]) -> bool {
        let mut command = as_user(&self.folder);
        command.arg(self.binaries.join("pg_ctl")).args(arguments).arg("--silent");
        command.arg(format!("--pgdata={}", self.folder.join("data").display()));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        own(command).status().expect("pg_ctl runs").success()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.lifeline = None;
        let _ = self.supervisor.wait();
    }
}

/// Where `initdb` and `pg_ctl` are: on the path, or where Debian keeps them.
fn binaries() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut debian: Vec<PathBuf> = debian.map(|version| version.path().join("bin")).collect();
    debian.sort();
    let mut places = std::env::split_paths(&path).chain(debian.into_iter().rev());
    let found = places
        .find(|place| place.join("initdb").is_file() && place.join("pg_ctl").is_file())
        .expect("PostgreSQL is missing: these tests start a server of their own (on Debian: apt-get install postgresql)");
    // The path may hold links to some of them only.
    let real = found.join("initdb").canonicalize().ok();
    real.and_then(|initdb| initdb.parent().map(Path::to_owned)).unwrap_or(found)
}

/// A command that is run by who may run a server: not by root.
fn as_user(folder: &Path) -> Command {
    match unprivileged(folder) {
        None => Command::new("env"),
        Some(user) => {
            let mut command = Command::new("runuser");
            command.args(["-u", user, "--"]);
            command
        }
    }
}

/// Root is refused by PostgreSQL: the folder is given to a user without rights.
fn unprivileged(folder: &Path) -> Option<&'static str> {
    let number = |arguments: &[&str]| -> Option<u32> {
        let output = Command::new("id").args(arguments).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().parse().ok())?
    };
    if number(&["-u"]) != Some(0) {
        return None;
    }
    let (user, id) = ["postgres", "nobody"]
        .into_iter()
        .find_map(|user| Some((user, number(&["-u", user])?)))
        .expect("root cannot run PostgreSQL, and there is no user `postgres` or `nobody`");
    #[cfg(unix)]
    std::os::unix::fs::chown(folder, Some(id), None).expect("root may give a folder away");
    Some(user)
}

/// A command in a folder that its user may read, without the settings of a server that somebody else has.
fn own(mut command: Command) -> Command {
    command.current_dir("/");
    for name in ["PGDATA", "PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGPASSWORD", "PGOPTIONS"] {
        command.env_remove(name);
    }
    command
}
