//! The bytes of a connection on their way in and out: notes whether what is written is taken, and says in our words what
//! the protocol's library refuses by itself.
//!
//! A head that cannot be read never reaches a service; the library answers it with a status and nothing else, and
//! closes. Such an answer is known by what it lacks, and has a problem put in its place. Source: RFC 9457; decision 0134.

use super::Unread;
use super::deadlines::Deadlines;
use bytes::{Buf, Bytes};
use std::io::{IoSlice, Result};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A connection's bytes.
pub(super) struct Wire<I> {
    io: I,
    deadlines: Arc<Deadlines>,
    /// Says what is answered to a head that cannot be read; absent where the protocol has no text.
    unread: Option<Unread>,
    /// Whether a line of the present request has come to its end.
    has_line: bool,
    /// What of our words is still to be written.
    ours: Bytes,
}

impl<I> Wire<I> {
    pub(super) fn new(io: I, deadlines: Arc<Deadlines>, unread: Option<Unread>) -> Self {
        Self { io, deadlines, unread, has_line: false, ours: Bytes::new() }
    }

    /// What is written instead of these bytes, if they are the library's own refusal.
    fn instead(&self, bytes: &[u8]) -> Option<Bytes> {
        let unread = self.unread.as_ref()?;
        let status = own_refusal(bytes)?;
        // A first line that has no end is not a matter of headers.
        let status = if status == 431 && !self.has_line { 414 } else { status };
        Some(unread(status))
    }
}

impl<I: AsyncWrite + Unpin> Wire<I> {
    fn poll_ours(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        while !self.ours.is_empty() {
            match ready!(Pin::new(&mut self.io).poll_write(cx, &self.ours))? {
                0 => return Poll::Ready(Err(std::io::ErrorKind::WriteZero.into())),
                written => self.ours.advance(written),
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Wire<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(cx, buffer))?;
        if !self.has_line {
            self.has_line = buffer.filled().get(before..).is_some_and(|read| read.contains(&b'\n'));
        }
        Poll::Ready(Ok(()))
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Wire<I> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        ready!(self.poll_ours(cx))?;
        self.deadlines.writing();
        if let Some(ours) = self.instead(bytes) {
            self.ours = ours;
            return Poll::Ready(Ok(bytes.len()));
        }
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        if let [only] = slices {
            return self.poll_write(cx, only);
        }
        ready!(self.poll_ours(cx))?;
        self.deadlines.writing();
        Pin::new(&mut self.io).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        ready!(self.poll_ours(cx))?;
        ready!(Pin::new(&mut self.io).poll_flush(cx))?;
        self.deadlines.written();
        self.has_line = false;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        ready!(self.poll_ours(cx))?;
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// The status of a refusal that is not ours: a whole head that promises no body and does not name its request, as
/// every answer of ours does. No body of ours looks like that, since JSON has no bare line ends.
fn own_refusal(bytes: &[u8]) -> Option<u16> {
    let text = std::str::from_utf8(bytes.strip_suffix(b"\r\n\r\n")?).ok()?;
    let mut lines = text.split("\r\n");
    let status = lines.next()?.strip_prefix("HTTP/1.")?.get(2..5)?.parse().ok()?;
    let mut has_no_body = false;
    for line in lines {
        let (name, value) = line.split_once(':')?;
        match name.to_ascii_lowercase().as_str() {
            "content-length" => has_no_body = value.trim() == "0",
            "date" | "connection" => {}
            _ => return None,
        }
    }
    (has_no_body && (400..500).contains(&status)).then_some(status)
}

#[cfg(test)]
mod tests {
    use super::own_refusal;

    #[test]
    fn only_what_the_library_says_by_itself_is_replaced() {
        let own = "HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\ndate: x\r\n\r\n";
        assert_eq!(own_refusal(own.as_bytes()), Some(431));
        for other in [
            "HTTP/1.1 404 Not Found\r\nx-request-id: a\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 100 Continue\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\n\r\n{}",
            "{\"text\":\"HTTP/1.1 400 Bad Request\"}",
            "",
        ] {
            assert_eq!(own_refusal(other.as_bytes()), None, "{other}");
        }
    }
}
