//! The JSON of every command: which keys, in which order, of which kind. Programs that read it must not be surprised.
//!
//! Invariant: a change here is a change of the interface and belongs into the change log.

mod common;

use std::fmt;
use std::path::Path;

use common::success;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The shape of a value: `{name:shape, ..}` of objects in the order of the text, `[shape]` of the first element of an array.
struct Shape(String);

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ShapeVisitor)
    }
}

struct ShapeVisitor;

impl<'de> Visitor<'de> for ShapeVisitor {
    type Value = Shape;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_unit<E>(self) -> Result<Shape, E> {
        Ok(Shape("null".into()))
    }
    fn visit_bool<E>(self, _: bool) -> Result<Shape, E> {
        Ok(Shape("bool".into()))
    }
    fn visit_u64<E>(self, _: u64) -> Result<Shape, E> {
        Ok(Shape("number".into()))
    }
    fn visit_i64<E>(self, _: i64) -> Result<Shape, E> {
        Ok(Shape("number".into()))
    }
    fn visit_f64<E>(self, _: f64) -> Result<Shape, E> {
        Ok(Shape("number".into()))
    }
    fn visit_str<E>(self, _: &str) -> Result<Shape, E> {
        Ok(Shape("string".into()))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Shape, A::Error> {
        let first: Option<Shape> = sequence.next_element()?;
        while sequence.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Shape(format!(
            "[{}]",
            first.map_or_else(String::new, |first| first.0)
        )))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Shape, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, Shape(shape))) = map.next_entry::<String, Shape>()? {
            // What is done how often depends on the problem.
            let shape = if key == "kinds" { "counts" } else { &shape };
            entries.push(format!("{key}:{shape}"));
        }
        Ok(Shape(format!("{{{}}}", entries.join(", "))))
    }
}

fn shape(text: &str) -> String {
    let Shape(shape) = serde_json::from_str(text).unwrap();
    shape
}

fn assert_shape(arguments: &[&str], expected: &str) {
    let found = shape(&success(arguments));
    // Expected shapes are written over several lines.
    let words: Vec<&str> = expected.split_whitespace().collect();
    assert_eq!(found, words.join(" "), "{arguments:?}");
}

#[test]
fn shapes_keep_the_order_of_the_text() {
    let text = r#"{"b": [1, 2], "a": {"c": null, "kinds": {"x": 1}}, "d": ["s"], "e": []}"#;
    let expected = "{b:[number], a:{c:null, kinds:counts}, d:[string], e:[]}";
    assert_eq!(shape(text), expected);
}

#[test]
fn trace() {
    assert_shape(
        &["trace", "slide", "--json"],
        "{problem:string, instance:string, inputs:[string], wrt:string,
          nodes:[{name:string, operation:string, arguments:[], value:number, tangent:number, adjoint:number}],
          output:string, value:number, guards:[{kind:string, lhs:string, outcome:string, rhs:string}]}",
    );
}

#[test]
fn gradient() {
    assert_shape(
        &["gradient", "slide", "--json"],
        "{problem:string, mode:string, inputs:number, outputs:number, value:number, gradient:[number],
          seconds:number, primal_seconds:number, tape_bytes:number, adjoint_bytes:number}",
    );
    assert_shape(
        &["gradient", "roe-flux", "--json"],
        "{problem:string, mode:string, inputs:number, outputs:number, value:[number],
          jacobian:{rows:number, cols:number, entries:[[number]]},
          seconds:number, primal_seconds:number, tape_bytes:number, adjoint_bytes:number}",
    );
}

#[test]
fn check() {
    assert_shape(
        &["check", "rosenbrock", "--json"],
        "{problem:string, instance:string, order:number, inputs:number, outputs:number, seed:number, passed:bool,
          verdict:string, checks:[{name:string, compared:number, projected:bool, verdict:string,
          worst:{row:number, column:number, expected:number, found:number, error:number, tolerance:number}}]}",
    );
}

#[test]
fn problems() {
    assert_shape(
        &["problems", "--json"],
        "[{name:string, description:string, sizes:[], default_sizes:[], reads_data:bool}]",
    );
}

#[test]
fn chain() {
    assert_shape(
        &["chain", "1000x100x50x10x1", "--json"],
        "{best:number, lower_bound:number, proven_optimal:bool, forward:number, reverse:number, bracketing:string,
          seconds:number, workers:number, memory:null, stopped_by:string, evaluations:number,
          tasks:[{kind:string, first:number, last:number, cost:number, operands:[]}],
          schedule:{workers:number, makespan:number,
          slots:[{task:number, worker:number, start:number, end:number}]}}",
    );
}

#[test]
fn plan() {
    let expected = "{name:string, inputs:number, outputs:number, intermediates:number, edges:number, moves:string,
         cost:string, forward:number, reverse:number, markowitz:number, best:number, lower_bound:number,
         bound_kind:string, proven_optimal:bool, method:string, stopped_by:string, seed:number, seconds:number,
         order:[number]}";
    assert_shape(&["plan", "simple-network", "--json"], expected);
    // Without a bound its place stays.
    let unbounded = [
        "plan",
        "simple-network",
        "--method",
        "forward",
        "--cost",
        "arithmetic",
        "--json",
    ];
    let found = shape(&success(&unbounded));
    assert!(
        found.contains("lower_bound:") && found.contains("bound_kind:"),
        "{found}"
    );
}

#[test]
fn report() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("json_report");
    let out = folder.display().to_string();
    let operations = "{nodes:number, flops:number, fused:number, kinds:counts}";
    let plan = |seconds: &str| {
        format!(
            "{{problem:string, inputs:number, outputs:number, intermediates:number, edges:number,
              orders:[{{name:string, multiplications:number, arithmetic:number, proven_optimal:bool,
              operations:number, seconds:{seconds}, difference:null}}], lower_bound:number, bound_kind:string,
              proven_optimal:bool, method:string, stopped_by:string, seed:number, seconds:{seconds}}}"
        )
    };
    let entries = format!(
        "[{{problem:string, instance:string, inputs:number, outputs:number, value_norm:number,
          rows:[{{mode:string, order:number, operations:{operations}, operations_ratio:number, seconds:number,
          seconds_ratio:number, tape_bytes:null, adjoint_bytes:null, bytes:null, difference:null, note:null}}]}}]"
    );
    assert_shape(
        &["report", "slide", "--out", &out, "--json"],
        &format!(
            "{{version:string, tolerance:number, entries:{entries}, sweeps:[], plans:[{}], chains:[],
              peers:{{cases:[], points:[], failed:[]}}}}",
            plan("number")
        ),
    );
    let program = folder.join("f.txt");
    std::fs::write(&program, success(&["program", "slide"])).unwrap();
    let program = program.display().to_string();
    assert_shape(
        &["report", "--program", &program, "--out", &out, "--json"],
        &format!(
            "{{version:string, program:string, cost:{{inputs:number, outputs:number, modes:[{{mode:string,
              operations:{{nodes:number, flops:number, fused:number, kinds:counts}}, ratio:number, bytes:number}}]}},
              plan:{}}}",
            plan("null")
        ),
    );
    std::fs::remove_dir_all(folder).unwrap();
}

/// The help of every command that has `--json` names the keys.
#[test]
fn the_help_names_the_keys() {
    let last_keys = [
        ("trace", "guards"),
        ("gradient", "adjoint_bytes"),
        ("check", "tolerance"),
        ("problems", "reads_data"),
        ("chain", "schedule"),
        ("plan", "order"),
        ("report", "failed"),
    ];
    for (command, key) in last_keys {
        let help = success(&[command, "--help"]);
        let json = help.split("JSON").last().unwrap();
        assert!(
            help.contains("\nJSON") && json.contains(key),
            "{command}: {help}"
        );
    }
}
