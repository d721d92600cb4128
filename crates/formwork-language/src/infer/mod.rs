//! From a behaviour in prose, or none, to steps: when name, method, path, input and output of an operation determine
//! plain create, read, list, update or delete on one entity, that behaviour is written down as text of the language.
//!
//! The text is compiled like any other behaviour (`lower::operations`), so there is one way through and what runs is
//! what the author is shown. Whatever is not determined is not inferred, and the reason is given: prose may hold a
//! promise that a guess would break. Source: language reference, *Inferred behaviours*.

mod entity;
mod place;
mod prose;
mod verbs;
mod written;

use crate::lower::World;
use crate::program::{EntityId, EntitySchema, InputShape, PathPart};
use crate::steps::Sentences;
use formwork_model::facts::{Outcome, StepItem};
use formwork_model::sections::interface::{Operation, Surface};
use prose::Said;

pub(crate) use place::insertion;

/// Why nothing is inferred: one clause for people, such as ``input `lines` is no field of `order` ``.
pub(crate) type Reason = String;

/// The steps that an operation's other facts determine.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Whose rows they read or write.
    pub(crate) entity: EntityId,
    /// Sentences of the language, in order, without those that say who may call.
    pub(crate) steps: Vec<String>,
    /// Whether they answer a page.
    pub(crate) page: bool,
    /// What they do: ``creates a `link` ``.
    pub(crate) summary: String,
}

/// What is known of an operation when its steps are looked for.
pub(super) struct Facts<'f> {
    world: &'f World<'f>,
    operation: &'f Operation,
    method: Option<&'f str>,
    /// Absent when the document gives no route.
    path: Option<&'f [PathPart]>,
    input: &'f InputShape,
}

/// Looks for the steps.
pub(crate) fn plan(
    world: &World<'_>,
    operation: &Operation,
    sentences: &Sentences,
    path: &[PathPart],
    input: &InputShape,
) -> Result<Plan, Reason> {
    let facts = Facts {
        world,
        operation,
        method: operation.method.as_ref().map(|method| method.value.as_str()),
        path: operation.path.as_ref().map(|_| path),
        input,
    };
    let verb = verbs::verb(&facts)?;
    let entity = entity::entity(&facts, &verb)?;
    if facts.path.is_none() && operation.output.span.is_none() {
        return Err("neither a route nor an Output says what is answered".to_owned());
    }
    let table = world.table(entity);
    let said = prose::said(&facts, table, sentences, &verb)?;
    let shape = prose::output(&facts, table, &verb)?;
    let plan = written::steps(&facts, entity, &verb, &shape, &said)?;
    // A mock gives nothing away; rows would be shown to callers whom the prose may refuse.
    let authorization = &world.model.authorization;
    if operation.surface == Surface::Public && authorization.span.is_some() && !world.grants_something() {
        return Err("section 9 says only in prose who may call it".to_owned());
    }
    Ok(plan)
}

/// The code of a failure with this status that the document names.
fn named_code(said: &Said, operation: &Operation, status: u16) -> Option<String> {
    let listed = operation.errors.iter().map(|error| &error.value);
    let mut all = said.outcomes.iter().chain(listed);
    all.find_map(|outcome: &Outcome| outcome.code.clone().filter(|_| outcome.status == status))
}

/// The sentences as a document that the ordinary readers take: its text, and the items of its one behaviour.
pub(crate) fn document(steps: &[String]) -> (String, Vec<StepItem>) {
    let mut text = "## Primary Interface/API\n\n### Operation: `inferred`\n\n**Behavior:**\n".to_owned();
    for (at, step) in steps.iter().enumerate() {
        text.push_str(&format!("{}. {step}\n", at + 1));
    }
    let tree = formwork_syntax::parse(&text, &|label| formwork_model::is_label(label));
    let model = formwork_model::read(&text, &tree);
    let items = model.operations.into_iter().next().map(|operation| operation.behavior).unwrap_or_default();
    (text, items)
}

/// Letters and digits in lower case: two spellings of one name are equal.
fn letters(name: &str) -> String {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Whether a name may be a variable and a member of `input`.
fn is_identifier(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

/// The field that a name means: its own, else the primary key for `id`, the entity's name, or both together.
pub(crate) fn field_of(table: &EntitySchema, name: &str) -> Option<usize> {
    let exact = table.fields.iter().position(|field| *field.name == *name);
    let [key] = table.primary_key.as_slice() else { return exact };
    let (wanted, entity) = (letters(name), letters(&table.name));
    let is_key = wanted == "id" || wanted == entity || wanted == format!("{entity}id");
    exact.or_else(|| is_key.then_some(usize::from(*key)))
}
