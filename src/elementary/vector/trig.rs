//! Sine, cosine and tangent.
//!
//! `x = k pi/2 + r` with |r| <= pi/4 and r as a pair; pi/2 is split into parts whose products with k < 2^20 are exact
//! (with fused operations parts of full length do). The polynomials give sin r and cos r. Arguments beyond 10^6 go to
//! `std`, one by one.
//!
//! Sources: Cody & Waite 1980, chapters 8 and 9; Muller 2016, §11.2 (the accuracy that a reduction needs), §11.3.

use std::f64::consts::{FRAC_2_PI, FRAC_PI_2};

use super::arithmetic::*;

/// pi/2 in parts of full length.
const PI_2: [f64; 3] = [
    FRAC_PI_2,
    6.123_233_995_736_766e-17,
    -1.497_384_904_859_169_8e-33,
];
/// pi/2 in three parts of 33 bits and one of full length.
const PI_2_SHORT: [f64; 4] = [
    1.570_796_326_734_125_6,
    6.077_100_506_303_966e-11,
    2.022_266_248_711_166_5e-21,
    8.478_427_660_368_9e-32,
];

/// (sin r - r) / r^3 in r^2, |r| <= 0.7855; error relative to sin r below 2^-58.
const SIN: [f64; 6] = [
    -0.166_666_666_666_666_32,
    0.008_333_333_333_322_486,
    -0.000_198_412_698_298_530_32,
    2.755_731_370_491_767e-06,
    -2.505_075_986_196_665_4e-08,
    1.589_688_464_324_515_6e-10,
];
/// (cos r - 1 + r^2/2) / r^4 in r^2, |r| <= 0.7855; error below 2^-63.
const COS: [f64; 6] = [
    0.041_666_666_666_666_6,
    -0.001_388_888_888_887_447_4,
    2.480_158_728_967_200_4e-05,
    -2.755_731_440_115_483_4e-07,
    2.087_572_929_107_803e-09,
    -1.135_993_415_250_285e-11,
];

/// Whether the reduction has too few digits for the argument.
#[inline(always)]
fn is_far(x: f64) -> bool {
    x.abs() > 1e6
}

lanes! {
    /// Sine.
    sin = sin_core, is_far => f64::sin;
    /// Cosine.
    cos = cos_core, is_far => f64::cos;
    /// Tangent.
    tan = tan_core, is_far => f64::tan;
}

/// The last bits of k, and r as a pair.
#[inline(always)]
fn reduce<const FMA: bool>(x: f64) -> (u64, f64, f64) {
    let shifted = fma::<FMA>(x, FRAC_2_PI, ROUND);
    let n = shifted - ROUND;
    let k = shifted.to_bits();
    if FMA {
        // The first difference is exact, a multiple of 2^-53; the others are sums of a multiple of the last place of the
        // second term.
        let a = n.mul_add(-PI_2[0], x);
        let (w, w_error) = two_product::<true>(n, PI_2[1]);
        let (r, error) = fast_two_sum(a, -w);
        return (k, r, n.mul_add(-PI_2[2], error - w_error));
    }
    let a = x - n * PI_2_SHORT[0];
    let (b, b_error) = fast_two_sum(a, -(n * PI_2_SHORT[1]));
    let (r, error) = fast_two_sum(b, -(n * PI_2_SHORT[2]));
    (k, r, error + b_error - n * PI_2_SHORT[3])
}

/// `sin(r + low) - r`.
#[inline(always)]
fn sin_tail<const FMA: bool>(r: f64, low: f64) -> f64 {
    let z = r * r;
    let correction = low * (1.0 - 0.5 * z);
    fma::<FMA>(z * r, polynomial::<FMA, 6>(z, &SIN), correction)
}

/// `cos(r + low)` as a pair.
#[inline(always)]
fn cos_pair<const FMA: bool>(r: f64, low: f64) -> (f64, f64) {
    let z = r * r;
    let half = 0.5 * z;
    let (sum, error) = fast_two_sum(1.0, -half);
    // The rounding error of the square counts up to 1/4 unit in the last place.
    let tail = fma::<FMA>(z * z, polynomial::<FMA, 6>(z, &COS), error);
    (sum, fma::<FMA>(-r, low, tail))
}

/// `y` with its sign changed if bit 1 of k is set.
#[inline(always)]
fn turn(y: f64, k: u64) -> f64 {
    f64::from_bits(y.to_bits() ^ ((k & 2) << 62))
}

#[inline(always)]
fn sin_cos_core<const FMA: bool>(x: f64) -> (f64, f64) {
    let (k, r, low) = reduce::<FMA>(x);
    let sin = r + sin_tail::<FMA>(r, low);
    let (cos, cos_low) = cos_pair::<FMA>(r, low);
    let cos = cos + cos_low;
    let odd = k & 1 == 1;
    let (s, c) = (select(odd, cos, sin), select(odd, sin, cos));
    let s = turn(s, k);
    (select(x.abs() < TINY, x, s), turn(c, k.wrapping_add(1)))
}

#[inline(always)]
fn sin_core<const FMA: bool>(x: f64) -> f64 {
    sin_cos_core::<FMA>(x).0
}

#[inline(always)]
fn cos_core<const FMA: bool>(x: f64) -> f64 {
    sin_cos_core::<FMA>(x).1
}

#[inline(always)]
fn tan_core<const FMA: bool>(x: f64) -> f64 {
    let (k, r, low) = reduce::<FMA>(x);
    let sin = fast_two_sum(r, sin_tail::<FMA>(r, low));
    let cos = cos_pair::<FMA>(r, low);
    let cos = fast_two_sum(cos.0, cos.1);
    let odd = k & 1 == 1;
    // tan(r + pi/2) = -cos r / sin r.
    let numerator = (select(odd, cos.0, sin.0), select(odd, cos.1, sin.1));
    let denominator = (select(odd, -sin.0, cos.0), select(odd, -sin.1, cos.1));
    let (quotient, rest) = divide::<FMA>(numerator, denominator);
    select(x.abs() < TINY, x, quotient + rest)
}
