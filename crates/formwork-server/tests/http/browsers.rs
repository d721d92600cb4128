//! Pages of other origins: who may call is said in the document, everybody else's browser keeps the answer back.

use crate::system::{EDGE, System};
use formwork_check::analyse_fragment;
use formwork_server::{Limits, Origins};

const APP: &str = "https://app.example.com";

#[tokio::test]
async fn a_browser_is_told_what_a_page_of_a_listed_origin_may_do() {
    let system = System::start(&EDGE, Limits::default()).await;
    let asked = system
        .public("OPTIONS /notes/1")
        .header("origin", APP)
        .header("access-control-request-method", "PATCH")
        .header("access-control-request-headers", "content-type,x-api-key")
        .send()
        .await;
    assert_eq!((asked.status, &*asked.body), (204, ""));
    for (name, value) in [
        ("access-control-allow-origin", APP),
        ("access-control-allow-credentials", "true"),
        ("access-control-allow-methods", "GET, HEAD, OPTIONS, PATCH"),
        ("access-control-allow-headers", "content-type,x-api-key"),
        ("access-control-max-age", "600"),
        ("allow", "GET, HEAD, OPTIONS, PATCH"),
    ] {
        assert_eq!(asked.header(name).as_deref(), Some(value), "{name}: {asked:?}");
    }
    assert!(asked.headers_of("vary").contains("Origin"), "{asked:?}");
    let nowhere = system
        .public("OPTIONS /nowhere")
        .header("origin", APP)
        .header("access-control-request-method", "GET")
        .send()
        .await;
    assert_eq!(nowhere.outcome(), "404 not_found");
}

#[tokio::test]
async fn a_page_sees_the_whole_header_of_an_answer_and_of_a_refusal() {
    let system = System::start(&EDGE, Limits::default()).await;
    let ask = |line: &str| system.public(line).header("origin", APP);
    let made = ask("POST /notes").json(r#"{"id":1,"text":"a"}"#).send().await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(made.header("access-control-allow-origin").as_deref(), Some(APP));
    let told = made.header("access-control-expose-headers").expect("told");
    for name in ["etag", "location", "x-request-id", "server-timing"] {
        assert!(told.split(", ").any(|told| told == name), "{name}: {told}");
    }
    let refused = ask("GET /notes/2").send().await;
    assert_eq!(refused.outcome(), "404 note_not_found");
    assert_eq!(refused.header("access-control-allow-origin").as_deref(), Some(APP));
}

#[tokio::test]
async fn other_origins_are_told_nothing_and_no_answer_is_kept_for_them() {
    let system = System::start(&EDGE, Limits::default()).await;
    system.public("POST /notes").json(r#"{"id":1,"text":"a"}"#).send().await;
    for origin in ["https://app.example.com.evil.example", "http://app.example.com", "null", "*", ""] {
        for line in ["OPTIONS /notes/1", "GET /notes/1"] {
            let asked = system
                .public(line)
                .header("origin", origin)
                .header("access-control-request-method", "GET")
                .send()
                .await;
            assert!(asked.status < 300, "{asked:?}");
            assert!(!asked.tells_browsers(), "{origin}: {asked:?}");
            assert!(asked.headers_of("vary").contains("Origin"), "{asked:?}");
        }
    }
    // Internal callers are no browsers.
    let inside = system.internal("GET /internal/notes").header("origin", APP).send().await;
    assert!(inside.status == 200 && !inside.tells_browsers(), "{inside:?}");
}

#[tokio::test]
async fn nothing_is_allowed_that_nobody_listed_and_everybody_never_with_credentials() {
    let off = include_str!("../documents/edge.md").replace("- CORS:", "- Later:");
    let system = System::start(&analyse_fragment(off.into()), Limits::default()).await;
    let asked = system
        .public("OPTIONS /notes/1")
        .header("origin", APP)
        .header("access-control-request-method", "GET")
        .send()
        .await;
    assert_eq!(asked.status, 204);
    assert!(!asked.tells_browsers() && asked.header("vary").is_none(), "{asked:?}");

    let line = "- CORS: `https://app.example.com`, `http://localhost:3000`, with credentials, for 10 min";
    let any = include_str!("../documents/edge.md").replace(line, "- CORS: any origin");
    let system = System::start(&analyse_fragment(any.into()), Limits::default()).await;
    let seen = system.public("GET /notes/1").header("origin", "https://who.example").send().await;
    assert_eq!(seen.header("access-control-allow-origin").as_deref(), Some("*"));
    assert_eq!(seen.header("access-control-allow-credentials"), None);
    let both = include_str!("../documents/edge.md").replace(line, "- CORS: any origin, with credentials");
    let analysis = analyse_fragment(both.into());
    assert!(analysis.diagnostics.iter().any(|found| found.code == "FW0920"), "{:?}", analysis.diagnostics);
    assert!(analysis.has_errors());
}

#[test]
fn an_operator_lists_origins_as_browsers_write_them() {
    let mut origins = Origins::default();
    assert!(origins.is_off());
    origins.add("https://App.Example.com:443").expect("an origin");
    assert_eq!(origins.listed, ["https://app.example.com"]);
    let said = origins.add("app.example.com").expect_err("none");
    assert!(said.contains("`app.example.com`"), "{said}");
    origins.add("*").expect("every origin");
    assert!(origins.any);
}
