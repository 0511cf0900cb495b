//! The cross-country planner: in which order to eliminate the vertices of a linearized graph.
//!
//! Forward and reverse mode are two of many orders in which the partials of a program can be multiplied. This module finds
//! cheaper ones, says how far they are at most from the best, and hands back programs that compute that way.
//!
//! Invariant: a cost is always that of an independent count of the order it belongs to; nothing is called optimal without a
//! bound that holds for the moves and the cost in question.
//! Source: Griewank & Walther 2008, §9 and §10; Naumann 2004, 2008.

mod budget;
mod cost;
mod eliminate;
mod file;
mod graph;
mod linearize;
mod moves;
mod orders;
mod planned;

pub use budget::{Budget, Clock, StoppedBy};
pub use cost::{CostModel, Tally};
pub use eliminate::{Algebra, Counting, Elimination, Numbers};
pub use graph::{Edge, EdgeClass, LinearizedGraph, VertexId};
pub use linearize::Linearized;
pub use moves::{Move, Moves};
pub use orders::{Order, cost_of};
pub use planned::{Found, PlannedJacobian, plan_order};
