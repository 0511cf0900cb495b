//! [`NodeId`] and [`NodeKind`]: what a node of a program is called and what it computes.

use std::fmt;
use std::mem::discriminant;

use crate::elementary::{Number, Op};
use crate::error::Error;

/// The number of a node, printed `v12`; 32 bits, checked on creation.
///
/// ```
/// use wengert::prelude::*;
/// use wengert::program::Program;
/// let program = Program::record(|x| [x[0] * x[1]], &[2.0, 3.0])?;
/// assert_eq!(program.outputs()[0].to_string(), "v2");
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(u32);

impl NodeId {
    /// Checks that the number fits.
    pub(super) fn new(index: usize) -> Result<Self, Error> {
        u32::try_from(index).map(Self).map_err(|_| Error::TapeFull {
            limit: u32::MAX as usize,
        })
    }

    pub(super) const fn from_raw(index: u32) -> Self {
        Self(index)
    }

    pub(super) const fn raw(self) -> u32 {
        self.0
    }

    /// The number as an index into arrays with one entry per node.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}", self.0)
    }
}

/// What a node computes.
///
/// Masks are the numbers 1 and 0; whatever is not 0 holds.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum NodeKind {
    /// The input of this number; inputs are the first nodes of a program.
    Input(u32),
    /// A constant.
    Constant(f64),
    /// An elementary operation on the arguments.
    Elementary(Op),
    /// A custom rule, by its number in the program.
    Custom(u32),
    /// The first argument where the mask (the third argument) holds, else the second.
    Select,
    /// The product of the first two arguments where the mask (the third) holds, else +0 without a multiplication.
    Gate,
    /// The second argument where the first is a number, else NaN (EDGE_CASES R4).
    Domain,
    /// The argument, which no derivative passes.
    Detach,
    /// The mask `first < second`.
    Less,
    /// The mask `first <= second`.
    LessEqual,
    /// The mask `first == second`.
    Equal,
    /// Both masks.
    And,
    /// Either mask.
    Or,
    /// The opposite mask.
    Not,
    /// The region of this number; it has no value of its own, its results are [`NodeKind::Result`] nodes.
    Region(u32),
    /// The result of this number of the region that is the argument.
    Result(u32),
}

impl NodeKind {
    /// The name of the operation without parameters, as counted.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Input(_) => "input",
            Self::Constant(_) => "constant",
            Self::Elementary(op) => op.name(),
            Self::Custom(_) => "custom",
            Self::Select => "select",
            Self::Gate => "gate",
            Self::Domain => "domain",
            Self::Detach => "detach",
            Self::Less => "lt",
            Self::LessEqual => "le",
            Self::Equal => "eq",
            Self::And => "and",
            Self::Or => "or",
            Self::Not => "not",
            Self::Region(_) => "region",
            Self::Result(_) => "result",
        }
    }

    /// Whether the node is computed, not given.
    #[must_use]
    pub const fn is_operation(self) -> bool {
        !matches!(
            self,
            Self::Input(_) | Self::Constant(_) | Self::Region(_) | Self::Result(_)
        )
    }

    /// Whether the value of the node is a mask.
    #[must_use]
    pub const fn is_mask(self) -> bool {
        matches!(
            self,
            Self::Less | Self::LessEqual | Self::Equal | Self::And | Self::Or | Self::Not
        )
    }

    /// Whether both do the same, parameters compared by their bits.
    pub(super) fn is_same(self, other: Self) -> bool {
        discriminant(&self) == discriminant(&other)
            && match (self, other) {
                (Self::Elementary(a), Self::Elementary(b)) => {
                    discriminant(&a) == discriminant(&b) && a.parameter_bits() == b.parameter_bits()
                }
                (Self::Constant(a), Self::Constant(b)) => a.to_bits() == b.to_bits(),
                (a, b) => a == b,
            }
    }

    #[cfg(test)]
    /// Equal exactly for kinds that do the same: a name and the bits of its parameter.
    pub(super) fn key(self) -> (&'static str, u64) {
        let parameter = match self {
            Self::Input(k) | Self::Custom(k) | Self::Region(k) | Self::Result(k) => u64::from(k),
            Self::Constant(c) => c.to_bits(),
            Self::Elementary(op) => op.parameter_bits(),
            _ => 0,
        };
        (self.name(), parameter)
    }
}

impl fmt::Display for NodeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input(i) => write!(f, "input {i}"),
            Self::Constant(c) => write!(f, "constant {}", Number(*c)),
            Self::Elementary(op) => write!(f, "{op}"),
            Self::Custom(rule) => write!(f, "custom({rule})"),
            Self::Region(region) => write!(f, "region({region})"),
            Self::Result(result) => write!(f, "result({result})"),
            _ => f.write_str(self.name()),
        }
    }
}
