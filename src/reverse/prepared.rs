//! [`PreparedGradient`], for solvers that evaluate one function millions of times.

use super::drivers::{independents_into, sweep_scalar};
use super::slots::OpenTape;
use super::tape::Limits;
use super::var::Var;
use crate::error::{Error, check_len};
use crate::scalar::Scalar;

/// A function of `n` variables whose gradient is evaluated again and again without allocating.
///
/// The function is recorded anew at every call, so branches may differ from call to call.
///
/// ```
/// use wengert::prelude::*;
/// let mut f = PreparedGradient::new(|x: &[Var<f64>]| x[0] * x[1], 2);
/// let mut gradient = [0.0; 2];
/// assert_eq!(f.value_and_gradient_into(&[2.0, 3.0], &mut gradient)?, 6.0);
/// assert_eq!(gradient, [3.0, 2.0]);
/// # Ok::<(), Error>(())
/// ```
///
/// **Shape**: `n` inputs, one output.
/// **Cost**: as [`gradient`](super::gradient), without allocation after the first call on a thread, except for a
/// recording longer than any before, n-ary operations of more than 16 arguments, and the strict sweep after a non-finite
/// derivative (R3).
/// **Source**: DifferentiationInterface.jl `prepare_gradient`.
#[derive(Debug)]
pub struct PreparedGradient<T, F> {
    f: F,
    inputs: usize,
    variables: Vec<Var<T>>,
}

impl<T: Scalar, F: Fn(&[Var<T>]) -> Var<T>> PreparedGradient<T, F> {
    /// Prepares `f` for points with `inputs` entries.
    pub fn new(f: F, inputs: usize) -> Self {
        Self {
            f,
            inputs,
            variables: Vec::with_capacity(inputs),
        }
    }

    /// The value at `x`, and the gradient into the caller's buffer.
    ///
    /// **Shape**: `x` and `gradient` have `n` entries.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] if a length is wrong; else as [`gradient`](super::gradient).
    pub fn value_and_gradient_into(&mut self, x: &[T], gradient: &mut [T]) -> Result<T, Error> {
        check_len("x", self.inputs, x.len())?;
        check_len("gradient", self.inputs, gradient.len())?;
        let mut open = OpenTape::open(Limits::default())?;
        independents_into(&mut open, x, &mut self.variables)?;
        let y = (self.f)(&self.variables);
        sweep_scalar(open, y, gradient)?;
        Ok(y.value())
    }

    /// The gradient into the caller's buffer.
    ///
    /// # Errors
    /// As [`value_and_gradient_into`](Self::value_and_gradient_into).
    pub fn gradient_into(&mut self, x: &[T], gradient: &mut [T]) -> Result<(), Error> {
        self.value_and_gradient_into(x, gradient).map(|_| ())
    }
}
