//! The answers that a layer keeps, bounded by their number and by what they take.

use crate::respond::Reply;
use formwork_language::program::CacheLayer;
use http::{HeaderName, HeaderValue, StatusCode};
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};
use std::sync::Arc;

/// What an answer takes beside its bytes: tables and pointers.
const BESIDE: usize = 256;

/// An answer.
#[derive(Debug)]
pub(super) struct Kept {
    /// The last commit that it has certainly seen.
    pub(super) number: u64,
    /// When it was made, by the clock of the run.
    pub(super) at: i64,
    status: StatusCode,
    content_type: Option<HeaderValue>,
    body: Vec<u8>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Kept {
    /// A reply as it is kept.
    pub(super) fn new(reply: &Reply, number: u64, at: i64) -> Self {
        Self {
            number,
            at,
            status: reply.status,
            content_type: reply.content_type.clone(),
            body: reply.body.clone(),
            headers: reply.headers.clone(),
        }
    }

    /// The reply again.
    pub(super) fn reply(&self) -> Reply {
        Reply {
            status: self.status,
            content_type: self.content_type.clone(),
            body: self.body.clone(),
            headers: self.headers.clone(),
        }
    }

    fn bytes(&self) -> usize {
        let headers = self.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 64);
        self.body.capacity() + headers.sum::<usize>()
    }
}

/// Keeps answers.
pub(super) struct Keeper {
    cache: Cache<Arc<[u8]>, Arc<Kept>, Weighs>,
    most: u64,
}

/// An answer weighs its bytes, and never less than its share of the number that may be kept.
#[derive(Clone)]
struct Weighs {
    least: u64,
}

impl Weighter<Arc<[u8]>, Arc<Kept>> for Weighs {
    fn weight(&self, key: &Arc<[u8]>, kept: &Arc<Kept>) -> u64 {
        weight(key, kept).max(self.least)
    }
}

fn weight(key: &Arc<[u8]>, kept: &Kept) -> u64 {
    (key.len() + kept.bytes() + BESIDE) as u64
}

impl Keeper {
    /// With the document's bounds, or the usual ones.
    pub(super) fn new(entries: Option<u64>, bytes: Option<u64>) -> Self {
        let entries = entries.unwrap_or(CacheLayer::ENTRIES).max(1);
        let most = bytes.unwrap_or(CacheLayer::BYTES).max(1);
        // Rounded up, so that never more are kept.
        let least = most.div_ceil(entries).max(1);
        // One shard: the bounds are those of the layer, and one answer may take all of it.
        let options = OptionsBuilder::new()
            .estimated_items_capacity(usize::try_from(entries.min(CacheLayer::ENTRIES)).unwrap_or(1))
            .weight_capacity(most)
            .shards(1)
            .build();
        let cache = match options {
            Ok(options) => Cache::with_options(
                options,
                Weighs { least },
                DefaultHashBuilder::default(),
                DefaultLifecycle::default(),
            ),
            Err(_) => Cache::with_weighter(1, most, Weighs { least }),
        };
        Self { cache, most }
    }

    /// What is kept under a key.
    pub(super) fn find(&self, key: &Arc<[u8]>) -> Option<Arc<Kept>> {
        self.cache.get(key)
    }

    /// Keeps an answer; one that is larger than the layer is not kept.
    pub(super) fn keep(&self, key: &Arc<[u8]>, kept: &Arc<Kept>) -> bool {
        if weight(key, kept) > self.most {
            return false;
        }
        self.cache.insert(Arc::clone(key), Arc::clone(kept));
        true
    }

    /// Forgets an answer, unless a newer one has taken its place.
    pub(super) fn forget(&self, key: &Arc<[u8]>, kept: &Arc<Kept>) {
        self.cache.remove_if(key, |found| Arc::ptr_eq(found, kept));
    }

    /// Forgets all.
    pub(super) fn clear(&self) {
        self.cache.clear();
    }

    /// How many are kept.
    pub(super) fn entries(&self) -> usize {
        self.cache.len()
    }

    /// What they weigh.
    pub(super) fn bytes(&self) -> u64 {
        self.cache.weight()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(bytes: usize) -> Arc<Kept> {
        Arc::new(Kept::new(&Reply::json(StatusCode::OK, vec![b'x'; bytes]), 0, 0))
    }

    fn key(number: u32) -> Arc<[u8]> {
        Arc::from(&number.to_be_bytes()[..])
    }

    #[test]
    fn never_more_answers_are_kept_than_the_bound_and_never_more_bytes() {
        let by_number = Keeper::new(Some(10), None);
        let by_bytes = Keeper::new(None, Some(100_000));
        for number in 0..1_000 {
            assert!(by_number.keep(&key(number), &kept(10)));
            assert!(by_bytes.keep(&key(number), &kept(10_000)));
            assert!(by_number.entries() <= 10, "{}", by_number.entries());
            assert!(by_bytes.bytes() <= 100_000, "{}", by_bytes.bytes());
        }
        assert!(by_number.entries() >= 5 && by_bytes.entries() >= 5);
    }

    #[test]
    fn what_is_larger_than_the_layer_is_not_kept_and_drives_nothing_out() {
        let keeper = Keeper::new(None, Some(10_000));
        assert!(keeper.keep(&key(1), &kept(1_000)));
        assert!(!keeper.keep(&key(2), &kept(20_000)));
        assert!(keeper.find(&key(1)).is_some() && keeper.find(&key(2)).is_none());
        let newer = kept(1_000);
        assert!(keeper.keep(&key(1), &newer));
        keeper.forget(&key(1), &kept(1_000));
        assert!(keeper.find(&key(1)).is_some(), "what has been put in its place stays");
        keeper.forget(&key(1), &newer);
        assert!(keeper.find(&key(1)).is_none());
    }
}
