//! `GET /deliveries`: what handlers are still to be told, the failed ones included; `POST /deliveries/{sequence}/retry`.

use crate::forms::{format_timestamp, format_uuid};
use crate::json::write_text;
use crate::problems::{NOT_FOUND, Problem};
use crate::respond::Reply;
use crate::serve::unavailable;
use crate::shared::Shared;
use formwork_store::StoredDelivery;
use http::StatusCode;

/// Everything that is left; with `state=failed` only what is tried no more.
pub(super) fn list(shared: &Shared, query: &str) -> Result<Reply, Problem> {
    let deliveries = shared.store.deliveries().map_err(|error| unavailable(&error.to_string()))?;
    let only_failed = query.split('&').any(|pair| pair == "state=failed");
    let mut out = b"{\"deliveries\":[".to_vec();
    let shown = deliveries.iter().filter(|delivery| !only_failed || delivery.failed.is_some());
    for (position, delivery) in shown.enumerate() {
        if position > 0 {
            out.push(b',');
        }
        write(&mut out, delivery);
    }
    out.extend_from_slice(b"]}");
    Ok(Reply::json(StatusCode::OK, out))
}

fn write(out: &mut Vec<u8>, delivery: &StoredDelivery) {
    out.extend_from_slice(format!("{{\"sequence\":{},\"event\":", delivery.sequence).as_bytes());
    write_text(out, &format_uuid(&delivery.event));
    out.extend_from_slice(b",\"handler\":");
    write_text(out, &delivery.handler);
    out.extend_from_slice(b",\"state\":");
    write_text(out, if delivery.failed.is_some() { "failed" } else { "waiting" });
    out.extend_from_slice(b",\"created\":");
    write_text(out, &format_timestamp(delivery.created));
    out.extend_from_slice(b",\"due\":");
    match delivery.failed {
        None => write_text(out, &format_timestamp(delivery.due)),
        Some(_) => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(format!(",\"attempts\":{},\"error\":", delivery.attempts).as_bytes());
    match &delivery.error {
        Some(error) => write_text(out, error),
        None => out.extend_from_slice(b"null"),
    }
    out.push(b'}');
}

/// Has a failed one tried again.
pub(super) async fn retry(shared: &Shared, sequence: &str) -> Result<Reply, Problem> {
    let none = || Problem::with(&NOT_FOUND, "No delivery of this number has failed.");
    let sequence = sequence.parse().map_err(|_| none())?;
    let revived = shared.store.revive_delivery(sequence, shared.clock.now()).await;
    match revived.map_err(|error| unavailable(&error.to_string()))? {
        true => {
            shared.scheduler.wake();
            Ok(Reply::empty(StatusCode::NO_CONTENT))
        }
        false => Err(none()),
    }
}
