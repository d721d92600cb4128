//! What goes where: assignments, the types of places, and what conditions prove.

mod common;

use common::{names, schema, shown};
use formwork_language::expression::{Equals, Expression, Names, assignment, coerce, compile, parse, proves};
use formwork_language::value::Value;
use formwork_model::values::Type;

fn coerced(names: &Names<'_>, source: &str, ty: &Type, optional: bool) -> String {
    let ast = parse(source, Equals::Refused, &|at| at).expect("parses");
    let mut notes = Vec::new();
    let Some(typed) = compile(&ast, names, &mut notes) else { return shown(&notes[0].kind) };
    match coerce(typed, ty, optional, names.schema, "the field") {
        Ok(Expression::Constant(value)) => format!("constant {}", value.to_plain()),
        Ok(Expression::Convert { to, .. }) => format!("converts to {to}"),
        Ok(_) => "as it is".to_owned(),
        Err(kind) => shown(&kind),
    }
}

#[test]
fn assignments_are_split_at_the_first_lone_equals_sign() {
    let split = |source: &str| {
        assignment(source, &|at| at + 100)
            .map(|parsed| parsed.map(|parsed| (parsed.name.to_string(), parsed.name_span, parsed.value.span)))
    };
    let (name, name_span, value_span) = split(" url = input.url == null").expect("splits").expect("parses");
    assert_eq!(name, "url");
    assert_eq!((name_span.start, name_span.end), (101, 104));
    assert_eq!((value_span.start, value_span.end), (107, 124));
    assert!(split("url == 1").is_none());
    assert!(split("1 = 2").is_none());
    assert!(split("url").is_none());
    assert!(split("a = b = c").expect("splits").is_err());
    assert!(split("größe='x'").expect("splits").is_ok());
}

#[test]
fn a_lone_equals_sign_compares_only_where_it_may() {
    assert!(parse("a = 1", Equals::Compares, &|at| at).is_ok());
    let problem = parse("a = 1", Equals::Refused, &|at| at).expect_err("refused");
    assert_eq!(problem.fix.map(|(span, text)| (span.start, span.end, text)), Some((2, 3, "==".to_owned())));
}

#[test]
fn values_are_brought_to_the_type_of_their_place() {
    let schema = schema();
    let names = names(&schema);
    let money = Type::Decimal { precision: 12, scale: 2 };
    let states = Type::Enum(["draft".into(), "published".into()].into());
    for (source, ty, expected) in [
        ("1.5", &money, "constant 1.50"),
        ("3", &money, "constant 3.00"),
        ("1.555", &money, "TypeMismatch decimal(12,2) decimal the field"),
        ("number", &money, "converts to decimal(12,2)"),
        ("amount * 2", &money, "converts to decimal(12,2)"),
        ("number", &Type::Double, "TypeMismatch double integer the field"),
        ("1", &Type::Double, "constant 1"),
        ("amount", &Type::Integer, "TypeMismatch integer decimal the field"),
        ("number", &Type::Integer, "as it is"),
        ("'draft'", &states, "constant draft"),
        ("'drafd'", &states, "UnknownName value drafd -> draft"),
        ("row.state", &states, "as it is"),
        ("row.state", &Type::String, "as it is"),
        ("text", &Type::Uuid, "converts to uuid"),
        ("'2026-11-23T12:00:00Z'", &Type::Timestamp, "constant 2026-11-23T12:00:00Z"),
        ("'tomorrow'", &Type::Timestamp, "TypeMismatch timestamp string the field"),
        ("text", &Type::Timestamp, "TypeMismatch timestamp string the field"),
        ("json.a", &Type::Integer, "MayBeAbsent { context: \"the field\" }"),
        ("json", &Type::Integer, "converts to integer"),
        ("{'a': 1}", &Type::Json, "converts to json"),
        ("words", &Type::List(Type::String.into()), "as it is"),
        ("row", &Type::String, "TypeMismatch string `article` the field"),
        ("null", &Type::String, "MayBeAbsent { context: \"the field\" }"),
        ("maybe", &Type::String, "MayBeAbsent { context: \"the field\" }"),
        ("maybe ?? 'x'", &Type::String, "as it is"),
    ] {
        assert_eq!(coerced(&names, source, ty, false), expected, "{source} for {ty}");
    }
    assert_eq!(coerced(&names, "maybe", &Type::String, true), "as it is");
    assert_eq!(coerced(&names, "null", &Type::String, true), "constant null");
}

#[test]
fn conditions_narrow_what_may_be_absent() {
    let proven = |source: &str, holds: bool| {
        let ast = parse(source, Equals::Compares, &|at| at).expect("parses");
        let mut paths: Vec<String> = proves(&ast, holds).iter().map(|path| path.join(".")).collect();
        paths.sort();
        paths.dedup();
        paths.join(" ")
    };
    assert_eq!(proven("x != null", true), "x");
    assert_eq!(proven("x != null", false), "");
    assert_eq!(proven("x == null", false), "x");
    assert_eq!(proven("null != a.b.c", true), "a.b.c");
    assert_eq!(proven("!(x == null)", true), "x");
    assert_eq!(proven("x != null && y < 3", true), "x y");
    assert_eq!(proven("x == null || y == null", false), "x y");
    assert_eq!(proven("x != null || y != null", true), "");
    assert_eq!(proven("x != null && y > 1 || x == 1", true), "x");
    assert_eq!(proven("x in [1, 2]", true), "x");
    assert_eq!(proven("flag", true), "flag");
    assert_eq!(proven("x != 1", true), "", "an absent value is unequal, too");
    assert_eq!(proven("x == y", true), "x y");
    assert_eq!(proven("has(x.y)", true), "", "a key may be sent with null");
}

#[test]
fn what_a_condition_proves_holds_where_it_holds() {
    let schema = schema();
    let names = names(&schema);
    let ty = Type::String;
    let absent = "MayBeAbsent { context: \"the field\" }";
    assert_eq!(coerced(&names, "maybe != null ? maybe : 'x'", &ty, false), "as it is");
    assert_eq!(coerced(&names, "maybe == null ? 'x' : maybe", &ty, false), "as it is");
    assert_eq!(coerced(&names, "maybe == null ? maybe : 'x'", &ty, false), absent);
    assert_eq!(coerced(&names, "row_absent == null ? 'x' : row_absent.title", &ty, false), "as it is");
    assert_eq!(coerced(&names, "row_absent.title", &ty, false), absent);
    assert_eq!(coerced(&names, "row.subtitle != null ? row.subtitle : 'x'", &ty, false), "as it is");
    assert_eq!(coerced(&names, "words.map(maybe, maybe)[0] ?? 'x'", &ty, false), "as it is");
    let known = names.knowing(vec![vec!["row_absent".into(), "title".into()]]);
    assert_eq!(coerced(&known, "row_absent.title", &ty, false), "as it is");
    let input = names.knowing(vec![vec!["input".into(), "sent".into()]]);
    assert_eq!(coerced(&input, "input.sent", &ty, false), "as it is");
    assert_eq!(coerced(&input, "input.nulled", &ty, false), absent);
}

#[test]
fn a_constant_condition_is_computed_at_once() {
    let schema = schema();
    let ast =
        parse("duration('1h') > duration('1 min') && 2 * 3 == 6", Equals::Refused, &|at| at).expect("parses");
    let typed = compile(&ast, &names(&schema), &mut Vec::new()).expect("compiles");
    assert!(matches!(typed.expression, Expression::Constant(Value::Boolean(true))));
}
