//! The logistic function and its integral.
//!
//! Both are written with `e^-|x|`, which does not overflow; the exponential is used with its rounding error.
//!
//! Source: Muller 2016, §2.2 and §4.2 (sums and quotients of unevaluated pairs).

use super::arithmetic::*;
use super::exp::reduce;
use super::ln::ln_1p_of_sum;

lanes! {
    /// `1 / (1 + e^-x)`.
    logistic = logistic_core;
    /// `ln(1 + e^x)`.
    softplus = softplus_core;
}

/// Below -746 the exponential is zero.
const LOWEST: f64 = -746.0;

#[inline(always)]
fn logistic_core<const FMA: bool>(x: f64) -> f64 {
    let e = reduce::<FMA>(at_least(-x.abs(), LOWEST), 0.0);
    let (high, low) = e.sum();
    let (denominator, error) = fast_two_sum(1.0, scale(high, e.k));
    let error = error + scale(low, e.k);
    let negative = x < 0.0;
    let numerator = (select(negative, high, 1.0), select(negative, low, 0.0));
    let (quotient, rest) = divide::<FMA>(numerator, (denominator, error));
    let y = quotient + rest;
    // Scaled last, so that a subnormal result is rounded once.
    let scaled = scale(y, e.k);
    select(negative, scaled, y)
}

#[inline(always)]
fn softplus_core<const FMA: bool>(x: f64) -> f64 {
    let e = reduce::<FMA>(at_least(-x.abs(), LOWEST), 0.0);
    let (high, low) = e.sum();
    let y = ln_1p_of_sum::<FMA>(scale(high, e.k), scale(low, e.k));
    // NaN takes the second way.
    select(x <= 0.0, y, x + y)
}
