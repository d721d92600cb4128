//! What the audit trail records: the lines of section 9, by entity and operation. What of them is not understood, or
//! asks for what no entry has, is kept for the diagnostic and for who would run the document.

use crate::program::{AuditRules, EntityId, Operation, Recorded, Schema};
use formwork_model::Model;
use formwork_model::names::NameIndex;
use formwork_model::sections::audit::{Audit, AuditScope};
use rustc_hash::FxHashSet;

/// A day, in microseconds.
const DAY: f64 = 86_400e6;

/// The tables whose rows the engine must see because their writes are recorded: all, when calls of operations are,
/// since what these write is recorded too.
pub(in crate::lower) fn seen(model: &Model, schema: &Schema) -> FxHashSet<EntityId> {
    let names = NameIndex::new(schema.entities.iter().map(|entity| &*entity.name));
    let mut seen = FxHashSet::default();
    for line in &model.audit {
        let found: Vec<_> = line.subjects.iter().map(|name| names.find(&name.value)).collect();
        let all = matches!(line.scope, AuditScope::Writes | AuditScope::Calls) || found.contains(&None);
        let all = (0..schema.entities.len()).filter(|_| all);
        seen.extend(found.into_iter().flatten().chain(all).filter_map(|at| EntityId::try_from(at).ok()));
    }
    seen
}

/// The rules of a document's trail.
pub(super) fn rules(model: &Model, schema: &Schema, operations: &[Operation]) -> AuditRules {
    let mut rules = AuditRules {
        entities: vec![None; schema.entities.len()],
        operations: vec![None; operations.len()],
        denials: vec![None; operations.len()],
        open: Vec::new(),
    };
    let entities = NameIndex::new(schema.entities.iter().map(|entity| &*entity.name));
    let names = NameIndex::new(operations.iter().map(|operation| &*operation.name));
    let usual = model.audit.iter().find(|line| line.scope == AuditScope::Retention);
    let usual = usual.and_then(|line| line.kept_days);
    for line in &model.audit {
        let kept = line.kept_days.or(usual).map(|days| (days * DAY) as i64);
        let recorded = Recorded { values: line.values, kept };
        match line.scope {
            AuditScope::Writes => rules.entities.iter_mut().for_each(|place| add(place, recorded)),
            AuditScope::Calls => rules.operations.iter_mut().for_each(|place| add(place, recorded)),
            AuditScope::Named => named(&mut rules, line, recorded, (&entities, &names)),
            AuditScope::Prose => {
                rules.open.push((line.text.span, "this names nothing that is recorded".to_owned()));
            }
            AuditScope::Denials | AuditScope::Retention | AuditScope::Nothing => {}
        }
        if line.denials && line.scope != AuditScope::Named {
            rules.denials.iter_mut().for_each(|place| add(place, recorded));
        }
        for detail in line.lacking.iter().filter(|_| line.scope != AuditScope::Prose) {
            let what = detail.value.as_str();
            rules.open.push((detail.span, format!("no entry of the trail has `{what}`")));
        }
    }
    rules
}

fn named(rules: &mut AuditRules, line: &Audit, recorded: Recorded, names: (&NameIndex, &NameIndex)) {
    for name in &line.subjects {
        if let Some(at) = names.1.find(&name.value) {
            // ``denials of `x` `` asks for no more than them.
            let place = if line.denials { &mut rules.denials } else { &mut rules.operations };
            add(&mut place[at], recorded);
        } else if let Some(at) = names.0.find(&name.value) {
            add(&mut rules.entities[at], recorded);
        } else {
            let what = name.value.as_str();
            let said = format!("`{what}` is neither an entity nor an operation that is served");
            rules.open.push((name.span, said));
        }
    }
}

fn add(place: &mut Option<Recorded>, recorded: Recorded) {
    *place = Some(place.map_or(recorded, |there| there.with(recorded)));
}

#[cfg(test)]
mod tests {
    use crate::program::{AuditRules, Recorded};

    const DOCUMENT: &str = "## 4) Primary Interface/API\n\n#### Operation: `lend` — `POST /loans`\n\n**Behavior:**\n\
        1. Anyone may call this.\n2. Creates a `loan`.\n\n#### Operation: `look` — `GET /loans`\n\n**Behavior:**\n\
        1. Anyone may call this.\n2. Returns `{}`.\n\n## 6) Data Model\n\n### Entity: `loan`\n\n**Fields:**\n\
        - `id` (uuid) | identity | primary key, generated\n\n### Entity: `stock_item`\n\n**Fields:**\n\
        - `id` (uuid) | identity | primary key, generated\n\n## 9) Security, Governance, Cost Controls\n\n\
        ### Audit Trail\n\n";

    fn rules(lines: &str) -> AuditRules {
        let text = format!("{DOCUMENT}{lines}\n");
        let document = formwork_syntax::parse(&text, &|label| formwork_model::is_label(label));
        crate::compile(&text, &formwork_model::read(&text, &document)).program.audit
    }

    /// What is recorded, in words: `loan 400 values`, `lend for ever`.
    fn said(lines: &str) -> Vec<String> {
        let rules = rules(lines);
        let words = |name: &str, recorded: Option<Recorded>| {
            let recorded = recorded?;
            let kept =
                recorded.kept.map_or("for ever".to_owned(), |kept| (kept / 86_400_000_000).to_string());
            Some(format!("{name} {kept}{}", if recorded.values { " values" } else { "" }))
        };
        let entities = ["loan", "stock_item"].into_iter().zip(rules.entities);
        let operations = ["lend", "look"].into_iter().zip(rules.operations);
        let denials = ["no lend", "no look"].into_iter().zip(rules.denials);
        let found = entities.chain(operations).chain(denials).filter_map(|(name, one)| words(name, one));
        found.chain(rules.open.iter().map(|(_, why)| format!("open: {why}"))).collect()
    }

    #[test]
    fn lines_are_read_as_people_write_them() {
        let cases: [(&str, &[&str]); 18] = [
            ("- every write to `loan`: who, when, before and after; kept 400 d", &["loan 400 values"]),
            ("- every write to `loan`, kept 1 year", &["loan 365 values"]),
            (
                "- every write to `loan`, `stock_item`: who, when; kept 3650 d",
                &["loan 3650", "stock_item 3650"],
            ),
            ("- `lend`: who, when, before, after; kept 7 years", &["lend 2555 values"]),
            ("- lend: who and when", &["lend for ever"]),
            (
                "Every `lend` and `look` is recorded and kept for ten years.",
                &["lend 3650 values", "look 3650 values"],
            ),
            ("- all changes of loans", &["loan for ever values"]),
            ("- all writes; kept 2 weeks", &["loan 14 values", "stock_item 14 values"]),
            ("- every call, kept for ever", &["lend for ever values", "look for ever values"]),
            ("- denials; kept 30 d", &["no lend 30 values", "no look 30 values"]),
            ("- denials of `lend`", &["no lend for ever values"]),
            ("- `loan`\n- `lend`\n- retention: 90 d", &["loan 90 values", "lend 90 values"]),
            (
                "- `loan`: who; kept 30 d\n- all writes; kept 10 d",
                &["loan 30 values", "stock_item 10 values"],
            ),
            (
                "| What | Kept |\n|---|---|\n| `lend` | 5 years |\n| `loan` | 90 days |",
                &["loan 90 values", "lend 1825 values"],
            ),
            ("None in this service; each `loan` is kept", &[]),
            ("- n/a", &[]),
            ("- `lend`: who, why", &["lend for ever", "open: no entry of the trail has `why`"]),
            (
                "- every status change, void and refund is written",
                &["open: this names nothing that is recorded"],
            ),
        ];
        for (lines, recorded) in cases {
            assert_eq!(said(lines), recorded, "{lines}");
        }
        let nothing = "open: `parcel` is neither an entity nor an operation that is served";
        assert_eq!(said("- every write to `parcel`"), [nothing]);
    }
}
