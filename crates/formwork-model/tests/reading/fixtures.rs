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
    relationships_in_every_notation: "relationships",
    objectives_in_every_notation: "objectives",
    cache_layers_in_every_notation: "caches",
    keys_and_indexes_in_every_notation: "keys",
    inputs_as_sentences_lists_and_tables: "inputs",
    methods_and_paths_in_every_dress: "routes",
    errors_as_lists_sentences_and_tables: "errors",
    flows_in_every_notation: "flows",
    components_by_heading_list_and_table: "components",
    metrics_traces_and_events_in_every_notation: "signals",
    questions_and_phases_in_every_notation: "questions",
    goals_and_what_is_out_of_scope: "goals",
    entities_by_heading_list_and_table: "entities",
    protection_written_as_tables: "grants",
    flowcharts_become_graphs: "mermaid",
    sequence_diagrams_become_graphs: "sequence",
    bold_lines_in_place_of_headings: "slips",
    a_title_that_begins_like_a_section_is_none: "telemetry_title",
}
