//! Checks that must pass, checks that must fail, and points that must not be certified.

use std::sync::atomic::{AtomicU32, Ordering};

use super::compare::Comparison;
use super::differences::{Direction, differences};
use super::{Check, Options, Report, Verdict, check_gradient, check_hessian, check_jacobian};
use crate::elementary::{FirstOrder, FirstOrderRule};
use crate::function;
use crate::prelude::*;

fn passes(report: &Report) {
    assert!(report.is_passed(), "{report}");
    assert_eq!(report.verdict(), Verdict::Passed);
}

fn is_kink(report: &Report) -> (usize, f64) {
    assert!(!report.is_passed(), "{report}");
    match report.verdict() {
        Verdict::Kink { column, within, .. } => (column, within),
        _ => panic!("{report}"),
    }
}

fn check<'a>(report: &'a Report, name: &str) -> &'a Check {
    let found = report.checks.iter().find(|check| check.name == name);
    found.unwrap_or_else(|| panic!("no check `{name}` in\n{report}"))
}

/// A function of one variable, checked to first order.
macro_rules! at {
    ($x:expr, $f:expr) => {{
        fn f<S: Scalar>(x: &[S]) -> S {
            let f: fn(S) -> S = $f;
            f(x[0])
        }
        check_gradient(&function!(f), &[$x])?
    }};
}

/// The same to second order.
macro_rules! second_at {
    ($x:expr, $f:expr) => {{
        fn f<S: Scalar>(x: &[S]) -> S {
            let f: fn(S) -> S = $f;
            f(x[0])
        }
        check_hessian(&function!(f), &[$x])?
    }};
}

fn mixed<S: Scalar>(x: &[S], y: &mut [S]) {
    let n = x.len();
    for (i, y) in y.iter_mut().enumerate() {
        let (a, b, c) = (x[i % n], x[(3 * i + 1) % n], x[(7 * i + 2) % n]);
        *y = (a * b).sin() + c.exp() * a - (b * b + 1.0).ln() / (c * c + 2.0);
    }
}

fn chained<S: Scalar>(x: &[S]) -> S {
    let terms = x
        .windows(2)
        .map(|w| (w[1] - w[0] * w[0]).powi(2) + (w[0] * w[1]).sin());
    terms.fold(S::from(1.0), |sum, term| sum + term)
}

fn points(n: u32) -> Vec<f64> {
    (0..n).map(|i| (1.7 * f64::from(i)).sin() + 0.1).collect()
}

#[test]
fn smooth_functions_pass() -> Result<(), Error> {
    for (n, m) in [(1, 1), (3, 2), (2, 5), (20, 20), (30, 20)] {
        let x = points(n);
        let report = check_jacobian(&function!(mixed => m), &x)?;
        passes(&report);
        let full = x.len() * m <= 400;
        let compared = if full { x.len() * m } else { 3 * m };
        let forward = check(&report, "forward = differences");
        assert_eq!((forward.compared, forward.projected), (compared, !full));
        assert_eq!(check(&report, "forward = reverse").compared, x.len() * m);
        assert_eq!(check(&report, "dot product").compared, 3);
        assert_eq!((report.inputs, report.outputs), (x.len(), m));
    }
    Ok(())
}

#[test]
fn smooth_gradients_and_hessians_pass() -> Result<(), Error> {
    for n in [2, 5, 20, 30] {
        passes(&check_gradient(&function!(chained), &points(n))?);
        passes(&check_hessian(&function!(chained), &points(n))?);
    }
    let many = points(1000);
    let report = check_gradient(&function!(chained), &many)?;
    passes(&report);
    assert!(check(&report, "reverse = differences").projected);
    passes(&check_hessian(&function!(chained), &points(300))?);
    Ok(())
}

#[test]
fn empty_shapes_pass() -> Result<(), Error> {
    fn constant<S: Scalar>(_: &[S]) -> S {
        S::from(3.0)
    }
    fn nothing<S: Scalar>(_: &[S], _: &mut [S]) {}
    let report = check_gradient(&function!(constant), &[])?;
    passes(&report);
    assert_eq!(check(&report, "value").compared, 3);
    passes(&check_gradient(&function!(constant), &[1.0, 2.0])?);
    passes(&check_hessian(&function!(constant), &[])?);
    passes(&check_hessian(&function!(constant), &[1.0])?);
    passes(&check_jacobian(&function!(nothing => 0), &[1.0, 2.0])?);
    passes(&check_jacobian(&function!(nothing => 0), &[])?);
    Ok(())
}

#[test]
fn more_than_dense_pass_by_products_and_a_wrong_one_fails() -> Result<(), Error> {
    fn sums<S: Scalar>(x: &[S], y: &mut [S]) {
        for (i, y) in y.iter_mut().enumerate() {
            *y = x[i].sin() * x[i + 1];
        }
    }
    fn wrong<S: Scalar>(x: &[S], y: &mut [S]) {
        sums(x, y);
        y[0] = Scalar::custom(&Scaled(1.0 + 1e-3), &x[..1]);
    }
    let x = points(301);
    let report = check_jacobian(&function!(sums => 300), &x)?;
    passes(&report);
    assert!(check(&report, "repeated").projected);
    let report = check_jacobian(&function!(wrong => 300), &x)?;
    assert_eq!(report.verdict(), Verdict::Failed);
    let worst = check(&report, "forward = differences")
        .worst
        .expect("300 outputs");
    assert_eq!(worst.row, 0);
    Ok(())
}

#[test]
fn wrong_shapes_are_errors() {
    struct Two;
    impl ScalarFunction for Two {
        fn inputs(&self) -> Option<usize> {
            Some(2)
        }
        fn call<S: Scalar>(&self, x: &[S]) -> S {
            x[0] * x[1]
        }
    }
    let expected = Error::ShapeMismatch {
        what: "x",
        expected: 2,
        found: 3,
    };
    assert_eq!(check_gradient(&Two, &[1.0; 3]), Err(expected.clone()));
    assert_eq!(check_hessian(&Two, &[1.0; 3]), Err(expected));
    let vector = check_gradient(&function!(mixed => 2), &[1.0]);
    assert_eq!(vector, Err(Error::NotScalar { outputs: 2 }));
}

/// The identity with a partial that is wrong by a factor.
struct Scaled(f64);

impl CustomRule for Scaled {
    fn value(&self, x: &[f64]) -> f64 {
        x[0]
    }
    fn partials<T: Scalar>(&self, _: &[T], _: T, out: &mut [Option<T>]) {
        out[0] = Some(T::from(self.0));
    }
}

#[test]
fn a_wrong_partial_fails_where_the_modes_agree() -> Result<(), Error> {
    for (error, fails) in [(1e-2, true), (1e-6, true), (1e-8, true), (0.0, false)] {
        let rule = move |x: &[f64]| {
            fn f<S: Scalar>(x: &[S], error: &f64) -> S {
                x[0].sin() * Scalar::custom(&Scaled(1.0 + *error), &x[1..2])
            }
            check_gradient(&function!(f, error: f64), x)
        };
        let report = rule(&[0.5, 2.0])?;
        assert_eq!(report.is_passed(), !fails, "{error}\n{report}");
        assert_eq!(check(&report, "forward = reverse").verdict, Verdict::Passed);
        if fails {
            assert_eq!(report.verdict(), Verdict::Failed, "{report}");
            let worst = check(&report, "reverse = differences")
                .worst
                .expect("2 entries");
            assert_eq!(worst.column, 1);
            assert!((worst.expected - 0.5_f64.sin()).abs() < 1e-9);
        }
    }
    Ok(())
}

/// The square, right to first order; its partial's own partial is wrong.
struct WrongCurvature;

impl CustomRule for WrongCurvature {
    fn value(&self, x: &[f64]) -> f64 {
        x[0] * x[0]
    }
    fn partials<T: Scalar>(&self, x: &[T], _: T, out: &mut [Option<T>]) {
        out[0] = Some(x[0] + x[0].detach());
    }
}

struct Square;

impl FirstOrderRule for Square {
    fn value(&self, x: &[f64]) -> f64 {
        x[0] * x[0]
    }
    fn partials(&self, x: &[f64], _: f64, out: &mut [f64]) {
        out[0] = 2.0 * x[0];
    }
}

#[test]
fn a_wrong_second_partial_fails_at_order_two_only() -> Result<(), Error> {
    let first = at!(1.5, |x| Scalar::custom(&WrongCurvature, &[x]));
    passes(&first);
    let second = second_at!(1.5, |x| Scalar::custom(&WrongCurvature, &[x]));
    assert_eq!(second.verdict(), Verdict::Failed, "{second}");
    for mode in HessianMode::ALL {
        let differences = check(&second, &format!("{mode} = differences of the gradient"));
        let worst = differences.worst.expect("one entry");
        assert_eq!((differences.verdict, worst.found), (Verdict::Failed, 1.0));
        assert!((worst.expected - 2.0).abs() < 1e-9);
    }
    Ok(())
}

#[test]
fn r5_a_rule_without_second_partials_is_not_certified_at_order_two() -> Result<(), Error> {
    passes(&at!(1.5, |x| Scalar::custom(&FirstOrder(Square), &[x])));
    let second = second_at!(1.5, |x| Scalar::custom(&FirstOrder(Square), &[x]));
    assert!(!second.is_passed());
    assert_eq!(
        second.verdict(),
        Verdict::NotFinite { row: 0, column: 0 },
        "{second}"
    );
    assert!(second.to_string().contains("not finite"), "{second}");
    Ok(())
}

#[test]
fn modes_that_disagree_fail() -> Result<(), Error> {
    // The value is the same for all carriers, the derivative is doubled in those whose name is given.
    fn doubled<S: Scalar>(x: &[S], carrier: &&'static str) -> S {
        let y = x[0].sin() * x[1];
        let is_it = std::any::type_name::<S>().contains(*carrier);
        if is_it { y + (y - y.detach()) } else { y }
    }
    for (carrier, wrong, right) in [
        ("Var<", "reverse", "forward"),
        ("Lanes<", "forward", "reverse"),
    ] {
        let f = function!(doubled, carrier: &'static str);
        let report = check_gradient(&f, &[0.5, 2.0])?;
        assert_eq!(report.verdict(), Verdict::Failed, "{report}");
        assert_eq!(check(&report, "value").verdict, Verdict::Passed);
        assert_eq!(check(&report, "forward = reverse").verdict, Verdict::Failed);
        let verdict = |mode| check(&report, &format!("{mode} = differences")).verdict;
        assert_eq!(
            (verdict(wrong), verdict(right)),
            (Verdict::Failed, Verdict::Passed)
        );
    }
    let carrier = "Dual<";
    let report = check_gradient(&function!(doubled, carrier: &'static str), &[0.5, 2.0])?;
    assert_eq!(
        check(&report, "dot product").verdict,
        Verdict::Failed,
        "{report}"
    );
    let carrier = "Var<wengert::reverse::var::Var<";
    let report = check_hessian(&function!(doubled, carrier: &'static str), &[0.5, 2.0])?;
    let name = "reverse-over-reverse = differences of the gradient";
    assert_eq!(check(&report, name).verdict, Verdict::Failed, "{report}");
    Ok(())
}

#[test]
fn r1_values_that_depend_on_the_carrier_fail() -> Result<(), Error> {
    fn off<S: Scalar>(x: &[S]) -> S {
        // One rounding more, and a sign of zero.
        if S::NDERIV == 0 {
            x[0] * 0.1
        } else {
            x[0] / 10.0
        }
    }
    assert_ne!(3.0 * 0.1, 3.0 / 10.0);
    let report = check_gradient(&function!(off), &[3.0])?;
    assert_eq!(check(&report, "value").verdict, Verdict::Failed, "{report}");
    let mut signs = Comparison::new("signs");
    signs.bits((0, 0), 0.0, -0.0);
    assert_eq!(signs.finish().verdict, Verdict::Failed);
    Ok(())
}

#[test]
fn r6_hidden_state_fails() -> Result<(), Error> {
    struct Counting(AtomicU32, bool);
    impl ScalarFunction for Counting {
        fn call<S: Scalar>(&self, x: &[S]) -> S {
            let calls = f64::from(self.0.fetch_add(1, Ordering::Relaxed));
            // Either the value depends on the number of calls, or only the derivative does.
            if self.1 {
                x[0] * x[0] + 1e-13 * calls
            } else {
                x[0] * x[0] + (x[0] - x[0].detach()) * (1e-13 * calls)
            }
        }
    }
    for in_value in [true, false] {
        let report = check_gradient(&Counting(AtomicU32::new(0), in_value), &[1.0])?;
        assert_eq!(
            check(&report, "repeated").verdict,
            Verdict::Failed,
            "{report}"
        );
    }
    let report = check_hessian(&Counting(AtomicU32::new(0), true), &[1.0])?;
    assert_eq!(check(&report, "value").verdict, Verdict::Failed, "{report}");
    Ok(())
}

#[test]
fn t1_kinks_are_not_certified() -> Result<(), Error> {
    assert_eq!(is_kink(&at!(0.0, |x| x.abs())).0, 0);
    assert_eq!(is_kink(&at!(0.0, |x| x.relu())).0, 0);
    assert_eq!(is_kink(&at!(-0.0, |x| x.abs() * 1e-8 + x)).0, 0);
    assert_eq!(is_kink(&at!(0.0, |x| x.abs() + 1e6)).0, 0);
    assert_eq!(
        is_kink(&at!(0.25, |x| (x - 0.25).abs() + (x * 3.0).sin())).0,
        0
    );
    assert_eq!(
        is_kink(&at!(1.0, |x| x.clamp(x.detach(), x.detach() + 1.0))).0,
        0
    );
    assert_eq!(is_kink(&at!(3.0, |x| Scalar::floor(x) + x)).0, 0);
    fn largest<S: Scalar>(x: &[S]) -> S {
        Scalar::max(x[0] * 2.0, x[1] + x[2])
    }
    assert_eq!(
        is_kink(&check_gradient(&function!(largest), &[1.0, 0.5, 1.5])?).0,
        0
    );
    fn later<S: Scalar>(x: &[S], y: &mut [S]) {
        y[0] = x[0] * x[1];
        y[1] = x[1].abs() + x[0];
    }
    let report = check_jacobian(&function!(later => 2), &[1.0, 0.0])?;
    assert!(
        matches!(
            report.verdict(),
            Verdict::Kink {
                row: 1,
                column: 1,
                ..
            }
        ),
        "{report}"
    );
    let text = report.to_string();
    assert!(
        text.contains("not certified: output 1 has a kink at input 1"),
        "{text}"
    );
    Ok(())
}

#[test]
fn t1_projections_see_kinks() -> Result<(), Error> {
    fn norm1<S: Scalar>(x: &[S]) -> S {
        x.iter().fold(S::from(0.0), |sum, x| sum + x.abs())
    }
    let mut x = vec![1.0; 500];
    x[123] = 0.0;
    let report = check_gradient(&function!(norm1), &x)?;
    is_kink(&report);
    assert!(
        report.to_string().contains("along random direction 0"),
        "{report}"
    );
    x[123] = 0.5;
    passes(&check_gradient(&function!(norm1), &x)?);
    Ok(())
}

#[test]
fn kinks_close_by_are_told_with_their_distance() -> Result<(), Error> {
    for (report, distance) in [
        (at!(0.0, |x| (x - 1e-9).abs()), 1e-9),
        (at!(0.0, |x| (x + 1e-9).abs()), 1e-9),
        (at!(0.0, |x| (x - 3e-8).relu() + x.sin()), 3e-8),
        (at!(1.0, |x| (x - 1.0 - 1e-10).abs() * x.exp()), 1e-10),
    ] {
        let (_, within) = is_kink(&report);
        assert!(within >= distance, "{within:e} {distance:e}\n{report}");
    }
    // Farther away than the first step the derivative is what it is.
    passes(&at!(0.0, |x| (x - 1e-4).abs()));
    passes(&at!(0.0, |x| (x - 1e-5).abs()));
    Ok(())
}

#[test]
fn kinks_of_the_gradient_are_not_certified_at_order_two() -> Result<(), Error> {
    is_kink(&second_at!(0.0, |x| x.abs()));
    is_kink(&second_at!(0.0, |x| x.relu()));
    is_kink(&second_at!(0.0, |x| x.abs() * x));
    passes(&at!(0.0, |x| x.abs() * x));
    fn largest<S: Scalar>(x: &[S]) -> S {
        Scalar::max(x[0], x[1])
    }
    is_kink(&check_hessian(&function!(largest), &[1.0, 1.0])?);
    fn huber<S: Scalar>(x: &[S]) -> S {
        let small = x[0].abs().le_mask(S::from(1.0));
        S::select(small, x[0] * x[0] * 0.5, x[0].abs() - 0.5)
    }
    is_kink(&check_hessian(&function!(huber), &[1.0])?);
    passes(&check_gradient(&function!(huber), &[1.0])?);
    passes(&check_hessian(&function!(huber), &[0.9])?);
    Ok(())
}

#[test]
fn ill_scaled_functions_pass() -> Result<(), Error> {
    passes(&at!(1.0, |x| x * 1e12));
    passes(&at!(1e-6, |x| x * 1e12));
    passes(&at!(1e-6, |x| x.ln()));
    passes(&at!(1e-6, |x| x.sqrt()));
    passes(&at!(1e-12, |x| x.ln()));
    passes(&at!(1e-6, |x| x.recip()));
    passes(&at!(1e9, |x| x.sqrt()));
    passes(&at!(1e200, |x| x.ln()));
    passes(&at!(0.3, |x| x.exp() * 1e-200));
    passes(&at!(0.0, |x| x.cos()));
    passes(&at!(0.0, |x| x.powi(3)));
    passes(&at!(0.7, |x| (x + 1e6) - 1e6 + x * x));
    passes(&at!(0.7, |x| x.sin().powi(2) + x.cos().powi(2)));
    passes(&at!(0.7, |x| x.sin() + 1e8));
    passes(&second_at!(1e-6, |x| x.ln()));
    passes(&second_at!(1.0, |x| x.sin() * 1e12));
    passes(&second_at!(1e-6, |x| x.powi(3) * 1e12));
    fn badly<S: Scalar>(x: &[S], y: &mut [S]) {
        y[0] = x[0] * x[1] * 1e12 + x[2];
        y[1] = (x[0] * 1e3).sin() * x[2] * 1e-9;
    }
    let report = check_jacobian(&function!(badly => 2), &[1e-6, 1e4, 3.0])?;
    passes(&report);
    passes(&check_jacobian(
        &function!(badly => 2),
        &[1e-6, -1e8, 1e-3],
    )?);
    Ok(())
}

#[test]
fn steep_but_smooth_functions_pass() -> Result<(), Error> {
    passes(&at!(1e-3, |x| (x * 1e3).tanh()));
    passes(&at!(1e-6, |x| (x * 1e6).tanh()));
    passes(&at!(3e-7, |x| (x * 1e6).tanh()));
    passes(&at!(0.0, |x| (x * 1e6).tanh()));
    passes(&at!(1e-7, |x| (x * 1e7).tanh()));
    passes(&at!(2e-8, |x| (x * 1e7).softplus()));
    passes(&at!(1e-7, |x| (x * x + 1e-14).sqrt()));
    passes(&at!(0.3, |x| (x * 1e4).sin()));
    passes(&at!(0.3, |x| (x * 1e6).sin()));
    passes(&second_at!(1e-3, |x| (x * 1e3).tanh()));
    Ok(())
}

#[test]
fn points_at_the_edge_of_the_domain_are_not_certified() -> Result<(), Error> {
    let not_finite = Verdict::NotFinite { row: 0, column: 0 };
    assert_eq!(at!(0.0, |x| x.sqrt()).verdict(), not_finite);
    assert_eq!(at!(0.0, |x| x.powf(1.5)).verdict(), not_finite);
    assert_eq!(at!(-1.0, |x| x.ln()).verdict(), not_finite);
    assert_eq!(at!(f64::NAN, |x| x.exp()).verdict(), not_finite);
    assert_eq!(at!(f64::INFINITY, |x| x * 2.0).verdict(), not_finite);
    assert_eq!(at!(1000.0, |x| x.exp()).verdict(), not_finite);
    assert_eq!(second_at!(0.0, |x| x.powf(1.5)).verdict(), not_finite);
    Ok(())
}

#[test]
fn r3_structural_zeros_do_not_spoil_the_products() -> Result<(), Error> {
    passes(&at!(2.0, |x| (x.detach() * 0.0).sqrt() + x * x));
    passes(&second_at!(2.0, |x| (x.detach() * 0.0).sqrt() + x.powi(3)));
    Ok(())
}

#[test]
fn t5_nan_never_passes() {
    for (expected, found) in [
        (1.0, f64::NAN),
        (f64::NAN, 1.0),
        (f64::NAN, f64::NAN),
        (f64::INFINITY, f64::INFINITY),
        (f64::INFINITY, f64::NEG_INFINITY),
    ] {
        let mut check = Comparison::new("nan");
        check.entry((1, 2), expected, found, f64::INFINITY);
        let check = check.finish();
        assert_eq!(check.verdict, Verdict::NotFinite { row: 1, column: 2 });
        assert!(check.worst.is_some());
    }
    let mut tolerance = Comparison::new("tolerance");
    tolerance.entry((0, 0), 1.0, 2.0, f64::NAN);
    assert_eq!(tolerance.finish().verdict, Verdict::Failed);
}

#[test]
fn estimates_are_near_the_truth_and_know_how_near() -> Result<(), Error> {
    type Case = (fn(f64) -> f64, f64, f64);
    let cases: [Case; 5] = [
        (f64::exp, 0.5, 0.5_f64.exp()),
        (f64::ln, 1e-7, 1e7),
        (|x| (1e3 * x).tanh(), 1e-3, 1e3 / 1.0_f64.cosh().powi(2)),
        (|x| (1e5 * x).sin(), 0.1, 1e5 * 1e4_f64.cos()),
        (|x| (x + 1e6) - 1e6, 0.3, 1.0),
    ];
    for (f, x, slope) in cases {
        let x = [x];
        let found = differences(&|x: &[f64]| Ok(vec![f(x[0])]), &x, &Direction::axis(&x, 0))?[0];
        let error = (found.value - slope).abs();
        assert!(error <= 3.0 * found.error, "{found:?} {slope}");
        assert!(found.error <= 1e-3 * slope.abs(), "{found:?} {slope}");
        assert_eq!(found.kink, None);
    }
    Ok(())
}

#[test]
fn reports_are_reproducible_and_options_count() -> Result<(), Error> {
    let f = function!(mixed => 20);
    let report = check_jacobian(&f, &points(30))?;
    assert_eq!(report, check_jacobian(&f, &points(30))?);
    let options = Options::new().with_seed(5).with_directions(1);
    let other = options.jacobian(&f, &points(30))?;
    assert_ne!(report, other);
    assert_eq!(check(&other, "dot product").compared, 3);
    let more = options.with_directions(6).jacobian(&f, &points(30))?;
    assert_eq!(check(&more, "dot product").compared, 6);
    let strict = options
        .with_tolerance_factor(0.0)
        .jacobian(&f, &points(30))?;
    assert_eq!(strict.verdict(), Verdict::Failed);
    Ok(())
}

#[test]
fn the_table_is_aligned() -> Result<(), Error> {
    let text = check_hessian(&function!(chained), &points(3))?.to_string();
    let ends: Vec<Option<usize>> = text
        .lines()
        .filter_map(|line| Some((line, line.rfind("  ")?)))
        .map(|(line, at)| line.is_char_boundary(at).then_some(at))
        .collect();
    assert!(
        ends.len() > 10 && ends.windows(2).all(|w| w[0] == w[1]),
        "{text}"
    );
    assert!(text.ends_with("\npassed"), "{text}");
    Ok(())
}
