//! Corrections that follow from the text alone: for mistakes whose mending needs no choice.
//!
//! Each gives a [`Fix`] only where what the author meant is plain; the finding proposes nothing otherwise. Source:
//! language reference, *Discipline of a step*.

use crate::context::Context;
use crate::diagnostic::{Edit, Fix};
use formwork_model::Model;
use formwork_model::names::nearest;
use formwork_model::values::TYPE_WORDS;
use formwork_syntax::Span;

fn fix(title: &str, edits: Vec<Edit>) -> Option<Fix> {
    (!edits.is_empty()).then(|| Fix { title: title.to_owned(), edits })
}

fn one(title: &str, span: Span, text: impl Into<String>) -> Option<Fix> {
    fix(title, vec![Edit { span, text: text.into() }])
}

/// What mends a step that does not parse, by what was expected at the place.
pub(crate) fn of_step(source: &str, span: Span, expected: &str) -> Option<Fix> {
    match () {
        () if expected.contains("a colon before the steps below") => colon(source, span),
        () if expected.starts_with("one step in one sentence") => two_steps(source, span),
        () => None,
    }
}

/// A declared name that stands without its backticks.
pub(crate) fn in_code(cx: &Context<'_>, span: Span, expected: &str) -> Option<Fix> {
    let name = span.slice(cx.source);
    let is_declared = match expected {
        "the variable in backticks" | "the name of an entity in backticks" => {
            cx.model.entities.iter().any(|entity| entity.name.value == name)
        }
        "the name of an event in backticks" => cx.model.events.iter().any(|event| event.name.value == name),
        "the name of a metric in backticks" => {
            cx.model.metrics.iter().any(|metric| metric.name.value == name)
        }
        _ => false,
    };
    is_declared.then(|| one("put it in backticks", span, format!("`{name}`")))?
}

/// What mends an expression that does not parse, by what stands at the place.
pub(crate) fn of_expression(source: &str, span: Span) -> Option<Fix> {
    match span.slice(source) {
        "," | ";" => assignments(source, span),
        "and" => one("write `&&`", span, "&&"),
        "or" => one("write `||`", span, "||"),
        "=" => third_sign(source, span),
        _ => comparison(source, span),
    }
}

/// How many names are looked at for another one as near.
const MOST_RIVALS: usize = 2_000;

/// Whether no other name of the same kind is as near to `wrong` as `near` is: only then is it written without asking.
pub(crate) fn is_alone(cx: &Context<'_>, wrong: &str, near: &str) -> bool {
    let is_rival = |other: &&str| *other != near && nearest(wrong, [*other, near]) == Some(*other);
    let mut left = MOST_RIVALS;
    let all = kinds(cx.model).take_while(move |kind| {
        left = left.saturating_sub(kind.len().max(1));
        left > 0
    });
    !all.filter(|kind| kind.contains(&near)).any(|kind| kind.iter().any(is_rival))
}

/// The names of a document and the words for types, those of one kind together.
fn kinds(model: &Model) -> impl Iterator<Item = Vec<&str>> {
    let operations = || model.operations.iter().chain(&model.endpoints);
    let kinds: [Vec<&str>; 7] = [
        TYPE_WORDS.to_vec(),
        model.entities.iter().map(|entity| &*entity.name.value).collect(),
        operations().map(|operation| &*operation.name.value).collect(),
        model.events.iter().map(|event| &*event.name.value).collect(),
        model.metrics.iter().map(|metric| &*metric.name.value).collect(),
        model.components.iter().map(|component| &*component.name.value).collect(),
        model.authorization.grants.iter().map(|grant| &*grant.role.value).collect(),
    ];
    let of_entities = model.entities.iter().map(|entity| &entity.fields);
    let of_operations = operations().map(|operation| &operation.input.fields);
    let fields = of_entities.chain(of_operations);
    kinds.into_iter().chain(fields.map(|fields| fields.iter().map(|field| &*field.name.value).collect()))
}

/// The label that is meant by a bold one at the start of an item.
pub(crate) fn of_label(source: &str, item: Span, labels: &'static [&'static str]) -> Option<Fix> {
    let text = item.slice(source);
    let start = text.find("**")? + 2;
    let length = text[start..].find([':', '*', '\n'])?;
    let written = &text[start..start + length];
    let near = nearest(written, labels.iter().copied()).filter(|near| *near != written)?;
    one(&format!("write `{near}`"), item.part(start as u32, (start + length) as u32), near)
}

/// A sentence before nested steps ends in a colon.
fn colon(source: &str, span: Span) -> Option<Fix> {
    let rest = source.get(span.end as usize..)?;
    let taken = u32::from(rest.starts_with(['.', ';', ',']));
    one("end it with a colon", Span::new(span.end, span.end + taken), ":")
}

/// `…, and deletes the …` becomes a sentence of its own. A condition in the sentence may be meant for both steps: then
/// the author decides.
fn two_steps(source: &str, word: Span) -> Option<Fix> {
    let line_start = source.get(..word.start as usize)?.rfind('\n').map_or(0, |at| at + 1);
    let rest = source.get(word.start as usize..)?;
    let line_end = word.start as usize + rest.find('\n').unwrap_or(rest.len());
    let line = &source[line_start..line_end];
    let prose: String = line.split('`').step_by(2).collect::<Vec<_>>().join(" ").to_lowercase();
    let governs = |word: &str| ["if", "when", "unless", "otherwise", "note:"].contains(&word);
    if prose.split_whitespace().any(governs) || line.trim_end().ends_with(':') {
        return None;
    }
    let before = source[line_start..word.start as usize].trim_end();
    let first = before.strip_suffix("and").or_else(|| before.strip_suffix("then"))?;
    let first = first.trim_end_matches([' ', ',']);
    let from = (line_start + first.len()) as u32;
    let mut letters = word.slice(source).chars();
    let capital: String = letters.next()?.to_uppercase().chain(letters).collect();
    one("write two sentences", Span::new(from, word.end), format!(". {capital}"))
}

/// `` `a = 1, b = 2` `` becomes `` `a = 1`, `b = 2` ``.
fn assignments(source: &str, separator: Span) -> Option<Fix> {
    let code = code_around(source, separator)?;
    let text = code.slice(source);
    assigned(text)?;
    let edits: Vec<Edit> = separators(text)
        .filter_map(|at| {
            let behind = &text[at + 1..];
            let name = behind.trim_start();
            assigned(name)?;
            let end = at + 1 + behind.len() - name.len();
            Some(Edit { span: code.part(at as u32, end as u32), text: "`, `".to_owned() })
        })
        .collect();
    let is_one_of_them = edits.iter().any(|edit| edit.span.contains(separator));
    fix("give each assignment a code span of its own", edits).filter(|_| is_one_of_them)
}

/// `` `url == "x"` `` where an assignment belongs.
fn comparison(source: &str, span: Span) -> Option<Fix> {
    let text = span.slice(source);
    let rest = text.trim_start_matches(is_letter);
    let blanks = rest.len() - rest.trim_start().len();
    let value = rest.trim_start().strip_prefix("==")?;
    let at = (text.len() - rest.len() + blanks) as u32;
    let is_plain = at > 0 && !value.starts_with('=') && !value.contains("==") && !value.contains("&&");
    is_plain.then(|| one("write one `=`", span.part(at, at + 2), "="))?
}

/// `a === b`.
fn third_sign(source: &str, sign: Span) -> Option<Fix> {
    let start = sign.start.checked_sub(2)?;
    let is_third = Span::new(start, sign.end).slice(source) == "===";
    is_third.then(|| one("write `==`", sign, ""))?
}

fn is_letter(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

/// What follows the `=` when the text begins with an assignment.
fn assigned(text: &str) -> Option<&str> {
    let rest = text.trim_start_matches(is_letter);
    let value = rest.trim_start().strip_prefix('=')?;
    (rest.len() < text.len() && !value.starts_with('=')).then_some(value)
}

/// The code span around a place, without its backticks; on one line.
fn code_around(source: &str, place: Span) -> Option<Span> {
    let start = source.get(..place.start as usize)?.rfind(['`', '\n'])?;
    let end = place.end as usize + source.get(place.end as usize..)?.find(['`', '\n'])?;
    let is_code = source[start..].starts_with('`') && source[end..].starts_with('`');
    is_code.then(|| Span::new(start as u32 + 1, end as u32))
}

/// Where commas and semicolons stand outside quotes, parentheses, brackets and braces.
fn separators(text: &str) -> impl Iterator<Item = usize> {
    let mut depth = 0usize;
    let mut quote = None;
    let mut found = Vec::new();
    for (at, letter) in text.char_indices() {
        match (quote, letter) {
            (Some(open), _) if letter == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(letter),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth = depth.saturating_sub(1),
            (None, ',' | ';') if depth == 0 => found.push(at),
            (None, _) => {}
        }
    }
    found.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mended(source: &str, wrong: &str, find: impl Fn(&str, Span) -> Option<Fix>) -> Option<String> {
        let at = source.find(wrong).expect("it is there") as u32;
        let mut text = source.to_owned();
        let mut edits = find(source, Span::new(at, at + wrong.len() as u32))?.edits;
        edits.sort_by_key(|edit| std::cmp::Reverse(edit.span.start));
        edits.iter().for_each(|edit| text.replace_range(edit.span.range(), &edit.text));
        Some(text)
    }

    #[test]
    fn assignments_in_one_span_get_spans_of_their_own() {
        let mend = |source: &str| mended(source, ",", of_expression);
        assert_eq!(
            mend("with `a = 1, b = f(2, 3), c = \"x, d = 1\"`.").as_deref(),
            Some("with `a = 1`, `b = f(2, 3)`, `c = \"x, d = 1\"`.")
        );
        assert_eq!(mend("where `f(a, b) == 1`"), None);
        assert_eq!(mend("with `a = 1, 2`"), None);
    }

    #[test]
    fn two_steps_become_two_sentences_unless_a_condition_may_govern_both() {
        let mend = |source: &str| {
            mended(source, "counts", |text, span| of_step(text, span, "one step in one sentence"))
        };
        assert_eq!(mend("1. Emits `a`, and counts `b`.\n").as_deref(), Some("1. Emits `a`. Counts `b`.\n"));
        assert_eq!(mend("1. Emits `a` and counts `b` if `c`.\n"), None);
        assert_eq!(mend("1. If `c`, emits `a` and counts `b`.\n"), None);
    }

    #[test]
    fn steps_below_are_announced_by_a_colon() {
        let mend = |source: &str| {
            mended(source, "If `a`", |text, span| of_step(text, span, "a colon before the steps below"))
        };
        assert_eq!(mend("1. If `a`.\n").as_deref(), Some("1. If `a`:\n"));
        assert_eq!(mend("1. If `a`\n").as_deref(), Some("1. If `a`:\n"));
    }

    #[test]
    fn words_and_signs_of_other_languages_are_put_right() {
        assert_eq!(mended("`a and b`", "and", of_expression).as_deref(), Some("`a && b`"));
        assert_eq!(mended("`a or b`", "or", of_expression).as_deref(), Some("`a || b`"));
        assert_eq!(mended("`url == \"x\"`", "url == \"x\"", of_expression).as_deref(), Some("`url = \"x\"`"));
        assert_eq!(of_expression("`a === b`", Span::new(5, 6)).map(|fix| fix.edits.len()), Some(1));
    }
}
