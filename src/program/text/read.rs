//! Reading the text of a program.
//!
//! Invariant: whatever the text, the outcome is a program or an error with the line.

use std::collections::VecDeque;
use std::str::FromStr;
use std::sync::Arc;

use crate::elementary::{parse_number, split_parameter};
use crate::error::{Decision, Error};
use crate::program::guard::{Guard, Question};
use crate::program::list::Program;
use crate::program::node::{NodeId, NodeKind};
use crate::program::parts::{self, Builder, Expected, MOST_NESTED};
use crate::program::region::{Region, Sink, Source};

impl FromStr for Program {
    type Err = Error;

    /// Reads the text of a program.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert::program::Program;
    /// let program: Program = "v0 = input 0\nv1 = mul v0 v0\noutput v1\n".parse()?;
    /// assert_eq!(program.values(&[3.0])?, [3.0, 9.0]);
    /// let wrong = "v0 = input 0\nv1 = mul v0 v2\n".parse::<Program>().unwrap_err();
    /// assert_eq!(wrong.to_string(), "line 2 of the program: expected the number of a node further up");
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// One line per node, in their order:
    ///
    /// ```text
    /// v0 = input 0                          the inputs come first
    /// v1 = constant 0.5
    /// v2 = mul v0 v1                        an operation and its arguments
    /// v3 = sum v0..=v2                      v0 v1 v2; with `step 2` every other one, downwards with a negative step
    /// v4 = region(0) 3 iterations           a loop; `reversed` if the last iteration comes first
    ///   v0 = uniform v2                     inputs of the body: the same node of the outer program in every iteration,
    ///   v1 = lane v0..=v2                   a node per iteration,
    ///   v2 = data 1 -2.5 1e-7               a number per iteration,
    ///   v3 = carried 1 v1                   what output 1 of the body was in the iteration before, at first v1
    ///   v4 = mul v1 v2                      nodes of the body
    ///   sum v4                              outputs of the body: added up, kept one by one (`each`), kept at last
    ///   last v3
    /// end
    /// v5 = result(0) v4
    /// guard lt v0 v5 = true                 also le, eq; ordering (less, equal, greater, unordered); index (none); value
    /// output v5
    /// derivative                            products may be fused with sums; in a body for the body
    /// ```
    ///
    /// Numbers are the shortest that read back to the same bits. A line that ends in ` \` goes on in the next one; indentation
    /// does not count, and what follows a `#` is a comment. A region without a node is described before the guards.
    ///
    /// **Shape**: what [`Display`](std::fmt::Display) prints.
    /// **Cost**: O(size of the program).
    ///
    /// # Errors
    /// [`Error::Parse`] with the first line that cannot be read, [`Error::InvalidProgram`] if all can but
    /// [`validate`](Program::validate) refuses the program. Custom rules and regions more than 32 deep cannot be read.
    ///
    /// **Source**: none.
    fn from_str(text: &str) -> Result<Self, Error> {
        let mut lines = Lines::new(text);
        let program = read_program(&mut lines).map_err(|expected| Error::Parse {
            line: lines.line,
            expected: expected.strip_prefix("expected ").unwrap_or(expected),
        })?;
        program.validate()?;
        Ok(program)
    }
}

/// Lines, joined where they are broken, as words.
struct Lines<'a> {
    lines: std::iter::Enumerate<std::str::Lines<'a>>,
    /// The number of the line that is being read, from 1.
    line: usize,
    words: VecDeque<&'a str>,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            lines: text.lines().enumerate(),
            line: 1,
            words: VecDeque::new(),
        }
    }

    /// Goes to the next line that has words; false at the end.
    fn advance(&mut self) -> bool {
        self.words.clear();
        let mut is_first = true;
        for (index, line) in self.lines.by_ref() {
            let line = line.split('#').next().unwrap_or_default();
            let before = self.words.len();
            self.words.extend(line.split_whitespace());
            if is_first {
                self.line = index + 1;
            }
            if self.words.len() > before && self.words.back() == Some(&"\\") {
                self.words.pop_back();
                is_first = false;
            } else if !self.words.is_empty() {
                return true;
            } else {
                is_first = true;
            }
        }
        !self.words.is_empty()
    }

    /// The next word of the line.
    fn word(&mut self) -> Option<&'a str> {
        self.words.pop_front()
    }

    /// Whether the next word is this one, which is then taken.
    fn takes(&mut self, word: &str) -> bool {
        let is_next = self.words.front() == Some(&word);
        if is_next {
            self.words.pop_front();
        }
        is_next
    }

    fn number<T: FromStr>(&mut self, expected: Expected) -> Result<T, Expected> {
        self.word()
            .and_then(|word| word.parse().ok())
            .ok_or(expected)
    }

    /// The line must end here.
    fn end(&self) -> Result<(), Expected> {
        match self.words.front() {
            None => Ok(()),
            Some(_) => Err("the end of the line"),
        }
    }

    /// One node that exists.
    fn node(&mut self, nodes: &Builder) -> Result<NodeId, Expected> {
        let number = self
            .word()
            .and_then(node_number)
            .ok_or("a node such as v3")?;
        nodes.node(number)
    }

    /// Nodes that exist, to the end of the line.
    fn nodes(&mut self, nodes: &Builder) -> Result<Vec<NodeId>, Expected> {
        let mut all = Vec::new();
        while let Some(word) = self.words.front() {
            let Some((first, last)) = word.split_once("..=") else {
                all.push(self.node(nodes)?);
                continue;
            };
            self.words.pop_front();
            let ends = node_number(first).zip(node_number(last));
            let (first, last) = ends.ok_or("a range of nodes such as v3..=v9")?;
            let step: i64 = if self.takes("step") {
                self.number("a number of nodes after `step`")?
            } else {
                1
            };
            let (first, last) = (nodes.node(first)?.raw(), nodes.node(last)?.raw());
            let distance = i64::from(last) - i64::from(first);
            if distance.checked_rem(step) != Some(0) || distance / step < 0 {
                return Err("a step that leads from the first node to the last");
            }
            for k in 0..=distance / step {
                let number = u32::try_from(i64::from(first) + k * step);
                all.push(nodes.node(number.map_err(|_| "nodes of 32 bits")?)?);
            }
        }
        Ok(all)
    }
}

/// The number in `v3`.
fn node_number(word: &str) -> Option<u32> {
    let digits = word.strip_prefix('v')?;
    // A sign would be read as well.
    if digits.bytes().all(|b| b.is_ascii_digit()) {
        digits.parse().ok()
    } else {
        None
    }
}

fn read_program(lines: &mut Lines<'_>) -> Result<Program, Expected> {
    let mut nodes = Builder::default();
    while lines.advance() {
        if read_common(lines, &mut nodes, 0)? {
            continue;
        }
        match lines.word() {
            Some("output") => {
                let node = lines.node(&nodes)?;
                nodes.output(node);
            }
            Some(word) => {
                read_label(word, lines, &nodes)?;
                read_node(lines, &mut nodes, 0)?;
            }
            None => {}
        }
        lines.end()?;
    }
    nodes.finish()
}

/// Reads what stands in programs and bodies alike: guards, regions without a node, and the mark of derivatives.
fn read_common(lines: &mut Lines<'_>, nodes: &mut Builder, depth: usize) -> Result<bool, Expected> {
    if lines.takes("guard") {
        read_guard(lines, nodes)?;
        lines.end()?;
        return Ok(true);
    }
    if lines.takes("derivative") {
        nodes.mark_derivative(true);
        lines.end()?;
        return Ok(true);
    }
    let Some(word) = lines
        .words
        .front()
        .copied()
        .filter(|word| word.starts_with("region("))
    else {
        return Ok(false);
    };
    lines.word();
    let NodeKind::Region(number) = read_kind(word, lines)? else {
        return Err("a region");
    };
    if lines.words.is_empty() {
        return Err("the number of iterations");
    }
    let (region, _) = read_region(lines, nodes, depth, false)?;
    nodes.define(number, region)?;
    Ok(true)
}

/// Reads the `v3 =` of a line, which must be the next node.
fn read_label(word: &str, lines: &mut Lines<'_>, nodes: &Builder) -> Result<(), Expected> {
    let number = node_number(word).ok_or("a node such as `v3 = sin v2`, a guard or an output")?;
    if number as usize != nodes.len() {
        return Err("the next node");
    }
    if lines.takes("=") {
        Ok(())
    } else {
        Err("`=` after the node")
    }
}

/// Reads the operation that starts with this word.
fn read_kind(word: &str, lines: &mut Lines<'_>) -> Result<NodeKind, Expected> {
    let (name, parameter) = split_parameter(word).ok_or("a closing parenthesis")?;
    let parameter = match (name, parameter) {
        // These two have their parameter as a word of its own.
        ("input" | "constant", None) => lines.word(),
        ("input" | "constant", Some(_)) => return Err("a space before the number"),
        (_, parameter) => parameter,
    };
    let number = match parameter {
        None => None,
        Some(text) => Some(parse_number(text).ok_or("a number as the parameter")?),
    };
    parts::kind(name, number)
}

/// Reads the rest of the line of a node, and the body of a region that is described there.
fn read_node(lines: &mut Lines<'_>, nodes: &mut Builder, depth: usize) -> Result<(), Expected> {
    let word = lines.word().ok_or("an operation")?;
    let kind = read_kind(word, lines)?;
    let is_count = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit());
    if let (NodeKind::Region(number), true) = (kind, lines.words.front().is_some_and(is_count)) {
        let line = lines.line;
        let (region, arguments) = read_region(lines, nodes, depth, true)?;
        lines.line = line;
        nodes.define(number, region)?;
        return nodes.push(kind, &arguments);
    }
    let arguments = lines.nodes(nodes)?;
    nodes.push(kind, &arguments)
}

/// Reads from the number of iterations to `end`: the region and the arguments of its node.
fn read_region(
    lines: &mut Lines<'_>,
    outer: &Builder,
    depth: usize,
    has_node: bool,
) -> Result<(Region, Vec<NodeId>), Expected> {
    if depth == MOST_NESTED {
        return Err("regions at most 32 deep");
    }
    let iterations = lines.number("the number of iterations")?;
    if !lines.takes("iterations") {
        return Err("`iterations`");
    }
    let is_reversed = lines.takes("reversed");
    lines.end()?;
    let mut body = Builder::default();
    let (mut sources, mut sinks) = (Vec::new(), Vec::new());
    let mut arguments = Vec::new();
    loop {
        if !lines.advance() {
            return Err("`end` after the body of a region");
        }
        if read_common(lines, &mut body, depth + 1)? {
            continue;
        }
        let word = lines.word().unwrap_or_default();
        let sink = match word {
            "sum" => Some(Sink::Sum),
            "each" => Some(Sink::Each),
            "last" => Some(Sink::Last),
            _ => None,
        };
        if word == "end" {
            break;
        } else if let Some(sink) = sink {
            let node = lines.node(&body)?;
            body.output(node);
            sinks.push(sink);
        } else {
            read_label(word, lines, &body)?;
            if let Some(source) = read_source(lines)? {
                let input = u32::try_from(sources.len()).map_err(|_| "inputs of 32 bits")?;
                let nodes = lines.nodes(outer)?;
                let is_right = match source {
                    _ if !has_node => nodes.is_empty(),
                    Source::Uniform | Source::Carried { .. } => nodes.len() == 1,
                    Source::Lane => nodes.len() == iterations,
                    Source::Data(_) => nodes.is_empty(),
                };
                if !is_right {
                    return Err("one node, for a lane a node per iteration");
                }
                arguments.extend(nodes);
                sources.push(source);
                body.push(NodeKind::Input(input), &[])?;
            } else {
                read_node(lines, &mut body, depth + 1)?;
            }
        }
        lines.end()?;
    }
    lines.end()?;
    let region = parts::region(iterations, is_reversed, body.finish()?, sources, sinks)?;
    Ok((region, arguments))
}

/// Reads where an input of a body comes from, without the nodes; `None` if the line is of another kind.
fn read_source(lines: &mut Lines<'_>) -> Result<Option<Source>, Expected> {
    if lines.takes("uniform") {
        Ok(Some(Source::Uniform))
    } else if lines.takes("lane") {
        Ok(Some(Source::Lane))
    } else if lines.takes("carried") {
        let output = lines.number("the number of an output of the body")?;
        Ok(Some(Source::Carried { output }))
    } else if lines.takes("data") {
        let data: Option<Arc<[f64]>> = lines.words.drain(..).map(parse_number).collect();
        Ok(Some(Source::Data(data.ok_or("numbers after `data`")?)))
    } else {
        Ok(None)
    }
}

fn read_guard(lines: &mut Lines<'_>, nodes: &mut Builder) -> Result<(), Expected> {
    let name = lines.word().unwrap_or_default();
    let mut asked = Vec::new();
    while !lines.takes("=") {
        asked.push(lines.node(nodes)?);
    }
    let question = question(name, &asked)?;
    let answer = lines.word().ok_or("what the guard decided")?;
    let recorded = match question {
        Question::Value { .. } => parse_number(answer).map(Decision::Value),
        _ => decision(question, answer),
    };
    nodes.guard(Guard {
        question,
        recorded: recorded.ok_or("what the guard decided")?,
        location: None,
    });
    Ok(())
}

/// The question of this name about these nodes.
pub(in crate::program) fn question(name: &str, nodes: &[NodeId]) -> Result<Question, Expected> {
    match (name, nodes) {
        ("lt", &[lhs, rhs]) => Ok(Question::Less { lhs, rhs }),
        ("le", &[lhs, rhs]) => Ok(Question::LessEqual { lhs, rhs }),
        ("eq", &[lhs, rhs]) => Ok(Question::Equal { lhs, rhs }),
        ("ordering", &[lhs, rhs]) => Ok(Question::Ordering { lhs, rhs }),
        ("index", &[node]) => Ok(Question::Index { node }),
        ("value", &[node]) => Ok(Question::Value { node }),
        _ => Err("a guard such as `guard lt v0 v1 = true`"),
    }
}

/// The answer in words to a question that is not about a value.
pub(in crate::program) fn decision(question: Question, answer: &str) -> Option<Decision> {
    use std::cmp::Ordering::{Equal, Greater, Less};
    match question {
        Question::Less { .. } | Question::LessEqual { .. } | Question::Equal { .. } => {
            answer.parse().ok().map(Decision::Holds)
        }
        Question::Ordering { .. } => match answer {
            "less" => Some(Decision::Ordering(Some(Less))),
            "equal" => Some(Decision::Ordering(Some(Equal))),
            "greater" => Some(Decision::Ordering(Some(Greater))),
            "unordered" => Some(Decision::Ordering(None)),
            _ => None,
        },
        Question::Index { .. } if answer == "none" => Some(Decision::Index(None)),
        Question::Index { .. } => answer
            .parse()
            .ok()
            .map(|index| Decision::Index(Some(index))),
        Question::Value { .. } => None,
    }
}
