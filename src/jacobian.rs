//! Jacobians and gradients of function objects in a mode chosen at run time, with strict repetition.
//!
//! A [`Function`] can be called with several carriers, so these drivers keep the promise of EDGE_CASES R3 in every mode: a
//! fast pass keeps no books; if a derivative comes out non-finite, the evaluation is repeated with a strict number
//! innermost, for which a structural zero times infinity is zero.

mod prepared;

use nalgebra::DMatrix;

use crate::error::{Error, check_len};
use crate::forward::jacobian_forward;
use crate::reverse::{gradient, jacobian_reverse};
use crate::scalar::{Function, Scalar, Strong};
pub use prepared::PreparedJacobian;

/// The mode of a derivative.
///
/// ```
/// use wengert::prelude::*;
/// assert_eq!("reverse".parse(), Ok(Mode::Reverse));
/// assert_eq!(Mode::Forward.to_string(), "forward");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mode {
    /// One pass per 8 inputs; cheap for few inputs.
    Forward,
    /// One recording, one sweep per 8 outputs; cheap for few outputs.
    Reverse,
    /// The cheapest order of elimination that the planner finds, written as a program; for Jacobians at many points see
    /// [`PreparedJacobian`].
    Auto,
}

impl Mode {
    /// The basic modes, in the order of reports; [`Auto`](Self::Auto) is made of them and of orders in between.
    pub const ALL: [Self; 2] = [Self::Forward, Self::Reverse];
}

impl std::fmt::Display for Mode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Forward => "forward",
            Self::Reverse => "reverse",
            Self::Auto => "auto",
        })
    }
}

impl std::str::FromStr for Mode {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let mut known = Self::ALL.into_iter().chain([Self::Auto]);
        known
            .find(|mode| mode.to_string() == text)
            .ok_or_else(|| format!("unknown mode `{text}`, expected forward, reverse or auto"))
    }
}

/// The Jacobian of a function object.
///
/// ```
/// use wengert::prelude::*;
/// fn f<S: Scalar>(x: &[S], y: &mut [S]) {
///     y[0] = x[1] + x[0].ln();
///     y[1] = x[0] * x[1];
/// }
/// let j = jacobian(&function!(f => 2), &[0.0, 5.0], Mode::Forward)?;
/// // Neither mode lets the infinite partial of ln spoil the other column.
/// assert_eq!(j, jacobian(&function!(f => 2), &[0.0, 5.0], Mode::Reverse)?);
/// assert_eq!((j[(0, 0)], j[(0, 1)]), (f64::INFINITY, 1.0));
/// # Ok::<(), Error>(())
/// ```
///
/// **Shape**: `x` has `n` entries; the Jacobian is m×n with `m = f.outputs(n)`.
/// **Cost**: `n / 8` passes in forward mode, one recording and `m / 8` sweeps in reverse; twice that if an entry is not
/// finite. [`Mode::Auto`] records, plans and evaluates once, which pays where the function is costly to differentiate; its
/// programs keep structural zeros apart, so nothing is repeated.
///
/// # Errors
/// [`Error::ShapeMismatch`] if `f` wants another number of inputs; the errors of
/// [`gradient`](crate::reverse::gradient) in reverse mode, and those of [`PreparedJacobian::new`] in automatic mode.
///
/// **Source**: Griewank & Walther 2008, §3.2.
pub fn jacobian<F: Function + Sync>(f: &F, x: &[f64], mode: Mode) -> Result<DMatrix<f64>, Error> {
    check_inputs(f, x)?;
    if mode == Mode::Auto {
        return PreparedJacobian::new(f, x)?.jacobian(x);
    }
    repeat_strictly(
        x,
        |x| fast_jacobian(f, x, mode),
        |x| fast_jacobian(f, x, mode),
    )
}

/// The value and the gradient of a function object with one output.
///
/// ```
/// use wengert::prelude::*;
/// fn f<S: Scalar>(x: &[S]) -> S {
///     x[0] * x[1]
/// }
/// let (value, gradient) = value_and_gradient_by(&function!(f), &[2.0, 3.0], Mode::Forward)?;
/// assert_eq!((value, gradient), (6.0, vec![3.0, 2.0]));
/// # Ok::<(), Error>(())
/// ```
///
/// **Shape**: `x` and the gradient have `n` entries.
/// **Cost**, **Source**: as [`jacobian`], and one plain evaluation for the value.
///
/// # Errors
/// [`Error::NotScalar`] if `f` has not exactly one output; else as [`jacobian`].
pub fn value_and_gradient_by<F: Function + Sync>(
    f: &F,
    x: &[f64],
    mode: Mode,
) -> Result<(f64, Vec<f64>), Error> {
    let outputs = f.outputs(x.len());
    if outputs != 1 {
        return Err(Error::NotScalar { outputs });
    }
    let row = jacobian(f, x, mode)?;
    let mut value = [0.0];
    f.eval(x, &mut value);
    Ok((value[0], row.iter().copied().collect()))
}

/// Checks the number of inputs that a function object wants.
pub(crate) fn check_inputs<F: Function, S>(f: &F, x: &[S]) -> Result<(), Error> {
    f.inputs()
        .map_or(Ok(()), |inputs| check_len("x", inputs, x.len()))
}

/// Evaluates fast, and once more with strict numbers if an entry is not finite (EDGE_CASES R3).
pub(crate) fn repeat_strictly(
    x: &[f64],
    fast: impl FnOnce(&[f64]) -> Result<DMatrix<f64>, Error>,
    strict: impl FnOnce(&[Strong]) -> Result<DMatrix<Strong>, Error>,
) -> Result<DMatrix<f64>, Error> {
    let result = fast(x)?;
    if result.iter().all(|entry| entry.is_finite()) {
        return Ok(result);
    }
    let x: Vec<Strong> = x.iter().map(|x| Strong::from(*x)).collect();
    Ok(strict(&x)?.map(|entry| num_dual::DualStruct::re(&entry)))
}

/// The results of a function object in a new buffer.
pub(crate) fn evaluate<F: Function, S: Scalar>(f: &F, x: &[S]) -> Vec<S> {
    let mut y = vec![S::from(0.0); f.outputs(x.len())];
    f.eval(x, &mut y);
    y
}

fn fast_jacobian<F: Function + Sync, T: Scalar>(
    f: &F,
    x: &[T],
    mode: Mode,
) -> Result<DMatrix<T>, Error> {
    match mode {
        Mode::Forward => jacobian_forward(|x| evaluate(f, x), x),
        Mode::Reverse if f.outputs(x.len()) == 1 => {
            let row = gradient(|x| evaluate(f, x)[0], x)?;
            Ok(DMatrix::from_row_slice(1, x.len(), &row))
        }
        // Automatic mode does not come here: it is about plain numbers only.
        Mode::Reverse | Mode::Auto => jacobian_reverse(|x| evaluate(f, x), x),
    }
}

#[cfg(test)]
mod tests {
    use num_dual::DualStruct;
    use proptest::prelude::*;

    use super::*;
    use crate::scalar::random::function_and_point;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        /// Finite results need no second run; and where the fast run is not finite, both modes repair the same entries.
        #[test]
        fn fast_equals_strict_where_finite((f, x) in function_and_point()) {
            let strict_x: Vec<Strong> = x.iter().map(|x| Strong::from(*x)).collect();
            let mut by_mode = Vec::new();
            for mode in Mode::ALL {
                let fast = fast_jacobian(&f, &x, mode).unwrap();
                let strict = fast_jacobian(&f, &strict_x, mode).unwrap().map(|entry| entry.re());
                for (fast, strict) in fast.iter().zip(&strict) {
                    // Equal but for the sign of zero: the fast run adds zeros that the strict one leaves out.
                    prop_assert!(!fast.is_finite() || fast == strict, "{mode}: {fast} {strict}");
                }
                by_mode.push(jacobian(&f, &x, mode).unwrap());
            }
            let scale = by_mode[0].iter().filter(|e| e.is_finite()).fold(1.0_f64, |m, e| m.max(e.abs()));
            for (forward, reverse) in by_mode[0].iter().zip(&by_mode[1]) {
                prop_assert_eq!(forward.is_finite(), reverse.is_finite(), "{} {}", forward, reverse);
                let close = (forward - reverse).abs() <= 1e-10 * scale;
                prop_assert!(!forward.is_finite() || close, "{} {}", forward, reverse);
            }
            let auto = jacobian(&f, &x, Mode::Auto).unwrap();
            for (forward, auto) in by_mode[0].iter().zip(&auto) {
                prop_assert_eq!(forward.is_finite(), auto.is_finite(), "{} {}", forward, auto);
                let close = (forward - auto).abs() <= 1e-10 * scale;
                prop_assert!(!forward.is_finite() || close, "{} {}", forward, auto);
            }
        }
    }
}
