//! [`PreparedJacobian`]: a Jacobian that is recorded, planned and simplified once, and replayed at many points.
//!
//! Invariant: an entry comes from a program whose decisions hold at the point, else it is an error (EDGE_CASES e43).
//! Source: Griewank & Walther 2008, §9 (planning) and §6.1 (replay).

use nalgebra::DMatrix;

use super::check_inputs;
use crate::crosscountry::{Budget, PlannedJacobian};
use crate::error::Error;
use crate::program::{BatchReplay, Program, ProgramCache, Replay, ReplayOptions, Traced};
use crate::scalar::Function;

/// The Jacobian of a function object, ready for many points.
///
/// ```
/// use wengert::prelude::*;
/// fn f<S: Scalar>(x: &[S], y: &mut [S]) {
///     let v = (x[0] * x[1]).sin();
///     y[0] = v * x[2];
///     y[1] = v.exp();
/// }
/// let f = function!(f => 2);
/// let mut prepared = PreparedJacobian::new(&f, &[0.5, 1.0, 2.0])?;
/// let x = [0.0, 3.0, 1.0];
/// assert_eq!(prepared.jacobian(&x)?, jacobian(&f, &x, Mode::Reverse)?);
/// // Only what may differ from zero is computed.
/// assert_eq!(prepared.places(), [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)]);
/// assert_eq!(prepared.entries(&x)?, [3.0, 0.0, 0.0, 3.0, 0.0]);
/// # Ok::<(), Error>(())
/// ```
///
/// **Shape**: m×n for the number of inputs at which it was prepared.
/// **Cost**: preparing is recording, planning ([`PlannedJacobian`]) and simplifying; an evaluation is a replay, which allocates
/// nothing but the result.
/// **Source**: Griewank & Walther 2008, §9.
#[derive(Clone, Debug)]
pub struct PreparedJacobian {
    planned: PlannedJacobian,
    rows: usize,
    replay: Replay,
}

impl PreparedJacobian {
    /// Records the function at a point and plans its Jacobian.
    ///
    /// **Shape**: `x` has `n` entries; decisions of the function are those made at `x`.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] if `f` wants another number of inputs; those of [`Program::record`] and
    /// [`PlannedJacobian::of`].
    #[track_caller]
    pub fn new<F: Function>(f: &F, x: &[f64]) -> Result<Self, Error> {
        Self::with(f, x, &Budget::default(), &ReplayOptions::default())
    }

    /// [`new`](Self::new) with a budget for the planner and options for the replay.
    ///
    /// **Shape**, **Cost**: as [`new`](Self::new).
    ///
    /// # Errors
    /// As [`new`](Self::new).
    #[track_caller]
    pub fn with<F: Function>(
        f: &F,
        x: &[f64],
        budget: &Budget,
        options: &ReplayOptions,
    ) -> Result<Self, Error> {
        check_inputs(f, x)?;
        let record = |x: &[Traced]| super::evaluate(f, x);
        let program = Program::record(record, x)?.simplify()?;
        Self::of(&program, budget, options)
    }

    /// Plans the Jacobian of a recorded program.
    ///
    /// **Cost**: as [`new`](Self::new), without the recording.
    ///
    /// # Errors
    /// Those of [`PlannedJacobian::of`].
    pub fn of(program: &Program, budget: &Budget, options: &ReplayOptions) -> Result<Self, Error> {
        let planned = PlannedJacobian::of(program, budget)?;
        Ok(Self {
            rows: program.outputs().len(),
            replay: planned.program().prepare_with(options)?,
            planned,
        })
    }

    /// What the planner found.
    #[must_use]
    pub const fn planned(&self) -> &PlannedJacobian {
        &self.planned
    }

    /// Row and column of every entry, by rows and in a row by columns.
    #[must_use]
    pub fn places(&self) -> &[(u32, u32)] {
        self.planned.places()
    }

    /// The entries at `x`; they stay valid until the next call.
    ///
    /// **Shape**: `x` has `n` entries, the result as many as there are [`places`](Self::places).
    /// **Cost**: one replay; allocates nothing.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] if the length is wrong, [`Error::BranchChanged`] if a decision comes out otherwise than
    /// recorded.
    pub fn entries(&mut self, x: &[f64]) -> Result<&[f64], Error> {
        self.replay.run(x)
    }

    /// The matrix at `x`.
    ///
    /// **Shape**: `x` has `n` entries, the result is m×n.
    /// **Cost**: one replay and the matrix.
    ///
    /// # Errors
    /// As [`entries`](Self::entries).
    pub fn jacobian(&mut self, x: &[f64]) -> Result<DMatrix<f64>, Error> {
        let mut matrix = DMatrix::zeros(self.rows, self.replay.inputs());
        let entries = self.replay.run(x)?;
        for ((row, column), entry) in self.planned.places().iter().zip(entries) {
            matrix[(*row as usize, *column as usize)] = *entry;
        }
        Ok(matrix)
    }

    /// The entries at many points at once; one point where a decision changes does not spoil the others.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert::program::ReplayOptions;
    /// fn f<S: Scalar>(x: &[S]) -> S {
    ///     if x[0] > 0.0 { x[0] * x[0] } else { -x[0] }
    /// }
    /// let prepared = PreparedJacobian::new(&function!(f), &[1.0])?;
    /// let mut entries = [0.0; 3];
    /// let changed = prepared.batch(&ReplayOptions::default())?.run(&[3.0, -1.0, 4.0], &mut entries)?;
    /// assert_eq!((entries[0], entries[2], changed[0].0), (6.0, 8.0, 1));
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// **Shape**: points are rows of `n` entries, results rows of as many as there are [`places`](Self::places).
    /// **Cost**: see [`BatchReplay`].
    ///
    /// # Errors
    /// [`Error::TapeFull`] if more than 2^31 slots are needed.
    pub fn batch(&self, options: &ReplayOptions) -> Result<BatchReplay, Error> {
        self.planned.program().prepare_batch(options)
    }

    /// Planned Jacobians for all paths of a function: where a decision changes, the function is recorded anew.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// fn f<S: Scalar>(x: &[S]) -> S {
    ///     if x[0] > 0.0 { x[0] * x[1] } else { -x[0] }
    /// }
    /// let f = function!(f);
    /// let mut cache = PreparedJacobian::cache(&f);
    /// assert_eq!(cache.values(&[2.0, 3.0])?, [3.0, 2.0]);
    /// assert_eq!(cache.values(&[-2.0, 3.0])?, [-1.0, 0.0]);
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// **Shape**: values are all m·n entries by rows.
    /// **Cost**: as [`new`](Self::new) for every path.
    #[must_use]
    pub fn cache<F: Function>(f: &F) -> ProgramCache<'_, F> {
        ProgramCache::derived(f, |program| {
            PlannedJacobian::of(program, &Budget::default())?.to_dense()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;
    use crate::program::Width;

    /// Four numbers, three, one, three and five, each a function of all before.
    fn hour_glass<S: Scalar>(x: &[S], y: &mut [S]) {
        fn layer<S: Scalar>(x: &[S], y: &mut [S]) {
            for (k, y) in y.iter_mut().enumerate() {
                let terms = (1..).zip(x);
                *y = S::sum_of(terms.map(|(i, x)| (*x * (f64::from(i) + 0.3 * k as f64)).sin()));
            }
        }
        let (mut a, mut v, mut b) = ([S::from(0.0); 3], [S::from(0.0); 1], [S::from(0.0); 3]);
        layer(x, &mut a);
        layer(&a, &mut v);
        layer(&v, &mut b);
        layer(&b, y);
    }

    #[test]
    fn automatic_mode_is_the_cheapest_and_equals_the_others() {
        let f = function!(hour_glass => 5);
        let x = [0.1, 0.2, 0.3, 0.4];
        let auto = jacobian(&f, &x, Mode::Auto).unwrap();
        let reverse = jacobian(&f, &x, Mode::Reverse).unwrap();
        assert!((&auto - &reverse).amax() <= 1e-14 * reverse.amax());
        assert_eq!("auto".parse(), Ok(Mode::Auto));
        let planned = PreparedJacobian::new(&f, &x).unwrap();
        let planned = planned.planned();
        let forward = planned.forward_flops().unwrap();
        let reverse = planned.reverse_flops().unwrap();
        assert!(planned.flops() < forward.min(reverse), "{planned:?}");
    }

    #[test]
    fn all_widths_agree_in_a_batch() {
        let f = function!(hour_glass => 5);
        let prepared = PreparedJacobian::new(&f, &[0.1, 0.2, 0.3, 0.4]).unwrap();
        let points: Vec<f64> = (0..4 * 37).map(|i| (f64::from(i) * 0.7).sin()).collect();
        let entries = prepared.places().len();
        for width in [Width::One, Width::Four, Width::Eight] {
            let options = ReplayOptions {
                width,
                ..ReplayOptions::default()
            };
            let mut found = vec![0.0; 37 * entries];
            let changed = prepared.batch(&options).unwrap().run(&points, &mut found);
            assert_eq!(changed, Ok(Vec::new()));
            for (x, row) in points.chunks(4).zip(found.chunks(entries)) {
                let expected = jacobian(&f, x, Mode::Reverse).unwrap();
                for ((row, column), entry) in prepared.places().iter().zip(row) {
                    let expected_entry = expected[(*row as usize, *column as usize)];
                    assert!((entry - expected_entry).abs() <= 1e-13 * expected.amax());
                }
            }
        }
    }

    #[test]
    fn a_changed_branch_is_an_error() {
        fn f<S: Scalar>(x: &[S]) -> S {
            if x[0] > 0.0 { x[0] * x[0] } else { -x[0] }
        }
        let mut prepared = PreparedJacobian::new(&function!(f), &[1.0]).unwrap();
        assert_eq!(prepared.entries(&[3.0]), Ok(&[6.0][..]));
        let changed = prepared.jacobian(&[-3.0]);
        assert!(matches!(changed, Err(Error::BranchChanged { .. })));
        let wrong = prepared.entries(&[1.0, 2.0]);
        assert!(matches!(wrong, Err(Error::ShapeMismatch { .. })));
    }
}
