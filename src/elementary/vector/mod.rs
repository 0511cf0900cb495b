//! The elementary functions on arrays of lanes, for replaying a recorded program at many points at once.
//!
//! Every function has the form `exp::<FMA, L>(&[f64; L]) -> [f64; L]`. `FMA` says that the caller is compiled for a
//! processor with fused multiply-add (`f64::mul_add` would be a library call elsewhere); the functions are inlined
//! into the caller, whose `#[target_feature]` decides how wide the registers are.
//!
//! Invariants: the error is at most 2 units in the last place over the whole range, subnormal numbers included; special
//! values are those of the functions of `f64`; a lane's result depends on nothing but its own argument. The core of each
//! function is free of branches so that the loop over the lanes becomes vector code; the few arguments that need another
//! algorithm (huge angles, infinities in a power) are computed again one by one by `std`.
//!
//! Largest errors against 60-digit values (`tests/reference/vector.json`), in units in the last place, the larger of the
//! forms with and without fused operations:
//!
//! | function | error | function | error | function | error | function | error |
//! |---|---|---|---|---|---|---|---|
//! TABLE
//!
//! | file | functions |
//! |---|---|
//! | `arithmetic` | fused operations, sums and products with their rounding errors, polynomials |
//! | `exp`, `logistic`, `hyperbolic` | functions made of one exponential |
//! | `ln` | logarithms |
//! | `power` | power, cube root, hypotenuse |
//! | `trig`, `inverse_trig` | circular functions and their inverses |
//!
//! The coefficients of all polynomials are minimax for the error relative to the function (exchange algorithm of Remez,
//! in 60 digits); the error that is given beside them includes their rounding.
//!
//! Sources: W. J. Cody & W. Waite, Software Manual for the Elementary Functions, 1980; J.-M. Muller, Elementary Functions,
//! 3rd edition 2016, chapters 3, 9, 11; T. J. Dekker, A floating-point technique for extending the available precision,
//! 1971.

mod arithmetic;
mod exp;
mod hyperbolic;
mod inverse_trig;
mod ln;
mod logistic;
mod power;
#[cfg(test)]
mod tests;
mod trig;

pub(crate) use exp::{exp, exp_m1, exp2};
pub(crate) use hyperbolic::{cosh, sech_squared, sinh, tanh};
pub(crate) use inverse_trig::{acos, asin, atan, atan2};
pub(crate) use ln::{atanh, ln, ln_1p, log2, log10};
pub(crate) use logistic::{logistic, softplus};
pub(crate) use power::{cbrt, hypot, pow};
pub(crate) use trig::{cos, sin, sin_cos, tan};
