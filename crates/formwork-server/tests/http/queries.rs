//! The document's own SQL: parameters and columns pass through the storage forms of their types.

use crate::system::System;
use formwork_check::analyse_fragment;
use formwork_server::Limits;
use serde_json::json;

const ANN: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
const BOB: &str = "01890a5d-ac96-774b-bcce-b302099a8058";

#[tokio::test]
async fn values_pass_through_their_storage_forms_both_ways() {
    let analysis = analyse_fragment(include_str!("../documents/queries.md").into());
    let errors: Vec<_> = analysis.diagnostics.iter().map(|found| &found.message).collect();
    assert!(!analysis.has_errors(), "{errors:?}");
    let system = System::start(&analysis, Limits::default()).await;
    for (owner, amount, day, done, note) in [
        (ANN, "10.25", "2030-01-01", true, Some("rent")),
        (ANN, "0.50", "2030-01-03", true, None),
        (ANN, "0.49", "2030-01-03", true, None),
        (BOB, "99.99", "2030-01-02", true, Some("it's :note, not $1 or ?1")),
        (BOB, "1.00", "2030-01-02", false, None),
        (BOB, "1.00", "2030-02-01", true, None),
    ] {
        let body = json!({"Owner": owner, "amount": amount, "day": day, "done": done, "note": note});
        let made = system.public("POST /entries").json(&body.to_string()).send().await;
        assert_eq!(made.status, 201, "{made:?}");
    }
    let asked = "least=0.50&until=2030-01-01T01:00:00%2B01:00&day=2030-01-31&done=true&note=rent";
    let report = system.public(&format!("GET /report?{asked}")).send().await;
    assert_eq!(report.status, 200, "{report:?}");
    let now = "2030-01-01T00:00:00Z";
    assert_eq!(
        report.json(),
        json!({
            "sums": [
                {"owner": BOB, "total": "99.99", "entries": 1, "largest": "99.99", "last": now, "first_day": "2030-01-02"},
                {"owner": ANN, "total": "10.75", "entries": 2, "largest": "10.25", "last": now, "first_day": "2030-01-01"},
            ],
            "notes": [{"note": "rent", "done": true}],
            "twice": ["199.98", "21.00"],
        })
    );
    let hers = system.public(&format!("GET /report?{asked}&owner={BOB}")).send().await;
    assert_eq!(hers.json()["notes"].as_array().map(Vec::len), Some(4));
    let quoted = "least=1000&until=2031-01-01T00:00:00Z&day=2031-01-01&done=false&note=it's%20:note,%20not%20$1%20or%20?1";
    let report = system.public(&format!("GET /report?{quoted}")).send().await;
    assert_eq!(report.json()["sums"], json!([]));
    assert_eq!(report.json()["notes"], json!([{"note": "it's :note, not $1 or ?1", "done": true}]));
}
