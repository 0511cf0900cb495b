//! Two current dipoles in the human heart from measured moments: eight equations of degree one to four.
//!
//! Invariant: the residuals are the real and imaginary parts of `p z^k + q w^k` minus data, for k = 0 to 3, with the dipoles
//! `p = a + ic`, `q = b + id` at the places `z = t + iv`, `w = u + iw`.
//! Source: Nelson & Hodgkin 1981; Dennis, Gay & Vu 1985, "A new nonlinear equations test problem"; MINPACK-2 (Averick,
//! Carter, Moré & Xue 1992), subroutine `dhhdfj`.

use wengert::{Function, Scalar};

/// How many experiments were published.
pub const EXPERIMENTS: usize = 5;

/// The measured sums of the experiments 791129, 791226, 0121a, 0121b and 0121c.
const SUMS: [[f64; 8]; EXPERIMENTS] = [
    [0.485, -0.0019, -0.0581, 0.015, 0.105, 0.0406, 0.167, -0.399],
    [-0.69, -0.044, -1.57, -1.31, -2.65, 2.0, -12.6, 9.48],
    [
        -0.816, -0.017, -1.826, -0.754, -4.839, -3.259, -14.023, 15.467,
    ],
    [
        -0.809, -0.021, -2.04, -0.614, -6.903, -2.934, -26.328, 18.639,
    ],
    [
        -0.807, -0.021, -2.379, -0.364, -10.541, -1.961, -51.551, 21.053,
    ],
];

/// The standard starting points.
const STARTS: [[f64; 8]; EXPERIMENTS] = [
    [
        0.299, 0.186, -0.0273, 0.0254, -0.474, 0.474, -0.0892, 0.0892,
    ],
    [-0.3, -0.39, 0.3, -0.344, -1.2, 2.69, 1.59, -1.5],
    [-0.041, -0.775, 0.03, -0.047, -2.565, 2.565, -0.754, 0.754],
    [-0.056, -0.753, 0.026, -0.047, -2.991, 2.991, -0.568, 0.568],
    [-0.074, -0.733, 0.013, -0.034, -3.632, 3.632, -0.289, 0.289],
];

/// The equations of one experiment, in the unknowns `a, b, c, d, t, u, v, w`.
///
/// ```
/// use wengert::Function;
/// use wengert_problems::heart_dipole::HeartDipole;
/// let f = HeartDipole::experiment(0).expect("there are five");
/// let mut y = [0.0; 8];
/// f.eval(&[1.0, 0.0, 0.0, 0.0, 2.0, 0.0, 1.0, 0.0], &mut y);
/// // The powers of 2 + i are 1, 2 + i, 3 + 4i and 2 + 11i.
/// let expected = [1.0 - 0.485, 0.0019, 2.0 + 0.0581, 1.0 - 0.015, 3.0 - 0.105, 4.0 - 0.0406, 2.0 - 0.167, 11.0 + 0.399];
/// assert!(y.iter().zip(expected).all(|(y, e)| (y - e).abs() < 1e-14));
/// ```
/// **Shape**: 8 inputs, 8 outputs. **Cost**: about 75 operations. **Source**: as the module.
#[derive(Clone, Copy, Debug)]
pub struct HeartDipole {
    experiment: usize,
}

impl HeartDipole {
    /// The experiment of this number, from 0; `None` if there is none.
    #[must_use]
    pub const fn experiment(number: usize) -> Option<Self> {
        if number < EXPERIMENTS {
            Some(Self { experiment: number })
        } else {
            None
        }
    }

    /// The first experiment.
    pub(crate) const FIRST: Self = Self { experiment: 0 };

    /// The standard starting point.
    #[must_use]
    pub const fn x0(&self) -> [f64; 8] {
        STARTS[self.experiment]
    }
}

impl Function for HeartDipole {
    fn inputs(&self) -> Option<usize> {
        Some(8)
    }
    fn outputs(&self, _: usize) -> usize {
        8
    }
    fn eval<S: Scalar>(&self, x: &[S], y: &mut [S]) {
        let [mut p, mut q] = [[x[0], x[2]], [x[1], x[3]]];
        let (first, second) = (powers(x[4], x[6]), powers(x[5], x[7]));
        let sums = &SUMS[self.experiment];
        for k in 0..4 {
            if k > 0 {
                p = times(x[0], x[2], first[k - 1]);
                q = times(x[1], x[3], second[k - 1]);
            }
            y[2 * k] = p[0] + q[0] - sums[2 * k];
            y[2 * k + 1] = p[1] + q[1] - sums[2 * k + 1];
        }
    }
}

/// The first three powers of `t + iv`, the factors as in MINPACK-2.
fn powers<S: Scalar>(t: S, v: S) -> [[S; 2]; 3] {
    let (tt, vv) = (t * t, v * v);
    [
        [t, v],
        [tt - vv, t * v * 2.0],
        [t * (tt - vv * 3.0), v * (tt * 3.0 - vv)],
    ]
}

/// `(a + ic) power`.
fn times<S: Scalar>(a: S, c: S, power: [S; 2]) -> [S; 2] {
    [a * power[0] - c * power[1], a * power[1] + c * power[0]]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_modes_agree, newton};

    fn residuals(f: &HeartDipole, x: &[f64]) -> [f64; 8] {
        let mut y = [0.0; 8];
        f.eval(x, &mut y);
        y
    }

    /// The equations as MINPACK-2 prints them.
    #[test]
    fn the_equations_are_those_of_minpack_2() {
        for number in 0..EXPERIMENTS {
            let f = HeartDipole::experiment(number).unwrap();
            let [a, b, c, d, t, u, v, w] = f.x0();
            let (tt, vv, uu, ww) = (t * t, v * v, u * u, w * w);
            let (ts3vs, vs3ts) = (tt - 3.0 * vv, vv - 3.0 * tt);
            let (us3ws, ws3us) = (uu - 3.0 * ww, ww - 3.0 * uu);
            let left = [
                a + b,
                c + d,
                t * a + u * b - v * c - w * d,
                v * a + w * b + t * c + u * d,
                a * (tt - vv) - 2.0 * c * t * v + b * (uu - ww) - 2.0 * d * u * w,
                c * (tt - vv) + 2.0 * a * t * v + d * (uu - ww) + 2.0 * b * u * w,
                a * t * ts3vs + c * v * vs3ts + b * u * us3ws + d * w * ws3us,
                c * t * ts3vs - a * v * vs3ts + d * u * us3ws - b * w * ws3us,
            ];
            let found = residuals(&f, &f.x0());
            for k in 0..8 {
                let expected = left[k] - SUMS[number][k];
                assert!((found[k] - expected).abs() < 1e-14, "{number} {k}");
            }
            // The authors chose starts that satisfy the first equations.
            assert!(found[..2].iter().all(|y| y.abs() < 2e-3), "{found:?}");
        }
        assert!(HeartDipole::experiment(EXPERIMENTS).is_none());
    }

    #[test]
    fn newton_with_our_jacobian_solves_the_first_experiment() {
        let f = HeartDipole::FIRST;
        let x = newton(&f, &f.x0());
        assert!(residuals(&f, &x).iter().all(|y| y.abs() < 1e-14), "{x:?}");
        // The power sums of that solution, by repeated multiplication.
        let (mut p, mut q) = ([x[0], x[2]], [x[1], x[3]]);
        for sums in SUMS[0].chunks(2) {
            assert!((p[0] + q[0] - sums[0]).abs() < 1e-13);
            assert!((p[1] + q[1] - sums[1]).abs() < 1e-13);
            p = times(p[0], p[1], [x[4], x[6]]);
            q = times(q[0], q[1], [x[5], x[7]]);
        }
    }

    #[test]
    fn both_modes_give_one_jacobian() {
        for number in 0..EXPERIMENTS {
            let f = HeartDipole::experiment(number).unwrap();
            let j = assert_modes_agree(&f, &f.x0());
            assert_eq!(j.row(0).iter().sum::<f64>(), 2.0);
        }
    }
}
