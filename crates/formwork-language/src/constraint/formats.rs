//! The formats of texts: absolute URIs, email addresses, and the others that `format` names.

use crate::value::text::{parse_date, parse_time, parse_timestamp, parse_uuid};

/// A format that a field's text must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// An email address.
    Email,
    /// An absolute URI.
    Uri,
    /// A UUID.
    Uuid,
    /// A calendar date.
    Date,
    /// A time of day.
    Time,
    /// An instant.
    Timestamp,
    /// An IPv4 or IPv6 address.
    Address,
    /// An IPv4 address.
    Ipv4,
    /// An IPv6 address.
    Ipv6,
    /// A host name.
    HostName,
}

impl Format {
    /// The names that `format` takes.
    pub const NAMES: [(&'static str, Self); 13] = [
        ("email", Self::Email),
        ("uri", Self::Uri),
        ("url", Self::Uri),
        ("uuid", Self::Uuid),
        ("date", Self::Date),
        ("time", Self::Time),
        ("date-time", Self::Timestamp),
        ("timestamp", Self::Timestamp),
        ("ip", Self::Address),
        ("ipv4", Self::Ipv4),
        ("ipv6", Self::Ipv6),
        ("hostname", Self::HostName),
        ("e-mail", Self::Email),
    ];

    /// The format of this name, whatever its case.
    pub fn named_so(name: &str) -> Option<Self> {
        let found = Self::NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(found.1)
    }

    /// Whether a text has it.
    pub fn fits(self, text: &str) -> bool {
        match self {
            Self::Email => is_email(text),
            Self::Uri => is_uri(text),
            Self::Uuid => parse_uuid(text).is_some(),
            Self::Date => parse_date(text).is_some(),
            Self::Time => parse_time(text).is_some(),
            Self::Timestamp => parse_timestamp(text).is_some(),
            Self::Address => text.parse::<core::net::IpAddr>().is_ok(),
            Self::Ipv4 => text.parse::<core::net::Ipv4Addr>().is_ok(),
            Self::Ipv6 => text.parse::<core::net::Ipv6Addr>().is_ok(),
            Self::HostName => text.len() <= 253 && text.split('.').all(label_fits),
        }
    }

    /// With its article, as in *must be …*.
    pub const fn named(self) -> &'static str {
        match self {
            Self::Email => "an email address",
            Self::Uri => "an absolute URI",
            Self::Uuid => "a uuid",
            Self::Date => "a date such as 2026-11-23",
            Self::Time => "a time of day such as 09:30:00",
            Self::Timestamp => "a timestamp such as 2026-11-23T12:00:00Z",
            Self::Address => "an IP address",
            Self::Ipv4 => "an IPv4 address",
            Self::Ipv6 => "an IPv6 address",
            Self::HostName => "a host name",
        }
    }
}

/// A label of a domain name.
fn label_fits(label: &str) -> bool {
    !label.is_empty()
        && label.len() <= 63
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

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
    local_fits && text.len() <= 254 && domain.split('.').all(label_fits)
}
