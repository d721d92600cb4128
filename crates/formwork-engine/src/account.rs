//! The arithmetic of a budget: what is kept back, charged and given back, in exact decimals.
//!
//! A budget of one key in one period is an [`Account`]; how it stands is its [`Standing`]. At any time what is spent and
//! what is kept back together do not exceed the limit, so that no operation that has been let in can overspend it. Who
//! keeps the standing is the store's business. Source: docs/reference/cost.md; decision 0126.

use formwork_language::value::Decimal;
use std::cmp::Ordering;
use std::sync::Arc;

/// A budget of one key in one period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The budget's name.
    pub budget: Arc<str>,
    /// For whom it is; empty for everybody together.
    pub key: Arc<str>,
    /// When its period began, in microseconds since the epoch.
    pub since: i64,
}

/// How an account stands. Neither number is ever negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What was charged.
    pub spent: Decimal,
    /// What operations under way keep back.
    pub reserved: Decimal,
}

/// Why an account does not take an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Short {
    /// It does not suffice.
    Exhausted,
    /// The numbers are beyond what can be computed.
    Arithmetic,
}

const ZERO: Decimal = Decimal::whole(0);

impl Default for Standing {
    fn default() -> Self {
        Self { spent: ZERO, reserved: ZERO }
    }
}

impl Standing {
    /// Keeps an amount back, when the limit allows.
    pub fn reserve(&mut self, amount: Decimal, limit: Option<Decimal>) -> Result<(), Short> {
        self.suffices(amount, limit)?;
        self.reserved = sum(self.reserved, amount)?;
        Ok(())
    }

    /// Whether an amount can be spent besides what is spent and kept back.
    pub fn suffices(&self, amount: Decimal, limit: Option<Decimal>) -> Result<(), Short> {
        let all = sum(sum(self.spent, self.reserved)?, amount)?;
        match limit {
            Some(limit) if all.compare(limit) == Ordering::Greater => Err(Short::Exhausted),
            _ => Ok(()),
        }
    }

    /// Gives back what was kept back.
    pub fn release(&mut self, amount: Decimal) -> Result<(), Short> {
        let left = self.reserved.checked_sub(amount).ok_or(Short::Arithmetic)?.trimmed();
        self.reserved = if left.compare(ZERO) == Ordering::Less { ZERO } else { left };
        Ok(())
    }

    /// Charges an amount.
    pub fn charge(&mut self, amount: Decimal) -> Result<(), Short> {
        self.spent = sum(self.spent, amount)?;
        Ok(())
    }

    /// What is neither spent nor kept back; never less than nothing.
    pub fn left(&self, limit: Decimal) -> Option<Decimal> {
        let left = limit.checked_sub(self.spent)?.checked_sub(self.reserved)?.trimmed();
        Some(if left.compare(ZERO) == Ordering::Less { ZERO } else { left })
    }
}

/// The percentages of a limit that a charge has reached: each once, since what is spent only grows.
pub(crate) fn reached(
    (before, after): (Decimal, Decimal),
    limit: Decimal,
    percentages: &[Decimal],
) -> impl Iterator<Item = Decimal> {
    let hundred = |spent: Decimal| spent.checked_mul(Decimal::whole(100));
    let (before, after) = (hundred(before), hundred(after));
    percentages.iter().copied().filter(move |percentage| {
        let Some(threshold) = limit.checked_mul(*percentage) else { return false };
        let is_below =
            |spent: Option<Decimal>| spent.is_some_and(|spent| spent.compare(threshold) == Ordering::Less);
        is_below(before) && after.is_some() && !is_below(after)
    })
}

fn sum(left: Decimal, right: Decimal) -> Result<Decimal, Short> {
    left.checked_add(right).map(Decimal::trimmed).ok_or(Short::Arithmetic)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cents(units: i128) -> Decimal {
        Decimal { units, scale: 2 }
    }

    /// What an operation does with an account.
    #[derive(Clone, Copy, Debug)]
    enum Deed {
        /// Keeps back so much.
        Reserve(i128),
        /// Ends the oldest that is open, charged this share of what it keeps back, in hundredths.
        Settle(i128),
        /// Fails the oldest that is open.
        Release,
    }

    fn deeds() -> impl Strategy<Value = Vec<Deed>> {
        let deed = prop_oneof![
            3 => (0i128..5_000).prop_map(Deed::Reserve),
            2 => (0i128..=100).prop_map(Deed::Settle),
            1 => Just(Deed::Release),
        ];
        proptest::collection::vec(deed, 0..200)
    }

    proptest! {
        #[test]
        fn an_account_stands_as_a_list_of_all_charges_and_open_amounts_says(
            deeds in deeds(), limit in 0i128..50_000,
        ) {
            let mut standing = Standing::default();
            // The naive model: every charge ever made and every amount that is open, in hundredths of cents.
            let (mut charged, mut open) = (Vec::<i128>::new(), std::collections::VecDeque::<i128>::new());
            for deed in deeds {
                match deed {
                    Deed::Reserve(amount) => {
                        let all = charged.iter().sum::<i128>() + 100 * open.iter().sum::<i128>();
                        let fits = all + 100 * amount <= 100 * limit;
                        let result = standing.reserve(cents(amount), Some(cents(limit)));
                        prop_assert_eq!(result, if fits { Ok(()) } else { Err(Short::Exhausted) });
                        if fits {
                            open.push_back(amount);
                        }
                    }
                    Deed::Settle(share) => {
                        let Some(amount) = open.pop_front() else { continue };
                        charged.push(amount * share);
                        prop_assert_eq!(standing.release(cents(amount)), Ok(()));
                        prop_assert_eq!(standing.charge(Decimal { units: amount * share, scale: 4 }), Ok(()));
                    }
                    Deed::Release => {
                        let Some(amount) = open.pop_front() else { continue };
                        prop_assert_eq!(standing.release(cents(amount)), Ok(()));
                    }
                }
                let spent = Decimal { units: charged.iter().sum(), scale: 4 };
                prop_assert!(standing.spent.compare(spent).is_eq(), "{:?} is not {:?}", standing, spent);
                let reserved = cents(open.iter().sum());
                prop_assert!(standing.reserved.compare(reserved).is_eq());
                let all = sum(standing.spent, standing.reserved);
                prop_assert!(all.is_ok_and(|all| all.compare(cents(limit)).is_le()), "overspent");
            }
        }

        #[test]
        fn each_percentage_is_reached_once_however_the_charges_fall(
            charges in proptest::collection::vec(0i128..3_000, 1..60), limit in 1i128..20_000,
        ) {
            let percentages = [Decimal::whole(50), Decimal { units: 805, scale: 1 }, Decimal::whole(100)];
            let mut standing = Standing::default();
            let mut told = Vec::new();
            for charge in &charges {
                let before = standing.spent;
                prop_assert_eq!(standing.charge(cents(*charge)), Ok(()));
                told.extend(reached((before, standing.spent), cents(limit), &percentages));
            }
            let total: i128 = charges.iter().sum();
            let expected: Vec<Decimal> = percentages
                .into_iter()
                .filter(|percentage| 1_000 * total >= limit * percentage.rescaled(1, formwork_language::value::Rounding::Exact).map_or(0, |it| it.units))
                .collect();
            prop_assert_eq!(told, expected);
        }
    }

    #[test]
    fn what_cannot_be_computed_is_said_and_changes_nothing() {
        let most = Decimal { units: i128::MAX, scale: 0 };
        let mut standing = Standing { spent: most, reserved: ZERO };
        assert_eq!(standing.reserve(Decimal::whole(1), None), Err(Short::Arithmetic));
        assert_eq!(standing.charge(Decimal::whole(1)), Err(Short::Arithmetic));
        assert_eq!(standing, Standing { spent: most, reserved: ZERO });
        assert_eq!(standing.left(Decimal::whole(5)), Some(ZERO));
    }
}
