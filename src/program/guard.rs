//! [`Guard`]: a decision that depends on an active value, so that a program holds only where it comes out the same.
//!
//! Rows: `EDGE_CASES.md` e43 to e46.

use std::sync::Arc;

use super::node::NodeId;
use crate::error::{Decision, Error, Location};

/// What is asked about active values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Question {
    /// Is `lhs < rhs`?
    Less {
        /// The left node.
        lhs: NodeId,
        /// The right node.
        rhs: NodeId,
    },
    /// Is `lhs <= rhs`?
    LessEqual {
        /// The left node.
        lhs: NodeId,
        /// The right node.
        rhs: NodeId,
    },
    /// Is `lhs == rhs`?
    Equal {
        /// The left node.
        lhs: NodeId,
        /// The right node.
        rhs: NodeId,
    },
    /// How do they compare?
    Ordering {
        /// The left node.
        lhs: NodeId,
        /// The right node.
        rhs: NodeId,
    },
    /// What is the index in this node?
    Index {
        /// The node.
        node: NodeId,
    },
    /// What is the value of this node?
    Value {
        /// The node.
        node: NodeId,
    },
}

impl Question {
    /// The nodes that the answer depends on.
    pub fn nodes(self) -> impl Iterator<Item = NodeId> {
        let (first, second) = match self {
            Self::Less { lhs, rhs }
            | Self::LessEqual { lhs, rhs }
            | Self::Equal { lhs, rhs }
            | Self::Ordering { lhs, rhs } => (lhs, Some(rhs)),
            Self::Index { node } | Self::Value { node } => (node, None),
        };
        std::iter::once(first).chain(second)
    }

    /// The same question about other nodes.
    #[must_use]
    pub(super) fn map(self, mut new: impl FnMut(NodeId) -> NodeId) -> Self {
        match self {
            Self::Less { lhs, rhs } => Self::Less {
                lhs: new(lhs),
                rhs: new(rhs),
            },
            Self::LessEqual { lhs, rhs } => Self::LessEqual {
                lhs: new(lhs),
                rhs: new(rhs),
            },
            Self::Equal { lhs, rhs } => Self::Equal {
                lhs: new(lhs),
                rhs: new(rhs),
            },
            Self::Ordering { lhs, rhs } => Self::Ordering {
                lhs: new(lhs),
                rhs: new(rhs),
            },
            Self::Index { node } => Self::Index { node: new(node) },
            Self::Value { node } => Self::Value { node: new(node) },
        }
    }

    /// The answer at these values.
    #[must_use]
    pub(super) fn answer(self, value: impl Fn(NodeId) -> f64) -> Decision {
        match self {
            Self::Less { lhs, rhs } => Decision::Holds(value(lhs) < value(rhs)),
            Self::LessEqual { lhs, rhs } => Decision::Holds(value(lhs) <= value(rhs)),
            Self::Equal { lhs, rhs } => Decision::Holds(value(lhs) == value(rhs)),
            Self::Ordering { lhs, rhs } => Decision::Ordering(value(lhs).partial_cmp(&value(rhs))),
            Self::Index { node } => Decision::Index(num_traits::cast(value(node).floor())),
            Self::Value { node } => Decision::Value(value(node)),
        }
    }

    /// Whether the values lie exactly on the boundary of an inequality (EDGE_CASES e44).
    #[must_use]
    pub(super) fn is_tie(self, value: impl Fn(NodeId) -> f64) -> bool {
        match self {
            Self::Less { lhs, rhs } | Self::LessEqual { lhs, rhs } => value(lhs) == value(rhs),
            _ => false,
        }
    }
}

/// A decision on active values that was made while recording.
#[derive(Clone, Debug)]
pub struct Guard {
    /// What was asked.
    pub question: Question,
    /// What came out.
    pub recorded: Decision,
    /// Where, if it is known.
    pub location: Option<Arc<Location>>,
}

impl Guard {
    /// Checks that the decision is the same at these values.
    pub(super) fn check(&self, value: impl Fn(NodeId) -> f64) -> Result<(), Error> {
        let found = self.question.answer(value);
        if self.recorded.is_same(found) {
            return Ok(());
        }
        Err(self.changed(found))
    }

    /// The error for another decision.
    pub(super) fn changed(&self, found: Decision) -> Error {
        let node = self.question.nodes().next().map_or(0, NodeId::raw);
        Error::BranchChanged {
            node,
            location: self.location.clone(),
            recorded: self.recorded,
            found,
        }
    }
}
