//! Section 2: the diagram, as a graph, and the planes.

use crate::facts::Prose;
use crate::labels::begins_with;
use crate::model::Class;
use crate::reader::{Reader, fences};
use formwork_syntax::{Part, Span};

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
    /// Where its label stands: the first line of it.
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

pub(crate) fn read(reader: &mut Reader<'_>, part: &Part) {
    let title = reader.title(&part.title);
    if begins_with(&title, &["control plane"]) {
        reader.model.overview.control_plane = reader.prose_of(part, Class::Narrative);
    } else if begins_with(&title, &["data plane"]) {
        reader.model.overview.data_plane = reader.prose_of(part, Class::Narrative);
    } else {
        reader.prose_list(part, Class::Narrative);
        if let Some(fence) = fences(&part.children).next()
            && reader.model.overview.diagram.is_none()
        {
            reader.model.overview.diagram = Some(crate::diagram::read(reader.source, fence));
        }
    }
    part.parts().for_each(|below| read(reader, below));
}
