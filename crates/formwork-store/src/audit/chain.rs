//! The sequencer: puts the entries that are committed into the chain, in the order in which they were written.
//!
//! One at a time, on however many nodes: the row that keeps the head is locked first. An entry of a later transaction
//! has a greater `id` than one that was committed before it began, so the order is that of the commits wherever one
//! follows from the other.

use super::table::{append, columns, digest, hexadecimal, link, read};
use super::verify::{Head, head_of};
use crate::system::{SystemConnection, SystemValue};
use formwork_engine::{AuditEntry, StoreError};

/// Under which name the head is kept: place and hash of the last link.
pub(super) const HEAD: &str = "audit head";

/// Links that one statement writes.
const AT_ONCE: usize = 50;

/// Whether an entry waits to be chained, and whether the time of one is over.
pub(crate) fn due(connection: &mut dyn SystemConnection, now: i64) -> Result<(bool, bool), StoreError> {
    let waiting = r#"SELECT "id" FROM "_audit" WHERE "place" IS NULL LIMIT 1"#;
    let over = r#"SELECT "id" FROM "_audit" WHERE "until" <= ?1 AND "place" IS NOT NULL LIMIT 1"#;
    let waits = !connection.query(waiting, &[])?.is_empty();
    Ok((waits, !connection.query(over, &[now.into()])?.is_empty()))
}

/// Lets nobody else write links until the transaction ends, and gives the last one.
fn head(connection: &mut dyn SystemConnection) -> Result<Option<Head>, StoreError> {
    connection.as_others_commit()?;
    let lock = r#"INSERT INTO "_formwork" ("name", "value") VALUES (?1, '')
        ON CONFLICT ("name") DO UPDATE SET "value" = "_formwork"."value""#;
    connection.execute(lock, &[HEAD.into()])?;
    head_of(connection)
}

/// Chains at most so many entries; gives whether more may wait.
pub(crate) fn chain(connection: &mut dyn SystemConnection, most: i64) -> Result<bool, StoreError> {
    let head = head(connection)?;
    let (mut place, mut hash) = head.map_or((0, [0; 32]), |head| (head.place, head.hash));
    let sql =
        format!(r#"SELECT "id", {} FROM "_audit" WHERE "place" IS NULL ORDER BY "id" LIMIT ?1"#, columns(""));
    let rows = connection.query(&sql, &[most.into()])?;
    let more = i64::try_from(rows.len()).unwrap_or(i64::MAX) >= most;
    let mut links = Vec::with_capacity(rows.len());
    for mut row in rows {
        let id = row.integer(0)?;
        let (entry, canonical) = read(&mut row, 1)?;
        let said = digest(&canonical);
        place += 1;
        hash = link(place, &hash, &said, entry.until);
        links.push((id, place, said, entry.until, hash));
    }
    if links.is_empty() {
        return Ok(false);
    }
    for some in links.chunks(AT_ONCE) {
        // Statements of two lengths only, so that each is prepared once.
        for group in if some.len() == AT_ONCE { vec![some] } else { some.chunks(1).collect() } {
            let mut values: Vec<SystemValue> = Vec::new();
            let mut rows = Vec::new();
            for (_, place, said, until, hash) in group {
                rows.push(parameters(values.len(), 4));
                values.extend([(*place).into(), said[..].into(), (*until).into(), hash[..].into()]);
            }
            let rows = rows.join(", ");
            connection.execute(
                &format!(r#"INSERT INTO "_audit_chain" ("place", "digest", "until", "hash") VALUES {rows}"#),
                &values,
            )?;
            let (mut values, mut rows): (Vec<SystemValue>, Vec<String>) = (Vec::new(), Vec::new());
            for (id, place, ..) in group {
                rows.push(parameters(values.len(), 2));
                values.extend([(*id).into(), (*place).into()]);
            }
            let sql = format!(
                r#"UPDATE "_audit" SET "place" = v.column2 FROM (VALUES {}) AS v WHERE "_audit"."id" = v.column1"#,
                rows.join(", ")
            );
            connection.execute(&sql, &values)?;
        }
    }
    let head = format!("{place}:{}", hexadecimal(&hash));
    let sql = r#"UPDATE "_formwork" SET "value" = ?2 WHERE "name" = ?1"#;
    connection.execute(sql, &[HEAD.into(), head.as_str().into()])?;
    Ok(more)
}

fn parameters(before: usize, count: usize) -> String {
    let names: Vec<String> = (before + 1..=before + count).map(|at| format!("?{at}")).collect();
    format!("({})", names.join(", "))
}

/// Removes entries whose time is over, at most so many, and says so in an entry of its own; their links stay. Gives
/// whether more may be left.
pub(crate) fn prune(connection: &mut dyn SystemConnection, now: i64, most: i64) -> Result<bool, StoreError> {
    head(connection)?;
    let sql = r#"SELECT "place" FROM "_audit" WHERE "until" <= ?1 AND "place" IS NOT NULL
        ORDER BY "until", "place" LIMIT ?2"#;
    let rows = connection.query(sql, &[now.into(), most.into()])?;
    let mut places = rows.into_iter().map(|mut row| row.integer(0)).collect::<Result<Vec<i64>, _>>()?;
    if places.is_empty() {
        return Ok(false);
    }
    for place in &places {
        connection.execute(r#"DELETE FROM "_audit" WHERE "place" = ?1"#, &[(*place).into()])?;
    }
    places.sort_unstable();
    let mut ranges: Vec<(i64, i64)> = Vec::new();
    for place in &places {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == *place => *last = *place,
            _ => ranges.push((*place, *place)),
        }
    }
    let after = serde_json::json!({"count": places.len(), "places": ranges}).to_string();
    let entry = AuditEntry {
        time: now,
        actor: Some("system".to_owned()),
        kind: "system".into(),
        action: "removed".into(),
        operation: "retention".to_owned(),
        after: Some(after),
        ..AuditEntry::default()
    };
    append(connection, &entry)?;
    Ok(i64::try_from(places.len()).unwrap_or(i64::MAX) >= most)
}
