//! [`LinearizedGraph`]: the linearized computational graph, whose edges are local partials.
//!
//! The inputs are the first vertices; the others are usually, but need not be, numbered in order of execution.
//! Everything that plans an elimination order works on this graph; where it comes from, a program or a file, does not matter.
//!
//! Invariant: edges are sorted by target, then source; no two edges are parallel; there is no cycle; no
//! edge enters an input.
//! Source: Griewank & Walther 2008, §9 (linearized computational graphs); Naumann 2004.

use std::fmt;

use petgraph::algo::toposort;
use petgraph::graph::DiGraph;

use crate::error::Error;

/// The number of a vertex, printed `v12`; 32 bits, checked on creation.
///
/// ```
/// use wengert::crosscountry::VertexId;
/// assert_eq!(VertexId::new(12)?.to_string(), "v12");
/// # Ok::<(), wengert::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VertexId(u32);

impl VertexId {
    /// Checks that the number fits.
    ///
    /// # Errors
    /// [`Error::TapeFull`] above 2^32 vertices.
    pub fn new(index: usize) -> Result<Self, Error> {
        u32::try_from(index).map(Self).map_err(|_| Error::TapeFull {
            limit: u32::MAX as usize,
        })
    }

    pub(super) const fn from_raw(index: u32) -> Self {
        Self(index)
    }

    pub(super) const fn raw(self) -> u32 {
        self.0
    }

    /// The number as an index into arrays with one entry per vertex.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for VertexId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}", self.0)
    }
}

/// What is known of a local partial before any number is.
///
/// **Source**: Griewank & Walther 2008, §9.1; the class `copy` is that of the AlphaGrad task set (Lohoff & Neftci 2024).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum EdgeClass {
    /// It depends on the point.
    #[default]
    Variable,
    /// The same number everywhere.
    Constant,
    /// 1 or -1.
    Unit,
    /// The target is the source under another name; no product with it is ever formed.
    Copy,
}

impl EdgeClass {
    /// The name in graph files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Variable => "var",
            Self::Constant => "const",
            Self::Unit => "unit",
            Self::Copy => "copy",
        }
    }

    /// The class of this name in graph files.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Variable, Self::Constant, Self::Unit, Self::Copy]
            .into_iter()
            .find(|class| class.name() == name)
    }

    /// Whether the partial is the same number everywhere.
    #[must_use]
    pub const fn is_constant(self) -> bool {
        !matches!(self, Self::Variable)
    }

    /// The class of the product of two partials.
    #[must_use]
    pub const fn times(self, other: Self) -> Self {
        match (self, other) {
            (Self::Copy, class) | (class, Self::Copy) => class,
            (Self::Variable, _) | (_, Self::Variable) => Self::Variable,
            (Self::Unit, Self::Unit) => Self::Unit,
            (Self::Constant | Self::Unit, Self::Constant | Self::Unit) => Self::Constant,
        }
    }

    /// The class of the sum of two partials.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        if self.is_constant() && other.is_constant() {
            Self::Constant
        } else {
            Self::Variable
        }
    }
}

/// An edge: the partial of the target by the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Where it starts: the argument.
    pub source: VertexId,
    /// Where it ends: the result.
    pub target: VertexId,
    /// What is known of the partial.
    pub class: EdgeClass,
}

/// A linearized computational graph.
///
/// ```
/// use wengert::crosscountry::{EdgeClass, LinearizedGraph};
/// // y = sin(x) * x: vertex 0 is x, 1 is the sine, 2 is y.
/// let edges = [(0, 1), (0, 2), (1, 2)].map(|(s, t)| (s, t, EdgeClass::Variable));
/// let graph = LinearizedGraph::new("y", 1, 3, &[2], &edges)?;
/// assert_eq!((graph.intermediates().count(), graph.edges().len()), (1, 3));
/// # Ok::<(), wengert::Error>(())
/// ```
///
/// **Shape**: `n` inputs are the vertices `0..n`; `m` outputs; `l` intermediates are all others.
/// **Cost**: 12 bytes per edge.
/// **Source**: Griewank & Walther 2008, §9.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinearizedGraph {
    name: String,
    inputs: usize,
    vertices: usize,
    outputs: Vec<VertexId>,
    edges: Vec<Edge>,
}

impl LinearizedGraph {
    /// The graph with these edges `(source, target, class)`, in any order; parallel edges add (EDGE_CASES e93).
    ///
    /// **Cost**: a sort of the edges.
    ///
    /// # Errors
    /// [`Error::IndexOutOfRange`] if an edge or output names a vertex that is not there; [`Error::InvalidGraph`] if there
    /// is a cycle, or an edge enters an input, or an output is named twice.
    pub fn new(
        name: &str,
        inputs: usize,
        vertices: usize,
        outputs: &[usize],
        edges: &[(usize, usize, EdgeClass)],
    ) -> Result<Self, Error> {
        let vertex = |index: usize| {
            if index < vertices {
                VertexId::new(index)
            } else {
                Err(Error::IndexOutOfRange {
                    what: "vertices",
                    index,
                    len: vertices,
                })
            }
        };
        if inputs > vertices {
            return Err(Error::InvalidGraph {
                vertex: inputs,
                what: "there are more inputs than vertices",
            });
        }
        let outputs: Vec<VertexId> = outputs
            .iter()
            .map(|v| vertex(*v))
            .collect::<Result<_, _>>()?;
        let mut is_output = vec![false; vertices];
        for output in &outputs {
            if std::mem::replace(&mut is_output[output.index()], true) {
                return Err(Error::InvalidGraph {
                    vertex: output.index(),
                    what: "it is named as an output twice",
                });
            }
        }
        let mut sorted = Vec::with_capacity(edges.len());
        for (source, target, class) in edges {
            let (source, target, class) = (vertex(*source)?, vertex(*target)?, *class);
            if target.index() < inputs {
                return Err(Error::InvalidGraph {
                    vertex: target.index(),
                    what: "an edge enters it, but it is an input",
                });
            }
            sorted.push(Edge {
                source,
                target,
                class,
            });
        }
        sorted.sort_by_key(|edge| (edge.target, edge.source));
        let mut merged: Vec<Edge> = Vec::with_capacity(sorted.len());
        for edge in sorted {
            match merged.last_mut() {
                Some(last) if (last.source, last.target) == (edge.source, edge.target) => {
                    last.class = last.class.plus(edge.class);
                }
                _ => merged.push(edge),
            }
        }
        let graph = Self {
            name: name.to_owned(),
            inputs,
            vertices,
            outputs,
            edges: merged,
        };
        // Nearly all graphs are numbered in order of execution; then there is nothing to search.
        if graph.edges.iter().any(|edge| edge.source >= edge.target) {
            graph.execution_order()?;
        }
        Ok(graph)
    }

    /// All vertices in an order of execution: sources before their targets.
    ///
    /// **Cost**: one pass over the edges.
    ///
    /// # Errors
    /// [`Error::InvalidGraph`] if there is a cycle, which [`new`](Self::new) excludes.
    pub fn execution_order(&self) -> Result<Vec<VertexId>, Error> {
        let graph = self.to_petgraph();
        match toposort(&graph, None) {
            Ok(order) => Ok(order.into_iter().map(|node| graph[node]).collect()),
            Err(cycle) => Err(Error::InvalidGraph {
                vertex: cycle.node_id().index(),
                what: "it depends on itself",
            }),
        }
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The graph under another name.
    #[must_use]
    pub fn with_name(self, name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..self
        }
    }

    /// The number of inputs `n`.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// The number of all vertices.
    #[must_use]
    pub fn len(&self) -> usize {
        self.vertices
    }

    /// Whether there is no vertex at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.vertices == 0
    }

    /// The `m` outputs, in their order.
    #[must_use]
    pub fn outputs(&self) -> &[VertexId] {
        &self.outputs
    }

    /// All edges, by target and then by source.
    #[must_use]
    pub fn edges(&self) -> &[Edge] {
        &self.edges
    }

    /// Whether each vertex may be eliminated: it is neither an input nor an output.
    #[must_use]
    pub fn is_intermediate(&self) -> Vec<bool> {
        let mut is_intermediate = vec![true; self.vertices];
        is_intermediate[..self.inputs].fill(false);
        for output in &self.outputs {
            is_intermediate[output.index()] = false;
        }
        is_intermediate
    }

    /// The `l` intermediates in order of execution.
    pub fn intermediates(&self) -> impl Iterator<Item = VertexId> + use<> {
        let flags = self.is_intermediate();
        let numbers = (0..).zip(flags).filter(|(_, is)| *is);
        numbers.map(|(index, _)| VertexId::from_raw(index))
    }

    /// The graph as petgraph has it: vertices carry their number, edges their class.
    ///
    /// ```
    /// use wengert::crosscountry::{EdgeClass, LinearizedGraph};
    /// let graph = LinearizedGraph::new("id", 1, 2, &[1], &[(0, 1, EdgeClass::Unit)])?;
    /// assert_eq!(graph.to_petgraph().edge_count(), 1);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    ///
    /// **Cost**: one pass.
    #[must_use]
    pub fn to_petgraph(&self) -> DiGraph<VertexId, EdgeClass> {
        let mut graph = DiGraph::with_capacity(self.vertices, self.edges.len());
        let vertices = (0..).take(self.vertices).map(VertexId::from_raw);
        let nodes: Vec<_> = vertices.map(|vertex| graph.add_node(vertex)).collect();
        for edge in &self.edges {
            let (source, target) = (nodes[edge.source.index()], nodes[edge.target.index()]);
            graph.add_edge(source, target, edge.class);
        }
        graph
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use EdgeClass::{Constant, Copy, Unit, Variable};

    #[test]
    fn edge_e93_parallel_edges_add() {
        let edges = [(0, 1, Unit), (0, 1, Unit)];
        let graph = LinearizedGraph::new("x+x", 1, 2, &[1], &edges).unwrap();
        assert_eq!(graph.edges().len(), 1);
        assert_eq!(graph.edges()[0].class, Constant);
    }

    #[test]
    fn damage_is_named() {
        let new = |inputs, vertices, outputs: &[usize], edges: &[(usize, usize, EdgeClass)]| {
            LinearizedGraph::new("g", inputs, vertices, outputs, edges).unwrap_err()
        };
        let text = new(1, 3, &[2], &[(2, 1, Variable), (1, 2, Variable)]).to_string();
        assert!(text.contains("depends on itself"), "{text}");
        let text = new(2, 3, &[2], &[(0, 1, Variable)]).to_string();
        assert!(text.contains("input"), "{text}");
        assert!(new(1, 3, &[2, 2], &[]).to_string().contains("twice"));
        assert!(new(4, 3, &[2], &[]).to_string().contains("more inputs"));
        assert!(matches!(
            new(1, 3, &[3], &[]),
            Error::IndexOutOfRange {
                index: 3,
                len: 3,
                ..
            }
        ));
    }

    #[test]
    fn classes_multiply_as_numbers_do() {
        assert_eq!(Copy.times(Variable), Variable);
        assert_eq!(Unit.times(Unit), Unit);
        assert_eq!(Unit.times(Constant), Constant);
        assert_eq!(Constant.times(Variable), Variable);
        assert_eq!(Copy.times(Copy), Copy);
        assert_eq!(Unit.plus(Unit), Constant);
        assert_eq!(Unit.plus(Variable), Variable);
    }
}
