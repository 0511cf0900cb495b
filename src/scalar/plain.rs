//! Plain `f64` as a scalar: the reference that every carrier's value equals bit for bit.

use super::Scalar;
use crate::elementary::{Binary, Nary, Unary, larger, smaller};

impl Scalar for f64 {
    type Mask = bool;

    #[inline]
    fn unary<U: Unary>(self, op: U) -> Self {
        op.value(self)
    }
    #[inline]
    fn binary<B: Binary>(self, op: B, rhs: Self) -> Self {
        op.value(self, rhs)
    }
    #[inline]
    fn nary<R: Nary>(rule: &R, args: &[Self]) -> Self {
        rule.value(args)
    }
    #[inline]
    fn lt_mask(self, rhs: Self) -> bool {
        self < rhs
    }
    #[inline]
    fn le_mask(self, rhs: Self) -> bool {
        self <= rhs
    }
    #[inline]
    fn eq_mask(self, rhs: Self) -> bool {
        self == rhs
    }
    #[inline]
    fn select(mask: bool, a: Self, b: Self) -> Self {
        if mask { a } else { b }
    }
    #[inline]
    fn max(self, rhs: Self) -> Self {
        larger(self, rhs)
    }
    #[inline]
    fn min(self, rhs: Self) -> Self {
        smaller(self, rhs)
    }
    #[inline]
    fn is_all_finite(&self) -> bool {
        self.is_finite()
    }
    #[inline]
    fn sum_of(terms: impl IntoIterator<Item = Self>) -> Self {
        terms.into_iter().sum()
    }
    #[inline]
    fn dot_of(pairs: impl IntoIterator<Item = (Self, Self)>) -> Self {
        pairs.into_iter().map(|(x, y)| x * y).sum()
    }
    #[inline]
    fn squared_norm_of(terms: impl IntoIterator<Item = Self>) -> Self {
        terms.into_iter().map(|x| x * x).sum()
    }
    #[inline]
    fn prod_of(factors: impl IntoIterator<Item = Self>) -> Self {
        factors.into_iter().product()
    }
}
