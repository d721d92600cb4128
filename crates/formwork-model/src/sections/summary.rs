//! Sections 0 and 1: summary, goals and non-goals. All prose.

use crate::labels::{begins_with, unnumbered};
use crate::model::Class;
use crate::reader::Reader;
use formwork_syntax::Part;

pub(crate) fn read(reader: &mut Reader<'_>, part: &Part) {
    let own = reader.prose_list(part, Class::Narrative);
    reader.model.summary.extend(own);
    for below in part.parts() {
        read(reader, below);
    }
}

pub(crate) fn read_goals(reader: &mut Reader<'_>, part: &Part) {
    let title = unnumbered(&part.title.plain(reader.source));
    let items = reader.prose_list(part, Class::Narrative);
    if begins_with(&title, &["non goals", "out of scope", "not goals"]) {
        reader.model.non_goals.extend(items);
    } else {
        reader.model.goals.extend(items);
    }
    for below in part.parts() {
        read_goals(reader, below);
    }
}
