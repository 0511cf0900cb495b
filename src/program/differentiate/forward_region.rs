//! Tangents through a region: one region whose body carries the tangents along.
//!
//! A direction inside the body is either a direction of the outer program, whose tangents are further inputs of the body, or
//! a slot: an input of the body itself, so that the body yields local partials and the outer program multiplies them with the
//! tangents of the arguments. Slots serve where the arguments have more directions than the body has inputs.
//!
//! Invariant: the body is differentiated once, whatever the number of iterations.
//! Source: the chain rule on bodies is Griewank & Walther 2008, §10.3 (preaccumulation); scans follow JAX.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use super::adjoint::Reverse;
use super::draft::{Derivative, Draft, Weight};
use super::local::{BodyPlanner, PlannedBody};
use super::tangent::{Forward, Tangents, by_direction, of};
use crate::error::Error;
use crate::program::list::Program;
use crate::program::node::NodeId;
use crate::program::region::{Region, ResultStarts, Sink, Source};

/// What a derivative in a body is taken by.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Direction {
    /// A direction of the outer program.
    Column(u32),
    /// A uniform input, by the position of its argument.
    Uniform(usize),
    /// A lane, by the position of its first argument.
    Lane(usize),
}

/// A derivative of an output: its direction, its first result and that of its mask, and what becomes of its values.
struct Partial {
    direction: Direction,
    start: usize,
    mask: Option<usize>,
    sink: Sink,
}

/// A region with its tangents.
pub(super) struct RegionTangents {
    pub(super) node: NodeId,
    iterations: usize,
    last: usize,
    results: ResultStarts,
    sinks: Vec<Sink>,
    partials: Vec<Vec<Partial>>,
}

/// The tangents of the arguments of a region.
type Arguments<'a> = [&'a [(u32, Derivative)]];

/// A derivative of an output of a body: the number of its direction, and those of the outputs with its value and its mask.
struct Output {
    direction: usize,
    value: u32,
    mask: Option<u32>,
}

/// A body with derivatives.
struct Differentiated {
    body: Program,
    /// Per output of the original body, its derivatives; their outputs are numbered in this order.
    partials: Vec<Vec<Output>>,
    /// Per further input of the body, the original input and the column of its tangent; the masks of some follow.
    seeds: Vec<(usize, u32)>,
}

/// How a body is to be differentiated.
struct Plan<'a> {
    region: &'a Region,
    directions: Vec<Direction>,
    /// Per input the outer columns of its tangent; none for slots and inactive inputs.
    columns: Vec<Vec<u32>>,
    /// Per input its slot, as the number of the direction.
    slots: Vec<Option<u32>>,
    /// The inputs and columns whose tangents have masks in every iteration that has a tangent.
    masked: HashSet<(usize, u32)>,
}

impl RegionTangents {
    /// Appends the region that computes the results of a region together with their tangents.
    pub(super) fn build(
        draft: &Draft,
        region: &Region,
        nodes: &[NodeId],
        tangents: &Arguments<'_>,
        planner: Option<&BodyPlanner<'_>>,
    ) -> Result<Self, Error> {
        let mut plan = Plan::new(draft, region, tangents)?;
        let new = plan.differentiate(planner)?;
        let ranges: Vec<Range<usize>> = region.argument_ranges().collect();
        let (mut sources, mut arguments) = (region.sources.clone(), nodes.to_vec());
        for (input, column) in &new.seeds {
            let source = match &region.sources[*input] {
                Source::Carried { output } => {
                    let direction = plan.number(*column);
                    let carried = new.partials[*output as usize]
                        .iter()
                        .find(|partial| Some(partial.direction) == direction);
                    Source::Carried {
                        output: carried.map_or(0, |partial| partial.value),
                    }
                }
                source => source.clone(),
            };
            sources.push(source);
            let tangents = ranges[*input].clone().map(|a| of(tangents[a], *column));
            arguments.extend(tangents.map(|t| t.map_or_else(|| draft.zero(), |t| t.value)));
        }
        for (input, column) in new.seeds.iter().filter(|seed| plan.masked.contains(seed)) {
            sources.push(region.sources[*input].clone());
            let masks = ranges[*input]
                .clone()
                .map(|a| of(tangents[a], *column)?.mask);
            arguments.extend(masks.map(|mask| mask.unwrap_or_else(|| draft.zero())));
        }
        let mut sinks = region.sinks.clone();
        let mut start = region.results_len();
        let mut partials = Vec::with_capacity(sinks.len());
        for (sink, outputs) in region.sinks.iter().zip(&new.partials) {
            let mut list = Vec::with_capacity(outputs.len());
            for output in outputs {
                let direction = plan.directions[output.direction];
                let sink = match (direction, *sink) {
                    (Direction::Lane(_), Sink::Sum) => Sink::Each,
                    (_, sink) => sink,
                };
                let mut next = || {
                    sinks.push(sink);
                    start += region.height(sink);
                    start - region.height(sink)
                };
                let (start, mask) = (next(), output.mask.map(|_| next()));
                list.push(Partial {
                    direction,
                    start,
                    mask,
                    sink,
                });
            }
            partials.push(list);
        }
        let results = ResultStarts::of(region);
        let last = if region.is_reversed {
            0
        } else {
            region.iterations - 1
        };
        let (iterations, old_sinks) = (region.iterations, region.sinks.clone());
        let region = Region {
            body: Arc::new(new.body),
            sources,
            sinks,
            ..region.clone()
        };
        Ok(Self {
            node: draft.region(region, &arguments)?,
            iterations,
            last,
            results,
            sinks: old_sinks,
            partials,
        })
    }

    /// The tangents of a result of the original region, given those of the arguments.
    pub(super) fn tangents<'t>(
        &self,
        draft: &Draft,
        result: usize,
        arguments: impl Fn(usize) -> &'t [(u32, Derivative)],
    ) -> Result<Tangents, Error> {
        let (output, i) = self.results.locate(result);
        let mut terms = Vec::new();
        for partial in &self.partials[output] {
            // A derivative in iteration `i`.
            let at = |i: usize| {
                let place = if partial.sink == Sink::Each { i } else { 0 };
                let mask = partial
                    .mask
                    .map(|start| draft.result(self.node, start + place));
                let mask = mask.transpose()?.map(|mask| match partial.sink {
                    Sink::Sum => draft.is_positive(mask),
                    _ => mask,
                });
                let value = draft.result(self.node, partial.start + place)?;
                Ok::<_, Error>(Derivative { value, mask })
            };
            let mut multiply = |i: usize, argument: usize| {
                let tangents = arguments(argument);
                if tangents.is_empty() {
                    return Ok(());
                }
                let p = at(i)?;
                for (column, tangent) in tangents {
                    let is_unit = draft
                        .constant_of(tangent.value)
                        .is_some_and(|c| c.abs() == 1.0);
                    let weight = match p.mask {
                        Some(mask) if !is_unit => Weight::Gated(p.value, mask),
                        _ => Weight::Times(p.value),
                    };
                    let mut term = draft.apply(weight, *tangent);
                    if let (Some(mask), true) = (p.mask, is_unit) {
                        term.mask = Some(draft.both(mask, tangent.mask));
                    }
                    terms.push((*column, term));
                }
                Ok::<_, Error>(())
            };
            match (partial.direction, self.sinks[output]) {
                (Direction::Column(column), _) => terms.push((column, at(i)?.into())),
                (Direction::Uniform(argument), _) => multiply(i, argument)?,
                (Direction::Lane(first), Sink::Each) => multiply(i, first + i)?,
                (Direction::Lane(first), Sink::Last) => multiply(i, first + self.last)?,
                (Direction::Lane(first), Sink::Sum) => {
                    for i in 0..self.iterations {
                        multiply(i, first + i)?;
                    }
                }
            }
        }
        Ok(by_direction(draft, terms))
    }
}

impl<'a> Plan<'a> {
    /// Chooses slots or columns, separately for uniform inputs and for lanes.
    fn new(draft: &Draft, region: &'a Region, tangents: &Arguments<'_>) -> Result<Self, Error> {
        let ranges: Vec<Range<usize>> = region.argument_ranges().collect();
        let mut columns: Vec<Vec<u32>> = ranges
            .iter()
            .map(|range| union(range.clone().flat_map(|a| tangents[a]).map(|(c, _)| *c)))
            .collect();
        let mut plan = Self {
            region,
            directions: Vec::new(),
            slots: vec![None; columns.len()],
            columns: Vec::new(),
            masked: HashSet::new(),
        };
        if !region.is_scan() {
            for kind in [Source::Uniform, Source::Lane] {
                let inputs: Vec<usize> = (0..columns.len())
                    .filter(|k| region.sources[*k] == kind && !columns[*k].is_empty())
                    .collect();
                let directions = union(inputs.iter().flat_map(|k| &columns[*k]).copied()).len();
                let are_units = || {
                    let mut all = inputs
                        .iter()
                        .flat_map(|k| ranges[*k].clone())
                        .flat_map(|a| tangents[a]);
                    all.all(|(_, tangent)| draft.constant_of(tangent.value) == Some(1.0))
                };
                if directions < inputs.len() || (directions == inputs.len() && !are_units()) {
                    continue;
                }
                for input in inputs {
                    columns[input].clear();
                    plan.slots[input] = Some(number(plan.directions.len())?);
                    let first = ranges[input].start;
                    plan.directions.push(match kind {
                        Source::Lane => Direction::Lane(first),
                        _ => Direction::Uniform(first),
                    });
                }
            }
        }
        for (input, (columns, range)) in columns.iter().zip(ranges).enumerate() {
            let all = || range.clone().flat_map(|a| tangents[a]);
            let is_carried = matches!(region.sources[input], Source::Carried { .. });
            if is_carried || columns.is_empty() || all().all(|(_, t)| t.mask.is_none()) {
                continue;
            }
            let bare = union(all().filter(|(_, t)| t.mask.is_none()).map(|(c, _)| *c));
            let masked = columns.iter().filter(|c| bare.binary_search(c).is_err());
            plan.masked.extend(masked.map(|column| (input, *column)));
        }
        plan.columns = columns;
        let all = union(plan.columns.iter().flatten().copied());
        plan.directions
            .extend(all.into_iter().map(Direction::Column));
        Ok(plan)
    }

    /// The number of the direction of a column; columns come last and ascend.
    fn number(&self, column: u32) -> Option<usize> {
        let key = |direction: &Direction| match direction {
            Direction::Column(column) => Some(*column),
            _ => None,
        };
        self.directions
            .binary_search_by_key(&Some(column), key)
            .ok()
    }

    /// The body with its derivatives, by the cheaper mode where only slots matter.
    fn differentiate(
        &mut self,
        planner: Option<&BodyPlanner<'_>>,
    ) -> Result<Differentiated, Error> {
        let forward = loop {
            let new = self.forward()?;
            // What an iteration hands on has tangents in every direction that any iteration brings in.
            let mut is_complete = true;
            for (columns, source) in self.columns.iter_mut().zip(&self.region.sources) {
                let Source::Carried { output } = source else {
                    continue;
                };
                for partial in &new.partials[*output as usize] {
                    if let Direction::Column(column) = self.directions[partial.direction]
                        && let Err(place) = columns.binary_search(&column)
                    {
                        columns.insert(place, column);
                        is_complete = false;
                    }
                }
            }
            if is_complete {
                break new;
            }
        };
        let only_slots = self.columns.iter().all(Vec::is_empty);
        if !only_slots {
            return Ok(forward);
        }
        let reverse = self.reverse()?;
        let flops = |new: &Differentiated| Ok::<_, Error>(new.body.live()?.counts().flops());
        let basic = if flops(&reverse)? < flops(&forward)? {
            reverse
        } else {
            forward
        };
        let Some(planner) = planner else {
            return Ok(basic);
        };
        // A planned body is simplified already, so this one is as well before they are compared.
        let planned = self.planned(planner)?;
        let simple = basic.body.simplify()?.counts().flops();
        Ok(if flops(&planned)? < simple {
            planned
        } else {
            basic
        })
    }

    fn forward(&self) -> Result<Differentiated, Error> {
        let body = &*self.region.body;
        let seeds: Vec<(usize, u32)> = self
            .columns
            .iter()
            .enumerate()
            .flat_map(|(input, columns)| columns.iter().map(move |column| (input, *column)))
            .collect();
        let masks = seeds
            .iter()
            .filter(|seed| self.masked.contains(seed))
            .count();
        let draft = Draft::open(body.inputs + seeds.len() + masks)?;
        let mut tangents: Vec<Tangents> = self
            .slots
            .iter()
            .map(|slot| {
                slot.iter()
                    .map(|slot| (*slot, draft.constant(1.0).into()))
                    .collect()
            })
            .collect();
        let mut mask = body.inputs + seeds.len();
        for (k, (input, column)) in seeds.iter().enumerate() {
            let mut tangent = Derivative::from(NodeId::new(body.inputs + k)?);
            if self.masked.contains(&(*input, *column)) {
                tangent.mask = Some(NodeId::new(mask)?);
                mask += 1;
            }
            if let Some(direction) = self.number(*column) {
                tangents[*input].push((number(direction)?, tangent));
            }
        }
        let inputs = (0..body.inputs)
            .map(NodeId::new)
            .collect::<Result<_, _>>()?;
        let forward = Forward::run(&draft, body, inputs, tangents)?;
        let mut outputs: Vec<NodeId> = body
            .outputs
            .iter()
            .map(|y| forward.map[y.index()])
            .collect();
        let mut partials = Vec::with_capacity(outputs.len());
        for (output, node) in body.outputs.iter().enumerate() {
            let mut tangents = forward.tangents[node.index()].clone();
            for column in self.carried(output) {
                let Some(direction) = self.number(column) else {
                    continue;
                };
                let direction = number(direction)?;
                if let Err(place) = tangents.binary_search_by_key(&direction, |(d, _)| *d) {
                    tangents.insert(place, (direction, draft.zero().into()));
                }
            }
            partials.push(append(&mut outputs, tangents)?);
        }
        drop(forward);
        let body = draft.finish(outputs)?;
        Ok(Differentiated {
            body,
            partials,
            seeds,
        })
    }

    /// The columns in which an output hands on tangents.
    fn carried(&self, output: usize) -> Vec<u32> {
        let is_carrier = |source: &Source| matches!(source, Source::Carried { output: o } if *o as usize == output);
        let carriers = self.region.sources.iter().zip(&self.columns);
        union(
            carriers
                .filter(|(source, _)| is_carrier(source))
                .flat_map(|(_, columns)| columns)
                .copied(),
        )
    }

    /// The body with a planned Jacobian by its slots.
    fn planned(&self, planner: &BodyPlanner<'_>) -> Result<Differentiated, Error> {
        let active: Vec<bool> = self.slots.iter().map(Option::is_some).collect();
        let PlannedBody {
            mut program,
            entries,
        } = planner(&self.region.body, &active)?;
        let nodes = std::mem::take(&mut program.outputs);
        let mut tangents: Vec<Tangents> = vec![Vec::new(); self.region.body.outputs.len()];
        for entry in entries {
            if let Some(slot) = self.slots[entry.input] {
                let derivative = Derivative {
                    value: nodes[entry.value],
                    mask: entry.mask.map(|mask| nodes[mask]),
                };
                tangents[entry.output].push((slot, derivative));
            }
        }
        // Outputs are numbered by slots, which are in another order than inputs.
        let mut outputs = nodes[..tangents.len()].to_vec();
        let mut partials = Vec::with_capacity(tangents.len());
        for mut tangents in tangents {
            tangents.sort_by_key(|(slot, _)| *slot);
            partials.push(append(&mut outputs, tangents)?);
        }
        program.outputs = outputs;
        Ok(Differentiated {
            body: program,
            partials,
            seeds: Vec::new(),
        })
    }

    /// Reverse mode on the body.
    fn reverse(&self) -> Result<Differentiated, Error> {
        let body = &*self.region.body;
        let draft = Draft::open(body.inputs)?;
        let inputs = (0..body.inputs)
            .map(NodeId::new)
            .collect::<Result<_, _>>()?;
        let active: Vec<bool> = self.slots.iter().map(Option::is_some).collect();
        let mut reverse = Reverse::prepare(&draft, body, inputs, &active)?;
        reverse.keep_edges();
        let mut outputs = reverse.primals();
        let mut partials = Vec::with_capacity(outputs.len());
        for output in 0..body.outputs.len() {
            let adjoints = reverse.sweep(&[(output, Derivative::from(draft.constant(1.0)))])?;
            let by_slot = adjoints
                .iter()
                .filter_map(|(input, adjoint)| Some((self.slots[*input as usize]?, *adjoint)));
            let mut tangents: Tangents = by_slot.collect();
            tangents.sort_by_key(|(slot, _)| *slot);
            partials.push(append(&mut outputs, tangents)?);
        }
        drop(reverse);
        let body = draft.finish(outputs)?;
        Ok(Differentiated {
            body,
            partials,
            seeds: Vec::new(),
        })
    }
}

/// Appends tangents and their masks to the outputs of a body.
fn append(outputs: &mut Vec<NodeId>, tangents: Tangents) -> Result<Vec<Output>, Error> {
    let mut push = |node: NodeId| {
        outputs.push(node);
        number(outputs.len() - 1)
    };
    let mut numbers = Vec::with_capacity(tangents.len());
    for (direction, tangent) in tangents {
        numbers.push(Output {
            direction: direction as usize,
            value: push(tangent.value)?,
            mask: tangent.mask.map(&mut push).transpose()?,
        });
    }
    Ok(numbers)
}

fn number(index: usize) -> Result<u32, Error> {
    Ok(NodeId::new(index)?.raw())
}

/// Sorted, without repetitions.
fn union(columns: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut columns: Vec<u32> = columns.collect();
    columns.sort_unstable();
    columns.dedup();
    columns
}
