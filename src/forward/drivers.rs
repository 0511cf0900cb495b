//! Drivers of forward mode.

use std::any::TypeId;

use nalgebra::DMatrix;
use rayon::prelude::*;

use super::{Dual, Lanes};
use crate::error::{Error, check_len};
use crate::scalar::Scalar;

/// Directions per sweep of a Jacobian: two AVX-512 or four AVX2 registers, enough to pay for the partials once.
pub(crate) const SWEEP: usize = 8;

/// Sweeps that are worth another thread: below this much work starting the threads costs more than it saves.
const PARALLEL_SWEEPS: usize = 4;

/// The derivative of a function of one variable.
///
/// ```
/// use wengert::prelude::*;
/// assert_eq!(derivative(|x| x * x * x, 2.0), 12.0);
/// // Nested: the derivative of x * d/dy (x + y), which is 1.
/// let nested = derivative(|x| x * derivative(|y| Dual::constant(x) + y, Dual::constant(1.0)), 1.0);
/// assert_eq!(nested, 1.0);
/// ```
///
/// **Shape**: one number in, one out.
/// **Cost**: one evaluation with [`Dual`].
/// **Source**: Griewank & Walther 2008, §3.1.
pub fn derivative<T: Scalar>(f: impl FnOnce(Dual<T>) -> Dual<T>, x: T) -> T {
    value_and_derivative(f, x).1
}

/// The value and the derivative of a function of one variable.
///
/// ```
/// use wengert::prelude::*;
/// assert_eq!(value_and_derivative(|x| x.exp(), 0.0), (1.0, 1.0));
/// ```
///
/// **Shape**, **Cost**, **Source**: as [`derivative`].
pub fn value_and_derivative<T: Scalar>(f: impl FnOnce(Dual<T>) -> Dual<T>, x: T) -> (T, T) {
    let y = f(Dual::new(x, T::from(1.0)));
    (y.value, y.tangent)
}

/// The values of `m` functions and the product of their Jacobian with a tangent.
///
/// A closure is bound to one carrier, so the strict repetition of EDGE_CASES R3 is not possible here: where a constant meets
/// an infinite partial the result may be NaN. [`jacobian`](crate::jacobian) repeats.
///
/// ```
/// use wengert::prelude::*;
/// let (y, tangent) = jvp(|x| [x[0] * x[1], x[0]], &[2.0, 3.0], &[1.0, 10.0])?;
/// assert_eq!((y, tangent), (vec![6.0, 2.0], vec![23.0, 1.0]));
/// # Ok::<(), Error>(())
/// ```
///
/// **Shape**: `x` and `tangent` have `n` entries, the results of `f` and the two results have `m`.
/// **Cost**: one evaluation with [`Dual`].
///
/// # Errors
/// [`Error::ShapeMismatch`] if the tangent has not `n` entries.
///
/// **Source**: Griewank & Walther 2008, §3.1; JAX `jvp`.
pub fn jvp<T: Scalar, R: AsRef<[Dual<T>]>>(
    f: impl FnOnce(&[Dual<T>]) -> R,
    x: &[T],
    tangent: &[T],
) -> Result<(Vec<T>, Vec<T>), Error> {
    check_len("tangent", x.len(), tangent.len())?;
    let seeded: Vec<Dual<T>> = x
        .iter()
        .zip(tangent)
        .map(|(x, t)| Dual::new(*x, *t))
        .collect();
    let y = f(&seeded);
    Ok(y.as_ref().iter().map(|y| (y.value, y.tangent)).unzip())
}

/// The Jacobian of `m` functions of `n` variables, 8 columns at a time, on all cores where that pays.
///
/// The limit of closures at infinite partials is that of [`jvp`].
///
/// ```
/// use wengert::prelude::*;
/// let j = jacobian_forward(|x| [x[0] * x[1], x[0].exp()], &[0.0, 3.0])?;
/// assert_eq!(j.as_slice(), [3.0, 1.0, 0.0, 0.0]); // column by column, as nalgebra stores it
/// # Ok::<(), Error>(())
/// ```
///
/// **Shape**: `x` has `n` entries, the result of `f` has `m`; the Jacobian is m×n.
/// **Cost**: `n / 8` evaluations, rounded up, with [`Lanes`]; at least one, which finds `m`.
///
/// # Errors
/// [`Error::ShapeMismatch`] if `f` returns another number of results for another sweep.
///
/// **Source**: Griewank & Walther 2008, §3.2 (vector mode).
pub fn jacobian_forward<T: Scalar, R: AsRef<[Lanes<T, SWEEP>]>>(
    f: impl Fn(&[Lanes<T, SWEEP>]) -> R + Sync,
    x: &[T],
) -> Result<DMatrix<T>, Error> {
    let sweep = |sweep: usize| -> Vec<[T; SWEEP]> {
        let seeded = seed_lanes::<T, SWEEP>(x, sweep);
        f(&seeded).as_ref().iter().map(|y| y.tangents).collect()
    };
    let sweeps = x.len().div_ceil(SWEEP);
    let first = sweep(0);
    // Other threads have no recording open, so numbers that record must stay on this one.
    let is_plain = TypeId::of::<T>() == TypeId::of::<f64>();
    let rest: Vec<_> = if sweeps > PARALLEL_SWEEPS && is_plain {
        (1..sweeps).into_par_iter().map(sweep).collect()
    } else {
        (1..sweeps).map(sweep).collect()
    };
    let outputs = first.len();
    let mut jacobian = DMatrix::from_element(outputs, x.len(), T::from(0.0));
    for (sweep, rows) in std::iter::once(first).chain(rest).enumerate() {
        check_len("the result of another sweep", outputs, rows.len())?;
        for (row, tangents) in rows.iter().enumerate() {
            for (column, tangent) in (sweep * SWEEP..x.len()).zip(tangents) {
                jacobian[(row, column)] = *tangent;
            }
        }
    }
    Ok(jacobian)
}

/// The inputs of one sweep: those from `sweep * N` on are seeded, one per lane.
pub(crate) fn seed_lanes<T: Scalar, const N: usize>(x: &[T], sweep: usize) -> Vec<Lanes<T, N>> {
    let first = sweep * N;
    let lane = |i: usize| i.checked_sub(first).unwrap_or(N);
    x.iter()
        .enumerate()
        .map(|(i, x)| Lanes::variable(*x, lane(i)))
        .collect()
}
