//! The forms of steps: one file for each verb, and the table that finds the form of a sentence by its head.
//!
//! A form reads a sentence into an [`Action`] (grammar alone, no names), and the action lowers itself to
//! instructions. To add a form, write its file and its line in [`STEPS`]. Source: language reference, *Steps*.

mod calls;
mod carries_out;
mod choosing;
pub(crate) mod clause;
mod commits;
mod counts;
mod creates;
mod deletes;
mod elements;
mod emits;
mod fails;
mod finds;
mod for_each;
mod glossary;
mod guard;
mod heads;
mod lets;
mod lists;
mod named;
mod queries;
mod reader;
pub(crate) mod reading;
mod requires;
mod returns;
mod schedules;
mod sets;
mod unsupported;
mod updates;

use crate::lower::Lowering;
use crate::notes::NoteKind;
use clause::{Clause, Misread, TailKind};
use formwork_syntax::Span;

pub(crate) use calls::target;
pub(crate) use carries_out::CARRIES_OUT;
pub(crate) use choosing::{Branch, lower_block};
pub(crate) use finds::pinned_fields;
pub(crate) use glossary::{Glossary, NO_NAMES};
pub(crate) use guard::Guard;
pub(crate) use lists::MOST_ROWS;
pub(crate) use reading::{Reading, Sentences, read_items};
pub(crate) use requires::WhoMay;
pub(crate) use returns::read_header;
pub(crate) use schedules::SCHEDULES;

/// A form of step.
pub(crate) struct Form {
    /// Its canonical name, for messages.
    pub(crate) name: &'static str,
    /// Its heads, in lower case and the third person; the imperative is accepted as well.
    pub(crate) heads: &'static [&'static str],
    /// How it is written, for help.
    pub(crate) notation: &'static str,
    /// The tails that it knows, besides `when`, `if` and `unless`.
    pub(crate) tails: &'static [TailKind],
    /// Reads what follows the head.
    pub(crate) grammar: Grammar,
}

/// How a form is read.
#[derive(Clone, Copy)]
pub(crate) enum Grammar {
    /// From a sentence that has been cut into object and tails.
    Tails(Read),
    /// From a sentence whose tails belong to a step inside it.
    Whole(Read),
    /// This version does not run the form.
    Unsupported,
}

/// Reads what follows a head.
pub(crate) type Read = fn(&mut Clause<'_>) -> Result<Box<dyn Action>, Misread>;

/// A step that has been read.
pub(crate) trait Action: std::fmt::Debug + Send {
    /// Appends its instructions. Notes say what does not fit.
    fn lower(&self, cx: &mut Lowering<'_>);

    /// The same under a guard: by default the instructions are passed over unless the guard holds.
    fn lower_guarded(&self, cx: &mut Lowering<'_>, guard: &Guard) {
        let Some(condition) = guard.lower(cx) else { return };
        let jump = cx.jump_unless(condition);
        cx.enter_guarded();
        guard.narrow(cx, true);
        self.lower(cx);
        let bound = cx.leave_guarded();
        cx.pass_over(jump, &bound);
        if self.ends() {
            // What follows runs only where the guard did not hold.
            guard.narrow(cx, false);
        }
    }

    /// Whether its answer is a page.
    fn pages(&self) -> bool {
        false
    }

    /// Whether nothing that follows in its block is reached.
    fn ends(&self) -> bool {
        false
    }

    /// Who may call, when the step says that; decided by the edge if it leads the behaviour.
    fn who_may(&self) -> Option<&WhoMay> {
        None
    }

    /// The branch that it opens over the steps below it.
    fn branch(&self) -> Option<Branch<'_>> {
        None
    }

    /// Appends its instructions around the steps below it.
    fn lower_with_nested(&self, cx: &mut Lowering<'_>, nested: &Sentences) {
        let _ = nested;
        self.lower(cx);
    }
}

/// Every form. The head that matches most words wins, whatever the order here.
pub(crate) static STEPS: &[&Form] = &[
    &requires::ANYONE,
    &requires::REQUIRES,
    &fails::FAILS,
    &finds::FINDS,
    &finds::FINDS_FIRST,
    &lists::LISTS,
    &lets::LETS,
    &queries::QUERIES,
    &creates::CREATES,
    &creates::CREATES_OR_UPDATES,
    &updates::UPDATES,
    &updates::UPDATES_EVERY,
    &deletes::DELETES,
    &deletes::DELETES_EVERY,
    &emits::EMITS,
    &counts::COUNTS,
    &counts::OBSERVES,
    &returns::RETURNS,
    &returns::RETURNS_NOTHING,
    &returns::REDIRECTS,
    &returns::STOPS,
    &schedules::SCHEDULES,
    &choosing::IF,
    &choosing::OTHERWISE_IF,
    &choosing::OTHERWISE,
    &for_each::FOR_EACH,
    &for_each::LEAVES,
    &for_each::GOES_ON,
    &sets::SETS,
    &carries_out::CARRIES_OUT,
    &calls::CALLS,
    &commits::COMMITS,
    &commits::WAITS,
    &unsupported::CHARGES,
    &unsupported::NOTES,
];

/// What a reader of the reference needs to know of a form of step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepForm {
    /// Its canonical name.
    pub name: &'static str,
    /// Its heads, in lower case and the third person.
    pub heads: &'static [&'static str],
    /// How it is written.
    pub notation: &'static str,
    /// Whether this version runs it; one that is not run is named and refused.
    pub runs: bool,
}

/// Every form of step, in the order of the table.
pub fn step_forms() -> impl Iterator<Item = StepForm> {
    STEPS.iter().map(|form| StepForm {
        name: form.name,
        heads: form.heads,
        notation: form.notation,
        runs: !matches!(form.grammar, Grammar::Unsupported),
    })
}

/// Whether a word is the verb of a pattern: in the third person as the pattern has it, or in the imperative.
pub(crate) fn same_verb(pattern: &str, word: &str) -> bool {
    if pattern == word {
        return true;
    }
    let imperative = match pattern {
        "goes" => "go",
        "carries" => "carry",
        "queries" => "query",
        _ => pattern.strip_suffix('s').filter(|stem| stem.len() > 2).unwrap_or(pattern),
    };
    imperative == word
}

/// Whether a word begins a head.
pub(crate) fn begins_head(head: &str, word: &str) -> bool {
    // Both forms of a verb begin with the same letter.
    head.as_bytes().first() == word.as_bytes().first()
        && head.split(' ').next().is_some_and(|first| same_verb(first, word))
}

/// The note about a step that its form does not know.
pub(crate) fn not_understood(form: &Form, misread: Misread) -> (NoteKind, Span) {
    let kind = NoteKind::StepNotUnderstood {
        form: form.name,
        word: misread.word,
        expected: misread.expected,
        notation: form.notation,
    };
    (kind, misread.span)
}
