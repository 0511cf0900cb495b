//! The operator and number traits of a carrier, all forwarded to its [`Scalar`](super::Scalar) core.
//!
//! A carrier gives `inner`, `from_inner` and `scale_by` as inherent methods, and `Scalar`; everything else follows. The
//! macro only forwards, no rule lives in it.

/// Implements `num_dual::DualNum` and its many supertraits for a carrier over an inner scalar.
macro_rules! scalar_traits {
    ([$($param:tt)*] $carrier:ty, inner $inner:ty, derivatives $order:expr) => {
        $crate::scalar::traits::scalar_traits!(
            [$($param)*] $carrier, inner $inner, derivatives $order, compared by hand);
        $crate::scalar::traits::comparisons!([$($param)*] $carrier);
    };
    ([$($param:tt)*] $carrier:ty, inner $inner:ty, derivatives $order:expr, compared by hand) => {
        const _: () = {
            use std::ops::{
                Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Rem, RemAssign, Sub, SubAssign,
            };
            use $crate::elementary as rules;
            use $crate::scalar::Scalar as _;

            $crate::scalar::traits::binary_operator!([$($param)*] $carrier, Add, add, AddAssign, add_assign);
            $crate::scalar::traits::binary_operator!([$($param)*] $carrier, Sub, sub, SubAssign, sub_assign);
            $crate::scalar::traits::binary_operator!([$($param)*] $carrier, Mul, mul, MulAssign, mul_assign);
            $crate::scalar::traits::binary_operator!([$($param)*] $carrier, Div, div, DivAssign, div_assign);
            $crate::scalar::traits::binary_operator!([$($param)*] $carrier, Rem, rem, RemAssign, rem_assign);
            $crate::scalar::traits::constant_operator!(
                [$($param)*] $carrier, Add, add, AddAssign, add_assign, |x, c| x.unary(rules::AddConst(c)));
            $crate::scalar::traits::constant_operator!(
                [$($param)*] $carrier, Sub, sub, SubAssign, sub_assign, |x, c| x.unary(rules::AddConst(-c)));
            $crate::scalar::traits::constant_operator!(
                [$($param)*] $carrier, Mul, mul, MulAssign, mul_assign, |x, c| x.unary(rules::MulConst(c)));
            $crate::scalar::traits::constant_operator!(
                [$($param)*] $carrier, Div, div, DivAssign, div_assign, |x, c| x.unary(rules::DivConst(c)));
            $crate::scalar::traits::constant_operator!(
                [$($param)*] $carrier, Rem, rem, RemAssign, rem_assign, |x, c| x.unary(rules::RemConst(c)));

            impl<$($param)*> Neg for $carrier {
                type Output = Self;
                #[inline]
                #[track_caller]
                fn neg(self) -> Self {
                    self.unary(rules::Neg)
                }
            }

            impl<$($param)*> From<f64> for $carrier {
                #[inline]
                #[track_caller]
                fn from(value: f64) -> Self {
                    Self::from_inner(<$inner>::from(value))
                }
            }

            impl<$($param)*> std::iter::Sum for $carrier {
                #[track_caller]
                fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
                    Self::sum_of(iter)
                }
            }
            impl<'iter, $($param)*> std::iter::Sum<&'iter Self> for $carrier {
                #[track_caller]
                fn sum<I: Iterator<Item = &'iter Self>>(iter: I) -> Self {
                    Self::sum_of(iter.copied())
                }
            }
            impl<$($param)*> std::iter::Product for $carrier {
                #[track_caller]
                fn product<I: Iterator<Item = Self>>(iter: I) -> Self {
                    Self::prod_of(iter)
                }
            }
            impl<'iter, $($param)*> std::iter::Product<&'iter Self> for $carrier {
                #[track_caller]
                fn product<I: Iterator<Item = &'iter Self>>(iter: I) -> Self {
                    Self::prod_of(iter.copied())
                }
            }

            impl<$($param)*> num_traits::Zero for $carrier {
                #[inline]
                #[track_caller]
                fn zero() -> Self {
                    Self::from(0.0)
                }
                /// Looks at the value only; derivatives may be there.
                #[inline]
                #[track_caller]
                fn is_zero(&self) -> bool {
                    *self == 0.0
                }
            }
            impl<$($param)*> num_traits::One for $carrier {
                #[inline]
                #[track_caller]
                fn one() -> Self {
                    Self::from(1.0)
                }
                /// Looks at the value only; derivatives may be there.
                #[inline]
                #[track_caller]
                fn is_one(&self) -> bool {
                    *self == 1.0
                }
            }
            impl<$($param)*> num_traits::Num for $carrier {
                type FromStrRadixErr = <f64 as num_traits::Num>::FromStrRadixErr;
                fn from_str_radix(text: &str, radix: u32) -> Result<Self, Self::FromStrRadixErr> {
                    <f64 as num_traits::Num>::from_str_radix(text, radix).map(Self::from)
                }
            }
            impl<$($param)*> num_traits::Inv for $carrier {
                type Output = Self;
                #[inline]
                #[track_caller]
                fn inv(self) -> Self {
                    self.unary(rules::Recip)
                }
            }
            impl<$($param)*> num_traits::Signed for $carrier {
                #[inline]
                #[track_caller]
                fn abs(&self) -> Self {
                    self.unary(rules::Abs)
                }
                #[inline]
                #[track_caller]
                fn abs_sub(&self, other: &Self) -> Self {
                    (*self - *other).relu()
                }
                #[inline]
                #[track_caller]
                fn signum(&self) -> Self {
                    self.unary(rules::Signum)
                }
                #[inline]
                #[track_caller]
                fn is_positive(&self) -> bool {
                    num_traits::Signed::is_positive(&self.inner())
                }
                #[inline]
                #[track_caller]
                fn is_negative(&self) -> bool {
                    num_traits::Signed::is_negative(&self.inner())
                }
            }
            impl<$($param)*> num_traits::FromPrimitive for $carrier {
                fn from_i64(n: i64) -> Option<Self> {
                    <f64 as num_traits::FromPrimitive>::from_i64(n).map(Self::from)
                }
                fn from_u64(n: u64) -> Option<Self> {
                    <f64 as num_traits::FromPrimitive>::from_u64(n).map(Self::from)
                }
                fn from_f64(n: f64) -> Option<Self> {
                    Some(Self::from(n))
                }
            }

            impl<$($param)*> num_dual::DualStruct for $carrier {
                type Real = f64;
                type Inner = $inner;
                #[inline]
                #[track_caller]
                fn re(&self) -> f64 {
                    num_dual::DualStruct::re(&self.inner())
                }
                #[inline]
                #[track_caller]
                fn from_inner(inner: &Self::Inner) -> Self {
                    <$carrier>::from_inner(*inner)
                }
            }
            impl<$($param)*> num_dual::Mappable<Self> for $carrier {
                type Output<O> = O;
                fn map_dual<M: Fn(Self) -> O, O>(self, f: M) -> O {
                    f(self)
                }
            }
            #[cfg(feature = "ndarray")]
            impl<$($param)*> ndarray::ScalarOperand for $carrier {}

            impl<$($param)*> num_dual::DualNum for $carrier {
                type Primitive = f64;
                const NDERIV: usize = $order;
                type InnerDual = $inner;
                #[inline]
                #[track_caller]
                fn from_re(re: $inner) -> Self {
                    <$carrier>::from_inner(re)
                }
                #[inline]
                #[track_caller]
                fn scale(self, factor: &$inner) -> Self {
                    self.scale_by(*factor)
                }
                #[inline]
                #[track_caller]
                fn powi(&self, n: i32) -> Self {
                    self.unary(rules::Powi(n))
                }
                #[inline]
                #[track_caller]
                fn powf(&self, n: f64) -> Self {
                    self.unary(rules::Powf(n))
                }
                #[inline]
                #[track_caller]
                fn log(&self, base: f64) -> Self {
                    self.unary(rules::Log(base))
                }
                #[inline]
                #[track_caller]
                fn sin_cos(&self) -> (Self, Self) {
                    (self.unary(rules::Sin), self.unary(rules::Cos))
                }
                #[inline]
                #[track_caller]
                fn atan2(&self, other: Self) -> Self {
                    self.binary(rules::Atan2, other)
                }
                #[inline]
                #[track_caller]
                fn powd(&self, exp: Self) -> Self {
                    self.binary(rules::Pow, exp)
                }
                #[inline]
                #[track_caller]
                fn mul_add(&self, a: Self, b: Self) -> Self {
                    Self::nary(&rules::MulAdd, &[*self, a, b])
                }
                $crate::scalar::traits::unary_methods! {
                    recip Recip, sqrt Sqrt, cbrt Cbrt, exp Exp, exp2 Exp2, exp_m1 ExpM1, ln Ln, log2 Log2,
                    log10 Log10, ln_1p Ln1p, sin Sin, cos Cos, tan Tan, asin Asin, acos Acos, atan Atan,
                    sinh Sinh, cosh Cosh, tanh Tanh, asinh Asinh, acosh Acosh, atanh Atanh,
                    sph_j0 SphJ0, sph_j1 SphJ1, sph_j2 SphJ2
                }
            }
        };
    };
}

/// The undecided comparisons of a carrier: those of its value.
macro_rules! masks_of_value {
    () => {
        #[inline]
        #[track_caller]
        fn lt_mask(self, rhs: Self) -> Self::Mask {
            self.value.lt_mask(rhs.value)
        }
        #[inline]
        #[track_caller]
        fn le_mask(self, rhs: Self) -> Self::Mask {
            self.value.le_mask(rhs.value)
        }
        #[inline]
        #[track_caller]
        fn eq_mask(self, rhs: Self) -> Self::Mask {
            self.value.eq_mask(rhs.value)
        }
    };
}

/// Comparisons of the inner scalars.
macro_rules! comparisons {
    ([$($param:tt)*] $carrier:ty) => {
        /// Compares values only; the derivative is that of the branch taken (EDGE_CASES e42).
        impl<$($param)*> PartialEq for $carrier {
            #[inline]
            #[track_caller]
            fn eq(&self, other: &Self) -> bool {
                self.inner() == other.inner()
            }
        }
        impl<$($param)*> PartialOrd for $carrier {
            #[inline]
            #[track_caller]
            fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
                self.inner().partial_cmp(&other.inner())
            }
            $crate::scalar::traits::inequalities!(Self, |other| &other.inner(), lt le gt ge);
        }
        impl<$($param)*> PartialEq<f64> for $carrier {
            #[inline]
            #[track_caller]
            fn eq(&self, other: &f64) -> bool {
                self.inner() == *other
            }
        }
        impl<$($param)*> PartialOrd<f64> for $carrier {
            #[inline]
            #[track_caller]
            fn partial_cmp(&self, other: &f64) -> Option<std::cmp::Ordering> {
                self.inner().partial_cmp(other)
            }
            $crate::scalar::traits::inequalities!(f64, |other| other, lt le gt ge);
        }
    };
}

/// The inequalities of the inner scalars themselves: a recorded program guards exactly what was asked.
macro_rules! inequalities {
    ($other:ty, |$name:ident| $inner:expr, $($method:ident)*) => {$(
        #[inline]
        #[track_caller]
        fn $method(&self, $name: &$other) -> bool {
            self.inner().$method($inner)
        }
    )*};
}

/// One operator between two carriers, by value and by reference, and its assignment.
macro_rules! binary_operator {
    ([$($param:tt)*] $carrier:ty, $trait:ident, $method:ident, $assign:ident, $assign_method:ident) => {
        impl<$($param)*> $trait for $carrier {
            type Output = Self;
            #[inline]
            #[track_caller]
            fn $method(self, rhs: Self) -> Self {
                self.binary(rules::$trait, rhs)
            }
        }
        impl<$($param)*> $trait<&Self> for $carrier {
            type Output = Self;
            #[inline]
            #[track_caller]
            fn $method(self, rhs: &Self) -> Self {
                self.binary(rules::$trait, *rhs)
            }
        }
        impl<$($param)*> $trait<$carrier> for &$carrier {
            type Output = $carrier;
            #[inline]
            #[track_caller]
            fn $method(self, rhs: $carrier) -> $carrier {
                self.binary(rules::$trait, rhs)
            }
        }
        impl<$($param)*> $trait for &$carrier {
            type Output = $carrier;
            #[inline]
            #[track_caller]
            fn $method(self, rhs: Self) -> $carrier {
                self.binary(rules::$trait, *rhs)
            }
        }
        impl<$($param)*> $assign for $carrier {
            #[inline]
            #[track_caller]
            fn $assign_method(&mut self, rhs: Self) {
                *self = self.binary(rules::$trait, rhs);
            }
        }
        impl<$($param)*> $assign<&Self> for $carrier {
            #[inline]
            #[track_caller]
            fn $assign_method(&mut self, rhs: &Self) {
                *self = self.binary(rules::$trait, *rhs);
            }
        }
    };
}

/// One operator between a carrier and a constant on its right, and its assignment.
macro_rules! constant_operator {
    ([$($param:tt)*] $carrier:ty, $trait:ident, $method:ident, $assign:ident, $assign_method:ident,
     |$x:ident, $c:ident| $result:expr) => {
        impl<$($param)*> $trait<f64> for $carrier {
            type Output = Self;
            #[inline]
            #[track_caller]
            fn $method(self, rhs: f64) -> Self {
                let ($x, $c) = (self, rhs);
                $result
            }
        }
        impl<$($param)*> $assign<f64> for $carrier {
            #[inline]
            #[track_caller]
            fn $assign_method(&mut self, rhs: f64) {
                let ($x, $c) = (*self, rhs);
                *self = $result;
            }
        }
    };
}

/// Methods without parameters.
macro_rules! unary_methods {
    ($($method:ident $rule:ident),*) => {$(
        #[inline]
        #[track_caller]
        fn $method(&self) -> Self {
            self.unary(rules::$rule)
        }
    )*};
}

pub(crate) use {
    binary_operator, comparisons, constant_operator, inequalities, masks_of_value, scalar_traits,
    unary_methods,
};
