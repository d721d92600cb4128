//! The bytes of an answer on their way out: handed over in pieces, so that a slow reader has no copy of them all, and
//! counted until the last one is gone.

use crate::listen::Open;
use crate::room::Held;
use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The most bytes handed over at once.
const PIECE: usize = 32 * 1024;

/// What is left of an answer's body.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    rest: Bytes,
    held: Option<Held>,
    open: Option<Open>,
}

impl Outgoing {
    /// A body of these bytes.
    pub(crate) fn new(bytes: Bytes) -> Self {
        Self { rest: bytes, held: None, open: None }
    }

    /// Its bytes, all of them.
    pub(crate) fn bytes(&self) -> &Bytes {
        &self.rest
    }

    /// Other bytes in its place, such as the same in another coding.
    pub(crate) fn replace(&mut self, bytes: Bytes) {
        self.rest = bytes;
    }

    /// Room that its bytes take up until they are gone.
    pub(crate) fn hold(&mut self, held: Held) {
        self.held = Some(held);
    }

    /// The request that is open until they are gone.
    pub(crate) fn keep_open(&mut self, open: Open) {
        self.open = Some(open);
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        let length = self.rest.len().min(PIECE);
        let piece = self.rest.split_to(length);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(u64::try_from(self.rest.len()).unwrap_or(u64::MAX))
    }
}
