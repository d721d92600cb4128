//! The cache layers of section 8: whose answers are kept, by what they are told apart, and what clears them.

use super::{EntityId, Slot};
use formwork_syntax::Span;
use std::sync::Arc;

/// A layer.
#[derive(Clone, Debug)]
pub struct CacheLayer {
    /// Its name.
    pub name: Arc<str>,
    /// How many answers it keeps at most, when the document says so.
    pub entries: Option<u64>,
    /// How many bytes it keeps at most, when the document says so.
    pub bytes: Option<u64>,
    /// Where it is declared.
    pub span: Span,
}

impl CacheLayer {
    /// How many answers it keeps when the document does not say.
    pub const ENTRIES: u64 = 10_000;
    /// How many bytes they take at most when the document does not say: 64 MiB.
    pub const BYTES: u64 = 64 * 1024 * 1024;
}

/// An operation whose answers are kept. Of several layers the stricter word holds.
#[derive(Clone, Debug)]
pub struct CachedOperation {
    /// Index into [`Program::operations`](super::Program::operations).
    pub operation: u32,
    /// The layer that keeps its answers: index into [`Program::cache_layers`](super::Program::cache_layers).
    pub layer: u16,
    /// How long an answer is served, in microseconds; absent: until something clears it.
    pub ttl: Option<i64>,
    /// The entities that its behaviour reads.
    pub reads: Vec<EntityId>,
    /// A write to one of these clears its answers.
    pub writes: Vec<EntityId>,
    /// One of these events clears its answers: indices into [`Program::events`](super::Program::events).
    pub events: Vec<u16>,
    /// A request with one of these headers, in lower case, asks for an answer made anew.
    pub headers: Vec<Arc<str>>,
    /// What tells its answers apart besides its input.
    pub key: Vec<KeyPart>,
}

impl CachedOperation {
    /// Whether nothing but time clears its answers, so that a copy elsewhere is as good as one here.
    pub fn is_cleared_by_time_alone(&self) -> bool {
        self.writes.is_empty() && self.events.is_empty() && self.headers.is_empty()
    }
}

/// A part of the caller or the request that an answer may depend on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyPart {
    /// All of a fixed slot.
    Slot(Slot),
    /// A member of it, such as `request.headers["accept-language"]`.
    Member(Slot, Arc<str>),
}

/// Why a layer is not kept, or not for an operation. Names are as in the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotKept {
    /// *What* names no operation that is served and no entity.
    What,
    /// *What* or *Invalidation* holds a word that restricts it.
    Restricted(String),
    /// *TTL* is no duration.
    Ttl,
    /// *Invalidation* names nothing that is known to happen.
    Invalidation,
    /// *Size* is neither a count nor a size.
    Size,
    /// Nothing ever clears it.
    ForEver,
    /// No operation that only reads reads the entity.
    ReadByNone(String),
    /// The operation writes, calls or waits.
    Writes(String),
    /// The operation fills a metric with each call.
    Counts(String),
    /// The operation locks rows.
    Locks(String),
    /// Each of its answers differs: the operation, and what it asks for.
    Varies(String, &'static str),
    /// It asks for the time, and the layer has no TTL: the operation, and the function.
    Ages(String, &'static str),
    /// It never answers with a success that could be kept.
    NeverAnswers(String),
}

impl NotKept {
    /// Whether the document contradicts itself; otherwise it is only not understood.
    pub fn is_contradiction(&self) -> bool {
        matches!(
            self,
            Self::Writes(_)
                | Self::Counts(_)
                | Self::Locks(_)
                | Self::Varies(..)
                | Self::Ages(..)
                | Self::NeverAnswers(_)
        )
    }
}
