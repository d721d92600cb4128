//! Replacements to a new text.

use formwork_check::Edit;

/// The text after the edits. Of two that overlap or stand at one place, the first one in the text is made, and of
/// those that begin together the one that comes first in the list; one outside the text, or inside a character, is
/// left out.
pub fn apply(source: &str, edits: &[Edit]) -> String {
    let mut ordered: Vec<&Edit> = edits.iter().collect();
    ordered.sort_by_key(|edit| edit.span.start);
    let mut text = String::with_capacity(source.len());
    let mut done = 0;
    let mut last_start = None;
    for edit in ordered {
        let (start, end) = (edit.span.start as usize, edit.span.end as usize);
        let fits = source.get(start..end).is_some() && start >= done && last_start != Some(start);
        if fits {
            text.push_str(&source[done..start]);
            text.push_str(&edit.text);
            done = end;
            last_start = Some(start);
        }
    }
    text.push_str(&source[done..]);
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use formwork_syntax::Span;

    fn edit(start: u32, end: u32, text: &str) -> Edit {
        Edit { span: Span::new(start, end), text: text.to_owned() }
    }

    #[test]
    fn edits_are_made_by_place_whatever_their_order() {
        assert_eq!(apply("abcdef", &[edit(4, 5, "E"), edit(0, 1, "A"), edit(2, 2, "-")]), "Ab-cdEf");
    }

    #[test]
    fn of_two_that_overlap_the_first_is_made() {
        assert_eq!(apply("abcdef", &[edit(0, 3, "x"), edit(2, 4, "y")]), "xdef");
        assert_eq!(apply("abcdef", &[edit(1, 1, "x"), edit(1, 2, "y")]), "axbcdef");
    }

    #[test]
    fn what_does_not_fit_the_text_is_left_out() {
        assert_eq!(apply("ä", &[edit(1, 2, "x"), edit(7, 9, "y"), edit(0, 2, "ö")]), "ö");
    }
}
