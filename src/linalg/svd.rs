//! The singular value decomposition `a = u diag(sigma) v^T`, in its thin form.
//!
//! Invariant: as for the eigenvalues, the decomposition of the values is constant, and what depends on the carrier comes
//! from a fixed number of Newton steps on `a v = u diag(sigma)`, `a^T u = v diag(sigma)`, `u^T u = v^T v = 1`.
//!
//! Source: Ogita & Aishima 2020 (Iterative refinement for singular value decomposition), here with a thin `u`: its part
//! outside the span of `u` is a projected residual, so that no orthogonal complement is needed.

use nalgebra::{DMatrix, DVector};

use super::dense::{
    finite_values, is_plain, iteration_limit, orthogonality_defect, product, smallest_gap,
    steps_for, transposed_product, with_value, without_negative_zero,
};
use crate::error::Error;
use crate::scalar::Scalar;

/// The singular values of a matrix in descending order, and its singular vectors.
///
/// **Shape**: for an m x n matrix and p = min(m, n): `u` is m x p, `singular_values` has p entries, `v_t` is p x n. Each
/// pair of vectors has the sign that nalgebra's `f64` routine gives it.
/// **Cost**: none; it is the result of [`svd`].
/// **Source**: as [`svd`].
#[derive(Clone, Debug, PartialEq)]
pub struct Svd<S: Scalar> {
    /// The left singular vectors, one column per singular value.
    pub u: DMatrix<S>,
    /// The singular values, descending.
    pub singular_values: DVector<S>,
    /// The right singular vectors, one row per singular value.
    pub v_t: DMatrix<S>,
}

/// The thin singular value decomposition, with derivatives of every order.
///
/// ```
/// use nalgebra::dmatrix;
/// use wengert::prelude::*;
/// use wengert::linalg::svd;
///
/// // d/da of the singular values of [[3, a], [0, 1], [0, 0]] at a = 0.
/// let (a, zero) = (Dual::new(0.0, 1.0), Dual::from(0.0));
/// let matrix = dmatrix![Dual::from(3.0), a; zero, Dual::from(1.0); zero, zero];
/// let s = svd(&matrix)?;
/// assert_eq!((s.singular_values[0].value, s.singular_values[1].value), (3.0, 1.0));
/// assert_eq!(s.singular_values[0].tangent, 0.0);
/// // The product of the factors is the matrix, with its tangents.
/// let a01 = s.u[(0, 0)] * s.singular_values[0] * s.v_t[(0, 1)]
///     + s.u[(0, 1)] * s.singular_values[1] * s.v_t[(1, 1)];
/// assert!((a01.tangent - 1.0).abs() < 1e-15);
/// # Ok::<(), wengert::Error>(())
/// ```
///
/// Without derivatives (`S = f64`) this is nalgebra's decomposition, and singular values may coincide or vanish.
///
/// **Shape**: `a` is m x n; m = 0 or n = 0 gives empty results.
/// **Cost**: the `f64` decomposition and, at total order d, `log2(d + 1)` refinements of
/// `5 m n p + 3 p^3` carrier multiplications each, as fused statements.
///
/// # Errors
/// [`Error::NotFinite`] (index in column-major order); [`Error::RepeatedEigenvalue`] if `S` carries derivatives and two
/// singular values are not more than `4 max(m, n) eps sigma_max` apart, or one is that close to its mirror image
/// `-sigma`: the singular value 0 has a kink, its gap is `2 sigma`; [`Error::NoConvergence`].
///
/// **Source**: Ogita & Aishima 2020, as Newton steps over carriers.
pub fn svd<S: Scalar>(a: &DMatrix<S>) -> Result<Svd<S>, Error> {
    if a.nrows() < a.ncols() {
        let Factors { u, sigma, v } = tall_svd(&a.transpose())?;
        return Ok(Svd {
            u: v,
            singular_values: sigma,
            v_t: u.transpose(),
        });
    }
    let Factors { u, sigma, v } = tall_svd(a)?;
    Ok(Svd {
        u,
        singular_values: sigma,
        v_t: v.transpose(),
    })
}

/// The singular values in descending order, with derivatives of every order.
///
/// ```
/// use nalgebra::dmatrix;
/// use wengert::prelude::*;
/// use wengert::linalg::singular_values;
/// let a = Dual::new(-3.0, 1.0);
/// let s = singular_values(&dmatrix![a, Dual::from(0.0); Dual::from(0.0), Dual::from(1.0)])?;
/// assert_eq!((s[0].value, s[0].tangent), (3.0, -1.0));
/// # Ok::<(), wengert::Error>(())
/// ```
///
/// **Shape**: `a` is m x n; the result has min(m, n) entries.
/// **Cost**: the `f64` decomposition and, at total order d, `log2(d + 1)` refinements; the last one takes
/// `3 m n p + p^3` carrier multiplications.
///
/// # Errors
/// As [`svd`].
///
/// **Source**: as [`svd`].
pub fn singular_values<S: Scalar>(a: &DMatrix<S>) -> Result<DVector<S>, Error> {
    if a.nrows() < a.ncols() {
        tall_singular_values(&a.transpose())
    } else {
        tall_singular_values(a)
    }
}

/// The factors of a matrix that has no more columns than rows.
struct Factors<S: Scalar> {
    u: DMatrix<S>,
    sigma: DVector<S>,
    v: DMatrix<S>,
}

impl Factors<f64> {
    /// The factors from which the lift starts: distinct singular values, and one Newton step on plain numbers.
    ///
    /// The step squares the error of the iteration, of which every derivative would keep a multiple.
    fn start(&self, a: &DMatrix<f64>) -> Result<Self, Error> {
        check_gaps(a.nrows(), &self.sigma)?;
        let (mut u, mut v) = (self.u.clone(), self.v.clone());
        let step = Step::at(a, &u, &v);
        let sigma = step.sigma.clone();
        step.correct(&mut u, &mut v);
        Ok(Self { u, sigma, v })
    }

    /// The factors as constants of a carrier.
    fn lift<S: Scalar>(&self) -> Factors<S> {
        Factors {
            u: self.u.map(S::from),
            sigma: self.sigma.map(S::from),
            v: self.v.map(S::from),
        }
    }
}

/// The decomposition for `m >= n`.
fn tall_svd<S: Scalar>(a: &DMatrix<S>) -> Result<Factors<S>, Error> {
    let values = finite_values(a)?;
    let plain = decompose(&values)?;
    if is_plain::<S>() {
        return Ok(plain.lift());
    }
    let mut factors = plain.start(&values)?.lift();
    for _ in 0..steps_for::<S>() {
        let step = Step::at(a, &factors.u, &factors.v);
        factors.sigma.copy_from(&step.sigma);
        step.correct(&mut factors.u, &mut factors.v);
    }
    Ok(Factors {
        u: factors.u.zip_map(&plain.u, with_value),
        sigma: factors.sigma.zip_map(&plain.sigma, with_value),
        v: factors.v.zip_map(&plain.v, with_value),
    })
}

/// The singular values for `m >= n`.
fn tall_singular_values<S: Scalar>(a: &DMatrix<S>) -> Result<DVector<S>, Error> {
    let values = finite_values(a)?;
    let plain = decompose(&values)?;
    if is_plain::<S>() {
        return Ok(plain.sigma.map(S::from));
    }
    let Factors { mut u, mut v, .. } = plain.start(&values)?.lift();
    for _ in 1..steps_for::<S>() {
        Step::at(a, &u, &v).correct(&mut u, &mut v);
    }
    Ok(Step::at(a, &u, &v).sigma.zip_map(&plain.sigma, with_value))
}

/// The plain decomposition, descending and verified.
fn decompose(a: &DMatrix<f64>) -> Result<Factors<f64>, Error> {
    let (m, n) = a.shape();
    if n == 0 {
        return Ok(Factors {
            u: a.clone(),
            sigma: DVector::zeros(0),
            v: DMatrix::zeros(0, 0),
        });
    }
    let iterations = iteration_limit(m);
    let not_converged = Error::NoConvergence { iterations };
    let plain = nalgebra::SVD::try_new(a.clone(), true, true, 5.0 * f64::EPSILON, iterations)
        .ok_or_else(|| not_converged.clone())?;
    let (Some(u), Some(v_t)) = (plain.u, plain.v_t) else {
        return Err(not_converged);
    };
    let u = u.map(without_negative_zero);
    let (sigma, v) = (
        plain.singular_values,
        v_t.transpose().map(without_negative_zero),
    );
    let scale = DMatrix::from_diagonal(&sigma);
    let residual = (a * &v - &u * &scale).norm() + (a.transpose() * &u - &v * &scale).norm();
    // Newton steps converge from anything closer than the square root of the precision.
    if residual <= f64::EPSILON.sqrt() * a.norm() {
        Ok(Factors { u, sigma, v })
    } else {
        Err(not_converged)
    }
}

/// Refuses singular values, given in descending order, that coincide with one another or with a mirror image.
fn check_gaps(rows: usize, sigma: &DVector<f64>) -> Result<(), Error> {
    let Some(smallest) = sigma.as_slice().last() else {
        return Ok(());
    };
    let gaps = sigma.as_slice().windows(2).map(|pair| pair[0] - pair[1]);
    let gap = gaps.fold(2.0 * smallest, f64::min);
    if gap <= smallest_gap(rows, sigma[0]) {
        Err(Error::RepeatedEigenvalue { gap })
    } else {
        Ok(())
    }
}

/// One Newton step at approximate factors.
///
/// With `u' = u (I + f) + w`, `w` orthogonal to `u`, and `v' = v (I + g)`, the equations to first order are, for
/// `t = u^T a v` and the defects `r = I - u^T u`, `s = I - v^T v`:
/// `f + f^T = r`, `g + g^T = s`, `t + sigma g = (f - r) sigma + sigma`, `t^T + sigma f = (g - s) sigma + sigma` and
/// `w sigma = a v - u (I + r) t`.
struct Step<S: Scalar> {
    /// `a v`.
    image: DMatrix<S>,
    /// `t`.
    projected: DMatrix<S>,
    /// `r`.
    left_defect: DMatrix<S>,
    /// `s`.
    right_defect: DMatrix<S>,
    /// The singular values: exact to order `2 p + 1` where the factors are exact to order `p`.
    sigma: DVector<S>,
}

impl<S: Scalar> Step<S> {
    fn at(a: &DMatrix<S>, u: &DMatrix<S>, v: &DMatrix<S>) -> Self {
        let image = product(a, v);
        let projected = transposed_product(u, &image);
        let (left_defect, right_defect) = (orthogonality_defect(u), orthogonality_defect(v));
        let sigma = DVector::from_fn(v.ncols(), |i, _| {
            let defect = left_defect[(i, i)] + right_defect[(i, i)];
            projected[(i, i)] / (defect * -0.5 + 1.0)
        });
        Self {
            image,
            projected,
            left_defect,
            right_defect,
            sigma,
        }
    }

    /// Adds `u f + w` and `v g`.
    fn correct(self, u: &mut DMatrix<S>, v: &mut DMatrix<S>) {
        let n = v.ncols();
        let mut f = self.left_defect.map(|r| r * 0.5);
        let mut g = self.right_defect.map(|s| s * 0.5);
        for (i, j) in (0..n)
            .flat_map(|i| (0..n).map(move |j| (i, j)))
            .filter(|(i, j)| i != j)
        {
            let (sigma_i, sigma_j) = (self.sigma[i], self.sigma[j]);
            let alpha = self.projected[(i, j)] + self.left_defect[(i, j)] * sigma_j;
            let beta = self.projected[(j, i)] + self.right_defect[(i, j)] * sigma_j;
            // Sum and difference of f and g are two divisions; no square of a singular value overflows.
            let sum = (alpha + beta) / (sigma_j - sigma_i);
            let difference = (alpha - beta) / (sigma_j + sigma_i);
            f[(i, j)] = (sum + difference) * 0.5;
            g[(i, j)] = (sum - difference) * 0.5;
        }
        let inside = &self.projected + product(&self.left_defect, &self.projected);
        let mut w = self.image - product(u, &inside);
        for (mut column, sigma) in w.column_iter_mut().zip(self.sigma.iter()) {
            column /= *sigma;
        }
        *u += product(u, &f) + w;
        *v += product(v, &g);
    }
}
