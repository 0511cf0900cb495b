//! Rules of the functions of two arguments. Row numbers refer to `EDGE_CASES.md`.

use super::{Binary, Factor, Op, SignBit, in_domain, special};
use crate::scalar::Scalar;

/// `x + y`.
#[derive(Clone, Copy, Debug)]
pub struct Add;
/// `x - y`.
#[derive(Clone, Copy, Debug)]
pub struct Sub;
/// `x * y`.
#[derive(Clone, Copy, Debug)]
pub struct Mul;
/// `x / y`.
#[derive(Clone, Copy, Debug)]
pub struct Div;
/// `x % y`, the remainder with the sign of `x`.
#[derive(Clone, Copy, Debug)]
pub struct Rem;
/// `x^y` with both arguments active.
#[derive(Clone, Copy, Debug)]
pub struct Pow;
/// The angle of the point `(y, x)`: `self.atan2(other)` with `self` the ordinate.
#[derive(Clone, Copy, Debug)]
pub struct Atan2;
/// `sqrt(x^2 + y^2)` without spurious overflow.
#[derive(Clone, Copy, Debug)]
pub struct Hypot;
/// `|x|` with the sign bit of `y`.
#[derive(Clone, Copy, Debug)]
pub struct Copysign;
/// `x ln y`, and 0 at `x = 0`.
#[derive(Clone, Copy, Debug)]
pub struct Xlogy;
/// `ln(e^x + e^y)`.
#[derive(Clone, Copy, Debug)]
pub struct LogAddExp;

impl Binary for Add {
    const LHS: Factor = Factor::One;
    const RHS: Factor = Factor::One;
    fn op(self) -> Op {
        Op::Add
    }
    #[inline]
    fn value(self, x: f64, y: f64) -> f64 {
        x + y
    }
    #[inline]
    fn partial_lhs<T: Scalar>(self, _: T, _: T, _: T) -> T {
        T::from(1.0)
    }
    #[inline]
    fn partial_rhs<T: Scalar>(self, _: T, _: T, _: T) -> T {
        T::from(1.0)
    }
}

impl Binary for Sub {
    const LHS: Factor = Factor::One;
    const RHS: Factor = Factor::MinusOne;
    fn op(self) -> Op {
        Op::Sub
    }
    #[inline]
    fn value(self, x: f64, y: f64) -> f64 {
        x - y
    }
    #[inline]
    fn partial_lhs<T: Scalar>(self, _: T, _: T, _: T) -> T {
        T::from(1.0)
    }
    #[inline]
    fn partial_rhs<T: Scalar>(self, _: T, _: T, _: T) -> T {
        T::from(-1.0)
    }
}

impl Binary for Mul {
    fn op(self) -> Op {
        Op::Mul
    }
    #[inline]
    fn value(self, x: f64, y: f64) -> f64 {
        x * y
    }
    #[inline]
    fn partial_lhs<T: Scalar>(self, _: T, y: T, _: T) -> T {
        y
    }
    #[inline]
    fn partial_rhs<T: Scalar>(self, x: T, _: T, _: T) -> T {
        x
    }
}

/// e29: `1/y` and `-(x/y)/y`; never the square of `y`, which overflows first (e18).
///
/// One direction divides once: `(dx - v dy)/y` forward, `w/y` and `v (w/y)` back (Griewank & Walther 2008, §4.5).
impl Binary for Div {
    const SHARES: bool = true;
    fn op(self) -> Op {
        Op::Div
    }
    #[inline]
    fn value(self, x: f64, y: f64) -> f64 {
        x / y
    }
    #[inline]
    fn partial_lhs<T: Scalar>(self, _: T, y: T, _: T) -> T {
        y.recip()
    }
    #[inline]
    fn partial_rhs<T: Scalar>(self, _: T, y: T, v: T) -> T {
        -(v / y)
    }
    #[inline]
    fn tangent<T: Scalar>(self, [_, y, v]: [T; 3], dx: T, dy: T) -> T {
        (dx - v * dy) / y
    }
    #[inline]
    fn adjoints<T: Scalar>(self, [_, y, v]: [T; 3], w: T) -> (T, T) {
        let share = w / y;
        (share, share * v)
    }
}

/// e32.
impl Binary for Rem {
    const LHS: Factor = Factor::One;
    fn op(self) -> Op {
        Op::Rem
    }
    #[inline]
    fn value(self, x: f64, y: f64) -> f64 {
        x % y
    }
    #[inline]
    fn partial_lhs<T: Scalar>(self, _: T, _: T, _: T) -> T {
        T::from(1.0)
    }
    #[inline]
    fn partial_rhs<T: Scalar>(self, x: T, y: T, _: T) -> T {
        -(x / y).trunc()
    }
}

/// e14, e15, e16.
impl Binary for Pow {
    fn op(self) -> Op {
        Op::Pow
    }
    #[inline]
    fn value(self, x: f64, y: f64) -> f64 {
        x.powf(y)
    }
    // x^0 is 1 for every x, so the partial at (0, 0) is 0, where the formula says 0 * inf.
    #[inline]
    fn partial_lhs<T: Scalar>(self, x: T, y: T, _: T) -> T {
        let zero = T::from(0.0);
        let origin = x.eq_mask(zero) & y.eq_mask(zero);
        T::select(origin, zero, y * x.powd(y + -1.0))
    }
    // 0^y is 0 for y > 0 and jumps at y = 0, where the formula says 0 * -inf and 1 * -inf.
    #[inline]
    fn partial_rhs<T: Scalar>(self, x: T, y: T, v: T) -> T {
        let zero = T::from(0.0);
        let at_zero = x.eq_mask(zero);
        let jump = T::select(y.eq_mask(zero), T::from(f64::NAN), v * x.ln());
        T::select(
            at_zero & zero.lt_mask(y),
            zero,
            T::select(at_zero, jump, v * x.ln()),
        )
    }
}

/// e17, e18: both quotients by the hypotenuse, so that no square over- or underflows; NaN at the origin.
impl Binary for Atan2 {
    fn op(self) -> Op {
        Op::Atan2
    }
    #[inline]
    fn value(self, x: f64, y: f64) -> f64 {
        x.atan2(y)
    }
    #[inline]
    fn partial_lhs<T: Scalar>(self, x: T, y: T, _: T) -> T {
        let h = x.hypot(y);
        y / h / h
    }
    #[inline]
    fn partial_rhs<T: Scalar>(self, x: T, y: T, _: T) -> T {
        let h = x.hypot(y);
        -(x / h / h)
    }
}

/// e18, e19: the least-norm subgradient 0 at the origin.
impl Binary for Hypot {
    fn op(self) -> Op {
        Op::Hypot
    }
    #[inline]
    fn value(self, x: f64, y: f64) -> f64 {
        x.hypot(y)
    }
    #[inline]
    fn partial_lhs<T: Scalar>(self, x: T, _: T, v: T) -> T {
        T::select(v.eq_mask(T::from(0.0)), T::from(0.0), x / v)
    }
    #[inline]
    fn partial_rhs<T: Scalar>(self, _: T, y: T, v: T) -> T {
        T::select(v.eq_mask(T::from(0.0)), T::from(0.0), y / v)
    }
}

/// e33: by the sign bits, never by comparison with zero.
impl Binary for Copysign {
    const RHS: Factor = Factor::Zero;
    fn op(self) -> Op {
        Op::Copysign
    }
    #[inline]
    fn value(self, x: f64, y: f64) -> f64 {
        x.copysign(y)
    }
    #[inline]
    fn partial_lhs<T: Scalar>(self, x: T, y: T, _: T) -> T {
        x.unary(SignBit) * y.unary(SignBit)
    }
    #[inline]
    fn partial_rhs<T: Scalar>(self, _: T, _: T, _: T) -> T {
        T::structural_zero()
    }
}

/// e23.
impl Binary for Xlogy {
    fn op(self) -> Op {
        Op::Xlogy
    }
    #[inline]
    fn value(self, x: f64, y: f64) -> f64 {
        special::xlogy(x, y)
    }
    #[inline]
    fn partial_lhs<T: Scalar>(self, _: T, y: T, _: T) -> T {
        y.ln()
    }
    #[inline]
    fn partial_rhs<T: Scalar>(self, x: T, y: T, _: T) -> T {
        let zero = T::from(0.0);
        let quotient = T::select(y.ln().eq_mask(y.ln()), x / y, T::from(f64::NAN));
        T::select(x.eq_mask(zero) & y.eq_mask(zero), zero, quotient)
    }
}

/// e28: the weights are logistic functions of the difference, and 1/2 where both arguments are the same infinity.
impl Binary for LogAddExp {
    fn op(self) -> Op {
        Op::LogAddExp
    }
    #[inline]
    fn value(self, x: f64, y: f64) -> f64 {
        special::log_add_exp(x, y)
    }
    #[inline]
    fn partial_lhs<T: Scalar>(self, x: T, y: T, _: T) -> T {
        log_add_exp_weight(x, y)
    }
    #[inline]
    fn partial_rhs<T: Scalar>(self, x: T, y: T, _: T) -> T {
        log_add_exp_weight(y, x)
    }
}

/// The weight of `x` in `ln(e^x + e^y)`.
fn log_add_exp_weight<T: Scalar>(x: T, y: T) -> T {
    let difference = x - y;
    let undefined = !difference.eq_mask(difference) & x.eq_mask(y);
    T::select(undefined, T::from(0.5), difference.logistic())
}

/// The larger number where it is not decided by an inequality: partials 1/2 and 1/2 at a tie (e02), NaN where both are NaN (e03).
#[derive(Clone, Copy, Debug)]
pub struct TiedMax;
/// The smaller number where it is not decided by an inequality: partials 1/2 and 1/2 at a tie (e02), NaN where both are NaN (e03).
#[derive(Clone, Copy, Debug)]
pub struct TiedMin;

/// `f64::max`, except that of two zeros the positive one is the larger.
///
/// std leaves open which zero it returns, and the answer changes with inlining, so carriers could not give the same bits
/// (R1).
#[inline]
pub(crate) fn larger(x: f64, y: f64) -> f64 {
    if x == y {
        if x.is_sign_positive() { x } else { y }
    } else {
        x.max(y)
    }
}

/// `f64::min`, except that of two zeros the negative one is the smaller; see [`larger`].
#[inline]
pub(crate) fn smaller(x: f64, y: f64) -> f64 {
    if x == y {
        if x.is_sign_negative() { x } else { y }
    } else {
        x.min(y)
    }
}

/// One half where the extremum is a number.
fn tied_partial<T: Scalar>(v: T) -> T {
    in_domain(v, T::from(0.5))
}

impl Binary for TiedMax {
    fn op(self) -> Op {
        Op::Max
    }
    #[inline]
    fn value(self, x: f64, y: f64) -> f64 {
        larger(x, y)
    }
    #[inline]
    fn partial_lhs<T: Scalar>(self, _: T, _: T, v: T) -> T {
        tied_partial(v)
    }
    #[inline]
    fn partial_rhs<T: Scalar>(self, _: T, _: T, v: T) -> T {
        tied_partial(v)
    }
}

impl Binary for TiedMin {
    fn op(self) -> Op {
        Op::Min
    }
    #[inline]
    fn value(self, x: f64, y: f64) -> f64 {
        smaller(x, y)
    }
    #[inline]
    fn partial_lhs<T: Scalar>(self, _: T, _: T, v: T) -> T {
        tied_partial(v)
    }
    #[inline]
    fn partial_rhs<T: Scalar>(self, _: T, _: T, v: T) -> T {
        tied_partial(v)
    }
}
