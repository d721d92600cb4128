//! The world of one run: it says when the writer works and what becomes of its groups, keeps the history of all rows,
//! writes the trace, and notes the first thing that must not be.

use crate::audited;
use crate::dice::Dice;
use crate::history::{Change, History, Moment};
use crate::partners::{Memory, Mood, Words};
use crate::plan::Plan;
use crate::rules;
use crate::values::Source;
use formwork_engine::{OperationId, What};
use formwork_language::program::{EntityId, Program};
use formwork_language::value::{Row, Value};
use formwork_store::{Driver, Fate, Inspector, Rows, Waiting, WaitingDelivery, Worked, WorkedOutcome};
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// What the clock shows at the beginning: 2030-01-01T00:00:00Z, in microseconds since the epoch.
pub(crate) const START: i64 = 1_893_456_000_000_000;

/// The world of one run.
pub(crate) struct World {
    /// What runs.
    pub(crate) program: Arc<Program>,
    /// What may happen.
    pub(crate) plan: Plan,
    /// What the document's own flows send.
    words: Words,
    /// When it began.
    pub(crate) origin: Instant,
    dice: Mutex<Dice>,
    calm: AtomicBool,
    lies: AtomicBool,
    /// Told when the node is to be killed in the middle of something.
    pub(crate) kill: Notify,
    inspector: Mutex<Inspector>,
    book: Mutex<Book>,
}

/// What has happened.
struct Book {
    trace: Vec<String>,
    finding: Option<String>,
    history: History,
    /// Rows that the simulation itself puts in place may be in any state.
    placing: bool,
    /// The last commit at which they were.
    placed: Moment,
    /// When a key was first sent: its answer is kept at least as long from then on, whenever the call was carried out.
    sent: BTreeMap<String, i64>,
    /// How often a call under a key has ended well.
    done: BTreeMap<String, u32>,
    /// Keys whose effect the store has, with what was answered.
    answered: BTreeMap<String, Kept>,
    waiting: BTreeMap<i64, WaitingDelivery>,
    /// Operations of several parts that have begun and not ended, by name.
    open: BTreeMap<OperationId, String>,
    /// Those that have ended well.
    ended: BTreeSet<OperationId>,
    memory: Memory,
    counts: Counts,
    /// The calls of the group that is under way.
    steps: Vec<Step>,
}

/// A call of a group, and the rows as it left them.
struct Step {
    worked: Worked,
    tables: Result<Vec<Vec<Row>>, String>,
}

/// What a caller was answered under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    /// Until when it is kept; absent: for ever.
    pub(crate) until: Option<i64>,
}

/// How much has happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests that were sent.
    pub requests: u64,
    /// By operation: answers of success, refusals, and those that were lost or unavailable.
    pub operations: BTreeMap<String, [u64; 3]>,
    /// Groups that were committed.
    pub commits: u64,
    /// Commits that failed.
    pub failed: u64,
    /// Groups whose answers were lost.
    pub lost: u64,
    /// Nodes that were killed.
    pub crashes: u64,
    /// Jumps of the time.
    pub jumps: u64,
    /// Runs of jobs and handlers.
    pub standing: u64,
    /// Parts after which an operation went on.
    pub parts: u64,
}

impl Counts {
    /// Both together.
    pub(crate) fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        for (name, counts) in &other.operations {
            let sum = self.operations.entry(name.clone()).or_default();
            sum.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
        self.commits += other.commits;
        self.failed += other.failed;
        self.lost += other.lost;
        self.crashes += other.crashes;
        self.jumps += other.jumps;
        self.standing += other.standing;
        self.parts += other.parts;
    }
}

impl World {
    /// A world over a database.
    pub(crate) fn new(program: Arc<Program>, (plan, words): (Plan, Words), inspector: Inspector) -> Self {
        let book = Book {
            trace: Vec::new(),
            finding: None,
            history: History::new(&program),
            placing: false,
            placed: 0,
            sent: BTreeMap::new(),
            done: BTreeMap::new(),
            answered: BTreeMap::new(),
            waiting: BTreeMap::new(),
            open: BTreeMap::new(),
            ended: BTreeSet::new(),
            memory: Memory::default(),
            counts: Counts::default(),
            steps: Vec::new(),
        };
        Self {
            program,
            plan,
            words,
            origin: Instant::now(),
            dice: Mutex::new(Dice::new(plan.seed, 1)),
            // Until the callers come nothing goes wrong.
            calm: AtomicBool::new(true),
            lies: AtomicBool::new(false),
            kill: Notify::new(),
            inspector: Mutex::new(inspector),
            book: Mutex::new(book),
        }
    }

    /// From now on things go wrong, or no more.
    pub(crate) fn set_calm(&self, calm: bool) {
        self.calm.store(calm, Ordering::Relaxed);
    }

    /// Whether the store may say that it has committed what it has not.
    pub(crate) fn lies(&self, lies: bool) {
        self.lies.store(lies, Ordering::Relaxed);
    }

    fn is_calm(&self) -> bool {
        self.calm.load(Ordering::Relaxed)
    }

    /// What the clock shows, in microseconds since the epoch.
    pub(crate) fn now(&self) -> i64 {
        START.saturating_add(i64::try_from(self.origin.elapsed().as_micros()).unwrap_or(i64::MAX))
    }

    /// Writes a line of the trace.
    pub(crate) fn say(&self, what: &str) {
        let at = self.origin.elapsed().as_secs_f64();
        self.book.lock().trace.push(format!("{at:>12.3} s  {what}"));
    }

    /// Notes what must not be; the first one ends the run.
    pub(crate) fn find(&self, what: String) {
        self.say(&format!("FOUND: {what}"));
        self.book.lock().finding.get_or_insert(what);
    }

    /// Whether something was found.
    pub(crate) fn is_over(&self) -> bool {
        self.book.lock().finding.is_some()
    }

    /// The trace, what was found, and how much happened.
    pub(crate) fn end(&self) -> (Vec<String>, Option<String>, Counts) {
        let mut book = self.book.lock();
        (std::mem::take(&mut book.trace), book.finding.take(), book.counts.clone())
    }

    /// Changes the counts.
    pub(crate) fn count(&self, count: impl FnOnce(&mut Counts)) {
        count(&mut self.book.lock().counts);
    }

    /// The last commit.
    pub(crate) fn moment(&self) -> Moment {
        self.book.lock().history.now()
    }

    /// Reads the history.
    pub(crate) fn with_history<T>(&self, read: impl FnOnce(&History) -> T) -> T {
        read(&self.book.lock().history)
    }

    /// Draws values from the world's chance and rows.
    pub(crate) fn with_source<T>(&self, draw: impl FnOnce(&mut Source<'_>) -> T) -> T {
        self.with_source_of(&mut self.dice.lock(), (None, None), draw)
    }

    /// The same from a chance of its own, about an entity.
    pub(crate) fn with_source_of<T>(
        &self,
        dice: &mut Dice,
        (about, anchor): (Option<EntityId>, Option<Arc<Row>>),
        draw: impl FnOnce(&mut Source<'_>) -> T,
    ) -> T {
        let now = self.now();
        let book = self.book.lock();
        let program = &self.program;
        draw(&mut Source { program, history: &book.history, words: &self.words, now, about, anchor, dice })
    }

    /// What a flow of the document sends to an operation, as far as it depends on nothing before it.
    pub(crate) fn call_of_flow(&self, operation: usize, dice: &mut Dice) -> Option<BTreeMap<String, Value>> {
        let calls = self.words.by_operation.get(&u32::try_from(operation).ok()?)?;
        dice.pick(calls).cloned()
    }

    /// A short while, sometimes a longer one.
    pub(crate) fn delay(&self) -> Duration {
        let mut dice = self.dice.lock();
        let milliseconds = match dice.below(20) {
            0..=12 => dice.below(4),
            13..=18 => dice.below(40),
            _ if self.is_calm() => dice.below(40),
            _ => dice.below(1500),
        };
        Duration::from_millis(milliseconds)
    }

    /// How an external component takes a request.
    pub(crate) fn mood(&self) -> Mood {
        if self.is_calm() || !self.plan.moods {
            return Mood::Well;
        }
        match self.dice.lock().below(20) {
            0 | 1 => Mood::Away,
            2..=4 => Mood::Silent,
            5 => Mood::Slow,
            6 | 7 => Mood::Broken,
            _ => Mood::Well,
        }
    }

    /// The outcome of a request to an external component, which stays what it was.
    pub(crate) fn outcome(&self, what: &str, draw: impl FnOnce() -> (u16, String)) -> (u16, String) {
        let known = self.book.lock().memory.outcome(what);
        known.unwrap_or_else(|| {
            let drawn = draw();
            self.book.lock().memory.keep(what, drawn.clone());
            drawn
        })
    }

    /// While it lasts, rows are put in place by the simulation.
    pub(crate) fn set_placing(&self, placing: bool) {
        let mut book = self.book.lock();
        (book.placing, book.placed) = (placing, book.history.now());
    }

    /// Takes note that a key is sent; gives when it was sent first.
    pub(crate) fn sends(&self, key: &str) -> i64 {
        let now = self.now();
        *self.book.lock().sent.entry(key.to_owned()).or_insert(now)
    }

    /// What a caller was answered under a key before, if it was; else this is it from now on.
    pub(crate) fn answered(&self, key: &str, kept: &Kept) -> Option<Kept> {
        let mut book = self.book.lock();
        match book.answered.get(key) {
            Some(before) => Some(before.clone()),
            None => {
                book.answered.insert(key.to_owned(), kept.clone());
                None
            }
        }
    }

    /// Forgets what was answered under a key whose time is over.
    pub(crate) fn forget(&self, key: &str) {
        let mut book = self.book.lock();
        book.answered.remove(key);
        book.done.remove(key);
    }

    /// Whether every answer that was given under a key is kept, as long as it has to be.
    pub(crate) fn check_kept(&self) {
        let now = self.now();
        let kept = self.inspector.lock().kept_keys().unwrap_or_default();
        let book = self.book.lock();
        let lost = book
            .answered
            .iter()
            .find(|(key, answer)| answer.until.is_none_or(|until| until > now) && !kept.contains(key));
        let lost = lost.map(|(key, answer)| {
            format!("{} was answered under the key `{key}`, and the store does not know it", answer.status)
        });
        drop(book);
        if let Some(lost) = lost {
            self.find(lost);
        }
    }

    /// Whether each committed write that is recorded has one entry in the audit trail, and nothing else has any.
    pub(crate) fn check_audited(&self) {
        if !self.program.audit.records() {
            return;
        }
        let found = match self.inspector.lock().audited() {
            Ok(entries) => {
                let book = self.book.lock();
                audited::broken(&self.program, &book.history, book.placed, &audited::counted(entries))
            }
            Err(error) => Some(format!("the audit trail cannot be read: {error:?}")),
        };
        if let Some(found) = found {
            self.find(found);
        }
    }

    /// Whether every operation of several parts that has begun has come to its end.
    pub(crate) fn check_ended(&self) {
        let left = self.book.lock().open.values().next().cloned();
        if let Some(name) = left {
            self.find(format!("`{name}` was begun, and nobody has carried it to its end"));
        }
    }

    /// Reads all rows as they are now beside the store, and tests what the document says of them.
    pub(crate) fn look(&self) {
        let inspector = self.inspector.lock();
        let tables = self.tables(&|entity| inspector.rows(entity));
        drop(inspector);
        let found = match tables {
            Ok(tables) => {
                let mut book = self.book.lock();
                let changes = book.take_in(&self.program, tables);
                rules::broken(&self.program, &book.history, &changes, book.placing)
            }
            Err(error) => Some(error),
        };
        if let Some(found) = found {
            self.find(found);
        }
    }

    fn tables(&self, rows: Rows<'_>) -> Result<Vec<Vec<Row>>, String> {
        let entities = 0..EntityId::try_from(self.program.schema.entities.len()).unwrap_or(EntityId::MAX);
        let read = |entity| rows(entity).map_err(|error| format!("the rows cannot be read: {error:?}"));
        entities.map(read).collect()
    }

    /// Takes over what a call has made of the rows, now that it is committed, and tests it.
    fn take_over(&self, Step { worked, tables }: Step) -> Option<String> {
        let tables = match tables {
            Ok(tables) => tables,
            Err(error) => return Some(error),
        };
        let mut book = self.book.lock();
        let changes = book.take_in(&self.program, tables);
        if let Some(broken) = rules::broken(&self.program, &book.history, &changes, book.placing) {
            return Some(broken);
        }
        let name = self.named(&worked);
        let idle = matches!(worked.outcome, WorkedOutcome::Refused | WorkedOutcome::Replayed);
        if idle && !changes.is_empty() {
            return Some(format!("{name} has changed rows all the same"));
        }
        if let Some(operation) = worked.operation {
            // Under a key it bears the same number again once its answer is kept no longer.
            let again = worked.outcome == WorkedOutcome::Done
                && worked.key.is_none()
                && !book.ended.insert(operation);
            if again {
                return Some(format!("one {name} was carried to its end twice"));
            }
            match worked.outcome {
                WorkedOutcome::Part => {
                    book.open.insert(operation, name);
                }
                WorkedOutcome::Looked => {}
                WorkedOutcome::Done | WorkedOutcome::Refused | WorkedOutcome::Replayed => {
                    book.open.remove(&operation);
                }
            }
        }
        book.keys_broken(&self.program, &worked, self.now())
    }

    /// Whether the rows are, beside the store, as its last commit left them.
    fn look_again(&self) -> Option<String> {
        let inspector = self.inspector.lock();
        let tables = self.tables(&|entity| inspector.rows(entity));
        drop(inspector);
        let mut book = self.book.lock();
        match tables {
            Ok(tables) => {
                let changes = book.take_in(&self.program, tables);
                (!changes.is_empty())
                    .then(|| "the rows are other ones than those that were committed".to_owned())
            }
            Err(error) => Some(error),
        }
    }

    fn named(&self, worked: &Worked) -> String {
        let program = &self.program;
        let name = match worked.what {
            Some(What::Operation(at)) => program.operations.get(at as usize).map(|it| it.name.to_string()),
            Some(What::Job(at)) => program.jobs.get(at as usize).map(|it| it.name.to_string()),
            Some(What::Handler { handler, .. }) => {
                program.handlers.get(handler as usize).map(|it| it.name.to_string())
            }
            Some(other) => Some(format!("{other:?}")),
            None => Some("housekeeping".to_owned()),
        };
        let outcome = match worked.outcome {
            WorkedOutcome::Done => "",
            WorkedOutcome::Part => " (a part)",
            WorkedOutcome::Looked => " (goes on)",
            WorkedOutcome::Refused => " (refused)",
            WorkedOutcome::Replayed => " (known)",
        };
        format!("{}{outcome}", name.unwrap_or_default())
    }
}

impl Book {
    /// Takes in all rows as the next moment has them; gives what has changed.
    fn take_in(&mut self, program: &Program, tables: Vec<Vec<Row>>) -> Vec<Change> {
        let mut changes = Vec::new();
        for (entity, rows) in (0..).zip(tables) {
            changes.extend(self.history.take_in(program, entity, rows));
        }
        if !changes.is_empty() {
            self.history.move_on();
        }
        changes
    }

    /// Whether a call under a key has ended well twice while its answer had to be kept.
    fn keys_broken(&mut self, program: &Program, worked: &Worked, now: i64) -> Option<String> {
        if worked.outcome != WorkedOutcome::Done {
            return None;
        }
        let (Some(key), Some(What::Operation(index))) = (&worked.key, worked.what) else { return None };
        let kept = program.once_rule(index).kept;
        let first = self.sent.get(key).copied().unwrap_or(now);
        // Behind that the key may be that of another call.
        if kept.is_some_and(|kept| now >= first.saturating_add(kept)) {
            return None;
        }
        let times = self.done.entry(key.clone()).or_default();
        *times += 1;
        (*times > 1).then(|| format!("what has the key `{key}` was carried out {times} times"))
    }

    /// Whether a delivery was carried out twice, lost, or before an earlier one of the same row.
    fn deliveries_broken(&mut self, done: &[i64], now: Vec<WaitingDelivery>) -> Option<String> {
        for sequence in done {
            let Some(delivered) = self.waiting.get(sequence).cloned() else {
                // It was made and carried out in one group.
                continue;
            };
            let earlier = self.waiting.values().find(|other| {
                let same = other.handler == delivered.handler && other.order == delivered.order;
                same && other.order.is_some()
                    && other.sequence < *sequence
                    && !other.failed
                    && !done.contains(&other.sequence)
            });
            if let Some(earlier) = earlier {
                let handler = &delivered.handler;
                return Some(format!(
                    "`{handler}` was told {sequence} before {} of the same row",
                    earlier.sequence
                ));
            }
        }
        let now: BTreeMap<i64, WaitingDelivery> = now.into_iter().map(|one| (one.sequence, one)).collect();
        let lost =
            self.waiting.keys().find(|sequence| !now.contains_key(sequence) && !done.contains(sequence));
        let lost = lost.map(|sequence| format!("delivery {sequence} is gone and was not carried out"));
        self.waiting = now;
        lost
    }
}

/// The world as the store knows it.
pub(crate) struct Turns(pub(crate) Arc<World>);

impl Driver for Turns {
    fn turn(&self) -> Waiting<Fate> {
        let (world, delay) = (&self.0, self.0.delay());
        if !world.is_calm() && world.plan.crashes && world.dice.lock().chance(4) {
            world.kill.notify_one();
        }
        let fate = match (world.is_calm(), world.dice.lock().below(40)) {
            (true, _) => Fate::Commits,
            (_, 0 | 1) if world.lies.load(Ordering::Relaxed) => Fate::Lies,
            (_, 0 | 1) if world.plan.failures => Fate::Fails,
            (_, 2 | 3) if world.plan.losses => Fate::LosesAnswers,
            (_, 4..=9) if world.plan.repeats => Fate::Repeats,
            _ => Fate::Commits,
        };
        Box::pin(async move {
            tokio::time::sleep(delay).await;
            fate
        })
    }

    fn way_back(&self) -> Waiting<()> {
        let delay = self.0.delay();
        Box::pin(tokio::time::sleep(delay))
    }

    fn worked(&self, worked: Worked, rows: Rows<'_>) {
        let tables = self.0.tables(rows);
        self.0.book.lock().steps.push(Step { worked, tables });
    }

    fn ended(&self, committed: bool) {
        let world = &self.0;
        let steps = std::mem::take(&mut world.book.lock().steps);
        let names: Vec<String> = steps.iter().map(|step| world.named(&step.worked)).collect();
        let what = if committed { "commits" } else { "does not commit" };
        world.say(&format!("the store {what} {}", names.join(", ")));
        world.count(|counts| {
            counts.commits += u64::from(committed);
            counts.failed += u64::from(!committed);
            let is_standing =
                |step: &&Step| matches!(step.worked.what, Some(What::Job(_) | What::Handler { .. }));
            counts.standing += steps.iter().filter(is_standing).count() as u64;
            let is_part = |step: &&Step| step.worked.outcome == WorkedOutcome::Part;
            counts.parts += steps.iter().filter(is_part).count() as u64;
        });
        let done = |step: &Step| step.worked.delivery.filter(|_| step.worked.outcome == WorkedOutcome::Done);
        let delivered: Vec<i64> = steps.iter().filter(|_| committed).filter_map(done).collect();
        let mut found = None;
        for step in steps.into_iter().filter(|_| committed) {
            found = found.or_else(|| world.take_over(step));
        }
        found = found.or_else(|| world.look_again()).or_else(|| {
            let waiting = world.inspector.lock().deliveries().unwrap_or_default();
            world.book.lock().deliveries_broken(&delivered, waiting)
        });
        if let Some(found) = found {
            world.find(found);
        }
    }
}
