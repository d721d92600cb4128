//! The example document is read completely, and every place slices to what it says.

use crate::facts::facts_of;

const SOURCE: &str = include_str!("../../../../examples/shortlink.md");

#[test]
fn the_example_is_read_completely() {
    insta::assert_snapshot!(facts_of(SOURCE));
}
