//! What a form asks for, read from its bracketed prompts: sections, the parts of each, the labels of each thing, and
//! how many things are wanted.
//!
//! The form that ships with Formwork stands beside this file; any template in the same style is a form: headings
//! and labels are what it asks for, text in brackets says how (`List 4-6 …`, `Write 2-3 paragraphs`), and a heading
//! behind *For each …*, or with a stand-in for a name, is an example of a thing that repeats. [`hold`] holds a
//! document against it. Source: language reference, *Finding the places*.

pub(crate) mod facts;
pub(crate) mod hold;
mod labels;

use crate::words;
use formwork_model::Section;
use formwork_syntax::{Block, Node, Part, PartKind};
use rustc_hash::FxHashSet;
use std::sync::LazyLock;

/// The form that ships with Formwork.
const BLANK: &str = include_str!("../blank-form.md");

static SHIPPED: LazyLock<Form> = LazyLock::new(|| Form::read(BLANK));

/// The form that ships with Formwork, blank: headings, labels and prompts in brackets.
pub fn blank_form() -> &'static str {
    BLANK
}

/// What a template asks for.
#[derive(Clone, Debug, Default)]
pub struct Form {
    /// In the order of the template.
    pub(crate) sections: Vec<Wanted>,
    /// Names in code and titles that stand in for those of the author: `` `entity_name` ``, `Component Name`.
    pub(crate) stand_ins: FxHashSet<String>,
}

/// A section of a form.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// As the template writes it, with its number.
    pub(crate) title: String,
    /// Which section of the shipped form it is.
    pub(crate) section: Option<Section>,
    /// How many things or paragraphs the section itself wants.
    pub(crate) count: Option<Count>,
    /// The parts that it must have.
    pub(crate) parts: Vec<Label>,
    /// The labels of the thing that it repeats; empty when it repeats none.
    pub(crate) item: Vec<Label>,
}

/// A labelled part of a section or thing.
#[derive(Clone, Debug)]
pub(crate) struct Label {
    pub(crate) text: String,
    pub(crate) count: Option<Count>,
}

/// How many are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) least: u32,
    pub(crate) most: u32,
    pub(crate) paragraphs: bool,
}

impl Form {
    /// The form that ships with Formwork.
    pub fn shipped() -> &'static Self {
        &SHIPPED
    }

    /// Reads a template. One without headings asks for nothing.
    pub fn read(template: &str) -> Self {
        let document = formwork_syntax::parse(template, &formwork_model::is_label);
        let model = formwork_model::read(template, &document);
        let reader = Reader { source: template };
        let sections = reader.sections(&document.root).into_iter().map(|part| {
            let known = model.sections.iter().find(|(_, span)| part.title.span.contains(*span));
            reader.section(part, known.map(|(section, _)| *section))
        });
        let mut form = Self { sections: sections.collect(), stand_ins: FxHashSet::default() };
        reader.stand_ins(&document.root, &mut form.stand_ins);
        form
    }
}

struct Reader<'s> {
    source: &'s str,
}

impl Reader<'_> {
    /// The headings of the highest level that has several; a title above them is none.
    fn sections<'d>(&self, part: &'d Part) -> Vec<&'d Part> {
        let headings: Vec<&Part> =
            part.parts().filter(|part| matches!(part.kind, PartKind::Heading(_))).collect();
        match headings.as_slice() {
            [title] => self.sections(title),
            _ => headings,
        }
    }

    fn section(&self, part: &Part, section: Option<Section>) -> Wanted {
        let mut wanted = Wanted {
            title: part.title.plain(self.source),
            section,
            count: None,
            parts: Vec::new(),
            item: Vec::new(),
        };
        let mut repeats = false;
        for node in &part.children {
            if let Some(prompt) = self.prompt(node) {
                repeats |= is_for_each(&prompt);
                wanted.count = wanted.count.or_else(|| count(&prompt));
                continue;
            }
            let Node::Part(below) = node else { continue };
            let title = below.title.plain(self.source);
            if matches!(below.kind, PartKind::Heading(_)) && (repeats || self.is_example(below)) {
                wanted.item = self.item(below);
            } else if !is_optional(&title) {
                wanted.parts.push(Label { count: self.own_count(below), text: title });
                if wanted.item.is_empty() {
                    wanted.item = self.nested_item(below);
                }
            }
        }
        wanted
    }

    /// The labels of an example; of the innermost one where examples are grouped.
    fn item(&self, part: &Part) -> Vec<Label> {
        let inner = part.parts().find(|below| matches!(below.kind, PartKind::Heading(_)));
        if let Some(inner) = inner {
            return self.item(inner);
        }
        let labels = part.parts().map(|below| below.title.plain(self.source));
        labels
            .filter(|title| !title.starts_with('[') && !is_optional(title))
            .map(|text| Label { text, count: None })
            .collect()
    }

    /// The labels of a thing that a part repeats (*For each cache layer*): those of the list below its first label.
    fn nested_item(&self, part: &Part) -> Vec<Label> {
        let repeats =
            part.children.iter().filter_map(|node| self.prompt(node)).any(|prompt| is_for_each(&prompt));
        if !repeats {
            return Vec::new();
        }
        let below = part.parts().filter(|below| !below.title.plain(self.source).starts_with('['));
        let lists = below.flat_map(Part::blocks).filter_map(|block| match block {
            Block::List(list) => Some(list),
            _ => None,
        });
        let labels = lists.flat_map(|list| &list.items).filter_map(|item| item.label.as_ref());
        labels.map(|label| Label { text: label.title.plain(self.source), count: None }).collect()
    }

    fn own_count(&self, part: &Part) -> Option<Count> {
        let prompts = part.children.iter().filter_map(|node| self.prompt(node));
        count(&part.inline.plain(self.source))
            .or_else(|| prompts.into_iter().find_map(|prompt| count(&prompt)))
    }

    /// The text of a prompt: a paragraph, or a part that is nothing but one.
    fn prompt(&self, node: &Node) -> Option<String> {
        let text = match node {
            Node::Part(part) if !matches!(part.kind, PartKind::Heading(_)) => part.title.plain(self.source),
            Node::Block(Block::Paragraph(text)) => text.plain(self.source),
            Node::Part(_) | Node::Block(_) => return None,
        };
        text.starts_with('[').then(|| text.trim_matches(['[', ']', ' ']).to_owned())
    }

    /// Whether a heading stands for one of the author's.
    fn is_example(&self, part: &Part) -> bool {
        let title = part.title.plain(self.source);
        part.title.codes().next().is_some() || title.contains('[') || title.ends_with(" Name")
    }

    fn stand_ins(&self, part: &Part, found: &mut FxHashSet<String>) {
        for below in part.parts() {
            if matches!(below.kind, PartKind::Heading(_)) && self.is_example(below) {
                let title = below.title.plain(self.source);
                let name = title.rsplit_once(": ").map_or(title.as_str(), |(_, name)| name);
                found.insert(name.to_owned());
            }
            self.stand_ins(below, found);
        }
        for list in
            part.blocks().filter_map(|block| if let Block::List(list) = block { Some(list) } else { None })
        {
            for item in &list.items {
                let codes = item.text.codes().map(|(_, code)| code.text(self.source).into_owned());
                found.extend(codes);
                // The word in parentheses behind a name stands for its type.
                let text = item.text.plain(self.source);
                let kind = text.split_once(" (").and_then(|(_, rest)| rest.split_once(')'));
                found.extend(kind.map(|(kind, _)| kind.to_owned()).filter(|kind| !kind.contains(['[', ' '])));
            }
        }
    }
}

fn is_for_each(prompt: &str) -> bool {
    prompt.to_lowercase().starts_with("for each")
}

fn is_optional(title: &str) -> bool {
    let title = title.to_lowercase();
    title.contains("if applicable") || title.contains("optional")
}

/// The `A-B` of a prompt, and whether paragraphs are meant.
fn count(prompt: &str) -> Option<Count> {
    let words: Vec<&str> = prompt.split_whitespace().collect();
    words.iter().enumerate().find_map(|(at, word)| {
        let (least, most) = word.split_once(['-', '–'])?;
        let (least, most) = (least.parse().ok()?, most.parse().ok()?);
        let paragraphs = words.get(at + 1).is_some_and(|next| next.to_lowercase().starts_with("paragraph"));
        (least <= most).then_some(Count { least, most, paragraphs })
    })
}

impl Wanted {
    /// The title without its number.
    pub(crate) fn name(&self) -> &str {
        self.title
            .split_once([')', '.'])
            .filter(|(number, _)| number.trim().parse::<u32>().is_ok())
            .map_or(self.title.as_str(), |(_, name)| name.trim())
    }

    /// Words by which a part is told from the others of the section.
    pub(crate) fn own_words(labels: &[Label], label: &str) -> Vec<String> {
        let all = words::stems(label);
        let shared = |word: &String| {
            labels.iter().filter(|other| words::stems(&other.text).contains(word)).count() > 1
        };
        let own: Vec<String> = all.iter().filter(|word| !shared(word)).cloned().collect();
        if own.is_empty() { all } else { own }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(labels: &[Label]) -> Vec<&str> {
        labels.iter().map(|label| label.text.as_str()).collect()
    }

    fn section(form: &Form, section: Section) -> &Wanted {
        form.sections.iter().find(|wanted| wanted.section == Some(section)).expect("the form has it")
    }

    #[test]
    fn the_shipped_form_asks_for_its_sections_parts_and_numbers() {
        let form = Form::shipped();
        assert_eq!(form.sections.len(), 16);
        assert!(form.sections.iter().all(|wanted| wanted.section.is_some()));
        let summary = section(form, Section::Summary);
        assert_eq!(summary.count, Some(Count { least: 2, most: 3, paragraphs: true }));
        let goals = section(form, Section::Goals);
        assert_eq!(texts(&goals.parts), ["Goals", "Non-Goals"]);
        assert_eq!(goals.parts[0].count, Some(Count { least: 4, most: 6, paragraphs: false }));
        let components = section(form, Section::Components);
        assert_eq!(texts(&components.item), ["Purpose", "Responsibilities", "Technology/Implementation"]);
        assert_eq!(texts(&section(form, Section::Interface).item), ["Input", "Output", "Behavior"]);
        assert_eq!(
            texts(&section(form, Section::DataModel).item),
            ["Fields", "Relationships", "Indexes/Keys"]
        );
        let performance = section(form, Section::Performance);
        assert_eq!(texts(&performance.parts), ["SLO Targets", "Caching Strategy", "Optimization Strategies"]);
        assert_eq!(texts(&performance.item), ["What", "TTL", "Invalidation"]);
        let flows = section(form, Section::Flows);
        assert_eq!(flows.count, Some(Count { least: 2, most: 4, paragraphs: false }));
        for name in ["entity_name", "METHOD /path", "field_name", "type", "Component Name"] {
            assert!(form.stand_ins.contains(name), "{name}: {:?}", form.stand_ins);
        }
    }

    #[test]
    fn any_template_in_brackets_is_a_form() {
        let form = Form::read(
            "# [Decision]\n\n## Context\n[Write 1-2 paragraphs]\n\n## Options\n\n**[For each option:]**\n\n### Option: [Name]\n\n**Cost:** [How much?]\n\n**Risk (optional):** [What?]\n",
        );
        assert_eq!(form.sections.len(), 2);
        assert_eq!(form.sections[0].count, Some(Count { least: 1, most: 2, paragraphs: true }));
        assert_eq!(texts(&form.sections[1].item), ["Cost"]);
    }
}
