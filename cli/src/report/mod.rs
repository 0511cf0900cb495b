//! `wengert report`: operations, times and agreement of every problem in every mode.
//!
//! Invariant: operation counts are exact and the same on every machine; a count or time that would take too long is left
//! out with a note, never estimated.
//! Source: Griewank & Walther 2008, §3 and §5 (costs relative to the value).

mod counts;
mod instance;
mod markdown;

use std::fs;

use serde::Serialize;
use wengert_problems::registry::{PROBLEMS, Source, find, visit};

use self::instance::{Entry, Measure};
use crate::arguments::ReportArguments;
use crate::error::CliError;
use crate::output::{print, print_json};
use crate::progress;

/// Modes that differ by more, relative to the largest entry, do not agree. Hessians of the problems are conditioned such
/// that rounding stays far below.
const TOLERANCE: f64 = 1e-9;

/// A second, smaller instance of problems whose default is too large to record every mode.
const SMALL: [(&str, &[usize]); 18] = [
    ("dot", &[4, 5]),
    ("scale", &[4, 5]),
    ("dot-nonlinear", &[4, 5]),
    ("gmm", &[2, 3, 10]),
    ("ba", &[2, 3, 6]),
    ("hand", &[4]),
    ("hand-complicated", &[4]),
    ("lstm", &[1, 5, 3]),
    ("rosen", &[12]),
    ("arwhead", &[12]),
    ("cosine", &[12]),
    ("bdqrtic", &[12]),
    ("brybnd", &[12]),
    ("tridia", &[12]),
    ("minsurf", &[16]),
    ("bratu", &[16]),
    ("lj", &[12]),
    ("ocp", &[12]),
];

/// The whole report.
#[derive(Serialize)]
struct Report {
    version: &'static str,
    tolerance: f64,
    entries: Vec<Entry>,
}

/// Measures, writes both files, prints the summary.
pub(crate) fn run(arguments: &ReportArguments) -> Result<(), CliError> {
    let instances = instances(&arguments.problems)?;
    // A folder that cannot be written should fail before the work.
    fs::create_dir_all(&arguments.out).map_err(|error| CliError::write(&arguments.out, &error))?;
    let progress = progress::bar(instances.len());
    let mut entries = Vec::with_capacity(instances.len());
    for (name, source) in &instances {
        progress.set_message(*name);
        entries.push(visit(name, source, Measure { source })??);
        progress.inc(1);
    }
    progress.finish_and_clear();
    let report = Report {
        version: env!("CARGO_PKG_VERSION"),
        tolerance: TOLERANCE,
        entries,
    };
    let json = serde_json::to_string_pretty(&report).map_err(std::io::Error::from)?;
    for (file, text) in [
        ("report.json", json + "\n"),
        ("report.md", markdown::report(&report)),
    ] {
        let path = arguments.out.join(file);
        fs::write(&path, text).map_err(|error| CliError::write(&path, &error))?;
    }
    if arguments.json {
        print_json(&report)?;
    } else {
        print(&markdown::summary(&report, &arguments.out))?;
    }
    report.verdict()
}

/// The instances in the order of the registry, the default one of each problem first.
fn instances(names: &[String]) -> Result<Vec<(&'static str, Source)>, CliError> {
    for name in names {
        find(name)?;
    }
    let mut instances = Vec::new();
    for problem in &PROBLEMS {
        if !names.is_empty() && !names.iter().any(|name| name == problem.name) {
            continue;
        }
        instances.push((problem.name, Source::Default));
        let small = SMALL.iter().find(|(name, _)| *name == problem.name);
        instances.extend(small.map(|(name, sizes)| (*name, Source::Sizes(sizes.to_vec()))));
    }
    Ok(instances)
}

impl Report {
    /// An error if two modes do not agree somewhere.
    fn verdict(&self) -> Result<(), CliError> {
        for entry in &self.entries {
            for row in &entry.rows {
                if row
                    .difference
                    .is_some_and(|d| d.0 > TOLERANCE || d.0.is_nan())
                {
                    return Err(CliError::Failure(format!(
                        "modes disagree: {} ({}) in {}; see report.md",
                        entry.problem, entry.instance, row.mode
                    )));
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_small_instance_belongs_to_a_problem() {
        let all = instances(&[]).unwrap();
        assert_eq!(all.len(), PROBLEMS.len() + SMALL.len());
        let some = instances(&["gmm".into(), "slide".into()]).unwrap();
        let names: Vec<&str> = some.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["slide", "gmm", "gmm"]);
        assert!(instances(&["none".into()]).is_err());
    }
}
