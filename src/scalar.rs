//! [`Scalar`], the one interface of all carriers, and [`Function`], the one interface of user functions.
//!
//! A user writes `fn f<S: Scalar>(x: &[S]) -> S` once. With `S = f64` it is the function; with a carrier it also yields
//! derivatives; with a nesting of carriers, derivatives of any order.
//!
//! Invariant: a carrier's value is bit for bit the value of plain `f64` (EDGE_CASES R1). It holds because every value is
//! computed by the same call on the innermost `f64`.

pub(crate) mod field;
mod function;
mod plain;
#[cfg(test)]
pub(crate) mod random;
pub(crate) mod rows;
mod strong;
pub(crate) mod traits;

pub use function::{Function, ScalarFunction};
pub use rows::Rows;
pub(crate) use strong::Strong;

use std::ops::{BitAnd, BitOr, Not, Range};

use num_dual::DualNum;
use smallvec::SmallVec;

use crate::elementary::{
    Binary, Copysign, Custom, CustomRule, Dot, Erf, Erfc, Hypot, Lgamma, LogAddExp, LogSumExp,
    Logistic, MaxOf, MinOf, Nary, Norm2, Polygamma, Prod, Softplus, SphBessel, SquaredNorm, Sum,
    TiedMax, TiedMin, Unary, Xlogy,
};

/// Argument lists of n-ary operations up to this length live on the stack.
pub(crate) const SHORT: usize = 16;

/// A short list of arguments, on the stack where it fits.
pub(crate) type Short<T> = SmallVec<[T; SHORT]>;

/// The outcome of a comparison that need not be decided yet.
///
/// It is `bool` for every carrier whose innermost scalar is a number; a recorded program has its own.
///
/// ```
/// use wengert::prelude::*;
/// let inside = 1.0.lt_mask(2.0) & !1.0.eq_mask(3.0);
/// assert_eq!(inside.decided(), Some(true));
/// ```
pub trait Mask: Copy + BitAnd<Output = Self> + BitOr<Output = Self> + Not<Output = Self> {
    /// The outcome, if it is known now.
    fn decided(self) -> Option<bool>;
}

impl Mask for bool {
    #[inline]
    fn decided(self) -> Option<bool> {
        Some(self)
    }
}

/// A number that may carry derivatives: what generic numeric code is written against.
///
/// Everything of num-dual's [`DualNum`] (arithmetic with `f64` on the right, `exp`, `sin`, `powi`, ...) is available as
/// well; code that needs no more than that may ask for `DualNum<Primitive = f64> + Copy` alone and runs unchanged.
///
/// Conventions at non-differentiable points and in special cases are those of `EDGE_CASES.md`; the ids are given here.
///
/// ```
/// use wengert::prelude::*;
/// fn huber<S: Scalar>(r: S) -> S {
///     let small = r.abs().le_mask(S::from(1.0));
///     S::select(small, r * r * 0.5, r.abs() - 0.5)
/// }
/// assert_eq!(huber(0.5), 0.125);
/// assert_eq!(derivative(|r| huber(r), 3.0), 1.0);
/// ```
///
/// **Shape**: a single number.
/// **Cost**: given per operation as operations on the inner scalar.
/// **Source**: Griewank & Walther 2008, §2; num-dual 0.15 for the inherited part.
pub trait Scalar: DualNum<Primitive = f64> + Copy + Send + Sync {
    /// The outcome of [`lt_mask`](Self::lt_mask) and the other comparisons.
    type Mask: Mask;

    /// Applies an elementary function of one argument.
    #[track_caller]
    fn unary<U: Unary>(self, op: U) -> Self;

    /// Applies an elementary function of two arguments.
    #[track_caller]
    fn binary<B: Binary>(self, op: B, rhs: Self) -> Self;

    /// Applies an elementary function of any number of arguments.
    #[track_caller]
    fn nary<R: Nary>(rule: &R, args: &[Self]) -> Self;

    /// `self < rhs`, without deciding a branch.
    #[track_caller]
    fn lt_mask(self, rhs: Self) -> Self::Mask;

    /// `self <= rhs`, without deciding a branch.
    #[track_caller]
    fn le_mask(self, rhs: Self) -> Self::Mask;

    /// `self == rhs`, without deciding a branch.
    #[track_caller]
    fn eq_mask(self, rhs: Self) -> Self::Mask;

    /// `a` where the mask holds, else `b`; the other one contributes nothing to derivatives (e40, e41).
    ///
    /// Both are computed, but only the chosen one is differentiated: unlike in JAX or PyTorch no NaN leaks from the other.
    #[track_caller]
    fn select(mask: Self::Mask, a: Self, b: Self) -> Self;

    /// Whether the value and every derivative part are finite.
    fn is_all_finite(&self) -> bool;

    /// A zero that derivatives never see: adding it changes nothing and multiplying by it gives it back (R3).
    ///
    /// On plain numbers it is 0.0; the strict twin of a carrier tells it from a computed zero.
    #[doc(hidden)]
    fn structural_zero() -> Self {
        Self::from(0.0)
    }

    /// `p a + q b`, entry by entry: what a carrier with many tangents does most. Plain numbers use vector instructions.
    #[doc(hidden)]
    #[inline(always)]
    fn combine<const N: usize>(p: Self, mut a: [Self; N], q: Self, b: &[Self; N]) -> [Self; N] {
        for (a, b) in a.iter_mut().zip(b) {
            *a = p * *a + q * *b;
        }
        a
    }

    /// `p a`, entry by entry.
    #[doc(hidden)]
    #[inline(always)]
    fn stretch<const N: usize>(p: Self, mut a: [Self; N]) -> [Self; N] {
        for a in &mut a {
            *a = p * *a;
        }
        a
    }

    /// `a + b`, entry by entry.
    #[doc(hidden)]
    #[inline(always)]
    fn add_entries<const N: usize>(mut a: [Self; N], b: &[Self; N]) -> [Self; N] {
        for (a, b) in a.iter_mut().zip(b) {
            *a += *b;
        }
        a
    }

    /// `a - b`, entry by entry.
    #[doc(hidden)]
    #[inline(always)]
    fn sub_entries<const N: usize>(mut a: [Self; N], b: &[Self; N]) -> [Self; N] {
        for (a, b) in a.iter_mut().zip(b) {
            *a -= *b;
        }
        a
    }

    /// The value without its derivatives, at every level of nesting.
    ///
    /// **Cost**: free. **Source**: JAX `stop_gradient`, PyTorch `detach`.
    #[must_use]
    #[inline]
    #[track_caller]
    fn detach(self) -> Self {
        Self::from(self.re())
    }

    /// The integer part as an index, or `None` if it is negative, NaN or too large.
    ///
    /// A recorded program guards the integer: replay with another one is an error, never a stale index (e45).
    #[inline]
    #[track_caller]
    fn to_index(self) -> Option<usize> {
        num_traits::cast(self.re().floor())
    }

    /// The larger one, as `f64::max`, and +0 of two zeros; partials 1/2 and 1/2 at a tie (e02), NaN is ignored (e03).
    #[must_use]
    #[inline]
    #[track_caller]
    fn max(self, rhs: Self) -> Self {
        decide(rhs.lt_mask(self), self.lt_mask(rhs), self, rhs, |x, y| {
            x.binary(TiedMax, y)
        })
    }

    /// The smaller one, as `f64::min`, and -0 of two zeros; partials 1/2 and 1/2 at a tie (e02), NaN is ignored (e03).
    #[must_use]
    #[inline]
    #[track_caller]
    fn min(self, rhs: Self) -> Self {
        decide(self.lt_mask(rhs), rhs.lt_mask(self), self, rhs, |x, y| {
            x.binary(TiedMin, y)
        })
    }

    /// `min(max(self, lo), hi)`; partials 1/2 at a bound (e04).
    ///
    /// # Panics
    /// If `lo > hi` or a bound is NaN, as `f64::clamp`.
    #[must_use]
    #[inline]
    #[track_caller]
    fn clamp(self, lo: Self, hi: Self) -> Self {
        assert!(
            lo <= hi,
            "clamp needs lo <= hi, found lo = {}, hi = {}",
            lo.re(),
            hi.re()
        );
        Scalar::min(Scalar::max(self, lo), hi)
    }

    /// `max(self, 0)`; 0 with partial 0 at 0 (e05).
    #[must_use]
    #[inline]
    #[track_caller]
    fn relu(self) -> Self {
        let zero = Self::from(0.0);
        Self::select(zero.lt_mask(self) | !self.eq_mask(self), self, zero)
    }

    /// `sqrt(self^2 + rhs^2)` without spurious overflow; partials 0 at the origin (e19).
    #[must_use]
    #[inline]
    #[track_caller]
    fn hypot(self, rhs: Self) -> Self {
        self.binary(Hypot, rhs)
    }

    /// The absolute value with the sign bit of `sign` (e33).
    #[must_use]
    #[inline]
    #[track_caller]
    fn copysign(self, sign: Self) -> Self {
        self.binary(Copysign, sign)
    }

    /// The largest integer not above; derivative 0 (e06).
    #[must_use]
    #[inline]
    #[track_caller]
    fn floor(self) -> Self {
        self.unary(crate::elementary::Floor)
    }

    /// The smallest integer not below; derivative 0 (e06).
    #[must_use]
    #[inline]
    #[track_caller]
    fn ceil(self) -> Self {
        self.unary(crate::elementary::Ceil)
    }

    /// The nearest integer, halves away from zero; derivative 0 (e06).
    #[must_use]
    #[inline]
    #[track_caller]
    fn round(self) -> Self {
        self.unary(crate::elementary::Round)
    }

    /// The integer part; derivative 0 (e06).
    #[must_use]
    #[inline]
    #[track_caller]
    fn trunc(self) -> Self {
        self.unary(crate::elementary::Trunc)
    }

    /// The error function. (`erf` without the underscore is an unstable name of `f64`.)
    #[must_use]
    #[inline]
    #[track_caller]
    fn erf_(self) -> Self {
        self.unary(Erf)
    }

    /// The complementary error function.
    #[must_use]
    #[inline]
    #[track_caller]
    fn erfc_(self) -> Self {
        self.unary(Erfc)
    }

    /// `ln |Gamma(self)|`.
    #[must_use]
    #[inline]
    #[track_caller]
    fn lgamma(self) -> Self {
        self.unary(Lgamma)
    }

    /// The derivative of [`lgamma`](Self::lgamma).
    #[must_use]
    #[inline]
    #[track_caller]
    fn digamma(self) -> Self {
        self.unary(Polygamma(0))
    }

    /// The `n`-th derivative of [`digamma`](Self::digamma).
    #[must_use]
    #[inline]
    #[track_caller]
    fn polygamma(self, n: u32) -> Self {
        self.unary(Polygamma(n))
    }

    /// `1 / (1 + e^-self)`; 0 with derivative 0 far to the left (e26).
    #[must_use]
    #[inline]
    #[track_caller]
    fn logistic(self) -> Self {
        self.unary(Logistic)
    }

    /// `ln(1 + e^self)` without overflow.
    #[must_use]
    #[inline]
    #[track_caller]
    fn softplus(self) -> Self {
        self.unary(Softplus)
    }

    /// `sin(self) / self`, smooth and accurate at and near 0.
    #[must_use]
    #[inline]
    #[track_caller]
    fn sinc(self) -> Self {
        self.unary(SphBessel(0))
    }

    /// `self ln(y)`, and 0 where `self` is 0 (e23).
    #[must_use]
    #[inline]
    #[track_caller]
    fn xlogy(self, y: Self) -> Self {
        self.binary(Xlogy, y)
    }

    /// `ln(e^self + e^rhs)` without overflow (e28).
    #[must_use]
    #[inline]
    #[track_caller]
    fn log_add_exp(self, rhs: Self) -> Self {
        self.binary(LogAddExp, rhs)
    }

    /// The sum in source order as one operation; -0.0 when empty, as `Iterator::sum`.
    ///
    /// **Shape**: any number of terms. **Cost**: one statement with one argument per term.
    #[must_use]
    #[inline]
    #[track_caller]
    fn sum_of(terms: impl IntoIterator<Item = Self>) -> Self {
        let terms: Short<Self> = terms.into_iter().collect();
        Self::nary(&Sum, &terms)
    }

    /// The scalar product of the pairs, summed in source order, as one operation.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// let (a, b) = ([1.0, 2.0], [3.0, 4.0]);
    /// assert_eq!(f64::dot_of(a.into_iter().zip(b)), 11.0);
    /// ```
    /// **Shape**: any number of pairs. **Cost**: one statement with two arguments per pair.
    #[must_use]
    #[inline]
    #[track_caller]
    fn dot_of(pairs: impl IntoIterator<Item = (Self, Self)>) -> Self {
        let args: Short<Self> = pairs.into_iter().flat_map(|(x, y)| [x, y]).collect();
        Self::nary(&Dot, &args)
    }

    /// The sum of squares in source order as one operation.
    ///
    /// **Shape**: any number of terms. **Cost**: one statement with one argument per term.
    #[must_use]
    #[inline]
    #[track_caller]
    fn squared_norm_of(terms: impl IntoIterator<Item = Self>) -> Self {
        let terms: Short<Self> = terms.into_iter().collect();
        Self::nary(&SquaredNorm, &terms)
    }

    /// The product in source order as one operation; right also with zero factors (e31).
    ///
    /// **Shape**: any number of factors. **Cost**: one statement; 3 multiplications per factor.
    #[must_use]
    #[inline]
    #[track_caller]
    fn prod_of(factors: impl IntoIterator<Item = Self>) -> Self {
        let factors: Short<Self> = factors.into_iter().collect();
        Self::nary(&Prod, &factors)
    }

    /// The Euclidean norm as one operation, without spurious overflow; partials 0 at the zero vector (e19).
    ///
    /// **Shape**: any number of components. **Cost**: one statement with one argument per component.
    #[must_use]
    #[inline]
    #[track_caller]
    fn norm2_of(components: impl IntoIterator<Item = Self>) -> Self {
        let components: Short<Self> = components.into_iter().collect();
        Self::nary(&Norm2, &components)
    }

    /// `ln(sum of exp)` as one operation, shifted by the largest term (e28).
    ///
    /// **Shape**: any number of terms. **Cost**: one statement; two exponentials per term.
    #[must_use]
    #[inline]
    #[track_caller]
    fn log_sum_exp_of(terms: impl IntoIterator<Item = Self>) -> Self {
        let terms: Short<Self> = terms.into_iter().collect();
        Self::nary(&LogSumExp, &terms)
    }

    /// The largest term; partials 1/k for k tied terms (e02); -inf when empty.
    ///
    /// **Shape**: any number of terms. **Cost**: one statement.
    #[must_use]
    #[inline]
    #[track_caller]
    fn max_of(terms: &[Self]) -> Self {
        Self::nary(&MaxOf, terms)
    }

    /// The smallest term; partials 1/k for k tied terms (e02); +inf when empty.
    ///
    /// **Shape**: any number of terms. **Cost**: one statement.
    #[must_use]
    #[inline]
    #[track_caller]
    fn min_of(terms: &[Self]) -> Self {
        Self::nary(&MinOf, terms)
    }

    /// Applies a custom rule: a new elementary function, or another derivative for an existing one.
    ///
    /// **Shape**: as many arguments as the rule expects. **Cost**: that of the rule; one statement.
    /// See [`CustomRule`] for an example.
    #[must_use]
    #[inline]
    #[track_caller]
    fn custom<R: CustomRule>(rule: &R, args: &[Self]) -> Self {
        Self::nary(&Custom(rule), args)
    }

    /// The sum of `body` over the rows, in their order; -0.0 when there is none.
    ///
    /// A plain loop for every carrier. A recorded program keeps it as a [`Region`](crate::program::Region) with one body,
    /// which replay runs over several rows at a time; values from outside may be used in the body. A choice in the body that
    /// depends on the row must be a [`select`](Self::select), because all rows share the body.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// fn misfit<S: Scalar>(x: &[S], times: &[f64], heights: &[f64]) -> S {
    ///     S::sum_over(&[], &[Rows::column(times), Rows::column(heights)], |_, d| {
    ///         (x[0] + x[1] * d[0] - d[1]).powi(2)
    ///     })
    /// }
    /// let g = gradient(|x| misfit(x, &[0.0, 1.0], &[1.0, 2.0]), &[0.0, 0.0])?;
    /// assert_eq!(g, [-6.0, -4.0]);
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// **Shape**: all rows are equally many; `body` gets one row of every lane, one after the other, and one of the data.
    /// **Cost**: the body once per row; one statement on the tape for the sum.
    ///
    /// # Panics
    /// If the numbers of rows differ.
    ///
    /// **Source**: the `map` of CasADi.
    #[must_use]
    #[track_caller]
    fn sum_over(
        lanes: &[Rows<'_, Self>],
        data: &[Rows<'_, f64>],
        body: impl Fn(&[Self], &[Self]) -> Self,
    ) -> Self {
        rows::sum_over(lanes, data, body)
    }

    /// The sum of `body(i)` over the indices, in their order; -0.0 when there is none.
    ///
    /// A plain loop for every carrier. While a program is recorded, indices whose bodies do the same operations share one body,
    /// so an ordinary loop becomes a region without declarations.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// fn rosenbrock<S: Scalar>(x: &[S]) -> S {
    ///     S::sum_for(1..x.len(), |i| {
    ///         (x[i] - x[i - 1].powi(2)).powi(2) * 100.0 + (x[i - 1] - 1.0).powi(2)
    ///     })
    /// }
    /// assert_eq!(gradient(rosenbrock, &[1.0, 2.0, 4.0])?, [-400.0, 202.0, 0.0]);
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// **Cost**: the body once per index; while recording the same, and 4 to 8 bytes per index for everything that differs.
    /// **Source**: none.
    #[must_use]
    #[track_caller]
    fn sum_for(range: Range<usize>, body: impl Fn(usize) -> Self) -> Self {
        rows::sum_for(range, body)
    }

    /// Writes the results of `body` for every row into `out`, row after row.
    ///
    /// A plain loop for every carrier; a region in a recorded program, as [`sum_over`](Self::sum_over).
    ///
    /// ```
    /// use wengert::prelude::*;
    /// let mut y = [0.0; 4];
    /// f64::map_rows(&[Rows::column(&[1.0, 2.0])], &[], &mut y, |x, _, y| {
    ///     y[0] = x[0];
    ///     y[1] = x[0] * x[0];
    /// });
    /// assert_eq!(y, [1.0, 1.0, 2.0, 4.0]);
    /// ```
    ///
    /// **Shape**: `out` has the same number of entries for each row.
    /// **Cost**: the body once per row.
    ///
    /// # Panics
    /// If the numbers of rows differ or do not divide the length of `out`.
    ///
    /// **Source**: the `map` of CasADi.
    #[track_caller]
    fn map_rows(
        lanes: &[Rows<'_, Self>],
        data: &[Rows<'_, f64>],
        out: &mut [Self],
        body: impl Fn(&[Self], &[Self], &mut [Self]),
    ) {
        rows::map_rows(lanes, data, out, body);
    }

    /// Updates `state` with every row in turn.
    ///
    /// A plain loop for every carrier; a region with carried values in a recorded program, as [`sum_over`](Self::sum_over).
    ///
    /// ```
    /// use wengert::prelude::*;
    /// fn horner<S: Scalar>(x: S, coefficients: &[f64]) -> S {
    ///     let mut p = [S::from(0.0)];
    ///     S::scan(&mut p, &[], &[Rows::column(coefficients)], |p, _, c| p[0] = p[0] * x + c[0]);
    ///     p[0]
    /// }
    /// assert_eq!(derivative(|x| horner(x, &[2.0, 3.0, 4.0]), 1.0), 7.0);
    /// ```
    ///
    /// **Cost**: the body once per row.
    ///
    /// # Panics
    /// If the numbers of rows differ.
    ///
    /// **Source**: the `scan` of JAX.
    #[track_caller]
    fn scan(
        state: &mut [Self],
        lanes: &[Rows<'_, Self>],
        data: &[Rows<'_, f64>],
        body: impl Fn(&mut [Self], &[Self], &[Self]),
    ) {
        rows::scan(state, lanes, data, body);
    }

    /// The partial where the value `y` of a function is a number, else NaN (R4): one fused operation.
    #[doc(hidden)]
    #[inline]
    #[track_caller]
    fn in_domain(y: Self, partial: Self) -> Self {
        Self::select(y.eq_mask(y), partial, Self::from(f64::NAN))
    }
}

/// The extremum of two numbers: the one preferred by an inequality, the one that is a number, or both.
#[inline]
#[track_caller]
fn decide<S: Scalar>(
    prefer_x: S::Mask,
    prefer_y: S::Mask,
    x: S,
    y: S,
    tied: impl Fn(S, S) -> S,
) -> S {
    let (x_is_number, y_is_number) = (x.eq_mask(x), y.eq_mask(y));
    let take_x = prefer_x | (x_is_number & !y_is_number);
    let take_y = prefer_y | (y_is_number & !x_is_number);
    match (take_x.decided(), take_y.decided()) {
        (Some(true), _) => x,
        (_, Some(true)) => y,
        (Some(false), Some(false)) => tied(x, y),
        _ => S::select(take_x, x, S::select(take_y, y, tied(x, y))),
    }
}
