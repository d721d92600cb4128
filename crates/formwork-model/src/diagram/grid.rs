//! A drawing as rows of cells, each with its place in the source, and what the characters of a drawing mean.

use super::Place;
use formwork_syntax::{Fence, Span};

/// The largest drawing that is read, so that reading stays cheap.
pub(super) const MOST_CELLS: usize = 60_000;

/// The cells of a drawing.
pub(super) struct Grid {
    rows: Vec<Vec<(char, u32)>>,
}

/// A direction on the grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Way {
    Up,
    Down,
    Left,
    Right,
}

impl Way {
    pub(super) const ALL: [Self; 4] = [Self::Up, Self::Down, Self::Left, Self::Right];

    pub(super) fn back(self) -> Self {
        match self {
            Self::Up => Self::Down,
            Self::Down => Self::Up,
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }

    pub(super) fn is_horizontal(self) -> bool {
        matches!(self, Self::Left | Self::Right)
    }

    /// The neighbouring place, unless it lies left of or above the drawing.
    pub(super) fn from(self, (row, column): Place) -> Option<Place> {
        Some(match self {
            Self::Up => (row.checked_sub(1)?, column),
            Self::Down => (row + 1, column),
            Self::Left => (row, column.checked_sub(1)?),
            Self::Right => (row, column + 1),
        })
    }
}

impl Grid {
    /// The cells of a fence's lines; none if there are too many.
    pub(super) fn new(source: &str, fence: &Fence) -> Option<Self> {
        let bytes: u32 = fence.lines.iter().map(|line| line.len()).sum();
        if bytes as usize > MOST_CELLS * 3 {
            return None;
        }
        let row = |line: &Span| {
            let text = line.slice(source).trim_end_matches(['\n', '\r']);
            text.char_indices().map(|(at, character)| (character, line.start + at as u32)).collect()
        };
        let rows: Vec<Vec<_>> = fence.lines.iter().map(row).collect();
        (rows.iter().map(Vec::len).sum::<usize>() <= MOST_CELLS).then_some(Self { rows })
    }

    /// The character of a cell; a blank outside the drawing.
    pub(super) fn at(&self, (row, column): Place) -> char {
        self.rows.get(row).and_then(|row| row.get(column)).map_or(' ', |(character, _)| *character)
    }

    pub(super) fn neighbour(&self, place: Place, way: Way) -> char {
        way.from(place).map_or(' ', |place| self.at(place))
    }

    /// All cells, row by row.
    pub(super) fn places(&self) -> impl Iterator<Item = Place> {
        self.rows
            .iter()
            .enumerate()
            .flat_map(|(row, cells)| (0..cells.len()).map(move |column| (row, column)))
    }

    /// How many columns a row has.
    pub(super) fn width(&self, row: usize) -> usize {
        self.rows.get(row).map_or(0, Vec::len)
    }

    /// The source of the cells of one row from one column to another, both included.
    pub(super) fn span(&self, row: usize, first: usize, last: usize) -> Option<Span> {
        let cells = self.rows.get(row)?;
        let (_, start) = cells.get(first)?;
        let (character, end) = cells.get(last)?;
        Some(Span::new(*start, end + character.len_utf8() as u32))
    }

    /// The text of the cells of one row.
    pub(super) fn text(&self, row: usize, first: usize, last: usize) -> String {
        (first..=last).map(|column| self.at((row, column))).collect()
    }

    /// Whether a cell holds a character of a word: neither blank, nor part of a line, border or arrow.
    pub(super) fn is_word(&self, place: Place) -> bool {
        let character = self.at(place);
        !character.is_whitespace() && !self.is_line(place) && self.head(place).is_none()
    }

    /// The words around a cell: up to two blanks, a line, or the end. With the place of their first character.
    pub(super) fn words(&self, place: Place) -> Option<(String, Span, Place)> {
        let (row, column) = place;
        if !self.is_word(place) {
            return None;
        }
        let reaches = |column: usize, next: Option<usize>, beyond: Option<usize>| {
            match next {
                Some(next) if self.is_word((row, next)) => Some(next),
                Some(next) if self.at((row, next)) == ' ' => {
                    beyond.filter(|beyond| self.is_word((row, *beyond)))
                }
                _ => None,
            }
            .filter(|next| *next != column && *next < self.width(row))
        };
        let (mut first, mut last) = (column, column);
        while let Some(next) = reaches(first, first.checked_sub(1), first.checked_sub(2)) {
            first = next;
        }
        while let Some(next) = reaches(last, Some(last + 1), Some(last + 2)) {
            last = next;
        }
        let name = self.text(row, first, last);
        name.chars().any(char::is_alphanumeric).then_some(())?;
        Some((name, self.span(row, first, last)?, (row, first)))
    }

    /// Whether a cell belongs to a line or border. A hyphen does only beside another part of a line.
    pub(super) fn is_line(&self, place: Place) -> bool {
        match self.at(place) {
            '-' | '=' => [Way::Left, Way::Right].iter().any(|way| {
                matches!(
                    self.neighbour(place, *way),
                    '-' | '=' | '>' | '<' | '+' | '─' | '▶' | '◀' | '►' | '◄'
                )
            }),
            '+' => {
                Way::ALL.iter().any(|way| matches!(self.neighbour(place, *way), '-' | '|' | '─' | '│' | '='))
            }
            '|' => true,
            character => ('\u{2500}'..='\u{257F}').contains(&character),
        }
    }

    /// Where an arrow's head points.
    pub(super) fn head(&self, place: Place) -> Option<Way> {
        let beside = |way: Way| self.neighbour(place, way);
        let is_free = |way: Way| !beside(way).is_alphanumeric();
        let upright =
            |character: char| matches!(character, '|' | '│' | '┃' | '║' | '+' | '┬' | '┴' | '┼' | '┆' | '┊');
        let level = |character: char| matches!(character, '-' | '=' | '─' | '━' | '═' | '┄' | '╌');
        match self.at(place) {
            '▶' | '►' | '→' | '⟶' => Some(Way::Right),
            '◀' | '◄' | '←' | '⟵' => Some(Way::Left),
            '▲' | '↑' => Some(Way::Up),
            '▼' | '↓' => Some(Way::Down),
            '>' if level(beside(Way::Left)) => Some(Way::Right),
            '<' if level(beside(Way::Right)) => Some(Way::Left),
            'v' | 'V' if upright(beside(Way::Up)) && is_free(Way::Left) && is_free(Way::Right) => {
                Some(Way::Down)
            }
            '^' if upright(beside(Way::Down)) => Some(Way::Up),
            _ => None,
        }
    }
}

/// The ways in which a character of a line leads.
pub(super) fn ways(character: char) -> &'static [Way] {
    use Way::{Down, Left, Right, Up};
    match character {
        '─' | '━' | '═' | '-' | '=' | '┄' | '┅' | '╌' | '┈' => &[Left, Right],
        '│' | '┃' | '║' | '|' | '┆' | '┇' | '╎' | '┊' => &[Up, Down],
        '┌' | '╔' | '╭' | '┏' => &[Right, Down],
        '┐' | '╗' | '╮' | '┓' => &[Left, Down],
        '└' | '╚' | '╰' | '┗' => &[Right, Up],
        '┘' | '╝' | '╯' | '┛' => &[Left, Up],
        '├' | '╠' | '┣' => &[Up, Down, Right],
        '┤' | '╣' | '┫' => &[Up, Down, Left],
        '┬' | '╦' | '┳' => &[Left, Right, Down],
        '┴' | '╩' | '┻' => &[Left, Right, Up],
        '┼' | '╬' | '╋' | '+' => &Way::ALL,
        _ => &[],
    }
}
