//! A neural net in scalar form, trained on the exclusive or: recorded once as a program, replayed at every step.
//!
//! Run it with `cargo run --release --example neural_net`.
#![allow(clippy::print_stdout, reason = "an example shows its result")]

use wengert::prelude::*;
use wengert::program::Program;

const HIDDEN: usize = 4;
/// Two weights and a bias per hidden unit, a weight per hidden unit and a bias at the output.
const PARAMETERS: usize = 3 * HIDDEN + HIDDEN + 1;

fn net<S: Scalar>(p: &[S], a: S, b: S) -> S {
    let (first, second) = p.split_at(3 * HIDDEN);
    let hidden = first.chunks(3).map(|w| (w[0] * a + w[1] * b + w[2]).tanh());
    let sum = hidden
        .zip(second)
        .map(|(h, w)| h * *w)
        .fold(second[HIDDEN], |sum, term| sum + term);
    sum.logistic()
}

/// The cross entropy over all four cases. The loop is a region: one body in the program, however many cases.
fn loss<S: Scalar>(p: &[S], inputs: &[f64], targets: &[f64]) -> S {
    let pairs = Rows::new(inputs, 2).expect("two inputs per case");
    S::sum_over(&[], &[pairs, Rows::column(targets)], |_, case| {
        let y = net(p, case[0], case[1]);
        -(case[2] * y.ln() + (-case[2] + 1.0) * (-y + 1.0).ln())
    })
}

fn main() -> Result<(), Error> {
    let inputs = [0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0];
    let targets = [0.0, 1.0, 1.0, 0.0];
    // A start that breaks the symmetry of the hidden units.
    let mut p: Vec<f64> = (0..PARAMETERS)
        .map(|k| (1.7 * k as f64 + 0.3).sin())
        .collect();
    let program = Program::record(|p| [loss(p, &inputs, &targets)], &p)?;
    println!(
        "{} nodes, {} region",
        program.len(),
        program.regions().len()
    );
    let mut gradient = program.gradient()?.simplify()?.prepare()?;
    let before = loss(&p, &inputs, &targets);
    for _ in 0..4000 {
        let slope = gradient.run(&p)?;
        for (p, slope) in p.iter_mut().zip(slope) {
            *p -= 0.3 * slope;
        }
    }
    let after = loss(&p, &inputs, &targets);
    println!("loss {before:.3} -> {after:.5}");
    for (case, target) in inputs.chunks(2).zip(targets) {
        let y = net(&p, case[0], case[1]);
        println!("{case:?} -> {y:.4}");
        assert!((y - target).abs() < 0.1, "{y} {target}");
    }
    Ok(())
}

#[test]
fn it_asserts_what_it_says() -> Result<(), Error> {
    main()
}
