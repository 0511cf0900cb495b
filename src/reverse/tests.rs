//! Naive twins of the fast paths: the checked push, the ten-line sweep, scalar sweeps for lanes, strict sweeps.

use proptest::collection::vec;
use proptest::prelude::*;

use super::tape::{Limits, Tape};
use crate::error::Error;
use crate::forward::Dual;

/// The statements after the inputs, each a list of arguments: where they stand below the statement (scaled), and partials.
type Statements = Vec<Vec<(f64, f64)>>;

fn statements() -> impl Strategy<Value = Statements> {
    let partial = prop_oneof![8 => -2.0..2.0, 1 => Just(0.0), 1 => Just(1.0)];
    vec(vec((0.0..1.0, partial), 0..20), 0..60)
}

/// Places the arguments below their statement.
fn placed(inputs: usize, statements: &Statements) -> Vec<Vec<(u32, f64)>> {
    let place = |below: usize, at: f64| num_traits::cast((below as f64 * at).floor()).unwrap();
    let below = |i: usize| inputs + i;
    statements
        .iter()
        .enumerate()
        .map(|(i, args)| {
            args.iter()
                .map(|(at, partial)| (place(below(i), *at), *partial))
                .collect()
        })
        .collect()
}

/// Records by the fast paths: arrays where there are one or two arguments and room, else iterators.
fn record(inputs: usize, statements: &[Vec<(u32, f64)>]) -> Tape<f64> {
    let mut tape = Tape::new();
    tape.reset(Limits::default());
    for _ in 0..inputs {
        tape.push_many(0, std::iter::empty()).unwrap();
    }
    for args in statements {
        let fast = match args[..] {
            [a] => tape.try_push([a]),
            [a, b] => tape.try_push([a, b]),
            _ => None,
        };
        fast.or_else(|| tape.push_many(args.len() + args.len() % 3, args.iter().copied()))
            .unwrap();
    }
    tape
}

/// The definition of the reverse sweep.
fn naive_sweep(inputs: usize, statements: &[Vec<(u32, f64)>], adjoints: &mut [f64]) {
    for (i, args) in statements.iter().enumerate().rev() {
        let adjoint = adjoints[inputs + i];
        for (index, partial) in args {
            adjoints[*index as usize] += partial * adjoint;
        }
    }
    adjoints[inputs..].fill(0.0);
}

fn bits(numbers: &[f64]) -> Vec<u64> {
    numbers.iter().map(|x| x.to_bits()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn fast_pushes_equal_checked_pushes(inputs in 1_usize..5, statements in statements()) {
        let statements = placed(inputs, &statements);
        let fast = record(inputs, &statements);
        let mut checked = Tape::new();
        checked.reset(Limits::default());
        for _ in 0..inputs {
            checked.push_checked(&[]);
        }
        for (i, args) in statements.iter().enumerate() {
            prop_assert_eq!(checked.push_checked(args) as usize, inputs + i);
        }
        prop_assert_eq!(fast.stacks(), checked.stacks());
        prop_assert_eq!(fast.bytes(), checked.bytes());
    }

    #[test]
    fn sweeps_equal_the_definition(
        inputs in 1_usize..5, statements in statements(), seeds in vec(-1.0..1.0, 8),
    ) {
        let statements = placed(inputs, &statements);
        let mut tape = record(inputs, &statements);
        let total = tape.statements();
        // Eight seeds at the last statements, one per lane: scalar sweeps, lanes, strict sweeps.
        let mut lanes = vec![[0.0; 8]; total];
        let mut expected = Vec::new();
        for (lane, seed) in seeds.iter().enumerate() {
            let output = total - 1 - lane % total;
            lanes[output][lane] = *seed;
            let mut naive = vec![0.0; total];
            naive[output] = *seed;
            let mut fast = naive.clone();
            naive_sweep(inputs, &statements, &mut naive);
            tape.sweep(inputs, &mut fast);
            prop_assert_eq!(bits(&fast), bits(&naive));
            let mut strict: Vec<Option<f64>> = vec![None; total];
            strict[output] = Some(*seed);
            tape.sweep(inputs, &mut strict);
            for (strict, naive) in strict.iter().zip(&naive) {
                prop_assert_eq!(strict.unwrap_or(0.0), *naive);
            }
            // The sweep in the tape's own memory, twice: it leaves zeros behind.
            let mut unit = vec![0.0; total];
            unit[output] = 1.0;
            naive_sweep(inputs, &statements, &mut unit);
            for _ in 0..2 {
                let mut gradient = vec![9.0; inputs];
                tape.sweep_in_place(inputs, u32::try_from(output).unwrap(), &mut gradient).unwrap();
                prop_assert_eq!(bits(&gradient), bits(&unit[..inputs]));
            }
            expected.push(naive);
        }
        tape.sweep(inputs, &mut lanes);
        for (lane, expected) in expected.iter().enumerate() {
            let lane: Vec<f64> = lanes.iter().map(|lanes| lanes[lane]).collect();
            prop_assert_eq!(bits(&lane), bits(expected));
        }
    }
}

#[test]
fn strict_sweep_skips_what_never_received_an_adjoint() {
    // v1 = f(v0) with an infinite partial and no influence; v2 = 2 v0 is the result.
    let tape = record(1, &[vec![(0, f64::INFINITY)], vec![(0, 2.0)]]);
    let mut fast = [0.0, 0.0, 1.0];
    tape.sweep(1, &mut fast);
    assert!(fast[0].is_nan());
    let mut strict = [None, None, Some(1.0)];
    tape.sweep(1, &mut strict);
    assert_eq!(strict[0], Some(2.0));
    // A computed zero is received.
    let mut received = [None, Some(0.0), Some(1.0)];
    tape.sweep(1, &mut received);
    assert!(received[0].is_some_and(f64::is_nan));
}

#[test]
fn stale_indices_are_never_read_out_of_bounds() {
    let tape = record(1, &[vec![(7, 1.0), (1, 1.0), (u32::MAX, 1.0), (0, 3.0)]]);
    let mut adjoints = [0.0, 1.0];
    tape.sweep(1, &mut adjoints);
    assert_eq!(adjoints, [3.0, 0.0]);
}

#[test]
fn a_failed_tape_records_no_more_and_recovers_by_reset() {
    let mut tape: Tape<Dual<f64>> = Tape::new();
    tape.reset(Limits {
        entries: 3,
        ..Limits::default()
    });
    let arg = (0, Dual::from(1.0));
    assert_eq!(tape.push_many(0, std::iter::empty()), Some(0));
    assert_eq!(tape.push_many(1, std::iter::once(arg)), Some(1));
    assert_eq!(tape.try_push([arg, arg, arg]), None);
    assert_eq!(tape.push_many(3, [arg; 3].into_iter()), None);
    // There was room for one argument, but the recording has failed.
    assert_eq!(
        (
            tape.try_push([arg]),
            tape.push_many(1, std::iter::once(arg))
        ),
        (None, None)
    );
    assert_eq!(tape.take_error(), Some(Error::TapeFull { limit: 3 }));
    tape.reset(Limits::default());
    assert_eq!(tape.push_many(3, [arg; 3].into_iter()), Some(0));
    assert_eq!((tape.statements(), tape.bytes()), (1, 4 + 3 * 20));
}
