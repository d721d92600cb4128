//! The operator's listener: keys, the clock, probes.

use crate::client::ask;
use crate::place::database;
use crate::system::{SHORTLINK, System, config};
use formwork_server::{ClockChoice, Config, KeyCommand, KeyOutcome, NewKey, keys, start};

#[tokio::test]
async fn only_the_admin_key_opens_it_and_metrics_need_none() {
    let system = System::shortlink().await;
    let admin = system.running.addresses().admin;
    for line in ["GET /keys", "POST /clock", "GET /outbox", "GET /nothing", "POST /metrics"] {
        let refused = ask(admin, line).header("authorization", "Bearer wrong").send().await;
        assert_eq!(refused.outcome(), "401 unauthenticated", "{line}");
        assert_eq!(refused.header("www-authenticate").as_deref(), Some("Bearer realm=\"admin\""));
    }
    assert_eq!(ask(admin, "GET /metrics").send().await.status, 200);
    assert_eq!(system.admin("GET /nothing").send().await.outcome(), "404 not_found");
    assert_eq!(system.admin("PUT /keys").send().await.outcome(), "405 method_not_allowed");
    // The admin key opens nothing else.
    let key = system.admin_key();
    assert_eq!(system.public("GET /links").key(&key).send().await.outcome(), "401 unauthenticated");
}

#[tokio::test]
async fn a_key_holds_from_its_making_to_its_revocation() {
    let system = System::shortlink().await;
    let body = r#"{"roles":["member"],"id":"carol"}"#;
    let made = system.admin("POST /keys").json(body).send().await.json();
    let (id, key) = (made["id"].as_str().expect("an id"), made["key"].as_str().expect("a key"));
    assert_eq!(system.public("GET /links").key(key).send().await.status, 200);

    let listed = system.admin("GET /keys").send().await;
    assert!(!listed.body.contains(key), "{listed:?}");
    let mut callers: Vec<String> = listed.json()["keys"]
        .as_array()
        .expect("keys")
        .iter()
        .map(|key| key["caller"].as_str().expect("a caller").to_owned())
        .collect();
    callers.sort();
    assert_eq!(callers, ["admin", "carol", "member"]);

    assert_eq!(system.admin(&format!("DELETE /keys/{id}")).send().await.status, 204);
    assert_eq!(system.public("GET /links").key(key).send().await.outcome(), "401 unauthenticated");
    assert_eq!(system.admin(&format!("DELETE /keys/{id}")).send().await.outcome(), "404 not_found");
    for bad in ["", "{", "{}", r#"{"role":5}"#, r#"{"roles":["a"],"hash":"x"}"#] {
        let refused = system.admin("POST /keys").json(bad).send().await;
        assert!(matches!(refused.status, 400 | 422), "{bad}: {refused:?}");
    }
}

#[tokio::test]
async fn keys_are_managed_beside_a_server_and_without_one() {
    let system = System::shortlink().await;
    let data = system.data();
    let command = |command: KeyCommand| {
        let data = data.clone();
        let database = database(&data);
        let run = move || keys(&data, database.as_deref(), &command);
        async move { tokio::task::spawn_blocking(run).await.expect("runs") }
    };
    let new = NewKey { id: Some("dave".into()), roles: vec!["member".into()], ..NewKey::default() };
    let Ok(KeyOutcome::Created { id, key }) = command(KeyCommand::Create(new.clone())).await else {
        panic!("a key expected");
    };
    assert_eq!(system.public("GET /links").key(&key).send().await.status, 200);
    assert_eq!(command(KeyCommand::Revoke(id.clone())).await.ok(), Some(KeyOutcome::Revoked(true)));
    assert_eq!(command(KeyCommand::Revoke(id)).await.ok(), Some(KeyOutcome::Revoked(false)));
    assert_eq!(system.public("GET /links").key(&key).send().await.status, 401);

    let folder = system.stop().await;
    let Ok(KeyOutcome::Created { key, .. }) = command(KeyCommand::Create(new)).await else {
        panic!("a key expected");
    };
    let Ok(KeyOutcome::List(list)) = command(KeyCommand::List).await else { panic!("a list expected") };
    let mut callers: Vec<&str> = list.iter().map(|key| &*key.caller).collect();
    callers.sort_unstable();
    assert_eq!(callers, ["admin", "dave", "member"]);
    let system = System::start_in(folder, &SHORTLINK, Default::default()).await;
    assert_eq!(system.public("GET /links").key(&key).send().await.status, 200);
    let nowhere = tempfile::tempdir().expect("a folder");
    let lacking = keys(nowhere.path(), None, &KeyCommand::List).expect_err("no data");
    assert!(lacking.to_string().contains("no data in"), "{lacking}");
    assert_eq!(std::fs::read_dir(nowhere.path()).expect("a folder").count(), 0);
}

#[tokio::test]
async fn the_clock_moves_only_when_told_and_due_work_runs_on_the_way() {
    let system = System::shortlink().await;
    let member = system.first_key("member");
    assert_eq!(system.advance("0s").await, "2030-01-01T00:00:00Z");
    let body = r#"{"url":"https://example.com/sale","slug":"sale","expires_at":"2030-01-01T00:01:00Z"}"#;
    assert_eq!(system.public("POST /links").key(&member).json(body).send().await.status, 201);
    assert_eq!(system.public("GET /sale").send().await.status, 302);
    assert_eq!(system.advance("2 min").await, "2030-01-01T00:02:00Z");
    assert_eq!(system.public("GET /sale").send().await.outcome(), "410 link_expired");
    assert_eq!(system.count(r#"{"entity":"link"}"#).await, 1);
    assert_eq!(system.advance("1h").await, "2030-01-01T01:02:00Z");
    assert_eq!(system.public("GET /sale").send().await.outcome(), "404 link_not_found");
    assert_eq!(system.count(r#"{"entity":"link"}"#).await, 0);
    for bad in [r#"{"advance":"-1s"}"#, r#"{"advance":"soon"}"#, r#"{"advance":5}"#, "{}"] {
        assert_eq!(system.admin("POST /clock").json(bad).send().await.outcome(), "422 invalid", "{bad}");
    }
    assert_eq!(system.admin("POST /clock").json("{").send().await.outcome(), "400 malformed");
}

#[tokio::test]
async fn a_components_standing_steps_run_when_told() {
    let system = System::shortlink().await;
    let member = system.first_key("member");
    let body = r#"{"url":"https://example.com/","slug":"old","expires_at":"2030-01-01T00:00:01Z"}"#;
    assert_eq!(system.public("POST /links").key(&member).json(body).send().await.status, 201);
    system.advance("5s").await;
    assert_eq!(system.count(r#"{"entity":"link"}"#).await, 1);
    let ran = system.admin("POST /components/Sweeper/run").send().await;
    assert_eq!((ran.status, &*ran.body), (200, r#"{"ran":1}"#));
    assert_eq!(system.count(r#"{"entity":"link"}"#).await, 0);
    assert_eq!(system.admin("POST /components/Nobody/run").send().await.outcome(), "404 not_found");
}

#[tokio::test]
async fn a_count_takes_a_condition_as_the_document_writes_it() {
    let system = System::shortlink().await;
    let member = system.first_key("member");
    for (slug, visits) in [("none", 0), ("twice", 2)] {
        let body = format!(r#"{{"url":"https://example.com/","slug":"{slug}"}}"#);
        system.public("POST /links").key(&member).json(&body).send().await;
        for _ in 0..visits {
            system.public(&format!("GET /{slug}")).send().await;
        }
    }
    for (question, count) in [
        (r#"{"entity":"link"}"#, 2),
        (r#"{"entity":"link","where":null,"variables":{}}"#, 2),
        (r#"{"entity":"link","where":"visit_count >= 1"}"#, 1),
        (r#"{"entity":"link","where":"slug == x && visit_count == n","variables":{"x":"twice","n":2}}"#, 1),
        (r#"{"entity":"link","where":"created_at > now()"}"#, 0),
        (r#"{"entity":"link","where":"expires_at == null"}"#, 2),
        (r#"{"entity":"visit"}"#, 2),
    ] {
        assert_eq!(system.count(question).await, count, "{question}");
    }
    let link = system.public("GET /links/twice").key(&member).send().await.json();
    let by_id =
        format!(r#"{{"entity":"visit","where":"link_id == id0","variables":{{"id0":{}}}}}"#, link["id"]);
    assert_eq!(system.count(&by_id).await, 2);
    for bad in [
        r#"{"entity":"nothing"}"#,
        r#"{"entity":"link","where":"slugg == 1"}"#,
        r#"{"entity":"link","where":"slug =="}"#,
        r#"{"entity":"link","which":"slug"}"#,
    ] {
        let refused = system.admin("POST /probe/count").json(bad).send().await;
        assert_eq!(refused.outcome(), "422 invalid", "{bad}");
    }
}

#[tokio::test]
async fn without_the_test_clock_there_are_no_means_of_a_test() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = Config { clock: ClockChoice::System, ..config(folder.path().join("data")) };
    let running = start(config, &SHORTLINK).await.expect("starts");
    let system = System { running, folder };
    for line in [
        "POST /clock",
        "POST /faults",
        "POST /probe/count",
        "GET /probe/events",
        "POST /components/Sweeper/run",
    ] {
        assert_eq!(system.admin(line).send().await.outcome(), "404 not_found", "{line}");
    }
    let member = system.first_key("member");
    let body = r#"{"url":"https://example.com/","expires_at":"2029-01-01T00:00:00Z"}"#;
    assert_eq!(system.public("POST /links").key(&member).json(body).send().await.status, 201);
    system.stop().await;
}
