//! Fields: ``- `name` (type) | description | constraints``, and types and constraints in the rows of tables.
//!
//! A line is changed only when everything on it is accounted for: what stands between name, type, description and
//! constraints must be separators and nothing else.

use super::{constraints, types};
use crate::written::Written;
use formwork_check::Edit;
use formwork_model::facts::{Constraint, Field};
use formwork_syntax::{Item, PieceKind, Span};

/// The changes to fields.
pub(super) fn edits(written: &Written<'_>) -> Vec<Edit> {
    let model = &written.analysis.model;
    let operations = model.operations.iter().chain(&model.endpoints);
    let of_operations =
        operations.flat_map(|operation| operation.input.fields.iter().chain(&operation.output.fields));
    let fields = model.entities.iter().flat_map(|entity| &entity.fields).chain(of_operations);
    let mut edits = Vec::new();
    for field in fields {
        if let Some(item) = written.items.get(&field.span.start) {
            edits.extend(Line::new(written.source, field, item).and_then(|line| line.edit()));
        } else if written.rows.get(&field.span.start).is_some_and(|row| row.span == field.span) {
            edits.extend(in_place(written.source, field));
        }
    }
    edits
}

/// Types and constraints of a table's row, where they stand.
fn in_place(source: &str, field: &Field) -> Vec<Edit> {
    let ty = field.ty.iter().filter(|ty| !gives_constraints(field, ty.span));
    let types = ty.map(|ty| (ty.span, types::canonical(&ty.value, ty.span.slice(source).trim())));
    let alone = field.constraints.iter().filter(|one| is_alone(field, one.span));
    let words = alone.map(|one| (one.span, constraints::canonical(&one.value, one.span.slice(source))));
    let all = types.chain(words).filter(|(span, text)| span.slice(source) != text);
    all.map(|(span, text)| Edit { span, text }).collect()
}

/// Whether a type says more than the type, such as `varchar(64)`.
fn gives_constraints(field: &Field, place: Span) -> bool {
    field.constraints.iter().any(|constraint| constraint.span == place)
}

/// Whether exactly one constraint was read from the place, and it is not the type's.
fn is_alone(field: &Field, place: Span) -> bool {
    let is_type = field.ty.as_ref().is_some_and(|ty| ty.span == place);
    !is_type && field.constraints.iter().filter(|constraint| constraint.span == place).count() == 1
}

/// A field's line, with what was read from it.
struct Line<'a> {
    source: &'a str,
    field: &'a Field,
    /// From the list mark to the last character of the line.
    whole: Span,
    /// The name with its backticks.
    name: Span,
}

/// Characters that may stand between the pieces of a field.
const SEPARATORS: &str = " \t|:—–-,;()?";

fn is_separator(text: &str) -> bool {
    text.chars().all(|character| SEPARATORS.contains(character))
}

impl<'a> Line<'a> {
    fn new(source: &'a str, field: &'a Field, item: &Item) -> Option<Self> {
        let is_plain = item
            .text
            .pieces
            .iter()
            .all(|piece| matches!(piece.kind, PieceKind::Text | PieceKind::Code(_)) && !piece.link);
        let start = item.span.start as usize;
        let content = source.get(start..)?.lines().next()?.trim_end();
        let whole = Span::new(item.span.start, (start + content.len()) as u32);
        let name = item.text.pieces.iter().find(|piece| piece.span.contains(field.name.span))?;
        let name = if matches!(name.kind, PieceKind::Code(_)) { name.span } else { field.name.span };
        let fits = is_plain && item.task.is_none() && whole.contains(item.text.span);
        fits.then_some(Self { source, field, whole, name })
    }

    fn slice(&self, start: u32, end: u32) -> &'a str {
        Span::new(start, end.max(start)).slice(self.source)
    }

    fn edit(&self) -> Option<Edit> {
        let canonical = self.canonical()?;
        (canonical != self.whole.slice(self.source)).then_some(Edit { span: self.whole, text: canonical })
    }

    /// The line in canonical notation; absent when something on it is not accounted for.
    fn canonical(&self) -> Option<String> {
        let before = self.slice(self.whole.start, self.name.start);
        let mark = before.trim_end_matches(['*', '_']);
        let emphasis = &before[mark.len()..];
        if !mark.ends_with([' ', '\t'])
            || !mark.trim().chars().all(|part| part.is_ascii_digit() || "-*+.)".contains(part))
        {
            return None;
        }
        let closing: String = emphasis.chars().rev().collect();
        let behind = self.slice(self.name.end, self.whole.end);
        let at =
            self.name.end + if behind.starts_with(&closing) { closing.len() as u32 } else { return None };
        let mut canonical = format!("{mark}`{}`", self.field.name.value);
        let (at, inside) = self.in_parentheses(at, &mut canonical)?;
        let (at, description) = self.description(at)?;
        let behind = self.constraints(at)?;
        canonical.extend(description.map(|text| format!(" | {text}")));
        let words: Vec<String> = inside.into_iter().chain(behind).collect();
        if !words.is_empty() {
            let empty = if self.has_empty_column(at) { " |" } else { "" };
            canonical.push_str(&format!("{empty} | {}", words.join(", ")));
        }
        Some(canonical)
    }

    /// Type and constraints up to the end of the parentheses, or to the end of a type without them. Gives where that
    /// is, and the constraints.
    fn in_parentheses(&self, from: u32, canonical: &mut String) -> Option<(u32, Vec<String>)> {
        let rest = self.slice(from, self.whole.end);
        let open = rest.trim_start().trim_start_matches('?').trim_start();
        let is_open = open.starts_with('(');
        let end =
            if is_open { from + (rest.len() - open.len()) as u32 + closing(open)? } else { self.whole.end };
        let is_marked = rest.trim_start().starts_with('?');
        let mut at = from;
        let mut words = Vec::new();
        if let Some(ty) = &self.field.ty
            && ty.span.start >= from
            && ty.span.end <= end
        {
            if !is_separator(self.slice(at, ty.span.start)) {
                return None;
            }
            let mark = if is_marked && !ty.span.slice(self.source).ends_with('?') { "?" } else { "" };
            let own = self.field.constraints.iter().filter(|constraint| constraint.span == ty.span);
            words.extend(own.map(|own| of_type(&own.value)).collect::<Option<Vec<String>>>()?);
            let name = types::canonical(&ty.value, ty.span.slice(self.source).trim());
            canonical.push_str(&format!(" ({name}{mark})"));
            at = ty.span.end;
        } else if self.field.ty.is_some() || is_marked {
            return None;
        }
        if !is_open {
            return Some((at, words));
        }
        for (place, text) in self.words(at, end) {
            if !is_separator(self.slice(at, place.start)) {
                return None;
            }
            words.push(text);
            at = place.end;
        }
        is_separator(self.slice(at, end)).then_some((end, words))
    }

    fn description(&self, from: u32) -> Option<(u32, Option<&'a str>)> {
        let Some(description) = &self.field.description else { return Some((from, None)) };
        let gap = self.slice(from, description.span.start);
        let fits =
            description.span.start >= from && description.span.end <= self.whole.end && is_separator(gap);
        fits.then(|| (description.span.end, Some(description.span.slice(self.source))))
    }

    /// Whether an empty description stands before the constraints: ``(string) | | required``.
    fn has_empty_column(&self, from: u32) -> bool {
        let rest = self.slice(from, self.whole.end);
        let bare = rest.trim_start_matches([' ', '\t']);
        self.field.description.is_none()
            && bare
                .strip_prefix('|')
                .is_some_and(|rest| rest.trim_start_matches([' ', '\t']).starts_with('|'))
    }

    /// What follows the description: as it stands, with the words of constraints made canonical.
    fn constraints(&self, from: u32) -> Option<Option<String>> {
        let words = self.words(from, self.whole.end);
        let Some((first, _)) = words.first() else {
            return is_separator(self.slice(from, self.whole.end)).then_some(None);
        };
        if !is_separator(self.slice(from, first.start)) {
            return None;
        }
        let mut text = String::new();
        let mut at = first.start;
        for (place, word) in &words {
            let gap = self.slice(at, place.start);
            text.push_str(if gap.trim() == "|" { ", " } else { gap });
            text.push_str(word);
            at = place.end;
        }
        text.push_str(self.slice(at, self.whole.end).trim_end_matches([' ', '|', ',', ';']));
        Some(Some(text))
    }

    /// The constraints and the location in a range, each place once, with their canonical words.
    fn words(&self, from: u32, to: u32) -> Vec<(Span, String)> {
        let text = |place: Span| place.slice(self.source).to_owned();
        let constraints = self.field.constraints.iter().map(|constraint| {
            let place = constraint.span;
            let canonical = constraints::canonical(&constraint.value, place.slice(self.source));
            (place, if is_alone(self.field, place) { canonical } else { text(place) })
        });
        let location = self.field.location.iter().map(|location| (location.span, text(location.span)));
        let mut words: Vec<(Span, String)> =
            constraints.chain(location).filter(|(place, _)| from <= place.start && place.end <= to).collect();
        words.sort_by_key(|(place, _)| *place);
        words.dedup_by_key(|(place, _)| *place);
        words
    }
}

/// What a type such as `varchar(64)` says beside the type.
fn of_type(constraint: &Constraint) -> Option<String> {
    match constraint {
        Constraint::MaxLength(most) => Some(format!("max {most} chars")),
        _ => None,
    }
}

/// How far the parenthesis that the text begins with reaches, in bytes. Those in code do not count.
fn closing(text: &str) -> Option<u32> {
    let mut depth = 0usize;
    let mut in_code = false;
    for (at, character) in text.char_indices() {
        match character {
            '`' => in_code = !in_code,
            '(' if !in_code => depth += 1,
            ')' if !in_code => {
                depth -= 1;
                if depth == 0 {
                    return Some(at as u32 + 1);
                }
            }
            _ => {}
        }
    }
    None
}
