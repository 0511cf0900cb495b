//! The report as Markdown and as a summary for the terminal.
//!
//! Invariant: both are printed from the same [`Report`]; nothing is computed here but ratios of its numbers.

use std::path::Path;

use super::Report;
use super::chains;
use super::instance::{Entry, Row};
use super::planned::Planned;
use crate::output::{Table, bytes, ratio, seconds};

/// The text of `report.md`.
pub(super) fn report(report: &Report) -> String {
    let mut text = String::from("# Costs of derivatives\n\n");
    text.push_str(&format!("wengert {}.\n\n", report.version));
    text.push_str(
        "Operations are exact: each mode was recorded and its scalar operations counted (a sum of k terms is k - 1 \
         additions). Ratios are to the value. A program is recorded, differentiated and simplified once; its operations and times are those of a replay, its tape \
         is the program, its adjoints the registers of the replay. Times are medians of several runs, to compare modes on one machine; \
         the first forward or reverse row of an order is the reference for the differences, which are relative to \
         the largest entry.\n\n",
    );
    for (title, table) in tables(&report.entries) {
        text.push_str(&format!("## {title}\n\n"));
        table.render_markdown(&mut text);
        text.push('\n');
    }
    let mut more: Vec<(String, Table)> = report.plans.iter().map(Planned::table).collect();
    if !report.chains.is_empty() {
        more.push(("Jacobian chains".into(), chains::table(&report.chains)));
    }
    if let Some(table) = report.peers.table() {
        more.push(("Other tools".into(), table));
    }
    if let Some(table) = report.peers.refused() {
        more.push(("Other tools that are not shown".into(), table));
    }
    for (title, table) in more {
        text.push_str(&format!("## {title}\n\n"));
        table.render_markdown(&mut text);
        text.push('\n');
    }
    text.push_str(&notes(report));
    text
}

/// The tables of first and of second order.
pub(super) fn tables(entries: &[Entry]) -> [(&'static str, Table); 2] {
    [(1, "Values, gradients and Jacobians"), (2, "Hessians")].map(|(order, title)| {
        let mut table = Table::new(&HEADER, 3);
        for entry in entries {
            let of_order = |row: &&Row| row.order == order || order == 1 && row.order == 0;
            for row in entry.rows.iter().filter(of_order) {
                table.push(cells(entry, row));
            }
        }
        (title, table)
    })
}

const HEADER: [&str; 13] = [
    "problem",
    "instance",
    "mode",
    "inputs",
    "outputs",
    "operations",
    "ratio",
    "time",
    "ratio",
    "tape",
    "adjoints",
    "memory",
    "difference",
];

fn cells(entry: &Entry, row: &Row) -> Vec<String> {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".into());
    vec![
        entry.problem.into(),
        entry.instance.clone(),
        row.mode.clone(),
        entry.inputs.to_string(),
        entry.outputs.to_string(),
        or_dash(
            row.operations
                .as_ref()
                .map(|operations| operations.flops.to_string()),
        ),
        or_dash(row.operations_ratio.map(|r| ratio(r.0))),
        or_dash(row.seconds.map(|s| seconds(s.0))),
        or_dash(row.seconds_ratio.map(|r| ratio(r.0))),
        or_dash(row.tape_bytes.map(bytes)),
        or_dash(row.adjoint_bytes.map(bytes)),
        or_dash(row.bytes.map(bytes)),
        or_dash(row.difference.map(|d| difference(d.0))),
    ]
}

/// Why entries are missing.
pub(super) fn notes(report: &Report) -> String {
    let mut text = String::from("## Left out\n\n");
    let start = text.len();
    for entry in &report.entries {
        for row in &entry.rows {
            if let Some(note) = row.note {
                let line = format!(
                    "- {} ({}), {}: {note}\n",
                    entry.problem, entry.instance, row.mode
                );
                text.push_str(&line);
            }
        }
    }
    if text.len() == start {
        text.push_str("Nothing.\n");
    }
    text
}

/// What is printed on the terminal: a line per instance.
pub(super) fn summary(report: &Report, out: &Path) -> String {
    let header = [
        "problem",
        "instance",
        "inputs",
        "outputs",
        "operations",
        "forward",
        "reverse",
        "hessian",
        "program",
        "forward time",
        "reverse time",
        "hessian time",
        "program time",
        "difference",
    ];
    let mut table = Table::new(&header, 2);
    for entry in &report.entries {
        let row = |name: &str| {
            entry
                .rows
                .iter()
                .find(|row| row.mode.split(',').next() == Some(name))
        };
        let modes = ["forward", "reverse", "forward-over-reverse", "program"].map(row);
        let value = entry.rows.first().and_then(|row| row.operations.as_ref());
        let mut cells = vec![
            entry.problem.to_string(),
            entry.instance.clone(),
            entry.inputs.to_string(),
            entry.outputs.to_string(),
            value.map_or_else(|| "-".into(), |operations| operations.flops.to_string()),
        ];
        let operations = modes.map(|row| row.and_then(|row| row.operations_ratio));
        let times = modes.map(|row| row.and_then(|row| row.seconds_ratio));
        cells.extend(
            operations
                .iter()
                .chain(&times)
                .map(|r| r.map_or("-".into(), |r| ratio(r.0))),
        );
        let differences = entry.rows.iter().filter_map(|row| row.difference);
        let worst = differences.map(|d| d.0).max_by(f64::total_cmp);
        cells.push(worst.map_or_else(|| "-".into(), difference));
        table.push(cells);
    }
    let mut text = String::new();
    table.render(&mut text);
    text.push_str(&format!(
        "\noperations of the value, then of its derivatives relative to it; times relative to the plain function\n\
         written: {}, {}, {} and the figures\n",
        out.join("index.html").display(),
        out.join("report.md").display(),
        out.join("report.json").display()
    ));
    text
}

/// A relative difference, short.
fn difference(x: f64) -> String {
    if x == 0.0 {
        "0".into()
    } else {
        format!("{x:.1e}")
    }
}
