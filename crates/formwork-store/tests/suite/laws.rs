//! Transactions: all of a call or nothing, neighbours apart, every broken rule by its name.

use crate::harness::{NOW, Room, answer, document, entity_named, field, program, refusal, step, text};
use formwork_engine::{ConflictKind, Ended, Refusal};
use formwork_language::program::{Aggregate, Comparison, Condition, Operand, Program, Statement};
use formwork_language::value::{Value, same};
use formwork_store::{NextRun, StoredKey};
use std::sync::Arc;

pub(crate) fn shop() -> Arc<Program> {
    let operation = |name: &str, route: &str, input: &str, steps: &str| {
        format!(
            "### Operation: `{name}` — `{route}`\n\n**Input:**\n{input}\n\n**Output:** as the steps say\n\n**Behavior:**\n{steps}\n\n"
        )
    };
    let key = "- `name` (string) | its name | required";
    let operations = [
        operation(
            "add_team",
            "POST /teams",
            "- `name` (string) | its name | required\n- `limit` (integer) | most members | optional",
            "1. Anyone may call this.\n2. Creates a `team` with `name = input.name`, `limit = input.limit`.\n3. Counts `teams_total`.\n4. Returns `201` with the `team`.",
        ),
        operation(
            "add_two",
            "POST /pairs",
            "- `first` (string) | one | required\n- `second` (string) | other | required",
            "1. Anyone may call this.\n2. Counts `teams_total`.\n3. Creates a `team` with `name = input.first` as `one`.\n4. Creates a `team` with `name = input.second` as `two`, or fails with `409 second_taken`.\n5. Returns `201` with the `two`.",
        ),
        operation(
            "join",
            "POST /members",
            "- `team_id` (uuid) | the team | required\n- `name` (string) | its name | required",
            "1. Anyone may call this.\n2. Creates a `member` with `team_id = input.team_id`, `name = input.name`.\n3. Returns `201` with the `member`.",
        ),
        operation(
            "lend",
            "POST /loans",
            "- `team_id` (uuid) | the team | required",
            "1. Anyone may call this.\n2. Creates a `loan` with `team_id = input.team_id`.\n3. Returns `201` with the `loan`.",
        ),
        operation(
            "drop_team",
            "DELETE /teams/{name}",
            key,
            "1. Anyone may call this.\n2. Finds the `team` where `name == input.name`, or fails with `404 no_team`.\n3. Deletes the `team`.\n4. Returns nothing.",
        ),
        operation(
            "rename",
            "PATCH /teams/{name}",
            "- `name` (string) | its name | required\n- `to` (string) | the new one | required",
            "1. Anyone may call this.\n2. Finds the `team` where `name == input.name` as `one`, or fails with `404 no_team`.\n3. Finds the `team` where `name == input.name` as `same`, or fails with `404 no_team`.\n4. Updates the `one` with `name = input.to`.\n5. Returns the `same`.",
        ),
        operation(
            "grow",
            "POST /grow",
            "- `by` (integer) | how much | required",
            "1. Anyone may call this.\n2. Updates every `team` where `limit != null` with `limit = limit + input.by`.\n3. Returns nothing.",
        ),
        operation(
            "read_team",
            "GET /teams/{name}",
            key,
            "1. Anyone may call this.\n2. Finds the `team` where `name == input.name`, or fails with `404 no_team`.\n3. Returns the `team`.",
        ),
    ]
    .concat();
    let entities = "### Entity: `team`\n\n**Fields:**\n- `id` (uuid) | identity | primary key, generated\n- `name` (string) | its name | required, unique, max 20 chars\n- `limit` (integer) | most members | optional, ≥ 0, ≤ 100\n\n\
        ### Entity: `member`\n\n**Fields:**\n- `id` (uuid) | identity | primary key, generated\n- `team_id` (uuid) | the team | required, references `team.id`, on delete cascade\n- `name` (string) | its name | required\n\n**Indexes/Keys:** unique (`team_id`, `name`)\n\n\
        ### Entity: `loan`\n\n**Fields:**\n- `id` (uuid) | identity | primary key, generated\n- `team_id` (uuid) | the team | required, references `team.id`\n";
    let jobs = "## 3) Core Components\n\n### Sweeper\n\n**Purpose:** Removes members.\n\n**Responsibilities:**\n- Every `10 min`:\n  1. Deletes every `member` where `name == \"gone\"`.\n- Every `1 h`:\n  1. Emits `swept` with `{\"what\": \"teams\"}`.\n  2. Updates every `team` where `limit != null` with `limit = limit + 1`.\n  3. Updates every `team` where `limit != null` with `limit = limit + 1`.\n\n";
    let metrics = "## 10) Observability\n\n### Metrics\n- `teams_total`: counter of teams\n\n### Events\n- `swept`: when the sweeper has run; data `what`\n";
    let text = document(&operations, entities);
    let (head, rest) = text.split_once("## 4)").unwrap();
    program(&format!("{head}{jobs}## 4){rest}\n{metrics}"))
}

async fn team(room: &Room, name: &str) -> Value {
    let ended = room.run("add_team", &[("name", text(name))]).await;
    field(room, &ended, "id")
}

fn conflict(room: &Room, ended: &Ended) -> (String, Vec<String>, ConflictKind) {
    let Refusal::Conflict { entity, fields, kind } = refusal(ended) else { panic!("{:?}", ended.result) };
    let entity = &room.store.program().schema.entities[usize::from(*entity)];
    let names = fields.iter().map(|field| entity.fields[usize::from(*field)].name.to_string());
    (entity.name.to_string(), names.collect(), *kind)
}

#[tokio::test]
async fn a_broken_unique_key_is_named() {
    let room = Room::new(shop());
    let id = team(&room, "red").await;
    let again = room.run("add_team", &[("name", text("red"))]).await;
    assert_eq!(conflict(&room, &again), ("team".into(), vec!["name".into()], ConflictKind::Unique));
    let member = [("team_id", id), ("name", text("ann"))];
    room.run("join", &member).await;
    let twice = room.run("join", &member).await;
    let fields = vec!["team_id".into(), "name".into()];
    assert_eq!(conflict(&room, &twice), ("member".into(), fields, ConflictKind::Unique));
}

#[tokio::test]
async fn a_reference_that_points_nowhere_is_named() {
    let room = Room::new(shop());
    let ended = room.run("join", &[("team_id", Value::Uuid([7; 16])), ("name", text("ann"))]).await;
    let expected = ("member".into(), vec!["team_id".into()], ConflictKind::MissingReference);
    assert_eq!(conflict(&room, &ended), expected);
}

#[tokio::test]
async fn deleting_takes_children_along_or_is_refused_as_the_document_says() {
    let room = Room::new(shop());
    let id = team(&room, "red").await;
    for name in ["ann", "bob"] {
        room.run("join", &[("team_id", id.clone()), ("name", text(name))]).await;
    }
    let blue = team(&room, "blue").await;
    answer(&room.run("lend", &[("team_id", blue)]).await);
    assert_eq!(answer(&room.run("drop_team", &[("name", text("red"))]).await).status, 204);
    assert_eq!((room.count("team"), room.count("member")), (1, 0));
    let used = room.run("drop_team", &[("name", text("blue"))]).await;
    assert_eq!(conflict(&room, &used), ("team".into(), vec![], ConflictKind::Referenced));
    assert_eq!((room.count("team"), room.count("loan")), (1, 1));
}

#[tokio::test]
async fn a_refused_call_leaves_no_row_but_keeps_its_counters() {
    let room = Room::new(shop());
    team(&room, "red").await;
    let ended = room.run("add_two", &[("first", text("blue")), ("second", text("red"))]).await;
    assert_eq!(step(&ended), (409, "second_taken"));
    assert_eq!(ended.counts, [(0, 1.0)]);
    assert_eq!(room.count("team"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_refusal_does_not_undo_its_neighbours() {
    let room = Arc::new(Room::new(shop()));
    team(&room, "taken").await;
    let tasks: Vec<_> = (0..200)
        .map(|number| {
            let room = Arc::clone(&room);
            tokio::spawn(async move {
                let second = if number % 2 == 0 { format!("second {number}") } else { "taken".to_owned() };
                let first = format!("first {number}");
                room.run("add_two", &[("first", text(&first)), ("second", text(&second))])
                    .await
                    .result
                    .is_ok()
            })
        })
        .collect();
    let mut made = 0;
    for task in tasks {
        made += u64::from(task.await.unwrap());
    }
    assert_eq!(made, 100);
    assert_eq!(room.count("team"), 1 + 2 * made);
}

#[tokio::test]
async fn one_row_in_two_variables_shows_every_change() {
    let room = Room::new(shop());
    team(&room, "red").await;
    let ended = room.run("rename", &[("name", text("red")), ("to", text("blue"))]).await;
    assert!(same(&field(&room, &ended, "name"), &text("blue")));
    let read = room.run("read_team", &[("name", text("blue"))]).await;
    assert_eq!(read.rows[0].version, 2);
}

#[tokio::test]
async fn rules_hold_for_what_an_update_of_many_rows_computes() {
    let room = Room::new(shop());
    room.run("add_team", &[("name", text("red")), ("limit", Value::Integer(5))]).await;
    room.run("add_team", &[("name", text("blue"))]).await;
    assert_eq!(answer(&room.run("grow", &[("by", Value::Integer(90))]).await).status, 204);
    let too_far = room.run("grow", &[("by", Value::Integer(90))]).await;
    let Refusal::Invalid(faults) = refusal(&too_far) else { panic!("{:?}", too_far.result) };
    assert_eq!(faults[0].code, "max");
    let overflow = room.run("grow", &[("by", Value::Integer(i64::MAX))]).await;
    assert!(matches!(refusal(&overflow), Refusal::Arithmetic(_)), "{:?}", overflow.result);
    let read = room.run("read_team", &[("name", text("red"))]).await;
    assert!(same(&field(&room, &read, "limit"), &Value::Integer(95)));
}

#[tokio::test]
async fn a_standing_deletion_works_in_batches_until_nothing_is_left() {
    let room = Arc::new(Room::new(shop()));
    let id = team(&room, "red").await;
    let other = team(&room, "blue").await;
    // A name is unique per team: the second thousand goes to teams of their own.
    answer(&room.run("join", &[("team_id", id.clone()), ("name", text("stays"))]).await);
    answer(&room.run("join", &[("team_id", other), ("name", text("gone"))]).await);
    for number in 0..1_200 {
        let team = team(&room, &format!("team {number}")).await;
        answer(&room.run("join", &[("team_id", team), ("name", text("gone"))]).await);
    }
    let first = room.job(0, NOW).await;
    assert!(first.result.is_ok() && first.again);
    assert_eq!(room.count("member"), 202);
    let second = room.job(0, NOW).await;
    assert!(second.result.is_ok() && !second.again);
    assert_eq!(room.count("member"), 1);
}

#[tokio::test]
async fn a_standing_update_meets_each_row_once_however_many_batches_it_takes() {
    let room = Room::new(shop());
    for number in 0..1_000 {
        let input = [("name", text(&format!("team {number}"))), ("limit", Value::Integer(number % 50))];
        answer(&room.run("add_team", &input).await);
    }
    let sum = Statement::Aggregate { function: Aggregate::Sum, entity: 0, field: 2, filter: None };
    let before: i64 = room.store.value(&sum, &[]).unwrap().to_plain().parse().unwrap();
    let mut batches = 1;
    while room.job(1, NOW).await.again {
        batches += 1;
        assert!(batches < 10, "a job goes on for ever");
    }
    // A full batch of a thousand, then an empty one, for either step.
    assert_eq!(batches, 3);
    let after: i64 = room.store.value(&sum, &[]).unwrap().to_plain().parse().unwrap();
    assert_eq!(after, before + 2_000);
    assert_eq!(room.store.events(Some("swept")).unwrap().len(), 1);
}

#[tokio::test]
async fn one_seed_on_the_same_rows_ends_the_same() {
    let mut ids = Vec::new();
    for _ in 0..2 {
        let room = Room::new(shop());
        ids.push((team(&room, "red").await, team(&room, "blue").await));
    }
    assert!(same(&ids[0].0, &ids[1].0) && same(&ids[0].1, &ids[1].1));
    let (Value::Uuid(first), Value::Uuid(second)) = &ids[0] else { panic!("{ids:?}") };
    assert!(first < second);
}

#[tokio::test]
async fn an_unavailable_store_refuses_and_comes_back() {
    let room = Room::new(shop());
    room.store.set_available(false);
    for operation in ["add_team", "read_team"] {
        assert!(matches!(refusal(&room.run(operation, &[("name", text("a"))]).await), Refusal::Unavailable));
    }
    room.store.set_available(true);
    team(&room, "a").await;
}

#[tokio::test]
async fn aggregates_are_exact_and_those_of_nothing_as_the_language_says() {
    let room = Room::new(shop());
    let team = entity_named(room.store.program(), "team");
    let of = |function| Statement::Aggregate { function, entity: team, field: 2, filter: None };
    let value = |function| room.store.value(&of(function), &[]).unwrap();
    assert!(same(&value(Aggregate::Sum), &Value::Integer(0)));
    assert!(same(&value(Aggregate::Largest), &Value::Null));
    assert!(same(&value(Aggregate::Average), &Value::Null));
    for (name, limit) in [("a", 1), ("b", 2), ("c", 2)] {
        room.run("add_team", &[("name", text(name)), ("limit", Value::Integer(limit))]).await;
    }
    assert!(same(&value(Aggregate::Sum), &Value::Integer(5)));
    assert_eq!(value(Aggregate::Average).to_plain(), "1.666667");
    let two = Condition::Compare(Comparison::Equal, Operand::Field(2), Operand::Parameter(0));
    assert_eq!(room.store.count(team, Some(&two), &[Value::Integer(2)]).unwrap(), 2);
}

#[tokio::test]
async fn keys_and_next_runs_outlive_the_store() {
    let room = Room::new(shop());
    let key = StoredKey {
        name: "k1".into(),
        hash: [3; 32],
        caller: "alice".into(),
        roles: vec!["member".into()],
        scopes: vec![],
        claims: "{}".into(),
        created: NOW,
        revoked: None,
        expires: Some(NOW + 90),
        used: None,
    };
    room.store.insert_key(key.clone()).await.unwrap();
    assert!(room.store.insert_key(key.clone()).await.is_err());
    assert!(room.store.revoke_key("k1", NOW + 1).await.unwrap());
    assert!(!room.store.revoke_key("k1", NOW + 2).await.unwrap());
    for (at, noted) in [(NOW + 5, NOW + 5), (NOW + 4, NOW + 5)] {
        room.store.note_key_uses(vec![("k1".into(), at), ("k2".into(), at)]).await.unwrap();
        assert_eq!(room.store.load_keys().unwrap()[0].used, Some(noted), "a later use stays");
    }
    let next = NextRun { job: "Sweeper/1".into(), at: Some(NOW + 600_000_000), due: None };
    let call = {
        let slots = vec![Value::Absent; usize::from(room.store.program().jobs[0].code.slots)];
        formwork_engine::Call {
            what: formwork_engine::What::Job(0),
            slots,
            now: NOW,
            seed: formwork_engine::replayable(1),
            precondition: None,
            part: None,
        }
    };
    assert!(room.store.run_job(call, next.clone()).await.result.is_ok());
    let program = Arc::clone(room.store.program());
    let room = room.reopened(program).await;
    assert_eq!(
        room.store.load_keys().unwrap(),
        [StoredKey { revoked: Some(NOW + 1), used: Some(NOW + 5), ..key }]
    );
    assert_eq!(room.store.next_runs().unwrap(), [next]);
}
