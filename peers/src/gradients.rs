//! One function, its gradient by every tape: the contestants of `tape` and `gmm`.
//!
//! Invariant: the result is the value, then the gradient. Tapes that can be cleared are, and keep
//! their memory between runs; what a crate allocates anew in each gradient it pays for.

use std::hint::black_box;

use RustQuant_autodiff::{Accumulate as _, Graph};
use ad_trait::reverse_ad::adr::{GlobalComputationGraph, adr};

use wengert::reverse::{PreparedGradient, Var};

use crate::measure::{Contestant, PLAIN};
use crate::real::Real;

/// A scalar function that all tapes can record.
pub(crate) trait Objective {
    /// The value at `x`.
    fn eval<R: Real>(&self, x: &[R]) -> R;
}

/// The function without derivatives; writes the value only.
pub(crate) fn plain<'a>(f: &'a impl Objective, x: &'a [f64]) -> Contestant<'a> {
    Contestant::new(PLAIN, move |out| out[0] = f.eval(black_box(x)))
}

/// Value and gradient by this project's tape, of a function that it may record as it likes.
pub(crate) fn ours<'a>(
    name: &'static str,
    f: impl Fn(&[Var<f64>]) -> Var<f64> + 'a,
    x: &'a [f64],
) -> Contestant<'a> {
    let mut prepared = PreparedGradient::new(f, x.len());
    Contestant::new(name, move |out| {
        let (value, gradient) = out.split_at_mut(1);
        // The comparison with the other contestants fails on NaN.
        value[0] = prepared
            .value_and_gradient_into(black_box(x), gradient)
            .unwrap_or(f64::NAN);
    })
}

/// Value and gradient by every other tape.
pub(crate) fn contestants<'a>(f: &'a impl Objective, x: &'a [f64]) -> Vec<Contestant<'a>> {
    let tape = reverse::Tape::new();
    let graph = Graph::new();
    vec![
        Contestant::new("echidna", move |out| {
            let mut value = f64::NAN;
            let gradient = echidna::grad(
                |x: &[echidna::Reverse<f64>]| {
                    let y = f.eval(x);
                    value = y.value();
                    y
                },
                black_box(x),
            );
            out[0] = value;
            out[1..].copy_from_slice(&gradient);
        }),
        Contestant::new("reverse", move |out| {
            tape.clear();
            let x = tape.add_vars(black_box(x));
            let y = f.eval(&x);
            let adjoints = y.grad();
            out[0] = y.val();
            for (entry, x) in out[1..].iter_mut().zip(&x) {
                *entry = reverse::Gradient::wrt(&adjoints, x);
            }
        }),
        Contestant::new("RustQuant", move |out| {
            graph.clear();
            let x = graph.vars(black_box(x));
            let y = f.eval(&x);
            let adjoints = y.accumulate();
            out[0] = y.value;
            for (entry, x) in out[1..].iter_mut().zip(&x) {
                *entry = RustQuant_autodiff::Gradient::wrt(&adjoints, x);
            }
        }),
        Contestant::new("ad_trait", move |out| {
            GlobalComputationGraph::get().reset();
            let x: Vec<adr> = black_box(x)
                .iter()
                .map(|&x| adr::new_variable(x, false))
                .collect();
            let y = f.eval(&x);
            let adjoints = y.get_backwards_mode_grad();
            out[0] = y.value();
            for (entry, x) in out[1..].iter_mut().zip(&x) {
                *entry = adjoints.wrt(x);
            }
        }),
    ]
}
