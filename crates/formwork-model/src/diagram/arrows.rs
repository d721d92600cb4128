//! The arrows of a drawing: from every head, the line is followed back to what it leaves.
//!
//! Words inside a level line, or beside an upright one, are the arrow's label.

use super::Place;
use super::boxes::Found;
use super::grid::{Grid, Way, ways};
use formwork_syntax::Span;
use rustc_hash::FxHashSet;

/// The most heads of one drawing, and the most cells that one line has.
const MOST_HEADS: usize = 400;
const MOST_CELLS: usize = 4_000;

/// What stands at an arrow's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// A box, by its index.
    Box(usize),
    /// Bare words around a cell.
    Words(Place),
}

/// An arrow.
pub(super) struct Arrow {
    pub(super) from: End,
    pub(super) to: End,
    pub(super) label: Option<String>,
    pub(super) span: Span,
}

/// Finds all arrows, by the places of their heads.
pub(super) fn find(grid: &Grid, boxes: &[Found]) -> Vec<Arrow> {
    let mut found = Vec::new();
    let heads = grid.places().filter_map(|place| Some((place, grid.head(place)?))).take(MOST_HEADS);
    for (head, way) in heads {
        let Some(to) = beyond(grid, boxes, head, way) else { continue };
        let mut walk = Walk { grid, boxes, seen: FxHashSet::default(), ends: Vec::new(), labels: Vec::new() };
        walk.go(head, way.back());
        let (labels, ends) = (walk.labels.join(" "), walk.ends);
        let row: Vec<usize> =
            walk.seen.iter().filter(|(row, _)| *row == head.0).map(|(_, column)| *column).collect();
        let first = row.iter().copied().min().unwrap_or(head.1).min(head.1);
        let last = row.iter().copied().max().unwrap_or(head.1).max(head.1);
        let Some(span) = grid.span(head.0, first, last) else { continue };
        let label = (!labels.is_empty()).then_some(labels);
        for from in ends.into_iter().filter(|from| *from != to) {
            found.push(Arrow { from, to, label: label.clone(), span });
        }
    }
    found
}

/// The smallest box whose border a cell is part of.
fn border(boxes: &[Found], place: Place) -> Option<usize> {
    let has_border = |(_, found): &(usize, &Found)| found.has_border(place);
    boxes.iter().enumerate().filter(has_border).min_by_key(|(_, found)| found.area()).map(|(at, _)| at)
}

/// What a head points at: a box whose border it touches or stands in, or words; one blank may lie between.
fn beyond(grid: &Grid, boxes: &[Found], head: Place, way: Way) -> Option<End> {
    if let Some(found) = border(boxes, head) {
        return Some(End::Box(found));
    }
    let next = way.from(head)?;
    for place in [Some(next), way.from(next)].into_iter().flatten() {
        if let Some(found) = border(boxes, place) {
            return Some(End::Box(found));
        }
        if grid.is_word(place) {
            return Some(End::Words(place));
        }
    }
    None
}

/// Following a line back from its head.
struct Walk<'g> {
    grid: &'g Grid,
    boxes: &'g [Found],
    seen: FxHashSet<Place>,
    ends: Vec<End>,
    labels: Vec<String>,
}

impl Walk<'_> {
    fn go(&mut self, head: Place, way: Way) {
        let mut open = vec![(head, way, false)];
        while let Some((place, way, branched)) = open.pop() {
            let Some(next) = way.from(place) else { continue };
            if self.seen.len() > MOST_CELLS || !self.seen.insert(next) {
                continue;
            }
            if let Some(found) = border(self.boxes, next) {
                self.end(End::Box(found));
            } else if let Some(facing) = self.grid.head(next) {
                // A head at the other end makes the arrow lead both ways; behind a fork it is another arrow's.
                if facing == way && !branched {
                    let end = beyond(self.grid, self.boxes, next, way);
                    end.into_iter().for_each(|end| self.end(end));
                }
            } else if self.grid.is_line(next) {
                let leads: Vec<Way> =
                    ways(self.grid.at(next)).iter().copied().filter(|lead| *lead != way.back()).collect();
                let branches = branched || leads.len() > 1;
                // A crossing goes straight on; only at a fork or corner the line turns.
                let turns = leads.iter().filter(|lead| leads.len() < 3 || **lead == way);
                open.extend(turns.map(|lead| (next, *lead, branches)));
                if !way.is_horizontal() {
                    self.label_beside(next);
                }
            } else if way.is_horizontal() {
                open.extend(self.through_words(next, way).map(|at| (at, way, branched)));
            } else if self.grid.is_word(next) {
                self.end(End::Words(next));
            }
        }
    }

    fn end(&mut self, end: End) {
        if !self.ends.contains(&end) {
            self.ends.push(end);
        }
    }

    /// Passes the words in a level line; the words at its end are what it leaves. Gives the last cell of words
    /// behind which the line goes on.
    fn through_words(&mut self, from: Place, way: Way) -> Option<Place> {
        let word = if self.grid.is_word(from) { from } else { way.from(from)? };
        if let Some(found) = border(self.boxes, word) {
            self.end(End::Box(found));
            return None;
        }
        let (text, _, (row, first)) = self.grid.words(word)?;
        let last = first + text.chars().count() - 1;
        let edge = (row, if way == Way::Left { first } else { last });
        let behind = way.from(edge).filter(|place| border(self.boxes, *place).is_none());
        let goes_on = |place: &Place| self.grid.is_line(*place) && ways(self.grid.at(*place)).contains(&way);
        let spaced = behind.filter(|place| self.grid.at(*place) == ' ').and_then(|place| way.from(place));
        let spaced = spaced.filter(|place| border(self.boxes, *place).is_none());
        if behind.as_ref().is_some_and(goes_on) {
            self.labels.push(text);
            return Some(edge);
        }
        if spaced.as_ref().is_some_and(goes_on) {
            self.labels.push(text);
            return behind;
        }
        self.end(End::Words(word));
        None
    }

    /// Words to the right of an upright line, one or two blanks away.
    fn label_beside(&mut self, (row, column): Place) {
        let beside = [column + 2, column + 3].into_iter().find(|at| self.grid.is_word((row, *at)));
        let is_free = self.grid.at((row, column + 1)) == ' ';
        let inside =
            |place: Place| self.boxes.iter().any(|found| found.holds(place) && !found.holds((row, column)));
        if let Some(at) = beside.filter(|at| is_free && !inside((row, *at)))
            && let Some((text, _, _)) = self.grid.words((row, at))
        {
            self.labels.push(text);
        }
    }
}
