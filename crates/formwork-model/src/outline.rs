//! Finds the sections of the form in a document, however deep, flat or slipped their headings are.
//!
//! A section is a heading (or, where no heading is one, a bold line) with its title. A numbered section inside another
//! one is taken out of it; an item whose heading is as high as its section's goes below it. Source: language reference,
//! *Finding the places*.

use crate::labels;
use crate::sections::{ALIASES, SECTIONS, SectionReader};
use crate::titles;
use formwork_syntax::{Node, Part, PartKind};
use std::borrow::Cow;

/// A section and what stands below it.
pub(crate) type Place<'d> = (&'static SectionReader, Cow<'d, Part>);

/// All sections below a part, in the order of the text; `title` is the document's own heading.
pub(crate) fn sections<'d>(source: &str, root: &'d Part, title: Option<&'d Part>) -> Vec<Place<'d>> {
    let mut found = Vec::new();
    find(source, root, title, &mut found);
    if found.is_empty() {
        find_bold(source, root, &mut found);
    }
    found
}

/// The section that a heading's title names.
pub(crate) fn section_of(source: &str, part: &Part) -> Option<&'static SectionReader> {
    matches!(part.kind, PartKind::Heading(_)).then(|| titled(source, part)).flatten()
}

fn titled(source: &str, part: &Part) -> Option<&'static SectionReader> {
    let title = labels::unnumbered(&part.title.plain(source));
    let is_named = |section: &&SectionReader| labels::begins_with(&title, section.titles);
    SECTIONS.iter().find(is_named).or_else(|| aliased(source, part, &title))
}

/// The section that a whole title means, where the words alone are too common: `Architecture`, `Schema`, `Plan`. A
/// heading that holds sections is none.
fn aliased(source: &str, part: &Part, title: &str) -> Option<&'static SectionReader> {
    let (section, _) = ALIASES.iter().find(|(_, titles)| titles.contains(&title))?;
    let holds_one = part.parts().any(|below| section_of(source, below).is_some());
    SECTIONS.iter().find(|own| own.section == *section).filter(|_| !holds_one)
}

fn find<'d>(source: &str, part: &'d Part, title: Option<&'d Part>, found: &mut Vec<Place<'d>>) {
    // The section that a flat heading may belong to: the last one at this level, and its number.
    let mut open: Option<(usize, Option<u32>)> = None;
    for below in part.parts() {
        let is_title = title.is_some_and(|title| std::ptr::eq(title, below));
        let is_heading = matches!(below.kind, PartKind::Heading(_));
        let flat = open.filter(|(_, number)| is_heading && !is_title && is_item_of(source, below, *number));
        match section_of(source, below)
            .filter(|_| !is_title && flat.is_none() && !holds_sections(source, below))
        {
            Some(section) => {
                open = Some((found.len(), number_of(&below.title.plain(source)).map(|(number, _)| number)));
                split_off(source, section, below, found);
            }
            None if flat.is_some() => {
                if let Some((at, _)) = open
                    && let Some((_, section)) = found.get_mut(at)
                {
                    let section = section.to_mut();
                    section.span = section.span.to(below.span);
                    section.children.push(Node::Part(below.clone()));
                }
            }
            None => find(source, below, title, found),
        }
    }
}

/// Whether a heading holds sections of several kinds: then it is a document's title, whatever word it begins with.
fn holds_sections(source: &str, part: &Part) -> bool {
    let mut kinds: Vec<_> =
        part.parts().filter_map(|below| section_of(source, below)).map(|below| below.section).collect();
    kinds.sort();
    kinds.dedup();
    kinds.len() > 3
}

/// The first number of a title, and whether another follows behind a point (`3.1`).
fn number_of(title: &str) -> Option<(u32, bool)> {
    let title = title.trim_start_matches(['§', ' ', '(']);
    let end = title.find(|character: char| !character.is_ascii_digit()).unwrap_or(title.len());
    let number = title[..end].parse().ok()?;
    let mut behind = title[end..].chars();
    let is_sub = behind.next() == Some('.') && behind.next().is_some_and(|next| next.is_ascii_digit());
    Some((number, is_sub))
}

/// The words that say that a heading is an item of a section, never a section.
const ITEMS: [&str; 9] = [
    "entity",
    "operation",
    "flow",
    "api endpoint",
    "endpoint",
    "component",
    "interface",
    "cli command",
    "procedure",
];

/// Whether a heading as high as a section's is an item of that section: by its number (`3.1`) or its kind word.
fn is_item_of(source: &str, part: &Part, section: Option<u32>) -> bool {
    let numbered = number_of(&part.title.plain(source));
    let is_below = numbered.is_some_and(|(number, is_sub)| is_sub && Some(number) == section);
    is_below || titles::has_kind(source, part, &ITEMS)
}

/// Adds a section; what stands in it under the number and title of another section becomes that section.
fn split_off<'d>(source: &str, section: &'static SectionReader, part: &'d Part, found: &mut Vec<Place<'d>>) {
    let is_other = |node: &Node| match node {
        Node::Part(below) => slipped(source, section, below).is_some(),
        Node::Block(_) => false,
    };
    if !part.children.iter().any(is_other) {
        return found.push((section, Cow::Borrowed(part)));
    }
    let mut own = Part { children: Vec::new(), ..part.clone() };
    let mut others: Vec<(&'static SectionReader, Part)> = Vec::new();
    for node in &part.children {
        let started = match node {
            Node::Part(below) => slipped(source, section, below).map(|other| (other, below.clone())),
            Node::Block(_) => None,
        };
        match (started, others.last_mut()) {
            (Some(started), _) => others.push(started),
            (None, Some((_, other))) => other.children.push(node.clone()),
            (None, None) => own.children.push(node.clone()),
        }
    }
    found.push((section, Cow::Owned(own)));
    found.extend(others.into_iter().map(|(other, part)| (other, Cow::Owned(part))));
}

/// The section that a heading inside another section begins: it bears that section's own number and title.
fn slipped(source: &str, inside: &SectionReader, part: &Part) -> Option<&'static SectionReader> {
    // Most headings have no number, which is seen sooner than which section their words name.
    let (number, is_sub) = number_of(&part.title.plain(source))?;
    let other = section_of(source, part).filter(|other| other.section != inside.section)?;
    (!is_sub && number == u32::from(other.section as u8)).then_some(other)
}

/// Sections whose titles are bold lines, in a document where no heading is one.
fn find_bold<'d>(source: &str, part: &Part, found: &mut Vec<Place<'d>>) {
    let mut open: Option<(&'static SectionReader, Part)> = None;
    for node in &part.children {
        let begins = match node {
            Node::Part(below) if below.kind == PartKind::Emphasized && below.inline.is_blank(source) => {
                titled(source, below).map(|section| (section, below.clone()))
            }
            _ => None,
        };
        match (begins, &mut open) {
            (Some(begins), _) => {
                found.extend(open.take().map(|(section, part)| (section, Cow::Owned(part))));
                open = Some(begins);
            }
            (None, Some((_, section))) => {
                let end = match node {
                    Node::Part(below) => below.span,
                    Node::Block(block) => block.span(),
                };
                section.span = section.span.to(end);
                section.children.push(node.clone());
            }
            (None, None) => {
                if let Node::Part(below) = node {
                    find_bold(source, below, found);
                }
            }
        }
    }
    found.extend(open.map(|(section, part)| (section, Cow::Owned(part))));
}
