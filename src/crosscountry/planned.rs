//! [`PlannedJacobian`]: the Jacobian program with the fewest operations, by forward mode, reverse mode or a mixed order.
//!
//! Orders are compared by what is left of their programs after simplification, because common subexpressions may favour one.
//!
//! Invariant: the program never has more operations than those of forward and reverse mode that were tried.
//! Source: Griewank & Walther 2008, §9 and §10.

use std::collections::HashSet;

use super::budget::Budget;
use super::cost::CostModel;
use super::graph::{LinearizedGraph, VertexId};
use super::linearize::Linearized;
use super::moves::Move;
use super::orders::Order;
use super::search::{SearchOptions, search};
use crate::error::Error;
use crate::program::{Basic, NodeId, NodeKind, Program, dense, either, is_small};

/// The eliminations of a vertex that planning a Jacobian may take: less than recording and simplifying some such programs.
const ELIMINATIONS: u64 = 1_000_000;

/// How the Jacobian of a [`PlannedJacobian`] was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlannedBy {
    /// By forward mode.
    Forward,
    /// By reverse mode.
    Reverse,
    /// By these moves on the linearized graph.
    Moves(Vec<Move>),
}

/// A Jacobian program, and how it was found.
///
/// ```
/// use wengert::crosscountry::{Budget, PlannedJacobian};
/// use wengert::prelude::*;
/// use wengert::program::Program;
/// // Two inputs meet in one number, on which two outputs depend.
/// let program = Program::record(
///     |x| {
///         let v = (x[0] * x[1]).sin();
///         [v.exp(), v.tan()]
///     },
///     &[3.0, 2.0],
/// )?;
/// let planned = PlannedJacobian::of(&program, &Budget::default())?;
/// assert!(planned.flops() <= program.sparse_jacobian()?.0.simplify()?.counts().flops());
/// # Ok::<(), Error>(())
/// ```
///
/// **Shape**: inputs `x` (n), outputs the structural nonzeros by rows and in a row by columns.
/// **Source**: Griewank & Walther 2008, §9.
#[derive(Clone, Debug)]
pub struct PlannedJacobian {
    program: Program,
    rows: usize,
    places: Vec<(u32, u32)>,
    found: PlannedBy,
    forward: Option<u64>,
    reverse: Option<u64>,
}

impl PlannedJacobian {
    /// The cheapest Jacobian of a program that can be found within the budget.
    ///
    /// **Cost**: of small programs forward and reverse mode and several orders are written and simplified; of large ones
    /// the mode that [`Program::sparse_jacobian`] takes and one order.
    ///
    /// # Errors
    /// [`Error::TapeFull`] above 2^32 nodes, [`Error::CostOverflow`] beyond 2^64 operations.
    pub fn of(program: &Program, budget: &Budget) -> Result<Self, Error> {
        let (first, second) = either(program)?;
        let mut best: Option<Self> = None;
        let (mut forward, mut reverse) = (None, None);
        for (mode, (jacobian, places)) in std::iter::once(first).chain(second) {
            let jacobian = jacobian.simplify()?;
            let (flops, found) = match mode {
                Basic::Forward => (&mut forward, PlannedBy::Forward),
                Basic::Reverse => (&mut reverse, PlannedBy::Reverse),
            };
            *flops = Some(jacobian.counts().flops());
            keep(&mut best, jacobian, places, found);
        }
        let size = region_size(program);
        if size <= REGIONS {
            let linearized = Linearized::of(program)?;
            for moves in candidates(linearized.graph(), budget, is_small(program))? {
                let (jacobian, places) = linearized.to_program(&moves)?;
                keep(&mut best, jacobian, places, PlannedBy::Moves(moves));
            }
        }
        let best = best.expect("one of the modes was tried");
        Ok(Self {
            rows: program.outputs().len(),
            forward,
            reverse,
            ..best
        })
    }

    /// The program.
    #[must_use]
    pub const fn program(&self) -> &Program {
        &self.program
    }

    /// Row and column of every output.
    #[must_use]
    pub fn places(&self) -> &[(u32, u32)] {
        &self.places
    }

    /// The program with all entries of the matrix by rows as outputs; structural zeros are the constant 0.
    ///
    /// **Cost**: a copy and an output per entry.
    ///
    /// # Errors
    /// [`Error::TapeFull`] above 2^32 entries.
    pub fn to_dense(&self) -> Result<Program, Error> {
        dense(
            self.program.clone(),
            &self.places,
            self.rows,
            self.program.inputs(),
        )
    }

    /// How it was found.
    #[must_use]
    pub const fn found(&self) -> &PlannedBy {
        &self.found
    }

    /// The number of operations of the program.
    #[must_use]
    pub fn flops(&self) -> u64 {
        self.program.counts().flops()
    }

    /// The number of operations of the simplified program by forward mode, if it was tried.
    #[must_use]
    pub const fn forward_flops(&self) -> Option<u64> {
        self.forward
    }

    /// The number of operations of the simplified program by reverse mode, if it was tried.
    #[must_use]
    pub const fn reverse_flops(&self) -> Option<u64> {
        self.reverse
    }
}

/// Regions with more pairs of arguments and iterations are left to forward and reverse mode.
const REGIONS: usize = 1 << 20;

/// The number of pairs of arguments and iterations of regions.
fn region_size(program: &Program) -> usize {
    let size = |node: NodeId| match program.kind(node) {
        NodeKind::Region(region) => {
            let region = &program.regions()[region as usize];
            let arguments = program.arguments(node).len();
            // Only what an iteration hands on makes everything depend on everything.
            let pairs = if region.is_scan() {
                region.iterations()
            } else {
                1
            };
            arguments.saturating_mul(pairs)
        }
        _ => 0,
    };
    program.nodes().map(size).fold(0, usize::saturating_add)
}

/// Keeps the program with fewer operations, the first one of equals.
fn keep(
    best: &mut Option<PlannedJacobian>,
    program: Program,
    places: Vec<(u32, u32)>,
    found: PlannedBy,
) {
    let is_better = |best: &PlannedJacobian| program.counts().flops() < best.flops();
    if best.as_ref().is_none_or(is_better) {
        *best = Some(PlannedJacobian {
            program,
            rows: 0,
            places,
            found,
            forward: None,
            reverse: None,
        });
    }
}

/// The orders whose programs are written: that of the planner, and others where that is little work.
fn candidates(
    graph: &LinearizedGraph,
    budget: &Budget,
    all: bool,
) -> Result<Vec<Vec<Move>>, Error> {
    let mut candidates = vec![plan_order(graph, budget)?];
    if all {
        for order in Order::ALL {
            candidates.push(moves(&order.of(graph)?));
        }
    }
    let mut seen = HashSet::new();
    candidates.retain(|moves| seen.insert(moves.clone()));
    Ok(candidates)
}

/// The order with the smallest cost by [`CostModel::Arithmetic`] that a search finds.
///
/// ```
/// use wengert::crosscountry::{Budget, EdgeClass, LinearizedGraph, plan_order};
/// let edges = [(0, 2), (1, 2), (2, 3), (3, 4), (3, 5)].map(|(s, t)| (s, t, EdgeClass::Variable));
/// let graph = LinearizedGraph::new("hour-glass", 2, 6, &[4, 5], &edges)?;
/// assert_eq!(plan_order(&graph, &Budget::default())?.len(), 2);
/// # Ok::<(), wengert::Error>(())
/// ```
///
/// **Cost**: the greedy orders and the budget, but no more than a million eliminations of a vertex, a tenth of a second; a program
/// that is worth more is planned by [`plan`](super::plan()) and written by [`Linearized::to_program`].
///
/// # Errors
/// [`Error::CostOverflow`] beyond 2^64 operations.
pub fn plan_order(graph: &LinearizedGraph, budget: &Budget) -> Result<Vec<Move>, Error> {
    let vertices = graph.intermediates().count().max(1) as u64;
    let most = budget.evaluations.min(ELIMINATIONS / vertices);
    let options = SearchOptions {
        cost: CostModel::Arithmetic,
        budget: budget.clone().with_evaluations(most),
        ..SearchOptions::default()
    };
    Ok(moves(&search(graph, &options, &|_| ())?.order))
}

fn moves(order: &[VertexId]) -> Vec<Move> {
    order.iter().copied().map(Move::Vertex).collect()
}
