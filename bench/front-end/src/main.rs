//! `front-end-document BYTES`: a valid document of that size on standard output, for measuring from outside.

use std::io::Write;

fn main() -> std::io::Result<()> {
    let bytes = std::env::args().nth(1).and_then(|argument| argument.parse().ok()).unwrap_or(1_000_000);
    std::io::stdout().lock().write_all(bench_front_end::document_of(bytes).as_bytes())
}
