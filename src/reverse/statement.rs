//! Statements: where variables stand, and how an operation gets its place on the tape.
//!
//! Invariant: nothing here computes with scalars while the tape is borrowed; partials come in ready.

use super::slots::{self, CONSTANT};
use super::tape::Tape;
use crate::scalar::{Scalar, Short};

/// Where a variable stands: the index of its statement below, the identifier of its recording above.
///
/// One number, not two: variables are stored and loaded in two moves, and results stay in registers. In a recurrence a value
/// that goes through memory in pieces costs more than the operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place(u64);

impl Place {
    /// The place of what does not depend on anything.
    pub(super) const CONSTANT: Self = Self::new(0, CONSTANT);

    #[inline(always)]
    pub(super) const fn new(index: u32, recording: u32) -> Self {
        Self((recording as u64) << 32 | index as u64)
    }

    #[inline(always)]
    #[allow(clippy::cast_possible_truncation)] // The lower half.
    pub(super) const fn index(self) -> u32 {
        self.0 as u32
    }

    #[inline(always)]
    #[allow(clippy::cast_possible_truncation)] // The upper half.
    pub(super) const fn recording(self) -> u32 {
        (self.0 >> 32) as u32
    }

    #[inline(always)]
    pub(super) const fn is_constant(self) -> bool {
        self.recording() == CONSTANT
    }

    /// Whether both stand in one recording, or both are constants.
    #[inline(always)]
    pub(super) const fn is_beside(self, other: Self) -> bool {
        (self.0 ^ other.0) >> 32 == 0
    }
}

/// What the places of the arguments of a sum have in common, seen one by one while they are gathered.
#[derive(Clone, Copy)]
pub(super) struct Common {
    any: u64,
    all: u64,
}

impl Common {
    pub(super) const fn new() -> Self {
        Self {
            any: 0,
            all: u64::MAX,
        }
    }

    #[inline(always)]
    pub(super) const fn see(&mut self, place: Place) {
        self.any |= place.0;
        self.all &= place.0;
    }

    /// The recording of all the places, if there is one; that of constants if there are no places.
    #[inline(always)]
    fn recording(self) -> Option<u32> {
        let recording = Place(self.any).recording();
        (Place(self.all).recording() == recording || self.any == 0).then_some(recording)
    }
}

/// Records a statement with one argument.
#[inline(always)]
pub(super) fn record1<T: Scalar>(x: Place, p: T) -> Place {
    let recording = x.recording();
    match slots::try_push(recording, [(x.index(), p)]) {
        Some(index) => Place::new(index, recording),
        None => record_slowly(recording, 1, [(x.index(), p)].into_iter()),
    }
}

/// Records a statement with two arguments of one recording.
#[inline(always)]
pub(super) fn record2<T: Scalar>((x, p): (Place, T), (y, q): (Place, T)) -> Place {
    let recording = x.recording();
    match slots::try_push(recording, [(x.index(), p), (y.index(), q)]) {
        Some(index) => Place::new(index, recording),
        None => record_slowly(recording, 2, [(x.index(), p), (y.index(), q)].into_iter()),
    }
}

/// Records a statement when the tape is full or belongs to an outer recording; constants have no place.
#[cold]
#[inline(never)]
fn record_slowly<T: Scalar>(
    recording: u32,
    count: usize,
    args: impl Iterator<Item = (u32, T)>,
) -> Place {
    if recording == CONSTANT {
        return Place::CONSTANT;
    }
    record_in(recording, |tape: &mut Tape<T>| tape.push_many(count, args))
}

/// Records in any open recording of this thread.
#[inline]
fn record_in<T: Scalar>(recording: u32, push: impl FnOnce(&mut Tape<T>) -> Option<u32>) -> Place {
    match slots::with_open(recording, push) {
        Some(Some(index)) => Place::new(index, recording),
        Some(None) => Place::CONSTANT,
        None => {
            slots::fail_mixed(recording, recording);
            Place::CONSTANT
        }
    }
}

/// Keeps the error of an operation on variables of two recordings; its result is a constant.
#[cold]
pub(super) fn fail_mixed(x: Place, y: Place) -> Place {
    slots::fail_mixed(x.recording(), y.recording());
    Place::CONSTANT
}

/// Records a statement of any number of arguments, constants and structural zeros left out.
///
/// The iterator runs twice, the second time while the tape is written: it must only copy, never compute with scalars.
#[inline(never)]
pub(super) fn record_many<T: Scalar>(
    args: impl ExactSizeIterator<Item = (Place, Option<T>)> + Clone,
) -> Place {
    let mut common = Place::CONSTANT;
    for (x, _) in args.clone() {
        if !x.is_beside(common) && !x.is_constant() {
            if !common.is_constant() {
                return fail_mixed(common, x);
            }
            common = x;
        }
    }
    if common.is_constant() {
        return Place::CONSTANT;
    }
    let count = args.len();
    let active = args.filter_map(|(x, p)| p.filter(|_| !x.is_constant()).map(|p| (x.index(), p)));
    record_in(common.recording(), |tape: &mut Tape<T>| {
        tape.push_many(count, active)
    })
}

/// Records a sum; `partials` rearranges the given numbers of a chunk of arguments into its partials.
///
/// It must not compute: the tape is borrowed meanwhile, and arithmetic of the inner scalar may record on it.
#[inline(always)]
pub(super) fn record_sum<T: Scalar, const C: usize>(
    numbers: &[T],
    places: &[Place],
    common: Common,
    partials: impl Fn([T; C]) -> [T; C],
) -> Place {
    let (numbers, places) = (numbers.as_chunks::<C>().0, places.as_chunks::<C>().0);
    let Some(recording) = common.recording() else {
        let args = numbers.iter().zip(places).flat_map(|(numbers, places)| {
            let partials = partials(*numbers);
            std::array::from_fn::<_, C, _>(|i| (places[i], Some(partials[i])))
        });
        let args: Short<(Place, Option<T>)> = args.collect();
        return record_many(args.iter().copied());
    };
    if recording == CONSTANT {
        return Place::CONSTANT;
    }
    record_in(recording, |tape: &mut Tape<T>| {
        tape.push_chunks::<C>(numbers.len().min(places.len()), |number| {
            let partials = partials(numbers[number]);
            std::array::from_fn(|i| (places[number][i].index(), partials[i]))
        })
    })
}
