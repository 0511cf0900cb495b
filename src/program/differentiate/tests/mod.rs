//! Derivative programs against the carriers, in every mode and at second order.

mod regions;

use crate::prelude::*;
use crate::program::Program;

fn outputs(program: &Program, x: &[f64]) -> Vec<f64> {
    let values = program.values(x).unwrap();
    program
        .outputs()
        .iter()
        .map(|y| values[y.index()])
        .collect()
}

#[track_caller]
fn assert_close(found: &[f64], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = expected
        .iter()
        .filter(|x| x.is_finite())
        .fold(1e-300_f64, |m, x| m.max(x.abs()));
    for (i, (a, b)) in found.iter().zip(expected).enumerate() {
        let is_same = a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= 1e-12 * largest;
        assert!(
            is_same,
            "{what}[{i}]: found {a:e}, expected {b:e}\n{found:?}\n{expected:?}"
        );
    }
}

fn concat(parts: &[&[f64]]) -> Vec<f64> {
    parts.concat()
}

/// All programs of first and second order of a scalar function against the carriers.
fn check<F: ScalarFunction + Copy>(f: F, x: &[f64], name: &str) {
    let n = x.len();
    let program = Program::record(|x| [f.call(x)], x).unwrap();
    let function = |x: &[f64]| f.call(x);
    let (value, g) = (function(x), gradient(|x| f.call(x), x).unwrap());
    let h = hessian(&f, x).unwrap();
    let h = h.as_slice();
    let v: Vec<f64> = (0..n).map(|i| 0.5 + (i as f64 * 1.3).sin()).collect();
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let hv: Vec<f64> = (0..n).map(|i| dot(&h[i * n..(i + 1) * n], &v)).collect();

    assert_close(
        &outputs(&program.gradient().unwrap(), x),
        &g,
        &format!("{name}: gradient"),
    );
    let vg = outputs(&program.value_and_gradient().unwrap(), x);
    assert_close(
        &vg,
        &concat(&[&[value], &g]),
        &format!("{name}: value and gradient"),
    );
    let jvp = program.jvp().unwrap();
    assert_close(
        &outputs(&jvp, &concat(&[x, &v])),
        &[value, dot(&g, &v)],
        &format!("{name}: jvp"),
    );
    let vjp = program.vjp().unwrap();
    let twice: Vec<f64> = g.iter().map(|g| 2.0 * g).collect();
    let found = outputs(&vjp, &concat(&[x, &[2.0]]));
    assert_close(
        &found,
        &concat(&[&[value], &twice]),
        &format!("{name}: vjp"),
    );
    for (sparse, mode) in [
        (super::jacobian::forward(&program).unwrap(), "forward"),
        (super::jacobian::reverse(&program).unwrap(), "reverse"),
    ] {
        let mut dense = vec![0.0; n];
        for ((_, column), value) in sparse.1.iter().zip(outputs(&sparse.0, x)) {
            dense[*column as usize] = value;
        }
        assert_close(&dense, &g, &format!("{name}: {mode} Jacobian"));
    }
    assert_close(
        &outputs(&program.hessian().unwrap(), x),
        h,
        &format!("{name}: hessian"),
    );
    assert_close(
        &outputs(&program.hvp().unwrap(), &concat(&[x, &v])),
        &hv,
        &format!("{name}: hvp"),
    );
    let by_forward = program.gradient().unwrap().jacobian().unwrap();
    assert_close(
        &outputs(&by_forward, x),
        h,
        &format!("{name}: jacobian of gradient"),
    );
    // Reverse over reverse, forward over forward, reverse over forward.
    let vjp = program.gradient().unwrap().vjp().unwrap();
    assert_close(
        &outputs(&vjp, &concat(&[x, &v]))[n..],
        &hv,
        &format!("{name}: vjp of gradient"),
    );
    let zero = vec![0.0; n];
    let twice = program.jvp().unwrap().jvp().unwrap();
    let found = outputs(&twice, &concat(&[x, &v, &v, &zero]));
    assert_close(&found[3..], &[dot(&v, &hv)], &format!("{name}: jvp of jvp"));
    let mixed = program.jvp().unwrap().vjp().unwrap();
    let found = outputs(&mixed, &concat(&[x, &v, &[0.0, 1.0]]));
    assert_close(&found[2..2 + n], &hv, &format!("{name}: vjp of jvp"));
}

macro_rules! case {
    ($name:expr, |$x:ident| $body:expr, $at:expr) => {{
        #[derive(Clone, Copy)]
        struct Case;
        impl ScalarFunction for Case {
            fn call<S: Scalar>(&self, $x: &[S]) -> S {
                $body
            }
        }
        check(Case, &$at, $name);
    }};
}

#[test]
fn elementary_functions_agree_with_carriers() {
    case!(
        "arithmetic",
        |x| (x[0] * x[1] - x[2] / x[0] + 3.0) * x[1] - x[2] * 2.0 / 5.0,
        [1.3, 0.7, -2.1]
    );
    case!(
        "exp",
        |x| x[0].exp() * x[1].ln() + x[0].sin() * x[1].cos() + x[0].tan(),
        [0.3, 1.7]
    );
    case!(
        "pow",
        |x| x[0].powd(x[1]) + x[0].powi(3) + x[1].powf(2.5) + x[0].sqrt().recip(),
        [1.3, 0.7]
    );
    case!(
        "hyperbolic",
        |x| x[0].tanh() * x[1].sinh() + x[0].cosh().ln(),
        [0.3, 0.7]
    );
    case!(
        "inverse",
        |x| x[0].asin() + x[1].acos() * x[0].atan() + x[0].atan2(x[1]) + x[0].hypot(x[1]),
        [0.3, 0.7]
    );
    case!(
        "special",
        |x| x[0].erf_() * x[1].lgamma()
            + x[0].logistic() * x[1].softplus()
            + x[0].log_add_exp(x[1]),
        [0.3, 1.7]
    );
    case!(
        "nary",
        |x| S::sum_of(x.iter().map(|x| x.sin())) * S::prod_of(x.iter().copied())
            + S::norm2_of(x.iter().copied()),
        [0.3, 1.7, -0.4, 2.2]
    );
    case!(
        "log_sum_exp",
        |x| S::log_sum_exp_of(x.iter().map(|x| *x * *x)) + S::squared_norm_of(x.iter().copied()),
        [0.3, 1.7, -0.4]
    );
    case!(
        "dot",
        |x| S::dot_of(x.iter().copied().zip(x[1..].iter().map(|x| x.exp()))),
        [0.3, 1.7, -0.4]
    );
    case!(
        "mul_add",
        |x| x[0].mul_add(x[1], x[2] * x[0]),
        [0.3, 1.7, -0.4]
    );
    case!(
        "max",
        |x| Scalar::max(x[0] * x[1], x[1] * x[1])
            + Scalar::min(x[0].exp(), x[1])
            + x[0].abs() * x[1],
        [0.3, 1.7]
    );
    case!(
        "max_of",
        |x| S::max_of(&[x[0] * x[1], x[1].sin(), x[0]]) * S::min_of(x),
        [0.3, 1.7]
    );
    case!(
        "select",
        |x| S::select(x[0].lt_mask(x[1]), x[0] * x[1], x[0].exp()) * x[0] + x[1].relu(),
        [0.3, 1.7]
    );
    case!(
        "unused",
        |x| x[1] * x[1] + x[0].floor() + x[0].detach() * x[1],
        [2.5, 3.0, 4.0]
    );
    case!("constant", |x| x[0] * 0.0 + 3.0, [2.5, 3.0]);
    case!("identity", |x| x[0], [2.5]);
    case!(
        "negations",
        |x| -x[0] - x[1] - (-x[0] * x[1]) - x[0] - x[1],
        [2.5, 3.0]
    );
}

#[test]
fn edge_e40_e41_arms_that_are_not_selected_poison_nothing() {
    case!(
        "e40",
        |x| S::select(S::from(0.0).le_mask(x[0]), x[0], (-x[0]).sqrt()),
        [1.0]
    );
    case!(
        "e40 deeper",
        |x| S::select(
            S::from(0.0).le_mask(x[0]),
            x[0] * x[0],
            ((-x[0]).sqrt().ln() * x[0]).exp()
        ),
        [1.0]
    );
    case!(
        "e41",
        |x| S::select(S::from(0.0).lt_mask(x[0]), x[0].sqrt(), S::from(0.0)),
        [0.0]
    );
    case!("max", |x| Scalar::max(x[0], (-x[0]).sqrt().sqrt()), [1.0]);
    case!("min", |x| Scalar::min(x[0] - 1.0, x[0].sqrt()), [0.0]);
    case!(
        "clamp",
        |x| Scalar::max(x[0].sqrt(), S::from(1.0)) * 2.0,
        [0.0]
    );
    case!(
        "two arms",
        |x| {
            let u = x[0].sqrt();
            let m = S::from(0.0).lt_mask(x[0]);
            S::select(m, u, x[1]) + S::select(S::from(1.0).lt_mask(x[0]), u, x[1] * x[1])
        },
        [0.0, 3.0]
    );
}

#[test]
fn edge_e02_ties_share_and_r3_structural_zeros_multiply_nothing() {
    let tie = Program::record(
        |x| {
            [
                Scalar::max(x[0], x[1]),
                S2::max_of(x),
                Scalar::min(x[0], x[1]),
            ]
        },
        &[1.0, 1.0],
    )
    .unwrap();
    assert_eq!(outputs(&tie.jacobian().unwrap(), &[1.0, 1.0]), [0.5; 6]);
    assert_eq!(
        outputs(&tie.jvp().unwrap(), &[1.0, 1.0, 1.0, 0.0])[3..],
        [0.5; 3]
    );
    let vjp = outputs(&tie.vjp().unwrap(), &[1.0, 1.0, 1.0, 0.0, 0.0]);
    assert_eq!(vjp[3..], [0.5, 0.5]);
    let r3 = Program::record(|x| [x[1] + x[0].ln()], &[0.0, 1.0]).unwrap();
    assert_eq!(
        outputs(&r3.gradient().unwrap(), &[0.0, 1.0]),
        [f64::INFINITY, 1.0]
    );
    assert_eq!(
        outputs(&r3.jacobian().unwrap(), &[0.0, 1.0]),
        [f64::INFINITY, 1.0]
    );
    let domain = Program::record(|x| [x[0].ln()], &[-1.0]).unwrap();
    assert!(outputs(&domain.gradient().unwrap(), &[-1.0])[0].is_nan());
}

type S2 = crate::program::Traced;

#[test]
fn guards_are_kept_and_shapes_are_checked() {
    let program = Program::record(
        |x| {
            [
                if x[0] * x[1] > x[1] {
                    x[0] * x[1]
                } else {
                    x[0]
                },
                x[1],
            ]
        },
        &[2.0, 3.0],
    )
    .unwrap();
    assert!(matches!(
        program.gradient(),
        Err(Error::NotScalar { outputs: 2 })
    ));
    for derivative in [program.jvp(), program.vjp(), program.jacobian()] {
        let derivative = derivative.unwrap();
        assert_eq!(derivative.guards().len(), 1);
        let inputs: Vec<f64> = (0..derivative.inputs())
            .map(|k| [2.0, 3.0, 7.0, 9.0][k])
            .collect();
        let values = derivative.values(&inputs).unwrap();
        let nodes: Vec<f64> = derivative.guards()[0]
            .question
            .nodes()
            .map(|v| values[v.index()])
            .collect();
        // Which side is asked first is up to the recorder.
        assert!(nodes == [6.0, 3.0] || nodes == [3.0, 6.0], "{nodes:?}");
    }
    let empty = Program::record(|_| [] as [S2; 0], &[1.0]).unwrap();
    assert_eq!(outputs(&empty.vjp().unwrap(), &[1.0]), [0.0]);
    assert_eq!(empty.jacobian().unwrap().outputs().len(), 0);
    let nothing = Program::record(|_| [S2::from(3.0)], &[]).unwrap();
    assert_eq!(nothing.gradient().unwrap().outputs().len(), 0);
    assert_eq!(outputs(&nothing.jvp().unwrap(), &[]), [3.0, 0.0]);
}
