//! What the document says of the edge and is not kept: told before anything is served, since silence would be a promise.

use formwork_check::Analysis;
use formwork_model::sections::security::AuthenticationKind;

/// What section 9 says of the edge that is not enforced, each with its line and the way out; empty when all is.
pub fn edge_left_open(analysis: &Analysis) -> Vec<String> {
    let model = &analysis.model;
    let certificates = model.authentication.iter().filter(|it| it.kind == AuthenticationKind::MutualTls);
    let certificates = certificates.map(|it| {
        let way = "certificates of callers are not checked yet; let what stands in front check them, or leave it out";
        (it.text.span, format!("authentication: {way}"))
    });
    let cors = model.cors.iter().filter(|line| !line.names_somebody()).map(|line| {
        let way = "no origin is listed; write ``CORS: `https://app.example.com` ``, or leave it out";
        (line.text.span, format!("CORS: {way}"))
    });
    certificates
        .chain(cors)
        .map(|(span, what)| {
            let before = analysis.source.get(..span.start as usize).unwrap_or_default();
            format!("line {}, {what}", before.matches('\n').count() + 1)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(line: &str) -> Vec<String> {
        let text = format!("## 9) Security\n\n### Authentication (AuthN)\n\n- {line}\n");
        edge_left_open(&formwork_check::analyse_fragment(text.into()))
    }

    #[test]
    fn what_is_not_enforced_is_told_with_its_line() {
        assert_eq!(said("API keys in header `X-API-Key`"), [] as [&str; 0]);
        assert_eq!(said("CORS: `https://app.example.com`"), [] as [&str; 0]);
        assert!(said("mTLS")[0].starts_with("line 5, authentication: "));
        assert!(said("CORS: only our own pages")[0].starts_with("line 5, CORS: no origin is listed"));
    }
}
