//! [`reduce`]: eliminations that can come first in some optimal order.
//!
//! | rule | holds for | why |
//! |---|---|---|
//! | no edge enters the vertex, or none leaves it | all costs | it costs nothing, and its neighbours lose an edge |
//! | the one edge that enters it is a copy and the only one from its source; or the one that leaves it, and the only one to its target | multiplications | no pair is counted, now or later; no two copies ever meet, whose sum would be none |
//! | one edge enters and one leaves it, neither a copy, no copy leads past it | multiplications | later the pair of edges costs as much at least, and whatever passes it in the meantime passes an edge more |
//! | one edge enters and one leaves it, both variable or one of them a unit or copy, and no other constant leaves its source or none enters its target | arithmetic | as above, and nothing is lost that could have been folded |
//! | one edge enters and one leaves it, an edge leads past it | memory | no edge is added |
//!
//! Invariant: the optimum of the reduced graph and the cost of what went first make the optimum of the graph; each rule is
//! tested against exhaustive search.
//! Source: Griewank & Walther 2008, §10.2 (hoisting, Markowitz degree one); Griewank & Vogel 2005 for absorption; the cases
//! by class and by memory are ours.

use super::super::cost::{CostModel, Tally};
use super::super::eliminate::{Counting, Elimination};
use super::super::graph::{EdgeClass, LinearizedGraph, VertexId};
use crate::error::Error;

/// A graph from which vertices are gone that can go first in an optimal order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reduced {
    /// The vertices that are gone, in their order.
    pub first: Vec<VertexId>,
    /// What that has cost.
    pub cost: Tally,
    /// What is left, numbered anew.
    pub graph: LinearizedGraph,
    /// The old number of each vertex of `graph`.
    pub vertices: Vec<VertexId>,
}

impl Reduced {
    /// An order for the whole graph from one for what is left.
    ///
    /// # Errors
    /// [`Error::IndexOutOfRange`] if a vertex is not in the reduced graph.
    pub fn lift(&self, order: &[VertexId]) -> Result<Vec<VertexId>, Error> {
        let mut lifted = self.first.clone();
        for vertex in order {
            let old = self.vertices.get(vertex.index());
            lifted.push(*old.ok_or(Error::IndexOutOfRange {
                what: "vertices of the reduced graph",
                index: vertex.index(),
                len: self.vertices.len(),
            })?);
        }
        Ok(lifted)
    }
}

/// Eliminates what can go first in an optimal order.
///
/// ```
/// use wengert::crosscountry::{CostModel, EdgeClass, LinearizedGraph, reduce};
/// // A chain of three: everything can go first.
/// let edges = [(0, 1), (1, 2), (2, 3)].map(|(s, t)| (s, t, EdgeClass::Variable));
/// let graph = LinearizedGraph::new("chain", 1, 4, &[3], &edges)?;
/// let reduced = reduce(&graph, CostModel::Multiplications)?;
/// assert_eq!((reduced.first.len(), reduced.graph.len(), reduced.cost.multiplications), (2, 2, 2));
/// # Ok::<(), wengert::Error>(())
/// ```
///
/// **Cost**: an elimination of what can go.
///
/// # Errors
/// [`Error::CostOverflow`].
///
/// **Source**: Griewank & Walther 2008, §10.2; the rules for copies, classes and memory are ours, tested against exhaustive search.
pub fn reduce(graph: &LinearizedGraph, model: CostModel) -> Result<Reduced, Error> {
    let mut elimination = Elimination::counting(graph);
    let is_intermediate = graph.is_intermediate();
    let mut first = Vec::new();
    // Rules for edges are only right when all that is dead is gone, so those that may be dead are looked at first.
    let mut maybe_dead: Vec<VertexId> = graph.intermediates().collect();
    let mut others: Vec<VertexId> = maybe_dead.iter().rev().copied().collect();
    loop {
        let (vertex, may_go) = if let Some(vertex) = maybe_dead.pop() {
            let (entering, leaving) = elimination.degrees(vertex);
            (vertex, entering == 0 || leaving == 0)
        } else if let Some(vertex) = others.pop() {
            let is_alive = elimination.is_alive(vertex);
            (vertex, is_alive && can_go(&mut elimination, vertex, model))
        } else {
            break;
        };
        if may_go && elimination.is_alive(vertex) {
            let mut touched = elimination.predecessors(vertex);
            touched.extend(elimination.successors(vertex));
            elimination.eliminate_vertex(vertex)?;
            first.push(vertex);
            touched.retain(|v| is_intermediate[v.index()]);
            maybe_dead.extend_from_slice(&touched);
            others.extend(touched);
        }
    }
    let vertices: Vec<VertexId> = (0..)
        .take(graph.len())
        .map(VertexId::from_raw)
        .filter(|vertex| elimination.is_alive(*vertex))
        .collect();
    let mut number = vec![0; graph.len()];
    for (new, old) in vertices.iter().enumerate() {
        number[old.index()] = new;
    }
    let edges: Vec<(usize, usize, EdgeClass)> = vertices
        .iter()
        .flat_map(|target| {
            let entering = elimination.entering(*target).into_iter();
            entering.map(|(source, class)| (number[source.index()], number[target.index()], class))
        })
        .collect();
    let outputs = graph.outputs().iter().map(|output| number[output.index()]);
    let outputs: Vec<usize> = outputs.collect();
    Ok(Reduced {
        first,
        cost: elimination.cost(),
        graph: LinearizedGraph::new(
            graph.name(),
            graph.inputs(),
            vertices.len(),
            &outputs,
            &edges,
        )?,
        vertices,
    })
}

/// Whether a vertex can go first in an optimal order, if none is dead.
fn can_go(elimination: &mut Elimination<Counting>, vertex: VertexId, model: CostModel) -> bool {
    let degrees = elimination.degrees(vertex);
    if degrees.0 > 1 && degrees.1 > 1 {
        return false;
    }
    let entering = (degrees.0 == 1).then(|| elimination.entering(vertex)[0]);
    let leaving = (degrees.1 == 1).then(|| {
        let target = elimination.successors(vertex)[0];
        let class = elimination.entering(target).into_iter();
        let mut class = class.filter(|(source, _)| *source == vertex);
        let class = class.next().map_or(EdgeClass::Variable, |(_, class)| class);
        (target, class)
    });
    let both = entering.zip(leaving);
    match model {
        CostModel::Multiplications => {
            let is_copy = |class| class == EdgeClass::Copy;
            let copy = |edge: Option<(VertexId, EdgeClass)>| {
                edge.filter(|(_, class)| *class == EdgeClass::Copy)
            };
            match (copy(entering), copy(leaving)) {
                (None, None) => both.is_some() && !is_passed_by_copy(elimination, vertex),
                (into, out) => {
                    into.is_some_and(|(source, _)| leaving_of(elimination, source, is_copy) == 1)
                        || out.is_some_and(|(target, _)| {
                            entering_of(elimination, target, is_copy) == 1
                        })
                }
            }
        }
        CostModel::Arithmetic => both.is_some_and(|((source, a), (target, b))| {
            let is_free = |class| matches!(class, EdgeClass::Unit | EdgeClass::Copy);
            let is_variable = |class| class == EdgeClass::Variable;
            // Else a constant path past it could come to be, and be folded before this is added to it.
            let others = |count: usize, class: EdgeClass| count - usize::from(class.is_constant());
            let keeps_constant = others(leaving_of(elimination, source, EdgeClass::is_constant), a)
                == 0
                || others(entering_of(elimination, target, EdgeClass::is_constant), b) == 0;
            keeps_constant && (is_free(a) || is_free(b) || is_variable(a) && is_variable(b))
        }),
        CostModel::Memory => both.is_some_and(|((source, _), (target, _))| {
            elimination.predecessors(target).contains(&source)
        }),
    }
}

/// Whether a copy leads past a vertex; it would be none any more with a path through the vertex added.
fn is_passed_by_copy(elimination: &mut Elimination<Counting>, vertex: VertexId) -> bool {
    let sources = elimination.predecessors(vertex);
    elimination.successors(vertex).iter().any(|target| {
        let mut past = elimination.entering(*target).into_iter();
        past.any(|(s, class)| class == EdgeClass::Copy && sources.binary_search(&s).is_ok())
    })
}

/// The number of edges of some class that enter a vertex.
fn entering_of(
    elimination: &Elimination<Counting>,
    target: VertexId,
    is_counted: fn(EdgeClass) -> bool,
) -> usize {
    let entering = elimination.entering(target).into_iter();
    entering.filter(|(_, class)| is_counted(*class)).count()
}

/// The number of edges of some class that leave a vertex.
fn leaving_of(
    elimination: &mut Elimination<Counting>,
    source: VertexId,
    is_counted: fn(EdgeClass) -> bool,
) -> usize {
    let targets = elimination.successors(source).into_iter();
    let counted = targets.filter(|target| {
        let mut entering = elimination.entering(*target).into_iter();
        entering.any(|(s, class)| s == source && is_counted(class))
    });
    counted.count()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{optimum, random_graph};
    use super::*;
    use crate::crosscountry::cost_of;

    #[test]
    fn reductions_keep_the_optimum() {
        let mut gone = [0; 3];
        // The last ones have copies and constants that meet later.
        for seed in (0..400).chain([1723, 1961, 2947]) {
            let graph = random_graph(seed, 2 + seed % 3, 3 + seed % 5, 1 + seed % 3);
            for (k, model) in CostModel::ALL.into_iter().enumerate() {
                let reduced = reduce(&graph, model).unwrap();
                gone[k] += reduced.first.len();
                let (_, order) = optimum(&reduced.graph, model);
                let lifted = reduced.lift(&order).unwrap();
                assert_eq!(
                    cost_of(&graph, &lifted).unwrap().of(model),
                    optimum(&graph, model).0,
                    "seed {seed}, {model}: {:?}",
                    graph.to_json()
                );
            }
        }
        // Every rule has had something to do.
        assert!(gone.iter().all(|gone| *gone > 100), "{gone:?}");
    }
}
