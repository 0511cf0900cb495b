//! The cross-country planner: in which order to multiply partials.
//!
//! Invariant: nothing is called optimal without a bound that holds.
//! Source: Griewank & Walther 2008, §9 and §10.

pub mod chain;
