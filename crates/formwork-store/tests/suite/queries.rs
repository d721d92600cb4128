//! The document's own SQL gives the same rows on both databases, values in their forms.

use crate::harness::{Room, answer, document, program, text};
use formwork_engine::Body;
use formwork_language::value::{Decimal, Value};

fn shop() -> std::sync::Arc<formwork_language::program::Program> {
    let operations = "### Operation: `sell` — `POST /sales`\n\n**Input:**\n- `shelf` (string) | where | required\n\
        - `price` (decimal(8,2)) | how much | required\n\n**Output:** `201`\n\n**Behavior:**\n\
        1. Anyone may call this.\n2. Creates a `sale` with `shelf = input.shelf`, `price = input.price`.\n\
        3. Returns `201` with the `sale`.\n\n\
        ### Operation: `report` — `GET /report`\n\n**Input:** None\n\n**Output:** what was sold\n\n\
        **Behavior:**\n1. Anyone may call this.\n\
        2. Queries `shelves` as a list of `shelf` (string), `n` (integer), `total` (decimal(8,2)?), `last` (timestamp):\n\
        \x20  ```sql\n\
        \x20  select s.shelf, count(*) as n, sum(s.price) as total, max(s.sold_at) as last\n\
        \x20  from sale s group by s.shelf order by s.shelf\n\
        \x20  ```\n\
        3. Returns `200` with `{\"shelves\": shelves}`.\n";
    let entities = "### Entity: `sale`\n\n**Fields:**\n- `id` (uuid) | identity | primary key, generated\n\
        - `shelf` (string) | where | required\n- `price` (decimal(8,2)) | how much | required\n\
        - `sold_at` (timestamp) | when | required, set to now on create\n";
    program(&document(operations, entities))
}

#[tokio::test]
async fn the_documents_own_sql_gives_values_in_their_forms() {
    let room = Room::new(shop());
    for (shelf, cents) in [("b", 150), ("a", 225), ("b", 75), ("Z", 1)] {
        let price = Value::Decimal(Decimal { units: cents, scale: 2 });
        answer(&room.run("sell", &[("shelf", text(shelf)), ("price", price)]).await);
    }
    let ended = room.run("report", &[]).await;
    let Body::Value(value) = &answer(&ended).body else { panic!("{:?}", ended.result) };
    let at = "2030-01-01T00:00:00Z";
    assert_eq!(
        formwork_language::value::json::to_json(value),
        format!(
            r#"{{"shelves":[{{"shelf":"Z","n":1,"total":"0.01","last":"{at}"}},{{"shelf":"a","n":1,"total":"2.25","last":"{at}"}},{{"shelf":"b","n":2,"total":"2.25","last":"{at}"}}]}}"#
        )
    );
}
