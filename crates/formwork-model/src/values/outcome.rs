//! Outcomes such as `409 slug_taken`. Source: language reference, *Steps*.

use crate::facts::Outcome;

/// An outcome: an HTTP status, and after a blank the problem's code.
pub fn parse_outcome(text: &str) -> Option<Outcome> {
    let mut words = text.split_whitespace();
    let digits = words.next()?;
    let status: u16 = digits.parse().ok()?;
    let code = words.next();
    let is_code =
        |code: &str| code.chars().all(|character| character.is_alphanumeric() || "_-.".contains(character));
    let is_outcome = digits.len() == 3
        && (100..600).contains(&status)
        && words.next().is_none()
        && code.is_none_or(is_code);
    is_outcome.then(|| Outcome { status, code: code.map(str::to_owned) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_may_have_a_code() {
        assert_eq!(
            parse_outcome("409 slug_taken").and_then(|outcome| outcome.code).as_deref(),
            Some("slug_taken")
        );
        assert_eq!(parse_outcome("201"), Some(Outcome { status: 201, code: None }));
        for text in ["", "99", "700", "+409", "409 a b", "slug_taken", "409 a=b"] {
            assert_eq!(parse_outcome(text), None, "{text}");
        }
    }
}
