//! [`Chain::plan`]: options, status, and the plan.
//!
//! Invariant: `lower_bound <= best`, and the status is `Optimal` only if they are equal.
//! Source: Maertens & Naumann, ACDA 2025 (the problem); EDGE_CASES e94 to e96 (what happens at the limits).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::bounds::Table;
use super::bracketing::{Bracketing, TaskKind};
use super::heuristics::Divided;
use super::matrix_free::{Chain, Part, Step};
use super::schedule::Schedule;
use super::search::{Start, search};
use crate::crosscountry::budget::StoppedBy;
use crate::crosscountry::exact::Status;
use crate::error::Error;

/// Longer chains get the heuristics and the simple bounds only: tables of parts would take gigabytes.
const LONGEST_SEARCHED: usize = 64;

/// States per part inside the chain; nearly all parts of the published chains need less, and the others cost time that the
/// whole chain needs more.
const SHARE_OF_PART: u64 = 20_000;

/// At most so many points of the whole chain's front become bracketings that list scheduling tries.
const MOST_TRIED: usize = 32;

/// What a plan may use.
///
/// ```
/// use wengert::crosscountry::chain::ChainOptions;
/// let options = ChainOptions::default();
/// assert_eq!((options.workers, options.evaluations), (1, Some(2_000_000)));
/// ```
#[derive(Clone, Debug)]
pub struct ChainOptions {
    /// The number of workers; 0 for as many as are of use.
    pub workers: usize,
    /// The edges that a recording may have; `None` for any number.
    pub memory: Option<u64>,
    /// A limit on the time, which makes plans depend on the machine where it is reached; `None` for none.
    pub seconds: Option<f64>,
    /// A limit on the states that the search looks at, the same on every machine; `None` for none.
    pub evaluations: Option<u64>,
    /// Stops the search when it becomes true; the best plan so far is returned.
    pub interrupt: Option<Arc<AtomicBool>>,
}

impl Default for ChainOptions {
    /// One worker, any memory, two million states (a few seconds).
    fn default() -> Self {
        Self {
            workers: 1,
            memory: None,
            seconds: None,
            evaluations: Some(2_000_000),
            interrupt: None,
        }
    }
}

/// How to compute the Jacobian of a chain, by whom, and how good that is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainPlan {
    /// The makespan in multiplications: when the last task ends.
    pub best: u64,
    /// No schedule ends earlier.
    pub lower_bound: u64,
    /// The cost of tangents only; `None` beyond 2^64.
    pub forward: Option<u64>,
    /// The cost of adjoints only; `None` beyond 2^64, or if a recording exceeds the memory.
    pub reverse: Option<u64>,
    /// The tree of tasks.
    pub bracketing: Bracketing,
    /// Who does which task when.
    pub schedule: Schedule,
    /// Why the search ended.
    pub stopped_by: StoppedBy,
    /// The states that the search looked at.
    pub evaluations: u64,
}

impl ChainPlan {
    /// How good the plan is known to be.
    #[must_use]
    pub fn status(&self) -> Status {
        if self.is_optimal() {
            return Status::Optimal;
        }
        Status::Feasible {
            gap: self.best - self.lower_bound,
        }
    }

    /// Whether no plan is better.
    #[must_use]
    pub fn is_optimal(&self) -> bool {
        self.lower_bound >= self.best
    }

    /// Recounts the plan from the chain: every task's cost, the tree, the schedule, the makespan.
    ///
    /// **Cost**: O(q log q) for q elements.
    ///
    /// # Errors
    /// `InvalidChain` with the number of the task that is wrong.
    ///
    /// ```
    /// use wengert::crosscountry::chain::{Chain, ChainOptions, Element};
    /// let chain = Chain::new(vec![Element::from([3, 2, 9]), Element::from([2, 1, 7])])?;
    /// let options = ChainOptions::default();
    /// let mut plan = chain.plan(&options)?;
    /// assert_eq!((plan.best, plan.bracketing.to_string().as_str()), (16, "(F0<J1)"));
    /// plan.verify(&chain, &options)?;
    /// plan.best -= 1;
    /// assert!(plan.verify(&chain, &options).is_err());
    /// # Ok::<(), wengert::Error>(())
    /// ```
    ///
    /// **Source**: the cost model of Maertens & Naumann, ACDA 2025.
    pub fn verify(&self, chain: &Chain, options: &ChainOptions) -> Result<(), Error> {
        let tasks = self.bracketing.tasks();
        let wrong = |index, what| Err(Error::InvalidChain { index, what });
        let elements = chain.elements();
        if let Some(last) = elements.len().checked_sub(1) {
            let root = tasks.last().map(|task| (task.first, task.last));
            if root != Some((0, last)) {
                return wrong(tasks.len(), "the root is not the whole chain");
            }
        }
        for (index, task) in tasks.iter().enumerate() {
            let below = task.operands.iter().filter(|o| **o < index);
            let parts: Vec<Part> = below.map(|o| (tasks[*o].first, tasks[*o].last)).collect();
            if parts.len() != task.operands.len() || task.last >= elements.len() {
                return wrong(index, "an operand or an element does not exist");
            }
            let (first, last) = (&elements[task.first], &elements[task.last]);
            let is_recorded = |edges: u64| options.memory.is_none_or(|memory| edges <= memory);
            let cost = match (task.kind, &*parts) {
                (TaskKind::Given, []) if chain.is_dense() && task.first == task.last => Some(0),
                (TaskKind::Accumulate, []) if !chain.is_dense() && task.first == task.last => {
                    let directions = if is_recorded(first.edges) {
                        first.inputs.min(first.outputs)
                    } else {
                        first.inputs
                    };
                    directions.checked_mul(first.edges)
                }
                (TaskKind::Product, [(i, k), (l, j)])
                    if (*i, *j, k + 1) == (task.first, task.last, *l) =>
                {
                    let rows = u128::from(last.outputs);
                    let middle = u128::from(elements[*k].outputs);
                    let cost = rows * middle;
                    let cost = cost.checked_mul(u128::from(first.inputs));
                    cost.and_then(|cost| u64::try_from(cost).ok())
                }
                (TaskKind::Tangent, [(i, j)])
                    if !chain.is_dense() && (*i, j + 1) == (task.first, task.last) =>
                {
                    first.inputs.checked_mul(last.edges)
                }
                (TaskKind::Adjoint, [(i, j)])
                    if !chain.is_dense()
                        && (*i, *j) == (task.first + 1, task.last)
                        && is_recorded(first.edges) =>
                {
                    last.outputs.checked_mul(first.edges)
                }
                _ => return wrong(index, "its operands do not make its result"),
            };
            if cost != Some(task.cost) {
                return wrong(index, "its cost is not that of the cost model");
            }
        }
        let workers = chain.workers(options);
        self.schedule.verify(&self.bracketing, workers)?;
        if self.best != self.schedule.makespan || self.lower_bound > self.best {
            return wrong(tasks.len(), "best is not the makespan, or below its bound");
        }
        Ok(())
    }
}

impl Chain {
    /// The fastest bracketing and schedule that the limits allow to find.
    ///
    /// **Cost**: O(q^3) for one worker and for at least q workers, which is exact. Else branch and bound, usually milliseconds
    /// for ten elements and seconds for thirty; chains above 64 elements get heuristics and bounds only.
    ///
    /// # Errors
    /// `CostOverflow` if the best cost of one worker is beyond 2^64.
    ///
    /// ```
    /// use wengert::crosscountry::chain::{Chain, ChainOptions, Element};
    /// let chain = Chain::new(vec![
    ///     Element { inputs: 268, outputs: 173, edges: 15_162 },
    ///     Element { inputs: 173, outputs: 190, edges: 76_665 },
    ///     Element { inputs: 190, outputs: 416, edges: 77_374 },
    ///     Element { inputs: 416, outputs: 108, edges: 27_642 },
    ///     Element { inputs: 108, outputs: 264, edges: 94_710 },
    ///     Element { inputs: 264, outputs: 318, edges: 95_965 },
    /// ])?;
    /// let of = |workers| chain.plan(&ChainOptions { workers, ..ChainOptions::default() });
    /// assert_eq!((of(1)?.best, of(3)?.best), (50_977_476, 29_797_092));
    /// # Ok::<(), wengert::Error>(())
    /// ```
    ///
    /// **Source**: Maertens & Naumann, ACDA 2025, for the problem; the bounds and the search are this project's.
    pub fn plan(&self, options: &ChainOptions) -> Result<ChainPlan, Error> {
        let memory = options.memory;
        let serial = self.serial(memory).ok_or(Error::CostOverflow)?;
        let fastest = self.unlimited(memory).ok_or(Error::CostOverflow)?;
        let workers = self.workers(options);
        if workers == 1 {
            return Ok(self.exact(serial, workers, options));
        }
        if workers >= self.elements().len() {
            return Ok(self.exact(fastest, workers, options));
        }
        let mut planner = Planner::new(self, options, [serial, fastest]);
        planner.improve(|part| self.steps(part, memory), true);
        Ok(planner.finish())
    }

    /// The fastest schedule of a given bracketing.
    ///
    /// **Shape**: a bracketing of this chain. **Cost**: branch and bound over schedules, usually microseconds.
    ///
    /// # Errors
    /// `InvalidChain` if a task is none of this chain; `CostOverflow` as [`plan`](Self::plan).
    ///
    /// ```
    /// use wengert::crosscountry::chain::{Chain, ChainOptions};
    /// let chain = Chain::dense(&[50, 50, 1, 50, 50]);
    /// let brackets = chain.plan(&ChainOptions::default())?.bracketing;
    /// let options = ChainOptions { workers: 2, ..ChainOptions::default() };
    /// assert_eq!(chain.schedule(&brackets, &options)?.best, 5000);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    ///
    /// **Source**: Giffler & Thompson 1960.
    pub fn schedule(
        &self,
        bracketing: &Bracketing,
        options: &ChainOptions,
    ) -> Result<ChainPlan, Error> {
        let q = self.elements().len();
        let mut chosen: Vec<Option<Step>> = vec![None; q * q];
        let tasks = bracketing.tasks();
        for (index, task) in tasks.iter().enumerate() {
            let operand = |k: usize| {
                let operand = tasks.get(*task.operands.get(k)?)?;
                Some((operand.first, operand.last))
            };
            let step = Step {
                kind: task.kind,
                cost: task.cost,
                parts: [operand(0), operand(1)],
            };
            let part = (task.first, task.last);
            let exists = task.first <= task.last && task.last < q;
            if !exists || !self.steps(part, options.memory).contains(&step) {
                return Err(Error::InvalidChain {
                    index,
                    what: "this task is no step of the chain",
                });
            }
            chosen[task.first * q + task.last] = Some(step);
        }
        let root = tasks.last().map(|task| (task.first, task.last));
        if root != q.checked_sub(1).map(|last| (0, last)) {
            return Err(Error::InvalidChain {
                index: tasks.len(),
                what: "the root is not the whole chain",
            });
        }
        let fixed = [bracketing.clone(), bracketing.clone()];
        let mut planner = Planner::new(self, options, fixed);
        planner.improve(|(i, j)| chosen[i * q + j].into_iter().collect(), false);
        Ok(planner.finish())
    }

    /// The number of workers that can be of use.
    fn workers(&self, options: &ChainOptions) -> usize {
        let useful = self.elements().len().max(1);
        match options.workers {
            0 => useful,
            workers => workers.min(useful),
        }
    }

    /// A plan that is optimal by its making.
    fn exact(&self, bracketing: Bracketing, workers: usize, options: &ChainOptions) -> ChainPlan {
        let schedule = Schedule::list(&bracketing, workers);
        ChainPlan {
            best: schedule.makespan,
            lower_bound: schedule.makespan,
            forward: self.forward().ok(),
            reverse: self.reverse(options.memory).ok().flatten(),
            bracketing,
            schedule,
            stopped_by: StoppedBy::Proof,
            evaluations: 0,
        }
    }
}

/// The limits of a search, and what was used of them.
#[derive(Debug)]
pub(super) struct Limits {
    evaluations: Option<u64>,
    half: Option<Instant>,
    deadline: Option<Instant>,
    interrupt: Option<Arc<AtomicBool>>,
    used: u64,
    stopped: Option<StoppedBy>,
}

impl Limits {
    fn new(options: &ChainOptions) -> Self {
        let now = Instant::now();
        // A time that is no duration (negative, NaN) is none; one beyond all clocks is no limit.
        let seconds = options.seconds.map(|s| if s > 0.0 { s } else { 0.0 });
        let at = |s: f64| now.checked_add(Duration::try_from_secs_f64(s).ok()?);
        Self {
            evaluations: options.evaluations,
            half: seconds.and_then(|s| at(s * 0.5)),
            deadline: seconds.and_then(at),
            interrupt: options.interrupt.clone(),
            used: 0,
            stopped: None,
        }
    }

    /// Counts a state; false once a limit is reached.
    pub(super) fn may_go_on(&mut self) -> bool {
        if self.evaluations.is_some_and(|most| self.used >= most) {
            self.stopped = Some(StoppedBy::Work);
        }
        // Reading the clock takes as long as a tenth of a state.
        if self.used.is_multiple_of(64) {
            self.look();
        }
        if self.stopped.is_none() {
            self.used += 1;
        }
        self.stopped.is_none()
    }

    /// Looks at the clock and the interrupt.
    fn look(&mut self) {
        let stop = |flag: &Arc<AtomicBool>| flag.load(Ordering::Relaxed);
        if self.interrupt.as_ref().is_some_and(stop) {
            self.stopped = Some(StoppedBy::Interrupt);
        } else if is_past(self.deadline) {
            self.stopped = Some(StoppedBy::Time);
        }
    }
}

fn is_past(time: Option<Instant>) -> bool {
    time.is_some_and(|time| Instant::now() >= time)
}

/// The best plan so far, and what bounds it.
struct Planner<'a> {
    chain: &'a Chain,
    options: &'a ChainOptions,
    workers: usize,
    bracketing: Bracketing,
    schedule: Schedule,
    lower_bound: u64,
    limits: Limits,
}

impl<'a> Planner<'a> {
    /// Starts with the bracketings that are best for one and for unlimited workers.
    fn new(chain: &'a Chain, options: &'a ChainOptions, exact: [Bracketing; 2]) -> Self {
        let workers = chain.workers(options);
        let [serial, fastest] = exact;
        let divisor = u64::try_from(workers).unwrap_or(u64::MAX);
        let by_work = serial.cost().div_ceil(divisor);
        let mut planner = Self {
            chain,
            options,
            workers,
            schedule: Schedule::list(&serial, workers),
            lower_bound: by_work.max(fastest.critical_path()),
            bracketing: serial,
            limits: Limits::new(options),
        };
        planner.attempt(fastest);
        planner
    }

    /// Keeps a bracketing if list scheduling makes it the best.
    fn attempt(&mut self, bracketing: Bracketing) {
        let schedule = Schedule::list(&bracketing, self.workers);
        if schedule.makespan < self.schedule.makespan {
            self.schedule = schedule;
            self.bracketing = bracketing;
        }
    }

    fn is_proven(&self) -> bool {
        self.schedule.makespan <= self.lower_bound
    }

    /// Heuristics, then the parts of the chain from the shortest on, and the whole chain last.
    fn improve(&mut self, steps: impl Fn(Part) -> Vec<Step>, is_free: bool) {
        let q = self.chain.elements().len();
        if self.is_proven() || q > LONGEST_SEARCHED {
            return;
        }
        let divided = is_free.then(|| Divided::new(self.chain, self.options.memory, self.workers));
        for bracketing in divided.iter().flat_map(Divided::bracketings) {
            self.attempt(bracketing);
        }
        let mut table = Table::new(q, self.workers, steps);
        // Shortest known makespans of parts.
        let mut known: Vec<Option<u64>> = vec![None; q * q];
        let parts = u64::try_from(q * q).unwrap_or(u64::MAX);
        let half = self.options.evaluations.map_or(u64::MAX, |most| most / 2);
        let share = SHARE_OF_PART.min(half / parts * 2);
        for length in 0..q - 1 {
            for i in 0..q - length {
                let part = (i, i + length);
                let number = table.number(part);
                table.bound(part);
                let entry = &table.entries[number];
                let simple = entry
                    .steps
                    .iter()
                    .zip(&entry.rests)
                    .filter_map(|(step, rest)| {
                        rest.iter().flatten().try_fold(step.cost, |sum, operand| {
                            sum.checked_add(known[usize::from(*operand)]?)
                        })
                    });
                let other = divided.as_ref().and_then(|d| d.makespan(part));
                let Some(mut above) = simple.chain(other).min() else {
                    continue;
                };
                let mut below = entry.makespan_bound(above);
                let can_search = self.limits.stopped.is_none() && !is_past(self.limits.half);
                if below < above && can_search {
                    let outcome =
                        search(&table, number, self.workers, above, share, &mut self.limits);
                    above = outcome.best;
                    if outcome.is_complete {
                        below = above;
                    }
                }
                known[number] = Some(above);
                table.entries[number].raise(below);
            }
        }
        self.whole(&mut table, is_free);
    }

    /// The whole chain, when its parts are known.
    fn whole(&mut self, table: &mut Table, is_free: bool) {
        let root = (0, self.chain.elements().len() - 1);
        let number = table.number(root);
        table.bound(root);
        let front = table.entries[number].front();
        let every = front.len().div_ceil(MOST_TRIED).max(1);
        let times: Vec<u64> = front.iter().step_by(every).map(|point| point.0).collect();
        if is_free {
            for time in times {
                self.attempt(table.bracketing(time));
            }
        }
        let bound = table.entries[number].makespan_bound(self.schedule.makespan);
        self.lower_bound = self.lower_bound.max(bound);
        self.limits.look();
        if self.is_proven() || self.limits.stopped.is_some() {
            return;
        }
        let above = self.schedule.makespan;
        let outcome = search(
            table,
            number,
            self.workers,
            above,
            u64::MAX,
            &mut self.limits,
        );
        if let Some(starts) = &outcome.starts {
            self.adopt(table, root, starts, outcome.best);
        }
        if outcome.is_complete {
            self.lower_bound = self.schedule.makespan;
        }
    }

    /// Turns the starts of a search, which run backwards from `end`, into a bracketing and a schedule.
    fn adopt(&mut self, table: &Table, root: Part, starts: &[Start], end: u64) {
        let mut chosen: Vec<Option<(Step, u64)>> = vec![None; table.entries.len()];
        for start in starts {
            let step = table.entries[start.part].steps[start.step];
            let begin = end.saturating_sub(start.time.saturating_add(step.cost));
            chosen[start.part] = Some((step, begin));
        }
        let of = |part: Part| chosen[table.number(part)].expect("a complete path starts all parts");
        let bracketing = Bracketing::build(root, |part| of(part).0);
        let tasks = bracketing.tasks().iter();
        let begins: Vec<u64> = tasks.map(|task| of((task.first, task.last)).1).collect();
        self.schedule = Schedule::from_starts(&bracketing, &begins, self.workers);
        self.bracketing = bracketing;
    }

    fn finish(self) -> ChainPlan {
        let best = self.schedule.makespan;
        let stopped_by = if best <= self.lower_bound {
            StoppedBy::Proof
        } else {
            self.limits.stopped.unwrap_or(StoppedBy::Work)
        };
        ChainPlan {
            best,
            lower_bound: self.lower_bound.min(best),
            forward: self.chain.forward().ok(),
            reverse: self.chain.reverse(self.options.memory).ok().flatten(),
            bracketing: self.bracketing,
            schedule: self.schedule,
            stopped_by,
            evaluations: self.limits.used,
        }
    }
}
