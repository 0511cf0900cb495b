//! Times of other tools doing the same work, on a logarithmic axis.
//!
//! Invariant: only contestants whose results agreed are given to this file.
//! Source: Cleveland 1984, *Graphical methods for data presentation* (dots where bars would need a zero).

use super::canvas::{Align, Color, Drawing, text_width};
use super::chart::{Axis, Key, TEXT, TITLE, WIDTH, draw_legend, legend_height};
use super::{Figure, csv};
use crate::output;

/// One contestant.
#[derive(Clone, Debug)]
pub(in super::super) struct Bar {
    pub(in super::super) name: String,
    pub(in super::super) seconds: f64,
    /// Seconds over those of the function without derivatives in the same tool.
    pub(in super::super) ratio: Option<f64>,
    pub(in super::super) is_ours: bool,
}

/// One workload, fastest first.
pub(in super::super) fn figure(workload: &str, bars: &[Bar]) -> Figure {
    const ROW: f64 = 30.0;
    let mut bars = bars.to_vec();
    bars.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
    let legend = [
        (Key::Marker(1), "wengert".to_string()),
        (Key::Marker(0), "others".into()),
    ];
    let title = format!("{workload}: time of the derivatives");
    let label = |bar: &Bar| match bar.ratio {
        Some(ratio) => format!(
            "{} ({} x)",
            output::seconds(bar.seconds),
            output::ratio(ratio)
        ),
        None => output::seconds(bar.seconds),
    };
    let widest = |text: &dyn Fn(&Bar) -> String| {
        let widths = bars.iter().map(|bar| text_width(&text(bar), TEXT));
        widths.fold(0.0, f64::max)
    };
    let top = 44.0;
    let bottom = top + ROW * bars.len() as f64 + 6.0;
    let mut drawing = Drawing::new(WIDTH, bottom + 60.0 + legend_height(&legend, 16.0) + 8.0);
    drawing.text((WIDTH / 2.0, 20.0), title.as_str(), TITLE, Align::Center);
    let left = 24.0 + widest(&|bar| bar.name.clone());
    let right = WIDTH - 24.0 - widest(&label);
    let axis = Axis::log("time (s)", bars.iter().map(|bar| bar.seconds));
    let x = |seconds: f64| left + (right - left) * axis.position(seconds);
    for (seconds, text) in axis.ticks() {
        let at = x(seconds);
        drawing.line(vec![(at, top), (at, bottom)], Color::Grid, 1.0);
        drawing.text((at, bottom + 16.0), text, TEXT, Align::Center);
    }
    for (index, bar) in bars.iter().enumerate() {
        let middle = top + ROW * (index as f64 + 0.5);
        let series = usize::from(bar.is_ours);
        drawing.text((left - 10.0, middle), bar.name.as_str(), TEXT, Align::Right);
        let at = x(bar.seconds);
        drawing.line(vec![(left, middle), (right, middle)], Color::Grid, 1.0);
        drawing.marker((at, middle), series, 5.0);
        drawing.text((right + 12.0, middle), label(bar), TEXT, Align::Left);
    }
    drawing.frame((left, top), (right, bottom), Color::Soft);
    drawing.text(
        ((left + right) / 2.0, bottom + 40.0),
        "time (s)",
        TEXT,
        Align::Center,
    );
    draw_legend(&mut drawing, (16.0, bottom + 60.0), &legend);
    let row = |bar: &Bar| {
        vec![
            bar.name.clone(),
            format!("{:e}", bar.seconds),
            bar.ratio
                .map_or_else(String::new, |ratio| ratio.to_string()),
        ]
    };
    let id: String = workload
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '-'
            }
        })
        .collect();
    Figure {
        id: format!("peers-{id}"),
        title,
        caption: "Medians of interleaved rounds on the same inputs, the fastest first; in brackets the multiple of the function \
                  without derivatives in the same tool. Rust crates ran in one process, tools in Python and C++ in others. Only tools \
                  whose results agreed to 1e-8 are shown; the others are listed with the reason."
            .into(),
        drawing,
        csv: csv(&["tool", "seconds", "ratio"], bars.iter().map(row)),
        steps: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::figures::canvas::tests::assert_readable;

    #[test]
    fn the_fastest_stands_first() {
        let bar = |name: &str, ratio: f64| Bar {
            name: name.into(),
            seconds: ratio * 1e-3,
            ratio: (ratio < 100.0).then_some(ratio),
            is_ours: name == "wengert",
        };
        let drawn = figure(
            "tape (10^7 operations)",
            &[
                bar("another tape", 20.5),
                bar("slow", 500.0),
                bar("wengert", 4.25),
            ],
        );
        assert_readable(&drawn.drawing);
        assert_eq!(drawn.id, "peers-tape--10-7-operations-");
        assert_eq!(
            drawn.csv,
            "tool,seconds,ratio\nwengert,4.25e-3,4.25\nanother tape,2.05e-2,20.5\nslow,5e-1,\n"
        );
        // One contestant alone has an axis, too.
        assert_readable(&figure("alone", &[bar("wengert", 1.0)]).drawing);
    }
}
