//! Naive evaluation of a program: values, tangents and adjoints of every node, for tables and as the twin of faster paths.

use super::list::{NodeKind, Program};
use crate::elementary;
use crate::error::{Error, check_len};

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

impl Program {
    /// The Wengert table: values, tangents and adjoints of every node at the recording point.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert::program::Program;
    /// let program = Program::record(|x| [x[0] * x[1].sin()], &[3.0, 0.0])?;
    /// let table = program.sensitivities(&[0.0, 1.0], &[1.0])?;
    /// assert_eq!(table.values, [3.0, 0.0, 0.0, 0.0]);
    /// assert_eq!(table.tangents, [0.0, 1.0, 1.0, 3.0]);
    /// assert_eq!(table.adjoints, [0.0, 3.0, 3.0, 1.0]);
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// **Shape**: `tangent` has `n` entries, `cotangent` has `m`; the results have one entry per node.
    /// **Cost**: a few evaluations of every local partial; meant for tables, not for speed.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] if a length is wrong.
    ///
    /// **Source**: Griewank & Walther 2008, tables 3.1 and 3.3; the slides.
    pub fn sensitivities(
        &self,
        tangent: &[f64],
        cotangent: &[f64],
    ) -> Result<Sensitivities, Error> {
        check_len("tangent", self.inputs(), tangent.len())?;
        check_len("cotangent", self.outputs().len(), cotangent.len())?;
        let mut tangents = vec![0.0; self.len()];
        for node in self.nodes() {
            tangents[node.index()] = match self.kind(node) {
                NodeKind::Input(input) => tangent[input as usize],
                _ => {
                    self.arguments(node)
                        .iter()
                        .zip(self.partials(node))
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
            for (argument, p) in self.arguments(node).iter().zip(self.partials(node)) {
                if let Some(p) = p {
                    adjoints[argument.index()] += p * adjoint;
                }
            }
        }
        Ok(Sensitivities {
            values: self.values.clone(),
            tangents,
            adjoints,
        })
    }

    /// The local partials of a node at the recording point; `None` for structural zeros and masks.
    #[must_use]
    pub fn partials(&self, node: super::NodeId) -> Vec<Option<f64>> {
        let values: Vec<f64> = self
            .arguments(node)
            .iter()
            .map(|a| self.value(*a))
            .collect();
        let mut partials = vec![None; values.len()];
        match self.kind(node) {
            NodeKind::Elementary(op) => {
                elementary::partials(op, &values, self.value(node), &mut partials);
            }
            NodeKind::Custom(rule) => {
                self.rules[rule as usize].partials(&values, self.value(node), &mut partials);
            }
            NodeKind::Select => partials[usize::from(values[2] == 0.0)] = Some(1.0),
            _ => {}
        }
        partials
    }
}
