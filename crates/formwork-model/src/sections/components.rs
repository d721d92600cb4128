//! Section 3: components.

use super::unknown_label;
use crate::facts::{Prose, StepItem};
use crate::labels::begins_with;
use crate::model::Class;
use crate::reader::{Reader, entries, step};
use crate::titles;
use formwork_syntax::{Part, PartKind, Span, Spanned};

/// A component.
#[derive(Clone, Debug)]
pub struct Component {
    /// Its name.
    pub name: Spanned<String>,
    /// *Purpose*.
    pub purpose: Option<Prose>,
    /// *Responsibilities*, one per item. An item that begins with `Every`, `When` or `At start-up` is a standing
    /// step and has its nested steps; the language reads it.
    pub responsibilities: Vec<StepItem>,
    /// *Technology/Implementation*.
    pub technology: Option<Prose>,
    /// Whether title or technology say that it is external.
    pub external: bool,
    /// Heading to last line.
    pub span: Span,
}

/// The labels of a component.
const LABELS: [&str; 4] = ["Purpose", "Responsibilities", "Technology/Implementation", "Upstream"];

pub(crate) fn read(reader: &mut Reader<'_>, part: &Part) {
    reader.prose_list(part, Class::Narrative);
    for below in part.parts() {
        match component(reader, below) {
            Some(component) => {
                reader.declared_twice("component", &component.name);
                reader.model.components.push(component);
            }
            None => read(reader, below),
        }
    }
}

fn component(reader: &mut Reader<'_>, part: &Part) -> Option<Component> {
    let holds_components = part
        .parts()
        .any(|below| matches!(below.kind, PartKind::Heading(_)) && below.parts().next().is_some());
    if holds_components || !matches!(part.kind, PartKind::Heading(_)) {
        return None;
    }
    let title = titles::without_kind(reader.source, &part.title, &["component", "service"]);
    let name = titles::name(reader.source, &title)?;
    let external = part.title.plain(reader.source).to_lowercase().contains("external");
    let mut component = Component {
        name,
        purpose: reader.prose_of(part, Class::Narrative),
        responsibilities: Vec::new(),
        technology: None,
        external,
        span: part.span,
    };
    for below in part.parts() {
        read_label(reader, &mut component, below);
    }
    Some(component)
}

fn read_label(reader: &mut Reader<'_>, component: &mut Component, part: &Part) {
    let title = reader.title(&part.title);
    if begins_with(&title, &["purpose", "description"]) {
        component.purpose = reader.prose_of(part, Class::Narrative);
    } else if begins_with(&title, &["responsibilities", "responsibility"]) {
        for entry in entries(reader.source, part) {
            let item = step(&entry);
            if !is_standing(&entry.text.plain(reader.source)) {
                reader.class(&entry, Class::Narrative);
            }
            component.responsibilities.push(item);
        }
    } else if begins_with(&title, &["technology", "implementation", "tech"]) {
        component.technology = reader.prose_of(part, Class::Narrative);
        let text = component.technology.as_ref().map(|text| text.value.to_lowercase()).unwrap_or_default();
        component.external |= text.starts_with("external") || text.contains("external service");
    } else if begins_with(&title, &["upstream"]) {
        component.external = true;
        reader.prose_list(part, Class::Narrative);
    } else {
        unknown_label(reader, part, &LABELS);
        reader.prose_list(part, Class::Narrative);
    }
}

/// Whether a responsibility is a standing step, which the language reads.
pub fn is_standing(text: &str) -> bool {
    let lower = text.trim_start().to_lowercase();
    ["every ", "when ", "at start-up", "at startup"].iter().any(|head| lower.starts_with(head))
}
