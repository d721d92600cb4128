//! The operations and events of a program, found by name or by route in the same time however many there are.

use crate::program::{PathPart, Program};
use formwork_model::names::NameIndex;
use rustc_hash::{FxHashMap, FxHashSet};

/// What the steps of flows call and look for.
pub(super) struct Targets<'p> {
    operations: NameIndex,
    events: FxHashSet<&'p str>,
    /// The first is the root.
    nodes: Vec<Node<'p>>,
}

/// The routes that begin with the same pieces.
#[derive(Default)]
struct Node<'p> {
    fixed: FxHashMap<&'p str, usize>,
    parameter: Option<usize>,
    /// The operations whose path ends here.
    ends: Vec<usize>,
}

impl<'p> Targets<'p> {
    /// Gathers the names and routes of a program.
    pub(super) fn new(program: &'p Program) -> Self {
        let mut targets = Self {
            operations: NameIndex::new(program.operations.iter().map(|operation| &*operation.name)),
            events: program.events.iter().map(|event| &*event.name).collect(),
            nodes: vec![Node::default()],
        };
        for (at, operation) in program.operations.iter().enumerate() {
            let end = operation.path.iter().fold(0, |node, part| targets.below(node, part));
            targets.nodes[end].ends.push(at);
        }
        targets
    }

    fn below(&mut self, node: usize, part: &'p PathPart) -> usize {
        let next = self.nodes.len();
        let found = match part {
            PathPart::Fixed(text) => *self.nodes[node].fixed.entry(text).or_insert(next),
            PathPart::Parameter(_) => *self.nodes[node].parameter.get_or_insert(next),
        };
        if found == next {
            self.nodes.push(Node::default());
        }
        found
    }

    /// The operation of this name: an exact one wins.
    pub(super) fn operation(&self, name: &str) -> Option<usize> {
        self.operations.find(name)
    }

    /// Whether the program emits or declares an event.
    pub(super) fn has_event(&self, name: &str) -> bool {
        self.events.contains(name)
    }

    /// The operations whose path fits the wanted pieces, whatever their method. A parameter fits every piece.
    pub(super) fn routes(&self, wanted: &[PathPart]) -> impl Iterator<Item = usize> {
        let mut nodes = vec![0];
        for piece in wanted {
            let mut below = Vec::new();
            for node in &nodes {
                let node = &self.nodes[*node];
                if let PathPart::Fixed(text) = piece {
                    below.extend(node.fixed.get(&**text).copied());
                }
                below.extend(node.parameter);
            }
            nodes = below;
        }
        nodes.into_iter().flat_map(|node| self.nodes[node].ends.iter().copied())
    }
}
