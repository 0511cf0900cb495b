//! Derivative programs of the test problems against the carriers: recorded regions, products, Jacobians and Hessians.

use wengert::prelude::*;
use wengert::program::{Program, Storage};
use wengert_problems::bundle_adjustment::BundleAdjustment;
use wengert_problems::gmm::Gmm;
use wengert_problems::hessian_suite::{FAMILIES, Family, TestFunction};
use wengert_problems::lstm::Lstm;

/// The outputs by the naive evaluation, which has no fast path.
fn outputs(program: &Program, x: &[f64]) -> Vec<f64> {
    program.validate().unwrap();
    let values = program.values(x).unwrap();
    program
        .outputs()
        .iter()
        .map(|y| values[y.index()])
        .collect()
}

/// Fails unless all entries agree to 1e-12 of the largest one.
#[track_caller]
fn assert_close(found: &[f64], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
    for (i, (a, b)) in found.iter().zip(expected).enumerate() {
        assert!(
            (a - b).abs() <= 1e-12 * largest || a == b,
            "{what}[{i}]: found {a:e}, expected {b:e}"
        );
    }
}

fn direction(n: usize) -> Vec<f64> {
    (0..n).map(|i| 0.4 + (1.1 * i as f64).cos()).collect()
}

fn concat(a: &[f64], b: &[f64]) -> Vec<f64> {
    [a, b].concat()
}

/// First and second order of a scalar function; the dense Hessian where it is small.
fn check<F: ScalarFunction>(f: &F, x: &[f64], name: &str) {
    let n = x.len();
    let program = Program::record(|x| [f.call(x)], x).unwrap();
    let (value, g) = value_and_gradient(|x| f.call(x), x).unwrap();
    let v = direction(n);
    assert_close(
        &outputs(&program.gradient().unwrap(), x),
        &g,
        &format!("{name}: gradient"),
    );
    assert_close(
        &outputs(&program.gradient_by(Storage::Recompute).unwrap(), x),
        &g,
        &format!("{name}: gradient by recomputation"),
    );
    let simple = program.gradient().unwrap().simplify().unwrap();
    assert_close(
        &outputs(&simple, x),
        &g,
        &format!("{name}: simplified gradient"),
    );
    let gv: f64 = g.iter().zip(&v).map(|(g, v)| g * v).sum();
    let jvp = outputs(&program.jvp().unwrap(), &concat(x, &v));
    assert_eq!(jvp[0].to_bits(), value.to_bits(), "{name}: value");
    let scale = g.iter().zip(&v).map(|(g, v)| (g * v).abs()).sum::<f64>();
    assert!(
        (jvp[1] - gv).abs() <= 1e-12 * scale,
        "{name}: jvp {} {gv}",
        jvp[1]
    );
    let linear = program.linearize(x).unwrap();
    assert_close(
        &linear.vjp(&[1.0]).unwrap(),
        &g,
        &format!("{name}: linear vjp"),
    );
    assert!(
        (linear.jvp(&v).unwrap()[0] - gv).abs() <= 1e-12 * scale,
        "{name}: linear jvp"
    );
    let (_, _, hv) = hvp(|x| f.call(x), x, &v).unwrap();
    assert_close(
        &outputs(&program.hvp().unwrap(), &concat(x, &v)),
        &hv,
        &format!("{name}: hvp"),
    );
    let by_reverse = program.gradient().unwrap().vjp().unwrap();
    let found = outputs(&by_reverse, &concat(x, &v));
    assert_close(&found[n..], &hv, &format!("{name}: vjp of gradient"));
    if n <= 60 {
        let h = hessian(f, x).unwrap();
        assert_close(
            &outputs(&program.hessian().unwrap(), x),
            h.as_slice(),
            &format!("{name}: hessian"),
        );
    }
}

#[test]
fn hessian_suite_agrees_with_carriers() {
    for family in FAMILIES {
        let Some(n) = (25..60).find(|n| TestFunction::new(family, *n).is_ok()) else {
            panic!("{} admits no small size", family.name());
        };
        let f = TestFunction::new(family, n).unwrap();
        let x: Vec<f64> = f
            .x0()
            .iter()
            .enumerate()
            .map(|(i, x)| x + 0.1 * (i as f64).sin())
            .collect();
        check(&f, &x, family.name());
    }
}

#[test]
fn machine_learning_problems_agree_with_carriers() {
    let gmm = Gmm::generate(3, 4, 9, 7).unwrap();
    check(&gmm, &gmm.x0(), "gmm");
    let lstm = Lstm::generate(2, 6, 3, 7).unwrap();
    check(&lstm, &lstm.x0(), "lstm");
}

#[test]
fn bundle_adjustment_has_the_jacobian_of_the_carriers_in_few_operations() {
    let ba = BundleAdjustment::generate(3, 8, 20, 7).unwrap();
    let x = ba.x0();
    let program = Program::record(
        |x| {
            let mut y = vec![wengert::program::Traced::from(0.0); Function::outputs(&ba, x.len())];
            ba.eval(x, &mut y);
            y
        },
        &x,
    )
    .unwrap();
    let dense = jacobian(&ba, &x, Mode::Forward).unwrap();
    let found = outputs(&program.jacobian().unwrap(), &x);
    assert_close(&found, dense.transpose().as_slice(), "bundle adjustment");
    let (sparse, places) = program.sparse_jacobian().unwrap();
    // Two rows by 15 inputs and one row by one, without the shift of the other coordinate of the image.
    assert_eq!(places.len(), (2 * 14 + 1) * ba.observations());
    assert!(places.is_sorted());
    assert!(sparse.regions().len() <= program.regions().len());
}

#[test]
fn bodies_of_gradients_do_not_grow_with_the_number_of_terms() {
    // A gradient of regions has a body of the same size, whatever the number of terms.
    let body = |n: usize| {
        let f = TestFunction::new(Family::Rosen, n).unwrap();
        let program = Program::record(|x| [f.call(x)], &f.x0()).unwrap();
        let gradient = program.gradient().unwrap();
        gradient
            .regions()
            .iter()
            .map(|region| region.body().len())
            .max()
    };
    assert_eq!(body(100), body(1000));
}
