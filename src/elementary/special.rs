//! Special functions of plain `f64`, the base values of the rule table where `std` has none.
//!
//! Invariant: every function is pure, needs no allocation, returns NaN for a NaN argument and never
//! panics, whatever the bits of its arguments. Each has exactly one formula per region, so a value
//! computed here is the same in every carrier.
//!
//! Largest errors measured against 40-digit values at 700 or more random points per line,
//! unless a number is given (x86-64, glibc); relative to the value unless said:
//!
//! | function | region | error |
//! |---|---|---|
//! | `digamma` | (0, 1e6], also close to its zero | 3.3e-15 |
//! | `digamma` | [-30, 0), relative to max(1, value) | 1.3e-15 |
//! | `polygamma`, n = 1 ... 25 | (0, 1e6] | 1.3e-15 |
//! | `polygamma`, odd n up to 25 | [-30, 0) | 3e-16 |
//! | `polygamma`, even n up to 24 | [-30, 0), relative to the term of the nearest pole | 4e-16 |
//! | `polygamma`, n = 50, 100, 170 (180 points) | [0.1, 1000] | 1.6e-15 |
//! | `polygamma`, n = 171, 200, 300 (90 points) | [10, 100] | 3.3e-13 |
//! | `sph_bessel`, n = 0 ... 30 | up to n + 1.5 | 2.2e-15 |
//! | `sph_bessel`, n = 0 ... 30 | n + 1.5 to 1000, relative to 1/x | 1.8e-15 |
//! | `sph_bessel`, n = 60, 150, 400 (180 points) | n / 20 to n + 1.5 | 6.4e-15 |
//! | `sech_squared` | [-300, 300] | 4.3e-16 |
//! | `logistic`, `softplus` | [-700, 40] | 2.3e-16 |
//! | `erf`, `erfc` | [-6, 6], [-5, 26] | 2.2e-16, 3.5e-16 |
//! | `lgamma` | [-30, 30], relative to max(1, value) | 5e-16 |
//!
//! Sources: NIST Digital Library of Mathematical Functions, §5.5, §5.11, §5.15 (gamma functions),
//! §2.10(i) (Euler-Maclaurin), §10.49, §10.51, §10.53 (spherical Bessel functions).

use std::f64::consts::{FRAC_PI_4, PI};

/// B(2k) / (2k), the coefficients of the asymptotic series of digamma (DLMF 5.11.2).
///
/// At z >= 10 the first omitted term is below 3.1 / 10^18, far under one rounding of ln 10.
const DIGAMMA_SERIES: [f64; 8] = [
    1.0 / 12.0,
    -1.0 / 120.0,
    1.0 / 252.0,
    -1.0 / 240.0,
    1.0 / 132.0,
    -691.0 / 32760.0,
    1.0 / 12.0,
    -3617.0 / 8160.0,
];

/// The positive zero of digamma is `DIGAMMA_ZERO` + `DIGAMMA_ZERO_LOW` to 32 digits.
const DIGAMMA_ZERO: f64 = 1.461_632_144_968_362_2;
const DIGAMMA_ZERO_LOW: f64 = 9.549_995_429_965_697e-17;

/// The Taylor coefficients psi_k(x0) / k!, k = 1, 2, ..., of digamma at that zero.
///
/// The nearest pole is 1.46 away, so the first omitted term is below (0.29 / 1.46)^26 = 6e-19
/// relative to the first for every x in [1.25, 1.75].
const DIGAMMA_AT_ZERO: [f64; 26] = [
    0.967_672_245_447_621_2,
    -0.442_763_168_983_592_1,
    0.258_499_760_955_651,
    -0.163_942_705_442_406_52,
    0.107_824_050_691_262_37,
    -0.072_199_561_256_454_71,
    0.048_804_288_164_143_11,
    -0.033_161_126_474_847_36,
    0.022_597_648_232_218_104,
    -0.015_424_765_904_948_96,
    0.010_538_791_616_612_175,
    -0.007_204_534_386_356_869,
    0.004_926_781_395_729_853,
    -0.003_369_801_655_439_328,
    0.002_305_126_326_734_928,
    -0.001_576_936_771_430_197_2,
    0.001_078_825_201_916_296_7,
    -0.000_738_070_938_996_005_2,
    0.000_504_953_265_834_602,
    -0.000_345_468_025_106_307_7,
    0.000_236_356_015_640_270_53,
    -0.000_161_706_220_919_748_03,
    0.000_110_633_727_687_474_1,
    -7.569_179_582_195_066e-05,
    5.178_575_795_222_081e-05,
    -3.543_007_094_765_960_4e-05,
];

/// B(2k) / (2k)!, the coefficients of the Euler-Maclaurin formula (DLMF 2.10.1).
///
/// The k-th is close to 2 / (2 pi)^(2k) in magnitude; twelve suffice because the tail starts at
/// z >= n + 10, where the last one contributes 2 n (n+1) ... (n+23) / (2 pi z)^24 < 1e-18.
const EULER_MACLAURIN: [f64; 12] = [
    1.0 / 12.0,
    -1.0 / 720.0,
    1.0 / 30_240.0,
    -1.0 / 1_209_600.0,
    1.0 / 47_900_160.0,
    -691.0 / 1_307_674_368_000.0,
    1.0 / 74_724_249_600.0,
    -3617.0 / 10_670_622_842_880_000.0,
    8.586_062_056_277_845e-15,
    -2.174_868_698_558_062e-16,
    5.509_002_828_360_229_5e-18,
    -1.395_446_468_581_252_2e-19,
];

/// The largest n whose factorial is finite in `f64`.
const LARGEST_FACTORIAL: u32 = 170;

/// The error function.
pub(crate) fn erf(x: f64) -> f64 {
    libm::erf(x)
}

/// The complementary error function 1 - erf(x), without cancellation for large x.
pub(crate) fn erfc(x: f64) -> f64 {
    libm::erfc(x)
}

/// The logarithm of |gamma(x)|; +inf at 0, at the negative integers and at both infinities.
pub(crate) fn lgamma(x: f64) -> f64 {
    libm::lgamma(x)
}

/// The logarithmic derivative of the gamma function.
///
/// NaN at the poles 0, -1, -2, ..., where the one-sided limits differ, and at -inf; +inf at +inf.
/// Positive arguments are shifted to z >= 10 by psi(x) = psi(x + 1) - 1/x and summed there by the
/// asymptotic series, where cancellation costs a few roundings of ln 10; close to the positive zero
/// its Taylor series there keeps full relative accuracy. Negative arguments are reflected; close to
/// the zeros between the negative poles relative accuracy is lost.
///
/// **Source**: DLMF 5.5.2, 5.5.4, 5.11.2.
pub(crate) fn digamma(x: f64) -> f64 {
    if is_pole(x) {
        return f64::NAN;
    }
    if x < 0.0 {
        return digamma(1.0 - x) - PI * cot_pi(x - x.round());
    }
    if (1.25..=1.75).contains(&x) {
        // The first difference is exact by Sterbenz's lemma.
        let d = (x - DIGAMMA_ZERO) - DIGAMMA_ZERO_LOW;
        return DIGAMMA_AT_ZERO
            .iter()
            .rev()
            .fold(0.0, |sum, &c| sum * d + c)
            * d;
    }
    let mut z = x;
    let mut shift = 0.0;
    while z < 10.0 {
        shift += 1.0 / z;
        z += 1.0;
    }
    let w = 1.0 / (z * z);
    let series = DIGAMMA_SERIES
        .iter()
        .rev()
        .fold(0.0, |sum, &c| (sum + c) * w);
    z.ln() - (0.5 / z + series + shift)
}

/// The derivative of order n of [`digamma`]; order 0 is digamma, order 1 trigamma.
///
/// At the poles 0, -1, -2, ...: +inf for odd n (both one-sided limits), NaN for even n. At +inf: 0
/// for n > 0. At -inf: NaN.
/// For x > 0 it is (-1)^(n+1) n! zeta(n + 1, x), where all terms have one sign. For x < 0, with r the
/// distance to the nearest pole -m, the two-sided sum over the poles is split into the nearest pole,
/// those above it and the m below it:
/// psi_n(x) = n! (-1)^(n+1) r^-(n+1) + psi_n(1 + r) + (-1)^n (psi_n(1 - r) - psi_n(1 - x)) (signs as
/// in the code). This is the usual reflection with the derivatives of pi cot(pi x) written as the sum
/// of their poles: r is exact, so nothing is lost near a pole and no polynomial in cot overflows.
/// Even orders have zeros between the negative poles; close to them relative accuracy is lost.
/// Above order 170 the factorial leaves the range of `f64`; its logarithm is used and about
/// 1e-13 relative accuracy remains.
///
/// **Source**: DLMF 5.15.1, 5.15.6, 25.11.5.
pub(crate) fn polygamma(n: u32, x: f64) -> f64 {
    if n == 0 {
        return digamma(x);
    }
    let odd = n % 2 == 1;
    if is_pole(x) {
        return if odd && x.is_finite() {
            f64::INFINITY
        } else {
            f64::NAN
        };
    }
    let above_sign = if odd { 1.0 } else { -1.0 };
    if x > 0.0 || x.is_nan() {
        return above_sign * scaled_zeta(n, x);
    }
    let r = x - x.round();
    if !odd && r.abs() == 0.5 {
        // The poles on both sides cancel exactly: even derivatives of cot(pi x) vanish here.
        return polygamma(n, 1.0 - x);
    }
    // The term of the nearest pole is odd in r for even n.
    let nearest = if r < 0.0 {
        scaled_power(n, n.saturating_add(1), -r)
    } else {
        above_sign * scaled_power(n, n.saturating_add(1), r)
    };
    let above = above_sign * scaled_zeta(n, 1.0 + r);
    if x.round() == 0.0 {
        return nearest + above;
    }
    let below = scaled_zeta(n, 1.0 - r) - scaled_zeta(n, 1.0 - x);
    nearest + (above + below)
}

/// The spherical Bessel function of the first kind j_n(x).
///
/// j_n(-x) = (-1)^n j_n(x); j_n(0) is 1 for n = 0 and 0 otherwise; j_n(±inf) = 0.
/// Three regions: the power series where its terms decrease from the start (x² < 2n + 3), upward
/// recurrence where it is stable (|x| >= n), and between them the recurrence downward from an order
/// where j is negligible, normalized by the larger of j_0 and j_1. Errors are relative to the
/// envelope: close to a zero of j_n, n > 0, relative accuracy is lost. **Cost**: O(n) operations.
///
/// **Source**: DLMF 10.51.1, 10.53.1; downward recurrence: J. C. P. Miller 1952, DLMF §3.6(ii).
pub(crate) fn sph_bessel(n: u32, x: f64) -> f64 {
    if x.is_nan() {
        return x;
    }
    if x.is_infinite() {
        return 0.0;
    }
    if n == 0 {
        return sph_j0(x);
    }
    let a = x.abs();
    let magnitude = if a * a < 2.0 * f64::from(n) + 3.0 {
        sph_bessel_series(n, a)
    } else if a >= f64::from(n) {
        sph_bessel_upward(n, a)
    } else {
        sph_bessel_downward(n, a)
    };
    if x < 0.0 && n % 2 == 1 {
        -magnitude
    } else {
        magnitude
    }
}

/// sech(x)², the derivative of tanh, as (1 / cosh x)²: no cancellation, 0 where cosh overflows.
pub(crate) fn sech_squared(x: f64) -> f64 {
    let sech = 1.0 / x.cosh();
    sech * sech
}

/// The logistic function 1 / (1 + exp(-x)), exactly this expression where exp(-x) is finite.
///
/// Below about -709.8, where exp(-x) overflows, it equals exp(x) to all digits and that is returned.
pub(crate) fn logistic(x: f64) -> f64 {
    let e = (-x).exp();
    if e.is_infinite() {
        x.exp()
    } else {
        1.0 / (1.0 + e)
    }
}

/// ln(1 + exp(x)), the integral of [`logistic`], without overflow or cancellation.
pub(crate) fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// x ln(y), and 0 where x is ±0 and y is not NaN (row e23 of `EDGE_CASES.md`).
pub(crate) fn xlogy(x: f64, y: f64) -> f64 {
    if x == 0.0 && !y.is_nan() {
        0.0
    } else {
        x * y.ln()
    }
}

/// ln(exp(a) + exp(b)) without overflow.
///
/// If the larger argument is infinite it is the value; any NaN gives NaN (row e28 of
/// `EDGE_CASES.md`).
pub(crate) fn log_add_exp(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() {
        return f64::NAN;
    }
    let larger = a.max(b);
    if larger.is_infinite() {
        larger
    } else {
        larger + (-(a - b).abs()).exp().ln_1p()
    }
}

/// The sign of x as -1, 0 or 1: 0 at both zeros, unlike [`f64::signum`]; NaN at NaN (row e01).
pub(crate) fn sign0(x: f64) -> f64 {
    if x == 0.0 { 0.0 } else { x.signum() }
}

/// Whether gamma has a pole at x; -inf counts as one, because every function here lacks a limit.
fn is_pole(x: f64) -> bool {
    x <= 0.0 && x == x.floor()
}

/// cot(pi r) for |r| <= 1/2, accurate also close to its zeros ±1/2.
fn cot_pi(r: f64) -> f64 {
    let a = PI * r.abs();
    // 1/2 - |r| is exact in the second branch.
    let magnitude = if a < FRAC_PI_4 {
        1.0 / a.tan()
    } else {
        (PI * (0.5 - r.abs())).tan()
    };
    magnitude.copysign(r)
}

/// n! zeta(n + 1, x) for n > 0, x > 0: the terms below z = n + 10, then Euler-Maclaurin.
fn scaled_zeta(n: u32, x: f64) -> f64 {
    let order = f64::from(n);
    let mut z = x;
    let mut sum = 0.0;
    while z < order + 10.0 {
        let term = scaled_power(n, n.saturating_add(1), z);
        sum += term;
        // The integral test: all later terms together are at most term * z / n.
        if term * z <= sum * order * (f64::EPSILON / 16.0) || sum == f64::INFINITY {
            return sum;
        }
        z += 1.0;
    }
    // Relative to (n-1)! / z^n; the k-th step multiplies by (n + 2k)(n + 2k + 1) / z².
    let mut tail = 1.0 + 0.5 * order / z;
    let mut rising = 1.0;
    let mut next = order;
    for c in EULER_MACLAURIN {
        rising *= (next / z) * ((next + 1.0) / z);
        tail += c * rising;
        next += 2.0;
    }
    sum + scaled_power(n - 1, n, z) * tail
}

/// n! z^-p for z > 0, where p is n or n + 1, without spurious overflow or underflow.
fn scaled_power(n: u32, p: u32, z: f64) -> f64 {
    let exponent = f64::from(p);
    if n > LARGEST_FACTORIAL {
        return (lgamma(f64::from(n) + 1.0) - exponent * z.ln()).exp();
    }
    let factorial = (2..=n).fold(1.0, |product, k| product * f64::from(k));
    let power = match p {
        1 => 1.0 / z,
        2 => (1.0 / z) / z,
        _ => z.powf(-exponent),
    };
    if power >= f64::MIN_POSITIVE {
        return factorial * power;
    }
    let half = f64::from(p / 2);
    (z.powf(-half) * factorial) * z.powf(half - exponent)
}

fn sph_j0(x: f64) -> f64 {
    if x == 0.0 { 1.0 } else { x.sin() / x }
}

/// x^n / (2n+1)!! (1 - (x²/2) / (2n+3) + ...), for 0 <= x, x² < 2n + 3.
fn sph_bessel_series(n: u32, x: f64) -> f64 {
    let order = f64::from(n);
    let half_square = 0.5 * x * x;
    let mut term = 1.0;
    let mut sum = 1.0;
    let mut k = 1.0;
    while f64::abs(term) > f64::EPSILON / 16.0 {
        term *= -half_square / (k * (2.0 * (order + k) + 1.0));
        sum += term;
        k += 1.0;
    }
    let mut leading = sum;
    for i in 1..=n {
        leading *= x / (2.0 * f64::from(i) + 1.0);
        if leading == 0.0 {
            break;
        }
    }
    leading
}

fn sph_bessel_upward(n: u32, x: f64) -> f64 {
    let (mut lower, mut upper) = (sph_j0(x), (x.sin() / x - x.cos()) / x);
    for k in 1..n {
        let next = (2.0 * f64::from(k) + 1.0) / x * upper - lower;
        (lower, upper) = (upper, next);
    }
    upper
}

/// For sqrt(2n + 3) <= x < n.
///
/// Started at order m, the unwanted solution is suppressed by about (j_m / j_n)²; m = n + 10 +
/// 5 sqrt(n) keeps this below one rounding for every such x. The values grow on the way down, so they
/// are rescaled before they overflow.
fn sph_bessel_downward(n: u32, x: f64) -> f64 {
    let wanted = f64::from(n);
    let mut k = (wanted + 10.0 + 5.0 * wanted.sqrt()).floor();
    let (mut upper, mut current) = (0.0, 1e-300);
    let mut found = 0.0;
    // Invariant: `current` is proportional to j_k, `upper` to j_(k+1), `found` to j_n once k <= n.
    while k > 0.0 {
        if k == wanted {
            found = current;
        }
        let lower = (2.0 * k + 1.0) / x * current - upper;
        (upper, current) = (current, lower);
        if current.abs() > 1e250 {
            current *= 1e-250;
            upper *= 1e-250;
            found *= 1e-250;
        }
        k -= 1.0;
    }
    let j0 = sph_j0(x);
    let j1 = (j0 - x.cos()) / x;
    if j0.abs() > j1.abs() {
        found / current * j0
    } else {
        found / upper * j1
    }
}

#[cfg(test)]
mod tests;
