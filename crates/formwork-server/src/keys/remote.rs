//! The keys of a running server, over its admin listener: one small request at a time, without a runtime.

use super::{KeyCommand, KeyError, KeyOutcome, KeySummary, write_new};
use serde::Deserialize;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

/// How long the server may take for each read and write.
const PATIENCE: Duration = Duration::from_secs(10);

/// A server that answers on its admin listener.
pub(crate) struct Server {
    address: SocketAddr,
    admin_key: String,
}

#[derive(Deserialize)]
struct RunFile {
    admin: SocketAddr,
    admin_key: String,
}

#[derive(Deserialize)]
struct Created {
    id: String,
    key: String,
}

#[derive(Deserialize)]
struct Listed {
    keys: Vec<ListedKey>,
}

#[derive(Deserialize)]
struct ListedKey {
    id: String,
    caller: String,
    roles: Vec<String>,
    scopes: Vec<String>,
    created: String,
    expires: Option<String>,
    last_used: Option<String>,
}

#[derive(Deserialize)]
struct Refused {
    detail: String,
}

/// The server that `run.json` names, if something answers there.
pub(crate) fn server(data: &Path) -> Option<Server> {
    let text = std::fs::read_to_string(data.join("run.json")).ok()?;
    let run: RunFile = serde_json::from_str(&text).ok()?;
    TcpStream::connect_timeout(&run.admin, Duration::from_secs(1)).ok()?;
    Some(Server { address: run.admin, admin_key: run.admin_key })
}

impl Server {
    /// Carries out a command there.
    pub(super) fn ask(&self, command: &KeyCommand) -> Result<KeyOutcome, KeyError> {
        match command {
            KeyCommand::Create(new) => {
                let made: Created = self.parsed(&self.send("POST", "/keys", &write_new(new)?)?)?;
                Ok(KeyOutcome::Created { id: made.id, key: made.key })
            }
            KeyCommand::List => {
                let listed: Listed = self.parsed(&self.send("GET", "/keys", b"")?)?;
                Ok(KeyOutcome::List(listed.keys.into_iter().map(ListedKey::summary).collect()))
            }
            KeyCommand::Revoke(name) => {
                let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
                if name.is_empty() || !name.bytes().all(plain) {
                    return Ok(KeyOutcome::Revoked(false));
                }
                let (status, _) = self.send("DELETE", &format!("/keys/{name}"), b"")?;
                Ok(KeyOutcome::Revoked(status != 404))
            }
        }
    }

    /// How the budgets stand, as JSON.
    pub(crate) fn budgets(&self, name: Option<&str>) -> Result<String, KeyError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let coded = |byte: u8| match plain(byte) {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        };
        let query = name.map(|name| format!("?name={}", name.bytes().map(coded).collect::<String>()));
        let (_, body) = self.send("GET", &format!("/budgets{}", query.unwrap_or_default()), b"")?;
        Ok(body)
    }

    fn parsed<'a, T: Deserialize<'a>>(&self, (_, body): &'a (u16, String)) -> Result<T, KeyError> {
        serde_json::from_str(body).map_err(|error| self.failed(&error.to_string()))
    }

    fn failed(&self, problem: &str) -> KeyError {
        KeyError::Server { address: self.address.to_string(), problem: problem.to_owned() }
    }

    fn send(&self, method: &str, path: &str, body: &[u8]) -> Result<(u16, String), KeyError> {
        let exchanged = self.exchange(method, path, body).map_err(|error| self.failed(&error.to_string()))?;
        let (head, body) =
            exchanged.split_once("\r\n\r\n").ok_or_else(|| self.failed("it answered badly"))?;
        let status: Option<u16> = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or_else(|| self.failed("it answered badly"))?;
        if status >= 400 && status != 404 {
            let refused = serde_json::from_str::<Refused>(body).map(|refused| refused.detail);
            return Err(self.failed(&refused.unwrap_or_else(|_| format!("status {status}"))));
        }
        Ok((status, body.to_owned()))
    }

    fn exchange(&self, method: &str, path: &str, body: &[u8]) -> std::io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&self.address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            self.address,
            self.admin_key,
            body.len()
        );
        stream.write_all(head.as_bytes())?;
        stream.write_all(body)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }
}

impl ListedKey {
    fn summary(self) -> KeySummary {
        let instant = |text: Option<String>| text.and_then(|text| crate::forms::parse_timestamp(&text));
        let Self { id, caller, roles, scopes, created, expires, last_used } = self;
        let created = instant(Some(created)).unwrap_or_default();
        KeySummary { id, caller, roles, scopes, created, expires: instant(expires), used: instant(last_used) }
    }
}
