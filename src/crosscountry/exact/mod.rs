//! Exact planning: elimination orders that are proven to be the cheapest, or how far they are from it at most.
//!
//! | file | for |
//! |---|---|
//! | `subsets.rs` | up to 22 intermediates: dynamic programming over sets, every cost model |
//! | `branch.rs` | more of them: branch and bound over sets, with a limit on the work |
//! | `ilp.rs` | the same question asked of an integer programming solver |
//!
//! Invariant: the cost of a result is that of [`cost_of`](super::cost_of) for its order, and never above that of the order that came in;
//! [`Status::Optimal`] is said only when it is proven (EDGE_CASES e95).
//! Source: Griewank & Walther 2008, §10.2; Chen, Hovland, Munson & Utke 2012.

mod branch;
mod ilp;
mod status;
mod subsets;
#[cfg(test)]
mod tests;

pub use branch::branch_and_bound;
pub use ilp::{Solver, integer_program};
pub use status::{Proof, Status};
pub use subsets::{MOST_INTERMEDIATES, best_by_subsets};

#[cfg(test)]
pub(super) use subsets::optimum;
