//! One promise per construct, each on the smallest text that shows it.

use crate::outline::{outline, pieces};
use formwork_syntax::{Block, MAX_DEPTH, Node, NoteKind, Part, PieceKind, Span, Text, parse};

fn shape(source: &str) -> String {
    outline(source, &parse(source, &|label| label == "Relationships"))
}

/// Asserts the outline of a text, given without its indentation in the test.
fn assert_shape(source: &str, expected: &[&str]) {
    assert_eq!(shape(source).lines().collect::<Vec<_>>(), expected, "{source:?}");
}

fn first_paragraph(root: &Part) -> &Text {
    match &root.children[0] {
        Node::Block(Block::Paragraph(text)) => text,
        other => panic!("{other:?}"),
    }
}

macro_rules! shapes {
    ($($promise:ident: $source:expr => [$($line:expr),* $(,)?];)*) => {
        $(#[test]
        fn $promise() {
            assert_shape($source, &[$($line),*]);
        })*
    };
}

shapes! {
    nothing_gives_an_empty_root: "" => [];
    headings_nest_by_level: "# a\n### b\n## c" => ["0..14 # [a]", "  4..9 ### [b]", "  10..14 ## [c]"];
    setext_heading_spans_its_underline: "a\nb\n---\n" => ["0..7 ## [a|⏎\"\\n\"|b]"];
    closing_marks_are_no_title: "## a ##  \n" => ["0..7 ## [a]"];
    byte_order_mark_hides_no_heading: "\u{feff}# a" => ["3..6 # [a]"];
    colon_inside_bold_makes_a_label: "**A:** b" => ["0..8 ** [A^b] b"];
    colon_behind_bold_makes_a_label: "**A**: b" => ["0..8 ** [A^b] b"];
    colon_behind_a_blank_makes_a_label: "**A** : b" => ["0..9 ** [A^b] b"];
    italic_makes_a_label: "*A:* b" => ["0..6 ** [A^i] b"];
    underscores_make_a_label: "__A__: b" => ["0..8 ** [A^b] b"];
    label_may_hold_code: "**`a`:** b" => ["0..10 ** [`a`^b] b"];
    label_may_be_linked: "**[A](u):** b" => ["0..13 ** [A^b^l] b"];
    label_without_content_spans_its_marks: "**A:**\n" => ["0..6 ** [A^b]"];
    bold_alone_is_a_label: "**A b**\n\nc" => ["0..10 ** [A b^b]", "  9..10 paragraph c"];
    italic_alone_is_no_label: "*A b*" => ["0..5 paragraph A b^i"];
    bold_sentence_is_no_label: "**Append only.**" => ["0..16 paragraph Append only.^b"];
    bold_start_of_prose_is_no_label: "**A** b: c" => ["0..10 paragraph A^b| b: c"];
    colon_within_bold_prose_is_no_label: "**A: b** c" => ["0..10 paragraph A: b^b| c"];
    numbered_label_is_a_label: "**4. API:** x" => ["0..13 ** [4. API^b] x"];
    known_plain_word_is_a_label: "Relationships: a" => ["0..16 plain [Relationships] a"];
    unknown_plain_word_is_prose: "Elsewhere: a" => ["0..12 paragraph Elsewhere: a"];
    label_lines_are_parts_each: "**A:** b\n**C:** d" => ["0..8 ** [A^b] b", "9..17 ** [C^b] d"];
    label_takes_blocks_up_to_the_next: "**A:**\n- b\n\n**C:**" =>
        ["0..10 ** [A^b]", "  7..10 list", "    7..10 - b", "12..18 ** [C^b]"];
    heading_ends_a_label: "**A:** b\n# c" => ["0..8 ** [A^b] b", "9..12 # [c]"];
    item_text_may_bear_a_label: "- **A:** b" => ["0..10 list", "  0..10 - ** [A^b] b"];
    item_text_may_bear_plain_words: "- a b: c" => ["0..8 list", "  0..8 - plain [a b] c"];
    code_before_a_colon_labels_no_item: "- `a`: c" => ["0..8 list", "  0..8 - `a`|: c"];
    colon_in_quotes_or_parentheses_labels_no_item: "- (a: b) \"c: d\" e" =>
        ["0..17 list", "  0..17 - (a: b) \"c: d\" e"];
    colon_in_an_address_labels_no_item: "- http://a" => ["0..10 list", "  0..10 - http://a"];
    task_box_is_no_text: "- [x] a" => ["0..7 list", "  0..7 - [x] a"];
    numbers_count_from_the_first: "7. a\n7. b" => ["0..9 ordered list", "  0..4 7. a", "  5..9 8. b"];
    item_spans_begin_at_the_marker: "  - a\n" => ["2..5 list", "  2..5 - a"];
    loose_items_are_read_as_tight_ones: "- a\n\n- b" => ["0..8 list", "  0..3 - a", "  5..8 - b"];
    item_that_begins_with_a_fence_has_no_text: "- ```\n  a\n  ```" =>
        ["0..15 list", "  0..15 -", "    2..15 fence \"\" [\"a\\n\"]"];
    quote_spans_begin_at_the_mark: " > a\n >\n > b" =>
        ["1..12 quote", "  3..4 paragraph a", "  11..12 paragraph b"];
    tab_in_indentation_is_noted: "- a\n\t- b" =>
        ["4..5 note TabInIndentation", "0..8 list", "  0..8 - a", "    5..8 list", "      5..8 - b"];
    missing_cells_stand_at_the_end_of_the_row: "|a|b|\n|-|-|\n|c|\nd" =>
        ["0..17 table [a] [b]", "  12..15 row [c] []", "  16..17 row [d] []"];
    table_directly_below_a_label_is_a_table: "**F:**\n| a | b |\n|---|---|\n| c | d |\n" =>
        ["0..36 ** [F^b]", "  7..36 table [a] [b]", "    27..36 row [c] [d]"];
    table_directly_below_an_item_is_a_table: "- a\n  |b|\n  |-|\n  |c|" =>
        ["0..21 list", "  0..21 - a", "    6..21 table [b]", "      18..21 row [c]"];
    pipe_is_unescaped_in_code_in_a_table: "|a|\n|-|\n|`b\\|c`|" => ["0..16 table [a]", "  8..16 row [`b¦|c`]"];
    fence_knows_its_info_and_lines: "~~~ json x \n a\n\nb\n~~~~\n" =>
        ["0..22 fence \"json x\" [\" a\\n\", \"\\n\", \"b\\n\"]"];
    windows_lines_of_code_keep_their_ends: "```\r\na\r\n\r\nb\r\n```" =>
        ["0..16 fence \"\" [\"a\\r\\n\", \"\\r\\n\", \"b\\r\\n\"]"];
    open_fence_is_noted_and_ends_with_its_code: "```\na\n\n" =>
        ["0..5 note UnclosedFence", "0..5 fence \"\" [\"a\"]"];
    code_in_containers_is_free_of_their_marks: "> - ```\n>   a\n>   ```" =>
        ["0..21 quote", "  2..21 list", "    2..21 -", "      4..21 fence \"\" [\"a\\n\"]"];
    comment_is_told_from_other_html: "<!-- a -->\n\n<b>" => ["0..10 comment \"<!-- a -->\"", "12..15 html \"<b>\""];
    nul_is_noted_and_kept: "a\0b" => ["1..2 note NulCharacter", "0..3 paragraph a\0b"];
    escape_lies_between_two_pieces: "a\\*b" => ["0..4 paragraph a|*b"];
    entity_is_shown_by_its_character: "a &mdash; b" => ["0..11 paragraph a |{&mdash;=—}| b"];
    emphasis_may_lie_within_a_word: "a**b**c" => ["0..7 paragraph a|b^b|c"];
    code_over_lines_leaves_out_marks_and_indentation: "> `a\n>   b`" => ["0..11 quote", "  2..11 paragraph `a¦␣b`"];
    quote_mark_deep_inside_code_is_code: "`a\n\u{a0}b\n    > c`" => ["0..15 paragraph `a¦␣\u{a0}b¦␣> c`"];
    ranges_of_headings_are_drawn_in: "# `a`\t &amp; `b`\t " => ["0..16 # [`a`|\t |{&amp;=&}| |`b`]"];
    backslash_before_a_blank_last_line_is_text: "<a\\\n\u{b}" => ["0..3 paragraph <a\\"];
    one_blank_is_stripped_from_code: "`` `a` ``" => ["0..9 paragraph ``a``"];
    definition_is_no_text: "[a]: b\n\n[a]" => ["8..11 paragraph a^l"];
    tildes_stay_text: "5~10 and ~~6~~" => ["0..14 paragraph 5~10 and ~~6~~"];
}

#[test]
fn depth_up_to_the_limit_is_kept() {
    let quotes = |depth: usize| parse(&(">".repeat(depth) + "a"), &|_| false).notes;
    assert_eq!(quotes(MAX_DEPTH), []);
    assert_eq!(quotes(MAX_DEPTH + 1).len(), 1);
    assert_eq!(quotes(MAX_DEPTH + 1)[0].kind, NoteKind::TooDeep);
}

#[test]
fn slice_cuts_plain_pieces_and_trims_blanks() {
    let source = "one | `two|x` | *three*";
    let document = parse(source, &|_| false);
    let text = first_paragraph(&document.root);
    let bars: Vec<Span> =
        text.shown(source).filter(|(_, shown)| *shown == '|').map(|(span, _)| span).collect();
    assert_eq!(bars.len(), 2, "the one in code is not shown");
    let columns = [
        text.slice(source, text.span.start, bars[0].start),
        text.slice(source, bars[0].end, bars[1].start),
        text.slice(source, bars[1].end, text.span.end),
    ];
    assert_eq!(columns.each_ref().map(|column| column.span.slice(source)), ["one", "`two|x`", "*three*"]);
    assert_eq!(columns.each_ref().map(|column| pieces(source, column)), ["one", "`two|x`", "three^i"]);
}

#[test]
fn slice_leaves_out_code_that_is_not_inside() {
    let source = "a `b` c";
    let document = parse(source, &|_| false);
    let text = first_paragraph(&document.root);
    assert_eq!(pieces(source, &text.slice(source, 0, 4)), "a");
    assert!(text.slice(source, 5, 6).pieces.is_empty(), "a blank is nothing");
}

#[test]
fn code_offsets_lead_back_to_the_source() {
    let source = "`ab\ncd`";
    let document = parse(source, &|_| false);
    let (_, code) = first_paragraph(&document.root).codes().next().unwrap();
    assert_eq!(code.text(source), "ab cd");
    assert_eq!((code.source_offset(1), code.source_offset(3)), (2, 4));
    assert!(matches!(first_paragraph(&document.root).pieces[0].kind, PieceKind::Code(_)));
}
