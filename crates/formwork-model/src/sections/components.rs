//! Section 3: components.

use super::unknown_label;
use crate::facts::{Prose, StepItem};
use crate::labels::{begins_with, normal};
use crate::model::Class;
use crate::reader::{Reader, entries, step};
use crate::shapes;
use crate::tables::{self, Columns};
use crate::titles;
use formwork_syntax::{Part, PartKind, Span, Spanned, Table, Text};

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
    /// *Upstream*: where it is reached and with which headers; the language reads it.
    pub upstream: Vec<Text>,
    /// Heading to last line.
    pub span: Span,
}

/// The labels of a component, for proposals.
const LABELS: [&str; 4] = ["Purpose", "Responsibilities", "Technology/Implementation", "Upstream"];

const KINDS: [&str; 4] = ["component", "service", "module", "external component"];
const PURPOSE: [&str; 5] = ["purpose", "description", "role", "what it does", "summary"];
const RESPONSIBILITIES: [&str; 5] = ["responsibilities", "responsibility", "duties", "does", "tasks"];
const TECHNOLOGY: [&str; 8] =
    ["technology", "implementation", "tech", "stack", "tech stack", "built with", "technologies", "runtime"];
const UPSTREAM: [&str; 1] = ["upstream"];
/// What authors also say of a component; kept as prose.
const REMARKS: [&str; 13] = [
    "note",
    "notes",
    "remark",
    "owner",
    "owned by",
    "scaling",
    "state",
    "depends on",
    "dependencies",
    "interfaces",
    "failure",
    "interactions",
    "deployment",
];

fn is_label(title: &str) -> bool {
    let known: [&[&str]; 5] = [&PURPOSE, &RESPONSIBILITIES, &TECHNOLOGY, &UPSTREAM, &REMARKS];
    known.iter().any(|names| begins_with(title, names))
}

/// Whether a part has one of the labels by which a component is known.
fn has_labels(source: &str, part: &Part) -> bool {
    let is_own = |title: &str| {
        [&PURPOSE[..], &RESPONSIBILITIES, &TECHNOLOGY, &UPSTREAM]
            .iter()
            .any(|names| begins_with(title, names))
    };
    shapes::promote(source, part, &is_own).parts().any(|below| is_own(&normal(&below.title.plain(source))))
}

pub(crate) fn read(reader: &mut Reader<'_>, part: &Part) {
    let source = reader.source;
    let part = shapes::regroup(reader.source, part, &|below| is_bold_title(source, below));
    let is_labelled = part.parts().any(|below| has_labels(source, below));
    let is_titled = part.parts().any(|below| is_component(source, below, is_labelled));
    let has_table = tables::tables(&part.children).any(|table| columns(source, table).is_some());
    let told =
        if is_titled || has_table { Vec::new() } else { shapes::paragraph_items(source, &part.children) };
    let is_told = told.len() > 1;
    for below in told.iter().filter(|_| is_told) {
        reader.model.classes.push((below.span, Class::Understood));
        if let Some(component) = component(reader, below) {
            add(reader, component);
        }
    }
    if is_told {
        return part.parts().for_each(|below| narrate(reader, below));
    }
    read_listed(reader, &part, !is_titled && !has_table);
    for below in part.parts() {
        if is_labelled && !holds_labels(source, below) && !shapes::has_remark(below) {
            narrate(reader, below);
        } else if !is_component(source, below, is_labelled) {
            read(reader, below);
        } else if let Some(component) = component(reader, below) {
            add(reader, component);
        }
    }
    for table in tables::tables(&part.children) {
        read_table(reader, table);
    }
}

/// Whether a part or one below it has the labels of a component.
fn holds_labels(source: &str, part: &Part) -> bool {
    has_labels(source, part) || part.parts().any(|below| holds_labels(source, below))
}

/// What stands beside components with labels is prose.
fn narrate(reader: &mut Reader<'_>, part: &Part) {
    reader.prose_list(part, Class::Narrative);
    for table in tables::tables(&part.children) {
        reader.narrative_rows(table);
    }
    part.parts().for_each(|below| narrate(reader, below));
}

/// A bold line that is not one of the labels: the title of a component whose labels follow.
fn is_bold_title(source: &str, part: &Part) -> bool {
    let title = normal(&part.title.plain(source));
    let is_lone = part.inline.is_blank(source);
    part.kind == PartKind::Emphasized
        && !crate::unfinished::is_placeholder(&part.title.plain(source))
        && (titles::has_kind(source, part, &KINDS) || (is_lone && !is_label(&title)))
}

/// Whether a part is a component. Where some parts have the labels of one, those without are none.
fn is_component(source: &str, part: &Part, some_have_labels: bool) -> bool {
    let holds_components = part.parts().any(|below| {
        let title = normal(&below.title.plain(source));
        (matches!(below.kind, PartKind::Heading(_)) && below.parts().next().is_some() && !is_label(&title))
            || (is_bold_title(source, below) && has_labels(source, below))
    });
    let is_heading = matches!(part.kind, PartKind::Heading(_));
    if holds_components || !(is_heading || is_bold_title(source, part)) {
        return false;
    }
    let has_table = tables::tables(&part.children).any(|table| columns(source, table).is_some());
    has_labels(source, part) || shapes::has_remark(part) || (!some_have_labels && is_heading && !has_table)
}

fn add(reader: &mut Reader<'_>, component: Component) {
    reader.declared_twice("component", &component.name);
    reader.model.components.push(component);
}

fn empty(name: Spanned<String>, span: Span) -> Component {
    Component {
        name,
        purpose: None,
        responsibilities: Vec::new(),
        technology: None,
        external: false,
        upstream: Vec::new(),
        span,
    }
}

fn component(reader: &mut Reader<'_>, part: &Part) -> Option<Component> {
    let source = reader.source;
    let title = titles::of_item(source, part, &KINDS);
    let mut component = empty(titles::name(source, &title)?, part.span);
    component.external = part.title.plain(source).to_lowercase().contains("external");
    let mut part = shapes::promote(source, part, &is_label);
    if title.span == part.inline.span {
        part.to_mut().inline = formwork_syntax::Text::empty(part.inline.span.end);
    }
    component.purpose = reader.prose_of(&part, Class::Narrative);
    if shapes::has_remark(&part)
        && let Some((_, remark)) = shapes::bold_head(source, &part.title)
    {
        component.purpose = component.purpose.or_else(|| Some(reader.prose(&remark)));
    }
    let told = component.purpose.as_ref().map(|purpose| purpose.value.to_lowercase()).unwrap_or_default();
    component.external |= told.contains("(external)") || told.starts_with("external");
    for below in part.parts() {
        read_label(reader, &mut component, below);
    }
    Some(component)
}

/// Components as items of a list: `- **Sweeper** — deletes what has expired`. Read where nothing else declares any.
fn read_listed(reader: &mut Reader<'_>, part: &Part, declares: bool) {
    for entry in entries(reader.source, part) {
        let named = match entry.label {
            Some(label) if label.emphasized => Some((label.title.clone(), label.rest.clone())),
            _ => shapes::bold_head(reader.source, entry.text),
        };
        let Some((title, inline)) = named.filter(|_| declares && entry.is_item) else {
            reader.class(&entry, Class::Narrative);
            continue;
        };
        let part = shapes::labelled(title, inline, entry.children.to_vec(), entry.span);
        reader.class(&entry, Class::Understood);
        if let Some(component) = component(reader, &part) {
            add(reader, component);
        }
    }
}

/// Where a table names components and what it says of them.
struct ComponentColumns {
    name: usize,
    purpose: Option<usize>,
    responsibilities: Option<usize>,
    technology: Option<usize>,
}

fn columns(source: &str, table: &Table) -> Option<ComponentColumns> {
    let columns = Columns::new(source, table);
    let name = columns.exactly(&["component", "name", "service", "module", "part", "building block"])?;
    let purpose = columns.find(&PURPOSE).or_else(|| columns.find(&["what", "job", "function"]));
    let found = ComponentColumns {
        name,
        purpose: purpose.filter(|at| *at != name),
        responsibilities: columns.find(&RESPONSIBILITIES),
        technology: columns.find(&TECHNOLOGY),
    };
    let says_something =
        [found.purpose, found.responsibilities, found.technology].iter().any(Option::is_some);
    says_something.then_some(found)
}

fn read_table(reader: &mut Reader<'_>, table: &Table) {
    let source = reader.source;
    let Some(columns) = columns(source, table) else { return reader.narrative_rows(table) };
    for row in &table.rows {
        let cell = |at: Option<usize>| tables::cell(source, row, at);
        let Some(title) = cell(Some(columns.name)) else { continue };
        let Some(name) = titles::name(source, title) else { continue };
        let mut component = empty(name, row.span);
        component.external = title.plain(source).to_lowercase().contains("external");
        component.purpose = cell(columns.purpose).map(|text| reader.prose(text));
        if let Some(text) = cell(columns.technology) {
            set_technology(&mut component, Some(reader.prose(text)));
        }
        if let Some(text) = cell(columns.responsibilities) {
            component.responsibilities.push(listed(text));
        }
        reader.model.classes.push((row.span, Class::Understood));
        add(reader, component);
    }
}

/// A cell of responsibilities, as one item.
fn listed(text: &formwork_syntax::Text) -> StepItem {
    StepItem { text: text.clone(), number: None, nested: Vec::new(), fences: Vec::new(), span: text.span }
}

fn set_technology(component: &mut Component, technology: Option<Prose>) {
    component.technology = technology;
    let text = component.technology.as_ref().map(|text| text.value.to_lowercase()).unwrap_or_default();
    component.external |= text.starts_with("external") || text.contains("external service");
}

fn read_label(reader: &mut Reader<'_>, component: &mut Component, part: &Part) {
    let title = reader.title(&part.title);
    if begins_with(&title, &PURPOSE) {
        component.purpose = reader.prose_of(part, Class::Narrative);
    } else if begins_with(&title, &RESPONSIBILITIES) {
        for entry in entries(reader.source, part) {
            let item = step(&entry);
            if !is_standing(&entry.text.plain(reader.source)) {
                reader.class(&entry, Class::Narrative);
            }
            component.responsibilities.push(item);
        }
    } else if begins_with(&title, &TECHNOLOGY) {
        let technology = reader.prose_of(part, Class::Narrative);
        set_technology(component, technology);
    } else if begins_with(&title, &UPSTREAM) {
        component.external = true;
        read_upstream(reader, component, part);
    } else {
        if !begins_with(&title, &REMARKS) {
            unknown_label(reader, part, &LABELS);
        }
        reader.prose_list(part, Class::Narrative);
    }
}

/// What stands behind *Upstream* and in the items below it. Without an address in code it is prose.
fn read_upstream(reader: &mut Reader<'_>, component: &mut Component, part: &Part) {
    let says = |text: &Text| text.codes().next().is_some();
    for entry in entries(reader.source, part) {
        let is_fact = says(entry.text);
        reader.class(&entry, if is_fact { Class::Understood } else { Class::Narrative });
        component.upstream.extend(is_fact.then(|| entry.text.clone()));
    }
}

/// Whether a responsibility is a standing step, which the language reads.
pub fn is_standing(text: &str) -> bool {
    let lower = text.trim_start().to_lowercase();
    ["every ", "when ", "at start-up", "at startup"].iter().any(|head| lower.starts_with(head))
}
