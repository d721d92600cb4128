//! `POST /rows`: rows that a flow puts in place, all or none, by the engine's own insert with all rules.

use super::probes::entity;
use crate::input::{Faults, decode};
use crate::json::{self, Json, Writer};
use crate::problems::{INVALID, MALFORMED, Problem};
use crate::respond::Reply;
use crate::shared::Shared;
use formwork_engine::{Body, Call, What};
use formwork_language::program::{EntityId, EntitySchema, Program, Statement};
use formwork_language::value::Value;
use http::StatusCode;

/// Sees to it that a program can make a row of every entity, whether or not its operations do.
pub(crate) fn prepare(program: &mut Program) {
    for entity in 0..EntityId::try_from(program.schema.entities.len()).unwrap_or(EntityId::MAX) {
        let inserts =
            |one: &Statement| matches!(one, Statement::Insert { entity: other } if *other == entity);
        if !program.statements.iter().any(inserts) {
            program.statements.push(Statement::Insert { entity });
        }
    }
}

/// Puts rows in place and answers with them.
pub(super) async fn put(shared: &Shared, body: &[u8]) -> Result<Reply, Problem> {
    let json = json::read(body).map_err(|malformed| Problem::with(&MALFORMED, malformed.0))?;
    let (name, rows) = question(&json).ok_or_else(|| {
        Problem::with(&INVALID, "Send `{\"entity\": \"link\", \"rows\": [{\"slug\": \"a\"}]}`.")
    })?;
    let id = entity(shared, name)?;
    let Some(schema) = shared.program.schema.entities.get(usize::from(id)) else {
        return Err(Problem::internal("an entity that was found is gone"));
    };
    let mut faults = Faults::new();
    let mut given = Vec::with_capacity(rows.len());
    for (at, row) in rows.iter().enumerate() {
        given.push(faults.inside(&at.to_string(), |faults| values(schema, row, faults)));
    }
    if !faults.list.is_empty() {
        return Err(Problem::invalid(faults.list));
    }
    let call = Call {
        what: What::Rows(id),
        slots: vec![Value::List(given.into())],
        now: shared.clock.now(),
        seed: shared.seeds.next(),
        precondition: None,
        part: None,
    };
    let ended = shared.store.run(call).await;
    let rows = ended.rows;
    let answer = ended.result.map_err(|refusal| Problem::refused(refusal, &rows, &shared.program.schema))?;
    let mut writer = Writer::new(&rows, None, &shared.every);
    writer.out.extend_from_slice(b"{\"rows\":");
    match &answer.body {
        Body::Value(value) => writer.answer(value),
        _ => writer.out.extend_from_slice(b"[]"),
    }
    writer.out.push(b'}');
    Ok(Reply::json(StatusCode::CREATED, writer.out))
}

fn question<'j>(json: &'j Json<'_>) -> Option<(&'j str, &'j [Json<'j>])> {
    let Json::Object(members, _) = json else { return None };
    let (mut entity, mut rows) = (None, None);
    for (name, value) in members {
        match (&**name, value) {
            ("entity", Json::Text(text)) => entity = Some(&**text),
            ("rows", Json::Array(items, _)) => rows = Some(items.as_slice()),
            _ => return None,
        }
    }
    entity.zip(rows)
}

/// A row's values in the order of the fields; what is not given is absent.
fn values(schema: &EntitySchema, row: &Json<'_>, faults: &mut Faults) -> Value {
    let mut values = vec![Value::Absent; schema.fields.len()];
    let Json::Object(members, _) = row else {
        faults.add("type", "Must be an object.");
        return Value::List(values.into());
    };
    for (name, value) in members {
        faults.inside(name, |faults| {
            let Some(at) = schema.fields.iter().position(|field| *field.name == **name) else {
                return faults.add("unknown", format!("`{}` has no such field.", schema.name));
            };
            values[at] = match value {
                Json::Null => Value::Null,
                value => decode(&schema.fields[at].ty, value, faults).unwrap_or(Value::Null),
            };
        });
    }
    Value::List(values.into())
}
