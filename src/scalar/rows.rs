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
    /// Where each row starts, unless they lie one after the other.
    starts: Option<&'a [usize]>,
}

impl<'a, T: Copy> Rows<'a, T> {
    /// Rows of equal width, one after the other.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] if the width is 0 or does not divide the number of values.
    pub fn new(values: &'a [T], width: usize) -> Result<Self, Error> {
        if width != 0 && values.len().is_multiple_of(width) {
            return Ok(Self {
                values,
                width,
                starts: None,
            });
        }
        Err(Error::ShapeMismatch {
            what: "values of rows",
            expected: values.len().checked_div(width).unwrap_or(0) * width,
            found: values.len(),
        })
    }

    /// Rows that start anywhere in the values and may share entries, so that nothing need be copied together.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// let chain = [1.0, 2.0, 4.0];
    /// let pairs = Rows::gathered(&chain, 2, &[0, 1])?;
    /// assert_eq!((pairs.len(), pairs.row(1)), (2, [2.0, 4.0].as_slice()));
    /// assert!(Rows::gathered(&chain, 2, &[2]).is_err());
    /// # Ok::<(), Error>(())
    /// ```
    /// **Shape**: as many rows as starts. **Cost**: one comparison per row.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] if the width is 0 or a row does not end within the values.
    pub fn gathered(values: &'a [T], width: usize, starts: &'a [usize]) -> Result<Self, Error> {
        let last = starts.iter().copied().max();
        let end = last.map_or(0, |last| last.saturating_add(width));
        if width != 0 && end <= values.len() {
            return Ok(Self {
                values,
                width,
                starts: Some(starts),
            });
        }
        Err(Error::ShapeMismatch {
            what: "values of gathered rows",
            expected: end.max(1),
            found: values.len(),
        })
    }

    /// Rows of one entry each.
    #[must_use]
    pub const fn column(values: &'a [T]) -> Self {
        Self {
            values,
            width: 1,
            starts: None,
        }
    }

    /// The number of rows.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        match self.starts {
            Some(starts) => starts.len(),
            None => self.values.len() / self.width,
        }
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
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
    #[inline]
    pub fn row(&self, index: usize) -> &'a [T] {
        let start = self
            .starts
            .map_or(index * self.width, |starts| starts[index]);
        &self.values[start..start + self.width]
    }
}

impl<'a, T, const W: usize> From<&'a [[T; W]]> for Rows<'a, T> {
    fn from(rows: &'a [[T; W]]) -> Self {
        Self {
            values: rows.as_flattened(),
            width: W.max(1),
            starts: None,
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

/// Room for the rows of one iteration, lane after lane and datum after datum.
struct Room<S> {
    lanes: Short<S>,
    data: Short<S>,
}

impl<S: Scalar> Room<S> {
    fn new(lanes: &[Rows<'_, S>], data: &[Rows<'_, f64>]) -> Self {
        // A single lane is read where it lies.
        let copied = if lanes.len() == 1 { &[] } else { lanes };
        let zero = S::from(0.0);
        Self {
            lanes: Short::from_elem(zero, copied.iter().map(Rows::width).sum()),
            data: Short::from_elem(zero, data.iter().map(Rows::width).sum()),
        }
    }

    /// The lanes and the data of iteration `index`.
    #[inline(always)]
    fn read<'r>(
        &'r mut self,
        lanes: &[Rows<'r, S>],
        data: &[Rows<'_, f64>],
        index: usize,
    ) -> (&'r [S], &'r [S]) {
        copy_rows(&mut self.data, data, index, S::from);
        if let [rows] = lanes {
            return (rows.row(index), &self.data);
        }
        copy_rows(&mut self.lanes, lanes, index, |x| x);
        (&self.lanes, &self.data)
    }
}

/// Copies one row of everything, entry by entry: rows are too short for a call.
#[inline(always)]
fn copy_rows<T: Copy, S>(
    mut room: &mut [S],
    all: &[Rows<'_, T>],
    index: usize,
    convert: impl Fn(T) -> S,
) {
    for rows in all {
        let (row, rest) = room.split_at_mut(rows.width);
        for (entry, x) in row.iter_mut().zip(rows.row(index)) {
            *entry = convert(*x);
        }
        room = rest;
    }
}

/// The plain loop of [`Scalar::sum_over`].
#[inline]
pub(crate) fn sum_over<S: Scalar>(
    lanes: &[Rows<'_, S>],
    data: &[Rows<'_, f64>],
    body: impl Fn(&[S], &[S]) -> S,
) -> S {
    let mut room = Room::new(lanes, data);
    S::sum_of((0..iterations(lanes, data)).map(|i| {
        let (lanes, data) = room.read(lanes, data, i);
        body(lanes, data)
    }))
}

/// The plain loop of [`Scalar::sum_for`].
#[inline]
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
#[inline]
pub(crate) fn map_rows<S: Scalar>(
    lanes: &[Rows<'_, S>],
    data: &[Rows<'_, f64>],
    out: &mut [S],
    body: impl Fn(&[S], &[S], &mut [S]),
) {
    let iterations = iterations(lanes, data);
    let width = outputs_per_row(iterations, out.len());
    let (mut room, mut rest) = (Room::new(lanes, data), out);
    for i in 0..iterations {
        let (out, below) = rest.split_at_mut(width);
        rest = below;
        let (lanes, data) = room.read(lanes, data, i);
        body(lanes, data, out);
    }
}

/// The plain loop of [`Scalar::scan`].
#[inline]
pub(crate) fn scan<S: Scalar>(
    state: &mut [S],
    lanes: &[Rows<'_, S>],
    data: &[Rows<'_, f64>],
    body: impl Fn(&mut [S], &[S], &[S]),
) {
    let mut room = Room::new(lanes, data);
    for i in 0..iterations(lanes, data) {
        let (lanes, data) = room.read(lanes, data, i);
        body(state, lanes, data);
    }
}
