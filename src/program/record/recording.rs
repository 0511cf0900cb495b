//! `Program::record`, and [`Recording`], in which transformations build programs.

use std::panic::Location as CallerLocation;

use super::super::list::Program;
use super::super::node::{NodeId, NodeKind};
use super::recorder::{OpenRecorder, Recorder, next_id, with_stack};
use super::traced::Traced;
use crate::error::{Error, Location};

/// A program being built by a transformation: the numbers of [`Recording::push`] are those of a recorded function.
///
/// Nodes have no location but the one that [`Recording::edit`] gives them in the program's places.
pub(in super::super) struct Recording {
    id: u32,
    open: OpenRecorder,
}

impl Recording {
    /// Opens a recording without inputs.
    pub(in super::super) fn open() -> Self {
        let id = next_id();
        let mut recorder = Recorder::new(id, None, false);
        recorder.place = Some(0);
        Self {
            id,
            open: OpenRecorder::open(recorder),
        }
    }

    fn with<R>(&self, work: impl FnOnce(&mut Recorder) -> R) -> R {
        with_stack(|stack| work(&mut stack.recorders[self.open.index]))
    }

    /// What to write into the places of the program being built for this location.
    pub(in super::super) fn place_of(&self, location: &Location) -> u32 {
        with_stack(|stack| stack.places.of_location(location))
    }

    /// Appends a node.
    pub(in super::super) fn push(&self, kind: NodeKind, arguments: &[NodeId]) -> Traced {
        let node = self.with(|recorder| recorder.push(kind, arguments, 0));
        self.traced(NodeId::from_raw(node))
    }

    /// A node as a number.
    pub(in super::super) fn traced(&self, node: NodeId) -> Traced {
        Traced::node(node.raw(), self.id)
    }

    /// The node of a number; a constant becomes one.
    pub(in super::super) fn node(&self, x: Traced) -> NodeId {
        with_stack(|stack| stack.node_of(self.open.index, x, 0))
    }

    /// Reads or changes the program outside its nodes: inputs, outputs, guards, regions, rules.
    pub(in super::super) fn edit<R>(&self, edit: impl FnOnce(&mut Program) -> R) -> R {
        self.with(|recorder| edit(&mut recorder.program))
    }

    /// Closes the recording.
    pub(in super::super) fn finish(self) -> Result<Program, Error> {
        finish(self.open)
    }
}

/// Closes a recording.
fn finish(open: OpenRecorder) -> Result<Program, Error> {
    let Recorder {
        mut program, error, ..
    } = open.finish();
    with_stack(|stack| {
        stack.places.settle(&mut program);
        stack.expected = program.len();
    });
    error.map_or(Ok(program), Err)
}

impl Program {
    /// Records a function at a point.
    ///
    /// Branches are followed there and kept as guards.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert::program::Program;
    /// fn f<S: Scalar>(x: &[S]) -> S {
    ///     if x[0] > x[1] { x[0] * x[1].sin() } else { x[0] + x[1] }
    /// }
    /// let program = Program::record(|x| [f(x)], &[3.0, 2.0])?;
    /// assert_eq!((program.len(), program.guards().len()), (4, 1));
    /// // A gradient recorded through the tape is a program as well.
    /// let derivative = Program::record(|x| gradient(f, x).expect("it fits"), &[3.0, 2.0])?;
    /// assert_eq!(derivative.counts().of("cos"), 1);
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// **Shape**: `x` has `n` entries, the result of `f` has `m`.
    /// **Cost**: one push per operation and no evaluation, except of what decisions ask for; about 32 bytes per binary
    /// operation.
    ///
    /// # Errors
    /// [`Error::TapeFull`] above 2^32 nodes, [`Error::MixedRecordings`] if a number of another recording was used,
    /// [`Error::BodyChanged`] if the body of a region depends on more than its rows.
    ///
    /// **Source**: Griewank & Walther 2008, §6.1.
    #[track_caller]
    pub fn record<R: AsRef<[Traced]>>(
        f: impl FnOnce(&[Traced]) -> R,
        x: &[f64],
    ) -> Result<Self, Error> {
        let caller = CallerLocation::caller();
        let open = OpenRecorder::open(Recorder::new(next_id(), None, false));
        let traced = with_stack(|stack| {
            let recorder = &mut stack.recorders[open.index];
            recorder.program.inputs = x.len();
            recorder.program.point = x.to_vec();
            let input = |i: usize| {
                let number = NodeId::new(i)?.raw();
                let node = recorder.push(NodeKind::Input(number), &[], 0);
                Ok(recorder.traced(node))
            };
            (0..x.len())
                .map(input)
                .collect::<Result<Vec<Traced>, Error>>()
        })?;
        let y = f(&traced);
        with_stack(|stack| {
            let place = stack.places.of(caller);
            let outputs = y
                .as_ref()
                .iter()
                .map(|y| stack.node_of(open.index, *y, place));
            let outputs = outputs.collect();
            stack.recorders[open.index].program.outputs = outputs;
        });
        let mut program = finish(open)?;
        program.guards.shrink_to_fit();
        Ok(program)
    }
}
