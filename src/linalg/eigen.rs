//! The symmetric eigenvalue problem: `a x = x diag(lambda)` with orthonormal `x`.
//!
//! Invariant: the eigenvectors of the values are constants; whatever depends on the carrier comes from Newton steps on
//! `a x = x diag(lambda)`, `x^T x = 1` in carrier arithmetic. Derivative parts are nilpotent, so a fixed number of steps
//! is exact, for every carrier and every order.
//!
//! Source: Ogita & Aishima 2018 (Iterative refinement for symmetric eigenvalue decomposition), algorithm 1; first order
//! as in Giles 2008, §3.1.

use nalgebra::{DMatrix, DVector};

use super::dense::{
    finite_values, is_plain, iteration_limit, orthogonality_defect, product, smallest_gap,
    steps_for, transposed_product, with_value, without_negative_zero,
};
use crate::error::{Error, check_len};
use crate::scalar::Scalar;

/// The eigenvalues of a symmetric matrix in ascending order, and its eigenvectors.
///
/// **Shape**: `n` eigenvalues; the eigenvectors are the columns of an n x n matrix, of length 1, each with the sign that
/// nalgebra's `f64` routine gives it.
/// **Cost**: none; it is the result of [`symmetric_eigen`].
/// **Source**: as [`symmetric_eigen`].
#[derive(Clone, Debug, PartialEq)]
pub struct SymmetricEigen<S: Scalar> {
    /// The eigenvalues, ascending.
    pub eigenvalues: DVector<S>,
    /// The eigenvectors, one column per eigenvalue.
    pub eigenvectors: DMatrix<S>,
}

/// The eigenvalues and eigenvectors of the symmetric part `(a + a^T) / 2`, with derivatives of every order.
///
/// ```
/// use nalgebra::dmatrix;
/// use wengert::prelude::*;
/// use wengert::linalg::symmetric_eigen;
///
/// // d/da of the eigenvectors of [[1, a], [a, 2]] at a = 0.
/// let a = Dual::new(0.0, 1.0);
/// let matrix = dmatrix![Dual::from(1.0), a; a, Dual::from(2.0)];
/// let eigen = symmetric_eigen(&matrix)?;
/// assert_eq!(eigen.eigenvalues[0].value, 1.0);
/// assert_eq!(eigen.eigenvalues[0].tangent, 0.0);
/// let first = eigen.eigenvectors.column(0);
/// assert_eq!(first[1].tangent, -first[0].value);
/// # Ok::<(), wengert::Error>(())
/// ```
///
/// Without derivatives (`S = f64`) this is nalgebra's decomposition, sorted, and eigenvalues may coincide.
///
/// **Shape**: `a` is n x n; n = 0 gives empty results.
/// **Cost**: the `f64` decomposition and, at total order d, `log2(d + 1)` refinements of `4 n^3` carrier
/// multiplications each, as `4 n^2` fused statements.
///
/// # Errors
/// [`Error::ShapeMismatch`] if `a` is not square, [`Error::NotFinite`] (index in column-major order),
/// [`Error::RepeatedEigenvalue`] if `S` carries derivatives and two eigenvalues are not more than
/// `4 n eps max |lambda|` apart, [`Error::NoConvergence`].
///
/// **Source**: Ogita & Aishima 2018, algorithm 1, as Newton steps over carriers.
pub fn symmetric_eigen<S: Scalar>(a: &DMatrix<S>) -> Result<SymmetricEigen<S>, Error> {
    let (a, values) = prepare(a)?;
    let plain = decompose(&values)?;
    if is_plain::<S>() {
        return Ok(SymmetricEigen {
            eigenvalues: plain.eigenvalues.map(S::from),
            eigenvectors: plain.eigenvectors.map(S::from),
        });
    }
    let mut eigenvectors = plain.start(&values)?.map(S::from);
    let mut eigenvalues = plain.eigenvalues.map(S::from);
    for _ in 0..steps_for::<S>() {
        let step = Step::at(&a, &eigenvectors);
        eigenvectors += product(&eigenvectors, &step.correction());
        eigenvalues = step.eigenvalues;
    }
    Ok(SymmetricEigen {
        eigenvalues: eigenvalues.zip_map(&plain.eigenvalues, with_value),
        eigenvectors: eigenvectors.zip_map(&plain.eigenvectors, with_value),
    })
}

/// The eigenvalues of the symmetric part `(a + a^T) / 2` in ascending order, with derivatives of every order.
///
/// ```
/// use nalgebra::dmatrix;
/// use wengert::prelude::*;
/// use wengert::linalg::symmetric_eigenvalues;
///
/// // The second derivative of the smaller eigenvalue 3/2 - sqrt(1/4 + a^2) of [[1, a], [a, 2]] at a = 0.
/// let a = Dual::new(Dual::new(0.0, 1.0), Dual::from(1.0));
/// let eigenvalues = symmetric_eigenvalues(&dmatrix![Dual::from(1.0), a; a, Dual::from(2.0)])?;
/// assert_eq!(eigenvalues[0].tangent.tangent, -2.0);
/// # Ok::<(), wengert::Error>(())
/// ```
///
/// Repeated eigenvalues are refused although some of their first derivatives exist: they depend on the direction.
///
/// **Shape**: `a` is n x n; the result has n entries.
/// **Cost**: the `f64` decomposition and, at total order d, `log2(d + 1)` refinements; at first order one of
/// `3 n^3` carrier multiplications.
///
/// # Errors
/// As [`symmetric_eigen`].
///
/// **Source**: Ogita & Aishima 2018, algorithm 1; a Rayleigh quotient is exact to order `2 p + 1` where the vectors are
/// exact to order `p`.
pub fn symmetric_eigenvalues<S: Scalar>(a: &DMatrix<S>) -> Result<DVector<S>, Error> {
    let (a, values) = prepare(a)?;
    let plain = decompose(&values)?;
    if is_plain::<S>() {
        return Ok(plain.eigenvalues.map(S::from));
    }
    let mut eigenvectors = plain.start(&values)?.map(S::from);
    for _ in 1..steps_for::<S>() {
        let step = Step::at(&a, &eigenvectors);
        eigenvectors += product(&eigenvectors, &step.correction());
    }
    let eigenvalues = Step::at(&a, &eigenvectors).eigenvalues;
    Ok(eigenvalues.zip_map(&plain.eigenvalues, with_value))
}

impl SymmetricEigen<f64> {
    /// The eigenvectors from which the lift starts: of distinct eigenvalues, and after one Newton step on plain numbers.
    ///
    /// The step squares the error of the iteration, of which every derivative would keep a multiple.
    fn start(&self, a: &DMatrix<f64>) -> Result<DMatrix<f64>, Error> {
        check_gaps(&self.eigenvalues)?;
        let x = &self.eigenvectors;
        Ok(x + product(x, &Step::at(a, x).correction()))
    }
}

/// The symmetric part, and its plain values.
fn prepare<S: Scalar>(a: &DMatrix<S>) -> Result<(DMatrix<S>, DMatrix<f64>), Error> {
    check_len("a row of the matrix", a.nrows(), a.ncols())?;
    finite_values(a)?;
    let symmetric = DMatrix::from_fn(a.nrows(), a.ncols(), |i, j| match i.cmp(&j) {
        std::cmp::Ordering::Equal => a[(i, i)],
        std::cmp::Ordering::Less => a[(i, j)] * 0.5 + a[(j, i)] * 0.5,
        std::cmp::Ordering::Greater => a[(j, i)] * 0.5 + a[(i, j)] * 0.5,
    });
    let values = symmetric.map(|x| x.re());
    Ok((symmetric, values))
}

/// The plain decomposition, sorted and verified.
fn decompose(a: &DMatrix<f64>) -> Result<SymmetricEigen<f64>, Error> {
    let n = a.nrows();
    if n == 0 {
        return Ok(SymmetricEigen {
            eigenvalues: DVector::zeros(0),
            eigenvectors: a.clone(),
        });
    }
    let iterations = iteration_limit(n);
    let not_converged = Error::NoConvergence { iterations };
    let eigen = nalgebra::SymmetricEigen::try_new(a.clone(), f64::EPSILON, iterations)
        .ok_or_else(|| not_converged.clone())?;
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| eigen.eigenvalues[i].total_cmp(&eigen.eigenvalues[j]));
    let eigenvalues =
        DVector::from_fn(n, |i, _| without_negative_zero(eigen.eigenvalues[order[i]]));
    let eigenvectors = DMatrix::from_fn(n, n, |i, j| {
        without_negative_zero(eigen.eigenvectors[(i, order[j])])
    });
    let residual = a * &eigenvectors - &eigenvectors * DMatrix::from_diagonal(&eigenvalues);
    // Newton steps converge from anything closer than the square root of the precision.
    if residual.norm() <= f64::EPSILON.sqrt() * a.norm() {
        Ok(SymmetricEigen {
            eigenvalues,
            eigenvectors,
        })
    } else {
        Err(not_converged)
    }
}

/// Refuses eigenvalues, given in ascending order, that coincide.
fn check_gaps(eigenvalues: &DVector<f64>) -> Result<(), Error> {
    let gaps = eigenvalues
        .as_slice()
        .windows(2)
        .map(|pair| pair[1] - pair[0]);
    let gap = gaps.fold(f64::INFINITY, f64::min);
    if gap <= smallest_gap(eigenvalues.len(), eigenvalues.amax()) {
        Err(Error::RepeatedEigenvalue { gap })
    } else {
        Ok(())
    }
}

/// One Newton step for approximate eigenvectors `x`.
struct Step<S: Scalar> {
    /// `x^T a x`, diagonal to the order that `x` has.
    projected: DMatrix<S>,
    /// `I - x^T x`.
    defect: DMatrix<S>,
    /// The Rayleigh quotients.
    eigenvalues: DVector<S>,
}

impl<S: Scalar> Step<S> {
    fn at(a: &DMatrix<S>, x: &DMatrix<S>) -> Self {
        let projected = transposed_product(x, &product(a, x));
        let defect = orthogonality_defect(x);
        let eigenvalues = DVector::from_fn(x.ncols(), |i, _| {
            projected[(i, i)] / (-defect[(i, i)] + 1.0)
        });
        Self {
            projected,
            defect,
            eigenvalues,
        }
    }

    /// The matrix `e` such that `x (I + e)` has twice the order, plus one.
    fn correction(&self) -> DMatrix<S> {
        let n = self.eigenvalues.len();
        DMatrix::from_fn(n, n, |i, j| {
            let defect = self.defect[(i, j)];
            if i == j {
                return defect * 0.5;
            }
            let (lambda_i, lambda_j) = (self.eigenvalues[i], self.eigenvalues[j]);
            (self.projected[(i, j)] + lambda_j * defect) / (lambda_j - lambda_i)
        })
    }
}
