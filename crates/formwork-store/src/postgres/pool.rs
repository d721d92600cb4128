//! Threads with a connection each, and the queue that they take work from.
//!
//! The engine's transaction is synchronous, so that a call occupies a thread for as long as it runs; each thread
//! drives its own connection, and a statement wakes no other thread. A connection that is lost is made anew when the
//! next work comes, and so is every other one that was made before it: when a server has gone, it has taken all of
//! them along, and a call must not meet one dead connection after the other. While the database is away work ends at
//! once as unavailable, and one thread looks for it.

use super::address::Address;
use super::errors::Failed;
use super::session::{Patience, Session, runtime};
use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often the one thread looks for a database that is away.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// How often an attempt is made that fails while another thread's succeeds.
const TRIES: u32 = 3;

/// Something to do on a session; without one when the database is away. False when the session was lost.
pub(crate) type Work = Box<dyn FnOnce(Option<&mut Session>) -> bool + Send>;

/// A connection, and how many losses there had been when it was begun.
struct Connection {
    session: Session,
    losses: u64,
}

/// What the threads share.
struct Queue {
    waiting: Mutex<Waiting>,
    filled: Condvar,
    capacity: usize,
    away: AtomicBool,
    /// Counts losses: a connection that was made before the last one is not used again.
    lost: AtomicU64,
    /// Counts connections made: an attempt that fails after another's success does not mean that all is away.
    made: AtomicU64,
    address: Address,
    patience: Patience,
    statements: usize,
}

#[derive(Default)]
struct Waiting {
    work: VecDeque<Work>,
    closed: bool,
    running: usize,
}

/// Why work was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotTaken {
    Full,
    Closed,
}

/// The threads.
pub(crate) struct Pool {
    queue: Arc<Queue>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Pool {
    /// Threads that connect when work comes.
    pub(crate) fn start(
        address: Address,
        patience: Patience,
        statements: usize,
        (threads, capacity): (usize, usize),
    ) -> std::io::Result<Self> {
        let queue = Arc::new(Queue {
            waiting: Mutex::default(),
            filled: Condvar::new(),
            capacity,
            away: AtomicBool::new(false),
            lost: AtomicU64::new(0),
            made: AtomicU64::new(0),
            address,
            patience,
            statements,
        });
        let pool = Self { queue, threads: Mutex::default() };
        for number in 0..threads.max(1) {
            let queue = Arc::clone(&pool.queue);
            let thread = std::thread::Builder::new()
                .name(format!("store-{number}"))
                .spawn(move || queue.take_until_closed(number == 0))?;
            pool.threads.lock().push(thread);
        }
        Ok(pool)
    }

    /// Hands over work.
    pub(crate) fn hand(&self, work: Work) -> Result<(), NotTaken> {
        let mut waiting = self.queue.waiting.lock();
        if waiting.closed {
            return Err(NotTaken::Closed);
        }
        if waiting.work.len() >= self.queue.capacity {
            return Err(NotTaken::Full);
        }
        waiting.work.push_back(work);
        drop(waiting);
        self.queue.filled.notify_one();
        Ok(())
    }

    /// Whether the database was away when it was last asked.
    pub(crate) fn is_away(&self) -> bool {
        self.queue.away.load(Ordering::Relaxed)
    }

    /// Takes no more work; what waits is done first.
    pub(crate) fn close(&self) {
        self.queue.waiting.lock().closed = true;
        self.queue.filled.notify_all();
    }

    /// Whether a closed pool has nothing left to do.
    pub(crate) fn is_done(&self) -> bool {
        let waiting = self.queue.waiting.lock();
        waiting.work.is_empty() && waiting.running == 0
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.close();
        for thread in self.threads.get_mut().drain(..) {
            // A thread that has panicked has nothing left to end.
            let _ = thread.join();
        }
    }
}

impl Queue {
    fn take_until_closed(&self, looks: bool) {
        let mut connection = None;
        // When the database was last found to be away.
        let mut failed: Option<Instant> = None;
        loop {
            let Some(work) = self.next(looks) else {
                if self.waiting.lock().closed {
                    return;
                }
                // A connection from before says nothing of the database now.
                connection = None;
                self.connect(&mut connection, &mut failed);
                continue;
            };
            self.connect(&mut connection, &mut failed);
            let session = connection.as_mut().map(|connection| &mut connection.session);
            // A panic is a fault of ours; the one who waits is told that the reply will not come.
            let usable = catch_unwind(AssertUnwindSafe(|| work(session))).unwrap_or(false);
            if !usable {
                self.lose(connection.take());
            }
            self.waiting.lock().running -= 1;
        }
    }

    /// The next work; nothing when the pool is closed, or when it is time to look whether the database is back.
    fn next(&self, looks: bool) -> Option<Work> {
        let mut waiting = self.waiting.lock();
        loop {
            if let Some(work) = waiting.work.pop_front() {
                waiting.running += 1;
                return Some(work);
            }
            if waiting.closed {
                return None;
            }
            if looks && self.away.load(Ordering::Relaxed) {
                if self.filled.wait_for(&mut waiting, LOOK_AGAIN).timed_out() {
                    return None;
                }
            } else {
                self.filled.wait(&mut waiting);
            }
        }
    }

    /// Makes a connection when there is none that can be relied on, unless that has just failed.
    fn connect(&self, connection: &mut Option<Connection>, failed: &mut Option<Instant>) {
        let losses = self.lost.load(Ordering::Acquire);
        if connection.as_ref().is_some_and(|made| made.losses == losses && !made.session.is_closed()) {
            return;
        }
        *connection = None;
        let just_now = |at: Instant| self.away.load(Ordering::Acquire) && at.elapsed() < LOOK_AGAIN;
        if failed.is_some_and(just_now) {
            return;
        }
        for _ in 0..TRIES {
            let made = self.made.load(Ordering::Acquire);
            if let Some(Ok(session)) = self.open() {
                *connection = Some(Connection { session, losses });
                *failed = None;
                self.made.fetch_add(1, Ordering::AcqRel);
                self.away.store(false, Ordering::Release);
                return;
            }
            if self.made.load(Ordering::Acquire) == made {
                break;
            }
        }
        *failed = Some(Instant::now());
        // Under the lock, so that the thread that looks either sees it before it goes to sleep, or is woken by it.
        let waiting = self.waiting.lock();
        self.away.store(true, Ordering::Release);
        drop(waiting);
        self.filled.notify_all();
    }

    /// A connection was lost. Whoever else loses one that is as old has lost it to the same cause.
    fn lose(&self, connection: Option<Connection>) {
        if let Some(Connection { losses, .. }) = connection {
            let _ = self.lost.compare_exchange(losses, losses + 1, Ordering::AcqRel, Ordering::Acquire);
        }
    }

    fn open(&self) -> Option<Result<Session, Failed>> {
        let runtime = runtime().ok()?;
        Some(Session::open(runtime, &self.address, self.patience, self.statements))
    }
}
