//! When requests were let through, by what a rate limit counts together: a row per limit and caller, address or value,
//! whose name says nothing of either. What the bytes mean is the server's affair.

use super::{Column, Kind, SystemConnection, SystemValue, Table};
use formwork_engine::StoreError;

/// The admissions.
pub(super) const TABLE: Table = Table {
    name: "_admissions",
    columns: &[
        Column::new("name", Kind::Text),
        Column::new("log", Kind::Bytes),
        Column::new("until", Kind::Integer),
    ],
    further: &[r#"CREATE INDEX "_admissions by until" ON "_admissions" ("until")"#],
};

/// What is known of the requests that are counted together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAdmissions {
    /// By what they are found.
    pub name: String,
    /// When they were let through.
    pub log: Vec<u8>,
    /// From when on nothing of it counts, in microseconds since the epoch.
    pub until: i64,
}

/// Rows that one statement locks at most; a power of two.
const AT_ONCE: usize = 32;

/// All that still counts at an instant.
pub(crate) fn load_admissions(
    connection: &mut dyn SystemConnection,
    now: i64,
) -> Result<Vec<StoredAdmissions>, StoreError> {
    let sql = r#"SELECT "name", "log", "until" FROM "_admissions" WHERE "until" > ?1"#;
    let rows = connection.query(sql, &[now.into()])?;
    rows.into_iter()
        .map(|mut row| Ok(StoredAdmissions { name: row.text(0)?, log: row.blob(1)?, until: row.integer(2)? }))
        .collect()
}

/// Keeps what is known now.
pub(crate) fn put_admissions(
    connection: &mut dyn SystemConnection,
    known: &[StoredAdmissions],
) -> Result<(), StoreError> {
    let sql = r#"INSERT INTO "_admissions" ("name", "log", "until") VALUES (?1, ?2, ?3)
        ON CONFLICT ("name") DO UPDATE SET "log" = excluded."log", "until" = excluded."until""#;
    for one in known {
        connection.execute(sql, &[one.name.as_str().into(), one.log[..].into(), one.until.into()])?;
    }
    Ok(())
}

/// Locks rows until the transaction ends, and gives their bytes, and the database's time once all are locked. Names
/// come sorted and each once, so that no two transactions wait for each other.
pub(crate) fn lock_admissions(
    connection: &mut dyn SystemConnection,
    names: &[String],
) -> Result<(i64, Vec<Vec<u8>>), StoreError> {
    let (mut present, mut logs) = (0, Vec::with_capacity(names.len()));
    let mut rest = names;
    let mut size = AT_ONCE;
    while !rest.is_empty() {
        // Few sizes, so that few statements are prepared.
        while size > rest.len() {
            size /= 2;
        }
        let (some, others) = rest.split_at(size);
        let rows: Vec<String> = (0..size).map(|at| format!("(?{}, ?1, ?2)", at + 3)).collect();
        let sql = format!(
            r#"INSERT INTO "_admissions" ("name", "log", "until") VALUES {}
            ON CONFLICT ("name") DO UPDATE SET "name" = excluded."name" RETURNING "name", "log", {}"#,
            rows.join(", "),
            connection.present()
        );
        let mut values: Vec<SystemValue> = vec![SystemValue::Bytes(Vec::new()), 0.into()];
        values.extend(some.iter().map(|name| SystemValue::from(name.as_str())));
        let mut found = Vec::with_capacity(size);
        for mut row in connection.query(&sql, &values)? {
            found.push((row.text(0)?, row.blob(1)?));
            present = present.max(row.integer(2)?);
        }
        for name in some {
            let at = found.iter().position(|(known, _)| known == name);
            logs.push(at.map(|at| std::mem::take(&mut found[at].1)).unwrap_or_default());
        }
        rest = others;
    }
    Ok((present, logs))
}

/// Removes what counts no longer, at most so many; gives how many.
pub(crate) fn prune_admissions(
    connection: &mut dyn SystemConnection,
    now: i64,
    most: i64,
) -> Result<u64, StoreError> {
    let sql = r#"DELETE FROM "_admissions" WHERE "name" IN
        (SELECT "name" FROM "_admissions" WHERE "until" <= ?1 LIMIT ?2)"#;
    connection.execute(sql, &[now.into(), most.into()])
}
