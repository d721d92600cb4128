//! What expressions mean: CEL's rules, and ours for absent values, exact numbers and names.

mod common;

use common::{fails, gives, notes_of};

#[test]
fn operators_bind_as_in_cel() {
    gives("1 + 2 * 3", "7");
    gives("(1 + 2) * 3", "9");
    gives("10 - 3 - 2", "5");
    gives("true || false && false", "true");
    gives("1 < 2 == true", "true");
    gives("true ? 1 : false ? 2 : 3", "1");
    gives("-9223372036854775808", "-9223372036854775808");
    gives("- 2 + 3", "1");
    gives("7 / 2", "3");
    gives("-7 % 3", "-1");
    gives("none ?? 1 + 2", "3");
    gives("none ?? 0 > 5", "false");
    gives("none ?? none ?? 4", "4");
}

#[test]
fn absent_values_equal_nothing_but_null() {
    gives("none == null", "true");
    gives("none != null", "false");
    gives("null == none", "true");
    gives("none == none", "false");
    gives("none != none", "true");
    gives("none == 1", "false");
    gives("none != 1", "true");
    gives("nothing == null", "true");
    gives("nothing == none", "false");
    gives("null == null", "true");
}

#[test]
fn absent_values_are_in_no_order_and_no_list() {
    for comparison in
        ["none < 1", "none <= 1", "none > 1", "none >= 1", "1 < none", "none <= none", "none in [1, 2]"]
    {
        gives(comparison, "false");
    }
    gives("1 in numbers_absent", "false");
}

#[test]
fn an_absent_boolean_counts_as_false() {
    gives("flag && true", "false");
    gives("flag || true", "true");
    gives("!flag", "true");
    gives("flag ? 1 : 2", "2");
    gives("numbers_absent.exists(x, true)", "false");
    gives("numbers_absent.all(x, true)", "false");
}

#[test]
fn whatever_is_computed_from_an_absent_value_is_absent() {
    for expression in [
        "none + 1",
        "-none",
        "text_absent.size()",
        "upper(text_absent)",
        "text_absent + 'a'",
        "row_absent.title",
    ] {
        gives(expression, "absent");
    }
    gives("none ?? 7", "7");
    gives("upper(text_absent) ?? 'none'", "\"none\"");
    gives("1 ?? 1 / 0", "1");
}

#[test]
fn has_asks_whether_a_key_was_sent() {
    gives("has(input.sent)", "true");
    gives("has(input.nulled)", "true");
    gives("has(input.left_out)", "false");
    gives("input.nulled == null", "true");
    gives("has({'a': 1}.a)", "true");
    gives("has(row.subtitle)", "false");
    gives("has(row.title)", "true");
}

#[test]
fn decimals_are_exact() {
    gives("0.1 + 0.2 == 0.3", "true");
    gives("1.10 * 3", "3.30");
    gives("round(10 / 3.0, 2)", "3.33");
    gives("round(2.0 / 3, 2)", "0.67");
    gives("round(1.0 / 3 * 3, 5)", "1.00000");
    gives("round(1.0 / 3 + 1.0 / 6, 2)", "0.50");
    gives("round(2.5)", "3");
    gives("round(-2.5)", "-3");
    gives("round_half_even(2.5, 0)", "2");
    gives("round_half_even(3.5, 0)", "4");
    gives("floor(-1.5)", "-2");
    gives("ceil(-1.5)", "-1");
    gives("double(1) + 0.5", "1.5");
    gives("2 * 1.5 == 3", "true");
    gives("sum([0.1, 0.2, 0.3])", "0.6");
    gives("max(1, 2.5)", "2.5");
}

#[test]
fn what_does_not_fit_fails() {
    for expression in [
        "9223372036854775807 + 1",
        "-(-9223372036854775808)",
        "1 / 0",
        "1 % 0",
        "number * 9223372036854775807",
    ] {
        fails(expression, "Arithmetic");
    }
    fails("round(1 / 0.0, 2)", "Arithmetic");
    fails("9999999999999999999999999999999999999.0 * 9999.0", "Arithmetic");
}

#[test]
fn a_deciding_side_absorbs_the_failure_of_the_other() {
    gives("1 / 0 > 0 || true", "true");
    gives("1 / 0 > 0 && false", "false");
    fails("1 / 0 > 0 && true", "Arithmetic");
    gives("[0, 1].exists(x, 1 / x == 1)", "true");
}

#[test]
fn work_is_bounded() {
    let many = format!("[{}]", ["1"; 120].join(","));
    let source = format!("{many}.map(a, {many}.map(b, {many}.map(c, a + b + c)))");
    fails(&source, "TooMuchWork");
    fails(&format!("{many}.exists(a, {many}.exists(b, {many}.exists(c, false)))"), "TooMuchWork");
}

#[test]
fn texts_are_counted_in_code_points() {
    gives("size('größe🙂')", "6");
    gives("'größe'.substring(2, 4)", "\"öß\"");
    gives("'a🙂b'.indexOf('b')", "2");
    gives("'GRÖSSE'.lower()", "\"grÖsse\"");
    gives("'a,b'.split(',')", "[\"a\",\"b\"]");
    gives("'٣'.matches('^\\\\d$')", "false");
    gives("'a1'.matches('\\\\d')", "true");
}

#[test]
fn times_move_by_durations() {
    gives("timestamp('2026-11-23T12:00:00+01:00')", "\"2026-11-23T11:00:00Z\"");
    gives("timestamp('2026-11-23T12:00:00Z') + duration('1h30m')", "\"2026-11-23T13:30:00Z\"");
    gives(
        "timestamp('2026-11-23T12:00:00Z') - timestamp('2026-11-23T11:59:00Z') == duration('1 min')",
        "true",
    );
    gives("duration('90 s')", "\"90s\"");
    gives("date('2026-01-31') + days(1)", "\"2026-02-01\"");
    gives("add_months(date('2026-01-31'), 1)", "\"2026-02-28\"");
    gives("start_of_day(timestamp('2026-07-01T22:30:00Z'), 'Europe/Berlin')", "\"2026-07-01T22:00:00Z\"");
    gives("format(timestamp('2026-07-31T23:30:00Z'), 'YYYY-MM', 'Europe/Berlin')", "\"2026-08\"");
    gives("date(timestamp('2026-07-31T23:30:00Z'), 'Europe/Berlin')", "\"2026-08-01\"");
    gives("now() == now()", "true");
    gives("today()", "\"2026-11-23\"");
}

#[test]
fn texts_beside_uuids_and_times_are_parsed() {
    gives("row.id == '00000000-0000-0000-0000-00000000002A'", "true");
    gives("row.id == text", "false");
    gives("row.at < '2027-01-01T00:00:00Z'", "true");
}

#[test]
fn unknown_names_offer_the_nearest() {
    assert_eq!(notes_of("nubmer + 1"), ["UnknownName variable nubmer -> number"]);
    assert_eq!(notes_of("row.titel"), ["UnknownField article.titel -> title"]);
    assert_eq!(notes_of("input.snet"), ["UnknownField input.snet -> sent"]);
    assert_eq!(notes_of("uper(text)"), ["UnknownName function uper -> upper"]);
    assert_eq!(notes_of("row.state == 'drfat'"), ["UnknownName value drfat -> draft"]);
    assert_eq!(notes_of("row.state in ['draft', 'puplished']"), ["UnknownName value puplished -> published"]);
}

#[test]
fn types_do_not_mix() {
    assert_eq!(notes_of("1 + 'a'"), ["TypeMismatch integer string `+`"]);
    assert_eq!(notes_of("number == 'a'"), ["TypeMismatch integer string `==`"]);
    assert_eq!(notes_of("number + double(1)"), ["TypeMismatch integer double `+`"]);
    assert_eq!(notes_of("number && true"), ["TypeMismatch boolean integer `&&`"]);
    assert_eq!(notes_of("row.state < 'draft'"), ["TypeMismatch enum(draft, published) string `<`"]);
    assert_eq!(notes_of("1.0 / 3"), ["Other division_not_rounded /"]);
    assert_eq!(notes_of("upper(1)"), ["TypeMismatch (string) (integer) `upper`"]);
    assert_eq!(notes_of("row.at < 'soon'"), ["TypeMismatch timestamp string the literal"]);
}

#[test]
fn what_cannot_be_read_says_why() {
    assert_eq!(notes_of("(1 + 2"), ["syntax expected `)`, found the end"]);
    assert_eq!(notes_of("1 +"), ["syntax expected a value, found the end"]);
    assert_eq!(notes_of("a = 1"), ["syntax `=` compares nothing here"]);
    assert_eq!(notes_of("'abc"), ["syntax the text does not end: ' is missing"]);
    assert_eq!(notes_of("12ab"), ["syntax `12ab` is neither a number nor a name"]);
    assert_eq!(notes_of(&"(".repeat(5000)), ["syntax the expression nests deeper than 100"]);
    assert_eq!(notes_of(&"1+".repeat(5000)), ["syntax the expression nests deeper than 100"]);
    assert_eq!(notes_of(&"!".repeat(5000)), ["syntax the expression nests deeper than 100"]);
}

#[test]
fn lists_are_searched_counted_and_indexed() {
    gives("first([1, 2, 3], x, x > 1)", "2");
    gives("first([1], x, x > 1)", "absent");
    gives("[1, 2, 3].filter(x, x % 2 == 1).map(x, x * 10)", "[10,30]");
    gives("[1, 2, 3].map(x, x > 1, x)", "[2,3]");
    gives("[1, 2].exists_one(x, x == 2)", "true");
    gives("index_by([{'k': 'a', 'n': 1}, {'k': 'b', 'n': 2}], 'k')['b'].n", "2");
    gives("index_by([row], 'title')['First'].likes", "3");
    gives("index_by([row], 'subtitle')", "{}");
    assert_eq!(notes_of("index_by([row], 'titel')"), ["UnknownField article.titel -> title"]);
    gives("[[1, 2].map(x, [x].map(y, x + y)), [[0]]]", "[[[2],[4]],[[0]]]");
}

#[test]
fn json_is_looked_into() {
    gives("json.a[1]", "2.5");
    gives("json.b == null", "true");
    gives("json.c == null", "true");
    gives("has(json.b) && !has(json.c)", "true");
    gives("size(json.a)", "2");
    gives("json.a.exists(x, x == 1)", "true");
    gives("json.c.d[3].e", "absent");
}

#[test]
fn what_nests_deeply_but_not_too_deeply_runs() {
    gives(&format!("{}true", "!".repeat(96)), "true");
    gives(
        &format!("{}1{}", "[".repeat(90), "]".repeat(90)),
        &format!("{}1{}", "[".repeat(90), "]".repeat(90)),
    );
    gives(&format!("1{}", " + 1".repeat(98)), "99");
    gives(&format!("{}1{}", "(1 + ".repeat(45), ")".repeat(45)), "46");
}
