//! TLS from certificate files: which versions and protocols, a renewed certificate, and the limits behind it.

use crate::system::{EDGE, System, config};
use formwork_server::{Config, Limits, StartError, TlsFiles, start, start_within};
use http_body_util::{BodyExt, Empty, Full};
use hyper::client::conn::http2;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tls").join(name)
}

fn files(folder: &Path) -> TlsFiles {
    TlsFiles { certificate: folder.join("own.pem"), key: folder.join("own.key") }
}

/// Puts a certificate and its key where the server looks for them.
fn put(folder: &Path, name: &str) {
    for kind in ["pem", "key"] {
        std::fs::copy(fixture(&format!("{name}.{kind}")), folder.join(format!("own.{kind}")))
            .expect("copied");
    }
}

async fn system(limits: Limits) -> System {
    let folder = tempfile::tempdir().expect("a folder");
    put(folder.path(), "server");
    let config = Config { tls: Some(files(folder.path())), ..config(folder.path().join("data")) };
    let running = start_within(config, limits, &EDGE).await.expect("starts");
    System { running, folder }
}

/// A connection that trusts the tests' authority, and asks for these versions and protocols.
async fn connected(
    system: &System,
    versions: &[&'static rustls::SupportedProtocolVersion],
    protocols: &[&[u8]],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(fixture("ca.pem")).expect("a certificate")).expect("added");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    let stream = TcpStream::connect(system.running.addresses().public).await?;
    TlsConnector::from(Arc::new(config))
        .connect(ServerName::try_from("localhost").expect("a name"), stream)
        .await
}

async fn asked(stream: &mut TlsStream<TcpStream>, line: &str) -> String {
    let request = format!("{line} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    String::from_utf8(bytes).expect("text")
}

const BOTH: [&rustls::SupportedProtocolVersion; 2] = [&rustls::version::TLS13, &rustls::version::TLS12];

#[tokio::test]
async fn both_versions_are_spoken_and_browsers_are_told_to_stay() {
    let system = system(Limits::default()).await;
    assert!(system.running.is_secure());
    for version in BOTH {
        let mut stream = connected(&system, &[version], &[]).await.expect("greeted");
        let answer = asked(&mut stream, "GET /notes/1").await;
        assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
        assert!(
            answer.contains("strict-transport-security: max-age=31536000; includeSubDomains\r\n"),
            "{answer}"
        );
    }
    // Plain HTTP is not answered there; on loopback the internal listener stays plain.
    let mut plain = TcpStream::connect(system.running.addresses().public).await.expect("connects");
    plain.write_all(b"GET /notes/1 HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
    let mut bytes = Vec::new();
    let _ = plain.read_to_end(&mut bytes).await;
    assert!(!bytes.starts_with(b"HTTP"), "{bytes:?}");
    let inside = system.internal("GET /internal/notes").send().await;
    assert_eq!((inside.status, inside.header("strict-transport-security")), (200, None));
    system.stop().await;
}

#[tokio::test]
async fn http2_is_served_to_who_offers_it() {
    let system = system(Limits::default()).await;
    let stream = connected(&system, &BOTH, &[b"h2", b"http/1.1"]).await.expect("greeted");
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (mut sender, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.expect("greeted");
    let connection = tokio::spawn(connection);
    let mut ask = async |method: &str, path: &str, kind: Option<(&str, &str)>, body: &str| {
        let mut request = Request::builder().method(method).uri(format!("https://localhost{path}"));
        if let Some((name, value)) = kind {
            request = request.header(name, value);
        }
        let request = request.body(Full::<bytes::Bytes>::new(body.to_owned().into())).expect("a request");
        sender.ready().await.expect("open");
        let answer: Response<_> = sender.send_request(request).await.expect("answered");
        let (head, body) = answer.into_parts();
        (head, String::from_utf8(body.collect().await.expect("whole").to_bytes().to_vec()).expect("text"))
    };
    let json = Some(("content-type", "application/json"));
    let (head, body) = ask("POST", "/notes", json, r#"{"id":1,"text":"a"}"#).await;
    assert_eq!((head.status.as_u16(), &*body), (201, r#"{"id":1,"text":"a"}"#));
    let deep = format!(r#"{{"id":2,"text":{}1{}}}"#, "[".repeat(64), "]".repeat(64));
    let large = "x".repeat(1024 * 1024 + 1);
    let long = "x".repeat(17_000);
    for (method, path, kind, body, status, code) in [
        ("DELETE", "/notes", None, "", 405, "method_not_allowed"),
        ("GET", "/nowhere", None, "", 404, "not_found"),
        ("GET", "/notes/1", Some(("accept", "text/html")), "", 406, "not_acceptable"),
        ("GET", "/notes/1", Some(("x-long", &*long)), "", 431, "headers_too_large"),
        ("POST", "/notes", Some(("content-type", "text/plain")), "{}", 415, "unsupported_media_type"),
        ("POST", "/notes", json, &*large, 413, "content_too_large"),
        ("POST", "/notes", json, &*deep, 400, "malformed"),
        ("POST", "/notes", json, "{", 400, "malformed"),
        ("POST", "/notes", json, "{}", 422, "invalid"),
    ] {
        let (head, body) = ask(method, path, kind, body).await;
        assert_eq!(head.status.as_u16(), status, "{method} {path}: {body}");
        assert!(body.contains(&format!("\"code\":\"{code}\"")), "{body}");
        assert_eq!(head.headers.contains_key("allow"), status == 405);
        assert!(head.headers.contains_key("x-request-id") && !head.headers.contains_key("connection"));
    }
    drop(sender);
    let _ = connection.await;
    system.stop().await;
}

#[tokio::test]
async fn a_drain_ends_connections_of_both_protocols() {
    let system = system(Limits { drain: Duration::from_secs(20), ..Limits::default() }).await;
    let stream = connected(&system, &BOTH, &[b"h2"]).await.expect("greeted");
    let (mut sender, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.expect("greeted");
    let connection = tokio::spawn(connection);
    let request = Request::builder().uri("https://localhost/livez").body(Empty::<bytes::Bytes>::new());
    assert_eq!(sender.send_request(request.expect("a request")).await.expect("answered").status(), 200);
    let mut idle = connected(&system, &BOTH, &[b"http/1.1"]).await.expect("greeted");
    idle.write_all(b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
    let mut first = [0; 12];
    idle.read_exact(&mut first).await.expect("answered");
    // Both are kept open by their callers, and the drain does not wait for its time to be over.
    tokio::time::timeout(Duration::from_secs(10), system.stop()).await.expect("stops at once");
    let _ = connection.await;
}

/// A frame of HTTP/2: its type and what it says.
async fn frame(stream: &mut TlsStream<TcpStream>) -> (u8, Vec<u8>) {
    let mut head = [0; 9];
    stream.read_exact(&mut head).await.expect("a frame");
    let mut said = vec![0; usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2])];
    stream.read_exact(&mut said).await.expect("all of it");
    (head[3], said)
}

#[tokio::test]
async fn a_drain_says_go_away_over_http2() {
    let system = system(Limits::default()).await;
    let mut stream = connected(&system, &BOTH, &[b"h2"]).await.expect("greeted");
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.expect("sent");
    assert_eq!(frame(&mut stream).await.0, 4, "its settings");
    let stopping = tokio::spawn(system.stop());
    let said = loop {
        match frame(&mut stream).await {
            (7, said) => break said,
            _ => continue,
        }
    };
    assert_eq!(said.get(4..8), Some(&[0; 4][..]), "without a fault");
    drop(stream);
    stopping.await.expect("stops");
}

#[tokio::test]
async fn who_never_reads_over_http2_is_cut_off() {
    let folder = tempfile::tempdir().expect("a folder");
    put(folder.path(), "server");
    let description = Some(" ".repeat(1024 * 1024).into());
    let config =
        Config { tls: Some(files(folder.path())), description, ..config(folder.path().join("data")) };
    let (request, read) = (Duration::from_millis(400), Duration::from_millis(200));
    let limits = Limits { request, read, connections: 1, ..Limits::default() };
    let running = start_within(config, limits, &EDGE).await.expect("starts");
    let system = System { running, folder };
    let stream = connected(&system, &BOTH, &[b"h2"]).await.expect("greeted");
    let mut client = http2::Builder::new(TokioExecutor::new());
    // The answer does not fit into what this caller takes before it reads.
    client.initial_stream_window_size(65_535).initial_connection_window_size(65_535);
    let (mut sender, connection) = client.handshake(TokioIo::new(stream)).await.expect("greeted");
    let connection = tokio::spawn(connection);
    let request = Request::builder().uri("https://localhost/openapi.json").body(Empty::<bytes::Bytes>::new());
    let answer = sender.send_request(request.expect("a request")).await.expect("answered");
    // The next connection is served when this one has ended.
    let mut next = connected(&system, &BOTH, &[b"http/1.1"]).await.expect("greeted");
    assert!(asked(&mut next, "GET /livez").await.starts_with("HTTP/1.1 200"));
    assert!(answer.into_body().collect().await.is_err(), "the rest does not come");
    drop(sender);
    let _ = connection.await;
    system.stop().await;
}

#[tokio::test]
async fn who_opens_a_connection_of_http2_and_asks_nothing_is_let_go() {
    let limits = Limits { read: Duration::from_millis(200), connections: 1, ..Limits::default() };
    let system = system(limits).await;
    let mut silent = connected(&system, &BOTH, &[b"h2"]).await.expect("greeted");
    let mut next = connected(&system, &BOTH, &[b"http/1.1"]).await.expect("greeted");
    assert!(asked(&mut next, "GET /livez").await.starts_with("HTTP/1.1 200"));
    let _ = silent.read_to_end(&mut Vec::new()).await;
    system.stop().await;
}

#[tokio::test]
async fn a_renewed_certificate_is_taken_over_and_a_broken_one_is_not() {
    let system = system(Limits::default()).await;
    let shown = async || {
        let stream = connected(&system, &BOTH, &[]).await.expect("greeted");
        stream.get_ref().1.peer_certificates().expect("a certificate")[0].clone()
    };
    let certificate = |name: &str| CertificateDer::from_pem_file(fixture(name)).expect("a certificate");
    assert_eq!(shown().await, certificate("server.pem"));
    put(system.folder.path(), "renewed");
    system.running.reload();
    assert_eq!(shown().await, certificate("renewed.pem"));
    std::fs::write(system.folder.path().join("own.key"), "no key").expect("written");
    system.running.reload();
    assert_eq!(shown().await, certificate("renewed.pem"));
    system.stop().await;
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_keeps_the_server_from_starting() {
    let folder = tempfile::tempdir().expect("a folder");
    let refused = async || {
        let config = Config { tls: Some(files(folder.path())), ..config(folder.path().join("data")) };
        match start(config, &EDGE).await.expect_err("refused") {
            StartError::Certificate(said) => said,
            other => panic!("{other}"),
        }
    };
    assert!(refused().await.contains("own.pem"));
    put(folder.path(), "server");
    std::fs::copy(fixture("renewed.key"), folder.path().join("own.key")).expect("copied");
    assert!(refused().await.contains("own.key"), "the key is of another certificate");
}

#[tokio::test]
async fn who_does_not_greet_is_let_go() {
    let system = system(Limits { read: Duration::from_millis(150), ..Limits::default() }).await;
    let mut silent = TcpStream::connect(system.running.addresses().public).await.expect("connects");
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(5), silent.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "the connection is still open");
    system.stop().await;
}
