//! FW1201: a load scenario whose shares are more than the whole.

use crate::catalogue::Entry;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::names;
use crate::words::quoted;
use formwork_model::names::nearest;
use formwork_syntax::Span;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW1201",
    severity: Severity::Warning,
    title: "a load mix over the whole",
    page: include_str!("../pages/FW1201.md"),
    rule: Some(rule),
};

/// Finds it, and operations of the mix that do not exist.
fn rule(cx: &Context<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for scenario in &cx.model.testing.load {
        let mix = mix(scenario.span.slice(cx.source), scenario.span.start);
        if mix.len() < 2 {
            continue;
        }
        let total: f64 = mix.iter().map(|share| share.percent).sum();
        if total > 100.000_1 {
            let place = mix[0].span.to(mix[mix.len() - 1].span);
            let message = format!("the shares of `{}` requests add up to {total} %", mix.len());
            found.push(ENTRY.at(place, message).help("shares of one mix are at most 100 % together"));
        }
        for share in mix.iter().filter(|share| !cx.lexicon.knows(share.name) && !share.name.contains(' ')) {
            let message = format!("there is no operation {}", quoted(share.name));
            let near = nearest(share.name, names::operations(cx));
            found.push(ENTRY.at(share.span, message).nearest(
                cx,
                share.name,
                near,
                "name an operation of section 4 or 5",
            ));
        }
    }
    found
}

/// ``80% `get_link` ``
struct Share<'a> {
    percent: f64,
    name: &'a str,
    span: Span,
}

/// Every percentage with a name in code right behind it.
fn mix(text: &str, base: u32) -> Vec<Share<'_>> {
    let mut found = Vec::new();
    let mut pieces = text.split('`');
    let mut before = pieces.next().unwrap_or_default();
    let mut at = before.len();
    while let (Some(name), Some(next)) = (pieces.next(), pieces.next()) {
        let start = base + at as u32 + 1;
        let digits = before.trim_end().strip_suffix('%').map(str::trim_end);
        let number =
            digits.map(|digits| digits.rsplit(|it: char| !(it.is_ascii_digit() || it == '.')).next());
        if let Some(percent) = number.flatten().and_then(|number| number.parse().ok()) {
            found.push(Share { percent, name, span: Span::new(start, start + name.len() as u32) });
        }
        at += name.len() + next.len() + 2;
        before = next;
    }
    found
}
