//! Powers, cube roots and hypotenuses.
//!
//! `x^y = e^(y ln x)`, where the logarithm needs eleven more bits than a number has, since y ln x may be as large as 745:
//! it is computed as a pair with a relative error of about 2^-65. Zeros, subnormal numbers, infinities
//! and NaN go to `std`, one by one.
//!
//! Sources: Muller 2016, §11.6 (powers), §2.2 (pairs); Cody & Waite 1980, chapter 7; W. Kahan, Computing a real cube
//! root, 1991 (Halley's step with a corrected last one).

use super::arithmetic::*;
use super::exp::{LN2_HIGH, LN2_LOW, reduce};
use super::ln::decompose;

/// 2/3 as a pair.
const TWO_THIRDS: (f64, f64) = (0.666_666_666_666_666_6, 3.700_743_415_417_188e-17);

/// (2 atanh(s) / s - 2 - 2/3 s^2) / s^4 in s^2, |s| <= 0.1716; error relative to 2 atanh s below 2^-71.
const LN_TAIL: [f64; 8] = [
    0.399_999_999_999_999_8,
    0.285_714_285_714_438_4,
    0.222_222_222_177_891_25,
    0.181_818_188_440_903_08,
    0.153_845_584_207_170_9,
    0.133_362_648_368_904_46,
    0.116_757_732_216_643_39,
    0.119_818_203_165_292_18,
];

/// The cube root of 1 ... 2 with a relative error below 2^-16.
const CBRT: [f64; 5] = [
    0.507_048_635_746_616_3,
    0.717_966_411_652_951_9,
    -0.300_424_325_621_318_66,
    0.086_009_582_804_179_35,
    -0.010_590_705_998_327_88,
];

/// Up to here adding 3/2 · 2^52 rounds to an integer.
const TWO_51: f64 = 2_251_799_813_685_248.0;

lanes! {
    /// Cube root.
    cbrt = cbrt_core;
}

/// `x^y`, with all special cases of [`f64::powf`].
#[inline(always)]
pub(crate) fn pow<const FMA: bool, const L: usize>(x: &[f64; L], y: &[f64; L], out: &mut [f64; L]) {
    let mut local = [0.0; L];
    for ((z, &x), &y) in local.iter_mut().zip(x).zip(y) {
        *z = pow_core::<FMA>(x, y);
    }
    *out = local;
    if any2(x, y, is_special) {
        repair(x, y, out);
    }
}

/// Whether the base is not a positive normal number, or the exponent not finite.
#[inline(always)]
fn is_special(x: f64, y: f64) -> bool {
    let finite = y.abs() < f64::INFINITY;
    is_not_positive_normal(x) | !finite
}

/// Gives powers of negative numbers their sign, and leaves other special cases to the function of one number.
#[cold]
#[inline(never)]
fn repair<const L: usize>(x: &[f64; L], y: &[f64; L], power: &mut [f64; L]) {
    for ((power, &x), &y) in power.iter_mut().zip(x).zip(y) {
        // Whether a larger exponent is odd is not seen by adding 3/2 · 2^52.
        if x.is_normal() && y.abs() < TWO_51 {
            if x < 0.0 {
                *power = with_sign(*power, y);
            }
        } else {
            *power = x.powf(y);
        }
    }
}

/// A power of a negative number, from that of its absolute value.
#[inline(always)]
fn with_sign(power: f64, y: f64) -> f64 {
    let nearest = |v: f64| (v + 3.0 * TWO_51) - 3.0 * TWO_51;
    let half = 0.5 * y;
    let signed = select(nearest(half) == half, power, -power);
    select(nearest(y) == y, signed, f64::NAN)
}

/// The logarithm of a positive normal number as a pair, relative error about 2^-65.
#[inline(always)]
fn ln_pair<const FMA: bool>(x: f64) -> (f64, f64) {
    let (k, fraction) = decompose(x);
    let (s, s_low) = divide::<FMA>((fraction - 1.0, 0.0), fast_two_sum(1.0, fraction));
    let (z, z_low) = two_product::<FMA>(s, s);
    let z_low = fma::<FMA>(2.0 * s, s_low, z_low);
    let tail = z * polynomial::<FMA, 8>(z, &LN_TAIL);
    let (c, c_low) = fast_two_sum(TWO_THIRDS.0, tail);
    let c_low = c_low + TWO_THIRDS.1;
    let (p, p_low) = two_product::<FMA>(z, c);
    let p_low = p_low + fma::<FMA>(z, c_low, z_low * c);
    let (q, q_low) = two_product::<FMA>(s, p);
    let q_low = q_low + fma::<FMA>(s, p_low, s_low * p);
    let (h, h_low) = fast_two_sum(2.0 * s, q);
    let h_low = h_low + (2.0 * s_low + q_low);
    let (sum, error) = fast_two_sum(k * LN2_HIGH, h);
    (sum, error + fma::<FMA>(k, LN2_LOW, h_low))
}

#[inline(always)]
fn pow_core<const FMA: bool>(x: f64, y: f64) -> f64 {
    let (ln, ln_low) = ln_pair::<FMA>(x.abs());
    // Larger exponents give 0, 1 or infinity as 2^66 does: the smallest logarithm but 0 is 2^-53.
    let bounded = at_least(
        at_most(y, 7.378_697_629_483_821e19),
        -7.378_697_629_483_821e19,
    );
    let (t, t_low) = two_product::<FMA>(bounded, ln);
    let t_low = fma::<FMA>(bounded, ln_low, t_low);
    let inside = t.abs() < 746.0;
    let t_low = select(inside, t_low, 0.0);
    let t = at_least(at_most(t, 710.0), -746.0);
    reduce::<FMA>(t, t_low).value()
}

/// Halley's step from a polynomial, then a step of Newton with the exact cube.
#[inline(always)]
fn cbrt_core<const FMA: bool>(x: f64) -> f64 {
    let a = x.abs();
    let subnormal = a < f64::MIN_POSITIVE;
    let bits = select(subnormal, a * TWO_54, a).to_bits();
    let biased = f64::from_bits((bits >> 52) | 0x4330_0000_0000_0000);
    let exponent = biased - (4_503_599_627_370_496.0 + 1023.0);
    // The exponent is 3 k + rest, rest = 0, 1, 2.
    let (n, k) = nearest_integer((exponent - 1.0) * (1.0 / 3.0));
    let rest = exponent - 3.0 * n;
    let m = f64::from_bits((bits & FRACTION) | ONE_BITS);
    let start = polynomial::<FMA, 5>(m, &CBRT);
    let (two, four) = (rest == 1.0, rest == 2.0);
    let m = m * select(four, 4.0, select(two, 2.0, 1.0));
    let roots = (1.259_921_049_894_873_2, 1.587_401_051_968_199_6);
    let start = start * select(four, roots.1, select(two, roots.0, 1.0));
    let cube = start * start * start;
    let reciprocal = 1.0 / (2.0 * cube + m);
    let t = start * (cube + 2.0 * m) * reciprocal;
    let (square, square_error) = two_product::<FMA>(t, t);
    let (cube, cube_error) = two_product::<FMA>(square, t);
    let excess = (cube - m) + fma::<FMA>(square_error, t, cube_error);
    // 1 / (3 t^2) to 16 bits is enough for a step of 2^-48.
    let y = t - excess * (t * reciprocal);
    let k = if subnormal { k.wrapping_sub(18) } else { k };
    let y = (y * power_of_two(k)).copysign(x);
    if (a > 0.0) & (a < f64::INFINITY) {
        y
    } else {
        x
    }
}

/// The length of the vector (x, y), without overflow of the squares.
#[inline(always)]
pub(crate) fn hypot<const FMA: bool, const L: usize>(
    x: &[f64; L],
    y: &[f64; L],
    out: &mut [f64; L],
) {
    let mut local = [0.0; L];
    for ((z, &x), &y) in local.iter_mut().zip(x).zip(y) {
        *z = hypot_core::<FMA>(x, y);
    }
    *out = local;
    if any2(x, y, is_far) {
        patch2(x, y, out, is_far, f64::hypot);
    }
}

/// Whether squares overflow or lose digits, or an argument is NaN.
#[inline(always)]
fn is_far(x: f64, y: f64) -> bool {
    // 2^-400 and 2^500.
    const LOW: f64 = 3.872_591_914_849_318_3e-121;
    const HIGH: f64 = 3.273_390_607_896_142e150;
    let (a, b) = (x.abs(), y.abs());
    let fine = (a <= HIGH) & (b <= HIGH) & ((a >= LOW) | (b >= LOW));
    !fine
}

#[inline(always)]
fn hypot_core<const FMA: bool>(x: f64, y: f64) -> f64 {
    let (x, y) = (x.abs(), y.abs());
    let above = x > y;
    let (a, b) = (select(above, x, y), select(above, y, x));
    let (p, p_error) = two_product::<FMA>(a, a);
    let (q, q_error) = two_product::<FMA>(b, b);
    let (sum, error) = fast_two_sum(p, q);
    let root = sum.sqrt();
    let (square, square_error) = two_product::<FMA>(root, root);
    let rest = ((sum - square) - square_error) + (error + (p_error + q_error));
    root + rest / (2.0 * root)
}
