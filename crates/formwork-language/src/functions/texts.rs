//! Texts: by code points, letters of ASCII alone change case.

use super::{Function, Gives, NO_OVERLOAD, Style, Takes, invalid, pure};
use crate::eval::{EvaluationError, Work};
use crate::value::Value;
use std::sync::Arc;

type Evaluated = Result<Value, EvaluationError>;

pub(super) fn functions() -> Vec<Function> {
    use Takes::{Any, Bytes, Integer, List, Map, Text, Texts};
    const TEST: &[super::Overload] = &[overload!(&[Text, Text], Gives::Boolean)];
    const CHANGE: &[super::Overload] = &[overload!(&[Text], Gives::Text)];
    const FIND: &[super::Overload] =
        &[overload!(&[Text, Text], Gives::Integer), overload!(&[Text, Text, Integer], Gives::Integer)];
    vec![
        pure(
            "size",
            Style::Either,
            &[
                overload!(&[Text], Gives::Integer),
                overload!(&[Bytes], Gives::Integer),
                overload!(&[List], Gives::Integer),
                overload!(&[Map], Gives::Integer),
            ],
            size,
        ),
        pure("startsWith", Style::Method, TEST, |_, values| {
            test(values, |text, part| text.starts_with(part))
        }),
        pure("endsWith", Style::Method, TEST, |_, values| test(values, |text, part| text.ends_with(part))),
        pure("contains", Style::Method, TEST, |_, values| test(values, |text, part| text.contains(part))),
        pure("matches", Style::Either, TEST, matches),
        pure("lower", Style::Either, CHANGE, |_, values| change(values, |text| text.to_ascii_lowercase())),
        pure("upper", Style::Either, CHANGE, |_, values| change(values, |text| text.to_ascii_uppercase())),
        pure("lowerAscii", Style::Method, CHANGE, |_, values| {
            change(values, |text| text.to_ascii_lowercase())
        }),
        pure("upperAscii", Style::Method, CHANGE, |_, values| {
            change(values, |text| text.to_ascii_uppercase())
        }),
        pure("trim", Style::Either, CHANGE, |_, values| change(values, |text| text.trim().to_owned())),
        pure("reverse", Style::Method, CHANGE, |_, values| {
            change(values, |text| text.chars().rev().collect())
        }),
        pure(
            "substring",
            Style::Either,
            &[overload!(&[Text, Integer], Gives::Text), overload!(&[Text, Integer, Integer], Gives::Text)],
            substring,
        ),
        pure(
            "replace",
            Style::Either,
            &[
                overload!(&[Text, Text, Text], Gives::Text),
                overload!(&[Text, Text, Text, Integer], Gives::Text),
            ],
            replace,
        ),
        pure(
            "split",
            Style::Either,
            &[overload!(&[Text, Text], Gives::Texts), overload!(&[Text, Text, Integer], Gives::Texts)],
            split,
        ),
        pure(
            "join",
            Style::Either,
            &[overload!(&[Texts], Gives::Text), overload!(&[Texts, Text], Gives::Text)],
            join,
        ),
        pure("charAt", Style::Method, &[overload!(&[Text, Integer], Gives::Text)], char_at),
        pure("indexOf", Style::Method, FIND, |_, values| position(values, false)),
        pure("lastIndexOf", Style::Method, FIND, |_, values| position(values, true)),
        Function {
            takes_absent: true,
            ..pure(
                "dyn",
                Style::Call,
                &[overload!(&[Any], Gives::Dynamic)],
                |_, values| Ok(values[0].clone()),
            )
        },
    ]
}

fn size(work: &mut Work<'_>, values: &[Value]) -> Evaluated {
    let size = match values {
        [Value::Text(text)] => text.chars().count(),
        [Value::Bytes(bytes)] => bytes.len(),
        [Value::List(items)] => items.len(),
        [Value::Map(entries)] => entries.len(),
        [Value::Json(text)] => {
            work.charge(text.len() / 16)?;
            match crate::value::json::parse(text) {
                Ok(value @ (Value::Text(_) | Value::List(_) | Value::Map(_))) => return size(work, &[value]),
                _ => return Err(NO_OVERLOAD),
            }
        }
        _ => return Err(NO_OVERLOAD),
    };
    Ok(Value::Integer(size as i64))
}

fn test(values: &[Value], holds: fn(&str, &str) -> bool) -> Evaluated {
    match values {
        [Value::Text(text), Value::Text(part)] => Ok(Value::Boolean(holds(text, part))),
        _ => Err(NO_OVERLOAD),
    }
}

fn matches(work: &mut Work<'_>, values: &[Value]) -> Evaluated {
    let [Value::Text(text), Value::Text(pattern)] = values else { return Err(NO_OVERLOAD) };
    // Compiling a pattern costs far more than a step.
    work.charge(1000 + pattern.len() * 10)?;
    let pattern = crate::constraint::pattern(pattern).map_err(invalid)?;
    Ok(Value::Boolean(pattern.is_match(text)))
}

fn change(values: &[Value], change: fn(&str) -> String) -> Evaluated {
    match values {
        [Value::Text(text)] => Ok(Value::Text(change(text).into())),
        _ => Err(NO_OVERLOAD),
    }
}

/// The byte at which the code point of this number begins; the number of code points is the end.
fn offset(text: &str, number: i64) -> Result<usize, EvaluationError> {
    let number = usize::try_from(number).map_err(|_| invalid("a position is not negative"))?;
    let mut starts = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    starts.nth(number).ok_or_else(|| invalid("the position lies behind the text"))
}

/// `substring(text, from)` and `substring(text, from, to)`: positions of code points, the end excluded.
fn substring(_: &mut Work<'_>, values: &[Value]) -> Evaluated {
    let (text, from, to) = match values {
        [Value::Text(text), Value::Integer(from)] => (text, offset(text, *from)?, text.len()),
        [Value::Text(text), Value::Integer(from), Value::Integer(to)] => {
            (text, offset(text, *from)?, offset(text, *to)?)
        }
        _ => return Err(NO_OVERLOAD),
    };
    if from > to {
        return Err(invalid("a substring does not end before it begins"));
    }
    Ok(Value::text(&text[from..to]))
}

fn replace(work: &mut Work<'_>, values: &[Value]) -> Evaluated {
    let (text, old, new, count) = match values {
        [Value::Text(text), Value::Text(old), Value::Text(new)] => (text, old, new, usize::MAX),
        [Value::Text(text), Value::Text(old), Value::Text(new), Value::Integer(count)] => {
            (text, old, new, usize::try_from(*count).unwrap_or(usize::MAX))
        }
        _ => return Err(NO_OVERLOAD),
    };
    let places = text.matches(&**old).take(count).count();
    work.charge(places.saturating_mul(new.len()) / 64)?;
    Ok(Value::Text(text.replacen(&**old, new, count).into()))
}

fn split(work: &mut Work<'_>, values: &[Value]) -> Evaluated {
    let (text, separator, limit) = match values {
        [Value::Text(text), Value::Text(separator)] => (text, separator, usize::MAX),
        [Value::Text(text), Value::Text(separator), Value::Integer(limit)] => {
            (text, separator, usize::try_from(*limit).unwrap_or(usize::MAX))
        }
        _ => return Err(NO_OVERLOAD),
    };
    work.charge(text.len() / 8)?;
    let parts: Arc<[Value]> = if separator.is_empty() {
        characters(text, limit)
    } else {
        text.splitn(limit, &**separator).map(Value::text).collect()
    };
    Ok(Value::List(parts))
}

/// The code points one by one; the last item holds what goes beyond the limit.
fn characters(text: &str, limit: usize) -> Arc<[Value]> {
    let mut parts = Vec::new();
    for (at, character) in text.char_indices() {
        if parts.len() >= limit {
            break;
        }
        let rest = &text[at..];
        parts.push(Value::text(if parts.len() + 1 == limit { rest } else { &rest[..character.len_utf8()] }));
    }
    parts.into()
}

fn join(work: &mut Work<'_>, values: &[Value]) -> Evaluated {
    let (items, separator) = match values {
        [Value::List(items)] => (items, ""),
        [Value::List(items), Value::Text(separator)] => (items, &**separator),
        _ => return Err(NO_OVERLOAD),
    };
    work.charge(items.len().saturating_mul(separator.len()) / 64)?;
    let mut joined = String::new();
    for (at, item) in items.iter().enumerate() {
        let Value::Text(item) = item else { return Err(NO_OVERLOAD) };
        if at > 0 {
            joined.push_str(separator);
        }
        work.charge(item.len() / 64)?;
        joined.push_str(item);
    }
    Ok(Value::Text(joined.into()))
}

fn char_at(_: &mut Work<'_>, values: &[Value]) -> Evaluated {
    let [Value::Text(text), Value::Integer(at)] = values else { return Err(NO_OVERLOAD) };
    let from = offset(text, *at)?;
    let character = text[from..].chars().next().map(String::from);
    Ok(Value::Text(character.unwrap_or_default().into()))
}

/// The number of the code point at which a part begins; -1 when it does not occur.
fn position(values: &[Value], last: bool) -> Evaluated {
    let (text, part, from) = match values {
        [Value::Text(text), Value::Text(part)] => (text, part, if last { text.len() } else { 0 }),
        [Value::Text(text), Value::Text(part), Value::Integer(from)] => (text, part, offset(text, *from)?),
        _ => return Err(NO_OVERLOAD),
    };
    let found = if last {
        // What begins at `from` or before ends at most a part's length behind it.
        let end = text.ceil_char_boundary(from.saturating_add(part.len()));
        let before = &text[..end];
        match before.rfind(&**part) {
            Some(at) if at <= from => Some(at),
            _ => text[..from].rfind(&**part),
        }
    } else {
        text[from..].find(&**part).map(|at| at + from)
    };
    Ok(Value::Integer(found.map_or(-1, |at| text[..at].chars().count() as i64)))
}
