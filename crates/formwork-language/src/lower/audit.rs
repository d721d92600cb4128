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
