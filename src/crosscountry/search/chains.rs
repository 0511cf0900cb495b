//! Several chains of annealing on a whole graph, in rounds.
//!
//! Invariant: the chains of a round know nothing of each other, and each has its own random numbers and share of the work, so
//! the result is the same for any number of threads. A chain that attains the target stops only those numbered after it.
//! Source: Kirkpatrick, Gelatt & Vecchi 1983.

use std::sync::atomic::{AtomicUsize, Ordering};

use fastrand::Rng;
use rayon::prelude::*;

use super::Task;
use super::anneal::{Schedule, anneal};
use super::patch::Outline;
use crate::crosscountry::{CostModel, VertexId};

/// Chains per round.
const CHAINS: usize = 8;
/// The parts of the work for the rounds: the easy graphs with a known bound end in the first.
const ROUNDS: [u64; 3] = [1, 2, 5];

/// The best order found, of the vertices in `inner`.
pub(super) fn run(
    task: &Task<'_>,
    outline: &Outline,
    inner: &[VertexId],
    starts: &[(u64, Vec<VertexId>)],
) -> Vec<VertexId> {
    let mut number = vec![0; task.graph.len()];
    for (new, vertex) in inner.iter().enumerate() {
        number[vertex.index()] = new;
    }
    let numbered = |order: &[VertexId]| order.iter().map(|v| number[v.index()]).collect();
    let starts: Vec<(u64, Vec<usize>)> = starts
        .iter()
        .map(|(cost, order)| (*cost, numbered(order)))
        .collect();
    let mut best = starts[0].clone();
    let mean = best.0 as f64 / inner.len() as f64;
    let parts: u64 = ROUNDS.iter().sum();
    let mut rng = Rng::with_seed(task.options.seed);
    for part in ROUNDS {
        let evaluations = task.options.budget.evaluations / parts * part;
        let share = evaluations.saturating_mul(inner.len() as u64) / CHAINS as u64;
        let seeds: Vec<u64> = (0..CHAINS).map(|_| rng.u64(..)).collect();
        let first_at_target = AtomicUsize::new(usize::MAX);
        let chain = |(chain, seed): (usize, &u64)| {
            let start = &starts[chain % starts.len()].1;
            let mut annealing = anneal(outline, task.options.cost, start)?;
            let mut rng = Rng::with_seed(*seed);
            let (mut known, mut counted) = (u64::MAX, 0);
            let mut is_over = |cost: u64, work: u64| {
                let evaluations = work / inner.len() as u64;
                task.watch.clock.count(evaluations - counted);
                counted = evaluations;
                // A total beyond all numbers is nothing to report.
                if cost < known
                    && let Ok(total) = task.total(cost)
                {
                    known = cost;
                    task.watch.report(total);
                    if task.watch.is_target(total) {
                        first_at_target.fetch_min(chain, Ordering::Relaxed);
                    }
                }
                first_at_target.load(Ordering::Relaxed) <= chain
                    || task.watch.clock.must_stop().is_some()
            };
            for schedule in schedules(task.options.cost, mean, share) {
                annealing.run(&schedule, &mut rng, &mut is_over);
            }
            is_over(annealing.best_cost(), annealing.work());
            Some((annealing.best_cost(), annealing.best().to_vec()))
        };
        let found: Vec<Option<(u64, Vec<usize>)>> =
            seeds.par_iter().enumerate().map(chain).collect();
        // How far later chains came before they were stopped is up to chance.
        let last = first_at_target.into_inner();
        for (cost, order) in found.into_iter().take(last.saturating_add(1)).flatten() {
            if cost < best.0 {
                best = (cost, order);
            }
        }
        if task.watch.is_over() {
            break;
        }
    }
    best.1.iter().map(|v| inner[*v]).collect()
}

/// Cooling from hot to cold, and a last part without heat, which ends in a local optimum.
///
/// The temperatures follow the mean cost of a vertex. Measured on the published graphs, whose means are 2 to 4: from 3 to 0.3
/// the best costs were found most often.
fn schedules(model: CostModel, mean: f64, work: u64) -> [Schedule; 2] {
    let (hot, cold) = match model {
        CostModel::Memory => (2.0, 0.2),
        _ => ((0.9 * mean).max(1.0), (0.06 * mean).clamp(0.1, 0.3)),
    };
    let last = work / 16;
    let cooling = Schedule {
        hot,
        cold,
        work: work - last,
    };
    let quench = Schedule {
        hot: 0.01,
        cold: 0.01,
        work: last,
    };
    [cooling, quench]
}
