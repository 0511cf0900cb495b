//! Automatic differentiation in forward, reverse and mixed mode, at any order.
#![deny(unsafe_code)]

pub mod check;
pub mod elementary;
mod error;
pub mod forward;
pub mod hessian;
mod jacobian;
pub mod linalg;
pub mod program;
pub mod reverse;
mod scalar;

pub use error::Error;
pub use hessian::{grad, hessian};
pub use jacobian::{Mode, jacobian, value_and_gradient_by};
pub use scalar::{Function, Mask, Scalar, ScalarFunction};

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
    pub use crate::jacobian::{Mode, jacobian, value_and_gradient_by};
    pub use crate::reverse::{
        Params, PreparedGradient, Pullback, Var, gradient, gradient_params, jacobian_reverse,
        try_value_and_gradient, value_and_gradient, value_and_gradient_params, value_gradient_aux,
        vjp,
    };
    pub use crate::scalar::{Function, Mask, Scalar, ScalarFunction};
    pub use num_dual::{DualNum, DualStruct};
    pub use num_traits::{One, Signed, Zero};
}
