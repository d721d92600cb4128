//! What a rule may look at, and the builder with which findings are dressed.

use crate::corrections;
use crate::diagnostic::{Diagnostic, Edit, Fix, Related};
use crate::form::Form;
use crate::lexicon::Lexicon;
use crate::strictness::Strictness;
use formwork_language::behaviour::Compiled;
use formwork_model::Model;
use formwork_model::names::NameIndex;
use formwork_model::sections::interface::Operation;
use formwork_syntax::{Document, Span};
use rustc_hash::FxHashMap;

/// Everything that a rule may look at.
pub(crate) struct Context<'a> {
    /// The text.
    pub(crate) source: &'a str,
    /// Its labelled parts.
    pub(crate) document: &'a Document,
    /// Its facts.
    pub(crate) model: &'a Model,
    /// Its behaviours.
    pub(crate) compiled: &'a Compiled,
    /// Whether the document is judged as a whole; a fragment need not have every part of the form.
    pub(crate) whole: bool,
    /// What it is held against.
    pub(crate) form: &'a Form,
    /// What the document names.
    pub(crate) lexicon: Lexicon,
    /// Its operations and endpoints, by name.
    pub(crate) operations: NameIndex,
    /// The same, by method and path as written.
    pub(crate) routes: FxHashMap<String, usize>,
    /// What of it is executed.
    pub(crate) strictness: Strictness,
    /// Where placeholders and stand-ins stand.
    pub(crate) unfinished: Places,
    /// Where the headings of sections stand.
    pub(crate) headings: Places,
}

impl<'a> Context<'a> {
    /// Gathers what rules ask most.
    pub(crate) fn new(
        source: &'a str,
        document: &'a Document,
        model: &'a Model,
        compiled: &'a Compiled,
        whole: bool,
        form: &'a Form,
    ) -> Self {
        let lexicon = Lexicon::of(model);
        let strictness = Strictness::of(model, compiled);
        let declared = || model.operations.iter().chain(&model.endpoints);
        let operations = NameIndex::new(declared().map(|operation| operation.name.value.as_str()));
        let mut routes = FxHashMap::default();
        for (at, operation) in declared().enumerate() {
            routes.entry(route(operation)).or_insert(at);
        }
        let unfinished = Places::of(model.unfinished.iter().map(|unfinished| unfinished.span));
        let headings = Places::of(model.sections.iter().map(|(_, span)| *span));
        Self {
            source,
            document,
            model,
            compiled,
            whole,
            form,
            lexicon,
            operations,
            routes,
            strictness,
            unfinished,
            headings,
        }
    }
}

/// Places of one kind, found in the same time however many there are.
pub(crate) struct Places {
    /// Where each begins, in that order, and the least end of it and of all behind it.
    by_begin: Vec<(u32, u32)>,
}

impl Places {
    /// In any order.
    pub(crate) fn of(spans: impl Iterator<Item = Span>) -> Self {
        let mut by_begin: Vec<(u32, u32)> = spans.map(|span| (span.start, span.end)).collect();
        by_begin.sort_unstable();
        let mut least = u32::MAX;
        for (_, end) in by_begin.iter_mut().rev() {
            least = least.min(*end);
            *end = least;
        }
        Self { by_begin }
    }

    /// Whether one of them lies inside a place.
    pub(crate) fn is_any_in(&self, place: Span) -> bool {
        let from = self.by_begin.partition_point(|(start, _)| *start < place.start);
        self.by_begin.get(from).is_some_and(|(_, least)| *least <= place.end)
    }
}

/// Method and path as written; empty when the operation lacks one.
fn route(operation: &Operation) -> String {
    let pair = operation.method.as_ref().zip(operation.path.as_ref());
    pair.map(|(method, path)| [&*method.value, " ", &*path.value].concat()).unwrap_or_default()
}

/// Where a note stands, and what it brings along.
#[derive(Clone)]
pub(crate) struct Place {
    /// The exact place.
    pub(crate) span: Span,
    /// A second place.
    pub(crate) related: Option<Span>,
    /// A mechanical correction.
    pub(crate) fix: Option<(Span, String)>,
}

impl Diagnostic {
    /// With what to do.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// With another place, when there is one.
    pub(crate) fn related(mut self, place: Option<Span>, message: &str) -> Self {
        self.related.extend(place.map(|span| Related { message: message.to_owned(), span }));
        self
    }

    /// With one replacement.
    pub(crate) fn fix(mut self, title: impl Into<String>, span: Span, text: impl Into<String>) -> Self {
        self.fix = Some(Fix { title: title.into(), edits: vec![Edit { span, text: text.into() }] });
        self
    }

    /// With the correction that the note brought along, when it brought one.
    pub(crate) fn fix_of(self, place: &Place) -> Self {
        match &place.fix {
            Some((span, text)) => self.fix("write it so", *span, text.clone()),
            None => self,
        }
    }

    /// With a correction that may have several edits, when there is one.
    pub(crate) fn mended_by(mut self, fix: Option<Fix>) -> Self {
        self.fix = self.fix.or(fix);
        self
    }

    /// With the nearest name as help, and as a fix when `wrong` stands in the place; else with `otherwise` as help.
    pub(crate) fn nearest(
        self,
        cx: &Context<'_>,
        wrong: &str,
        nearest: Option<&str>,
        otherwise: &str,
    ) -> Self {
        let Some(nearest) = nearest else { return self.help(otherwise) };
        let found = self.span.slice(cx.source).match_indices(wrong).collect::<Vec<_>>();
        let this = self.help(format!("did you mean `{nearest}`?"));
        match (found.as_slice(), wrong.is_empty()) {
            ([(at, _)], false) if corrections::is_alone(cx, wrong, nearest) => {
                let start = this.span.start + *at as u32;
                let span = Span::new(start, start + wrong.len() as u32);
                this.fix(format!("write `{nearest}`"), span, nearest)
            }
            _ => this,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_holds_another_whatever_their_order_and_nesting() {
        let spans = [Span::new(10, 90), Span::new(5, 7), Span::new(20, 30), Span::new(20, 25)];
        let places = Places::of(spans.into_iter());
        for (start, end) in (0..100).flat_map(|start| (start..100).map(move |end| (start, end))) {
            let place = Span::new(start, end);
            let slow = spans.iter().any(|span| place.contains(*span));
            assert_eq!(places.is_any_in(place), slow, "{place:?}");
        }
        assert!(!Places::of(std::iter::empty()).is_any_in(Span::new(0, 9)));
    }
}
