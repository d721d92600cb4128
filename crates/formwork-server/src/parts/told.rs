//! Handlers of several parts: each part once, whatever happens between two of them. Where a handler goes on is kept beside
//! what it is told, and a try that fails is undone by itself: the next one goes on there.
//!
//! Source: language reference, *Handlers*; docs/decisions/0077-handlers-of-several-parts.md.

use super::{MOST_ELEMENTS, MOST_PARTS, Parts};
use formwork_engine::{Call, Ended, OperationId, Part, Pending, Refusal, resume};
use formwork_store::{StoredDelivery, Told};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl Parts {
    /// Carries out a handler for what it is told, from its beginning or from where an earlier try was left.
    pub(crate) async fn deliver(&self, call: Call, delivery: &StoredDelivery) -> Ended {
        let mut told = Told::first(delivery.sequence);
        if !self.has_parts(call.what) {
            return self.store.run_delivery(call, told).await;
        }
        let mut part = Part {
            operation: operation(delivery),
            program: Arc::clone(&self.fingerprint),
            started: call.now,
            once: None,
            key: None,
            resume: None,
        };
        let mut call = match self.store.left_of_delivery(delivery.sequence) {
            Err(_) => return Ended::refused(Refusal::Unavailable),
            Ok(None) => Call { part: Some(Box::new(part.clone())), ..call },
            Ok(Some(left)) => {
                if left.program != self.fingerprint {
                    let cause = "it was begun under another version of the document, which has to end it";
                    return Ended::refused(Refusal::Internal(cause.into()));
                }
                let Ok(resume) = resume::decode(&left.state) else {
                    return Ended::refused(Refusal::Internal("its state cannot be read".into()));
                };
                told.step = left.step;
                self.next(call.what, &part, resume).await
            }
        };
        part.resume = None;
        let (mut parts, mut elements) = (0, 0);
        loop {
            let mut ended = self.store.run_delivery(call.clone(), told.clone()).await;
            self.metrics.steps(&ended.counts, &ended.observations);
            (ended.counts, ended.observations) = (Vec::new(), Vec::new());
            if let Some(part) = self.passed_over(&call, &ended) {
                call = self.call(call.what, part);
                continue;
            }
            let Some(resume) = ended.resume.take() else { return ended };
            let before = call.part.as_ref().and_then(|part| part.resume.as_deref());
            if before.is_none_or(|before| !resume.only_waits(before)) {
                told.step += 1;
                match resume.pending {
                    Pending::Element => (parts, elements) = (0, elements + 1),
                    _ => parts += 1,
                }
            }
            if parts > MOST_PARTS || elements > MOST_ELEMENTS {
                return Ended::refused(Refusal::TooMuchWork);
            }
            if self.stopping.load(Ordering::Relaxed) {
                return Ended::refused(Refusal::Unavailable);
            }
            call = self.next(call.what, &part, *resume).await;
        }
    }
}

/// The id of a handler's run for what it is told, the same for every try: calls send it as their key.
fn operation(delivery: &StoredDelivery) -> OperationId {
    let mut hash = Sha256::new();
    hash.update(delivery.event);
    hash.update(delivery.handler.as_bytes());
    let mut id = [0; 16];
    id.copy_from_slice(&hash.finalize()[..16]);
    // A UUID of our own making (RFC 9562, 5.8).
    id[6] = id[6] & 0x0f | 0x80;
    id[8] = id[8] & 0x3f | 0x80;
    id
}
