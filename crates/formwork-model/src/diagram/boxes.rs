//! The boxes of a drawing: rectangles of border characters, and the words in them.

use super::grid::{Grid, Way, ways};
use super::{Node, Place};

/// The most boxes of one drawing.
const MOST: usize = 400;

/// How many corners to the right are tried for one corner on the left.
const MOST_CORNERS: usize = 16;

/// A box, by its border: its first row, and the columns of its sides in each row from there to its last.
///
/// Sides may stand off by one column, since people do not always count their blanks.
#[derive(Clone, Debug)]
pub(super) struct Found {
    top: usize,
    sides: Vec<(usize, usize)>,
}

/// Finds all boxes, from the top left.
pub(super) fn find(grid: &Grid) -> Vec<Found> {
    grid.places()
        .filter(|place| leads(grid, *place, Way::Right) && leads(grid, *place, Way::Down))
        .filter_map(|place| below(grid, place))
        .take(MOST)
        .collect()
}

/// The smallest box with this upper left corner.
fn below(grid: &Grid, (top, left): Place) -> Option<Found> {
    if ways(grid.at((top, left))).contains(&Way::Up) && grid.at((top, left)) != '+' {
        return None;
    }
    let mut corners = 0;
    for right in left + 1..grid.width(top) {
        if !is_level(grid, (top, right)) || corners == MOST_CORNERS {
            return None;
        }
        let is_corner = leads(grid, (top, right), Way::Down) && leads(grid, (top, right), Way::Left);
        if !is_corner {
            continue;
        }
        corners += 1;
        let is_end = !leads(grid, (top, right), Way::Right) || grid.at((top, right)) == '+';
        if is_end
            && right > left + 1
            && let Some(sides) = sides(grid, top, left, right)
        {
            return Some(Found { top, sides });
        }
    }
    None
}

/// The sides of a box with this upper border, row by row, down to its lower border.
fn sides(grid: &Grid, top: usize, left: usize, right: usize) -> Option<Vec<(usize, usize)>> {
    let mut sides = vec![(left, right)];
    loop {
        let row = top + sides.len();
        let (first, last) = (side(grid, row, left)?, side(grid, row, right)?);
        sides.push((first, last));
        let is_closed = leads(grid, (row, first), Way::Right)
            && leads(grid, (row, last), Way::Left)
            && (first + 1..last).all(|column| is_level(grid, (row, column)));
        let is_corner = !leads(grid, (row, first), Way::Down) || grid.at((row, first)) == '+';
        if is_closed && is_corner && sides.len() > 2 {
            return Some(sides);
        }
    }
}

/// The column of a side in one row: where it should be, else one beside it, else a head in its place.
fn side(grid: &Grid, row: usize, column: usize) -> Option<usize> {
    let leads_on = |column: &usize| leads(grid, (row, *column), Way::Up);
    let near = [Some(column), Some(column + 1), column.checked_sub(1)];
    near.into_iter()
        .flatten()
        .find(leads_on)
        .or_else(|| Some(column).filter(|column| is_head(grid, (row, *column))))
}

/// Whether a cell can be part of an upper or lower border; an arrow's head may stand in it.
fn is_level(grid: &Grid, place: Place) -> bool {
    leads(grid, place, Way::Left) || leads(grid, place, Way::Right) || is_head(grid, place)
}

fn is_head(grid: &Grid, place: Place) -> bool {
    matches!(grid.at(place), '▶' | '►' | '◀' | '◄' | '▲' | '▼')
}

impl Found {
    fn bottom(&self) -> usize {
        self.top + self.sides.len() - 1
    }

    fn sides_of(&self, row: usize) -> Option<(usize, usize)> {
        self.sides.get(row.checked_sub(self.top)?).copied()
    }

    /// Whether a cell is part of the border.
    pub(super) fn has_border(&self, (row, column): Place) -> bool {
        self.sides_of(row).is_some_and(|(left, right)| {
            let is_edge = row == self.top || row == self.bottom();
            column == left || column == right || (is_edge && (left..=right).contains(&column))
        })
    }

    /// Whether a cell lies in the box or on its border.
    pub(super) fn holds(&self, (row, column): Place) -> bool {
        self.sides_of(row).is_some_and(|(left, right)| (left..=right).contains(&column))
    }

    pub(super) fn area(&self) -> usize {
        self.sides.iter().map(|(left, right)| right - left).sum()
    }

    fn is_within(&self, other: &Self) -> bool {
        let corners = [(self.top, self.sides[0].0), (self.bottom(), self.sides[self.sides.len() - 1].1)];
        self.area() < other.area() && corners.iter().all(|corner| other.holds(*corner))
    }

    /// The words in the box, with the place of their first line. A box that holds boxes is named by its first line of words.
    pub(super) fn node(&self, grid: &Grid, all: &[Self]) -> Option<Node> {
        let inner: Vec<&Self> = all.iter().filter(|other| other.is_within(self)).collect();
        let mut lines = Vec::new();
        for row in self.top + 1..self.bottom() {
            let Some((left, right)) = self.sides_of(row) else { continue };
            let is_own = |column: &usize| {
                let place = (row, *column);
                grid.is_word(place) && !inner.iter().any(|other| other.holds(place))
            };
            let first = (left + 1..right).find(is_own);
            let last = (left + 1..right).rev().find(is_own);
            let Some((first, last)) = first.zip(last) else { continue };
            if inner.is_empty() {
                lines.push((row, first, last));
            } else if let Some((name, span, place)) = grid.words((row, first)) {
                return Some(Node { name, span, place });
            }
        }
        let (row, first, last) = *lines.first()?;
        let span = grid.span(row, first, last)?;
        let words: Vec<String> =
            lines.iter().map(|(row, first, last)| grid.text(*row, *first, *last)).collect();
        let name = words.join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
        Some(Node { name, span, place: (self.top, self.sides[0].0) })
    }
}

fn leads(grid: &Grid, place: Place, way: Way) -> bool {
    ways(grid.at(place)).contains(&way)
}
