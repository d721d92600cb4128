//! What a document names: every declared thing by its name, so that a rule can ask in constant time whether one exists.
//!
//! Names match as the language has it in prose: without case, separators and plural. Source: language reference,
//! *Values and names*.

use formwork_model::Model;
use formwork_model::facts::{Constraint, Field};
use formwork_model::names::name_key;
use formwork_model::sections::interface::Operation;
use formwork_model::values::Type;
use rustc_hash::{FxHashMap, FxHashSet};

/// A set of kinds of things.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Kinds(u16);

impl Kinds {
    pub(crate) const OPERATION: Self = Self(1);
    pub(crate) const ENTITY: Self = Self(1 << 1);
    pub(crate) const EVENT: Self = Self(1 << 2);
    pub(crate) const FIELD: Self = Self(1 << 3);
    pub(crate) const COMPONENT: Self = Self(1 << 4);
    pub(crate) const METRIC: Self = Self(1 << 5);
    pub(crate) const ROLE: Self = Self(1 << 6);
    /// Interfaces of section 13, groups of section 4, boxes of the diagram, cache layers, flows.
    pub(crate) const OTHER: Self = Self(1 << 7);
    /// Values of enums, codes of errors.
    pub(crate) const VALUE: Self = Self(1 << 8);

    /// Both.
    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// Every name of a document, with what bears it.
pub(crate) struct Lexicon {
    names: FxHashMap<String, Kinds>,
    routes: FxHashSet<String>,
    /// Those with parameters, by method and number of pieces.
    shapes: FxHashMap<(String, usize), Vec<String>>,
}

/// As many routes of one shape are looked at for one that a concrete path fits.
const MOST_ROUTES: usize = 500;

impl Lexicon {
    /// Gathers the names of a model.
    pub(crate) fn of(model: &Model) -> Self {
        let mut this =
            Self { names: FxHashMap::default(), routes: FxHashSet::default(), shapes: FxHashMap::default() };
        for operation in model.operations.iter().chain(&model.endpoints) {
            this.operation(operation);
        }
        for entity in &model.entities {
            this.add(&entity.name.value, Kinds::ENTITY);
            this.fields(&entity.fields);
        }
        let components = model.components.iter().map(|it| (&it.name, Kinds::COMPONENT));
        let events = model.events.iter().map(|it| (&it.name, Kinds::EVENT));
        let metrics = model.metrics.iter().map(|it| (&it.name, Kinds::METRIC));
        let roles = model.authorization.grants.iter().map(|it| (&it.role, Kinds::ROLE));
        let interfaces = model.interfaces.iter().map(|it| (&it.name, Kinds::OTHER));
        let caches = model.caches.iter().map(|it| (&it.name, Kinds::OTHER));
        let flows = model.flows.iter().map(|it| (&it.name, Kinds::OTHER));
        let all = components.chain(events).chain(metrics).chain(roles);
        for (name, kind) in all.chain(interfaces).chain(caches).chain(flows) {
            this.add(&name.value, kind);
        }
        for interface in &model.interfaces {
            this.fields(&interface.fields);
        }
        for datum in model.events.iter().flat_map(|event| &event.data) {
            this.add(&datum.value, Kinds::FIELD);
        }
        for node in model.overview.diagram.iter().flat_map(|diagram| &diagram.nodes) {
            this.add(&node.name, Kinds::OTHER);
        }
        this
    }

    fn operation(&mut self, operation: &Operation) {
        self.add(&operation.name.value, Kinds::OPERATION);
        self.fields(&operation.input.fields);
        self.fields(&operation.output.fields);
        if let Some(group) = &operation.group {
            self.add(group, Kinds::OTHER);
        }
        if let (Some(method), Some(path)) = (&operation.method, &operation.path) {
            let key = route_key(&method.value, &path.value);
            if key.contains("{}") && self.routes.insert(key.clone()) {
                let shape = (method.value.to_uppercase(), pieces(&path.value).count());
                self.shapes.entry(shape).or_default().push(key);
            } else {
                self.routes.insert(key);
            }
        }
        for code in operation.errors.iter().filter_map(|error| error.value.code.as_ref()) {
            self.add(code, Kinds::VALUE);
        }
    }

    fn fields(&mut self, fields: &[Field]) {
        for field in fields {
            self.add(&field.name.value, Kinds::FIELD);
            if let Some(Type::Enum(values)) = field.ty.as_ref().map(|ty| &ty.value) {
                values.iter().for_each(|value| self.add(value, Kinds::VALUE));
            }
            for constraint in &field.constraints {
                if let Constraint::OneOf(values) = &constraint.value {
                    values.iter().for_each(|value| self.add(value, Kinds::VALUE));
                }
            }
        }
    }

    fn add(&mut self, name: &str, kind: Kinds) {
        let key = name_key(name);
        if !key.is_empty() {
            let kinds = self.names.entry(key).or_default();
            *kinds = kinds.and(kind);
        }
    }

    /// Whether something of one of the kinds has the name.
    pub(crate) fn is(&self, kinds: Kinds, name: &str) -> bool {
        self.names.get(&name_key(name)).is_some_and(|found| found.meets(kinds))
    }

    /// Whether anything has the name, or all that is joined in it by points: `order.version`, `get_link.latency`.
    pub(crate) fn knows(&self, name: &str) -> bool {
        let known = |name: &str| self.names.contains_key(&name_key(name));
        known(name) || name.split_once('.').is_some_and(|(of, _)| known(of))
    }

    /// Whether an operation or endpoint has the method and the path, whatever its parameters are called.
    pub(crate) fn has_route(&self, method: &str, path: &str) -> bool {
        self.routes.contains(&route_key(method, path))
    }

    /// Whether any operation or endpoint has a path.
    pub(crate) fn has_routes(&self) -> bool {
        !self.routes.is_empty()
    }

    /// Whether a concrete path fits one of the routes, parameters taking any piece.
    pub(crate) fn fits_route(&self, method: &str, path: &str) -> bool {
        let wanted: Vec<&str> = pieces(path).collect();
        let shape = (method.to_uppercase(), wanted.len());
        let mut routes = self.shapes.get(&shape).into_iter().flatten().take(MOST_ROUTES);
        self.has_route(method, path)
            || routes.any(|route| {
                let known = pieces(route.split_once(' ').map_or("", |(_, path)| path));
                known
                    .zip(&wanted)
                    .all(|(known, wanted)| known == "{}" || known == *wanted || is_parameter(wanted))
            })
    }
}

/// Method and path with nameless parameters.
fn route_key(method: &str, path: &str) -> String {
    let mut key = method.to_uppercase();
    key.push(' ');
    for piece in pieces(path) {
        key.push('/');
        key.push_str(if is_parameter(piece) { "{}" } else { piece });
    }
    key
}

fn pieces(path: &str) -> impl Iterator<Item = &str> {
    let path = path.split(['?', '#']).next().unwrap_or(path);
    path.split('/').filter(|piece| !piece.is_empty())
}

fn is_parameter(piece: &str) -> bool {
    piece.starts_with(':') || piece.contains('{') || (piece.starts_with('<') && piece.ends_with('>'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lexicon(text: &str) -> Lexicon {
        let document = formwork_syntax::parse(text, &formwork_model::is_label);
        Lexicon::of(&formwork_model::read(text, &document))
    }

    #[test]
    fn routes_match_whatever_their_parameters_are_called() {
        let lexicon = lexicon("## 4) Primary Interface/API\n\n#### Operation: `get` — `GET /links/{slug}`\n");
        assert!(lexicon.has_route("get", "/links/:id"));
        assert!(lexicon.fits_route("GET", "/links/spring?x=1"));
        assert!(!lexicon.fits_route("GET", "/links"));
        assert!(!lexicon.fits_route("POST", "/links/spring"));
    }

    #[test]
    fn names_are_known_in_any_spelling_and_only_as_what_they_are() {
        let lexicon =
            lexicon("## 6) Data Model\n\n### Entity: `reading_list`\n\n**Fields:**\n- `id` (uuid)\n");
        assert!(lexicon.is(Kinds::ENTITY, "ReadingLists"));
        assert!(!lexicon.is(Kinds::OPERATION, "reading_list"));
        assert!(lexicon.knows("reading_list.anything") && !lexicon.knows("other.id"));
    }
}
