//! From an operation as data back to its rule: how recorded programs read the table.

use super::*;

/// Calls a macro with every function of one argument: the pattern of its [`Op`] and its rule.
macro_rules! with_unary {
    ($op:expr, $rule:ident => $body:expr, else $other:expr) => {
        with_unary!(@units $op, $rule => $body, else $other;
            Neg Recip Exp Exp2 ExpM1 Ln Log2 Log10 Ln1p Sqrt Cbrt Sin Cos Tan Asin Acos Atan Sinh Cosh Tanh Asinh Acosh
            Atanh SechSquared Logistic Softplus Erf Erfc Lgamma SphJ0 SphJ1 SphJ2 Abs Sign0 SignBit Signum Floor Ceil
            Round Trunc)
    };
    (@units $op:expr, $rule:ident => $body:expr, else $other:expr; $($unit:ident)*) => {
        match $op {
            $(Op::$unit => { let $rule = $unit; $body })*
            Op::AddConst(c) => { let $rule = AddConst(c); $body }
            Op::MulConst(c) => { let $rule = MulConst(c); $body }
            Op::DivConst(c) => { let $rule = DivConst(c); $body }
            Op::RemConst(c) => { let $rule = RemConst(c); $body }
            Op::Log(base) => { let $rule = Log(base); $body }
            Op::Powi(n) => { let $rule = Powi(n); $body }
            Op::Powf(c) => { let $rule = Powf(c); $body }
            Op::Polygamma(n) => { let $rule = Polygamma(n); $body }
            Op::SphBessel(n) => { let $rule = SphBessel(n); $body }
            _ => $other,
        }
    };
}

/// Calls a macro with every function of two arguments.
macro_rules! with_binary {
    ($op:expr, $rule:ident => $body:expr, else $other:expr) => {
        with_binary!(@units $op, $rule => $body, else $other;
            Add Add, Sub Sub, Mul Mul, Div Div, Rem Rem, Pow Pow, Atan2 Atan2, Hypot Hypot, Copysign Copysign,
            Xlogy Xlogy, LogAddExp LogAddExp)
    };
    (@units $op:expr, $rule:ident => $body:expr, else $other:expr; $($unit:ident $type:ident),*) => {
        match $op {
            $(Op::$unit => { let $rule = $type; $body })*
            _ => $other,
        }
    };
}

/// Calls a macro with every function of any number of arguments.
macro_rules! with_nary {
    ($op:expr, $rule:ident => $body:expr, else $other:expr) => {
        with_nary!(@units $op, $rule => $body, else $other;
            MulAdd Sum Dot Prod Norm2 SquaredNorm LogSumExp MaxOf MinOf)
    };
    (@units $op:expr, $rule:ident => $body:expr, else $other:expr; $($unit:ident)*) => {
        match $op {
            $(Op::$unit => { let $rule = $unit; $body })*
            _ => $other,
        }
    };
}

/// Applies an operation to its arguments, or gives `None` for [`Op::Custom`] and [`Op::Select`], which need more than that.
pub(crate) fn apply<S: Scalar>(op: Op, args: &[S]) -> Option<S> {
    with_unary!(op, rule => return Some(args[0].unary(rule)), else {});
    with_binary!(op, rule => return Some(args[0].binary(rule, args[1])), else {});
    with_nary!(op, rule => return Some(S::nary(&rule, args)), else {});
    match op {
        Op::Max => Some(Scalar::max(args[0], args[1])),
        Op::Min => Some(Scalar::min(args[0], args[1])),
        _ => None,
    }
}
