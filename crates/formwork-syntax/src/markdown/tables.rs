//! Puts the cells of a table together, and finds tables that pulldown-cmark takes for a paragraph's lines.

use crate::spans::Span;
use crate::tree::{PieceKind, Row, Table, Text};

/// A table that is being read.
pub(super) struct TableBuilder {
    table: Table,
    row: Option<Row>,
    in_header: bool,
    /// Where the cell begins that is being read.
    cell_start: u32,
}

impl TableBuilder {
    pub(super) fn new(span: Span) -> Self {
        let table = Table { header: Vec::new(), rows: Vec::new(), span };
        Self { table, row: None, in_header: false, cell_start: span.start }
    }

    /// Begins a row; `span` is trimmed.
    pub(super) fn open_row(&mut self, span: Span, is_header: bool) {
        self.in_header = is_header;
        self.row = Some(Row { cells: Vec::with_capacity(self.table.header.len()), span });
    }

    /// Begins a cell. A missing cell stands behind the line end: it is drawn back to the end of the row.
    pub(super) fn open_cell(&mut self, start: u32) {
        let end = self.row.as_ref().map_or(self.table.span.end, |row| row.span.end);
        self.cell_start = start.min(end);
    }

    /// Where an empty cell is placed.
    pub(super) fn cell_start(&self) -> u32 {
        self.cell_start
    }

    pub(super) fn add_cell(&mut self, text: Text) {
        if let Some(row) = &mut self.row {
            row.span = row.span.to(text.span);
            row.cells.push(text);
        }
    }

    pub(super) fn close_row(&mut self) {
        let Some(mut row) = self.row.take() else { return };
        if self.in_header {
            self.table.header = row.cells;
            return;
        }
        let end = Span::new(row.span.end, row.span.end);
        row.cells.resize_with(self.table.header.len(), || Text { span: end, pieces: Vec::new() });
        self.table.rows.push(row);
    }

    /// Ends the table with its last row.
    pub(super) fn finish(mut self) -> Table {
        self.close_row();
        if let Some(last) = self.table.rows.last() {
            self.table.span.end = last.span.end;
        }
        self.table
    }
}

/// The break in a paragraph behind which two lines look like the first two of a table. (In quotes the lines
/// bear marks of their own: there, a table wants its blank line.)
pub(super) fn line_before_table(source: &str, text: &Text) -> Option<usize> {
    let mut breaks =
        text.pieces.iter().enumerate().filter(|(_, piece)| matches!(piece.kind, PieceKind::Break));
    let (mut at, mut gap) = breaks.next()?;
    for (next_at, next_gap) in breaks {
        let header = Span::new(gap.span.end, next_gap.span.start).slice(source);
        if header.contains('|') && is_delimiter_row(line_from(source, next_gap.span.end, text.span.end)) {
            let is_quoted = gap.span.slice(source).contains('>') || next_gap.span.slice(source).contains('>');
            return (!is_quoted).then_some(at);
        }
        (at, gap) = (next_at, next_gap);
    }
    None
}

fn line_from(source: &str, start: u32, end: u32) -> &str {
    let rest = Span::new(start, end).slice(source);
    rest.split(['\n', '\r']).next().unwrap_or(rest)
}

fn is_delimiter_row(line: &str) -> bool {
    line.contains('-') && line.bytes().all(|byte| matches!(byte, b'|' | b':' | b'-' | b' ' | b'\t'))
}
