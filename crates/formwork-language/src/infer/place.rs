//! Where inferred steps go in the document: behind the prose, whose sentences become remarks.

use crate::steps::{Reading, Sentences};
use formwork_model::sections::interface::Operation;
use formwork_syntax::Span;

/// The edits that write the steps into the document: what to put in place of which bytes, in order. None where the
/// operation stands in a list or table, which has no room for steps.
pub(crate) fn insertion(
    source: &str,
    operation: &Operation,
    sentences: &Sentences,
    steps: &[String],
) -> Vec<(Span, String)> {
    let at = |offset: u32| Span::new(offset, offset);
    let Some(last) = behind(source, operation, steps) else { return Vec::new() };
    let mut edits: Vec<(Span, String)> = Vec::new();
    for read in sentences.flat() {
        let kept = matches!(read.reading, Reading::Remark) || read.says_who_may();
        if !kept {
            edits.push((at(read.span.start), "Note: ".to_owned()));
        }
    }
    edits.sort_by_key(|(span, _)| span.start);
    edits.push(last);
    edits
}

/// Behind the last item in its own style, behind a paragraph as further sentences, or as a part of its own.
fn behind(source: &str, operation: &Operation, steps: &[String]) -> Option<(Span, String)> {
    let Some(last) = operation.behavior.last() else {
        return new_part(source, operation, steps);
    };
    let end = last.span.start + trimmed(last.span.slice(source));
    let before = source.get(..last.span.start as usize)?;
    let lead = &before[before.rfind('\n').map_or(0, |at| at + 1)..];
    let own = last.span.slice(source);
    let numbered = last.number.map(|number| (number, own.find(". ").or_else(|| own.find(") "))));
    let bullet = own.starts_with(['-', '*', '+']) && own[1..].starts_with(' ');
    let is_item_line = lead.chars().all(char::is_whitespace);
    let text = match numbered {
        Some((number, Some(mark)))
            if is_item_line && own[..mark].chars().all(|digit| digit.is_ascii_digit()) =>
        {
            let sign = &own[mark..=mark];
            let line = |(at, step): (usize, &String)| {
                format!("\n{lead}{}{sign} {step}", number.saturating_add(1 + at as u64))
            };
            steps.iter().enumerate().map(line).collect()
        }
        _ if bullet && is_item_line => {
            steps.iter().map(|step| format!("\n{lead}{} {step}", &own[..1])).collect()
        }
        _ => {
            let shown = own[..trimmed(own) as usize].trim_end_matches(['*', '_']);
            let stop = if shown.ends_with(['.', '!', '?', ':']) { "" } else { "." };
            format!("{stop} {}", steps.join(" "))
        }
    };
    Some((Span::new(end, end), text))
}

/// Below a label *Behavior* that is empty, else as the last part of the operation.
fn new_part(source: &str, operation: &Operation, steps: &[String]) -> Option<(Span, String)> {
    let own = operation.span.slice(source);
    let numbered: String =
        steps.iter().enumerate().map(|(at, step)| format!("\n{}. {step}", at + 1)).collect();
    if !own.starts_with(['#', '*', '_']) || own.starts_with("* ") {
        return None;
    }
    let (end, text) = match operation.behavior_span {
        Some(label) => {
            let rest = source.get(label.end as usize..)?;
            (label.end + rest.find('\n').unwrap_or(rest.len()) as u32, numbered)
        }
        None => (operation.span.start + trimmed(own), format!("\n\n**Behavior:**{numbered}")),
    };
    Some((Span::new(end, end), text))
}

/// The length without blanks at the end.
fn trimmed(text: &str) -> u32 {
    u32::try_from(text.trim_end().len()).unwrap_or(u32::MAX)
}
