//! Checks that must pass, checks that must fail, and points that must not be certified.

use std::sync::atomic::{AtomicU32, Ordering};

use super::compare::Comparison;
use super::differences::{Direction, differences};
use super::{Check, Options, Report, Verdict, check_gradient, check_hessian, check_jacobian};
use crate::elementary::{FirstOrder, FirstOrderRule};
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

/// Scalar functions by name, of one variable by their text; one type, so that the checks are compiled once.
struct Text {
    name: &'static str,
    calls: AtomicU32,
}

fn text(name: &'static str) -> Text {
    Text {
        name,
        calls: AtomicU32::new(0),
    }
}

impl ScalarFunction for Text {
    fn inputs(&self) -> Option<usize> {
        (self.name == "two inputs").then_some(2)
    }

    fn call<S: Scalar>(&self, all: &[S]) -> S {
        let x = all.first().copied().unwrap_or(S::from(3.0));
        let calls = || f64::from(self.calls.fetch_add(1, Ordering::Relaxed));
        if let Some(carrier) = self.name.strip_prefix("doubled in ") {
            // The value is the same for all carriers, the derivative is not.
            let y = x.sin() * all[1];
            let is_it = std::any::type_name::<S>().contains(carrier);
            return if is_it { y + (y - y.detach()) } else { y };
        }
        match self.name {
            "constant" => S::from(3.0),
            "two inputs" => all[0] * all[1],
            "chained" => {
                let term = |w: &[S]| (w[1] - w[0] * w[0]).powi(2) + (w[0] * w[1]).sin();
                all.windows(2).fold(S::from(1.0), |sum, w| sum + term(w))
            }
            "norm1" => all.iter().fold(S::from(0.0), |sum, x| sum + x.abs()),
            "largest" => Scalar::max(all[0] * 2.0, all[1] + all[2]),
            "huber" => {
                let small = x.abs().le_mask(S::from(1.0));
                S::select(small, x * x * 0.5, x.abs() - 0.5)
            }
            // One rounding more on the carriers.
            "rounded twice" if S::NDERIV == 0 => x * 0.1,
            "rounded twice" => x / 10.0,
            "counting in the value" => x * x + 1e-13 * calls(),
            "counting in the derivative" => x * x + (x - x.detach()) * (1e-13 * calls()),
            "off by 1e-2" => x.sin() * Scalar::custom(&Scaled(1.0 + 1e-2), &all[1..2]),
            "off by 1e-6" => x.sin() * Scalar::custom(&Scaled(1.0 + 1e-6), &all[1..2]),
            "off by 1e-8" => x.sin() * Scalar::custom(&Scaled(1.0 + 1e-8), &all[1..2]),
            "off by nothing" => x.sin() * Scalar::custom(&Scaled(1.0), &all[1..2]),
            "Scalar::custom(&WrongCurvature, &[x])" => Scalar::custom(&WrongCurvature, &[x]),
            "Scalar::custom(&FirstOrder(Square), &[x])" => {
                Scalar::custom(&FirstOrder(Square), &[x])
            }
            "x.abs()" => x.abs(),
            "x.relu()" => x.relu(),
            "x.abs() * x" => x.abs() * x,
            "x.ln()" => x.ln(),
            "x.sin() * 1e12" => x.sin() * 1e12,
            "x.powi(3) * 1e12" => x.powi(3) * 1e12,
            "(x * 1e3).tanh()" => (x * 1e3).tanh(),
            "x.powf(1.5)" => x.powf(1.5),
            "(x.detach() * 0.0).sqrt() + x.powi(3)" => (x.detach() * 0.0).sqrt() + x.powi(3),
            "x.abs() * 1e-8 + x" => x.abs() * 1e-8 + x,
            "x.abs() + 1e6" => x.abs() + 1e6,
            "(x - 0.25).abs() + (x * 3.0).sin()" => (x - 0.25).abs() + (x * 3.0).sin(),
            "x.clamp(S::from(1.0), S::from(2.0))" => x.clamp(S::from(1.0), S::from(2.0)),
            "Scalar::floor(x) + x" => Scalar::floor(x) + x,
            "(x - 1e-9).abs()" => (x - 1e-9).abs(),
            "(x + 1e-9).abs()" => (x + 1e-9).abs(),
            "(x - 3e-8).relu() + x.sin()" => (x - 3e-8).relu() + x.sin(),
            "(x - 1.0 - 1e-10).abs() * x.exp()" => (x - 1.0 - 1e-10).abs() * x.exp(),
            "(x - 1e-4).abs()" => (x - 1e-4).abs(),
            "(x - 1e-5).abs()" => (x - 1e-5).abs(),
            "x * 1e12" => x * 1e12,
            "x.sqrt()" => x.sqrt(),
            "x.recip()" => x.recip(),
            "x.exp() * 1e-200" => x.exp() * 1e-200,
            "x.cos()" => x.cos(),
            "x.powi(3)" => x.powi(3),
            "(x + 1e6) - 1e6 + x * x" => (x + 1e6) - 1e6 + x * x,
            "x.sin().powi(2) + x.cos().powi(2)" => x.sin().powi(2) + x.cos().powi(2),
            "x.sin() + 1e8" => x.sin() + 1e8,
            "(x * 1e6).tanh()" => (x * 1e6).tanh(),
            "(x * 1e7).tanh()" => (x * 1e7).tanh(),
            "(x * 1e7).softplus()" => (x * 1e7).softplus(),
            "(x * x + 1e-14).sqrt()" => (x * x + 1e-14).sqrt(),
            "(x * 1e4).sin()" => (x * 1e4).sin(),
            "(x * 1e6).sin()" => (x * 1e6).sin(),
            "x.exp()" => x.exp(),
            "x * 2.0" => x * 2.0,
            "(x.detach() * 0.0).sqrt() + x * x" => (x.detach() * 0.0).sqrt() + x * x,
            other => panic!("no function `{other}`"),
        }
    }
}

/// Checks a function of one variable to first order.
fn first(name: &'static str, x: f64) -> Result<Report, Error> {
    check_gradient(&text(name), &[x])
}

/// Checks a function of one variable to second order.
fn second(name: &'static str, x: f64) -> Result<Report, Error> {
    check_hessian(&text(name), &[x])
}

/// Vector functions by name, with a number of outputs.
struct Several(&'static str, usize);

impl Function for Several {
    fn outputs(&self, _: usize) -> usize {
        self.1
    }
    fn eval<S: Scalar>(&self, x: &[S], y: &mut [S]) {
        let n = x.len();
        for (i, y) in y.iter_mut().enumerate() {
            *y = match (self.0, i) {
                ("mixed", _) => {
                    let (a, b, c) = (x[i % n], x[(3 * i + 1) % n], x[(7 * i + 2) % n]);
                    (a * b).sin() + c.exp() * a - (b * b + 1.0).ln() / (c * c + 2.0)
                }
                ("wrong sums", 0) => Scalar::custom(&Scaled(1.0 + 1e-3), &x[..1]),
                ("sums" | "wrong sums", _) => x[i].sin() * x[i + 1],
                ("later", 0) => x[0] * x[1],
                ("later", _) => x[1].abs() + x[0],
                ("badly", 0) => x[0] * x[1] * 1e12 + x[2],
                ("badly", _) => (x[0] * 1e3).sin() * x[2] * 1e-9,
                (other, _) => panic!("no function `{other}`"),
            };
        }
    }
}

fn points(n: u32) -> Vec<f64> {
    (0..n).map(|i| (1.7 * f64::from(i)).sin() + 0.1).collect()
}

#[test]
fn smooth_functions_pass() -> Result<(), Error> {
    for (n, m) in [(1, 1), (3, 2), (2, 5), (20, 20), (30, 20)] {
        let x = points(n);
        let report = check_jacobian(&Several("mixed", m), &x)?;
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
        passes(&check_gradient(&text("chained"), &points(n))?);
        passes(&check_hessian(&text("chained"), &points(n))?);
    }
    let many = points(1000);
    let report = check_gradient(&text("chained"), &many)?;
    passes(&report);
    assert!(check(&report, "reverse = differences").projected);
    passes(&check_hessian(&text("chained"), &points(300))?);
    Ok(())
}

#[test]
fn empty_shapes_pass() -> Result<(), Error> {
    let report = check_gradient(&text("constant"), &[])?;
    passes(&report);
    assert_eq!(check(&report, "value").compared, 3);
    passes(&check_gradient(&text("constant"), &[1.0, 2.0])?);
    passes(&check_hessian(&text("constant"), &[])?);
    passes(&check_hessian(&text("constant"), &[1.0])?);
    passes(&check_jacobian(&Several("nothing", 0), &[1.0, 2.0])?);
    passes(&check_jacobian(&Several("nothing", 0), &[])?);
    Ok(())
}

#[test]
fn more_than_dense_pass_by_products_and_a_wrong_one_fails() -> Result<(), Error> {
    let x = points(301);
    let report = check_jacobian(&Several("sums", 300), &x)?;
    passes(&report);
    assert!(check(&report, "repeated").projected);
    let report = check_jacobian(&Several("wrong sums", 300), &x)?;
    assert_eq!(report.verdict(), Verdict::Failed);
    let worst = check(&report, "forward = differences")
        .worst
        .expect("300 outputs");
    assert_eq!(worst.row, 0);
    Ok(())
}

#[test]
fn wrong_shapes_are_errors() {
    let expected = Error::ShapeMismatch {
        what: "x",
        expected: 2,
        found: 3,
    };
    assert_eq!(
        check_gradient(&text("two inputs"), &[1.0; 3]),
        Err(expected.clone())
    );
    assert_eq!(check_hessian(&text("two inputs"), &[1.0; 3]), Err(expected));
    let vector = check_gradient(&Several("mixed", 2), &[1.0]);
    assert_eq!(vector, Err(Error::NotScalar { outputs: 2 }));
}

/// The identity with a partial that is wrong by a factor.
#[derive(Clone)]
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
    for (name, fails) in [
        ("off by 1e-2", true),
        ("off by 1e-6", true),
        ("off by 1e-8", true),
        ("off by nothing", false),
    ] {
        let report = check_gradient(&text(name), &[0.5, 2.0])?;
        assert_eq!(report.is_passed(), !fails, "{name}\n{report}");
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
#[derive(Clone)]
struct WrongCurvature;

impl CustomRule for WrongCurvature {
    fn value(&self, x: &[f64]) -> f64 {
        x[0] * x[0]
    }
    fn partials<T: Scalar>(&self, x: &[T], _: T, out: &mut [Option<T>]) {
        out[0] = Some(x[0] + x[0].detach());
    }
}

#[derive(Clone)]
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
    let first = first("Scalar::custom(&WrongCurvature, &[x])", 1.5)?;
    passes(&first);
    let second = second("Scalar::custom(&WrongCurvature, &[x])", 1.5)?;
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
    passes(&first("Scalar::custom(&FirstOrder(Square), &[x])", 1.5)?);
    let second = second("Scalar::custom(&FirstOrder(Square), &[x])", 1.5)?;
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
    for (name, wrong, right) in [
        ("doubled in Var<", "reverse", "forward"),
        ("doubled in Lanes<", "forward", "reverse"),
    ] {
        let report = check_gradient(&text(name), &[0.5, 2.0])?;
        assert_eq!(report.verdict(), Verdict::Failed, "{report}");
        assert_eq!(check(&report, "value").verdict, Verdict::Passed);
        assert_eq!(check(&report, "forward = reverse").verdict, Verdict::Failed);
        let verdict = |mode| check(&report, &format!("{mode} = differences")).verdict;
        assert_eq!(
            (verdict(wrong), verdict(right)),
            (Verdict::Failed, Verdict::Passed)
        );
    }
    let report = check_gradient(&text("doubled in Dual<"), &[0.5, 2.0])?;
    assert_eq!(
        check(&report, "dot product").verdict,
        Verdict::Failed,
        "{report}"
    );
    let nested = "doubled in Var<wengert::reverse::var::Var<";
    let report = check_hessian(&text(nested), &[0.5, 2.0])?;
    let name = "reverse-over-reverse = differences of the gradient";
    assert_eq!(check(&report, name).verdict, Verdict::Failed, "{report}");
    Ok(())
}

#[test]
fn r1_values_that_depend_on_the_carrier_fail() -> Result<(), Error> {
    assert_ne!(3.0 * 0.1, 3.0 / 10.0);
    let report = check_gradient(&text("rounded twice"), &[3.0])?;
    assert_eq!(check(&report, "value").verdict, Verdict::Failed, "{report}");
    let mut signs = Comparison::new("signs");
    signs.bits((0, 0), 0.0, -0.0);
    assert_eq!(signs.finish().verdict, Verdict::Failed);
    Ok(())
}

#[test]
fn r6_hidden_state_fails() -> Result<(), Error> {
    for name in ["counting in the value", "counting in the derivative"] {
        let report = check_gradient(&text(name), &[1.0])?;
        assert_eq!(
            check(&report, "repeated").verdict,
            Verdict::Failed,
            "{report}"
        );
    }
    let report = check_hessian(&text("counting in the value"), &[1.0])?;
    assert_eq!(check(&report, "value").verdict, Verdict::Failed, "{report}");
    Ok(())
}

#[test]
fn t1_kinks_are_not_certified() -> Result<(), Error> {
    assert_eq!(is_kink(&first("x.abs()", 0.0)?).0, 0);
    assert_eq!(is_kink(&first("x.relu()", 0.0)?).0, 0);
    assert_eq!(is_kink(&first("x.abs() * 1e-8 + x", -0.0)?).0, 0);
    assert_eq!(is_kink(&first("x.abs() + 1e6", 0.0)?).0, 0);
    assert_eq!(
        is_kink(&first("(x - 0.25).abs() + (x * 3.0).sin()", 0.25)?).0,
        0
    );
    assert_eq!(
        is_kink(&first("x.clamp(S::from(1.0), S::from(2.0))", 1.0)?).0,
        0
    );
    assert_eq!(is_kink(&first("Scalar::floor(x) + x", 3.0)?).0, 0);
    assert_eq!(
        is_kink(&check_gradient(&text("largest"), &[1.0, 0.5, 1.5])?).0,
        0
    );
    let report = check_jacobian(&Several("later", 2), &[1.0, 0.0])?;
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
    let mut x = vec![1.0; 500];
    x[123] = 0.0;
    let report = check_gradient(&text("norm1"), &x)?;
    is_kink(&report);
    assert!(
        report.to_string().contains("along random direction 0"),
        "{report}"
    );
    x[123] = 0.5;
    passes(&check_gradient(&text("norm1"), &x)?);
    Ok(())
}

#[test]
fn kinks_close_by_are_told_with_their_distance() -> Result<(), Error> {
    for (report, distance) in [
        (first("(x - 1e-9).abs()", 0.0)?, 1e-9),
        (first("(x + 1e-9).abs()", 0.0)?, 1e-9),
        (first("(x - 3e-8).relu() + x.sin()", 0.0)?, 3e-8),
        (first("(x - 1.0 - 1e-10).abs() * x.exp()", 1.0)?, 1e-10),
    ] {
        let (_, within) = is_kink(&report);
        assert!(within >= distance, "{within:e} {distance:e}\n{report}");
    }
    // Farther away than the first step the derivative is what it is.
    passes(&first("(x - 1e-4).abs()", 0.0)?);
    passes(&first("(x - 1e-5).abs()", 0.0)?);
    Ok(())
}

#[test]
fn kinks_of_the_gradient_are_not_certified_at_order_two() -> Result<(), Error> {
    is_kink(&second("x.abs()", 0.0)?);
    is_kink(&second("x.relu()", 0.0)?);
    let report = second("x.abs() * x", 0.0)?;
    is_kink(&report);
    let place = "gradient entry 0 has a kink at input 0";
    assert!(report.to_string().contains(place), "{report}");
    passes(&first("x.abs() * x", 0.0)?);
    is_kink(&check_hessian(&text("largest"), &[1.0, 0.5, 1.5])?);
    is_kink(&check_hessian(&text("huber"), &[1.0])?);
    passes(&check_gradient(&text("huber"), &[1.0])?);
    passes(&check_hessian(&text("huber"), &[0.9])?);
    Ok(())
}

#[test]
fn ill_scaled_functions_pass() -> Result<(), Error> {
    passes(&first("x * 1e12", 1.0)?);
    passes(&first("x * 1e12", 1e-6)?);
    passes(&first("x.ln()", 1e-6)?);
    passes(&first("x.sqrt()", 1e-6)?);
    passes(&first("x.ln()", 1e-12)?);
    passes(&first("x.recip()", 1e-6)?);
    passes(&first("x.sqrt()", 1e9)?);
    passes(&first("x.ln()", 1e200)?);
    passes(&first("x.exp() * 1e-200", 0.3)?);
    passes(&first("x.cos()", 0.0)?);
    passes(&first("x.powi(3)", 0.0)?);
    passes(&first("(x + 1e6) - 1e6 + x * x", 0.7)?);
    passes(&first("x.sin().powi(2) + x.cos().powi(2)", 0.7)?);
    passes(&first("x.sin() + 1e8", 0.7)?);
    passes(&second("x.sin().powi(2) + x.cos().powi(2)", 0.7)?);
    passes(&second("x.ln()", 1e-6)?);
    passes(&second("x.sin() * 1e12", 1.0)?);
    passes(&second("x.powi(3) * 1e12", 1e-6)?);
    let report = check_jacobian(&Several("badly", 2), &[1e-6, 1e4, 3.0])?;
    passes(&report);
    passes(&check_jacobian(&Several("badly", 2), &[1e-6, -1e8, 1e-3])?);
    Ok(())
}

#[test]
fn steep_but_smooth_functions_pass() -> Result<(), Error> {
    passes(&first("(x * 1e3).tanh()", 1e-3)?);
    passes(&first("(x * 1e6).tanh()", 1e-6)?);
    passes(&first("(x * 1e6).tanh()", 3e-7)?);
    passes(&first("(x * 1e6).tanh()", 0.0)?);
    passes(&first("(x * 1e7).tanh()", 1e-7)?);
    passes(&first("(x * 1e7).softplus()", 2e-8)?);
    passes(&first("(x * x + 1e-14).sqrt()", 1e-7)?);
    passes(&first("(x * 1e4).sin()", 0.3)?);
    passes(&first("(x * 1e6).sin()", 0.3)?);
    passes(&second("(x * 1e3).tanh()", 1e-3)?);
    Ok(())
}

#[test]
fn points_at_the_edge_of_the_domain_are_not_certified() -> Result<(), Error> {
    let not_finite = Verdict::NotFinite { row: 0, column: 0 };
    assert_eq!(first("x.sqrt()", 0.0)?.verdict(), not_finite);
    assert_eq!(first("x.powf(1.5)", 0.0)?.verdict(), not_finite);
    assert_eq!(first("x.ln()", -1.0)?.verdict(), not_finite);
    assert_eq!(first("x.exp()", f64::NAN)?.verdict(), not_finite);
    assert_eq!(first("x * 2.0", f64::INFINITY)?.verdict(), not_finite);
    assert_eq!(first("x.exp()", 1000.0)?.verdict(), not_finite);
    assert_eq!(second("x.powf(1.5)", 0.0)?.verdict(), not_finite);
    Ok(())
}

#[test]
fn r3_structural_zeros_do_not_spoil_the_products() -> Result<(), Error> {
    passes(&first("(x.detach() * 0.0).sqrt() + x * x", 2.0)?);
    passes(&second("(x.detach() * 0.0).sqrt() + x.powi(3)", 2.0)?);
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
    let cases: [Case; 10] = [
        (f64::exp, 0.5, 0.5_f64.exp()),
        (f64::ln, 1e-7, 1e7),
        (|x| (1e3 * x).tanh(), 1e-3, 1e3 / 1.0_f64.cosh().powi(2)),
        (|x| (1e5 * x).sin(), 0.1, 1e5 * 1e4_f64.cos()),
        (|x| (x + 1e6) - 1e6, 0.3, 1.0),
        (|x| (x + 1e6) - 1e6, 1e-6, 1.0),
        (|x| (1e6 * x).tanh(), 1e-6, 1e6 / 1.0_f64.cosh().powi(2)),
        (f64::ln, 1e-12, 1e12),
        (f64::recip, 1e-6, -1e12),
        (f64::sqrt, 1e-9, 0.5 / 1e-9_f64.sqrt()),
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
    let f = Several("mixed", 20);
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
    let text = check_hessian(&text("chained"), &points(3))?.to_string();
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
