//! From measured entries to figures.
//!
//! Invariant: a figure shows what was measured; where a mode was too large to time or count, its point is missing.

use super::figures::Figure;
use super::figures::memory::{self, Used};
use super::figures::prediction::{self, Measured};
use super::figures::scaling::{self, Line, Point, Quantity};
use super::instance::{Entry, PRODUCT, Row};
use super::peers::PeerPoint;
use super::planned::Planned;

/// The modes whose growth is drawn, of order 1 and 2; the others are in the tables.
const DRAWN: [(&str, u8, &str); 7] = [
    ("value", 0, "function"),
    ("forward", 1, "gradient, forward"),
    ("reverse", 1, "gradient, reverse"),
    ("program", 1, "gradient, program"),
    ("forward-over-reverse", 2, "Hessian, forward over reverse"),
    ("program", 2, "Hessian, program"),
    (PRODUCT, 2, "Hessian times v"),
];

/// The figures over all problems.
pub(super) fn over_all(entries: &[&Entry]) -> Vec<Figure> {
    let rows = || {
        entries
            .iter()
            .flat_map(|entry| entry.rows.iter().map(move |row| (*entry, row)))
    };
    let measured = rows().filter_map(|(entry, row)| {
        Some(Measured {
            problem: entry.problem.into(),
            instance: entry.instance.clone(),
            series: class(row).0,
            mode: class(row).1.into(),
            operations: row.operations.as_ref()?.flops as f64,
            seconds: row.seconds?.0,
        })
    });
    let measured: Vec<Measured> = measured.filter(|point| point.operations > 0.0).collect();
    let used = rows().filter_map(|(entry, row)| {
        let value = entry.rows.first()?.operations.as_ref()?;
        Some(Used {
            problem: format!("{} ({})", entry.problem, entry.instance),
            series: class(row).0,
            mode: class(row).1.into(),
            operations: value.flops as f64,
            bytes: bytes(row).filter(|bytes| *bytes > 0.0)?,
        })
    });
    let used: Vec<Used> = used.collect();
    vec![prediction::figure(&measured), memory::figure(&used)]
}

/// The colour and the name of a row where nestings of one order share them; as in [`DRAWN`].
fn class(row: &Row) -> (usize, &'static str) {
    let is_program = row.mode == "program" || row.mode == "planned";
    match (row.order, row.mode.split(',').next()) {
        (0, _) => (0, "function"),
        (1, _) if is_program => (3, "first order, program"),
        (1, Some("forward")) => (1, "first order, forward"),
        (1, _) => (2, "first order, reverse"),
        _ if is_program => (5, "Hessian, program"),
        _ if row.mode == PRODUCT => (6, PRODUCT),
        _ => (4, "Hessian, carriers"),
    }
}

/// Counts and times of all elimination orders, coloured by problem.
pub(super) fn over_orders(plans: &[Planned]) -> Option<Figure> {
    let points = plans.iter().enumerate().flat_map(|(series, planned)| {
        planned.orders.iter().filter_map(move |order| {
            Some(Measured {
                problem: planned.problem.clone(),
                instance: order.name.clone(),
                series,
                mode: planned.problem.clone(),
                operations: order.operations as f64,
                seconds: order.seconds?.0,
            })
        })
    });
    let points: Vec<Measured> = points.filter(|point| point.operations > 0.0).collect();
    (points.len() > 1).then(|| prediction::orders(&points))
}

// Bytes that are drawn are far below 2^53.
fn bytes(row: &Row) -> Option<f64> {
    Some(row.bytes? as f64)
}

/// The figures of one problem over its sizes, in which peers are drawn in.
pub(super) fn over_sizes(problem: &str, sweep: &[Entry], peers: &[PeerPoint]) -> Vec<Figure> {
    let mut tools: Vec<&str> = peers.iter().map(|peer| peer.tool.as_str()).collect();
    tools.sort_unstable();
    tools.dedup();
    let lines = |quantity: Quantity| -> Vec<Line> {
        let ours = DRAWN
            .iter()
            .enumerate()
            .map(|(series, (mode, order, name))| {
                let point = |entry: &Entry| {
                    let row = entry
                        .rows
                        .iter()
                        .find(|row| row.mode == *mode && row.order == *order)?;
                    let y = match quantity {
                        Quantity::Seconds => row.seconds?.0,
                        Quantity::Ratio => row.seconds_ratio.filter(|_| *order > 0)?.0,
                        Quantity::Bytes => bytes(row).filter(|bytes| *bytes > 0.0)?,
                    };
                    Some(Point {
                        inputs: entry.inputs as f64,
                        y,
                    })
                };
                Line {
                    name: (*name).into(),
                    series,
                    is_peer: false,
                    points: sweep.iter().filter_map(point).collect(),
                }
            });
        let mut lines: Vec<Line> = ours.filter(|line| !line.points.is_empty()).collect();
        for peer in peers.iter().filter(|peer| peer.problem == problem) {
            let y = match quantity {
                Quantity::Seconds => peer.seconds,
                Quantity::Ratio => peer.ratio,
                Quantity::Bytes => continue,
            };
            let point = Point {
                inputs: peer.inputs,
                y,
            };
            match lines.iter_mut().find(|line| line.name == peer.tool) {
                Some(line) => line.points.push(point),
                None => lines.push(Line {
                    name: peer.tool.clone(),
                    series: DRAWN.len()
                        + tools
                            .iter()
                            .position(|tool| *tool == peer.tool)
                            .unwrap_or(0),
                    is_peer: true,
                    points: vec![point],
                }),
            }
        }
        lines
    };
    let quantities = [Quantity::Seconds, Quantity::Ratio, Quantity::Bytes];
    quantities
        .map(|quantity| scaling::figure(problem, quantity, &lines(quantity)))
        .into()
}
