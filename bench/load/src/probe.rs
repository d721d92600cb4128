//! Shows that a server does the work before its speed is measured: the right answers, and exactly the rows that
//! it acknowledged.

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::client::Connection;
use crate::rows::{self, Rows};
use crate::servers::{Subject, Target};

/// Links that are made and followed beside the single cases.
const REPEATS: u64 = 20;
const URL: &str = "https://example.com/probe?x=1";

/// Starts the server on a fresh folder, asks each kind of question, stops it and counts its rows.
pub(crate) async fn run(subject: &Subject, folder: std::path::PathBuf, pinned: bool) -> anyhow::Result<()> {
    let name = subject.name();
    let server = subject.start(folder, pinned)?;
    let acknowledged = ask(&server.target).await.with_context(|| format!("{name} answers wrongly"))?;
    let folder = server.stop()?;
    let kept = rows::count(&folder)?;
    ensure!(kept == acknowledged, "{name} acknowledged {acknowledged:?} and kept {kept:?}");
    std::fs::remove_dir_all(folder)?;
    Ok(())
}

struct Probe<'a> {
    connection: Connection,
    target: &'a Target,
}

struct Reply {
    status: u16,
    location: Option<String>,
    body: Value,
}

impl Probe<'_> {
    async fn send(
        &mut self,
        method: &str,
        path: &str,
        key: bool,
        body: Option<Value>,
    ) -> anyhow::Result<Reply> {
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n", self.target.address);
        if key {
            head.push_str(&format!("X-API-Key: {}\r\n", self.target.key));
        }
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        if !body.is_empty() {
            head.push_str(&format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len()));
        }
        let answer = self.connection.exchange(format!("{head}\r\n{body}").as_bytes()).await?;
        Ok(Reply {
            status: answer.status,
            location: answer.header("location"),
            body: serde_json::from_slice(answer.body).unwrap_or(Value::Null),
        })
    }

    async fn create(&mut self, key: bool, body: Value) -> anyhow::Result<Reply> {
        self.send("POST", "/links", key, Some(body)).await
    }

    async fn expect(&mut self, what: &str, status: u16, key: bool, body: Value) -> anyhow::Result<Reply> {
        let reply = self.create(key, body).await?;
        ensure!(reply.status == status, "{what}: {} instead of {status}: {}", reply.status, reply.body);
        Ok(reply)
    }
}

async fn ask(target: &Target) -> anyhow::Result<Rows> {
    let mut probe = Probe { connection: Connection::open(target.address).await?, target };
    let created = probe.expect("create", 201, true, json!({"url": URL, "slug": "probe"})).await?;
    check_link(&created.body, "probe", 0)?;
    ensure!(
        created.location.as_deref() == Some("/links/probe"),
        "create: Location is {:?}",
        created.location
    );
    let named = probe.expect("create without slug", 201, true, json!({"url": URL})).await?;
    ensure!(named.body["slug"].as_str().is_some_and(|slug| slug.len() == 7), "no slug in {}", named.body);

    probe.expect("duplicate slug", 409, true, json!({"url": URL, "slug": "probe"})).await?;
    probe.expect("bad url", 422, true, json!({"url": "not a url"})).await?;
    probe.expect("bad slug", 422, true, json!({"url": URL, "slug": "NO"})).await?;
    probe.expect("long url", 422, true, json!({"url": format!("{URL}{}", "x".repeat(2048))})).await?;
    probe.expect("unknown field", 422, true, json!({"url": URL, "colour": "red"})).await?;
    let past = json!({"url": URL, "expires_at": "2001-01-01T00:00:00Z"});
    probe.expect("expiry in the past", 422, true, past).await?;
    probe.expect("no key", 401, false, json!({"url": URL, "slug": "no-key"})).await?;

    let mut visits = 0;
    let mut links = 2;
    for number in 0..REPEATS {
        let slug = format!("probe-{number}");
        probe.expect("create", 201, true, json!({"url": URL, "slug": slug})).await?;
        links += 1;
        let followed = probe.send("GET", &format!("/{slug}"), false, None).await?;
        ensure!(followed.status == 302, "follow: {} instead of 302: {}", followed.status, followed.body);
        ensure!(followed.location.as_deref() == Some(URL), "follow: Location is {:?}", followed.location);
        visits += 1;
    }
    let read = probe.send("GET", "/links/probe-7", true, None).await?;
    ensure!(read.status == 200, "get: {} instead of 200: {}", read.status, read.body);
    check_link(&read.body, "probe-7", 1)?;
    for (path, key, status) in
        [("/links/none", true, 404), ("/none", false, 404), ("/links/probe", false, 401)]
    {
        let reply = probe.send("GET", path, key, None).await?;
        ensure!(reply.status == status, "GET {path}: {} instead of {status}", reply.status);
    }
    Ok(Rows { links, visits, events: links + visits })
}

fn check_link(link: &Value, slug: &str, visits: u64) -> anyhow::Result<()> {
    let text = |name: &str| link[name].as_str().unwrap_or_default();
    ensure!(text("slug") == slug && text("url") == URL, "wrong slug or url in {link}");
    ensure!(link["visit_count"] == visits, "visit_count is not {visits} in {link}");
    ensure!(text("id").len() == 36 && text("id").as_bytes()[14] == b'7', "id is no UUIDv7 in {link}");
    ensure!(!text("owner_id").is_empty(), "no owner_id in {link}");
    ensure!(text("created_at").parse::<jiff::Timestamp>().is_ok(), "created_at is no time in {link}");
    ensure!(link["expires_at"].is_null(), "expires_at is set in {link}");
    Ok(())
}
