//! Logarithms.
//!
//! `x = 2^k (1 + f)` with 1 + f between sqrt(1/2) and sqrt(2), exactly; with `s = f / (2 + f)`, the logarithm of 1 + f is
//! `2 atanh s = f - f^2/2 + s (f^2/2 + s^2 P(s^2))`. The leading terms k ln 2 and f are exact.
//!
//! Sources: Cody & Waite 1980, chapter 5; Muller 2016, §11.4; the form of the sum is that of K. C. Ng in fdlibm, 1986.

use super::arithmetic::*;
use super::exp::{LN2_HIGH, LN2_LOW};

/// The bits of sqrt(1/2).
const SQRT_HALF: u64 = 0x3fe6_a09e_667f_3bcd;

/// (2 atanh(s) / s - 2) / s^2 in s^2, |s| <= 0.1716; error relative to 2 atanh s below 2^-59.
const LN: [f64; 7] = [
    0.666_666_666_666_673_4,
    0.399_999_999_994_171_3,
    0.285_714_287_418_782_9,
    0.222_221_986_203_656_85,
    0.181_835_621_859_193_5,
    0.153_140_968_987_176_2,
    0.147_955_692_433_120_76,
];

/// The leading 24 bits of 1 / ln 2 and of 1 / ln 10, the leading 41 of log10(2), and the rests.
const LOG2_E_HIGH: f64 = 1.442_695_021_629_333_5;
const LOG2_E_LOW: f64 = 1.925_962_991_126_617_5e-8;
const LOG10_E_HIGH: f64 = 0.434_294_462_203_979_5;
const LOG10_E_LOW: f64 = 1.969_927_233_546_362_7e-8;
const LOG10_2_HIGH: f64 = 0.301_029_995_663_839_14;
const LOG10_2_LOW: f64 = 1.420_502_322_726_61e-13;

lanes! {
    /// Natural logarithm.
    ln = ln_core, is_not_positive_normal => f64::ln;
    /// `ln(1 + x)`, accurate close to 0.
    ln_1p = ln_1p_core, is_outside => f64::ln_1p;
    /// Logarithm to base 2; exact for powers of two.
    log2 = log2_core, is_not_positive_normal => f64::log2;
    /// Logarithm to base 10.
    log10 = log10_core, is_not_positive_normal => f64::log10;
}

/// k and the fraction 1 + f of a positive normal number.
#[inline(always)]
pub(super) fn decompose(x: f64) -> (f64, f64) {
    let shifted = x.to_bits().wrapping_add(ONE_BITS - SQRT_HALF);
    // The biased exponent goes below 2^52 as an integer.
    let biased = f64::from_bits((shifted >> 52) | 0x4330_0000_0000_0000);
    let k = biased - (4_503_599_627_370_496.0 + 1023.0);
    let fraction = f64::from_bits((shifted & FRACTION).wrapping_add(SQRT_HALF));
    (k, fraction)
}

/// `f^2 / 2` and the small term `s (f^2/2 + s^2 P(s^2))`.
#[inline(always)]
fn series<const FMA: bool>(f: f64) -> (f64, f64) {
    let s = f / (2.0 + f);
    let z = s * s;
    let half_square = 0.5 * f * f;
    let small = s * fma::<FMA>(z, polynomial::<FMA, 7>(z, &LN), half_square);
    (half_square, small)
}

/// `k ln 2 + f - half_square + small`, the parts of the logarithm.
#[inline(always)]
fn assemble<const FMA: bool>(k: f64, f: f64, half_square: f64, small: f64) -> f64 {
    let small = fma::<FMA>(k, LN2_LOW, small);
    fma::<FMA>(k, LN2_HIGH, f - (half_square - small))
}

#[inline(always)]
fn ln_core<const FMA: bool>(x: f64) -> f64 {
    let (k, fraction) = decompose(x);
    let f = fraction - 1.0;
    let (half_square, small) = series::<FMA>(f);
    assemble::<FMA>(k, f, half_square, small)
}

/// Whether `ln(1 + x)` is infinite or NaN.
#[inline(always)]
fn is_outside(x: f64) -> bool {
    !((x > -1.0) & (x < f64::INFINITY))
}

/// `ln(1 + x + low)` for finite x > -1 and a low part below one rounding of x.
#[inline(always)]
pub(super) fn ln_1p_of_sum<const FMA: bool>(x: f64, low: f64) -> f64 {
    let (sum, error) = two_sum(1.0, x);
    let (k, fraction) = decompose(sum);
    // Where nothing was shifted, f is x itself and not the rounded sum minus 1.
    let unshifted = k == 0.0;
    let f = select(unshifted, x, fraction - 1.0);
    // 2^-k, which is out of range only for sums far beyond 2^53, where the error does not count.
    let inverse = f64::from_bits(
        (sum.to_bits() & !FRACTION)
            .wrapping_neg()
            .wrapping_add(ONE_BITS << 1),
    );
    let inverse = select(fraction < 1.0, 0.5 * inverse, inverse);
    let shifted = select(sum < 1e30, (error + low) * inverse, 0.0);
    let error = select(unshifted, low, shifted);
    // 1 / (1 + f) to a tenth is enough for a correction of one rounding.
    let (half_square, small) = series::<FMA>(f);
    let small = fma::<FMA>(error, fma::<FMA>(f, f, 1.0 - f), small);
    assemble::<FMA>(k, f, half_square, small)
}

#[inline(always)]
fn ln_1p_core<const FMA: bool>(x: f64) -> f64 {
    select(x.abs() < 1e-17, x, ln_1p_of_sum::<FMA>(x, 0.0))
}

/// `ln(1 + f)` as a sum whose first part has 21 bits.
#[inline(always)]
fn short_sum<const FMA: bool>(f: f64) -> (f64, f64) {
    let (half_square, small) = series::<FMA>(f);
    let high = f64::from_bits((f - half_square).to_bits() & 0xffff_ffff_0000_0000);
    (high, ((f - high) - half_square) + small)
}

#[inline(always)]
fn log2_core<const FMA: bool>(x: f64) -> f64 {
    let (k, fraction) = decompose(x);
    let (high, low) = short_sum::<FMA>(fraction - 1.0);
    let (sum, error) = fast_two_sum(k, high * LOG2_E_HIGH);
    let rest = fma::<FMA>(low, LOG2_E_HIGH, (low + high) * LOG2_E_LOW);
    sum + (error + rest)
}

#[inline(always)]
fn log10_core<const FMA: bool>(x: f64) -> f64 {
    let (k, fraction) = decompose(x);
    let (high, low) = short_sum::<FMA>(fraction - 1.0);
    let (sum, error) = fast_two_sum(k * LOG10_2_HIGH, high * LOG10_E_HIGH);
    let rest = fma::<FMA>(low, LOG10_E_HIGH, (low + high) * LOG10_E_LOW);
    sum + (error + fma::<FMA>(k, LOG10_2_LOW, rest))
}
