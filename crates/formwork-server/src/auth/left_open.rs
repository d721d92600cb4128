//! Ways of authentication, but those of the connection itself, that section 9 asks for and nothing here enforces: `run` refuses to begin with one.
//!
//! Source: issue and language reference, *AuthN*: what the document asks for and Formwork does not enforce is an error.

use super::is_key_address;
use crate::config::TokenSource;
use formwork_check::Analysis;
use formwork_language::program::TokenAlgorithm;
use formwork_model::sections::security::{AuthenticationKind, TokenRule};

/// One sentence for each line of section 9 about authentication that would not be held: where it stands, and the way
/// out.
pub fn authentication_left_open(analysis: &Analysis, tokens: &TokenSource) -> Vec<String> {
    let open = |kind: &AuthenticationKind| {
        match kind {
        AuthenticationKind::Hmac => Some(
            "signatures are not checked by this version; name `API keys` or `Bearer JWT` for these callers, or take the line out"
                .to_owned(),
        ),
        AuthenticationKind::BearerJwt(rule) => lacking(rule, tokens),
        _ => None,
    }
    };
    let lines = analysis.model.authentication.iter();
    lines
        .filter_map(|line| {
            let why = open(&line.kind)?;
            let at = analysis.lines.position(&analysis.source, line.text.span.start).line;
            Some(format!("line {at}: `{}` is not enforced: {why}", line.text.value.trim()))
        })
        .collect()
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
        let text = format!("## 9) Security\n\n### Authentication (AuthN)\n\n- {line}\n");
        authentication_left_open(&formwork_check::analyse_fragment(text.into()), tokens)
    }

    #[test]
    fn a_way_that_nothing_enforces_is_told_with_its_line_and_the_way_out() {
        let none = TokenSource::default();
        let told = said("HMAC-signed requests", &none);
        assert!(told[0].starts_with("line 5: `HMAC-signed requests` is not enforced: "), "{told:?}");
        assert!(told[0].contains("name `API keys` or `Bearer JWT`"), "{told:?}");
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
