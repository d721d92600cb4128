//! The steps as they are written: which input fills which field, which key finds the row, what is answered.

use super::prose::{Said, Shape, is_aged};
use super::verbs::{Deed, Verb};
use super::{Facts, Plan, Reason, field_of, is_identifier, letters, named_code};
use crate::program::{EntityId, EntitySchema, FieldSchema, InputField, PathPart};
use formwork_model::facts::Location;
use formwork_model::values::Type;

/// How many rows a page has.
const PER_PAGE: u32 = 50;
/// The most rows that a caller may ask a list for.
const MOST_ROWS: i128 = 10_000;
/// Names that are no variables.
const RESERVED: [&str; 9] =
    ["input", "caller", "request", "response", "event", "true", "false", "null", "in"];

/// Writes the steps.
pub(super) fn steps(
    facts: &Facts<'_>,
    entity: EntityId,
    verb: &Verb,
    shape: &Shape,
    said: &Said,
) -> Result<Plan, Reason> {
    let table = facts.world.table(entity);
    if let Some(field) = facts.input.fields.iter().find(|field| !is_identifier(&field.name)) {
        return Err(format!("input `{}` is no name of the language", field.name));
    }
    let writer = Writer { facts, table, said, shape: *shape };
    let (steps, what) = match verb.deed {
        Deed::Create => (writer.create()?, "creates a"),
        Deed::Read => (writer.read(verb)?, "reads the"),
        Deed::List => (writer.list()?, "lists the"),
        Deed::Update => (writer.update(verb)?, "updates the"),
        Deed::Delete => (writer.delete(verb)?, "deletes the"),
    };
    let page = verb.deed == Deed::List && *shape == Shape::Page;
    Ok(Plan { entity, steps, page, summary: format!("{what} `{}`", table.name) })
}

struct Writer<'f> {
    facts: &'f Facts<'f>,
    table: &'f EntitySchema,
    said: &'f Said,
    shape: Shape,
}

impl Writer<'_> {
    fn create(&self) -> Result<Vec<String>, Reason> {
        let mut with = Vec::new();
        let mut filled: Vec<usize> = Vec::new();
        for input in self.inputs() {
            let exact = self.table.fields.iter().position(|field| field.name == input.name);
            let field = match exact {
                Some(field) => field,
                None => {
                    let field = self.parent(input).ok_or_else(|| self.no_field(input))?;
                    with.push(format!("{} = input.{}", self.table.fields[field].name, input.name));
                    field
                }
            };
            let target = &self.table.fields[field];
            if target.generated || target.on_create || target.on_update {
                return Err(format!("input `{}` is set by the system", input.name));
            }
            let needed = !target.optional && target.default.is_none();
            if needed && input.optional && input.default.is_none() {
                return Err(format!("`{}` is required and input may leave it out", target.name));
            }
            filled.push(field);
        }
        for (at, field) in self.table.fields.iter().enumerate() {
            if filled.contains(&at) || fills_itself(field) {
                continue;
            }
            let key = self.table.primary_key.iter().any(|key| usize::from(*key) == at);
            let value = match &field.ty {
                Type::Uuid if key && field.references.is_none() => "uuid()",
                Type::Timestamp if is_age(&field.name) => "now()",
                _ => {
                    return Err(format!("`{}` needs `{}`, which nothing gives", self.table.name, field.name));
                }
            };
            with.push(format!("{} = {value}", field.name));
        }
        let code = named_code(self.said, self.facts.operation, 409);
        let tail = code.map(|code| format!(", or fails with `409 {code}`")).unwrap_or_default();
        let from = if filled.len() > with_inputs(&with) { " from the input" } else { "" };
        let step = format!("Creates a `{}`{from}{}{}{tail}.", self.table.name, assigned(&with), self.named());
        Ok(vec![step, self.answer(201)])
    }

    fn read(&self, verb: &Verb) -> Result<Vec<String>, Reason> {
        let found = self.finds(verb, false)?;
        Ok(vec![found, self.answer(200)])
    }

    fn update(&self, verb: &Verb) -> Result<Vec<String>, Reason> {
        let found = self.finds(verb, true)?;
        let mut changes = 0;
        for input in self.inputs().filter(|input| !self.is_key(verb, input)) {
            let field = self.table.fields.iter().find(|field| field.name == input.name);
            let field = field.ok_or_else(|| self.no_field(input))?;
            if field.immutable || field.generated || field.on_create || field.on_update {
                return Err(format!("`{}` of `{}` never changes", field.name, self.table.name));
            }
            changes += 1;
        }
        if changes == 0 {
            return Err("no input says what is changed".to_owned());
        }
        let touched: Vec<String> = self
            .table
            .fields
            .iter()
            .filter(|field| is_change(&field.name) && field.ty == Type::Timestamp && !field.on_update)
            .filter(|field| !field.immutable && !field.generated)
            .filter(|field| self.inputs().all(|input| input.name != field.name))
            .map(|field| format!("{} = now()", field.name))
            .collect();
        let code = named_code(self.said, self.facts.operation, 409);
        let tail = code.map(|code| format!(", or fails with `409 {code}`")).unwrap_or_default();
        let step = format!("Updates the `{}` from the input{}{tail}.", self.variable(), assigned(&touched));
        Ok(vec![found, step, self.answer(200)])
    }

    fn delete(&self, verb: &Verb) -> Result<Vec<String>, Reason> {
        let found = self.finds(verb, false)?;
        Ok(vec![found, format!("Deletes the `{}`.", self.variable()), "Returns nothing.".to_owned()])
    }

    fn list(&self) -> Result<Vec<String>, Reason> {
        let page = self.shape == Shape::Page;
        let mut conditions = Vec::new();
        let mut bound = None;
        for input in self.facts.input.fields.iter() {
            let name = &input.name;
            match (&**name, page) {
                ("cursor" | "limit", true) => continue,
                ("limit", false) => {
                    bound = Some(self.bound(input)?);
                    continue;
                }
                _ => {}
            }
            let exact = self.table.fields.iter().position(|field| field.name == *name);
            let field = exact.or_else(|| self.parent(input)).ok_or_else(|| self.no_field(input))?;
            let field = &self.table.fields[field].name;
            conditions.push(match input.optional && input.default.is_none() {
                true => format!("input.{name} == null || {field} == input.{name}"),
                false => format!("{field} == input.{name}"),
            });
        }
        let conditions: Vec<String> = match conditions.as_slice() {
            [one] => vec![format!("`{one}`")],
            all => all.iter().map(|condition| format!("`{condition}`")).collect(),
        };
        let filter = match conditions.is_empty() {
            true => String::new(),
            false => format!(" where {}", conditions.join(" and ")),
        };
        let order = if is_aged(self.table) { ", newest first" } else { "" };
        let bound = match (page, bound) {
            (true, _) => format!(", {PER_PAGE} per page"),
            (false, Some(bound)) => format!(", at most {bound}"),
            (false, None) => String::new(),
        };
        let list = format!("Lists the `{}`{filter}{order}{bound}, as `found`.", self.table.name);
        Ok(vec![list, "Returns the `found`.".to_owned()])
    }

    /// How many rows a caller may ask for.
    fn bound(&self, input: &InputField) -> Result<String, Reason> {
        let most = input.rules.max.as_ref().map(|(most, _)| most.units);
        let fits = input.ty == Type::Integer && most.is_some_and(|most| (1..=MOST_ROWS).contains(&most));
        match fits {
            true if input.optional && input.default.is_none() => {
                let usual = most.unwrap_or(1).min(i128::from(PER_PAGE));
                Ok(format!("`input.limit ?? {usual}`"))
            }
            true => Ok("`input.limit`".to_owned()),
            false => Err("input `limit` has no greatest value".to_owned()),
        }
    }

    /// The step that finds the row by a key that the caller gives.
    fn finds(&self, verb: &Verb, others: bool) -> Result<String, Reason> {
        let mut conditions = Vec::new();
        let mut pinned: Vec<usize> = Vec::new();
        for input in self.inputs() {
            if !self.is_key(verb, input) {
                match others {
                    true => continue,
                    false => return Err(format!("input `{}` has no place in it", input.name)),
                }
            }
            let field = self.key_field(input).ok_or_else(|| self.no_field(input))?;
            if input.optional && input.default.is_none() {
                return Err(format!("input `{}` is no key when it may be left out", input.name));
            }
            conditions.push(format!("{} == input.{}", self.table.fields[field].name, input.name));
            pinned.push(field);
        }
        if !self.pins(&pinned) {
            return Err(format!("no input is a key of `{}`", self.table.name));
        }
        let code = named_code(self.said, self.facts.operation, 404);
        let code = code.unwrap_or_else(|| format!("{}_not_found", snake(&self.table.name)));
        Ok(format!(
            "Finds the `{}` where `{}`{}, or fails with `404 {code}`.",
            self.table.name,
            conditions.join(" && "),
            self.named()
        ))
    }

    /// Whether an input says which row: one of the path, or without a path the key itself.
    fn is_key(&self, verb: &Verb, input: &InputField) -> bool {
        let in_path = self.inputs().any(|input| input.location == Location::Path);
        match in_path {
            true => input.location == Location::Path,
            false => match &verb.by {
                Some(by) => letters(by) == letters(&input.name),
                None => field_of(self.table, &input.name).is_some_and(|field| self.pins(&[field])),
            },
        }
    }

    fn key_field(&self, input: &InputField) -> Option<usize> {
        let is_last = match self.facts.path.and_then(|path| path.last()) {
            Some(PathPart::Parameter(name)) => *name == input.name,
            _ => true,
        };
        let exact = self.table.fields.iter().position(|field| field.name == input.name);
        match is_last {
            true => field_of(self.table, &input.name),
            false => exact.or_else(|| self.parent(input)),
        }
    }

    /// Whether these fields are a key.
    fn pins(&self, fields: &[usize]) -> bool {
        let within = |key: &[u16]| !key.is_empty() && key.iter().all(|at| fields.contains(&usize::from(*at)));
        let unique = self.table.unique.iter().filter(|key| key.filter.is_none());
        within(&self.table.primary_key) || unique.into_iter().any(|key| within(&key.fields))
    }

    /// The reference that a parameter of the path above fills: `/users/{id}/orders` and `order.user_id`.
    fn parent(&self, input: &InputField) -> Option<usize> {
        let path = self.facts.path?;
        let at = path.iter().position(|part| *part == PathPart::Parameter(input.name.clone()))?;
        let PathPart::Fixed(collection) = path.get(at.checked_sub(1)?)? else { return None };
        let owner = self.facts.world.find_entity(collection)?;
        let mut fields = self.table.fields.iter().enumerate().filter(|(_, field)| {
            field.references.is_some_and(|reference| {
                let key = &self.facts.world.table(owner).fields[usize::from(reference.field)];
                let names_key = field_of(self.facts.world.table(owner), &input.name)
                    == Some(usize::from(reference.field));
                reference.entity == owner && (names_key || key.name == input.name)
            })
        });
        match (fields.next(), fields.next()) {
            (Some((at, _)), None) => Some(at),
            _ => None,
        }
    }

    fn inputs(&self) -> impl Iterator<Item = &InputField> {
        self.facts.input.fields.iter()
    }

    fn no_field(&self, input: &InputField) -> Reason {
        format!("input `{}` is no field of `{}`", input.name, self.table.name)
    }

    /// The variable that holds the row.
    fn variable(&self) -> &str {
        match self.is_named() {
            true => "found",
            false => &self.table.name,
        }
    }

    /// Whether the entity's name can be no variable.
    fn is_named(&self) -> bool {
        !is_identifier(&self.table.name) || RESERVED.contains(&&*self.table.name)
    }

    fn named(&self) -> &'static str {
        if self.is_named() { ", as `found`" } else { "" }
    }

    fn answer(&self, usual: u16) -> String {
        if self.shape == Shape::Nothing {
            return "Returns nothing.".to_owned();
        }
        let status = self.facts.operation.output.status.as_ref().map_or(usual, |status| status.value);
        match status {
            200 => format!("Returns the `{}`.", self.variable()),
            status => format!("Returns `{status}` with the `{}`.", self.variable()),
        }
    }
}

/// `` with `a = 1`, `b = 2` ``, or nothing.
fn assigned(assignments: &[String]) -> String {
    match assignments.is_empty() {
        true => String::new(),
        false => {
            let spans: Vec<String> = assignments.iter().map(|one| format!("`{one}`")).collect();
            format!(" with {}", spans.join(", "))
        }
    }
}

/// How many assignments take an input.
fn with_inputs(assignments: &[String]) -> usize {
    assignments.iter().filter(|one| one.contains(" = input.")).count()
}

fn fills_itself(field: &FieldSchema) -> bool {
    field.optional || field.default.is_some() || field.generated || field.on_create || field.on_update
}

/// Whether a timestamp can be nothing but the time at which the row was made or changed.
fn is_age(name: &str) -> bool {
    matches!(letters(name).as_str(), "createdat" | "created" | "createdon") || is_change(name)
}

fn is_change(name: &str) -> bool {
    matches!(letters(name).as_str(), "updatedat" | "updated" | "modifiedat" | "updatedon")
}

/// A name as part of a code: `Order Line` → `order_line`.
fn snake(name: &str) -> String {
    let mut snake = String::new();
    for (at, letter) in name.chars().enumerate() {
        let after_lower = name.chars().nth(at.wrapping_sub(1)).is_some_and(char::is_lowercase);
        if letter.is_uppercase() && after_lower {
            snake.push('_');
        }
        match letter.is_alphanumeric() {
            true => snake.extend(letter.to_lowercase()),
            false => snake.push('_'),
        }
    }
    snake
}
