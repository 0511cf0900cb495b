//! Times of other tools doing the same work, as multiples of the plain function.
//!
//! Invariant: only contestants whose results agreed are given to this file.
//! Source: Bartz-Beielstein et al. 2020, §8 (comparisons of algorithms).

use super::canvas::{Align, Color, Drawing, text_width};
use super::chart::{Key, TEXT, TITLE, WIDTH, draw_legend, legend_height};
use super::{Figure, csv};
use crate::output::ratio;

/// One contestant.
#[derive(Clone, Debug)]
pub(in super::super) struct Bar {
    pub(in super::super) name: String,
    pub(in super::super) seconds: f64,
    /// Seconds over those of the plain function.
    pub(in super::super) ratio: f64,
    pub(in super::super) is_ours: bool,
}

/// One workload, fastest first.
pub(in super::super) fn figure(workload: &str, bars: &[Bar]) -> Figure {
    const ROW: f64 = 32.0;
    let mut bars = bars.to_vec();
    bars.sort_by(|a, b| a.ratio.total_cmp(&b.ratio));
    let legend = [
        (Key::Box(Color::Series(1)), "wengert".to_string()),
        (Key::Box(Color::Series(0)), "others".into()),
    ];
    let title = format!("{workload}: time of derivatives over time of the function");
    let top = 44.0;
    let bottom = top + ROW * bars.len() as f64 + 6.0;
    let mut drawing = Drawing::new(WIDTH, bottom + 34.0 + legend_height(&legend, 16.0) + 8.0);
    drawing.text((WIDTH / 2.0, 20.0), title.as_str(), TITLE, Align::Center);
    let left = 24.0
        + bars
            .iter()
            .map(|bar| text_width(&bar.name, TEXT))
            .fold(0.0, f64::max);
    let right = WIDTH - 80.0;
    let most = bars
        .iter()
        .map(|bar| bar.ratio)
        .fold(f64::MIN_POSITIVE, f64::max);
    for (index, bar) in bars.iter().enumerate() {
        let middle = top + ROW * (index as f64 + 0.5);
        let end = left + (right - left) * bar.ratio / most;
        drawing.text((left - 10.0, middle), bar.name.as_str(), TEXT, Align::Right);
        let color = Color::Series(usize::from(bar.is_ours));
        drawing.fill((left, middle - 10.0), (end, middle + 10.0), color);
        drawing.text((end + 8.0, middle), ratio(bar.ratio), TEXT, Align::Left);
    }
    drawing.line(vec![(left, top), (left, bottom)], Color::Soft, 1.0);
    drawing.text(
        ((left + right) / 2.0, bottom + 14.0),
        "time / time of the plain function",
        TEXT,
        Align::Center,
    );
    draw_legend(&mut drawing, (16.0, bottom + 34.0), &legend);
    let row = |bar: &Bar| {
        vec![
            bar.name.clone(),
            format!("{:e}", bar.seconds),
            bar.ratio.to_string(),
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
        caption: "Medians of interleaved rounds in one process, on the same inputs, shorter is better. Only tools whose results agreed \
                  to 1e-8 are shown; the others are listed with the reason."
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
            ratio,
            is_ours: name == "wengert",
        };
        let drawn = figure(
            "tape (10^7 operations)",
            &[bar("another tape", 20.5), bar("wengert", 4.25)],
        );
        assert_readable(&drawn.drawing);
        assert_eq!(drawn.id, "peers-tape--10-7-operations-");
        assert_eq!(
            drawn.csv,
            "tool,seconds,ratio\nwengert,4.25e-3,4.25\nanother tape,2.05e-2,20.5\n"
        );
    }
}
