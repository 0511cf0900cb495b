//! The one table of elementary functions: values, first partials, and custom rules.
//!
//! Forward mode, reverse mode, recorded programs and planners read this table and nothing else, so a partial can never
//! differ between modes. A rule gives the value on plain `f64` and the first partials as an expression *generic over
//! the scalar*; evaluating that expression on a carrier gives the next order, so first partials are all there is.
//!
//! Invariant: the body of a rule never branches on an active value. Cases are chosen with [`Scalar::select`], because a
//! branch would be recorded as a guard and would fix the case for every later replay.
//!
//! Conventions at non-differentiable points are those of `EDGE_CASES.md` (A). Source of the formulas: Griewank &
//! Walther 2008, table 2.3 and §13; Naumann 2012, appendix A.

mod binary;
mod custom;
mod dispatch;
mod nary;
mod op;
pub(crate) mod special;
mod unary;
pub(crate) mod vector;

pub use binary::*;
pub(crate) use custom::Custom;
pub use custom::{CustomRule, FirstOrder, FirstOrderRule};
pub(crate) use dispatch::{partials, shared_adjoints, shared_tangent, value};
pub use nary::*;
pub(crate) use op::{Number, parse_number, split_parameter};
pub use op::{Op, Series};
pub use unary::*;

use crate::scalar::Scalar;

/// What is known about a partial derivative before any number is seen.
///
/// Carriers use it to add tangents without multiplying by one, planners to class edges.
///
/// **Cost**: none; it is a constant of the rule.
/// **Source**: Griewank & Walther 2008, §10.1 (classes of edges).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Factor {
    /// The partial is +1 everywhere.
    One,
    /// The partial is -1 everywhere.
    MinusOne,
    /// The partial is 0 wherever the function is differentiable; a structural zero (EDGE_CASES R3).
    Zero,
    /// The partial depends on the arguments or is another constant.
    General,
}

/// An elementary function of one argument, with its parameters if it has any (`Powi(3)`).
///
/// **Cost**: one value and one partial; the partial may reuse the value `y`.
/// **Source**: Griewank & Walther 2008, table 2.3.
pub trait Unary: Copy + Send + Sync + 'static {
    /// How truncated Taylor series pass through the function.
    const SERIES: Series = Series::Integrate;
    /// What is known about the partial in advance.
    #[inline]
    fn factor(self) -> Factor {
        Factor::General
    }
    /// The operation as data, for recorded programs.
    fn op(self) -> Op;
    /// The value on plain numbers: bit for bit what an `f64` program computes (EDGE_CASES R1).
    fn value(self, x: f64) -> f64;
    /// The first partial at `x`, where `y` is the value there.
    fn partial<T: Scalar>(self, x: T, y: T) -> T;
}

/// An elementary function of two arguments.
///
/// **Cost**: one value and one partial per active argument; the partials are separate functions so that nothing is
/// computed for an argument that is constant. Where both arguments are active and a single direction passes, a rule may
/// share what the partials have in common ([`SHARES`](Self::SHARES)).
/// **Source**: Griewank & Walther 2008, table 2.3.
pub trait Binary: Copy + Send + Sync + 'static {
    /// What is known about the partial for the left argument in advance.
    const LHS: Factor = Factor::General;
    /// What is known about the partial for the right argument in advance.
    const RHS: Factor = Factor::General;
    /// Whether one direction through both arguments takes fewer operations than the two partials and their products.
    const SHARES: bool = false;
    /// The operation as data, for recorded programs.
    fn op(self) -> Op;
    /// The value on plain numbers: bit for bit what an `f64` program computes (EDGE_CASES R1).
    fn value(self, x: f64, y: f64) -> f64;
    /// The first partial for the left argument at `(x, y)`, where `v` is the value there.
    fn partial_lhs<T: Scalar>(self, x: T, y: T, v: T) -> T;
    /// The first partial for the right argument at `(x, y)`, where `v` is the value there.
    fn partial_rhs<T: Scalar>(self, x: T, y: T, v: T) -> T;
    /// The tangent of the value for the tangents `dx` and `dy` of the arguments.
    #[inline]
    fn tangent<T: Scalar>(self, [x, y, v]: [T; 3], dx: T, dy: T) -> T {
        let lhs = match Self::LHS {
            Factor::One => dx,
            Factor::MinusOne => -dx,
            Factor::Zero => T::structural_zero(),
            Factor::General => self.partial_lhs(x, y, v) * dx,
        };
        match Self::RHS {
            Factor::One => lhs + dy,
            Factor::MinusOne => lhs - dy,
            Factor::Zero => lhs,
            Factor::General => lhs + self.partial_rhs(x, y, v) * dy,
        }
    }
    /// What the adjoint `w` of the value adds to the adjoint of the left argument, and what it takes from that of the right.
    #[inline]
    fn adjoints<T: Scalar>(self, [x, y, v]: [T; 3], w: T) -> (T, T) {
        let (p, q) = (self.partial_lhs(x, y, v), self.partial_rhs(x, y, v));
        (p * w, -(q * w))
    }
}

/// An elementary function of any number of arguments: one statement on the tape, one node in a program.
///
/// **Cost**: one value and `x.len()` partials.
/// **Source**: Hogan 2014 (statement-level recording), §3.
pub trait Nary {
    /// The operation as data, for recorded programs.
    fn op(&self) -> Op;
    /// The value on plain numbers.
    fn value(&self, x: &[f64]) -> f64;
    /// Writes the first partials at `x`; entries left `None` are structural zeros.
    ///
    /// `out` has the length of `x` and comes filled with `None`.
    fn partials<T: Scalar>(&self, x: &[T], y: T, out: &mut [Option<T>]);
    /// Whether the partials are constants, so that all higher derivatives are structural zeros.
    fn is_linear(&self) -> bool {
        false
    }
    /// Hands a copy of the rule to a keeper; only custom rules have one to give.
    #[doc(hidden)]
    fn kept<K: Keeper>(&self, _: K) -> Option<K::Kept> {
        None
    }
}

/// Keeps copies of custom rules in a form of its own, as recorded programs do.
#[doc(hidden)]
pub trait Keeper {
    /// The form.
    type Kept;
    /// Keeps a rule.
    fn keep<R: CustomRule>(self, rule: R) -> Self::Kept;
}

/// Keeps a partial where the function is defined, else gives NaN (EDGE_CASES R4): one fused operation.
///
/// `y` is the value of the function; it is NaN exactly outside the domain or for a NaN argument.
pub(crate) fn in_domain<T: Scalar>(y: T, partial: T) -> T {
    T::in_domain(y, partial)
}
