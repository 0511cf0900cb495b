//! [`Step`]: a move that names vertices only, and [`Graph`]: what steps are taken in.
//!
//! Invariant: a step that is not possible changes nothing.
//! Source: Naumann 2004 (the hierarchy of vertex, edge and face elimination).

use super::super::cost::{CostModel, Tally};
use super::super::graph::VertexId;
use super::super::moves::Move;
use crate::error::Error;

/// A move, or all faces that lead over three vertices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in super::super) enum Step {
    /// As [`Move::Vertex`].
    Vertex(VertexId),
    /// As [`Move::Front`].
    Front(VertexId, VertexId),
    /// As [`Move::Back`].
    Back(VertexId, VertexId),
    /// The faces of edges from the first vertex to the second with edges from there to the third.
    Face(VertexId, VertexId, VertexId),
}

impl Step {
    /// The vertex at which the products are formed.
    pub(in super::super) const fn middle(self) -> VertexId {
        match self {
            Self::Vertex(v) | Self::Front(_, v) | Self::Back(v, _) | Self::Face(_, v, _) => v,
        }
    }

    /// The step of a move, unless that is a face.
    pub(in super::super) const fn of(step: Move) -> Option<Self> {
        match step {
            Move::Vertex(v) => Some(Self::Vertex(v)),
            Move::Front(u, v) => Some(Self::Front(u, v)),
            Move::Back(v, w) => Some(Self::Back(v, w)),
            Move::Face(..) => None,
        }
    }

    /// The same as a move, unless it is a face.
    pub(super) const fn to_move(self) -> Option<Move> {
        match self {
            Self::Vertex(v) => Some(Move::Vertex(v)),
            Self::Front(u, v) => Some(Move::Front(u, v)),
            Self::Back(v, w) => Some(Move::Back(v, w)),
            Self::Face(..) => None,
        }
    }
}

/// A graph from which something is being eliminated.
pub(in super::super) trait Graph: Clone {
    /// Takes a step and returns whether it was possible; the vertex in its middle must be an intermediate.
    ///
    /// # Errors
    /// [`Error::CostOverflow`].
    fn take(&mut self, step: Step) -> Result<bool, Error>;
    fn tally(&self) -> Tally;
    fn tally_mut(&mut self) -> &mut Tally;
    /// What is to be small.
    fn model(&self) -> CostModel;
    /// Whether no later step can tell the two apart.
    fn has_same_graph(&self, other: &Self) -> bool;
    /// The number of edges that enter and that leave a vertex.
    fn degrees(&self, vertex: VertexId) -> (u32, u32);
    /// The vertices from which edges enter.
    fn sources(&self, vertex: VertexId) -> impl Iterator<Item = VertexId>;
    /// The vertices to which edges leave.
    fn targets(&self, vertex: VertexId) -> impl Iterator<Item = VertexId>;

    /// The cost so far.
    fn cost(&self) -> u64 {
        self.tally().of(self.model())
    }

    /// Adds to the tally the difference of two others.
    fn count_on(&mut self, from: &Tally, to: &Tally) {
        let moved = |count: u64, from: u64, to: u64| count.wrapping_add(to).wrapping_sub(from);
        let tally = self.tally_mut();
        tally.multiplications = moved(
            tally.multiplications,
            from.multiplications,
            to.multiplications,
        );
        tally.arithmetic = moved(tally.arithmetic, from.arithmetic, to.arithmetic);
    }
}
