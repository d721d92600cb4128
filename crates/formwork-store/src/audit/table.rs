//! The tables of the trail: entries, each in full, and the links of the chain, which stay when entries go.

use crate::system::{Column, Kind, SystemConnection, SystemRow, SystemValue, Table};
use formwork_engine::{AuditEntry, StoreError};
use sha2::{Digest, Sha256};

/// The entries. `place` is that in the chain, absent until the sequencer has been there.
pub(crate) const TABLE: Table = Table {
    name: "_audit",
    columns: &[
        Column::new("id", Kind::Sequence),
        Column::optional("place", Kind::Integer),
        Column::new("time", Kind::Integer),
        Column::optional("actor", Kind::Text),
        Column::new("kind", Kind::Text),
        Column::new("roles", Kind::Text),
        Column::new("action", Kind::Text),
        Column::new("operation", Kind::Text),
        Column::optional("entity", Kind::Text),
        Column::optional("key", Kind::Text),
        Column::optional("before", Kind::Text),
        Column::optional("after", Kind::Text),
        Column::optional("request", Kind::Text),
        Column::optional("address", Kind::Text),
        Column::optional("status", Kind::Integer),
        Column::optional("code", Kind::Text),
        Column::optional("until", Kind::Integer),
    ],
    further: &[
        r#"CREATE UNIQUE INDEX "_audit by place" ON "_audit" ("place")"#,
        r#"CREATE INDEX "_audit unchained" ON "_audit" ("id") WHERE "place" IS NULL"#,
        r#"CREATE INDEX "_audit by end" ON "_audit" ("until") WHERE "until" IS NOT NULL"#,
    ],
};

/// The links: what an entry said (`digest`), until when it is kept, and what chains it to the one before (`hash`).
pub(crate) const CHAIN: Table = Table {
    name: "_audit_chain",
    columns: &[
        Column::new("place", Kind::Integer),
        Column::new("digest", Kind::Bytes),
        Column::optional("until", Kind::Integer),
        Column::new("hash", Kind::Bytes),
    ],
    further: &[],
};

/// The columns of an entry behind `id` and `place`, in the order of [`values`] and [`read`].
pub(super) const COLUMNS: [&str; 15] = [
    "time",
    "actor",
    "kind",
    "roles",
    "action",
    "operation",
    "entity",
    "key",
    "before",
    "after",
    "request",
    "address",
    "status",
    "code",
    "until",
];

/// An entry as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAudit {
    /// Its place in the chain; absent until it is chained.
    pub place: Option<i64>,
    /// What it says.
    pub entry: AuditEntry,
    /// The text that its digest is of.
    pub canonical: String,
    /// What chains it to the entry before.
    pub hash: Option<[u8; 32]>,
}

/// The entry's columns, each behind a prefix.
pub(super) fn columns(of: &str) -> String {
    COLUMNS.map(|name| format!(r#"{of}"{name}""#)).join(", ")
}

fn values(entry: &AuditEntry) -> [SystemValue; 15] {
    let text = |text: &Option<String>| SystemValue::from(text.as_deref());
    [
        entry.time.into(),
        text(&entry.actor),
        (&*entry.kind).into(),
        serde_json::json!(entry.roles).to_string().as_str().into(),
        (&*entry.action).into(),
        entry.operation.as_str().into(),
        entry.object.as_ref().map(|(entity, _)| entity.as_str()).into(),
        entry.object.as_ref().map(|(_, key)| key.as_str()).into(),
        text(&entry.before),
        text(&entry.after),
        text(&entry.request),
        text(&entry.address),
        entry.status.map(i64::from).into(),
        text(&entry.code),
        entry.until.into(),
    ]
}

/// Appends an entry, not yet chained.
pub(crate) fn append(connection: &mut dyn SystemConnection, entry: &AuditEntry) -> Result<(), StoreError> {
    const SQL: &str = r#"INSERT INTO "_audit" ("time", "actor", "kind", "roles", "action", "operation", "entity",
        "key", "before", "after", "request", "address", "status", "code", "until")
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)"#;
    connection.execute(SQL, &values(entry)).map(|_| ())
}

/// What a row's columns say, from this one on: the entry, and its canonical text.
pub(super) fn read(row: &mut SystemRow, first: usize) -> Result<(AuditEntry, String), StoreError> {
    let roles = row.text(first + 3)?;
    let (entity, key) = (row.optional_text(first + 6)?, row.optional_text(first + 7)?);
    let status = row.optional_integer(first + 12)?;
    let entry = AuditEntry {
        time: row.integer(first)?,
        actor: row.optional_text(first + 1)?,
        kind: row.text(first + 2)?.into(),
        // Whoever writes something else there has changed the entry, and its text tells.
        roles: serde_json::from_str(&roles).unwrap_or_default(),
        action: row.text(first + 4)?.into(),
        operation: row.text(first + 5)?,
        object: entity.clone().zip(key.clone()),
        before: row.optional_text(first + 8)?,
        after: row.optional_text(first + 9)?,
        request: row.optional_text(first + 10)?,
        address: row.optional_text(first + 11)?,
        status: status.and_then(|status| u16::try_from(status).ok()),
        code: row.optional_text(first + 13)?,
        until: row.optional_integer(first + 14)?,
    };
    let number = |number: Option<i64>| number.map(|number| number.to_string());
    let (time, until, status) = (number(Some(entry.time)), number(entry.until), number(status));
    // Every column as it stands, whatever it says.
    let texts: [Option<&str>; 15] = [
        time.as_deref(),
        entry.actor.as_deref(),
        Some(&entry.kind),
        Some(&roles),
        Some(&entry.action),
        Some(&entry.operation),
        entity.as_deref(),
        key.as_deref(),
        entry.before.as_deref(),
        entry.after.as_deref(),
        entry.request.as_deref(),
        entry.address.as_deref(),
        status.as_deref(),
        entry.code.as_deref(),
        until.as_deref(),
    ];
    let canonical = serde_json::to_string(&texts)
        .map_err(|error| StoreError::Internal(format!("an entry has no text: {error}")))?;
    Ok((entry, canonical))
}

/// The digest of an entry: SHA-256 of its canonical text.
pub(super) fn digest(canonical: &str) -> [u8; 32] {
    Sha256::digest(canonical.as_bytes()).into()
}

/// What chains a link to the one before: SHA-256 over four lines.
pub(super) fn link(place: i64, before: &[u8; 32], digest: &[u8; 32], until: Option<i64>) -> [u8; 32] {
    let until = until.map_or("-".to_owned(), |until| until.to_string());
    let text = format!("{place}\n{}\n{}\n{until}", hexadecimal(before), hexadecimal(digest));
    Sha256::digest(text.as_bytes()).into()
}

/// Lower case.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
