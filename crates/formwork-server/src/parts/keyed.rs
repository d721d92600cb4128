//! An operation of several parts that is carried out once for its caller's `Idempotency-Key`: its id follows from the
//! key, so that a repeat finds what was left of it, and the key is kept with it.

use super::releases::{Left, Under, what};
use super::{BETWEEN_LOOKS, LONGEST_LOOK, Parts};
use crate::log;
use formwork_engine::{Answer, Call, Ended, OperationId, Part, Refusal};
use formwork_language::value::{Row, Value};
use formwork_store::{Holder, KeptAnswer, Once, OnceEnded, OnceKey};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// How an answer leaves: index of the operation, its caller, the answer and its rows.
pub(crate) type Renderer =
    Arc<dyn Fn(usize, &Value, &Answer, &[Row]) -> Result<KeptAnswer, Refusal> + Send + Sync>;

/// How the answer of one operation to one caller leaves.
pub(crate) type RenderOne = Arc<dyn Fn(&Answer, &[Row]) -> Result<KeptAnswer, Refusal> + Send + Sync>;

/// A key, and how the answer that is kept under it leaves.
pub(crate) struct Keyed {
    /// The key.
    pub(crate) key: OnceKey,
    /// How the answer leaves.
    pub(crate) render: RenderOne,
}

impl Keyed {
    /// For one part.
    pub(super) fn once(&self) -> Once {
        let render = Arc::clone(&self.render);
        Once { key: self.key.clone(), render: Box::new(move |answer, rows| render(answer, rows)) }
    }

    /// The id of the operation that is carried out under the key.
    pub(super) fn operation(&self) -> OperationId {
        let mut hash = Sha256::new();
        for text in [self.key.scope.as_bytes(), self.key.key.as_bytes(), &self.key.fingerprint] {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        }
        let mut id = [0; 16];
        id.copy_from_slice(&hash.finalize()[..16]);
        // A UUID of our own making (RFC 9562, 5.8).
        id[6] = id[6] & 0x0f | 0x80;
        id[8] = id[8] & 0x3f | 0x80;
        id
    }

    /// The key as it is kept with the operation.
    pub(super) fn text(&self) -> String {
        let OnceKey { scope, key, fingerprint, until } = &self.key;
        json!({ "scope": scope, "key": key, "fingerprint": fingerprint, "until": until }).to_string()
    }

    /// The key that was kept.
    pub(super) fn read(text: &str) -> Option<OnceKey> {
        let read: serde_json::Value = serde_json::from_str(text).ok()?;
        let bytes = read["fingerprint"].as_array()?.iter().map(|byte| u8::try_from(byte.as_u64()?).ok());
        Some(OnceKey {
            scope: read["scope"].as_str()?.to_owned(),
            key: read["key"].as_str()?.to_owned(),
            fingerprint: bytes.collect::<Option<Vec<u8>>>()?.try_into().ok()?,
            until: read["until"].as_i64(),
        })
    }
}

/// A key under which something is under way in this process, until it is dropped.
struct Taken<'p> {
    parts: &'p Parts,
    key: String,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.parts.keys.lock().remove(&self.key);
    }
}

impl Parts {
    /// Waits for its turn under a key; nothing when what is under way under it asked for something else.
    async fn turn(&self, keyed: &Keyed) -> Option<Taken<'_>> {
        let key = keyed.key.text();
        loop {
            match self.keys.lock().entry(key.clone()) {
                Entry::Vacant(free) => {
                    free.insert(keyed.key.fingerprint);
                    return Some(Taken { parts: self, key });
                }
                Entry::Occupied(taken) if *taken.get() != keyed.key.fingerprint => return None,
                Entry::Occupied(_) => {}
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
    }

    /// Carries an operation out once for its key: from its beginning, or from where it was left; while another node is
    /// at work on it, that is waited for.
    pub(super) async fn under_key(&self, call: Call, keyed: &Keyed) -> OnceEnded {
        let Some(_turn) = self.turn(keyed).await else { return OnceEnded::OtherInput };
        let unavailable = || OnceEnded::Ran(Ended::refused(Refusal::Unavailable), None);
        while !self.stopping.load(Ordering::Relaxed) {
            let key = keyed.key.clone();
            let ended = match self.look(move |store| store.unfinished_of_key(&key)).await {
                Err(_) => return unavailable(),
                Ok(None) => {
                    let part = Part {
                        operation: keyed.operation(),
                        program: Arc::clone(&self.fingerprint),
                        started: call.now,
                        once: Some(keyed.text().into()),
                        key: Some(keyed.key.text().into()),
                        resume: None,
                    };
                    let call = Call { part: Some(Box::new(part)), ..call.clone() };
                    self.to_the_end(call, Some(keyed)).await
                }
                Ok(Some(left)) => {
                    let asked = left.once.as_deref().and_then(Keyed::read);
                    if asked.is_some_and(|asked| asked.fingerprint != keyed.key.fingerprint) {
                        return OnceEnded::OtherInput;
                    }
                    let own = match self.under(&left.program).await {
                        Ok(Under::Present) => None,
                        Ok(Under::Earlier(parts)) => Some(parts),
                        Err(Left::Away(_)) => return unavailable(),
                        Err(Left::For(cause)) => {
                            log::fault("operation_left", "", &left.name, &cause);
                            return unavailable();
                        }
                    };
                    let own = own.as_deref().unwrap_or(self);
                    let under_way = if left.holder == Holder::Other { None } else { own.enter(left.id) };
                    if under_way.is_none() {
                        let pause = if left.holder == Holder::Other { LONGEST_LOOK } else { BETWEEN_LOOKS };
                        tokio::time::sleep(pause).await;
                        continue;
                    }
                    match own.fits(what(left.job, left.index)).await {
                        Ok(()) => {}
                        Err(Left::Away(_)) => return unavailable(),
                        Err(Left::For(cause)) => {
                            log::fault("operation_left", "", &left.name, &cause);
                            return unavailable();
                        }
                    }
                    match self.store.claim_operation(left.id, left.step).await {
                        Err(_) => return unavailable(),
                        Ok(None) => continue,
                        Ok(Some(kept)) => match own.taken_up(&kept) {
                            Ok(call) if std::ptr::eq(own, self) => self.to_the_end(call, Some(keyed)).await,
                            // Its caller knows the present release alone.
                            Ok(call) => {
                                let keyed = own.keyed(&kept, &call);
                                own.as_kept(own.to_the_end(call, keyed.as_ref()).await)
                            }
                            Err(cause) => {
                                log::fault("operation_left", "", &left.name, cause);
                                return unavailable();
                            }
                        },
                    }
                }
            };
            match ended {
                // Another node was faster, or took over: it is waited for, or its answer is there.
                OnceEnded::Ran(Ended { result: Err(Refusal::MovedOn), .. }, _) => {}
                ended => return ended,
            }
        }
        unavailable()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_kept_as_it_was_and_names_one_operation() {
        let key =
            |key: &str, until| OnceKey { scope: "a\"".into(), key: key.into(), fingerprint: [7; 32], until };
        let keyed = |key| Keyed { key, render: Arc::new(|_, _| Ok(KeptAnswer::default())) };
        for until in [Some(5), None] {
            assert_eq!(Keyed::read(&keyed(key("k", until)).text()), Some(key("k", until)));
        }
        let id = |name| keyed(key(name, None)).operation();
        assert_eq!(id("k"), id("k"));
        assert_ne!(id("k"), id("l"));
    }
}
