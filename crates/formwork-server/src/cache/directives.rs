//! What a request asks of a cache: its `Cache-Control` (RFC 9111, 5.2.1), `Pragma` where that is missing (5.4), and the
//! headers by which the document has an answer made anew.

use http::HeaderMap;
use http::header::{CACHE_CONTROL, PRAGMA};
use std::sync::Arc;

/// The wishes of a request.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Directives {
    /// The answer is to be made anew; it takes the place of the one that is kept.
    pub(super) anew: bool,
    /// Nothing of it is to be kept, nor anything that is.
    pub(super) no_store: bool,
    /// What is not kept is not wanted.
    pub(super) only_if_cached: bool,
    /// No older than this, in seconds.
    max_age: Option<i64>,
    /// Good for so long at least, in seconds.
    min_fresh: Option<i64>,
}

impl Directives {
    /// Reads the headers; `anew` are those of the document, in lower case. A directive that is not known is none.
    pub(super) fn read(headers: &HeaderMap, anew: &[Arc<str>]) -> Self {
        let mut found =
            Self { anew: anew.iter().any(|name| headers.contains_key(&**name)), ..Self::default() };
        let mut is_said = false;
        for value in headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok()) {
            is_said = true;
            for directive in value.split(',') {
                let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
                let seconds = || {
                    let digits = value.trim().trim_matches('"');
                    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
                    // What is beyond every number is beyond every age.
                    is_number.then(|| digits.parse().unwrap_or(i64::MAX / 1_000_000))
                };
                match &*name.trim().to_ascii_lowercase() {
                    "no-cache" => found.anew = true,
                    "no-store" => found.no_store = true,
                    "only-if-cached" => found.only_if_cached = true,
                    // One that cannot be read is as strict as can be (RFC 9111, 4.2.1).
                    "max-age" => found.max_age = Some(seconds().unwrap_or(0)),
                    "min-fresh" => found.min_fresh = Some(seconds().unwrap_or(i64::MAX / 1_000_000)),
                    _ => {}
                }
            }
        }
        if !is_said {
            let pragma = headers.get_all(PRAGMA).iter().filter_map(|value| value.to_str().ok());
            found.anew |= pragma
                .flat_map(|value| value.split(','))
                .any(|one| one.trim().eq_ignore_ascii_case("no-cache"));
        }
        found
    }

    /// Whether an answer of this age, good for so long, is wanted; in microseconds.
    pub(super) fn takes(&self, age: i64, left: Option<i64>) -> bool {
        let micros = |seconds: i64| seconds.saturating_mul(1_000_000);
        let is_young = self.max_age.is_none_or(|most| age <= micros(most));
        is_young && self.min_fresh.is_none_or(|least| left.is_none_or(|left| left >= micros(least)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    fn read(headers: &[(&str, &str)]) -> Directives {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name: HeaderName = name.parse().expect("a name");
            map.append(name, HeaderValue::from_str(value).expect("a value"));
        }
        Directives::read(&map, &["x-refresh".into()])
    }

    #[test]
    fn wishes_are_read_as_the_standard_writes_them() {
        assert_eq!(read(&[]), Directives::default());
        assert!(read(&[("cache-control", "max-age=5, No-Cache")]).anew);
        assert!(read(&[("pragma", "no-cache")]).anew);
        assert!(!read(&[("pragma", "no-cache"), ("cache-control", "max-age=5")]).anew);
        assert!(read(&[("x-refresh", "1")]).anew);
        assert!(read(&[("cache-control", "no-store")]).no_store);
        assert!(read(&[("cache-control", "only-if-cached")]).only_if_cached);
        let young = read(&[("cache-control", "max-age=5, min-fresh=\"10\"")]);
        assert!(young.takes(5_000_000, None) && young.takes(0, Some(10_000_000)));
        assert!(!young.takes(5_000_001, None) && !young.takes(0, Some(9_999_999)));
        assert!(!read(&[("cache-control", "max-age=soon")]).takes(1, None));
        assert!(read(&[("cache-control", "max-age=99999999999999999999")]).takes(i64::MAX / 2, None));
    }
}
