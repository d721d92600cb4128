//! TLS when the address asks for it: the server's certificate and name are always verified, against the system's
//! authorities or those that the address names.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::path::Path;
use std::sync::Arc;
use tokio_postgres_rustls::MakeRustlsConnect;

/// What the address says of TLS.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// Whether connections are encrypted.
    pub(crate) encrypted: bool,
    /// A file of authorities to trust instead of the system's.
    pub(crate) authorities: Option<String>,
}

/// Takes what is about TLS out of an address; gives the rest, or what is wrong.
pub(crate) fn taken_out(url: &str) -> Result<(String, Wanted), String> {
    let mut wanted = Wanted::default();
    let Some((before, query)) = url.split_once('?') else { return Ok((url.to_owned(), wanted)) };
    let mut kept = Vec::new();
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some(("sslmode", "disable" | "allow" | "prefer")) => {}
            Some(("sslmode", "require" | "verify-ca" | "verify-full")) => wanted.encrypted = true,
            Some(("sslmode", _)) => return Err("`sslmode` is neither `disable` nor `verify-full`".into()),
            Some(("sslrootcert", "system")) => {}
            Some(("sslrootcert", file)) => wanted.authorities = Some(decoded(file)),
            _ => kept.push(pair),
        }
    }
    let rest = if kept.is_empty() { before.to_owned() } else { format!("{before}?{}", kept.join("&")) };
    Ok((rest, wanted))
}

/// `%2F` and the like as what they stand for.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match (first, digits.and_then(|digits| u8::from_str_radix(digits, 16).ok())) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What makes connections as wanted; nothing when they are not encrypted. The error says what is wrong.
pub(crate) fn connector(wanted: &Wanted) -> Result<Option<MakeRustlsConnect>, String> {
    if !wanted.encrypted {
        return Ok(None);
    }
    let mut roots = RootCertStore::empty();
    match &wanted.authorities {
        Some(file) => {
            let failed = |cause: String| format!("the authorities of `{file}` cannot be read: {cause}");
            let certificates = CertificateDer::pem_file_iter(Path::new(file));
            for certificate in certificates.map_err(|error| failed(error.to_string()))? {
                let certificate = certificate.map_err(|error| failed(error.to_string()))?;
                roots.add(certificate).map_err(|error| failed(error.to_string()))?;
            }
        }
        None => {
            // One that cannot be read is one less to trust.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if roots.is_empty() {
        return Err("no authority is known to trust; name a file of them with `sslrootcert`".into());
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Some(MakeRustlsConnect::new(config)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_about_tls_is_taken_out_of_an_address() {
        let (rest, wanted) =
            taken_out("postgres://h/db?sslmode=verify-full&connect_timeout=3&sslrootcert=%2Fa%2Fca.pem")
                .unwrap();
        assert_eq!(rest, "postgres://h/db?connect_timeout=3");
        assert_eq!(wanted, Wanted { encrypted: true, authorities: Some("/a/ca.pem".into()) });
        assert_eq!(
            taken_out("postgres://h/db?sslmode=prefer").unwrap(),
            ("postgres://h/db".into(), Wanted::default())
        );
        assert!(taken_out("postgres://h/db?sslmode=maybe").is_err());
    }
}
