//! Fixes: made until none is left, once and for all.

use formwork_check::{analyse, analyse_fragment};
use formwork_format::fix;
use proptest::prelude::*;

const EXAMPLE: &str = include_str!("../../../../examples/shortlink.md");

fn mended(text: &str) -> (String, usize) {
    let fixed = fix(text.into(), &analyse_fragment);
    (fixed.text, fixed.mended.len())
}

#[test]
fn a_slip_in_a_name_is_mended_and_told_with_its_line() {
    let text = EXAMPLE.replacen("Finds the `link` where", "Finds the `lnik` where", 1);
    let fixed = fix(text.as_str().into(), &analyse);
    assert_eq!(fixed.text, EXAMPLE);
    let [one] = fixed.mended.as_slice() else { panic!("{:?}", fixed.mended) };
    assert_eq!((one.code, one.message.as_str()), ("FW2001", "there is no entity `lnik`"));
    assert!(text.lines().nth(one.line as usize - 1).expect("the line is there").contains("lnik"));
}

#[test]
fn several_slips_are_mended_together() {
    let text = EXAMPLE
        .replacen("Finds the `link` where", "Finds the `lnik` where", 2)
        .replacen("- `slug` (string)", "- `slug` (strnig)", 1)
        .replacen("`input.expires_at <= now()`", "`inptu.expires_at <= now()`", 1);
    assert_eq!(fix(text.as_str().into(), &analyse).text, EXAMPLE);
}

#[test]
fn a_document_without_findings_stays_byte_for_byte() {
    assert_eq!(mended(EXAMPLE), (EXAMPLE.to_owned(), 0));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mending_again_changes_nothing(slips in prop::collection::vec((0usize..12_000, prop::sample::select(vec!["x", "", "=", "`", " and "])), 1..8)) {
        let mut text = EXAMPLE.to_owned();
        for (at, slip) in slips {
            let at = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            text.insert_str(at, slip);
        }
        let once = fix(text.as_str().into(), &analyse).text;
        let again = fix(once.as_str().into(), &analyse);
        prop_assert_eq!(again.text, once);
    }
}
