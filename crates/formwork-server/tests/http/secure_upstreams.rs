//! Requests to others over TLS, and to places inside: OWASP API7, server-side request forgery, and API10, unsafe
//! consumption.

use crate::system::{EDGE, System, config};
use crate::upstream::{Does, Upstream};
use formwork_check::analyse_fragment;
use formwork_server::{Config, Limits, UpstreamAddress, start_within};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tls").join(name)
}

/// A notary behind TLS that agrees to everything.
async fn notary(certificate: &str) -> SocketAddr {
    let chain = vec![CertificateDer::from_pem_file(fixture(&format!("{certificate}.pem"))).expect("one")];
    let key = PrivateKeyDer::from_pem_file(fixture(&format!("{certificate}.key"))).expect("a key");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("a certificate");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(b"HTTP/1.1 204 X\r\nconnection: close\r\n\r\n").await;
            let _ = stream.shutdown().await;
        }
    });
    address
}

/// How a request to a notary at this address ends.
async fn certified(base: String, authorities: Option<PathBuf>) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let upstreams = vec![UpstreamAddress { component: "Notary".into(), base }];
    let config =
        Config { upstreams, upstream_authorities: authorities, ..config(folder.path().join("data")) };
    let running = start_within(config, Limits::default(), &EDGE).await.expect("starts");
    let system = System { running, folder };
    let answer = system.public("POST /certificates").json(r#"{"id":1}"#).send().await;
    system.stop().await;
    if answer.status == 204 { "204".to_owned() } else { answer.outcome() }
}

#[tokio::test]
async fn an_upstream_is_trusted_when_a_listed_authority_vouches_for_its_name() {
    let right = notary("server").await;
    let base = |address: SocketAddr| format!("https://localhost:{}", address.port());
    let authority = || Some(fixture("ca.pem"));
    assert_eq!(certified(base(right), authority()).await, "204");
    assert_eq!(certified(format!("https://{right}"), authority()).await, "204");
    // Nobody that we know vouches for it.
    assert_eq!(certified(base(right), None).await, "502 notary_away");
    // It is somebody else's certificate.
    let other = notary("elsewhere").await;
    assert_eq!(certified(base(other), authority()).await, "502 notary_away");
}

#[tokio::test]
async fn a_file_that_vouches_for_nobody_keeps_the_server_from_starting() {
    let folder = tempfile::tempdir().expect("a folder");
    let config =
        Config { upstream_authorities: Some(fixture("server.key")), ..config(folder.path().join("data")) };
    let said = start_within(config, Limits::default(), &EDGE).await.expect_err("refused").to_string();
    assert!(said.contains("server.key"), "{said}");
}

/// How a request ends when the document itself says where the notary is.
async fn certified_where_written(address: &str) -> String {
    let text = include_str!("../documents/edge.md").replace("https://notary.example.com", address);
    let analysis = analyse_fragment(text.into());
    assert!(!analysis.has_errors(), "{:#?}", analysis.diagnostics);
    let system = System::start(&analysis, Limits::default()).await;
    let answer = system.public("POST /certificates").json(r#"{"id":1}"#).send().await;
    system.stop().await;
    if answer.status == 204 { "204".to_owned() } else { answer.outcome() }
}

#[tokio::test]
async fn owasp_api7_a_name_that_leads_inside_is_not_followed() {
    let upstream = Upstream::new(&[Does::Answers(204, String::new())]).await;
    let port = upstream.address.port();
    for number in ["2130706433", "0x7f000001", "127.1", "017700000001"] {
        let ended = certified_where_written(&format!("http://{number}:{port}")).await;
        assert_eq!(ended, "502 notary_away", "{number}");
    }
    assert_eq!(upstream.seen().len(), 0);
    // What the document names as a place of this machine is one.
    assert_eq!(certified_where_written(&format!("http://127.0.0.1:{port}")).await, "204");
    assert_eq!(certified_where_written(&format!("http://localhost:{port}")).await, "204");
    // And the operator may send it anywhere.
    assert_eq!(certified(format!("http://2130706433:{port}"), None).await, "204");
}

#[tokio::test]
async fn owasp_api10_an_answer_that_leads_elsewhere_or_never_ends_is_not_followed() {
    let trap = Upstream::new(&[Does::Answers(204, String::new())]).await;
    let head = |rest: &str| format!("HTTP/1.1 {rest}");
    let huge = "x".repeat(2 * 1024 * 1024);
    // A redirect is an answer like any other: nobody goes where it points.
    let place = format!("http://{}/certificates", trap.address);
    let redirect = answers(head(&format!("307 X\r\nlocation: {place}\r\ncontent-length: 0\r\n\r\n"))).await;
    assert_eq!(certified(format!("http://{redirect}"), None).await, "204");
    for answer in [
        head(&format!("200 X\r\ncontent-length: {}\r\n\r\n{huge}", huge.len())),
        head("200 X\r\ncontent-length: 100\r\n\r\ncut"),
        head("200 X\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"),
        format!("HTTP/1.1 200 X\r\nx-long: {huge}\r\n\r\n"),
        "nonsense\r\n\r\n".to_owned(),
        String::new(),
    ] {
        let address = answers(answer.clone()).await;
        let ended = certified(format!("http://{address}"), None).await;
        assert_eq!(ended, "502 notary_away", "{}", &answer[..answer.len().min(40)]);
    }
    assert_eq!(trap.seen().len(), 0);
}

/// Somebody who answers every request with these bytes, whatever they are.
async fn answers(bytes: String) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(bytes.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    address
}
