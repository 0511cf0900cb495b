//! Products of matrices of carriers, and the checks that both decompositions share.
//!
//! Invariant: every entry of a product is one fused statement ([`Scalar::dot_of`]), whatever nalgebra does for `f64`.

use std::any::TypeId;

use nalgebra::DMatrix;

use crate::error::Error;
use crate::scalar::Scalar;

/// `a^T b`.
pub(super) fn transposed_product<S: Scalar>(a: &DMatrix<S>, b: &DMatrix<S>) -> DMatrix<S> {
    DMatrix::from_fn(a.ncols(), b.ncols(), |i, j| {
        S::dot_of(a.column(i).iter().copied().zip(b.column(j).iter().copied()))
    })
}

/// `a b`.
pub(super) fn product<S: Scalar>(a: &DMatrix<S>, b: &DMatrix<S>) -> DMatrix<S> {
    DMatrix::from_fn(a.nrows(), b.ncols(), |i, j| {
        S::dot_of(a.row(i).iter().copied().zip(b.column(j).iter().copied()))
    })
}

/// `I - a^T a`: how far the columns are from orthonormal.
pub(super) fn orthogonality_defect<S: Scalar>(a: &DMatrix<S>) -> DMatrix<S> {
    let mut defect = transposed_product(a, a);
    defect.neg_mut();
    for i in 0..defect.nrows() {
        defect[(i, i)] += 1.0;
    }
    defect
}

/// The plain numbers of a matrix of carriers, all finite.
pub(super) fn finite_values<S: Scalar>(a: &DMatrix<S>) -> Result<DMatrix<f64>, Error> {
    let values = a.map(|x| x.re());
    match values.iter().position(|x| !x.is_finite()) {
        Some(index) => Err(Error::NotFinite {
            what: "matrix",
            index,
            value: values[index],
        }),
        None => Ok(values),
    }
}

/// The number with the derivatives of `lifted` and, bit for bit, the value `value`.
pub(super) fn with_value<S: Scalar>(lifted: S, value: f64) -> S {
    (lifted - lifted.detach()) + value
}

/// -0 as +0, which is what [`with_value`] makes of it.
pub(super) fn without_negative_zero(x: f64) -> f64 {
    x + 0.0
}

/// Whether `S` is the plain number, so that there is nothing to lift.
pub(super) fn is_plain<S: Scalar>() -> bool {
    TypeId::of::<S>() == TypeId::of::<f64>()
}

/// How many refinement steps make all derivatives to the order of the carrier exact: each one takes order `p` to
/// `2 p + 1`, and the start has order 0.
///
/// A recorded program does not know how often it will be differentiated; it gets order 3.
pub(super) fn steps_for<S: Scalar>() -> usize {
    let order = if S::NDERIV == 0 { 3 } else { S::NDERIV };
    let mut steps = 0;
    let mut exact = 0;
    while exact < order {
        exact = 2 * exact + 1;
        steps += 1;
    }
    steps
}

/// Steps after which a refinement converges; the `f64` routines take about three sweeps per entry.
pub(super) fn iteration_limit(size: usize) -> usize {
    100 * size.max(10)
}

/// Distances up to this one are those of coinciding values: `4 n eps` times the largest one.
///
/// The backward error of the `f64` decompositions is a small multiple of `eps` times the norm, growing at most with `n`
/// (Higham 2002, §9 and §21); 4 is twice what was seen on rotated matrices with equal eigenvalues.
pub(super) fn smallest_gap(size: usize, largest: f64) -> f64 {
    let size = u32::try_from(size).map_or(f64::INFINITY, f64::from);
    4.0 * size * f64::EPSILON * largest
}
