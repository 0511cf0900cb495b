//! [`Waiting`], the nodes of a reverse sweep that have received something.
//!
//! Invariant: no word of bits is 0 where the level above says otherwise. Source: levels of bits, van Emde Boas 1975.

use crate::program::node::NodeId;

const BITS: usize = 64;

/// A set of nodes from which the highest is taken; cheaper than a heap, most of all where nodes only come in below.
pub(super) struct Waiting {
    /// A bit per node.
    nodes: Vec<u64>,
    /// A bit per word of `nodes` that is not 0.
    words: Vec<u64>,
    /// From this word of `words` on all are 0.
    top: usize,
}

impl Waiting {
    /// None of so many nodes.
    pub(super) fn new(nodes: usize) -> Self {
        let words = nodes.div_ceil(BITS);
        let groups = words.div_ceil(BITS);
        Self {
            nodes: vec![0; words],
            words: vec![0; groups],
            top: 0,
        }
    }

    /// Adds a node, once.
    pub(super) fn push(&mut self, node: NodeId) {
        let word = node.index() / BITS;
        self.nodes[word] |= 1 << (node.index() % BITS);
        self.words[word / BITS] |= 1 << (word % BITS);
        self.top = self.top.max(word / BITS + 1);
    }

    /// Takes the highest node.
    pub(super) fn pop(&mut self) -> Option<NodeId> {
        while self.top > 0 {
            let group = self.top - 1;
            if let Some(bit) = highest(self.words[group]) {
                let word = group * BITS + bit;
                let bits = &mut self.nodes[word];
                let node = highest(*bits)?;
                *bits ^= 1 << node;
                if *bits == 0 {
                    self.words[group] ^= 1 << bit;
                }
                return NodeId::new(word * BITS + node).ok();
            }
            self.top -= 1;
        }
        None
    }
}

/// The number of the highest bit.
fn highest(word: u64) -> Option<usize> {
    word.checked_ilog2().map(|bit| bit as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_come_out_from_the_highest_on_and_once() {
        let node = |k| NodeId::new(k).unwrap();
        let mut waiting = Waiting::new(10_000);
        for k in [9_999, 5, 4_096, 63, 64, 4_095, 5] {
            waiting.push(node(k));
        }
        let mut popped = Vec::new();
        while let Some(next) = waiting.pop() {
            popped.push(next.index());
            if next == node(64) {
                waiting.push(node(0));
                waiting.push(node(62));
                waiting.push(node(5_000));
            }
        }
        assert_eq!(popped, [9_999, 4_096, 4_095, 64, 5_000, 63, 62, 5, 0]);
        assert_eq!(Waiting::new(0).pop(), None);
    }
}
