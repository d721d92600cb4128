//! FW0609: rows that go sooner than the document says elsewhere that they are kept.

use crate::catalogue::Entry;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::prose::{self, Dimension, Sentence};
use crate::words::{self, quoted};
use formwork_model::facts::{Constraint, Field};
use formwork_model::sections::data_model::Entity;
use formwork_syntax::Span;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0609",
    severity: Severity::Warning,
    title: "rows that go before their time",
    page: include_str!("../pages/FW0609.md"),
    rule: Some(rule),
};

/// As many entities with a lifetime are held against fields and goals.
const MOST: usize = 200;

/// How long the rows of an entity are kept, as its own text says.
struct Kept<'a> {
    entity: &'a Entity,
    stems: Vec<String>,
    seconds: f64,
    span: Span,
}

/// Finds it.
fn rule(cx: &Context<'_>) -> Vec<Diagnostic> {
    let kept: Vec<Kept<'_>> =
        cx.model.entities.iter().filter_map(|entity| kept(cx, entity)).take(MOST).collect();
    if kept.is_empty() {
        return Vec::new();
    }
    let mut found = promised(cx, &kept);
    for (owner, field) in
        cx.model.entities.iter().flat_map(|it| it.fields.iter().map(move |field| (it, field)))
    {
        let Some(unit) = unit(&field.name.value) else { continue };
        let about = words::stems(&format!("{} {}", field.name.value, description(field)));
        let fits = |kept: &&Kept<'_>| {
            kept.entity.name.span != owner.name.span && kept.stems.iter().all(|stem| about.contains(stem))
        };
        // `rejected_sample` is meant, not `sample`, where both would fit.
        let Some(kept) = kept.iter().filter(fits).max_by_key(|kept| kept.stems.len()) else { continue };
        let longest = longest(field).map(|value| value * unit);
        if let Some(longest) = longest.filter(|longest| *longest > kept.seconds) {
            let name = quoted(&kept.entity.name.value);
            let said = Sentence { text: kept.span.slice(cx.source), span: kept.span };
            let days = |seconds: f64| format!("{} d", (seconds / 86_400.0 * 100.0).round() / 100.0);
            let field_name = quoted(&field.name.value);
            found.push(
                ENTRY
                    .at(
                        said.span,
                        format!(
                            "rows of {name} go after {}, {field_name} allows {}",
                            days(kept.seconds),
                            days(longest)
                        ),
                    )
                    .related(Some(field.span), "kept longer here")
                    .help("keep the rows as long as the field allows, or bound the field"),
            );
        }
    }
    found
}

/// Goals and the summary say that something is kept longer: ``Keep raw usage for 400 days``.
fn promised(cx: &Context<'_>, kept: &[Kept<'_>]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for prose in cx.model.goals.iter().chain(&cx.model.summary) {
        for sentence in prose::sentences(cx.source, prose.span) {
            let lower = sentence.text.to_lowercase();
            if !["keep", "kept", "retain", "retention"].iter().any(|word| lower.contains(word)) {
                continue;
            }
            let quantities = prose::quantities(sentence);
            let times: Vec<_> = quantities.iter().filter(|it| it.dimension == Dimension::Time).collect();
            let [time] = times.as_slice() else { continue };
            let said = words::stems(sentence.text);
            let about = |kept: &&Kept<'_>| {
                let subject = words::without(&kept.stems, &["record", "row", "entry", "item", "log", "data"]);
                !subject.is_empty() && subject.iter().all(|stem| said.contains(stem))
            };
            let Some(kept) = kept.iter().filter(about).max_by_key(|kept| kept.stems.len()) else { continue };
            if time.value > kept.seconds {
                let name = quoted(&kept.entity.name.value);
                let days = |seconds: f64| format!("{} d", (seconds / 86_400.0 * 100.0).round() / 100.0);
                let message = format!(
                    "rows of {name} go after {}, {} are promised",
                    days(kept.seconds),
                    days(time.value)
                );
                found.push(
                    ENTRY
                        .at(kept.span, message)
                        .related(Some(sentence.span), "promised here")
                        .help("keep the rows as long as is promised, or promise less"),
                );
            }
        }
    }
    found
}

/// The duration behind *TTL*, *kept* or the like in the entity's text outside its fields.
fn kept<'a>(cx: &Context<'_>, entity: &'a Entity) -> Option<Kept<'a>> {
    if !may_be_kept(entity.span.slice(cx.source)) {
        return None;
    }
    let is_field = |span: Span| entity.fields.iter().any(|field| field.span.contains(span));
    let sentences = prose::sentences(cx.source, entity.span);
    for sentence in sentences.into_iter().filter(|sentence| may_be_kept(sentence.text)) {
        let lower = sentence.text.to_lowercase();
        let Some(said) = KEEPING.iter().find_map(|word| lower.find(word)) else { continue };
        if is_field(sentence.span) {
            continue;
        }
        let said = sentence.span.start + said as u32;
        let quantities = prose::quantities(sentence);
        let near = quantities
            .iter()
            .find(|it| it.dimension == Dimension::Time && it.span.start >= said && it.span.start - said < 24);
        if let Some(quantity) = near {
            return Some(Kept {
                entity,
                stems: words::stems(&entity.name.value),
                seconds: quantity.value,
                span: Span::new(said, quantity.span.end),
            });
        }
    }
    None
}

/// Words before the time after which rows go, in ASCII.
const KEEPING: [&str; 8] = [
    "ttl",
    "kept for",
    "kept",
    "retention",
    "retained for",
    "deleted after",
    "dropped after",
    "expires after",
];

/// Whether one of [`KEEPING`] can stand in a text: most say nothing of it, and need not be cut into sentences.
fn may_be_kept(text: &str) -> bool {
    let bytes = text.as_bytes();
    let begins = |at: usize| {
        let rest = &bytes[at..];
        let stands = |word: &&str| {
            rest.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word.as_bytes()))
        };
        KEEPING.iter().any(stands)
    };
    // Few words begin with two of these letters.
    let may_begin = |pair: &[u8]| {
        let (first, second) = (pair[0] | 0x20, pair[1] | 0x20);
        matches!((first, second), (b't', b't') | (b'k' | b'r' | b'd', b'e') | (b'd', b'r') | (b'e', b'x'))
    };
    // A letter of another alphabet may be one of these in lower case.
    !text.is_ascii() || bytes.windows(2).enumerate().any(|(at, pair)| may_begin(pair) && begins(at))
}

/// The seconds that one of a field counts whose name ends in a unit: `raw_days`.
fn unit(name: &str) -> Option<f64> {
    let (_, last) = name.rsplit_once('_')?;
    match last {
        "days" | "d" => Some(86_400.0),
        "hours" | "h" => Some(3_600.0),
        "minutes" | "min" => Some(60.0),
        "seconds" | "s" => Some(1.0),
        _ => None,
    }
}

fn description(field: &Field) -> &str {
    field.description.as_ref().map_or("", |description| &description.value)
}

/// The largest value that a field may have, or else its default.
fn longest(field: &Field) -> Option<f64> {
    let of = |pick: fn(&Constraint) -> Option<&str>| {
        field.constraints.iter().find_map(|it| pick(&it.value)?.parse::<f64>().ok())
    };
    let most = of(|it| if let Constraint::Max { value, .. } = it { Some(value.as_str()) } else { None });
    let prose = || {
        field.constraints.iter().find_map(|it| match &it.value {
            Constraint::Prose(text) => range_end(text),
            _ => None,
        })
    };
    most.or_else(prose).or_else(|| {
        of(|it| if let Constraint::Default(value) = it { Some(value.value.as_str()) } else { None })
    })
}

/// The end of a range that only prose gives: `1-90`.
fn range_end(text: &str) -> Option<f64> {
    let (first, last) = text.trim().split_once(['-', '–'])?;
    first.trim().parse::<f64>().ok()?;
    last.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_keeping_is_seen_in_any_case_and_nothing_else() {
        for word in KEEPING {
            assert!(may_be_kept(word) && may_be_kept(&format!("**{}:** 9 d", word.to_uppercase())), "{word}");
        }
        assert!(
            !may_be_kept("`expires_at` (timestamp), retained, deleted and dropped at once")
                && !may_be_kept("k")
        );
    }
}
