//! Requests that mean harm or make no sense: each gets its refusal, and the server lives on.

use crate::client::{exchange, received};
use crate::system::{SHORTLINK, System};
use formwork_server::Limits;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// After everything that was done to it, the server still does its work.
async fn lives_on(system: &System) {
    let member = system.first_key("member");
    let body = r#"{"url":"https://example.com/"}"#;
    let made = system.public("POST /links").key(&member).json(body).send().await;
    assert_eq!(made.status, 201, "{made:?}");
}

#[tokio::test]
async fn bodies_that_are_not_json_are_malformed() {
    let system = System::shortlink().await;
    let member = system.first_key("member");
    let bodies: Vec<Vec<u8>> = vec![
        b"{".to_vec(),
        b"{\"url\":\"a\",}".to_vec(),
        b"{\"url\":\"a\"} x".to_vec(),
        b"{'url':'a'}".to_vec(),
        b"{\"url\":\"\xff\xfe\"}".to_vec(),
        b"\xef\xbb\xbf{}".to_vec(),
        b"{\"url\":\"a\",\"url\":\"b\"}".to_vec(),
        b"{\"url\":\"\\ud800\"}".to_vec(),
        b"{\"url\":NaN}".to_vec(),
        b"{\"url\":01}".to_vec(),
        "[".repeat(500_000).into_bytes(),
        format!("{{\"url\":{}1{}}}", "[".repeat(64), "]".repeat(64)).into_bytes(),
    ];
    for body in bodies {
        // A caller may make ten in ten seconds.
        system.advance("2s").await;
        let answer = system
            .public("POST /links")
            .key(&member)
            .header("content-type", "application/json; charset=UTF-8")
            .bytes(&body)
            .send()
            .await;
        let shown = String::from_utf8_lossy(&body[..body.len().min(30)]).into_owned();
        assert_eq!(answer.outcome(), "400 malformed", "{shown}");
    }
    lives_on(&system).await;
}

#[tokio::test]
async fn bodies_that_are_json_of_the_wrong_kind_are_invalid() {
    let system = System::shortlink().await;
    let member = system.first_key("member");
    for (body, fault) in [
        ("[]", "# type"),
        ("null", "# type"),
        (r#"{"url":1e999999}"#, "#/url type"),
        (r#"{"url":["https://example.com/"]}"#, "#/url type"),
        (r#"{"url":"https://example.com/\u0000"}"#, "#/url type"),
        (r#"{"url":"javascript alert"}"#, "#/url format"),
    ] {
        let answer = system.public("POST /links").key(&member).json(body).send().await;
        assert_eq!((answer.status, answer.faults()), (422, vec![fault.to_owned()]), "{body}");
    }
    let many: Vec<String> = (0..20_000).map(|number| format!("\"m{number}\":0")).collect();
    let answer =
        system.public("POST /links").key(&member).json(&format!("{{{}}}", many.join(","))).send().await;
    assert_eq!(answer.outcome(), "422 invalid");
    assert!(answer.body.len() < 20_000, "{}", answer.body.len());
    lives_on(&system).await;
}

#[tokio::test]
async fn too_large_is_refused_with_and_without_a_length() {
    let system = System::shortlink().await;
    let member = system.first_key("member");
    let address = system.running.addresses().public;
    let head = format!(
        "POST /links HTTP/1.1\r\nhost: x\r\nx-api-key: {member}\r\ncontent-type: application/json\r\n"
    );
    // Nothing of the body is sent: the length alone is refused.
    let announced = exchange(address, format!("{head}content-length: 1048577\r\n\r\n").as_bytes()).await;
    assert_eq!(announced.outcome(), "413 content_too_large");
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000)).repeat(17);
    let chunked =
        exchange(address, format!("{head}transfer-encoding: chunked\r\n\r\n{chunk}").as_bytes()).await;
    assert_eq!(chunked.outcome(), "413 content_too_large");

    let large = "x".repeat(17_000);
    let headers = system.public("GET /links").key(&member).header("x-large", &large).send().await;
    assert_eq!(headers.outcome(), "431 headers_too_large");
    let enormous = system.public("GET /links").header("x-large", &large.repeat(5)).send().await;
    assert_eq!(enormous.outcome(), "431 headers_too_large");
    // A header that never ends is one, too; so is one behind a request that was answered.
    let first = "GET /livez HTTP/1.1\r\nhost: x\r\n\r\n";
    let endless =
        exchange(address, format!("GET /livez HTTP/1.1\r\nx-large: {}", large.repeat(5)).as_bytes()).await;
    assert_eq!(endless.outcome(), "431 headers_too_large");
    let two = exchange(address, format!("{first}GET /livez HTTP/1.1\r\nx: \0\r\n\r\n").as_bytes()).await;
    assert!(two.status == 200 && two.body.contains("\"code\":\"malformed\""), "{two:?}");
    lives_on(&system).await;
}

#[tokio::test]
async fn an_address_that_is_too_long_is_refused_as_such() {
    let system = System::shortlink().await;
    let address = system.running.addresses().public;
    let asked = async |length: usize, start: &str| {
        let target = format!("{start}{}", "a".repeat(length - start.len()));
        let request = format!("GET {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        exchange(address, request.as_bytes()).await
    };
    // Path and query count together; what is just short enough is asked for like anything else.
    assert_eq!(asked(8192, "/a?").await.outcome(), "404 link_not_found");
    for (length, start) in
        [(8193, "/a?"), (8193, "/"), (60_000, "/links?x="), (65_600, "/"), (200_000, "/a?")]
    {
        let refused = asked(length, start).await;
        assert_eq!(refused.outcome(), "414 uri_too_long", "{length}");
        assert!(refused.body.len() < 400, "it is not sent back: {}", refused.body.len());
        for header in ["x-request-id", "server-timing", "cache-control", "x-content-type-options"] {
            assert!(refused.header(header).is_some(), "{header}: {refused:?}");
        }
        assert_eq!(refused.header("connection").as_deref(), Some("close"));
    }
    let within = System::start(&SHORTLINK, Limits { target_bytes: 29, ..Limits::default() }).await;
    assert_eq!(
        within.public("GET /links?limit=1&limit=2&limit=3").send().await.outcome(),
        "414 uri_too_long"
    );
    lives_on(&system).await;
}

#[tokio::test]
async fn paths_and_queries_that_cannot_be_read_are_malformed() {
    let system = System::shortlink().await;
    let member = system.first_key("member");
    for line in ["GET /%ff", "GET /%zz", "GET /%", "GET /links/%C3%28"] {
        assert_eq!(system.public(line).key(&member).send().await.outcome(), "400 malformed", "{line}");
    }
    assert_eq!(
        system.public("GET /links?owner_id=%e0%80").key(&member).send().await.outcome(),
        "400 malformed"
    );
    for line in ["GET /links/a/b/c", "GET //", "GET /links/", "GET /../etc/passwd"] {
        assert_eq!(system.public(line).key(&member).send().await.outcome(), "404 not_found", "{line}");
    }
    lives_on(&system).await;
}

#[tokio::test]
async fn what_is_no_http_ends_its_connection_only() {
    let system = System::shortlink().await;
    let address = system.running.addresses().public;
    let member = system.first_key("member");
    let smuggled = format!(
        "POST /links HTTP/1.1\r\nhost: x\r\nx-api-key: {member}\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n{{}}   "
    );
    for request in ["\0\0\0\0\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", &smuggled] {
        let answer = exchange(address, request.as_bytes()).await;
        assert_eq!(answer.outcome(), "400 malformed", "{request:?}");
    }
    let cut = format!(
        "POST /links HTTP/1.1\r\nhost: x\r\nx-api-key: {member}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\nzz\r\n"
    );
    assert_eq!(exchange(address, cut.as_bytes()).await.outcome(), "400 malformed");
    lives_on(&system).await;
}

#[tokio::test]
async fn slow_callers_are_cut_off() {
    let limits = Limits { read: Duration::from_millis(150), ..Limits::default() };
    let system = System::start(&SHORTLINK, limits).await;
    let member = system.first_key("member");
    let address = system.running.addresses().public;
    let mut silent = TcpStream::connect(address).await.expect("connects");
    silent.write_all(b"GET /lin").await.expect("sent");
    let mut body = TcpStream::connect(address).await.expect("connects");
    let head = format!(
        "POST /links HTTP/1.1\r\nhost: x\r\nx-api-key: {member}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{{"
    );
    body.write_all(head.as_bytes()).await.expect("sent");
    assert_eq!(received(&mut body).await.outcome(), "408 request_timeout");
    // The connection ends by itself, with or without a word.
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(
        Duration::from_secs(5),
        tokio::io::AsyncReadExt::read_to_end(&mut silent, &mut rest),
    );
    assert!(ended.await.is_ok(), "the connection is still open");
    lives_on(&system).await;
}

#[tokio::test]
async fn more_than_can_be_worked_on_is_overloaded() {
    let system = System::start(&SHORTLINK, Limits { requests: 1, ..Limits::default() }).await;
    let member = system.first_key("member");
    let address = system.running.addresses().public;
    let mut waiting = TcpStream::connect(address).await.expect("connects");
    let head = format!(
        "POST /links HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\nx-api-key: {member}\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n"
    );
    waiting.write_all(head.as_bytes()).await.expect("sent");
    // The interim answer says that the request is being worked on.
    let mut interim = [0; 12];
    tokio::io::AsyncReadExt::read_exact(&mut waiting, &mut interim).await.expect("an interim answer");
    assert_eq!(&interim, b"HTTP/1.1 100");
    let refused = system.public("GET /links").key(&member).send().await;
    assert_eq!(refused.outcome(), "503 overloaded");
    assert_eq!(refused.header("retry-after").as_deref(), Some("1"));
    drop(waiting);
}

#[tokio::test]
async fn keys_in_other_places_and_shapes_are_no_keys() {
    let system = System::shortlink().await;
    let member = system.first_key("member");
    let line = format!("GET /links?x-api-key={member}&api_key={member}");
    assert_eq!(system.public(&line).send().await.outcome(), "401 unauthenticated");
    for key in ["", "member", "' or 1=1", &member.to_uppercase(), &format!("{member},{member}")] {
        assert_eq!(
            system.public("GET /links").key(key).send().await.outcome(),
            "401 unauthenticated",
            "{key}"
        );
    }
    let twice = system.public("GET /links").key(&member).key(&member).send().await;
    assert_eq!(twice.outcome(), "401 unauthenticated");
}
