//! How many bytes of bodies, and of answers, are held at once over all connections.
//!
//! Each request and each answer has a bound of its own; many at once would still take up more memory than there is. What
//! finds no room is refused before it is held. Source: docs/reference/http.md, *Limits*; decision 0133.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Room for so many bytes.
#[derive(Debug)]
pub(crate) struct Room {
    most: usize,
    taken: AtomicUsize,
}

impl Room {
    /// Room for `most` bytes, all free.
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, taken: AtomicUsize::new(0) })
    }

    /// Whether there is none left.
    pub(crate) fn is_full(&self) -> bool {
        self.taken.load(Ordering::Relaxed) >= self.most
    }

    /// Takes nothing yet.
    pub(crate) fn none(self: &Arc<Self>) -> Held {
        Held { room: self.clone(), bytes: 0 }
    }

    /// Takes room if there is enough.
    pub(crate) fn take(self: &Arc<Self>, bytes: usize) -> Option<Held> {
        let mut held = self.none();
        held.grow(bytes).then_some(held)
    }

    /// Takes room though there may not be enough: for what cannot be refused any more.
    pub(crate) fn take_anyway(self: &Arc<Self>, bytes: usize) -> Held {
        self.taken.fetch_add(bytes, Ordering::Relaxed);
        Held { room: self.clone(), bytes }
    }
}

/// Room that is taken until this is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    room: Arc<Room>,
    bytes: usize,
}

impl Held {
    /// Takes more, if there is as much.
    pub(crate) fn grow(&mut self, by: usize) -> bool {
        let fits = |taken: usize| taken.checked_add(by).filter(|sum| *sum <= self.room.most);
        let grown = self.room.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).is_ok();
        if grown {
            self.bytes += by;
        }
        grown
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.room.taken.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_refused_and_what_is_let_go_is_free_again() {
        let room = Room::new(10);
        let mut first = room.take(6).expect("there is room");
        assert!(room.take(5).is_none());
        assert!(first.grow(4) && !first.grow(1) && room.is_full());
        let beyond = room.take_anyway(5);
        drop(first);
        assert!(room.take(6).is_none(), "what was taken beyond counts");
        drop(beyond);
        assert!(room.take(10).is_some());
    }
}
