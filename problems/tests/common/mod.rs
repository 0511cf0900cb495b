//! What the tests of this folder share: forward derivatives of an object, reading tables, comparing.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::path::{Path, PathBuf};

use serde_json::Value;
use wengert::Function;
use wengert::forward::Lanes;

/// The folder with the reference tables of the workspace.
pub(crate) fn reference() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", "tests", "reference"]
        .iter()
        .collect()
}

/// The folder of the ADBench instances: `WENGERT_ADBENCH`, or `../shared/adbench` beside the workspace; if there is none,
/// says so.
pub(crate) fn adbench() -> Option<PathBuf> {
    let beside = [env!("CARGO_MANIFEST_DIR"), "..", "..", "shared", "adbench"]
        .iter()
        .collect();
    let folder = std::env::var_os("WENGERT_ADBENCH").map_or(beside, PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!(
        "no folder {}: the ADBench instances are not compared",
        folder.display()
    );
    None
}

/// A JSON file.
pub(crate) fn json(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap()
}

/// A number, which tables may give as text.
pub(crate) fn number(value: &Value) -> f64 {
    match value {
        Value::String(text) => text.parse().unwrap(),
        other => other.as_f64().unwrap(),
    }
}

/// An array of numbers.
pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(number).collect()
}

/// The values of a function.
pub(crate) fn values<F: Function>(f: &F, x: &[f64]) -> Vec<f64> {
    let mut y = vec![f64::NAN; f.outputs(x.len())];
    f.eval(x, &mut y);
    y
}

/// The Jacobian row by row, 16 columns per pass.
pub(crate) fn jacobian<F: Function>(f: &F, x: &[f64]) -> Vec<Vec<f64>> {
    const N: usize = 16;
    let mut rows = vec![vec![0.0; x.len()]; f.outputs(x.len())];
    for first in (0..x.len()).step_by(N) {
        let lanes: Vec<Lanes<f64, N>> = (0..x.len())
            .map(|i| match i.checked_sub(first) {
                Some(lane) => Lanes::variable(x[i], lane),
                None => Lanes::constant(x[i]),
            })
            .collect();
        let mut y = vec![Lanes::constant(0.0); rows.len()];
        f.eval(&lanes, &mut y);
        for (row, y) in rows.iter_mut().zip(&y) {
            for (entry, tangent) in row[first..].iter_mut().zip(y.tangents) {
                *entry = tangent;
            }
        }
    }
    rows
}

/// Fails unless `|a - b| <= tolerance * largest |b|` for every entry; NaN fails on either side.
#[track_caller]
pub(crate) fn assert_close(what: &str, found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{what}: length");
    let largest = expected.iter().fold(0.0_f64, |m, e| m.max(e.abs()));
    for (i, (f, e)) in found.iter().zip(expected).enumerate() {
        assert!(e.is_finite(), "{what}[{i}]: the table has {e}");
        let within = (f - e).abs() <= tolerance * largest;
        assert!(
            within,
            "{what}[{i}]: found {f:e}, expected {e:e}, largest {largest:e}"
        );
    }
}

/// Fails unless entries above 1e-8 of the largest agree to 1e-9 relative.
#[track_caller]
pub(crate) fn assert_entries_close(what: &str, found: &[f64], expected: &[f64]) {
    let largest = expected.iter().fold(0.0_f64, |m, e| m.max(e.abs()));
    for (i, (f, e)) in found.iter().zip(expected).enumerate() {
        if e.abs() > 1e-8 * largest {
            assert!(
                (f - e).abs() <= 1e-9 * e.abs(),
                "{what}[{i}]: found {f:e}, expected {e:e}"
            );
        }
    }
}
