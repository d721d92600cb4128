//! W3C trace context: from the caller through the answer, the refusal and the request to somebody else.

use crate::system::{EDGE, System, config};
use crate::upstream::{Does, Upstream};
use formwork_server::{Config, Limits, UpstreamAddress, start_within};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

#[tokio::test]
async fn a_refusal_names_the_trace_of_its_caller() {
    let system = System::start(&EDGE, Limits::default()).await;
    let ask = system.public("GET /notes/7").header("traceparent", &format!("00-{TRACE}-00f067aa0ba902b7-01"));
    let refused = ask.send().await;
    assert_eq!(refused.json()["trace_id"], TRACE);
    let timing = refused.header("server-timing").expect("told");
    assert!(timing.starts_with(&format!("trace;desc=00-{TRACE}-")) && timing.ends_with("-01"), "{timing}");
    assert!(!timing.contains("00f067aa0ba902b7"), "the span is ours: {timing}");
}

#[tokio::test]
async fn without_a_trace_that_can_be_read_one_begins() {
    let system = System::start(&EDGE, Limits::default()).await;
    let mut seen = std::collections::BTreeSet::new();
    for sent in ["", "nonsense", &format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32))] {
        let refused = system.public("GET /notes/7").header("traceparent", sent).send().await;
        let id = refused.json()["trace_id"].as_str().expect("a trace").to_owned();
        assert!(id.len() == 32 && id != TRACE, "{id}");
        assert!(refused.header("server-timing").is_some_and(|timing| timing.contains(&id)), "{refused:?}");
        assert!(seen.insert(id), "each has its own");
    }
}

#[tokio::test]
async fn the_trace_goes_on_in_a_request_to_somebody_else() {
    let upstream = Upstream::new(&[Does::Answers(200, "{}".to_owned())]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let upstreams =
        vec![UpstreamAddress { component: "Notary".into(), base: format!("http://{}", upstream.address) }];
    let config = Config { upstreams, ..config(folder.path().join("data")) };
    let running = start_within(config, Limits::default(), &EDGE).await.expect("starts");
    let system = System { running, folder };
    let ask = system
        .public("POST /certificates")
        .header("traceparent", &format!("00-{TRACE}-00f067aa0ba902b7-01"))
        .header("tracestate", "vendor=1,other=2");
    assert_eq!(ask.json(r#"{"id":1}"#).send().await.status, 204);
    let seen = upstream.seen().remove(0);
    let parent = seen.header("traceparent").to_owned();
    assert!(parent.starts_with(&format!("00-{TRACE}-")) && parent.ends_with("-01"), "{parent}");
    assert!(!parent.contains("00f067aa0ba902b7"), "{parent}");
    assert_eq!(seen.header("tracestate"), "vendor=1,other=2");
    assert_eq!(seen.header("baggage"), "");
    system.stop().await;
}
