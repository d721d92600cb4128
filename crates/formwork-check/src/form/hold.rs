//! Holds a document against a form: what is missing, and of what there is another number.

use super::facts::{self, Item};
use super::{Count, Label, Wanted, labels};
use crate::context::Context;
use crate::words;
use formwork_model::Section;
use formwork_syntax::{Block, Node, Part, PartKind, Span};

/// Things of one kind lacking the same labels in more places than this are told once.
const FEW: usize = 2;

/// Where the document's title stands; its beginning when it has none.
pub(crate) fn title_span(cx: &Context<'_>) -> Span {
    let first_line = || Span::new(0, cx.source.lines().next().map_or(0, str::len) as u32);
    cx.model.title.as_ref().map_or_else(first_line, |title| title.span)
}

/// The heading of a section in the document.
pub(crate) fn heading(cx: &Context<'_>, wanted: &Wanted) -> Option<Span> {
    let known = wanted.section?;
    cx.model.sections.iter().find(|(section, _)| *section == known).map(|(_, span)| *span)
}

/// The place of a section: by what it is, else by the words of its title.
pub(crate) fn part<'a>(cx: &Context<'a>, wanted: &Wanted) -> Option<&'a Part> {
    match heading(cx, wanted) {
        Some(heading) => part_at(&cx.document.root, heading),
        None => {
            let own = own_title(cx, wanted);
            let known = |part: &Part| cx.headings.is_any_in(part.title.span);
            let fits = |part: &Part| {
                let title = words::stems(&part.title.plain(cx.source));
                let is_all = own.iter().all(|word| title.contains(word));
                let is_some = wanted.section.is_some() && own.iter().any(|word| title.contains(word));
                let is_heading = matches!(part.kind, PartKind::Heading(_));
                !own.is_empty() && !known(part) && (is_all || (is_heading && is_some))
            };
            titled(&cx.document.root, &fits)
        }
    }
}

/// The heading that has the number of a missing section (`8) Reliability` for `8) Performance …`) and is no section
/// itself, with the title that the form gives it.
pub(crate) fn under_another_name<'t>(cx: &Context<'_>, title: &'t str) -> Option<(&'t str, Span)> {
    let number = leading_number(title)?;
    let fits = |part: &Part| {
        let is_heading = matches!(part.kind, PartKind::Heading(_));
        let is_known = || cx.headings.is_any_in(part.title.span);
        is_heading && leading_number(&part.title.plain(cx.source)) == Some(number) && !is_known()
    };
    let top = |part: &'_ &Part| fits(part);
    let title_part = cx.document.root.parts().next();
    let mut all = cx.document.root.parts().chain(title_part.into_iter().flat_map(Part::parts));
    all.find(top).map(|part| (title, part.title.span))
}

/// `8` of `8) Performance`; none of `8.1 Caches`, which stands inside a section.
fn leading_number(title: &str) -> Option<u32> {
    let title = title.trim_start();
    let end = title.find(|character: char| !character.is_ascii_digit())?;
    let is_sub = title[end..].starts_with('.') && title[end + 1..].starts_with(|c: char| c.is_ascii_digit());
    (!is_sub).then(|| title[..end].parse().ok())?
}

/// The words of a section's title that no other section's title has.
fn own_title(cx: &Context<'_>, wanted: &Wanted) -> Vec<String> {
    let titles: Vec<Label> = cx
        .form
        .sections
        .iter()
        .map(|section| Label { text: section.name().to_owned(), count: None })
        .collect();
    Wanted::own_words(&titles, wanted.name())
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

/// The first heading or label that fits, outer before inner.
fn titled<'d>(part: &'d Part, fits: &dyn Fn(&Part) -> bool) -> Option<&'d Part> {
    part.parts().find_map(|below| if fits(below) { Some(below) } else { titled(below, fits) })
}

/// What is missing: where, of what, which labels, and further places of the same kind that lack them too.
pub(crate) struct Missing {
    pub(crate) span: Span,
    pub(crate) name: String,
    pub(crate) others: Vec<Span>,
    pub(crate) kind: &'static str,
    pub(crate) labels: Vec<String>,
}

/// The parts that the form asks for and the document lacks.
pub(crate) fn missing_parts(cx: &Context<'_>) -> Vec<Missing> {
    let mut missing = Vec::new();
    for wanted in &cx.form.sections {
        let Some(place) = part(cx, wanted) else { continue };
        let text = place.span.slice(cx.source);
        let mut lacking: Vec<String> = wanted
            .parts
            .iter()
            .filter(|label| {
                let known =
                    wanted.section.is_some_and(|it| facts::has_part(cx, it, &label.text.to_lowercase()));
                !known && !labels::has(below_title(text), &Wanted::own_words(&wanted.parts, &label.text))
            })
            .map(|label| label.text.clone())
            .collect();
        if let Some((kind, false)) = wanted.section.and_then(|section| facts::has_items(cx, section))
            && !is_unfinished(cx, place.span)
        {
            lacking.push(kind.to_owned());
        }
        if !lacking.is_empty() {
            missing.push(Missing {
                span: place.title.span,
                name: wanted.name().to_owned(),
                others: Vec::new(),
                kind: "",
                labels: lacking,
            });
        }
        match wanted.section {
            Some(section) => missing.extend(items(cx, section, &wanted.item)),
            None => missing.extend(unknown_items(cx, place, &wanted.item)),
        }
    }
    missing
}

fn below_title(text: &str) -> &str {
    text.split_once('\n').map_or("", |(_, below)| below)
}

/// Whether a placeholder stands in a place.
fn is_unfinished(cx: &Context<'_>, place: Span) -> bool {
    cx.unfinished.is_any_in(place)
}

/// What the things of a section lack, those that lack the same together.
fn items(cx: &Context<'_>, section: Section, wanted: &[Label]) -> Vec<Missing> {
    let (kind, items) = facts::items(cx, section);
    let mut groups: Vec<(Vec<String>, Vec<Item<'_>>)> = Vec::new();
    for item in items {
        let text = below_title(item.span.slice(cx.source));
        let lacks = |label: &&Label| {
            !facts::has_label(&item, &label.text.to_lowercase())
                && !labels::has(text, &Wanted::own_words(wanted, &label.text))
        };
        let lacking: Vec<String> = wanted.iter().filter(lacks).map(|label| label.text.clone()).collect();
        // Of a thing that is still to be written, that is said already.
        let is_open = lacking.len() == wanted.len() && is_unfinished(cx, item.span);
        if lacking.is_empty() || is_open {
            continue;
        }
        match groups.iter_mut().find(|(labels, _)| *labels == lacking) {
            Some((_, items)) => items.push(item),
            None => groups.push((lacking, vec![item])),
        }
    }
    let mut missing = Vec::new();
    for (labels, items) in groups {
        let one = |item: &Item<'_>, others: Vec<Span>| Missing {
            span: item.place,
            name: item.name.to_owned(),
            others,
            kind,
            labels: labels.clone(),
        };
        if items.len() > FEW {
            missing.push(one(&items[0], items[1..].iter().map(|item| item.place).collect()));
        } else {
            missing.extend(items.iter().map(|item| one(item, Vec::new())));
        }
    }
    missing
}

/// What the headings of a section that only the template knows lack.
fn unknown_items(cx: &Context<'_>, place: &Part, wanted: &[Label]) -> Vec<Missing> {
    let headings = place.parts().filter(|part| matches!(part.kind, PartKind::Heading(_)));
    let lacking = headings.map(|part| {
        let text = below_title(part.span.slice(cx.source));
        let lacks = |label: &&Label| !labels::has(text, &Wanted::own_words(wanted, &label.text));
        let labels = wanted.iter().filter(lacks).map(|label| label.text.clone()).collect();
        let name = part.title.plain(cx.source);
        Missing { span: part.title.span, name, others: Vec::new(), kind: "", labels }
    });
    lacking.filter(|missing| !missing.labels.is_empty()).collect()
}

/// Another number of things than the form asks for.
pub(crate) struct Asked {
    /// What the form calls them.
    pub(crate) title: String,
    pub(crate) count: Count,
    pub(crate) found: usize,
    /// What is counted, in the number found.
    pub(crate) unit: &'static str,
    pub(crate) span: Span,
}

/// The lists and texts of the document that are longer or shorter than asked. Where a placeholder is left, the
/// number is still to come; where there is nothing, it is missing.
pub(crate) fn unusual_numbers(cx: &Context<'_>) -> Vec<Asked> {
    let mut unusual = Vec::new();
    for wanted in &cx.form.sections {
        let Some(place) = part(cx, wanted) else { continue };
        if let Some(count) = wanted.count
            && let Some((found, unit)) = counted(cx, wanted.section, "", place, count)
        {
            let span = place.title.span;
            unusual.push((place.span, Asked { title: wanted.name().to_owned(), count, found, unit, span }));
        }
        for label in &wanted.parts {
            let Some(count) = label.count else { continue };
            let stems = Wanted::own_words(&wanted.parts, &label.text);
            let within = place
                .parts()
                .find(|part| words::stems(&part.title.plain(cx.source)) == words::stems(&label.text));
            let within = within.or_else(|| {
                place.parts().find(|part| {
                    let title = words::stems(&part.title.plain(cx.source));
                    stems.iter().all(|stem| title.contains(stem))
                })
            });
            let title = label.text.clone();
            if let Some((found, unit)) = counted(cx, wanted.section, &title, within.unwrap_or(place), count) {
                let first = first_of(cx, &title);
                let span = first.unwrap_or(within.unwrap_or(place).title.span);
                unusual.push((within.unwrap_or(place).span, Asked { title, count, found, unit, span }));
            }
        }
    }
    let is_unusual = |asked: &Asked| {
        let range = asked.count.least as usize..=asked.count.most as usize;
        asked.found > 0 && !range.contains(&asked.found)
    };
    let found = unusual.into_iter().filter(|(place, asked)| is_unusual(asked) && !is_unfinished(cx, *place));
    found.map(|(_, asked)| asked).collect()
}

fn first_of(cx: &Context<'_>, label: &str) -> Option<Span> {
    let prose = match label {
        "Goals" => &cx.model.goals,
        "Non-Goals" => &cx.model.non_goals,
        _ => return None,
    };
    prose.first().map(|first| first.span)
}

/// How many there are: as the model counts them where it knows, else list items, headings or paragraphs.
fn counted(
    cx: &Context<'_>,
    section: Option<Section>,
    label: &str,
    place: &Part,
    count: Count,
) -> Option<(usize, &'static str)> {
    let model = cx.model;
    let one = |found: usize, one: &'static str, many: &'static str| {
        Some((found, if found == 1 { one } else { many }))
    };
    match (section, label) {
        (Some(Section::Summary), _) => one(model.summary.len(), "paragraph", "paragraphs"),
        (Some(Section::Goals), "Goals") => one(model.goals.len(), "item", "items"),
        (Some(Section::Goals), _) => one(model.non_goals.len(), "item", "items"),
        (Some(Section::Flows), _) => one(model.flows.len(), "flow", "flows"),
        // The overview's paragraphs are its diagram and planes.
        (Some(_), _) => None,
        (None, _) if count.paragraphs => one(paragraphs(place), "paragraph", "paragraphs"),
        (None, _) => one(list_items(place), "item", "items"),
    }
}

fn paragraphs(place: &Part) -> usize {
    let is_paragraph = |node: &&Node| match node {
        Node::Block(block) => matches!(block, Block::Paragraph(_)),
        Node::Part(part) => !matches!(part.kind, PartKind::Heading(_)),
    };
    place.children.iter().filter(is_paragraph).count()
}

fn list_items(place: &Part) -> usize {
    let below = place.parts().filter(|part| !matches!(part.kind, PartKind::Heading(_))).map(list_items);
    let own = place.blocks().map(|block| match block {
        Block::List(list) => list.items.len(),
        Block::Table(table) => table.rows.len(),
        _ => 0,
    });
    let headings = place.parts().filter(|part| matches!(part.kind, PartKind::Heading(_))).count();
    own.chain(below).sum::<usize>() + headings
}
