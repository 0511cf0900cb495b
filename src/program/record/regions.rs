//! Regions by lanes: the rows are given, the body is recorded with the first one and checked with the second.
//!
//! Invariant: a body depends on its rows, its state and values from outside only, and so its second recording is the same
//! as the first; else the recording keeps [`Error::BodyChanged`].
//! Source: the `map` of CasADi, `scan` of JAX.

use std::sync::Arc;

use super::super::list::Program;
use super::super::node::{NodeId, NodeKind};
use super::super::region::{Region, Sink, Source};
use super::compact::{Fate, compact, is_same_shape};
use super::recorder::{Caller, OpenRecorder, Recorder, next_id, values, with_stack};
use super::traced::Traced;
use crate::error::Error;
use crate::scalar::rows::{self, Rows, iterations};

/// What an input of a body is in every iteration.
pub(super) enum Column {
    /// The same number in all of them.
    Same(Traced),
    /// A constant each.
    Data(Vec<f64>),
    /// A number each.
    Lane(Vec<Traced>),
    /// What an output was before.
    Carried { initial: Traced, output: u32 },
}

impl Column {
    /// Numbers, told apart into the simplest kind of column; equal constants stay data.
    fn from_lane(lane: Vec<Traced>) -> Self {
        if lane.iter().all(Traced::is_constant) {
            return Self::Data(lane.iter().map(|x| x.value).collect());
        }
        match lane.first() {
            Some(first) if lane.iter().all(|x| x.is_same(first)) => Self::Same(*first),
            _ => Self::Lane(lane),
        }
    }
}

/// A body recorded for one iteration.
struct Recorded {
    recorder: Recorder,
    /// The values of the outputs, if the iteration was decided by values.
    outputs: Option<Vec<f64>>,
}

/// What is called for an iteration: lanes, data, and a buffer for state or results.
type Body<'a> = &'a dyn Fn(&[Traced], &[Traced], &mut [Traced]);

/// The rows of a loop.
struct Loop<'a> {
    lanes: &'a [Rows<'a, Traced>],
    data: &'a [Rows<'a, f64>],
    iterations: usize,
    caller: Caller,
    parent: usize,
}

impl<'a> Loop<'a> {
    /// The recorder of the lanes and the state; `None` if nothing is recorded.
    fn open(
        lanes: &'a [Rows<'a, Traced>],
        data: &'a [Rows<'a, f64>],
        state: &[Traced],
        caller: Caller,
    ) -> Option<Self> {
        let iterations = iterations(lanes, data);
        let entries = lanes.iter().flat_map(|rows| rows.values()).chain(state);
        let active = entries.copied().find(|x| !x.is_constant());
        let parent = with_stack(|stack| match active {
            None if stack.recorders.is_empty() => None,
            active => Some(stack.owner(active.as_slice())),
        })?;
        Some(Self {
            lanes,
            data,
            iterations,
            caller,
            parent,
        })
    }

    fn widths(&self) -> (usize, usize) {
        (
            self.lanes.iter().map(Rows::width).sum(),
            self.data.iter().map(Rows::width).sum(),
        )
    }

    /// Records the body for one row; `buffer` is what state or results are before.
    fn record(&self, row: usize, buffer: &[Traced], body: Body<'_>) -> Recorded {
        let id = next_id();
        let (lanes, data) = self.widths();
        let inputs: Vec<Traced> = (0..)
            .take(lanes + data + buffer.len())
            .map(|node| Traced::node(node, id))
            .collect();
        let takes_leaves = with_stack(|stack| stack.recorders[self.parent].takes_leaves);
        let mut recorder = Recorder::new(id, Some(self.parent), takes_leaves);
        let lane_entries = self.lanes.iter().flat_map(|rows| rows.row(row)).copied();
        let data_entries = self.data.iter().flat_map(|rows| rows.row(row));
        for origin in lane_entries
            .chain(data_entries.map(|d| Traced::constant(*d)))
            .chain(buffer.iter().copied())
        {
            recorder.push_input(origin, 0);
        }
        let open = OpenRecorder::open(recorder);
        let mut buffer = inputs[lanes + data..].to_vec();
        body(&inputs[..lanes], &inputs[lanes..lanes + data], &mut buffer);
        let was_asked = with_stack(|stack| {
            let place = stack.places.of(self.caller);
            let outputs = buffer.iter().map(|y| stack.node_of(open.index, *y, place));
            let outputs = outputs.collect();
            let recorder = &mut stack.recorders[open.index];
            recorder.program.outputs = outputs;
            recorder.was_asked()
        });
        let outputs = was_asked.then(|| buffer.iter().map(|y| values([*y])[0]).collect());
        Recorded {
            recorder: open.finish(),
            outputs,
        }
    }

    /// Checks the body on the second row, and keeps what went wrong.
    fn check(&self, first: &Recorded, buffer: impl FnOnce() -> Vec<Traced>, body: Body<'_>) {
        let mut error = first.recorder.error.clone();
        if self.iterations > 1 && error.is_none() {
            let buffer = buffer();
            let second = self.record(1, &buffer, body);
            let (lanes, data) = self.widths();
            let rows = lanes + data + buffer.len();
            let (a, b) = (&first.recorder, &second.recorder);
            let (captured, again) = (&a.origins[rows..], &b.origins[rows..]);
            let is_same = is_same_shape(&a.program, &b.program, false)
                && captured.len() == again.len()
                && captured.iter().zip(again).all(|(a, b)| a.is_same(b));
            error = second.recorder.error.or_else(|| {
                (!is_same).then(|| Error::BodyChanged {
                    location: with_stack(|stack| {
                        let place = stack.places.of(self.caller);
                        stack.places.location(place)
                    }),
                    iteration: 1,
                })
            });
        }
        keep_error(self.parent, error);
    }

    /// The column of an input that is a lane or data.
    fn column(&self, mut input: usize) -> Column {
        for rows in self.lanes {
            if input < rows.width() {
                let lane = (0..self.iterations).map(|i| rows.row(i)[input]);
                return Column::from_lane(lane.collect());
            }
            input -= rows.width();
        }
        for rows in self.data {
            if input < rows.width() {
                let data = (0..self.iterations).map(|i| rows.row(i)[input]);
                return Column::Data(data.collect());
            }
            input -= rows.width();
        }
        Column::Data(vec![f64::NAN; self.iterations])
    }
}

/// Keeps the first error of a recording.
pub(super) fn keep_error(recorder: usize, error: Option<Error>) {
    if let Some(error) = error {
        with_stack(|stack| {
            stack.recorders[recorder].error.get_or_insert(error);
        });
    }
}

/// Whether a body decides anything, or a region in it does.
fn has_guards(program: &Program) -> bool {
    let mut bodies = vec![program];
    while let Some(body) = bodies.pop() {
        if !body.guards.is_empty() {
            return true;
        }
        bodies.extend(body.regions.iter().map(|region| &*region.body));
    }
    false
}

/// Makes a region of a body and gives its results; constants alone are computed at once.
pub(super) fn attach(
    parent: usize,
    mut body: Program,
    columns: Vec<Column>,
    sinks: Vec<Sink>,
    iterations: usize,
    caller: Caller,
) -> Vec<Traced> {
    with_stack(|stack| stack.places.settle(&mut body));
    let is_active = |column: &Column| match column {
        Column::Same(x) | Column::Carried { initial: x, .. } => !x.is_constant(),
        Column::Lane(lane) => lane.iter().any(|x| !x.is_constant()),
        Column::Data(_) => false,
    };
    let is_constant = !columns.iter().any(is_active) && !has_guards(&body);
    let takes_leaves = with_stack(|stack| stack.recorders[parent].takes_leaves);
    let mut sources = Vec::with_capacity(columns.len());
    let mut arguments: Vec<Traced> = Vec::new();
    for column in columns {
        sources.push(match column {
            Column::Same(x) => {
                arguments.push(x);
                Source::Uniform
            }
            // An enclosing loop by index compares constants from iteration to iteration.
            Column::Data(data) if takes_leaves && !is_constant => {
                arguments.extend(data.into_iter().map(Traced::constant));
                Source::Lane
            }
            Column::Data(data) => Source::Data(data.into()),
            Column::Lane(lane) => {
                arguments.extend_from_slice(&lane);
                Source::Lane
            }
            Column::Carried { initial, output } => {
                arguments.push(initial);
                Source::Carried { output }
            }
        });
    }
    let region = Region {
        iterations,
        is_reversed: false,
        body: Arc::new(body),
        sources,
        sinks,
    };
    if is_constant {
        let arguments: Vec<f64> = arguments.iter().map(|x| x.value).collect();
        let results = region.evaluate(&arguments, |_, _| Ok(()));
        return results
            .unwrap_or_default()
            .into_iter()
            .map(Traced::constant)
            .collect();
    }
    with_stack(|stack| {
        let place = stack.places.of(caller);
        let nodes: Vec<NodeId> = arguments
            .into_iter()
            .map(|x| stack.node_of(parent, x, place))
            .collect();
        let results = region.results_len();
        let recorder = &mut stack.recorders[parent];
        let number = u32::try_from(recorder.program.regions.len()).unwrap_or(u32::MAX);
        recorder.program.regions.push(region);
        let node = recorder.push(NodeKind::Region(number), &nodes, place);
        let node = [NodeId::from_raw(node)];
        (0..)
            .take(results)
            .map(|result| {
                let result = recorder.push(NodeKind::Result(result), &node, place);
                recorder.traced(result)
            })
            .collect()
    })
}

/// [`Scalar::sum_over`](crate::Scalar::sum_over) while a program is recorded.
pub(super) fn sum_over(
    lanes: &[Rows<'_, Traced>],
    data: &[Rows<'_, f64>],
    body: impl Fn(&[Traced], &[Traced]) -> Traced,
    caller: Caller,
) -> Traced {
    let Some(rows) = Loop::open(lanes, data, &[], caller) else {
        return rows::sum_over(lanes, data, body);
    };
    let body: Body<'_> = &|lanes, data, sum| sum[0] = body(lanes, data);
    if rows.iterations == 0 {
        return Traced::constant(-0.0);
    }
    let buffer = [Traced::constant(-0.0)];
    let first = rows.record(0, &buffer, body);
    rows.check(&first, || buffer.to_vec(), body);
    let results = rows.close(first, buffer.len(), &[Sink::Sum], |_| {
        Column::Same(buffer[0])
    });
    results
        .first()
        .copied()
        .unwrap_or(Traced::constant(f64::NAN))
}

/// [`Scalar::map_rows`](crate::Scalar::map_rows) while a program is recorded.
pub(super) fn map_rows(
    lanes: &[Rows<'_, Traced>],
    data: &[Rows<'_, f64>],
    out: &mut [Traced],
    body: impl Fn(&[Traced], &[Traced], &mut [Traced]),
    caller: Caller,
) {
    let Some(rows) = Loop::open(lanes, data, out, caller) else {
        return rows::map_rows(lanes, data, out, body);
    };
    let width = rows::outputs_per_row(rows.iterations, out.len());
    if rows.iterations == 0 {
        return;
    }
    let body: Body<'_> = &body;
    let mut first = rows.record(0, &out[..width], body);
    rows.check(&first, || out[width..2 * width].to_vec(), body);
    // An entry that the body leaves alone is no output.
    let inputs = rows.widths().0 + rows.widths().1;
    let written = first.recorder.keep_changed(inputs);
    let sinks = vec![Sink::Each; written.len()];
    let before: &[Traced] = out;
    let results = rows.close(first, width, &sinks, |entry| {
        let lane = (0..rows.iterations).map(|i| before[i * width + entry]);
        Column::from_lane(lane.collect())
    });
    for (entry, results) in written.iter().zip(results.chunks_exact(rows.iterations)) {
        for (i, result) in results.iter().enumerate() {
            out[i * width + entry] = *result;
        }
    }
}

/// [`Scalar::scan`](crate::Scalar::scan) while a program is recorded.
pub(super) fn scan(
    state: &mut [Traced],
    lanes: &[Rows<'_, Traced>],
    data: &[Rows<'_, f64>],
    body: impl Fn(&mut [Traced], &[Traced], &[Traced]),
    caller: Caller,
) {
    let Some(rows) = Loop::open(lanes, data, state, caller) else {
        return rows::scan(state, lanes, data, body);
    };
    if rows.iterations == 0 {
        return;
    }
    let body: Body<'_> = &|lanes, data, state| body(state, lanes, data);
    let mut first = rows.record(0, state, body);
    rows.check(
        &first,
        || {
            // Without values nothing was decided by them, or the second recording differs anyway.
            let unknown = vec![f64::NAN; state.len()];
            let values = first.outputs.as_ref().unwrap_or(&unknown);
            values.iter().copied().map(Traced::constant).collect()
        },
        body,
    );
    let inputs = rows.widths().0 + rows.widths().1;
    let changed = first.recorder.keep_changed(inputs);
    let sinks = vec![Sink::Last; changed.len()];
    let results = rows.close(first, state.len(), &sinks, |entry| {
        let output = changed.iter().position(|changed| *changed == entry);
        let output = output.and_then(|output| u32::try_from(output).ok());
        let initial = state[entry];
        output.map_or(Column::Same(initial), |output| Column::Carried {
            initial,
            output,
        })
    });
    for (entry, result) in changed.iter().zip(results) {
        state[*entry] = result;
    }
}

impl Recorder {
    /// Drops the outputs that are their own input, which are numbered from `inputs` on; gives the numbers of the others.
    fn keep_changed(&mut self, inputs: usize) -> Vec<usize> {
        let outputs = std::mem::take(&mut self.program.outputs);
        let is_changed = |(entry, output): &(usize, NodeId)| output.index() != inputs + entry;
        let (changed, outputs) = outputs.into_iter().enumerate().filter(is_changed).unzip();
        self.program.outputs = outputs;
        changed
    }
}

impl Loop<'_> {
    /// Makes a region of the recorded body; `buffered` gives the columns of the entries of the buffer.
    ///
    /// The inputs of the body are lanes, data, the buffer, and then captured values.
    fn close(
        &self,
        first: Recorded,
        buffer: usize,
        sinks: &[Sink],
        buffered: impl Fn(usize) -> Column,
    ) -> Vec<Traced> {
        let Recorder {
            program, origins, ..
        } = first.recorder;
        let (lanes, data) = self.widths();
        let (body, kept) = compact(&program, &vec![Fate::Kept; origins.len()]);
        let columns = kept.into_iter().map(|input| {
            if input < lanes + data {
                self.column(input)
            } else if input < lanes + data + buffer {
                buffered(input - lanes - data)
            } else {
                Column::Same(origins[input])
            }
        });
        let columns = columns.collect();
        attach(
            self.parent,
            body,
            columns,
            sinks.to_vec(),
            self.iterations,
            self.caller,
        )
    }
}
