//! Where requests to others may go: a name of the document that turns out to be an address of this machine or network
//! is not followed there.
//!
//! The operator may send a component anywhere (`--upstream`), and the document may name such a place as such: by its
//! address, or by a name that no public host has. Source: conventions *Security*, API7; docs/reference/edge.md.

use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tower_service::Service;

/// Which names may be places of this machine or network.
#[derive(Clone, Debug)]
pub(crate) enum Reach {
    /// All of them.
    Anywhere,
    /// These, in lower case, which the operator has named; and those that no public host has.
    Named(Arc<BTreeSet<String>>),
}

impl Reach {
    fn allows(&self, name: &str) -> bool {
        match self {
            Self::Anywhere => true,
            Self::Named(names) => names.contains(name) || is_local_name(name),
        }
    }
}

/// Looks names up, and leaves out addresses that the name may not have.
#[derive(Clone)]
pub(crate) struct Resolver<R = GaiResolver> {
    inner: R,
    reach: Reach,
}

impl Resolver {
    /// Over the system's own.
    pub(crate) fn new(reach: Reach) -> Self {
        Self { inner: GaiResolver::new(), reach }
    }
}

type Found = Pin<Box<dyn Future<Output = Result<std::vec::IntoIter<SocketAddr>, io::Error>> + Send>>;

impl<R> Service<Name> for Resolver<R>
where
    R: Service<Name, Error = io::Error>,
    R::Response: Iterator<Item = SocketAddr>,
    R::Future: Send + 'static,
{
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Found;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, name: Name) -> Found {
        let is_free = self.reach.allows(&name.as_str().to_ascii_lowercase());
        let found = self.inner.call(name);
        Box::pin(async move {
            let all: Vec<SocketAddr> = found.await?.collect();
            let had_some = !all.is_empty();
            let kept: Vec<SocketAddr> =
                all.into_iter().filter(|address| is_free || is_public(address.ip())).collect();
            if kept.is_empty() && had_some {
                let cause = "the name leads into this machine or network; `--upstream` allows it";
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, cause));
            }
            Ok(kept.into_iter())
        })
    }
}

/// Names that are of this machine or network by themselves (RFC 6761, RFC 6762, RFC 8375), and single words, as
/// services behind one door are called. Numbers are no names.
fn is_local_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let last = name.rsplit('.').next().unwrap_or(name);
    let is_word = !name.contains('.') && name.starts_with(|first: char| first.is_ascii_alphabetic());
    is_word
        || ["localhost", "local", "internal", "test", "lan"].contains(&last)
        || name.ends_with(".home.arpa")
}

/// Whether an address is one of the open internet.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let reserved = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        || a == 0
        || a >= 240
        // Between providers and their customers, protocols, and for measuring.
        || (a == 100 && (64..128).contains(&b))
        || (a, b, c) == (192, 0, 0)
        || (a == 198 && (18..20).contains(&b));
    !reserved
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let parts = address.segments();
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match parts {
        // In IPv6 there are several ways to write an address of IPv4.
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => embedded(high, low),
        [0x2002, high, low, ..] => embedded(high, low),
        [0, 0, 0, 0, 0, 0, ..] | [0x64, 0xff9b, 1, ..] | [0x2001, 0xdb8, ..] | [0x2001, 0, ..] => false,
        [first, ..] => (first & 0xe000) == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_this_machine_and_network_are_known_in_every_spelling() {
        for public in ["93.184.216.34", "1.1.1.1", "2606:2800:220:1::1", "::ffff:1.1.1.1", "64:ff9b::101:101"]
        {
            assert!(is_public(public.parse().expect("an address")), "{public}");
        }
        for inside in [
            "127.0.0.1",
            "127.8.8.8",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "0.1.2.3",
            "100.64.0.1",
            "192.0.0.8",
            "198.18.0.1",
            "203.0.113.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "ff02::1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001:db8::1",
        ] {
            assert!(!is_public(inside.parse().expect("an address")), "{inside}");
        }
    }

    /// Answers every name alike.
    #[derive(Clone)]
    struct Always(Vec<SocketAddr>);

    impl Service<Name> for Always {
        type Response = std::vec::IntoIter<SocketAddr>;
        type Error = io::Error;
        type Future = std::future::Ready<Result<Self::Response, io::Error>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: Name) -> Self::Future {
            std::future::ready(Ok(self.0.clone().into_iter()))
        }
    }

    async fn found(name: &str, addresses: &[&str], reach: Reach) -> Result<usize, io::ErrorKind> {
        let addresses = addresses.iter().map(|text| SocketAddr::new(text.parse().expect("an address"), 0));
        let mut resolver = Resolver { inner: Always(addresses.collect()), reach };
        let name: Name = name.parse().expect("a name");
        resolver.call(name).await.map(|found| found.count()).map_err(|error| error.kind())
    }

    #[tokio::test]
    async fn a_name_of_the_document_leads_to_no_place_inside() {
        let named = || Reach::Named(Arc::new(BTreeSet::from(["pay.corp.example".to_owned()])));
        let refused = Err(io::ErrorKind::PermissionDenied);
        assert_eq!(found("pay.example.com", &["93.184.216.34"], named()).await, Ok(1));
        assert_eq!(found("pay.example.com", &["169.254.169.254"], named()).await, refused);
        // Of several addresses only those outside are tried.
        assert_eq!(found("pay.example.com", &["::1", "1.1.1.1"], named()).await, Ok(1));
        for number in ["2130706433", "127.1", "0x7f000001"] {
            assert_eq!(found(number, &["127.0.0.1"], named()).await, refused, "{number}");
        }
        for inside in ["localhost", "ledger", "ledger.internal", "db.home.arpa", "PAY.corp.example"] {
            assert_eq!(found(inside, &["10.0.0.1"], named()).await, Ok(1), "{inside}");
        }
        assert_eq!(found("pay.example.com", &["10.0.0.1"], Reach::Anywhere).await, Ok(1));
    }
}
