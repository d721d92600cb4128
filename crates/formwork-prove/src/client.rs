//! HTTP as a client: one connection per request, plain HTTP/1.1 (RFC 9112), bounded in time and size.

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use std::time::Duration;

/// How long a request may take, connecting included.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// The largest answer that is read, in bytes.
const MAX_ANSWER: usize = 64 * 1024 * 1024;

/// A request, ready to be sent.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Upper case.
    pub method: String,
    /// Path and query, already percent-encoded.
    pub target: String,
    /// Further headers.
    pub headers: Vec<(String, String)>,
    /// The body as JSON; none when absent.
    pub body: Option<serde_json::Value>,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers with lower-case names, in order.
    pub headers: Vec<(String, String)>,
    /// The body as sent.
    pub body: Bytes,
}

impl Answer {
    /// The first header of this name, in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON; absent when it is none.
    pub fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody accepts connections there.
    #[error("cannot connect to {address}: {cause}")]
    Connect {
        /// Where.
        address: SocketAddr,
        /// Why.
        cause: std::io::Error,
    },
    /// The request cannot be written down, such as a header with a line end.
    #[error("the request cannot be sent: {0}")]
    Unsendable(String),
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// No answer in time.
    #[error("no answer within {} s", .0.as_secs())]
    TooSlow(Duration),
}

/// A connection that is open but has not been used, for calls that shall begin at once.
pub struct Connection {
    sender: http1::SendRequest<Full<Bytes>>,
    address: SocketAddr,
}

impl Connection {
    /// Connects.
    pub async fn open(address: SocketAddr) -> Result<Self, ClientError> {
        let late = |_| ClientError::TooSlow(PATIENCE);
        tokio::time::timeout(PATIENCE, Self::connect(address)).await.map_err(late)?
    }

    async fn connect(address: SocketAddr) -> Result<Self, ClientError> {
        let stream = tokio::net::TcpStream::connect(address)
            .await
            .map_err(|cause| ClientError::Connect { address, cause })?;
        let broken = |error: hyper::Error| ClientError::Broken(error.to_string());
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
        // Ends by itself when the sender goes; its fault is told by the request.
        tokio::spawn(connection);
        Ok(Self { sender, address })
    }

    /// Sends a request and waits for the whole answer.
    pub async fn send(self, request: &Request) -> Result<Answer, ClientError> {
        self.send_within(request, PATIENCE).await
    }

    /// The same for a request that may take another while.
    pub async fn send_within(self, request: &Request, patience: Duration) -> Result<Answer, ClientError> {
        let late = |_| ClientError::TooSlow(patience);
        tokio::time::timeout(patience, self.exchange(request)).await.map_err(late)?
    }

    async fn exchange(mut self, request: &Request) -> Result<Answer, ClientError> {
        let message = self.message(request).map_err(|error| ClientError::Unsendable(error.to_string()))?;
        let answer = self
            .sender
            .send_request(message)
            .await
            .map_err(|error| ClientError::Broken(error.to_string()))?;
        let (parts, body) = answer.into_parts();
        let body = Limited::new(body, MAX_ANSWER)
            .collect()
            .await
            .map_err(|error| ClientError::Broken(error.to_string()))?
            .to_bytes();
        let headers = parts
            .headers
            .iter()
            .map(|(name, value)| {
                (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
            })
            .collect();
        Ok(Answer { status: parts.status.as_u16(), headers, body })
    }

    fn message(&self, request: &Request) -> http::Result<http::Request<Full<Bytes>>> {
        let given = |wanted: &str| request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(wanted));
        let mut message =
            http::Request::builder().method(request.method.as_str()).uri(request.target.as_str());
        if !given("host") {
            message = message.header(http::header::HOST, self.address.to_string());
        }
        for (name, value) in &request.headers {
            message = message.header(name.as_str(), value.as_str());
        }
        match &request.body {
            Some(body) => {
                if !given("content-type") {
                    message = message.header(http::header::CONTENT_TYPE, "application/json");
                }
                message.body(Full::new(Bytes::from(body.to_string())))
            }
            None => message.body(Full::default()),
        }
    }
}

/// Connects, sends, and waits for the whole answer.
pub async fn send(address: SocketAddr, request: &Request) -> Result<Answer, ClientError> {
    Connection::open(address).await?.send(request).await
}

/// Percent-encodes everything that is not unreserved (RFC 3986, 2.3): safe in a path segment and in a query.
pub fn percent_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::percent_encode;

    #[test]
    fn a_slash_in_a_value_stays_in_its_segment() {
        assert_eq!(percent_encode("a/b c%ü~"), "a%2Fb%20c%25%C3%BC~");
    }
}
