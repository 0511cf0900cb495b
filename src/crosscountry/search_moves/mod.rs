//! [`search_moves`]: sequences of vertices and edges that cost less than any order of vertices found before.
//!
//! A few searches run beside each other, each with a fixed share of the work; after each round the best list is where half of
//! them go on.
//!
//! Invariant: the result is never worse than the start; it depends on the seed and the number of evaluations, not on the number
//! of threads (EDGE_CASES e96).
//! Source: Kirkpatrick, Gelatt & Vecchi 1983 (annealing); Naumann 2004 (why edges can be cheaper than vertices).

mod anneal;
mod line;
pub(super) mod state;
pub(super) mod step;
#[cfg(test)]
mod tests;
mod windows;

use rayon::prelude::*;

use self::anneal::Annealer;
use self::line::Line;
use self::state::State;
use self::step::{Graph, Step};
use super::budget::{Budget, Clock, StoppedBy};
use super::cost::CostModel;
use super::graph::{LinearizedGraph, VertexId};
use super::moves::{Move, Moves};
use super::replay::cost_of_moves;
use crate::error::Error;

/// The searches beside each other: two for each of two cores, so that half may go on from the best and half from their own.
const SEARCHES: u64 = 4;
/// The evaluations of the first round, over all searches; each round has twice those of the one before, so that a search that ends
/// by time has cooled down by then, whatever the machine. After each round the searches learn from the best.
const FIRST: u64 = 20_000;
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
/// **Shape**: the start has all intermediates. [`Moves::Face`] gives one half of the work to edges and the other one to faces; if any of
/// these is used, all moves of the result are faces.
/// **Cost**: an evaluation takes a few microseconds on 100 vertices, by faces some ten, and grows with the number of moves between an
/// edit and the place where its effect ends. Graphs above 1024 vertices are not searched, nor those above 409 edges by faces.
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
    let mut best: Vec<Move> = start.iter().map(|v| Move::Vertex(*v)).collect();
    let mut cost = cost_of_moves(graph, &best)?.of(model);
    // Edges are searched faster, and most of what faces gain they gain as well.
    let kinds = match moves {
        Moves::Face => &[Moves::Edge, Moves::Face][..],
        Moves::Edge => &[Moves::Edge],
        Moves::Vertex => &[Moves::Vertex],
    };
    let clock = budget.start();
    let mut stopped_by = StoppedBy::Work;
    for (number, moves) in kinds.iter().enumerate() {
        // What is left is shared evenly by what is to come.
        let parts = u32::try_from(kinds.len() - number).unwrap_or(1);
        let left = budget.evaluations.saturating_sub(clock.evaluations());
        let part = Budget {
            evaluations: left / u64::from(parts),
            time: budget
                .time
                .map(|time| time.saturating_sub(clock.elapsed()) / parts),
            interrupt: budget.interrupt.clone(),
        };
        let task = Task {
            moves: *moves,
            seed,
            clock: part.start(),
            evaluations: part.evaluations,
        };
        let mut steps: Vec<Step> = best.iter().filter_map(|step| Step::of(*step)).collect();
        // Whatever edges were taken out of a list, it must be complete.
        let rest = start.iter().map(|v| Step::Vertex(*v));
        let missing = rest
            .filter(|step| !steps.contains(step))
            .collect::<Vec<_>>();
        steps.extend(missing);
        if let Some(found) = task.run(graph, model, &steps)? {
            let found_cost = cost_of_moves(graph, &found)?.of(model);
            if found_cost < cost {
                (best, cost) = (found, found_cost);
            }
        }
        clock.count(task.clock.evaluations());
        stopped_by = task.clock.must_stop().unwrap_or(StoppedBy::Work);
    }
    Ok(FoundMoves {
        moves: best,
        cost,
        evaluations: clock.evaluations(),
        stopped_by,
    })
}

struct Task {
    moves: Moves,
    seed: u64,
    clock: Clock,
    evaluations: u64,
}

impl Task {
    /// Nothing if the graph is too large.
    fn run(
        &self,
        graph: &LinearizedGraph,
        model: CostModel,
        start: &[Step],
    ) -> Result<Option<Vec<Move>>, Error> {
        if self.moves == Moves::Face {
            // A product comes before what it replaces goes.
            return match graph.edges().len() * 5 / 4 {
                0..=64 => self.faces::<1>(graph, model, start),
                65..=128 => self.faces::<2>(graph, model, start),
                129..=192 => self.faces::<3>(graph, model, start),
                193..=256 => self.faces::<4>(graph, model, start),
                257..=512 => self.faces::<8>(graph, model, start),
                _ => Ok(None),
            };
        }
        let found = match graph.len() {
            0..=64 => self.edges::<1>(graph, model, start)?,
            65..=128 => self.edges::<2>(graph, model, start)?,
            129..=192 => self.edges::<3>(graph, model, start)?,
            193..=256 => self.edges::<4>(graph, model, start)?,
            257..=512 => self.edges::<8>(graph, model, start)?,
            513..=1024 => self.edges::<16>(graph, model, start)?,
            _ => return Ok(None),
        };
        Ok(Some(found))
    }

    fn edges<const W: usize>(
        &self,
        graph: &LinearizedGraph,
        model: CostModel,
        start: &[Step],
    ) -> Result<Vec<Move>, Error> {
        let steps = self.search(State::<W>::new(graph, model), start)?;
        Ok(steps.iter().filter_map(|step| step.to_move()).collect())
    }

    /// Nothing if the line graph is too large.
    fn faces<const W: usize>(
        &self,
        graph: &LinearizedGraph,
        model: CostModel,
        start: &[Step],
    ) -> Result<Option<Vec<Move>>, Error> {
        let Some(line) = Line::<W>::new(graph, model)? else {
            return Ok(None);
        };
        let steps = self.search(line.clone(), start)?;
        let moves: Option<Vec<Move>> = steps.iter().map(|step| step.to_move()).collect();
        Ok(Some(match moves {
            Some(moves) => moves,
            None => line.faces_of(&steps)?,
        }))
    }

    fn search<G: Graph + Send>(&self, mut state: G, start: &[Step]) -> Result<Vec<Step>, Error> {
        let (mut steps, rest) = pin_chains(&mut state, start)?;
        let mut seeds = fastrand::Rng::with_seed(self.seed);
        let mut searches = (0..SEARCHES)
            .map(|_| Annealer::new(&state, &rest, self.moves, seeds.u64(..)))
            .collect::<Result<Vec<_>, _>>()?;
        let mut left = self.evaluations;
        let mut work = FIRST;
        while left > 0 && self.clock.must_stop().is_none() {
            let now = work.min(left);
            left -= now;
            work = work.saturating_mul(2);
            searches
                .par_iter_mut()
                .enumerate()
                .try_for_each(|(number, search)| {
                    // What does not divide evenly goes to the first searches.
                    let share = now / SEARCHES + u64::from((number as u64) < now % SEARCHES);
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
                    steps.push(*step);
                }
            }
        }
        Ok(steps)
    }

    /// One round of a search.
    fn cool<G: Graph>(&self, search: &mut Annealer<G>, hot: f64, share: u64) -> Result<(), Error> {
        for step in 0..COOLING {
            let part = f64::from(step) / f64::from(COOLING - 1);
            let temperature = hot * (part * (COLD / hot).ln()).exp();
            let parts = u64::from(COOLING);
            let mut left = share / parts + u64::from(u64::from(step) < share % parts);
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
fn pin_chains<G: Graph>(state: &mut G, start: &[Step]) -> Result<(Vec<Step>, Vec<Step>), Error> {
    let (mut pinned, mut rest) = (Vec::new(), start.to_vec());
    // A chain that ends nowhere must be found to do so before it costs anything.
    let is_dead = |(entering, leaving): (u32, u32)| entering == 0 || leaving == 0;
    let is_chain = |degrees: (u32, u32)| degrees == (1, 1);
    for is_easy in [is_dead as fn(_) -> _, is_chain] {
        loop {
            let before = rest.len();
            let mut kept = Vec::with_capacity(before);
            for step in rest {
                if matches!(step, Step::Vertex(v) if is_easy(state.degrees(v))) {
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
