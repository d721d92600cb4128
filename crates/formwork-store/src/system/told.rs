//! Handlers of several parts, between two of them: where each goes on, beside the delivery that it is told of. A state is
//! written in the transaction of the part that it follows, over the one that this part went on from and no other, so
//! that of two nodes one goes on; it goes with the delivery, in the transaction of the last part.

use super::{Column, Kind, SystemConnection, Table, take_delivery};
use crate::vault::{Vault, of_delivery};
use formwork_engine::{Ended, Refusal, Resume, StoreError, resume};
use std::sync::Arc;

/// Where handlers go on.
pub(super) const TABLE: Table = Table {
    name: "_delivery_parts",
    columns: &[
        Column::new("delivery", Kind::Integer),
        Column::new("step", Kind::Integer),
        Column::new("program", Kind::Text),
        Column::new("state", Kind::Bytes),
        // Which node is at work on it, as long as its lease lasts.
        Column::optional("node", Kind::Text),
    ],
    further: &[],
};

/// Where a handler goes on, as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftDelivery {
    /// Of how many parts the state has been kept.
    pub step: i64,
    /// The program that it runs under.
    pub program: Arc<str>,
    /// [`formwork_engine::resume::encode`] of where it goes on.
    pub state: Vec<u8>,
}

/// What a part of a handler belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// [`StoredDelivery::sequence`](crate::StoredDelivery::sequence)
    pub sequence: i64,
    /// [`LeftDelivery::step`] of the state that the part goes on from; 0 for the first part.
    pub step: i64,
    /// Which node carries it out.
    pub(crate) node: String,
}

impl Told {
    /// The first part of what a delivery brings about.
    pub fn first(sequence: i64) -> Self {
        Self { sequence, step: 0, node: String::new() }
    }
}

/// Where a handler goes on that was told of a delivery and has not ended.
pub(crate) fn left_of_delivery(
    connection: &mut dyn SystemConnection,
    sequence: i64,
) -> Result<Option<LeftDelivery>, StoreError> {
    let sql = r#"SELECT "step", "program", "state" FROM "_delivery_parts" WHERE "delivery" = ?1"#;
    let row = connection.query(sql, &[sequence.into()])?.into_iter().next();
    row.map(|mut row| {
        Ok(LeftDelivery { step: row.integer(0)?, program: row.text(1)?.into(), state: row.blob(2)? })
    })
    .transpose()
}

/// Writes beside a part of a handler that has succeeded what comes of its delivery: it goes with the last part, and
/// otherwise the state is kept. Refuses the part when somebody else has carried it out.
pub(crate) fn settle_delivery(
    connection: &mut dyn SystemConnection,
    told: &Told,
    (program, before): (&str, Option<&Resume>),
    vault: &Vault,
    ended: &mut Ended,
) -> Result<(), StoreError> {
    let done = match &ended.resume {
        Some(next) if before.is_some_and(|before| next.only_waits(before)) => true,
        Some(next) => match resume::encode(next) {
            Ok(state) => {
                let state = vault.seal(&of_delivery(told.sequence), &state)?;
                keep(connection, told, program, &state)?
            }
            Err(_) => return refuse(ended, Refusal::TooMuchWork),
        },
        None => forget(connection, told)? && take_delivery(connection, told.sequence)?,
    };
    if done {
        return Ok(());
    }
    refuse(ended, Refusal::MovedOn)
}

fn refuse(ended: &mut Ended, refusal: Refusal) -> Result<(), StoreError> {
    (ended.result, ended.resume, ended.again) = (Err(refusal), None, false);
    Ok(())
}

fn keep(
    connection: &mut dyn SystemConnection,
    told: &Told,
    program: &str,
    state: &[u8],
) -> Result<bool, StoreError> {
    let touched = if told.step == 0 {
        let sql = r#"INSERT INTO "_delivery_parts" ("delivery", "step", "program", "state", "node")
            SELECT "sequence", 1, ?2, ?3, ?4 FROM "_deliveries" WHERE "sequence" = ?1
            ON CONFLICT ("delivery") DO NOTHING"#;
        connection
            .execute(sql, &[told.sequence.into(), program.into(), state.into(), told.node.as_str().into()])?
    } else {
        let sql = r#"UPDATE "_delivery_parts" SET "step" = "step" + 1, "state" = ?3, "node" = ?4
            WHERE "delivery" = ?1 AND "step" = ?2"#;
        connection.execute(
            sql,
            &[told.sequence.into(), told.step.into(), state.into(), told.node.as_str().into()],
        )?
    };
    Ok(touched > 0)
}

fn forget(connection: &mut dyn SystemConnection, told: &Told) -> Result<bool, StoreError> {
    if told.step == 0 {
        return Ok(left_of_delivery(connection, told.sequence)?.is_none());
    }
    let sql = r#"DELETE FROM "_delivery_parts" WHERE "delivery" = ?1 AND "step" = ?2"#;
    Ok(connection.execute(sql, &[told.sequence.into(), told.step.into()])? > 0)
}
