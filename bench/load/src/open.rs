//! The open loop: requests go out by schedule, whether or not earlier ones are answered. It tells the latency
//! that a caller would see at that rate.
//!
//! Latency is counted from the intended start. When every connection is busy a request waits for one, and the
//! wait counts as the server's. What the generator itself is late (a connection was free, the time had come,
//! and still the request left later) is counted apart as lag: too much of it makes the run worthless.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::bail;
use hdrhistogram::Histogram;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::client::Connection;
use crate::closed::{Reading, Timing};
use crate::schedule::Schedule;
use crate::statistics::{Percentiles, new_histogram, percentiles, record};
use crate::workload::{Traffic, Workload, connect};

/// A request that leaves later than this through the generator's fault has lagged.
const LAG: Duration = Duration::from_micros(100);
/// How long after the last intended start a request may still leave; beyond it, it is dropped.
const GRACE: Duration = Duration::from_secs(1);
/// The timer of the runtime counts milliseconds: below this, waiting is done by turning.
const TIMER_IS_TOO_COARSE_FOR: Duration = Duration::from_millis(3);

/// What one run found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OpenRun {
    pub(crate) latency: Percentiles,
    /// Share of requests that left late through the generator's fault.
    pub(crate) lagged: f64,
    /// Requests that never left.
    pub(crate) dropped: u64,
    /// As in a closed loop: what neither server nor generator used, in parts of one core.
    pub(crate) others_busy: f64,
}

struct Shared {
    due: RefCell<VecDeque<Instant>>,
    arrived: Notify,
    ended: Cell<bool>,
    measured_from: Instant,
    histogram: RefCell<Histogram<u64>>,
    sent: Cell<u64>,
    lagged: Cell<u64>,
}

/// Runs the workload at a fixed rate over `connections` connections; what is due in the warm-up is not recorded.
///
/// # Errors
/// When any request was not answered as it should be.
pub(crate) async fn run(
    traffic: &Rc<Traffic>,
    workload: Workload,
    connections: usize,
    per_second: f64,
    timing: Timing,
    ticks_per_second: u32,
) -> anyhow::Result<OpenRun> {
    let opened = connect(traffic, connections).await?;
    let schedule = Schedule::new(per_second, timing.warm_up + timing.measure);
    let begin = Instant::now();
    let shared = Rc::new(Shared {
        due: RefCell::default(),
        arrived: Notify::new(),
        ended: Cell::new(false),
        measured_from: begin + timing.warm_up,
        histogram: RefCell::new(new_histogram()?),
        sent: Cell::new(0),
        lagged: Cell::new(0),
    });
    let mut tasks = JoinSet::new();
    for connection in opened {
        tasks.spawn_local(serve_due(Rc::clone(&shared), Rc::clone(traffic), connection, workload));
    }
    let before = Reading::take(traffic, ticks_per_second, 0)?;
    release_by_schedule(&shared, schedule, begin).await;
    let dropped = drain(&shared).await;
    let others_busy = before.until(&Reading::take(traffic, ticks_per_second, 0)?).others_busy;
    while let Some(ended) = tasks.join_next().await {
        ended?;
    }
    if let Some(failure) = traffic.failure() {
        bail!("{}, {} at {per_second:.0}/s: {failure}", traffic.target().name, workload.name());
    }
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 requests")]
    let lagged = shared.lagged.get() as f64 / shared.sent.get().max(1) as f64;
    Ok(OpenRun { latency: percentiles(&shared.histogram.borrow()), lagged, dropped, others_busy })
}

/// Puts each request into the queue when its time has come.
async fn release_by_schedule(shared: &Shared, schedule: Schedule, begin: Instant) {
    let mut index = 0;
    while index < schedule.total() {
        let due = begin + schedule.due(index);
        let now = Instant::now();
        if due <= now {
            shared.due.borrow_mut().push_back(due);
            shared.arrived.notify_one();
            index += 1;
        } else if due - now > TIMER_IS_TOO_COARSE_FOR {
            tokio::time::sleep(due - now - TIMER_IS_TOO_COARSE_FOR).await;
        } else {
            // Lets the kernel's own threads have the core for a moment, then looks at the sockets.
            std::thread::yield_now();
            tokio::task::yield_now().await;
        }
    }
}

/// Waits for what is queued to leave; returns how many requests never did.
async fn drain(shared: &Shared) -> u64 {
    let deadline = Instant::now() + GRACE;
    while !shared.due.borrow().is_empty() && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let dropped = u64::try_from(std::mem::take(&mut *shared.due.borrow_mut()).len()).unwrap_or(u64::MAX);
    shared.ended.set(true);
    shared.arrived.notify_waiters();
    dropped
}

/// One connection: takes what is due, sends it, records how long it took since its intended start.
async fn serve_due(shared: Rc<Shared>, traffic: Rc<Traffic>, mut connection: Connection, workload: Workload) {
    let mut request = Vec::new();
    let mut free_since = Instant::now();
    while !shared.ended.get() {
        let next = shared.due.borrow_mut().pop_front();
        let Some(intended) = next else {
            shared.arrived.notified().await;
            continue;
        };
        let late = Instant::now() - intended.max(free_since);
        shared.sent.set(shared.sent.get() + 1);
        if late > LAG {
            shared.lagged.set(shared.lagged.get() + 1);
        }
        if !traffic.exchange(&mut connection, workload, &mut request).await {
            return;
        }
        free_since = Instant::now();
        if intended >= shared.measured_from {
            record(&mut shared.histogram.borrow_mut(), free_since - intended);
        }
    }
}
