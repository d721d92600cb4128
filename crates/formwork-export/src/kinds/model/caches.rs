//! The cache layers of section 8: as written, and as they are held: what each keeps, how long, by what its answers are
//! told apart, what clears them, and its bounds.

use super::{Out, value};
use formwork_language::program::{CacheLayer, CachedOperation, KeyPart, Program, slots};
use formwork_model::sections::performance::CacheLayer as Written;
use serde_json::{Value, json};

/// One object for each layer of the document.
pub(super) fn write(out: &Out<'_>) -> Value {
    let program = &out.analysis.compiled.program;
    let caches = out.analysis.model.caches.iter().map(|written| {
        let held = (0..).zip(&program.cache_layers).find(|(_, layer)| layer.span == written.span);
        json!({
            "name": written.name.value,
            "what": value(written.what.as_ref()),
            "ttl": value(written.ttl.as_ref()),
            "ttl_seconds": written.ttl_seconds.map(super::promises::whole),
            "invalidation": value(written.invalidation.as_ref()),
            "layer": held.map_or(Value::Null, |(at, layer)| layer_as_held(program, at, layer, written)),
            "span": out.span(written.span),
        })
    });
    caches.collect()
}

fn layer_as_held(program: &Program, at: u16, layer: &CacheLayer, written: &Written) -> Value {
    let kept = program.cached.iter().filter(|cached| cached.layer == at);
    json!({
        "metric": format!("formwork_cache_requests_total{{layer={}}}", json!(written.name.value)),
        "at_most": {
            "entries": layer.entries.unwrap_or(CacheLayer::ENTRIES),
            "bytes": layer.bytes.unwrap_or(CacheLayer::BYTES),
        },
        "keeps": kept.map(|cached| operation(program, cached)).collect::<Vec<_>>(),
    })
}

fn operation(program: &Program, cached: &CachedOperation) -> Value {
    let operation = program.operations.get(cached.operation as usize);
    let entities = |ids: &[u16]| -> Vec<&str> {
        let named = ids.iter().filter_map(|id| program.schema.entities.get(usize::from(*id)));
        named.map(|entity| &*entity.name).collect()
    };
    let events = cached.events.iter().filter_map(|event| program.events.get(usize::from(*event)));
    let inputs = operation.into_iter().flat_map(|operation| &operation.input.fields);
    let keyed_by: Vec<String> = inputs
        .map(|input| format!("input.{}", input.name))
        .chain(cached.key.iter().map(part_of_key))
        .collect();
    json!({
        "operation": operation.map(|operation| &*operation.name),
        "ttl_seconds": cached.ttl.map(|micros| super::promises::whole(micros as f64 / 1e6)),
        "keyed_by": keyed_by,
        "reads": entities(&cached.reads),
        "cleared_by": {
            "writes": entities(&cached.writes),
            "events": events.map(|event| &*event.name).collect::<Vec<_>>(),
            "headers": cached.headers.iter().map(|header| &**header).collect::<Vec<_>>(),
        },
    })
}

fn part_of_key(part: &KeyPart) -> String {
    let name = |slot: u16| match slot {
        slots::CALLER_ID => "caller.id",
        slots::CALLER_ROLES => "caller.roles",
        slots::CALLER_SCOPES => "caller.scopes",
        slots::CALLER_CLAIMS => "caller.claims",
        slots::REQUEST_ID => "request.id",
        slots::REQUEST_IP => "request.ip",
        _ => "request.headers",
    };
    match part {
        KeyPart::Slot(slot) => name(*slot).to_owned(),
        KeyPart::Member(slot, member) => format!("{}[{}]", name(*slot), json!(&**member)),
    }
}
