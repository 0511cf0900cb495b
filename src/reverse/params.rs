//! [`Params`], parameters with a structure of their own: scalars, arrays, matrices, tuples, the user's structs.

use nalgebra::{DMatrix, DVector, SMatrix};

use super::drivers::value_and_gradient;
use super::var::Var;
use crate::error::Error;
use crate::scalar::Scalar;

/// Parameters that can be flattened to a list of numbers and built back with any scalar in their place.
///
/// Implemented for `f64`, `[P; N]`, `Vec<P>`, tuples, and nalgebra's `DVector`, `DMatrix`, `SMatrix` of `f64`. For a struct,
/// flatten and unflatten its fields in one order:
///
/// ```
/// use wengert::prelude::*;
/// struct Line<S> {
///     slope: S,
///     offset: S,
/// }
/// impl Params for Line<f64> {
///     type With<S: Scalar> = Line<S>;
///     fn flatten(&self, out: &mut Vec<f64>) {
///         out.extend([self.slope, self.offset]);
///     }
///     fn unflatten<S: Scalar>(&self, next: &mut impl FnMut() -> S) -> Line<S> {
///         Line { slope: next(), offset: next() }
///     }
/// }
/// let start = Line { slope: 2.0, offset: 1.0 };
/// let g = gradient_params(|p| (p.slope * 3.0 + p.offset - 10.0).powi(2), &start)?;
/// assert_eq!((g.slope, g.offset), (-18.0, -6.0));
/// # Ok::<(), Error>(())
/// ```
///
/// **Shape**: as many numbers as `flatten` gives; `unflatten` must take exactly as many.
/// **Cost**: one copy each way.
/// **Source**: JAX pytrees.
pub trait Params {
    /// The same structure with another scalar.
    type With<S: Scalar>;
    /// Appends all numbers in a fixed order.
    fn flatten(&self, out: &mut Vec<f64>);
    /// Builds the structure from numbers in the order of [`flatten`](Self::flatten); `self` gives the sizes.
    fn unflatten<S: Scalar>(&self, next: &mut impl FnMut() -> S) -> Self::With<S>;
}

/// The value and the gradient of a function of structured parameters.
///
/// The gradient has the structure of the parameters; a tuple gives the gradients by part of the arguments.
///
/// ```
/// use wengert::prelude::*;
/// let (value, (scale, by_entry)) =
///     value_and_gradient_params(|(a, x)| *a * x[0] * x[1], &(2.0, [3.0, 4.0]))?;
/// assert_eq!((value, scale, by_entry), (24.0, 12.0, [8.0, 6.0]));
/// # Ok::<(), Error>(())
/// ```
///
/// **Shape**: as the parameters.
/// **Cost**, **Source**: as [`gradient`](super::gradient).
///
/// # Errors
/// [`Error::ShapeMismatch`] if `unflatten` does not take exactly the numbers that `flatten` gives; else as
/// [`gradient`](super::gradient).
pub fn value_and_gradient_params<P: Params>(
    f: impl FnOnce(&P::With<Var<f64>>) -> Var<f64>,
    params: &P,
) -> Result<(f64, P::With<f64>), Error> {
    let mut flat = Vec::new();
    params.flatten(&mut flat);
    let mut taken = 0;
    let (value, gradient) = value_and_gradient(|x| f(&build(params, x, &mut taken)), &flat)?;
    crate::error::check_len("the list that `unflatten` takes", flat.len(), taken)?;
    Ok((value, build(params, &gradient, &mut taken)))
}

/// The gradient of a function of structured parameters, as [`value_and_gradient_params`].
///
/// # Errors
/// As [`value_and_gradient_params`].
pub fn gradient_params<P: Params>(
    f: impl FnOnce(&P::With<Var<f64>>) -> Var<f64>,
    params: &P,
) -> Result<P::With<f64>, Error> {
    value_and_gradient_params(f, params).map(|(_, gradient)| gradient)
}

/// Unflattens from a list and counts what was taken; beyond the end of the list it gives NaN, which the count reveals.
fn build<P: Params, S: Scalar>(params: &P, values: &[S], taken: &mut usize) -> P::With<S> {
    *taken = 0;
    params.unflatten(&mut || {
        let next = values
            .get(*taken)
            .copied()
            .unwrap_or_else(|| S::from(f64::NAN));
        *taken += 1;
        next
    })
}

impl Params for f64 {
    type With<S: Scalar> = S;
    fn flatten(&self, out: &mut Vec<f64>) {
        out.push(*self);
    }
    fn unflatten<S: Scalar>(&self, next: &mut impl FnMut() -> S) -> S {
        next()
    }
}

impl<P: Params, const N: usize> Params for [P; N] {
    type With<S: Scalar> = [P::With<S>; N];
    fn flatten(&self, out: &mut Vec<f64>) {
        self.iter().for_each(|p| p.flatten(out));
    }
    fn unflatten<S: Scalar>(&self, next: &mut impl FnMut() -> S) -> Self::With<S> {
        self.each_ref().map(|p| p.unflatten(next))
    }
}

impl<P: Params> Params for Vec<P> {
    type With<S: Scalar> = Vec<P::With<S>>;
    fn flatten(&self, out: &mut Vec<f64>) {
        self.iter().for_each(|p| p.flatten(out));
    }
    fn unflatten<S: Scalar>(&self, next: &mut impl FnMut() -> S) -> Self::With<S> {
        self.iter().map(|p| p.unflatten(next)).collect()
    }
}

impl Params for DVector<f64> {
    type With<S: Scalar> = DVector<S>;
    fn flatten(&self, out: &mut Vec<f64>) {
        out.extend_from_slice(self.as_slice());
    }
    fn unflatten<S: Scalar>(&self, next: &mut impl FnMut() -> S) -> DVector<S> {
        self.map(|_| next())
    }
}

impl Params for DMatrix<f64> {
    type With<S: Scalar> = DMatrix<S>;
    fn flatten(&self, out: &mut Vec<f64>) {
        out.extend_from_slice(self.as_slice());
    }
    fn unflatten<S: Scalar>(&self, next: &mut impl FnMut() -> S) -> DMatrix<S> {
        self.map(|_| next())
    }
}

impl<const R: usize, const C: usize> Params for SMatrix<f64, R, C> {
    type With<S: Scalar> = SMatrix<S, R, C>;
    fn flatten(&self, out: &mut Vec<f64>) {
        out.extend_from_slice(self.as_slice());
    }
    fn unflatten<S: Scalar>(&self, next: &mut impl FnMut() -> S) -> Self::With<S> {
        self.map(|_| next())
    }
}

/// Tuples: the gradient by part of the arguments.
macro_rules! tuple_params {
    ($($name:ident $index:tt),*) => {
        impl<$($name: Params),*> Params for ($($name,)*) {
            type With<S: Scalar> = ($($name::With<S>,)*);
            fn flatten(&self, out: &mut Vec<f64>) {
                $(self.$index.flatten(out);)*
            }
            fn unflatten<S: Scalar>(&self, next: &mut impl FnMut() -> S) -> Self::With<S> {
                ($(self.$index.unflatten(next),)*)
            }
        }
    };
}
tuple_params!(A 0);
tuple_params!(A 0, B 1);
tuple_params!(A 0, B 1, C 2);
tuple_params!(A 0, B 1, C 2, D 3);
tuple_params!(A 0, B 1, C 2, D 3, E 4);
tuple_params!(A 0, B 1, C 2, D 3, E 4, F 5);
