//! The report as JSON. Source: interfaces, *Test results as JSON*.

use super::{FlowReport, Place, Report, StepReport};
use formwork_syntax::Position;
use serde_json::{Value as Json, json};

impl Report {
    /// One object; `errors` of a flow are its error cases, in the shape of steps; `steps` of a step are nested ones.
    pub fn to_json(&self) -> Json {
        json!({
            "version": 1,
            "verdict": self.verdict().name(),
            "seed": self.seed,
            "flows": self.flows.iter().map(flow).collect::<Vec<_>>(),
            "claims": [],
        })
    }
}

fn flow(flow: &FlowReport) -> Json {
    let mut json = json!({
        "name": flow.name,
        "span": span(flow.place),
        "verdict": flow.verdict().name(),
        "steps": flow.steps.iter().map(step).collect::<Vec<_>>(),
        "errors": flow.errors.iter().map(step).collect::<Vec<_>>(),
    });
    if let Some(invariants) = &flow.invariants {
        json["invariants"] = step(invariants);
    }
    json
}

fn step(step: &StepReport) -> Json {
    let mut json = json!({
        "text": step.text,
        "span": span(step.place),
        "verdict": step.verdict.name(),
        "expected": step.expected,
        "got": step.got,
    });
    if let Some(differs) = &step.differs {
        json["differs"] = differs.as_str().into();
    }
    if let Some(request) = &step.request {
        json["request_id"] = request.as_str().into();
    }
    if !step.steps.is_empty() {
        json["steps"] = step.steps.iter().map(self::step).collect();
    }
    json
}

fn span((start, end): Place) -> Json {
    json!({"start": position(start), "end": position(end)})
}

fn position(position: Position) -> Json {
    json!({"line": position.line, "column": position.column, "offset": position.offset})
}
