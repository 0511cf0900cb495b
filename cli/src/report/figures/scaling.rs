//! Run time and its ratio to the function's, against the number of inputs, on logarithmic axes.
//!
//! Invariant: the exponent in the legend is fitted to all points that are drawn.
//! Source: Griewank & Walther 2008, §4.5.

use super::chart::{Axis, Chart, Key, fit};
use super::{Figure, csv};

/// One measured size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in super::super) struct Point {
    /// The number of inputs.
    pub(in super::super) inputs: f64,
    /// Seconds, a ratio, or bytes.
    pub(in super::super) y: f64,
}

/// A mode of this crate, or a peer.
#[derive(Clone, Debug)]
pub(in super::super) struct Line {
    pub(in super::super) name: String,
    /// Its colour and marker: one mode has the same in all figures.
    pub(in super::super) series: usize,
    /// Whether another tool was measured; its line is dashed.
    pub(in super::super) is_peer: bool,
    pub(in super::super) points: Vec<Point>,
}

/// What is on the upright axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Quantity {
    Seconds,
    Ratio,
    Bytes,
}

/// One problem over its sizes.
pub(in super::super) fn figure(problem: &str, quantity: Quantity, lines: &[Line]) -> Figure {
    let (id, title, label, column) = match quantity {
        Quantity::Seconds => (
            "time",
            format!("Run time of {problem}"),
            "time (s)",
            "seconds",
        ),
        Quantity::Ratio => (
            "ratio",
            format!("Run time of {problem}, relative to the function"),
            "time / time of the function",
            "ratio",
        ),
        Quantity::Bytes => (
            "memory",
            format!("Memory for derivatives of {problem}"),
            "memory (bytes)",
            "bytes",
        ),
    };
    let caption = match quantity {
        Quantity::Seconds => {
            "The slope of a line is the exponent with which the time grows with the number of inputs; it is given in the legend. \
             A gradient by reverse mode runs parallel to the function, one by forward mode is steeper by one. Other tools are dashed."
        }
        Quantity::Ratio => {
            "A flat line is a derivative that costs a fixed multiple of its function, however many inputs there are; \
             that is what reverse mode promises for gradients, and a product with the Hessian for second order."
        }
        Quantity::Bytes => {
            "What a mode keeps at once beside the function's own data. Tapes grow with the number of operations; a replayed program \
             keeps its instructions and registers; a forward pass keeps the tangents of its inputs and outputs alone."
        }
    };
    let legend: Vec<(Key, String)> = lines
        .iter()
        .map(|line| {
            let key = if line.is_peer {
                Key::Dashed(line.series)
            } else {
                Key::Line(line.series)
            };
            (key, named(line))
        })
        .collect();
    let all = || lines.iter().flat_map(|line| &line.points);
    let x = Axis::log("number of inputs", all().map(|point| point.inputs));
    let y = Axis::log(label, all().map(|point| point.y));
    let mut chart = Chart::new(&title, x, y, &legend);
    for line in lines {
        if line.is_peer {
            chart.dashed_series(&pairs(line), line.series);
        } else {
            chart.series(&pairs(line), line.series);
        }
    }
    let rows = lines.iter().flat_map(|line| {
        let row = |point: &Point| {
            vec![
                line.name.clone(),
                point.inputs.to_string(),
                format!("{:e}", point.y),
            ]
        };
        line.points.iter().map(row)
    });
    Figure {
        id: format!("{id}-{problem}"),
        title,
        caption: caption.into(),
        drawing: chart.drawing,
        csv: csv(&["mode", "inputs", column], rows),
        steps: None,
    }
}

fn pairs(line: &Line) -> Vec<(f64, f64)> {
    line.points
        .iter()
        .map(|point| (point.inputs, point.y))
        .collect()
}

/// The name and the exponent.
fn named(line: &Line) -> String {
    match fit(&pairs(line)) {
        Some((slope, _)) => format!("{} (n^{slope:.2})", line.name),
        None => line.name.clone(),
    }
}

#[cfg(test)]
pub(in super::super) mod tests {
    use super::*;
    use crate::report::figures::canvas::tests::assert_readable;

    fn line(name: &str, exponent: f64) -> Line {
        let point = |n: f64| Point {
            inputs: n,
            y: 1e-8 * n.powf(exponent),
        };
        Line {
            name: name.into(),
            series: name.len() % 6,
            is_peer: name.contains("peer"),
            points: [4.0, 16.0, 64.0, 256.0].map(point).into(),
        }
    }

    #[test]
    fn exponents_stand_in_the_legend_and_data_in_the_file() {
        let lines = [
            line("value", 1.0),
            line("gradient, forward", 2.0),
            line("a peer", 1.0),
            line("hessian", 2.0),
        ];
        for quantity in [Quantity::Seconds, Quantity::Ratio, Quantity::Bytes] {
            let figure = figure("rosen", quantity, &lines);
            assert_readable(&figure.drawing);
            assert!(figure.svg().unwrap().contains("gradient, forward (n^2.00)"));
            assert_eq!(figure.csv.lines().count(), 1 + 16);
            assert!(
                figure.csv.contains("\"gradient, forward\",16,"),
                "{}",
                figure.csv
            );
        }
        // A mode with a single size has no exponent.
        let mut single = line("value", 1.0);
        single.points.truncate(1);
        assert_eq!(named(&single), "value");
    }
}
