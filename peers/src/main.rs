//! Comparison with other crates: the same work, in one process, by interleaved rounds.
//!
//! Invariant: nothing is timed before its results have been checked; a contestant that fails is listed with the reason, and the
//! exit code of a single workload is 1 then.

mod ba;
mod gmm;
mod gradients;
mod input;
mod measure;
mod real;
mod replay;
mod sizes;
mod tape;
mod taylor;

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Display;
use std::io::{StdoutLock, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use serde::Serialize;

use crate::measure::{Comparison, OURS, PLAIN, target_cpu};
use crate::sizes::{Point, Sweep};

/// Times wengert and other crates doing the same work.
#[derive(Parser)]
struct Arguments {
    /// What to compare; `all` is everything that other crates take part in.
    workload: Name,
    /// Print JSON, which `wengert report --peers` reads.
    #[arg(long)]
    json: bool,
    /// Write the JSON to this file as well.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Measured rounds (an odd number gives a measured median); at least 7 are advised.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: Option<u32>,
    /// Folder with ADBench instances; instances of the same sizes are generated where it is absent.
    #[arg(long, default_value = "../shared/adbench")]
    adbench: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum Name {
    /// Tape, gmm, ba, taylor and sizes, in one file.
    All,
    /// Ten million binary operations by reverse mode.
    Tape,
    /// Gradient of a Gaussian mixture.
    Gmm,
    /// Jacobian of bundle adjustment.
    Ba,
    /// Taylor series of one function, orders 3 and 10.
    Taylor,
    /// Gradients over the number of inputs.
    Sizes,
    /// Recorded programs: recording, differentiating, replaying. Only ours take part.
    Replay,
}

/// Several workloads in one file.
#[derive(Serialize)]
struct Everything {
    name: &'static str,
    target_cpu: &'static str,
    cases: Vec<Comparison>,
    points: Vec<Point>,
    /// Workloads and contestants that are not shown, and why.
    failed: BTreeMap<String, String>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            // Nothing is left to do where even standard error cannot be written.
            let _ = writeln!(std::io::stderr(), "error: {e}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let rounds = |default| arguments.rounds.unwrap_or(default);
    let workload = |name| match name {
        Name::Tape => tape::run(rounds(7)),
        Name::Gmm => gmm::run(&arguments.adbench, rounds(21)),
        Name::Ba => ba::run(&arguments.adbench, rounds(51)),
        Name::Taylor => taylor::run(rounds(101)),
        Name::Replay => replay::run(&arguments.adbench, rounds(21)),
        Name::All | Name::Sizes => Err("this name stands for several workloads".to_owned()),
    };
    let mut everything = Everything {
        name: "all",
        target_cpu: target_cpu(),
        cases: Vec::new(),
        points: Vec::new(),
        failed: BTreeMap::new(),
    };
    match arguments.workload {
        Name::All => {
            for (name, text) in [
                (Name::Tape, "tape"),
                (Name::Gmm, "gmm"),
                (Name::Ba, "ba"),
                (Name::Taylor, "taylor"),
            ] {
                match workload(name) {
                    Ok(comparison) => everything.add(comparison),
                    Err(reason) => {
                        everything.failed.insert(text.to_owned(), reason);
                    }
                }
            }
            match sizes::run(rounds(21)) {
                Ok(sweep) => everything.sweep(sweep),
                Err(reason) => {
                    everything.failed.insert("sizes".to_owned(), reason);
                }
            }
        }
        Name::Sizes => everything.sweep(sizes::run(rounds(21))?),
        name => {
            let comparison = workload(name)?;
            let mut failed = comparison.failed.clone();
            let cases = comparison.cases.iter();
            failed.extend(cases.flat_map(|case| case.failed.clone()));
            return finish(arguments, &comparison, &failed, |out| {
                tables(out, &comparison)
            });
        }
    }
    let failed = match arguments.workload {
        // Whoever asks for everything gets what there is, with the reasons for what there is not.
        Name::All => BTreeMap::new(),
        _ => everything.failed.clone(),
    };
    finish(arguments, &everything, &failed, |out| everything.print(out))
}

/// Prints and writes what was measured; an error if a contestant failed.
fn finish<T: Serialize, K: Display>(
    arguments: &Arguments,
    measured: &T,
    failed: &BTreeMap<K, String>,
    print: impl FnOnce(&mut StdoutLock<'_>) -> std::io::Result<()>,
) -> Result<(), Box<dyn Error>> {
    let json = serde_json::to_string_pretty(measured)? + "\n";
    if let Some(path) = &arguments.out {
        std::fs::write(path, &json)
            .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    let mut out = std::io::stdout().lock();
    if arguments.json {
        out.write_all(json.as_bytes())?;
    } else {
        print(&mut out)?;
    }
    match failed.iter().next() {
        Some((name, reason)) => Err(format!("{name}: {reason}").into()),
        None => Ok(()),
    }
}

impl Everything {
    /// The cases of a workload, or the workload itself.
    fn add(&mut self, mut comparison: Comparison) {
        match std::mem::take(&mut comparison.cases) {
            cases if cases.is_empty() => self.cases.push(comparison),
            cases => self.cases.extend(cases),
        }
    }

    fn sweep(&mut self, sweep: Sweep) {
        self.points.extend(sweep.points);
        self.failed.extend(sweep.failed);
    }

    fn print(&self, out: &mut impl Write) -> std::io::Result<()> {
        for case in &self.cases {
            table(out, case)?;
        }
        if !self.points.is_empty() {
            writeln!(
                out,
                "{:<14} {:>8} {:<14} {:>12} {:>12} {:>10}",
                "problem", "inputs", "", "seconds", "over plain", "deviation"
            )?;
        }
        for point in &self.points {
            writeln!(
                out,
                "{:<14} {:>8} {:<14} {:>12.4e} {:>12.2} {:>10.1e}",
                point.problem,
                point.inputs,
                point.tool,
                point.seconds,
                point.ratio,
                point.deviation
            )?;
        }
        for (name, reason) in &self.failed {
            writeln!(out, "not shown: {name}: {reason}")?;
        }
        Ok(())
    }
}

/// A workload, or its cases one by one.
fn tables(out: &mut impl Write, comparison: &Comparison) -> std::io::Result<()> {
    if comparison.cases.is_empty() {
        return table(out, comparison);
    }
    comparison
        .cases
        .iter()
        .try_for_each(|case| table(out, case))
}

/// One line per contestant, fastest first.
fn table(out: &mut impl Write, comparison: &Comparison) -> std::io::Result<()> {
    writeln!(
        out,
        "{} ({} flags, median of {} rounds, {} x {})",
        comparison.name,
        comparison.target_cpu,
        comparison.rounds,
        comparison.operations,
        comparison.operation
    )?;
    writeln!(
        out,
        "{:<20} {:>12} {:>12} {:>10} {:>12} {:>10}",
        "", "seconds", "fastest", "ns per op", "over plain", "deviation"
    )?;
    let mut lines = vec![(PLAIN, comparison.plain_seconds)];
    lines.extend(comparison.ours_seconds.map(|s| (OURS, s)));
    lines.extend(comparison.peers.iter().map(|(&name, &s)| (name, s)));
    lines.sort_by(|a, b| a.1.total_cmp(&b.1));
    for (name, seconds) in lines {
        let per_op = seconds * 1e9 / f64::from(comparison.operations);
        let over_plain = seconds / comparison.plain_seconds;
        let fastest = comparison
            .minimum_seconds
            .get(name)
            .copied()
            .unwrap_or(f64::NAN);
        write!(
            out,
            "{name:<20} {seconds:>12.4e} {fastest:>12.4e} {per_op:>10.3}"
        )?;
        write!(out, " {over_plain:>12.2}")?;
        match comparison.deviations.get(name) {
            Some(deviation) => writeln!(out, " {deviation:>10.1e}")?,
            None => writeln!(out)?,
        }
    }
    for (name, reason) in &comparison.failed {
        writeln!(out, "{name:<20} not shown: {reason}")?;
    }
    if let Some(ratio) = comparison.ratio_to_best_peer {
        writeln!(out, "{OURS} over the fastest peer: {ratio:.3}")?;
    }
    writeln!(out, "results checked against: {}", comparison.oracle)
}
