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
