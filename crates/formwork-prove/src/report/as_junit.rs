//! The report as JUnit XML, as continuous-integration services read it: a suite per flow, a case per step.

use super::{FlowReport, Report, StepReport, Verdict};

impl Report {
    /// One `testsuites` element. `path` names the document.
    pub fn to_junit(&self, path: &str) -> String {
        let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        let suites: String = self.flows.iter().map(|flow| suite(flow, path)).collect();
        xml.push_str(&format!("<testsuites name=\"{}\">\n{suites}</testsuites>\n", escape(path)));
        xml
    }
}

fn suite(flow: &FlowReport, path: &str) -> String {
    let count = |wanted: &[Verdict]| flow.leaves().filter(|step| wanted.contains(&step.verdict)).count();
    let mut cases = String::new();
    for step in flow.steps.iter().chain(&flow.invariants) {
        push_cases(&mut cases, flow, step, path, "");
    }
    for case in &flow.errors {
        push_cases(&mut cases, flow, case, path, "error: ");
    }
    format!(
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" skipped=\"{}\">\n{cases}  </testsuite>\n",
        escape(&flow.name),
        flow.leaves().count(),
        count(&[Verdict::Fail]),
        count(&[Verdict::Inconclusive, Verdict::NotExecuted, Verdict::NotTestable]),
    )
}

/// A step, or the steps nested below it, each with the words of those around it before its own.
fn push_cases(cases: &mut String, flow: &FlowReport, step: &StepReport, path: &str, around: &str) {
    if step.steps.is_empty() {
        cases.push_str(&case(flow, step, path, around));
    }
    for nested in &step.steps {
        push_cases(cases, flow, nested, path, &format!("{around}{} ", step.text));
    }
}

fn case(flow: &FlowReport, step: &StepReport, path: &str, around: &str) -> String {
    let got = escape(step.got.as_deref().unwrap_or("narrative"));
    let inner = match step.verdict {
        Verdict::Pass => String::new(),
        Verdict::Fail => format!(
            "<failure message=\"expected {}, got {got}{}\">{}:{}{}</failure>",
            escape(step.expected.as_deref().unwrap_or_default()),
            step.differs.as_ref().map(|differs| format!("; {}", escape(differs))).unwrap_or_default(),
            escape(path),
            step.place.0.line,
            step.request.as_ref().map(|id| format!(", request {}", escape(id))).unwrap_or_default()
        ),
        _ => format!("<skipped message=\"{got}\"/>"),
    };
    format!(
        "    <testcase classname=\"{}\" name=\"{}{}\" line=\"{}\">{inner}</testcase>\n",
        escape(&flow.name),
        escape(around),
        escape(&step.text),
        step.place.0.line
    )
}

/// Escapes text for element content and attributes, and drops what XML 1.0 (2.2) cannot hold.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\t' | '\n' | '\r' => escaped.push(' '),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {}
            other => escaped.push(other),
        }
    }
    escaped
}
