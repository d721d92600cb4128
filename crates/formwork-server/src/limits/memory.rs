//! What was let through, in memory: of a process that has its rows for itself. Its size is bounded, however many
//! addresses or keys ask.

use super::decision::{Decision, Key, Need, decide};
use super::window::{Log, Window};
use formwork_store::StoredAdmissions;
use rustc_hash::{FxHashMap, FxHashSet};

/// How many callers, addresses and values are told apart at most; further ones are counted together.
pub(super) const MOST_KEYS: usize = 100_000;
/// How many times are kept before no further one is told apart, and times are kept coarsely: 64 MiB.
const MANY_TIMES: usize = 4_000_000;
/// How long at least between two looks for what counts no longer, when there is no room; in microseconds.
const LOOK_AGAIN: i64 = 1_000_000;

/// What was let through.
#[derive(Debug)]
pub(super) struct Memory {
    logs: FxHashMap<Key, Kept>,
    times: usize,
    most: usize,
    /// At how many keys those that count no longer are looked for.
    look_at: usize,
    looked: i64,
    changed: FxHashSet<Key>,
}

#[derive(Debug, Default)]
struct Kept {
    log: Log,
    until: i64,
    kept: bool,
}

impl Memory {
    /// Nothing yet.
    pub(super) fn new(most: usize) -> Self {
        Self {
            logs: FxHashMap::default(),
            times: 0,
            most,
            look_at: most.min(1_024),
            looked: i64::MIN,
            changed: FxHashSet::default(),
        }
    }

    /// Takes over what an earlier process has kept.
    pub(super) fn restore(&mut self, stored: Vec<StoredAdmissions>) {
        for one in stored {
            let Some(key) = key_of(&one.name) else { continue };
            let log = Log::from_bytes(&one.log);
            self.times += log.len();
            self.logs.insert(key, Kept { log, until: one.until, kept: true });
        }
    }

    /// Decides over a request.
    pub(super) fn ask(&mut self, needs: &[Need], now: i64) -> Decision {
        let crowded = self.times >= MANY_TIMES;
        let keys: Vec<Key> = needs.iter().map(|need| self.key(need, now)).collect();
        let windows: Vec<Window> = needs.iter().map(|need| need.window).collect();
        let mut logs: Vec<Log> = keys
            .iter()
            .map(|key| self.logs.get_mut(key).map(|kept| std::mem::take(&mut kept.log)).unwrap_or_default())
            .collect();
        let before: usize = logs.iter().map(Log::len).sum();
        let decision = decide(&windows, &mut logs, now, crowded);
        self.times = (self.times + logs.iter().map(Log::len).sum::<usize>()).saturating_sub(before);
        for ((need, key), log) in needs.iter().zip(keys).zip(logs) {
            let until = log.until(need.window);
            if log.len() == 0 {
                self.logs.remove(&key);
                continue;
            }
            if need.kept && decision.admitted {
                self.changed.insert(key);
            }
            self.logs.insert(key, Kept { log, until, kept: need.kept });
        }
        decision
    }

    /// What is to be kept, each once.
    pub(super) fn take_changed(&mut self) -> Vec<StoredAdmissions> {
        let changed = std::mem::take(&mut self.changed);
        let known = |key: Key| {
            let kept = self.logs.get(&key)?;
            Some(StoredAdmissions { name: name_of(&key), log: kept.log.to_bytes(), until: kept.until })
        };
        changed.into_iter().filter_map(known).collect()
    }

    /// Has all of it kept anew: it is not known what of it is on disk.
    pub(super) fn keep_all(&mut self) {
        let kept = self.logs.iter().filter(|(_, kept)| kept.kept).map(|(key, _)| *key);
        self.changed.extend(kept);
    }

    /// By what a need is found: of its own, or with all those for whom there is no room.
    fn key(&mut self, need: &Need, now: i64) -> Key {
        if self.logs.contains_key(&need.key) {
            return need.key;
        }
        if self.logs.len() >= self.look_at {
            let is_full = self.logs.len() >= self.most || self.times >= MANY_TIMES;
            if !is_full || now.saturating_sub(self.looked) >= LOOK_AGAIN || now < self.looked {
                self.look(now);
            }
        }
        match self.logs.len() < self.most && self.times < MANY_TIMES {
            true => need.key,
            false => need.overflow,
        }
    }

    /// Forgets what counts no longer.
    fn look(&mut self, now: i64) {
        self.looked = now;
        self.logs.retain(|_, kept| kept.until > now);
        self.times = self.logs.values().map(|kept| kept.log.len()).sum();
        self.look_at = (self.logs.len() * 2).clamp(1_024.min(self.most), self.most);
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.logs.len()
    }
}

/// A key as the store names it.
pub(super) fn name_of(key: &Key) -> String {
    crate::random::hexadecimal(key)
}

fn key_of(name: &str) -> Option<Key> {
    let digits = name
        .as_bytes()
        .chunks(2)
        .map(|pair| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok()));
    digits.collect::<Option<Vec<u8>>>()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn need(number: u32) -> Need {
        let mut key = [0; 16];
        key[..4].copy_from_slice(&number.to_be_bytes());
        Need { key, overflow: [255; 16], window: Window { count: 2, length: 1_000 }, kept: true }
    }

    #[test]
    fn a_refused_request_is_counted_by_none_of_its_rates() {
        let mut memory = Memory::new(10);
        let (narrow, wide) = (need(1), Need { window: Window { count: 9, length: 1_000 }, ..need(2) });
        for _ in 0..5 {
            memory.ask(&[narrow, wide], 0);
        }
        let left = memory.ask(&[wide], 0);
        assert_eq!(
            (left.admitted, left.states[0].remaining),
            (true, 6),
            "two of five were let through, and this"
        );
    }

    #[test]
    fn however_many_ask_memory_is_bounded_and_no_limit_is_exceeded() {
        let mut memory = Memory::new(100);
        let admitted = (0..10_000).filter(|number| memory.ask(&[need(*number)], 5).admitted).count();
        assert!(memory.len() <= 101, "{}", memory.len());
        assert_eq!(admitted, 102, "a hundred told apart, and two of all the others");
        assert!(memory.ask(&[need(7)], 6).admitted, "who is known is told apart still");
        // When they count no longer there is room again.
        assert!(memory.ask(&[need(70_000)], 2_000_000).admitted);
        assert!(memory.ask(&[need(80_000)], 2_000_000).admitted);
        assert!(memory.len() <= 3, "{}", memory.len());
    }

    #[test]
    fn what_is_kept_is_found_again() {
        let mut memory = Memory::new(10);
        memory.ask(&[need(1)], 5);
        memory.ask(&[need(1)], 6);
        let kept = memory.take_changed();
        assert_eq!((kept.len(), memory.take_changed().len()), (1, 0));
        let mut next = Memory::new(10);
        next.restore(kept);
        let refused = next.ask(&[need(1)], 7);
        assert_eq!((refused.admitted, refused.states[0].wait), (false, Some(998)));
        next.keep_all();
        assert_eq!(next.take_changed().len(), 1);
    }
}
