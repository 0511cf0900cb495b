//! A program as a drawing: the DOT language of Graphviz, regions as clusters.
//!
//! petgraph writes DOT as well, but no clusters, and a region without its frame cannot be understood; so the text is written
//! here. The nodes of a body are named by the node of their region: `v7_v0`.
//!
//! Invariant: every edge comes after all nodes, because a node belongs to the cluster that mentions it first.
//! Source: Gansner & North 2000 (the language).

use std::fmt::Write;

use super::list::Program;
use super::node::{NodeId, NodeKind};
use super::region::{Region, Sink, Source};
use super::text::{Run, question_name, runs};
use crate::elementary::Number;
use crate::error::{Decision, Error};

/// Lanes with more nodes than this are drawn by their first and last one.
const MOST_LANES: usize = 8;

/// What a drawing shows beside the operations; see [`Program::to_dot`].
///
/// **Shape**: `at` has `n` entries, `cotangent` has `m`.
/// **Cost**: none.
/// **Source**: none.
#[derive(Clone, Copy, Debug, Default)]
pub struct DotOptions<'a> {
    /// Shows the value and the adjoint of every node at this point.
    pub at: Option<&'a [f64]>,
    /// The weights of the outputs in the adjoints; 1 for each without it.
    pub cotangent: Option<&'a [f64]>,
    /// Shows the scalar operations of every node.
    pub has_costs: bool,
}

/// What is known about the nodes at a point.
struct Table {
    values: Vec<f64>,
    adjoints: Vec<f64>,
}

/// A drawing in progress.
struct Drawing {
    nodes: String,
    edges: String,
    has_costs: bool,
}

impl Program {
    /// The program as a graph in the DOT language.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert::program::{DotOptions, Program};
    /// let program = Program::record(|x| [x[0] * x[1]], &[3.0, 2.0])?;
    /// let options = DotOptions { at: Some(&[3.0, 2.0]), ..DotOptions::default() };
    /// let dot = program.to_dot(&options)?;
    /// assert!(dot.contains(r#"v2 [label="v2 = mul\nvalue 6\nadjoint 1", peripheries=2];"#), "{dot}");
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// **Shape**: a vertex per node, outputs with a double outline; a region is a cluster around its body, a lane of many nodes
    /// is drawn by its first and last. Values and adjoints are those of the outer program.
    /// **Cost**: O(size of the program), with a point also one naive evaluation and sweep.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] if the point or the weights have the wrong length.
    ///
    /// **Source**: the computational graphs of Griewank & Walther 2008, figure 2.1.
    pub fn to_dot(&self, options: &DotOptions<'_>) -> Result<String, Error> {
        let ones = vec![1.0; self.outputs.len()];
        let table = match options.at {
            None => None,
            Some(x) => {
                let cotangent = options.cotangent.unwrap_or(&ones);
                let table = self.sensitivities(x, &vec![0.0; x.len()], cotangent)?;
                Some(Table {
                    values: table.values,
                    adjoints: table.adjoints,
                })
            }
        };
        let mut drawing = Drawing {
            nodes: String::new(),
            edges: String::new(),
            has_costs: options.has_costs,
        };
        drawing.program(self, "", 1, table.as_ref());
        let Drawing { nodes, edges, .. } = drawing;
        Ok(format!(
            "digraph program {{\n  rankdir=LR;\n  node [fontname=monospace];\n{nodes}{edges}}}\n"
        ))
    }
}

/// A text between quotation marks.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            c if c.is_control() => quoted.push(' '),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// Nodes for people: ranges as in the text.
fn listed(nodes: &[NodeId]) -> String {
    let mut text = String::new();
    for run in runs(nodes) {
        let run = match run {
            Run::One(node) => node.to_string(),
            Run::Range {
                first,
                last,
                step: 1,
            } => format!("{first}..={last}"),
            Run::Range { first, last, step } => format!("{first}..={last} step {step}"),
        };
        text.push(' ');
        text.push_str(&run);
    }
    text
}

impl Drawing {
    /// Draws the nodes of a program whose names start with `prefix`.
    fn program(&mut self, program: &Program, prefix: &str, depth: usize, table: Option<&Table>) {
        let mut is_output = vec![false; program.len()];
        for output in &program.outputs {
            is_output[output.index()] = true;
        }
        let indent = 2 * depth;
        for node in program.nodes() {
            let kind = program.kind(node);
            let arguments = program.arguments(node);
            match kind {
                NodeKind::Region(number) => {
                    if let Some(region) = program.regions.get(number as usize) {
                        self.region(region, node, arguments, prefix, depth);
                    }
                    continue;
                }
                NodeKind::Result(result) => self.result(program, node, result, prefix),
                _ => self.arguments(program, node, prefix),
            }
            let mut label = format!("{node} = {kind}");
            if let Some(table) = table {
                let (value, adjoint) = (table.values[node.index()], table.adjoints[node.index()]);
                label += &format!("\nvalue {}\nadjoint {}", Number(value), Number(adjoint));
            }
            if self.has_costs && kind.is_operation() {
                label += &format!("\nflops {}", program.flops(node));
            }
            let shape = match kind {
                NodeKind::Input(_) => ", shape=box",
                NodeKind::Constant(_) => ", shape=plaintext",
                _ => "",
            };
            let outline = if is_output[node.index()] {
                ", peripheries=2"
            } else {
                ""
            };
            let label = quoted(&label);
            self.nodes += &format!(
                "{:indent$}{prefix}{node} [label={label}{shape}{outline}];\n",
                ""
            );
        }
        for (k, guard) in program.guards.iter().enumerate() {
            let recorded = match guard.recorded {
                Decision::Value(x) => Number(x).to_string(),
                recorded => recorded.to_string(),
            };
            let label = quoted(&format!(
                "guard {} = {recorded}",
                question_name(guard.question)
            ));
            self.nodes += &format!(
                "{:indent$}{prefix}g{k} [label={label}, shape=octagon];\n",
                ""
            );
            for node in guard.question.nodes() {
                self.edge(
                    &format!("{prefix}{node}"),
                    &format!("{prefix}g{k}"),
                    "style=dotted",
                );
            }
        }
    }

    fn edge(&mut self, from: &str, to: &str, attributes: &str) {
        // Writing to a text cannot fail.
        let _ = writeln!(self.edges, "  {from} -> {to} [{attributes}];");
    }

    /// Draws the edges to an operation; where there are several, they tell the position of the argument.
    fn arguments(&mut self, program: &Program, node: NodeId, prefix: &str) {
        let arguments = program.arguments(node);
        for (position, argument) in arguments.iter().enumerate() {
            let label = if arguments.len() > 1 {
                format!("label=\"{position}\"")
            } else {
                String::new()
            };
            self.edge(
                &format!("{prefix}{argument}"),
                &format!("{prefix}{node}"),
                &label,
            );
        }
    }

    /// Draws the edge from the body's output to a result of its region.
    fn result(&mut self, program: &Program, node: NodeId, result: u32, prefix: &str) {
        let Some(argument) = program.arguments(node).first() else {
            return;
        };
        let NodeKind::Region(number) = program.kind(*argument) else {
            return;
        };
        let Some(region) = program.regions.get(number as usize) else {
            return;
        };
        let results = region
            .body
            .outputs
            .iter()
            .zip(&region.sinks)
            .zip(region.result_ranges());
        for ((output, sink), range) in results {
            let Some(iteration) = (result as usize).checked_sub(range.start) else {
                return;
            };
            if iteration < range.len() {
                let label = match sink {
                    Sink::Sum => "sum".to_string(),
                    Sink::Each => format!("iteration {iteration}"),
                    Sink::Last => "last".to_string(),
                };
                let from = format!("{prefix}{argument}_{output}");
                self.edge(
                    &from,
                    &format!("{prefix}{node}"),
                    &format!("label=\"{label}\""),
                );
                return;
            }
        }
    }

    /// Draws a region as a cluster, and the edges to the inputs of its body.
    fn region(
        &mut self,
        region: &Region,
        node: NodeId,
        arguments: &[NodeId],
        prefix: &str,
        depth: usize,
    ) {
        let indent = 2 * depth;
        let inner = format!("{prefix}{node}_");
        let order = if region.is_reversed { ", reversed" } else { "" };
        let mut label = format!("{node}: {} iterations{order}", region.iterations);
        for (k, (source, range)) in region
            .sources
            .iter()
            .zip(region.argument_ranges())
            .enumerate()
        {
            let nodes = arguments.get(range).unwrap_or_default();
            let input = format!("{inner}v{k}");
            match source {
                Source::Uniform => {
                    for argument in nodes {
                        self.edge(&format!("{prefix}{argument}"), &input, "");
                    }
                }
                Source::Lane if nodes.len() > MOST_LANES => {
                    label += &format!("\nv{k}: lane{}", listed(nodes));
                    for argument in [nodes[0], nodes[nodes.len() - 1]] {
                        self.edge(&format!("{prefix}{argument}"), &input, "style=dashed");
                    }
                }
                Source::Lane => {
                    for argument in nodes {
                        self.edge(&format!("{prefix}{argument}"), &input, "style=dashed");
                    }
                }
                Source::Data(_) => label += &format!("\nv{k}: data"),
                Source::Carried { output } => {
                    for argument in nodes {
                        self.edge(&format!("{prefix}{argument}"), &input, "label=\"first\"");
                    }
                    if let Some(output) = region.body.outputs.get(*output as usize) {
                        let carried = "style=bold, constraint=false, label=\"carried\"";
                        self.edge(&format!("{inner}{output}"), &input, carried);
                    }
                }
            }
        }
        let label = quoted(&label);
        self.nodes += &format!(
            "{:indent$}subgraph cluster_{prefix}{node} {{\n{:indent$}  label={label};\n",
            "", ""
        );
        self.program(&region.body, &inner, depth + 1, None);
        self.nodes += &format!("{:indent$}}}\n", "");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::text::EVERYTHING;

    /// Braces, brackets and quotation marks close, whatever the labels say.
    fn assert_well_formed(dot: &str) {
        let mut depth = 0;
        for line in dot.lines() {
            let unescaped = line.replace("\\\\", "").replace("\\\"", "");
            assert_eq!(unescaped.matches('"').count() % 2, 0, "{line}");
            let bare: String = unescaped.split('"').step_by(2).collect();
            assert_eq!(
                bare.matches('[').count(),
                bare.matches(']').count(),
                "{line}"
            );
            depth += bare.matches('{').count();
            depth = depth.checked_sub(bare.matches('}').count()).unwrap();
        }
        assert_eq!(depth, 0);
    }

    #[test]
    fn regions_are_clusters() {
        let program: Program = EVERYTHING.parse().unwrap();
        let options = DotOptions {
            has_costs: true,
            ..DotOptions::default()
        };
        let dot = program.to_dot(&options).unwrap();
        assert_well_formed(&dot);
        for text in [
            "subgraph cluster_v15 {",
            "subgraph cluster_v15_v5 {",
            "subgraph cluster_v18 {",
            "v15_v5_v1 [label=\"v1 = sin\\nflops 1\", peripheries=2];",
            "v15_v7 -> v15_v3 [style=bold, constraint=false, label=\"carried\"];",
            "v2 -> v15_v0 [];",
            "v0 -> v15_v1 [style=dashed];",
            "v15_v1 -> v17 [label=\"iteration 3\"];",
            "v15_v4 -> v16 [label=\"sum\"];",
            "v16 [label=\"v16 = result(0)\", peripheries=2];",
        ] {
            assert!(dot.contains(text), "{text}\n{dot}");
        }
        // A cluster has the nodes that it mentions: no edge may come before a node.
        let first_edge = dot.find(" -> ").unwrap();
        assert!(dot[first_edge..].find(" [label=\"v").is_none(), "{dot}");
    }

    #[test]
    fn long_lanes_are_drawn_by_their_ends() {
        let mut text: String = (0..20).map(|i| format!("v{i} = input {i}\n")).collect();
        text += "v20 = region(0) 20 iterations\n v0 = lane v0..=v19\n sum v0\nend\nv21 = result(0) v20\noutput v21\n";
        let dot = text
            .parse::<Program>()
            .unwrap()
            .to_dot(&DotOptions::default())
            .unwrap();
        assert_well_formed(&dot);
        assert_eq!(dot.matches("-> v20_v0 ").count(), 2);
        assert!(dot.contains("v0: lane v0..=v19"), "{dot}");
    }

    #[test]
    fn labels_are_escaped() {
        assert_eq!(quoted("a\"b\\c\nd\u{7}"), r#""a\"b\\c\nd ""#);
        assert_well_formed(&format!("{{ {} }}", quoted("\"]}\\")));
    }

    #[test]
    fn values_need_points_of_the_right_length() {
        let program: Program = "v0 = input 0\noutput v0".parse().unwrap();
        let (at, cotangent) = (Some(&[1.0, 2.0][..]), Some(&[][..]));
        let wrong = DotOptions {
            at,
            ..DotOptions::default()
        };
        assert!(program.to_dot(&wrong).is_err());
        let wrong = DotOptions {
            at: Some(&[1.0]),
            cotangent,
            ..DotOptions::default()
        };
        assert!(program.to_dot(&wrong).is_err());
    }
}
