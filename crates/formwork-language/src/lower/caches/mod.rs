//! Section 8's cache layers to what the edge keeps: *What* becomes operations, *Invalidation* entities, events and
//! header, and what cannot be kept becomes a note. Source: docs/reference/caching.md.

mod behaviour;
mod words;

use crate::lower::World;
use crate::notes::{Note, NoteKind};
use crate::program::{CacheLayer, CachedOperation, EntityId, NotKept, Program};
use formwork_model::names::NameIndex;
use formwork_model::sections::performance;
use formwork_model::values::{parse_count, parse_duration, parse_size};
use formwork_syntax::Span;
use std::cell::OnceCell;
use std::sync::Arc;
use words::{Clearing, Said};

/// Adds the layers of a document to its program.
pub(super) fn lower(world: &World<'_>, program: &mut Program, notes: &mut Vec<Note>) {
    if world.model.caches.is_empty() {
        return;
    }
    let names = Names {
        world,
        operations: NameIndex::new(program.operations.iter().map(|operation| &*operation.name)),
        program,
        routes: OnceCell::new(),
        events: NameIndex::new(program.events.iter().map(|event| &*event.name)),
    };
    let (mut layers, mut cached) = (Vec::new(), Vec::new());
    for layer in &world.model.caches {
        let mut say = |span: Span, why: NotKept| {
            let kind = NoteKind::CacheNotKept { layer: layer.name.value.clone(), why };
            notes.push(Note { kind, span, related: None, fix: None });
        };
        if words::is_none(&layer.name.value) {
            continue;
        }
        let read = Reading { names: &names, program, layer };
        match read.layer(&mut say) {
            Ok((kept, operations)) => {
                let Ok(at) = u16::try_from(layers.len()) else { return };
                layers.push(kept);
                operations
                    .into_iter()
                    .for_each(|one| merge(&mut cached, CachedOperation { layer: at, ..one }));
            }
            Err((span, why)) => say(span, why),
        }
    }
    cached.sort_by_key(|one: &CachedOperation| one.operation);
    program.cache_layers = layers;
    program.cached = cached;
}

/// Of two layers of one operation the stricter word holds, whatever it is about.
fn merge(all: &mut Vec<CachedOperation>, new: CachedOperation) {
    let Some(old) = all.iter_mut().find(|old| old.operation == new.operation) else { return all.push(new) };
    old.ttl = match (old.ttl, new.ttl) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    };
    old.writes.extend(new.writes);
    old.events.extend(new.events);
    old.headers.extend(new.headers);
    old.writes.sort_unstable();
    old.writes.dedup();
}

fn route(operation: &crate::program::Operation) -> String {
    let mut text = operation.method.to_string();
    text.push(' ');
    for part in &operation.path {
        match part {
            crate::program::PathPart::Fixed(fixed) => text.push_str(&format!("/{fixed}")),
            crate::program::PathPart::Parameter(name) => text.push_str(&format!("/{{{name}}}")),
        }
    }
    text
}

/// What a layer may name.
pub(super) struct Names<'n> {
    world: &'n World<'n>,
    operations: NameIndex,
    program: &'n Program,
    /// Operations by method and path, which few layers name.
    routes: OnceCell<NameIndex>,
    events: NameIndex,
}

impl Names<'_> {
    /// `get_link`, `GET /links/{slug}`
    fn operation(&self, name: &str) -> Option<u32> {
        let found = self.operations.find(name).or_else(|| self.routes().exact(name))?;
        u32::try_from(found).ok()
    }

    fn routes(&self) -> &NameIndex {
        self.routes.get_or_init(|| {
            let routes: Vec<String> = self.program.operations.iter().map(route).collect();
            NameIndex::new(routes.iter().map(String::as_str))
        })
    }

    /// `link`, `link.slug`
    fn entity(&self, name: &str) -> Option<EntityId> {
        let entity = name.split_once('.').map_or(name, |(entity, _)| entity);
        self.world.find_entity(name).or_else(|| self.world.find_entity(entity))
    }

    fn event(&self, name: &str) -> Option<u16> {
        u16::try_from(self.events.exact(name)?).ok()
    }
}

/// One layer while it is read.
struct Reading<'r> {
    names: &'r Names<'r>,
    program: &'r Program,
    layer: &'r performance::CacheLayer,
}

type Wrong = (Span, NotKept);

impl Reading<'_> {
    fn layer(&self, say: &mut dyn FnMut(Span, NotKept)) -> Result<(CacheLayer, Vec<CachedOperation>), Wrong> {
        let layer = self.layer;
        let source = self.names.world.source;
        let what = layer.what.as_ref().map_or(layer.name.span, |what| what.span);
        let said = words::what(source, what, self.names).map_err(|why| (what, why))?;
        let ttl = self.ttl()?;
        let clearing = match &layer.invalidation {
            None => Clearing::default(),
            Some(text) => words::clearing(source, text.span, self.names).map_err(|why| (text.span, why))?,
        };
        let writes = |at: &u32| {
            let operation = self.program.operations.get(*at as usize);
            operation.is_some_and(|operation| !behaviour::writes(self.program, operation).is_empty())
        };
        if !clearing.operations.iter().all(writes) {
            let span = layer.invalidation.as_ref().map_or(layer.name.span, |text| text.span);
            return Err((span, NotKept::Invalidation));
        }
        if ttl.is_none() && clearing.is_nothing() {
            return Err((layer.name.span, NotKept::ForEver));
        }
        let (entries, bytes) = self.size()?;
        let mut kept: Vec<CachedOperation> = Vec::new();
        for (subject, span) in &said {
            match subject {
                Said::Operation(at) => {
                    let Some(operation) = self.program.operations.get(*at as usize) else { continue };
                    match behaviour::refusal(self.program, operation, ttl.is_some()) {
                        Some(why) => say(*span, why),
                        None => merge(&mut kept, self.cached(*at, ttl, &clearing, None)),
                    }
                }
                Said::Entity(entity) => {
                    let before = kept.len();
                    for (at, operation) in (0..).zip(&self.program.operations) {
                        let reads = behaviour::reads(self.program, operation).contains(entity);
                        if reads && behaviour::refusal(self.program, operation, ttl.is_some()).is_none() {
                            merge(&mut kept, self.cached(at, ttl, &clearing, Some(*entity)));
                        }
                    }
                    if kept.len() == before {
                        let name = &self.names.world.table(*entity).name;
                        say(*span, NotKept::ReadByNone(name.to_string()));
                    }
                }
            }
        }
        let name: Arc<str> = layer.name.value.as_str().into();
        Ok((CacheLayer { name, entries, bytes, span: layer.span }, kept))
    }

    /// `of`: the entity whose reads the layer is about; then it says nothing of what else the operation reads, which
    /// must not become old by it.
    fn cached(
        &self,
        at: u32,
        ttl: Option<i64>,
        clearing: &Clearing,
        of: Option<EntityId>,
    ) -> CachedOperation {
        let found = self.program.operations.get(at as usize);
        let reads = found.map(|operation| behaviour::reads(self.program, operation)).unwrap_or_default();
        let mut writes = clearing.entities.clone();
        for operation in clearing.operations.iter().filter_map(|at| self.program.operations.get(*at as usize))
        {
            writes.extend(behaviour::writes(self.program, operation));
        }
        if clearing.any_write {
            writes.extend(&reads);
        }
        if let Some(of) = of {
            writes.extend(reads.iter().filter(|entity| **entity != of));
        }
        writes.sort_unstable();
        writes.dedup();
        CachedOperation {
            operation: at,
            layer: 0,
            ttl,
            reads,
            writes,
            events: clearing.events.clone(),
            headers: clearing.headers.clone(),
            key: found.map(behaviour::key).unwrap_or_default(),
        }
    }

    fn ttl(&self) -> Result<Option<i64>, Wrong> {
        let layer = self.layer;
        match &layer.ttl {
            Some(ttl) if words::is_none(&ttl.value) => Ok(None),
            Some(ttl) => match parse_duration(&ttl.value) {
                Some(micros) => Ok(Some(micros)),
                None => Err((ttl.span, NotKept::Ttl)),
            },
            None => Ok(layer.ttl_seconds.map(|seconds| (seconds * 1e6) as i64)),
        }
    }

    /// `10,000 entries`, `64 MiB`, or both.
    fn size(&self) -> Result<(Option<u64>, Option<u64>), Wrong> {
        let Some(size) = &self.layer.size else { return Ok((None, None)) };
        let (mut entries, mut bytes) = (None, None);
        let parts = size
            .value
            .split([';', '/'])
            .flat_map(|part| part.split(" and "))
            .flat_map(|part| part.split(", "));
        for part in parts.map(|part| part.trim().trim_start_matches("at most ").trim_end_matches('.')) {
            let words: Vec<&str> = part.split_whitespace().collect();
            match (parse_size(part), words.as_slice()) {
                (Some(size), _) => bytes = Some(size),
                (
                    None,
                    [count, "entries" | "entry" | "answers" | "responses" | "rows" | "items"] | [count],
                ) if parse_count(count).is_some() => {
                    entries = parse_count(count);
                }
                _ => return Err((size.span, NotKept::Size)),
            }
        }
        Ok((entries, bytes))
    }
}
