//! The figures of a report: one kind per file, each a function from plain data to a [`Figure`].
//!
//! Invariant: a figure carries its data; the file beside a picture has every number that is drawn.
//! Source: Cleveland & McGill 1984 (positions on a common scale before lengths, lengths before areas).

pub(super) mod anytime;
mod canvas;
pub(super) mod chain;
mod chart;
pub(super) mod graph;
pub(super) mod memory;
pub(super) mod orders;
pub(super) mod peers;
pub(super) mod prediction;
pub(super) mod scaling;
pub(super) mod schedule;

use std::fs;
use std::path::Path;

use serde::Serialize;

#[cfg(test)]
pub(super) use self::canvas::DARK;
use self::canvas::Drawing;
use crate::error::CliError;

/// A picture with its words and data.
#[derive(Clone, Debug)]
pub(super) struct Figure {
    /// The name of its files, without their endings.
    pub(super) id: String,
    pub(super) title: String,
    /// What to see.
    pub(super) caption: String,
    drawing: Drawing,
    /// The data, as comma-separated values with a header.
    pub(super) csv: String,
    /// What the slider of the page changes, if there is one.
    pub(super) steps: Option<Steps>,
}

/// The states of a picture that can be walked through: which of its circles and polylines change with a step.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Steps {
    /// Per step, what is said about it; the first is about the start.
    pub(super) captions: Vec<String>,
    /// Per circle of the picture, the step at which it goes; `null` for those that stay.
    pub(super) circles: Vec<Option<usize>>,
    /// The lines. Those that are there at the start are the first polylines of the picture, in this order.
    pub(super) lines: Vec<SteppedLine>,
}

/// A line of a picture with steps.
#[derive(Clone, Debug, Serialize)]
pub(super) struct SteppedLine {
    /// As in the attribute of a polyline.
    pub(super) points: String,
    /// The step that makes it, 0 for the start.
    pub(super) comes: usize,
    /// The step that removes it.
    pub(super) goes: Option<usize>,
}

impl Figure {
    /// The picture as text for the page.
    pub(super) fn svg(&self) -> Result<String, CliError> {
        self.drawing.svg()
    }

    /// Writes picture and data into a folder.
    pub(super) fn write(&self, folder: &Path) -> Result<(), CliError> {
        let path = |ending: &str| folder.join(format!("{}.{ending}", self.id));
        // A file has no page around it that would know the colours of the dark.
        let svg = self
            .svg()?
            .replacen('>', &format!("><style>{}</style>", canvas::dark()), 1);
        for (ending, text) in [("svg", svg), ("csv", self.csv.clone())] {
            let path = path(ending);
            fs::write(&path, text).map_err(|error| CliError::write(&path, &error))?;
        }
        self.drawing.write_png(&path("png"))
    }
}

/// Comma-separated values: cells with commas or quotes are quoted.
fn csv(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let quote = |cell: &str| {
        if cell.contains(['"', ',', '\n']) {
            format!("\"{}\"", cell.replace('"', "\"\""))
        } else {
            cell.to_string()
        }
    };
    let mut text = header.join(",") + "\n";
    for row in rows {
        let cells: Vec<String> = row.iter().map(|cell| quote(cell)).collect();
        text.push_str(&cells.join(","));
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_with_commas_are_quoted() {
        let rows = vec![vec!["a, \"b\"".to_string(), "1".to_string()]];
        assert_eq!(csv(&["name", "n"], rows), "name,n\n\"a, \"\"b\"\"\",1\n");
    }
}
