//! A value that fits a type and its rules, out of what the document itself writes in quotes and a few plain ones.

use formwork_check::Analysis;
use formwork_language::constraint::FieldRules;
use formwork_language::value::{Rounding, Value};
use formwork_model::values::Type;
use serde_json::{Value as Json, json};
use std::sync::Arc;

/// How many texts of the document are tried.
const MOST_WORDS: usize = 500;

/// Where samples come from: each is another one where the type leaves a choice.
pub(super) struct Samples {
    words: Vec<Arc<str>>,
    made: u64,
}

impl Samples {
    /// Those of a document.
    pub(super) fn of(analysis: &Analysis) -> Self {
        let quoted = analysis.source.split('"').skip(1).step_by(2);
        let is_plain = |text: &&str| !text.is_empty() && text.len() <= 200 && !text.contains('\n');
        Self { words: quoted.filter(is_plain).take(MOST_WORDS).map(Arc::from).collect(), made: 0 }
    }

    /// A UUID that was not given before.
    pub(super) fn uuid(&mut self) -> String {
        self.made += 1;
        format!("00000000-0000-4000-8000-{:012x}", self.made)
    }

    /// A value; nothing where none is known that fits.
    pub(super) fn value(&mut self, ty: &Type, rules: &FieldRules) -> Option<Json> {
        if let Some(one) = rules.one_of.as_ref().and_then(|texts| texts.first()) {
            return Some(json!(&**one));
        }
        self.made += 1;
        let made = self.made;
        Some(match ty {
            Type::String | Type::Unknown(_) => json!(self.text(rules)?),
            Type::Integer => {
                let bound = |bound: &Option<(formwork_language::value::Decimal, bool)>, step: i64| {
                    let (bound, is_out) = bound.as_ref()?;
                    let units = bound.rescaled(0, Rounding::HalfEven)?.units;
                    Some(i64::try_from(units).ok()?.saturating_add(if *is_out { step } else { 0 }))
                };
                json!(bound(&rules.min, 1).unwrap_or(1).max(1).min(bound(&rules.max, -1).unwrap_or(i64::MAX)))
            }
            Type::Decimal { .. } => json!("1"),
            Type::Double => json!(1.0),
            Type::Boolean => json!(false),
            Type::Uuid => json!(self.uuid()),
            Type::Timestamp => json!("2030-06-01T12:00:00Z"),
            Type::Date => json!("2030-06-01"),
            Type::Time => json!("12:00:00"),
            Type::Duration => json!("PT1H"),
            Type::Bytes => json!("AAAA"),
            Type::Uri => json!(format!("https://example.com/{made}")),
            Type::Email => json!(format!("someone{made}@example.com")),
            Type::Enum(texts) => json!(&**texts.first()?),
            Type::List(of) => {
                let inner = FieldRules { members: Arc::clone(&rules.members), ..FieldRules::default() };
                let least = rules.items.0.unwrap_or(0).min(100);
                (0..least).map(|_| self.value(of, &inner)).collect::<Option<Vec<_>>>()?.into()
            }
            Type::Object(members) => {
                let mut object = serde_json::Map::new();
                for (name, ty) in members.iter() {
                    let member = rules.members.iter().find(|member| member.name == *name);
                    if member.is_some_and(|member| member.optional || member.default.is_some()) {
                        continue;
                    }
                    let none = FieldRules::default();
                    let value = self.value(ty, member.map_or(&none, |member| &member.rules))?;
                    object.insert(name.to_string(), value);
                }
                object.into()
            }
            Type::Json | Type::Named(_) => json!({}),
        })
    }

    fn text(&self, rules: &FieldRules) -> Option<String> {
        let made = self.made;
        let least = usize::try_from(rules.length.0.unwrap_or(0).min(10_000)).unwrap_or(0);
        let plain = [format!("sample-{made}"), format!("s{made}"), format!("{made}"), "s".repeat(least)];
        let written = self.words.iter().map(|word| word.to_string());
        plain
            .into_iter()
            .chain(written)
            .find(|text| rules.violations(&Value::Text(text.as_str().into())).is_empty())
    }
}
