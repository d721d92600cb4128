//! Names as people write them: when two mean the same, and which one was probably meant.
//!
//! Source: language reference, *Values and names*.

/// Whether two names mean the same: case, separators and a plural are ignored (`ReadingLists`, `reading_list`).
pub fn same_name(one: &str, other: &str) -> bool {
    let one = name_key(one);
    !one.is_empty() && one == name_key(other)
}

/// What names that mean the same have in common: letters and digits in lower case, in the singular. For looking
/// names up in a table; empty when a name has neither letter nor digit.
pub fn name_key(name: &str) -> String {
    singular(&letters(name))
}

/// The candidate that is nearest to `name` by edit distance, if it is near enough to be a slip of the pen:
/// at most a third of the letters differ.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted: Vec<char> = name.to_lowercase().chars().take(LONGEST).collect();
    let most = (wanted.len() / 3).max(1);
    candidates
        .into_iter()
        .filter(|candidate| candidate.chars().count().abs_diff(wanted.len()) <= most)
        .map(|candidate| {
            let letters: Vec<char> = candidate.to_lowercase().chars().collect();
            (distance(&wanted, &letters), candidate)
        })
        .filter(|(distance, candidate)| *distance <= most && *distance < candidate.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Names beyond this many characters are compared by their beginning, so that comparing stays cheap.
const LONGEST: usize = 64;

fn letters(name: &str) -> String {
    name.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn singular(name: &str) -> String {
    if let Some(stem) = name.strip_suffix("ies").filter(|stem| stem.len() > 1) {
        return format!("{stem}y");
    }
    for ending in ["sses", "shes", "ches", "xes"] {
        if name.ends_with(ending) {
            return name[..name.len() - 2].to_owned();
        }
    }
    match name.strip_suffix('s') {
        Some(stem) if stem.len() > 1 && !stem.ends_with('s') => stem.to_owned(),
        _ => name.to_owned(),
    }
}

/// Edits between two words, two neighbouring letters swapped counting as one (optimal string alignment).
fn distance(one: &[char], other: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=other.len()).collect();
    for (row, letter) in one.iter().enumerate() {
        let mut line = vec![row + 1];
        for (column, against) in other.iter().enumerate() {
            let mut least = (above[column] + usize::from(letter != against))
                .min(above[column + 1] + 1)
                .min(line[column] + 1);
            let swapped = row > 0 && column > 0 && *letter == other[column - 1] && one[row - 1] == *against;
            if swapped {
                least = least.min(before[column - 1] + 1);
            }
            line.push(least);
        }
        before = std::mem::replace(&mut above, line);
    }
    above.last().copied().unwrap_or(0)
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
    fn the_nearest_name_is_one_slip_away() {
        assert_eq!(nearest("strng", ["string", "integer"]), Some("string"));
        assert_eq!(nearest("timestmap", ["time", "timestamp"]), Some("timestamp"));
        assert_eq!(nearest("geography", ["string", "integer"]), None);
        assert_eq!(nearest("", ["a"]), None);
    }
}
