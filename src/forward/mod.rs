//! Forward mode: numbers that carry tangents, and the drivers that seed them.
//!
//! - [`Dual`]: one tangent; directional derivatives (`jvp`).
//! - [`Lanes`]: `N` tangents at once, laid out for SIMD; Jacobians.
//! - [`Taylor`]: a truncated series; derivatives of any order along a line.
//!
//! Invariant: a tangent is combined by the partials of [`elementary`](crate::elementary) and by nothing else.
//! Source: Griewank & Walther 2008, §3.1 (tangents), §13.2 (series).

mod drivers;
mod dual;
mod lanes;
mod num_dual;
mod taylor;

pub(crate) use drivers::{SWEEP, seed_lanes};
pub use drivers::{derivative, jacobian_forward, jvp, value_and_derivative};
pub use dual::Dual;
pub use lanes::Lanes;
pub use taylor::{Taylor, derivatives, ode_coefficients, taylor_coefficients};
