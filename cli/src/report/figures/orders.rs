//! Multiplications per elimination order as bars, with the lower bound as a line and optimal orders marked.
//!
//! Invariant: `optimal` is written only where the caller says that it is proven.
//! Source: Griewank & Walther 2008, §10.1 (elimination orders and their cost).

use super::canvas::{Align, Color, Drawing, text_width};
use super::chart::{Axis, Key, TEXT, TITLE, WIDTH, draw_legend, legend_height};
use super::{Figure, csv};

/// One order.
#[derive(Clone, Debug)]
pub(in super::super) struct Order {
    pub(in super::super) name: String,
    pub(in super::super) multiplications: u64,
    /// Whether no order can be cheaper, by proof.
    pub(in super::super) is_optimal: bool,
}

/// The orders of one problem, and the bound that none can go below, if one is known.
pub(in super::super) fn figure(problem: &str, orders: &[Order], bound: Option<u64>) -> Figure {
    const ROW: f64 = 34.0;
    let mut legend = vec![(
        Key::Box(Color::Series(0)),
        "multiplications of the order".to_string(),
    )];
    if orders.iter().any(|order| order.is_optimal) {
        legend.push((Key::Box(Color::Series(2)), "proven optimal".into()));
    }
    if let Some(bound) = bound {
        legend.push((
            Key::Dashes(Color::Series(1)),
            format!("lower bound, {bound}"),
        ));
    }
    let title = format!("Multiplications per elimination order, {problem}");
    let top = 48.0;
    let bottom = top + ROW * orders.len() as f64 + 8.0;
    let height = bottom + 60.0 + legend_height(&legend, 16.0) + 8.0;
    let mut drawing = Drawing::new(WIDTH, height);
    drawing.text((WIDTH / 2.0, 20.0), title.as_str(), TITLE, Align::Center);
    let left = 24.0
        + orders
            .iter()
            .map(|order| text_width(&order.name, TEXT))
            .fold(0.0, f64::max);
    let label = |order: &Order| {
        let count = order.multiplications;
        if order.is_optimal {
            format!("{count}, optimal")
        } else {
            count.to_string()
        }
    };
    let right = WIDTH
        - 24.0
        - orders
            .iter()
            .map(|order| text_width(&label(order), TEXT))
            .fold(0.0, f64::max);
    let most = orders
        .iter()
        .map(|order| order.multiplications)
        .chain(bound)
        .max()
        .unwrap_or(1)
        .max(1);
    // Counts that are drawn are far below 2^53.
    let x = |count: u64| left + (right - left) * (count as f64 / most as f64);
    // Counts that are drawn are far below 2^53.
    let axis = Axis::linear("", std::iter::once(most as f64));
    for (count, text) in axis.ticks() {
        let at = left + (right - left) * (count / most as f64);
        if count.fract() == 0.0 && at <= right {
            drawing.line(vec![(at, top), (at, bottom)], Color::Grid, 1.0);
            drawing.text((at, bottom + 16.0), text, TEXT, Align::Center);
        }
    }
    for (index, order) in orders.iter().enumerate() {
        let middle = top + ROW * (index as f64 + 0.5);
        drawing.text(
            (left - 10.0, middle),
            order.name.as_str(),
            TEXT,
            Align::Right,
        );
        let color = Color::Series(if order.is_optimal { 2 } else { 0 });
        drawing.fill(
            (left, middle - 11.0),
            (x(order.multiplications), middle + 11.0),
            color,
        );
        drawing.text(
            (x(order.multiplications) + 8.0, middle),
            label(order),
            TEXT,
            Align::Left,
        );
    }
    drawing.line(vec![(left, top), (left, bottom)], Color::Soft, 1.0);
    if let Some(bound) = bound {
        drawing.dashes(
            (x(bound), top - 6.0),
            (x(bound), bottom),
            Color::Series(1),
            2.5,
        );
    }
    drawing.text(
        ((left + right) / 2.0, bottom + 40.0),
        "multiplications",
        TEXT,
        Align::Center,
    );
    draw_legend(&mut drawing, (16.0, bottom + 60.0), &legend);
    let row = |order: &Order| {
        vec![
            order.name.clone(),
            order.multiplications.to_string(),
            bound.map_or_else(String::new, |bound| bound.to_string()),
            order.is_optimal.to_string(),
        ]
    };
    Figure {
        id: format!("orders-{problem}"),
        title,
        caption: "Products of partials until the linearized graph has become the Jacobian. Forward and reverse mode are two orders of \
                  many; the shorter a bar, the less work. No order by vertices can end left of the lower bound, if one is drawn."
            .into(),
        drawing,
        csv: csv(&["order", "multiplications", "lower_bound", "optimal"], orders.iter().map(row)),
        steps: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::figures::canvas::tests::assert_readable;

    #[test]
    fn bars_bound_and_optimum_are_drawn() {
        let order = |name: &str, multiplications, is_optimal| Order {
            name: name.into(),
            multiplications,
            is_optimal,
        };
        let orders = [
            order("forward", 320, false),
            order("relative Markowitz", 260, false),
            order("exact", 221, true),
        ];
        let with = figure("robot-arm", &orders, Some(221));
        assert_readable(&with.drawing);
        let svg = with.svg().unwrap();
        assert!(svg.contains("221, optimal") && svg.contains("lower bound, 221"));
        assert_eq!(with.csv.lines().last(), Some("exact,221,221,true"));
        let without = figure("robot-arm", &orders[..2], None);
        assert_readable(&without.drawing);
        assert!(!without.svg().unwrap().contains("optimal"));
        assert_readable(&figure("nothing", &[order("forward", 0, false)], Some(0)).drawing);
    }
}
