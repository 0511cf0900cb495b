//! [`Move`]: one step of an elimination.
//!
//! Invariant: a sequence of moves on one graph always has the same cost; it is recounted wherever it is read.
//! Source: Naumann 2004 (the hierarchy of vertex, edge and face elimination).

use std::fmt;
use std::str::FromStr;

use super::graph::VertexId;

/// Which steps a plan may take; every level contains those before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Moves {
    /// Whole vertices.
    #[default]
    Vertex,
    /// Edges at their front or back.
    Edge,
    /// Faces: pairs of edges that follow each other.
    Face,
}

impl Moves {
    /// All levels.
    pub const ALL: [Self; 3] = [Self::Vertex, Self::Edge, Self::Face];
}

impl fmt::Display for Moves {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Vertex => "vertex",
            Self::Edge => "edge",
            Self::Face => "face",
        })
    }
}

impl FromStr for Moves {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let mut known = Self::ALL.into_iter();
        known
            .find(|moves| moves.to_string() == text)
            .ok_or_else(|| format!("unknown moves `{text}`, expected vertex, edge or face"))
    }
}

/// One step of an elimination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Move {
    /// Eliminates a vertex.
    Vertex(VertexId),
    /// Eliminates the edge between two vertices at its front: with every edge that leaves its target.
    Front(VertexId, VertexId),
    /// Eliminates the edge between two vertices at its back: with every edge that enters its source.
    Back(VertexId, VertexId),
    /// Eliminates the face of two edges, by their numbers in the line graph.
    Face(u32, u32),
}

impl fmt::Display for Move {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vertex(v) => write!(f, "{v}"),
            Self::Front(u, v) => write!(f, "front {u} {v}"),
            Self::Back(u, v) => write!(f, "back {u} {v}"),
            Self::Face(a, b) => write!(f, "face {a} {b}"),
        }
    }
}

/// The steps of a search that lead to a state, first one first; `came` tells from which other state by which step.
pub(super) fn path_to<S>(state: usize, came: impl Fn(usize) -> Option<(usize, S)>) -> Vec<S> {
    let mut path = Vec::new();
    let mut at = state;
    while let Some((from, step)) = came(at) {
        path.push(step);
        at = from;
    }
    path.reverse();
    path
}
