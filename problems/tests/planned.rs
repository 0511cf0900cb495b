//! Planned Jacobians of the test problems: the same numbers as reverse mode, and never more operations than either mode.

// The counts are worth a look, with `--nocapture`.
#![allow(clippy::print_stdout)]

use wengert::crosscountry::{Budget, PlannedBy, PlannedJacobian};
use wengert::program::Program;
use wengert::{Function, Mode, jacobian};
use wengert_problems::registry::{PROBLEMS, ProblemInfo, Source, Visitor, visit};

/// Jacobians with more entries are left to the other tests: the dense matrix of the carriers would take most of the time.
const LARGEST: usize = 200_000;

fn record<F: Function>(f: &F, x: &[f64]) -> Program {
    let program = Program::record(
        |x| {
            let mut y = vec![0.0.into(); f.outputs(x.len())];
            f.eval(x, &mut y);
            y
        },
        x,
    );
    program.unwrap().simplify().unwrap()
}

/// Operations of the function, and of its Jacobian by forward mode, reverse mode and the plan.
struct Operations {
    value: u64,
    forward: Option<u64>,
    reverse: Option<u64>,
    planned: u64,
    is_mixed: bool,
}

struct Check;

impl Visitor for Check {
    type Output = Option<Operations>;

    fn visit<F: Function + Sync>(self, f: &F, x: &[f64], info: &ProblemInfo) -> Option<Operations> {
        let name = info.problem.name;
        if x.len() * f.outputs(x.len()) > LARGEST {
            return None;
        }
        let program = record(f, x);
        let planned = PlannedJacobian::of(&program, &Budget::default()).unwrap();
        planned.program().validate().unwrap();
        let mut replay = planned.program().prepare().unwrap();
        let entries = replay.run(x).unwrap();
        let mut expected = jacobian(f, x, Mode::Reverse).unwrap();
        let largest = expected.iter().fold(0.0_f64, |m, e| m.max(e.abs()));
        for ((row, column), found) in planned.places().iter().zip(entries) {
            let entry = &mut expected[(*row as usize, *column as usize)];
            assert!(
                (found - *entry).abs() <= 1e-12 * largest,
                "{name} ({row}, {column}): {found:e} {entry:e}"
            );
            *entry = 0.0;
        }
        assert!(
            expected.iter().all(|e| *e == 0.0),
            "{name}: entries are missing"
        );
        Some(Operations {
            value: program.counts().flops(),
            forward: planned.forward_flops(),
            reverse: planned.reverse_flops(),
            planned: planned.flops(),
            is_mixed: matches!(planned.found(), PlannedBy::Moves(_)),
        })
    }
}

#[test]
fn planned_jacobians_are_those_of_reverse_mode_in_at_most_as_many_operations() {
    let mut seen = 0;
    for problem in PROBLEMS {
        let Some(found) = visit(problem.name, &Source::Default, Check).unwrap() else {
            continue;
        };
        let best = found.forward.into_iter().chain(found.reverse).min();
        let best = best.expect("a basic mode was tried");
        println!(
            "{:20} value {:8} forward {:8?} reverse {:8?} planned {:8} mixed {} ratio {:.3}",
            problem.name,
            found.value,
            found.forward,
            found.reverse,
            found.planned,
            found.is_mixed,
            found.planned as f64 / found.value as f64,
        );
        assert!(found.planned <= best, "{}", problem.name);
        if ["roe-flux", "robot-arm"].contains(&problem.name) {
            assert!(found.planned < best, "{}", problem.name);
        }
        seen += 1;
    }
    assert!(seen >= 20, "only {seen} problems are small enough");
}

struct Ratio;

impl Visitor for Ratio {
    type Output = (u64, u64);
    fn visit<F: Function + Sync>(self, f: &F, x: &[f64], _: &ProblemInfo) -> (u64, u64) {
        let program = record(f, x);
        let planned = PlannedJacobian::of(&program, &Budget::default()).unwrap();
        (planned.flops(), program.counts().flops())
    }
}

/// Operations of the Jacobian over those of the function, the value excluded.
fn ratio(name: &str, sizes: &[usize]) -> f64 {
    let (jacobian, value) = visit(name, &Source::Sizes(sizes.to_vec()), Ratio).unwrap();
    println!("{name} {sizes:?}: {jacobian} / {value}");
    jacobian as f64 / value as f64
}

/// The ratios that are published for FastDifferentiation.jl, in its README of 2024.
#[test]
fn jacobians_take_few_operations_beside_their_functions() {
    assert!(ratio("rosenbrock", &[100]) <= 1.13);
    assert!(ratio("spherical-harmonics", &[40]) <= 2.45);
    assert!(ratio("matrix-function", &[2]) <= 2.6);
    assert!(ratio("matrix-function", &[6]) <= 3.0);
}
