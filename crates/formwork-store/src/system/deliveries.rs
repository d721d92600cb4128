//! What handlers are to be told: one row for each handler and event, made in the transaction of the event and removed
//! in that of the handler's own effect. That it is gone is the record that it has been carried out, once.

use super::{Column, Kind, SystemConnection, SystemRow, Table};
use formwork_engine::{Delivery, MOST_LINKS, StoreError};

/// The deliveries that are left.
pub(super) const TABLE: Table = Table {
    name: "_deliveries",
    columns: &[
        Column::new("sequence", Kind::Sequence),
        Column::new("event", Kind::Bytes),
        Column::new("handler", Kind::Text),
        Column::optional("order_key", Kind::Text),
        Column::new("payload", Kind::Text),
        Column::new("links", Kind::Integer),
        Column::new("created", Kind::Integer),
        Column::new("due", Kind::Integer),
        Column::new("attempts", Kind::Integer),
        Column::optional("error", Kind::Text),
        Column::optional("failed", Kind::Integer),
    ],
    further: &[
        r#"CREATE INDEX IF NOT EXISTS "_deliveries in order" ON "_deliveries" ("handler", "order_key", "sequence")"#,
        r#"CREATE INDEX IF NOT EXISTS "_deliveries by due" ON "_deliveries" ("due", "sequence")"#,
    ],
};

/// What a handler is still to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredDelivery {
    /// Its place in the order.
    pub sequence: i64,
    /// The id of the event, change or schedule.
    pub event: [u8; 16],
    /// `Handler::name`
    pub handler: String,
    /// As [`Delivery::payload`].
    pub payload: String,
    /// As [`Delivery::links`].
    pub links: u8,
    /// Microseconds since the epoch.
    pub created: i64,
    /// When it is tried next, in microseconds since the epoch.
    pub due: i64,
    /// How often it was tried.
    pub attempts: i64,
    /// Why the last try failed.
    pub error: Option<String>,
    /// Since when it is tried no more, in microseconds since the epoch.
    pub failed: Option<i64>,
}

/// A try that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedAttempt {
    /// The delivery.
    pub sequence: i64,
    /// When it is tried next, in microseconds since the epoch; absent: never again.
    pub due: Option<i64>,
    /// When the try was.
    pub now: i64,
    /// Why it failed.
    pub error: String,
}

const ALL: &str = r#"SELECT d."sequence", d."event", d."handler", d."payload", d."links", d."created", d."due",
    d."attempts", d."error", d."failed" FROM "_deliveries" AS d"#;

fn read(mut row: SystemRow) -> Result<StoredDelivery, StoreError> {
    Ok(StoredDelivery {
        sequence: row.integer(0)?,
        event: row.bytes(1)?,
        handler: row.text(2)?,
        payload: row.text(3)?,
        links: u8::try_from(row.integer(4)?).unwrap_or(u8::MAX),
        created: row.integer(5)?,
        due: row.integer(6)?,
        attempts: row.integer(7)?,
        error: row.optional_text(8)?,
        failed: row.optional_integer(9)?,
    })
}

/// Keeps a delivery; one at the end of too long a chain is kept as failed at once.
pub(crate) fn keep_delivery(
    connection: &mut dyn SystemConnection,
    delivery: &Delivery,
) -> Result<(), StoreError> {
    let sql = r#"INSERT INTO "_deliveries" ("event", "handler", "order_key", "payload", "links", "created", "due",
        "attempts", "error", "failed") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, ?8, ?9)"#;
    let endless = delivery.links > MOST_LINKS;
    let error = endless.then(|| format!("the chain of events has more than {MOST_LINKS} links"));
    let values = [
        delivery.event[..].into(),
        (&*delivery.handler).into(),
        delivery.order.as_deref().into(),
        delivery.payload.as_str().into(),
        i64::from(delivery.links).into(),
        delivery.created.into(),
        delivery.due.into(),
        error.as_deref().into(),
        endless.then_some(delivery.created).into(),
    ];
    connection.execute(sql, &values).map(|_| ())
}

/// The deliveries that are next, those due first in front: what a handler is told of one row waits for what it is to be
/// told of it before, and what another node is at work on is that one's.
pub(crate) fn next_deliveries(
    connection: &mut dyn SystemConnection,
    node: &str,
    most: i64,
) -> Result<Vec<StoredDelivery>, StoreError> {
    let present = connection.present();
    let sql = format!(
        r#"{ALL} WHERE d."failed" IS NULL AND NOT EXISTS (SELECT 1 FROM "_deliveries" AS e
            WHERE e."handler" = d."handler" AND e."order_key" = d."order_key" AND e."sequence" < d."sequence"
            AND e."failed" IS NULL)
        AND NOT EXISTS (SELECT 1 FROM "_delivery_parts" AS p JOIN "_nodes" AS n ON n."node" = p."node"
            WHERE p."delivery" = d."sequence" AND p."node" <> ?2 AND n."until" > {present})
        ORDER BY d."due", d."sequence" LIMIT ?1"#
    );
    connection.query(&sql, &[most.into(), node.into()])?.into_iter().map(read).collect()
}

/// Everything that is left, in order.
pub(crate) fn deliveries(connection: &mut dyn SystemConnection) -> Result<Vec<StoredDelivery>, StoreError> {
    let sql = format!(r#"{ALL} ORDER BY d."sequence" LIMIT 10000"#);
    connection.query(&sql, &[])?.into_iter().map(read).collect()
}

/// Removes a delivery that is carried out; false when it was before.
pub(crate) fn take_delivery(
    connection: &mut dyn SystemConnection,
    sequence: i64,
) -> Result<bool, StoreError> {
    Ok(connection.execute(r#"DELETE FROM "_deliveries" WHERE "sequence" = ?1"#, &[sequence.into()])? > 0)
}

/// Notes that a try failed.
pub(crate) fn note_attempt(
    connection: &mut dyn SystemConnection,
    attempt: &FailedAttempt,
) -> Result<bool, StoreError> {
    let sql = r#"UPDATE "_deliveries" SET "attempts" = "attempts" + 1, "due" = coalesce(?2, "due"),
        "error" = ?3, "failed" = ?4 WHERE "sequence" = ?1"#;
    let failed = if attempt.due.is_none() { Some(attempt.now) } else { None };
    let values = [attempt.sequence.into(), attempt.due.into(), attempt.error.as_str().into(), failed.into()];
    Ok(connection.execute(sql, &values)? > 0)
}

/// Has a failed delivery tried again from now on; false when there is none.
pub(crate) fn revive_delivery(
    connection: &mut dyn SystemConnection,
    sequence: i64,
    now: i64,
) -> Result<bool, StoreError> {
    let sql = r#"UPDATE "_deliveries" SET "failed" = NULL, "attempts" = 0, "links" = 1, "created" = ?2,
        "due" = ?2 WHERE "sequence" = ?1 AND "failed" IS NOT NULL"#;
    Ok(connection.execute(sql, &[sequence.into(), now.into()])? > 0)
}

/// Removes events of before an instant that every handler was told of, at most so many; gives how many went.
pub(crate) fn prune_outbox(
    connection: &mut dyn SystemConnection,
    before: i64,
    most: i64,
) -> Result<u64, StoreError> {
    // By what is left and never by a number that is remembered. The first rows are the oldest.
    let sql = r#"DELETE FROM "_outbox" WHERE "sequence" IN (SELECT "sequence" FROM
        (SELECT "sequence", "time" FROM "_outbox" ORDER BY "sequence" LIMIT ?2) AS oldest WHERE "time" < ?1
        AND "time" < coalesce((SELECT min("created") FROM "_deliveries" WHERE "failed" IS NULL), ?1))"#;
    connection.execute(sql, &[before.into(), most.into()])
}
