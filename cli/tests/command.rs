//! The built command, run as a user runs it: output, JSON, exit codes, wrong use.
//!
//! Invariant: exit code 0 only on success; an error is one line on stderr. Oracles: closed forms and the derivatives of the
//! ADBench suite's hand-written code, where its folder is present.

mod common;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::{Folder, failure, json, success, wengert};
use serde_json::Value;

/// A number as the command writes it.
fn number(value: &Value) -> f64 {
    value
        .as_f64()
        .unwrap_or_else(|| value.as_str().unwrap().parse().unwrap())
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(number).collect()
}

fn keys(value: &Value) -> Vec<String> {
    value.as_object().unwrap().keys().cloned().collect()
}

/// At (3, 2, 1): sin 2, 3 cos 2 and 3 sin 2, as on the slides; `b > c` is asked as `c < b`.
#[test]
fn trace_prints_the_table_of_the_slides() {
    let expected = "\
node  operation               value                d/da              adjoint
a     input                       3                   1   0.9092974268256817
b     input                       2                   0  -1.2484405096414273
c     input                       1                   0                    0
v3    sin b      0.9092974268256817                   0                    3
v4    mul a v3    2.727892280477045  0.9092974268256817                    1
output v4 = 2.727892280477045
guard c < b
";
    assert_eq!(
        success(&["trace", "slide", "--at", "a=3,b=2,c=1"]),
        expected
    );
    // The start point of the problem is that of the slides.
    assert_eq!(success(&["trace", "slide"]), expected);
}

#[test]
fn trace_follows_the_other_branch_and_another_input() {
    let trace = json(&["trace", "slide", "--at", "b=1,c=2", "--wrt", "c", "--json"]);
    let nodes = trace["nodes"].as_array().unwrap();
    let last = nodes.last().unwrap();
    // a + b c at (3, 1, 2): 5, and b by c.
    assert_eq!(
        (number(&trace["value"]), number(&last["tangent"])),
        (5.0, 1.0)
    );
    assert_eq!(trace["guards"][0]["outcome"], "not <");
    assert_eq!(trace["wrt"], "c");
    let adjoints: Vec<f64> = nodes[..3]
        .iter()
        .map(|node| number(&node["adjoint"]))
        .collect();
    assert_eq!(adjoints, [1.0, 2.0, 1.0]);
    let unnamed = json(&["trace", "rosenbrock", "--at", "x0=1,x1=1", "--json"]);
    assert_eq!(number(&unnamed["value"]), 0.0);
}

/// The list of the slides' branch at their point: v4 = a sin b, decided by b > c.
const SLIDE: &str = "\
v0 = input 0
v1 = input 1
v2 = input 2
v3 = sin v1
v4 = mul v0 v3
guard lt v2 v1 = true
output v4
";

#[test]
fn programs_print_the_list_of_the_slides() {
    assert_eq!(success(&["program", "slide"]), SLIDE);
    assert_eq!(success(&["program", "slide", "--show", "text"]), SLIDE);
    let other = success(&["program", "slide", "--at", "b=0.5"]);
    assert!(
        other.contains("v3 = mul v1 v2\nv4 = add v0 v3\n") && other.contains("= false"),
        "{other}"
    );
    let located = success(&["program", "slide", "--raw", "--locations"]);
    assert!(located.contains("slides.rs:"), "{located}");
    let bare: String = located
        .lines()
        .map(|line| format!("{}\n", line.split('#').next().unwrap().trim_end()))
        .collect();
    assert_eq!(bare, SLIDE);
}

#[test]
fn programs_read_back_from_text_and_json() {
    use wengert::program::Program;
    for problem in [
        &["slide"][..],
        &["gmm", "--size", "2", "2", "3"],
        &["hand", "--size", "1"],
    ] {
        let run = |show| success(&[&["program"], problem, &["--show", show]].concat());
        let text: Program = run("text").parse().unwrap();
        let json = Program::from_json(&run("json")).unwrap();
        assert!(text.is_same(&json), "{problem:?}");
        let values = text.values(json.point()).unwrap();
        let is_finite = text.outputs().iter().all(|y| values[y.index()].is_finite());
        assert!(is_finite, "{problem:?}");
    }
}

/// a sin b at (3, 2): its gradient is (sin b, a cos b, 0), its Hessian has cos b and -a sin b.
#[test]
fn programs_are_differentiated() {
    use wengert::program::Program;
    let (sin, cos) = 2.0_f64.sin_cos();
    let cases: [(&str, &[f64], &[f64]); 6] = [
        ("none", &[], &[3.0 * sin]),
        ("jvp", &[1.0, 10.0, 5.0], &[3.0 * sin, sin + 30.0 * cos]),
        ("vjp", &[10.0], &[3.0 * sin, 10.0 * sin, 30.0 * cos, 0.0]),
        ("gradient", &[], &[sin, 3.0 * cos, 0.0]),
        ("jacobian", &[], &[sin, 3.0 * cos, 0.0]),
        (
            "hessian",
            &[],
            &[0.0, cos, 0.0, cos, -3.0 * sin, 0.0, 0.0, 0.0, 0.0],
        ),
    ];
    for (derivative, direction, expected) in cases {
        let x = [&[3.0, 2.0, 1.0], direction].concat();
        for raw in [&[][..], &["--raw"]] {
            let arguments = [&["program", "slide", "--derivative", derivative][..], raw].concat();
            let program: Program = success(&arguments).parse().unwrap();
            let values = program.values(&x).unwrap();
            let found: Vec<f64> = program
                .outputs()
                .iter()
                .map(|y| values[y.index()])
                .collect();
            assert_close(&found, expected, derivative);
        }
        success(&[
            "program",
            "slide",
            "--derivative",
            derivative,
            "--show",
            "dot",
        ]);
        success(&[
            "program",
            "slide",
            "--derivative",
            derivative,
            "--show",
            "cost",
        ]);
    }
}

#[test]
fn programs_are_drawn_and_counted() {
    let dot = success(&["program", "slide", "--show", "dot"]);
    assert!(
        dot.starts_with("digraph program {") && dot.contains("v0 -> v4 [label=\"0\"];"),
        "{dot}"
    );
    assert!(
        dot.contains("v4 = mul\\nvalue 2.727892280477045\\nadjoint 1\\nflops 1"),
        "{dot}"
    );
    let cost = success(&["program", "slide", "--show", "cost"]);
    let count = |name: &str| {
        let row = cost.lines().find(|line| line.starts_with(name)).unwrap();
        row[name.len()..]
            .split_whitespace()
            .next()
            .unwrap()
            .parse::<usize>()
            .unwrap()
    };
    // By hand: sin and mul; three inputs and one decision.
    let counts = ["sin", "mul", "flops", "critical path", "nodes", "guards"].map(count);
    assert_eq!(counts, [1, 1, 2, 2, 5, 1]);
}

#[test]
fn gradients_have_the_documented_keys() {
    for mode in ["forward", "reverse", "program"] {
        let scalar = json(&["gradient", "slide", "--mode", mode, "--json"]);
        let shared = ["problem", "mode", "inputs", "outputs", "value"];
        let costs = ["seconds", "primal_seconds", "tape_bytes", "adjoint_bytes"];
        let mut expected: Vec<&str> = [&shared[..], &["gradient"], &costs[..]].concat();
        expected.sort_unstable();
        assert_eq!(keys(&scalar), expected);
        assert_eq!(number(&scalar["value"]), 2.727_892_280_477_045);
        let (sin, cos) = 2.0_f64.sin_cos();
        assert_eq!(numbers(&scalar["gradient"]), [sin, 3.0 * cos, 0.0]);
        assert_eq!(scalar["mode"], mode);
        assert_eq!(number(&scalar["tape_bytes"]) > 0.0, mode != "forward");

        let many = json(&["gradient", "table", "--mode", mode, "--json"]);
        let mut expected: Vec<&str> = [&shared[..], &["jacobian"], &costs[..]].concat();
        expected.sort_unstable();
        assert_eq!(keys(&many), expected);
        assert_eq!(keys(&many["jacobian"]), ["cols", "entries", "rows"]);
        let rows = many["jacobian"]["rows"].as_u64().unwrap();
        assert_eq!(Some(rows), many["outputs"].as_u64());
        let entries = many["jacobian"]["entries"].as_array().unwrap();
        assert_eq!(entries.len(), usize::try_from(rows).unwrap());
        for (row, entry) in entries.iter().enumerate() {
            assert_eq!(
                (entry[0].as_u64(), entry[1].as_u64()),
                (u64::try_from(row).ok(), Some(0))
            );
        }
    }
}

#[test]
fn long_gradients_are_shortened_for_people() {
    let text = success(&["gradient", "rosenbrock", "--size", "1000"]);
    assert!(
        text.contains("norm") && text.contains("  ...\n") && text.lines().count() < 25,
        "{text}"
    );
    let short = success(&["gradient", "slide"]);
    assert!(
        short.contains("x2      0\n") && !short.contains("..."),
        "{short}"
    );
}

/// The ADBench folder beside the project, or `None` with a word on stderr.
fn adbench() -> Option<PathBuf> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    // A linked worktree may stand one folder deeper than the checkout.
    let places =
        ["../../shared/adbench", "../../../shared/adbench"].map(|place| manifest.join(place));
    let found = places
        .into_iter()
        .find(|place| place.join("expected").is_dir());
    if found.is_none() {
        // Not by `eprintln!`, which the test harness hides when the test passes.
        let text = "shared/adbench is absent: derivatives are not compared with it";
        let _ = writeln!(std::io::stderr(), "{text}");
    }
    found
}

/// Within 1e-12 of the largest entry, and within 1e-9 relative above 1e-8 of it.
fn assert_close(found: &[f64], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(0.0, |m: f64, e| m.max(e.abs()));
    for (i, (f, e)) in found.iter().zip(expected).enumerate() {
        let error = (f - e).abs();
        assert!(error <= 1e-12 * largest, "{what}[{i}]: {f} {e}");
        assert!(
            e.abs() <= 1e-8 * largest || error <= 1e-9 * e.abs(),
            "{what}[{i}]: {f} {e}"
        );
    }
}

#[test]
fn gradients_agree_with_hand_written_ones() {
    let Some(folder) = adbench() else { return };
    let cases = [
        ("gmm", "gmm/gmm_d2_K5.txt", "gmm_1k_d2_K5.json", "forward"),
        (
            "gmm",
            "gmm/gmm_d10_K25.txt",
            "gmm_1k_d10_K25.json",
            "reverse",
        ),
        (
            "lstm",
            "lstm/lstm_l2_c1024.txt",
            "lstm_l2_c1024.json",
            "reverse",
        ),
        (
            "gmm",
            "gmm/gmm_d10_K25.txt",
            "gmm_1k_d10_K25.json",
            "program",
        ),
        (
            "lstm",
            "lstm/lstm_l2_c1024.txt",
            "lstm_l2_c1024.json",
            "program",
        ),
    ];
    for (problem, file, expected, mode) in cases {
        let file = folder.join(file).display().to_string();
        let found = json(&[
            "gradient", problem, "--data", &file, "--mode", mode, "--json",
        ]);
        let expected = std::fs::read_to_string(folder.join("expected").join(expected)).unwrap();
        let expected: Value = serde_json::from_str(&expected).unwrap();
        let value = number(&expected["objective"]);
        assert!(
            (number(&found["value"]) - value).abs() <= 1e-12 * value.abs(),
            "{problem}"
        );
        assert_close(
            &numbers(&found["gradient"]),
            &numbers(&expected["gradient"]),
            problem,
        );
    }
}

#[test]
fn sparse_jacobians_agree_with_hand_written_ones() {
    let Some(folder) = adbench() else { return };
    let file = folder.join("ba/test.txt").display().to_string();
    let expected = std::fs::read_to_string(folder.join("expected/ba_test.json")).unwrap();
    let expected: Value = serde_json::from_str(&expected).unwrap();
    for mode in ["forward", "reverse"] {
        let found = json(&["gradient", "ba", "--data", &file, "--mode", mode, "--json"]);
        let entries = found["jacobian"]["entries"].as_array().unwrap();
        let values: Vec<f64> = entries.iter().map(|entry| number(&entry[2])).collect();
        assert_close(&values, &numbers(&expected["J_vals"]), mode);
        assert_eq!(found["jacobian"]["rows"], expected["nrows"]);
        assert_eq!(found["jacobian"]["cols"], expected["ncols"]);
    }
}

#[test]
fn checks_pass_and_a_kink_is_not_certified() {
    let report = json(&["check", "rosenbrock", "--json"]);
    assert_eq!(
        (&report["passed"], &report["verdict"]),
        (&true.into(), &"passed".into())
    );
    assert!(!report["checks"].as_array().unwrap().is_empty());
    assert!(success(&["check", "slide", "--order", "2"]).ends_with("passed\n"));
    // floor(a^3) jumps at the identity's entries.
    let output = wengert(&["check", "floor", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["passed"], false);
    assert_eq!(String::from_utf8(output.stderr).unwrap().lines().count(), 1);
}

#[test]
fn wrong_use_is_one_line_and_exit_code_2() {
    let cases: [(&[&str], &str); 23] = [
        (&[], "a command is missing"),
        (&["frobnicate"], "frobnicate"),
        (&["gradient"], "PROBLEM"),
        (&["gradient", "nothing"], "no problem is named `nothing`"),
        (&["gradient", "slide", "--frob"], "--frob"),
        (
            &["gradient", "slide", "--mode", "sideways"],
            "forward, reverse or program",
        ),
        (&["gradient", "gmm", "--size", "0", "5", "10"], "gmm needs"),
        (&["gradient", "gmm", "--size", "2"], "three sizes"),
        (&["gradient", "gmm", "--size", "two"], "two"),
        (&["gradient", "ba", "--size", "0", "0", "0"], "ba needs"),
        (
            &["gradient", "rosen", "--size", "99999999999999999"],
            "rosen needs",
        ),
        (
            &["gradient", "gmm", "--size", "2", "--data", "x"],
            "cannot be used with",
        ),
        (
            &["gradient", "slide", "--data", "x"],
            "not read from a file",
        ),
        (&["trace", "slide", "--at", "q=1"], "the inputs are a, b, c"),
        (&["trace", "slide", "--at", "a=1,a=2"], "twice"),
        (&["trace", "table"], "one output"),
        (&["program", "nothing"], "no problem is named `nothing`"),
        (&["program", "slide", "--show", "picture"], "picture"),
        (&["program", "slide", "--derivative", "third"], "third"),
        (
            &["program", "hand", "--derivative", "gradient"],
            "hand has 300",
        ),
        (
            &[
                "program",
                "rosen",
                "--size",
                "4000",
                "--derivative",
                "hessian",
            ],
            "4000 x 4000",
        ),
        (
            &["program", "slide", "--at", "q=1"],
            "the inputs are a, b, c",
        ),
        (
            &["program", "rosen", "--size", "3000", "--show", "dot"],
            "at most 2000 nodes",
        ),
    ];
    for (arguments, part) in cases {
        let error = failure(arguments, 2);
        assert!(error.contains(part), "{arguments:?}: {error}");
    }
}

#[test]
fn wrong_files_are_one_line_and_exit_code_1() {
    let folder = Folder::new("wrong_files");
    assert!(failure(&["gradient", "gmm", "--data", "/no/such/file"], 1).contains("cannot read"));
    for (text, part) in [
        ("", "the end of the file"),
        ("2 5\nmany", ":2: expected"),
        ("99999999999 99999999999 9999999999", ":1: expected"),
        ("1 1 1\nNaN", "expected"),
    ] {
        let file = folder.file("wrong.txt", text);
        for problem in ["gmm", "ba", "lstm", "hand"] {
            let error = failure(&["gradient", problem, "--data", &file], 1);
            assert!(problem != "gmm" || error.contains(part), "{text}: {error}");
        }
    }
    let file = folder.file("no_folder", "");
    assert!(failure(&["report", "slide", "--out", &file], 1).contains("cannot write"));
}

#[test]
fn what_does_not_fit_in_memory_is_refused() {
    let error = failure(&["gradient", "hand-complicated", "--size", "100000"], 1);
    assert!(
        error.contains("does not fit") && error.contains("smaller"),
        "{error}"
    );
}

#[test]
fn help_has_examples_and_succeeds() {
    assert!(success(&["--help"]).contains("wengert trace slide --at a=3,b=2,c=1"));
    let commands = [
        "trace",
        "program",
        "gradient",
        "check",
        "report",
        "chain",
        "plan",
        "problems",
        "completions",
    ];
    for command in commands {
        assert!(
            success(&[command, "--help"]).contains("Examples:"),
            "{command}"
        );
    }
    assert!(success(&["--version"]).starts_with("wengert "));
}

#[test]
fn completions_know_every_command() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = success(&["completions", shell]);
        for word in ["gradient", "chain", "report", "peers", "derivative"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    assert!(failure(&["completions", "cmd"], 2).contains("bash"));
}

/// Nothing that is written to a pipe or a file is coloured, even if somebody insists.
#[test]
fn pipes_get_no_colours_and_no_bars() {
    let commands: [(&[&str], i32); 6] = [
        (&["--help"], 0),
        (&["plan", "--help"], 0),
        (&["plan", "slide"], 0),
        (&["check", "rosenbrock"], 0),
        (&["gradient", "nothing"], 2),
        (&["gradient", "--frob"], 2),
    ];
    for (arguments, code) in commands {
        for (name, value) in [("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")] {
            let mut command = Command::new(env!("CARGO_BIN_EXE_wengert"));
            let output = command.args(arguments).env(name, value).output().unwrap();
            assert_eq!(output.status.code(), Some(code), "{arguments:?}");
            let escape = |bytes: &[u8]| bytes.contains(&0x1b) || bytes.contains(&b'\r');
            assert!(
                !escape(&output.stdout) && !escape(&output.stderr),
                "{arguments:?} {name}"
            );
        }
    }
}

#[test]
fn the_list_names_every_problem() {
    let list = json(&["problems", "--json"]);
    let list = list.as_array().unwrap();
    let text = success(&["problems"]);
    assert_eq!(text.lines().count(), list.len() + 1);
    for problem in list {
        assert!(
            text.contains(problem["description"].as_str().unwrap()),
            "{problem}"
        );
    }
    assert!(
        list.iter()
            .any(|problem| problem["name"] == "gmm" && problem["reads_data"] == true)
    );
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    for arguments in [
        &["gradient", "rosen", "--size", "100000", "--json"][..],
        &["program", "rosen", "--size", "10000", "--show", "json"],
        &["program", "rosen", "--size", "10000"],
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wengert"));
        let mut child = command
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
        assert!(output.status.success());
    }
}

/// Counts by hand: at the slides' point the value is one sine and one product.
#[test]
fn reports_are_written_and_count_exactly() {
    let folder = Folder::new("report");
    let out = folder.0.join("deep/er").display().to_string();
    let report = json(&["report", "slide", "rosenbrock", "--out", &out, "--json"]);
    let path = Path::new(&out).join("report.json");
    let written: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(report, written);
    let markdown = std::fs::read_to_string(Path::new(&out).join("report.md")).unwrap();
    assert!(markdown.contains("## Hessians") && markdown.contains("reverse-over-reverse"));
    let entries = report["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 2);
    let rows = entries[0]["rows"].as_array().unwrap();
    let modes: Vec<&str> = rows
        .iter()
        .map(|row| row["mode"].as_str().unwrap())
        .collect();
    let expected = [
        "value",
        "one tangent",
        "forward",
        "reverse",
        "program",
        "forward-over-reverse",
        "reverse-over-reverse",
        "reverse-over-forward",
        "forward-over-forward",
        "Hessian times v",
        "program",
    ];
    assert_eq!(modes, expected);
    let operations = |row: usize, kind: &str| rows[row]["operations"]["kinds"][kind].as_u64();
    assert_eq!(
        (operations(0, "sin"), operations(0, "mul")),
        (Some(1), Some(1))
    );
    // The gradient by hand: sin b is one partial, a cos b takes a cosine and a product.
    assert_eq!(
        (operations(3, "sin"), operations(3, "cos")),
        (Some(1), Some(1))
    );
    for entry in entries {
        for row in entry["rows"].as_array().unwrap() {
            assert!(row["operations"]["flops"].as_u64().unwrap() > 0, "{row}");
            let difference = &row["difference"];
            assert!(difference.is_null() || number(difference) <= 1e-12, "{row}");
        }
    }
    // A second run counts the same.
    let again = json(&["report", "slide", "rosenbrock", "--out", &out, "--json"]);
    for (first, again) in rows
        .iter()
        .zip(again["entries"][0]["rows"].as_array().unwrap())
    {
        assert_eq!(first["operations"], again["operations"]);
    }
}

#[test]
fn the_summary_of_a_report_says_where_it_was_written() {
    let folder = Folder::new("summary");
    let out = folder.0.display().to_string();
    let text = success(&["report", "slide", "--out", &out]);
    assert!(
        text.starts_with("problem") && text.contains("report.md"),
        "{text}"
    );
}
