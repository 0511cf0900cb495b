//! Counted operations against measured time, of all problems and modes: does the count predict?
//!
//! Invariant: the correlation is that of the logarithms of all points drawn.
//! Source: Pearson's coefficient; Griewank & Walther 2008, §4.5 (operations as the measure of cost).

use super::canvas::{Color, Place};
use super::chart::{Axis, Chart, Key, fit};
use super::{Figure, csv};

/// One mode of one instance.
#[derive(Clone, Debug)]
pub(in super::super) struct Measured {
    pub(in super::super) problem: String,
    pub(in super::super) instance: String,
    /// The colour and marker of the mode.
    pub(in super::super) series: usize,
    pub(in super::super) mode: String,
    pub(in super::super) operations: f64,
    pub(in super::super) seconds: f64,
}

/// All modes of all problems.
pub(in super::super) fn figure(measured: &[Measured]) -> Figure {
    scatter(
        "prediction",
        "Counted operations and measured time",
        "Every point is a mode of a problem. The closer the points lie to one line, the better the count tells the time",
        measured,
    )
}

/// All elimination orders of all planned problems, by problem.
pub(in super::super) fn orders(measured: &[Measured]) -> Figure {
    scatter(
        "prediction-orders",
        "Operations and time of elimination orders",
        "Every point is the Jacobian program of one elimination order, simplified and replayed; its operations are those of the \
         order and of the partials. Orders of one problem that lie on a rising line are ranked by their count as by their time",
        measured,
    )
}

fn scatter(id: &str, title: &str, caption: &str, measured: &[Measured]) -> Figure {
    let mut modes: Vec<(usize, &str)> = Vec::new();
    for point in measured {
        let mode = (point.series, point.mode.as_str());
        if !modes.contains(&mode) {
            modes.push(mode);
        }
    }
    let points: Vec<(f64, f64)> = measured
        .iter()
        .map(|point| (point.operations, point.seconds))
        .collect();
    let correlation = correlation(&points);
    let line = fit(&points);
    let mut legend: Vec<(Key, String)> = modes
        .iter()
        .map(|(series, mode)| (Key::Marker(*series), (*mode).to_string()))
        .collect();
    if let Some((slope, intercept)) = line {
        let text = format!(
            "fit: {:.2} ns · operations^{slope:.2}",
            10_f64.powf(intercept) * 1e9
        );
        legend.push((Key::Dashes(Color::Ink), text));
    }
    let title = format!("{title} (correlation {correlation:.3})");
    let x = Axis::log("operations (exact count)", points.iter().map(|p| p.0));
    let y = Axis::log("time (s)", points.iter().map(|p| p.1));
    let mut chart = Chart::new(&title, x, y, &legend);
    if let Some((slope, intercept)) = line {
        let ends = points.iter().map(|p| p.0).filter(|x| *x > 0.0);
        let (low, high) = ends.fold((f64::INFINITY, 0.0_f64), |(low, high), x| {
            (low.min(x), high.max(x))
        });
        // The part of the line that lies in the frame.
        let at = |share: f64| {
            let x = low.log10() + (high.log10() - low.log10()) * share;
            (10_f64.powf(x), 10_f64.powf(intercept + slope * x))
        };
        let inside: Vec<Place> = (0..=200)
            .filter_map(|i| chart.place(at(f64::from(i) / 200.0)))
            .collect();
        if let (Some(first), Some(last)) = (inside.first(), inside.last()) {
            chart.drawing.dashes(*first, *last, Color::Ink, 2.0);
        }
    }
    for point in measured {
        if let Some(place) = chart.place((point.operations, point.seconds)) {
            chart.drawing.marker(place, point.series, 3.5);
        }
    }
    let row = |point: &Measured| {
        vec![
            point.problem.clone(),
            point.instance.clone(),
            point.mode.clone(),
            point.operations.to_string(),
            format!("{:e}", point.seconds),
        ]
    };
    Figure {
        id: id.into(),
        caption: format!("{caption} (the correlation of the logarithms is {correlation:.3})."),
        title,
        drawing: chart.drawing,
        csv: csv(
            &["problem", "instance", "mode", "operations", "seconds"],
            measured.iter().map(row),
        ),
        steps: None,
    }
}

/// The correlation of the logarithms; NaN if one of them does not vary.
pub(in super::super) fn correlation(points: &[(f64, f64)]) -> f64 {
    let swapped: Vec<(f64, f64)> = points.iter().map(|(x, y)| (*y, *x)).collect();
    match (fit(points), fit(&swapped)) {
        // The product of both slopes is the square of the correlation.
        (Some((forth, _)), Some((back, _))) => (forth * back).sqrt().copysign(forth),
        _ => f64::NAN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::figures::canvas::tests::assert_readable;

    #[test]
    fn correlations_are_pearsons() {
        assert!((correlation(&[(1.0, 5.0), (10.0, 50.0), (100.0, 500.0)]) - 1.0).abs() < 1e-12);
        assert!((correlation(&[(1.0, 9.0), (10.0, 3.0), (100.0, 1.0)]) + 1.0).abs() < 1e-3);
        // Logarithms 0, 1, 2 and 0, 1, 0 do not correlate.
        assert!(correlation(&[(1.0, 1.0), (10.0, 10.0), (100.0, 1.0)]).abs() < 1e-12);
        assert!(correlation(&[(1.0, 1.0)]).is_nan());
    }

    #[test]
    fn every_point_is_in_the_file() {
        let point = |mode: &str, operations: f64, seconds| Measured {
            problem: "p".into(),
            instance: "n = 1, m = 2".into(),
            series: mode.len() % 6,
            mode: mode.into(),
            operations,
            seconds,
        };
        let figure = figure(&[
            point("forward", 10.0, 1e-8),
            point("reverse", 1e6, 2e-4),
            point("reverse", 1e3, 1e-6),
        ]);
        assert_readable(&figure.drawing);
        assert_eq!(
            figure.csv.lines().nth(1),
            Some("p,\"n = 1, m = 2\",forward,10,1e-8")
        );
        assert!(
            figure.title.contains("correlation 0.99"),
            "{}",
            figure.title
        );
    }
}
