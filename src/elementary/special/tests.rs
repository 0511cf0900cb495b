//! Tests of the special functions against tables computed with 60 digits and by the behaviour at
//! poles, infinities and NaN.

use super::*;
use serde_json::Value;

const ELEMENTARY: &str = include_str!("../../../tests/reference/elementary.json");
const SPECIAL: &str = include_str!("../../../tests/reference/special.json");

/// Fails unless `found` is within `tolerance` times `scale` of `expected`, or both are NaN or equal.
fn assert_close(what: &str, found: f64, expected: f64, scale: f64, tolerance: f64) {
    let same = found == expected || (found.is_nan() && expected.is_nan());
    let close = expected.is_finite() && (found - expected).abs() <= tolerance * scale;
    assert!(
        same || close,
        "{what}: found {found:e}, expected {expected:e}"
    );
}

fn parse(value: &Value) -> Option<f64> {
    value.as_str().map(|text| text.parse().unwrap())
}

/// Calls `check(x, derivatives)` for every point of a unary operation, and returns their number.
fn for_unary(op: &str, mut check: impl FnMut(f64, &[Option<f64>])) {
    let table: Value = serde_json::from_str(ELEMENTARY).unwrap();
    let rows = table["unary"].as_array().unwrap();
    let row = rows.iter().find(|row| row["op"] == op).unwrap();
    let points = row["points"].as_array().unwrap();
    assert!(points.len() >= 5, "{op}: too few points");
    for point in points {
        let d: Vec<_> = point["d"].as_array().unwrap().iter().map(parse).collect();
        assert_eq!(d.len(), 4);
        check(parse(&point["x"]).unwrap(), &d);
    }
}

fn check_values(op: &str, f: fn(f64) -> f64, tolerance: f64) {
    for_unary(op, |x, d| {
        if let Some(expected) = d[0] {
            assert_close(
                &format!("{op}({x})"),
                f(x),
                expected,
                expected.abs(),
                tolerance,
            );
        }
    });
}

fn check_binary_values(op: &str, f: fn(f64, f64) -> f64, tolerance: f64) {
    let table: Value = serde_json::from_str(ELEMENTARY).unwrap();
    let rows = table["binary"].as_array().unwrap();
    let row = rows.iter().find(|row| row["op"] == op).unwrap();
    for point in row["points"].as_array().unwrap() {
        let (x, y) = (parse(&point["x"]).unwrap(), parse(&point["y"]).unwrap());
        let expected = parse(&point["d"][0]).unwrap();
        assert_close(
            &format!("{op}({x}, {y})"),
            f(x, y),
            expected,
            expected.abs(),
            tolerance,
        );
    }
}

fn check_orders(table: &str, f: fn(u32, f64) -> f64, scale: fn(u32, f64, f64) -> f64, tol: f64) {
    let all: Value = serde_json::from_str(SPECIAL).unwrap();
    let rows = all[table].as_array().unwrap();
    assert!(rows.len() > 100);
    let mut compared = 0;
    for row in rows {
        let n = u32::try_from(row["n"].as_u64().unwrap()).unwrap();
        let x = parse(&row["x"]).unwrap();
        if let Some(expected) = parse(&row["v"]) {
            let what = format!("{table}({n}, {x})");
            assert_close(&what, f(n, x), expected, scale(n, x, expected), tol);
            compared += 1;
        }
    }
    assert!(
        compared > 100,
        "{table}: only {compared} rows have a representable value"
    );
}

#[test]
fn table_values() {
    check_values("erf", erf, 3e-16);
    check_values("erfc", erfc, 4e-16);
    check_values("lgamma", lgamma, 1e-15);
    check_values("digamma", digamma, 4e-15);
    check_values("trigamma", |x| polygamma(1, x), 1e-15);
    check_values("logistic", logistic, 4e-16);
    check_values("softplus", softplus, 4e-16);
    check_values("sech_squared", sech_squared, 8.0 * f64::EPSILON / 2.0);
    check_values("sph_j0", |x| sph_bessel(0, x), 4e-16);
    check_values("sph_j1", |x| sph_bessel(1, x), 2e-15);
    check_values("sph_j2", |x| sph_bessel(2, x), 2e-14);
    check_binary_values("xlogy", xlogy, 4e-16);
    check_binary_values("log_add_exp", log_add_exp, 4e-16);
}

/// The table's derivatives of one function are values of another.
#[test]
fn table_derivatives() {
    for_unary("lgamma", |x, d| {
        for (n, expected) in (0..3).zip(&d[1..]) {
            if let Some(e) = *expected {
                let what = format!("lgamma^({})({x})", n + 1);
                assert_close(&what, polygamma(n, x), e, e.abs(), 4e-15);
            }
        }
    });
    for_unary("softplus", |x, d| {
        let e = d[1].unwrap();
        assert_close(&format!("softplus'({x})"), logistic(x), e, e.abs(), 4e-16);
    });
    for_unary("tanh", |x, d| {
        let e = d[1].unwrap();
        let tolerance = 8.0 * f64::EPSILON / 2.0;
        assert_close(
            &format!("tanh'({x})"),
            sech_squared(x),
            e,
            e.abs(),
            tolerance,
        );
    });
}

#[test]
fn polygamma_of_many_orders() {
    // Even orders of a negative argument and digamma have zeros; none is close to a table point.
    check_orders("polygamma", polygamma, |_, _, e| e.abs(), 4e-15);
}

/// n! zeta(n+1, 1) is n! (1 + 2^-(n+1) + ...), order 200 at 50 was computed with 40 digits.
#[test]
fn polygamma_beyond_the_factorials() {
    let factorial_170 = 7.257_415_615_307_999e306;
    assert_close(
        "order 170",
        polygamma(170, 1.0),
        -factorial_170,
        factorial_170,
        4e-14,
    );
    let expected = -2.5829713930705356e+33;
    assert_close(
        "order 200",
        polygamma(200, 50.0),
        expected,
        expected.abs(),
        1e-12,
    );
    assert_eq!(polygamma(171, 1.0), f64::INFINITY);
    assert_eq!(polygamma(u32::MAX, 0.5), f64::INFINITY);
    assert_eq!(polygamma(u32::MAX - 1, 0.5), f64::NEG_INFINITY);
    assert_eq!(polygamma(u32::MAX, 1e300), 0.0);
    assert_eq!(polygamma(u32::MAX, -0.25), f64::INFINITY);
}

/// The factors of a product stay in range where the product does.
#[test]
fn polygamma_far_out() {
    let expected = 6.20448401734015e-302;
    assert_close(
        "order 25 at 1e13",
        polygamma(25, 1e13),
        expected,
        expected,
        4e-15,
    );
    assert_close(
        "trigamma(1e300)",
        polygamma(1, 1e300),
        1e-300,
        1e-300,
        1e-15,
    );
    assert_close(
        "trigamma(1e-150)",
        polygamma(1, 1e-150),
        1e300,
        1e300,
        1e-15,
    );
    assert_close(
        "digamma(1e300)",
        digamma(1e300),
        1e300_f64.ln(),
        700.0,
        1e-16,
    );
    assert_eq!(polygamma(3, 5e-324), f64::INFINITY);
    assert_eq!(polygamma(2, 5e-324), f64::NEG_INFINITY);
    assert_eq!(polygamma(2, -5e-324), f64::INFINITY);
    assert_eq!(digamma(5e-324), f64::NEG_INFINITY);
}

/// psi_n(x + 1) - psi_n(x) = (-1)^n n! / x^(n+1) across every region boundary.
#[test]
fn polygamma_recurrence() {
    let mut factorial = 1.0;
    for n in 0..=12_u32 {
        factorial *= f64::from(n.max(1));
        for i in -640..1600 {
            let x = f64::from(i) / 32.0 + 1.0 / 128.0;
            let (below, above) = (polygamma(n, x), polygamma(n, x + 1.0));
            let sign = if n % 2 == 0 { 1.0 } else { -1.0 };
            let step = sign * factorial * x.powf(-f64::from(n) - 1.0);
            let scale = below.abs().max(above.abs()).max(1.0);
            let scale = if n == 0 {
                scale
            } else {
                below.abs().max(above.abs())
            };
            let what = format!("order {n} at {x}");
            assert_close(&what, above - below, step, scale, 1e-14);
        }
    }
}

#[test]
fn poles_and_infinities() {
    for pole in [0.0, -0.0, -1.0, -2.0, -17.0, -1e300] {
        assert_eq!(lgamma(pole), f64::INFINITY, "lgamma({pole})");
        assert!(digamma(pole).is_nan(), "digamma({pole})");
        for n in 1..6 {
            let found = polygamma(n, pole);
            let right = if n % 2 == 1 {
                found == f64::INFINITY
            } else {
                found.is_nan()
            };
            assert!(right, "polygamma({n}, {pole}) = {found}");
        }
    }
    assert_eq!(digamma(f64::INFINITY), f64::INFINITY);
    assert!(digamma(f64::NEG_INFINITY).is_nan());
    for n in 1..200 {
        assert_eq!(polygamma(n, f64::INFINITY), 0.0);
        assert!(polygamma(n, f64::NEG_INFINITY).is_nan());
    }
    assert_eq!(lgamma(f64::INFINITY), f64::INFINITY);
    assert_eq!((erf(f64::INFINITY), erf(f64::NEG_INFINITY)), (1.0, -1.0));
    assert_eq!((erfc(f64::INFINITY), erfc(f64::NEG_INFINITY)), (0.0, 2.0));
}

#[test]
fn nan_gives_nan() {
    let nan = f64::NAN;
    for f in [
        erf,
        erfc,
        lgamma,
        digamma,
        sech_squared,
        logistic,
        softplus,
        sign0,
    ] {
        assert!(f(nan).is_nan());
    }
    for n in [0, 1, 2, 3, 25, 171, 200, u32::MAX] {
        assert!(polygamma(n, nan).is_nan(), "polygamma({n}, NaN)");
        assert!(sph_bessel(n, nan).is_nan(), "sph_bessel({n}, NaN)");
    }
    for f in [xlogy, log_add_exp] {
        for other in [0.0, 1.0, -1.0, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(f(nan, other).is_nan() && f(other, nan).is_nan(), "{other}");
        }
    }
}

#[test]
fn sph_bessel_of_many_orders() {
    // Relative where j_n is a single power, to the envelope 1/x where it oscillates.
    let scale = |n: u32, x: f64, e: f64| if x > f64::from(n) { 1.0 / x } else { e.abs() };
    check_orders("sph_bessel", sph_bessel, scale, 1e-14);
}

#[test]
fn sph_bessel_symmetry_and_limits() {
    for n in 0..32_u32 {
        assert_eq!(sph_bessel(n, 0.0), if n == 0 { 1.0 } else { 0.0 });
        assert_eq!(sph_bessel(n, f64::INFINITY), 0.0);
        assert_eq!(sph_bessel(n, f64::NEG_INFINITY), 0.0);
        for x in [1e-300, 1e-3, 0.7, 3.0, 12.0, 40.0, 1e300] {
            let sign = if n % 2 == 0 { 1.0 } else { -1.0 };
            assert_eq!(
                sph_bessel(n, -x),
                sign * sph_bessel(n, x),
                "order {n} at {x}"
            );
        }
    }
    assert_eq!(sph_bessel(1, 3e-300), 1e-300);
    assert_close(
        "j_2(1e-150)",
        sph_bessel(2, 1e-150),
        1e-300 / 15.0,
        1e-300 / 15.0,
        4e-16,
    );
}

/// (2n + 1) j_n / x = j_(n-1) + j_(n+1) across every region boundary.
#[test]
fn sph_bessel_recurrence() {
    for n in 1..31_u32 {
        for i in 1..1600 {
            let x = f64::from(i) / 32.0;
            let (a, b, c) = (sph_bessel(n - 1, x), sph_bessel(n, x), sph_bessel(n + 1, x));
            let middle = (2.0 * f64::from(n) + 1.0) / x * b;
            let scale = if x > f64::from(n) {
                1.0 / x
            } else {
                a.abs().max(middle.abs())
            };
            assert_close(&format!("order {n} at {x}"), a + c, middle, scale, 4e-14);
        }
    }
}

#[test]
fn sech_squared_saturates() {
    assert_eq!((sech_squared(1000.0), sech_squared(-1000.0)), (0.0, 0.0));
    assert_eq!(sech_squared(0.0), 1.0);
}

/// Row e26: the value at -1000 is 0, and elsewhere it is the plain expression to the bit.
#[test]
fn logistic_is_the_plain_expression() {
    assert_eq!((logistic(-1000.0), logistic(1000.0)), (0.0, 1.0));
    assert_eq!(
        (logistic(f64::NEG_INFINITY), logistic(f64::INFINITY)),
        (0.0, 1.0)
    );
    for i in -700..=700 {
        let x = f64::from(i);
        assert_eq!(
            logistic(x).to_bits(),
            (1.0 / (1.0 + (-x).exp())).to_bits(),
            "at {x}"
        );
    }
    assert_eq!(logistic(-720.0), (-720.0_f64).exp());
}

#[test]
fn softplus_limits() {
    assert_eq!((softplus(-1000.0), softplus(1000.0)), (0.0, 1000.0));
    assert_eq!(softplus(f64::NEG_INFINITY), 0.0);
    assert_eq!(softplus(f64::INFINITY), f64::INFINITY);
    assert_eq!(softplus(0.0), std::f64::consts::LN_2);
}

/// The value part of row e23.
#[test]
fn xlogy_at_zero() {
    for x in [0.0, -0.0] {
        for y in [0.0, 1.0, -1.0, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(xlogy(x, y), 0.0, "xlogy({x}, {y})");
        }
    }
    assert_eq!(xlogy(2.0, 0.0), f64::NEG_INFINITY);
    assert!(xlogy(2.0, -1.0).is_nan());
}

/// The value part of row e28.
#[test]
fn log_add_exp_of_infinities() {
    let inf = f64::INFINITY;
    assert_eq!(log_add_exp(-inf, -inf), -inf);
    assert_eq!(log_add_exp(inf, inf), inf);
    assert_eq!((log_add_exp(inf, -inf), log_add_exp(-inf, inf)), (inf, inf));
    assert_eq!((log_add_exp(3.0, -inf), log_add_exp(-inf, 3.0)), (3.0, 3.0));
    assert_eq!((log_add_exp(3.0, inf), log_add_exp(inf, 3.0)), (inf, inf));
    assert_eq!(log_add_exp(1e308, -1e308), 1e308);
}

#[test]
fn sign_has_three_values() {
    assert_eq!((sign0(0.0), sign0(-0.0)), (0.0, 0.0));
    assert_eq!((sign0(5e-324), sign0(-5e-324)), (1.0, -1.0));
    assert_eq!(
        (sign0(f64::INFINITY), sign0(f64::NEG_INFINITY)),
        (1.0, -1.0)
    );
}
