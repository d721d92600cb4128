//! Until when what a connection has begun must be over.
//!
//! A request has a time for all of it, and its answer a little more, so that a refusal for being late still goes out.
//! Whoever reads too slowly, or not at all, is found here, whatever the protocol. Source: docs/reference/http.md, *Limits*.

use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// The deadlines of one connection.
#[derive(Debug)]
pub(crate) struct Deadlines {
    /// For a request, its answer included.
    whole: Duration,
    /// For its first request, and for what is still to be written afterwards.
    grace: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    open: Vec<(u64, Instant)>,
    /// Of the request that began last.
    newest: Option<Instant>,
    /// Until when what is handed to the system must be taken by it.
    writing: Option<Instant>,
    /// Until when there must be a request.
    first: Option<Instant>,
}

impl Deadlines {
    /// For requests that may take `request`, on a connection whose peer may take `grace` to say something.
    pub(crate) fn new(request: Duration, grace: Duration) -> Arc<Self> {
        // A wait of nothing would turn in circles.
        let grace = grace.max(Duration::from_millis(1));
        let state = State { first: Some(Instant::now() + grace), ..State::default() };
        Arc::new(Self { whole: request.saturating_add(grace), grace, state: Mutex::new(state) })
    }

    /// A request begins; it is open until what this gives is dropped.
    pub(crate) fn begin(self: &Arc<Self>) -> Open {
        let until = Instant::now() + self.whole;
        let mut state = self.state.lock();
        let number = state.next;
        state.next += 1;
        state.open.push((number, until));
        state.newest = Some(until);
        state.first = None;
        Open { deadlines: self.clone(), number }
    }

    /// Something is to be written.
    pub(crate) fn writing(&self) {
        let mut state = self.state.lock();
        if state.writing.is_none() {
            let soonest = Instant::now() + self.grace;
            state.writing = Some(state.newest.map_or(soonest, |newest| newest.max(soonest)));
        }
    }

    /// The system has taken all that was to be written.
    pub(crate) fn written(&self) {
        self.state.lock().writing = None;
    }

    /// Waits until something is not over in time.
    pub(crate) async fn missed(&self) {
        loop {
            let now = Instant::now();
            let soonest = self.state.lock().soonest();
            if soonest.is_some_and(|soonest| soonest <= now) {
                return;
            }
            // What begins meanwhile has at least that long.
            let look = now + self.grace;
            sleep_until(soonest.map_or(look, |soonest| soonest.min(look))).await;
        }
    }
}

impl State {
    fn soonest(&self) -> Option<Instant> {
        let open = self.open.iter().map(|(_, until)| *until).min();
        [open, self.writing, self.first].into_iter().flatten().min()
    }
}

/// A request that is not over.
#[derive(Debug)]
pub(crate) struct Open {
    deadlines: Arc<Deadlines>,
    number: u64,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.deadlines.state.lock().open.retain(|(number, _)| *number != self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// After how many seconds something is missed, at most 60.
    async fn missed(deadlines: &Deadlines) -> Option<u64> {
        let began = Instant::now();
        let missed = tokio::time::timeout(60 * SECOND, deadlines.missed()).await;
        missed.ok().map(|()| began.elapsed().as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_and_its_answer_have_a_time() {
        let deadlines = Deadlines::new(20 * SECOND, 3 * SECOND);
        let open = deadlines.begin();
        let other = deadlines.begin();
        drop(open);
        assert_eq!(missed(&deadlines).await, Some(23));
        drop(other);
        assert_eq!(missed(&deadlines).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn who_says_nothing_and_who_reads_nothing_is_missed() {
        let deadlines = Deadlines::new(20 * SECOND, 3 * SECOND);
        assert_eq!(missed(&deadlines).await, Some(3));
        drop(deadlines.begin());
        deadlines.writing();
        assert_eq!(missed(&deadlines).await, Some(23));
        deadlines.written();
        assert_eq!(missed(&deadlines).await, None);
        deadlines.writing();
        assert_eq!(missed(&deadlines).await, Some(3));
    }
}
