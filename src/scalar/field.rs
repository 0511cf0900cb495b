//! nalgebra's scalar traits for a carrier, so that a matrix of carriers is decomposed by nalgebra's own code.
//!
//! `DMatrix<Dual<f64>>`, `DMatrix<Dual<Dual<f64>>>`, ... run `lu`, `cholesky`, `qr`, `solve`, `determinant` and
//! `try_inverse`, and differentiate through them. nalgebra's *iterative* decompositions must not be used on carriers:
//! they deflate by value only and are then silently wrong; [`linalg`](crate::linalg) has drivers in their place.
//!
//! Invariant: every method has bit for bit the value that nalgebra's own `f64` has (EDGE_CASES R1), and takes the same
//! branch; the derivative is that of the branch taken (e42). The macro only forwards; what is not a rule of
//! [`elementary`](crate::elementary) is a function below.
//!
//! Source: the traits of simba 0.10 (`ComplexField`, `RealField`) and approx 0.5.

use super::Scalar;
use crate::elementary::CustomRule;

/// Implements `RealField` and everything that it demands for a carrier that has `scalar_traits!`.
macro_rules! field_traits {
    ([$($param:tt)*] $carrier:ty) => {
        const _: () = {
            use num_dual::{DualNum, DualStruct};
            use simba::scalar::{ComplexField, Field, RealField, SubsetOf};
            use simba::simd::SimdValue;
            use std::f64::consts;
            use $crate::elementary as rules;
            use $crate::scalar::{Scalar, field};

            /// One lane: `Lanes` differentiates in many directions, but is one number to nalgebra.
            // The trait declares two methods unsafe; nothing unsafe is done in them.
            #[allow(unsafe_code)]
            impl<$($param)*> SimdValue for $carrier {
                const LANES: usize = 1;
                type Element = Self;
                type SimdBool = bool;
                #[inline]
                fn splat(value: Self) -> Self {
                    value
                }
                #[inline]
                fn extract(&self, _: usize) -> Self {
                    *self
                }
                #[inline]
                unsafe fn extract_unchecked(&self, _: usize) -> Self {
                    *self
                }
                #[inline]
                fn replace(&mut self, _: usize, value: Self) {
                    *self = value;
                }
                #[inline]
                unsafe fn replace_unchecked(&mut self, _: usize, value: Self) {
                    *self = value;
                }
                #[inline]
                fn select(self, condition: bool, other: Self) -> Self {
                    if condition { self } else { other }
                }
            }
            impl<$($param)*> Field for $carrier {}

            $crate::scalar::field::subset_of_carrier!([$($param)*] $carrier, f64);
            $crate::scalar::field::subset_of_carrier!([$($param)*] $carrier, f32);
            impl<$($param)*> SubsetOf<$carrier> for $carrier {
                #[inline]
                fn to_superset(&self) -> Self {
                    *self
                }
                #[inline]
                fn from_superset_unchecked(element: &Self) -> Self {
                    *element
                }
                #[inline]
                fn is_in_subset(_: &Self) -> bool {
                    true
                }
            }

            /// Compares values only, as `PartialEq` does (EDGE_CASES e42).
            impl<$($param)*> approx::AbsDiffEq for $carrier {
                type Epsilon = Self;
                fn default_epsilon() -> Self {
                    Self::from(f64::default_epsilon())
                }
                fn abs_diff_eq(&self, other: &Self, epsilon: Self) -> bool {
                    self.re().abs_diff_eq(&other.re(), epsilon.re())
                }
            }
            /// Compares values only.
            impl<$($param)*> approx::RelativeEq for $carrier {
                fn default_max_relative() -> Self {
                    Self::from(f64::default_max_relative())
                }
                fn relative_eq(&self, other: &Self, epsilon: Self, max_relative: Self) -> bool {
                    self.re().relative_eq(&other.re(), epsilon.re(), max_relative.re())
                }
            }
            /// Compares values only.
            impl<$($param)*> approx::UlpsEq for $carrier {
                fn default_max_ulps() -> u32 {
                    f64::default_max_ulps()
                }
                fn ulps_eq(&self, other: &Self, epsilon: Self, max_ulps: u32) -> bool {
                    self.re().ulps_eq(&other.re(), epsilon.re(), max_ulps)
                }
            }

            /// A real field: conjugation does nothing, the imaginary part is 0.
            impl<$($param)*> ComplexField for $carrier {
                type RealField = Self;
                #[inline]
                fn from_real(real: Self) -> Self {
                    real
                }
                #[inline]
                fn real(self) -> Self {
                    self
                }
                #[inline]
                fn imaginary(self) -> Self {
                    Self::from(0.0)
                }
                #[inline]
                fn modulus(self) -> Self {
                    self.unary(rules::Abs)
                }
                #[inline]
                fn modulus_squared(self) -> Self {
                    self * self
                }
                #[inline]
                fn argument(self) -> Self {
                    field::argument(self)
                }
                #[inline]
                fn norm1(self) -> Self {
                    self.unary(rules::Abs)
                }
                #[inline]
                fn abs(self) -> Self {
                    self.unary(rules::Abs)
                }
                #[inline]
                fn to_exp(self) -> (Self, Self) {
                    field::to_exp(self)
                }
                #[inline]
                fn signum(self) -> Self {
                    self.unary(rules::Signum)
                }
                #[inline]
                fn scale(self, factor: Self) -> Self {
                    self * factor
                }
                #[inline]
                fn unscale(self, factor: Self) -> Self {
                    self / factor
                }
                #[inline]
                fn conjugate(self) -> Self {
                    self
                }
                #[inline]
                fn fract(self) -> Self {
                    self - self.unary(rules::Trunc)
                }
                #[inline]
                fn hypot(self, other: Self) -> Self {
                    self.binary(rules::Hypot, other)
                }
                #[inline]
                fn sin_cos(self) -> (Self, Self) {
                    DualNum::sin_cos(&self)
                }
                #[inline]
                fn sinc(self) -> Self {
                    self.unary(rules::SphJ0)
                }
                #[inline]
                fn sinhc(self) -> Self {
                    field::sinhc(self)
                }
                #[inline]
                fn cosc(self) -> Self {
                    field::quotient_with_pole(DualNum::cos(&self), self)
                }
                #[inline]
                fn coshc(self) -> Self {
                    field::quotient_with_pole(DualNum::cosh(&self), self)
                }
                #[inline]
                fn mul_add(self, a: Self, b: Self) -> Self {
                    DualNum::mul_add(&self, a, b)
                }
                #[inline]
                fn log(self, base: Self) -> Self {
                    DualNum::ln(&self) / DualNum::ln(&base)
                }
                #[inline]
                fn powi(self, n: i32) -> Self {
                    DualNum::powi(&self, n)
                }
                #[inline]
                fn powf(self, n: Self) -> Self {
                    DualNum::powd(&self, n)
                }
                #[inline]
                fn powc(self, n: Self) -> Self {
                    DualNum::powd(&self, n)
                }
                /// Looks at the value only.
                #[inline]
                fn is_finite(&self) -> bool {
                    self.re().is_finite()
                }
                #[inline]
                fn try_sqrt(self) -> Option<Self> {
                    (self >= 0.0).then(|| DualNum::sqrt(&self))
                }
                $crate::scalar::field::field_methods! {
                    floor Floor, ceil Ceil, round Round, trunc Trunc, recip Recip, sqrt Sqrt, cbrt Cbrt, exp Exp,
                    exp2 Exp2, exp_m1 ExpM1, ln Ln, ln_1p Ln1p, log2 Log2, log10 Log10, sin Sin, cos Cos,
                    tan Tan, asin Asin, acos Acos, atan Atan, sinh Sinh, cosh Cosh, tanh Tanh, asinh Asinh,
                    acosh Acosh, atanh Atanh
                }
            }

            impl<$($param)*> RealField for $carrier {
                #[inline]
                fn is_sign_positive(&self) -> bool {
                    num_traits::Signed::is_positive(self)
                }
                #[inline]
                fn is_sign_negative(&self) -> bool {
                    num_traits::Signed::is_negative(self)
                }
                #[inline]
                fn copysign(self, sign: Self) -> Self {
                    self.binary(rules::Copysign, sign)
                }
                #[inline]
                fn max(self, other: Self) -> Self {
                    Scalar::max(self, other)
                }
                #[inline]
                fn min(self, other: Self) -> Self {
                    Scalar::min(self, other)
                }
                #[inline]
                fn clamp(self, lo: Self, hi: Self) -> Self {
                    field::clamp(self, lo, hi)
                }
                #[inline]
                fn atan2(self, other: Self) -> Self {
                    self.binary(rules::Atan2, other)
                }
                fn min_value() -> Option<Self> {
                    Some(Self::from(f64::MIN))
                }
                fn max_value() -> Option<Self> {
                    Some(Self::from(f64::MAX))
                }
                $crate::scalar::field::field_constants! {
                    pi PI, two_pi TAU, frac_pi_2 FRAC_PI_2, frac_pi_3 FRAC_PI_3, frac_pi_4 FRAC_PI_4,
                    frac_pi_6 FRAC_PI_6, frac_pi_8 FRAC_PI_8, frac_1_pi FRAC_1_PI, frac_2_pi FRAC_2_PI,
                    frac_2_sqrt_pi FRAC_2_SQRT_PI, e E, log2_e LOG2_E, log10_e LOG10_E, ln_2 LN_2, ln_10 LN_10
                }
            }
        };
    };
}

/// A machine number as a constant of the carrier, and the carrier's value as a machine number.
macro_rules! subset_of_carrier {
    ([$($param:tt)*] $carrier:ty, $float:ty) => {
        /// Conversion to the machine number takes the value and drops the derivatives.
        impl<$($param)*> SubsetOf<$carrier> for $float {
            #[inline]
            fn to_superset(&self) -> $carrier {
                <$carrier>::from(f64::from(*self))
            }
            #[inline]
            fn from_superset_unchecked(element: &$carrier) -> Self {
                Self::from_superset_unchecked(&element.re())
            }
            #[inline]
            fn is_in_subset(_: &$carrier) -> bool {
                true
            }
        }
    };
}

/// Methods without parameters.
macro_rules! field_methods {
    ($($method:ident $rule:ident),*) => {$(
        #[inline]
        fn $method(self) -> Self {
            self.unary(rules::$rule)
        }
    )*};
}

/// Mathematical constants.
macro_rules! field_constants {
    ($($method:ident $constant:ident),*) => {$(
        #[inline]
        fn $method() -> Self {
            Self::from(consts::$constant)
        }
    )*};
}

pub(crate) use {field_constants, field_methods, field_traits, subset_of_carrier};

/// The modulus and the sign, whose product is `x` with all its derivatives, also at 0.
///
/// Householder reflections rely on it: at an exact zero they take the sign +1 and so the branch `x >= 0`, on which the
/// modulus is `x` and has slope 1. The slope 0 of [`Abs`](crate::elementary::Abs) at 0 (e01) would not belong to it.
#[inline]
pub(crate) fn to_exp<S: Scalar>(x: S) -> (S, S) {
    if x >= 0.0 {
        (x, S::from(1.0))
    } else {
        (-x, S::from(-1.0))
    }
}

/// The angle of a real number: 0 or pi, without derivatives.
#[inline]
pub(crate) fn argument<S: Scalar>(x: S) -> S {
    S::from(if x >= 0.0 { 0.0 } else { std::f64::consts::PI })
}

/// The value of the branches of nalgebra's `clamp`; partials 1/2 at a bound (e04), and no panic.
#[inline]
pub(crate) fn clamp<S: Scalar>(x: S, lo: S, hi: S) -> S {
    if x < lo {
        lo
    } else if x > hi {
        hi
    } else if x == lo || x == hi {
        Scalar::min(Scalar::max(x, lo), hi)
    } else {
        x
    }
}

/// `numerator / x`, and 1 at 0 by nalgebra's convention although there is a pole: its derivatives are NaN.
#[inline]
pub(crate) fn quotient_with_pole<S: Scalar>(numerator: S, x: S) -> S {
    if x == 0.0 {
        S::custom(&OneAtPole, &[x])
    } else {
        numerator / x
    }
}

/// The value 1 where there is no derivative.
#[derive(Clone)]
struct OneAtPole;

impl CustomRule for OneAtPole {
    fn value(&self, _: &[f64]) -> f64 {
        1.0
    }
    fn partials<T: Scalar>(&self, _: &[T], _: T, out: &mut [Option<T>]) {
        out[0] = Some(T::from(f64::NAN));
    }
}

/// `sinh(x) / x`, and 1 at 0, with accurate derivatives near 0.
///
/// The quotient gives the value everywhere, but its derivatives cancel near 0 and are lost at 0. There the series gives
/// them. The difference of the two values is exact (Sterbenz), so that adding it restores the quotient bit for bit.
pub(crate) fn sinhc<S: Scalar>(x: S) -> S {
    /// The first term left out is 1e-23 of the sum for |x| < 1; its tenth derivative is below 1e-12.
    const TERMS: u32 = 11;
    if !(x > -1.0 && x < 1.0) {
        return x.sinh() / x;
    }
    let square = x * x;
    let mut series = S::from(1.0);
    for k in (1..=TERMS).rev() {
        let k = f64::from(k);
        series = series * square / (2.0 * k * (2.0 * k + 1.0)) + 1.0;
    }
    let value = x.detach();
    let quotient = if x == 0.0 {
        S::from(1.0)
    } else {
        value.sinh() / value
    };
    series + (quotient - series.detach())
}
