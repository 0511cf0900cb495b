//! The rows of EDGE_CASES.md on shapes (e70-e74), on structural zeros (R3, e35, e40, e41), on repeatability (R6), and on
//! Hessians of simple functions (e85, e86), in every mode.
//!
//! Not here: e75, which concerns reports.

use wengert::prelude::*;
use wengert::reverse::{Recorder, Workspace};

/// The same number: NaN with NaN, infinities by sign, zeros of either sign.
fn same(found: f64, expected: f64) -> bool {
    found == expected || found.is_nan() && expected.is_nan()
}

#[track_caller]
fn assert_same(found: &[f64], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let all = found.iter().zip(expected).all(|(f, e)| same(*f, *e));
    assert!(all, "{what}: found {found:?}, expected {expected:?}");
}

/// Checks a gradient by every driver that keeps R3, and the recording of closures, which keeps it without repetition.
#[track_caller]
fn check_gradient(f: &(impl ScalarFunction + Sync), x: &[f64], expected: &[f64]) {
    for mode in Mode::ALL {
        let (value, gradient) = value_and_gradient_by(f, x, mode).unwrap();
        assert!(same(value, f.call(x)));
        assert_same(&gradient, expected, &mode.to_string());
    }
    assert_same(&gradient(|x| f.call(x), x).unwrap(), expected, "gradient");
    let (_, swept) = vjp(|x| [f.call(x)], x, &[1.0]).unwrap();
    assert_same(&swept, expected, "vjp");
    let row = jacobian_reverse(
        |x| [f.call(x), x.iter().fold(Var::from(0.0), |s, x| s + *x)],
        x,
    );
    let row: Vec<f64> = row.unwrap().row(0).iter().copied().collect();
    assert_same(&row, expected, "jacobian_reverse");
}

#[track_caller]
fn check_hessian(f: &impl ScalarFunction, x: &[f64], expected: &[f64]) {
    for mode in HessianMode::ALL {
        let h = hessian_by(f, x, mode).unwrap();
        assert_same(h.as_slice(), expected, &mode.to_string());
    }
}

#[test]
fn edge_e70_wrong_lengths_are_errors_before_any_work() {
    let wrong = |what, expected, found| {
        Err::<(), _>(Error::ShapeMismatch {
            what,
            expected,
            found,
        })
    };
    assert_eq!(
        jvp(
            |_: &[Dual<f64>]| -> [Dual<f64>; 1] { unreachable!() },
            &[1.0, 2.0],
            &[1.0]
        )
        .map(drop),
        wrong("tangent", 2, 1)
    );
    assert_eq!(
        vjp(|x| [x[0], x[0]], &[1.0], &[1.0]).map(drop),
        wrong("cotangent", 2, 1)
    );
    let p = Pullback::record(|x| [x[0] * x[1]], &[2.0, 3.0]).unwrap();
    assert_eq!(p.vjp(&[]).map(drop), wrong("cotangent", 1, 0));
    let (mut workspace, mut short, mut fit) = (Workspace::new(), [9.0], [9.0; 2]);
    assert_eq!(
        p.vjp_into(&[1.0], &mut workspace, &mut short),
        wrong("gradient", 2, 1)
    );
    assert_eq!(
        p.vjp_into(&[1.0; 3], &mut workspace, &mut fit),
        wrong("cotangent", 1, 3)
    );
    assert_eq!((short, fit), ([9.0], [9.0; 2]), "nothing may be written");
    let mut prepared = PreparedGradient::new(|_: &[Var<f64>]| -> Var<f64> { unreachable!() }, 2);
    assert_eq!(
        prepared.gradient_into(&[1.0; 3], &mut fit),
        wrong("x", 2, 3)
    );
    assert_eq!(
        prepared.gradient_into(&[1.0; 2], &mut short),
        wrong("gradient", 2, 1)
    );
    assert_eq!(
        hvp(
            |_: &[Var<Dual<f64>>]| unreachable!(),
            &[1.0, 2.0],
            &[1.0; 3]
        )
        .map(drop),
        wrong("v", 2, 3)
    );
    struct Pair;
    impl ScalarFunction for Pair {
        fn inputs(&self) -> Option<usize> {
            Some(2)
        }
        fn call<S: Scalar>(&self, x: &[S]) -> S {
            x[0] * x[1]
        }
    }
    for n in [0, 1, 3] {
        let x = vec![1.0; n];
        let expected = wrong("x", 2, n);
        for mode in Mode::ALL {
            assert_eq!(jacobian(&Pair, &x, mode).map(drop), expected);
            assert_eq!(value_and_gradient_by(&Pair, &x, mode).map(drop), expected);
        }
        for mode in HessianMode::ALL {
            assert_eq!(hessian_by(&Pair, &x, mode).map(drop), expected);
        }
        assert_eq!(laplacian(&Pair, &x).map(drop), expected);
        assert_eq!(third_order(&Pair, &x).map(drop), expected);
    }
    let text = hessian(&Pair, &[1.0]).unwrap_err().to_string();
    assert_eq!(text, "x has length 1, expected 2");
    // A function that returns another number of results for another sweep of 8 columns.
    let calls = std::sync::atomic::AtomicUsize::new(0);
    let unsteady = |x: &[Lanes<f64, 8>]| {
        let call = calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        vec![x[0]; 1 + call]
    };
    assert_eq!(
        jacobian_forward(unsteady, &[1.0; 9]).map(drop),
        wrong("the result of another sweep", 1, 2)
    );
}

#[test]
fn edge_e71_no_inputs() {
    fn constant<S: Scalar>(_: &[S]) -> S {
        S::from(3.0).sin()
    }
    assert_eq!(gradient(|x: &[Var<f64>]| constant(x), &[]), Ok(vec![]));
    assert_eq!(hvp(constant, &[], &[]), Ok((3.0_f64.sin(), vec![], vec![])));
    assert_eq!(
        vjp(|x| [constant(x); 3], &[], &[1.0; 3]),
        Ok((vec![3.0_f64.sin(); 3], vec![]))
    );
    for mode in Mode::ALL {
        let f = function!(constant);
        let j = jacobian(&f, &[], mode).unwrap();
        assert_eq!(j.shape(), (1, 0), "{mode}");
        assert_eq!(
            value_and_gradient_by(&f, &[], mode),
            Ok((3.0_f64.sin(), vec![]))
        );
    }
    for mode in HessianMode::ALL {
        assert_eq!(
            hessian_by(&function!(constant), &[], mode).unwrap().shape(),
            (0, 0),
            "{mode}"
        );
    }
    assert_eq!(
        laplacian(&function!(constant), &[]),
        Ok((3.0_f64.sin(), 0.0))
    );
    assert_eq!(
        third_order(&function!(constant), &[]).unwrap().as_slice(),
        [0.0; 0]
    );
    grad(grad(function!(constant))).eval::<f64>(&[], &mut []);
    let mut prepared = PreparedGradient::new(|x: &[Var<f64>]| constant(x), 0);
    assert_eq!(
        prepared.value_and_gradient_into(&[], &mut []),
        Ok(3.0_f64.sin())
    );
}

#[test]
fn edge_e72_no_outputs() {
    fn nothing<S: Scalar>(_: &[S], _: &mut [S]) {}
    for mode in Mode::ALL {
        for n in [0, 3, 20] {
            let j = jacobian(&function!(nothing => 0), &vec![1.0; n], mode).unwrap();
            assert_eq!(j.shape(), (0, n), "{mode}");
        }
    }
    assert_eq!(vjp(|_| [], &[1.0, 2.0], &[]), Ok((vec![], vec![0.0, 0.0])));
    assert_eq!(jvp(|_| [], &[1.0, 2.0], &[1.0, 1.0]), Ok((vec![], vec![])));
}

#[test]
fn edge_e73_gradient_needs_one_output() {
    fn f<S: Scalar>(x: &[S], y: &mut [S]) {
        y.fill(x[0]);
    }
    for mode in Mode::ALL {
        for outputs in [0, 2] {
            assert_eq!(
                value_and_gradient_by(&function!(f => outputs), &[1.0], mode),
                Err(Error::NotScalar { outputs })
            );
        }
        assert_eq!(
            value_and_gradient_by(&function!(f => 1), &[4.0], mode),
            Ok((4.0, vec![1.0]))
        );
    }
}

#[test]
fn edge_e74_no_influence_gives_zero_rows_and_columns() {
    fn f<S: Scalar>(x: &[S], y: &mut [S]) {
        y[0] = x[0] * x[2];
        y[1] = S::from(7.0);
        y[2] = x[2];
        y[3] = x[11].sin() * 0.0;
    }
    let x: Vec<f64> = (1..=12).map(f64::from).collect();
    for mode in Mode::ALL {
        let j = jacobian(&function!(f => 4), &x, mode).unwrap();
        for (row, column, entry) in (0..4)
            .flat_map(|r| (0..12).map(move |c| (r, c)))
            .map(|(r, c)| (r, c, j[(r, c)]))
        {
            let expected = match (row, column) {
                (0, 0) => 3.0,
                (0, 2) | (2, 2) => 1.0,
                _ => 0.0,
            };
            assert_eq!(
                entry.to_bits() & !(1 << 63),
                f64::to_bits(expected),
                "{mode} {row} {column}"
            );
        }
    }
}

/// The founding example of R3, and relatives whose constants stand at singular points.
mod singular {
    use super::*;

    pub(super) fn sum_with_ln<S: Scalar>(x: &[S]) -> S {
        x[1] + x[0].ln()
    }
    pub(super) fn constant_roots<S: Scalar>(x: &[S]) -> S {
        let zero = S::from(0.0);
        x[0] * zero.sqrt() + (zero + x[1]) * (zero.ln().exp() + 2.0) + S::from(-0.0).cbrt() * x[1]
    }
    pub(super) fn arms<S: Scalar>(x: &[S]) -> S {
        // The losing arms have infinite or undefined derivatives.
        let positive = S::from(0.0).lt_mask(x[0]);
        S::select(positive, x[0].sqrt(), x[0] * x[1])
            + S::max(x[0].ln(), x[1])
            + S::min(x[0].recip(), x[1])
            + Scalar::clamp(x[0].ln(), S::from(-1.0), S::from(1.0))
    }
    pub(super) fn dead_code<S: Scalar>(x: &[S]) -> S {
        let dead = x[0].sqrt() / x[0];
        let _unused = [dead, dead.ln(), S::norm2_of([dead, x[1]])];
        x[0] + x[1] * x[1]
    }
}

#[test]
fn rule_r3_infinite_partial_spoils_no_other_column() {
    check_gradient(
        &function!(singular::sum_with_ln),
        &[0.0, 5.0],
        &[f64::INFINITY, 1.0],
    );
    // The second derivative is -1/x^2; everything about x1 is exactly zero.
    let minus = f64::NEG_INFINITY;
    check_hessian(
        &function!(singular::sum_with_ln),
        &[0.0, 5.0],
        &[minus, 0.0, 0.0, 0.0],
    );
    let third = third_order(&function!(singular::sum_with_ln), &[0.0, 5.0]).unwrap();
    assert_same(&third.as_slice()[1..], &[0.0; 7], "third order");
    // With more columns than one sweep holds, and the spoiler in the second sweep.
    fn many<S: Scalar>(x: &[S]) -> S {
        x[10].ln() + S::sum_of(x[..10].iter().copied())
    }
    let mut expected = [1.0; 11];
    expected[10] = f64::INFINITY;
    check_gradient(&function!(many), &[0.0; 11], &expected);
}

#[test]
fn rule_r3_constants_at_singular_points_contribute_nothing() {
    check_gradient(
        &function!(singular::constant_roots),
        &[3.0, 4.0],
        &[0.0, 2.0],
    );
    check_hessian(&function!(singular::constant_roots), &[3.0, 4.0], &[0.0; 4]);
}

#[test]
fn rule_r3_losing_arms_contribute_nothing() {
    // At (0, 5): the product (slope 5 and 0), x1 (slope 1), x1 (slope 1), the lower bound.
    check_gradient(&function!(singular::arms), &[0.0, 5.0], &[5.0, 2.0]);
    check_hessian(
        &function!(singular::arms),
        &[0.0, 5.0],
        &[0.0, 1.0, 1.0, 0.0],
    );
}

#[test]
fn rule_r3_dead_code_contributes_nothing() {
    check_gradient(&function!(singular::dead_code), &[0.0, 5.0], &[1.0, 10.0]);
    check_hessian(
        &function!(singular::dead_code),
        &[0.0, 5.0],
        &[0.0, 0.0, 0.0, 2.0],
    );
}

#[test]
fn rule_r3_numeric_zeros_are_ordinary_numbers() {
    // A cotangent or tangent of zero that the caller hands in is a number; so is a computed one.
    let p = Pullback::record(|x| [x[0].ln(), x[0]], &[0.0]).unwrap();
    assert_same(&p.vjp(&[0.0, 1.0]).unwrap(), &[f64::NAN], "cotangent zero");
    let (_, tangent) = jvp(|x| [x[0].ln()], &[0.0], &[0.0]).unwrap();
    assert_same(&tangent, &[f64::NAN], "tangent zero");
    fn computed<S: Scalar>(x: &[S]) -> S {
        x[0].sqrt() * 0.0 + x[1]
    }
    check_gradient(&function!(computed), &[0.0, 1.0], &[f64::NAN, 1.0]);
    fn square_of_root<S: Scalar>(x: &[S]) -> S {
        x[0].sqrt().powi(2)
    }
    check_gradient(&function!(square_of_root), &[0.0], &[f64::NAN]); // e08
}

#[test]
fn rule_r6_same_bits_whatever_ran_before_and_on_any_thread() {
    fn f<S: Scalar>(x: &[S]) -> S {
        let n = x.len();
        (0..n).fold(S::from(0.1), |s, i| {
            (s * x[i]).sin() + x[(i * 7) % n] / (s * s + 1.0)
        })
    }
    let x: Vec<f64> = (0..70).map(|i| (f64::from(i) * 0.37).sin()).collect();
    let f = function!(f);
    let all = || -> Vec<u64> {
        let mut numbers = Vec::new();
        for mode in Mode::ALL {
            numbers.extend(value_and_gradient_by(&f, &x, mode).unwrap().1);
        }
        for mode in HessianMode::ALL {
            numbers.extend(hessian_by(&f, &x[..20], mode).unwrap().iter());
        }
        numbers.push(laplacian(&f, &x).unwrap().1);
        numbers.into_iter().map(f64::to_bits).collect()
    };
    let first = all();
    wengert::reverse::release_memory();
    let _ = Recorder::new().gradient(|x| (0..50_000).fold(x[0], |s, _| s * x[0]), &[1.0]);
    assert_eq!(all(), first);
    assert_eq!(std::thread::scope(|s| s.spawn(all).join().unwrap()), first);
    let pool = |threads| {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap()
    };
    for threads in [1, 2, 5] {
        assert_eq!(pool(threads).install(all), first, "{threads} threads");
    }
}

#[test]
fn rule_r3_row_of_a_constant_output_is_zero() {
    let outputs = |x: &[Var<f64>]| [x[0].ln(), Var::from(3.0), x[1], x[0].sqrt() * x[1]];
    let j = jacobian_reverse(outputs, &[0.0, 5.0]).unwrap();
    let rows: Vec<f64> = j.transpose().iter().copied().collect();
    let inf = f64::INFINITY;
    assert_same(&rows, &[inf, 0.0, 0.0, 0.0, 0.0, 1.0, inf, 0.0], "rows");
}

#[test]
fn edge_e35_not_a_number_in_one_input() {
    fn f<S: Scalar>(x: &[S], y: &mut [S]) {
        y[0] = x[0] * x[1] + x[0].sin();
        y[1] = x[2] * x[3] + x[3].exp();
        y[2] = x[2] * 2.0 + 1.0;
    }
    let exact = |x: &[f64]| [x[3], x[2] + x[3].exp()];
    for poison in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let x = [poison, 2.0, 3.0, 0.5];
        for mode in Mode::ALL {
            let j = jacobian(&function!(f => 3), &x, mode).unwrap();
            let row = |i: usize| j.row(i).iter().copied().collect::<Vec<_>>();
            let sine = 2.0 + poison.cos(); // NaN
            assert_same(&row(0), &[sine, poison, 0.0, 0.0], "poisoned row");
            let [p, q] = exact(&x);
            assert_same(&row(1), &[0.0, 0.0, p, q], "row that does not depend on it");
            assert_same(&row(2), &[0.0, 0.0, 2.0, 0.0], "linear row");
        }
        // The Hessian of a sum: the block of the poisoned pair, and the exact rest.
        fn g<S: Scalar>(x: &[S]) -> S {
            x[0] * x[0] * x[1] + x[2] * x[2] * x[3]
        }
        #[rustfmt::skip]
        let expected = [
            4.0, 2.0 * poison, 0.0, 0.0,
            2.0 * poison, 0.0, 0.0, 0.0,
            0.0, 0.0, 1.0, 6.0,
            0.0, 0.0, 6.0, 0.0,
        ];
        for mode in HessianMode::ALL {
            let h = hessian_by(&function!(g), &x, mode).unwrap();
            // Rows and columns of the other pair are exact; inside the poisoned block inf - inf may become NaN.
            for (k, (found, expected)) in h.iter().zip(expected).enumerate() {
                let poisoned = k / 4 < 2 && k % 4 < 2;
                assert!(
                    same(*found, expected) || poisoned,
                    "{mode} {poison} {k}: {found} {expected}"
                );
            }
        }
    }
}

#[test]
fn edge_e40_unselected_arm_is_not_differentiated() {
    fn f<S: Scalar>(x: &[S]) -> S {
        S::select(S::from(0.0).le_mask(x[0]), x[0], (-x[0]).sqrt())
    }
    assert_eq!(f(&[1.0]), 1.0);
    check_gradient(&function!(f), &[1.0], &[1.0]);
    check_hessian(&function!(f), &[1.0], &[0.0]);
    assert_eq!(
        third_order(&function!(f), &[1.0]).unwrap().as_slice(),
        [0.0]
    );
    assert_eq!(derivative(|x| f(&[x]), 1.0), 1.0);
    assert_eq!(derivative(|x| derivative(|x| f(&[x]), x), 1.0), 0.0);
    let mut second = [9.0];
    grad(grad(function!(f))).eval(&[1.0], &mut second);
    assert_eq!(second, [0.0]);
}

#[test]
fn edge_e41_unselected_root_at_zero() {
    fn f<S: Scalar>(x: &[S]) -> S {
        let zero = S::from(0.0);
        S::select(zero.lt_mask(x[0]), x[0].sqrt(), zero)
    }
    assert_eq!(f(&[0.0]), 0.0);
    check_gradient(&function!(f), &[0.0], &[0.0]);
    check_hessian(&function!(f), &[0.0], &[0.0]);
    assert_eq!(
        third_order(&function!(f), &[0.0]).unwrap().as_slice(),
        [0.0]
    );
    assert_eq!(derivative(|x| f(&[x]), 0.0), 0.0);
    assert_eq!(derivative(|x| derivative(|x| f(&[x]), x), 0.0), 0.0);
    let mut second = [9.0];
    grad(grad(function!(f))).eval(&[0.0], &mut second);
    assert_eq!(second, [0.0]);
}

#[test]
fn edge_e85_linear_and_constant_functions_have_exactly_zero_hessians() {
    fn linear<S: Scalar>(x: &[S]) -> S {
        let s = S::sum_of(x.iter().copied()) * 3.0 - x[0] / 7.0 + 2.0;
        s - x[1] + S::dot_of(x.iter().map(|x| (*x, S::from(0.3))))
    }
    fn constant<S: Scalar>(_: &[S]) -> S {
        S::from(2.0).ln()
    }
    for n in [2, 9] {
        let x: Vec<f64> = (0..n).map(|i| 1e10 / (1.0 + f64::from(i))).collect();
        let zeros = vec![0.0; x.len() * x.len()];
        check_hessian(&function!(linear), &x, &zeros);
        check_hessian(&function!(constant), &x, &zeros);
        check_gradient(&function!(constant), &x, &vec![0.0; x.len()]);
        assert_eq!(laplacian(&function!(linear), &x).unwrap().1, 0.0);
    }
}

#[test]
fn edge_e86_hessians_are_symmetric() {
    fn f<S: Scalar>(x: &[S]) -> S {
        let s = S::dot_of(x.iter().zip(x.iter().rev()).map(|(a, b)| (*a, b.sin())));
        (s * 0.1).exp() * x[0] / (x[1] * x[1] + 1.0) + S::log_sum_exp_of(x.iter().copied())
    }
    for n in [2, 7, 8, 9, 20] {
        let x: Vec<f64> = (0..n).map(|i| (f64::from(i) * 1.7).cos()).collect();
        for mode in HessianMode::ALL {
            let h = hessian_by(&function!(f), &x, mode).unwrap();
            let asymmetry = (&h - h.transpose()).amax();
            assert!(
                h.amax() > 0.1 && asymmetry <= 8.0 * f64::EPSILON * h.amax(),
                "{mode} {n}: {asymmetry:e}"
            );
        }
    }
}
