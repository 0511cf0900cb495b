//! [`Comparison`], the helper that every check compares with.
//!
//! Invariant: NaN never passes. A NaN compares unequal to everything, so a test written as "fail if the error is above the
//! tolerance" would let it through (EDGE_CASES t5).

use super::report::{Check, Entry, Verdict};

/// The best relative accuracy of central differences, `eps^(2/3)`.
pub(super) const AGREEMENT: f64 = 3.666_852_862_501_036e-11;

/// Rounding errors of a sum of products, in units of the largest term: a few operations' worth.
pub(super) const ROUNDING: f64 = 64.0 * f64::EPSILON;

/// A comparison in progress.
pub(super) struct Comparison {
    check: Check,
    ratio: f64,
}

impl Comparison {
    pub(super) fn new(name: impl Into<String>) -> Self {
        Self {
            check: Check {
                name: name.into(),
                compared: 0,
                projected: false,
                worst: None,
                verdict: Verdict::Passed,
            },
            ratio: -1.0,
        }
    }

    /// The columns of this comparison are random directions.
    pub(super) fn projected(mut self, projected: bool) -> Self {
        self.check.projected = projected;
        self
    }

    /// Compares two numbers; they must be finite and at most `tolerance` apart.
    pub(super) fn entry(
        &mut self,
        (row, column): (usize, usize),
        expected: f64,
        found: f64,
        tolerance: f64,
    ) {
        let error = deviation(expected, found);
        if !(expected.is_finite() && found.is_finite()) {
            self.note(Verdict::NotFinite { row, column });
        }
        self.record((row, column), expected, found, error, tolerance);
    }

    /// Compares two numbers that must be finite and have the same bits.
    pub(super) fn bits(&mut self, place: (usize, usize), expected: f64, found: f64) {
        if expected.to_bits() == found.to_bits() {
            self.entry(place, expected, found, 0.0);
        } else {
            // Zeros of different sign are no distance apart, but they differ.
            let error = deviation(expected, found).max(f64::from_bits(1));
            if !(expected.is_finite() && found.is_finite()) {
                let (row, column) = place;
                self.note(Verdict::NotFinite { row, column });
            }
            self.record(place, expected, found, error, 0.0);
        }
    }

    /// A kink makes this comparison worthless.
    pub(super) fn kink(&mut self, (row, column): (usize, usize), within: f64) {
        self.note(Verdict::Kink {
            row,
            column,
            within,
        });
    }

    pub(super) fn finish(self) -> Check {
        self.check
    }

    fn record(
        &mut self,
        (row, column): (usize, usize),
        expected: f64,
        found: f64,
        error: f64,
        tolerance: f64,
    ) {
        let within = error <= tolerance;
        if !within {
            self.note(Verdict::Failed);
        }
        self.check.compared += 1;
        let ratio = if !(expected.is_finite() && found.is_finite()) {
            f64::INFINITY
        } else if error == 0.0 {
            0.0
        } else if tolerance > 0.0 {
            error / tolerance
        } else {
            f64::INFINITY
        };
        if ratio > self.ratio {
            self.ratio = ratio;
            self.check.worst = Some(Entry {
                row,
                column,
                expected,
                found,
                error,
                tolerance,
            });
        }
    }

    /// Keeps the gravest verdict, the first of its kind.
    fn note(&mut self, verdict: Verdict) {
        if verdict.rank() > self.check.verdict.rank() {
            self.check.verdict = verdict;
        }
    }
}

/// The distance of two numbers; infinite if exactly one is NaN or they are different infinities.
fn deviation(expected: f64, found: f64) -> f64 {
    if expected.to_bits() == found.to_bits() || (expected.is_nan() && found.is_nan()) {
        0.0
    } else if expected.is_finite() && found.is_finite() {
        (found - expected).abs()
    } else {
        f64::INFINITY
    }
}
