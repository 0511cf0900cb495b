//! Dead code of derivative programs, also inside regions: a derivative often needs the partials of a body but not its value,
//! or only some of the values that a forward pass stores.
//!
//! Invariant: outputs, inputs and guards of the program stay; a region keeps the outputs that something uses, and the inputs
//! that these outputs and the guards of the body depend on.

use std::sync::Arc;

use crate::program::list::Program;
use crate::program::node::{NodeId, NodeKind};
use crate::program::region::{Region, Source};
use crate::program::words::Map;

/// The program without the nodes that no output and no guard depends on.
pub(super) fn sweep(program: &Program) -> Program {
    let outputs = vec![true; program.outputs.len()];
    Liveness::of(program, &outputs).rebuild(program, &outputs, |_| true)
}

/// Which nodes are needed, and what is left of the regions.
struct Liveness {
    live: Vec<bool>,
    regions: Map<usize, Pruned>,
}

/// What is left of a region.
struct Pruned {
    region: Region,
    /// Per input of the old body, whether it is still there.
    inputs: Vec<bool>,
    /// Per result of the old region, its new number; only those of outputs that are still there count.
    starts: Vec<(usize, usize)>,
}

impl Pruned {
    fn result(&self, old: usize) -> usize {
        let output = self.starts.partition_point(|(start, _)| *start <= old) - 1;
        let (start, new) = self.starts[output];
        new + (old - start)
    }
}

impl Liveness {
    fn of(program: &Program, outputs: &[bool]) -> Self {
        let mut live = vec![false; program.len()];
        for (output, used) in program.outputs.iter().zip(outputs) {
            live[output.index()] |= used;
        }
        for node in program
            .guards
            .iter()
            .flat_map(|guard| guard.question.nodes())
        {
            live[node.index()] = true;
        }
        let mut regions = Map::default();
        let mut used: Map<NodeId, (Results, Vec<bool>)> = Map::default();
        let nodes: Vec<NodeId> = program.nodes().collect();
        for node in nodes.into_iter().rev() {
            if !live[node.index()] {
                continue;
            }
            let arguments = program.arguments(node);
            match program.kind(node) {
                NodeKind::Region(r) => {
                    let region = &program.regions[r as usize];
                    let used = used
                        .remove(&node)
                        .map_or_else(|| vec![false; region.sinks.len()], |(_, used)| used);
                    let pruned = prune(region, used);
                    for (range, _) in region
                        .argument_ranges()
                        .zip(&pruned.inputs)
                        .filter(|(_, kept)| **kept)
                    {
                        for argument in &arguments[range] {
                            live[argument.index()] = true;
                        }
                    }
                    regions.insert(node.index(), pruned);
                }
                NodeKind::Result(k) => {
                    let from = arguments[0];
                    live[from.index()] = true;
                    if let NodeKind::Region(r) = program.kind(from) {
                        let region = &program.regions[r as usize];
                        let (results, used) = used.entry(from).or_insert_with(|| {
                            (Results::of(region), vec![false; region.sinks.len()])
                        });
                        used[results.locate(k as usize).0] = true;
                    }
                }
                _ => {
                    for argument in arguments {
                        live[argument.index()] = true;
                    }
                }
            }
        }
        Self { live, regions }
    }

    fn rebuild(
        mut self,
        program: &Program,
        outputs: &[bool],
        keep_input: impl Fn(usize) -> bool,
    ) -> Program {
        let mut new = Program {
            inputs: (0..program.inputs).filter(|k| keep_input(*k)).count(),
            rules: program.rules.clone(),
            is_derivative: program.is_derivative,
            locations: program.locations.clone(),
            ..Program::default()
        };
        let mut map = vec![NodeId::from_raw(0); program.len()];
        let number = |length: usize| {
            u32::try_from(length)
                .expect("there are no more nodes than before, and these were numbered")
        };
        let mut inputs = 0;
        for node in program.nodes() {
            let kind = program.kind(node);
            let is_kept = match kind {
                NodeKind::Input(k) => keep_input(k as usize),
                _ => self.live[node.index()],
            };
            if !is_kept {
                continue;
            }
            let arguments = program.arguments(node);
            let mapped = |argument: &NodeId| map[argument.index()];
            let kind = match kind {
                NodeKind::Input(_) => {
                    inputs += 1;
                    NodeKind::Input(inputs - 1)
                }
                NodeKind::Region(r) => {
                    let old = &program.regions[r as usize];
                    let pruned = &self.regions[&node.index()];
                    for (range, _) in old
                        .argument_ranges()
                        .zip(&pruned.inputs)
                        .filter(|(_, kept)| **kept)
                    {
                        new.arguments.extend(arguments[range].iter().map(mapped));
                    }
                    new.regions.push(pruned.region.clone());
                    NodeKind::Region(number(new.regions.len() - 1))
                }
                NodeKind::Result(k) => {
                    let k = self.regions[&arguments[0].index()].result(k as usize);
                    NodeKind::Result(number(k))
                }
                kind => kind,
            };
            if !matches!(kind, NodeKind::Region(_)) {
                new.arguments.extend(arguments.iter().map(mapped));
            }
            map[node.index()] = NodeId::from_raw(number(new.kinds.len()));
            new.kinds.push(kind);
            new.ends.push(number(new.arguments.len()));
            if let Some(place) = program.places.get(node.index()) {
                new.places.push(*place);
            }
        }
        self.regions.clear();
        let kept = program
            .outputs
            .iter()
            .zip(outputs)
            .filter(|(_, kept)| **kept);
        new.outputs = kept.map(|(output, _)| map[output.index()]).collect();
        new.guards.clone_from(&program.guards);
        for guard in &mut new.guards {
            guard.question = guard.question.map(|node| map[node.index()]);
        }
        new
    }
}

/// Where the results of the outputs of a region begin.
pub(super) struct Results(Vec<usize>);

impl Results {
    pub(super) fn of(region: &Region) -> Self {
        Self(region.result_ranges().map(|range| range.start).collect())
    }

    /// The output that a result belongs to, and which of its results it is.
    pub(super) fn locate(&self, result: usize) -> (usize, usize) {
        let output = self.0.partition_point(|start| *start <= result) - 1;
        (output, result - self.0[output])
    }
}

/// The region with only these outputs and those that its iterations hand on.
fn prune(region: &Region, mut used: Vec<bool>) -> Pruned {
    let body = &*region.body;
    let (liveness, inputs) = loop {
        let liveness = Liveness::of(body, &used);
        let inputs: Vec<bool> = liveness.live[..body.inputs].to_vec();
        let mut is_complete = true;
        for (source, _) in region
            .sources
            .iter()
            .zip(&inputs)
            .filter(|(_, live)| **live)
        {
            if let Source::Carried { output } = source {
                let output = *output as usize;
                is_complete &= used[output];
                used[output] = true;
            }
        }
        if is_complete {
            break (liveness, inputs);
        }
    };
    let mut starts = Vec::with_capacity(used.len());
    let mut new = 0;
    for (range, used) in region.result_ranges().zip(&used) {
        starts.push((range.start, new));
        new += if *used { range.len() } else { 0 };
    }
    let is_whole = liveness.live.iter().chain(&used).all(|live| *live)
        && liveness
            .regions
            .values()
            .all(|pruned| pruned.inputs.iter().all(|kept| *kept));
    let sinks: Vec<_> = region
        .sinks
        .iter()
        .zip(&used)
        .filter(|(_, used)| **used)
        .map(|(s, _)| *s)
        .collect();
    let new_output = |old: u32| {
        let before = used[..old as usize].iter().filter(|used| **used).count();
        u32::try_from(before).unwrap_or(u32::MAX)
    };
    let sources = region
        .sources
        .iter()
        .zip(&inputs)
        .filter(|(_, live)| **live);
    let sources = sources
        .map(|(source, _)| match source {
            Source::Carried { output } => Source::Carried {
                output: new_output(*output),
            },
            source => source.clone(),
        })
        .collect();
    let body = if is_whole {
        Arc::clone(&region.body)
    } else {
        Arc::new(liveness.rebuild(body, &used, |k| inputs[k]))
    };
    let region = Region {
        body,
        sources,
        sinks,
        ..region.clone()
    };
    Pruned {
        region,
        inputs,
        starts,
    }
}
