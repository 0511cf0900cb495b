//! Which recurrence belongs to which rule of the table.
//!
//! Invariant: partials and outer derivatives are taken from [`elementary`](crate::elementary); a recurrence only says
//! how they combine. A rule without a recurrence of its own is integrated from its partial, evaluated in series
//! arithmetic. Rows refer to `EDGE_CASES.md`.
//!
//! Source: Griewank & Walther 2008, §13.2; DLMF 10.51.2 (spherical Bessel functions).

use std::array;
use std::f64::consts::LN_2;

use super::{Taylor, series};
use crate::elementary::{
    Binary, Cos, Cosh, Exp, Factor, Logistic, Nary, Op, Polygamma, Recip, Series, Sin, Sinh,
    SphBessel, Tanh, Unary, in_domain,
};
use crate::scalar::{Scalar, Short};

/// Integer powers up to this one are products; beyond it the recurrence is cheaper and more accurate.
const LARGEST_PRODUCT: u32 = 16;

/// Orders 1..=K of `op(x)`, where `y` is the value.
#[inline]
pub(super) fn unary<T: Scalar, U: Unary, const K: usize>(op: U, x: &Taylor<T, K>, y: T) -> [T; K] {
    let a = &x.coefficients;
    let x0 = x.value;
    match op.op() {
        Op::MulConst(_) | Op::DivConst(_) => series::map(*a, |a| a.unary(op)),
        Op::Recip => series::reciprocal(a, y),
        Op::Exp => series::exponential(&series::by_order(a), y),
        Op::Exp2 => {
            let dx = series::by_order(a);
            series::exponential(&series::map(dx, |dx| dx * LN_2), y)
        }
        Op::ExpM1 => series::exponential(&series::by_order(a), x0.unary(Exp)),
        Op::Ln | Op::Log(_) | Op::Log2 | Op::Log10 => {
            series::logarithm(a, op.partial(x0, y), x0.recip())
        }
        Op::Ln1p => series::logarithm(a, op.partial(x0, y), (x0 + 1.0).recip()),
        Op::Sqrt => series::square_root(a, op.partial(x0, y)),
        Op::Cbrt => series::power(x, T::from(1.0 / 3.0), op.partial(x0, y)),
        Op::Powi(n) => integer_power(op, x, y, n),
        Op::Powf(c) => real_power(op, x, y, c),
        Op::Sin => series::sine_and_cosine(a, y, x0.unary(Cos), -1.0).0,
        Op::Cos => series::sine_and_cosine(a, x0.unary(Sin), y, -1.0).1,
        Op::Sinh => series::sine_and_cosine(a, y, x0.unary(Cosh), 1.0).0,
        Op::Cosh => series::sine_and_cosine(a, x0.unary(Sinh), y, 1.0).1,
        Op::Tan => series::riccati(a, op.partial(x0, y), y * 2.0, 1.0).0,
        Op::Tanh => series::riccati(a, op.partial(x0, y), y * -2.0, -1.0).0,
        Op::SechSquared => {
            let tanh = x0.unary(Tanh);
            series::riccati(a, y, tanh * -2.0, -1.0).1
        }
        // 1 - 2y is the difference of the two weights, without cancellation at either end.
        Op::Logistic => {
            let other = (-x0).unary(Logistic);
            series::riccati(a, y * other, other - y, -1.0).0
        }
        _ => match U::SERIES {
            Series::Linear => linear(op, x, y),
            Series::Compose => match outer_coefficients(op.op(), x0) {
                Some(outer) => series::composition(&series::map(outer, |o| in_domain(y, o)), a),
                None => from_partial(op, x, y),
            },
            Series::Integrate | Series::Recurrence => from_partial(op, x, y),
        },
    }
}

/// Locally linear functions: the partial is a number, whatever the order.
#[inline]
fn linear<T: Scalar, U: Unary, const K: usize>(op: U, x: &Taylor<T, K>, y: T) -> [T; K] {
    match op.factor() {
        Factor::One => x.coefficients,
        Factor::MinusOne => series::map(x.coefficients, |a| -a),
        Factor::Zero => [op.partial(x.value, y); K],
        Factor::General => {
            let p = op.partial(x.value, y);
            series::map(x.coefficients, |a| p * a)
        }
    }
}

/// Integrates the partial. The partials of such rules use the value for their domain only, so its series is not needed.
fn from_partial<T: Scalar, U: Unary, const K: usize>(op: U, x: &Taylor<T, K>, y: T) -> [T; K] {
    series::integral(&op.partial(*x, Taylor::constant(y)), &x.coefficients)
}

/// `x^n` by repeated squaring, exact at 0 (e10); negative powers are powers of the reciprocal, which cannot overflow first.
fn repeated_product<T: Scalar, const K: usize>(x: &Taylor<T, K>, n: i32) -> [T; K] {
    let mut base = if n < 0 { x.unary(Recip) } else { *x };
    let mut power: Option<Taylor<T, K>> = None;
    let mut rest = n.unsigned_abs();
    while rest > 0 {
        if rest % 2 == 1 {
            power = Some(power.map_or(base, |p| p * base));
        }
        rest /= 2;
        if rest > 0 {
            base = Taylor::new(base.value * base.value, series::square(&base));
        }
    }
    power.map_or([T::structural_zero(); K], |p| p.coefficients)
}

/// e09, e10, e11, and e12 for integer exponents.
#[inline]
fn integer_power<T: Scalar, U: Unary, const K: usize>(
    op: U,
    x: &Taylor<T, K>,
    y: T,
    n: i32,
) -> [T; K] {
    match n {
        0 => [T::structural_zero(); K],
        1 => x.coefficients,
        2 => series::square(x),
        3 => series::product(&Taylor::new(x.value * x.value, series::square(x)), x),
        _ => larger_integer_power(op, x, y, n),
    }
}

/// Kept apart, so that squares and cubes are small enough to be inlined.
#[inline(never)]
fn larger_integer_power<T: Scalar, U: Unary, const K: usize>(
    op: U,
    x: &Taylor<T, K>,
    y: T,
    n: i32,
) -> [T; K] {
    if n.unsigned_abs() <= LARGEST_PRODUCT {
        return repeated_product(x, n);
    }
    series::choose(
        x.value.eq_mask(T::from(0.0)),
        || repeated_product(x, n),
        || series::power(x, T::from(f64::from(n)), op.partial(x.value, y)),
    )
}

/// e12, e13.
#[inline]
fn real_power<T: Scalar, U: Unary, const K: usize>(
    op: U,
    x: &Taylor<T, K>,
    y: T,
    c: f64,
) -> [T; K] {
    if let Some(n) = num_traits::cast::<f64, i32>(c).filter(|n| f64::from(*n) == c) {
        return integer_power(op, x, y, n);
    }
    let away_from_zero = || series::power(x, T::from(c), op.partial(x.value, y));
    if c > 1.0 {
        // The first derivatives at 0 are 0, later ones infinite; the recurrence would divide 0 by 0.
        let at_zero = || series::composition(&binomial_series(x.value, c), &x.coefficients);
        series::choose(x.value.eq_mask(T::from(0.0)), at_zero, away_from_zero)
    } else {
        away_from_zero()
    }
}

/// The coefficients `binomial(c, k) x^(c - k)`, k = 1..=K.
fn binomial_series<T: Scalar, const K: usize>(x: T, c: f64) -> [T; K] {
    let (mut binomial, mut k) = (1.0, 0.0);
    array::from_fn(|_| {
        binomial *= (c - k) / (k + 1.0);
        k += 1.0;
        x.powf(c - k) * binomial
    })
}

/// The derivatives of orders 1..=K at `x`, divided by the factorials, of a rule whose derivatives are rules.
fn outer_coefficients<T: Scalar, const K: usize>(op: Op, x: T) -> Option<[T; K]> {
    let derivatives = match op {
        Op::Lgamma => polygammas(0, x),
        Op::Polygamma(n) => polygammas(n + 1, x),
        Op::SphJ0 => bessel_derivatives(0, x),
        Op::SphJ1 => bessel_derivatives(1, x),
        Op::SphJ2 => bessel_derivatives(2, x),
        Op::SphBessel(n) => bessel_derivatives(n, x),
        _ => return None,
    };
    let (mut order, mut factorial) = (0.0, 1.0);
    Some(derivatives.map(|d| {
        order += 1.0;
        factorial *= order;
        d * (1.0 / factorial)
    }))
}

/// The polygamma functions of orders `first`, `first + 1`, ...
fn polygammas<T: Scalar, const K: usize>(first: u32, x: T) -> [T; K] {
    let mut n = first;
    array::from_fn(|_| {
        let value = x.unary(Polygamma(n));
        n += 1;
        value
    })
}

/// The derivatives of j_n as combinations of j_m, |m - n| <= K, whose weights sum to at most 1 in magnitude.
///
/// Near 0 the lowest m dominates, so nothing cancels where the quotient sin(x)/x loses all digits.
fn bessel_derivatives<T: Scalar, const K: usize>(n: u32, x: T) -> [T; K] {
    // Offset m of the list stands for the order `lowest + m`.
    let mut reach = 0;
    let mut lowest = n;
    for _ in 0..K {
        reach += 1;
        lowest = lowest.saturating_sub(1);
    }
    let family: Vec<T> = (lowest..=n + reach)
        .map(|m| x.unary(SphBessel(m)))
        .collect();
    let mut weights: Vec<f64> = (lowest..=n + reach)
        .map(|m| f64::from(u8::from(m == n)))
        .collect();
    array::from_fn(|_| {
        let mut next = vec![0.0; weights.len()];
        let mut order = f64::from(lowest);
        for (m, weight) in weights.iter().enumerate() {
            let share = weight / (2.0 * order + 1.0);
            // At the ends the weight is 0, or the order 0 has no neighbour below.
            if m > 0 {
                next[m - 1] += share * order;
            }
            if let Some(above) = next.get_mut(m + 1) {
                *above -= share * (order + 1.0);
            }
            order += 1.0;
        }
        weights = next;
        let terms = weights.iter().zip(&family).filter(|(w, _)| **w != 0.0);
        terms
            .map(|(w, j)| *j * *w)
            .reduce(|sum, term| sum + term)
            .unwrap_or_else(T::structural_zero)
    })
}

/// Orders 1..=K of a function of two arguments, where `v` is the value.
#[inline]
pub(super) fn binary<T: Scalar, B: Binary, const K: usize>(
    op: B,
    x: &Taylor<T, K>,
    y: &Taylor<T, K>,
    v: T,
) -> [T; K] {
    let (a, b) = (&x.coefficients, &y.coefficients);
    match op.op() {
        Op::Add => series::fill(|_, k| a[k] + b[k]),
        Op::Sub => series::fill(|_, k| a[k] - b[k]),
        Op::Mul => series::product(x, y),
        Op::Div => series::quotient(a, y, v),
        Op::Pow => power(op, x, y, v),
        Op::Hypot => {
            let p = op.partial_lhs(x.value, y.value, v);
            let q = op.partial_rhs(x.value, y.value, v);
            series::euclidean_norm(&[*x, *y], &[p, q], v)
        }
        Op::Rem | Op::Copysign | Op::Max | Op::Min => {
            let p = op.partial_lhs(x.value, y.value, v);
            if B::RHS == Factor::Zero {
                return series::map(*a, |a| p * a);
            }
            let q = op.partial_rhs(x.value, y.value, v);
            series::fill(|_, k| if B::LHS == Factor::One { a[k] } else { p * a[k] } + q * b[k])
        }
        _ => {
            let value = Taylor::constant(v);
            let p = series::integral(&op.partial_lhs(*x, *y, value), a);
            let q = series::integral(&op.partial_rhs(*x, *y, value), b);
            series::fill(|_, k| p[k] + q[k])
        }
    }
}

/// e14, e15, e16: `exp(y ln x)` for positive `x`; else the exponent has derivatives only in the forms that the rule knows.
fn power<T: Scalar, B: Binary, const K: usize>(
    op: B,
    x: &Taylor<T, K>,
    y: &Taylor<T, K>,
    v: T,
) -> [T; K] {
    let zero = T::from(0.0);
    let positive = || {
        let exponent = *y * num_dual::DualNum::ln(x);
        series::exponential(&series::by_order(&exponent.coefficients), v)
    };
    let at_zero = || power_at_zero(op, x, y, K);
    let negative = || {
        let p = op.partial_lhs(x.value, y.value, v);
        let q = op.partial_rhs(x.value, y.value, v);
        let constant_exponent = series::power(x, y.value, p);
        series::fill(|_, k| constant_exponent[k] + q * y.coefficients[k])
    };
    // Also where the power underflows: its derivatives may be far from 0.
    let vanishes = x.value.eq_mask(zero) | (zero.lt_mask(x.value) & v.eq_mask(zero));
    series::choose(vanishes, at_zero, || {
        series::choose(zero.lt_mask(x.value), positive, negative)
    })
}

/// Integrates `y x^(y - 1) x' + q y'` where the power is 0 or `x` is, where the power below is computed the same way to one order less.
fn power_at_zero<T: Scalar, B: Binary, const K: usize>(
    op: B,
    x: &Taylor<T, K>,
    y: &Taylor<T, K>,
    orders: usize,
) -> [T; K] {
    if orders == 0 {
        return [T::structural_zero(); K];
    }
    let v = x.value.binary(op, y.value);
    let p0 = op.partial_lhs(x.value, y.value, v);
    let q0 = op.partial_rhs(x.value, y.value, v);
    let less = *y + -1.0;
    let lower = power_at_zero(op, x, &less, orders - 1);
    let lower = Taylor::new(x.value.binary(op, less.value), lower);
    let p = Taylor::new(p0, series::product(y, &lower));
    let p = series::integral(&p, &x.coefficients);
    series::fill(|_, k| p[k] + q0 * y.coefficients[k])
}

/// Orders 1..=K of a function of any number of arguments, where `values` are theirs and `v` is the function's.
pub(super) fn nary<T: Scalar, R: Nary, const K: usize>(
    rule: &R,
    args: &[Taylor<T, K>],
    values: &[T],
    v: T,
) -> [T; K] {
    let none = [T::structural_zero(); K];
    match rule.op() {
        Op::Sum => args.iter().fold(none, |sum, x| add(&sum, &x.coefficients)),
        Op::Dot => args.chunks_exact(2).fold(none, |sum, pair| {
            add(&sum, &series::product(&pair[0], &pair[1]))
        }),
        Op::SquaredNorm => args
            .iter()
            .fold(none, |sum, x| add(&sum, &series::square(x))),
        Op::MulAdd => match args {
            [x, y, z] => add(&series::product(x, y), &z.coefficients),
            _ => from_partials(rule, args, v),
        },
        Op::Prod => args
            .iter()
            .copied()
            .reduce(|p, x| p * x)
            .map_or(none, |product| product.coefficients),
        Op::Norm2 => {
            let partials: Short<T> = partials_of(rule, values, v)
                .into_iter()
                .map(|p| p.unwrap_or_else(T::structural_zero))
                .collect();
            series::euclidean_norm(args, &partials, v)
        }
        Op::MaxOf | Op::MinOf => locally_linear(rule, args, values, v),
        _ if rule.is_linear() => locally_linear(rule, args, values, v),
        _ => from_partials(rule, args, v),
    }
}

#[inline]
fn add<T: Scalar, const K: usize>(a: &[T; K], b: &[T; K]) -> [T; K] {
    series::fill(|_, k| a[k] + b[k])
}

fn partials_of<T: Scalar, R: Nary>(rule: &R, x: &[T], y: T) -> Short<Option<T>> {
    let mut partials: Short<Option<T>> = Short::from_elem(None, x.len());
    rule.partials(x, y, &mut partials);
    partials
}

/// The partials are numbers, whatever the order.
fn locally_linear<T: Scalar, R: Nary, const K: usize>(
    rule: &R,
    args: &[Taylor<T, K>],
    values: &[T],
    v: T,
) -> [T; K] {
    let partials = partials_of(rule, values, v);
    let terms = args
        .iter()
        .zip(partials)
        .filter_map(|(x, p)| p.map(|p| series::map(x.coefficients, |x| p * x)));
    terms
        .reduce(|sum, term| add(&sum, &term))
        .unwrap_or([T::structural_zero(); K])
}

/// Integrates the partials, evaluated in series arithmetic.
///
/// A custom rule may use its own value in its partials. Each pass gives one more order of the value, so K passes give
/// all; the rules of this crate use the value for their domain only and need one.
fn from_partials<T: Scalar, R: Nary, const K: usize>(
    rule: &R,
    args: &[Taylor<T, K>],
    v: T,
) -> [T; K] {
    let passes = if rule.op() == Op::Custom { K } else { 1 };
    let mut value = Taylor::constant(v);
    for _ in 0..passes {
        let partials = partials_of(rule, args, value);
        let terms = args
            .iter()
            .zip(partials)
            .filter_map(|(x, p)| p.map(|p| series::integral(&p, &x.coefficients)));
        value.coefficients = terms
            .reduce(|sum, term| add(&sum, &term))
            .unwrap_or([T::structural_zero(); K]);
    }
    value.coefficients
}
