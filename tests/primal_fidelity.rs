//! R1: the value computed with any carrier is bit for bit that of plain `f64`.
//!
//! Invariant: random programs over all operations, started from special and random numbers, are run on every carrier and
//! *all* intermediate values are compared, so one wrong bit cannot hide behind a later rounding.

mod common;

use common::{apply, modes::seed, operations, same_bits};
use proptest::prelude::*;
use wengert::forward::{Dual, Lanes};
use wengert::prelude::DualStruct;
use wengert::reverse::{Pullback, Var};
use wengert::{Mask, Scalar};

/// An operation by its place in the list, and its operands among the numbers computed so far (modulo their count).
type Step = (usize, [usize; 4]);

/// Runs a program; every result can be an operand of later steps.
///
/// NaN is replaced by one NaN: its sign is not specified, yet `copysign` would show it.
fn run<S: Scalar>(steps: &[Step], x: &[S]) -> Vec<S> {
    let operations = operations();
    let mut numbers = x.to_vec();
    for (operation, operands) in steps {
        let (op, arity) = operations[operation % operations.len()];
        let args = operands.map(|i| numbers[i % numbers.len()]);
        let y = apply(op, &args[..arity]);
        let is_number = y.eq_mask(y).decided() == Some(true);
        numbers.push(if is_number { y } else { S::from(f64::NAN) });
    }
    numbers
}

fn values<S: Scalar>(numbers: &[S]) -> Vec<f64> {
    numbers.iter().map(DualStruct::re).collect()
}

fn check(steps: &[Step], x: &[f64]) -> Result<(), TestCaseError> {
    let plain = run(steps, x);
    let lanes: Vec<Lanes<f64, 4>> = x
        .iter()
        .enumerate()
        .map(|(i, x)| Lanes::variable(*x, i))
        .collect();
    let lanes_of_dual: Vec<Lanes<Dual<f64>, 2>> = seed(x, 1)
        .into_iter()
        .map(|x| Lanes::variable(x, 0))
        .collect();
    let record = |x: &[Var<f64>]| run(steps, x);
    let nested = |x: &[Var<Dual<f64>>]| run(steps, x);
    let carriers = [
        ("Dual", values(&run(steps, &seed(x, 0)))),
        ("Lanes", values(&run(steps, &lanes))),
        ("Dual<Dual>", values(&run(steps, &seed(&seed(x, 0), 1)))),
        ("Lanes<Dual>", values(&run(steps, &lanes_of_dual))),
        ("Var", values(Pullback::record(record, x).unwrap().values())),
        (
            "Var<Dual>",
            values(Pullback::record(nested, &seed(x, 0)).unwrap().values()),
        ),
    ];
    for (name, found) in carriers {
        prop_assert_eq!(found.len(), plain.len());
        for (i, (found, expected)) in found.iter().zip(&plain).enumerate() {
            let step = i.checked_sub(x.len()).map(|i| steps[i]);
            prop_assert!(
                same_bits(*found, *expected),
                "{name}, {:?} from {x:?}: {found:e}, not {expected:e}",
                step.map(|(op, operands)| (operations()[op % operations().len()].0, operands)),
            );
        }
    }
    Ok(())
}

const SPECIAL: [f64; 24] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -0.5,
    2.0,
    -3.0,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
    5e-324,
    -5e-324,
    2.2e-308,
    -1e-310,
    f64::MIN_POSITIVE,
    f64::MAX,
    f64::MIN,
    1e200,
    -1e-200,
    710.0,
    -745.5,
    1e16,
    0.999_999_999_999_999_9,
];

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        prop::sample::select(SPECIAL.to_vec()),
        proptest::num::f64::ANY,
        -4.0..4.0_f64,
    ]
}

/// Every operation at every pair of special numbers (the other operands vary along).
#[test]
fn values_at_special_numbers_are_those_of_f64() {
    for operation in 0..operations().len() {
        for (i, x) in SPECIAL.iter().enumerate() {
            for (j, y) in SPECIAL.iter().enumerate() {
                let z = SPECIAL[(i + j) % SPECIAL.len()];
                check(&[(operation, [0, 1, 2, 3])], &[*x, *y, z, -z]).unwrap();
            }
        }
    }
}

proptest! {
    #[test]
    fn values_of_random_programs_are_those_of_f64(
        steps in prop::collection::vec((any::<usize>(), any::<[usize; 4]>()), 1..12),
        x in prop::array::uniform3(number()),
    ) {
        check(&steps, &x)?;
    }
}
