//! [`Region`]: a loop inside a program whose body is a program of its own.
//!
//! The body is recorded once. Each of its inputs says with a [`Source`] where its value comes from in iteration `i`, each of
//! its outputs says with a [`Sink`] what becomes of its values. A region is one node of the outer program; the arguments of
//! that node are, input after input, what the sources ask for, and its results are, output after output, what the sinks give.
//!
//! Invariant: [`Region::arguments_len`] arguments, [`Region::results_len`] results; at least one iteration.

use std::ops::Range;
use std::sync::Arc;

use super::list::Program;

/// Where an input of a body comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// The same node of the outer program in every iteration: one argument.
    Uniform,
    /// A node of the outer program per iteration: as many arguments as iterations.
    Lane,
    /// A constant per iteration: no argument.
    Data(Arc<[f64]>),
    /// The value that an output of the body had in the preceding iteration: one argument, the initial value.
    Carried {
        /// The number of that output of the body; its sink is [`Sink::Last`].
        output: u32,
    },
}

/// What becomes of an output of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sink {
    /// The sum over all iterations, in their order: one result.
    Sum,
    /// The value of every iteration: as many results as iterations, in ascending order also if the region is reversed.
    Each,
    /// The value of the last iteration: one result.
    Last,
}

/// Where the results of each output of a region begin.
pub(super) struct ResultStarts(Vec<usize>);

impl ResultStarts {
    pub(super) fn of(region: &Region) -> Self {
        Self(region.result_ranges().map(|range| range.start).collect())
    }

    /// The first result of an output.
    pub(super) fn start(&self, output: usize) -> usize {
        self.0[output]
    }

    /// The output that a result belongs to, and which of its results it is.
    pub(super) fn locate(&self, result: usize) -> (usize, usize) {
        // Up to the first output of several results the numbers are the same, and most regions only sum.
        let output = match self.0.get(result) {
            Some(start) if *start == result => result,
            _ => self.0.partition_point(|start| *start <= result) - 1,
        };
        (output, result - self.0[output])
    }
}

/// A loop inside a program.
///
/// **Shape**: one source per input of the body, one sink per output.
/// **Cost**: the body is stored once; a lane takes 4 bytes per iteration, data 8.
/// **Source**: the `map` nodes of CasADi, `scan` of JAX.
#[derive(Clone, Debug)]
pub struct Region {
    pub(super) iterations: usize,
    /// Whether the last iteration comes first.
    pub(super) is_reversed: bool,
    pub(super) body: Arc<Program>,
    pub(super) sources: Vec<Source>,
    pub(super) sinks: Vec<Sink>,
}

impl Region {
    /// The number of iterations.
    #[must_use]
    pub fn iterations(&self) -> usize {
        self.iterations
    }

    /// Whether the last iteration comes first, as in the reverse sweep of a scan.
    #[must_use]
    pub fn is_reversed(&self) -> bool {
        self.is_reversed
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &Program {
        &self.body
    }

    /// Where the inputs of the body come from.
    #[must_use]
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// What becomes of the outputs of the body.
    #[must_use]
    pub fn sinks(&self) -> &[Sink] {
        &self.sinks
    }

    /// The number of arguments that an input takes.
    pub(super) fn width(&self, source: &Source) -> usize {
        match source {
            Source::Uniform | Source::Carried { .. } => 1,
            Source::Lane => self.iterations,
            Source::Data(_) => 0,
        }
    }

    /// The number of results that an output gives.
    pub(super) fn height(&self, sink: Sink) -> usize {
        match sink {
            Sink::Sum | Sink::Last => 1,
            Sink::Each => self.iterations,
        }
    }

    /// Where the arguments of each input lie among the arguments of the region's node.
    pub(super) fn argument_ranges(&self) -> impl Iterator<Item = Range<usize>> {
        self.sources.iter().scan(0, |start, source| {
            let range = *start..*start + self.width(source);
            *start = range.end;
            Some(range)
        })
    }

    /// Where the results of each output lie among the results of the region.
    pub(super) fn result_ranges(&self) -> impl Iterator<Item = Range<usize>> {
        self.sinks.iter().scan(0, |start, sink| {
            let range = *start..*start + self.height(*sink);
            *start = range.end;
            Some(range)
        })
    }

    /// The number of arguments of the region's node.
    #[must_use]
    pub fn arguments_len(&self) -> usize {
        self.sources.iter().map(|source| self.width(source)).sum()
    }

    /// The number of results.
    #[must_use]
    pub fn results_len(&self) -> usize {
        self.sinks.iter().map(|sink| self.height(*sink)).sum()
    }

    /// The iterations in the order in which they run.
    pub(super) fn order(&self) -> impl Iterator<Item = usize> + use<> {
        let (iterations, is_reversed) = (self.iterations, self.is_reversed);
        (0..iterations).map(move |i| if is_reversed { iterations - 1 - i } else { i })
    }

    /// Whether some value passes from one iteration to the next.
    #[must_use]
    pub fn is_scan(&self) -> bool {
        self.sources
            .iter()
            .any(|source| matches!(source, Source::Carried { .. }))
    }
}
