//! Example and benchmark functions, generic over [`wengert::Scalar`], with readers and seeded generators.
//!
//! | module | contents |
//! |---|---|
//! | [`slides`] | the worked examples of Wiltschko's slides on automatic differentiation |
//! | [`charged_particle`] | a derivative inside an optimisation: derivatives to third order, nested |
//! | [`classic`] | Rosenbrock, Speelpenning's product, Helmholtz energy |
//! | [`gmm`], [`bundle_adjustment`], [`hand_tracking`], [`lstm`] | the four objectives of the ADBench suite |
//! | [`roe_flux`] | the flux between two states of a gas, on a line and in space |
//! | [`robot_arm`] | position and orientation of a robot's hand |
//! | [`heart_dipole`], [`propane`] | two systems of equations of MINPACK-2 |
//! | [`black_scholes`] | the greeks of an option |
//! | [`spherical_harmonics`] | many outputs of three inputs by recurrences |
//! | [`matrix_function`] | `(A + B) (A B)^T` |
//! | [`pollu`] | the rates of 25 chemical reactions |
//! | [`random_graph`] | random straight-line functions by seed |
//! | [`hessian_suite`] | ten test functions with sparse Hessians |
//! | [`registry`] | all of them by name, for command lines and reports |
//!
//! Invariant: an instance is checked when it is made; evaluating one at a point of its length does not panic.
//! Sources: named in each module.

pub mod black_scholes;
pub mod bundle_adjustment;
pub mod charged_particle;
pub mod classic;
mod error;
pub mod gmm;
mod hand_model;
pub mod hand_tracking;
pub mod heart_dipole;
pub mod hessian_suite;
mod instances;
pub mod lstm;
pub mod matrix_function;
pub mod pollu;
pub mod propane;
pub mod random_graph;
pub mod registry;
pub mod robot_arm;
pub mod roe_flux;
pub mod slides;
pub mod spherical_harmonics;
#[cfg(test)]
mod testing;
mod text;

pub use error::ProblemError;
