//! The heads of all forms by their first letter, and the form whose head stands at the start of a sentence.

use crate::steps::{Form, STEPS, same_verb};
use crate::tokens::Token;
use std::sync::LazyLock;

/// A head of a form, cut into its words.
struct Head {
    form: &'static Form,
    words: Vec<&'static str>,
}

/// Heads by their first byte, in the order of the table. Both forms of a verb begin with the same letter, so that most
/// heads need no second look.
static HEADS: LazyLock<[Vec<Head>; 128]> = LazyLock::new(|| {
    let mut heads = [const { Vec::new() }; 128];
    for form in STEPS {
        for head in form.heads {
            let words: Vec<&str> = head.split(' ').collect();
            let letter = head.bytes().next().and_then(|byte| heads.get_mut(usize::from(byte)));
            letter
                .into_iter()
                .for_each(|heads: &mut Vec<Head>| heads.push(Head { form, words: words.clone() }));
        }
    }
    heads
});

/// The form with the longest head that stands at the start, and of how many tokens it is.
pub(super) fn find_head(tokens: &[Token]) -> Option<(&'static Form, usize)> {
    let begins = tokens.first()?.word()?.bytes().next()?;
    let heads = HEADS.get(usize::from(begins))?.iter();
    let found = heads.filter_map(|head| Some((head.form, length(&head.words, tokens)?)));
    found.max_by_key(|(_, length)| *length)
}

/// How many tokens at the start are this head, words of glue between its words not counted as misses.
fn length(head: &[&str], tokens: &[Token]) -> Option<usize> {
    let mut at = 0;
    for (number, word) in head.iter().enumerate() {
        while number > 0 && tokens.get(at).is_some_and(|token| token.is("the")) && *word != "the" {
            at += 1;
        }
        if !same_verb(word, tokens.get(at).and_then(Token::word)?) {
            return None;
        }
        at += 1;
    }
    Some(at)
}
