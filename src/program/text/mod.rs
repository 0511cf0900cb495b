//! The text of a program: one line per node, as on paper, which reads back to the same program.
//!
//! ```text
//! v0 = input 0                          the inputs come first
//! v1 = constant 0.5
//! v2 = mul v0 v1                        an operation and its arguments
//! v3 = sum v0..=v2                      v0 v1 v2; with `step 2` every other one, downwards with a negative step
//! v4 = region(0) 3 iterations           a loop; `reversed` if the last iteration comes first
//!   v0 = uniform v2                     inputs of the body: the same node of the outer program in every iteration,
//!   v1 = lane v0..=v2                   a node per iteration,
//!   v2 = data 1 -2.5 1e-7               a number per iteration,
//!   v3 = carried 1 v1                   what output 1 of the body was in the iteration before, at first v1
//!   v4 = mul v1 v2                      nodes of the body
//!   sum v4                              outputs of the body: added up, kept one by one (`each`), kept at last
//!   last v3
//! end
//! v5 = result(0) v4
//! guard lt v0 v5 = true                 also le, eq; ordering (less, equal, greater, unordered); index (none); value
//! output v5
//! ```
//!
//! Numbers are the shortest that read back to the same bits. A line that ends in ` \` goes on in the next one; indentation
//! does not count, and what follows a `#` is a comment. A region that has more than one node is described at the first one,
//! the others are written like operations; one without a node is described before the guards.
//!
//! Invariant: what is printed reads back the same, except custom rules, which have no text.

mod read;
#[cfg(test)]
mod tests;
mod write;

pub(super) use read::{decision, question};
#[cfg(test)]
pub(super) use tests::EVERYTHING;
pub(super) use write::{Run, question_name, runs};
