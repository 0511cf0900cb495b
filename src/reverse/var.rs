//! [`Var`], a number whose operations are recorded.

use std::cell::Cell;
use std::fmt;

use super::statement::{self, Common, Place, record_sum};
use super::tape::gather;
use crate::elementary::{Binary, Factor, Nary, Unary};
use crate::scalar::{
    Mask, Scalar, Short,
    field::field_traits,
    traits::{masks_of_value, scalar_traits},
};

/// A variable of reverse mode: a value and its place in the open recording.
///
/// Drivers create variables and hand them to the user's function; constants are made by `Var::from(value)`. A variable is
/// 16 bytes for `T = f64`, `Copy` and `'static`, so it fits nalgebra's and num-dual's traits.
///
/// ```
/// use wengert::prelude::*;
/// let g = gradient(|x: &[Var<f64>]| x[0] * x[1].sin(), &[2.0, 0.0])?;
/// assert_eq!(g, [0.0, 2.0]);
/// # Ok::<(), wengert::Error>(())
/// ```
///
/// # Panics
/// An operation on a variable that outlived its recording panics if no recording is open on the thread (EDGE_CASES e53);
/// inside another recording, the driver of that one returns [`Error::MixedRecordings`](crate::Error::MixedRecordings).
///
/// What is recorded cannot be changed in place (EDGE_CASES e57):
///
/// ```compile_fail
/// use wengert::prelude::*;
/// let g = gradient(|x: &[Var<f64>]| { x[0] = x[0] * 2.0; x[0] }, &[1.0]);
/// ```
///
/// **Shape**: an inner scalar and two 32-bit numbers.
/// **Cost**: per operation the partials, and one statement of 4 bytes plus 4 and an inner scalar per argument.
/// **Source**: Griewank & Walther 2008, §3.2 and §6.1.
#[derive(Clone, Copy)]
pub struct Var<T> {
    value: T,
    place: Place,
}

impl<T: Scalar> Var<T> {
    /// The value.
    ///
    /// **Cost**: free.
    #[inline]
    pub fn value(&self) -> T {
        self.value
    }

    /// A value that does not depend on anything.
    ///
    /// **Cost**: free; it takes no place on the tape.
    #[inline]
    pub const fn constant(value: T) -> Self {
        Self {
            value,
            place: Place::CONSTANT,
        }
    }

    /// A variable of a recording.
    #[inline]
    pub(super) const fn recorded(value: T, place: Place) -> Self {
        Self { value, place }
    }

    /// Where the variable stands.
    #[inline]
    pub(super) fn place(&self) -> Place {
        self.place
    }

    /// Its halves, and its place noted among those of a sum.
    #[inline(always)]
    fn seen_by(self, common: &Cell<Common>) -> (T, Place) {
        let mut seen = common.get();
        seen.see(self.place);
        common.set(seen);
        (self.value, self.place)
    }

    #[inline]
    fn is_constant(&self) -> bool {
        self.place.is_constant()
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
            place: statement::record1(self.place, factor),
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Var<T> {
    /// Shows the value and the place on the tape; records nothing (EDGE_CASES e46).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.place.is_constant() {
            write!(f, "Var({:?}, constant)", self.value)
        } else {
            let (index, recording) = (self.place.index(), self.place.recording());
            write!(
                f,
                "Var({:?}, v{index} of recording {recording})",
                self.value
            )
        }
    }
}

impl<T: fmt::Display> fmt::Display for Var<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.value, f)
    }
}

scalar_traits!([T: Scalar] Var<T>, inner T, derivatives T::NDERIV + 1);
field_traits!([T: Scalar] Var<T>);

impl<T: Scalar> Scalar for Var<T> {
    type Mask = T::Mask;

    #[inline]
    fn unary<U: Unary>(self, op: U) -> Self {
        let x = self.value;
        let y = x.unary(op);
        if self.is_constant() {
            return Self::constant(y);
        }
        match op.factor() {
            // The adjoint of the result is that of the argument: no statement is needed.
            Factor::One => Self { value: y, ..self },
            // A step has no derivative where it has a value; only NaN must be loud.
            Factor::Zero if y.eq_mask(y).decided() == Some(true) => Self::constant(y),
            _ => Self {
                value: y,
                place: statement::record1(self.place, op.partial(x, y)),
            },
        }
    }

    #[inline]
    fn binary<B: Binary>(self, op: B, rhs: Self) -> Self {
        let (x, y) = (self.value, rhs.value);
        let v = x.binary(op, y);
        if self.place.is_beside(rhs.place) && B::RHS != Factor::Zero {
            let (p, q) = (op.partial_lhs(x, y, v), op.partial_rhs(x, y, v));
            return Self {
                value: v,
                place: statement::record2((self.place, p), (rhs.place, q)),
            };
        }
        let rhs_is_constant = rhs.is_constant() || B::RHS == Factor::Zero;
        let place = match (self.is_constant(), rhs_is_constant) {
            (true, true) => Place::CONSTANT,
            (false, true) if B::LHS == Factor::One => self.place,
            (false, true) => statement::record1(self.place, op.partial_lhs(x, y, v)),
            (true, false) if B::RHS == Factor::One => rhs.place,
            (true, false) => statement::record1(rhs.place, op.partial_rhs(x, y, v)),
            (false, false) => statement::fail_mixed(self.place, rhs.place),
        };
        Self { value: v, place }
    }

    fn nary<R: Nary>(rule: &R, args: &[Self]) -> Self {
        let values: Short<T> = args.iter().map(|x| x.value).collect();
        let value = T::nary(rule, &values);
        if args.iter().all(Self::is_constant) {
            return Self::constant(value);
        }
        let mut partials: Short<Option<T>> = Short::from_elem(None, args.len());
        rule.partials(&values, value, &mut partials);
        let args = args.iter().map(|x| x.place).zip(partials.iter().copied());
        Self {
            value,
            place: statement::record_many(args),
        }
    }

    masks_of_value!();
    #[inline]
    fn select(mask: Self::Mask, a: Self, b: Self) -> Self {
        match mask.decided() {
            Some(true) => a,
            Some(false) => b,
            None => {
                let (zero, one) = (T::structural_zero(), T::from(1.0));
                let value = T::select(mask, a.value, b.value);
                let (p, q) = (T::select(mask, one, zero), T::select(mask, zero, one));
                let args = [(a.place, Some(p)), (b.place, Some(q))];
                Self {
                    value,
                    place: statement::record_many(args.into_iter()),
                }
            }
        }
    }
    #[inline]
    fn is_all_finite(&self) -> bool {
        self.value.is_all_finite()
    }
    #[inline]
    fn structural_zero() -> Self {
        Self::constant(T::structural_zero())
    }

    // Sums record straight from their arguments, without a list of partials.
    #[inline]
    fn sum_of(terms: impl IntoIterator<Item = Self>) -> Self {
        let common = Cell::new(Common::new());
        let terms = terms.into_iter().map(|x| [x.seen_by(&common)]);
        gather(terms, |values, places| {
            let (value, one) = (T::sum_of(values.iter().copied()), T::from(1.0));
            let place = record_sum::<T, 1>(values, places, common.get(), |_| [one]);
            Self { value, place }
        })
    }
    #[inline]
    fn dot_of(pairs: impl IntoIterator<Item = (Self, Self)>) -> Self {
        let common = Cell::new(Common::new());
        let pairs = pairs
            .into_iter()
            .map(|(x, y)| [x.seen_by(&common), y.seen_by(&common)]);
        gather(pairs, |values, places| {
            let value = T::dot_of(values.as_chunks().0.iter().map(|[x, y]| (*x, *y)));
            // The partial of one factor is the other.
            let place = record_sum::<T, 2>(values, places, common.get(), |[x, y]| [y, x]);
            Self { value, place }
        })
    }
    #[inline]
    fn squared_norm_of(terms: impl IntoIterator<Item = Self>) -> Self {
        let common = Cell::new(Common::new());
        let terms = terms.into_iter().map(|x| [x.seen_by(&common)]);
        gather(terms, |values, places| {
            let value = T::squared_norm_of(values.iter().copied());
            let doubled = values.iter().map(|x| [(*x * 2.0, ())]);
            let place = gather(doubled, |partials, _| {
                record_sum::<T, 1>(partials, places, common.get(), |partial| partial)
            });
            Self { value, place }
        })
    }
}
