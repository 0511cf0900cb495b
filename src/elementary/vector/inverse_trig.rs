//! Inverse circular functions.
//!
//! The arc tangent of n/d with 0 <= n <= d is a polynomial in n/d or, above tan(pi/8), pi/4 plus one in (n - d)/(n + d);
//! all other angles are multiples of pi/4 plus or minus such a one. The arc sine is a polynomial up to 1/2 and comes from
//! `asin x = pi/2 - 2 asin sqrt((1 - x)/2)` above. Quotients and roots are pairs.
//!
//! Sources: Cody & Waite 1980, chapters 10 and 11; Muller 2016, §11.5.

use std::f64::consts::FRAC_PI_4;

use super::arithmetic::*;

/// pi/4, which has three zero bits at its end, so that small multiples are exact; and what it lacks.
const PI_4_HIGH: f64 = FRAC_PI_4;
const PI_4_LOW: f64 = 3.061_616_997_868_383e-17;
/// tan(pi/8).
const TAN_PI_8: f64 = 0.414_213_562_373_095_05;

/// (atan t - t) / t^3 in t^2, |t| <= 0.41421; error relative to atan t below 2^-59.
const ATAN: [f64; 11] = [
    -0.333_333_333_333_332_04,
    0.199_999_999_999_550_87,
    -0.142_857_142_803_305_08,
    0.111_111_107_896_429_28,
    -0.090_908_979_255_294_76,
    0.076_920_630_694_439_02,
    -0.066_631_353_394_150_24,
    0.058_481_100_737_166_97,
    -0.050_402_730_912_839_23,
    0.038_088_584_674_213_37,
    -0.017_932_958_894_667_89,
];
/// (asin t - t) / t^3 in t^2, |t| <= 1/2; error relative to asin t below 2^-59.
const ASIN: [f64; 13] = [
    0.166_666_666_666_667_63,
    0.074_999_999_999_701_1,
    0.044_642_857_175_295_494,
    0.030_381_942_673_812_504,
    0.022_372_215_974_525_697,
    0.017_351_593_814_979_627,
    0.013_981_043_716_292_982,
    0.011_397_049_361_288_401,
    0.010_790_884_175_121_047,
    0.003_665_578_089_196_369,
    0.021_808_351_525_083_793,
    -0.021_143_983_168_240_146,
    0.032_720_542_381_516_4,
];

lanes! {
    /// Arc tangent.
    atan = atan_core;
    /// Arc sine.
    asin = asin_core;
    /// Arc cosine.
    acos = acos_core;
}

/// The angle of the point with ordinate `y` and abscissa `x`.
#[inline(always)]
pub(crate) fn atan2<const FMA: bool, const L: usize>(
    y: &[f64; L],
    x: &[f64; L],
    out: &mut [f64; L],
) {
    let mut local = [0.0; L];
    for ((angle, &y), &x) in local.iter_mut().zip(y).zip(x) {
        *angle = atan2_core::<FMA>(y, x);
    }
    *out = local;
    if any2(y, x, is_extreme) {
        patch2(y, x, out, is_extreme, f64::atan2);
    }
}

/// Whether the quotient or its error may leave the range, or an argument is not finite.
#[inline(always)]
fn is_extreme(y: f64, x: f64) -> bool {
    // 2^-400 and 2^400; not written as ranges, because NaN is extreme.
    const LOW: f64 = 3.872_591_914_849_318_3e-121;
    const HIGH: f64 = 2.582_249_878_086_908_6e120;
    let (a, b) = (y.abs(), x.abs());
    let fine = (a <= HIGH) & (b <= HIGH) & ((a >= LOW) | (a == 0.0)) & ((b >= LOW) | (b == 0.0));
    !fine | ((a == 0.0) & (b == 0.0))
}

/// `eighths pi/4 + sign atan(n / d)` for 0 <= n <= d, 0 < d.
#[inline(always)]
fn angle<const FMA: bool>(n: f64, d: f64, eighths: f64, sign: f64) -> f64 {
    let steep = n > TAN_PI_8 * d;
    let (difference, sum) = (fast_two_sum(-d, n), fast_two_sum(d, n));
    let numerator = (
        select(steep, difference.0, n),
        select(steep, difference.1, 0.0),
    );
    let denominator = (select(steep, sum.0, d), select(steep, sum.1, 0.0));
    let (t, low) = divide::<FMA>(numerator, denominator);
    let z = t * t;
    let tail = fma::<FMA>(z * t, polynomial::<FMA, 11>(z, &ATAN), low * (1.0 - z));
    let turns = eighths + select(steep, sign, 0.0);
    let (leading, error) = fast_two_sum(turns * PI_4_HIGH, sign * t);
    leading + (error + fma::<FMA>(turns, PI_4_LOW, sign * tail))
}

#[inline(always)]
fn atan_core<const FMA: bool>(x: f64) -> f64 {
    // Beyond 10^17 the angle is pi/2 to all digits.
    let a = at_most(x.abs(), 1e17);
    let above = a > 1.0;
    let (n, d) = (select(above, 1.0, a), select(above, a, 1.0));
    let (eighths, sign) = (select(above, 2.0, 0.0), select(above, -1.0, 1.0));
    let y = angle::<FMA>(n, d, eighths, sign);
    select(a < TINY, x, y.copysign(x))
}

#[inline(always)]
fn atan2_core<const FMA: bool>(y: f64, x: f64) -> f64 {
    let (a, b) = (y.abs(), x.abs());
    let above = a > b;
    let (n, d) = (select(above, b, a), select(above, a, b));
    let left = x.is_sign_negative();
    // From the nearest axis: 0, pi/2 or pi, up or down.
    let sign = select(above == left, 1.0, -1.0);
    let beside = select(left, 4.0, 0.0);
    let eighths = select(above, 2.0, beside);
    angle::<FMA>(n, d, eighths, sign).copysign(y)
}

/// The tail of `asin(t + low) = t + tail`, where z = t^2 <= 1/4.
#[inline(always)]
fn asin_series<const FMA: bool>(z: f64, t: f64, low: f64) -> f64 {
    fma::<FMA>(z * t, polynomial::<FMA, 13>(z, &ASIN), low)
}

/// The root of z as a pair.
#[inline(always)]
fn root<const FMA: bool>(z: f64) -> (f64, f64) {
    let t = z.sqrt();
    let (square, error) = two_product::<FMA>(t, t);
    // The root is 0 or at least 2^-27; the bound keeps 0/0 away and hides no NaN, which t itself carries.
    let twice = select(t > 0.0, 2.0 * t, 1.0);
    (t, ((z - square) - error) / twice)
}

/// |x| up to 1/2 or else the root of (1 - |x|)/2, the tail of its arc sine, and whether it is |x|.
#[inline(always)]
fn reduce_asin<const FMA: bool>(x: f64) -> (f64, f64, bool) {
    let a = x.abs();
    let inner = a <= 0.5;
    let outer_z = 0.5 * (1.0 - a);
    let (outer, outer_low) = root::<FMA>(outer_z);
    let z = select(inner, a * a, outer_z);
    let t = select(inner, a, outer);
    let low = select(inner, 0.0, outer_low);
    (t, asin_series::<FMA>(z, t, low), inner)
}

#[inline(always)]
fn asin_core<const FMA: bool>(x: f64) -> f64 {
    let (t, tail, inner) = reduce_asin::<FMA>(x);
    let (sum, error) = fast_two_sum(2.0 * PI_4_HIGH, -2.0 * t);
    let outer = sum + (error + (2.0 * PI_4_LOW - 2.0 * tail));
    let y = select(inner, t + tail, outer);
    select(x.abs() < TINY, x, y.copysign(x))
}

#[inline(always)]
fn acos_core<const FMA: bool>(x: f64) -> f64 {
    let (t, tail, inner) = reduce_asin::<FMA>(x);
    let negative = x < 0.0;
    // Inside: pi/2 - asin x. Outside: twice the arc sine of the root, or pi minus that.
    let turns = select(inner, 2.0, select(negative, 4.0, 0.0));
    let size = select(inner, 1.0, 2.0);
    let factor = select(inner ^ negative, -size, size);
    let (sum, error) = fast_two_sum(turns * PI_4_HIGH, factor * t);
    sum + (error + fma::<FMA>(turns, PI_4_LOW, factor * tail))
}
