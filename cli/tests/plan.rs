//! `wengert plan`, run as a user runs it: files, problems, methods, limits, wrong use.
//!
//! Invariant: exit code 0 only on success; an error is one line on stderr. Oracles: costs by hand, and the published optimum
//! of the robot arm where the folder of graphs is present.

mod common;

use std::path::{Path, PathBuf};

use common::file;
use serde_json::Value;

fn success(arguments: &[&str]) -> String {
    common::success(&[&["plan"], arguments].concat())
}

fn json(arguments: &[&str]) -> Value {
    common::json(&[&["plan"], arguments, &["--json"]].concat())
}

fn failure(arguments: &[&str], code: i32) -> String {
    common::failure(&[&["plan"], arguments].concat(), code)
}

/// Two inputs meet in a chain of two vertices, on which two outputs depend.
const HOURGLASS: &str = r#"{"name": "hour-glass", "inputs": 2, "vertices": 6, "outputs": [4, 5],
    "edges": [[0, 2, "var"], [1, 2, "var"], [2, 3, "var"], [3, 4, "var"], [3, 5, "var"]]}"#;

/// Either end first: 2 x 1 and 2 x 2 multiplications.
#[test]
fn a_graph_file_is_planned_and_explained() {
    let path = file("hourglass.json", HOURGLASS);
    let plan = json(&[&path]);
    assert_eq!(
        (&plan["name"], &plan["best"]),
        (&"hour-glass".into(), &6.into())
    );
    assert_eq!(plan["proven_optimal"], true);
    let text = success(&[&path]);
    assert!(
        text.starts_with("hour-glass: 2 inputs, 2 intermediates, 2 outputs, 5 edges\n"),
        "{text}"
    );
    assert!(text.contains("optimal: proven by"), "{text}");
}

#[test]
fn the_plan_is_written_as_it_is_printed() {
    let (path, out) = (file("written.json", HOURGLASS), file("out.json", ""));
    let mut printed = json(&[&path, "--out", &out]);
    let mut written: Value = serde_json::from_str(&std::fs::read_to_string(&out).unwrap()).unwrap();
    assert_eq!(printed, written);
    // The time differs from run to run, the plan does not.
    let mut again = json(&[&path, "--seed", "1"]);
    for plan in [&mut printed, &mut written, &mut again] {
        plan["seconds"] = Value::Null;
    }
    assert_eq!(again, written);
}

#[test]
fn problems_are_planned_and_modes_are_orders() {
    let plan = json(&["slide", "--evaluations", "1000"]);
    assert_eq!(
        (&plan["name"], &plan["inputs"]),
        (&"slide".into(), &3.into())
    );
    let of = |method: &str| {
        let plan = json(&[
            "simple-network",
            "--method",
            method,
            "--evaluations",
            "1000",
        ]);
        (plan["best"].as_u64().unwrap(), plan)
    };
    let (forward, plan) = of("forward");
    assert_eq!(plan["forward"], forward);
    let (reverse, plan) = of("reverse");
    assert_eq!(plan["reverse"], reverse);
    assert!(of("auto").0 <= forward.min(reverse));
    assert!(of("exact").0 <= forward.min(reverse));
}

#[test]
fn no_time_still_gives_a_plan() {
    let plan = json(&["roe-flux", "--seconds", "0"]);
    let cost = |key: &str| plan[key].as_u64().unwrap();
    assert!(cost("best") <= cost("forward").min(cost("reverse")).min(cost("markowitz")));
    let order = plan["order"].as_array().unwrap();
    assert_eq!(
        Some(order.len()),
        plan["intermediates"]
            .as_u64()
            .and_then(|l| l.try_into().ok())
    );
}

#[test]
fn wrong_use_is_one_line_and_exit_code_2() {
    let cases: [(&[&str], &str); 6] = [
        (&[], "PROBLEM"),
        (&["nothing"], "no problem is named `nothing`"),
        (&["slide", "--moves", "corner"], "vertex, edge or face"),
        (&["slide", "--cost", "money"], "multiplications"),
        (&["slide", "--method", "magic"], "auto, forward"),
        (&["slide", "--seconds", "NaN"], "no time"),
    ];
    for (arguments, part) in cases {
        let error = failure(arguments, 2);
        assert!(error.contains(part), "{arguments:?}: {error}");
    }
}

#[test]
fn wrong_files_are_one_line_and_exit_code_1() {
    assert!(failure(&["/no/such/graph.json"], 1).contains("cannot read /no/such/graph.json"));
    let cases = [
        ("empty", ""),
        ("words", "no json at all"),
        ("list", "[1, 2]"),
        ("keys", r#"{"name": "x"}"#),
        (
            "cyclic",
            r#"{"name": "x", "inputs": 1, "vertices": 4, "outputs": [3], "edges": [[0, 1], [1, 2], [2, 1], [2, 3]]}"#,
        ),
        (
            "outside",
            r#"{"name": "x", "inputs": 1, "vertices": 2, "outputs": [1], "edges": [[0, 7]]}"#,
        ),
        (
            "class",
            r#"{"name": "x", "inputs": 1, "vertices": 2, "outputs": [1], "edges": [[0, 1, "heavy"]]}"#,
        ),
    ];
    for (name, text) in cases {
        let path = file(&format!("wrong_{name}.json"), text);
        let error = failure(&[&path], 1);
        assert!(error.contains(&path), "{name}: {error}");
        assert!(
            name != "cyclic" || error.contains("depends on itself"),
            "{error}"
        );
    }
    let path = file("fine.json", HOURGLASS);
    assert!(failure(&[&path, "--out", "/no/such/folder/plan.json"], 1).contains("cannot write"));
}

#[test]
fn the_integer_program_counts_multiplications_only() {
    let error = failure(&["slide", "--method", "ilp", "--cost", "memory"], 1);
    assert!(error.contains("integer program"), "{error}");
}

/// The published optimum of the robot arm, which the bound proves.
#[test]
fn the_robot_arm_is_proven() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    // A linked worktree may stand one folder deeper than the checkout.
    let places = ["../../shared", "../../../shared"];
    let places = places.map(|place| {
        manifest
            .join(place)
            .join("oracles/graphs/RobotArm_6DOF.json")
    });
    let Some(path) = places.iter().find(|path: &&PathBuf| path.is_file()) else {
        return;
    };
    let path = path.display().to_string();
    let plan = json(&[&path, "--seconds", "30"]);
    assert_eq!(
        (&plan["best"], &plan["lower_bound"]),
        (&221.into(), &221.into())
    );
    assert_eq!(
        (&plan["proven_optimal"], &plan["stopped_by"]),
        (&true.into(), &"proof".into())
    );
    assert_eq!(
        (&plan["forward"], &plan["reverse"]),
        (&397.into(), &301.into())
    );
}
