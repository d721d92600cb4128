//! The benchmark's own promise: a quick run ends with every row, no failed request, and both servers probed.

use std::path::PathBuf;
use std::process::Command;

const WORKLOADS: [&str; 3] = ["reads", "durable writes", "80/20 mix"];

fn work_folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("the build folder can be written");
    folder
}

fn cells(line: &str) -> Vec<&str> {
    line.trim_matches('|').split('|').map(str::trim).collect()
}

#[test]
fn a_quick_run_reports_every_row_and_writes_it_into_the_readme() {
    let work = work_folder("quick");
    let readme = work.join("README.md");
    std::fs::write(&readme, "Before.\n<!-- results -->\n<!-- /results -->\nAfter.\n").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_bench-load"))
        .args(["compare", "--quick", "--preload", "100", "--closed", "0.05", "--open", "0.05", "--work"])
        .arg(&work)
        .arg("--write")
        .arg(&readme)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let text = String::from_utf8(output.stdout).unwrap();

    for workload in WORKLOADS {
        for connections in ["1", "16", "64"] {
            let start = format!("| {workload} | {connections} |");
            let rows: Vec<_> = text.lines().filter(|line| line.starts_with(&start)).map(cells).collect();
            let [closed, half, most] = &rows[..] else { panic!("{start} has {} rows:\n{text}", rows.len()) };
            assert_eq!(closed.len(), 10);
            for throughput in &closed[2..4] {
                assert!(throughput.parse::<f64>().unwrap() > 0.0, "{closed:?}");
            }
            assert_eq!((half[2], most[2]), ("50 %", "80 %"));
            for row in [half, most] {
                assert_eq!(row.len(), 16);
                for latency in &row[4..10] {
                    assert!(latency.parse::<f64>().unwrap() > 0.0, "{row:?}");
                }
            }
        }
    }
    for fact in
        ["**Date:**", "**Machine:**", "**Versions:**", "**Command:**", "**Disk:**", "**Failed requests:** 0"]
    {
        assert!(text.contains(fact), "{fact} is missing in\n{text}");
    }
    let written = std::fs::read_to_string(&readme).unwrap();
    assert_eq!(
        written,
        format!("Before.\n<!-- results -->\n{}\n<!-- /results -->\nAfter.\n", text.trim_end())
    );
    assert_eq!(said.matches("probing").count(), 2, "{said}");
    std::fs::remove_dir_all(work).unwrap();
}

#[test]
fn a_server_that_does_not_start_is_reported_with_its_own_words() {
    let work = work_folder("no-start");
    let output = Command::new(env!("CARGO_BIN_EXE_bench-load"))
        .args(["compare", "--quick", "--formwork", "/bin/ls", "--work"])
        .arg(&work)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(said.contains("formwork did not start; it said:"), "{said}");
    std::fs::remove_dir_all(work).unwrap();
}

/// The benchmark's document is the example without the lines that no hand-written service enforces.
#[test]
fn the_benchmark_document_is_the_example_with_lines_taken_out() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let example = std::fs::read_to_string(root.join("examples/shortlink.md")).unwrap();
    let copy = std::fs::read_to_string(root.join("bench/shortlink-bench.md")).unwrap();
    let mut kept = copy.lines().peekable();
    let mut taken_out = Vec::new();
    for line in example.lines() {
        if kept.next_if_eq(&line).is_none() && !line.is_empty() {
            taken_out.push(line);
        }
    }
    assert_eq!(kept.next(), None, "the copy says something that the example does not");
    let expected = [
        "### Caching Strategy",
        "**Layer:** Link cache (in memory)",
        "- **What:** responses of `get_link`",
        "- **TTL:** 60 s",
        "- **Invalidation:** on a write to `link`",
        "### Quotas & Rate Limits",
        "- `create_link`: 60 requests per minute per caller, burst 10",
        "- at most 10,000 `link` per `owner_id`",
        "### Audit Trail",
        "- every write to `link`: who, when, before and after; kept 400 d",
        "### Cost Controls",
        "- each `create_link` costs `0.0001` USD",
        "- budget 5 USD per caller per month, alert at 80%, refuse with `402 budget_exhausted` at 100%",
    ];
    assert_eq!(taken_out, expected);
}
