//! From an operation as data back to its rule: how recorded programs read the table.

use super::*;
use crate::scalar::Mask;

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

/// The value of an operation.
pub(crate) fn value(op: Op, args: &[f64]) -> f64 {
    with_unary!(op, rule => return rule.value(args[0]), else {});
    with_binary!(op, rule => return rule.value(args[0], args[1]), else {});
    with_nary!(op, rule => return rule.value(args), else {});
    match op {
        Op::Max => larger(args[0], args[1]),
        Op::Min => smaller(args[0], args[1]),
        // A selection and a custom rule are kinds of nodes, not rows of the table.
        _ => f64::NAN,
    }
}

/// Writes the partials of an operation at `args`, where `y` is its value; entries left `None` are structural zeros.
pub(crate) fn partials<S: Scalar>(op: Op, args: &[S], y: S, out: &mut [Option<S>]) {
    with_unary!(op, rule => return unary_partial(rule, args[0], y, out), else {});
    with_binary!(op, rule => return binary_partials(rule, args[0], args[1], y, out), else {});
    with_nary!(op, rule => return rule.partials(args, y, out), else {});
    if matches!(op, Op::Max | Op::Min) {
        extremum_partials(op, args[0], args[1], y, out);
    }
}

/// The tangent of an operation on two arguments that both have one, if its rule [shares](Binary::SHARES).
pub(crate) fn shared_tangent<S: Scalar>(op: Op, point: [S; 3], dx: S, dy: S) -> Option<S> {
    with_binary!(op, rule => shares(rule).map(|rule| rule.tangent(point, dx, dy)), else None)
}

/// What the adjoint `w` of an operation adds to that of its left argument and takes from that of its right, if its rule
/// [shares](Binary::SHARES).
pub(crate) fn shared_adjoints<S: Scalar>(op: Op, point: [S; 3], w: S) -> Option<(S, S)> {
    with_binary!(op, rule => shares(rule).map(|rule| rule.adjoints(point, w)), else None)
}

fn shares<B: Binary>(rule: B) -> Option<B> {
    B::SHARES.then_some(rule)
}

fn unary_partial<S: Scalar, U: Unary>(rule: U, x: S, y: S, out: &mut [Option<S>]) {
    out[0] = (rule.factor() != Factor::Zero).then(|| rule.partial(x, y));
}

fn binary_partials<S: Scalar, B: Binary>(rule: B, x: S, y: S, v: S, out: &mut [Option<S>]) {
    out[0] = (B::LHS != Factor::Zero).then(|| rule.partial_lhs(x, y, v));
    out[1] = (B::RHS != Factor::Zero).then(|| rule.partial_rhs(x, y, v));
}

/// 1 for the argument that is the extremum, 1/2 for each at a tie, NaN where both are NaN (e02, e03).
fn extremum_partials<S: Scalar>(op: Op, x: S, y: S, v: S, out: &mut [Option<S>]) {
    let (x_wins, y_wins) = match op {
        Op::Max => (y.lt_mask(x), x.lt_mask(y)),
        _ => (x.lt_mask(y), y.lt_mask(x)),
    };
    let (x_is_number, y_is_number) = (x.eq_mask(x), y.eq_mask(y));
    let takes = [
        x_wins | (x_is_number & !y_is_number),
        y_wins | (y_is_number & !x_is_number),
    ];
    let tied = in_domain(v, S::from(0.5));
    for (entry, out) in out.iter_mut().enumerate() {
        let (this, other) = (takes[entry], takes[1 - entry]);
        *out = match other.decided() {
            Some(true) => None,
            _ => Some(S::select(
                this,
                S::from(1.0),
                S::select(other, S::structural_zero(), tied),
            )),
        };
    }
}
