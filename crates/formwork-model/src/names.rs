//! Names as people write them: when two mean the same, and which one was probably meant.
//!
//! Documents may declare tens of thousands of names: what asks for many of them keeps a [`NameIndex`], and a slip of
//! the pen is looked for among the first few hundred only. Source: language reference, *Values and names*.

use rustc_hash::FxHashMap;

/// Whether two names mean the same: case, separators and a plural are ignored (`ReadingLists`, `reading_list`).
pub fn same_name(one: &str, other: &str) -> bool {
    let one = name_key(one);
    !one.is_empty() && one == name_key(other)
}

/// Words for whoever calls, with or without a credential: what is granted to them is open to anyone, and in flows they
/// call without a key.
pub const ANYONE: [&str; 7] =
    ["anyone", "anybody", "everyone", "everybody", "anonymous", "visitor", "public"];

/// Whether a name is one of [`ANYONE`].
pub fn is_anyone(name: &str) -> bool {
    // Names that mean the same begin with the same letter.
    let first = name.chars().find(|letter| letter.is_alphanumeric());
    let begins = |word: &str| {
        first.is_some_and(|letter| !letter.is_ascii() || word.starts_with(letter.to_ascii_lowercase()))
    };
    ANYONE.iter().any(|word| begins(word) && same_name(word, name))
}

/// What names that mean the same have in common: letters and digits in lower case, in the singular. For looking
/// names up in a table; empty when a name has neither letter nor digit.
pub fn name_key(name: &str) -> String {
    singular(letters(name))
}

/// Names in the order of their declaration, found in the same time however many there are.
#[derive(Clone, Debug, Default)]
pub struct NameIndex {
    exact: FxHashMap<Box<str>, u32>,
    alike: FxHashMap<String, u32>,
}

impl NameIndex {
    /// Of several equal names the first is found.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut index = Self::default();
        for (at, name) in (0..).zip(names) {
            index.exact.entry(name.into()).or_insert(at);
            index.alike.entry(singular(letters(name))).or_insert(at);
        }
        index
    }

    /// The position of this very name.
    pub fn exact(&self, name: &str) -> Option<usize> {
        self.exact.get(name).map(|at| *at as usize)
    }

    /// The position of this name: an exact one wins, else the first that means the [same](same_name).
    pub fn find(&self, name: &str) -> Option<usize> {
        self.exact(name).or_else(|| {
            let letters = letters(name);
            if letters.is_empty() {
                return None;
            }
            self.alike.get(&singular(letters)).map(|at| *at as usize)
        })
    }
}

/// The candidate that is nearest to `name` by edit distance, if it is near enough to be a slip of the pen:
/// at most a third of the letters differ. The first 500 candidates are looked at.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted: Vec<char> = name.to_lowercase().chars().take(LONGEST).collect();
    let most = (wanted.len() / 3).max(1);
    let signature = signature(name);
    let mut letters: Vec<char> = Vec::new();
    let mut rows = Rows::default();
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates.into_iter().take(MOST_CANDIDATES) {
        let length = if candidate.is_ascii() { candidate.len() } else { candidate.chars().count() };
        let differing = (self::signature(candidate) ^ signature).count_ones() as usize;
        // A letter in one and not in the other costs at least half an edit.
        let is_far = differing > 2 * most && name.len() <= LONGEST;
        if length.abs_diff(wanted.len()) > most || is_far {
            continue;
        }
        letters.clear();
        match candidate.is_ascii() {
            true => letters.extend(candidate.bytes().map(|byte| char::from(byte.to_ascii_lowercase()))),
            false => letters.extend(candidate.to_lowercase().chars()),
        }
        // The first of several that are equally near is taken, so that a later one must be nearer.
        let least = best.map_or(most, |(distance, _)| distance - 1);
        let distance = rows.distance(&wanted, &letters, least);
        if distance.is_some_and(|distance| distance < length) {
            best = distance.map(|distance| (distance, candidate));
        }
        if matches!(best, Some((0, _))) {
            break;
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Whether two names differ by one slip of the pen: a letter too many, too few, wrong, or two that changed places. A
/// digit is no slip: `sha1` is not `sha2`; nor is a plural.
pub fn is_slip(one: &str, other: &str) -> bool {
    // Almost every pair differs in more than that, which the bytes tell.
    if one.is_ascii() && other.is_ascii() && !may_be_slip(one.as_bytes(), other.as_bytes()) {
        return false;
    }
    let letters = |name: &str| name.to_lowercase().chars().take(LONGEST).collect::<Vec<char>>();
    let digits =
        |name: &[char]| name.iter().filter(|letter| letter.is_ascii_digit()).copied().collect::<String>();
    let (first, second) = (letters(one), letters(other));
    let is_near = first.len().abs_diff(second.len()) <= 1;
    is_near
        && digits(&first) == digits(&second)
        && !same_name(one, other)
        && Rows::default().distance(&first, &second, 1) == Some(1)
}

/// Whether two names without letters of other alphabets can differ by one slip: what is left between their common
/// beginning and end is one letter or two.
fn may_be_slip(one: &[u8], other: &[u8]) -> bool {
    let (one, other) = (&one[..one.len().min(LONGEST)], &other[..other.len().min(LONGEST)]);
    if one.len().abs_diff(other.len()) > 1 {
        return false;
    }
    let same = |pair: &(&u8, &u8)| pair.0.eq_ignore_ascii_case(pair.1);
    let begin = one.iter().zip(other).take_while(same).count();
    let (one, other) = (&one[begin..], &other[begin..]);
    let end = one.iter().rev().zip(other.iter().rev()).take_while(same).count();
    (1..=2).contains(&(one.len() - end).max(other.len() - end))
}

/// Names beyond this many characters are compared by their beginning, so that comparing stays cheap.
const LONGEST: usize = 64;

/// How many names are compared with one that is not known, so that many unknown names in a document with many known
/// ones stay cheap.
const MOST_CANDIDATES: usize = 500;

/// Which letters and digits of ASCII stand in a name, one bit for each, without case.
fn signature(name: &str) -> u64 {
    let bit = |byte: u8| match byte {
        b'0'..=b'9' => 1 << (byte - b'0'),
        b'a'..=b'z' => 1 << (byte - b'a' + 10),
        b'A'..=b'Z' => 1 << (byte - b'A' + 10),
        _ => 0,
    };
    name.bytes().map(bit).fold(0, |all, bit| all | bit)
}

fn letters(name: &str) -> String {
    if name.is_ascii() {
        let mut letters = name.to_ascii_lowercase();
        if !letters.bytes().all(|letter| letter.is_ascii_alphanumeric()) {
            letters.retain(|letter| letter.is_ascii_alphanumeric());
        }
        return letters;
    }
    name.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Cuts a plural's ending off, without another copy of the name.
fn singular(mut name: String) -> String {
    if name.strip_suffix("ies").is_some_and(|stem| stem.len() > 1) {
        name.truncate(name.len() - 3);
        name.push('y');
    } else if ["sses", "shes", "ches", "xes"].iter().any(|ending| name.ends_with(ending)) {
        name.truncate(name.len() - 2);
    } else if name.strip_suffix('s').is_some_and(|stem| stem.len() > 1 && !stem.ends_with('s')) {
        name.pop();
    }
    name
}

/// The rows of the table in which edits are counted, kept from one pair of words to the next.
#[derive(Default)]
struct Rows {
    before: Vec<usize>,
    above: Vec<usize>,
    line: Vec<usize>,
}

impl Rows {
    /// Edits between two words, two neighbouring letters swapped counting as one (optimal string alignment); none
    /// when there are more than `most`.
    fn distance(&mut self, one: &[char], other: &[char], most: usize) -> Option<usize> {
        // What both begin and end with costs nothing, and names of one document often begin alike.
        let same = one.iter().zip(other).take_while(|(one, other)| one == other).count();
        let (one, other) = (&one[same..], &other[same..]);
        let same = one.iter().rev().zip(other.iter().rev()).take_while(|(one, other)| one == other).count();
        let (one, other) = (&one[..one.len() - same], &other[..other.len() - same]);
        let Self { before, above, line } = self;
        before.clear();
        above.clear();
        above.extend(0..=other.len());
        let mut least_above = 0;
        for (row, letter) in one.iter().enumerate() {
            line.clear();
            line.push(row + 1);
            let mut least_here = row + 1;
            for (column, against) in other.iter().enumerate() {
                let mut least = (above[column] + usize::from(letter != against))
                    .min(above[column + 1] + 1)
                    .min(line[column] + 1);
                let swapped =
                    row > 0 && column > 0 && *letter == other[column - 1] && one[row - 1] == *against;
                if swapped {
                    least = least.min(before[column - 1] + 1);
                }
                line.push(least);
                least_here = least_here.min(least);
            }
            // No later row is below the least of two neighbouring ones.
            if least_here > most && least_above > most {
                return None;
            }
            least_above = least_here;
            std::mem::swap(before, above);
            std::mem::swap(above, line);
        }
        above.last().copied().filter(|distance| *distance <= most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_separators_and_plural_do_not_matter() {
        assert!(same_name("ReadingLists", "reading_list"));
        assert!(same_name("categories", "Category"));
        assert!(same_name("addresses", "address"));
        assert!(same_name("Link store", "link-store"));
        assert!(!same_name("link", "visit"));
        assert!(!same_name("", "-"));
    }

    #[test]
    fn an_index_finds_what_comparing_each_name_finds() {
        let names = ["ReadingLists", "link", "Link", "links", "-", "", "categories"];
        let index = NameIndex::new(names);
        for name in ["reading_list", "link", "Link", "LINK", "links", "Category", "", "_", "visit"] {
            let exact = names.iter().position(|other| *other == name);
            let slow = exact.or_else(|| names.iter().position(|other| same_name(other, name)));
            assert_eq!(index.find(name), slow, "{name}");
            assert_eq!(index.exact(name), exact, "{name}");
        }
    }

    #[test]
    fn of_names_that_are_equally_near_the_first_is_taken() {
        assert_eq!(nearest("lnik", ["link", "lnik_", "lnk"]), Some("link"));
        assert_eq!(nearest("thing_17", ["thing_18", "thing_7", "thing_170"]), Some("thing_18"));
        assert_eq!(nearest("Link", ["lonk", "link"]), Some("link"));
    }

    #[test]
    fn the_nearest_name_is_one_slip_away() {
        assert_eq!(nearest("strng", ["string", "integer"]), Some("string"));
        assert_eq!(nearest("timestmap", ["time", "timestamp"]), Some("timestamp"));
        assert_eq!(nearest("geography", ["string", "integer"]), None);
        assert_eq!(nearest("", ["a"]), None);
    }
}
