//! Air pollution: the rates of 20 substances in 25 reactions, the right-hand side of a stiff differential equation.
//!
//! Invariant: a reaction's rate is its constant times the concentrations that react (mass action).
//! Source: Verwer 1994, "Gauss-Seidel iteration for stiff ODEs from chemical kinetics"; Test Set for IVP Solvers (Mazzia &
//! Magherini 2008), problem `pollu`.

use wengert::{Function, Scalar};

/// The rate constants of the reactions.
const K: [f64; 25] = [
    0.35, 26.6, 1.23e4, 8.6e-4, 8.2e-4, 1.5e4, 1.3e-4, 2.4e4, 1.65e4, 9e3, 0.022, 1.2e4, 1.88,
    1.63e4, 4.8e6, 3.5e-4, 0.0175, 1e8, 4.44e11, 1.24e3, 2.1, 5.78, 0.0474, 1.78e3, 3.12,
];

/// The substances, in order.
pub(crate) const SUBSTANCES: [&str; 20] = [
    "no2", "no", "o3p", "o3", "ho2", "oh", "hcho", "co", "ald", "meo2", "c2o3", "co2", "pan",
    "ch3o", "hno3", "o1d", "so2", "so4", "no3", "n2o5",
];

/// The rates of the reactions, the first one at index 0.
fn reactions<S: Scalar>(y: &[S]) -> [S; 25] {
    [
        y[0] * K[0],
        y[1] * K[1] * y[3],
        y[4] * K[2] * y[1],
        y[6] * K[3],
        y[6] * K[4],
        y[6] * K[5] * y[5],
        y[8] * K[6],
        y[8] * K[7] * y[5],
        y[10] * K[8] * y[1],
        y[10] * K[9] * y[0],
        y[12] * K[10],
        y[9] * K[11] * y[1],
        y[13] * K[12],
        y[0] * K[13] * y[5],
        y[2] * K[14],
        y[3] * K[15],
        y[3] * K[16],
        y[15] * K[17],
        y[15] * K[18],
        y[16] * K[19] * y[5],
        y[18] * K[20],
        y[18] * K[21],
        y[0] * K[22] * y[3],
        y[18] * K[23] * y[0],
        y[19] * K[24],
    ]
}

/// The change of all concentrations.
///
/// ```
/// use wengert::Function;
/// use wengert_problems::pollu::Pollu;
/// let mut rates = [0.0; 20];
/// Pollu.eval(&Pollu::x0(), &mut rates);
/// // At first NO and ozone react, then little else.
/// assert!((rates[0] - 26.6 * 0.2 * 0.04).abs() < 1e-16);
/// assert_eq!(rates[1], -rates[0]);
/// ```
/// **Shape**: 20 inputs, 20 outputs. **Cost**: 36 multiplications, about 60 additions. **Source**: as the module.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pollu;

impl Pollu {
    /// The concentrations at the beginning, in ppm.
    #[must_use]
    pub const fn x0() -> [f64; 20] {
        let mut y = [0.0; 20];
        (y[1], y[3], y[6], y[7], y[8], y[16]) = (0.2, 0.04, 0.1, 0.3, 0.01, 0.007);
        y
    }
}

impl Function for Pollu {
    fn inputs(&self) -> Option<usize> {
        Some(20)
    }
    fn outputs(&self, _: usize) -> usize {
        20
    }
    fn eval<S: Scalar>(&self, x: &[S], y: &mut [S]) {
        let r = reactions(x);
        y[0] = r[1] + r[2] + r[8] + r[10] + r[11] + r[21] + r[24]
            - (r[0] + r[9] + r[13] + r[22] + r[23]);
        y[1] = r[0] + r[20] - (r[1] + r[2] + r[8] + r[11]);
        y[2] = r[0] + r[16] + r[18] + r[21] - r[14];
        y[3] = r[14] - (r[1] + r[15] + r[16] + r[22]);
        y[4] = r[3] * 2.0 + r[5] + r[6] + r[12] + r[19] - r[2];
        y[5] = r[2] + r[17] * 2.0 - (r[5] + r[7] + r[13] + r[19]);
        y[6] = r[12] - (r[3] + r[4] + r[5]);
        y[7] = r[3] + r[4] + r[5] + r[6];
        y[8] = -(r[6] + r[7]);
        y[9] = r[6] + r[8] - r[11];
        y[10] = r[7] + r[10] - (r[8] + r[9]);
        y[11] = r[8];
        y[12] = r[9] - r[10];
        y[13] = r[11] - r[12];
        y[14] = r[13];
        y[15] = r[15] - (r[17] + r[18]);
        y[16] = -r[19];
        y[17] = r[19];
        y[18] = r[22] + r[24] - (r[20] + r[21] + r[23]);
        y[19] = r[23] - r[24];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::assert_modes_agree;

    /// The mechanism as chemists print it; what is not among the 20 substances is left out.
    const MECHANISM: [&str; 25] = [
        "no2 > no o3p",
        "no o3 > no2",
        "ho2 no > no2 oh",
        "hcho > ho2 ho2 co",
        "hcho > co",
        "hcho oh > ho2 co",
        "ald > meo2 ho2 co",
        "ald oh > c2o3",
        "c2o3 no > no2 meo2 co2",
        "c2o3 no2 > pan",
        "pan > no2 c2o3",
        "meo2 no > ch3o no2",
        "ch3o > hcho ho2",
        "no2 oh > hno3",
        "o3p > o3",
        "o3 > o1d",
        "o3 > o3p",
        "o1d > oh oh",
        "o1d > o3p",
        "so2 oh > so4 ho2",
        "no3 > no",
        "no3 > no2 o3p",
        "no2 o3 > no3",
        "no3 no2 > n2o5",
        "n2o5 > no3 no2",
    ];

    fn indices(names: &str) -> Vec<usize> {
        let index = |name| SUBSTANCES.iter().position(|s| *s == name).unwrap();
        names.split_whitespace().map(index).collect()
    }

    /// Concentrations of all substances, of the sizes that the reference solution has.
    fn point() -> [f64; 20] {
        let sizes = [
            5e-2, 1e-1, 4e-9, 6e-3, 2e-7, 2e-7, 8e-2, 3e-1, 7e-3, 1e-7, 1e-8, 6e-3, 1e-8, 1e-7,
        ];
        let mut y = [0.0; 20];
        y[..14].copy_from_slice(&sizes);
        y[14..].copy_from_slice(&[9e-3, 1e-16, 4e-3, 3e-3, 1e-6, 7e-5]);
        y
    }

    #[test]
    fn values_and_derivatives_follow_from_the_mechanism() {
        for x in [Pollu::x0(), point()] {
            let (mut rates, mut slopes) = ([0.0; 20], vec![[0.0; 20]; 20]);
            for (reaction, k) in MECHANISM.iter().zip(K) {
                let (from, to) = reaction.split_once(" > ").unwrap();
                let (from, to) = (indices(from), indices(to));
                let speed: f64 = k * from.iter().map(|i| x[*i]).product::<f64>();
                for (sign, side) in [(-1.0, &from), (1.0, &to)] {
                    for i in side {
                        rates[*i] += sign * speed;
                        for j in &from {
                            let others = from.iter().filter(|other| *other != j).map(|i| x[*i]);
                            slopes[*i][*j] += sign * k * others.product::<f64>();
                        }
                    }
                }
            }
            let mut found = [0.0; 20];
            Pollu.eval(&x, &mut found);
            let largest = rates
                .iter()
                .fold(0.0_f64, |largest, r| largest.max(r.abs()));
            for (found, expected) in found.iter().zip(rates) {
                assert!(
                    (found - expected).abs() < 1e-14 * largest,
                    "{found} {expected}"
                );
            }
            let j = assert_modes_agree(&Pollu, &x);
            for (i, row) in slopes.iter().enumerate() {
                for (k, expected) in row.iter().enumerate() {
                    let found = j[(i, k)];
                    let difference = (found - expected).abs();
                    assert!(
                        difference <= 1e-13 * expected.abs(),
                        "{i} {k}: {found} {expected}"
                    );
                }
            }
        }
    }

    /// Atoms are neither made nor lost, whatever the concentrations.
    #[test]
    fn nitrogen_carbon_and_sulphur_are_conserved() {
        let nitrogen = ["no2 no pan hno3 no3 n2o5", "n2o5"];
        let carbon = ["hcho co ald meo2 c2o3 co2 pan ch3o", "ald c2o3 pan"];
        let sulphur = ["so2 so4", ""];
        let mut rates = [0.0; 20];
        Pollu.eval(&point(), &mut rates);
        for substances in [nitrogen, carbon, sulphur] {
            let counted = substances.into_iter().flat_map(indices);
            let terms: Vec<f64> = counted.map(|i| rates[i]).collect();
            let size: f64 = terms.iter().map(|t| t.abs()).sum();
            assert!(terms.iter().sum::<f64>().abs() < 1e-14 * size, "{terms:?}");
        }
    }
}
