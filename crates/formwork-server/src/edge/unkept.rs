//! What the document says of the edge and is not kept.

use crate::unkept::{Means, Unkept};
use formwork_check::Analysis;
use formwork_model::sections::security::AuthenticationKind;

/// What section 9 says of the edge that is not enforced.
pub(crate) fn unkept(analysis: &Analysis, _: Means<'_>) -> Vec<Unkept> {
    let model = &analysis.model;
    let certificates = model.authentication.iter().filter(|it| it.kind == AuthenticationKind::MutualTls);
    let certificates = certificates.map(|it| {
        let why = "certificates of callers are not checked yet; let what stands in front check them, or leave it out";
        Unkept::at(analysis, it.text.span, format!("authentication: {why}"))
    });
    let cors = model.cors.iter().filter(|line| !line.names_somebody()).map(|line| {
        let why = "no origin is listed; write ``CORS: `https://app.example.com` ``, or leave it out";
        Unkept::at(analysis, line.text.span, format!("CORS: {why}"))
    });
    certificates.chain(cors).collect()
}

#[cfg(test)]
mod tests {
    use crate::config::TokenSource;
    use crate::unkept;

    fn said(line: &str) -> Vec<String> {
        unkept::said("Authentication (AuthN)", line, &TokenSource::default())
    }

    #[test]
    fn what_is_not_enforced_is_told_with_its_line() {
        assert_eq!(said("API keys in header `X-API-Key`"), [] as [&str; 0]);
        assert_eq!(said("CORS: `https://app.example.com`"), [] as [&str; 0]);
        assert!(said("mTLS")[0].starts_with("line 5: authentication: "));
        assert!(said("CORS: only our own pages")[0].starts_with("line 5: CORS: no origin is listed"));
    }
}
