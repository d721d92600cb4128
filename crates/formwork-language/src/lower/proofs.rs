//! How callers prove who they are: the lines of section 9 about keys, tokens and signatures.

use crate::program::{SignatureRule, TokenAlgorithm, TokenRule, Way};
use formwork_model::Model;
use formwork_model::sections::security::{self, AuthenticationKind};
use formwork_syntax::Spanned;
use std::sync::Arc;

/// The header that carries API keys, in lower case.
pub(super) fn api_key_header(model: &Model) -> Arc<str> {
    let header = model.authentication.iter().find_map(|line| match &line.kind {
        AuthenticationKind::ApiKey { header } => Some(header.to_lowercase()),
        _ => None,
    });
    header.unwrap_or_else(|| "x-api-key".to_owned()).into()
}

/// The bearer tokens of section 9. A line with an algorithm that is not supported takes none: `run` says so.
pub(super) fn tokens(model: &Model) -> Vec<TokenRule> {
    let lines = model.authentication.iter().filter_map(|line| match &line.kind {
        AuthenticationKind::BearerJwt(rule) => Some(rule),
        _ => None,
    });
    let rule = |line: &security::TokenRule| {
        let named = line.algorithms.iter().map(|name| TokenAlgorithm::named(&name.value));
        let algorithms = named.collect::<Option<Vec<_>>>()?;
        let text = |value: &Option<Spanned<String>>| value.as_ref().map(|value| value.value.as_str().into());
        Some(TokenRule {
            algorithms: if algorithms.is_empty() { TokenAlgorithm::ALL.to_vec() } else { algorithms },
            issuer: text(&line.issuer),
            key_set: text(&line.key_set),
            audience: text(&line.audience),
        })
    };
    lines.filter_map(rule).collect()
}

/// The signed requests of section 9. A line that is not enforced takes none: `run` says so.
pub(super) fn signatures(model: &Model) -> Vec<SignatureRule> {
    let lines = model.authentication.iter().filter_map(|line| match &line.kind {
        AuthenticationKind::Hmac(rule) => SignatureRule::new(model, rule).ok(),
        _ => None,
    });
    lines.collect()
}

/// The ways that any operation takes, in the order of their first lines; keys, which always hold, last when not named.
pub(super) fn ways(model: &Model) -> Vec<Way> {
    let way = |line: &security::Authentication| match &line.kind {
        AuthenticationKind::ApiKey { .. } => Some(Way::Key),
        AuthenticationKind::BearerJwt(_) => Some(Way::Token),
        AuthenticationKind::Hmac(rule) if rule.operations.is_empty() => Some(Way::Signature),
        _ => None,
    };
    let mut ways = Vec::new();
    for way in model.authentication.iter().filter_map(way).chain([Way::Key]) {
        if !ways.contains(&way) {
            ways.push(way);
        }
    }
    ways
}
