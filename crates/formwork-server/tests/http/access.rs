//! Who may do what: grants of section 9 with conditions, scopes, and what nobody is granted.

use crate::client::Received;
use crate::system::System;
use formwork_check::{Analysis, Severity, analyse_fragment};
use formwork_server::Limits;
use std::sync::LazyLock;

static ACCESS: LazyLock<Analysis> =
    LazyLock::new(|| analyse_fragment(include_str!("../documents/access.md").into()));

/// Ann and Bob are members, Eve is an administrator.
struct Three {
    system: System,
    ann: String,
    bob: String,
    eve: String,
}

async fn three() -> Three {
    let wrong = ACCESS.diagnostics.iter().filter(|it| it.severity == Severity::Error).collect::<Vec<_>>();
    assert!(wrong.is_empty(), "{wrong:?}");
    let system = System::start(&ACCESS, Limits::default()).await;
    let (ann, bob) = (system.key("member", "ann").await, system.key("member", "bob").await);
    let eve = system.key("admin", "eve").await;
    Three { system, ann, bob, eve }
}

impl Three {
    async fn ask(&self, key: &str, line: &str) -> Received {
        self.system.public(line).key(key).send().await
    }

    async fn send(&self, key: &str, line: &str, body: &str) -> Received {
        self.system.public(line).key(key).json(body).send().await
    }

    async fn note(&self, key: &str, owner: &str, text: &str) -> String {
        let body = format!(r#"{{"owner":"{owner}","text":"{text}","shelf":"top"}}"#);
        let made = self.send(key, "POST /notes", &body).await;
        assert_eq!(made.status, 201, "{made:?}");
        made.json()["id"].as_str().expect("an id").to_owned()
    }
}

#[tokio::test]
async fn a_row_that_a_caller_may_not_know_of_does_not_exist_for_it() {
    let them = three().await;
    let id = them.note(&them.ann, "ann", "mine").await;
    let path = format!("/notes/{id}");
    assert_eq!(them.ask(&them.ann, &format!("GET {path}")).await.status, 200);
    assert_eq!(them.ask(&them.eve, &format!("GET {path}")).await.status, 200);
    let (hidden, missing) = (
        them.ask(&them.bob, &format!("GET {path}")).await,
        them.ask(&them.bob, "GET /notes/01890a5d-ac96-774b-bcce-b302099a8057").await,
    );
    assert_eq!(hidden.outcome(), "404 note_not_found");
    assert_eq!(hidden.json()["detail"], missing.json()["detail"]);
    let refused = them.send(&them.bob, &format!("PUT {path}"), r#"{"text":"his"}"#).await;
    assert_eq!(refused.outcome(), "404 note_not_found");
    // Where the steps say nothing of a missing row there is nothing to hide behind.
    assert_eq!(them.ask(&them.bob, &format!("GET /peek/{id}")).await.outcome(), "403 forbidden");
    assert_eq!(them.ask(&them.ann, &format!("GET /peek/{id}")).await.json()["text"], "mine");
    assert_eq!(them.ask(&them.ann, &format!("GET {path}")).await.json()["text"], "mine");
    // Not granted at all, and granted only with a condition.
    assert_eq!(
        them.send(&them.eve, &format!("PUT {path}"), r#"{"text":"x"}"#).await.outcome(),
        "403 forbidden"
    );
}

#[tokio::test]
async fn a_row_that_everyone_sees_is_refused_by_name() {
    let them = three().await;
    let put = them.send(&them.ann, "PUT /posters/hall", r#"{"text":"Come!"}"#).await;
    assert_eq!(put.status, 200, "{put:?}");
    assert_eq!(them.ask(&them.bob, "POST /posters/hall").await.outcome(), "403 forbidden");
    let over = them.send(&them.bob, "PUT /posters/hall", r#"{"text":"Go!"}"#).await;
    assert_eq!(over.outcome(), "403 forbidden");
    assert_eq!(them.ask(&them.bob, "DELETE /posters/hall").await.outcome(), "403 forbidden", "inferred");
    let seen = them.system.public("GET /posters/hall").send().await.json();
    assert_eq!((&seen["text"], &seen["owner"]), (&"Come!".into(), &"ann".into()));
    assert_eq!(them.ask(&them.ann, "POST /posters/hall").await.json()["text"], "changed");
    assert_eq!(them.ask(&them.ann, "DELETE /posters/hall").await.status, 204);
    assert_eq!(them.ask(&them.ann, "POST /posters/hall").await.outcome(), "404 poster_not_found");
}

#[tokio::test]
async fn a_list_holds_what_the_caller_is_granted() {
    let them = three().await;
    for (key, owner) in [(&them.ann, "ann"), (&them.bob, "bob"), (&them.eve, "ann"), (&them.eve, "carl")] {
        them.note(key, owner, &format!("of {owner}")).await;
    }
    let owners = |page: &Received| -> Vec<String> {
        let page = page.json();
        let items = page["items"].as_array().expect("items");
        items.iter().map(|item| item["owner"].as_str().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(owners(&them.ask(&them.ann, "GET /notes").await), ["ann", "ann"]);
    assert_eq!(owners(&them.ask(&them.bob, "GET /notes").await), ["bob"]);
    let first = them.ask(&them.eve, "GET /notes").await;
    let next = first.json()["next_cursor"].as_str().expect("more").to_owned();
    let second = them.ask(&them.eve, &format!("GET /notes?cursor={next}")).await;
    assert_eq!([owners(&first), owners(&second)].concat(), ["ann", "ann", "bob", "carl"]);
}

#[tokio::test]
async fn a_write_of_many_touches_what_the_caller_is_granted() {
    let them = three().await;
    let mine = them.note(&them.ann, "ann", "a").await;
    let his = them.note(&them.bob, "bob", "b").await;
    // One element that is refused undoes them all.
    let both = format!(r#"{{"ids":["{mine}","{his}"]}}"#);
    assert_eq!(them.send(&them.ann, "POST /burnt", &both).await.outcome(), "404 note_not_found");
    assert_eq!(them.system.count(r#"{"entity":"note"}"#).await, 2);
    assert_eq!(them.send(&them.ann, "POST /shelves/top/clear", "{}").await.status, 204);
    let left = them.ask(&them.eve, "GET /notes").await.json();
    assert_eq!(
        (left["items"].as_array().map(Vec::len), &left["items"][0]["owner"]),
        (Some(1), &"bob".into())
    );
    assert_eq!(them.send(&them.eve, "POST /shelves/top/clear", "{}").await.status, 204);
    assert_eq!(them.system.count(r#"{"entity":"note"}"#).await, 0);
}

#[tokio::test]
async fn a_row_that_may_not_be_made_is_not() {
    let them = three().await;
    let body = r#"{"owner":"ann","text":"in her name","shelf":"top"}"#;
    assert_eq!(them.send(&them.bob, "POST /notes", body).await.outcome(), "403 forbidden");
    assert_eq!(them.system.count(r#"{"entity":"note"}"#).await, 0);
    assert_eq!(them.send(&them.eve, "POST /notes", body).await.status, 201);
}

#[tokio::test]
async fn no_part_lasts_before_a_grant_was_met() {
    let them = three().await;
    let id = them.note(&them.ann, "ann", "a").await;
    // Its first part meets no note, and so no caller may end it.
    assert_eq!(them.ask(&them.ann, &format!("POST /stamps/{id}")).await.outcome(), "403 forbidden");
    assert_eq!(them.system.count(r#"{"entity":"stamp"}"#).await, 0);
}

#[tokio::test]
async fn what_is_mocked_is_held_by_its_input() {
    let them = three().await;
    assert_eq!(them.ask(&them.ann, "GET /greetings/ann").await.status, 200);
    assert_eq!(them.ask(&them.bob, "GET /greetings/ann").await.outcome(), "403 forbidden");
    assert_eq!(them.ask(&them.eve, "GET /greetings/eve").await.outcome(), "403 forbidden");
}

#[tokio::test]
async fn scopes_let_in_and_narrow() {
    let them = three().await;
    let with = async |role: &str, scope: &str| {
        let body = format!(r#"{{"role":"{role}","id":"dan","scopes":["{scope}"]}}"#);
        let made = them.system.admin("POST /keys").json(&body).send().await;
        made.json()["key"].as_str().unwrap_or_else(|| panic!("{made:?}")).to_owned()
    };
    let (counts, audits, other) = (
        with("member", "notes:count").await,
        with("admin", "notes:audit").await,
        with("member", "notes:audit").await,
    );
    assert_eq!(them.ask(&counts, "GET /count").await.status, 200);
    let refused = them.ask(&them.eve, "GET /count").await;
    assert_eq!(refused.outcome(), "403 forbidden");
    let challenge = refused.header("www-authenticate");
    assert_eq!(challenge.as_deref(), Some(r#"Bearer error="insufficient_scope", scope="notes:count""#));
    assert_eq!(them.ask(&audits, "GET /audit").await.status, 200);
    let refused = them.ask(&them.eve, "GET /audit").await;
    assert_eq!(refused.status, 403);
    assert!(refused.header("www-authenticate").is_some_and(|it| it.contains(r#"scope="notes:audit""#)));
    // The scope alone is not enough where a role is named besides.
    let refused = them.ask(&other, "GET /audit").await;
    assert_eq!((refused.status, refused.header("www-authenticate")), (403, None));
}

#[tokio::test]
async fn what_nobody_is_granted_is_refused_to_everybody() {
    let them = three().await;
    for key in [&them.ann, &them.eve] {
        assert_eq!(them.ask(key, "GET /forgotten").await.outcome(), "403 forbidden");
    }
    assert_eq!(them.system.public("GET /forgotten").send().await.status, 401);
    assert!(ACCESS.diagnostics.iter().any(|it| it.code == "FW0902" && it.message.contains("forgotten")));
}

#[tokio::test]
async fn what_anyone_is_granted_needs_no_key() {
    let them = three().await;
    assert_eq!(them.system.public("GET /hours").send().await.status, 200);
    assert_eq!(them.ask(&them.eve, "GET /hours").await.status, 200);
    assert_eq!(them.ask("fw_wrong", "GET /hours").await.status, 401, "a key that is sent must hold");
    // The condition of such a grant is held for everybody, and each role has its own besides.
    let window = r#"{"owner":"ann","text":"seen","shelf":"window"}"#;
    let shown = them.send(&them.ann, "POST /notes", window).await.json();
    let shown = format!("GET /open/{}", shown["id"].as_str().expect("an id"));
    let hidden = format!("GET /open/{}", them.note(&them.ann, "ann", "mine").await);
    assert_eq!(them.system.public(&shown).send().await.status, 200);
    assert_eq!(them.system.public(&hidden).send().await.outcome(), "404 note_not_found");
    for (key, status) in [(&them.ann, 200), (&them.bob, 404), (&them.eve, 404)] {
        assert_eq!(them.ask(key, &shown).await.status, 200);
        assert_eq!(them.ask(key, &hidden).await.status, status);
    }
}

#[tokio::test]
async fn an_element_that_meets_no_granted_row_is_refused_by_itself() {
    let them = three().await;
    let (mine, his) = (them.note(&them.ann, "ann", "a").await, them.note(&them.bob, "bob", "b").await);
    let nowhere = "01890a5d-ac96-774b-bcce-b302099a8057";
    let stamp = async |ids: &[&str]| {
        let body = serde_json::json!({ "ids": ids }).to_string();
        them.send(&them.ann, "POST /stamped", &body).await
    };
    // The refused elements stamped before they were refused: nothing of it is left.
    let some = stamp(&[nowhere, &mine, &his, nowhere, &mine]).await;
    assert_eq!((some.status, &some.json()["done"]), (200, &2.into()), "{some:?}");
    assert_eq!(them.system.count(r#"{"entity":"stamp"}"#).await, 2);
    // Nobody learns of rows where no element was granted, and nothing lasts.
    assert_eq!(stamp(&[nowhere, &his]).await.outcome(), "403 forbidden");
    assert_eq!(stamp(&[]).await.outcome(), "403 forbidden");
    // The element that leaves the loop is a transaction of its own as well.
    assert_eq!(stamp(&[nowhere, nowhere, nowhere, &mine]).await.json()["done"], 1);
    assert_eq!(them.system.count(r#"{"entity":"stamp"}"#).await, 3);
}
