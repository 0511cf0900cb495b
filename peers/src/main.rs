//! Comparison with other crates: the same work, in one process, by interleaved rounds.
//!
//! Invariant: nothing is timed before its results have been checked.

mod ba;
mod gmm;
mod gradients;
mod input;
mod measure;
mod real;
mod replay;
mod tape;
mod taylor;

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};

use crate::measure::{Comparison, OURS, PLAIN};

/// Times wengert and other crates doing the same work.
#[derive(Parser)]
struct Arguments {
    /// What to compare.
    workload: Name,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Measured rounds (an odd number gives a measured median); at least 7 are advised.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: Option<u32>,
    /// Folder with ADBench instances; instances of the same sizes are generated where it is absent.
    #[arg(long, default_value = "../shared/adbench")]
    adbench: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum Name {
    /// Ten million binary operations by reverse mode.
    Tape,
    /// Gradient of a Gaussian mixture.
    Gmm,
    /// Jacobian of bundle adjustment.
    Ba,
    /// Taylor series of one function, orders 3 and 10.
    Taylor,
    /// Recorded programs: recording, differentiating, replaying.
    Replay,
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
    let comparison = match arguments.workload {
        Name::Tape => tape::run(rounds(7)),
        Name::Gmm => gmm::run(&arguments.adbench, rounds(21)),
        Name::Ba => ba::run(&arguments.adbench, rounds(51)),
        Name::Taylor => taylor::run(rounds(101)),
        Name::Replay => replay::run(&arguments.adbench, rounds(21)),
    }?;
    let mut out = std::io::stdout().lock();
    if arguments.json {
        serde_json::to_writer_pretty(&mut out, &comparison)?;
        writeln!(out)?;
    } else if comparison.cases.is_empty() {
        table(&mut out, &comparison)?;
    } else {
        for case in &comparison.cases {
            table(&mut out, case)?;
        }
    }
    Ok(())
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
    if let Some(ratio) = comparison.ratio_to_best_peer {
        writeln!(out, "{OURS} over the fastest peer: {ratio:.3}")?;
    }
    writeln!(out, "results checked against: {}", comparison.oracle)
}
