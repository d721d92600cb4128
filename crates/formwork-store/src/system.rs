//! What the store keeps beside the document's rows: events, keys and the next runs of jobs.

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
}

/// When a job runs next; written with the run that it follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextRun {
    /// The job: `Program::jobs[…].name`.
    pub job: String,
    /// Microseconds since the epoch; absent for one that runs no more (start-up).
    pub at: Option<i64>,
}
