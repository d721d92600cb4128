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

/// The line that a mistake in a step becomes; the rest of the document must stay as it is.
fn mended_step(step: &str) -> String {
    let steps = "4. Deletes the `link`.\n";
    assert!(EXAMPLE.contains(steps));
    let (before, after) = EXAMPLE.split_once(steps).expect("it is there");
    let fixed = fix(format!("{before}{step}{after}").into(), &analyse).text;
    let inside = fixed.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
    inside.expect("only the step was changed").to_owned()
}

#[test]
fn mistakes_of_a_step_with_one_way_out_are_mended() {
    let cases = [
        (
            "4. Updates the `link` with `url = \"x\", visit_count = 4, slug = \"a, b\"`.\n",
            "4. Updates the `link` with `url = \"x\"`, `visit_count = 4`, `slug = \"a, b\"`.\n",
        ),
        ("4. Deletes the link.\n", "4. Deletes the `link`.\n"),
        ("4. Emits link.retargeted.\n", "4. Emits `link.retargeted`.\n"),
        ("4. Updates the `link` with `url == \"x\"`.\n", "4. Updates the `link` with `url = \"x\"`.\n"),
        (
            "4. Emits `link.retargeted`, and deletes the `link`.\n",
            "4. Emits `link.retargeted`. Deletes the `link`.\n",
        ),
        (
            "4. If `link.visit_count > 3`.\n   1. Deletes the `link`.\n",
            "4. If `link.visit_count > 3`:\n   1. Deletes the `link`.\n",
        ),
        (
            "4. Fails with `409 busy` when `link.slug == \"x\" and link.visit_count == 3`.\n",
            "4. Fails with `409 busy` when `link.slug == \"x\" && link.visit_count == 3`.\n",
        ),
        (
            "4. Fails with `409 busy` when `link.slug === \"x\"`.\n",
            "4. Fails with `409 busy` when `link.slug == \"x\"`.\n",
        ),
    ];
    for (before, after) in cases {
        assert_eq!(mended_step(before), after);
    }
}

#[test]
fn a_condition_that_may_govern_two_steps_is_left_to_the_author() {
    let step = "4. Emits `link.retargeted` and deletes the `link` if `link.visit_count == 3`.\n";
    assert_eq!(mended_step(step), step);
}

#[test]
fn a_label_with_a_slip_is_mended() {
    let text = EXAMPLE.replacen("- **TTL:** 60 s", "- **TLT:** 60 s", 1).replacen(
        "**Behavior:**",
        "**Behavoir:**",
        1,
    );
    assert_eq!(fix(text.as_str().into(), &analyse).text, EXAMPLE);
}

#[test]
fn a_name_with_two_neighbours_is_left_to_the_author() {
    let twins = "### Entity: `lint`\n\n**Fields:**\n- `id` (uuid) | identity | primary key, generated\n\n### Entity: `link`";
    let text = EXAMPLE.replacen("### Entity: `link`", twins, 1);
    let wrong = text.replacen("Finds the `link` where", "Finds the `lin` where", 1);
    let fixed = fix(wrong.as_str().into(), &analyse);
    assert_eq!(fixed.text, wrong, "{:?}", fixed.mended);
    let found = analyse(wrong.as_str().into()).diagnostics;
    let unknown = found.iter().find(|found| found.message.contains("`lin`")).expect("it is found");
    assert!(unknown.help.as_ref().is_some_and(|help| help.starts_with("did you mean")), "{unknown:?}");
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
