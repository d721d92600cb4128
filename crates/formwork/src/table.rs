//! Tables of short texts for a terminal.

/// Lines the columns up, two blanks apart, under a head. Ends with a line end.
pub(crate) fn table<const COLUMNS: usize>(head: &[String; COLUMNS], rows: &[[String; COLUMNS]]) -> String {
    let widths: [usize; COLUMNS] = std::array::from_fn(|column| {
        let cells = rows.iter().chain([head]).map(|row| row[column].chars().count());
        cells.max().unwrap_or(0)
    });
    let line = |row: &[String; COLUMNS]| {
        let cells: Vec<String> =
            row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    std::iter::once(head).chain(rows).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let head = ["A", "B"].map(str::to_owned);
        let rows = [["größer", "x"], ["y", "z"]].map(|row| row.map(str::to_owned));
        assert_eq!(table(&head, &rows), "A       B\ngrößer  x\ny       z\n");
    }
}
