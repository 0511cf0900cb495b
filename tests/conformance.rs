//! The conformance suite: every operation x every mode x every order, at points of a 60-digit table.
//!
//! Invariant: expected numbers come from `tests/reference/elementary.json` (computed from values alone, see the script
//! beside it) or from closed forms in exact dyadic numbers, never from this crate.

mod common;

use common::{Apply, Mode, Visitor, operations, ulps};
use serde::Deserialize;
use wengert::elementary::Op;

#[derive(Deserialize)]
struct Table {
    unary: Vec<UnaryRows>,
    binary: Vec<BinaryRows>,
}

#[derive(Deserialize)]
struct UnaryRows {
    op: String,
    param: Option<f64>,
    points: Vec<UnaryPoint>,
}

#[derive(Deserialize)]
struct UnaryPoint {
    x: String,
    d: Vec<Option<String>>,
}

#[derive(Deserialize)]
struct BinaryRows {
    op: String,
    points: Vec<BinaryPoint>,
}

#[derive(Deserialize)]
struct BinaryPoint {
    x: String,
    y: String,
    d: Vec<Option<String>>,
}

/// Arguments and the expected partials; `None` where the magnitude is not a normal number.
struct Point {
    x: Vec<f64>,
    expected: Vec<(Vec<usize>, Option<f64>)>,
}

fn number(text: &str) -> f64 {
    text.parse().expect("the table holds decimal numbers")
}

fn table() -> Table {
    serde_json::from_str(include_str!("reference/elementary.json")).unwrap()
}

fn point(x: Vec<f64>, keys: &[&[usize]], d: &[Option<String>]) -> Point {
    assert_eq!(keys.len(), d.len());
    let expected = keys
        .iter()
        .zip(d)
        .map(|(k, d)| (k.to_vec(), d.as_deref().map(number)));
    Point {
        x,
        expected: expected.collect(),
    }
}

/// The name and parameter of an operation in the table.
fn table_key(op: Op) -> (&'static str, Option<f64>) {
    match op {
        Op::Log(c) | Op::Powf(c) => (op.name(), Some(c)),
        Op::Powi(n) => (op.name(), Some(f64::from(n))),
        Op::Polygamma(0) => ("digamma", None),
        Op::Polygamma(1) => ("trigamma", None),
        Op::SphBessel(0) => ("sinc", None),
        Op::SphBessel(1) => ("sph_j1", None),
        Op::SphBessel(2) => ("sph_j2", None),
        Op::Pow => ("powd", None),
        _ => (op.name(), None),
    }
}

fn table_points(table: &Table, op: Op) -> Vec<Point> {
    let (name, param) = table_key(op);
    let unary = table
        .unary
        .iter()
        .filter(|row| row.op == name && row.param == param);
    let unary = unary
        .flat_map(|row| &row.points)
        .map(|p| point(vec![number(&p.x)], &[&[], &[0], &[0, 0], &[0, 0, 0]], &p.d));
    let binary = table.binary.iter().filter(|row| row.op == name);
    let binary = binary.flat_map(|row| &row.points).map(|p| {
        let keys: [&[usize]; 6] = [&[], &[0], &[1], &[0, 0], &[0, 1], &[1, 1]];
        point(vec![number(&p.x), number(&p.y)], &keys, &p.d)
    });
    unary.chain(binary).collect()
}

/// A point in closed form; entries up to order 2 that are not listed are zero.
fn exact(x: &[f64], listed: &[(&[usize], f64)]) -> Point {
    let n = x.len();
    let pairs = (0..n).flat_map(|i| (i..n).map(move |j| vec![i, j]));
    let keys = std::iter::once(vec![])
        .chain((0..n).map(|i| vec![i]))
        .chain(pairs);
    let find = |key: &[usize]| {
        listed
            .iter()
            .find(|(k, _)| *k == key)
            .map_or(0.0, |(_, d)| *d)
    };
    Point {
        x: x.to_vec(),
        expected: keys.map(|key| (key.clone(), Some(find(&key)))).collect(),
    }
}

/// Operations that the table does not have, at points where the closed form is a few exact numbers.
fn closed_form(op: Op) -> Vec<Point> {
    let step = |x: f64, y: f64| exact(&[x], &[(&[], y)]);
    let line = |x: f64, y: f64, slope: f64| exact(&[x], &[(&[], y), (&[0], slope)]);
    match op {
        Op::AddConst(c) => vec![line(1.5, 1.5 + c, 1.0), line(-7.25, -7.25 + c, 1.0)],
        Op::MulConst(c) => vec![line(1.5, 1.5 * c, c), line(-7.25, -7.25 * c, c)],
        Op::DivConst(c) => vec![line(1.5, 1.5 / c, 1.0 / c), line(-6.0, -6.0 / c, 1.0 / c)],
        Op::RemConst(0.75) => vec![line(1.75, 0.25, 1.0), line(-1.75, -0.25, 1.0)],
        Op::RemConst(_) => vec![line(7.25, 1.25, 1.0), line(-7.25, -1.25, 1.0)],
        Op::Sign0 | Op::SignBit | Op::Signum => vec![step(2.5, 1.0), step(-0.25, -1.0)],
        Op::Floor => vec![step(2.5, 2.0), step(-0.25, -1.0)],
        Op::Ceil => vec![step(2.5, 3.0), step(-0.25, 0.0)],
        Op::Round => vec![step(2.5, 3.0), step(-0.25, 0.0), step(-2.5, -3.0)],
        Op::Trunc => vec![step(2.5, 2.0), step(-0.25, 0.0), step(-2.5, -2.0)],
        Op::MulAdd => vec![exact(
            &[1.5, -2.0, 0.25],
            &[
                (&[], -2.75),
                (&[0], -2.0),
                (&[1], 1.5),
                (&[2], 1.0),
                (&[0, 1], 1.0),
            ],
        )],
        Op::Sum => vec![exact(
            &[1.5, -2.0, 0.25],
            &[(&[], -0.25), (&[0], 1.0), (&[1], 1.0), (&[2], 1.0)],
        )],
        Op::Dot => vec![exact(
            &[1.5, -2.0, 0.25, 4.0],
            &[
                (&[], -2.0),
                (&[0], -2.0),
                (&[1], 1.5),
                (&[2], 4.0),
                (&[3], 0.25),
                (&[0, 1], 1.0),
                (&[2, 3], 1.0),
            ],
        )],
        Op::Prod => vec![exact(
            &[1.5, -2.0, 0.25],
            &[
                (&[], -0.75),
                (&[0], -0.5),
                (&[1], 0.375),
                (&[2], -3.0),
                (&[0, 1], 0.25),
                (&[0, 2], -2.0),
                (&[1, 2], 1.5),
            ],
        )],
        // |(2, 3, 6)| = 7; the Hessian is (I - u u^T) / 7 with u = (2, 3, 6) / 7.
        Op::Norm2 => vec![exact(
            &[2.0, -3.0, 6.0],
            &[
                (&[], 7.0),
                (&[0], 2.0 / 7.0),
                (&[1], -3.0 / 7.0),
                (&[2], 6.0 / 7.0),
                (&[0, 0], 45.0 / 343.0),
                (&[1, 1], 40.0 / 343.0),
                (&[2, 2], 13.0 / 343.0),
                (&[0, 1], 6.0 / 343.0),
                (&[0, 2], -12.0 / 343.0),
                (&[1, 2], 18.0 / 343.0),
            ],
        )],
        Op::SquaredNorm => vec![exact(
            &[1.5, -2.0, 0.25],
            &[
                (&[], 6.3125),
                (&[0], 3.0),
                (&[1], -4.0),
                (&[2], 0.5),
                (&[0, 0], 2.0),
                (&[1, 1], 2.0),
                (&[2, 2], 2.0),
            ],
        )],
        // At equal arguments c the value is c + ln 3 and all weights are 1/3.
        Op::LogSumExp => vec![exact(
            &[-1.25, -1.25, -1.25],
            &[
                (&[], -0.151_387_711_331_890_37),
                (&[0], 1.0 / 3.0),
                (&[1], 1.0 / 3.0),
                (&[2], 1.0 / 3.0),
                (&[0, 0], 2.0 / 9.0),
                (&[1, 1], 2.0 / 9.0),
                (&[2, 2], 2.0 / 9.0),
                (&[0, 1], -1.0 / 9.0),
                (&[0, 2], -1.0 / 9.0),
                (&[1, 2], -1.0 / 9.0),
            ],
        )],
        Op::MaxOf => vec![
            exact(&[1.5, -2.0, 0.25], &[(&[], 1.5), (&[0], 1.0)]),
            exact(&[1.5, 1.5, 0.25], &[(&[], 1.5), (&[0], 0.5), (&[1], 0.5)]),
        ],
        Op::MinOf => vec![
            exact(&[1.5, -2.0, 0.25], &[(&[], -2.0), (&[1], 1.0)]),
            exact(&[1.5, -2.0, -2.0], &[(&[], -2.0), (&[1], 0.5), (&[2], 0.5)]),
        ],
        Op::Select => vec![
            exact(
                &[1.0, 3.0, -5.0],
                &[(&[], 9.0), (&[1], 6.0), (&[1, 1], 2.0)],
            ),
            exact(&[4.0, 3.0, -5.0], &[(&[], -5.0), (&[2], 1.0)]),
        ],
        Op::Custom => vec![exact(
            &[1.5, -2.0],
            &[
                (&[], -4.5),
                (&[0], -6.0),
                (&[1], 2.25),
                (&[0, 0], -4.0),
                (&[0, 1], 3.0),
            ],
        )],
        _ => vec![],
    }
}

fn points(table: &Table, op: Op) -> Vec<Point> {
    let mut points = table_points(table, op);
    points.extend(closed_form(op));
    points
}

/// Largest error by order, in units of 2^-52 times the scale of the derivative.
///
/// Measured on x86-64 with glibc: at most 4.0 at every order. The higher orders, which pass through more roundings, get
/// room for another libm.
const TOLERANCE: [f64; 4] = [4.0, 4.0, 8.0, 8.0];

/// The same for num-dual, which raises to powers through exp and ln; measured: 8.0.
const NUM_DUAL_TOLERANCE: [f64; 4] = [16.0; 4];

/// The magnitude that rounding errors of a derivative are relative to.
///
/// With one argument it is the derivative itself, with several the largest of the same order. The exceptions are those
/// where terms of that size cancel in the formula that the rules state.
fn scale(op: Op, key: &[usize], point: &Point) -> f64 {
    let same_order = point.expected.iter().filter(|(k, _)| k.len() == key.len());
    let largest = same_order
        .filter_map(|(_, d)| *d)
        .fold(0.0, |m, d| f64::max(m, d.abs()));
    let derivative = |key: &[usize]| {
        let entry = point.expected.iter().find(|(k, _)| k == key);
        entry.and_then(|(_, d)| *d).map_or(0.0, f64::abs)
    };
    let floor = match (op, key) {
        // The shift is added to the logarithm.
        (Op::LogSumExp, []) => point.x.iter().fold(0.0, |m, x| f64::max(m, x.abs())),
        // Close to a zero of the function: relative to the envelope 1/x.
        (Op::SphBessel(_) | Op::SphJ0 | Op::SphJ1 | Op::SphJ2, _) => {
            1.0 / point.x[0].abs().max(1.0)
        }
        // std takes the logarithm of a number close to 1.
        (Op::Acosh, []) => 1.0,
        // The two factors of 1 - x^2 have derivatives 1 and -1.
        (Op::Asin | Op::Acos | Op::Atanh, [0, 0]) => derivative(&[0]),
        // The third derivative changes its sign at 1.317; its terms are of the size of the first.
        (Op::Logistic, [0, 0, 0]) => derivative(&[0]),
        _ => 0.0,
    };
    f64::max(largest, floor)
}

/// Values that follow plain `f64` (R1) and are wrong there.
fn plain_value_is_wrong(op: Op, key: &[usize], x: &[f64]) -> bool {
    match op {
        // std's atanh is ln_1p(2x / (1 - x)) / 2, which cancels next to -1.
        Op::Atanh => key.is_empty() && x[0] < -0.999,
        // num-dual's formulas for f64 cancel next to 0.
        Op::SphJ1 | Op::SphJ2 => key.is_empty() && x[0].abs() < 1.0,
        _ => false,
    }
}

/// Where num-dual's own formulas lose everything.
fn num_dual_is_wrong(op: Op, x: &[f64]) -> bool {
    let extreme = |x: &f64| !(1e-100..=1e100).contains(&x.abs());
    match op {
        // Intermediate squares over- and underflow.
        Op::Div | Op::Hypot => x.iter().any(extreme),
        // atan(x / y), whose derivatives cancel at steep angles.
        Op::Atan2 => x.iter().any(extreme) || x[0].abs() > 10.0 * x[1].abs(),
        // 1 - tanh^2 by cancellation.
        Op::Tanh => x[0].abs() > 1.0,
        // Quotients of differences of nearly equal numbers.
        Op::SphJ0 | Op::SphJ1 | Op::SphJ2 => x[0].abs() < 2.0,
        _ => false,
    }
}

/// Checks one mode at all points of all operations; counts the comparisons by order.
struct Check<'table> {
    table: &'table Table,
    num_dual: bool,
    comparisons: [usize; 4],
    failures: Vec<String>,
}

impl Visitor for Check<'_> {
    fn visit<M: Mode>(&mut self) {
        for (op, arity) in operations() {
            for point in points(self.table, op) {
                assert_eq!(point.x.len(), arity, "{op}");
                if self.num_dual && num_dual_is_wrong(op, &point.x) {
                    continue;
                }
                for (key, found) in M::partials(&Apply(op), &point.x) {
                    self.compare(op, &point, &key, found, M::NAME);
                }
            }
        }
    }
}

impl Check<'_> {
    fn new(table: &Table, num_dual: bool) -> Check<'_> {
        Check {
            table,
            num_dual,
            comparisons: [0; 4],
            failures: vec![],
        }
    }

    fn compare(&mut self, op: Op, point: &Point, key: &[usize], found: f64, mode: &str) {
        if plain_value_is_wrong(op, key, &point.x) {
            return;
        }
        let order = key.len();
        // Where one derivative of an order is out of range, intermediate results of the others may be as well.
        let out_of_range = |(k, d): &(Vec<usize>, Option<f64>)| k.len() == order && d.is_none();
        if point.expected.iter().any(out_of_range) {
            return;
        }
        let Some((_, Some(expected))) = point.expected.iter().find(|(k, _)| k == key) else {
            return;
        };
        self.comparisons[order] += 1;
        let tolerance = if self.num_dual {
            NUM_DUAL_TOLERANCE
        } else {
            TOLERANCE
        }[order];
        let error = ulps(found, *expected, scale(op, key, point));
        if error > tolerance {
            self.failures.push(format!(
                "{op} by {mode} at {:?}, derivative {key:?}: found {found:e}, expected {expected:e}, {error:.1} ulp",
                point.x,
            ));
        }
    }
}

#[test]
fn every_operation_has_points() {
    let table = table();
    for (op, _) in operations() {
        assert!(
            !points(&table, op).is_empty(),
            "{op} has no row in the table and no closed form"
        );
    }
}

#[test]
fn every_mode_has_every_derivative() {
    let table = table();
    let mut check = Check::new(&table, false);
    common::for_each_mode(&mut check);
    assert!(check.failures.is_empty(), "{}", check.failures.join("\n"));
    // A suite that compares nothing would pass: about 500 points x 10 modes.
    let [values, first, second, third] = check.comparisons;
    assert!(
        values > 5000 && first > 5000 && second > 3000 && third > 300,
        "{values} {first} {second} {third}"
    );
}

#[test]
fn num_dual_agrees() {
    let table = table();
    let mut check = Check::new(&table, true);
    common::for_each_num_dual_mode(&mut check);
    assert!(check.failures.is_empty(), "{}", check.failures.join("\n"));
    let [values, first, second, third] = check.comparisons;
    assert!(
        values > 5000 && first > 5000 && second > 3000 && third > 600,
        "{values} {first} {second} {third}"
    );
}
