//! What a document says of callers at the edge: pages of other origins (section 9), and operations that will go
//! (section 14).
//!
//! ``- CORS: `https://app.example.com`, with credentials, for 10 min`` and
//! ``- `old` is deprecated since 2026-06-01, ends 2027-06-30, use `new` ``. Source: docs/reference/edge.md.

use super::performance::duration_at;
use crate::facts::Prose;
use crate::model::Class;
use crate::reader::{Entry, Reader, entries};
use crate::tokens::{Token, find_words};
use formwork_syntax::{Part, Span, Spanned};

/// A line that begins with `CORS`.
#[derive(Clone, Debug)]
pub struct Cors {
    /// The origins in it, as written.
    pub origins: Vec<Spanned<String>>,
    /// `*`, `any origin`
    pub any: bool,
    /// `with credentials`
    pub credentials: bool,
    /// `for 10 min`, in seconds.
    pub seconds: Option<u64>,
    /// As written.
    pub text: Prose,
}

impl Cors {
    /// Whether it says whose pages may call.
    pub fn names_somebody(&self) -> bool {
        self.any || !self.origins.is_empty()
    }
}

/// A day, which begins at midnight UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    /// `2026-06-01`
    pub text: String,
    /// Its beginning, in seconds since 1970.
    pub seconds: i64,
}

/// An operation that will go.
#[derive(Clone, Debug)]
pub struct Deprecation {
    /// Which.
    pub operation: Spanned<String>,
    /// Since when nobody should begin to use it.
    pub since: Option<Day>,
    /// From when on it is gone.
    pub ends: Option<Day>,
    /// What to use instead.
    pub instead: Option<Spanned<String>>,
    /// As written.
    pub text: Prose,
}

/// An origin as browsers write it: scheme, host in lower case, and a port that is not the scheme's own.
pub fn origin(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let own = match &*scheme {
        "https" => "443",
        "http" => "80",
        _ => return None,
    };
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (rest, None),
    };
    let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let fits = match inner {
        Some(address) => {
            address.contains(':')
                && address.bytes().all(|byte| byte.is_ascii_hexdigit() || b":.".contains(&byte))
        }
        None => {
            !host.is_empty()
                && host.len() <= 253
                && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
        }
    };
    let port = port.map(|port| port.parse::<u16>().map(|number| number.to_string()));
    let port = port.transpose().ok()?.filter(|port| port != own);
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    fits.then(|| format!("{scheme}://{}{port}", host.to_ascii_lowercase()))
}

/// Reads a line of section 9 that begins with `CORS`; whether it was one that says something.
pub(crate) fn read_cors(reader: &mut Reader<'_>, entry: &Entry<'_>) -> bool {
    let text = reader.prose(entry.text);
    let begins = text.value.trim_start().get(..4).is_some_and(|word| word.eq_ignore_ascii_case("cors"));
    if !begins {
        return false;
    }
    let tokens = reader.tokens(entry.text);
    let origins: Vec<Spanned<String>> = addresses(reader.source, &tokens).collect();
    let is_star = |token: &Token<'_>| &*token.text == "*";
    let any = tokens.iter().any(is_star)
        || [["any", "origin"], ["all", "origins"], ["every", "origin"]]
            .iter()
            .any(|words| find_words(&tokens, words).is_some());
    let lasting = tokens.iter().enumerate().filter(|(_, token)| token.is_word("for"));
    let micros = lasting.filter_map(|(at, _)| duration_at(tokens.get(at + 1..)?)).next();
    let without = find_words(&tokens, &["without", "credentials"]).is_some()
        || find_words(&tokens, &["no", "credentials"]).is_some();
    let cors = Cors {
        origins,
        any,
        credentials: !without && tokens.iter().any(|token| token.is_word("credentials")),
        seconds: micros.and_then(|(micros, _)| u64::try_from(micros / 1_000_000).ok()),
        text,
    };
    let is_fact = cors.names_somebody();
    reader.model.cors.push(cors);
    is_fact
}

/// The web addresses among tokens, in code or not.
fn addresses<'t>(source: &'t str, tokens: &'t [Token<'t>]) -> impl Iterator<Item = Spanned<String>> + 't {
    let mut behind = 0;
    tokens.iter().filter_map(move |token| {
        let text = source.get(token.span.start as usize..)?;
        let lead = text.len() - text.trim_start_matches('`').len();
        let begins =
            text.get(lead..).is_some_and(|text| text.starts_with("http://") || text.starts_with("https://"));
        if !begins || token.span.start < behind {
            return None;
        }
        let text = &text[lead..];
        let length = text.find(|c: char| c.is_whitespace() || ",;`)>".contains(c)).unwrap_or(text.len());
        let text = text[..length].trim_end_matches('.');
        let start = token.span.start + u32::try_from(lead).ok()?;
        let span = Span::new(start, start + u32::try_from(text.len()).ok()?);
        behind = span.end;
        Some(Spanned::new(text.to_owned(), span))
    })
}

/// Reads the lines of section 14 that say that an operation will go.
pub(crate) fn read_deprecations(reader: &mut Reader<'_>, part: &Part) {
    for entry in entries(reader.source, part) {
        if let Some(found) = deprecation(reader, &entry) {
            reader.model.deprecations.push(found);
            let read = reader.model.classes.iter_mut().rev().find(|(span, _)| *span == entry.span);
            if let Some((_, class)) = read {
                *class = Class::Understood;
            }
        }
    }
    part.parts().for_each(|below| read_deprecations(reader, below));
}

/// `` `old` is deprecated since DATE, ends DATE, use `new` ``
fn deprecation(reader: &Reader<'_>, entry: &Entry<'_>) -> Option<Deprecation> {
    let tokens = reader.tokens(entry.text);
    let at = tokens.iter().position(|token| token.is_word("deprecated"))?;
    let [operation] = tokens[..at].iter().filter(|token| token.is_code()).collect::<Vec<_>>()[..] else {
        return None;
    };
    if !tokens[..at].last()?.is_word("is") {
        return None;
    }
    let text = reader.prose(entry.text);
    let after = |words: &[&str]| {
        let place = words.iter().find_map(|word| text.value.find(&format!(" {word} ")))?;
        date(text.value.get(place..)?.split_whitespace().nth(1)?)
    };
    let instead = tokens.iter().position(|token| token.is_word("use") || token.is_word("replaced"));
    let instead = instead.and_then(|at| tokens[at..].iter().find(|token| token.is_code()));
    Some(Deprecation {
        operation: operation.spanned(),
        since: after(&["since", "from"]),
        ends: after(&["ends", "until"]),
        instead: instead.map(Token::spanned),
        text,
    })
}

/// `2026-06-01`, with or without a mark behind it.
fn date(text: &str) -> Option<Day> {
    let text = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let mut pieces = text.split('-');
    let mut number = |length| pieces.next().filter(|piece| piece.len() == length)?.parse::<i64>().ok();
    let (year, month, day) = (number(4)?, number(2)?, number(2)?);
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if pieces.next().is_some() || !(1..=days).contains(&day) || year < 1970 {
        return None;
    }
    // The year begins in March, so that the odd day is its last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    let days = 365 * year + year / 4 - year / 100 + year / 400 + day_of_year - 719_468;
    Some(Day { text: text.to_owned(), seconds: days * 86_400 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_written_as_browsers_do() {
        assert_eq!(origin("https://App.Example.com").as_deref(), Some("https://app.example.com"));
        assert_eq!(origin("https://a.example:443/").as_deref(), Some("https://a.example"));
        assert_eq!(origin("http://localhost:3000").as_deref(), Some("http://localhost:3000"));
        assert_eq!(origin("http://[::1]:3000").as_deref(), Some("http://[::1]:3000"));
        for wrong in [
            "",
            "a.example",
            "https://",
            "https://a/b",
            "https://*.a",
            "ftp://a",
            "https://a:b",
            "https://u@a",
        ] {
            assert_eq!(origin(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_date_is_its_first_second() {
        let seconds = |text| date(text).map(|day| day.seconds);
        assert_eq!(seconds("1970-01-01"), Some(0));
        assert_eq!(seconds("2027-06-30,"), Some(1_814_313_600));
        assert_eq!(seconds("2024-02-29"), Some(1_709_164_800));
        for wrong in ["2023-02-29", "2023-13-01", "2023-1-1", "soon", "2023-01-01-01", "1969-01-01"] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
    }
}
