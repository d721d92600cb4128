//! Handlers of several parts: each part once, whatever happens between two of them. Where a handler goes on is kept beside
//! what it is told, and a try that fails is undone by itself: the next one goes on there.
//!
//! Source: language reference, *Handlers*; docs/decisions/0077-handlers-of-several-parts.md.

use super::releases::{Left, Under};
use super::{MOST_ELEMENTS, MOST_PARTS, Parts};
use formwork_engine::{Call, Ended, OperationId, Part, Pending, Refusal, What, resume};
use formwork_store::{StoredDelivery, Told};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl Parts {
    /// Carries out a handler for what it is told, from its beginning or from where an earlier try was left; under the
    /// release that began it. `call` is absent where the document has no such handler any more.
    pub(crate) async fn deliver(&self, call: Option<Call>, delivery: &StoredDelivery) -> Option<Ended> {
        let has_parts = call.as_ref().is_some_and(|call| self.has_parts(call.what));
        if let Some(call) = call.as_ref().filter(|_| !has_parts) {
            let ended = self.store.run_delivery(call.clone(), Told::first(delivery.sequence)).await;
            // Where something is kept of it, it had parts when it began.
            if !matches!(ended.result, Err(Refusal::MovedOn)) {
                return Some(ended);
            }
        }
        let left = match self.store.left_of_delivery(delivery.sequence) {
            Err(_) => return Some(Ended::refused(Refusal::Unavailable)),
            Ok(left) => left,
        };
        let Some(left) = left else {
            let call = call?;
            if !has_parts {
                return Some(Ended::refused(Refusal::MovedOn));
            }
            let part = self.of_delivery(delivery, call.now);
            let call = Call { part: Some(Box::new(part.clone())), ..call };
            return Some(self.deliver_parts(call, part, Told::first(delivery.sequence)).await);
        };
        let earlier = match self.under(&left.program).await {
            Ok(Under::Present) => None,
            Ok(Under::Earlier(parts)) => Some(parts),
            Err(cause) => return Some(left_alone(cause)),
        };
        let own = earlier.as_deref().unwrap_or(self);
        let Some(handler) = own.handler(&delivery.handler) else {
            return Some(left_alone(Left::For("its release has no such handler".to_owned())));
        };
        let what = What::Handler { handler, links: delivery.links };
        if let Err(cause) = own.fits(what).await {
            return Some(left_alone(cause));
        }
        let Ok(resume) = resume::decode(&left.state) else {
            return Some(left_alone(Left::For("its state cannot be read".to_owned())));
        };
        let mut told = Told::first(delivery.sequence);
        told.step = left.step;
        let part = own.of_delivery(delivery, self.clock.now());
        let call = own.next(what, &part, resume).await;
        Some(own.deliver_parts(call, part, told).await)
    }

    fn of_delivery(&self, delivery: &StoredDelivery, started: i64) -> Part {
        Part {
            operation: operation(delivery),
            program: Arc::clone(&self.fingerprint),
            started,
            once: None,
            key: None,
            resume: None,
        }
    }

    async fn deliver_parts(&self, mut call: Call, part: Part, mut told: Told) -> Ended {
        let (mut parts, mut elements) = (0, 0);
        loop {
            let mut ended = self.store.run_delivery(call.clone(), told.clone()).await;
            self.measure(&mut ended);
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

/// A try that ends without one of its steps.
fn left_alone(cause: Left) -> Ended {
    Ended::refused(match cause {
        Left::Away(_) => Refusal::Unavailable,
        Left::For(cause) => Refusal::Internal(cause),
    })
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
