//! The JSON of every command, whole: what it says of small problems stays as it is, or the change is seen in review.
//!
//! Times are masked, and numbers are rounded to ten digits, since the last ones are those of the system's sine. A change that is
//! wanted: `WENGERT_BLESS=1 cargo test -p wengert-cli --test snapshots`, then read the difference.
//!
//! Invariant: every command with JSON stands in [`CASES`]; the test of the help compares with the list of commands.

mod common;

use std::path::{Path, PathBuf};

use common::{Folder, file, json, success};
use serde_json::Value;

/// The name of the file, and the arguments.
const CASES: [(&str, &[&str]); 13] = [
    ("problems", &["problems", "--json"]),
    ("trace", &["trace", "slide", "--json"]),
    (
        "trace-other-branch",
        &["trace", "slide", "--at", "b=1,c=2", "--wrt", "c", "--json"],
    ),
    ("gradient", &["gradient", "slide", "--json"]),
    (
        "gradient-forward",
        &["gradient", "rosenbrock", "--mode", "forward", "--json"],
    ),
    (
        "jacobian",
        &["gradient", "robot-arm", "--mode", "reverse", "--json"],
    ),
    (
        "jacobian-program",
        &["gradient", "heart-dipole", "--mode", "program", "--json"],
    ),
    ("check", &["check", "rosenbrock", "--order", "2", "--json"]),
    ("program", &["program", "slide", "--show", "json"]),
    ("chain", &["chain", "1000x100x50x10x1", "--json"]),
    (
        "chain-workers",
        &[
            "chain",
            "{\"name\": \"three\", \"chain\": [[117,45,39041],[45,29,85994],[29,213,33574]]}",
            "--workers",
            "2",
            "--json",
        ],
    ),
    ("plan", &["plan", "simple-network", "--json"]),
    (
        "report",
        &["report", "slide", "arithmetic", "--json", "--out"],
    ),
];

/// Numbers that differ from run to run, or with the sizes of types and registers.
const VOLATILE: [&str; 8] = [
    "seconds",
    "primal_seconds",
    "seconds_ratio",
    "tape_bytes",
    "adjoint_bytes",
    "bytes",
    // The planner stops by its own clock where it proves nothing.
    "evaluations",
    // Rounding errors of derivatives that are alike.
    "error",
];

/// The value with times masked and numbers rounded.
fn masked(value: Value) -> Value {
    match value {
        Value::Object(entries) => {
            let mask = |(key, value): (String, Value)| {
                let is_time = VOLATILE.contains(&key.as_str()) && value.is_number();
                let value = if is_time {
                    "a number".into()
                } else {
                    masked(value)
                };
                (key, value)
            };
            entries.into_iter().map(mask).collect()
        }
        Value::Array(entries) => entries.into_iter().map(masked).collect(),
        Value::Number(number) if number.is_f64() => {
            let x = number.as_f64().unwrap();
            // What is zero but for rounding has no digits that count.
            let x = if x.abs() < 1e-12 { 0.0 } else { x };
            let rounded: f64 = format!("{x:.9e}").parse().unwrap();
            rounded.into()
        }
        value => value,
    }
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/snapshots")
        .join(format!("{name}.json"))
}

/// Compares with the file, or writes it.
fn assert_snapshot(name: &str, found: Value) {
    let found = serde_json::to_string_pretty(&masked(found)).unwrap() + "\n";
    let path = path(name);
    if std::env::var_os("WENGERT_BLESS").is_some() {
        std::fs::write(path, found).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = expected
        .lines()
        .zip(found.lines())
        .position(|(expected, found)| expected != found);
    assert!(
        expected == found,
        "{} differs from line {} on; found\n{found}",
        path.display(),
        differs.map_or(0, |line| line + 1)
    );
}

#[test]
fn every_command_says_what_it_said() {
    let folder = Folder::new("snapshots");
    let out = folder.0.display().to_string();
    for (name, arguments) in CASES {
        let mut arguments = arguments.to_vec();
        if name == "report" {
            arguments.push(&out);
        }
        assert_snapshot(name, json(&arguments));
    }
}

#[test]
fn reports_on_programs_and_with_other_tools_say_what_they_said() {
    let folder = Folder::new("snapshots_more");
    let out = folder.0.display().to_string();
    let program = folder.file("f.txt", &success(&["program", "slide"]));
    let report = json(&["report", "--program", &program, "--out", &out, "--json"]);
    assert_snapshot("report-program", report);
    let peers = file(
        "peers.json",
        r#"{"name": "all", "cases": [{"name": "gmm", "plain_seconds": 0.5, "ours_seconds": 2.0, "peers": {"other": 4.0},
            "deviations": {"wengert": 0.0, "other": 1e-7}}],
            "points": [{"tool": "other", "problem": "rosen", "inputs": 4, "seconds": 1.0, "ratio": 2.0, "deviation": 0.0}],
            "failed": {"third": "it is not installed"}}"#,
    );
    let report = json(&[
        "report",
        "arithmetic",
        "--peers",
        &peers,
        "--out",
        &out,
        "--json",
    ]);
    assert_snapshot("report-peers", report["peers"].clone());
}

/// A new command with JSON must come here.
#[test]
fn every_command_with_json_has_a_snapshot() {
    let help = success(&["--help"]);
    let commands = help.split("Commands:").nth(1).unwrap();
    let commands = commands
        .lines()
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .filter(|command| *command != "help");
    let mut with_json = 0;
    for command in commands {
        let help = success(&[command, "--help"]);
        if help.contains("--json") || help.contains("json:") {
            with_json += 1;
            assert!(
                CASES.iter().any(|(_, arguments)| arguments[0] == command),
                "{command} has no snapshot"
            );
        }
    }
    assert_eq!(with_json, 8);
}
