//! Recurrences of truncated power series: the coefficients of a result from those of its arguments.
//!
//! Every function gets the leading coefficient(s) of the result, so that no value is computed here, and returns the
//! orders 1..=K as an array. Entry `i` of such an array is the coefficient of order `i + 1`.
//!
//! Invariant: order k of a result depends on the orders up to k of the arguments only, also where numbers are infinite
//! or NaN. The newest coefficient enters every sum last, which keeps the chain of dependent operations short.
//!
//! Source: Griewank & Walther 2008, §13.2, tables 13.1 and 13.2; here coefficients are c_k = f^(k) / k! there too.

use super::Taylor;
use crate::scalar::{Mask, Scalar};

/// Runs the body for the indices `0..K` and the orders `1..=K`.
///
/// The first twelve are written out: with a constant index the compiler unrolls the sums too and keeps them in
/// registers, which a loop of ten rounds does not get.
macro_rules! each_order {
    ($count:expr, |$k:ident, $order:ident| $body:expr) => {
        each_order!($count, $k, $order, $body,
            [0 1.0, 1 2.0, 2 3.0, 3 4.0, 4 5.0, 5 6.0, 6 7.0, 7 8.0, 8 9.0, 9 10.0, 10 11.0, 11 12.0]);
        let mut $order = 12.0;
        for $k in 12..$count {
            $order += 1.0;
            $body;
        }
        let _ = $order;
    };
    ($count:expr, $k:ident, $order:ident, $body:expr, [$($index:literal $value:literal),*]) => {$(
        if const { $index < $count } {
            let $k: usize = $index;
            let $order: f64 = $value;
            let _ = $order;
            $body;
        }
    )*};
}

/// `seed` plus the terms of a product's order `k + 1` that contain neither leading coefficient.
#[inline(always)]
fn add_inner<T: Scalar, const K: usize>(seed: T, newer: &[T; K], b: &[T; K], k: usize) -> T {
    let mut sum = seed;
    for (a, b) in newer[..k].iter().zip(b[..k].iter().rev()) {
        sum += *b * *a;
    }
    sum
}

/// `seed` minus the terms that [`add_inner`] adds.
#[inline(always)]
fn subtract_inner<T: Scalar, const K: usize>(seed: T, newer: &[T; K], b: &[T; K], k: usize) -> T {
    let mut sum = seed;
    for (a, b) in newer[..k].iter().zip(b[..k].iter().rev()) {
        sum -= *b * *a;
    }
    sum
}

/// The terms of the square of a series at order `k + 1` without its leading coefficient; `None` where there are none.
///
/// Equal pairs are computed once: half the multiplications of a product.
#[inline(always)]
fn inner_square<T: Scalar, const K: usize>(a: &[T; K], k: usize) -> Option<T> {
    let half = k / 2;
    let mut sum = if k % 2 == 1 {
        Some(a[half] * a[half])
    } else {
        None
    };
    // A counted loop: reversed pairs of slices cost more than the products.
    let mut i = half;
    while i > 0 {
        i -= 1;
        let term = a[i] * a[k - 1 - i];
        let twice = term + term;
        sum = Some(match sum {
            Some(sum) => sum + twice,
            None => twice,
        });
    }
    sum
}

/// Fills an array in increasing order; `step` gets the lower orders and the index.
///
/// A plain loop: the compiler unrolls it, which it does not do for the adapters of iterators and arrays.
#[inline(always)]
pub(super) fn fill<T: Scalar, const K: usize>(step: impl Fn(&[T; K], usize) -> T) -> [T; K] {
    let mut y = [T::structural_zero(); K];
    each_order!(K, |k, _order| y[k] = step(&y, k));
    y
}

/// As [`fill`], where `step` also gets the order, `k + 1`.
#[inline(always)]
fn fill_by_order<T: Scalar, const K: usize>(step: impl Fn(&[T; K], usize, f64) -> T) -> [T; K] {
    let mut y = [T::structural_zero(); K];
    each_order!(K, |k, order| y[k] = step(&y, k, order));
    y
}

/// Changes an array entry by entry.
#[inline(always)]
pub(super) fn map<T: Copy, const K: usize>(mut x: [T; K], f: impl Fn(T) -> T) -> [T; K] {
    for x in &mut x {
        *x = f(*x);
    }
    x
}

/// The coefficients times their order: those of `t x'(t)`.
#[inline]
pub(super) fn by_order<T: Scalar, const K: usize>(x: &[T; K]) -> [T; K] {
    fill_by_order(|_, k, order| x[k] * order)
}

/// The product of two series.
#[inline]
pub(super) fn product<T: Scalar, const K: usize>(x: &Taylor<T, K>, y: &Taylor<T, K>) -> [T; K] {
    let (a, b) = (&x.coefficients, &y.coefficients);
    fill(|_, k| add_inner(y.value * a[k] + x.value * b[k], a, b, k))
}

/// The square of a series.
#[inline]
pub(super) fn square<T: Scalar, const K: usize>(x: &Taylor<T, K>) -> [T; K] {
    let (a, twice) = (&x.coefficients, x.value * 2.0);
    fill(|_, k| {
        let outer = twice * a[k];
        inner_square(a, k).map_or(outer, |inner| outer + inner)
    })
}

/// `x / y` with the leading coefficient `v`; e29: nothing is divided by the square of the divisor.
///
/// Differences are taken before they are scaled: where they cancel, as in `sin(x) / x` near 0, that loses least.
#[inline]
pub(super) fn quotient<T: Scalar, const K: usize>(x: &[T; K], y: &Taylor<T, K>, v: T) -> [T; K] {
    let scale = y.value.recip();
    let b = &y.coefficients;
    fill(|c, k| subtract_inner(x[k] - v * b[k], c, b, k) * scale)
}

/// `1 / x` with the leading coefficient `y`.
#[inline]
pub(super) fn reciprocal<T: Scalar, const K: usize>(x: &[T; K], y: T) -> [T; K] {
    let scaled = map(*x, |x| x * y);
    fill(|c, k| -add_inner(scaled[k] * y, c, &scaled, k))
}

/// The integral of `p x'`: a function whose partial has the series `p`.
#[inline]
pub(super) fn integral<T: Scalar, const K: usize>(p: &Taylor<T, K>, x: &[T; K]) -> [T; K] {
    let dx = by_order(x);
    fill_by_order(|_, k, order| add_inner(p.value * dx[k], &p.coefficients, &dx, k) * (1.0 / order))
}

/// The integral of `y x'`, where `y` is the result itself, with leading coefficient `y` and `t x'` as `dx`.
#[inline]
pub(super) fn exponential<T: Scalar, const K: usize>(dx: &[T; K], y: T) -> [T; K] {
    fill_by_order(|c, k, order| add_inner(y * dx[k], c, dx, k) * (1.0 / order))
}

/// The integral of `p x' / (p y)`: logarithms, with the partial `p` and the reciprocal of the argument at order 0.
#[inline]
pub(super) fn logarithm<T: Scalar, const K: usize>(x: &[T; K], p: T, reciprocal: T) -> [T; K] {
    let dx = by_order(x);
    let scaled = map(*x, |x| x * reciprocal);
    let slope: [T; K] = fill(|d, k| subtract_inner(p * dx[k], d, &scaled, k));
    fill_by_order(|_, k, order| slope[k] * (1.0 / order))
}

/// The square root, with the partial `p` at order 0.
#[inline]
pub(super) fn square_root<T: Scalar, const K: usize>(x: &[T; K], p: T) -> [T; K] {
    fill(|y, k| p * inner_square(y, k).map_or(x[k], |inner| x[k] - inner))
}

/// The power with the exponent `c` at a base that is not 0, with the partial `p` at order 0.
#[inline]
pub(super) fn power<T: Scalar, const K: usize>(x: &Taylor<T, K>, c: T, p: T) -> [T; K] {
    let reciprocal = x.value.recip();
    let a = &x.coefficients;
    // Order k: p x_k + sum over j < k of (c j - (k - j)) x_j y_(k-j), divided by k x_0.
    fill_by_order(|y, k, order| {
        let mut sum = T::structural_zero();
        let mut j = order;
        for (y, a) in y[..k].iter().zip(a[..k].iter().rev()) {
            j -= 1.0;
            sum += (c * j + (j - order)) * *a * *y;
        }
        // At order 1 there is no sum, and 0 times the reciprocal of 0 must not appear (e07, e12).
        let outer = p * a[k];
        if k == 0 {
            outer
        } else {
            outer + sum * reciprocal * (1.0 / order)
        }
    })
}

/// Sine and cosine (`sign` -1) or their hyperbolic twins (`sign` +1), which need each other.
#[inline]
pub(super) fn sine_and_cosine<T: Scalar, const K: usize>(
    x: &[T; K],
    sine: T,
    cosine: T,
    sign: f64,
) -> ([T; K], [T; K]) {
    let dx = by_order(x);
    let mut s = [T::structural_zero(); K];
    let mut c = [T::structural_zero(); K];
    each_order!(K, |k, order| {
        let next = add_inner(cosine * dx[k], &c, &dx, k) * (1.0 / order);
        c[k] = add_inner(sine * dx[k], &s, &dx, k) * (sign / order);
        s[k] = next;
    });
    (s, c)
}

/// `y' = w x'` and `w = scale y + sign y^2 + constant`, with the leading coefficients `y` and `w`: tan, tanh, logistic.
///
/// `slope` is `scale + 2 sign y`, the derivative of `w` for `y`. Returns the series of `y` and of `w`.
#[inline]
pub(super) fn riccati<T: Scalar, const K: usize>(
    x: &[T; K],
    w: T,
    slope: T,
    sign: f64,
) -> ([T; K], [T; K]) {
    let dx = by_order(x);
    let mut y = [T::structural_zero(); K];
    let mut partial = [T::structural_zero(); K];
    each_order!(K, |k, order| {
        y[k] = add_inner(w * dx[k], &partial, &dx, k) * (1.0 / order);
        let outer = slope * y[k];
        partial[k] = inner_square(&y, k).map_or(outer, |inner| inner * sign + outer);
    });
    (y, partial)
}

/// The composition of the outer series (orders 1..=K at the inner value) with the inner one, by Horner's rule.
///
/// K products of series, so O(K^3).
pub(super) fn composition<T: Scalar, const K: usize>(outer: &[T; K], inner: &[T; K]) -> [T; K] {
    outer
        .iter()
        .rev()
        .fold([T::structural_zero(); K], |tail, o| {
            fill(|_, k| add_inner(*o * inner[k], inner, &tail, k))
        })
}

/// The Euclidean norm with the leading coefficient `norm` and the partials at order 0; 0 at the zero vector (e19).
///
/// All products are of one component and one quotient by the norm, so that no square over- or underflows (e18).
pub(super) fn euclidean_norm<T: Scalar, const K: usize>(
    components: &[Taylor<T, K>],
    partials: &[T],
    norm: T,
) -> [T; K] {
    let zero_vector = norm.eq_mask(T::from(0.0));
    let divisor = T::select(zero_vector, T::from(f64::INFINITY), norm);
    let mut sum = [T::structural_zero(); K];
    for (x, p) in components.iter().zip(partials) {
        let x = &x.coefficients;
        let quotient = map(*x, |x| x / divisor * 0.5);
        sum = fill(|_, k| sum[k] + add_inner(*p * x[k], x, &quotient, k));
    }
    let mut quotient = [T::structural_zero(); K];
    let mut result = [T::structural_zero(); K];
    for k in 0..K {
        result[k] = subtract_inner(sum[k], &result, &quotient, k);
        quotient[k] = result[k] / divisor * 0.5;
    }
    result
}

/// One array or the other, entry by entry where the mask is not decided yet.
pub(super) fn choose<T: Scalar, const K: usize>(
    mask: T::Mask,
    a: impl FnOnce() -> [T; K],
    b: impl FnOnce() -> [T; K],
) -> [T; K] {
    match mask.decided() {
        Some(true) => a(),
        Some(false) => b(),
        None => {
            let (a, b) = (a(), b());
            fill(|_, k| T::select(mask, a[k], b[k]))
        }
    }
}
