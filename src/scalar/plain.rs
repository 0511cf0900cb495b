//! Plain `f64` as a scalar: the reference that every carrier's value equals bit for bit.

use wide::f64x8;

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
    #[inline(always)]
    fn combine<const N: usize>(p: Self, a: [Self; N], q: Self, b: &[Self; N]) -> [Self; N] {
        let (wide_p, wide_q) = (f64x8::splat(p), f64x8::splat(q));
        by_registers(a, b, |a, b| wide_p * a + wide_q * b, |a, b| p * a + q * b)
    }
    #[inline(always)]
    fn stretch<const N: usize>(p: Self, a: [Self; N]) -> [Self; N] {
        let wide_p = f64x8::splat(p);
        by_registers(a, &[0.0; N], |a, _| wide_p * a, |a, _| p * a)
    }
    #[inline(always)]
    fn add_entries<const N: usize>(a: [Self; N], b: &[Self; N]) -> [Self; N] {
        by_registers(a, b, |a, b| a + b, |a, b| a + b)
    }
    #[inline(always)]
    fn sub_entries<const N: usize>(a: [Self; N], b: &[Self; N]) -> [Self; N] {
        by_registers(a, b, |a, b| a - b, |a, b| a - b)
    }
}

/// Combines two arrays eight numbers at a time, the rest one by one; the same operations, so the same bits.
///
/// Left to itself the compiler takes the arrays apart into numbers and puts them together again in part: a Jacobian of
/// bundle adjustment takes 1.3 x the time.
#[inline(always)]
fn by_registers<const N: usize>(
    mut a: [f64; N],
    b: &[f64; N],
    wide: impl Fn(f64x8, f64x8) -> f64x8,
    single: impl Fn(f64, f64) -> f64,
) -> [f64; N] {
    let (wide_a, rest_a) = a.as_chunks_mut::<8>();
    let (wide_b, rest_b) = b.as_chunks::<8>();
    for (a, b) in wide_a.iter_mut().zip(wide_b) {
        *a = wide(f64x8::new(*a), f64x8::new(*b)).to_array();
    }
    for (a, b) in rest_a.iter_mut().zip(rest_b) {
        *a = single(*a, *b);
    }
    a
}
