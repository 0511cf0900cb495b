//! All real spherical harmonics up to an order, by recurrences: many outputs of three inputs that share most of their work.
//!
//! Invariant: on the unit sphere the outputs are orthonormal; beside it each is a polynomial, not homogeneous.
//! Source: Green 2003, "Spherical harmonic lighting"; Sloan 2013, "Efficient spherical harmonic evaluation"; a benchmark of
//! FastDifferentiation.jl (Guenter), which calls ours "order + 1".

use std::f64::consts::PI;

use wengert::{Function, Scalar};

use crate::ProblemError;
use crate::classic::to_f64;

/// The largest order: the factors of the largest degrees nearly leave the range of `f64` beyond it.
const MOST_ORDER: usize = 80;

/// The harmonics of degree 0 to an order, of the point `x, y, z`; degree `l` and `-l <= m <= l` is output `l^2 + l + m`.
///
/// ```
/// use std::f64::consts::PI;
/// use wengert::Function;
/// use wengert_problems::spherical_harmonics::SphericalHarmonics;
/// let f = SphericalHarmonics::new(1)?;
/// let mut y = [0.0; 4];
/// f.eval(&[0.48, 0.6, 0.64], &mut y);
/// let factor = (3.0 / (4.0 * PI)).sqrt();
/// let expected = [(0.25 / PI).sqrt(), -factor * 0.6, factor * 0.64, -factor * 0.48];
/// assert!(y.iter().zip(expected).all(|(y, e)| (y - e).abs() < 1e-15));
/// # Ok::<(), wengert_problems::ProblemError>(())
/// ```
///
/// Differs from the benchmark, where the cosine and sine recurrences are mixed up (its second sine is `xy - yx`): here they
/// are the real and imaginary parts of `(x + iy)^m`, with the same operations. Normalisation is exact there only beyond
/// order 0. The Condon-Shortley sign `(-1)^m` is kept.
///
/// **Shape**: 3 inputs, `(order + 1)^2` outputs.
/// **Cost**: about `3.5 (order + 1)^2` operations.
/// **Source**: as the module.
#[derive(Clone, Debug)]
pub struct SphericalHarmonics {
    order: usize,
    /// The factor of degree `l` and `m >= 0` at `l (l + 1) / 2 + m`.
    factors: Vec<f64>,
}

impl SphericalHarmonics {
    /// The harmonics up to this order.
    ///
    /// **Cost**: `order^3` operations.
    ///
    /// # Errors
    /// [`ProblemError::Size`] unless `1 <= order <= 80`.
    pub fn new(order: usize) -> Result<Self, ProblemError> {
        if !(1..=MOST_ORDER).contains(&order) {
            let expected = "1 <= order <= 80";
            return Err(ProblemError::size(
                "spherical-harmonics",
                expected,
                &[order],
            ));
        }
        let degrees = 0..=order;
        let factors = degrees.flat_map(|l| (0..=l).map(move |m| factor(l, m)));
        Ok(Self {
            order,
            factors: factors.collect(),
        })
    }

    /// A point of the unit sphere without symmetries.
    #[must_use]
    pub const fn x0() -> [f64; 3] {
        [0.48, 0.6, 0.64]
    }

    /// Writes the outputs of one `m`, with the parts of `(x + iy)^m`; degree by degree.
    fn column<S: Scalar>(&self, m: usize, z: S, power: Option<[S; 2]>, y: &mut [S]) {
        // The first Legendre factor of a column is a number.
        let first = (1..=m).fold(1.0, |p, k| p * (1.0 - 2.0 * to_f64(k)));
        let mut before = None;
        let mut last = z * (to_f64(2 * m + 1) * first);
        write(
            y,
            m,
            m,
            power,
            None,
            first * self.factors[m * (m + 1) / 2 + m],
        );
        for l in m + 1..=self.order {
            if l > m + 1 {
                let (a, b) = (to_f64(2 * l - 1), to_f64(l + m - 1));
                let (a, b) = (a / to_f64(l - m), b / to_f64(l - m));
                let lower = z * a * last;
                let next = match before {
                    None => lower - b * first,
                    Some(before) => lower - before * b,
                };
                before = Some(last);
                last = next;
            }
            write(
                y,
                l,
                m,
                power,
                Some(last),
                self.factors[l * (l + 1) / 2 + m],
            );
        }
    }
}

/// Writes the outputs of degree `l` with `m` and `-m`: a factor times a Legendre factor times the parts of the power.
fn write<S: Scalar>(
    y: &mut [S],
    l: usize,
    m: usize,
    power: Option<[S; 2]>,
    legendre: Option<S>,
    factor: f64,
) {
    let at = l * l + l;
    let scaled = legendre.map(|legendre| legendre * factor);
    match (power, scaled) {
        (None, scaled) => y[at] = scaled.unwrap_or_else(|| S::from(factor)),
        (Some([re, im]), None) => (y[at + m], y[at - m]) = (re * factor, im * factor),
        (Some([re, im]), Some(scaled)) => (y[at + m], y[at - m]) = (scaled * re, scaled * im),
    }
}

/// `sqrt((2l + 1) / (2 pi) (l - m)! / (l + m)!)`, and without one 2 for `m = 0`.
fn factor(l: usize, m: usize) -> f64 {
    let ratio = (l - m + 1..=l + m).fold(1.0, |ratio, k| ratio / to_f64(k));
    let circle = if m == 0 { 4.0 * PI } else { 2.0 * PI };
    (to_f64(2 * l + 1) / circle * ratio).sqrt()
}

impl Function for SphericalHarmonics {
    fn inputs(&self) -> Option<usize> {
        Some(3)
    }
    fn outputs(&self, _: usize) -> usize {
        (self.order + 1).pow(2)
    }
    fn eval<S: Scalar>(&self, point: &[S], outputs: &mut [S]) {
        let (x, y, z) = (point[0], point[1], point[2]);
        self.column(0, z, None, outputs);
        let mut power = [x, y];
        self.column(1, z, Some(power), outputs);
        for m in 2..=self.order {
            let [re, im] = power;
            power = [x * re - y * im, x * im + y * re];
            self.column(m, z, Some(power), outputs);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::assert_modes_agree;

    fn values(order: usize, x: &[f64; 3]) -> Vec<f64> {
        let f = SphericalHarmonics::new(order).unwrap();
        let mut y = vec![f64::NAN; f.outputs(3)];
        f.eval(x, &mut y);
        y
    }

    /// The explicit polynomials of degree 2 and one of degree 3, with the sign `(-1)^m`.
    #[test]
    fn low_degrees_are_the_known_polynomials() {
        let [x, y, z] = SphericalHarmonics::x0();
        let found = values(3, &[x, y, z]);
        let half = 0.5 * (15.0 / PI).sqrt();
        let expected = [
            half * x * y,
            -half * y * z,
            0.25 * (5.0 / PI).sqrt() * (3.0 * z * z - 1.0),
            -half * x * z,
            0.5 * half * (x * x - y * y),
            -0.25 * (35.0 / (2.0 * PI)).sqrt() * y * (3.0 * x * x - y * y),
        ];
        for (k, expected) in expected.into_iter().enumerate() {
            assert!(
                (found[4 + k] - expected).abs() < 1e-15,
                "{k}: {}",
                found[4 + k]
            );
        }
    }

    /// Unsöld's theorem: on the sphere the squares of a degree sum to a constant.
    #[test]
    fn squares_of_a_degree_sum_to_a_constant() {
        for x in [SphericalHarmonics::x0(), [-2.0 / 7.0, 3.0 / 7.0, 6.0 / 7.0]] {
            for order in [1, 10, 40, MOST_ORDER] {
                let y = values(order, &x);
                for l in 0..=order {
                    let sum: f64 = y[l * l..(l + 1) * (l + 1)].iter().map(|y| y * y).sum();
                    let expected = to_f64(2 * l + 1) / (4.0 * PI);
                    assert!((sum / expected - 1.0).abs() < 1e-11, "{order} {l}: {sum}");
                }
            }
        }
    }

    /// Quadrature that is exact for products of two harmonics: even steps of longitude, Gauss points of z.
    #[test]
    fn they_are_orthonormal() {
        // Gauss-Legendre with 5 points is exact to degree 9.
        let (a, b) = (2.0 * (10.0_f64 / 7.0).sqrt(), 70.0_f64.sqrt());
        let (inner, outer) = ((5.0 - a).sqrt() / 3.0, (5.0 + a).sqrt() / 3.0);
        let (light, heavy) = ((322.0 - 13.0 * b) / 900.0, (322.0 + 13.0 * b) / 900.0);
        let rule = [
            (0.0, 128.0 / 225.0),
            (inner, heavy),
            (-inner, heavy),
            (outer, light),
            (-outer, light),
        ];
        let mut gram = vec![vec![0.0; 25]; 25];
        for (z, weight) in rule {
            for step in 0..10 {
                let longitude = 2.0 * PI * f64::from(step) / 10.0;
                let radius = (1.0_f64 - z * z).sqrt();
                let y = values(4, &[radius * longitude.cos(), radius * longitude.sin(), z]);
                for (row, yi) in gram.iter_mut().zip(&y) {
                    for (entry, yj) in row.iter_mut().zip(&y) {
                        *entry += weight * 2.0 * PI / 10.0 * yi * yj;
                    }
                }
            }
        }
        for (i, row) in gram.iter().enumerate() {
            for (j, entry) in row.iter().enumerate() {
                let expected = f64::from(u8::from(i == j));
                assert!((entry - expected).abs() < 1e-14, "{i} {j}: {entry}");
            }
        }
    }

    /// The ladder operator `x d/dy - y d/dx` turns about z: it maps `m` to `-m` and multiplies by `m`.
    #[test]
    fn the_jacobian_turns_harmonics_into_each_other() {
        let (f, x) = (
            SphericalHarmonics::new(10).unwrap(),
            SphericalHarmonics::x0(),
        );
        let y = values(10, &x);
        let j = assert_modes_agree(&f, &x);
        for l in 0..=10 {
            for m in 0..=l {
                let at = l * l + l;
                let turn = |row: usize| x[0] * j[(row, 1)] - x[1] * j[(row, 0)];
                let m_real = to_f64(m);
                assert!(
                    (turn(at + m) + m_real * y[at - m] * f64::from(u8::from(m > 0))).abs() < 1e-13
                );
                assert!(
                    (turn(at - m) - m_real * y[at + m] * f64::from(u8::from(m > 0))).abs() < 1e-13
                );
            }
        }
    }

    #[test]
    fn orders_that_do_not_exist_are_errors() {
        for order in [0, MOST_ORDER + 1, usize::MAX] {
            assert!(SphericalHarmonics::new(order).is_err());
        }
        assert!(
            values(MOST_ORDER, &SphericalHarmonics::x0())
                .iter()
                .all(|y| y.is_finite())
        );
    }
}
