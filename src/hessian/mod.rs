//! Second and higher derivatives: Hessians in every nesting of the modes, products with them, third order, Laplacians, and
//! `grad(grad(f))` literally.
//!
//! Invariant: all nestings give the same Hessian to rounding; a test compares each with 60-digit tables.
//! Source: Griewank & Walther 2008, §5.1 (second-order adjoints).

mod grad;
mod second;
mod third;

pub use grad::{Grad, grad};
pub use second::{HessianMode, hessian, hessian_by, hvp, laplacian};
pub use third::{Tensor3, third_order};
