//! Bearer tokens: a JWT of `Authorization` to the caller that it speaks of, checked against the rule of section 9.
//!
//! The algorithm is the rule's and the key's, never the token's: a token only chooses among those. A key's own
//! algorithm, where it has one, must be the token's. Source: RFC 8725, section 3; RFC 9068; RFC 6750, section 3.

use super::key_set::KeySet;
use super::{Caller, claim};
use crate::json;
use crate::problems::{MALFORMED, Problem, TOKENS_UNCHECKED};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use formwork_language::program::{TokenAlgorithm, TokenRule};
use formwork_language::value::Value;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::Value as Claims;

/// The longest token that is looked at, in bytes.
const LONGEST: usize = 8 * 1024;
/// How far the clocks of the issuer and of this machine may lie apart, in seconds (RFC 8725 names a few minutes as the
/// most; conventions: at most 60 s).
const LEEWAY: i64 = 60;
/// The longest text that names a caller.
const LONGEST_SUBJECT: usize = 255;

/// The tokens of one issuer.
pub(crate) struct Bearer {
    algorithms: Vec<TokenAlgorithm>,
    issuer: String,
    audience: String,
    keys: KeySet,
}

/// Why a token does not hold; only the log learns it.
type Refused = &'static str;

impl Bearer {
    /// What takes the tokens of a rule that says everything.
    pub(crate) fn new(rule: &TokenRule) -> Option<Self> {
        Some(Self {
            algorithms: rule.algorithms.clone(),
            issuer: rule.issuer.as_deref()?.to_owned(),
            audience: rule.audience.as_deref()?.to_owned(),
            keys: KeySet::new(rule.key_set.as_deref()?)?,
        })
    }

    /// The caller that a token speaks of, or why it does not hold.
    async fn caller(&self, token: &str, now: i64) -> Result<Caller, Problem> {
        let (algorithm, id) = self.header(token).map_err(refused)?;
        let found = self.keys.find(id.as_deref(), now).await;
        let key = found.map_err(|cause| Problem::logged(&TOKENS_UNCHECKED, cause))?;
        let key = key.ok_or("its key is none of the issuer's").map_err(refused)?;
        let claims = verified(token, algorithm, &key).map_err(refused)?;
        self.check(&claims, now).map_err(refused)?;
        caller_of(&claims).map_err(refused)
    }

    /// What the header chooses: one of the rule's algorithms and a key's id.
    fn header(&self, token: &str) -> Result<(TokenAlgorithm, Option<String>), Refused> {
        if token.len() > LONGEST {
            return Err("it is too long");
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| "its header cannot be read")?;
        let chosen = self.algorithms.iter().copied().find(|own| algorithm(*own) == header.alg);
        let chosen = chosen.ok_or("its algorithm is not one of the document's")?;
        // Other kinds of tokens follow other rules (RFC 8725, 3.11 and 3.12).
        let kind = header.typ.as_deref().map(|typ| typ.to_ascii_lowercase().replace("application/", ""));
        if !matches!(kind.as_deref(), None | Some("jwt" | "at+jwt")) {
            return Err("it is of another type");
        }
        if header.crit.is_some_and(|extensions| !extensions.is_empty()) {
            return Err("it demands an extension that is not understood");
        }
        Ok((chosen, header.kid))
    }

    /// Whose it is, whom it is for, and when it holds.
    fn check(&self, claims: &Claims, now: i64) -> Result<(), Refused> {
        let seconds = |name: &str| match &claims[name] {
            Claims::Null => Ok(None),
            // Fractions are allowed (RFC 7519, section 2).
            value => value.as_f64().filter(|it| it.is_finite()).map(Some).ok_or("a time of it is no number"),
        };
        let now = now as f64 / 1e6;
        let leeway = LEEWAY as f64;
        if claims["iss"].as_str() != Some(&self.issuer) {
            return Err("it is of another issuer");
        }
        let is_for_us = match &claims["aud"] {
            Claims::String(audience) => *audience == self.audience,
            Claims::Array(all) => all.iter().any(|audience| audience.as_str() == Some(&self.audience)),
            _ => false,
        };
        if !is_for_us {
            return Err("it is for another audience");
        }
        let end = seconds("exp")?.ok_or("it has no end")?;
        if end + leeway <= now {
            return Err("it has expired");
        }
        if seconds("nbf")?.is_some_and(|begin| begin > now + leeway)
            || seconds("iat")?.is_some_and(|made| made > now + leeway)
        {
            return Err("it does not hold yet");
        }
        Ok(())
    }
}

/// The caller of a request: absent when it has no bearer token, a refusal when the one sent does not hold. `now` is in
/// microseconds.
pub(crate) async fn caller(all: &[Bearer], headers: &HeaderMap, now: i64) -> Result<Option<Caller>, Problem> {
    if all.is_empty() {
        return Ok(None);
    }
    let Some(token) = token(headers)? else { return Ok(None) };
    let named = claimed_issuer(token);
    let bearer = all.iter().find(|bearer| named.as_ref() == Some(&bearer.issuer));
    let bearer = bearer.ok_or("it is of another issuer").map_err(refused)?;
    bearer.caller(token, now).await.map(Some)
}

/// `401`; why is for the log alone.
fn refused(why: Refused) -> Problem {
    let mut problem = Problem::unauthenticated(&INVALID_TOKEN, "The token does not hold.");
    problem.for_the_log = Some(why.to_owned());
    problem
}

/// Whom a token says that it is of, before anything is checked: it chooses the rule and the keys that check it.
fn claimed_issuer(token: &str) -> Option<String> {
    let part = token.get(..LONGEST.min(token.len()))?.split('.').nth(1)?;
    let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()?;
    claims["iss"].as_str().map(str::to_owned)
}

/// The token of a request. More than one credential, or one that cannot be a token, is malformed (RFC 6750, 3.1).
fn token(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let mut sent = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = sent.next() else { return Ok(None) };
    let malformed = || Problem::with(&MALFORMED, "The `Authorization` header cannot be read.");
    let text = value.to_str().map_err(|_| malformed())?;
    let Some((scheme, token)) = text.split_once(' ') else { return Ok(None) };
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Ok(None);
    }
    let token = token.trim();
    if sent.next().is_some() || token.is_empty() || token.contains([' ', ',']) {
        return Err(malformed());
    }
    Ok(Some(token))
}

/// What a request without a token is asked for (RFC 6750, 3: no error code then).
pub(crate) static CHALLENGE: HeaderValue = HeaderValue::from_static("Bearer realm=\"api\"");
/// What is said of a token that does not hold.
static INVALID_TOKEN: HeaderValue = HeaderValue::from_static("Bearer realm=\"api\", error=\"invalid_token\"");

fn algorithm(own: TokenAlgorithm) -> Algorithm {
    match own {
        TokenAlgorithm::Rs256 => Algorithm::RS256,
        TokenAlgorithm::Es256 => Algorithm::ES256,
        TokenAlgorithm::EdDsa => Algorithm::EdDSA,
    }
}

/// The claims of a token that this key has signed with this algorithm.
fn verified(token: &str, chosen: TokenAlgorithm, key: &Jwk) -> Result<Claims, Refused> {
    let is_of_kind = match (&key.algorithm, chosen) {
        (AlgorithmParameters::RSA(_), TokenAlgorithm::Rs256) => true,
        (AlgorithmParameters::EllipticCurve(curve), TokenAlgorithm::Es256) => {
            curve.curve == EllipticCurve::P256
        }
        (AlgorithmParameters::OctetKeyPair(curve), TokenAlgorithm::EdDsa) => {
            curve.curve == EllipticCurve::Ed25519
        }
        _ => false,
    };
    let named = match chosen {
        TokenAlgorithm::Rs256 => KeyAlgorithm::RS256,
        TokenAlgorithm::Es256 => KeyAlgorithm::ES256,
        TokenAlgorithm::EdDsa => KeyAlgorithm::EdDSA,
    };
    let says_otherwise = |own: KeyAlgorithm| own != named && own != KeyAlgorithm::UNKNOWN_ALGORITHM;
    if !is_of_kind || key.common.key_algorithm.is_some_and(says_otherwise) {
        return Err("its algorithm is not its key's");
    }
    if key.common.public_key_use.as_ref().is_some_and(|purpose| *purpose != PublicKeyUse::Signature) {
        return Err("its key is not for signatures");
    }
    let key = DecodingKey::from_jwk(key).map_err(|_| "its key cannot be read")?;
    // Times, issuer and audience are checked by this server's own clock and rule.
    let mut validation = Validation::new(algorithm(chosen));
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    let token = jsonwebtoken::decode::<Claims>(token, &key, &validation);
    token.map(|token| token.claims).map_err(|_| "its signature does not fit")
}

/// The caller that a token speaks of: `sub`, `roles`, `scope` and all claims.
fn caller_of(claims: &Claims) -> Result<Caller, Refused> {
    let subject = claims["sub"].as_str().filter(|it| !it.is_empty() && it.len() <= LONGEST_SUBJECT);
    let subject = subject.ok_or("it names no subject")?;
    let listed = |value: &Claims| match value {
        Claims::String(text) => text.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect(),
        Claims::Array(all) => all.iter().filter_map(Claims::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    let scopes = if claims["scope"].is_null() { &claims["scp"] } else { &claims["scope"] };
    let text = claims.to_string();
    let all = json::read(text.as_bytes()).map_err(|_| "its claims cannot be read")?;
    Ok(Caller::new(Value::Text(subject.into()), &listed(&claims["roles"]), &listed(scopes), claim(&all)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn bearer() -> Bearer {
        Bearer {
            algorithms: TokenAlgorithm::ALL.to_vec(),
            issuer: "https://id.example".to_owned(),
            audience: "links".to_owned(),
            keys: KeySet::new("https://id.example/keys").expect("an address"),
        }
    }

    #[test]
    fn claims_hold_for_us_and_for_their_time() {
        let now = 1_000_000_000;
        let good = json!({"iss": "https://id.example", "aud": ["x", "links"], "exp": now + 10, "nbf": now});
        let with = |name: &str, value: Claims| {
            let mut claims = good.clone();
            claims[name] = value;
            bearer().check(&claims, now * 1_000_000)
        };
        assert_eq!(with("jti", json!(1)), Ok(()));
        assert_eq!(with("aud", json!("links")), Ok(()));
        // The clocks may lie a minute apart.
        assert_eq!(with("exp", json!(now - 59)), Ok(()));
        assert_eq!(with("nbf", json!(now + 60)), Ok(()));
        for (name, value) in [
            ("iss", json!("https://id.example/")),
            ("iss", Claims::Null),
            ("aud", json!("link")),
            ("aud", Claims::Null),
            ("aud", json!({"links": true})),
            ("exp", json!(now - 60)),
            ("exp", Claims::Null),
            ("exp", json!("tomorrow")),
            ("nbf", json!(now + 61)),
            ("iat", json!(now + 61)),
        ] {
            assert!(with(name, value.clone()).is_err(), "{name} {value}");
        }
    }

    #[test]
    fn only_one_bearer_token_is_taken_and_only_from_the_header() {
        let headers = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            values
                .iter()
                .for_each(|value| _ = headers.append(AUTHORIZATION, HeaderValue::from_static(value)));
            headers
        };
        assert_eq!(token(&headers(&["bearer a.b.c"])).expect("read"), Some("a.b.c"));
        assert_eq!(token(&headers(&[])).expect("read"), None);
        assert_eq!(token(&headers(&["Basic YTpi"])).expect("read"), None);
        for bad in [&["Bearer "][..], &["Bearer a b"], &["Bearer a.b.c", "Bearer a.b.c"], &["Bearer a,b"]] {
            assert_eq!(token(&headers(bad)).expect_err("malformed").status.as_u16(), 400, "{bad:?}");
        }
    }
}
