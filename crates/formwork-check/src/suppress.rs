//! Reads `<!-- formwork: allow FW0601 reason -->` and takes away what it covers: the next block, or the whole part
//! that begins there. A reason is required; without one nothing is taken away. Source: language reference,
//! *Diagnostics*.

use crate::catalogue::{CATALOGUE, entry};
use crate::context::Context;
use crate::diagnostic::Diagnostic;
use crate::diagnostics::fw9007_idle_allowance;
use formwork_syntax::{Block, Node, Span};
use std::collections::BTreeMap;

/// A comment that allows a diagnostic.
pub(crate) struct Suppression<'a> {
    /// The code as written; may not exist.
    pub(crate) code: &'a str,
    /// Why, in the author's words; empty when none is given.
    pub(crate) reason: &'a str,
    /// The comment.
    pub(crate) span: Span,
    /// What it covers; absent when nothing follows.
    pub(crate) covers: Option<Span>,
}

/// Every comment that allows something, in the order of the text.
pub(crate) fn suppressions<'a>(cx: &Context<'a>) -> Vec<Suppression<'a>> {
    if !cx.source.contains("<!--") {
        return Vec::new();
    }
    let mut nodes = Vec::new();
    let mut comments = Vec::new();
    collect(&cx.document.root.children, &mut nodes, &mut comments);
    let mut found = Vec::new();
    for comment in comments {
        let next = nodes.partition_point(|node| node.start < comment.end);
        let covers = nodes.get(next).copied();
        for (code, reason) in allowed(comment.slice(cx.source)) {
            found.push(Suppression { code, reason, span: comment, covers });
        }
    }
    found
}

/// Leaves only what no comment with a reason allows, and returns how many findings each comment took away.
pub(crate) fn suppress(suppressions: &[Suppression<'_>], diagnostics: &mut Vec<Diagnostic>) -> Vec<usize> {
    let mut covered: BTreeMap<&'static str, Vec<(Span, usize)>> = BTreeMap::new();
    for (at, suppression) in suppressions.iter().enumerate().filter(|(_, it)| !it.reason.is_empty()) {
        if let (Some(entry), Some(span)) = (entry(suppression.code), suppression.covers) {
            covered.entry(entry.code).or_default().push((span, at));
        }
    }
    for spans in covered.values_mut() {
        // Nested ranges are kept as their outermost one, so that one look finds the range of a place.
        spans.sort_by_key(|(span, at)| (span.start, u32::MAX - span.end, *at));
        spans.dedup_by(|inner, outer| outer.0.contains(inner.0));
    }
    let mut taken = vec![0; suppressions.len()];
    diagnostics.retain(|diagnostic| {
        let Some(spans) = covered.get(diagnostic.code) else { return true };
        let after = spans.partition_point(|(span, _)| span.start <= diagnostic.span.start);
        let range = after.checked_sub(1).map(|at| spans[at]);
        let Some((_, at)) = range.filter(|(span, _)| span.contains(diagnostic.span)) else { return true };
        taken[at] += 1;
        false
    });
    debug_assert!(covered.keys().all(|code| CATALOGUE.iter().any(|entry| entry.code == *code)));
    taken
}

/// A comment of a document that allows a diagnostic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// The code as written; may not exist.
    pub code: String,
    /// Why, in the author's words; empty when none is given, and then nothing is allowed.
    pub reason: String,
    /// The comment.
    pub span: Span,
    /// How many findings it took away.
    pub allowed: usize,
}

/// The allowances, in the order of the text, and what is to be said of those that are idle.
pub(crate) fn judged(suppressions: &[Suppression<'_>], taken: &[usize]) -> (Vec<Allowance>, Vec<Diagnostic>) {
    let allowances = suppressions.iter().zip(taken).map(|(it, allowed)| Allowance {
        code: it.code.to_owned(),
        reason: it.reason.to_owned(),
        span: it.span,
        allowed: *allowed,
    });
    let idle = suppressions
        .iter()
        .zip(taken)
        .filter(|(it, allowed)| **allowed == 0 && !it.reason.is_empty() && entry(it.code).is_some());
    (allowances.collect(), idle.map(|(it, _)| fw9007_idle_allowance::found(it.span, it.code)).collect())
}

/// The nodes in document order, outer before inner, and the comments among them.
fn collect(children: &[Node], nodes: &mut Vec<Span>, comments: &mut Vec<Span>) {
    for child in children {
        match child {
            Node::Part(part) => {
                nodes.push(part.span);
                collect(&part.children, nodes, comments);
            }
            Node::Block(Block::Html(html)) if html.comment => comments.push(html.span),
            Node::Block(block) => {
                nodes.push(block.span());
                match block {
                    Block::Quote(quote) => collect(&quote.children, nodes, comments),
                    Block::List(list) => {
                        for item in &list.items {
                            nodes.push(item.span);
                            collect(&item.children, nodes, comments);
                        }
                    }
                    Block::Paragraph(_)
                    | Block::Table(_)
                    | Block::Fence(_)
                    | Block::Html(_)
                    | Block::Rule(_) => {}
                }
            }
        }
    }
}

/// The codes and reasons in a block of comments.
fn allowed(html: &str) -> impl Iterator<Item = (&str, &str)> {
    html.split("<!--").skip(1).filter_map(|comment| {
        let inside = comment.split("-->").next()?.trim();
        let rest = inside.strip_prefix("formwork:")?.trim_start().strip_prefix("allow")?;
        let rest = rest.strip_prefix(char::is_whitespace)?.trim();
        let (code, reason) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        Some((code, reason.trim().trim_start_matches([':', '-', '–', '—']).trim()))
    })
}
