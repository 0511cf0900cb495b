//! The operations of one mode, counted by running it on numbers that record what is done to them.
//!
//! Invariant: seeds are inputs of the recording, so no multiplication by a seed is folded away; equal passes are recorded once.
//! Source: Griewank & Walther 2008, §3, §4.5 and §5.1.

use super::Operations;
use crate::error::Error;
use crate::forward::{Dual, Lanes, SWEEP, jvp};
use crate::hessian::{HessianMode, hvp};
use crate::jacobian::{Mode, check_inputs, evaluate};
use crate::program::{Program, Traced};
use crate::reverse::{Var, gradient, jacobian_reverse, vjp};
use crate::scalar::Function;

/// What [`operations`] counts.
///
/// ```
/// use wengert::prelude::*;
/// use wengert::report::{Pass, operations};
/// fn product<S: Scalar>(x: &[S]) -> S {
///     x[0] * x[1]
/// }
/// let flops = |pass| operations(&function!(product), &[3.0, 4.0], pass).map(|counted| counted.flops);
/// assert_eq!((flops(Pass::Value)?, flops(Pass::Jvp)?, flops(Pass::Gradient)?), (1, 4, 3));
/// # Ok::<(), Error>(())
/// ```
///
/// **Source**: Griewank & Walther 2008, §3 and §5.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Pass {
    /// The function alone.
    Value,
    /// One directional derivative.
    Jvp,
    /// The gradient of one output.
    Gradient,
    /// One weighted combination of rows.
    Vjp,
    /// All first partials; [`Mode::Auto`] is counted as its program, see [`Operations::of`].
    Jacobian(Mode),
    /// One product with the Hessian, of one output.
    Hvp,
    /// All second partials of one output.
    Hessian(HessianMode),
}

impl Pass {
    /// Whether the function must have one output.
    fn needs_one_output(self) -> bool {
        matches!(self, Self::Gradient | Self::Hvp | Self::Hessian(_))
    }
}

/// The exact operations of a function object in one mode, the value included.
///
/// ```
/// use wengert::prelude::*;
/// use wengert::report::{Pass, operations};
/// fn f<S: Scalar>(x: &[S]) -> S {
///     x[0] * x[1].sin()
/// }
/// let (f, x) = (function!(f), [3.0, 4.0]);
/// let sweep = operations(&f, &x, Pass::Gradient)?;
/// assert_eq!((sweep.kind("sin"), sweep.kind("cos"), sweep.kind("mul")), (1, 1, 4));
/// let one = operations(&f, &x, Pass::Hessian(HessianMode::ForwardOverReverse))?;
/// // Nine inputs would take two passes, two inputs take one.
/// assert!(one.flops > sweep.flops);
/// # Ok::<(), Error>(())
/// ```
///
/// **Shape**: `x` has `n` entries.
/// **Cost**: the mode runs once on recording numbers, about 50 ns and 40 bytes per operation counted; of equal passes only the
/// first.
///
/// # Errors
/// [`Error::ShapeMismatch`] if `f` wants another number of inputs; [`Error::NotScalar`] for what needs one output;
/// [`Error::TapeFull`] above 2^32 operations; else as the driver of the mode.
///
/// **Source**: Griewank & Walther 2008, §3, §4.5 and §5.1.
pub fn operations<F: Function>(f: &F, x: &[f64], pass: Pass) -> Result<Operations, Error> {
    check_inputs(f, x)?;
    let (n, m) = (x.len(), f.outputs(x.len()));
    if pass.needs_one_output() && m != 1 {
        return Err(Error::NotScalar { outputs: m });
    }
    match pass {
        Pass::Value => count(x, |x| Ok(evaluate(f, x))),
        Pass::Jvp => count(&seeded(x, n), |inputs| {
            let (x, tangent) = inputs.split_at(n);
            Ok(jvp(|x| evaluate(f, x), x, tangent)?.1)
        }),
        Pass::Gradient => count(x, |x| gradient(|x| evaluate(f, x)[0], x)),
        Pass::Vjp => count(&seeded(x, m), |inputs| {
            let (x, cotangent) = inputs.split_at(n);
            Ok(vjp(|x| evaluate(f, x), x, cotangent)?.1)
        }),
        Pass::Jacobian(Mode::Forward) => {
            let one = count(&seeded(x, n.saturating_mul(SWEEP)), |inputs| {
                let y = evaluate(f, &lanes(inputs, n));
                Ok(y.iter().flat_map(|y| y.tangents).collect())
            })?;
            Ok(one.times(passes(n)))
        }
        Pass::Jacobian(Mode::Reverse) => count(x, |x| {
            let rows = jacobian_reverse(|x| evaluate(f, x), x)?;
            Ok(rows.iter().copied().collect())
        }),
        Pass::Jacobian(Mode::Auto) => {
            let planned = crate::jacobian::PreparedJacobian::new(f, x)?;
            Ok(Operations::of(planned.planned().program()))
        }
        Pass::Hvp => count(&seeded(x, n), |inputs| {
            let (x, v) = inputs.split_at(n);
            Ok(hvp(|x| evaluate(f, x)[0], x, v)?.2)
        }),
        Pass::Hessian(mode) => hessian(f, x, mode),
    }
}

/// The Hessian by one nesting.
fn hessian<F: Function>(f: &F, x: &[f64], mode: HessianMode) -> Result<Operations, Error> {
    let n = x.len();
    match mode {
        HessianMode::ForwardOverReverse => {
            let one = count(&seeded(x, n.saturating_mul(SWEEP)), |inputs| {
                let rows = gradient(|x| evaluate(f, x)[0], &lanes(inputs, n))?;
                Ok(rows.iter().flat_map(|row| row.tangents).collect())
            })?;
            Ok(one.times(passes(n)))
        }
        HessianMode::ReverseOverReverse => count(x, |x| {
            let mut inner = Ok(());
            let matrix = jacobian_reverse(
                |x| {
                    gradient(|x| evaluate(f, x)[0], x).unwrap_or_else(|error| {
                        inner = Err(error);
                        Vec::new()
                    })
                },
                x,
            )?;
            inner?;
            Ok(matrix.iter().copied().collect())
        }),
        HessianMode::ReverseOverForward => {
            let one = count(&seeded(x, n.saturating_mul(SWEEP)), |inputs| {
                let (at, seeds) = inputs.split_at(n);
                let tangents = |x: &[Var<Traced>]| {
                    let seeds = seeds.chunks_exact(SWEEP);
                    let lane = |(x, seeds): (&Var<Traced>, &[Traced])| {
                        Lanes::new(*x, std::array::from_fn(|l| Var::constant(seeds[l])))
                    };
                    let x: Vec<Lanes<_, SWEEP>> = x.iter().zip(seeds).map(lane).collect();
                    evaluate(f, &x)[0].tangents
                };
                Ok(jacobian_reverse(tangents, at)?.iter().copied().collect())
            })?;
            Ok(one.times(passes(n)))
        }
        HessianMode::ForwardOverForward => {
            // Seeds of the inner tangent, of the lanes, and of the lanes' tangents.
            const SEEDS: usize = 1 + 2 * SWEEP;
            let one = count(&seeded(x, n.saturating_mul(SEEDS)), |inputs| {
                let (at, seeds) = inputs.split_at(n);
                let lane = |(x, s): (&Traced, &[Traced])| {
                    let tangents = |l| Dual::new(s[1 + l], s[1 + SWEEP + l]);
                    Lanes::new(Dual::new(*x, s[0]), std::array::from_fn(tangents))
                };
                let seeds = seeds.chunks_exact(SEEDS);
                let x: Vec<Lanes<_, SWEEP>> = at.iter().zip(seeds).map(lane).collect();
                let y = evaluate(f, &x)[0];
                Ok(y.tangents.iter().map(|t| t.tangent).collect())
            })?;
            // Row i needs the columns up to the diagonal only.
            Ok(one.times((1..=n).map(passes).fold(0, u64::saturating_add)))
        }
    }
}

/// The passes that `n` directions need.
fn passes(n: usize) -> u64 {
    u64::try_from(n.div_ceil(SWEEP)).unwrap_or(u64::MAX)
}

/// Records `f` and counts.
fn count(
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

/// The point, followed by generic seeds.
fn seeded(x: &[f64], seeds: usize) -> Vec<f64> {
    let mut inputs = x.to_vec();
    inputs.resize(x.len().saturating_add(seeds), 1.0);
    inputs
}

/// The numbers of a forward pass from a point followed by its seeds.
fn lanes(inputs: &[Traced], n: usize) -> Vec<Lanes<Traced, SWEEP>> {
    let (x, seeds) = inputs.split_at(n);
    let lane =
        |(x, seeds): (&Traced, &[Traced])| Lanes::new(*x, std::array::from_fn(|lane| seeds[lane]));
    x.iter().zip(seeds.chunks_exact(SWEEP)).map(lane).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::function;
    use crate::scalar::Scalar;

    fn product<S: Scalar>(x: &[S]) -> S {
        x[0] * x[1]
    }

    /// By hand: a product has two multiplications and an addition per tangent, two multiplications per sweep.
    #[test]
    fn counts_of_a_product_are_those_by_hand() {
        let (f, x) = (function!(product), [3.0, 4.0]);
        let of = |pass| operations(&f, &x, pass).unwrap();
        assert_eq!(of(Pass::Value).flops, 1);
        let tangent = of(Pass::Jvp);
        assert_eq!(
            (tangent.kind("mul"), tangent.kind("add"), tangent.flops),
            (3, 1, 4)
        );
        let forward = of(Pass::Jacobian(Mode::Forward));
        assert_eq!((forward.kind("mul"), forward.kind("add")), (17, 8));
        // The factors are the partials, so the planned program computes nothing.
        assert_eq!(of(Pass::Jacobian(Mode::Auto)).flops, 0);
        // Two inputs or eight: one pass. Nine: two.
        assert_eq!((passes(2), passes(8), passes(9)), (1, 1, 2));
    }

    fn chain<S: Scalar>(x: &[S]) -> S {
        (0..4).fold(x[0], |y, _| y * x[0].sin())
    }

    #[test]
    fn every_order_costs_more_than_the_one_below() {
        let (f, x) = (function!(chain), [0.5]);
        let of = |pass| operations(&f, &x, pass).unwrap();
        let (value, sweep) = (of(Pass::Value), of(Pass::Gradient));
        assert_eq!((value.kind("sin"), value.kind("mul")), (4, 4));
        assert_eq!((sweep.kind("sin"), sweep.kind("cos")), (4, 4));
        assert!(sweep.flops <= 5 * value.flops, "{sweep:?}");
        assert!(of(Pass::Hvp).flops > sweep.flops);
        for mode in HessianMode::ALL {
            let hessian = of(Pass::Hessian(mode));
            assert!(hessian.flops > sweep.flops, "{mode} {hessian:?}");
        }
    }

    fn two<S: Scalar>(x: &[S], y: &mut [S]) {
        y[0] = x[0];
        y[1] = x[0];
    }

    #[test]
    fn several_outputs_have_no_gradient() {
        for pass in [
            Pass::Gradient,
            Pass::Hvp,
            Pass::Hessian(HessianMode::default()),
        ] {
            let wrong = operations(&function!(two => 2), &[1.0], pass);
            assert_eq!(wrong, Err(Error::NotScalar { outputs: 2 }));
        }
    }
}
