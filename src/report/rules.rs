//! [`RULE_COSTS`]: what one operation of every kind costs in every mode.
//!
//! Invariant: a test counts every line again.
//! Source: Griewank & Walther 2008, table 4.2 (costs of elementary operations in the modes).

/// The scalar operations of one elementary operation on active arguments, the value included.
///
/// ```
/// use wengert::report::RULE_COSTS;
/// let sin = RULE_COSTS.iter().find(|rule| rule.operation == "sin").expect("it is listed");
/// // The sine, its cosine and one product, in either direction.
/// assert_eq!((sin.value, sin.jvp, sin.vjp), (1, 3, 3));
/// ```
///
/// **Shape**: an operation of any number of arguments is listed with the number that is given.
/// **Cost**: none.
/// **Source**: Griewank & Walther 2008, table 4.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct RuleCost {
    /// The operation as it is printed in programs, with its parameter.
    pub operation: &'static str,
    /// The number of arguments.
    pub arguments: usize,
    /// The operations of the value.
    pub value: u64,
    /// Those of one tangent with generic seeds.
    pub jvp: u64,
    /// Those of a sweep back with a generic adjoint; adding to adjoints that others have added to comes on top, one addition
    /// per argument.
    pub vjp: u64,
    /// Those of that sweep with tangents, everything generic; adding to adjoints comes on top, two additions per argument.
    pub hvp: u64,
}

const fn rule(
    operation: &'static str,
    arguments: usize,
    [value, jvp, vjp, hvp]: [u64; 4],
) -> RuleCost {
    RuleCost {
        operation,
        arguments,
        value,
        jvp,
        vjp,
        hvp,
    }
}

/// The costs of every elementary operation, in the order of the rule table.
pub const RULE_COSTS: &[RuleCost] = &[
    rule("neg", 1, [1, 2, 2, 4]),
    rule("recip", 1, [1, 4, 4, 14]),
    rule("add_const(0.75)", 1, [1, 1, 1, 1]),
    rule("add_const(-3)", 1, [1, 1, 1, 1]),
    rule("mul_const(0.75)", 1, [1, 2, 2, 4]),
    rule("mul_const(-3)", 1, [1, 2, 2, 4]),
    rule("div_const(0.75)", 1, [1, 2, 2, 4]),
    rule("div_const(-3)", 1, [1, 2, 2, 4]),
    rule("rem_const(0.75)", 1, [1, 1, 1, 1]),
    rule("rem_const(-3)", 1, [1, 1, 1, 1]),
    rule("exp", 1, [1, 2, 2, 6]),
    rule("exp2", 1, [1, 3, 3, 9]),
    rule("exp_m1", 1, [1, 3, 3, 9]),
    rule("ln", 1, [1, 3, 3, 14]),
    rule("log(3)", 1, [1, 4, 4, 17]),
    rule("log2", 1, [1, 4, 4, 17]),
    rule("log10", 1, [1, 4, 4, 17]),
    rule("ln_1p", 1, [1, 4, 4, 16]),
    rule("sqrt", 1, [1, 4, 4, 13]),
    rule("cbrt", 1, [1, 5, 5, 19]),
    rule("powi(-3)", 1, [1, 4, 4, 14]),
    rule("powi(-1)", 1, [1, 4, 4, 14]),
    rule("powi(0)", 1, [1, 1, 2, 2]),
    rule("powi(1)", 1, [1, 1, 1, 1]),
    rule("powi(2)", 1, [1, 3, 3, 9]),
    rule("powi(3)", 1, [1, 4, 4, 13]),
    rule("powi(7)", 1, [1, 4, 4, 14]),
    rule("powf(-1.5)", 1, [1, 4, 4, 14]),
    rule("powf(0.5)", 1, [1, 4, 4, 14]),
    rule("powf(1)", 1, [1, 4, 4, 8]),
    rule("powf(2)", 1, [1, 4, 4, 14]),
    rule("powf(2.5)", 1, [1, 4, 4, 14]),
    rule("sin", 1, [1, 3, 3, 11]),
    rule("cos", 1, [1, 4, 4, 13]),
    rule("tan", 1, [1, 4, 4, 13]),
    rule("asin", 1, [1, 8, 8, 28]),
    rule("acos", 1, [1, 9, 9, 31]),
    rule("atan", 1, [1, 5, 5, 18]),
    rule("sinh", 1, [1, 3, 3, 10]),
    rule("cosh", 1, [1, 3, 3, 10]),
    rule("tanh", 1, [1, 3, 3, 12]),
    rule("asinh", 1, [1, 4, 4, 20]),
    rule("acosh", 1, [1, 8, 8, 30]),
    rule("atanh", 1, [1, 7, 7, 26]),
    rule("sech_squared", 1, [1, 5, 5, 18]),
    rule("logistic", 1, [1, 5, 5, 18]),
    rule("softplus", 1, [1, 3, 3, 12]),
    rule("erf", 1, [1, 6, 6, 20]),
    rule("erfc", 1, [1, 6, 6, 20]),
    rule("lgamma", 1, [1, 3, 3, 10]),
    rule("polygamma(0)", 1, [1, 3, 3, 13]),
    rule("polygamma(1)", 1, [1, 3, 3, 13]),
    rule("sph_j0", 1, [1, 4, 4, 21]),
    rule("sph_j1", 1, [1, 8, 8, 35]),
    rule("sph_j2", 1, [1, 8, 8, 39]),
    rule("sph_bessel(0)", 1, [1, 4, 4, 18]),
    rule("sph_bessel(1)", 1, [1, 8, 8, 32]),
    rule("sph_bessel(2)", 1, [1, 8, 8, 36]),
    rule("abs", 1, [1, 3, 3, 8]),
    rule("sign0", 1, [1, 1, 3, 9]),
    rule("sign_bit", 1, [1, 1, 3, 9]),
    rule("signum", 1, [1, 1, 3, 9]),
    rule("floor", 1, [1, 1, 3, 9]),
    rule("ceil", 1, [1, 1, 3, 9]),
    rule("round", 1, [1, 1, 3, 9]),
    rule("trunc", 1, [1, 1, 3, 9]),
    rule("add", 2, [1, 2, 3, 6]),
    rule("sub", 2, [1, 2, 3, 6]),
    rule("mul", 2, [1, 4, 3, 12]),
    rule("div", 2, [1, 4, 6, 22]),
    rule("rem", 2, [1, 6, 6, 19]),
    rule("pow", 2, [1, 22, 21, 86]),
    rule("atan2", 2, [1, 11, 10, 57]),
    rule("hypot", 2, [1, 10, 9, 32]),
    rule("copysign", 2, [1, 5, 5, 15]),
    rule("xlogy", 2, [1, 14, 13, 43]),
    rule("log_add_exp", 2, [1, 18, 17, 52]),
    rule("max", 2, [1, 18, 25, 60]),
    rule("min", 2, [1, 18, 25, 60]),
    rule("mul_add", 3, [2, 7, 5, 17]),
    rule("sum", 3, [2, 4, 5, 10]),
    rule("dot", 4, [3, 10, 7, 26]),
    rule("prod", 3, [2, 12, 10, 44]),
    rule("norm2", 3, [6, 18, 16, 49]),
    rule("squared_norm", 3, [5, 13, 11, 31]),
    rule("log_sum_exp", 3, [10, 54, 52, 177]),
    rule("max_of", 3, [2, 37, 35, 99]),
    rule("min_of", 3, [2, 37, 35, 99]),
    rule("select", 3, [3, 7, 10, 29]),
    rule("custom", 2, [1, 7, 6, 25]),
];
