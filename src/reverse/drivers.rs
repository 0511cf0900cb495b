//! Drivers that record, sweep and forget.

use nalgebra::DMatrix;

use super::pullback::{Pullback, strict_adjoints};
use super::slots::{OpenTape, recycle};
use super::statement::Place;
use super::tape::Limits;
use super::var::Var;
use crate::error::{Error, check_len};
use crate::scalar::Scalar;

/// Settings of a recording: the drivers of this module as methods, with limits on memory.
///
/// ```
/// use wengert::prelude::*;
/// use wengert::reverse::{Limits, Recorder};
/// let small = Recorder::new().with_limits(Limits { bytes: 1 << 20, ..Limits::default() });
/// assert_eq!(small.gradient(|x| x[0] * x[0], &[3.0])?, [6.0]);
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Recorder {
    limits: Limits,
}

impl Recorder {
    /// The settings that the free functions use: no limit but that of 32-bit indices.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets limits on entries and memory.
    #[must_use]
    pub const fn with_limits(self, limits: Limits) -> Self {
        Self { limits }
    }

    /// As [`gradient`].
    ///
    /// # Errors
    /// As [`gradient`].
    pub fn gradient<T: Scalar>(
        self,
        f: impl FnOnce(&[Var<T>]) -> Var<T>,
        x: &[T],
    ) -> Result<Vec<T>, Error> {
        self.value_and_gradient(f, x).map(|(_, gradient)| gradient)
    }

    /// As [`value_and_gradient`].
    ///
    /// # Errors
    /// As [`gradient`].
    pub fn value_and_gradient<T: Scalar>(
        self,
        f: impl FnOnce(&[Var<T>]) -> Var<T>,
        x: &[T],
    ) -> Result<(T, Vec<T>), Error> {
        self.value_gradient_aux(|x| (f(x), ()), x)
            .map(|(value, gradient, ())| (value, gradient))
    }

    /// As [`value_gradient_aux`].
    ///
    /// # Errors
    /// As [`gradient`].
    pub fn value_gradient_aux<T: Scalar, A>(
        self,
        f: impl FnOnce(&[Var<T>]) -> (Var<T>, A),
        x: &[T],
    ) -> Result<(T, Vec<T>, A), Error> {
        self.try_value_gradient_aux(|x| Ok(f(x)), x)
    }

    fn try_value_gradient_aux<T: Scalar, A, E: From<Error>>(
        self,
        f: impl FnOnce(&[Var<T>]) -> Result<(Var<T>, A), E>,
        x: &[T],
    ) -> Result<(T, Vec<T>, A), E> {
        let mut open = OpenTape::open(self.limits)?;
        let variables = independents(&mut open, x)?;
        let (y, aux) = f(&variables)?;
        let mut gradient = vec![T::from(0.0); x.len()];
        sweep_scalar(open, y, &mut gradient)?;
        Ok((y.value(), gradient, aux))
    }

    /// Records a function of several results for many sweeps, as [`Pullback::record`].
    ///
    /// # Errors
    /// As [`gradient`].
    pub fn record<T: Scalar, R: AsRef<[Var<T>]>>(
        self,
        f: impl FnOnce(&[Var<T>]) -> R,
        x: &[T],
    ) -> Result<Pullback<T>, Error> {
        let mut open = OpenTape::open(self.limits)?;
        let variables = independents(&mut open, x)?;
        let y = f(&variables);
        let y = y.as_ref();
        check_recording(&mut open)?;
        let outputs = y
            .iter()
            .map(|y| output_index(&open, y))
            .collect::<Result<Vec<_>, _>>()?;
        let values = y.iter().map(Var::value).collect();
        Ok(Pullback::new(open.close(), x.len(), outputs, values))
    }
}

/// Opens the recording's independent variables.
pub(super) fn independents<T: Scalar>(
    open: &mut OpenTape<T>,
    x: &[T],
) -> Result<Vec<Var<T>>, Error> {
    let mut variables = Vec::with_capacity(x.len());
    independents_into(open, x, &mut variables)?;
    Ok(variables)
}

/// Opens the recording's independent variables in a buffer.
pub(super) fn independents_into<T: Scalar>(
    open: &mut OpenTape<T>,
    x: &[T],
    variables: &mut Vec<Var<T>>,
) -> Result<(), Error> {
    let recording = open.recording();
    variables.clear();
    for x in x {
        match open.tape().push_many(0, std::iter::empty()) {
            Some(index) => variables.push(Var::recorded(*x, Place::new(index, recording))),
            None => break,
        }
    }
    check_recording(open)
}

/// The error that the operations of the recording kept, if any.
fn check_recording<T: Scalar>(open: &mut OpenTape<T>) -> Result<(), Error> {
    open.tape().take_error().map_or(Ok(()), Err)
}

/// Where a result stands on the tape; `None` if it is a constant.
fn output_index<T: Scalar>(open: &OpenTape<T>, y: &Var<T>) -> Result<Option<u32>, Error> {
    let place = y.place();
    if place.is_constant() {
        Ok(None)
    } else if place.recording() == open.recording() {
        Ok(Some(place.index()))
    } else {
        Err(Error::MixedRecordings {
            open: open.recording(),
            found: place.recording(),
        })
    }
}

/// Sweeps back from one result in the memory that the tape keeps; strictly, if a derivative comes out non-finite (R3).
pub(super) fn sweep_scalar<T: Scalar>(
    mut open: OpenTape<T>,
    y: Var<T>,
    gradient: &mut [T],
) -> Result<(), Error> {
    check_recording(&mut open)?;
    let inputs = gradient.len();
    gradient.fill(T::structural_zero());
    let Some(output) = output_index(&open, &y)? else {
        return Ok(());
    };
    // The recording ends before the sweep, which multiplies: a scalar of the user's own could run any code there, and must
    // not find the tape open that is being read.
    let mut tape = open.close();
    let mut swept = tape.sweep_in_place(inputs, output, gradient);
    if swept.is_ok() && !gradient.iter().all(T::is_all_finite) {
        swept = strict_adjoints(&tape, inputs, &[(output, T::from(1.0))], gradient);
    }
    recycle(tape);
    swept
}

/// The gradient of a function of `n` variables.
///
/// ```
/// use wengert::prelude::*;
/// let g = gradient(|x| x[0] * x[1] + x[0].sin(), &[0.0, 4.0])?;
/// assert_eq!(g, [5.0, 0.0]);
/// # Ok::<(), Error>(())
/// ```
///
/// **Shape**: `x` has `n` entries, also 0; the result has `n`. A constant function has the gradient 0.
/// **Cost**: one evaluation that records and one sweep, at most 5 x the operations of `f` for + - * /, whatever `n` is; 36
/// bytes per binary operation.
///
/// # Errors
/// [`Error::TapeFull`] or [`Error::OutOfMemory`] if the recording does not fit, [`Error::MixedRecordings`] if a variable
/// of another recording was used.
///
/// **Source**: Griewank & Walther 2008, §3.3.
pub fn gradient<T: Scalar>(f: impl FnOnce(&[Var<T>]) -> Var<T>, x: &[T]) -> Result<Vec<T>, Error> {
    Recorder::new().gradient(f, x)
}

/// The value and the gradient of a function of `n` variables.
///
/// ```
/// use wengert::prelude::*;
/// let (value, gradient) = value_and_gradient(|x| x[0].powi(2) * x[1], &[3.0, 2.0])?;
/// assert_eq!((value, gradient), (18.0, vec![12.0, 9.0]));
/// # Ok::<(), Error>(())
/// ```
///
/// **Shape**, **Cost**, **Source**: as [`gradient`].
///
/// # Errors
/// As [`gradient`].
pub fn value_and_gradient<T: Scalar>(
    f: impl FnOnce(&[Var<T>]) -> Var<T>,
    x: &[T],
) -> Result<(T, Vec<T>), Error> {
    Recorder::new().value_and_gradient(f, x)
}

/// The value, the gradient, and whatever else the function wants to hand out.
///
/// ```
/// use wengert::prelude::*;
/// let (value, gradient, steps) = value_gradient_aux(
///     |x| {
///         let mut y = x[0];
///         let mut steps = 0;
///         while y.re() < 10.0 {
///             y = y * y;
///             steps += 1;
///         }
///         (y, steps)
///     },
///     &[2.0],
/// )?;
/// assert_eq!((value, gradient[0], steps), (16.0, 32.0, 2));
/// # Ok::<(), Error>(())
/// ```
///
/// **Shape**: as [`gradient`]; the second result of `f` is passed through. Convert variables in it to values with
/// [`Var::value`]: they mean nothing once the driver returned.
/// **Cost**, **Source**: as [`gradient`]; JAX `value_and_grad(has_aux=True)`.
///
/// # Errors
/// As [`gradient`].
pub fn value_gradient_aux<T: Scalar, A>(
    f: impl FnOnce(&[Var<T>]) -> (Var<T>, A),
    x: &[T],
) -> Result<(T, Vec<T>, A), Error> {
    Recorder::new().value_gradient_aux(f, x)
}

/// The value and the gradient of a function that may fail with an error of its own.
///
/// ```
/// use wengert::prelude::*;
/// #[derive(Debug)]
/// enum Failure {
///     Negative(f64),
///     Derivative(Error),
/// }
/// impl From<Error> for Failure {
///     fn from(error: Error) -> Self {
///         Failure::Derivative(error)
///     }
/// }
/// let root = |x: &[Var<f64>]| if x[0] < 0.0 { Err(Failure::Negative(x[0].re())) } else { Ok(x[0].sqrt()) };
/// let (_, gradient) = try_value_and_gradient(root, &[4.0])?;
/// assert_eq!(gradient, [0.25]);
/// assert!(matches!(try_value_and_gradient(root, &[-1.0]), Err(Failure::Negative(_))));
/// # Ok::<(), Failure>(())
/// ```
///
/// **Shape**, **Cost**, **Source**: as [`gradient`].
///
/// # Errors
/// The function's own error, or one of [`gradient`]'s converted to it.
pub fn try_value_and_gradient<T: Scalar, E: From<Error>>(
    f: impl FnOnce(&[Var<T>]) -> Result<Var<T>, E>,
    x: &[T],
) -> Result<(T, Vec<T>), E> {
    Recorder::new()
        .try_value_gradient_aux(|x| f(x).map(|y| (y, ())), x)
        .map(|(value, gradient, ())| (value, gradient))
}

/// The values of `m` functions and the product of a cotangent with their Jacobian.
///
/// ```
/// use wengert::prelude::*;
/// let (y, gradient) = vjp(|x| [x[0] * x[1], x[0]], &[2.0, 3.0], &[1.0, 10.0])?;
/// assert_eq!((y, gradient), (vec![6.0, 2.0], vec![13.0, 2.0]));
/// # Ok::<(), Error>(())
/// ```
///
/// **Shape**: `x` has `n` entries, the result of `f` and `cotangent` have `m`; the results have `m` and `n`.
/// **Cost**: as [`gradient`].
///
/// # Errors
/// [`Error::ShapeMismatch`] if the cotangent has not `m` entries; else as [`gradient`].
///
/// **Source**: Griewank & Walther 2008, §3.2; JAX `vjp`.
pub fn vjp<T: Scalar, R: AsRef<[Var<T>]>>(
    f: impl FnOnce(&[Var<T>]) -> R,
    x: &[T],
    cotangent: &[T],
) -> Result<(Vec<T>, Vec<T>), Error> {
    let pullback = Recorder::new().record(f, x)?;
    check_len("cotangent", pullback.values().len(), cotangent.len())?;
    let gradient = pullback.vjp(cotangent)?;
    Ok((pullback.values().to_vec(), gradient))
}

/// The Jacobian of `m` functions of `n` variables, row by row.
///
/// ```
/// use wengert::prelude::*;
/// let j = jacobian_reverse(|x| [x[0] * x[1], x[0].exp()], &[0.0, 3.0])?;
/// assert_eq!(j.as_slice(), [3.0, 1.0, 0.0, 0.0]); // column by column, as nalgebra stores it
/// # Ok::<(), Error>(())
/// ```
///
/// **Shape**: `x` has `n` entries, the result of `f` has `m`; the Jacobian is m×n.
/// **Cost**: one recording and `m` sweeps, 8 rows at a time.
///
/// # Errors
/// As [`gradient`].
///
/// **Source**: Griewank & Walther 2008, §3.2 (vector mode).
pub fn jacobian_reverse<T: Scalar, R: AsRef<[Var<T>]>>(
    f: impl FnOnce(&[Var<T>]) -> R,
    x: &[T],
) -> Result<DMatrix<T>, Error> {
    Recorder::new().record(f, x)?.jacobian()
}
