//! Proofs that do not hold, counted by address: who guesses is told to wait.
//!
//! Only what fails is counted and refused, so that a caller whose proof holds is never locked out by others behind the
//! same address. The count is each node's own. Source: OWASP API Security Top 10 (2023), API2; docs/decisions/0129.

use crate::problems::{Problem, TOO_MANY_FAILURES};
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use std::net::{IpAddr, Ipv6Addr};

/// The time in which failures are counted together, in microseconds.
const WINDOW: i64 = 60_000_000;
/// Addresses that are remembered at most.
const ADDRESSES: usize = 65_536;

/// The failures of late.
pub(crate) struct Failures {
    most: u32,
    by_address: Mutex<FxHashMap<IpAddr, Counted>>,
}

/// Those of one address.
#[derive(Clone, Copy)]
struct Counted {
    since: i64,
    number: u32,
}

impl Failures {
    /// So many are let through for each address in a minute.
    pub(crate) fn new(most: u32) -> Self {
        Self { most, by_address: Mutex::default() }
    }

    /// What a request is answered whose proof did not hold: `429` once its address had too many of them; anything but
    /// `401` is no failure of a proof.
    pub(crate) fn answered(&self, problem: Problem, address: IpAddr, now: i64) -> Problem {
        if problem.status != StatusCode::UNAUTHORIZED {
            return problem;
        }
        let Some(wait) = self.note(place(address), now) else { return problem };
        let seconds = (wait + 999_999) / 1_000_000;
        let detail = format!("Too many proofs from this address do not hold; try again in {seconds} s.");
        let mut problem = Problem::with(&TOO_MANY_FAILURES, detail);
        problem.headers.push((RETRY_AFTER, HeaderValue::from(seconds)));
        problem
    }

    /// Counts a failure; gives how long to wait when there were too many.
    fn note(&self, address: IpAddr, now: i64) -> Option<i64> {
        let mut all = self.by_address.lock();
        let is_over = |counted: &Counted| now.saturating_sub(counted.since) >= WINDOW || counted.since > now;
        if all.len() >= ADDRESSES && !all.contains_key(&address) {
            all.retain(|_, counted| !is_over(counted));
            if all.len() >= ADDRESSES {
                // The memory stays bounded; who has so many addresses is not held by a count for each.
                all.clear();
            }
        }
        let counted = all.entry(address).or_insert(Counted { since: now, number: 0 });
        if is_over(counted) {
            *counted = Counted { since: now, number: 0 };
        }
        counted.number = counted.number.saturating_add(1);
        (counted.number > self.most).then(|| counted.since + WINDOW - now)
    }
}

/// What counts as one address: of IPv6 the network of a customer, who has all the addresses in it.
fn place(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let network = address.to_bits() & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from_bits(network))
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problems::{FORBIDDEN, UNAUTHENTICATED};

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn only_failures_beyond_the_limit_of_their_address_and_minute_wait() {
        let failures = Failures::new(3);
        let status = |from: &str, now| {
            let problem = failures.answered(Problem::of(&UNAUTHENTICATED), address(from), now);
            problem.status.as_u16()
        };
        assert_eq!([0, 1, 2, 3].map(|now| status("10.0.0.1", now)), [401, 401, 401, 429]);
        assert_eq!(status("10.0.0.2", 4), 401, "another address");
        let other = failures.answered(Problem::of(&FORBIDDEN), address("10.0.0.1"), 5);
        assert_eq!(other.status.as_u16(), 403, "what is no failure of a proof");
        assert_eq!(status("10.0.0.1", WINDOW - 1), 429);
        assert_eq!([WINDOW, WINDOW + 1].map(|now| status("10.0.0.1", now)), [401, 401]);
        let late = Failures::new(0);
        let told = late.answered(Problem::of(&UNAUTHENTICATED), address("10.0.0.1"), 7);
        assert!(told.headers.iter().any(|(name, value)| *name == RETRY_AFTER && value == "60"));
    }

    #[test]
    fn a_network_counts_as_one_address_and_the_memory_is_bounded() {
        assert_eq!(place(address("2001:db8::1")), place(address("2001:db8::ffff:1")));
        assert_ne!(place(address("2001:db8::1")), place(address("2001:db8:0:1::1")));
        assert_eq!(place(address("::ffff:10.0.0.1")), address("10.0.0.1"));
        let failures = Failures::new(1);
        for number in 0..200_000_u32 {
            failures.note(IpAddr::from(number.to_be_bytes()), 1);
        }
        assert!(failures.by_address.lock().len() <= ADDRESSES);
    }
}
