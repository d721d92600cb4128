//! One keep-alive HTTP/1.1 connection on a raw socket: as little work per request as can be, so that the
//! generator does not become what is measured.
//!
//! It understands answers with `Content-Length` and those that have no content by their status; anything else
//! (chunked answers, a closed connection) is an error and not a guess.

use std::net::SocketAddr;

use anyhow::{Context, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const HEADERS_MAX: usize = 48;
const ANSWER_MAX_BYTES: usize = 64 * 1024;

/// A connection and the bytes that came over it.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    filled: usize,
}

/// One answer, where it lies in the connection's buffer.
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    head: &'a [u8],
    pub(crate) body: &'a [u8],
}

impl Answer<'_> {
    /// The value of a header, if it is there and text.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let mut response = httparse::Response::new(&mut headers);
        response.parse(self.head).ok()?;
        let header = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
        String::from_utf8(header.value.to_vec()).ok()
    }
}

struct Head {
    status: u16,
    head_bytes: usize,
    body_bytes: usize,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("cannot reach {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: vec![0; ANSWER_MAX_BYTES], filled: 0 })
    }

    /// Sends one request and waits for the whole of its answer.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> anyhow::Result<Answer<'_>> {
        self.stream.write_all(request).await?;
        self.filled = 0;
        let mut known: Option<Head> = None;
        loop {
            if self.filled == self.buffer.len() {
                bail!("an answer of more than {ANSWER_MAX_BYTES} bytes");
            }
            let count = self.stream.read(&mut self.buffer[self.filled..]).await?;
            if count == 0 {
                bail!("the server closed the connection");
            }
            self.filled += count;
            if known.is_none() {
                known = parse_head(&self.buffer[..self.filled])?;
            }
            if let Some(head) = &known
                && self.filled >= head.head_bytes + head.body_bytes
            {
                let end = head.head_bytes + head.body_bytes;
                if self.filled > end {
                    bail!("the server sent {} bytes after its answer", self.filled - end);
                }
                let (head_bytes, body) = self.buffer[..end].split_at(head.head_bytes);
                return Ok(Answer { status: head.status, head: head_bytes, body });
            }
        }
    }
}

/// The head, when all of it is there.
fn parse_head(bytes: &[u8]) -> anyhow::Result<Option<Head>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(head_bytes) = response.parse(bytes).context("not an HTTP/1.1 answer")?
    else {
        return Ok(None);
    };
    let status = response.code.context("an answer without a status")?;
    let length = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let body_bytes = match length {
        Some(header) => std::str::from_utf8(header.value)?.trim().parse()?,
        None if matches!(status, 204 | 304) => 0,
        None => bail!("an answer {status} without Content-Length"),
    };
    Ok(Some(Head { status, head_bytes, body_bytes }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_only_when_it_is_complete() {
        let whole = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
        assert!(parse_head(&whole[..20]).unwrap().is_none());
        let head = parse_head(whole).unwrap().unwrap();
        assert_eq!((head.status, head.head_bytes, head.body_bytes), (200, whole.len() - 2, 2));
    }

    #[test]
    fn an_answer_of_unknown_length_is_an_error() {
        assert!(parse_head(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").is_err());
        assert!(parse_head(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap().is_some());
    }

    #[test]
    fn a_header_is_found_without_case() {
        let answer = Answer { status: 302, head: b"HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n", body: b"" };
        assert_eq!(answer.header("location").as_deref(), Some("/x"));
        assert_eq!(answer.header("etag"), None);
    }
}
