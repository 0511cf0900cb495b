//! Every operation at special values as a program: section A of EDGE_CASES.md holds in programs at every width.
//!
//! Invariant: the value at one lane has the bits of plain `f64`, at more lanes it is within 4 units in the last place (R1); an
//! entry of the gradient is finite exactly where that of the tape is, and then the same to rounding (R2).

mod common;

use common::programs::{WIDTHS, assert_outputs, naive, record_scalar};
use common::{Apply, operations, same_bits, ulps};
use wengert::elementary::Op;
use wengert::prelude::*;
use wengert::program::{Program, ReplayOptions, Width};

const INF: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;

/// Where operations have kinks, zeros, poles, ends of their domains, and where they overflow.
const SPECIAL: [f64; 31] = [
    0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, -3.5, 1e-300, -1e-300, 5e-324, -1e-310, 1e300,
    -1e300, 709.0, 711.0, -744.0, -1000.0, 1000.0, 300.0, 1e-9, -1e-17, 1e18, 22.0, -40.0,
    1.0000001, INF, -INF, NAN,
];

/// All points of an operation: the first two arguments vary, the others stay.
fn points(arity: usize) -> Vec<Vec<f64>> {
    let mut points = Vec::new();
    for a in SPECIAL {
        for b in SPECIAL {
            let mut x = vec![1.25; arity];
            x[0] = a;
            if arity > 1 {
                x[1] = b;
            }
            points.push(x);
            if arity == 1 {
                break;
            }
        }
    }
    points
}

/// The outputs at all points, together.
fn batch(program: &Program, points: &[Vec<f64>], width: Width) -> Vec<Vec<f64>> {
    let options = ReplayOptions { width, threads: 1 };
    let mut batch = program.prepare_batch(&options).unwrap();
    let m = program.outputs().len();
    let mut y = vec![NAN; m * points.len()];
    assert_eq!(batch.run(&points.concat(), &mut y), Ok(vec![]));
    y.chunks(m).map(<[f64]>::to_vec).collect()
}

/// Whether the operation is constant between its jumps.
fn is_step(op: Op) -> bool {
    use Op::{Ceil, Floor, Round, Sign0, SignBit, Signum, Trunc};
    matches!(op, Sign0 | SignBit | Signum | Floor | Ceil | Round | Trunc)
}

#[test]
fn values_at_special_points() {
    let mut failures = Vec::new();
    for (op, arity) in operations() {
        let program = record_scalar(&Apply(op), &vec![0.5; arity]);
        assert!(program.guards().is_empty(), "{op}");
        let points = points(arity);
        for width in WIDTHS {
            for (x, found) in points.iter().zip(batch(&program, &points, width)) {
                let expected = Apply(op).call(x);
                let holds = match width {
                    Width::One => same_bits(found[0], expected),
                    // std takes the logarithm of a number close to 1 and loses digits, which vectors do not.
                    _ if op == Op::Acosh => ulps(found[0], expected, expected.max(1.0)) <= 4.0,
                    _ => ulps(found[0], expected, expected) <= 4.0,
                };
                if !holds {
                    failures.push(format!(
                        "{op} {x:?} {width:?}: {:e}, not {expected:e}",
                        found[0]
                    ));
                }
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{} failures:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

#[test]
fn gradients_at_special_points() {
    let mut failures = Vec::new();
    for (op, arity) in operations() {
        let f = Apply(op);
        let gradient_program = record_scalar(&f, &vec![0.5; arity]).gradient().unwrap();
        let points = points(arity);
        for width in WIDTHS {
            let simple = gradient_program.simplify().unwrap();
            for program in [&gradient_program, &simple] {
                for (x, found) in points.iter().zip(batch(program, &points, width)) {
                    let expected = gradient(|x| f.call(x), x).unwrap();
                    let largest = expected
                        .iter()
                        .filter(|p| p.is_finite())
                        .fold(0.0_f64, |m, p| m.max(p.abs()));
                    for (k, (a, b)) in found.iter().zip(&expected).enumerate() {
                        // Non-finite entries may differ in kind.
                        let holds = match (a.is_finite(), b.is_finite()) {
                            (true, true) => ulps(*a, *b, largest) <= 64.0,
                            // A step has no edge in a program, so that patterns are sparse: 0 also at NaN.
                            (true, false) if is_step(op) => x[0].is_nan() && *a == 0.0,
                            (a, b) => a == b,
                        };
                        if !holds {
                            let place = format!("{op} {x:?} {width:?} entry {k}");
                            failures.push(format!("{place}: {a:e}, not {b:e}"));
                        }
                    }
                }
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{} failures:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

/// With seeds that are inputs a quotient passes them on by one division: finite exactly where the partials say so, and then
/// the same to rounding. Of a subnormal denominator the reciprocal overflows, which only the partials avoid.
#[test]
fn edge_e29_shared_quotients_agree_with_the_partials() {
    let program = record_scalar(&Apply(Op::Div), &[0.5; 2]);
    let (along, back) = (program.jvp().unwrap(), program.vjp().unwrap());
    let (dx, dy, w) = (0.75, -2.5, -1.75);
    let check = |x: &[f64], found: f64, expected: f64, size: f64| {
        let is_same = found.is_finite() == expected.is_finite();
        let is_close = !found.is_finite() || ulps(found, expected, size) <= 8.0;
        assert!(is_same && is_close, "{x:?}: {found:e}, not {expected:e}");
    };
    for x in points(2) {
        let (p, q) = (x[1].recip(), -(x[0] / x[1] / x[1]));
        let tangent = naive(&along, &[x[0], x[1], dx, dy])[1];
        check(
            &x,
            tangent,
            p * dx + q * dy,
            (p * dx).abs().max((q * dy).abs()),
        );
        if !x[1].is_subnormal() {
            let adjoints = naive(&back, &[x[0], x[1], w]);
            check(&x, adjoints[1], w * p, w * p);
            check(&x, adjoints[2], w * q, w * q);
        }
    }
}

/// Gradient and Hessian at a point by programs, exactly.
#[track_caller]
fn expect<F: ScalarFunction>(f: &F, x: &[f64], value: f64, first: &[f64], second: &[f64]) {
    let program = record_scalar(f, x);
    let simple = program.simplify().unwrap();
    for program in [&program, &simple] {
        assert_eq!(naive(program, x), [value]);
        assert_outputs(&program.gradient().unwrap(), x, first, 0.0, "gradient");
        assert_outputs(&program.jacobian().unwrap(), x, first, 0.0, "Jacobian");
        if !second.is_empty() {
            let hessian = program.hessian().unwrap();
            assert_outputs(&hessian, x, second, 0.0, "Hessian");
        }
    }
}

#[test]
fn edge_e01_absolute_value_at_zero() {
    for zero in [0.0, -0.0] {
        expect(&generic!(|x| x[0].abs()), &[zero], 0.0, &[0.0], &[0.0]);
    }
}

#[test]
fn edge_e02_ties_share() {
    let max = generic!(|x| Scalar::max(x[0], x[1]));
    expect(&max, &[3.0, 3.0], 3.0, &[0.5, 0.5], &[0.0; 4]);
    expect(&max, &[0.0, -0.0], 0.0, &[0.5, 0.5], &[0.0; 4]);
    let min = generic!(|x| S::min_of(x));
    let third = 1.0 / 3.0;
    expect(&min, &[2.0; 3], 2.0, &[third; 3], &[]);
    expect(&min, &[2.0, 5.0, 2.0], 2.0, &[0.5, 0.0, 0.5], &[]);
    // A loser that has no finite derivative contributes nothing.
    let max = generic!(|x| Scalar::max(x[0], x[1].sqrt()));
    expect(&max, &[3.0, 0.0], 3.0, &[1.0, 0.0], &[0.0; 4]);
}

#[test]
fn edge_e05_e06_kinks_and_steps() {
    expect(&generic!(|x| x[0].relu()), &[0.0], 0.0, &[0.0], &[0.0]);
    expect(&generic!(|x| x[0].floor()), &[2.0], 2.0, &[0.0], &[0.0]);
    expect(
        &generic!(|x| x[0].round() * x[0]),
        &[2.5],
        7.5,
        &[3.0],
        &[0.0],
    );
}

#[test]
fn edge_e07_e12_roots_and_powers_at_zero() {
    expect(&generic!(|x| x[0].sqrt()), &[0.0], 0.0, &[INF], &[]);
    expect(&generic!(|x| x[0].cbrt()), &[0.0], 0.0, &[INF], &[]);
    expect(&generic!(|x| x[0].powi(0)), &[0.0], 1.0, &[0.0], &[0.0]);
    expect(&generic!(|x| x[0].powi(1)), &[0.0], 0.0, &[1.0], &[0.0]);
    expect(&generic!(|x| x[0].powi(2)), &[0.0], 0.0, &[0.0], &[2.0]);
    expect(&generic!(|x| x[0].powi(3)), &[0.0], 0.0, &[0.0], &[0.0]);
    expect(&generic!(|x| x[0].powf(0.0)), &[0.0], 1.0, &[0.0], &[]);
    expect(&generic!(|x| x[0].powf(0.5)), &[0.0], 0.0, &[INF], &[]);
    expect(&generic!(|x| x[0].powf(1.0)), &[0.0], 0.0, &[1.0], &[0.0]);
    expect(&generic!(|x| x[0].powf(2.0)), &[0.0], 0.0, &[0.0], &[2.0]);
    expect(&generic!(|x| x[0].powf(-1.0)), &[0.0], INF, &[-INF], &[]);
    // The exponent is active.
    let pow = generic!(|x| x[0].powd(x[1]));
    expect(&pow, &[0.0, 2.0], 0.0, &[0.0, 0.0], &[]);
    expect(&pow, &[0.0, 0.0], 1.0, &[0.0, NAN], &[]);
    expect(&pow, &[-2.0, 3.0], -8.0, &[12.0, NAN], &[]);
}

#[test]
fn edge_e19_norms_at_zero() {
    expect(
        &generic!(|x| Scalar::hypot(x[0], x[1])),
        &[0.0; 2],
        0.0,
        &[0.0; 2],
        &[],
    );
    let norm = generic!(|x| S::norm2_of(x.iter().copied()));
    expect(&norm, &[0.0; 3], 0.0, &[0.0; 3], &[]);
    expect(&norm, &[3.0, 4.0], 5.0, &[0.6, 0.8], &[]);
    expect(&norm, &[], 0.0, &[], &[]);
}

#[test]
fn edge_e25_e26_saturation() {
    for x in [1000.0, -1000.0] {
        expect(&generic!(|x| x[0].tanh()), &[x], x.signum(), &[0.0], &[]);
    }
    let built_in = generic!(|x| Scalar::logistic(x[0]));
    expect(&built_in, &[-1000.0], 0.0, &[0.0], &[0.0]);
    let by_hand = generic!(|x| ((-x[0]).exp() + 1.0).recip());
    expect(&by_hand, &[-1000.0], 0.0, &[NAN], &[]);
}

#[test]
fn edge_e28_log_sum_exp_at_infinity() {
    let f = generic!(|x| S::log_sum_exp_of(x.iter().copied()));
    expect(&f, &[-INF, -INF], -INF, &[0.5, 0.5], &[]);
    expect(&f, &[INF, 1.0], INF, &[1.0, 0.0], &[]);
}

#[test]
fn edge_e31_products_with_zeros() {
    let f = generic!(|x| S::prod_of(x.iter().copied()));
    let one = [0.0, 3.0, 2.0, 3.0, 0.0, 0.0, 2.0, 0.0, 0.0];
    expect(&f, &[0.0, 2.0, 3.0], 0.0, &[6.0, 0.0, 0.0], &one);
    let two = [0.0, 3.0, 0.0, 3.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    expect(&f, &[0.0, 0.0, 3.0], 0.0, &[0.0; 3], &two);
}
