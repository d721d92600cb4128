//! What flows look at: `POST /probe/count` and `POST /probe/sum` over the rows that fit a condition written as in the
//! document, and `GET /probe/metric`.

use crate::json::{self, Json};
use crate::problems::{INVALID, MALFORMED, NOT_FOUND, Problem};
use crate::respond::Reply;
use crate::serve::unavailable;
use crate::shared::Shared;
use formwork_engine::StoreError;
use formwork_language::eval::{Host, Scope, evaluate};
use formwork_language::expression::{Bare, Equals, Kind, Names, parse};
use formwork_language::program::{
    Aggregate, CACHE_HIT_RATIO, Condition, EntityId, FieldId, STANDING_FAILURES, Statement,
};
use formwork_language::sql;
use formwork_language::value::{Value, json as plain_json};
use http::StatusCode;

/// What the probe was asked.
struct Question {
    entity: String,
    field: Option<String>,
    condition: Option<String>,
    variables: Vec<(String, Value)>,
}

/// Counts the rows that fit.
pub(super) fn count(shared: &Shared, body: &[u8]) -> Result<Reply, Problem> {
    let question = read(body)?;
    let (entity, condition, parameters) = rows(shared, &question)?;
    let count = shared.store.count(entity, condition.as_ref(), &parameters).map_err(refused)?;
    Ok(Reply::json(StatusCode::OK, format!("{{\"count\":{count}}}").into_bytes()))
}

/// Sums a field over the rows that fit.
pub(super) fn sum(shared: &Shared, body: &[u8]) -> Result<Reply, Problem> {
    let question = read(body)?;
    let (entity, filter, parameters) = rows(shared, &question)?;
    let wanted = question.field.as_deref().unwrap_or_default();
    let fields = shared.program.schema.entities.get(usize::from(entity)).map(|entity| &entity.fields);
    let field = fields.and_then(|fields| fields.iter().position(|field| *field.name == *wanted));
    let field = field
        .and_then(|field| FieldId::try_from(field).ok())
        .ok_or_else(|| Problem::with(&INVALID, format!("`{}` has no field `{wanted}`.", question.entity)))?;
    let statement = Statement::Aggregate { function: Aggregate::Sum, entity, field, filter };
    let sum = shared.store.value(&statement, &parameters).map_err(refused)?;
    Ok(Reply::json(StatusCode::OK, format!("{{\"sum\":{}}}", plain_json::to_json(&sum)).into_bytes()))
}

/// The value of a metric that steps fill, or of `standing.failures`.
pub(super) fn metric(shared: &Shared, name: &str) -> Result<Reply, Problem> {
    let at = shared.program.metrics.iter().position(|metric| *metric.name == *name);
    let own = || (name == STANDING_FAILURES).then(|| shared.metrics.standing_failures() as f64);
    // Before the first request nothing has been missed, and nothing hit.
    let ratio = || (name == CACHE_HIT_RATIO).then(|| shared.caches.hit_ratio().unwrap_or(0.0));
    let value = at.and_then(|at| shared.metrics.value(at)).or_else(own).or_else(ratio);
    let value =
        value.ok_or_else(|| Problem::with(&NOT_FOUND, format!("No step fills a metric `{name}`.")))?;
    Ok(Reply::json(StatusCode::OK, format!("{{\"value\":{value}}}").into_bytes()))
}

fn refused(error: StoreError) -> Problem {
    match error {
        StoreError::Arithmetic => Problem::with(&INVALID, "It computes too large a number."),
        other => unavailable(&format!("{other:?}")),
    }
}

/// The entity, and the condition with the values of its parameters.
fn rows(shared: &Shared, question: &Question) -> Result<(EntityId, Option<Condition>, Vec<Value>), Problem> {
    let entity = entity(shared, &question.entity)?;
    Ok(match &question.condition {
        None => (entity, None, Vec::new()),
        Some(text) => {
            let (condition, parameters) = compile(shared, entity, text, &question.variables)?;
            (entity, Some(condition), parameters)
        }
    })
}

/// The entity of this name.
pub(super) fn entity(shared: &Shared, name: &str) -> Result<EntityId, Problem> {
    let entities = &shared.program.schema.entities;
    let entity = entities.iter().position(|entity| *entity.name == *name);
    let entity = entity.and_then(|entity| EntityId::try_from(entity).ok());
    entity.ok_or_else(|| Problem::with(&INVALID, format!("There is no entity `{name}`.")))
}

fn read(body: &[u8]) -> Result<Question, Problem> {
    let wrong = || {
        let detail =
            "Send `{\"entity\": \"link\", \"where\": \"slug == x\", \"variables\": {\"x\": \"a\"}}`.";
        Problem::with(&INVALID, detail)
    };
    let json = json::read(body).map_err(|malformed| Problem::with(&MALFORMED, malformed.0))?;
    let Json::Object(members, _) = json else { return Err(wrong()) };
    let mut question =
        Question { entity: String::new(), field: None, condition: None, variables: Vec::new() };
    for (name, value) in &members {
        match (&**name, value) {
            ("entity", Json::Text(entity)) => question.entity = entity.to_string(),
            ("field", Json::Text(field)) => question.field = Some(field.to_string()),
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
            .map_err(|error| wrong(error.to_string()))
    });
    Ok((lowered.item, values.collect::<Result<_, _>>()?))
}

/// The type of a JSON value. A text is whatever the field wants that it is compared with: a uuid, an instant, a decimal.
fn kind(value: &Value) -> Kind {
    match value {
        Value::Boolean(_) => Kind::Boolean,
        Value::Integer(_) => Kind::Integer,
        Value::Double(_) => Kind::Double,
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
