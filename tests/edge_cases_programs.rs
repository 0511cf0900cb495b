//! The rows of EDGE_CASES.md on programs: selection, branches and replay (e40-e46), strong zeros, domains and same bits
//! (R3, R4, R6), aliases (e54). Resources, threads and shapes are in `edge_cases_programs_shapes.rs`.
//!
//! Invariant: what is expected is an exact number or an error with its numbers, at every width and in every derivative program.

mod common;

use std::sync::Arc;

use common::programs::{
    WIDTHS, assert_close, assert_outputs, naive, record_scalar, replay, replays,
};
use wengert::prelude::*;
use wengert::program::{Decision, Location, Program, ProgramCache, ReplayOptions, Traced, Width};

const INF: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;

fn options(width: Width) -> ReplayOptions {
    ReplayOptions { width, threads: 2 }
}

/// Value, first and second derivative of a function of one number by all programs that differentiation makes.
#[track_caller]
fn expect<F: ScalarFunction>(f: &F, x: f64, value: f64, first: f64, second: f64) {
    let program = record_scalar(f, &[x]);
    for program in [&program, &program.simplify().unwrap()] {
        let check = |derivative: Program, at: &[f64], expected: &[f64], what: &str| {
            assert_outputs(&derivative, at, expected, 0.0, what);
            let simple = derivative.simplify().unwrap();
            assert_outputs(&simple, at, expected, 0.0, what);
        };
        check(program.clone(), &[x], &[value], "value");
        let gradient = || program.gradient().unwrap();
        check(gradient(), &[x], &[first], "gradient");
        check(program.jacobian().unwrap(), &[x], &[first], "Jacobian");
        let jvp = || program.jvp().unwrap();
        check(jvp(), &[x, 1.0], &[value, first], "jvp");
        let vjp = || program.vjp().unwrap();
        check(vjp(), &[x, 1.0], &[value, first], "vjp");
        check(program.hessian().unwrap(), &[x], &[second], "Hessian");
        check(program.hvp().unwrap(), &[x, 1.0], &[second], "hvp");
        let at = [x, 1.0];
        check(
            gradient().jvp().unwrap(),
            &at,
            &[first, second],
            "jvp of gradient",
        );
        check(
            gradient().vjp().unwrap(),
            &at,
            &[first, second],
            "vjp of gradient",
        );
        if first.is_finite() {
            // A zero of the caller is a number like others.
            let at = [x, 1.0, 1.0, 0.0];
            let expected = [value, first, first, second];
            check(jvp().jvp().unwrap(), &at, &expected, "jvp of jvp");
            check(vjp().jvp().unwrap(), &at, &expected, "jvp of vjp");
            let at = [x, 1.0, 0.0, 1.0];
            let expected = [value, first, second, first];
            check(jvp().vjp().unwrap(), &at, &expected, "vjp of jvp");
            check(vjp().vjp().unwrap(), &at, &expected, "vjp of vjp");
        }
        let linear = program.linearize(&[x]).unwrap();
        assert_close(&linear.jvp(&[1.0]).unwrap(), &[first], 0.0, "linear jvp");
        assert_close(&linear.vjp(&[1.0]).unwrap(), &[first], 0.0, "linear vjp");
    }
}

#[test]
fn edge_e40_the_other_arm_is_not_differentiated() {
    let root = generic!(|x| S::select(S::from(0.0).le_mask(x[0]), x[0], (-x[0]).sqrt()));
    expect(&root, 1.0, 1.0, 1.0, 0.0);
    expect(&root, -4.0, 2.0, -0.25, -1.0 / 32.0);
    let deeper = generic!(|x| {
        let wrong = ((-x[0]).sqrt().ln() * x[0]).exp() / (x[0] - x[0]);
        S::select(S::from(0.0).le_mask(x[0]), x[0] * x[0], wrong)
    });
    expect(&deeper, 3.0, 9.0, 6.0, 2.0);
    let nested = generic!(|x| {
        let inner = S::select(x[0].lt_mask(S::from(0.0)), (-x[0]).ln(), x[0] * 3.0);
        S::select(
            x[0].lt_mask(S::from(9.0)),
            inner * x[0],
            (x[0] - 9.0).sqrt(),
        )
    });
    expect(&nested, 2.0, 12.0, 12.0, 6.0);
    // Both arms select, so that where a derivative reaches the outer one depends on all three masks.
    let both = generic!(|x| {
        let arm = |bound: f64, y: S| S::select(x[0].lt_mask(S::from(bound)), y, S::from(7.0));
        let (a, b) = (arm(3.0, x[0] * x[0]), arm(5.0, x[0].powi(3)));
        S::select(x[0].lt_mask(S::from(4.0)), a, b) * x[0]
    });
    expect(&both, 2.0, 8.0, 12.0, 12.0);
    expect(&both, 3.5, 24.5, 7.0, 0.0);
    expect(&both, 4.5, 410.0625, 364.5, 243.0);
    expect(&both, 6.0, 42.0, 7.0, 0.0);
}

#[test]
fn edge_e41_a_root_that_is_not_taken_at_zero() {
    let root = generic!(|x| S::select(S::from(0.0).lt_mask(x[0]), x[0].sqrt(), S::from(0.0)));
    expect(&root, 0.0, 0.0, 0.0, 0.0);
    expect(&root, 4.0, 2.0, 0.25, -1.0 / 32.0);
    expect(&root, -1.0, 0.0, 0.0, 0.0);
    let mask = generic!(|x| {
        let inside = S::from(-1.0).lt_mask(x[0]) & !S::from(1.0).le_mask(x[0]);
        S::select(inside, (-x[0] * x[0] + 1.0).sqrt(), S::from(0.0))
    });
    expect(&mask, 1.0, 0.0, 0.0, 0.0);
    expect(&mask, 0.0, 1.0, 0.0, -1.0);
}

/// Both rows in a region whose rows take different arms.
#[test]
fn edge_e40_e41_hold_per_iteration() {
    let f = generic!(|x| S::sum_over(&[Rows::column(x)], &[], |x, _| {
        let positive = S::from(0.0).lt_mask(x[0]);
        S::select(positive, x[0] * x[0].sqrt(), S::from(0.0)) + S::select(positive, x[0], -x[0])
    }));
    let x: Vec<f64> = (0..37).map(|i| [4.0, -1.0, 0.0][i % 3]).collect();
    let first: Vec<f64> = (0..37).map(|i| [4.0, -1.0, -1.0][i % 3]).collect();
    // (x sqrt(x))'' is 3 / (4 sqrt(x)).
    let second: Vec<f64> = (0..37).map(|i| [0.375, 0.0, 0.0][i % 3]).collect();
    let program = record_scalar(&f, &x);
    assert_eq!(program.regions().len(), 1);
    let ones = vec![1.0; 37];
    let gradient = program.gradient().unwrap();
    assert_outputs(&gradient, &x, &first, 0.0, "gradient");
    let at = [&x[..], &ones].concat();
    assert_outputs(&program.hvp().unwrap(), &at, &second, 0.0, "hvp");
    let twice = gradient.vjp().unwrap();
    let expected = [&first[..], &second].concat();
    assert_outputs(&twice, &at, &expected, 0.0, "vjp of gradient");
    let twice = gradient.jvp().unwrap();
    assert_outputs(&twice, &at, &expected, 0.0, "jvp of gradient");
}

#[test]
fn edge_e42_comparison_sees_values_only() {
    let f = generic!(|x| if x[0] == S::from(3.0) {
        x[0] * 5.0
    } else {
        x[0] * x[0]
    });
    expect(&f, 3.0, 15.0, 5.0, 0.0);
    expect(&f, 4.0, 16.0, 8.0, 2.0);
    let program = record_scalar(&f, &[3.0]);
    for derivative in [program.clone(), program.gradient().unwrap()] {
        for width in WIDTHS {
            let mut replay = derivative.prepare_with(&options(width)).unwrap();
            let error = replay.run(&[4.0]).unwrap_err();
            let Error::BranchChanged {
                recorded, found, ..
            } = error
            else {
                panic!("{error}");
            };
            assert_eq!(
                (recorded, found),
                (Decision::Holds(true), Decision::Holds(false))
            );
        }
    }
}

/// The branch of e43 and the line that it stands in.
fn branch(x: &[Traced]) -> ([Traced; 1], u32) {
    let (holds, line) = (x[0] > Traced::from(0.0), line!());
    let y = if holds { x[0] * x[0] } else { -x[0] };
    ([y], line)
}

#[test]
fn edge_e43_replay_on_the_other_side_is_an_error() {
    let mut at = 0;
    let program = Program::record(
        |x| {
            let (y, line) = branch(x);
            at = line;
            y
        },
        &[2.0],
    )
    .unwrap();
    let jvp = program.jvp().unwrap();
    let programs = [
        (program.clone(), vec![-2.0], vec![4.0]),
        (program.simplify().unwrap(), vec![-2.0], vec![4.0]),
        (program.gradient().unwrap(), vec![-2.0], vec![-4.0]),
        (program.hessian().unwrap(), vec![-2.0], vec![2.0]),
        (jvp.simplify().unwrap(), vec![-2.0, 1.0], vec![4.0, -4.0]),
    ];
    for (program, x, stale) in &programs {
        for width in WIDTHS {
            let mut replay = program.prepare_with(&options(width)).unwrap();
            let error = replay.run(x).unwrap_err();
            let text = error.to_string();
            let Error::BranchChanged {
                node,
                location,
                recorded,
                found,
            } = error
            else {
                panic!("{text}");
            };
            let location: Arc<Location> = location.expect("it is known where the branch is");
            assert!(location.file.ends_with("edge_cases_programs.rs"), "{text}");
            assert_eq!(location.line, at);
            assert!(usize::try_from(node).unwrap() < program.len());
            assert_eq!(
                (recorded, found),
                (Decision::Holds(true), Decision::Holds(false))
            );
            assert!(
                text.contains(&format!("edge_cases_programs.rs:{at}:")),
                "{text}"
            );
            // What the recorded branch gives, with the number of decisions that changed.
            let unchecked = replay.run_unchecked(x).unwrap();
            assert_eq!((unchecked.outputs, unchecked.changed), (&stale[..], 1));
            // The replay stays usable.
            let mut here = x.clone();
            here[0] = 3.0;
            assert_eq!(replay.run_unchecked(&here).unwrap().changed, 0);
            assert!(replay.run(&here).is_ok());
        }
    }
    assert!(matches!(
        program.linearize(&[-2.0]),
        Err(Error::BranchChanged { .. })
    ));
}

#[test]
fn edge_e43_one_point_does_not_spoil_a_batch() {
    let program = Program::record(|x| branch(x).0, &[2.0]).unwrap();
    let gradient = program.gradient().unwrap();
    for width in WIDTHS {
        let mut batch = gradient.prepare_batch(&options(width)).unwrap();
        let x: Vec<f64> = (0..100)
            .map(|i| if i % 7 == 3 { -1.5 } else { f64::from(i) + 1.0 })
            .collect();
        let mut y = vec![NAN; 100];
        let changed = batch.run(&x, &mut y).unwrap();
        let points: Vec<usize> = changed.iter().map(|(point, _)| *point).collect();
        assert_eq!(points, (0..100).filter(|i| i % 7 == 3).collect::<Vec<_>>());
        assert!(
            changed
                .iter()
                .all(|(_, e)| matches!(e, Error::BranchChanged { .. }))
        );
        for (i, (x, y)) in x.iter().zip(&y).enumerate() {
            assert!(i % 7 == 3 || *y == 2.0 * x, "{width:?}, point {i}: {y}");
        }
    }
}

/// A guard in the body of a region holds in every iteration.
#[test]
fn edge_e43_guards_hold_per_iteration() {
    let f = |x: &[Traced]| {
        [Traced::sum_over(&[Rows::column(x)], &[], |x, _| {
            if x[0] > Traced::from(0.0) {
                x[0].sqrt()
            } else {
                -x[0]
            }
        })]
    };
    let program = Program::record(f, &[4.0; 37]).unwrap();
    assert_eq!(program.regions().len(), 1);
    for derivative in [
        program.clone(),
        program.simplify().unwrap(),
        program.gradient().unwrap(),
    ] {
        for width in WIDTHS {
            let mut replay = derivative.prepare_with(&options(width)).unwrap();
            assert!(replay.run(&[9.0; 37]).is_ok());
            for wrong in [0, 5, 31, 32, 36] {
                let mut x = [9.0; 37];
                x[wrong] = -1.0;
                let error = replay.run(&x);
                assert!(
                    matches!(error, Err(Error::BranchChanged { .. })),
                    "{width:?} {wrong}"
                );
                assert_eq!(
                    replay.run_unchecked(&x).unwrap().changed,
                    1,
                    "{width:?} {wrong}"
                );
            }
            assert_eq!(replay.run_unchecked(&[-1.0; 37]).unwrap().changed, 37);
        }
    }
    // Rows that disagree where they are recorded: the program does not even hold there.
    let x = [1.0, 2.0, -1.0, 4.0];
    let program = Program::record(f, &x).unwrap();
    for width in WIDTHS {
        let mut replay = program.prepare_with(&options(width)).unwrap();
        let Err(Error::BranchChanged { location, .. }) = replay.run(&x) else {
            panic!("{program}");
        };
        let file = &location.expect("it is known where the branch is").file;
        assert!(file.ends_with("edge_cases_programs.rs"), "{file}");
    }
}

#[test]
fn edge_e44_ties_are_counted() {
    let f = generic!(|x| {
        let positive = x[0] >= S::from(0.0) && x[1] <= x[0];
        if positive { x[0] * x[1] } else { x[1] }
    });
    let program = record_scalar(&f, &[2.0, 1.0]);
    for program in [&program, &program.gradient().unwrap()] {
        for width in WIDTHS {
            let mut replay = program.prepare_with(&options(width)).unwrap();
            for (x, ties) in [
                ([3.0, 1.0], 0),
                ([3.0, 3.0], 1),
                ([0.0, 0.0], 2),
                ([1.0, 0.5], 0),
            ] {
                assert!(replay.run(&x).is_ok());
                assert_eq!(replay.ties(), ties, "{x:?} {width:?}");
            }
        }
    }
}

/// torch-autograd's failing case: the number of iterations depends on an argument.
fn power<S: Scalar>(x: &[S]) -> S {
    (0..x[1].to_index().unwrap_or(0)).fold(x[0], |y, _| y * x[0])
}

#[test]
fn edge_e45_loop_counts_and_indices_are_guarded() {
    let f = function!(power);
    let program = record_scalar(&f, &[3.0, 2.0]);
    for (program, at_5) in [
        (program.clone(), vec![125.0]),
        (program.simplify().unwrap(), vec![125.0]),
        (program.gradient().unwrap(), vec![75.0, 0.0]),
    ] {
        for width in WIDTHS {
            let mut replay = program.prepare_with(&options(width)).unwrap();
            assert_eq!(replay.run(&[5.0, 2.0]).unwrap(), at_5);
            assert_eq!(
                replay.run(&[5.0, 2.75]).unwrap(),
                at_5,
                "the same number of iterations"
            );
            for (count, index) in [(3.0, Some(3)), (1.999, Some(1)), (-1.0, None), (NAN, None)] {
                let error = replay.run(&[5.0, count]).unwrap_err();
                let Error::BranchChanged {
                    recorded,
                    found,
                    location,
                    ..
                } = error
                else {
                    panic!("{error}");
                };
                assert_eq!(
                    (recorded, found),
                    (Decision::Index(Some(2)), Decision::Index(index))
                );
                let location = location.expect("it is known where the loop is");
                assert!(location.file.ends_with("edge_cases_programs.rs"));
            }
        }
    }
    // A cache records again and keeps a program per number of iterations.
    let mut cache = ProgramCache::new(&f);
    let mut slopes = ProgramCache::derived(&f, Program::gradient);
    for (x, y, programs) in [
        ([3.0, 2.0], 27.0, 1),
        ([3.0, 3.0], 81.0, 2),
        ([2.0, 2.5], 8.0, 2),
        ([2.0, 0.5], 2.0, 3),
        ([5.0, 3.0], 625.0, 3),
    ] {
        assert_eq!(cache.values(&x), Ok(vec![y]));
        let slope = (x[1].floor() + 1.0) * x[0].powf(x[1].floor());
        assert_eq!(slopes.values(&x), Ok(vec![slope, 0.0]));
        assert_eq!((cache.len(), slopes.len()), (programs, programs));
    }
    let table = |x: &[Traced]| {
        let index = x[0].to_index().unwrap_or(0);
        [x[1..][index] * x[1..][index]]
    };
    let program = Program::record(table, &[1.5, 7.0, 8.0, 9.0]).unwrap();
    let mut replay = program.prepare().unwrap();
    assert_eq!(replay.run(&[1.9, 7.0, 5.0, 9.0]), Ok(&[25.0][..]));
    for stale in [0.5, 2.5, -0.5, INF] {
        let error = replay.run(&[stale, 7.0, 5.0, 9.0]);
        assert!(matches!(error, Err(Error::BranchChanged { .. })), "{stale}");
    }
}

#[test]
fn edge_e46_only_printing_records_nothing() {
    let plain = Program::record(|x| [x[0] * x[1]], &[2.0, 3.0]).unwrap();
    let printed = Program::record(
        |x| {
            let y = x[0] * x[1];
            assert_eq!(format!("{y} {y:.2} {y:?}"), "6 6.00 Traced(6, v2)");
            [y]
        },
        &[2.0, 3.0],
    )
    .unwrap();
    assert_eq!(printed.to_string(), plain.to_string());
    assert!(printed.guards().is_empty());
    type Look = fn(Traced) -> bool;
    let looks: [(Look, Decision, f64); 6] = [
        (|x| x.re() == 2.0, Decision::Value(2.0), 2.0_f64.next_up()),
        (|x| x.to_index() == Some(2), Decision::Index(Some(2)), 3.0),
        (|x| x == Traced::from(2.0), Decision::Holds(true), 3.0),
        (
            |x| x.partial_cmp(&Traced::from(1.0)).is_some(),
            Decision::Ordering(Some(std::cmp::Ordering::Greater)),
            1.0,
        ),
        (|x| !x.is_zero(), Decision::Holds(false), 0.0),
        (|x| !x.is_one(), Decision::Holds(false), 1.0),
    ];
    for (look, recorded, elsewhere) in looks {
        let program = Program::record(
            |x| {
                assert!(look(x[0]));
                [x[0]]
            },
            &[2.0],
        )
        .unwrap();
        let [guard] = program.guards() else {
            panic!("{program}");
        };
        assert_eq!(guard.recorded, recorded, "{program}");
        let mut replay = program.prepare().unwrap();
        assert_eq!(replay.run(&[2.0]), Ok(&[2.0][..]));
        let text = replay.run(&[elsewhere]).unwrap_err().to_string();
        assert!(
            text.contains("to_index()") && text.contains("lt_mask()"),
            "{text}"
        );
    }
}

#[test]
fn rule_r3_structural_zeros_are_strong() {
    let f = generic!(|x| x[1] + x[0].ln());
    let program = record_scalar(&f, &[1.0, 2.0]);
    for program in [&program, &program.simplify().unwrap()] {
        let (at, expected) = ([0.0, 1.0], [INF, 1.0]);
        let derivatives = [
            program.gradient().unwrap(),
            program.jacobian().unwrap(),
            program.gradient().unwrap().simplify().unwrap(),
            program.sparse_jacobian().unwrap().0,
        ];
        for derivative in derivatives {
            assert_outputs(&derivative, &at, &expected, 0.0, "gradient");
        }
        // A seed of the caller is a number, also where it is zero.
        let jvp = replays(&program.jvp().unwrap(), &[0.0, 1.0, 0.0, 1.0], "jvp");
        for found in jvp {
            assert!(found[0] == -INF && found[1].is_nan(), "{found:?}");
        }
    }
    // In a region.
    let f = generic!(|x| S::sum_over(&[Rows::column(&x[1..])], &[], |y, _| y[0] + x[0].ln()));
    let program = record_scalar(&f, &[1.0; 10]);
    let mut expected = [1.0; 10];
    expected[0] = INF;
    let mut at = [1.0; 10];
    at[0] = 0.0;
    assert_outputs(&program.gradient().unwrap(), &at, &expected, 0.0, "region");
}

#[test]
fn rule_r4_domain_errors_are_loud() {
    let f = |x: &[Traced]| {
        let [x] = x else { panic!("one input") };
        [
            x.ln(),
            x.sqrt(),
            x.log2(),
            x.log10(),
            x.ln_1p(),
            x.asin(),
            x.acos(),
            x.atanh(),
            x.acosh(),
        ]
    };
    let program = Program::record(f, &[0.5]).unwrap();
    for derivative in [
        program.jacobian().unwrap(),
        program.jacobian().unwrap().simplify().unwrap(),
    ] {
        assert_outputs(&derivative, &[-2.0], &[NAN; 9], 0.0, "below");
        let at_2 = naive(&derivative, &[2.0]);
        let domain: Vec<bool> = at_2.iter().map(|p| p.is_nan()).collect();
        assert_eq!(
            domain,
            [false, false, false, false, false, true, true, true, false]
        );
        for width in WIDTHS {
            let found = replay(&derivative, &[2.0], width, 1);
            assert!(found.iter().zip(&domain).all(|(p, nan)| p.is_nan() == *nan));
        }
    }
}

#[test]
fn edge_e54_identities_constants_and_aliases() {
    expect(&generic!(|x| x[0]), 7.0, 7.0, 1.0, 0.0);
    expect(&generic!(|_x| S::from(4.0)), 7.0, 4.0, 0.0, 0.0);
    let twice = |x: &[Traced]| {
        let mut z = x[0];
        let y = z;
        z = z * z;
        z *= y;
        [z, z, y, Traced::from(1.0), x[1]]
    };
    let program = Program::record(twice, &[2.0, 5.0]).unwrap();
    let x = [2.0, 5.0];
    let y = [8.0, 8.0, 2.0, 1.0, 5.0];
    for program in [&program, &program.simplify().unwrap()] {
        assert_outputs(program, &x, &y, 0.0, "values");
        let rows = [12.0, 0.0, 12.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0];
        assert_outputs(&program.jacobian().unwrap(), &x, &rows, 0.0, "Jacobian");
        let at = [2.0, 5.0, 1.0, 10.0, 100.0, 1000.0, 10000.0];
        let expected = [&y[..], &[232.0, 10000.0]].concat();
        assert_outputs(&program.vjp().unwrap(), &at, &expected, 0.0, "vjp");
        let at = [2.0, 5.0, 1.0, 10.0];
        let expected = [&y[..], &[12.0, 12.0, 1.0, 0.0, 10.0]].concat();
        assert_outputs(&program.jvp().unwrap(), &at, &expected, 0.0, "jvp");
    }
    let same = record_scalar(&generic!(|x| x[0] * x[0] + x[0]), &[3.0]);
    assert_outputs(&same.gradient().unwrap(), &[3.0], &[7.0], 0.0, "f(x, x)");
}
