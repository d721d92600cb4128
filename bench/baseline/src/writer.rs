//! The one thread that writes: takes jobs, runs each in a savepoint, commits a group with one flush, and only
//! then answers, a refusal as well, since it may rest on a neighbour's row.
//!
//! It also owns the checkpoints: automatic ones would run inside a commit, and none at all would let the log
//! grow without end. What a job's values are is settled by `http` before it comes here, so that this thread
//! does nothing but SQL.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use anyhow::Context;
use rusqlite::{Connection, ErrorCode, OptionalExtension, Statement, params};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use crate::store;

/// A group ends at this many jobs …
const GROUP_MAX: usize = 256;
/// … or after this much work.
const GROUP_TIME: Duration = Duration::from_millis(5);
/// Jobs that may wait; beyond it a request is refused with 503.
const QUEUE_MAX: usize = 8192;
/// Pages of the log from which a pause is used to move them into the database: 16 MiB.
const CHECKPOINT_WHEN_IDLE: u32 = 4096;
/// A pause is this long without a job: shorter ones come between the groups of any load.
const IDLE_AFTER: Duration = Duration::from_millis(50);
/// Pages at which the log is moved however busy the writer is: 128 MiB. A trade: against 64 MiB and checkpoints at
/// every empty queue, at 80 % load, the p99 of the mix on 16 connections went from 9 to 4 ms, and that of writes
/// alone on 64 connections from 23 to 40 ms, since a checkpoint is rarer and longer.
const CHECKPOINT_ALWAYS: u32 = 32_768;
/// Pages at which the writer waits for readers, so that the log starts anew: 256 MiB.
const CHECKPOINT_WAITING: u32 = 65_536;

/// A row of the outbox, apart from its data.
pub(crate) struct Event {
    pub(crate) id: Uuid,
    pub(crate) at_micros: i64,
}

/// What the writer is asked to do.
pub(crate) enum Work {
    /// Insert a link and `link.created`.
    Create {
        id: Uuid,
        slug: String,
        url: String,
        owner_id: String,
        expires_at: Option<i64>,
        event: Event,
        event_data: String,
    },
    /// Count a visit, insert it, and `link.visited`, whose data needs the link's id.
    Follow { slug: String, visit_id: Uuid, event: Event },
}

/// How it went; known only after the flush.
#[derive(Debug)]
pub(crate) enum Outcome {
    Created,
    SlugTaken,
    Redirect(String),
    NotFound,
    Expired,
    /// The group was not committed, or the statement failed; nothing of the job is kept.
    Failed,
}

/// The outcomes of one group for one worker: one wake-up instead of one per job.
pub(crate) type Delivery = Vec<(oneshot::Sender<Outcome>, Outcome)>;

struct Job {
    work: Work,
    worker: usize,
    reply: oneshot::Sender<Outcome>,
}

/// The way to the writing thread.
#[derive(Clone)]
pub(crate) struct Writer(SyncSender<Job>);

impl Writer {
    /// Opens the database, making it when absent, and starts the thread; each worker gets its outcomes on its
    /// own channel. The thread ends with the last `Writer` or the process, and no answer is owed then: each
    /// acknowledged job is on disk.
    pub(crate) fn start(path: &Path, workers: Vec<mpsc::UnboundedSender<Delivery>>) -> anyhow::Result<Self> {
        let mut connection =
            store::open_writer(path).with_context(|| format!("cannot open {}", path.display()))?;
        let log_pages = Arc::new(AtomicU32::new(0));
        let seen = Arc::clone(&log_pages);
        // A hook of one's own replaces the automatic checkpoint.
        connection.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages: std::ffi::c_int| {
            seen.store(u32::try_from(pages).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        }))?;
        let (sender, jobs) = sync_channel(QUEUE_MAX);
        std::thread::Builder::new()
            .name("writer".to_owned())
            .spawn(move || write_until_closed(&connection, &jobs, &workers, &log_pages))?;
        Ok(Self(sender))
    }

    /// Queues the work; `Failed` at once when the queue is full.
    pub(crate) async fn submit(&self, worker: usize, work: Work) -> Outcome {
        let (reply, outcome) = oneshot::channel();
        if self.0.try_send(Job { work, worker, reply }).is_err() {
            return Outcome::Failed;
        }
        outcome.await.unwrap_or(Outcome::Failed)
    }
}

fn write_until_closed(
    connection: &Connection,
    jobs: &Receiver<Job>,
    workers: &[mpsc::UnboundedSender<Delivery>],
    log_pages: &AtomicU32,
) {
    let mut statements = match Statements::prepare(connection) {
        Ok(statements) => statements,
        // The jobs' replies are dropped with the receiver, so that each is answered with 503.
        Err(_) => return,
    };
    while let Some(first) = next_job(connection, jobs, log_pages) {
        let mut deliveries: Vec<Delivery> = workers.iter().map(|_| Delivery::new()).collect();
        let committed = statements.run_group(first, jobs, &mut deliveries);
        for (worker, mut delivery) in workers.iter().zip(deliveries) {
            if !committed {
                delivery.iter_mut().for_each(|(_, outcome)| *outcome = Outcome::Failed);
            }
            if !delivery.is_empty() {
                // A worker that is gone has nobody left to answer.
                let _ = worker.send(delivery);
            }
        }
        if log_pages.load(Ordering::Relaxed) >= CHECKPOINT_ALWAYS {
            checkpoint(connection, log_pages);
        }
    }
}

/// Waits for the next job, and uses a pause for the checkpoint; `None` when none will come.
fn next_job(connection: &Connection, jobs: &Receiver<Job>, log_pages: &AtomicU32) -> Option<Job> {
    if log_pages.load(Ordering::Relaxed) >= CHECKPOINT_WHEN_IDLE {
        match jobs.recv_timeout(IDLE_AFTER) {
            Ok(job) => return Some(job),
            Err(RecvTimeoutError::Timeout) => checkpoint(connection, log_pages),
            Err(RecvTimeoutError::Disconnected) => return None,
        }
    }
    jobs.recv().ok()
}

/// Moves the log into the database. When it fails the log stays as it is, and the next commit tells its length.
fn checkpoint(connection: &Connection, log_pages: &AtomicU32) {
    let mode = match log_pages.load(Ordering::Relaxed) {
        CHECKPOINT_WAITING.. => "PRAGMA wal_checkpoint(RESTART)",
        _ => "PRAGMA wal_checkpoint(PASSIVE)",
    };
    // Forgotten until the next commit tells the length again: a reader may have kept the log from starting anew.
    if connection.query_row(mode, [], |_| Ok(())).is_ok() {
        log_pages.store(0, Ordering::Relaxed);
    }
}

/// Every statement of the writer, prepared once.
struct Statements<'c> {
    begin: Statement<'c>,
    commit: Statement<'c>,
    rollback: Statement<'c>,
    savepoint: Statement<'c>,
    release: Statement<'c>,
    rollback_to: Statement<'c>,
    insert_link: Statement<'c>,
    count_visit: Statement<'c>,
    has_slug: Statement<'c>,
    insert_visit: Statement<'c>,
    insert_event: Statement<'c>,
}

impl<'c> Statements<'c> {
    fn prepare(connection: &'c Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            begin: connection.prepare("BEGIN IMMEDIATE")?,
            commit: connection.prepare("COMMIT")?,
            rollback: connection.prepare("ROLLBACK")?,
            savepoint: connection.prepare("SAVEPOINT job")?,
            release: connection.prepare("RELEASE job")?,
            rollback_to: connection.prepare("ROLLBACK TO job")?,
            insert_link: connection.prepare(
                r#"INSERT INTO "link" ("id", "slug", "url", "owner_id", "expires_at", "created_at")
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6)"#,
            )?,
            count_visit: connection.prepare(
                r#"UPDATE "link" SET "visit_count" = "visit_count" + 1, "_version" = "_version" + 1
                   WHERE "slug" = ?1 AND ("expires_at" IS NULL OR "expires_at" > ?2) RETURNING "id", "url""#,
            )?,
            has_slug: connection.prepare(r#"SELECT 1 FROM "link" WHERE "slug" = ?1"#)?,
            insert_visit: connection
                .prepare(r#"INSERT INTO "visit" ("id", "link_id", "visited_at") VALUES (?1, ?2, ?3)"#)?,
            insert_event: connection.prepare(
                r#"INSERT INTO "_outbox" ("id", "event", "data", "created_at") VALUES (?1, ?2, ?3, ?4)"#,
            )?,
        })
    }

    /// Runs the first job and those that wait behind it; true when they are on disk.
    fn run_group(&mut self, first: Job, jobs: &Receiver<Job>, deliveries: &mut [Delivery]) -> bool {
        let began = self.begin.execute([]).is_ok();
        let started = Instant::now();
        let mut next = Some(first);
        let mut count = 0;
        while let Some(job) = next {
            let outcome = if began { self.run_job(&job.work) } else { Outcome::Failed };
            if let Some(delivery) = deliveries.get_mut(job.worker) {
                delivery.push((job.reply, outcome));
            }
            count += 1;
            next = if count >= GROUP_MAX || started.elapsed() >= GROUP_TIME {
                None
            } else {
                // Nothing waits: let a worker on the same core finish what it has read, then look once more.
                jobs.try_recv().ok().or_else(|| {
                    std::thread::yield_now();
                    jobs.try_recv().ok()
                })
            };
        }
        let committed = began && self.commit.execute([]).is_ok();
        if began && !committed {
            // Fails when SQLite has rolled back by itself, which is what is wanted.
            let _ = self.rollback.execute([]);
        }
        committed
    }

    /// All of the job or nothing of it.
    fn run_job(&mut self, work: &Work) -> Outcome {
        if self.savepoint.execute([]).is_err() {
            return Outcome::Failed;
        }
        let result = match work {
            Work::Create { id, slug, url, owner_id, expires_at, event, event_data } => self
                .insert_link
                .execute(params![id.as_bytes(), slug, url, owner_id, expires_at, event.at_micros])
                .and_then(|_| self.emit(event, "link.created", event_data))
                .map(|()| Outcome::Created),
            Work::Follow { slug, visit_id, event } => self.follow(slug, visit_id, event),
        };
        let outcome = result.unwrap_or_else(|error| match error.sqlite_error_code() {
            Some(ErrorCode::ConstraintViolation) => Outcome::SlugTaken,
            _ => Outcome::Failed,
        });
        let kept = matches!(outcome, Outcome::Created | Outcome::Redirect(_));
        let ended = if kept { Ok(0) } else { self.rollback_to.execute([]) };
        match ended.and_then(|_| self.release.execute([])) {
            Ok(_) => outcome,
            Err(_) => Outcome::Failed,
        }
    }

    fn follow(&mut self, slug: &str, visit_id: &Uuid, event: &Event) -> rusqlite::Result<Outcome> {
        let found = self
            .count_visit
            .query_row(params![slug, event.at_micros], |row| {
                Ok((Uuid::from_bytes(row.get::<_, [u8; 16]>(0)?), row.get::<_, String>(1)?))
            })
            .optional()?;
        let Some((link_id, url)) = found else {
            return Ok(if self.has_slug.exists([slug])? { Outcome::Expired } else { Outcome::NotFound });
        };
        self.insert_visit.execute(params![visit_id.as_bytes(), link_id.as_bytes(), event.at_micros])?;
        let data = crate::http::visited_event(event, link_id, slug);
        self.emit(event, "link.visited", &data)?;
        Ok(Outcome::Redirect(url))
    }

    fn emit(&mut self, event: &Event, name: &str, data: &str) -> rusqlite::Result<()> {
        self.insert_event.execute(params![event.id.as_bytes(), name, data, event.at_micros])?;
        Ok(())
    }
}
