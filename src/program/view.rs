//! The petgraph view of a program, and what graph algorithms say about it.
//!
//! Invariant: vertex `i` of the graph is node `v_i`; an edge leads from an argument to the node that uses it.
//! Source: Griewank & Walther 2008, §2.2 (computational graphs).

use petgraph::algo::{connected_components, toposort};
use petgraph::graph::DiGraph;
use petgraph::visit::EdgeRef;

use super::list::Program;
use super::node::{NodeId, NodeKind};
use super::region::{Region, Sink};

/// A program as a graph: vertices are nodes, edges carry the position of the argument, from 0.
pub type Graph = DiGraph<NodeId, u32>;

impl Program {
    /// The computational graph; regions are single vertices, whose bodies have graphs of their own.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert::program::Program;
    /// let program = Program::record(|x| [x[0] * x[1].sin()], &[3.0, 2.0])?;
    /// let graph = program.graph();
    /// assert_eq!((graph.node_count(), graph.edge_count()), (4, 3));
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// **Shape**: a vertex per node, in their order; an edge per argument, also where one node is used twice.
    /// **Cost**: one pass; 12 bytes per node and 20 per argument.
    /// **Source**: Griewank & Walther 2008, §2.2.
    #[must_use]
    pub fn graph(&self) -> Graph {
        let mut graph = Graph::with_capacity(self.len(), self.arguments.len());
        let vertices: Vec<_> = self.nodes().map(|node| graph.add_node(node)).collect();
        for (node, vertex) in self.nodes().zip(&vertices) {
            for (position, argument) in (0..).zip(self.arguments(node)) {
                graph.add_edge(vertices[argument.index()], *vertex, position);
            }
        }
        graph
    }

    /// The length of the critical path: how many operations must wait for each other.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert::program::Program;
    /// let chain = Program::record(|x| [x[0].sin().cos().exp()], &[3.0])?;
    /// let tree = Program::record(|x| [(x[0] + x[1]) * (x[2] + x[3])], &[1.0; 4])?;
    /// assert_eq!((chain.depth(), tree.depth()), (3, 2));
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// The iterations of a region wait for each other if it carries values; sums over `k` iterations are `k - 1` additions
    /// one after the other.
    ///
    /// **Cost**: builds the graph; `u64::MAX` stands for all that is above.
    /// **Source**: Griewank & Walther 2008, §4.5; Brent 1974 (work and depth).
    #[must_use]
    pub fn depth(&self) -> u64 {
        let graph = self.graph();
        // A program is in topological order by its invariant; asking again costs little and holds for damaged ones, too.
        let order = toposort(&graph, None).unwrap_or_default();
        let mut depths = vec![0_u64; self.len()];
        for vertex in order {
            let arguments = graph.edges_directed(vertex, petgraph::Direction::Incoming);
            let before = arguments.map(|edge| depths[edge.source().index()]).max();
            let own = match self.kind(graph[vertex]) {
                NodeKind::Region(region) => {
                    self.regions.get(region as usize).map_or(0, Region::depth)
                }
                kind => u64::from(kind.is_operation()),
            };
            depths[vertex.index()] = before.unwrap_or(0).saturating_add(own);
        }
        depths.into_iter().max().unwrap_or(0)
    }

    /// The number of parts that share no node: they can be computed, and differentiated, apart.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert::program::Program;
    /// let program = Program::record(|x| [x[0] * x[1], x[2].sin()], &[1.0; 3])?;
    /// assert_eq!(program.components(), 2);
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// **Shape**: an input that nobody uses is a part of its own.
    /// **Cost**: builds the graph.
    /// **Source**: none.
    #[must_use]
    pub fn components(&self) -> usize {
        connected_components(&self.graph())
    }
}

impl Region {
    /// The critical path through all iterations.
    fn depth(&self) -> u64 {
        let iterations = self.iterations as u64;
        let body = self.body.depth();
        let bodies = if self.is_scan() {
            body.saturating_mul(iterations)
        } else {
            body
        };
        let has_sum = self.sinks.contains(&Sink::Sum);
        bodies.saturating_add(if has_sum {
            iterations.saturating_sub(1)
        } else {
            0
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::text::EVERYTHING;

    /// Arguments are the predecessors, in the order of their positions.
    #[test]
    fn the_graph_has_the_arguments_as_edges() {
        let program: Program = EVERYTHING.parse().unwrap();
        let graph = program.graph();
        assert_eq!(graph.node_count(), program.len());
        assert_eq!(graph.edge_count(), program.arguments.len());
        for vertex in graph.node_indices() {
            let node = graph[vertex];
            assert_eq!(vertex.index(), node.index());
            let mut before: Vec<(u32, NodeId)> = graph
                .edges_directed(vertex, petgraph::Direction::Incoming)
                .map(|edge| (*edge.weight(), graph[edge.source()]))
                .collect();
            before.sort_unstable();
            let before: Vec<NodeId> = before.into_iter().map(|(_, node)| node).collect();
            assert_eq!(before, program.arguments(node));
        }
    }

    #[test]
    fn parts_are_counted_with_what_nobody_uses() {
        let text = "v0 = input 0\nv1 = input 1\nv2 = input 2\nv3 = sin v0\nv4 = constant 1\nv5 = mul v1 v4\noutput v3";
        assert_eq!(text.parse::<Program>().unwrap().components(), 3);
        assert_eq!(Program::default().components(), 0);
        assert_eq!(Program::default().depth(), 0);
    }
}
