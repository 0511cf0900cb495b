//! [`plan`]: baselines, bounds, search and exact methods, one after the other, until something is proven or the budget is used.
//!
//! Invariant: the plan is never dearer than the best of all orders without search; a proof holds for the moves of the plan.
//! Source: none; the parts name theirs.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rayon::prelude::*;

use super::bounds::{
    GroupLimits, LowerBound, TreeLimits, lower_bound, separator_bound, tree_bound,
};
use super::budget::{Budget, Clock, StoppedBy};
use super::cost::{CostModel, Tally};
use super::exact::{Proof, Solver, Status, best_by_subsets, branch_and_bound, integer_program};
use super::graph::{LinearizedGraph, VertexId};
use super::moves::{Move, Moves};
use super::orders::{Order, cost_of};
use super::plan::{Baselines, Milestone, Plan, PlanBound};
use super::replay::cost_of_moves;
use super::search::{SearchOptions, search};
use super::search_moves::search_moves;
use crate::error::Error;

/// What looks for a plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Method {
    /// Whatever suits the size: exact methods for small graphs, else search with bounds.
    #[default]
    Auto,
    /// Forward elimination.
    Forward,
    /// Reverse elimination.
    Reverse,
    /// The best of the greedy orders.
    Markowitz,
    /// Search only.
    Search,
    /// Dynamic programming over subsets for small graphs, else branch and bound.
    Exact,
    /// An integer program.
    Ilp,
}

impl Method {
    /// All methods.
    pub const ALL: [Self; 7] = [
        Self::Auto,
        Self::Forward,
        Self::Reverse,
        Self::Markowitz,
        Self::Search,
        Self::Exact,
        Self::Ilp,
    ];
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Auto => "auto",
            Self::Forward => "forward",
            Self::Reverse => "reverse",
            Self::Markowitz => "markowitz",
            Self::Search => "search",
            Self::Exact => "exact",
            Self::Ilp => "ilp",
        })
    }
}

impl FromStr for Method {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL
            .into_iter()
            .find(|method| method.to_string() == text);
        found.ok_or_else(|| {
            format!(
                "unknown method `{text}`, expected auto, forward, reverse, markowitz, search, exact or ilp"
            )
        })
    }
}

/// What is planned, and for how long.
#[derive(Clone, Debug, Default)]
pub struct PlanOptions {
    /// The moves that are allowed.
    pub moves: Moves,
    /// What is to become small.
    pub model: CostModel,
    /// What looks for a plan.
    pub method: Method,
    /// The seed of the random numbers.
    pub seed: u64,
    /// The bound on the work. Searches of vertices and of edges or faces may each use all its evaluations.
    pub budget: Budget,
}

/// What a planner says while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanProgress {
    /// The cost of the best plan so far.
    pub best: u64,
    /// The lower bound, if one is known by now.
    pub bound: Option<u64>,
    /// The time since the start.
    pub elapsed: Duration,
}

/// The share of the time that is left which a search of vertices or a bound may use; what follows it needs the rest.
const SHARE: f64 = 0.5;

/// The share of what comes before the search of edges and faces.
const LOOK: f64 = 0.2;

/// The share of the evaluations in the first search. It mostly finds the best order that is found at all; a bound that proves
/// it saves the second search.
const FIRST: u64 = 10;

/// A step of the bound by trees stands for so many evaluations, where there are other bounds for vertices: as long as the searches.
const EVALUATIONS_PER_STEP: u64 = 200;
/// The same for edges and faces, which have no other bound worth the name. Black-Scholes takes 5000 steps.
const EVALUATIONS_PER_FINE_STEP: u64 = 25;

/// Above this many intermediates only orders that need no look-ups of new edges are tried.
const MANY: usize = 100_000;

/// Plans an elimination.
///
/// ```
/// use wengert::crosscountry::{EdgeClass, LinearizedGraph, Moves, PlanOptions, plan};
/// // Two inputs meet in v2; v2 and v3 feed four outputs. Edges can be eliminated one cheaper than vertices.
/// let edges = [(0, 2), (1, 2), (2, 3), (2, 4), (3, 4), (3, 5), (3, 6), (3, 7)];
/// let edges = edges.map(|(s, t)| (s, t, EdgeClass::Variable));
/// let graph = LinearizedGraph::new("lion", 2, 8, &[4, 5, 6, 7], &edges)?;
/// let vertices = plan(&graph, &PlanOptions::default(), &|_| ())?;
/// assert_eq!((vertices.best(), vertices.is_optimal()), (12, true));
/// let options = PlanOptions { moves: Moves::Edge, ..PlanOptions::default() };
/// assert_eq!(plan(&graph, &options, &|_| ())?.best(), 11);
/// # Ok::<(), wengert::Error>(())
/// ```
///
/// **Shape**: the plan eliminates all `l` intermediates; `observe` is called from several threads, at every improvement.
/// **Cost**: the budget; the orders without search are tried in any case.
///
/// # Errors
/// [`Error::CostOverflow`] beyond 2^64 operations.
///
/// **Source**: see the parts: orders, search, bounds, exact methods.
pub fn plan(
    graph: &LinearizedGraph,
    options: &PlanOptions,
    observe: &(dyn Fn(PlanProgress) + Sync),
) -> Result<Plan, Error> {
    let mut planner = Planner::start(graph, options, observe)?;
    match options.method {
        Method::Forward => planner.fix(Order::Forward)?,
        Method::Reverse => planner.fix(Order::Reverse)?,
        Method::Markowitz => {}
        Method::Search => planner.search(1)?,
        Method::Exact => {
            planner.exact()?;
        }
        Method::Ilp => planner.integer_program()?,
        Method::Auto => {
            if !planner.by_subsets()? {
                planner.search(FIRST)?;
                if options.moves == Moves::Vertex {
                    planner.bound();
                    planner.search(1)?;
                }
            }
        }
    }
    if options.moves != Moves::Vertex
        && !matches!(
            options.method,
            Method::Forward | Method::Reverse | Method::Markowitz
        )
    {
        // Often nothing finer can gain, which takes no more than a look.
        planner.bound_by_trees(LOOK);
        let is_better = planner.search_moves()?;
        // The same work would give the same bound; more time may give a better one.
        if is_better || options.budget.time.is_some() {
            planner.bound_by_trees(1.0);
        }
    }
    planner.finish()
}

/// A plan in the making.
struct Planner<'a> {
    graph: &'a LinearizedGraph,
    options: &'a PlanOptions,
    observe: &'a (dyn Fn(PlanProgress) + Sync),
    clock: Clock,
    baselines: Baselines,
    sequence: Vec<Move>,
    cost: Tally,
    method: String,
    bound: Option<LowerBound>,
    stopped_by: StoppedBy,
    history: Vec<Milestone>,
    evaluations: u64,
}

impl<'a> Planner<'a> {
    /// Tries all orders that need no search.
    fn start(
        graph: &'a LinearizedGraph,
        options: &'a PlanOptions,
        observe: &'a (dyn Fn(PlanProgress) + Sync),
    ) -> Result<Self, Error> {
        let clock = options.budget.start();
        let mut planner = Self {
            graph,
            options,
            observe,
            baselines: Baselines::default(),
            sequence: Vec::new(),
            cost: Tally::default(),
            method: String::new(),
            bound: None,
            stopped_by: StoppedBy::Work,
            history: Vec::new(),
            evaluations: 0,
            clock,
        };
        let is_large = graph.intermediates().count() > MANY;
        let few = [Order::Forward, Order::Reverse, Order::Markowitz];
        let orders = if is_large { &few[..] } else { &Order::ALL[..] };
        let counted = orders.par_iter().map(|order| {
            let vertices = order.of(graph)?;
            let cost = cost_of(graph, &vertices)?;
            Ok((*order, vertices, cost))
        });
        let counted: Vec<_> = counted.collect::<Result<_, Error>>()?;
        for (order, vertices, cost) in counted {
            planner.keep(&order.to_string(), &vertices, cost);
            match order {
                Order::Forward => planner.baselines.forward = cost,
                Order::Reverse => planner.baselines.reverse = cost,
                Order::Markowitz => planner.baselines.markowitz = cost,
                _ => {}
            }
        }
        // The cuts of a vertex are a search each.
        if !is_large {
            let (moves, model) = (options.moves, options.model);
            planner.raise(separator_bound(graph, moves, model, &planner.clock));
        }
        Ok(planner)
    }

    /// Takes this order, whatever it costs.
    fn fix(&mut self, order: Order) -> Result<(), Error> {
        let vertices = order.of(self.graph)?;
        self.cost = cost_of(self.graph, &vertices)?;
        self.sequence = vertices.into_iter().map(Move::Vertex).collect();
        self.method = order.to_string();
        Ok(())
    }

    /// Takes this order if it is cheaper.
    fn offer(&mut self, method: &str, order: &[VertexId]) -> Result<(), Error> {
        self.keep(method, order, cost_of(self.graph, order)?);
        Ok(())
    }

    /// Takes this order of this cost if it is cheaper, or the first.
    fn keep(&mut self, method: &str, order: &[VertexId], cost: Tally) {
        let model = self.options.model;
        if cost.of(model) < self.cost.of(model) || self.history.is_empty() {
            self.cost = cost;
            self.sequence = order.iter().copied().map(Move::Vertex).collect();
            method.clone_into(&mut self.method);
            self.remember();
        }
    }

    /// The best so far goes into the history, and to the observer.
    fn remember(&mut self) {
        let best = self.best();
        // What a search has noted is there already.
        if self.history.last().is_some_and(|last| last.best == best) {
            return;
        }
        self.history.push(Milestone {
            evaluations: self.evaluations,
            seconds: self.clock.elapsed().as_secs_f64(),
            best,
        });
        (self.observe)(PlanProgress {
            best,
            bound: self.bound.map(|bound| bound.value),
            elapsed: self.clock.elapsed(),
        });
    }

    /// Takes a bound if it is stronger.
    fn raise(&mut self, bound: Option<LowerBound>) {
        let value = |bound: &Option<LowerBound>| bound.as_ref().map(|bound| bound.value);
        if value(&bound) > value(&self.bound) {
            self.bound = bound;
        }
    }

    fn best(&self) -> u64 {
        self.cost.of(self.options.model)
    }

    fn is_proven(&self) -> bool {
        self.bound.is_some_and(|bound| bound.value >= self.best())
    }

    /// The order of the plan, as long as it eliminates whole vertices.
    fn vertices(&self) -> Vec<VertexId> {
        let vertex = |step: &Move| match step {
            Move::Vertex(vertex) => Some(*vertex),
            _ => None,
        };
        self.sequence.iter().filter_map(vertex).collect()
    }

    /// The budget with a share of the time that is left.
    fn share(&self, share: f64) -> Budget {
        let left = |time: Duration| time.saturating_sub(self.clock.elapsed()).mul_f64(share);
        Budget {
            time: self.options.budget.time.map(left),
            ..self.options.budget.clone()
        }
    }

    /// Says more about the end than what the parts said before it.
    fn stop(&mut self, by: StoppedBy) {
        if by != StoppedBy::Proof {
            self.stopped_by = by;
        }
    }

    /// Searches for a cheap order of vertices with a part of the evaluations.
    fn search(&mut self, part: u64) -> Result<(), Error> {
        if self.is_proven() {
            return Ok(());
        }
        let share = if self.options.moves == Moves::Vertex {
            SHARE
        } else {
            LOOK
        };
        let options = SearchOptions {
            cost: self.options.model,
            seed: self.options.seed,
            budget: self
                .share(share)
                .with_evaluations(self.options.budget.evaluations / part),
            target: self.bound.map(|bound| bound.value),
        };
        let bound = self.bound.map(|bound| bound.value);
        let least = AtomicU64::new(self.best());
        let (offset, observe) = (self.clock.elapsed(), self.observe);
        let found = search(self.graph, &options, &|progress| {
            if least.fetch_min(progress.best, Ordering::Relaxed) > progress.best {
                observe(PlanProgress {
                    best: progress.best,
                    bound,
                    elapsed: offset + progress.elapsed,
                });
            }
        })?;
        for (evaluations, seconds, best) in &found.history {
            if self.history.last().is_none_or(|last| *best < last.best) {
                self.history.push(Milestone {
                    evaluations: self.evaluations + *evaluations,
                    seconds: offset.as_secs_f64() + seconds,
                    best: *best,
                });
            }
        }
        self.evaluations += found.evaluations;
        self.stop(found.stopped_by);
        self.offer("search", &found.order)
    }

    /// Proves what can be proven in the time that is left.
    fn bound(&mut self) {
        if self.is_proven() || self.graph.intermediates().count() > MANY {
            return;
        }
        let (moves, model) = (self.options.moves, self.options.model);
        let limits = GroupLimits::default();
        let clock = self.share(SHARE).start();
        self.raise(lower_bound(self.graph, moves, model, &limits, &clock));
        if moves == Moves::Vertex {
            self.bound_by_trees(SHARE);
        }
    }

    /// Proves what holds for all moves.
    fn bound_by_trees(&mut self, share: f64) {
        if self.is_proven() {
            return;
        }
        let (moves, model) = (self.options.moves, self.options.model);
        let evaluations = self.options.budget.evaluations;
        let limits = TreeLimits {
            steps: evaluations
                / if moves == Moves::Vertex {
                    EVALUATIONS_PER_STEP
                } else {
                    EVALUATIONS_PER_FINE_STEP
                },
            ..TreeLimits::towards(self.best())
        };
        let clock = self.share(share).start();
        self.raise(tree_bound(self.graph, moves, model, &limits, &clock));
    }

    /// Dynamic programming over subsets, where the graph is small enough.
    fn by_subsets(&mut self) -> Result<bool, Error> {
        let proof = best_by_subsets(self.graph, self.options.model, &self.clock)?;
        let is_solved = proof.is_some();
        if let Some(proof) = proof {
            self.take("dynamic programming", &proof)?;
        }
        Ok(is_solved)
    }

    /// Exact methods on vertices: subsets for small graphs, else search, bounds, and branch and bound between them.
    fn exact(&mut self) -> Result<(), Error> {
        if self.by_subsets()? {
            return Ok(());
        }
        self.search(FIRST)?;
        self.bound();
        if !self.is_proven() {
            let (model, incumbent) = (self.options.model, self.vertices());
            let proof = branch_and_bound(
                self.graph,
                model,
                &incumbent,
                &GroupLimits::default(),
                self.options.budget.evaluations,
                &self.clock,
            )?;
            self.take("branch and bound", &proof)?;
        }
        Ok(())
    }

    /// An integer program.
    fn integer_program(&mut self) -> Result<(), Error> {
        if self.options.model != CostModel::Multiplications {
            return Err(Error::NotSupported {
                what: "integer program for a cost other than multiplications",
            });
        }
        let time = self.share(1.0).time.unwrap_or(Duration::MAX);
        let solver = Solver::default();
        let proof = integer_program(self.graph, &self.vertices(), solver, time, &self.clock)?;
        self.take("integer program", &proof)
    }

    /// Takes what an exact method has found and proven; a proof for vertices says nothing about finer moves.
    fn take(&mut self, method: &str, proof: &Proof) -> Result<(), Error> {
        self.offer(method, &proof.order)?;
        self.stop(proof.stopped_by);
        if self.options.moves == Moves::Vertex && proof.status != Status::NoIncumbent {
            if proof.status == Status::Optimal {
                method.clone_into(&mut self.method);
            }
            self.raise(Some(LowerBound {
                value: proof.lower_bound,
                kind: super::bounds::BoundKind::Search,
                moves: Moves::Vertex,
                cost: self.options.model,
            }));
        }
        Ok(())
    }

    /// Searches for cheaper eliminations of edges or faces, from the order of vertices on, and says whether there are any.
    fn search_moves(&mut self) -> Result<bool, Error> {
        if self.is_proven() {
            return Ok(false);
        }
        let PlanOptions {
            moves, model, seed, ..
        } = *self.options;
        let (start, budget) = (self.vertices(), self.share(SHARE));
        let found = search_moves(self.graph, model, moves, &start, seed, &budget)?;
        self.evaluations += found.evaluations;
        self.stop(found.stopped_by);
        let is_better = found.cost < self.best();
        if is_better {
            self.cost = cost_of_moves(self.graph, &found.moves)?;
            self.sequence = found.moves;
            self.method = format!("search of {}s", self.options.moves);
            self.remember();
        }
        Ok(is_better)
    }

    fn finish(mut self) -> Result<Plan, Error> {
        if self.is_proven() {
            self.stopped_by = StoppedBy::Proof;
        }
        Ok(Plan {
            name: self.graph.name().to_owned(),
            moves: self.options.moves,
            model: self.options.model,
            cost: self.cost,
            sequence: self.sequence,
            forward: self.baselines.forward,
            reverse: self.baselines.reverse,
            markowitz: self.baselines.markowitz,
            lower_bound: self.bound.map(|bound| PlanBound {
                value: bound.value,
                kind: bound.kind.to_string(),
            }),
            method: self.method,
            stopped_by: self.stopped_by,
            seed: self.options.seed,
            seconds: self.clock.elapsed().as_secs_f64(),
            history: self.history,
        })
    }
}
