//! Rules of the functions of any number of arguments: one statement each, however long. Rows: `EDGE_CASES.md`.

use super::{Nary, Op, larger, smaller};
use crate::scalar::{Mask, Scalar};

/// `x * y + z` rounded once; the arguments are `[x, y, z]`.
#[derive(Clone, Copy, Debug)]
pub struct MulAdd;
/// The sum in source order; -0.0 when empty, as `Iterator::sum` of the standard library.
#[derive(Clone, Copy, Debug)]
pub struct Sum;
/// The scalar product; the arguments are `[x0, y0, x1, y1, ...]`.
#[derive(Clone, Copy, Debug)]
pub struct Dot;
/// The product in source order; 1 when empty.
#[derive(Clone, Copy, Debug)]
pub struct Prod;
/// The Euclidean norm; 0 when empty.
#[derive(Clone, Copy, Debug)]
pub struct Norm2;
/// The sum of squares in source order; -0.0 when empty.
#[derive(Clone, Copy, Debug)]
pub struct SquaredNorm;
/// `ln(sum of exp)`, shifted by the largest argument; -inf when empty.
#[derive(Clone, Copy, Debug)]
pub struct LogSumExp;
/// The largest argument, as [`Scalar::max`]; -inf when empty.
#[derive(Clone, Copy, Debug)]
pub struct MaxOf;
/// The smallest argument, as [`Scalar::min`]; +inf when empty.
#[derive(Clone, Copy, Debug)]
pub struct MinOf;

impl Nary for MulAdd {
    fn op(&self) -> Op {
        Op::MulAdd
    }
    fn value(&self, x: &[f64]) -> f64 {
        x[0].mul_add(x[1], x[2])
    }
    fn partials<T: Scalar>(&self, x: &[T], _: T, out: &mut [Option<T>]) {
        out[0] = Some(x[1]);
        out[1] = Some(x[0]);
        out[2] = Some(T::from(1.0));
    }
}

impl Nary for Sum {
    fn op(&self) -> Op {
        Op::Sum
    }
    fn value(&self, x: &[f64]) -> f64 {
        x.iter().sum()
    }
    fn partials<T: Scalar>(&self, _: &[T], _: T, out: &mut [Option<T>]) {
        out.fill(Some(T::from(1.0)));
    }
    fn is_linear(&self) -> bool {
        true
    }
}

impl Nary for Dot {
    fn op(&self) -> Op {
        Op::Dot
    }
    fn value(&self, x: &[f64]) -> f64 {
        x.chunks_exact(2).map(|pair| pair[0] * pair[1]).sum()
    }
    fn partials<T: Scalar>(&self, x: &[T], _: T, out: &mut [Option<T>]) {
        for (pair, out) in x.chunks_exact(2).zip(out.chunks_exact_mut(2)) {
            out[0] = Some(pair[1]);
            out[1] = Some(pair[0]);
        }
    }
}

/// e31: products of the others from both sides, never the product divided by the factor.
impl Nary for Prod {
    fn op(&self) -> Op {
        Op::Prod
    }
    fn value(&self, x: &[f64]) -> f64 {
        x.iter().product()
    }
    fn partials<T: Scalar>(&self, x: &[T], _: T, out: &mut [Option<T>]) {
        let mut before: Option<T> = None;
        for (x, out) in x.iter().zip(out.iter_mut()) {
            *out = before;
            before = Some(before.map_or(*x, |p| p * *x));
        }
        let mut after: Option<T> = None;
        for (x, out) in x.iter().zip(out.iter_mut()).rev() {
            *out = match (*out, after) {
                (Some(before), Some(after)) => Some(before * after),
                (one_side, other_side) => one_side.or(other_side).or(Some(T::from(1.0))),
            };
            after = Some(after.map_or(*x, |p| *x * p));
        }
    }
}

/// e19: 0 and the least-norm subgradient 0 at the zero vector.
impl Nary for Norm2 {
    fn op(&self) -> Op {
        Op::Norm2
    }
    fn value(&self, x: &[f64]) -> f64 {
        let squares: f64 = x.iter().map(|x| x * x).sum();
        // Outside this range the squares may have over- or underflowed; then scale by the largest entry.
        if (1e-280..=1e280).contains(&squares) {
            return squares.sqrt();
        }
        let largest = x
            .iter()
            .fold(0.0_f64, |m, x| if x.is_nan() { *x } else { x.abs().max(m) });
        if largest == 0.0 || !largest.is_finite() {
            return x.iter().fold(0.0_f64, |h, x| h.hypot(*x));
        }
        let scaled: f64 = x.iter().map(|x| (x / largest) * (x / largest)).sum();
        largest * scaled.sqrt()
    }
    fn partials<T: Scalar>(&self, x: &[T], y: T, out: &mut [Option<T>]) {
        let at_zero = y.eq_mask(T::from(0.0));
        for (x, out) in x.iter().zip(out) {
            *out = Some(T::select(at_zero, T::from(0.0), *x / y));
        }
    }
}

impl Nary for SquaredNorm {
    fn op(&self) -> Op {
        Op::SquaredNorm
    }
    fn value(&self, x: &[f64]) -> f64 {
        x.iter().map(|x| x * x).sum()
    }
    fn partials<T: Scalar>(&self, x: &[T], _: T, out: &mut [Option<T>]) {
        for (x, out) in x.iter().zip(out) {
            *out = Some(*x * 2.0);
        }
    }
}

/// e28: at an infinite maximum the weight is 1/k on the k entries that equal it.
impl Nary for LogSumExp {
    fn op(&self) -> Op {
        Op::LogSumExp
    }
    fn value(&self, x: &[f64]) -> f64 {
        if x.iter().any(|x| x.is_nan()) {
            return f64::NAN;
        }
        let largest = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if largest.is_infinite() {
            return largest;
        }
        largest + x.iter().map(|x| (x - largest).exp()).sum::<f64>().ln()
    }
    fn partials<T: Scalar>(&self, x: &[T], y: T, out: &mut [Option<T>]) {
        let infinite = y.eq_mask(T::from(f64::INFINITY)) | y.eq_mask(T::from(f64::NEG_INFINITY));
        // The weights from the shifted terms: `exp(x - y)` would carry the rounding of `y`. The shift cancels, so it is
        // detached, or the sweep would carry dead work and a kink.
        let shift = T::max_of(x).detach();
        let mut sum = T::from(0.0);
        for (x, out) in x.iter().zip(out.iter_mut()) {
            let term = (*x - shift).exp();
            sum += term;
            *out = Some(term);
        }
        let scale = sum.recip();
        for out in out.iter_mut() {
            *out = out.map(|term| term * scale);
        }
        // Nothing below is needed unless the value is infinite, so the common case does not pay for it.
        if infinite.decided() == Some(false) {
            return;
        }
        let (zero, one) = (T::from(0.0), T::from(1.0));
        let tied = x
            .iter()
            .fold(T::from(0.0), |k, x| k + T::select(x.eq_mask(y), one, zero));
        for (x, out) in x.iter().zip(out) {
            let share = T::select(x.eq_mask(y), tied.recip(), zero);
            *out = out.map(|weight| T::select(infinite, share, weight));
        }
    }
}

/// e02, e03: the partials of the entries that attain the extremum sum to one.
fn tied_partials<T: Scalar>(x: &[T], y: T, out: &mut [Option<T>]) {
    let (zero, one) = (T::from(0.0), T::from(1.0));
    let tied = x
        .iter()
        .fold(T::from(0.0), |k, x| k + T::select(x.eq_mask(y), one, zero));
    for (x, out) in x.iter().zip(out) {
        let attains = x.eq_mask(y);
        let all_nan = !y.eq_mask(y);
        let nan = T::from(f64::NAN);
        *out = match (attains | all_nan).decided() {
            Some(false) => None,
            _ => Some(T::select(
                all_nan,
                nan,
                T::select(attains, tied.recip(), zero),
            )),
        };
    }
}

impl Nary for MaxOf {
    fn op(&self) -> Op {
        Op::MaxOf
    }
    fn value(&self, x: &[f64]) -> f64 {
        x.iter()
            .copied()
            .reduce(larger)
            .unwrap_or(f64::NEG_INFINITY)
    }
    fn partials<T: Scalar>(&self, x: &[T], y: T, out: &mut [Option<T>]) {
        tied_partials(x, y, out);
    }
}

impl Nary for MinOf {
    fn op(&self) -> Op {
        Op::MinOf
    }
    fn value(&self, x: &[f64]) -> f64 {
        x.iter().copied().reduce(smaller).unwrap_or(f64::INFINITY)
    }
    fn partials<T: Scalar>(&self, x: &[T], y: T, out: &mut [Option<T>]) {
        tied_partials(x, y, out);
    }
}
