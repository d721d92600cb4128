//! Bodies, and answers, of all connections together have a bound; what finds no room is refused, and all else goes on.

use crate::client::received;
use crate::system::{EDGE, System, config};
use formwork_server::{Config, Limits, start_within};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const MIB: usize = 1024 * 1024;

/// A body of 1 MiB on its way: its head and so many of its bytes.
async fn begun(address: SocketAddr, sent: usize) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("connects");
    let head = format!(
        "POST /notes HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {MIB}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.expect("sent");
    // What is refused meanwhile is read no further.
    let _ = stream.write_all(&vec![b' '; sent]).await;
    stream
}

#[tokio::test]
async fn bodies_that_find_no_room_are_refused_and_others_are_not() {
    let system = System::start(&EDGE, Limits { bodies: MIB, ..Limits::default() }).await;
    let address = system.running.addresses().public;
    let (mut one, mut other) = (begun(address, MIB * 3 / 4).await, begun(address, MIB * 3 / 4).await);
    // Together they are too much: one of them is refused, while neither has been sent whole.
    let (refused, mut left) = tokio::select! {
        refused = received(&mut one) => (refused, other),
        refused = received(&mut other) => (refused, one),
    };
    assert_eq!(refused.outcome(), "503 overloaded");
    assert_eq!(refused.header("retry-after").as_deref(), Some("1"));
    assert_eq!(refused.header("connection").as_deref(), Some("close"));
    // What has no body, or a small one, is served meanwhile.
    assert_eq!(system.public("GET /livez").send().await.status, 200);
    let note = r#"{"id":1,"text":"a"}"#;
    assert_eq!(system.public("POST /notes").json(note).send().await.status, 201);
    // The one that found room goes on as if nothing had been, and leaves it free again.
    left.write_all(&vec![b' '; MIB / 4]).await.expect("sent");
    assert_eq!(received(&mut left).await.outcome(), "400 malformed", "a body of blanks");
    let mut whole = begun(address, MIB).await;
    assert_eq!(received(&mut whole).await.outcome(), "400 malformed");
    system.stop().await;
}

#[tokio::test]
async fn answers_that_nobody_reads_leave_no_room_for_more() {
    let whole = 64 * MIB;
    let folder = tempfile::tempdir().expect("a folder");
    let config = Config { description: Some(" ".repeat(whole).into()), ..config(folder.path().join("data")) };
    let limits = Limits { answers: whole + MIB, ..Limits::default() };
    let running = start_within(config, limits, &EDGE).await.expect("starts");
    let system = System { running, folder };
    let mut slow = TcpStream::connect(system.running.addresses().public).await.expect("connects");
    slow.write_all(b"GET /openapi.json HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        .await
        .expect("sent");
    // The first bytes say that the answer is on its way.
    slow.read_exact(&mut [0; 12]).await.expect("an answer");
    let refused = system.public("GET /openapi.json").send().await;
    assert_eq!(refused.outcome(), "503 overloaded");
    assert_eq!(refused.header("retry-after").as_deref(), Some("1"));
    // What is small, or must be told, goes through.
    assert_eq!(system.public("GET /notes/7").send().await.outcome(), "404 note_not_found");
    let note = r#"{"id":1,"text":"a"}"#;
    assert_eq!(system.public("POST /notes").json(note).send().await.status, 201);
    let mut buffer = vec![0; MIB];
    while let Ok(1..) = slow.read(&mut buffer).await {}
    assert_eq!(system.public("GET /openapi.json").send().await.status, 200, "there is room again");
    system.stop().await;
}
