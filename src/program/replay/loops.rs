//! Lowering of regions: loops over blocks of iterations with files of their own, or sequential loops in the files of the
//! enclosing code.
//!
//! Invariant: a loop over blocks carries nothing and stores no last value, and stands in scalar code.
//! Source: as `lower`.

use std::sync::Arc;

use super::super::node::{NodeId, NodeKind};
use super::super::region::{Region, Sink, Source};
use super::super::words::Map;
use super::code::{Blocks, Entry, Exit, Instruction, Opcode, Sequential, Slots, VECTOR};
use super::link::link;
use super::lower::{Body, Builder, NONE, Output, instruction, number_of, uses};
use crate::error::Error;

/// Fewer iterations than this do not pay for files of their own.
const FEWEST_BLOCKED: usize = 4;

impl Builder {
    /// The code of a region.
    pub(super) fn lower_region(
        &mut self,
        body: &mut Body<'_>,
        node: NodeId,
        region: &Region,
        code: &mut Vec<Instruction>,
    ) -> Result<(), Error> {
        let args: Vec<u32> = body
            .program
            .arguments(node)
            .iter()
            .map(|argument| body.operand(*argument))
            .collect();
        let differs = args.iter().any(|a| a & VECTOR != 0);
        let mut result_nodes = vec![None; region.results_len()];
        let all_results = body.results.remove(&node).unwrap_or_default();
        for (k, result) in &all_results {
            let first: NodeId = *result_nodes[*k as usize].get_or_insert(*result);
            // Another node for the same result shares the operand, which lives as long as the longer one.
            let last = body.last_use[result.index()];
            let last_use = &mut body.last_use[first.index()];
            *last_use = (*last_use).max(last);
        }
        // Where the results go: in place if they are outputs, to an accumulator, or to slots in a row.
        let mut results = vec![NONE; result_nodes.len()];
        let mut accumulators = vec![NONE; result_nodes.len()];
        for (k, result) in result_nodes.iter().enumerate() {
            if let Some(result) = result {
                results[k] = body.places[result.index()];
                if let Some(accumulator) = body.accumulated.get(result) {
                    accumulators[k] = *accumulator;
                }
            }
        }
        for (sink, range) in region.sinks().iter().zip(region.result_ranges()) {
            let is_partial = accumulators[range.clone()].contains(&NONE);
            if is_partial || *sink == Sink::Last {
                // Only whole sinks are accumulated.
                accumulators[range.clone()].fill(NONE);
            }
            let wanted = range
                .clone()
                .filter(|k| results[*k] == NONE && accumulators[*k] == NONE);
            let wanted: Vec<usize> = wanted.collect();
            let run = if differs {
                self.vectors.take_run(wanted.len())? | VECTOR
            } else {
                self.scalars.take_run(wanted.len())?
            };
            for (k, slot) in wanted.into_iter().zip(run..) {
                results[k] = slot;
                if let Some(result) = result_nodes[k] {
                    body.is_owned[result.index()] = true;
                }
            }
        }
        for (k, result) in all_results {
            body.operands[result.index()] = results[k as usize];
        }
        let can_block = self.is_blocked
            && !self.is_vector
            && region.iterations() >= FEWEST_BLOCKED
            && !region.is_scan()
            && !region.sinks().contains(&Sink::Last);
        if can_block {
            self.lower_blocks(region, &args, &results, code)
        } else {
            self.lower_sequential(region, &args, differs, &results, &accumulators, code)
        }
    }

    fn lower_sequential(
        &mut self,
        region: &Region,
        args: &[u32],
        differs: bool,
        results: &[u32],
        accumulators: &[u32],
        code: &mut Vec<Instruction>,
    ) -> Result<(), Error> {
        let last: Vec<u32> = region
            .result_ranges()
            .map(|range| results[range.start])
            .collect();
        let mut entries = Vec::new();
        let mut inputs = Vec::new();
        let mut taken = Vec::new();
        for (source, range) in region.sources().iter().zip(region.argument_ranges()) {
            let args = &args[range];
            let operand = match source {
                Source::Uniform => args[0],
                Source::Lane => self.take(args.iter().any(|a| a & VECTOR != 0))?,
                Source::Data(_) => self.take(false)?,
                Source::Carried { .. } => self.take(differs)?,
            };
            match source {
                Source::Uniform => {}
                Source::Lane => entries.push(Entry::Lane {
                    from: Slots::new(args.to_vec()),
                    to: operand,
                }),
                Source::Data(data) => entries.push(Entry::Data {
                    from: Arc::clone(data),
                    to: operand,
                }),
                Source::Carried { output } => entries.push(Entry::Carried {
                    initial: args[0],
                    next: last[*output as usize],
                    to: operand,
                }),
            }
            inputs.push(operand);
            taken.push(!matches!(source, Source::Uniform));
        }
        let program = region.body();
        let places = vec![NONE; program.len()];
        let mut body = Body::new(program, &inputs, true, places, Map::default());
        body.is_owned[..taken.len()].copy_from_slice(&taken);
        let is_accumulated: Vec<bool> = region
            .result_ranges()
            .map(|range| accumulators.get(range.start).is_some_and(|a| *a != NONE))
            .collect();
        body.defer_products(&is_accumulated, self.unit.fuses);
        let (mut body_code, outputs) = self.lower_body(body)?;
        if !self.is_vector {
            link(&mut body_code);
        }
        let mut exits = Vec::new();
        for ((from, sink), range) in outputs
            .into_iter()
            .zip(region.sinks())
            .zip(region.result_ranges())
        {
            let base = accumulators.get(range.start).copied().unwrap_or(NONE);
            let (from, product) = match from {
                Output::Value(operand) => (operand, None),
                Output::Product(a, b) => (a, Some((a, b))),
            };
            if base != NONE {
                let to = match sink {
                    Sink::Each => Slots::new(accumulators[range].to_vec()),
                    _ => Slots::Affine { base, stride: 0 },
                };
                exits.push(match product {
                    Some(from) => Exit::AccumulateProduct { from, to },
                    None => Exit::Accumulate { from, to },
                });
                continue;
            }
            exits.push(match sink {
                Sink::Sum => Exit::Sum {
                    from,
                    to: results[range.start],
                },
                Sink::Last => Exit::Last {
                    from,
                    to: results[range.start],
                },
                Sink::Each => Exit::Each {
                    from,
                    to: Slots::new(results[range].to_vec()),
                },
            });
        }
        let number = number_of(self.unit.sequential.len())?;
        self.unit.sequential.push(Sequential {
            iterations: region.iterations(),
            is_reversed: region.is_reversed(),
            entries,
            code: body_code,
            exits,
        });
        // In a vector unit every loop runs with the lanes of the unit.
        let dst = if self.is_vector { VECTOR } else { 0 };
        code.push(instruction(Opcode::Loop, dst, number));
        Ok(())
    }

    fn lower_blocks(
        &mut self,
        region: &Region,
        args: &[u32],
        results: &[u32],
        code: &mut Vec<Instruction>,
    ) -> Result<(), Error> {
        let mut inner = Self::new(false, self.unit.fuses);
        inner.is_vector = true;
        let mut inputs = Vec::new();
        let (mut uniforms, mut lanes, mut data) = (Vec::new(), Vec::new(), Vec::new());
        for (source, range) in region.sources().iter().zip(region.argument_ranges()) {
            let args = &args[range];
            inputs.push(match source {
                Source::Uniform | Source::Carried { .. } => {
                    let slot = inner.scalars.take_run(1)?;
                    uniforms.push((args[0], slot));
                    slot
                }
                Source::Lane => {
                    let slot = inner.vectors.take_run(1)?;
                    lanes.push((Slots::new(args.to_vec()), slot));
                    slot | VECTOR
                }
                Source::Data(column) => {
                    let slot = inner.vectors.take_run(1)?;
                    data.push((Arc::clone(column), slot));
                    slot | VECTOR
                }
            });
        }
        let program = region.body();
        // A result of an inner loop that is only summed over the lanes goes straight to its accumulator.
        let uses = uses(program);
        let mut sums = Vec::new();
        let mut accumulated = Map::default();
        for (output, sink) in program.outputs().iter().zip(region.sinks()) {
            if *sink == Sink::Sum {
                let is_result = matches!(program.kind(*output), NodeKind::Result(_));
                if is_result && uses[output.index()] == 1 {
                    accumulated.insert(*output, number_of(sums.len())?);
                }
                sums.push(*output);
            }
        }
        // Inputs are set for every block, so their slots may be used again; uniforms are set once.
        let places = vec![NONE; program.len()];
        let mut body = Body::new(program, &inputs, false, places, accumulated);
        for (owned, input) in body.is_owned.iter_mut().zip(&inputs) {
            *owned = input & VECTOR != 0;
        }
        let (body_code, outputs) = inner.lower_body(body)?;
        let (mut each, mut totals) = (Vec::new(), Vec::new());
        for ((operand, sink), range) in outputs
            .into_iter()
            .map(Output::operand)
            .zip(region.sinks())
            .zip(region.result_ranges())
        {
            match sink {
                Sink::Each => each.push((operand, Slots::new(results[range].to_vec()))),
                Sink::Sum | Sink::Last => {
                    totals.push(((operand != NONE).then_some(operand), results[range.start]));
                }
            }
        }
        let number = number_of(self.unit.blocks.len())?;
        self.unit.blocks.push(Blocks {
            iterations: region.iterations(),
            unit: inner.finish(body_code),
            uniforms,
            lanes,
            data,
            each,
            sums: totals,
        });
        code.push(instruction(Opcode::Loop, VECTOR, number));
        Ok(())
    }
}
