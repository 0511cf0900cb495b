//! Random straight-line functions for property tests, written once for every scalar.

use proptest::collection::vec;
use proptest::prelude::*;

use super::{Scalar, ScalarFunction};

/// A list of operations on the inputs and on earlier results; the last result is the value.
#[derive(Clone, Debug)]
pub(crate) struct Random {
    operations: Vec<(u8, usize, usize)>,
}

/// Random functions together with a point of three entries.
pub(crate) fn function_and_point() -> impl Strategy<Value = (Random, Vec<f64>)> {
    let entry = prop_oneof![6 => -2.0..2.0, 1 => Just(0.0), 1 => Just(1.0)];
    let operations = vec((0_u8..16, 0_usize..64, 0_usize..64), 1..12);
    (
        operations.prop_map(|operations| Random { operations }),
        vec(entry, 3),
    )
}

impl ScalarFunction for Random {
    fn call<S: Scalar>(&self, x: &[S]) -> S {
        let mut v: Vec<S> = x.to_vec();
        for (operation, i, j) in &self.operations {
            let (a, b) = (v[v.len() - 1 - i % v.len()], v[j % v.len()]);
            v.push(match operation {
                0 => a + b,
                1 => a - b,
                2 | 3 => a * b,
                4 => a / b,
                5 => a.sin() * 2.0 - 1.0,
                6 => a.tanh(),
                7 => a.sqrt(),
                8 => a.ln(),
                9 => S::from(0.0).sqrt() * a + b,
                10 => S::max(a, b),
                11 => S::select(a.lt_mask(b), a, b.sqrt()),
                12 => S::sum_of([a, b, a * 0.5]),
                13 => S::dot_of([(a, b), (b, b)]),
                14 => S::norm2_of([a, b]),
                // Not base 2: the compiler turns a visible 2^b into exp2(b), which may differ in the last bit.
                _ => a.powi(3) + S::from(3.0).powd(b),
            });
        }
        v[v.len() - 1]
    }
}
