//! Random programs on all paths: the naive evaluation beside text, JSON, simplification, replay at every width, batches,
//! linearization and derivative programs.
//!
//! Invariant: one lane has the bits of the naive evaluation, and so has every width for operations that are rounded exactly,
//! up to the order of sums.

use fastrand::Rng;

use super::{WIDTHS, options};
use crate::error::Decision;
use crate::program::random::{self, is_same, sees_sign_of_nan, visit};
use crate::program::region::Sink;
use crate::program::{Guard, NodeKind, Program, Width};

/// The number of programs of each of the five properties, 100 000 in all; more with the environment variable `WENGERT_PROGRAMS`.
fn programs() -> u64 {
    let asked = std::env::var("WENGERT_PROGRAMS").ok();
    asked.map_or(20_000, |text| text.parse().expect("a number of programs"))
}

/// Random programs by seed, with a generator for points.
fn for_each(
    property: u64,
    make: fn(&mut Rng, usize) -> Program,
    check: fn(u64, &mut Rng, &Program),
) {
    for seed in 0..programs() {
        let mut rng = Rng::with_seed(seed << 8 | property);
        let size = rng.usize(1..40);
        let program = make(&mut rng, size);
        check(seed, &mut rng, &program);
    }
}

/// The outputs of the naive evaluation.
fn naive(program: &Program, x: &[f64]) -> Vec<f64> {
    super::outputs(program, x)
}

/// The outputs of a replay, and the number of decisions that changed.
fn replay(program: &Program, x: &[f64], width: Width) -> (Vec<f64>, usize) {
    let mut replay = program.prepare_with(&options(width, 2)).unwrap();
    let unchecked = replay.run_unchecked(x).unwrap();
    (unchecked.outputs.to_vec(), unchecked.changed)
}

#[track_caller]
fn assert_same(found: &[f64], expected: &[f64], what: &dyn Fn() -> String) {
    assert_eq!(found.len(), expected.len());
    for (k, (a, b)) in found.iter().zip(expected).enumerate() {
        assert!(
            is_same(*a, *b),
            "output {k} is {a:e}, not {b:e}: {}",
            what()
        );
    }
}

/// Whether a custom rule is somewhere in it: it has no text.
fn has_rules(program: &Program) -> bool {
    !program.rules.is_empty() || program.regions.iter().any(|region| has_rules(&region.body))
}

/// The number of decisions that changed, or none if one looks at the bits of a NaN.
fn changed(program: &Program, x: &[f64]) -> Option<usize> {
    let mut changed = Some(0);
    visit(program, x, &mut |program, values| {
        for guard in &program.guards {
            let found = guard.question.answer(|node| values[node.index()]);
            if matches!(found, Decision::Value(value) if value.is_nan()) {
                changed = None;
            } else if !guard.recorded.is_same(found) {
                changed = changed.map(|count| count + 1);
            }
        }
    });
    changed
}

#[test]
fn one_lane_has_the_bits_of_the_naive_evaluation() {
    for_each(0, random::program, |seed, rng, program| {
        let simple = program.simplify().unwrap();
        let read = (!has_rules(program)).then(|| {
            let text = program.to_string();
            let read: Program = text.parse().unwrap();
            assert_eq!(read.to_string(), text, "seed {seed}");
            let json = Program::from_json(&program.to_json()).unwrap();
            assert_eq!(json.to_string(), text, "seed {seed}");
            read
        });
        let mut prepared = program.prepare_with(&options(Width::One, 1)).unwrap();
        let mut prepared_simple = simple.prepare_with(&options(Width::One, 1)).unwrap();
        for _ in 0..3 {
            let x = random::point(rng, program);
            if sees_sign_of_nan(program, &x) {
                continue;
            }
            let what = || format!("seed {seed} at {x:?}\n{program}");
            let expected = naive(program, &x);
            let found = prepared.run_unchecked(&x).unwrap();
            assert_same(found.outputs, &expected, &what);
            let found_changed = found.changed;
            let outcome = prepared.run(&x).map(<[f64]>::to_vec);
            if let Some(changed) = changed(program, &x) {
                assert_eq!(found_changed, changed, "{}", what());
                assert_eq!(outcome.is_ok(), changed == 0, "{}", what());
                if changed == 0 {
                    assert_same(prepared_simple.run(&x).unwrap(), &expected, &what);
                }
            }
            let found = prepared_simple.run_unchecked(&x).unwrap();
            assert_same(found.outputs, &expected, &what);
            if let Some(read) = &read {
                assert_same(&naive(read, &x), &expected, &what);
            }
        }
    });
}

/// Whether a region adds something up, which every width does in its own order.
fn has_sums(program: &Program) -> bool {
    let mut regions = program.regions.iter();
    regions.any(|region| region.sinks.contains(&Sink::Sum) || has_sums(&region.body))
}

/// The sizes of all numbers that occur, or none if one is not moderate.
fn moderate(program: &Program, x: &[f64]) -> Option<f64> {
    let mut largest = 1.0_f64;
    visit(program, x, &mut |program, values| {
        for (node, value) in program.nodes().zip(values) {
            if !matches!(program.kind(node), NodeKind::Region(_)) {
                // The comparison is false for NaN.
                largest = if value.abs() < 1e6 {
                    largest.max(value.abs())
                } else {
                    f64::INFINITY
                };
            }
        }
    });
    largest.is_finite().then_some(largest)
}

#[test]
fn wide_replays_of_exact_operations_have_the_same_bits() {
    for_each(1, random::exact_program, |seed, rng, program| {
        let simple = program.simplify().unwrap();
        let x = random::point(rng, program);
        if sees_sign_of_nan(program, &x) || has_sums(program) {
            return;
        }
        let expected = naive(program, &x);
        let decisions = changed(program, &x);
        for width in [Width::Four, Width::Eight] {
            let what = || format!("seed {seed} at {x:?}, {width:?}\n{program}");
            let (found, found_changed) = replay(program, &x, width);
            assert_same(&found, &expected, &what);
            if let Some(decisions) = decisions {
                assert_eq!(found_changed, decisions, "{}", what());
            }
            assert_same(&replay(&simple, &x, width).0, &expected, &what);
        }
    });
}

#[test]
fn batches_of_exact_operations_have_the_same_bits() {
    for_each(2, random::exact_program, |seed, rng, program| {
        let points = rng.usize(1..12);
        let rows: Vec<Vec<f64>> = (0..points).map(|_| random::point(rng, program)).collect();
        let m = program.outputs().len();
        if program.inputs() == 0 || rows.iter().any(|x| sees_sign_of_nan(program, x)) {
            return;
        }
        for width in WIDTHS {
            let mut batch = program.prepare_batch(&options(width, 2)).unwrap();
            let mut y = vec![f64::NAN; points * m];
            let spoiled = batch.run(&rows.concat(), &mut y).unwrap();
            for (point, (x, y)) in rows.iter().zip(y.chunks(m)).enumerate() {
                let what = || format!("seed {seed}, point {point} {x:?}, {width:?}\n{program}");
                let is_spoiled = spoiled.iter().any(|(found, _)| *found == point);
                if let Some(decisions) = changed(program, x) {
                    assert_eq!(is_spoiled, decisions > 0, "{}", what());
                }
                // In a batch a point has its own lane: sums are in order.
                if !is_spoiled {
                    assert_same(y, &naive(program, x), &what);
                }
            }
        }
    });
}

/// Whether values are not continuous somewhere: there the last digit decides.
fn has_jumps(program: &Program) -> bool {
    let jumps = [
        "rem",
        "rem_const",
        "signum",
        "sign0",
        "sign_bit",
        "floor",
        "ceil",
        "round",
        "trunc",
    ];
    program.nodes().any(|node| {
        let name = program.kind(node).name();
        program.kind(node).is_mask() || jumps.contains(&name)
    }) || program.regions.iter().any(|region| has_jumps(&region.body))
}

#[test]
fn wide_replays_agree_to_rounding() {
    let mut compared = 0;
    for seed in 0..programs() {
        let mut rng = Rng::with_seed(seed << 8 | 3);
        let size = rng.usize(1..20);
        let program = random::program(&mut rng, size);
        let x = random::point(&mut rng, &program);
        let Some(scale) = moderate(&program, &x) else {
            continue;
        };
        if has_jumps(&program) {
            continue;
        }
        compared += 1;
        let expected = naive(&program, &x);
        for width in [Width::Four, Width::Eight] {
            for (a, b) in replay(&program, &x, width).0.iter().zip(&expected) {
                assert!(
                    (a - b).abs() <= 1e-9 * scale,
                    "seed {seed} at {x:?}, {width:?}: {a:e}, not {b:e}\n{program}"
                );
            }
        }
    }
    assert!(compared > programs() / 20, "{compared}");
}

/// The program without its decisions, so that it holds everywhere.
fn without_guards(program: &Program) -> Program {
    let mut free = program.clone();
    free.guards = Vec::<Guard>::new();
    for region in &mut free.regions {
        region.body = without_guards(&region.body).into();
    }
    free
}

#[test]
fn derivative_programs_agree_with_linearization() {
    let mut compared = 0;
    for seed in 0..programs() {
        let mut rng = Rng::with_seed(seed << 8 | 4);
        let size = rng.usize(1..20);
        let program = without_guards(&random::program(&mut rng, size));
        let (n, m) = (program.inputs(), program.outputs().len());
        let x = random::point(&mut rng, &program);
        let v: Vec<f64> = (0..n).map(|_| rng.f64() + 0.5).collect();
        let w: Vec<f64> = (0..m).map(|_| rng.f64() + 0.5).collect();
        let linear = program.linearize(&x).unwrap();
        let jvp = program.jvp().unwrap();
        let vjp = program.vjp().unwrap();
        for (derivative, direction, expected, skipped) in [
            (&jvp, &v, linear.jvp(&v).unwrap(), m),
            (&vjp, &w, linear.vjp(&w).unwrap(), m),
        ] {
            assert_eq!(derivative.validate(), Ok(()), "seed {seed}\n{program}");
            let simple = derivative.simplify().unwrap();
            let at = [&x[..], direction].concat();
            let found = naive(derivative, &at);
            let what = || format!("seed {seed} at {at:?}\n{program}\n{derivative}");
            if !sees_sign_of_nan(derivative, &at) {
                assert_same(&replay(&simple, &at, Width::One).0, &found, &what);
                assert_same(&found[..skipped], linear.outputs(), &what);
            }
            let Some(scale) = moderate(derivative, &at) else {
                continue;
            };
            compared += 1;
            for (a, b) in found[skipped..].iter().zip(&expected) {
                // The linearization has partials where programs pass quotients at once; a large one, as 1 / 1e-310, spoils what it
                // is multiplied with (R2 leaves intermediate overflow aside). Few cases ask for it.
                let is_same = (a - b).abs() <= 1e-9 * scale;
                let has_large_partials = || moderate(&program.jacobian().unwrap(), &x).is_none();
                assert!(
                    is_same || has_large_partials(),
                    "{a:e}, not {b:e}, {}",
                    what()
                );
            }
        }
    }
    assert!(compared > programs() / 20, "{compared}");
}
