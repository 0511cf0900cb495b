//! Rules of the functions of one argument.
//!
//! Every rule is a type; `x.unary(Sin)` is monomorphised to exactly the code of the sine. Row numbers refer to
//! `EDGE_CASES.md`.
//!
//! Longer than other files on purpose: who looks for a rule, or adds one, finds all of them in one list.

use std::f64::consts::{FRAC_2_SQRT_PI, LN_2, LN_10};

use super::{Factor, Op, Series, Unary, in_domain, special};
use crate::scalar::Scalar;

/// Declares the unit types of rules without parameters; the rules themselves are written out below.
macro_rules! unit_rules {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name;
    )*};
}

unit_rules! {
    /// `-x`.
    Neg,
    /// `1 / x`.
    Recip,
    /// `e^x`.
    Exp,
    /// `2^x`.
    Exp2,
    /// `e^x - 1`.
    ExpM1,
    /// Natural logarithm.
    Ln,
    /// Logarithm to base 2.
    Log2,
    /// Logarithm to base 10.
    Log10,
    /// `ln(1 + x)`.
    Ln1p,
    /// Square root.
    Sqrt,
    /// Cube root.
    Cbrt,
    /// Sine.
    Sin,
    /// Cosine.
    Cos,
    /// Tangent.
    Tan,
    /// Arc sine.
    Asin,
    /// Arc cosine.
    Acos,
    /// Arc tangent.
    Atan,
    /// Hyperbolic sine.
    Sinh,
    /// Hyperbolic cosine.
    Cosh,
    /// Hyperbolic tangent.
    Tanh,
    /// Inverse hyperbolic sine.
    Asinh,
    /// Inverse hyperbolic cosine.
    Acosh,
    /// Inverse hyperbolic tangent.
    Atanh,
    /// `1 / cosh(x)^2`, the partial of the hyperbolic tangent, accurate where `1 - tanh(x)^2` cancels (e25).
    SechSquared,
    /// `1 / (1 + e^-x)`.
    Logistic,
    /// `ln(1 + e^x)`.
    Softplus,
    /// Error function.
    Erf,
    /// Complementary error function.
    Erfc,
    /// `ln |Gamma(x)|`.
    Lgamma,
    /// num-dual's spherical Bessel function `j_0`, with the value that it has on plain `f64`.
    SphJ0,
    /// num-dual's spherical Bessel function `j_1`, with the value that it has on plain `f64`.
    SphJ1,
    /// num-dual's spherical Bessel function `j_2`, with the value that it has on plain `f64`.
    SphJ2,
    /// Absolute value; the partial at 0 is 0 (e01).
    Abs,
    /// The sign with 0 at 0 and NaN at NaN; the partial of [`Abs`].
    Sign0,
    /// `1` with the sign bit of the argument.
    SignBit,
    /// `f64::signum`.
    Signum,
    /// Largest integer not above.
    Floor,
    /// Smallest integer not below.
    Ceil,
    /// Nearest integer, halves away from zero.
    Round,
    /// Integer part.
    Trunc,
}

/// `x + c` with a constant `c`.
#[derive(Clone, Copy, Debug)]
pub struct AddConst(pub f64);
/// `x * c` with a constant `c`.
#[derive(Clone, Copy, Debug)]
pub struct MulConst(pub f64);
/// `x / c` with a constant `c`.
#[derive(Clone, Copy, Debug)]
pub struct DivConst(pub f64);
/// `x % c` with a constant `c`.
#[derive(Clone, Copy, Debug)]
pub struct RemConst(pub f64);
/// Logarithm to a constant base.
#[derive(Clone, Copy, Debug)]
pub struct Log(pub f64);
/// Power with a constant integer exponent.
#[derive(Clone, Copy, Debug)]
pub struct Powi(pub i32);
/// Power with a constant real exponent.
#[derive(Clone, Copy, Debug)]
pub struct Powf(pub f64);
/// The `n`-th derivative of the digamma function; `Polygamma(0)` is digamma itself.
#[derive(Clone, Copy, Debug)]
pub struct Polygamma(pub u32);
/// The spherical Bessel function `j_n`, accurate for every argument.
#[derive(Clone, Copy, Debug)]
pub struct SphBessel(pub u32);

impl Unary for Neg {
    const SERIES: Series = Series::Linear;
    #[inline]
    fn factor(self) -> Factor {
        Factor::MinusOne
    }
    fn op(self) -> Op {
        Op::Neg
    }
    #[inline]
    fn value(self, x: f64) -> f64 {
        -x
    }
    #[inline]
    fn partial<T: Scalar>(self, _: T, _: T) -> T {
        T::from(-1.0)
    }
}

impl Unary for AddConst {
    const SERIES: Series = Series::Linear;
    #[inline]
    fn factor(self) -> Factor {
        Factor::One
    }
    fn op(self) -> Op {
        Op::AddConst(self.0)
    }
    #[inline]
    fn value(self, x: f64) -> f64 {
        x + self.0
    }
    #[inline]
    fn partial<T: Scalar>(self, _: T, _: T) -> T {
        T::from(1.0)
    }
}

impl Unary for MulConst {
    const SERIES: Series = Series::Linear;
    fn op(self) -> Op {
        Op::MulConst(self.0)
    }
    #[inline]
    fn value(self, x: f64) -> f64 {
        x * self.0
    }
    #[inline]
    fn partial<T: Scalar>(self, _: T, _: T) -> T {
        T::from(self.0)
    }
}

impl Unary for DivConst {
    const SERIES: Series = Series::Linear;
    fn op(self) -> Op {
        Op::DivConst(self.0)
    }
    #[inline]
    fn value(self, x: f64) -> f64 {
        x / self.0
    }
    #[inline]
    fn partial<T: Scalar>(self, _: T, _: T) -> T {
        T::from(1.0 / self.0)
    }
}

/// e32: the partial is 1 also at multiples.
impl Unary for RemConst {
    const SERIES: Series = Series::Linear;
    #[inline]
    fn factor(self) -> Factor {
        Factor::One
    }
    fn op(self) -> Op {
        Op::RemConst(self.0)
    }
    #[inline]
    fn value(self, x: f64) -> f64 {
        x % self.0
    }
    #[inline]
    fn partial<T: Scalar>(self, _: T, _: T) -> T {
        T::from(1.0)
    }
}

impl Unary for Recip {
    const SERIES: Series = Series::Recurrence;
    fn op(self) -> Op {
        Op::Recip
    }
    #[inline]
    fn value(self, x: f64) -> f64 {
        x.recip()
    }
    #[inline]
    fn partial<T: Scalar>(self, _: T, y: T) -> T {
        -(y * y)
    }
}

impl Unary for Exp {
    const SERIES: Series = Series::Recurrence;
    fn op(self) -> Op {
        Op::Exp
    }
    #[inline]
    fn value(self, x: f64) -> f64 {
        x.exp()
    }
    #[inline]
    fn partial<T: Scalar>(self, _: T, y: T) -> T {
        y
    }
}

impl Unary for Exp2 {
    const SERIES: Series = Series::Recurrence;
    fn op(self) -> Op {
        Op::Exp2
    }
    #[inline]
    fn value(self, x: f64) -> f64 {
        x.exp2()
    }
    #[inline]
    fn partial<T: Scalar>(self, _: T, y: T) -> T {
        y * LN_2
    }
}

impl Unary for ExpM1 {
    fn op(self) -> Op {
        Op::ExpM1
    }
    #[inline]
    fn value(self, x: f64) -> f64 {
        x.exp_m1()
    }
    // Not `y + 1`, which loses all digits for large negative arguments.
    #[inline]
    fn partial<T: Scalar>(self, x: T, _: T) -> T {
        x.exp()
    }
}

impl Unary for Ln {
    fn op(self) -> Op {
        Op::Ln
    }
    #[inline]
    fn value(self, x: f64) -> f64 {
        x.ln()
    }
    #[inline]
    fn partial<T: Scalar>(self, x: T, y: T) -> T {
        in_domain(y, x.recip())
    }
}

impl Unary for Log {
    fn op(self) -> Op {
        Op::Log(self.0)
    }
    #[inline]
    fn value(self, x: f64) -> f64 {
        x.log(self.0)
    }
    #[inline]
    fn partial<T: Scalar>(self, x: T, y: T) -> T {
        in_domain(y, (x * self.0.ln()).recip())
    }
}

impl Unary for Log2 {
    fn op(self) -> Op {
        Op::Log2
    }
    #[inline]
    fn value(self, x: f64) -> f64 {
        x.log2()
    }
    #[inline]
    fn partial<T: Scalar>(self, x: T, y: T) -> T {
        in_domain(y, (x * LN_2).recip())
    }
}

impl Unary for Log10 {
    fn op(self) -> Op {
        Op::Log10
    }
    #[inline]
    fn value(self, x: f64) -> f64 {
        x.log10()
    }
    #[inline]
    fn partial<T: Scalar>(self, x: T, y: T) -> T {
        in_domain(y, (x * LN_10).recip())
    }
}

impl Unary for Ln1p {
    fn op(self) -> Op {
        Op::Ln1p
    }
    #[inline]
    fn value(self, x: f64) -> f64 {
        x.ln_1p()
    }
    #[inline]
    fn partial<T: Scalar>(self, x: T, y: T) -> T {
        in_domain(y, (x + 1.0).recip())
    }
}

impl Unary for Sqrt {
    const SERIES: Series = Series::Recurrence;
    fn op(self) -> Op {
        Op::Sqrt
    }
    #[inline]
    fn value(self, x: f64) -> f64 {
        x.sqrt()
    }
    // e07: +inf at both zeros; the sum turns -0 into +0.
    #[inline]
    fn partial<T: Scalar>(self, _: T, y: T) -> T {
        T::from(0.5) / (y + 0.0)
    }
}

impl Unary for Cbrt {
    const SERIES: Series = Series::Recurrence;
    fn op(self) -> Op {
        Op::Cbrt
    }
    #[inline]
    fn value(self, x: f64) -> f64 {
        x.cbrt()
    }
    #[inline]
    fn partial<T: Scalar>(self, _: T, y: T) -> T {
        (y * y * 3.0).recip()
    }
}

/// e09, e10, e11.
impl Unary for Powi {
    const SERIES: Series = Series::Recurrence;
    #[inline]
    fn factor(self) -> Factor {
        match self.0 {
            0 => Factor::Zero,
            1 => Factor::One,
            _ => Factor::General,
        }
    }
    fn op(self) -> Op {
        Op::Powi(self.0)
    }
    #[inline]
    fn value(self, x: f64) -> f64 {
        x.powi(self.0)
    }
    #[inline]
    fn partial<T: Scalar>(self, x: T, y: T) -> T {
        let n = self.0;
        match n {
            0 => T::structural_zero(),
            1 => T::from(1.0),
            2 => x * 2.0,
            // The exponent minus one is not representable.
            i32::MIN => y / x * f64::from(n),
            _ => x.powi(n - 1) * f64::from(n),
        }
    }
}

/// e12, e13.
impl Unary for Powf {
    const SERIES: Series = Series::Recurrence;
    #[inline]
    fn factor(self) -> Factor {
        if self.0 == 0.0 {
            Factor::Zero
        } else {
            Factor::General
        }
    }
    fn op(self) -> Op {
        Op::Powf(self.0)
    }
    #[inline]
    fn value(self, x: f64) -> f64 {
        x.powf(self.0)
    }
    #[inline]
    fn partial<T: Scalar>(self, x: T, _: T) -> T {
        if self.0 == 0.0 {
            T::structural_zero()
        } else {
            x.powf(self.0 - 1.0) * self.0
        }
    }
}

impl Unary for Sin {
    const SERIES: Series = Series::Recurrence;
    fn op(self) -> Op {
        Op::Sin
    }
    #[inline]
    fn value(self, x: f64) -> f64 {
        x.sin()
    }
    #[inline]
    fn partial<T: Scalar>(self, x: T, _: T) -> T {
        x.cos()
    }
}

impl Unary for Cos {
    const SERIES: Series = Series::Recurrence;
    fn op(self) -> Op {
        Op::Cos
    }
    #[inline]
    fn value(self, x: f64) -> f64 {
        x.cos()
    }
    #[inline]
    fn partial<T: Scalar>(self, x: T, _: T) -> T {
        -x.sin()
    }
}

impl Unary for Tan {
    const SERIES: Series = Series::Recurrence;
    fn op(self) -> Op {
        Op::Tan
    }
    #[inline]
    fn value(self, x: f64) -> f64 {
        x.tan()
    }
    #[inline]
    fn partial<T: Scalar>(self, _: T, y: T) -> T {
        y * y + 1.0
    }
}

/// `1 - x^2` in the form that keeps its digits next to 1 (e27).
fn one_minus_square<T: Scalar>(x: T) -> T {
    (-x + 1.0) * (x + 1.0)
}

impl Unary for Asin {
    fn op(self) -> Op {
        Op::Asin
    }
    #[inline]
    fn value(self, x: f64) -> f64 {
        x.asin()
    }
    #[inline]
    fn partial<T: Scalar>(self, x: T, _: T) -> T {
        one_minus_square(x).sqrt().recip()
    }
}

impl Unary for Acos {
    fn op(self) -> Op {
        Op::Acos
    }
    #[inline]
    fn value(self, x: f64) -> f64 {
        x.acos()
    }
    #[inline]
    fn partial<T: Scalar>(self, x: T, _: T) -> T {
        -one_minus_square(x).sqrt().recip()
    }
}

impl Unary for Atan {
    fn op(self) -> Op {
        Op::Atan
    }
    #[inline]
    fn value(self, x: f64) -> f64 {
        x.atan()
    }
    #[inline]
    fn partial<T: Scalar>(self, x: T, _: T) -> T {
        (x * x + 1.0).recip()
    }
}

impl Unary for Sinh {
    const SERIES: Series = Series::Recurrence;
    fn op(self) -> Op {
        Op::Sinh
    }
    #[inline]
    fn value(self, x: f64) -> f64 {
        x.sinh()
    }
    #[inline]
    fn partial<T: Scalar>(self, x: T, _: T) -> T {
        x.cosh()
    }
}

impl Unary for Cosh {
    const SERIES: Series = Series::Recurrence;
    fn op(self) -> Op {
        Op::Cosh
    }
    #[inline]
    fn value(self, x: f64) -> f64 {
        x.cosh()
    }
    #[inline]
    fn partial<T: Scalar>(self, x: T, _: T) -> T {
        x.sinh()
    }
}

impl Unary for Tanh {
    const SERIES: Series = Series::Recurrence;
    fn op(self) -> Op {
        Op::Tanh
    }
    #[inline]
    fn value(self, x: f64) -> f64 {
        x.tanh()
    }
    #[inline]
    fn partial<T: Scalar>(self, x: T, _: T) -> T {
        x.unary(SechSquared)
    }
}

impl Unary for SechSquared {
    const SERIES: Series = Series::Recurrence;
    fn op(self) -> Op {
        Op::SechSquared
    }
    #[inline]
    fn value(self, x: f64) -> f64 {
        special::sech_squared(x)
    }
    #[inline]
    fn partial<T: Scalar>(self, x: T, y: T) -> T {
        x.tanh() * y * -2.0
    }
}

impl Unary for Asinh {
    fn op(self) -> Op {
        Op::Asinh
    }
    #[inline]
    fn value(self, x: f64) -> f64 {
        x.asinh()
    }
    // The hypotenuse does not overflow where the square of `x` does.
    #[inline]
    fn partial<T: Scalar>(self, x: T, _: T) -> T {
        x.hypot(T::from(1.0)).recip()
    }
}

impl Unary for Acosh {
    fn op(self) -> Op {
        Op::Acosh
    }
    #[inline]
    fn value(self, x: f64) -> f64 {
        x.acosh()
    }
    // Two roots: their product is NaN below 1, also below -1.
    #[inline]
    fn partial<T: Scalar>(self, x: T, _: T) -> T {
        ((x + -1.0).sqrt() * (x + 1.0).sqrt()).recip()
    }
}

impl Unary for Atanh {
    fn op(self) -> Op {
        Op::Atanh
    }
    #[inline]
    fn value(self, x: f64) -> f64 {
        x.atanh()
    }
    #[inline]
    fn partial<T: Scalar>(self, x: T, y: T) -> T {
        in_domain(y, one_minus_square(x).recip())
    }
}

/// e26.
impl Unary for Logistic {
    const SERIES: Series = Series::Recurrence;
    fn op(self) -> Op {
        Op::Logistic
    }
    #[inline]
    fn value(self, x: f64) -> f64 {
        special::logistic(x)
    }
    // Not `y (1 - y)`, which cancels for large arguments; nor `y` times its mirror image, whose next derivative cancels
    // at small ones.
    #[inline]
    fn partial<T: Scalar>(self, x: T, _: T) -> T {
        (x * 0.5).unary(SechSquared) * 0.25
    }
}

impl Unary for Softplus {
    fn op(self) -> Op {
        Op::Softplus
    }
    #[inline]
    fn value(self, x: f64) -> f64 {
        special::softplus(x)
    }
    #[inline]
    fn partial<T: Scalar>(self, x: T, _: T) -> T {
        x.unary(Logistic)
    }
}

impl Unary for Erf {
    fn op(self) -> Op {
        Op::Erf
    }
    #[inline]
    fn value(self, x: f64) -> f64 {
        special::erf(x)
    }
    #[inline]
    fn partial<T: Scalar>(self, x: T, _: T) -> T {
        (-(x * x)).exp() * FRAC_2_SQRT_PI
    }
}

impl Unary for Erfc {
    fn op(self) -> Op {
        Op::Erfc
    }
    #[inline]
    fn value(self, x: f64) -> f64 {
        special::erfc(x)
    }
    #[inline]
    fn partial<T: Scalar>(self, x: T, _: T) -> T {
        (-(x * x)).exp() * -FRAC_2_SQRT_PI
    }
}

impl Unary for Lgamma {
    const SERIES: Series = Series::Compose;
    fn op(self) -> Op {
        Op::Lgamma
    }
    #[inline]
    fn value(self, x: f64) -> f64 {
        special::lgamma(x)
    }
    #[inline]
    fn partial<T: Scalar>(self, x: T, _: T) -> T {
        x.unary(Polygamma(0))
    }
}

impl Unary for Polygamma {
    const SERIES: Series = Series::Compose;
    fn op(self) -> Op {
        Op::Polygamma(self.0)
    }
    #[inline]
    fn value(self, x: f64) -> f64 {
        special::polygamma(self.0, x)
    }
    #[inline]
    fn partial<T: Scalar>(self, x: T, y: T) -> T {
        in_domain(y, x.unary(Self(self.0 + 1)))
    }
}

impl Unary for SphBessel {
    const SERIES: Series = Series::Compose;
    fn op(self) -> Op {
        Op::SphBessel(self.0)
    }
    #[inline]
    fn value(self, x: f64) -> f64 {
        special::sph_bessel(self.0, x)
    }
    // DLMF 10.51.2 in the form without a division by x.
    #[inline]
    fn partial<T: Scalar>(self, x: T, _: T) -> T {
        let n = self.0;
        let (below, above) = (f64::from(n), f64::from(n) + 1.0);
        let upper = x.unary(Self(n + 1));
        if n == 0 {
            -upper
        } else {
            (x.unary(Self(n - 1)) * below - upper * above) / (below + above)
        }
    }
}

/// num-dual's functions have the value of their plain `f64` formulas and the partials of the accurate family.
macro_rules! num_dual_bessel {
    ($($name:ident, $order:literal, $method:ident);*) => {$(
        impl Unary for $name {
            const SERIES: Series = Series::Compose;
            fn op(self) -> Op {
                Op::$name
            }
            #[inline]
            fn value(self, x: f64) -> f64 {
                num_dual::DualNum::$method(&x)
            }
            #[inline]
            fn partial<T: Scalar>(self, x: T, y: T) -> T {
                in_domain(y, SphBessel($order).partial(x, y))
            }
        }
    )*};
}
num_dual_bessel!(SphJ0, 0, sph_j0; SphJ1, 1, sph_j1; SphJ2, 2, sph_j2);

/// e01.
impl Unary for Abs {
    const SERIES: Series = Series::Linear;
    fn op(self) -> Op {
        Op::Abs
    }
    #[inline]
    fn value(self, x: f64) -> f64 {
        x.abs()
    }
    #[inline]
    fn partial<T: Scalar>(self, x: T, _: T) -> T {
        x.unary(Sign0)
    }
}

/// Steps: the partial is a structural zero, and NaN at NaN (e06).
macro_rules! step_rules {
    ($($name:ident => $value:expr),* $(,)?) => {$(
        impl Unary for $name {
                    const SERIES: Series = Series::Linear;
    #[inline]
    fn factor(self) -> Factor {
        Factor::Zero
    }
            fn op(self) -> Op {
                Op::$name
            }
            #[inline]
            fn value(self, x: f64) -> f64 {
                let value: fn(f64) -> f64 = $value;
                value(x)
            }
            #[inline]
            fn partial<T: Scalar>(self, _: T, y: T) -> T {
                step_partial(y)
            }
        }
    )*};
}
step_rules! {
    Sign0 => special::sign0,
    SignBit => |x| 1.0_f64.copysign(x),
    Signum => f64::signum,
    Floor => f64::floor,
    Ceil => f64::ceil,
    Round => f64::round,
    Trunc => f64::trunc,
}

/// Zero where the step function has a value, NaN where it has none.
fn step_partial<T: Scalar>(y: T) -> T {
    in_domain(y, T::structural_zero())
}
