//! Every example of the author's reference that is carried out, carried out with its rows in PostgreSQL as well: the forms of
//! steps and of flows mean the same on both databases.

use formwork_documents::{judge, systems};
use formwork_temporary_postgres::server as database;

/// The pages whose examples are flows over forms of steps, rules and parts.
const PAGES: [(&str, &str); 3] = [
    ("reference/language.md", include_str!("../docs/reference/language.md")),
    ("reference/flows.md", include_str!("../docs/reference/flows.md")),
    ("reference/rules.md", include_str!("../docs/reference/rules.md")),
];

#[test]
fn every_example_is_true_on_postgresql() {
    let rows = database().make_database();
    systems::keep_rows_in(database().url_of("postgres", &rows));
    let (mut faults, mut held) = (Vec::new(), 0);
    for (path, text) in PAGES {
        let judged = judge::page(path, text);
        held += judged.held;
        faults.extend(judged.faults);
    }
    assert!(faults.is_empty(), "{} of {held} examples are not true:\n{}", faults.len(), faults.join("\n"));
    assert!(held > 150, "only {held} examples were read");
    // They were there: each system has left its schema.
    let schemas = "SELECT count(*) FROM information_schema.schemata WHERE schema_name LIKE 'page\\_%'";
    database().carry_out(&rows, &format!("DO $$ BEGIN ASSERT ({schemas}) > 50; END $$"));
}
