//! Elimination orders of a recorded program: what each costs by count and by time, the best that a search finds, the graph.
//!
//! Invariant: counts are those of the planner; an order is called optimal only where the planner has a proof.
//! Source: Griewank & Walther 2008, §9 and §10.1.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use wengert::Function;
use wengert::crosscountry::{
    Budget, Linearized, LinearizedGraph, Move, Order, Plan, PlanOptions, VertexId, cost_of, plan,
};
use wengert::program::Program;
use wengert_problems::registry::{ProblemInfo, Visitor};

use super::figures::Figure;
use super::figures::anytime::{self, Moment};
use super::figures::graph::{self, Graph, MOST_VERTICES};
use super::figures::orders;
use super::instance::difference;
use crate::error::CliError;
use crate::measure;
use crate::output::{Number, Table, seconds};

/// Problems that are planned if none are named: a second each at most.
pub(super) const PLANNED: [&str; 7] = [
    "slide",
    "simple-network",
    "roe-flux",
    "robot-arm",
    "heart-dipole",
    "black-scholes",
    "propane",
];

/// The work of a search.
const EVALUATIONS: u64 = 20_000;
/// The time of a search and its proof, if the machine is slow.
const TIME: Duration = Duration::from_secs(2);
/// The time spent on one measurement.
const MEASURED: Duration = Duration::from_millis(4);
/// Larger graphs are not planned in a report; `wengert plan` takes them.
const MOST_PLANNED: usize = 3_000;

/// The orders of one problem.
#[derive(Serialize)]
pub(super) struct Planned {
    pub(super) problem: String,
    inputs: usize,
    outputs: usize,
    intermediates: usize,
    edges: usize,
    pub(super) orders: Vec<OrderCost>,
    lower_bound: Option<u64>,
    bound_kind: Option<String>,
    proven_optimal: bool,
    method: String,
    stopped_by: String,
    seed: u64,
    /// How long the planner took, where times are measured.
    seconds: Option<Number>,
    /// The pictures: bars, search, graph.
    #[serde(skip)]
    pub(super) figures: Vec<Figure>,
}

/// One order.
#[derive(Serialize)]
pub(super) struct OrderCost {
    pub(super) name: String,
    multiplications: u64,
    arithmetic: u64,
    /// Whether no order of vertices takes fewer multiplications, by proof.
    proven_optimal: bool,
    /// Scalar operations of the simplified Jacobian program, the partials included.
    pub(super) operations: u64,
    /// One replay of that program.
    pub(super) seconds: Option<Number>,
    /// The largest difference from forward elimination, relative to the largest entry.
    pub(super) difference: Option<Number>,
}

/// Records a problem and plans it, if it is small enough.
pub(super) struct PlanOrders;

impl Visitor for PlanOrders {
    type Output = Result<Option<Planned>, CliError>;

    fn visit<F: Function + Sync>(self, f: &F, x: &[f64], info: &ProblemInfo) -> Self::Output {
        planned(info.problem.name, &measure::record(f, x)?, Some(x))
    }
}

/// Plans a simplified program; at a point, its orders are timed, too. `None` for a graph without edges or too large a one.
pub(super) fn planned(
    problem: &str,
    program: &Program,
    x: Option<&[f64]>,
) -> Result<Option<Planned>, CliError> {
    let linearized = Linearized::of(program)?;
    let graph = linearized.graph();
    if graph.edges().is_empty() || graph.len() > MOST_PLANNED {
        return Ok(None);
    }
    let (found, moments) = search(graph, x.is_some())?;
    let best = found.best();
    let mut orders = Vec::new();
    let mut reference = None;
    let mut sequences: Vec<(String, Vec<VertexId>)> = Vec::new();
    for order in Order::ALL {
        sequences.push((order.to_string(), order.of(graph)?));
    }
    // The plan has vertices only, because nothing else was allowed.
    let steps = found.vertex_order().unwrap_or_default();
    sequences.push(("plan".into(), steps));
    for (name, sequence) in &sequences {
        let cost = cost_of(graph, sequence)?;
        let moves: Vec<Move> = sequence.iter().copied().map(Move::Vertex).collect();
        let (jacobian, places) = linearized.to_program(&moves)?;
        let measured = x
            .map(|x| measure::sparse(&jacobian, &places, x, MEASURED))
            .transpose()?;
        let against = measured.as_ref().zip(reference.as_ref());
        let difference = against.map(|(m, r)| Number(difference(r, &m.derivative)));
        orders.push(OrderCost {
            name: name.clone(),
            multiplications: cost.multiplications,
            arithmetic: cost.arithmetic,
            proven_optimal: found.is_optimal() && cost.multiplications == best,
            operations: jacobian.counts().flops(),
            seconds: measured.as_ref().map(|m| Number(m.seconds)),
            difference,
        });
        reference = reference.or(measured.map(|m| m.derivative));
    }
    let bound = found.lower_bound.as_ref();
    let mut planned = Planned {
        problem: problem.into(),
        inputs: graph.inputs(),
        outputs: graph.outputs().len(),
        intermediates: graph.intermediates().count(),
        edges: graph.edges().len(),
        orders,
        lower_bound: bound.map(|bound| bound.value),
        bound_kind: bound.map(|bound| bound.kind.clone()),
        proven_optimal: found.is_optimal(),
        method: found.method.clone(),
        stopped_by: found.stopped_by.to_string(),
        seed: found.seed,
        seconds: x.map(|_| Number(found.seconds)),
        figures: Vec::new(),
    };
    planned.figures.push(planned.bars());
    // A search that improves nothing is no curve.
    let is_improved = moments.first().is_some_and(|first| first.best > best);
    if x.is_some() && is_improved {
        planned.figures.push(anytime::figure(problem, &moments));
    }
    if let (Some((_, steps)), true) = (sequences.last(), graph.len() <= MOST_VERTICES) {
        let names = names(&linearized)?;
        let named = Graph {
            linearized: graph,
            names,
        };
        let figure = graph::figure(problem, "planned", &named, steps)?;
        planned.figures.push(figure);
    }
    Ok(Some(planned))
}

/// The plan, and what was known when: with a limit on the time where times are measured anyhow.
fn search(graph: &LinearizedGraph, is_timed: bool) -> Result<(Plan, Vec<Moment>), CliError> {
    let options = PlanOptions {
        seed: 1,
        budget: Budget {
            evaluations: EVALUATIONS,
            time: is_timed.then_some(TIME),
            interrupt: None,
        },
        ..PlanOptions::default()
    };
    let seen = Mutex::new(Vec::new());
    let found = plan(graph, &options, &|progress| {
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.push(Moment {
            seconds: progress.elapsed.as_secs_f64(),
            best: progress.best,
            bound: progress.bound,
        });
    })?;
    let mut moments = seen.into_inner().unwrap_or_else(PoisonError::into_inner);
    moments.push(Moment {
        seconds: found.seconds,
        best: found.best(),
        bound: found.lower_bound.as_ref().map(|bound| bound.value),
    });
    moments.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
    // Threads may tell of an improvement after a better one.
    let mut best = u64::MAX;
    for moment in &mut moments {
        best = best.min(moment.best);
        moment.best = best;
    }
    Ok((found, moments))
}

/// What the vertices are called: as nodes of the program, copies of outputs as outputs.
fn names(linearized: &Linearized) -> Result<Vec<String>, CliError> {
    let graph = linearized.graph();
    let mut names = Vec::with_capacity(graph.len());
    for vertex in 0..graph.len() {
        let node = linearized.node(VertexId::new(vertex)?)?;
        names.push(node.to_string());
    }
    for (place, output) in graph.outputs().iter().enumerate() {
        let own = &names[output.index()];
        let is_copy = names.iter().filter(|name| *name == own).count() > 1;
        if is_copy {
            names[output.index()] = format!("y{place}");
        }
    }
    Ok(names)
}

impl Planned {
    /// The bars of all orders.
    fn bars(&self) -> Figure {
        let bar = |order: &OrderCost| orders::Order {
            name: order.name.clone(),
            multiplications: order.multiplications,
            is_optimal: order.proven_optimal,
        };
        let bars: Vec<orders::Order> = self.orders.iter().map(bar).collect();
        orders::figure(&self.problem, &bars, self.lower_bound)
    }

    /// Predicted beside measured, per order.
    pub(super) fn table(&self) -> (String, Table) {
        let header = [
            "order",
            "multiplications",
            "arithmetic",
            "operations",
            "time",
            "proven optimal",
        ];
        let mut table = Table::new(&header, 1);
        for order in &self.orders {
            table.push(vec![
                order.name.clone(),
                order.multiplications.to_string(),
                order.arithmetic.to_string(),
                order.operations.to_string(),
                order.seconds.map_or_else(|| "-".into(), |s| seconds(s.0)),
                if order.proven_optimal { "yes" } else { "" }.into(),
            ]);
        }
        (format!("Orders of {}", self.problem), table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Program {
        "v0 = input 0
            v1 = input 1
            v2 = mul v0 v1
            v3 = sin v2
            v4 = constant 2
            v5 = exp v4
            v6 = mul v3 v5
            v7 = cos v1
            output v2
            output v6"
            .parse()
            .unwrap()
    }

    /// Forward: 2 x 2 and 2 x 1; reverse: 1 x 1 and 2 x 2, of which the copy is no product.
    #[test]
    fn orders_are_counted_timed_and_drawn() {
        let planned = planned("sample", &sample(), Some(&[1.0, 2.0]))
            .unwrap()
            .unwrap();
        let of = |name: &str| {
            let order = planned.orders.iter().find(|order| order.name == name);
            order.unwrap()
        };
        assert!(planned.proven_optimal && of("plan").proven_optimal);
        assert_eq!(Some(of("plan").multiplications), planned.lower_bound);
        assert!(of("plan").multiplications <= of("forward").multiplications);
        for order in &planned.orders {
            assert!(order.operations > 0 && order.seconds.is_some_and(|s| s.0 > 0.0));
            assert!(order.difference.is_none_or(|d| d.0 < 1e-12));
        }
        let ids: Vec<&str> = planned.figures.iter().map(|f| f.id.as_str()).collect();
        assert!(ids.contains(&"orders-sample") && ids.contains(&"graph-sample"));
        assert_eq!(planned.table().1.rows().len(), Order::ALL.len() + 2);
    }

    #[test]
    fn outputs_that_are_used_have_names_of_their_own() {
        let linearized = Linearized::of(&sample()).unwrap();
        let names = names(&linearized).unwrap();
        assert_eq!(names.last().map(String::as_str), Some("y0"));
    }

    #[test]
    fn without_a_point_nothing_is_timed() {
        let planned = planned("sample", &sample(), None).unwrap().unwrap();
        assert!(planned.orders.iter().all(|order| order.seconds.is_none()));
        assert!(planned.figures.iter().all(|f| f.id != "anytime-sample"));
    }
}
