//! Starting and stopping.

use crate::system::{SHORTLINK, System, config, shared_snapshots};
use formwork_server::{Config, Limits, StartError, curl_line, mode_table, not_yet_enforced, start};
use std::net::TcpListener;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test]
async fn a_taken_port_is_named_and_nothing_is_made() {
    let folder = tempfile::tempdir().expect("a folder");
    let taken = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let address = taken.local_addr().expect("an address");
    let error = start(Config { internal: address, ..config(folder.path().join("data")) }, &SHORTLINK).await;
    let error = error.expect_err("refused").to_string();
    assert_eq!(
        error,
        format!(
            "port {} of 127.0.0.1 for the internal listener is taken; choose another with --internal-listen",
            address.port()
        )
    );
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0);
}

#[tokio::test]
async fn one_folder_serves_one_server() {
    let system = System::shortlink().await;
    let error = start(config(system.data()), &SHORTLINK).await.expect_err("refused");
    assert!(matches!(error, StartError::Store(_)), "{error:?}");
    assert!(error.to_string().contains("in use"), "{error}");
    // The one that runs is not disturbed.
    assert!(system.data().join("run.json").is_file());
    assert_eq!(system.public("GET /readyz").send().await.status, 200);
}

#[tokio::test]
async fn run_json_says_where_it_is_to_its_owner_alone() {
    let system = System::shortlink().await;
    let path = system.data().join("run.json");
    let run: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&path).expect("run.json")).expect("JSON");
    let addresses = system.running.addresses();
    assert_eq!(run["pid"], std::process::id());
    assert_eq!(run["public"], addresses.public.to_string());
    assert_eq!(run["internal"], addresses.internal.to_string());
    assert_eq!(run["admin"], addresses.admin.to_string());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&path).expect("run.json").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let folder = system.stop().await;
    assert!(!folder.path().join("data/run.json").exists());
}

#[tokio::test]
async fn a_drain_finishes_what_runs_and_takes_nothing_new() {
    let system = System::shortlink().await;
    let member = system.first_key("member");
    let address = system.running.addresses().public;
    let mut under_way = TcpStream::connect(address).await.expect("connects");
    let body = r#"{"url":"https://example.com/","slug":"last"}"#;
    let head = format!(
        "POST /links HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\nx-api-key: {member}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    under_way.write_all(head.as_bytes()).await.expect("sent");
    // The interim answer says that the request is being worked on.
    let mut interim = [0; 25];
    under_way.read_exact(&mut interim).await.expect("an interim answer");
    let stopping = tokio::spawn(system.stop());
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    under_way.write_all(body.as_bytes()).await.expect("sent");
    let answer = crate::client::received(&mut under_way).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(answer.header("connection").as_deref(), Some("close"), "it had not asked for that");
    let folder = stopping.await.expect("stops");

    let system = System::start_in(folder, &SHORTLINK, Limits::default()).await;
    assert_eq!(system.public("GET /links/last").key(&member).send().await.status, 200);
}

#[tokio::test]
async fn who_will_stop_says_so_and_goes_on_answering() {
    let system = System::shortlink().await;
    assert_eq!(system.public("GET /readyz").send().await.status, 200);
    system.running.retire();
    for (line, status) in [("GET /readyz", 503), ("GET /healthz", 503), ("GET /livez", 200)] {
        assert_eq!(system.public(line).send().await.status, status, "{line}");
    }
    let member = system.first_key("member");
    let made =
        system.public("POST /links").key(&member).json(r#"{"url":"https://example.com/"}"#).send().await;
    assert_eq!(made.status, 201, "{made:?}");
    system.stop().await;
}

#[tokio::test]
async fn a_drain_ends_though_a_caller_does_not() {
    let limits = Limits { drain: std::time::Duration::from_millis(100), ..Limits::default() };
    let system = System::start(&SHORTLINK, limits).await;
    let member = system.first_key("member");
    let mut endless = TcpStream::connect(system.running.addresses().public).await.expect("connects");
    let head = format!(
        "POST /links HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\nx-api-key: {member}\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n"
    );
    endless.write_all(head.as_bytes()).await.expect("sent");
    let mut interim = [0; 25];
    endless.read_exact(&mut interim).await.expect("an interim answer");
    let stopped = tokio::time::timeout(std::time::Duration::from_secs(5), system.stop()).await;
    assert!(stopped.is_ok(), "the drain has no end");
}

#[tokio::test]
async fn what_start_prints_is_true() {
    let system = System::shortlink().await;
    let _shared = shared_snapshots();
    let table: Vec<String> = mode_table(&SHORTLINK)
        .into_iter()
        .map(|row| {
            format!("{} | {} | {} | {} | {}", row.name, row.route, row.listener, row.mode, row.callers)
        })
        .collect();
    insta::assert_snapshot!("operations", table.join("\n"));
    insta::assert_snapshot!("not_yet_enforced", not_yet_enforced(&SHORTLINK.model).join("\n"));

    let program = &SHORTLINK.compiled.program;
    let address = ([127, 0, 0, 1], 8080).into();
    let lines: Vec<String> =
        program.operations.iter().map(|operation| curl_line(program, operation, address)).collect();
    insta::assert_snapshot!("curl_lines", lines.join("\n"));
    // The input of the first line is accepted as it stands.
    let body = lines[0].split("-d '").nth(1).and_then(|rest| rest.strip_suffix('\'')).expect("a body");
    let made = system.public("POST /links").key(&system.first_key("member")).json(body).send().await;
    assert_eq!(made.status, 201, "{made:?}");
}

#[tokio::test]
async fn an_address_for_a_component_that_is_none_outside_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let upstreams = vec!["Link store=http://127.0.0.1:9".parse().expect("an address")];
    let error = start(Config { upstreams, ..config(folder.path().join("data")) }, &SHORTLINK).await;
    let said = error.expect_err("no such component").to_string();
    assert!(said.contains("`Link store`"), "{said}");
}
