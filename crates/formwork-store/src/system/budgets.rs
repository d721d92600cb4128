//! What is spent and kept back of the budgets of section 9: how each account stands, and which operation of several
//! parts keeps back how much.
//!
//! An account's row is made, and taken until the transaction ends, by the first look at it; so no two transactions
//! decide on the same standing. Amounts are texts of exact decimals: no column of either database has 128 bits of them.
//! What an operation keeps back is given back when its own row goes (`operations.rs`). Source: decision 0126.

use super::{Column, Kind, SystemConnection, SystemRow, SystemValue, Table};
use formwork_engine::{Account, OperationId, Standing, StoreError};
use formwork_language::value::Decimal;
use formwork_language::value::text::{format_decimal, parse_decimal};
use sha2::{Digest, Sha256};

/// One row for each account.
pub(super) const TABLE: Table = Table {
    name: "_budgets",
    columns: &[
        // A digest of budget, period and key, which may be of any length.
        Column::new("id", Kind::Text),
        Column::new("budget", Kind::Text),
        Column::new("key", Kind::Text),
        // When its period began, in microseconds since the epoch.
        Column::new("since", Kind::Integer),
        Column::new("spent", Kind::Text),
        Column::new("reserved", Kind::Text),
        // Counts who has taken the row.
        Column::new("turn", Kind::Integer),
    ],
    further: &[r#"CREATE INDEX IF NOT EXISTS "_budgets by name" ON "_budgets" ("budget", "since")"#],
};

/// One row for each amount that an operation of several parts keeps back.
pub(super) const RESERVED: Table = Table {
    name: "_reserved",
    columns: &[
        Column::new("id", Kind::Sequence),
        Column::new("operation", Kind::Bytes),
        Column::new("account", Kind::Text),
        Column::new("amount", Kind::Text),
    ],
    further: &[r#"CREATE INDEX IF NOT EXISTS "_reserved by operation" ON "_reserved" ("operation")"#],
};

/// An account as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredBudget {
    /// The budget's name, for whom it is, and when its period began.
    pub account: Account,
    /// How it stands.
    pub standing: Standing,
}

/// How an account stands; it is taken until the transaction ends.
pub(crate) fn standing(
    connection: &mut dyn SystemConnection,
    account: &Account,
) -> Result<Standing, StoreError> {
    let sql = r#"INSERT INTO "_budgets" ("id", "budget", "key", "since", "spent", "reserved", "turn")
        VALUES (?1, ?2, ?3, ?4, '0', '0', 1)
        ON CONFLICT ("id") DO UPDATE SET "turn" = "_budgets"."turn" + 1
        RETURNING "spent", "reserved""#;
    let values = [
        SystemValue::Text(id(account)),
        (&*account.budget).into(),
        plain(&account.key).as_str().into(),
        account.since.into(),
    ];
    match connection.query(sql, &values)?.into_iter().next() {
        Some(mut row) => read(&mut row, 0),
        None => Err(super::unexpected()),
    }
}

/// Keeps how an account stands.
pub(crate) fn keep_standing(
    connection: &mut dyn SystemConnection,
    account: &Account,
    standing: &Standing,
) -> Result<(), StoreError> {
    write(connection, &id(account), standing)
}

/// Notes what an operation keeps back.
pub(crate) fn note_reserved(
    connection: &mut dyn SystemConnection,
    operation: &OperationId,
    account: &Account,
    amount: Decimal,
) -> Result<(), StoreError> {
    let sql = r#"INSERT INTO "_reserved" ("operation", "account", "amount") VALUES (?1, ?2, ?3)"#;
    let values =
        [operation[..].into(), SystemValue::Text(id(account)), SystemValue::Text(format_decimal(amount))];
    connection.execute(sql, &values).map(|_| ())
}

/// Forgets what an operation keeps back.
pub(crate) fn forget_reserved(
    connection: &mut dyn SystemConnection,
    operation: &OperationId,
) -> Result<(), StoreError> {
    let sql = r#"DELETE FROM "_reserved" WHERE "operation" = ?1"#;
    connection.execute(sql, &[operation[..].into()]).map(|_| ())
}

/// Gives back what an operation keeps back: it has ended without a charge.
pub(super) fn give_back(
    connection: &mut dyn SystemConnection,
    operation: &OperationId,
) -> Result<(), StoreError> {
    let sql = r#"DELETE FROM "_reserved" WHERE "operation" = ?1 RETURNING "account", "amount""#;
    for mut row in connection.query(sql, &[operation[..].into()])? {
        let (account, amount) = (row.text(0)?, decimal(&row.text(1)?)?);
        let sql =
            r#"UPDATE "_budgets" SET "turn" = "turn" + 1 WHERE "id" = ?1 RETURNING "spent", "reserved""#;
        let found = connection.query(sql, &[account.as_str().into()])?.into_iter().next();
        let Some(mut row) = found else { continue };
        let mut standing = read(&mut row, 0)?;
        standing.release(amount).map_err(|_| StoreError::Arithmetic)?;
        write(connection, &account, &standing)?;
    }
    Ok(())
}

/// The accounts whose period began at an instant or later, at most so many; those of one budget together, the latest
/// period first.
pub(crate) fn budgets(
    connection: &mut dyn SystemConnection,
    name: Option<&str>,
    most: i64,
) -> Result<Vec<StoredBudget>, StoreError> {
    let sql = r#"SELECT "budget", "key", "since", "spent", "reserved" FROM "_budgets"
        WHERE ?1 = '' OR "budget" = ?1 ORDER BY "budget", "since" DESC, "key" LIMIT ?2"#;
    let rows = connection.query(sql, &[name.unwrap_or_default().into(), most.into()])?;
    let account = |mut row: SystemRow| {
        let account =
            Account { budget: row.text(0)?.into(), key: row.text(1)?.into(), since: row.integer(2)? };
        Ok(StoredBudget { account, standing: read(&mut row, 3)? })
    };
    rows.into_iter().map(account).collect()
}

/// Removes the accounts of a budget whose period began before an instant, at most so many; gives how many. One of which
/// an operation still keeps something back stays until that is settled.
pub(crate) fn prune_budget(
    connection: &mut dyn SystemConnection,
    name: &str,
    before: i64,
    most: i64,
) -> Result<u64, StoreError> {
    let sql = r#"DELETE FROM "_budgets" WHERE "id" IN (SELECT "id" FROM "_budgets"
        WHERE "budget" = ?1 AND "since" < ?2
        AND NOT EXISTS (SELECT 1 FROM "_reserved" WHERE "account" = "_budgets"."id") LIMIT ?3)"#;
    connection.execute(sql, &[name.into(), before.into(), most.into()])
}

fn write(connection: &mut dyn SystemConnection, id: &str, standing: &Standing) -> Result<(), StoreError> {
    let sql = r#"UPDATE "_budgets" SET "spent" = ?2, "reserved" = ?3 WHERE "id" = ?1"#;
    let text = |amount| SystemValue::Text(format_decimal(amount));
    connection.execute(sql, &[id.into(), text(standing.spent), text(standing.reserved)]).map(|_| ())
}

fn read(row: &mut SystemRow, at: usize) -> Result<Standing, StoreError> {
    Ok(Standing { spent: decimal(&row.text(at)?)?, reserved: decimal(&row.text(at + 1)?)? })
}

fn decimal(text: &str) -> Result<Decimal, StoreError> {
    parse_decimal(text).ok_or_else(super::unexpected)
}

fn id(account: &Account) -> String {
    let mut hash = Sha256::new();
    for text in [account.budget.as_bytes(), &account.since.to_le_bytes(), account.key.as_bytes()] {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// What both databases keep in a text.
fn plain(key: &str) -> String {
    key.replace('\0', "\u{fffd}")
}
