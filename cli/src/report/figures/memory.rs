//! Memory of all problems in all modes, against the operations of the function.
//!
//! Invariant: bytes are those that the library reports of its tapes and replays.
//! Source: Griewank & Walther 2008, §4.3 (memory of the reverse mode).

use super::chart::{Axis, Chart, Key, fit};
use super::{Figure, csv};

/// One mode of one instance.
#[derive(Clone, Debug)]
pub(in super::super) struct Used {
    pub(in super::super) problem: String,
    /// The colour and marker of the mode.
    pub(in super::super) series: usize,
    pub(in super::super) mode: String,
    /// The operations of the function.
    pub(in super::super) operations: f64,
    pub(in super::super) bytes: f64,
}

pub(in super::super) fn figure(used: &[Used]) -> Figure {
    let mut modes: Vec<(usize, &str)> = Vec::new();
    for used in used {
        let mode = (used.series, used.mode.as_str());
        if !modes.contains(&mode) {
            modes.push(mode);
        }
    }
    let of_mode = |mode: &str| -> Vec<(f64, f64)> {
        let of_mode = used.iter().filter(|used| used.mode == mode);
        of_mode.map(|used| (used.operations, used.bytes)).collect()
    };
    let name = |mode: &str| match fit(&of_mode(mode)) {
        Some((slope, _)) => format!("{mode} (n^{slope:.2})"),
        None => mode.to_string(),
    };
    let legend: Vec<(Key, String)> = modes
        .iter()
        .map(|(series, mode)| (Key::Marker(*series), name(mode)))
        .collect();
    let title = "Memory of the modes, all problems";
    let x = Axis::log(
        "operations of the function",
        used.iter().map(|used| used.operations),
    );
    let y = Axis::log(
        "memory for the derivative (bytes)",
        used.iter().map(|used| used.bytes),
    );
    let mut chart = Chart::new(title, x, y, &legend);
    for (series, mode) in &modes {
        for place in of_mode(mode)
            .into_iter()
            .filter_map(|p| chart.place(p))
            .collect::<Vec<_>>()
        {
            chart.drawing.marker(place, *series, 4.0);
        }
    }
    let row = |used: &Used| {
        vec![
            used.problem.clone(),
            used.mode.clone(),
            used.operations.to_string(),
            used.bytes.to_string(),
        ]
    };
    Figure {
        id: "memory".into(),
        title: title.into(),
        caption: "Tape and adjoints of reverse mode, program and registers of a replay, against the operations of the value. Points on a \
                  line of slope one grow in proportion to the operations; a program stores a loop once, however often it runs; \
                  a forward pass keeps the tangents of its inputs and outputs alone."
            .into(),
        drawing: chart.drawing,
        csv: csv(&["problem", "mode", "operations", "bytes"], used.iter().map(row)),
        steps: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::figures::canvas::tests::assert_readable;

    #[test]
    fn memory_is_drawn_per_mode() {
        let used = |mode: &str, operations: f64, bytes| Used {
            problem: "p".into(),
            series: mode.len() % 6,
            mode: mode.into(),
            operations,
            bytes,
        };
        let figure = figure(&[
            used("reverse", 10.0, 300.0),
            used("reverse", 1000.0, 30000.0),
            used("program", 1000.0, 900.0),
        ]);
        assert_readable(&figure.drawing);
        let svg = figure.svg().unwrap();
        assert!(svg.contains("reverse (n^1.00)") && svg.contains("program"));
        assert_eq!(figure.csv.lines().nth(3), Some("p,program,1000,900"));
    }
}
