//! Section 7: flows, as written. The language reads their steps.

use crate::facts::StepItem;
use crate::labels::begins_with;
use crate::model::Class;
use crate::reader::{Reader, steps};
use crate::titles;
use formwork_syntax::{Part, PartKind, Span, Spanned};

/// A flow.
#[derive(Clone, Debug)]
pub struct Flow {
    /// Its name.
    pub name: Spanned<String>,
    /// Its steps.
    pub steps: Vec<StepItem>,
    /// The items of its *Errors* part, each a case of its own.
    pub errors: Vec<StepItem>,
    /// Heading to last line.
    pub span: Span,
}

pub(crate) fn read(reader: &mut Reader<'_>, part: &Part) {
    reader.prose_list(part, Class::Narrative);
    for below in part.parts() {
        let title =
            titles::without_kind(reader.source, &below.title, &["flow", "canonical flow", "scenario"]);
        let is_group = below
            .parts()
            .any(|inner| matches!(inner.kind, PartKind::Heading(_)) && !is_errors(reader, inner));
        let Some(name) = whole_name(reader.source, &title).filter(|_| !is_group) else {
            read(reader, below);
            continue;
        };
        let mut flow =
            Flow { name, steps: steps(reader.source, below), errors: Vec::new(), span: below.span };
        for inner in below.parts() {
            let items = steps(reader.source, inner);
            if is_errors(reader, inner) {
                flow.errors.extend(items);
            } else {
                flow.steps.extend(items);
            }
        }
        let names: Vec<_> = reader.model.flows.iter().map(|other| other.name.clone()).collect();
        reader.declared_twice("flow", &flow.name, &names);
        reader.model.flows.push(flow);
    }
}

fn is_errors(reader: &Reader<'_>, part: &Part) -> bool {
    begins_with(&reader.title(&part.title), &["errors", "error", "error cases", "error handling", "failures"])
}

/// A flow is named by its whole title: what stands in parentheses tells flows apart.
fn whole_name(source: &str, title: &formwork_syntax::Text) -> Option<Spanned<String>> {
    let value = title.plain(source);
    let span = title.pieces.first()?.span.to(title.pieces.last()?.span);
    (!value.is_empty()).then(|| Spanned::new(value, span))
}
