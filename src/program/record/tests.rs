//! Tests of recording: regions against plain loops, guards, and what must fail.

use super::super::region::{Sink, Source};
use crate::prelude::*;
use crate::program::{NodeKind, Program};

/// The outputs of a program, bit for bit.
fn outputs(program: &Program, x: &[f64]) -> Vec<u64> {
    let values = program.values(x).unwrap();
    let outputs = program.outputs().iter();
    outputs.map(|node| values[node.index()].to_bits()).collect()
}

/// Records at `x` and compares the values there and at `other` with those of the plain function.
fn check<F: Function>(f: &F, x: &[f64], other: &[f64]) -> Program {
    let m = f.outputs(x.len());
    let program = Program::record(
        |x| {
            let mut y = vec![0.0.into(); m];
            f.eval(x, &mut y);
            y
        },
        x,
    )
    .unwrap();
    for x in [x, other] {
        let mut y = vec![0.0; m];
        f.eval(x, &mut y);
        let expected: Vec<u64> = y.iter().map(|y| y.to_bits()).collect();
        assert_eq!(outputs(&program, x), expected, "{program}");
    }
    program
}

/// Every number of rows that matters.
const COUNTS: [usize; 6] = [0, 1, 7, 8, 9, 1000];

fn points(n: usize) -> (Vec<f64>, Vec<f64>) {
    let at = |shift: f64| (0..n).map(move |i| (0.7 * i as f64 + shift).sin() + 1.5);
    (at(0.1).collect(), at(1.3).collect())
}

struct SumOver;
impl Function for SumOver {
    fn outputs(&self, _: usize) -> usize {
        1
    }
    fn eval<S: Scalar>(&self, x: &[S], y: &mut [S]) {
        let (p, lanes) = x.split_at(2);
        let data: Vec<f64> = (0..lanes.len()).map(|i| i as f64 * 0.3).collect();
        y[0] = S::sum_over(&[Rows::column(lanes)], &[Rows::column(&data)], |x, d| {
            (x[0] * p[0] + d[0]).sin() * p[1] + p[0] / 3.0
        });
    }
}

#[test]
fn sum_over_equals_the_loop() {
    for n in COUNTS {
        let (x, other) = points(n + 2);
        let program = check(&SumOver, &x, &other);
        assert_eq!(program.regions().len(), usize::from(n > 0));
        if n > 1 {
            let region = &program.regions()[0];
            assert_eq!(region.iterations(), n);
            assert_eq!(region.sinks(), [Sink::Sum]);
            assert!(matches!(
                region.sources(),
                [
                    Source::Lane,
                    Source::Data(_),
                    Source::Uniform,
                    Source::Uniform
                ]
            ));
            assert_eq!(region.body().len(), 10);
        }
    }
}

struct SumFor;
impl Function for SumFor {
    fn outputs(&self, _: usize) -> usize {
        1
    }
    fn eval<S: Scalar>(&self, x: &[S], y: &mut [S]) {
        let table: Vec<f64> = (0..x.len()).map(|i| i as f64 * 0.3).collect();
        y[0] = S::sum_for(1..x.len(), |i| {
            (x[i] - x[i - 1] * table[i]).powi(2) * 100.0 + (x[0] + 2.0) * table[i]
        });
    }
}

#[test]
fn sum_for_equals_the_loop() {
    for n in COUNTS {
        let (x, other) = points(n + 1);
        let program = check(&SumFor, &x, &other);
        assert_eq!(program.regions().len(), usize::from(n > 1));
        if n > 1 {
            let region = &program.regions()[0];
            assert!(matches!(
                region.sources(),
                [Source::Lane, Source::Data(_), Source::Lane, Source::Uniform]
            ));
            assert_eq!(
                region.body().counts().of("mul_const"),
                1,
                "{}",
                region.body()
            );
            assert_eq!(region.body().counts().of("add_const"), 1);
        }
        assert!(
            program
                .nodes()
                .all(|node| program.kind(node) != NodeKind::Select)
        );
    }
}

/// A function of `n` numbers written as a body, so that a test is short.
macro_rules! case {
    ($name:ident, $m:expr, $S:ident, |$x:ident, $y:ident| $body:block) => {
        struct $name;
        impl Function for $name {
            fn outputs(&self, inputs: usize) -> usize {
                let m: fn(usize) -> usize = $m;
                m(inputs)
            }
            fn eval<$S: Scalar>(&self, $x: &[$S], $y: &mut [$S]) $body
        }
    };
}

fn indices(n: usize) -> Vec<f64> {
    (0..n).map(|i| i as f64 * 0.25 - 1.0).collect()
}

case!(MapRows, |n| 3 * (n - 1), S, |x, y| {
    let (p, lanes) = (x[0], &x[1..]);
    let data = indices(lanes.len());
    let body = |x: &[S], d: &[S], y: &mut [S]| {
        y[0] = x[0] * p + d[0];
        y[1] = S::from(2.5);
        // The third is left as it was.
    };
    for (y, x) in y.chunks_mut(3).zip(lanes) {
        y[2] = *x;
    }
    S::map_rows(&[Rows::column(lanes)], &[Rows::column(&data)], y, body);
});

case!(Scan, |_| 4, S, |x, y| {
    let (p, lanes) = (x[0], &x[1..]);
    y.copy_from_slice(&[p, S::from(0.5), S::from(7.0), p * 2.0]);
    S::scan(y, &[Rows::column(lanes)], &[], |state, x, _| {
        state[0] = state[0] * 0.5 + x[0] * state[3];
        state[1] = state[1] + state[0].sin();
        state[2] = S::from(3.0);
    });
});

#[test]
fn maps_and_scans_equal_the_loops() {
    for n in COUNTS {
        let (x, other) = points(n + 1);
        let mapped = check(&MapRows, &x, &other);
        let scanned = check(&Scan, &x, &other);
        for program in [&mapped, &scanned] {
            assert_eq!(program.regions().len(), usize::from(n > 0));
        }
        if n > 1 {
            assert_eq!(mapped.regions()[0].sinks(), [Sink::Each; 2]);
            assert!(scanned.regions()[0].is_scan());
            assert_eq!(scanned.regions()[0].sinks(), [Sink::Last; 3]);
        }
    }
}

case!(Nested, |_| 4, S, |x, y| {
    let n = x.len();
    let rows = Rows::column(x);
    let data = indices(n);
    // Values from outside pass through two levels.
    y[0] = S::sum_over(&[rows], &[], |a, _| {
        let inner = S::sum_over(&[rows], &[Rows::column(&data)], |b, d| {
            (a[0] * b[0] + d[0]) * x[0]
        });
        inner.sin() * x[1]
    });
    // By index in by index.
    y[1] = S::sum_for(0..n, |i| {
        x[i] * S::sum_for(0..3, |j| x[j] * data[i] + x[i] * 2.0 + data[j])
    });
    // By lanes in by index, with inner data and constants that depend on the outer index.
    y[2] = S::sum_for(0..n, |i| {
        let shifted: Vec<f64> = data.iter().map(|d| d + i as f64).collect();
        let inner = S::sum_over(&[rows], &[Rows::column(&shifted)], |b, d| {
            (b[0] + d[0] * data[i]) * x[i] + 1.5
        });
        inner * 0.25
    });
    // By index in by lanes.
    y[3] = S::sum_over(&[rows], &[Rows::column(&data)], |a, d| {
        S::sum_for(0..n, |i| a[0] * x[i] + d[0] * data[i])
    });
});

#[test]
fn nested_regions_equal_the_loops() {
    for n in [3, 4, 8, 9, 40] {
        let (x, other) = points(n);
        let program = check(&Nested, &x, &other);
        assert_eq!(program.regions().len(), 4, "{n}");
        for region in program.regions() {
            assert_eq!((region.iterations(), region.body().regions().len()), (n, 1));
        }
    }
}

case!(Branching, |_| 3, S, |x, y| {
    let n = x.len();
    y[0] = S::sum_for(0..n, |i| match i {
        0 => x[i].sin(),
        5 => S::from(0.75),
        i if i > 20 => x[i] * x[i] * 3.0,
        _ => x[i].powi(2) + x[0],
    });
    // A constant, an input, constants only.
    y[1] = S::sum_for(0..n, |i| x[n - 1 - i]);
    y[2] = S::sum_for(0..n, |i| S::from(i as f64) * 0.5);
});

#[test]
fn branches_on_the_index_split_the_region() {
    for n in COUNTS {
        let (x, other) = points(n);
        let program = check(&Branching, &x, &other);
        let pieces = program.regions().iter().map(|region| region.iterations());
        let expected = match n {
            0 | 1 => vec![],
            7 => vec![4, 7],
            8 => vec![4, 2, 8],
            9 => vec![4, 3, 9],
            _ => vec![4, 15, 979, 1000],
        };
        assert_eq!(pieces.collect::<Vec<_>>(), expected);
    }
}
