//! Function objects behind one type, so that drivers are compiled once for many functions.
//!
//! A driver is compiled again for every function it is called with, and for every carrier in it: a command that differentiates
//! forty functions in twenty ways is minutes of compilation. Behind [`Erased`] and [`ErasedScalar`] only the functions
//! themselves are compiled per carrier; a call is one indirect call per evaluation, about a nanosecond.
//!
//! Invariant: a carrier of the lists below reaches the function itself; any other makes every value and derivative NaN, so that it is noticed.
//! Source: the technique of erased-serde (a generic method as a table of instances).

use castaway::cast;

use crate::forward::{Dual, Lanes, SWEEP};
use crate::program::Traced;
use crate::reverse::Var;
use crate::scalar::{Function, Scalar, ScalarFunction, Strong};

/// What a function says of itself.
trait Shape {
    fn inputs(&self) -> Option<usize>;
    fn outputs(&self, inputs: usize) -> usize;
}

impl<F: Function> Shape for F {
    fn inputs(&self) -> Option<usize> {
        Function::inputs(self)
    }
    fn outputs(&self, inputs: usize) -> usize {
        Function::outputs(self, inputs)
    }
}

/// A table of instances of [`Function::eval`], and the call that finds the one of a carrier.
macro_rules! table {
    ($module:ident: $($method:ident $carrier:ty),* $(,)?) => {
        mod $module {
            use super::*;

            pub(super) trait Table: Shape + Sync {
                $(fn $method(&self, x: &[$carrier], y: &mut [$carrier]);)*
            }

            impl<F: Function + Sync> Table for F {
                $(fn $method(&self, x: &[$carrier], y: &mut [$carrier]) {
                    self.eval(x, y);
                })*
            }

            // The comparisons of types are decided when this is compiled for a carrier.
            pub(super) fn eval<S: Scalar>(table: &dyn Table, x: &[S], y: &mut [S]) {
                $(if let Ok(x) = cast!(x, &[$carrier]) {
                    if let Ok(y) = cast!(&mut *y, &mut [$carrier]) {
                        return table.$method(x, y);
                    }
                })*
                // The derivatives of a constant would be zeros, those of this are NaN at every order.
                y.fill((S::sum_of(x.iter().copied()) * f64::NAN).exp());
            }
        }
    };
}

table!(first:
    plain f64, dual Dual<f64>, lanes Lanes<f64, SWEEP>, var Var<f64>,
    strict Strong, strict_dual Dual<Strong>, strict_lanes Lanes<Strong, SWEEP>, strict_var Var<Strong>,
    traced Traced, traced_dual Dual<Traced>, traced_lanes Lanes<Traced, SWEEP>, traced_var Var<Traced>,
);

table!(second:
    plain f64, dual Dual<f64>, lanes Lanes<f64, SWEEP>, var Var<f64>,
    strict Strong, strict_dual Dual<Strong>, strict_lanes Lanes<Strong, SWEEP>, strict_var Var<Strong>,
    traced Traced, traced_dual Dual<Traced>, traced_lanes Lanes<Traced, SWEEP>, traced_var Var<Traced>,
    var_dual Var<Dual<f64>>, strict_var_dual Var<Dual<Strong>>, traced_var_dual Var<Dual<Traced>>,
    var_lanes Var<Lanes<f64, SWEEP>>, strict_var_lanes Var<Lanes<Strong, SWEEP>>, traced_var_lanes Var<Lanes<Traced, SWEEP>>,
    var_var Var<Var<f64>>, strict_var_var Var<Var<Strong>>, traced_var_var Var<Var<Traced>>,
    lanes_var Lanes<Var<f64>, SWEEP>, strict_lanes_var Lanes<Var<Strong>, SWEEP>, traced_lanes_var Lanes<Var<Traced>, SWEEP>,
    lanes_dual Lanes<Dual<f64>, SWEEP>, strict_lanes_dual Lanes<Dual<Strong>, SWEEP>,
    traced_lanes_dual Lanes<Dual<Traced>, SWEEP>,
);

/// A [`Function`] of any type, for first derivatives, programs and counts.
///
/// ```
/// use wengert::prelude::*;
/// use wengert::{Erased, jacobian};
/// struct Polar;
/// impl Function for Polar {
///     fn outputs(&self, _: usize) -> usize {
///         2
///     }
///     fn eval<S: Scalar>(&self, x: &[S], y: &mut [S]) {
///         y[0] = x[0] * x[1].cos();
///         y[1] = x[0] * x[1].sin();
///     }
/// }
/// // Two functions of one type: the driver is compiled once.
/// fn product<S: Scalar>(x: &[S]) -> S {
///     x[0] * x[1]
/// }
/// let product = function!(product);
/// for (f, corner) in [(Erased::new(&Polar), 1.0), (Erased::new(&product), 0.0)] {
///     let j = jacobian(&f, &[2.0, 0.0], Mode::Forward)?;
///     assert_eq!(j[(0, 0)], corner);
/// }
/// # Ok::<(), Error>(())
/// ```
///
/// **Shape**: that of the function.
/// **Cost**: an indirect call per evaluation. Every function is compiled for 12 carriers: the plain number, [`Dual`], [`Lanes`] of
/// the drivers' width and [`Var`], each over `f64`, over the strict number of repetitions, and over [`Traced`]. On any other
/// carrier, such as one of second order, all values and derivatives are NaN.
/// **Source**: erased-serde.
#[derive(Clone, Copy)]
pub struct Erased<'a>(&'a dyn first::Table);

impl<'a> Erased<'a> {
    /// Hides the type of a function.
    ///
    /// ```
    /// use wengert::Erased;
    /// use wengert::prelude::*;
    /// fn square<S: Scalar>(x: &[S]) -> S {
    ///     x[0] * x[0]
    /// }
    /// let square = function!(square);
    /// let (erased, mut y) = (Erased::new(&square), [0.0]);
    /// erased.eval(&[3.0], &mut y);
    /// assert_eq!(y, [9.0]);
    /// ```
    ///
    /// **Cost**: none.
    pub fn new<F: Function + Sync>(f: &'a F) -> Self {
        Self(f)
    }
}

impl Function for Erased<'_> {
    fn inputs(&self) -> Option<usize> {
        self.0.inputs()
    }
    fn outputs(&self, inputs: usize) -> usize {
        self.0.outputs(inputs)
    }
    fn eval<S: Scalar>(&self, x: &[S], y: &mut [S]) {
        first::eval(self.0, x, y);
    }
}

/// A [`ScalarFunction`] of any type, for derivatives up to order two, programs and counts.
///
/// ```
/// use wengert::ErasedScalar;
/// use wengert::prelude::*;
/// fn product<S: Scalar>(x: &[S]) -> S {
///     x[0] * x[1]
/// }
/// let product = function!(product);
/// let f = ErasedScalar::new(&product);
/// assert_eq!(hessian(&f, &[2.0, 3.0])?.as_slice(), [0.0, 1.0, 1.0, 0.0]);
/// // Third order is not in the table.
/// assert!(grad(grad(grad(f))).eval_to_vec(&[2.0, 3.0]).iter().all(|entry: &f64| entry.is_nan()));
/// # trait EvalToVec: Function {
/// #     fn eval_to_vec(&self, x: &[f64]) -> Vec<f64> {
/// #         let mut y = vec![0.0; self.outputs(x.len())];
/// #         self.eval(x, &mut y);
/// #         y
/// #     }
/// # }
/// # impl<F: Function> EvalToVec for F {}
/// # Ok::<(), Error>(())
/// ```
///
/// **Shape**: that of the function.
/// **Cost**: as [`Erased`], with 15 more carriers: the nestings of [`HessianMode`](crate::hessian::HessianMode) and of
/// [`hvp`](crate::hessian::hvp).
/// **Source**: erased-serde.
#[derive(Clone, Copy)]
pub struct ErasedScalar<'a>(&'a dyn second::Table);

impl<'a> ErasedScalar<'a> {
    /// Hides the type of a function.
    ///
    /// ```
    /// use wengert::ErasedScalar;
    /// use wengert::prelude::*;
    /// fn square<S: Scalar>(x: &[S]) -> S {
    ///     x[0] * x[0]
    /// }
    /// assert_eq!(ErasedScalar::new(&function!(square)).call(&[3.0]), 9.0);
    /// ```
    ///
    /// **Cost**: none.
    pub fn new<F: ScalarFunction + Sync>(f: &'a F) -> Self {
        Self(f)
    }
}

impl ScalarFunction for ErasedScalar<'_> {
    fn inputs(&self) -> Option<usize> {
        self.0.inputs()
    }
    fn call<S: Scalar>(&self, x: &[S]) -> S {
        let mut y = [S::from(0.0)];
        second::eval(self.0, x, &mut y);
        y[0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{check_hessian, check_jacobian};
    use crate::function;
    use crate::hessian::{HessianMode, hessian_by};
    use crate::jacobian::{Mode, jacobian};
    use crate::report::cost;

    /// The infinite partial of the logarithm at 0 meets a constant, so strict carriers run as well.
    fn f<S: Scalar>(x: &[S]) -> S {
        (x[0] * x[1]).sin() * x[2] + (x[3] * 0.0 + 0.0).ln() * 0.0 + x[0].powi(3) * x[2].exp()
    }

    #[test]
    fn every_driver_has_the_bits_of_the_function_itself() {
        let (f, x) = (function!(f), [0.7, -1.2, 0.4, 2.0]);
        let (first, second) = (Erased::new(&f), ErasedScalar::new(&f));
        let bits = |matrix: nalgebra::DMatrix<f64>| -> Vec<u64> {
            matrix.iter().map(|entry| entry.to_bits()).collect()
        };
        for mode in Mode::ALL {
            let expected = bits(jacobian(&f, &x, mode).unwrap());
            assert_eq!(bits(jacobian(&first, &x, mode).unwrap()), expected);
            assert_eq!(bits(jacobian(&second, &x, mode).unwrap()), expected);
        }
        for mode in HessianMode::ALL {
            let expected = bits(hessian_by(&f, &x, mode).unwrap());
            assert_eq!(bits(hessian_by(&second, &x, mode).unwrap()), expected);
        }
    }

    fn smooth<S: Scalar>(x: &[S]) -> S {
        (x[0] * x[1]).sin() * x[2] + x[0].powi(3) * x[2].exp()
    }

    #[test]
    fn checks_and_counts_know_their_carriers() {
        let (f, x) = (function!(smooth), [0.7, -1.2, 0.4]);
        let (first, second) = (Erased::new(&f), ErasedScalar::new(&f));
        assert!(check_jacobian(&first, &x).unwrap().is_passed());
        assert!(check_hessian(&second, &x).unwrap().is_passed());
        assert_eq!(cost(&second, &x), cost(&f, &x));
    }
}
