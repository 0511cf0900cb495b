//! `wengert report --program`: the exact costs of a recorded program and of its derivatives.
//!
//! Invariant: nothing is measured; all numbers are the same on every machine.

use std::fs;
use std::path::Path;

use serde::Serialize;
use wengert::program::Program;
use wengert::report::{CostReport, program_cost};

use super::page::{self, Section};
use super::planned::{self, Planned};
use super::write;
use crate::arguments::ReportArguments;
use crate::error::CliError;
use crate::output::{Table, bytes, print, print_json, ratio};

/// What is written to `report.json`.
#[derive(Serialize)]
struct ProgramReport {
    version: &'static str,
    program: String,
    cost: CostReport,
    /// Elimination orders, if the program is short enough.
    plan: Option<Planned>,
}

/// The longest program that is planned: some seconds.
const MOST_PLANNED: usize = 2_000;

/// Reads, counts, writes all files, prints a table.
pub(super) fn run(path: &Path, arguments: &ReportArguments) -> Result<(), CliError> {
    let wrong = |error: &dyn std::fmt::Display| {
        CliError::Failure(format!("cannot read {}: {error}", path.display()))
    };
    let text = fs::read_to_string(path).map_err(|error| wrong(&error))?;
    let is_json = text.trim_start().starts_with('{');
    let parsed = if is_json {
        Program::from_json(&text)
    } else {
        text.parse()
    };
    let program: Program = parsed.map_err(|error| wrong(&error))?;
    fs::create_dir_all(&arguments.out).map_err(|error| CliError::write(&arguments.out, &error))?;
    let stem = path.file_stem().map_or_else(
        || "program".into(),
        |stem| stem.to_string_lossy().into_owned(),
    );
    let name: String = stem
        .chars()
        .map(|c| if c.is_alphanumeric() { c } else { '-' })
        .collect();
    let mut report = ProgramReport {
        version: env!("CARGO_PKG_VERSION"),
        program: name.clone(),
        cost: program_cost(&program)?,
        plan: None,
    };
    let simplified = program.simplify()?;
    if simplified.len() <= MOST_PLANNED {
        report.cost.push_planned(&simplified)?;
        report.plan = planned::planned(&name, &simplified, None)?;
    }
    let table = table(&report.cost);
    let mut section = Section::new(
        "Elimination orders",
        "Accumulating a Jacobian is eliminating the vertices of this graph; the order decides how many multiplications it takes.",
    );
    if let Some(planned) = &report.plan {
        section.figures.clone_from(&planned.figures);
        section.tables.push(planned.table());
    }
    let mut counts = Section::new(
        "Operations and memory",
        "Derivative programs as they come out of differentiation, and simplified; fused counts a product and the addition it \
         belongs to as one. Memory is that of the program and of its replay.",
    );
    let mut markdown = format!("# Costs of {name}\n\n");
    table.render_markdown(&mut markdown);
    let mut summary = String::new();
    table.render(&mut summary);
    counts.tables.push(("Modes".into(), table));
    let mut sections = vec![counts, section, page::guarantees()];
    sections.retain(|section| !(section.figures.is_empty() && section.tables.is_empty()));
    let introduction = format!(
        "{} inputs, {} outputs. All counts are exact.",
        report.cost.inputs, report.cost.outputs
    );
    let page = page::page(&format!("Costs of {name}"), &introduction, &sections)?;
    write(arguments, &sections, page, &report, markdown)?;
    if arguments.json {
        return print_json(&report);
    }
    summary.push_str(&format!(
        "\nwritten: {}\n",
        arguments.out.join("index.html").display()
    ));
    print(&summary)
}

fn table(cost: &CostReport) -> Table {
    let mut table = Table::new(
        &["mode", "operations", "fused", "ratio", "memory", "kinds"],
        1,
    );
    for row in &cost.modes {
        table.push(vec![
            row.mode.clone(),
            row.operations.flops.to_string(),
            row.operations.fused.to_string(),
            ratio(row.ratio),
            bytes(row.bytes),
            row.operations.to_string(),
        ]);
    }
    table
}
