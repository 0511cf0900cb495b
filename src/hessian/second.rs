//! Hessians and products with them.

use nalgebra::DMatrix;

use crate::error::{Error, check_len};
use crate::forward::{Dual, Lanes, SWEEP, seed_lanes};
use crate::jacobian::{check_inputs, repeat_strictly};
use crate::reverse::{Pullback, gradient, value_and_gradient};
use crate::scalar::{Scalar, ScalarFunction};

/// The nesting of modes that computes a Hessian; the outer one is named first.
///
/// ```
/// use wengert::prelude::*;
/// assert_eq!(HessianMode::default(), HessianMode::ForwardOverReverse);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HessianMode {
    /// Tangents, 8 at once, through a recording and its sweep: `n / 8` recordings.
    #[default]
    ForwardOverReverse,
    /// A recording of the sweep of a recording, swept again: one recording, `n / 8` outer sweeps.
    ReverseOverReverse,
    /// A recording of tangents, 8 at once: `n / 8` recordings and `n` sweeps.
    ReverseOverForward,
    /// Tangents of tangents: `n^2 / 16` passes and no tape.
    ForwardOverForward,
}

impl HessianMode {
    /// All nestings, in the order of reports.
    pub const ALL: [Self; 4] = [
        Self::ForwardOverReverse,
        Self::ReverseOverReverse,
        Self::ReverseOverForward,
        Self::ForwardOverForward,
    ];
}

impl std::fmt::Display for HessianMode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::ForwardOverReverse => "forward-over-reverse",
            Self::ReverseOverReverse => "reverse-over-reverse",
            Self::ReverseOverForward => "reverse-over-forward",
            Self::ForwardOverForward => "forward-over-forward",
        })
    }
}

impl std::str::FromStr for HessianMode {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|mode| mode.to_string() == text)
            .ok_or_else(|| {
                let known = Self::ALL.map(|mode| mode.to_string()).join(", ");
                format!("unknown nesting `{text}`, expected one of {known}")
            })
    }
}

/// The Hessian of a function object, forward over reverse.
///
/// ```
/// use wengert::prelude::*;
/// fn f<S: Scalar>(x: &[S]) -> S {
///     x[0].powi(3) * x[1]
/// }
/// let h = hessian(&function!(f), &[2.0, 5.0])?;
/// assert_eq!(h.as_slice(), [60.0, 12.0, 12.0, 0.0]);
/// # Ok::<(), Error>(())
/// ```
///
/// **Shape**: `x` has `n` entries; the Hessian is n×n and symmetric to rounding (EDGE_CASES e86).
/// **Cost**: `n / 8` recordings whose statements carry 8 tangents.
///
/// # Errors
/// [`Error::ShapeMismatch`] if `f` wants another number of inputs; else as [`gradient`](crate::reverse::gradient).
///
/// **Source**: Griewank & Walther 2008, §5.1.
pub fn hessian<F: ScalarFunction>(f: &F, x: &[f64]) -> Result<DMatrix<f64>, Error> {
    hessian_by(f, x, HessianMode::default())
}

/// The Hessian of a function object by a chosen nesting of modes.
///
/// ```
/// use wengert::prelude::*;
/// fn f<S: Scalar>(x: &[S]) -> S {
///     x[0].sin() * x[1]
/// }
/// let h = hessian_by(&function!(f), &[0.0, 5.0], HessianMode::ReverseOverReverse)?;
/// assert_eq!(h.as_slice(), [0.0, 1.0, 1.0, 0.0]);
/// # Ok::<(), Error>(())
/// ```
///
/// **Shape**, **Source**: as [`hessian`]. **Cost**: see [`HessianMode`].
///
/// # Errors
/// As [`hessian`].
pub fn hessian_by<F: ScalarFunction>(
    f: &F,
    x: &[f64],
    mode: HessianMode,
) -> Result<DMatrix<f64>, Error> {
    check_inputs(f, x)?;
    repeat_strictly(
        x,
        |x| fast_hessian(f, x, mode),
        |x| fast_hessian(f, x, mode),
    )
}

fn fast_hessian<F: ScalarFunction, T: Scalar>(
    f: &F,
    x: &[T],
    mode: HessianMode,
) -> Result<DMatrix<T>, Error> {
    let n = x.len();
    let mut hessian = DMatrix::from_element(n, n, T::from(0.0));
    match mode {
        HessianMode::ForwardOverReverse => {
            for sweep in 0..n.div_ceil(SWEEP) {
                let seeded = seed_lanes::<T, SWEEP>(x, sweep);
                let rows = gradient(|x| f.call(x), &seeded)?;
                for (row, entry) in rows.iter().enumerate() {
                    write_lanes(&mut hessian, row, sweep, &entry.tangents);
                }
            }
        }
        HessianMode::ReverseOverReverse => {
            let mut inner = Ok(());
            let outer = Pullback::record(
                |x| {
                    gradient(|y| f.call(y), x).unwrap_or_else(|error| {
                        inner = Err(error);
                        Vec::new()
                    })
                },
                x,
            )?;
            inner?;
            hessian = outer.jacobian()?;
        }
        HessianMode::ReverseOverForward => {
            for sweep in 0..n.div_ceil(SWEEP) {
                let rows =
                    Pullback::record(|x| f.call(&seed_lanes::<_, SWEEP>(x, sweep)).tangents, x)?;
                let rows: DMatrix<T> = rows.jacobian()?;
                for row in sweep * SWEEP..n.min((sweep + 1) * SWEEP) {
                    hessian
                        .row_mut(row)
                        .copy_from(&rows.row(row - sweep * SWEEP));
                }
            }
        }
        HessianMode::ForwardOverForward => {
            for row in 0..n {
                let inner: Vec<Dual<T>> = unit_tangent(x, row);
                for sweep in 0..=row / SWEEP {
                    let y = f.call(&seed_lanes::<_, SWEEP>(&inner, sweep));
                    write_lanes(&mut hessian, row, sweep, &y.tangents.map(|t| t.tangent));
                }
            }
            // Only blocks up to the diagonal were computed.
            hessian.fill_upper_triangle_with_lower_triangle();
        }
    }
    Ok(hessian)
}

/// The inputs with tangent 1 in one entry and structural zeros elsewhere.
pub(super) fn unit_tangent<T: Scalar>(x: &[T], entry: usize) -> Vec<Dual<T>> {
    let mut seeded: Vec<Dual<T>> = x.iter().map(|x| Dual::constant(*x)).collect();
    seeded[entry].tangent = T::from(1.0);
    seeded
}

/// Writes the lanes of one sweep into a row, as far as there are columns.
fn write_lanes<T: Scalar>(matrix: &mut DMatrix<T>, row: usize, sweep: usize, lanes: &[T; SWEEP]) {
    for (column, entry) in (sweep * SWEEP..matrix.ncols()).zip(lanes) {
        matrix[(row, column)] = *entry;
    }
}

/// The value, the gradient, and the product of the Hessian with a vector.
///
/// ```
/// use wengert::prelude::*;
/// fn f<S: Scalar>(x: &[S]) -> S {
///     x[0].powi(3) * x[1]
/// }
/// let (value, gradient, product) = hvp(|x| f(x), &[2.0, 5.0], &[1.0, 10.0])?;
/// assert_eq!((value, gradient, product), (40.0, vec![60.0, 8.0], vec![180.0, 12.0]));
/// # Ok::<(), Error>(())
/// ```
///
/// **Shape**: `x`, `v` and both results have `n` entries.
/// **Cost**: one recording whose statements carry a tangent, at most 16 x the operations of `f` for + - * /.
///
/// # Errors
/// [`Error::ShapeMismatch`] if `v` has not `n` entries; else as [`gradient`](crate::reverse::gradient).
///
/// **Source**: Pearlmutter 1994; Griewank & Walther 2008, §5.1.
pub fn hvp<T: Scalar>(
    f: impl FnOnce(&[crate::reverse::Var<Dual<T>>]) -> crate::reverse::Var<Dual<T>>,
    x: &[T],
    v: &[T],
) -> Result<(T, Vec<T>, Vec<T>), Error> {
    check_len("v", x.len(), v.len())?;
    let seeded: Vec<Dual<T>> = x.iter().zip(v).map(|(x, v)| Dual::new(*x, *v)).collect();
    let (value, duals) = value_and_gradient(f, &seeded)?;
    let (gradient, product) = duals.iter().map(|d| (d.value, d.tangent)).unzip();
    Ok((value.value, gradient, product))
}

/// The value and the Laplacian, the sum of all second derivatives by one variable each.
///
/// ```
/// use wengert::prelude::*;
/// fn f<S: Scalar>(x: &[S]) -> S {
///     x[0].powi(3) * x[1] + x[1].powi(2)
/// }
/// assert_eq!(laplacian(&function!(f), &[2.0, 5.0])?, (45.0 + 20.0, 62.0));
/// # Ok::<(), Error>(())
/// ```
///
/// **Shape**: `x` has `n` entries.
/// **Cost**: `n` passes with a second-order number; no tape.
///
/// # Errors
/// [`Error::ShapeMismatch`] if `f` wants another number of inputs.
///
/// **Source**: Griewank & Walther 2008, §13.2 (univariate series along the axes).
pub fn laplacian<F: ScalarFunction>(f: &F, x: &[f64]) -> Result<(f64, f64), Error> {
    check_inputs(f, x)?;
    let sum = repeat_strictly(
        x,
        |x| Ok(DMatrix::from_element(1, 1, fast_laplacian(f, x))),
        |x| Ok(DMatrix::from_element(1, 1, fast_laplacian(f, x))),
    )?;
    Ok((f.call(x), sum[(0, 0)]))
}

fn fast_laplacian<F: ScalarFunction, T: Scalar>(f: &F, x: &[T]) -> T {
    let second = |entry: usize| {
        let mut seeded: Vec<Dual<Dual<T>>> = x
            .iter()
            .map(|x| Dual::constant(Dual::constant(*x)))
            .collect();
        let one = T::from(1.0);
        seeded[entry] = Dual::new(Dual::new(x[entry], one), Dual::constant(one));
        f.call(&seeded).tangent.tangent
    };
    T::sum_of((0..x.len()).map(second))
}

/// The lanes of a Hessian column block, exposed for the third order.
pub(super) type Block<T> = Lanes<T, SWEEP>;

#[cfg(test)]
mod tests {
    use num_dual::DualStruct;
    use proptest::prelude::*;

    use super::*;
    use crate::scalar::Strong;
    use crate::scalar::random::function_and_point;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        #[test]
        fn fast_equals_strict_where_finite((f, x) in function_and_point()) {
            let strict_x: Vec<Strong> = x.iter().map(|x| Strong::from(*x)).collect();
            for mode in HessianMode::ALL {
                let fast = fast_hessian(&f, &x, mode).unwrap();
                let strict = fast_hessian(&f, &strict_x, mode).unwrap().map(|entry| entry.re());
                for (fast, strict) in fast.iter().zip(&strict) {
                    prop_assert!(!fast.is_finite() || fast == strict, "{mode}: {fast} {strict}");
                }
            }
        }
    }
}
