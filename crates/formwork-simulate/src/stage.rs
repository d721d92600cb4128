//! What all runs of a document begin from: a database with its tables, rows at start and keys, made once; and one run.

use crate::callers::{Caller, Key, Place};
use crate::dice::{Dice, wide};
use crate::partners::{Played, Script, all_code, constant_of_flow};
use crate::plan::Plan;
use crate::world::{Counts, START, Turns, World};
use crate::{SimulateError, Tamper};
use formwork_check::Analysis;
use formwork_language::behaviour::{FlowAction, FlowStep};
use formwork_language::program::{EntityId, Instruction, Program};
use formwork_language::value::Value;
use formwork_server::simulated::{self, Node, Partners};
use formwork_server::{Config, NewKey, Secrets};
use formwork_store::{AuditTrail, Driver, Holder, Inspector};
use parking_lot::Mutex;
use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::task::{JoinSet, LocalSet};

/// The database in a data folder.
const DATABASE: &str = "formwork.db";
/// More operations than a run can leave.
const MOST_LEFT: u32 = 10_000;
/// Callers with one role.
const OF_EACH_ROLE: usize = 2;
/// How often a node is started that does not start.
const MOST_STARTS: usize = 20;
/// How long a run may take on its own clock before somebody waits for ever.
const LONGEST: Duration = Duration::from_secs(7 * 86_400);
/// What is left after the last caller has this long to end, with nothing going wrong any more.
const REST: Duration = Duration::from_secs(150);

/// What all runs begin from.
pub(crate) struct Stage<'a> {
    analysis: &'a Analysis,
    program: Arc<Program>,
    script: Arc<Script>,
    keys: Arc<[Key]>,
    template: TempDir,
    tamper: Tamper,
    /// Tables whose rows no step creates: what they hold is there before.
    given: Vec<EntityId>,
}

/// How a run went.
pub(crate) struct Ran {
    pub(crate) trace: Vec<String>,
    pub(crate) finding: Option<String>,
    pub(crate) counts: Counts,
}

impl<'a> Stage<'a> {
    /// Makes the database that each run gets a copy of.
    pub(crate) fn new(analysis: &'a Analysis, tamper: Tamper) -> Result<Self, SimulateError> {
        let program = Arc::new(analysis.compiled.program.clone());
        let mut stage = Self {
            given: given(&program),
            script: Arc::new(Script::read(analysis)),
            keys: [].into(),
            template: folder()?,
            analysis,
            program,
            tamper,
        };
        let keys = stage.on_a_runtime(0, async |stage: &Self| {
            // A first start makes the tables that there is nothing to look at before.
            let path = stage.template.path().to_owned();
            let node = stage.bare_node(&path).await?;
            let mut keys = Vec::new();
            for new in new_keys(&stage.program) {
                let text = node.add_key(new.clone()).await.map_err(|error| could_not(&error))?;
                keys.push(Key { id: new.id.unwrap_or_default(), text, roles: new.roles });
            }
            node.shutdown().await;
            Ok(keys)
        })?;
        stage.keys = keys.into();
        (stage.tamper.at_first)(&stage.template.path().join(DATABASE));
        Ok(stage)
    }

    /// Carries out a plan.
    pub(crate) fn run(&self, plan: Plan) -> Result<Ran, SimulateError> {
        let folder = folder()?;
        let database = folder.path().join(DATABASE);
        std::fs::copy(self.template.path().join(DATABASE), &database).map_err(|error| could_not(&error))?;
        self.on_a_runtime(plan.seed, async |stage: &Self| stage.on_database(plan, folder.path()).await)
    }

    /// Runs something where time is paused and chance is a seed's.
    fn on_a_runtime<T>(
        &self,
        seed: u64,
        run: impl AsyncFnOnce(&Self) -> Result<T, SimulateError>,
    ) -> Result<T, SimulateError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let runtime = runtime.map_err(|error| could_not(&error))?;
        simulated::seed_this_thread(wide(seed, 2), |_| {});
        let local = LocalSet::new();
        let done = runtime.block_on(local.run_until(run(self)));
        // What is left of a run goes before its chance does.
        drop((local, runtime));
        simulated::release_this_thread();
        done
    }

    async fn bare_node(&self, path: &Path) -> Result<Node, SimulateError> {
        let surroundings = simulated::World {
            driver: Arc::new(AtOnce),
            partners: Arc::new(Nobody),
            start: START,
            origin: tokio::time::Instant::now(),
        };
        Node::start(config(path), self.analysis, &surroundings).await.map_err(|error| could_not(&error))
    }

    async fn on_database(&self, plan: Plan, path: &Path) -> Result<Ran, SimulateError> {
        let inspector = Inspector::open(&path.join(DATABASE), &self.program)
            .map_err(|error| could_not(&format!("{error:?}")))?;
        let words = self.script.words();
        let world = Arc::new(World::new(Arc::clone(&self.program), (plan, words), inspector));
        world.lies(self.tamper.lies);
        let sink = Arc::downgrade(&world);
        simulated::seed_this_thread(wide(plan.seed, 2), move |line| {
            if let Some(world) = sink.upgrade() {
                world.say(&format!("the node says {line}"));
            }
        });
        world.set_placing(true);
        world.look();
        let surroundings = simulated::World {
            driver: Arc::new(Turns(Arc::clone(&world))),
            partners: Arc::new(Played { script: Arc::clone(&self.script), world: Arc::downgrade(&world) }),
            start: START,
            origin: world.origin,
        };
        let play = Play { stage: self, world: Arc::clone(&world), surroundings, path: path.to_owned() };
        if tokio::time::timeout(LONGEST, play.all()).await.map_or(Ok(true), |done| done.map(|()| false))? {
            world.find(format!("somebody still waits after {} days", LONGEST.as_secs() / 86_400));
        }
        let (trace, finding, counts) = world.end();
        Ok(Ran { trace, finding, counts })
    }
}

/// One run on its way.
struct Play<'s> {
    stage: &'s Stage<'s>,
    world: Arc<World>,
    surroundings: simulated::World,
    path: PathBuf,
}

impl Play<'_> {
    async fn all(&self) -> Result<(), SimulateError> {
        let world = &self.world;
        let node = self.start().await?;
        self.put_rows(&node).await;
        world.set_placing(false);
        world.set_calm(false);
        let place = Arc::new(Place::default());
        place.opens(node.door());
        let sent = Arc::new(Mutex::new(Vec::new()));
        let mut callers = JoinSet::new();
        for number in 1..=world.plan.clients {
            let caller = Caller {
                number,
                world: Arc::clone(world),
                keys: Arc::clone(&self.stage.keys),
                place: Arc::clone(&place),
                dice: Dice::new(world.plan.seed, 16 + number as u64),
                sent: Arc::clone(&sent),
            };
            callers.spawn_local(caller.run());
        }
        let mut node = Some(node);
        let gone = Cell::new(false);
        let calling = async {
            while callers.join_next().await.is_some() {}
            gone.set(true);
            world.kill.notify_one();
        };
        let ((), troubled) = tokio::join!(calling, self.trouble(&mut node, &place, &gone));
        troubled?;
        world.set_calm(true);
        if world.is_over() {
            return Ok(());
        }
        world.say("the callers have gone, and nothing goes wrong any more");
        // A new life takes up whatever was left.
        if let Some(node) = node {
            self.crash(node).await;
        }
        let node = self.start().await?;
        tokio::time::sleep(REST).await;
        self.ends_well(&node).await;
        node.shutdown().await;
        Ok(())
    }

    /// Starts a node; one that does not start because the store failed is started again, as a supervisor does.
    async fn start(&self) -> Result<Node, SimulateError> {
        let mut tries = 0;
        loop {
            match Node::start(config(&self.path), self.stage.analysis, &self.surroundings).await {
                Ok(node) => return Ok(node),
                Err(error) if tries >= MOST_STARTS => return Err(could_not(&error)),
                Err(error) => {
                    tries += 1;
                    self.world.say(&format!("the node does not start: {error}"));
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }

    async fn crash(&self, node: Node) {
        self.world.say("the node is killed");
        self.world.count(|counts| counts.crashes += 1);
        node.crash().await;
        (self.stage.tamper.between_lives)(&self.path.join(DATABASE));
    }

    /// Kills the node and moves the time, until all callers are gone.
    async fn trouble(
        &self,
        node: &mut Option<Node>,
        place: &Place,
        gone: &Cell<bool>,
    ) -> Result<(), SimulateError> {
        let (world, plan) = (&self.world, self.world.plan);
        let mut dice = Dice::new(plan.seed, 3);
        loop {
            let pause = Duration::from_millis(dice.below(60_000));
            let in_the_middle = tokio::select! {
                biased;
                () = world.kill.notified() => true,
                () = tokio::time::sleep(pause) => false,
            };
            if gone.get() {
                return Ok(());
            }
            if in_the_middle {
                // Somewhere between the begin of a group and the way back of its answers.
                tokio::time::sleep(Duration::from_millis(dice.below(8))).await;
            }
            if plan.jumps && !in_the_middle && dice.chance(60) {
                let seconds = match dice.below(4) {
                    0 | 1 => 1 + dice.below(120),
                    2 => dice.below(7_200),
                    _ => dice.below(3 * 86_400),
                };
                world.say(&format!("the time jumps by {seconds} s"));
                world.count(|counts| counts.jumps += 1);
                tokio::time::advance(Duration::from_secs(seconds)).await;
            } else if plan.crashes
                && let Some(running) = node.take()
            {
                place.closes();
                self.crash(running).await;
                tokio::time::sleep(Duration::from_millis(dice.below(400))).await;
                let next = self.start().await?;
                world.say("the node is there again");
                place.opens(next.door());
                *node = Some(next);
            }
        }
    }

    /// Rows of the tables that no step fills: those that the flows put in place, and a few by chance.
    async fn put_rows(&self, node: &Node) {
        let (world, stage) = (&self.world, self.stage);
        let mut dice = Dice::new(world.plan.seed, 4);
        for flow in &stage.analysis.compiled.flows {
            for (entity, row) in flow.steps.iter().flat_map(|step| self.given(step)) {
                // A row that is there already is refused, and that is what is wanted.
                let _ = node.put_rows(entity, vec![row]).await;
            }
        }
        for _ in 0..2 {
            for entity in &stage.given {
                for _ in 0..2 {
                    let row = world.with_source_of(&mut dice, (None, None), |source| source.row(*entity));
                    if let Some(row) = row {
                        let _ = node.put_rows(*entity, vec![row]).await;
                    }
                }
            }
        }
    }

    fn given(&self, step: &FlowStep) -> Vec<(EntityId, Vec<Value>)> {
        let Some(FlowAction::Given(given)) = &step.action else { return Vec::new() };
        let Some(schema) = self.stage.program.schema.entities.get(usize::from(given.entity)) else {
            return Vec::new();
        };
        if !self.stage.given.contains(&given.entity) {
            return Vec::new();
        }
        let row = |number: u32| {
            let mut values = vec![Value::Absent; schema.fields.len()];
            for (name, expression) in &given.assignments {
                let at = schema.fields.iter().position(|field| field.name == *name)?;
                values[at] = constant_of_flow(expression, number.into())?;
            }
            Some((given.entity, values))
        };
        (1..=given.count.min(5)).filter_map(row).collect()
    }

    /// What must hold when all is done.
    async fn ends_well(&self, node: &Node) {
        let world = &self.world;
        let now = world.now();
        // One that was answered 502, 503 or 504 under a key rests until it is asked for again.
        let left = node.store().unfinished(MOST_LEFT).unwrap_or_default();
        if let Some(kept) = left.iter().find(|kept| kept.holder != Holder::Rests) {
            let name = &kept.name;
            world.find(format!(
                "`{name}` was begun, and has not come to its end though nothing goes wrong any more"
            ));
        }
        world.check_ended();
        world.check_audited();
        let trail = AuditTrail::open(&self.path.join(DATABASE), None, None);
        match trail.and_then(|mut trail| trail.verify(&[])) {
            Ok(verified) => {
                if let Some(fault) = verified.faults.first() {
                    world.find(format!("the audit trail: {fault}"));
                }
            }
            Err(error) => world.find(format!("the audit trail cannot be verified: {error}")),
        }
        let deliveries = node.store().deliveries().unwrap_or_default();
        let late = deliveries.iter().find(|one| one.failed.is_none() && one.due < now - 10_000_000);
        if let Some(late) = late {
            world.find(format!("`{}` was never told what it was due to be told", late.handler));
        }
        world.check_kept();
        match node.broken_invariants().await {
            Ok(broken) => {
                if let Some(first) = broken.into_iter().next() {
                    world.find(first);
                }
            }
            Err(error) => world.find(format!("the invariants cannot be tested: {error}")),
        }
        world.look();
    }
}

/// Tables whose rows no step creates, those that others refer to in front.
fn given(program: &Program) -> Vec<EntityId> {
    let mut created = Vec::new();
    for code in all_code(program) {
        for instruction in &code.instructions {
            if let Instruction::Insert { entity, .. } = instruction {
                created.push(*entity);
            }
        }
    }
    let all = 0..EntityId::try_from(program.schema.entities.len()).unwrap_or(EntityId::MAX);
    all.filter(|entity| !created.contains(entity)).collect()
}

/// Keys that together may do everything.
fn new_keys(program: &Program) -> Vec<NewKey> {
    let roles: Vec<String> = program.roles.iter().map(ToString::to_string).collect();
    let mut scopes: Vec<String> =
        program.operations.iter().flat_map(|it| it.access.all_scopes()).map(ToString::to_string).collect();
    scopes.sort();
    scopes.dedup();
    let key = |id: String, roles: Vec<String>| NewKey {
        id: Some(id),
        roles,
        scopes: scopes.clone(),
        ..NewKey::default()
    };
    let mut keys = Vec::new();
    for role in &roles {
        keys.extend((1..=OF_EACH_ROLE).map(|number| key(format!("{role}-{number}"), vec![role.clone()])));
    }
    if roles.is_empty() {
        keys.extend((1..=OF_EACH_ROLE).map(|number| key(format!("caller-{number}"), vec!["caller".into()])));
    } else {
        keys.push(key("everybody".to_owned(), roles));
    }
    keys
}

fn config(path: &Path) -> Config {
    let nowhere = ([127, 0, 0, 1], 0).into();
    Config {
        public: nowhere,
        internal: nowhere,
        admin: nowhere,
        durable: false,
        secrets: Secrets::Test,
        ..Config::new(path.to_owned())
    }
}

/// A folder in memory where the system has such, since nothing of a run is kept.
fn folder() -> Result<TempDir, SimulateError> {
    let memory = Path::new("/dev/shm");
    let mut builder = tempfile::Builder::new();
    let builder = builder.prefix("formwork-simulation-");
    let made = if memory.is_dir() { builder.tempdir_in(memory) } else { builder.tempdir() };
    made.or_else(|_| tempfile::tempdir()).map_err(|error| could_not(&error))
}

fn could_not(error: &dyn std::fmt::Display) -> SimulateError {
    SimulateError::World(error.to_string())
}

/// Works at once, and well.
struct AtOnce;

impl Driver for AtOnce {
    fn turn(&self) -> formwork_store::Waiting<formwork_store::Fate> {
        Box::pin(async { formwork_store::Fate::Commits })
    }

    fn way_back(&self) -> formwork_store::Waiting<()> {
        Box::pin(async {})
    }

    fn worked(&self, _: formwork_store::Worked, _: formwork_store::Rows<'_>) {}

    fn ended(&self, _: bool) {}
}

/// Nobody is there to be called.
struct Nobody;

impl Partners for Nobody {
    fn answer(
        &self,
        _: &str,
        _: http::Request<bytes::Bytes>,
    ) -> formwork_store::Waiting<Result<http::Response<bytes::Bytes>, simulated::Unanswered>> {
        Box::pin(async { Err(simulated::Unanswered::NotReached) })
    }
}
