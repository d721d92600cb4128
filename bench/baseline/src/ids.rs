//! Identities and short names from the system's randomness.
//!
//! The kernel is asked once per 4 KiB and thread instead of once per identity: a call costs more than all the
//! rest of making one.

use std::cell::RefCell;

use uuid::Uuid;

const POOL_BYTES: usize = 4096;
const SLUG_ALPHABET: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
/// The largest multiple of 36 that a byte can hold: bytes from here on would favour the first letters.
const SLUG_UNBIASED_BELOW: u8 = 252;

struct Pool {
    bytes: [u8; POOL_BYTES],
    used: usize,
}

thread_local! {
    static POOL: RefCell<Pool> = const { RefCell::new(Pool { bytes: [0; POOL_BYTES], used: POOL_BYTES }) };
}

fn random<const N: usize>() -> Result<[u8; N], getrandom::Error> {
    POOL.with_borrow_mut(|pool| {
        if pool.used + N > POOL_BYTES {
            getrandom::fill(&mut pool.bytes)?;
            pool.used = 0;
        }
        let mut taken = [0; N];
        taken.copy_from_slice(&pool.bytes[pool.used..pool.used + N]);
        pool.used += N;
        Ok(taken)
    })
}

/// A UUIDv7 (RFC 9562) of the instant given in microseconds since 1970.
pub(crate) fn uuid_v7(now_micros: i64) -> Result<Uuid, getrandom::Error> {
    let millis = u64::try_from(now_micros / 1000).unwrap_or(0);
    Ok(uuid::Builder::from_unix_timestamp_millis(millis, &random()?).into_uuid())
}

/// Seven letters and digits, each equally likely: `random_slug(7)` of the document.
pub(crate) fn random_slug() -> Result<String, getrandom::Error> {
    let mut slug = String::with_capacity(7);
    while slug.len() < 7 {
        let [byte] = random::<1>()?;
        if byte < SLUG_UNBIASED_BELOW {
            slug.push(char::from(SLUG_ALPHABET[usize::from(byte) % SLUG_ALPHABET.len()]));
        }
    }
    Ok(slug)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_a_uuid_of_version_7_that_sorts_by_time() {
        let earlier = uuid_v7(1_700_000_000_000_000).unwrap();
        let later = uuid_v7(1_700_000_000_001_000).unwrap();
        assert_eq!(earlier.get_version_num(), 7);
        assert!(earlier < later);
    }

    #[test]
    fn a_thousand_short_names_are_valid_and_differ() {
        let slugs: std::collections::BTreeSet<_> = (0..1000).map(|_| random_slug().unwrap()).collect();
        assert_eq!(slugs.len(), 1000);
        assert!(slugs.iter().all(|slug| crate::input::is_slug(slug)));
    }
}
