//! The store's own tables: events, keys and the next runs of jobs.

use crate::system::{NextRun, StoredEvent, StoredKey};
use rusqlite::{Connection, Result, params};

/// The events of the outbox in its order.
pub(crate) fn events(connection: &Connection, name: Option<&str>) -> Result<Vec<StoredEvent>> {
    let sql = r#"SELECT "sequence", "id", "name", "about_entity", "about_key", "data", "time" FROM "_outbox"
        WHERE ?1 IS NULL OR "name" = ?1 ORDER BY "sequence""#;
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([name], |row| {
        let about: (Option<String>, Option<String>) = (row.get(3)?, row.get(4)?);
        Ok(StoredEvent {
            sequence: row.get(0)?,
            id: row.get(1)?,
            name: row.get(2)?,
            about: about.0.zip(about.1),
            data: row.get(5)?,
            time: row.get(6)?,
        })
    })?;
    rows.collect()
}

/// Every key, oldest first.
pub(crate) fn load_keys(connection: &Connection) -> Result<Vec<StoredKey>> {
    let sql = r#"SELECT "name", "hash", "caller", "roles", "scopes", "claims", "created", "revoked" FROM "_keys"
        ORDER BY "created", "name""#;
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| {
        Ok(StoredKey {
            name: row.get(0)?,
            hash: row.get(1)?,
            caller: row.get(2)?,
            roles: list(&row.get::<_, String>(3)?),
            scopes: list(&row.get::<_, String>(4)?),
            claims: row.get(5)?,
            created: row.get(6)?,
            revoked: row.get(7)?,
        })
    })?;
    rows.collect()
}

fn list(json: &str) -> Vec<String> {
    // Only `insert_key` writes it.
    serde_json::from_str(json).unwrap_or_default()
}

/// Adds a key.
pub(crate) fn insert_key(connection: &Connection, key: &StoredKey) -> Result<()> {
    let sql = r#"INSERT INTO "_keys" ("name", "hash", "caller", "roles", "scopes", "claims", "created", "revoked")
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"#;
    let (roles, scopes) =
        (serde_json::json!(key.roles).to_string(), serde_json::json!(key.scopes).to_string());
    let values =
        params![key.name, &key.hash[..], key.caller, roles, scopes, key.claims, key.created, key.revoked];
    connection.prepare_cached(sql)?.execute(values).map(|_| ())
}

/// Revokes a key that is valid; false when there is none.
pub(crate) fn revoke_key(connection: &Connection, name: &str, now: i64) -> Result<bool> {
    let sql = r#"UPDATE "_keys" SET "revoked" = ?2 WHERE "name" = ?1 AND "revoked" IS NULL"#;
    Ok(connection.prepare_cached(sql)?.execute(params![name, now])? > 0)
}

/// When jobs run next.
pub(crate) fn next_runs(connection: &Connection) -> Result<Vec<NextRun>> {
    let mut statement =
        connection.prepare_cached(r#"SELECT "job", "next_run" FROM "_jobs" ORDER BY "job""#)?;
    let rows = statement.query_map([], |row| Ok(NextRun { job: row.get(0)?, at: row.get(1)? }))?;
    rows.collect()
}

/// Notes when a job runs next.
pub(crate) fn set_next_run(connection: &Connection, next: &NextRun) -> Result<()> {
    let sql = r#"INSERT INTO "_jobs" ("job", "next_run") VALUES (?1, ?2)
        ON CONFLICT ("job") DO UPDATE SET "next_run" = excluded."next_run""#;
    connection.prepare_cached(sql)?.execute(params![next.job, next.at]).map(|_| ())
}
