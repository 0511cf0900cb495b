//! Branch and bound over bracketings and schedules together.
//!
//! Time runs backwards (see `bounds.rs`). A state is a set of disjoint parts, each with the time from which it may start, and
//! the times from which workers are free. A move starts one part by one of its steps; starts never decrease. States are cut
//! where the parts need more work in the time left than the workers can do, and where a state with the same parts was seen
//! that is nowhere later.
//!
//! Invariant: whatever is cut has no schedule shorter than the best known one, or one seen elsewhere that is as short.
//! Source: Giffler & Thompson 1960 (which tasks may start next); the bounds and the memory of states are this project's.

use std::collections::HashMap;

use smallvec::SmallVec;

use super::bounds::Table;
use super::plan::Limits;

/// A part that has not started, and the time from which it may.
type Open = SmallVec<[(u16, u64); 10]>;
/// The times from which workers are free, increasing.
type Free = SmallVec<[u64; 8]>;

/// About 100 MB of states; the memory is forgotten when it is full.
const MOST_REMEMBERED: usize = 500_000;

/// A part, the step chosen for it, and its start, backwards from the end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Start {
    pub(super) part: usize,
    pub(super) step: usize,
    pub(super) time: u64,
}

/// What a search found.
#[derive(Debug)]
pub(super) struct Outcome {
    /// The shortest makespan found or known before.
    pub(super) best: u64,
    /// The starts of a schedule of that length, if it is shorter than what was known.
    pub(super) starts: Option<Vec<Start>>,
    /// Nothing is shorter.
    pub(super) is_complete: bool,
}

/// Looks for a schedule of a part that is shorter than `known`, in at most `share` states.
pub(super) fn search(
    table: &Table,
    part: usize,
    workers: usize,
    known: u64,
    share: u64,
    limits: &mut Limits,
) -> Outcome {
    let mut search = Search {
        table,
        limits,
        best: known,
        left: share,
        is_cut: false,
        path: Vec::new(),
        starts: None,
        seen: HashMap::new(),
        remembered: 0,
    };
    let open = u16::try_from(part).map(|part| Open::from_slice(&[(part, 0)]));
    match open {
        Ok(open) => search.descend(&open, &SmallVec::from_elem(0, workers)),
        Err(_) => search.is_cut = true,
    }
    Outcome {
        best: search.best,
        starts: search.starts,
        is_complete: !search.is_cut,
    }
}

/// A move and the state after it.
struct Move {
    start: Start,
    /// The room that workers have beyond the work that is needed.
    room: u128,
    open: Open,
    free: Free,
}

struct Search<'a> {
    table: &'a Table,
    limits: &'a mut Limits,
    best: u64,
    left: u64,
    is_cut: bool,
    path: Vec<Start>,
    starts: Option<Vec<Start>>,
    seen: HashMap<SmallVec<[u16; 10]>, Vec<SmallVec<[u64; 16]>>>,
    remembered: usize,
}

impl Search<'_> {
    fn descend(&mut self, open: &Open, free: &Free) {
        if self.left == 0 || !self.limits.may_go_on() {
            self.is_cut = true;
            return;
        }
        self.left -= 1;
        for next in self.moves(open, free) {
            // The best may have improved since the moves were listed.
            if self.room(&next.open, &next.free).is_none() {
                continue;
            }
            self.path.push(next.start);
            if next.open.is_empty() {
                self.best = next.free.last().copied().unwrap_or(0);
                self.starts = Some(self.path.clone());
            } else if self.is_new(&next.open, &next.free) {
                self.descend(&next.open, &next.free);
            }
            self.path.pop();
            if self.is_cut {
                return;
            }
        }
    }

    /// The moves that may lead to something better: earlier starts first, then those that leave most room.
    fn moves(&self, open: &Open, free: &Free) -> Vec<Move> {
        let first = free[0];
        let entry = |part: u16| &self.table.entries[usize::from(part)];
        // A part that cannot end later than another starts can be done before, whichever way it is done.
        let ends = open.iter().map(|(part, from)| {
            let start = (*from).max(first);
            start.saturating_add(entry(*part).dearest)
        });
        let horizon = ends.min().unwrap_or(u64::MAX);
        let mut moves: Vec<Move> = Vec::new();
        for (k, (part, from)) in open.iter().enumerate() {
            let time = (*from).max(first);
            if time > first && time >= horizon {
                continue;
            }
            let entry = entry(*part);
            for (number, step) in entry.steps.iter().enumerate() {
                let end = match time.checked_add(step.cost) {
                    Some(end) if end < self.best => end,
                    _ => continue,
                };
                let mut open = open.clone();
                open.swap_remove(k);
                open.extend(
                    entry.rests[number]
                        .iter()
                        .flatten()
                        .map(|part| (*part, end)),
                );
                let mut free = free.clone();
                free[0] = end;
                normalize(&mut open, &mut free, time);
                if let Some(room) = self.room(&open, &free) {
                    let start = Start {
                        part: usize::from(*part),
                        step: number,
                        time,
                    };
                    moves.push(Move {
                        start,
                        room,
                        open,
                        free,
                    });
                }
            }
        }
        moves.sort_by(|a, b| (a.start.time, b.room).cmp(&(b.start.time, a.room)));
        moves
    }

    /// The room that workers have before the best known end, beyond the work that the parts need; `None` if there is none.
    fn room(&self, open: &Open, free: &Free) -> Option<u128> {
        let end = self.best.checked_sub(1)?;
        if free.last().is_some_and(|last| *last > end) {
            return None;
        }
        let mut work = 0_u128;
        // When one more task can run, whichever part it belongs to.
        let mut ramp: SmallVec<[u64; 32]> = SmallVec::new();
        for (part, from) in open {
            let entry = &self.table.entries[usize::from(*part)];
            work += u128::from(entry.work_within(end.checked_sub(*from)?)?);
            let at = entry.ramp.iter().skip(1).map(|at| from.saturating_add(*at));
            ramp.extend(at.take_while(|at| *at < end));
        }
        ramp.sort_unstable();
        let pairs = ramp.iter().zip(free);
        let used = pairs.map(|(at, free)| end - (*at).max(*free));
        let room: u128 = used.map(u128::from).sum();
        room.checked_sub(work)
    }

    /// Whether no state seen before has the same parts and is nowhere later; remembers this one.
    fn is_new(&mut self, open: &Open, free: &Free) -> bool {
        if self.remembered >= MOST_REMEMBERED {
            self.seen.clear();
            self.remembered = 0;
        }
        let parts = open.iter().map(|(part, _)| *part).collect();
        let times: SmallVec<[u64; 16]> = open
            .iter()
            .map(|o| o.1)
            .chain(free.iter().copied())
            .collect();
        let states = self.seen.entry(parts).or_default();
        let is_below = |a: &[u64], b: &[u64]| a.iter().zip(b).all(|(a, b)| a <= b);
        if states.iter().any(|old| is_below(old, &times)) {
            return false;
        }
        let before = states.len();
        states.retain(|old| !is_below(&times, old));
        self.remembered -= before - states.len();
        states.push(times);
        self.remembered += 1;
        true
    }
}

/// Raises all times to the earliest at which anything can happen, and sorts: equal situations become equal states.
fn normalize(open: &mut Open, free: &mut Free, now: u64) {
    let next = open.iter().map(|(_, from)| *from).min().unwrap_or(0);
    let now = next.max(now);
    free.iter_mut().for_each(|time| *time = (*time).max(now));
    free.sort_unstable();
    let first = free[0];
    open.iter_mut()
        .for_each(|(_, from)| *from = (*from).max(first));
    open.sort_unstable();
}
