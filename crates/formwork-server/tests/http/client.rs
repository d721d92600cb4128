//! A small HTTP client that sends exactly the bytes it is told, so that bad requests can be sent too.

use serde_json::Value as Json;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What came back.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Received {
    /// The value of a header; all of them when it stands more than once.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let values = self.headers.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
        let values: Vec<&str> = values.map(|(_, value)| &**value).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Json {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The problem's code; the status and type must agree with the line.
    pub(crate) fn code(&self) -> String {
        assert_eq!(self.header("content-type").as_deref(), Some("application/problem+json"), "{self:?}");
        let problem = self.json();
        assert_eq!(problem["status"], self.status, "{self:?}");
        let code = problem["code"].as_str().expect("a code").to_owned();
        assert_eq!(problem["type"], format!("/problems/{}", code.replace('_', "-")));
        for member in ["title", "detail", "instance"] {
            assert!(problem[member].is_string(), "{member} in {problem}");
        }
        code
    }

    /// Status and code: `409 slug_taken`.
    pub(crate) fn outcome(&self) -> String {
        format!("{} {}", self.status, self.code())
    }

    /// The faults: `#/url required`, `query limit type`.
    pub(crate) fn faults(&self) -> Vec<String> {
        let problem = self.json();
        let faults = problem["errors"].as_array().unwrap_or_else(|| panic!("no errors in {problem}"));
        let text = |fault: &Json, member: &str| fault[member].as_str().unwrap_or_default().to_owned();
        faults
            .iter()
            .map(|fault| match fault["pointer"].as_str() {
                Some(pointer) => format!("{pointer} {}", text(fault, "code")),
                None => format!("{} {} {}", text(fault, "in"), text(fault, "name"), text(fault, "code")),
            })
            .collect()
    }
}

impl Received {
    /// All values of a header in one line.
    pub(crate) fn headers_of(&self, name: &str) -> String {
        let fits = self.headers.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
        fits.map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// Whether a browser is told anything about pages of other origins.
    pub(crate) fn tells_browsers(&self) -> bool {
        self.headers.iter().any(|(name, _)| name.to_lowercase().starts_with("access-control-"))
    }
}

/// A request under construction.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    address: SocketAddr,
    line: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// `ask(address, "GET /links")`
pub(crate) fn ask(address: SocketAddr, line: &str) -> Ask {
    Ask { address, line: line.to_owned(), headers: Vec::new(), body: Vec::new() }
}

impl Ask {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn key(self, key: &str) -> Self {
        self.header("x-api-key", key)
    }

    pub(crate) fn json(self, body: &str) -> Self {
        self.header("content-type", "application/json").bytes(body.as_bytes())
    }

    pub(crate) fn bytes(mut self, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self
    }

    /// Sends it on a connection of its own.
    pub(crate) async fn send(self) -> Received {
        let mut request = format!("{} HTTP/1.1\r\nhost: {}\r\n", self.line, self.address).into_bytes();
        for (name, value) in &self.headers {
            request.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        if !self.body.is_empty() {
            request.extend_from_slice(format!("content-length: {}\r\n", self.body.len()).as_bytes());
        }
        request.extend_from_slice(b"connection: close\r\n\r\n");
        request.extend_from_slice(&self.body);
        exchange(self.address, &request).await
    }
}

/// Sends bytes and reads what comes until the other side closes. A server may close before it has read all.
pub(crate) async fn exchange(address: SocketAddr, request: &[u8]) -> Received {
    let mut stream = TcpStream::connect(address).await.expect("connects");
    let _ = stream.write_all(request).await;
    received(&mut stream).await
}

/// Reads an answer until the other side closes.
pub(crate) async fn received(stream: &mut TcpStream) -> Received {
    let mut bytes = Vec::new();
    // A reset after the answer is how a server ends a request that it has not read to its end.
    let mut buffer = [0; 8192];
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        bytes.extend_from_slice(&buffer[..count]);
    }
    let text = String::from_utf8(bytes).expect("UTF-8");
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok());
    let headers = lines.filter_map(|line| line.split_once(": "));
    Received {
        status: status.expect("a status"),
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        body: body.to_owned(),
    }
}
