//! Derivatives of a program as programs, composable to any order.
//!
//! | file | contents |
//! |---|---|
//! | `draft` | the program being written; sums and products without structural zeros |
//! | `edge` | the partials of a node, from the rule table; what is gated |
//! | `tangent`, `forward_region` | forward mode with a sparse list of directions per node: `jvp` |
//! | `adjoint`, `reverse_region` | reverse mode: `vjp`, `gradient` |
//! | `segment` | scans in segments, so that the reverse sweep keeps few states |
//! | `jacobian` | Jacobians by either mode, Hessians and their products |
//! | `linearize` | derivatives as numbers at one point: many products for one linearization |
//! | `local`, `accumulate` | the partials of all edges, and their products in any order |
//! | `sweep` | dead code |
//!
//! A transformation copies the original nodes and appends derivatives, whose partials are the rule table evaluated on nodes.
//! Regions stay regions: their bodies are differentiated once. The guards of the original hold for its derivatives as well.
//!
//! Invariant: a structural zero has no node (EDGE_CASES R3); what is reachable only through an arm that is not selected is
//! gated (e40, e41).
//! Source: Griewank & Walther 2008, §3 and §6.

mod accumulate;
mod adjoint;
mod draft;
mod edge;
mod forward_region;
mod jacobian;
mod linearize;
mod local;
mod reverse_region;
mod segment;
mod tangent;
#[cfg(test)]
mod tests;
mod waiting;

pub(crate) use accumulate::{Accumulation, Partial, Scaling};
pub(crate) use draft::Weight;
pub(crate) use jacobian::{Basic, Sparse, dense, either, is_small};
pub use linearize::Linearization;
pub(crate) use local::{Local, LocalEdge, PlannedBody};
pub use segment::Storage;
