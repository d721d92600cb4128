//! API keys: made, listed and revoked; never the keys themselves.

use super::{Column, Kind, SystemConnection, Table};
use formwork_engine::StoreError;

/// The keys.
pub(super) const TABLE: Table = Table {
    name: "_keys",
    columns: &[
        Column::new("name", Kind::Text),
        Column::new("hash", Kind::Bytes),
        Column::new("caller", Kind::Text),
        Column::new("roles", Kind::Text),
        Column::new("scopes", Kind::Text),
        Column::new("claims", Kind::Text),
        Column::new("created", Kind::Integer),
        Column::optional("revoked", Kind::Integer),
        Column::optional("expires", Kind::Integer),
        Column::optional("used", Kind::Integer),
    ],
    further: &[r#"CREATE UNIQUE INDEX IF NOT EXISTS "_keys by hash" ON "_keys" ("hash")"#],
};

/// An API key, without the key itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredKey {
    /// The key's own short name, by which it is listed and revoked.
    pub name: String,
    /// SHA-256 of the key.
    pub hash: [u8; 32],
    /// `caller.id` of who uses it.
    pub caller: String,
    /// Its roles.
    pub roles: Vec<String>,
    /// Its scopes.
    pub scopes: Vec<String>,
    /// Its claims, a JSON object.
    pub claims: String,
    /// Microseconds since the epoch.
    pub created: i64,
    /// When it was revoked, in microseconds since the epoch.
    pub revoked: Option<i64>,
    /// From when on it does not hold, in microseconds since the epoch.
    pub expires: Option<i64>,
    /// When it was last used, as far as that was noted, in microseconds since the epoch.
    pub used: Option<i64>,
}

/// Every key, oldest first.
pub(crate) fn load_keys(connection: &mut dyn SystemConnection) -> Result<Vec<StoredKey>, StoreError> {
    let sql = r#"SELECT "name", "hash", "caller", "roles", "scopes", "claims", "created", "revoked", "expires",
        "used" FROM "_keys" ORDER BY "created", "name""#;
    let rows = connection.query(sql, &[])?;
    rows.into_iter()
        .map(|mut row| {
            Ok(StoredKey {
                name: row.text(0)?,
                hash: row.bytes(1)?,
                caller: row.text(2)?,
                roles: list(&row.text(3)?),
                scopes: list(&row.text(4)?),
                claims: row.text(5)?,
                created: row.integer(6)?,
                revoked: row.optional_integer(7)?,
                expires: row.optional_integer(8)?,
                used: row.optional_integer(9)?,
            })
        })
        .collect()
}

fn list(json: &str) -> Vec<String> {
    // Only `insert_key` writes it.
    serde_json::from_str(json).unwrap_or_default()
}

/// Adds a key.
pub(crate) fn insert_key(connection: &mut dyn SystemConnection, key: &StoredKey) -> Result<(), StoreError> {
    let sql = r#"INSERT INTO "_keys" ("name", "hash", "caller", "roles", "scopes", "claims", "created", "revoked",
        "expires") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"#;
    let (roles, scopes) =
        (serde_json::json!(key.roles).to_string(), serde_json::json!(key.scopes).to_string());
    let values = [
        key.name.as_str().into(),
        key.hash[..].into(),
        key.caller.as_str().into(),
        roles.as_str().into(),
        scopes.as_str().into(),
        key.claims.as_str().into(),
        key.created.into(),
        key.revoked.into(),
        key.expires.into(),
    ];
    connection.execute(sql, &values).map(|_| ())
}

/// Revokes a key that is valid; false when there is none.
pub(crate) fn revoke_key(
    connection: &mut dyn SystemConnection,
    name: &str,
    now: i64,
) -> Result<bool, StoreError> {
    let sql = r#"UPDATE "_keys" SET "revoked" = ?2 WHERE "name" = ?1 AND "revoked" IS NULL"#;
    Ok(connection.execute(sql, &[name.into(), now.into()])? > 0)
}

/// Notes when keys were last used; a later use that another node noted stays.
pub(crate) fn note_uses(
    connection: &mut dyn SystemConnection,
    uses: &[(String, i64)],
) -> Result<(), StoreError> {
    let sql = r#"UPDATE "_keys" SET "used" = ?2 WHERE "name" = ?1 AND coalesce("used", 0) < ?2"#;
    for (name, at) in uses {
        connection.execute(sql, &[name.as_str().into(), (*at).into()])?;
    }
    Ok(())
}
