//! The complexity guarantees, by exact counts: what a derivative costs relative to its function.
//!
//! Everything is counted as it runs, before any simplification, with seeds that are inputs of the recording.
//!
//! Source: Griewank & Walther 2008, §3 and §4.5 (bounds 4, 5 and 16 for all arithmetic; 3, 3 and 9 with multiply-adds).

mod common;

use common::operations::{Apply, operations};
use proptest::prelude::*;
use wengert::elementary::Op;
use wengert::forward::Dual;
use wengert::prelude::*;
use wengert::program::{Program, Traced};
use wengert::report::{CostReport, Operations, RULE_COSTS, RuleCost, cost, growth, program_cost};

/// Speelpenning's product, from left to right.
fn speelpenning<S: Scalar>(x: &[S]) -> S {
    x[1..].iter().fold(x[0], |product, x| product * *x)
}

/// Operations, and operations with multiply-adds counted once.
fn counts(report: &CostReport, mode: &str) -> (u64, u64) {
    let row = report.mode(mode).expect("the mode is reported");
    (row.operations.flops, row.operations.fused)
}

/// By hand, for k = n - 1 products: a tangent takes two multiplications and an addition each; the sweep two multiplications
/// each. No adjoint is added to twice, so only tangents add.
#[test]
fn speelpennings_product_attains_the_bounds() {
    for n in [2_usize, 10, 100] {
        let report = cost(&function!(speelpenning), &vec![1.5; n]).expect("it is countable");
        let k = u64::try_from(n - 1).expect("it is small");
        assert_eq!(counts(&report, "value"), (k, k));
        assert_eq!(counts(&report, "jvp"), (4 * k, 3 * k));
        assert_eq!(counts(&report, "gradient"), (3 * k, 3 * k), "{n}");
        // 12 k - 4: the tangent of the last product's adjoint is a structural zero.
        assert_eq!(counts(&report, "hvp"), (12 * k - 4, 9 * k - 2), "{n}");
    }
}

fn recorded(x: &[f64], f: impl FnOnce(&[Traced]) -> Vec<Traced>) -> Operations {
    Operations::of(&Program::record(f, x).expect("it is short"))
}

/// Counts one operation in every mode with generic seeds.
fn recount(op: Op, arguments: usize) -> [u64; 4] {
    let f = Apply(op);
    let x: Vec<f64> = (0..arguments)
        .map(|i| 0.4 + 0.125 * f64::from(u8::try_from(i).expect("few")))
        .collect();
    let value = recorded(&x, |x| vec![f.call(x)]);
    let seeds = |count: usize| [x.clone(), vec![1.0; count]].concat();
    let along = recorded(&seeds(arguments), |inputs| {
        let (x, v) = inputs.split_at(arguments);
        jvp(|x| [f.call(x)], x, v).expect("shapes agree").1
    });
    let back = recorded(&seeds(1), |inputs| {
        let (x, w) = inputs.split_at(arguments);
        vjp(|x| [f.call(x)], x, w).expect("shapes agree").1
    });
    let second = recorded(&seeds(arguments + 2), |inputs| {
        let (x, rest) = inputs.split_at(arguments);
        let (v, w) = rest.split_at(arguments);
        let x: Vec<Dual<Traced>> = x.iter().zip(v).map(|(x, v)| Dual::new(*x, *v)).collect();
        let (_, rows) = vjp(|x| [f.call(x)], &x, &[Dual::new(w[0], w[1])]).expect("shapes agree");
        rows.iter().map(|row| row.tangent).collect()
    });
    [value.flops, along.flops, back.flops, second.flops]
}

#[test]
fn the_published_table_of_rules_is_what_a_recount_gives() {
    let mut text = String::new();
    let mut counted = Vec::new();
    for (op, arguments) in operations() {
        let counts = recount(op, arguments);
        text.push_str(&format!("    rule(\"{op}\", {arguments}, {counts:?}),\n"));
        counted.push((op.to_string(), arguments, counts));
    }
    let row = |rule: &RuleCost| {
        (
            rule.operation.to_string(),
            rule.arguments,
            [rule.value, rule.jvp, rule.vjp, rule.hvp],
        )
    };
    let published: Vec<_> = RULE_COSTS.iter().map(row).collect();
    assert!(published == counted, "the table should read\n{text}");
}

/// A straight line of arithmetic on what is there already, with or without divisions.
#[derive(Clone, Debug)]
struct Line {
    operations: u8,
    steps: Vec<(u8, usize, usize)>,
}

impl ScalarFunction for Line {
    fn call<S: Scalar>(&self, x: &[S]) -> S {
        let mut values = x.to_vec();
        for (operation, i, j) in &self.steps {
            let (a, b) = (values[i % values.len()], values[j % values.len()]);
            values.push(match operation % self.operations {
                0 => a + b,
                1 => a - b,
                2 => a * b,
                _ => a / b,
            });
        }
        values[values.len() - 1]
    }
}

/// The derivative programs with generic seeds, the value included: tangent, sweep, and the tangent of the sweep.
fn transformed(program: &Program) -> [u64; 3] {
    let sweep = program.vjp().expect("it is short");
    let along = [program, &sweep].map(|program| program.jvp().expect("it is short"));
    [&along[0], &sweep, &along[1]].map(|program| Operations::of(program).flops)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// Griewank & Walther's bounds for additions, subtractions and multiplications.
    #[test]
    fn arithmetic_keeps_the_bounds(steps in prop::collection::vec((0_u8..3, 0_usize..64, 0_usize..64), 1..60)) {
        let line = Line { operations: 3, steps };
        let report = cost(&line, &[0.5, 1.25, -0.75, 2.0]).expect("it is short");
        let (value, _) = counts(&report, "value");
        for (mode, all, fused) in [("jvp", 4, 3), ("gradient", 5, 3), ("hvp", 16, 9)] {
            let found = counts(&report, mode);
            prop_assert!(found.0 <= all * value, "{mode}: {} of {value}", found.0);
            prop_assert!(found.1 <= fused * value, "{mode} with multiply-adds: {} of {value}", found.1);
        }
    }

    /// The same bounds with divisions among them: for tangents in every form, for sweeps as programs.
    #[test]
    fn quotients_keep_the_bounds(steps in prop::collection::vec((0_u8..8, 0_usize..64, 0_usize..64), 1..60)) {
        let line = Line { operations: 4, steps };
        let x = [0.5, 1.25, -0.75, 2.0];
        let program = Program::record(|x| [line.call(x)], &x).expect("it is short");
        let report = cost(&line, &x).expect("it is short");
        let (value, _) = counts(&report, "value");
        prop_assert!(counts(&report, "jvp").0 <= 4 * value);
        let derived = program_cost(&program).expect("it is differentiable");
        // As reported, with the adjoint 1 of the output.
        for (mode, bound) in [("jvp", 4), ("gradient", 5), ("hvp", 16)] {
            let found = counts(&derived, mode).0;
            prop_assert!(found <= bound * value, "{mode}: {found} of {value}");
        }
        // With a generic one.
        for (found, bound) in transformed(&program).into_iter().zip([4, 5, 16]) {
            prop_assert!(found <= bound * value, "generic seeds: {found} of {value}, not {bound} times");
        }
    }
}

/// Every operation with its arguments used more than once, so that adjoints are added to.
fn nonlinear<S: Scalar>(x: &[S]) -> S {
    let a = x[0].sin() * x[1].exp() / (x[0].sqrt() + x[1].ln());
    let b = x[0].tanh() - x[1].atan() * a;
    a.powd(b * b) + (a / x[1]).hypot(b)
}

/// A mode costs at most the sum of what the table says of its operations, and of the additions to adjoints.
#[test]
fn nonlinear_functions_keep_the_bounds_of_the_table() {
    let report = cost(&function!(nonlinear), &[0.75, 1.5]).expect("it is short");
    let kinds = &report.modes[0].operations.kinds;
    let total = |cost: &dyn Fn(&RuleCost) -> u64| -> u64 {
        let rule = |kind: &str| {
            RULE_COSTS
                .iter()
                .find(|rule| rule.operation == kind)
                .expect("it is listed")
        };
        kinds
            .iter()
            .map(|(kind, count)| count * cost(rule(kind)))
            .sum()
    };
    let arguments = |rule: &RuleCost| u64::try_from(rule.arguments).expect("few");
    assert_eq!(counts(&report, "value").0, total(&|rule| rule.value));
    // Tangents have no additions beside those of the rules: the bound is attained.
    assert_eq!(counts(&report, "jvp").0, total(&|rule| rule.jvp));
    let sweep = counts(&report, "gradient").0;
    assert!(
        sweep <= total(&|rule| rule.vjp + arguments(rule)),
        "{sweep}"
    );
    let product = counts(&report, "hvp").0;
    assert!(
        product <= total(&|rule| rule.hvp + 2 * arguments(rule)),
        "{product}"
    );
}

/// By hand, for k quotients one after the other by what is used once: a tangent takes a product, a difference and a quotient
/// each; a sweep a quotient and a product each, and a sign.
#[test]
fn quotients_attain_the_bound_of_tangents() {
    fn chain<S: Scalar>(x: &[S]) -> S {
        x[1..].iter().fold(x[0], |quotient, x| quotient / *x)
    }
    for n in [2_usize, 10, 100] {
        let x = vec![1.5; n];
        let k = u64::try_from(n - 1).expect("it is small");
        let report = cost(&function!(chain), &x).expect("it is countable");
        assert_eq!(counts(&report, "jvp"), (4 * k, 3 * k));
        let program = Program::record(|x| [chain(x)], &x).expect("it is short");
        // The tangent of the sweep: 4 for the value and for the share of the numerator, 4 for its product, 2 for the sign.
        assert_eq!(transformed(&program), [4 * k, 4 * k, 14 * k]);
    }
}

/// The tape keeps partials, and both of a quotient are computed so that they do not overflow before they must (EDGE_CASES
/// e18, e29): its sweep divides twice, and costs more than the textbook bound.
#[test]
fn quotients_on_the_tape_cost_more_than_the_textbook_bound() {
    let div = RULE_COSTS
        .iter()
        .find(|rule| rule.operation == "div")
        .expect("it is listed");
    assert_eq!((div.jvp, div.vjp + 2, div.hvp + 4), (4, 8, 26));
}

#[test]
fn programs_keep_the_bounds_before_simplification_and_gain_by_it() {
    let program = Program::record(|x| [speelpenning(x)], &[1.5; 20]).expect("it is short");
    let report = program_cost(&program).expect("it is differentiable");
    assert_eq!(counts(&report, "value"), (19, 19));
    for (mode, all, fused) in [("jvp", 4, 3), ("gradient", 5, 3), ("hvp", 16, 9)] {
        let found = counts(&report, mode);
        assert!(
            found.0 <= all * 19 && found.1 <= fused * 19,
            "{mode} {found:?}"
        );
        assert!(
            counts(&report, &format!("{mode}, simplified")).0 <= found.0,
            "{mode} {report}"
        );
    }
}

#[test]
fn growth_is_that_of_the_counts() {
    let at = |n: usize| cost(&function!(speelpenning), &vec![1.5; n]);
    let growth = growth(&[16, 32, 64, 128], at).expect("it is countable");
    assert_eq!(growth.modes[0].flops, [15, 31, 63, 127]);
    for (mode, exponent) in [
        ("value", 1.0),
        ("jvp", 1.0),
        ("gradient", 1.0),
        ("jacobian, forward", 2.0),
    ] {
        let row = growth
            .modes
            .iter()
            .find(|row| row.mode == mode)
            .expect("it is reported");
        assert!(
            (row.exponent - exponent).abs() < 0.05,
            "{mode}: {}",
            row.exponent
        );
    }
}

#[test]
fn edge_e75_reports_without_operations_are_json() {
    fn same<S: Scalar>(x: &[S]) -> S {
        x[0]
    }
    let report = cost(&function!(same), &[1.0]).expect("it is countable");
    let json = serde_json::to_value(&report).expect("it is JSON");
    assert_eq!(json["modes"][0]["ratio"], "NaN");
    assert_eq!(
        (&json["inputs"], &json["modes"][0]["operations"]["flops"]),
        (&1.into(), &0.into())
    );
}
