//! [`tree_bound`]: what all paths need at least, each eliminated in an order of its own.
//!
//! Take a path from where nothing is eliminated to an output. At any time it is covered by edges, or duals, one after the other;
//! whatever the moves, its inner vertices stop being joints one by one. When `v` does, a dual from `x` is multiplied by
//! one to `y`, where `x` and `y` are the joints before and behind `v`. So each path makes a binary tree of such triples `(x, v, y)`, and
//! different triples are different products. No elimination, by vertices, edges or faces, costs less than the fewest triples among which
//! every path finds a tree.
//!
//! The bound is the linear relaxation of that, from its dual: each triple shares out its price of one among the paths that could use it,
//! in any way; then each path pays for the cheapest of its trees, by a dynamic program over its parts, and the sum of what all pay is a
//! bound. Subgradient steps improve the shares: a triple that a path would use costs this path more, and the others less.
//!
//! On the published and the small reference graphs the relaxation is as high as the cheapest elimination by faces that is known, but for
//! rounding; where that costs as much as the cheapest one by vertices nothing finer can gain.
//!
//! Invariant: the shares of a triple are not negative and add up to at most one, up to rounding, which is accounted for; triples that may
//! be free have none.
//! Source: the bound is our own. The program for one path is that for matrix chains (Godbole 1973); Held, Wolfe & Crowder 1974
//! (subgradients), Polyak 1969 (steps towards a target), Camerini, Fratta & Maffioli 1975 (directions with memory).

use std::collections::{HashMap, HashSet};

use rayon::prelude::*;

use super::{BoundKind, LowerBound, free_classes};
use crate::crosscountry::budget::Clock;
use crate::crosscountry::cost::CostModel;
use crate::crosscountry::graph::{EdgeClass, LinearizedGraph};
use crate::crosscountry::moves::Moves;

/// How much a [`tree_bound`] may cost.
#[derive(Clone, Copy, Debug)]
pub struct TreeLimits {
    /// The largest number of shares: pairs of a path and a triple of its vertices. Beyond it there is no bound.
    pub shares: usize,
    /// The number of steps; each takes some nanoseconds per share.
    pub steps: u64,
    /// A cost that is known to be attained: the steps aim at it, and end where nothing below is left.
    pub target: u64,
}

impl TreeLimits {
    /// Limits for some seconds of work, where something of this cost is known.
    #[must_use]
    pub const fn towards(target: u64) -> Self {
        Self {
            shares: 4_000_000,
            steps: 8_000,
            target,
        }
    }
}

/// How much of a step is kept for the next one. In 600 steps on the Roe flux 0.9 comes to 292.5, 0.7 to 291.9, none to 287.8.
const MEMORY: f64 = 0.9;
/// The first step, in parts of Polyak's. The Roe flux is proven in 0.5 s by 2.5, in 1 s by 1.6 or 4; 1 takes several times as long.
const FIRST_STEP: f64 = 2.5;
/// Steps without a new best before they get shorter. Fewer, or asking for some progress, stop short of the bound for Black-Scholes.
const PATIENCE: u64 = 50;
/// By so much they get shorter.
const SHORTER: f64 = 0.7;
/// Steps that are shorter than this do not lead anywhere.
const SHORTEST: f64 = 1e-3;
/// Where the direction is shorter than this, squared, the shares cannot be improved along it; steps would be too long for doubles.
const FLAT: f64 = 1e-9;
/// What rounding may have added: a thousand times the errors of sums with as many terms as there are shares.
const ROUNDING: f64 = 1e-6;
/// Parts of this many shares are worth a thread.
const GRAIN: usize = 1 << 14;

/// The fewest products, by a linear relaxation, among which every path finds those that eliminate its vertices in some order.
///
/// ```
/// use wengert::crosscountry::{Budget, CostModel, EdgeClass, LinearizedGraph, Moves, TreeLimits, tree_bound};
/// // Two inputs meet in v2; v2 and v3 feed four outputs. Vertices need 12 products, edges 11.
/// let edges = [(0, 2), (1, 2), (2, 3), (2, 4), (3, 4), (3, 5), (3, 6), (3, 7)];
/// let edges = edges.map(|(s, t)| (s, t, EdgeClass::Variable));
/// let graph = LinearizedGraph::new("lion", 2, 8, &[4, 5, 6, 7], &edges)?;
/// let (limits, clock) = (TreeLimits::towards(11), Budget::default().start());
/// let bound = tree_bound(&graph, Moves::Face, CostModel::Multiplications, &limits, &clock);
/// assert_eq!(bound.unwrap().value, 11);
/// # Ok::<(), wengert::Error>(())
/// ```
///
/// **Shape**: it holds for all moves; `None` for memory, and for graphs with too many or too long paths.
/// **Cost**: set by `limits`; a path with `k` inner vertices has about `k³/6` shares. Deterministic unless the clock ends it, and then
/// still a bound.
/// **Source**: our own; the reasons are in `bounds/trees.rs`.
#[must_use]
pub fn tree_bound(
    graph: &LinearizedGraph,
    moves: Moves,
    model: CostModel,
    limits: &TreeLimits,
    clock: &Clock,
) -> Option<LowerBound> {
    let is_free = free_classes(model)?;
    let paths = paths(graph, limits.shares)?;
    let mut relaxation = Relaxation::new(&paths, &free_pairs(graph, is_free));
    Some(LowerBound {
        value: relaxation.solve(limits, clock),
        kind: BoundKind::Trees,
        moves,
        cost: model,
    })
}

/// All paths between vertices that are no intermediates over at least one that is, if they do not have too many shares.
fn paths(graph: &LinearizedGraph, shares: usize) -> Option<Vec<Vec<u32>>> {
    let is_intermediate = graph.is_intermediate();
    let mut targets = vec![Vec::new(); graph.len()];
    for edge in graph.edges() {
        targets[edge.source.index()].push(edge.target);
    }
    let mut paths = Vec::new();
    let mut left = shares;
    // Paths that end nowhere are no paths, but take time to find.
    let mut steps = shares;
    let terminals = (0..graph.len()).filter(|v| !is_intermediate[*v]);
    for source in terminals {
        let mut path = vec![u32::try_from(source).ok()?];
        // How many targets of each vertex of the path have been tried.
        let mut tried = vec![0];
        while let (Some(last), Some(next)) = (path.last(), tried.last_mut()) {
            steps = steps.checked_sub(1)?;
            let target = targets[*last as usize].get(*next);
            *next += 1;
            match target {
                None => {
                    path.pop();
                    tried.pop();
                }
                Some(target) if is_intermediate[target.index()] => {
                    path.push(target.raw());
                    tried.push(0);
                }
                Some(target) => {
                    let length = path.len() + 1;
                    left = left.checked_sub(length * (length - 1) * (length - 2) / 6)?;
                    if length > 2 {
                        let mut whole = path.clone();
                        whole.push(target.raw());
                        paths.push(whole);
                    }
                }
            }
        }
    }
    Some(paths)
}

/// The pairs of vertices between which a path leads whose products may be free.
fn free_pairs(graph: &LinearizedGraph, is_free: fn(EdgeClass) -> bool) -> HashSet<(u32, u32)> {
    let mut targets = vec![Vec::new(); graph.len()];
    for edge in graph.edges().iter().filter(|e| is_free(e.class)) {
        targets[edge.source.index()].push(edge.target.raw());
    }
    let mut pairs = HashSet::new();
    for source in (0..).take(graph.len()) {
        let mut stack: Vec<u32> = targets[source as usize].clone();
        while let Some(vertex) = stack.pop() {
            if pairs.insert((source, vertex)) {
                stack.extend(&targets[vertex as usize]);
            }
        }
    }
    pairs
}

/// The shares of all paths in all triples.
struct Relaxation {
    /// The number of vertices of each path.
    lengths: Vec<usize>,
    /// For the parts of each path, short ones first, and each vertex within a part: where the share of the path in that triple is.
    places: Vec<u32>,
    /// Where the places of each path begin.
    starts: Vec<usize>,
    /// By triples; the first one is that of free triples.
    shares: Vec<f64>,
    /// Where the shares of each triple end.
    ends: Vec<usize>,
    /// Where the shares are being moved to.
    direction: Vec<f64>,
}

impl Relaxation {
    /// Every triple is shared out evenly.
    fn new(paths: &[Vec<u32>], free: &HashSet<(u32, u32)>) -> Self {
        let mut numbers: HashMap<(u32, u32, u32), usize> = HashMap::new();
        let mut counts: Vec<u32> = Vec::new();
        let mut triples = Vec::new();
        let mut starts = Vec::new();
        for path in paths {
            starts.push(triples.len());
            for (first, middle, last) in parts(path.len()) {
                let triple = (path[first], path[middle], path[last]);
                let is_free =
                    free.contains(&(triple.0, triple.1)) || free.contains(&(triple.1, triple.2));
                if is_free {
                    triples.push(None);
                    continue;
                }
                let number = *numbers.entry(triple).or_insert(counts.len());
                if number == counts.len() {
                    counts.push(0);
                }
                triples.push(Some((number, counts[number])));
                counts[number] += 1;
            }
        }
        let mut begins = vec![1_u32];
        let mut shares = vec![0.0];
        for count in &counts {
            shares.extend((0..*count).map(|_| 1.0 / f64::from(*count)));
            begins.push(begins[begins.len() - 1] + count);
        }
        let place = |triple: &Option<(usize, u32)>| match triple {
            Some((number, nth)) => begins[*number] + nth,
            None => 0,
        };
        Self {
            lengths: paths.iter().map(Vec::len).collect(),
            places: triples.iter().map(place).collect(),
            starts,
            direction: vec![0.0; shares.len()],
            shares,
            ends: begins.iter().map(|end| *end as usize).collect(),
        }
    }

    fn solve(&mut self, limits: &TreeLimits, clock: &Clock) -> u64 {
        let mut best = 0.0_f64;
        let (mut part, mut idle) = (FIRST_STEP, 0);
        let target = u32::try_from(limits.target).map_or(f64::MAX, f64::from);
        for _ in 0..limits.steps {
            if clock.must_stop().is_some() {
                break;
            }
            let trees = self.cheapest_trees();
            let total: f64 = trees.iter().map(|(cost, _)| cost).sum();
            idle = if total > best { 0 } else { idle + 1 };
            best = best.max(total);
            if idle > PATIENCE {
                part *= SHORTER;
                idle = 0;
            }
            if best > target - 1.0 + 2.0 * ROUNDING || part < SHORTEST {
                break;
            }
            for place in trees.iter().flat_map(|(_, places)| places) {
                // What is divided by the memory here is multiplied by it together with the rest.
                self.direction[*place as usize] += 1.0 / MEMORY;
            }
            let norm = turn(&mut self.direction[1..], &self.shares[1..], &self.ends, 1);
            if norm < FLAT {
                break;
            }
            let length = part * (target - total).max(0.0) / norm;
            walk(
                &mut self.shares[1..],
                &self.direction[1..],
                &self.ends,
                1,
                length,
            );
        }
        round_up(best)
    }

    /// For each path the cost of its cheapest tree, and the places of the shares in it.
    fn cheapest_trees(&self) -> Vec<(f64, Vec<u32>)> {
        let paths = self.lengths.par_iter().zip(&self.starts);
        let trees = paths.map_init(Table::default, |table, (length, start)| {
            table.fill(*length, &self.places[*start..], &self.shares)
        });
        trees.collect()
    }
}

/// The parts of a path with at least three vertices, short ones first, and each vertex within a part.
fn parts(length: usize) -> impl Iterator<Item = (usize, usize, usize)> {
    (2..length).flat_map(move |span| {
        (0..length - span)
            .flat_map(move |first| (1..span).map(move |at| (first, first + at, first + span)))
    })
}

/// The dynamic program over the parts of a path.
#[derive(Default)]
struct Table {
    /// For the part from one vertex to another its cheapest tree.
    costs: Vec<f64>,
    /// The vertex that goes last in it, and the place of its share.
    last: Vec<(usize, u32)>,
}

impl Table {
    fn fill(&mut self, length: usize, places: &[u32], shares: &[f64]) -> (f64, Vec<u32>) {
        self.costs.clear();
        self.costs.resize(length * length, 0.0);
        self.last.resize(length * length, (0, 0));
        let mut places = places.iter();
        for span in 2..length {
            for first in 0..length - span {
                let end = first + span;
                let (mut least, mut last) = (f64::INFINITY, (0, 0));
                for (middle, place) in (first + 1..end).zip(&mut places) {
                    let cost = self.costs[first * length + middle]
                        + self.costs[middle * length + end]
                        + shares[*place as usize];
                    if cost < least {
                        (least, last) = (cost, (middle, *place));
                    }
                }
                self.costs[first * length + end] = least;
                self.last[first * length + end] = last;
            }
        }
        let mut chosen = Vec::with_capacity(length);
        let mut stack = vec![(0, length - 1)];
        while let Some((first, end)) = stack.pop() {
            if end - first > 1 {
                let (middle, place) = self.last[first * length + end];
                chosen.push(place);
                stack.extend([(first, middle), (middle, end)]);
            }
        }
        (self.costs[length - 1], chosen)
    }
}

/// Where the triples from `ends[0]` on are cut in two halves, if that is worth it: the number of triples and of shares in the first.
fn halves(ends: &[usize], begin: usize) -> Option<(usize, usize)> {
    let count = ends.len() - 1;
    let shares = ends[count] - begin;
    (count > 1 && shares > GRAIN).then(|| (count / 2, ends[count / 2] - begin))
}

/// Lets the direction fade and makes it one that keeps the sums of shares; the result is the square of its length, where it can
/// be followed. `ends` has the begin of the first triple, then the end of each.
fn turn(direction: &mut [f64], shares: &[f64], ends: &[usize], begin: usize) -> f64 {
    if let Some((count, cut)) = halves(ends, begin) {
        let (left, right) = direction.split_at_mut(cut);
        let (left_shares, right_shares) = shares.split_at(cut);
        let (a, b) = rayon::join(
            || turn(left, left_shares, &ends[..=count], begin),
            || turn(right, right_shares, &ends[count..], begin + cut),
        );
        return a + b;
    }
    let mut norm = 0.0;
    for bounds in ends.windows(2) {
        let range = bounds[0] - begin..bounds[1] - begin;
        let (triple, shares) = (&mut direction[range.clone()], &shares[range]);
        // At most 2^32 shares: the conversion is exact.
        let mean = MEMORY * triple.iter().sum::<f64>() / triple.len() as f64;
        for (along, share) in triple.iter_mut().zip(shares) {
            *along = MEMORY * *along - mean;
            if *along > 0.0 || *share > 0.0 {
                norm += *along * *along;
            }
        }
    }
    norm
}

/// Moves the shares along the direction, and back to where those of a triple are not negative and add up to one.
fn walk(shares: &mut [f64], direction: &[f64], ends: &[usize], begin: usize, step: f64) {
    if let Some((count, cut)) = halves(ends, begin) {
        let (left, right) = shares.split_at_mut(cut);
        let (left_direction, right_direction) = direction.split_at(cut);
        rayon::join(
            || walk(left, left_direction, &ends[..=count], begin, step),
            || walk(right, right_direction, &ends[count..], begin + cut, step),
        );
        return;
    }
    for bounds in ends.windows(2) {
        let range = bounds[0] - begin..bounds[1] - begin;
        let (triple, along) = (&mut shares[range.clone()], &direction[range]);
        for (share, along) in triple.iter_mut().zip(along) {
            *share += step * along;
        }
        share_out(triple);
    }
}

/// The nearest shares that are not negative and add up to one (Michelot 1986). Whatever rounding does, they do not add up to more.
fn share_out(triple: &mut [f64]) {
    let (mut sum, mut count): (f64, usize) = (triple.iter().sum(), triple.len());
    let excess = loop {
        let excess = (sum - 1.0) / count as f64;
        let (mut rest, mut more) = (0.0, 0);
        for share in triple.iter().filter(|share| **share > excess) {
            rest += share;
            more += 1;
        }
        // Rounding must not bring back what is out already.
        if more >= count || more == 0 {
            break excess;
        }
        (sum, count) = (rest, more);
    };
    let mut sum = 0.0;
    for share in triple.iter_mut() {
        *share = (*share - excess).max(0.0);
        sum += *share;
    }
    if sum > 1.0 {
        for share in triple {
            *share /= sum;
        }
    }
}

/// The least whole number that is not below, by more than rounding explains.
fn round_up(bound: f64) -> u64 {
    let mut whole = 0_u32;
    for bit in (0..u32::BITS).rev() {
        let more = whole | 1 << bit;
        if f64::from(more) - 1.0 + ROUNDING < bound {
            whole = more;
        }
    }
    u64::from(whole)
}
