//! The Hessian suite against its table: values, gradients and Hessians by nested forward mode.

mod common;

use common::{assert_close, jacobian, json, number, numbers, reference};
use wengert::ScalarFunction;
use wengert::forward::{Dual, Lanes};
use wengert::prelude::{HessianMode, Mode, hessian_by, hvp, value_and_gradient_by};
use wengert_problems::hessian_suite::{FAMILIES, Family, TestFunction};

/// The table's files: family and number of variables.
const FILES: [(&str, usize); 11] = [
    ("rosen", 2),
    ("rosen", 10),
    ("arwhead", 10),
    ("cosine", 10),
    ("bdqrtic", 12),
    ("brybnd", 14),
    ("tridia", 10),
    ("minsurf", 25),
    ("bratu", 25),
    ("lj", 15),
    ("ocp", 15),
];

struct Row {
    what: String,
    f: TestFunction,
    x: Vec<f64>,
    table: serde_json::Value,
}

fn rows() -> Vec<Row> {
    let read = |(name, n): &(&str, usize)| {
        let what = format!("{name} n={n}");
        let table = json(&reference().join(format!("hessians/hess_{name}_n{n}.json")));
        let f = TestFunction::new(Family::from_name(name).unwrap(), *n).unwrap();
        let x = numbers(&table["x"]);
        assert_eq!(x.len(), *n);
        Row { what, f, x, table }
    };
    FILES.iter().map(read).collect()
}

#[test]
fn every_family_has_its_table() {
    assert!(
        FAMILIES
            .iter()
            .all(|family| FILES.iter().any(|(name, _)| *name == family.name()))
    );
}

#[test]
fn values() {
    for Row { what, f, x, table } in rows() {
        assert_close(&what, &[f.call(&x)], &[number(&table["f"])], 1e-14);
    }
}

#[test]
fn gradients_by_dual_and_by_lanes() {
    for Row { what, f, x, table } in rows() {
        let expected = numbers(&table["grad"]);
        let by_dual: Vec<f64> = (0..x.len())
            .map(|i| {
                let mut point: Vec<Dual<f64>> = x.iter().map(|x| Dual::constant(*x)).collect();
                point[i] = Dual::new(x[i], 1.0);
                f.call(&point).tangent
            })
            .collect();
        assert_close(&what, &by_dual, &expected, 1e-12);
        assert_close(&what, &jacobian(&f, &x).concat(), &expected, 1e-12);
    }
}

/// Entries outside the table are structural zeros and must be 0.0 exactly.
#[test]
fn hessians_by_lanes_over_dual() {
    for Row { what, f, x, table } in rows() {
        let n = x.len();
        let mut expected = vec![0.0; n * n];
        let mut structural = vec![true; n * n];
        for entry in table["hess_lower"].as_array().unwrap() {
            let i = usize::try_from(entry[0].as_u64().unwrap()).unwrap();
            let j = usize::try_from(entry[1].as_u64().unwrap()).unwrap();
            for at in [i * n + j, j * n + i] {
                expected[at] = number(&entry[2]);
                structural[at] = false;
            }
        }
        let mut found = Vec::new();
        for j in 0..n {
            let seeded: Vec<Lanes<Dual<f64>, 25>> = (0..n)
                .map(|i| Lanes::variable(Dual::new(x[i], f64::from(u8::from(i == j))), i))
                .collect();
            let y = f.call(&seeded);
            found.extend(y.tangents[..n].iter().map(|lane| lane.tangent));
        }
        assert_close(&what, &found, &expected, 1e-12);
        for (at, zero) in structural.iter().enumerate() {
            assert!(
                !zero || found[at] == 0.0,
                "{what}: entry {at} is {}",
                found[at]
            );
        }
    }
}

#[test]
fn gradients_in_every_mode() {
    for Row { what, f, x, table } in rows() {
        let expected = numbers(&table["grad"]);
        for mode in Mode::ALL {
            let (value, gradient) = value_and_gradient_by(&f, &x, mode).unwrap();
            assert_eq!(value.to_bits(), f.call(&x).to_bits());
            assert_close(&format!("{what} {mode}"), &gradient, &expected, 1e-12);
        }
    }
}

/// Entries outside the table are structural zeros and must be 0.0 exactly, in every nesting.
#[test]
fn hessians_in_every_nesting() {
    for Row { what, f, x, table } in rows() {
        let n = x.len();
        // `None` where the table has no entry: a structural zero.
        let mut table_entries = vec![None; n * n];
        for entry in table["hess_lower"].as_array().unwrap() {
            let at = |k: usize| usize::try_from(entry[k].as_u64().unwrap()).unwrap();
            table_entries[at(0) * n + at(1)] = Some(number(&entry[2]));
            table_entries[at(1) * n + at(0)] = Some(number(&entry[2]));
        }
        let expected: Vec<f64> = table_entries.iter().map(|e| e.unwrap_or(0.0)).collect();
        for mode in HessianMode::ALL {
            let found = hessian_by(&f, &x, mode).unwrap();
            assert_close(
                &format!("{what} {mode}"),
                found.as_slice(),
                &expected,
                1e-12,
            );
            let mut pairs = found.iter().zip(&table_entries);
            assert!(
                pairs.all(|(found, e)| e.is_some() || *found == 0.0),
                "{what} {mode}"
            );
        }
        let v: Vec<f64> = (0..n).map(|i| 1.0 - 0.25 * (i % 5) as f64).collect();
        let (_, _, product) = hvp(|x| f.call(x), &x, &v).unwrap();
        let expected: Vec<f64> = (0..n)
            .map(|i| (0..n).map(|j| expected[i * n + j] * v[j]).sum())
            .collect();
        assert_close(&format!("{what} hvp"), &product, &expected, 1e-12);
    }
}
