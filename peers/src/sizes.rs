//! Gradients over the number of inputs: the families that reports sweep, by every tape.
//!
//! Invariant: the oracle is the closed form of the gradient, so the first contestant is checked like the others.
//! Source: Rosenbrock 1960, chained; Speelpenning 1980.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::gradients::{self, Objective};
use crate::measure::{Comparison, OURS, Workload, compare};
use crate::real::Real;

/// The numbers of inputs: those of a quick report, and two beyond.
const SIZES: [u32; 6] = [4, 16, 64, 256, 1024, 4096];

/// The inputs that all evaluations of one call together have, so that the clock's own cost vanishes.
const INPUTS: u32 = 4096;

/// One size of one problem by one tool, as `wengert report --peers` draws it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Point {
    /// The crate.
    pub(crate) tool: &'static str,
    /// The problem, as `wengert problems` names it.
    pub(crate) problem: &'static str,
    /// The number of inputs.
    pub(crate) inputs: u32,
    /// The median time of one gradient.
    pub(crate) seconds: f64,
    /// Relative to the function on plain `f64`.
    pub(crate) ratio: f64,
    /// The largest deviation, relative to the largest entry.
    pub(crate) deviation: f64,
}

/// What a sweep gives.
pub(crate) struct Sweep {
    /// What agreed.
    pub(crate) points: Vec<Point>,
    /// What did not, and why.
    pub(crate) failed: BTreeMap<String, String>,
}

/// A family of functions with the closed form of value and gradient.
trait Family: Objective {
    const NAME: &'static str;
    fn at(inputs: u32) -> Vec<f64>;
    fn expected(x: &[f64]) -> Vec<f64>;
}

/// Rosenbrock's valley, chained.
struct Rosen;

impl Objective for Rosen {
    fn eval<R: Real>(&self, x: &[R]) -> R {
        let term = |pair: &[R]| {
            let (a, b) = (
                pair[0].subtracted_from(1.0),
                pair[1] + (pair[0] * pair[0]).times(-1.0),
            );
            a * a + (b * b).times(100.0)
        };
        let mut terms = x.windows(2).map(term);
        let first = terms.next().unwrap_or(x[0]);
        terms.fold(first, |sum, term| sum + term)
    }
}

impl Family for Rosen {
    const NAME: &'static str = "rosen";
    fn at(inputs: u32) -> Vec<f64> {
        (0..inputs)
            .map(|i| if i % 2 == 0 { -1.2 } else { 1.0 })
            .collect()
    }
    fn expected(x: &[f64]) -> Vec<f64> {
        let mut all = vec![0.0; 1 + x.len()];
        for (i, pair) in x.windows(2).enumerate() {
            let (a, b) = (1.0 - pair[0], pair[1] - pair[0] * pair[0]);
            all[0] += a * a + 100.0 * b * b;
            all[1 + i] -= 2.0 * a + 400.0 * pair[0] * b;
            all[2 + i] += 200.0 * b;
        }
        all
    }
}

/// The product of all inputs.
struct Speelpenning;

impl Objective for Speelpenning {
    fn eval<R: Real>(&self, x: &[R]) -> R {
        x[1..].iter().fold(x[0], |product, x| product * *x)
    }
}

impl Family for Speelpenning {
    const NAME: &'static str = "speelpenning";
    /// Neighbours are reciprocal but for a little, so that no product overflows.
    fn at(inputs: u32) -> Vec<f64> {
        let factor = |i: u32| 1.0 + 0.5 * f64::from(i / 2 + 1).sin();
        (0..inputs)
            .map(|i| {
                if i % 2 == 0 {
                    factor(i)
                } else {
                    1.001 / factor(i)
                }
            })
            .collect()
    }
    fn expected(x: &[f64]) -> Vec<f64> {
        let product: f64 = x.iter().product();
        let partials = x.iter().map(|x| product / x);
        std::iter::once(product).chain(partials).collect()
    }
}

/// Times both families over all sizes.
pub(crate) fn run(rounds: u32) -> Result<Sweep, String> {
    let mut sweep = Sweep {
        points: Vec::new(),
        failed: BTreeMap::new(),
    };
    for inputs in SIZES {
        sweep.add(&Rosen, inputs, rounds)?;
        sweep.add(&Speelpenning, inputs, rounds)?;
    }
    Ok(sweep)
}

/// One size of one family by all tapes.
fn measure<F: Family>(f: &F, inputs: u32, rounds: u32) -> Result<Comparison, String> {
    let x = F::at(inputs);
    let times = (INPUTS / inputs).max(1);
    let mut contestants = gradients::contestants(f, &x);
    contestants.insert(0, gradients::ours(OURS, |x| f.eval(x), &x));
    let expected = F::expected(&x);
    compare(
        Workload {
            name: format!("{} n={inputs}", F::NAME),
            operation: "input",
            operations: inputs,
            evaluations: times,
            plain: gradients::plain(f, &x).repeated(times),
            contestants: contestants
                .into_iter()
                .map(|contestant| contestant.repeated(times))
                .collect(),
            results: expected.len(),
            expected: vec![(0, vec![expected[0]]), (1, expected[1..].to_vec())],
            oracle: Some("the closed form".into()),
            tolerance: 1e-10,
        },
        rounds,
    )
}

impl Sweep {
    fn add<F: Family>(&mut self, f: &F, inputs: u32, rounds: u32) -> Result<(), String> {
        let comparison = measure(f, inputs, rounds)?;
        let ours = comparison.ours_seconds.map(|seconds| (OURS, seconds));
        let all = comparison.peers.iter().map(|(name, s)| (*name, *s));
        for (tool, seconds) in ours.into_iter().chain(all) {
            self.points.push(Point {
                tool,
                problem: F::NAME,
                inputs,
                seconds,
                ratio: seconds / comparison.plain_seconds,
                deviation: comparison.deviations[tool],
            });
        }
        let name = &comparison.name;
        let failed = comparison.failed.iter();
        self.failed
            .extend(failed.map(|(tool, reason)| (format!("{tool} on {name}"), reason.clone())));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand at (2, 3): a = -1, b = -1, so 1 + 100, and 2 + 800 and -200.
    #[test]
    fn closed_forms_by_hand() {
        assert_eq!(Rosen::expected(&[2.0, 3.0]), [101.0, 802.0, -200.0]);
        assert_eq!(Rosen.eval(&[2.0, 3.0]), 101.0);
        assert_eq!(
            Speelpenning::expected(&[2.0, 4.0, 8.0]),
            [64.0, 32.0, 16.0, 8.0]
        );
        assert_eq!(Speelpenning.eval(&[2.0, 4.0, 8.0]), 64.0);
    }

    #[test]
    fn every_tape_agrees_at_every_size() {
        let sweep = run(1).unwrap();
        assert!(sweep.failed.is_empty(), "{:?}", sweep.failed);
        // Five tapes, two families.
        assert_eq!(sweep.points.len(), 5 * 2 * SIZES.len());
        assert!(sweep.points.iter().all(|point| point.deviation <= 1e-10));
    }
}
