//! The elementary functions on arrays of lanes, for replaying a recorded program at many points at once.
//!
//! Every function has the form `exp::<FMA, L>(x: &[f64; L], out: &mut [f64; L])`. `FMA` says that the caller is compiled
//! for a processor with fused multiply-add (`f64::mul_add` would be a library call elsewhere); the functions are inlined
//! into the caller, whose `#[target_feature]` decides how wide the registers are.
//!
//! Invariants: the error is at most 2 units in the last place over the whole range, subnormal numbers included; special
//! values are those of the functions of `f64`; a lane's result depends on nothing but its own argument. The core of each
//! function is free of branches so that the loop over the lanes becomes vector code; the few arguments that need another
//! algorithm (huge angles, infinities in a power) are computed again one by one by `std`.
//!
//! Largest errors against 60-digit values, in units in the last place, the larger of the forms with and without fused
//! operations (2000 points per function by `tests/reference/vector.py 700`; the tests use fewer of the same kind):
//!
//! | function | error | function | error | function | error | function | error |
//! |---|---|---|---|---|---|---|---|
//! | `exp` | 0.65 | `exp2` | 0.68 | `exp_m1` | 0.83 | `ln` | 0.79 |
//! | `ln_1p` | 0.74 | `log2` | 0.62 | `log10` | 0.56 | `atanh` | 0.75 |
//! | `sin` | 0.64 | `cos` | 0.75 | `tan` | 0.75 | `asin` | 0.56 |
//! | `acos` | 0.57 | `atan` | 0.54 | `sinh` | 0.75 | `cosh` | 0.76 |
//! | `tanh` | 0.75 | `sech_squared` | 0.61 | `logistic` | 0.58 | `softplus` | 0.95 |
//! | `cbrt` | 0.50 | `pow` | 0.67 | `atan2` | 0.53 | `hypot` | 0.50 |
//! | `asinh` | 0.67 | `acosh` | 0.99 | | | | |
//!
//! | file | functions |
//! |---|---|
//! | `arithmetic` | fused operations, sums and products with their rounding errors, polynomials |
//! | `exp`, `logistic`, `hyperbolic` | functions made of one exponential |
//! | `ln`, `inverse_hyperbolic` | logarithms and functions made of one |
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
mod inverse_hyperbolic;
mod inverse_trig;
mod ln;
mod logistic;
mod power;
#[cfg(test)]
mod tests;
mod trig;

pub(crate) use exp::{exp, exp_m1, exp2};
pub(crate) use hyperbolic::{cosh, sech_squared, sinh, tanh};
pub(crate) use inverse_hyperbolic::{acosh, asinh, atanh};
pub(crate) use inverse_trig::{acos, asin, atan, atan2};
pub(crate) use ln::{ln, ln_1p, log2, log10};
pub(crate) use logistic::{logistic, softplus};
pub(crate) use power::{cbrt, hypot, pow};
pub(crate) use trig::{cos, sin, tan};
