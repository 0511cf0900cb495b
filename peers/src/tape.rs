//! A long scalar loop by reverse mode: the price of one recorded and swept operation.
//!
//! Invariant: exactly ten million additions and multiplications of two active numbers. The loop is
//! the leapfrog scheme `v += t u; u += s v` with `s t < 0`: each step has determinant 1 and, as
//! `-4 < s t < 0`, eigenvalues of modulus 1, so that values stay bounded and adjoints never fade
//! (Hairer, Lubich & Wanner 2006, §I.1.2). No adjoint becomes zero or subnormal, which would let a
//! sweep skip work or slow it down.

use crate::gradients::{self, Objective};
use crate::measure::{Comparison, Contestant, OURS, Workload, compare};
use crate::real::Real;

const STEPS: u32 = 2_500_000;
const OPERATIONS_PER_STEP: u32 = 4;
const START: [f64; 2] = [0.3, -0.2];

struct Leapfrog {
    steps: u32,
}

impl Objective for Leapfrog {
    fn eval<R: Real>(&self, x: &[R]) -> R {
        let (s, t) = (x[0], x[1]);
        let (mut u, mut v) = (s, t);
        for _ in 0..self.steps {
            v = v + u * t;
            u = u + v * s;
        }
        u
    }
}

fn contestants(f: &Leapfrog) -> Vec<Contestant<'_>> {
    let mut contestants = gradients::contestants(f, &START);
    contestants.insert(0, gradients::ours(OURS, |x| f.eval(x), &START));
    contestants
}

/// Times one gradient of the loop by each tape.
pub(crate) fn run(rounds: u32) -> Result<Comparison, String> {
    let f = Leapfrog { steps: STEPS };
    compare(
        Workload {
            name: "tape".to_owned(),
            operation: "recorded and swept binary operation",
            operations: STEPS * OPERATIONS_PER_STEP,
            evaluations: 1,
            plain: gradients::plain(&f, &START),
            contestants: contestants(&f),
            expected: Vec::new(),
            oracle: None,
            results: 1 + START.len(),
            tolerance: 1e-10,
        },
        rounds,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::real::Counted;

    #[test]
    fn a_step_is_four_operations_and_stays_bounded() {
        let f = Leapfrog { steps: 1000 };
        assert_eq!(
            Counted::operations(|x| f.eval(x), &START),
            1000 * OPERATIONS_PER_STEP
        );
        // The scheme conserves -t u^2 + s v^2 + s t u v, 0.0336 at the start; hence |u| < 0.42.
        for steps in [1, 10, 100, 12_345, STEPS] {
            assert!(Leapfrog { steps }.eval(&START).abs() < 0.42);
        }
    }

    #[test]
    fn one_step_by_hand() {
        // v = t + s t, u = s + s t (1 + s): du/ds = 1 + t + 2 s t, du/dt = s (1 + s).
        let f = Leapfrog { steps: 1 };
        let (s, t) = (START[0], START[1]);
        let hand = [s + s * t * (1.0 + s), 1.0 + t + 2.0 * s * t, s * (1.0 + s)];
        let comparison = compare(
            Workload {
                name: "one step".to_owned(),
                operation: "operation",
                operations: 4,
                evaluations: 1,
                plain: gradients::plain(&f, &START),
                contestants: contestants(&f),
                expected: vec![(0, hand.to_vec())],
                oracle: Some("by hand".to_owned()),
                results: 3,
                tolerance: 1e-15,
            },
            1,
        );
        assert!(comparison.is_ok(), "{comparison:?}");
    }
}
