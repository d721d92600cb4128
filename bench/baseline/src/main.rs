//! The baseline service as a program of its own; prints `listening on http://ADDR` when it answers requests.

use clap::Parser;

/// Hand-written shortlink service: the bar for the benchmark
#[derive(Parser)]
#[command(after_help = "Example: bench-baseline --listen 127.0.0.1:8090 --data /tmp/links --key secret")]
struct Arguments {
    #[command(flatten)]
    options: bench_baseline::Options,
}

fn main() -> anyhow::Result<()> {
    bench_baseline::run(&Arguments::parse().options)
}
