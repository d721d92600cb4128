//! What once broke a promise breaks none today, a short run of new documents neither, and the work of the front end
//! grows as the document does.

use formwork_check::analyse;
use formwork_fuzz::{Documents, Random, promises, seeds};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

fn repository() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn documents_that_failed_before_keep_every_promise() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("crashes");
    let mut replayed = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "md") {
            let text = std::fs::read_to_string(&path).unwrap();
            assert_eq!(promises(&text), Ok(()), "{}", path.display());
            replayed += 1;
        }
    }
    assert!(replayed > 0);
}

#[test]
fn a_few_broken_documents_keep_every_promise() {
    let documents = Documents::new(seeds(&repository()).unwrap().into_iter().map(|(_, text)| text).collect());
    let mut random = Random::new(1);
    for _ in 0..60 {
        let text = documents.next(&mut random);
        assert_eq!(promises(&text), Ok(()), "{text}");
    }
}

/// The least of several times, because others use the machine too.
fn time(text: &str) -> Duration {
    let source: Arc<str> = text.into();
    let one = || {
        let begin = Instant::now();
        let analysis = analyse(source.clone());
        let time = begin.elapsed();
        drop(analysis);
        time
    };
    (0..4).map(|_| one()).fold(Duration::MAX, Duration::min)
}

/// Four times the text may take at most eight times as long; the square would take sixteen times.
fn grows_with_its_length(name: &str, make: impl Fn(usize) -> String) {
    let (small, large) = (make(1), make(4));
    let ratio = || time(&large).as_secs_f64() / time(&small).as_secs_f64().max(0.001);
    let ratios: Vec<f64> = (0..3).map(|_| ratio()).collect();
    let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
    assert!(least < 8.0, "{name}: {ratios:?}");
}

#[test]
fn the_time_of_a_valid_document_grows_with_its_length() {
    grows_with_its_length("teams", |times| bench_front_end::document(40 * times));
}

#[test]
fn the_time_of_a_document_full_of_faults_grows_with_its_length() {
    let example = std::fs::read_to_string(repository().join("examples/shortlink.md")).unwrap();
    grows_with_its_length("the example, repeated", |times| example.repeat(20 * times));
}

#[test]
fn the_time_of_many_unknown_names_grows_with_their_number() {
    grows_with_its_length("unknown names", |times| {
        let grants: String =
            (0..400 * times).map(|number| format!("- `role{number}`: `do_thing_{number}`\n")).collect();
        let entities: String = (0..300 * times)
            .map(|number| {
                format!(
                    "### Entity: `thing{number}`\n\n**Fields:**\n- `id` (thign{number}) | x | required\n\n"
                )
            })
            .collect();
        format!("## 6) Data Model\n\n{entities}\n## 9) Security\n\n### Authorization (AuthZ)\n{grants}")
    });
}
