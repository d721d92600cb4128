//! What came out of a simulation, as text and as JSON. Source: docs/reference/simulation.md.

use crate::world::Counts;
use serde_json::{Value as Json, json};
use std::time::Duration;

/// Lines of the trace that the text shows.
const SHOWN: usize = 40;

/// What came out of a simulation.
#[derive(Clone, Debug)]
pub struct Report {
    /// The seed of the first run; the next ones have the next numbers.
    pub seed: u64,
    /// Runs that were carried out.
    pub runs: u64,
    /// How long that took.
    pub took: Duration,
    /// How much happened in them.
    pub counts: Counts,
    /// Operations that are served and were never answered with success.
    pub never: Vec<String>,
    /// What was found first, if anything.
    pub failure: Option<Failure>,
}

/// A run that fell short.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Its seed.
    pub seed: u64,
    /// What must not be.
    pub finding: String,
    /// The smallest run that was found to show it: callers and requests, and what may go wrong in it.
    pub plan: String,
    /// What happened in it.
    pub trace: Vec<String>,
}

impl Report {
    /// Whether nothing was found.
    pub fn is_fine(&self) -> bool {
        self.failure.is_none()
    }

    /// For people; `path` names the document.
    pub fn to_text(&self, path: &str) -> String {
        let mut text = String::new();
        let seconds = self.took.as_secs_f64().max(0.001);
        let counts = &self.counts;
        if let Some(failure) = &self.failure {
            text.push_str(&format!("✗ seed {}: {}\n\n", failure.seed, failure.finding));
            text.push_str(&format!("The smallest run that shows it: {}\n", failure.plan));
            let left_out = failure.trace.len().saturating_sub(SHOWN);
            if left_out > 0 {
                text.push_str(&format!("  … {left_out} lines before; `--format json` has them all\n"));
            }
            for line in failure.trace.iter().skip(left_out) {
                text.push_str(&format!("  {line}\n"));
            }
            text.push_str(&format!(
                "\nIt happens again with: formwork test {path} --only simulation --seed {}\n",
                failure.seed
            ));
        }
        for (name, [fine, refused, lost]) in &counts.operations {
            text.push_str(&format!(
                "  {name}: {fine} answered, {refused} refused, {lost} without an answer\n"
            ));
        }
        if !self.never.is_empty() {
            text.push_str(&format!("  never answered with success: {}\n", self.never.join(", ")));
        }
        let last = self.seed.wrapping_add(self.runs.saturating_sub(1));
        text.push_str(&format!(
            "{} {} runs (seeds {} to {last}) in {seconds:.1} s, {:.0} a second: {} requests, {} commits, {} runs of standing steps, {} parts, {} failed commits, {} kills, {} jumps of the time\n",
            if self.is_fine() { "✓" } else { "✗" },
            self.runs,
            self.seed,
            self.runs as f64 / seconds,
            counts.requests,
            counts.commits,
            counts.standing,
            counts.parts,
            counts.failed,
            counts.crashes,
            counts.jumps,
        ));
        text
    }

    /// For programs: the member `simulation` of a test's results.
    pub fn to_json(&self) -> Json {
        let counts = &self.counts;
        let operations: serde_json::Map<String, Json> = counts
            .operations
            .iter()
            .map(|(name, [fine, refused, lost])| {
                (name.clone(), json!({"answered": fine, "refused": refused, "unanswered": lost}))
            })
            .collect();
        let failure = self.failure.as_ref().map(|failure| {
            json!({
                "seed": failure.seed,
                "finding": failure.finding,
                "plan": failure.plan,
                "trace": failure.trace,
            })
        });
        json!({
            "verdict": if self.is_fine() { "pass" } else { "fail" },
            "seed": self.seed,
            "runs": self.runs,
            "seconds": (self.took.as_secs_f64() * 1000.0).round() / 1000.0,
            "requests": counts.requests,
            "commits": counts.commits,
            "failed_commits": counts.failed,
            "standing": counts.standing,
            "parts": counts.parts,
            "kills": counts.crashes,
            "jumps": counts.jumps,
            "operations": operations,
            "never_answered": self.never,
            "failure": failure,
        })
    }
}
