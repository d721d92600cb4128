//! Keeping back what an operation may cost, and charging what it did cost, in the transactions of the operation itself.
//!
//! An operation of one transaction looks whether its budgets suffice, and is charged at its end. One of several parts
//! keeps the amount back in its first part, so that money is never spent elsewhere that is not there; what it keeps back
//! is given back when it is forgotten without a charge. Source: docs/reference/cost.md; decision 0126.

use super::{Run, refusal};
use crate::account::{Account, Short, Standing, reached};
use crate::outcome::Refusal;
use formwork_language::eval::Host;
use formwork_language::expression::Expression;
use formwork_language::program::{Budget, BudgetFact, Charge, Reserve, Settle, period_start};
use formwork_language::value::text::{format_decimal, format_timestamp};
use formwork_language::value::{Decimal, Value, json as plain_json};
use std::cmp::Ordering;
use std::sync::Arc;

/// What one price has kept back.
struct Held {
    /// How much; absent where that is known only at the end.
    amount: Option<Decimal>,
    /// Of which accounts, each with the index of its budget.
    accounts: Vec<(u16, Account)>,
}

const NEGATIVE: &str = "a cost is a number of at least 0";

impl<'a> Run<'a> {
    /// Keeps back what the operation may cost; refuses when a budget does not suffice.
    pub(super) fn reserve(&mut self, reserve: &Reserve) -> Result<(), Refusal> {
        // A loop may lead here again.
        if !matches!(self.slot(reserve.held), Value::Absent) {
            return Ok(());
        }
        self.in_time()?;
        let mut all = Vec::with_capacity(reserve.charges.len());
        for charge in &reserve.charges {
            let held = self.reserve_one(charge)?;
            all.push(held_value(&held));
        }
        self.bind(reserve.held, Value::List(all.into()));
        Ok(())
    }

    fn reserve_one(&mut self, charge: &Charge) -> Result<Held, Refusal> {
        let known = charge.known.as_ref().map(|price| self.money(price)).transpose()?;
        let at_most = charge.at_most.as_ref().map(|price| self.money(price)).transpose()?;
        let amount = match (known, at_most) {
            (Some(known), Some(most)) => {
                Some(if known.compare(most) == Ordering::Greater { most } else { known })
            }
            (known, most) => known.or(most),
        };
        let mut accounts = Vec::with_capacity(charge.budgets.len());
        for (at, key) in &charge.budgets {
            let budget = self.budget(*at)?;
            let account = Account {
                budget: Arc::clone(&budget.name),
                key: self.key_of_budget(key.as_ref())?,
                since: period_start(budget.period, self.host.now()),
            };
            let mut standing = self.transaction.standing(&account).map_err(refusal)?;
            let amount = amount.unwrap_or(Decimal::whole(0));
            match self.part.as_ref().map(|part| part.operation) {
                // Nothing comes between this and the charge.
                None => standing.suffices(amount, budget.limit).map_err(|short| refused(short, budget))?,
                Some(operation) => {
                    standing.reserve(amount, budget.limit).map_err(|short| refused(short, budget))?;
                    self.transaction.keep_standing(&account, &standing).map_err(refusal)?;
                    self.transaction.note_reserved(&operation, &account, amount).map_err(refusal)?;
                    self.reserved = true;
                }
            }
            accounts.push((*at, account));
        }
        Ok(Held { amount, accounts })
    }

    /// Charges what the operation did cost, and tells of what the charge has reached.
    pub(super) fn settle(&mut self, settle: &Settle) -> Result<(), Refusal> {
        let held = match self.slot(settle.held) {
            Value::List(all) => Arc::clone(all),
            _ => return Ok(()),
        };
        self.in_time()?;
        for (at, held) in held.iter().enumerate() {
            let held = read_held(self.program, held)
                .ok_or_else(|| Refusal::Internal("what an operation keeps back cannot be read".into()))?;
            let actual = match settle.actual.get(at).and_then(Option::as_ref) {
                Some(price) => self.money_if_any(price)?,
                None => None,
            };
            // What was kept back is never exceeded; what cannot be told costs all of it.
            let amount = match (actual, held.amount) {
                (Some(actual), Some(most)) if actual.compare(most) == Ordering::Less => actual,
                (_, Some(most)) => most,
                (actual, None) => actual.unwrap_or(Decimal::whole(0)),
            };
            for (budget, account) in &held.accounts {
                self.charge(self.budget(*budget)?, account, (amount, held.amount))?;
            }
        }
        if let Some(operation) = self.part.as_ref().map(|part| part.operation) {
            self.transaction.forget_reserved(&operation).map_err(refusal)?;
        }
        self.bind(settle.held, Value::Absent);
        Ok(())
    }

    fn charge(
        &mut self,
        budget: &'a Budget,
        account: &Account,
        (amount, held): (Decimal, Option<Decimal>),
    ) -> Result<(), Refusal> {
        let mut standing = self.transaction.standing(account).map_err(refusal)?;
        let before = standing.spent;
        let numbers = |short| refused(short, budget);
        match held.filter(|_| self.part.is_some()) {
            Some(held) => standing.release(held).map_err(numbers)?,
            None => standing.suffices(amount, budget.limit).map_err(numbers)?,
        }
        standing.charge(amount).map_err(numbers)?;
        self.transaction.keep_standing(account, &standing).map_err(refusal)?;
        self.written += 1;
        if let Some(limit) = budget.limit {
            for percentage in reached((before, standing.spent), limit, &budget.alerts) {
                self.alert(budget, account, &standing, (percentage, limit))?;
            }
        }
        Ok(())
    }

    fn alert(
        &mut self,
        budget: &Budget,
        account: &Account,
        standing: &Standing,
        (percentage, limit): (Decimal, Decimal),
    ) -> Result<(), Refusal> {
        let Some(event) = &budget.event else { return Ok(()) };
        let mut text = String::from("{");
        for (at, (name, fact)) in event.data.iter().enumerate() {
            if at > 0 {
                text.push(',');
            }
            plain_json::quote(name, &mut text);
            text.push(':');
            let value = match fact {
                BudgetFact::Budget => budget.name.to_string(),
                BudgetFact::Key => account.key.to_string(),
                BudgetFact::Period => format_timestamp(account.since),
                BudgetFact::Limit => format_decimal(limit),
                BudgetFact::Spent => format_decimal(standing.spent),
                BudgetFact::Currency => budget.currency.to_string(),
                BudgetFact::Threshold => {
                    text.push_str(&format_decimal(percentage));
                    continue;
                }
            };
            plain_json::quote(&value, &mut text);
        }
        text.push('}');
        self.emit_text(event.event, None, text)
    }

    fn budget(&self, at: u16) -> Result<&'a Budget, Refusal> {
        let found = self.program.budgets.get(usize::from(at));
        found.ok_or_else(|| Refusal::Internal(format!("there is no budget {at}")))
    }

    fn key_of_budget(&mut self, key: Option<&Expression>) -> Result<Arc<str>, Refusal> {
        let Some(key) = key else { return Ok("".into()) };
        let value = self.evaluate(key)?;
        let value = self.stored(value);
        Ok(self.text(&value).into())
    }

    /// An amount that must be there.
    fn money(&mut self, price: &Expression) -> Result<Decimal, Refusal> {
        self.money_if_any(price)?.ok_or(Refusal::Arithmetic(NEGATIVE))
    }

    /// An amount; nothing when it cannot be told.
    fn money_if_any(&mut self, price: &Expression) -> Result<Option<Decimal>, Refusal> {
        let amount = match self.evaluate(price)? {
            Value::Integer(number) => Decimal::whole(number),
            Value::Unsigned(number) => Decimal { units: i128::from(number), scale: 0 },
            Value::Decimal(number) => number.trimmed(),
            Value::Double(number) => match Decimal::from_double(number) {
                Some(number) => number,
                None => return Err(Refusal::Arithmetic(NEGATIVE)),
            },
            _ => return Ok(None),
        };
        if amount.units < 0 { Err(Refusal::Arithmetic(NEGATIVE)) } else { Ok(Some(amount)) }
    }
}

fn refused(short: Short, budget: &Budget) -> Refusal {
    match short {
        Short::Arithmetic => Refusal::Arithmetic("a cost is beyond what can be computed"),
        Short::Exhausted => Refusal::Step {
            status: budget.refusal.status,
            code: budget.refusal.code.as_deref().map(Arc::from),
            message: Some("What may be spent is spent or kept back for calls under way.".to_owned()),
            members: vec![(Arc::from("budget"), Value::Text(Arc::clone(&budget.name)))],
        },
    }
}

/// What is kept back as a value, so that it goes on from part to part with the variables.
fn held_value(held: &Held) -> Value {
    let account = |(at, account): &(u16, Account)| {
        let parts = [
            Value::Integer(i64::from(*at)),
            Value::Text(Arc::clone(&account.key)),
            Value::Integer(account.since),
        ];
        Value::List(parts.into())
    };
    let amount = held.amount.map_or(Value::Absent, Value::Decimal);
    Value::List(std::iter::once(amount).chain(held.accounts.iter().map(account)).collect())
}

fn read_held(program: &formwork_language::program::Program, value: &Value) -> Option<Held> {
    let Value::List(parts) = value else { return None };
    let (first, accounts) = parts.split_first()?;
    let amount = match first {
        Value::Decimal(amount) => Some(*amount),
        _ => None,
    };
    let account = |part: &Value| {
        let Value::List(parts) = part else { return None };
        let [Value::Integer(at), Value::Text(key), Value::Integer(since)] = &parts[..] else { return None };
        let at = u16::try_from(*at).ok()?;
        let budget = Arc::clone(&program.budgets.get(usize::from(at))?.name);
        Some((at, Account { budget, key: Arc::clone(key), since: *since }))
    };
    Some(Held { amount, accounts: accounts.iter().map(account).collect::<Option<_>>()? })
}
