//! Automatic differentiation in forward, reverse and mixed mode, at any order.
#![deny(unsafe_code)]

pub mod elementary;
mod error;
pub mod forward;
mod scalar;

pub use error::Error;
pub use scalar::{Function, Mask, Scalar, ScalarFunction};

/// Everything that code written against this crate usually needs, for `use wengert::prelude::*`.
///
/// It names no type that nalgebra's prelude-like globs name.
pub mod prelude {
    pub use crate::elementary::CustomRule;
    pub use crate::error::Error;
    pub use crate::forward::{Dual, Lanes, Taylor, derivative, derivatives};
    pub use crate::scalar::{Function, Mask, Scalar, ScalarFunction};
    pub use crate::function;
    pub use num_dual::{DualNum, DualStruct};
    pub use num_traits::{One, Signed, Zero};
}
