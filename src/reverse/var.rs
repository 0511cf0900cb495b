//! [`Var`], a number whose operations are recorded.

use std::fmt;

use smallvec::SmallVec;

use super::slots::{self, CONSTANT};
use super::tape::Tape;
use crate::elementary::{Binary, Factor, Nary, Unary};
use crate::scalar::{Mask, Scalar, Short, field::field_traits, traits::scalar_traits};

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
    index: u32,
    recording: u32,
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
            index: 0,
            recording: CONSTANT,
        }
    }

    /// A variable of a recording.
    #[inline]
    pub(super) const fn recorded(value: T, index: u32, recording: u32) -> Self {
        Self {
            value,
            index,
            recording,
        }
    }

    /// The index of the variable, if it belongs to this recording.
    #[inline]
    pub(super) fn index_in(&self, recording: u32) -> Option<u32> {
        (self.recording == recording).then_some(self.index)
    }

    /// The identifier of its recording, or that of constants.
    #[inline]
    pub(super) fn recording(&self) -> u32 {
        self.recording
    }

    #[inline]
    fn is_constant(&self) -> bool {
        self.recording == CONSTANT
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
        let value = self.value * factor;
        Self::record1(value, self.recording, self.index, factor)
    }

    /// Records a statement with one argument.
    #[inline(always)]
    fn record1(value: T, recording: u32, x: u32, p: T) -> Self {
        let place = match slots::try_push(recording, [(x, p)]) {
            Some(index) => Place { index, recording },
            None => place_slowly(recording, 1, [(x, p)].into_iter()),
        };
        place.of(value)
    }

    /// Records a statement with two arguments.
    #[inline(always)]
    fn record2(value: T, recording: u32, (x, p): (u32, T), (y, q): (u32, T)) -> Self {
        let place = match slots::try_push(recording, [(x, p), (y, q)]) {
            Some(index) => Place { index, recording },
            None => place_slowly(recording, 2, [(x, p), (y, q)].into_iter()),
        };
        place.of(value)
    }
}

/// Where a result stands. It is small enough for a register: values must not go through memory in long recurrences.
#[derive(Clone, Copy)]
struct Place {
    index: u32,
    recording: u32,
}

impl Place {
    const CONSTANT: Self = Self {
        index: 0,
        recording: CONSTANT,
    };

    #[inline(always)]
    fn of<T>(self, value: T) -> Var<T> {
        Var {
            value,
            index: self.index,
            recording: self.recording,
        }
    }
}

/// Records a statement when the tape is full or belongs to an outer recording; constants have no place.
#[cold]
#[inline(never)]
fn place_slowly<T: Scalar>(
    recording: u32,
    count: usize,
    args: impl Iterator<Item = (u32, T)>,
) -> Place {
    if recording == CONSTANT {
        return Place::CONSTANT;
    }
    match slots::with_open(recording, |tape: &mut Tape<T>| tape.push_many(count, args)) {
        Some(Some(index)) => Place { index, recording },
        Some(None) => Place::CONSTANT,
        None => {
            slots::fail_mixed(recording, recording);
            Place::CONSTANT
        }
    }
}

/// Records a statement of any number of arguments, constants and structural zeros left out.
///
/// The iterator runs twice, the second time while the tape is written: it must only copy, never compute with scalars.
#[inline]
fn record_many<T: Scalar>(
    value: T,
    args: impl ExactSizeIterator<Item = (Var<T>, Option<T>)> + Clone,
) -> Var<T> {
    let mut recording = CONSTANT;
    for (x, _) in args.clone() {
        if x.recording != recording && !x.is_constant() {
            if recording != CONSTANT {
                slots::fail_mixed(recording, x.recording);
                return Var::constant(value);
            }
            recording = x.recording;
        }
    }
    if recording == CONSTANT {
        return Var::constant(value);
    }
    let count = args.len();
    let active = args.filter_map(|(x, p)| {
        if x.is_constant() {
            None
        } else {
            p.map(|p| (x.index, p))
        }
    });
    match slots::with_open(recording, |tape: &mut Tape<T>| {
        tape.push_many(count, active)
    }) {
        Some(Some(index)) => Var {
            value,
            index,
            recording,
        },
        Some(None) => Var::constant(value),
        None => {
            slots::fail_mixed(recording, recording);
            Var::constant(value)
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Var<T> {
    /// Shows the value and the place on the tape; records nothing (EDGE_CASES e46).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.recording == CONSTANT {
            write!(f, "Var({:?}, constant)", self.value)
        } else {
            write!(
                f,
                "Var({:?}, v{} of recording {})",
                self.value, self.index, self.recording
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
            _ => Self::record1(y, self.recording, self.index, op.partial(x, y)),
        }
    }

    #[inline]
    fn binary<B: Binary>(self, op: B, rhs: Self) -> Self {
        let (x, y) = (self.value, rhs.value);
        let v = x.binary(op, y);
        if self.recording == rhs.recording && B::RHS != Factor::Zero {
            let (p, q) = (op.partial_lhs(x, y, v), op.partial_rhs(x, y, v));
            return Self::record2(v, self.recording, (self.index, p), (rhs.index, q));
        }
        match (
            self.is_constant(),
            rhs.is_constant() || B::RHS == Factor::Zero,
        ) {
            (true, true) => Self::constant(v),
            (false, true) if B::LHS == Factor::One => Self { value: v, ..self },
            (false, true) => Self::record1(v, self.recording, self.index, op.partial_lhs(x, y, v)),
            (true, false) if B::RHS == Factor::One => Self { value: v, ..rhs },
            (true, false) => Self::record1(v, rhs.recording, rhs.index, op.partial_rhs(x, y, v)),
            (false, false) => {
                slots::fail_mixed(self.recording, rhs.recording);
                Self::constant(v)
            }
        }
    }

    fn nary<R: Nary>(rule: &R, args: &[Self]) -> Self {
        let values: Short<T> = args.iter().map(|x| x.value).collect();
        let value = T::nary(rule, &values);
        if args.iter().all(Self::is_constant) {
            return Self::constant(value);
        }
        let mut partials: Short<Option<T>> = Short::from_elem(None, args.len());
        rule.partials(&values, value, &mut partials);
        record_many(value, args.iter().copied().zip(partials.iter().copied()))
    }

    #[inline]
    fn lt_mask(self, rhs: Self) -> Self::Mask {
        self.value.lt_mask(rhs.value)
    }
    #[inline]
    fn le_mask(self, rhs: Self) -> Self::Mask {
        self.value.le_mask(rhs.value)
    }
    #[inline]
    fn eq_mask(self, rhs: Self) -> Self::Mask {
        self.value.eq_mask(rhs.value)
    }
    #[inline]
    fn select(mask: Self::Mask, a: Self, b: Self) -> Self {
        match mask.decided() {
            Some(true) => a,
            Some(false) => b,
            None => {
                let (zero, one) = (T::structural_zero(), T::from(1.0));
                let value = T::select(mask, a.value, b.value);
                let (p, q) = (T::select(mask, one, zero), T::select(mask, zero, one));
                record_many(value, [(a, Some(p)), (b, Some(q))].into_iter())
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
        gather(terms.into_iter().map(|x| [x]), |values, places| {
            let value = T::sum_of(values.iter().copied());
            let one = T::from(1.0);
            record_sum::<T, 1>(value, values, places, |_| [one])
        })
    }
    #[inline]
    fn dot_of(pairs: impl IntoIterator<Item = (Self, Self)>) -> Self {
        gather(pairs.into_iter().map(|(x, y)| [x, y]), |values, places| {
            let value = T::dot_of(values.as_chunks().0.iter().map(|[x, y]| (*x, *y)));
            record_sum::<T, 2>(value, values, places, |[x, y]| [y, x])
        })
    }
    #[inline]
    fn squared_norm_of(terms: impl IntoIterator<Item = Self>) -> Self {
        gather(terms.into_iter().map(|x| [x]), |values, places| {
            let value = T::squared_norm_of(values.iter().copied());
            let mut doubled: SmallVec<[T; GATHERED]> = SmallVec::new();
            doubled.extend(values.iter().map(|x| *x * 2.0));
            record_sum::<T, 1>(value, &doubled, places, |partial| partial)
        })
    }
}

/// Arguments of a sum that are gathered on the stack: 16 pairs.
const GATHERED: usize = 32;

/// Gathers the arguments of a sum before anything is recorded, because their iterator may record operations of its own.
///
/// Values and places go apart: a copy of a whole variable would wait until both halves are stored. The counter stays in a
/// register, which it would not as the field of a list; together that is a third of the time of a gradient made of sums.
#[inline(always)]
fn gather<T: Scalar, const C: usize>(
    chunks: impl Iterator<Item = [Var<T>; C]>,
    record: impl Fn(&[T], &[Place]) -> Var<T>,
) -> Var<T> {
    let mut values = [T::from(0.0); GATHERED];
    let mut places = [Place::CONSTANT; GATHERED];
    let mut long: (Vec<T>, Vec<Place>) = (Vec::new(), Vec::new());
    let mut len = 0;
    chunks.for_each(|chunk| {
        if len + C > GATHERED {
            spill(&mut long, &values[..len], &places[..len]);
            len = 0;
        }
        for x in chunk {
            values[len] = x.value;
            places[len] = Place {
                index: x.index,
                recording: x.recording,
            };
            len += 1;
        }
    });
    if long.0.is_empty() {
        return record(&values[..len], &places[..len]);
    }
    spill(&mut long, &values[..len], &places[..len]);
    record(&long.0, &long.1)
}

/// Moves a full block of arguments to the heap.
#[cold]
#[inline(never)]
fn spill<T: Scalar>(long: &mut (Vec<T>, Vec<Place>), values: &[T], places: &[Place]) {
    long.0.extend_from_slice(values);
    long.1.extend_from_slice(places);
}

/// Records a sum; `partials` rearranges the given numbers of a chunk into its partials.
///
/// It must not compute: the tape is borrowed meanwhile, and arithmetic of the inner scalar may record on it.
#[inline(always)]
fn record_sum<T: Scalar, const C: usize>(
    value: T,
    numbers: &[T],
    places: &[Place],
    partials: impl Fn([T; C]) -> [T; C],
) -> Var<T> {
    let recording = places.first().map_or(CONSTANT, |place| place.recording);
    let foreign = places
        .iter()
        .fold(0, |f, place| f | (place.recording ^ recording));
    let (numbers, places) = (numbers.as_chunks::<C>().0, places.as_chunks::<C>().0);
    if foreign != 0 || recording == CONSTANT {
        let args = numbers.iter().zip(places).flat_map(|(numbers, places)| {
            let partials = partials(*numbers);
            std::array::from_fn::<_, C, _>(|i| (places[i].of(numbers[i]), Some(partials[i])))
        });
        return record_mixed(value, args.collect());
    }
    let push = |tape: &mut Tape<T>| {
        tape.push_chunks::<C>(numbers.len().min(places.len()), |number| {
            let partials = partials(numbers[number]);
            std::array::from_fn(|i| (places[number][i].index, partials[i]))
        })
    };
    match slots::with_open(recording, push) {
        Some(Some(index)) => Var {
            value,
            index,
            recording,
        },
        Some(None) => Var::constant(value),
        None => {
            slots::fail_mixed(recording, recording);
            Var::constant(value)
        }
    }
}

/// Records a sum some of whose arguments are constants.
#[inline(never)]
fn record_mixed<T: Scalar>(value: T, args: Short<(Var<T>, Option<T>)>) -> Var<T> {
    record_many(value, args.iter().copied())
}
