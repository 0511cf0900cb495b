//! What the tests of matrices share: seeded numbers, carriers with given parts, and comparison.
#![allow(dead_code, reason = "every test binary uses its own part")]

use nalgebra::DMatrix;
use wengert::prelude::*;

/// Second order: a dual number over a dual number.
pub(crate) type Dual2 = Dual<Dual<f64>>;

/// Reproducible numbers in (-1, 1): splitmix64.
pub(crate) struct Numbers(pub u64);

impl Numbers {
    pub(crate) fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let bits = u32::try_from((z ^ (z >> 31)) >> 32).unwrap();
        f64::from(bits) / f64::from(u32::MAX) * 2.0 - 1.0
    }
    pub(crate) fn matrix(&mut self, rows: usize, cols: usize) -> DMatrix<f64> {
        DMatrix::from_fn(rows, cols, |_, _| self.next())
    }
    pub(crate) fn symmetric(&mut self, n: usize) -> DMatrix<f64> {
        let a = self.matrix(n, n);
        (&a + a.transpose()) * 0.5
    }
}

/// The four parts of a matrix of second order: value, both first derivatives, the mixed second one.
pub(crate) struct Parts {
    pub(crate) value: DMatrix<f64>,
    pub(crate) first: DMatrix<f64>,
    pub(crate) second: DMatrix<f64>,
    pub(crate) mixed: DMatrix<f64>,
}

impl Parts {
    /// A matrix along two random directions, with a random curvature.
    pub(crate) fn random_around(value: DMatrix<f64>, numbers: &mut Numbers) -> Self {
        let (m, n) = value.shape();
        let mut matrix = || numbers.matrix(m, n);
        Self {
            value,
            first: matrix(),
            second: matrix(),
            mixed: matrix(),
        }
    }
    /// The same with symmetric directions.
    pub(crate) fn symmetric_around(value: DMatrix<f64>, numbers: &mut Numbers) -> Self {
        let n = value.nrows();
        let mut matrix = || numbers.symmetric(n);
        Self {
            value,
            first: matrix(),
            second: matrix(),
            mixed: matrix(),
        }
    }
    pub(crate) fn carrier(&self) -> DMatrix<Dual2> {
        let (m, n) = self.value.shape();
        DMatrix::from_fn(m, n, |i, j| {
            let at = (i, j);
            Dual::new(
                Dual::new(self.value[at], self.first[at]),
                Dual::new(self.second[at], self.mixed[at]),
            )
        })
    }
    pub(crate) fn of(a: &DMatrix<Dual2>) -> Self {
        Self {
            value: a.map(|x| x.value.value),
            first: a.map(|x| x.value.tangent),
            second: a.map(|x| x.tangent.value),
            mixed: a.map(|x| x.tangent.tangent),
        }
    }
}

/// Both matrices agree to `tolerance` times the largest entry; a NaN or infinity on either side fails.
#[track_caller]
pub(crate) fn assert_close(
    what: &str,
    found: &DMatrix<f64>,
    expected: &DMatrix<f64>,
    tolerance: f64,
) {
    assert_eq!(found.shape(), expected.shape(), "{what}: shape");
    let scale = expected.iter().fold(1.0_f64, |m, x| m.max(x.abs()));
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            found.is_finite() && expected.is_finite(),
            "{what}: {found} against {expected}"
        );
        let difference = (found - expected).abs();
        assert!(
            difference <= tolerance * scale,
            "{what}: {found} against {expected}"
        );
    }
}

/// Both matrices have the same bits.
#[track_caller]
pub(crate) fn assert_same_bits(what: &str, found: &DMatrix<f64>, expected: &DMatrix<f64>) {
    assert_eq!(found.shape(), expected.shape(), "{what}: shape");
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(
            found.to_bits(),
            expected.to_bits(),
            "{what}: {found} against {expected}"
        );
    }
}
