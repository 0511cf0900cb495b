//! Ten test functions of any size with Hessians of different structure: banded, arrow, grid, dense.
//!
//! Invariant: a [`TestFunction`] exists only for a number of variables that its family admits.
//! Source: Moré, Garbow & Hillstrom 1981, CUTEst (Gould, Orban & Toint 2015) and MINPACK-2 (Averick et al. 1992); `lj` is
//! the Lennard-Jones cluster, `ocp` a Lagrangian of a discretised pendulum.

use wengert::{Rows, Scalar, ScalarFunction};

use crate::ProblemError;
use crate::classic::{rosenbrock, to_f64};

/// A family of test functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// [`rosen`]: tridiagonal Hessian.
    Rosen,
    /// [`arwhead`]: arrow.
    Arwhead,
    /// [`cosine`]: tridiagonal.
    Cosine,
    /// [`bdqrtic`]: band and arrow.
    Bdqrtic,
    /// [`brybnd`]: band.
    Brybnd,
    /// [`tridia`]: tridiagonal, quadratic function.
    Tridia,
    /// [`minsurf`]: grid of triangles.
    Minsurf,
    /// [`bratu`]: grid.
    Bratu,
    /// [`lj`]: dense.
    Lj,
    /// [`ocp`]: blocks along the diagonal.
    Ocp,
}

/// All families, in the order of the tables.
pub const FAMILIES: [Family; 10] = [
    Family::Rosen,
    Family::Arwhead,
    Family::Cosine,
    Family::Bdqrtic,
    Family::Brybnd,
    Family::Tridia,
    Family::Minsurf,
    Family::Bratu,
    Family::Lj,
    Family::Ocp,
];

impl Family {
    /// The name in the tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rosen => "rosen",
            Self::Arwhead => "arwhead",
            Self::Cosine => "cosine",
            Self::Bdqrtic => "bdqrtic",
            Self::Brybnd => "brybnd",
            Self::Tridia => "tridia",
            Self::Minsurf => "minsurf",
            Self::Bratu => "bratu",
            Self::Lj => "lj",
            Self::Ocp => "ocp",
        }
    }

    /// The family of this name.
    ///
    /// ```
    /// use wengert_problems::hessian_suite::Family;
    /// assert_eq!(Family::from_name("lj"), Some(Family::Lj));
    /// ```
    pub fn from_name(name: &str) -> Option<Self> {
        FAMILIES.into_iter().find(|family| family.name() == name)
    }

    /// Which numbers of variables the family admits, in words.
    pub const fn admissible(self) -> &'static str {
        match self {
            Self::Rosen | Self::Arwhead | Self::Cosine => "n >= 2",
            Self::Bdqrtic => "n >= 5",
            Self::Brybnd | Self::Tridia => "n >= 1",
            Self::Minsurf | Self::Bratu => "a square n >= 1",
            Self::Lj => "a multiple of 3, n >= 6",
            Self::Ocp => "a multiple of 3, n >= 6",
        }
    }

    /// Whether the family has a function of `n` variables.
    pub const fn admits(self, n: usize) -> bool {
        match self {
            Self::Rosen | Self::Arwhead | Self::Cosine => n >= 2,
            Self::Bdqrtic => n >= 5,
            Self::Brybnd | Self::Tridia => n >= 1,
            Self::Minsurf | Self::Bratu => n >= 1 && n.isqrt() * n.isqrt() == n,
            Self::Lj | Self::Ocp => n >= 6 && n.is_multiple_of(3),
        }
    }
}

/// A function of a family, of a number of variables that it admits.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_problems::hessian_suite::{Family, TestFunction};
/// let rosen = TestFunction::new(Family::Rosen, 2)?;
/// assert_eq!(rosen.call(&[-1.0, 2.0]), 104.0);
/// let none = TestFunction::new(Family::Minsurf, 7).unwrap_err();
/// assert_eq!(none.to_string(), "minsurf needs a square n >= 1, found [7]");
/// # Ok::<(), wengert_problems::ProblemError>(())
/// ```
/// **Shape**: `n` inputs, one output. **Cost**: linear in `n`, but quadratic for `lj`.
/// **Source**: as the module.
#[derive(Clone, Copy, Debug)]
pub struct TestFunction {
    family: Family,
    n: usize,
}

impl TestFunction {
    /// The function of `n` variables.
    ///
    /// **Cost**: none.
    ///
    /// # Errors
    /// [`ProblemError::Size`] if the family does not admit `n`.
    pub fn new(family: Family, n: usize) -> Result<Self, ProblemError> {
        if family.admits(n) {
            Ok(Self { family, n })
        } else {
            Err(ProblemError::size(family.name(), family.admissible(), &[n]))
        }
    }

    /// The family.
    pub const fn family(&self) -> Family {
        self.family
    }

    /// The number of variables.
    pub const fn n(&self) -> usize {
        self.n
    }

    /// The usual start point; for `lj` points of a slightly deformed lattice, for `ocp` a smooth guess.
    ///
    /// **Shape**: `n` entries. **Cost**: linear.
    pub fn x0(&self) -> Vec<f64> {
        let n = self.n;
        match self.family {
            Family::Rosen => (0..n)
                .map(|i| if i % 2 == 0 { -1.2 } else { 1.0 })
                .collect(),
            Family::Arwhead | Family::Cosine | Family::Bdqrtic | Family::Tridia => vec![1.0; n],
            Family::Brybnd => vec![-1.0; n],
            Family::Minsurf | Family::Bratu => vec![0.0; n],
            Family::Lj => {
                let side = (1..).find(|s| s * s * s >= n / 3).unwrap_or(1);
                let place = |p: usize| [p % side, p / side % side, p / (side * side)];
                let shift = |p: usize| 0.02 * (to_f64(p) * 1.7).sin();
                (0..n / 3)
                    .flat_map(|p| place(p).map(|c| 1.1 * to_f64(c) + shift(p)))
                    .collect()
            }
            Family::Ocp => (0..n).map(|i| 0.1 * (to_f64(i) * 0.3).cos()).collect(),
        }
    }
}

impl ScalarFunction for TestFunction {
    fn inputs(&self) -> Option<usize> {
        Some(self.n)
    }

    fn call<S: Scalar>(&self, x: &[S]) -> S {
        match self.family {
            Family::Rosen => rosen(x),
            Family::Arwhead => arwhead(x),
            Family::Cosine => cosine(x),
            Family::Bdqrtic => bdqrtic(x),
            Family::Brybnd => brybnd(x),
            Family::Tridia => tridia(x),
            Family::Minsurf => minsurf(x),
            Family::Bratu => bratu(x),
            Family::Lj => lj(x),
            Family::Ocp => ocp(x),
        }
    }
}

#[inline]
fn square<S: Scalar>(x: S) -> S {
    x * x
}

/// Rosenbrock's valley, as [`rosenbrock`].
///
/// **Shape**: n >= 2. **Cost**: 5 multiplications per term. **Source**: CUTEst `EXTROSNB`, with (1 - x)^2 in every term.
pub fn rosen<S: Scalar>(x: &[S]) -> S {
    rosenbrock(x)
}

/// `sum (x[i]^2 + z^2)^2 - 4 x[i] + 3` over all but the last entry, which is `z`.
///
/// ```
/// assert_eq!(wengert_problems::hessian_suite::arwhead(&[1.0, 2.0]), 24.0);
/// ```
/// **Shape**: n >= 2. **Cost**: 3 multiplications per term. **Source**: CUTEst `ARWHEAD`.
pub fn arwhead<S: Scalar>(x: &[S]) -> S {
    let Some((last, rest)) = x.split_last() else {
        return S::from(0.0);
    };
    let z = square(*last);
    S::sum_for(0..rest.len(), |i| {
        square(square(rest[i]) + z) - rest[i] * 4.0 + 3.0
    })
}

/// `sum cos(x[i]^2 - x[i+1] / 2)`.
///
/// **Shape**: n >= 2. **Cost**: 2 multiplications and a cosine per term. **Source**: CUTEst `COSINE`.
pub fn cosine<S: Scalar>(x: &[S]) -> S {
    S::sum_for(1..x.len(), |i| (square(x[i - 1]) - x[i] * 0.5).cos())
}

/// `sum (3 - 4 x[i])^2 + (x[i]^2 + 2 x[i+1]^2 + 3 x[i+2]^2 + 4 x[i+3]^2 + 5 z^2)^2` with the last entry `z`.
///
/// **Shape**: n >= 5. **Cost**: 12 multiplications per term. **Source**: CUTEst `BDQRTIC`.
pub fn bdqrtic<S: Scalar>(x: &[S]) -> S {
    let Some((last, rest)) = x.split_last() else {
        return S::from(0.0);
    };
    let z = square(*last) * 5.0;
    S::sum_for(0..rest.len().saturating_sub(3), |i| {
        let w = &rest[i..i + 4];
        let squares = [
            square(w[0]),
            square(w[1]) * 2.0,
            square(w[2]) * 3.0,
            square(w[3]) * 4.0,
            z,
        ];
        square(w[0] * 4.0 - 3.0) + square(S::sum_of(squares))
    })
}

/// Broyden's banded function: the sum of squares of
/// `x[i] (2 + 5 x[i]^2) + 1 - sum x[j] (1 + x[j])`, `j` from `i - 5` to `i + 1` without `i`.
///
/// **Shape**: n >= 1. **Cost**: 5 multiplications per entry. **Source**: CUTEst `BRYBND`; Moré, Garbow & Hillstrom 1981,
/// problem 31.
pub fn brybnd<S: Scalar>(x: &[S]) -> S {
    let n = x.len();
    let mut neighbours = vec![S::from(0.0); n];
    S::map_rows(&[Rows::column(x)], &[], &mut neighbours, |x, _, y| {
        y[0] = x[0] * (x[0] + 1.0);
    });
    S::sum_for(0..n, |i| {
        let others = (i.saturating_sub(5)..n.min(i + 2)).filter(|j| *j != i);
        let others = S::sum_of(others.map(|j| neighbours[j]));
        square(x[i] * (square(x[i]) * 5.0 + 2.0) + 1.0 - others)
    })
}

/// `(x[0] - 1)^2 + sum (i + 1) (2 x[i] - x[i-1])^2`.
///
/// ```
/// assert_eq!(wengert_problems::hessian_suite::tridia(&[2.0, 3.0]), 33.0);
/// ```
/// **Shape**: n >= 1. **Cost**: 3 multiplications per term. **Source**: CUTEst `TRIDIA`.
pub fn tridia<S: Scalar>(x: &[S]) -> S {
    S::sum_for(0..x.len(), |i| match i.checked_sub(1) {
        None => square(x[i] - 1.0),
        Some(before) => square(x[i] * 2.0 - x[before]) * to_f64(i + 1),
    })
}

/// The area of a surface over the unit square in triangles, with the boundary values `X^2 - Y^2 + X Y / 2`.
///
/// ```
/// // One interior value, 0.125 between the boundary values: the surface is not flat.
/// let area = wengert_problems::hessian_suite::minsurf(&[0.125]);
/// assert!(area > 1.0);
/// ```
/// **Shape**: n = k^2 interior values, row by row. **Cost**: about 7 multiplications and 2 square roots per cell.
/// **Source**: MINPACK-2 and CUTEst `MINSURF`.
pub fn minsurf<S: Scalar>(x: &[S]) -> S {
    let k = x.len().isqrt();
    let h = 1.0 / to_f64(k + 1);
    let value = |i: usize, j: usize| {
        if (1..=k).contains(&i) && (1..=k).contains(&j) {
            return x[(i - 1) * k + j - 1];
        }
        let (across, along) = (to_f64(i) * h, to_f64(j) * h);
        S::from(across * across - along * along + across * along / 2.0)
    };
    let inverse = 1.0 / (h * h);
    let area = S::sum_for(0..(k + 1) * (k + 1), |index| {
        let (i, j) = cell(k, index);
        let (a, c) = (value(i, j), value(i + 1, j));
        let (d, e) = (value(i, j + 1), value(i + 1, j + 1));
        let slope = |u: S, v: S| ((square(u) + square(v)) * inverse + 1.0).sqrt();
        slope(c - a, d - a) + slope(e - d, e - c)
    });
    area * (h * h / 2.0)
}

/// The cells of a grid of `k + 1` by `k + 1`, the inner ones first, then those along a side, then the corners.
///
/// The cells inside and those along one side do the same operations; so they stand together.
fn cell(k: usize, index: usize) -> (usize, usize) {
    let side = k.saturating_sub(1);
    let inner = side * side;
    if index < inner {
        return (1 + index / side, 1 + index % side);
    }
    let outer = index - inner;
    if outer < 4 * side {
        let j = 1 + outer % side;
        return [(0, j), (j, 0), (k, j), (j, k)][outer / side];
    }
    let corner = outer - 4 * side;
    (corner / 2 * k, corner % 2 * k)
}

/// The energy of Bratu's problem (solid fuel ignition): half the sum of squared differences along the edges of a grid with
/// zero boundary, minus `6 h^2` times the sum of exponentials.
///
/// ```
/// // One value: four edges to the boundary, h = 1/2.
/// let energy = wengert_problems::hessian_suite::bratu(&[0.0]);
/// assert_eq!(energy, -1.5);
/// ```
/// **Shape**: n = k^2 interior values, row by row. **Cost**: 2 multiplications and an exponential per value.
/// **Source**: MINPACK-2 (solid fuel ignition), lambda = 6.
pub fn bratu<S: Scalar>(x: &[S]) -> S {
    let k = x.len().isqrt();
    let h = 1.0 / to_f64(k + 1);
    let inner = S::sum_for(0..k * k.saturating_sub(1), |edge| {
        let (along, across) = (edge / (k - 1) * k + edge % (k - 1), edge);
        S::squared_norm_of([x[along + 1] - x[along], x[across + k] - x[across]])
    });
    let outer = S::sum_for(0..k, |i| {
        let ends = [i * k, (i + 1) * k - 1, i, (k - 1) * k + i];
        S::squared_norm_of(ends.map(|end| x[end]))
    });
    let exponentials = S::sum_for(0..x.len(), |i| x[i].exp());
    (inner + outer) * 0.5 - exponentials * (6.0 * h * h)
}

/// The energy of a Lennard-Jones cluster, `sum 4 (r^-12 - r^-6)` over all pairs of points.
///
/// ```
/// // At the distance 1 the pair has energy 0.
/// assert_eq!(wengert_problems::hessian_suite::lj(&[0.0, 0.0, 0.0, 1.0, 0.0, 0.0]), 0.0);
/// ```
/// **Shape**: n = 3N coordinates, point by point. **Cost**: 7 multiplications and a division per pair.
/// **Source**: Lennard-Jones 1924, in reduced units.
pub fn lj<S: Scalar>(x: &[S]) -> S {
    let points = x.len() / 3;
    let pairs: Vec<(usize, usize)> = (0..points)
        .flat_map(|p| (0..p).map(move |q| (p, q)))
        .collect();
    S::sum_for(0..pairs.len(), |i| {
        let (p, q) = pairs[i];
        let (p, q) = (&x[3 * p..3 * p + 3], &x[3 * q..3 * q + 3]);
        let squared = S::squared_norm_of([q[0] - p[0], q[1] - p[1], q[2] - p[2]]);
        let inverse = squared.recip();
        let sixth = inverse * inverse * inverse;
        (sixth * sixth - sixth) * 4.0
    })
}

/// The Lagrangian of the optimal control of a pendulum with quadratic drag, by the trapezoidal rule.
///
/// Per time: position `p`, velocity `v`, control `u`; `acc = u cos(p) - 9.81 sin(p) - v^2 / 10`. The objective is
/// `h sum u^2`; the multipliers are fixed at `sin(0.7 (k+1))` and `cos(0.3 (k+1))`.
///
/// **Shape**: n = 3K entries `p, v, u` per time, K >= 2. **Cost**: 10 multiplications, a sine and a cosine per time.
/// **Source**: direct transcription as in Betts 2010, §4.
pub fn ocp<S: Scalar>(x: &[S]) -> S {
    let times = x.len() / 3;
    let h = 1.0 / to_f64(times.max(2) - 1);
    let control = S::sum_for(0..times, |k| square(x[3 * k + 2])) * h;
    let mut accelerations = vec![S::from(0.0); times];
    let states = Rows::new(&x[..3 * times], 3).expect("there are three entries per time");
    S::map_rows(&[states], &[], &mut accelerations, |c, _, acceleration| {
        let (sin, cos) = c[0].sin_cos();
        acceleration[0] = c[2] * cos - sin * 9.81 - c[1] * c[1] / 10.0;
    });
    let defects = S::sum_for(1..times, |k| {
        let (position, velocity) = ((0.7 * to_f64(k)).sin(), (0.3 * to_f64(k)).cos());
        let (now, next) = (&x[3 * k - 3..3 * k], &x[3 * k..3 * k + 3]);
        let acceleration = accelerations[k - 1] + accelerations[k];
        (next[0] - now[0] - (now[1] + next[1]) * (h / 2.0)) * position
            + (next[1] - now[1] - acceleration * (h / 2.0)) * velocity
    });
    control + defects
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inadmissible_sizes_are_errors() {
        for (family, wrong, right) in [
            (Family::Rosen, vec![0, 1], 2),
            (Family::Arwhead, vec![0, 1], 2),
            (Family::Cosine, vec![0, 1], 2),
            (Family::Bdqrtic, vec![0, 4], 5),
            (Family::Brybnd, vec![0], 1),
            (Family::Tridia, vec![0], 1),
            (Family::Minsurf, vec![0, 2, 8, usize::MAX], 9),
            (Family::Bratu, vec![0, 2, 8, usize::MAX], 9),
            (Family::Lj, vec![0, 3, 7], 6),
            (Family::Ocp, vec![0, 3, 8], 6),
        ] {
            for n in wrong {
                assert!(
                    TestFunction::new(family, n).is_err(),
                    "{} {n}",
                    family.name()
                );
            }
            let function = TestFunction::new(family, right).unwrap();
            assert_eq!((function.family(), function.n()), (family, right));
        }
    }

    #[test]
    fn start_points_fit_and_are_in_the_domain() {
        for family in FAMILIES {
            for n in (1..60).filter(|n| family.admits(*n)) {
                let function = TestFunction::new(family, n).unwrap();
                let x = function.x0();
                assert_eq!(x.len(), n);
                assert!(function.call(&x).is_finite(), "{} {n}", family.name());
            }
            assert_eq!(Family::from_name(family.name()), Some(family));
        }
    }

    /// For one interior value: four triangles pairs of the table, written out.
    #[test]
    fn minsurf_of_one_value_is_its_definition() {
        let (u, h) = (0.3_f64, 0.5_f64);
        let boundary = |x: f64, y: f64| x * x - y * y + x * y / 2.0;
        let value = |i: f64, j: f64| {
            if (i, j) == (1.0, 1.0) {
                u
            } else {
                boundary(i * h, j * h)
            }
        };
        let mut area = 0.0;
        for (i, j) in [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)] {
            let (a, c, d, e) = (
                value(i, j),
                value(i + 1.0, j),
                value(i, j + 1.0),
                value(i + 1.0, j + 1.0),
            );
            let first = (1.0 + ((c - a).powi(2) + (d - a).powi(2)) / (h * h)).sqrt();
            let second = (1.0 + ((e - d).powi(2) + (e - c).powi(2)) / (h * h)).sqrt();
            area += h * h / 2.0 * (first + second);
        }
        assert!((minsurf(&[u]) - area).abs() < 1e-15);
    }
}
