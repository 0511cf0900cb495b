//! Functions that the literature on automatic differentiation always returns to.
//!
//! Invariant: each is the formula of its source, operation by operation.
//! Source: Griewank & Walther 2008, §2 and §3 for the last two.

use wengert::{Rows, Scalar, ScalarFunction};

use crate::ProblemError;

/// Rosenbrock's valley, `sum 100 (x[i+1] - x[i]^2)^2 + (1 - x[i])^2`.
///
/// ```
/// use wengert_problems::classic::rosenbrock;
/// assert_eq!(rosenbrock(&[-1.0, 2.0]), 104.0);
/// ```
/// **Shape**: any number of entries; 0 for fewer than two. **Cost**: 5 multiplications per term.
/// **Source**: Rosenbrock 1960; the chained form of Moré, Garbow & Hillstrom 1981.
pub fn rosenbrock<S: Scalar>(x: &[S]) -> S {
    S::sum_for(1..x.len(), |i| {
        let (valley, slope) = (x[i] - x[i - 1] * x[i - 1], x[i - 1] - 1.0);
        valley * valley * 100.0 + slope * slope
    })
}

/// Speelpenning's product, `x[0] x[1] ... x[n-1]`: a gradient that costs n^2 when it is done naively.
///
/// Written as a loop over binary products, which is what the example is about;
/// [`prod_of`](Scalar::prod_of) would make it one operation.
///
/// ```
/// use wengert_problems::classic::speelpenning;
/// assert_eq!(speelpenning(&[2.0, 3.0, 4.0]), 24.0);
/// ```
/// **Shape**: any number of factors; 1 when empty. **Cost**: n - 1 multiplications.
/// **Source**: Speelpenning 1980; Griewank & Walther 2008, §3.2.
pub fn speelpenning<S: Scalar>(x: &[S]) -> S {
    match x.split_first() {
        None => S::from(1.0),
        Some((first, rest)) => rest.iter().fold(*first, |product, x| product * *x),
    }
}

/// The Helmholtz energy of a mixed fluid in a unit volume, by the equation of state of Peng and Robinson.
///
/// ```text
/// f(x) = sum_i x_i ln(x_i / (1 - b'x)) - x'Ax / (sqrt(8) b'x) ln((1 + (1 + sqrt 2) b'x) / (1 + (1 - sqrt 2) b'x))
/// ```
///
/// The factor R T is 1. Needs `x > 0` and `b'x < 1`.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_problems::classic::Helmholtz;
/// let one = Helmholtz::new(vec![0.5], vec![0.0])?;
/// assert_eq!(one.call(&[1.0]), std::f64::consts::LN_2);
/// # Ok::<(), wengert_problems::ProblemError>(())
/// ```
/// **Shape**: n components. **Cost**: n^2 + 3n + O(1) multiplications, n + 1 logarithms.
/// **Source**: Griewank & Walther 2008, §3.4 (after Griewank 1989).
#[derive(Clone, Debug)]
pub struct Helmholtz {
    covolume: Vec<f64>,
    attraction: Vec<f64>,
}

impl Helmholtz {
    /// A fluid from its vector `b` and its matrix `A`, row by row.
    ///
    /// **Shape**: `covolume` n, `attraction` n x n. **Cost**: none.
    ///
    /// # Errors
    /// [`ProblemError::Size`] if the lengths do not fit or are 0.
    pub fn new(covolume: Vec<f64>, attraction: Vec<f64>) -> Result<Self, ProblemError> {
        let n = covolume.len();
        if n == 0 || n.checked_mul(n) != Some(attraction.len()) {
            let expected = "n >= 1 covolumes and n^2 attractions";
            return Err(ProblemError::size(
                "helmholtz",
                expected,
                &[n, attraction.len()],
            ));
        }
        Ok(Self {
            covolume,
            attraction,
        })
    }

    /// The fluid `b_i = 1 / (i + 2n)`, `A_ij = 1 / (i + j + 1)` (counted from 0): dense, symmetric and without symmetry
    /// between the components.
    ///
    /// **Shape**: n components. **Cost**: O(n^2).
    ///
    /// # Errors
    /// [`ProblemError::Size`] if `n` is 0 or above 10^4.
    pub fn with_components(n: usize) -> Result<Self, ProblemError> {
        if n == 0 || n > 10_000 {
            return Err(ProblemError::size("helmholtz", "1 <= n <= 10000", &[n]));
        }
        let b = (0..n).map(|i| 1.0 / to_f64(i + 2 * n)).collect();
        let a = (0..n * n)
            .map(|ij| 1.0 / to_f64(ij / n + ij % n + 1))
            .collect();
        Self::new(b, a)
    }

    /// A point inside the domain: all components `1 / n`.
    pub fn start(&self) -> Vec<f64> {
        let n = self.covolume.len();
        vec![1.0 / to_f64(n); n]
    }
}

impl ScalarFunction for Helmholtz {
    fn inputs(&self) -> Option<usize> {
        Some(self.covolume.len())
    }

    fn call<S: Scalar>(&self, x: &[S]) -> S {
        let root2 = std::f64::consts::SQRT_2;
        let bx = S::sum_for(0..x.len(), |i| x[i] * self.covolume[i]);
        let free = -bx + 1.0;
        let ideal = S::sum_for(0..x.len(), |i| x[i] * (x[i] / free).ln());
        let mut attraction = vec![S::from(0.0); x.len()];
        let rows = Rows::new(&self.attraction, x.len()).expect("there are n^2 attractions");
        S::map_rows(&[], &[rows], &mut attraction, |_, row, sum| {
            sum[0] = S::sum_of(x.iter().zip(row).map(|(x, a)| *x * *a));
        });
        let xax = S::dot_of(x.iter().copied().zip(attraction));
        let ratio = (bx * (1.0 + root2) + 1.0) / (bx * (1.0 - root2) + 1.0);
        ideal - xax / (bx * 8.0_f64.sqrt()) * ratio.ln()
    }
}

/// A count as a number; exact below 2^53, which no allocation reaches.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of things in memory are below 2^53"
)]
pub(crate) const fn to_f64(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use wengert::prelude::*;

    #[test]
    fn gradients_are_those_of_the_closed_forms() {
        let x = [-1.2, 1.0];
        let d0 = derivative(|t| rosenbrock(&[t, Dual::constant(x[1])]), x[0]);
        assert!((d0 + 215.6).abs() < 1e-12 * 215.6, "{d0}");
        let product = derivative(
            |t| speelpenning(&[Dual::constant(2.0), t, Dual::constant(5.0)]),
            3.0,
        );
        assert!((product - 10.0).abs() < 1e-15);
    }

    /// With A = 0 the gradient is `ln(x_i / (1 - b'x)) + 1 + b_i sum(x) / (1 - b'x)`.
    #[test]
    fn helmholtz_without_attraction_has_its_closed_gradient() {
        let b = vec![0.1, 0.2, 0.3];
        let fluid = Helmholtz::new(b.clone(), vec![0.0; 9]).unwrap();
        let x = [0.5, 0.25, 0.75];
        let free = 1.0 - (0.05 + 0.05 + 0.225);
        for i in 0..3 {
            let slope = derivative(
                |t| {
                    let mut point = x.map(Dual::constant);
                    point[i] = t;
                    fluid.call(&point)
                },
                x[i],
            );
            let closed = (x[i] / free).ln() + 1.0 + b[i] * 1.5 / free;
            assert!((slope - closed).abs() < 1e-14, "{i}: {slope} {closed}");
        }
    }

    /// For one component the second term is `-a x / (sqrt 8 b) ln(...)`.
    #[test]
    fn helmholtz_of_one_component_is_its_closed_form() {
        let fluid = Helmholtz::new(vec![0.25], vec![3.0]).unwrap();
        let (x, bx) = (0.8_f64, 0.2_f64);
        let root2 = 2.0_f64.sqrt();
        let ratio = (1.0 + (1.0 + root2) * bx) / (1.0 + (1.0 - root2) * bx);
        let closed = x * (x / (1.0 - bx)).ln() - 3.0 * x * x / (8.0_f64.sqrt() * bx) * ratio.ln();
        assert!((fluid.call(&[x]) - closed).abs() < 1e-14);
    }

    #[test]
    fn sizes_that_do_not_fit_are_errors() {
        assert!(Helmholtz::new(vec![], vec![]).is_err());
        assert!(Helmholtz::new(vec![1.0], vec![1.0, 2.0]).is_err());
        assert!(Helmholtz::with_components(0).is_err());
        assert!(Helmholtz::with_components(usize::MAX).is_err());
    }
}
