//! One test for each risk of the OWASP API Security Top 10 (2023), named after it, against a document that has what the
//! risk is about. What only some documents have is tested with it: tokens, quotas, budgets and origins where they
//! are enforced.

use crate::http::{self, Answer, connect, receive};
use crate::process::{Place, Server, formwork};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const DOCUMENT: &str = include_str!("../fixtures/owasp.md");

/// The desk, running; with keys of two customers and an agent.
struct Desk {
    place: Place,
    server: Server,
    alice: String,
    bob: String,
    agent: String,
}

impl Desk {
    fn open(rates: &str) -> Self {
        let place = Place::with(DOCUMENT);
        let upstream = format!("Rates=http://{rates}/v1");
        let server = Server::start_with(
            &place.document,
            &place.data,
            &["--upstream", &upstream],
            &[("RATES_KEY", "hush-rates")],
        );
        let (alice, bob) = (place.key("customer", "alice"), place.key("customer", "bob"));
        let agent = place.key("agent", "ann");
        Self { place, server, alice, bob, agent }
    }

    /// Without anybody who says what a day costs.
    fn new() -> Self {
        Self::open("127.0.0.1:9")
    }

    fn ticket(&self, key: &str) -> String {
        let made = self.server.call(key, "POST", "/tickets", Some(json!({"subject": "Help"})));
        assert_eq!(made.status, 201);
        made.json()["id"].as_str().expect("an id").to_owned()
    }

    fn status(&self, key: &str, method: &str, target: &str, body: Option<Value>) -> u16 {
        self.server.call(key, method, target, body).status
    }
}

/// An upstream that answers each request with these bytes, and tells what it was asked.
fn upstream(answer: impl Fn(&str) -> Vec<u8> + Send + 'static) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound").to_string();
    let (told, asked) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let (mut head, mut buffer) = (Vec::new(), [0; 4096]);
            while !head.windows(4).any(|window| window == b"\r\n\r\n") {
                match stream.read(&mut buffer) {
                    Ok(0) | Err(_) => break,
                    Ok(read) => head.extend_from_slice(&buffer[..read]),
                }
            }
            let head = String::from_utf8_lossy(&head).into_owned();
            let bytes = answer(&head);
            if told.send(head).is_err() {
                return;
            }
            // Who asked may have enough of it.
            let _ = stream.write_all(&bytes);
        }
    });
    (address, asked)
}

fn ok(body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

#[test]
fn api1_2023_broken_object_level_authorization() {
    let desk = Desk::new();
    let ticket = desk.ticket(&desk.alice);
    let (path, change) = (format!("/tickets/{ticket}"), Some(json!({"subject": "Mine"})));
    // Another customer's ids in the path: as if they were not there, and nothing changes.
    assert_eq!(desk.status(&desk.bob, "GET", &path, None), 404);
    assert_eq!(desk.status(&desk.bob, "PATCH", &path, change.clone()), 404);
    assert_eq!(desk.server.call(&desk.alice, "GET", &path, None).json()["subject"], "Help");
    let unknown = desk.server.call(&desk.bob, "GET", "/tickets/01890a5d-ac96-774b-bcce-b302099a8057", None);
    let hidden = desk.server.call(&desk.bob, "GET", &path, None);
    assert_eq!(hidden.problem(), unknown.problem(), "what is hidden looks like what is not there");
    // In a list, and with another customer's cursor.
    assert_eq!(desk.server.call(&desk.bob, "GET", "/tickets", None).json()["items"], json!([]));
    desk.ticket(&desk.alice);
    desk.ticket(&desk.alice);
    let page = desk.server.call(&desk.alice, "GET", "/tickets", None).json();
    let cursor = page["next_cursor"].as_str().expect("a second page");
    assert_eq!(desk.status(&desk.bob, "GET", &format!("/tickets?cursor={cursor}"), None), 400);
    assert_eq!(desk.status(&desk.alice, "GET", &format!("/tickets?cursor={cursor}"), None), 200);
    // With another customer's idempotency key: an answer of one's own.
    let keyed = |key: &str| {
        let headers = [("X-API-Key", key), ("Idempotency-Key", "once"), ("Content-Type", "application/json")];
        http::send(&desk.server.public, "POST", "/tickets", &headers, Some(br#"{"subject": "Keyed"}"#))
            .expect("an answer")
    };
    let (first, other) = (keyed(&desk.alice), keyed(&desk.bob));
    assert_eq!((first.status, other.status), (201, 201));
    assert_eq!(other.json()["owner_id"], "bob");
    assert_eq!(keyed(&desk.alice).json(), first.json());
}

#[test]
fn api2_2023_broken_authentication() {
    let desk = Desk::new();
    let with = |headers: &[(&str, &str)], target: &str| {
        http::send(&desk.server.public, "GET", target, headers, None).expect("an answer")
    };
    let refused = |answer: &Answer| {
        assert_eq!(answer.status, 401, "{}", answer.json());
        assert!(answer.header("www-authenticate").is_some());
    };
    refused(&with(&[], "/tickets"));
    refused(&with(&[("X-API-Key", "")], "/tickets"));
    refused(&with(&[("X-API-Key", "fw_0000000000_00000000")], "/tickets"));
    // Changed in one place, wherever that is, cut short, and longer.
    for at in 0..desk.alice.len() {
        let mut changed = desk.alice.clone().into_bytes();
        changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
        refused(&with(&[("X-API-Key", &String::from_utf8(changed).expect("ASCII"))], "/tickets"));
    }
    refused(&with(&[("X-API-Key", &desk.alice[..desk.alice.len() - 1])], "/tickets"));
    refused(&with(&[("X-API-Key", &format!("{}0", desk.alice))], "/tickets"));
    // A credential in the address is none; the address is what proxies log.
    assert_eq!(with(&[], &format!("/tickets?x-api-key={}", desk.alice)).status, 401);
    // A token, where the document knows none.
    refused(&with(&[("Authorization", "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9.")], "/tickets"));
    // Taken back: from the next request on.
    assert_eq!(desk.status(&desk.bob, "GET", "/tickets", None), 200);
    let listed = formwork(&["keys", "list", "--data", desk.place.data_text()]);
    assert!(!listed.output.contains(&desk.bob), "no secret is shown twice");
    let id = desk.bob.split('_').nth(1).expect("an id");
    let revoked = formwork(&["keys", "revoke", "--data", desk.place.data_text(), id]);
    assert_eq!(revoked.code, 0, "{}", revoked.errors);
    refused(&with(&[("X-API-Key", &desk.bob)], "/tickets"));
    // Who guesses is told to wait; who knows is not locked out by others at the same address.
    let wrong = |_| with(&[("X-API-Key", &desk.bob)], "/tickets");
    let waits = (0..100).map(wrong).find(|answer| answer.status == 429).expect("guessing ends");
    assert_eq!(waits.json()["code"], "too_many_failures");
    let seconds = waits.header("retry-after").and_then(|seconds| seconds.parse::<u32>().ok());
    assert!(seconds.is_some_and(|seconds| (1..=60).contains(&seconds)), "{seconds:?}");
    assert_eq!(desk.status(&desk.alice, "GET", "/tickets", None), 200);
}

#[test]
fn api3_2023_broken_object_property_level_authorization() {
    let desk = Desk::new();
    let ticket = desk.ticket(&desk.alice);
    let path = format!("/tickets/{ticket}");
    let before = desk.server.call(&desk.alice, "GET", &path, None).json();
    // What the operation does not take is refused with its name, whether the row has it or not, and nothing is stored.
    for (member, value) in [
        ("id", json!("01890a5d-ac96-774b-bcce-b302099a8057")),
        ("owner_id", json!("bob")),
        ("state", json!("settled")),
        ("note", json!("free of charge")),
        ("roles", json!(["agent"])),
        ("__proto__", json!({"state": "settled"})),
    ] {
        let sent = json!({"subject": "New", member: value});
        for (method, target) in [("PATCH", path.as_str()), ("POST", "/tickets")] {
            let answer = desk.server.call(&desk.alice, method, target, Some(sent.clone()));
            assert_eq!(answer.problem(), (422, "invalid".to_owned()), "{method} {member}");
            assert_eq!(answer.json()["errors"][0]["code"], "unknown_field", "{method} {member}");
        }
    }
    assert_eq!(desk.server.call(&desk.alice, "GET", &path, None).json(), before);
    // Answers hold the declared fields; what is write-only is not among them.
    let members: BTreeSet<&str> = before.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(members, BTreeSet::from(["id", "owner_id", "state", "subject"]));
}

#[test]
fn api4_2023_unrestricted_resource_consumption() {
    let desk = Desk::new();
    let post = |body: &[u8]| {
        let headers = [("X-API-Key", desk.alice.as_str()), ("Content-Type", "application/json")];
        http::send(&desk.server.public, "POST", "/tickets", &headers, Some(body)).expect("an answer")
    };
    // The refusal comes before the body is read.
    let mut large = connect(&desk.server.public).expect("connected");
    let head = format!(
        "POST /tickets HTTP/1.1\r\nHost: x\r\nX-API-Key: {}\r\nContent-Type: application/json\r\nConnection: close\r\n\
         Content-Length: 68719476736\r\n\r\n",
        desk.alice
    );
    large.write_all(head.as_bytes()).expect("sent");
    assert_eq!(receive(large).expect("an answer").status, 413);
    let deep = format!("{{\"subject\": {}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    assert_eq!(post(deep.as_bytes()).status, 400);
    assert_eq!(post(format!("{{\"subject\": \"{}\"}}", "x".repeat(201)).as_bytes()).status, 422);
    // A page is as long as the document says, however much is asked for.
    for _ in 0..201 {
        desk.ticket(&desk.alice);
    }
    let most = desk.server.call(&desk.alice, "GET", "/tickets?limit=9223372036854775807", None);
    assert_eq!(most.json()["items"].as_array().expect("a list").len(), 200);
    assert_eq!(desk.status(&desk.alice, "GET", "/tickets?limit=-1", None), 422);
    let header = "x".repeat(64 << 10);
    let headers = [("X-API-Key", desk.alice.as_str()), ("X-More", &header)];
    let answer = http::send(&desk.server.public, "GET", "/tickets", &headers, None);
    assert!(answer.is_ok_and(|answer| answer.status == 431));
    // Many who say little and wait do not keep the others from being answered.
    let slow: Vec<_> = (0..64)
        .map(|_| {
            let mut stream = connect(&desk.server.public).expect("connected");
            stream.write_all(b"POST /tickets HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n").expect("sent");
            stream
        })
        .collect();
    assert_eq!(desk.status(&desk.alice, "GET", "/tickets", None), 200);
    drop(slow);
}

#[test]
fn api5_2023_broken_function_level_authorization() {
    let desk = Desk::new();
    let ticket = desk.ticket(&desk.alice);
    let nobody = desk.place.key("visitor", "eve");
    // Every operation with every caller who may not: refused before anything is read of it.
    let operations = [
        ("POST", "/tickets".to_owned(), &[&desk.agent, &nobody][..]),
        ("GET", "/tickets".to_owned(), &[&desk.agent, &nobody]),
        ("GET", format!("/tickets/{ticket}"), &[&nobody]),
        ("PATCH", format!("/tickets/{ticket}"), &[&desk.agent, &nobody]),
        ("POST", format!("/tickets/{ticket}/answer"), &[&desk.alice, &nobody]),
        ("POST", format!("/tickets/{ticket}/settlement"), &[&desk.alice, &nobody]),
        ("GET", "/rates/rome".to_owned(), &[&desk.alice, &nobody]),
    ];
    for (method, target, callers) in &operations {
        for caller in *callers {
            let answer = desk.server.call(caller, method, target, Some(json!({"no": "input"})));
            assert_eq!(answer.problem(), (403, "forbidden".to_owned()), "{method} {target}");
        }
        assert_eq!(desk.status("", method, target, None), 401, "{method} {target}");
    }
    // Methods that nothing declares, and those that rewrite others.
    for method in ["PUT", "DELETE", "TRACE", "CONNECT", "BREW"] {
        let answer = http::send(&desk.server.public, method, "/tickets", &[("X-API-Key", &desk.agent)], None);
        assert!(answer.is_ok_and(|answer| [400, 405].contains(&answer.status)), "{method}");
    }
    let headers = [("X-API-Key", desk.alice.as_str()), ("X-HTTP-Method-Override", "PATCH")];
    let answer = http::send(&desk.server.public, "GET", &format!("/tickets/{ticket}"), &headers, None);
    assert_eq!(answer.expect("an answer").json()["subject"], "Help");
    // The operator's interface is not on this listener, whoever asks.
    for target in ["/metrics", "/keys", "/clock", "/admin", "/rows/ticket"] {
        assert_eq!(desk.status(&desk.agent, "GET", target, None), 404, "{target}");
    }
}

#[test]
fn api6_2023_unrestricted_access_to_sensitive_business_flows() {
    let desk = Desk::new();
    let ticket = desk.ticket(&desk.alice);
    let step = |name: &str| desk.server.call(&desk.agent, "POST", &format!("/tickets/{ticket}/{name}"), None);
    // Out of order.
    assert_eq!(step("settlement").problem(), (409, "not_answered".to_owned()));
    // At the speed of a machine: the step is done once, whoever comes first.
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..16).map(|_| scope.spawn(|| step("answer").status)).collect();
        all.into_iter().map(|one| one.join().expect("answered")).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [200, 409].contains(status)), "{statuses:?}");
    assert_eq!(step("settlement").status, 200);
    assert_eq!(step("answer").problem(), (409, "not_open".to_owned()));
}

#[test]
fn api7_2023_server_side_request_forgery() {
    let (address, asked) = upstream(|_| ok(r#"{"rate": "500.00"}"#));
    let desk = Desk::open(&address);
    // What a caller sends stays one piece of the path of the host that the document names.
    for city in [
        "rome",
        "..%2F..%2Fadmin",
        "%2F%2F169.254.169.254%2Flatest",
        "@127.0.0.1:22",
        "http:%2F%2F127.0.0.1%2F",
        "a%3Fadmin=1",
        "a%23b",
        "a%0d%0aX-Evil: 1".replace(' ', "%20").as_str(),
    ] {
        let answer = desk.server.call(&desk.agent, "GET", &format!("/rates/{city}"), None);
        let Ok(seen) = asked.recv_timeout(Duration::from_secs(10)) else {
            panic!("{city} was not asked: {}", answer.json())
        };
        assert_eq!(answer.status, 200, "{city}: {}", answer.json());
        let line = seen.lines().next().expect("a request");
        let path = line.strip_prefix("GET /v1/cities/").and_then(|rest| rest.strip_suffix(" HTTP/1.1"));
        let piece = path.unwrap_or_else(|| panic!("{city} left its place: {line}"));
        assert!(!piece.contains(['/', '?', '#', '\r', '\n', ' ']), "{city}: {line}");
        assert!(!seen.to_ascii_lowercase().contains("\r\nx-evil"), "{city}: {seen}");
    }
    // A piece that would climb is no city.
    for city in ["..", "%2e%2e", "."] {
        let answer = desk.server.call(&desk.agent, "GET", &format!("/rates/{city}"), None);
        let climbed = asked.try_recv().ok().filter(|seen| !seen.starts_with("GET /v1/cities/"));
        assert_eq!(climbed, None, "{city}: {}", answer.status);
    }
}

#[test]
fn api8_2023_security_misconfiguration() {
    let desk = Desk::new();
    let answers = [
        desk.server.call(&desk.alice, "GET", "/tickets", None),
        desk.server.call("", "GET", "/tickets", None),
        desk.server.call(&desk.alice, "GET", "/nothing", None),
        desk.server.call(&desk.alice, "POST", "/tickets", Some(json!({"subject": 1}))),
    ];
    for answer in &answers {
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("content-security-policy", "frame-ancestors 'none'"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{name}");
        }
        assert!(answer.header("cache-control").is_some());
        assert!(answer.header("server").is_none() && answer.header("x-powered-by").is_none());
        let body = String::from_utf8_lossy(&answer.body);
        for internal in ["SELECT", "panicked", "src/", ".rs:", "sqlite", "/tmp"] {
            assert!(!body.contains(internal), "{body}");
        }
    }
    // Pages of other origins are told nothing.
    let probe = [("Origin", "https://evil.example"), ("Access-Control-Request-Method", "POST")];
    let preflight = http::send(&desk.server.public, "OPTIONS", "/tickets", &probe, None).expect("an answer");
    assert!(preflight.header("access-control-allow-origin").is_none());
    // Nothing but JSON is read or answered.
    let typed = |kind: &str| {
        let headers = [("X-API-Key", desk.alice.as_str()), ("Content-Type", kind)];
        http::send(&desk.server.public, "POST", "/tickets", &headers, Some(b"{}")).expect("an answer").status
    };
    assert_eq!((typed("text/xml"), typed("application/x-www-form-urlencoded")), (415, 415));
    // A request that two servers would read in two ways is read by none.
    let smuggled = "POST /tickets HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n\
                    GET /tickets HTTP/1.1\r\nHost: x\r\n\r\n";
    let mut stream = connect(&desk.server.public).expect("connected");
    stream.write_all(smuggled.as_bytes()).expect("sent");
    let answer = receive(stream).expect("an answer");
    assert_eq!(answer.header("connection"), Some("close"));
    assert!(!String::from_utf8_lossy(&answer.body).contains("HTTP/1.1"), "one answer, and the end");
}

#[test]
fn api9_2023_improper_inventory_management() {
    let desk = Desk::new();
    let description = desk.server.call("", "GET", "/openapi.json", None).json();
    let described: BTreeSet<(String, String)> = description["paths"]
        .as_object()
        .expect("paths")
        .iter()
        .flat_map(|(path, methods)| {
            methods.as_object().expect("methods").keys().map(|method| (method.to_uppercase(), path.clone()))
        })
        .collect();
    // Every operation that is declared is described.
    for line in DOCUMENT.lines().filter(|line| line.starts_with("#### Operation:")) {
        let route = line.rsplit('`').nth(1).expect("a route");
        let (method, path) = route.split_once(' ').expect("a method and a path");
        assert!(described.contains(&(method.to_owned(), path.to_owned())), "{route}");
    }
    // Every description is served: not one is answered as if there were nothing.
    for (method, path) in &described {
        let target = path.replace("{id}", "01890a5d-ac96-774b-bcce-b302099a8057").replace("{city}", "rome");
        let answer = desk.server.call("", method, &target, None);
        assert!(![404, 405].contains(&answer.status), "{method} {path}: {}", answer.status);
    }
    // And nothing else is: not with the document's endpoints of section 5, other versions, or usual places.
    for target in [
        "/cities/rome",
        "/v1/tickets",
        "/api/tickets",
        "/swagger",
        "/graphql",
        "/.env",
        "/debug",
        "/actuator",
    ] {
        assert_eq!(desk.status(&desk.agent, "GET", target, None), 404, "{target}");
    }
}

#[test]
fn api10_2023_unsafe_consumption_of_apis() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").expect("a free port");
    elsewhere.set_nonblocking(true).expect("settable");
    let other = elsewhere.local_addr().expect("bound");
    let (address, asked) = upstream(move |head| {
        match head.split(' ').nth(1).unwrap_or_default() {
        "/v1/cities/redirect" => {
            format!("HTTP/1.1 302 Found\r\nLocation: http://{other}/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                .into_bytes()
        }
        "/v1/cities/huge" => ok(&format!("{{\"rate\": \"1.00\", \"more\": \"{}\"}}", "x".repeat(64 << 20))),
        "/v1/cities/deep" => ok(&format!("{{\"rate\": {}1{}}}", "[".repeat(100_000), "]".repeat(100_000))),
        "/v1/cities/broken" => ok(r#"{"rate": "#),
        "/v1/cities/other-type" => ok(r#"{"rate": {"$ne": null}}"#),
        "/v1/cities/too-many-digits" => ok(r#"{"rate": "123456789012345.678"}"#),
        "/v1/cities/nothing" => b"\r\n\r\n".to_vec(),
        "/v1/cities/long-header" => {
            format!("HTTP/1.1 200 OK\r\nX-More: {}\r\nContent-Length: 2\r\n\r\n{{}}", "x".repeat(4 << 20)).into_bytes()
        }
        _ => ok(r#"{"rate": "500.00", "password": "hush"}"#),
    }
    });
    let desk = Desk::open(&address);
    for city in
        ["redirect", "huge", "deep", "broken", "other-type", "too-many-digits", "nothing", "long-header"]
    {
        let began = Instant::now();
        let answer = desk.server.call(&desk.agent, "GET", &format!("/rates/{city}"), None);
        assert_eq!(answer.problem(), (502, "no_rate".to_owned()), "{city}");
        assert!(began.elapsed() < Duration::from_secs(10), "{city}");
        assert!(!String::from_utf8_lossy(&answer.body).contains("hush"), "{city}");
        assert!(asked.recv_timeout(Duration::from_secs(10)).is_ok(), "{city}");
    }
    assert!(elsewhere.accept().is_err(), "a redirection is not followed");
    // What fits is taken, and only what is declared of it goes on.
    let fine = desk.server.call(&desk.agent, "GET", "/rates/rome", None);
    assert_eq!((fine.status, fine.json()), (200, json!({"rate": "500.00"})));
    let said = desk.server.stop();
    assert!(!said.errors.contains("hush"), "no secret is logged: {}", said.errors);
}
