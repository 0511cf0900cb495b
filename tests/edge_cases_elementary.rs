//! One test per row of `EDGE_CASES.md`, section A, and of those rows of B and C that concern a single evaluation.
//!
//! Invariant: values are compared bit for bit with plain `f64` and partials exactly, in every mode of
//! `tests/common/modes.rs`. Where a row needs the strict repetition of R3, only strict modes must give the number; a bare
//! carrier may give NaN instead, never another number.

mod common;

use std::panic::catch_unwind;

use common::{Apply, Mode, Visitor, same, same_bits, ulps};
use wengert::elementary::{Op, RemConst};
use wengert::forward::{Dual, derivative};
use wengert::reverse::{Var, gradient};
use wengert::{Scalar, ScalarFunction};

const INF: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;

/// What is expected of a function at a point.
struct Expect<'a, F> {
    f: F,
    x: &'a [f64],
    value: f64,
    /// Sorted variables and the derivative; every entry of a gradient must be listed.
    derivatives: Vec<(Vec<usize>, f64)>,
    /// Whether a structural zero meets an infinite partial, which only strict modes resolve (R3).
    needs_strict: bool,
}

impl<F: ScalarFunction + Sync> Visitor for Expect<'_, F> {
    fn visit<M: Mode>(&mut self) {
        for (key, found) in M::partials(&self.f, self.x) {
            let place = || format!("{} at {:?}, derivative {key:?}", M::NAME, self.x);
            if key.is_empty() {
                assert!(
                    same_bits(found, self.value),
                    "{}: {found:e}, not {:e}",
                    place(),
                    self.value
                );
            }
            let Some((_, expected)) = self.derivatives.iter().find(|(k, _)| *k == key) else {
                assert!(key.len() != 1, "{} is not expected", place());
                continue;
            };
            let unresolved = self.needs_strict && !M::STRICT && found.is_nan();
            assert!(
                unresolved || same(found, *expected),
                "{}: {found:e}, not {expected:e}",
                place()
            );
        }
    }
}

/// Checks the value and the gradient in every mode.
#[track_caller]
fn expect<F: ScalarFunction + Sync>(f: F, x: &[f64], value: f64, gradient: &[f64]) {
    expect_orders(f, x, value, gradient, &[]);
}

/// Checks the value, the gradient and some higher derivatives in every mode.
#[track_caller]
fn expect_orders<F: ScalarFunction + Sync>(
    f: F,
    x: &[f64],
    value: f64,
    gradient: &[f64],
    higher: &[(&[usize], f64)],
) {
    assert_eq!(x.len(), gradient.len());
    let mut derivatives: Vec<_> = gradient
        .iter()
        .enumerate()
        .map(|(i, g)| (vec![i], *g))
        .collect();
    derivatives.extend(higher.iter().map(|(key, d)| (key.to_vec(), *d)));
    common::for_each_mode(&mut Expect {
        f,
        x,
        value,
        derivatives,
        needs_strict: false,
    });
}

/// As [`expect`], where a structural zero meets an infinite partial.
#[track_caller]
fn expect_strict<F: ScalarFunction + Sync>(f: F, x: &[f64], value: f64, gradient: &[f64]) {
    let derivatives = gradient
        .iter()
        .enumerate()
        .map(|(i, g)| (vec![i], *g))
        .collect();
    common::for_each_mode(&mut Expect {
        f,
        x,
        value,
        derivatives,
        needs_strict: true,
    });
}

/// The gradient is within 4 ulp in every mode.
struct Close<'a, F> {
    f: F,
    x: &'a [f64],
    gradient: &'a [f64],
}

impl<F: ScalarFunction + Sync> Visitor for Close<'_, F> {
    fn visit<M: Mode>(&mut self) {
        for (key, found) in M::partials(&self.f, self.x) {
            if let [i] = key[..] {
                let expected = self.gradient[i];
                let error = ulps(found, expected, expected);
                assert!(
                    error <= 4.0,
                    "{} at {:?} [{i}]: {found:e}, not {expected:e}",
                    M::NAME,
                    self.x
                );
            }
        }
    }
}

#[track_caller]
fn expect_close<F: ScalarFunction + Sync>(f: F, x: &[f64], gradient: &[f64]) {
    common::for_each_mode(&mut Close { f, x, gradient });
}

#[test]
fn edge_e01_abs_at_zero() {
    expect_orders(Apply(Op::Abs), &[0.0], 0.0, &[0.0], &[(&[0, 0], 0.0)]);
    expect_orders(Apply(Op::Abs), &[-0.0], 0.0, &[0.0], &[(&[0, 0], 0.0)]);
    expect(Apply(Op::Abs), &[NAN], NAN, &[NAN]);
}

#[test]
fn edge_e02_tied_max_and_min() {
    for op in [Op::Max, Op::Min] {
        expect_orders(
            Apply(op),
            &[1.5, 1.5],
            1.5,
            &[0.5, 0.5],
            &[(&[0, 0], 0.0), (&[0, 1], 0.0)],
        );
        expect(Apply(op), &[INF, INF], INF, &[0.5, 0.5]);
    }
    // std leaves open which zero is returned; here the larger one is +0.
    for x in [[0.0, -0.0], [-0.0, 0.0]] {
        for (op, value) in [
            (Op::Max, 0.0),
            (Op::Min, -0.0),
            (Op::MaxOf, 0.0),
            (Op::MinOf, -0.0),
        ] {
            expect(Apply(op), &x, value, &[0.5, 0.5]);
        }
    }
    let third = 1.0 / 3.0;
    expect(
        Apply(Op::MaxOf),
        &[2.0, 2.0, 2.0],
        2.0,
        &[third, third, third],
    );
    expect(Apply(Op::MaxOf), &[2.0, 1.0, 2.0], 2.0, &[0.5, 0.0, 0.5]);
    expect(
        Apply(Op::MinOf),
        &[2.0, 3.0, 2.0, 2.0],
        2.0,
        &[third, 0.0, third, third],
    );
}

#[test]
fn edge_e03_max_and_min_with_nan() {
    expect(Apply(Op::Max), &[1.0, NAN], 1.0, &[1.0, 0.0]);
    expect(Apply(Op::Max), &[NAN, 1.0], 1.0, &[0.0, 1.0]);
    expect(Apply(Op::Min), &[NAN, 2.0], 2.0, &[0.0, 1.0]);
    expect(Apply(Op::Min), &[2.0, NAN], 2.0, &[1.0, 0.0]);
    expect(Apply(Op::Max), &[NAN, NAN], NAN, &[NAN, NAN]);
    expect(Apply(Op::Min), &[NAN, NAN], NAN, &[NAN, NAN]);
    expect(Apply(Op::MaxOf), &[NAN, 1.0, 0.0], 1.0, &[0.0, 1.0, 0.0]);
    expect(Apply(Op::MinOf), &[NAN, NAN], NAN, &[NAN, NAN]);
}

#[test]
fn edge_e04_clamp_at_a_bound() {
    let clamp = generic!(|x| Scalar::clamp(x[0], S::from(-1.0), S::from(2.0)));
    expect(clamp, &[-1.0], -1.0, &[0.5]);
    expect(clamp, &[2.0], 2.0, &[0.5]);
    expect(clamp, &[0.5], 0.5, &[1.0]);
    expect(clamp, &[-3.0], -1.0, &[0.0]);
    expect(clamp, &[3.0], 2.0, &[0.0]);
    for (lo, hi) in [(2.0, 1.0), (NAN, 1.0), (0.0, NAN)] {
        let panics = catch_unwind(|| Scalar::clamp(Dual::new(0.5, 1.0), lo.into(), hi.into()));
        assert!(
            panics.is_err(),
            "clamp to [{lo}, {hi}] must panic, as in std"
        );
    }
}

#[test]
fn edge_e05_relu_at_zero() {
    let relu = generic!(|x| x[0].relu());
    expect(relu, &[0.0], 0.0, &[0.0]);
    expect(relu, &[-0.0], 0.0, &[0.0]);
    expect(relu, &[-2.0], 0.0, &[0.0]);
    expect(relu, &[2.0], 2.0, &[1.0]);
    expect(relu, &[NAN], NAN, &[1.0]);
}

#[test]
fn edge_e06_steps() {
    type Plain = fn(f64) -> f64;
    let steps: [(Op, Plain); 5] = [
        (Op::Signum, f64::signum),
        (Op::Floor, f64::floor),
        (Op::Ceil, f64::ceil),
        (Op::Round, f64::round),
        (Op::Trunc, f64::trunc),
    ];
    for (op, plain) in steps {
        for x in [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.5, -1e300, INF, -INF] {
            expect_orders(Apply(op), &[x], plain(x), &[0.0], &[(&[0, 0], 0.0)]);
        }
        expect(Apply(op), &[NAN], NAN, &[NAN]);
    }
}

#[test]
fn edge_e07_sqrt_at_zero() {
    expect(Apply(Op::Sqrt), &[0.0], 0.0, &[INF]);
    expect(Apply(Op::Sqrt), &[-0.0], -0.0, &[INF]);
    expect(Apply(Op::Cbrt), &[0.0], 0.0, &[INF]);
    expect(Apply(Op::Cbrt), &[-0.0], -0.0, &[INF]);
}

#[test]
fn edge_e08_root_of_a_square_at_zero() {
    expect(generic!(|x| (x[0] * x[0]).sqrt()), &[0.0], 0.0, &[NAN]);
    expect(generic!(|x| x[0].sqrt().powi(2)), &[0.0], 0.0, &[NAN]);
}

#[test]
fn edge_e09_powi_zero() {
    for x in [0.0, -0.0, 2.0, INF, -INF, NAN] {
        let higher: &[(&[usize], f64)] = &[(&[0, 0], 0.0), (&[0, 0, 0], 0.0)];
        expect_orders(Apply(Op::Powi(0)), &[x], 1.0, &[0.0], higher);
    }
}

#[test]
fn edge_e10_powi_at_zero() {
    let at_zero = |n, d: [f64; 3]| {
        let higher: &[(&[usize], f64)] = &[(&[0, 0], d[1]), (&[0, 0, 0], d[2])];
        expect_orders(Apply(Op::Powi(n)), &[0.0], 0.0, &[d[0]], higher);
    };
    at_zero(1, [1.0, 0.0, 0.0]);
    at_zero(2, [0.0, 2.0, 0.0]);
    at_zero(3, [0.0, 0.0, 6.0]);
    // Order 4.
    let fourth = |n: i32| {
        derivative(
            |x| derivative(|x| derivative(|x| derivative(|x| powi(x, n), x), x), x),
            0.0,
        )
    };
    assert_eq!([1, 2, 3, 4].map(fourth), [0.0, 0.0, 0.0, 24.0]);
}

fn powi<S: Scalar>(x: S, n: i32) -> S {
    x.powi(n)
}

#[test]
fn edge_e11_powi_extreme_exponents() {
    for x in [0.0_f64, -0.0, 1.0, -1.0, 2.0] {
        for n in [i32::MIN, i32::MIN + 1, i32::MAX] {
            // One exponent down, in f64; at +-1 and beyond the range all roundings agree.
            let slope = f64::from(n) * x.powf(f64::from(n) - 1.0);
            expect(Apply(Op::Powi(n)), &[x], x.powi(n), &[slope]);
        }
    }
    expect(Apply(Op::Powi(-1)), &[0.0], INF, &[-INF]);
    expect(Apply(Op::Powi(-1)), &[-0.0], -INF, &[-INF]);
    expect(Apply(Op::Powi(-2)), &[0.0], INF, &[-INF]);
    expect(Apply(Op::Powi(-2)), &[-0.0], INF, &[INF]);
}

#[test]
fn edge_e12_powf_at_zero() {
    let zero: &[(&[usize], f64)] = &[(&[0, 0], 0.0)];
    expect_orders(Apply(Op::Powf(0.0)), &[0.0], 1.0, &[0.0], zero);
    expect(Apply(Op::Powf(0.5)), &[0.0], 0.0, &[INF]);
    expect_orders(Apply(Op::Powf(1.0)), &[0.0], 0.0, &[1.0], zero);
    expect(Apply(Op::Powf(1.5)), &[0.0], 0.0, &[0.0]);
    expect_orders(Apply(Op::Powf(2.0)), &[0.0], 0.0, &[0.0], &[(&[0, 0], 2.0)]);
    expect_orders(Apply(Op::Powf(2.5)), &[0.0], 0.0, &[0.0], zero);
    expect(Apply(Op::Powf(-0.5)), &[0.0], INF, &[-INF]);
}

#[test]
fn edge_e13_powf_of_negative() {
    for n in [-3, -1, 0, 1, 2, 3, 4] {
        let x: f64 = -1.5;
        let slope = if n == 0 {
            0.0
        } else {
            f64::from(n) * x.powi(n - 1)
        };
        expect_close(Apply(Op::Powf(f64::from(n))), &[x], &[slope]);
        expect_close(Apply(Op::Powi(n)), &[x], &[slope]);
        let value = x.powf(f64::from(n));
        assert!(ulps(value, x.powi(n), value) <= 2.0);
    }
    expect(Apply(Op::Powf(0.5)), &[-1.5], NAN, &[NAN]);
    expect(Apply(Op::Powf(-2.5)), &[-1.5], NAN, &[NAN]);
}

#[test]
fn edge_e14_pow_of_zero() {
    expect_strict(Apply(Op::Pow), &[0.0, 0.5], 0.0, &[INF, 0.0]);
    expect(Apply(Op::Pow), &[0.0, 1.0], 0.0, &[1.0, 0.0]);
    expect(Apply(Op::Pow), &[0.0, 1.5], 0.0, &[0.0, 0.0]);
    expect(Apply(Op::Pow), &[0.0, 2.0], 0.0, &[0.0, 0.0]);
}

#[test]
fn edge_e15_pow_zero_zero() {
    // NaN in one partial meets the structural zero of the other input.
    expect_strict(Apply(Op::Pow), &[0.0, 0.0], 1.0, &[0.0, NAN]);
}

#[test]
fn edge_e16_pow_of_negative_with_integer_exponent() {
    expect_strict(Apply(Op::Pow), &[-2.0, 3.0], -8.0, &[12.0, NAN]);
    expect_strict(Apply(Op::Pow), &[-2.0, 2.0], 4.0, &[-4.0, NAN]);
    expect(Apply(Op::Powf(3.0)), &[-2.0], -8.0, &[12.0]);
    expect_strict(
        generic!(|x| x[0].powd(S::from(3.0))),
        &[-2.0],
        -8.0,
        &[12.0],
    );
}

#[test]
fn edge_e17_atan2_at_origin() {
    for x in [[0.0, 0.0], [-0.0, 0.0], [0.0, -0.0], [-0.0, -0.0]] {
        expect(Apply(Op::Atan2), &x, x[0].atan2(x[1]), &[NAN, NAN]);
    }
}

#[test]
fn edge_e18_extreme_magnitudes() {
    for s in [1e-200, 1e200] {
        // With x = 3s, y = 4s everything is a small fraction times a power of s.
        let x = [3.0 * s, 4.0 * s];
        let unit = [4.0 / 25.0 / s, -3.0 / 25.0 / s];
        expect_close(Apply(Op::Atan2), &x, &unit);
        expect_close(Apply(Op::Hypot), &x, &[0.6, 0.8]);
        expect_close(Apply(Op::Div), &x, &[0.25 / s, -0.1875 / s]);
    }
    // The quotient of partials of very different size.
    expect_close(Apply(Op::Div), &[1e100, 1e-100], &[1e100, -1e300]);
    expect_close(Apply(Op::Norm2), &[3e200, 4e200], &[0.6, 0.8]);
    expect_close(Apply(Op::Norm2), &[3e-200, 4e-200], &[0.6, 0.8]);
}

#[test]
fn edge_e19_norms_at_zero() {
    expect(Apply(Op::Hypot), &[0.0, 0.0], 0.0, &[0.0, 0.0]);
    expect(Apply(Op::Hypot), &[-0.0, 0.0], 0.0, &[0.0, 0.0]);
    expect(Apply(Op::Norm2), &[0.0, -0.0, 0.0], 0.0, &[0.0, 0.0, 0.0]);
    expect(Apply(Op::Norm2), &[], 0.0, &[]);
    assert_eq!(Dual::<f64>::norm2_of([]).value, 0.0);
}

#[test]
fn edge_e20_logarithms_at_zero() {
    expect(Apply(Op::Ln), &[0.0], -INF, &[INF]);
    expect(Apply(Op::Log2), &[0.0], -INF, &[INF]);
    expect(Apply(Op::Log10), &[0.0], -INF, &[INF]);
    expect(Apply(Op::Log(3.0)), &[0.0], -INF, &[INF]);
    expect(Apply(Op::Ln1p), &[-1.0], -INF, &[INF]);
}

#[test]
fn edge_e21_outside_the_domain() {
    let outside: [(Op, &[f64]); 12] = [
        (Op::Ln, &[-1.0, -INF]),
        (Op::Log2, &[-1.0]),
        (Op::Log10, &[-1.0]),
        (Op::Log(3.0), &[-1.0]),
        (Op::Asin, &[2.0, -2.0, INF]),
        (Op::Acos, &[2.0, -2.0, INF]),
        (Op::Acosh, &[0.5, -2.0, -INF]),
        (Op::Atanh, &[2.0, -2.0]),
        (Op::Ln1p, &[-2.0]),
        (Op::Sqrt, &[-1.0]),
        (Op::Powf(0.5), &[-1.0]),
        (Op::Sin, &[INF]),
    ];
    for (op, points) in outside {
        for x in points {
            expect(Apply(op), &[*x], NAN, &[NAN]);
        }
    }
}

#[test]
fn edge_e22_near_zero() {
    for x in [1e-300, -1e-300] {
        expect(Apply(Op::Ln1p), &[x], x, &[1.0]);
        expect(Apply(Op::ExpM1), &[x], x, &[1.0]);
    }
}

#[test]
fn edge_e23_x_ln_x_at_zero() {
    expect(generic!(|x| x[0] * x[0].ln()), &[0.0], NAN, &[NAN]);
    expect_strict(Apply(Op::Xlogy), &[0.0, 0.0], 0.0, &[-INF, 0.0]);
    expect(Apply(Op::Xlogy), &[0.0, 2.0], 0.0, &[2.0_f64.ln(), 0.0]);
    expect(Apply(Op::Xlogy), &[0.0, NAN], NAN, &[NAN, NAN]);
}

#[test]
fn edge_e24_exp_overflows() {
    expect(Apply(Op::Exp), &[710.0], INF, &[INF]);
    expect(Apply(Op::Exp), &[-INF], 0.0, &[0.0]);
}

#[test]
fn edge_e25_tanh_far_out() {
    for x in [1000.0, INF] {
        expect(Apply(Op::Tanh), &[x], 1.0, &[0.0]);
        expect(Apply(Op::Tanh), &[-x], -1.0, &[0.0]);
    }
    // 4 e^-2x (1 - 2 e^-2x + ...) at 20 and at 300, from 60 digits.
    expect_close(Apply(Op::Tanh), &[20.0], &[1.699_341_702_116_636e-17]);
    expect_close(Apply(Op::Tanh), &[-300.0], &[1.060_158_621_201_724_3e-260]);
}

#[test]
fn edge_e26_logistic_far_left() {
    let written_out = generic!(|x| ((-x[0]).exp() + 1.0).recip());
    expect(written_out, &[-1000.0], 0.0, &[NAN]);
    expect(Apply(Op::Logistic), &[-1000.0], 0.0, &[0.0]);
    expect(Apply(Op::Logistic), &[-INF], 0.0, &[0.0]);
    expect(Apply(Op::Logistic), &[1000.0], 1.0, &[0.0]);
    expect(Apply(Op::Softplus), &[-1000.0], 0.0, &[0.0]);
    expect(Apply(Op::Softplus), &[1000.0], 1000.0, &[1.0]);
}

#[test]
fn edge_e27_at_the_border_of_the_domain() {
    let half_pi = std::f64::consts::FRAC_PI_2;
    expect(Apply(Op::Asin), &[1.0], half_pi, &[INF]);
    expect(Apply(Op::Asin), &[-1.0], -half_pi, &[INF]);
    expect(Apply(Op::Acos), &[1.0], 0.0, &[-INF]);
    expect(Apply(Op::Acos), &[-1.0], 2.0 * half_pi, &[-INF]);
    expect(Apply(Op::Atanh), &[1.0], INF, &[INF]);
    expect(Apply(Op::Atanh), &[-1.0], -INF, &[INF]);
    expect(Apply(Op::Acosh), &[1.0], 0.0, &[INF]);
    // Just inside, x = 1 - e with e = 2^-53: 1 - x^2 = 2e - e^2 without cancellation.
    let (x, e) = (1.0 - f64::EPSILON / 2.0, f64::EPSILON / 2.0);
    expect_close(Apply(Op::Asin), &[x], &[1.0 / (e * (2.0 - e)).sqrt()]);
    expect_close(Apply(Op::Atanh), &[x], &[1.0 / (e * (2.0 - e))]);
}

#[test]
fn edge_e28_log_sum_exp_of_infinities() {
    let add = Apply(Op::LogAddExp);
    expect(add, &[-INF, -INF], -INF, &[0.5, 0.5]);
    expect(add, &[INF, INF], INF, &[0.5, 0.5]);
    expect(add, &[INF, -INF], INF, &[1.0, 0.0]);
    expect(add, &[1.0, INF], INF, &[0.0, 1.0]);
    expect(add, &[-INF, 1.0], 1.0, &[0.0, 1.0]);
    expect(add, &[NAN, 1.0], NAN, &[NAN, NAN]);
    expect(add, &[INF, NAN], NAN, &[NAN, NAN]);
    let sum = Apply(Op::LogSumExp);
    expect(sum, &[-INF, -INF, -INF, -INF], -INF, &[0.25; 4]);
    expect(sum, &[INF, 2.0, INF], INF, &[0.5, 0.0, 0.5]);
    expect(sum, &[-INF, 2.0, -INF], 2.0, &[0.0, 1.0, 0.0]);
    expect(sum, &[NAN, 2.0, INF], NAN, &[NAN, NAN, NAN]);
    expect(sum, &[], -INF, &[]);
}

#[test]
fn edge_e29_division_by_zero() {
    expect_strict(Apply(Op::Div), &[1.0, 0.0], INF, &[INF, -INF]);
    expect_strict(Apply(Op::Div), &[-1.0, 0.0], -INF, &[INF, INF]);
    expect_strict(Apply(Op::Div), &[1.0, -0.0], -INF, &[-INF, -INF]);
    expect_strict(Apply(Op::Div), &[0.0, 0.0], NAN, &[INF, NAN]);
    expect(Apply(Op::Recip), &[0.0], INF, &[-INF]);
}

#[test]
fn edge_e30_zero_times_infinity() {
    expect_strict(Apply(Op::Mul), &[0.0, INF], NAN, &[INF, 0.0]);
}

#[test]
fn edge_e31_product_with_zeros() {
    expect(Apply(Op::Prod), &[2.0, 0.0, 5.0], 0.0, &[0.0, 10.0, 0.0]);
    let pair: &[(&[usize], f64)] = &[(&[0, 1], 5.0), (&[0, 2], 0.0), (&[1, 2], 0.0)];
    expect_orders(
        Apply(Op::Prod),
        &[0.0, 0.0, 5.0],
        0.0,
        &[0.0, 0.0, 0.0],
        pair,
    );
    expect(Apply(Op::Prod), &[], 1.0, &[]);
}

#[test]
fn edge_e32_remainder_at_a_multiple() {
    expect(Apply(Op::Rem), &[6.0, 3.0], 0.0, &[1.0, -2.0]);
    expect(Apply(Op::Rem), &[-6.0, 3.0], -0.0, &[1.0, 2.0]);
    expect(generic!(|x| x[0].unary(RemConst(3.0))), &[6.0], 0.0, &[1.0]);
}

#[test]
fn edge_e33_copysign_by_sign_bits() {
    let slopes = [
        ([2.0, 0.0], 1.0),
        ([2.0, -0.0], -1.0),
        ([-2.0, -0.0], 1.0),
        ([-2.0, 0.0], -1.0),
        ([0.0, 3.0], 1.0),
        ([0.0, -3.0], -1.0),
        ([-0.0, 3.0], -1.0),
        ([-0.0, -3.0], 1.0),
    ];
    for (x, slope) in slopes {
        expect(Apply(Op::Copysign), &x, x[0].copysign(x[1]), &[slope, 0.0]);
    }
}

#[test]
fn edge_e34_subnormal() {
    expect(generic!(|x| x[0] * x[0]), &[5e-324], 0.0, &[1e-323]);
    expect(Apply(Op::MulConst(0.75)), &[5e-324], 5e-324, &[0.75]);
}

/// Two functions of two variables: one that depends on both, one that ignores the second.
#[test]
fn edge_e35_non_finite_input() {
    for bad in [NAN, INF] {
        let g = gradient(|x| x[0] * x[0], &[3.0, bad]).unwrap();
        assert_eq!(g, [6.0, 0.0]);
        // The term without the bad input is exact; the other one is NaN or infinite alone.
        let g = gradient(|x: &[Var<f64>]| x[0] * x[0] + x[1] * x[1], &[3.0, bad]).unwrap();
        assert_eq!(g[0], 6.0);
        assert!(same(g[1], 2.0 * bad));
        let value = 9.0 + bad * bad;
        expect_strict(
            generic!(|x| x[0] * x[0] + x[1] * x[1]),
            &[3.0, bad],
            value,
            &[6.0, 2.0 * bad],
        );
    }
}

#[test]
fn edge_e40_select_hides_the_other_arm() {
    let f = generic!(|x| {
        let negative = x[0].lt_mask(S::from(0.0));
        S::select(!negative, x[0], (-x[0]).sqrt())
    });
    expect_orders(f, &[1.0], 1.0, &[1.0], &[(&[0, 0], 0.0), (&[0, 0, 0], 0.0)]);
}

#[test]
fn edge_e41_select_away_from_a_singularity() {
    let f = generic!(|x| {
        let zero = S::from(0.0);
        S::select(zero.lt_mask(x[0]), x[0].sqrt(), zero)
    });
    expect_orders(f, &[0.0], 0.0, &[0.0], &[(&[0, 0], 0.0)]);
}

#[test]
fn edge_e42_branch_on_equality() {
    let f = generic!(|x| if x[0] == S::from(2.0) {
        x[0]
    } else {
        x[0] * x[0]
    });
    expect(f, &[2.0], 2.0, &[1.0]);
    expect(f, &[3.0], 9.0, &[6.0]);
    // Tangents take no part in comparisons.
    assert_eq!(Dual::new(2.0, 1.0), Dual::new(2.0, 5.0));
    assert_eq!(Dual::new(2.0, 1.0), 2.0);
}

#[test]
fn edge_e50_perturbation_confusion() {
    // D(x -> x D(y -> x + y)(1))(1) = 1 and D(x -> x D(y -> x y)(1))(4) = 8.
    let sum = |x: Dual<f64>| x * derivative(|y| Dual::constant(x) + y, Dual::constant(1.0));
    assert_eq!(derivative(sum, 1.0), 1.0);
    let product = |x: Dual<f64>| x * derivative(|y| Dual::constant(x) * y, Dual::constant(1.0));
    assert_eq!(derivative(product, 4.0), 8.0);
    // Reverse inside forward.
    let inner = |x: Dual<f64>| gradient(|y| y[0] * y[1], &[Dual::constant(1.0), x]).unwrap()[0];
    assert_eq!(derivative(|x| x * inner(x), 4.0), 8.0);
    // Reverse inside reverse.
    let inner = |x: Var<f64>| gradient(|y| y[0] * y[1], &[Var::from(1.0), x]).unwrap()[0];
    assert_eq!(gradient(|x| x[0] * inner(x[0]), &[4.0]).unwrap(), [8.0]);
    // Forward inside reverse.
    let inner = |x: Var<f64>| derivative(|y| Dual::constant(x) * y, Var::from(1.0));
    assert_eq!(gradient(|x| x[0] * inner(x[0]), &[4.0]).unwrap(), [8.0]);
}

#[test]
fn edge_e54_trivial_functions_and_aliases() {
    expect(generic!(|x| x[0]), &[3.0], 3.0, &[1.0]);
    expect(
        generic!(|x| S::from(2.0) + x[0].detach()),
        &[3.0],
        5.0,
        &[0.0],
    );
    expect(
        generic!(|x| if x.is_empty() { x[0] } else { S::from(2.0) }),
        &[3.0],
        2.0,
        &[0.0],
    );
    expect_orders(
        generic!(|x| x[0] * x[0]),
        &[3.0],
        9.0,
        &[6.0],
        &[(&[0, 0], 2.0)],
    );
    let alias = generic!(|x| {
        let (y, mut x) = (x[0], x[0]);
        x *= x;
        x * y
    });
    expect_orders(
        alias,
        &[3.0],
        27.0,
        &[27.0],
        &[(&[0, 0], 18.0), (&[0, 0, 0], 6.0)],
    );
}

/// R3: `y + ln(x)` at x = 0 (ForwardDiff.jl#774).
#[test]
fn edge_r3_unused_infinity() {
    expect_strict(
        generic!(|x| x[1] + x[0].ln()),
        &[0.0, 3.0],
        -INF,
        &[INF, 1.0],
    );
}
