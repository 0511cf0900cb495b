//! `wengert report`: operations, times, memory and agreement of every problem in every mode, with figures.
//!
//! Invariant: operation counts are exact and the same on every machine; a count or time that would take too long is left
//! out with a note, never estimated.
//! Source: Griewank & Walther 2008, §3 and §5 (costs relative to the value).

mod chains;
mod figures;
mod instance;
mod markdown;
mod page;
mod peers;
mod planned;
mod plots;
mod program;

use std::fs;

use serde::Serialize;
use wengert_cli::visit;
use wengert_problems::registry::{PROBLEMS, Source, find};

use self::chains::PlannedChain;
use self::instance::{Entry, Measure};
use self::page::Section;
use self::peers::Peers;
use self::planned::{PLANNED, PlanOrders, Planned};
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

/// Families whose sizes are swept, in quick and in full reports.
const SWEPT: [(&str, &[usize], &[usize]); 7] = [
    (
        "speelpenning",
        &[4, 16, 64, 256],
        &[4, 8, 16, 32, 64, 128, 256, 512],
    ),
    ("helmholtz", &[4, 16, 64], &[4, 8, 16, 32, 64, 128]),
    (
        "rosen",
        &[4, 16, 64, 256],
        &[4, 8, 16, 32, 64, 128, 256, 512],
    ),
    ("brybnd", &[], &[8, 16, 32, 64, 128, 256, 512]),
    ("bratu", &[], &[9, 25, 64, 144, 400]),
    ("lj", &[], &[6, 12, 24, 48, 96]),
    ("ocp", &[], &[6, 12, 24, 48, 96, 192]),
];

/// The whole report.
#[derive(Serialize)]
struct Report {
    version: &'static str,
    tolerance: f64,
    entries: Vec<Entry>,
    /// Problems over their sizes.
    sweeps: Vec<Sweep>,
    /// Elimination orders.
    plans: Vec<Planned>,
    /// Jacobian chains.
    chains: Vec<PlannedChain>,
    peers: Peers,
}

/// One problem over its sizes.
#[derive(Serialize)]
struct Sweep {
    problem: &'static str,
    entries: Vec<Entry>,
}

/// Measures, writes all files, prints the summary.
pub(crate) fn run(arguments: &ReportArguments) -> Result<(), CliError> {
    if let Some(path) = &arguments.program {
        return program::run(path, arguments);
    }
    let names = [&*arguments.problems, &*arguments.more_problems].concat();
    let instances = instances(&names)?;
    let swept = swept(&names, arguments.full);
    let peers = Peers::read(&arguments.peers)?;
    // A folder that cannot be written should fail before the work.
    fs::create_dir_all(&arguments.out).map_err(|error| CliError::write(&arguments.out, &error))?;
    let sizes: usize = swept.iter().map(|(_, sizes)| sizes.len()).sum();
    let wanted = wanted(&names);
    let progress = progress::bar(instances.len() + sizes + wanted.len());
    let measure = |name: &'static str, source: &Source| -> Result<Entry, CliError> {
        progress.set_message(name);
        let entry = visit(name, source, Measure { source })??;
        progress.inc(1);
        Ok(entry)
    };
    let mut entries = Vec::with_capacity(instances.len());
    for (name, source) in &instances {
        entries.push(measure(name, source)?);
    }
    let mut sweeps = Vec::with_capacity(swept.len());
    for (problem, sizes) in swept {
        let sources = sizes.iter().map(|size| Source::Sizes(vec![*size]));
        let entries = sources
            .map(|source| measure(problem, &source))
            .collect::<Result<_, _>>()?;
        sweeps.push(Sweep { problem, entries });
    }
    let mut plans = Vec::with_capacity(wanted.len());
    for name in wanted {
        progress.set_message(name);
        plans.extend(visit(name, &Source::Default, PlanOrders)??);
        progress.inc(1);
    }
    let chains = if names.is_empty() {
        chains::planned()?
    } else {
        Vec::new()
    };
    progress.finish_and_clear();
    let report = Report {
        version: env!("CARGO_PKG_VERSION"),
        tolerance: TOLERANCE,
        entries,
        sweeps,
        plans,
        chains,
        peers,
    };
    let sections = report.sections();
    let introduction = format!(
        "wengert {}, {}. Operations are exact counts; times are medians on this machine, to compare modes with each other.",
        report.version,
        if arguments.full {
            "full report"
        } else {
            "quick report"
        }
    );
    let page = page::page("Costs of derivatives", &introduction, &sections)?;
    write(
        arguments,
        &sections,
        page,
        &report,
        markdown::report(&report),
    )?;
    if arguments.json {
        print_json(&report)?;
    } else {
        print(&markdown::summary(&report, &arguments.out))?;
    }
    report.verdict()
}

/// Writes the page, the report as JSON and as Markdown, and all figures.
fn write(
    arguments: &ReportArguments,
    sections: &[Section],
    page: String,
    report: &impl Serialize,
    markdown: String,
) -> Result<(), CliError> {
    let json = serde_json::to_string_pretty(report).map_err(std::io::Error::from)? + "\n";
    for (file, text) in [
        ("index.html", page),
        ("report.json", json),
        ("report.md", markdown),
    ] {
        let path = arguments.out.join(file);
        fs::write(&path, text).map_err(|error| CliError::write(&path, &error))?;
    }
    for figure in sections.iter().flat_map(|section| &section.figures) {
        figure.write(&arguments.out)?;
    }
    Ok(())
}

/// The sizes to sweep of every family that is wanted.
fn swept(names: &[String], is_full: bool) -> Vec<(&'static str, &'static [usize])> {
    let sizes = SWEPT
        .iter()
        .map(|(name, quick, full)| (*name, if is_full { *full } else { *quick }));
    let wanted = sizes.filter(|(name, sizes)| {
        !sizes.is_empty() && (names.is_empty() || names.iter().any(|n| n == name))
    });
    wanted.collect()
}

/// The problems to plan.
fn wanted(names: &[String]) -> Vec<&'static str> {
    let is_wanted = |name: &str| {
        if names.is_empty() {
            PLANNED.contains(&name)
        } else {
            names.iter().any(|n| n == name)
        }
    };
    let all = PROBLEMS.iter().map(|problem| problem.name);
    all.filter(|name| is_wanted(name)).collect()
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
    /// The parts of the page.
    fn sections(&self) -> Vec<Section> {
        let mut all: Vec<&Entry> = self.entries.iter().collect();
        all.extend(self.sweeps.iter().flat_map(|sweep| &sweep.entries));
        let mut growth = Section::new(
            "Growth with the number of inputs",
            "How time and memory of every mode grow with the number of inputs; exponents are fitted.",
        );
        for sweep in &self.sweeps {
            growth.figures.extend(plots::over_sizes(
                sweep.problem,
                &sweep.entries,
                &self.peers.points,
            ));
        }
        let mut prediction = Section::new(
            "Counts, times and memory",
            "All problems in all modes: whether the exact count of operations tells the time, and what memory a mode takes.",
        );
        prediction.figures = plots::over_all(&all);
        let mut orders = Section::new(
            "Elimination orders",
            "Accumulating a Jacobian is eliminating the vertices of its linearized graph; the order decides how many \
             multiplications it takes. The tables show the counts beside the time of one replay of the order's Jacobian program; \
             arithmetic leaves out products that need no computing and has additions; operations are those of the program, the \
             partials included.",
        );
        orders.figures.extend(plots::over_orders(&self.plans));
        for planned in &self.plans {
            orders.figures.extend(planned.figures.iter().cloned());
            orders.tables.push(planned.table());
        }
        let mut brackets = Section::new(
            "Jacobian chains",
            "The Jacobian of functions that run one after the other is a product of matrices; the brackets decide its cost. \
             Several workers compute operands at the same time. J0 is next to the inputs.",
        );
        for chain in &self.chains {
            brackets.figures.extend(chain.figures.iter().cloned());
        }
        if !self.chains.is_empty() {
            let table = chains::table(&self.chains);
            brackets.tables.push(("Chains".into(), table));
        }
        let mut others = Section::new(
            "Other tools",
            "Times of other tools that did the same work and agreed to 1e-8.",
        );
        others.figures = self.peers.figures();
        let tables = [
            ("All times", self.peers.table()),
            ("Not shown", self.peers.refused()),
        ];
        let tables = tables
            .into_iter()
            .filter_map(|(title, table)| Some((title.into(), table?)));
        others.tables.extend(tables);
        let mut tables = Section::new(
            "Tables",
            "Every mode of every instance. Differences are relative to the largest entry, from the first forward or reverse row of the order.",
        );
        tables.tables = markdown::tables(&self.entries)
            .map(|(title, table)| (title.to_string(), table))
            .into();
        let sections = [
            growth,
            prediction,
            orders,
            brackets,
            others,
            page::guarantees(),
            tables,
        ];
        let has_content =
            |section: &Section| !(section.figures.is_empty() && section.tables.is_empty());
        sections.into_iter().filter(has_content).collect()
    }

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
        for planned in &self.plans {
            for order in &planned.orders {
                if order
                    .difference
                    .is_some_and(|d| d.0 > TOLERANCE || d.0.is_nan())
                {
                    return Err(CliError::Failure(format!(
                        "orders disagree: {} by {}; see report.json",
                        planned.problem, order.name
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
    fn sweeps_follow_the_names() {
        assert_eq!(swept(&[], false).len(), 3);
        assert_eq!(swept(&[], true).len(), SWEPT.len());
        assert_eq!(swept(&["rosen".into(), "slide".into()], false).len(), 1);
        for (name, ..) in SWEPT {
            assert!(find(name).is_ok());
        }
    }

    #[test]
    fn every_small_instance_belongs_to_a_problem() {
        let all = instances(&[]).unwrap();
        assert_eq!(all.len(), PROBLEMS.len() + SMALL.len());
        let some = instances(&["gmm".into(), "slide".into()]).unwrap();
        let names: Vec<&str> = some.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["slide", "gmm", "gmm"]);
        assert!(instances(&["none".into()]).is_err());
    }

    #[test]
    fn what_is_planned_follows_the_names() {
        assert_eq!(wanted(&[]).len(), PLANNED.len());
        assert_eq!(wanted(&["pollu".into()]), ["pollu"]);
    }
}
