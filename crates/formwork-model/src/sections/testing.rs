//! Section 12: tests, benchmarks, resilience and load scenarios.

use crate::facts::Prose;
use crate::labels::begins_with;
use crate::model::Class;
use crate::reader::{Entry, Reader, entries};
use crate::shapes;
use crate::tables;
use crate::titles;
use crate::tokens::{Token, prose};
use formwork_syntax::{Part, Spanned};

/// Section 12, one list per label, each item as written.
#[derive(Clone, Debug, Default)]
pub struct Testing {
    /// *Unit/Integration Tests*
    pub unit: Vec<Prose>,
    /// *Quality Benchmarks*
    pub quality: Vec<Prose>,
    /// *Resilience Testing*
    pub resilience: Vec<Prose>,
    /// What its lines are about, where the notation makes plain that it is a name: the column of a table, and what
    /// stands before an arrow.
    pub resilience_subjects: Vec<Spanned<String>>,
    /// *Performance/Load Testing*
    pub load: Vec<Prose>,
}

/// Columns whose heading is read with each cell.
const SPOKEN: [&str; 0] = [];

pub(crate) fn read(reader: &mut Reader<'_>, part: &Part) {
    let title = reader.title(&part.title);
    let mut named = Vec::new();
    columns(reader, part, begins_with(&title, &RESILIENCE), &mut named);
    reader.model.testing.resilience_subjects.extend(named);
    let part = crate::tables::as_lists(reader.source, part, &SPOKEN);
    if begins_with(&title, &RESILIENCE) {
        return read_resilience(reader, &part);
    }
    read_part(reader, &part);
}

/// The titles of what tells how the system stands failures.
const RESILIENCE: [&str; 13] = [
    "resilience",
    "resiliency",
    "chaos",
    "failure handling",
    "failure scenarios",
    "failover",
    "fault tolerance",
    "circuit breakers",
    "circuit breaking",
    "retries",
    "fallbacks",
    "fallback",
    "graceful degradation",
];

/// Names in the columns of tables that are there for them: `| Upstream | Fallback |`.
fn columns(reader: &Reader<'_>, part: &Part, is_resilience: bool, found: &mut Vec<Spanned<String>>) {
    let source = reader.source;
    for table in tables::tables(&part.children).filter(|_| is_resilience) {
        let titles = tables::Columns::new(source, table);
        let at = titles.exactly(&["component", "operation", "upstream", "endpoint"]);
        let cells = table.rows.iter().filter_map(|row| tables::cell(source, row, Some(at?)));
        found.extend(cells.filter_map(|cell| titles::name(source, cell)));
    }
    for below in part.parts() {
        let is_own = is_resilience || begins_with(&reader.title(&below.title), &RESILIENCE);
        columns(reader, below, is_own, found);
    }
}

/// Lines of a part and of the parts below it.
fn read_resilience(reader: &mut Reader<'_>, part: &Part) {
    let subjects: Vec<Spanned<String>> =
        entries(reader.source, part).iter().filter_map(|entry| before_arrow(reader, entry)).collect();
    reader.model.testing.resilience_subjects.extend(subjects);
    let items = reader.prose_list(part, Class::Understood);
    reader.model.testing.resilience.extend(items);
    part.parts().for_each(|below| read_resilience(reader, below));
}

/// The last words of what is called as a component is.
const COMPONENTS: [&str; 14] = [
    "service",
    "store",
    "gateway",
    "api",
    "queue",
    "cache",
    "provider",
    "broker",
    "worker",
    "feed",
    "server",
    "engine",
    "connector",
    "upstream",
];

/// The name before the arrow of `` `Rate Source` → the rate of yesterday``: code that is written as a name, or words that
/// are all capitalised and end as a component's name does. `Disk Full → read only` names none.
fn before_arrow(reader: &Reader<'_>, entry: &Entry<'_>) -> Option<Spanned<String>> {
    let tokens = reader.tokens(entry.text);
    let at =
        tokens.iter().position(|token| ["→", "->", "⇒", "=>"].iter().any(|arrow| token.is_mark(arrow)))?;
    let own = &tokens[..at];
    let is_capital = |token: &Token<'_>| token.text.starts_with(char::is_uppercase);
    let is_name = |token: &Token<'_>| {
        token.text.contains('_') || (is_capital(token) && token.text.contains(char::is_lowercase))
    };
    match own {
        [only] if only.is_code() && is_name(only) => Some(only.spanned()),
        [_, last] | [_, _, last]
            if own.iter().all(is_capital) && COMPONENTS.iter().any(|word| last.is_word(word)) =>
        {
            prose(reader.source, entry.text, own)
        }
        _ => None,
    }
}

/// The titles of the parts of the section, where they are items of a list.
fn is_subtitle(title: &str) -> bool {
    (begins_with(title, &["unit", "integration", "quality", "performance", "load"])
        || begins_with(title, &RESILIENCE))
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
        } else if begins_with(&title, &RESILIENCE) {
            read_resilience(reader, below);
        } else if begins_with(&title, &["performance", "load"]) {
            let items = reader.prose_list(below, class);
            reader.model.testing.load.extend(items);
        } else {
            read_part(reader, below);
        }
    }
}
