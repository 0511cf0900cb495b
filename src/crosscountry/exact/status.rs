//! [`Status`] and [`Proof`]: what an exact method knows at its end.
//!
//! Invariant: `Optimal` is said only when the lower bound equals the cost.
//! Source: none.

use std::fmt;

use crate::crosscountry::budget::StoppedBy;
use crate::crosscountry::cost::{CostModel, Tally};
use crate::crosscountry::graph::{LinearizedGraph, VertexId};
use crate::crosscountry::orders::cost_of;
use crate::error::Error;

/// How good a result is (EDGE_CASES e95).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// No order is cheaper.
    Optimal,
    /// No order is cheaper by more than the gap.
    Feasible {
        /// The cost less the lower bound.
        gap: u64,
    },
    /// The method ended with no order of its own; the order is the one that it was given.
    NoIncumbent,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Optimal => f.pad("optimal"),
            Self::Feasible { gap } => write!(f, "feasible, gap {gap}"),
            Self::NoIncumbent => f.pad("no incumbent"),
        }
    }
}

/// An order, what it costs, and what is proven of it.
///
/// **Shape**: `order` has all `l` intermediates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The order.
    pub order: Vec<VertexId>,
    /// What it costs by the model that was asked for.
    pub cost: u64,
    /// No order costs less.
    pub lower_bound: u64,
    /// How good it is.
    pub status: Status,
    /// Why the method ended.
    pub stopped_by: StoppedBy,
}

impl Proof {
    /// Takes the cheaper one of the order that came in and what was found, and counts its cost anew.
    pub(super) fn new(
        graph: &LinearizedGraph,
        model: CostModel,
        incumbent: &[VertexId],
        found: Option<Vec<VertexId>>,
        lower_bound: u64,
        stopped_by: StoppedBy,
    ) -> Result<Self, Error> {
        let count = |order: &[VertexId]| Ok::<_, Error>(Tally::of(&cost_of(graph, order)?, model));
        let mut order = incumbent.to_vec();
        let mut cost = count(incumbent)?;
        let has_found = found.is_some();
        if let Some(found) = found {
            let found_cost = count(&found)?;
            if found_cost < cost {
                (order, cost) = (found, found_cost);
            }
        }
        let lower_bound = lower_bound.min(cost);
        let status = if lower_bound == cost {
            Status::Optimal
        } else if has_found {
            Status::Feasible {
                gap: cost - lower_bound,
            }
        } else {
            Status::NoIncumbent
        };
        let stopped_by = match status {
            Status::Optimal => StoppedBy::Proof,
            _ => stopped_by,
        };
        Ok(Self {
            order,
            cost,
            lower_bound,
            status,
            stopped_by,
        })
    }
}
