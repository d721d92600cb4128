//! `ETag`, `If-Match` and `If-None-Match` (RFC 9110, 8.8.3 and 13).
//!
//! An answer that is exactly one row bears a tag of the row's state; what a write asks of it is compared in the
//! transaction, by the engine. The answer of any other `GET` bears a hash of its bytes, for `If-None-Match` alone. Source:
//! docs/reference/http.md, *Conditional requests*.

use crate::problems::{MALFORMED, PRECONDITION_FAILED, Problem};
use crate::respond::Reply;
use formwork_engine::{Precondition, Tags, row_tag};
use formwork_language::program::Schema;
use formwork_language::value::Row;
use http::header::{CACHE_CONTROL, ETAG, HeaderName, IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, StatusCode};
use std::hash::{DefaultHasher, Hash, Hasher};

/// What a request asks, read once.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Conditions {
    if_match: Option<Sent>,
    if_none_match: Option<Sent>,
}

/// The tags of a header.
#[derive(Debug, PartialEq)]
enum Sent {
    Any,
    /// What stands between the quotes, and whether the tag is a weak one.
    These(Vec<(String, bool)>),
}

impl Sent {
    /// `If-Match` compares strongly, `If-None-Match` weakly.
    fn have(&self, tag: &str, strongly: bool) -> bool {
        match self {
            Self::Any => true,
            Self::These(tags) => tags.iter().any(|(known, weak)| known == tag && !(strongly && *weak)),
        }
    }

    /// As the engine compares them: of the row's state alone, in whichever selection of fields it was sent.
    fn of_rows(&self, strongly: bool) -> Tags {
        match self {
            Self::Any => Tags::Any,
            Self::These(tags) => {
                let kept = tags.iter().filter(|(_, weak)| !(strongly && *weak));
                Tags::These(kept.map(|(tag, _)| state_of(tag).to_owned()).collect())
            }
        }
    }
}

/// A tag without what says which fields were sent.
fn state_of(tag: &str) -> &str {
    let end = tag.match_indices('-').nth(1).map_or(tag.len(), |(end, _)| end);
    &tag[..end]
}

impl Conditions {
    /// Reads the header; what cannot be read is refused, since to pass it over would write unasked.
    pub(crate) fn read(headers: &HeaderMap) -> Result<Self, Problem> {
        if !headers.contains_key(IF_MATCH) && !headers.contains_key(IF_NONE_MATCH) {
            return Ok(Self::default());
        }
        Ok(Self { if_match: sent(headers, IF_MATCH)?, if_none_match: sent(headers, IF_NONE_MATCH)? })
    }

    /// What is compared in the transaction of a request that is no `GET`.
    pub(crate) fn of_write(&self) -> Option<Box<Precondition>> {
        (*self != Self::default()).then(|| {
            let if_match = self.if_match.as_ref().map(|sent| sent.of_rows(true));
            let if_none_match = self.if_none_match.as_ref().map(|sent| sent.of_rows(false));
            Box::new(Precondition { if_match, if_none_match, rehearsal: false })
        })
    }

    /// The answer of a `GET` or `HEAD` in the light of what was asked.
    pub(crate) fn of_read(&self, reply: Reply) -> Result<Reply, Problem> {
        if *self == Self::default() || !reply.status.is_success() {
            return Ok(reply);
        }
        let tag = reply.headers.iter().find(|(name, _)| name == ETAG).and_then(|(_, tag)| tag.to_str().ok());
        let tag = tag.map(|tag| tag.trim_matches('"')).unwrap_or_default();
        let of_row = !tag.starts_with(OF_BYTES) && !tag.is_empty();
        let matches = |sent: &Sent| *sent == Sent::Any || (of_row && sent.have(tag, true));
        if self.if_match.as_ref().is_some_and(|sent| !matches(sent)) {
            return Err(Problem::with(
                &PRECONDITION_FAILED,
                "The answer has another `ETag` than `If-Match` names.",
            ));
        }
        if self.if_none_match.as_ref().is_some_and(|sent| sent.have(tag, false)) {
            return Ok(Reply {
                status: StatusCode::NOT_MODIFIED,
                content_type: None,
                body: Vec::new(),
                headers: reply.headers,
            });
        }
        Ok(reply)
    }
}

fn sent(headers: &HeaderMap, name: HeaderName) -> Result<Option<Sent>, Problem> {
    let mut found = None;
    for value in headers.get_all(&name) {
        let read = value.to_str().ok().and_then(tags);
        let wrong = || {
            let detail = format!("`{name}` is `*` or a list of tags in quotes, as they stand in `ETag`.");
            Problem::with(&MALFORMED, detail)
        };
        found = Some(match (found, read.ok_or_else(wrong)?) {
            (None, read) => read,
            (Some(Sent::These(mut known)), Sent::These(more)) => {
                known.extend(more);
                Sent::These(known)
            }
            _ => return Err(wrong()),
        });
    }
    Ok(found)
}

/// `*`, or tags separated by commas.
fn tags(text: &str) -> Option<Sent> {
    let mut rest = text.trim();
    if rest == "*" {
        return Some(Sent::Any);
    }
    let mut tags = Vec::new();
    loop {
        let weak = rest.starts_with("W/");
        rest = if weak { &rest[2..] } else { rest };
        let (tag, behind) = rest.strip_prefix('"')?.split_once('"')?;
        tags.push((tag.to_owned(), weak));
        rest = behind.trim_start();
        match rest.strip_prefix(',') {
            Some(next) => rest = next.trim_start(),
            None => return rest.is_empty().then_some(Sent::These(tags)),
        }
    }
}

/// How the tag of an answer begins that is no row.
const OF_BYTES: &str = "h-";

/// The tag of an answer that is exactly one row; `fields` tells selections of its fields apart.
pub(crate) fn of_row(schema: &Schema, row: &Row, fields: Option<u32>) -> Option<HeaderValue> {
    let state = row_tag(schema, row);
    let tag = match fields {
        None => format!("\"{state}\""),
        Some(fields) => format!("\"{state}-{fields:x}\""),
    };
    HeaderValue::from_str(&tag).ok().filter(|_| !row.deleted)
}

/// The tag of any other answer.
pub(crate) fn of_bytes(body: &[u8]) -> Option<HeaderValue> {
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    HeaderValue::from_str(&format!("\"{OF_BYTES}{:016x}\"", hasher.finish())).ok()
}

/// A number that tells one selection of fields from another.
pub(crate) fn selection(names: &[std::sync::Arc<str>]) -> u32 {
    let mut hasher = DefaultHasher::new();
    names.hash(&mut hasher);
    (hasher.finish() >> 32) as u32
}

/// Puts a tag on an answer; that of a `GET` may be kept by its caller, to be asked for again.
pub(crate) fn put(reply: &mut Reply, tag: Option<HeaderValue>, is_get: bool) {
    let Some(tag) = tag else { return };
    reply.headers.push((ETAG, tag));
    if is_get {
        reply.headers.push((CACHE_CONTROL, HeaderValue::from_static("private, no-cache")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_tags_are_read_as_the_standard_writes_them() {
        assert_eq!(tags("*"), Some(Sent::Any));
        let these = |tags: &[(&str, bool)]| {
            Some(Sent::These(tags.iter().map(|(tag, weak)| ((*tag).to_owned(), *weak)).collect()))
        };
        assert_eq!(tags("\"a\""), these(&[("a", false)]));
        assert_eq!(tags(" \"a, b\" , W/\"c\""), these(&[("a, b", false), ("c", true)]));
        for bad in ["", "a", "\"a", "\"a\" \"b\"", "\"a\",", "*, \"a\"", "w/\"a\""] {
            assert_eq!(tags(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_weak_tag_never_matches_strongly() {
        let sent = tags("W/\"3-00ff\"").expect("tags");
        assert!(!sent.have("3-00ff", true) && sent.have("3-00ff", false));
        assert_eq!(sent.of_rows(true), Tags::These(Vec::new()));
        assert_eq!(tags("\"3-00ff-1a\"").expect("tags").of_rows(true), Tags::These(vec!["3-00ff".into()]));
    }
}
