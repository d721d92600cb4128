//! Starting and stopping: binds, opens the store, writes `run.json`, and drains.

use crate::auth::{Failures, Keys, Signatures, Tokens};
use crate::cache::Caches;
use crate::clock::Clock;
use crate::config::{Addresses, ClockChoice, Config, Limits, Secrets, UpstreamAddress};
use crate::cursor::Cursors;
use crate::data;
use crate::edge::{self, Edge};
use crate::keys::{self, DATABASE, FirstKey, KeyError, NewKey};
use crate::limits::Limiter;
use crate::listen::listen;
use crate::metrics::Metrics;
use crate::parts::{MissingSecrets, Needs, Parts, Renderer, Revive, Revived, SecretValues, Upstreams};
use crate::random::Seeds;
use crate::respond::RequestIds;
use crate::room::Room;
use crate::router::Router;
use crate::schedule::Scheduler;
use crate::serve::{Entrance, kept_answer};
use crate::shared::{Prepared, Rendering, Shared};
use crate::simulated::{self, Partners, World};
use crate::tls::{self, Tls};
use crate::{admin, audit, random};
use formwork_check::Analysis;
use formwork_engine::{Call, Refusal, StoreError, What};
use formwork_language::program::{Program, Surface};
use formwork_store::{OpenError, Options, Store};
use rustls::pki_types::CertificateDer;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

/// Why a server did not start; each a clear line. Nothing was made on disk when an address is at fault.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The document has errors.
    #[error("the document has errors; `formwork check` shows them")]
    DocumentHasErrors,
    /// A port is taken.
    #[error("port {} of {} for the {listener} listener is taken; choose another with {option}", address.port(), address.ip())]
    PortTaken {
        /// `public`, `internal` or `admin`.
        listener: &'static str,
        /// The address.
        address: SocketAddr,
        /// The option that chooses another.
        option: &'static str,
    },
    /// An address cannot be bound for another reason.
    #[error("cannot listen on {address} ({listener}): {problem}")]
    Bind {
        /// `public`, `internal` or `admin`.
        listener: &'static str,
        /// The address.
        address: SocketAddr,
        /// The system's words.
        problem: String,
    },
    /// A file of the data folder cannot be read or written.
    #[error("cannot write {}: {problem}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's words.
        problem: String,
    },
    /// The store did not open: in use, not writable, newer, changed, …
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The store opened and then refused.
    #[error("the data cannot be read: {0}")]
    Data(String),
    /// A secret is not there.
    #[error(transparent)]
    Secrets(#[from] MissingSecrets),
    /// A secret is there and cannot be used.
    #[error("a secret of section 9 cannot be used: {0}")]
    Secret(String),
    /// An address is given for a component that is none, or none outside.
    #[error("--upstream names `{component}`, which is no external component of the document{}", nearest.as_ref().map(|name| format!("; did you mean `{name}`?")).unwrap_or_default())]
    UnknownUpstream {
        /// As given.
        component: String,
        /// The nearest external component.
        nearest: Option<String>,
    },
    /// A certificate or key that is not there, or is none.
    #[error("{0}")]
    Certificate(String),
    /// The system gave no randomness.
    #[error("the system gives no random bytes: {0}")]
    Randomness(String),
}

impl From<getrandom::Error> for StartError {
    fn from(error: getrandom::Error) -> Self {
        Self::Randomness(error.to_string())
    }
}

/// A server that answers. Dropped without [`Running::shutdown`] it stops at once, like a killed process.
pub struct Running {
    pub(crate) shared: Arc<Shared>,
    first_keys: Vec<FirstKey>,
    run_file: PathBuf,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    tls: Option<Arc<Tls>>,
}

impl std::fmt::Debug for Running {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Running").field("addresses", &self.addresses()).finish_non_exhaustive()
    }
}

impl Running {
    /// Where it listens.
    pub fn addresses(&self) -> Addresses {
        self.shared.addresses
    }

    /// Whether the public listener speaks TLS.
    pub fn is_secure(&self) -> bool {
        self.tls.is_some()
    }

    /// Reads certificate and key again, for connections to come.
    pub fn reload(&self) {
        if let Some(tls) = &self.tls {
            tls.reload();
        }
    }

    /// Where the rows are when not in the data folder; without a password.
    pub fn database(&self) -> Option<&str> {
        self.shared.store.place()
    }

    /// The keys made on the first start on empty data, one per role; else empty.
    pub fn first_keys(&self) -> &[FirstKey] {
        &self.first_keys
    }

    /// Says that it will stop: `/readyz` is `503` from now on. All else goes on as before.
    pub fn retire(&self) {
        self.shared.draining.store(true, Ordering::Relaxed);
    }

    /// Accepts nothing new, finishes what runs (at most 10 s), flushes the store and removes `run.json`.
    pub async fn shutdown(mut self) {
        self.retire();
        self.shared.parts.stop();
        self.stop.send_replace(true);
        for task in std::mem::take(&mut self.tasks) {
            // A task that panicked has nothing left to finish.
            let _ = task.await;
        }
        self.shared.parts.drain(self.shared.limits.drain).await;
        audit::keep_up(&self.shared.store, self.shared.clock.now()).await;
        // Without it others wait until the lease is over.
        let _ = self.shared.store.end_lease().await;
        self.shared.store.close().await;
        // A file that is gone already is what is wanted.
        let _ = std::fs::remove_file(&self.run_file);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
        self.shared.parts.abort();
    }
}

/// Binds the three listeners, opens the store, writes `DIR/run.json`, and answers requests until shut down.
pub async fn start(config: Config, analysis: &Analysis) -> Result<Running, StartError> {
    start_within(config, Limits::default(), analysis).await
}

/// [`start`] with other limits than the usual ones.
pub async fn start_within(
    config: Config,
    limits: Limits,
    analysis: &Analysis,
) -> Result<Running, StartError> {
    start_in(config, limits, analysis, None).await
}

/// [`start_within`], or a node of a simulated world, which has no listeners and leaves no files beside its database.
pub(crate) async fn start_in(
    config: Config,
    limits: Limits,
    analysis: &Analysis,
    world: Option<&World>,
) -> Result<Running, StartError> {
    if analysis.has_errors() {
        return Err(StartError::DocumentHasErrors);
    }
    check_upstreams(&config, analysis)?;
    let mut program = analysis.compiled.program.clone();
    if config.clock != ClockChoice::System || world.is_some() {
        admin::prepare(&mut program);
    }
    let program = Arc::new(program);
    let secrets = SecretValues::read(config.secrets, &program.secrets)?;
    let failed_proofs = limits.failed_proofs;
    let signatures = Signatures::new(&program.signatures, &secrets).map_err(StartError::Secret)?;
    let tls =
        config.tls.as_ref().map(|files| Tls::open(files).map(Arc::new).map_err(StartError::Certificate));
    let tls = tls.transpose()?;
    let authorities = config.upstream_authorities.as_deref().map_or(Ok(Vec::new()), tls::certificates);
    let authorities = authorities.map_err(StartError::Certificate)?;
    let reach = Reached {
        elsewhere: config.upstreams.clone(),
        authorities,
        in_test: config.clock != ClockChoice::System,
        partners: world.map(|world| world.partners.clone()),
    };
    let upstreams = reach.upstreams(&program, secrets);
    let listeners = match world {
        Some(_) => None,
        None => Some(Listeners::bind(&config).await?),
    };
    let addresses = match &listeners {
        Some(listeners) => listeners.addresses()?,
        None => Addresses { public: config.public, internal: config.internal, admin: config.admin },
    };
    let admin_key = random::hexadecimal(&random::bytes::<24>()?);
    let clock = Arc::new(world.map_or_else(|| Clock::new(config.clock), World::clock));
    let metrics = Arc::new(Metrics::new(&program, &analysis.model.slos));
    let commits = Arc::new(Notify::new());
    let was_there = config.data.join(DATABASE).exists();
    let store = Arc::new(open(&config, &program, &metrics, (commits.clone(), world))?);
    if world.is_none() {
        data::write_document(&config.data, &analysis.source)?;
    }
    let first_keys = first_keys(&store, &program, &clock, addresses).await?;
    let seeds = Arc::new(Seeds::new()?);
    insert_rows_at_start(&store, &program, clock.now(), &seeds).await?;
    let faults = Arc::new(admin::Faults::new(analysis));
    let cursors = cursor_secret(&store, &config).await?;
    let makes_rows = config.clock != ClockChoice::System || world.is_some();
    let parts = Arc::new(Parts::new(Needs {
        source: Arc::clone(&analysis.source),
        revive: Some(revive(reach, config.secrets, makes_rows, cursors)),
        program: program.clone(),
        store: store.clone(),
        clock: clock.clone(),
        metrics: metrics.clone(),
        seeds: seeds.clone(),
        upstreams,
        commits,
        lease: limits.lease,
    }));
    let scheduler = Scheduler::new(
        faults.clone(),
        program.clone(),
        store.clone(),
        clock.clone(),
        metrics.clone(),
        seeds.clone(),
        parts.clone(),
    )
    .map_err(|error| StartError::Data(error.to_string()))?;
    let keys = Keys::new(&program.api_key_header);
    let tokens = Tokens::new(&config.token_source.complete(&program.tokens));
    keys.refresh(&store.load_keys().map_err(|error| StartError::Data(error.to_string()))?);
    let limiter = Limiter::new(&program, &store, &clock, was_there)
        .await
        .map_err(|error| StartError::Data(error.to_string()))?;
    let shared = Arc::new(Shared {
        caches: Caches::new(&program, store.commits()),
        limiter,
        operations: Prepared::all(analysis).into(),
        every: Shared::columns(&program),
        public: Router::new(&program.operations, Surface::Public),
        internal: Router::new(&program.operations, Surface::Internal),
        edge: Edge::new(&config, analysis),
        description: config.description.clone(),
        scheduler: Arc::new(scheduler),
        parts,
        cursors: Cursors::new(cursors),
        request_ids: RequestIds::new(random::hexadecimal(&random::bytes::<5>()?)),
        key_changes: tokio::sync::Mutex::default(),
        bodies: Room::new(limits.bodies),
        answers: Room::new(limits.answers),
        limits,
        under_way: Default::default(),
        draining: Default::default(),
        admin_key,
        addresses,
        faults,
        program,
        store,
        clock,
        keys,
        tokens,
        failures: Failures::new(failed_proofs),
        signatures,
        metrics,
        seeds,
    });
    let run_file = match world {
        Some(_) => PathBuf::new(),
        None => data::write_run_file(&config.data, addresses, &shared.admin_key)?,
    };
    let (stop, stopping) = watch::channel(false);
    let renders = Arc::downgrade(&shared);
    shared.parts.render_with(Arc::new(move |index, caller, answer, rows| {
        let shared = renders.upgrade().ok_or(Refusal::Unavailable)?;
        kept_answer(shared.rendering(), index, answer, rows, (caller, &[]))
    }));
    let failed = |error: StoreError| StartError::Data(error.to_string());
    if shared.program.has_parts() {
        let (release, now) = (shared.parts.release(), shared.clock.now());
        shared.store.keep_release(release, &analysis.source, now).await.map_err(failed)?;
    }
    shared.parts.renew_lease().await.map_err(failed)?;
    shared.parts.take_up().await.map_err(failed)?;
    if shared.clock.is_test() {
        shared.scheduler.settle().await;
    }
    let notes_uses = listeners.is_some();
    let mut tasks =
        listeners.map(|listeners| listeners.serve(&shared, &stopping, tls.as_ref())).unwrap_or_default();
    tasks.extend(tls.iter().map(|tls| tokio::spawn(tls.clone().follow(stopping.clone()))));
    tasks.push(tokio::spawn(shared.parts.clone().keep_lease(stopping.clone())));
    if notes_uses {
        tasks.push(tokio::spawn(note_key_uses(shared.clone(), stopping.clone())));
    }
    if shared.program.audit.records() {
        let (store, clock) = (shared.store.clone(), shared.clock.clone());
        tasks.push(tokio::spawn(audit::keep_chain(store, clock, stopping.clone())));
    }
    if !shared.clock.is_test() {
        tasks.push(tokio::spawn(shared.scheduler.clone().run(stopping)));
    }
    Ok(Running { shared, first_keys, run_file, stop, tasks, tls })
}

/// Every address must be of an external component.
fn check_upstreams(config: &Config, analysis: &Analysis) -> Result<(), StartError> {
    let external = || analysis.model.components.iter().filter(|component| component.external);
    let unknown = config.upstreams.iter().find(|upstream| {
        let is_named = |name: &str| name.eq_ignore_ascii_case(&upstream.component);
        external().all(|component| !is_named(&component.name.value))
    });
    unknown.map_or(Ok(()), |upstream| {
        let names = external().map(|component| component.name.value.as_str());
        let nearest = formwork_model::names::nearest(&upstream.component, names).map(str::to_owned);
        Err(StartError::UnknownUpstream { component: upstream.component.clone(), nearest })
    })
}

/// The rows at start that are missing, before anything is served.
async fn insert_rows_at_start(
    store: &Store,
    program: &Program,
    now: i64,
    seeds: &Seeds,
) -> Result<(), StartError> {
    if program.schema.rows_at_start.is_empty() {
        return Ok(());
    }
    let call = Call {
        what: What::RowsAtStart,
        slots: Vec::new(),
        now,
        seed: seeds.next(),
        precondition: None,
        part: None,
    };
    match store.run(call).await.result {
        Ok(_) => Ok(()),
        Err(refusal) => Err(StartError::Data(format!("the rows at start cannot be inserted: {refusal:?}"))),
    }
}

/// How the other side is reached.
struct Reached {
    elsewhere: Vec<UpstreamAddress>,
    authorities: Vec<CertificateDer<'static>>,
    in_test: bool,
    partners: Option<Arc<dyn Partners>>,
}

impl Reached {
    fn upstreams(&self, program: &Program, secrets: SecretValues) -> Upstreams {
        Upstreams::new(&program.upstreams, &self.elsewhere, secrets, self.authorities.clone())
            .in_test(self.in_test)
            .played_by(self.partners.clone())
    }
}

/// Makes of an earlier document what runs under this process's settings.
fn revive(reach: Reached, secrets: Secrets, makes_rows: bool, cursors: [u8; 32]) -> Revive {
    Arc::new(move |analysis: &Analysis| {
        let mut program = analysis.compiled.program.clone();
        if makes_rows {
            admin::prepare(&mut program);
        }
        let secrets =
            SecretValues::read(secrets, &program.secrets).map_err(|missing| format!("and {missing}"))?;
        let upstreams = reach.upstreams(&program, secrets);
        let program = Arc::new(program);
        let (operations, every) = (Prepared::all(analysis), Shared::columns(&program));
        let (own, cursors) = (Arc::clone(&program), Cursors::new(cursors));
        let renderer: Renderer = Arc::new(move |index, caller, answer, rows| {
            let with = Rendering { program: &own, operations: &operations, every: &every, cursors: &cursors };
            kept_answer(with, index, answer, rows, (caller, &[]))
        });
        Ok(Revived { program, source: Arc::clone(&analysis.source), upstreams, renderer })
    })
}

/// What cursors are bound with: the folder's own secret, or the one that all nodes of a database share.
async fn cursor_secret(store: &Store, config: &Config) -> Result<[u8; 32], StartError> {
    let own = data::secret(&config.data)?;
    if !store.is_shared() {
        return Ok(own);
    }
    store.shared_secret("cursors", own).await.map_err(|error| StartError::Data(error.to_string()))
}

/// How often the uses of keys are noted.
const USES_AGAIN: std::time::Duration = std::time::Duration::from_secs(10);

/// Notes when keys were last used, apart from the requests that use them; once more at the end.
async fn note_key_uses(shared: Arc<Shared>, mut stop: watch::Receiver<bool>) {
    loop {
        let stopped = tokio::select! {
            () = tokio::time::sleep(USES_AGAIN) => false,
            _ = stop.wait_for(|stop| *stop) => true,
        };
        shared.note_key_uses().await;
        if stopped {
            return;
        }
    }
}

fn open(
    config: &Config,
    program: &Arc<Program>,
    metrics: &Arc<Metrics>,
    (commits, world): (Arc<Notify>, Option<&World>),
) -> Result<Store, StartError> {
    let measured = metrics.clone();
    let mut options = Options::new(config.data.join(DATABASE));
    options.database = config.database.clone();
    options.schema = config.schema.clone();
    options.flushes = config.durable;
    options.variables_key = config.variables_key;
    options.on_commit = Some(Arc::new(move |took, _| {
        measured.commit(took);
        commits.notify_waiters();
    }));
    if let Some(world) = world {
        options.driver = Some(world.driver.clone());
        // How long a call takes on this machine says nothing of a simulated one.
        options.work = simulated::WORK;
    }
    Ok(Store::open(options, program.clone())?)
}

/// On empty data, one key per role; with a listener for other machines one for `internal` too.
async fn first_keys(
    store: &Store,
    program: &Program,
    clock: &Clock,
    addresses: Addresses,
) -> Result<Vec<FirstKey>, StartError> {
    let failed = |error: StoreError| StartError::Data(error.to_string());
    if !store.load_keys().map_err(failed)?.is_empty() {
        return Ok(Vec::new());
    }
    let mut roles: Vec<String> = program.roles.iter().map(ToString::to_string).collect();
    let keyed = |surface| {
        program.operations.iter().any(|operation| operation.surface == surface && !operation.access.public)
    };
    if roles.is_empty() && keyed(Surface::Public) {
        roles.push("caller".to_owned());
    }
    if keyed(Surface::Internal) && !addresses.internal.ip().is_loopback() {
        roles.push("internal".to_owned());
    }
    let mut made = Vec::with_capacity(roles.len());
    for role in roles {
        let new = NewKey { id: Some(role.clone()), roles: vec![role.clone()], ..NewKey::default() };
        let (stored, key) =
            keys::make(&new, clock.now()).map_err(|error: KeyError| StartError::Data(error.to_string()))?;
        store.insert_key(stored).await.map_err(failed)?;
        made.push(FirstKey { role, key });
    }
    Ok(made)
}

/// The three listeners, bound and not yet served.
struct Listeners {
    public: TcpListener,
    internal: TcpListener,
    admin: TcpListener,
}

impl Listeners {
    async fn bind(config: &Config) -> Result<Self, StartError> {
        Ok(Self {
            public: bind("public", config.public, "--listen").await?,
            internal: bind("internal", config.internal, "--internal-listen").await?,
            admin: bind("admin", config.admin, "--admin-listen").await?,
        })
    }

    fn addresses(&self) -> Result<Addresses, StartError> {
        let unknown = |error: std::io::Error| StartError::Data(format!("a listener has no address: {error}"));
        Ok(Addresses {
            public: self.public.local_addr().map_err(unknown)?,
            internal: self.internal.local_addr().map_err(unknown)?,
            admin: self.admin.local_addr().map_err(unknown)?,
        })
    }

    fn serve(
        self,
        shared: &Arc<Shared>,
        stop: &watch::Receiver<bool>,
        tls: Option<&Arc<Tls>>,
    ) -> Vec<JoinHandle<()>> {
        let operations = |surface, listener: TcpListener, address: SocketAddr| {
            // What never leaves this machine needs no protection on the way.
            let tls = tls.filter(|_| surface == Surface::Public || !address.ip().is_loopback()).cloned();
            let (shared, loopback, limits) =
                (shared.clone(), address.ip().is_loopback(), shared.limits.clone());
            let stop = stop.clone();
            let unread = edge::unread(&shared, surface);
            let serve = move |peer, request| {
                edge::serve(shared.clone(), Entrance { surface, loopback, peer }, request)
            };
            tokio::spawn(listen(listener, limits, stop, tls, (unread, serve)))
        };
        let addresses = shared.addresses;
        let public = operations(Surface::Public, self.public, addresses.public);
        let internal = operations(Surface::Internal, self.internal, addresses.internal);
        let (loopback, limits) = (addresses.admin.ip().is_loopback(), shared.limits.clone());
        let shared = shared.clone();
        let unread = edge::unread(&shared, Surface::Internal);
        let serve = move |peer, request| {
            // The surface is of no meaning here; only where the request came from is.
            admin::serve(shared.clone(), Entrance { surface: Surface::Internal, loopback, peer }, request)
        };
        let admin = tokio::spawn(listen(self.admin, limits, stop.clone(), None, (unread, serve)));
        vec![public, internal, admin]
    }
}

async fn bind(
    listener: &'static str,
    address: SocketAddr,
    option: &'static str,
) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => StartError::PortTaken { listener, address, option },
        _ => StartError::Bind { listener, address, problem: error.to_string() },
    })
}
