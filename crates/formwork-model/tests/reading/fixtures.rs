//! Small documents, one thing each, with what is read from them.

use crate::facts::facts_of;

macro_rules! reads {
    ($($name:ident: $file:literal),* $(,)?) => {
        $(
            #[test]
            fn $name() {
                insta::assert_snapshot!($file, facts_of(include_str!(concat!("../fixtures/", $file, ".md"))));
            }
        )*
    };
}

reads! {
    fields_in_every_notation: "fields",
    operations_by_title_and_label: "operations",
    promises_limits_and_costs: "promises",
    placeholders_are_found_once: "unfinished",
    sections_are_found_by_title: "titles",
    drawings_in_ascii_become_graphs: "drawing",
    interfaces_are_objects_of_type_words: "references",
}
