//! Programs in tests: recording function objects, replaying them in every way, comparing numbers.

use wengert::program::{Program, ReplayOptions, Traced, Width};
use wengert::{Function, ScalarFunction};

/// All numbers of lanes.
pub const WIDTHS: [Width; 3] = [Width::One, Width::Four, Width::Eight];

/// The program of a function at a point.
pub fn record<F: Function>(f: &F, x: &[f64]) -> Program {
    let outputs = f.outputs(x.len());
    let function = |x: &[Traced]| {
        let mut y = vec![Traced::from(0.0); outputs];
        f.eval(x, &mut y);
        y
    };
    Program::record(function, x).unwrap()
}

/// The program of a scalar function at a point.
pub fn record_scalar<F: ScalarFunction>(f: &F, x: &[f64]) -> Program {
    Program::record(|x| [f.call(x)], x).unwrap()
}

/// The values of a function, plainly.
pub fn values<F: Function>(f: &F, x: &[f64]) -> Vec<f64> {
    let mut y = vec![f64::NAN; f.outputs(x.len())];
    f.eval(x, &mut y);
    y
}

/// The outputs by the naive evaluation.
pub fn naive(program: &Program, x: &[f64]) -> Vec<f64> {
    let values = program.values(x).unwrap();
    let outputs = program.outputs().iter();
    outputs.map(|node| values[node.index()]).collect()
}

/// The outputs by one replay.
pub fn replay(program: &Program, x: &[f64], width: Width, threads: usize) -> Vec<f64> {
    let options = ReplayOptions { width, threads };
    let mut replay = program.prepare_with(&options).unwrap();
    replay.run(x).unwrap().to_vec()
}

/// The outputs at every width; fails unless 1, 2 and 3 threads, run twice, give the same bits (R6).
#[track_caller]
pub fn replays(program: &Program, x: &[f64], what: &str) -> [Vec<f64>; 3] {
    WIDTHS.map(|width| {
        let mut first: Option<Vec<f64>> = None;
        for threads in [1, 3, 2] {
            let options = ReplayOptions { width, threads };
            let mut replay = program.prepare_with(&options).unwrap();
            for _ in 0..2 {
                let found = replay
                    .run(x)
                    .unwrap_or_else(|error| panic!("{what}, {width:?}: {error}"));
                match &first {
                    Some(first) => assert_bits(found, first, &format!("{what}, {width:?} again")),
                    None => first = Some(found.to_vec()),
                }
            }
        }
        first.unwrap_or_default()
    })
}

/// Fails unless all numbers have the same bits, where all NaN are one.
#[track_caller]
pub fn assert_bits(found: &[f64], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (i, (a, b)) in found.iter().zip(expected).enumerate() {
        let same = super::same_bits(*a, *b);
        assert!(same, "{what}[{i}]: found {a:e}, expected {b:e}");
    }
}

/// Fails unless the numbers agree to a fraction of the largest finite one; infinities and NaN must be the same.
#[track_caller]
pub fn assert_close(found: &[f64], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = expected
        .iter()
        .filter(|x| x.is_finite())
        .fold(f64::MIN_POSITIVE, |m, x| m.max(x.abs()));
    for (i, (a, b)) in found.iter().zip(expected).enumerate() {
        // The difference of unequal infinities, or from NaN, is not below anything.
        let close = super::same(*a, *b) || (a - b).abs() <= tolerance * largest;
        assert!(
            close,
            "{what}[{i}]: found {a:e}, expected {b:e}, largest {largest:e}"
        );
    }
}

/// Demands these outputs of a program: naive, at every width, with 1 to 3 threads, and in batches.
#[track_caller]
pub fn assert_outputs(program: &Program, x: &[f64], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(program.validate(), Ok(()), "{what}");
    assert_close(
        &naive(program, x),
        expected,
        tolerance,
        &format!("{what}, naive"),
    );
    for (found, width) in replays(program, x, what).iter().zip(WIDTHS) {
        assert_close(found, expected, tolerance, &format!("{what}, {width:?}"));
    }
    assert_batches(program, x, expected, tolerance, what);
}

/// Batches of more points than are run together, if the program is short.
#[track_caller]
fn assert_batches(program: &Program, x: &[f64], expected: &[f64], tolerance: f64, what: &str) {
    const POINTS: usize = 35;
    if program.counts().total() > 3000 {
        return;
    }
    for width in WIDTHS {
        let mut first: Option<Vec<f64>> = None;
        for threads in [1, 3] {
            let options = ReplayOptions { width, threads };
            let mut batch = program.prepare_batch(&options).unwrap();
            let mut y = vec![f64::NAN; POINTS * expected.len()];
            let changed = batch.run(&x.repeat(POINTS), &mut y).unwrap();
            // Without inputs and outputs there is no point.
            assert!(changed.is_empty(), "{what}, {width:?}: {changed:?}");
            for found in y.chunks(expected.len().max(1)) {
                assert_close(
                    found,
                    expected,
                    tolerance,
                    &format!("{what}, batch of {width:?}"),
                );
            }
            let first = first.get_or_insert_with(|| y.clone());
            assert_bits(&y, first, &format!("{what}, batch of {width:?} again"));
        }
    }
}

/// A direction without zeros.
pub fn direction(n: usize) -> Vec<f64> {
    (0_u32..)
        .take(n)
        .map(|i| 0.5 + (f64::from(i) * 1.3).sin())
        .collect()
}
