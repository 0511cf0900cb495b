//! [`Chart`]: axes with ticks, a title above and a legend below.
//!
//! Invariant: the legend and the labels stand outside the frame, so they never hide data.
//! Source: Tufte 1983 (grid lines fainter than data); powers of ten as on log paper.

use super::canvas::{Align, Color, Drawing, Place, text_width};

/// The size of texts; a page on a phone shows them at nine tenths.
pub(super) const TEXT: f64 = 14.0;
/// The size of a title.
pub(super) const TITLE: f64 = 17.0;
/// The width of most figures.
pub(super) const WIDTH: f64 = 760.0;

/// One axis.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    label: String,
    low: f64,
    high: f64,
    is_log: bool,
}

impl Axis {
    /// A logarithmic axis that holds all positive values.
    pub(super) fn log(label: impl Into<String>, values: impl Iterator<Item = f64>) -> Self {
        let positive = values.filter(|v| *v > 0.0 && v.is_finite());
        let (low, high) = positive.fold((f64::INFINITY, 0.0_f64), |(low, high), v| {
            (low.min(v), high.max(v))
        });
        let (low, high) = if low <= high {
            (low, high)
        } else {
            (1.0, 10.0)
        };
        let (mut low, mut high) = (low.log10(), high.log10());
        // Wide enough for a tick at 1, 2 or 5 of some decade, wherever the values lie.
        let margin = ((high - low) * 0.06)
            .max(0.08)
            .max((0.42 - (high - low)) / 2.0);
        low -= margin;
        high += margin;
        Self {
            label: label.into(),
            low,
            high,
            is_log: true,
        }
    }

    /// A linear axis from zero.
    pub(super) fn linear(label: impl Into<String>, values: impl Iterator<Item = f64>) -> Self {
        let high = values.filter(|v| v.is_finite()).fold(0.0, f64::max);
        Self {
            label: label.into(),
            low: 0.0,
            high: if high > 0.0 { high * 1.08 } else { 1.0 },
            is_log: false,
        }
    }

    /// Where a value stands, from 0 to 1.
    pub(super) fn position(&self, value: f64) -> f64 {
        let value = if self.is_log { value.log10() } else { value };
        (value - self.low) / (self.high - self.low)
    }

    /// The places that get a line and a label.
    pub(super) fn ticks(&self) -> Vec<(f64, String)> {
        if self.is_log {
            self.log_ticks()
        } else {
            self.linear_ticks()
        }
    }

    fn log_ticks(&self) -> Vec<(f64, String)> {
        let decades = self.high - self.low;
        let factors: &[f64] = match decades {
            d if d < 1.6 => &[1.0, 2.0, 5.0],
            d if d < 3.0 => &[1.0, 3.0],
            _ => &[1.0],
        };
        let step = (decades / 9.0).ceil().max(1.0);
        let mut ticks = Vec::new();
        let mut exponent = self.low.floor();
        while exponent <= self.high {
            for factor in factors {
                let value = factor * 10_f64.powf(exponent);
                let is_inside = (0.0..=1.0).contains(&self.position(value));
                if is_inside && exponent.rem_euclid(step) == 0.0 {
                    ticks.push((value, power(*factor, exponent)));
                }
            }
            exponent += 1.0;
        }
        ticks
    }

    fn linear_ticks(&self) -> Vec<(f64, String)> {
        let rough = self.high / 5.0;
        let decade = 10_f64.powf(rough.log10().floor());
        let steps = [1.0, 2.0, 2.5, 5.0, 10.0];
        let step = steps.iter().map(|s| s * decade).find(|step| *step >= rough);
        let step = step.unwrap_or(decade * 10.0);
        let mut ticks = Vec::new();
        let mut index = 0.0;
        while index * step <= self.high {
            ticks.push((index * step, amount(index * step)));
            index += 1.0;
        }
        ticks
    }
}

/// A multiple of a power of ten.
fn power(factor: f64, exponent: f64) -> String {
    if (-3.0..=4.0).contains(&exponent) {
        return short(factor * 10_f64.powf(exponent));
    }
    let digits: String = format!("{exponent:.0}").chars().map(raised).collect();
    if factor == 1.0 {
        format!("10{digits}")
    } else {
        format!("{factor:.0}·10{digits}")
    }
}

fn raised(c: char) -> char {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let digit = c.to_digit(10).and_then(|d| usize::try_from(d).ok());
    digit.map_or('⁻', |digit| DIGITS[digit])
}

/// A number without digits that are only rounding.
pub(super) fn short(x: f64) -> String {
    let text = format!("{x:.4}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text.is_empty() || text == "-0" {
        "0".into()
    } else {
        text.into()
    }
}

/// A number in thousands, millions or thousand millions where it is long.
pub(super) fn amount(x: f64) -> String {
    match x.abs() {
        size if size >= 1e9 => short(x / 1e9) + "G",
        size if size >= 1e6 => short(x / 1e6) + "M",
        size if size >= 1e5 => short(x / 1e3) + "k",
        _ => short(x),
    }
}

/// How an entry of a legend is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// A line with the marker of the series.
    Line(usize),
    /// A dashed line with the marker of the series.
    Dashed(usize),
    /// The marker alone.
    Marker(usize),
    /// A dashed line.
    Dashes(Color),
    /// A filled box.
    Box(Color),
}

/// Axes on which data are drawn.
pub(super) struct Chart {
    pub(super) drawing: Drawing,
    from: Place,
    to: Place,
    x: Axis,
    y: Axis,
}

/// The rows of a legend, broken where the width ends.
fn legend_rows(legend: &[(Key, String)], width: f64) -> Vec<Vec<(usize, f64)>> {
    let mut rows: Vec<Vec<(usize, f64)>> = Vec::new();
    let mut x = f64::INFINITY;
    for (index, (_, text)) in legend.iter().enumerate() {
        let needed = 34.0 + text_width(text, TEXT) + 22.0;
        if x + needed > width {
            rows.push(Vec::new());
            x = 0.0;
        }
        if let Some(row) = rows.last_mut() {
            row.push((index, x));
        }
        x += needed;
    }
    rows
}

/// Draws a legend from a place; what it needs below is [`legend_height`].
pub(super) fn draw_legend(drawing: &mut Drawing, (left, top): Place, legend: &[(Key, String)]) {
    for (row, entries) in legend_rows(legend, drawing.width - left - 4.0)
        .iter()
        .enumerate()
    {
        let y = top + 22.0 * row as f64 + 8.0;
        for (index, offset) in entries {
            let (key, text) = &legend[*index];
            let x = left + offset;
            match key {
                Key::Line(series) => {
                    drawing.line(vec![(x, y), (x + 26.0, y)], Color::Series(*series), 2.0);
                    drawing.marker((x + 13.0, y), *series, 4.0);
                }
                Key::Dashed(series) => {
                    drawing.dashes((x, y), (x + 26.0, y), Color::Series(*series), 2.0);
                    drawing.marker((x + 13.0, y), *series, 4.0);
                }
                Key::Marker(series) => drawing.marker((x + 13.0, y), *series, 4.0),
                Key::Dashes(color) => drawing.dashes((x, y), (x + 26.0, y), *color, 2.0),
                Key::Box(color) => drawing.fill((x + 4.0, y - 6.0), (x + 24.0, y + 6.0), *color),
            }
            drawing.text((x + 34.0, y), text.as_str(), TEXT, Align::Left);
        }
    }
}

/// The height of a legend in a drawing of the usual width.
pub(super) fn legend_height(legend: &[(Key, String)], left: f64) -> f64 {
    22.0 * legend_rows(legend, WIDTH - left - 4.0).len() as f64
}

impl Chart {
    pub(super) fn new(title: &str, x: Axis, y: Axis, legend: &[(Key, String)]) -> Self {
        let labels = y.ticks();
        let widest = labels
            .iter()
            .map(|(_, text)| text_width(text, TEXT))
            .fold(0.0, f64::max);
        let left = widest + 48.0;
        let (top, bottom) = (46.0, 420.0);
        let below = 62.0;
        let height = bottom + below + legend_height(legend, 16.0) + 8.0;
        let mut drawing = Drawing::new(WIDTH, height);
        let (from, to) = ((left, top), (WIDTH - 24.0, bottom));
        drawing.text((WIDTH / 2.0, 20.0), title, TITLE, Align::Center);
        for (value, text) in labels {
            let at = to.1 - y.position(value) * (to.1 - from.1);
            drawing.line(vec![(from.0, at), (to.0, at)], Color::Grid, 1.0);
            drawing.text((from.0 - 8.0, at), text, TEXT, Align::Right);
        }
        for (value, text) in x.ticks() {
            let at = from.0 + x.position(value) * (to.0 - from.0);
            drawing.line(vec![(at, from.1), (at, to.1)], Color::Grid, 1.0);
            drawing.text((at, to.1 + 16.0), text, TEXT, Align::Center);
        }
        drawing.frame(from, to, Color::Soft);
        drawing.text(
            ((from.0 + to.0) / 2.0, to.1 + 40.0),
            x.label.as_str(),
            TEXT,
            Align::Center,
        );
        drawing.upright((16.0, (from.1 + to.1) / 2.0), y.label.as_str(), TEXT);
        draw_legend(&mut drawing, (16.0, bottom + below), legend);
        Self {
            drawing,
            from,
            to,
            x,
            y,
        }
    }

    /// The place of a point, if both axes hold it.
    pub(super) fn place(&self, (x, y): (f64, f64)) -> Option<Place> {
        let (x, y) = (self.x.position(x), self.y.position(y));
        let inside = (-1e-9..=1.0 + 1e-9).contains(&x) && (-1e-9..=1.0 + 1e-9).contains(&y);
        let (width, height) = (self.to.0 - self.from.0, self.to.1 - self.from.1);
        inside.then_some((self.from.0 + x * width, self.to.1 - y * height))
    }

    /// A dashed line with markers.
    pub(super) fn dashed_series(&mut self, points: &[(f64, f64)], series: usize) {
        let places: Vec<Place> = points.iter().filter_map(|p| self.place(*p)).collect();
        for pair in places.windows(2) {
            self.drawing
                .dashes(pair[0], pair[1], Color::Series(series), 2.0);
        }
        for place in places {
            self.drawing.marker(place, series, 4.0);
        }
    }

    /// A line with markers.
    pub(super) fn series(&mut self, points: &[(f64, f64)], series: usize) {
        let places: Vec<Place> = points.iter().filter_map(|p| self.place(*p)).collect();
        if places.len() > 1 {
            self.drawing
                .line(places.clone(), Color::Series(series), 2.0);
        }
        for place in places {
            self.drawing.marker(place, series, 4.0);
        }
    }

    /// A line that changes by steps: each value holds until the next point.
    pub(super) fn stairs(&mut self, points: &[(f64, f64)], color: Color) {
        let mut places: Vec<Place> = Vec::new();
        for place in points.iter().filter_map(|p| self.place(*p)) {
            if let Some((_, y)) = places.last().copied() {
                places.push((place.0, y));
            }
            places.push(place);
        }
        if places.len() > 1 {
            self.drawing.line(places, color, 2.5);
        }
    }
}

/// The slope and the intercept of log y over log x; `None` for fewer than two different x.
pub(super) fn fit(points: &[(f64, f64)]) -> Option<(f64, f64)> {
    let positive = points.iter().filter(|(x, y)| *x > 0.0 && *y > 0.0);
    let logs: Vec<(f64, f64)> = positive.map(|(x, y)| (x.log10(), y.log10())).collect();
    let count = logs.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| logs.iter().map(of).sum::<f64>() / count;
    let (mean_x, mean_y) = (mean(|p| p.0), mean(|p| p.1));
    let over: f64 = logs.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let under: f64 = logs.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    (under > 0.0).then(|| (over / under, mean_y - over / under * mean_x))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::figures::canvas::tests::assert_readable;

    #[test]
    fn ticks_are_round_numbers() {
        let label = |axis: &Axis| {
            axis.ticks()
                .into_iter()
                .map(|(_, text)| text)
                .collect::<Vec<_>>()
        };
        let wide = Axis::log("", [1e-7, 1e-5].into_iter());
        assert_eq!(label(&wide), ["10⁻⁷", "3·10⁻⁷", "10⁻⁶", "3·10⁻⁶", "10⁻⁵"]);
        let narrow = Axis::log("", [3.0, 40.0].into_iter());
        assert_eq!(label(&narrow), ["5", "10", "20"]);
        assert_eq!(
            label(&Axis::linear("", [9.0].into_iter())),
            ["0", "2", "4", "6", "8"]
        );
        assert_eq!(label(&Axis::linear("", std::iter::empty())).len(), 6);
        assert!(!label(&Axis::log("", [f64::NAN, 0.0].into_iter())).is_empty());
        for alone in [1.3, 2.6, 7.0, 9.9] {
            assert!(!label(&Axis::log("", [alone].into_iter())).is_empty());
        }
        let large = Axis::linear("", [2.9e7].into_iter());
        assert_eq!(label(&large), ["0", "10M", "20M", "30M"]);
        assert_eq!(
            (amount(2.5e5), amount(9e4)),
            ("250k".into(), "90000".into())
        );
        assert_eq!(
            (short(0.5), short(0.0), short(1234.0)),
            ("0.5".into(), "0".into(), "1234".into())
        );
    }

    #[test]
    fn fits_of_powers_are_exact() {
        let points = [1.0, 2.0, 8.0].map(|x: f64| (x, 100.0 * x * x));
        let (slope, intercept) = fit(&points).unwrap();
        assert!((slope - 2.0).abs() < 1e-12 && (intercept - 2.0).abs() < 1e-12);
        assert_eq!(fit(&points[..1]), None);
    }

    #[test]
    fn a_chart_with_a_long_legend_is_readable() {
        let legend: Vec<_> = (0..9)
            .map(|i| (Key::Line(i), format!("series with a name, {i}")))
            .collect();
        let axis = |label: &str| Axis::log(label, [1e-9, 1e9].into_iter());
        let mut chart = Chart::new("Title", axis("time (s)"), axis("number of inputs"), &legend);
        chart.series(&[(1.0, 1.0), (1e3, 1e6), (f64::NAN, 1.0)], 2);
        chart.stairs(&[(1.0, 10.0), (10.0, 5.0)], Color::Ink);
        assert_readable(&chart.drawing);
    }
}
