//! Signed requests: the headers of a request and its body to the caller whose secret signed them, each once.
//!
//! What the headers say is checked before the body is read, the signature before anything else is done. Why a signature
//! does not hold is for the log alone. Source: docs/reference/authentication.md, *Signed requests*.

use super::Caller;
use crate::parts::SecretValues;
use crate::problems::{Problem, SIGNATURE_USED, UNAVAILABLE};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use formwork_language::program::{SignatureRule, Signed, code, signing_key};
use formwork_language::value::Value;
use formwork_store::Store;
use http::{HeaderMap, HeaderName, HeaderValue};
use subtle::ConstantTimeEq;

/// How far ahead the clock of a caller may be, in microseconds.
const LEEWAY: i64 = 60_000_000;
/// How many signatures of one request are looked at: one for each secret while secrets are changed.
const MOST: usize = 8;
/// The longest name of a request, in bytes.
const LONGEST_ID: usize = 255;
/// From here on a time is in milliseconds; in seconds it is in the year 5138.
const MILLISECONDS: i64 = 100_000_000_000;

/// The signatures that are taken.
#[derive(Default)]
pub(crate) struct Signatures(Vec<Known>);

/// A rule, ready to be applied.
struct Known {
    rule: SignatureRule,
    key: Vec<u8>,
    signature: HeaderName,
    time: Option<HeaderName>,
    id: Option<HeaderName>,
    caller: Caller,
    challenge: HeaderValue,
}

/// A request that says who signed it; its body is still to be checked.
pub(crate) struct Claim<'a> {
    candidates: Vec<Candidate<'a>>,
}

/// A rule by which it may be signed.
struct Candidate<'a> {
    known: &'a Known,
    id: &'a str,
    time: &'a str,
    /// When it was sent, in microseconds since the epoch.
    sent: Option<i64>,
    signatures: Vec<[u8; 32]>,
}

/// Why a signature does not hold; only the log learns it.
type Refused = &'static str;

impl Signatures {
    /// Those of the rules. Errors: a secret that says no bytes, or a header that is none; one sentence.
    pub(crate) fn new(rules: &[SignatureRule], secrets: &SecretValues) -> Result<Self, String> {
        let header = |name: &str| {
            HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("`{name}` is no name of a header"))
        };
        let known = |rule: &SignatureRule| {
            let secret = secrets.get(&rule.secret).unwrap_or_default();
            let key = signing_key(&secret).filter(|key| !key.is_empty());
            let challenge =
                HeaderValue::from_str(&format!("Signature realm=\"api\", header=\"{}\"", rule.header()));
            let roles: Vec<String> = rule.roles.iter().map(ToString::to_string).collect();
            Ok(Known {
                key: key.ok_or_else(|| format!("`{}` is not base64 behind `whsec_`", rule.secret))?,
                signature: header(rule.header())?,
                time: rule.time_header().map(header).transpose()?,
                id: rule.id_header().map(header).transpose()?,
                caller: Caller::new(Value::Text(rule.caller.clone()), &roles, &[], Value::Map([].into())),
                challenge: challenge.unwrap_or(HeaderValue::from_static("Signature realm=\"api\"")),
                rule: rule.clone(),
            })
        };
        rules.iter().map(known).collect::<Result<_, String>>().map(Self)
    }

    fn of<'a>(&'a self, own: Option<&'a str>) -> impl Iterator<Item = &'a Known> {
        self.0.iter().filter(move |known| match own {
            Some(operation) => known.rule.is_of(operation),
            None => known.rule.operations.is_empty(),
        })
    }

    /// What a request says of its signature, by the lines of one operation or by those of all; absent when it has none.
    pub(crate) fn claim<'a>(
        &'a self,
        own: Option<&'a str>,
        headers: &'a HeaderMap,
        now: i64,
    ) -> Result<Option<Claim<'a>>, Problem> {
        let mut candidates = Vec::new();
        let mut why = None;
        for known in self.of(own).filter(|known| headers.contains_key(&known.signature)) {
            match known.candidate(headers, now) {
                Ok(candidate) => candidates.push(candidate),
                Err(refused) => why = Some((refused, known)),
            }
        }
        match why {
            Some((why, known)) if candidates.is_empty() => Err(known.refused(why)),
            _ => Ok((!candidates.is_empty()).then_some(Claim { candidates })),
        }
    }

    /// What a request without a proof is asked for.
    pub(crate) fn challenges<'a>(&'a self, own: Option<&'a str>) -> Vec<HeaderValue> {
        let mut all: Vec<HeaderValue> = self.of(own).map(|known| known.challenge.clone()).collect();
        all.dedup();
        all
    }
}

impl Known {
    fn candidate<'a>(&'a self, headers: &'a HeaderMap, now: i64) -> Result<Candidate<'a>, Refused> {
        let signature = only(headers, &self.signature)?.ok_or("it has no signature")?;
        let (id, time) = (text(headers, self.id.as_ref())?, text(headers, self.time.as_ref())?);
        let id = match id {
            Some(id) if id.is_empty() || id.len() > LONGEST_ID => {
                return Err("it has no name, or one too long");
            }
            Some(id) => id,
            None => "",
        };
        let sent = time.map(instant).transpose()?;
        if let Some(sent) = sent {
            if now.saturating_sub(sent) > self.rule.oldest {
                return Err("it is too old");
            }
            if sent.saturating_sub(now) > LEEWAY {
                return Err("it is from the future");
            }
        }
        let signatures = match self.rule.header {
            Some(_) => read_code(signature).into_iter().collect(),
            None => signature
                .split_ascii_whitespace()
                .take(MOST)
                .filter_map(|one| STANDARD.decode(one.strip_prefix("v1,")?).ok()?.try_into().ok())
                .collect::<Vec<[u8; 32]>>(),
        };
        if signatures.is_empty() {
            return Err("its signature cannot be read");
        }
        Ok(Candidate { known: self, id, time: time.unwrap_or_default(), sent, signatures })
    }

    fn refused(&self, why: Refused) -> Problem {
        let mut problem = Problem::unauthenticated(&self.challenge, "The signature does not hold.");
        problem.for_the_log = Some(why.to_owned());
        problem
    }
}

impl Claim<'_> {
    /// The caller whose secret signed the request, which is taken once on all nodes.
    pub(crate) async fn caller(
        self,
        (method, target): (&str, &str),
        body: &[u8],
        store: &Store,
    ) -> Result<Caller, Problem> {
        for Candidate { known, id, time, sent, signatures } in &self.candidates {
            let own = code(&known.key, &known.rule.text(&Signed { id, time, method, target, body }));
            // All are compared, so that the time tells nothing of which one fits.
            let fits = signatures.iter().fold(0, |fits, one| fits | own.ct_eq(one).unwrap_u8());
            if fits == 0 {
                continue;
            }
            if let Some(sent) = sent {
                let name = crate::random::hexadecimal(&own);
                // Nodes whose clocks lie apart agree on what is too old only behind the leeway.
                let until = sent.saturating_add(known.rule.oldest).saturating_add(2 * LEEWAY);
                let fresh = store.take_signature(&name, until).await;
                if !fresh.map_err(|_| Problem::of(&UNAVAILABLE))? {
                    let detail = "A request with this signature has come before; sign each one anew.";
                    return Err(Problem::with(&SIGNATURE_USED, detail));
                }
            }
            return Ok(known.caller.clone());
        }
        let known = self.candidates.first().map(|candidate| candidate.known);
        Err(known.map_or_else(
            || Problem::of(&crate::problems::UNAUTHENTICATED),
            |known| known.refused("it is not signed with the secret, or was changed on the way"),
        ))
    }
}

/// The one value of a header; a second one is a request that two readers could understand differently.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Refused> {
    let mut sent = headers.get_all(name).iter();
    let Some(value) = sent.next() else { return Ok(None) };
    if sent.next().is_some() {
        return Err("a header of its signature stands twice");
    }
    value.to_str().map(|text| Some(text.trim())).map_err(|_| "a header of its signature cannot be read")
}

/// A header that is signed along.
fn text<'a>(headers: &'a HeaderMap, name: Option<&HeaderName>) -> Result<Option<&'a str>, Refused> {
    let Some(name) = name else { return Ok(None) };
    only(headers, name)?.map(Some).ok_or("a header that is signed along is missing")
}

/// Whole seconds, or milliseconds, since the epoch; in microseconds.
fn instant(text: &str) -> Result<i64, Refused> {
    let digits = !text.is_empty() && text.len() <= 15 && text.bytes().all(|byte| byte.is_ascii_digit());
    let number: i64 = text.parse().ok().filter(|_| digits).ok_or("its time is no number of seconds")?;
    Ok(if number >= MILLISECONDS { number * 1_000 } else { number * 1_000_000 })
}

/// A signature in hexadecimal digits or base64, with or without `sha256=` in front.
fn read_code(text: &str) -> Option<[u8; 32]> {
    let text = text.strip_prefix("sha256=").unwrap_or(text);
    if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let mut code = [0; 32];
        for (place, byte) in code.iter_mut().enumerate() {
            *byte = u8::from_str_radix(text.get(2 * place..2 * place + 2)?, 16).ok()?;
        }
        return Some(code);
    }
    STANDARD.decode(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_read_in_each_form() {
        let code = [0xab; 32];
        let (hex, encoded) = ("ab".repeat(32), STANDARD.encode(code));
        for text in
            [&hex, &hex.to_uppercase(), &encoded, &format!("sha256={hex}"), &format!("sha256={encoded}")]
        {
            assert_eq!(read_code(text), Some(code), "{text}");
        }
        for text in ["", "sha256=", "ab", &hex[1..], &encoded[1..], &format!("sha1={hex}"), &"ä".repeat(32)]
        {
            assert_eq!(read_code(text), None, "{text}");
        }
    }

    #[test]
    fn a_time_is_whole_seconds_or_milliseconds() {
        assert_eq!(instant("1767225600"), Ok(1_767_225_600_000_000));
        assert_eq!(instant("1767225600123"), Ok(1_767_225_600_123_000));
        for text in ["", "-1", "+1", "1.5", " 1", "1e9", "9999999999999999999", "2026-01-01T00:00:00Z"] {
            assert!(instant(text).is_err(), "{text}");
        }
    }
}
