//! Regions beside loops written by hand, in every carrier and order, recorded and replayed.
//!
//! Invariant: a region is its loop: the values have the same bits in every carrier and at one lane, and so have programs of the
//! region and of the loop.

mod common;

use common::programs::{
    assert_bits, assert_close, assert_outputs, direction, naive, record_scalar, replays,
};
use wengert::prelude::*;
use wengert::program::{Program, Storage};

/// Every number of rows that matters: none, one, those around a register, many.
const COUNTS: [usize; 6] = [0, 1, 7, 8, 9, 1000];

const TOLERANCE: f64 = 1e-12;
/// Derivative programs round a product and its sum once; in the longest loops of this file that moves entries by 1.2e-12.
const FUSED: f64 = 4e-12;

/// The loops of `Scalar`, or the same by hand.
#[derive(Clone, Copy)]
struct Loops {
    as_regions: bool,
}

/// Row `i` of everything, lanes and data.
fn row<S: Scalar>(lanes: &[Rows<'_, S>], data: &[Rows<'_, f64>], i: usize) -> (Vec<S>, Vec<S>) {
    let lanes = lanes.iter().flat_map(|rows| rows.row(i)).copied();
    let data = data.iter().flat_map(|rows| rows.row(i));
    (lanes.collect(), data.map(|d| S::from(*d)).collect())
}

fn count<S: Scalar>(lanes: &[Rows<'_, S>], data: &[Rows<'_, f64>]) -> usize {
    lanes.first().map_or_else(|| data[0].len(), Rows::len)
}

impl Loops {
    fn sum_over<S: Scalar>(
        self,
        lanes: &[Rows<'_, S>],
        data: &[Rows<'_, f64>],
        body: impl Fn(&[S], &[S]) -> S,
    ) -> S {
        if self.as_regions {
            return S::sum_over(lanes, data, body);
        }
        let terms = (0..count(lanes, data)).map(|i| {
            let (lanes, data) = row(lanes, data, i);
            body(&lanes, &data)
        });
        terms
            .reduce(|sum, term| sum + term)
            .unwrap_or(S::from(-0.0))
    }

    fn sum_for<S: Scalar>(self, count: usize, body: impl Fn(usize) -> S) -> S {
        if self.as_regions {
            return S::sum_for(0..count, body);
        }
        let terms = (0..count).map(body);
        terms
            .reduce(|sum, term| sum + term)
            .unwrap_or(S::from(-0.0))
    }

    fn map_rows<S: Scalar>(
        self,
        lanes: &[Rows<'_, S>],
        data: &[Rows<'_, f64>],
        out: &mut [S],
        body: impl Fn(&[S], &[S], &mut [S]),
    ) {
        if self.as_regions {
            S::map_rows(lanes, data, out, body);
            return;
        }
        let width = out.len().checked_div(count(lanes, data)).unwrap_or(0);
        for i in 0..count(lanes, data) {
            let (lanes, data) = row(lanes, data, i);
            body(&lanes, &data, &mut out[i * width..(i + 1) * width]);
        }
    }

    fn scan<S: Scalar>(
        self,
        state: &mut [S],
        lanes: &[Rows<'_, S>],
        data: &[Rows<'_, f64>],
        body: impl Fn(&mut [S], &[S], &[S]),
    ) {
        if self.as_regions {
            S::scan(state, lanes, data, body);
            return;
        }
        for i in 0..count(lanes, data) {
            let (lanes, data) = row(lanes, data, i);
            body(state, &lanes, &data);
        }
    }
}

/// What a loop is like.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    SumOver,
    SumFor,
    MapRows,
    Gathered,
    Scan,
    Nested,
    ScanOfSums,
    SumOfScans,
}

use Kind::{Gathered, MapRows, Nested, Scan, ScanOfSums, SumFor, SumOfScans, SumOver};

const KINDS: [Kind; 8] = [
    SumOver, SumFor, MapRows, Gathered, Scan, Nested, ScanOfSums, SumOfScans,
];

/// A scalar function of two parameters, which bodies capture, and one number per row.
#[derive(Clone, Copy)]
struct Case {
    kind: Kind,
    loops: Loops,
}

impl ScalarFunction for Case {
    fn call<S: Scalar>(&self, x: &[S]) -> S {
        let Self { kind, loops } = *self;
        let (p, lanes) = x.split_at(2);
        let n = lanes.len();
        let data: Vec<f64> = (0_u32..)
            .take(n)
            .map(|i| f64::from(i % 10) * 0.25 - 1.0)
            .collect();
        let rows = &[Rows::column(lanes)];
        let columns = &[Rows::column(&data)];
        // A value of the outer program that bodies capture.
        let shared = p[0] * p[1].exp();
        match kind {
            SumOver => loops.sum_over(rows, columns, |x, d| {
                (x[0] * shared + d[0]).sin() * p[1] + p[0] / 3.0
            }),
            SumFor => loops.sum_for(n, |i| {
                let before = lanes[i.saturating_sub(1)];
                (lanes[i] - before * data[i]).powi(2) * shared + (p[1] + data[i]).tanh()
            }),
            MapRows => {
                let mut y = vec![p[0]; 3 * n];
                loops.map_rows(rows, columns, &mut y, |x, d, y| {
                    y[0] = x[0] * shared;
                    y[1] = (x[0] + d[0]).exp() * y[2];
                });
                let weighted = y.chunks(3).map(|y| y[0].sin() + y[1] * y[2]);
                S::sum_of(weighted) * p[1]
            }
            Gathered => {
                let starts: Vec<usize> = (0..n.saturating_sub(2)).rev().collect();
                let windows = Rows::gathered(lanes, 3, &starts).expect("windows fit");
                loops.sum_over(&[windows], &[], |x, _| {
                    (x[0] * x[2] - x[1] * x[1] + shared).sqrt() * p[0]
                })
            }
            Scan => {
                let mut state = [shared, S::from(0.5), p[1]];
                loops.scan(&mut state, rows, columns, |state, x, d| {
                    state[0] = state[0] * 0.5 + x[0] * state[2];
                    state[1] = (state[1] + state[0].sin() * d[0]).tanh() + p[0];
                });
                state[0] * state[1] + state[2]
            }
            // A sum in a map in a sum; the innermost captures from all levels.
            Nested => loops.sum_over(rows, columns, |x, d| {
                let mut y = [x[0]; 2];
                let weights = [0.5, 1.5, -2.0];
                loops.map_rows(&[Rows::column(p)], &[], &mut y, |p, _, y| {
                    y[0] = loops.sum_over(&[], &[Rows::column(&weights)], |_, w| {
                        (w[0] * x[0] + p[0] * d[0]).cos() * shared
                    });
                });
                y[0] * y[1]
            }),
            ScanOfSums => {
                let mut state = [p[0], p[1]];
                loops.scan(&mut state, rows, columns, |state, x, d| {
                    let inner = loops.sum_for(3, |i| {
                        (state[0] * p[i % 2] + x[0]).sin() * [0.25, 0.5, -0.125][i]
                    });
                    state[0] = inner + d[0];
                    state[1] = state[1] * 0.75 + inner * shared;
                });
                state[0] + state[1]
            }
            SumOfScans => loops.sum_over(rows, columns, |x, d| {
                let mut state = [x[0], d[0]];
                loops.scan(&mut state, &[Rows::column(p)], &[], |state, p, _| {
                    let last = state[0];
                    state[0] = state[1] * p[0] + shared;
                    state[1] = last.sin();
                });
                state[0] * state[1]
            }),
        }
    }
}

/// The region and the loop by hand.
fn pair(kind: Kind) -> (Case, Case) {
    let case = |as_regions| Case {
        kind,
        loops: Loops { as_regions },
    };
    (case(true), case(false))
}

fn point(n: usize, shift: f64) -> Vec<f64> {
    let lanes = (0_u32..)
        .take(n)
        .map(|i| (0.7 * f64::from(i) + shift).sin() + 1.5);
    [0.7, 0.3].into_iter().chain(lanes).collect()
}

/// The value and everything else of a function in one carrier.
type Parts = (f64, Vec<f64>);

/// A carrier, by its name.
type Carrier = (&'static str, fn(&Case, &[f64]) -> Parts);

fn dual(f: &Case, x: &[f64]) -> Parts {
    let (y, tangents) = jvp(|x| [f.call(x)], x, &direction(x.len())).unwrap();
    (y[0], tangents)
}

fn lanes(f: &Case, x: &[f64]) -> Parts {
    let v = direction(x.len());
    let seeded: Vec<Lanes<f64, 4>> = x
        .iter()
        .zip(&v)
        .map(|(x, v)| Lanes::new(*x, [*v, 1.0, 0.0, v * v]))
        .collect();
    let y = f.call(&seeded);
    (y.value, y.tangents.to_vec())
}

fn taylor(f: &Case, x: &[f64]) -> Parts {
    let v = direction(x.len());
    let seeded: Vec<Taylor<f64, 3>> = x
        .iter()
        .zip(&v)
        .map(|(x, v)| Taylor::new(*x, [*v, 0.5, -v]))
        .collect();
    let y = f.call(&seeded);
    (y.value, y.coefficients.to_vec())
}

fn dual_of_dual(f: &Case, x: &[f64]) -> Parts {
    let v = direction(x.len());
    let seeded: Vec<Dual<Dual<f64>>> = x
        .iter()
        .zip(&v)
        .map(|(x, v)| Dual::new(Dual::new(*x, *v), Dual::new(1.0, 0.25)))
        .collect();
    let y = f.call(&seeded);
    (
        y.value.value,
        vec![y.value.tangent, y.tangent.value, y.tangent.tangent],
    )
}

fn var(f: &Case, x: &[f64]) -> Parts {
    value_and_gradient(|x| f.call(x), x).unwrap()
}

fn var_of_dual(f: &Case, x: &[f64]) -> Parts {
    let (y, g, hv) = hvp(|x| f.call(x), x, &direction(x.len())).unwrap();
    (y, [g, hv].concat())
}

#[test]
fn every_carrier_runs_the_loop() {
    let carriers: [Carrier; 6] = [
        ("Dual", dual),
        ("Lanes", lanes),
        ("Taylor", taylor),
        ("Dual<Dual>", dual_of_dual),
        ("Var", var),
        ("Var<Dual>", var_of_dual),
    ];
    for kind in KINDS {
        for n in COUNTS {
            let (region, by_hand) = pair(kind);
            let x = point(n, 0.1);
            let expected = by_hand.call(&x);
            assert_bits(
                &[region.call(&x)],
                &[expected],
                &format!("f64: {kind:?} {n}"),
            );
            for (name, carrier) in carriers {
                let what = format!("{name}: {kind:?} {n}");
                let (value, parts) = carrier(&region, &x);
                assert_bits(&[value], &[expected], &what);
                let (value, expected_parts) = carrier(&by_hand, &x);
                assert_bits(&[value], &[expected], &what);
                // Adjoints of captured values may be added in another order.
                assert_close(&parts, &expected_parts, 1e-14, &what);
            }
        }
    }
}

#[test]
fn programs_of_regions_are_programs_of_the_loops() {
    for kind in KINDS {
        for n in COUNTS {
            let what = format!("{kind:?} {n}");
            let (region, by_hand) = pair(kind);
            let x = point(n, 0.1);
            let rolled = record_scalar(&region, &x);
            let flat = record_scalar(&by_hand, &x);
            let is_loop = n > 2 || (n > 0 && !matches!(kind, Gathered | SumFor));
            assert_eq!(rolled.regions().is_empty(), !is_loop, "{what}\n{rolled}");
            assert!(flat.regions().is_empty(), "{what}");
            let simple = rolled.simplify().unwrap();
            for x in [x, point(n, 1.3)] {
                let expected = [by_hand.call(&x)];
                for program in [&rolled, &simple, &flat, &flat.simplify().unwrap()] {
                    assert_eq!(program.validate(), Ok(()), "{what}");
                    assert_bits(&naive(program, &x), &expected, &what);
                    let [one, wide @ ..] = replays(program, &x, &what);
                    assert_bits(&one, &expected, &what);
                    for found in wide {
                        assert_close(&found, &expected, TOLERANCE, &what);
                    }
                }
            }
        }
    }
}

#[test]
fn derivatives_of_regions_are_those_of_the_loops() {
    for kind in KINDS {
        for n in COUNTS {
            let (region, by_hand) = pair(kind);
            let x = point(n, 0.1);
            let program = record_scalar(&region, &x);
            let simple = program.simplify().unwrap();
            // Elsewhere than recorded.
            let x = point(n, 1.3);
            let (value, g) = var(&by_hand, &x);
            let what = format!("{kind:?} {n}: gradient");
            assert_outputs(&program.gradient().unwrap(), &x, &g, FUSED, &what);
            let gradient = simple.gradient().unwrap().simplify().unwrap();
            assert_outputs(&gradient, &x, &g, FUSED, &what);
            let recomputed = simple.gradient_by(Storage::Recompute).unwrap();
            assert_outputs(&recomputed, &x, &g, FUSED, &what);

            let what = format!("{kind:?} {n}: jvp");
            let v = direction(x.len());
            let (_, tangent) = dual(&by_hand, &x);
            let at = [&x[..], &v].concat();
            let expected = [value, tangent[0]];
            assert_outputs(&simple.jvp().unwrap(), &at, &expected, FUSED, &what);

            let what = format!("{kind:?} {n}: hvp");
            let (_, parts) = var_of_dual(&by_hand, &x);
            let product = simple.hvp().unwrap().simplify().unwrap();
            assert_outputs(&product, &at, &parts[x.len()..], FUSED, &what);
            // The same by reverse over reverse.
            let twice = simple
                .gradient()
                .unwrap()
                .vjp()
                .unwrap()
                .simplify()
                .unwrap();
            assert_outputs(&twice, &at, &parts, FUSED, &what);
            if n <= 9 {
                let what = format!("{kind:?} {n}: Hessian");
                let h = hessian(&by_hand, &x).unwrap();
                assert_outputs(&simple.hessian().unwrap(), &x, h.as_slice(), FUSED, &what);
            }
        }
    }
}

/// The nodes of the program outside its regions, and those of all bodies.
fn nodes(program: &Program) -> [usize; 2] {
    let bodies = program.regions().iter().map(|region| nodes(region.body()));
    let inside = bodies.map(|[outside, inside]| outside + inside).sum();
    [program.len(), inside]
}

/// A hundred times as many rows have the same bodies, whatever is done to them.
#[test]
fn regions_stay_regions() {
    for kind in KINDS {
        let [small, large] = [10, 1000].map(|n| {
            let program = record_scalar(&pair(kind).0, &point(n, 0.1));
            let simple = program.simplify().unwrap();
            [
                program,
                simple.gradient().unwrap().simplify().unwrap(),
                simple.hvp().unwrap().simplify().unwrap(),
            ]
        });
        for (small, large) in small.iter().zip(&large) {
            let ([outside, inside], [large_outside, large_inside]) = (nodes(small), nodes(large));
            assert_eq!(large_inside, inside, "{kind:?}\n{small}");
            // Inputs, entries of maps, and their adjoints.
            assert!(
                large_outside <= outside + 990 * 30,
                "{kind:?}: {outside} {large_outside}"
            );
        }
    }
}
