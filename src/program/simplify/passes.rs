//! [`Passes`], which of them run, and [`Program::simplify`].
//!
//! Invariant: the result has the inputs and outputs of the program, in their order, and its values; it asks its questions.
//! Source: none.

use super::dead::Needs;
use super::rebuild::{Entry, rebuild};
use crate::error::Error;
use crate::program::Program;

/// Which passes [`Program::simplify_with`] makes.
///
/// ```
/// use wengert::prelude::*;
/// use wengert::program::{Passes, Program};
/// let program = Program::record(|x| [x[0] * 1.0 + x[0].sin() * 0.0], &[3.0])?;
/// let folded = |passes| program.simplify_with(passes).map(|program| program.len());
/// assert_eq!(folded(Passes::none())?, program.len());
/// assert_eq!(folded(Passes::default())?, 4);
/// let mut passes = Passes::default();
/// passes.zero_products = true;
/// assert_eq!(folded(passes)?, 1);
/// # Ok::<(), Error>(())
/// ```
///
/// **Shape**: one switch per pass.
/// **Cost**: none.
/// **Source**: none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(clippy::struct_excessive_bools)] // They are switches.
pub struct Passes {
    /// Operations on constants become constants.
    pub fold: bool,
    /// Operations that are exactly simpler ones are replaced.
    pub identities: bool,
    /// Nodes, guards, bodies and regions that repeat earlier ones are those.
    pub common: bool,
    /// What no output and no guard needs is dropped.
    pub dead: bool,
    /// What does not depend on the iteration moves out of regions, and constants move in.
    pub hoist: bool,
    /// A product with a constant zero is 0 and adding 0 changes nothing: wrong for infinities, NaN and the sign of zero, so
    /// off by default.
    pub zero_products: bool,
}

impl Passes {
    /// No pass at all: a copy.
    ///
    /// **Cost**: none.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            fold: false,
            identities: false,
            common: false,
            dead: false,
            hoist: false,
            zero_products: false,
        }
    }
}

impl Passes {
    /// Whether nodes may be replaced, so that what they needed is dead afterwards.
    pub(super) const fn replace(self) -> bool {
        self.fold || self.identities || self.common || self.hoist || self.zero_products
    }
}

impl Default for Passes {
    /// All passes that keep values.
    fn default() -> Self {
        Self {
            fold: true,
            identities: true,
            common: true,
            dead: true,
            hoist: true,
            zero_products: false,
        }
    }
}

impl Program {
    /// The same function with fewer nodes: constants folded, exact identities applied, repeated and dead nodes dropped,
    /// uniform work moved out of regions.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert::program::Program;
    /// let program = Program::record(|x| [x[0].sin() * x[1] * 1.0 - x[1] * x[0].sin()], &[3.0, 2.0])?;
    /// let simple = program.simplify()?;
    /// assert_eq!(simple.to_string(), "v0 = input 0\nv1 = input 1\nv2 = sin v0\nv3 = mul v2 v1\nv4 = sub v3 v3\noutput v4\n");
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// **Shape**: the same inputs, outputs and point.
    /// **Cost**: linear in nodes and arguments, bodies included. At 1e7 nodes 50 to 70 ns per node where arguments are recent,
    /// twice that where many nodes depend on inputs only; the memory of a second program and 30 bytes per node.
    ///
    /// # Errors
    /// [`Error::TapeFull`] if work moved out of regions needs more than 2^32 nodes.
    ///
    /// **Source**: value numbering after Cocke & Schwartz 1970; code motion after Allen & Cocke 1971.
    pub fn simplify(&self) -> Result<Self, Error> {
        self.simplify_with(Passes::default())
    }

    /// [`simplify`](Self::simplify) by some of the passes.
    ///
    /// **Shape**: the same inputs, outputs and point.
    /// **Cost**: as [`simplify`](Self::simplify).
    ///
    /// # Errors
    /// As [`simplify`](Self::simplify).
    ///
    /// **Source**: as [`simplify`](Self::simplify).
    pub fn simplify_with(&self, passes: Passes) -> Result<Self, Error> {
        let needs = if passes.dead {
            Needs::of(self, vec![true; self.outputs.len()], true)
        } else {
            Needs::all(self)
        };
        round(self, &needs, passes)
    }
}

impl Program {
    /// The derivative program without dead nodes, also inside regions: a derivative often needs the partials of a body but not its
    /// value, or only some of the values that a forward pass stores.
    ///
    /// A region of the function that only asks is dropped: the region of its derivative asks the same, or nothing depends on it.
    pub(in crate::program) fn live(&self) -> Result<Self, Error> {
        let dead = Passes {
            dead: true,
            ..Passes::none()
        };
        let needs = Needs::of(self, vec![true; self.outputs.len()], false);
        round(self, &needs, dead)
    }
}

/// All passes over what is needed of a program and its bodies, once: a second time would only find chains of carried values, and cost as much.
fn round(program: &Program, needs: &Needs, passes: Passes) -> Result<Program, Error> {
    let entries: Vec<Entry> = (0..program.inputs).map(Entry::Input).collect();
    let mut simple = rebuild(program, needs, &entries, program.inputs, passes)?;
    simple.point.clone_from(&program.point);
    simple.is_derivative = program.is_derivative;
    debug_assert_eq!(simple.validate(), Ok(()));
    Ok(simple)
}
