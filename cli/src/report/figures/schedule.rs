//! A schedule of workers as a Gantt chart.
//!
//! Invariant: tasks of a worker do not overlap; what overlaps is drawn where the data say.
//! Source: Gantt 1910; Graham 1969 (list scheduling).

use super::canvas::{Align, Color, Drawing, text_width};
use super::chart::{Axis, Key, TEXT, TITLE, WIDTH, draw_legend, legend_height, short};
use super::{Figure, csv};

/// One task.
#[derive(Clone, Debug)]
pub(in super::super) struct Task {
    pub(in super::super) name: String,
    /// Workers are numbered from 0.
    pub(in super::super) worker: usize,
    pub(in super::super) start: f64,
    pub(in super::super) end: f64,
}

/// Tasks with times in a unit such as `multiplications`, and the time below which no schedule ends, if it is known.
pub(in super::super) fn figure(
    problem: &str,
    unit: &str,
    tasks: &[Task],
    bound: Option<f64>,
) -> Figure {
    const ROW: f64 = 46.0;
    let workers = tasks.iter().map(|task| task.worker + 1).max().unwrap_or(1);
    let end = tasks.iter().map(|task| task.end).fold(0.0, f64::max);
    let span = bound
        .map_or(end, |bound| end.max(bound))
        .max(f64::MIN_POSITIVE);
    let mut legend = vec![
        (Key::Box(Color::Series(0)), "task".to_string()),
        (Key::Box(Color::Series(2)), "next task".into()),
    ];
    if bound == Some(end) {
        let text = format!("end and lower bound, {}: optimal", short(end));
        legend.push((Key::Dashes(Color::Series(1)), text));
    } else {
        legend.push((Key::Dashes(Color::Ink), format!("end, {}", short(end))));
        if let Some(bound) = bound {
            let text = format!("lower bound, {}", short(bound));
            legend.push((Key::Dashes(Color::Series(1)), text));
        }
    }
    let title = format!("Schedule of {workers} workers, {problem}");
    let top = 48.0;
    let bottom = top + ROW * workers as f64;
    let mut drawing = Drawing::new(WIDTH, bottom + 60.0 + legend_height(&legend, 16.0) + 8.0);
    drawing.text((WIDTH / 2.0, 20.0), title.as_str(), TITLE, Align::Center);
    let (left, right) = (100.0, WIDTH - 40.0);
    let x = |time: f64| left + (right - left) * time / span;
    for worker in 0..workers {
        let middle = top + ROW * (worker as f64 + 0.5);
        drawing.text(
            (left - 12.0, middle),
            format!("worker {}", worker + 1),
            TEXT,
            Align::Right,
        );
    }
    let ticks = Axis::linear("", std::iter::once(span)).ticks();
    for (time, text) in ticks.into_iter().filter(|(time, _)| *time <= span) {
        drawing.line(vec![(x(time), top), (x(time), bottom)], Color::Grid, 1.0);
        drawing.text((x(time), bottom + 16.0), text, TEXT, Align::Center);
    }
    let mut count = vec![0_usize; workers];
    for task in tasks {
        let (from, to) = (x(task.start), x(task.end));
        let row = top + ROW * task.worker as f64;
        // Neighbours differ.
        let color = if count[task.worker] % 2 == 0 {
            Color::Series(0)
        } else {
            Color::Series(2)
        };
        count[task.worker] += 1;
        drawing.fill((from, row + 5.0), (to, row + ROW - 5.0), color);
        drawing.fill(
            (from + 2.0, row + 7.0),
            ((to - 2.0).max(from + 2.0), row + ROW - 7.0),
            Color::Paper,
        );
        if let Some(middle) = clear(&task.name, (from, to), bound.map(x)) {
            drawing.text(
                (middle, row + ROW / 2.0),
                task.name.as_str(),
                12.0,
                Align::Center,
            );
        }
    }
    drawing.dashes((x(end), top), (x(end), bottom), Color::Ink, 2.0);
    if let Some(bound) = bound {
        drawing.dashes((x(bound), top), (x(bound), bottom), Color::Series(1), 2.5);
    }
    drawing.text(
        ((left + right) / 2.0, bottom + 38.0),
        format!("time ({unit})"),
        TEXT,
        Align::Center,
    );
    draw_legend(&mut drawing, (16.0, bottom + 60.0), &legend);
    let row = |task: &Task| {
        vec![
            task.name.clone(),
            (task.worker + 1).to_string(),
            task.start.to_string(),
            task.end.to_string(),
        ]
    };
    Figure {
        id: format!("schedule-{problem}"),
        title,
        caption: "A bar is a step of the plan, from its start to its end; gaps are workers that wait for the results of others. Names \
                  that do not fit are in the data."
            .into(),
        drawing,
        csv: csv(&["task", "worker", "start", "end"], tasks.iter().map(row)),
        steps: None,
    }
}

/// Where a name stands in its bar without touching the line of the bound; `None` if it does not fit.
fn clear(name: &str, (from, to): (f64, f64), line: Option<f64>) -> Option<f64> {
    let needed = text_width(name, 12.0) + 8.0;
    let parts = match line {
        Some(line) if from < line && line < to => vec![(from, line), (line, to)],
        _ => vec![(from, to)],
    };
    let middle = |(from, to): (f64, f64)| (from + to) / 2.0;
    let fitting = parts.into_iter().filter(|(from, to)| needed < to - from);
    let widest = fitting.max_by(|a, b| (a.1 - a.0).total_cmp(&(b.1 - b.0)));
    widest.map(middle)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::figures::canvas::tests::assert_readable;

    #[test]
    fn tasks_stand_with_their_workers() {
        let task = |name: &str, worker, start, end| Task {
            name: name.into(),
            worker,
            start,
            end,
        };
        let tasks = [
            task("F'1 F'2", 0, 0.0, 120.0),
            task("F'3", 1, 0.0, 40.0),
            task("a step with a long name", 1, 40.0, 44.0),
            task("product", 0, 120.0, 200.0),
        ];
        let drawn = figure("sample", "multiplications", &tasks, Some(160.0));
        assert_readable(&drawn.drawing);
        let svg = drawn.svg().unwrap();
        assert!(svg.contains("worker 2") && svg.contains("product") && !svg.contains("long name"));
        assert_eq!(
            drawn.csv.lines().nth(3),
            Some("a step with a long name,2,40,44")
        );
        assert_readable(&figure("nothing", "s", &[], None).drawing);
    }

    #[test]
    fn names_avoid_the_line_of_the_bound() {
        assert_eq!(clear("J0", (100.0, 200.0), None), Some(150.0));
        assert_eq!(clear("J0", (100.0, 200.0), Some(200.0)), Some(150.0));
        assert_eq!(clear("J0", (100.0, 200.0), Some(160.0)), Some(130.0));
        assert_eq!(clear("J0", (100.0, 104.0), None), None);
    }
}
