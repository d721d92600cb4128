//! A failing document made smaller: pieces are taken out as long as what is left still fails.

use std::time::{Duration, Instant};

/// How long is looked for a smaller one.
const LONGEST: Duration = Duration::from_secs(10);

/// The smallest text that was found for which `fails` holds; it must hold for `text`.
pub fn smaller(text: &str, fails: impl Fn(&str) -> bool) -> String {
    let begin = Instant::now();
    let mut kept: Vec<&str> = text.split_inclusive('\n').collect();
    let mut size = kept.len().div_ceil(2);
    while size > 0 && begin.elapsed() < LONGEST {
        let mut at = 0;
        let mut found = false;
        while at < kept.len() && begin.elapsed() < LONGEST {
            let end = (at + size).min(kept.len());
            let rest = [&kept[..at], &kept[end..]].concat();
            if fails(&rest.concat()) {
                kept = rest;
                found = true;
            } else {
                at = end;
            }
        }
        size = if found && size == 1 { 1 } else { size / 2 };
    }
    kept.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_lines_that_matter_are_left() {
        let text = (0..200).map(|number| format!("line {number}\n")).collect::<String>();
        let left = smaller(&text, |text| text.contains("line 17\n") && text.contains("line 150\n"));
        assert_eq!(left, "line 17\nline 150\n");
    }
}
