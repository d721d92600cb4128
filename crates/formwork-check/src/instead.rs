//! What an author reached for: the right verb in English, where the language has another form for what is meant.
//!
//! Only where the words that the form does not know leave no doubt; everything else is told by the form's notation.
//! Source: language reference, *Steps*.

/// A form, the words that it does not take, and how what they mean is written.
struct Other {
    form: &'static str,
    words: &'static [&'static str],
    written: &'static str,
}

const COUNT: &str =
    "`Counts` is for metrics. The number of rows: Lets `n` be the number of `E` where `EXPR`.";
const EVERY: &str = "of all rows that fit: Updates every `E` where `EXPR` with `f = EXPR`.";
const DELETED: &str = "of all rows that fit: Deletes every `E` where `EXPR`.";
const PAGES: &str = "a page at a time: Lists the `E` [where `EXPR`], newest first, 50 per page.";
const UPSERT: &str =
    "of a row that may be there: Creates or updates the `E` where `f = EXPR` with `g = EXPR`.";

const SUM: &str =
    "over rows: Lets `n` be the number of `E` …, or: the sum / smallest / largest / average of `E.f` ….";
const LOCK: &str = "so that nobody changes the row meanwhile: …, locking it. Of a list: …, locking them.";
const CLAIM: &str =
    "so that no two get the same row: …, skipping those taken by others, or fails with … / if any.";

static OTHERS: [Other; 10] = [
    Other {
        form: "Lets",
        words: &["count", "max", "min", "maximum", "minimum", "avg", "mean", "total", "highest", "lowest"],
        written: SUM,
    },
    Other { form: "Finds", words: &["for", "locked", "locking", "lock"], written: LOCK },
    Other { form: "Lists", words: &["for", "locked", "locking", "lock"], written: LOCK },
    Other { form: "Finds the first", words: &["for", "locked", "locking", "lock"], written: LOCK },
    Other { form: "Finds the first", words: &["skip", "skipping", "claiming", "unless"], written: CLAIM },
    Other { form: "Counts", words: &["where", "as", "in", "of", "for", "with"], written: COUNT },
    Other { form: "Updates", words: &["where"], written: EVERY },
    Other { form: "Deletes", words: &["where"], written: DELETED },
    Other { form: "Lists", words: &["paginated", "page", "pages", "paged", "limit"], written: PAGES },
    Other {
        form: "Creates",
        words: &["if", "unless", "where", "none", "one", "exists", "missing"],
        written: UPSERT,
    },
];

/// How it is written, when another form is meant. `word` is what `form` does not know, of one word or more.
pub(crate) fn of(form: &str, word: Option<&str>) -> Option<&'static str> {
    let first = word?.split([' ', '`', ',']).find(|word| !word.is_empty())?;
    let other = OTHERS.iter().find(|other| other.form == form && other.words.contains(&first))?;
    Some(other.written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_the_table_is_answered_and_no_other() {
        for other in &OTHERS {
            for word in other.words {
                assert_eq!(of(other.form, Some(&format!("{word} `x`"))), Some(other.written));
            }
            assert_eq!(of(other.form, Some("sideways")), None);
            assert_eq!(of(other.form, None), None);
        }
        assert_eq!(of("Finds", Some("where")), None);
    }
}
