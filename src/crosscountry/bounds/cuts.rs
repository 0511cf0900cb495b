//! [`Side`]: minimum vertex cuts between a vertex and what lies before it, or behind it.
//!
//! The cut is found as the largest number of paths that share no vertex, by augmenting paths. A member of a group is decided on
//! while the flow stays: a vertex that may no more be cut, or where a path may end, only ever leaves room for more paths.
//!
//! Invariant: every state of the flow is a set of paths from the vertex to terminals, disjoint but in open vertices.
//! Source: Menger 1927; Ford & Fulkerson 1956 (augmenting paths, vertices split in two).

use crate::crosscountry::graph::{LinearizedGraph, VertexId};

const NONE: u32 = u32::MAX;

/// What a path may do at a vertex.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// One path may pass: the vertex costs one in a cut.
    Unit,
    /// Any number may pass: the vertex is eliminated already, so it cannot be cut.
    Open,
    /// One path may end here: the vertex is not eliminated yet, or never.
    Terminal,
    /// No path passes: edges between it and the vertex in question may be free, so it costs nothing in a cut.
    Blocked,
}

/// All neighbours of all vertices, in both directions, and which edges count as free.
#[derive(Clone, Debug)]
pub(super) struct Neighbours {
    pub(super) sources: Vec<Vec<u32>>,
    pub(super) targets: Vec<Vec<u32>>,
    free_sources: Vec<Vec<u32>>,
    free_targets: Vec<Vec<u32>>,
    /// Inputs and outputs.
    is_terminal: Vec<bool>,
}

impl Neighbours {
    /// `is_free` tells the classes of edges whose products may cost nothing.
    pub(super) fn new(
        graph: &LinearizedGraph,
        is_free: impl Fn(crate::crosscountry::EdgeClass) -> bool,
    ) -> Self {
        let empty = || vec![Vec::new(); graph.len()];
        let mut all = Self {
            sources: empty(),
            targets: empty(),
            free_sources: empty(),
            free_targets: empty(),
            is_terminal: graph.is_intermediate().iter().map(|is| !is).collect(),
        };
        for edge in graph.edges() {
            let (source, target) = (edge.source, edge.target);
            all.sources[target.index()].push(source.raw());
            all.targets[source.index()].push(target.raw());
            if is_free(edge.class) {
                all.free_sources[target.index()].push(source.raw());
                all.free_targets[source.index()].push(target.raw());
            }
        }
        all
    }
}

/// Before or behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Sources,
    Targets,
}

/// One side of a vertex: its ancestors up to inputs and outputs, or its descendants, with a flow.
#[derive(Clone, Debug)]
pub(super) struct Side {
    /// The numbers in the graph of the local vertices; the vertex itself is the first.
    vertices: Vec<u32>,
    role: Vec<Role>,
    /// Per local vertex, the arcs that lead away from the vertex in question: `(arc, next)`.
    onward: Vec<Vec<(u32, u32)>>,
    /// The same arcs by their ends.
    back: Vec<Vec<(u32, u32)>>,
    /// Start and end of each arc.
    arcs: Vec<(u32, u32)>,
    flow: Flow,
    search: Search,
}

/// The paths found so far.
#[derive(Clone, Debug)]
struct Flow {
    value: u32,
    /// How many paths use an arc.
    used: Vec<u32>,
    /// By which arc the one path enters a unit or terminal vertex.
    entered: Vec<u32>,
}

/// Scratch space of a search. States are `2 u` for being about to enter `u`, and `2 u + 1` for having left it.
#[derive(Clone, Debug)]
struct Search {
    stamp: u32,
    seen: Vec<u32>,
    /// The state before, and the arc taken: `2 arc` along it, `2 arc + 1` against it.
    parent: Vec<(u32, u32)>,
    queue: Vec<u32>,
}

impl Side {
    /// The side with the largest flow while no other vertex is eliminated or has to stay.
    pub(super) fn new(all: &Neighbours, vertex: VertexId, direction: Direction) -> Self {
        let (next, free) = match direction {
            Direction::Sources => (&all.sources, &all.free_sources),
            Direction::Targets => (&all.targets, &all.free_targets),
        };
        let mut local = std::collections::HashMap::from([(vertex.raw(), 0_u32)]);
        let mut side = Self {
            vertices: vec![vertex.raw()],
            role: vec![Role::Open],
            onward: vec![Vec::new()],
            back: vec![Vec::new()],
            arcs: Vec::new(),
            flow: Flow {
                value: 0,
                used: Vec::new(),
                entered: Vec::new(),
            },
            search: Search {
                stamp: 0,
                seen: Vec::new(),
                parent: Vec::new(),
                queue: Vec::new(),
            },
        };
        let mut at = 0;
        while at < side.vertices.len() {
            let u = side.vertices[at] as usize;
            if at > 0 && all.is_terminal[u] {
                at += 1;
                continue;
            }
            for p in &next[u] {
                let fresh = side.role.len();
                let to = *local.entry(*p).or_insert(u32_of(fresh));
                if to as usize == fresh {
                    side.vertices.push(*p);
                    side.role.push(if all.is_terminal[*p as usize] {
                        Role::Terminal
                    } else {
                        Role::Unit
                    });
                    side.onward.push(Vec::new());
                    side.back.push(Vec::new());
                }
                let (arc, from) = (u32_of(side.arcs.len()), u32_of(at));
                side.onward[at].push((arc, to));
                side.back[to as usize].push((arc, from));
                side.arcs.push((from, to));
            }
            at += 1;
        }
        // What a path of free edges only connects may be free.
        let mut queue = vec![vertex.raw()];
        while let Some(u) = queue.pop() {
            for p in &free[u as usize] {
                let p_local = local[p] as usize;
                if side.role[p_local] != Role::Blocked {
                    side.role[p_local] = Role::Blocked;
                    if !all.is_terminal[*p as usize] {
                        queue.push(*p);
                    }
                }
            }
        }
        let vertices = side.vertices.len();
        side.flow.used = vec![0; side.arcs.len()];
        side.flow.entered = vec![NONE; vertices];
        side.search.seen = vec![0; 2 * vertices];
        side.search.parent = vec![(0, 0); 2 * vertices];
        side.augment();
        side
    }

    /// The size of the cut while no other vertex is eliminated or has to stay.
    pub(super) fn value(&self) -> u32 {
        self.flow.value
    }

    /// The numbers of the other vertices on this side, the nearest first.
    pub(super) fn others(&self) -> &[u32] {
        &self.vertices[1..]
    }

    /// The positions, in the group, of the members that lie on this side.
    pub(super) fn relevant(&self, group: &[VertexId]) -> Vec<usize> {
        let is_here = |v: &VertexId| self.vertices[1..].contains(&v.raw());
        (0..group.len()).filter(|i| is_here(&group[*i])).collect()
    }

    /// The cuts for every way to split these members into those that are eliminated (bit 1) and those that are still there.
    ///
    /// **Shape**: `2^members` sizes, by the set of eliminated members.
    /// **Cost**: twice as many searches in this side.
    pub(super) fn table(&mut self, members: &[VertexId]) -> Vec<u32> {
        let locals: Vec<usize> = members
            .iter()
            .map(|v| {
                let found = self.vertices.iter().position(|u| *u == v.raw());
                found.expect("members are relevant to the side")
            })
            .collect();
        let mut table = vec![0; 1 << members.len()];
        self.split(&locals, 0, &mut table);
        table
    }

    /// The positions, in the list, of the members that lie on this side, and their local numbers.
    pub(super) fn locals(&self, list: &[VertexId]) -> Vec<(usize, usize)> {
        let local = |v: &VertexId| self.others().iter().position(|u| *u == v.raw());
        let all = list.iter().enumerate();
        all.filter_map(|(i, v)| local(v).map(|at| (i, at + 1)))
            .collect()
    }

    /// The cut while each of these local vertices is gone (`true`) or still there.
    pub(super) fn conditional(
        &mut self,
        decided: impl Iterator<Item = (usize, bool)> + Clone,
    ) -> u32 {
        let flow = self.flow.clone();
        let roles: Vec<(usize, Role)> = decided.clone().map(|(u, _)| (u, self.role[u])).collect();
        for (u, is_gone) in decided {
            if is_gone {
                self.role[u] = Role::Open;
            } else if self.role[u] == Role::Unit {
                self.role[u] = Role::Terminal;
            }
        }
        self.augment();
        let value = self.flow.value;
        self.flow = flow;
        for (u, role) in roles {
            self.role[u] = role;
        }
        value
    }

    fn split(&mut self, undecided: &[usize], set: usize, table: &mut [u32]) {
        let Some((last, rest)) = undecided.split_last() else {
            table[set] = self.flow.value;
            return;
        };
        let role = self.role[*last];
        let flow = self.flow.clone();
        let here = if role == Role::Blocked {
            role
        } else {
            Role::Terminal
        };
        self.role[*last] = here;
        if here != role {
            self.augment();
        }
        self.split(rest, set, table);
        self.flow.clone_from(&flow);
        self.role[*last] = Role::Open;
        self.augment();
        self.split(rest, set | 1 << rest.len(), table);
        self.role[*last] = role;
        self.flow = flow;
    }

    /// Adds paths until there is no more.
    fn augment(&mut self) {
        while let Some(end) = self.find() {
            let mut state = end;
            while state != 1 {
                let (before, step) = self.search.parent[state as usize];
                if step != NONE {
                    self.take(step);
                }
                state = before;
            }
            self.flow.value += 1;
        }
    }

    /// Takes a step of the new path into the flow; steps come from the end of the path.
    fn take(&mut self, step: u32) {
        let arc = step / 2;
        let end = self.arcs[arc as usize].1 as usize;
        if step.is_multiple_of(2) {
            self.flow.used[arc as usize] += 1;
            self.flow.entered[end] = arc;
        } else {
            self.flow.used[arc as usize] -= 1;
            if self.flow.entered[end] == arc {
                self.flow.entered[end] = NONE;
            }
        }
    }

    /// The last state of another path, if there is one.
    fn find(&mut self) -> Option<u32> {
        let search = &mut self.search;
        search.stamp += 1;
        search.queue.clear();
        search.seen[1] = search.stamp;
        search.queue.push(1);
        while let Some(state) = search.queue.pop() {
            let u = (state / 2) as usize;
            let is_open = self.role[u] == Role::Open;
            let entered = self.flow.entered[u];
            if state.is_multiple_of(2) {
                // About to enter `u`, which is not open.
                if entered != NONE {
                    let back = 2 * self.arcs[entered as usize].0 + 1;
                    search.push(back, state, 2 * entered + 1);
                } else if self.role[u] == Role::Terminal {
                    return Some(state);
                } else {
                    search.push(state + 1, state, NONE);
                }
                continue;
            }
            if self.role[u] == Role::Terminal {
                // Its path went on; it may as well end here.
                return Some(state);
            }
            for (arc, p) in &self.onward[u] {
                match self.role[*p as usize] {
                    Role::Blocked => {}
                    Role::Open => search.push(2 * p + 1, state, 2 * arc),
                    _ if self.flow.entered[*p as usize] == *arc => {}
                    _ => search.push(2 * p, state, 2 * arc),
                }
            }
            if !is_open {
                if entered != NONE {
                    let back = 2 * self.arcs[entered as usize].0 + 1;
                    search.push(back, state, 2 * entered + 1);
                }
            } else {
                for (arc, x) in &self.back[u] {
                    if self.flow.used[*arc as usize] > 0 {
                        search.push(2 * x + 1, state, 2 * arc + 1);
                    }
                }
            }
        }
        None
    }
}

impl Search {
    fn push(&mut self, state: u32, before: u32, step: u32) {
        if std::mem::replace(&mut self.seen[state as usize], self.stamp) != self.stamp {
            self.parent[state as usize] = (before, step);
            self.queue.push(state);
        }
    }
}

fn u32_of(index: usize) -> u32 {
    u32::try_from(index)
        .expect("a part of a graph has no more vertices and edges than fit its numbers")
}
