//! The cross-country planner: in which order to eliminate the vertices of a linearized graph.
//!
//! Forward and reverse mode are two of many orders in which the partials of a program can be multiplied. This module finds
//! cheaper ones, says how far they are at most from the best, and hands back programs that compute that way.
//!
//! Invariant: a cost is always that of an independent count of the order it belongs to; nothing is called optimal without a
//! bound that holds for the moves and the cost in question.
//! Source: Griewank & Walther 2008, §9 and §10; Naumann 2004, 2008.

mod bounds;
mod budget;
pub mod chain;
mod cost;
mod eliminate;
mod exact;
mod exact_faces;
mod exact_moves;
mod faces;
mod file;
mod graph;
mod linearize;
mod moves;
#[cfg(test)]
mod moves_tests;
mod orders;
mod plan;
mod planned;
mod planner;
mod replay;
#[cfg(test)]
mod samples;
mod search;
mod search_moves;
mod sets;

pub use bounds::{
    BoundKind, GroupLimits, LowerBound, TreeLimits, group_bound, lower_bound, separator_bound,
    storage_bound, tree_bound,
};
pub use budget::{Budget, Clock, StoppedBy};
pub use cost::{CostModel, Tally};
pub use eliminate::{Algebra, Counting, Elimination, Numbers};
pub use exact::{
    MOST_INTERMEDIATES, Proof, Solver, Status, best_by_subsets, branch_and_bound, integer_program,
};
pub use exact_moves::{OptimalMoves, optimal_moves};
pub use faces::FaceElimination;
pub use graph::{Edge, EdgeClass, LinearizedGraph, VertexId};
pub use linearize::Linearized;
pub use moves::{Move, Moves};
pub use orders::{Order, cost_of};
pub use plan::{Milestone, Plan, PlanBound};
pub use planned::{PlannedBy, PlannedJacobian, plan_order};
pub use planner::{Method, PlanOptions, PlanProgress, plan};
pub use replay::{Replayed, cost_of_moves, jacobian_by_moves, replay};
pub use search::{Found, Progress, Reduced, SearchOptions, beam_search, reduce, search};
pub use search_moves::{FoundMoves, search_moves};
