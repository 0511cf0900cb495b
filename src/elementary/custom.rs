//! Custom rules: a user's elementary function, or another derivative for an existing one.

use super::{Keeper, Nary, Op};
use crate::scalar::Scalar;

/// An elementary function given by the user: its value and its first partials, called by [`Scalar::custom`].
///
/// Partials are generic over the scalar, so that the rule serves every carrier and every order. A partial left `None`
/// is a structural zero: the argument has no influence on derivatives (the zero-gradient marker). [`is_linear`]
/// declares the partials constant (the linear marker).
///
/// [`is_linear`]: CustomRule::is_linear
///
/// A rule is owned data, because a recorded program keeps a copy of it.
///
/// The straight-through floor of the slides, whose derivative passes through as if nothing had been rounded:
///
/// ```
/// use wengert::prelude::*;
///
/// #[derive(Clone)]
/// struct StraightThroughFloor;
/// impl CustomRule for StraightThroughFloor {
///     fn value(&self, x: &[f64]) -> f64 {
///         x[0].floor()
///     }
///     fn partials<T: Scalar>(&self, _: &[T], _: T, out: &mut [Option<T>]) {
///         out[0] = Some(T::from(1.0));
///     }
/// }
///
/// let slope = derivative(|x| Scalar::custom(&StraightThroughFloor, &[x]), 2.75);
/// assert_eq!(slope, 1.0);
/// ```
///
/// **Shape**: any number of arguments, one result; `out` has one entry per argument and comes filled with `None`.
/// **Cost**: what the rule computes; one statement on the tape.
/// **Source**: the slides' `overload.module`; HIPS/autograd `defvjp` and `def_linear`.
pub trait CustomRule: Clone + Send + Sync + 'static {
    /// The value on plain numbers.
    fn value(&self, x: &[f64]) -> f64;
    /// Writes the first partials at `x`, where `y` is the value; entries left `None` are structural zeros.
    fn partials<T: Scalar>(&self, x: &[T], y: T, out: &mut [Option<T>]);
    /// Whether the partials are constants; then they are computed once on plain numbers and all higher derivatives
    /// vanish structurally.
    fn is_linear(&self) -> bool {
        false
    }
}

/// A custom rule whose partials are known on plain `f64` only: first order only.
///
/// Wrap it in [`FirstOrder`] to call it. A carrier of higher order gets NaN for every derivative above the first, so
/// that the missing information is loud (EDGE_CASES R5).
///
/// **Shape**: any number of arguments, one result; `out` has one entry per argument and comes filled with zeros.
/// **Cost**: what the rule computes.
/// **Source**: none; the usual form of user-supplied derivatives.
pub trait FirstOrderRule: Clone + Send + Sync + 'static {
    /// The value on plain numbers.
    fn value(&self, x: &[f64]) -> f64;
    /// Writes the first partials at `x`, where `y` is the value.
    fn partials(&self, x: &[f64], y: f64, out: &mut [f64]);
}

/// Makes a [`FirstOrderRule`] callable by [`Scalar::custom`].
///
/// ```
/// use wengert::prelude::*;
/// use wengert::elementary::{FirstOrder, FirstOrderRule};
///
/// #[derive(Clone)]
/// struct Cube;
/// impl FirstOrderRule for Cube {
///     fn value(&self, x: &[f64]) -> f64 {
///         x[0] * x[0] * x[0]
///     }
///     fn partials(&self, x: &[f64], _: f64, out: &mut [f64]) {
///         out[0] = 3.0 * x[0] * x[0];
///     }
/// }
/// assert_eq!(derivative(|x| Scalar::custom(&FirstOrder(Cube), &[x]), 2.0), 12.0);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct FirstOrder<R>(pub R);

impl<R: FirstOrderRule> CustomRule for FirstOrder<R> {
    fn value(&self, x: &[f64]) -> f64 {
        self.0.value(x)
    }
    fn partials<T: Scalar>(&self, x: &[T], y: T, out: &mut [Option<T>]) {
        let primals: Vec<f64> = x.iter().map(|x| x.re()).collect();
        let mut partials = vec![0.0; x.len()];
        self.0.partials(&primals, y.re(), &mut partials);
        for (out, partial) in out.iter_mut().zip(partials) {
            *out = Some(T::custom(&Unknown(partial), x));
        }
    }
}

/// A custom rule seen as a function of any number of arguments.
pub(crate) struct Custom<'a, R>(pub(crate) &'a R);

impl<R: CustomRule> Nary for Custom<'_, R> {
    fn op(&self) -> Op {
        Op::Custom
    }
    fn value(&self, x: &[f64]) -> f64 {
        self.0.value(x)
    }
    fn partials<T: Scalar>(&self, x: &[T], y: T, out: &mut [Option<T>]) {
        if self.0.is_linear() {
            let primals: Vec<f64> = x.iter().map(|x| x.re()).collect();
            let mut partials = vec![None; x.len()];
            self.0.partials(&primals, y.re(), &mut partials);
            for (out, partial) in out.iter_mut().zip(partials) {
                *out = partial.map(T::from);
            }
        } else {
            self.0.partials(x, y, out);
        }
    }
    fn is_linear(&self) -> bool {
        self.0.is_linear()
    }
    fn kept<K: Keeper>(&self, keeper: K) -> Option<K::Kept> {
        Some(keeper.keep(self.0.clone()))
    }
}

/// A number whose derivatives are not known: NaN for every argument.
#[derive(Clone)]
struct Unknown(f64);

impl CustomRule for Unknown {
    fn value(&self, _: &[f64]) -> f64 {
        self.0
    }
    fn partials<T: Scalar>(&self, _: &[T], _: T, out: &mut [Option<T>]) {
        out.fill(Some(T::from(f64::NAN)));
    }
}
