//! What nalgebra computes but does not differentiate: eigenvalues, singular values, the determinant where it vanishes.
//!
//! The *direct* decompositions of nalgebra (`lu`, `cholesky`, `qr`, and with them `solve`, `try_inverse` and
//! `determinant`) run on matrices of carriers and differentiate as they are, also with exact zeros below the diagonal.
//!
//! **Never call nalgebra's iterative decompositions (`symmetric_eigen`, `svd`, `schur`, ...) on carriers.** They stop
//! iterating, and drop couplings, by looking at values only, so derivatives come out silently wrong: of
//! `[[1, a], [a, 2]]` at `a = 0` the second derivative of the eigenvalues is -2 and 2, and they return 0. The drivers here
//! decompose the plain `f64` values and lift the result to the carrier by rules that are exact at every order:
//!
//! - [`symmetric_eigen`], [`symmetric_eigenvalues`]: ascending order;
//! - [`svd`], [`singular_values`]: descending order.
//!
//! While a program records, the drivers look at the values of the matrix and so guard them bit for bit; the program can be
//! differentiated three times.
//!
//! Limits of the direct ones, all consequences of what they compute:
//! - `qr` at a matrix whose leading columns are linearly dependent is not differentiable; its derivatives are NaN there.
//! - `cholesky` and `try_inverse` of a singular matrix give `None`, as on `f64`.
//! - `determinant` of a *singular* matrix of order 4 or more may lose derivatives, because the elimination skips a column
//!   that is zero by value; [`determinant`] here does not.
//!
//! Invariant: values are bit for bit those of the same call on plain `f64` (EDGE_CASES R1); only derivatives are added.
//! Source: Ogita & Aishima 2018 and 2020 (one step of iterative refinement is one Newton step, here over carriers).

mod dense;
mod determinant;
mod eigen;
mod svd;

pub use determinant::determinant;
pub use eigen::{SymmetricEigen, symmetric_eigen, symmetric_eigenvalues};
pub use svd::{Svd, singular_values, svd};
