//! nalgebra's scalar traits on carriers: the value is that of `f64` bit for bit, the derivative a closed form.

use nalgebra::{ComplexField, RealField, SimdValue, UnitQuaternion, Vector3};
use wengert::forward::{Dual, Lanes};

type Dual2 = Dual<Dual<f64>>;

/// Signed zeros, ordinary numbers, and numbers outside most domains.
const POINTS: [f64; 13] = [
    0.0, -0.0, 0.3, -0.3, 0.9, -0.9, 1.0, -1.0, 2.5, -2.5, 1e-9, -1e-9, 40.0,
];

#[track_caller]
fn assert_same(what: &str, x: f64, found: f64, expected: f64) {
    let same = found.to_bits() == expected.to_bits() || (found.is_nan() && expected.is_nan());
    assert!(same, "{what}({x}): {found} against {expected}");
}

#[track_caller]
fn assert_near(what: &str, x: f64, found: f64, expected: f64) {
    if expected.is_finite() {
        assert!(
            found.is_finite(),
            "{what}'({x}): {found} against {expected}"
        );
        let difference = (found - expected).abs();
        assert!(
            difference <= 1e-13 * expected.abs().max(1.0),
            "{what}'({x}): {found} {expected}"
        );
    } else {
        assert!(
            !found.is_finite(),
            "{what}'({x}): {found} against {expected}"
        );
    }
}

/// Each row: the method, and its derivative as a function of a plain number.
macro_rules! check_methods {
    ($($method:ident: $derivative:expr),* $(,)?) => {$(
        for x in POINTS {
            let y = ComplexField::$method(Dual::new(x, 1.0));
            let plain = ComplexField::$method(x);
            assert_same(stringify!($method), x, y.value, plain);
            let derivative: fn(f64) -> f64 = $derivative;
            // R4: no derivative outside the domain.
            let expected = if plain.is_nan() { f64::NAN } else { derivative(x) };
            assert_near(stringify!($method), x, y.tangent, expected);
            let lanes = ComplexField::$method(Lanes::new(x, [1.0, 0.5]));
            assert_same(stringify!($method), x, lanes.value, plain);
            // One direction passes a quotient with one division, several share the partials: the last digit may differ.
            assert_near(stringify!($method), x, lanes.tangents[0], y.tangent);
        }
    )*};
}

#[test]
fn methods_have_the_value_of_f64_and_the_right_derivative() {
    check_methods! {
        real: |_| 1.0, imaginary: |_| 0.0, conjugate: |_| 1.0, argument: |_| 0.0,
        modulus: |x| if x == 0.0 { 0.0 } else { x.signum() },
        abs: |x| if x == 0.0 { 0.0 } else { x.signum() },
        norm1: |x| if x == 0.0 { 0.0 } else { x.signum() },
        modulus_squared: |x| 2.0 * x,
        signum: |_| 0.0, floor: |_| 0.0, ceil: |_| 0.0, round: |_| 0.0, trunc: |_| 0.0, fract: |_| 1.0,
        recip: |x| -1.0 / (x * x), sqrt: |x| 0.5 / x.abs().sqrt(), cbrt: |x| x.cbrt().powi(-2) / 3.0,
        exp: f64::exp, exp2: |x| x.exp2() * 2.0_f64.ln(), exp_m1: f64::exp,
        ln: |x| 1.0 / x.abs(), ln_1p: |x| 1.0 / (1.0 + x),
        log2: |x| 1.0 / (x.abs() * 2.0_f64.ln()), log10: |x| 1.0 / (x.abs() * 10.0_f64.ln()),
        sin: f64::cos, cos: |x| -x.sin(), tan: |x| x.cos().powi(-2),
        asin: |x| 1.0 / ((1.0 - x) * (1.0 + x)).sqrt(), acos: |x| -1.0 / ((1.0 - x) * (1.0 + x)).sqrt(),
        atan: |x| 1.0 / (1.0 + x * x),
        sinh: f64::cosh, cosh: f64::sinh, tanh: |x| x.cosh().powi(-2),
        asinh: |x| 1.0 / x.hypot(1.0), acosh: |x| 1.0 / ((x - 1.0) * (x + 1.0)).sqrt(),
        atanh: |x| 1.0 / ((1.0 - x) * (1.0 + x)),
        sinc: |x| if x.abs() < 1e-8 { -x / 3.0 } else { (x.cos() - x.sin() / x) / x },
        sinhc: |x| if x.abs() < 1e-8 { x / 3.0 } else { (x.cosh() - x.sinh() / x) / x },
    }
    for x in POINTS.into_iter().filter(|x| *x != 0.0) {
        let (y, z) = (
            ComplexField::cosc(Dual::new(x, 1.0)),
            ComplexField::coshc(Dual::new(x, 1.0)),
        );
        assert_same("cosc", x, y.value, ComplexField::cosc(x));
        assert_near("cosc", x, y.tangent, -(x.sin() + x.cos() / x) / x);
        assert_same("coshc", x, z.value, ComplexField::coshc(x));
        assert_near("coshc", x, z.tangent, (x.sinh() - x.cosh() / x) / x);
    }
    // A pole, to which nalgebra gives the value 1.
    let pole = ComplexField::cosc(Dual::new(0.0, 1.0));
    assert!(pole.value == 1.0 && pole.tangent.is_nan());
}

/// sinh(x) / x = sum x^2k / (2k + 1)!: the derivatives at 0 are 1, 0, 1/3.
#[test]
fn cardinal_functions_at_zero_have_a_curvature() {
    let x = Dual2::new(Dual::new(0.0, 1.0), Dual::from(1.0));
    assert_eq!(ComplexField::sinhc(x).tangent.tangent, 1.0 / 3.0);
    let sinc = ComplexField::sinc(x);
    assert_eq!((sinc.value.value, sinc.tangent.value), (1.0, 0.0));
    assert!((sinc.tangent.tangent + 1.0 / 3.0).abs() < 1e-15);
}

#[test]
fn methods_of_two_arguments() {
    let c = Dual::<f64>::from;
    for x in POINTS {
        let d = Dual::new(x, 1.0);
        for y in POINTS {
            assert_same(
                "max",
                x,
                RealField::max(d, c(y)).value,
                wengert::Scalar::max(x, y),
            );
            assert_same(
                "min",
                x,
                RealField::min(d, c(y)).value,
                wengert::Scalar::min(x, y),
            );
            assert_same("copysign", x, d.copysign(c(y)).value, x.copysign(y));
            assert_same("atan2", x, RealField::atan2(d, c(y)).value, x.atan2(y));
            assert_same("hypot", x, ComplexField::hypot(d, c(y)).value, x.hypot(y));
            assert_same("powf", x, ComplexField::powf(d, c(y)).value, x.powf(y));
            assert_same("powc", x, ComplexField::powc(d, c(y)).value, x.powf(y));
            assert_same("log", x, ComplexField::log(d, c(y)).value, x.log(y));
            assert_same("scale", x, d.scale(c(y)).value, x * y);
            assert_same("unscale", x, d.unscale(c(y)).value, x / y);
            let fused = ComplexField::mul_add(d, c(y), c(0.1));
            assert_same("mul_add", x, fused.value, x.mul_add(y, 0.1));
            assert_near("mul_add", x, fused.tangent, y);
            assert_near("scale", x, d.scale(c(y)).tangent, y);
        }
        assert_same("powi", x, ComplexField::powi(d, 3).value, x.powi(3));
        assert_near("powi", x, ComplexField::powi(d, 3).tangent, 3.0 * x * x);
        assert_eq!(d.is_sign_positive(), x.is_sign_positive());
        assert_eq!(d.is_sign_negative(), x.is_sign_negative());
        assert_eq!(
            d.try_sqrt().map(|y| y.value.to_bits()),
            x.try_sqrt().map(f64::to_bits)
        );
        let (sin, cos) = ComplexField::sin_cos(d);
        assert_eq!(
            (sin.value, sin.tangent, cos.tangent),
            (x.sin(), x.cos(), -x.sin())
        );
    }
    let tie = ComplexField::abs(RealField::max(Dual::new(1.0, 1.0), c(1.0)));
    assert_eq!(tie.tangent, 0.5);
}

/// The modulus times the sign is the number with its derivative, also at both zeros.
#[test]
fn exponential_form_keeps_the_derivative() {
    for x in POINTS {
        let (modulus, sign) = ComplexField::to_exp(Dual::new(x, 1.0));
        let plain = ComplexField::to_exp(x);
        assert_same("modulus", x, modulus.value, plain.0);
        assert_same("sign", x, sign.value, plain.1);
        assert_eq!((modulus * sign).tangent, 1.0);
    }
}

#[test]
fn clamp_takes_the_branch_of_f64() {
    let nan = f64::NAN;
    for x in [-2.0, -1.0, 0.5, 1.0, 2.0, nan] {
        for (lo, hi) in [
            (-1.0, 1.0),
            (1.0, -1.0),
            (nan, 1.0),
            (-1.0, nan),
            (1.0, 1.0),
        ] {
            let found = RealField::clamp(Dual::new(x, 1.0), Dual::from(lo), Dual::from(hi));
            assert_same("clamp", x, found.value, RealField::clamp(x, lo, hi));
        }
    }
    let at = |x| RealField::clamp(Dual::new(x, 1.0), Dual::from(-1.0), Dual::from(1.0)).tangent;
    assert_eq!(
        [at(-2.0), at(-1.0), at(0.0), at(1.0), at(2.0)],
        [0.0, 0.5, 1.0, 0.5, 0.0]
    );
}

#[test]
fn comparisons_and_conversions_look_at_the_value() {
    let (x, y) = (Dual::new(1.0, 5.0), Dual::new(1.0 + 1e-17, -5.0));
    assert!(approx::abs_diff_eq!(x, y) && approx::relative_eq!(x, y) && approx::ulps_eq!(x, y));
    let far = Dual::new(1.1, 5.0);
    assert!(approx::abs_diff_ne!(x, far) && approx::relative_ne!(x, far));
    assert!(approx::ulps_ne!(x, far) && approx::relative_eq!(x, far, max_relative = 0.2.into()));
    assert_eq!(
        nalgebra::try_convert::<Dual2, f64>(Dual2::from(0.1)),
        Some(0.1)
    );
    assert_eq!(
        nalgebra::try_convert::<Dual2, f32>(Dual2::from(0.1)),
        Some(0.1_f32)
    );
    let half: Dual2 = nalgebra::convert(0.5_f32);
    assert_eq!(half, Dual2::from(0.5));
    assert_eq!((Dual2::LANES, half.extract(0)), (1, half));
    let mut z = Dual::splat(x);
    z.replace(0, y);
    assert_eq!(z.tangent, -5.0);
    assert_eq!(SimdValue::select(x, false, y).tangent, -5.0);
    assert!(ComplexField::is_finite(&x) && !ComplexField::is_finite(&(x / 0.0)));
}

#[test]
fn constants_are_those_of_f64() {
    macro_rules! same {
        ($($name:ident)*) => {
            $(assert_eq!(Dual::<f64>::$name().value, <f64 as RealField>::$name());)*
        };
    }
    same! { pi two_pi frac_pi_2 frac_pi_3 frac_pi_4 frac_pi_6 frac_pi_8 frac_1_pi frac_2_pi frac_2_sqrt_pi e
    log2_e log10_e ln_2 ln_10 }
    assert_eq!(
        Dual::<f64>::max_value().map(|x| x.value),
        <f64 as RealField>::max_value()
    );
    assert_eq!(
        Dual::<f64>::min_value().map(|x| x.value),
        <f64 as RealField>::min_value()
    );
}

/// Geometry comes with the field: the derivative of a rotation about z is its generator.
#[test]
fn rotations_differentiate() {
    let t = Dual::new(0.3, 1.0);
    let zero = Dual::<f64>::from(0.0);
    let rotation = UnitQuaternion::new(Vector3::new(zero, zero, t));
    let x = rotation * Vector3::new(Dual::<f64>::from(1.0), zero, zero);
    assert!(
        (x[0].tangent + 0.3_f64.sin()).abs() < 1e-15,
        "{}",
        x[0].tangent
    );
    assert!(
        (x[1].tangent - 0.3_f64.cos()).abs() < 1e-15,
        "{}",
        x[1].tangent
    );
}
