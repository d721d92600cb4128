//! API keys as `formwork keys` and the admin listener make, list and revoke them.
//!
//! A key has a name of its own, by which it is listed and revoked, and 192 random bits. Its SHA-256 is kept, its text
//! shown once. Source: conventions *Security*, API keys.

pub(crate) mod remote;

use crate::auth::{key_hash, key_text};
use crate::json::{self, Json, write_text};
use crate::random;
use formwork_language::program::Program;
use formwork_store::{Options, Store, StoredKey};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The database's file in a data folder.
pub(crate) const DATABASE: &str = "formwork.db";

/// A key that the first start on empty data made; its text is shown once and kept nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstKey {
    /// The role that it is for.
    pub role: String,
    /// The key itself.
    pub key: String,
}

/// A key to be made.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewKey {
    /// `caller.id`; the key's own name when absent.
    pub id: Option<String>,
    /// `caller.roles`; at least one.
    pub roles: Vec<String>,
    /// `caller.scopes`
    pub scopes: Vec<String>,
    /// `caller.claims`: a name and a value as JSON each.
    pub claims: Vec<(String, String)>,
    /// How long it holds, in seconds; for ever when absent.
    pub lasts: Option<i64>,
}

/// What `formwork keys` asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum KeyCommand {
    /// `keys create`
    Create(NewKey),
    /// `keys list`
    List,
    /// `keys revoke`: the key's own name (not the caller's).
    Revoke(String),
}

/// What became of a [`KeyCommand`].
#[derive(Clone, Debug, PartialEq)]
pub enum KeyOutcome {
    /// The key's own name, and its text: the only time that it is shown.
    Created {
        /// The key's own name.
        id: String,
        /// The key.
        key: String,
    },
    /// Every key that holds, oldest first.
    List(Vec<KeySummary>),
    /// Whether there was such a key.
    Revoked(bool),
}

/// What may be said about a key.
#[derive(Clone, Debug, PartialEq)]
pub struct KeySummary {
    /// The key's own name.
    pub id: String,
    /// `caller.id`
    pub caller: String,
    /// `caller.roles`
    pub roles: Vec<String>,
    /// `caller.scopes`
    pub scopes: Vec<String>,
    /// When it was made, in microseconds since the epoch.
    pub created: i64,
    /// From when on it does not hold, in microseconds since the epoch.
    pub expires: Option<i64>,
    /// When it was last used, to a minute, in microseconds since the epoch.
    pub used: Option<i64>,
}

/// Why a [`KeyCommand`] was not carried out; each a clear line.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// There is no data.
    #[error("no data in {}: start the system first, or name another folder with --data", .0.display())]
    NoData(PathBuf),
    /// The command itself is wrong.
    #[error("{0}")]
    Invalid(String),
    /// The running server refused or did not answer.
    #[error("the running server at {address} did not do it: {problem}")]
    Server {
        /// Its admin address.
        address: String,
        /// What it said.
        problem: String,
    },
    /// The data could not be opened or written.
    #[error("{0}")]
    Data(String),
}

/// Carries out a command: through the admin listener where `run.json` names a server that answers, else on the data.
pub fn keys(data: &Path, database: Option<&str>, command: &KeyCommand) -> Result<KeyOutcome, KeyError> {
    match remote::server(data) {
        Some(server) => server.ask(command),
        None => keys_offline(data, database, command),
    }
}

/// Carries out a command on the data of a server that does not run.
pub fn keys_offline(
    data: &Path,
    database: Option<&str>,
    command: &KeyCommand,
) -> Result<KeyOutcome, KeyError> {
    on_data(data, database, async |store, _| {
        let outcome = carry_out(store, command, crate::clock::Clock::System.now()).await?;
        if outcome == KeyOutcome::Revoked(true) {
            store.until_all_know().await;
        }
        Ok(outcome)
    })
}

/// Does something with the data of a server that does not run: the store opens with the tables that it knows, those of the
/// document that it was last run with.
pub(crate) fn on_data<T>(
    data: &Path,
    database: Option<&str>,
    work: impl AsyncFnOnce(&Store, &Program) -> Result<T, KeyError>,
) -> Result<T, KeyError> {
    let path = data.join(DATABASE);
    if database.is_none() && !path.is_file() {
        return Err(KeyError::NoData(data.to_owned()));
    }
    let failed = |error: &dyn std::fmt::Display| KeyError::Data(error.to_string());
    let document = crate::data::read_document(data)
        .map_err(|error| KeyError::Data(format!("the data has no document beside it: {error}")))?;
    let program = Arc::new(formwork_check::analyse(document.into()).compiled.program);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| failed(&error))?.block_on(async {
        let mut options = Options::new(path);
        options.database = database.map(str::to_owned);
        let store = Store::open(options, Arc::clone(&program)).map_err(|error| failed(&error))?;
        let outcome = work(&store, &program).await;
        store.close().await;
        outcome
    })
}

/// Carries out a command on an open store.
pub(crate) async fn carry_out(store: &Store, command: &KeyCommand, now: i64) -> Result<KeyOutcome, KeyError> {
    let failed = |error| KeyError::Data(format!("the store refused: {error}"));
    match command {
        KeyCommand::Create(new) => {
            let (stored, key) = make(new, now)?;
            let id = stored.name.clone();
            store.insert_key(stored).await.map_err(failed)?;
            Ok(KeyOutcome::Created { id, key })
        }
        KeyCommand::List => {
            let keys = store.load_keys().map_err(failed)?;
            Ok(KeyOutcome::List(keys.into_iter().filter(|key| key.revoked.is_none()).map(summary).collect()))
        }
        KeyCommand::Revoke(name) => {
            store.revoke_key(name, now).await.map(KeyOutcome::Revoked).map_err(failed)
        }
    }
}

fn summary(key: StoredKey) -> KeySummary {
    let StoredKey { name, caller, roles, scopes, created, expires, used, .. } = key;
    KeySummary { id: name, caller, roles, scopes, created, expires, used }
}

/// Draws a key; gives what is kept of it, and its text.
pub(crate) fn make(new: &NewKey, now: i64) -> Result<(StoredKey, String), KeyError> {
    if new.roles.is_empty() {
        return Err(KeyError::Invalid("a key needs at least one role".into()));
    }
    let named = |name: &String| !name.is_empty() && name.len() <= 200 && !name.contains(char::is_control);
    let names =
        new.id.iter().chain(&new.roles).chain(&new.scopes).chain(new.claims.iter().map(|(name, _)| name));
    if !names.into_iter().all(named) {
        return Err(KeyError::Invalid(
            "ids, roles, scopes and claims need a name of 1 to 200 characters".into(),
        ));
    }
    let expires = match new.lasts {
        Some(seconds) if seconds < 1 => {
            return Err(KeyError::Invalid("a key holds for at least a second".into()));
        }
        Some(seconds) => {
            let end = seconds.checked_mul(1_000_000).and_then(|lasts| now.checked_add(lasts));
            Some(end.ok_or_else(|| KeyError::Invalid("no key holds that long".into()))?)
        }
        None => None,
    };
    let lacking =
        |error: getrandom::Error| KeyError::Data(format!("the system gives no random bytes: {error}"));
    let name = random::hexadecimal(&random::bytes::<5>().map_err(lacking)?);
    let text = key_text(&name, &random::bytes().map_err(lacking)?);
    let stored = StoredKey {
        hash: key_hash(&text),
        caller: new.id.clone().unwrap_or_else(|| name.clone()),
        roles: new.roles.clone(),
        scopes: new.scopes.clone(),
        claims: claims(&new.claims)?,
        created: now,
        revoked: None,
        expires,
        used: None,
        name,
    };
    Ok((stored, text))
}

fn claims(claims: &[(String, String)]) -> Result<String, KeyError> {
    let mut object = vec![b'{'];
    for (position, (name, value)) in claims.iter().enumerate() {
        if json::read(value.as_bytes()).is_err() || claims[..position].iter().any(|(other, _)| other == name)
        {
            return Err(KeyError::Invalid(format!("the claim `{name}` is no JSON value, or stands twice")));
        }
        if position > 0 {
            object.push(b',');
        }
        write_text(&mut object, name);
        object.push(b':');
        object.extend_from_slice(value.as_bytes());
    }
    object.push(b'}');
    String::from_utf8(object).map_err(|error| KeyError::Invalid(error.to_string()))
}

/// The body of `POST /keys`.
pub(crate) fn write_new(new: &NewKey) -> Result<Vec<u8>, KeyError> {
    let mut out = Vec::new();
    out.extend_from_slice(b"{\"roles\":");
    write_texts(&mut out, &new.roles);
    out.extend_from_slice(b",\"scopes\":");
    write_texts(&mut out, &new.scopes);
    if let Some(id) = &new.id {
        out.extend_from_slice(b",\"id\":");
        write_text(&mut out, id);
    }
    if let Some(lasts) = new.lasts {
        out.extend_from_slice(format!(",\"expires_in\":{lasts}").as_bytes());
    }
    out.extend_from_slice(b",\"claims\":");
    out.extend_from_slice(claims(&new.claims)?.as_bytes());
    out.push(b'}');
    Ok(out)
}

/// Reads the body of `POST /keys`: `role` or `roles`, and optionally `id`, `scopes`, `claims`, and `expires_in`
/// in seconds.
pub(crate) fn read_new(body: &[u8]) -> Result<NewKey, String> {
    let json = json::read(body).map_err(|malformed| malformed.0)?;
    let Json::Object(members, _) = json else { return Err("The body must be an object.".into()) };
    let mut new = NewKey::default();
    for (name, value) in &members {
        match (&**name, value) {
            ("role", Json::Text(role)) => new.roles.push(role.to_string()),
            ("roles", value) => new.roles.extend(texts(value).ok_or("`roles` must be a list of texts.")?),
            ("scopes", value) => new.scopes.extend(texts(value).ok_or("`scopes` must be a list of texts.")?),
            ("id", Json::Text(id)) => new.id = Some(id.to_string()),
            ("id" | "expires_in", Json::Null) => {}
            ("expires_in", Json::Number(seconds)) => {
                new.lasts = Some(seconds.parse().map_err(|_| "`expires_in` must be whole seconds.")?);
            }
            ("claims", Json::Object(claims, _)) => {
                let written = |(name, value): &(std::borrow::Cow<'_, str>, Json<'_>)| {
                    (name.to_string(), json::written(value))
                };
                new.claims.extend(claims.iter().map(written));
            }
            (other, _) => return Err(format!("`{other}` is unknown or has the wrong type.")),
        }
    }
    Ok(new)
}

fn texts(json: &Json<'_>) -> Option<Vec<String>> {
    let Json::Array(items, _) = json else { return None };
    let text = |item: &Json<'_>| match item {
        Json::Text(text) => Some(text.to_string()),
        _ => None,
    };
    items.iter().map(text).collect()
}

/// `GET /keys`
pub(crate) fn write_list(keys: &[KeySummary]) -> Vec<u8> {
    let mut out = b"{\"keys\":[".to_vec();
    for (position, key) in keys.iter().enumerate() {
        out.extend_from_slice(if position > 0 { b",{\"id\":" } else { b"{\"id\":" });
        write_text(&mut out, &key.id);
        out.extend_from_slice(b",\"caller\":");
        write_text(&mut out, &key.caller);
        out.extend_from_slice(b",\"roles\":");
        write_texts(&mut out, &key.roles);
        out.extend_from_slice(b",\"scopes\":");
        write_texts(&mut out, &key.scopes);
        out.extend_from_slice(b",\"created\":");
        write_text(&mut out, &crate::forms::format_timestamp(key.created));
        for (name, at) in [("expires", key.expires), ("last_used", key.used)] {
            if let Some(at) = at {
                out.extend_from_slice(format!(",\"{name}\":").as_bytes());
                write_text(&mut out, &crate::forms::format_timestamp(at));
            }
        }
        out.push(b'}');
    }
    out.extend_from_slice(b"]}");
    out
}

fn write_texts(out: &mut Vec<u8>, texts: &[String]) {
    out.push(b'[');
    for (position, text) in texts.iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        write_text(out, text);
    }
    out.push(b']');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_key_reads_back_what_it_writes() {
        let new = NewKey {
            id: Some("al\"ice".into()),
            roles: vec!["member".into()],
            scopes: vec!["a".into(), "b".into()],
            claims: vec![("team".into(), r#"{"n": [1]}"#.into()), ("name".into(), r#""x\"y""#.into())],
            lasts: Some(3600),
        };
        assert_eq!(read_new(&write_new(&new).expect("good claims")), Ok(new));
        assert_eq!(read_new(br#"{"role":"admin"}"#).map(|new| new.roles), Ok(vec!["admin".to_owned()]));
        assert!(read_new(br#"{"role":7}"#).is_err() && read_new(b"[]").is_err() && read_new(b"{").is_err());
    }

    #[test]
    fn keys_are_distinct_long_and_kept_as_hashes() {
        let new = NewKey { roles: vec!["member".into()], ..NewKey::default() };
        let (first, text) = make(&new, 5).expect("made");
        let (second, other) = make(&new, 5).expect("made");
        assert_ne!((first.hash, &text), (second.hash, &other));
        assert!(text.starts_with("fw_") && text.len() >= 48, "{text}");
        assert_eq!(first.hash, key_hash(&text));
        assert!(make(&NewKey::default(), 0).is_err());
        let bad_claim = NewKey { claims: vec![("a".into(), "{".into())], ..new };
        assert!(make(&bad_claim, 0).is_err());
        let lasting = |lasts| make(&NewKey { roles: vec!["a".into()], lasts, ..NewKey::default() }, 5);
        assert_eq!(lasting(Some(2)).expect("made").0.expires, Some(2_000_005));
        assert!(lasting(Some(0)).is_err() && lasting(Some(i64::MAX)).is_err());
    }
}
