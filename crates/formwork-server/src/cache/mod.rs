//! The cache layers of section 8: an answer that is kept is given again without running the behaviour.
//!
//! Who may call, limits and the input come before, budgets and the behaviour behind. An answer bears the number of the
//! last commit before it was read, and is given only while nothing that clears it has been committed since. Source:
//! docs/reference/caching.md.

mod directives;
mod flights;
mod headers;
mod kept;
mod key;
mod unkept;

use crate::problems::{Entry, Problem};
use crate::respond::Reply;
use directives::Directives;
use flights::{Flight, Flights, Landed};
use formwork_language::program::{CachedOperation, Program};
use formwork_language::value::Value;
use formwork_store::{Commits, Mark, Store};
use headers::Looks;
use http::HeaderMap;
use kept::{Keeper, Kept};
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
pub(crate) use unkept::unkept;

/// What `only-if-cached` gets when nothing is kept (RFC 9111, 5.2.1.7).
const NOT_KEPT: Entry = Entry { status: 504, code: "not_kept", title: "No answer is kept" };

/// The layers of a program.
pub(crate) struct Caches {
    layers: Vec<Layer>,
    /// By operation.
    operations: Vec<Option<Cache>>,
}

/// A layer.
struct Layer {
    name: Arc<str>,
    keeper: Keeper,
    mark: Option<Mark>,
    counts: Counts,
}

/// What became of the requests that asked a layer.
#[derive(Default)]
struct Counts {
    hits: AtomicU64,
    collapsed: AtomicU64,
    misses: AtomicU64,
    bypasses: AtomicU64,
}

/// What is kept of one operation.
pub(crate) struct Cache {
    rule: CachedOperation,
    /// What clears its answers.
    clears: Vec<Mark>,
    /// The same, and all that it reads: what must not have changed while an answer was made.
    rests_on: Vec<Mark>,
    looks: Looks,
    flights: Flights,
}

/// A request that may be answered from a cache.
pub(crate) struct Asked<'a> {
    /// Its slots, filled.
    pub(crate) slots: &'a [Value],
    /// What was sent.
    pub(crate) headers: &'a HeaderMap,
    /// When, by the clock of the run.
    pub(crate) now: i64,
    /// Whether it is a `GET` or `HEAD`.
    pub(crate) reads: bool,
}

/// How a request was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Passed {
    /// Nothing was kept.
    Missed,
    /// What was kept was too old.
    Stale,
    /// The request asked for it.
    Requested,
    /// Nothing may be given or kept now.
    Bypassed,
}

impl Caches {
    /// The layers, empty.
    pub(crate) fn new(program: &Program, commits: &Commits) -> Self {
        let layer = |(at, layer): (u16, &formwork_language::program::CacheLayer)| Layer {
            name: layer.name.clone(),
            keeper: Keeper::new(layer.entries, layer.bytes),
            mark: commits.layer(at),
            counts: Counts::default(),
        };
        let mut operations: Vec<Option<Cache>> = program.operations.iter().map(|_| None).collect();
        for rule in &program.cached {
            if let Some(place) = operations.get_mut(rule.operation as usize) {
                *place = Some(Cache::new(rule, program, commits));
            }
        }
        Self { layers: (0..).zip(&program.cache_layers).map(layer).collect(), operations }
    }

    /// What is kept of an operation, if anything is.
    pub(crate) fn keeps(&self, operation: usize) -> Option<&Cache> {
        self.operations.get(operation)?.as_ref()
    }

    /// Answers a request from a cache, or by `load` where it must be made.
    pub(crate) async fn answer(
        &self,
        cache: &Cache,
        store: &Store,
        asked: Asked<'_>,
        load: impl Future<Output = Result<Reply, Problem>>,
    ) -> Result<Reply, Problem> {
        let Some(layer) = self.layers.get(usize::from(cache.rule.layer)) else { return load.await };
        let directives = Directives::read(asked.headers, &cache.rule.headers);
        Asking { cache, layer, store, commits: store.commits(), asked: &asked, directives }.answer(load).await
    }

    /// Empties a layer on every node; false when there is none of this name.
    pub(crate) async fn clear(
        &self,
        store: &Store,
        name: &str,
    ) -> Option<Result<(), formwork_engine::StoreError>> {
        let layer = self.layers.iter().find(|layer| *layer.name == *name)?;
        layer.keeper.clear();
        Some(match layer.mark {
            Some(mark) => store.clear_layer(mark).await,
            None => Ok(()),
        })
    }

    /// Of the requests that asked a layer, the part that ran no behaviour; nothing before the first.
    pub(crate) fn hit_ratio(&self) -> Option<f64> {
        let sums = self
            .layers
            .iter()
            .map(|layer| layer.counts.hits_of())
            .fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        (sums.1 > 0).then(|| sums.0 as f64 / sums.1 as f64)
    }

    /// The lines for Prometheus.
    pub(crate) fn lines(&self, out: &mut String) {
        if self.layers.is_empty() {
            return;
        }
        let family = |out: &mut String, name: &str, kind: &str, help: &str| {
            // Writing to a String cannot fail.
            let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
        };
        let labels: Vec<String> = self
            .layers
            .iter()
            .map(|layer| layer.name.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
            .collect();
        let name = "formwork_cache_requests_total";
        family(out, name, "counter", "Requests that asked a cache layer, by what became of them.");
        for (layer, label) in self.layers.iter().zip(&labels) {
            let counts = &layer.counts;
            for (result, count) in [
                ("hit", &counts.hits),
                ("collapsed", &counts.collapsed),
                ("miss", &counts.misses),
                ("bypass", &counts.bypasses),
            ] {
                let count = count.load(Ordering::Relaxed);
                let _ = writeln!(out, "{name}{{layer=\"{label}\",result=\"{result}\"}} {count}");
            }
        }
        family(out, "formwork_cache_entries", "gauge", "Answers that a cache layer keeps.");
        for (layer, label) in self.layers.iter().zip(&labels) {
            let _ = writeln!(out, "formwork_cache_entries{{layer=\"{label}\"}} {}", layer.keeper.entries());
        }
        family(out, "formwork_cache_bytes", "gauge", "What they take, at most.");
        for (layer, label) in self.layers.iter().zip(&labels) {
            let _ = writeln!(out, "formwork_cache_bytes{{layer=\"{label}\"}} {}", layer.keeper.bytes());
        }
        let name = "formwork_cache_hit_ratio";
        family(
            out,
            name,
            "gauge",
            "Of the requests that asked a cache layer, the part that ran no behaviour.",
        );
        for (layer, label) in self.layers.iter().zip(&labels) {
            let (hits, all) = layer.counts.hits_of();
            if all > 0 {
                let _ = writeln!(out, "{name}{{layer=\"{label}\"}} {}", hits as f64 / all as f64);
            }
        }
        family(out, "cache_hit_ratio", "gauge", "Requests that asked a cache layer and ran no behaviour.");
        if let Some(ratio) = self.hit_ratio() {
            let _ = writeln!(out, "cache_hit_ratio {ratio}");
        }
    }
}

impl Counts {
    /// Requests that ran no behaviour, and all.
    fn hits_of(&self) -> (u64, u64) {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let hits = of(&self.hits) + of(&self.collapsed);
        (hits, hits + of(&self.misses) + of(&self.bypasses))
    }
}

impl Cache {
    fn new(rule: &CachedOperation, program: &Program, commits: &Commits) -> Self {
        let writes = rule.writes.iter().filter_map(|entity| commits.entity(*entity));
        let events = rule.events.iter().filter_map(|event| program.events.get(usize::from(*event)));
        let mut clears: Vec<Mark> = writes.collect();
        clears.extend(events.filter_map(|event| commits.event(&event.name)));
        clears.extend(commits.layer(rule.layer));
        let mut rests_on = clears.clone();
        rests_on.extend(rule.reads.iter().filter_map(|entity| commits.entity(*entity)));
        Self {
            clears,
            rests_on,
            looks: Looks::new(rule, program),
            flights: Flights::default(),
            rule: rule.clone(),
        }
    }
}

/// A request while it is answered.
struct Asking<'a> {
    cache: &'a Cache,
    layer: &'a Layer,
    store: &'a Store,
    commits: &'a Commits,
    asked: &'a Asked<'a>,
    directives: Directives,
}

impl Asking<'_> {
    async fn answer(&self, load: impl Future<Output = Result<Reply, Problem>>) -> Result<Reply, Problem> {
        if !self.store.is_available() || !self.commits.are_heard() {
            self.count(|counts| &counts.bypasses);
            return load.await.map(|reply| self.made(reply, Passed::Bypassed, false));
        }
        if self.directives.no_store {
            self.count(|counts| &counts.misses);
            return load.await.map(|reply| self.made(reply, Passed::Requested, false));
        }
        let key: Arc<[u8]> = key::of(&self.cache.rule, self.asked.slots).into();
        if self.directives.anew {
            let flight = Flight::apart(self.commits.number());
            return self.lead(&key, flight, load, Passed::Requested).await;
        }
        let mut passed = Passed::Missed;
        loop {
            match self.find(&key) {
                Ok(kept) => {
                    self.count(|counts| &counts.hits);
                    return Ok(self.given(&kept));
                }
                Err(why) => passed = if passed == Passed::Missed { why } else { passed },
            }
            if self.directives.only_if_cached {
                self.count(|counts| &counts.misses);
                let detail = "`Cache-Control: only-if-cached` was sent, and no answer is kept that fits.";
                return Err(Problem::with(&NOT_KEPT, detail));
            }
            let is_current = |number| !self.commits.have_touched(&self.cache.rests_on, number);
            // Taken before the behaviour sees its rows.
            let number = self.commits.number();
            match self.cache.flights.join(&key, number, is_current) {
                Landed::Leads(flight) => return self.lead(&key, flight, load, passed).await,
                Landed::Waits(waiting) => match waiting.end().await {
                    Some(Some(kept)) => {
                        self.count(|counts| &counts.collapsed);
                        return Ok(self.collapsed(&kept, passed));
                    }
                    // Its failure is its own: this request sees for itself.
                    Some(None) => {
                        self.count(|counts| &counts.misses);
                        return load.await.map(|reply| self.made(reply, passed, false));
                    }
                    // Its caller has hung up before it ended.
                    None => {}
                },
            }
        }
    }

    /// Runs the behaviour for all who wait, and keeps what it answers.
    async fn lead(
        &self,
        key: &Arc<[u8]>,
        flight: Flight<'_>,
        load: impl Future<Output = Result<Reply, Problem>>,
        passed: Passed,
    ) -> Result<Reply, Problem> {
        self.count(|counts| &counts.misses);
        let reply = match load.await {
            Ok(reply) => reply,
            Err(problem) => {
                flight.ends(None);
                return Err(problem);
            }
        };
        if !reply.status.is_success() {
            flight.ends(None);
            return Ok(reply);
        }
        let kept = Arc::new(Kept::new(&reply, flight.number(), self.asked.now));
        let is_new = !self.commits.have_touched(&self.cache.rests_on, kept.number);
        let stored = is_new && self.commits.are_heard() && self.layer.keeper.keep(key, &kept);
        flight.ends(Some(kept));
        Ok(self.made(reply, passed, stored))
    }

    /// What is kept and may be given; else why not.
    fn find(&self, key: &Arc<[u8]>) -> Result<Arc<Kept>, Passed> {
        let kept = self.layer.keeper.find(key).ok_or(Passed::Missed)?;
        if self.commits.have_touched(&self.cache.clears, kept.number) {
            self.layer.keeper.forget(key, &kept);
            return Err(Passed::Missed);
        }
        let age = self.asked.now - kept.at;
        let left = self.cache.rule.ttl.map(|ttl| ttl - age);
        // A clock that was put back says nothing of its age.
        if age < 0 || left.is_some_and(|left| left <= 0) {
            self.layer.keeper.forget(key, &kept);
            return Err(Passed::Stale);
        }
        if self.directives.takes(age, left) { Ok(kept) } else { Err(Passed::Requested) }
    }

    fn count(&self, which: impl Fn(&Counts) -> &AtomicU64) {
        which(&self.layer.counts).fetch_add(1, Ordering::Relaxed);
    }

    /// An answer that was kept.
    fn given(&self, kept: &Kept) -> Reply {
        let age = self.asked.now - kept.at;
        let left = self.cache.rule.ttl.map(|ttl| ttl - age);
        let mut reply = kept.reply();
        self.cache.looks.hit(&mut reply, self.asked.reads, age, left);
        reply
    }

    /// An answer that was made for another request at the same time.
    fn collapsed(&self, kept: &Kept, passed: Passed) -> Reply {
        let mut reply = kept.reply();
        self.cache.looks.made(&mut reply, self.asked.reads, &format!("{}; collapsed", forward(passed)));
        reply
    }

    /// An answer that was made for this request.
    fn made(&self, mut reply: Reply, passed: Passed, stored: bool) -> Reply {
        let stored = if stored { "; stored" } else { "" };
        self.cache.looks.made(&mut reply, self.asked.reads, &format!("{}{stored}", forward(passed)));
        reply
    }
}

/// The parameter of `Cache-Status` (RFC 9211, 2.2).
fn forward(passed: Passed) -> &'static str {
    match passed {
        Passed::Missed => "fwd=uri-miss",
        Passed::Stale => "fwd=stale",
        Passed::Requested => "fwd=request",
        Passed::Bypassed => "fwd=bypass",
    }
}
