//! Puts the cells of a table together.

use crate::spans::Span;
use crate::tree::{Row, Table, Text};

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
