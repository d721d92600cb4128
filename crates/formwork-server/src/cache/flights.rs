//! One run for all who ask for the same at the same time.
//!
//! Who comes later shares a run only while nothing that it rests on has been written since it began, so that nobody gets a
//! state older than the one that was there when they asked. A run that fails is nobody's answer but its own.

use super::kept::Kept;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use std::sync::Arc;
use tokio::sync::watch;

/// What a run came to: nothing until it has ended, and then nothing when it failed.
type End = Option<Option<Arc<Kept>>>;

/// A run that others may wait for.
struct Run {
    number: u64,
    end: watch::Receiver<End>,
}

/// The runs of an operation, by key.
#[derive(Default)]
pub(super) struct Flights {
    runs: Mutex<FxHashMap<Arc<[u8]>, Run>>,
}

/// What became of who asked.
pub(super) enum Landed<'f> {
    /// It runs, for others too.
    Leads(Flight<'f>),
    /// Another one runs.
    Waits(Waiting),
}

/// A run under way. Dropped before its end, those who wait ask anew.
pub(super) struct Flight<'f> {
    number: u64,
    led: Option<Led<'f>>,
}

/// Who waits for a run, and where it is known.
struct Led<'f> {
    flights: &'f Flights,
    key: Arc<[u8]>,
    end: watch::Sender<End>,
}

/// Who waits for a run.
pub(super) struct Waiting(watch::Receiver<End>);

impl Flights {
    /// Joins the run of a key, or begins one that has seen all commits up to a number.
    pub(super) fn join(&self, key: &Arc<[u8]>, number: u64, is_current: impl Fn(u64) -> bool) -> Landed<'_> {
        let mut runs = self.runs.lock();
        if let Some(run) = runs.get(key).filter(|run| is_current(run.number)) {
            return Landed::Waits(Waiting(run.end.clone()));
        }
        let (sender, end) = watch::channel(None);
        runs.insert(Arc::clone(key), Run { number, end });
        let led = Led { flights: self, key: Arc::clone(key), end: sender };
        Landed::Leads(Flight { number, led: Some(led) })
    }
}

impl Flight<'_> {
    /// A run that nobody else waits for.
    pub(super) fn apart(number: u64) -> Self {
        Self { number, led: None }
    }

    /// The last commit that it has certainly seen.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Ends it: with an answer for all, or with nothing.
    pub(super) fn ends(mut self, kept: Option<Arc<Kept>>) {
        self.leave(Some(kept));
    }

    fn leave(&mut self, end: End) {
        let Some(led) = self.led.take() else { return };
        let mut runs = led.flights.runs.lock();
        // A newer run may have taken its place.
        if runs.get(&led.key).is_some_and(|run| run.end.same_channel(&led.end.subscribe())) {
            runs.remove(&led.key);
        }
        drop(runs);
        if end.is_some() {
            led.end.send_replace(end);
        }
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.leave(None);
    }
}

impl Waiting {
    /// Its end; nothing when it was given up.
    pub(super) async fn end(mut self) -> End {
        let ended = self.0.wait_for(Option::is_some).await.ok()?;
        ended.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::respond::Reply;
    use http::StatusCode;

    fn key() -> Arc<[u8]> {
        Arc::from(&b"key"[..])
    }

    fn kept() -> Arc<Kept> {
        Arc::new(Kept::new(&Reply::json(StatusCode::OK, b"1".to_vec()), 1, 0))
    }

    fn waits(landed: Landed<'_>) -> Waiting {
        match landed {
            Landed::Waits(waiting) => waiting,
            Landed::Leads(_) => panic!("it leads"),
        }
    }

    fn leads(landed: Landed<'_>) -> Flight<'_> {
        match landed {
            Landed::Leads(flight) => flight,
            Landed::Waits(_) => panic!("it waits"),
        }
    }

    #[tokio::test]
    async fn who_waits_shares_the_answer_and_not_the_failure() {
        let flights = Flights::default();
        let first = leads(flights.join(&key(), 1, |_| true));
        let second = waits(flights.join(&key(), 1, |_| true));
        first.ends(Some(kept()));
        assert!(second.end().await.is_some_and(|end| end.is_some()));
        let third = leads(flights.join(&key(), 1, |_| true));
        let fourth = waits(flights.join(&key(), 1, |_| true));
        third.ends(None);
        assert!(fourth.end().await.is_some_and(|end| end.is_none()), "a failure is told, not given");
        let fifth = leads(flights.join(&key(), 1, |_| true));
        let sixth = waits(flights.join(&key(), 1, |_| true));
        drop(fifth);
        assert!(sixth.end().await.is_none(), "who waits for one that is gone asks anew");
        leads(flights.join(&key(), 1, |_| true)).ends(None);
        assert!(flights.runs.lock().is_empty());
    }

    #[tokio::test]
    async fn who_comes_after_a_write_does_not_share_a_run_from_before_it() {
        let flights = Flights::default();
        let old = leads(flights.join(&key(), 1, |_| true));
        let early = waits(flights.join(&key(), 1, |number| number >= 1));
        let new = leads(flights.join(&key(), 2, |number| number >= 2));
        old.ends(Some(kept()));
        assert!(early.end().await.is_some());
        let late = waits(flights.join(&key(), 2, |number| number >= 2));
        new.ends(Some(kept()));
        assert!(late.end().await.is_some(), "the end of the old run took nothing of the new one's");
    }
}
