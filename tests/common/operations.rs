//! The one list of all operations, with their names in the public interface.
//!
//! Invariant: `apply` matches every variant of `Op` without a wildcard and the list of instances is written in the same
//! rows, so an operation that is added without its row does not compile.

use wengert::elementary::{self as rules, CustomRule, Op};
use wengert::{Scalar, ScalarFunction};

/// Builds [`apply`] and [`operations`] from rows `arity Variant(parameter in [instances]) => expression`.
macro_rules! operations {
    (|$x:ident| $($arity:literal $variant:ident $(($param:ident in $instances:tt))? => $body:expr;)*) => {
        /// The operation by its name in the public interface.
        pub fn apply<S: Scalar>(op: Op, $x: &[S]) -> S {
            match op {
                $(Op::$variant $(($param))? => $body,)*
            }
        }

        /// Every operation, with its parameters if it has any, and the number of arguments to test it with.
        pub fn operations() -> Vec<(Op, usize)> {
            let rows = [$(operations!(@instances $arity $variant $($instances)?)),*];
            rows.concat()
        }
    };
    (@instances $arity:literal $variant:ident) => {
        vec![(Op::$variant, $arity)]
    };
    (@instances $arity:literal $variant:ident [$($value:expr),*]) => {
        vec![$((Op::$variant($value), $arity)),*]
    };
}

operations! { |x|
    1 Neg => -x[0];
    1 Recip => x[0].recip();
    1 AddConst(c in [0.75, -3.0]) => x[0] + c;
    1 MulConst(c in [0.75, -3.0]) => x[0] * c;
    1 DivConst(c in [0.75, -3.0]) => x[0] / c;
    1 RemConst(c in [0.75, -3.0]) => x[0].unary(rules::RemConst(c));
    1 Exp => x[0].exp();
    1 Exp2 => x[0].exp2();
    1 ExpM1 => x[0].exp_m1();
    1 Ln => x[0].ln();
    1 Log(base in [3.0]) => x[0].log(base);
    1 Log2 => x[0].log2();
    1 Log10 => x[0].log10();
    1 Ln1p => x[0].ln_1p();
    1 Sqrt => x[0].sqrt();
    1 Cbrt => x[0].cbrt();
    1 Powi(n in [-3, -1, 0, 1, 2, 3, 7]) => x[0].powi(n);
    1 Powf(n in [-1.5, 0.5, 1.0, 2.0, 2.5]) => x[0].powf(n);
    1 Sin => x[0].sin();
    1 Cos => x[0].cos();
    1 Tan => x[0].tan();
    1 Asin => x[0].asin();
    1 Acos => x[0].acos();
    1 Atan => x[0].atan();
    1 Sinh => x[0].sinh();
    1 Cosh => x[0].cosh();
    1 Tanh => x[0].tanh();
    1 Asinh => x[0].asinh();
    1 Acosh => x[0].acosh();
    1 Atanh => x[0].atanh();
    1 SechSquared => x[0].unary(rules::SechSquared);
    1 Logistic => x[0].logistic();
    1 Softplus => x[0].softplus();
    1 Erf => x[0].erf_();
    1 Erfc => x[0].erfc_();
    1 Lgamma => x[0].lgamma();
    1 Polygamma(n in [0, 1]) => x[0].polygamma(n);
    1 SphJ0 => x[0].sph_j0();
    1 SphJ1 => x[0].sph_j1();
    1 SphJ2 => x[0].sph_j2();
    1 SphBessel(n in [0, 1, 2]) => x[0].unary(rules::SphBessel(n));
    1 Abs => x[0].abs();
    1 Sign0 => x[0].unary(rules::Sign0);
    1 SignBit => x[0].unary(rules::SignBit);
    1 Signum => x[0].unary(rules::Signum);
    1 Floor => x[0].floor();
    1 Ceil => x[0].ceil();
    1 Round => x[0].round();
    1 Trunc => x[0].trunc();
    2 Add => x[0] + x[1];
    2 Sub => x[0] - x[1];
    2 Mul => x[0] * x[1];
    2 Div => x[0] / x[1];
    2 Rem => x[0].binary(rules::Rem, x[1]);
    2 Pow => x[0].powd(x[1]);
    2 Atan2 => x[0].atan2(x[1]);
    2 Hypot => x[0].hypot(x[1]);
    2 Copysign => Scalar::copysign(x[0], x[1]);
    2 Xlogy => x[0].xlogy(x[1]);
    2 LogAddExp => x[0].log_add_exp(x[1]);
    2 Max => Scalar::max(x[0], x[1]);
    2 Min => Scalar::min(x[0], x[1]);
    3 MulAdd => x[0].mul_add(x[1], x[2]);
    3 Sum => S::sum_of(x.iter().copied());
    4 Dot => S::dot_of([(x[0], x[1]), (x[2], x[3])]);
    3 Prod => S::prod_of(x.iter().copied());
    3 Norm2 => S::norm2_of(x.iter().copied());
    3 SquaredNorm => S::squared_norm_of(x.iter().copied());
    3 LogSumExp => S::log_sum_exp_of(x.iter().copied());
    3 MaxOf => S::max_of(x);
    3 MinOf => S::min_of(x);
    3 Select => S::select(x[0].lt_mask(x[1]), x[1] * x[1], x[2]);
    2 Custom => S::custom(&SquareTimes, x);
}

/// An operation as a function object.
#[derive(Clone, Copy)]
pub struct Apply(pub Op);

impl ScalarFunction for Apply {
    fn call<S: Scalar>(&self, x: &[S]) -> S {
        apply(self.0, x)
    }
}

/// `x^2 y` as a custom rule.
#[derive(Clone)]
pub struct SquareTimes;

impl CustomRule for SquareTimes {
    fn value(&self, x: &[f64]) -> f64 {
        x[0] * x[0] * x[1]
    }
    fn partials<T: Scalar>(&self, x: &[T], _: T, out: &mut [Option<T>]) {
        out[0] = Some(x[0] * x[1] * 2.0);
        out[1] = Some(x[0] * x[0]);
    }
}
