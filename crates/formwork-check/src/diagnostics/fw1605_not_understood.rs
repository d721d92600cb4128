//! FW1605: an item of a formal list that has no shape that is known there.

use crate::catalogue::Entry;
use crate::context::{Context, Place};
use crate::corrections;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::excerpt;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW1605",
    severity: Severity::Warning,
    title: "an item that is not understood",
    page: include_str!("../pages/FW1605.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(cx: &Context<'_>, place: &Place, expected: &str) -> Diagnostic {
    ENTRY
        .at(place.span, format!("{} is not understood as {expected}", excerpt(cx.source, place.span)))
        .help(notation(expected))
        .mended_by(corrections::of_label(cx.source, place.span, labels(expected)))
}

/// The labels that may stand before an item of this kind.
fn labels(expected: &str) -> &'static [&'static str] {
    match expected {
        "what, TTL or invalidation" => &["What", "TTL", "Invalidation"],
        _ => &[],
    }
}

/// How a thing of this kind is written.
fn notation(expected: &str) -> String {
    let form = match expected {
        "field" => "- `name` (type) | description | constraints",
        "SLO" => "- `metric` ≤ 50 ms (p99)",
        "grant" => "- `role`: `operation`, `operation`",
        "limit" => "- `operation`: 60 requests per minute per caller",
        "event" => "- `event.name`: when …; data `id`",
        "metric" => "- `name`: counter of …",
        "relationship" => "a `link` has many `visit` through `visit.link_id`",
        "index" => "unique (`slug`); index (`owner_id`, `created_at` desc)",
        "trace" => "- `operation` → `step` → `result`",
        "cache layer" => "**Layer:** name, with **What:**, **TTL:** and **Invalidation:** below",
        "what, TTL or invalidation" => {
            "**What:** responses of `operation`; **TTL:** 60 s; **Invalidation:** on …"
        }
        "primary key, unique or index" => "primary key `id`; unique (`slug`); index (`owner_id`)",
        "operation" => "#### Operation: `name` — `POST /path`",
        "method and path" => "`POST /path`",
        "error" => "- `409 code`: when it is answered",
        "budget" => "- budget 5 USD per caller per month",
        _ => return format!("the language reference shows how {expected} is written"),
    };
    format!("it is written so: {form}")
}
