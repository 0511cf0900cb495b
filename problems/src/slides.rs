//! The worked examples of Wiltschko's slides "Automatic differentiation, an abstraction for machine learning".
//!
//! They show what a user may write: branches, loops, recursion, arrays, custom derivatives, derivatives of derivatives.
//! Arrays are slices, row by row. The examples [`dot`], [`scale`] and [`dot_nonlinear`] are the first tests of
//! torch-autograd, the program that the slides are about.
//!
//! Invariant: each function is written as on its slide; no operation is simplified away.

use wengert::elementary::CustomRule;
use wengert::prelude::*;
use wengert::{Function, Scalar};

/// `a sin(b)` if `b > c`, else `a + b c`: the function that the slides trace.
///
/// ```
/// use wengert_problems::slides::branch;
/// assert_eq!(branch(&[3.0, 2.0, 1.0]), 2.727892280477045);
/// assert_eq!(branch(&[3.5, 1.1, 2.1]), 5.8100000000000005);
/// ```
/// **Shape**: `[a, b, c]`. **Cost**: one multiplication. **Source**: slides "Forward mode (program view)", "If
/// statements are no problem"; the trace is after Baydin et al. 2018.
pub fn branch<S: Scalar>(x: &[S]) -> S {
    let (a, b, c) = (x[0], x[1], x[2]);
    if b > c { a * b.sin() } else { a + b * c }
}

/// `a + b c`.
///
/// **Shape**: `[a, b, c]`. **Cost**: one multiplication. **Source**: slide "Arithmetic is no problem".
pub fn arithmetic<S: Scalar>(x: &[S]) -> S {
    x[0] + x[1] * x[2]
}

/// [`branch`] entry by entry, summed: `sum(a sin(b))` if `sum(b) > sum(c)`, else `sum(a + b c)`.
///
/// ```
/// use wengert_problems::slides::tensors;
/// // b is the identity, c is zero: the diagonal of a is weighted with sin(1).
/// let b_and_c = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0., 0., 0., 0., 0., 0., 0., 0., 0.];
/// let x: Vec<f64> = [1.0; 9].into_iter().chain(b_and_c).collect();
/// assert_eq!(tensors(&x), 3.0 * 1.0_f64.sin());
/// ```
/// **Shape**: three arrays of one length, one after the other. **Cost**: a multiplication per entry.
/// **Source**: slide "Of course, works with tensors".
pub fn tensors<S: Scalar>(x: &[S]) -> S {
    let (a, rest) = x.split_at(x.len() / 3);
    let (b, c) = rest.split_at(rest.len() / 2);
    if S::sum_of(b.iter().copied()) > S::sum_of(c.iter().copied()) {
        S::sum_for(0..a.len(), |i| a[i] * b[i].sin())
    } else {
        S::sum_for(0..a.len(), |i| a[i] + b[i] * c[i])
    }
}

/// Squares `a` `times` times in a loop: `a^(2^times)`.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_problems::slides::squaring_loop;
/// assert_eq!(squaring_loop(3.0, 2), 81.0);
/// assert_eq!(derivative(|a| squaring_loop(a, 2), 3.0), 108.0);
/// ```
/// **Shape**: a number. **Cost**: `times` multiplications. **Source**: slide "Autograd for loop".
pub fn squaring_loop<S: Scalar>(mut a: S, times: u32) -> S {
    for _ in 0..times {
        a = a * a;
    }
    a
}

/// Squares `a` `times` times by recursion.
///
/// **Shape**: a number. **Cost**: `times` multiplications and levels of the stack.
/// **Source**: slide "Recursion is no problem".
pub fn squaring_recursion<S: Scalar>(a: S, times: u32) -> S {
    if times == 0 {
        a
    } else {
        squaring_recursion(a * a, times - 1)
    }
}

/// `sum(floor(a^3))`, whose derivative is 0.
///
/// **Shape**: any number of entries. **Cost**: two multiplications per entry. **Source**: slide "New ops aren't a
/// problem".
pub fn floor_of_cubes<S: Scalar>(x: &[S]) -> S {
    S::sum_for(0..x.len(), |i| x[i].powi(3).floor())
}

/// The floor whose derivative passes through as if nothing had been rounded.
///
/// **Shape**: one argument. **Cost**: none. **Source**: slide "Need new or tweaked partial derivatives?",
/// `special.floor`.
#[derive(Clone, Copy, Debug)]
pub struct StraightThroughFloor;

impl CustomRule for StraightThroughFloor {
    fn value(&self, x: &[f64]) -> f64 {
        x[0].floor()
    }
    fn partials<T: Scalar>(&self, _: &[T], _: T, out: &mut [Option<T>]) {
        out[0] = Some(T::from(1.0));
    }
    fn is_linear(&self) -> bool {
        true
    }
}

/// `sum(special.floor(a^3))` with the [`StraightThroughFloor`]; the derivative is `3 a^2`.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_problems::slides::special_floor_of_cubes;
/// assert_eq!(special_floor_of_cubes(&[1.5]), 3.0);
/// assert_eq!(derivative(|a| special_floor_of_cubes(&[a]), 1.0), 3.0);
/// ```
/// **Shape**: any number of entries. **Cost**: two multiplications per entry. **Source**: slide "Need new or tweaked
/// partial derivatives?".
pub fn special_floor_of_cubes<S: Scalar>(x: &[S]) -> S {
    S::sum_of(
        x.iter()
            .map(|x| S::custom(&StraightThroughFloor, &[x.powi(3)])),
    )
}

/// The elementary functions of the slides' table of partial derivatives, and some that belong beside them.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_problems::slides::{Table, TABLE};
/// let mut y = [0.0; 9];
/// Table.eval(&[0.0], &mut y);
/// assert_eq!((TABLE[2], y[2]), ("cos", 1.0));
/// ```
/// **Shape**: one input, nine outputs in the order of [`TABLE`]. **Cost**: the nine functions.
/// **Source**: slide "What's actually happening?". (Its row for `tan` divides by the wrong factor; ours does not.)
#[derive(Clone, Copy, Debug)]
pub struct Table;

/// The names of the outputs of [`Table`].
pub const TABLE: [&str; 9] = [
    "sqrt", "sin", "cos", "tan", "log", "sinh", "cosh", "tanh", "exp",
];

impl Function for Table {
    fn inputs(&self) -> Option<usize> {
        Some(1)
    }
    fn outputs(&self, _: usize) -> usize {
        TABLE.len()
    }
    fn eval<S: Scalar>(&self, x: &[S], y: &mut [S]) {
        let x = x[0];
        let row = [
            x.sqrt(),
            x.sin(),
            x.cos(),
            x.tan(),
            x.ln(),
            x.sinh(),
            x.cosh(),
            x.tanh(),
            x.exp(),
        ];
        y.copy_from_slice(&row);
    }
}

/// `sum((W input + b - target)^2)` with `input = (1, 2, ..., n)` and `target = (1, 1, ..., 1)`.
///
/// ```
/// use wengert_problems::slides::simple_network;
/// assert_eq!(simple_network(&[1.0, 0.0, 0.0, 1.0, 0.0, 1.0]), 4.0);
/// ```
/// **Shape**: `W` of n x n, then `b` of n. **Cost**: n^2 + 2n multiplications.
/// **Source**: slide "How is the compute graph built?" (`simpleFn`, there with random numbers and n = 4).
pub fn simple_network<S: Scalar>(x: &[S]) -> S {
    let n = (1..)
        .take_while(|n| n * (n + 1) <= x.len())
        .last()
        .unwrap_or(0);
    let (w, b) = x.split_at(x.len() - n);
    let rows = w.chunks_exact(n.max(1)).zip(b);
    S::squared_norm_of(rows.map(|(row, b)| {
        let entries = (1_u32..).zip(row);
        S::sum_of(entries.map(|(input, w)| *w * f64::from(input))) + *b - 1.0
    }))
}

/// `sum(W x)`.
///
/// ```
/// use wengert_problems::slides::dot;
/// assert_eq!(dot(&[0.5; 32 * 100 + 100], 100), 800.0);
/// ```
/// **Shape**: `W` with `columns` columns, then `x` of `columns`. **Cost**: a multiplication per entry of `W`.
/// **Source**: torch-autograd, test `Dot`.
pub fn dot<S: Scalar>(x: &[S], columns: usize) -> S {
    sum_of_products(x, columns, |product| product)
}

/// `sum(3 W x + 1)`.
///
/// **Shape**, **Cost**: as [`dot`]. **Source**: torch-autograd, test `Scale`.
pub fn scale<S: Scalar>(x: &[S], columns: usize) -> S {
    sum_of_products(x, columns, |product| product * 3.0 + 1.0)
}

/// `sum(tanh(W x))`.
///
/// **Shape**, **Cost**: as [`dot`], and a hyperbolic tangent per row. **Source**: torch-autograd, test `DotNonLinear`.
pub fn dot_nonlinear<S: Scalar>(x: &[S], columns: usize) -> S {
    sum_of_products(x, columns, |product| product.tanh())
}

/// The sum of a function of the entries of `W x`.
fn sum_of_products<S: Scalar>(x: &[S], columns: usize, f: impl Fn(S) -> S) -> S {
    let (w, x) = x.split_at(x.len() - columns);
    let width = columns.max(1);
    S::sum_for(0..w.len() / width, |i| {
        let row = &w[i * width..(i + 1) * width];
        f(S::dot_of(row.iter().copied().zip(x.iter().copied())))
    })
}

/// `x d/dy (x y)`, that is `x^2`: wrong where perturbations are confused.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_problems::slides::nested_product;
/// assert_eq!(derivative(|x| nested_product(x, 2.0), 4.0), 8.0);
/// ```
/// **Shape**: a number, and the place of the inner derivative. **Cost**: one inner derivative.
/// **Source**: Siskind & Pearlmutter 2005 (perturbation confusion).
pub fn nested_product<S: Scalar>(x: S, y: f64) -> S {
    x * derivative(|y| Dual::constant(x) * y, S::from(y))
}

/// `x d/dy (x + y)`, that is `x`.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_problems::slides::nested_sum;
/// assert_eq!(derivative(|x| nested_sum(x, 1.0), 1.0), 1.0);
/// ```
/// **Shape**, **Cost**, **Source**: as [`nested_product`].
pub fn nested_sum<S: Scalar>(x: S, y: f64) -> S {
    x * derivative(|y| Dual::constant(x) + y, S::from(y))
}
