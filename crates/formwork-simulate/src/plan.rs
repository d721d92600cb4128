//! What one run may do, drawn from its seed, and the smaller plans that may show the same.

use crate::dice::Dice;

/// What one run may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// From which all chance of the run follows.
    pub(crate) seed: u64,
    /// Callers at the same time.
    pub(crate) clients: usize,
    /// Requests of each.
    pub(crate) requests: usize,
    /// Whether commits fail.
    pub(crate) failures: bool,
    /// Whether answers of committed calls are lost, and callers hang up.
    pub(crate) losses: bool,
    /// Whether calls are undone and run again.
    pub(crate) repeats: bool,
    /// Whether the node is killed and started again.
    pub(crate) crashes: bool,
    /// Whether the time jumps.
    pub(crate) jumps: bool,
    /// Whether external components fail, are slow or are silent.
    pub(crate) moods: bool,
}

impl Plan {
    /// The plan of a seed.
    pub(crate) fn of(seed: u64) -> Self {
        let mut dice = Dice::new(seed, 0);
        Self {
            seed,
            clients: 2 + usize::try_from(dice.below(5)).unwrap_or(0),
            requests: 6 + usize::try_from(dice.below(20)).unwrap_or(0),
            failures: dice.chance(40),
            losses: dice.chance(40),
            repeats: dice.chance(40),
            crashes: dice.chance(50),
            jumps: dice.chance(50),
            moods: dice.chance(60),
        }
    }

    /// Plans that do less, the boldest first.
    pub(crate) fn smaller(self) -> Vec<Self> {
        let mut plans = vec![
            Self { clients: 1, ..self },
            Self { clients: self.clients / 2, ..self },
            Self { requests: self.requests / 2, ..self },
            Self { requests: self.requests * 3 / 4, ..self },
            Self { requests: self.requests - 1, ..self },
            Self { failures: false, ..self },
            Self { losses: false, ..self },
            Self { repeats: false, ..self },
            Self { crashes: false, ..self },
            Self { jumps: false, ..self },
            Self { moods: false, ..self },
        ];
        plans.retain(|plan| *plan != self && plan.clients > 0 && plan.requests > 0);
        plans
    }

    /// What may go wrong, for people.
    pub(crate) fn troubles(self) -> String {
        let all = [
            (self.failures, "commits fail"),
            (self.losses, "answers are lost"),
            (self.repeats, "transactions are repeated"),
            (self.crashes, "the node is killed"),
            (self.jumps, "the time jumps"),
            (self.moods, "external components misbehave"),
        ];
        let names: Vec<&str> = all.into_iter().filter_map(|(is_on, name)| is_on.then_some(name)).collect();
        if names.is_empty() { "nothing goes wrong".to_owned() } else { names.join(", ") }
    }
}
