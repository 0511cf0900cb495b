//! The worked examples of the slides against values of HIPS/autograd.

mod common;

use common::{assert_close, jacobian, json, number, numbers, reference, values};
use serde_json::Value;
use wengert::forward::{Dual, derivative};
use wengert::{Function, Scalar, ScalarFunction, function};
use wengert_problems::charged_particle::{ChargedParticle, steer};
use wengert_problems::slides::{self, TABLE, Table};

/// The tables have all digits; the last may differ by the order of operations.
const TOLERANCE: f64 = 4.0 * f64::EPSILON;

fn table() -> Value {
    json(&reference().join("seed_acceptance.json"))
}

fn gradient<F: Function>(f: &F, x: &[f64]) -> Vec<f64> {
    jacobian(f, x).concat()
}

/// Value, first and second derivative.
fn orders(f: impl Fn(Dual<Dual<f64>>) -> Dual<Dual<f64>>, x: f64) -> [f64; 3] {
    let y = f(Dual::new(Dual::new(x, 1.0), Dual::new(1.0, 0.0)));
    [y.value.value, y.tangent.value, y.tangent.tangent]
}

#[test]
fn a1_to_a3_branches_and_arithmetic() {
    let t = table();
    let branch = function!(slides::branch);
    let x = [3.0, 2.0, 1.0];
    assert_eq!(branch.call(&x), number(&t["A1 f(3,2,1)"]));
    assert_close(
        "A1",
        &gradient(&branch, &x),
        &numbers(&t["A1 full grad"]),
        TOLERANCE,
    );
    assert_eq!(gradient(&branch, &x)[0], number(&t["A1 df/da fwd"]));

    let arithmetic = function!(slides::arithmetic);
    let x = [3.5, 2.1, 1.1];
    let [value, first] = numbers(&t["A2 a+b*c at (3.5,2.1,1.1)"])[..] else {
        panic!()
    };
    assert_eq!(
        (arithmetic.call(&x), gradient(&arithmetic, &x)[0]),
        (value, first)
    );
    assert_eq!(gradient(&arithmetic, &x), numbers(&t["A2 all partials"]));

    let [value, first] = numbers(&t["A3"])[..] else {
        panic!()
    };
    let slopes = gradient(&branch, &x);
    assert_eq!((branch.call(&x), slopes[0]), (value, first));
    assert_close("A3 db", &slopes[1..2], &[number(&t["A3 db"])], TOLERANCE);
    let x = [3.5, 1.1, 2.1];
    let [value, first] = numbers(&t["A3 else branch f(3.5,1.1,2.1)"])[..] else {
        panic!()
    };
    assert_eq!((branch.call(&x), gradient(&branch, &x)[0]), (value, first));
}

#[test]
fn a4_tensors() {
    let t = table();
    let f = function!(slides::tensors);
    let a = [0.3, -1.0, 2.0, 0.7, 0.1, -0.4, 5.0, -3.0, 1.1];
    let identity = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0];
    let x = [a, identity, [-0.2; 9]].concat();
    let slopes = gradient(&f, &x);
    let expected: Vec<f64> = t["A4 grad"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(numbers)
        .collect();
    assert_close("A4", &slopes[..9], &expected, TOLERANCE);
    assert!(slopes[18..].iter().all(|c| *c == 0.0), "c decides only");
    assert_close(
        "A4",
        &[f.call(&x)],
        &[1.0_f64.sin() * (0.3 + 0.1 + 1.1)],
        TOLERANCE,
    );
    // The other branch.
    let x = [a, identity, [2.0; 9]].concat();
    let sum: f64 = a.iter().sum::<f64>() + 6.0;
    assert_close("A4 else", &[f.call(&x)], &[sum], TOLERANCE);
}

#[test]
fn a5_and_a6_loops_and_recursion() {
    let t = table();
    let both = |a: f64, n: u32| {
        let by_loop = orders(|a| slides::squaring_loop(a, n), a);
        assert_eq!(by_loop, orders(|a| slides::squaring_recursion(a, n), a));
        by_loop
    };
    assert_eq!(both(3.0, 2)[..2], numbers(&t["A5 loop"]));
    assert_eq!(both(3.0, 2)[..2], numbers(&t["A6 rec"]));
    assert_eq!(
        both(3.0, 2)[2],
        number(&t["A5 second derivative of a^4 at 3"])
    );
    for (row, n) in t["A5 loop n=0..5"].as_array().unwrap().iter().zip(0..) {
        assert_close("A5", &both(1.1, n)[..2], &numbers(row), TOLERANCE);
    }
}

#[test]
fn a7_and_a8_floors() {
    let t = table();
    let identity = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0];
    let (plain, special) = (
        function!(slides::floor_of_cubes),
        function!(slides::special_floor_of_cubes),
    );
    let expected = |key: &str| -> (f64, Vec<f64>) {
        let rows = t[key][1].as_array().unwrap();
        (number(&t[key][0]), rows.iter().flat_map(numbers).collect())
    };
    let found = (plain.call(&identity), gradient(&plain, &identity));
    assert_eq!(found, expected("A7 floor"));
    let found = (special.call(&identity), gradient(&special, &identity));
    assert_eq!(found, expected("A8 special.floor"));
}

/// The slides' numbers are random; the gradient is `2 r input'` and `2 r` for the residual `r`.
#[test]
fn a9_simple_network_has_its_closed_gradient() {
    let f = function!(slides::simple_network);
    let x: Vec<f64> = (0..20).map(|i| f64::from(i) * 0.1 - 0.7).collect();
    let residual: Vec<f64> = (0..4)
        .map(|r| (0..4).map(|c| x[4 * r + c] * (c + 1) as f64).sum::<f64>() + x[16 + r] - 1.0)
        .collect();
    let squares: f64 = residual.iter().map(|r| r * r).sum();
    let mut expected: Vec<f64> = residual
        .iter()
        .flat_map(|r| (1..5).map(move |c| 2.0 * r * f64::from(c)))
        .collect();
    expected.extend(residual.iter().map(|r| 2.0 * r));
    assert_close("A9", &[f.call(&x)], &[squares], TOLERANCE);
    assert_close("A9", &gradient(&f, &x), &expected, TOLERANCE);
}

#[test]
fn t_table_of_elementary_functions() {
    let t = table();
    for (i, name) in TABLE.iter().enumerate() {
        let entry = |x: Dual<Dual<f64>>| {
            let mut y = [x; 9];
            Table.eval(&[x], &mut y);
            y[i]
        };
        let expected = numbers(&t[format!("T {name}")]);
        assert_close(name, &orders(entry, 0.7), &expected, TOLERANCE);
    }
}

#[test]
fn ta_first_tests_of_torch_autograd() {
    let t = table();
    let x = [0.5; 32 * 100 + 100];
    assert_eq!([slides::dot(&x, 100)][..], numbers(&t["TA Dot"]));
    assert_eq!(slides::scale(&x, 100), number(&t["TA Scale"]));
    assert_eq!(
        slides::dot_nonlinear(&x, 100),
        number(&t["TA DotNonLinear"])
    );
    fn dot<S: Scalar>(x: &[S]) -> S {
        slides::dot(x, 100)
    }
    let slopes = gradient(&function!(dot), &x);
    let expected = numbers(&t["TA Dot grads"]);
    assert!(slopes[..3200].iter().all(|w| *w == expected[0]));
    assert!(slopes[3200..].iter().all(|x| *x == expected[1]));
}

#[test]
fn n1_nested_derivatives_do_not_mix() {
    let t = table();
    let product = derivative(|x| slides::nested_product(x, 2.0), 1.0);
    assert_eq!(
        product,
        number(&t["N1 perturbation confusion d/dx[x*d/dy(x*y)]@x=1,y=2"])
    );
    let sum = derivative(|x| slides::nested_sum(x, 1.0), 1.0);
    assert_eq!(sum, number(&t["N1b d/dx [x * d/dy (x+y)|y=1]@1"]));
}

#[test]
fn n2_charged_particle() {
    let expected = &table()["N2 charged particle (3rd order nested)"];
    let rows = expected["hist"].as_array().unwrap();
    let path = steer(0.0);
    assert_eq!(path.len() as u64, expected["iters"].as_u64().unwrap());
    assert_eq!(path.len(), rows.len());
    for (point, row) in path.iter().zip(rows) {
        let row = numbers(row);
        // Newton's steps amplify the last digits of the first derivatives.
        assert_close("w", &[point.w], &row[..1], 1e-12);
        assert!(
            (point.error - row[1]).abs() <= 1e-12 * 3.2,
            "{point:?} {row:?}"
        );
        assert!(
            (point.slope - row[2]).abs() <= 1e-10 * 20.0,
            "{point:?} {row:?}"
        );
    }
    let at_zero = values(&ChargedParticle, &[0.0]);
    assert_close("E(0)", &at_zero, &[number(&rows[0][1])], 1e-14);
}
