//! Telling handlers what happened: after the commit, each in a transaction of its own that removes what was told with the
//! effect, so that the effect is there once. What fails is tried again, from 1 s to 1 h later, for 24 h, and then kept as
//! failed. Source: language reference, *Standing steps*, `When`.

use super::{Scheduler, system_call};
use formwork_engine::{Refusal, What};
use formwork_language::constraint::from_input;
use formwork_language::program::{Handler, Trigger, slots};
use formwork_language::value::{Value, json};
use formwork_model::values::Type;
use formwork_store::{FailedAttempt, StoredDelivery};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Deliveries under way at once.
const AT_ONCE: u32 = 64;
/// Handlers of several parts under way at once.
const MOST_BESIDE: usize = 256;
/// The first wait after a failure; doubled each time.
const SHORTEST_WAIT: i64 = 1_000_000;
/// The longest wait between two tries.
const LONGEST_WAIT: i64 = 3_600_000_000;
/// How long it is tried.
const TRIED_FOR: i64 = 24 * LONGEST_WAIT;

/// When a delivery is tried next; never, when its time is over.
fn next_try(delivery: &StoredDelivery, now: i64) -> Option<i64> {
    let doubled = u32::try_from(delivery.attempts).unwrap_or(u32::MAX).min(20);
    let wait = (SHORTEST_WAIT << doubled).min(LONGEST_WAIT);
    // What is scheduled for later is tried from then on.
    let began = delivery.created.max(delivery.due.min(now) - waited(delivery.attempts));
    (now.saturating_sub(began) < TRIED_FOR).then(|| now.saturating_add(wait))
}

/// How long all tries before this one have waited together.
fn waited(attempts: i64) -> i64 {
    (0..attempts.clamp(0, 64)).map(|at| (SHORTEST_WAIT << at.min(20)).min(LONGEST_WAIT)).sum()
}

impl Scheduler {
    /// Whether the document has anything that runs after a commit.
    pub(super) fn delivers(&self) -> bool {
        !self.program.handlers.is_empty()
    }

    /// Says that there may be something to deliver.
    pub(crate) fn wake(&self) {
        if self.delivers() {
            self.woken.notify_one();
        }
    }

    /// When the next delivery is due; a store that is away is asked again later.
    pub(super) fn next_delivery(&self) -> Option<StoredDelivery> {
        if !self.delivers() {
            return None;
        }
        self.next_deliveries(1)?.into_iter().next()
    }

    /// The next deliveries that are not under way here.
    fn next_deliveries(&self, most: u32) -> Option<Vec<StoredDelivery>> {
        let under_way = self.telling.lock().clone();
        let most = most.saturating_add(u32::try_from(under_way.len()).unwrap_or(u32::MAX));
        let mut next = self.store.next_deliveries(most).ok()?;
        next.retain(|next| !under_way.contains(&next.sequence));
        Some(next)
    }

    /// Whether what is told is carried out in several transactions, with calls and waits between them.
    fn takes_long(&self, delivery: &StoredDelivery) -> bool {
        let mut handlers = self.program.handlers.iter();
        handlers.any(|handler| *handler.name == *delivery.handler && handler.code.has_parts())
    }

    /// Delivers without anything else waiting for it.
    fn deliver_beside(self: &Arc<Self>, delivery: StoredDelivery, now: i64) {
        self.telling.lock().insert(delivery.sequence);
        let own = Arc::clone(self);
        self.parts.spawn(async move {
            own.deliver(&delivery, now).await;
            own.telling.lock().remove(&delivery.sequence);
            own.woken.notify_one();
        });
    }

    /// Delivers what is due, and what that brings about, until nothing is or the server stops.
    pub(super) async fn deliver_due(self: &Arc<Self>, now: i64) {
        while !self.stopping.load(Ordering::Relaxed) {
            let Some(next) = self.next_deliveries(AT_ONCE) else { return };
            let due = next.into_iter().filter(|next| next.due <= now);
            let (long, due): (Vec<_>, Vec<_>) = due.partition(|next| self.takes_long(next));
            let room = MOST_BESIDE.saturating_sub(self.telling.lock().len());
            long.into_iter().take(room).for_each(|next| self.deliver_beside(next, now));
            if due.is_empty() {
                return;
            }
            let mut under_way: Vec<_> =
                due.iter().map(|delivery| Box::pin(self.deliver(delivery, now))).collect();
            // All of them go to the writer's queue before the first is waited for.
            std::future::poll_fn(|context| {
                under_way.retain_mut(|delivery| delivery.as_mut().poll(context).is_pending());
                if under_way.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
            })
            .await;
        }
    }

    /// Delivers one.
    pub(super) async fn deliver(&self, delivery: &StoredDelivery, now: i64) {
        let found = self.program.handlers.iter().position(|handler| *handler.name == *delivery.handler);
        let told = found.and_then(|index| {
            let handler = self.program.handlers.get(index)?;
            Some((u32::try_from(index).ok()?, told(handler, delivery)?))
        });
        let call = told.map(|(handler, told)| {
            let what = What::Handler { handler, links: delivery.links };
            system_call(what, told, now, self.seeds.next())
        });
        let Some(ended) = self.parts.deliver(call, delivery).await else {
            // Another document may know it again: it is kept, and an operator may have it tried.
            let error = "the document has no such handler, or what it is told cannot be read".to_owned();
            return self.fail(delivery, now, None, error).await;
        };
        self.metrics.steps(&ended.counts, &ended.observations);
        match ended.result {
            Ok(_) => self.metrics.delivered(),
            // Another node carries it out, or has.
            Err(Refusal::MovedOn) => {}
            // It goes on at the next start.
            Err(Refusal::Unavailable) if self.parts.is_stopping() => {}
            // The store is away: what is due stays due.
            Err(Refusal::Unavailable | Refusal::Overloaded) => {
                let error = "the store was away".to_owned();
                self.fail(delivery, now, next_try(delivery, now), error).await;
            }
            Err(refusal) => {
                let error = refusal.without_values(&self.parts.program.schema);
                crate::log::fault("handler_refused", "", &delivery.handler, &error);
                self.fail(delivery, now, next_try(delivery, now), error).await;
            }
        }
    }

    async fn fail(&self, delivery: &StoredDelivery, now: i64, due: Option<i64>, error: String) {
        self.metrics.not_delivered(due.is_none());
        let attempt = FailedAttempt { sequence: delivery.sequence, due, now, error };
        // What cannot be noted stays due, and is tried again at once.
        if self.store.note_attempt(attempt).await.is_err() {
            tokio::time::sleep(super::SHORTEST_SLEEP).await;
        }
    }
}

/// The slots of a handler behind the fixed ones, in their order.
fn told(handler: &Handler, delivery: &StoredDelivery) -> Option<Vec<Value>> {
    debug_assert_eq!(slots::EVENT + 1, slots::CHANGED);
    let payload = json::parse(&delivery.payload).ok()?;
    let id = (Value::Text("id".into()), Value::Uuid(delivery.event));
    Some(match handler.trigger {
        Trigger::Event(_) | Trigger::Scheduled => {
            let data = typed(handler, member(&payload, "data")?);
            vec![Value::Map([id, (Value::Text("data".into()), data)].into())]
        }
        Trigger::Change(..) => {
            let (row, before) = (member(&payload, "row")?, member(&payload, "before")?);
            vec![Value::Map([id].into()), typed(handler, row), typed(handler, before)]
        }
    })
}

fn member<'v>(map: &'v Value, name: &str) -> Option<&'v Value> {
    let Value::Map(members) = map else { return None };
    members.iter().find(|(key, _)| matches!(key, Value::Text(key) if **key == *name)).map(|(_, value)| value)
}

/// The members of an object, each brought to its type; one that another document wrote in another type stays as it is.
fn typed(handler: &Handler, object: &Value) -> Value {
    let Value::Map(members) = object else { return Value::Absent };
    let typed = members.iter().map(|(key, value)| {
        let known = |name: &str| handler.members.iter().find(|told| *told.name == *name);
        let ty = match key {
            Value::Text(name) => known(name).map(|told| &told.ty),
            _ => None,
        };
        let value = match (ty, value) {
            // Where no type is known, it is what its JSON says.
            (_, Value::Null) | (None | Some(Type::Json), _) => value.clone(),
            (Some(ty), value) => from_input(ty, value.clone()).unwrap_or_else(|_| value.clone()),
        };
        (key.clone(), value)
    });
    Value::Map(typed.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery(attempts: i64, created: i64, due: i64) -> StoredDelivery {
        StoredDelivery {
            sequence: 1,
            event: [0; 16],
            handler: "A/1".into(),
            payload: "{}".into(),
            links: 1,
            created,
            due,
            attempts,
            error: None,
            failed: None,
        }
    }

    #[test]
    fn tries_come_later_and_later_for_a_day() {
        let (mut now, mut tries) = (0, Vec::new());
        while let Some(next) = next_try(&delivery(tries.len() as i64, 0, now), now) {
            tries.push((next - now) / 1_000_000);
            now = next;
        }
        assert_eq!(tries[..4], [1, 2, 4, 8]);
        assert_eq!(tries.last(), Some(&3600));
        assert!((24..26).contains(&(now / LONGEST_WAIT)), "{now}");
    }

    #[test]
    fn what_is_scheduled_is_tried_for_a_day_from_its_time_on() {
        let due = 40 * TRIED_FOR;
        assert_eq!(next_try(&delivery(0, 0, due), due), Some(due + SHORTEST_WAIT));
        assert_eq!(next_try(&delivery(60, 0, due), due + waited(60)), None);
    }
}
