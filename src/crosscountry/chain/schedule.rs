//! [`Schedule`]: who does which task when.
//!
//! Invariant: a task starts when its operands are there and its worker is free; no worker does two things at once.
//! Source: Graham 1966 (list scheduling); Hu 1961 (priority by the path to the root).

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use serde::{Deserialize, Serialize};

use super::bracketing::Bracketing;
use crate::error::Error;

/// A task on its worker, in multiplications since the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// The task, as numbered by [`Bracketing::tasks`].
    pub task: usize,
    /// The worker, from 0.
    pub worker: usize,
    /// When it starts.
    pub start: u64,
    /// When it ends.
    pub end: u64,
}

/// All tasks of a bracketing on their workers: the bars of a Gantt chart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// The number of workers that do something.
    pub workers: usize,
    /// When the last task ends.
    pub makespan: u64,
    /// The tasks by their start.
    pub slots: Vec<Slot>,
}

impl Schedule {
    /// The tasks in a given order, operands first: each as soon as its operands and a worker allow.
    fn in_order(bracketing: &Bracketing, order: &[usize], workers: usize) -> Self {
        let tasks = bracketing.tasks();
        let mut ends = vec![0_u64; tasks.len()];
        let mut free: Vec<u64> = Vec::new();
        let mut slots = Vec::with_capacity(tasks.len());
        for &task in order {
            let operands = &tasks[task].operands;
            let ready = operands.iter().map(|o| ends[*o]).max().unwrap_or(0);
            // The worker who is idle for the shortest time; a new one if all are busy.
            let idle = (0..free.len()).filter(|w| free[*w] <= ready);
            let worker = match idle.max_by_key(|w| (free[*w], Reverse(*w))) {
                Some(worker) => worker,
                None if free.len() < workers => {
                    free.push(0);
                    free.len() - 1
                }
                None => (0..workers).min_by_key(|w| (free[*w], *w)).unwrap_or(0),
            };
            let start = ready.max(free[worker]);
            let end = start.saturating_add(tasks[task].cost);
            free[worker] = end;
            ends[task] = end;
            slots.push(Slot {
                task,
                worker,
                start,
                end,
            });
        }
        slots.sort_by_key(|slot| (slot.start, slot.task));
        Self {
            workers: free.len(),
            makespan: free.into_iter().max().unwrap_or(0),
            slots,
        }
    }

    /// The tasks in the order of the given starts, none later than there.
    pub(super) fn from_starts(bracketing: &Bracketing, starts: &[u64], workers: usize) -> Self {
        let mut order: Vec<usize> = (0..starts.len()).collect();
        // Operands have smaller numbers, which decides between them and a user if they take no time.
        order.sort_by_key(|task| (starts[*task], *task));
        Self::in_order(bracketing, &order, workers)
    }

    /// List scheduling: whoever is free takes the ready task with the longest path to the root.
    pub(super) fn list(bracketing: &Bracketing, workers: usize) -> Self {
        let tasks = bracketing.tasks();
        let parents = bracketing.parents();
        let mut path = vec![0_u64; tasks.len()];
        for task in (0..tasks.len()).rev() {
            let above = parents[task].map_or(0, |p| path[p]);
            path[task] = above.saturating_add(tasks[task].cost);
        }
        let mut missing: Vec<usize> = tasks.iter().map(|t| t.operands.len()).collect();
        let leaves = (0..tasks.len()).filter(|t| missing[*t] == 0);
        let mut ready: BinaryHeap<(u64, Reverse<usize>)> =
            leaves.map(|t| (path[t], Reverse(t))).collect();
        let mut running: BinaryHeap<Reverse<(u64, usize)>> = BinaryHeap::new();
        let (mut now, mut starts) = (0_u64, vec![0; tasks.len()]);
        loop {
            while running.len() < workers {
                let Some((_, Reverse(task))) = ready.pop() else {
                    break;
                };
                starts[task] = now;
                running.push(Reverse((now.saturating_add(tasks[task].cost), task)));
            }
            let Some(Reverse((end, task))) = running.pop() else {
                break;
            };
            now = end;
            if let Some(parent) = parents[task] {
                missing[parent] -= 1;
                if missing[parent] == 0 {
                    ready.push((path[parent], Reverse(parent)));
                }
            }
        }
        Self::from_starts(bracketing, &starts, workers)
    }

    /// Checks that this is a schedule of the bracketing's tasks for that many workers.
    ///
    /// **Cost**: O(tasks log tasks).
    ///
    /// # Errors
    /// `InvalidChain` with the number of the task that is missing, doubled, too early, of the wrong length, or on a busy worker.
    ///
    /// ```
    /// use wengert::crosscountry::chain::{Chain, ChainOptions};
    /// let options = ChainOptions { workers: 2, ..ChainOptions::default() };
    /// let plan = Chain::dense(&[50, 50, 1, 50, 50]).plan(&options)?;
    /// assert!(plan.schedule.verify(&plan.bracketing, 2).is_ok());
    /// assert!(plan.schedule.verify(&plan.bracketing, 1).is_err());
    /// # Ok::<(), wengert::Error>(())
    /// ```
    ///
    /// **Source**: the definition.
    pub fn verify(&self, bracketing: &Bracketing, workers: usize) -> Result<(), Error> {
        let tasks = bracketing.tasks();
        let wrong = |index, what| Err(Error::InvalidChain { index, what });
        let mut of_task: Vec<Option<Slot>> = vec![None; tasks.len()];
        for slot in &self.slots {
            match of_task.get_mut(slot.task) {
                Some(place @ None) => *place = Some(*slot),
                _ => return wrong(slot.task, "this task is not there, or scheduled twice"),
            }
            if slot.worker >= workers {
                return wrong(slot.task, "its worker does not exist");
            }
            if slot.start.checked_add(tasks[slot.task].cost) != Some(slot.end) {
                return wrong(slot.task, "its time is not its cost");
            }
        }
        for (task, slot) in of_task.iter().enumerate() {
            let Some(slot) = slot else {
                return wrong(task, "this task is not scheduled");
            };
            let ends = tasks[task].operands.iter();
            if ends.filter_map(|o| of_task[*o]).any(|o| o.end > slot.start) {
                return wrong(task, "it starts before its operands are there");
            }
        }
        let mut bars: Vec<Slot> = self.slots.clone();
        bars.sort_by_key(|slot| (slot.worker, slot.start, slot.end));
        for pair in bars.windows(2) {
            if pair[0].worker == pair[1].worker && pair[0].end > pair[1].start {
                return wrong(pair[1].task, "its worker is busy");
            }
        }
        let end = self.slots.iter().map(|slot| slot.end).max().unwrap_or(0);
        if end != self.makespan {
            return wrong(tasks.len().saturating_sub(1), "the makespan is not the end");
        }
        Ok(())
    }
}
