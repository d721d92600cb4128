//! Every refusal of the edge and the engine, provoked over HTTP on both databases: each is a whole problem with the code
//! that the reference names, and neither an answer nor the log says anything that is nobody's business.

use crate::http::connect;
use crate::process::{Place, Server, formwork_in};
use formwork_temporary_postgres::Server as Database;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};

const DOCUMENT: &str = include_str!("../fixtures/refusals.md");

const RATES_KEY: &str = "hush-rates-7f3a";
const PASSWORD: &str = "hush-password-7f3a";
const NOTE: &str = "hush-note-7f3a";
const EMAIL: &str = "hush.ann@example.com";
const DATABASE_PASSWORD: &str = "hush-database-7f3a";
const WRONG_KEY: &str = "fw_hush0wrong_00000000000000000000000000000000";
const VARIABLES_KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddee7f";

/// What stands in no answer and no log: words of SQL that no sentence has, tables of the store's own, names of types, traces
/// of a panic, and paths.
const NOT_SAID: &[&str] = &[
    "SELECT ",
    "INSERT INTO",
    "DELETE FROM",
    "UPDATE \"",
    " WHERE ",
    " FROM ",
    "ROLLBACK",
    "SAVEPOINT",
    "sqlite_",
    "pg_",
    "_formwork",
    "_outbox",
    "_admissions",
    "_reserved",
    "_delivery_parts",
    "constraint failed",
    "violates",
    "syntax error",
    "42P01",
    "panicked",
    "RUST_BACKTRACE",
    "stack backtrace",
    "unwrap()",
    "Internal(",
    "Unavailable(",
    "Refusal",
    "StoreError",
    "StatusCode",
    "Some(",
    "None)",
    "Ok(",
    "Err(",
    "::",
    ".rs:",
    "/tmp/",
    "/root/",
    "/home/",
    "/usr/",
    "/var/",
    ".cargo",
    "formwork.db",
];

/// An answer: status, headers as they came, and body.
struct Refused {
    status: u16,
    head: String,
    body: String,
}

/// Sends bytes, half of them perhaps, and reads to the end of the connection. A server that refuses what it has not read
/// resets the connection, and a busy system may lose the answer over it: then it is asked again, as a caller would.
fn exchange(address: &str, request: &[u8]) -> Refused {
    let text = (0..5).map(|_| sent(address, request)).find(|text| !text.is_empty()).unwrap_or_default();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    Refused { status, head: head.to_owned(), body: body.to_owned() }
}

/// What comes back, as it comes.
fn sent(address: &str, request: &[u8]) -> String {
    let mut stream = connect(address).expect("connected");
    let _ = stream.write_all(request);
    let (mut bytes, mut buffer) = (Vec::new(), [0; 8192]);
    while let Ok(read @ 1..) = stream.read(&mut buffer) {
        bytes.extend_from_slice(&buffer[..read]);
    }
    String::from_utf8(bytes).expect("UTF-8")
}

/// A request as bytes: `GET /people`, headers as lines, and a body.
fn request(line: &str, headers: &[&str], body: &str) -> Vec<u8> {
    let mut text = format!("{line} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n");
    if !body.is_empty() {
        text.push_str(&format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len()));
    }
    for header in headers {
        text.push_str(header);
        text.push_str("\r\n");
    }
    text.push_str("\r\n");
    text.push_str(body);
    text.into_bytes()
}

/// Somebody else's service that takes requests and never answers; tells what it was asked.
fn silent_upstream() -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound").to_string();
    let (tell, told) = channel();
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut buffer = [0; 4096];
            let read = stream.read(&mut buffer).unwrap_or_default();
            let _ = tell.send(String::from_utf8_lossy(&buffer[..read]).into_owned());
            kept.push(stream);
        }
    });
    (address, told)
}

/// A system that refuses, and all that it must keep to itself.
struct Desk {
    server: Server,
    clerk: String,
    clerk_key: String,
    hushed: Vec<String>,
    failed: Vec<String>,
}

impl Desk {
    fn start(place: &Place, database: Option<&str>, more: &[&str]) -> Self {
        let mut environment = vec![("RATES_KEY", RATES_KEY), ("FORMWORK_VARIABLES_KEY", VARIABLES_KEY)];
        environment.extend(database.map(|address| ("FORMWORK_DATABASE", address)));
        // The first start shows keys, once and on purpose; what is held against the rules is the second one's log.
        let first = Server::start_with(&place.document, &place.data, &["-q"], &environment);
        assert_eq!(first.stop().code, 0);
        let server =
            Server::start_with(&place.document, &place.data, &[&["-q"], more].concat(), &environment);
        let made = formwork_in(
            &["keys", "create", "--data", place.data_text(), "--role", "clerk", "--id", "ann"],
            &environment,
        );
        assert_eq!(made.code, 0, "{}", made.errors);
        let clerk_key = made.output.trim().to_owned();
        let hushed = [RATES_KEY, PASSWORD, NOTE, EMAIL, DATABASE_PASSWORD, WRONG_KEY, VARIABLES_KEY, "hush"];
        let mut hushed: Vec<String> = hushed.iter().map(ToString::to_string).collect();
        hushed.extend([clerk_key.clone(), server.admin_key.clone()]);
        Self { clerk: format!("x-api-key: {clerk_key}"), clerk_key, server, hushed, failed: Vec::new() }
    }

    fn ask(&self, line: &str, headers: &[&str], body: &str) -> Refused {
        exchange(&self.server.public, &request(line, headers, body))
    }

    /// Asks as the clerk for what must be done well.
    fn done(&self, line: &str, headers: &[&str], body: &str) -> Refused {
        let headers = [&[self.clerk.as_str()], headers].concat();
        let answer = self.ask(line, &headers, body);
        assert!((200..300).contains(&answer.status), "{line}: {} {}", answer.head, answer.body);
        answer
    }

    /// Holds a refusal against what it must be.
    fn judge(&mut self, asked: &str, wanted: (u16, &str), refused: &Refused) {
        let Refused { status, head, body } = refused;
        let mut wrong = Vec::new();
        let problem: Value = serde_json::from_str(body).unwrap_or_default();
        if (*status, problem["code"].as_str().unwrap_or_default()) != wanted {
            wrong.push(format!("not {wanted:?}"));
        }
        let kind = match wanted.1 {
            "rate_limited" => "https://iana.org/assignments/http-problem-types#quota-exceeded".to_owned(),
            code => format!("/problems/{}", code.replace('_', "-")),
        };
        if problem["type"] != kind || problem["status"] != *status {
            wrong.push("type or status".into());
        }
        for member in ["title", "detail", "instance", "trace_id"] {
            if !problem[member].is_string() {
                wrong.push(format!("no {member}"));
            }
        }
        let lower = head.to_lowercase();
        for header in [
            "content-type: application/problem+json",
            "x-request-id: ",
            "cache-control: ",
            "x-content-type-options: nosniff",
            "content-security-policy: ",
            "referrer-policy: ",
            "server-timing: trace;desc=",
        ] {
            if !lower.contains(header) {
                wrong.push(format!("no {header}"));
            }
        }
        let own =
            [(401, "www-authenticate: "), (405, "allow: "), (429, "retry-after: "), (503, "retry-after: ")];
        for (of, header) in own {
            if *status == of && !lower.contains(header) {
                wrong.push(format!("no {header}"));
            }
        }
        let whole = format!("{head}\n{body}");
        wrong.extend(self.said(&whole));
        if !wrong.is_empty() {
            self.failed.push(format!("{asked} -> {status} {body}\n    {}", wrong.join(", ")));
        }
    }

    /// What a text says that it must not.
    fn said(&self, text: &str) -> Vec<String> {
        let hushed = self.hushed.iter().map(String::as_str);
        let found = NOT_SAID.iter().copied().chain(hushed).filter(|word| text.contains(word));
        found.map(|word| format!("says `{word}`")).collect()
    }

    fn refuses(&mut self, wanted: (u16, &str), line: &str, headers: &[&str], body: &str) {
        let refused = self.ask(line, headers, body);
        self.judge(line, wanted, &refused);
    }

    /// Stops, and holds the whole log against the rules; so many causes at least stand in it.
    fn end(mut self, causes: usize) {
        let ended = self.server.stop();
        assert_eq!(ended.code, 0, "{}", ended.errors);
        let hushed = self.hushed.iter().map(String::as_str);
        for line in ended.errors.lines() {
            let said = NOT_SAID.iter().copied().chain(hushed.clone()).find(|word| line.contains(word));
            self.failed.extend(said.map(|word| format!("the log says `{word}`: {line}")));
        }
        let faults = ended.errors.lines().filter(|line| line.starts_with('{')).count();
        assert!(faults >= causes, "the causes are in the log:\n{}", ended.errors);
        assert!(self.failed.is_empty(), "{:#?}\n{}", self.failed, ended.errors);
    }
}

/// Status and code, the request's line, its headers, and its body.
type Case<'a> = ((u16, &'a str), String, Vec<&'a str>, &'a str);

/// Everything that can be refused while the store is there.
fn everything(desk: &mut Desk, upstream: &Receiver<String>) {
    let clerk = desk.clerk.clone();
    let with = |more: &'static str| [clerk.clone(), more.to_owned()];
    let person = format!(r#"{{"email":"{EMAIL}","password":"{PASSWORD}","note":"{NOTE}","age":40}}"#);
    let made = desk.done("POST /people", &[], &person);
    let id =
        serde_json::from_str::<Value>(&made.body).expect("JSON")["id"].as_str().expect("an id").to_owned();
    let one = format!("/people/{id}");
    desk.done("POST /purchases", &[], "");
    desk.done("GET /ping", &[], "");

    let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    let large = format!("\"{}\"", "x".repeat(1024 * 1024));
    let clerk = clerk.as_str();
    let bad =
        format!(r#"{{"email":"{EMAIL}","password":"{PASSWORD} HUSH","note":"{NOTE}","age":400,"x":1}}"#);
    let wrong_key = format!("x-api-key: {WRONG_KEY}");
    let cut_key = format!("x-api-key: {}", &desk.clerk_key[..desk.clerk_key.len() - 1]);
    let long = format!("x-long: {}", "hush".repeat(5000));
    let longer = format!("x-long: {}", "hush".repeat(20_000));
    let table: Vec<Case<'_>> = vec![
        ((400, "malformed"), "POST /people".into(), vec![clerk], "{\"password\":\"hush"),
        ((400, "malformed"), "POST /people".into(), vec![clerk], &deep),
        ((400, "malformed"), "GET /shares/%ff".into(), vec![clerk], ""),
        ((400, "malformed"), format!("PATCH {one}"), vec![clerk, "if-match: hush"], "{\"age\":1}"),
        ((400, "cursor_invalid"), "GET /people?cursor=AAAA".into(), vec![clerk], ""),
        ((400, "idempotency_key_required"), "POST /payments".into(), vec![clerk], ""),
        ((401, "unauthenticated"), "GET /people".into(), vec![], ""),
        ((401, "unauthenticated"), "GET /people".into(), vec![&wrong_key], ""),
        ((401, "unauthenticated"), "GET /people".into(), vec![&cut_key], ""),
        ((401, "unauthenticated"), "GET /people".into(), vec![clerk, clerk], ""),
        ((401, "unauthenticated"), "GET /people".into(), vec!["authorization: Bearer hush.hush.hush"], ""),
        ((402, "budget_exhausted"), "POST /purchases".into(), vec![clerk], ""),
        ((403, "forbidden"), format!("DELETE {one}"), vec![clerk], ""),
        ((404, "not_found"), "GET /nowhere".into(), vec![clerk], ""),
        (
            (404, "person_not_found"),
            "PATCH /people/01890a5d-ac96-774b-bcce-b302099a8057".into(),
            vec![clerk],
            "{\"age\":1}",
        ),
        ((405, "method_not_allowed"), "PUT /people".into(), vec![clerk], &person),
        ((406, "not_acceptable"), "GET /people".into(), vec![clerk, "accept: text/html"], ""),
        ((409, "conflict"), "POST /people".into(), vec![clerk], &person),
        ((410, "gone"), "GET /old-ping".into(), vec![clerk], ""),
        (
            (412, "precondition_failed"),
            format!("PATCH {one}"),
            vec![clerk, "if-match: \"1-0\""],
            "{\"age\":1}",
        ),
        ((413, "content_too_large"), "POST /people".into(), vec![clerk], &large),
        ((414, "uri_too_long"), format!("GET /people?cursor={}", "hush".repeat(2100)), vec![clerk], ""),
        ((414, "uri_too_long"), format!("GET /people?cursor={}", "hush".repeat(20_000)), vec![clerk], ""),
        (
            (415, "unsupported_media_type"),
            "POST /purchases".into(),
            vec![clerk, "content-encoding: gzip"],
            "{}",
        ),
        ((422, "invalid"), "POST /people".into(), vec![clerk], &bad),
        ((422, "invalid"), "GET /people?limit=hush".into(), vec![clerk], ""),
        ((428, "by_needed"), "GET /shares/1".into(), vec![], ""),
        ((429, "rate_limited"), "GET /ping".into(), vec![clerk], ""),
        ((431, "headers_too_large"), "GET /people".into(), vec![clerk, &long], ""),
        ((431, "headers_too_large"), "GET /people".into(), vec![clerk, &longer], ""),
        ((500, "arithmetic"), "GET /shares/0".into(), vec![], ""),
        ((504, "not_kept"), "GET /payments/count".into(), vec!["cache-control: only-if-cached"], ""),
    ];
    for (wanted, line, headers, body) in &table {
        desk.refuses(*wanted, line, headers, body);
    }
    // The same key for something else.
    desk.done("POST /payments", &["idempotency-key: hush-1"], "");
    let keyed = with("idempotency-key: hush-1");
    desk.refuses((422, "idempotency_key_reused"), "POST /people", &[&keyed[0], &keyed[1]], &person);
    // A token of the right shape, whose issuer cannot be asked.
    let token = "authorization: Bearer eyJhbGciOiJFUzI1NiIsImtpZCI6Imh1c2gifQ.eyJzdWIiOiJodXNoIiwiaXNzIjoiaHR0cHM6Ly9pZC5leGFtcGxlLmNvbSIsImF1ZCI6ImRlc2sifQ.aHVzaA";
    desk.hushed.push(token[22..].to_owned());
    desk.refuses((503, "authentication_unavailable"), "GET /people", &[token], "");
    // A body that does not come, and one that finds no room.
    let address = desk.server.public.clone();
    let post = |length: usize| {
        format!(
            "POST /people HTTP/1.1\r\nhost: x\r\n{clerk}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
        )
    };
    let late = exchange(&address, format!("{}{{\"password\":\"{PASSWORD}", post(200)).as_bytes());
    desk.judge("a body that does not come", (408, "request_timeout"), &late);
    let full =
        exchange(&address, format!("{}\"{PASSWORD}{}\"", post(600_000), "x".repeat(600_000)).as_bytes());
    desk.judge("a body that finds no room", (503, "overloaded"), &full);
    // What is no HTTP.
    for raw in ["hush\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET / HTTP/1.1\r\nhush\0: 1\r\n\r\n"] {
        let refused = exchange(&address, raw.as_bytes());
        desk.judge(raw, (400, "malformed"), &refused);
    }
    // Somebody else says nothing, and then is not there at all.
    desk.refuses((504, "outcome_unknown"), "GET /rates/rome", &[clerk], "");
    let asked = upstream.recv().expect("it was asked");
    assert!(asked.contains(RATES_KEY), "the secret goes where it belongs: {asked}");
}

fn options(upstream: &str) -> [String; 4] {
    [
        "--upstream".into(),
        format!("Rates=http://{upstream}/v1"),
        "--request-time=1s".into(),
        "--body-room=500kB".into(),
    ]
}

#[test]
fn refusals_say_what_they_must_and_nothing_else() {
    let place = Place::with(DOCUMENT);
    let (upstream, asked) = silent_upstream();
    let options = options(&upstream);
    let mut desk = Desk::start(&place, None, &options.each_ref().map(String::as_str));
    everything(&mut desk, &asked);
    // Somebody takes the store apart while it runs.
    let connection = rusqlite::Connection::open(place.data.join("formwork.db")).expect("opens");
    connection.execute_batch("PRAGMA foreign_keys = OFF; DROP TABLE person").expect("dropped");
    let clerk = desk.clerk.clone();
    let person = format!(r#"{{"email":"b{EMAIL}","password":"{PASSWORD}","note":"{NOTE}","age":40}}"#);
    desk.refuses((500, "internal"), "POST /people", &[&clerk], &person);
    desk.refuses((500, "internal"), "GET /people", &[&clerk], "");
    desk.end(3);
}

#[test]
fn refusals_over_postgresql_say_what_they_must_and_nothing_else() {
    let database = Database::start();
    let place = Place::with(DOCUMENT);
    let (upstream, asked) = silent_upstream();
    let options = options(&upstream);
    let name = database.make_database();
    let address = database.url_of(&format!("postgres:{DATABASE_PASSWORD}"), &name);
    let mut desk = Desk::start(&place, Some(&address), &options.each_ref().map(String::as_str));
    everything(&mut desk, &asked);
    database.carry_out(&name, "DROP TABLE person");
    let clerk = desk.clerk.clone();
    let person = format!(r#"{{"email":"b{EMAIL}","password":"{PASSWORD}","note":"{NOTE}","age":40}}"#);
    desk.refuses((500, "internal"), "POST /people", &[&clerk], &person);
    desk.refuses((500, "internal"), "GET /people", &[&clerk], "");
    database.stop();
    desk.refuses((503, "unavailable"), "GET /people", &[&clerk], "");
    desk.refuses((503, "unavailable"), "POST /payments", &[&clerk, "idempotency-key: hush-2"], "");
    desk.end(3);
}

#[test]
fn an_upstream_that_is_away_is_told_without_its_secret() {
    let place = Place::with(DOCUMENT);
    // Nobody listens there.
    let options = options("127.0.0.1:9");
    let mut desk = Desk::start(&place, None, &options.each_ref().map(String::as_str));
    let clerk = desk.clerk.clone();
    desk.refuses((502, "no_rate"), "GET /rates/rome", &[&clerk], "");
    desk.end(1);
}
