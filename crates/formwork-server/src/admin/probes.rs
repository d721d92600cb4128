//! `POST /probe/count`: how many rows fit a condition written as in the document, for flows.

use crate::json::{self, Json};
use crate::problems::{INVALID, MALFORMED, Problem};
use crate::respond::Reply;
use crate::serve::unavailable;
use crate::shared::Shared;
use formwork_engine::StoreError;
use formwork_language::eval::{Host, Scope, evaluate};
use formwork_language::expression::{Bare, Equals, Kind, Names, parse};
use formwork_language::program::{Condition, EntityId};
use formwork_language::sql;
use formwork_language::value::Value;
use http::StatusCode;

/// What the probe was asked.
struct Question {
    entity: String,
    condition: Option<String>,
    variables: Vec<(String, Value)>,
}

/// Counts the rows that fit.
pub(super) fn count(shared: &Shared, body: &[u8]) -> Result<Reply, Problem> {
    let question = read(body)?;
    let schema = &shared.program.schema;
    let entity = schema.entities.iter().position(|entity| *entity.name == *question.entity);
    let entity = entity.and_then(|entity| EntityId::try_from(entity).ok());
    let entity = entity
        .ok_or_else(|| Problem::with(&INVALID, format!("There is no entity `{}`.", question.entity)))?;
    let (condition, parameters) = match &question.condition {
        None => (None, Vec::new()),
        Some(text) => {
            let (condition, parameters) = compile(shared, entity, text, &question.variables)?;
            (Some(condition), parameters)
        }
    };
    let count = shared.store.count(entity, condition.as_ref(), &parameters).map_err(|error| match error {
        StoreError::Arithmetic => Problem::with(&INVALID, "The condition computes too large a number."),
        other => unavailable(&format!("{other:?}")),
    })?;
    Ok(Reply::json(StatusCode::OK, format!("{{\"count\":{count}}}").into_bytes()))
}

fn read(body: &[u8]) -> Result<Question, Problem> {
    let wrong = || {
        let detail =
            "Send `{\"entity\": \"link\", \"where\": \"slug == x\", \"variables\": {\"x\": \"a\"}}`.";
        Problem::with(&INVALID, detail)
    };
    let json = json::read(body).map_err(|malformed| Problem::with(&MALFORMED, malformed.0))?;
    let Json::Object(members, _) = json else { return Err(wrong()) };
    let mut question = Question { entity: String::new(), condition: None, variables: Vec::new() };
    for (name, value) in &members {
        match (&**name, value) {
            ("entity", Json::Text(entity)) => question.entity = entity.to_string(),
            ("where", Json::Text(text)) => question.condition = Some(text.to_string()),
            ("where" | "variables", Json::Null) => {}
            ("variables", Json::Object(variables, _)) => {
                let bound =
                    variables.iter().map(|(name, value)| (name.to_string(), crate::auth::claim(value)));
                question.variables.extend(bound);
            }
            _ => return Err(wrong()),
        }
    }
    Ok(question)
}

/// A condition over the entity's fields and the variables, and the values of its parameters.
fn compile(
    shared: &Shared,
    entity: EntityId,
    text: &str,
    variables: &[(String, Value)],
) -> Result<(Condition, Vec<Value>), Problem> {
    let wrong =
        |detail: String| Problem::with(&INVALID, format!("The condition does not compile: {detail}."));
    let ast = parse(text, Equals::Compares, &|offset| offset).map_err(|syntax| wrong(syntax.problem))?;
    let mut names = Names::new(&shared.program.schema);
    names.bare = Bare::Searched(entity);
    for (slot, (name, value)) in variables.iter().enumerate() {
        let slot = u16::try_from(slot).map_err(|_| wrong("too many variables".into()))?;
        names.bind(name, slot, kind(value).optional());
    }
    let mut notes = Vec::new();
    let lowered = sql::condition(&ast, &names, 0, &mut notes).ok_or_else(|| {
        wrong(notes.first().map_or("it is not one for SQL".into(), |note| format!("{:?}", note.kind)))
    })?;
    let slots: Vec<Value> = variables.iter().map(|(_, value)| value.clone()).collect();
    let mut host = ProbeHost { now: shared.clock.now() };
    let values = lowered.parameters.iter().map(|expression| {
        evaluate(expression, &mut Scope { slots: &slots, rows: &[], host: &mut host })
            .map_err(|error| wrong(format!("{error:?}")))
    });
    Ok((lowered.item, values.collect::<Result<_, _>>()?))
}

/// The type of a JSON value; texts stay texts, so that they are parsed where a field wants more.
fn kind(value: &Value) -> Kind {
    match value {
        Value::Boolean(_) => Kind::Boolean,
        Value::Integer(_) => Kind::Integer,
        Value::Double(_) => Kind::Double,
        Value::Text(_) => Kind::Text,
        _ => Kind::Dynamic,
    }
}

/// What a condition of a test may ask for: the time. It makes no values, so randomness stays empty.
struct ProbeHost {
    now: i64,
}

impl Host for ProbeHost {
    fn now(&self) -> i64 {
        self.now
    }

    fn random(&mut self, buffer: &mut [u8]) {
        buffer.fill(0);
    }

    fn uuid(&mut self) -> [u8; 16] {
        [0; 16]
    }
}
