//! [`Taylor`], a truncated power series, and the drivers for derivatives of any order along a line.
//!
//! Invariant: order 0 is the value of plain `f64` (EDGE_CASES R1); order 1 obeys the conventions of
//! [`Dual`](super::Dual); a coefficient depends on lower and equal orders of the arguments only.
//!
//! Source: Griewank & Walther 2008, §13.2.

mod rules;
mod series;

use std::fmt;

use crate::elementary::{Binary, Nary, Unary};
use crate::scalar::{
    Scalar, Short,
    field::field_traits,
    traits::{masks_of_value, scalar_traits},
};

/// A truncated Taylor series: a value and the coefficients `c_k = f^(k) / k!` for `k = 1..=K`.
///
/// It takes O(K^2) per operation where `K` nested [`Dual`](super::Dual)s take O(2^K) or more.
///
/// ```
/// use wengert::prelude::*;
/// use wengert::forward::Taylor;
/// let x = Taylor::<f64, 3>::variable(2.0);
/// let y = x * x * x;
/// assert_eq!((y.value, y.coefficients), (8.0, [12.0, 6.0, 1.0]));
/// assert_eq!(y.derivatives(), [12.0, 12.0, 6.0]);
/// ```
///
/// **Shape**: `K + 1` inner scalars.
/// **Cost**: K for sums, about K^2/2 multiplications for products, quotients, exponentials and roots, K^2 for sine,
/// tangent and their like, K^3/6 for `lgamma`, `polygamma` and Bessel functions; a custom rule is evaluated K times.
/// **Source**: Griewank & Walther 2008, §13.2.
#[derive(Clone, Copy, Debug)]
pub struct Taylor<T, const K: usize> {
    /// The value.
    pub value: T,
    /// The coefficients: entry `k` belongs to the power `k + 1`.
    pub coefficients: [T; K],
}

impl<T: Scalar, const K: usize> Taylor<T, K> {
    /// A value with its coefficients.
    #[inline]
    pub const fn new(value: T, coefficients: [T; K]) -> Self {
        Self {
            value,
            coefficients,
        }
    }

    /// A value that does not depend on anything; its coefficients are structural zeros.
    #[inline]
    pub fn constant(value: T) -> Self {
        Self {
            value,
            coefficients: [T::structural_zero(); K],
        }
    }

    /// The independent variable `value + t`: first coefficient 1, the others structural zeros.
    #[inline]
    pub fn variable(value: T) -> Self {
        let mut seeded = Self::constant(value);
        if let Some(first) = seeded.coefficients.first_mut() {
            *first = T::from(1.0);
        }
        seeded
    }

    /// The derivatives: coefficient `k` times `k!`.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert::forward::Taylor;
    /// let y = Taylor::new(1.0, [1.0, 0.5, 0.25]);
    /// assert_eq!(y.derivatives(), [1.0, 1.0, 1.5]);
    /// ```
    ///
    /// **Shape**: orders `1..=K`. **Cost**: K multiplications.
    #[must_use]
    pub fn derivatives(&self) -> [T; K] {
        let (mut order, mut factorial) = (0.0, 1.0);
        self.coefficients.map(|c| {
            order += 1.0;
            factorial *= order;
            c * factorial
        })
    }

    /// The value of the truncated series at the distance `t`, by Horner's rule.
    ///
    /// ```
    /// use wengert::forward::Taylor;
    /// let y = Taylor::new(1.0, [2.0, 3.0]);
    /// assert_eq!(y.evaluate(0.5), 2.75);
    /// ```
    ///
    /// **Shape**: one number. **Cost**: K multiplications and additions.
    #[must_use]
    pub fn evaluate(&self, t: T) -> T {
        let tail = self
            .coefficients
            .iter()
            .rev()
            .copied()
            .reduce(|sum, c| sum * t + c);
        tail.map_or(self.value, |tail| tail * t + self.value)
    }

    #[inline]
    fn from_inner(value: T) -> Self {
        Self::constant(value)
    }
    #[inline]
    fn inner(&self) -> T {
        self.value
    }
    #[inline]
    fn scale_by(self, factor: T) -> Self {
        Self {
            value: self.value * factor,
            coefficients: self.coefficients.map(|c| c * factor),
        }
    }
}

impl<T: Scalar, const K: usize> fmt::Display for Taylor<T, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.value)?;
        for (k, c) in self.coefficients.iter().enumerate() {
            write!(f, " + {c}t^{}", k + 1)?;
        }
        Ok(())
    }
}

scalar_traits!([T: Scalar, const K: usize] Taylor<T, K>, inner T, derivatives T::NDERIV + K);
field_traits!([T: Scalar, const K: usize] Taylor<T, K>);

impl<T: Scalar, const K: usize> Scalar for Taylor<T, K> {
    type Mask = T::Mask;

    #[inline]
    fn unary<U: Unary>(self, op: U) -> Self {
        let value = self.value.unary(op);
        Self {
            value,
            coefficients: rules::unary(op, &self, value),
        }
    }

    #[inline]
    fn binary<B: Binary>(self, op: B, rhs: Self) -> Self {
        let value = self.value.binary(op, rhs.value);
        Self {
            value,
            coefficients: rules::binary(op, &self, &rhs, value),
        }
    }

    fn nary<R: Nary>(rule: &R, args: &[Self]) -> Self {
        let values: Short<T> = args.iter().map(|x| x.value).collect();
        let value = T::nary(rule, &values);
        Self {
            value,
            coefficients: rules::nary(rule, args, &values, value),
        }
    }

    masks_of_value!();
    #[inline]
    fn select(mask: Self::Mask, a: Self, b: Self) -> Self {
        Self {
            value: T::select(mask, a.value, b.value),
            coefficients: std::array::from_fn(|k| {
                T::select(mask, a.coefficients[k], b.coefficients[k])
            }),
        }
    }
    #[inline]
    fn is_all_finite(&self) -> bool {
        self.value.is_all_finite() && self.coefficients.iter().all(T::is_all_finite)
    }
    #[inline]
    fn structural_zero() -> Self {
        Self::constant(T::structural_zero())
    }
}

/// The Taylor coefficients of `f` at `x`: the value and `f^(k)(x) / k!` for `k = 1..=K`.
///
/// ```
/// use wengert::prelude::*;
/// use wengert::forward::taylor_coefficients;
/// let y = taylor_coefficients::<f64, 3>(|x| x.exp(), 0.0);
/// assert_eq!((y.value, y.coefficients), (1.0, [1.0, 0.5, 0.5 / 3.0]));
/// ```
///
/// **Shape**: one input, one output.
/// **Cost**: one evaluation in series arithmetic, O(K^2) per operation.
/// **Source**: Griewank & Walther 2008, §13.2.
pub fn taylor_coefficients<T: Scalar, const K: usize>(
    f: impl FnOnce(Taylor<T, K>) -> Taylor<T, K>,
    x: T,
) -> Taylor<T, K> {
    f(Taylor::variable(x))
}

/// The value of `f` at `x` and its derivatives of orders `1..=K`.
///
/// ```
/// use wengert::prelude::*;
/// use wengert::forward::derivatives;
/// let (y, [first, second, third, fourth]) = derivatives(|x: Taylor<f64, 4>| x.powi(3), 2.0);
/// assert_eq!((y, first, second, third, fourth), (8.0, 12.0, 12.0, 6.0, 0.0));
/// ```
///
/// **Shape**: one input, one output; entry `k` of the array is the derivative of order `k + 1`.
/// **Cost**: one evaluation in series arithmetic, O(K^2) per operation.
/// **Source**: Griewank & Walther 2008, §13.2.
pub fn derivatives<T: Scalar, const K: usize>(
    f: impl FnOnce(Taylor<T, K>) -> Taylor<T, K>,
    x: T,
) -> (T, [T; K]) {
    let y = taylor_coefficients(f, x);
    (y.value, y.derivatives())
}

/// The Taylor series in time of the solution of the initial value problem `x' = f(x)`, `x(0) = start`.
///
/// `f` writes the right-hand side for the state it is given. Pass `k` of `K` yields the coefficients of order `k`.
///
/// ```
/// use wengert::prelude::*;
/// use wengert::forward::ode_coefficients;
/// let x = ode_coefficients::<f64, 3>(|x, dx| dx[0] = x[0] * x[0], &[1.0]);
/// assert_eq!(x[0].coefficients, [1.0, 1.0, 1.0]); // 1 / (1 - t)
/// ```
///
/// **Shape**: as many states as `start` has entries; one series per state. `f` gets two slices of that length.
/// **Cost**: K evaluations in series arithmetic, O(K^3) per operation.
/// **Source**: Griewank & Walther 2008, §13.3 (without its doubling of known orders).
pub fn ode_coefficients<T: Scalar, const K: usize>(
    f: impl Fn(&[Taylor<T, K>], &mut [Taylor<T, K>]),
    start: &[T],
) -> Vec<Taylor<T, K>> {
    let mut state: Vec<Taylor<T, K>> = start.iter().copied().map(Taylor::constant).collect();
    let mut slope = state.clone();
    let mut order = 0.0;
    for k in 0..K {
        order += 1.0;
        f(&state, &mut slope);
        for (x, dx) in state.iter_mut().zip(&slope) {
            let known = if k == 0 {
                dx.value
            } else {
                dx.coefficients[k - 1]
            };
            x.coefficients[k] = known / order;
        }
    }
    state
}
