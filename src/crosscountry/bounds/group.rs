//! [`Group`]: a few vertices whose eliminations are bounded together, for every order among them.
//!
//! What eliminating `v` costs while `A` is gone and `B` is not is at least the product of two cuts, one before and one behind
//! `v`, in which members of `A` cannot be cut and paths may end at members of `B`. The two sides have no vertex in common, so the
//! least product over all that is left open *is* the product of the least factors. A dynamic program over the subsets of the
//! group takes the cheapest order of its members.
//!
//! Invariant: whatever else is eliminated in between, no order costs less on the members than the group's bound, vertex by vertex.
//! Source: our own; cuts bound degrees as in Griewank & Walther 2008, §10.2 (minimal Markowitz degrees), the sum over groups is that
//! of additive pattern databases (Felner, Korf & Hanan 2004).

use super::cuts::Side;
use crate::crosscountry::graph::VertexId;

/// A side of a vertex with the sizes of its cuts, before and behind.
pub(super) type Sides = (Side, Side);

/// A group and its bounds.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) members: Vec<VertexId>,
    /// For every set of eliminated members and every member, the least cost of that member; 0 for those in the set.
    least: Vec<u32>,
}

impl Group {
    /// The bounds of a group. `sides` has the sides of every vertex of the graph that may be a member.
    ///
    /// **Cost**: two cuts per member and per subset of the members that lie on its sides.
    pub(super) fn new(sides: &mut [Option<Sides>], members: Vec<VertexId>) -> Self {
        let count = members.len();
        let mut least = vec![0; count << count];
        for (i, v) in members.iter().enumerate() {
            let Some((before, behind)) = &mut sides[v.index()] else {
                continue;
            };
            let cuts = |side: &mut Side| {
                let here = side.relevant(&members);
                let relevant: Vec<VertexId> = here.iter().map(|j| members[*j]).collect();
                (here, side.table(&relevant))
            };
            let (before_members, before) = cuts(before);
            let (behind_members, behind) = cuts(behind);
            for set in 0..1_usize << count {
                if set >> i & 1 == 0 {
                    let cut = before[gather(set, &before_members)];
                    let other = behind[gather(set, &behind_members)];
                    // A smaller number is a bound as well.
                    least[set * count + i] = cut.saturating_mul(other);
                }
            }
        }
        Self { members, least }
    }

    /// For every set of eliminated members, the least cost of the others; the first one is the bound.
    ///
    /// **Cost**: a sum per subset and member.
    pub(super) fn solve(&self) -> Vec<u64> {
        let count = self.members.len();
        let full = (1 << count) - 1;
        let mut rest = vec![0; 1 << count];
        for set in (0..full).rev() {
            let row = &self.least[set * count..(set + 1) * count];
            let mut open = full & !set;
            let mut best = u64::MAX;
            while open != 0 {
                let i = open.trailing_zeros() as usize;
                open &= open - 1;
                best = best.min(u64::from(row[i]).saturating_add(rest[set | 1 << i]));
            }
            rest[set] = best;
        }
        rest
    }
}

/// The bits of a set at these positions, put together.
fn gather(set: usize, positions: &[usize]) -> usize {
    let bits = positions.iter().enumerate();
    bits.map(|(to, from)| (set >> from & 1) << to).sum()
}
