//! What was let through where several nodes have the same rows: decided in the database, under locks, by its clock.
//!
//! The requests that wait while a transaction is under way are decided together by the next one, so that a node needs
//! one connection for this, and a flush for many requests.

use super::decision::{Decision, Key, Need, decide};
use super::memory::{MOST_KEYS, name_of};
use super::window::Log;
use formwork_engine::StoreError;
use formwork_store::{Store, StoredAdmissions};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// Requests that are decided together at most …
const TOGETHER: usize = 64;
/// … and those that may wait for it.
const WAITING: usize = 4_096;

/// A request that waits for its decision.
struct Asked {
    needs: Vec<Need>,
    now: i64,
    reply: oneshot::Sender<Result<Decision, StoreError>>,
}

/// The way to the task that decides.
#[derive(Debug)]
pub(super) struct Nodes {
    sender: mpsc::Sender<Asked>,
    known: Mutex<FxHashMap<Key, i64>>,
}

impl Nodes {
    /// Starts the task. `by_database` says whether the database's clock counts, and not the one that a test moves.
    pub(super) fn new(store: &Arc<Store>, by_database: bool) -> Self {
        let (sender, mut waiting) = mpsc::channel::<Asked>(WAITING);
        // A store is closed when the last one who works with it is done.
        let store = Arc::downgrade(store);
        tokio::spawn(async move {
            while let Some(first) = waiting.recv().await {
                let mut group = vec![first];
                while group.len() < TOGETHER
                    && let Ok(next) = waiting.try_recv()
                {
                    group.push(next);
                }
                let Some(store) = store.upgrade() else { return };
                together(&store, group, by_database).await;
            }
        });
        Self { sender, known: Mutex::default() }
    }

    /// Decides over a request.
    pub(super) async fn ask(&self, needs: &[Need], now: i64) -> Result<Decision, Unasked> {
        let needs = needs.iter().map(|need| Need { key: self.key(need, now), ..*need }).collect();
        let (reply, decided) = oneshot::channel();
        self.sender.try_send(Asked { needs, now, reply }).map_err(|_| Unasked::TooMany)?;
        match decided.await {
            Ok(Ok(decision)) => Ok(decision),
            Ok(Err(error)) => Err(Unasked::Away(error.to_string())),
            Err(_) => Err(Unasked::Away("nobody decides".to_owned())),
        }
    }

    /// By what a need is found: of its own, or with all those for whom this node has no room.
    fn key(&self, need: &Need, now: i64) -> Key {
        let mut known = self.known.lock();
        let until = now.saturating_add(need.window.length);
        if !known.contains_key(&need.key) {
            if known.len() >= MOST_KEYS {
                known.retain(|_, until| *until > now);
            }
            if known.len() >= MOST_KEYS {
                return need.overflow;
            }
        }
        known.insert(need.key, until);
        need.key
    }
}

/// Why nothing was decided.
#[derive(Debug)]
pub(super) enum Unasked {
    /// Too many wait.
    TooMany,
    /// The database is away; why, for the log.
    Away(String),
}

/// Decides over a group in one transaction, in the order in which they came.
async fn together(store: &Store, group: Vec<Asked>, by_database: bool) {
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for need in group.iter().flat_map(|asked| &asked.needs) {
        places.insert(name_of(&need.key), 0);
    }
    let names: Vec<String> = places.keys().cloned().collect();
    for (place, at) in places.values_mut().enumerate() {
        *at = place;
    }
    let questions: Vec<(Vec<Need>, Vec<usize>, i64)> = group
        .iter()
        .map(|asked| {
            let at = asked.needs.iter().filter_map(|need| places.get(&name_of(&need.key)).copied());
            (asked.needs.clone(), at.collect(), asked.now)
        })
        .collect();
    let decided: Arc<Mutex<Vec<Decision>>> = Arc::default();
    let (answers, own_names) = (decided.clone(), names.clone());
    let run = move |present: i64, bytes: Vec<Vec<u8>>| {
        let mut logs: Vec<Log> = bytes.iter().map(|bytes| Log::from_bytes(bytes)).collect();
        let mut until: Vec<Option<i64>> = vec![None; logs.len()];
        let mut decisions = Vec::with_capacity(questions.len());
        for (needs, at, now) in &questions {
            let now = if by_database { present } else { *now };
            let windows: Vec<_> = needs.iter().map(|need| need.window).collect();
            let mut own: Vec<Log> =
                at.iter().map(|at| logs.get_mut(*at).map(std::mem::take).unwrap_or_default()).collect();
            let decision = decide(&windows, &mut own, now, false);
            for ((at, log), window) in at.iter().zip(own).zip(windows) {
                if let (Some(place), Some(until)) = (logs.get_mut(*at), until.get_mut(*at)) {
                    if decision.admitted {
                        *until = Some(log.until(window));
                    }
                    *place = log;
                }
            }
            decisions.push(decision);
        }
        *answers.lock() = decisions;
        let changed = own_names.iter().zip(&logs).zip(until);
        changed
            .filter_map(|((name, log), until)| {
                Some(StoredAdmissions { name: name.clone(), log: log.to_bytes(), until: until? })
            })
            .collect()
    };
    let done = store.decide_admissions(names, Arc::new(run)).await;
    let mut decisions = std::mem::take(&mut *decided.lock()).into_iter();
    for asked in group {
        let answer = match (&done, decisions.next()) {
            (Ok(()), Some(decision)) => Ok(decision),
            (Err(error), _) => Err(error.clone()),
            (Ok(()), None) => Err(StoreError::Internal("a request was not decided over".into())),
        };
        // Who has hung up no longer waits.
        let _ = asked.reply.send(answer);
    }
}
