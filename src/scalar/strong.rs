//! [`Strong`], the innermost number of strict twins: it tells a structural zero from a computed one.
//!
//! Fast carriers keep no books, so a constant's tangent 0.0 times an infinite partial is NaN. Where a derivative comes out
//! non-finite, a driver repeats the evaluation with this number innermost: a structural zero absorbs whatever it is
//! multiplied by, a computed 0.0 does not (EDGE_CASES R3). The carriers themselves are the same code.

use std::fmt;

use super::{Scalar, Short, traits::scalar_traits};
use crate::elementary::{Binary, Nary, Op, Unary, larger, smaller};

/// A plain number that remembers whether it is a structural zero.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Strong {
    value: f64,
    is_structural_zero: bool,
}

impl Strong {
    #[inline]
    fn from_inner(value: f64) -> Self {
        Self {
            value,
            is_structural_zero: false,
        }
    }
    #[inline]
    fn inner(&self) -> f64 {
        self.value
    }
    #[inline]
    fn scale_by(self, factor: f64) -> Self {
        self * Self::from_inner(factor)
    }
}

impl fmt::Display for Strong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.value, f)
    }
}

scalar_traits!([] Strong, inner f64, derivatives 0);

impl Scalar for Strong {
    type Mask = bool;

    // Strict evaluation is rare, so its operations are calls: inlined they would double the code of every function.
    #[inline(never)]
    fn unary<U: Unary>(self, op: U) -> Self {
        let keeps_zero = matches!(op.op(), Op::Neg | Op::MulConst(_) | Op::DivConst(_));
        if self.is_structural_zero && keeps_zero {
            return self;
        }
        Self::from_inner(op.value(self.value))
    }
    #[inline(never)]
    fn binary<B: Binary>(self, op: B, rhs: Self) -> Self {
        match (op.op(), self.is_structural_zero, rhs.is_structural_zero) {
            (Op::Mul, true, _) | (Op::Div, true, _) | (Op::Add | Op::Sub, _, true) => self,
            (Op::Mul, _, true) | (Op::Add, true, _) => rhs,
            _ => Self::from_inner(op.value(self.value, rhs.value)),
        }
    }
    #[inline(never)]
    fn nary<R: Nary>(rule: &R, args: &[Self]) -> Self {
        // Sums and products of pairs are spelled out, so that structural zeros absorb inside them as well.
        let zero = Self::structural_zero();
        match rule.op() {
            Op::Sum if args.iter().any(|x| x.is_structural_zero) => {
                args.iter().fold(zero, |sum, x| sum + *x)
            }
            Op::Dot if args.iter().any(|x| x.is_structural_zero) => args
                .chunks_exact(2)
                .fold(zero, |sum, pair| sum + pair[0] * pair[1]),
            _ => {
                let values: Short<f64> = args.iter().map(|x| x.value).collect();
                Self::from_inner(rule.value(&values))
            }
        }
    }
    fn lt_mask(self, rhs: Self) -> bool {
        self.value < rhs.value
    }
    fn le_mask(self, rhs: Self) -> bool {
        self.value <= rhs.value
    }
    fn eq_mask(self, rhs: Self) -> bool {
        self.value == rhs.value
    }
    fn select(mask: bool, a: Self, b: Self) -> Self {
        if mask { a } else { b }
    }
    fn max(self, rhs: Self) -> Self {
        Self::from_inner(larger(self.value, rhs.value))
    }
    fn min(self, rhs: Self) -> Self {
        Self::from_inner(smaller(self.value, rhs.value))
    }
    fn is_all_finite(&self) -> bool {
        self.value.is_finite()
    }
    fn structural_zero() -> Self {
        Self {
            value: 0.0,
            is_structural_zero: true,
        }
    }
}
