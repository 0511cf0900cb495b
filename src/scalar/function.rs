//! User functions as objects: one value that drivers may call with several scalars.

use super::Scalar;

/// A differentiable function from `n` to `m` numbers, written once for every scalar.
///
/// Rust cannot pass a generic function as one value, and several drivers call theirs with more than one carrier. Make an
/// object with [`function!`](crate::function), or implement the trait for a struct that holds constants.
///
/// ```
/// use wengert::prelude::*;
/// struct Polar;
/// impl Function for Polar {
///     fn inputs(&self) -> Option<usize> {
///         Some(2)
///     }
///     fn outputs(&self, _: usize) -> usize {
///         2
///     }
///     fn eval<S: Scalar>(&self, x: &[S], y: &mut [S]) {
///         y[0] = x[0] * x[1].cos();
///         y[1] = x[0] * x[1].sin();
///     }
/// }
/// let j = jacobian(&Polar, &[2.0, 0.0], Mode::Forward)?;
/// assert_eq!((j[(0, 0)], j[(1, 1)]), (1.0, 2.0));
/// # Ok::<(), wengert::Error>(())
/// ```
///
/// **Shape**: `x` has `n` entries, `y` has `outputs(n)`.
/// **Cost**: none of its own; output goes to a buffer, so repeated evaluation need not allocate.
/// **Source**: the callable objects of JAX and DifferentiationInterface.jl.
pub trait Function {
    /// The number of inputs, if only one is possible.
    fn inputs(&self) -> Option<usize> {
        None
    }

    /// The number of outputs for `inputs` inputs.
    fn outputs(&self, inputs: usize) -> usize;

    /// Evaluates at `x` into `y`.
    fn eval<S: Scalar>(&self, x: &[S], y: &mut [S]);
}

/// A differentiable function of `n` numbers with one result, written once for every scalar.
///
/// Every scalar function is a [`Function`] with one output.
///
/// ```
/// use wengert::prelude::*;
/// fn product<S: Scalar>(x: &[S]) -> S {
///     x[0] * x[1]
/// }
/// let f = function!(product);
/// assert_eq!(f.call(&[3.0, 4.0]), 12.0);
/// ```
///
/// **Shape**: `x` has `n` entries.
/// **Cost**: none of its own.
/// **Source**: as [`Function`].
pub trait ScalarFunction {
    /// The number of inputs, if only one is possible.
    fn inputs(&self) -> Option<usize> {
        None
    }

    /// The value at `x`.
    fn call<S: Scalar>(&self, x: &[S]) -> S;
}

impl<F: ScalarFunction + ?Sized> Function for F {
    fn inputs(&self) -> Option<usize> {
        ScalarFunction::inputs(self)
    }
    fn outputs(&self, _: usize) -> usize {
        1
    }
    fn eval<S: Scalar>(&self, x: &[S], y: &mut [S]) {
        y[0] = self.call(x);
    }
}

/// Wraps a generic function as an object.
///
/// - `function!(f)`: `f<S: Scalar>(x: &[S]) -> S` as a [`ScalarFunction`];
/// - `function!(f => m)`: `f<S: Scalar>(x: &[S], y: &mut [S])` with `m` outputs as a [`Function`];
/// - `function!(f, data: D)`: `f<S: Scalar>(x: &[S], data: &D) -> S`, where the variable `data` of the owned type `D` is
///   moved in as a constant;
/// - `function!(f => m, data: D)`: `f<S: Scalar>(x: &[S], data: &D, y: &mut [S])`, the same with `m` outputs.
///
/// ```
/// use wengert::prelude::*;
/// fn misfit<S: Scalar>(x: &[S], data: &Vec<f64>) -> S {
///     S::sum_of(data.iter().map(|d| (x[0] - *d).powi(2)))
/// }
/// let data = vec![1.0, 2.0];
/// let f = function!(misfit, data: Vec<f64>);
/// assert_eq!(f.call(&[3.0]), 5.0);
/// ```
#[macro_export]
macro_rules! function {
    ($f:path) => {{
        #[derive(Clone, Copy)]
        struct Object;
        impl $crate::ScalarFunction for Object {
            fn call<S: $crate::Scalar>(&self, x: &[S]) -> S {
                $f(x)
            }
        }
        Object
    }};
    ($f:path => $m:expr) => {{
        #[derive(Clone, Copy)]
        struct Object {
            outputs: usize,
        }
        impl $crate::Function for Object {
            fn outputs(&self, _: usize) -> usize {
                self.outputs
            }
            fn eval<S: $crate::Scalar>(&self, x: &[S], y: &mut [S]) {
                $f(x, y);
            }
        }
        Object { outputs: $m }
    }};
    ($f:path, $data:ident : $ty:ty) => {{
        struct Object {
            data: $ty,
        }
        impl $crate::ScalarFunction for Object {
            fn call<S: $crate::Scalar>(&self, x: &[S]) -> S {
                $f(x, &self.data)
            }
        }
        Object { data: $data }
    }};
    ($f:path => $m:expr, $data:ident : $ty:ty) => {{
        struct Object {
            data: $ty,
            outputs: usize,
        }
        impl $crate::Function for Object {
            fn outputs(&self, _: usize) -> usize {
                self.outputs
            }
            fn eval<S: $crate::Scalar>(&self, x: &[S], y: &mut [S]) {
                $f(x, &self.data, y);
            }
        }
        Object {
            data: $data,
            outputs: $m,
        }
    }};
}
