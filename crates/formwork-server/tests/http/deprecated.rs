//! Operations that will go: their callers are told, and after the day they are gone.

use crate::system::{EDGE, System};
use formwork_server::Limits;

#[tokio::test]
async fn callers_are_told_since_when_until_when_and_what_to_use() {
    let system = System::start(&EDGE, Limits::default()).await;
    system.public("POST /notes").json(r#"{"id":1,"text":"a"}"#).send().await;
    for (line, status) in [("GET /old-notes/1", 200), ("GET /old-notes/2", 404), ("HEAD /old-notes/1", 200)] {
        let answer = system.public(line).send().await;
        assert_eq!(answer.status, status, "{answer:?}");
        assert_eq!(answer.header("deprecation").as_deref(), Some("@1874966400"));
        assert_eq!(answer.header("sunset").as_deref(), Some("Wed, 02 Jan 2030 00:00:00 GMT"));
        let path = line.split("old-").nth(1).expect("a path");
        let link = format!("</{path}>; rel=\"successor-version\"");
        assert_eq!(answer.header("link"), Some(link));
    }
    let other = system.public("GET /notes/1").send().await;
    assert_eq!((other.header("deprecation"), other.header("sunset")), (None, None));
}

#[tokio::test]
async fn after_its_last_day_an_operation_is_gone() {
    let system = System::start(&EDGE, Limits::default()).await;
    system.public("POST /notes").json(r#"{"id":1,"text":"a"}"#).send().await;
    system.advance("23h").await;
    assert_eq!(system.public("GET /old-notes/1").send().await.status, 200);
    system.advance("1h").await;
    let gone = system.public("GET /old-notes/1").send().await;
    assert_eq!(gone.outcome(), "410 gone");
    assert_eq!(gone.header("link").as_deref(), Some("</notes/1>; rel=\"successor-version\""));
    assert_eq!(system.public("GET /notes/1").send().await.status, 200);
}
