//! Reads a trail where it lies: beside a running system or without one, on its file or its database.

use super::table::{StoredAudit, columns, read};
use super::verify::{Anchor, Verified, verify};
use crate::error::OpenError;
use crate::postgres::Visitor;
use crate::sqlite::OwnConnection;
use crate::system::{SystemConnection, SystemValue};
use formwork_engine::StoreError;
use std::path::Path;

/// Entries that are read at once.
const AT_ONCE: i64 = 500;

/// Which entries are wanted; what is absent asks for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Not before this instant, in microseconds since the epoch.
    pub since: Option<i64>,
    /// Before this instant.
    pub until: Option<i64>,
    /// `caller.id`
    pub actor: Option<String>,
    /// The operation or standing step.
    pub operation: Option<String>,
    /// The entity of the row.
    pub entity: Option<String>,
    /// The row's primary key as text.
    pub key: Option<String>,
}

/// Why a trail cannot be read; each a clear line.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// It does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// There is none.
    #[error("there is no audit trail here: the system has not been started yet by a version that keeps one")]
    NoTrail,
    /// The database said something else.
    #[error("the audit trail cannot be read: {0}")]
    Data(String),
}

impl From<StoreError> for AuditError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(cause) | StoreError::Internal(cause) => Self::Data(cause),
            other => Self::Data(format!("{other:?}")),
        }
    }
}

/// A trail as it is at one instant. Not to be used from within an asynchronous task.
pub struct AuditTrail(Place);

enum Place {
    File(OwnConnection),
    Database(Box<Visitor>),
}

impl std::fmt::Debug for AuditTrail {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("AuditTrail").finish_non_exhaustive()
    }
}

impl AuditTrail {
    /// Opens the trail of a file, or of a database and the schema in it.
    pub fn open(file: &Path, database: Option<&str>, schema: Option<&str>) -> Result<Self, AuditError> {
        let mut trail = Self(match database {
            Some(url) => Place::Database(Box::new(Visitor::open(url, schema)?)),
            None => Place::File(OwnConnection::open(file)?),
        });
        let sql = r#"SELECT "place" FROM "_audit_chain" LIMIT 1"#;
        trail.on(|connection| connection.query(sql, &[])).map_err(|_| AuditError::NoTrail)?;
        Ok(trail)
    }

    fn on<T>(
        &mut self,
        work: impl FnOnce(&mut dyn SystemConnection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        match &mut self.0 {
            Place::File(connection) => work(&mut connection.system()),
            Place::Database(visitor) => work(&mut visitor.system()),
        }
    }

    /// Holds it against its chain, and against heads that were kept elsewhere.
    pub fn verify(&mut self, anchors: &[Anchor]) -> Result<Verified, AuditError> {
        Ok(self.on(|connection| verify(connection, anchors))?)
    }

    /// Hands over every entry that is wanted: the chained ones in their order, then those that wait for it.
    pub fn each<E: From<AuditError>>(
        &mut self,
        filter: &AuditFilter,
        mut each: impl FnMut(StoredAudit) -> Result<(), E>,
    ) -> Result<(), E> {
        for chained in [true, false] {
            let mut after = 0;
            loop {
                let (sql, values) = statement(filter, chained, after);
                let rows = self.on(|connection| connection.query(&sql, &values)).map_err(AuditError::from)?;
                let last = (rows.len() as i64) < AT_ONCE;
                for mut row in rows {
                    let stored = (|| {
                        let (number, place) = (row.integer(0)?, row.optional_integer(1)?);
                        let hash = place.map(|_| row.bytes::<32>(2)).transpose();
                        let (entry, canonical) = read(&mut row, 3)?;
                        // A link that is gone is found by who verifies.
                        Ok((number, StoredAudit { place, entry, canonical, hash: hash.unwrap_or(None) }))
                    })();
                    let (number, stored) = stored.map_err(|error: StoreError| AuditError::from(error))?;
                    after = number;
                    each(stored)?;
                }
                if last {
                    break;
                }
            }
        }
        Ok(())
    }
}

fn statement(filter: &AuditFilter, chained: bool, after: i64) -> (String, Vec<SystemValue>) {
    let order = if chained { "place" } else { "id" };
    let mut values: Vec<SystemValue> = vec![after.into()];
    let mut wanted = format!(r#"a."{order}" > ?1"#);
    if !chained {
        wanted.push_str(r#" AND a."place" IS NULL"#);
    }
    let mut add = |condition: &str, value: Option<SystemValue>| {
        if let Some(value) = value {
            values.push(value);
            wanted.push_str(&format!(r#" AND a.{condition} ?{}"#, values.len()));
        }
    };
    let text = |text: &Option<String>| text.as_deref().map(SystemValue::from);
    add(r#""time" >="#, filter.since.map(Into::into));
    add(r#""time" <"#, filter.until.map(Into::into));
    add(r#""actor" ="#, text(&filter.actor));
    add(r#""operation" ="#, text(&filter.operation));
    add(r#""entity" ="#, text(&filter.entity));
    add(r#""key" ="#, text(&filter.key));
    let sql = format!(
        r#"SELECT a."{order}", a."place", c."hash", {} FROM "_audit" a
        LEFT JOIN "_audit_chain" c ON c."place" = a."place" WHERE {wanted} ORDER BY a."{order}" LIMIT {AT_ONCE}"#,
        columns("a.")
    );
    (sql, values)
}
