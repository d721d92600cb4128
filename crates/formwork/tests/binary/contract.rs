//! What section 9 says of callers: held by `test`, and refused by `run` where nothing holds it.

use crate::process::{Place, formwork, formwork_with_input};

fn document(lines: &str) -> String {
    format!(
        "## 4) Primary Interface/API\n\n### Operation: `ping` — `GET /ping`\n\n**Input:** None\n\n**Output:** nothing\n\n\
         **Behavior:**\n1. Returns nothing.\n\n## 9) Security, Governance, Cost Controls\n\n\
         ### Authentication (AuthN)\n\n{lines}\n"
    )
}

#[test]
fn the_contract_alone_is_told_pair_by_pair() {
    let place = Place::new();
    let path = place.document.to_str().expect("UTF-8");
    let told = formwork(&["test", path, "--only", "contract"]);
    assert_eq!(told.code, 0, "{}", told.errors);
    assert!(told.output.trim_end().ends_with("calls are let in or refused as granted"), "{}", told.output);
    let told = formwork(&["test", path, "--only", "contract", "--format", "json"]);
    let told: serde_json::Value = serde_json::from_str(&told.output).expect("JSON");
    assert_eq!(told["verdict"], "pass");
    assert!(told["pairs"].as_array().is_some_and(|pairs| pairs.iter().all(|it| it["verdict"] == "pass")));
    let refused = formwork(&["test", path, "--only", "contract", "--flow", "any"]);
    assert_eq!((refused.code, refused.output.as_str()), (2, ""));
}

#[test]
fn what_nothing_enforces_does_not_run() {
    for (line, way_out) in [
        ("- mTLS", "certificates of callers"),
        ("- HMAC-signed requests", "add ``from `NAME` ``"),
        (
            "- HMAC-signed requests from `Partner` with secret `FORMWORK_NOT_THERE`",
            "has no `FORMWORK_NOT_THERE`",
        ),
        ("- Bearer JWT from issuer https://id.test", "`--token-keys`"),
        (
            "- Bearer JWT (HS256) from issuer https://id.test with JWKS https://id.test/k and audience a",
            "`HS256` is not taken",
        ),
    ] {
        let ended = formwork_with_input(&["run", "-", "--listen", "127.0.0.1:0"], document(line).as_bytes());
        assert_eq!((ended.code, ended.output.as_str()), (1, ""), "{line}: {}", ended.errors);
        let said = ended.errors.lines().find(|said| said.contains("line 16")).expect("a line");
        assert!(said.contains(way_out), "{said}");
    }
}
