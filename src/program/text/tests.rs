//! Programs with everything in them read back; broken texts are refused with their line.

use std::sync::Arc;

use proptest::prelude::*;

use crate::error::{Error, Location};
use crate::program::node::{NodeId, NodeKind};
use crate::program::{DotOptions, Program, random};
use crate::{Scalar, elementary::Op};

/// Every kind of node, source, sink, guard and number.
pub(in crate::program) const EVERYTHING: &str = "\
derivative
v0 = input 0
v1 = input 1
v2 = input 2
v3 = input 3
v4 = constant -0
v5 = constant NaN
v6 = constant -inf
v7 = constant 1e-300
v8 = add_const(-0.1) v0
v9 = sum v0..=v3
v10 = dot v3..=v0 step -1
v11 = lt v0 v1
v12 = select v0 v1 v11
v13 = gate v0 v1 v11
v14 = domain v0 v1
v15 = region(0) 4 iterations reversed
  v0 = uniform v2
  v1 = lane v0..=v3
  v2 = data 1 -2.5 NaN 1e-7
  v3 = carried 1 v1
  v4 = mul v1 v2
  v5 = region(0) 2 iterations
    v0 = lane v3 v4
    v1 = sin v0
    sum v1
  end
  v6 = result(0) v5
  v7 = add v3 v6
  guard lt v3 v4 = false
  sum v4
  last v7
  each v1
end
v16 = result(0) v15
v17 = result(5) v15
v18 = region(1) 1 iterations
  derivative
  v0 = carried 0 v1
  v1 = exp v0
  last v1
end
v19 = result(0) v18
v20 = and v11 v11
v21 = or v11 v20
v22 = not v21
v23 = le v0 v1
v24 = eq v0 v1
v25 = detach v0
region(2) 7 iterations
  v0 = uniform
  v1 = lane
  last v1
end
guard le v0 v1 = true
guard ordering v0 v1 = unordered
guard ordering v0 v1 = less
guard ordering v0 v1 = equal
guard ordering v0 v1 = greater
guard index v0 = none
guard index v0 = 7
guard value v5 = NaN:fff8000000000000
guard eq v0 v1 = false
output v16
output v19
output v16
";

fn parse(text: &str) -> Program {
    text.parse().unwrap()
}

#[test]
fn everything_reads_back() {
    let program = parse(EVERYTHING);
    assert_eq!(program.to_string(), EVERYTHING);
    assert!(program.is_same(&parse(&program.to_string())));
    assert_eq!(
        program.kind(program.nodes().nth(4).unwrap()).to_string(),
        "constant -0"
    );
}

/// The meaning, by hand: what was read is evaluated.
#[test]
fn a_region_means_what_it_says() {
    let text = "
        v0 = input 0   # x
        v1 = input 1
        v2 = region(0) 3 iterations reversed
          v0 = uniform v0
          v1 = lane v0 \\
                v1 v0
          v2 = data 1 10 100
          v3 = carried 1 v1
          v4 = mul v1 v2
          v5 = mul v3 v0
          sum v4
          last v5
          each v4
        end
        v3 = result(0) v2
        v4 = result(1) v2
        v5 = result(3) v2
        output v3
        output v4
        output v5";
    let values = parse(text).values(&[2.0, 3.0]).unwrap();
    // 2 + 30 + 200; 3 times 2 three times; the second product.
    assert_eq!(values[3..], [232.0, 24.0, 30.0]);
}

#[test]
fn every_operation_reads_back() {
    for op in Op::all(3.0) {
        if matches!(op, Op::Select | Op::Custom) {
            continue;
        }
        let count = (0..4).find(|k| op.takes(*k)).unwrap();
        let mut program = parse("v0 = input 0\nv1 = input 1\nv2 = input 2\n");
        program.kinds.push(NodeKind::Elementary(op));
        program.arguments = program.nodes().take(count).collect();
        program.ends.push(u32::try_from(count).unwrap());
        program.outputs = vec![NodeId::from_raw(3)];
        assert!(parse(&program.to_string()).is_same(&program), "{op}");
    }
}

#[test]
fn numbers_read_back_to_the_same_bits() {
    let numbers = [
        0.1,
        1.0 / 3.0,
        5e-324,
        f64::MAX,
        f64::EPSILON,
        1e16,
        123_456.75,
        -f64::NAN,
        f64::INFINITY,
    ];
    for x in numbers
        .into_iter()
        .chain([f64::from_bits(0x7ff0_0000_0000_0001)])
    {
        let text = parse("v0 = constant 1\noutput v0").to_string();
        let mut program = parse(&text);
        program.kinds[0] = NodeKind::Constant(x);
        assert!(parse(&program.to_string()).is_same(&program), "{x}");
    }
}

#[test]
fn long_lists_are_short_and_long_lines_are_broken() {
    let mut text: String = (0..1000).map(|i| format!("v{i} = input {i}\n")).collect();
    let evens: String = (0..500).map(|i| format!(" v{}", 2 * i)).collect();
    let data: String = (0..100).map(|i| format!(" {i}.5")).collect();
    text += &format!("v1000 = sum{evens} v0 v0 v0 v0 v7\n");
    text += &format!("v1001 = region(0) 100 iterations\nv0 = data{data}\nsum v0\nend\n");
    let program = parse(&text);
    let printed = program.to_string();
    assert!(
        printed.contains("v1000 = sum v0..=v998 step 2 v0 v0 v0 v0 v7\n"),
        "{printed}"
    );
    assert!(printed.lines().all(|line| line.len() <= 100));
    assert!(printed.contains(" \\\n"));
    assert!(parse(&printed).is_same(&program));
}

#[test]
fn locations_are_comments() {
    let mut program = parse("v0 = input 0\nv1 = sin v0\nguard lt v0 v1 = true\noutput v1\n");
    let file = "a b#c\n.rs".into();
    let location = Arc::new(Location {
        file,
        line: 3,
        column: 7,
    });
    program.guards[0].location = Some(location.clone());
    program.locations = vec![location];
    program.places = vec![0, 1];
    let text = program.display_with_locations().to_string();
    let expected = "v0 = input 0\nv1 = sin v0  # a b#c .rs:3:7\nguard lt v0 v1 = true  # a b#c .rs:3:7\noutput v1\n";
    assert_eq!(text, expected);
    assert!(parse(&text).is_same(&program));
}

#[test]
fn custom_rules_cannot_be_read_back() {
    let error = "v0 = input 0\nv1 = custom(0) v0\n"
        .parse::<Program>()
        .unwrap_err();
    assert!(error.to_string().contains("custom"), "{error}");
}

#[test]
fn recorded_programs_read_back() {
    fn f<S: Scalar>(x: &[S]) -> S {
        let largest = if x[0] > x[1] { x[0] } else { x[1] };
        S::sum_of(x.iter().map(|x| x.exp() * 0.3)).ln() + largest.powi(-3)
    }
    let program = Program::record(|x| [f(x)], &[0.5, 1.5, 2.5]).unwrap();
    assert!(parse(&program.to_string()).is_same(&program));
    assert!(
        Program::from_json(&program.to_json())
            .unwrap()
            .is_same(&program)
    );
}

/// Programs of random nodes, regions in regions and guards; those with custom rules are refused.
#[test]
fn random_programs_read_back() {
    let mut rng = fastrand::Rng::with_seed(77);
    let (mut refused, mut regions) = (0, 0);
    for case in 0..2000 {
        let nodes = rng.usize(1..30);
        let program = random::program(&mut rng, nodes);
        let (text, json) = (program.to_string(), program.to_json());
        if text.contains("custom(") {
            refused += 1;
            assert!(
                text.parse::<Program>().is_err() && Program::from_json(&json).is_err(),
                "{case}"
            );
            continue;
        }
        regions += program.regions().len();
        assert!(parse(&text).is_same(&program), "case {case}\n{text}");
        assert_eq!(parse(&text).to_string(), text, "case {case}");
        assert!(
            Program::from_json(&json).unwrap().is_same(&program),
            "case {case}\n{text}"
        );
        let dot = program.to_dot(&DotOptions::default()).unwrap();
        assert_eq!(
            dot.matches("subgraph").count(),
            text.matches(" iterations").count()
        );
    }
    assert!(refused > 50 && regions > 300, "{refused} {regions}");
}

/// Damage that the validator alone knows of.
#[test]
fn what_is_read_is_validated() {
    let head =
        "v0 = input 0\nv1 = lt v0 v0\nv2 = region(0) 1 iterations\nv0 = uniform v0\nsum v0\nend\n";
    assert!(head.parse::<Program>().is_ok());
    for rest in [
        "v3 = sin v1",
        "v3 = sin v2",
        "v3 = sin v0\nv4 = not v3",
        "output v2",
        "guard lt v0 v2 = true",
        "v3 = region(0) v0",
    ] {
        let wrong = format!("{head}{rest}\n").parse::<Program>();
        assert!(
            matches!(wrong, Err(Error::InvalidProgram { .. })),
            "{rest} {wrong:?}"
        );
    }
}

#[test]
fn broken_texts_name_the_line() {
    let head = "v0 = input 0\nv1 = input 1\n";
    let body = "v2 = region(0) 2 iterations\nv0 = uniform v0\nv1 = lane v0 v1\nsum v1\n";
    for (line, text) in [
        (3, "v2"),
        (3, "v2 ="),
        (3, "v2 = sine v0"),
        (3, "v2 = sin"),
        (3, "v2 = sin v0 v1"),
        (3, "v2 = sin v2"),
        (3, "v2 = sin v0 x"),
        (3, "v2 = sin +v0"),
        (3, "v2 = sin v-0"),
        (3, "v2 = sin v99999999999"),
        (3, "v3 = sin v0"),
        (3, "v2 sin v0"),
        (3, "v2 = input 1"),
        (3, "v2 = input 3"),
        (3, "v2 = input(2)"),
        (3, "v2 = input"),
        (3, "v2 = constant"),
        (3, "v2 = constant one"),
        (3, "v2 = constant 1 2"),
        (3, "v2 = powi(0.5) v0"),
        (3, "v2 = powi(1 v0"),
        (3, "v2 = dot v0"),
        (3, "v2 = sum v0..=v2"),
        (3, "v2 = sum v1..=v0"),
        (3, "v2 = sum v0..=v1 step 0"),
        (3, "v2 = sum v0..=v1 step 2"),
        (3, "v2 = sum v0..=v1 step -1"),
        (3, "v2 = sum v0..=v1 step -9223372036854775808"),
        (3, "v2 = sum v0..v1"),
        (3, "v2 = result(0) v0"),
        (3, "v2 = region(0) v0"),
        (3, "v2 = region(0) 2"),
        (3, "v2 = region(0) 2 iterations backwards"),
        (3, "v2 = region(0) 0 iterations\nend"),
        (3, "output v2"),
        (3, "output v0 v1"),
        (3, "guard lt v0 = true"),
        (3, "guard lt v0 v1"),
        (3, "guard lt v0 v1 = perhaps"),
        (3, "guard gt v0 v1 = true"),
        (3, "guard value v0 = true"),
        (3, "guard index v0 = -1"),
        (3, "sum v0"),
        (3, "end"),
        (3, "\u{0}"),
        (4, "\nv2 = sin v2"),
    ] {
        let text = format!("{head}{text}\n");
        match text.parse::<Program>() {
            Err(Error::Parse { line: found, .. }) if text.contains("0 iterations") => {
                assert_eq!(found, 4);
            }
            Err(Error::Parse { line: found, .. }) => assert_eq!(found, line, "{text}"),
            other => panic!("{other:?} {text}"),
        }
    }
    for rest in [
        "",
        "end of it",
        "output v0\nend",
        "v1 = sin v0\nend",
        "v2 = uniform v9\nend",
        "v2 = uniform\nend",
        "v2 = carried 0 v0\nend",
        "v2 = carried 1 v0\nend",
        "v2 = data 1\nend",
        "v2 = data 1 2 x\nend",
        "v2 = lane v0\nend",
        "v2 = input 2\nend",
        "v2 = sin v0\nv3 = uniform v0\nend",
        "end\nv3 = result(1) v2",
        "end\nv3 = region(0) 2 iterations\nend",
        "end\nv3 = region(0) v0 v1",
        "end\nregion(2) 1 iterations\nend",
    ] {
        let text = format!("{head}{body}{rest}\n");
        assert!(text.parse::<Program>().is_err(), "{text}");
    }
    assert!(format!("{head}{body}end").parse::<Program>().is_ok());
}

#[test]
fn regions_are_read_down_to_a_depth() {
    let nested = |levels: usize| {
        let open = "v0 = region(0) 1 iterations\n".repeat(levels);
        (open + &"end\n".repeat(levels)).parse::<Program>()
    };
    let program = nested(32).unwrap();
    assert!(parse(&program.to_string()).is_same(&program));
    for levels in [33, 100_000] {
        assert!(nested(levels).is_err());
    }
}

/// What is accepted must be sound: nothing that can be asked of it may panic.
fn assert_sound(program: &Program) {
    assert!(parse(&program.to_string()).is_same(program));
    assert!(
        Program::from_json(&program.to_json())
            .unwrap()
            .is_same(program)
    );
    let x = vec![0.5; program.inputs()];
    let (tangent, weights) = (x.clone(), vec![1.0; program.outputs().len()]);
    program.sensitivities(&x, &tangent, &weights).unwrap();
    let options = DotOptions {
        at: Some(&x),
        has_costs: true,
        ..DotOptions::default()
    };
    assert_eq!(program.to_dot(&options).unwrap().lines().last(), Some("}"));
    let cost = program.cost();
    assert!(cost.nodes >= program.len() && cost.operations.total() < 10_000);
    assert!(program.depth() <= cost.operations.total());
    assert!(program.components() <= program.len());
}

#[test]
fn everything_is_sound() {
    assert_sound(&parse(EVERYTHING));
}

/// Replaces words by others, drops and doubles lines: most of it is wrong, and some is another program.
fn damaged(changes: &[(u8, usize, usize)]) -> String {
    let mut lines: Vec<String> = EVERYTHING.lines().map(String::from).collect();
    let all: Vec<&str> = EVERYTHING.split_whitespace().collect();
    for &(what, place, other) in changes {
        let place = place % lines.len();
        match what {
            0 if lines.len() > 1 => {
                lines.remove(place);
            }
            1 => lines.insert(place, lines[other % lines.len()].clone()),
            2 => lines.swap(place, other % (place + 1)),
            3 => {
                let mut letters: Vec<char> = lines[place].chars().collect();
                if !letters.is_empty() {
                    let at = other % letters.len();
                    letters[at] = char::from(b' ' + u8::try_from(other / 7 % 95).unwrap());
                }
                lines[place] = letters.into_iter().collect();
            }
            _ => {
                let mut words: Vec<&str> = lines[place].split_whitespace().collect();
                if !words.is_empty() {
                    let at = other % words.len();
                    words[at] = all[other / 5 % all.len()];
                }
                lines[place] = words.join(" ");
            }
        }
    }
    lines.join("\n")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn damaged_texts_never_panic(changes in prop::collection::vec((0_u8..6, 0_usize..1000, 0_usize..100_000), 1..4)) {
        if let Ok(program) = damaged(&changes).parse::<Program>() {
            assert_sound(&program);
        }
    }

    #[test]
    fn damaged_json_never_panics(place in 0_usize..10_000, length in 0_usize..8, with in "[0-9a-z\"\\[\\]{},:.-]{0,6}") {
        let json = parse(EVERYTHING).to_json();
        let start = place % json.len();
        let end = (start + length).min(json.len());
        let text = format!("{}{with}{}", &json[..start], &json[end..]);
        if let Ok(program) = Program::from_json(&text) {
            assert_sound(&program);
        }
    }

    #[test]
    fn ranges_hold_the_nodes_they_came_from(numbers in prop::collection::vec(0_u32..12, 0..40)) {
        let mut program: Program = (0..12).map(|i| format!("v{i} = input {i}\n")).collect::<String>().parse().unwrap();
        program.kinds.push(NodeKind::Elementary(Op::Sum));
        program.arguments = numbers.iter().map(|n| NodeId::from_raw(*n)).collect();
        program.ends.push(u32::try_from(numbers.len()).unwrap());
        assert!(parse(&program.to_string()).is_same(&program));
    }
}
