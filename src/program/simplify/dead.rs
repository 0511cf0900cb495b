//! Dead code: what no output and no guard needs, down to the inputs and outputs of regions.
//!
//! A region's output is needed as a whole as soon as one of its results is. A value that is carried is needed if something
//! besides itself needs it. A region whose body asks questions is needed for those.
//!
//! Invariant: inputs of a program are never dropped; what a needed node depends on is needed.
//! Source: mark and sweep, McCarthy 1960, on a list where a single backward pass marks everything.

use std::sync::Arc;

use crate::program::region::{Region, ResultStarts, Source};
use crate::program::words::Map;
use crate::program::{NodeId, NodeKind, Program};

/// What of a program is needed.
#[derive(Default)]
pub(super) struct Needs {
    /// Per node; the inputs come first.
    pub(super) nodes: Vec<bool>,
    /// Per output.
    pub(super) outputs: Vec<bool>,
    /// Per region that is needed, of its body.
    pub(super) regions: Vec<Self>,
}

impl Needs {
    /// Everything, as if nothing were dead.
    pub(super) fn all(program: &Program) -> Self {
        let bodies = program.regions.iter().map(|region| &*region.body);
        Self {
            nodes: vec![true; program.len()],
            outputs: vec![true; program.outputs.len()],
            regions: bodies.map(Self::all).collect(),
        }
    }

    /// What these outputs, and the guards, need; regions that only ask count as needed, unless others ask the same.
    pub(super) fn of(program: &Program, outputs: Vec<bool>, keeps_asking: bool) -> Self {
        let mut nodes = vec![false; program.len()];
        for (output, is_needed) in program.outputs.iter().zip(&outputs) {
            nodes[output.index()] |= is_needed;
        }
        for node in program.guards.iter().flat_map(|g| g.question.nodes()) {
            nodes[node.index()] = true;
        }
        let of_none = |region: &Region| (ResultStarts::of(region), vec![false; region.sinks.len()]);
        let mut results: Vec<_> = program.regions.iter().map(of_none).collect();
        let mut regions = Vec::new();
        regions.resize_with(program.regions.len(), Self::default);
        for index in (0..program.len()).rev() {
            let kind = program.kinds[index];
            if let NodeKind::Region(number) = kind {
                let region = &program.regions[number as usize];
                nodes[index] |= keeps_asking && asks(&region.body);
            }
            if !nodes[index] {
                continue;
            }
            let arguments = program.arguments_at(index);
            match kind {
                NodeKind::Region(number) => {
                    let region = &program.regions[number as usize];
                    let outputs = std::mem::take(&mut results[number as usize].1);
                    let body = Self::of_body(region, outputs, keeps_asking);
                    for (range, is_needed) in region.argument_ranges().zip(&body.nodes) {
                        for argument in &arguments[range] {
                            nodes[argument.index()] |= is_needed;
                        }
                    }
                    regions[number as usize] = body;
                    continue;
                }
                NodeKind::Result(result) => {
                    if let NodeKind::Region(number) = program.kind(arguments[0]) {
                        let (starts, outputs) = &mut results[number as usize];
                        outputs[starts.locate(result as usize).0] = true;
                    }
                }
                _ => {}
            }
            for argument in arguments {
                nodes[argument.index()] = true;
            }
        }
        Self {
            nodes,
            outputs,
            regions,
        }
    }

    /// What these outputs of a region need in its body, with those that are carried into something needed.
    fn of_body(region: &Region, mut outputs: Vec<bool>, keeps_asking: bool) -> Self {
        loop {
            let mut needs = Self::of(&region.body, outputs, keeps_asking);
            let mut is_complete = true;
            for (source, is_needed) in region.sources.iter().zip(&needs.nodes) {
                if let (Source::Carried { output }, true) = (source, is_needed) {
                    let is_known = &mut needs.outputs[*output as usize];
                    is_complete &= std::mem::replace(is_known, true);
                }
            }
            if is_complete {
                return needs;
            }
            outputs = needs.outputs;
        }
    }
}

/// Whether some question is asked in a program or its bodies.
pub(super) fn asks(program: &Program) -> bool {
    !program.guards.is_empty() || program.regions.iter().any(|region| asks(&region.body))
}

/// The nodes of a body that these outputs and its guards need, and whatever those need through carried values.
///
/// Outputs that are carried into a needed input are added. Nodes where `is_leaf` holds are needed without what they depend
/// on.
pub(super) fn reach(
    region: &Region,
    outputs: &mut [bool],
    is_leaf: impl Fn(NodeId) -> bool,
) -> Vec<bool> {
    let body = &*region.body;
    let mut nodes = vec![false; body.len()];
    let mut open: Vec<NodeId> = Vec::new();
    open.extend(body.guards.iter().flat_map(|guard| guard.question.nodes()));
    for node in body.nodes() {
        if let NodeKind::Region(number) = body.kind(node)
            && asks(&body.regions[number as usize].body)
        {
            open.push(node);
        }
    }
    let needed = body.outputs.iter().zip(&*outputs).filter(|(_, is)| **is);
    open.extend(needed.map(|(node, _)| *node));
    while let Some(node) = open.pop() {
        if std::mem::replace(&mut nodes[node.index()], true) || is_leaf(node) {
            continue;
        }
        if let NodeKind::Input(input) = body.kind(node)
            && let Source::Carried { output } = region.sources[input as usize]
        {
            outputs[output as usize] = true;
            open.push(body.outputs[output as usize]);
        }
        open.extend_from_slice(body.arguments(node));
    }
    nodes
}

/// The number of a node that is dropped.
const DROPPED: NodeId = NodeId::from_raw(u32::MAX);

/// Drops, in place, the nodes that are not needed, then the regions, rules and locations that no node has.
///
/// Regions keep their inputs and outputs.
pub(super) fn compact(program: &mut Program) {
    let needed = reached(program);
    let mut new = vec![DROPPED; program.len()];
    let (mut to, mut end, mut start) = (0, 0, 0);
    for from in 0..program.len() {
        let range = std::mem::replace(&mut start, program.ends[from] as usize)..start;
        if !needed[from] && from >= program.inputs {
            continue;
        }
        new[from] = NodeId::from_raw(u32::try_from(to).expect("no more nodes than before"));
        program.kinds[to] = program.kinds[from];
        for argument in range {
            program.arguments[end] = new[program.arguments[argument].index()];
            end += 1;
        }
        program.ends[to] = u32::try_from(end).expect("no more arguments than before");
        if let Some(place) = program.places.get(from).copied() {
            program.places[to] = place;
        }
        to += 1;
    }
    program.kinds.truncate(to);
    program.ends.truncate(to);
    program.places.truncate(to);
    program.arguments.truncate(end);
    for output in &mut program.outputs {
        *output = new[output.index()];
    }
    for guard in &mut program.guards {
        guard.question = guard.question.map(|node| new[node.index()]);
    }
    drop_unused(program);
    program.kinds.shrink_to_fit();
    program.ends.shrink_to_fit();
    program.places.shrink_to_fit();
    program.arguments.shrink_to_fit();
}

/// The nodes that outputs and questions depend on, regions with all their arguments.
fn reached(program: &Program) -> Vec<bool> {
    let mut nodes = vec![false; program.len()];
    let questions = program.guards.iter().flat_map(|g| g.question.nodes());
    for node in program.outputs.iter().copied().chain(questions) {
        nodes[node.index()] = true;
    }
    for index in (0..program.len()).rev() {
        let is_reached = nodes[index]
            || matches!(program.kinds[index], NodeKind::Region(number)
                if asks(&program.regions[number as usize].body));
        if is_reached {
            nodes[index] = true;
            for argument in program.arguments_at(index) {
                nodes[argument.index()] = true;
            }
        }
    }
    nodes
}

/// Numbers what is used of a list anew, in the order of the list.
struct Renumbered {
    is_used: Vec<bool>,
    new: Vec<u32>,
}

impl Renumbered {
    fn new(len: usize, used: impl Iterator<Item = u32>) -> Self {
        let mut is_used = vec![false; len];
        for number in used {
            is_used[number as usize] = true;
        }
        let mut next = 0;
        let new = is_used.iter().map(|is_used| {
            let number = next;
            next += u32::from(*is_used);
            number
        });
        Self {
            new: new.collect(),
            is_used,
        }
    }

    fn retain<T>(&self, list: &mut Vec<T>) {
        let mut is_used = self.is_used.iter();
        list.retain(|_| is_used.next().copied().unwrap_or(false));
        list.shrink_to_fit();
    }
}

/// Drops the regions, rules and locations that no node has.
fn drop_unused(program: &mut Program) {
    let kinds = &program.kinds;
    let regions = Renumbered::new(
        program.regions.len(),
        kinds.iter().filter_map(|kind| match kind {
            NodeKind::Region(number) => Some(*number),
            _ => None,
        }),
    );
    let rules = Renumbered::new(
        program.rules.len(),
        kinds.iter().filter_map(|kind| match kind {
            NodeKind::Custom(number) => Some(*number),
            _ => None,
        }),
    );
    let places = program
        .places
        .iter()
        .filter_map(|place| place.checked_sub(1));
    let locations = Renumbered::new(program.locations.len(), places);
    if !(regions.new.is_empty() && rules.new.is_empty()) {
        for kind in &mut program.kinds {
            match kind {
                NodeKind::Region(number) => *number = regions.new[*number as usize],
                NodeKind::Custom(number) => *number = rules.new[*number as usize],
                _ => {}
            }
        }
    }
    for place in &mut program.places {
        if let Some(location) = place.checked_sub(1) {
            *place = 1 + locations.new[location as usize];
        }
    }
    regions.retain(&mut program.regions);
    rules.retain(&mut program.rules);
    locations.retain(&mut program.locations);
}

/// Numbers shared things by where they are.
pub(super) struct Shared<T: ?Sized> {
    numbers: Map<usize, u32>,
    marker: std::marker::PhantomData<T>,
}

impl<T: ?Sized> Shared<T> {
    /// The numbers of the things in a list; of two that are the same the first.
    pub(super) fn new(list: &[Arc<T>]) -> Self {
        let mut shared = Self {
            numbers: Map::default(),
            marker: std::marker::PhantomData,
        };
        for (number, thing) in (0..).zip(list) {
            shared.numbers.entry(address(thing)).or_insert(number);
        }
        shared
    }

    /// The number of a thing, which is appended to the list if it is not there.
    pub(super) fn number(&mut self, list: &mut Vec<Arc<T>>, thing: &Arc<T>) -> u32 {
        let next = u32::try_from(list.len()).unwrap_or(u32::MAX);
        *self.numbers.entry(address(thing)).or_insert_with(|| {
            list.push(Arc::clone(thing));
            next
        })
    }
}

/// Where a shared thing is; it stays there while somebody has it.
fn address<T: ?Sized>(thing: &Arc<T>) -> usize {
    Arc::as_ptr(thing).cast::<()>().addr()
}
