//! Reports for other programs, allowances, baselines and coverage by section.

use formwork_check::{
    Analysis, Baseline, CheckedFile, analyse, analyse_fragment, coverage_by_section, render_github,
    render_sarif,
};
use serde_json::Value;

/// A type that is misspelt, with a fix, and a field that is declared twice, with a second place.
const FOUND: &str = "## 6) Data Model\n\n### Entity: `länk`\n\n**Fields:**\n- `id` (uuid) | identity | primary key\n- `slug` (strng) | the short name | required\n- `Slug` (string) | 100% again | required\n";

fn fragment(text: &str) -> Analysis {
    analyse_fragment(text.into())
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("it is an object").keys().map(String::as_str).collect()
}

#[test]
fn sarif_has_the_members_that_the_standard_requires() {
    let analysis = fragment(FOUND);
    let files = [CheckedFile { path: "docs/a b.md", analysis: &analysis }];
    let log: Value = serde_json::from_str(&render_sarif(&files)).expect("it is JSON");
    assert_eq!(log["version"], "2.1.0");
    assert!(log["$schema"].as_str().is_some_and(|schema| schema.ends_with("sarif-schema-2.1.0.json")));
    let run = &log["runs"][0];
    assert_eq!(log["runs"].as_array().map(Vec::len), Some(1));
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    let driver = &run["tool"]["driver"];
    assert_eq!(driver["name"], "formwork");
    let rules = driver["rules"].as_array().expect("a list");
    let results = run["results"].as_array().expect("a list");
    assert!(results.len() >= 2);
    for result in results {
        let rule = &rules[result["ruleIndex"].as_u64().expect("an index") as usize];
        assert_eq!(rule["id"], result["ruleId"]);
        assert!(rule["help"]["markdown"].as_str().is_some_and(|page| page.contains("## Before")));
        assert!(matches!(result["level"].as_str(), Some("error" | "warning" | "note")));
        assert!(result["message"]["text"].as_str().is_some_and(|text| !text.is_empty()));
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "docs/a%20b.md");
        for member in ["startLine", "startColumn", "endLine", "endColumn"] {
            assert!(place["region"][member].as_u64().is_some_and(|number| number >= 1), "{member}");
        }
        assert!(result["partialFingerprints"]["formwork/v1"].is_string());
    }
}

#[test]
fn sarif_carries_the_correction_and_the_second_place() {
    let analysis = fragment(FOUND);
    let files = [CheckedFile { path: "a.md", analysis: &analysis }];
    let log: Value = serde_json::from_str(&render_sarif(&files)).expect("it is JSON");
    let results = log["runs"][0]["results"].as_array().expect("a list").clone();
    let of =
        |code: &str| results.iter().find(|result| result["ruleId"] == code).expect("it is found").clone();
    let change = &of("FW0601")["fixes"][0]["artifactChanges"][0];
    assert_eq!(change["artifactLocation"]["uri"], "a.md");
    let replacement = &change["replacements"][0];
    assert_eq!(replacement["insertedContent"]["text"], "string");
    let region = &replacement["deletedRegion"];
    assert_eq!(
        keys(region),
        ["startLine", "startColumn", "endLine", "endColumn", "byteOffset", "byteLength"]
    );
    let from = region["byteOffset"].as_u64().expect("an offset") as usize;
    assert_eq!(&FOUND[from..from + 5], "strng");
    let related = &of("FW1607")["relatedLocations"][0];
    assert_eq!(related["message"]["text"], "first declared here");
    assert_eq!(related["physicalLocation"]["region"]["startLine"], 7);
}

#[test]
fn a_document_without_findings_is_a_run_without_results() {
    let analysis = fragment("## 1) Goals\n\n### Goals\n- Short links\n");
    let files = [CheckedFile { path: "a.md", analysis: &analysis }];
    let log: Value = serde_json::from_str(&render_sarif(&files)).expect("it is JSON");
    assert_eq!(log["runs"][0]["results"], serde_json::json!([]));
    assert_eq!(render_github(&files), "");
}

#[test]
fn github_gets_one_escaped_line_for_each_finding() {
    let analysis = fragment(FOUND);
    let shown = render_github(&[CheckedFile { path: "a,b:c%.md", analysis: &analysis }]);
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines.len(), analysis.diagnostics.len());
    let expected = "::warning file=a%2Cb%3Ac%25.md,line=7,endLine=7,col=11,endColumn=16,title=FW0601::`strng` is not a type%0Adid you mean `string`?";
    assert_eq!(lines[0], expected);
}

#[test]
fn an_allowance_says_what_it_took_away_and_an_idle_one_is_told() {
    let text = format!(
        "<!-- formwork: allow FW0601 the type comes later -->\n\n{FOUND}\n<!-- formwork: allow FW0602 gone by now -->\n\n## 7) Canonical Flows\n"
    );
    let analysis = fragment(&text);
    let told: Vec<(&str, usize)> =
        analysis.allowances.iter().map(|it| (it.reason.as_str(), it.allowed)).collect();
    assert_eq!(told, [("the type comes later", 1), ("gone by now", 0)]);
    let codes: Vec<&str> = analysis.diagnostics.iter().map(|found| found.code).collect();
    assert_eq!(codes, ["FW1607", "FW9007"]);
}

#[test]
fn what_the_baseline_knows_stays_hidden_when_lines_move() {
    let mut old = fragment(FOUND);
    let baseline = Baseline::of(&[CheckedFile { path: "a.md", analysis: &old }]);
    let baseline = Baseline::parse(&baseline.to_json()).expect("it reads what it wrote");
    assert_eq!(baseline.hide("a.md", &mut old), 2);
    assert!(old.diagnostics.is_empty());

    let mut moved = fragment(&format!("Some words.\n\nMore.\n\n{FOUND}- `more` (intger) | new | required\n"));
    assert_eq!(baseline.hide("a.md", &mut moved), 2);
    let left: Vec<&str> = moved.diagnostics.iter().map(|found| found.message.as_str()).collect();
    assert_eq!(left, ["`intger` is not a type"]);

    let mut elsewhere = fragment(FOUND);
    assert_eq!(baseline.hide("b.md", &mut elsewhere), 0);
}

#[test]
fn of_findings_alike_as_many_are_hidden_as_were_written() {
    let entity =
        |name: &str| format!("### Entity: `{name}`\n\n**Fields:**\n- `id` (uuidd) | identity | required\n\n");
    let one = format!("## 6) Data Model\n\n{}", entity("one"));
    let old = fragment(&one);
    let baseline = Baseline::of(&[CheckedFile { path: "a.md", analysis: &old }]);
    let mut two = fragment(&format!("{one}{}", entity("two")));
    assert_eq!(two.diagnostics.len(), 2);
    assert_eq!(baseline.hide("a.md", &mut two), 1);
    assert_eq!(two.diagnostics.len(), 1);
}

#[test]
fn a_file_that_is_no_baseline_is_refused_in_words() {
    for text in ["", "[]", "{\"version\":2,\"files\":{}}"] {
        let error = Baseline::parse(text).expect_err("it is none").to_string();
        assert!(error.starts_with("not a baseline of `formwork check`: "), "{error}");
    }
}

#[test]
fn coverage_counts_each_section_and_all_sections_give_the_whole() {
    let analysis = analyse(include_str!("../../../examples/shortlink.md").into());
    let sections = coverage_by_section(&analysis);
    let titles: Vec<&str> = sections.iter().map(|(title, _)| title.as_str()).collect();
    assert_eq!(titles.len(), 16);
    assert!(titles[0].contains("Executive Summary") && titles[15].contains("Open Questions"), "{titles:?}");
    let understood: usize = sections.iter().map(|(_, counts)| counts.understood).sum();
    let whole = formwork_check::coverage(&formwork_check::classes(&analysis));
    assert_eq!(understood, whole.understood);
    assert!(sections.iter().any(|(title, counts)| title.contains("Data Model") && counts.understood > 5));
}
