//! Several local searches at the same time, in rounds.
//!
//! Each shakes what it has and descends again. Every other one starts from an order that was annealed as a whole, if the graph
//! is small enough. After a round half of them go on from the best of all, the others from their own.
//!
//! Invariant: the chains of a round know nothing of each other, and each has its own random numbers and share of the work, so
//! the result is the same for any number of threads. A chain that attains the target stops only those numbered after it.
//! Source: iterated local search, Lourenço, Martin & Stützle 2003; annealing, Kirkpatrick, Gelatt & Vecchi 1983.

use std::sync::atomic::{AtomicUsize, Ordering};

use fastrand::Rng;
use rayon::prelude::*;

use super::Task;
use super::anneal::{Schedule, WIDEST, anneal};
use super::patch::Outline;
use super::windows::Searcher;
use crate::crosscountry::{CostModel, Elimination, VertexId};
use crate::error::Error;

/// Chains per round, if the graph is not so large that one keeps all threads busy.
const CHAINS: usize = 4;
/// From so many vertices on there is one chain.
const LARGE: usize = 4_000;
/// Rounds.
const ROUNDS: u64 = 3;
/// Of the work of a chain that starts with annealing one part in so many goes into that.
const ANNEALED: u64 = 3;

/// An order and its cost.
type Costed = (u64, Vec<VertexId>);

/// The best order found.
pub(super) fn run(task: &Task<'_>, starts: &[Costed]) -> Result<Vec<VertexId>, Error> {
    let inner: Vec<VertexId> = task.graph.intermediates().collect();
    if inner.len() < 2 {
        return Ok(starts[0].1.clone());
    }
    let (chains, rounds) = if inner.len() < LARGE {
        (CHAINS, ROUNDS)
    } else {
        (1, 1)
    };
    let whole = (inner.len() <= WIDEST).then(|| {
        let mut elimination = Elimination::counting(task.graph);
        Outline::of(&mut elimination, &inner, true)
    });
    let whole = whole.filter(|outline| outline.width() <= WIDEST);
    let mut best = starts[0].clone();
    let mut own: Vec<Costed> = starts.iter().cycle().take(chains).cloned().collect();
    let mut rng = Rng::with_seed(task.options.seed);
    let share = task.options.budget.evaluations / (rounds * chains as u64);
    for round in 0..rounds {
        let seeds: Vec<u64> = (0..chains).map(|_| rng.u64(..)).collect();
        let first_at_target = AtomicUsize::new(usize::MAX);
        let chain = |chain: usize| -> Result<Costed, Error> {
            let is_over = || {
                first_at_target.load(Ordering::Relaxed) <= chain
                    || task.watch.clock.must_stop().is_some()
            };
            let mut searcher = Searcher {
                task,
                rng: Rng::with_seed(seeds[chain]),
                left: share,
                is_over: &is_over,
            };
            let is_follower = round > 0 && chain.is_multiple_of(2);
            let (_, mut order) = if is_follower { &best } else { &own[chain] }.clone();
            if let Some(outline) = &whole
                && round == 0
                && !chain.is_multiple_of(2)
            {
                order = cool(&mut searcher, outline, &inner, &order);
            } else if round > 0 {
                searcher.shake(&mut order)?;
            }
            let mut found = own[chain].clone();
            loop {
                let cost = searcher.descend(&mut order)?;
                if cost <= found.0 {
                    found = (cost, order.clone());
                } else {
                    order.clone_from(&found.1);
                }
                if task.watch.is_target(task.total(found.0)?) {
                    first_at_target.fetch_min(chain, Ordering::Relaxed);
                }
                if searcher.left == 0 || is_over() {
                    return Ok(found);
                }
                searcher.shake(&mut order)?;
            }
        };
        own = (0..chains)
            .into_par_iter()
            .map(chain)
            .collect::<Result<_, _>>()?;
        // How far later chains came before they were stopped is up to chance.
        let last = first_at_target.into_inner();
        for found in own.iter().take(last.saturating_add(1)) {
            if found.0 < best.0 {
                best.clone_from(found);
            }
        }
        if task.watch.is_over() {
            break;
        }
    }
    Ok(best.1)
}

/// Anneals a whole graph from an order.
fn cool(
    searcher: &mut Searcher<'_>,
    outline: &Outline,
    inner: &[VertexId],
    order: &[VertexId],
) -> Vec<VertexId> {
    let model = searcher.task.options.cost;
    let mut number = vec![0; searcher.task.graph.len()];
    for (new, vertex) in inner.iter().enumerate() {
        number[vertex.index()] = new;
    }
    let start: Vec<usize> = order.iter().map(|v| number[v.index()]).collect();
    let Some(mut annealing) = anneal(outline, model, &start) else {
        return order.to_vec();
    };
    let evaluations = searcher.left / ANNEALED;
    searcher.left -= evaluations;
    // The temperatures follow the mean cost of a vertex. Measured on the published graphs, whose means are 2 to 4: from 3 to
    // 0.3 the best costs were found most often.
    let mean = annealing.best_cost() as f64 / inner.len() as f64;
    let (hot, cold) = match model {
        CostModel::Memory => (2.0, 0.2),
        _ => ((0.9 * mean).max(1.0), (0.06 * mean).clamp(0.1, 0.3)),
    };
    let schedule = Schedule {
        hot,
        cold,
        work: evaluations.saturating_mul(inner.len() as u64),
    };
    annealing.run(&schedule, &mut searcher.rng, &mut |_, _| {
        (searcher.is_over)()
    });
    searcher
        .task
        .watch
        .clock
        .count(annealing.work() / inner.len() as u64);
    annealing.best().iter().map(|k| inner[*k]).collect()
}
