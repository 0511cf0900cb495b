//! [`optimal_moves`]: the cheapest sequence of edges or faces of a tiny graph, by exhaustion.
//!
//! Graphs are the states of a best-first search; one that was reached before is not searched again.
//!
//! Invariant: two states with the same key are the same graph up to the numbers of duals, so what is left to pay is the same;
//! the result is called proven only if every state that could be cheaper is exhausted.
//! Source: Hart, Nilsson & Raphael 1968 (best-first search with a lower bound on the rest); Naumann 2004 (the moves).

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::budget::{Budget, StoppedBy};
use super::cost::CostModel;
use super::eliminate::Counting;
use super::faces::FaceElimination;
use super::graph::{EdgeClass, LinearizedGraph, VertexId};
use super::moves::{Move, Moves};
use super::replay::cost_of_moves;
use super::search_moves::state::State;
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
/// edges and 3 intermediates, has 432 000 states by edges and could not be exhausted by faces. A state takes eight bytes per
/// vertex; graphs of more than 128 vertices are not searched.
///
/// # Errors
/// Those of [`cost_of_moves`] for the start.
///
/// **Source**: Hart, Nilsson & Raphael 1968. The bound on the rest is our own: at a vertex at least as many products are formed
/// as vertices are needed to cut it off from the inputs, or from the outputs. For every path through it is joined there by one
/// product, whose first factor starts at a vertex of the path; these vertices are a cut. It holds for all moves and the cost
/// `multiplications` if there are no copies; otherwise the bound is 0.
pub fn optimal_moves(
    graph: &LinearizedGraph,
    model: CostModel,
    moves: Moves,
    start: &[Move],
    budget: &Budget,
) -> Result<OptimalMoves, Error> {
    let has_copies = graph.edges().iter().any(|e| e.class == EdgeClass::Copy);
    let rules = Rules {
        model,
        moves,
        least: if model == CostModel::Multiplications && !has_copies {
            least_products(graph)
        } else {
            vec![0; graph.len()]
        },
        // Products of variables are variables: then classes tell states apart for nothing.
        has_classes: has_copies || model == CostModel::Arithmetic,
    };
    let cost = cost_of_moves(graph, start)?.of(model);
    if moves == Moves::Face {
        let root = FaceElimination::counting(graph)?;
        exhaust(&root, &rules, start, cost, budget)
    } else {
        match graph.len() {
            0..=64 => exhaust(&Edges::<1>::new(graph, model), &rules, start, cost, budget),
            65..=128 => exhaust(&Edges::<2>::new(graph, model), &rules, start, cost, budget),
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
struct Rules {
    model: CostModel,
    moves: Moves,
    has_classes: bool,
    /// At least so many products are formed at each vertex, whatever the moves.
    least: Vec<u64>,
}

/// A graph from which something is being eliminated.
trait Space: Clone {
    fn possible(&mut self, rules: &Rules) -> Vec<Move>;
    fn apply(&mut self, step: Move) -> Result<(), Error>;
    fn paid(&self, model: CostModel) -> u64;
    /// The vertex at which the products of a move are formed.
    fn middle(&self, step: Move) -> VertexId;
    /// Whether paths still lead through an intermediate.
    fn is_met(&self, vertex: VertexId) -> bool;
    fn is_finished(&self) -> bool;
    /// No less than this is left to pay, where so many products were formed at each vertex.
    fn rest(&self, rules: &Rules, paid: &[u64]) -> u64 {
        let bounds = rules.least.iter().zip(paid).enumerate();
        let rest = bounds.map(|(v, (least, paid))| {
            let is_met = || VertexId::new(v).is_ok_and(|v| self.is_met(v));
            match least.saturating_sub(*paid) {
                0 if *least > 0 => u64::from(is_met()),
                rest => rest,
            }
        });
        rest.sum()
    }
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
    budget: &Budget,
) -> Result<OptimalMoves, Error> {
    let clock = budget.start();
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
        let out_of_work = (best.states >= budget.evaluations).then_some(StoppedBy::Work);
        if let Some(reason) = clock.must_stop().or(out_of_work) {
            best.stopped_by = reason;
            return Ok(best);
        }
        best.states += 1;
        let path = path_to(&states, number);
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

fn path_to(states: &[Reached], number: usize) -> Vec<Move> {
    let mut path = Vec::new();
    let mut at = number;
    while let Some(step) = states[at].by {
        path.push(step);
        at = states[at].from;
    }
    path.reverse();
    path
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
                let sources = self.state.predecessors(*v);
                possible.extend(sources.map(|u| Move::Front(vertex(u), *v)));
            }
            if leaving > 1 {
                let targets = self.state.successors(*v);
                possible.extend(targets.map(|w| Move::Back(*v, vertex(w))));
            }
        }
        possible
    }

    fn apply(&mut self, step: Move) -> Result<(), Error> {
        self.state.take(step).map(|_| ())
    }

    fn paid(&self, _: CostModel) -> u64 {
        self.state.cost()
    }

    fn middle(&self, step: Move) -> VertexId {
        match step {
            Move::Vertex(v) | Move::Front(_, v) | Move::Back(v, _) => v,
            Move::Face(..) => unreachable!("possible moves of edges are no faces"),
        }
    }

    fn is_met(&self, vertex: VertexId) -> bool {
        let (entering, leaving) = self.state.degrees(vertex);
        entering > 0 && leaving > 0
    }

    fn is_finished(&self) -> bool {
        !self.intermediates.iter().any(|v| self.is_met(*v))
    }

    fn key(&mut self, _: &Rules) -> Box<[u64]> {
        self.state.key()
    }
}

fn vertex(index: usize) -> VertexId {
    VertexId::new(index).expect("it is the number of a vertex of the graph")
}

impl Space for FaceElimination<Counting> {
    fn possible(&mut self, _: &Rules) -> Vec<Move> {
        let faces = self.faces().into_iter();
        faces.map(|(a, b)| Move::Face(a, b)).collect()
    }

    fn apply(&mut self, step: Move) -> Result<(), Error> {
        self.take(step)
    }

    fn paid(&self, model: CostModel) -> u64 {
        self.cost().of(model)
    }

    fn middle(&self, step: Move) -> VertexId {
        match step {
            Move::Vertex(v) | Move::Front(_, v) | Move::Back(v, _) => v,
            Move::Face(first, _) => self
                .ends(first)
                .map_or(VertexId::from_raw(0), |ends| ends.1),
        }
    }

    fn is_met(&self, vertex: VertexId) -> bool {
        self.has_faces_at(vertex)
    }

    fn is_finished(&self) -> bool {
        self.is_complete()
    }

    fn key(&mut self, rules: &Rules) -> Box<[u64]> {
        self.canonical(rules.has_classes)
            .iter()
            .map(|x| u64::from(*x))
            .collect()
    }
}

/// The larger of the two cuts of each intermediate that lies on a path from an input or output to an output.
fn least_products(graph: &LinearizedGraph) -> Vec<u64> {
    let is_intermediate = graph.is_intermediate();
    let mut neighbours = [vec![Vec::new(); graph.len()], vec![Vec::new(); graph.len()]];
    for edge in graph.edges() {
        neighbours[0][edge.target.index()].push(edge.source.index());
        neighbours[1][edge.source.index()].push(edge.target.index());
    }
    let of = |v: usize| {
        let cuts = neighbours
            .each_ref()
            .map(|next| cut(v, next, &is_intermediate));
        let is_on_path = cuts[0] > 0 && cuts[1] > 0;
        if is_intermediate[v] && is_on_path {
            cuts[0].max(cuts[1])
        } else {
            0
        }
    };
    (0..graph.len()).map(of).collect()
}

/// The number of paths from a vertex to ones that are no intermediates, no two of which share another vertex: as many vertices
/// cut it off (Menger 1927).
fn cut(from: usize, next: &[Vec<usize>], is_intermediate: &[bool]) -> u64 {
    // The vertices before and after each one on the paths so far.
    let mut before: Vec<Option<usize>> = vec![None; next.len()];
    let mut count = 0;
    loop {
        // Where one can be: arrived at a vertex, or free to leave it. A vertex on a path is left only backwards from arrival.
        let mut seen = vec![[false; 2]; next.len()];
        let mut came: Vec<[Option<(usize, usize)>; 2]> = vec![[None; 2]; next.len()];
        let mut stack = vec![(from, 1)];
        let mut end = None;
        while let Some((v, side)) = stack.pop() {
            if side == 1 {
                for w in &next[v] {
                    let is_used = before[*w] == Some(v);
                    if !is_used && !seen[*w][0] {
                        seen[*w][0] = true;
                        came[*w][0] = Some((v, 1));
                        stack.push((*w, 0));
                    }
                }
                // Back to where a path arrives at the vertex.
                if v != from && before[v].is_some() && !seen[v][0] {
                    seen[v][0] = true;
                    came[v][0] = Some((v, 1));
                    stack.push((v, 0));
                }
            } else if let Some(u) = before[v] {
                // Back along the path, which frees the vertex before.
                if u != from && !seen[u][1] {
                    seen[u][1] = true;
                    came[u][1] = Some((v, 0));
                    stack.push((u, 1));
                }
            } else if !is_intermediate[v] {
                end = Some(v);
                break;
            } else if !seen[v][1] {
                seen[v][1] = true;
                came[v][1] = Some((v, 0));
                stack.push((v, 1));
            }
        }
        let Some(end) = end else {
            return count;
        };
        count += 1;
        // Forward steps set the vertex before; those that are undone are overwritten or cleared first.
        let (mut forward, mut undone) = (Vec::new(), Vec::new());
        let mut at = (end, 0);
        while let Some(last) = came[at.0][at.1] {
            match (last, at) {
                ((u, 1), (v, 0)) if u != v => forward.push((u, v)),
                ((v, 0), (u, 1)) if u != v => undone.push((u, v)),
                _ => {}
            }
            at = last;
        }
        for (u, v) in undone {
            if before[v] == Some(u) {
                before[v] = None;
            }
        }
        for (u, v) in forward {
            before[v] = Some(u);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::eliminate::Elimination;
    use super::super::moves_tests::random_graph;
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
                if root.faces().len() <= 5 {
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
    fn cuts_are_those_of_menger() {
        // Two paths that cross in a vertex: one cuts them both.
        let edges = [(0, 2), (1, 2), (2, 3), (2, 4), (3, 5), (4, 5), (5, 6)];
        let edges = edges.map(|(s, t)| (s, t, EdgeClass::Variable));
        let graph = LinearizedGraph::new("crossing", 2, 7, &[6], &edges).unwrap();
        assert_eq!(least_products(&graph), [0, 0, 2, 1, 1, 1, 0]);
        // The first path found takes the vertex that the second one needs, and must give way.
        let edges = [
            (0, 2),
            (0, 3),
            (1, 3),
            (2, 4),
            (3, 4),
            (3, 5),
            (4, 6),
            (5, 6),
            (6, 7),
        ];
        let edges = edges.map(|(s, t)| (s, t, EdgeClass::Variable));
        let graph = LinearizedGraph::new("giving way", 2, 8, &[7], &edges).unwrap();
        assert_eq!(least_products(&graph), [0, 0, 1, 2, 2, 1, 2, 0]);
    }

    #[test]
    fn edge_e95_without_work_nothing_is_proven() {
        let edges = [
            (0, 2),
            (1, 2),
            (2, 3),
            (2, 7),
            (3, 4),
            (3, 5),
            (3, 6),
            (3, 7),
        ];
        let edges = edges.map(|(s, t)| (s, t, EdgeClass::Variable));
        let graph = LinearizedGraph::new("lion", 2, 8, &[4, 5, 6, 7], &edges).unwrap();
        let start: Vec<Move> = graph.intermediates().map(Move::Vertex).collect();
        let budget = Budget::default().with_evaluations(0);
        let model = CostModel::Multiplications;
        let found = optimal_moves(&graph, model, Moves::Edge, &start, &budget).unwrap();
        assert_eq!((found.cost, found.stopped_by), (12, StoppedBy::Work));
        assert!(found.lower_bound < 11, "{}", found.lower_bound);
        assert_eq!(found.moves, start);
    }
}
