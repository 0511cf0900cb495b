//! [`plan`]: baselines, bounds, search and exact methods, one after the other, until something is proven or the budget is used.
//!
//! Invariant: the plan is never dearer than the best of all orders without search; a proof holds for the moves of the plan.
//! Source: none; the parts name theirs.

use std::fmt;
use std::str::FromStr;
use std::sync::Mutex;

use super::budget::{Budget, Clock, StoppedBy};
use super::cost::CostModel;
use super::graph::{LinearizedGraph, VertexId};
use super::moves::{Move, Moves};
use super::orders::{Order, cost_of};
use super::plan::{Baselines, Milestone, Plan, PlanBound};
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
        let found = Self::ALL.into_iter().find(|method| method.to_string() == text);
        found.ok_or_else(|| {
            format!(
                "unknown method `{text}`, expected auto, forward, reverse, markowitz, search, exact or ilp"
            )
        })
    }
}
