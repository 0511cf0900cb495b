//! [`Scalar`] for num-dual's own number types, so that functions written against this crate also run on them.
//!
//! What num-dual implements is forwarded to it; here these types serve as an independent oracle of our rules. What it
//! lacks (`erf_`, `lgamma`, `logistic`, `hypot`, ...) is composed exactly: with `d = x - re(x)`, which is nilpotent, the
//! result is the Taylor polynomial in `d` whose coefficients come from our own [`Dual`].
//!
//! Invariant: every derivative part is that of num-dual's truncated algebra. Values are num-dual's: these types are
//! exempt from R1, and from the conventions of `EDGE_CASES.md` where num-dual has its own (`tanh(1000)` is NaN).
//! Source: num-dual 0.15.1; Rehner & Bauer 2021 (hyper-dual numbers in `num-dual`).

use num_dual::{
    Derivative, Dual2SVec, DualNum, DualSVec, DualStruct, HyperDual, HyperDualVec, HyperHyperDual,
    Real,
};

use super::Dual;
use crate::elementary::{Binary, Nary, Op, Unary};
use crate::scalar::{Scalar, ScalarFunction, Short};

/// Squared norms in this range have neither over- nor underflowed.
const SAFE_SQUARES: std::ops::RangeInclusive<f64> = 1e-280..=1e280;

/// A derivative part of a num-dual type: a number, or an optional matrix of numbers.
trait Part {
    fn is_finite(&self) -> bool;
}

impl<T: Scalar> Part for T {
    fn is_finite(&self) -> bool {
        self.is_all_finite()
    }
}

impl<T: Scalar, const R: usize, const C: usize> Part
    for Derivative<T, nalgebra::Const<R>, nalgebra::Const<C>>
{
    fn is_finite(&self) -> bool {
        self.0
            .as_ref()
            .is_none_or(|part| part.iter().all(Scalar::is_all_finite))
    }
}

/// What the composition needs to know of a num-dual type over `T`.
trait Nilpotent<T>: DualNum<Primitive = f64, InnerDual = T> + Copy {
    /// The smallest order at which every power of a purely dual number vanishes, minus one.
    const ORDER: usize;
    fn inner(&self) -> T;
    fn with_inner(self, inner: T) -> Self;
}

/// A rule of one argument as a function object.
struct UnaryFunction<U>(U);

impl<U: Unary> ScalarFunction for UnaryFunction<U> {
    fn call<S: Scalar>(&self, x: &[S]) -> S {
        x[0].unary(self.0)
    }
}

/// A rule of two arguments as a function object.
struct BinaryFunction<B>(B);

impl<B: Binary> ScalarFunction for BinaryFunction<B> {
    fn call<S: Scalar>(&self, x: &[S]) -> S {
        x[0].binary(self.0, x[1])
    }
}

/// A rule of any number of arguments as a function object.
struct NaryFunction<'rule, R>(&'rule R);

impl<R: Nary> ScalarFunction for NaryFunction<'_, R> {
    fn call<S: Scalar>(&self, x: &[S]) -> S {
        S::nary(self.0, x)
    }
}

/// The Taylor polynomial of `f` in the dual parts of its arguments, which is exact: their higher powers vanish.
///
/// **Shape**: `n` arguments. **Cost**: one evaluation per partial derivative: n + n(n+1)/2 + n(n+1)(n+2)/6 for order 3.
fn compose<D, T, F>(f: &F, args: &[D]) -> D
where
    D: Nilpotent<T>,
    T: Scalar,
    F: ScalarFunction,
{
    let x: Short<T> = args.iter().map(Nilpotent::inner).collect();
    let d: Short<D> = args.iter().map(|x| x.with_inner(T::from(0.0))).collect();
    let value = f.call(&x);
    let mut y = D::from_re(value);
    for i in 0..x.len() {
        if D::ORDER >= 1 {
            y += d[i].scale(&first_partial(f, &x, i));
        }
        for j in i..x.len() {
            if D::ORDER >= 2 {
                let weight = if i == j { 0.5 } else { 1.0 };
                y += (d[i] * d[j]).scale(&(second_partial(f, &x, i, j) * weight));
            }
            for k in j..x.len() {
                if D::ORDER >= 3 {
                    let weight = match (i == j, j == k) {
                        (true, true) => 1.0 / 6.0,
                        (true, false) | (false, true) => 0.5,
                        (false, false) => 1.0,
                    };
                    y += (d[i] * d[j] * d[k]).scale(&(third_partial(f, &x, i, j, k) * weight));
                }
            }
        }
    }
    // The terms have value 0, except that an infinite coefficient would have made it NaN.
    y.with_inner(value)
}

/// The arguments one level up, with tangent 1 in one of them.
fn seed<T: Scalar>(x: &[T], active: usize) -> Short<Dual<T>> {
    let seeded = |(i, x): (usize, &T)| match i == active {
        true => Dual::new(*x, T::from(1.0)),
        false => Dual::constant(*x),
    };
    x.iter().enumerate().map(seeded).collect()
}

fn first_partial<T: Scalar, F: ScalarFunction>(f: &F, x: &[T], i: usize) -> T {
    f.call(&seed(x, i)).tangent
}

fn second_partial<T: Scalar, F: ScalarFunction>(f: &F, x: &[T], i: usize, j: usize) -> T {
    f.call(&seed(&seed(x, i), j)).tangent.tangent
}

fn third_partial<T: Scalar, F: ScalarFunction>(f: &F, x: &[T], i: usize, j: usize, k: usize) -> T {
    f.call(&seed(&seed(&seed(x, i), j), k))
        .tangent
        .tangent
        .tangent
}

/// num-dual's own function, if it has the operation.
fn own_unary<D: DualNum<Primitive = f64> + Copy>(x: D, op: Op) -> Option<D> {
    Some(match op {
        Op::Neg => -x,
        Op::Recip => x.recip(),
        Op::AddConst(c) => x + c,
        Op::MulConst(c) => x * c,
        Op::DivConst(c) => x / c,
        Op::Exp => x.exp(),
        Op::Exp2 => x.exp2(),
        Op::ExpM1 => x.exp_m1(),
        Op::Ln => x.ln(),
        Op::Log(base) => x.log(base),
        Op::Log2 => x.log2(),
        Op::Log10 => x.log10(),
        Op::Ln1p => x.ln_1p(),
        Op::Sqrt => x.sqrt(),
        Op::Cbrt => x.cbrt(),
        Op::Powi(n) => x.powi(n),
        Op::Powf(n) => x.powf(n),
        Op::Sin => x.sin(),
        Op::Cos => x.cos(),
        Op::Tan => x.tan(),
        Op::Asin => x.asin(),
        Op::Acos => x.acos(),
        Op::Atan => x.atan(),
        Op::Sinh => x.sinh(),
        Op::Cosh => x.cosh(),
        Op::Tanh => x.tanh(),
        Op::Asinh => x.asinh(),
        Op::Acosh => x.acosh(),
        Op::Atanh => x.atanh(),
        Op::SphJ0 => x.sph_j0(),
        Op::SphJ1 => x.sph_j1(),
        Op::SphJ2 => x.sph_j2(),
        Op::Abs => x.abs(),
        // `%` of num-dual is not implemented; the rest it does not have.
        _ => return None,
    })
}

/// num-dual's own function, if it has the operation.
fn own_binary<D: DualNum<Primitive = f64> + Copy>(x: D, op: Op, y: D) -> Option<D> {
    Some(match op {
        Op::Add => x + y,
        Op::Sub => x - y,
        Op::Mul => x * y,
        Op::Div => x / y,
        Op::Pow => x.powd(y),
        Op::Atan2 => x.atan2(y),
        _ => return None,
    })
}

/// The definition in num-dual's operations, where it has one that is right at these values.
fn own_nary<D: DualNum<Primitive = f64> + Copy>(op: Op, x: &[D]) -> Option<D> {
    let sum = |terms: &mut dyn Iterator<Item = D>| {
        terms
            .reduce(|sum, x| sum + x)
            .unwrap_or_else(|| D::from(-0.0))
    };
    let product = |product: D, x: &D| product * *x;
    Some(match op {
        Op::MulAdd => x[0].mul_add(x[1], x[2]),
        Op::Sum => sum(&mut x.iter().copied()),
        Op::Dot => sum(&mut x.chunks_exact(2).map(|pair| pair[0] * pair[1])),
        Op::SquaredNorm => sum(&mut x.iter().map(|x| *x * *x)),
        Op::Prod => x.iter().fold(D::from(1.0), product),
        Op::Norm2 => {
            let squares = sum(&mut x.iter().map(|x| *x * *x));
            if !SAFE_SQUARES.contains(&squares.re()) {
                return None;
            }
            squares.sqrt()
        }
        Op::LogSumExp => {
            let shift = x.iter().fold(f64::NEG_INFINITY, |m, x| m.max(x.re()));
            if !shift.is_finite() {
                return None;
            }
            sum(&mut x.iter().map(|x| (*x - shift).exp())).ln() + shift
        }
        _ => return None,
    })
}

macro_rules! num_dual_scalar {
    ([$($param:tt)*] $name:ty, order $order:literal, parts $($part:ident),*) => {
        impl<$($param)*> Nilpotent<T> for $name {
            const ORDER: usize = $order;
            #[inline]
            fn inner(&self) -> T {
                self.re
            }
            #[inline]
            fn with_inner(mut self, inner: T) -> Self {
                self.re = inner;
                self
            }
        }

        impl<$($param)*> Scalar for $name {
            type Mask = bool;

            fn unary<U: Unary>(self, op: U) -> Self {
                own_unary(self, op.op()).unwrap_or_else(|| compose(&UnaryFunction(op), &[self]))
            }
            fn binary<B: Binary>(self, op: B, rhs: Self) -> Self {
                own_binary(self, op.op(), rhs)
                    .unwrap_or_else(|| compose(&BinaryFunction(op), &[self, rhs]))
            }
            fn nary<R: Nary>(rule: &R, args: &[Self]) -> Self {
                own_nary(rule.op(), args).unwrap_or_else(|| compose(&NaryFunction(rule), args))
            }
            #[inline]
            fn lt_mask(self, rhs: Self) -> bool {
                self.re() < rhs.re()
            }
            #[inline]
            fn le_mask(self, rhs: Self) -> bool {
                self.re() <= rhs.re()
            }
            #[inline]
            fn eq_mask(self, rhs: Self) -> bool {
                self.re() == rhs.re()
            }
            #[inline]
            fn select(mask: bool, a: Self, b: Self) -> Self {
                if mask { a } else { b }
            }
            fn is_all_finite(&self) -> bool {
                self.re.is_all_finite() $(&& Part::is_finite(&self.$part))*
            }
        }
    };
}

num_dual_scalar!([T: Scalar] Real<T>, order 0, parts);
num_dual_scalar!([T: Scalar] num_dual::Dual<T>, order 1, parts eps);
num_dual_scalar!([T: Scalar] num_dual::Dual2<T>, order 2, parts v1, v2);
num_dual_scalar!([T: Scalar] num_dual::Dual3<T>, order 3, parts v1, v2, v3);
num_dual_scalar!([T: Scalar] HyperDual<T>, order 2, parts eps1, eps2, eps1eps2);
num_dual_scalar!(
    [T: Scalar] HyperHyperDual<T>, order 3,
    parts eps1, eps2, eps3, eps1eps2, eps1eps3, eps2eps3, eps1eps2eps3
);
num_dual_scalar!([T: Scalar, const N: usize] DualSVec<T, N>, order 1, parts eps);
num_dual_scalar!([T: Scalar, const N: usize] Dual2SVec<T, N>, order 2, parts v1, v2);
num_dual_scalar!(
    [T: Scalar, const M: usize, const N: usize]
    HyperDualVec<T, nalgebra::Const<M>, nalgebra::Const<N>>, order 2, parts eps1, eps2, eps1eps2
);
