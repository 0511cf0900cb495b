//! Jacobian chains: the Jacobian of `F = F_q o ... o F_1` is a product of Jacobians, and its brackets decide the cost.
//!
//! ```
//! use wengert::crosscountry::chain::{self, Chain, ChainOptions, Element};
//!
//! // An hour-glass: forward and reverse are both seventeen times dearer than the best brackets.
//! let dense = chain::dense(&[50, 50, 1, 50, 50])?;
//! assert_eq!((dense.best, dense.forward, dense.reverse), (7500, 130_000, 130_000));
//! assert_eq!(dense.bracketing.to_string(), "((J0*J1)*(J2*J3))");
//!
//! // Functions instead of matrices: a tangent or an adjoint step passes an element without its Jacobian.
//! let chain = Chain::new(vec![
//!     Element { inputs: 117, outputs: 45, edges: 39_041 },
//!     Element { inputs: 45, outputs: 29, edges: 85_994 },
//!     Element { inputs: 29, outputs: 213, edges: 33_574 },
//! ])?;
//! let plan = chain.plan(&ChainOptions { workers: 2, ..ChainOptions::default() })?;
//! assert_eq!((plan.best, plan.is_optimal()), (3_453_200, true));
//! assert_eq!(plan.forward, Some(18_557_253));
//! # Ok::<(), wengert::Error>(())
//! ```
//!
//! | file | what a newcomer finds there |
//! |---|---|
//! | `dense.rs` | chains of matrices: the textbook dynamic program |
//! | `matrix_free.rs` | chains of functions: elements, the steps of the cost model, exact plans for one and for unlimited workers |
//! | `bracketing.rs` | the tree of tasks, as text and for drawing |
//! | `schedule.rs` | who does which task when: list scheduling, checks |
//! | `heuristics.rs` | good bracketings for few workers, at once |
//! | `bounds.rs` | what every part of a chain needs at least: time against work |
//! | `search.rs` | branch and bound over bracketings and schedules together |
//! | `plan.rs` | options, status, and the plan |
//!
//! Invariant: a cost is that of a schedule which [`ChainPlan::verify`] accepts; a bound is called so only if no schedule is shorter.
//! Source: Naumann 2004 (chains); Maertens & Naumann, ACDA 2025 (matrix-free chains, workers); Griewank & Walther 2008, §10.

mod bounds;
mod bracketing;
mod dense;
mod heuristics;
mod matrix_free;
mod plan;
mod schedule;
mod search;
#[cfg(test)]
mod tests;

pub use bracketing::{Bracketing, Task, TaskKind};
pub use dense::{DenseChain, dense};
pub use matrix_free::{Chain, Element};
pub use plan::{ChainOptions, ChainPlan};
pub use schedule::{Schedule, Slot};
