//! Finds the operation for a method and a path. Fixed segments win over parameters; an empty segment is no value.

use formwork_language::program::{Operation, PathPart, Surface};
use http::HeaderValue;
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

/// What a route leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// Index into `Program::operations`.
    Operation(usize),
    /// The process answers: `GET /livez`.
    Alive,
    /// Whether it can do its work: `GET /healthz`, `GET /readyz`.
    Ready,
    /// The description of the operations: `GET /openapi.json`.
    Description,
}

/// What a method and a path lead to.
#[derive(Debug, PartialEq)]
pub(crate) enum Route<'t, 'p> {
    /// Served, with the segments that parameters matched, still percent-encoded, and the path's `Allow`.
    Found(Target, Vec<&'p str>, &'t HeaderValue),
    /// The path is served, the method is not.
    OtherMethods(&'t HeaderValue),
    /// `OPTIONS`
    Options(&'t HeaderValue),
    /// Nothing is here.
    Nothing,
}

/// The routes of one listener.
#[derive(Debug, Default)]
pub(crate) struct Router {
    root: Node,
}

#[derive(Debug, Default)]
struct Node {
    fixed: FxHashMap<Box<str>, Node>,
    parameter: Option<Box<Node>>,
    methods: Vec<(Box<str>, Target)>,
    allow: Option<HeaderValue>,
}

/// Paths of ours on the public listener, unless the document has an operation there.
const OURS: &[(&str, Target)] = &[
    ("healthz", Target::Ready),
    ("readyz", Target::Ready),
    ("livez", Target::Alive),
    ("openapi.json", Target::Description),
];

impl Router {
    /// The routes of a surface's operations, and on the public one our own.
    pub(crate) fn new(operations: &[Operation], surface: Surface) -> Self {
        let mut router = Self::default();
        let served = operations.iter().enumerate().filter(|(_, operation)| operation.surface == surface);
        for (index, operation) in served {
            let node = operation.path.iter().fold(&mut router.root, |node, part| match part {
                PathPart::Fixed(text) => node.fixed.entry((&**text).into()).or_default(),
                PathPart::Parameter(_) => node.parameter.get_or_insert_default(),
            });
            // Of two operations with one route the first is served; `check` refuses the document anyway.
            if !node.methods.iter().any(|(method, _)| **method == *operation.method) {
                node.methods.push(((&*operation.method).into(), Target::Operation(index)));
            }
        }
        if surface == Surface::Public {
            for (name, target) in OURS {
                let node = router.root.fixed.entry((*name).into()).or_default();
                if node.methods.is_empty() {
                    node.methods.push(("GET".into(), *target));
                }
            }
        }
        router.root.allow(operations);
        router
    }

    /// Finds the route of a path that begins with a slash.
    pub(crate) fn find<'p>(&self, method: &str, path: &'p str) -> Route<'_, 'p> {
        let mut values = Vec::new();
        let segments: Vec<&str> = match path.strip_prefix('/') {
            Some("") => Vec::new(),
            Some(rest) => rest.split('/').collect(),
            None => return Route::Nothing,
        };
        let Some(node) = self.root.descend(&segments, &mut values) else { return Route::Nothing };
        let Some(allow) = &node.allow else { return Route::Nothing };
        let found = |wanted: &str| node.methods.iter().find(|(method, _)| **method == *wanted);
        let target = found(method).or_else(|| if method == "HEAD" { found("GET") } else { None });
        match target {
            Some((_, target)) => Route::Found(*target, values, allow),
            None if method == "OPTIONS" => Route::Options(allow),
            None => Route::OtherMethods(allow),
        }
    }
}

impl Node {
    fn descend<'p>(&self, segments: &[&'p str], values: &mut Vec<&'p str>) -> Option<&Self> {
        let Some((segment, rest)) = segments.split_first() else {
            return (!self.methods.is_empty()).then_some(self);
        };
        let name = crate::input::percent_decode(segment, false);
        let fixed = name.and_then(|name| self.fixed.get(&*name)).and_then(|node| node.descend(rest, values));
        if fixed.is_some() {
            return fixed;
        }
        let parameter = self.parameter.as_ref().filter(|_| !segment.is_empty())?;
        let length = values.len();
        values.push(segment);
        let found = parameter.descend(rest, values);
        if found.is_none() {
            values.truncate(length);
        }
        found
    }

    /// Works out `Allow`: with `HEAD` beside a `GET` that runs in one transaction, and with `OPTIONS`.
    fn allow(&mut self, operations: &[Operation]) {
        let mut methods: BTreeSet<&str> = self.methods.iter().map(|(method, _)| &**method).collect();
        let head = self.methods.iter().any(|(method, target)| {
            let divided = match target {
                Target::Operation(index) => {
                    operations.get(*index).is_some_and(|operation| operation.code.has_parts())
                }
                _ => false,
            };
            &**method == "GET" && !divided
        });
        if head {
            methods.insert("HEAD");
        }
        if !methods.is_empty() {
            methods.insert("OPTIONS");
            let text = methods.into_iter().collect::<Vec<_>>().join(", ");
            self.allow = HeaderValue::from_str(&text).ok();
        }
        self.fixed.values_mut().for_each(|node| node.allow(operations));
        if let Some(parameter) = &mut self.parameter {
            parameter.allow(operations);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use formwork_language::program::{AccessRule, Code, InputShape, Instruction, Mode, OutputShape};

    fn operation(route: &str, divided: bool) -> Operation {
        let (method, path) = route.split_once(' ').expect("method and path");
        let part = |part: &str| match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some(name) => PathPart::Parameter(name.into()),
            None => PathPart::Fixed(part.into()),
        };
        Operation {
            name: route.into(),
            method: method.into(),
            path: path.split('/').skip(1).filter(|part| !part.is_empty()).map(part).collect(),
            surface: Surface::Public,
            mode: Mode::Executed,
            input: InputShape::default(),
            access: AccessRule::default(),
            code: Code {
                instructions: if divided { vec![Instruction::Commit] } else { Vec::new() },
                ..Code::default()
            },
            writes: divided,
            output: OutputShape::default(),
            errors: Vec::new(),
            span: formwork_syntax::Span::default(),
        }
    }

    fn router(routes: &[(&str, bool)]) -> Router {
        let operations: Vec<Operation> =
            routes.iter().map(|(route, divided)| operation(route, *divided)).collect();
        Router::new(&operations, Surface::Public)
    }

    fn found<'p>(router: &Router, request: &'p str) -> Option<(Target, Vec<&'p str>)> {
        let (method, path) = request.split_once(' ').expect("method and path");
        match router.find(method, path) {
            Route::Found(target, values, _) => Some((target, values)),
            _ => None,
        }
    }

    #[test]
    fn fixed_segments_win_and_parameters_are_tried_behind_them() {
        let router = router(&[
            ("GET /{slug}", true),
            ("GET /links", false),
            ("GET /links/{slug}/visits", false),
            ("GET /{a}/{b}/stats", false),
        ]);
        assert_eq!(found(&router, "GET /links"), Some((Target::Operation(1), vec![])));
        assert_eq!(found(&router, "GET /l%69nks"), Some((Target::Operation(1), vec![])));
        assert_eq!(found(&router, "GET /x%20y"), Some((Target::Operation(0), vec!["x%20y"])));
        assert_eq!(found(&router, "GET /links/a/stats"), Some((Target::Operation(3), vec!["links", "a"])));
        assert_eq!(found(&router, "GET /links/a/visits"), Some((Target::Operation(2), vec!["a"])));
        for nothing in ["/", "/links/", "/links/a", "//x", "*", ""] {
            assert_eq!(router.find("GET", nothing), Route::Nothing, "{nothing}");
        }
        assert_eq!(found(&router, "GET /readyz"), Some((Target::Ready, vec![])));
        assert_eq!(found(&router, "GET /openapi.json"), Some((Target::Description, vec![])));
    }

    #[test]
    fn other_methods_are_told_what_is_served() {
        let router = router(&[("GET /{slug}", true), ("GET /links", false), ("POST /links", true)]);
        let allow = HeaderValue::from_static("GET, HEAD, OPTIONS, POST");
        assert_eq!(router.find("DELETE", "/links"), Route::OtherMethods(&allow));
        assert_eq!(router.find("TRACE", "/links"), Route::OtherMethods(&allow));
        assert_eq!(router.find("OPTIONS", "/links"), Route::Options(&allow));
        assert_eq!(router.find("PUT", "/x"), Route::OtherMethods(&HeaderValue::from_static("GET, OPTIONS")));
        assert_eq!(found(&router, "HEAD /links"), Some((Target::Operation(1), vec![])));
    }

    #[test]
    fn a_document_may_have_a_path_of_ours() {
        let router = router(&[("GET /healthz", false)]);
        assert_eq!(found(&router, "GET /healthz"), Some((Target::Operation(0), vec![])));
    }

    #[test]
    fn a_path_of_many_segments_is_no_work_without_bound() {
        let router = router(&[("GET /{a}/{b}/{c}", false), ("GET /a/{b}/c", false)]);
        assert_eq!(router.find("GET", &"/a".repeat(10_000)), Route::Nothing);
    }
}
