//! `(A + B) (A B)^T` of square matrices: two products in a row, with as many outputs as half the inputs.
//!
//! Invariant: matrices are stored row by row, `A` before `B`.
//! Source: a benchmark of FastDifferentiation.jl (Guenter), "simple matrix ops".

use wengert::{Function, Scalar};

use crate::ProblemError;

/// The largest matrices: a product of them has 8 million multiplications.
const MOST_ROWS: usize = 200;

/// The function for matrices of one size.
///
/// ```
/// use wengert::Function;
/// use wengert_problems::matrix_function::MatrixFunction;
/// let f = MatrixFunction::new(2)?;
/// let mut y = [0.0; 4];
/// f.eval(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], &mut y);
/// // [6 8; 10 12] times the transpose of [19 22; 43 50].
/// assert_eq!(y, [290.0, 658.0, 454.0, 1030.0]);
/// # Ok::<(), wengert_problems::ProblemError>(())
/// ```
/// **Shape**: `2 k^2` inputs, `k^2` outputs. **Cost**: `4 k^3 - k^2` operations. **Source**: as the module.
#[derive(Clone, Copy, Debug)]
pub struct MatrixFunction {
    rows: usize,
}

impl MatrixFunction {
    /// The function for matrices with this many rows.
    ///
    /// # Errors
    /// [`ProblemError::Size`] unless `1 <= rows <= 200`.
    pub fn new(rows: usize) -> Result<Self, ProblemError> {
        if (1..=MOST_ROWS).contains(&rows) {
            Ok(Self { rows })
        } else {
            let expected = "1 <= rows <= 200";
            Err(ProblemError::size("matrix-function", expected, &[rows]))
        }
    }

    /// Entries between -1 and 1, all different.
    #[must_use]
    pub fn x0(&self) -> Vec<f64> {
        let entries = 0..2 * self.rows * self.rows;
        entries
            .map(|i| (crate::classic::to_f64(i) * 0.7 + 0.3).sin())
            .collect()
    }
}

/// `sum of f(k)` over the terms of an entry; there is at least one.
fn sum<S: Scalar>(terms: usize, term: impl Fn(usize) -> S) -> S {
    (1..terms).fold(term(0), |sum, k| sum + term(k))
}

impl Function for MatrixFunction {
    fn inputs(&self) -> Option<usize> {
        Some(2 * self.rows * self.rows)
    }
    fn outputs(&self, _: usize) -> usize {
        self.rows * self.rows
    }
    fn eval<S: Scalar>(&self, x: &[S], y: &mut [S]) {
        let n = self.rows;
        let (a, b) = x.split_at(n * n);
        let total: Vec<S> = a.iter().zip(b).map(|(a, b)| *a + *b).collect();
        let cells = (0..n * n).map(|cell| (cell / n, cell % n));
        let product: Vec<S> = cells
            .clone()
            .map(|(i, j)| sum(n, |k| a[i * n + k] * b[k * n + j]))
            .collect();
        for (y, (i, j)) in y.iter_mut().zip(cells) {
            *y = sum(n, |k| total[i * n + k] * product[j * n + k]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::assert_modes_agree;
    use nalgebra::DMatrix;

    /// Values and directional derivatives against products of matrices.
    #[test]
    fn values_and_differentials_are_products_of_matrices() {
        for rows in [1, 2, 5] {
            let f = MatrixFunction::new(rows).unwrap();
            let x = f.x0();
            let j = assert_modes_agree(&f, &x);
            let matrix = |x: &[f64]| DMatrix::from_row_slice(rows, rows, x);
            let (a, b) = (matrix(&x[..rows * rows]), matrix(&x[rows * rows..]));
            let mut y = vec![0.0; rows * rows];
            f.eval(&x, &mut y);
            let expected = (&a + &b) * (&a * &b).transpose();
            assert!((matrix(&y) - expected).amax() < 1e-13);
            for input in 0..x.len() {
                let mut unit = vec![0.0; x.len()];
                unit[input] = 1.0;
                let (da, db) = (matrix(&unit[..rows * rows]), matrix(&unit[rows * rows..]));
                let inner = &da * &b + &a * &db;
                let expected = (da + db) * (&a * &b).transpose() + (&a + &b) * inner.transpose();
                let found = matrix(j.column(input).as_slice());
                assert!((found - expected).amax() < 1e-13, "{rows} {input}");
            }
        }
    }

    #[test]
    fn sizes_that_do_not_exist_are_errors() {
        for rows in [0, MOST_ROWS + 1, usize::MAX] {
            assert!(MatrixFunction::new(rows).is_err());
        }
    }
}
