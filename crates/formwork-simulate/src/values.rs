//! Values by chance that fit a type and its rules, from few, so that rows meet: the same room, the same hour, the same
//! name. What refers to rows is mostly taken from rows that are there.

use crate::dice::Dice;
use crate::history::History;
use crate::partners::Words;
use crate::texts;
use formwork_language::constraint::{FieldRules, from_input};
use formwork_language::program::{EntityId, Program};
use formwork_language::value::{Decimal, MICROSECONDS_PER_DAY, Rounding, Row, Value};
use formwork_model::values::Type;
use std::sync::Arc;

const MINUTE: i64 = 60_000_000;

/// What values are drawn from.
pub(crate) struct Source<'s> {
    /// The document.
    pub(crate) program: &'s Program,
    /// The rows that are there.
    pub(crate) history: &'s History,
    /// What the document's own flows send.
    pub(crate) words: &'s Words,
    /// What time it is, in microseconds since the epoch.
    pub(crate) now: i64,
    /// The entity that is meant where a name alone does not say it.
    pub(crate) about: Option<EntityId>,
    /// The row that is meant: what has the name of one of its fields is mostly its.
    pub(crate) anchor: Option<Arc<Row>>,
    /// Chance.
    pub(crate) dice: &'s mut Dice,
}

impl Source<'_> {
    /// A value of a name, type and rules.
    pub(crate) fn value(&mut self, name: &str, ty: &Type, rules: &FieldRules) -> Value {
        if let Some(value) = self.anchored(name, ty)
            && rules.violations(&value).is_empty()
            && self.dice.chance(70)
        {
            return value;
        }
        if self.dice.chance(35)
            && let Some(words) = self.words.by_name.get(name)
            && let Some(word) = self.dice.pick(words)
            && let Ok(value) = from_input(ty, word.clone())
            && rules.violations(&value).is_empty()
        {
            return value;
        }
        let identifies = matches!(ty, Type::Uuid | Type::String) && rules.one_of.is_none();
        let known = match (identifies, ty) {
            (true, Type::Uuid) => 92,
            (true, _) => 60,
            _ => 12,
        };
        if !matches!(ty, Type::List(_) | Type::Object(_))
            && self.dice.chance(known)
            && let Some(value) = self.known(name, ty)
            && rules.violations(&value).is_empty()
        {
            return value;
        }
        self.fresh(name, ty, rules)
    }

    /// What the row that is meant has under this name, or what identifies it.
    fn anchored(&self, name: &str, ty: &Type) -> Option<Value> {
        let row = self.anchor.as_ref()?;
        let entity = self.program.schema.entities.get(usize::from(row.entity))?;
        let own = name.strip_prefix(&*entity.name).and_then(|rest| rest.strip_prefix('_')).unwrap_or(name);
        let at = entity
            .fields
            .iter()
            .position(|field| (*field.name == *name || *field.name == *own) && field.ty == *ty)?;
        row.values.get(at).filter(|value| !value.is_absent()).cloned()
    }

    /// A value that a row has under this name, or that identifies a row that it speaks of.
    fn known(&mut self, name: &str, ty: &Type) -> Option<Value> {
        let mut places: Vec<(EntityId, usize)> = Vec::new();
        let entities = || (0..).zip(&self.program.schema.entities);
        for (id, entity) in entities() {
            for (at, field) in entity.fields.iter().enumerate() {
                let own = *field.name == *name;
                // `to_account_id` speaks of an `account` and its `id`.
                let of_entity = name
                    .strip_suffix(&*field.name)
                    .and_then(|rest| rest.strip_suffix('_')?.strip_suffix(&*entity.name))
                    .is_some_and(|rest| rest.is_empty() || rest.ends_with('_'));
                if field.ty != *ty || field.secret || !(own || of_entity) {
                    continue;
                }
                let times = match (of_entity, self.about == Some(id)) {
                    (true, _) => 6,
                    (_, true) => 6,
                    _ => 1,
                };
                places.extend(std::iter::repeat_n((id, at), times));
            }
        }
        let (entity, field) = *self.dice.pick(&places)?;
        let rows = self.history.rows(entity);
        let row = self.dice.pick(&rows)?;
        row.values.get(field).filter(|value| !value.is_absent()).cloned()
    }

    fn fresh(&mut self, name: &str, ty: &Type, rules: &FieldRules) -> Value {
        if let Some(one) = rules.one_of.as_ref().and_then(|texts| self.dice.pick(texts)) {
            return Value::Text(one.clone());
        }
        match ty {
            Type::String | Type::Unknown(_) => Value::Text(texts::text(name, rules, self.dice).into()),
            Type::Integer => {
                let number = self.number(rules, 0);
                Value::Integer(i64::try_from(number).unwrap_or(1))
            }
            Type::Decimal { scale, .. } => {
                Value::Decimal(Decimal { units: self.number(rules, *scale), scale: *scale })
            }
            Type::Double => Value::Double(Decimal { units: self.number(rules, 1), scale: 1 }.to_double()),
            Type::Boolean => Value::Boolean(self.dice.chance(50)),
            Type::Uuid => {
                let mut bytes = [0; 16];
                self.dice.fill(&mut bytes);
                (bytes[6], bytes[8]) = (bytes[6] & 0x0f | 0x40, bytes[8] & 0x3f | 0x80);
                Value::Uuid(bytes)
            }
            Type::Timestamp => Value::Timestamp(self.instant()),
            Type::Date => Value::Date(i32::try_from(self.instant() / MICROSECONDS_PER_DAY).unwrap_or(0)),
            Type::Time => Value::Time(i64::try_from(self.dice.below(48)).unwrap_or(0) * 30 * MINUTE),
            Type::Duration => {
                Value::Duration((1 + i64::try_from(self.dice.below(120)).unwrap_or(0)) * MINUTE)
            }
            Type::Bytes => Value::Bytes(vec![u8::try_from(self.dice.below(4)).unwrap_or(0); 4].into()),
            Type::Uri => Value::Text(format!("https://example.com/{}", self.dice.below(4)).into()),
            Type::Email => Value::Text(format!("someone{}@example.com", self.dice.below(4)).into()),
            Type::Enum(values) => {
                self.dice.pick(values).map_or(Value::Null, |value| Value::Text(value.clone()))
            }
            Type::List(of) => {
                let least = rules.items.0.unwrap_or(0);
                let most = rules.items.1.unwrap_or(least + 3).min(least + 3);
                let count = least + self.dice.below(most.saturating_sub(least) + 1);
                let inner = FieldRules { members: rules.members.clone(), ..FieldRules::default() };
                Value::List((0..count).map(|_| self.value(name, of, &inner)).collect())
            }
            Type::Object(members) => {
                let declared = &rules.members;
                let mut entries = Vec::new();
                for (name, ty) in members.iter() {
                    let member = declared.iter().find(|member| member.name == *name);
                    let may_go = member.is_some_and(|member| member.optional || member.default.is_some());
                    if may_go && self.dice.chance(50) {
                        continue;
                    }
                    let none = FieldRules::default();
                    let value = self.value(name, ty, member.map_or(&none, |member| &member.rules));
                    entries.push((Value::Text(name.clone()), value));
                }
                Value::Map(entries.into())
            }
            Type::Json | Type::Named(_) => Value::Json(format!(r#"{{"n":{}}}"#, self.dice.below(4)).into()),
        }
    }

    /// A half hour within the next two days, sometimes just gone.
    fn instant(&mut self) -> i64 {
        let step = 30 * MINUTE;
        let begin = self.now / step - 4;
        (begin + i64::try_from(self.dice.below(100)).unwrap_or(0)) * step
    }

    /// A number of that scale within the bounds, in units of the scale: often a bound, mostly small.
    fn number(&mut self, rules: &FieldRules, scale: u8) -> i128 {
        let one = 10_i128.checked_pow(u32::from(scale)).unwrap_or(1);
        let bound = |bound: &(Decimal, bool), inwards: i128| {
            let kept = bound.0.rescaled(scale, Rounding::HalfEven)?;
            Some(kept.units.saturating_add(if bound.1 { inwards } else { 0 }))
        };
        let least = rules.min.as_ref().and_then(|min| bound(min, 1));
        let most = rules.max.as_ref().and_then(|max| bound(max, -1));
        let (low, high) =
            (least.unwrap_or(0), most.unwrap_or_else(|| least.unwrap_or(0).max(0) + 1000 * one));
        let small = low.max(0).min(high);
        let drawn = match self.dice.below(10) {
            0 => low,
            1 => high,
            2..=6 => small.saturating_add(self.dice.between(0, 5) * one),
            _ => self.dice.between(small.saturating_sub(20 * one), small.saturating_add(200 * one)),
        };
        drawn.clamp(low.min(high), high.max(low))
    }

    /// A row to be put in place: the fields that must be given, and some of the others. Nothing when a row that it
    /// must refer to is not there.
    pub(crate) fn row(&mut self, entity: EntityId) -> Option<Vec<Value>> {
        let program = self.program;
        let schema = program.schema.entities.get(usize::from(entity))?;
        let mut values = Vec::with_capacity(schema.fields.len());
        for field in &schema.fields {
            let may_go = field.may_be_left_out();
            if field.generated || field.computed || field.on_create || may_go && self.dice.chance(60) {
                values.push(Value::Absent);
                continue;
            }
            if let Some(reference) = field.references {
                let rows = self.history.rows(reference.entity);
                let row = self.dice.pick(&rows).and_then(|row| row.values.get(usize::from(reference.field)));
                match row {
                    Some(value) => values.push(value.clone()),
                    None if may_go => values.push(Value::Absent),
                    None => return None,
                }
                continue;
            }
            values.push(self.fresh(&field.name, &field.ty, &field.rules));
        }
        Some(values)
    }
}
