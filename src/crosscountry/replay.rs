//! Replaying sequences of [`Move`]s: what they cost, and the Jacobian they compute.
//!
//! Invariant: moves that leave a path through an intermediate are an error, so a cost is always that of a whole Jacobian.
//! Source: Naumann 2004 (vertex and edge eliminations as sequences of faces).

use super::cost::Tally;
use super::eliminate::{Algebra, Counting, Elimination, Numbers};
use super::faces::FaceElimination;
use super::graph::{EdgeClass, LinearizedGraph, VertexId};
use super::moves::Move;
use crate::error::Error;

/// What a replay of moves has left.
#[derive(Clone, Debug)]
pub struct Replayed<A: Algebra> {
    /// The algebra with what it has gathered.
    pub algebra: A,
    /// The nonzeros of the Jacobian: `(output, source, partial)` by outputs in their order, then by source. A source is an
    /// input, or an output that another output depends on.
    pub jacobian: Vec<(VertexId, VertexId, A::Partial)>,
    /// The largest number of partials that were stored at one time.
    pub memory: u64,
}

/// Eliminates by moves with any algebra, starting from the partials that `partial` gives for each edge.
///
/// Without faces the moves are those of [`Elimination`]; with at least one all are faces of [`FaceElimination`].
///
/// ```
/// use wengert::crosscountry::{EdgeClass, LinearizedGraph, Move, Numbers, replay};
/// let edges = [(0, 1), (0, 2), (1, 2)].map(|(s, t)| (s, t, EdgeClass::Variable));
/// let graph = LinearizedGraph::new("y", 1, 3, &[2], &edges)?;
/// let replayed = replay(&graph, Numbers, |edge, _| [2.0, 3.0, 5.0][edge], &[Move::Face(0, 2)])?;
/// assert_eq!((replayed.jacobian[0].2, replayed.memory), (13.0, 3));
/// # Ok::<(), wengert::Error>(())
/// ```
///
/// **Cost**: that of the moves.
///
/// # Errors
/// [`Error::InvalidGraph`] if a move is not possible when it comes, or a path through an intermediate is left at the end; those
/// of the algebra.
pub fn replay<A: Algebra>(
    graph: &LinearizedGraph,
    algebra: A,
    partial: impl FnMut(usize, EdgeClass) -> A::Partial,
    moves: &[Move],
) -> Result<Replayed<A>, Error> {
    let has_faces = moves.iter().any(|step| matches!(step, Move::Face(..)));
    let (jacobian, memory, algebra) = if has_faces {
        let mut elimination = FaceElimination::new(graph, algebra, partial)?;
        for step in moves {
            elimination.take(*step)?;
        }
        if let Some(vertex) = elimination.first_unfinished() {
            return Err(incomplete(vertex));
        }
        (
            elimination.jacobian(),
            elimination.memory(),
            elimination.into_algebra(),
        )
    } else {
        let mut elimination = Elimination::new(graph, algebra, partial);
        for step in moves {
            elimination.take(*step)?;
        }
        for vertex in graph.intermediates() {
            if elimination.markowitz_degree(vertex) > 0 {
                return Err(incomplete(vertex));
            }
        }
        let mut jacobian = elimination.jacobian();
        let is_intermediate = graph.is_intermediate();
        // What an intermediate that nothing enters contributes is nothing.
        jacobian.retain(|(_, source, _)| !is_intermediate[source.index()]);
        (jacobian, elimination.memory(), elimination.into_algebra())
    };
    Ok(Replayed {
        algebra,
        jacobian,
        memory,
    })
}

/// What eliminating by these moves costs.
///
/// ```
/// use wengert::crosscountry::{EdgeClass, LinearizedGraph, Move, VertexId, cost_of_moves};
/// let edges = [(0, 1), (0, 2), (1, 2)].map(|(s, t)| (s, t, EdgeClass::Variable));
/// let graph = LinearizedGraph::new("y", 1, 3, &[2], &edges)?;
/// let (x, sine) = (VertexId::new(0)?, VertexId::new(1)?);
/// assert_eq!(cost_of_moves(&graph, &[Move::Front(x, sine)])?.multiplications, 1);
/// assert!(cost_of_moves(&graph, &[]).is_err());
/// # Ok::<(), wengert::Error>(())
/// ```
///
/// **Cost**: the moves on classes.
///
/// # Errors
/// As [`replay`]; [`Error::CostOverflow`].
pub fn cost_of_moves(graph: &LinearizedGraph, moves: &[Move]) -> Result<Tally, Error> {
    let replayed = replay(graph, Counting::default(), |_, class| class, moves)?;
    Ok(Tally {
        memory: replayed.memory,
        ..replayed.algebra.tally
    })
}

/// The Jacobian by these moves from numbers, one per edge in the order of [`LinearizedGraph::edges`].
///
/// ```
/// use wengert::crosscountry::{EdgeClass, LinearizedGraph, Move, VertexId, jacobian_by_moves};
/// let edges = [(0, 1), (0, 2), (1, 2)].map(|(s, t)| (s, t, EdgeClass::Variable));
/// let graph = LinearizedGraph::new("y", 1, 3, &[2], &edges)?;
/// let (sine, y) = (VertexId::new(1)?, VertexId::new(2)?);
/// let jacobian = jacobian_by_moves(&graph, &[2.0, 3.0, 5.0], &[Move::Back(sine, y)])?;
/// assert_eq!(jacobian[0].2, 13.0);
/// # Ok::<(), wengert::Error>(())
/// ```
///
/// **Shape**: `(output, source, partial)` as in [`Replayed::jacobian`].
/// **Cost**: the products and sums of [`cost_of_moves`].
///
/// # Errors
/// As [`replay`]; [`Error::ShapeMismatch`] unless there is a number per edge.
pub fn jacobian_by_moves(
    graph: &LinearizedGraph,
    partials: &[f64],
    moves: &[Move],
) -> Result<Vec<(VertexId, VertexId, f64)>, Error> {
    crate::error::check_len("partials", graph.edges().len(), partials.len())?;
    let replayed = replay(graph, Numbers, |edge, _| partials[edge], moves)?;
    Ok(replayed.jacobian)
}

impl<A: Algebra> Elimination<A> {
    /// Takes one step that is no face.
    ///
    /// # Errors
    /// [`Error::InvalidGraph`] if the move is a face or is not possible; those of the algebra.
    pub fn take(&mut self, step: Move) -> Result<(), Error> {
        match step {
            Move::Vertex(vertex) => self.eliminate_vertex(vertex),
            Move::Front(source, target) => self.eliminate_front(source, target),
            Move::Back(source, target) => self.eliminate_back(source, target),
            Move::Face(first, _) => Err(Error::InvalidGraph {
                vertex: first as usize,
                what: "a face is named where only vertices and edges can be eliminated",
            }),
        }
    }
}

impl<A: Algebra> FaceElimination<A> {
    /// Takes one step: a face, or all faces of an edge at its front or back, or all of a vertex.
    ///
    /// # Errors
    /// [`Error::InvalidGraph`] if the move is not possible; those of the algebra.
    pub fn take(&mut self, step: Move) -> Result<(), Error> {
        match step {
            Move::Vertex(vertex) => self.eliminate_vertex(vertex),
            Move::Front(source, target) => self.eliminate_front(source, target),
            Move::Back(source, target) => self.eliminate_back(source, target),
            Move::Face(first, second) => self.eliminate_face(first, second).map(|_| ()),
        }
    }

    /// The vertex of some face that is left.
    fn first_unfinished(&self) -> Option<VertexId> {
        let (first, _) = self.faces().first().copied()?;
        self.ends(first).map(|(_, target)| target)
    }
}

fn incomplete(vertex: VertexId) -> Error {
    Error::InvalidGraph {
        vertex: vertex.index(),
        what: "a path through it is left when all moves are done",
    }
}
