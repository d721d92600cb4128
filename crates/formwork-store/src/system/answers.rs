//! The answers kept for calls that are carried out once.

use super::{Column, Kind, SystemConnection, Table};
use crate::once::{KeptAnswer, OnceKey};
use formwork_engine::StoreError;

/// One row for each key: what was asked, and what left.
pub(super) const TABLE: Table = Table {
    name: "_answers",
    columns: &[
        // The key and its scope: a key has no blank.
        Column::new("id", Kind::Text),
        Column::new("fingerprint", Kind::Bytes),
        Column::optional("until", Kind::Integer),
        Column::new("status", Kind::Integer),
        Column::new("headers", Kind::Text),
        Column::new("body", Kind::Bytes),
    ],
    further: &[r#"CREATE INDEX IF NOT EXISTS "_answers by until" ON "_answers" ("until")"#],
};

/// What is kept for a key.
pub(crate) enum Kept {
    /// What left.
    Answer(KeptAnswer),
    /// It is another call's.
    OtherInput,
}

/// What is kept for a key at an instant; nothing when it is new or its time is over.
pub(crate) fn kept_answer(
    connection: &mut dyn SystemConnection,
    key: &OnceKey,
    now: i64,
) -> Result<Option<Kept>, StoreError> {
    let sql = r#"SELECT "fingerprint", "status", "headers", "body" FROM "_answers"
        WHERE "id" = ?1 AND ("until" IS NULL OR "until" > ?2)"#;
    let found = connection.query(sql, &[key.text().as_str().into(), now.into()])?.into_iter().next();
    let Some(mut row) = found else { return Ok(None) };
    if row.bytes::<32>(0)? != key.fingerprint {
        return Ok(Some(Kept::OtherInput));
    }
    let status = u16::try_from(row.integer(1)?).unwrap_or(500);
    // Only `keep_answer` writes it.
    let headers = serde_json::from_str(&row.text(2)?).unwrap_or_default();
    Ok(Some(Kept::Answer(KeptAnswer { status, headers, body: row.blob(3)? })))
}

/// Keeps an answer; one whose time is over at an instant makes room. False when there is one: another call with the
/// key was faster, at an isolation that did not show it.
pub(crate) fn keep_answer(
    connection: &mut dyn SystemConnection,
    key: &OnceKey,
    answer: &KeptAnswer,
    now: i64,
) -> Result<bool, StoreError> {
    let sql = r#"INSERT INTO "_answers" ("id", "fingerprint", "until", "status", "headers", "body")
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT ("id") DO UPDATE SET "fingerprint" = excluded."fingerprint", "until" = excluded."until",
            "status" = excluded."status", "headers" = excluded."headers", "body" = excluded."body"
            WHERE "_answers"."until" <= ?7"#;
    let headers = serde_json::json!(answer.headers).to_string();
    let values = [
        key.text().as_str().into(),
        key.fingerprint[..].into(),
        key.until.into(),
        i64::from(answer.status).into(),
        headers.as_str().into(),
        answer.body.as_slice().into(),
        now.into(),
    ];
    Ok(connection.execute(sql, &values)? > 0)
}

/// Removes answers whose time is over, at most so many; gives how many went.
pub(crate) fn prune_answers(
    connection: &mut dyn SystemConnection,
    now: i64,
    most: i64,
) -> Result<u64, StoreError> {
    let sql = r#"DELETE FROM "_answers" WHERE "id" IN
        (SELECT "id" FROM "_answers" WHERE "until" <= ?1 ORDER BY "until" LIMIT ?2)"#;
    connection.execute(sql, &[now.into(), most.into()])
}
