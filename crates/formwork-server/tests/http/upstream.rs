//! A real upstream on loopback that does what a test tells it: answers, fails, hangs up, or says nothing.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the upstream does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Does {
    /// Answers with a status and a body.
    Answers(u16, String),
    /// Answers so after a while.
    AnswersLate(u16, String, Duration),
    /// Closes the connection without an answer.
    HangsUp,
    /// Never answers.
    SaysNothing,
}

/// A request that it has seen.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) line: String,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value)
    }
}

/// The upstream.
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    script: Arc<Mutex<VecDeque<Does>>>,
    seen: Arc<Mutex<Vec<Seen>>>,
    arrived: Arc<tokio::sync::Notify>,
}

impl Upstream {
    /// One that does these things in turn, and the last one again and again.
    pub(crate) async fn new(script: &[Does]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let upstream = Self {
            address,
            script: Arc::new(Mutex::new(script.iter().cloned().collect())),
            seen: Arc::default(),
            arrived: Arc::default(),
        };
        let (script, seen, arrived) =
            (upstream.script.clone(), upstream.seen.clone(), upstream.arrived.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (script, seen, arrived) = (script.clone(), seen.clone(), arrived.clone());
                tokio::spawn(async move { serve(stream, &script, &seen, &arrived).await });
            }
        });
        upstream
    }

    pub(crate) fn then(&self, does: &[Does]) {
        *self.script.lock().expect("no panic") = does.iter().cloned().collect();
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("no panic").clone()
    }

    /// Waits until so many requests have come.
    pub(crate) async fn has_seen(&self, count: usize) {
        loop {
            let arrived = self.arrived.notified();
            if self.seen().len() >= count {
                return;
            }
            arrived.await;
        }
    }
}

async fn serve(
    mut stream: TcpStream,
    script: &Mutex<VecDeque<Does>>,
    seen: &Mutex<Vec<Seen>>,
    arrived: &tokio::sync::Notify,
) {
    let Some(request) = read(&mut stream).await else { return };
    let does = {
        let mut script = script.lock().expect("no panic");
        if script.len() > 1 { script.pop_front() } else { script.front().cloned() }
    };
    seen.lock().expect("no panic").push(request);
    arrived.notify_waiters();
    let (status, body) = match does.expect("a script") {
        Does::Answers(status, body) => (status, body),
        Does::AnswersLate(status, body, after) => {
            tokio::time::sleep(after).await;
            (status, body)
        }
        Does::HangsUp => return,
        Does::SaysNothing => return std::future::pending().await,
    };
    let answer = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nx-said: yes\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let _ = stream.write_all(answer.as_bytes()).await;
}

async fn read(stream: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 8192];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let mut lines = head.lines();
            let line = lines.next()?.to_owned();
            let headers: Vec<(String, String)> = lines
                .filter_map(|line| line.split_once(": "))
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect();
            let length = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
            let length: usize = length.map_or(0, |(_, value)| value.parse().expect("a length"));
            if body.len() >= length {
                return Some(Seen { line, headers, body: body.to_owned() });
            }
        }
        match stream.read(&mut buffer).await {
            Ok(count @ 1..) => bytes.extend_from_slice(&buffer[..count]),
            _ => return None,
        }
    }
}
