//! Elementary operations as data: the node labels of recorded programs, operation counts and reports.

use std::fmt;

/// The list of all operations, by the number of their arguments: what is not here does not exist.
macro_rules! operations {
    (
        unary { $($unary:ident $(($unary_parameter:ty))? = $unary_name:literal,)* }
        binary { $($binary:ident = $binary_name:literal,)* }
        nary { $($nary:ident = $nary_name:literal,)* }
    ) => {
        /// An elementary operation with its constant parameters.
        ///
        /// The enumeration is the list of everything that [`Scalar`](crate::Scalar) can do; adding an operation without
        /// adding its row to the conformance table of the tests does not compile.
        ///
        /// ```
        /// use wengert::elementary::Op;
        /// assert_eq!(Op::Powi(3).to_string(), "powi(3)");
        /// assert_eq!(Op::parse("powi(3)"), Some(Op::Powi(3)));
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq)]
        #[allow(missing_docs)] // The names are the methods of `Scalar` and `DualNum`, which are documented there.
        pub enum Op {
            $($unary $(($unary_parameter))?,)*
            $($binary,)*
            $($nary,)*
        }

        impl Op {
            /// The name of the operation, without its parameters.
            ///
            /// **Cost**: O(1).
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$unary { .. } => $unary_name,)*
                    $(Self::$binary => $binary_name,)*
                    $(Self::$nary => $nary_name,)*
                }
            }

            /// Whether the operation can have this number of arguments.
            pub(crate) const fn takes(self, arguments: usize) -> bool {
                match self {
                    $(Self::$unary { .. })|* => arguments == 1,
                    $(Self::$binary)|* => arguments == 2,
                    Self::MulAdd | Self::Select => arguments == 3,
                    Self::Dot => arguments.is_multiple_of(2),
                    _ => true,
                }
            }

            /// The operation of this name with this parameter; `None` if there is none or the parameter does not fit.
            pub(crate) fn from_parts(name: &str, parameter: Option<f64>) -> Option<Self> {
                match (name, parameter) {
                    $(operations!(@pattern $unary_name parameter $($unary_parameter)?) =>
                        operations!(@make $unary parameter $($unary_parameter)?),)*
                    $(($binary_name, None) => Some(Self::$binary),)*
                    $(($nary_name, None) => Some(Self::$nary),)*
                    _ => None,
                }
            }

            /// All operations, with these parameters where one is needed.
            #[cfg(test)]
            pub(crate) fn all(parameter: f64) -> Vec<Self> {
                let units = [$($unary_name,)* $($binary_name,)* $($nary_name,)*];
                let operation = |name: &&str| {
                    Self::from_parts(name, None).or_else(|| Self::from_parts(name, Some(parameter)))
                };
                units.iter().map(|name| operation(name).expect("it is on the list")).collect()
            }
        }
    };
    (@pattern $name:literal $parameter:ident) => { ($name, None) };
    (@pattern $name:literal $parameter:ident $type:ty) => { ($name, Some($parameter)) };
    (@make $variant:ident $parameter:ident) => { Some(Self::$variant) };
    (@make $variant:ident $parameter:ident $type:ty) => { <$type>::exact($parameter).map(Self::$variant) };
}

operations! {
    unary {
        Neg = "neg",
        Recip = "recip",
        AddConst(f64) = "add_const",
        MulConst(f64) = "mul_const",
        DivConst(f64) = "div_const",
        RemConst(f64) = "rem_const",
        Exp = "exp",
        Exp2 = "exp2",
        ExpM1 = "exp_m1",
        Ln = "ln",
        Log(f64) = "log",
        Log2 = "log2",
        Log10 = "log10",
        Ln1p = "ln_1p",
        Sqrt = "sqrt",
        Cbrt = "cbrt",
        Powi(i32) = "powi",
        Powf(f64) = "powf",
        Sin = "sin",
        Cos = "cos",
        Tan = "tan",
        Asin = "asin",
        Acos = "acos",
        Atan = "atan",
        Sinh = "sinh",
        Cosh = "cosh",
        Tanh = "tanh",
        Asinh = "asinh",
        Acosh = "acosh",
        Atanh = "atanh",
        SechSquared = "sech_squared",
        Logistic = "logistic",
        Softplus = "softplus",
        Erf = "erf",
        Erfc = "erfc",
        Lgamma = "lgamma",
        Polygamma(u32) = "polygamma",
        SphJ0 = "sph_j0",
        SphJ1 = "sph_j1",
        SphJ2 = "sph_j2",
        SphBessel(u32) = "sph_bessel",
        Abs = "abs",
        Sign0 = "sign0",
        SignBit = "sign_bit",
        Signum = "signum",
        Floor = "floor",
        Ceil = "ceil",
        Round = "round",
        Trunc = "trunc",
    }
    binary {
        Add = "add",
        Sub = "sub",
        Mul = "mul",
        Div = "div",
        Rem = "rem",
        Pow = "pow",
        Atan2 = "atan2",
        Hypot = "hypot",
        Copysign = "copysign",
        Xlogy = "xlogy",
        LogAddExp = "log_add_exp",
        Max = "max",
        Min = "min",
    }
    nary {
        MulAdd = "mul_add",
        Sum = "sum",
        Dot = "dot",
        Prod = "prod",
        Norm2 = "norm2",
        SquaredNorm = "squared_norm",
        LogSumExp = "log_sum_exp",
        MaxOf = "max_of",
        MinOf = "min_of",
        Select = "select",
        Custom = "custom",
    }
}

/// A type of parameters, read from a number without rounding.
trait Exact: Sized {
    fn exact(x: f64) -> Option<Self>;
}

impl Exact for f64 {
    fn exact(x: f64) -> Option<Self> {
        Some(x)
    }
}

impl Exact for i32 {
    fn exact(x: f64) -> Option<Self> {
        num_traits::cast(x).filter(|n| f64::from(*n) == x)
    }
}

impl Exact for u32 {
    fn exact(x: f64) -> Option<Self> {
        num_traits::cast(x).filter(|n| f64::from(*n) == x)
    }
}

impl Op {
    /// Reads the printed form; `None` if it is none.
    ///
    /// ```
    /// use wengert::elementary::Op;
    /// assert_eq!(Op::parse("add_const(-0)").map(|op| op.to_string()), Some("add_const(-0)".into()));
    /// assert_eq!((Op::parse("sin(2)"), Op::parse("powi(0.5)"), Op::parse("sine")), (None, None, None));
    /// ```
    ///
    /// **Shape**: the name, and the parameter in parentheses if there is one.
    /// **Cost**: O(length).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (name, parameter) = split_parameter(text)?;
        match parameter {
            None => Self::from_parts(name, None),
            Some(parameter) => Self::from_parts(name, Some(parse_number(parameter)?)),
        }
    }

    /// The parameter, which an `f64` holds exactly.
    pub(crate) fn parameter(self) -> Option<f64> {
        match self {
            Self::AddConst(c)
            | Self::MulConst(c)
            | Self::DivConst(c)
            | Self::RemConst(c)
            | Self::Log(c)
            | Self::Powf(c) => Some(c),
            Self::Powi(n) => Some(n.into()),
            Self::Polygamma(n) | Self::SphBessel(n) => Some(n.into()),
            _ => None,
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
        self.parameter()
            .map_or(Ok(()), |parameter| write!(f, "({})", Number(parameter)))
    }
}

/// Splits `name(parameter)`; `None` if the parentheses do not close.
pub(crate) fn split_parameter(text: &str) -> Option<(&str, Option<&str>)> {
    match text.split_once('(') {
        None => Some((text, None)),
        Some((name, rest)) => Some((name, Some(rest.strip_suffix(')')?))),
    }
}

/// A number as printed in programs: the shortest digits that read back to the same bits, NaN included.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Number(pub(crate) f64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(x) = *self;
        if x.is_nan() && x.to_bits() != f64::NAN.to_bits() {
            return write!(f, "NaN:{:016x}", x.to_bits());
        }
        // An exponent where it is shorter.
        if x == 0.0 || !x.is_finite() || (1e-5..1e16).contains(&x.abs()) {
            write!(f, "{x}")
        } else {
            write!(f, "{x:e}")
        }
    }
}

/// Reads a number as [`Number`] prints it.
pub(crate) fn parse_number(text: &str) -> Option<f64> {
    match text.strip_prefix("NaN:") {
        None => text.parse().ok(),
        Some(bits) => {
            let bits = u64::from_str_radix(bits, 16).ok()?;
            Some(f64::from_bits(bits)).filter(|x| x.is_nan())
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The bits that tell operations apart.
    fn key(op: Op) -> (&'static str, u64) {
        (op.name(), op.parameter_bits())
    }

    #[test]
    fn every_operation_reads_back() {
        let numbers = [
            0.0,
            -0.0,
            1.0,
            2.5,
            1e-300,
            -1e300,
            f64::NAN,
            -f64::NAN,
            f64::INFINITY,
        ];
        let mut parameters = 0;
        for op in Op::all(3.0) {
            let text = op.to_string();
            assert_eq!(Op::parse(&text).map(key), Some(key(op)), "{text}");
            assert_eq!(Op::parse(&format!("{text} ")), None);
            if let Some((name, _)) = text.split_once('(') {
                parameters += 1;
                assert_eq!(Op::parse(name), None, "{name} needs its parameter");
                for x in numbers {
                    let Some(op) = Op::from_parts(name, Some(x)) else {
                        continue;
                    };
                    assert_eq!(
                        Op::parse(&op.to_string()).map(key),
                        Some(key(op)),
                        "{name} {x}"
                    );
                }
            } else {
                assert_eq!(Op::parse(&format!("{text}(1)")), None);
            }
        }
        assert_eq!(parameters, 9);
    }

    #[test]
    fn integer_parameters_are_exact() {
        assert_eq!(Op::parse("powi(-2147483648)"), Some(Op::Powi(i32::MIN)));
        assert_eq!(
            Op::parse("polygamma(4294967295)"),
            Some(Op::Polygamma(u32::MAX))
        );
        for wrong in [
            "powi(2147483648)",
            "polygamma(-1)",
            "powi(0.5)",
            "powi(NaN)",
            "powi(",
            "powi()",
            "powi(1",
            "(1)",
            "",
        ] {
            assert_eq!(Op::parse(wrong), None, "{wrong}");
        }
    }
}
