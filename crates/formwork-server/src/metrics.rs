//! What is measured, and its text for Prometheus (exposition format 0.0.4).
//!
//! Source: conventions *Observability*: names with `_`, base units, cumulative buckets that end in `+Inf`; an SLO's
//! threshold is the exact bound of a bucket.

use formwork_language::program::{MetricShape, Operation, Program};
use formwork_model::sections::performance::Slo;
use parking_lot::Mutex;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The bounds of request durations in seconds (OpenTelemetry, `http.server.request.duration`).
const REQUEST_BOUNDS: &[f64] =
    &[0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

/// The bounds of commits, which are shorter.
const COMMIT_BOUNDS: &[f64] =
    &[0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0];

/// A histogram's counts.
#[derive(Clone, Debug)]
struct Histogram {
    /// One more than there are bounds; not cumulative.
    buckets: Vec<u64>,
    sum: f64,
    count: u64,
}

impl Histogram {
    fn new(bounds: &[f64]) -> Self {
        Self { buckets: vec![0; bounds.len() + 1], sum: 0.0, count: 0 }
    }

    fn record(&mut self, bounds: &[f64], value: f64) {
        let bucket = bounds.partition_point(|bound| *bound < value);
        if let Some(count) = self.buckets.get_mut(bucket) {
            *count += 1;
        }
        self.sum += value;
        self.count += 1;
    }
}

/// A request's labels besides its operation.
type Series = (&'static str, u16);

/// Everything that is measured.
#[derive(Debug)]
pub(crate) struct Metrics {
    request_bounds: Vec<f64>,
    operations: Vec<Labels>,
    /// By operation; the last is for requests that no operation serves.
    requests: Vec<Mutex<Vec<(Series, Histogram)>>>,
    commits: Mutex<Histogram>,
    declared: Vec<Declared>,
    deliveries: Deliveries,
    standing_failures: AtomicU64,
}

/// What became of deliveries to handlers.
#[derive(Debug, Default)]
struct Deliveries {
    delivered: AtomicU64,
    retried: AtomicU64,
    failed: AtomicU64,
}

#[derive(Debug)]
struct Labels {
    name: String,
    route: String,
}

#[derive(Debug)]
struct Declared {
    name: String,
    help: String,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    Counter(f64),
    Histogram(Histogram),
}

impl Deliveries {
    fn lines(&self, out: &mut String) {
        let counters = [
            ("formwork_deliveries_done_total", "What handlers were told and carried out.", &self.delivered),
            ("formwork_deliveries_retried_total", "Tries that failed and are repeated.", &self.retried),
            ("formwork_deliveries_failed_total", "Deliveries that are tried no more.", &self.failed),
        ];
        for (name, help, counter) in counters {
            family(out, name, "counter", help);
            let _ = writeln!(out, "{name} {}", counter.load(Ordering::Relaxed));
        }
    }
}

impl Metrics {
    /// Nothing measured yet.
    pub(crate) fn new(program: &Program, slos: &[Slo]) -> Self {
        let mut request_bounds = REQUEST_BOUNDS.to_vec();
        request_bounds.extend(slos.iter().filter_map(threshold_seconds));
        request_bounds.sort_by(f64::total_cmp);
        request_bounds.dedup();
        let declared = program.metrics.iter().map(Declared::new).collect();
        Self {
            operations: program.operations.iter().map(Labels::new).collect(),
            requests: (0..=program.operations.len()).map(|_| Mutex::default()).collect(),
            commits: Mutex::new(Histogram::new(COMMIT_BOUNDS)),
            request_bounds,
            declared,
            deliveries: Deliveries::default(),
            standing_failures: AtomicU64::new(0),
        }
    }

    /// A handler was told something.
    pub(crate) fn delivered(&self) {
        self.deliveries.delivered.fetch_add(1, Ordering::Relaxed);
    }

    /// A try to tell a handler something failed; `finally`: there is no further one.
    pub(crate) fn not_delivered(&self, finally: bool) {
        let counter = if finally { &self.deliveries.failed } else { &self.deliveries.retried };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// A run of a standing step has failed, or an element that is a transaction of its own.
    pub(crate) fn standing_failed(&self) {
        self.standing_failures.fetch_add(1, Ordering::Relaxed);
    }

    /// How often that was.
    pub(crate) fn standing_failures(&self) -> u64 {
        self.standing_failures.load(Ordering::Relaxed)
    }

    /// A request was answered; `operation` is absent when none serves it.
    pub(crate) fn request(&self, operation: Option<usize>, method: &str, status: u16, took: Duration) {
        let index = operation.unwrap_or(self.operations.len());
        let Some(series) = self.requests.get(index) else { return };
        let labels = (known_method(method), status);
        let mut series = series.lock();
        let position = series.iter().position(|(other, _)| *other == labels).unwrap_or_else(|| {
            series.push((labels, Histogram::new(&self.request_bounds)));
            series.len() - 1
        });
        series[position].1.record(&self.request_bounds, took.as_secs_f64());
    }

    /// A group was committed.
    pub(crate) fn commit(&self, took: Duration) {
        self.commits.lock().record(COMMIT_BOUNDS, took.as_secs_f64());
    }

    /// Steps counted and observed.
    pub(crate) fn steps(&self, counts: &[(u16, f64)], observations: &[(u16, f64)]) {
        for (metric, by) in counts {
            self.step(*metric, *by, true);
        }
        for (metric, value) in observations {
            self.step(*metric, *value, false);
        }
    }

    fn step(&self, metric: u16, value: f64, counted: bool) {
        let Some(declared) = self.declared.get(usize::from(metric)) else { return };
        match (&mut *declared.state.lock(), counted) {
            // A counter only grows.
            (State::Counter(total), true) if value >= 0.0 => *total += value,
            (State::Histogram(histogram), false) if value.is_finite() => {
                histogram.record(REQUEST_BOUNDS, value)
            }
            _ => {}
        }
    }

    /// The value of a declared metric: a counter's total, or how often a histogram was filled.
    pub(crate) fn value(&self, metric: usize) -> Option<f64> {
        self.declared.get(metric).map(|declared| match &*declared.state.lock() {
            State::Counter(total) => *total,
            State::Histogram(histogram) => histogram.count as f64,
        })
    }

    /// The text.
    pub(crate) fn text(&self) -> String {
        let mut out = String::with_capacity(4096);
        let name = "http_server_request_duration_seconds";
        family(&mut out, name, "histogram", "Duration of HTTP requests.");
        for (index, series) in self.requests.iter().enumerate() {
            let (operation, route) =
                self.operations.get(index).map_or(("", ""), |labels| (&labels.name, &labels.route));
            for ((method, status), histogram) in series.lock().iter() {
                let labels = format!(
                    "operation=\"{}\",http_request_method=\"{method}\",http_route=\"{}\",http_response_status_code=\"{status}\"",
                    escaped(operation),
                    escaped(route),
                );
                histogram_lines(&mut out, name, &labels, &self.request_bounds, histogram);
            }
        }
        let name = "formwork_store_commit_duration_seconds";
        family(&mut out, name, "histogram", "Duration of commits, flush included.");
        histogram_lines(&mut out, name, "", COMMIT_BOUNDS, &self.commits.lock());
        self.deliveries.lines(&mut out);
        let help = "Runs of standing steps that failed, and elements that are transactions of their own.";
        family(&mut out, "standing_failures_total", "counter", help);
        let _ = writeln!(out, "standing_failures_total {}", self.standing_failures());
        for declared in &self.declared {
            declared.lines(&mut out);
        }
        out
    }
}

impl Labels {
    fn new(operation: &Operation) -> Self {
        Self { name: operation.name.to_string(), route: crate::startup::route(operation) }
    }
}

impl Declared {
    fn new(shape: &MetricShape) -> Self {
        let mut name = prometheus_name(&shape.name);
        if !shape.histogram && !name.ends_with("_total") {
            name.push_str("_total");
        }
        let state = match shape.histogram {
            true => State::Histogram(Histogram::new(REQUEST_BOUNDS)),
            false => State::Counter(0.0),
        };
        let help = match shape.help.is_empty() {
            true => shape.name.to_string(),
            false => shape.help.to_string(),
        };
        Self { name, help, state: Mutex::new(state) }
    }

    fn lines(&self, out: &mut String) {
        match &*self.state.lock() {
            State::Counter(total) => {
                family(out, &self.name, "counter", &self.help);
                // Writing to a String cannot fail.
                let _ = writeln!(out, "{} {total}", self.name);
            }
            State::Histogram(histogram) => {
                family(out, &self.name, "histogram", &self.help);
                histogram_lines(out, &self.name, "", REQUEST_BOUNDS, histogram);
            }
        }
    }
}

fn family(out: &mut String, name: &str, kind: &str, help: &str) {
    let help = help.replace('\\', "\\\\").replace('\n', " ");
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn histogram_lines(out: &mut String, name: &str, labels: &str, bounds: &[f64], histogram: &Histogram) {
    let comma = if labels.is_empty() { "" } else { "," };
    let mut cumulative = 0;
    for (position, count) in histogram.buckets.iter().enumerate() {
        cumulative += count;
        let bound = bounds.get(position).map_or("+Inf".to_owned(), f64::to_string);
        let _ = writeln!(out, "{name}_bucket{{{labels}{comma}le=\"{bound}\"}} {cumulative}");
    }
    let braces = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
    let _ = writeln!(out, "{name}_sum{braces} {}\n{name}_count{braces} {}", histogram.sum, histogram.count);
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// `http.server.requests` to `http_server_requests`: only letters, digits, `_` and `:`, no digit first.
fn prometheus_name(name: &str) -> String {
    let fits = |character: char| character.is_ascii_alphanumeric() || character == ':';
    let mut text: String =
        name.chars().map(|character| if fits(character) { character } else { '_' }).collect();
    if text.is_empty() || text.starts_with(|first: char| first.is_ascii_digit()) {
        text.insert(0, '_');
    }
    text
}

/// A method as a label: a caller cannot make up more of them.
fn known_method(method: &str) -> &'static str {
    const KNOWN: &[&str] = &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"];
    KNOWN.iter().find(|known| **known == method).copied().unwrap_or("_OTHER")
}

/// The threshold of a latency objective.
fn threshold_seconds(slo: &Slo) -> Option<f64> {
    let value: f64 = slo.value.parse().ok()?;
    let seconds = match slo.unit.as_deref()? {
        "us" | "µs" => value / 1_000_000.0,
        "ms" => value / 1_000.0,
        "s" => value,
        _ => return None,
    };
    (seconds.is_finite() && seconds > 0.0).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_cumulative_and_ends_in_infinity() {
        let program = Program {
            metrics: vec![
                MetricShape { name: "links.created".into(), histogram: false, help: "Links made.".into() },
                MetricShape { name: "2_sizes".into(), histogram: true, help: "".into() },
            ],
            ..Program::default()
        };
        let metrics = Metrics::new(&program, &[]);
        metrics.request(None, "BREW", 404, Duration::from_millis(50));
        metrics.request(None, "GET", 404, Duration::from_secs(60));
        metrics.steps(&[(0, 1.0), (0, 2.0), (0, -5.0), (9, 1.0)], &[(1, 0.3)]);
        let text = metrics.text();
        let labels =
            r#"operation="",http_request_method="_OTHER",http_route="",http_response_status_code="404""#;
        let line = |bound: &str, count: u64| {
            format!("http_server_request_duration_seconds_bucket{{{labels},le=\"{bound}\"}} {count}\n")
        };
        assert!(text.contains(&line("0.025", 0)) && text.contains(&line("0.05", 1)), "{text}");
        assert!(text.contains(&line("+Inf", 1)));
        assert!(text.contains("# TYPE links_created_total counter\nlinks_created_total 3\n"));
        assert!(text.contains("_2_sizes_bucket{le=\"0.25\"} 0\n_2_sizes_bucket{le=\"0.5\"} 1\n"));
        assert!(text.contains("_2_sizes_count 1\n"));
    }
}
