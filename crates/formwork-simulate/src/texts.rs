//! Texts by chance: such as match a pattern, and such as resemble what people write.

use crate::dice::Dice;
use formwork_language::constraint::FieldRules;
use formwork_language::value::Value;
use regex_syntax::hir::{Class, Hir, HirKind};

/// The most characters that are made.
const LONGEST: usize = 200;

/// A text within the rules of a field; few different ones, so that they meet.
pub(crate) fn text(name: &str, rules: &FieldRules, dice: &mut Dice) -> String {
    let fits = |text: &String| rules.violations(&Value::Text(text.as_str().into())).is_empty();
    let (least, most) = rules.length;
    let (least, most) = (length(least.unwrap_or(0)), length(most.unwrap_or(LONGEST as u64)));
    for _ in 0..8 {
        let drawn = match rules.pattern.as_ref().and_then(|pattern| matching(pattern.as_str(), dice)) {
            Some(matched) => matched,
            None => {
                let few = dice.below(4);
                let mut drawn: String =
                    format!("{}{few}", name.replace('_', "-")).chars().take(most).collect();
                let missing = least.saturating_sub(drawn.chars().count());
                drawn.push_str(&"x".repeat(missing));
                drawn
            }
        };
        if fits(&drawn) {
            return drawn;
        }
    }
    "a".repeat(least.max(1))
}

fn length(length: u64) -> usize {
    usize::try_from(length).unwrap_or(LONGEST).min(LONGEST)
}

/// A text that a pattern allows; few different ones. Nothing when it cannot be read.
pub(crate) fn matching(pattern: &str, dice: &mut Dice) -> Option<String> {
    let hir = regex_syntax::parse(pattern).ok()?;
    let mut text = String::new();
    write(&hir, &mut text, dice)?;
    Some(text)
}

fn write(hir: &Hir, text: &mut String, dice: &mut Dice) -> Option<()> {
    if text.len() > LONGEST {
        return None;
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => text.push_str(std::str::from_utf8(&literal.0).ok()?),
        HirKind::Class(Class::Unicode(class)) => {
            let ascii = class.iter().filter(|range| range.start().is_ascii_graphic());
            let starts: Vec<(char, char)> = ascii.map(|range| (range.start(), range.end())).collect();
            let all = || class.iter().map(|range| (range.start(), range.end())).collect::<Vec<_>>();
            let ranges = if starts.is_empty() { all() } else { starts };
            let (start, end) = *dice.pick(&ranges)?;
            // The first three of a range are enough for texts to differ, and few enough for them to meet.
            let further = u32::try_from(dice.below(3)).unwrap_or(0).min(u32::from(end) - u32::from(start));
            text.push(char::from_u32(u32::from(start) + further).unwrap_or(start));
        }
        HirKind::Class(Class::Bytes(class)) => text.push(char::from(class.iter().next()?.start())),
        HirKind::Repetition(repeated) => {
            let least = repeated.min;
            let further = least.saturating_add(3);
            let most = repeated.max.unwrap_or(further).min(further);
            let times = least + u32::try_from(dice.below(u64::from(most - least + 1))).unwrap_or(0);
            for _ in 0..times {
                write(&repeated.sub, text, dice)?;
            }
        }
        HirKind::Capture(capture) => write(&capture.sub, text, dice)?,
        HirKind::Concat(parts) => {
            for part in parts {
                write(part, text, dice)?;
            }
        }
        HirKind::Alternation(parts) => write(dice.pick(parts)?, text, dice)?,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_matches() {
        let mut dice = Dice::new(7, 7);
        for pattern in
            ["^[a-z0-9-]{3,32}$", r"^\d{4}-\d{2}$", "^(a|b)+c{0}$", "^[A-Z]{3}$", "^ORD-[0-9A-F]{8}$"]
        {
            for _ in 0..50 {
                let text = matching(pattern, &mut dice).expect(pattern);
                assert!(regex::Regex::new(pattern).expect("a pattern").is_match(&text), "{pattern}: {text}");
            }
        }
    }
}
