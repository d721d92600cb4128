//! Section 2: the diagram, as a graph, and the planes.

use crate::facts::Prose;
use formwork_syntax::Span;

/// A diagram.
#[derive(Clone, Debug, Default)]
pub struct Diagram {
    /// Boxes.
    pub nodes: Vec<DiagramNode>,
    /// Arrows.
    pub edges: Vec<DiagramEdge>,
    /// The fence.
    pub span: Span,
}

/// A box of a diagram.
#[derive(Clone, Debug)]
pub struct DiagramNode {
    /// Its label.
    pub name: String,
    /// Where its label stands.
    pub span: Span,
}

/// An arrow of a diagram.
#[derive(Clone, Debug)]
pub struct DiagramEdge {
    /// Label of the box that it leaves.
    pub from: String,
    /// Label of the box that it reaches.
    pub to: String,
    /// What is written on it.
    pub label: Option<String>,
    /// Where.
    pub span: Span,
}

/// Section 2.
#[derive(Clone, Debug, Default)]
pub struct Overview {
    /// The diagram.
    pub diagram: Option<Diagram>,
    /// *Control plane*.
    pub control_plane: Option<Prose>,
    /// *Data plane*.
    pub data_plane: Option<Prose>,
}
