//! Section 11: deployment, release, recovery.

use crate::facts::Prose;

/// *Deployment Architecture*.
#[derive(Clone, Debug, Default)]
pub struct Deployment {
    /// `N replicas`
    pub replicas: Option<u64>,
    /// `stateless` is `Some(true)`, `stateful` `Some(false)`.
    pub stateless: Option<bool>,
    /// Environments in code.
    pub environments: Vec<String>,
    /// Every item as written.
    pub statements: Vec<Prose>,
}

/// *Release Process*.
#[derive(Clone, Debug, Default)]
pub struct Release {
    /// Percentages of a canary, in order.
    pub canary_percent: Vec<String>,
    /// How long each canary step lasts.
    pub step_seconds: Option<u64>,
    /// Every item as written.
    pub statements: Vec<Prose>,
}

/// *Disaster Recovery*.
#[derive(Clone, Debug, Default)]
pub struct Recovery {
    /// `backup every 1 h`
    pub backup_interval_seconds: Option<u64>,
    /// `kept 30 d`
    pub backup_kept_seconds: Option<u64>,
    /// `RPO ≤ 1 h`
    pub rpo_seconds: Option<u64>,
    /// `RTO ≤ 15 min`
    pub rto_seconds: Option<u64>,
    /// Every item as written.
    pub statements: Vec<Prose>,
}
