//! [`search`]: cheap vertex elimination orders by heuristics.
//!
//! First [`reduce`] eliminates what can go first in an optimal order. Then windows of the order are annealed again and again,
//! each with everything else fixed, on a [`Patch`](patch::Patch), by several chains at the same time.
//!
//! Invariant: the result depends on the graph, the options and the number of evaluations, not on time or threads
//! (EDGE_CASES e96); its cost is recounted by [`cost_of`]; it is never worse than the orders of [`Order`] it starts from.
//! Source: see the files.

mod anneal;
mod beam;
mod chains;
mod patch;
mod reduce;
mod windows;

#[cfg(test)]
mod tests;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::budget::{Budget, Clock, StoppedBy};
use super::cost::{CostModel, Tally};
use super::eliminate::Elimination;
use super::graph::{LinearizedGraph, VertexId};
use super::orders::{Order, cost_of};
use crate::error::Error;

pub use beam::beam_search;
pub use reduce::{Reduced, reduce};

/// What is searched, and for how long.
#[derive(Clone, Debug, Default)]
pub struct SearchOptions {
    /// What is to become small.
    pub cost: CostModel,
    /// The seed of the random numbers.
    pub seed: u64,
    /// The bound on the work.
    pub budget: Budget,
    /// A lower bound of the cost, if one is known: an order that attains it ends the search.
    pub target: Option<u64>,
}

/// What a search says while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The cost of the best order so far.
    pub best: u64,
    /// The evaluations so far, over all threads.
    pub evaluations: u64,
    /// The time since the start.
    pub elapsed: Duration,
}

/// What a search has found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The best order.
    pub order: Vec<VertexId>,
    /// Its cost by every model, recounted.
    pub cost: Tally,
    /// Why the search ended.
    pub stopped_by: StoppedBy,
    /// The number of evaluations done; it may depend on time and threads if a target was given.
    pub evaluations: u64,
    /// Every improvement: evaluations, seconds and cost. Chains run at the same time, so only the last cost is the same
    /// in every run.
    pub history: Vec<(u64, f64, u64)>,
}

/// Searches for a cheap order of vertex elimination.
///
/// ```
/// use wengert::crosscountry::{Budget, EdgeClass, LinearizedGraph, SearchOptions, search};
/// // Two inputs meet in a vertex that two outputs depend on.
/// let edges = [(0, 2), (1, 2), (2, 3), (3, 4), (3, 5)].map(|(s, t)| (s, t, EdgeClass::Variable));
/// let graph = LinearizedGraph::new("hour-glass", 2, 6, &[4, 5], &edges)?;
/// let options = SearchOptions { budget: Budget::default().with_evaluations(100), ..SearchOptions::default() };
/// let found = search(&graph, &options, &|_| ())?;
/// assert_eq!(found.cost.multiplications, 6);
/// # Ok::<(), wengert::Error>(())
/// ```
///
/// **Shape**: the order holds all `l` intermediates, each once; `observe` is called from several threads, at every improvement.
/// **Cost**: the evaluations of the budget; an evaluation is as much work as `l` vertex eliminations.
///
/// # Errors
/// [`Error::CostOverflow`].
///
/// **Source**: ours; simulated annealing for elimination orders in Naumann & Gottschling 2003.
pub fn search(
    graph: &LinearizedGraph,
    options: &SearchOptions,
    observe: &(dyn Fn(Progress) + Sync),
) -> Result<Found, Error> {
    let watch = Watch::new(options, observe);
    let reduced = reduce(graph, options.cost)?;
    let mut starts = starts(graph, &reduced, &watch)?;
    starts.sort_by_key(|(cost, _)| *cost);
    starts.dedup();
    let task = Task {
        graph: &reduced.graph,
        spent: reduced.cost,
        options,
        watch: &watch,
    };
    let best = if watch.is_over() {
        starts.swap_remove(0).1
    } else {
        chains::run(&task, &starts)?
    };
    let order = reduced.lift(&best)?;
    let cost = cost_of(graph, &order)?;
    Ok(watch.finish(order, cost))
}

/// What the ways of searching work on.
struct Task<'a> {
    /// What is left of the graph.
    graph: &'a LinearizedGraph,
    /// What it has cost to come there.
    spent: Tally,
    options: &'a SearchOptions,
    watch: &'a Watch<'a>,
}

impl Task<'_> {
    /// The cost for the whole graph from that for what is left.
    fn total(&self, cost: u64) -> Result<u64, Error> {
        total(self.spent, cost, self.options.cost)
    }
}

/// Up to so many vertices all greedy orders are tried; in larger graphs some take too long.
const MANY: usize = 5_000;

/// The orders that need no search, for the reduced graph, each with its cost there.
///
/// What can go first never costs more for going first, so nothing is lost for the orders of the whole graph.
fn starts(
    graph: &LinearizedGraph,
    reduced: &Reduced,
    watch: &Watch<'_>,
) -> Result<Vec<(u64, Vec<VertexId>)>, Error> {
    let known = if graph.len() <= MANY {
        &Order::ALL[..]
    } else {
        // Those first that need no queue: they are often good, and then the others need not be counted to their end.
        &[
            Order::Reverse,
            Order::Forward,
            Order::Markowitz,
            Order::LateMarkowitz,
        ][..]
    };
    let mut number = vec![None; graph.len()];
    let is_intermediate = reduced.graph.is_intermediate();
    for (new, old) in reduced.vertices.iter().enumerate() {
        if is_intermediate[new] {
            number[old.index()] = Some(VertexId::new(new)?);
        }
    }
    let mut starts: Vec<(u64, Vec<VertexId>)> = Vec::new();
    let mut limit = u64::MAX;
    for known in known {
        let order: Vec<VertexId> = known.of(graph)?;
        let order: Vec<VertexId> = order.iter().filter_map(|v| number[v.index()]).collect();
        if let Some(tally) = cost_below(&reduced.graph, &order, watch.options.cost, limit)? {
            let cost = tally.of(watch.options.cost);
            // Some orders of large graphs would take forever.
            if graph.len() > MANY {
                limit = limit.min(cost);
            }
            watch.report(total(reduced.cost, cost, watch.options.cost)?);
            starts.push((cost, order));
        }
        if watch.clock.must_stop().is_some() {
            break;
        }
    }
    Ok(starts)
}

/// The cost of a whole order from what has been spent and the cost of the rest.
fn total(spent: Tally, rest: u64, model: CostModel) -> Result<u64, Error> {
    let spent = spent.of(model);
    match model {
        CostModel::Memory => Ok(spent.max(rest)),
        _ => spent.checked_add(rest).ok_or(Error::CostOverflow),
    }
}

/// The cost of an order, unless it is seen to be above a limit.
fn cost_below(
    graph: &LinearizedGraph,
    order: &[VertexId],
    model: CostModel,
    limit: u64,
) -> Result<Option<Tally>, Error> {
    let mut elimination = Elimination::counting(graph);
    for vertex in order {
        elimination.eliminate_vertex(*vertex)?;
        if elimination.cost().of(model) > limit {
            return Ok(None);
        }
    }
    Ok(Some(elimination.cost()))
}

/// The clock and the best so far, shared by all threads.
struct Watch<'a> {
    options: &'a SearchOptions,
    clock: Clock,
    observe: &'a (dyn Fn(Progress) + Sync),
    history: Mutex<Vec<(u64, f64, u64)>>,
}

impl<'a> Watch<'a> {
    fn new(options: &'a SearchOptions, observe: &'a (dyn Fn(Progress) + Sync)) -> Self {
        Self {
            options,
            clock: options.budget.start(),
            observe,
            history: Mutex::new(Vec::new()),
        }
    }

    /// Says that there is an order with this cost.
    fn report(&self, cost: u64) {
        let mut history = self.history.lock().unwrap_or_else(PoisonError::into_inner);
        if history.last().is_none_or(|(_, _, best)| cost < *best) {
            let (evaluations, elapsed) = (self.clock.evaluations(), self.clock.elapsed());
            history.push((evaluations, elapsed.as_secs_f64(), cost));
            (self.observe)(Progress {
                best: cost,
                evaluations,
                elapsed,
            });
        }
    }

    /// Whether there is no need to go on: by time, or as the best attains the target.
    fn is_over(&self) -> bool {
        let history = self.history.lock().unwrap_or_else(PoisonError::into_inner);
        let best = history.last().map(|(_, _, best)| *best);
        self.clock.must_stop().is_some() || best.is_some_and(|best| self.is_target(best))
    }

    /// Whether a cost attains the target.
    fn is_target(&self, cost: u64) -> bool {
        self.options.target.is_some_and(|target| cost <= target)
    }

    fn finish(self, order: Vec<VertexId>, cost: Tally) -> Found {
        let stopped_by = if self.is_target(cost.of(self.options.cost)) {
            StoppedBy::Proof
        } else {
            self.clock.must_stop().unwrap_or(StoppedBy::Work)
        };
        Found {
            order,
            cost,
            stopped_by,
            evaluations: self.clock.evaluations(),
            history: self
                .history
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner),
        }
    }
}
