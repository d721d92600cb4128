//! The formats of texts: absolute URIs and email addresses.

/// Whether a text is an absolute URI with a scheme, by the syntax of RFC 3986. Anything behind the scheme but blanks,
/// controls, and characters that a URI must percent-encode is allowed; `http` and `https` need a host.
pub fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let scheme_fits = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    if !scheme_fits || rest.is_empty() || !characters_fit(rest) {
        return false;
    }
    let Some(authority) = rest.strip_prefix("//") else {
        return !matches!(scheme.to_ascii_lowercase().as_str(), "http" | "https");
    };
    let authority = authority.split(['/', '?', '#']).next().unwrap_or("");
    let host_required = !scheme.eq_ignore_ascii_case("file");
    authority_fits(authority, host_required)
}

fn characters_fit(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut fragments = 0;
    for (at, byte) in bytes.iter().enumerate() {
        let fits = match byte {
            b'%' => bytes.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)),
            b'#' => {
                fragments += 1;
                fragments == 1
            }
            b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' => false,
            byte => byte.is_ascii_graphic(),
        };
        if !fits {
            return false;
        }
    }
    true
}

fn authority_fits(authority: &str, host_required: bool) -> bool {
    let host_and_port = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let (host, port) = match host_and_port.strip_prefix('[') {
        Some(literal) => {
            let Some((address, port)) = literal.split_once(']') else { return false };
            if address.parse::<core::net::Ipv6Addr>().is_err() {
                return false;
            }
            (address, port.strip_prefix(':'))
        }
        None => match host_and_port.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (host_and_port, None),
        },
    };
    let port_fits = port.is_none_or(|port| port.is_empty() || port.parse::<u16>().is_ok());
    let bracketed = host_and_port.starts_with('[');
    let host_fits = bracketed || !host.contains(['[', ']', '@']);
    port_fits && host_fits && (!host_required || !host.is_empty())
}

/// Whether a text is an email address as HTML's forms accept it: a local part of RFC 5322's atom characters, and a
/// domain of labels.
pub fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let local_fits = !local.is_empty()
        && local.len() <= 64
        && local.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte));
    let label_fits = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    local_fits && text.len() <= 254 && domain.split('.').all(label_fits)
}
