//! Inverse hyperbolic functions.
//!
//! All are `ln(1 + v)` with v as a pair: `2a / (1 - a)` for the tangent, `a + a^2 / (1 + sqrt(1 + a^2))` for the sine, and
//! `t + sqrt(t (2 + t))` with t = x - 1 for the cosine. Arguments whose square overflows are computed
//! one by one from the logarithm of twice the argument; `f64::asinh` is infinite beyond half of the largest number.
//!
//! Sources: W. Kahan, Branch cuts for complex elementary functions, 1987, §6 (the forms without cancellation); Muller 2016,
//! §2.2 (pairs).

use std::f64::consts::LN_2;

use super::arithmetic::*;
use super::ln::ln_1p_of_sum;

lanes! {
    /// Inverse hyperbolic sine.
    asinh = asinh_core, is_huge => asinh_of_huge;
    /// Inverse hyperbolic cosine.
    acosh = acosh_core, is_outside => acosh_of_outside;
    /// Inverse hyperbolic tangent.
    atanh = atanh_core;
}

/// Whether the square of the argument may overflow.
#[inline(always)]
fn is_huge(x: f64) -> bool {
    x.abs() > 1e150
}

/// Whether there is no cosine, or its square may overflow.
#[inline(always)]
fn is_outside(x: f64) -> bool {
    !(1.0..=1e150).contains(&x)
}

fn asinh_of_huge(x: f64) -> f64 {
    (x.abs().ln() + LN_2).copysign(x)
}

fn acosh_of_outside(x: f64) -> f64 {
    if x > 1.0 { x.ln() + LN_2 } else { f64::NAN }
}

#[inline(always)]
fn asinh_core<const FMA: bool>(x: f64) -> f64 {
    let a = x.abs();
    let (square, square_error) = two_product::<FMA>(a, a);
    let (sum, error) = two_sum(1.0, square);
    let (h, h_error) = root::<FMA>(sum, error + square_error);
    let (denominator, error) = fast_two_sum(h, 1.0);
    let q = divide::<FMA>((square, square_error), (denominator, error + h_error));
    let (high, error) = fast_two_sum(a, q.0);
    let (high, low) = fast_two_sum(high, error + q.1);
    let y = ln_1p_of_sum::<FMA>(high, low);
    // NaN takes the second way.
    let y = select(a >= TINY, y, a);
    y.copysign(x)
}

#[inline(always)]
fn acosh_core<const FMA: bool>(x: f64) -> f64 {
    let (t, t_error) = two_sum(x, -1.0);
    let (sum, error) = two_sum(2.0, t);
    let (p, p_error) = two_product::<FMA>(t, sum);
    let p_error = p_error + (t * (error + t_error) + sum * t_error);
    let (h, h_error) = root::<FMA>(p, p_error);
    let (high, error) = two_sum(h, t);
    let (high, low) = fast_two_sum(high, error + (h_error + t_error));
    ln_1p_of_sum::<FMA>(high, low)
}

/// The root of a pair, as a pair.
#[inline(always)]
fn root<const FMA: bool>(high: f64, low: f64) -> (f64, f64) {
    let root = high.sqrt();
    let (square, error) = two_product::<FMA>(root, root);
    let twice = select(root > 0.0, 2.0 * root, 1.0);
    (root, (((high - square) - error) + low) / twice)
}

/// `ln(1 + 2a / (1 - a)) / 2` with the quotient as a pair.
#[inline(always)]
fn atanh_core<const FMA: bool>(x: f64) -> f64 {
    let a = x.abs();
    // At 1 the quotient is replaced below; any finite one will do.
    let denominator = fast_two_sum(1.0, -at_most(a, 1.0 - 0.5 * f64::EPSILON));
    let (quotient, rest) = divide::<FMA>((2.0 * a, 0.0), denominator);
    let (high, low) = fast_two_sum(quotient, rest);
    let y = 0.5 * ln_1p_of_sum::<FMA>(high, low);
    let y = select(a < 1.0, y, f64::NAN);
    let y = select(a == 1.0, f64::INFINITY, y);
    select(a < TINY, x, y.copysign(x))
}
