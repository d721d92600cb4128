//! The names of entities and components in plain words, for subjects (`The Link API creates …`) and for words before a
//! code span that only repeat it. Looking for one takes the same time however many there are.

use crate::tokens::Token;
use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};

/// No names, for sentences that are read without them.
pub(crate) static NO_NAMES: Glossary = Glossary {
    joined: FxHashSet::with_hasher(FxBuildHasher),
    longest: FxHashMap::with_hasher(FxBuildHasher),
};

/// Names as lower-case words.
#[derive(Debug, Default)]
pub(crate) struct Glossary {
    /// The words of each name joined by blanks.
    joined: FxHashSet<String>,
    /// The number of words of the longest name that begins with a word.
    longest: FxHashMap<String, usize>,
}

impl Glossary {
    /// Gathers names; those without words are left out.
    pub(crate) fn new(names: impl IntoIterator<Item = Vec<String>>) -> Self {
        let mut glossary = Self::default();
        for mut words in names {
            glossary.joined.insert(words.join(" "));
            if let Some(first) = words.first_mut() {
                let first = std::mem::take(first);
                let longest = glossary.longest.entry(first).or_default();
                *longest = words.len().max(*longest);
            }
        }
        glossary
    }

    /// Whether a text in lower case is a name.
    pub(crate) fn has(&self, words: &str) -> bool {
        !words.is_empty() && self.joined.contains(words)
    }

    /// Whether the tokens are words and together a name.
    pub(crate) fn is_name(&self, tokens: &[Token]) -> bool {
        match tokens {
            [] => false,
            [word] => word.word().is_some_and(|word| self.has(word)),
            _ => self.lengths(tokens).last() == Some(&tokens.len()),
        }
    }

    /// The numbers of tokens at the start that are a name, ascending.
    pub(crate) fn lengths(&self, tokens: &[Token]) -> Vec<usize> {
        let first = tokens.first().and_then(Token::word);
        let Some((first, longest)) = first.and_then(|first| Some((first, *self.longest.get(first)?))) else {
            return Vec::new();
        };
        let mut found = Vec::new();
        let mut joined = first.to_owned();
        for length in 1..=longest {
            if length > 1 {
                let Some(word) = tokens.get(length - 1).and_then(Token::word) else { break };
                joined.push(' ');
                joined.push_str(word);
            }
            if self.joined.contains(&joined) {
                found.push(length);
            }
        }
        found
    }
}
