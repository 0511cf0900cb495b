//! Reverse mode: variables that record their operations, and the drivers that sweep back over the recording.
//!
//! - [`gradient`], [`value_and_gradient`], [`value_gradient_aux`], [`try_value_and_gradient`]: one result;
//! - [`gradient_params`]: a gradient with the shape of the user's own struct of parameters;
//! - [`vjp`], [`jacobian_reverse`]: several results;
//! - [`Pullback`]: recorded once, swept many times, also from several threads;
//! - [`PreparedGradient`]: repeated evaluation without allocation.
//!
//! Every driver is generic over the scalar below, so drivers nest: a gradient inside a differentiated function is just a
//! call. Levels of nesting are types, so perturbations cannot be confused.
//!
//! Invariant: a recording is open exactly while its driver runs, on the driver's thread; panics and errors close it.
//! Source: Griewank & Walther 2008, §3.2-3.3 and §4.

mod drivers;
mod params;
mod prepared;
mod pullback;
mod slots;
mod statement;
mod tape;
#[cfg(test)]
mod tests;
mod var;

pub use drivers::{
    Recorder, gradient, jacobian_reverse, try_value_and_gradient, value_and_gradient,
    value_gradient_aux, vjp,
};
pub use params::{Params, gradient_params, value_and_gradient_params};
pub use prepared::PreparedGradient;
pub use pullback::{Pullback, Workspace};
pub(crate) use slots::keep_error;
pub use slots::release_memory;
pub use tape::Limits;
pub use var::Var;
