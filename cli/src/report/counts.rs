//! Exact operation counts of the value and of every mode, by recording the mode itself.
//!
//! A mode runs on numbers that record what is done to them, so its program contains every operation that it executes. Seeds
//! are inputs of that program, so no multiplication by them is folded away; every pass of a forward sweep then has the same
//! operations, and one pass is recorded. The zeros that constants and fresh adjoints carry cost nothing here.
//!
//! Source: Griewank & Walther 2008, §4.5 (operations as the measure of cost).

use std::collections::BTreeMap;

use serde::Serialize;
use wengert::forward::{Dual, Lanes, jvp};
use wengert::hessian::HessianMode;
use wengert::program::{Program, Traced};
use wengert::reverse::{Var, gradient, jacobian_reverse};
use wengert::{Error, Function, Mode, ScalarFunction};

use crate::measure::evaluate;

/// Tangents that one pass of a driver carries.
const LANES: usize = 8;

/// Exact operations.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Operations {
    /// Nodes of the program: an operation on many numbers counts once.
    pub(super) nodes: u64,
    /// Scalar operations: a sum of `k` terms is `k - 1` additions.
    pub(super) flops: u64,
    /// Nodes by kind.
    pub(super) kinds: BTreeMap<&'static str, u64>,
}

impl Operations {
    /// What a program executes, loops with all their iterations.
    pub(super) fn of(program: &Program) -> Self {
        let counts = program.counts();
        Self {
            nodes: counts.total(),
            flops: counts.flops(),
            kinds: counts.iter().collect(),
        }
    }

    /// Those of `passes` equal passes; `None` if they cannot be counted in 64 bits.
    fn times(mut self, passes: u64) -> Option<Self> {
        self.nodes = self.nodes.checked_mul(passes)?;
        self.flops = self.flops.checked_mul(passes)?;
        for count in self.kinds.values_mut() {
            *count = count.checked_mul(passes)?;
        }
        Some(self)
    }
}

/// Records `f` and counts.
fn record(
    x: &[f64],
    f: impl FnOnce(&[Traced]) -> Result<Vec<Traced>, Error>,
) -> Result<Operations, Error> {
    let mut outcome = Ok(());
    let keep_error = |error| {
        outcome = Err(error);
        Vec::new()
    };
    let program = Program::record(|x| f(x).unwrap_or_else(keep_error), x)?;
    outcome?;
    Ok(Operations::of(&program))
}

/// The value alone.
pub(super) fn value<F: Function>(f: &F, x: &[f64]) -> Result<Operations, Error> {
    record(x, |x| Ok(evaluate(f, x)))
}

/// One tangent.
pub(super) fn tangent<F: Function>(f: &F, x: &[f64]) -> Result<Operations, Error> {
    record(&seeded(x, 1), |inputs| {
        let (x, tangent) = inputs.split_at(x.len());
        Ok(jvp(|x| evaluate(f, x), x, tangent)?.1)
    })
}

/// The Jacobian in one mode.
pub(super) fn jacobian<F: Function>(
    f: &F,
    x: &[f64],
    mode: Mode,
) -> Result<Option<Operations>, Error> {
    let n = x.len();
    if mode == Mode::Reverse {
        let rows = |x: &[Traced]| {
            Ok(jacobian_reverse(|x| evaluate(f, x), x)?
                .iter()
                .copied()
                .collect())
        };
        return record(x, rows).map(Some);
    }
    let pass = record(&seeded(x, LANES), |inputs| {
        let y = evaluate(f, &lanes(inputs, n));
        Ok(y.iter().flat_map(|y| y.tangents).collect())
    })?;
    Ok(pass.times(passes(n)))
}

/// The gradient of one output by a single sweep.
pub(super) fn sweep<F: ScalarFunction>(f: &F, x: &[f64]) -> Result<Operations, Error> {
    record(x, |x| gradient(|x| f.call(x), x))
}

/// The Hessian by one nesting; `None` for nestings that this version does not know.
pub(super) fn hessian<F: ScalarFunction>(
    f: &F,
    x: &[f64],
    mode: HessianMode,
) -> Result<Option<Operations>, Error> {
    let n = x.len();
    Ok(match mode {
        HessianMode::ForwardOverReverse => {
            let pass = record(&seeded(x, LANES), |inputs| {
                let rows = gradient(|x| f.call(x), &lanes(inputs, n))?;
                Ok(rows.iter().flat_map(|row| row.tangents).collect())
            })?;
            pass.times(passes(n))
        }
        HessianMode::ReverseOverReverse => Some(record(x, |x| {
            let mut inner = Ok(());
            let matrix = jacobian_reverse(
                |x| {
                    gradient(|x| f.call(x), x).unwrap_or_else(|error| {
                        inner = Err(error);
                        Vec::new()
                    })
                },
                x,
            )?;
            inner?;
            Ok(matrix.iter().copied().collect())
        })?),
        HessianMode::ReverseOverForward => {
            let pass = record(&seeded(x, LANES), |inputs| {
                let (at, seeds) = inputs.split_at(n);
                let tangents = |x: &[Var<Traced>]| {
                    let seeds = seeds.chunks_exact(LANES);
                    let lane = |(x, seeds): (&Var<Traced>, &[Traced])| {
                        Lanes::new(*x, std::array::from_fn(|l| Var::constant(seeds[l])))
                    };
                    let x: Vec<Lanes<_, LANES>> = x.iter().zip(seeds).map(lane).collect();
                    f.call(&x).tangents
                };
                Ok(jacobian_reverse(tangents, at)?.iter().copied().collect())
            })?;
            pass.times(passes(n))
        }
        HessianMode::ForwardOverForward => {
            // Seeds of the inner tangent, of the lanes, and of the lanes' tangents.
            let pass = record(&seeded(x, 1 + 2 * LANES), |inputs| {
                let (at, seeds) = inputs.split_at(n);
                let lane = |(x, s): (&Traced, &[Traced])| {
                    let tangents = |l| Dual::new(s[1 + l], s[1 + LANES + l]);
                    Lanes::new(Dual::new(*x, s[0]), std::array::from_fn(tangents))
                };
                let seeds = seeds.chunks_exact(1 + 2 * LANES);
                let x: Vec<Lanes<_, LANES>> = at.iter().zip(seeds).map(lane).collect();
                Ok(f.call(&x).tangents.iter().map(|t| t.tangent).collect())
            })?;
            // Row i needs the columns up to the diagonal only.
            pass.times((1..=n).map(passes).sum())
        }
        _ => None,
    })
}

/// The passes that `n` directions need.
pub(super) fn passes(n: usize) -> u64 {
    u64::try_from(n.div_ceil(LANES)).unwrap_or(u64::MAX)
}

/// The point, followed by `per_input` seeds for each input.
fn seeded(x: &[f64], per_input: usize) -> Vec<f64> {
    let mut inputs = x.to_vec();
    inputs.resize(x.len() * (per_input + 1), 1.0);
    inputs
}

/// The numbers of a forward pass from a point followed by its seeds.
fn lanes(inputs: &[Traced], n: usize) -> Vec<Lanes<Traced, LANES>> {
    let (x, seeds) = inputs.split_at(n);
    let lane =
        |(x, seeds): (&Traced, &[Traced])| Lanes::new(*x, std::array::from_fn(|lane| seeds[lane]));
    x.iter().zip(seeds.chunks_exact(LANES)).map(lane).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use wengert::{Scalar, function};

    fn product<S: Scalar>(x: &[S]) -> S {
        x[0] * x[1]
    }

    /// By hand: a product has two multiplications and an addition per tangent, two multiplications per sweep.
    #[test]
    fn counts_of_a_product_are_those_by_hand() {
        let (f, x) = (function!(product), [3.0, 4.0]);
        assert_eq!(value(&f, &x).unwrap().flops, 1);
        let tangent = tangent(&f, &x).unwrap();
        assert_eq!(
            (tangent.kinds["mul"], tangent.kinds["add"], tangent.flops),
            (3, 1, 4)
        );
        let forward = jacobian(&f, &x, Mode::Forward).unwrap().unwrap();
        assert_eq!((forward.kinds["mul"], forward.kinds["add"]), (17, 8));
        // Two inputs or eight: one pass. Nine: two.
        assert_eq!((passes(2), passes(8), passes(9)), (1, 1, 2));
    }

    fn chain<S: Scalar>(x: &[S]) -> S {
        (0..4).fold(x[0], |y, _| y * x[0].sin())
    }

    #[test]
    fn the_gradient_costs_at_most_five_values() {
        let (f, x) = (function!(chain), [0.5]);
        let value = value(&f, &x).unwrap();
        assert_eq!((value.kinds["sin"], value.kinds["mul"]), (4, 4));
        let sweep = sweep(&f, &x).unwrap();
        assert_eq!((sweep.kinds["sin"], sweep.kinds["cos"]), (4, 4));
        assert!(sweep.flops <= 5 * value.flops, "{sweep:?}");
        for mode in HessianMode::ALL {
            let hessian = hessian(&f, &x, mode).unwrap().unwrap();
            assert!(hessian.flops > sweep.flops, "{mode} {hessian:?}");
        }
    }
}
