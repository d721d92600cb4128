//! The shape of a mocked answer, and how it is written: stable values, and what was sent under its name.

use super::{Sent, sample};
use crate::json::{Writer, write_text};
use formwork_language::constraint::FieldRules;
use formwork_language::program::InputField;
use formwork_language::value::Value;
use formwork_model::facts::Location;
use formwork_model::values::Type;
use std::sync::Arc;

/// How many items a made-up list has.
const ITEMS: u64 = 3;

/// A member of an object.
pub(super) type Member = (Arc<str>, Shape);

/// The shape of an answer.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    /// No content.
    Nothing,
    /// A redirect.
    Redirect,
    /// What was sent: nothing is known.
    Sent,
    /// JSON as it stands.
    Raw(String),
    /// A value of a type.
    Leaf(Box<Leaf>),
    /// An object.
    Object(Vec<Member>),
    /// A row of an entity: its name, its key among the members, and the members.
    Row(Arc<str>, Option<usize>, Vec<Member>),
    /// These items.
    Array(Vec<Shape>),
    /// A few of one kind.
    Many(Box<Shape>),
    /// A page of a few.
    Page(Box<Shape>),
}

/// A value to be made up.
#[derive(Clone, Debug)]
pub(super) struct Leaf {
    pub(super) ty: Type,
    pub(super) rules: FieldRules,
}

impl Shape {
    /// Writes an answer. What was sent goes back under the same name, in objects on the outermost level and in the
    /// items of an outermost list.
    pub(super) fn write(&self, out: &mut Vec<u8>, seed: u64, sent: Option<&Sent<'_>>) {
        match self {
            Self::Nothing | Self::Redirect => {}
            Self::Raw(json) => out.extend_from_slice(json.as_bytes()),
            Self::Leaf(leaf) => write_value(out, &sample::sample("value", &leaf.ty, &leaf.rules, seed)),
            Self::Sent => {
                let fields = sent.into_iter().flat_map(|sent| &sent.0);
                let shown = fields.filter(|(field, _)| !matches!(field.location, Location::Header(_)));
                let members: Vec<(&str, &Value)> =
                    shown.map(|(field, value)| (&*field.name, *value)).collect();
                object(out, members.len(), |out, at| {
                    member(out, members[at].0);
                    write_value(out, members[at].1);
                });
            }
            Self::Object(members) => write_members(out, members, seed, sent),
            Self::Row(name, key, members) => row(out, (name, *key, members), seed, sent),
            Self::Array(items) => array(out, items.len() as u64, |out, at| {
                items[at as usize].write(out, sample::seed(seed, &at.to_string()), None);
            }),
            Self::Many(of) => array(out, ITEMS, |out, at| of.write(out, of.item_seed(seed, at), sent)),
            Self::Page(of) => {
                out.extend_from_slice(b"{\"items\":");
                array(out, ITEMS, |out, at| of.write(out, of.item_seed(seed, at), sent));
                out.extend_from_slice(b",\"next_cursor\":null}");
            }
        }
    }

    /// The seed of an item: of rows the same in every operation, so that they are the same rows.
    fn item_seed(&self, seed: u64, at: u64) -> u64 {
        match self {
            Self::Row(name, ..) => sample::seed(at, name),
            _ => sample::seed(seed, &at.to_string()),
        }
    }
}

/// A row: its key first, and everything else from the key, so that a row is the same wherever it is answered.
fn row(
    out: &mut Vec<u8>,
    (name, key, members): (&str, Option<usize>, &[Member]),
    seed: u64,
    sent: Option<&Sent<'_>>,
) {
    let Some(key) = key else { return write_members(out, members, seed, sent) };
    let (key_name, key_shape) = &members[key];
    let mut written = Vec::new();
    let given = sent.and_then(|sent| sent.get(key_name).or_else(|| key_of_path(sent, name)));
    match given {
        Some((_, value)) => write_value(&mut written, value),
        None => write_leaf(&mut written, key_name, key_shape, seed),
    }
    let seed = sample::seed(0, &String::from_utf8_lossy(&written));
    object(out, members.len(), |out, at| {
        member(out, &members[at].0);
        match at == key {
            true => out.extend_from_slice(&written),
            false => write_member(out, &members[at], seed, sent),
        }
    });
}

/// The parameter of the path that is the key by another name: `{id}`, `{order_id}`, `{order}`.
fn key_of_path<'s>(sent: &Sent<'s>, entity: &str) -> Option<(&'s InputField, &'s Value)> {
    let letters = |name: &str| -> String {
        name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    let entity = letters(entity);
    sent.0.iter().copied().find(|(field, _)| {
        let name = letters(&field.name);
        field.location == Location::Path && (name == "id" || name == entity || name == format!("{entity}id"))
    })
}

fn write_members(out: &mut Vec<u8>, members: &[Member], seed: u64, sent: Option<&Sent<'_>>) {
    object(out, members.len(), |out, at| {
        member(out, &members[at].0);
        write_member(out, &members[at], seed, sent);
    });
}

fn write_member(out: &mut Vec<u8>, (name, shape): &Member, seed: u64, sent: Option<&Sent<'_>>) {
    let given = sent.and_then(|sent| sent.get(name)).filter(|(field, _)| shape.takes(&field.ty));
    match given {
        Some((_, value)) => write_value(out, value),
        None => write_leaf(out, name, shape, sample::seed(seed, name)),
    }
}

impl Shape {
    /// Whether an input of that type may stand here.
    fn takes(&self, ty: &Type) -> bool {
        match self {
            Self::Leaf(leaf) => leaf.ty == *ty || matches!(leaf.ty, Type::Json | Type::Unknown(_)),
            Self::Raw(_) | Self::Object(_) | Self::Array(_) => matches!(ty, Type::Json),
            _ => false,
        }
    }
}

fn write_leaf(out: &mut Vec<u8>, name: &str, shape: &Shape, seed: u64) {
    match shape {
        Shape::Leaf(leaf) => write_value(out, &sample::sample(name, &leaf.ty, &leaf.rules, seed)),
        other => other.write(out, seed, None),
    }
}

fn write_value(out: &mut Vec<u8>, value: &Value) {
    let mut writer = Writer::new(&[], None, &[]);
    writer.answer(value);
    out.append(&mut writer.out);
}

fn member(out: &mut Vec<u8>, name: &str) {
    write_text(out, name);
    out.push(b':');
}

fn object(out: &mut Vec<u8>, members: usize, write: impl FnMut(&mut Vec<u8>, usize)) {
    listed(out, b"{}", 0..members, write);
}

fn array(out: &mut Vec<u8>, items: u64, write: impl FnMut(&mut Vec<u8>, u64)) {
    listed(out, b"[]", 0..items, write);
}

/// What is written for each, between brackets and with commas.
fn listed<T>(
    out: &mut Vec<u8>,
    [open, close]: &[u8; 2],
    each: impl Iterator<Item = T>,
    mut write: impl FnMut(&mut Vec<u8>, T),
) {
    out.push(*open);
    for (position, one) in each.enumerate() {
        if position > 0 {
            out.push(b',');
        }
        write(out, one);
    }
    out.push(*close);
}
