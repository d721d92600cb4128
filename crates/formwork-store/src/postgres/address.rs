//! Where a database is: `postgres://user:password@host:port/database?…`. The password is never written anywhere.

use super::errors::Failed;
use super::tls;
use crate::error::OpenError;
use std::str::FromStr;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{AsyncMessage, Client, Config, Connection, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

/// How long a connection may take to be made, unless the address says so.
const CONNECT: Duration = Duration::from_secs(5);
/// How long what was sent may stay unacknowledged before the connection counts as lost.
const UNACKNOWLEDGED: Duration = Duration::from_secs(10);

/// The address of a database, and the schema in it when it is not the usual one.
#[derive(Clone)]
pub(crate) struct Address {
    config: Config,
    /// What encrypts; absent for plain connections.
    tls: Option<MakeRustlsConnect>,
    schema: Option<String>,
    place: String,
}

impl std::fmt::Debug for Address {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Address").field(&self.place).finish()
    }
}

impl Address {
    /// Reads an address; `schema` is made when it does not exist.
    pub(crate) fn parse(url: &str, schema: Option<&str>) -> Result<Self, OpenError> {
        let wrong = |cause: String| OpenError::Address { place: without_password(url), cause };
        if !is_address(url) {
            return Err(wrong("it begins with neither `postgres://` nor `postgresql://`".into()));
        }
        let (rest, wanted) = tls::taken_out(url).map_err(wrong)?;
        let tls = tls::connector(&wanted).map_err(wrong)?;
        let mut config = Config::from_str(&rest).map_err(|error| {
            // What the parser quotes may be the password.
            let cause =
                std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
            wrong(if cause.contains("://") { "its form is wrong".into() } else { cause })
        })?;
        if config.get_dbname().is_none() {
            return Err(wrong("it names no database".into()));
        }
        config.ssl_mode(if wanted.encrypted { SslMode::Require } else { SslMode::Disable });
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT);
        }
        config.tcp_user_timeout(UNACKNOWLEDGED).application_name("formwork");
        Ok(Self { place: place(&config), tls, config, schema: schema.map(str::to_owned) })
    }

    /// The address for people, without its password.
    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    /// The schema, when it is not the usual one.
    pub(crate) fn schema(&self) -> Option<&str> {
        self.schema.as_deref()
    }

    /// Makes a connection that hears notifications: their text, and nothing once when it has ended.
    pub(crate) async fn listen(&self, told: Told) -> Result<Client, Failed> {
        let mut config = self.config.clone();
        let schema = self.schema.as_deref().map(|schema| format!(" {schema}")).unwrap_or_default();
        config.application_name(format!("formwork listening{schema}"));
        match &self.tls {
            None => {
                let (client, connection) = config.connect(NoTls).await?;
                tokio::spawn(hear(connection, told));
                Ok(client)
            }
            Some(tls) => {
                let (client, connection) = config.connect(tls.clone()).await?;
                tokio::spawn(hear(connection, told));
                Ok(client)
            }
        }
    }

    /// Makes a connection, driven by the runtime that this runs on.
    pub(crate) async fn connect(&self) -> Result<Client, Failed> {
        // What goes wrong with the connection itself is told to whoever uses the client.
        match &self.tls {
            None => {
                let (client, connection) = self.config.connect(NoTls).await?;
                tokio::spawn(connection);
                Ok(client)
            }
            Some(tls) => {
                let (client, connection) = self.config.connect(tls.clone()).await?;
                tokio::spawn(connection);
                Ok(client)
            }
        }
    }
}

/// Who is told what a connection hears.
pub(crate) type Told = Box<dyn Fn(Option<&str>) + Send + Sync>;

/// Drives a connection and tells what it hears.
async fn hear<S, T>(mut connection: Connection<S, T>, told: Told)
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    loop {
        match std::future::poll_fn(|context| connection.poll_message(context)).await {
            Some(Ok(AsyncMessage::Notification(notification))) => told(Some(notification.payload())),
            Some(Ok(_)) => {}
            Some(Err(_)) | None => break,
        }
    }
    told(None);
}

/// Whether a text is meant as the address of a database.
pub(crate) fn is_address(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

/// An address that could not be read, without what may be its password.
fn without_password(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let shown = match rest.rsplit_once('@') {
        Some((user, place)) => format!("{}@{place}", user.split(':').next().unwrap_or_default()),
        None => rest.to_owned(),
    };
    if scheme.is_empty() { shown } else { format!("{scheme}://{shown}") }
}

fn place(config: &Config) -> String {
    let user = config.get_user().map(|user| format!("{user}@")).unwrap_or_default();
    let ports = config.get_ports();
    let hosts: Vec<String> = config
        .get_hosts()
        .iter()
        .enumerate()
        .map(|(at, host)| {
            let host = match host {
                Host::Tcp(host) => host.clone(),
                #[cfg(unix)]
                Host::Unix(path) => path.display().to_string(),
            };
            match ports.get(at).or(ports.first()) {
                Some(port) if *port != 5432 => format!("{host}:{port}"),
                _ => host,
            }
        })
        .collect();
    format!("postgres://{user}{}/{}", hosts.join(","), config.get_dbname().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        let address = Address::parse("postgres://ann:hush@db.example:6432/orders", None).unwrap();
        assert_eq!(address.place(), "postgres://ann@db.example:6432/orders");
        assert!(!format!("{address:?}").contains("hush"));
        for wrong in [
            "postgres://ann:hush@db.example",
            "postgres://ann:hush@host:port/db",
            "mysql://ann:hush@host/db",
            "postgres://ann:hush@host/db?connect_timeout=hush",
            "postgres://ann:hu@sh@host/db?x=hush",
        ] {
            let said = Address::parse(wrong, None).unwrap_err().to_string();
            assert!(!said.contains("hush") && !said.contains("sh@host"), "{said}");
        }
    }
}
