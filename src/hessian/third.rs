//! Third derivatives.

use std::ops::Index;

use super::second::{Block, unit_tangent};
use crate::error::Error;
use crate::forward::{SWEEP, seed_lanes};
use crate::jacobian::check_inputs;
use crate::reverse::gradient;
use crate::scalar::{Scalar, ScalarFunction, Strong};

/// A symmetric tensor of order three, indexed by `[(i, j, k)]`.
///
/// ```
/// use wengert::prelude::*;
/// fn f<S: Scalar>(x: &[S]) -> S {
///     x[0] * x[0] * x[1]
/// }
/// let t = third_order(&function!(f), &[1.0, 1.0])?;
/// assert_eq!((t[(0, 0, 1)], t[(0, 1, 0)], t[(1, 1, 1)]), (2.0, 2.0, 0.0));
/// # Ok::<(), Error>(())
/// ```
///
/// **Shape**: n×n×n. **Cost**: n^3 numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor3 {
    n: usize,
    entries: Vec<f64>,
}

impl Tensor3 {
    /// The number of variables `n`.
    #[must_use]
    pub fn n(&self) -> usize {
        self.n
    }

    /// All entries, the last index fastest.
    #[must_use]
    pub fn as_slice(&self) -> &[f64] {
        &self.entries
    }
}

impl Index<(usize, usize, usize)> for Tensor3 {
    type Output = f64;
    fn index(&self, (i, j, k): (usize, usize, usize)) -> &f64 {
        assert!(
            i < self.n && j < self.n && k < self.n,
            "({i}, {j}, {k}) is outside {}^3",
            self.n
        );
        &self.entries[(i * self.n + j) * self.n + k]
    }
}

/// All third derivatives of a function object.
///
/// See [`Tensor3`] for an example.
///
/// **Shape**: `x` has `n` entries; the tensor has n^3.
/// **Cost**: about `n^2 / 16` recordings whose statements carry 17 derivative numbers.
///
/// # Errors
/// [`Error::ShapeMismatch`] if `f` wants another number of inputs; else as [`gradient`].
///
/// **Source**: Griewank & Walther 2008, §13.3 (tangents over second-order adjoints).
pub fn third_order<F: ScalarFunction>(f: &F, x: &[f64]) -> Result<Tensor3, Error> {
    check_inputs(f, x)?;
    let entries = fast_third_order(f, x)?;
    if entries.iter().all(|entry| entry.is_finite()) {
        return Ok(Tensor3 {
            n: x.len(),
            entries,
        });
    }
    let strict: Vec<Strong> = x.iter().map(|x| Strong::from(*x)).collect();
    let entries = fast_third_order(f, &strict)?;
    let entries = entries.iter().map(num_dual::DualStruct::re).collect();
    Ok(Tensor3 {
        n: x.len(),
        entries,
    })
}

fn fast_third_order<F: ScalarFunction, T: Scalar>(f: &F, x: &[T]) -> Result<Vec<T>, Error> {
    let n = x.len();
    let mut entries = vec![T::from(0.0); n * n * n];
    for i in 0..n {
        let inner = unit_tangent(x, i);
        for sweep in 0..=i / SWEEP {
            let seeded: Vec<Block<_>> = seed_lanes(&inner, sweep);
            let rows = gradient(|x| f.call(x), &seeded)?;
            for (k, row) in rows.iter().enumerate() {
                for (j, tangent) in (sweep * SWEEP..n).zip(&row.tangents) {
                    entries[(i * n + j) * n + k] = tangent.tangent;
                    entries[(j * n + i) * n + k] = tangent.tangent;
                }
            }
        }
    }
    Ok(entries)
}
