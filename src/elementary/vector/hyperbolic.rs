//! Hyperbolic functions.
//!
//! With `|x| = k ln 2 + r`: `cosh x = C cosh r + S sinh r` and `sinh x = S cosh r + C sinh r`, where C and S are
//! `(2^k ± 2^-k) / 2`. Nothing is divided, and only leading terms decide about the error. The tangent and its derivative
//! are quotients of pairs made of `e^(-2|x|)`.
//!
//! Sources: Cody & Waite 1980, chapters 12 and 13; Muller 2016, §11.2.

use std::f64::consts::LOG2_E;

use super::arithmetic::*;
use super::exp::{LN2_HIGH, LN2_LOW, reduce};

/// (sinh r - r) / r^3 in r^2, |r| <= 0.34665; error relative to sinh r below 2^-61.
const SINH: [f64; 5] = [
    0.166_666_666_666_666_77,
    0.008_333_333_333_321_381,
    0.000_198_412_698_868_427_2,
    2.755_724_340_955_029e-06,
    2.510_934_068_945_993_3e-08,
];
/// (cosh r - 1) / r^2 in r^2, |r| <= 0.34665; error below 2^-58.
const COSH: [f64; 5] = [
    0.500_000_000_000_001_3,
    0.041_666_666_666_510_43,
    0.001_388_888_894_838_129_8,
    2.480_148_846_405_795_8e-05,
    2.763_183_036_105_072_7e-07,
];

lanes! {
    /// Hyperbolic sine.
    sinh = sinh_core;
    /// Hyperbolic cosine.
    cosh = cosh_core;
    /// Hyperbolic tangent.
    tanh = tanh_core;
    /// `1 / cosh(x)^2`.
    sech_squared = sech_squared_core;
}

/// Half of C and S, the leading and small terms of sinh r, and cosh r - 1.
#[inline(always)]
fn reduce_both<const FMA: bool>(x: f64) -> (f64, f64, f64, f64, f64) {
    // Beyond overflow (710.476), but 2^(k - 2) is in range.
    let x = at_most(x.abs(), 710.6);
    let (n, k) = nearest_integer(x * LOG2_E);
    let leading = fma::<FMA>(n, -LN2_HIGH, x);
    let rest = n * -LN2_LOW;
    let r = leading + rest;
    let z = r * r;
    let sinh = fma::<FMA>(z * r, polynomial::<FMA, 5>(z, &SINH), rest);
    let cosh_m1 = z * polynomial::<FMA, 5>(z, &COSH);
    let power = power_of_two(k.wrapping_sub(2));
    // 2^-k does not count beyond 2^-53 2^k, and would leave the range for the largest k.
    let inverse = power_of_two(4094_u64.wrapping_sub(k));
    let inverse = select(x < 100.0, inverse, 0.0);
    (power + inverse, power - inverse, leading, sinh, cosh_m1)
}

#[inline(always)]
fn sinh_core<const FMA: bool>(x: f64) -> f64 {
    let (c, s, leading, sinh, cosh_m1) = reduce_both::<FMA>(x);
    let (sum, error) = fast_two_sum(s, c * leading);
    let y = 2.0 * (sum + fma::<FMA>(s, cosh_m1, fma::<FMA>(c, sinh, error)));
    select(x.abs() < TINY, x, y.copysign(x))
}

#[inline(always)]
fn cosh_core<const FMA: bool>(x: f64) -> f64 {
    let (c, s, leading, sinh, cosh_m1) = reduce_both::<FMA>(x);
    let (sum, error) = fast_two_sum(c, s * leading);
    2.0 * (sum + fma::<FMA>(c, cosh_m1, fma::<FMA>(s, sinh, error)))
}

/// `-t / (2 + t)` with `t = e^(-2|x|) - 1`.
#[inline(always)]
fn tanh_core<const FMA: bool>(x: f64) -> f64 {
    let e = reduce::<FMA>(-2.0 * at_most(x.abs(), 30.0), 0.0);
    let power = power_of_two(e.k);
    let (power_m1, power_error) = fast_two_sum(-1.0, power);
    let (high, error) = fast_two_sum(power_m1, power * e.leading);
    let low = fma::<FMA>(power, e.small, error + power_error);
    let (high, low) = fast_two_sum(high, low);
    let (denominator, error) = fast_two_sum(2.0, high);
    let (quotient, rest) = divide::<FMA>((high, low), (denominator, error + low));
    let y = quotient + rest;
    select(x.abs() < TINY, x, y.copysign(x))
}

/// `4 e / (1 + e)^2` with `e = e^(-2|x|)`.
#[inline(always)]
fn sech_squared_core<const FMA: bool>(x: f64) -> f64 {
    let e = reduce::<FMA>(-2.0 * at_most(x.abs(), 380.0), 0.0);
    let (high, low) = e.sum();
    let (root, error) = fast_two_sum(1.0, scale(high, e.k));
    let error = error + scale(low, e.k);
    let (square, square_error) = two_product::<FMA>(root, root);
    let square_error = fma::<FMA>(2.0 * root, error, square_error);
    let (quotient, rest) = divide::<FMA>((high, low), (square, square_error));
    scale(4.0 * (quotient + rest), e.k)
}
