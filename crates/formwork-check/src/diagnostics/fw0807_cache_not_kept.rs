//! FW0807: a cache layer that is not kept, because a line of it is not understood. `run` refuses a document with one.

use super::fw0802_cache_of_nothing::is_unknown;
use crate::catalogue::Entry;
use crate::context::{Context, Place};
use crate::diagnostic::{Diagnostic, Severity};
use crate::names;
use crate::words::quoted;
use formwork_language::program::NotKept;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0807",
    severity: Severity::Warning,
    title: "a cache layer that is not kept",
    page: include_str!("../pages/FW0807.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(place: &Place, layer: &str, why: &NotKept) -> Diagnostic {
    let layer = quoted(layer);
    let (reason, help) = match why {
        NotKept::What => (
            "*What* names no operation and no entity".to_owned(),
            "**What:** responses of `OPERATION`, or reads of `ENTITY`".to_owned(),
        ),
        NotKept::Restricted(word) => (
            format!("{} is not understood here, and may restrict it", quoted(word)),
            "name operations, entities and events in code, and put the rest into a remark outside of the layer"
                .to_owned(),
        ),
        NotKept::Ttl => ("its TTL is no duration".to_owned(), "**TTL:** 60 s".to_owned()),
        NotKept::Invalidation => (
            "*Invalidation* names nothing that happens".to_owned(),
            "**Invalidation:** on a write to `ENTITY`, on event `EVENT`, on header `NAME`, or TTL only".to_owned(),
        ),
        NotKept::Size => ("its size is none".to_owned(), "**Size:** 10,000 entries, or 64 MiB".to_owned()),
        NotKept::ForEver => (
            "nothing ever clears it".to_owned(),
            "say a TTL, or what clears it: **TTL:** 60 s".to_owned(),
        ),
        NotKept::ReadByNone(entity) => (
            format!("no operation that only reads reads {}", quoted(entity)),
            "name the operation whose answers are kept".to_owned(),
        ),
        _ => ("it cannot be".to_owned(), String::new()),
    };
    ENTRY.at(place.span, format!("the layer {layer} is not kept: {reason}")).help(help)
}

/// Whether another finding speaks of the layer already: a placeholder in it, or a name that nothing has.
pub(crate) fn is_told(cx: &Context<'_>, name: &str) -> bool {
    cx.model.caches.iter().filter(|layer| layer.name.value == name).any(|layer| {
        let lines = layer.what.iter().chain(&layer.invalidation);
        let mut codes = lines.flat_map(|line| names::codes(cx, line.span));
        cx.unfinished.is_any_in(layer.span)
            || (cx.strictness.speaks() && codes.any(|(name, span)| is_unknown(cx, name, span)))
    })
}
