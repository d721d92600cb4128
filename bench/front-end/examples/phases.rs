//! `phases FILE`: reads and checks a document once, as `formwork check` does, and prints what each phase took: wall
//! time, and the memory that the process has come to hold. Builds without the server and the stores, so that a
//! change of the front end is measured within a minute; under `valgrind --tool=callgrind` it counts instructions.

use formwork_check::{CheckedFile, analyse, render_text};
use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

/// The allocator of the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::io::Result<()> {
    let path = std::env::args().nth(1).unwrap_or_default();
    let source: Arc<str> = std::fs::read_to_string(&path)?.into();
    let mut begin = Instant::now();
    let mut said = String::new();
    let mut lap = |name: &str| {
        let took = begin.elapsed();
        said.push_str(&format!("{name:<10}{:8.2} ms{:8} kB\n", took.as_secs_f64() * 1e3, resident()));
        begin = Instant::now();
    };
    lap("begin");
    if std::env::args().nth(2).is_some() {
        let document = formwork_syntax::parse(&source, &formwork_model::is_label);
        lap("syntax");
        let model = formwork_model::read(&source, &document);
        lap("model");
        let compiled = formwork_language::compile(&source, &model);
        lap("language");
        std::mem::forget((document, model, compiled));
    } else {
        let analysis = analyse(source);
        lap("check");
        let report = render_text(&[CheckedFile { path: &path, analysis: &analysis }], false);
        lap("render");
        std::io::stdout().write_all(report.as_bytes())?;
        std::mem::forget(analysis);
    }
    std::io::stderr().write_all(said.as_bytes())
}

/// Memory that the process holds, in kB, where the system tells.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}
