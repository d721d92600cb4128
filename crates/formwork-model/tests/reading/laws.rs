//! What holds of every document, however broken.

use formwork_model::{Model, is_label, read};
use formwork_syntax::{Span, Spanned};
use proptest::prelude::*;
use std::time::{Duration, Instant};

/// Pieces of documents, which meet in any order.
const TOKENS: [&str; 70] = [
    "# ",
    "## 4) API\n",
    "## Data Model\n",
    "### Entity: `e`\n",
    "### `op` — `POST /x/:y`\n",
    "## 8) Performance\n",
    "### SLOs\n",
    "## Security\n",
    "### AuthZ\n",
    "### Quotas\n",
    "### Costs\n",
    "## Observability\n",
    "### Events\n",
    "### Metrics\n",
    "## Deployment\n",
    "### Recovery\n",
    "## Flows\n",
    "### Flow: f\n",
    "## Roadmap\n",
    "## Open Questions\n",
    "## Reference Interfaces\n",
    "## Overview\n",
    "## Components\n",
    "**Input:** ",
    "**Output:**\n",
    "**Behavior:**\n",
    "**Fields:**\n",
    "**Relationships:** ",
    "**Indexes/Keys:** ",
    "**Layer:** x\n",
    "- ",
    "1. ",
    "   ",
    "\n",
    "\n\n",
    "`",
    "`a`",
    "`a.b` ",
    "(string)",
    "(enum(a",
    ")",
    " | ",
    "|---|\n",
    "```\n",
    "```json\n{\"a\": \"uuid\"}\n```\n",
    "┌──┐\n│ä │\n└──┘\n",
    "──▶ x",
    "+--+",
    "v",
    "required, ",
    "default ",
    "≥ ",
    "10,000",
    "60 requests per minute",
    " per ",
    "p99",
    "over 30 d",
    "€5",
    "[x",
    "]",
    "TBD",
    "…",
    "\"",
    "“",
    "&amp;",
    "→",
    "belongs to ",
    "one of ",
    "1..",
    "\u{200d}é",
];

proptest! {
    #[test]
    fn reading_never_panics_and_places_lie_in_the_text(parts in prop::collection::vec(0..TOKENS.len(), 0..60)) {
        let source: String = parts.iter().map(|part| TOKENS[*part]).collect();
        let model = read_whole(&source);
        for span in places(&model) {
            prop_assert!(span.start <= span.end && source.get(span.range()).is_some(), "{span:?} in {source:?}");
        }
    }

    #[test]
    fn any_characters_are_read(source in "\\PC{0,200}") {
        read_whole(&source);
    }
}

fn read_whole(source: &str) -> Model {
    read(source, &formwork_syntax::parse(source, &is_label))
}

fn places(model: &Model) -> Vec<Span> {
    let mut found: Vec<Span> = model.notes.iter().map(|note| note.span).collect();
    found.extend(model.classes.iter().map(|(span, _)| *span));
    found.extend(model.unfinished.iter().map(|unfinished| unfinished.span));
    found.extend(model.relationships.iter().flat_map(|each| [each.from.span, each.to.span, each.span]));
    found.extend(model.slos.iter().flat_map(|slo| [slo.metric.span, slo.span]));
    for operation in model.operations.iter().chain(&model.endpoints) {
        found.push(operation.name.span);
        found.extend(operation.path.iter().map(|path| path.span));
        found.extend(operation.input.fields.iter().flat_map(|field| [field.name.span, field.span]));
    }
    for entity in &model.entities {
        found.extend(
            entity.fields.iter().flat_map(|field| &field.constraints).map(|constraint| constraint.span),
        );
        found.extend(entity.indexes.iter().flat_map(|index| &index.fields).map(|(name, _)| name.span));
    }
    if let Some(diagram) = &model.overview.diagram {
        found.extend(diagram.nodes.iter().map(|node| node.span));
        found.extend(diagram.edges.iter().map(|edge| edge.span));
    }
    found
}

#[test]
fn names_slice_to_themselves() {
    let source = include_str!("../../../../examples/shortlink.md");
    let model = read_whole(source);
    let mut names: Vec<&Spanned<String>> = Vec::new();
    for operation in model.operations.iter().chain(&model.endpoints) {
        names.push(&operation.name);
        names.extend(operation.method.iter().chain(&operation.path));
        names.extend(operation.input.fields.iter().map(|field| &field.name));
    }
    for entity in &model.entities {
        names.push(&entity.name);
        names.extend(entity.fields.iter().map(|field| &field.name));
        names.extend(entity.indexes.iter().flat_map(|index| &index.fields).map(|(name, _)| name));
    }
    names.extend(model.components.iter().map(|component| &component.name));
    names.extend(model.flows.iter().map(|flow| &flow.name));
    names.extend(model.metrics.iter().map(|metric| &metric.name));
    names.extend(model.events.iter().flat_map(|event| event.data.iter().chain([&event.name])));
    names.extend(
        model.relationships.iter().flat_map(|each| [&each.from, &each.to].into_iter().chain(&each.via)),
    );
    names.extend(
        model.authorization.grants.iter().flat_map(|grant| grant.operations.iter().chain([&grant.role])),
    );
    names.extend(model.slos.iter().flat_map(|slo| [&slo.metric].into_iter().chain(&slo.operation)));
    assert!(names.len() > 80, "{}", names.len());
    for name in names {
        assert_eq!(name.value, name.span.slice(source));
    }
    for field in model.entities.iter().flat_map(|entity| &entity.fields) {
        let ty = field.ty.as_ref().map(|ty| (ty.value.to_string(), ty.span.slice(source)));
        assert!(ty.is_some_and(|(shown, written)| shown == written), "{}", field.name.value);
    }
}

/// The time for which this thread has run, so that a busy machine does not look like a slow reader; where the system
/// does not tell, the time that has passed.
fn running_time(begun: Instant) -> Duration {
    let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = statistics.split(' ').next().and_then(|first| first.parse().ok());
    nanoseconds.map_or_else(|| begun.elapsed(), Duration::from_nanos)
}

#[test]
fn hostile_texts_are_read_within_seconds() {
    for piece in ["[", "“", "(", "+", "+-", "| ", "- `a` (", "**a:** ", "`x`, ", "1,", "\"", "per "] {
        let source =
            format!("## Data Model\n### Entity: `a`\n- `x` (string) | a | {}\n", piece.repeat(20_000));
        let begun = Instant::now();
        let before = running_time(begun);
        read_whole(&source);
        let drawn = format!("## Overview\n```\n{}\n```\n", piece.repeat(20_000));
        read_whole(&drawn);
        let taken = running_time(begun).saturating_sub(before);
        assert!(taken < Duration::from_secs(20), "{piece:?} took {taken:?}");
    }
}
