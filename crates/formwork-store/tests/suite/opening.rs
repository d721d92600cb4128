//! Opening: what only adds is applied, anything else is refused with its reason.

use crate::harness::{Room, answer, document, field, program, text};
use crate::place::Place;
use formwork_engine::{Body, Ended, Refusal};
use formwork_language::program::Program;
use formwork_language::value::{Decimal, Value, same};
use formwork_store::{OpenError, Store};
use std::sync::Arc;

pub(crate) fn notes(more_fields: &str, more_entities: &str) -> Arc<Program> {
    program(&document(
        "### Operation: `add` — `POST /notes`\n\n**Input:**\n- `name` (string) | its name | required\n\n\
         **Output:** `201` with the `note`\n\n**Behavior:**\n1. Anyone may call this.\n\
         2. Creates a `note` with `name = input.name`.\n3. Returns `201` with the `note`.\n\n\
         ### Operation: `read` — `GET /notes/{name}`\n\n**Input:**\n- `name` (string) | its name | required\n\n\
         **Output:** the `note`\n\n**Behavior:**\n1. Anyone may call this.\n\
         2. Finds the `note` where `name == input.name`, or fails with `404 no_note`.\n3. Returns the `note`.\n",
        &format!(
            "### Entity: `note`\n\n**Fields:**\n- `id` (uuid) | identity | primary key, generated\n\
             - `name` (string) | its name | required, unique\n{more_fields}\n\n{more_entities}"
        ),
    ))
}

fn open(place: &Place, program: Arc<Program>) -> Result<Store, OpenError> {
    Store::open(place.options(), program)
}

fn refused(place: &Place, program: Arc<Program>) -> OpenError {
    open(place, program).expect_err("the store must not open")
}

#[tokio::test]
async fn what_only_adds_is_applied_at_the_next_start() {
    let room = Room::new(notes("", ""));
    answer(&room.run("add", &[("name", text("old"))]).await);
    let more = "- `rank` (integer) | its rank | required, default 7\n- `label` (string) | a label | optional, indexed";
    let tag = "### Entity: `tag`\n\n**Fields:**\n- `id` (uuid) | identity | primary key, generated\n\
        - `note_id` (uuid) | the note | required, references `note.id`\n";
    let room = room.reopened(notes(more, tag)).await;
    let read = room.run("read", &[("name", text("old"))]).await;
    assert!(same(&field(&room, &read, "rank"), &Value::Integer(7)));
    assert!(same(&field(&room, &read, "label"), &Value::Null));
    assert_eq!(room.count("tag"), 0);
    answer(&room.run("add", &[("name", text("new"))]).await);
    // And a third time, when nothing is left to add.
    let room = room.reopened(notes(more, tag)).await;
    assert_eq!(room.count("note"), 2);
}

/// A program of one table and no operation that its required fields could hinder.
fn table(fields: &str) -> Arc<Program> {
    program(&document(
        "",
        &format!("### Entity: `note`\n\n**Fields:**\n- `id` (uuid) | identity | primary key\n{fields}\n"),
    ))
}

#[test]
fn what_does_more_than_add_is_refused_with_every_difference() {
    let place = &Place::new();
    drop(open(place, table("- `rank` (integer) | its rank | optional")).unwrap());
    let changed =
        table("- `rank` (string) | its rank | required\n- `size` (integer) | its size | required, unique");
    let OpenError::SchemaChanged(lines) = refused(place, changed) else { panic!() };
    let expected = [
        "`note.rank` was `integer` and is `string` now",
        "`note.rank` was optional and is required now",
        "`note.size` is new and required, and rows that exist have no value for it",
        "`note` has a new key: unique note(size) (that alone would be added)",
    ];
    assert_eq!(lines, expected);
    let OpenError::SchemaChanged(lines) = refused(place, table("")) else { panic!() };
    assert_eq!(lines, ["`note.rank` is gone from the document"]);
    assert!(open(place, table("- `rank` (integer) | its rank | optional")).is_ok());
}

#[test]
fn values_may_be_added_to_an_enum_but_not_taken_away() {
    let place = &Place::new();
    drop(open(place, table("- `state` (enum(a, b)) | its state | required")).unwrap());
    drop(open(place, table("- `state` (enum(a, c, b)) | its state | required")).unwrap());
    let error = refused(place, table("- `state` (enum(a, b)) | its state | required"));
    assert!(matches!(error, OpenError::SchemaChanged(_)), "{error}");
}

/// Orders that lines refer to, with a key, an index and a list of fields that the test varies.
fn shop(order: &str) -> Arc<Program> {
    program(&document(
        "### Operation: `sell` — `POST /orders`\n\n**Input:**\n- `price` (decimal(6,2)) | what it costs | required\n- `count` (integer) | how many | required\n\n\
         **Output:** nothing\n\n**Behavior:**\n1. Anyone may call this.\n\
         2. Creates an `order` with `price = input.price`, `count = input.count`, `buyer = \"b\"`.\n\
         3. Creates a `line` with `order_id = order.id`.\n\n\
         ### Operation: `find` — `GET /orders`\n\n**Input:**\n- `least` (decimal(6,2)) | at least | required\n\n\
         **Output:** a list of `order`\n\n**Behavior:**\n1. Anyone may call this.\n\
         2. Lists the `order` where `price >= input.least`, sorted by `price` descending.\n\n\
         ### Operation: `drop` — `DELETE /orders`\n\n**Input:** None\n\n**Output:** nothing\n\n**Behavior:**\n\
         1. Anyone may call this.\n2. Deletes every `order` where `count == 3`.\n",
        &format!(
            "### Entity: `order`\n\n**Fields:**\n- `id` (uuid) | identity | primary key, generated\n{order}\n\n\
             **Indexes/Keys:** unique (`price`, `buyer`); index (`buyer` desc); index (`price` desc, `count`)\n\n\
             ### Entity: `line`\n\n**Fields:**\n- `id` (uuid) | identity | primary key, generated\n\
             - `order_id` (uuid) | of which | required, references `order.id` on delete cascade\n"
        ),
    ))
}

const NARROW: &str = "- `price` (decimal(6,2)) | what it costs | required\n- `count` (integer) | how many | required\n\
    - `buyer` (string) | who | required, max 5 chars";
const WIDE: &str = "- `price` (decimal(9,4)) | what it costs | optional\n- `count` (decimal(8,1)) | how many | required\n\
    - `buyer` (string) | who | optional, max 50 chars\n- `note` (string) | a word | required, default \"-\"";

fn price(units: i128) -> Value {
    Value::Decimal(Decimal { units, scale: 2 })
}

async fn sell(room: &Room, units: i128) -> Ended {
    room.run("sell", &[("price", price(units)), ("count", Value::Integer(3))]).await
}

/// Prices of the orders that cost at least so much, dearest first.
async fn prices(room: &Room, least: i128) -> Vec<String> {
    let ended = room.run("find", &[("least", price(least))]).await;
    let Body::Value(Value::List(items)) = answer(&ended).body.clone() else { panic!("{ended:?}") };
    let plain = |item: &Value| match item {
        Value::Row(row) => {
            let values = &ended.rows[*row as usize].values;
            format!("{} x{}", values[1].to_plain(), values[2].to_plain())
        }
        _ => panic!("{item:?}"),
    };
    items.iter().map(plain).collect()
}

#[tokio::test]
async fn fields_that_take_more_keep_rows_keys_and_references() {
    let room = Room::new(shop(NARROW));
    // One price is the other's with more digits behind the point, as the embedded database keeps them.
    for units in [100, 10_000, 999_999] {
        answer(&sell(&room, units).await);
    }
    assert_eq!(prices(&room, 10_000).await, ["9999.99 x3", "100.00 x3"]);
    let room = room.reopened(shop(WIDE)).await;
    assert_eq!(prices(&room, 10_000).await, ["9999.9900 x3.0", "100.0000 x3.0"]);
    assert_eq!((room.count("order"), room.count("line")), (3, 3));
    // The unique key is still one, and the reference still cascades.
    let taken = sell(&room, 100).await;
    assert!(matches!(taken.result, Err(Refusal::Conflict { .. })), "{taken:?}");
    answer(&sell(&room, 101).await);
    let room = room.reopened(shop(WIDE)).await;
    answer(&room.run("drop", &[]).await);
    assert_eq!((room.count("order"), room.count("line")), (0, 0));
}

#[tokio::test]
async fn fields_that_take_less_are_refused_and_change_nothing() {
    let room = Room::new(shop(WIDE));
    answer(&sell(&room, 100).await);
    let place = room.closed().await;
    let OpenError::SchemaChanged(lines) = refused(&place, shop(NARROW)) else { panic!() };
    for line in [
        "`order.note` is gone from the document",
        "`order.price` was `decimal(9,4)` and is `decimal(6,2)` now",
        "`order.price` was optional and is required now",
        "`order.count` was `decimal(8,1)` and is `integer` now",
        "`order.buyer` was optional and is required now",
    ] {
        assert!(lines.iter().any(|said| said == line), "{line}: {lines:#?}");
    }
    let store = open(&place, shop(WIDE)).expect("it opens as before");
    drop(store);
}

#[tokio::test]
async fn a_number_that_does_not_fit_the_wider_type_is_named() {
    let room = Room::new(shop(NARROW));
    answer(&sell(&room, 100).await);
    let place = room.closed().await;
    let tight = NARROW.replace("`count` (integer)", "`count` (decimal(2,2))");
    let OpenError::SchemaChanged(lines) = refused(&place, shop(&tight)) else { panic!() };
    assert_eq!(
        lines,
        ["`order.count` may have at most 0 digits before the point, and rows that exist have more"]
    );
    drop(open(&place, shop(NARROW)).expect("nothing has changed"));
}
