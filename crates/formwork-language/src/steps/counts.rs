//! Metrics: ``Counts `metric` [by `EXPR`].``, ``Observes `EXPR` in `metric`.``

use crate::lower::Lowering;
use crate::program::Instruction;
use crate::steps::clause::{Clause, Misread, TailKind};
use crate::steps::{Action, Form, Grammar};
use formwork_model::values::Type;
use formwork_syntax::Code;

/// ``Counts `metric` …``
pub(crate) static COUNTS: Form = Form {
    name: "Counts",
    heads: &["counts"],
    notation: "Counts `metric` [by `EXPR`].",
    tails: &[TailKind::By],
    grammar: Grammar::Tails(read_counts),
};

/// ``Observes `EXPR` in `metric`.``
pub(crate) static OBSERVES: Form = Form {
    name: "Observes",
    heads: &["observes"],
    notation: "Observes `EXPR` in `metric`.",
    tails: &[TailKind::In],
    grammar: Grammar::Tails(read_observes),
};

#[derive(Debug)]
struct Counts {
    metric: Code,
    by: Option<Code>,
}

fn read_counts(clause: &mut Clause<'_>) -> Result<Box<dyn Action>, Misread> {
    let by = clause.one_code(TailKind::By, "an expression in backticks")?;
    let mut reader = clause.take_object();
    let metric = reader.code("the name of a metric in backticks")?;
    reader.end("`by` or the end of the sentence")?;
    Ok(Box::new(Counts { metric, by }))
}

impl Action for Counts {
    fn lower(&self, cx: &mut Lowering<'_>) {
        let by = match &self.by {
            Some(code) => match cx.value_of(code, &Type::Integer, "`by`") {
                Some(value) => Some(value),
                None => return,
            },
            None => None,
        };
        if let Some(metric) = cx.metric(&self.metric, false) {
            cx.push(Instruction::Count { metric, by });
        }
    }
}

#[derive(Debug)]
struct Observes {
    value: Code,
    metric: Code,
}

fn read_observes(clause: &mut Clause<'_>) -> Result<Box<dyn Action>, Misread> {
    let Some(metric) = clause.one_code(TailKind::In, "the name of a metric in backticks")? else {
        return Err(clause.missing("`in`: which metric"));
    };
    let mut reader = clause.take_object();
    let value = reader.code("an expression in backticks")?;
    reader.end("`in`")?;
    Ok(Box::new(Observes { value, metric }))
}

impl Action for Observes {
    fn lower(&self, cx: &mut Lowering<'_>) {
        let value = cx.observed(&self.value);
        let metric = cx.metric(&self.metric, true);
        if let (Some(value), Some(metric)) = (value, metric) {
            cx.push(Instruction::Observe { metric, value });
        }
    }
}
