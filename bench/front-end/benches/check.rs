//! `check` of documents from 10 kB to 10 MB: bytes per second must not depend on the size. Run with
//! `cargo bench -p bench-front-end`; `FRONT_END_LARGEST` gives another largest size, in bytes.

use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use formwork_check::{CheckedFile, analyse, render_json, render_text};
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

/// The allocator of the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The example of the repository.
const SHORTLINK: &str = include_str!("../../../examples/shortlink.md");

fn largest() -> usize {
    std::env::var("FRONT_END_LARGEST").ok().and_then(|bytes| bytes.parse().ok()).unwrap_or(10_000_000)
}

fn check(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("check");
    group.sampling_mode(SamplingMode::Flat).sample_size(10).measurement_time(Duration::from_secs(5));
    let mut documents: Vec<(&str, Arc<str>)> = vec![("example", SHORTLINK.into())];
    let sizes = [10_000, 100_000, 1_000_000, 10_000_000, 100_000_000].into_iter();
    for bytes in sizes.filter(|bytes| *bytes <= largest()) {
        documents.push(("teams", bench_front_end::document_of(bytes).into()));
    }
    documents.push(("example repeated", SHORTLINK.repeat(1_000_000 / SHORTLINK.len()).into()));
    for (name, source) in documents {
        group.throughput(Throughput::Bytes(source.len() as u64));
        group.bench_with_input(BenchmarkId::new(name, source.len()), &source, |bencher, source| {
            bencher.iter(|| analyse(black_box(source.clone())));
        });
    }
    group.finish();
}

fn render(criterion: &mut Criterion) {
    let source: Arc<str> = SHORTLINK.repeat(1_000_000 / SHORTLINK.len()).into();
    let analysis = analyse(source.clone());
    let files = [CheckedFile { path: "repeated.md", analysis: &analysis }];
    let mut group = criterion.benchmark_group("render");
    group.sample_size(10).throughput(Throughput::Bytes(source.len() as u64));
    group.bench_function("text", |bencher| bencher.iter(|| render_text(black_box(&files), false)));
    group.bench_function("json", |bencher| bencher.iter(|| render_json(black_box(&files), true)));
    group.finish();
}

criterion_group!(benches, check, render);
criterion_main!(benches);
