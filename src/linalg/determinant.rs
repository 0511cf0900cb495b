//! The determinant, differentiable at singular matrices too.
//!
//! Invariant: nothing is divided by a pivot that is zero or rounding noise. Elimination with complete pivoting stops
//! there, and the block that is left is expanded without divisions, so all derivatives are polynomials in its entries.
//!
//! Source: Golub & Van Loan 2013, §3.4.8 (complete pivoting); Bird 2011 (A simple division-free algorithm for computing
//! determinants).

use nalgebra::DMatrix;

use super::dense::{finite_values, product, smallest_gap};
use crate::error::{Error, check_len};
use crate::scalar::Scalar;

/// The determinant, with right derivatives of every order also where it vanishes.
///
/// nalgebra's `determinant` skips a column that is zero by value, and so loses derivatives of singular matrices.
///
/// ```
/// use nalgebra::dmatrix;
/// use wengert::prelude::*;
/// use wengert::linalg::determinant;
///
/// // det = 2 a - b at a = b = 0, along b.
/// let (zero, one) = (Dual::from(0.0), Dual::from(1.0));
/// let b = Dual::new(0.0, 1.0);
/// let matrix = dmatrix![one, zero, zero, zero; zero, one, zero, zero; zero, zero, zero, one; zero, zero, b, one * 2.0];
/// assert_eq!(determinant(&matrix)?.tangent, -1.0);
/// assert_eq!(matrix.determinant().tangent, 0.0);
/// # Ok::<(), wengert::Error>(())
/// ```
///
/// **Shape**: `a` is n x n; 1 for n = 0.
/// **Cost**: `n^3 / 3` carrier multiplications; `k^4` more where the rank is `n - k`, to `4 n eps` times the largest
/// entry.
///
/// # Errors
/// [`Error::ShapeMismatch`] if `a` is not square, [`Error::NotFinite`] (index in column-major order).
///
/// **Source**: Golub & Van Loan 2013, §3.4.8; Bird 2011.
pub fn determinant<S: Scalar>(a: &DMatrix<S>) -> Result<S, Error> {
    check_len("a row of the matrix", a.nrows(), a.ncols())?;
    let n = a.nrows();
    let noise = smallest_gap(n, finite_values(a)?.amax());
    let mut a = a.clone();
    let mut result = S::from(1.0);
    for k in 0..n {
        let (row, column) = largest_entry(&a, k);
        if a[(row, column)].re().abs() <= noise {
            let rest = a.view((k, k), (n - k, n - k)).clone_owned();
            return Ok(result * division_free(&rest));
        }
        if row != k {
            a.swap_rows(row, k);
            result = -result;
        }
        if column != k {
            a.swap_columns(column, k);
            result = -result;
        }
        let pivot = a[(k, k)];
        result *= pivot;
        for i in k + 1..n {
            let factor = a[(i, k)] / pivot;
            for j in k + 1..n {
                let product = factor * a[(k, j)];
                a[(i, j)] -= product;
            }
        }
    }
    Ok(result)
}

/// Where the largest value stands among the rows and columns from `k` on.
fn largest_entry<S: Scalar>(a: &DMatrix<S>, k: usize) -> (usize, usize) {
    let mut best = (k, k);
    for j in k..a.ncols() {
        for i in k..a.nrows() {
            if a[(i, j)].re().abs() > a[best].re().abs() {
                best = (i, j);
            }
        }
    }
    best
}

/// The determinant of a matrix with at least one row by products and sums only (Bird 2011).
fn division_free<S: Scalar>(a: &DMatrix<S>) -> S {
    let n = a.nrows();
    let mut f = a.clone();
    for _ in 1..n {
        // Strictly upper triangular, with the negated sum of the diagonal below on the diagonal.
        let mut upper = f.upper_triangle();
        let mut below = S::from(0.0);
        for i in (0..n).rev() {
            upper[(i, i)] = -below;
            below += f[(i, i)];
        }
        f = product(&upper, a);
    }
    if n.is_multiple_of(2) {
        -f[(0, 0)]
    } else {
        f[(0, 0)]
    }
}
