//! [`Chain`]: elements, the steps of the cost model, exact plans for one and for unlimited workers.
//!
//! Accumulating element `i` of `n` inputs, `m` outputs and `e` edges costs `e min(n, m)`. A part `i..=j` of the chain is the
//! product of two accumulated parts (`m_j m_k n_i`), or a part extended by one element: by tangents (`n_i e_j`) or by adjoints
//! (`m_j e_i`), for which the element's recording must fit the memory. A sweep over several elements is as many such steps and
//! costs the same, so nothing is lost; in between a worker may do something else.
//!
//! Invariant: steps whose cost is beyond 2^64 are left out; no plan that can be represented uses them.
//! Source: Maertens & Naumann, ACDA 2025; Naumann 2004.

use serde::{Deserialize, Serialize};

use super::bracketing::{Bracketing, TaskKind};
use crate::error::Error;

/// A part of a chain: its first and its last element.
pub(super) type Part = (usize, usize);

/// One way to get the Jacobian of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) kind: TaskKind,
    pub(super) cost: u64,
    /// What it needs, in chain order.
    pub(super) parts: [Option<Part>; 2],
}

/// One function of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "[u64; 3]", into = "[u64; 3]")]
pub struct Element {
    /// The number of inputs.
    pub inputs: u64,
    /// The number of outputs.
    pub outputs: u64,
    /// The edges of its linearized graph: the cost of one tangent or adjoint, and the memory of its recording.
    pub edges: u64,
}

impl From<[u64; 3]> for Element {
    fn from([inputs, outputs, edges]: [u64; 3]) -> Self {
        Self {
            inputs,
            outputs,
            edges,
        }
    }
}

impl From<Element> for [u64; 3] {
    fn from(element: Element) -> Self {
        [element.inputs, element.outputs, element.edges]
    }
}

/// A chain of functions, or of matrices that are there already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    elements: Vec<Element>,
    /// The Jacobians are given: no accumulation, no tangents, no adjoints.
    is_dense: bool,
}

impl Chain {
    /// A chain of functions, the one that is applied first in front.
    ///
    /// **Shape**: the inputs of an element are the outputs of the one before; the chain may be empty.
    /// **Cost**: one pass.
    ///
    /// # Errors
    /// `InvalidChain` if two neighbours do not fit.
    ///
    /// ```
    /// use wengert::crosscountry::chain::{Chain, Element};
    /// let (f, g) = (Element::from([3, 2, 9]), Element::from([5, 1, 9]));
    /// assert!(Chain::new(vec![f, g]).is_err());
    /// # Ok::<(), wengert::Error>(())
    /// ```
    ///
    /// **Source**: Maertens & Naumann, ACDA 2025.
    pub fn new(elements: Vec<Element>) -> Result<Self, Error> {
        let fits = |pair: &[Element]| pair[0].outputs == pair[1].inputs;
        match elements.windows(2).position(|pair| !fits(pair)) {
            Some(k) => Err(Error::InvalidChain {
                index: k + 1,
                what: "its inputs are not the outputs of the element before",
            }),
            None => Ok(Self {
                elements,
                is_dense: false,
            }),
        }
    }

    /// A chain of matrices that are there: the `k`th has `dims[k]` inputs and `dims[k + 1]` outputs.
    ///
    /// **Shape**: fewer than two numbers are an empty chain.
    /// **Cost**: one pass.
    ///
    /// ```
    /// use wengert::crosscountry::chain::{Chain, ChainOptions};
    /// let chain = Chain::dense(&[50, 50, 1, 50, 50]);
    /// let plan = chain.plan(&ChainOptions { workers: 2, ..ChainOptions::default() })?;
    /// assert_eq!((plan.best, plan.is_optimal()), (5000, true));
    /// # Ok::<(), wengert::Error>(())
    /// ```
    ///
    /// **Source**: Cormen, Leiserson, Rivest & Stein 2009, §15.2.
    #[must_use]
    pub fn dense(dims: &[u64]) -> Self {
        let element = |pair: &[u64]| Element::from([pair[0], pair[1], 0]);
        Self {
            elements: dims.windows(2).map(element).collect(),
            is_dense: true,
        }
    }

    /// The elements.
    #[must_use]
    pub fn elements(&self) -> &[Element] {
        &self.elements
    }

    /// Whether the Jacobians are given as matrices.
    #[must_use]
    pub fn is_dense(&self) -> bool {
        self.is_dense
    }

    /// The cost of tangents from the inputs through the whole chain, whatever the number of workers; of a dense chain, of
    /// products in chain order.
    ///
    /// **Cost**: one pass.
    ///
    /// # Errors
    /// `CostOverflow` beyond 2^64.
    ///
    /// **Source**: Griewank & Walther 2008, §3.
    pub fn forward(&self) -> Result<u64, Error> {
        let Some(first) = self.elements.first() else {
            return Ok(0);
        };
        if self.is_dense {
            let inner = self.elements.iter().skip(1);
            return total(inner.map(|e| product([first.inputs, e.inputs, e.outputs])));
        }
        total(
            self.elements
                .iter()
                .map(|e| first.inputs.checked_mul(e.edges)),
        )
    }

    /// The cost of adjoints from the outputs through the whole chain, whatever the number of workers; of a dense chain, of
    /// products against chain order. `None` if the recording of an element exceeds the memory.
    ///
    /// **Cost**: one pass.
    ///
    /// # Errors
    /// `CostOverflow` beyond 2^64.
    ///
    /// **Source**: Griewank & Walther 2008, §3.
    pub fn reverse(&self, memory: Option<u64>) -> Result<Option<u64>, Error> {
        let Some(last) = self.elements.last() else {
            return Ok(Some(0));
        };
        if self.is_dense {
            let inner = self.elements.iter().rev().skip(1);
            return total(inner.map(|e| product([last.outputs, e.outputs, e.inputs]))).map(Some);
        }
        if !self.elements.iter().all(|e| fits(e, memory)) {
            return Ok(None);
        }
        total(
            self.elements
                .iter()
                .map(|e| last.outputs.checked_mul(e.edges)),
        )
        .map(Some)
    }

    /// The ways to get the Jacobian of a part, those with the smallest split first.
    pub(super) fn steps(&self, part: Part, memory: Option<u64>) -> Vec<Step> {
        let (i, j) = part;
        let (first, last) = (&self.elements[i], &self.elements[j]);
        let step = |kind, cost: Option<u64>, parts| cost.map(|cost| Step { kind, cost, parts });
        if i == j {
            let leaf = if self.is_dense {
                step(TaskKind::Given, Some(0), [None; 2])
            } else {
                let tangents = first.inputs.checked_mul(first.edges);
                let adjoints = fits(first, memory).then(|| first.outputs.checked_mul(first.edges));
                let cost = tangents.into_iter().chain(adjoints.flatten()).min();
                step(TaskKind::Accumulate, cost, [None; 2])
            };
            return leaf.into_iter().collect();
        }
        let split = |k: usize| {
            let cost = product([last.outputs, self.elements[k].outputs, first.inputs]);
            step(TaskKind::Product, cost, [Some((i, k)), Some((k + 1, j))])
        };
        let mut steps: Vec<Step> = (i..j).filter_map(split).collect();
        if !self.is_dense {
            let cost = first.inputs.checked_mul(last.edges);
            steps.extend(step(TaskKind::Tangent, cost, [Some((i, j - 1)), None]));
            if fits(first, memory) {
                let cost = last.outputs.checked_mul(first.edges);
                steps.extend(step(TaskKind::Adjoint, cost, [Some((i + 1, j)), None]));
            }
        }
        steps
    }

    /// The cheapest bracketing if the costs of two operands add up; `None` if its cost is beyond 2^64.
    pub(super) fn serial(&self, memory: Option<u64>) -> Option<Bracketing> {
        self.optimum(memory, |a, b| a.checked_add(b))
    }

    /// The fastest bracketing if operands are computed at the same time; `None` if its cost is beyond 2^64.
    pub(super) fn unlimited(&self, memory: Option<u64>) -> Option<Bracketing> {
        self.optimum(memory, |a, b| Some(a.max(b)))
    }

    /// Dynamic programming over parts; of equally fast ones that with the least work, then the smallest split.
    fn optimum(
        &self,
        memory: Option<u64>,
        join: impl Fn(u64, u64) -> Option<u64>,
    ) -> Option<Bracketing> {
        let q = self.elements.len();
        if q == 0 {
            return Some(Bracketing::default());
        }
        let mut best: Vec<Option<((u64, u128), Step)>> = vec![None; q * q];
        for length in 0..q {
            for i in 0..q - length {
                let part = (i, i + length);
                for step in self.steps(part, memory) {
                    let mut time = Some(0);
                    let mut work = u128::from(step.cost);
                    for (a, b) in step.parts.iter().flatten() {
                        let operand = best[a * q + b].map(|(value, _)| value);
                        time = time.zip(operand).and_then(|(t, (o, _))| join(t, o));
                        work += operand.map_or(0, |(_, w)| w);
                    }
                    let Some(time) = time.and_then(|t: u64| t.checked_add(step.cost)) else {
                        continue;
                    };
                    let value = (time, work);
                    let slot = &mut best[i * q + i + length];
                    if slot.is_none_or(|(old, _)| value < old) {
                        *slot = Some((value, step));
                    }
                }
            }
        }
        best[q - 1]?;
        let choose = |(i, j): Part| {
            best[i * q + j]
                .expect("operands of a chosen step have one")
                .1
        };
        Some(Bracketing::build((0, q - 1), choose))
    }
}

/// Whether the recording of an element fits the memory.
fn fits(element: &Element, memory: Option<u64>) -> bool {
    memory.is_none_or(|memory| element.edges <= memory)
}

fn product(factors: [u64; 3]) -> Option<u64> {
    // A zero makes the product small, even behind an overflow.
    if factors.contains(&0) {
        return Some(0);
    }
    factors[0].checked_mul(factors[1])?.checked_mul(factors[2])
}

fn total(mut costs: impl Iterator<Item = Option<u64>>) -> Result<u64, Error> {
    costs
        .try_fold(0_u64, |sum, cost| sum.checked_add(cost?))
        .ok_or(Error::CostOverflow)
}
