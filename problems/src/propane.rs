//! Propane burning in air: what the products are at equilibrium.
//!
//! Invariant: the unknowns are moles of products per mole of propane (CO2, H2O, N2, CO, H2, H, OH, O, NO, O2) and their
//! total, all positive.
//! Source: Meintjes & Morgan 1990, "Chemical equilibrium systems as numerical test problems"; MINPACK-2 (Averick, Carter,
//! Moré & Xue 1992), subroutine `dcpffj` (full formulation).

use wengert::{Function, Scalar};

/// The pressure, in atmospheres.
const PRESSURE: f64 = 40.0;
/// Moles of oxygen atoms in the air per mole of propane; there are four nitrogen atoms for each.
const AIR: f64 = 10.0;
/// The equilibrium constants 5 to 10.
const K: [f64; 6] = [0.193, 2.597e-3, 3.448e-3, 1.799e-5, 2.155e-4, 3.846e-5];

/// The balances of carbon, oxygen, hydrogen and nitrogen, six equilibria, and the total.
///
/// ```
/// use wengert::Function;
/// use wengert_problems::propane::Propane;
/// let mut y = [0.0; 11];
/// Propane.eval(&[1.0, 1.0, 1.0, 4.0, 0.193, 1.0, 1.0, 1.0, 1.0, 1.0, 10.0], &mut y);
/// // 5 - 3; 12 - 10; 2 + 0.386 + 2 - 8; 3 - 40; 0.193 * 4 - 0.193.
/// let expected = [2.0, 2.0, -3.614, -37.0, 0.579];
/// assert!(y.iter().zip(expected).all(|(y, e)| (y - e).abs() < 1e-14));
/// ```
/// **Shape**: 11 inputs, 11 outputs. **Cost**: about 70 operations, of which 6 are roots. **Source**: as the module.
#[derive(Clone, Copy, Debug, Default)]
pub struct Propane;

impl Propane {
    /// The standard starting point.
    #[must_use]
    pub fn x0() -> [f64; 11] {
        let root = PRESSURE.sqrt();
        [
            5.0,
            2.5,
            5.0,
            0.1,
            0.05 * K[0],
            K[1] / root,
            50.0 * K[2] / root,
            1000.0 * K[3] / PRESSURE,
            500.0 * K[4] / root,
            50_000.0 * K[5] / PRESSURE,
            20.0,
        ]
    }
}

impl Function for Propane {
    fn inputs(&self) -> Option<usize> {
        Some(11)
    }
    fn outputs(&self, _: usize) -> usize {
        11
    }
    fn eval<S: Scalar>(&self, x: &[S], y: &mut [S]) {
        let &[co2, h2o, n2, co, h2, h, oh, o, no, o2, total] = x else {
            panic!("propane has 11 inputs, found {}", x.len());
        };
        let partial = S::from(PRESSURE) / total;
        let root = partial.sqrt();
        y[0] = co2 + co - 3.0;
        y[1] = co2 * 2.0 + h2o + co + oh + o + no + o2 * 2.0 - AIR;
        y[2] = h2o * 2.0 + h2 * 2.0 + h + oh - 8.0;
        y[3] = n2 * 2.0 + no - 4.0 * AIR;
        y[4] = h2o * co * K[0] - co2 * h2;
        y[5] = (h2o * co).sqrt() * K[1] - co2.sqrt() * h * root;
        y[6] = (co2 * h2o).sqrt() * K[2] - co.sqrt() * oh * root;
        y[7] = co2 * K[3] - co * o * partial;
        y[8] = co2 * n2.sqrt() * K[4] - co * no * root;
        y[9] = co2 * co2 * K[5] - co * co * o2 * partial;
        y[10] = total - co2 - h2o - n2 - co - h2 - h - oh - o - no - o2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_modes_agree, newton};

    /// Atoms of carbon, oxygen, hydrogen and nitrogen in each product.
    const ATOMS: [[f64; 4]; 10] = [
        [1.0, 2.0, 0.0, 0.0],
        [0.0, 1.0, 2.0, 0.0],
        [0.0, 0.0, 0.0, 2.0],
        [1.0, 1.0, 0.0, 0.0],
        [0.0, 0.0, 2.0, 0.0],
        [0.0, 0.0, 1.0, 0.0],
        [0.0, 1.0, 1.0, 0.0],
        [0.0, 1.0, 0.0, 0.0],
        [0.0, 1.0, 0.0, 1.0],
        [0.0, 2.0, 0.0, 0.0],
    ];

    #[test]
    fn the_first_equations_count_atoms() {
        let j = assert_modes_agree(&Propane, &Propane::x0());
        for (product, atoms) in ATOMS.iter().enumerate() {
            for (element, count) in atoms.iter().enumerate() {
                assert_eq!(j[(element, product)], *count);
            }
            assert_eq!(j[(10, product)], -1.0);
        }
    }

    /// The derivatives that MINPACK-2 has by hand.
    #[test]
    fn derivatives_by_the_total_are_those_of_minpack_2() {
        let x = Propane::x0();
        let j = assert_modes_agree(&Propane, &x);
        let fraction = 40.0_f64.sqrt() / x[10].sqrt().powi(3);
        let square = 40.0 / (x[10] * x[10]);
        let expected = [
            0.5 * x[0].sqrt() * x[5] * fraction,
            0.5 * x[3].sqrt() * x[6] * fraction,
            x[3] * x[7] * square,
            0.5 * x[3] * x[8] * fraction,
            x[3] * x[3] * x[9] * square,
        ];
        for (k, expected) in expected.into_iter().enumerate() {
            let found = j[(5 + k, 10)];
            assert!((found - expected).abs() < 1e-14 * expected, "{k}: {found}");
        }
    }

    /// Meintjes and Morgan publish the solution in five other unknowns.
    #[test]
    fn newton_with_our_jacobian_finds_the_published_solution() {
        let x = newton(&Propane, &Propane::x0());
        assert!(x.iter().all(|x| *x > 0.0), "{x:?}");
        let last = 1.0 / x[10];
        let found = [
            x[3] * last,
            x[0] / x[3],
            (x[1] * x[3] / x[0] * last).sqrt(),
            (x[2] * last).sqrt(),
            last,
        ];
        let published = [0.003_114_1, 34.597_9, 0.065_041_8, 0.859_378, 0.036_951_9];
        for (found, published) in found.iter().zip(published) {
            assert!(
                (found / published - 1.0).abs() < 1e-5,
                "{found} {published}"
            );
        }
    }
}
