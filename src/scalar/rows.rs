//! [`Rows`], what the loops that may become regions run over, and the plain loops themselves.

use std::ops::Range;

use super::{Scalar, Short};
use crate::error::Error;

/// A matrix by rows, or a column: what a region reads one row of per iteration.
///
/// ```
/// use wengert::prelude::*;
/// let points = [1.0, 2.0, 3.0, 4.0];
/// assert_eq!(Rows::new(&points, 2)?.len(), 2);
/// assert_eq!(Rows::column(&points).len(), 4);
/// assert_eq!(Rows::from(&[[1.0, 2.0], [3.0, 4.0]]).row(1), [3.0, 4.0]);
/// assert!(Rows::new(&points, 3).is_err());
/// # Ok::<(), Error>(())
/// ```
///
/// **Shape**: `len` rows of `width` entries.
/// **Cost**: a reference.
/// **Source**: none.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a, T> {
    values: &'a [T],
    width: usize,
}

impl<'a, T: Copy> Rows<'a, T> {
    /// Rows of equal width, one after the other.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] if the width is 0 or does not divide the number of values.
    pub fn new(values: &'a [T], width: usize) -> Result<Self, Error> {
        if width != 0 && values.len().is_multiple_of(width) {
            return Ok(Self { values, width });
        }
        Err(Error::ShapeMismatch {
            what: "values of rows",
            expected: values.len().checked_div(width).unwrap_or(0) * width,
            found: values.len(),
        })
    }

    /// Rows of one entry each.
    #[must_use]
    pub const fn column(values: &'a [T]) -> Self {
        Self { values, width: 1 }
    }

    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len() / self.width
    }

    /// Whether there is no row.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The number of entries of a row.
    #[must_use]
    pub const fn width(&self) -> usize {
        self.width
    }

    /// All entries, row after row.
    pub(crate) const fn values(&self) -> &'a [T] {
        self.values
    }

    /// One row.
    ///
    /// # Panics
    /// If there is no such row, as slices do.
    #[must_use]
    pub fn row(&self, index: usize) -> &'a [T] {
        &self.values[index * self.width..(index + 1) * self.width]
    }
}

impl<'a, T, const W: usize> From<&'a [[T; W]]> for Rows<'a, T> {
    fn from(rows: &'a [[T; W]]) -> Self {
        Self {
            values: rows.as_flattened(),
            width: W.max(1),
        }
    }
}

impl<'a, T, const N: usize, const W: usize> From<&'a [[T; W]; N]> for Rows<'a, T> {
    fn from(rows: &'a [[T; W]; N]) -> Self {
        Self::from(rows.as_slice())
    }
}

/// The number of iterations over these rows.
///
/// # Panics
/// If two of them differ; the text names both numbers.
pub(crate) fn iterations<S: Copy>(lanes: &[Rows<'_, S>], data: &[Rows<'_, f64>]) -> usize {
    let mut lengths = lanes
        .iter()
        .map(Rows::len)
        .chain(data.iter().map(Rows::len));
    let first = lengths.next().unwrap_or(0);
    for length in lengths {
        assert!(
            length == first,
            "the rows of a region must be equally many, found {first} and {length}"
        );
    }
    first
}

/// The rows of one iteration, lane after lane and datum after datum.
pub(crate) struct Row<S> {
    pub(crate) lanes: Short<S>,
    pub(crate) data: Short<S>,
}

impl<S: Scalar> Row<S> {
    pub(crate) fn new() -> Self {
        Self {
            lanes: Short::new(),
            data: Short::new(),
        }
    }

    /// Reads iteration `index`.
    pub(crate) fn read(&mut self, lanes: &[Rows<'_, S>], data: &[Rows<'_, f64>], index: usize) {
        self.lanes.clear();
        self.data.clear();
        for rows in lanes {
            self.lanes.extend_from_slice(rows.row(index));
        }
        for rows in data {
            self.data
                .extend(rows.row(index).iter().map(|d| S::from(*d)));
        }
    }
}

/// The plain loop of [`Scalar::sum_over`].
pub(crate) fn sum_over<S: Scalar>(
    lanes: &[Rows<'_, S>],
    data: &[Rows<'_, f64>],
    body: impl Fn(&[S], &[S]) -> S,
) -> S {
    let mut row = Row::new();
    S::sum_of((0..iterations(lanes, data)).map(|i| {
        row.read(lanes, data, i);
        body(&row.lanes, &row.data)
    }))
}

/// The plain loop of [`Scalar::sum_for`].
pub(crate) fn sum_for<S: Scalar>(range: Range<usize>, body: impl Fn(usize) -> S) -> S {
    S::sum_of(range.map(body))
}

/// The number of outputs of each iteration.
///
/// # Panics
/// If the buffer does not hold equally many for each.
pub(crate) fn outputs_per_row(iterations: usize, out: usize) -> usize {
    let width = out.checked_div(iterations).unwrap_or(0);
    assert!(
        width * iterations == out,
        "the outputs of a region must be equally many for each row, found {out} for {iterations} rows"
    );
    width
}

/// The plain loop of [`Scalar::map_rows`].
pub(crate) fn map_rows<S: Scalar>(
    lanes: &[Rows<'_, S>],
    data: &[Rows<'_, f64>],
    out: &mut [S],
    body: impl Fn(&[S], &[S], &mut [S]),
) {
    let iterations = iterations(lanes, data);
    let width = outputs_per_row(iterations, out.len());
    let mut row = Row::new();
    for i in 0..iterations {
        row.read(lanes, data, i);
        body(&row.lanes, &row.data, &mut out[i * width..(i + 1) * width]);
    }
}

/// The plain loop of [`Scalar::scan`].
pub(crate) fn scan<S: Scalar>(
    state: &mut [S],
    lanes: &[Rows<'_, S>],
    data: &[Rows<'_, f64>],
    body: impl Fn(&mut [S], &[S], &[S]),
) {
    let mut row = Row::new();
    for i in 0..iterations(lanes, data) {
        row.read(lanes, data, i);
        body(state, &row.lanes, &row.data);
    }
}
