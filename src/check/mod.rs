//! Derivative checks for users and tests: differences, duality, both modes, order 2, determinism.
//!
//! - [`check_gradient`], [`check_jacobian`], [`check_hessian`]: the checks with default [`Options`];
//! - [`Report`]: what was compared, the worst entry of each comparison, and the [`Verdict`].
//!
//! Invariant: a report passes only if every comparison was made between finite numbers, away from kinks, and held. Central
//! differences average the two slopes at a kink and would agree there with the convention of EDGE_CASES e01-e05; such a
//! point is not certified, and the report says why (t1).
//!
//! **Source**: JAX `check_grads`; PyTorch `gradcheck`; Moré & Wild 2011 (noise); Griewank & Walther 2008, §3.2 (duality).

mod compare;
mod differences;
mod first;
mod options;
mod report;
mod second;
#[cfg(test)]
mod tests;

pub use options::{Options, check_gradient, check_hessian, check_jacobian};
pub use report::{Check, Entry, Report, Verdict};
