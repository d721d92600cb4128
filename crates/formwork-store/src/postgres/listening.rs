//! The link on which a node hears what the others commit: a connection of its own that listens.
//!
//! What was committed before a question on it was asked has been heard when the answer comes, so that a link that answers
//! is at most as far behind as its last question. Before the first answer and behind the last nothing counts as heard.

use super::address::Address;
use super::errors::Failed;
use super::session::runtime;
use crate::commits::Commits;
use crate::statements::quoted;
use parking_lot::{Condvar, Mutex};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio_postgres::{Client, SimpleQueryMessage};

/// How often the link is asked for a sign of life.
const ASKS: Duration = Duration::from_millis(200);
/// How long an answer may take before the link counts as lost.
const ANSWERS: Duration = Duration::from_millis(800);
/// The pause before a link that was lost is made anew.
const AGAIN: Duration = Duration::from_millis(100);
/// How long a start waits for the first link; it is made later all the same.
const FIRST: Duration = Duration::from_secs(2);

/// The channel of a schema, as SQL.
const CHANNEL: &str = "'formwork_' || md5(current_schema())";

/// The statement that tells a text to every node.
pub(super) fn telling(text: &str) -> String {
    format!("SELECT pg_notify({CHANNEL}, '{}')", text.replace('\'', "''"))
}

/// The thread that listens.
pub(super) struct Listening {
    stop: Arc<Notify>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What it shares with who waits for the first link.
type First = Arc<(Mutex<bool>, Condvar)>;

impl Listening {
    /// Begins to listen, and waits a little until it does.
    pub(super) fn start(address: Address, commits: Arc<Commits>, node: String) -> std::io::Result<Self> {
        let stop = Arc::new(Notify::new());
        let first: First = Arc::default();
        let (stopping, begun) = (Arc::clone(&stop), Arc::clone(&first));
        let runtime = runtime()?;
        let thread = std::thread::Builder::new().name("store-listening".to_owned()).spawn(move || {
            let link = Link { address, commits, node, first: begun };
            runtime.block_on(async {
                tokio::select! {
                    () = stopping.notified() => {}
                    () = link.keep() => {}
                }
            });
            link.commits.deaf();
        })?;
        let mut is_up = first.0.lock();
        if !*is_up {
            first.1.wait_for(&mut is_up, FIRST);
        }
        Ok(Self { stop, thread: Mutex::new(Some(thread)) })
    }

    /// Listens no more.
    pub(super) fn close(&self) {
        self.stop.notify_one();
        if let Some(thread) = self.thread.lock().take() {
            // A thread that has panicked has nothing left to end.
            let _ = thread.join();
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.close();
    }
}

struct Link {
    address: Address,
    commits: Arc<Commits>,
    node: String,
    first: First,
}

impl Link {
    /// Makes the link again and again.
    async fn keep(&self) {
        loop {
            if let Ok(client) = self.connect().await {
                self.until_lost(&client).await;
            }
            self.commits.deaf();
            tokio::time::sleep(AGAIN).await;
        }
    }

    async fn connect(&self) -> Result<Client, Failed> {
        let (commits, node) = (Arc::clone(&self.commits), self.node.clone());
        let told = move |text: Option<&str>| match text {
            Some(text) => commits.hear(text, &node),
            None => commits.deaf(),
        };
        let client = self.address.listen(Box::new(told)).await?;
        if let Some(schema) = self.address.schema() {
            client.batch_execute(&format!("SET search_path = {}", quoted(schema))).await?;
        }
        let found = client.simple_query(&format!("SELECT {CHANNEL}")).await?;
        let channel = found.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        });
        client.batch_execute(&format!("LISTEN {}", quoted(channel.unwrap_or_default()))).await?;
        // What was committed while nobody listened is not known.
        self.commits.note_everything();
        Ok(client)
    }

    async fn until_lost(&self, client: &Client) {
        loop {
            let asked = Instant::now();
            match tokio::time::timeout(ANSWERS, client.simple_query("SELECT 1")).await {
                Ok(Ok(_)) if !client.is_closed() => self.commits.heard(asked),
                _ => return,
            }
            *self.first.0.lock() = true;
            self.first.1.notify_all();
            tokio::time::sleep(ASKS).await;
        }
    }
}
