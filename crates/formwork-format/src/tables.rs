//! Tables: cells padded so that the bars stand below each other; wide tables with one blank around each cell.

use crate::written::Written;
use formwork_check::Edit;
use formwork_syntax::{Span, Table};

/// The widest line, in characters, up to which a table is aligned.
const WIDEST: usize = 120;

/// The changes to tables outside lists and quotes.
pub(crate) fn edits(written: &Written<'_>) -> Vec<Edit> {
    written.tables.iter().filter_map(|table| aligned(written.source, table)).collect()
}

fn aligned(source: &str, table: &Table) -> Option<Edit> {
    let text = table.span.slice(source);
    let begins_line = source[..table.span.start as usize].ends_with('\n') || table.span.start == 0;
    if !begins_line || text.contains("\\\\|") {
        return None;
    }
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let lines: Vec<Vec<&str>> = text.lines().map(cells).collect();
    let columns = table.header.len();
    if lines.len() != table.rows.len() + 2 || lines.iter().any(|line| line.len() != columns) {
        return None;
    }
    let kinds: Vec<Alignment> = lines[1].iter().map(|cell| Alignment::of(cell)).collect::<Option<_>>()?;
    let mut widths = vec![3; columns];
    for line in lines.iter().enumerate().filter(|(at, _)| *at != 1).map(|(_, line)| line) {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let is_narrow = widths.iter().map(|width| width.saturating_add(3)).sum::<usize>() < WIDEST;
    if !is_narrow {
        widths.iter_mut().for_each(|width| *width = 0);
    }
    let written: Vec<String> = lines
        .iter()
        .enumerate()
        .map(|(at, line)| {
            let cells: Vec<String> = match at {
                1 => kinds.iter().zip(&widths).map(|(kind, width)| kind.rule((*width).max(3))).collect(),
                _ => line
                    .iter()
                    .zip(&kinds)
                    .zip(&widths)
                    .map(|((cell, kind), width)| kind.pad(cell, *width))
                    .collect(),
            };
            format!("| {} |", cells.join(" | "))
        })
        .collect();
    let canonical = written.join(newline);
    (canonical != text).then(|| Edit { span: Span::new(table.span.start, table.span.end), text: canonical })
}

/// The cells of a line, without the blanks around them. A bar behind a backslash is part of its cell.
fn cells(line: &str) -> Vec<&str> {
    let line = line.trim();
    let line = line.strip_prefix('|').unwrap_or(line);
    let mut cells = Vec::new();
    let mut start = 0;
    for (at, _) in line.match_indices('|').filter(|(at, _)| !line[..*at].ends_with('\\')) {
        cells.push(line[start..at].trim());
        start = at + 1;
    }
    if !line[start..].trim().is_empty() || start == 0 {
        cells.push(line[start..].trim());
    }
    cells
}

/// To which side a column is aligned.
#[derive(Clone, Copy)]
enum Alignment {
    None,
    Left,
    Right,
    Center,
}

impl Alignment {
    /// Of a cell of the line below the header.
    fn of(cell: &str) -> Option<Self> {
        let is_rule = cell.contains('-') && cell.trim_matches(':').bytes().all(|byte| byte == b'-');
        is_rule.then_some(match (cell.starts_with(':'), cell.ends_with(':')) {
            (false, false) => Self::None,
            (true, false) => Self::Left,
            (false, true) => Self::Right,
            (true, true) => Self::Center,
        })
    }

    fn rule(self, width: usize) -> String {
        match self {
            Self::None => "-".repeat(width),
            Self::Left => format!(":{}", "-".repeat(width - 1)),
            Self::Right => format!("{}:", "-".repeat(width - 1)),
            Self::Center => format!(":{}:", "-".repeat(width - 2)),
        }
    }

    fn pad(self, cell: &str, width: usize) -> String {
        match self {
            Self::None | Self::Left => format!("{cell:<width$}"),
            Self::Right => format!("{cell:>width$}"),
            Self::Center => format!("{cell:^width$}"),
        }
    }
}
