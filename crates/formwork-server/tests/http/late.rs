//! A request has a time for all of it: who sends or reads too slowly, and what takes too long, is cut off.

use crate::system::{EDGE, System, config};
use crate::upstream::{Does, Upstream};
use formwork_server::{Config, Limits, UpstreamAddress, start_within};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Short enough to wait for, and one connection at a time: the next is served when the first has ended.
fn short() -> Limits {
    let (request, read) = (Duration::from_millis(400), Duration::from_millis(200));
    Limits { request, read, connections: 1, ..Limits::default() }
}

/// A system with this to tell for programs.
async fn telling(description: String, limits: Limits) -> System {
    let folder = tempfile::tempdir().expect("a folder");
    let config = Config { description: Some(description.into()), ..config(folder.path().join("data")) };
    let running = start_within(config, limits, &EDGE).await.expect("starts");
    System { running, folder }
}

#[tokio::test]
async fn who_never_reads_an_answer_is_cut_off() {
    // More than the system takes over for somebody who does not read.
    let whole = 64 * 1024 * 1024;
    let system = telling(" ".repeat(whole), short()).await;
    let mut greedy = TcpStream::connect(system.running.addresses().public).await.expect("connects");
    greedy.write_all(b"GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
    assert_eq!(system.public("GET /livez").send().await.status, 200, "the other has its place");
    let (mut read, mut buffer) = (0, vec![0; 1024 * 1024]);
    while let Ok(count @ 1..) = greedy.read(&mut buffer).await {
        read += count;
    }
    assert!(read < whole, "{read}");
    system.stop().await;
}

#[tokio::test]
async fn who_reads_in_time_gets_all_of_it() {
    let whole = 8 * 1024 * 1024;
    let system = telling(" ".repeat(whole), Limits::default()).await;
    let told = system.public("GET /openapi.json").send().await;
    assert_eq!((told.status, told.body.len()), (200, whole));
    system.stop().await;
}

#[tokio::test]
async fn a_body_that_comes_in_drops_is_cut_off() {
    // The time for the whole is over before that for the body.
    let limits = Limits { read: Duration::from_secs(30), ..short() };
    let system = System::start(&EDGE, limits).await;
    let address = system.running.addresses().public;
    let (mut reader, mut writer) = TcpStream::connect(address).await.expect("connects").into_split();
    let head =
        "POST /notes HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n";
    writer.write_all(head.as_bytes()).await.expect("sent");
    let dripping = tokio::spawn(async move {
        // Each byte shows that the caller is there, and none makes the time longer.
        while writer.write_all(b" ").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let mut answer = Vec::new();
    let _ = reader.read_to_end(&mut answer).await;
    let answer = String::from_utf8(answer).expect("text");
    assert!(
        answer.starts_with("HTTP/1.1 408") && answer.contains("\"code\":\"request_timeout\""),
        "{answer}"
    );
    dripping.await.expect("cut off");
    system.stop().await;
}

#[tokio::test]
async fn what_takes_too_long_is_answered_all_the_same() {
    let upstream = Upstream::new(&[Does::SaysNothing]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let upstreams =
        vec![UpstreamAddress { component: "Notary".into(), base: format!("http://{}", upstream.address) }];
    let config = Config { upstreams, ..config(folder.path().join("data")) };
    let limits = Limits { drain: Duration::from_millis(100), ..short() };
    let running = start_within(config, limits, &EDGE).await.expect("starts");
    let system = System { running, folder };
    let late = system.public("POST /certificates").json(r#"{"id":1}"#).send().await;
    assert_eq!(late.outcome(), "504 outcome_unknown");
    assert_eq!(upstream.seen().len(), 1, "it had begun");
    system.stop().await;
}
