//! [`Bits`]: a set of up to 256 small numbers by value.
//!
//! Invariant: none.
//! Source: none.

/// A set of numbers below [`MOST`](Self::MOST).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Bits([u64; 4]);

impl Bits {
    /// How many numbers there are.
    pub(super) const MOST: usize = 256;

    pub(super) fn has(self, number: usize) -> bool {
        self.0[number / 64] >> (number % 64) & 1 == 1
    }

    pub(super) fn with(mut self, number: usize) -> Self {
        self.0[number / 64] |= 1 << (number % 64);
        self
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] & other.0[i]))
    }

    pub(super) fn without(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] & !other.0[i]))
    }

    /// The members, ascending.
    pub(super) fn iter(self) -> impl Iterator<Item = usize> {
        (0..Self::MOST).filter(move |number| self.has(*number))
    }
}

impl FromIterator<usize> for Bits {
    fn from_iter<I: IntoIterator<Item = usize>>(numbers: I) -> Self {
        let numbers = numbers.into_iter();
        numbers.fold(Self::default(), Self::with)
    }
}
