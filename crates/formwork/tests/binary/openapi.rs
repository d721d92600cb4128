//! The running system describes itself, and keeps to it.

use crate::process::{Place, formwork};
use serde_json::{Value, json};

/// A schema of the description, able to follow references into it.
fn judge(description: &Value, schema: &Value) -> jsonschema::Validator {
    let mut whole = schema.clone();
    whole["components"] = description["components"].clone();
    jsonschema::draft202012::new(&whole).expect("a schema")
}

#[test]
fn what_is_served_is_what_is_exported_and_answers_and_refusals_fit_it() {
    let place = Place::new();
    let server = place.start();
    let served = server.call("", "GET", "/openapi.json", None);
    assert_eq!((served.status, served.header("content-type")), (200, Some("application/json")));
    let description = served.json();
    let exported = formwork(&["export", "openapi", place.document.to_str().expect("UTF-8")]);
    assert_eq!(serde_json::from_str::<Value>(&exported.output).expect("JSON"), description);
    assert_eq!(server.call("", "POST", "/openapi.json", None).status, 405);

    let alice = place.key("member", "alice");
    let create = &description["paths"]["/links"]["post"];
    let fits = |status: &str, kind: &str, body: &Value| {
        let schema = &create["responses"][status]["content"][kind]["schema"];
        let judge = judge(&description, schema);
        let faults: Vec<String> = judge.iter_errors(body).map(|fault| fault.to_string()).collect();
        assert!(faults.is_empty(), "{status}: {faults:?} in {body}");
    };
    let body = json!({"url": "https://example.com/", "slug": "news"});
    let made = server.call(&alice, "POST", "/links", Some(body.clone()));
    assert_eq!(made.status, 201);
    fits("201", "application/json", &made.json());
    let taken = server.call(&alice, "POST", "/links", Some(body));
    assert_eq!(taken.status, 409);
    fits("409", "application/problem+json", &taken.json());
    let wrong = server.call(&alice, "POST", "/links", Some(json!({"url": 1})));
    assert_eq!(wrong.status, 422);
    fits("422", "application/problem+json", &wrong.json());
    let nobody = server.call("", "POST", "/links", Some(json!({})));
    assert_eq!(nobody.status, 401);
    fits("401", "application/problem+json", &nobody.json());
    let list = &description["paths"]["/links"]["get"]["responses"]["200"]["content"]["application/json"];
    let listed = server.call(&alice, "GET", "/links", None).json();
    assert!(judge(&description, &list["schema"]).is_valid(&listed), "{listed}");
}
