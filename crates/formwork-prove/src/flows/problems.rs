//! Problem details (RFC 9457) as a person reads them: what happened, what is wrong with which field, and whatever else
//! the answer bears. What every problem bears, and its outcome says already, is left out.

use serde_json::Value as Json;

/// Members that every problem has.
const STANDARD: [&str; 8] = ["type", "title", "status", "detail", "instance", "code", "errors", "trace_id"];

/// Its sentence with the faults behind it; absent when the body is no problem.
pub(super) fn told(body: &Json) -> Option<String> {
    let members = body.as_object()?;
    let detail = members.get("detail")?.as_str()?;
    members.get("status")?.as_u64()?;
    let mut text = detail.to_owned();
    for fault in members.get("errors").and_then(Json::as_array).into_iter().flatten() {
        let said = fault["detail"].as_str().unwrap_or_default();
        let place = fault["pointer"].as_str().map(|pointer| pointer.trim_start_matches(['#', '/']));
        let place = place.or_else(|| fault["name"].as_str()).unwrap_or_default();
        if said != detail {
            text.push_str(&format!(" `{place}`: {said}"));
        }
    }
    let others: serde_json::Map<String, Json> = members
        .iter()
        .filter(|(name, _)| !STANDARD.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    if !others.is_empty() {
        text.push_str(&format!(" {}", Json::Object(others)));
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::told;
    use serde_json::json;

    #[test]
    fn a_problem_is_its_sentence_its_faults_and_its_own_members() {
        let problem = json!({
            "type": "/problems/invalid", "title": "Invalid", "status": 422, "code": "invalid", "instance": "/x",
            "detail": "One field is not valid.",
            "errors": [{"pointer": "#/isbn", "detail": "Must match.", "code": "pattern"}],
            "limit": 3,
        });
        assert_eq!(told(&problem).unwrap(), "One field is not valid. `isbn`: Must match. {\"limit\":3}");
        assert_eq!(told(&json!({"detail": "no problem"})), None);
        assert_eq!(told(&json!([1])), None);
    }
}
