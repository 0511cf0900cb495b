//! [`Linearized`]: the linearized graph of a program, and the programs that eliminations of it write.
//!
//! Every output of the program is a vertex of its own: where it is an input, is used further or is an output twice, a copy
//! stands for it. So all intermediates can be eliminated, and a copy costs nothing.
//!
//! Invariant: the numbers of edges are those of [`LinearizedGraph::edges`]; first those of the program, then the copies.
//! Source: Griewank & Walther 2008, §9.1 and §9.2.

use std::collections::HashSet;

use super::eliminate::Algebra;
use super::graph::{EdgeClass, LinearizedGraph, VertexId};
use super::moves::Move;
use super::orders::Order;
use super::replay::replay;
use crate::error::Error;
use crate::program::{
    Accumulation, Local, LocalEdge, NodeId, Partial, PlannedBody, Program, Scaling, Sparse, Weight,
    is_small,
};

/// A program with its linearized graph.
///
/// ```
/// use wengert::crosscountry::{EdgeClass, Linearized, Move, VertexId};
/// use wengert::prelude::*;
/// use wengert::program::Program;
/// let program = Program::record(|x| [x[0].sin() * x[1]], &[3.0, 2.0])?;
/// let linearized = Linearized::of(&program)?;
/// // The inputs, the sine, the product.
/// assert_eq!((linearized.graph().len(), linearized.graph().edges().len()), (4, 3));
/// let (jacobian, places) = linearized.to_program(&[Move::Vertex(VertexId::new(2)?)])?;
/// assert_eq!(places, [(0, 0), (0, 1)]);
/// assert_eq!(jacobian.prepare()?.run(&[0.0, 2.0])?, [2.0, 0.0]);
/// # Ok::<(), Error>(())
/// ```
///
/// **Shape**: vertices are the `n` inputs, the nodes on a path from an input to an output, and a copy per output that needs one.
/// **Cost**: a few operations per edge, and the partials as a program.
/// **Source**: Griewank & Walther 2008, §9.1.
#[derive(Clone, Debug)]
pub struct Linearized {
    graph: LinearizedGraph,
    local: Local,
    /// Per vertex the node of the original program that it stands for.
    nodes: Vec<NodeId>,
}

impl Linearized {
    /// Linearizes a program.
    ///
    /// A region has no vertex: its results hang on its arguments, by partials that one body computes.
    ///
    /// **Cost**: the partials of all operations are written and simplified.
    ///
    /// # Errors
    /// [`Error::TapeFull`] above 2^32 nodes.
    pub fn of(program: &Program) -> Result<Self, Error> {
        Self::at(program, &vec![true; program.inputs()], false)
    }

    /// Linearizes a program at the inputs that are active.
    fn at(program: &Program, active: &[bool], with_primals: bool) -> Result<Self, Error> {
        let local = Local::of(program, active, with_primals, &plan_body)?;
        let mut nodes: Vec<NodeId> = program.nodes().take(program.inputs()).collect();
        let mut vertices: Vec<Option<usize>> = vec![None; program.len()];
        for (vertex, node) in nodes.iter().enumerate() {
            vertices[node.index()] = Some(vertex);
        }
        let mut is_source = vec![false; program.len()];
        let mut edges = Vec::with_capacity(local.edges.len());
        for edge in &local.edges {
            let target = *vertices[edge.target.index()].get_or_insert_with(|| {
                nodes.push(edge.target);
                nodes.len() - 1
            });
            // Edges ascend by target, and what no input reaches has no edges.
            if let Some(source) = vertices[edge.source.index()] {
                is_source[edge.source.index()] = true;
                edges.push((source, target, class(edge)));
            }
        }
        let mut is_shared = is_source;
        is_shared[..program.inputs()].fill(true);
        let mut is_output = vec![false; program.len()];
        for node in program.outputs() {
            is_shared[node.index()] |= std::mem::replace(&mut is_output[node.index()], true);
        }
        let mut outputs = Vec::with_capacity(program.outputs().len());
        for node in program.outputs() {
            outputs.push(match vertices[node.index()] {
                Some(vertex) if !is_shared[node.index()] => vertex,
                source => {
                    nodes.push(*node);
                    let copy = nodes.len() - 1;
                    edges.extend(source.map(|source| (source, copy, EdgeClass::Copy)));
                    copy
                }
            });
        }
        let inputs = program.inputs();
        let graph = LinearizedGraph::new("program", inputs, nodes.len(), &outputs, &edges)?;
        Ok(Self {
            graph,
            local,
            nodes,
        })
    }

    /// The graph.
    #[must_use]
    pub const fn graph(&self) -> &LinearizedGraph {
        &self.graph
    }

    /// The program that computes the partials of all edges.
    #[must_use]
    pub const fn partials(&self) -> &Program {
        &self.local.program
    }

    /// The nodes of [`partials`](Self::partials) that an edge is computed from, by its number in
    /// [`LinearizedGraph::edges`]; none for a constant or a copy.
    ///
    /// A mask follows the node that it gates; parallel edges of the program are one edge, whose partial is a sum.
    #[must_use]
    pub fn partial_nodes(&self, edge: usize) -> Vec<NodeId> {
        let Some(edge) = self.local.edges.get(edge) else {
            return Vec::new();
        };
        let nodes = edge.weights.iter().flat_map(|weight| match *weight {
            Weight::Constant(_) => [None, None],
            Weight::Times(node) | Weight::Arm(node) | Weight::Domain(node) => [Some(node), None],
            Weight::Gated(node, mask) => [Some(node), Some(mask)],
        });
        nodes.flatten().collect()
    }

    /// The node of the program that a vertex stands for.
    ///
    /// # Errors
    /// [`Error::IndexOutOfRange`] if there is no such vertex.
    pub fn node(&self, vertex: VertexId) -> Result<NodeId, Error> {
        let found = self.nodes.get(vertex.index()).copied();
        found.ok_or(Error::IndexOutOfRange {
            what: "vertices",
            index: vertex.index(),
            len: self.nodes.len(),
        })
    }

    /// The Jacobian that these moves compute as a program with one output per structural nonzero, and their places.
    ///
    /// **Shape**: as [`Program::sparse_jacobian`].
    /// Constant factors are multiplied with early or late, whichever takes fewer operations; those of several operations may
    /// become one, so entries may differ in the last digits from those of other modes.
    ///
    /// **Cost**: three times the moves, a node or two per product, and [`Program::simplify`].
    ///
    /// # Errors
    /// [`Error::InvalidGraph`] if a move cannot be made, or an intermediate is left; [`Error::TapeFull`] above 2^32 nodes.
    ///
    /// **Source**: Griewank & Walther 2008, §9.2.
    pub fn to_program(&self, moves: &[Move]) -> Result<(Program, Vec<(u32, u32)>), Error> {
        let flops = |(program, _): &Sparse| program.counts().flops();
        let mut best = self.written_by(moves, Scaling::Each)?;
        for scaling in [Scaling::Early, Scaling::Late] {
            let other = self.written_by(moves, scaling)?;
            if flops(&other) < flops(&best) {
                best = other;
            }
        }
        Ok(best)
    }

    fn written_by(&self, moves: &[Move], scaling: Scaling) -> Result<Sparse, Error> {
        let (writing, entries) = self.eliminated(moves, scaling)?;
        self.written(writing, &entries)
    }

    /// What is left when these moves are made.
    fn eliminated(&self, moves: &[Move], scaling: Scaling) -> Result<(Writing, Entries), Error> {
        let (writing, partials) = self.writing(scaling)?;
        let replayed = replay(&self.graph, writing, |edge, _| partials[edge], moves)?;
        Ok((replayed.algebra, replayed.jacobian))
    }

    /// The algebra that writes a program, and the partial of every edge in it.
    pub(super) fn writing(&self, scaling: Scaling) -> Result<(Writing, Vec<Partial>), Error> {
        let mut accumulation = Accumulation::open(&self.local, scaling)?;
        let partials = (0..self.graph.edges().len()).map(|edge| {
            if edge < self.local.edges.len() {
                accumulation.edge(edge)
            } else {
                accumulation.copy()
            }
        });
        let partials = partials.collect();
        Ok((Writing(accumulation), partials))
    }

    /// The program of the entries of a Jacobian: output, input, partial, by outputs in their order and then by inputs.
    pub(super) fn written(
        &self,
        Writing(accumulation): Writing,
        entries: &[(VertexId, VertexId, Partial)],
    ) -> Result<Sparse, Error> {
        let mut rows = vec![0; self.graph.len()];
        for (row, output) in (0..).zip(self.graph.outputs()) {
            rows[output.index()] = row;
        }
        let mut places = Vec::with_capacity(entries.len());
        for (output, input, _) in entries {
            if input.index() >= self.graph.inputs() {
                return Err(Error::InvalidGraph {
                    vertex: input.index(),
                    what: "it is not eliminated",
                });
            }
            places.push((rows[output.index()], input.raw()));
        }
        let partials: Vec<Partial> = entries.iter().map(|(_, _, partial)| *partial).collect();
        Ok((accumulation.finish(&partials)?.simplify()?, places))
    }
}

impl LinearizedGraph {
    /// The linearized graph of a program; [`Linearized`] also keeps the partials.
    ///
    /// ```
    /// use wengert::crosscountry::LinearizedGraph;
    /// use wengert::program::Program;
    /// let program = Program::record(|x| [x[0] * x[1], x[0]], &[3.0, 2.0])?;
    /// // An output that is an input is a copy of it.
    /// let graph = LinearizedGraph::from_program(&program)?;
    /// assert_eq!((graph.len(), graph.edges()[2].class.name()), (4, "copy"));
    /// # Ok::<(), wengert::Error>(())
    /// ```
    ///
    /// **Cost**: as [`Linearized::of`].
    ///
    /// # Errors
    /// As [`Linearized::of`].
    pub fn from_program(program: &Program) -> Result<Self, Error> {
        Ok(Linearized::of(program)?.graph)
    }
}

/// Output, input and partial, by outputs in their order and then by inputs.
type Entries = Vec<(VertexId, VertexId, Partial)>;

/// The Jacobian of the body of a region by the cheapest of the orders that need no search.
fn plan_body(body: &Program, active: &[bool]) -> Result<PlannedBody, Error> {
    let linearized = Linearized::at(body, active, true)?;
    let graph = linearized.graph();
    let mut rows = vec![0; graph.len()];
    for (row, output) in graph.outputs().iter().enumerate() {
        rows[output.index()] = row;
    }
    let mut best: Option<(u64, PlannedBody)> = None;
    let mut seen = HashSet::new();
    // Of a large body one order is tried.
    let orders: &[Order] = if is_small(body) {
        &Order::ALL
    } else {
        &[Order::Markowitz]
    };
    for order in orders {
        let moves: Vec<Move> = order.of(graph)?.into_iter().map(Move::Vertex).collect();
        if !seen.insert(moves.clone()) {
            continue;
        }
        for scaling in Scaling::ALL {
            let (Writing(accumulation), entries) = linearized.eliminated(&moves, scaling)?;
            let entries: Vec<(usize, usize, Partial)> = entries
                .into_iter()
                .map(|(output, input, partial)| (rows[output.index()], input.index(), partial))
                .collect();
            let planned = accumulation.finish_body(&entries)?;
            let flops = planned.program.counts().flops();
            if best.as_ref().is_none_or(|(least, _)| flops < *least) {
                best = Some((flops, planned));
            }
        }
    }
    Ok(best.expect("there are orders").1)
}

/// What is known of the partial of an edge.
fn class(edge: &LocalEdge) -> EdgeClass {
    match edge.weights.as_slice() {
        [Weight::Constant(c)] if c.abs() == 1.0 => EdgeClass::Unit,
        [Weight::Constant(_)] => EdgeClass::Constant,
        _ => EdgeClass::Variable,
    }
}

/// Partials are nodes of a program being written.
pub(super) struct Writing(Accumulation);

impl Algebra for Writing {
    type Partial = Partial;
    fn product(&mut self, first: &Partial, second: &Partial) -> Result<Partial, Error> {
        Ok(self.0.product(*first, *second))
    }
    fn sum(&mut self, old: &Partial, new: &Partial) -> Result<Partial, Error> {
        Ok(self.0.sum(*old, *new))
    }
}

#[cfg(test)]
mod tests;
