//! Naive evaluation of a program: values, tangents and adjoints of every node, for tables and as the twin of faster paths.

use super::list::Program;
use super::node::{NodeId, NodeKind};
use super::region::{Region, Sink, Source};
use crate::elementary;
use crate::error::{Error, check_len};
use crate::scalar::Short;

/// Values, tangents and adjoints of every node of a program; see [`Program::sensitivities`].
#[derive(Clone, Debug, PartialEq)]
pub struct Sensitivities {
    /// The value of every node.
    pub values: Vec<f64>,
    /// The derivative of every node along the seeded direction.
    pub tangents: Vec<f64>,
    /// The derivative of the seeded combination of outputs by every node.
    pub adjoints: Vec<f64>,
}

/// The values of the first nodes of a program, and the results of its regions.
#[derive(Clone, Debug, Default)]
pub(super) struct Evaluation {
    pub(super) values: Vec<f64>,
    results: Vec<Vec<f64>>,
    /// The arguments of one node, kept for its memory.
    args: Vec<f64>,
}

impl Evaluation {
    /// Forgets all values and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.values.clear();
    }

    /// Continues until the nodes before `end` have values.
    pub(super) fn advance(&mut self, program: &Program, end: usize, inputs: &[f64]) {
        let first = self.values.len();
        let mut start = first.checked_sub(1).map_or(0, |last| program.ends[last]);
        for index in first..end {
            let stop = program.ends[index];
            let args = &program.arguments[start as usize..stop as usize];
            start = stop;
            let value = self.value(program, program.kinds[index], args, inputs);
            self.values.push(value);
        }
    }

    /// The value of the next node.
    fn value(
        &mut self,
        program: &Program,
        kind: NodeKind,
        nodes: &[NodeId],
        inputs: &[f64],
    ) -> f64 {
        let x = |k: usize| self.values[nodes[k].index()];
        let holds = |k: usize| x(k) != 0.0;
        let mask = |holds: bool| f64::from(u8::from(holds));
        match kind {
            NodeKind::Input(k) => inputs[k as usize],
            NodeKind::Constant(c) => c,
            NodeKind::Elementary(op) => match nodes {
                [x] => elementary::value(op, &[self.values[x.index()]]),
                [x, y] => {
                    let args = [self.values[x.index()], self.values[y.index()]];
                    elementary::value(op, &args)
                }
                _ => elementary::value(op, self.gather(nodes)),
            },
            NodeKind::Custom(rule) => program.rules[rule as usize].value(self.gather(nodes)),
            NodeKind::Select if holds(2) => x(0),
            NodeKind::Select => x(1),
            NodeKind::Gate if holds(2) => x(0) * x(1),
            NodeKind::Gate => 0.0,
            NodeKind::Domain if x(0).is_nan() => f64::NAN,
            NodeKind::Domain => x(1),
            NodeKind::Detach => x(0),
            NodeKind::Less => mask(x(0) < x(1)),
            NodeKind::LessEqual => mask(x(0) <= x(1)),
            NodeKind::Equal => mask(x(0) == x(1)),
            NodeKind::And => mask(holds(0) && holds(1)),
            NodeKind::Or => mask(holds(0) || holds(1)),
            NodeKind::Not => mask(!holds(0)),
            NodeKind::Region(region) => {
                let region = region as usize;
                if self.results.len() <= region {
                    self.results.resize_with(region + 1, Vec::new);
                }
                self.results[region] = program.regions[region]
                    .evaluate(self.gather(nodes), |_, _| Ok(()))
                    .unwrap_or_default();
                f64::NAN
            }
            NodeKind::Result(result) => match program.kind(nodes[0]) {
                NodeKind::Region(region) => self.results[region as usize][result as usize],
                _ => f64::NAN,
            },
        }
    }

    /// The values of these nodes.
    fn gather(&mut self, nodes: &[NodeId]) -> &[f64] {
        self.args.clear();
        let values = nodes.iter().map(|node| self.values[node.index()]);
        self.args.extend(values);
        &self.args
    }
}

impl Region {
    /// The results at these arguments; `visit` sees the evaluation of the body in every iteration.
    ///
    /// # Errors
    /// The first one of `visit`.
    pub(super) fn evaluate(
        &self,
        args: &[f64],
        mut visit: impl FnMut(usize, &Evaluation) -> Result<(), Error>,
    ) -> Result<Vec<f64>, Error> {
        let mut results = vec![-0.0; self.results_len()];
        let mut last: Vec<f64> = Vec::new();
        let mut evaluation = Evaluation::default();
        for i in self.order() {
            let inputs: Vec<f64> = self
                .sources
                .iter()
                .zip(self.argument_ranges())
                .map(|(source, range)| match source {
                    Source::Uniform => args[range.start],
                    Source::Lane => args[range.start + i],
                    Source::Data(data) => data[i],
                    Source::Carried { output } => last
                        .get(*output as usize)
                        .copied()
                        .unwrap_or(args[range.start]),
                })
                .collect();
            evaluation.clear();
            evaluation.advance(&self.body, self.body.len(), &inputs);
            visit(i, &evaluation)?;
            last = self
                .body
                .outputs()
                .iter()
                .map(|output| evaluation.values[output.index()])
                .collect();
            for ((value, sink), range) in last.iter().zip(&self.sinks).zip(self.result_ranges()) {
                match sink {
                    Sink::Sum => results[range.start] += value,
                    Sink::Each => results[range.start + i] = *value,
                    Sink::Last => results[range.start] = *value,
                }
            }
        }
        Ok(results)
    }
}

impl Program {
    /// The values of all nodes at `x`, whatever the guards say; a region's own node is NaN, its results are nodes.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert::program::Program;
    /// let program = Program::record(|x| [x[0] * x[1].sin()], &[3.0, 2.0])?;
    /// assert_eq!(program.values(&[3.0, 0.0])?, [3.0, 0.0, 0.0, 0.0]);
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// **Shape**: `x` has `n` entries, the result one per node.
    /// **Cost**: one naive evaluation; [`Replay`](super) is for speed.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] if the length is wrong.
    ///
    /// **Source**: Griewank & Walther 2008, table 2.2.
    pub fn values(&self, x: &[f64]) -> Result<Vec<f64>, Error> {
        check_len("x", self.inputs(), x.len())?;
        let mut evaluation = Evaluation::default();
        evaluation.advance(self, self.len(), x);
        Ok(evaluation.values)
    }

    /// The Wengert table at `x`: values, tangents and adjoints of every node.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert::program::Program;
    /// let program = Program::record(|x| [x[0] * x[1].sin()], &[3.0, 0.0])?;
    /// let table = program.sensitivities(&[3.0, 0.0], &[0.0, 1.0], &[1.0])?;
    /// assert_eq!(table.values, [3.0, 0.0, 0.0, 0.0]);
    /// assert_eq!(table.tangents, [0.0, 1.0, 1.0, 3.0]);
    /// assert_eq!(table.adjoints, [0.0, 3.0, 3.0, 1.0]);
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// **Shape**: `x` and `tangent` have `n` entries, `cotangent` has `m`; the results have one entry per node.
    /// **Cost**: a few evaluations of every local partial; meant for tables, not for speed. Results of regions have no
    /// arguments of their own here: their tangents are 0 and their adjoints end there.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] if a length is wrong.
    ///
    /// **Source**: Griewank & Walther 2008, tables 3.1 and 3.3; the slides.
    pub fn sensitivities(
        &self,
        x: &[f64],
        tangent: &[f64],
        cotangent: &[f64],
    ) -> Result<Sensitivities, Error> {
        check_len("tangent", self.inputs(), tangent.len())?;
        check_len("cotangent", self.outputs().len(), cotangent.len())?;
        let values = self.values(x)?;
        let mut tangents = vec![0.0; self.len()];
        for node in self.nodes() {
            tangents[node.index()] = match self.kind(node) {
                NodeKind::Input(input) => tangent[input as usize],
                _ => {
                    self.arguments(node)
                        .iter()
                        .zip(self.partials(node, &values))
                        .filter_map(|(argument, p)| p.map(|p| p * tangents[argument.index()]))
                        .sum::<f64>()
                        + 0.0
                }
            };
        }
        let mut adjoints = vec![0.0; self.len()];
        for (output, seed) in self.outputs().iter().zip(cotangent) {
            adjoints[output.index()] += seed;
        }
        let nodes: Vec<_> = self.nodes().collect();
        for node in nodes.into_iter().rev() {
            let adjoint = adjoints[node.index()];
            for (argument, p) in self
                .arguments(node)
                .iter()
                .zip(self.partials(node, &values))
            {
                if let Some(p) = p {
                    adjoints[argument.index()] += p * adjoint;
                }
            }
        }
        Ok(Sensitivities {
            values,
            tangents,
            adjoints,
        })
    }

    /// The local partials of a node at the values of all nodes; `None` for structural zeros, masks and regions.
    ///
    /// **Shape**: `values` as from [`values`](Self::values); one entry per argument of the node.
    /// **Cost**: one evaluation of the partials of one operation.
    #[must_use]
    pub fn partials(&self, node: NodeId, values: &[f64]) -> Vec<Option<f64>> {
        let mut partials = Short::new();
        self.partials_into(node, values, &mut Short::new(), &mut partials);
        partials.into_vec()
    }

    /// [`partials`](Self::partials) into buffers that are used again.
    pub(super) fn partials_into(
        &self,
        node: NodeId,
        values: &[f64],
        args: &mut Short<f64>,
        partials: &mut Short<Option<f64>>,
    ) {
        let arguments = self.arguments(node);
        args.clear();
        args.extend(arguments.iter().map(|a| values[a.index()]));
        partials.clear();
        partials.resize(arguments.len(), None);
        let y = values[node.index()];
        match self.kind(node) {
            NodeKind::Elementary(op) => elementary::partials(op, args, y, partials),
            NodeKind::Custom(rule) => {
                self.rules[rule as usize].partials(args, y, partials);
            }
            NodeKind::Select => partials[usize::from(args[2] == 0.0)] = Some(1.0),
            NodeKind::Gate if args[2] != 0.0 => {
                partials[0] = Some(args[1]);
                partials[1] = Some(args[0]);
            }
            NodeKind::Domain => partials[1] = Some(if args[0].is_nan() { f64::NAN } else { 1.0 }),
            _ => {}
        }
    }
}
