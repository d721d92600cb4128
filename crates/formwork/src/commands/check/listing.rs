//! What `--coverage` and `--suppressions` print: tables about a document, not findings.

use crate::table::table;
use formwork_check::{Analysis, Coverage, classes, coverage, coverage_by_section};

/// How much of each section was understood, with a line for the whole document.
pub(super) fn understood(path: &str, analysis: &Analysis) -> String {
    let head = ["Section", "understood", "narrative", "unfinished", "not understood"].map(str::to_owned);
    let row = |title: &str, counts: Coverage| {
        let numbers = [counts.understood, counts.narrative, counts.unfinished, counts.not_understood];
        let [understood, narrative, unfinished, not_understood] = numbers.map(|number| number.to_string());
        [title.to_owned(), understood, narrative, unfinished, not_understood]
    };
    let sections = coverage_by_section(analysis);
    let name =
        |title: &str| if title.is_empty() { "(outside of the form)".to_owned() } else { title.to_owned() };
    let mut rows: Vec<[String; 5]> =
        sections.iter().map(|(title, counts)| row(&name(title), *counts)).collect();
    rows.push(row("all", coverage(&classes(analysis))));
    format!("{path}\n{}", table(&head, &rows))
}

/// The comments that allow findings: place, code, how many findings each took away, and why.
pub(super) fn allowances(path: &str, analysis: &Analysis) -> String {
    let head = ["Place", "Code", "Allowed", "Reason"].map(str::to_owned);
    let rows: Vec<[String; 4]> = analysis
        .allowances
        .iter()
        .map(|allowance| {
            let line = analysis.lines.position(&analysis.source, allowance.span.start).line;
            let reason = match allowance.reason.as_str() {
                "" => "(none: allows nothing)",
                reason => reason,
            };
            let place = format!("{path}:{line}");
            [place, plain(&allowance.code), allowance.allowed.to_string(), plain(reason)]
        })
        .collect();
    if rows.is_empty() { format!("{path}: no suppressions\n") } else { table(&head, &rows) }
}

/// One line without control characters: a document cannot write on the terminal.
fn plain(text: &str) -> String {
    text.chars().map(|it| if it.is_control() { ' ' } else { it }).collect()
}
