//! What a key looks like: `fw_NAME_SECRET`, with check digits behind the secret.
//!
//! A key that was mistyped or made up is refused by its digits alone, and scanners of code for secrets tell a key from
//! what only looks like one. Keys of releases without digits are read as well. Source: conventions *Security*, API keys.

use sha2::{Digest, Sha256};

/// How every key begins.
const PREFIX: &str = "fw_";
/// Hexadecimal digits of a secret of 192 bits.
const SECRET: usize = 48;
/// Check digits, in hexadecimal.
const CHECKED: usize = 8;

/// The text of a key: its name, so that it is found at once, 192 random bits, and the check digits of all of it.
pub(crate) fn key_text(name: &str, secret: &[u8; 24]) -> String {
    let text = format!("{PREFIX}{name}_{}", crate::random::hexadecimal(secret));
    let digits = check_digits(&text);
    text + &digits
}

/// What is kept of a key's text.
pub(crate) fn key_hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// The name in a key's text; absent when no key was ever written so.
pub(super) fn key_name(text: &str) -> Option<&str> {
    let (name, secret) = text.strip_prefix(PREFIX)?.split_once('_')?;
    if name.is_empty() || !secret.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let is_key = match secret.len() {
        SECRET => true,
        length if length == SECRET + CHECKED => {
            let (start, digits) = text.split_at(text.len() - CHECKED);
            check_digits(start) == digits
        }
        _ => false,
    };
    is_key.then_some(name)
}

/// The CRC-32 of a text (ISO 3309, as in zip and PNG).
fn check_digits(text: &str) -> String {
    let step = |sum: u32, _| if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 };
    let sum = text.bytes().fold(u32::MAX, |sum, byte| (0..8).fold(sum ^ u32::from(byte), step));
    format!("{:08x}", !sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_are_those_of_everybody() {
        assert_eq!(check_digits("123456789"), "cbf43926");
        assert_eq!(check_digits(""), "00000000");
    }

    #[test]
    fn every_mistyped_digit_is_noticed_and_old_keys_are_keys() {
        let text = key_text("ab12", &[0x5a; 24]);
        assert_eq!((text.len(), key_name(&text)), (64, Some("ab12")));
        for place in 3..text.len() {
            let mut mistyped = text.clone().into_bytes();
            mistyped[place] = if mistyped[place] == b'7' { b'8' } else { b'7' };
            let mistyped = String::from_utf8(mistyped).expect("digits");
            assert_eq!(key_name(&mistyped), None, "{mistyped}");
        }
        assert_eq!(key_name(&text[..text.len() - CHECKED]), Some("ab12"));
        for other in ["", "fw_", "fw_ab12", "fw_ab12_", "fw__", &text[1..], &text[..60], &format!("{text}0")]
        {
            assert_eq!(key_name(other), None, "{other}");
        }
    }
}
