//! Linearized graphs as JSON files.
//!
//! ```json
//! { "name": "y", "inputs": 1, "vertices": 3, "outputs": [2], "edges": [[0, 1], [0, 2], [1, 2, "unit"]] }
//! ```
//!
//! Invariant: what [`LinearizedGraph::to_json`] writes reads back equal; keys that are not known are skipped.
//! Source: the format of the AlphaGrad task set as published with this crate's reference data.

use serde::{Deserialize, Serialize};

use super::graph::{EdgeClass, LinearizedGraph};
use crate::error::Error;

#[derive(Serialize, Deserialize)]
struct Stored {
    name: String,
    inputs: usize,
    vertices: usize,
    outputs: Vec<usize>,
    edges: Vec<StoredEdge>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum StoredEdge {
    Plain(usize, usize),
    Classed(usize, usize, String),
}

impl LinearizedGraph {
    /// Reads a graph file.
    ///
    /// ```
    /// use wengert::crosscountry::LinearizedGraph;
    /// let text = r#"{"name": "y", "inputs": 1, "vertices": 2, "outputs": [1], "edges": [[0, 1, "unit"]]}"#;
    /// let graph = LinearizedGraph::from_json(text)?;
    /// assert_eq!(graph.to_json(), r#"{"name":"y","inputs":1,"vertices":2,"outputs":[1],"edges":[[0,1,"unit"]]}"#);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Json`] with the place if the text is no such file; those of [`new`](Self::new).
    pub fn from_json(text: &str) -> Result<Self, Error> {
        let stored: Stored = serde_json::from_str(text).map_err(|error| damaged(&error))?;
        Self::from_stored(&stored)
    }

    /// Reads a file with a list of graphs.
    ///
    /// # Errors
    /// As [`from_json`](Self::from_json).
    pub fn list_from_json(text: &str) -> Result<Vec<Self>, Error> {
        let stored: Vec<Stored> = serde_json::from_str(text).map_err(|error| damaged(&error))?;
        stored.iter().map(Self::from_stored).collect()
    }

    /// Writes a graph file; edges without a known class have no third entry.
    #[must_use]
    pub fn to_json(&self) -> String {
        let edges = self.edges().iter().map(|edge| {
            let (source, target) = (edge.source.index(), edge.target.index());
            match edge.class {
                EdgeClass::Variable => StoredEdge::Plain(source, target),
                class => StoredEdge::Classed(source, target, class.name().to_owned()),
            }
        });
        let stored = Stored {
            name: self.name().to_owned(),
            inputs: self.inputs(),
            vertices: self.len(),
            outputs: self.outputs().iter().map(|output| output.index()).collect(),
            edges: edges.collect(),
        };
        serde_json::to_string(&stored).expect("numbers and strings can always be written")
    }

    fn from_stored(stored: &Stored) -> Result<Self, Error> {
        let edges = stored.edges.iter().map(|edge| match edge {
            StoredEdge::Plain(source, target) => Ok((*source, *target, EdgeClass::Variable)),
            StoredEdge::Classed(source, target, class) => EdgeClass::from_name(class)
                .map(|class| (*source, *target, class))
                .ok_or(Error::InvalidGraph {
                    vertex: *target,
                    what: "an edge to it has a class other than var, const, unit and copy",
                }),
        });
        let edges: Vec<_> = edges.collect::<Result<_, _>>()?;
        Self::new(
            &stored.name,
            stored.inputs,
            stored.vertices,
            &stored.outputs,
            &edges,
        )
    }
}

/// What is wrong with a text, in our words and those of the reader.
pub(super) fn damaged(error: &serde_json::Error) -> Error {
    Error::Json {
        line: error.line(),
        column: error.column(),
        message: error.to_string().into(),
    }
}
