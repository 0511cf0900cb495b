//! How many lanes a replay uses, and with which instructions.

use pulp::{Scalar256b, Scalar512b, Simd, WithSimd};

/// The number of lanes of one register.
///
/// ```
/// use wengert::program::Width;
/// assert_eq!(Width::Four.lanes(), 4);
/// assert!([1, 4, 8].contains(&Width::of_this_machine().lanes()));
/// ```
///
/// **Source**: AVX-512 has registers of eight numbers, AVX2 of four.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Width {
    /// One iteration after the other: the bits of plain `f64`.
    One,
    /// Registers of four numbers, with AVX2 where the processor has it.
    Four,
    /// Registers of eight numbers, with AVX-512 where the processor has it.
    Eight,
}

impl Width {
    /// The number of lanes.
    #[must_use]
    pub const fn lanes(self) -> usize {
        match self {
            Self::One => 1,
            Self::Four => 4,
            Self::Eight => 8,
        }
    }

    /// The widest registers of this machine's processor; four numbers where nothing is known about it.
    #[must_use]
    pub fn of_this_machine() -> Self {
        match Isa::new(Self::Eight) {
            Isa::Portable8 => Self::Four,
            _ => Self::Eight,
        }
    }
}

/// The instructions that a width uses on this machine.
#[derive(Clone, Copy, Debug)]
pub(super) enum Isa {
    #[cfg(target_arch = "x86_64")]
    Avx512(pulp::x86::V4),
    #[cfg(target_arch = "x86_64")]
    Avx2(pulp::x86::V3),
    Portable8,
    Portable4,
}

/// Something that runs with any registers, several of them together.
pub(super) trait Run {
    type Output;
    fn run<S: Simd, const U: usize, const L: usize, const FMA: bool>(self, simd: S)
    -> Self::Output;
}

/// `Run` with the number of registers fixed.
struct With<R, const U: usize, const L: usize, const FMA: bool>(R);

impl<R: Run, const U: usize, const L: usize, const FMA: bool> WithSimd for With<R, U, L, FMA> {
    type Output = R::Output;
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> R::Output {
        self.0.run::<S, U, L, FMA>(simd)
    }
}

impl Isa {
    /// The best instructions for a width; one lane is not asked for.
    pub(super) fn new(width: Width) -> Self {
        #[cfg(target_arch = "x86_64")]
        if width == Width::Eight {
            if let Some(simd) = pulp::x86::V4::try_new() {
                return Self::Avx512(simd);
            }
        } else if let Some(simd) = pulp::x86::V3::try_new() {
            return Self::Avx2(simd);
        }
        if width == Width::Eight {
            Self::Portable8
        } else {
            Self::Portable4
        }
    }

    /// Runs with one, two or four registers together, the fewest that hold this many lanes; four if none do.
    pub(super) fn run<R: Run>(self, lanes: usize, run: R) -> R::Output {
        match lanes.div_ceil(self.lanes()) {
            0 | 1 => self.run_one(run),
            2 => self.run_two(run),
            _ => self.run_four(run),
        }
    }

    fn run_four<R: Run>(self, run: R) -> R::Output {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(simd) => Simd::vectorize(simd, With::<R, 4, 32, true>(run)),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(simd) => Simd::vectorize(simd, With::<R, 4, 16, true>(run)),
            Self::Portable8 => Scalar512b.vectorize(With::<R, 4, 32, false>(run)),
            Self::Portable4 => Scalar256b.vectorize(With::<R, 4, 16, false>(run)),
        }
    }

    fn run_two<R: Run>(self, run: R) -> R::Output {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(simd) => Simd::vectorize(simd, With::<R, 2, 16, true>(run)),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(simd) => Simd::vectorize(simd, With::<R, 2, 8, true>(run)),
            Self::Portable8 => Scalar512b.vectorize(With::<R, 2, 16, false>(run)),
            Self::Portable4 => Scalar256b.vectorize(With::<R, 2, 8, false>(run)),
        }
    }

    fn run_one<R: Run>(self, run: R) -> R::Output {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(simd) => Simd::vectorize(simd, With::<R, 1, 8, true>(run)),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(simd) => Simd::vectorize(simd, With::<R, 1, 4, true>(run)),
            Self::Portable8 => Scalar512b.vectorize(With::<R, 1, 8, false>(run)),
            Self::Portable4 => Scalar256b.vectorize(With::<R, 1, 4, false>(run)),
        }
    }

    /// The number of lanes of one register.
    pub(super) const fn lanes(self) -> usize {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(_) => 8,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(_) => 4,
            Self::Portable8 => 8,
            Self::Portable4 => 4,
        }
    }
}
