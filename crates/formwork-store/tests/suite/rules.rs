//! Rules over rows: random histories of writes against an oracle in memory, what cascades take along, and rules that
//! come with a changed document.

use crate::harness::{Room, answer, document, field, program, refusal, text};
use formwork_engine::{Body, Call, Ended, Refusal, RuleKind, What};
use formwork_language::program::Program;
use formwork_language::value::{Decimal, Value, same};
use formwork_store::{OpenError, Store};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

fn operation(name: &str, input: &str, steps: &str) -> String {
    format!(
        "### Operation: `{name}` — `POST /{name}`\n\n**Input:**\n{input}\n\n**Output:** as the steps say\n\n\
         **Behavior:**\n1. Anyone may call this.\n{steps}\n\n"
    )
}

fn house() -> Arc<Program> {
    let id = "- `id` (integer) | which | required";
    let operations = [
        operation(
            "book",
            "- `id` (integer) | which | required\n- `room` (string) | where | required\n\
             - `from` (integer) | begins | required\n- `to` (integer) | ends | required",
            "2. Creates a `booking` from the input.\n3. Returns `201` with the `booking`.",
        ),
        operation(
            "shift",
            "- `id` (integer) | which | required\n- `by` (integer) | how far | required",
            "2. Finds the `booking` where `id == input.id`, or fails with `404 none`.\n\
             3. Updates the `booking` with `from = booking.from + input.by`, `to = booking.to + input.by`.\n\
             4. Returns nothing.",
        ),
        operation(
            "shift_all",
            "- `by` (integer) | how far | required",
            "2. Updates every `booking` where `state == \"open\"` with `from = from + input.by`, `to = to + input.by`.\n\
             3. Returns nothing.",
        ),
        operation(
            "set",
            "- `id` (integer) | which | required\n- `state` (string) | to what | required",
            "2. Finds the `booking` where `id == input.id`, or fails with `404 none`.\n\
             3. Updates the `booking` with `state = input.state`.\n4. Returns nothing.",
        ),
        operation(
            "open",
            "- `name` (string) | whose | required\n- `lowest` (decimal(8,2)) | how far | optional",
            "2. Creates an `account` from the input.\n3. Returns nothing.",
        ),
        operation(
            "pay",
            "- `from` (string) | who | required\n- `to` (string) | whom | required\n\
             - `out` (decimal(8,2)) | leaves | required\n- `comes` (decimal(8,2)) | comes | required",
            "2. Creates an `entry`.\n\
             3. Creates a `posting` with `entry_id = entry.id`, `name = input.from`, `amount = 0 - input.out` as `one`.\n\
             4. Creates a `posting` with `entry_id = entry.id`, `name = input.to`, `amount = input.comes` as `other`.\n\
             5. Returns nothing.",
        ),
        operation(
            "limit",
            "- `name` (string) | whose | required\n- `lowest` (decimal(8,2)) | how far | required",
            "2. Finds the `account` where `name == input.name`, or fails with `404 none`.\n\
             3. Updates the `account` with `lowest = input.lowest`.\n4. Returns nothing.",
        ),
        operation(
            "plant",
            "- `id` (integer) | which | required\n- `up` (integer) | on what | optional\n\
             - `beside` (integer) | near what | optional\n- `weight` (integer) | how heavy | required",
            "2. Creates a `branch` from the input.\n3. Returns nothing.",
        ),
        operation(
            "cut",
            id,
            "2. Finds the `branch` where `id == input.id`, or fails with `404 none`.\n\
             3. Deletes the `branch`.\n4. Returns nothing.",
        ),
        operation(
            "look",
            id,
            "2. Finds the `branch` where `id == input.id`, or fails with `404 none`.\n3. Returns the `branch`.",
        ),
        operation("cut_all", id, "2. Deletes every `branch` where `id >= input.id`.\n3. Returns nothing."),
    ];
    program(&document(
        &operations.concat(),
        "### Entity: `booking`\n\n**Fields:**\n- `id` (integer) | identity | primary key\n- `room` (string) | where | required\n\
         - `from` (integer) | begins | required\n- `to` (integer) | ends | required\n\
         - `state` (enum(open, held, gone)) | how it is |\n\n\
         **Constraint:** `from <= to`\n\
         - **Constraint:** no two `booking` with the same `room` overlap in `from`..`to` where `state != \"gone\"`\n\n\
         **Transitions:** `state` goes `open` → `held` → `gone`; `held` → `open`\n\n\
         ### Entity: `account`\n\n**Fields:**\n- `name` (string) | identity | primary key\n\
         - `lowest` (decimal(8,2)) | how far | optional\n\n\
         ### Entity: `entry`\n\n**Fields:**\n- `id` (uuid) | identity | primary key, generated\n\n\
         ### Entity: `posting`\n\n**Fields:**\n- `id` (uuid) | identity | primary key, generated\n\
         - `entry_id` (uuid) | of what | required, references `entry.id`\n\
         - `name` (string) | whose | required, references `account.name`\n\
         - `amount` (decimal(8,2)) | how much | required\n\n\
         **Append only.**\n\n**Invariant:** the sum of `posting.amount` per `entry_id` is `0`\n\
         - **Invariant:** the sum of `posting.amount` per `name` is at least `account.lowest`\n\n\
         ### Entity: `branch`\n\n**Fields:**\n- `id` (integer) | identity | primary key\n\
         - `up` (integer) | on what | optional, references `branch.id`, on delete cascade\n\
         - `beside` (integer) | near what | optional, references `branch.id`, on delete set null\n\
         - `weight` (integer) | how heavy | required\n\
         - `alone` (boolean) | near nothing | required, computed as `beside == null`\n\n\
         **Invariant:** the sum of `branch.weight` is at least `0`\n",
    ))
}

fn number(number: i64) -> Value {
    Value::Integer(number)
}

fn amount(units: i128) -> Value {
    Value::Decimal(Decimal { units, scale: 2 })
}

/// What kind of rule a refusal is about, or nothing when the call went well.
fn broken(ended: &Ended) -> Option<RuleKind> {
    match &ended.result {
        Ok(_) => None,
        Err(Refusal::Rule(fault)) => Some(fault.kind),
        Err(other) => panic!("{other:?}"),
    }
}

/// Every invariant holds over all rows.
async fn sound(room: &Room) {
    let call = Call {
        what: What::Invariants,
        slots: Vec::new(),
        now: 0,
        seed: formwork_engine::replayable(0),
        precondition: None,
        part: None,
    };
    let ended = room.store.run(call).await;
    let Body::Value(Value::List(lines)) = &answer(&ended).body else { panic!("{ended:?}") };
    assert!(lines.is_empty(), "{lines:?}");
}

#[derive(Clone, Debug)]
enum Move {
    Book(usize, i64, i64),
    Shift(i64, i64),
    ShiftAll(i64),
    Set(i64, usize),
}

const ROOMS: [&str; 2] = ["a", "b"];
const STATES: [&str; 3] = ["open", "held", "gone"];

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        4 => (0..2_usize, 0..12_i64, -1..5_i64).prop_map(|(room, from, length)| Move::Book(room, from, from + length)),
        2 => (0..12_i64, -4..5_i64).prop_map(|(id, by)| Move::Shift(id, by)),
        1 => (-3..4_i64).prop_map(Move::ShiftAll),
        3 => (0..12_i64, 0..3_usize).prop_map(|(id, state)| Move::Set(id, state)),
    ];
    proptest::collection::vec(one, 1..25)
}

#[derive(Clone, Debug)]
struct Booking {
    room: usize,
    from: i64,
    to: i64,
    state: usize,
}

/// The first rule that a booking would break among others.
fn oracle(all: &BTreeMap<i64, Booking>, id: i64, new: &Booking, before: Option<usize>) -> Option<RuleKind> {
    if new.from > new.to {
        return Some(RuleKind::Constraint);
    }
    let way = match before {
        None => new.state == 0,
        Some(before) => before == new.state || matches!((before, new.state), (0, 1) | (1, 2) | (1, 0)),
    };
    if !way {
        return Some(RuleKind::Transition);
    }
    let overlaps = |other: &Booking| {
        other.room == new.room && other.state != 2 && other.from < new.to && new.from < other.to
    };
    let empty = |booking: &Booking| booking.from >= booking.to;
    let met = new.state != 2
        && !empty(new)
        && all.iter().any(|(other, booking)| *other != id && !empty(booking) && overlaps(booking));
    met.then_some(RuleKind::Overlap)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn bookings_never_overlap_and_take_only_their_ways(moves in moves()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let room = Room::new(house());
            let mut all: BTreeMap<i64, Booking> = BTreeMap::new();
            for (id, one) in (0_i64..).zip(moves) {
                match one {
                    Move::Book(place, from, to) => {
                        let new = Booking { room: place, from, to, state: 0 };
                        let expected = oracle(&all, id, &new, None);
                        let input = [("id", number(id)), ("room", text(ROOMS[place])), ("from", number(from)), ("to", number(to))];
                        prop_assert_eq!(broken(&room.run("book", &input).await), expected);
                        if expected.is_none() { all.insert(id, new); }
                    }
                    Move::Shift(id, by) => {
                        let Some(old) = all.get(&id).cloned() else { continue };
                        let new = Booking { from: old.from + by, to: old.to + by, ..old };
                        let expected = oracle(&all, id, &new, Some(new.state));
                        prop_assert_eq!(broken(&room.run("shift", &[("id", number(id)), ("by", number(by))]).await), expected);
                        if expected.is_none() { all.insert(id, new); }
                    }
                    Move::ShiftAll(by) => {
                        // Row by row, in the order of the key, and all or nothing.
                        let mut moved = all.clone();
                        let mut expected = None;
                        for id in all.keys().copied().filter(|id| all[id].state == 0) {
                            let old = moved[&id].clone();
                            let new = Booking { from: old.from + by, to: old.to + by, ..old };
                            expected = expected.or_else(|| oracle(&moved, id, &new, Some(new.state)));
                            moved.insert(id, new);
                        }
                        prop_assert_eq!(broken(&room.run("shift_all", &[("by", number(by))]).await), expected);
                        if expected.is_none() { all = moved; }
                    }
                    Move::Set(id, state) => {
                        let Some(old) = all.get(&id).cloned() else { continue };
                        let new = Booking { state, ..old.clone() };
                        let expected = oracle(&all, id, &new, Some(old.state));
                        let ended = room.run("set", &[("id", number(id)), ("state", text(STATES[state]))]).await;
                        prop_assert_eq!(broken(&ended), expected);
                        if expected.is_none() { all.insert(id, new); }
                    }
                }
            }
            prop_assert_eq!(room.count("booking"), all.len() as u64);
            Ok(())
        })?;
    }

    #[test]
    fn sums_keep_their_bounds_in_any_history(
        payments in proptest::collection::vec((0..3_usize, 0..3_usize, 0..900_i128, 0..8_u8), 1..20),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let room = Room::new(house());
            let names = ["ann", "bob", "cyd"];
            // Ann may go to -5.00, Bob to -2.00, Cyd as far as she likes.
            let mut lowest = [Some(-500_i128), Some(-200), None];
            for (name, lowest) in names.iter().zip(lowest) {
                let lowest = lowest.map_or(Value::Absent, amount);
                answer(&room.run("open", &[("name", text(name)), ("lowest", lowest)]).await);
            }
            let mut held = [0_i128; 3];
            let mut entries = 0;
            for (from, to, units, how) in payments {
                if how == 0 {
                    // The bound itself is moved.
                    let expected = (held[from] < -units).then_some(RuleKind::Invariant);
                    let input = [("name", text(names[from])), ("lowest", amount(-units))];
                    prop_assert_eq!(broken(&room.run("limit", &input).await), expected);
                    if expected.is_none() { lowest[from] = Some(-units); }
                    continue;
                }
                // Sometimes a cent is lost on the way.
                let comes = if how == 1 { units + 1 } else { units };
                let mut after = held;
                after[from] -= units;
                after[to] += comes;
                let holds = comes == units
                    && [from, to].iter().all(|at| lowest[*at].is_none_or(|lowest| after[*at] >= lowest));
                let input = [("from", text(names[from])), ("to", text(names[to])), ("out", amount(units)), ("comes", amount(comes))];
                let ended = room.run("pay", &input).await;
                prop_assert_eq!(broken(&ended), (!holds).then_some(RuleKind::Invariant));
                if holds { held = after; entries += 1; }
            }
            prop_assert_eq!(room.count("entry"), entries);
            prop_assert_eq!(room.count("posting"), entries * 2);
            sound(&room).await;
            Ok(())
        })?;
    }

    #[test]
    fn what_goes_with_a_row_is_what_hangs_on_it(
        branches in proptest::collection::vec((proptest::option::of(0..14_i64), proptest::option::of(0..14_i64), -3..9_i64), 1..14),
        cuts in proptest::collection::vec(0..14_i64, 1..5),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let room = Room::new(house());
            let mut tree: BTreeMap<i64, (Option<i64>, Option<i64>, i64)> = BTreeMap::new();
            let total = |tree: &BTreeMap<i64, (Option<i64>, Option<i64>, i64)>| -> i64 { tree.values().map(|it| it.2).sum() };
            for (id, (up, beside, weight)) in (0_i64..).zip(branches) {
                let there = |other: Option<i64>| other.filter(|other| tree.contains_key(other));
                let (up, beside) = (there(up), there(beside));
                let holds = total(&tree) + weight >= 0;
                let of = |other: Option<i64>| other.map_or(Value::Absent, number);
                let input = [("id", number(id)), ("up", of(up)), ("beside", of(beside)), ("weight", number(weight))];
                let ended = room.run("plant", &input).await;
                prop_assert_eq!(broken(&ended), (!holds).then_some(RuleKind::Invariant));
                if holds { tree.insert(id, (up, beside, weight)); }
            }
            for cut in cuts {
                if !tree.contains_key(&cut) { continue }
                let mut gone = BTreeSet::from([cut]);
                while let Some(more) = tree.iter().find(|(id, it)| !gone.contains(id) && it.0.is_some_and(|up| gone.contains(&up))) {
                    gone.insert(*more.0);
                }
                let mut left = tree.clone();
                left.retain(|id, _| !gone.contains(id));
                for it in left.values_mut() { it.1 = it.1.filter(|beside| !gone.contains(beside)); }
                let holds = total(&left) >= 0;
                prop_assert_eq!(broken(&room.run("cut", &[("id", number(cut))]).await), (!holds).then_some(RuleKind::Invariant));
                if holds { tree = left; }
                prop_assert_eq!(room.count("branch"), tree.len() as u64);
                for (id, (up, beside, _)) in &tree {
                    let seen = room.run("look", &[("id", number(*id))]).await;
                    let of = |other: &Option<i64>| other.map_or(Value::Null, number);
                    prop_assert!(same(&field(&room, &seen, "up"), &of(up)));
                    prop_assert!(same(&field(&room, &seen, "beside"), &of(beside)));
                    prop_assert!(same(&field(&room, &seen, "alone"), &Value::Boolean(beside.is_none())));
                }
            }
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn what_a_cascade_takes_counts_against_the_bound() {
    let room = Room::with(house(), |options| options.work = std::time::Duration::from_secs(120));
    let root = [("id", number(0)), ("weight", number(1))];
    answer(&room.run("plant", &root).await);
    let branch = crate::harness::entity_named(room.store.program(), "branch");
    // Enough that the rows of one deletion are more than a transaction may write.
    for first in (1..=10_001).step_by(1_000) {
        let row = |id| {
            let values = [number(id), number(0), Value::Absent, number(1), Value::Absent];
            Value::List(values.into())
        };
        let rows: Vec<Value> = (first..(first + 1_000).min(10_002)).map(row).collect();
        let call = Call {
            what: What::Rows(branch),
            slots: vec![Value::List(rows.into())],
            now: 0,
            seed: formwork_engine::replayable(first.unsigned_abs()),
            precondition: None,
            part: None,
        };
        answer(&room.store.run(call).await);
    }
    let ended = room.run("cut", &[("id", number(0))]).await;
    assert!(matches!(refusal(&ended), Refusal::TooMuchWork), "{:?}", ended.result);
    let ended = room.run("cut_all", &[("id", number(0))]).await;
    assert!(matches!(refusal(&ended), Refusal::TooMuchWork), "{:?}", ended.result);
    assert_eq!(room.count("branch"), 10_002);
    answer(&room.run("cut_all", &[("id", number(1_000))]).await);
    assert_eq!(room.count("branch"), 1_000);
    sound(&room).await;
}

/// A table `note` that one may add to, with more fields or rules.
fn notes(rank: &str, behind: &str) -> Arc<Program> {
    let add = operation(
        "add",
        "- `id` (integer) | which | required\n- `rank` (integer) | its rank | required",
        "2. Creates a `note` with `id = input.id`, `rank = input.rank`.\n3. Returns `201` with the `note`.",
    );
    let entity = format!(
        "### Entity: `note`\n\n**Fields:**\n- `id` (integer) | identity | primary key\n\
         - `rank` (integer) | its rank | required{rank}\n{behind}\n"
    );
    program(&document(&add, &entity))
}

#[tokio::test]
async fn a_new_rule_is_applied_if_the_rows_keep_it() {
    let room = Room::new(notes("", ""));
    for id in 1..=3 {
        answer(&room.run("add", &[("id", number(id)), ("rank", number(id * 2))]).await);
    }
    room.store.close().await;
    let place = room.place;
    drop(room.store);
    let refused = |changed: Arc<Program>| match Store::open(place.options(), changed) {
        Err(OpenError::SchemaChanged(lines)) => lines,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it opened"),
    };
    assert_eq!(refused(notes(", at most 5", "")), ["`note` 3: `rank` must be at most 5"]);
    assert_eq!(refused(notes("", "\n**Constraint:** `rank < id * 2 || id > 2`\n")).len(), 2);
    assert_eq!(refused(notes("", "\n**Invariant:** the sum of `note.rank` is at most `11`\n")).len(), 1);
    let doubled = "- `half` (integer) | half | required, computed as `rank - id`\n\n**Constraint:** `half == id`\n\n\
        **Indexes/Keys:** unique (`half`)\n\n**Invariant:** the sum of `note.half` is at most `6`\n";
    let store = Store::open(place.options(), notes(", at most 6, unique", doubled)).unwrap();
    assert_eq!(store.count(0, None, &[]).unwrap(), 3);
    store.close().await;
}
