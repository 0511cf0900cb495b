//! The JSON of a program, for other tools.
//!
//! The schema is described at [`Program::to_json`].
//!
//! Invariant: what is written reads back the same, except custom rules, which are written as `custom` and cannot be read.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserializer, Visitor};
use serde::ser::{SerializeSeq, SerializeStruct, Serializer};
use serde::{Deserialize, Serialize};

use super::guard::Guard;
use super::list::Program;
use super::node::{NodeId, NodeKind};
use super::parts::{self, Builder, MOST_NESTED};
use super::region::{Region, Sink, Source};
use super::text::{decision, question, question_name};
use crate::elementary::{self, parse_number};
use crate::error::{Decision, Error};

/// The name of the format.
const FORMAT: &str = "wengert-program";
/// It changes when a reader of the version before would go wrong.
const VERSION: u32 = 1;

impl Program {
    /// The program in JSON.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert::program::Program;
    /// let program = Program::record(|x| [x[0] * 0.1], &[3.0])?;
    /// let json = program.to_json();
    /// assert!(json.starts_with(r#"{"format":"wengert-program","version":1,"inputs":1,"#), "{json}");
    /// assert!(program.is_same(&Program::from_json(&json)?));
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// The schema, by an example:
    ///
    /// ```json
    /// {"format": "wengert-program", "version": 1, "inputs": 1, "point": [3.0],
    ///  "nodes": [{"op": "input", "parameter": 0}, {"op": "constant", "parameter": 0.5}, {"op": "mul", "args": [0, 1]},
    ///            {"op": "region", "parameter": 0, "args": [2]}, {"op": "result", "parameter": 0, "args": [3]}],
    ///  "regions": [{"iterations": 2, "reversed": false, "sources": ["uniform", {"data": [1.5, "NaN"]}], "sinks": ["sum"],
    ///               "body": {"inputs": 2, "nodes": ["..."], "outputs": [2]}}],
    ///  "guards": [{"question": "lt", "nodes": [0, 4], "recorded": true}],
    ///  "outputs": [4]}
    /// ```
    ///
    /// - Nodes are numbered from 0; `parameter` is that of the operation or the number of the input, region or result.
    ///   `args` is left out if there are none, as are `point`, `regions` and `guards`; `"is_derivative": true` where products
    ///   may be fused with sums.
    /// - Sources are `"uniform"`, `"lane"`, `{"data": [...]}` and `{"carried": output}`, sinks `"sum"`, `"each"` and `"last"`; the
    ///   arguments of the region's node are those of the sources one after the other. Bodies have no `format` and `version`.
    /// - Questions are `lt`, `le`, `eq` (recorded: true or false), `ordering` (`"less"`, `"equal"`, `"greater"`, `"unordered"`),
    ///   `index` (a number or null) and `value` (a number).
    /// - NaN and infinities are the strings `"NaN"`, `"inf"`, `"-inf"` (EDGE_CASES e75), a NaN of unusual bits `"NaN:fff8..."`.
    ///
    /// **Shape**: one line of text.
    /// **Cost**: O(size of the program).
    /// **Source**: none.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("keys are texts and nothing else can fail")
    }

    /// Reads the JSON of a program.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert::program::Program;
    /// let text = r#"{"format": "wengert-program", "version": 1, "inputs": 1, "outputs": [1],
    ///     "nodes": [{"op": "input", "parameter": 0}, {"op": "mul", "args": [0, 0]}]}"#;
    /// assert_eq!(Program::from_json(text)?.values(&[3.0])?, [3.0, 9.0]);
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// **Cost**: O(size of the program).
    ///
    /// # Errors
    /// [`Error::Parse`] if the text is not JSON of this schema, [`Error::InvalidProgram`] with the number of the node (in its
    /// body, if it is in one) if it is but no program. Custom rules and regions more than 32 deep cannot be read.
    ///
    /// **Source**: none.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        let read: ReadProgram<'_> = serde_json::from_str(text).map_err(|error| Error::Parse {
            line: error.line(),
            expected: match error.classify() {
                serde_json::error::Category::Data => "a program of the format wengert-program",
                serde_json::error::Category::Eof => "more JSON",
                _ => "JSON",
            },
        })?;
        read.document()
    }
}

/// A number that may be NaN or infinite.
#[derive(Clone, Copy, Debug)]
struct Number(f64);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_finite() {
            serializer.serialize_f64(self.0)
        } else {
            serializer.collect_str(&elementary::Number(self.0))
        }
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumberVisitor)
    }
}

struct NumberVisitor;

impl Visitor<'_> for NumberVisitor {
    type Value = Number;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, \"NaN\", \"inf\" or \"-inf\"")
    }
    fn visit_f64<E: de::Error>(self, x: f64) -> Result<Number, E> {
        Ok(Number(x))
    }
    fn visit_u64<E: de::Error>(self, x: u64) -> Result<Number, E> {
        // Rounded as the digits would be.
        Ok(Number(x as f64))
    }
    fn visit_i64<E: de::Error>(self, x: i64) -> Result<Number, E> {
        Ok(Number(x as f64))
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Number, E> {
        let number = parse_number(text).filter(|x| !x.is_finite());
        number
            .map(Number)
            .ok_or_else(|| E::custom("a text that is no number"))
    }
}

impl Serialize for NodeId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(self.raw())
    }
}

impl Serialize for Program {
    /// As [`to_json`](Self::to_json).
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        write_program(self, true, serializer)
    }
}

fn write_program<S: Serializer>(
    program: &Program,
    is_document: bool,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut fields = serializer.serialize_struct("Program", 8)?;
    if is_document {
        fields.serialize_field("format", FORMAT)?;
        fields.serialize_field("version", &VERSION)?;
    }
    fields.serialize_field("inputs", &program.inputs)?;
    if !program.point.is_empty() {
        let point: Vec<Number> = program.point.iter().map(|x| Number(*x)).collect();
        fields.serialize_field("point", &point)?;
    }
    if program.is_derivative {
        fields.serialize_field("is_derivative", &true)?;
    }
    fields.serialize_field("nodes", &Nodes(program))?;
    if !program.regions.is_empty() {
        fields.serialize_field("regions", &program.regions)?;
    }
    if !program.guards.is_empty() {
        let guards: Vec<_> = program.guards.iter().map(WriteGuard::new).collect();
        fields.serialize_field("guards", &guards)?;
    }
    fields.serialize_field("outputs", &program.outputs)?;
    fields.end()
}

/// The nodes of a program.
struct Nodes<'a>(&'a Program);

impl Serialize for Nodes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.0.len()))?;
        for node in self.0.nodes() {
            let kind = self.0.kind(node);
            list.serialize_element(&WriteNode {
                op: kind.name(),
                parameter: parameter(kind).map(Number),
                args: self.0.arguments(node),
            })?;
        }
        list.end()
    }
}

/// The number that belongs to a kind.
fn parameter(kind: NodeKind) -> Option<f64> {
    match kind {
        NodeKind::Input(k) | NodeKind::Custom(k) | NodeKind::Region(k) | NodeKind::Result(k) => {
            Some(k.into())
        }
        NodeKind::Constant(c) => Some(c),
        NodeKind::Elementary(op) => op.parameter(),
        _ => None,
    }
}

#[derive(Serialize)]
struct WriteNode<'a> {
    op: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter: Option<Number>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    args: &'a [NodeId],
}

#[derive(Serialize)]
struct WriteGuard {
    question: &'static str,
    nodes: Vec<NodeId>,
    recorded: Answer,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Answer {
    Holds(bool),
    Word(String),
    Index(Option<usize>),
    Value(Number),
}

impl WriteGuard {
    fn new(guard: &Guard) -> Self {
        Self {
            question: question_name(guard.question),
            nodes: guard.question.nodes().collect(),
            recorded: match guard.recorded {
                Decision::Holds(holds) => Answer::Holds(holds),
                Decision::Index(index) => Answer::Index(index),
                Decision::Value(value) => Answer::Value(Number(value)),
                ordering @ Decision::Ordering(_) => Answer::Word(ordering.to_string()),
            },
        }
    }
}

impl Serialize for Region {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Region", 5)?;
        fields.serialize_field("iterations", &self.iterations)?;
        fields.serialize_field("reversed", &self.is_reversed)?;
        let sources: Vec<SourceForm> = self.sources.iter().map(SourceForm::from).collect();
        fields.serialize_field("sources", &sources)?;
        let sinks: Vec<SinkForm> = self.sinks.iter().map(|sink| (*sink).into()).collect();
        fields.serialize_field("sinks", &sinks)?;
        fields.serialize_field("body", &Body(&self.body))?;
        fields.end()
    }
}

/// A program without the name of the format.
struct Body<'a>(&'a Program);

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        write_program(self.0, false, serializer)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum SourceForm {
    Uniform,
    Lane,
    Data(Vec<Number>),
    Carried(u32),
}

impl From<&Source> for SourceForm {
    fn from(source: &Source) -> Self {
        match source {
            Source::Uniform => Self::Uniform,
            Source::Lane => Self::Lane,
            Source::Data(data) => Self::Data(data.iter().map(|x| Number(*x)).collect()),
            Source::Carried { output } => Self::Carried(*output),
        }
    }
}

impl From<SourceForm> for Source {
    fn from(source: SourceForm) -> Self {
        match source {
            SourceForm::Uniform => Self::Uniform,
            SourceForm::Lane => Self::Lane,
            SourceForm::Data(data) => Self::Data(data.into_iter().map(|x| x.0).collect()),
            SourceForm::Carried(output) => Self::Carried { output },
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum SinkForm {
    Sum,
    Each,
    Last,
}

impl From<Sink> for SinkForm {
    fn from(sink: Sink) -> Self {
        match sink {
            Sink::Sum => Self::Sum,
            Sink::Each => Self::Each,
            Sink::Last => Self::Last,
        }
    }
}

impl From<SinkForm> for Sink {
    fn from(sink: SinkForm) -> Self {
        match sink {
            SinkForm::Sum => Self::Sum,
            SinkForm::Each => Self::Each,
            SinkForm::Last => Self::Last,
        }
    }
}

/// A program as it was read, nothing checked but its form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReadProgram<'a> {
    #[serde(borrow)]
    format: Option<Cow<'a, str>>,
    version: Option<u32>,
    inputs: usize,
    #[serde(default)]
    point: Vec<Number>,
    #[serde(default)]
    is_derivative: bool,
    #[serde(borrow)]
    nodes: Vec<ReadNode<'a>>,
    #[serde(borrow, default)]
    regions: Vec<ReadRegion<'a>>,
    #[serde(borrow, default)]
    guards: Vec<ReadGuard<'a>>,
    outputs: Vec<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReadNode<'a> {
    #[serde(borrow)]
    op: Cow<'a, str>,
    parameter: Option<Number>,
    #[serde(default)]
    args: Vec<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReadRegion<'a> {
    iterations: usize,
    reversed: bool,
    sources: Vec<SourceForm>,
    sinks: Vec<SinkForm>,
    #[serde(borrow)]
    body: ReadProgram<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReadGuard<'a> {
    #[serde(borrow)]
    question: Cow<'a, str>,
    nodes: Vec<u32>,
    recorded: serde_json::Value,
}

/// The number of the node, region, guard or output where something is wrong, and what.
type Damage = (usize, &'static str);

impl ReadProgram<'_> {
    /// The program, if it says that it is one.
    fn document(self) -> Result<Program, Error> {
        let damage = |(index, what)| Error::InvalidProgram { index, what };
        if self.format.as_deref() != Some(FORMAT) {
            return Err(damage((0, "expected \"format\": \"wengert-program\"")));
        }
        if self.version != Some(VERSION) {
            return Err(damage((0, "expected \"version\": 1")));
        }
        let program = self.program(0).map_err(damage)?;
        program.validate()?;
        Ok(program)
    }

    fn program(self, depth: usize) -> Result<Program, Damage> {
        if depth > MOST_NESTED {
            return Err((0, "expected regions at most 32 deep"));
        }
        let mut builder = Builder::default();
        for (index, region) in self.regions.into_iter().enumerate() {
            let number = u32::try_from(index).map_err(|_| (index, "expected fewer regions"))?;
            let region = region.region(depth)?;
            builder
                .define(number, region)
                .map_err(|what| (index, what))?;
        }
        let mut args = Vec::new();
        for (index, node) in self.nodes.into_iter().enumerate() {
            let kind = parts::kind(&node.op, node.parameter.map(|x| x.0));
            args.clear();
            args.extend(node.args.into_iter().map(NodeId::from_raw));
            kind.and_then(|kind| builder.push(kind, &args))
                .map_err(|what| (index, what))?;
        }
        for (index, guard) in self.guards.into_iter().enumerate() {
            let guard = guard.guard(&builder).map_err(|what| (index, what))?;
            builder.guard(guard);
        }
        for (index, output) in self.outputs.into_iter().enumerate() {
            let output = builder.node(output).map_err(|what| (index, what))?;
            builder.output(output);
        }
        builder.mark_derivative(self.is_derivative);
        let mut program = builder.finish().map_err(|what| (0, what))?;
        if program.inputs != self.inputs {
            return Err((program.inputs, "expected as many input nodes as inputs"));
        }
        if ![0, self.inputs].contains(&self.point.len()) {
            return Err((
                self.point.len(),
                "expected a point with one number per input",
            ));
        }
        program.point = self.point.into_iter().map(|x| x.0).collect();
        Ok(program)
    }
}

impl ReadRegion<'_> {
    fn region(self, depth: usize) -> Result<Region, Damage> {
        parts::region(
            self.iterations,
            self.reversed,
            self.body.program(depth + 1)?,
            self.sources.into_iter().map(Source::from).collect(),
            self.sinks.into_iter().map(Sink::from).collect(),
        )
        .map_err(|what| (0, what))
    }
}

impl ReadGuard<'_> {
    fn guard(self, builder: &Builder) -> Result<Guard, &'static str> {
        let nodes: Result<Vec<NodeId>, _> = self.nodes.iter().map(|n| builder.node(*n)).collect();
        let question = question(&self.question, &nodes?)?;
        let recorded = self.recorded;
        let recorded = match question {
            super::Question::Value { .. } => Number::deserialize(recorded)
                .ok()
                .map(|x| Decision::Value(x.0)),
            _ => match recorded {
                serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {
                    decision(question, &recorded.to_string())
                }
                serde_json::Value::String(text) if text != "none" => decision(question, &text),
                serde_json::Value::Null => decision(question, "none"),
                _ => None,
            },
        };
        Ok(Guard {
            question,
            recorded: recorded.ok_or("expected what the guard decided")?,
            location: None,
        })
    }
}

impl<'de> Deserialize<'de> for Program {
    /// As [`from_json`](Self::from_json), from any format that serde reads.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = ReadProgram::deserialize(deserializer)?;
        read.document().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
