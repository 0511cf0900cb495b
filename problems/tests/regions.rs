//! Every problem recorded as a program: the same values bit for bit, and loops that stay loops.

use wengert::prelude::*;
use wengert::program::{Program, Traced};
use wengert_problems::registry::{PROBLEMS, ProblemInfo, Source, Visitor, visit};

/// What is left of a problem that was recorded.
#[derive(Debug)]
struct Recorded {
    nodes: usize,
    regions: usize,
    /// Nodes of the bodies, those of bodies in bodies included.
    body_nodes: usize,
}

fn body_nodes(program: &Program) -> usize {
    let bodies = program.regions().iter().map(|region| region.body());
    bodies.map(|body| body.len() + body_nodes(body)).sum()
}

/// Records a problem at its start point and compares its values there and beside it.
struct Record;

impl Visitor for Record {
    type Output = Recorded;

    fn visit<F: Function + Sync>(self, f: &F, x: &[f64], info: &ProblemInfo) -> Recorded {
        let name = info.problem.name;
        let outputs = f.outputs(x.len());
        let record = |x: &[Traced]| {
            let mut y = vec![Traced::from(0.0); outputs];
            f.eval(x, &mut y);
            y
        };
        let program = Program::record(record, x).unwrap();
        let beside: Vec<f64> = x.iter().map(|x| x * (1.0 + 1e-9)).collect();
        for x in [x, &beside] {
            let mut expected = vec![f64::NAN; outputs];
            f.eval(x, &mut expected);
            let values = program.values(x).unwrap();
            let found = program.outputs().iter().map(|y| values[y.index()]);
            for (i, (found, expected)) in found.zip(&expected).enumerate() {
                let are_equal = found.to_bits() == expected.to_bits();
                assert!(are_equal, "{name}, output {i}: {found} {expected}");
            }
        }
        Recorded {
            nodes: program.len(),
            regions: program.regions().len(),
            body_nodes: body_nodes(&program),
        }
    }
}

#[test]
fn recorded_problems_have_the_values_of_their_functions() {
    for problem in PROBLEMS {
        visit(problem.name, &Source::Default, Record).unwrap();
    }
}

/// Twice the data or more make loops longer, but neither their bodies nor their number larger.
#[test]
fn loops_over_data_are_recorded_once() {
    for (name, small, large) in [
        ("floor", vec![9], vec![90]),
        ("dot-nonlinear", vec![8, 5], vec![80, 5]),
        ("rosenbrock", vec![10], vec![100]),
        ("gmm", vec![3, 2, 20], vec![3, 2, 200]),
        ("ba", vec![4, 6, 24], vec![4, 6, 240]),
        ("hand", vec![100], vec![1000]),
        ("hand-complicated", vec![100], vec![1000]),
        ("lstm", vec![2, 10, 5], vec![2, 100, 5]),
        ("rosen", vec![10], vec![100]),
        ("arwhead", vec![10], vec![100]),
        ("cosine", vec![10], vec![100]),
        ("bdqrtic", vec![10], vec![100]),
        ("brybnd", vec![20], vec![100]),
        ("tridia", vec![10], vec![100]),
        ("minsurf", vec![25], vec![225]),
        ("bratu", vec![25], vec![225]),
        ("lj", vec![12], vec![60]),
        ("ocp", vec![12], vec![60]),
    ] {
        let [small, large] =
            [small, large].map(|sizes| visit(name, &Source::Sizes(sizes), Record).unwrap());
        assert!(small.regions > 0, "{name}: {small:?}");
        assert_eq!(
            (small.regions, small.body_nodes),
            (large.regions, large.body_nodes),
            "{name}"
        );
    }
}

/// Outside its two loops the mixture has a few operations per component.
#[test]
fn what_a_mixture_does_once_is_little() {
    let mixture = visit("gmm", &Source::Sizes(vec![4, 3, 100]), Record).unwrap();
    let inputs = 3 * (1 + 4 + 10);
    assert!(mixture.nodes < 2 * inputs, "{mixture:?}");
}
