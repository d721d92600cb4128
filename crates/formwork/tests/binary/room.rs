//! What callers send stays within the room that there is for it, and a process that will stop says so first.

use crate::http::connect;
use crate::process::{Place, Server, signal};
use std::io::{Read, Write};
use std::net::Shutdown;
use std::sync::{Arc, mpsc};

/// The most memory that a process has had so far, in KiB.
fn most_memory(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("told");
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
}

#[test]
fn many_large_bodies_at_once_take_no_more_than_their_room() {
    const CALLERS: usize = 200;
    const SENT: usize = 900_000;
    let place = Place::new();
    let server = Server::start(&place.document, &place.data, &["--body-room", "8MiB"]);
    let key = place.key("member", "alice");
    assert_eq!(server.call(&key, "GET", "/links", None).status, 200);
    let before = most_memory(&server);
    let head = format!(
        "POST /links HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n"
    );
    let message: Arc<Vec<u8>> = Arc::new([head.into_bytes(), vec![b' '; SENT]].concat());
    let (tell, told) = mpsc::channel();
    let mut callers = Vec::new();
    let mut streams = Vec::new();
    for _ in 0..CALLERS {
        let stream = connect(&server.public).expect("connected");
        streams.push(stream.try_clone().expect("a second handle"));
        let (message, tell, mut stream) = (message.clone(), tell.clone(), stream);
        callers.push(std::thread::spawn(move || {
            // Who is refused is read no further.
            let _ = stream.write_all(&message);
            let (mut answer, mut buffer) = (Vec::new(), [0; 4096]);
            while let Ok(read @ 1..) = stream.read(&mut buffer) {
                answer.extend_from_slice(&buffer[..read]);
            }
            let _ = tell.send(String::from_utf8(answer).expect("text"));
        }));
    }
    // Nobody sends all of a body, so that as many hold room as there is room for, and everybody else is refused.
    let holding = 8 * 1024 * 1024 / SENT;
    for _ in 0..CALLERS - holding {
        let answer = told.recv().expect("refused");
        assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
        assert!(
            answer.contains("\r\nretry-after: 1\r\n") && answer.contains("\"code\":\"overloaded\""),
            "{answer}"
        );
    }
    assert_eq!(server.call(&key, "GET", "/links", None).status, 200, "others are served");
    let grown = most_memory(&server) - before;
    assert!(grown < 48 * 1024, "{CALLERS} bodies of {SENT} bytes took {grown} KiB");
    for stream in &streams {
        let _ = stream.shutdown(Shutdown::Both);
    }
    callers.into_iter().for_each(|caller| caller.join().expect("no panic"));
    let body = serde_json::json!({"url": "https://example.com/"});
    assert_eq!(server.call(&key, "POST", "/links", Some(body)).status, 201, "there is room again");
}

#[test]
fn a_process_that_is_told_to_stop_says_so_before_it_does() {
    let place = Place::new();
    let server = Server::start(&place.document, &place.data, &["--drain-delay", "10min"]);
    let key = place.key("member", "alice");
    assert_eq!(server.call("", "GET", "/readyz", None).status, 200);
    signal(server.id(), "TERM");
    while server.call("", "GET", "/readyz", None).status == 200 {
        std::thread::yield_now();
    }
    assert_eq!(server.call("", "GET", "/readyz", None).status, 503);
    assert_eq!(server.call(&key, "GET", "/links", None).status, 200, "new connections are served");
    // Told a second time it stops at once.
    let ended = server.stop();
    assert_eq!(ended.code, 0, "{}", ended.errors);
    assert!(ended.errors.contains("not ready any more") && ended.errors.contains("finishing what runs"));
}
