//! The bracketing of a Jacobian chain as a tree with costs.
//!
//! Invariant: factors stand at the bottom in the order of the chain, every product above what it multiplies.
//! Source: Naumann 2012, §4.3; Griewank & Naumann 2003, *Accumulating Jacobians as chained sparse matrix products*.

use super::canvas::{Align, Color, Drawing, Place, text_width};
use super::chart::{Key, TITLE, WIDTH, draw_legend, legend_height};
use super::{Figure, csv};

/// How a step of the bracketing is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Step {
    /// A factor that is given or accumulated by itself.
    Factor,
    /// A product of two matrices.
    Product,
    /// Tangents of one factor times a matrix, without the factor's matrix.
    Tangent,
    /// Adjoints of one factor times a matrix, without the factor's matrix.
    Adjoint,
}

impl Step {
    const ALL: [Self; 4] = [Self::Factor, Self::Product, Self::Tangent, Self::Adjoint];

    const fn name(self) -> &'static str {
        match self {
            Self::Factor => "factor",
            Self::Product => "product",
            Self::Tangent => "tangents",
            Self::Adjoint => "adjoints",
        }
    }

    fn color(self) -> Color {
        match self {
            Self::Factor => Color::Soft,
            Self::Product => Color::Series(0),
            Self::Tangent => Color::Series(1),
            Self::Adjoint => Color::Series(2),
        }
    }
}

/// A subtree.
#[derive(Clone, Debug)]
pub(in super::super) struct Node {
    /// Such as `F'3` or `5x4`.
    pub(in super::super) label: String,
    pub(in super::super) step: Step,
    /// The multiplications of this step alone.
    pub(in super::super) cost: u64,
    pub(in super::super) parts: Vec<Self>,
}

impl Node {
    fn total(&self) -> u64 {
        self.parts
            .iter()
            .fold(self.cost, |sum, part| sum.saturating_add(part.total()))
    }

    fn leaves(&self) -> usize {
        if self.parts.is_empty() {
            1
        } else {
            self.parts.iter().map(Self::leaves).sum()
        }
    }

    fn depth(&self) -> usize {
        1 + self.parts.iter().map(Self::depth).max().unwrap_or(0)
    }

    fn widest(&self) -> f64 {
        let own = text_width(&self.label, SIZE).max(text_width(&self.cost.to_string(), SIZE));
        self.parts.iter().map(Self::widest).fold(own, f64::max)
    }
}

const SIZE: f64 = 12.0;
const LEVEL: f64 = 76.0;

pub(in super::super) fn figure(problem: &str, root: &Node) -> Figure {
    let legend = Step::ALL.map(|step| (Key::Box(step.color()), step.name().to_string()));
    let box_width = root.widest() + 16.0;
    let width = (root.leaves() as f64 * (box_width + 14.0) + 40.0).max(WIDTH);
    let bottom = 60.0 + root.depth() as f64 * LEVEL;
    let mut drawing = Drawing::new(width, bottom + 24.0 + legend_height(&legend, 16.0) + 8.0);
    let title = format!(
        "Bracketing of the chain of {problem}, {} multiplications",
        root.total()
    );
    drawing.text((width / 2.0, 20.0), title.as_str(), TITLE, Align::Center);
    drawing.colored_text(
        (20.0, 46.0),
        "below each label: multiplications of the step",
        SIZE,
        Align::Left,
        Color::Soft,
    );
    let mut rows = Vec::new();
    let slot = (width - 40.0) / root.leaves() as f64;
    let mut pen = Pen {
        drawing: &mut drawing,
        rows: &mut rows,
        slot,
        box_width,
        bottom,
        next: 0.0,
    };
    pen.subtree(root, "1");
    draw_legend(&mut drawing, (16.0, bottom + 22.0), &legend);
    Figure {
        id: format!("chain-{problem}"),
        title,
        caption: "The root is the whole Jacobian, the leaves are the Jacobians of the parts in the order in which they run. Each inner \
                  box is one step of the planned bracketing: a product of matrices, or tangents or adjoints that need no matrix."
            .into(),
        drawing,
        csv: csv(&["node", "label", "step", "multiplications"], rows),
        steps: None,
    }
}

struct Pen<'a> {
    drawing: &'a mut Drawing,
    rows: &'a mut Vec<Vec<String>>,
    slot: f64,
    box_width: f64,
    bottom: f64,
    /// The slot of the next leaf.
    next: f64,
}

impl Pen<'_> {
    /// Draws a subtree and gives the top of its box. A chain has few factors, so the recursion is shallow.
    fn subtree(&mut self, node: &Node, path: &str) -> Place {
        let row = vec![
            path.to_string(),
            node.label.clone(),
            node.step.name().into(),
            node.cost.to_string(),
        ];
        self.rows.push(row);
        let tops: Vec<Place> = node
            .parts
            .iter()
            .enumerate()
            .map(|(i, part)| self.subtree(part, &format!("{path}.{}", i + 1)))
            .collect();
        let x = if let (Some(first), Some(last)) = (tops.first(), tops.last()) {
            (first.0 + last.0) / 2.0
        } else {
            self.next += 1.0;
            20.0 + self.slot * (self.next - 0.5)
        };
        let y = self.bottom - (node.depth() as f64 - 0.4) * LEVEL;
        for top in &tops {
            self.drawing
                .line(vec![(x, y + 21.0), *top], Color::Soft, 1.5);
        }
        let half = self.box_width / 2.0;
        self.drawing.fill(
            (x - half, y - 21.0),
            (x + half, y + 21.0),
            node.step.color(),
        );
        self.drawing.fill(
            (x - half + 3.0, y - 18.0),
            (x + half - 3.0, y + 18.0),
            Color::Paper,
        );
        self.drawing
            .text((x, y - 8.0), node.label.as_str(), SIZE, Align::Center);
        self.drawing
            .text((x, y + 9.0), node.cost.to_string(), SIZE, Align::Center);
        (x, y - 21.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::figures::canvas::tests::assert_readable;

    fn node(label: &str, step: Step, cost: u64, parts: Vec<Node>) -> Node {
        Node {
            label: label.into(),
            step,
            cost,
            parts,
        }
    }

    fn sample() -> Node {
        let leaf = |label: &str, cost| node(label, Step::Factor, cost, Vec::new());
        let right = node(
            "8x3",
            Step::Tangent,
            96,
            vec![leaf("F'1", 0), leaf("F'2", 120)],
        );
        let left = node(
            "2x8",
            Step::Adjoint,
            64,
            vec![leaf("F'3", 0), leaf("F'4", 32)],
        );
        node("2x3", Step::Product, 48, vec![left, right])
    }

    #[test]
    fn costs_add_up_and_the_tree_is_readable() {
        let drawn = figure("sample", &sample());
        assert_readable(&drawn.drawing);
        assert!(
            drawn.title.ends_with("360 multiplications"),
            "{}",
            drawn.title
        );
        assert_eq!(drawn.csv.lines().count(), 8);
        assert_eq!(drawn.csv.lines().nth(2), Some("1.1,2x8,adjoints,64"));
        // A long chain is wider than a page, not denser.
        let long = (0..30).fold(node("F'0", Step::Factor, 1, Vec::new()), |tree, i| {
            node(
                "100x100",
                Step::Product,
                1_000_000,
                vec![
                    node(&format!("F'{}", i + 1), Step::Factor, 0, Vec::new()),
                    tree,
                ],
            )
        });
        assert_readable(&figure("long", &long).drawing);
    }
}
