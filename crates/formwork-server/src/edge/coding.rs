//! Answers compressed with gzip where the caller takes it and it is worth it.
//!
//! Only what a `GET` answers: problems and what a write answers are short, and may hold what the caller has just been
//! given to keep. A compressed answer is a representation of its own, so its tag is another one. Source: RFC 9110, 8.4,
//! 8.8.3 and 12.5.3; decision 0123.

use crate::problems::{Problem, UNSUPPORTED_MEDIA_TYPE};
use crate::respond::Answer;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use std::io::Write;

/// Answers below this gain nothing.
const WORTH_IT: usize = 1024;
/// From here on the work is done beside the threads that serve.
const MUCH: usize = 64 * 1024;
/// What the tag of a compressed answer ends with, before its last quote.
const MARK: &str = "-gzip";

/// Refuses a compressed body: what it would become is not known before the work is done.
pub(crate) fn check(headers: &HeaderMap) -> Result<(), Problem> {
    let mut sent = headers.get_all(CONTENT_ENCODING).iter();
    if sent.all(|coding| coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Ok(());
    }
    let mut problem =
        Problem::with(&UNSUPPORTED_MEDIA_TYPE, "Send the body as it is, without compressing it.");
    problem.headers.push((ACCEPT_ENCODING, HeaderValue::from_static("identity")));
    Err(problem)
}

/// What a request says of codings, read before it is answered.
pub(super) struct Wanted {
    gzip: bool,
    reads: bool,
    /// The tags that it knows compressed answers by.
    known: String,
}

impl Wanted {
    /// Reads it, and leaves the tags of the answers as they were before they were compressed.
    pub(super) fn take(method: &Method, headers: &mut HeaderMap) -> Self {
        let text = |name: &HeaderName, headers: &HeaderMap| {
            let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
            values.collect::<Vec<_>>().join(",")
        };
        let wanted = Self {
            gzip: takes_gzip(&text(&ACCEPT_ENCODING, headers)),
            reads: *method == Method::GET,
            known: text(&IF_NONE_MATCH, headers),
        };
        for name in [IF_MATCH, IF_NONE_MATCH] {
            let sent = text(&name, headers);
            let marked = format!("{MARK}\"");
            if sent.contains(&marked)
                && let Ok(plain) = HeaderValue::from_str(&sent.replace(&marked, "\""))
            {
                headers.insert(name, plain);
            }
        }
        wanted
    }

    /// The answer in the coding that was asked for.
    pub(super) async fn of(self, mut answer: Answer) -> Answer {
        if !self.reads {
            return answer;
        }
        if answer.status() == StatusCode::NOT_MODIFIED {
            let marked = answer.headers().get(ETAG).and_then(marked);
            answer.headers_mut().append(VARY, HeaderValue::from_static("Accept-Encoding"));
            if let Some(marked) = marked
                && marked.to_str().is_ok_and(|tag| self.known.contains(tag))
            {
                answer.headers_mut().insert(ETAG, marked);
            }
            return answer;
        }
        if !is_fit(&answer) {
            return answer;
        }
        answer.headers_mut().append(VARY, HeaderValue::from_static("Accept-Encoding"));
        if !self.gzip {
            return answer;
        }
        let plain = answer.body().bytes().clone();
        let length = plain.len();
        let Some(packed) = packed(plain).await.filter(|packed| packed.len() < length) else { return answer };
        let headers = answer.headers_mut();
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        headers.insert(CONTENT_LENGTH, HeaderValue::from(packed.len()));
        if let Some(tag) = headers.get(ETAG).and_then(marked) {
            headers.insert(ETAG, tag);
        }
        answer.body_mut().replace(packed);
        answer
    }
}

/// Whether an answer is one that is compressed for those who want it.
fn is_fit(answer: &Answer) -> bool {
    answer.status() == StatusCode::OK
        && answer.body().bytes().len() >= WORTH_IT
        && answer.headers().get(CONTENT_TYPE).is_some_and(|kind| kind == "application/json")
        && !answer.headers().contains_key(CONTENT_ENCODING)
}

async fn packed(plain: Bytes) -> Option<Bytes> {
    if plain.len() < MUCH {
        return gzip(&plain);
    }
    tokio::task::spawn_blocking(move || gzip(&plain)).await.ok()?
}

fn gzip(plain: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(plain.len() / 4), Compression::new(5));
    encoder.write_all(plain).ok()?;
    encoder.finish().ok().map(Bytes::from)
}

/// A strong tag with the mark; a weak one is the same for every coding.
fn marked(tag: &HeaderValue) -> Option<HeaderValue> {
    let inner = tag.to_str().ok()?.strip_prefix('"')?.strip_suffix('"')?;
    HeaderValue::from_str(&format!("\"{inner}{MARK}\"")).ok()
}

/// Whether `Accept-Encoding` takes gzip, and not rather the plain answer.
fn takes_gzip(text: &str) -> bool {
    let quality = |name: &str| {
        text.split(',').find_map(|range| {
            let mut pieces = range.split(';').map(str::trim);
            pieces.next().filter(|range| range.eq_ignore_ascii_case(name))?;
            let quality = pieces.find_map(|piece| piece.strip_prefix("q=").or(piece.strip_prefix("Q=")));
            Some(quality.map_or(1.0, |quality| quality.parse::<f32>().unwrap_or(0.0)))
        })
    };
    let gzip = quality("gzip").or_else(|| quality("x-gzip")).or_else(|| quality("*")).unwrap_or(0.0);
    gzip > 0.0 && gzip >= quality("identity").unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_coding_is_the_one_that_the_caller_would_rather_have() {
        for yes in ["gzip", "br, gzip;q=0.5", "*", "GZIP;q=1", "x-gzip", "deflate, *;q=0.1", "gzip, identity"]
        {
            assert!(takes_gzip(yes), "{yes}");
        }
        for no in ["", "identity", "br", "gzip;q=0", "*;q=0", "gzip;q=0, *", "gzip;q=0.3, identity;q=0.8"] {
            assert!(!takes_gzip(no), "{no}");
        }
    }

    #[test]
    fn only_strong_tags_are_marked() {
        assert_eq!(marked(&HeaderValue::from_static("\"1-a\"")).expect("marked"), "\"1-a-gzip\"");
        assert_eq!(marked(&HeaderValue::from_static("W/\"1-a\"")), None);
    }
}
