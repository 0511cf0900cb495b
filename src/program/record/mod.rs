//! Recording: from the operations of a user's function to a [`Program`](super::Program).
//!
//! - `traced`: the number that users compute with;
//! - `recorder`: the recordings that are open on this thread, and the lazy values of their nodes;
//! - `places`: the source locations of nodes;
//! - `recording`: `Program::record`, and programs built by transformations;
//! - `regions`: loops whose rows are given (by lanes), and how a body becomes a region;
//! - `by_index`: loops that are compared while they run;
//! - `compact`: a recorded body with its inputs in front.
//!
//! Invariant: a recorder is open exactly while the closure runs that it was opened for; its guard closes it, also on unwind.
//! Recordings nest; a traced number carries the identifier of its own.

mod by_index;
mod compact;
mod places;
mod recorder;
mod recording;
mod regions;
#[cfg(test)]
mod tests;
mod traced;

pub(super) use recording::Recording;
pub use traced::{Traced, TracedMask};
