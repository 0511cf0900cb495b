//! [`Lanes`], a number with `N` tangents laid out for SIMD.

use std::fmt;

use crate::elementary::{Binary, Factor, Nary, Unary};
use crate::scalar::{
    Scalar, Short,
    field::field_traits,
    traits::{masks_of_value, scalar_traits},
};

/// A number and `N` tangents: forward mode in `N` directions at once.
///
/// ```
/// use wengert::prelude::*;
/// let x = Lanes::<f64, 2>::variable(3.0, 0);
/// let y = Lanes::<f64, 2>::variable(4.0, 1);
/// let z = x * y;
/// assert_eq!((z.value, z.tangents), (12.0, [4.0, 3.0]));
/// ```
///
/// **Shape**: `N + 1` inner scalars, the tangents contiguous.
/// **Cost**: the partials once, then two multiplications and an addition per lane of a binary operation.
/// **Source**: Griewank & Walther 2008, §3.1 (vector mode).
#[derive(Clone, Copy, Debug)]
pub struct Lanes<T, const N: usize> {
    /// The value.
    pub value: T,
    /// One tangent per direction.
    pub tangents: [T; N],
}

impl<T: Scalar, const N: usize> Lanes<T, N> {
    /// A value with its tangents.
    #[inline]
    pub const fn new(value: T, tangents: [T; N]) -> Self {
        Self { value, tangents }
    }

    /// A value that does not depend on anything; its tangents are structural zeros.
    #[inline]
    pub fn constant(value: T) -> Self {
        Self {
            value,
            tangents: [T::structural_zero(); N],
        }
    }

    /// The independent variable of one lane: tangent 1 there, a structural zero elsewhere.
    ///
    /// A `lane` of `N` or more belongs to another sweep: the result is a constant.
    #[inline]
    pub fn variable(value: T, lane: usize) -> Self {
        let mut seeded = Self::constant(value);
        if let Some(tangent) = seeded.tangents.get_mut(lane) {
            *tangent = T::from(1.0);
        }
        seeded
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
            tangents: self.tangents.map(|t| t * factor),
        }
    }
}

impl<T: Scalar, const N: usize> fmt::Display for Lanes<T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.value)?;
        for (lane, tangent) in self.tangents.iter().enumerate() {
            write!(f, " + {tangent}ε{lane}")?;
        }
        Ok(())
    }
}

scalar_traits!([T: Scalar, const N: usize] Lanes<T, N>, inner T, derivatives T::NDERIV + 1);
field_traits!([T: Scalar, const N: usize] Lanes<T, N>);

/// Combines two arrays entry by entry; a plain loop, which the compiler turns into vector instructions.
#[inline(always)]
fn zip<T: Copy, const N: usize>(mut a: [T; N], b: &[T; N], f: impl Fn(T, T) -> T) -> [T; N] {
    for (a, b) in a.iter_mut().zip(b) {
        *a = f(*a, *b);
    }
    a
}

/// Changes an array entry by entry.
#[inline(always)]
fn map<T: Copy, const N: usize>(mut a: [T; N], f: impl Fn(T) -> T) -> [T; N] {
    for a in &mut a {
        *a = f(*a);
    }
    a
}

impl<T: Scalar, const N: usize> Scalar for Lanes<T, N> {
    type Mask = T::Mask;

    #[inline]
    fn unary<U: Unary>(self, op: U) -> Self {
        let x = self.value;
        let y = x.unary(op);
        let tangents = match op.factor() {
            Factor::One => self.tangents,
            Factor::MinusOne => map(self.tangents, |t| -t),
            Factor::Zero => [op.partial(x, y); N],
            Factor::General => {
                let p = op.partial(x, y);
                T::stretch(p, self.tangents)
            }
        };
        Self { value: y, tangents }
    }

    #[inline]
    fn binary<B: Binary>(self, op: B, rhs: Self) -> Self {
        let (x, y) = (self.value, rhs.value);
        let v = x.binary(op, y);
        let (l, r) = (self.tangents, &rhs.tangents);
        let p = || op.partial_lhs(x, y, v);
        let q = || op.partial_rhs(x, y, v);
        let tangents = match (B::LHS, B::RHS) {
            (Factor::One, Factor::One) => T::add_entries(l, r),
            (Factor::One, Factor::MinusOne) => T::sub_entries(l, r),
            (Factor::One, Factor::General) => {
                let q = q();
                zip(l, r, |l, r| l + q * r)
            }
            (_, Factor::Zero) => {
                let p = p();
                T::stretch(p, l)
            }
            _ => {
                let (p, q) = (p(), q());
                T::combine(p, l, q, r)
            }
        };
        Self { value: v, tangents }
    }

    fn nary<R: Nary>(rule: &R, args: &[Self]) -> Self {
        let values: Short<T> = args.iter().map(|x| x.value).collect();
        let value = T::nary(rule, &values);
        let mut partials: Short<Option<T>> = Short::from_elem(None, args.len());
        rule.partials(&values, value, &mut partials);
        let mut terms = partials
            .iter()
            .zip(args)
            .filter_map(|(p, x)| p.map(|p| (p, x.tangents)));
        let tangents = match terms.next() {
            None => [T::structural_zero(); N],
            Some((p, t)) => terms.fold(map(t, |t| p * t), |sum, (p, t)| {
                zip(sum, &t, |sum, t| sum + p * t)
            }),
        };
        Self { value, tangents }
    }

    masks_of_value!();
    #[inline]
    fn select(mask: Self::Mask, a: Self, b: Self) -> Self {
        Self {
            value: T::select(mask, a.value, b.value),
            tangents: zip(a.tangents, &b.tangents, |a, b| T::select(mask, a, b)),
        }
    }
    #[inline]
    fn is_all_finite(&self) -> bool {
        self.value.is_all_finite() && self.tangents.iter().all(T::is_all_finite)
    }
    #[inline]
    fn structural_zero() -> Self {
        Self {
            value: T::structural_zero(),
            tangents: [T::structural_zero(); N],
        }
    }
    // Sums take their arguments one by one: a list of these numbers is kilobytes.
    #[inline]
    fn sum_of(terms: impl IntoIterator<Item = Self>) -> Self {
        let mut sum = Self::structural_zero();
        let mut values: Short<T> = Short::new();
        for x in terms {
            values.push(x.value);
            sum.tangents = T::add_entries(sum.tangents, &x.tangents);
        }
        Self::new(T::sum_of(values.iter().copied()), sum.tangents)
    }
    #[inline]
    fn dot_of(pairs: impl IntoIterator<Item = (Self, Self)>) -> Self {
        let mut sum = Self::structural_zero();
        let mut values: Short<(T, T)> = Short::new();
        for (x, y) in pairs {
            values.push((x.value, y.value));
            let term = T::combine(y.value, x.tangents, x.value, &y.tangents);
            sum.tangents = T::add_entries(sum.tangents, &term);
        }
        Self::new(T::dot_of(values.iter().copied()), sum.tangents)
    }
    #[inline]
    fn squared_norm_of(terms: impl IntoIterator<Item = Self>) -> Self {
        let mut sum = Self::structural_zero();
        let mut values: Short<T> = Short::new();
        for x in terms {
            values.push(x.value);
            let term = T::stretch(x.value * 2.0, x.tangents);
            sum.tangents = T::add_entries(sum.tangents, &term);
        }
        Self::new(T::squared_norm_of(values.iter().copied()), sum.tangents)
    }
}
