//! Results of other tools, read from files.
//!
//! Invariant: a tool is drawn only where its file says that its results agreed to [`AGREED`]; all others are listed with the
//! reason.
//! Source: the JSON of the package `wengert-peers`, and the points that the help of `wengert report` describes.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::figures::Figure;
use super::figures::peers::{Bar, figure};
use crate::error::CliError;

/// The largest deviation, relative to the largest entry, with which results agree.
const AGREED: f64 = 1e-8;

/// One file.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PeerFile {
    name: String,
    plain_seconds: Option<f64>,
    ours_seconds: Option<f64>,
    peers: BTreeMap<String, f64>,
    deviations: BTreeMap<String, f64>,
    cases: Vec<Self>,
    points: Vec<PeerPoint>,
    failed: BTreeMap<String, String>,
}

/// One size of one problem by one tool.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct PeerPoint {
    pub(super) tool: String,
    pub(super) problem: String,
    pub(super) inputs: f64,
    pub(super) seconds: f64,
    /// Relative to the same function without derivatives in the same tool.
    pub(super) ratio: f64,
    deviation: Option<f64>,
}

/// What the files say.
#[derive(Debug, Default, Serialize)]
pub(super) struct Peers {
    /// Points that agreed.
    pub(super) points: Vec<PeerPoint>,
    /// Who is not shown, and why.
    pub(super) failed: Vec<(String, String)>,
    #[serde(skip)]
    pub(super) figures: Vec<Figure>,
}

impl Peers {
    pub(super) fn read(paths: &[PathBuf]) -> Result<Self, CliError> {
        let mut peers = Self::default();
        for path in paths {
            let wrong = |error: &dyn std::fmt::Display| {
                CliError::Failure(format!("cannot read {}: {error}", path.display()))
            };
            let text = std::fs::read_to_string(path).map_err(|error| wrong(&error))?;
            let file: PeerFile = serde_json::from_str(&text).map_err(|error| wrong(&error))?;
            peers.add(file);
        }
        Ok(peers)
    }

    fn add(&mut self, file: PeerFile) {
        self.failed.extend(file.failed);
        for point in file.points {
            match refusal(point.deviation) {
                None => self.points.push(point),
                Some(reason) => self
                    .failed
                    .push((format!("{} on {}", point.tool, point.problem), reason)),
            }
        }
        if let Some(plain) = file.plain_seconds {
            let mut bars = Vec::new();
            let ours = file
                .ours_seconds
                .map(|seconds| ("wengert".to_string(), seconds));
            for (name, seconds) in ours.into_iter().chain(file.peers) {
                match refusal(file.deviations.get(&name).copied()) {
                    None => bars.push(Bar {
                        is_ours: name.starts_with("wengert"),
                        ratio: seconds / plain,
                        seconds,
                        name,
                    }),
                    Some(reason) => self
                        .failed
                        .push((format!("{name} on {}", file.name), reason)),
                }
            }
            if !bars.is_empty() {
                self.figures.push(figure(&file.name, &bars));
            }
        }
        for case in file.cases {
            self.add(case);
        }
    }
}

/// Why results of this deviation are not shown.
fn refusal(deviation: Option<f64>) -> Option<String> {
    match deviation {
        None => Some("the file does not say whether the results agree".into()),
        Some(d) if d <= AGREED => None,
        Some(d) => Some(format!("the results deviate by {d:.1e}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_agrees_is_shown() {
        let text = r#"{"name": "tape", "plain_seconds": 0.01, "ours_seconds": 0.04,
            "peers": {"good": 0.05, "wrong": 0.001, "silent": 0.002},
            "deviations": {"wengert": 0.0, "good": 1e-12, "wrong": 0.1},
            "points": [{"tool": "jax", "problem": "rosen", "inputs": 10, "seconds": 1e-5, "ratio": 3, "deviation": 1e-15}],
            "failed": {"absent": "not installed"}}"#;
        let mut peers = Peers::default();
        peers.add(serde_json::from_str(text).unwrap());
        let names: Vec<&str> = peers.failed.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["absent", "silent on tape", "wrong on tape"]);
        assert_eq!((peers.points.len(), peers.figures.len()), (1, 1));
        assert_eq!(peers.figures[0].csv.lines().count(), 3);
        assert!(refusal(Some(f64::NAN)).is_some());
    }
}
