//! Holds the conditions of grants: a row that meets one is put in place and asked for, and a row that does not.
//!
//! The first must be served and the second refused as a row that is not there, or be absent from a list. What cannot be
//! provoked so is told with the reason, and never counted as held. Source: authorization reference, *The matrix*.

use super::demands::{self, Demand, Place, Wanted, bears};
use super::samples::Samples;
use super::{Held, named};
use crate::ProveError;
use crate::client::{Answer, Request, percent_encode};
use formwork_check::Analysis;
use formwork_language::program::{
    Access, BodyShape, Calling, Cell, EntityId, EntitySchema, InputField, Instruction, Operation, PathPart,
    Program,
};
use formwork_model::facts::Location;
use formwork_model::names::same_name;
use formwork_model::values::Type;
use serde_json::{Map, Value as Json, json};

/// How far rows that others refer to are followed.
const DEEPEST: u8 = 6;

/// One condition for one caller, and how it came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConditionReport {
    /// The operation.
    pub operation: String,
    /// Who called.
    pub caller: String,
    /// The condition as written.
    pub condition: String,
    /// How it came out.
    pub verdict: Provoked,
}

/// How a condition came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Provoked {
    /// What meets it was served, and what does not was refused.
    Held,
    /// What does not meet it was served: the status.
    Broken(u16),
    /// Not shown, and why.
    Open(String),
}

/// Why a condition was not provoked.
struct Unshown(String);

impl From<&str> for Unshown {
    fn from(why: &str) -> Self {
        Self(why.to_owned())
    }
}

type Shown<T> = Result<T, Unshown>;

/// What an operation does with the row of a condition.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meets {
    /// It finds one.
    Finds,
    /// It makes one of its input.
    Makes,
    /// It answers those that there are.
    Lists,
    /// The condition is about no row.
    Nothing,
}

/// Provokes every condition of a cell.
pub(super) async fn conditions(
    held: &mut Held,
    analysis: &Analysis,
    samples: &mut Samples,
    operation: &Operation,
    cell: &Cell,
) -> Result<Vec<ConditionReport>, ProveError> {
    let mut reports = Vec::new();
    if cell.access != Access::AllowedWhen {
        return Ok(reports);
    }
    for condition in &cell.conditions {
        let mut provoking = Provoking { held, program: &analysis.compiled.program, samples, operation, cell };
        let verdict = match provoking.condition(condition).await {
            Ok(verdict) => verdict,
            Err(Unshown(why)) => Provoked::Open(why),
        };
        reports.push(ConditionReport {
            operation: operation.name.to_string(),
            caller: named(&cell.calling),
            condition: condition.to_string(),
            verdict,
        });
    }
    Ok(reports)
}

struct Provoking<'p> {
    held: &'p mut Held,
    program: &'p Program,
    samples: &'p mut Samples,
    operation: &'p Operation,
    cell: &'p Cell,
}

/// Who calls, and what a condition wants of a row or input for it.
struct Case<'d> {
    demands: &'d [Demand],
    /// The values of the demands, in their order.
    values: Vec<Json>,
}

impl Provoking<'_> {
    async fn condition(&mut self, condition: &str) -> Shown<Provoked> {
        let demands = demands::demands(condition).ok_or("it is more than equalities of one row")?;
        let entity = match demands::row_of(&demands) {
            Some(row) => Some(self.entity(row).ok_or("it names a variable of the steps")?),
            None => None,
        };
        let meets = self.meets(entity)?;
        let (id, key, claims) = self.caller(&demands).await?;
        let met = self.values(entity, &demands, (&id, &claims), false)?;
        let unmet = self.values(entity, &demands, (&id, &claims), true)?;
        let case = |values: Vec<Json>| Case { demands: &demands, values };
        let (met, unmet) = (case(met), case(unmet));
        if meets == Meets::Lists {
            return self.listed(entity, key.as_deref(), &met, &unmet).await;
        }
        // What does not meet it comes first, so that there is nothing else to be found.
        let (_, refused) = self.asked(entity, meets, key.as_deref(), &unmet).await?;
        let (_, served) = self.asked(entity, meets, key.as_deref(), &met).await?;
        match (served.status, refused.status) {
            (200..400, 403 | 404) => Ok(Provoked::Held),
            (200..400, status @ 200..400) => Ok(Provoked::Broken(status)),
            (200..400, status) => Err(Unshown(format!("what does not meet it is answered {status}"))),
            (status, _) => Err(Unshown(format!("what meets it is answered {status}{}", code(&served)))),
        }
    }

    async fn listed(
        &mut self,
        entity: Option<EntityId>,
        key: Option<&str>,
        met: &Case<'_>,
        unmet: &Case<'_>,
    ) -> Shown<Provoked> {
        let (hidden, _) = self.asked(entity, Meets::Lists, key, unmet).await?;
        let (shown, answer) = self.asked(entity, Meets::Lists, key, met).await?;
        let body = answer.json().unwrap_or_default();
        let rows = body.as_array().or_else(|| body.get("items").and_then(Json::as_array));
        let rows = rows.ok_or_else(|| Unshown(format!("the list is answered {}", answer.status)))?;
        let schema = entity.and_then(|id| self.program.schema.entities.get(usize::from(id)));
        let keys = schema.ok_or("it is about no row")?.primary_key.clone();
        let name =
            |at: &u16| schema.and_then(|schema| schema.fields.get(usize::from(*at))).map(|it| &*it.name);
        let names: Vec<&str> = keys.iter().filter_map(name).collect();
        let is_there =
            |row: &Json| rows.iter().any(|other| names.iter().all(|name| other.get(name) == row.get(name)));
        // Where this is the only condition, no row of the list may break it.
        let breaks = |row: &Json| {
            met.demands.iter().zip(&met.values).any(|(demand, value)| match &demand.place {
                Place::Field(_, field) => row.get(&**field).is_some_and(|own| own != value),
                Place::Input(_) => false,
            })
        };
        let is_strange = self.cell.conditions.len() == 1 && rows.iter().any(breaks);
        match (is_there(&shown), is_there(&hidden) || is_strange) {
            (true, false) => Ok(Provoked::Held),
            (_, true) => Ok(Provoked::Broken(answer.status)),
            (false, _) => Err("the list does not answer the row that meets it".into()),
        }
    }

    fn entity(&self, row: &str) -> Option<EntityId> {
        let all = || (0..).zip(&self.program.schema.entities);
        let exact = all().find(|(_, entity)| *entity.name == *row);
        exact.or_else(|| all().find(|(_, entity)| same_name(&entity.name, row))).map(|(id, _)| id)
    }

    fn meets(&self, entity: Option<EntityId>) -> Shown<Meets> {
        let Some(entity) = entity else { return Ok(Meets::Nothing) };
        let code = &self.operation.code.instructions;
        let makes = |it: &Instruction| matches!(it, Instruction::Insert { entity: of, .. } if *of == entity);
        let finds = |it: &Instruction| matches!(it, Instruction::ReadRow { .. });
        let output = &self.operation.output;
        if matches!(output.body, BodyShape::Many | BodyShape::Page) && output.entity == Some(entity) {
            return Ok(Meets::Lists);
        }
        if code.iter().any(finds) && self.identifies(entity) {
            return Ok(Meets::Finds);
        }
        if code.iter().any(makes) {
            return Ok(Meets::Makes);
        }
        Err("no input says which row is meant".into())
    }

    /// Whether the inputs bear a key of the table.
    fn identifies(&self, entity: EntityId) -> bool {
        let Some(schema) = self.program.schema.entities.get(usize::from(entity)) else { return false };
        let borne = |field: &u16| {
            let field = schema.fields.get(usize::from(*field));
            let inputs = || self.operation.input.fields.iter();
            field.is_some_and(|field| inputs().any(|input| carries(input, schema, &field.name)))
        };
        let keys = schema.unique.iter().map(|key| &key.fields).chain([&schema.primary_key]);
        keys.into_iter().any(|fields| !fields.is_empty() && fields.iter().all(borne))
    }

    /// A caller that nobody else is: no row that was there before is its own.
    async fn caller(&mut self, demands: &[Demand]) -> Shown<(String, Option<String>, Json)> {
        let id = self.samples.uuid();
        let mut claims = Map::new();
        for demand in demands {
            if let Wanted::Claim(name) = &demand.value {
                claims.insert(name.to_string(), json!(self.samples.uuid()));
            }
        }
        let claims = Json::Object(claims);
        let role = match &self.cell.calling {
            Calling::Anonymous => return Ok((id, None, claims)),
            Calling::NoRole => self.held.unnamed.clone(),
            Calling::Role(role) => role.to_string(),
        };
        let made = self.held.admin.create_key(&role, &id, &self.cell.scopes, claims.clone()).await;
        Ok((id, Some(made.map_err(Unshown)?), claims))
    }

    /// The value that each demand names; of the first one another where it shall not be met.
    fn values(
        &mut self,
        entity: Option<EntityId>,
        demands: &[Demand],
        (id, claims): (&str, &Json),
        is_broken: bool,
    ) -> Shown<Vec<Json>> {
        let mut values = Vec::new();
        for (at, demand) in demands.iter().enumerate() {
            let other = is_broken && at == 0;
            values.push(match &demand.value {
                Wanted::Caller | Wanted::Claim(_) if other => json!(self.samples.uuid()),
                Wanted::Caller if self.cell.calling == Calling::Anonymous => {
                    return Err("a caller without a key has no id".into());
                }
                Wanted::Claim(_) if self.cell.calling == Calling::Anonymous => {
                    return Err("a caller without a key has no claims".into());
                }
                Wanted::Caller => json!(id),
                Wanted::Claim(name) => claims[&**name].clone(),
                Wanted::Boolean(boolean) => json!(*boolean != other),
                Wanted::Text(text) if !other => json!(&**text),
                Wanted::Text(text) => self.another(entity, &demand.place, text)?,
            });
        }
        Ok(values)
    }

    /// A value of a place that is not this one.
    fn another(&mut self, entity: Option<EntityId>, place: &Place, text: &str) -> Shown<Json> {
        let schema = entity.and_then(|id| self.program.schema.entities.get(usize::from(id)));
        let found = match place {
            Place::Field(_, name) => {
                let field = schema.and_then(|it| it.fields.iter().find(|field| field.name == *name));
                field.map(|field| (&field.ty, &field.rules))
            }
            Place::Input(name) => {
                let input = self.operation.input.fields.iter().find(|input| input.name == *name);
                input.map(|input| (&input.ty, &input.rules))
            }
        };
        let (ty, rules) = found.ok_or("it names what is not there")?;
        let of_type = match ty {
            Type::Enum(texts) => Some(texts),
            _ => rules.one_of.as_ref(),
        };
        match of_type {
            Some(texts) => texts.iter().find(|other| ***other != *text).map(|other| json!(&**other)),
            None => self.samples.value(ty, rules),
        }
        .ok_or_else(|| "no other value is known".into())
    }

    /// Puts a row in place, unless the operation makes it, and calls the operation; gives the row and the answer.
    async fn asked(
        &mut self,
        entity: Option<EntityId>,
        meets: Meets,
        key: Option<&str>,
        case: &Case<'_>,
    ) -> Shown<(Json, Answer)> {
        let mut given = Map::new();
        for (demand, value) in case.demands.iter().zip(&case.values) {
            if let Place::Field(_, field) = &demand.place {
                given.insert(field.to_string(), value.clone());
            }
        }
        let row = match (entity, meets) {
            (Some(entity), Meets::Finds | Meets::Lists) => self.placed(entity, given, 0).await?,
            (Some(entity), _) => {
                self.refer(entity, &mut given, 0).await?;
                Json::Object(given)
            }
            (None, _) => Json::Object(given),
        };
        let request = self.request(entity, &row, key, case).await?;
        Ok((row, self.held.send(&request).await.map_err(Unshown)?))
    }

    /// A row with these values and whatever else it must have.
    async fn placed(&mut self, entity: EntityId, given: Map<String, Json>, depth: u8) -> Shown<Json> {
        if depth > DEEPEST {
            return Err("its rows refer to each other without an end".into());
        }
        let program = self.program;
        let schema = program.schema.entities.get(usize::from(entity)).ok_or("there is no such table")?;
        let mut row = given;
        Box::pin(self.refer(entity, &mut row, depth)).await?;
        for field in &schema.fields {
            if row.contains_key(&*field.name) || field.may_be_left_out() {
                continue;
            }
            let value = self.samples.value(&field.ty, &field.rules);
            let value = value.ok_or_else(|| Unshown(unknown(schema, &field.name)))?;
            row.insert(field.name.to_string(), value);
        }
        let rows = self.held.admin.put(&schema.name, vec![Json::Object(row)]).await.map_err(Unshown)?;
        rows.into_iter().next().ok_or_else(|| "no row was put in place".into())
    }

    /// Puts the rows in place that a row refers to: those that must be there, and those that it names.
    async fn refer(&mut self, entity: EntityId, row: &mut Map<String, Json>, depth: u8) -> Shown<()> {
        let program = self.program;
        let Some(schema) = program.schema.entities.get(usize::from(entity)) else { return Ok(()) };
        for field in &schema.fields {
            let Some(reference) = field.references else { continue };
            let named = row.get(&*field.name).cloned();
            if named.is_none() && field.may_be_left_out() {
                continue;
            }
            let other = program.schema.entities.get(usize::from(reference.entity));
            let at = other.and_then(|other| other.fields.get(usize::from(reference.field)));
            let name = at.map(|field| field.name.to_string()).ok_or("it refers to nothing")?;
            let given = named.map(|value| (name.clone(), value)).into_iter().collect();
            let parent = Box::pin(self.placed(reference.entity, given, depth + 1)).await?;
            row.insert(field.name.to_string(), parent[&name].clone());
        }
        Ok(())
    }

    async fn request(
        &mut self,
        entity: Option<EntityId>,
        row: &Json,
        key: Option<&str>,
        case: &Case<'_>,
    ) -> Shown<Request> {
        let (program, operation) = (self.program, self.operation);
        let schema = entity.and_then(|id| program.schema.entities.get(usize::from(id)));
        let mut headers: Vec<(String, String)> =
            key.map(|key| (self.held.header.clone(), key.to_owned())).into_iter().collect();
        if &*operation.method != "GET" {
            headers.push(("idempotency-key".to_owned(), self.samples.uuid()));
        }
        let (mut path, mut query, mut body) = (Map::new(), Vec::new(), Map::new());
        for input in &operation.input.fields {
            let of_row = schema.and_then(|schema| {
                let field = schema.fields.iter().find(|it| carries(input, schema, &it.name))?;
                let value = row.get(&*field.name).filter(|value| !value.is_null()).cloned()?;
                let is_listed = matches!(input.ty, Type::List(_)) && !value.is_array();
                Some(if is_listed { json!([value]) } else { value })
            });
            let demanded = case.demands.iter().zip(&case.values).find_map(|(demand, value)| {
                (demand.place == Place::Input(input.name.clone())).then(|| value.clone())
            });
            let value = match demanded.or(of_row) {
                Some(value) => value,
                None if input.optional || input.default.is_some() => continue,
                None => match self.other_row(&input.name).await? {
                    Some(value) => value,
                    None => self.samples.value(&input.ty, &input.rules).ok_or_else(|| {
                        Unshown(format!("no value is known that fits the input `{}`", input.name))
                    })?,
                },
            };
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            match &input.location {
                Location::Path => {
                    path.insert(input.name.to_string(), Json::String(text));
                }
                Location::Query => {
                    query.push(format!("{}={}", percent_encode(&input.name), percent_encode(&text)));
                }
                Location::Header(name) => headers.push((name.to_lowercase(), text)),
                Location::Body => {
                    body.insert(input.name.to_string(), value);
                }
            }
        }
        let mut target = String::new();
        for part in &operation.path {
            target.push('/');
            match part {
                PathPart::Fixed(text) => target.push_str(&percent_encode(text)),
                PathPart::Parameter(name) => {
                    target.push_str(&percent_encode(path.get(&**name).and_then(Json::as_str).unwrap_or("1")));
                }
            }
        }
        if target.is_empty() {
            target.push('/');
        }
        if !query.is_empty() {
            target.push_str(&format!("?{}", query.join("&")));
        }
        let has_body = !matches!(&*operation.method, "GET" | "HEAD" | "DELETE") || !body.is_empty();
        let body = has_body.then_some(Json::Object(body));
        Ok(Request { method: operation.method.to_string(), target, headers, body })
    }

    /// The key of a new row of the table that an input speaks of, as `team_id` does of `team`.
    async fn other_row(&mut self, input: &str) -> Shown<Option<Json>> {
        let program = self.program;
        for (id, schema) in (0..).zip(&program.schema.entities) {
            let [key] = schema.primary_key.as_slice() else { continue };
            let Some(field) = schema.fields.get(usize::from(*key)) else { continue };
            if input != &*field.name && bears(input, &schema.name, &field.name) {
                let row = self.placed(id, Map::new(), 0).await?;
                return Ok(Some(row[&*field.name].clone()));
            }
        }
        Ok(None)
    }
}

/// Whether an input bears a field of the row, or a list of its values (`ids`).
fn carries(input: &InputField, schema: &EntitySchema, field: &str) -> bool {
    let one = input.name.strip_suffix('s').filter(|_| matches!(input.ty, Type::List(_)));
    bears(&input.name, &schema.name, field) || one.is_some_and(|one| bears(one, &schema.name, field))
}

fn unknown(schema: &EntitySchema, field: &str) -> String {
    format!("no value is known that fits `{}.{field}`", schema.name)
}

fn code(answer: &Answer) -> String {
    let code = answer.json().and_then(|body| Some(body.get("code")?.as_str()?.to_owned()));
    code.map(|code| format!(" {code}")).unwrap_or_default()
}
