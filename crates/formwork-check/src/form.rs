//! What the form asks for: its sections, the parts of each, and how many things its prompts want.
//!
//! Numbers are read from the prompts of the blank form (`List 4-6 …`), which stands beside this file; parts are
//! looked for in the model and, by their titles, in the document. Source: language reference, *Finding the places*.

use crate::context::Context;
use formwork_model::Section;
use formwork_syntax::{Block, Node, Part, Span};

/// The blank form.
const BLANK: &str = include_str!("blank-form.md");

/// The form that ships with Formwork, with its prompts in brackets.
pub fn blank_form() -> &'static str {
    BLANK
}

/// The sections, in the order of the form, with their titles.
pub(crate) const SECTIONS: [(Section, &str); 16] = [
    (Section::Summary, "0) Executive Summary"),
    (Section::Goals, "1) Goals / Non-Goals"),
    (Section::Overview, "2) System Overview"),
    (Section::Components, "3) Core Components"),
    (Section::Interface, "4) Primary Interface/API"),
    (Section::Internal, "5) Internal Service APIs"),
    (Section::DataModel, "6) Data Model"),
    (Section::Flows, "7) Canonical Flows"),
    (Section::Performance, "8) Performance, Caching & SLOs"),
    (Section::Security, "9) Security, Governance, Cost Controls"),
    (Section::Observability, "10) Observability"),
    (Section::Deployment, "11) Deployment & Release"),
    (Section::Testing, "12) Testing & Benchmarking"),
    (Section::References, "13) Reference Interfaces"),
    (Section::Roadmap, "14) Roadmap"),
    (Section::Questions, "15) Open Questions"),
];

/// Where the document's title stands; its beginning when it has none.
pub(crate) fn title_span(cx: &Context<'_>) -> Span {
    cx.model
        .title
        .as_ref()
        .map_or_else(|| Span::new(0, cx.source.lines().next().map_or(0, str::len) as u32), |title| title.span)
}

/// Another number of things than the form asks for.
pub(crate) struct Asked {
    /// What the form calls them.
    pub(crate) title: &'static str,
    /// Least and most.
    pub(crate) range: (u32, u32),
    /// How many there are.
    pub(crate) found: usize,
    /// The section's heading.
    pub(crate) span: Span,
}

impl Asked {
    /// What is counted, in the number found.
    pub(crate) fn unit(&self) -> &'static str {
        match (self.title, self.found) {
            ("Executive Summary", 1) => "paragraph",
            ("Executive Summary", _) => "paragraphs",
            ("Canonical Flows", 1) => "flow",
            ("Canonical Flows", _) => "flows",
            (_, 1) => "item",
            (_, _) => "items",
        }
    }
}

/// The lists and texts of the document that are longer or shorter than asked; empty ones are missing instead.
pub(crate) fn unusual_numbers(cx: &Context<'_>) -> Vec<Asked> {
    let model = cx.model;
    let counted = [
        (Section::Summary, "Executive Summary", model.summary.len(), None),
        (Section::Goals, "Goals", model.goals.len(), model.goals.first().map(|goal| goal.span)),
        (Section::Goals, "Non-Goals", model.non_goals.len(), model.non_goals.first().map(|goal| goal.span)),
        (Section::Flows, "Canonical Flows", model.flows.len(), None),
    ];
    let mut unusual = Vec::new();
    for (section, title, found, first) in counted {
        let heading = model.sections.iter().find(|(found, _)| *found == section).map(|(_, span)| *span);
        let (Some(range), Some(span)) = (asked_number(title), first.or(heading)) else { continue };
        if found > 0 && !(range.0 as usize..=range.1 as usize).contains(&found) {
            unusual.push(Asked { title, range, found, span });
        }
    }
    unusual
}

/// The `A-B` of the first prompt below a heading of the blank form.
fn asked_number(title: &str) -> Option<(u32, u32)> {
    let is_heading = |line: &str| line.starts_with('#');
    let mut lines =
        BLANK.lines().skip_while(|line| !is_heading(line) || !line.ends_with(&format!(" {title}")));
    lines.next()?;
    let prompts = lines.take_while(|line| !is_heading(line)).filter(|line| line.contains('['));
    prompts.flat_map(str::split_whitespace).find_map(|word| {
        let (least, most) = word.split_once('-')?;
        Some((least.parse().ok()?, most.parse().ok()?))
    })
}

/// What is missing where: the place, whose parts they are, and their labels.
pub(crate) type Missing = (Span, String, Vec<&'static str>);

/// The parts that the form asks for and the document lacks, one entry for each section or item.
pub(crate) fn missing_parts(cx: &Context<'_>) -> Vec<Missing> {
    let mut missing = Vec::new();
    for (section, heading) in &cx.model.sections {
        let lacking: Vec<&'static str> = section_parts(cx, *section)
            .into_iter()
            .filter(|part| part.is_missing && !has_label(cx, *heading, part.words))
            .map(|part| part.label)
            .collect();
        let title = SECTIONS.iter().find(|(known, _)| known == section).map_or("", |(_, title)| title);
        let name = title.split_once(") ").map_or(title, |(_, name)| name);
        missing.push((*heading, name.to_owned(), lacking));
    }
    missing.extend(items(cx));
    missing.retain(|(_, _, parts)| !parts.is_empty());
    missing
}

/// A part of a section.
struct Wanted {
    label: &'static str,
    is_missing: bool,
    /// Words by which its label is known, in lower case.
    words: &'static [&'static str],
}

fn section_parts(cx: &Context<'_>, section: Section) -> Vec<Wanted> {
    let model = cx.model;
    let part = |label, is_missing, words| Wanted { label, is_missing, words };
    match section {
        Section::Goals => vec![
            part("Goals", model.goals.is_empty(), &["objective"]),
            part("Non-Goals", model.non_goals.is_empty(), &["non-goal", "scope"]),
        ],
        Section::Performance => vec![
            part("SLO Targets", model.slos.is_empty(), &["slo", "service level", "target"]),
            part("Caching Strategy", model.caches.is_empty(), &["cach"]),
            part("Optimization Strategies", model.optimizations.is_empty(), &["optimi"]),
        ],
        Section::Security => vec![
            part("Authentication", model.authentication.is_empty(), &["authn", "authentication"]),
            part(
                "Authorization",
                model.authorization.span.is_none(),
                &["authz", "authorization", "permission"],
            ),
            part("Quotas & Rate Limits", model.limits.is_empty(), &["quota", "limit"]),
            part("Audit Trail", model.audit.is_empty(), &["audit"]),
            part("Cost Controls", model.budgets.is_empty(), &["cost", "budget"]),
        ],
        Section::Observability => vec![
            part("Metrics", model.metrics.is_empty(), &["metric"]),
            part("Tracing", model.traces.is_empty(), &["trac"]),
            part("Events", model.events.is_empty(), &["event"]),
        ],
        Section::Deployment => vec![
            part(
                "Deployment Architecture",
                model.deployment.statements.is_empty(),
                &["architecture", "topology"],
            ),
            part("Release Process", model.release.statements.is_empty(), &["process", "rollout"]),
            part("Disaster Recovery", model.recovery.statements.is_empty(), &["recovery", "backup"]),
        ],
        Section::Testing => vec![
            part("Unit/Integration Tests", model.testing.unit.is_empty(), &["unit", "integration"]),
            part("Quality Benchmarks", model.testing.quality.is_empty(), &["quality"]),
            part("Resilience Testing", model.testing.resilience.is_empty(), &["resilience", "chaos"]),
            part("Performance/Load Testing", model.testing.load.is_empty(), &["performance", "load"]),
        ],
        Section::Components => vec![part("Component", model.components.is_empty(), &[])],
        Section::Interface => vec![part("Operation", model.operations.is_empty(), &[])],
        Section::DataModel => vec![part("Entity", model.entities.is_empty(), &[])],
        Section::Flows => vec![part("Flow", model.flows.is_empty(), &[])],
        // Their content is prose, or may be none: an empty one is found as unfinished.
        Section::Summary
        | Section::Overview
        | Section::Internal
        | Section::References
        | Section::Roadmap
        | Section::Questions => Vec::new(),
    }
}

/// Whether a label below a section's heading holds one of the words: then it is there, and its content is prose.
fn has_label(cx: &Context<'_>, heading: Span, words: &[&str]) -> bool {
    part_at(&cx.document.root, heading).is_some_and(|part| labels(cx, &part.children, words))
}

fn part_at(part: &Part, place: Span) -> Option<&Part> {
    // Children stand in the order of the text and do not overlap.
    let start = |node: &Node| match node {
        Node::Part(part) => part.span.start,
        Node::Block(block) => block.span().start,
    };
    let after = part.children.partition_point(|node| start(node) <= place.start);
    let Node::Part(inside) = part.children.get(after.checked_sub(1)?)? else { return None };
    if !inside.span.contains(place) {
        return None;
    }
    if inside.title.span.contains(place) || place.contains(inside.title.span) {
        return Some(inside);
    }
    part_at(inside, place)
}

fn labels(cx: &Context<'_>, children: &[Node], words: &[&str]) -> bool {
    let bears = |title: &formwork_syntax::Text| {
        let title = title.plain(cx.source).to_lowercase();
        words.iter().any(|word| title.contains(word))
    };
    children.iter().any(|child| match child {
        Node::Part(part) => bears(&part.title) || labels(cx, &part.children, words),
        Node::Block(Block::List(list)) => list.items.iter().any(|item| {
            item.label.as_ref().is_some_and(|label| bears(&label.title)) || labels(cx, &item.children, words)
        }),
        Node::Block(_) => false,
    })
}

/// Components, operations, endpoints, entities and cache layers that lack a part.
fn items(cx: &Context<'_>) -> Vec<Missing> {
    let components = cx.model.components.iter().map(|component| {
        let parts = [
            ("Purpose", component.purpose.is_none()),
            ("Responsibilities", component.responsibilities.is_empty()),
            ("Technology/Implementation", component.technology.is_none()),
        ];
        (&component.name, parts.to_vec())
    });
    let operations = cx.model.operations.iter().map(|operation| {
        let parts = [
            ("Input", operation.input.span.is_none()),
            ("Output", operation.output.span.is_none()),
            ("Behavior", operation.behavior_span.is_none()),
        ];
        (&operation.name, parts.to_vec())
    });
    let endpoints = cx.model.endpoints.iter().map(|endpoint| {
        let parts = [
            ("Request", endpoint.input.span.is_none()),
            ("Response", endpoint.output.span.is_none()),
            ("Purpose", endpoint.purpose.is_none()),
            ("Transport", endpoint.transport.is_none()),
        ];
        (&endpoint.name, parts.to_vec())
    });
    let entities = cx.model.entities.iter().map(|entity| {
        let has = |words| {
            part_at(&cx.document.root, entity.name.span).is_some_and(|part| labels(cx, &part.children, words))
        };
        let parts = [
            ("Fields", entity.fields.is_empty() && !has(&["field"])),
            ("Relationships", !has(&["relation"])),
            ("Indexes/Keys", entity.indexes.is_empty() && !has(&["index", "key"])),
        ];
        (&entity.name, parts.to_vec())
    });
    let caches = cx.model.caches.iter().map(|layer| {
        let parts = [
            ("What", layer.what.is_none()),
            ("TTL", layer.ttl.is_none()),
            ("Invalidation", layer.invalidation.is_none()),
        ];
        (&layer.name, parts.to_vec())
    });
    let all = components.chain(operations).chain(endpoints).chain(entities).chain(caches);
    all.map(|(name, parts)| {
        let lacking = parts.into_iter().filter(|(_, is_missing)| *is_missing).map(|(label, _)| label);
        (name.span, name.value.clone(), lacking.collect())
    })
    .collect()
}
