//! [`optimal_moves`]: the cheapest sequence of edges or faces of a tiny graph, by exhaustion.
//!
//! Graphs are the states of a best-first search; one that was reached before is not searched again.
//!
//! Invariant: two states with the same key are the same graph up to the numbers of duals, so what is left to pay is the same;
//! the result is called proven only if every state that could be cheaper is exhausted.
//! Source: Hart, Nilsson & Raphael 1968 (best-first search with a lower bound on the rest); Naumann 2004 (the moves).

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::bounds::least_products;
use super::budget::{Budget, Clock, StoppedBy};
use super::cost::CostModel;
use super::exact_faces::{Faces, Twins};
use super::graph::{EdgeClass, LinearizedGraph, VertexId};
use super::moves::{Move, Moves, path_to};
use super::replay::cost_of_moves;
use super::search_moves::state::State;
use super::search_moves::step::{Graph, Step};
use crate::error::Error;

/// What an exhaustive search has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptimalMoves {
    /// The moves: the start, unless there are cheaper ones.
    pub moves: Vec<Move>,
    /// What they cost.
    pub cost: u64,
    /// No sequence of the moves in question is cheaper than this; equal to the cost if that is proven.
    pub lower_bound: u64,
    /// [`StoppedBy::Proof`] if and only if the cost is proven optimal.
    pub stopped_by: StoppedBy,
    /// The number of states that were searched.
    pub states: u64,
}

/// The cheapest moves of a kind, or the start if the budget is used up before.
///
/// ```
/// use wengert::crosscountry::{Budget, CostModel, EdgeClass, LinearizedGraph, Move, Moves, Order, optimal_moves};
/// // Naumann's lion: no order of the two vertices costs less than 12.
/// let edges = [(0, 2), (1, 2), (2, 3), (2, 7), (3, 4), (3, 5), (3, 6), (3, 7)];
/// let edges = edges.map(|(s, t)| (s, t, EdgeClass::Variable));
/// let graph = LinearizedGraph::new("lion", 2, 8, &[4, 5, 6, 7], &edges)?;
/// let start: Vec<Move> = Order::Reverse.of(&graph)?.into_iter().map(Move::Vertex).collect();
/// let cost = |moves| {
///     let found = optimal_moves(&graph, CostModel::Multiplications, moves, &start, &Budget::default())?;
///     Ok::<u64, wengert::Error>(found.cost)
/// };
/// assert_eq!((cost(Moves::Vertex)?, cost(Moves::Edge)?, cost(Moves::Face)?), (12, 11, 11));
/// # Ok::<(), wengert::Error>(())
/// ```
///
/// **Shape**: the start is complete; an evaluation of the budget is a state.
/// **Cost**: the number of states grows exponentially with the number of edges, for faces with that of faces: the bat, with 12
/// edges and 3 intermediates, has 424 000 states by edges, and 576 by faces, where twins are one and the bound looks at each state anew. A
/// state by edges takes eight bytes per vertex; graphs of more than 128 vertices are not searched by edges.
///
/// # Errors
/// Those of [`cost_of_moves`] for the start.
///
/// **Source**: Hart, Nilsson & Raphael 1968. The bound on the rest is [`separator_bound`](super::separator_bound), vertex by vertex, less what
/// was paid there; for faces also that of the line graph as it is.
pub fn optimal_moves(
    graph: &LinearizedGraph,
    model: CostModel,
    moves: Moves,
    start: &[Move],
    budget: &Budget,
) -> Result<OptimalMoves, Error> {
    let clock = budget.start();
    let has_copies = graph.edges().iter().any(|e| e.class == EdgeClass::Copy);
    let least = least_products(graph, model, &clock);
    let rules = Rules {
        model,
        moves,
        least: least.unwrap_or_else(|| vec![0; graph.len()]),
        // Products of variables are variables: then classes tell states apart for nothing.
        has_classes: has_copies || model == CostModel::Arithmetic,
    };
    let cost = cost_of_moves(graph, start)?.of(model);
    let limits = (budget.evaluations, &clock);
    if moves == Moves::Face {
        let twins = Twins::of(graph, model)?;
        let root = Faces::new(&twins)?;
        let mut found = exhaust(&root, &rules, start, cost, limits)?;
        if found.cost < cost {
            found.moves = twins.expand(graph, &found.moves)?;
        }
        Ok(found)
    } else {
        match graph.len() {
            0..=64 => exhaust(&Edges::<1>::new(graph, model), &rules, start, cost, limits),
            65..=128 => exhaust(&Edges::<2>::new(graph, model), &rules, start, cost, limits),
            _ => Ok(OptimalMoves {
                moves: start.to_vec(),
                cost,
                lower_bound: 0,
                stopped_by: StoppedBy::Work,
                states: 0,
            }),
        }
    }
}

/// What is asked.
pub(super) struct Rules {
    pub(super) model: CostModel,
    pub(super) moves: Moves,
    pub(super) has_classes: bool,
    /// At least so many products are formed at each vertex, whatever the moves.
    pub(super) least: Vec<u64>,
}

/// A graph from which something is being eliminated.
pub(super) trait Space: Clone {
    fn possible(&mut self, rules: &Rules) -> Vec<Move>;
    fn apply(&mut self, step: Move) -> Result<(), Error>;
    fn paid(&self, model: CostModel) -> u64;
    /// The vertex at which the products of a move are formed.
    fn middle(&self, step: Move) -> VertexId;
    fn is_finished(&self) -> bool;
    /// No less than this is left to pay, where so much was paid at each vertex.
    fn rest(&self, rules: &Rules, paid: &[u64]) -> u64;
    fn key(&mut self, rules: &Rules) -> Box<[u64]>;
}

/// How a state was reached: at which cost, from which other one, by which move. Never changed, for the numbers of duals depend on
/// the whole path.
struct Reached {
    cost: u64,
    from: usize,
    by: Option<Move>,
    /// A cheaper path to it is known.
    is_stale: bool,
}

fn exhaust<S: Space>(
    root: &S,
    rules: &Rules,
    start: &[Move],
    start_cost: u64,
    (evaluations, clock): (u64, &Clock),
) -> Result<OptimalMoves, Error> {
    let mut best = OptimalMoves {
        moves: start.to_vec(),
        cost: start_cost,
        lower_bound: 0,
        stopped_by: StoppedBy::Proof,
        states: 0,
    };
    let mut states = vec![Reached {
        cost: root.paid(rules.model),
        from: 0,
        by: None,
        is_stale: false,
    }];
    let mut known: HashMap<Box<[u64]>, usize> = HashMap::new();
    known.insert(root.clone().key(rules), 0);
    let mut queue: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    let nothing = vec![0; rules.least.len()];
    queue.insert(states[0].cost + root.rest(rules, &nothing), vec![0]);
    while let Some(mut entry) = queue.first_entry() {
        let total = *entry.key();
        if total >= best.cost {
            break;
        }
        let Some(number) = entry.get_mut().pop() else {
            entry.remove();
            continue;
        };
        if states[number].is_stale {
            continue;
        }
        best.lower_bound = total;
        let out_of_work = (best.states >= evaluations).then_some(StoppedBy::Work);
        if let Some(reason) = clock.must_stop().or(out_of_work) {
            best.stopped_by = reason;
            return Ok(best);
        }
        best.states += 1;
        let path = path_to(number, |at| {
            states[at].by.map(|step| (states[at].from, step))
        });
        let mut state = root.clone();
        let mut paid = nothing.clone();
        for step in &path {
            let (at, before) = (state.middle(*step), state.paid(rules.model));
            state.apply(*step)?;
            paid[at.index()] += state.paid(rules.model) - before;
        }
        if state.is_finished() {
            // What is taken first from the queue is cheapest.
            best.moves = path;
            best.cost = state.paid(rules.model);
            break;
        }
        for step in state.possible(rules) {
            let mut next = state.clone();
            let at = state.middle(step).index();
            next.apply(step)?;
            let cost = next.paid(rules.model);
            let more = cost - states[number].cost;
            paid[at] += more;
            // A bound that falls on the way is still as good as it was.
            let total = (cost + next.rest(rules, &paid)).max(total);
            paid[at] -= more;
            if total >= best.cost {
                continue;
            }
            let reached = Reached {
                cost,
                from: number,
                by: Some(step),
                is_stale: false,
            };
            let new = states.len();
            let place = known.entry(next.key(rules)).or_insert(new);
            if *place != new {
                if cost >= states[*place].cost {
                    continue;
                }
                states[*place].is_stale = true;
                *place = new;
            }
            states.push(reached);
            queue.entry(total).or_default().push(new);
        }
    }
    best.lower_bound = best.cost;
    Ok(best)
}

/// A graph without faces.
#[derive(Clone)]
struct Edges<const W: usize> {
    state: State<W>,
    intermediates: Arc<[VertexId]>,
}

impl<const W: usize> Edges<W> {
    fn new(graph: &LinearizedGraph, model: CostModel) -> Self {
        Self {
            state: State::new(graph, model),
            intermediates: graph.intermediates().collect(),
        }
    }

    /// Whether paths still lead through an intermediate.
    fn is_met(&self, vertex: VertexId) -> bool {
        let (entering, leaving) = self.state.degrees(vertex);
        entering > 0 && leaving > 0
    }
}

impl<const W: usize> Space for Edges<W> {
    fn possible(&mut self, rules: &Rules) -> Vec<Move> {
        let mut possible = Vec::new();
        for v in &*self.intermediates {
            let (entering, leaving) = self.state.degrees(*v);
            if entering == 0 || leaving == 0 {
                continue;
            }
            possible.push(Move::Vertex(*v));
            if rules.moves == Moves::Vertex {
                continue;
            }
            // A single edge on its side is as good as the vertex.
            if entering > 1 {
                let sources = self.state.sources(*v);
                possible.extend(sources.map(|u| Move::Front(u, *v)));
            }
            if leaving > 1 {
                let targets = self.state.targets(*v);
                possible.extend(targets.map(|w| Move::Back(*v, w)));
            }
        }
        possible
    }

    fn apply(&mut self, step: Move) -> Result<(), Error> {
        let step = Step::of(step).expect("possible moves of edges are no faces");
        self.state.take(step).map(|_| ())
    }

    fn paid(&self, _: CostModel) -> u64 {
        self.state.cost()
    }

    fn middle(&self, step: Move) -> VertexId {
        Step::of(step)
            .expect("possible moves of edges are no faces")
            .middle()
    }

    fn rest(&self, rules: &Rules, paid: &[u64]) -> u64 {
        let rest = self.intermediates.iter().map(|v| {
            let least = rules.least[v.index()];
            match least.saturating_sub(paid[v.index()]) {
                // Whatever is left there has its price, if no product is free.
                0 if least > 0 && !rules.has_classes => u64::from(self.is_met(*v)),
                rest => rest,
            }
        });
        rest.sum()
    }

    fn is_finished(&self) -> bool {
        !self.intermediates.iter().any(|v| self.is_met(*v))
    }

    fn key(&mut self, _: &Rules) -> Box<[u64]> {
        self.state.key()
    }
}

#[cfg(test)]
mod tests {
    use super::super::bounds::{TreeLimits, separator_bound, tree_bound};
    use super::super::eliminate::{Counting, Elimination};
    use super::super::faces::FaceElimination;
    use super::super::moves_tests::random_graph;
    use super::super::samples::lion;
    use super::super::search_moves::search_moves;
    use super::*;

    /// The cheapest way to the end by trying all moves of edges.
    fn by_edges(graph: &LinearizedGraph, state: &Elimination<Counting>, model: CostModel) -> u64 {
        let mut best = u64::MAX;
        for v in graph.intermediates() {
            let mut state = state.clone();
            if state.markowitz_degree(v) == 0 {
                continue;
            }
            let mut steps = vec![Move::Vertex(v)];
            steps.extend(state.predecessors(v).into_iter().map(|u| Move::Front(u, v)));
            steps.extend(state.successors(v).into_iter().map(|w| Move::Back(v, w)));
            for step in steps {
                let mut next = state.clone();
                next.take(step).unwrap();
                best = best.min(by_edges(graph, &next, model));
            }
        }
        if best == u64::MAX {
            state.cost().of(model)
        } else {
            best
        }
    }

    /// The same by all sequences of faces.
    fn by_faces(state: &FaceElimination<Counting>, model: CostModel) -> u64 {
        let rest = state.faces().into_iter().map(|(a, b)| {
            let mut next = state.clone();
            next.eliminate_face(a, b).unwrap();
            by_faces(&next, model)
        });
        rest.min().unwrap_or_else(|| state.cost().of(model))
    }

    #[test]
    fn edge_e95_the_optimum_is_that_of_all_sequences() {
        let mut compared = [0; 2];
        for seed in 0..200 {
            let mut random = fastrand::Rng::with_seed(seed);
            let graph = random_graph(&mut random, 3);
            let start = graph.intermediates().map(Move::Vertex).collect::<Vec<_>>();
            let root = FaceElimination::counting(&graph).unwrap();
            for model in CostModel::ALL {
                let best = |moves| {
                    let budget = Budget::default();
                    let found = optimal_moves(&graph, model, moves, &start, &budget).unwrap();
                    assert_eq!(found.stopped_by, StoppedBy::Proof);
                    let cost = cost_of_moves(&graph, &found.moves).unwrap().of(model);
                    assert_eq!((cost, found.lower_bound), (found.cost, found.cost));
                    found.cost
                };
                if graph.edges().len() <= 6 {
                    compared[0] += 1;
                    let state = Elimination::counting(&graph);
                    let expected = by_edges(&graph, &state, model);
                    assert_eq!(best(Moves::Edge), expected, "seed {seed} {model}");
                }
                if root.faces().len() <= 6 {
                    compared[1] += 1;
                    // The start may need less memory than its faces do, or the other way round.
                    let before = cost_of_moves(&graph, &start).unwrap().of(model);
                    let expected = by_faces(&root, model).min(before);
                    assert_eq!(best(Moves::Face), expected, "seed {seed} {model}");
                }
            }
        }
        assert!(compared[0] > 50 && compared[1] > 50, "{compared:?}");
    }

    #[test]
    fn finer_moves_cost_no_more_and_bounds_no_more_than_any() {
        let model = CostModel::Multiplications;
        let (mut gained, mut all, mut proven, mut compared) = (0, 0, 0, 0);
        for seed in 0..10_000 {
            let mut random = fastrand::Rng::with_seed(seed);
            let graph = random_graph(&mut random, 3);
            if FaceElimination::counting(&graph).unwrap().faces().len() > 10 {
                continue;
            }
            let order: Vec<VertexId> = graph.intermediates().collect();
            let start: Vec<Move> = order.iter().copied().map(Move::Vertex).collect();
            let budget = Budget::default();
            let [vertex, edge, face] = Moves::ALL.map(|moves| {
                let found = optimal_moves(&graph, model, moves, &start, &budget).unwrap();
                assert_eq!(found.stopped_by, StoppedBy::Proof);
                let counted = cost_of_moves(&graph, &found.moves).unwrap();
                assert_eq!(counted.multiplications, found.cost, "seed {seed} {moves}");
                found.cost
            });
            assert!(face <= edge && edge <= vertex, "seed {seed}");
            gained += u64::from(edge < vertex);
            // A product that may be free is not counted, even where it is not.
            let has_copies = graph.edges().iter().any(|e| e.class == EdgeClass::Copy);
            all += u64::from(!has_copies);
            let (limits, clock) = (TreeLimits::towards(vertex), budget.start());
            let bounds = [
                separator_bound(&graph, Moves::Face, model, &clock),
                tree_bound(&graph, Moves::Face, model, &limits, &clock),
            ];
            for bound in bounds.into_iter().flatten() {
                assert!(
                    bound.value <= face,
                    "seed {seed}: {bound:?} is above {face}"
                );
            }
            let limits = TreeLimits::towards(face);
            let bound = tree_bound(&graph, Moves::Face, model, &limits, &clock);
            let is_proven = bound.is_some_and(|bound| bound.value == face);
            proven += u64::from(is_proven && !has_copies);
            if seed.is_multiple_of(10) {
                let few = budget.with_evaluations(500);
                let found = search_moves(&graph, model, Moves::Face, &order, seed, &few).unwrap();
                assert!(found.cost >= face, "seed {seed}");
                compared += 1;
            }
        }
        // Faces that cost less than edges need more of them: see the bat.
        assert!(
            gained >= 3 && all > 5000 && proven == all && compared > 800,
            "{gained}, {proven} of {all}, {compared}"
        );
    }

    #[test]
    fn edge_e95_without_work_nothing_is_proven() {
        let graph = lion();
        let start: Vec<Move> = graph.intermediates().map(Move::Vertex).collect();
        let budget = Budget::default().with_evaluations(0);
        let model = CostModel::Multiplications;
        let found = optimal_moves(&graph, model, Moves::Edge, &start, &budget).unwrap();
        assert_eq!((found.cost, found.stopped_by), (12, StoppedBy::Work));
        assert!(found.lower_bound < 11, "{}", found.lower_bound);
        assert_eq!(found.moves, start);
    }
}
