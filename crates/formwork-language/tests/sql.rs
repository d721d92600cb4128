//! Conditions over fields: the portable form, and that it means the same as computing the expression row by row.

mod common;

use common::{Still, names, schema, slots};
use formwork_language::eval::{Scope, evaluate};
use formwork_language::expression::{Bare, Equals, Expression, Kind, compile, parse};
use formwork_language::notes::NoteKind;
use formwork_language::program::{ArithmeticOperator, Comparison, Condition, Operand, SqlFunction, TextTest};
use formwork_language::sql;
use formwork_language::value::{Decimal, Rounding, Row, Value, equal, order};
use proptest::prelude::*;

/// Conditions that SQL takes; both tests below run over all of them.
const CONDITIONS: &[&str] = &[
    "title = text",
    "title == 'First' && likes > 3",
    "title == 'First' || !(likes > 3)",
    "subtitle == null",
    "subtitle != null && subtitle != 'x'",
    "!(subtitle == text)",
    "subtitle == text_absent",
    "subtitle != text_absent",
    "likes < none || likes >= number",
    "likes * 2 + 1 <= number",
    "-likes < 0",
    "price > 12.5",
    "price < 0.005",
    "price <= 0.005",
    "price >= 0.005",
    "0.005 < price",
    "price == 19.99",
    "price == 19.999",
    "price != 19.999",
    "price == likes",
    "price * 1.5 > 10.0",
    "price + likes > 10",
    "likes > 2.5",
    "likes == 2.5",
    "likes == 3.0",
    "(price ?? 0.0) == 0.0",
    "(price ?? likes) > 2",
    "(subtitle ?? title) == 'First'",
    "(hidden ? title : subtitle) == 'First'",
    "hidden ? likes > 1 : likes < 3",
    "hidden",
    "!hidden",
    "hidden == true",
    "hidden == false",
    "hidden != true",
    "(likes > 1) == hidden_wanted",
    "(likes > 1) != hidden_wanted",
    "(likes > 1) == (price > 1.0)",
    "likes in [1, 3, 5]",
    "!(likes in [1, 2.5, number])",
    "title in words",
    "!(subtitle in words)",
    "state in ['draft']",
    "likes in [likes, 2]",
    "id == maybe",
    "id != '00000000-0000-0000-0000-00000000002a'",
    "id in words",
    "title.startsWith('F')",
    "!subtitle.endsWith(text_absent)",
    "title.contains(subtitle)",
    "title.lower() == 'first' || upper(title) == 'X'",
    "size(title) > 3",
    "at < now()",
    "at + duration('1 h') > now()",
    "at - duration('1 h') < timestamp('2026-11-23T12:00:00Z')",
    "score > 0.25",
    "flag || title == 'First'",
    "flag && title == 'First'",
    "number > 3 && likes == 3",
    "likes == json.a[0]",
    "price == json.a[1]",
];

fn searching(schema: &formwork_language::program::Schema) -> formwork_language::expression::Names<'_> {
    let mut names = names(schema);
    let slot = slots().len() as u16;
    names.bind("hidden_wanted", slot, Kind::Boolean.optional());
    names.bare = Bare::Searched(0);
    names
}

fn lowered(source: &str) -> Result<sql::Lowered<Condition>, Vec<NoteKind>> {
    let schema = schema();
    let ast =
        parse(source, Equals::Compares, &|at| at).unwrap_or_else(|problem| panic!("{source}: {problem:?}"));
    let mut notes = Vec::new();
    sql::condition(&ast, &searching(&schema), 0, &mut notes)
        .ok_or_else(|| notes.into_iter().map(|note| note.kind).collect())
}

fn refused(source: &str) -> String {
    match lowered(source) {
        Ok(lowered) => shown(&lowered.item),
        Err(notes) => notes.iter().map(|note| format!("{note:?}")).collect::<Vec<_>>().join("; "),
    }
}

#[test]
fn conditions_take_their_portable_form() {
    let listed: Vec<String> = CONDITIONS
        .iter()
        .map(|source| match lowered(source) {
            Ok(lowered) => format!("{source}\n    {}  [{}]", shown(&lowered.item), lowered.parameters.len()),
            Err(notes) => panic!("{source}: {notes:?}"),
        })
        .collect();
    insta::assert_snapshot!(listed.join("\n"));
}

#[test]
fn what_sql_cannot_decide_is_named() {
    assert_eq!(refused("title.matches('a')"), r#"NotInSql { what: "function `matches`" }"#);
    assert_eq!(refused("trim(title) == 'a'"), r#"NotInSql { what: "function `trim`" }"#);
    assert_eq!(refused("likes / 2 == 1"), r#"NotInSql { what: "this operator" }"#);
    assert_eq!(refused("'a' in tags"), r#"NotInSql { what: "`in` a field's list" }"#);
    assert_eq!(refused("more.a == 1"), r#"NotInSql { what: "a comparison of json" }"#);
    assert_eq!(refused("tags == words"), r#"NotInSql { what: "a comparison of string[]" }"#);
    assert_eq!(refused("id == title"), r#"NotInSql { what: "uuid beside string" }"#);
    assert_eq!(refused("price == score"), r#"NotInSql { what: "decimal beside double" }"#);
    assert_eq!(refused("words.exists(w, w == title)"), r#"NotInSql { what: "function `exists`" }"#);
}

#[test]
fn names_of_a_where_are_fields_first() {
    let schema = schema();
    let mut names = searching(&schema);
    names.bind("title", 99, Kind::Text.required());
    let ast = parse("title == 'a'", Equals::Compares, &|at| at).expect("parses");
    let mut notes = Vec::new();
    assert!(sql::condition(&ast, &names, 0, &mut notes).is_none());
    assert_eq!(notes[0].kind, NoteKind::ShadowsField { name: "title".into(), entity: "article".into() });
    assert_eq!(refused("article.title == 'a'"), r#"QualifiedField { entity: "article", field: "title" }"#);
    assert_eq!(
        refused("titel == 'a'"),
        r#"UnknownField { of: "article", field: "titel", nearest: Some("title") }"#
    );
}

#[test]
fn conditions_that_double_with_every_level_are_refused() {
    let choices = format!("{}hidden{}", "(".repeat(40), " ? likes > 1 : likes < 3)".repeat(40));
    assert_eq!(refused(&choices), r#"NotInSql { what: "so large a condition" }"#);
    let equalities = format!("{}(likes > 1){}", "(".repeat(40), " == (likes < 3))".repeat(40));
    assert_eq!(refused(&equalities), r#"NotInSql { what: "so large a condition" }"#);
}

#[test]
fn parts_without_fields_become_parameters() {
    let lowered = lowered("title == upper(text) && at < now()").expect("lowers");
    assert_eq!(shown(&lowered.item), "(title = $0 and at < $1)");
    assert_eq!(lowered.parameters.len(), 2);
}

#[test]
fn assignments_are_brought_to_the_fields_scale() {
    let schema = schema();
    let assign = |source: &str, field| {
        let ast = parse(source, Equals::Refused, &|at| at).expect("parses");
        let mut notes = Vec::new();
        match sql::operand(&ast, field, &searching(&schema), 0, &mut notes) {
            Some(lowered) => operand_shown(&lowered.item),
            None => format!("{:?}", notes[0].kind),
        }
    };
    assert_eq!(assign("likes + 1", 4), "(likes + 1){0,0,0}");
    assert_eq!(assign("likes", 5), "(likes * 1.00){0,2,2}");
    assert_eq!(assign("price + 0.5", 5), "(price + 0.5){2,1,2}");
    assert_eq!(assign("null", 2), "null");
    assert_eq!(assign("null", 1), "MayBeAbsent { context: \"field `title`\" }");
    assert_eq!(assign("'published'", 3), "published");
    assert_eq!(assign("number", 5), "$0");
    assert_eq!(
        assign("price * 1.5", 5),
        r#"NotInSql { what: "a value with more digits than the field has" }"#
    );
}

/// An interpreter of conditions, written from the document of [`Condition`] alone.
struct Interpreter<'r> {
    row: &'r Row,
    parameters: &'r [Value],
}

impl Interpreter<'_> {
    fn holds(&self, condition: &Condition) -> bool {
        match condition {
            Condition::All(parts) => parts.iter().all(|part| self.holds(part)),
            Condition::Any(parts) => parts.iter().any(|part| self.holds(part)),
            Condition::Not(inner) => !self.holds(inner),
            Condition::Compare(comparison, left, right) => {
                let (left, right) = (self.value(left), self.value(right));
                if left.is_absent() || right.is_absent() {
                    return false;
                }
                same_form(&left, &right);
                let ordering = order(&left, &right);
                match comparison {
                    Comparison::Equal => equal(&left, &right),
                    Comparison::NotEqual => !equal(&left, &right),
                    Comparison::Less => ordering.is_some_and(std::cmp::Ordering::is_lt),
                    Comparison::LessOrEqual => ordering.is_some_and(std::cmp::Ordering::is_le),
                    Comparison::Greater => ordering.is_some_and(std::cmp::Ordering::is_gt),
                    Comparison::GreaterOrEqual => ordering.is_some_and(std::cmp::Ordering::is_ge),
                }
            }
            Condition::IsNull(operand) => self.value(operand).is_absent(),
            Condition::IsNotNull(operand) => !self.value(operand).is_absent(),
            Condition::InList(operand, parameter) => match &self.parameters[usize::from(*parameter)] {
                Value::List(items) => items.iter().any(|item| equal(&self.value(operand), item)),
                _ => false,
            },
            Condition::InOperands(operand, operands) => {
                operands.iter().any(|other| equal(&self.value(operand), &self.value(other)))
            }
            Condition::TextTest(test, text, part) => match (self.value(text), self.value(part)) {
                (Value::Text(text), Value::Text(part)) => match test {
                    TextTest::StartsWith => text.starts_with(&*part),
                    TextTest::EndsWith => text.ends_with(&*part),
                    TextTest::Contains => text.contains(&*part),
                },
                _ => false,
            },
            Condition::IsTrue(operand) => self.value(operand).is_true(),
        }
    }

    fn value(&self, operand: &Operand) -> Value {
        match operand {
            Operand::Field(field) => self.row.values[usize::from(*field)].clone(),
            Operand::Parameter(number) => self.parameters[usize::from(*number)].clone(),
            Operand::Constant(value) => value.clone(),
            Operand::Arithmetic { operator, left, right, scales } => {
                let exact = |value: Value, scale: u8| match value {
                    Value::Integer(value) => Some(Decimal::whole(value)),
                    Value::Decimal(value) => {
                        assert_eq!(value.scale, scale, "an operand has the scale that it is said to have");
                        Some(value)
                    }
                    _ => None,
                };
                let (Some(left), Some(right)) =
                    (exact(self.value(left), scales.0), exact(self.value(right), scales.1))
                else {
                    return Value::Null;
                };
                let result = match operator {
                    ArithmeticOperator::Add => left.checked_add(right),
                    ArithmeticOperator::Subtract => left.checked_sub(right),
                    ArithmeticOperator::Multiply => left.checked_mul(right),
                };
                let result =
                    result.and_then(|result| result.rescaled(scales.2, Rounding::Exact)).expect("fits");
                if scales.2 == 0 { Value::Integer(result.units as i64) } else { Value::Decimal(result) }
            }
            Operand::ShiftTime { timestamp, duration, minus } => {
                match (self.value(timestamp), self.value(duration)) {
                    (Value::Timestamp(time), Value::Duration(by)) => {
                        Value::Timestamp(if *minus { time - by } else { time + by })
                    }
                    _ => Value::Null,
                }
            }
            Operand::Function(function, of) => match (function, self.value(of)) {
                (SqlFunction::Lower, Value::Text(text)) => Value::text(&text.to_ascii_lowercase()),
                (SqlFunction::Upper, Value::Text(text)) => Value::text(&text.to_ascii_uppercase()),
                (SqlFunction::Size, Value::Text(text)) => Value::Integer(text.chars().count() as i64),
                _ => Value::Null,
            },
            Operand::Coalesce(left, right) => {
                let left = self.value(left);
                if left.is_absent() { self.value(right) } else { left }
            }
            Operand::Choose(condition, yes, no) => self.value(if self.holds(condition) { yes } else { no }),
        }
    }
}

/// A store compares like with like: a decimal has the same scale on both sides, nothing else is mixed.
fn same_form(left: &Value, right: &Value) {
    let fits = match (left, right) {
        (Value::Decimal(left), Value::Decimal(right)) => left.scale == right.scale,
        (left, right) => std::mem::discriminant(left) == std::mem::discriminant(right),
    };
    assert!(fits, "{left:?} beside {right:?}");
}

fn optional(strategy: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    prop_oneof![Just(Value::Null), strategy]
}

fn text() -> impl Strategy<Value = Value> {
    prop_oneof![Just("First"), Just("spring"), Just("a"), Just("x"), Just("First of all"), Just("")]
        .prop_map(Value::text)
}

fn rows() -> impl Strategy<Value = Row> {
    let decimal = prop_oneof![Just(0i128), Just(1999), Just(300), Just(1), Just(1250), 0i128..5000];
    let id = prop_oneof![Just(42u8), 0u8..3].prop_map(|last| {
        let mut id = [0; 16];
        id[15] = last;
        Value::Uuid(id)
    });
    let first =
        (id, text(), optional(text()), prop_oneof![Just("draft"), Just("published")].prop_map(Value::text));
    let second = (
        (0i64..6).prop_map(Value::Integer),
        optional(decimal.prop_map(|units| Value::Decimal(Decimal { units, scale: 2 }))),
        prop_oneof![Just(1_795_435_200_000_000i64), Just(1_795_431_600_000_000), Just(0)]
            .prop_map(Value::Timestamp),
        optional(prop_oneof![Just(0.25), Just(0.5)].prop_map(Value::Double)),
        optional(any::<bool>().prop_map(Value::Boolean)),
    );
    (first, second).prop_map(|((id, title, subtitle, state), (likes, price, at, score, hidden))| Row {
        entity: 0,
        values: vec![
            id,
            title,
            subtitle,
            state,
            likes,
            price,
            at,
            score,
            hidden,
            Value::List([].into()),
            Value::Null,
        ],
        version: 1,
        deleted: false,
    })
}

proptest! {
    #[test]
    fn a_condition_means_in_sql_what_it_means_row_by_row(
        row in rows(),
        wanted in prop_oneof![Just(Value::Absent), any::<bool>().prop_map(Value::Boolean)],
    ) {
        let schema = schema();
        let mut slots = slots();
        slots.push(wanted);
        // The row that the expression's bare names mean when it is computed.
        slots.push(Value::Row(0));
        let rows = [row];
        let mut compute = |expression: &Expression| {
            evaluate(expression, &mut Scope { slots: &slots, rows: &rows, host: &mut Still }).expect("computes")
        };
        for source in CONDITIONS {
            let lowered = lowered(source).expect("lowers");
            let parameters: Vec<Value> = lowered.parameters.iter().map(&mut compute).collect();
            let in_sql = Interpreter { row: &rows[0], parameters: &parameters }.holds(&lowered.item);
            let mut names = searching(&schema);
            names.bare = Bare::Row(0, slots.len() as u16 - 1);
            let ast = parse(source, Equals::Compares, &|at| at).expect("parses");
            let typed = compile(&ast, &names, &mut Vec::new()).expect("compiles");
            prop_assert_eq!(in_sql, compute(&typed.expression).is_true(), "{} over {:?}", source, rows[0].values);
        }
    }
}

fn field_name(field: u16) -> String {
    schema().entities[0].fields[usize::from(field)].name.to_string()
}

fn shown(condition: &Condition) -> String {
    let list = |parts: &[Condition], word: &str| {
        format!("({})", parts.iter().map(shown).collect::<Vec<_>>().join(&format!(" {word} ")))
    };
    match condition {
        Condition::All(parts) => list(parts, "and"),
        Condition::Any(parts) => list(parts, "or"),
        Condition::Not(inner) => format!("not {}", shown(inner)),
        Condition::Compare(comparison, left, right) => {
            let symbol = match comparison {
                Comparison::Equal => "=",
                Comparison::NotEqual => "<>",
                Comparison::Less => "<",
                Comparison::LessOrEqual => "<=",
                Comparison::Greater => ">",
                Comparison::GreaterOrEqual => ">=",
            };
            format!("{} {symbol} {}", operand_shown(left), operand_shown(right))
        }
        Condition::IsNull(operand) => format!("{} is null", operand_shown(operand)),
        Condition::IsNotNull(operand) => format!("{} is not null", operand_shown(operand)),
        Condition::InList(operand, parameter) => format!("{} in list ${parameter}", operand_shown(operand)),
        Condition::InOperands(operand, operands) => {
            let operands: Vec<String> = operands.iter().map(operand_shown).collect();
            format!("{} in ({})", operand_shown(operand), operands.join(", "))
        }
        Condition::TextTest(test, text, part) => {
            format!("{test:?}({}, {})", operand_shown(text), operand_shown(part))
        }
        Condition::IsTrue(operand) => format!("{} is true", operand_shown(operand)),
    }
}

fn operand_shown(operand: &Operand) -> String {
    match operand {
        Operand::Field(field) => field_name(*field),
        Operand::Parameter(number) => format!("${number}"),
        Operand::Constant(Value::Absent | Value::Null) => "null".to_owned(),
        Operand::Constant(value) => value.to_plain(),
        Operand::Arithmetic { operator, left, right, scales } => {
            let symbol = match operator {
                ArithmeticOperator::Add => "+",
                ArithmeticOperator::Subtract => "-",
                ArithmeticOperator::Multiply => "*",
            };
            let (first, second, result) = scales;
            format!(
                "({} {symbol} {}){{{first},{second},{result}}}",
                operand_shown(left),
                operand_shown(right)
            )
        }
        Operand::ShiftTime { timestamp, duration, minus } => {
            let symbol = if *minus { "-" } else { "+" };
            format!("({} {symbol} {})", operand_shown(timestamp), operand_shown(duration))
        }
        Operand::Function(function, of) => format!("{function:?}({})", operand_shown(of)),
        Operand::Coalesce(left, right) => {
            format!("coalesce({}, {})", operand_shown(left), operand_shown(right))
        }
        Operand::Choose(condition, yes, no) => {
            format!("if({}, {}, {})", shown(condition), operand_shown(yes), operand_shown(no))
        }
    }
}
