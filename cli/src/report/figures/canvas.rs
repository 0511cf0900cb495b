//! [`Drawing`], a list of marks that plotters paints as SVG and as PNG.
//!
//! A figure is built once and painted twice, so both files show the same. The font comes with the program: a machine
//! without fonts draws the same picture.
//!
//! Invariant: only colours of [`Color`] occur; the page gives those of the paper and the ink other values in the dark.
//! Source: Okabe & Ito 2008, *Color universal design* (the palette).

use std::path::Path;
use std::sync::Once;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color as _, FontTransform, register_font};

use crate::error::CliError;

/// Pixels of the PNG per unit of a drawing.
const PNG_SCALE: f64 = 2.0;
/// The family that a browser looks for, too.
const FAMILY: &str = "sans-serif";

/// The colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Color {
    /// The background.
    Paper,
    /// Text and frames.
    Ink,
    /// Less important text.
    Soft,
    /// Grid lines.
    Grid,
    /// One of the seven colours that everybody can tell apart.
    Series(usize),
    /// A share from 0 to 255 on a scale from blue over green to yellow, whose lightness grows.
    Scale(u8),
}

impl Color {
    /// Red, green, blue.
    pub(crate) fn rgb(self) -> RGBColor {
        let [r, g, b] = match self {
            Self::Paper => [0xFF, 0xFF, 0xFE],
            Self::Ink => [0x1A, 0x1A, 0x1A],
            Self::Soft => [0x5A, 0x5A, 0x5A],
            Self::Grid => [0xDD, 0xDD, 0xDD],
            Self::Series(index) => SERIES[index % SERIES.len()],
            Self::Scale(share) => scale(share),
        };
        RGBColor(r, g, b)
    }

    /// As plotters writes it.
    pub(crate) fn hex(self) -> String {
        let RGBColor(r, g, b) = self.rgb();
        format!("#{r:02X}{g:02X}{b:02X}")
    }
}

/// The colours that are others on a dark page, and which; the page's style sheet has the same.
pub(crate) const DARK: [(Color, &str); 6] = [
    (Color::Paper, "#14161a"),
    (Color::Ink, "#ececec"),
    (Color::Soft, "#a8acb3"),
    (Color::Grid, "#363a42"),
    (Color::Series(0), "#3d9bd9"),
    (Color::Scale(0), "#8f73d6"),
];

/// A style sheet that gives a picture the colours of the dark where they are preferred.
pub(crate) fn dark() -> String {
    let rules = DARK.map(|(color, dark)| {
        let hex = color.hex();
        format!("[fill=\"{hex}\"]{{fill:{dark}}}[stroke=\"{hex}\"]{{stroke:{dark}}}")
    });
    format!("@media(prefers-color-scheme:dark){{{}}}", rules.concat())
}

/// Okabe and Ito's palette without black, which is the ink, and yellow, which is faint on paper; a grey in their place.
const SERIES: [[u8; 3]; 7] = [
    [0x00, 0x72, 0xB2],
    [0xD5, 0x5E, 0x00],
    [0x00, 0x9E, 0x73],
    [0xCC, 0x79, 0xA7],
    [0xE6, 0x9F, 0x00],
    [0x56, 0xB4, 0xE9],
    [0x8A, 0x8A, 0x8A],
];

/// Violet, blue, teal, green, yellow: viridis without its darkest part, which is lost on dark paper.
fn scale(share: u8) -> [u8; 3] {
    const STOPS: [[u8; 3]; 5] = [
        [96, 64, 160],
        [59, 110, 180],
        [33, 145, 140],
        [94, 190, 98],
        [240, 210, 50],
    ];
    let place = f64::from(share) / 256.0 * 4.0;
    let stop = usize::from(share) * 4 / 256;
    let rest = place - place.floor();
    std::array::from_fn(|channel| {
        let (from, to) = (
            f64::from(STOPS[stop][channel]),
            f64::from(STOPS[stop + 1][channel]),
        );
        // Between two bytes.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let mixed = (from + (to - from) * rest).round() as u8;
        mixed
    })
}

/// A place, from the upper left.
pub(crate) type Place = (f64, f64);

/// Where a text stands relative to its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Center,
    Right,
}

/// One mark; vertically, texts are centred.
#[derive(Clone, Debug)]
pub(crate) enum Mark {
    Line {
        points: Vec<Place>,
        color: Color,
        width: f64,
    },
    Polygon {
        points: Vec<Place>,
        color: Color,
    },
    Box {
        from: Place,
        to: Place,
        color: Color,
        is_filled: bool,
    },
    Circle {
        center: Place,
        radius: f64,
        color: Color,
        is_filled: bool,
    },
    Text {
        at: Place,
        text: String,
        size: f64,
        color: Color,
        align: Align,
        is_rotated: bool,
    },
}

/// A picture.
#[derive(Clone, Debug)]
pub(crate) struct Drawing {
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) marks: Vec<Mark>,
}

impl Drawing {
    pub(crate) fn new(width: f64, height: f64) -> Self {
        Self {
            width,
            height,
            marks: Vec::new(),
        }
    }

    pub(crate) fn line(&mut self, points: Vec<Place>, color: Color, width: f64) {
        self.marks.push(Mark::Line {
            points,
            color,
            width,
        });
    }

    /// A straight line in dashes.
    pub(crate) fn dashes(&mut self, from: Place, to: Place, color: Color, width: f64) {
        const DASH: f64 = 6.0;
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let length = dx.hypot(dy);
        let at = |way: f64| (from.0 + dx * way / length, from.1 + dy * way / length);
        let mut way = 0.0;
        while way < length {
            let end = (way + DASH).min(length);
            self.line(vec![at(way), at(end)], color, width);
            way += DASH * 1.7;
        }
    }

    pub(crate) fn fill(&mut self, from: Place, to: Place, color: Color) {
        self.marks.push(Mark::Box {
            from,
            to,
            color,
            is_filled: true,
        });
    }

    pub(crate) fn frame(&mut self, from: Place, to: Place, color: Color) {
        self.marks.push(Mark::Box {
            from,
            to,
            color,
            is_filled: false,
        });
    }

    pub(crate) fn text(&mut self, at: Place, text: impl Into<String>, size: f64, align: Align) {
        self.colored_text(at, text, size, align, Color::Ink);
    }

    pub(crate) fn colored_text(
        &mut self,
        at: Place,
        text: impl Into<String>,
        size: f64,
        align: Align,
        color: Color,
    ) {
        self.marks.push(Mark::Text {
            at,
            text: text.into(),
            size,
            color,
            align,
            is_rotated: false,
        });
    }

    /// A text from below to above, centred.
    pub(crate) fn upright(&mut self, at: Place, text: impl Into<String>, size: f64) {
        self.marks.push(Mark::Text {
            at,
            text: text.into(),
            size,
            color: Color::Ink,
            align: Align::Center,
            is_rotated: true,
        });
    }

    /// The marker of a series: shapes differ, so that colours are not needed to tell them apart.
    pub(crate) fn marker(&mut self, (x, y): Place, series: usize, radius: f64) {
        let color = Color::Series(series);
        let r = radius;
        let polygon = |points: Vec<Place>| Mark::Polygon { points, color };
        let circle = Mark::Circle {
            center: (x, y),
            radius,
            color,
            is_filled: true,
        };
        let mark = match series % 5 {
            0 => circle,
            1 => polygon(vec![
                (x - r, y - r),
                (x + r, y - r),
                (x + r, y + r),
                (x - r, y + r),
            ]),
            2 => polygon(vec![
                (x, y - r * 1.3),
                (x + r * 1.2, y + r),
                (x - r * 1.2, y + r),
            ]),
            3 => polygon(vec![
                (x, y - r * 1.4),
                (x + r * 1.4, y),
                (x, y + r * 1.4),
                (x - r * 1.4, y),
            ]),
            _ => polygon(vec![
                (x, y + r * 1.3),
                (x + r * 1.2, y - r),
                (x - r * 1.2, y - r),
            ]),
        };
        self.marks.push(mark);
    }

    /// The text of an SVG file.
    pub(crate) fn svg(&self) -> Result<String, CliError> {
        let mut text = String::new();
        {
            let size = (pixels(self.width, 1.0), pixels(self.height, 1.0));
            let area = SVGBackend::with_string(&mut text, size).into_drawing_area();
            self.paint(&area, 1.0)?;
            area.present().map_err(failure)?;
        }
        Ok(text)
    }

    /// Writes a PNG file, two pixels per unit.
    pub(crate) fn write_png(&self, path: &Path) -> Result<(), CliError> {
        let size = (
            pixels(self.width, PNG_SCALE),
            pixels(self.height, PNG_SCALE),
        );
        let area = BitMapBackend::new(path, size).into_drawing_area();
        self.paint(&area, PNG_SCALE)?;
        area.present().map_err(failure)
    }

    fn paint<B: DrawingBackend>(
        &self,
        area: &DrawingArea<B, Shift>,
        scale: f64,
    ) -> Result<(), CliError> {
        load_font();
        area.fill(&Color::Paper.rgb()).map_err(failure)?;
        let place = |(x, y): Place| (coordinate(x, scale), coordinate(y, scale));
        for mark in &self.marks {
            match mark {
                Mark::Line {
                    points,
                    color,
                    width,
                } => {
                    let style = color.rgb().stroke_width(pixels(*width, scale));
                    let points: Vec<_> = points.iter().copied().map(place).collect();
                    area.draw(&PathElement::new(points, style))
                }
                Mark::Polygon { points, color } => {
                    let points: Vec<_> = points.iter().copied().map(place).collect();
                    area.draw(&Polygon::new(points, color.rgb().filled()))
                }
                Mark::Box {
                    from,
                    to,
                    color,
                    is_filled,
                } => area.draw(&Rectangle::new(
                    [place(*from), place(*to)],
                    style(*color, *is_filled, scale),
                )),
                Mark::Circle {
                    center,
                    radius,
                    color,
                    is_filled,
                } => {
                    let style = style(*color, *is_filled, scale);
                    area.draw(&Circle::new(place(*center), radius * scale, style))
                }
                Mark::Text {
                    at,
                    text,
                    size,
                    color,
                    align,
                    is_rotated,
                } => {
                    let horizontal = match align {
                        Align::Left => HPos::Left,
                        Align::Center => HPos::Center,
                        Align::Right => HPos::Right,
                    };
                    let font = (FAMILY, font_size(*size) * scale).into_font();
                    let font = if *is_rotated {
                        font.transform(FontTransform::Rotate270)
                    } else {
                        font
                    };
                    let style = font.color(&color.rgb());
                    let style = style.pos(Pos::new(horizontal, VPos::Center));
                    area.draw(&Text::new(text.as_str(), place(*at), style))
                }
            }
            .map_err(failure)?;
        }
        Ok(())
    }
}

/// What plotters calls the size: the line, which is 1.24 times the letters' size in an SVG.
fn font_size(size: f64) -> f64 {
    size * 1.24
}

fn style(color: Color, is_filled: bool, scale: f64) -> ShapeStyle {
    if is_filled {
        color.rgb().filled()
    } else {
        color.rgb().stroke_width(pixels(1.5, scale))
    }
}

/// The width of a text.
pub(crate) fn text_width(text: &str, size: f64) -> f64 {
    load_font();
    // Ten times as large, because plotters rounds to pixels.
    let font = (FAMILY, font_size(size) * 10.0).into_font();
    font.box_size(text).map_or_else(
        |_| text.chars().count() as f64 * size * 0.6,
        |(width, _)| f64::from(width) / 10.0,
    )
}

fn load_font() {
    static LOADED: Once = Once::new();
    // A font that cannot be read is reported by the first text.
    LOADED.call_once(|| {
        let _ = register_font(FAMILY, FontStyle::Normal, dejavu::sans::regular());
    });
}

/// A length in pixels; pictures are far smaller than 2^31.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn pixels(length: f64, scale: f64) -> u32 {
    (length * scale).round().max(1.0) as u32
}

#[allow(clippy::cast_possible_truncation)]
fn coordinate(x: f64, scale: f64) -> i32 {
    (x * scale).round() as i32
}

fn failure(error: impl std::fmt::Display) -> CliError {
    CliError::Failure(format!("cannot draw: {error}"))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The corners of a text.
    fn extent(mark: &Mark) -> Option<(Place, Place, &str)> {
        let Mark::Text {
            at: (x, y),
            text,
            size,
            align,
            is_rotated,
            ..
        } = mark
        else {
            return None;
        };
        let width = text_width(text, *size);
        let left = match align {
            Align::Left => 0.0,
            Align::Center => -width / 2.0,
            Align::Right => -width,
        };
        let half = size * 0.45;
        Some(if *is_rotated {
            (
                (x - half, y - width / 2.0),
                (x + half, y + width / 2.0),
                text,
            )
        } else {
            ((x + left, y - half), (x + left + width, y + half), text)
        })
    }

    /// Nothing is cut off, and no two texts lie on each other.
    ///
    /// With `WENGERT_FIGURES` set to a folder the pictures are written there, to be looked at.
    pub(in super::super) fn assert_readable(drawing: &Drawing) {
        if let Ok(folder) = std::env::var("WENGERT_FIGURES") {
            let name = std::thread::current()
                .name()
                .map(|name| name.replace("::", "-"));
            let file = format!("{}-{}.png", name.unwrap_or_default(), drawing.marks.len());
            drawing.write_png(&Path::new(&folder).join(file)).unwrap();
        }
        let texts: Vec<_> = drawing.marks.iter().filter_map(extent).collect();
        assert!(!texts.is_empty());
        for (index, (from, to, text)) in texts.iter().enumerate() {
            let inside =
                from.0 >= 0.0 && from.1 >= 0.0 && to.0 <= drawing.width && to.1 <= drawing.height;
            assert!(inside, "`{text}` is cut off: {from:?} {to:?}");
            for (other_from, other_to, other) in &texts[..index] {
                let apart = to.0 <= other_from.0
                    || other_to.0 <= from.0
                    || to.1 <= other_from.1
                    || other_to.1 <= from.1;
                assert!(apart, "`{text}` lies on `{other}`");
            }
        }
        for mark in &drawing.marks {
            let points: Vec<Place> = match mark {
                Mark::Line { points, .. } | Mark::Polygon { points, .. } => points.clone(),
                Mark::Box { from, to, .. } => vec![*from, *to],
                Mark::Circle { center, .. } => vec![*center],
                Mark::Text { .. } => Vec::new(),
            };
            for (x, y) in points {
                assert!((-0.5..=drawing.width + 0.5).contains(&x), "{mark:?}");
                assert!((-0.5..=drawing.height + 0.5).contains(&y), "{mark:?}");
            }
        }
    }

    #[test]
    fn both_forms_are_written_without_fonts_of_the_system() {
        let mut drawing = Drawing::new(100.0, 50.0);
        drawing.text((50.0, 25.0), "10⁻³ <µs>", 12.0, Align::Center);
        for series in 0..7 {
            drawing.marker((10.0 + 10.0 * series as f64, 10.0), series, 3.0);
        }
        assert_readable(&drawing);
        let svg = drawing.svg().unwrap();
        assert!(
            svg.starts_with("<svg") && svg.contains("&lt;µs&gt;"),
            "{svg}"
        );
        assert!(svg.contains(&Color::Ink.hex()) && svg.contains(&Color::Series(3).hex()));
        let path = std::env::temp_dir().join(format!("wengert-canvas-{}.png", std::process::id()));
        drawing.write_png(&path).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(&bytes[1..4], b"PNG");
        assert!(text_width("mmmm", 12.0) > 1.5 * text_width("iiii", 12.0));
    }
}
