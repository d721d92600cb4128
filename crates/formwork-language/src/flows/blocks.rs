//! Steps that hold steps: `At once:`, `Twice:`, `N times:`.

use super::names::Scope;
use super::{calls, note_misread, read_items, read_sentence};
use crate::behaviour::{FlowAction, FlowStep, flow_slots};
use crate::expression::Kind;
use crate::steps::clause::Misread;
use crate::steps::{Form, Grammar};
use crate::tokens::{self, Sentence, Token};
use formwork_model::Class;
use formwork_model::facts::StepItem;
use formwork_syntax::Span;

/// For messages.
pub(super) static AT_ONCE: Form = Form {
    name: "At once:",
    heads: &[],
    notation: "At once: with calls and components that run below it, then: exactly `1` of them gets `200`, the others \
               get `409`.",
    tails: &[],
    grammar: Grammar::Unsupported,
};

/// For messages.
pub(super) static TIMES: Form = Form {
    name: "N times:",
    heads: &[],
    notation: "Twice: · `3` times: with steps below it.",
    tails: &[],
    grammar: Grammar::Unsupported,
};

/// The form that a sentence begins like.
pub(super) fn form(sentence: &Sentence) -> &'static Form {
    if sentence.tokens.first().is_some_and(|token| token.is("at")) { &AT_ONCE } else { &TIMES }
}

/// More rounds than this, those of blocks around it included, are refused.
const MOST_ROUNDS: u32 = 10_000;

/// What a sentence that ends in a colon begins.
#[derive(Clone, Copy)]
pub(super) enum Head {
    /// `At once:`
    Together,
    /// `N times:`
    Repeat(u32),
}

/// The block that a sentence begins; nothing when it begins none.
pub(super) fn head(source: &str, sentence: &Sentence) -> Option<Result<Head, Misread>> {
    let (colon, words) = sentence.tokens.split_last()?;
    if !colon.is_sign(':') {
        return None;
    }
    let (first, rest) = words.split_first()?;
    let wrong = |word: &Token, expected: &str| {
        Some(Err(Misread { word: Some(word.shown(source)), expected: expected.to_owned(), span: word.span }))
    };
    if first.is("at") && rest.first().is_some_and(|next| next.is("once")) {
        return match rest.get(1) {
            Some(more) => wrong(more, "a colon and the calls below it"),
            None => Some(Ok(Head::Together)),
        };
    }
    if first.is("twice") || first.is("thrice") {
        let times = if first.is("twice") { 2 } else { 3 };
        return match rest.first() {
            Some(more) => wrong(more, "a colon and the steps below it"),
            None => Some(Ok(Head::Repeat(times))),
        };
    }
    let [times] = rest else { return None };
    if !times.is("times") {
        return None;
    }
    let shown = first.shown(source).replace(['_', ','], "");
    match number(shown.trim()).filter(|times| (1..=1_000).contains(times)) {
        Some(times) => Some(Ok(Head::Repeat(times))),
        None => wrong(first, "how often, from 1 to 1,000"),
    }
}

/// A block that is written as one sentence, with its call behind the number; nothing when it is none.
pub(super) fn in_one_line(source: &str, sentence: &Sentence) -> Option<Misread> {
    let mut tokens = sentence.tokens.iter();
    let first = tokens.next()?;
    let repeats = first.is("twice")
        || first.is("thrice")
        || (tokens.next()?.is("times") && number(first.shown(source).trim()).is_some());
    let calls = super::calls::is_call(&sentence.tokens) && super::calls::is_formal(source, &sentence.tokens);
    (repeats && calls).then(|| Misread {
        word: None,
        expected: "a colon at the end of its line, and the steps below it, each an item of its own"
            .to_owned(),
        span: sentence.span,
    })
}

/// Small numbers in words.
pub(super) const WORDS: [&str; 11] =
    ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];

fn number(text: &str) -> Option<u32> {
    let word = WORDS.iter().position(|word| text.eq_ignore_ascii_case(word));
    text.parse().ok().or_else(|| word.and_then(|at| u32::try_from(at).ok()))
}

/// Reads what stands below a head.
pub(super) fn read(
    scope: &mut Scope<'_>,
    item: &StepItem,
    sentence: &Sentence,
    head: Head,
) -> Option<FlowAction> {
    if item.nested.is_empty() {
        let expected = match head {
            Head::Together => "the calls below it, each an item of its own",
            Head::Repeat(_) => "the steps below it, each an item of its own",
        };
        let misread = Misread { word: None, expected: expected.to_owned(), span: sentence.span };
        note_misread(scope, form(sentence), misread);
        return None;
    }
    match head {
        Head::Together => Some(together(scope, &item.nested)),
        Head::Repeat(times) => repeat(scope, item, sentence.span, times),
    }
}

fn repeat(scope: &mut Scope<'_>, item: &StepItem, span: Span, times: u32) -> Option<FlowAction> {
    let around = scope.rounds;
    let rounds = around.saturating_mul(times);
    if rounds > MOST_ROUNDS {
        let expected = "at most 10,000 rounds, those of the blocks around it included".to_owned();
        note_misread(scope, &TIMES, Misread { word: None, expected, span });
        return None;
    }
    scope.rounds = rounds;
    let mut steps = Vec::new();
    scope.knowing("n", flow_slots::N, Kind::Integer, |scope| read_items(scope, &item.nested, &mut steps));
    scope.rounds = around;
    Some(FlowAction::Repeat { times, steps })
}

fn together(scope: &mut Scope<'_>, items: &[StepItem]) -> FlowAction {
    let mut branches = Vec::new();
    read_branches(scope, items, &mut branches);
    for step in &branches {
        let fits = matches!(
            step.action,
            None | Some(
                FlowAction::Call { .. }
                    | FlowAction::AtOnce { .. }
                    | FlowAction::RunComponent(_)
                    | FlowAction::Tally { .. }
            )
        );
        if !fits {
            let expected = "calls and components that run, and how many of them get what".to_owned();
            let word = Some(step.span.slice(scope.world.source).to_owned());
            note_misread(scope, &AT_ONCE, Misread { word, expected, span: step.span });
        }
    }
    FlowAction::Together { branches }
}

fn read_branches(scope: &mut Scope<'_>, items: &[StepItem], branches: &mut Vec<FlowStep>) {
    for item in items {
        for sentence in tokens::sentences(scope.world.source, &item.text) {
            let (call, tally) = split(&sentence);
            if let Some(call) = call {
                read_sentence(scope, item, &call, branches);
            }
            if let Some(tally) = tally
                && !take_tally(scope, item, &tally, branches)
            {
                read_sentence(scope, item, &tally, branches);
            }
        }
        read_branches(scope, &item.nested, branches);
    }
}

/// What says how many of the calls get what, behind the last call without a line between.
fn split(sentence: &Sentence) -> (Option<Sentence>, Option<Sentence>) {
    let tokens = &sentence.tokens;
    // N callers at once have a tally of their own behind a semicolon.
    let own = tokens.windows(2).any(|pair| pair[0].is("at") && pair[1].is("once"));
    let is_tally = |at: &usize| {
        tokens[*at].is("exactly")
            && !(own && at.checked_sub(1).is_some_and(|before| tokens[before].is_sign(';')))
    };
    let Some(at) = (0..tokens.len()).find(is_tally) else {
        let begins = ["all", "each", "the"].iter().any(|word| tokens.first().is_some_and(|it| it.is(word)));
        return if begins { (None, Some(sentence.clone())) } else { (Some(sentence.clone()), None) };
    };
    let part = |tokens: &[Token]| {
        let (first, last) = (tokens.first()?, tokens.last()?);
        Some(Sentence { tokens: tokens.to_vec(), span: first.span.to(last.span) })
    };
    (part(&tokens[..at]), part(&tokens[at..]))
}

/// Takes a sentence that says how many of the calls get what; gives whether it was one.
pub(super) fn take_tally(
    scope: &mut Scope<'_>,
    item: &StepItem,
    sentence: &Sentence,
    branches: &mut Vec<FlowStep>,
) -> bool {
    let calls = branches.iter().map(|step| match &step.action {
        Some(FlowAction::Call { .. }) => 1,
        Some(FlowAction::AtOnce { count, .. }) => *count,
        _ => 0,
    });
    let Some(read) = calls::tally(scope, sentence, calls.sum()) else { return false };
    let source = scope.world.source;
    let text = item.text.slice(source, sentence.span.start, sentence.span.end).plain(source);
    let (class, action) = match read {
        Ok(tally) => {
            let action = FlowAction::Tally { exactly: tally.exactly, others: tally.others };
            (Class::Understood, Some(action))
        }
        Err(misread) => {
            note_misread(scope, &AT_ONCE, misread);
            (Class::NotUnderstood, None)
        }
    };
    branches.push(FlowStep { text, span: sentence.span, class, action });
    true
}
