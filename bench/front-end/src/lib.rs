//! Documents of any size: what the benchmark of the front end and the tests of its growth are fed with.
//!
//! A large document is a frame, the sections of the form, that holds the pieces of many teams. Each team has its own
//! component, operations, entities, flow, grants, limits and events under names of its own, so that a document of
//! any size is valid and has as many names as it has text.

/// The sections; `%% Title` stands where the pieces of that title go.
const FRAME: &str = include_str!("frame.md");
/// What one team adds to each of them; `@` is the team's number.
const TEAM: &str = include_str!("team.md");
/// What marks a piece, in both.
const MARK: &str = "%% ";

/// A valid document of about this many bytes.
pub fn document_of(bytes: usize) -> String {
    let (one, many) = (document(1).len(), document(101).len());
    let team = (many - one) / 100;
    document((bytes.saturating_sub(one) / team + 1).max(1))
}

/// A valid document of this many teams. Two entities and four operations belong to each.
pub fn document(teams: usize) -> String {
    let mut text = String::with_capacity(FRAME.len() + teams * (TEAM.len() + 512));
    for line in FRAME.split_inclusive('\n') {
        match line.strip_prefix(MARK) {
            Some(title) => (1..=teams).for_each(|team| push_piece(&mut text, title.trim_end(), team)),
            None => text.push_str(line),
        }
    }
    text
}

/// What a team writes under a title. One blank line parts the pieces that begin with a heading or label.
fn push_piece(text: &mut String, title: &str, team: usize) {
    let Some(piece) = TEAM.split(MARK).find_map(|piece| piece.strip_prefix(title)?.strip_prefix('\n')) else {
        return;
    };
    let piece = piece.strip_suffix("\n\n").map_or(piece.trim_end(), str::trim_end);
    let number = team.to_string();
    for (at, part) in piece.split('@').enumerate() {
        if at > 0 {
            text.push_str(&number);
        }
        text.push_str(part);
    }
    text.push_str(if piece.starts_with("- ") { "\n" } else { "\n\n" });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_piece_of_a_team_has_its_place_in_the_frame() {
        let titles = TEAM.lines().filter(|line| line.starts_with(MARK));
        assert!(titles.clone().count() > 10);
        for title in titles {
            assert!(FRAME.lines().any(|line| line == title), "{title}");
        }
        assert!(!document(2).contains(MARK) && !document(2).contains('@'));
    }

    #[test]
    fn a_document_has_the_size_that_was_asked_for() {
        for bytes in [20_000, 1_000_000] {
            let length = document_of(bytes).len();
            assert!((bytes * 9 / 10..bytes * 11 / 10 + 8_000).contains(&length), "{bytes}: {length}");
        }
    }

    #[test]
    fn a_large_document_is_valid() {
        let analysis = formwork_check::analyse(document(20).into());
        assert_eq!(analysis.model.entities.len(), 40);
        assert!(!analysis.has_errors(), "{:?}", analysis.diagnostics);
    }
}
