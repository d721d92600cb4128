//! Section 12: tests, benchmarks, resilience and load scenarios.

use crate::facts::Prose;

/// Section 12, one list per label, each item as written.
#[derive(Clone, Debug, Default)]
pub struct Testing {
    /// *Unit/Integration Tests*
    pub unit: Vec<Prose>,
    /// *Quality Benchmarks*
    pub quality: Vec<Prose>,
    /// *Resilience Testing*
    pub resilience: Vec<Prose>,
    /// *Performance/Load Testing*
    pub load: Vec<Prose>,
}
