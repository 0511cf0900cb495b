//! Annealing of windows of the order, for graphs too large to be annealed as a whole.
//!
//! Whatever the order within a window, the graph after it is the same; so windows that do not overlap can be improved
//! independently, each on the patch that its vertices and their neighbours make when everything before is gone. From sweep
//! to sweep the windows change: by their borders, and by a reordering that costs nothing. Two vertices are related if
//! eliminating one can make a difference for the other; they form a forest, of which any order with children before parents
//! costs the same. Orders that list whole subtrees one after the other bring what is related into the same window.
//!
//! Invariant: no window gets worse; windows and their random numbers do not depend on threads.
//! Source: Liu 1990 (elimination trees and their equivalent orders); the windows are a large-neighbourhood search, Shaw 1998.

use fastrand::Rng;
use rayon::prelude::*;

use super::Task;
use super::anneal::{Schedule, WIDEST, anneal};
use super::patch::Outline;
use crate::crosscountry::{CostModel, Elimination, LinearizedGraph, VertexId, cost_of};
use crate::error::Error;

/// The sizes of windows, one per sweep.
const SIZES: [usize; 6] = [16, 24, 40, 64, 110, 180];
/// Windows that are annealed together.
const BATCH: usize = 256;
/// Eliminations per vertex of a window in the first sweep.
const EFFORT: u64 = 300;
/// Sweeps without any success before the search ends.
const PATIENCE: usize = 8;
/// Eliminations per vertex when a window is shaken.
const SHAKE: u64 = 20;
/// Of 256 windows so many are shaken.
const SHAKEN: u8 = 100;

/// A local search of its own: its random numbers, and the evaluations that it may still make.
pub(super) struct Searcher<'a> {
    pub(super) task: &'a Task<'a>,
    pub(super) rng: Rng,
    pub(super) left: u64,
    /// Whether somebody else's success makes this search useless.
    pub(super) is_over: &'a (dyn Fn() -> bool + Sync),
}

/// What is done with a window.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Aim {
    /// The best order that is found, if it is better than the old one.
    Improve,
    /// Another order, not much worse.
    Shake,
}

impl Searcher<'_> {
    /// Improves an order until sweeps find nothing any more; the result is the cost.
    pub(super) fn descend(&mut self, order: &mut Vec<VertexId>) -> Result<u64, Error> {
        let model = self.task.options.cost;
        let mut best = cost_of(self.task.graph, order)?.of(model);
        let mut idle = 0;
        for sweep in 0_usize.. {
            // Sweeps that find less are followed by more thorough ones.
            let effort = (EFFORT << (sweep / SIZES.len()).min(6)).min(self.left);
            if effort == 0 || idle >= PATIENCE || (self.is_over)() {
                break;
            }
            let mut next = match model {
                // How much is stored depends on what unrelated vertices have done before.
                CostModel::Memory => order.clone(),
                _ => by_subtrees(self.task.graph, order, &mut self.rng),
            };
            self.sweep(&mut next, SIZES[sweep % SIZES.len()], effort, Aim::Improve)?;
            let cost = cost_of(self.task.graph, &next)?.of(model);
            idle = if cost < best { 0 } else { idle + 1 };
            if cost <= best {
                best = cost;
                *order = next;
                self.task.watch.report(self.task.total(best)?);
            }
        }
        Ok(best)
    }

    /// Makes some windows of the order worse.
    pub(super) fn shake(&mut self, order: &mut Vec<VertexId>) -> Result<(), Error> {
        if self.task.options.cost != CostModel::Memory {
            *order = by_subtrees(self.task.graph, order, &mut self.rng);
        }
        let effort = SHAKE.min(self.left);
        let size = SIZES[self.rng.usize(1..SIZES.len())];
        self.sweep(order, size, effort, Aim::Shake)
    }

    /// Improves, or shakes, windows of one size, which cover the order.
    fn sweep(
        &mut self,
        order: &mut [VertexId],
        size: usize,
        effort: u64,
        aim: Aim,
    ) -> Result<(), Error> {
        let model = self.task.options.cost;
        self.left -= effort;
        self.task.watch.clock.count(effort);
        let mut elimination = Elimination::counting(self.task.graph);
        let mut from = 0;
        let mut len = self.rng.usize(1..=size);
        while from < order.len() {
            let mut batch = Vec::with_capacity(BATCH);
            while from < order.len() && batch.len() < BATCH {
                len = len.min(order.len() - from);
                let vertices = &order[from..from + len];
                let is_chosen = len > 1 && (aim == Aim::Improve || self.rng.u8(..) < SHAKEN);
                if is_chosen {
                    let is_complete = model != CostModel::Multiplications;
                    let outline = Outline::of(&mut elimination, vertices, is_complete);
                    if outline.width() <= WIDEST {
                        batch.push(Window {
                            outline,
                            from,
                            len,
                            seed: self.rng.u64(..),
                        });
                    }
                }
                for vertex in vertices {
                    elimination.eliminate_vertex(*vertex)?;
                }
                from += len;
                len = size;
            }
            let improved: Vec<Option<Vec<usize>>> = batch
                .par_iter()
                .map(|window| anew(self.task, window, effort, aim))
                .collect();
            for (window, places) in batch.iter().zip(improved) {
                if let Some(places) = places {
                    let part = &mut order[window.from..window.from + window.len];
                    let old = part.to_vec();
                    for (new, place) in part.iter_mut().zip(places) {
                        *new = old[place];
                    }
                }
            }
            if self.task.watch.clock.must_stop().is_some() {
                break;
            }
        }
        Ok(())
    }
}

/// A part of the order, to be improved.
struct Window {
    outline: Outline,
    from: usize,
    len: usize,
    seed: u64,
}

/// Another order of a window, by places in the old one.
fn anew(task: &Task<'_>, window: &Window, effort: u64, aim: Aim) -> Option<Vec<usize>> {
    if task.watch.clock.must_stop().is_some() {
        return None;
    }
    let model = task.options.cost;
    let start: Vec<usize> = (0..window.len).collect();
    let mut annealing = anneal(&window.outline, model, &start)?;
    let before = annealing.best_cost();
    let hot = match model {
        CostModel::Memory => 1.0,
        _ => (0.5 * before as f64 / window.len as f64).max(0.5),
    };
    let schedule = Schedule {
        hot,
        cold: if aim == Aim::Shake { hot } else { 0.1 },
        work: effort * window.len as u64,
    };
    let mut rng = Rng::with_seed(window.seed);
    annealing.run(&schedule, &mut rng, &mut |_, _| false);
    if aim == Aim::Shake {
        return Some(annealing.current().to_vec());
    }
    // By memory an order that is no lower but emptier helps the next sweep.
    let is_better = annealing.best_cost() < before || model == CostModel::Memory;
    is_better.then(|| annealing.best().to_vec())
}

/// An order of the same cost that lists the subtrees of related vertices one after the other, siblings at random.
pub(super) fn by_subtrees(
    graph: &LinearizedGraph,
    order: &[VertexId],
    rng: &mut Rng,
) -> Vec<VertexId> {
    const NONE: usize = usize::MAX;
    let mut place = vec![NONE; graph.len()];
    for (at, vertex) in order.iter().enumerate() {
        place[vertex.index()] = at;
    }
    // By places: for each its neighbours at earlier places.
    let mut earlier: Vec<Vec<usize>> = vec![Vec::new(); order.len()];
    for edge in graph.edges() {
        let (a, b) = (place[edge.source.index()], place[edge.target.index()]);
        if a != NONE && b != NONE {
            earlier[a.max(b)].push(a.min(b));
        }
    }
    let mut parent = vec![NONE; order.len()];
    let mut ancestor = vec![NONE; order.len()];
    for (at, earlier) in earlier.iter().enumerate() {
        for start in earlier {
            let mut node = *start;
            // Shortens the paths to the roots as it goes.
            while ancestor[node] != NONE && ancestor[node] != at {
                node = std::mem::replace(&mut ancestor[node], at);
            }
            if ancestor[node] == NONE {
                ancestor[node] = at;
                parent[node] = at;
            }
        }
    }
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); order.len()];
    let mut stack = Vec::new();
    for (at, parent) in parent.iter().enumerate() {
        match children.get_mut(*parent) {
            Some(children) => children.push(at),
            None => stack.push(at),
        }
    }
    // Parents before children, read backwards.
    let mut result = Vec::with_capacity(order.len());
    rng.shuffle(&mut stack);
    while let Some(at) = stack.pop() {
        result.push(order[at]);
        rng.shuffle(&mut children[at]);
        stack.extend_from_slice(&children[at]);
    }
    result.reverse();
    result
}
