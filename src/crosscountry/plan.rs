//! [`Plan`]: an elimination with what it costs, what is proven about it, and how it was found.
//!
//! Invariant: the cost of a plan is recounted whenever it is read or verified; nothing is called optimal without a bound.
//! Source: the accounting of Griewank & Walther 2008, §9 and §10.

use serde::{Deserialize, Serialize};

use super::budget::StoppedBy;
use super::cost::{CostModel, Tally};
use super::file::damaged;
use super::graph::{LinearizedGraph, VertexId};
use super::linearize::Linearized;
use super::moves::{Move, Moves};
use super::orders::Order;
use super::replay::{cost_of_moves, jacobian_by_moves};
use crate::error::Error;
use crate::program::Program;

/// A lower bound on the cost of every elimination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanBound {
    /// No elimination with the moves of the plan costs less by its model.
    pub value: u64,
    /// How it was proven, in a word or two.
    pub kind: String,
}

/// An elimination of all intermediates.
///
/// ```
/// use wengert::crosscountry::{EdgeClass, LinearizedGraph, Plan, PlanOptions, plan};
/// let edges = [(0, 2), (1, 2), (2, 3), (3, 4), (3, 5)].map(|(s, t)| (s, t, EdgeClass::Variable));
/// let graph = LinearizedGraph::new("hour-glass", 2, 6, &[4, 5], &edges)?;
/// let plan = plan(&graph, &PlanOptions::default(), &|_| {})?;
/// assert_eq!((plan.best(), plan.is_optimal()), (6, true));
/// assert_eq!(Plan::from_json(&plan.to_json(&graph), &graph)?.sequence, plan.sequence);
/// # Ok::<(), wengert::Error>(())
/// ```
///
/// **Shape**: the moves eliminate all `l` intermediates of the graph that the plan was made for.
/// **Cost**: 12 bytes per move.
/// **Source**: Naumann 2004; Griewank & Walther 2008, §10.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Plan {
    /// The name of the graph.
    pub name: String,
    /// The moves that were allowed.
    pub moves: Moves,
    /// What was to be made small.
    pub model: CostModel,
    /// The steps, one after the other.
    pub sequence: Vec<Move>,
    /// What it costs, by every model.
    pub cost: Tally,
    /// What forward elimination costs.
    pub forward: Tally,
    /// What reverse elimination costs.
    pub reverse: Tally,
    /// What the order by Markowitz degrees costs.
    pub markowitz: Tally,
    /// What no elimination is cheaper than, if that is known.
    pub lower_bound: Option<PlanBound>,
    /// What found it.
    pub method: String,
    /// Why the search ended.
    pub stopped_by: StoppedBy,
    /// The seed of the search.
    pub seed: u64,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// How the search went on.
    pub history: Vec<Milestone>,
}

/// A moment of a search at which it found something better.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Milestone {
    /// The number of evaluations by then.
    pub evaluations: u64,
    /// The seconds since the start.
    pub seconds: f64,
    /// The cost of the best elimination by then.
    pub best: u64,
}

/// The form of a plan in JSON.
#[derive(Serialize, Deserialize)]
struct Stored {
    name: String,
    inputs: usize,
    outputs: usize,
    intermediates: usize,
    edges: usize,
    moves: String,
    cost: String,
    forward: u64,
    reverse: u64,
    markowitz: u64,
    best: u64,
    lower_bound: Option<u64>,
    bound_kind: Option<String>,
    proven_optimal: bool,
    method: String,
    stopped_by: StoppedBy,
    seed: u64,
    seconds: f64,
    order: Vec<StoredMove>,
}

/// A vertex by its number, an edge as `["front", u, v]` or `["back", u, v]`, a face as `["face", a, b]`.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum StoredMove {
    Vertex(u32),
    Pair(String, u32, u32),
}

impl Plan {
    /// The cost by the model of the plan.
    #[must_use]
    pub fn best(&self) -> u64 {
        self.cost.of(self.model)
    }

    /// Whether no elimination with these moves is cheaper.
    #[must_use]
    pub fn is_optimal(&self) -> bool {
        let bound = self.lower_bound.as_ref();
        bound.is_some_and(|bound| bound.value >= self.best())
    }

    /// How much cheaper another elimination could be at most, if a bound is known.
    #[must_use]
    pub fn gap(&self) -> Option<u64> {
        let bound = self.lower_bound.as_ref()?;
        Some(self.best().saturating_sub(bound.value))
    }

    /// The vertices in their order, if the plan eliminates whole vertices only.
    #[must_use]
    pub fn vertex_order(&self) -> Option<Vec<VertexId>> {
        let vertex = |step: &Move| match step {
            Move::Vertex(vertex) => Some(*vertex),
            _ => None,
        };
        self.sequence.iter().map(vertex).collect()
    }

    /// The plan as one JSON object.
    ///
    /// The keys are `name, inputs, outputs, intermediates, edges, moves, cost, forward, reverse, markowitz, best, lower_bound,
    /// bound_kind, proven_optimal, method, stopped_by, seed, seconds, order`; `cost` names the model in which the numbers are
    /// counted. A step of `order` is the number of a vertex, or `["front", u, v]`, `["back", u, v]`, `["face", a, b]`.
    #[must_use]
    pub fn to_json(&self, graph: &LinearizedGraph) -> String {
        let order = self.sequence.iter().map(|step| match step {
            Move::Vertex(v) => StoredMove::Vertex(v.raw()),
            Move::Front(u, v) => StoredMove::Pair("front".into(), u.raw(), v.raw()),
            Move::Back(u, v) => StoredMove::Pair("back".into(), u.raw(), v.raw()),
            Move::Face(a, b) => StoredMove::Pair("face".into(), *a, *b),
        });
        let bound = self.lower_bound.as_ref();
        let stored = Stored {
            name: self.name.clone(),
            inputs: graph.inputs(),
            outputs: graph.outputs().len(),
            intermediates: graph.intermediates().count(),
            edges: graph.edges().len(),
            moves: self.moves.to_string(),
            cost: self.model.to_string(),
            forward: self.forward.of(self.model),
            reverse: self.reverse.of(self.model),
            markowitz: self.markowitz.of(self.model),
            best: self.best(),
            lower_bound: bound.map(|bound| bound.value),
            bound_kind: bound.map(|bound| bound.kind.clone()),
            proven_optimal: self.is_optimal(),
            method: self.method.clone(),
            stopped_by: self.stopped_by,
            seed: self.seed,
            seconds: self.seconds,
            order: order.collect(),
        };
        serde_json::to_string(&stored).expect("numbers and strings can always be written")
    }

    /// Reads a plan for a graph; all costs are counted again.
    ///
    /// # Errors
    /// [`Error::Json`] if the text is no plan; [`Error::InvalidPlan`] if it is one for another graph, or names a cost that
    /// the steps do not have; [`Error::InvalidGraph`] if a step is not possible.
    pub fn from_json(text: &str, graph: &LinearizedGraph) -> Result<Self, Error> {
        let stored: Stored = serde_json::from_str(text).map_err(|error| damaged(&error))?;
        let facts = [
            ("inputs", graph.inputs(), stored.inputs),
            ("outputs", graph.outputs().len(), stored.outputs),
            (
                "intermediates",
                graph.intermediates().count(),
                stored.intermediates,
            ),
            ("edges", graph.edges().len(), stored.edges),
        ];
        for (what, expected, found) in facts {
            if expected != found {
                return Err(invalid(what, expected as u64, found as u64));
            }
        }
        let sequence = stored
            .order
            .iter()
            .map(read_move)
            .collect::<Result<Vec<_>, _>>()?;
        let moves = stored.moves.parse().map_err(|_| invalid("moves", 0, 0))?;
        let model = stored.cost.parse().map_err(|_| invalid("cost", 0, 0))?;
        let baselines = Baselines::of(graph)?;
        let plan = Self {
            name: stored.name,
            moves,
            model,
            cost: cost_of_moves(graph, &sequence)?,
            sequence,
            forward: baselines.forward,
            reverse: baselines.reverse,
            markowitz: baselines.markowitz,
            lower_bound: stored
                .lower_bound
                .zip(stored.bound_kind)
                .map(|(value, kind)| PlanBound { value, kind }),
            method: stored.method,
            stopped_by: stored.stopped_by,
            seed: stored.seed,
            seconds: stored.seconds,
            history: Vec::new(),
        };
        for (what, expected, found) in [
            ("best", plan.best(), stored.best),
            ("forward", plan.forward.of(model), stored.forward),
            ("reverse", plan.reverse.of(model), stored.reverse),
            ("markowitz", plan.markowitz.of(model), stored.markowitz),
        ] {
            if expected != found {
                return Err(invalid(what, expected, found));
            }
        }
        if let Some(bound) = &plan.lower_bound
            && bound.value > plan.best()
        {
            return Err(invalid("lower_bound", plan.best(), bound.value));
        }
        Ok(plan)
    }

    /// The Jacobian from numbers for the edges, one per edge in the order of [`LinearizedGraph::edges`].
    ///
    /// **Shape**: `(row, column, partial)` for every nonzero, by rows and columns; a row is an output, a column an input.
    /// **Cost**: the operations of the plan.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] unless there is a number per edge; [`Error::InvalidGraph`] if the plan is for another graph.
    pub fn accumulate(
        &self,
        graph: &LinearizedGraph,
        partials: &[f64],
    ) -> Result<Vec<(VertexId, VertexId, f64)>, Error> {
        jacobian_by_moves(graph, partials, &self.sequence)
    }

    /// The program of the Jacobian that the plan computes, one output per structural nonzero, and their places.
    ///
    /// ```
    /// use wengert::crosscountry::{Linearized, PlanOptions, plan};
    /// use wengert::prelude::*;
    /// use wengert::program::Program;
    /// let program = Program::record(|x| [(x[0] * x[1]).sin(), x[1].exp()], &[3.0, 2.0])?;
    /// let linearized = Linearized::of(&program)?;
    /// let plan = plan(linearized.graph(), &PlanOptions::default(), &|_| ())?;
    /// let (jacobian, places) = plan.to_program(&linearized)?;
    /// assert_eq!((jacobian.outputs().len(), places), (3, vec![(0, 0), (0, 1), (1, 1)]));
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// **Cost**: as [`Linearized::to_program`].
    ///
    /// # Errors
    /// As [`Linearized::to_program`].
    pub fn to_program(&self, linearized: &Linearized) -> Result<(Program, Vec<(u32, u32)>), Error> {
        linearized.to_program(&self.sequence)
    }

    /// Counts the plan again, and compares the Jacobian it accumulates with those of forward and reverse elimination on
    /// pseudo-random partials.
    ///
    /// **Cost**: five eliminations.
    ///
    /// # Errors
    /// [`Error::InvalidPlan`] with both numbers where something differs; [`Error::InvalidGraph`] if a step is not possible.
    pub fn verify(&self, graph: &LinearizedGraph) -> Result<(), Error> {
        let cost = cost_of_moves(graph, &self.sequence)?.of(self.model);
        if cost != self.best() {
            return Err(invalid("best", cost, self.best()));
        }
        let mut random = fastrand::Rng::with_seed(1);
        // Away from zero and of both signs, so that nothing cancels by construction.
        let partials: Vec<f64> = graph
            .edges()
            .iter()
            .map(|_| (0.5 + random.f64()) * if random.bool() { 1.0 } else { -1.0 })
            .collect();
        let ours = self.accumulate(graph, &partials)?;
        for order in [Order::Forward, Order::Reverse] {
            let sequence: Vec<Move> = order.of(graph)?.into_iter().map(Move::Vertex).collect();
            let other = jacobian_by_moves(graph, &partials, &sequence)?;
            if ours.len() != other.len() {
                return Err(invalid("nonzeros", other.len() as u64, ours.len() as u64));
            }
            let scale = other
                .iter()
                .fold(1.0_f64, |scale, (_, _, x)| scale.max(x.abs()));
            for (index, (a, b)) in ours.iter().zip(&other).enumerate() {
                let is_same = (a.0, a.1) == (b.0, b.1) && (a.2 - b.2).abs() <= 1e-10 * scale;
                if !is_same {
                    return Err(invalid("entry of the Jacobian", index as u64, index as u64));
                }
            }
        }
        Ok(())
    }
}

/// What needs no search.
#[derive(Default)]
pub(super) struct Baselines {
    pub(super) forward: Tally,
    pub(super) reverse: Tally,
    pub(super) markowitz: Tally,
}

impl Baselines {
    pub(super) fn of(graph: &LinearizedGraph) -> Result<Self, Error> {
        let cost = |order: Order| super::orders::cost_of(graph, &order.of(graph)?);
        Ok(Self {
            forward: cost(Order::Forward)?,
            reverse: cost(Order::Reverse)?,
            markowitz: cost(Order::Markowitz)?,
        })
    }
}

fn read_move(stored: &StoredMove) -> Result<Move, Error> {
    let vertex = VertexId::from_raw;
    Ok(match stored {
        StoredMove::Vertex(v) => Move::Vertex(vertex(*v)),
        StoredMove::Pair(kind, a, b) => match kind.as_str() {
            "front" => Move::Front(vertex(*a), vertex(*b)),
            "back" => Move::Back(vertex(*a), vertex(*b)),
            "face" => Move::Face(*a, *b),
            _ => {
                return Err(Error::InvalidGraph {
                    vertex: vertex(*b).index(),
                    what: "a step there is neither a vertex nor front, back or face",
                });
            }
        },
    })
}

fn invalid(what: &'static str, expected: u64, found: u64) -> Error {
    Error::InvalidPlan {
        what,
        expected,
        found,
    }
}
