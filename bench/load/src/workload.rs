//! What is asked of a server: point reads of preloaded links, durable writes of fresh ones, or four reads to
//! one write.

use std::cell::{Cell, RefCell};
use std::io::Write;

use anyhow::bail;

use crate::client::Connection;
use crate::servers::Target;

/// A kind of traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Workload {
    Reads,
    Writes,
    Mix,
}

impl Workload {
    /// In the order of the report.
    pub(crate) const ALL: [Self; 3] = [Self::Reads, Self::Writes, Self::Mix];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Reads => "reads",
            Self::Writes => "durable writes",
            Self::Mix => "80/20 mix",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    GetLink,
    CreateLink,
}

/// The requests for one server: which links it has, and how many writes it has acknowledged.
///
/// Shared by all connections of a run, and kept over the runs on one server.
pub(crate) struct Traffic {
    target: Target,
    preloaded: Cell<u64>,
    fresh: Cell<u64>,
    acknowledged: Cell<u64>,
    random: Cell<u64>,
    failure: RefCell<Option<String>>,
}

impl Traffic {
    pub(crate) fn new(target: Target) -> Self {
        Self {
            target,
            preloaded: Cell::new(0),
            fresh: Cell::new(0),
            acknowledged: Cell::new(0),
            random: Cell::new(0x9e37_79b9_7f4a_7c15),
            failure: RefCell::new(None),
        }
    }

    pub(crate) fn target(&self) -> &Target {
        &self.target
    }

    /// Links that the server has confirmed with 201.
    pub(crate) fn acknowledged(&self) -> u64 {
        self.acknowledged.get()
    }

    /// From now on, reads ask for any of the links made so far.
    pub(crate) fn end_preload(&self) {
        self.preloaded.set(self.fresh.get());
    }

    /// What went wrong first, for the message of a run that failed.
    pub(crate) fn failure(&self) -> Option<String> {
        self.failure.borrow().clone()
    }

    /// Sends the next request of the workload and waits for its answer; false when it is not the one expected.
    pub(crate) async fn exchange(
        &self,
        connection: &mut Connection,
        workload: Workload,
        request: &mut Vec<u8>,
    ) -> bool {
        let operation = self.choose(workload);
        self.write_request(operation, request);
        let outcome = match (operation, connection.exchange(request).await) {
            (Operation::GetLink, Ok(answer)) if answer.status == 200 => Ok(()),
            (Operation::CreateLink, Ok(answer)) if answer.status == 201 => {
                self.acknowledged.set(self.acknowledged.get() + 1);
                Ok(())
            }
            (_, Ok(answer)) => Err(unexpected(answer.status, answer.body)),
            (_, Err(error)) => Err(error),
        };
        match outcome {
            Ok(()) => true,
            Err(error) => {
                self.failure.borrow_mut().get_or_insert_with(|| format!("{error:#}"));
                false
            }
        }
    }

    fn choose(&self, workload: Workload) -> Operation {
        let write = match workload {
            Workload::Reads => false,
            Workload::Writes => true,
            Workload::Mix => self.next_random().is_multiple_of(5),
        };
        if write { Operation::CreateLink } else { Operation::GetLink }
    }

    fn write_request(&self, operation: Operation, request: &mut Vec<u8>) {
        request.clear();
        let Target { address, key, .. } = &self.target;
        // Writing to memory does not fail.
        let _ = match operation {
            Operation::GetLink => {
                let slug = slug(self.next_random() % self.preloaded.get().max(1));
                write!(
                    request,
                    "GET /links/{slug} HTTP/1.1\r\nHost: {address}\r\nX-API-Key: {key}\r\n\
                     Accept: application/json\r\n\r\n"
                )
            }
            Operation::CreateLink => {
                let number = self.fresh.replace(self.fresh.get() + 1);
                let slug = slug(number);
                let body =
                    format!(r#"{{"url":"https://example.com/a/long/path?page={number}","slug":"{slug}"}}"#);
                write!(
                    request,
                    "POST /links HTTP/1.1\r\nHost: {address}\r\nX-API-Key: {key}\r\n\
                     Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                )
            }
        };
    }

    fn next_random(&self) -> u64 {
        self.random.set(self.random.get().wrapping_add(1));
        scatter(self.random.get())
    }
}

fn unexpected(status: u16, body: &[u8]) -> anyhow::Error {
    anyhow::anyhow!("answer {status}: {}", String::from_utf8_lossy(body))
}

/// The name of link `number`: scattered over the index, and a different one for every number.
fn slug(number: u64) -> String {
    format!("s-{:016x}", scatter(number))
}

/// A permutation of the 64-bit numbers (the finaliser of SplitMix64).
fn scatter(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Opens as many connections as a run has.
pub(crate) async fn connect(traffic: &Traffic, count: usize) -> anyhow::Result<Vec<Connection>> {
    let mut connections = Vec::with_capacity(count);
    for _ in 0..count {
        connections.push(Connection::open(traffic.target.address).await?);
    }
    Ok(connections)
}

/// Makes the links that reads ask for, through the API, on 64 connections.
pub(crate) async fn preload(traffic: &std::rc::Rc<Traffic>, count: u64) -> anyhow::Result<()> {
    let mut tasks = tokio::task::JoinSet::new();
    for mut connection in connect(traffic, 64).await? {
        let traffic = std::rc::Rc::clone(traffic);
        tasks.spawn_local(async move {
            let mut request = Vec::new();
            while traffic.fresh.get() < count {
                if !traffic.exchange(&mut connection, Workload::Writes, &mut request).await {
                    return;
                }
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended?;
    }
    if let Some(failure) = traffic.failure() {
        bail!("preloading {} failed: {failure}", traffic.target.name);
    }
    traffic.end_preload();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traffic() -> Traffic {
        let address = std::net::SocketAddr::from(([127, 0, 0, 1], 1));
        Traffic::new(Target { name: "test", address, key: "k".to_owned(), pid: 0 })
    }

    #[test]
    fn every_fresh_slug_is_another_one_and_legal() {
        let slugs: std::collections::BTreeSet<_> = (0..10_000).map(slug).collect();
        assert_eq!(slugs.len(), 10_000);
        assert!(slugs.iter().all(|slug| (3..=32).contains(&slug.len())));
    }

    #[test]
    fn the_mix_has_one_write_in_five() {
        let traffic = traffic();
        let writes = (0..10_000).filter(|_| traffic.choose(Workload::Mix) == Operation::CreateLink).count();
        assert!((1_900..2_100).contains(&writes), "{writes}");
    }

    #[test]
    fn a_write_announces_the_length_of_its_body() {
        let mut request = Vec::new();
        traffic().write_request(Operation::CreateLink, &mut request);
        let text = String::from_utf8(request).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("Content-Length: {}", body.len())), "{head}");
    }

    #[test]
    fn reads_ask_only_for_preloaded_links() {
        let traffic = traffic();
        traffic.fresh.set(3);
        traffic.end_preload();
        traffic.fresh.set(1_000);
        let known: Vec<String> = (0..3).map(slug).collect();
        for _ in 0..100 {
            let mut request = Vec::new();
            traffic.write_request(Operation::GetLink, &mut request);
            let text = String::from_utf8(request).unwrap();
            assert!(known.iter().any(|slug| text.starts_with(&format!("GET /links/{slug} "))), "{text}");
        }
    }
}
