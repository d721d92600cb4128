//! ``at most 1,000 `link` per `owner_id` [where …][, otherwise `STATUS code`]`` of section 9, as an invariant that only
//! what makes a group grow can break.
//!
//! That a name stands for no entity is found by `formwork-check`.

use super::Rules;
use super::invariants::Counted;
use crate::expression::{BinaryOperator, Expression};
use crate::program::{EntityId, FieldId};
use crate::rules::{Invariant, Quota};
use crate::steps::NO_NAMES;
use crate::steps::clause::{Misread, Reader};
use crate::tokens::{Token, sentences};
use crate::value::Value;
use formwork_model::Model;
use formwork_model::facts::Outcome;
use formwork_model::names::same_name;
use formwork_model::sections::limits::{Limit, LimitKind};
use formwork_syntax::{Span, Spanned};

impl Rules<'_> {
    /// Every quota on rows.
    pub(super) fn quotas(&mut self, model: &Model) {
        for limit in &model.limits {
            if let LimitKind::Rows { entity, count, per, filter } = &limit.kind {
                self.quota(limit, (entity, *count), per, *filter);
            }
        }
    }

    fn quota(
        &mut self,
        limit: &Limit,
        (entity, count): (&Spanned<String>, u64),
        per: &[Spanned<String>],
        filter: Option<Span>,
    ) {
        let found = self.schema.entities.iter().position(|known| *known.name == *entity.value);
        let found = found
            .or_else(|| self.schema.entities.iter().position(|known| same_name(&known.name, &entity.value)));
        let Some(entity) = found.and_then(|found| EntityId::try_from(found).ok()) else { return };
        // `link.owner_id` is `owner_id` of the `link`.
        let own = |name: &str| name.split_once('.').map_or(name, |(_, field)| field).to_owned();
        let per: Option<Vec<FieldId>> =
            per.iter().map(|field| self.field_named(entity, &own(&field.value), field.span)).collect();
        let Some(per) = per else { return };
        let (condition, row_filter) = match filter {
            None => (None, None),
            Some(from) => {
                let tokens = sentences(self.source, &limit.written).into_iter();
                let tokens: Vec<Token> = tokens
                    .flat_map(|sentence| sentence.tokens)
                    .filter(|token| token.span.start >= from.start)
                    .collect();
                let mut reader = Reader::over(self.source, &NO_NAMES, tokens, limit.text.span);
                match self.where_rows(entity, &mut reader) {
                    Ok(Ok(Some((ast, condition)))) => {
                        let Some(filter) = self.condition_over_row(entity, &ast) else { return };
                        (Some(condition), Some(filter))
                    }
                    Ok(Ok(None) | Err(())) => return,
                    Err(Misread { expected, span, .. }) => {
                        self.other("rule_not_understood", expected, span);
                        return;
                    }
                }
            }
        };
        let counted = Counted { entity, sum: None };
        self.index_group(entity, &per);
        let (value, rows) = self.of_group(&counted, &per, condition.as_ref());
        let all = self.pages(entity, &per, condition);
        let text = limit.text.value.split_whitespace().collect::<Vec<_>>().join(" ").into();
        let quota = || Outcome { status: 409, code: Some("quota_exceeded".to_owned()) };
        self.schema.invariants.push(Invariant {
            text,
            entity,
            sum: None,
            per,
            quota: Some(Quota { filter: row_filter }),
            value,
            rows,
            right_row: None,
            comparison: BinaryOperator::LessOrEqual,
            right: Expression::Constant(Value::Integer(i64::try_from(count).unwrap_or(i64::MAX))),
            all,
            otherwise: Some(limit.otherwise.clone().unwrap_or_else(quota)),
        });
    }
}
