//! The exported model of the example holds the contract's keys, and every place slices to what it says.

use formwork_check::analyse;
use formwork_export::{KINDS, model};
use serde_json::Value;

const SHORTLINK: &str = include_str!("../../../examples/shortlink.md");

fn shortlink() -> Value {
    model(&analyse(SHORTLINK.into()))
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(|each| each["name"].as_str()).collect()
}

#[test]
fn every_key_of_the_contract_is_there() {
    let model = shortlink();
    let keys = [
        "version",
        "title",
        "summary",
        "goals",
        "non_goals",
        "open_questions",
        "diagram",
        "components",
        "operations",
        "endpoints",
        "entities",
        "relationships",
        "flows",
        "slos",
        "caches",
        "authn",
        "authz",
        "limits",
        "audit",
        "budgets",
        "metrics",
        "traces",
        "events",
        "deployment",
        "release",
        "recovery",
        "tests",
        "interfaces",
        "roadmap",
        "unfinished",
    ];
    for key in keys {
        assert!(model.get(key).is_some_and(|value| !value.is_null()), "{key}");
    }
    assert_eq!(model["title"], "Shortlink");
    assert_eq!(names(&model["components"]), ["Link API", "Redirect", "Sweeper", "Link store"]);
    assert_eq!(names(&model["endpoints"]), ["GET /internal/links/{slug}/visits"]);
    assert_eq!(
        names(&model["diagram"]["nodes"]),
        ["visitor", "Redirect", "Link store", "member", "Link API", "Sweeper"]
    );
}

#[test]
fn a_document_without_sections_has_lists_without_entries_and_nothing_invented() {
    let model = model(&analyse("Only a sentence.".into()));
    assert_eq!(model["operations"], Value::Array(Vec::new()));
    for key in ["title", "summary", "diagram", "deployment", "release", "recovery"] {
        assert!(model[key].is_null(), "{key}");
    }
}

#[test]
fn an_operation_is_written_as_the_contract_says() {
    let model = shortlink();
    let create = &model["operations"][0];
    assert_eq!(
        (&create["name"], &create["method"], &create["path"]),
        (&"create_link".into(), &"POST".into(), &"/links".into())
    );
    assert_eq!(create["output"]["kind"], "row");
    assert_eq!(create["output"]["of"], "link");
    assert_eq!(create["output"]["status"], 201);
    assert_eq!(create["input"][1]["type"], "string");
    assert_eq!(create["input"][1]["optional"], true);
    assert_eq!(create["input"][1]["constraints"][1]["kind"], "pattern");
    assert_eq!(create["examples"][0]["value"]["slug"], "launch");
    assert_eq!(create["behavior"].as_array().unwrap().len(), 8);
}

#[test]
fn an_slo_says_what_measures_it() {
    let source = "# 8) Performance\n## SLO Targets\n- `availability` ≥ 99.9%\n- `happiness` ≥ 50%\n- `gone.latency` ≤ 1 ms\n";
    let model = model(&analyse(source.into()));
    let measured: Vec<_> =
        model["slos"].as_array().unwrap().iter().map(|slo| slo["measured_by"].as_str()).collect();
    assert_eq!(measured, [Some("availability"), None, None]);
}

#[test]
fn every_span_slices_to_the_named_thing() {
    let mut seen = 0;
    check_spans(&shortlink(), &mut seen);
    assert!(seen > 50, "{seen}");
}

/// Names, fields and texts are found in the source at their span; line and column agree with the offset.
fn check_spans(value: &Value, seen: &mut usize) {
    match value {
        Value::Array(list) => list.iter().for_each(|each| check_spans(each, seen)),
        Value::Object(object) => {
            if let Some(span) = object.get("span").filter(|span| span.is_object()) {
                let at =
                    |end: &str| span[end]["offset"].as_u64().map_or(usize::MAX, |offset| offset as usize);
                let written = &SHORTLINK[at("start")..at("end")];
                let line = SHORTLINK[..at("start")].matches('\n').count() as u64 + 1;
                assert_eq!(span["start"]["line"], line);
                for name in
                    ["name", "metric", "role", "phase"].iter().filter_map(|key| object.get(*key)?.as_str())
                {
                    let plain = written.replace('`', "");
                    assert!(plain.contains(name), "{name:?} in {written:?}");
                    *seen += 1;
                }
            }
            object.values().for_each(|each| check_spans(each, seen));
        }
        _ => {}
    }
}

#[test]
fn the_kinds_have_different_names() {
    let mut names: Vec<_> = KINDS.iter().map(|kind| kind.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), KINDS.len());
}

#[test]
fn a_cache_layer_is_written_as_it_is_held() {
    let layer = &shortlink()["caches"][0]["layer"];
    assert_eq!(layer["at_most"], serde_json::json!({"entries": 10_000, "bytes": 67_108_864}));
    let kept = serde_json::json!([{
        "operation": "get_link", "ttl_seconds": 60, "keyed_by": ["input.slug", "caller.id", "caller.roles"],
        "reads": ["link"], "cleared_by": {"writes": ["link"], "events": [], "headers": []},
    }]);
    assert_eq!(layer["keeps"], kept);
    let vague = "## 8) Performance, Caching & SLOs\n\n### Caching Strategy\n\n**Layer:** Browser\n- **What:** pictures\n";
    let model = model(&analyse(vague.into()));
    assert_eq!(
        (&model["caches"][0]["name"], &model["caches"][0]["layer"]),
        (&"Browser".into(), &Value::Null)
    );
}
