//! The outbox: events in the order in which they were emitted.

use super::{Column, Kind, SystemConnection, SystemValue, Table};
use formwork_engine::{OutboxEvent, StoreError};
use formwork_language::program::Schema;

/// The events.
pub(super) const TABLE: Table = Table {
    name: "_outbox",
    columns: &[
        Column::new("sequence", Kind::Sequence),
        Column::new("id", Kind::Bytes),
        Column::new("name", Kind::Text),
        Column::optional("about_entity", Kind::Text),
        Column::optional("about_key", Kind::Text),
        Column::new("data", Kind::Text),
        Column::new("time", Kind::Integer),
    ],
    further: &[],
};

/// An event of the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its place in the order of the outbox.
    pub sequence: i64,
    /// Its id, a UUIDv7.
    pub id: [u8; 16],
    /// Its name.
    pub name: String,
    /// The row that it is about: entity and primary key.
    pub about: Option<(String, String)>,
    /// Its data as a JSON object.
    pub data: String,
    /// Microseconds since the epoch.
    pub time: i64,
}

/// Appends an event; its values come from [`emitted`].
pub(crate) const EMIT: &str = r#"INSERT INTO "_outbox" ("id", "name", "about_entity", "about_key", "data", "time")
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)"#;

/// The values of [`EMIT`] for an event.
pub(crate) fn emitted(schema: &Schema, event: &OutboxEvent) -> [SystemValue; 6] {
    let about = event.about.as_ref();
    let entity = about.and_then(|(entity, _)| schema.entities.get(usize::from(*entity)));
    [
        event.id[..].into(),
        (&*event.name).into(),
        entity.map(|entity| &*entity.name).into(),
        about.map(|(_, key)| key.as_str()).into(),
        event.data.as_str().into(),
        event.time.into(),
    ]
}

/// The events of the outbox in its order; all, or those of one name.
pub(crate) fn events(
    connection: &mut dyn SystemConnection,
    name: Option<&str>,
) -> Result<Vec<StoredEvent>, StoreError> {
    const ALL: &str =
        r#"SELECT "sequence", "id", "name", "about_entity", "about_key", "data", "time" FROM "_outbox""#;
    let rows = match name {
        Some(name) => {
            let sql = format!(r#"{ALL} WHERE "name" = ?1 ORDER BY "sequence""#);
            connection.query(&sql, &[name.into()])?
        }
        None => connection.query(&format!(r#"{ALL} ORDER BY "sequence""#), &[])?,
    };
    rows.into_iter()
        .map(|mut row| {
            Ok(StoredEvent {
                sequence: row.integer(0)?,
                id: row.bytes(1)?,
                name: row.text(2)?,
                about: row.optional_text(3)?.zip(row.optional_text(4)?),
                data: row.text(5)?,
                time: row.integer(6)?,
            })
        })
        .collect()
}
