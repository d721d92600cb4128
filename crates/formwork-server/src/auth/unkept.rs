//! Ways of authentication, but those of the connection itself, that section 9 asks for and nothing here enforces.
//!
//! Source: language reference, *AuthN*: what the document asks for and Formwork does not enforce is an error.

use super::is_key_address;
use crate::config::{Secrets, TokenSource};
use crate::unkept::{Means, Unkept};
use formwork_check::Analysis;
use formwork_language::program::{SignatureRule, TokenAlgorithm};
use formwork_model::sections::security::{self, AuthenticationKind, TokenRule};

/// The lines of section 9 about authentication that would not be held.
pub(crate) fn unkept(analysis: &Analysis, Means { tokens, secrets }: Means<'_>) -> Vec<Unkept> {
    let open = |kind: &AuthenticationKind| match kind {
        AuthenticationKind::Hmac(rule) => unsigned(analysis, rule, secrets),
        AuthenticationKind::BearerJwt(rule) => lacking(rule, tokens),
        _ => None,
    };
    let lines = analysis.model.authentication.iter();
    lines
        .filter_map(|line| {
            let why = open(&line.kind)?;
            let why = format!("`{}` is not enforced: {why}", line.text.value.trim());
            Some(Unkept::at(analysis, line.text.span, why))
        })
        .collect()
}

/// What a line about signed requests lacks to be enforced.
fn unsigned(analysis: &Analysis, line: &security::SignatureRule, secrets: Secrets) -> Option<String> {
    let rule = match SignatureRule::new(&analysis.model, line) {
        Ok(rule) => rule,
        Err(lacking) => return Some(lacking),
    };
    let is_there = secrets.value(&rule.secret).is_some();
    (!is_there).then(|| {
        format!("the environment has no `{0}`; start with `{0}=…`, or name another secret", rule.secret)
    })
}

/// What a line about bearer tokens lacks to be enforced.
fn lacking(rule: &TokenRule, tokens: &TokenSource) -> Option<String> {
    if let Some(other) = rule.algorithms.iter().find(|name| TokenAlgorithm::named(&name.value).is_none()) {
        return Some(format!("`{}` is not taken: RS256, ES256 and EdDSA are", other.value));
    }
    let address = tokens.key_set.as_deref().or(rule.key_set.as_ref().map(|it| it.value.as_str()));
    if address.is_some_and(|address| !is_key_address(address)) {
        return Some("keys come over https".to_owned());
    }
    let parts = [
        ("issuer", "--token-issuer", tokens.issuer.is_some() || rule.issuer.is_some()),
        ("JWKS", "--token-keys", address.is_some()),
        ("audience", "--token-audience", tokens.audience.is_some() || rule.audience.is_some()),
    ];
    let open: Vec<String> = parts
        .iter()
        .filter(|(.., is_said)| !is_said)
        .map(|(name, flag, _)| format!("{name}: `{flag}`"))
        .collect();
    (!open.is_empty()).then(|| format!("not said are {}", open.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(line: &str, tokens: &TokenSource) -> Vec<String> {
        crate::unkept::said("Authentication (AuthN)", line, tokens)
    }

    #[test]
    fn a_way_that_nothing_enforces_is_told_with_its_line_and_the_way_out() {
        let none = TokenSource::default();
        let told = said("HMAC-signed requests", &none);
        assert!(told[0].starts_with("line 5: `HMAC-signed requests` is not enforced: "), "{told:?}");
        assert!(told[0].contains("add ``from `NAME` ``"), "{told:?}");
        assert_eq!(said("HMAC-signed requests from `Partner`", &none), [] as [&str; 0]);
        for (line, way_out) in [
            ("HMAC-SHA512-signed requests from `Partner`", "`HMAC-SHA512-signed` is no part"),
            ("HMAC-signed requests from `Partner` and the `Date` header", "is no part"),
            ("HMAC-signed requests from `Partner` in header `X-Signature`", "time in header"),
            (
                "HMAC-signed requests from `Partner` in header `X-Signature` without time",
                "leave `without time` out",
            ),
            ("HMAC-signed requests from `Partner`, time in header `X-Time`", "in header `X`"),
            ("HMAC-signed requests from `Partner`, at most 3 d old", "1 s to 24 h"),
            ("`nothing`: HMAC-SHA256 of the raw body from `Partner`", "no operation is called `nothing`"),
        ] {
            let told = said(line, &none);
            assert!(told.len() == 1 && told[0].contains(way_out), "{line}: {told:?}");
        }
        assert_eq!(said("API keys in header `X-API-Key`", &none), [] as [&str; 0]);
    }

    #[test]
    fn what_a_line_about_tokens_lacks_is_said_with_the_flag_that_says_it() {
        let none = TokenSource::default();
        let all = "Bearer JWT (ES256) from issuer https://id with JWKS https://id/keys and audience links";
        assert_eq!(said(all, &none), [] as [&str; 0]);
        assert_eq!(
            said("Bearer JWT from issuer https://id", &none),
            [
                "line 5: `Bearer JWT from issuer https://id` is not enforced: not said are JWKS: `--token-keys`, audience: `--token-audience`"
            ]
        );
        let operator = TokenSource {
            issuer: Some("https://id".to_owned()),
            key_set: Some("https://id/keys".to_owned()),
            audience: Some("links".to_owned()),
        };
        assert_eq!(said("Bearer tokens", &operator), [] as [&str; 0]);
        assert!(said(&all.replace("ES256", "HS256"), &operator)[0].contains("`HS256` is not taken"));
        assert!(said(&all.replace("https://id/keys", "http://id/keys"), &none)[0].contains("over https"));
    }
}
