//! [`Grad`], differentiation as an operation on function objects that is closed under itself.

use crate::error::Error;
use crate::jacobian::{check_inputs, evaluate};
use crate::reverse::{Pullback, keep_error};
use crate::scalar::{Function, Scalar};

/// The derivative of a function object, itself a function object; made by [`grad`].
///
/// If `F` maps `n` numbers to `m`, `Grad<F>` maps `n` numbers to the `m n` entries of the Jacobian, row by row. For a scalar
/// function that is the gradient, for `Grad<Grad<F>>` the Hessian, for a third `Grad` the third-order tensor.
///
/// **Shape**: n -> m n.
/// **Cost**: one recording and `m / 8` sweeps per level.
/// **Source**: the slides, "hessian = grad(grad(f))"; HIPS/autograd, DiffSharp.
#[derive(Clone, Copy, Debug)]
pub struct Grad<F> {
    f: F,
}

/// Differentiates a function object.
///
/// ```
/// use wengert::prelude::*;
/// fn f<S: Scalar>(x: &[S]) -> S {
///     x[0].powi(3) * x[1]
/// }
/// let hessian = grad(grad(function!(f)));
/// let mut h = [0.0; 4];
/// hessian.eval(&[2.0, 5.0], &mut h);
/// assert_eq!(h, [60.0, 12.0, 12.0, 0.0]);
/// ```
///
/// An error inside (for instance a full tape) gives NaN in every entry; if the evaluation is itself part of a recording,
/// the driver of that one returns the error.
///
/// **Shape**, **Cost**, **Source**: as [`Grad`].
pub const fn grad<F: Function>(f: F) -> Grad<F> {
    Grad { f }
}

impl<F: Function> Function for Grad<F> {
    fn inputs(&self) -> Option<usize> {
        self.f.inputs()
    }

    fn outputs(&self, inputs: usize) -> usize {
        self.f.outputs(inputs) * inputs
    }

    fn eval<S: Scalar>(&self, x: &[S], y: &mut [S]) {
        let jacobian = check_inputs(&self.f, x)
            .and_then(|()| Pullback::record(|x| evaluate(&self.f, x), x))
            .and_then(|pullback| pullback.jacobian());
        match jacobian {
            // nalgebra stores by columns, the entries here go by rows.
            Ok(jacobian) => {
                for (to, from) in y.iter_mut().zip(jacobian.transpose().iter()) {
                    *to = *from;
                }
            }
            Err(error) => fail(error, y),
        }
    }
}

/// Makes an error visible where no `Result` can be returned.
#[cold]
fn fail<S: Scalar>(error: Error, y: &mut [S]) {
    keep_error(error);
    y.fill(S::from(f64::NAN));
}
