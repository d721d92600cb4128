//! Section 12: tests, benchmarks, resilience and load scenarios.

use crate::facts::Prose;
use crate::labels::begins_with;
use crate::model::Class;
use crate::reader::Reader;
use crate::shapes;
use formwork_syntax::Part;

/// Section 12, one list per label, each item as written.
#[derive(Clone, Debug, Default)]
pub struct Testing {
    /// *Unit/Integration Tests*
    pub unit: Vec<Prose>,
    /// *Quality Benchmarks*
    pub quality: Vec<Prose>,
    /// *Resilience Testing*
    pub resilience: Vec<Prose>,
    /// *Performance/Load Testing*
    pub load: Vec<Prose>,
}

/// Columns whose heading is read with each cell.
const SPOKEN: [&str; 0] = [];

pub(crate) fn read(reader: &mut Reader<'_>, part: &Part) {
    let part = crate::tables::as_lists(reader.source, part, &SPOKEN);
    read_part(reader, &part);
}

/// The titles of the parts of the section, where they are items of a list.
fn is_subtitle(title: &str) -> bool {
    begins_with(title, &["unit", "integration", "quality", "resilience", "chaos", "performance", "load"])
        && title.split(' ').count() <= 4
}

fn read_part(reader: &mut Reader<'_>, part: &Part) {
    let part = &shapes::promote(reader.source, part, &is_subtitle);
    reader.prose_list(part, Class::Narrative);
    for below in part.parts() {
        let title = reader.title(&below.title);
        let class = Class::Understood;
        if begins_with(&title, &["unit", "integration", "functional"]) {
            let items = reader.prose_list(below, Class::Narrative);
            reader.model.testing.unit.extend(items);
        } else if begins_with(&title, &["quality", "benchmarks"]) {
            let items = reader.prose_list(below, class);
            reader.model.testing.quality.extend(items);
        } else if begins_with(&title, &["resilience", "chaos"]) {
            let items = reader.prose_list(below, class);
            reader.model.testing.resilience.extend(items);
        } else if begins_with(&title, &["performance", "load"]) {
            let items = reader.prose_list(below, class);
            reader.model.testing.load.extend(items);
        } else {
            read_part(reader, below);
        }
    }
}
