//! A document that has changed since the rows were written: what only adds is applied at the start, anything else is
//! refused with a plan, and then nothing has changed.

use crate::system::{System, config};
use formwork_check::{Analysis, analyse_fragment};
use formwork_server::{Limits, StartError, start_within};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A document with one entity, an operation that adds a row and one that lists them.
fn document(fields: &str, behind: &str) -> Analysis {
    analyse_fragment(
        format!(
            "## 4) Primary Interface/API\n\n\
             #### Operation: `add` — `POST /notes`\n\n**Input:** the `note`\n\n**Output:** `201`, the `note`\n\n\
             **Behavior:**\n1. Anyone may call this.\n2. Creates a `note` from the input.\n\n\
             #### Operation: `all` — `GET /notes`\n\n**Input:** None\n\n**Output:** a list of `note`\n\n\
             **Behavior:**\n1. Anyone may call this.\n2. Lists the `note` sorted by `id`.\n\n\
             ## 6) Data Model\n\n### Entity: `note`\n\n**Fields:**\n- `id` (string) | identity | primary key\n\
             {fields}\n{behind}\n"
        )
        .into(),
    )
}

const FIELDS: &str = "- `rank` (integer) | its rank | required\n- `state` (enum(new, old)) | how it is | required\n\
    - `text` (string) | what it says | optional, max 5 chars";

/// A folder with two notes of the first document.
async fn written() -> TempDir {
    let system = System::start(&document(FIELDS, ""), Limits::default()).await;
    for (id, rank) in [("a", 1), ("b", 2)] {
        let note = json!({"id": id, "rank": rank, "state": "new", "text": "x"}).to_string();
        let made = system.public("POST /notes").json(&note).send().await;
        assert_eq!(made.status, 201, "{made:?}");
    }
    system.stop().await
}

async fn notes(folder: TempDir, changed: &Analysis) -> (Value, TempDir) {
    let system = System::start_in(folder, changed, Limits::default()).await;
    let notes = system.public("GET /notes").send().await.json();
    (notes, system.stop().await)
}

/// The lines of a refused start.
async fn refused(folder: &TempDir, changed: &Analysis) -> String {
    match start_within(config(folder.path().join("data")), Limits::default(), changed).await {
        Err(error @ StartError::Store(_)) => error.to_string(),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it started"),
    }
}

#[tokio::test]
async fn what_only_adds_is_applied_at_the_start() {
    let folder = written().await;
    let fields = "- `rank` (integer) | its rank | required, 1 to 9\n\
        - `state` (enum(new, used, old)) | how it is | required\n\
        - `text` (string) | what it says | optional, max 9 chars\n\
        - `colour` (string) | of the cover | default \"red\"\n\
        - `weight` (integer) | in grams | optional\n\
        - `double` (integer) | twice | required, computed as `rank * 2`";
    let behind = "**Indexes/Keys:** unique (`rank`); index (`state`)\n\n**Constraint:** `rank < 10 || text != null`\n\n\
        **Invariant:** the sum of `note.rank` is at most `3`\n\n\
        ### Entity: `page`\n\n**Fields:**\n- `id` (uuid) | identity | primary key, generated";
    let (notes, folder) = notes(folder, &document(fields, behind)).await;
    let note = |id: &str, rank: i64| {
        json!({"id": id, "rank": rank, "state": "new", "text": "x", "colour": "red", "weight": null,
            "double": rank * 2})
    };
    assert_eq!(notes, json!([note("a", 1), note("b", 2)]));
    // Started again with the same document nothing is looked at.
    let (again, _folder) = self::notes(folder, &document(fields, behind)).await;
    assert_eq!(again, notes);
}

#[tokio::test]
async fn a_new_rule_that_a_row_breaks_is_refused_and_named() {
    let folder = written().await;
    let tighter = FIELDS.replace("its rank | required", "its rank | required, at most 1");
    let cases = [
        (document(&tighter, ""), "`note` b: `rank` must be at most 1"),
        (document(FIELDS, "**Constraint:** `rank < 2`"), "`note` b: `rank < 2` must hold"),
        (document(FIELDS, "**Indexes/Keys:** unique (`state`)"), "`note` has a new key: unique note(state)"),
        (
            document(FIELDS, "**Invariant:** the sum of `note.rank` is at most `2`"),
            "sum of `note.rank` is at most `2`: it is 3 where 2 is the bound",
        ),
        (
            document(FIELDS, "**Invariant:** the number of `note` per `state` is `1`"),
            "it is 2 for new where 1 is the bound",
        ),
    ];
    for (changed, expected) in cases {
        let said = refused(&folder, &changed).await;
        assert!(said.contains(expected), "{expected}: {said}");
    }
    let (notes, _folder) = notes(folder, &document(FIELDS, "")).await;
    assert_eq!(notes.as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn what_would_lose_or_invent_data_is_refused_with_every_change() {
    let folder = written().await;
    let fields = "- `rank` (string) | its rank | required\n- `state` (enum(new)) | how it is | required\n\
        - `words` (string) | what it says | optional, max 5 chars\n- `size` (integer) | its size | required\n\
        - `mark` (string) | a mark | default \"x\"";
    let said = refused(&folder, &document(fields, "")).await;
    for line in [
        "`note.text` is gone from the document",
        "`note.rank` was `integer` and is `string` now",
        "`note.state` was `enum(new, old)` and is `enum(new)` now",
        "`note.size` is new and required, and rows that exist have no value for it",
        "`note.mark` is new (that alone would be added)",
        "`note.words` is new (that alone would be added)",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    let hidden = FIELDS.replace("optional, max 5 chars", "optional, secret");
    let said = refused(&folder, &document(&hidden, "")).await;
    assert!(said.contains("`note.text` was kept as sent and is kept as digests now"), "{said}");
    let (notes, _folder) = notes(folder, &document(FIELDS, "")).await;
    assert_eq!(notes[1]["rank"], 2);
}
