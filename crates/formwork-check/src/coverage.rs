//! How each piece of the formal places was taken: facts from the model, steps and flows from the language.

use crate::analysis::Analysis;
use formwork_language::behaviour::FlowStep;
use formwork_model::Class;
use formwork_syntax::Span;

/// How many units are of which class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Facts, steps and values.
    pub understood: usize,
    /// Prose that needs no machine reading.
    pub narrative: usize,
    /// Placeholders and stand-ins.
    pub unfinished: usize,
    /// What begins like the language and does not parse.
    pub not_understood: usize,
}

/// Every unit (list item, table row, sentence of a behaviour or flow) with its class, by place.
pub fn classes(analysis: &Analysis) -> Vec<(Span, Class)> {
    let compiled = &analysis.compiled;
    let behaviours = compiled.behaviours.iter().flat_map(|behaviour| &behaviour.steps);
    let standing = compiled.standing.iter().flat_map(|standing| &standing.steps);
    let steps = compiled.flows.iter().flat_map(|flow| flow.steps.iter().chain(&flow.errors));
    let flows = steps.flat_map(FlowStep::all);
    let mut classes = analysis.model.classes.clone();
    classes.extend(behaviours.chain(standing).map(|step| (step.span, step.class)));
    classes.extend(flows.map(|step| (step.span, step.class)));
    classes.sort_by_key(|(span, _)| (span.start, span.end));
    classes.dedup_by_key(|(span, _)| *span);
    classes
}

/// Counts the units of each class.
pub fn coverage(classes: &[(Span, Class)]) -> Coverage {
    let mut counts = Coverage::default();
    for (_, class) in classes {
        *match class {
            Class::Understood => &mut counts.understood,
            Class::Narrative => &mut counts.narrative,
            Class::Unfinished => &mut counts.unfinished,
            Class::NotUnderstood => &mut counts.not_understood,
        } += 1;
    }
    counts
}

/// The units of each class by section, with the title of its heading as written; what stands before the first
/// section or outside of all comes under no title. Sections without units are there too.
pub fn coverage_by_section(analysis: &Analysis) -> Vec<(String, Coverage)> {
    let mut headings: Vec<Span> = analysis.model.sections.iter().map(|(_, span)| *span).collect();
    headings.sort_by_key(|span| span.start);
    let classes = classes(analysis);
    let mut sections = Vec::with_capacity(headings.len() + 1);
    let bounds = headings.iter().map(|span| span.start).chain([u32::MAX]);
    let mut from = 0;
    for (at, end) in bounds.enumerate() {
        let to = from + classes[from..].partition_point(|(span, _)| span.start < end);
        let title = at.checked_sub(1).map(|at| headings[at].slice(&analysis.source).to_owned());
        if title.is_some() || to > from {
            sections.push((title.unwrap_or_default(), coverage(&classes[from..to])));
        }
        from = to;
    }
    sections
}
