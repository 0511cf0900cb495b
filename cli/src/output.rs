//! Text and JSON for stdout: numbers that read back equal, aligned tables, quiet ends of broken pipes.
//!
//! Invariant: NaN and infinities in JSON are the strings `"NaN"`, `"inf"`, `"-inf"` (EDGE_CASES e75).

use std::io::{self, BufWriter, ErrorKind, Write};

use serde::{Serialize, Serializer};

use crate::error::CliError;

/// A number for JSON.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Number(pub(crate) f64);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_finite() {
            serializer.serialize_f64(self.0)
        } else {
            serializer.serialize_str(&self.0.to_string())
        }
    }
}

/// Numbers for JSON, without a copy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Numbers<'a>(pub(crate) &'a [f64]);

impl Serialize for Numbers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|x| Number(*x)))
    }
}

/// Writes text to stdout; a reader that went away is not an error.
pub(crate) fn print(text: &str) -> Result<(), CliError> {
    stdout(|out| out.write_all(text.as_bytes()))
}

/// Writes one line of JSON to stdout; a reader that went away is not an error.
pub(crate) fn print_json(value: &impl Serialize) -> Result<(), CliError> {
    stdout(|out| {
        serde_json::to_writer(&mut *out, value)?;
        out.write_all(b"\n")
    })
}

fn stdout(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), CliError> {
    let mut out = BufWriter::new(io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {
            // What is left in the buffer has no reader; dropping it must not try again.
            let _ = out.into_parts();
            Ok(())
        }
        outcome => Ok(outcome?),
    }
}

/// A number for people: shortest digits that read back equal, with an exponent where it is shorter.
pub(crate) fn number(x: f64) -> String {
    let magnitude = x.abs();
    if x == 0.0 || !x.is_finite() || (1e-5..1e16).contains(&magnitude) {
        format!("{x}")
    } else {
        format!("{x:e}")
    }
}

/// A ratio for people, three digits.
pub(crate) fn ratio(x: f64) -> String {
    match x {
        x if !x.is_finite() => "-".into(),
        x if x < 10.0 => format!("{x:.2}"),
        x if x < 100.0 => format!("{x:.1}"),
        _ => format!("{x:.0}"),
    }
}

/// A time for people.
pub(crate) fn seconds(x: f64) -> String {
    match x {
        x if x >= 1.0 => format!("{x:.2} s"),
        x if x >= 1e-3 => format!("{:.2} ms", x * 1e3),
        x if x >= 1e-6 => format!("{:.2} us", x * 1e6),
        _ => format!("{:.1} ns", x * 1e9),
    }
}

/// An amount of memory for people.
pub(crate) fn bytes(count: usize) -> String {
    // Three digits are printed, so rounding above 2^53 cannot be seen.
    let count = count as f64;
    match count {
        c if c >= 1e9 => format!("{:.2} GB", c / 1e9),
        c if c >= 1e6 => format!("{:.2} MB", c / 1e6),
        c if c >= 1e3 => format!("{:.2} kB", c / 1e3),
        c => format!("{c} B"),
    }
}

/// A table for people: columns padded to their widest cell, the first left, the others as told.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
    /// Columns from this one on are aligned right.
    right_from: usize,
}

impl Table {
    /// A table with a header; columns from `right_from` on hold numbers.
    pub(crate) fn new(header: &[&str], right_from: usize) -> Self {
        let header = header.iter().map(|cell| (*cell).to_string()).collect();
        Self {
            rows: vec![header],
            right_from,
        }
    }

    /// Appends a row.
    pub(crate) fn push(&mut self, row: Vec<String>) {
        self.rows.push(row);
    }

    /// The rows, the header first.
    pub(crate) fn rows(&self) -> &[Vec<String>] {
        &self.rows
    }

    /// Appends the table for a terminal to `text`.
    pub(crate) fn render(&self, text: &mut String) {
        let widths = self.widths();
        for row in &self.rows {
            let cells = self.cells(row, &widths);
            text.push_str(cells.join("  ").trim_end());
            text.push('\n');
        }
    }

    /// Appends the table in Markdown to `text`.
    pub(crate) fn render_markdown(&self, text: &mut String) {
        let widths: Vec<usize> = self.widths().into_iter().map(|w| w.max(3)).collect();
        for (index, row) in self.rows.iter().enumerate() {
            let line = self.cells(row, &widths).join(" | ");
            text.push_str(&format!("| {line} |\n"));
            if index == 0 {
                let rules = widths.iter().enumerate().map(|(column, width)| {
                    let rule = "-".repeat(width - 1);
                    if column < self.right_from {
                        format!("{rule}-")
                    } else {
                        format!("{rule}:")
                    }
                });
                text.push_str(&format!("| {} |\n", rules.collect::<Vec<_>>().join(" | ")));
            }
        }
    }

    fn widths(&self) -> Vec<usize> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        (0..columns).map(width).collect()
    }

    fn cells(&self, row: &[String], widths: &[usize]) -> Vec<String> {
        let pad = |(column, (cell, width)): (usize, (&String, &usize))| {
            if column < self.right_from {
                format!("{cell:<width$}")
            } else {
                format!("{cell:>width$}")
            }
        };
        row.iter().zip(widths).enumerate().map(pad).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The inverse of [`Number`].
    fn read(value: &serde_json::Value) -> f64 {
        value
            .as_f64()
            .unwrap_or_else(|| value.as_str().unwrap().parse().unwrap())
    }

    #[test]
    fn edge_e75_numbers_read_back_equal_from_json() {
        let numbers = [
            0.0,
            -0.0,
            0.1,
            1.0 / 3.0,
            5e-324,
            f64::MAX,
            -1e300,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            9_007_199_254_740_991.0,
        ];
        let text = serde_json::to_string(&Numbers(&numbers)).unwrap();
        assert!(text.contains("\"NaN\",\"inf\",\"-inf\""), "{text}");
        let back: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
        assert_eq!(back.len(), numbers.len());
        for (number, back) in numbers.iter().zip(&back) {
            let back = read(back);
            assert!(number.to_bits() == back.to_bits() || number.is_nan() && back.is_nan());
        }
    }

    #[test]
    fn numbers_for_people_read_back_equal() {
        for x in [
            0.0,
            1.5,
            -1e-5,
            1e-7,
            1e16,
            123_456_789.0,
            1e300,
            f64::NAN,
            f64::INFINITY,
        ] {
            let back: f64 = number(x).parse().unwrap();
            assert!(
                back.to_bits() == x.to_bits() || back.is_nan() && x.is_nan(),
                "{x}"
            );
        }
        assert_eq!((number(1e300), number(0.5)), ("1e300".into(), "0.5".into()));
    }

    #[test]
    fn tables_are_aligned() {
        let mut table = Table::new(&["name", "value"], 1);
        table.push(vec!["a".into(), "1".into()]);
        table.push(vec!["long name".into(), "-12345".into()]);
        let (mut text, mut markdown) = (String::new(), String::new());
        table.render(&mut text);
        table.render_markdown(&mut markdown);
        assert_eq!(
            text,
            "name        value\na               1\nlong name  -12345\n"
        );
        assert_eq!(markdown.lines().nth(1), Some("| --------- | -----: |"));
    }

    #[test]
    fn units_follow_the_size() {
        assert_eq!(
            (seconds(2e-9), seconds(0.25)),
            ("2.0 ns".into(), "250.00 ms".into())
        );
        assert_eq!(
            (bytes(12), bytes(1_500_000)),
            ("12 B".into(), "1.50 MB".into())
        );
        assert_eq!(
            (ratio(1.234), ratio(55.55), ratio(1e4)),
            ("1.23".into(), "55.5".into(), "10000".into())
        );
    }
}
