//! Writing the text of a program.
//!
//! Invariant: every line ends with a line break; a word is never broken.

use std::collections::BTreeSet;
use std::fmt::{self, Display, Write};
use std::ops::Range;
use std::sync::Arc;

use crate::elementary::Number;
use crate::error::{Decision, Location};
use crate::program::guard::{Guard, Question};
use crate::program::list::Program;
use crate::program::node::{NodeId, NodeKind};
use crate::program::region::{Region, Sink, Source};

/// Lines are broken before this column, where they can be.
const WIDTH: usize = 98;

impl Program {
    /// The text with the place in the source after every node and guard of which it is known.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert::program::Program;
    /// let program = Program::record(|x| [x[0].sin()], &[3.0])?;
    /// let text = program.display_with_locations().to_string();
    /// assert!(program.is_same(&text.parse()?));
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// **Cost**: O(size of the program).
    /// **Source**: none.
    pub fn display_with_locations(&self) -> impl Display + '_ {
        Text {
            program: self,
            has_locations: true,
        }
    }
}

impl Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = Text {
            program: self,
            has_locations: false,
        };
        text.fmt(f)
    }
}

/// A program to be printed.
struct Text<'a> {
    program: &'a Program,
    has_locations: bool,
}

impl Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, 0, None)
    }
}

/// The loop that a body belongs to, and the arguments of its node.
#[derive(Clone, Copy)]
struct Loop<'a> {
    region: &'a Region,
    arguments: &'a [NodeId],
}

impl Text<'_> {
    fn write(&self, out: &mut dyn Write, indent: usize, outer: Option<Loop<'_>>) -> fmt::Result {
        let program = self.program;
        let mut described = BTreeSet::new();
        let inputs = outer.map(|outer| outer.inputs());
        if program.is_derivative {
            let mut line = Line::new(out, indent);
            line.token("derivative")?;
            line.end()?;
        }
        for node in program.nodes() {
            let arguments = program.arguments(node);
            let mut line = Line::new(out, indent);
            line.token(node)?;
            line.token('=')?;
            let kind = program.kind(node);
            let input = match (kind, &inputs) {
                (NodeKind::Input(k), Some(inputs)) => inputs.get(k as usize),
                _ => None,
            };
            if let Some((source, arguments)) = input {
                line.source(source, arguments)?;
                self.end(line, program.location(node))?;
                continue;
            }
            let region = match kind {
                NodeKind::Region(number) if described.insert(number) => {
                    program.regions.get(number as usize)
                }
                _ => None,
            };
            if let Some(region) = region {
                self.region(
                    line,
                    kind,
                    Loop { region, arguments },
                    program.location(node),
                )?;
                continue;
            }
            line.token(kind)?;
            line.nodes(arguments)?;
            self.end(line, program.location(node))?;
        }
        for (number, region) in (0..).zip(&program.regions) {
            if !described.contains(&number) {
                let arguments = &[];
                let line = Line::new(out, indent);
                self.region(
                    line,
                    NodeKind::Region(number),
                    Loop { region, arguments },
                    None,
                )?;
            }
        }
        for guard in &program.guards {
            let mut line = Line::new(out, indent);
            line.guard(guard)?;
            self.end(line, guard.location.as_ref())?;
        }
        for (k, output) in program.outputs.iter().enumerate() {
            let sink = outer.map(|outer| outer.region.sinks.get(k).copied());
            let mut line = Line::new(out, indent);
            line.token(match sink {
                Some(Some(sink)) => sink_name(sink),
                _ => "output",
            })?;
            line.token(output)?;
            line.end()?;
        }
        Ok(())
    }

    /// Ends the line of a region and writes its body.
    fn region(
        &self,
        mut line: Line<'_>,
        kind: NodeKind,
        outer: Loop<'_>,
        location: Option<&Arc<Location>>,
    ) -> fmt::Result {
        line.token(kind)?;
        line.token(outer.region.iterations)?;
        line.token("iterations")?;
        if outer.region.is_reversed {
            line.token("reversed")?;
        }
        let indent = line.indent;
        let out = self.end(line, location)?;
        let body = Text {
            program: &outer.region.body,
            has_locations: self.has_locations,
        };
        body.write(out, indent + 2, Some(outer))?;
        writeln!(out, "{:indent$}end", "")
    }

    fn end<'a>(
        &self,
        line: Line<'a>,
        location: Option<&Arc<Location>>,
    ) -> Result<&'a mut dyn Write, fmt::Error> {
        let location = location.filter(|_| self.has_locations);
        let Some(location) = location else {
            return line.end();
        };
        // The name of a file may contain anything; a comment is one line.
        let text = location.to_string();
        let text: String = text
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        write!(line.out, "  # {text}")?;
        line.end()
    }
}

impl<'a> Loop<'a> {
    /// The sources with their arguments; no arguments if the region has none.
    fn inputs(self) -> Vec<(&'a Source, &'a [NodeId])> {
        let argument = |range: Range<usize>| self.arguments.get(range).unwrap_or_default();
        let ranges = self.region.argument_ranges().map(argument);
        self.region.sources.iter().zip(ranges).collect()
    }
}

const fn sink_name(sink: Sink) -> &'static str {
    match sink {
        Sink::Sum => "sum",
        Sink::Each => "each",
        Sink::Last => "last",
    }
}

/// A line being written, word by word, broken where it grows long.
struct Line<'a> {
    out: &'a mut dyn Write,
    indent: usize,
    /// The column, 0 before the first word.
    column: usize,
    word: String,
}

impl<'a> Line<'a> {
    fn new(out: &'a mut dyn Write, indent: usize) -> Self {
        Self {
            out,
            indent,
            column: 0,
            word: String::new(),
        }
    }

    fn token(&mut self, token: impl Display) -> fmt::Result {
        self.word.clear();
        write!(self.word, "{token}")?;
        let indent = self.indent;
        if self.column == 0 {
            write!(self.out, "{:indent$}", "")?;
            self.column = indent;
        } else if self.column + 1 + self.word.len() > WIDTH {
            let indent = indent + 4;
            write!(self.out, " \\\n{:indent$}", "")?;
            self.column = indent;
        } else {
            self.out.write_char(' ')?;
            self.column += 1;
        }
        self.column += self.word.len();
        self.out.write_str(&self.word)
    }

    /// The nodes, evenly spaced ones as a range.
    fn nodes(&mut self, nodes: &[NodeId]) -> fmt::Result {
        for run in runs(nodes) {
            match run {
                Run::One(node) => self.token(node)?,
                Run::Range { first, last, step } => {
                    self.token(format_args!("{first}..={last}"))?;
                    if step != 1 {
                        self.token("step")?;
                        self.token(step)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn source(&mut self, source: &Source, arguments: &[NodeId]) -> fmt::Result {
        match source {
            Source::Uniform => self.token("uniform")?,
            Source::Lane => self.token("lane")?,
            Source::Carried { output } => {
                self.token("carried")?;
                self.token(output)?;
            }
            Source::Data(data) => {
                self.token("data")?;
                for x in &**data {
                    self.token(Number(*x))?;
                }
            }
        }
        self.nodes(arguments)
    }

    fn guard(&mut self, guard: &Guard) -> fmt::Result {
        self.token("guard")?;
        self.token(question_name(guard.question))?;
        for node in guard.question.nodes() {
            self.token(node)?;
        }
        self.token('=')?;
        match guard.recorded {
            Decision::Value(x) => self.token(Number(x)),
            Decision::Index(None) => self.token("none"),
            decision => self.token(decision),
        }
    }

    fn end(self) -> Result<&'a mut dyn Write, fmt::Error> {
        self.out.write_char('\n')?;
        Ok(self.out)
    }
}

/// The word for a question in text and JSON.
pub(in crate::program) const fn question_name(question: Question) -> &'static str {
    match question {
        Question::Less { .. } => "lt",
        Question::LessEqual { .. } => "le",
        Question::Equal { .. } => "eq",
        Question::Ordering { .. } => "ordering",
        Question::Index { .. } => "index",
        Question::Value { .. } => "value",
    }
}

/// Evenly spaced nodes.
#[derive(Debug, PartialEq)]
pub(in crate::program) enum Run {
    /// A node alone.
    One(NodeId),
    /// At least four nodes.
    Range {
        first: NodeId,
        last: NodeId,
        step: i64,
    },
}

/// Takes nodes apart into evenly spaced ones; as a range only four and more of them are shorter.
pub(in crate::program) fn runs(nodes: &[NodeId]) -> impl Iterator<Item = Run> + '_ {
    let mut rest = nodes;
    std::iter::from_fn(move || {
        let first = *rest.first()?;
        let step = |pair: &[NodeId]| i64::from(pair[1].raw()) - i64::from(pair[0].raw());
        let spacing = rest.get(..2).map(step).filter(|step| *step != 0);
        let even = spacing.map_or(0, |spacing| {
            rest.windows(2)
                .take_while(|pair| step(pair) == spacing)
                .count()
        });
        match (spacing, even) {
            (Some(step), 3..) => {
                let last = rest[even];
                rest = &rest[even + 1..];
                Some(Run::Range { first, last, step })
            }
            _ => {
                rest = &rest[1..];
                Some(Run::One(first))
            }
        }
    })
}
