//! Programs in JSON: what is written reads back, what is damaged is refused.

use super::*;
use crate::program::text::EVERYTHING;
use serde_json::{Value, json};

fn everything() -> Program {
    EVERYTHING.parse().unwrap()
}

#[test]
fn everything_reads_back() {
    let program = everything();
    let back = Program::from_json(&program.to_json()).unwrap();
    assert!(back.is_same(&program));
    // Through a tree of values as well, which cannot lend its texts.
    let tree: Value = serde_json::to_value(&program).unwrap();
    assert!(
        serde_json::from_value::<Program>(tree)
            .unwrap()
            .is_same(&program)
    );
}

#[test]
fn edge_e75_numbers_read_back() {
    let json = everything().to_json();
    for text in [
        r#""parameter":"NaN""#,
        r#""parameter":-0.0"#,
        r#""parameter":"-inf""#,
        r#""NaN:fff8"#,
    ] {
        assert!(json.contains(text), "{text} {json}");
    }
}

#[test]
fn the_point_of_the_recording_is_kept() {
    let program = Program::record(|x| [x[0] * x[1]], &[3.0, -0.0]).unwrap();
    let back = Program::from_json(&program.to_json()).unwrap();
    assert_eq!(back.point()[1].to_bits(), (-0.0_f64).to_bits());
    assert_eq!(back.point()[0], 3.0);
}

/// The schema, by hand.
#[test]
fn the_form_is_as_described() {
    let text = "v0 = input 0\nv1 = region(0) 2 iterations\nv0 = uniform v0\nv1 = data 0.5 inf\nv2 = powi(-2) v1\n\
                v3 = mul v0 v2\nsum v3\nend\nv2 = result(0) v1\nguard ordering v0 v2 = less\noutput v2\n";
    let program: Program = text.parse().unwrap();
    let json: Value = serde_json::from_str(&program.to_json()).unwrap();
    let body = json!({"inputs": 2, "outputs": [3], "nodes": [
        {"op": "input", "parameter": 0.0}, {"op": "input", "parameter": 1.0},
        {"op": "powi", "parameter": -2.0, "args": [1]}, {"op": "mul", "args": [0, 2]}]});
    let expected = json!({
        "format": "wengert-program", "version": 1, "inputs": 1, "outputs": [2],
        "nodes": [{"op": "input", "parameter": 0.0}, {"op": "region", "parameter": 0.0, "args": [0]},
                  {"op": "result", "parameter": 0.0, "args": [1]}],
        "regions": [{"iterations": 2, "reversed": false, "sources": ["uniform", {"data": [0.5, "inf"]}],
                     "sinks": ["sum"], "body": body}],
        "guards": [{"question": "ordering", "nodes": [0, 2], "recorded": "less"}],
    });
    assert_eq!(json, expected);
}

/// Every single change below makes it another thing than a program.
#[test]
fn damaged_documents_are_refused() {
    let sound = serde_json::to_value(everything()).unwrap();
    let changes: [(&str, Value); 26] = [
        ("/format", json!("other")),
        ("/version", json!(2)),
        ("/version", json!("1")),
        ("/inputs", json!(3)),
        ("/inputs", json!(-1)),
        ("/outputs/0", json!(1000)),
        ("/outputs/0", json!(0.5)),
        ("/nodes/0", json!({"op": "constant", "parameter": 1})),
        ("/nodes/0/op", json!("inputs")),
        ("/nodes/0/parameter", json!(1)),
        ("/nodes/0/parameter", json!("0")),
        ("/nodes/8/args", json!([])),
        ("/nodes/8/args/0", json!(8)),
        (
            "/nodes/8",
            json!({"op": "custom", "parameter": 0, "args": [0]}),
        ),
        ("/nodes/10/args", json!([1])),
        ("/nodes/15/args/0", json!(15)),
        ("/nodes/15/parameter", json!(1)),
        ("/nodes/17/parameter", json!(6)),
        ("/nodes/17/args/0", json!(0)),
        ("/regions/0/iterations", json!(0)),
        ("/regions/0/iterations", json!(5)),
        ("/regions/0/sources/3", json!({"carried": 0})),
        ("/regions/0/sinks", json!(["sum"])),
        ("/regions/0/body/outputs/0", json!(99)),
        ("/guards/0/question", json!("index")),
        ("/guards/0/recorded", json!(null)),
    ];
    for (place, value) in changes {
        let mut document = sound.clone();
        *document.pointer_mut(place).unwrap() = value.clone();
        let outcome = Program::from_json(&document.to_string());
        assert!(outcome.is_err(), "{place} {value}");
    }
    for field in ["format", "version", "inputs", "nodes", "outputs", "regions"] {
        let mut document = sound.clone();
        document.as_object_mut().unwrap().remove(field);
        assert!(
            Program::from_json(&document.to_string()).is_err(),
            "{field}"
        );
    }
    let mut document = sound;
    document["surprise"] = json!(1);
    assert!(Program::from_json(&document.to_string()).is_err());
}

#[test]
fn texts_that_are_not_json_name_the_line() {
    let error = Program::from_json("{\n\"format\": oh}").unwrap_err();
    assert_eq!(error.to_string(), "line 2 of the program: expected JSON");
    let nested = "[".repeat(100_000);
    assert!(Program::from_json(&nested).is_err());
}

#[test]
fn regions_are_read_down_to_a_depth() {
    let nested = |levels| {
        let mut program = json!({"inputs": 0, "nodes": [], "outputs": []});
        for _ in 0..levels {
            program = json!({"inputs": 0, "outputs": [], "nodes": [{"op": "region", "parameter": 0}], "regions":
                [{"iterations": 1, "reversed": false, "sources": [], "sinks": [], "body": program}]});
        }
        program["format"] = json!(FORMAT);
        program["version"] = json!(VERSION);
        program
    };
    assert!(serde_json::from_value::<Program>(nested(32)).is_ok());
    assert!(serde_json::from_value::<Program>(nested(33)).is_err());
    assert!(Program::from_json(&nested(32).to_string()).is_ok());
    assert!(Program::from_json(&nested(60).to_string()).is_err());
}
