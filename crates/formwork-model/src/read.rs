//! A document to its [`Model`]: finds the sections, calls their readers, and gathers what is unfinished.
//!
//! Source: language reference, *Finding the places*.

use crate::facts::Field;
use crate::labels;
use crate::lazy;
use crate::model::{Model, Section};
use crate::notes::NoteKind;
use crate::outline;
use crate::reader::{Declared, Reader};
use crate::sections::{closing, data_model};
use crate::unfinished;
use crate::values::Type;
use formwork_syntax::{Document, Part, PartKind, Span, Spanned, threads};
use rustc_hash::FxHashMap;

/// Reads a document. Never fails: what is not understood is in the notes of the model.
pub fn read(source: &str, document: &Document) -> Model {
    let mut notes = Vec::new();
    let root = lazy::split(source, &document.root, &mut notes);
    let root = root.as_ref();
    let title = title_part(source, root);
    let places = outline::sections(source, root, title);
    let mut reader = Reader {
        source,
        model: Model::default(),
        declared: Declared::default(),
        untyped: Default::default(),
        loose_relationships: Vec::new(),
        loose_keys: Vec::new(),
    };
    reader.model.notes = notes;
    reader.model.title = title.and_then(|part| title_text(source, part));
    let mut declared = Vec::new();
    for (section, part) in &places {
        match section.section {
            Section::DataModel => declared.extend(data_model::names(source, part)),
            Section::References => declared.extend(closing::names(source, part)),
            _ => {}
        }
    }
    reader.declared = Declared::of(declared);
    // Sections do not overlap and stand in the order of the text.
    let section_at = |span: Span| {
        let after = places.partition_point(|(_, part)| part.span.start <= span.start);
        let (section, part) = places.get(after.checked_sub(1)?)?;
        part.span.contains(span).then_some(section.section)
    };
    let read_sections = || {
        for (section, part) in &places {
            reader.model.sections.push((section.section, part.title.span));
            (section.read)(&mut reader, part);
        }
    };
    let find_unfinished = || unfinished::find(source, root, &section_at);
    let (unfinished, ()) = threads::both(threads::worth(source.len()), find_unfinished, read_sections);
    reader.model.unfinished = unfinished;
    borrow_types(&mut reader);
    reader.model.notes.sort_by_key(|note| note.span);
    reader.model.classes.sort_by_key(|(span, _)| *span);
    reader.model
}

/// The first heading, when it is of level 1 and no section of the form.
fn title_part<'d>(source: &str, root: &'d Part) -> Option<&'d Part> {
    let first = root.parts().find(|part| matches!(part.kind, PartKind::Heading(_)))?;
    let holds_sections = count_sections(source, first) > 1;
    let says_so = labels::normal(&first.title.plain(source)).contains("technical architecture");
    let is_title = first.kind == PartKind::Heading(1)
        && (says_so || holds_sections || outline::section_of(source, first).is_none());
    is_title.then_some(first)
}

fn count_sections(source: &str, part: &Part) -> usize {
    part.parts().filter(|below| outline::section_of(source, below).is_some()).count()
}

/// The title without *– Technical Architecture*.
fn title_text(source: &str, part: &Part) -> Option<Spanned<String>> {
    let text = part.title.plain(source);
    let end = text.to_ascii_lowercase().find("technical architecture").unwrap_or(text.len());
    let is_blank =
        |character: char| character.is_whitespace() || matches!(character, '–' | '—' | '-' | ':' | '|' | '(');
    let value = text[..end].trim_end_matches(is_blank).trim();
    let place = part.title.span;
    let at = place.slice(source).find(value)? as u32;
    let is_named = !value.is_empty() && !unfinished::is_placeholder(value);
    is_named.then(|| Spanned::new(value.to_owned(), place.part(at, at + value.len() as u32)))
}

/// Gives inputs without a type the type of the entity field of that name; what has none then is noted.
fn borrow_types(reader: &mut Reader<'_>) {
    let known = known_types(&reader.model);
    let mut missing = Vec::new();
    let untyped = std::mem::take(&mut reader.untyped);
    let model = &mut reader.model;
    let inputs = model
        .operations
        .iter_mut()
        .chain(&mut model.endpoints)
        .flat_map(|operation| &mut operation.input.fields);
    for field in inputs.filter(|field| field.ty.is_none()) {
        field.ty = borrowed(field, &known);
        if field.ty.is_none() && !untyped.contains(&field.name.span) {
            missing.push((field.name.clone(), field.span));
        }
    }
    let fields = model.entities.iter().flat_map(|entity| &entity.fields);
    missing.extend(fields.filter(|field| field.ty.is_none()).map(|field| (field.name.clone(), field.span)));
    // A placeholder where the type should be is reported as such.
    let mut unfinished: Vec<Span> = model.unfinished.iter().map(|unfinished| unfinished.span).collect();
    unfinished.sort_unstable();
    missing.retain(|(_, item)| {
        let from = unfinished.partition_point(|place| place.start < item.start);
        !unfinished[from..]
            .iter()
            .take_while(|place| place.start <= item.end)
            .any(|place| item.contains(*place))
    });
    for (name, _) in missing {
        reader.note(NoteKind::MissingType { field: name.value }, name.span);
    }
}

/// The one type that all entity fields of a name have; none where they differ.
fn known_types(model: &Model) -> FxHashMap<String, Option<Type>> {
    let mut known: FxHashMap<String, Option<Type>> = FxHashMap::default();
    for field in model.entities.iter().flat_map(|entity| &entity.fields) {
        let Some(ty) = &field.ty else { continue };
        match known.get_mut(&field.name.value) {
            Some(first) if first.as_ref() == Some(&ty.value) => {}
            Some(first) => *first = None,
            None => {
                known.insert(field.name.value.clone(), Some(ty.value.clone()));
            }
        }
    }
    known
}

fn borrowed(field: &Field, known: &FxHashMap<String, Option<Type>>) -> Option<Spanned<Type>> {
    let ty = known.get(&field.name.value)?.clone()?;
    Some(Spanned::new(ty, field.name.span))
}
