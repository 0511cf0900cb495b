//! Lower bounds: what no elimination order can go below.
//!
//! | bound | holds for | what it is |
//! |---|---|---|
//! | [`separator_bound`] | all moves; multiplications, arithmetic | for every vertex the product of two minimum vertex cuts |
//! | [`group_bound`] | vertex moves; multiplications, arithmetic | groups of vertices by dynamic programming over their subsets, with conditional cuts |
//! | [`tree_bound`] | all moves; multiplications, arithmetic | products for every path, in an order of its own, by a linear relaxation |
//! | [`storage_bound`] | vertex and edge moves; memory | the partials that are there at the start, for vertices with the least that the first adds |
//!
//! **Why the separator bound holds.** As many paths as a minimum vertex cut before `v` has members lead to `v` from where nothing is
//! eliminated, inputs and outputs, and share no vertex but `v` (Menger); in the same way paths lead away from `v`. Put together, one of
//! the `k` paths `P` and one of the `m` paths `Q` are a path through `v`. At any time such a path is covered by edges, or duals, one after the
//! other, which meet in some of its vertices. `v` stops being one of these when a dual from a vertex `x` of `P` is multiplied by one to
//! a vertex `y` of `Q`. The pair `(x, y)` tells which `P` and which `Q` it was, so that makes `k m` different products at `v`, whatever the
//! moves and whenever they are taken.
//!
//! A product is free if one of the two is a copy. Then there is a path of copies from `x` to `v`, or from `v` to `y`, in the graph as given;
//! vertices on a side from which copies lead to `v` are left out of the paths, so no such pair is counted.
//!
//! **Arithmetic.** A product is free if a factor is 1 or -1, or if both are constant. A dual that is not variable has only
//! constant paths; leaving all vertices with a path of constants out of the paths, what remains are pairs of variable
//! partials, none of which is free. Additions only add to that.
//!
//! **Why not groups for edges and faces.** A group is bounded by the best order of its members. With finer moves every path may have
//! an order of its own: the lion has the bound 12 for vertices and an edge order of 11.
//!
//! Invariant: a bound is `None` unless it is proven for these moves and this cost.
//! Source: Griewank & Walther 2008, §10.2 (cuts); the rest is ours.

mod bits;
mod clusters;
mod cuts;
mod group;
mod pairs;
#[cfg(test)]
mod tests;
mod trees;
mod union;

pub(super) use clusters::Clusters;
pub use clusters::GroupLimits;
pub(super) use pairs::pair_costs;
pub use trees::{TreeLimits, tree_bound};

use std::fmt;

use self::cuts::{Direction, Neighbours, Side};
use super::budget::Clock;
use super::cost::CostModel;
use super::eliminate::Elimination;
use super::graph::{EdgeClass, LinearizedGraph};
use super::moves::Moves;

/// How a lower bound was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BoundKind {
    /// Minimum vertex cuts before and behind every vertex.
    Separator,
    /// Groups of vertices with conditional cuts.
    Groups,
    /// Orders of elimination for each path of its own.
    Trees,
    /// What is stored at the start.
    Storage,
    /// An exact method.
    Search,
}

impl fmt::Display for BoundKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Separator => "separator",
            Self::Groups => "groups",
            Self::Trees => "trees",
            Self::Storage => "storage",
            Self::Search => "search",
        })
    }
}

/// No elimination with these moves costs less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LowerBound {
    /// The bound.
    pub value: u64,
    /// How it was found.
    pub kind: BoundKind,
    /// The moves for which it holds.
    pub moves: Moves,
    /// The cost for which it holds.
    pub cost: CostModel,
}

/// The classes of edges whose products may be free, for costs that have bounds by cuts.
pub(super) fn free_classes(model: CostModel) -> Option<fn(EdgeClass) -> bool> {
    match model {
        CostModel::Multiplications => Some(|class| class == EdgeClass::Copy),
        CostModel::Arithmetic => Some(EdgeClass::is_constant),
        CostModel::Memory => None,
    }
}

/// The sum over all vertices of the product of two minimum vertex cuts: between the inputs and the vertex, and between the vertex
/// and the outputs.
///
/// ```
/// use wengert::crosscountry::{Budget, CostModel, EdgeClass, LinearizedGraph, Moves, separator_bound};
/// // Two inputs meet in a vertex that two outputs depend on.
/// let edges = [(0, 2), (1, 2), (2, 3), (3, 4), (3, 5)].map(|(s, t)| (s, t, EdgeClass::Variable));
/// let graph = LinearizedGraph::new("hour-glass", 2, 6, &[4, 5], &edges)?;
/// let clock = Budget::default().start();
/// let bound = separator_bound(&graph, Moves::Vertex, CostModel::Multiplications, &clock).unwrap();
/// // Each of the two can be cut off by the other on one side.
/// assert_eq!(bound.value, 2 * 1 + 1 * 2);
/// // It holds for all moves.
/// assert_eq!(separator_bound(&graph, Moves::Face, CostModel::Multiplications, &clock).unwrap().value, 4);
/// # Ok::<(), wengert::Error>(())
/// ```
///
/// **Shape**: `None` for memory.
/// **Cost**: for each vertex as many searches among its ancestors and descendants as the cuts have members, and two more. When the
/// clock ends it, the vertices that were not reached count nothing.
/// **Source**: Griewank & Walther 2008, §10.2, for vertices; that it holds for edges and faces is our own, the reasons are in
/// `bounds/mod.rs`.
#[must_use]
pub fn separator_bound(
    graph: &LinearizedGraph,
    moves: Moves,
    model: CostModel,
    clock: &Clock,
) -> Option<LowerBound> {
    let least = least_products(graph, model, clock)?;
    Some(LowerBound {
        value: least.into_iter().fold(0, u64::saturating_add),
        kind: BoundKind::Separator,
        moves,
        cost: model,
    })
}

/// For each vertex the number of products that are formed there at least, whatever the moves; `None` for memory.
pub(super) fn least_products(
    graph: &LinearizedGraph,
    model: CostModel,
    clock: &Clock,
) -> Option<Vec<u64>> {
    let neighbours = Neighbours::new(graph, free_classes(model)?);
    let mut least = vec![0; graph.len()];
    for vertex in graph.intermediates() {
        if clock.must_stop().is_some() {
            break;
        }
        let cut = |direction| u64::from(Side::new(&neighbours, vertex, direction).value());
        least[vertex.index()] = cut(Direction::Sources) * cut(Direction::Targets);
    }
    Some(least)
}

/// The sum over groups of vertices of the least that eliminating the group can cost, in any order of its members.
///
/// ```
/// use wengert::crosscountry::{Budget, CostModel, EdgeClass, GroupLimits, LinearizedGraph, Moves, group_bound};
/// // Two inputs meet in v2; v2 and v3 feed four outputs.
/// let edges = [(0, 2), (1, 2), (2, 3), (2, 4), (3, 4), (3, 5), (3, 6), (3, 7)];
/// let edges = edges.map(|(s, t)| (s, t, EdgeClass::Variable));
/// let graph = LinearizedGraph::new("lion", 2, 8, &[4, 5, 6, 7], &edges)?;
/// let clock = Budget::default().start();
/// let limits = GroupLimits::default();
/// let bound = group_bound(&graph, Moves::Vertex, CostModel::Multiplications, &limits, &clock);
/// assert_eq!(bound.unwrap().value, 12);
/// # Ok::<(), wengert::Error>(())
/// ```
///
/// **Shape**: `None` for edges and faces, and for memory.
/// **Cost**: set by `limits`; deterministic unless the clock ends it, and then still a bound.
/// **Source**: our own; the reasons are in `bounds/group.rs` and `bounds/union.rs`.
#[must_use]
pub fn group_bound(
    graph: &LinearizedGraph,
    moves: Moves,
    model: CostModel,
    limits: &GroupLimits,
    clock: &Clock,
) -> Option<LowerBound> {
    let is_free = free_classes(model).filter(|_| moves == Moves::Vertex)?;
    let clusters = Clusters::new(graph, is_free, limits, clock);
    Some(LowerBound {
        value: clusters.value(),
        kind: BoundKind::Groups,
        moves,
        cost: model,
    })
}

/// The number of partials that are stored when the elimination starts, or for vertices when the first of them goes: some vertex has
/// to be the first, and what it adds is stored beside all that is there.
///
/// ```
/// use wengert::crosscountry::{CostModel, EdgeClass, LinearizedGraph, Moves, storage_bound};
/// // Two inputs meet in v2, which feeds two outputs: four partials, and four more when it goes.
/// let edges = [(0, 2), (1, 2), (2, 3), (2, 4)].map(|(s, t)| (s, t, EdgeClass::Variable));
/// let graph = LinearizedGraph::new("cross", 2, 5, &[3, 4], &edges)?;
/// let bound = |moves| storage_bound(&graph, moves, CostModel::Memory).map(|bound| bound.value);
/// assert_eq!([bound(Moves::Vertex), bound(Moves::Edge), bound(Moves::Face)], [Some(8), Some(4), None]);
/// # Ok::<(), wengert::Error>(())
/// ```
///
/// **Shape**: `None` but for memory with vertex and edge moves; what is stored in a line graph is not counted in partials.
/// **Cost**: for vertices the fill-in of each in the graph as given, else none.
/// **Source**: our own.
#[must_use]
pub fn storage_bound(
    graph: &LinearizedGraph,
    moves: Moves,
    model: CostModel,
) -> Option<LowerBound> {
    let holds = model == CostModel::Memory && moves != Moves::Face;
    holds.then(|| LowerBound {
        value: graph.edges().len() as u64
            + match moves {
                Moves::Vertex => least_fill_in(graph),
                _ => 0,
            },
        kind: BoundKind::Storage,
        moves,
        cost: model,
    })
}

/// The fewest edges that the elimination of a first vertex adds.
fn least_fill_in(graph: &LinearizedGraph) -> u64 {
    let mut elimination = Elimination::counting(graph);
    let first = graph.intermediates();
    first
        .map(|v| elimination.fill_in(v))
        .min()
        .unwrap_or_default()
}

/// The best bound for these moves and this cost that is worth its time, `None` where nothing is proven.
///
/// **Cost**: that of [`group_bound`]; set a time limit on the clock for graphs with more than some hundred intermediates.
#[must_use]
pub fn lower_bound(
    graph: &LinearizedGraph,
    moves: Moves,
    model: CostModel,
    limits: &GroupLimits,
    clock: &Clock,
) -> Option<LowerBound> {
    storage_bound(graph, moves, model)
        .or_else(|| group_bound(graph, moves, model, limits, clock))
        .or_else(|| separator_bound(graph, moves, model, clock))
}
