//! Operations that will go: their callers are told since when, until when, and what to use instead; then they are gone.
//!
//! Source: RFC 9745 (`Deprecation`), RFC 8594 (`Sunset`), RFC 5829 (`successor-version`); docs/reference/edge.md.

use crate::problems::{GONE, Problem};
use formwork_check::Analysis;
use formwork_language::program::{Operation, PathPart};
use formwork_model::sections::edge::Deprecation;
use http::header::{HeaderName, LINK};
use http::{HeaderMap, HeaderValue};
use rustc_hash::FxHashMap;

const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
const SUNSET: HeaderName = HeaderName::from_static("sunset");

/// The operations that will go, by index.
#[derive(Debug, Default)]
pub(crate) struct Deprecated(FxHashMap<usize, Notice>);

#[derive(Debug)]
struct Notice {
    since: HeaderValue,
    /// From when on it is gone, in microseconds, and as a header.
    ends: Option<(i64, HeaderValue)>,
    /// What to use instead: its path, and for each parameter which one of ours has its value.
    instead: Option<Vec<Piece>>,
}

#[derive(Debug)]
enum Piece {
    Fixed(String),
    Parameter(usize),
}

impl Deprecated {
    /// What section 14 says of operations.
    pub(crate) fn new(analysis: &Analysis) -> Self {
        let operations = &analysis.compiled.program.operations;
        let find = |name: &str| operations.iter().position(|operation| *operation.name == *name);
        let notice = |line: &Deprecation| {
            let index = find(&line.operation.value)?;
            let instead = line.instead.as_ref().and_then(|name| operations.get(find(&name.value)?));
            Some((index, Notice::new(line, operations.get(index)?, instead)?))
        };
        Self(analysis.model.deprecations.iter().filter_map(notice).collect())
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Refuses an operation that is gone at this time.
    pub(crate) fn check(&self, operation: usize, now: i64) -> Result<(), Problem> {
        match self.0.get(&operation).and_then(|notice| notice.ends.as_ref()) {
            Some((ends, _)) if *ends <= now => Err(Problem::of(&GONE)),
            _ => Ok(()),
        }
    }

    /// Tells the caller of an operation; `path` are the values of its path's parameters, still encoded.
    pub(super) fn tell(&self, operation: usize, path: &[&str], answer: &mut HeaderMap) {
        let Some(notice) = self.0.get(&operation) else { return };
        answer.insert(DEPRECATION, notice.since.clone());
        if let Some((_, ends)) = &notice.ends {
            answer.insert(SUNSET, ends.clone());
        }
        if let Some(instead) = notice.instead.as_ref().and_then(|pieces| filled(pieces, path)) {
            answer.append(LINK, instead);
        }
    }
}

impl Notice {
    fn new(line: &Deprecation, old: &Operation, instead: Option<&Operation>) -> Option<Self> {
        let since = HeaderValue::from_str(&format!("@{}", line.since.as_ref()?.seconds)).ok()?;
        let ends = line
            .ends
            .as_ref()
            .and_then(|ends| Some((ends.seconds.checked_mul(1_000_000)?, http_date(ends.seconds)?)));
        let parameters: Vec<&str> = old
            .path
            .iter()
            .filter_map(|part| match part {
                PathPart::Parameter(name) => Some(&**name),
                PathPart::Fixed(_) => None,
            })
            .collect();
        let piece = |part: &PathPart| match part {
            PathPart::Fixed(text) => Some(Piece::Fixed(text.to_string())),
            PathPart::Parameter(name) => {
                parameters.iter().position(|known| **known == **name).map(Piece::Parameter)
            }
        };
        let instead = instead.and_then(|operation| operation.path.iter().map(piece).collect());
        Some(Self { since, ends, instead })
    }
}

/// A link to what is to be used instead.
fn filled(pieces: &[Piece], path: &[&str]) -> Option<HeaderValue> {
    let mut text = String::from("<");
    for piece in pieces {
        text.push('/');
        match piece {
            Piece::Fixed(fixed) => text.push_str(fixed),
            Piece::Parameter(at) => text.push_str(path.get(*at)?),
        }
    }
    text.push_str(">; rel=\"successor-version\"");
    HeaderValue::from_str(&text).ok()
}

/// `Wed, 30 Jun 2027 00:00:00 GMT`
fn http_date(seconds: i64) -> Option<HeaderValue> {
    let time = jiff::Timestamp::from_second(seconds).ok()?;
    HeaderValue::from_str(&time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()).ok()
}
