//! Which node carries an operation of several parts on: the one that began it, as long as it says that it lives; then
//! whoever claims it first. A claim makes every part fail that the one before may still have under way.
//!
//! Source: language reference, *What running means*, parts; docs/reference/parts.md, *Several nodes*.

use super::Parts;
use super::releases::{Left, Under, what};
use crate::log;
use formwork_engine::{Ended, OperationId, StoreError};
use formwork_store::{Holder, OnceEnded, Store, Unfinished};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::watch;
use tokio::time::Instant;

/// A lease is renewed so many times before it ends.
const RENEWALS: u32 = 3;
/// Operations that are looked at in one go.
const MOST_LEFT: u32 = 1_000;

/// An operation that this process has under way, until it is dropped.
pub(crate) struct UnderWay<'p> {
    parts: &'p Parts,
    operation: OperationId,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.parts.running.lock().remove(&self.operation);
    }
}

impl Parts {
    /// Notes that an operation is under way; nothing when it is already.
    pub(crate) fn enter(&self, operation: OperationId) -> Option<UnderWay<'_>> {
        let is_new = self.running.lock().insert(operation);
        is_new.then(|| UnderWay { parts: self, operation })
    }

    /// Whether what this process has begun is still its own.
    pub(super) fn holds_lease(&self) -> bool {
        !self.store.is_shared() || self.lease_until.lock().is_some_and(|until| Instant::now() < until)
    }

    /// Says that this process lives.
    pub(crate) async fn renew_lease(&self) -> Result<(), StoreError> {
        // From before it was asked for: the database's lease never ends earlier than ours.
        let until = Instant::now() + self.lease;
        self.store.renew_lease(self.lease).await?;
        *self.lease_until.lock() = Some(until);
        Ok(())
    }

    /// Keeps this process's lease, and takes up what nobody carries on, until told to stop.
    pub(crate) async fn keep_lease(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                biased;
                () = tokio::time::sleep(self.lease / RENEWALS) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
            // While the store is away there is nothing to say, and nothing to take up.
            if self.renew_lease().await.is_ok() {
                let _ = self.take_up().await;
            }
        }
    }

    /// Goes on with what a process that is gone has left, or this one while the store was away. Says on standard error
    /// what it cannot go on with.
    pub(crate) async fn take_up(self: &Arc<Self>) -> Result<(), StoreError> {
        for left in self.look(|store| store.unfinished(MOST_LEFT)).await? {
            if self.stopping.load(Ordering::Relaxed) {
                break;
            }
            if matches!(left.holder, Holder::Own | Holder::Nobody) {
                self.take_up_one(left).await?;
            }
        }
        Ok(())
    }

    async fn take_up_one(self: &Arc<Self>, left: Unfinished) -> Result<(), StoreError> {
        let own = match self.under(&left.program).await {
            Ok(Under::Present) => Arc::clone(self),
            Ok(Under::Earlier(parts)) => parts,
            Err(Left::Away(error)) => return Err(error),
            Err(Left::For(cause)) => {
                self.say_left(left.id, &left.name, &cause);
                return Ok(());
            }
        };
        // Before it is claimed, so that nobody here claims it as well.
        if !own.running.lock().insert(left.id) {
            return Ok(());
        }
        if let Err(cause) = own.fits(what(left.job, left.index)).await {
            own.running.lock().remove(&left.id);
            return match cause {
                Left::Away(error) => Err(error),
                Left::For(cause) => {
                    self.say_left(left.id, &left.name, &cause);
                    Ok(())
                }
            };
        }
        let kept = self.store.claim_operation(left.id, left.step).await;
        let call = match &kept {
            Ok(Some(kept)) => own.taken_up(kept).map(|call| {
                let job = kept.job.then_some(kept.index);
                (own.keyed(kept, &call), call, job)
            }),
            _ => {
                // Another node was faster.
                own.running.lock().remove(&left.id);
                return kept.map(|_| ());
            }
        };
        match call {
            Ok((keyed, call, job)) => {
                own.left.lock().extend(job);
                self.spawn(async move {
                    let _under_way = UnderWay { parts: &own, operation: left.id };
                    let ended = own.to_the_end(call, keyed.as_ref()).await;
                    own.left.lock().retain(|left| job != Some(*left));
                    if let OnceEnded::Ran(Ended { result: Err(refusal), .. }, _) = ended {
                        let cause = refusal.without_values(&own.program.schema);
                        log::fault("operation_refused", "", &left.name, &cause);
                    }
                });
            }
            Err(cause) => {
                own.running.lock().remove(&left.id);
                self.say_left(left.id, &left.name, cause);
            }
        }
        Ok(())
    }

    /// Reads something of the store: a database elsewhere beside the runtime, which must not wait; the embedded one here, so
    /// that in a simulation no thread decides what comes first.
    pub(super) async fn look<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        if !self.store.is_shared() {
            return read(&self.store);
        }
        let store = Arc::clone(&self.store);
        let read = tokio::task::spawn_blocking(move || read(&store));
        read.await.unwrap_or_else(|error| Err(StoreError::Internal(error.to_string())))
    }
}
