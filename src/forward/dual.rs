//! [`Dual`], a number with one tangent.

use std::fmt;

use crate::elementary::{Binary, Factor, Nary, Unary};
use crate::scalar::{
    Scalar, Short,
    field::field_traits,
    traits::{masks_of_value, scalar_traits},
};

/// A number and its tangent: forward mode in one direction.
///
/// Over `Dual` or [`Var`](crate::reverse::Var) it gives higher orders; levels never mix, because each is a type of its own.
///
/// ```
/// use wengert::prelude::*;
/// let x = Dual::new(3.0, 1.0);
/// let y = x * x + 1.0;
/// assert_eq!((y.value, y.tangent), (10.0, 6.0));
/// ```
///
/// **Shape**: two inner scalars.
/// **Cost**: at most twice the multiplications of the function, 4 x its operations for + - * /.
/// **Source**: Griewank & Walther 2008, §3.1.
#[derive(Clone, Copy, Debug)]
pub struct Dual<T> {
    /// The value.
    pub value: T,
    /// The tangent: the derivative of the value along the seeded direction.
    pub tangent: T,
}

impl<T: Scalar> Dual<T> {
    /// A value with its tangent.
    #[inline]
    pub const fn new(value: T, tangent: T) -> Self {
        Self { value, tangent }
    }

    /// A value that does not depend on anything; its tangent is a structural zero.
    #[inline]
    pub fn constant(value: T) -> Self {
        Self {
            value,
            tangent: T::structural_zero(),
        }
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
            tangent: self.tangent * factor,
        }
    }
}

impl<T: Scalar> fmt::Display for Dual<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} + {}ε", self.value, self.tangent)
    }
}

scalar_traits!([T: Scalar] Dual<T>, inner T, derivatives T::NDERIV + 1);
field_traits!([T: Scalar] Dual<T>);

impl<T: Scalar> Scalar for Dual<T> {
    type Mask = T::Mask;

    #[inline]
    fn unary<U: Unary>(self, op: U) -> Self {
        let x = self.value;
        let y = x.unary(op);
        let tangent = match op.factor() {
            Factor::One => self.tangent,
            Factor::MinusOne => -self.tangent,
            Factor::Zero => op.partial(x, y),
            Factor::General => op.partial(x, y) * self.tangent,
        };
        Self { value: y, tangent }
    }

    #[inline]
    fn binary<B: Binary>(self, op: B, rhs: Self) -> Self {
        let (x, y) = (self.value, rhs.value);
        let v = x.binary(op, y);
        let tangent = op.tangent([x, y, v], self.tangent, rhs.tangent);
        Self { value: v, tangent }
    }

    fn nary<R: Nary>(rule: &R, args: &[Self]) -> Self {
        let values: Short<T> = args.iter().map(|x| x.value).collect();
        let value = T::nary(rule, &values);
        let mut partials: Short<Option<T>> = Short::from_elem(None, args.len());
        rule.partials(&values, value, &mut partials);
        let terms = partials
            .iter()
            .zip(args)
            .filter_map(|(p, x)| p.map(|p| (p, x.tangent)));
        let tangent = weighted_sum(terms);
        Self { value, tangent }
    }

    masks_of_value!();
    #[inline]
    fn select(mask: Self::Mask, a: Self, b: Self) -> Self {
        Self {
            value: T::select(mask, a.value, b.value),
            tangent: T::select(mask, a.tangent, b.tangent),
        }
    }
    #[inline]
    fn is_all_finite(&self) -> bool {
        self.value.is_all_finite() && self.tangent.is_all_finite()
    }
    #[inline]
    fn structural_zero() -> Self {
        Self {
            value: T::structural_zero(),
            tangent: T::structural_zero(),
        }
    }
    #[inline]
    fn sum_of(terms: impl IntoIterator<Item = Self>) -> Self {
        let (values, tangents): (Short<T>, Short<T>) =
            terms.into_iter().map(|x| (x.value, x.tangent)).unzip();
        Self {
            value: T::sum_of(values.iter().copied()),
            tangent: T::sum_of(tangents.iter().copied()),
        }
    }
    #[inline]
    fn dot_of(pairs: impl IntoIterator<Item = (Self, Self)>) -> Self {
        let pairs: Short<(Self, Self)> = pairs.into_iter().collect();
        let products = |(x, y): &(Self, Self)| [(y.value, x.tangent), (x.value, y.tangent)];
        Self {
            value: T::dot_of(pairs.iter().map(|(x, y)| (x.value, y.value))),
            tangent: T::dot_of(pairs.iter().flat_map(products)),
        }
    }
    #[inline]
    fn squared_norm_of(terms: impl IntoIterator<Item = Self>) -> Self {
        let terms: Short<Self> = terms.into_iter().collect();
        Self {
            value: T::squared_norm_of(terms.iter().map(|x| x.value)),
            tangent: T::dot_of(terms.iter().map(|x| (x.value * 2.0, x.tangent))),
        }
    }
}

/// The tangent of an n-ary operation: products of partials and tangents; a structural zero when there are none.
#[inline]
pub(super) fn weighted_sum<T: Scalar>(mut terms: impl Iterator<Item = (T, T)>) -> T {
    match terms.next() {
        None => T::structural_zero(),
        Some((p, t)) => terms.fold(p * t, |sum, (p, t)| sum + p * t),
    }
}
