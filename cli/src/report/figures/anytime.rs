//! The best order and the best bound of a search over time.
//!
//! Invariant: both curves are stairs, because a result holds until a better one is found.
//! Source: Zilberstein 1996, *Using anytime algorithms in intelligent systems* (profiles of anytime algorithms).

use super::canvas::Color;
use super::chart::{Axis, Chart, Key};
use super::{Figure, csv};

/// What a search knew at a moment.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Moment {
    pub(in super::super) seconds: f64,
    /// The cost of the best order so far.
    pub(in super::super) best: u64,
    /// The best lower bound so far, if there is one.
    pub(in super::super) bound: Option<u64>,
}

/// A search, its moments in order of time.
pub(in super::super) fn figure(problem: &str, moments: &[Moment]) -> Figure {
    let title = format!("Search for an elimination order, {problem}");
    let last = moments.last();
    let mut legend = vec![(
        Key::Box(Color::Series(0)),
        last.map_or_else(
            || "best order".into(),
            |m| format!("best order, {} at the end", m.best),
        ),
    )];
    if let Some(bound) = last.and_then(|m| m.bound) {
        legend.push((
            Key::Box(Color::Series(1)),
            format!("lower bound, {bound} at the end"),
        ));
    }
    // Counts that are drawn are far below 2^53.
    let best: Vec<(f64, f64)> = moments.iter().map(|m| (m.seconds, m.best as f64)).collect();
    let bounds = moments
        .iter()
        .filter_map(|m| Some((m.seconds, m.bound? as f64)));
    let bounds: Vec<(f64, f64)> = bounds.collect();
    let x = Axis::log("time of the search (s)", moments.iter().map(|m| m.seconds));
    let y = Axis::linear("multiplications", best.iter().chain(&bounds).map(|p| p.1));
    let mut chart = Chart::new(&title, x, y, &legend);
    chart.stairs(&best, Color::Series(0));
    if bounds.len() == 1 {
        // A stair needs two ends; a bound that was known at the end only is a marker.
        chart.series(&bounds, 1);
    } else {
        chart.stairs(&bounds, Color::Series(1));
    }
    let row = |m: &Moment| {
        vec![
            format!("{:e}", m.seconds),
            m.best.to_string(),
            m.bound.map_or_else(String::new, |bound| bound.to_string()),
        ]
    };
    Figure {
        id: format!("anytime-{problem}"),
        title,
        caption: "The search can be stopped at any time; what it has found until then is the upper curve. Where the curves meet, \
                  the order is proven optimal; their distance is what may still be gained."
            .into(),
        drawing: chart.drawing,
        csv: csv(&["seconds", "best", "bound"], moments.iter().map(row)),
        steps: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::figures::canvas::tests::assert_readable;

    #[test]
    fn curves_are_stairs() {
        let moment = |seconds, best, bound| Moment {
            seconds,
            best,
            bound,
        };
        let moments = [
            moment(0.001, 320, Some(150)),
            moment(0.02, 240, Some(200)),
            moment(1.5, 221, Some(221)),
        ];
        let drawn = figure("robot-arm", &moments);
        assert_readable(&drawn.drawing);
        assert!(drawn.svg().unwrap().contains("best order, 221 at the end"));
        assert_eq!(drawn.csv.lines().nth(2), Some("2e-2,240,200"));
        assert_readable(&figure("no bound", &[moment(0.1, 9, None)]).drawing);
        assert_readable(&figure("nothing", &[]).drawing);
    }
}
