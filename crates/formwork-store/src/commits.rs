//! Which commit last touched what: the number by which an answer kept elsewhere is known to be as new as the rows.
//!
//! Only what a cache layer of the document asks about is noted. A number is given after the commit and before its answer,
//! so that who has been answered never gets an older state. Source: docs/reference/caching.md, *When an answer is stale*.

use formwork_language::program::{EntityId, Program};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What is noted: an entity, an event or a cache layer.
pub type Mark = u32;

/// Stands for all marks.
const EVERYTHING: Mark = Mark::MAX;

/// For so long after the last sign of life of the link the word of other nodes counts as heard.
pub(crate) const HEARD: Duration = Duration::from_secs(1);

/// The notes of a store.
pub struct Commits {
    number: AtomicU64,
    /// By mark: the last commit that touched it.
    last: Vec<AtomicU64>,
    everything: AtomicU64,
    by_name: FxHashMap<String, Mark>,
    names: Vec<String>,
    /// By entity: its mark, when somebody asks, and those of the tables that a deletion takes along or changes.
    entities: Vec<(Option<Mark>, Vec<Mark>)>,
    events: FxHashMap<Arc<str>, Mark>,
    layers: Vec<Mark>,
    /// The API keys, about which every node asks.
    keys: Mark,
    /// Where other nodes write the same rows.
    link: Option<Link>,
}

/// Whether other nodes are heard.
#[derive(Default)]
struct Link {
    up: AtomicBool,
    heard: Mutex<Option<Instant>>,
}

impl std::fmt::Debug for Commits {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Commits").field("number", &self.number()).finish_non_exhaustive()
    }
}

impl Commits {
    /// For the layers of a program; `shared`: other nodes write the same rows.
    pub(crate) fn new(program: &Program, shared: bool) -> Self {
        let mut names = Vec::new();
        let mut by_name = FxHashMap::default();
        let mut mark = |name: String| {
            let next = names.len() as Mark;
            *by_name.entry(name.clone()).or_insert_with(|| {
                names.push(name);
                next
            })
        };
        let mut entities: Vec<(Option<Mark>, Vec<Mark>)> =
            program.schema.entities.iter().map(|_| (None, Vec::new())).collect();
        let mut events = FxHashMap::default();
        for cached in &program.cached {
            for entity in cached.reads.iter().chain(&cached.writes).map(|entity| usize::from(*entity)) {
                if let Some((name, place)) = program.schema.entities.get(entity).zip(entities.get_mut(entity))
                {
                    place.0 = Some(mark(format!("write {}", name.name)));
                }
            }
            for event in cached.events.iter().filter_map(|event| program.events.get(usize::from(*event))) {
                events.insert(event.name.clone(), mark(format!("event {}", event.name)));
            }
        }
        let layers = program.cache_layers.iter().map(|layer| mark(format!("layer {}", layer.name))).collect();
        let keys = mark("keys".to_owned());
        for entity in (0..).take(entities.len()) {
            let taken = program.schema.taken_along(entity);
            let marks = taken.into_iter().filter_map(|other| entities.get(usize::from(other))?.0).collect();
            entities[usize::from(entity)].1 = marks;
        }
        Self {
            number: AtomicU64::new(0),
            last: names.iter().map(|_| AtomicU64::new(0)).collect(),
            everything: AtomicU64::new(0),
            by_name,
            names,
            entities,
            events,
            layers,
            keys,
            link: shared.then(Link::default),
        }
    }

    /// The mark of the API keys.
    pub fn keys(&self) -> Mark {
        self.keys
    }

    /// The number of the last commit that was noted: what is read from now on is at least as new.
    pub fn number(&self) -> u64 {
        self.number.load(Ordering::SeqCst)
    }

    /// The mark of an entity, when a layer is about it.
    pub fn entity(&self, entity: EntityId) -> Option<Mark> {
        self.entities.get(usize::from(entity))?.0
    }

    /// The mark of an event, when a layer is about it.
    pub fn event(&self, name: &str) -> Option<Mark> {
        self.events.get(name).copied()
    }

    /// The mark of a layer.
    pub fn layer(&self, layer: u16) -> Option<Mark> {
        self.layers.get(usize::from(layer)).copied()
    }

    /// Whether a commit behind that number has touched one of these.
    pub fn have_touched(&self, marks: &[Mark], since: u64) -> bool {
        let newer = |last: &AtomicU64| last.load(Ordering::SeqCst) > since;
        newer(&self.everything) || marks.iter().any(|mark| self.last.get(*mark as usize).is_none_or(newer))
    }

    /// Whether the writes of all nodes are heard of: where not, nothing may be said to be new.
    pub fn are_heard(&self) -> bool {
        self.link.as_ref().is_none_or(|link| {
            link.up.load(Ordering::SeqCst) && link.heard.lock().is_some_and(|heard| heard.elapsed() < HEARD)
        })
    }

    /// Notes a commit.
    pub(crate) fn note(&self, touched: &Touched) {
        if touched.0.is_empty() {
            return;
        }
        if touched.is_everything() {
            return self.note_everything();
        }
        let number = self.number.fetch_add(1, Ordering::SeqCst) + 1;
        for mark in &touched.0 {
            if let Some(last) = self.last.get(*mark as usize) {
                last.fetch_max(number, Ordering::SeqCst);
            }
        }
    }

    /// Nothing is known of what was before.
    pub(crate) fn note_everything(&self) {
        let number = self.number.fetch_add(1, Ordering::SeqCst) + 1;
        self.everything.fetch_max(number, Ordering::SeqCst);
    }

    /// What another node is told of a commit, when there is anything to say.
    pub(crate) fn told(&self, node: &str, touched: &Touched) -> Option<String> {
        if touched.0.is_empty() || self.link.is_none() {
            return None;
        }
        if touched.is_everything() {
            return Some(format!("{node}\n*"));
        }
        let mut text = node.to_owned();
        for name in touched.0.iter().filter_map(|mark| self.names.get(*mark as usize)) {
            text.push('\n');
            text.push_str(name);
        }
        // PostgreSQL takes less than 8,000 bytes.
        Some(if text.len() < 7_900 { text } else { format!("{node}\n*") })
    }

    /// Hears what another node has committed; what this one has is noted already.
    pub(crate) fn hear(&self, text: &str, own: &str) {
        let mut lines = text.split('\n');
        if lines.next() == Some(own) {
            return;
        }
        let mut touched = Touched::default();
        for name in lines {
            match self.by_name.get(name) {
                Some(mark) => touched.add(*mark),
                None if name == "*" => return self.note_everything(),
                // Another release may have layers that this one has not.
                None => {}
            }
        }
        self.note(&touched);
    }

    /// The link has given a sign of life that was asked for at an instant.
    pub(crate) fn heard(&self, asked: Instant) {
        if let Some(link) = &self.link {
            *link.heard.lock() = Some(asked);
            link.up.store(true, Ordering::SeqCst);
        }
    }

    /// The link is gone.
    pub(crate) fn deaf(&self) {
        if let Some(link) = &self.link {
            link.up.store(false, Ordering::SeqCst);
        }
    }
}

/// What a transaction has touched, as far as anybody asks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Touched(Vec<Mark>);

impl Touched {
    fn add(&mut self, mark: Mark) {
        if !self.0.contains(&mark) {
            self.0.push(mark);
        }
    }

    /// Whatever anybody may ask about.
    pub(crate) fn everything() -> Self {
        Self(vec![EVERYTHING])
    }

    fn is_everything(&self) -> bool {
        self.0.contains(&EVERYTHING)
    }

    /// Rows of an entity; `deletes`: and what hangs on them.
    pub(crate) fn wrote(&mut self, commits: &Commits, entity: EntityId, deletes: bool) {
        let Some((mark, along)) = commits.entities.get(usize::from(entity)) else { return };
        mark.iter().for_each(|mark| self.add(*mark));
        if deletes {
            along.iter().for_each(|mark| self.add(*mark));
        }
    }

    /// An event.
    pub(crate) fn emitted(&mut self, commits: &Commits, event: &str) {
        if let Some(mark) = commits.event(event) {
            self.add(mark);
        }
    }

    /// The API keys.
    pub(crate) fn keys(commits: &Commits) -> Self {
        Self(vec![commits.keys])
    }

    /// A layer that is to be empty.
    pub(crate) fn layer(&mut self, mark: Mark) {
        self.add(mark);
    }

    /// With all that another one has.
    pub(crate) fn join(&mut self, other: &Self) {
        other.0.iter().for_each(|mark| self.add(*mark));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use formwork_check::analyse_fragment;

    const LAYERED: &str = "## 4) API\n\n#### Operation: `get_link` — `GET /links/{slug}`\n\n**Output:** the `link`\n\n**Behavior:**\n1. Finds the `link` where `slug == input.slug`, or fails with `404 gone`.\n2. Returns the `link`.\n\n## 6) Data Model\n\n### Entity: `team`\n\n**Fields:**\n- `id` (uuid) | identity | primary key, generated\n\n### Entity: `link`\n\n**Fields:**\n- `slug` (string) | the name | primary key\n- `team_id` (uuid) | whose | references team.id on delete cascade\n\n## 8) Performance, Caching & SLOs\n\n### Caching Strategy\n\n**Layer:** Link cache\n- **What:** responses of `get_link`\n- **TTL:** 60 s\n- **Invalidation:** on a write to `link`\n";

    fn commits(shared: bool) -> Commits {
        let analysis = analyse_fragment(LAYERED.into());
        assert_eq!(analysis.compiled.program.cached.len(), 1, "{:?}", analysis.diagnostics);
        Commits::new(&analysis.compiled.program, shared)
    }

    #[test]
    fn a_commit_is_newer_than_what_was_read_before_it_and_touches_what_it_takes_along() {
        let commits = commits(false);
        let link = commits.entity(1).expect("a layer is about it");
        assert_eq!(commits.entity(0), None, "nobody asks about teams");
        let before = commits.number();
        assert!(!commits.have_touched(&[link], before));
        let mut touched = Touched::default();
        touched.wrote(&commits, 0, false);
        commits.note(&touched);
        assert!(!commits.have_touched(&[link], before), "a changed team changes no link");
        touched.wrote(&commits, 0, true);
        commits.note(&touched);
        assert!(commits.have_touched(&[link], before), "a deleted team takes its links along");
        assert!(!commits.have_touched(&[link], commits.number()));
    }

    #[test]
    fn a_node_hears_the_others_and_not_itself_and_nothing_while_it_is_deaf() {
        let commits = commits(true);
        let link = commits.entity(1).expect("a layer is about it");
        assert!(!commits.are_heard());
        commits.heard(Instant::now());
        assert!(commits.are_heard());
        let mut touched = Touched::default();
        touched.wrote(&commits, 1, false);
        let text = commits.told("a", &touched).expect("there is something to say");
        assert_eq!(text, "a\nwrite link");
        commits.hear(&text, "a");
        assert!(!commits.have_touched(&[link], 0));
        commits.hear(&text, "b");
        assert!(commits.have_touched(&[link], 0));
        commits.hear("a\nwrite something_newer", "b");
        assert!(!commits.have_touched(&[link], commits.number()));
        let before = commits.number();
        commits.hear("a\n*", "b");
        assert!(commits.have_touched(&[link], before));
        commits.deaf();
        assert!(!commits.are_heard());
        commits.heard(Instant::now().checked_sub(HEARD).expect("the machine runs for a second"));
        assert!(!commits.are_heard(), "a link that says nothing is none");
    }
}
