//! FW0804: an SLO that allows more than a goal or the summary promises.

use crate::catalogue::Entry;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::prose::{self, Dimension, Quantity, Sentence};
use crate::words;
use formwork_model::sections::performance::Slo;
use formwork_syntax::Span;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0804",
    severity: Severity::Warning,
    title: "an SLO that is weaker than a promise",
    page: include_str!("../pages/FW0804.md"),
    rule: Some(rule),
};

/// Words of a metric's name that say how it is measured, not what of.
const HOW: [&str; 22] = [
    "latency",
    "time",
    "duration",
    "response",
    "delay",
    "availability",
    "uptime",
    "ratio",
    "rate",
    "second",
    "ms",
    "p50",
    "p90",
    "p95",
    "p99",
    "median",
    "percentile",
    "api",
    "of",
    "for",
    "the",
    "per",
];

/// As many promises and targets are held against each other; no document that people read has more.
const MOST: usize = 200;

/// A promise of sections 0 or 1 that a number can break.
struct Promise<'a> {
    sentence: Sentence<'a>,
    stems: Vec<String>,
    quantity: Quantity,
    percentile: Option<f64>,
}

/// An SLO as numbers.
struct Target<'a> {
    slo: &'a Slo,
    subject: Vec<String>,
    is_availability: bool,
    value: f64,
    dimension: Dimension,
    percentile: Option<f64>,
}

/// Finds it.
fn rule(cx: &Context<'_>) -> Vec<Diagnostic> {
    let places = cx.model.goals.iter().chain(&cx.model.summary).map(|prose| prose.span);
    let promises: Vec<Promise<'_>> = places.flat_map(|place| promises(cx.source, place)).take(MOST).collect();
    let targets: Vec<Target<'_>> = cx.model.slos.iter().filter_map(target).take(MOST).collect();
    let mut found = Vec::new();
    for target in &targets {
        let broken: Vec<&Promise<'_>> = promises
            .iter()
            .filter(|promise| speaks_of(promise, target) && !holds(promise, target))
            // Another target of the same thing may keep the promise: the median beside the 99th percentile.
            .filter(|promise| !targets.iter().any(|other| speaks_of(promise, other) && holds(promise, other)))
            .collect();
        let Some(first) = broken.first() else { continue };
        let said = first.quantity.span.slice(cx.source);
        let metric = crate::words::quoted(&target.slo.metric.value);
        let mut diagnostic = ENTRY
            .at(target.slo.span, format!("the target of {metric} is weaker than what is promised: {said}"))
            .help("tighten the target, or promise less");
        for promise in broken {
            diagnostic = diagnostic.related(Some(promise.sentence.span), "promised here");
        }
        found.push(diagnostic);
    }
    found
}

fn promises(source: &str, place: Span) -> Vec<Promise<'_>> {
    let mut found = Vec::new();
    for sentence in prose::sentences(source, place) {
        let percentile = prose::percentile(sentence.text);
        for clause in clauses(sentence) {
            for quantity in prose::quantities(clause) {
                let is_bare = quantity.comparator.is_none() && quantity.dimension == Dimension::Time;
                if !is_bare {
                    found.push(Promise { sentence, stems: words::stems(clause.text), quantity, percentile });
                }
            }
        }
    }
    found
}

/// The parts between commas, so that each number keeps to what it is said of.
fn clauses(sentence: Sentence<'_>) -> Vec<Sentence<'_>> {
    let mut start = 0;
    let mut found = Vec::new();
    for piece in sentence.text.split_inclusive(", ") {
        let at = sentence.span.start + start as u32;
        found.push(Sentence { text: piece, span: Span::new(at, at + piece.len() as u32) });
        start += piece.len();
    }
    found
}

fn target(slo: &Slo) -> Option<Target<'_>> {
    let unit = slo.unit.as_deref()?;
    let (value, dimension) = prose::measure(&slo.value, unit)?;
    let mut stems = words::stems(&slo.metric.value);
    stems.extend(slo.operation.iter().flat_map(|name| words::stems(&name.value)));
    Some(Target {
        slo,
        is_availability: stems.iter().any(|stem| matches!(stem.as_str(), "availability" | "uptime")),
        subject: words::without(&stems, &HOW),
        value,
        dimension,
        percentile: slo.percentile.as_deref().and_then(prose::as_percentile),
    })
}

fn speaks_of(promise: &Promise<'_>, target: &Target<'_>) -> bool {
    let names = |stem: &String| promise.stems.contains(stem);
    let is_about = if target.dimension == Dimension::Percent {
        let of_availability =
            |stem: &String| matches!(stem.as_str(), "availability" | "uptime" | "available");
        target.is_availability && promise.stems.iter().any(of_availability)
    } else {
        !target.subject.is_empty()
    };
    // A promise without a percentile is not one about the slowest in a hundred.
    let of_same_share = match (promise.percentile, target.percentile) {
        (Some(promised), Some(targeted)) => targeted <= promised,
        (None, Some(targeted)) => targeted < 99.0,
        _ => true,
    };
    promise.quantity.dimension == target.dimension
        && is_about
        && of_same_share
        && target.subject.iter().all(names)
}

fn holds(promise: &Promise<'_>, target: &Target<'_>) -> bool {
    let is_upper = target.slo.comparator.starts_with('<') || target.slo.comparator == "=";
    let promised = promise.quantity.value;
    match promise.quantity.comparator {
        Some(sign) if sign.starts_with('<') => !is_upper || target.value <= promised,
        Some(sign) if sign.starts_with('>') => is_upper || target.value >= promised,
        // A bare percentage of availability is the least.
        None if target.dimension == Dimension::Percent => is_upper || target.value >= promised,
        _ => true,
    }
}
