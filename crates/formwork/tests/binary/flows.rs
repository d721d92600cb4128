//! `test`: the example's flows hold; a document that promises too much is told where.

use crate::process::{Place, formwork, formwork_with_input, shortlink};
use serde_json::Value;

fn example() -> String {
    std::fs::read_to_string(shortlink()).expect("the example is there")
}

fn report(text: &str) -> (i32, Value) {
    let tested = formwork_with_input(&["test", "-", "--only", "flows", "--format", "json"], text.as_bytes());
    let report = serde_json::from_str(&tested.output);
    (tested.code, report.unwrap_or_else(|error| panic!("{error}: {}{}", tested.output, tested.errors)))
}

fn steps(report: &Value) -> Vec<&Value> {
    let flows = report["flows"].as_array().expect("a list");
    let lists = flows.iter().flat_map(|flow| [&flow["steps"], &flow["errors"]]);
    lists.flat_map(|list| list.as_array().expect("a list")).collect()
}

#[test]
fn the_example_passes_with_no_step_left_unexecuted() {
    let path = shortlink();
    let tested = formwork(&["test", path.to_str().expect("UTF-8"), "--only", "flows"]);
    assert_eq!(tested.code, 0, "{}{}", tested.output, tested.errors);
    assert!(tested.output.contains("4 flows: 4 passed"), "{}", tested.output);
    assert!(tested.output.contains("26 steps: 26 passed\n"), "{}", tested.output);
}

#[test]
fn json_has_the_shape_that_scripts_hold_on_to() {
    let (code, report) = report(&example());
    assert_eq!((code, &report["version"], &report["verdict"]), (0, &1.into(), &"pass".into()));
    assert!(report["seed"].is_u64() && report["claims"].is_array());
    for step in steps(&report) {
        assert_eq!(step["verdict"], "pass", "{step}");
        assert!(step["text"].is_string() && step["expected"].is_string() && step["got"].is_string());
        assert!(step["span"]["start"]["line"].as_u64().is_some_and(|line| line > 1));
    }
}

#[test]
fn a_wrong_status_is_shown_with_line_expected_and_got() {
    let wrong = example()
        .replace("`GET /no-such-link` → `404 link_not_found`", "`GET /no-such-link` → `410 link_expired`");
    let tested = formwork_with_input(&["test", "-", "--only", "flows"], wrong.as_bytes());
    assert_eq!(tested.code, 1);
    let line = wrong.lines().position(|line| line.contains("GET /no-such-link")).expect("there") + 1;
    assert!(tested.output.contains(&format!("-:{line}:")), "{}", tested.output);
    assert!(tested.output.contains("expected  410 link_expired"), "{}", tested.output);
    assert!(tested.output.contains("got       404 link_not_found"), "{}", tested.output);
}

#[test]
fn a_wrong_condition_count_event_or_race_each_fails_its_flow_alone() {
    let lies = [
        ("`response.visit_count == 2`", "`response.visit_count == 3`"),
        ("5. There are `2` `visit`.", "5. There are `1` `visit`."),
        ("6. Event `link.visited` was emitted.", "6. Event `link.retargeted` was emitted."),
        ("exactly `1` gets `201`", "exactly `2` gets `201`"),
        ("No `link` exists where `slug == \"sale\"`", "A `link` exists where `slug == \"sale\"`"),
        ("and gets `403 not_yours`", "and gets `403 not_mine`"),
    ];
    for (truth, lie) in lies {
        let wrong = example().replace(truth, lie);
        assert_ne!(wrong, example(), "{truth}");
        let (code, report) = report(&wrong);
        assert_eq!((code, &report["verdict"]), (1, &"fail".into()), "{lie}");
        let failed =
            report["flows"].as_array().expect("a list").iter().filter(|flow| flow["verdict"] == "fail");
        assert_eq!(failed.count(), 1, "{lie}");
    }
}

#[test]
fn after_a_step_that_falls_short_nothing_is_claimed() {
    let wrong = example().replace("1. `member` as `alice` calls", "1. `visitor` calls");
    let (_, report) = report(&wrong);
    let flow = &report["flows"][2];
    let verdicts: Vec<&str> = flow["steps"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|step| step["verdict"].as_str().expect("a text"))
        .collect();
    assert_eq!(verdicts, ["fail", "inconclusive", "inconclusive"]);
}

#[test]
fn a_narrative_step_is_shown_as_not_executed() {
    let text =
        example().replace("7. No `link` exists where", "7. The visitor shrugs.\n8. No `link` exists where");
    let (code, report) = report(&text);
    assert_eq!(code, 0);
    let narrative: Vec<&Value> =
        steps(&report).into_iter().filter(|step| step["verdict"] == "not_executed").collect();
    assert_eq!(narrative.len(), 1);
    assert_eq!(narrative[0]["text"], "The visitor shrugs");
}

#[test]
fn a_flow_without_an_executable_step_is_not_a_test() {
    let text = format!(
        "{}\n### Flow: Only told\n\n1. The visitor arrives.\n2. The visitor leaves.\n\n---\n\n## 8) {}",
        example().split("\n---\n\n## 8) ").next().expect("a part"),
        example().split("\n---\n\n## 8) ").nth(1).expect("a part")
    );
    let (_, report) = report(&text);
    let flow = report["flows"].as_array().expect("a list").last().expect("a flow");
    assert_eq!((&flow["name"], &flow["verdict"]), (&"Only told".into(), &"not_testable".into()));
}

#[test]
fn one_flow_can_be_picked_by_name() {
    let path = shortlink();
    let picked = formwork(&["test", path.to_str().expect("UTF-8"), "--flow", "a link expires"]);
    assert_eq!(picked.code, 0, "{}", picked.errors);
    assert!(picked.output.contains("1 flow: 1 passed"), "{}", picked.output);
    let unknown = formwork(&["test", path.to_str().expect("UTF-8"), "--flow", "no such flow"]);
    assert_eq!((unknown.code, unknown.output.as_str()), (2, ""));
}

#[test]
fn junit_holds_every_step_as_a_case() {
    let path = shortlink();
    let tested = formwork(&["test", path.to_str().expect("UTF-8"), "--format", "junit"]);
    assert_eq!(tested.code, 0, "{}", tested.errors);
    assert!(tested.output.starts_with("<?xml version=\"1.0\""));
    assert_eq!(tested.output.matches("<testsuite ").count(), 4);
    assert_eq!(tested.output.matches("<testcase ").count(), 26);
    assert_eq!(tested.output.matches("<failure").count(), 0);
}

#[test]
fn a_document_with_errors_is_not_tested() {
    let wrong = example().replace("2. Finds the `link` where", "2. Finds the `lonk` where");
    let tested = formwork_with_input(&["test", "-"], wrong.as_bytes());
    assert_eq!((tested.code, tested.output.as_str()), (1, ""));
    assert!(tested.errors.contains("lonk"), "{}", tested.errors);
}

/// A document of command lines whose one flow has these steps.
fn commands(steps: &str) -> String {
    format!(
        "## 4) Primary Interface/API\n\n### Operation: `echo [WORDS]`\n\n**Input:** words\n\n\
         **Output:** the words on a line\n\n### Operation: `pwd`\n\n**Command:** `pwd`\n\n\
         ### Operation: `false now`\n\n**Output:** nothing; exit code 1\n\n\
         ## 7) Canonical Flows\n\n### Flow: The tools\n\n{steps}\n"
    )
}

#[test]
fn a_flow_runs_the_commands_of_its_document_in_a_folder_of_its_own() {
    let (code, told) = report(&commands(
        "1. CI runs `echo hello 'two  blanks' $HOME` and gets exit code `0` with `output contains \"hello two  blanks $HOME\"`.\n\
         2. CI runs `false now` and gets exit code `1`.\n\
         3. Somebody runs `echo` by hand.",
    ));
    let verdicts: Vec<&str> = steps(&told).iter().filter_map(|step| step["verdict"].as_str()).collect();
    assert_eq!((code, verdicts), (0, vec!["pass", "pass", "not_executed"]), "{told}");
}

#[test]
fn a_command_that_ends_otherwise_is_told_with_what_it_printed() {
    let (code, told) =
        report(&commands("1. CI runs `echo hello` and gets exit code `2` with `errors contains \"x\"`."));
    assert_eq!(code, 1);
    let step = steps(&told)[0];
    assert_eq!(step["expected"], "exit code 2 and errors containing `x`");
    assert_eq!(step["got"], "exit code 0; output: hello");
}

#[test]
fn a_command_that_the_document_does_not_declare_is_not_run() {
    let alone = "1. CI runs `rm -rf x` and gets exit code `0`.";
    let (_, told) = report(&commands(alone));
    assert_eq!(steps(&told)[0]["got"], "not understood, so not carried out", "{told}");
    let document = commands(&format!("{alone}\n2. CI runs `echo` and gets exit code `0`."));
    let checked = formwork_with_input(&["check", "-"], document.as_bytes());
    assert_eq!(checked.code, 1, "beside a step that runs it is an error");
    assert!(checked.output.contains("runs a command"), "{}", checked.output);
}

#[test]
fn a_running_system_is_held_against_the_flows_as_far_as_a_caller_can() {
    let place = Place::new();
    let server = place.start();
    let key = format!("member={}", place.key("member", "member"));
    let path = shortlink();
    let url = format!("http://{}", server.public.trim_start_matches("http://"));
    let arguments = [
        "test",
        path.to_str().expect("UTF-8"),
        "--only",
        "flows",
        "--flow",
        "A link is made, followed and counted",
        "--target",
        &url,
        "--key",
        &key,
    ];
    let tested = formwork(&arguments);
    assert!(tested.output.contains("8 passed, 2 not testable here"), "{}{}", tested.output, tested.errors);
    let elsewhere = formwork(&["test", path.to_str().expect("UTF-8"), "--target", "https://localhost"]);
    assert_eq!(elsewhere.code, 2, "{}", elsewhere.errors);
    assert!(elsewhere.errors.contains("only http:// is spoken"), "{}", elsewhere.errors);
}
