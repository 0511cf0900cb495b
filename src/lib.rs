//! Automatic differentiation in forward, reverse and mixed mode, at any order.
//!
//! Write a function once, generic over [`Scalar`]; every driver takes it.
//!
//! ```
//! use wengert::prelude::*;
//!
//! fn rosenbrock<S: Scalar>(x: &[S]) -> S {
//!     let (a, b) = (-x[0] + 1.0, x[1] - x[0] * x[0]);
//!     a * a + b * b * 100.0
//! }
//!
//! // Reverse mode: the whole gradient for a few times the cost of the function.
//! assert_eq!(gradient(rosenbrock, &[1.0, 1.0])?, [0.0, 0.0]);
//! // A function object serves drivers that use several carriers, here forward over reverse.
//! let h = hessian(&function!(rosenbrock), &[1.0, 1.0])?;
//! assert_eq!(h.as_slice(), [802.0, -400.0, -400.0, 200.0]);
//! // Derivatives nest: this is the same Hessian.
//! let mut entries = [0.0; 4];
//! grad(grad(function!(rosenbrock))).eval(&[1.0, 1.0], &mut entries);
//! assert_eq!(entries, [802.0, -400.0, -400.0, 200.0]);
//! # Ok::<(), Error>(())
//! ```
//!
//! New here? Read the [`guide`].
//!
//! # The parts
//!
//! - [`crosscountry`]: the planner of elimination orders between forward and reverse.
//! - [`forward`]: numbers with tangents, series; [`forward::derivative`], [`forward::jvp`], [`forward::derivatives`].
//! - [`reverse`]: the tape; [`reverse::gradient`], [`reverse::vjp`], [`reverse::Pullback`], [`reverse::PreparedGradient`].
//! - [`mod@hessian`]: second and third order in every nesting, `grad(grad(f))`.
//! - [`jacobian()`], [`value_and_gradient_by`]: function objects in a [`Mode`] chosen at run time.
//! - [`elementary`]: the one table of rules, and rules of your own.
//! - [`linalg`]: eigenvalues and singular values; lu, cholesky and qr are nalgebra's own, on matrices of carriers.
//! - [`check`]: is this derivative right?
//! - [`report`]: what does it cost, exactly?
//! - [`program`]: the recorded Wengert list: record once, differentiate as a transformation, replay in lanes.
//! - [`crosscountry`]: the cheapest order in which to multiply partials; [`crosscountry::chain`] for chains of functions.
//!
//! Unusual inputs (kinks, domain errors, infinities, mixed recordings) behave as `EDGE_CASES.md` of the repository says.
//!
//! The prelude and nalgebra live together:
//!
//! ```
//! use nalgebra::{DMatrix, DVector};
//! use wengert::prelude::*;
//!
//! let a = DMatrix::from_row_slice(2, 2, &[4.0, 1.0, 1.0, 3.0]);
//! // The derivative of log det A by A is the inverse of its transpose.
//! let g = gradient_params(|a| a.clone().lu().determinant().ln(), &a)?;
//! assert!((g - a.transpose().try_inverse().expect("it is regular")).norm() < 1e-15);
//! let v = DVector::from_vec(vec![3.0, 4.0]);
//! let g = gradient_params(|v| v.dot(v).sqrt(), &v)?;
//! assert!((g - v.normalize()).norm() < 1e-15);
//! # Ok::<(), Error>(())
//! ```
#![deny(unsafe_code)]

pub mod check;
pub mod crosscountry;
pub mod elementary;
mod erased;
mod error;
pub mod forward;
pub mod guide;
pub mod hessian;
mod jacobian;
pub mod linalg;
pub mod program;
pub mod report;
pub mod reverse;
mod scalar;

pub use erased::{Erased, ErasedScalar};
pub use error::Error;
pub use hessian::{grad, hessian};
pub use jacobian::{Mode, PreparedJacobian, jacobian, value_and_gradient_by};
pub use scalar::{Function, Mask, Rows, Scalar, ScalarFunction};

/// Everything that code written against this crate usually needs, for `use wengert::prelude::*`.
///
/// It names no type that nalgebra's prelude-like globs name.
pub mod prelude {
    pub use crate::elementary::CustomRule;
    pub use crate::error::Error;
    pub use crate::forward::{
        Dual, Lanes, Taylor, derivative, derivatives, jacobian_forward, jvp, value_and_derivative,
    };
    pub use crate::function;
    pub use crate::hessian::{
        Grad, HessianMode, Tensor3, grad, hessian, hessian_by, hvp, laplacian, third_order,
    };
    pub use crate::jacobian::{Mode, PreparedJacobian, jacobian, value_and_gradient_by};
    pub use crate::reverse::{
        Params, PreparedGradient, Pullback, Var, gradient, gradient_params, jacobian_reverse,
        try_value_and_gradient, value_and_gradient, value_and_gradient_params, value_gradient_aux,
        vjp,
    };
    pub use crate::scalar::{Function, Mask, Rows, Scalar, ScalarFunction};
    pub use num_dual::{DualNum, DualStruct};
    pub use num_traits::{One, Signed, Zero};
}

/// The README's example is compiled as well.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
