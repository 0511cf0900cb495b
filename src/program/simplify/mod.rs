//! Simplification: the same values from fewer nodes.
//!
//! [`Program::simplify`](super::Program::simplify) copies a program node by node. On the way every node passes
//!
//! - `fold`: operations on constants become constants, choices by constant masks are made;
//! - `identities`: operations that are exactly another, cheaper one, or exactly one of their arguments; the list stands at
//!   the top of that file, with the reasons;
//! - `common`: a node that repeats an earlier one is that one; the same for guards, bodies and whole regions;
//! - `region` and `hoist`, where the node is a loop: its inputs and outputs are cleaned up, its body is simplified, and
//!   what does not depend on the iteration moves out.
//!
//! `dead` drops, before and after, whatever no output and no guard needs.
//!
//! Values keep their bits, except that NaN is NaN whatever its sign and payload: IEEE 754 leaves both open, so an operation
//! that looks at the sign of a NaN (`copysign`, `sign_bit`) may see another one. Sums and products are never reordered.
//!
//! Invariant: nodes that stay keep their order; all passes are linear in the nodes and arguments.
//! Source: value numbering after Cocke & Schwartz 1970; loop-invariant code motion after Allen & Cocke 1971.

mod common;
mod dead;
mod fold;
mod hoist;
mod identities;
mod passes;
mod rebuild;
mod region;
#[cfg(test)]
mod tests;

pub use passes::Passes;
