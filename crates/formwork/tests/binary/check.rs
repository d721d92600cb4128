//! `check`, `explain`, `export`: results, exit codes, and input that cannot be read.

use crate::process::{formwork, formwork_with_input, shortlink};
use serde_json::Value;

fn example() -> String {
    shortlink().to_str().expect("UTF-8").to_owned()
}

const WRONG: &str = "# Odd\n\n## 4) Primary Interface/API\n\n#### Operation: `read` — `GET /things/{id}`\n\n**Output:** the `thing`\n\n**Behavior:**\n1. Finds the `thing` where `id == input.id`, or fails with `404 gone`.\n2. Returns the `thing`.\n";

#[test]
fn the_example_has_no_finding_even_when_strict() {
    let checked = formwork(&["check", "--strict", &example()]);
    assert_eq!(checked.code, 0, "{}{}", checked.output, checked.errors);
}

#[test]
fn the_house_is_described_in_its_own_form() {
    let architecture = concat!(env!("CARGO_MANIFEST_DIR"), "/../../ARCHITECTURE.md");
    let checked = formwork(&["check", "--strict", architecture]);
    assert_eq!(checked.code, 0, "{}{}", checked.output, checked.errors);
}

#[test]
fn an_error_is_exit_code_1_with_its_place() {
    let checked = formwork_with_input(&["check", "-"], WRONG.as_bytes());
    assert_eq!(checked.code, 1, "{}", checked.output);
    assert!(checked.output.contains("error[FW"), "{}", checked.output);
    assert!(checked.output.contains("thing"), "{}", checked.output);
}

#[test]
fn json_has_the_shape_that_editors_hold_on_to() {
    let checked = formwork_with_input(&["check", "--format", "json", "--coverage", "-"], WRONG.as_bytes());
    let report: Value = serde_json::from_str(&checked.output).expect("JSON");
    assert_eq!(report["version"], 1);
    let file = &report["files"][0];
    assert_eq!(file["path"], "-");
    assert!(file["classes"].is_array() && file["coverage"]["understood"].is_u64());
    let errors: Vec<&Value> = file["diagnostics"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|finding| finding["severity"] == "error")
        .collect();
    assert!(!errors.is_empty());
    for finding in errors {
        assert!(finding["code"].as_str().is_some_and(|code| code.starts_with("FW")));
        assert!(finding["span"]["start"]["line"].as_u64().is_some_and(|line| line >= 1));
        assert!(finding["span"]["end"]["offset"].is_u64());
    }
}

#[test]
fn warnings_fail_only_when_strict() {
    let unfinished = "# Half\n\n## 1) Goals / Non-Goals\n\n### Goals\n- TBD\n";
    assert_eq!(formwork_with_input(&["check", "-"], unfinished.as_bytes()).code, 0);
    assert_eq!(formwork_with_input(&["check", "--strict", "-"], unfinished.as_bytes()).code, 1);
}

#[test]
fn several_documents_are_checked_and_the_worst_one_decides() {
    let folder = tempfile::tempdir().expect("a folder");
    let wrong = folder.path().join("wrong.md");
    std::fs::write(&wrong, WRONG).expect("writable");
    let checked = formwork(&["check", &example(), wrong.to_str().expect("UTF-8")]);
    assert_eq!(checked.code, 1);
    assert!(checked.output.contains("wrong.md:"), "{}", checked.output);
}

#[test]
fn an_unreadable_file_is_one_line_and_exit_code_2() {
    let checked = formwork(&["check", "/does/not/exist.md"]);
    assert_eq!((checked.code, checked.output.as_str()), (2, ""));
    assert_eq!(checked.errors.lines().count(), 1, "{}", checked.errors);
    assert!(checked.errors.contains("/does/not/exist.md"), "{}", checked.errors);
}

#[test]
fn an_unreadable_file_does_not_hide_the_findings_of_the_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let wrong = folder.path().join("wrong.md");
    std::fs::write(&wrong, WRONG).expect("writable");
    let checked = formwork(&["check", "/does/not/exist.md", wrong.to_str().expect("UTF-8")]);
    assert_eq!(checked.code, 2);
    assert!(checked.output.contains("error[FW"));
}

#[test]
fn a_directory_is_refused_by_name() {
    let checked = formwork(&["check", "/"]);
    assert_eq!(checked.code, 2);
    assert_eq!(checked.errors, "error: / is a directory, not a document\n");
}

#[test]
fn invalid_utf8_is_refused_with_its_offset() {
    let checked = formwork_with_input(&["check", "-"], b"# T\n\nab\xffcd");
    assert_eq!(checked.code, 2);
    assert_eq!(checked.errors, "error: - is not UTF-8: invalid byte at offset 7 (line 3)\n");
}

#[test]
fn a_file_of_200_mb_is_refused_without_being_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let large = folder.path().join("large.md");
    // Sparse: takes no room on disk.
    std::fs::File::create(&large).expect("writable").set_len(200_000_000).expect("sparse");
    let checked = formwork(&["check", large.to_str().expect("UTF-8")]);
    assert_eq!(checked.code, 2);
    assert!(checked.errors.contains("larger than 128 MiB"), "{}", checked.errors);
    assert_eq!(checked.errors.lines().count(), 1);
}

#[test]
fn any_bytes_end_in_findings_or_one_line() {
    let alphabet = b"#*`|-: \n\t[](){}\"\\/<>&x0\xc3\xa4";
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    for length in [0, 1, 2, 3, 17, 255, 4096, 65_536] {
        let bytes: Vec<u8> = (0..length)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                alphabet[(state >> 32) as usize % alphabet.len()]
            })
            .collect();
        let checked = formwork_with_input(&["check", "-"], &bytes);
        assert!((0..=2).contains(&checked.code), "{length}: {checked:?}");
        assert!(!checked.errors.contains("panicked"), "{}", checked.errors);
    }
}

#[test]
fn colour_is_never_written_to_a_pipe() {
    let checked = formwork_with_input(&["check", "-"], WRONG.as_bytes());
    assert!(!checked.output.contains('\u{1b}') && !checked.errors.contains('\u{1b}'));
}

#[test]
fn every_code_that_is_shown_can_be_explained() {
    let checked = formwork_with_input(&["check", "-"], WRONG.as_bytes());
    let start = checked.output.find("[FW").expect("a code") + 1;
    let code = &checked.output[start..start + 6];
    let explained = formwork(&["explain", code]);
    assert_eq!(explained.code, 0);
    assert!(explained.output.contains(code), "{}", explained.output);
    let unknown = formwork(&["explain", "FW0000"]);
    assert_eq!((unknown.code, unknown.output.as_str()), (2, ""));
}

#[test]
fn the_model_is_exported_even_of_a_document_with_errors() {
    let exported = formwork_with_input(&["export", "model", "-"], WRONG.as_bytes());
    assert_eq!(exported.code, 0, "{}", exported.errors);
    let model: Value = serde_json::from_str(&exported.output).expect("JSON");
    assert_eq!(model["version"], 1);
    assert_eq!(model["operations"][0]["name"], "read");
    assert_eq!(model["operations"][0]["path"], "/things/{id}");
}

#[test]
fn the_exported_model_of_the_example_has_its_facts() {
    let exported = formwork(&["export", "model", &example()]);
    let model: Value = serde_json::from_str(&exported.output).expect("JSON");
    let names = |of: &str| -> Vec<String> {
        let all = model[of].as_array().expect("a list").iter();
        all.map(|one| one["name"].as_str().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(names("entities"), ["link", "visit"]);
    assert_eq!(
        names("operations"),
        ["create_link", "list_links", "get_link", "retarget_link", "delete_link", "follow_link"]
    );
    assert_eq!(names("events"), ["link.created", "link.retargeted", "link.visited"]);
    assert_eq!(names("components").len(), 4);
    assert_eq!(names("flows").len(), 4);
}

#[test]
fn every_command_has_help_with_an_example() {
    let commands = [
        vec!["check"],
        vec!["explain"],
        vec!["export"],
        vec!["run"],
        vec!["test"],
        vec!["keys"],
        vec!["keys", "create"],
        vec!["keys", "list"],
        vec!["keys", "revoke"],
    ];
    for mut command in commands {
        command.push("--help");
        let helped = formwork(&command);
        assert_eq!(helped.code, 0);
        assert!(helped.output.contains("Example:\n  formwork "), "{command:?}: {}", helped.output);
    }
}

#[test]
fn wrong_usage_is_exit_code_2() {
    for wrong in
        [vec![], vec!["check"], vec!["check", "--colour", "x.md"], vec!["paint"], vec!["export", "png", "-"]]
    {
        assert_eq!(formwork(&wrong).code, 2, "{wrong:?}");
    }
}

#[test]
fn reports_for_other_programs_keep_the_exit_code() {
    let sarif = formwork_with_input(&["check", "--format", "sarif", "-"], WRONG.as_bytes());
    let log: Value = serde_json::from_str(&sarif.output).expect("JSON");
    assert_eq!((sarif.code, log["version"].as_str()), (1, Some("2.1.0")));
    let github = formwork_with_input(&["check", "--format", "github", "-"], WRONG.as_bytes());
    assert_eq!(github.code, 1);
    assert!(github.output.lines().any(|line| line.starts_with("::error file=-,line=")), "{}", github.output);
}

#[test]
fn old_findings_are_written_once_and_only_new_ones_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let baseline = folder.path().join("old.json");
    let baseline = baseline.to_str().expect("UTF-8");
    let written = formwork_with_input(&["check", "--write-baseline", baseline, "-"], WRONG.as_bytes());
    assert_eq!(written.code, 0, "{}", written.errors);
    let again = formwork_with_input(&["check", "--strict", "--baseline", baseline, "-"], WRONG.as_bytes());
    assert_eq!(again.code, 0, "{}{}", again.output, again.errors);
    assert!(again.output.contains("no findings"), "{}", again.output);
    let more = format!("{WRONG}\n## 1) Goals / Non-Goals\n\n### Goals\n- TBD\n");
    let told = formwork_with_input(&["check", "--strict", "--baseline", baseline, "-"], more.as_bytes());
    assert_eq!(told.code, 1);
    assert!(told.output.contains("FW1601"), "{}", told.output);
    let missing = formwork_with_input(&["check", "--baseline", "/no/such/file", "-"], WRONG.as_bytes());
    assert_eq!(missing.code, 2);
    assert!(missing.errors.contains("cannot read the baseline"), "{}", missing.errors);
}

#[test]
fn allowances_are_listed_with_their_reasons() {
    let text = "<!-- formwork: allow FW0601 it comes later -->\n\n# Odd\n";
    let listed = formwork_with_input(&["check", "--suppressions", "-"], text.as_bytes());
    assert_eq!(listed.code, 0);
    assert!(listed.output.contains("-:1    FW0601  0        it comes later"), "{}", listed.output);
}

#[test]
fn coverage_is_told_by_section() {
    let told = formwork(&["check", "--coverage", &example()]);
    let line =
        told.output.lines().find(|line| line.starts_with("6) Data Model")).expect("the section is there");
    assert!(line.split_whitespace().any(|word| word.parse::<u32>().is_ok_and(|number| number > 5)), "{line}");
}

#[test]
fn another_form_may_be_given() {
    let folder = tempfile::tempdir().expect("a folder");
    let form = folder.path().join("form.md");
    std::fs::write(&form, "# [Title]\n\n## Context\n[Why?]\n\n## Decision\n[What?]\n").expect("written");
    let form = form.to_str().expect("UTF-8");
    let told = formwork_with_input(&["check", "--form", form, "-"], b"# A\n\n## Context\n\nBecause.\n");
    assert!(told.output.contains("the section `Decision` is missing"), "{}", told.output);
}
