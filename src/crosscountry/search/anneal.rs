//! [`Annealer`]: simulated annealing of the order in which the vertices of a [`Patch`] go.
//!
//! A move takes a vertex out of the order and puts it back next to a neighbour. The graph before the earlier and after the
//! later of both places is what it was, so only what lies between is eliminated again, from the last of the states that are
//! kept every few places. The bar that the sum of the costs must not exceed is drawn first, so that most moves are given up
//! early.
//!
//! Invariant: `cost[p]` is the cost of eliminating `order[p]` after `order[..p]`; the energies are integers, so that results
//! do not depend on the order of additions.
//! Source: Kirkpatrick, Gelatt & Vecchi 1983; for elimination orders Naumann & Gottschling 2003.

use fastrand::Rng;

use super::super::cost::CostModel;
use super::patch::{Outline, Patch};

/// A state is kept every so many places: fewer save copies, more save eliminations.
const STRIDE: usize = 8;

/// How an annealing goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Schedule {
    /// The temperature at the start, in operations.
    pub(super) hot: f64,
    /// The temperature at the end.
    pub(super) cold: f64,
    /// The work, in eliminations of one vertex.
    pub(super) work: u64,
}

/// An annealing of orders, for rows of any size.
pub(super) trait Anneal {
    /// The best order so far.
    fn best(&self) -> &[usize];

    /// The order it is at.
    fn current(&self) -> &[usize];

    /// The cost of the best order.
    fn best_cost(&self) -> u64;

    /// The number of vertices eliminated so far, and moves.
    fn work(&self) -> u64;

    /// Goes on from another order; the best is kept.
    fn restart(&mut self, order: &[usize]);

    /// Anneals until the work is done or it is over; that is asked now and then with the best cost and
    /// the work so far.
    fn run(
        &mut self,
        schedule: &Schedule,
        rng: &mut Rng,
        is_over: &mut dyn FnMut(u64, u64) -> bool,
    );
}

/// The most bits of a row that there is an annealing for.
pub(super) const WIDEST: usize = 512;

/// Starts an annealing with an order, if the patch is not wider than [`WIDEST`].
pub(super) fn anneal(
    outline: &Outline,
    model: CostModel,
    order: &[usize],
) -> Option<Box<dyn Anneal>> {
    fn boxed<const W: usize, const K: usize>(
        outline: &Outline,
        model: CostModel,
        order: &[usize],
    ) -> Box<dyn Anneal> {
        let patch = Patch::<W, K>::new(outline, model);
        Box::new(Annealer::new(&patch, model, order))
    }
    let is_plain = model == CostModel::Multiplications && !outline.has_copies();
    let start = match (outline.width().div_ceil(64), is_plain) {
        (0 | 1, true) => boxed::<1, 1>,
        (2, true) => boxed::<2, 1>,
        (3 | 4, true) => boxed::<4, 1>,
        (5..=8, true) => boxed::<8, 1>,
        (0 | 1, false) => boxed::<1, 4>,
        (2, false) => boxed::<2, 4>,
        (3 | 4, false) => boxed::<4, 4>,
        (5..=8, false) => boxed::<8, 4>,
        _ => return None,
    };
    Some(start(outline, model, order))
}

/// See the head of this file.
#[derive(Debug)]
struct Annealer<const W: usize, const K: usize> {
    model: CostModel,
    states: Vec<Patch<W, K>>,
    scratch: Patch<W, K>,
    neighbours: Vec<Vec<usize>>,
    order: Vec<usize>,
    position: Vec<usize>,
    cost: Vec<u64>,
    /// The order and the costs between the two places of a move.
    trial: Vec<usize>,
    trial_cost: Vec<u64>,
    energy: u64,
    best: Vec<usize>,
    best_energy: u64,
    /// Eliminations of a vertex so far.
    work: u64,
}

impl<const W: usize, const K: usize> Annealer<W, K> {
    /// Starts with an order.
    fn new(patch: &Patch<W, K>, model: CostModel, order: &[usize]) -> Self {
        let len = patch.len();
        let near: Vec<Vec<usize>> = (0..len).map(|v| patch.neighbours(v).collect()).collect();
        let mut annealer = Self {
            model,
            states: vec![patch.clone(); len / STRIDE + 1],
            scratch: patch.clone(),
            neighbours: wider(&near),
            order: Vec::new(),
            position: vec![0; len],
            cost: vec![0; len],
            trial: Vec::new(),
            trial_cost: Vec::new(),
            energy: 0,
            best: Vec::new(),
            best_energy: u64::MAX,
            work: 0,
        };
        annealer.restart(order);
        annealer
    }

    /// The energy of one unit of cost.
    fn scale(&self) -> u64 {
        match self.model {
            // The sum of the levels must stay below one unit of the peak.
            CostModel::Memory => 1 << 32,
            CostModel::Multiplications | CostModel::Arithmetic => 1,
        }
    }

    /// Tries one move.
    fn attempt(&mut self, temperature: f64, rng: &mut Rng) {
        let len = self.order.len();
        let from = rng.usize(0..len);
        let vertex = self.order[from];
        let near = &self.neighbours[vertex];
        let to = if near.is_empty() || rng.u8(..) < 16 {
            rng.usize(0..len)
        } else {
            // Next to a neighbour on its far side: only passing a neighbour can change anything.
            self.position[near[rng.usize(0..near.len())]]
        };
        if from == to {
            return;
        }
        let (low, high) = (from.min(to), from.max(to));
        self.trial.clear();
        if from < to {
            self.trial.extend_from_slice(&self.order[from + 1..=to]);
            self.trial.push(vertex);
        } else {
            self.trial.push(vertex);
            self.trial.extend_from_slice(&self.order[to..from]);
        }
        let slack = -temperature * rng.f64().max(f64::MIN_POSITIVE).ln() * self.scale() as f64;
        // Energies are far below 2^53; a slack beyond that accepts everything.
        let bar = self.energy.saturating_add(whole(slack));
        if let Some(energy) = self.replay(low, high, bar) {
            self.energy = energy;
            for at in low..=high {
                self.order[at] = self.trial[at - low];
                self.position[self.order[at]] = at;
                self.cost[at] = self.trial_cost[at - low];
            }
            self.refresh_states(low, high);
            self.keep_best();
        }
    }

    /// The energy with `trial` in the places from `low` to `high`, if it is not above the bar.
    fn replay(&mut self, low: usize, high: usize, bar: u64) -> Option<u64> {
        self.trial_cost.clear();
        let first = low / STRIDE;
        self.scratch.copy_from(&self.states[first]);
        for at in first * STRIDE..low {
            self.scratch.eliminate(self.order[at]);
        }
        self.work += (low - first * STRIDE) as u64;
        let is_sum = self.model != CostModel::Memory;
        let old: u64 = self.cost[low..=high].iter().sum();
        let mut left = if is_sum {
            // What the replaced part may cost.
            bar - (self.energy - old)
        } else {
            u64::MAX
        };
        for at in 0..self.trial.len() {
            let cost = self.scratch.eliminate(self.trial[at]);
            self.work += 1;
            self.trial_cost.push(cost);
            if is_sum {
                left = left.checked_sub(cost)?;
            } else if cost << 32 > bar {
                return None;
            }
        }
        let energy = if is_sum {
            self.energy - old + self.trial_cost.iter().sum::<u64>()
        } else {
            self.energy_with(low..high + 1, &self.trial_cost)
        };
        (energy <= bar).then_some(energy)
    }

    /// The energy with other costs in some places.
    fn energy_with(&self, places: std::ops::Range<usize>, costs: &[u64]) -> u64 {
        let kept = self.cost[..places.start]
            .iter()
            .chain(&self.cost[places.end..]);
        let all = kept.chain(costs);
        match self.model {
            CostModel::Multiplications | CostModel::Arithmetic => all.sum(),
            CostModel::Memory => {
                let initial = self.states[0].edges();
                let (peak, sum) = all.fold((initial, 0_u64), |(peak, sum), level| {
                    (peak.max(*level), sum + level)
                });
                // The mean level decides between equal peaks.
                peak * self.scale() + sum * (1 << 12) / (self.order.len() as u64).max(1)
            }
        }
    }

    fn keep_best(&mut self) {
        if self.energy < self.best_energy {
            self.best_energy = self.energy;
            self.best.clear();
            self.best.extend_from_slice(&self.order);
        }
    }

    /// Makes costs and states of the places from `low` to below `end` anew.
    fn refresh(&mut self, low: usize, end: usize) {
        self.scratch.copy_from(&self.states[low / STRIDE]);
        for at in low / STRIDE * STRIDE..end {
            if at.is_multiple_of(STRIDE) {
                self.states[at / STRIDE].copy_from(&self.scratch);
            }
            self.cost[at] = self.scratch.eliminate(self.order[at]);
        }
        if end.is_multiple_of(STRIDE) {
            self.states[end / STRIDE].copy_from(&self.scratch);
        }
    }

    /// Makes the states between two places anew; the costs are known.
    fn refresh_states(&mut self, low: usize, high: usize) {
        let first = low / STRIDE;
        if (first + 1) * STRIDE > high {
            return;
        }
        self.scratch.copy_from(&self.states[first]);
        for at in first * STRIDE..=high {
            if at.is_multiple_of(STRIDE) && at > low {
                self.states[at / STRIDE].copy_from(&self.scratch);
            }
            self.scratch.eliminate(self.order[at]);
            self.work += 1;
        }
    }
}

impl<const W: usize, const K: usize> Anneal for Annealer<W, K> {
    fn best(&self) -> &[usize] {
        &self.best
    }

    fn current(&self) -> &[usize] {
        &self.order
    }

    fn best_cost(&self) -> u64 {
        self.best_energy / self.scale()
    }

    fn work(&self) -> u64 {
        self.work
    }

    fn restart(&mut self, order: &[usize]) {
        self.order.clear();
        self.order.extend_from_slice(order);
        for (place, vertex) in order.iter().enumerate() {
            self.position[*vertex] = place;
        }
        self.refresh(0, order.len());
        self.work += order.len() as u64;
        self.energy = self.energy_with(0..0, &[]);
        self.keep_best();
    }

    fn run(
        &mut self,
        schedule: &Schedule,
        rng: &mut Rng,
        is_over: &mut dyn FnMut(u64, u64) -> bool,
    ) {
        let first = self.work;
        let mut temperature = schedule.hot;
        for step in 0_u64.. {
            let done = self.work - first;
            if done >= schedule.work || self.order.len() < 2 {
                break;
            }
            if step.is_multiple_of(64) {
                if step.is_multiple_of(1024) && is_over(self.best_cost(), self.work) {
                    break;
                }
                // Both are small enough that the rounding of the conversion does not matter.
                let part = done as f64 / schedule.work as f64;
                temperature = schedule.hot * (schedule.cold / schedule.hot).powf(part);
            }
            // Even a move that is given up at once costs time.
            self.work += 1;
            self.attempt(temperature, rng);
        }
    }
}

/// The vertices at most two edges away: eliminating what lies between makes them neighbours.
fn wider(near: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let around = |v: usize| {
        let mut all = near[v].clone();
        for u in &near[v] {
            // Hubs would make everything a neighbour of everything.
            if near[*u].len() <= 8 {
                all.extend(near[*u].iter().filter(|w| **w != v));
            }
        }
        // Those that are near in several ways are tried as often.
        all
    };
    (0..near.len()).map(around).collect()
}

/// The whole part of what is not negative.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturates"
)]
fn whole(x: f64) -> u64 {
    x as u64
}
