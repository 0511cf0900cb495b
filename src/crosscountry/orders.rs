//! Elimination orders that need no search: forward, reverse, and greedy ones by local measures.
//!
//! A greedy order takes, again and again, the vertex that is best by a measure; only the measures of its neighbours change, so
//! the queue of candidates is kept up to date and not made anew.
//!
//! Invariant: ties fall to the smallest vertex unless the order says otherwise (EDGE_CASES e96).
//! Source: Griewank & Walther 2008, §9.2 and §10.2; Markowitz 1957; Albrecht, Gottschling & Naumann 2003 (tie-breaks, relative
//! Markowitz degree).

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::fmt;

use petgraph::algo::dominators::simple_fast;
use petgraph::graph::{DiGraph, NodeIndex};

use super::cost::Tally;
use super::eliminate::{Counting, Elimination};
use super::graph::{EdgeClass, LinearizedGraph, VertexId};
use crate::error::Error;

/// An elimination order that needs no search.
///
/// **Source**: see the variants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Order {
    /// By increasing number, which is the order of execution: forward mode on sparse lists of partials.
    Forward,
    /// By decreasing number: reverse mode.
    Reverse,
    /// The smallest product of in-degree and out-degree first, ties to the earliest vertex (Markowitz 1957).
    Markowitz,
    /// The same, ties to the latest vertex.
    LateMarkowitz,
    /// The same, ties to the vertex that adds the fewest new edges.
    FillMarkowitz,
    /// The Markowitz degree less that before anything was eliminated, smallest first (Albrecht, Gottschling & Naumann 2003).
    RelativeMarkowitz,
    /// The fewest new edges first, ties to the smaller Markowitz degree.
    LeastFillIn,
    /// Vertices through which all paths from a vertex lead come last: the others first, by Markowitz degree.
    DominatorsLast,
}

impl Order {
    /// All orders, as reports list them.
    pub const ALL: [Self; 8] = [
        Self::Forward,
        Self::Reverse,
        Self::Markowitz,
        Self::LateMarkowitz,
        Self::FillMarkowitz,
        Self::RelativeMarkowitz,
        Self::LeastFillIn,
        Self::DominatorsLast,
    ];

    /// The vertices in this order.
    ///
    /// ```
    /// use wengert::crosscountry::{EdgeClass, LinearizedGraph, Order, cost_of};
    /// // Two inputs meet in a vertex that two outputs depend on.
    /// let edges = [(0, 2), (1, 2), (2, 3), (3, 4), (3, 5)].map(|(s, t)| (s, t, EdgeClass::Variable));
    /// let graph = LinearizedGraph::new("hour-glass", 2, 6, &[4, 5], &edges)?;
    /// let order = Order::Markowitz.of(&graph)?;
    /// assert_eq!(order[0].to_string(), "v2");
    /// assert_eq!(cost_of(&graph, &order)?.multiplications, 6);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    ///
    /// **Shape**: all `l` intermediates, each once.
    /// **Cost**: forward and reverse nothing; the others one elimination, with a queue operation per change of a degree.
    ///
    /// # Errors
    /// [`Error::CostOverflow`] beyond 2^64 operations.
    pub fn of(self, graph: &LinearizedGraph) -> Result<Vec<VertexId>, Error> {
        match self {
            Self::Forward => Ok(graph.intermediates().collect()),
            Self::Reverse => {
                let mut order: Vec<VertexId> = graph.intermediates().collect();
                order.reverse();
                Ok(order)
            }
            Self::Markowitz => greedy(graph, |e, v| (e.markowitz_degree(v), 0, i64::from(v.raw()))),
            Self::LateMarkowitz => greedy(graph, |e, v| {
                (e.markowitz_degree(v), 0, -i64::from(v.raw()))
            }),
            Self::FillMarkowitz => greedy(graph, |e, v| {
                (e.markowitz_degree(v), e.fill_in(v), i64::from(v.raw()))
            }),
            Self::RelativeMarkowitz => {
                let start = Elimination::counting(graph);
                let before: Vec<u64> = (0..graph.len())
                    .map(|v| VertexId::new(v).map(|v| start.markowitz_degree(v)))
                    .collect::<Result<_, _>>()?;
                greedy(graph, move |e, v| {
                    // Shifted by 2^63 so that differences of either sign keep their order.
                    let degree = e.markowitz_degree(v).wrapping_sub(before[v.index()]);
                    (degree.wrapping_add(1 << 63), 0, i64::from(v.raw()))
                })
            }
            Self::LeastFillIn => greedy(graph, |e, v| {
                (e.fill_in(v), e.markowitz_degree(v), i64::from(v.raw()))
            }),
            Self::DominatorsLast => {
                let dominates = dominators(graph);
                greedy(graph, move |e, v| {
                    let late = u64::from(dominates[v.index()]);
                    (late, e.markowitz_degree(v), i64::from(v.raw()))
                })
            }
        }
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Forward => "forward",
            Self::Reverse => "reverse",
            Self::Markowitz => "markowitz",
            Self::LateMarkowitz => "late markowitz",
            Self::FillMarkowitz => "fill markowitz",
            Self::RelativeMarkowitz => "relative markowitz",
            Self::LeastFillIn => "least fill-in",
            Self::DominatorsLast => "dominators last",
        })
    }
}

/// What eliminating the vertices in this order costs.
///
/// ```
/// use wengert::crosscountry::{EdgeClass, LinearizedGraph, Order, cost_of};
/// let edges = [(0, 1), (0, 2), (1, 2)].map(|(s, t)| (s, t, EdgeClass::Variable));
/// let graph = LinearizedGraph::new("y", 1, 3, &[2], &edges)?;
/// assert_eq!(cost_of(&graph, &Order::Reverse.of(&graph)?)?.multiplications, 1);
/// # Ok::<(), wengert::Error>(())
/// ```
///
/// **Cost**: the elimination on classes.
///
/// # Errors
/// [`Error::InvalidGraph`] if a vertex is no intermediate or comes twice; [`Error::CostOverflow`].
pub fn cost_of(graph: &LinearizedGraph, order: &[VertexId]) -> Result<Tally, Error> {
    let mut elimination = Elimination::counting(graph);
    for vertex in order {
        elimination.eliminate_vertex(*vertex)?;
    }
    Ok(elimination.cost())
}

/// The smaller, the earlier; the last entry makes ties unique.
type Measure = (u64, u64, i64);

/// Vertices by measure; those with the same first entry have a heap of their own.
///
/// One heap of a million vertices spends its time on memory that is in no cache; degrees are few, and small heaps stay there.
#[derive(Default)]
struct Queue(BTreeMap<u64, Heap>);

type Heap = BinaryHeap<Reverse<(u64, i64, VertexId)>>;

impl Queue {
    fn push(&mut self, (first, second, last): Measure, vertex: VertexId) {
        let heap = self.0.entry(first).or_default();
        heap.push(Reverse((second, last, vertex)));
    }

    fn pop(&mut self) -> Option<(Measure, VertexId)> {
        let mut entry = self.0.first_entry()?;
        let Reverse((second, last, vertex)) = entry.get_mut().pop()?;
        let first = *entry.key();
        if entry.get().is_empty() {
            entry.remove();
        }
        Some(((first, second, last), vertex))
    }
}

/// Eliminates the vertex with the smallest measure until none is left.
fn greedy(
    graph: &LinearizedGraph,
    mut measure: impl FnMut(&mut Elimination<Counting>, VertexId) -> Measure,
) -> Result<Vec<VertexId>, Error> {
    let mut elimination = Elimination::counting(graph);
    let is_intermediate = graph.is_intermediate();
    let mut current = vec![None; graph.len()];
    let mut queue = Queue::default();
    for vertex in graph.intermediates() {
        let m = measure(&mut elimination, vertex);
        current[vertex.index()] = Some(m);
        queue.push(m, vertex);
    }
    let mut order = Vec::new();
    while let Some((m, vertex)) = queue.pop() {
        // Entries that a newer measure has replaced are still in the queue.
        if current[vertex.index()] != Some(m) {
            continue;
        }
        let mut touched = elimination.predecessors(vertex);
        touched.extend(elimination.successors(vertex));
        elimination.eliminate_vertex(vertex)?;
        current[vertex.index()] = None;
        order.push(vertex);
        for neighbour in touched {
            if !is_intermediate[neighbour.index()] {
                continue;
            }
            let m = measure(&mut elimination, neighbour);
            if current[neighbour.index()].replace(m) != Some(m) {
                queue.push(m, neighbour);
            }
        }
    }
    Ok(order)
}

/// Whether each vertex lies on all paths from the inputs to some other vertex, or from some other vertex to the outputs.
fn dominators(graph: &LinearizedGraph) -> Vec<bool> {
    let mut result = vec![false; graph.len()];
    for is_reversed in [false, true] {
        let mut view: DiGraph<(), EdgeClass> = DiGraph::new();
        let nodes: Vec<NodeIndex> = (0..graph.len()).map(|_| view.add_node(())).collect();
        let root = view.add_node(());
        for edge in graph.edges() {
            let (source, target) = (nodes[edge.source.index()], nodes[edge.target.index()]);
            if is_reversed {
                view.add_edge(target, source, edge.class);
            } else {
                view.add_edge(source, target, edge.class);
            }
        }
        if is_reversed {
            for output in graph.outputs() {
                view.add_edge(root, nodes[output.index()], EdgeClass::Variable);
            }
        } else {
            for input in &nodes[..graph.inputs()] {
                view.add_edge(root, *input, EdgeClass::Variable);
            }
        }
        let tree = simple_fast(&view, root);
        for node in &nodes {
            if let Some(dominator) = tree.immediate_dominator(*node)
                && let Some(flag) = result.get_mut(dominator.index())
            {
                *flag = true;
            }
        }
    }
    result
}
