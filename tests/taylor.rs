//! Truncated Taylor series against 60-digit tables, nested dual numbers and the rows of `EDGE_CASES.md`.

use num_dual::DualNum;
use wengert::elementary::*;
use wengert::forward::{Taylor, derivatives, ode_coefficients, taylor_coefficients};
use wengert::prelude::*;

type Nested = Dual<Dual<Dual<f64>>>;

/// Fails also where exactly one side is NaN or infinite.
#[track_caller]
fn assert_close(found: f64, expected: f64, tolerance: f64, what: &str) {
    let same = found == expected || (found.is_nan() && expected.is_nan());
    let close = (found - expected).abs() <= tolerance * expected.abs();
    let finite = found.is_finite() && expected.is_finite();
    assert!(
        same || (finite && close),
        "{what}: found {found:e}, expected {expected:e}"
    );
}

#[derive(serde::Deserialize)]
struct Entry {
    f: Option<String>,
    x0: Option<String>,
    ode: Option<String>,
    init: Option<Vec<String>>,
    coeff: serde_json::Value,
}

fn entries() -> Vec<Entry> {
    serde_json::from_str(include_str!("reference/taylor.json")).unwrap()
}

fn numbers(list: &serde_json::Value) -> Vec<f64> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|c| c.as_str().unwrap().parse().unwrap())
        .collect()
}

fn all<const K: usize>(y: &Taylor<f64, K>) -> Vec<f64> {
    [y.value].into_iter().chain(y.coefficients).collect()
}

/// The solution of `w e^w = x` by Newton's method: each step in series arithmetic doubles the correct orders.
fn lambertw<S: Scalar>(x: S) -> S {
    (0..12).fold(S::from(0.5), |w, _| {
        let e = w.exp();
        w - (w * e - x) / (e * (w + 1.0))
    })
}

fn slide_function<S: Scalar>(x: S) -> S {
    x.exp() / (x.sin().powi(3) + x.cos().powi(3)).sqrt()
}

#[test]
fn tables_to_order_20() {
    let mut checked = 0;
    for entry in entries() {
        let Some(name) = entry.f else { continue };
        let x0: f64 = entry.x0.unwrap().parse().unwrap();
        let x = Taylor::<f64, 20>::variable(x0);
        let y = match name.as_str() {
            "exp(x)" => x.exp(),
            "log(x)" => x.ln(),
            "cos(x)" => x.cos(),
            "tan(x)" => x.tan(),
            "asin(x)" => x.asin(),
            "sinh(x)" => x.sinh(),
            "sqrt(x)" => x.sqrt(),
            "x^2.5" => x.powf(2.5),
            "erf(x)" => x.erf_(),
            "exp(x)/sqrt(sin(x)^3+cos(x)^3)" => slide_function(x),
            "log1p(exp(x))" => x.exp().ln_1p(),
            "sin(x)/x" => x.sinc(),
            "lambertw(x)" => lambertw(x),
            other => panic!("no formula for {other}"),
        };
        let expected = numbers(&entry.coeff);
        assert_eq!(expected.len(), 21);
        for (k, (found, expected)) in all(&y).into_iter().zip(&expected).enumerate() {
            assert_close(found, *expected, 1e-13, &format!("{name}, order {k}"));
        }
        match name.as_str() {
            "sin(x)/x" => {
                // The quotient is ill-conditioned: half an ulp of cos(x0) grows by 1/x0 per order, so order 3 has an
                // error of 3e-14 against coefficients of size 1.
                for (k, found) in all(&(x.sin() / x)).into_iter().enumerate().take(4) {
                    let error = (found - expected[k]).abs();
                    assert!(
                        error <= 1e-12 * expected[0],
                        "quotient, order {k}: {error:e}"
                    );
                }
            }
            "log1p(exp(x))" => {
                for (k, found) in all(&x.softplus()).into_iter().enumerate() {
                    assert_close(found, expected[k], 1e-13, &format!("softplus, order {k}"));
                }
            }
            _ => {}
        }
        checked += 1;
    }
    assert_eq!(checked, 13);
}

#[test]
fn odes_to_order_30() {
    let mut checked = 0;
    for entry in entries() {
        let Some(name) = entry.ode else { continue };
        let start: Vec<f64> = entry
            .init
            .unwrap()
            .iter()
            .map(|x| x.parse().unwrap())
            .collect();
        let state: Vec<Taylor<f64, 30>> = if name.starts_with("lorenz63") {
            ode_coefficients(
                |x, dx| {
                    dx[0] = (x[1] - x[0]) * 10.0;
                    dx[1] = x[0] * (-x[2] + 28.0) - x[1];
                    dx[2] = x[0] * x[1] - x[2] * 8.0 / 3.0;
                },
                &start,
            )
        } else {
            ode_coefficients(|x, dx| dx[0] = x[0] * x[0] + 1.0, &start)
        };
        let expected: Vec<Vec<f64>> = entry
            .coeff
            .as_array()
            .unwrap()
            .iter()
            .map(numbers)
            .collect();
        for k in 0..=30 {
            // Relative to the largest state of the order: single ones cancel (-695 from sums of 1e6).
            let scale = expected.iter().map(|c| c[k].abs()).fold(0.0, f64::max);
            for (x, expected) in state.iter().zip(&expected) {
                let error = (all(x)[k] - expected[k]).abs();
                assert!(
                    error <= 1e-13 * scale,
                    "{name}, order {k}: {error:e} of {scale:e}"
                );
            }
        }
        checked += 1;
    }
    assert_eq!(checked, 2);
}

/// A cubic curve through `c[0]`, as a series and as nested duals.
fn curve(c: [f64; 4]) -> (Taylor<f64, 3>, Nested) {
    let t = Dual::new(
        Dual::new(Dual::new(0.0, 1.0), Dual::constant(1.0)),
        Dual::constant(Dual::constant(1.0)),
    );
    let nested = ((t * c[3] + c[2]) * t + c[1]) * t + c[0];
    (Taylor::new(c[0], [c[1], c[2], c[3]]), nested)
}

fn derivatives_of(y: Nested) -> [f64; 4] {
    [
        y.value.value.value,
        y.value.value.tangent,
        y.value.tangent.tangent,
        y.tangent.tangent.tangent,
    ]
}

#[track_caller]
fn assert_agrees(y: Taylor<f64, 3>, nested: Nested, what: &str) {
    let expected = derivatives_of(nested);
    let d = y.derivatives();
    assert_eq!(y.value.to_bits(), expected[0].to_bits(), "{what}, value");
    let scale = expected.iter().fold(1e-3, |m: f64, e| m.max(e.abs()));
    for k in 0..3 {
        let (found, expected) = (d[k], expected[k + 1]);
        let close = (found - expected).abs() <= 2e-12 * scale;
        let finite = found.is_finite() && expected.is_finite();
        assert!(
            finite && close,
            "{what}, order {}: {found:e} against {expected:e}",
            k + 1
        );
    }
}

/// Order 1 against `Dual`: to rounding where it is finite, else of the same kind.
#[track_caller]
fn assert_first_order(y: Taylor<f64, 1>, dual: Dual<f64>, what: &str) {
    assert_eq!(y.value.to_bits(), dual.value.to_bits(), "{what}, value");
    assert_close(y.coefficients[0], dual.tangent, 4e-15, what);
}

fn check_unary<U: Unary>(op: U, points: &[f64]) {
    for &x in points {
        let what = format!("{} at {x}", op.op());
        let (series, nested) = curve([x, 0.7, -0.3, 0.2]);
        assert_agrees(series.unary(op), nested.unary(op), &what);
    }
    let unusual = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        2.5,
        -2.5,
        0.5,
        -0.5,
        710.0,
        -745.5,
        1e-300,
        f64::NAN,
    ];
    for x in unusual
        .into_iter()
        .chain([f64::INFINITY, f64::NEG_INFINITY])
        .chain(points.iter().copied())
    {
        let what = format!("{} at {x}, order 1", op.op());
        let dual = Dual::new(x, 0.75).unary(op);
        assert_first_order(Taylor::new(x, [0.75]).unary(op), dual, &what);
        // Higher orders never change lower ones.
        let longer = Taylor::new(x, [0.75, 0.5, -0.25]).unary(op);
        assert_eq!(longer.value.to_bits(), x.unary(op).to_bits(), "{what}");
        assert_close(longer.coefficients[0], dual.tangent, 4e-15, &what);
        // R4: a domain error is NaN in every order.
        if longer.value.is_nan() && !x.is_nan() && op.factor() == Factor::General {
            assert!(
                longer.coefficients.iter().all(|c| c.is_nan()),
                "{what}: {longer}"
            );
        }
    }
}

#[test]
fn unary_rules_agree_with_nested_duals() {
    let real = &[-2.3, -0.6, 0.4, 1.7];
    let positive = &[0.02, 0.4, 1.7, 30.0];
    check_unary(Neg, real);
    check_unary(AddConst(1.5), real);
    check_unary(MulConst(-1.5), real);
    check_unary(DivConst(3.0), real);
    check_unary(RemConst(0.75), real);
    check_unary(Recip, real);
    check_unary(Exp, real);
    check_unary(Exp2, real);
    check_unary(ExpM1, real);
    check_unary(Ln, positive);
    check_unary(Log(7.0), positive);
    check_unary(Log2, positive);
    check_unary(Log10, positive);
    check_unary(Ln1p, positive);
    check_unary(Sqrt, positive);
    check_unary(Cbrt, real);
    for n in [-40, -17, -3, -2, -1, 0, 1, 2, 3, 4, 7, 16, 17, 33] {
        check_unary(Powi(n), real);
        check_unary(Powf(f64::from(n)), real);
    }
    for c in [-2.5, -0.5, 0.25, 1.5, 2.5, 3.75] {
        check_unary(Powf(c), positive);
    }
    check_unary(Sin, real);
    check_unary(Cos, real);
    check_unary(Tan, real);
    check_unary(Asin, &[-0.7, 0.2, 0.9]);
    check_unary(Acos, &[-0.7, 0.2, 0.9]);
    check_unary(Atan, real);
    check_unary(Sinh, real);
    check_unary(Cosh, real);
    check_unary(Tanh, &[-2.3, 0.4, 9.0]);
    check_unary(SechSquared, &[-2.3, 0.4, 9.0]);
    check_unary(Asinh, real);
    check_unary(Acosh, &[1.3, 4.0]);
    check_unary(Atanh, &[-0.7, 0.2, 0.9]);
    check_unary(Logistic, &[-9.0, -2.3, 0.4, 9.0]);
    check_unary(Softplus, &[-9.0, -2.3, 0.4, 9.0]);
    check_unary(Erf, real);
    check_unary(Erfc, real);
    check_unary(Lgamma, &[-0.6, 0.4, 1.7, 12.0]);
    check_unary(Polygamma(0), &[-0.6, 0.4, 1.7, 12.0]);
    check_unary(Polygamma(2), &[-0.6, 0.4, 1.7, 12.0]);
    check_unary(SphJ0, real);
    check_unary(SphJ1, real);
    check_unary(SphJ2, real);
    for n in [0, 1, 2, 5] {
        check_unary(SphBessel(n), &[-2.3, 0.0, 0.01, 0.4, 12.0]);
    }
    check_unary(Abs, real);
    check_unary(Sign0, real);
    check_unary(SignBit, real);
    check_unary(Signum, real);
    check_unary(Floor, real);
    check_unary(Ceil, real);
    check_unary(Round, real);
    check_unary(Trunc, real);
}

fn check_binary<B: Binary>(op: B, points: &[(f64, f64)]) {
    for &(x, y) in points {
        let what = format!("{} at ({x}, {y})", op.op());
        let (series_x, nested_x) = curve([x, 0.7, -0.3, 0.2]);
        let (series_y, nested_y) = curve([y, -0.4, 0.6, 0.1]);
        assert_agrees(
            series_x.binary(op, series_y),
            nested_x.binary(op, nested_y),
            &what,
        );
    }
    let special = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        2.0,
        0.5,
        -2.0,
        1e200,
        1e-200,
        f64::INFINITY,
        f64::NAN,
    ];
    for x in special {
        for y in special {
            let what = format!("{} at ({x}, {y}), order 1", op.op());
            let dual = Dual::new(x, 0.75).binary(op, Dual::new(y, -0.5));
            let series = Taylor::new(x, [0.75]).binary(op, Taylor::new(y, [-0.5]));
            assert_eq!(
                series.value.to_bits(),
                dual.value.to_bits(),
                "{what}, value"
            );
            let (found, expected) = (series.coefficients[0], dual.tangent);
            if expected.is_finite() {
                assert!(
                    (found - expected).abs() <= 4e-15 * expected.abs(),
                    "{what}: {found} {expected}"
                );
            } else {
                // Non-finite entries may differ in kind (R2).
                assert!(!found.is_finite(), "{what}: {found} against {expected}");
            }
        }
    }
}

#[test]
fn binary_rules_agree_with_nested_duals() {
    let real = &[(1.3, 0.6), (-1.3, 0.6), (0.2, -2.5), (-4.0, -0.7)];
    check_binary(Add, real);
    check_binary(Sub, real);
    check_binary(Mul, real);
    check_binary(Div, real);
    check_binary(Rem, real);
    check_binary(Pow, &[(1.3, 0.6), (0.2, -2.5), (4.0, 3.0)]);
    check_binary(Atan2, real);
    check_binary(Hypot, real);
    check_binary(Copysign, real);
    check_binary(Xlogy, &[(1.3, 0.6), (-1.3, 0.6), (0.0, 2.5)]);
    check_binary(LogAddExp, real);
    check_binary(TiedMax, &[(1.5, 1.5)]);
    check_binary(TiedMin, &[(1.5, 1.5)]);
}

fn check_nary<R: Nary>(rule: &R, points: &[f64]) {
    let slopes = [
        [0.7, -0.3, 0.2],
        [-0.4, 0.6, 0.1],
        [1.1, 0.2, -0.5],
        [0.3, 0.3, 0.3],
    ];
    let (series, nested): (Vec<_>, Vec<_>) = points
        .iter()
        .zip(slopes)
        .map(|(x, [a, b, c])| curve([*x, a, b, c]))
        .unzip();
    let what = format!("{} at {points:?}", rule.op());
    assert_agrees(
        Scalar::nary(rule, &series),
        Scalar::nary(rule, &nested),
        &what,
    );
}

#[test]
fn nary_rules_agree_with_nested_duals() {
    let points = &[1.3, -0.6, 2.1, 0.4];
    check_nary(&MulAdd, &points[..3]);
    check_nary(&Sum, points);
    check_nary(&Dot, points);
    check_nary(&Prod, points);
    check_nary(&Prod, &[1.3, 0.0, 2.1, 0.4]);
    check_nary(&Prod, &[1.3, 0.0, 2.1, 0.0]);
    check_nary(&Norm2, points);
    check_nary(&SquaredNorm, points);
    check_nary(&LogSumExp, points);
    check_nary(&MaxOf, points);
    check_nary(&MinOf, points);
    check_nary(&MaxOf, &[2.1, -0.6, 2.1, 0.4]);
    for empty in [
        Scalar::nary(&Norm2, &[] as &[Taylor<f64, 2>]),
        Scalar::nary(&LogSumExp, &[]),
        Scalar::nary(&Sum, &[]),
        Scalar::nary(&Prod, &[]),
    ] {
        assert_eq!(empty.coefficients, [0.0, 0.0]);
    }
    // R1: rounded once, as on plain numbers.
    let x = Taylor::<f64, 2>::variable(1.0 + f64::EPSILON);
    let y = DualNum::mul_add(&x, x, Taylor::constant(-1.0));
    assert_eq!(y.value, x.value.mul_add(x.value, -1.0));
}

/// The exponential as a user would write it, with the value in the partial.
#[derive(Clone)]
struct OwnExp;
impl CustomRule for OwnExp {
    fn value(&self, x: &[f64]) -> f64 {
        x[0].exp()
    }
    fn partials<T: Scalar>(&self, _: &[T], y: T, out: &mut [Option<T>]) {
        out[0] = Some(y);
    }
}

#[derive(Clone)]
struct Doubled;
impl CustomRule for Doubled {
    fn value(&self, x: &[f64]) -> f64 {
        2.0 * x[0]
    }
    fn partials<T: Scalar>(&self, _: &[T], _: T, out: &mut [Option<T>]) {
        out[0] = Some(T::from(2.0));
    }
    fn is_linear(&self) -> bool {
        true
    }
}

#[derive(Clone)]
struct PlainSquare;
impl FirstOrderRule for PlainSquare {
    fn value(&self, x: &[f64]) -> f64 {
        x[0] * x[0]
    }
    fn partials(&self, x: &[f64], _: f64, out: &mut [f64]) {
        out[0] = 2.0 * x[0];
    }
}

#[test]
fn custom_rules() {
    let x = Taylor::<f64, 6>::variable(0.5);
    let (own, built_in) = (Scalar::custom(&OwnExp, &[x * x]), (x * x).exp());
    for (found, expected) in all(&own).into_iter().zip(all(&built_in)) {
        assert_close(found, expected, 1e-15, "custom exp");
    }
    let doubled = Scalar::custom(&Doubled, &[x * x]);
    assert_eq!(all(&doubled), [0.5, 2.0, 2.0, 0.0, 0.0, 0.0, 0.0]);
    let square = Scalar::custom(&FirstOrder(PlainSquare), &[x]);
    assert_eq!((square.value, square.coefficients[0]), (0.25, 1.0));
    assert!(square.coefficients[1..].iter().all(|c| c.is_nan()));
}

#[test]
fn edge_e07_roots_at_zero() {
    let inf = f64::INFINITY;
    let root = Taylor::<f64, 3>::variable(0.0).sqrt();
    assert_eq!((root.value, root.coefficients), (0.0, [inf, -inf, inf]));
    assert_eq!(Taylor::<f64, 2>::variable(-0.0).sqrt().coefficients[0], inf);
    assert_eq!(Taylor::<f64, 2>::variable(0.0).cbrt().coefficients[0], inf);
    let negative = Taylor::<f64, 3>::variable(-1.0);
    for y in [
        negative.sqrt(),
        negative.ln(),
        (negative * 2.0).ln_1p(),
        (negative * 2.0).asin(),
    ] {
        assert!(all(&y).iter().all(|c| c.is_nan()), "{y}");
    }
}

#[test]
fn edge_e09_e10_e11_integer_powers() {
    for x in [0.0, -2.0, f64::INFINITY, f64::NAN] {
        let y = Taylor::<f64, 4>::variable(x).powi(0);
        assert_eq!(all(&y), [1.0, 0.0, 0.0, 0.0, 0.0]);
    }
    for zero in [0.0, -0.0] {
        assert_eq!(
            derivatives(|x: Taylor<f64, 4>| x.powi(1), zero).1,
            [1.0, 0.0, 0.0, 0.0]
        );
        assert_eq!(
            derivatives(|x: Taylor<f64, 4>| x.powi(2), zero).1,
            [0.0, 2.0, 0.0, 0.0]
        );
        assert_eq!(
            derivatives(|x: Taylor<f64, 4>| x.powi(3), zero).1,
            [0.0, 0.0, 6.0, 0.0]
        );
        assert_eq!(
            derivatives(|x: Taylor<f64, 4>| x.powi(20), zero),
            (0.0, [0.0; 4])
        );
        assert_eq!(
            derivatives(|x: Taylor<f64, 4>| x.powi(i32::MAX), zero).1,
            [0.0; 4]
        );
    }
    let pole = Taylor::<f64, 2>::variable(0.0).powi(-1);
    assert_eq!(
        (pole.value, pole.coefficients[0]),
        (f64::INFINITY, f64::NEG_INFINITY)
    );
    let one = Taylor::<f64, 3>::variable(1.0).powi(i32::MIN);
    let n = f64::from(i32::MIN);
    let expected = [n, n * (n - 1.0) / 2.0, n * (n - 1.0) * (n - 2.0) / 6.0];
    for (found, expected) in one.coefficients.into_iter().zip(expected) {
        assert_close(found, expected, 1e-14, "i32::MIN");
    }
}

#[test]
fn edge_e12_real_powers_at_zero() {
    let at = |c: f64| derivatives(|x: Taylor<f64, 3>| x.powf(c), 0.0);
    let inf = f64::INFINITY;
    assert_eq!(at(0.0), (1.0, [0.0, 0.0, 0.0]));
    assert_eq!((at(0.5).0, at(0.5).1[0]), (0.0, inf));
    assert_eq!(at(1.0), (0.0, [1.0, 0.0, 0.0]));
    assert_eq!((at(1.5).0, at(1.5).1[0], at(1.5).1[1]), (0.0, 0.0, inf));
    assert_eq!(at(2.0), (0.0, [0.0, 2.0, 0.0]));
    assert_eq!((at(2.5).1[0], at(2.5).1[1], at(2.5).1[2]), (0.0, 0.0, inf));
    assert_eq!(at(3.5), (0.0, [0.0, 0.0, 0.0]));
    assert_eq!((at(-0.5).0, at(-0.5).1[0]), (inf, -inf));
}

#[test]
fn edge_e14_e15_e16_power_with_active_exponent() {
    // x^y at x = 0 along x only: the exponent is a constant here, but the fast carrier cannot know.
    let x = Taylor::<f64, 2>::variable(0.0);
    let y = x.powd(Taylor::constant(3.0));
    assert_eq!(all(&y), [0.0, 0.0, 0.0]);
    let at_origin = x.powd(Taylor::constant(0.0));
    assert_eq!(at_origin.value, 1.0);
    let along_exponent = Taylor::constant(0.0).powd(Taylor::<f64, 2>::variable(2.0));
    assert_eq!(all(&along_exponent), [0.0, 0.0, 0.0]);
    let negative = Taylor::<f64, 2>::constant(-2.0).powd(Taylor::variable(3.0));
    assert_eq!(negative.value, -8.0);
    assert!(negative.coefficients[0].is_nan());
    // The power underflows, its second derivative is 2.
    let tiny = Taylor::<f64, 2>::variable(1e-200).powd(Taylor::constant(2.0));
    assert_eq!((tiny.value, tiny.coefficients[1]), (0.0, 1.0));
    // t^(1 + t) behaves as t + t^2 ln t: no finite second derivative may appear.
    let unbounded = x.powd(x + 1.0);
    assert_eq!((unbounded.value, unbounded.coefficients[0]), (0.0, 1.0));
    assert!(!unbounded.coefficients[1].is_finite());
}

#[test]
fn edge_e01_e19_e25_e26_kinks_and_saturation() {
    assert_eq!(
        Signed::abs(&Taylor::<f64, 2>::variable(-0.0)).coefficients,
        [0.0, 0.0]
    );
    let zero = Taylor::<f64, 3>::variable(0.0);
    assert_eq!(all(&Scalar::hypot(zero, zero)), [0.0; 4]);
    assert_eq!(all(&Taylor::norm2_of([zero, zero, zero])), [0.0; 4]);
    assert_eq!(
        all(&Taylor::<f64, 2>::variable(1000.0).tanh()),
        [1.0, 0.0, 0.0]
    );
    assert_eq!(
        all(&Taylor::<f64, 2>::variable(-1000.0).logistic()),
        [0.0, 0.0, 0.0]
    );
    // e02: half of each at a tie, at every order.
    let square = zero * zero;
    assert_eq!(Scalar::max(zero, square).coefficients, [0.5, 0.5, 0.0]);
    // e18: no square of the components.
    let far = Taylor::<f64, 2>::variable(3e200).hypot(Taylor::constant(4e200));
    assert_close(far.value, 5e200, 1e-15, "hypot");
    assert_close(far.coefficients[0], 0.6, 1e-15, "hypot");
    assert_close(far.coefficients[1], 0.32 / 5e200, 1e-15, "hypot");
}

#[test]
fn edge_e40_unselected_arm_leaves_no_trace() {
    let x = Taylor::<f64, 3>::variable(1.0);
    let y = Taylor::select(Taylor::constant(0.0).le_mask(x), x, (-x).sqrt());
    assert_eq!(all(&y), [1.0, 1.0, 0.0, 0.0]);
}

#[test]
fn spherical_bessel_at_zero_is_its_power_series() {
    // sin(x)/x = sum of (-1)^k x^2k / (2k+1)!.
    let y = taylor_coefficients::<f64, 8>(|x| x.sinc(), 0.0);
    let expected = [
        0.0,
        -1.0 / 6.0,
        0.0,
        1.0 / 120.0,
        0.0,
        -1.0 / 5040.0,
        0.0,
        1.0 / 362_880.0,
    ];
    for (k, (found, expected)) in y.coefficients.into_iter().zip(expected).enumerate() {
        assert_close(found, expected, 1e-15, &format!("order {}", k + 1));
    }
}

#[test]
fn series_over_duals_and_duals_over_series() {
    // d/dx of the second derivative, by an inner dual and by an outer one, is the third derivative.
    let third = derivatives(slide_function::<Taylor<f64, 3>>, 1.5).1[2];
    let inner =
        derivatives(slide_function::<Taylor<Dual<f64>, 2>>, Dual::new(1.5, 1.0)).1[1].tangent;
    let x = Dual::new(Taylor::<f64, 2>::variable(1.5), Taylor::constant(1.0));
    let outer = slide_function(x).tangent.derivatives()[1];
    assert_close(inner, third, 1e-13, "dual inside");
    assert_close(outer, third, 1e-13, "dual outside");
    assert_eq!(<Taylor<Dual<f64>, 2> as DualNum>::NDERIV, 3);
}

#[test]
fn zero_orders_are_plain_numbers() {
    let y = slide_function(Taylor::<f64, 0>::variable(1.5));
    assert_eq!(y.value.to_bits(), slide_function(1.5).to_bits());
}
