//! [`Table`]: for every part of a chain, how much work it needs at least within a given time, and how soon it can keep
//! several workers busy.
//!
//! Time runs backwards here: the last task comes first, and its operands are free to start where it ends. Then the choices of
//! a part are open until it starts, and a search can decide on brackets and times together.
//!
//! Invariant: no schedule of a part that fits `time` does less work than `work_within(time)`, and none has `p` tasks at once
//! before `ramp[p]`.
//! Source: this project; the fronts are dynamic programming over parts for two goals at once.

use super::bracketing::Bracketing;
use super::matrix_free::{Part, Step};

/// Longer fronts are thinned, which weakens the bound but keeps it valid; chains of 30 elements stay below.
const LONGEST_FRONT: usize = 1024;

/// The parts that a step leaves to do.
pub(super) type Rest = [Option<u16>; 2];

/// What is known of one part.
#[derive(Clone, Debug, Default)]
pub(super) struct Entry {
    pub(super) steps: Vec<Step>,
    /// The parts of each step, as numbers of entries.
    pub(super) rests: Vec<Rest>,
    /// Pairs of time and least work within that time: times increase, work decreases.
    front: Vec<(u64, u64)>,
    /// `ramp[p]`: the earliest time at which `p` tasks can run at once.
    pub(super) ramp: Vec<u64>,
    /// The cost of the dearest step.
    pub(super) dearest: u64,
}

impl Entry {
    /// The least work of all ways that take at most `time`; `None` if there is no way.
    pub(super) fn work_within(&self, time: u64) -> Option<u64> {
        let after = self.front.partition_point(|point| point.0 <= time);
        Some(self.front[after.checked_sub(1)?].1)
    }

    /// The points of the front.
    pub(super) fn front(&self) -> &[(u64, u64)] {
        &self.front
    }

    /// Notes that no schedule of this part is shorter than `time`.
    pub(super) fn raise(&mut self, time: u64) {
        let early = self.front.partition_point(|point| point.0 < time);
        let Some(last) = early.checked_sub(1) else {
            return;
        };
        if self.front.get(early).is_none_or(|point| point.0 > time) {
            self.front[last].0 = time;
            self.front.drain(..last);
        } else {
            self.front.drain(..early);
        }
    }

    /// The smallest makespan that the work and the ramp allow on their own, at most `above`.
    pub(super) fn makespan_bound(&self, above: u64) -> u64 {
        let Some((shortest, _)) = self.front.first() else {
            return above;
        };
        let has_room = |end: u64| {
            let used = self.ramp.iter().skip(1).map(|at| end.saturating_sub(*at));
            let room: u128 = used.map(u128::from).sum();
            self.work_within(end)
                .is_some_and(|work| u128::from(work) <= room)
        };
        let (mut low, mut high) = (*shortest, above);
        while low < high {
            let middle = low + (high - low) / 2;
            if has_room(middle) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        high
    }
}

/// The entries of all parts, for a number of workers.
#[derive(Clone, Debug)]
pub(super) struct Table {
    length: usize,
    workers: usize,
    pub(super) entries: Vec<Entry>,
}

impl Table {
    /// A table whose entries have steps but no bounds yet.
    pub(super) fn new(length: usize, workers: usize, steps: impl Fn(Part) -> Vec<Step>) -> Self {
        let mut entries = vec![Entry::default(); length * length];
        let number = |(i, j): Part| u16::try_from(i * length + j).ok();
        for i in 0..length {
            for j in i..length {
                let entry = &mut entries[i * length + j];
                entry.steps = steps((i, j));
                let rest = |step: &Step| step.parts.map(|part| part.and_then(number));
                entry.rests = entry.steps.iter().map(rest).collect();
                let costs = entry.steps.iter().map(|step| step.cost);
                entry.dearest = costs.max().unwrap_or(0);
            }
        }
        Self {
            length,
            workers,
            entries,
        }
    }

    /// The number of a part.
    pub(super) fn number(&self, (i, j): Part) -> usize {
        i * self.length + j
    }

    /// Computes the bounds of a part from those of the parts inside it.
    pub(super) fn bound(&mut self, part: Part) {
        let number = self.number(part);
        let mut points: Vec<(u64, u64)> = Vec::new();
        let mut ramp = vec![u64::MAX; self.workers + 1];
        ramp[0] = 0;
        ramp[1] = 0;
        let entry = &self.entries[number];
        for (step, rest) in entry.steps.iter().zip(&entry.rests) {
            let [a, b] = rest.map(|part| part.map(|part| &self.entries[usize::from(part)]));
            let mut push = |time: u64, work: Option<u64>| {
                let time = time.checked_add(step.cost);
                points.extend(time.zip(work.and_then(|w| w.checked_add(step.cost))));
            };
            match (a, b) {
                (Some(a), Some(b)) => {
                    for time in a.front.iter().chain(&b.front).map(|point| point.0) {
                        if let Some((a, b)) = a.work_within(time).zip(b.work_within(time)) {
                            push(time, a.checked_add(b));
                        }
                    }
                }
                (Some(a), None) | (None, Some(a)) => {
                    a.front
                        .iter()
                        .for_each(|point| push(point.0, Some(point.1)));
                }
                (None, None) => push(0, Some(0)),
            }
            let of = |entry: Option<&Entry>, p: usize| match entry {
                Some(entry) => entry.ramp[p],
                None if p == 0 => 0,
                None => u64::MAX,
            };
            for (p, at) in ramp.iter_mut().enumerate().skip(2) {
                for left in 0..=p {
                    let both = of(a, left).max(of(b, p - left));
                    *at = (*at).min(both.saturating_add(step.cost));
                }
            }
        }
        points.sort_unstable();
        let mut front: Vec<(u64, u64)> = Vec::new();
        for point in points {
            if front.last().is_none_or(|last| point.1 < last.1) {
                front.push(point);
            }
        }
        let entry = &mut self.entries[number];
        entry.front = thinned(front);
        entry.ramp = ramp;
    }

    /// A bracketing of the whole chain with little work and a critical path of about `time`.
    pub(super) fn bracketing(&self, time: u64) -> Bracketing {
        let root = (0, self.length - 1);
        let mut times = vec![0; self.entries.len()];
        times[self.number(root)] = time;
        Bracketing::build(root, |part| {
            let number = self.number(part);
            let entry = &self.entries[number];
            // The work of a step within the time that is left, else how long it takes at least.
            let value = |k: usize| {
                let left = times[number].saturating_sub(entry.steps[k].cost);
                let operands = entry.rests[k].iter().flatten();
                let mut late = 0;
                let mut work = entry.steps[k].cost;
                for operand in operands {
                    let operand = &self.entries[usize::from(*operand)];
                    match operand.work_within(left) {
                        Some(more) => work = work.saturating_add(more),
                        None => {
                            let first = operand.front.first().map_or(u64::MAX, |point| point.0);
                            late = late.max(first.saturating_add(entry.steps[k].cost));
                        }
                    }
                }
                (late, work)
            };
            let best = (0..entry.steps.len())
                .min_by_key(|k| value(*k))
                .unwrap_or(0);
            let left = times[number].saturating_sub(entry.steps[best].cost);
            for operand in entry.rests[best].iter().flatten() {
                times[usize::from(*operand)] = left;
            }
            entry.steps[best]
        })
    }
}

/// A front of admissible length: neighbours become one point with the time of the first and the work of the last.
fn thinned(front: Vec<(u64, u64)>) -> Vec<(u64, u64)> {
    if front.len() <= LONGEST_FRONT {
        return front;
    }
    let group = front.len().div_ceil(LONGEST_FRONT);
    let joined = front.chunks(group);
    joined
        .map(|points| (points[0].0, points[points.len() - 1].1))
        .collect()
}
