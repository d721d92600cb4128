//! Drawings in ASCII or Unicode to a graph: boxes by their borders, arrows by following their lines back from the
//! head, and bare words at the ends of lines as nodes of their own.
//!
//! [`grid`] is the drawing as cells, [`boxes`] finds the boxes, [`arrows`] follows the lines; [`mermaid`] reads the
//! drawings of that name. A drawing of more than
//! [`grid::MOST_CELLS`] cells is not read. Source: language reference, *Promises, protection, operation*, Diagram.

mod arrows;
mod boxes;
mod grid;
mod mermaid;

use crate::sections::overview::{Diagram, DiagramEdge, DiagramNode};
use formwork_syntax::{Fence, Span};
use grid::Grid;

/// Where something stands in a drawing: row, then column.
type Place = (usize, usize);

/// A box or bare words.
struct Node {
    name: String,
    span: Span,
    place: Place,
}

/// Reads the drawing in a fence.
pub(crate) fn read(source: &str, fence: &Fence) -> Diagram {
    if mermaid::is_drawing(source, fence) {
        return mermaid::read(source, fence);
    }
    let Some(grid) = Grid::new(source, fence) else {
        return Diagram { span: fence.span, ..Diagram::default() };
    };
    let boxes = boxes::find(&grid);
    let mut nodes: Vec<Node> = boxes.iter().filter_map(|found| found.node(&grid, &boxes)).collect();
    let mut edges = Vec::new();
    for arrow in arrows::find(&grid, &boxes) {
        let ends = [arrow.from, arrow.to].map(|end| name_of(&grid, &boxes, &mut nodes, end));
        let [Some(from), Some(to)] = ends else { continue };
        edges.push(DiagramEdge { from, to, label: arrow.label, span: arrow.span });
    }
    nodes.sort_by_key(|node| node.place);
    let nodes = nodes.into_iter().map(|node| DiagramNode { name: node.name, span: node.span }).collect();
    Diagram { nodes, edges, span: fence.span }
}

/// The name at an arrow's end; bare words become a node when they are seen first.
fn name_of(grid: &Grid, boxes: &[boxes::Found], nodes: &mut Vec<Node>, end: arrows::End) -> Option<String> {
    match end {
        arrows::End::Box(at) => boxes.get(at)?.node(grid, boxes).map(|node| node.name),
        arrows::End::Words(place) => {
            let (name, span, place) = grid.words(place)?;
            if !nodes.iter().any(|node| node.name == name) {
                nodes.push(Node { name: name.clone(), span, place });
            }
            Some(name)
        }
    }
}
