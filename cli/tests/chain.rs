//! `wengert chain`, run as a user runs it: tables, JSON, files, wrong use.
//!
//! Invariant: exit code 0 only on success; an error is one line on stderr. Oracles: the slides' chain costs and the published
//! optima of Maertens & Naumann, ACDA 2025.

mod common;

use common::file;
use serde_json::Value;

fn success(arguments: &[&str]) -> String {
    common::success(&[&["chain"], arguments].concat())
}

fn failure(arguments: &[&str], code: i32) -> String {
    common::failure(&[&["chain"], arguments].concat(), code)
}

/// The lines of JSON of a run that succeeds.
fn lines(arguments: &[&str]) -> Vec<Value> {
    let text = success(arguments);
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The output without its line of time.
fn timeless(text: &str) -> String {
    let kept = text.lines().filter(|line| !line.starts_with("time "));
    kept.map(|line| format!("{line}\n")).collect()
}

/// The slides' chain: reverse mode is best.
#[test]
fn a_dense_chain_is_explained() {
    let expected = "\
4 matrices, 1 worker
best          105500 (optimal)
lower bound   105500
forward       5510000 (52.2 x)
reverse       105500 (1.00 x)
all work      105500
critical path 105500
bracketing    (J0*(J1*(J2*J3)))

task     result  worker  start     end
product  J2..J3       0      0     500
product  J1..J3       0    500    5500
product  J0..J3       0   5500  105500
";
    assert_eq!(timeless(&success(&["1000x100x50x10x1"])), expected);
}

/// Two functions: the second is accumulated by its one adjoint, which then passes the first.
#[test]
fn a_chain_of_functions_is_explained() {
    let expected = "\
2 functions, 2 workers
best          16 (optimal)
lower bound   16
forward       48 (3.00 x)
reverse       16 (1.00 x)
all work      16
critical path 16
bracketing    (F0<J1)

task            result  worker  start  end
accumulate F1   J1           0      0    7
adjoints of F0  J0..J1       0      7   16
";
    let chain = "{\"chain\": [[3, 2, 9], [2, 1, 7]]}";
    assert_eq!(timeless(&success(&[chain, "--workers", "2"])), expected);
}

#[test]
fn json_has_its_keys_and_the_published_optimum() {
    let chain = "{\"name\": \"three\", \"chain\": [[117,45,39041],[45,29,85994],[29,213,33574]]}";
    let found = lines(&[chain, "--workers", "2", "--json"]);
    assert_eq!(found.len(), 1);
    let keys: Vec<&String> = found[0].as_object().unwrap().keys().collect();
    let mut expected = [
        "name",
        "best",
        "lower_bound",
        "proven_optimal",
        "forward",
        "reverse",
        "bracketing",
        "seconds",
        "workers",
        "memory",
        "stopped_by",
        "evaluations",
        "tasks",
        "schedule",
    ];
    expected.sort_unstable();
    let mut keys: Vec<&str> = keys.into_iter().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(keys, expected);
    let found = &found[0];
    assert_eq!(found["name"], "three");
    assert_eq!(found["best"], 3_453_200);
    assert_eq!(found["lower_bound"], 3_453_200);
    assert_eq!(found["proven_optimal"], true);
    assert_eq!(
        (&found["forward"], &found["reverse"]),
        (&18_557_253.into(), &33_783_717.into())
    );
    assert_eq!(found["stopped_by"], "proof");
    assert_eq!(found["schedule"]["makespan"], 3_453_200);
    assert!(found["seconds"].as_f64().unwrap() >= 0.0);
}

/// Memory for no adjoint leaves tangents and products; there is no reverse mode then.
#[test]
fn memory_forbids_adjoints() {
    let found = lines(&[
        "{\"chain\": [[3, 2, 9], [2, 1, 7]]}",
        "--memory",
        "6",
        "--json",
    ]);
    assert_eq!(
        (&found[0]["best"], &found[0]["reverse"]),
        (&47.into(), &Value::Null)
    );
    assert_eq!(found[0]["bracketing"], "(J0*J1)");
}

#[test]
fn files_are_planned_line_by_line() {
    let text = "{\"dims\": [50, 50, 1, 50, 50]}\n\n{\"chain\": [[42,8,7762]], \"published\": {}}\n[{\"chain\": []}]\n";
    let path = file("chains.jsonl", text);
    let found = lines(&["--file", &path, "--json"]);
    let bests: Vec<&Value> = found.iter().map(|line| &line["best"]).collect();
    assert_eq!(bests, [7500, 62_096, 0]);
    assert!(found[0].get("name").is_none());
    let table = success(&["--file", &path]);
    assert_eq!(table.lines().count(), 5, "{table}");
    assert!(table.contains("3 of 3 chains proven optimal"), "{table}");
}

/// EDGE_CASES e95, e96: limits give a plan that says so; the same work gives the same one.
#[test]
fn limits_are_honest() {
    let elements: Vec<String> = (0..20_u64)
        .map(|k| {
            let dim = |k: u64| 5 + (k * 37 + k * k * 11) % 46;
            format!("[{}, {}, {}]", dim(k), dim(k + 1), 1000 + (k * 7919) % 9000)
        })
        .collect();
    let chain = format!("{{\"chain\": [{}]}}", elements.join(", "));
    let run = |limit: &[&str]| {
        let mut found = lines(&[&[&chain, "--workers", "4", "--json"], limit].concat());
        found[0]["seconds"] = Value::Null;
        found.remove(0)
    };
    let some = run(&["--evaluations", "50"]);
    assert_eq!(some, run(&["--evaluations", "50"]));
    assert!(some["evaluations"].as_u64().unwrap() <= 50);
    let none = run(&["--seconds", "0"]);
    for plan in [some, none] {
        let (best, bound) = (
            plan["best"].as_u64().unwrap(),
            plan["lower_bound"].as_u64().unwrap(),
        );
        assert!(bound <= best);
        assert_eq!(plan["proven_optimal"], bound == best);
        assert_eq!(plan["stopped_by"] == "proof", bound == best);
    }
}

#[test]
fn wrong_use_is_one_line() {
    let cases: [(&[&str], &str); 7] = [
        (&[], "CHAIN"),
        (&["10xtwo"], "`10xtwo` is no chain"),
        (
            &["{\"chain\": [[3, 2, 9], [3, 1, 7]]}"],
            "number 1 of the chain",
        ),
        (&["{\"other\": 1}"], "expected \"chain\""),
        (&["3x2x1", "--seconds=-1"], "is no time"),
        (&["3x2x1", "--workers", "many"], "many"),
        (&["3x2x1", "--file", "x.jsonl"], "cannot be used with"),
    ];
    for (arguments, expected) in cases {
        let error = failure(arguments, 2);
        assert!(error.contains(expected), "{arguments:?}: {error}");
    }
    let error = failure(&["--file", "/no/such/file"], 1);
    assert!(error.contains("cannot read /no/such/file"), "{error}");
    let path = file(
        "broken.jsonl",
        "{\"dims\": [3, 2, 1]}\n{\"dims\": [3, -2]}\n",
    );
    let error = failure(&["--file", &path], 1);
    assert!(error.contains("line 2: "), "{error}");
    // EDGE_CASES e90.
    let big = "4294967296x4294967296x4294967296";
    assert!(failure(&[big], 1).contains("beyond 2^64"));
}
