//! [`Options`], and the checks as functions with default options.

use super::report::{Check, Report};
use super::{first, second};
use crate::error::Error;
use crate::jacobian::check_inputs;
use crate::scalar::{Function, ScalarFunction};

/// Random directions of a check, at least (EDGE_CASES t3).
const DIRECTIONS: usize = 3;

/// Settings of a derivative check; its methods are the checks.
///
/// ```
/// use wengert::check::Options;
/// use wengert::prelude::*;
/// fn f<S: Scalar>(x: &[S]) -> S {
///     x[0].sin() * x[1]
/// }
/// let options = Options::new().with_seed(7).with_directions(5).with_tolerance_factor(20.0);
/// let report = options.hessian(&function!(f), &[0.3, 0.7])?;
/// assert!(report.is_passed(), "{report}");
/// assert_eq!(report.seed, 7);
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    pub(super) seed: u64,
    pub(super) directions: usize,
    pub(super) factor: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 1964,
            directions: DIRECTIONS,
            // The estimates are of errors of one standard deviation; the largest of 400 stays within 3 to 4 of them.
            factor: 8.0,
        }
    }
}

impl Options {
    /// The default settings: seed 1964, three directions, tolerances of 8 estimated errors.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the seed of the random directions; a report depends on nothing else that is random.
    #[must_use]
    pub const fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Sets the number of random directions; fewer than three are raised to three, since one hides sparse errors.
    #[must_use]
    pub fn with_directions(self, directions: usize) -> Self {
        Self {
            directions: directions.max(DIRECTIONS),
            ..self
        }
    }

    /// Sets how many estimated errors two numbers may be apart.
    #[must_use]
    pub const fn with_tolerance_factor(self, factor: f64) -> Self {
        Self { factor, ..self }
    }

    /// As [`check_gradient`].
    ///
    /// # Errors
    /// As [`check_gradient`].
    pub fn gradient<F: Function + Sync>(&self, f: &F, x: &[f64]) -> Result<Report, Error> {
        match f.outputs(x.len()) {
            1 => self.jacobian(f, x),
            outputs => Err(Error::NotScalar { outputs }),
        }
    }

    /// As [`check_jacobian`].
    ///
    /// # Errors
    /// As [`check_jacobian`].
    pub fn jacobian<F: Function + Sync>(&self, f: &F, x: &[f64]) -> Result<Report, Error> {
        check_inputs(f, x)?;
        let checks = first::checks(self, f, x)?;
        Ok(self.report(x, f.outputs(x.len()), checks))
    }

    /// As [`check_hessian`].
    ///
    /// # Errors
    /// As [`check_hessian`].
    pub fn hessian<F: ScalarFunction + Sync>(&self, f: &F, x: &[f64]) -> Result<Report, Error> {
        check_inputs(f, x)?;
        let checks = second::checks(self, f, x)?;
        Ok(self.report(x, 1, checks))
    }

    fn report(&self, x: &[f64], outputs: usize, checks: Vec<Check>) -> Report {
        Report {
            inputs: x.len(),
            outputs,
            seed: self.seed,
            checks,
        }
    }
}

/// Checks the gradient of a function at a point.
///
/// ```
/// use wengert::check::check_gradient;
/// use wengert::prelude::*;
/// fn f<S: Scalar>(x: &[S]) -> S {
///     x[0].exp() * x[1]
/// }
/// let report = check_gradient(&function!(f), &[0.5, 2.0])?;
/// assert!(report.is_passed(), "{report}");
/// # Ok::<(), Error>(())
/// ```
///
/// **Shape**, **Cost**, **Source**: as [`check_jacobian`] with `m = 1`.
///
/// # Errors
/// [`Error::NotScalar`] if `f` has not exactly one output; else as [`check_jacobian`].
pub fn check_gradient<F: Function + Sync>(f: &F, x: &[f64]) -> Result<Report, Error> {
    Options::new().gradient(f, x)
}

/// Checks the Jacobian of a function at a point.
///
/// - *value*: every carrier computes the bits of plain `f64` (EDGE_CASES R1), and the value is finite.
/// - *repeated*: a second evaluation, in plain `f64` and in each mode, gives the same bits (R6).
/// - *forward = reverse*: entry by entry if `n m <= 65536`; tolerance per entry: 8 x (4e-11 of the entry + 64 roundings of
///   the largest entry of its row and of the value over `max(1, |x|)`). Derivatives that cancel from much larger terms
///   than that need a larger factor.
/// - *dot product*: `<w, J v> = <Jᵀ w, v>` for random `v` and `w`; tolerance: as many roundings of the sum of the
///   absolute terms and weighted values as there are terms, and 64 more, times 8.
/// - *differences*: each entry of both modes if `n m <= 400`; beyond that `J v`, and `<Jᵀ w, v>`, for random directions.
///   The first step is `eps^(1/3) max(1, |x|)`, each of 12 more a quarter of the one before. Tolerance: 8 x (the distance of
///   two successive central differences + the measured noise of the values over the step + 4e-11 of the entry).
///
/// The 8 is the [tolerance factor](Options::with_tolerance_factor). A difference of the one-sided slopes that does not
/// vanish with the step gives [`Verdict::Kink`](super::Verdict::Kink): the function may be right, but differences can not
/// show it there.
///
/// ```
/// use wengert::check::{Verdict, check_jacobian};
/// use wengert::prelude::*;
///
/// #[derive(Clone)]
/// struct Wrong; // the derivative of x^2 is not x
/// impl CustomRule for Wrong {
///     fn value(&self, x: &[f64]) -> f64 {
///         x[0] * x[0]
///     }
///     fn partials<T: Scalar>(&self, x: &[T], _: T, out: &mut [Option<T>]) {
///         out[0] = Some(x[0]);
///     }
/// }
/// fn f<S: Scalar>(x: &[S], y: &mut [S]) {
///     y[0] = x[0];
///     y[1] = Scalar::custom(&Wrong, x);
/// }
/// let report = check_jacobian(&function!(f => 2), &[3.0])?;
/// assert_eq!(report.verdict(), Verdict::Failed);
/// let check = report.checks.iter().find(|check| check.name == "forward = differences");
/// let worst = check.and_then(|check| check.worst).expect("entries were compared");
/// assert_eq!((worst.row, worst.column, worst.found), (1, 0, 3.0));
/// assert!((worst.expected - 6.0).abs() < 1e-8);
/// # Ok::<(), Error>(())
/// ```
///
/// **Shape**: `x` has `n` entries, `f` has `m` outputs; `n` and `m` may be 0.
/// **Cost**: about 60 plain evaluations per input (per random direction if `n m > 400`), two Jacobians in each mode
/// if `n m <= 65536`.
///
/// # Errors
/// [`Error::ShapeMismatch`] if `f` wants another number of inputs; the errors of
/// [`gradient`](crate::reverse::gradient). A derivative that is wrong is no error but a verdict.
///
/// **Source**: JAX `check_grads`; PyTorch `gradcheck`; Moré & Wild 2011.
pub fn check_jacobian<F: Function + Sync>(f: &F, x: &[f64]) -> Result<Report, Error> {
    Options::new().jacobian(f, x)
}

/// Checks the Hessian of a function at a point.
///
/// - *value* and *gradient* through nested carriers: the bits of plain `f64`, the gradient of reverse mode to rounding.
/// - *repeated*: a second Hessian has the same bits.
/// - the four [`HessianMode`](crate::hessian::HessianMode)s: each against differences of the gradient (every entry if
///   `n^2 <= 400`, beyond that `H v` for random directions), against the first, and for symmetry.
/// - *hvp*: the product of [`hvp`](crate::hessian::hvp) against the Hessian times the same vector.
///
/// If `n > 256` no Hessian is built: [`hvp`](crate::hessian::hvp) is compared with differences of the gradient and for
/// symmetry, `<u, H v> = <v, H u>`. Tolerances and kinks are as in [`check_jacobian`], with the gradient in place of the
/// function; the gradient itself is not checked here.
///
/// ```
/// use wengert::check::{Verdict, check_hessian};
/// use wengert::prelude::*;
/// fn f<S: Scalar>(x: &[S]) -> S {
///     x[0].relu() * x[0] // x^2 to the right of 0, 0 to the left: the gradient has a kink
/// }
/// assert!(check_hessian(&function!(f), &[1.0])?.is_passed());
/// let at_kink = check_hessian(&function!(f), &[0.0])?;
/// assert!(matches!(at_kink.verdict(), Verdict::Kink { .. }));
/// # Ok::<(), Error>(())
/// ```
///
/// **Shape**: `x` has `n` entries, also 0.
/// **Cost**: about 60 gradients per input (per random direction if `n^2 > 400`), a Hessian in each nesting and one more.
///
/// # Errors
/// As [`check_jacobian`].
///
/// **Source**: as [`check_jacobian`].
pub fn check_hessian<F: ScalarFunction + Sync>(f: &F, x: &[f64]) -> Result<Report, Error> {
    Options::new().hessian(f, x)
}
