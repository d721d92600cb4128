//! W3C trace context: whose trace a request belongs to, for its answer, the log, and requests to others.
//!
//! What a caller sends is taken over when it is well formed, else a trace begins here. Source: W3C Trace Context,
//! level 2; conventions *Observability*.

use formwork_engine::Seed;
use http::{HeaderMap, HeaderName, HeaderValue};

/// `traceparent`
pub(crate) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// `tracestate`
pub(crate) const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
/// `Server-Timing`, where a caller finds its trace.
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// The flags that are passed on: sampled, and that the id is random. Others have no meaning yet.
const KNOWN_FLAGS: u8 = 0b11;
/// The flag of an id that was drawn here. Whether it is recorded is for those who record.
const RANDOM: u8 = 0b10;
/// The most members of a `tracestate`.
const MOST_MEMBERS: usize = 32;
/// The longest `tracestate` that is passed on.
const LONGEST_STATE: usize = 1024;

tokio::task_local! {
    static CURRENT: Trace;
}

/// The trace of a request, and our span in it.
#[derive(Clone, Debug)]
pub(crate) struct Trace {
    id: String,
    span: String,
    flags: u8,
    state: Option<HeaderValue>,
}

impl Trace {
    /// The caller's trace, or a new one; the seed gives what is drawn.
    pub(crate) fn of(headers: &HeaderMap, seed: &Seed) -> Self {
        let span = crate::random::hexadecimal(&seed[16..24]);
        match parent(headers) {
            Some((id, flags)) => Self { id, span, flags: flags & KNOWN_FLAGS, state: state(headers) },
            None => Self { id: crate::random::hexadecimal(&seed[..16]), span, flags: RANDOM, state: None },
        }
    }

    /// Says in an answer which trace it belongs to.
    pub(super) fn tell(&self, answer: &mut HeaderMap) {
        let text = format!("trace;desc=00-{}-{}-{:02x}", self.id, self.span, self.flags);
        if let Ok(value) = HeaderValue::from_str(&text) {
            answer.append(SERVER_TIMING, value);
        }
    }

    /// Puts the trace on a request to somebody else, with a span of its own.
    fn pass_on(&self, seed: &Seed, request: &mut HeaderMap) {
        let span = crate::random::hexadecimal(&seed[24..32]);
        let text = format!("00-{}-{span}-{:02x}", self.id, self.flags);
        if let Ok(value) = HeaderValue::from_str(&text) {
            request.insert(TRACEPARENT, value);
        }
        if let Some(state) = &self.state {
            request.insert(TRACESTATE, state.clone());
        }
    }
}

/// Does something within a trace.
pub(super) async fn within<F: Future>(trace: Trace, task: F) -> F::Output {
    CURRENT.scope(trace, task).await
}

/// Does something within a trace, at once.
pub(super) fn within_now<T>(trace: Trace, task: impl FnOnce() -> T) -> T {
    CURRENT.sync_scope(trace, task)
}

/// The same task, within the trace of whoever calls this, wherever it is carried out.
pub(crate) fn carried<F: Future>(task: F) -> impl Future<Output = F::Output> {
    let trace = CURRENT.try_with(Trace::clone);
    async move {
        match trace {
            Ok(trace) => within(trace, task).await,
            Err(_) => task.await,
        }
    }
}

/// The id of the trace that this is done in; none where nobody has asked for it.
pub(crate) fn current_id() -> Option<String> {
    CURRENT.try_with(|trace| trace.id.clone()).ok()
}

/// Puts the present trace on a request to somebody else. What is done for nobody begins one.
pub(crate) fn pass_on(request: &mut HeaderMap) {
    let Ok(seed) = crate::random::bytes::<32>() else { return };
    if CURRENT.try_with(|trace| trace.pass_on(&seed, request)).is_err() {
        Trace::of(&HeaderMap::new(), &seed).pass_on(&seed, request);
    }
}

/// The trace id and flags of `traceparent`, when there is exactly one and it can be read.
fn parent(headers: &HeaderMap) -> Option<(String, u8)> {
    let mut sent = headers.get_all(TRACEPARENT).iter();
    let text = sent.next()?.to_str().ok()?;
    if sent.next().is_some() || text.len() < 55 {
        return None;
    }
    let (known, more) = text.split_at_checked(55)?;
    let hexadecimal = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let mut pieces = known.split('-');
    let (version, id, span, flags) = (pieces.next()?, pieces.next()?, pieces.next()?, pieces.next()?);
    let is_well_formed = pieces.next().is_none()
        && (version.len(), id.len(), span.len(), flags.len()) == (2, 32, 16, 2)
        && [version, id, span, flags].into_iter().all(hexadecimal)
        && version != "ff"
        && !id.bytes().all(|b| b == b'0')
        && !span.bytes().all(|b| b == b'0')
        // A later version may have more, behind a dash.
        && if version == "00" { more.is_empty() } else { more.is_empty() || more.starts_with('-') };
    is_well_formed.then(|| Some((id.to_owned(), u8::from_str_radix(flags, 16).ok()?)))?
}

/// `tracestate` as it came, in one line; what is no such list is left out.
fn state(headers: &HeaderMap) -> Option<HeaderValue> {
    let lines: Option<Vec<&str>> =
        headers.get_all(TRACESTATE).iter().map(|value| value.to_str().ok()).collect();
    let text = lines?.join(",");
    let members = || text.split(',').map(str::trim).filter(|member| !member.is_empty());
    let is_member = |member: &str| {
        member.split_once('=').is_some_and(|(key, value)| {
            let key_fits =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-*/@".contains(&byte);
            (1..=256).contains(&key.len()) && key.bytes().all(key_fits) && (1..=256).contains(&value.len())
        })
    };
    let fits = (1..=MOST_MEMBERS).contains(&members().count())
        && text.len() <= LONGEST_STATE
        && members().all(is_member);
    fits.then(|| HeaderValue::from_str(&text).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn headers(parent: &str, state: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(TRACEPARENT, HeaderValue::from_str(parent).expect("a value"));
        for state in state {
            headers.append(TRACESTATE, HeaderValue::from_str(state).expect("a value"));
        }
        headers
    }

    #[test]
    fn a_trace_is_taken_over_when_it_can_be_read() {
        let is_taken = |text: &str| parent(&headers(text, &[])).is_some();
        assert_eq!(parent(&headers(SENT, &[])), Some((SENT[3..35].to_owned(), 1)));
        assert!(is_taken(&format!("cc{}", &SENT[2..])));
        assert!(is_taken(&format!("cc{}-what-comes", &SENT[2..])));
        for wrong in [
            "",
            &format!("ff{}", &SENT[2..]),
            &format!("{SENT}-more"),
            &format!("cc{}x", &SENT[2..]),
            &SENT.to_uppercase(),
            &SENT.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            &SENT.replace("00f067aa0ba902b7", &"0".repeat(16)),
            &SENT.replace('-', "_"),
            &SENT[..54],
        ] {
            assert!(!is_taken(wrong), "{wrong}");
        }
        let mut twice = headers(SENT, &[]);
        twice.append(TRACEPARENT, HeaderValue::from_static(SENT));
        assert_eq!(parent(&twice), None);
    }

    #[test]
    fn the_state_goes_along_with_a_trace_only() {
        let passed = |headers: &HeaderMap| {
            let mut request = HeaderMap::new();
            Trace::of(headers, &[7; 32]).pass_on(&[9; 32], &mut request);
            let text = |name| request.get(name).map(|value| value.to_str().expect("text").to_owned());
            (text(&TRACEPARENT).expect("a parent"), text(&TRACESTATE))
        };
        let (parent, state) = passed(&headers(SENT, &["a=1,b@c=2", "d=3"]));
        assert_eq!(parent, "00-4bf92f3577b34da6a3ce929d0e0e4736-0909090909090909-01");
        assert_eq!(state.as_deref(), Some("a=1,b@c=2,d=3"));
        let (parent, state) = passed(&headers("nonsense", &["a=1"]));
        assert_eq!((&*parent, state), ("00-07070707070707070707070707070707-0909090909090909-02", None));
        for wrong in ["", "a", "=1", "A=1", &"a=1,".repeat(33), &format!("a={}", "x".repeat(2000))] {
            assert_eq!(passed(&headers(SENT, &[wrong])).1, None, "{wrong}");
        }
    }
}
