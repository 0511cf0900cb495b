//! Results of other tools, read from files.
//!
//! Invariant: a tool is drawn only where its file says that its results agreed to [`AGREED`]; all others are listed with the
//! reason.
//! Source: the JSON of the package `wengert-peers` and of its script for Python, which the help of `wengert report` describes.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::figures::Figure;
use super::figures::peers::{Bar, figure};
use crate::error::CliError;
use crate::output::{self, Table};

/// The largest deviation, relative to the largest entry, with which results agree.
const AGREED: f64 = 1e-8;

/// One file, or one workload in it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PeerFile {
    name: String,
    plain_seconds: Option<f64>,
    ours_seconds: Option<f64>,
    ours_loops_seconds: Option<f64>,
    peers: BTreeMap<String, f64>,
    /// The function without derivatives in the same tool, where it is not `plain_seconds`.
    functions: BTreeMap<String, f64>,
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

/// One workload by one tool.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct PeerCase {
    workload: String,
    tool: String,
    seconds: f64,
    /// Relative to the function without derivatives in the same tool.
    ratio: Option<f64>,
}

/// What the files say.
#[derive(Debug, Default, Serialize)]
pub(super) struct Peers {
    /// Workloads that agreed.
    cases: Vec<PeerCase>,
    /// Points that agreed.
    pub(super) points: Vec<PeerPoint>,
    /// Who is not shown, and why.
    pub(super) failed: Vec<(String, String)>,
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
            let before = peers.len();
            peers.add(file, true);
            if peers.len() == before {
                return Err(wrong(
                    &"it holds no times of tools; see `wengert report --help`",
                ));
            }
        }
        Ok(peers)
    }

    /// Everything that was found, shown or not.
    fn len(&self) -> usize {
        self.cases.len() + self.points.len() + self.failed.len()
    }

    fn add(&mut self, file: PeerFile, is_whole_file: bool) {
        let place = |tool: &str| {
            if is_whole_file && file.plain_seconds.is_none() {
                tool.to_string()
            } else {
                format!("{tool} on {}", file.name)
            }
        };
        let failed = file.failed.iter();
        self.failed
            .extend(failed.map(|(tool, reason)| (place(tool), reason.clone())));
        for point in file.points {
            // Times of zero or less cannot stand on a logarithmic axis.
            let is_time = point.seconds > 0.0 && point.ratio > 0.0;
            let reason = refusal(point.deviation).or_else(|| {
                (!is_time).then(|| "the file gives no positive time and ratio".to_string())
            });
            match reason {
                None => self.points.push(point),
                Some(reason) => self
                    .failed
                    .push((format!("{} on {}", point.tool, point.problem), reason)),
            }
        }
        let own = [
            ("wengert", file.ours_seconds),
            ("wengert, plain loops", file.ours_loops_seconds),
        ];
        let own = own
            .into_iter()
            .filter_map(|(name, seconds)| Some((name.to_string(), seconds?)));
        // With their cases, workloads repeat the numbers of one of them.
        let alone = file.cases.is_empty();
        for (tool, seconds) in own.chain(file.peers).filter(|_| alone) {
            match refusal(file.deviations.get(&tool).copied()) {
                None => {
                    let function = file.functions.get(&tool).copied().or(file.plain_seconds);
                    self.cases.push(PeerCase {
                        workload: file.name.clone(),
                        ratio: function.map(|function| seconds / function),
                        tool,
                        seconds,
                    });
                }
                Some(reason) => self
                    .failed
                    .push((format!("{tool} on {}", file.name), reason)),
            }
        }
        for case in file.cases {
            self.add(case, false);
        }
    }

    /// All workloads as a table.
    pub(super) fn table(&self) -> Option<Table> {
        let mut table = Table::new(&["workload", "tool", "time", "ratio"], 2);
        for case in &self.cases {
            table.push(vec![
                case.workload.clone(),
                case.tool.clone(),
                output::seconds(case.seconds),
                case.ratio.map_or_else(|| "-".into(), output::ratio),
            ]);
        }
        for point in &self.points {
            table.push(vec![
                format!("{} n={}", point.problem, point.inputs),
                point.tool.clone(),
                output::seconds(point.seconds),
                output::ratio(point.ratio),
            ]);
        }
        (self.cases.len() + self.points.len() > 0).then_some(table)
    }

    /// Who is not shown, and why, as a table.
    pub(super) fn refused(&self) -> Option<Table> {
        let mut table = Table::new(&["tool", "why it is not shown"], 2);
        for (tool, reason) in &self.failed {
            table.push(vec![tool.clone(), reason.clone()]);
        }
        (!self.failed.is_empty()).then_some(table)
    }

    /// A figure per workload, with the tools of all files.
    pub(super) fn figures(&self) -> Vec<Figure> {
        let mut workloads: Vec<&str> = Vec::new();
        for case in &self.cases {
            if !workloads.contains(&case.workload.as_str()) {
                workloads.push(&case.workload);
            }
        }
        let of = |workload: &str| -> Vec<Bar> {
            let cases = self.cases.iter().filter(|case| case.workload == workload);
            cases
                .map(|case| Bar {
                    name: case.tool.clone(),
                    seconds: case.seconds,
                    ratio: case.ratio,
                    is_ours: case.tool.starts_with("wengert"),
                })
                .collect()
        };
        workloads
            .into_iter()
            .map(|workload| figure(workload, &of(workload)))
            .collect()
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

    fn read(texts: &[&str]) -> Peers {
        let mut peers = Peers::default();
        for text in texts {
            peers.add(serde_json::from_str(text).unwrap(), true);
        }
        peers
    }

    const TAPE: &str = r#"{"name": "tape", "plain_seconds": 0.01, "ours_seconds": 0.04,
        "peers": {"good": 0.05, "wrong": 0.001, "silent": 0.002},
        "deviations": {"wengert": 0.0, "good": 1e-12, "wrong": 0.1}, "failed": {"absent": "not installed"}}"#;

    #[test]
    fn only_what_agrees_is_shown() {
        let points = r#"{"points": [
            {"tool": "jax", "problem": "rosen", "inputs": 10, "seconds": 1e-5, "ratio": 3, "deviation": 1e-15},
            {"tool": "none", "problem": "rosen", "inputs": 10, "seconds": 0, "ratio": 3, "deviation": 1e-15}]}"#;
        let peers = read(&[TAPE, points]);
        let names: Vec<&str> = peers.failed.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            [
                "absent on tape",
                "silent on tape",
                "wrong on tape",
                "none on rosen"
            ]
        );
        let figures = peers.figures();
        assert_eq!((peers.points.len(), figures.len()), (1, 1));
        assert_eq!(figures[0].csv.lines().count(), 3);
        assert!(refusal(Some(f64::NAN)).is_some());
    }

    #[test]
    fn one_workload_of_two_files_is_one_figure() {
        let both = read(&[
            r#"{"name": "all", "cases": [{"name": "gmm", "plain_seconds": 1, "peers": {"crate": 4}, "deviations": {"crate": 0}}]}"#,
            r#"{"name": "python", "cases": [{"name": "gmm", "peers": {"jax": 6}, "functions": {"jax": 3},
                "deviations": {"jax": 0}, "failed": {"enzyme": "not here"}}], "failed": {"casadi on rosen": "too old"}}"#,
        ]);
        let found: Vec<(&str, Option<f64>)> = both
            .cases
            .iter()
            .map(|case| (case.tool.as_str(), case.ratio))
            .collect();
        assert_eq!(found, [("crate", Some(4.0)), ("jax", Some(2.0))]);
        assert_eq!(both.figures().len(), 1);
        let names: Vec<&str> = both.failed.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["casadi on rosen", "enzyme on gmm"]);
    }

    /// A series to order 10 stands in the object itself and among its cases.
    #[test]
    fn a_workload_with_cases_is_not_drawn_twice() {
        let text = format!(
            r#"{{"name": "tape", "plain_seconds": 0.01, "ours_seconds": 0.04,
            "deviations": {{"wengert": 0.0}}, "cases": [{TAPE}]}}"#
        );
        assert_eq!(read(&[&text]).cases.len(), 2);
    }
}
