//! Elementary operations as data: the node labels of recorded programs, operation counts and reports.

use std::fmt;

/// An elementary operation with its constant parameters.
///
/// The enumeration is the list of everything that [`Scalar`](crate::Scalar) can do; adding an operation without adding
/// its row to the conformance table of the tests does not compile.
///
/// ```
/// use wengert::elementary::Op;
/// assert_eq!(Op::Powi(3).to_string(), "powi(3)");
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs)] // The names are the methods of `Scalar` and `DualNum`, which are documented there.
pub enum Op {
    // One argument.
    Neg,
    Recip,
    AddConst(f64),
    MulConst(f64),
    DivConst(f64),
    RemConst(f64),
    Exp,
    Exp2,
    ExpM1,
    Ln,
    Log(f64),
    Log2,
    Log10,
    Ln1p,
    Sqrt,
    Cbrt,
    Powi(i32),
    Powf(f64),
    Sin,
    Cos,
    Tan,
    Asin,
    Acos,
    Atan,
    Sinh,
    Cosh,
    Tanh,
    Asinh,
    Acosh,
    Atanh,
    SechSquared,
    Logistic,
    Softplus,
    Erf,
    Erfc,
    Lgamma,
    Polygamma(u32),
    SphJ0,
    SphJ1,
    SphJ2,
    SphBessel(u32),
    Abs,
    Sign0,
    SignBit,
    Signum,
    Floor,
    Ceil,
    Round,
    Trunc,
    // Two arguments.
    Add,
    Sub,
    Mul,
    Div,
    Rem,
    Pow,
    Atan2,
    Hypot,
    Copysign,
    Xlogy,
    LogAddExp,
    Max,
    Min,
    // Any number of arguments.
    MulAdd,
    Sum,
    Dot,
    Prod,
    Norm2,
    SquaredNorm,
    LogSumExp,
    MaxOf,
    MinOf,
    Select,
    Custom,
}

impl Op {
    /// The name of the operation, without its parameters.
    ///
    /// **Cost**: O(1).
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Neg => "neg",
            Self::Recip => "recip",
            Self::AddConst(_) => "add_const",
            Self::MulConst(_) => "mul_const",
            Self::DivConst(_) => "div_const",
            Self::RemConst(_) => "rem_const",
            Self::Exp => "exp",
            Self::Exp2 => "exp2",
            Self::ExpM1 => "exp_m1",
            Self::Ln => "ln",
            Self::Log(_) => "log",
            Self::Log2 => "log2",
            Self::Log10 => "log10",
            Self::Ln1p => "ln_1p",
            Self::Sqrt => "sqrt",
            Self::Cbrt => "cbrt",
            Self::Powi(_) => "powi",
            Self::Powf(_) => "powf",
            Self::Sin => "sin",
            Self::Cos => "cos",
            Self::Tan => "tan",
            Self::Asin => "asin",
            Self::Acos => "acos",
            Self::Atan => "atan",
            Self::Sinh => "sinh",
            Self::Cosh => "cosh",
            Self::Tanh => "tanh",
            Self::Asinh => "asinh",
            Self::Acosh => "acosh",
            Self::Atanh => "atanh",
            Self::SechSquared => "sech_squared",
            Self::Logistic => "logistic",
            Self::Softplus => "softplus",
            Self::Erf => "erf",
            Self::Erfc => "erfc",
            Self::Lgamma => "lgamma",
            Self::Polygamma(_) => "polygamma",
            Self::SphJ0 => "sph_j0",
            Self::SphJ1 => "sph_j1",
            Self::SphJ2 => "sph_j2",
            Self::SphBessel(_) => "sph_bessel",
            Self::Abs => "abs",
            Self::Sign0 => "sign0",
            Self::SignBit => "sign_bit",
            Self::Signum => "signum",
            Self::Floor => "floor",
            Self::Ceil => "ceil",
            Self::Round => "round",
            Self::Trunc => "trunc",
            Self::Add => "add",
            Self::Sub => "sub",
            Self::Mul => "mul",
            Self::Div => "div",
            Self::Rem => "rem",
            Self::Pow => "pow",
            Self::Atan2 => "atan2",
            Self::Hypot => "hypot",
            Self::Copysign => "copysign",
            Self::Xlogy => "xlogy",
            Self::LogAddExp => "log_add_exp",
            Self::Max => "max",
            Self::Min => "min",
            Self::MulAdd => "mul_add",
            Self::Sum => "sum",
            Self::Dot => "dot",
            Self::Prod => "prod",
            Self::Norm2 => "norm2",
            Self::SquaredNorm => "squared_norm",
            Self::LogSumExp => "log_sum_exp",
            Self::MaxOf => "max_of",
            Self::MinOf => "min_of",
            Self::Select => "select",
            Self::Custom => "custom",
        }
    }

    /// The bits of the parameter, 0 without one: with the name they identify the operation.
    pub(crate) fn parameter_bits(self) -> u64 {
        match self {
            Self::AddConst(c)
            | Self::MulConst(c)
            | Self::DivConst(c)
            | Self::RemConst(c)
            | Self::Log(c)
            | Self::Powf(c) => c.to_bits(),
            Self::Powi(n) => u64::from(n.cast_unsigned()),
            Self::Polygamma(n) | Self::SphBessel(n) => u64::from(n),
            _ => 0,
        }
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::AddConst(c) | Self::MulConst(c) | Self::DivConst(c) | Self::RemConst(c) => {
                write!(f, "({c})")
            }
            Self::Log(c) | Self::Powf(c) => write!(f, "({c})"),
            Self::Powi(n) => write!(f, "({n})"),
            Self::Polygamma(n) | Self::SphBessel(n) => write!(f, "({n})"),
            _ => Ok(()),
        }
    }
}

/// How a truncated Taylor series passes through a function of one argument.
///
/// **Source**: Griewank & Walther 2008, §13.2 (tables 13.1 and 13.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Series {
    /// A linear function: coefficients are scaled by the partial.
    Linear,
    /// The partial depends on the argument through other functions: `y' = p(x) x'` is integrated.
    Integrate,
    /// A recurrence of the function's own, selected by its [`Op`].
    Recurrence,
    /// All derivatives at the expansion point are known: the outer series is composed with the inner one.
    Compose,
}
