//! The report as text that reads like the document.

use super::{FlowReport, Report, StepReport, Verdict};

const GREEN: &str = "\u{1b}[32m";
const RED: &str = "\u{1b}[31m";
const FAINT: &str = "\u{1b}[2m";
const BOLD: &str = "\u{1b}[1m";
const PLAIN: &str = "\u{1b}[0m";

impl Report {
    /// Flow by flow: its title, each step with its mark, and below a step that fell short what was expected, what
    /// came, and the line of the document. `path` names the document.
    pub fn to_text(&self, path: &str, colour: bool) -> String {
        let mut text = String::new();
        for flow in &self.flows {
            write_flow(&mut text, flow, path);
        }
        write_summary(&mut text, self);
        if colour { text } else { without_colour(&text) }
    }
}

fn write_flow(text: &mut String, flow: &FlowReport, path: &str) {
    let remark = match flow.is_a_test() {
        false => format!("  {FAINT}not a test: no step of it is executable{PLAIN}"),
        true => String::new(),
    };
    text.push_str(&format!("{BOLD}{}{PLAIN}{remark}\n", flow.name));
    for step in flow.steps.iter().chain(&flow.invariants) {
        write_step(text, step, path, 1);
    }
    if !flow.errors.is_empty() {
        text.push_str("  Errors\n");
        for case in &flow.errors {
            write_step(text, case, path, 1);
        }
    }
    text.push('\n');
}

fn write_step(text: &mut String, step: &StepReport, path: &str, depth: usize) {
    let mark = match step.verdict {
        Verdict::Pass => format!("{GREEN}✓{PLAIN}"),
        Verdict::Fail => format!("{RED}✗{PLAIN}"),
        Verdict::Inconclusive => format!("{RED}·{PLAIN}"),
        Verdict::NotTestable | Verdict::NotExecuted => format!("{FAINT}·{PLAIN}"),
    };
    let indent = "  ".repeat(depth);
    let line = step.text.split_whitespace().collect::<Vec<_>>().join(" ");
    let said = step.got.as_deref().unwrap_or("not carried out");
    let remark = match step.verdict {
        Verdict::NotExecuted => format!("  {FAINT}(not executed){PLAIN}"),
        Verdict::Inconclusive | Verdict::NotTestable if step.steps.is_empty() => {
            format!("  {FAINT}({said}){PLAIN}")
        }
        _ => String::new(),
    };
    text.push_str(&format!("{indent}{mark} {line}{remark}\n"));
    for nested in &step.steps {
        write_step(text, nested, path, depth + 1);
    }
    if step.verdict != Verdict::Fail || !step.steps.is_empty() {
        return;
    }
    let place = format!("{path}:{}:{}", step.place.0.line, step.place.0.column);
    text.push_str(&format!("{indent}    {FAINT}{place}{PLAIN}\n"));
    for (label, value) in [
        ("expected", &step.expected),
        ("got", &step.got),
        ("differs", &step.differs),
        ("request", &step.request),
    ] {
        if let Some(value) = value {
            text.push_str(&format!("{indent}    {label:<9} {value}\n"));
        }
    }
}

fn write_summary(text: &mut String, report: &Report) {
    let tests = || report.flows.iter().filter(|flow| flow.is_a_test());
    let flows = |verdict| tests().filter(|flow| flow.verdict() == verdict).count();
    let counted = |counts: &[(usize, &str)]| {
        let said: Vec<String> = counts
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        if said.is_empty() { "none".to_owned() } else { said.join(", ") }
    };
    text.push_str(&format!(
        "{}: {}\n",
        plural(report.flows.len(), "flow"),
        counted(&[
            (flows(Verdict::Pass), "passed"),
            (flows(Verdict::Fail), "failed"),
            (flows(Verdict::Inconclusive), "inconclusive"),
            (flows(Verdict::NotTestable), "not testable here"),
            (report.flows.len() - tests().count(), "not a test"),
        ])
    ));
    text.push_str(&format!(
        "{}: {}\n",
        plural(report.flows.iter().flat_map(FlowReport::leaves).count(), "step"),
        counted(&[
            (report.count(Verdict::Pass), "passed"),
            (report.count(Verdict::Fail), "failed"),
            (report.count(Verdict::Inconclusive), "not carried out"),
            (report.count(Verdict::NotTestable), "not testable here"),
            (report.count(Verdict::NotExecuted), "narrative, not executed"),
        ])
    ));
}

fn plural(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

fn without_colour(text: &str) -> String {
    [GREEN, RED, FAINT, BOLD, PLAIN].iter().fold(text.to_owned(), |text, code| text.replace(code, ""))
}
