//! Standing steps: when each runs next, and running what is due. Runs of one job never overlap, and missed ones
//! collapse into one.
//!
//! On the machine's clock a task waits for the next run; on the test clock only [`Scheduler::advance`] runs jobs, in
//! the order of their times, each at its own `now()`. Source: language reference, *Steps*, standing steps.

mod deliveries;
mod times;

use crate::auth::Caller;
use crate::clock::Clock;
use crate::metrics::Metrics;
use crate::parts::Parts;
use crate::random::Seeds;
use formwork_engine::{Call, Seed, StoreError, What};
use formwork_language::program::{Program, Schedule};
use formwork_language::value::Value;
use formwork_store::{NextRun, Store};
use parking_lot::Mutex;
use rustc_hash::FxHashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use times::next_after;
use tokio::sync::watch;

/// The longest that the task sleeps before it looks at the clock again, which may have been set.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

/// How often what is kept no longer is removed.
const PRUNE_EVERY: Duration = Duration::from_secs(60);

/// The longest while there are handlers.
const LONGEST_UNTOLD: Duration = Duration::from_secs(1);

/// The shortest, so that a job still at work when it is due again is asked for at leisure.
const SHORTEST_SLEEP: Duration = Duration::from_millis(10);

/// The jobs of a program.
pub(crate) struct Scheduler {
    faults: Arc<crate::admin::Faults>,
    program: Arc<Program>,
    store: Arc<Store>,
    clock: Arc<Clock>,
    metrics: Arc<Metrics>,
    seeds: Arc<Seeds>,
    parts: Arc<Parts>,
    /// By index of the job.
    next: Mutex<Vec<Option<i64>>>,
    /// One run at a time of each job, whoever asks.
    running: Vec<tokio::sync::Mutex<()>>,
    /// One change of the test clock at a time.
    advancing: tokio::sync::Mutex<()>,
    /// Whether no further batch is begun.
    stopping: AtomicBool,
    /// Deliveries of several parts that are under way here.
    telling: Mutex<FxHashSet<i64>>,
    /// Told when there may be something to deliver.
    woken: tokio::sync::Notify,
}

impl Scheduler {
    /// Works out every job's next run from what the store remembers.
    pub(crate) fn new(
        faults: Arc<crate::admin::Faults>,
        program: Arc<Program>,
        store: Arc<Store>,
        clock: Arc<Clock>,
        metrics: Arc<Metrics>,
        seeds: Arc<Seeds>,
        parts: Arc<Parts>,
    ) -> Result<Self, StoreError> {
        let stored = store.next_runs()?;
        let now = clock.now();
        let next = program.jobs.iter().map(|job| {
            if job.schedule == Schedule::StartUp {
                return Some(now);
            }
            let fresh = next_after(&job.schedule, now);
            let remembered = stored.iter().find(|run| *run.job == *job.name).and_then(|run| run.at);
            // A remembered run later than the schedule's next one stems from another schedule or clock.
            match (remembered, fresh) {
                (Some(remembered), Some(fresh)) => Some(remembered.min(fresh)),
                (None, fresh) => fresh,
                (remembered, None) => remembered,
            }
        });
        let next = Mutex::new(next.collect());
        let running = program.jobs.iter().map(|_| tokio::sync::Mutex::default()).collect();
        Ok(Self {
            faults,
            program,
            store,
            clock,
            metrics,
            seeds,
            parts,
            next,
            running,
            advancing: tokio::sync::Mutex::default(),
            stopping: AtomicBool::new(false),
            telling: Mutex::default(),
            woken: tokio::sync::Notify::new(),
        })
    }

    /// Runs what is due on the machine's clock until told to stop.
    pub(crate) async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let mut runs = tokio::task::JoinSet::new();
        let mut pruned = tokio::time::Instant::now();
        let mut delivering: Option<tokio::task::AbortHandle> = None;
        while !*stop.borrow() {
            let now = self.clock.now();
            for job in self.due(now) {
                let scheduler = self.clone();
                runs.spawn(async move { scheduler.run_job(job.0, now, Some(job.1)).await });
            }
            if pruned.elapsed() >= PRUNE_EVERY {
                pruned = tokio::time::Instant::now();
                self.prune(now).await;
            }
            let is_free = delivering.as_ref().is_none_or(tokio::task::AbortHandle::is_finished);
            let delivery = self.next_delivery().map(|next| next.due);
            if is_free && delivery.is_some_and(|due| due <= now) {
                let scheduler = self.clone();
                delivering = Some(runs.spawn(async move { scheduler.deliver_due(now).await }));
            }
            let later = delivery.filter(|due| *due > now);
            let next = self.earliest().map(|(at, _)| at).into_iter().chain(later).min();
            let wait = next.map_or(LONGEST_SLEEP, |at| {
                Duration::from_micros(u64::try_from(at - now).unwrap_or_default())
            });
            // Another node on the same store tells nobody here what it has emitted.
            let longest = if self.delivers() { LONGEST_UNTOLD } else { LONGEST_SLEEP };
            tokio::select! {
                // Whatever comes first, all is looked at again; a fixed order lets a simulation replay.
                biased;
                () = tokio::time::sleep(wait.clamp(SHORTEST_SLEEP, longest)) => {}
                () = self.woken.notified() => {}
                Some(_) = runs.join_next() => {}
                _ = stop.wait_for(|stop| *stop) => {}
            }
        }
        self.stopping.store(true, Ordering::Relaxed);
        while runs.join_next().await.is_some() {}
    }

    /// Removes what is kept no longer. What cannot be removed now is next time.
    async fn prune(&self, now: i64) {
        while let Ok(true) = self.store.prune(now).await {}
    }

    /// Runs what is due by the present test time, at start.
    pub(crate) async fn settle(&self) {
        self.advance(0).await;
    }

    /// Moves the test clock on by so many microseconds: every job due on the way runs, in the order of time, each
    /// at its own `now()`. Gives the new time.
    pub(crate) async fn advance(&self, by: i64) -> i64 {
        let _alone = self.advancing.lock().await;
        let target = self.clock.now().saturating_add(by.max(0));
        loop {
            let now = self.clock.now();
            let job = self.earliest().filter(|(at, _)| *at <= target);
            let delivery = self.next_delivery().filter(|next| next.due <= target);
            // What happened is told before anything else happens.
            match (job, delivery) {
                (job, Some(next)) if job.is_none_or(|(at, _)| next.due.max(now) <= at.max(now)) => {
                    self.clock.set(next.due);
                    self.deliver(&next, self.clock.now()).await;
                }
                (Some((at, job)), _) => {
                    self.clock.set(at);
                    let now = self.clock.now();
                    self.move_on(job, now);
                    self.run_job(job, now, Some(at)).await;
                }
                (None, _) => break,
            }
        }
        self.clock.set(target);
        self.clock.now()
    }

    /// Runs every job of a component now; gives how many there are.
    pub(crate) async fn run_component(&self, component: &str) -> usize {
        let _alone = self.advancing.lock().await;
        let jobs = self.program.jobs.iter().enumerate().filter(|(_, job)| *job.component == *component);
        let jobs: Vec<usize> = jobs.map(|(index, _)| index).collect();
        for job in &jobs {
            self.run_job(*job, self.clock.now(), None).await;
        }
        jobs.len()
    }

    fn earliest(&self) -> Option<(i64, usize)> {
        // What is due while its component is away runs once when it is back.
        let away =
            |job: &usize| self.program.jobs.get(*job).is_some_and(|it| self.faults.stops(&it.component));
        let next = self.next.lock();
        let due = next.iter().enumerate().filter_map(|(job, at)| Some(((*at)?, job)));
        due.filter(|(_, job)| !away(job)).min()
    }

    /// The jobs due by now and since when, each moved on to its next time, so that missed runs collapse into this one.
    fn due(&self, now: i64) -> Vec<(usize, i64)> {
        let due: Vec<(usize, i64)> = {
            let next = self.next.lock();
            let all = next.iter().enumerate().filter_map(|(job, at)| Some((job, (*at)?)));
            all.filter(|(_, at)| *at <= now).collect()
        };
        // A job whose last run still goes on keeps its time and is asked again.
        let is_free = |job: usize| self.running[job].try_lock().is_ok() && !self.parts.goes_on(job);
        let free = due.into_iter().filter(|(job, _)| is_free(*job));
        free.inspect(|(job, _)| self.move_on(*job, now)).collect()
    }

    fn move_on(&self, job: usize, now: i64) {
        let schedule = self.program.jobs.get(job).map(|job| &job.schedule);
        if let Some(slot) = self.next.lock().get_mut(job) {
            *slot = schedule.and_then(|schedule| next_after(schedule, now));
        }
    }

    /// Runs a job; `due` is the instant that it was due at, and absent when somebody asked for it.
    async fn run_job(&self, index: usize, now: i64, due: Option<i64>) {
        let (Some(job), Some(running)) = (self.program.jobs.get(index), self.running.get(index)) else {
            return;
        };
        let _alone = running.lock().await;
        // What an earlier process left of a run comes first.
        while self.parts.goes_on(index) {
            tokio::time::sleep(SHORTEST_SLEEP).await;
        }
        let next =
            NextRun { job: job.name.to_string(), at: self.next.lock().get(index).copied().flatten(), due };
        let Some(call) = job_call(index, now, self.seeds.next()) else { return };
        let call = self.parts.first(call);
        let (what, part) = (call.what, call.part.clone());
        // From before the store keeps it, so that nobody here takes it up.
        let _under_way = part.as_ref().and_then(|part| self.parts.enter(part.operation));
        let mut ended = self.store.run_job(call, next).await;
        if let (Some(part), Some(resume)) = (part, ended.resume.take()) {
            self.metrics.steps(&ended.counts, &ended.observations);
            ended = self.parts.go_on(what, *part, resume).await;
        }
        self.metrics.steps(&ended.counts, &ended.observations);
        // What the store keeps goes on at the next start.
        if let (Err(refusal), false) = (&ended.result, self.stopping.load(Ordering::Relaxed)) {
            self.metrics.standing_failed();
            let cause = refusal.without_values(&self.program.schema);
            crate::log::fault("job_refused", "", &job.name, &cause);
        }
    }
}

fn job_call(index: usize, now: i64, seed: Seed) -> Option<Call> {
    Some(system_call(What::Job(u32::try_from(index).ok()?), Vec::new(), now, seed))
}

/// A call by the program itself; `further` are the slots behind the fixed ones.
fn system_call(what: What, further: Vec<Value>, now: i64, seed: Seed) -> Call {
    let caller = Caller::system();
    let nothing = Value::Absent;
    // In the order of `slots`.
    let mut slots = vec![
        caller.id,
        caller.roles,
        caller.scopes,
        caller.claims,
        nothing.clone(),
        nothing.clone(),
        nothing,
    ];
    slots.extend(further);
    Call { what, slots, now, seed, precondition: None, part: None }
}
