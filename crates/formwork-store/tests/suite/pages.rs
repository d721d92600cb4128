//! Pages: a walk through all of them meets every row that was there all the time exactly once, in order.

use crate::harness::NOW;
use crate::place::Place;
use formwork_engine::{Body, Call, Ended, What};
use formwork_language::expression::Expression;
use formwork_language::program::{
    Answered, Code, EntitySchema, FieldSchema, Instruction, Limit, Lock, Operation, Program, Schema, Select,
    Statement, slots,
};
use formwork_language::value::Value;
use formwork_model::values::Type;
use formwork_store::Store;
use proptest::prelude::*;
use std::sync::Arc;

pub(crate) fn column(name: &str, ty: Type, optional: bool) -> FieldSchema {
    FieldSchema {
        name: name.into(),
        ty,
        optional,
        default: None,
        generated: false,
        on_create: false,
        on_update: false,
        immutable: false,
        hidden: false,
        secret: false,
        personal: false,
        computed: false,
        references: None,
        rules: Default::default(),
    }
}

pub(crate) fn operation(name: &str, instructions: Vec<Instruction>, slots: u16, writes: bool) -> Operation {
    Operation {
        name: name.into(),
        method: "POST".into(),
        path: Vec::new(),
        surface: formwork_language::program::Surface::Public,
        mode: formwork_language::program::Mode::Executed,
        input: Default::default(),
        access: Default::default(),
        code: Code { spans: vec![Default::default(); instructions.len()], instructions, slots },
        writes,
        output: Default::default(),
        errors: Vec::new(),
        span: Default::default(),
    }
}

/// An operation that inserts a row of the first entity from the input slots.
pub(crate) fn insertion(fields: u16) -> Operation {
    let assignments = (0..fields).map(|field| (field, Expression::Slot(slots::INPUT + field))).collect();
    let insert = Instruction::Insert { entity: 0, statement: 0, assignments, slot: None, on_conflict: None };
    operation("insert", vec![insert, Instruction::Stop], slots::INPUT + fields, true)
}

const CURSOR: u16 = slots::INPUT;
const LIMIT: u16 = slots::INPUT + 1;

fn entity() -> EntitySchema {
    let size = Type::Enum(Arc::from(["small".into(), "medium".into(), "large".into()]));
    EntitySchema {
        name: "thing".into(),
        fields: vec![
            column("id", Type::Integer, false),
            column("rank", Type::Integer, true),
            column("size", size, true),
            column("name", Type::String, false),
        ],
        primary_key: vec![0],
        unique: Vec::new(),
        indexes: Vec::new(),
        rules: Default::default(),
        span: Default::default(),
    }
}

fn program(order: Vec<(u16, bool)>) -> Arc<Program> {
    let first =
        Select { entity: 0, filter: None, order, limit: Limit::Parameter(0), after: None, lock: Lock::None };
    let after = Select { after: Some(1), ..first.clone() };
    let read = Instruction::ReadPage {
        first: 1,
        after: 2,
        parameters: Vec::new(),
        cursor: CURSOR,
        limit: LIMIT,
        per_page: 3,
        slot: LIMIT + 1,
    };
    let answer = Instruction::Return { status: 200, body: Answered::Page(LIMIT + 1), headers: Vec::new() };
    Arc::new(Program {
        schema: Schema { entities: vec![entity()], ..Default::default() },
        statements: vec![Statement::Insert { entity: 0 }, Statement::Select(first), Statement::Select(after)],
        operations: vec![insertion(4), operation("list", vec![read, answer], LIMIT + 2, false)],
        ..Program::default()
    })
}

type Thing = (Option<i64>, Option<usize>, String);

fn row(id: i64, (rank, size, name): &Thing) -> Vec<Value> {
    let sizes = ["small", "medium", "large"];
    vec![
        Value::Integer(id),
        rank.map_or(Value::Null, Value::Integer),
        size.map_or(Value::Null, |size| Value::Text(sizes[size].into())),
        Value::Text(name.as_str().into()),
    ]
}

async fn run(store: &Store, operation: u32, input: Vec<Value>) -> Ended {
    let mut slots = vec![Value::Absent; usize::from(slots::INPUT)];
    slots.extend(input);
    store
        .run(Call {
            what: What::Operation(operation),
            slots,
            now: NOW,
            seed: formwork_engine::replayable(1),
            precondition: None,
            part: None,
        })
        .await
}

/// The order as the language has it: absent values last in both directions.
fn behind(order: &[(u16, bool)], left: &(i64, Thing), right: &(i64, Thing)) -> std::cmp::Ordering {
    use std::cmp::Ordering;
    fn optional<T: Ord>(left: Option<T>, right: Option<T>, descending: bool) -> Ordering {
        match (left, right) {
            (Some(left), Some(right)) if descending => right.cmp(&left),
            (Some(left), Some(right)) => left.cmp(&right),
            (left, right) => right.is_some().cmp(&left.is_some()),
        }
    }
    order.iter().fold(Ordering::Equal, |so_far, (field, descending)| {
        so_far.then_with(|| match field {
            0 => optional(Some(left.0), Some(right.0), *descending),
            1 => optional(left.1.0, right.1.0, *descending),
            2 => optional(left.1.1, right.1.1, *descending),
            _ => optional(Some(&left.1.2), Some(&right.1.2), *descending),
        })
    })
}

fn things() -> impl Strategy<Value = Vec<Thing>> {
    let thing = (proptest::option::of(-2..3_i64), proptest::option::of(0..3_usize), "[ab]{0,2}");
    proptest::collection::vec(thing, 0..24)
}

fn order() -> impl Strategy<Value = Vec<(u16, bool)>> {
    let leading = proptest::sample::subsequence(vec![1_u16, 2, 3], 0..=3).prop_shuffle();
    (leading, any::<[bool; 4]>()).prop_map(|(mut fields, descending)| {
        fields.push(0);
        fields.into_iter().zip(descending).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_walk_meets_every_row_once_in_order_while_others_come(
        before in things(),
        meanwhile in things(),
        order in order(),
        limit in 1..5_i64,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let place = Place::new();
            let store = Store::open(place.options(), program(order.clone())).unwrap();
            let mut expected: Vec<(i64, Thing)> = (0..).map(|id| id * 2).zip(before).collect();
            for (id, thing) in &expected {
                prop_assert!(run(&store, 0, row(*id, thing)).await.result.is_ok());
            }
            expected.sort_by(|left, right| behind(&order, left, right));
            let mut others = (0..).map(|id| id * 2 + 1).zip(meanwhile);
            let (mut met, mut cursor) = (Vec::new(), Value::Absent);
            loop {
                let ended = run(&store, 1, vec![cursor, Value::Integer(limit)]).await;
                let Ok(answer) = &ended.result else { panic!("{:?}", ended.result) };
                let Body::Page { items, next } = &answer.body else { panic!("{answer:?}") };
                prop_assert!(items.len() <= limit as usize);
                for item in items {
                    let Value::Row(at) = item else { panic!("{item:?}") };
                    let Value::Integer(id) = ended.rows[*at as usize].values[0] else { panic!() };
                    met.push(id);
                }
                let Some(next) = next else { break };
                cursor = Value::List(next.clone().into());
                if let Some((id, thing)) = others.next() {
                    prop_assert!(run(&store, 0, row(id, &thing)).await.result.is_ok());
                }
            }
            let of_before: Vec<i64> = met.iter().copied().filter(|id| id % 2 == 0).collect();
            let expected: Vec<i64> = expected.iter().map(|(id, _)| *id).collect();
            prop_assert_eq!(of_before, expected);
            let mut once = met.clone();
            once.sort_unstable();
            once.dedup();
            prop_assert_eq!(once.len(), met.len());
            Ok(())
        })?;
    }
}
