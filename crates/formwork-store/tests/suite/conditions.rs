//! Conditions in SQL mean what they mean in an expression, on any rows, absent values included.
//!
//! Each case is a random condition with its expression beside it, built together; the database must find the rows for
//! which the evaluator says true.

use crate::harness::NOW;
use crate::pages::{column, insertion};
use crate::place::Place;
use formwork_engine::{Call, What};
use formwork_language::eval::{Host, Scope, evaluate};
use formwork_language::expression::{BinaryOperator, Expression, UnaryOperator};
use formwork_language::program::{
    ArithmeticOperator, Comparison, Condition, EntitySchema, FieldId, Operand, Program, Schema, SqlFunction,
    Statement, TextTest, slots,
};
use formwork_language::value::{Decimal, Row, Value};
use formwork_model::values::Type;
use formwork_store::Store;
use proptest::prelude::*;
use std::sync::Arc;

const WHOLE: FieldId = 1;
const PRICE: FieldId = 2;
const NAME: FieldId = 3;
const FLAG: FieldId = 4;
const MARK: FieldId = 5;
const SINCE: FieldId = 6;
const WEIGHT: FieldId = 7;
const DAY: FieldId = 8;

fn entity() -> EntitySchema {
    EntitySchema {
        name: "thing".into(),
        fields: vec![
            column("id", Type::Integer, false),
            column("whole", Type::Integer, true),
            column("price", Type::Decimal { precision: 6, scale: 2 }, true),
            column("name", Type::String, true),
            column("flag", Type::Boolean, true),
            column("mark", Type::Uuid, true),
            column("since", Type::Timestamp, true),
            column("weight", Type::Double, true),
            column("day", Type::Date, true),
        ],
        primary_key: vec![0],
        unique: Vec::new(),
        indexes: Vec::new(),
        rules: Default::default(),
        span: Default::default(),
    }
}

fn maybe(value: impl Strategy<Value = Value> + 'static) -> BoxedStrategy<Value> {
    prop_oneof![4 => value, 1 => Just(Value::Null)].boxed()
}

fn decimal() -> impl Strategy<Value = Value> {
    (-400..400_i128, 0..4_u8).prop_map(|(units, scale)| Value::Decimal(Decimal { units, scale }))
}

/// Values beside a field; some with digits that the field does not hold, some absent.
fn beside(field: FieldId) -> BoxedStrategy<Value> {
    match field {
        WHOLE => prop_oneof![(-3..4_i64).prop_map(Value::Integer), decimal()].boxed(),
        PRICE => prop_oneof![decimal(), (-3..4_i64).prop_map(Value::Integer)].boxed(),
        NAME => "[aÄb%_']{0,3}".prop_map(|text| Value::Text(text.into())).boxed(),
        FLAG => any::<bool>().prop_map(Value::Boolean).boxed(),
        MARK => prop_oneof![
            (0..3_u8).prop_map(|byte| Value::Uuid([byte; 16])),
            (0..3_u8).prop_map(|byte| Value::Text(Value::Uuid([byte; 16]).to_plain().into())),
            Just(Value::Text("no uuid".into())),
        ]
        .boxed(),
        SINCE => (-2..3_i64).prop_map(|at| Value::Timestamp(at * 1_000_000)).boxed(),
        WEIGHT => (-2..3_i32).prop_map(|weight| Value::Double(f64::from(weight) / 2.0)).boxed(),
        _ => (-2..3_i32).prop_map(Value::Date).boxed(),
    }
}

fn stored(field: FieldId) -> BoxedStrategy<Value> {
    match field {
        WHOLE => maybe((-3..4_i64).prop_map(Value::Integer)),
        PRICE => maybe((-400..400_i128).prop_map(|units| Value::Decimal(Decimal { units, scale: 2 }))),
        MARK => maybe((0..3_u8).prop_map(|byte| Value::Uuid([byte; 16]))),
        field => maybe(beside(field)),
    }
}

fn rows() -> impl Strategy<Value = Vec<Vec<Value>>> {
    let row: Vec<BoxedStrategy<Value>> = (WHOLE..=DAY).map(stored).collect();
    proptest::collection::vec(row, 1..12)
}

/// A value in SQL and the same as an expression over a row in slot 0; parameters are gathered.
#[derive(Clone, Debug)]
enum Side {
    Field(FieldId),
    Parameter(Value),
    Constant(Value),
    Sum(FieldId, Value, bool),
    Size(FieldId),
    Letters(FieldId, bool),
    Coalesce(FieldId, Value),
}

#[derive(Clone, Debug)]
enum Test {
    Compare(Comparison, Side, Side),
    Null(Side, bool),
    InList(FieldId, Vec<Value>),
    Text(TextTest, Side, Side),
    True(FieldId),
    Not(Box<Test>),
    All(Vec<Test>),
    Any(Vec<Test>),
}

fn side(field: FieldId) -> BoxedStrategy<Side> {
    let plain = prop_oneof![
        maybe(beside(field)).prop_map(Side::Parameter),
        beside(field).prop_map(Side::Constant),
        Just(Side::Field(field)),
        beside(field).prop_map(move |value| Side::Coalesce(field, value)),
    ];
    match field {
        WHOLE => prop_oneof![
            3 => plain,
            1 => ((-3..4_i64).prop_map(Value::Integer), any::<bool>())
                .prop_map(|(by, minus)| Side::Sum(WHOLE, by, minus)),
            1 => Just(Side::Size(NAME)),
            1 => Just(Side::Field(PRICE)),
        ]
        .boxed(),
        NAME => prop_oneof![3 => plain, 1 => any::<bool>().prop_map(|up| Side::Letters(NAME, up))].boxed(),
        _ => plain.boxed(),
    }
}

fn comparison() -> impl Strategy<Value = Comparison> {
    proptest::sample::select(vec![
        Comparison::Equal,
        Comparison::NotEqual,
        Comparison::Less,
        Comparison::LessOrEqual,
        Comparison::Greater,
        Comparison::GreaterOrEqual,
    ])
}

fn test() -> impl Strategy<Value = Test> {
    let compare = (WHOLE..=DAY).prop_flat_map(|field| {
        // Of flags and marks only equality is asked.
        let by = if matches!(field, FLAG | MARK) {
            proptest::sample::select(vec![Comparison::Equal, Comparison::NotEqual]).boxed()
        } else {
            comparison().boxed()
        };
        (by, side(field), any::<bool>()).prop_map(move |(by, other, turned)| match turned {
            true => Test::Compare(by, other, Side::Field(field)),
            false => Test::Compare(by, Side::Field(field), other),
        })
    });
    let null = ((WHOLE..=DAY), any::<bool>()).prop_map(|(field, is)| Test::Null(Side::Field(field), is));
    let in_list = (WHOLE..=DAY).prop_flat_map(|field| {
        proptest::collection::vec(beside(field), 0..4).prop_map(move |list| Test::InList(field, list))
    });
    let texts = (
        proptest::sample::select(vec![TextTest::StartsWith, TextTest::EndsWith, TextTest::Contains]),
        side(NAME),
        side(NAME),
    )
        .prop_map(|(test, text, part)| Test::Text(test, text, part));
    let leaf = prop_oneof![4 => compare, 1 => null, 1 => in_list, 1 => texts, 1 => Just(Test::True(FLAG))];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|test| Test::Not(Box::new(test))),
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Test::All),
            proptest::collection::vec(inner, 0..3).prop_map(Test::Any),
        ]
    })
}

fn constant(value: &Value) -> Expression {
    Expression::Constant(value.clone())
}

fn field(field: FieldId) -> Expression {
    Expression::Field { row: Box::new(Expression::Slot(0)), field, withheld: None }
}

fn binary(operator: BinaryOperator, left: Expression, right: Expression) -> Expression {
    Expression::Binary { operator, left: Box::new(left), right: Box::new(right), span: Default::default() }
}

fn not(expression: Expression) -> Expression {
    Expression::Unary(UnaryOperator::Not, Box::new(expression))
}

fn function(name: &str, arguments: Vec<Expression>) -> Expression {
    let function = formwork_language::functions::FUNCTIONS.iter().position(|one| one.name == name).unwrap();
    Expression::Call { function: function as u16, arguments, span: Default::default() }
}

impl Side {
    fn both(&self, parameters: &mut Vec<Value>) -> (Operand, Expression) {
        // A parameter is a slot to the expression: a constant null would be the test for null.
        let mut parameter = |value: &Value| {
            parameters.push(value.clone());
            let count = parameters.len() as u16;
            (Operand::Parameter(count - 1), Expression::Slot(count))
        };
        match self {
            Self::Field(at) => (Operand::Field(*at), field(*at)),
            Self::Parameter(value) => parameter(value),
            Self::Constant(value) => (Operand::Constant(value.clone()), constant(value)),
            Self::Sum(at, by, minus) => {
                let (operator, computed) = match minus {
                    true => (ArithmeticOperator::Subtract, BinaryOperator::Subtract),
                    false => (ArithmeticOperator::Add, BinaryOperator::Add),
                };
                let (right, of_right) = parameter(by);
                let operand = Operand::Arithmetic {
                    operator,
                    left: Box::new(Operand::Field(*at)),
                    right: Box::new(right),
                    scales: (0, 0, 0),
                };
                (operand, binary(computed, field(*at), of_right))
            }
            Self::Size(at) => (
                Operand::Function(SqlFunction::Size, Box::new(Operand::Field(*at))),
                function("size", vec![field(*at)]),
            ),
            Self::Letters(at, up) => {
                let (sql, name) =
                    if *up { (SqlFunction::Upper, "upper") } else { (SqlFunction::Lower, "lower") };
                (Operand::Function(sql, Box::new(Operand::Field(*at))), function(name, vec![field(*at)]))
            }
            Self::Coalesce(at, value) => {
                let (other, of_other) = parameter(value);
                (
                    Operand::Coalesce(Box::new(Operand::Field(*at)), Box::new(other)),
                    binary(BinaryOperator::Coalesce, field(*at), of_other),
                )
            }
        }
    }
}

impl Test {
    fn both(&self, parameters: &mut Vec<Value>) -> (Condition, Expression) {
        match self {
            Self::Compare(by, left, right) => {
                let (left, of_left) = left.both(parameters);
                let (right, of_right) = right.both(parameters);
                let operator = match by {
                    // `NotEqual` is of two present values only.
                    Comparison::Equal | Comparison::NotEqual => BinaryOperator::Equal,
                    Comparison::Less => BinaryOperator::Less,
                    Comparison::LessOrEqual => BinaryOperator::LessOrEqual,
                    Comparison::Greater => BinaryOperator::Greater,
                    Comparison::GreaterOrEqual => BinaryOperator::GreaterOrEqual,
                };
                let compared = binary(operator, of_left.clone(), of_right.clone());
                let null = || constant(&Value::Null);
                let expression = if *by == Comparison::NotEqual {
                    let present = |side| not(binary(BinaryOperator::Equal, side, null()));
                    let both = binary(BinaryOperator::And, present(of_left), present(of_right));
                    binary(BinaryOperator::And, both, not(compared))
                } else {
                    compared
                };
                (Condition::Compare(*by, left, right), expression)
            }
            Self::Null(side, is) => {
                let (operand, expression) = side.both(parameters);
                let null = binary(BinaryOperator::Equal, expression, constant(&Value::Null));
                if *is {
                    (Condition::IsNull(operand), null)
                } else {
                    (Condition::IsNotNull(operand), not(null))
                }
            }
            Self::InList(at, list) => {
                let list = Value::List(list.clone().into());
                parameters.push(list.clone());
                let condition = Condition::InList(Operand::Field(*at), parameters.len() as u16 - 1);
                (condition, binary(BinaryOperator::In, field(*at), constant(&list)))
            }
            Self::Text(test, text, part) => {
                let (text, of_text) = text.both(parameters);
                let (part, of_part) = part.both(parameters);
                let name = match test {
                    TextTest::StartsWith => "startsWith",
                    TextTest::EndsWith => "endsWith",
                    TextTest::Contains => "contains",
                };
                (Condition::TextTest(*test, text, part), function(name, vec![of_text, of_part]))
            }
            Self::True(at) => (Condition::IsTrue(Operand::Field(*at)), field(*at)),
            Self::Not(test) => {
                let (condition, expression) = test.both(parameters);
                (Condition::Not(Box::new(condition)), not(expression))
            }
            Self::All(tests) => Self::joined(tests, parameters, Condition::All, BinaryOperator::And, true),
            Self::Any(tests) => Self::joined(tests, parameters, Condition::Any, BinaryOperator::Or, false),
        }
    }

    fn joined(
        tests: &[Self],
        parameters: &mut Vec<Value>,
        condition: fn(Vec<Condition>) -> Condition,
        operator: BinaryOperator,
        of_none: bool,
    ) -> (Condition, Expression) {
        let parts: Vec<(Condition, Expression)> = tests.iter().map(|test| test.both(parameters)).collect();
        let (conditions, expressions): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
        let none = constant(&Value::Boolean(of_none));
        let joined = expressions.into_iter().fold(none, |left, right| binary(operator, left, right));
        (condition(conditions), joined)
    }
}

struct NoHost;

impl Host for NoHost {
    fn now(&self) -> i64 {
        0
    }
    fn random(&mut self, _: &mut [u8]) {}
    fn uuid(&mut self) -> [u8; 16] {
        [0; 16]
    }
}

fn holds(expression: &Expression, values: &[Value], parameters: &[Value]) -> bool {
    let rows = [Row { entity: 0, values: values.to_vec(), version: 1, deleted: false }];
    let slots: Vec<Value> = [Value::Row(0)].iter().chain(parameters).cloned().collect();
    let mut scope = Scope { slots: &slots, rows: &rows, host: &mut NoHost };
    matches!(evaluate(expression, &mut scope), Ok(Value::Boolean(true)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sql_finds_the_rows_for_which_the_evaluator_says_true(
        rows in rows(),
        tests in proptest::collection::vec(test(), 40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let program = Program {
                schema: Schema { entities: vec![entity()], ..Default::default() },
                statements: vec![Statement::Insert { entity: 0 }],
                operations: vec![insertion(DAY + 1)],
                ..Program::default()
            };
            let place = Place::new();
            let store = Store::open(place.options(), Arc::new(program)).unwrap();
            let mut all = Vec::new();
            for (id, row) in (0..).zip(rows) {
                let mut values = vec![Value::Integer(id)];
                values.extend(row);
                let mut slots = vec![Value::Absent; usize::from(slots::INPUT)];
                slots.extend(values.iter().cloned());
                let ended = store.run(Call { what: What::Operation(0), slots, now: NOW, seed: formwork_engine::replayable(1), precondition: None, part: None }).await;
                prop_assert!(ended.result.is_ok(), "{:?}", ended.result);
                all.push(values);
            }
            for test in tests {
                let mut parameters = Vec::new();
                let (condition, expression) = test.both(&mut parameters);
                for row in &all {
                    let Value::Integer(id) = row[0] else { panic!() };
                    let this = Condition::Compare(
                        Comparison::Equal,
                        Operand::Field(0),
                        Operand::Constant(Value::Integer(id)),
                    );
                    let filter = Condition::All(vec![this, condition.clone()]);
                    let found = store.count(0, Some(&filter), &parameters);
                    prop_assert_eq!(
                        found,
                        Ok(u64::from(holds(&expression, row, &parameters))),
                        "{:?} over {:?}", test, row
                    );
                }
            }
            Ok(())
        })?;
    }
}
