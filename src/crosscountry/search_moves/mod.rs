//! [`search_moves`]: sequences of vertices and edges that cost less than any order of vertices found before.
//!
//! A few searches run beside each other, each with a fixed share of the work; after each round the best list is where half of
//! them go on.
//!
//! Invariant: the result is never worse than the start; it depends on the seed and the number of evaluations, not on the number
//! of threads (EDGE_CASES e96).
//! Source: Kirkpatrick, Gelatt & Vecchi 1983 (annealing); Naumann 2004 (why edges can be cheaper than vertices).

mod anneal;
pub(super) mod state;
#[cfg(test)]
mod tests;
mod windows;

use rayon::prelude::*;

use self::anneal::Annealer;
use self::state::State;
use super::budget::{Budget, Clock, StoppedBy};
use super::cost::CostModel;
use super::graph::{LinearizedGraph, VertexId};
use super::moves::{Move, Moves};
use super::replay::cost_of_moves;
use crate::error::Error;

/// The searches beside each other: two for each of two cores, so that half may go on from the best and half from their own.
const SEARCHES: u64 = 4;
/// After each round the searches learn from the best.
const ROUNDS: u64 = 5;
/// Steps by which the temperature falls in a round.
const COOLING: u32 = 50;
/// The first temperature of a round, in operations, by turns of the searches. On Black-Scholes 200 000 edits from 0.4 on find
/// 293 to 296, from 2 on 296 or nothing; on Roe flux none from 0.4 to 8 finds anything.
const HOT: [f64; 2] = [1.0, 0.4];
/// The last temperature of a round.
const COLD: f64 = 0.15;
/// So many edits pass before the clock is looked at.
const SLICE: u64 = 1000;

/// What a search over moves has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundMoves {
    /// A complete sequence, each of whose moves is possible when it comes.
    pub moves: Vec<Move>,
    /// What it costs.
    pub cost: u64,
    /// How many lists were evaluated, over all threads.
    pub evaluations: u64,
    /// Why the search ended.
    pub stopped_by: StoppedBy,
}

/// Searches for cheaper moves, starting from an order of the vertices.
///
/// ```
/// use wengert::crosscountry::{Budget, CostModel, EdgeClass, LinearizedGraph, Moves, Order, search_moves};
/// // Naumann's lion: no order of the two vertices costs less than 12.
/// let edges = [(0, 2), (1, 2), (2, 3), (2, 7), (3, 4), (3, 5), (3, 6), (3, 7)];
/// let edges = edges.map(|(s, t)| (s, t, EdgeClass::Variable));
/// let graph = LinearizedGraph::new("lion", 2, 8, &[4, 5, 6, 7], &edges)?;
/// let start = Order::Reverse.of(&graph)?;
/// let budget = Budget::default().with_evaluations(10_000);
/// let found = search_moves(&graph, CostModel::Multiplications, Moves::Edge, &start, 1, &budget)?;
/// assert_eq!(found.cost, 11);
/// # Ok::<(), wengert::Error>(())
/// ```
///
/// **Shape**: the start has all intermediates. [`Moves::Face`] searches as [`Moves::Edge`] does; on the tiny graphs that
/// [`optimal_moves`](super::optimal_moves) could exhaust by faces, these gained nothing over edges.
/// **Cost**: an evaluation takes a few microseconds on 100 vertices and grows with the number of moves between an edit and the
/// place where its effect ends. Graphs above 1024 vertices are not searched: the start is the result.
///
/// # Errors
/// Those of [`cost_of_moves`] for the start; [`Error::CostOverflow`].
///
/// **Source**: Kirkpatrick, Gelatt & Vecchi 1983; the edits are our own.
pub fn search_moves(
    graph: &LinearizedGraph,
    model: CostModel,
    moves: Moves,
    start: &[VertexId],
    seed: u64,
    budget: &Budget,
) -> Result<FoundMoves, Error> {
    let start: Vec<Move> = start.iter().map(|v| Move::Vertex(*v)).collect();
    let cost = cost_of_moves(graph, &start)?.of(model);
    let task = Task {
        graph,
        model,
        has_edges: moves >= Moves::Edge,
        seed,
        clock: budget.start(),
        evaluations: budget.evaluations,
    };
    let found = match graph.len() {
        0..=64 => task.search::<1>(&start)?,
        65..=128 => task.search::<2>(&start)?,
        129..=192 => task.search::<3>(&start)?,
        193..=256 => task.search::<4>(&start)?,
        257..=512 => task.search::<8>(&start)?,
        513..=1024 => task.search::<16>(&start)?,
        _ => start.clone(),
    };
    let found_cost = cost_of_moves(graph, &found)?.of(model);
    let (moves, cost) = if found_cost < cost {
        (found, found_cost)
    } else {
        (start, cost)
    };
    Ok(FoundMoves {
        moves,
        cost,
        evaluations: task.clock.evaluations(),
        stopped_by: task.clock.must_stop().unwrap_or(StoppedBy::Work),
    })
}

struct Task<'a> {
    graph: &'a LinearizedGraph,
    model: CostModel,
    has_edges: bool,
    seed: u64,
    clock: Clock,
    evaluations: u64,
}

impl Task<'_> {
    fn search<const W: usize>(&self, start: &[Move]) -> Result<Vec<Move>, Error> {
        let mut state = State::<W>::new(self.graph, self.model);
        let (mut moves, rest) = pin_chains(&mut state, start)?;
        let mut seeds = fastrand::Rng::with_seed(self.seed);
        let mut searches = (0..SEARCHES)
            .map(|_| Annealer::new(&state, &rest, self.has_edges, seeds.u64(..)))
            .collect::<Result<Vec<_>, _>>()?;
        for round in 0..ROUNDS {
            let parts = SEARCHES * ROUNDS;
            searches
                .par_iter_mut()
                .enumerate()
                .try_for_each(|(number, search)| {
                    // What does not divide evenly goes to the first parts.
                    let part = round * SEARCHES + number as u64;
                    let share =
                        self.evaluations / parts + u64::from(part < self.evaluations % parts);
                    self.cool(search, HOT[number / 2 % HOT.len()], share)
                })?;
            let best = searches.iter().map(Annealer::best);
            let Some(best) = best.min_by_key(|(_, cost)| *cost) else {
                break;
            };
            let best = best.0.to_vec();
            for (number, search) in searches.iter_mut().enumerate() {
                let next = if number % 2 == 0 {
                    best.clone()
                } else {
                    search.best().0.to_vec()
                };
                search.restart(&next)?;
            }
        }
        let best = searches.iter().map(Annealer::best);
        if let Some((best, _)) = best.min_by_key(|(_, cost)| *cost) {
            for step in best {
                if state.take(*step)? {
                    moves.push(*step);
                }
            }
        }
        Ok(moves)
    }

    /// One round of a search.
    fn cool<const W: usize>(
        &self,
        search: &mut Annealer<W>,
        hot: f64,
        share: u64,
    ) -> Result<(), Error> {
        for step in 0..COOLING {
            let part = f64::from(step) / f64::from(COOLING - 1);
            let temperature = hot * (part * (COLD / hot).ln()).exp();
            let steps = u64::from(COOLING);
            let mut left = share / steps + u64::from(u64::from(step) < share % steps);
            while left > 0 {
                if self.clock.must_stop().is_some() {
                    return Ok(());
                }
                let edits = left.min(SLICE);
                search.run(edits, temperature)?;
                self.clock.count(edits);
                left -= edits;
            }
        }
        Ok(())
    }
}

/// Eliminates vertices on no path, which costs nothing, and then those with one edge on either side: that costs one product at
/// most, and leaves less to search.
fn pin_chains<const W: usize>(
    state: &mut State<W>,
    start: &[Move],
) -> Result<(Vec<Move>, Vec<Move>), Error> {
    let (mut pinned, mut rest) = (Vec::new(), start.to_vec());
    // A chain that ends nowhere must be found to do so before it costs anything.
    let is_dead = |(entering, leaving): (u32, u32)| entering == 0 || leaving == 0;
    let is_chain = |degrees: (u32, u32)| degrees == (1, 1);
    for is_easy in [is_dead as fn(_) -> _, is_chain] {
        loop {
            let before = rest.len();
            let mut kept = Vec::with_capacity(before);
            for step in rest {
                if matches!(step, Move::Vertex(v) if is_easy(state.degrees(v))) {
                    state.take(step)?;
                    pinned.push(step);
                } else {
                    kept.push(step);
                }
            }
            rest = kept;
            if rest.len() == before {
                break;
            }
        }
    }
    Ok((pinned, rest))
}
