//! Budgets of section 9, and what an operation keeps back and spends of them.
//!
//! An operation keeps back what it may cost before it does anything that counts, and is charged what it did cost right
//! before it answers. Source: docs/reference/cost.md; decision 0126.

use super::Slot;
use crate::expression::Expression;
use crate::value::{Decimal, MICROSECONDS_PER_DAY, civil, days_of, timestamp_of};
use formwork_model::facts::Outcome;
pub use formwork_model::sections::security::BudgetPeriod;
use std::sync::Arc;

/// What may be spent.
#[derive(Clone, Debug)]
pub struct Budget {
    /// What it is called where it is kept and shown: `USD per team_id per month`. It does not name the amount, so that
    /// what is spent holds when the amount changes.
    pub name: Arc<str>,
    /// ISO 4217.
    pub currency: Arc<str>,
    /// How much; absent where costs are only counted.
    pub limit: Option<Decimal>,
    /// For whom, as written; absent for everybody together.
    pub per: Option<Arc<str>>,
    /// When it begins anew.
    pub period: BudgetPeriod,
    /// At which percentages an alert is raised, the smallest first.
    pub alerts: Vec<Decimal>,
    /// The event that tells of an alert.
    pub event: Option<BudgetEvent>,
    /// What is answered when it does not suffice.
    pub refusal: Outcome,
}

/// The event that tells that a part of a budget is spent.
#[derive(Clone, Debug)]
pub struct BudgetEvent {
    /// Index into [`Program::events`](super::Program::events).
    pub event: u16,
    /// Its data.
    pub data: Vec<(Arc<str>, BudgetFact)>,
}

/// What an alert tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BudgetFact {
    /// The budget's name.
    Budget,
    /// For whom it is.
    Key,
    /// The instant that its period began.
    Period,
    /// The percentage.
    Threshold,
    /// How much it is.
    Limit,
    /// How much of it is spent.
    Spent,
    /// Its currency.
    Currency,
}

impl BudgetFact {
    /// Each with its name.
    pub const ALL: [(&'static str, Self); 7] = [
        ("budget", Self::Budget),
        ("key", Self::Key),
        ("period", Self::Period),
        ("threshold", Self::Threshold),
        ("limit", Self::Limit),
        ("spent", Self::Spent),
        ("currency", Self::Currency),
    ];
}

/// What an operation keeps back before it begins.
#[derive(Clone, Debug)]
pub struct Reserve {
    /// Where it notes what it has kept back.
    pub held: Slot,
    /// One for each line of the document that prices the operation.
    pub charges: Vec<Charge>,
}

/// A price.
#[derive(Clone, Debug)]
pub struct Charge {
    /// What it costs, when that is known before.
    pub known: Option<Expression>,
    /// What it costs at most.
    pub at_most: Option<Expression>,
    /// The budgets that pay, by index into [`Program::budgets`](super::Program::budgets), and for whom.
    pub budgets: Vec<(u16, Option<Expression>)>,
}

/// What an operation is charged at its end.
#[derive(Clone, Debug)]
pub struct Settle {
    /// Where it noted what it has kept back.
    pub held: Slot,
    /// For each [`Charge`] what it did cost; absent where it costs what was known before.
    pub actual: Vec<Option<Expression>>,
}

/// The instant at which the period began that an instant lies in, by UTC, in microseconds since the epoch; 0 for
/// [`BudgetPeriod::Total`].
pub fn period_start(period: BudgetPeriod, now: i64) -> i64 {
    const HOUR: i64 = 3_600_000_000;
    let day = now.div_euclid(MICROSECONDS_PER_DAY);
    let (year, month, _) = civil(day);
    let first = |month| days_of(year, month, 1).map_or(0, |day| timestamp_of(day, 0));
    match period {
        BudgetPeriod::Hour => now.div_euclid(HOUR).saturating_mul(HOUR),
        BudgetPeriod::Day => day.saturating_mul(MICROSECONDS_PER_DAY),
        // 1970-01-01 was a Thursday.
        BudgetPeriod::Week => {
            let monday = day.saturating_sub(day.saturating_add(3).rem_euclid(7));
            monday.saturating_mul(MICROSECONDS_PER_DAY)
        }
        BudgetPeriod::Month => first(month),
        BudgetPeriod::Year => first(1),
        BudgetPeriod::Total => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::text::{format_timestamp, parse_timestamp};

    #[test]
    fn a_period_begins_by_utc() {
        let now = parse_timestamp("2026-03-01T23:59:59.999999Z").expect("an instant");
        let start = |period| format_timestamp(period_start(period, now));
        assert_eq!(start(BudgetPeriod::Hour), "2026-03-01T23:00:00Z");
        assert_eq!(start(BudgetPeriod::Day), "2026-03-01T00:00:00Z");
        assert_eq!(start(BudgetPeriod::Week), "2026-02-23T00:00:00Z");
        assert_eq!(start(BudgetPeriod::Month), "2026-03-01T00:00:00Z");
        assert_eq!(start(BudgetPeriod::Year), "2026-01-01T00:00:00Z");
        assert_eq!(period_start(BudgetPeriod::Total, now), 0);
        let monday = parse_timestamp("2026-03-02T00:00:00Z").expect("an instant");
        assert_eq!(period_start(BudgetPeriod::Week, monday), monday);
        for far in [i64::MIN, i64::MAX] {
            period_start(BudgetPeriod::Week, far);
            period_start(BudgetPeriod::Month, far);
        }
    }
}
