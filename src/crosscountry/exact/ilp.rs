//! [`integer_program`]: the cheapest vertex order by a solver for mixed integer programs.
//!
//! **The program.** For every two intermediates a binary variable `before(u, v)` says which goes first; triangles exclude cycles.
//! All other variables are continuous, and the minimum makes them 0 or 1 once the order is fixed. For every `v` and every `u` before it
//! in the graph: `reach(v, u)` is 1 if a path leads from `u` to `v` whose inner vertices go before `v`; `source(v, u)` is 1
//! if besides `u` does not go before `v` and the edge is no copy; the same for targets. `pair(v, u, w)` is 1 if both
//! `source(v, u)` and `target(v, w)` are; the sum of all pairs is the number of multiplications.
//!
//! **Cuts.** With fractions the relaxation would be nearly zero. Every source of `v` meets at least as many targets as the minimum
//! vertex cut behind `v` has, and vice versa; and for every two vertices the cost of one is at least what groups of two say,
//! depending on which goes first.
//!
//! Invariant: a solver's word is not taken for the cost: the order is read off and its cost is counted.
//! Source: Chen, Hovland, Munson & Utke 2012 (an integer program with variables for the edges at every step); this one has variables for the
//! order instead, of which there are fewer by a factor `l`, as in the linear ordering problem (Grötschel, Jünger & Reinelt 1984).

use std::collections::BTreeMap;
use std::time::Duration;

use good_lp::{
    Expression, ProblemVariables, Solution, SolverModel, Variable, WithTimeLimit, constraint,
    variable,
};

use super::status::Proof;
use crate::crosscountry::bounds::{GroupLimits, group_bound, pair_costs};
use crate::crosscountry::budget::{Clock, StoppedBy};
use crate::crosscountry::cost::CostModel;
use crate::crosscountry::graph::{EdgeClass, LinearizedGraph, VertexId};
use crate::crosscountry::moves::Moves;
use crate::crosscountry::orders::cost_of;
use crate::error::Error;

/// A solver for integer programs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Solver {
    /// `microlp`, in Rust: for up to some nine intermediates.
    #[default]
    Microlp,
    /// `HiGHS`, in C++.
    #[cfg(feature = "highs")]
    Highs,
}

/// The cheapest vertex order by an integer program, counted in multiplications.
///
/// ```
/// use std::time::Duration;
/// use wengert::crosscountry::{Budget, EdgeClass, LinearizedGraph, Order, Solver, Status, integer_program};
/// let edges = [(0, 2), (1, 2), (2, 3), (2, 4), (3, 4), (3, 5), (3, 6), (3, 7)];
/// let edges = edges.map(|(s, t)| (s, t, EdgeClass::Variable));
/// let graph = LinearizedGraph::new("lion", 2, 8, &[4, 5, 6, 7], &edges)?;
/// let incumbent = Order::Forward.of(&graph)?;
/// let clock = Budget::default().with_time(Duration::from_secs(10)).start();
/// let best = integer_program(&graph, &incumbent, Solver::Microlp, Duration::from_secs(10), &clock)?;
/// assert_eq!((best.cost, best.status), (12, Status::Optimal));
/// # Ok::<(), wengert::Error>(())
/// ```
///
/// **Shape**: `incumbent` has all intermediates; the solver may take `time`, and is not started when the clock has ended.
/// **Cost**: about `l` (n + l + m)^2 continuous and `l`^2 / 2 binary variables.
///
/// # Errors
/// [`Error::InvalidGraph`] if the incumbent is no order of the graph; [`Error::CostOverflow`].
///
/// **Source**: Chen, Hovland, Munson & Utke 2012; what differs is said in the file.
pub fn integer_program(
    graph: &LinearizedGraph,
    incumbent: &[VertexId],
    solver: Solver,
    time: Duration,
    clock: &Clock,
) -> Result<Proof, Error> {
    let model = CostModel::Multiplications;
    crate::error::check_len("incumbent", graph.intermediates().count(), incumbent.len())?;
    let cost = cost_of(graph, incumbent)?.of(model);
    let result =
        |found, bound, stopped_by| Proof::new(graph, model, incumbent, found, bound, stopped_by);
    let solved = match clock.must_stop() {
        Some(_) => None,
        None => ask(graph, cost, solver, time)?,
    };
    if let Some((order, bound)) = &solved
        && bound.is_some()
    {
        return result(Some(order.clone()), bound.unwrap_or(0), StoppedBy::Proof);
    }
    // The solver did not come to an end; the groups tell how far it may be from it.
    let limits = GroupLimits {
        subsets: 200_000,
        ..GroupLimits::default()
    };
    let known = group_bound(graph, Moves::Vertex, model, &limits, clock);
    let known = known.map_or(0, |bound| bound.value);
    let stopped_by = clock.must_stop().unwrap_or(StoppedBy::Time);
    result(solved.map(|(order, _)| order), known, stopped_by)
}

/// An order, and its cost if it is proven that none is cheaper.
pub(super) type Answer = (Vec<VertexId>, Option<u64>);

/// What the solver says, `None` if it found no order in its time.
pub(super) fn ask(
    graph: &LinearizedGraph,
    incumbent: u64,
    solver: Solver,
    time: Duration,
) -> Result<Option<Answer>, Error> {
    let program = Program::new(graph, incumbent);
    let before = program.before.clone();
    let solved = match solver {
        Solver::Microlp => solve(program.state(good_lp::microlp), time, &before),
        #[cfg(feature = "highs")]
        Solver::Highs => solve(program.state(good_lp::highs), time, &before),
    };
    let Some(solved) = solved else {
        return Ok(None);
    };
    let mut order: Vec<VertexId> = graph.intermediates().collect();
    let mut rank = vec![0_usize; graph.len()];
    for ((u, v), is_first) in before.keys().zip(&solved.is_first) {
        rank[if *is_first { *v } else { *u }] += 1;
    }
    order.sort_by_key(|v| (rank[v.index()], *v));
    // Only if the order costs what the solver says is its bound a bound on orders.
    let cost = cost_of(graph, &order)?.multiplications;
    let is_proven = solved.is_optimal && solved.objective_is(cost);
    Ok(Some((order, is_proven.then_some(cost))))
}

/// What a solver found.
struct Solved {
    is_first: Vec<bool>,
    objective: f64,
    is_optimal: bool,
}

impl Solved {
    /// Whether the objective is this integer, to the tolerance of solvers.
    fn objective_is(&self, cost: u64) -> bool {
        format!("{:.0}", self.objective) == cost.to_string()
            && (self.objective - self.objective.round()).abs() < 1e-4
    }
}

/// Runs a solver on a program that has all its constraints.
fn solve<M>(program: (M, Expression), time: Duration, before: &Pairs) -> Option<Solved>
where
    M: SolverModel + WithTimeLimit,
    M::Solution: Solution,
{
    let (model, objective) = program;
    let solution = model.with_time_limit(time.as_secs_f64()).solve().ok()?;
    Some(Solved {
        is_first: before.values().map(|x| solution.value(*x) > 0.5).collect(),
        objective: objective.eval_with(&solution),
        is_optimal: matches!(solution.status(), good_lp::solvers::SolutionStatus::Optimal),
    })
}

/// The variables `before(u, v)` for `u < v`.
type Pairs = BTreeMap<(usize, usize), Variable>;

/// The variables and constraints.
struct Program {
    variables: ProblemVariables,
    constraints: Vec<good_lp::Constraint>,
    before: Pairs,
    objective: Expression,
}

impl Program {
    fn new(graph: &LinearizedGraph, incumbent: u64) -> Self {
        let mut program = Self {
            variables: ProblemVariables::new(),
            constraints: Vec::new(),
            before: Pairs::new(),
            objective: Expression::from(0),
        };
        let vertices: Vec<usize> = graph.intermediates().map(VertexId::index).collect();
        for (i, u) in vertices.iter().enumerate() {
            for v in &vertices[i + 1..] {
                let x = program.variables.add(variable().binary());
                program.before.insert((*u, *v), x);
            }
        }
        for (i, u) in vertices.iter().enumerate() {
            for (j, v) in vertices.iter().enumerate().skip(i + 1) {
                for w in &vertices[j + 1..] {
                    let around = program.is_before(*u, *v) + program.is_before(*v, *w)
                        - program.is_before(*u, *w);
                    program.constraints.push(constraint!(around.clone() <= 1));
                    program.constraints.push(constraint!(around >= 0));
                }
            }
        }
        let is_intermediate = graph.is_intermediate();
        let mut neighbours = [vec![Vec::new(); graph.len()], vec![Vec::new(); graph.len()]];
        for edge in graph.edges() {
            let is_copy = edge.class == EdgeClass::Copy;
            neighbours[0][edge.target.index()].push((edge.source.index(), is_copy));
            neighbours[1][edge.source.index()].push((edge.target.index(), is_copy));
        }
        let bounds = pair_costs(graph);
        let mut costs = BTreeMap::new();
        for v in &vertices {
            let [sources, targets] =
                [0, 1].map(|side| program.side(*v, &neighbours, side, &is_intermediate));
            let (least_sources, least_targets) = bounds.cuts[v];
            let cost = program.pairs(&sources, &targets, least_sources, least_targets);
            program.objective += cost.clone();
            costs.insert(*v, cost);
        }
        for ((u, v), (first, second)) in &bounds.pairs {
            let cost = costs[v].clone();
            let is_first = program.is_before(*u, *v);
            let least =
                is_first * f64::from(*first) + (1 - program.is_before(*u, *v)) * f64::from(*second);
            program.constraints.push(constraint!(cost >= least));
        }
        let limit = Expression::from(f64::from(u32::try_from(incumbent).unwrap_or(u32::MAX)));
        let objective = program.objective.clone();
        program.constraints.push(constraint!(objective <= limit));
        program
    }

    /// The program as a solver has it, and its objective.
    fn state<S: good_lp::Solver>(self, solver: S) -> (S::Model, Expression) {
        let objective = self.objective.clone();
        let mut model = self.variables.minimise(self.objective).using(solver);
        for constraint in self.constraints {
            model.add_constraint(constraint);
        }
        (model, objective)
    }

    /// 1 if `u` goes before `v`.
    fn is_before(&self, u: usize, v: usize) -> Expression {
        if u < v {
            self.before[&(u, v)].into()
        } else {
            1 - self.before[&(v, u)]
        }
    }

    fn fraction(&mut self) -> Variable {
        self.variables.add(variable().min(0).max(1))
    }

    /// Variables that are 1 for the sources of `v` (side 0) or its targets (side 1) when it goes, copies excepted.
    fn side(
        &mut self,
        v: usize,
        neighbours: &[Vec<Vec<(usize, bool)>>; 2],
        side: usize,
        is_intermediate: &[bool],
    ) -> Vec<Variable> {
        // All vertices on this side, the nearer ones first in the sense that a vertex comes behind all that lie between.
        let mut order = Vec::new();
        let mut is_seen = vec![false; is_intermediate.len()];
        let mut stack = vec![(v, 0)];
        while let Some((u, next)) = stack.pop() {
            let has_inner = u == v || is_intermediate[u];
            match neighbours[side][u].get(next).filter(|_| has_inner) {
                Some((p, _)) => {
                    stack.push((u, next + 1));
                    if !std::mem::replace(&mut is_seen[*p], true) {
                        stack.push((*p, 0));
                    }
                }
                None => order.push(u),
            }
        }
        order.reverse();
        let mut reach: BTreeMap<usize, Expression> = BTreeMap::new();
        let mut counts: BTreeMap<usize, Expression> = BTreeMap::new();
        let mut result = Vec::new();
        for u in order.into_iter().skip(1) {
            // The ways on from `u`: straight to `v`, or by a vertex that goes before `v`.
            let mut ways = Vec::new();
            for (w, is_copy) in &neighbours[1 - side][u] {
                if *w == v {
                    ways.push((Expression::from(1), *is_copy, Expression::from(0)));
                } else if is_intermediate[*w]
                    && let Some(there) = reach.get(w).cloned()
                {
                    let is_gone = self.is_before(*w, v);
                    let way = self.both(there, is_gone.clone());
                    let counted = counts[w].clone();
                    let counted = if *is_copy {
                        self.both(counted, is_gone)
                    } else {
                        way
                    };
                    ways.push((way.into(), *is_copy, counted.into()));
                }
            }
            let mut reached = Vec::new();
            let mut counted = Vec::new();
            for (i, (way, is_copy, count)) in ways.iter().enumerate() {
                reached.push(way.clone());
                counted.push(if *is_copy { count.clone() } else { way.clone() });
                // Two ways make a sum, which is no copy even if both are.
                for (other, other_is_copy, _) in &ways[..i] {
                    if *is_copy && *other_is_copy {
                        counted.push(self.both(way.clone(), other.clone()).into());
                    }
                }
            }
            let (reached, counted) = (self.any(&reached), self.any(&counted));
            if is_intermediate[u] {
                let stays = self.is_before(v, u);
                result.push(self.both(counted.clone(), stays));
            } else {
                let at = self.fraction();
                self.constraints.push(constraint!(at >= counted.clone()));
                result.push(at);
            }
            reach.insert(u, reached);
            counts.insert(u, counted);
        }
        result
    }

    /// A variable that is 1 if both are.
    fn both(&mut self, a: Expression, b: Expression) -> Variable {
        let both = self.fraction();
        self.constraints.push(constraint!(both >= a + b - 1));
        both
    }

    /// An expression that is 1 if any of these is.
    fn any(&mut self, all: &[Expression]) -> Expression {
        if let [only] = all {
            return only.clone();
        }
        let any = self.fraction();
        for one in all {
            self.constraints.push(constraint!(any >= one.clone()));
        }
        any.into()
    }

    /// The number of pairs of a source and a target.
    fn pairs(
        &mut self,
        sources: &[Variable],
        targets: &[Variable],
        least_sources: u32,
        least_targets: u32,
    ) -> Expression {
        let mut pairs = vec![Vec::new(); sources.len()];
        for (i, source) in sources.iter().enumerate() {
            for target in targets {
                let pair = self.both((*source).into(), (*target).into());
                pairs[i].push(pair);
            }
        }
        let sum = |variables: Vec<Variable>| variables.into_iter().sum::<Expression>();
        for (i, source) in sources.iter().enumerate() {
            let row = sum(pairs[i].clone());
            self.constraints
                .push(constraint!(row >= *source * f64::from(least_targets)));
        }
        for (j, target) in targets.iter().enumerate() {
            let column = sum(pairs.iter().map(|row| row[j]).collect());
            self.constraints
                .push(constraint!(column >= *target * f64::from(least_sources)));
        }
        if !sources.is_empty() && !targets.is_empty() {
            let (all_sources, all_targets) = (sum(sources.to_vec()), sum(targets.to_vec()));
            self.constraints
                .push(constraint!(all_sources >= f64::from(least_sources)));
            self.constraints
                .push(constraint!(all_targets >= f64::from(least_targets)));
        }
        sum(pairs.into_iter().flatten().collect())
    }
}
