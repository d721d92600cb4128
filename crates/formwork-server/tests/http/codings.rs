//! Compressed answers: for those who take them, where it is worth it, each with a tag of its own.

use crate::system::{EDGE, System};
use flate2::read::GzDecoder;
use formwork_server::Limits;
use std::io::Read;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Status, headers in lower case, and the body's bytes.
async fn got(system: &System, line: &str, headers: &[(&str, &str)]) -> (u16, Vec<(String, String)>, Vec<u8>) {
    let mut stream = TcpStream::connect(system.running.addresses().public).await.expect("connects");
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let request = format!("{line} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.expect("an answer");
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a header");
    let head = String::from_utf8(bytes[..end].to_vec()).expect("text");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    let headers = head.lines().skip(1).filter_map(|line| line.split_once(": "));
    (
        status,
        headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect(),
        bytes[end + 4..].to_vec(),
    )
}

fn header(headers: &[(String, String)], name: &str) -> Option<String> {
    headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.clone())
}

async fn with_a_long_and_a_short_note() -> System {
    let system = System::start(&EDGE, Limits::default()).await;
    for (id, text) in [(1, "poem ".repeat(1000)), (2, "short".to_owned())] {
        let body = format!(r#"{{"id":{id},"text":"{text}"}}"#);
        assert_eq!(system.public("POST /notes").json(&body).send().await.status, 201);
    }
    system
}

#[tokio::test]
async fn a_long_answer_is_compressed_for_who_takes_it() {
    let system = with_a_long_and_a_short_note().await;
    let (_, plain_headers, plain) = got(&system, "GET /notes/1", &[]).await;
    assert_eq!(header(&plain_headers, "content-encoding"), None);
    let (status, headers, body) =
        got(&system, "GET /notes/1", &[("accept-encoding", "br, gzip;q=0.8")]).await;
    assert_eq!((status, header(&headers, "content-encoding").as_deref()), (200, Some("gzip")));
    assert_eq!(header(&headers, "content-length"), Some(body.len().to_string()));
    assert!(body.len() * 10 < plain.len(), "{} of {}", body.len(), plain.len());
    let mut unpacked = Vec::new();
    GzDecoder::new(&*body).read_to_end(&mut unpacked).expect("gzip");
    assert_eq!(unpacked, plain);
    for refused in ["identity", "gzip;q=0", "*;q=0", "zstd"] {
        let (status, headers, body) = got(&system, "GET /notes/1", &[("accept-encoding", refused)]).await;
        assert_eq!((status, header(&headers, "content-encoding")), (200, None), "{refused}");
        assert_eq!(body, plain, "{refused}");
    }
    let all = got(&system, "GET /notes/1", &[("accept-encoding", "gzip")]).await.1;
    let vary: Vec<&str> = all.iter().filter(|(name, _)| name == "vary").map(|(_, value)| &**value).collect();
    assert!(vary.contains(&"Accept-Encoding"), "{vary:?}");
}

#[tokio::test]
async fn what_is_short_refused_or_just_made_is_not_compressed() {
    let system = with_a_long_and_a_short_note().await;
    for line in ["GET /notes/2", "GET /notes/3", "HEAD /notes/1", "GET /readyz"] {
        let (_, headers, _) = got(&system, line, &[("accept-encoding", "gzip")]).await;
        assert_eq!(header(&headers, "content-encoding"), None, "{line}");
    }
    let made = system.public("POST /notes").header("accept-encoding", "gzip");
    let made = made.json(&format!(r#"{{"id":3,"text":"{}"}}"#, "poem ".repeat(1000))).send().await;
    assert_eq!((made.status, made.header("content-encoding")), (201, None));
}

#[tokio::test]
async fn each_coding_has_a_tag_of_its_own_and_both_are_known() {
    let system = with_a_long_and_a_short_note().await;
    let tag = async |accepted: &str| {
        let (_, headers, _) = got(&system, "GET /notes/1", &[("accept-encoding", accepted)]).await;
        header(&headers, "etag").expect("a tag")
    };
    let (plain, packed) = (tag("identity").await, tag("gzip").await);
    assert_ne!(plain, packed);
    for tag in [&plain, &packed] {
        let asked = [("accept-encoding", "gzip"), ("if-none-match", tag.as_str())];
        let (status, headers, body) = got(&system, "GET /notes/1", &asked).await;
        assert_eq!((status, header(&headers, "etag").as_ref(), body.len()), (304, Some(tag), 0));
    }
    // Who has read the compressed answer may write on its state.
    let write = async |tag: &str| {
        let ask = system.public("PATCH /notes/1").header("if-match", tag);
        ask.json(r#"{"text":"b"}"#).send().await.status
    };
    assert_eq!(write(&packed).await, 200);
    assert_eq!(write(&packed).await, 412);
}

#[tokio::test]
async fn a_compressed_request_is_refused_by_name() {
    let system = System::start(&EDGE, Limits::default()).await;
    for coding in ["gzip", "br", "gzip, identity"] {
        let ask = system.public("POST /notes").header("content-encoding", coding);
        let answer = ask.json(r#"{"id":1,"text":"a"}"#).send().await;
        assert_eq!(answer.outcome(), "415 unsupported_media_type", "{coding}");
        assert_eq!(answer.header("accept-encoding").as_deref(), Some("identity"));
    }
    let ask = system.public("POST /notes").header("content-encoding", "identity");
    assert_eq!(ask.json(r#"{"id":1,"text":"a"}"#).send().await.status, 201);
}
