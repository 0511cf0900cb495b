//! The operations that the vector functions are made of.
//!
//! Invariant: no branch and no conversion between integers and floating-point numbers, which not every instruction set
//! has for vectors: integers are read from and put into the bits of a number.
//!
//! Sources: Dekker 1971 (products and quotients with their errors); D. E. Knuth, The Art of Computer Programming 2, §4.2.2
//! (sums); Muller 2016, §11.1 (rounding by adding a large constant).

use std::hint::select_unpredictable;

/// 3/2 · 2^52 + 2048: `x + ROUND` holds the integer nearest to `x`, plus 2048, in its lowest twelve bits.
pub(super) const ROUND: f64 = 6_755_399_441_057_792.0;
/// The exponent field of 1.
pub(super) const ONE_BITS: u64 = 0x3ff0_0000_0000_0000;
/// The fraction field.
pub(super) const FRACTION: u64 = 0x000f_ffff_ffff_ffff;
/// 2^54 lifts subnormal numbers into the normal range.
pub(super) const TWO_54: f64 = 18_014_398_509_481_984.0;
/// Below 2^-28 odd functions with unit slope equal their argument to within 1/32 unit in the last place.
pub(super) const TINY: f64 = 3.725_290_298_461_914e-9;

/// `a b + c`, rounded once if `FMA`, else twice.
#[inline(always)]
pub(super) fn fma<const FMA: bool>(a: f64, b: f64, c: f64) -> f64 {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}

/// `a` if the condition holds, else `b`, both computed: never a branch, into which the computation could be moved.
#[inline(always)]
pub(super) fn select(condition: bool, a: f64, b: f64) -> f64 {
    select_unpredictable(condition, a, b)
}

/// Whether a number is outside the positive normal ones: 0, subnormal, negative, infinite or NaN.
#[inline(always)]
pub(super) fn is_not_positive_normal(x: f64) -> bool {
    const LOWEST: u64 = f64::MIN_POSITIVE.to_bits();
    x.to_bits().wrapping_sub(LOWEST) >= f64::INFINITY.to_bits() - LOWEST
}

/// The rounded sum and its error, for any arguments.
#[inline(always)]
pub(super) fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let b_part = sum - a;
    (sum, (a - (sum - b_part)) + (b - b_part))
}

/// The rounded sum and its error, if `a` is 0 or a multiple of the unit in the last place of `b`, as it is when it is the
/// larger of the two.
#[inline(always)]
pub(super) fn fast_two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    (sum, b - (sum - a))
}

/// The rounded product and its error.
#[inline(always)]
pub(super) fn two_product<const FMA: bool>(a: f64, b: f64) -> (f64, f64) {
    let product = a * b;
    if FMA {
        return (product, a.mul_add(b, -product));
    }
    // The upper halves have 26 bits, the lower ones 27; unlike a multiplication by 2^27 + 1 masks cannot overflow.
    let (a_high, b_high) = (upper_half(a), upper_half(b));
    let (a_low, b_low) = (a - a_high, b - b_high);
    let error = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low;
    (product, error)
}

/// `x` with its last 27 bits cleared.
#[inline(always)]
fn upper_half(x: f64) -> f64 {
    f64::from_bits(x.to_bits() & 0xffff_ffff_f800_0000)
}

/// The quotient of two sums `high + low`, as such a sum; the low parts may be a few
/// roundings of the high ones.
#[inline(always)]
pub(super) fn divide<const FMA: bool>(n: (f64, f64), d: (f64, f64)) -> (f64, f64) {
    let reciprocal = 1.0 / d.0;
    let q = n.0 * reciprocal;
    let (product, error) = two_product::<FMA>(q, d.0);
    let rest = ((n.0 - product) - error) + (n.1 - q * d.1);
    (q, rest * reciprocal)
}

/// The polynomial with these coefficients, from the constant upward, as two interleaved Horner schemes.
#[inline(always)]
pub(super) fn polynomial<const FMA: bool, const N: usize>(x: f64, c: &[f64; N]) -> f64 {
    let square = x * x;
    let (mut upper, mut lower) = (c[N - 1], c[N - 2]);
    let mut i = N - 2;
    while i >= 2 {
        upper = fma::<FMA>(upper, square, c[i - 1]);
        lower = fma::<FMA>(lower, square, c[i - 2]);
        i -= 2;
    }
    if i == 1 {
        // The upper scheme holds the even powers and lacks the constant.
        fma::<FMA>(lower, x, fma::<FMA>(upper, square, c[0]))
    } else {
        fma::<FMA>(upper, x, lower)
    }
}

/// The smaller of an argument and a bound, and NaN for NaN.
#[inline(always)]
pub(super) fn at_most(x: f64, bound: f64) -> f64 {
    select(x > bound, bound, x)
}

/// The larger of an argument and a bound, and NaN for NaN.
#[inline(always)]
pub(super) fn at_least(x: f64, bound: f64) -> f64 {
    select(x < bound, bound, x)
}

/// The integer nearest to `x`, and 2048 more than it as bits; for |x| < 2048.
#[inline(always)]
pub(super) fn nearest_integer(x: f64) -> (f64, u64) {
    let shifted = x + ROUND;
    (shifted - ROUND, shifted.to_bits() & 0xfff)
}

/// 2^k for -1022 <= k <= 1023 from `k + 2048`.
#[inline(always)]
pub(super) fn power_of_two(k: u64) -> f64 {
    f64::from_bits(k.wrapping_sub(2048 - 1023) << 52)
}

/// `x 2^k` from `k + 2048`, rounded once also where the power alone leaves the range, |k| < 2000.
#[inline(always)]
pub(super) fn scale(x: f64, k: u64) -> f64 {
    let half = k >> 1;
    let other = k.wrapping_sub(half);
    let factor = |k: u64| f64::from_bits(k.wrapping_sub(1) << 52);
    x * factor(half) * factor(other)
}

/// Writes the loop over the lanes around a core of one argument; where the test holds the function of one number
/// is used. The loop writes to an array of its own: to one that it got it would first test whether results overwrite
/// arguments, and for few lanes that test costs more than it seems worth to the compiler, which gives up vectors then.
macro_rules! lanes {
    ($($(#[$doc:meta])* $name:ident = $core:ident $(, $test:expr => $exact:expr)?;)*) => {$(
        $(#[$doc])*
        #[inline(always)]
        pub(crate) fn $name<const FMA: bool, const L: usize>(x: &[f64; L], out: &mut [f64; L]) {
            let mut local = [0.0; L];
            for (y, &x) in local.iter_mut().zip(x) {
                *y = $core::<FMA>(x);
            }
            *out = local;
            $(if any(x, $test) {
                patch(x, out, $test, $exact);
            })?
        }
    )*};
}
pub(super) use lanes;

/// Whether the test holds for the argument in any lane.
#[inline(always)]
pub(super) fn any<const L: usize>(x: &[f64; L], test: impl Fn(f64) -> bool) -> bool {
    let mut found = 0;
    for &x in x {
        found |= u64::from(test(x));
    }
    found != 0
}

/// Computes again, by the function of one number, the lanes in which the test holds.
#[cold]
#[inline(never)]
pub(super) fn patch<const L: usize>(
    x: &[f64; L],
    out: &mut [f64; L],
    test: fn(f64) -> bool,
    exact: fn(f64) -> f64,
) {
    for (out, &x) in out.iter_mut().zip(x) {
        if test(x) {
            *out = exact(x);
        }
    }
}

/// [`any`] for two arguments.
#[inline(always)]
pub(super) fn any2<const L: usize>(
    x: &[f64; L],
    y: &[f64; L],
    test: impl Fn(f64, f64) -> bool,
) -> bool {
    let mut found = 0;
    for (&x, &y) in x.iter().zip(y) {
        found |= u64::from(test(x, y));
    }
    found != 0
}

/// [`patch`] for two arguments.
#[cold]
#[inline(never)]
pub(super) fn patch2<const L: usize>(
    x: &[f64; L],
    y: &[f64; L],
    out: &mut [f64; L],
    test: fn(f64, f64) -> bool,
    exact: fn(f64, f64) -> f64,
) {
    for ((out, &x), &y) in out.iter_mut().zip(x).zip(y) {
        if test(x, y) {
            *out = exact(x, y);
        }
    }
}
