//! Every problem as a program: its values, and its derivatives in every mode, against the carriers.
//!
//! Invariant: one lane has the bits of plain `f64`; more lanes and derivatives agree to 1e-12 of the largest entry, and the
//! number of threads changes no bit.

mod common;

use common::programs::{
    WIDTHS, assert_bits, assert_close, assert_outputs, direction, naive, record, replays, values,
};
use wengert::prelude::*;
use wengert::program::{Program, Traced};
use wengert_problems::registry::{PROBLEMS, ProblemInfo, Source, Visitor, visit};

/// What entries may differ by, as a fraction of the largest.
const TOLERANCE: f64 = 1e-12;

/// Up to this many inputs, Hessians are compared as well.
const SMALL: usize = 60;

/// What a test does with a function and its program.
trait Check {
    fn vector<F: Function + Sync>(&self, name: &str, f: &F, x: &[f64]);

    fn scalar<F: ScalarFunction + Sync>(&self, name: &str, f: &F, x: &[f64]) {
        self.vector(name, f, x);
    }
}

struct Visit<'a, C>(&'a C);

impl<C: Check> Visitor for Visit<'_, C> {
    type Output = ();
    fn visit<F: Function + Sync>(self, f: &F, x: &[f64], info: &ProblemInfo) {
        self.0.vector(info.problem.name, f, x);
    }
    fn visit_scalar<F: ScalarFunction + Sync>(self, f: &F, x: &[f64], info: &ProblemInfo) {
        self.0.scalar(info.problem.name, f, x);
    }
}

/// Runs a check on all problems.
fn for_each_problem(check: &impl Check) {
    for problem in PROBLEMS {
        visit(problem.name, &Source::Default, Visit(check)).unwrap();
    }
}

/// A point so near that no decision changes.
fn beside(x: &[f64]) -> Vec<f64> {
    x.iter().map(|x| x * (1.0 + 1e-9)).collect()
}

struct Values;
impl Check for Values {
    fn vector<F: Function + Sync>(&self, name: &str, f: &F, x: &[f64]) {
        let program = record(f, x);
        assert_eq!(program.validate(), Ok(()), "{name}");
        let simple = program.simplify().unwrap();
        assert_eq!(simple.validate(), Ok(()), "{name}");
        for x in [x, &beside(x)] {
            let expected = values(f, x);
            for program in [&program, &simple] {
                assert_bits(&naive(program, x), &expected, name);
                let [one, four, eight] = replays(program, x, name);
                assert_bits(&one, &expected, name);
                assert_close(&four, &expected, TOLERANCE, name);
                assert_close(&eight, &expected, TOLERANCE, name);
            }
        }
    }
}

#[test]
fn values_are_those_of_the_plain_functions() {
    for_each_problem(&Values);
}

/// The Jacobian by the carriers, row after row.
fn rows<F: Function + Sync>(f: &F, x: &[f64]) -> Vec<f64> {
    let jacobian = jacobian(f, x, Mode::Forward).unwrap();
    jacobian.transpose().as_slice().to_vec()
}

/// The first derivatives of a program that was simplified, or not.
struct First;
impl Check for First {
    fn vector<F: Function + Sync>(&self, name: &str, f: &F, x: &[f64]) {
        let (n, m) = (x.len(), f.outputs(x.len()));
        let expected = rows(f, x);
        let program = record(f, x).simplify().unwrap();
        let (sparse, places) = program.sparse_jacobian().unwrap();
        let entries: Vec<f64> = places
            .iter()
            .map(|(i, j)| expected[*i as usize * n + *j as usize])
            .collect();
        let what = format!("{name}: sparse Jacobian");
        assert_outputs(&sparse.simplify().unwrap(), x, &entries, TOLERANCE, &what);
        // What is not in the structure is zero.
        let mut rest = expected.clone();
        for (i, j) in &places {
            rest[*i as usize * n + *j as usize] = 0.0;
        }
        assert!(rest.iter().all(|entry| *entry == 0.0), "{what}");
        if n * m < 100_000 {
            let dense = program.jacobian().unwrap();
            assert_outputs(
                &dense,
                x,
                &expected,
                TOLERANCE,
                &format!("{name}: Jacobian"),
            );
        }
        products(name, &program, x, &values(f, x), &expected);
    }

    fn scalar<F: ScalarFunction + Sync>(&self, name: &str, f: &F, x: &[f64]) {
        let expected = gradient(|x| f.call(x), x).unwrap();
        let program = record(f, x);
        let simple = program.simplify().unwrap();
        let what = format!("{name}: gradient");
        assert_outputs(&program.gradient().unwrap(), x, &expected, TOLERANCE, &what);
        let again = simple.gradient().unwrap().simplify().unwrap();
        assert_outputs(&again, x, &expected, TOLERANCE, &what);
        let with_value = simple.value_and_gradient().unwrap();
        let [one, ..] = replays(&with_value, x, &what);
        assert_bits(&one[..1], &values(f, x), &what);
        assert_close(&one[1..], &expected, TOLERANCE, &what);
        products(name, &simple, x, &values(f, x), &expected);
    }
}

/// Products with the Jacobian and its transpose, whose rows are given.
fn products(name: &str, program: &Program, x: &[f64], y: &[f64], rows: &[f64]) {
    let (n, m) = (x.len(), y.len());
    let (v, w) = (direction(n), direction(m));
    let mut forward = vec![0.0; m];
    let mut backward = vec![0.0; n];
    for i in 0..m {
        for j in 0..n {
            forward[i] += rows[i * n + j] * v[j];
            backward[j] += rows[i * n + j] * w[i];
        }
    }
    let jvp = program.jvp().unwrap().simplify().unwrap();
    let expected = [y, &forward].concat();
    let what = format!("{name}: jvp");
    // Sums over many entries are rounded in another order here.
    let tolerance = 10.0 * TOLERANCE;
    assert_outputs(&jvp, &[x, &v].concat(), &expected, tolerance, &what);
    let vjp = program.vjp().unwrap().simplify().unwrap();
    let expected = [y, &backward].concat();
    let what = format!("{name}: vjp");
    assert_outputs(&vjp, &[x, &w].concat(), &expected, tolerance, &what);
    let linear = program.linearize(x).unwrap();
    assert_bits(linear.outputs(), y, name);
    assert_close(&linear.jvp(&v).unwrap(), &forward, tolerance, name);
    assert_close(&linear.vjp(&w).unwrap(), &backward, tolerance, name);
}

#[test]
fn first_derivatives_are_those_of_the_carriers() {
    for_each_problem(&First);
}

struct Second;
impl Check for Second {
    fn vector<F: Function + Sync>(&self, _: &str, _: &F, _: &[f64]) {}

    fn scalar<F: ScalarFunction + Sync>(&self, name: &str, f: &F, x: &[f64]) {
        let n = x.len();
        let program = record(f, x).simplify().unwrap();
        let v = direction(n);
        let (_, _, expected) = hvp(|x| f.call(x), x, &v).unwrap();
        let product = program.hvp().unwrap().simplify().unwrap();
        let what = format!("{name}: hvp");
        assert_outputs(&product, &[x, &v].concat(), &expected, TOLERANCE, &what);
        if n > SMALL {
            return;
        }
        let expected = hessian(f, x).unwrap();
        let expected = expected.as_slice();
        let what = format!("{name}: Hessian");
        let direct = program.hessian().unwrap().simplify().unwrap();
        assert_outputs(&direct, x, expected, TOLERANCE, &what);
        let gradient = program.gradient().unwrap();
        let twice = gradient.jacobian().unwrap();
        assert_outputs(&twice, x, expected, TOLERANCE, &what);
    }
}

#[test]
fn second_derivatives_are_those_of_the_carriers() {
    for_each_problem(&Second);
    // The Hessian suite at sizes whose matrices can be compared.
    for (name, n) in [
        ("rosen", 40),
        ("arwhead", 40),
        ("cosine", 40),
        ("bdqrtic", 40),
        ("brybnd", 40),
        ("tridia", 40),
        ("minsurf", 36),
        ("bratu", 36),
        ("lj", 15),
        ("ocp", 21),
        ("gmm", 0),
    ] {
        let sizes = match name {
            "gmm" => vec![2, 3, 9],
            _ => vec![n],
        };
        visit(name, &Source::Sizes(sizes), Visit(&Second)).unwrap();
    }
}

/// Derivative programs recorded through carriers, beside those by differentiation.
struct Recorded;
impl Check for Recorded {
    fn vector<F: Function + Sync>(&self, name: &str, f: &F, x: &[f64]) {
        let (n, m) = (x.len(), f.outputs(x.len()));
        let at = [x, &direction(n)].concat();
        let through = Program::record(
            |x: &[Traced]| {
                let (x, v) = x.split_at(n);
                let (y, tangents) = jvp(
                    |x: &[Dual<Traced>]| {
                        let mut y = vec![Dual::constant(Traced::from(0.0)); m];
                        f.eval(x, &mut y);
                        y
                    },
                    x,
                    v,
                )
                .unwrap();
                [y, tangents].concat()
            },
            &at,
        )
        .unwrap();
        let expected = naive(&record(f, x).jvp().unwrap(), &at);
        assert_close(&naive(&through, &at), &expected, TOLERANCE, name);
        for (found, width) in replays(&through, &at, name).iter().zip(WIDTHS) {
            let what = format!("{name}: Dual<Traced>, {width:?}");
            assert_close(found, &expected, TOLERANCE, &what);
        }
    }

    fn scalar<F: ScalarFunction + Sync>(&self, name: &str, f: &F, x: &[f64]) {
        self.vector(name, f, x);
        let through = Program::record(|x| gradient(|x| f.call(x), x).unwrap(), x).unwrap();
        let expected = naive(&record(f, x).gradient().unwrap(), x);
        let what = format!("{name}: Var<Traced>");
        for found in replays(&through, x, &what) {
            assert_close(&found, &expected, TOLERANCE, &what);
        }
    }
}

#[test]
fn programs_recorded_through_carriers_agree() {
    for_each_problem(&Recorded);
}
